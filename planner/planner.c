#include "planner/planner.h"

#include <assert.h>

#include "base/arena.h"
#include "base/str.h"
#include "planner/compose.h"
#include "planner/plain.h"
#include "state/journal.h"

struct planning {
    const struct planner_request *request;
    struct arena *arena;
    struct plan_summary *summary;
    struct decided decided;
    struct judged judged;
    struct inspected inspected;
    struct plan_header header;
    char lineage[JOURNAL_LINEAGE_MAX];
};

/* -- the header ---------------------------------------------------------------------------------
 */

static void list_stores(struct planning *planning)
{
    const struct policies *policies = planning->request->policies;
    struct plan_header *header = &planning->header;
    header->store_count = policies->store_count;
    header->stores = arena_make(planning->arena, header->store_count * sizeof(*header->stores));
    for (size_t i = 0; i < header->store_count; i++)
        header->stores[i] = (struct plan_store){.name = policies->stores[i].name,
                                                .base = policies->places.items[i].base};
}

static void list_guards(struct planning *planning)
{
    const struct policies *policies = planning->request->policies;
    struct plan_header *header = &planning->header;
    header->guards = arena_make(planning->arena, policies->count * sizeof(*header->guards));
    for (size_t i = 0; i < policies->count; i++) {
        const struct policy *policy = &policies->items[i];
        if (policy->active)
            header->guards[header->guard_count++] = (struct plan_guard){
                .policy = policy->name, .guards = policy->guards, .order = policy->order};
    }
}

static bool make_header(struct planning *planning, struct err *err)
{
    const struct planner_request *request = planning->request;
    const struct policies *policies = request->policies;
    if (request->journal != NULL && !journal_lineage(request->journal, planning->lineage, err))
        return false;
    planning->header =
        (struct plan_header){.as_of_us = policies->as_of_us,
                             .policy_digest = policies->digest,
                             .vars = policies->vars,
                             .var_count = policies->var_count,
                             .catalog = request->shape->identity,
                             .journal = request->journal == NULL ? "none" : planning->lineage,
                             .simulation = request->simulation,
                             .surveyed = request->survey != NULL,
                             .by_object = policies->places.by_object,
                             .request = request->request};
    list_stores(planning);
    list_guards(planning);
    return true;
}

/* -- the summary --------------------------------------------------------------------------------
 */

static bool take_missing_id(void *context, const char *id, const char *where, struct err *err)
{
    struct planning *planning = context;
    struct plan_summary *summary = planning->summary;
    (void)err;
    if (summary->missing_id_count < PLAN_SAMPLES)
        summary->missing_ids[summary->missing_id_count] =
            str_format(planning->arena, "%s (%s)", plain_text(planning->arena, id), where);
    summary->missing_id_count++;
    return true;
}

/* Passes count by a policy's index; a policy that is off has nothing to tell. */
static void drop_inactive(struct planning *planning)
{
    const struct policies *policies = planning->request->policies;
    struct plan_summary *summary = planning->summary;
    size_t kept = 0;
    for (size_t i = 0; i < policies->count; i++) {
        assert(plan_funnel_adds_up(&summary->funnels[i]));
        if (policies->items[i].active)
            summary->funnels[kept++] = summary->funnels[i];
    }
    summary->funnel_count = kept;
}

/* -- the passes ---------------------------------------------------------------------------------
 */

static bool write_plan(struct planning *planning, char digest[PLAN_DIGEST_MAX], struct err *err)
{
    const struct planner_request *request = planning->request;
    const struct composed composed = {.request = request,
                                      .decided = &planning->decided,
                                      .judged = &planning->judged,
                                      .inspected = &planning->inspected,
                                      .header = &planning->header,
                                      .summary = planning->summary};
    struct plan_writer *writer;
    if (!make_header(planning, err) ||
        !plan_file_create(request->path, &planning->header, &writer, err))
        return false;
    if (!compose_run(&composed, writer, err)) {
        plan_file_abandon(writer);
        return false;
    }
    drop_inactive(planning);
    return plan_file_finish(writer, planning->summary, &request->made, digest, err);
}

/* One snapshot for all, and it ends before anything else is done. */
static bool decide(struct planning *plannings, size_t count, struct err *err)
{
    struct catalog *catalog = plannings[0].request->catalog;
    if (!catalog->ops->snapshot(catalog, err))
        return false;
    bool done = true;
    for (size_t i = 0; done && i < count; i++)
        done = decide_run(plannings[i].request, plannings[i].arena, plannings[i].summary,
                          &plannings[i].decided, err);
    catalog->ops->snapshot_end(catalog);
    return done;
}

static bool finish(struct planning *planning, char digest[PLAN_DIGEST_MAX], struct err *err)
{
    const struct planner_request *request = planning->request;
    struct arena *arena = planning->arena;
    struct plan_summary *summary = planning->summary;
    return policy_each_missing_id(request->policies, take_missing_id, planning, err) &&
           returned_settle(request, summary, &planning->decided.returned, err) &&
           judge_run(request, &planning->decided, arena, summary, &planning->judged, err) &&
           inspect_run(request, &planning->decided, arena, summary, &planning->judged,
                       &planning->inspected, err) &&
           write_plan(planning, digest, err);
}

static struct planning begin(const struct planner_request *request, struct arena *arena,
                             struct plan_summary *summary)
{
    *summary = (struct plan_summary){0};
    return (struct planning){
        .request = request,
        .arena = arena,
        .summary = summary,
        .decided = {.candidates = {.fd = -1}, .returned = {.repairs = OWED_NOTHING}},
        .judged = {.reaps = OWED_NOTHING},
        .inspected = {.answers = {.fd = -1}}};
}

static void end(struct planning *planning)
{
    inspect_free(&planning->inspected);
    judge_free(&planning->judged);
    decide_free(&planning->decided);
}

bool planner_run(const struct planner_request *request, struct arena *arena,
                 struct plan_summary *summary, char digest[PLAN_DIGEST_MAX], struct err *err)
{
    struct planning planning = begin(request, arena, summary);
    bool done = decide(&planning, 1, err) && finish(&planning, digest, err);
    end(&planning);
    return done;
}

bool planner_run_both(const struct planner_request requests[2], struct arena *arena,
                      struct err *err)
{
    struct plan_summary summaries[2];
    char digest[PLAN_DIGEST_MAX];
    assert(requests[0].catalog == requests[1].catalog);
    struct planning plannings[2] = {begin(&requests[0], arena, &summaries[0]),
                                    begin(&requests[1], arena, &summaries[1])};
    bool done = decide(plannings, 2, err) && finish(&plannings[0], digest, err) &&
                finish(&plannings[1], digest, err);
    end(&plannings[1]);
    end(&plannings[0]);
    return done;
}

/* -- a plan of one run's units ------------------------------------------------------------------
 */

static bool add_owed(struct plan_writer *writer, const struct owed *owed,
                     struct plan_summary *summary, struct arena *arena, struct err *err)
{
    struct spool_cursor cursor;
    struct plan_action *action;
    bool done;
    spool_cursor_init(&cursor, &owed->spool, 0, PLACE_MAX);
    for (;;) {
        struct arena_mark mark = arena_mark(arena);
        done = owed_next(&cursor, arena, &action, err);
        if (!done || action == NULL)
            break;
        done = plan_file_add(writer, action, err);
        plan_count(summary, action);
        arena_back(arena, mark);
        if (!done)
            break;
    }
    spool_cursor_free(&cursor);
    return done;
}

static bool write_owed(struct planning *planning, const struct owed *owed,
                       char digest[PLAN_DIGEST_MAX], struct err *err)
{
    const struct planner_request *request = planning->request;
    struct plan_summary *summary = planning->summary;
    struct plan_writer *writer;
    summary->total_count = request->policies->store_count;
    summary->totals = arena_make(planning->arena, summary->total_count * sizeof(*summary->totals));
    if (!make_header(planning, err) ||
        !plan_file_create(request->path, &planning->header, &writer, err))
        return false;
    if (!add_owed(writer, owed, summary, planning->arena, err)) {
        plan_file_abandon(writer);
        return false;
    }
    return plan_file_finish(writer, summary, &request->made, digest, err);
}

bool planner_rollback(const struct planner_request *request, int64_t run, struct arena *arena,
                      struct plan_summary *summary, uint64_t *others, char digest[PLAN_DIGEST_MAX],
                      struct err *err)
{
    struct planning planning = begin(request, arena, summary);
    struct owed owed = OWED_NOTHING;
    bool done = owed_rollbacks(request, run, &owed, others, err) &&
                write_owed(&planning, &owed, digest, err);
    owed_free(&owed);
    return done;
}
