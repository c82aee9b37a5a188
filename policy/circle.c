#include "policy/circle.h"

#include "state/location.h"

/* ---- the rows ---- */

static bool is_contested(const struct decision *decision)
{
    return decision->kind != DECISION_STAY && decision->kind != DECISION_HELD;
}

static void add_decision(struct circle *circle, const struct policies *policies, uint16_t store,
                         const struct decision *decision)
{
    struct decision *into = &circle->stores[store];
    if (!circle->is_begun)
        *into = *decision;
    else if (is_contested(into) && is_contested(decision))
        policy_contest(policies, store, into, decision);
    else
        into->kind = DECISION_STAY;
}

void circle_add(struct circle *circle, struct policies *policies, const struct record *record,
                const struct location *location)
{
    if (!policies->looks_at_stores)
        return;
    struct location there = *location;
    for (there.store = 0; there.store < policies->store_count; there.store++) {
        struct decision decision;
        if (!policies->is_target[there.store]) /* nothing ever comes there */
            continue;
        policy_decide_unasked(policies, record, &there, &decision);
        add_decision(circle, policies, there.store, &decision);
    }
    circle->is_begun = true;
}

/* ---- what they come to ---- */

/* The highest of the moves that follow on the one to decision->target, until they are back in
 * `store`.  False if they never are. */
static bool find_highest(const struct circle *circle, const struct policies *policies,
                         uint16_t store, const struct decision *decision,
                         const struct decision **highest)
{
    const struct decision *next = decision;
    *highest = NULL;
    for (size_t i = 1; i < policies->store_count; i++) {
        next = &circle->stores[next->target];
        if (next->kind != DECISION_MOVE)
            return false;
        if (*highest == NULL ||
            policies->items[next->winner].priority > policies->items[(*highest)->winner].priority)
            *highest = next;
        if (next->target == store)
            return true;
    }
    return false;
}

void circle_settle(const struct circle *circle, const struct policies *policies, uint16_t store,
                   struct decision *decision)
{
    const struct decision *highest;
    if (!circle->is_begun || decision->kind != DECISION_MOVE ||
        !find_highest(circle, policies, store, decision, &highest))
        return;
    int32_t ours = policies->items[decision->winner].priority;
    int32_t theirs = policies->items[highest->winner].priority;
    if (theirs == ours) {
        decision->kind = DECISION_CONFLICT;
        decision->rival = highest->winner;
    } else if (theirs > ours && highest->target == store) {
        decision->kind = DECISION_IN_PLACE;
        decision->winner = highest->winner;
        decision->target = store;
    }
}

void circle_decide(struct policies *policies, const struct record *record,
                   const struct location *location, struct decision *decision)
{
    struct circle circle;
    circle.is_begun = false;
    policy_decide(policies, record, location, decision);
    if (decision->kind != DECISION_MOVE || location == NULL)
        return;
    circle_add(&circle, policies, record, location);
    circle_settle(&circle, policies, location->store, decision);
}
