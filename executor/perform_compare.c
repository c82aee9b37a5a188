/* Reading back: bytes of both sides, where nothing less proves that they are equal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor/perform_private.h"

#define SIDE_BYTES ((size_t)2 << 20)    /* of each side in memory at a time          */
#define PIECE_BYTES ((size_t)256 << 10) /* a range of a large object: many at once */
#define PIECES_MAX (SIDE_BYTES / PIECE_BYTES)
#define GROUP_MAX 256 /* small objects compared together */

/* Both sides of what is compared at a time. */
struct sides {
    char *source, *target; /* SIDE_BYTES each */
    struct reading at_source[GROUP_MAX], at_target[GROUP_MAX];
    struct item {
        struct task *task;
        struct object_fact *fact;
    } items[GROUP_MAX];
    size_t count, used_bytes;
};

static void add_range(const struct crew *crew, struct sides *sides, struct task *task,
                      struct object_fact *fact, uint64_t from, size_t size_bytes)
{
    const char *key = perform_key(crew->cohort, task, fact);
    struct reading source = {.key = key,
                             .etag = fact->want.etag,
                             .from = from,
                             .bytes = sides->source + sides->used_bytes,
                             .size_bytes = size_bytes};
    struct reading target = source;
    target.etag = fact->target_etag;
    target.bytes = sides->target + sides->used_bytes;
    sides->at_source[sides->count] = source;
    sides->at_target[sides->count] = target;
    sides->items[sides->count++] = (struct item){.task = task, .fact = fact};
    sides->used_bytes += size_bytes;
}

/* A side that changed meanwhile is not equal; which side it was decides what becomes of the unit:
 * a source that changed ends it, a target that changed is seen by the next look.                 */
static enum store_result compare(const struct reading *source, const struct reading *target,
                                 bool *equal)
{
    *equal = false;
    if (source->outcome.result != RESULT_DONE)
        return source->outcome.result;
    if (target->outcome.result == RESULT_CHANGED)
        return RESULT_UNKNOWN;
    if (target->outcome.result != RESULT_DONE)
        return target->outcome.result;
    *equal = source->got_bytes == source->size_bytes && target->got_bytes == target->size_bytes &&
             memcmp(source->bytes, target->bytes, source->size_bytes) == 0;
    return RESULT_DONE;
}

static void count_comparison(struct task *task, const struct object_fact *fact,
                             enum store_result result, bool equal)
{
    struct tally *tally = &task->event.tally;
    char unread[64];
    snprintf(unread, sizeof(unread), "can't be read back: %s", store_result_name(result));
    if (result != RESULT_DONE)
        perform_blame(task, fact->want.key, unread);
    else if (!equal)
        perform_blame(task, fact->want.key, "at the target has other bytes than at the source");
    if (result == RESULT_DONE && equal)
        tally->done++;
    else if (result == RESULT_DONE)
        tally->differs++;
    else if (result == RESULT_CHANGED)
        tally->changed++;
    else if (result == RESULT_REFUSED)
        tally->refused++;
    else if (result == RESULT_DENIED)
        tally->denied++;
    else if (result == RESULT_BUSY)
        tally->busy++;
    else
        tally->unknown++;
}

static void read_sides(const struct crew *crew, struct sides *sides)
{
    struct store *source = crew->cohort->hands->stores[crew->tasks[0]->source];
    struct store *target = crew->cohort->hands->stores[crew->tasks[0]->target];
    source->ops->read(source, sides->at_source, sides->count);
    target->ops->read(target, sides->at_target, sides->count);
}

static bool note_proven(const struct crew *crew, struct task *task, struct object_fact *fact,
                        struct err *err)
{
    const struct object_fact *one = fact;
    fact->proven = true;
    return journal_facts_save(crew->cohort->hands->journal, task->entry.unit.id, &one, 1, err);
}

/* Compare the small objects that have been gathered. */
static bool compare_group(const struct crew *crew, struct sides *sides, struct err *err)
{
    struct arena_mark mark = arena_mark(&crew->cohort->scratch);
    if (sides->count > 0)
        read_sides(crew, sides);
    for (size_t i = 0; i < sides->count; i++) {
        struct item *item = &sides->items[i];
        bool equal;
        enum store_result result = compare(&sides->at_source[i], &sides->at_target[i], &equal);
        count_comparison(item->task, item->fact, result, equal);
        if (equal && !note_proven(crew, item->task, item->fact, err))
            return false;
    }
    sides->count = sides->used_bytes = 0;
    arena_back(&crew->cohort->scratch, mark);
    return true;
}

/* Compare an object that does not fit, PIECES_MAX ranges at a time. */
static bool compare_large(const struct crew *crew, struct sides *sides, struct task *task,
                          struct object_fact *fact, struct err *err)
{
    uint64_t from = 0;
    enum store_result result = RESULT_DONE;
    bool equal = true;
    while (from < fact->want.bytes && result == RESULT_DONE && equal) {
        struct arena_mark mark = arena_mark(&crew->cohort->scratch);
        while (from < fact->want.bytes && sides->count < PIECES_MAX) {
            uint64_t left = fact->want.bytes - from;
            size_t piece = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
            add_range(crew, sides, task, fact, from, piece);
            from += piece;
        }
        read_sides(crew, sides);
        for (size_t i = 0; i < sides->count && result == RESULT_DONE && equal; i++)
            result = compare(&sides->at_source[i], &sides->at_target[i], &equal);
        sides->count = sides->used_bytes = 0;
        arena_back(&crew->cohort->scratch, mark);
        if (atomic_load(crew->cohort->hands->stop) && from < fact->want.bytes)
            result = RESULT_BUSY;
    }
    count_comparison(task, fact, result, equal);
    return result != RESULT_DONE || !equal || note_proven(crew, task, fact, err);
}

static bool read_back_one(const struct crew *crew, struct sides *sides, struct task *task,
                          struct object_fact *fact, struct err *err)
{
    uint64_t bytes = fact->want.bytes;
    if (bytes == 0) {
        task->event.tally.done++;
        return note_proven(crew, task, fact, err);
    }
    bool fits = bytes <= SIDE_BYTES - sides->used_bytes && sides->count < GROUP_MAX;
    if (!fits && !compare_group(crew, sides, err))
        return false;
    if (bytes > SIDE_BYTES)
        return compare_large(crew, sides, task, fact, err);
    add_range(crew, sides, task, fact, 0, (size_t)bytes);
    return true;
}

static bool read_back_all(const struct crew *crew, struct sides *sides, struct err *err)
{
    for (size_t i = 0; i < crew->count; i++) {
        struct task *task = crew->tasks[i];
        for (size_t k = 0; k < task->fact_count; k++) {
            if (task->at_target[k] != OBJECT_CANNOT_TELL)
                continue;
            if (atomic_load(crew->cohort->hands->stop))
                return compare_group(crew, sides, err);
            if (!read_back_one(crew, sides, task, &task->facts[k], err))
                return false;
        }
    }
    return compare_group(crew, sides, err);
}

bool perform_read_back(const struct crew *crew, struct err *err)
{
    perform_begin_event(crew, EVENT_READ_BACK);
    struct sides *sides = arena_make(&crew->cohort->scratch, sizeof(*sides));
    sides->source = malloc(2 * SIDE_BYTES);
    if (sides->source == NULL)
        return ERR(err, ERR_INTERNAL, "no memory to read objects back");
    sides->target = sides->source + SIDE_BYTES;
    bool done = read_back_all(crew, sides, err);
    free(sides->source);
    return done || err_wrap(err, "writing down what was read back");
}
