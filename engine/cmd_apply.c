#include "engine/cmd_apply.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/ask.h"
#include "engine/cmd.h"
#include "engine/logging.h"
#include "engine/planning.h"
#include "engine/request.h"
#include "engine/run.h"
#include "engine/show_plan.h"
#include "engine/signals.h"
#include "engine/terminal.h"
#include "engine/text.h"
#include "executor/apply.h"

#define MANY_SOURCES 100
#define MANY_BYTES UINT64_C(1000000000000)
#define SHORT_ID_LENGTH 8

/* -- approval
 * -------------------------------------------------------------------------------------- */

void cmd_apply_answer(const struct plan_reader *plan, char answer[CMD_APPLY_ANSWER_MAX])
{
    const struct plan_summary *summary = plan_file_summary(plan);
    uint64_t sources = summary->actions[PLAN_MOVE] + summary->actions[PLAN_REAP];
    bool much = sources > MANY_SOURCES || summary->move_bytes + summary->reap_bytes > MANY_BYTES;
    const char *id = strchr(plan_file_digest(plan), ':') + 1;
    snprintf(answer, SHORT_ID_LENGTH + 1, "%s", much ? id : "yes");
}

static enum exit_code ask(const struct plan_reader *plan)
{
    char answer[CMD_APPLY_ANSWER_MAX], typed[64];
    cmd_apply_answer(plan, answer);
    terminal_forget_keys();
    signals_ask(true);
    fprintf(stderr,
            "\nDo you want to carry out this plan? Only \"%s\" is taken as approval: ", answer);
    if (fgets(typed, sizeof(typed), stdin) == NULL) {
        typed[0] = '\0';
        fputc('\n', stderr); /* nobody else ended the line */
    }
    signals_ask(false);
    typed[strcspn(typed, "\n")] = '\0';
    if (str_equal(typed, answer))
        return EXIT_OK;
    fputs("Nothing was done.\n", stderr);
    return EXIT_REFUSED;
}

enum exit_code cmd_apply_approve(const struct options *options, const struct plan_reader *plan)
{
    const char *digest = plan_file_digest(plan);
    if (options->expect != NULL) {
        if (str_equal(options->expect, digest))
            return EXIT_OK;
        logging_error(NULL, "the plan's digest is %s, not %s", digest, options->expect);
        return EXIT_STALE;
    }
    if (options->auto_approve)
        return EXIT_OK;
    if (!options->no_input && ask_can())
        return ask(plan);
    logging_error("--auto-approve, or --expect with the digest that was reviewed",
                  "nobody approved this plan");
    return EXIT_REFUSED;
}

/* -- a plan that exists
 * ---------------------------------------------------------------------------- */

/* The kept copy is what a resume finds when the file is gone. */
static enum exit_code keep(struct wiring *wiring, const struct plan_reader *plan)
{
    const char *kept = planning_kept_path(wiring, plan_file_digest(plan));
    struct err err;
    if (access(kept, F_OK) == 0)
        return EXIT_OK;
    bool done =
        file_make_folder(file_join(&wiring->arena, wiring->state_folder, "plans"), 0700, &err) &&
        plan_file_copy(plan, kept, &err);
    return done ? EXIT_OK : exit_with(&err);
}

static enum exit_code check(struct wiring *wiring, const struct plan_reader *plan)
{
    char lineage[JOURNAL_LINEAGE_MAX];
    struct err err;
    if (!journal_lineage(wiring->journal, lineage, &err))
        return exit_with(&err);
    if (apply_check(plan_file_header(plan), wiring->policies, &wiring->shape, lineage, &err))
        return EXIT_OK;
    snprintf(err.hint, sizeof(err.hint), "make a new plan with frostline plan");
    return exit_with(&err);
}

/* Has this plan begun something that did not come to rest?  What waits for the end of its grace
 * rests. */
struct begun {
    struct wiring *wiring;
    const char *digest;
    bool found;
};

static bool look_for_begun(void *context, const struct journal_unit *entry, struct err *err)
{
    struct begun *begun = context;
    const struct unit *unit = &entry->unit;
    struct journal_run run;
    if (begun->found || (unit->state == UNIT_CUTOVER && unit->reason == REASON_GRACE))
        return true;
    if (!journal_run_get(begun->wiring->journal, unit->run, &begun->wiring->arena, &run, err))
        return false;
    begun->found = str_equal(run.plan, begun->digest);
    return true;
}

/* A plan that is too old is good for what it has begun, and for nothing else. */
static enum exit_code check_age(struct wiring *wiring, const struct plan_reader *plan)
{
    int64_t until_us = planning_until(plan, wiring->options->ttl_us);
    struct journal_filter filter = {.open_only = true};
    struct begun begun = {.wiring = wiring, .digest = plan_file_digest(plan)};
    struct err err;
    int64_t now_us = wiring->clock->ops->now_us(wiring->clock);
    /* No digest covers when it was made: a plan must not grow young by an edit. */
    if (plan_file_made(plan)->at_us > now_us + PROTOCOL_SKEW_US) {
        ERR(&err, ERR_CONFLICT, "the plan was made on %s UTC, which is to come",
            text_instant(plan_file_made(plan)->at_us));
        return exit_with(&err);
    }
    if (now_us <= until_us)
        return EXIT_OK;
    if (!journal_each(wiring->journal, &filter, look_for_begun, &begun, &err))
        return exit_with(&err);
    if (begun.found) {
        if (!wiring->options->quiet)
            logging_note(NULL,
                         "the plan was good until %s UTC: what it has begun is carried on, and "
                         "nothing else is begun",
                         text_instant(until_us));
        return EXIT_OK;
    }
    ERR(&err, ERR_CONFLICT, "the plan was good until %s UTC", text_instant(until_us));
    snprintf(err.hint, sizeof(err.hint),
             "make a new plan with frostline plan, or take this one with a longer --ttl");
    return exit_with(&err);
}

enum exit_code cmd_apply_lock(struct wiring *wiring)
{
    enum exit_code code = wiring_find_state(wiring);
    return code == EXIT_OK ? wiring_open_journal(wiring, JOURNAL_WRITE) : code;
}

enum exit_code cmd_apply_open(struct wiring *wiring, const char *policy)
{
    bool simulation;
    enum exit_code code = wiring->journal == NULL ? cmd_apply_lock(wiring) : EXIT_OK;
    if (code == EXIT_OK && wiring->request == NULL)
        code = request_make(wiring);
    return code == EXIT_OK ? planning_open(wiring, policy, NULL, &simulation) : code;
}

/* From the kept copy, which nobody edits: the file that was reviewed may have been changed since.
 */
static enum exit_code run_kept(struct wiring *wiring, const struct plan_reader *reviewed)
{
    const char *digest = plan_file_digest(reviewed);
    const char *path = planning_kept_path(wiring, digest);
    struct plan_reader *plan;
    enum exit_code code = planning_read(path, &plan);
    if (code != EXIT_OK)
        return code;
    if (str_equal(plan_file_digest(plan), digest))
        code = run_plan(wiring, &(struct run_request){.plan = plan,
                                                      .begin_until_us = planning_until(
                                                          reviewed, wiring->options->ttl_us)});
    else {
        unlink(path);
        logging_error("look at it again with frostline show",
                      "the plan was changed while it was approved; nothing was done");
        code = EXIT_STALE;
    }
    plan_file_close(plan);
    return code;
}

/* Whoever is asked has to know for what, even with -q. */
static bool is_asked(const struct options *options)
{
    return !options->auto_approve && options->expect == NULL;
}

static void tell_what_runs(const struct options *options, const struct plan_reader *plan)
{
    show_plan_line(stdout, plan, options->keep_source);
    fflush(stdout);
}

static enum exit_code apply_saved(struct wiring *wiring, const char *path)
{
    struct plan_reader *plan;
    enum exit_code code = planning_read(path, &plan);
    if (code != EXIT_OK)
        return code;
    wiring->request = plan_file_header(plan)->request;
    code = cmd_apply_open(wiring, planning_policy(wiring, plan, path));
    if (code == EXIT_OK)
        code = check(wiring, plan);
    if (code == EXIT_OK)
        code = check_age(wiring, plan);
    if (code == EXIT_OK && (!wiring->options->quiet || is_asked(wiring->options)))
        tell_what_runs(wiring->options, plan);
    if (code == EXIT_OK)
        code = cmd_apply_approve(wiring->options, plan);
    if (code == EXIT_OK)
        code = keep(wiring, plan);
    if (code == EXIT_OK)
        code = run_kept(wiring, plan);
    plan_file_close(plan);
    return code;
}

/* -- plan, ask, apply
 * ------------------------------------------------------------------------------ */

enum exit_code cmd_apply_keep(struct wiring *wiring, const char *scratch, const char *digest,
                              const char **path)
{
    *path = planning_kept_path(wiring, digest);
    if (rename(scratch, *path) == 0)
        return EXIT_OK;
    struct err err;
    ERR(&err, ERR_INPUT, "keeping the plan as %s failed", *path);
    return exit_with(&err);
}

static enum exit_code make_kept_plan(struct wiring *wiring, const char **path)
{
    const char *scratch;
    struct planned planned;
    enum exit_code code = planning_scratch(wiring, &scratch);
    if (code == EXIT_OK)
        code = planning_make(wiring, scratch, true, false, &planned);
    return code == EXIT_OK ? cmd_apply_keep(wiring, scratch, planned.digest, path) : code;
}

/* A plan that is kept already is shown, approved and carried out. */
enum exit_code cmd_apply_kept(struct wiring *wiring, const char *path, cmd_apply_approval *approve,
                              bool reap_all)
{
    const struct options *options = wiring->options;
    struct plan_reader *plan;
    struct err err;
    enum exit_code code = planning_read(path, &plan);
    if (code != EXIT_OK)
        return code;
    const struct plan_summary *summary = plan_file_summary(plan);
    struct show_options how = {.all = options->all, .keep_source = options->keep_source};
    if (show_plan_is_empty(summary))
        unlink(path); /* nothing to resume from it */
    bool needs_approval = approve != NULL && !show_plan_is_empty(summary);
    if ((!options->quiet || (needs_approval && is_asked(options))) &&
        !show_plan(stdout, plan, &how, &err))
        code = exit_with(&err);
    fflush(stdout);
    if (code == EXIT_OK && needs_approval)
        code = approve(options, plan);
    if (code == EXIT_OK)
        code = run_plan(
            wiring, &(struct run_request){.plan = plan,
                                          .begin_until_us = planning_until(plan, options->ttl_us),
                                          .reap_all = reap_all});
    code = exit_worse(code, planning_guards(summary));
    plan_file_close(plan);
    return code;
}

static enum exit_code apply_new(struct wiring *wiring, cmd_apply_approval *approve, bool reap_all)
{
    const char *path;
    enum exit_code code = make_kept_plan(wiring, &path);
    return code == EXIT_OK ? cmd_apply_kept(wiring, path, approve, reap_all) : code;
}

static bool asks(const struct options *options)
{
    return options->select.count + options->exclude.count > 0 || options->to != NULL ||
           options->grace_us >= 0;
}

int cmd_apply(const struct options *options)
{
    struct wiring wiring;
    wiring_init(&wiring, options);
    enum exit_code code;
    if (wiring_is_plan(options->args[0]) && asks(options)) {
        logging_error("plan again with --select, --exclude, --to and --grace",
                      "a saved plan is applied as it was reviewed");
        code = EXIT_USAGE;
    } else if (wiring_is_plan(options->args[0]))
        code = apply_saved(&wiring, options->args[0]);
    else {
        code = cmd_apply_open(&wiring, options->args[0]);
        if (code == EXIT_OK)
            code = apply_new(&wiring, cmd_apply_approve, false);
    }
    wiring_close(&wiring);
    return code;
}

int cmd_reconcile(const struct options *options)
{
    struct wiring wiring;
    wiring_init(&wiring, options);
    enum exit_code code = cmd_apply_open(&wiring, options->args[0]);
    if (code == EXIT_OK)
        code = apply_new(&wiring, NULL, true);
    wiring_close(&wiring);
    return code;
}

int cmd_reap(const struct options *options)
{
    struct wiring wiring;
    wiring_init(&wiring, options);
    enum exit_code code = cmd_apply_open(&wiring, options->args[0]);
    if (code == EXIT_OK)
        code = run_plan(&wiring, &(struct run_request){.reap_all = true, .only_reap = true});
    wiring_close(&wiring);
    return code;
}
