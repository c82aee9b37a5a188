#include "engine/run.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/signals.h"
#include "engine/text.h"
#include "executor/apply.h"

#define TROUBLES_SHOWN 50
#define PROGRESS_TERMINAL_S 5
#define PROGRESS_OTHER_S 60

/* -- progress
 * -------------------------------------------------------------------------------------- */

/* A line now and then, by a thread of its own. */
struct progress {
    struct counters counters;
    uint64_t directories; /* of the plan; 0: unknown */
    const char *unit;     /* text_unit               */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool ended, started;
};

static void show_progress(struct progress *progress)
{
    struct counters *counters = &progress->counters;
    fprintf(stderr, "%s", text_plural(atomic_load(&counters->directories_at_rest), progress->unit));
    if (progress->directories > 0)
        fprintf(stderr, " of %s", text_count(progress->directories));
    fprintf(stderr, " at rest, %s (%s) copied, %s deleted\n",
            text_plural(atomic_load(&counters->objects_copied), "object"),
            text_size(atomic_load(&counters->bytes_copied)),
            text_count(atomic_load(&counters->objects_deleted)));
}

static void *tell_progress(void *context)
{
    struct progress *progress = context;
    int every_s = isatty(STDERR_FILENO) ? PROGRESS_TERMINAL_S : PROGRESS_OTHER_S;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    pthread_mutex_lock(&progress->mutex);
    while (!progress->ended) {
        until.tv_sec += every_s;
        while (!progress->ended &&
               pthread_cond_timedwait(&progress->wake, &progress->mutex, &until) == 0)
            continue;
        if (!progress->ended)
            show_progress(progress);
    }
    pthread_mutex_unlock(&progress->mutex);
    return NULL;
}

static void progress_begin(struct progress *progress, bool quiet)
{
    pthread_mutex_init(&progress->mutex, NULL);
    pthread_cond_init(&progress->wake, NULL);
    progress->started =
        !quiet && pthread_create(&progress->thread, NULL, tell_progress, progress) == 0;
}

static void progress_end(struct progress *progress)
{
    pthread_mutex_lock(&progress->mutex);
    progress->ended = true;
    pthread_cond_signal(&progress->wake);
    pthread_mutex_unlock(&progress->mutex);
    if (progress->started)
        pthread_join(progress->thread, NULL);
    pthread_cond_destroy(&progress->wake);
    pthread_mutex_destroy(&progress->mutex);
}

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
    printf("  x %s   %s", text_plain(task->entry.directory), apply_outcome_name(outcome));
    if (task->next.reason != REASON_NONE)
        printf(": %s", unit_reason_name(task->next.reason));
    if (task->err.text[0] != '\0')
        printf(": %s", task->err.text);
    putchar('\n');
    if (task->next.reason != REASON_NONE)
        printf("      %s\n", unit_reason_text(task->next.reason));
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

/* What came back has policies that sent it away. */
static void tell_what_follows(const struct apply_result *result, const struct plan_reader *plan)
{
    bool restored = plan != NULL && plan_file_header(plan)->request != NULL &&
                    result->directories[APPLY_MOVED] + result->directories[APPLY_RETIERED] > 0;
    if (result->directories[APPLY_ROLLED_BACK] > 0)
        puts("The next plan moves them again, unless the policy is changed, a hold names them or "
             "its min_residency keeps them.");
    else if (restored)
        puts("A policy that wants them elsewhere moves them again, unless it is changed, a hold "
             "names them or its min_residency keeps them.");
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
        printf("  ! %s appeared at a source after its manifest was made and %s left alone\n",
               text_plural(result->late, "object"), result->late == 1 ? "was" : "were");
    if (result->refused > 0)
        printf("  ! %s not begun: a guard of the plan refused\n",
               text_plural(result->refused, unit));
    if (result->expired > 0)
        printf("  ! %s not begun: the plan is older than its --ttl; a new plan begins what is "
               "left\n",
               text_plural(result->expired, unit));
    if (result->outside > 0)
        printf("  ! %s not begun: outside the window of its policy; the same command begins it "
               "within\n",
               text_plural(result->outside, unit));
    if (result->timed_out && result->not_begun + result->not_resumed > 0)
        puts("  ! --max-duration was reached: nothing more was taken up");
    if (result->not_resumed > 0)
        printf("  ! %s of earlier runs not carried on; the same command resumes\n",
               text_plural(result->not_resumed, unit));
    if (result->not_begun > 0)
        printf("  ! %s not begun; the same command resumes\n",
               text_plural(result->not_begun, unit));
    if (result->waiting_sources > 0)
        printf("%s wait until their grace is over, the first on %s UTC; frostline reap, or a "
               "timer, deletes them.\n",
               text_plural(result->waiting_sources, "source"),
               text_instant(result->next_cleanup_us));

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

static enum exit_code carry_out(struct wiring *wiring, const struct run_request *request,
                                int64_t run)
{
    struct progress progress = {.unit = text_unit(wiring->policies->places.by_object)};
    struct hands hands = {.stores = wiring->stores,
                          .policies = wiring->policies,
                          .catalog = wiring->catalog,
                          .journal = wiring->journal,
                          .clock = wiring->clock,
                          .stop = signals_stop(),
                          .counters = &progress.counters,
                          .copy_timeout_us = wiring->options->copy_timeout_us,
                          .wait_until_us = time_is_over_us(wiring)};
    static const uint64_t nothing[PLAN_KINDS];
    uint64_t asked = wiring->options->concurrency;
    struct troubles troubles = {0};
    struct apply_request apply = {.hands = &hands,
                                  .workers = asked > 0 ? (unsigned)asked : APPLY_WORKERS_DEFAULT,
                                  .run = run,
                                  .plan = request->plan,
                                  .reap_all = request->reap_all,
                                  .only_reap = request->only_reap,
                                  .keep_source = wiring->options->keep_source,
                                  .begin_until_us = request->begin_until_us,
                                  .take_until_us = hands.wait_until_us,
                                  .report = report,
                                  .report_context = &troubles};
    struct apply_result result;
    struct err err;

    const uint64_t *actions =
        request->plan != NULL ? plan_file_summary(request->plan)->actions : nothing;
    progress.directories =
        actions[PLAN_MOVE] + actions[PLAN_RETIER] + actions[PLAN_REPAIR] + actions[PLAN_ROLLBACK];
    progress_begin(&progress, wiring->options->quiet);
    bool done = apply_run(&apply, &result, &err);
    progress_end(&progress);
    enum exit_code code = exit_of_result(&result);
    if (!wiring->options->quiet || code != EXIT_OK)
        show_result(&result, &troubles, wiring->policies->places.by_object, request);
    return done ? code : exit_worse(code, exit_with(&err));
}

static void tell_missing_index(const struct wiring *wiring)
{
    if (wiring->shape.location_indexed || wiring->shape.index_statement == NULL)
        return;
    fprintf(stderr,
            "frostline: the location has no index that serves ranges, so each cut-over scans the "
            "table\n  hint: %s\n",
            wiring->shape.index_statement);
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
    enum exit_code code = carry_out(wiring, request, run.id);
    if (!journal_run_end(wiring->journal, run.id, code, &err))
        return exit_worse(code, exit_with(&err));
    return code;
}
