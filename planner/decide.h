/* decide.h: the first pass.  Every row of the catalog is read once, decided and counted; rows that
 * stand together become directories, and those that some policy wants to move go to a spool.     */
#ifndef PLANNER_DECIDE_H
#define PLANNER_DECIDE_H

#include "planner/planner.h"
#include "planner/oddity.h"
#include "planner/returned.h"
#include "planner/spool.h"

struct decided {
    struct spool     candidates;
    struct oddities oddities;
    struct returned returned;
};

/* Counts rows in *summary: its funnels are one for each policy, by index, and lack what becomes of
 * the candidates; totals_after are those of now.  Reads the catalog's snapshot, which the caller
 * has taken.  Free *decided in any case.  ERR_CORRUPT: the catalog's order is not what it promises.
 */
MUST_USE bool decide_run(const struct planner_request *request, struct arena *arena,
                         struct plan_summary *summary, struct decided *decided, struct err *err);
void          decide_free(struct decided *decided);
#endif
