#include "executor/apply.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/str.h"
#include "executor/apply_private.h"
#include "executor/pool.h"

#define LONG_LIVED_BYTES_MAX ((size_t)1 << 30)

/* -- what comes next ------------------------------------------------------------------------------
 */

static bool is_time_over(const struct apply *apply)
{
    struct clock *clock = apply->request->hands->clock;
    return clock->ops->monotonic_us(clock) >= apply->request->take_until_us;
}

static bool feed_next(void *context, struct cohort *cohort, struct err *err)
{
    struct apply *apply = context;
    if (is_time_over(apply)) {
        apply->result->timed_out = true;
        return true;
    }
    if (!apply_next_open(apply, cohort, err))
        return false;
    if (cohort->count > 0 || apply->request->plan == NULL)
        return true;
    if (!apply_next_asked(apply, cohort, err))
        return false;
    return cohort->count > 0 || apply_next_planned(apply, cohort, err);
}

/* -- the run --------------------------------------------------------------------------------------
 */

/* The units that the plan names, and its guards. */
static bool read_plan(struct apply *apply, struct err *err)
{
    struct plan_reader *plan = apply->request->plan;
    const struct plan_header *header = plan_file_header(plan);
    const uint64_t *actions = plan_file_summary(plan)->actions;
    uint64_t named = actions[PLAN_REPAIR] + actions[PLAN_ROLLBACK] + actions[PLAN_REAP];

    apply->begun = arena_make(&apply->arena, header->guard_count * sizeof(*apply->begun));
    apply->begun_count = header->guard_count;
    for (size_t i = 0; i < header->guard_count; i++)
        apply->begun[i].guard = &header->guards[i];

    apply->only_asked = actions[PLAN_ROLLBACK] > 0;
    apply->only_own = header->request != NULL;
    apply->asked = arena_make(&apply->arena, named * sizeof(*apply->asked));
    if (!plan_file_rewind(plan, err))
        return false;
    for (;;) {
        struct plan_action *action;
        arena_reset(&apply->peeked);
        if (!plan_file_next(plan, &apply->peeked, &action, err))
            return false;
        if (action == NULL)
            break;
        if (plan_names_unit(action) && apply->asked_count < named)
            apply->asked[apply->asked_count++] =
                (struct asked){.unit = action->unit, .kind = action->kind};
    }
    qsort(apply->asked, apply->asked_count, sizeof(*apply->asked), apply_compare_asked);
    return plan_file_rewind(plan, err);
}

/* What was never handed out, after a stop. */
static bool count_left(struct apply *apply, struct err *err)
{
    struct arena scratch;
    apply->result->not_resumed = apply->open_count - apply->open_next;
    if (apply->request->plan == NULL)
        return true;
    arena_init(&scratch, COHORT_ARENA_BYTES_MAX);
    bool counted = apply_count_planned(apply, &scratch, err);
    arena_free(&scratch);
    return counted;
}

static bool run(struct apply *apply, struct err *err)
{
    const struct apply_request *request = apply->request;
    struct journal_filter filter = {.open_only = true};
    struct pool_feed feed = {.next = feed_next, .done = apply_note, .context = apply};

    if (request->plan != NULL && !read_plan(apply, err))
        return err_wrap(err, "reading the plan");
    if (!journal_each(request->hands->journal, &filter, apply_take_open, apply, err))
        return err_wrap(err, "reading what is open");
    if (!pool_run(request->hands, request->workers, &feed, err))
        return false;
    return count_left(apply, err);
}

bool apply_run(const struct apply_request *request, struct apply_result *result, struct err *err)
{
    struct apply apply = {.request = request, .result = result};
    *result = (struct apply_result){0};
    arena_init(&apply.arena, LONG_LIVED_BYTES_MAX);
    arena_init(&apply.peeked, PLAN_FILE_LINE_MAX * 8);
    map_init(&apply.carried, &apply.arena);
    bool done = run(&apply, err);
    arena_free(&apply.peeked);
    arena_free(&apply.arena);
    return done;
}

bool apply_check(const struct plan_header *header, const struct policies *policies,
                 const struct catalog_shape *shape, const char *lineage, struct err *err)
{
    if (header->simulation)
        return ERR(err, ERR_CONFLICT, "the plan is a simulation: its as_of lies in the future");
    if (!str_equal(header->policy_digest, policies->digest))
        return ERR(err, ERR_CONFLICT, "the policy files have changed since the plan was made");
    if (header->var_count != policies->var_count)
        return ERR(err, ERR_CONFLICT, "the plan was made with other variables");
    for (size_t i = 0; i < header->var_count; i++)
        if (!str_equal(header->vars[i].name, policies->vars[i].name) ||
            !str_equal(header->vars[i].value, policies->vars[i].value))
            return ERR(err, ERR_CONFLICT, "the plan was made with another value of the variable %s",
                       header->vars[i].name);
    if (!str_equal(header->catalog, shape->identity))
        return ERR(err, ERR_CONFLICT, "the plan is for the catalog %s, and this is %s",
                   header->catalog, shape->identity);
    if (header->store_count != policies->store_count)
        return ERR(err, ERR_CONFLICT, "the plan was made for other stores");
    for (size_t i = 0; i < header->store_count; i++)
        if (!str_equal(header->stores[i].name, policies->stores[i].name) ||
            !str_equal(header->stores[i].base, policies->places.items[i].base))
            return ERR(err, ERR_CONFLICT, "the plan was made with the store %s at %s",
                       header->stores[i].name, header->stores[i].base);
    if (!str_equal(header->journal, "none") && !str_equal(header->journal, lineage))
        return ERR(err, ERR_CONFLICT, "the plan was made with another journal");
    return true;
}
