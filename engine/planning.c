#include "engine/planning.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "base/when.h"
#include "engine/logging.h"
#include "engine/progress.h"
#include "engine/signals.h"
#include "engine/text.h"
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

bool planning_tier(void *context, const char *url, enum access_tier *tier, struct err *err)
{
    const struct wiring *wiring = context;
    *tier = TIER_DEFAULT;
    return wiring->journal == NULL || journal_tier(wiring->journal, url, tier, err);
}

/* A planner_see. */
static bool see_tier(void *context, const char *url, enum access_tier tier, struct err *err)
{
    const struct wiring *wiring = context;
    return journal_see_tier(wiring->journal, url, tier, err);
}

/* What the requests of a command point at. */
struct asking {
    char host[128];
    struct survey_stores surveyors[2];
};

static struct planner_request request_of(struct wiring *wiring, struct asking *asking,
                                         const char *path, bool simulation)
{
    gethostname(asking->host, sizeof(asking->host) - 1);
    return (struct planner_request){.policies = wiring->policies,
                                    .catalog = wiring->catalog,
                                    .shape = &wiring->shape,
                                    .journal = wiring->journal,
                                    .tier = planning_tier,
                                    .see = wiring->writes_journal ? see_tier : NULL,
                                    .tier_context = wiring,
                                    .spool_folder = P_tmpdir,
                                    .path = path,
                                    .made = {.at_us = wiring->clock->ops->now_us(wiring->clock),
                                             .by = "frostline " FROSTLINE_VERSION,
                                             .host = asking->host,
                                             .policy = wiring->policies->path},
                                    .simulation = simulation,
                                    .request = wiring->request,
                                    .progress = progress_planned};
}

static struct survey *surveyor_of(struct wiring *wiring, struct survey_stores *surveyor)
{
    survey_init(surveyor, wiring->stores, signals_stop());
    return &surveyor->survey;
}

/* How the stores were asked: below a common prefix, or a directory at a time. */
static void tell_survey(const struct survey_stores *surveyor)
{
    const struct listing_tally *tally = &surveyor->tally;
    LOG(LOG_INFO, "surveyed", LOG_NUMBER("requests", (int64_t)tally->requests),
        LOG_NUMBER("flat", (int64_t)tally->flat_requests),
        LOG_NUMBER("objects", (int64_t)tally->objects));
}

static enum exit_code end(bool done, struct err *err)
{
    if (done)
        return EXIT_OK;
    err_wrap(err, "planning");
    enum exit_code code = exit_with(err);
    return err->kind == ERR_CANCELLED ? signals_exit() : code;
}

enum exit_code planning_make(struct wiring *wiring, const char *path, bool survey, bool simulation,
                             struct planned *planned)
{
    struct asking asking = {0};
    struct planner_request request = request_of(wiring, &asking, path, simulation);
    struct err err;
    if (survey)
        request.survey = surveyor_of(wiring, &asking.surveyors[0]);
    progress_plan(text_unit(wiring->policies->places.by_object));
    bool done = planner_run(&request, &wiring->arena, &planned->summary, planned->digest, &err);
    progress_end();
    if (survey)
        tell_survey(&asking.surveyors[0]);
    return end(done, &err);
}

enum exit_code planning_rollback(struct wiring *wiring, const char *path, int64_t run,
                                 struct planned *planned)
{
    struct asking asking = {0};
    struct planner_request request = request_of(wiring, &asking, path, false);
    const char *unit = text_unit(wiring->policies->places.by_object);
    struct journal_run begun;
    uint64_t others;
    struct err err;
    if (!journal_run_get(wiring->journal, run, &wiring->arena, &begun, &err))
        return exit_with(&err);
    if (!planner_rollback(&request, run, &wiring->arena, &planned->summary, &others,
                          planned->digest, &err))
        return end(false, &err);
    if (others == 0)
        return EXIT_OK;
    logging_error(NULL,
                  "%s of run %" PRId64
                  " can't be sent back: nothing stands at the source, or it is "
                  "kept there",
                  text_plural(others, unit), run);
    return EXIT_PARTIAL;
}

enum exit_code planning_make_both(struct wiring *const wirings[2], struct catalog *catalog,
                                  const char *const paths[2], bool survey, bool simulation)
{
    struct asking asking = {0};
    struct planner_request requests[2];
    struct err err;
    for (size_t i = 0; i < 2; i++) {
        requests[i] = request_of(wirings[i], &asking, paths[i], simulation);
        requests[i].catalog = catalog;
        requests[i].journal = wirings[1]->journal;
        requests[i].tier_context = wirings[1];
        if (survey)
            requests[i].survey = surveyor_of(wirings[i], &asking.surveyors[i]);
    }
    progress_plan(text_unit(wirings[1]->policies->places.by_object));
    bool done = planner_run_both(requests, &wirings[1]->arena, &err);
    progress_end();
    return end(done, &err);
}

enum exit_code planning_read(const char *path, struct plan_reader **plan)
{
    struct err err;
    if (plan_file_open(path, plan, &err))
        return EXIT_OK;
    if (err.kind == ERR_INPUT)
        snprintf(err.hint, sizeof(err.hint), "frostline plan --out FILE saves one");
    if (err.kind == ERR_CORRUPT)
        snprintf(err.hint, sizeof(err.hint),
                 "it is damaged or was edited; make a new one with frostline plan");
    return exit_with(&err);
}

/* -- is it still good? ----------------------------------------------------------------------------
 */

const char *planning_policy(struct wiring *wiring, const struct plan_reader *plan,
                            const char *plan_path)
{
    const char *named = plan_file_made(plan)->policy;
    if (wiring->options->policy != NULL)
        return wiring->options->policy;
    if (access(named, F_OK) == 0)
        return named;
    const char *slash = strrchr(plan_path, '/');
    if (slash == NULL)
        return named;
    const char *folder = str_copy(&wiring->arena, plan_path, (size_t)(slash - plan_path));
    return file_join(&wiring->arena, folder, named);
}

int64_t planning_until(const struct plan_reader *plan, int64_t ttl_us)
{
    return plan_file_made(plan)->at_us + ttl_us; /* a year of four digits and a thousand more */
}

static const char *from_nowhere(void *context, const char *name)
{
    (void)context;
    (void)name;
    return NULL;
}

/* A policy that can't be read, or has errors, tells nothing. */
static bool has_other_policy(struct wiring *wiring, const struct plan_reader *plan,
                             const char *plan_path)
{
    const struct plan_header *header = plan_file_header(plan);
    const char *path = planning_policy(wiring, plan, plan_path);
    struct policy_source source = {.path = wiring_policy_path(wiring, path),
                                   .env = from_nowhere,
                                   .vars = header->vars,
                                   .var_count = header->var_count,
                                   .request = header->request,
                                   .stand_ins = true};
    struct policies *policies;
    struct err err;
    if (!policy_load(&source, &wiring->arena, &wiring->diags, &policies, &err) || policies == NULL)
        return false;
    bool is_other = !str_equal(policies->digest, header->policy_digest);
    policy_free(policies);
    return is_other;
}

const char *planning_stale(struct wiring *wiring, const struct plan_reader *plan,
                           const char *plan_path)
{
    int64_t until_us = planning_until(plan, PLAN_TTL_US);
    if (plan_file_header(plan)->simulation)
        return "it is a simulation: its as_of lies in the future";
    if (has_other_policy(wiring, plan, plan_path))
        return "the policy files have changed since it was made";
    if (wiring->clock->ops->now_us(wiring->clock) > until_us)
        return str_format(&wiring->arena, "it was good until %s UTC", text_instant(until_us));
    return NULL;
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
