/* plan_diff.h: what differs between two plans of one catalog, directory by directory.  Both files
 * are sorted, so one merge finds it, and only the directory at hand is in memory.                */
#ifndef PLANNER_PLAN_DIFF_H
#define PLANNER_PLAN_DIFF_H

#include "planner/plan_file.h"

enum plan_diff_change { PLAN_DIFF_ADDED, PLAN_DIFF_DROPPED, PLAN_DIFF_CHANGED, PLAN_DIFF_CHANGES };

/* What a changed directory differs in, bits of plan_diff.what.  What a plan does not know differs
 * from nothing: objects and manifests are compared if both plans were surveyed, bytes if both or
 * neither were.  Where in its file a policy stands and how old a recording is are no difference. */
enum plan_diff_what {
    PLAN_DIFF_ACTION = 1 << 0, /* a move, a retier or blocked                          */
    PLAN_DIFF_REASON = 1 << 1, /* why it is blocked                                    */
    PLAN_DIFF_TARGET = 1 << 2, /* the store, the directory or the tier                 */
    PLAN_DIFF_POLICY = 1 << 3, /* the winner                                           */
    PLAN_DIFF_TERMS = 1 << 4,  /* verify, cleanup, window                              */
    PLAN_DIFF_OBJECTS = 1 << 5,
    PLAN_DIFF_BYTES = 1 << 6,
    PLAN_DIFF_MANIFEST = 1 << 7,
    PLAN_DIFF_RECORDINGS = 1 << 8,
    PLAN_DIFF_UNIT = 1 << 9 /* REAP: the source of another move, or due at another time */
};
#define PLAN_DIFF_WHATS 10

/* Why, as far as the two plans tell. */
enum plan_diff_cause {
    PLAN_DIFF_UNTOLD,
    PLAN_DIFF_EDITED,   /* another policy or other variables, at the same as_of         */
    PLAN_DIFF_SELECTED, /* added; nothing but as_of is another: it is later             */
    PLAN_DIFF_GONE,     /* dropped; likewise: it was done, or is selected no more       */
    PLAN_DIFF_REFUSED,  /* dropped: a guard of its policy refuses by now                */
    PLAN_DIFF_ALLOWED,  /* added: the guard refused before                              */
    PLAN_DIFF_BLOCKED,  /* it was a move                                                */
    PLAN_DIFF_RELEASED, /* it was blocked, and is a move                                */
    PLAN_DIFF_RIVAL,    /* another winner, or joint winners, of the same policies       */
    PLAN_DIFF_DUE,      /* REAP added: the grace is over                                */
    PLAN_DIFF_REAPED,   /* REAP dropped: the source was deleted, or is due no more      */
    PLAN_DIFF_CAUSES
};

struct plan_diff {
    enum plan_diff_change     change;
    const struct plan_header *old_header, *new_header;
    const struct plan_action *before, *after; /* NULL: not in that plan; a REAP meets only a REAP */
    unsigned                  what;           /* CHANGED */
    enum plan_diff_cause      cause;
    uint64_t                  gained, lost; /* recordings, by plan_diff_each_row */
};

/* Can they be compared?  ERR_INPUT: the plans are of two catalogs, a store is at another place in
 * each, or the places are in another order.                                                      */
MUST_USE bool plan_diff_check(const struct plan_reader *old, const struct plan_reader *new,
                              struct err *err);

typedef bool plan_diff_visit(void *context, const struct plan_diff *diff, struct err *err);
/* Visits each difference in the order of the plans, which are read from their beginnings.  A
 * directory that is to move or blocked comes before the deletion of a source at the same place.
 * ERR_INPUT: as plan_diff_check.                                                                 */
MUST_USE bool plan_diff_run(struct plan_reader *old, struct plan_reader *new,
                            plan_diff_visit *visit, void *context, struct err *err);

/* Recordings of moves that only one of the two plans has: all of a move that was added or dropped,
 * what was gained and lost where both are moves.                                                 */
typedef void plan_diff_row(void *context, bool is_gained, const struct plan_row *row);
void         plan_diff_each_row(const struct plan_diff *diff, plan_diff_row *visit, void *context);

/* The policies, or the values of their variables, are not the same. */
bool        plan_diff_is_edited(const struct plan_header *old, const struct plan_header *new);
const char *plan_diff_change_name(enum plan_diff_change change); /* "added"               */
const char *plan_diff_what_name(enum plan_diff_what what);       /* of one bit: "bytes"   */
const char *plan_diff_cause_name(enum plan_diff_cause cause);    /* "edited"; UNTOLD: NULL */
#endif
