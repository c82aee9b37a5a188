/* apply_private.h: what the files of apply share. */
#ifndef EXECUTOR_APPLY_PRIVATE_H
#define EXECUTOR_APPLY_PRIVATE_H

#include "base/map.h"
#include "executor/apply.h"
#include "planner/guard.h"

/* What has been begun for a policy, against its guards. */
struct begun {
    const struct plan_guard *guard;
    struct guard_load total;
};

/* A unit that the plan names, and what for. */
struct asked {
    int64_t unit;
    enum plan_kind kind;
};

struct apply {
    const struct apply_request *request;
    struct apply_result *result;
    struct arena arena;
    struct journal_unit **open; /* to be carried on, in this order */
    size_t open_count, open_capacity, open_next;
    struct map carried;  /* sources of those: the plan's moves of them are under way already */
    struct asked *asked; /* units that the plan names, sorted */
    size_t asked_count, asked_next;
    bool only_asked;            /* the plan rolls back */
    bool only_own;              /* the plan has policies of its own, which know of no others */
    struct arena peeked;        /* holds the action that is next */
    struct plan_action *action; /* NULL: none, or not read yet   */
    bool plan_ended;
    struct begun *begun;
    size_t begun_count;
};

/* -- apply_open.c ----------------------------------------------------------------------------- */
/* For qsort: by unit, then by what it is asked for. */
int apply_compare_asked(const void *a, const void *b);
/* A journal_visit: the unit is carried on in this run, if it is wanted. */
bool apply_take_open(void *context, const struct journal_unit *entry, struct err *err);
/* Each fills the cohort with as many as go together; with none if there are no more. */
MUST_USE bool apply_next_open(struct apply *apply, struct cohort *cohort, struct err *err);
MUST_USE bool apply_next_asked(struct apply *apply, struct cohort *cohort, struct err *err);
/* What was reviewed long ago is not begun any more. */
bool apply_is_too_late(const struct apply *apply);
/* Was it cut over since the plan was made?  Then the plan has nothing left to do here, wherever the
 * rows have gone from there. */
MUST_USE bool apply_is_carried_out(const struct apply *apply, const struct task *task,
                                   bool *is_done, struct err *err);
void apply_set_event(struct task *task, enum event_kind kind, struct clock *clock);
void apply_report(struct apply *apply, const struct task *task, enum apply_outcome outcome);

/* -- apply_plan.c ----------------------------------------------------------------------------- */
MUST_USE bool apply_next_planned(struct apply *apply, struct cohort *cohort, struct err *err);
/* What is left would be begun if there were time: it is counted. */
MUST_USE bool apply_count_planned(struct apply *apply, struct arena *scratch, struct err *err);

/* -- apply_outcome.c -------------------------------------------------------------------------- */
/* All of the cohort rests: it is counted and reported. */
void apply_note(void *context, const struct cohort *cohort);
#endif
