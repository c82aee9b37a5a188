#include "policy/ids.h"

#include <string.h>

#include "base/arena.h"

#define CAPACITY_FIRST 64

static size_t words(size_t bits)
{
    return (bits + 63) / 64;
}

void ids_init(struct ids *ids, struct arena *arena)
{
    *ids = (struct ids){.arena = arena};
    map_init(&ids->map, arena);
}

static void grow(struct ids *ids)
{
    size_t capacity = ids->capacity == 0 ? CAPACITY_FIRST : 2 * ids->capacity;
    struct id *items = arena_make(ids->arena, capacity * sizeof *items);
    if (ids->count > 0)
        memcpy(items, ids->items, ids->count * sizeof *items);
    ids->items = items;
    ids->capacity = capacity;
}

uint32_t ids_add(struct ids *ids, const char *text, struct span span)
{
    size_t index;
    if (map_find(&ids->map, text, &index))
        return (uint32_t)index;
    if (ids->count == IDS_MAX)
        return IDS_NONE;
    if (ids->count == ids->capacity)
        grow(ids);
    index = ids->count++;
    ids->items[index] = (struct id){text, span};
    map_put(&ids->map, text, index);
    return (uint32_t)index;
}

struct id_list ids_list(struct ids *ids, const uint32_t *indexes, size_t count)
{
    uint64_t *bits = arena_make(ids->arena, words(ids->count) * sizeof *bits);
    for (size_t i = 0; i < count; i++)
        bits[indexes[i] / 64] |= UINT64_C(1) << (indexes[i] % 64);
    return (struct id_list){bits, ids->count};
}

uint32_t ids_find(const struct ids *ids, const char *text)
{
    size_t index;
    if (ids->count == 0 || !map_find(&ids->map, text, &index))
        return IDS_NONE;
    return (uint32_t)index;
}

void ids_mark(struct ids *ids, uint32_t index)
{
    if (ids->seen == NULL)
        ids->seen = arena_make(ids->arena, words(ids->count) * sizeof *ids->seen);
    ids->seen[index / 64] |= UINT64_C(1) << (index % 64);
}

bool ids_is_seen(const struct ids *ids, uint32_t index)
{
    return ids->seen != NULL && (ids->seen[index / 64] >> (index % 64) & 1) != 0;
}
