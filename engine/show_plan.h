/* show_plan.h: a plan as people read it.
 *
 * One sign begins each row: '>' moves, '^' changes its tier where it is, '-' is deleted, '!' stays
 * where a policy wants it gone, '?' is undecided or unknown.  Directories that move are folded by
 * policy and by day: up to and with the first part of their key that is a date; without one, by the
 * folder that they lie in.  A row names a store only where the line above it does not.           */
#ifndef ENGINE_SHOW_PLAN_H
#define ENGINE_SHOW_PLAN_H

#include <stdio.h>

#include "planner/plan_file.h"

struct show_options {
    bool all;          /* every directory and recording, not folded            */
    bool keep_source;  /* nothing that moves is deleted, whatever the plan says */
    const char *path;  /* where the plan is kept; NULL: nowhere                */
    const char *stale; /* why it can't be applied as it is; NULL: it may be so */
};
/* Reads the plan from its beginning; with `all`, once for each policy that moves something. */
MUST_USE bool show_plan(FILE *out, struct plan_reader *plan, const struct show_options *options,
                        struct err *err);
/* "Plan: 400 recordings to move (1.21 TB, 23,820 objects), 12 sources to delete, 3 directories
 * blocked."  Sources to delete are those whose grace is over, and those of moves without one. */
void show_plan_line(FILE *out, const struct plan_reader *plan, bool keep_source);
/* Nothing to do. */
bool show_plan_is_empty(const struct plan_summary *summary);
#endif
