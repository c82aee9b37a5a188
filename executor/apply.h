/* apply.h: a run.  What the journal has open is carried on, then the plan's repairs and moves are
 * begun, all of them by a pool of workers.  A plan that rolls back does nothing but that. */
#ifndef EXECUTOR_APPLY_H
#define EXECUTOR_APPLY_H

#include "executor/cohort.h"
#include "planner/plan_file.h"

#define APPLY_WORKERS_DEFAULT 4

/* What became of a directory in this run. */
enum apply_outcome {
    APPLY_MOVED,    /* rows at the target; the source deleted, kept, or waiting out its grace */
    APPLY_RETIERED, /* its objects are at the tier of the target                             */
    APPLY_REPAIRED, /* rows that had come back to the source are at the target again         */
    APPLY_ROLLED_BACK, /* rows at the source again; what stands at the target is left there  */
    APPLY_DELETED,  /* cut over in an earlier run; its source was deleted in this one          */
    APPLY_ALREADY,  /* stood at the target before                                              */
    APPLY_WAITING,  /* cut over earlier; its source still waits (grace, hold, reference)       */
    APPLY_STALE,    /* rows or objects are not as planned: skipped                            */
    APPLY_FAILED,   /* abandoned: the source is untouched, the next plan takes it up           */
    APPLY_PARKED,   /* cut over; the source is kept until somebody looks                       */
    APPLY_OPEN,     /* not finished: stopped, throttled, clocks apart, or a copy is under way   */
    APPLY_OUTCOMES
};

struct apply_result {
    uint64_t directories[APPLY_OUTCOMES];
    uint64_t moved_recordings, moved_objects, moved_bytes; /* of APPLY_MOVED                  */
    uint64_t deleted_sources, kept_sources, waiting_sources;
    int64_t next_cleanup_us; /* the earliest grace that ends later; 0: none                   */
    uint64_t late;           /* objects that appeared at a source and were left alone         */
    uint64_t outside;        /* moves of the plan that wait for their window                   */
    uint64_t refused;        /* directories that a guard kept from being begun                */
    uint64_t expired;        /* moves of the plan that came too late to be begun              */
    uint64_t not_begun;      /* moves of the plan that were not reached                       */
    uint64_t not_resumed;    /* what an earlier run left open, and this one did not reach     */
    bool timed_out;          /* take_until_us was reached                                     */
    bool unverified;         /* a target differs or could not be proved                       */
    bool denied;             /* credentials or permissions did not suffice somewhere          */
    bool busy;               /* a store or the catalog could not be reached to the end        */
};

struct apply_request {
    const struct hands *hands;
    unsigned workers;
    int64_t run;              /* the journal's id of this run                                  */
    struct plan_reader *plan; /* NULL: only what is open                                       */
    bool reap_all;            /* delete every source whose grace is over, not only those
                               * that the plan lists                                    */
    bool only_reap;           /* nothing else of what is open                           */
    bool keep_source;         /* of all that is not cut over yet, whatever the plan says */
    int64_t begin_until_us;   /* later no move of the plan is begun                      */
    int64_t take_until_us;    /* of the monotonic clock: later nothing more is taken up, be it open
                               * or planned; what is under way is finished              */
    /* Told of each directory as it comes to rest, one call at a time.  May be NULL. */
    void (*report)(void *context, const struct task *task, enum apply_outcome outcome);
    void *report_context;
};

/* Every directory rests.  False only if the run had to be given up: the journal can't be read or
 * written, or the plan can't be read.                                                            */
MUST_USE bool apply_run(const struct apply_request *request, struct apply_result *result,
                        struct err *err);

/* Is the plan still for these policies, this catalog and this journal?  ERR_CONFLICT says which is
 * not: the plan as a whole is stale.                                                             */
MUST_USE bool apply_check(const struct plan_header *header, const struct policies *policies,
                          const struct catalog_shape *shape, const char *lineage, struct err *err);

const char *apply_outcome_name(enum apply_outcome outcome); /* "moved" */
#endif
