/* survey.h: the planner's questions (planner/survey.h), answered by listing the stores. */
#ifndef EXECUTOR_SURVEY_H
#define EXECUTOR_SURVEY_H

#include <stdatomic.h>

#include "executor/listing.h"
#include "planner/survey.h"

struct survey_stores {
    struct survey survey;        /* first: what the planner gets */
    struct store *const *stores; /* by store index               */
    atomic_bool *stop;
    struct listing_tally tally;
};
void survey_init(struct survey_stores *survey, struct store *const *stores, atomic_bool *stop);
#endif
