#include "executor/store_memory.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/str.h"

struct entry {
    char *key;
    char *bytes; /* one more than size_bytes, so never NULL */
    size_t size_bytes;
    bool gone;  /* its slot waits for the key to come back, or for sweep() */
    bool fails; /* the copy that is pending will fail                      */
    enum copy_state copy;
    char copy_id[OBJECT_COPY_ID_MAX]; /* "": none                               */
    int64_t over_us;                  /* when the copy is; 0: after one listing */
    enum access_tier tier;
    char etag[OBJECT_ETAG_MAX];
    uint8_t md5[OBJECT_MD5_BYTES];
};

/* The entries stand in byte order of their keys.  One mutex guards all; it is never held while a
 * fault is asked for (which may write to the store) and never together with another store's.    */
struct store_memory {
    struct store store;
    struct clock *clock;
    pthread_mutex_t mutex;
    struct entry **entries;
    size_t count, capacity, gone;
    uint64_t version, writes;
    size_t page;
    int64_t copy_time_us;
    bool computes;
    store_memory_fault *fault;
    void *fault_context;
};

static void *must(void *memory)
{
    if (!memory)
        err_abort("out of memory");
    return memory;
}

static struct store_memory *memory_of(struct store *store)
{
    return (struct store_memory *)store;
}

/* The first entry whose key is not before `key`; with `after`, the first behind it. */
static size_t lower_bound(const struct store_memory *memory, const char *key, bool after)
{
    size_t low = 0, high = memory->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(memory->entries[middle]->key, key);
        if (order < 0 || (after && order == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct entry *entry_find(const struct store_memory *memory, const char *key)
{
    size_t at = lower_bound(memory, key, false);
    if (at == memory->count || strcmp(memory->entries[at]->key, key) != 0)
        return NULL;
    return memory->entries[at]->gone ? NULL : memory->entries[at];
}

static void entry_free(struct entry *entry)
{
    free(entry->key);
    free(entry->bytes);
    free(entry);
}

/* The entry of the key, new, revived or the one that stands there. */
static struct entry *entry_make(struct store_memory *memory, const char *key)
{
    size_t at = lower_bound(memory, key, false);
    if (at < memory->count && strcmp(memory->entries[at]->key, key) == 0) {
        struct entry *entry = memory->entries[at];
        memory->gone -= entry->gone;
        entry->gone = false;
        return entry;
    }
    if (memory->count == memory->capacity) {
        memory->capacity = memory->capacity ? 2 * memory->capacity : 64;
        memory->entries =
            must(realloc(memory->entries, memory->capacity * sizeof *memory->entries));
    }
    memmove(memory->entries + at + 1, memory->entries + at,
            (memory->count - at) * sizeof *memory->entries);
    memory->count++;
    struct entry *entry = memory->entries[at] = must(calloc(1, sizeof *entry));
    entry->key = must(strdup(key));
    return entry;
}

static void entry_stamp(struct store_memory *memory, struct entry *entry)
{
    snprintf(entry->etag, sizeof entry->etag, "\"%.90s-%llu\"", memory->store.name,
             (unsigned long long)++memory->version);
}

/* Takes the bytes over. */
static void entry_fill(struct store_memory *memory, struct entry *entry, char *bytes,
                       size_t size_bytes)
{
    free(entry->bytes);
    entry->bytes = bytes;
    entry->size_bytes = size_bytes;
    entry->copy = COPY_NONE;
    entry->copy_id[0] = '\0';
    entry->tier = TIER_DEFAULT;
    digest_of(DIGEST_MD5, bytes, size_bytes, entry->md5);
    entry_stamp(memory, entry);
}

/* Slots of entries that are gone are given back once they are the majority, so that removing costs
 * no memmove each.                                                                               */
static void sweep(struct store_memory *memory)
{
    if (memory->gone <= 64 || memory->gone <= memory->count / 2)
        return;

    size_t kept = 0;
    for (size_t i = 0; i < memory->count; i++) {
        if (memory->entries[i]->gone)
            entry_free(memory->entries[i]);
        else
            memory->entries[kept++] = memory->entries[i];
    }
    memory->count = kept;
    memory->gone = 0;
}

static void entry_remove(struct store_memory *memory, struct entry *entry)
{
    free(entry->bytes);
    entry->bytes = NULL;
    entry->gone = true;
    memory->gone++;
    sweep(memory);
}

static char *bytes_copy(const void *bytes, size_t size_bytes)
{
    char *copy = must(malloc(size_bytes + 1));
    if (size_bytes > 0)
        memcpy(copy, bytes, size_bytes);
    return copy;
}

static enum store_result fault_ask(struct store_memory *memory, enum store_memory_verb verb,
                                   const char *key, bool *apply)
{
    *apply = true;
    return memory->fault ? memory->fault(memory->fault_context, verb, key, apply) : RESULT_DONE;
}

static struct store_outcome outcome_make(enum store_result result)
{
    static const int statuses[] = {
        [RESULT_DONE] = 200,    [RESULT_EXISTS] = 409,  [RESULT_CHANGED] = 412,
        [RESULT_PENDING] = 202, [RESULT_REFUSED] = 409, [RESULT_DENIED] = 403,
        [RESULT_BUSY] = 503,    [RESULT_UNKNOWN] = 0,
    };
    struct store_outcome outcome = {.result = result, .status = statuses[result]};
    snprintf(outcome.code, sizeof outcome.code, "%s", store_result_name(result));
    return outcome;
}

/* Whether the entry may be touched under this etag. */
static enum store_result entry_check(const struct entry *entry, const char *etag)
{
    if (!entry || strcmp(entry->etag, etag) != 0)
        return RESULT_CHANGED;
    return entry->copy == COPY_PENDING ? RESULT_BUSY : RESULT_DONE;
}

static bool list_fault(struct store_memory *memory, struct listing *listing)
{
    bool apply;
    enum store_result result = fault_ask(memory, STORE_MEMORY_LIST, listing->prefix, &apply);
    enum err_kind kind = ERR_CORRUPT;
    if (result == RESULT_DONE)
        return false;
    if (result == RESULT_DENIED)
        kind = ERR_DENIED;
    if (result == RESULT_BUSY)
        kind = ERR_BUSY;
    if (result == RESULT_UNKNOWN)
        kind = ERR_UNKNOWN_OUTCOME;
    if (result == RESULT_REFUSED)
        kind = ERR_MISSING;
    ERR(&listing->err, kind, "listing %s on %s: %s", listing->prefix, memory->store.name,
        store_result_name(result));
    return true;
}

static void entry_end_copy(struct store_memory *memory, struct entry *entry, enum copy_state how)
{
    entry->copy = how;
    if (how != COPY_NONE)
        entry->size_bytes = 0;
    entry_stamp(memory, entry);
}

/* A copy that is pending is over when its time has come, or was seen so by a listing. */
static void entry_settle(struct store_memory *memory, struct entry *entry, bool was_listed)
{
    bool is_over = entry->over_us == 0
                       ? was_listed
                       : memory->clock->ops->now_us(memory->clock) >= entry->over_us;
    if (entry->copy == COPY_PENDING && is_over)
        entry_end_copy(memory, entry, entry->fails ? COPY_FAILED : COPY_NONE);
}

static void object_show(const struct entry *entry, struct object *object, struct arena *arena)
{
    bool whole = entry->copy == COPY_NONE;
    *object = (struct object){
        .key = arena_copy(arena, entry->key),
        .bytes = whole ? entry->size_bytes : 0,
        .etag = arena_copy(arena, entry->etag),
        .md5_origin = whole ? MD5_CLAIMED : MD5_ABSENT,
        .tier = entry->tier,
        .copy = entry->copy,
        .copy_id = entry->copy_id[0] != '\0' ? arena_copy(arena, entry->copy_id) : NULL,
        .copy_says = entry->copy == COPY_FAILED ? "500 InternalError" : NULL,
    };
    if (whole)
        memcpy(object->md5, entry->md5, sizeof object->md5);
}

static bool is_listed(const struct listing *listing, const char *key)
{
    return listing->exact ? str_equal(key, listing->prefix) : str_starts(key, listing->prefix);
}

static void list_one(struct store_memory *memory, struct listing *listing, struct arena *arena)
{
    size_t at = listing->marker ? lower_bound(memory, listing->marker, true)
                                : lower_bound(memory, listing->prefix, false);
    size_t end = at, shown = 0;
    size_t most = memory->page;
    if (listing->limit > 0 && listing->limit < most)
        most = listing->limit;
    for (; end < memory->count && is_listed(listing, memory->entries[end]->key); end++) {
        if (!memory->entries[end]->gone && shown++ == most)
            break;
    }
    bool more = shown > most;
    listing->objects = arena_make(arena, (shown - more) * sizeof *listing->objects + 1);
    for (size_t i = at; i < end; i++) {
        if (memory->entries[i]->gone)
            continue;
        entry_settle(memory, memory->entries[i], false);
        object_show(memory->entries[i], &listing->objects[listing->count++], arena);
        entry_settle(memory, memory->entries[i], true);
    }
    listing->marker = more ? listing->objects[listing->count - 1].key : NULL;
    listing->server_us = memory->clock ? memory->clock->ops->now_us(memory->clock) : 0;
}

static void memory_list(struct store *store, struct listing *listings, size_t count,
                        struct arena *arena)
{
    struct store_memory *memory = memory_of(store);
    assert(count <= STORE_LISTINGS_MAX);
    for (size_t i = 0; i < count; i++) {
        listings[i].objects = NULL;
        listings[i].count = 0;
        listings[i].server_us = 0;
        listings[i].protocol = NULL;
        listings[i].err = (struct err){0};
        if (list_fault(memory, &listings[i]))
            continue;
        pthread_mutex_lock(&memory->mutex);
        list_one(memory, &listings[i], arena);
        pthread_mutex_unlock(&memory->mutex);
    }
}

/* The bytes behind the source key, if it still has the etag. */
static enum store_result source_take(struct store_memory *source, const struct copy *copy,
                                     char **bytes, size_t *size_bytes)
{
    pthread_mutex_lock(&source->mutex);
    const struct entry *entry = entry_find(source, copy->source_key);
    enum store_result result = entry_check(entry, copy->source_etag);
    if (result == RESULT_DONE) {
        *bytes = bytes_copy(entry->bytes, entry->size_bytes);
        *size_bytes = entry->size_bytes;
    }
    pthread_mutex_unlock(&source->mutex);
    return result;
}

static void entry_begin_copy(struct store_memory *memory, struct entry *entry, bool fails)
{
    entry->copy = COPY_PENDING;
    entry->fails = fails;
    entry->over_us = 0;
    if (memory->copy_time_us > 0)
        entry->over_us = memory->clock->ops->now_us(memory->clock) + memory->copy_time_us;
    snprintf(entry->copy_id, sizeof entry->copy_id, "copy-%llu",
             (unsigned long long)memory->version);
}

/* Takes the bytes over.  fault: DONE, or PENDING with what becomes of it. */
static enum store_result target_put(struct store_memory *target, struct copy *copy, char *bytes,
                                    size_t size_bytes, enum store_result fault, bool apply)
{
    if (entry_find(target, copy->target_key)) {
        free(bytes);
        return RESULT_EXISTS;
    }
    struct entry *entry = entry_make(target, copy->target_key);
    entry_fill(target, entry, bytes, size_bytes);
    entry->tier = copy->tier;
    snprintf(copy->target_etag, sizeof copy->target_etag, "%s", entry->etag);
    if (fault == RESULT_PENDING) {
        entry_begin_copy(target, entry, !apply);
        memcpy(copy->copy_id, entry->copy_id, sizeof copy->copy_id);
        return RESULT_PENDING;
    }
    if (target->computes) {
        copy->md5_origin = MD5_COMPUTED;
        memcpy(copy->md5, entry->md5, sizeof copy->md5);
    }
    return RESULT_DONE;
}

static enum store_result copy_one(struct store_memory *target, struct store_memory *source,
                                  struct copy *copy, enum store_result fault, bool apply)
{
    char *bytes = NULL;
    size_t size_bytes = 0;
    enum store_result result = source_take(source, copy, &bytes, &size_bytes);
    if (result != RESULT_DONE)
        return result;
    pthread_mutex_lock(&target->mutex);
    result = target_put(target, copy, bytes, size_bytes, fault, apply);
    pthread_mutex_unlock(&target->mutex);
    return result;
}

static void count_write(struct store_memory *memory)
{
    pthread_mutex_lock(&memory->mutex);
    memory->writes++;
    pthread_mutex_unlock(&memory->mutex);
}

static void forget_reply(struct copy *copy)
{
    copy->target_etag[0] = copy->copy_id[0] = '\0';
    memset(copy->md5, 0, sizeof copy->md5);
    copy->md5_origin = MD5_ABSENT;
}

static void memory_copy(struct store *target_store, struct store *source_store, struct copy *copies,
                        size_t count)
{
    struct store_memory *target = memory_of(target_store), *source = memory_of(source_store);
    assert(str_equal(target_store->ops->kind, source_store->ops->kind));
    for (size_t i = 0; i < count; i++) {
        bool apply;
        enum store_result fault =
            fault_ask(target, STORE_MEMORY_COPY, copies[i].target_key, &apply);
        enum store_result result = fault;
        forget_reply(&copies[i]);
        count_write(target);
        if (fault == RESULT_DONE || fault == RESULT_PENDING || (fault == RESULT_UNKNOWN && apply))
            result = copy_one(target, source, &copies[i], fault, apply);
        if (fault == RESULT_UNKNOWN) {
            forget_reply(&copies[i]);
            result = RESULT_UNKNOWN;
        }
        copies[i].outcome = outcome_make(result);
    }
}

static enum store_result put_one(struct store_memory *memory, struct putting *putting)
{
    pthread_mutex_lock(&memory->mutex);
    bool taken = entry_find(memory, putting->key) != NULL;
    if (!taken) {
        struct entry *entry = entry_make(memory, putting->key);
        entry_fill(memory, entry, bytes_copy(putting->bytes, putting->size_bytes),
                   putting->size_bytes);
        snprintf(putting->etag, sizeof putting->etag, "%s", entry->etag);
    }
    pthread_mutex_unlock(&memory->mutex);
    return taken ? RESULT_EXISTS : RESULT_DONE;
}

static void memory_put(struct store *store, struct putting *puttings, size_t count)
{
    struct store_memory *memory = memory_of(store);
    for (size_t i = 0; i < count; i++) {
        bool apply;
        enum store_result result = fault_ask(memory, STORE_MEMORY_PUT, puttings[i].key, &apply);
        puttings[i].etag[0] = '\0';
        puttings[i].versioned = false;
        count_write(memory);
        if (result == RESULT_DONE || (result == RESULT_UNKNOWN && apply)) {
            enum store_result done = put_one(memory, &puttings[i]);
            result = result == RESULT_DONE ? done : result;
        }
        if (result != RESULT_DONE)
            puttings[i].etag[0] = '\0';
        puttings[i].outcome = outcome_make(result);
    }
}

static enum store_result abort_one(struct store_memory *memory, const struct aborting *aborting)
{
    pthread_mutex_lock(&memory->mutex);
    struct entry *entry = entry_find(memory, aborting->key);
    bool is_it = entry && str_equal(entry->copy_id, aborting->copy_id);
    if (is_it)
        entry_settle(memory, entry, false);
    if (is_it && entry->copy == COPY_PENDING)
        entry_end_copy(memory, entry, COPY_ABORTED);
    pthread_mutex_unlock(&memory->mutex);
    return is_it ? RESULT_DONE : RESULT_CHANGED;
}

static void memory_abort_copy(struct store *store, struct aborting *abortings, size_t count)
{
    struct store_memory *memory = memory_of(store);
    for (size_t i = 0; i < count; i++) {
        bool apply;
        enum store_result result = fault_ask(memory, STORE_MEMORY_ABORT, abortings[i].key, &apply);
        count_write(memory);
        if (result == RESULT_DONE)
            result = abort_one(memory, &abortings[i]);
        else if (result == RESULT_UNKNOWN && apply)
            abort_one(memory, &abortings[i]);
        abortings[i].outcome = outcome_make(result);
    }
}

static enum store_result remove_one(struct store_memory *memory, const struct deletion *deletion)
{
    pthread_mutex_lock(&memory->mutex);
    struct entry *entry = entry_find(memory, deletion->key);
    enum store_result result = entry ? entry_check(entry, deletion->etag) : RESULT_DONE;
    if (entry && result == RESULT_DONE)
        entry_remove(memory, entry);
    pthread_mutex_unlock(&memory->mutex);
    return result;
}

static void memory_remove(struct store *store, struct deletion *deletions, size_t count)
{
    struct store_memory *memory = memory_of(store);
    for (size_t i = 0; i < count; i++) {
        bool apply;
        enum store_result result = fault_ask(memory, STORE_MEMORY_REMOVE, deletions[i].key, &apply);
        count_write(memory);
        if (result == RESULT_DONE)
            result = remove_one(memory, &deletions[i]);
        else if (result == RESULT_UNKNOWN && apply)
            remove_one(memory, &deletions[i]);
        deletions[i].outcome = outcome_make(result);
    }
}

static enum store_result read_one(struct store_memory *memory, struct reading *reading)
{
    pthread_mutex_lock(&memory->mutex);
    const struct entry *entry = entry_find(memory, reading->key);
    enum store_result result = entry_check(entry, reading->etag);
    if (result == RESULT_DONE && reading->from < entry->size_bytes) {
        size_t left = entry->size_bytes - (size_t)reading->from;
        reading->got_bytes = left < reading->size_bytes ? left : reading->size_bytes;
        memcpy(reading->bytes, entry->bytes + reading->from, reading->got_bytes);
    }
    pthread_mutex_unlock(&memory->mutex);
    return result;
}

static void memory_read(struct store *store, struct reading *readings, size_t count)
{
    struct store_memory *memory = memory_of(store);
    for (size_t i = 0; i < count; i++) {
        bool apply;
        enum store_result result = fault_ask(memory, STORE_MEMORY_READ, readings[i].key, &apply);
        readings[i].got_bytes = 0;
        if (result == RESULT_DONE)
            result = read_one(memory, &readings[i]);
        readings[i].outcome = outcome_make(result);
    }
}

static enum store_result set_one(struct store_memory *memory, const struct tiering *tiering)
{
    if (tiering->tier == TIER_DEFAULT || tiering->tier == TIER_ARCHIVE)
        return RESULT_REFUSED;
    pthread_mutex_lock(&memory->mutex);
    struct entry *entry = entry_find(memory, tiering->key);
    if (entry)
        entry->tier = tiering->tier;
    pthread_mutex_unlock(&memory->mutex);
    return entry ? RESULT_DONE : RESULT_CHANGED;
}

static void memory_set_tier(struct store *store, struct tiering *tierings, size_t count)
{
    struct store_memory *memory = memory_of(store);
    for (size_t i = 0; i < count; i++) {
        bool apply;
        enum store_result result = fault_ask(memory, STORE_MEMORY_TIER, tierings[i].key, &apply);
        count_write(memory);
        if (result == RESULT_DONE)
            result = set_one(memory, &tierings[i]);
        else if (result == RESULT_UNKNOWN && apply)
            set_one(memory, &tierings[i]);
        tierings[i].outcome = outcome_make(result);
    }
}

static void memory_close(struct store *store)
{
    struct store_memory *memory = memory_of(store);
    for (size_t i = 0; i < memory->count; i++)
        entry_free(memory->entries[i]);
    free(memory->entries);
    pthread_mutex_destroy(&memory->mutex);
    free((char *)memory->store.name);
    free(memory);
}

void store_memory_put(struct store_memory *memory, const char *key, const void *bytes,
                      size_t size_bytes)
{
    pthread_mutex_lock(&memory->mutex);
    entry_fill(memory, entry_make(memory, key), bytes_copy(bytes, size_bytes), size_bytes);
    pthread_mutex_unlock(&memory->mutex);
}

void store_memory_remove(struct store_memory *memory, const char *key)
{
    pthread_mutex_lock(&memory->mutex);
    struct entry *entry = entry_find(memory, key);
    if (entry)
        entry_remove(memory, entry);
    pthread_mutex_unlock(&memory->mutex);
}

const void *store_memory_get(const struct store_memory *memory, const char *key, size_t *size_bytes,
                             const char **etag)
{
    const struct entry *entry = entry_find(memory, key);
    if (!entry)
        return NULL;
    if (size_bytes)
        *size_bytes = entry->copy == COPY_NONE ? entry->size_bytes : 0;
    if (etag)
        *etag = entry->etag;
    return entry->bytes;
}

size_t store_memory_count(const struct store_memory *memory)
{
    return memory->count - memory->gone;
}

uint64_t store_memory_writes(const struct store_memory *memory)
{
    return memory->writes;
}

void store_memory_set_fault(struct store_memory *memory, store_memory_fault *fault, void *context)
{
    memory->fault = fault;
    memory->fault_context = context;
}

void store_memory_set_computes(struct store_memory *memory, bool computes)
{
    memory->computes = computes;
}

void store_memory_set_copy_time(struct store_memory *memory, int64_t us)
{
    memory->copy_time_us = us;
}

void store_memory_set_page(struct store_memory *memory, size_t objects)
{
    assert(objects > 0);
    memory->page = objects;
}

struct store *store_memory_store(struct store_memory *memory)
{
    return &memory->store;
}

static const struct store_ops memory_ops = {
    .kind = "memory",
    .flat = true,
    .batches = true,
    .list = memory_list,
    .copy = memory_copy,
    .put = memory_put,
    .abort_copy = memory_abort_copy,
    .remove = memory_remove,
    .read = memory_read,
    .set_tier = memory_set_tier,
    .tidy = NULL,
    .close = memory_close,
};

struct store_memory *store_memory_make(const char *name, struct clock *clock)
{
    struct store_memory *memory = must(calloc(1, sizeof *memory));
    memory->store.ops = &memory_ops;
    memory->store.name = must(strdup(name));
    memory->clock = clock;
    memory->page = STORE_PAGE_MAX;
    memory->computes = true;
    pthread_mutex_init(&memory->mutex, NULL);
    return memory;
}
