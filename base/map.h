/* map.h: a hash map from strings to indexes, held in an arena.  Keys are not copied: they must
 * live as long as the map.  It only grows.  Iterate by keeping the items in an array of your own.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct map_slot;
struct map {
    struct arena *arena;
    struct map_slot *slots;
    size_t capacity;
    size_t count;
};

void map_init(struct map *map, struct arena *arena);
/* True if the key is new and now stands for value; false if it was there (value unchanged). */
bool map_put(struct map *map, const char *key, size_t value);
/* True and *value if the key is there. */
bool map_find(const struct map *map, const char *key, size_t *value);
#endif
