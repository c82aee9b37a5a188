#include "planner/next.h"

#include "policy/circle.h"

void next_init(struct next *next, struct policies *policies)
{
    *next = (struct next){.policies = policies};
    turn_init(&next->turns, policies);
}

void next_free(struct next *next)
{
    turn_free(&next->turns);
}

void next_begin(struct next *next)
{
    next->ripe_us = INT64_MIN;
}

/* When the row moves first; INT64_MAX: not before the limit. */
static int64_t find_move(struct next *next, const struct record *record,
                         const struct location *location, const struct decision *now)
{
    struct policies *policies = next->policies;
    struct turns *turns = &next->turns;
    struct decision then = {.kind = DECISION_STAY};
    int64_t as_of_us = policies->as_of_us;
    size_t i = 0;
    turn_find(turns, record, now->kind != DECISION_STAY);
    if (turns->count == 0)
        return INT64_MAX;
    for (; i < turns->count && then.kind != DECISION_MOVE; i++) {
        policy_prepare(policies, turns->items[i]);
        circle_decide(policies, record, location, &then);
    }
    policy_prepare(policies, as_of_us);
    next->decisions += i;
    return then.kind == DECISION_MOVE ? turns->items[i - 1] : INT64_MAX;
}

void next_add(struct next *next, const struct record *record, const struct location *location,
              const struct decision *decision)
{
    next->is_off |= decision->kind == DECISION_MOVE || next->decisions > NEXT_DECISIONS_MAX;
    if (next->is_off || next->ripe_us == INT64_MAX)
        return;
    int64_t move_us = find_move(next, record, location, decision);
    if (move_us > next->ripe_us)
        next->ripe_us = move_us;
}

/* Days are those of UTC, as all that people are shown. */
static int64_t end_of_day(int64_t instant_us)
{
    int64_t since_us = instant_us % WHEN_DAY_US;
    return instant_us - since_us + (since_us < 0 ? 0 : WHEN_DAY_US);
}

void next_end(struct next *next, uint64_t rows, uint64_t bytes)
{
    if (next->is_off || next->ripe_us == INT64_MAX)
        return;
    int64_t end_us = end_of_day(next->ripe_us);
    if (end_us < next->turns.until_us) {
        turn_limit(&next->turns, end_us);
        next->first_us = next->ripe_us;
        next->recordings = next->bytes = 0;
    } else if (next->ripe_us < next->first_us)
        next->first_us = next->ripe_us;
    next->recordings += rows;
    next->bytes = plan_sum(next->bytes, bytes);
}

void next_tell(const struct next *next, struct plan_summary *summary)
{
    if (next->is_off || next->recordings == 0)
        return;
    summary->next_us = next->first_us;
    summary->next_recordings = next->recordings;
    summary->next_bytes = next->bytes;
}
