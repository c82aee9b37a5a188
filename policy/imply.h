/* imply.h: what one selection says about another one, proved for every row that there can be, and
 * before any column's type is known.                                                             */
#ifndef POLICY_IMPLY_H
#define POLICY_IMPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/clause.h"

struct zone;

/* The clause has this truth: TRUTH_YES or TRUTH_NO. */
struct claim {
    const struct clause *clause;
    enum truth           truth;
};

struct proof {
    /* What is likely is taken for granted: literals that are numbers, or times, are not compared
     * with a column of text, and as_of is not before now.  Else what is proved holds for either
     * kind of column and any as_of.                                                             */
    bool               guesses;
    int64_t            now_us;
    const struct zone *zone;
    size_t             steps; /* that may still be made; at 0 nothing more is proved */
};

/* Is the conclusion true of every row of which the premise is?  False: that was not proved, which
 * is all that is known of a kind of clause that is not looked into.                              */
bool imply(struct proof *proof, struct claim premise, struct claim conclusion);
#endif
