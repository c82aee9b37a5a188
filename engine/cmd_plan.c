#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/cmd.h"
#include "engine/logging.h"
#include "engine/planning.h"
#include "engine/request.h"
#include "engine/show_json.h"
#include "engine/show_plan.h"
#include "engine/text.h"

/* What to type next, of a plan that was saved just now. */
static void show_next(const char *path, const struct plan_reader *plan)
{
    printf("Next  frostline show %s --all\n", path);
    if (!show_plan_is_empty(plan_file_summary(plan)) && !plan_file_header(plan)->simulation)
        printf("      frostline apply %s\n", path);
}

/* Show a plan in the format that was asked for. */
static enum exit_code show(struct wiring *wiring, const char *path, bool is_saved)
{
    const struct options *options = wiring->options;
    struct plan_reader *plan;
    struct err err;
    enum exit_code code = planning_read(path, &plan);
    if (code != EXIT_OK)
        return code;
    struct show_options how = {.all = options->all, .path = is_saved ? path : NULL};
    if (options->verb->bit == VERB_SHOW && options->format == FORMAT_HUMAN)
        how.stale = planning_stale(wiring, plan, path);
    bool done = options->format == FORMAT_JSON ? show_json_plan(stdout, path, &err)
                                               : show_plan(stdout, plan, &how, &err);
    code = done ? planning_guards(plan_file_summary(plan)) : exit_with(&err);
    if (done && is_saved && options->verb->bit == VERB_PLAN && options->format == FORMAT_HUMAN)
        show_next(path, plan);
    plan_file_close(plan);
    return code;
}

static enum exit_code make(struct wiring *wiring)
{
    const struct options *options = wiring->options;
    const char *path = options->out;
    bool simulation;
    struct planned planned;
    enum exit_code code = request_make(wiring);
    if (code == EXIT_OK)
        code = planning_open(wiring, options->args[0], options->as_of, &simulation);
    if (code == EXIT_OK && path == NULL)
        code = planning_scratch(wiring, &path);
    if (code == EXIT_OK)
        code = planning_make(wiring, path, options->survey != SURVEY_NONE, simulation, &planned);
    if (code != EXIT_OK)
        return code;
    /* A guard that refuses is no success, and -q is silent about successes only. */
    code = options->quiet ? planning_guards(&planned.summary)
                          : show(wiring, path, options->out != NULL);
    if (options->out == NULL)
        unlink(path);
    if (options->detailed_exitcode && !show_plan_is_empty(&planned.summary))
        code = exit_worse(code, EXIT_CHANGES);
    return code;
}

int cmd_plan(const struct options *options)
{
    struct wiring wiring;
    wiring_init(&wiring, options);
    enum exit_code code = make(&wiring);
    wiring_close(&wiring);
    return code;
}

int cmd_show(const struct options *options)
{
    if (options->arg_count == 0) {
        logging_error("frostline show FILE", "show which plan?");
        return EXIT_USAGE;
    }
    struct wiring wiring;
    wiring_init(&wiring, options);
    enum exit_code code = show(&wiring, options->args[0], true);
    wiring_close(&wiring);
    return code;
}
