/* returned.h: rows that stand again where they were moved from, as in a catalog that was restored
 * from a backup or whose standby was behind.  If their objects are still whole at the target, and
 * there is nothing left at the source, they go there once more: a repair. */
#ifndef PLANNER_RETURNED_H
#define PLANNER_RETURNED_H

#include "base/arena.h"
#include "planner/candidate.h"
#include "planner/owed.h"

#define RETURNED_MAX 100000 /* directories; what is beyond them is left to the next plan */

/* A directory with rows, from which rows were once cut over. */
struct returned_place {
    uint16_t    place, store;
    const char *directory;
    uint64_t    bytes; /* of its rows, by the catalog */
    struct journal_unit *unit; /* NULL: it is no repair */
    uint16_t    target;
};
struct returned {
    struct arena           arena;
    struct returned_place *items; /* once settled, in the plan's order */
    size_t                 count, capacity;
    const char            *asked;  /* the URL from which on the journal was asked; NULL: never */
    const char            *source; /* what it answered: the next source; NULL: there is none   */
    struct arena           answer, scratch; /* of these two; of one directory                  */
    struct owed            repairs;
};
void returned_init(struct returned *returned);
void returned_free(struct returned *returned);

/* During the first pass: a directory with rows was seen. */
MUST_USE bool returned_note(const struct planner_request *request, struct returned *returned,
                            const struct candidate *facts, struct err *err);
/* After it: which of them are repairs; they are in returned->repairs, and the totals know of them.
 * None without a survey, which alone can tell what the stores hold.  ERR_CANCELLED. */
MUST_USE bool returned_settle(const struct planner_request *request, struct plan_summary *summary,
                              struct returned *returned, struct err *err);
/* Is this directory to be repaired? */
bool returned_has(const struct returned *returned, uint16_t place, const char *directory);
#endif
