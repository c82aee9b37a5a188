/* What goes back: of a run whose sources still stand, and of anything else by a move. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/str.h"
#include "engine/cmd.h"
#include "engine/cmd_apply.h"
#include "engine/logging.h"
#include "engine/planning.h"
#include "engine/request.h"
#include "engine/show_plan.h"
#include "engine/text.h"

/* -- rollback -----------------------------------------------------------------------------------
 */

/* The plan alone, for whoever wants it reviewed. */
static enum exit_code show_saved(struct wiring *wiring, const char *path)
{
    struct plan_reader *plan;
    struct err err;
    enum exit_code code = planning_read(path, &plan);
    if (code != EXIT_OK)
        return code;
    struct show_options how = {.all = wiring->options->all, .path = path};
    if (!wiring->options->quiet && !show_plan(stdout, plan, &how, &err))
        code = exit_with(&err);
    else if (!wiring->options->quiet)
        printf("Next  frostline apply %s\n", path);
    plan_file_close(plan);
    return code;
}

static enum exit_code roll_back(struct wiring *wiring, int64_t run)
{
    const char *out = wiring->options->out, *path = out;
    struct planned planned;
    enum exit_code code = EXIT_OK;
    if (out == NULL)
        code = planning_scratch(wiring, &path);
    if (code != EXIT_OK)
        return code;
    enum exit_code made = planning_rollback(wiring, path, run, &planned);
    if (made != EXIT_OK && made != EXIT_PARTIAL)
        return made;
    if (show_plan_is_empty(&planned.summary)) {
        unlink(path);
        if (!wiring->options->quiet)
            printf("Nothing of run %" PRId64 " waits at its source.\n", run);
        return made;
    }
    if (out != NULL)
        return exit_worse(show_saved(wiring, out), made);
    code = cmd_apply_keep(wiring, path, planned.digest, &path);
    return code == EXIT_OK
               ? exit_worse(cmd_apply_kept(wiring, path, cmd_apply_approve, false), made)
               : code;
}

int cmd_rollback(const struct options *options)
{
    struct wiring wiring;
    uint64_t run;
    if (options->arg_count == 0 || !str_to_u64(options->args[0], &run) || run == 0 ||
        run > INT64_MAX) {
        logging_error("frostline rollback NUMBER; frostline status names the latest",
                      "send back which run?");
        return EXIT_USAGE;
    }
    wiring_init(&wiring, options);
    enum exit_code code = cmd_apply_open(&wiring, options->arg_count > 1 ? options->args[1] : NULL);
    if (code == EXIT_OK)
        code = roll_back(&wiring, (int64_t)run);
    wiring_close(&wiring);
    return code;
}

/* -- restore ------------------------------------------------------------------------------------
 */

/* The only store to which no policy moves anything: where recordings come from. */
static const char *find_origin(const struct policies *policies)
{
    bool is_target[PLACE_MAX] = {false};
    const char *origin = NULL;
    for (size_t i = 0; i < policies->count; i++)
        is_target[policies->items[i].target] = true;
    for (size_t i = 0; i < policies->store_count; i++) {
        if (is_target[i])
            continue;
        if (origin != NULL)
            return NULL;
        origin = policies->stores[i].name;
    }
    return origin;
}

/* --to, or that store, in the arena. */
static enum exit_code choose_target(struct wiring *wiring, const char **target)
{
    const struct options *options = wiring->options;
    struct wiring scout;
    *target = options->to;
    if (*target != NULL)
        return EXIT_OK;
    wiring_init(&scout, options);
    enum exit_code code = wiring_parse(&scout, options->policy);
    if (code == EXIT_OK && scout.policies == NULL)
        code = wiring_tell(&scout);
    const char *origin = code == EXIT_OK ? find_origin(scout.policies) : NULL;
    if (origin != NULL)
        *target = arena_copy(&wiring->arena, origin);
    else if (code == EXIT_OK) {
        logging_error("--to STORE; only of one that no policy moves to it goes without saying",
                      "restore to which store?");
        code = EXIT_USAGE;
    }
    wiring_close(&scout);
    return code;
}

/* Somebody waits for just these recordings: what does not come back is no success. */
static enum exit_code tell_left(const struct wiring *wiring, const struct plan_summary *summary)
{
    uint64_t missing = summary->missing_id_count, blocked = summary->actions[PLAN_BLOCKED];
    uint64_t unreachable = summary->unreachable;
    const char *unit = text_unit(wiring->policies->places.by_object);
    if (missing > 0)
        logging_error(NULL, "not in the catalog: %s", text_plural(missing, "listed id"));
    if (unreachable > 0)
        logging_error(NULL, "in no directory of a store: %s",
                      text_plural(unreachable, "recording"));
    if (blocked > 0)
        logging_error("what is still in its grace goes back with frostline rollback RUN",
                      "blocked, and so not restored: %s", text_plural(blocked, unit));
    return missing + unreachable + blocked > 0 ? EXIT_PARTIAL : EXIT_OK;
}

static enum exit_code restore(struct wiring *wiring)
{
    const char *out = wiring->options->out, *path = out;
    struct planned planned;
    enum exit_code code = cmd_apply_open(wiring, wiring->options->policy);
    if (code == EXIT_OK && out == NULL)
        code = planning_scratch(wiring, &path);
    if (code == EXIT_OK)
        code = planning_make(wiring, path, true, false, &planned);
    if (code != EXIT_OK)
        return code;
    if (out != NULL)
        code = show_saved(wiring, out);
    else
        code = cmd_apply_keep(wiring, path, planned.digest, &path);
    if (code == EXIT_OK && out == NULL)
        code = cmd_apply_kept(wiring, path, cmd_apply_approve, false);
    return exit_worse(code, tell_left(wiring, &planned.summary));
}

int cmd_restore(const struct options *options)
{
    struct wiring wiring;
    const char *target;
    if (options->arg_count == 0) {
        logging_error("frostline restore id:A,B or date:2025-02-14 or date:2025-02-01..2025-02-28",
                      "restore what?");
        return EXIT_USAGE;
    }
    wiring_init(&wiring, options);
    enum exit_code code = choose_target(&wiring, &target);
    if (code == EXIT_OK)
        code = cmd_apply_lock(&wiring);
    if (code == EXIT_OK)
        code = request_policy(&wiring, REQUEST_RESTORE, target, options->args, options->arg_count);
    if (code == EXIT_OK)
        code = restore(&wiring);
    wiring_close(&wiring);
    return code;
}
