/* next.h: of a catalog in which nothing moves, the first day on which the clock alone will have
 * directories moved, and how many recordings.
 *
 * Each recording is decided on its own, and a directory goes when the last of its recordings does:
 * what a plan of that day will say, but for what only a directory as a whole knows (recordings in
 * place for a weaker policy, which go along; collisions) and for guards. */
#ifndef PLANNER_NEXT_H
#define PLANNER_NEXT_H

#include "planner/plan.h"
#include "policy/turn.h"

#define NEXT_DECISIONS_MAX 1000000 /* more are not made to find it out: about a second */

struct next {
    struct policies *policies;
    struct turns     turns;     /* before the end of the earliest day so far              */
    bool             is_off;    /* something moves already, or it takes too long          */
    uint64_t         decisions; /* that were made for it                                  */
    int64_t          ripe_us;   /* when the last row of the directory moves, of those
                                 * that were added; INT64_MAX: not before turns.until_us  */
    int64_t          first_us;  /* on the earliest day                                    */
    uint64_t         recordings, bytes; /* that go on it                                  */
};
void next_init(struct next *next, struct policies *policies);
void next_free(struct next *next);

/* A directory or object, and each of its rows, with the decision of the row alone. */
void next_begin(struct next *next);
void next_add(struct next *next, const struct record *record, const struct location *location,
              const struct decision *decision);
/* Nothing keeps it where it is but its rows: of so many, with so many bytes. */
void next_end(struct next *next, uint64_t rows, uint64_t bytes);

/* All have been added. */
void next_tell(const struct next *next, struct plan_summary *summary);
#endif
