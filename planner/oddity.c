#include "planner/oddity.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "planner/planner.h"
#include "state/unit.h"

/* What one row may take: its texts are cut to what is shown, its directory is not. */
#define ROOM_BYTES ((size_t)64 << 10)

void oddity_init(struct oddities *oddities)
{
    *oddities = (struct oddities){0};
    arena_init(&oddities->arena, ODDITY_BYTES_MAX);
    map_init(&oddities->map, &oddities->arena);
}

void oddity_free(struct oddities *oddities)
{
    free(oddities->items);
    arena_free(&oddities->arena);
}

static struct oddity *append(struct oddities *oddities)
{
    if (oddities->count == oddities->capacity) {
        oddities->capacity = 2 * oddities->capacity + 64;
        oddities->items = realloc(oddities->items, oddities->capacity * sizeof(*oddities->items));
        if (oddities->items == NULL)
            err_abort("out of memory");
    }
    struct oddity *note = arena_make(&oddities->arena, sizeof(*note));
    oddities->items[oddities->count++] = note;
    return note;
}

bool oddity_note(struct oddities *oddities, uint16_t store, const char *directory,
                 struct oddity **note, struct err *err)
{
    /* The map at most doubles its slots, of three words each. */
    size_t map_bytes = 2 * oddities->map.capacity * 4 * sizeof(size_t);
    if (oddities->count == PLANNER_SPELLINGS_MAX ||
        !arena_has(&oddities->arena, map_bytes + ROOM_BYTES))
        return ERR(err, ERR_INPUT,
                   "rows in second oddities mean more than %zu directories; the catalog wants "
                   "mending first",
                   oddities->count);
    struct arena_mark mark = arena_mark(&oddities->arena);
    const char *key = str_format(&oddities->arena, "%u:%s", (unsigned)store, directory);
    size_t index;
    if (map_find(&oddities->map, key, &index)) {
        arena_back(&oddities->arena, mark);
        *note = oddities->items[index];
        return true;
    }
    map_put(&oddities->map, key, oddities->count);
    *note = append(oddities);
    (*note)->store = store;
    (*note)->directory = strchr(key, ':') + 1;
    (*note)->oldest_us = INT64_MAX;
    (*note)->target = (*note)->policy = POLICY_NO_INDEX;
    return true;
}

void oddity_add_row(struct oddities *oddities, struct oddity *note, const struct plan_row *row)
{
    note->row_total++;
    if (note->row_count == PLAN_ROWS_SHOWN)
        return;
    note->rows[note->row_count++] =
        (struct plan_row){.id = arena_copy(&oddities->arena, row->id),
                          .location = arena_copy(&oddities->arena, row->location),
                          .because = arena_copy(&oddities->arena, row->because)};
}

static int compare(const void *a, const void *b)
{
    const struct oddity *one = *(struct oddity *const *)a, *other = *(struct oddity *const *)b;
    return plan_compare(one->store, one->directory, other->store, other->directory);
}

void oddity_sort(struct oddities *oddities)
{
    if (oddities->count > 0)
        qsort(oddities->items, oddities->count, sizeof(*oddities->items), compare);
}

struct oddity *const *oddity_find(const struct oddities *oddities, uint16_t store,
                                  const char *directory, size_t *count)
{
    size_t low = 0, high = oddities->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct oddity *note = oddities->items[middle];
        if (plan_compare(note->store, note->directory, store, directory) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    size_t end = low;
    while (end < oddities->count && oddities->items[end]->store == store &&
           unit_covers(directory, oddities->items[end]->directory))
        end++;
    *count = end - low;
    return end == low ? NULL : oddities->items + low;
}
