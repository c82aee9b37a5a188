/* compose.h: what the passes found becomes the plan's lines: candidates, second spellings and
 * reaps merged in the plan's order, each with what was learned of it; and the summary adds them
 * up. */
#ifndef PLANNER_COMPOSE_H
#define PLANNER_COMPOSE_H

#include "planner/inspect.h"

struct composed {
    const struct planner_request *request;
    const struct decided         *decided;
    const struct judged          *judged;
    const struct inspected       *inspected;
    const struct plan_header     *header;
    struct plan_summary          *summary; /* out: funnels by policy, totals, actions, sums */
};
MUST_USE bool compose_run(const struct composed *composed, struct plan_writer *writer,
                          struct err *err);
#endif
