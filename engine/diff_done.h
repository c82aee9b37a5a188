/* diff_done.h: whether a move that a newer plan lacks was done, as the journal tells. */
#ifndef ENGINE_DIFF_DONE_H
#define ENGINE_DIFF_DONE_H

#include "planner/plan_diff.h"

struct journal;

struct diff_done {
    struct journal *journal;    /* NULL: it can't tell              */
    int64_t since_us, until_us; /* when the two plans were made     */
};
/* The journal is that of the newer plan, or is not asked. */
MUST_USE bool diff_done_init(struct diff_done *done, const struct plan_reader *old,
                             const struct plan_reader *new, struct journal *journal,
                             struct err *err);
/* The run that cut the directory over between the two plans; 0: none that is known. */
MUST_USE bool diff_done_find(const struct diff_done *done, const struct plan_diff *diff,
                             int64_t *run, struct err *err);
#endif
