/* circle.h: law 2 where policies look at where a recording is (`from`, `store`): nothing is sent in
 * circles.  Of the moves that would bring a directory back to where it is, the one of the highest
 * priority decides where it rests; two equal ones are a conflict.  Each other chain of moves comes
 * to an end by itself, a move in each plan.
 *
 * Only for the thread that decides. */
#ifndef POLICY_CIRCLE_H
#define POLICY_CIRCLE_H

#include "policy/policy.h"

/* What the rows of one directory would be told together, were they in another store: by a plan that
 * nobody narrows, for one comes later. */
struct circle {
    bool            is_begun;
    struct decision stores[PLACE_MAX]; /* STAY: some row would stay there, and so would all */
};

/* One more row, of kind IN_PLACE, MOVE or CONFLICT where it is.  The first one begins a circle
 * whose is_begun is false. */
void circle_add(struct circle *circle, struct policies *policies, const struct record *record,
                const struct location *location);
/* decision: the contest of the rows that were added, which are in `store`.  If others would send
 * them back, *decision becomes what the highest of all these wants: IN_PLACE where they are (and
 * the winner is a policy that would bring them), MOVE, or CONFLICT.                              */
void circle_settle(const struct circle *circle, const struct policies *policies, uint16_t store,
                   struct decision *decision);
/* policy_decide, and what becomes of the row if it is alone in its directory. */
void circle_decide(struct policies *policies, const struct record *record,
                   const struct location *location, struct decision *decision);
#endif
