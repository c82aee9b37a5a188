/* reap.h: sources whose grace is over, read from the journal: actions of a plan of their own. */
#ifndef PLANNER_REAP_H
#define PLANNER_REAP_H

#include "planner/planner.h"
#include "planner/spool.h"

struct reaps {
    struct spool spool; /* in the plan's order                       */
    uint64_t     open;  /* units of the journal, due or not          */
};
/* Units that are cut over, do not keep their source, and whose grace ends at as_of or before.  One
 * whose stores the policies no longer declare is passed over: it can't be carried on.            */
MUST_USE bool reap_collect(const struct planner_request *request, struct reaps *reaps,
                           struct err *err);
void          reap_free(struct reaps *reaps);
/* As an action, in the arena; *action is NULL at the end. */
MUST_USE bool reap_next(struct spool_cursor *cursor, struct arena *arena,
                        struct plan_action **action, struct err *err);
#endif
