/* run.h: a run from its beginning in the journal to its report and exit code. */
#ifndef ENGINE_RUN_H
#define ENGINE_RUN_H

#include "engine/wiring.h"
#include "planner/plan_file.h"

struct run_request {
    struct plan_reader *plan; /* NULL: only what is open */
    int64_t begin_until_us;   /* of the plan's moves: nothing is begun later */
    bool reap_all, only_reap;
};
/* All of wiring is open, the journal for writing.  Prints what went wrong, a row each, and the
 * result.                                                                                       */
enum exit_code run_plan(struct wiring *wiring, const struct run_request *request);
#endif
