/* show_moves.h: what moves or changes its tier for one policy: a line each, or folded, neighbours
 * in the plan that share a day, or the folder that they lie in, in one line.                    */
#ifndef ENGINE_SHOW_MOVES_H
#define ENGINE_SHOW_MOVES_H

#include <stdio.h>

#include "planner/plan.h"

#define SHOW_MOVES_FOLDS 10 /* that are shown */

struct show_fold {
    enum plan_kind kind; /* MOVE or RETIER */
    uint16_t store;
    char prefix[OBJECT_KEY_MAX + 1];
    bool is_day;
    uint64_t directories, bytes, objects;
    int64_t oldest_us;
};

struct show_moves {
    FILE *out;
    const struct plan_header *header;
    const struct plan_funnel *funnel;
    struct show_fold folds[SHOW_MOVES_FOLDS];
    struct show_fold fold, rest; /* the one that grows, and all that are not shown */
    size_t count;                /* of folds                                       */
    uint64_t more;               /* in rest                                        */
    uint64_t recordings;
    uint64_t windowed; /* moves that have a window          */
    char window[256];  /* of the first of them              */
    bool is_mixed;     /* not all of them have the same one */
};

void show_moves_init(struct show_moves *moves, FILE *out, const struct plan_header *header,
                     const struct plan_funnel *funnel);
/* One more of them, folded, in the order of the plan. */
void show_moves_fold(struct show_moves *moves, const struct plan_action *action);
/* Prints one of them, with its recordings; it is not folded. */
void show_moves_one(struct show_moves *moves, const struct plan_action *action);
/* Prints the folds, and what is to be said of all that moves. */
void show_moves_end(struct show_moves *moves);
#endif
