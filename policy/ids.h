/* ids.h: all ids that a set of policies lists, in one hash table, so that a row's id is looked up
 * once however many lists there are.  A list is a bitmap over the table.                         */
#ifndef POLICY_IDS_H
#define POLICY_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "policy/diag.h"

#define IDS_MAX 4000000 /* of one set of policies */
#define IDS_NONE UINT32_MAX

struct id {
    const char *text;
    struct span span; /* where it is listed first */
};

struct ids {
    struct arena *arena;
    struct map    map; /* text to index */
    struct id    *items;
    size_t        count, capacity;
    uint64_t     *seen; /* a bit for each; NULL until the first mark */
};

/* The ids that one clause lists.  Bits beyond size are not in it. */
struct id_list {
    const uint64_t *bits;
    size_t          size;
};

void ids_init(struct ids *ids, struct arena *arena);
/* The index of the id, which is new or was there; IDS_NONE if there are IDS_MAX.  The text must
 * live as long.                                                                                  */
uint32_t ids_add(struct ids *ids, const char *text, struct span span);
/* From indexes that ids_add gave. */
struct id_list ids_list(struct ids *ids, const uint32_t *indexes, size_t count);
/* IDS_NONE if nothing lists it. */
uint32_t ids_find(const struct ids *ids, const char *text);
void     ids_mark(struct ids *ids, uint32_t index);
bool     ids_is_seen(const struct ids *ids, uint32_t index);

static inline bool ids_has(const struct id_list *list, uint32_t index)
{
    return index < list->size && (list->bits[index / 64] >> (index % 64) & 1) != 0;
}
#endif
