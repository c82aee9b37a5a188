#include "engine/diff_tally.h"

#include "base/arena.h"
#include "base/str.h"

static void list_policies(struct diff_tally *tally, const struct plan_summary *summary)
{
    for (size_t i = 0; i < summary->funnel_count; i++)
        if (map_put(&tally->by_name, summary->funnels[i].policy, tally->count))
            tally->policies[tally->count++].name = summary->funnels[i].policy;
}

static void add(struct diff_count *count, const struct plan_action *action)
{
    count->directories++;
    count->recordings += action->row_total;
    count->bytes = plan_sum(count->bytes, action->bytes);
}

void diff_tally_init(struct diff_tally *tally, const struct plan_reader *old,
                     const struct plan_reader *new, struct arena *arena)
{
    const struct plan_summary *before = plan_file_summary(old), *after = plan_file_summary(new);
    size_t most = before->funnel_count + after->funnel_count + 1;
    *tally = (struct diff_tally){.policies = arena_make(arena, most * sizeof(*tally->policies))};
    map_init(&tally->by_name, arena);
    list_policies(tally, after);
    list_policies(tally, before);
    tally->policies[tally->count++].name = DIFF_TALLY_CLEANUP;
}

void diff_tally_add(struct diff_tally *tally, const struct plan_diff *diff)
{
    const struct plan_action *action = diff->after != NULL ? diff->after : diff->before;
    size_t index = tally->count - 1;
    if (action->kind != PLAN_REAP)
        map_find(&tally->by_name, action->policy, &index);
    add(&tally->policies[index].of[diff->change], action);
    add(&tally->of[diff->change], action);
}

static bool take(void *context, const struct plan_diff *diff, struct err *err)
{
    (void)err;
    diff_tally_add(context, diff);
    return true;
}

bool diff_tally_run(struct diff_tally *tally, struct plan_reader *old, struct plan_reader *new,
                    struct err *err)
{
    return plan_diff_run(old, new, take, tally, err);
}

bool diff_tally_is_empty(const struct diff_tally *tally)
{
    for (size_t i = 0; i < PLAN_DIFF_CHANGES; i++)
        if (tally->of[i].directories > 0)
            return false;
    return true;
}

const struct plan_funnel *diff_tally_funnel(const struct plan_reader *plan, const char *policy)
{
    const struct plan_summary *summary = plan_file_summary(plan);
    for (size_t i = 0; i < summary->funnel_count; i++)
        if (str_equal(summary->funnels[i].policy, policy))
            return &summary->funnels[i];
    return NULL;
}
