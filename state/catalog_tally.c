#include "state/catalog_tally.h"

#include <string.h>

#include "base/arena.h"
#include "base/str.h"

enum { MET_ROW = 1, MET_BELOW = 2 };

void catalog_tally_init(struct catalog_tally *tally, const struct catalog_cut *cut,
                        struct arena *arena)
{
    *tally = (struct catalog_tally){.cut = cut, .met = arena_make(arena, cut->count + 1)};
    map_init(&tally->ids, arena);
    for (size_t i = 0; i < cut->count; i++)
        map_put(&tally->ids, cut->rows[i].id, i);
}

/* True once for each row of the cut: an id that comes twice is not the row that was meant. */
static bool meet(struct catalog_tally *tally, const char *id, uint8_t how, size_t *index)
{
    if (!map_find(&tally->ids, id, index) || (tally->met[*index] & how) != 0)
        return false;
    tally->met[*index] |= how;
    return true;
}

void catalog_tally_row(struct catalog_tally *tally, const char *id, const char *location)
{
    size_t index;
    if (!meet(tally, id, MET_ROW, &index))
        return;
    if (str_equal(location, tally->cut->rows[index].old_location))
        tally->sight.at_source++;
    else if (str_equal(location, tally->cut->rows[index].new_location))
        tally->sight.at_target++;
}

void catalog_tally_below(struct catalog_tally *tally, const char *id, const char *location)
{
    size_t index;
    if (meet(tally, id, MET_BELOW, &index) &&
        str_equal(location, tally->cut->rows[index].old_location))
        tally->matched++;
    else if (tally->sight.strangers < CATALOG_STRANGERS_MAX)
        tally->sight.strangers++;
}

bool catalog_tally_is_exact(const struct catalog_tally *tally)
{
    return tally->matched == tally->cut->count && tally->sight.strangers == 0;
}

struct catalog_sight catalog_tally_sight(const struct catalog_tally *tally)
{
    struct catalog_sight sight = tally->sight;
    sight.elsewhere = (uint32_t)tally->cut->count - sight.at_source - sight.at_target;
    return sight;
}

char *catalog_tally_bound(const char *source, struct arena *arena)
{
    char *bound = arena_copy(arena, source), *last = bound + strlen(bound) - 1;
    if (strchr("/?#", *last) == NULL)
        return str_format(arena, "%s\1", source);
    ++*last;
    return bound;
}

int64_t catalog_tally_limit(const struct catalog_cut *cut)
{
    return (int64_t)cut->count + CATALOG_STRANGERS_MAX;
}
