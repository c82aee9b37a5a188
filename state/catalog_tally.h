/* catalog_tally.h: the rows of a cut, held against the rows that the table has. */
#ifndef STATE_CATALOG_TALLY_H
#define STATE_CATALOG_TALLY_H

#include "base/map.h"
#include "state/catalog.h"

/* Further rows at or below a source are counted up to this many: one is enough to stop. */
#define CATALOG_STRANGERS_MAX 1000

struct catalog_tally {
    const struct catalog_cut *cut;
    struct map ids; /* to the index in cut->rows */
    uint8_t *met;   /* one for each row: what was counted */
    size_t matched;
    struct catalog_sight sight;
};
void catalog_tally_init(struct catalog_tally *tally, const struct catalog_cut *cut,
                        struct arena *arena);
/* A row that has one of the cut's ids, wherever it points. */
void catalog_tally_row(struct catalog_tally *tally, const char *id, const char *location);
/* A row at or below the source: one of the cut at its old location, or a stranger. */
void catalog_tally_below(struct catalog_tally *tally, const char *id, const char *location);
/* The rows below the source were exactly those of the cut, all at their old locations. */
bool catalog_tally_is_exact(const struct catalog_tally *tally);
/* After all rows: what is neither at the source nor at the target is elsewhere. */
struct catalog_sight catalog_tally_sight(const struct catalog_tally *tally);

/* Locations at or below a source are those with  source <= location < bound  in byte order: the
 * source with '0', the byte after '/', for its last '/'; likewise if it ends in '?' or '#', as a
 * spelling may.  Any other source is one location alone: nothing stands between it and itself with
 * the least of bytes behind it. */
char *catalog_tally_bound(const char *source, struct arena *arena);
/* Rows to read below the source at most: more would be strangers that nobody counts. */
int64_t catalog_tally_limit(const struct catalog_cut *cut);
#endif
