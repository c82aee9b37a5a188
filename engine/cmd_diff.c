#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/zone.h"
#include "engine/cmd.h"
#include "engine/logging.h"
#include "engine/planning.h"
#include "engine/revision.h"
#include "engine/show_diff_json.h"

/* -- two plans ----------------------------------------------------------------------------------
 */

static bool show(const struct show_diff *diff, uint64_t format, struct err *err)
{
    if (format == FORMAT_JSON)
        return show_diff_json(stdout, diff, err);
    if (format == FORMAT_MARKDOWN)
        return show_diff_markdown(stdout, diff, err);
    return show_diff_human(stdout, diff, err);
}

static enum exit_code compare(struct wiring *wiring, struct show_diff *diff)
{
    const struct options *options = wiring->options;
    struct diff_tally tally;
    struct diff_done done;
    struct err err;
    diff->tally = &tally;
    diff->done = &done;
    diff->max_bytes = options->max_bytes;
    diff_tally_init(&tally, diff->old, diff->new, &wiring->arena);
    if (!plan_diff_check(diff->old, diff->new, &err) ||
        !diff_done_init(&done, diff->old, diff->new, wiring->journal, &err) ||
        !(options->quiet ? diff_tally_run(&tally, diff->old, diff->new, &err)
                         : show(diff, options->format, &err)))
        return exit_with(&err);
    return options->detailed_exitcode && !diff_tally_is_empty(&tally) ? EXIT_CHANGES : EXIT_OK;
}

static enum exit_code read_and_compare(struct wiring *wiring, const char *const paths[2],
                                       const char *const names[2])
{
    struct show_diff diff = {.old_name = names[0], .new_name = names[1]};
    enum exit_code code = planning_read(paths[0], &diff.old);
    if (code == EXIT_OK) {
        code = planning_read(paths[1], &diff.new);
        /* The journal tells what was done meanwhile; a plan without one needs none. */
        if (code == EXIT_OK && wiring->journal == NULL &&
            !str_equal(plan_file_header(diff.new)->journal, "none") && wiring_has_state(wiring))
            code = wiring_open_journal(wiring, JOURNAL_READ);
        if (code == EXIT_OK)
            code = compare(wiring, &diff);
    }
    plan_file_close(diff.new);
    plan_file_close(diff.old);
    return code;
}

/* -- two policies -------------------------------------------------------------------------------
 */

static bool is_same_zone(const struct zone *a, const struct zone *b)
{
    return str_equal(a == NULL ? NULL : zone_name(a), b == NULL ? NULL : zone_name(b));
}

/* A cursor gives the fields in the order of one policy: those of the other must be the first of
 * them.                                                                                         */
static bool reads_alike(const struct catalog_config *more, const struct catalog_config *less)
{
    for (size_t i = 0; i < less->field_count; i++)
        if (!str_equal(more->fields[i].name, less->fields[i].name) ||
            !str_equal(more->fields[i].column, less->fields[i].column))
            return false;
    return str_equal(more->id, less->id) && str_equal(more->location, less->location) &&
           str_equal(more->time, less->time) && is_same_zone(more->time_zone, less->time_zone) &&
           str_equal(more->size, less->size) && more->size_unit == less->size_unit;
}

/* The one whose rows serve both. */
static enum exit_code choose_catalog(const struct wiring *then, const struct wiring *now,
                                     struct catalog **catalog)
{
    const struct catalog_config *old = &then->policies->catalog, *new = &now->policies->catalog;
    bool old_has_more = old->field_count > new->field_count;
    *catalog = old_has_more ? then->catalog : now->catalog;
    if (str_equal(then->shape.identity, now->shape.identity) &&
        (old_has_more ? reads_alike(old, new) : reads_alike(new, old)))
        return EXIT_OK;
    logging_error("save a plan of each with frostline plan --out, then frostline diff OLD NEW",
                  "`catalog` is another one in %s: one snapshot can't serve both policies",
                  then->revision->name);
    return EXIT_INVALID;
}

/* The policy of the revision, for the same instant as that of the work tree. */
static enum exit_code open_base(struct wiring *then, const struct wiring *now, bool survey)
{
    enum exit_code code = wiring_load(then, then->options->args[0]);
    if (code == EXIT_OK)
        code = wiring_open_catalog(then);
    if (code == EXIT_OK && survey)
        code = wiring_open_stores(then);
    if (code == EXIT_OK)
        policy_prepare(then->policies, now->policies->as_of_us);
    return code;
}

static enum exit_code plan_both(struct wiring *then, struct wiring *now)
{
    const struct options *options = now->options;
    bool survey = options->survey == SURVEY_FULL, simulation;
    struct wiring *const wirings[2] = {then, now};
    const char *const names[2] = {then->revision->name, "the work tree"};
    const char *paths[2];
    struct catalog *catalog;
    enum exit_code code = planning_open(now, options->args[0], options->as_of, &simulation);
    then->http = now->http; /* what a signal stops */
    if (code == EXIT_OK)
        code = open_base(then, now, survey);
    if (code == EXIT_OK)
        code = choose_catalog(then, now, &catalog);
    if (code == EXIT_OK)
        code = planning_scratch(now, &paths[1]);
    if (code != EXIT_OK)
        return code;
    paths[0] = str_format(&now->arena, "%s.base", paths[1]);
    code = planning_make_both(wirings, catalog, paths, survey, simulation);
    if (code == EXIT_OK)
        code = read_and_compare(now, paths, names);
    unlink(paths[0]);
    unlink(paths[1]);
    return code;
}

static enum exit_code compare_base(struct wiring *now)
{
    const struct options *options = now->options;
    const char *path = wiring_policy_path(now, options->args[0]);
    struct revision revision;
    struct wiring then;
    struct err err;
    if (!revision_find(options->base, path, &now->arena, &revision, &err))
        return exit_with(&err);
    wiring_init(&then, options);
    then.revision = &revision;
    enum exit_code code = plan_both(&then, now);
    then.http = NULL; /* the other one closes it */
    wiring_close(&then);
    return code;
}

/* -- either of them -----------------------------------------------------------------------------
 */

static const char *what_is_wrong(const struct options *options)
{
    bool plans_too =
        options->as_of != NULL || options->var_count > 0 || options->survey != SURVEY_UNSAID;
    if (options->base == NULL && options->arg_count < 2)
        return "diff wants two saved plans, or --base with a revision";
    if (options->base == NULL && plans_too)
        return "--as-of, --var and --survey are for --base: saved plans are as they are";
    if (options->base != NULL && options->arg_count > 1)
        return "--base compares one policy with itself";
    if (options->base != NULL && (options->base[0] == '\0' || options->base[0] == '-'))
        return "--base wants a revision";
    if (options->format == FORMAT_JSON && options->max_bytes != UINT64_MAX)
        return "--max-bytes can't cut a JSON document";
    return NULL;
}

int cmd_diff(const struct options *options)
{
    const char *wrong = what_is_wrong(options);
    struct wiring wiring;
    if (wrong != NULL) {
        logging_error("frostline help diff", "%s", wrong);
        return EXIT_USAGE;
    }
    wiring_init(&wiring, options);
    enum exit_code code = options->base != NULL
                              ? compare_base(&wiring)
                              : read_and_compare(&wiring, options->args, options->args);
    wiring_close(&wiring);
    return code;
}
