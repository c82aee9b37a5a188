#include "engine/planning.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "base/when.h"
#include "engine/signals.h"
#include "executor/survey.h"
#include "planner/planner.h"

enum exit_code planning_prepare(struct wiring *wiring, const char *as_of, bool *simulation)
{
    int64_t now_us = wiring->clock->ops->now_us(wiring->clock);
    int64_t as_of_us = now_us;
    struct err err;
    if (as_of != NULL && !when_instant_read(as_of, &as_of_us, &err)) {
        err_wrap(&err, "--as-of");
        exit_with(&err);
        return EXIT_USAGE;
    }
    *simulation = as_of_us > now_us;
    policy_prepare(wiring->policies, as_of_us);
    return EXIT_OK;
}

enum exit_code planning_open(struct wiring *wiring, const char *policy, const char *as_of,
                             bool *simulation)
{
    enum exit_code code = wiring_load(wiring, policy);
    if (code == EXIT_OK)
        code = wiring_open_catalog(wiring);
    if (code == EXIT_OK)
        code = wiring_open_stores(wiring);
    if (code == EXIT_OK)
        code = wiring_find_state(wiring);
    if (code == EXIT_OK && wiring->journal == NULL)
        code = wiring_open_journal(wiring, JOURNAL_READ);
    if (code == EXIT_OK)
        code = planning_prepare(wiring, as_of, simulation);
    return code;
}

enum exit_code planning_make(struct wiring *wiring, const char *path, bool survey, bool simulation,
                             struct planned *planned)
{
    char host[128] = "";
    struct survey_stores surveyor;
    struct err err;

    gethostname(host, sizeof(host) - 1);
    survey_init(&surveyor, wiring->stores, signals_stop());
    struct planner_request request = {.policies = wiring->policies,
                                      .catalog = wiring->catalog,
                                      .shape = &wiring->shape,
                                      .journal = wiring->journal,
                                      .survey = survey ? &surveyor.survey : NULL,
                                      .spool_folder = P_tmpdir,
                                      .path = path,
                                      .made = {.at_us = wiring->clock->ops->now_us(wiring->clock),
                                               .by = "frostline " FROSTLINE_VERSION,
                                               .host = host,
                                               .policy = wiring->policies->path},
                                      .simulation = simulation};
    if (!planner_run(&request, &wiring->arena, &planned->summary, planned->digest, &err)) {
        err_wrap(&err, "planning");
        enum exit_code code = exit_with(&err);
        return err.kind == ERR_CANCELLED ? signals_exit() : code;
    }
    return EXIT_OK;
}

enum exit_code planning_read(const char *path, struct plan_reader **plan)
{
    struct err err;
    if (plan_file_open(path, plan, &err))
        return EXIT_OK;
    if (err.kind == ERR_CORRUPT)
        snprintf(err.hint, sizeof(err.hint),
                 "it is damaged or was edited; make a new one with frostline plan");
    return exit_with(&err);
}

enum exit_code planning_guards(const struct plan_summary *summary)
{
    for (size_t i = 0; i < summary->funnel_count; i++)
        if (summary->funnels[i].failed)
            return EXIT_REFUSED;
    return EXIT_OK;
}

static enum exit_code make_folder(const char *folder)
{
    struct err err;
    return file_make_folder(folder, 0700, &err) ? EXIT_OK : exit_with(&err);
}

enum exit_code planning_scratch(struct wiring *wiring, const char **path)
{
    const char *folder = file_join(&wiring->arena, wiring->state_folder, "plans");
    *path = str_format(&wiring->arena, "%s/.plan-%ld", folder, (long)getpid());
    return make_folder(folder);
}

const char *planning_kept_path(struct wiring *wiring, const char *digest)
{
    const char *hex = strchr(digest, ':');
    return str_format(&wiring->arena, "%s/plans/%s.plan", wiring->state_folder,
                      hex != NULL ? hex + 1 : digest);
}
