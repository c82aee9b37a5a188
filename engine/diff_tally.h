/* diff_tally.h: what two plans differ in, added up: what a diff says of itself before or behind its
 * rows. */
#ifndef ENGINE_DIFF_TALLY_H
#define ENGINE_DIFF_TALLY_H

#include "base/map.h"
#include "planner/plan_diff.h"

/* Of changed directories: as they are in the new plan. */
struct diff_count {
    uint64_t directories, recordings, bytes;
};
struct diff_policy {
    const char *name;
    struct diff_count of[PLAN_DIFF_CHANGES];
};
struct diff_tally {
    struct map by_name;
    struct diff_policy *policies; /* of both plans; then DIFF_TALLY_CLEANUP */
    size_t count;
    struct diff_count of[PLAN_DIFF_CHANGES];
};
#define DIFF_TALLY_CLEANUP "cleanup" /* the sources to delete, whichever policy moved them */

/* Of nothing yet; it is in the arena. */
void diff_tally_init(struct diff_tally *tally, const struct plan_reader *old,
                     const struct plan_reader *new, struct arena *arena);
void diff_tally_add(struct diff_tally *tally, const struct plan_diff *diff);
/* Adds all, as plan_diff_run visits them. */
MUST_USE bool diff_tally_run(struct diff_tally *tally, struct plan_reader *old,
                             struct plan_reader *new, struct err *err);
bool diff_tally_is_empty(const struct diff_tally *tally);
/* Of a policy that the plan has; NULL: it has none of that name. */
const struct plan_funnel *diff_tally_funnel(const struct plan_reader *plan, const char *policy);
#endif
