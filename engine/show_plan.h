/* show_plan.h: a plan as people read it. */
#ifndef ENGINE_SHOW_PLAN_H
#define ENGINE_SHOW_PLAN_H

#include <stdio.h>

#include "planner/plan_file.h"

struct show_options {
    bool all;         /* every directory, not folded           */
    const char *path; /* where the plan is kept; NULL: nowhere */
};
/* Reads the plan from its beginning, once for each policy that moves something. */
MUST_USE bool show_plan(FILE *out, struct plan_reader *plan, const struct show_options *options,
                        struct err *err);
/* "Plan: 400 to move (1.21 TB, 23,820 objects), 12 sources to delete, 3 blocked." */
void show_plan_line(FILE *out, const struct plan_header *header,
                    const struct plan_summary *summary);
/* Nothing to do. */
bool show_plan_is_empty(const struct plan_summary *summary);
#endif
