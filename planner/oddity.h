/* oddity.h: rows that mean a directory of a store but are spelled another way than the catalog's
 * other rows.  Where they stand in the catalog's order says nothing, so they are kept in memory,
 * by the directory that they mean, until all rows were seen. */
#ifndef PLANNER_ODDITY_H
#define PLANNER_ODDITY_H

#include "base/arena.h"
#include "base/map.h"
#include "planner/plan.h"

#define ODDITY_BYTES_MAX ((size_t)256 << 20)

/* All rows that mean one directory. */
struct oddity {
    uint16_t        store;
    const char     *directory;
    struct plan_row rows[PLAN_ROWS_SHOWN]; /* because: what is odd about the spelling */
    size_t          row_count;
    uint64_t        row_total, bytes;
    int64_t         oldest_us;
    bool            is_wanted; /* a policy would move one of its rows */
    uint16_t        target, policy; /* of the first such row          */
};
struct oddities {
    struct arena     arena;
    struct map       map;
    struct oddity **items;
    size_t           count, capacity;
};
void oddity_init(struct oddities *oddities);
void oddity_free(struct oddities *oddities);

/* The note of a directory, new or not; it may be changed.  ERR_INPUT beyond PLANNER_SPELLINGS_MAX
 * or ODDITY_BYTES_MAX.                                                                         */
MUST_USE bool oddity_note(struct oddities *oddities, uint16_t store, const char *directory,
                            struct oddity **note, struct err *err);
/* Texts are copied; beyond PLAN_ROWS_SHOWN the row is only counted. */
void oddity_add_row(struct oddities *oddities, struct oddity *note,
                      const struct plan_row *row);
/* Nothing is noted any more: items are in the order of plan_compare. */
void oddity_sort(struct oddities *oddities);
/* The first of those that mean the unit or, in a directory, another one; *count of them follow each
 * other.  NULL: there is none.                                                                   */
struct oddity *const *oddity_find(const struct oddities *oddities, uint16_t store,
                                      const char *directory, size_t *count);
#endif
