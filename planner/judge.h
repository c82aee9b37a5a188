/* judge.h: the second pass.  What the rows themselves can't tell: second spellings, units that
 * are open, moves that meet, guards. */
#ifndef PLANNER_JUDGE_H
#define PLANNER_JUDGE_H

#include "planner/decide.h"
#include "planner/guard.h"
#include "planner/owed.h"

struct journal_unit;

enum fate_kind {
    FATE_MOVE,
    FATE_BLOCKED, /* and why                                        */
    FATE_IN_PLACE, /* its objects are where they should be: at that tier already, or only its rows
                    * came back, which a repair of its own mends */
    FATE_LEFT,    /* a truncating guard leaves it for later         */
    FATE_REFUSED  /* the guard of a policy that wins it has refused */
};
/* Of a candidate, by its index in the spool: small, for there are many. */
struct fate {
    uint8_t  kind, reason;
    bool     is_surveyed;
    uint16_t other; /* TARGET_COLLISION: the store of the directory that it meets */
};

struct judged {
    struct fate  *fates;
    struct guards guards;
    struct owed   reaps;
};
/* Free *judged in any case.  ERR_INPUT: a min_recordings guard fired. */
MUST_USE bool judge_run(const struct planner_request *request, const struct decided *decided,
                        struct arena *arena, struct plan_summary *summary, struct judged *judged,
                        struct err *err);
void          judge_free(struct judged *judged);

/* After guard_close: what the guards do not take is left or refused. */
MUST_USE bool judge_ask_guards(const struct decided *decided, struct judged *judged,
                               struct err *err);
/* The next candidate with its index, in an arena that is reset for it; *found is false at the
 * end. */
MUST_USE bool judge_next(struct spool_cursor *cursor, struct arena *arena, bool *found,
                         struct candidate *candidate, uint64_t *index, struct err *err);
/* When frostline brought the candidate to where it is, if that is less than its min_residency ago;
 * else 0. */
MUST_USE bool judge_find_arrival(const struct planner_request *request,
                                 const struct candidate *candidate, struct arena *arena,
                                 int64_t *cut_over_us, struct err *err);
/* The open unit that a candidate touches, at its source or at its target; NULL: none. */
MUST_USE bool judge_find_open(const struct planner_request *request,
                              const struct candidate *candidate, struct arena *arena,
                              struct journal_unit **found, struct err *err);
#endif
