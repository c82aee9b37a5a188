/* owed.h: what units of the journal ask for: sources to delete, rows to cut over once more or to
 * send back: actions of a plan that name a unit. */
#ifndef PLANNER_OWED_H
#define PLANNER_OWED_H

#include "planner/planner.h"
#include "planner/spool.h"

struct journal_unit;

struct owed {
    struct spool spool; /* in the plan's order */
    uint64_t     open;  /* units of the journal that are open, whatever they ask for */
};
/* Neither collected nor added to yet; free it in any case. */
#define OWED_NOTHING ((struct owed){.spool = {.fd = -1}})

/* Units that are cut over, do not keep their source, and whose grace ends at as_of or before.  One
 * whose stores the policies no longer declare is passed over: it can't be carried on.            */
MUST_USE bool owed_reaps(const struct planner_request *request, struct owed *owed,
                         struct err *err);
/* Units of that run whose rows may be sent back: their deletion has not begun.  *others are those
 * that were cut over and can't be. */
MUST_USE bool owed_rollbacks(const struct planner_request *request, int64_t run,
                             struct owed *owed, uint64_t *others, struct err *err);
/* One after the other, in the plan's order: begin, add, and when all are added end. */
MUST_USE bool owed_begin(const struct planner_request *request, struct owed *owed,
                         struct err *err);
MUST_USE bool owed_add(struct owed *owed, enum plan_kind kind, const struct journal_unit *entry,
                       uint16_t store, uint16_t target, struct err *err);
MUST_USE bool owed_end(struct owed *owed, struct err *err);
void          owed_free(struct owed *owed);
/* As an action, in the arena; *action is NULL at the end. */
MUST_USE bool owed_next(struct spool_cursor *cursor, struct arena *arena,
                        struct plan_action **action, struct err *err);
#endif
