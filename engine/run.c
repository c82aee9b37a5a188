#include "engine/run.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/logging.h"
#include "engine/progress.h"
#include "engine/request.h"
#include "engine/signals.h"
#include "engine/terminal.h"
#include "engine/text.h"
#include "executor/apply.h"

#define TROUBLES_SHOWN 50

/* -- the report
 * ------------------------------------------------------------------------------------ */

struct troubles {
    uint64_t shown, more;
};

/* What did not go well, a row each as it happens. */
static void report(void *context, const struct task *task, enum apply_outcome outcome)
{
    struct troubles *troubles = context;
    if (outcome == APPLY_DELETED || outcome == APPLY_ALREADY || outcome == APPLY_RETIERED ||
        outcome == APPLY_REPAIRED || outcome == APPLY_ROLLED_BACK)
        return;
    if ((outcome == APPLY_MOVED || outcome == APPLY_WAITING) && task->next.reason != REASON_HELD &&
        task->next.reason != REASON_REFERENCED)
        return;
    if (troubles->shown++ >= TROUBLES_SHOWN) {
        troubles->more++;
        return;
    }
    terminal_hold();
    printf("  %s %s   %s", text_sign(stdout, 'x'), text_plain(task->entry.directory),
           apply_outcome_name(outcome));
    if (task->next.reason != REASON_NONE)
        printf(": %s", unit_reason_name(task->next.reason));
    if (task->err.text[0] != '\0')
        printf(": %s", task->err.text);
    putchar('\n');
    if (task->next.reason != REASON_NONE)
        printf("      %s\n", unit_reason_text(task->next.reason));
    terminal_let_go();
}

static void show_moved(const struct apply_result *result, bool by_object)
{
    printf("Moved %s", text_plural(result->moved_recordings, "recording"));
    if (!by_object)
        printf(" in %s", text_plural(result->directories[APPLY_MOVED], "directory"));
    printf(" (%s, %s), deleted %s", text_size(result->moved_bytes),
           text_plural(result->moved_objects, "object"),
           text_plural(result->deleted_sources, "source"));
}

static bool is_restore(const struct plan_summary *summary)
{
    return summary->funnel_count == 1 && str_equal(summary->funnels[0].policy, REQUEST_RESTORE);
}

/* What came back has policies that sent it away. */
static void tell_what_follows(const struct apply_result *result, const struct plan_reader *plan)
{
    bool restored = plan != NULL && is_restore(plan_file_summary(plan)) &&
                    result->directories[APPLY_MOVED] + result->directories[APPLY_RETIERED] > 0;
    if (result->directories[APPLY_ROLLED_BACK] > 0)
        puts("The next plan moves them again, unless the policy is changed, a hold names them or "
             "its min_residency keeps them.");
    else if (restored)
        puts("A policy that wants them elsewhere moves them again, unless it is changed, a hold "
             "names them or its min_residency keeps them.");
}

static void show_waiting(const struct apply_result *result)
{
    bool is_one = result->waiting_sources == 1;
    printf("%s %s until %s UTC; frostline reap, or a timer, deletes %s.\n",
           text_plural(result->waiting_sources, "source"), is_one ? "waits" : "wait, the first",
           text_instant(result->next_cleanup_us), is_one ? "it" : "them");
}

static bool is_rollback(const struct plan_reader *plan)
{
    return plan != NULL && plan_file_summary(plan)->actions[PLAN_ROLLBACK] > 0;
}

static void show_result(const struct apply_result *result, const struct troubles *troubles,
                        bool by_object, const struct run_request *request)
{
    const char *unit = text_unit(by_object);
    if (troubles->more > 0)
        printf("    ... and %s more; frostline status shows all\n", text_count(troubles->more));
    if (result->late > 0)
        printf("  %s %s appeared at a source after its manifest was made and %s left alone\n",
               text_sign(stdout, '!'), text_plural(result->late, "object"),
               result->late == 1 ? "was" : "were");
    if (result->refused > 0)
        printf("  %s %s not begun: a guard of the plan refused\n", text_sign(stdout, '!'),
               text_plural(result->refused, unit));
    if (result->expired > 0)
        printf("  %s %s not begun: the plan is older than its --ttl; a new plan begins what is "
               "left\n",
               text_sign(stdout, '!'), text_plural(result->expired, unit));
    if (result->outside > 0)
        printf("  %s %s not begun: outside the window of its policy; the same command begins it "
               "within\n",
               text_sign(stdout, '!'), text_plural(result->outside, unit));
    if (result->timed_out && result->not_begun + result->not_resumed > 0)
        printf("  %s --max-duration was reached: nothing more was taken up\n",
               text_sign(stdout, '!'));
    if (result->not_resumed > 0)
        printf("  %s %s of earlier runs not carried on; the same command resumes\n",
               text_sign(stdout, '!'), text_plural(result->not_resumed, unit));
    if (result->not_begun > 0)
        printf("  %s %s not begun; the same command resumes\n", text_sign(stdout, '!'),
               text_plural(result->not_begun, unit));
    if (result->waiting_sources > 0)
        show_waiting(result);

    tell_what_follows(result, request->plan);
    uint64_t stale = result->directories[APPLY_STALE], failed = result->directories[APPLY_FAILED];
    uint64_t parked = result->directories[APPLY_PARKED], open = result->directories[APPLY_OPEN];
    if (is_rollback(request->plan))
        printf("Sent back %s", text_plural(result->directories[APPLY_ROLLED_BACK], unit));
    else
        show_moved(result, by_object);
    if (result->directories[APPLY_REPAIRED] > 0)
        printf(", repaired %s", text_plural(result->directories[APPLY_REPAIRED], unit));
    if (result->directories[APPLY_RETIERED] > 0)
        printf(", set the tier of %s", text_plural(result->directories[APPLY_RETIERED], unit));
    if (result->directories[APPLY_ALREADY] > 0)
        printf(", %s there before", text_count(result->directories[APPLY_ALREADY]));
    if (stale + failed + parked + open > 0)
        printf("; %s stale, %s failed, %s parked, %s open", text_count(stale), text_count(failed),
               text_count(parked), text_count(open));
    puts(".");
}

static enum exit_code exit_of_result(const struct apply_result *result)
{
    enum exit_code code = signals_exit();
    if (result->unverified)
        code = exit_worse(code, EXIT_INTEGRITY);
    if (result->refused > 0)
        code = exit_worse(code, EXIT_REFUSED);
    if (result->denied)
        code = exit_worse(code, EXIT_AUTH);
    if (result->expired > 0)
        code = exit_worse(code, EXIT_STALE);
    if (result->directories[APPLY_STALE] + result->directories[APPLY_FAILED] +
            result->directories[APPLY_PARKED] >
        0)
        code = exit_worse(code, EXIT_PARTIAL);
    if (result->busy)
        code = exit_worse(code, EXIT_TEMPORARY);
    if (result->directories[APPLY_OPEN] + result->not_begun + result->not_resumed +
            result->outside >
        0)
        code = exit_worse(code, EXIT_PENDING);
    return code;
}

/* -- the run
 * --------------------------------------------------------------------------------------- */

/* On the monotonic clock; the time that planning or an answer took does not count. */
static int64_t time_is_over_us(const struct wiring *wiring)
{
    int64_t now_us = wiring->clock->ops->monotonic_us(wiring->clock);
    int64_t most_us = wiring->options->max_duration_us;
    return most_us < INT64_MAX - now_us ? now_us + most_us : INT64_MAX;
}

static void log_end(const struct apply_result *result, enum exit_code code)
{
    const uint64_t *directories = result->directories;
    LOG(LOG_INFO, "run-ended", LOG_NUMBER("exit", code),
        LOG_NUMBER("moved", (int64_t)directories[APPLY_MOVED]),
        LOG_NUMBER("recordings", (int64_t)result->moved_recordings),
        LOG_NUMBER("objects", (int64_t)result->moved_objects),
        LOG_NUMBER("bytes", (int64_t)result->moved_bytes),
        LOG_NUMBER("retiered", (int64_t)directories[APPLY_RETIERED]),
        LOG_NUMBER("repaired", (int64_t)directories[APPLY_REPAIRED]),
        LOG_NUMBER("returned", (int64_t)directories[APPLY_ROLLED_BACK]),
        LOG_NUMBER("deleted", (int64_t)result->deleted_sources),
        LOG_NUMBER("waiting", (int64_t)result->waiting_sources),
        LOG_NUMBER("stale", (int64_t)directories[APPLY_STALE]),
        LOG_NUMBER("failed", (int64_t)directories[APPLY_FAILED]),
        LOG_NUMBER("parked", (int64_t)directories[APPLY_PARKED]),
        LOG_NUMBER("open", (int64_t)directories[APPLY_OPEN]),
        LOG_NUMBER("not_begun", (int64_t)(result->not_begun + result->not_resumed)));
}

/* What the plan has to do, for the bar. */
static struct progress_work work_of(const struct wiring *wiring, const struct plan_reader *plan)
{
    struct progress_work work = {.unit = text_unit(wiring->policies->places.by_object)};
    if (plan == NULL)
        return work;
    const struct plan_summary *summary = plan_file_summary(plan);
    const uint64_t *actions = summary->actions;
    work.units =
        actions[PLAN_MOVE] + actions[PLAN_RETIER] + actions[PLAN_REPAIR] + actions[PLAN_ROLLBACK];
    work.bytes = summary->move_bytes;
    return work;
}

static bool apply_shown(struct wiring *wiring, struct apply_request *apply,
                        struct apply_result *result, struct err *err)
{
    static const struct watcher watcher = {.step = progress_step};
    struct counters counters = {0};
    struct hands hands = {.stores = wiring->stores,
                          .policies = wiring->policies,
                          .catalog = wiring->catalog,
                          .journal = wiring->journal,
                          .clock = wiring->clock,
                          .stop = signals_stop(),
                          .counters = &counters,
                          .watcher = &watcher,
                          .copy_timeout_us = wiring->options->copy_timeout_us,
                          .wait_until_us = apply->take_until_us};
    struct progress_work work = work_of(wiring, apply->plan);
    apply->hands = &hands;
    progress_run(&counters, &work);
    bool done = apply_run(apply, result, err);
    progress_end();
    return done;
}

static enum exit_code carry_out(struct wiring *wiring, const struct run_request *request,
                                int64_t run)
{
    uint64_t asked = wiring->options->concurrency;
    struct troubles troubles = {0};
    struct apply_request apply = {.workers = asked > 0 ? (unsigned)asked : APPLY_WORKERS_DEFAULT,
                                  .run = run,
                                  .plan = request->plan,
                                  .reap_all = request->reap_all,
                                  .only_reap = request->only_reap,
                                  .keep_source = wiring->options->keep_source,
                                  .begin_until_us = request->begin_until_us,
                                  .take_until_us = time_is_over_us(wiring),
                                  .report = report,
                                  .report_context = &troubles};
    struct apply_result result;
    struct err err;

    bool done = apply_shown(wiring, &apply, &result, &err);
    enum exit_code code = exit_of_result(&result);
    if (!wiring->options->quiet || code != EXIT_OK)
        show_result(&result, &troubles, wiring->policies->places.by_object, request);
    code = done ? code : exit_worse(code, exit_with(&err));
    log_end(&result, code);
    return code;
}

static void tell_missing_index(const struct wiring *wiring)
{
    if (wiring->shape.location_indexed || wiring->shape.index_statement == NULL)
        return;
    logging_note(wiring->shape.index_statement,
                 "the location has no index that serves ranges, so each cut-over scans the table");
}

enum exit_code run_plan(struct wiring *wiring, const struct run_request *request)
{
    struct journal_run run = {.verb = wiring->options->verb->name,
                              .plan =
                                  request->plan != NULL ? plan_file_digest(request->plan) : NULL,
                              .policy_path = wiring->policies->path,
                              .started_us = wiring->clock->ops->now_us(wiring->clock)};
    struct err err;
    if (!wiring->options->quiet)
        tell_missing_index(wiring);
    if (!journal_run_begin(wiring->journal, &run, &run.id, &err))
        return exit_with(&err);
    logging_set_run(run.id);
    LOG(LOG_INFO, "run-begun", LOG_TEXT("verb", run.verb), LOG_TEXT("policy", run.policy_path),
        LOG_TEXT("plan", run.plan != NULL ? run.plan : "none"));
    enum exit_code code = carry_out(wiring, request, run.id);
    logging_set_run(0);
    if (!journal_run_end(wiring->journal, run.id, code, &err))
        return exit_worse(code, exit_with(&err));
    return code;
}
