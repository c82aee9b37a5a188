/* group.h: the rows of one unit, a directory or an object, while they are read: what they say
 * together, and as many of them as may move together. */
#ifndef PLANNER_GROUP_H
#define PLANNER_GROUP_H

#include "base/arena.h"
#include "base/buf.h"
#include "planner/candidate.h"
#include "planner/spool.h"
#include "policy/circle.h"
#include "state/location.h"

/* The first rows that are in the way for one reason. */
struct group_rows {
    struct buf packed;
    uint64_t   total, shown;
};

struct group {
    struct policies       *policies;
    bool                   is_open;
    struct candidate       facts;
    struct buf             directory;
    size_t                 prefix_bytes; /* of each location: up to its row's tail            */
    bool                   is_contested;
    struct decision        decision; /* of all rows that a policy wins                        */
    struct circle          circle;   /* of the same rows                                      */
    uint16_t               wish;     /* who would win the rows that are held                  */
    struct group_rows      held, staying, movers;
    size_t                 movers_line_bytes, movers_shown_bytes;
    bool                   is_too_large;
    uint64_t               selected[POLICY_MAX]; /* rows, held ones left out */
    struct candidate_share shares[POLICY_MAX];
    struct group_rows     *rows; /* after group_end: the ones that count */
    struct buf             text;
    struct arena           scratch;
};
void group_init(struct group *group, struct policies *policies);
void group_free(struct group *group);

void group_begin(struct group *group, const struct location *location,
                 const struct record *record);
bool group_has(const struct group *group, const struct location *location);
void group_add(struct group *group, const struct record *record, const struct location *location,
               const struct decision *decision);

/* Of equal priority with the winner: what such a policy selects goes as the directory goes; what
 * another one selects is lost to it.  Needs a contest. */
bool group_is_won_by(const struct group *group, size_t policy);
/* A row of a directory that lies in this one. */
struct group_nested {
    const struct record   *record;
    const struct location *location;
};
/* No further row comes; nested may be NULL.  True if the directory is a candidate: group->facts,
 * whose texts live until the next group_begin.                                                   */
bool group_end(struct group *group, const struct group_nested *nested);
/* The rows of a candidate: all, or those in the way. */
const struct buf *group_rows(const struct group *group);
#endif
