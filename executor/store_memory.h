/* store_memory.h: a store in memory, a first-class adapter: what the contract means without a
 * service.  Etags are versions, never used twice.  Tests look inside and make its calls fail.    */
#ifndef EXECUTOR_STORE_MEMORY_H
#define EXECUTOR_STORE_MEMORY_H

#include "executor/store.h"

struct store_memory;

struct store_memory *store_memory_make(const char *name, struct clock *clock);
/* The same object as a store; store_close frees it. */
struct store *store_memory_store(struct store_memory *memory);

/* Write (or overwrite) an object, as a stranger would. */
void store_memory_put(struct store_memory *memory, const char *key, const void *bytes,
                      size_t size_bytes);
void store_memory_remove(struct store_memory *memory, const char *key);
/* NULL: not there.  What follows is for when no call is running; the pointers live until the next
 * write. */
const void *store_memory_get(const struct store_memory *memory, const char *key, size_t *size_bytes,
                             const char **etag);
size_t store_memory_count(const struct store_memory *memory);
/* Requests that changed something or tried to: copies, puts, deletions, tiers. */
uint64_t store_memory_writes(const struct store_memory *memory);

/* Asked before each item of each call; says what becomes of it.  RESULT_DONE: no fault.  *apply is
 * true at first; for RESULT_UNKNOWN it says whether it happened all the same, for RESULT_PENDING
 * whether the copy will end well: one listing sees it pending, a later one whole or failed.  A
 * page fails as ERR_DENIED, ERR_BUSY, ERR_UNKNOWN_OUTCOME, ERR_MISSING (RESULT_REFUSED: there is no
 * container) or ERR_CORRUPT (all others: it was cut off).  May write to the store. */
enum store_memory_verb {
    STORE_MEMORY_LIST,
    STORE_MEMORY_COPY,
    STORE_MEMORY_ABORT,
    STORE_MEMORY_REMOVE,
    STORE_MEMORY_READ,
    STORE_MEMORY_TIER,
    STORE_MEMORY_PUT
};
typedef enum store_result store_memory_fault(void *context, enum store_memory_verb verb,
                                             const char *key, bool *apply);
void store_memory_set_fault(struct store_memory *memory, store_memory_fault *fault, void *context);
/* Whether copies answer with a computed digest (Put Blob From URL) or without (Copy Blob From URL).
 */
void store_memory_set_computes(struct store_memory *memory, bool computes);
/* How long a copy that is begun from now on is PENDING; 0: until a listing has told. */
void store_memory_set_copy_time(struct store_memory *memory, int64_t us);
void store_memory_set_page(struct store_memory *memory, size_t objects);
#endif
