/* inspect.h: the third pass.  What the directories that would move really hold, asked of the
 * stores through the survey port, and the guards once more with real sizes. */
#ifndef PLANNER_INSPECT_H
#define PLANNER_INSPECT_H

#include "planner/judge.h"

/* Of each directory that was asked for, in the order of candidates. */
struct inspected {
    struct spool answers;
};
struct inspect_answer {
    uint64_t               objects, bytes;
    struct manifest_digest manifest;
    const char            *detail; /* if its fate is to be blocked, and the rows in the way */
    struct candidate_row  *rows;
    size_t                 row_count;
};

/* Nothing is asked without a survey.  Blocks what can't move; fates tell which were surveyed.
 * Free *inspected in any case.  ERR_CANCELLED. */
MUST_USE bool inspect_run(const struct planner_request *request, const struct decided *decided,
                          struct arena *arena, struct plan_summary *summary, struct judged *judged,
                          struct inspected *inspected, struct err *err);
void          inspect_free(struct inspected *inspected);
/* The next answer, in the arena.  ERR_CORRUPT if there is none. */
MUST_USE bool inspect_next(struct spool_cursor *cursor, struct arena *arena,
                           struct inspect_answer *answer, struct err *err);
#endif
