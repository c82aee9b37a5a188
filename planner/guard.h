/* guard.h: how much a policy may do in one plan.  Directories are added in any order; then each
 * policy knows whether it plans anything at all, and if its guard truncates, which directories
 * come first in its order and fit.
 *
 * Of a policy that truncates, only the directories that fit are remembered, in a heap; the first
 * that does not fit is the threshold. */
#ifndef PLANNER_GUARD_H
#define PLANNER_GUARD_H

#include "planner/candidate.h"

struct arena;

/* What a guard counts, of one directory or of many. */
struct guard_load {
    uint64_t recordings, bytes, deletes;
};
void guard_count(struct guard_load *total, const struct guard_load *load);
/* Is it no more than the limits, in a catalog of so many rows? */
bool guard_allows(const struct policy_guards *limits, uint64_t catalog_rows,
                  const struct guard_load *load);

struct guard_entry {
    int64_t           rank;  /* in the policy's order; less goes first */
    uint64_t          index; /* among equals, the plan's order         */
    struct guard_load load;
};
struct guard {
    const struct policy *policy;
    uint64_t             rows_max; /* of max_recordings and max_fraction the stricter */
    bool                 truncates, fails, is_cut;
    uint64_t             offered; /* rows of all that was added, for min_recordings */
    struct guard_load    total;
    struct guard_entry  *heap; /* the last in order on top */
    size_t               count, capacity;
    struct guard_entry   threshold; /* if is_cut: this one and all behind it are left */
};
struct guards {
    const struct policies *policies;
    uint64_t               catalog_rows;
    bool                   awaits_survey; /* which may find that a retier has been done: until then
                                           * it breaks no guard that fails                       */
    struct guard          *items; /* one for each policy */
};

void guard_init(struct guards *guards, const struct policies *policies, uint64_t catalog_rows,
                struct arena *arena);
void guard_free(struct guards *guards);
/* Counts from nothing again, what the survey finds; what failed stays failed. */
void guard_restart(struct guards *guards);

/* A directory that nothing else speaks against: it counts under each policy that wins it. */
void guard_add(struct guards *guards, const struct candidate *candidate, uint64_t index,
               uint64_t bytes);
/* All were added.  Tells each funnel if its guard refuses or cuts, and which one. */
void guard_close(struct guards *guards, struct plan_funnel *funnels, struct arena *arena);
/* ERR_INPUT naming the first policy whose min_recordings is not reached. */
MUST_USE bool guard_check_least(const struct guards *guards, struct err *err);

/* No guard refuses or cuts. */
bool guard_takes_all(const struct guards *guards);

enum guard_answer { GUARD_TAKES, GUARD_LEAVES, GUARD_REFUSES };
/* What all policies that win the directory say together. */
enum guard_answer guard_ask(const struct guards *guards, const struct candidate *candidate,
                            uint64_t index);
#endif
