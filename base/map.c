#include "base/map.h"

#include <string.h>

#include "base/arena.h"

#define MAP_CAPACITY_MIN 16

struct map_slot {
    const char *key; /* NULL: empty */
    uint64_t hash;
    size_t value;
};

/* FNV-1a, with the finalizer of MurmurHash3 because the low bits choose the slot. */
static uint64_t hash_of(const char *key)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * UINT64_C(0x100000001b3);
    hash = (hash ^ (hash >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ (hash >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
    return hash ^ (hash >> 33);
}

/* The slot that holds the key, or the empty one where it belongs.  There always is one: the map is
 * never more than three quarters full.                                                           */
static struct map_slot *slot_of(const struct map *map, const char *key, uint64_t hash)
{
    size_t at = hash & (map->capacity - 1);
    while (map->slots[at].key &&
           (map->slots[at].hash != hash || strcmp(map->slots[at].key, key) != 0))
        at = (at + 1) & (map->capacity - 1);
    return &map->slots[at];
}

/* The old slots stay in the arena: together they are smaller than the new ones. */
static void grow(struct map *map)
{
    struct map old = *map;
    map->capacity = old.capacity == 0 ? MAP_CAPACITY_MIN : old.capacity * 2;
    map->slots = arena_make(map->arena, map->capacity * sizeof *map->slots);
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.slots[i].key)
            *slot_of(map, old.slots[i].key, old.slots[i].hash) = old.slots[i];
    }
}

void map_init(struct map *map, struct arena *arena)
{
    *map = (struct map){.arena = arena};
}

bool map_put(struct map *map, const char *key, size_t value)
{
    if ((map->count + 1) * 4 > map->capacity * 3)
        grow(map);
    uint64_t hash = hash_of(key);
    struct map_slot *slot = slot_of(map, key, hash);
    if (slot->key)
        return false;
    *slot = (struct map_slot){.key = key, .hash = hash, .value = value};
    map->count++;
    return true;
}

bool map_find(const struct map *map, const char *key, size_t *value)
{
    if (map->count == 0)
        return false;
    const struct map_slot *slot = slot_of(map, key, hash_of(key));
    if (!slot->key)
        return false;
    *value = slot->value;
    return true;
}
