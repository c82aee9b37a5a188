/* explain.h: why a row is decided as it is, for people.  Only for the thread that decides. */
#ifndef POLICY_EXPLAIN_H
#define POLICY_EXPLAIN_H

#include "policy/policy.h"
#include "policy/truth.h"

/* Why policy `index` selects the row, a few words: "older_than 90d: 107d". */
void explain_because(struct policies *policies, uint16_t index, const struct record *record,
                     const struct location *location, struct buf *out);

/* What of a policy makes its verdict of the row, CANDIDATE left out:
 *   "age-out (older_than 90d: 89d)"                                                              */
void explain_policy(struct policies *policies, uint16_t index, const struct record *record,
                    const struct location *location, struct buf *out);

/* Why the row stays where it is, as policy_decide has decided (which is not to move it):
 *   "hold: case-2025-07 (legal): ids"
 *   "in place: age-out"
 *   "not selected: age-out (older_than 90d: 89d), old-maps (from hot)"                           */
void explain_stay(struct policies *policies, const struct record *record,
                  const struct location *location, const struct decision *decision,
                  struct buf *out);

/* A clause of one selection, as it was written: a group is followed by what is in it. */
struct explain_clause {
    unsigned    depth; /* 0: the selection itself               */
    bool        is_group;
    enum truth  truth;
    const char *words; /* "older_than 90d", "any"               */
    const char *value; /* what the row really has; "": nothing to show, or a group */
    const char *at;    /* "recordings.yaml:17:7"                */
};
typedef void explain_visit(void *context, const struct explain_clause *clause);

/* In the order of the file; strings live until visit returns. */
void explain_selection(struct policies *policies, const struct clause *selection,
                       const struct record *record, const struct location *location,
                       explain_visit *visit, void *context);

/* The first instant after as_of at which the row would be decided otherwise than it is now if
 * nothing changed but the clock, to the microsecond: *decision is what it would be then.  INT64_MAX
 * if there is none.  policy_prepare is as it was.                                                */
int64_t explain_next(struct policies *policies, const struct record *record,
                     const struct location *location, struct decision *decision);
#endif
