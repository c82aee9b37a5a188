/* pool.h: threads that carry cohorts until every directory in them rests. */
#ifndef EXECUTOR_POOL_H
#define EXECUTOR_POOL_H

#include "executor/cohort.h"

#define POOL_WORKERS_MAX 64
#define POOL_COPYING_OBJECTS_MAX 512 /* of the cohorts that copy at the same time */

/* Where cohorts come from and where their outcomes go.  Both are called by one thread at a time. */
struct pool_feed {
    /* Fill cohort->tasks (room for COHORT_UNITS_MAX; strings in cohort->arena) with neighbours of
     * one source and one target store; 0 tasks: there are no more.                              */
    bool (*next)(void *context, struct cohort *cohort, struct err *err);
    /* Every task of the cohort rests. */
    void (*done)(void *context, const struct cohort *cohort);
    void *context;
};

/* Carry one cohort until every unit rests, or we are told to stop (then what is open stays open).
 * False if the journal can't be written: what was done is found again by looking.               */
MUST_USE bool pool_carry(struct cohort *cohort, struct err *err);

/* As many workers as asked for, each a thread.  False with the first worker's error; the others end
 * after their cohort. */
MUST_USE bool pool_run(const struct hands *hands, unsigned workers, const struct pool_feed *feed,
                       struct err *err);
#endif
