/* turn.h: the instants at which the clock alone changes what is said of a row: when it comes to an
 * age, a policy expires, a hold is over.  At each of them the row has to be decided again to know
 * what that makes of it. */
#ifndef POLICY_TURN_H
#define POLICY_TURN_H

#include "policy/policy.h"

struct turn_age;

struct turns {
    const struct policies *policies;
    int64_t                as_of_us, until_us;
    struct turn_age       *ages; /* all clauses that have one */
    size_t                 age_count;
    int64_t               *items; /* of one row, ascending */
    size_t                 count;
};

/* Of what comes after as_of, for which the policies have been prepared. */
void turn_init(struct turns *turns, const struct policies *policies);
void turn_free(struct turns *turns);
/* What is not before this instant is left out, and costs next to nothing. */
void turn_limit(struct turns *turns, int64_t until_us);
/* Finds those of a row.  Without `ends`, of its ages alone: nothing else can change a row that no
 * policy selects and no hold holds.                                                              */
void turn_find(struct turns *turns, const struct record *record, bool ends);
#endif
