/* show_funnel.h: what became of all recordings on their way through one policy. */
#ifndef ENGINE_SHOW_FUNNEL_H
#define ENGINE_SHOW_FUNNEL_H

#include <stdio.h>

#include "planner/plan.h"

/* Of "age-out  hot -> cold". */
size_t show_funnel_columns(const struct plan_header *header, const struct plan_funnel *funnel);
/* After an empty line, the title and each step, which begins at the column title_width. */
void show_funnel(FILE *out, const struct plan_header *header, const struct plan_funnel *funnel,
                 size_t title_width);
/* What is left for later, refused or undecided, and why. */
void show_funnel_remains(FILE *out, const struct plan_header *header,
                         const struct plan_funnel *funnel);
#endif
