#include "executor/trial.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/rand.h"
#include "base/str.h"

#define LISTING_BYTES_MAX ((size_t)64 << 20)

struct trying {
    struct trial *trials;
    size_t count;
    struct arena *arena;
    const atomic_bool *stop;
};

static bool goes_on(const struct trying *trying)
{
    return !atomic_load(trying->stop);
}

static bool is_done(const struct store_outcome *outcome)
{
    return outcome->result == RESULT_DONE;
}

/* -- what is tried ----------------------------------------------------------------------------- */

static void look(struct trial *trial, struct clock *clock, struct arena *arena)
{
    struct listing listing = {.prefix = trial->folder, .limit = 1};
    trial->store->ops->list(trial->store, &listing, 1, arena);
    trial->listed = listing.err;
    trial->protocol = listing.protocol;
    trial->has_clock = listing.server_us != 0;
    if (trial->has_clock)
        trial->skew_us = listing.server_us - clock->ops->now_us(clock);
}

static void put_objects(const struct trying *trying, struct trial *trial)
{
    snprintf(trial->bytes, sizeof trial->bytes, "frostline doctor %016" PRIx64 "\n", rand_system());
    for (size_t i = 0; i < TRIAL_OBJECTS; i++)
        trial->puttings[i] =
            (struct putting){.key = str_format(trying->arena, "%sobject-%zu", trial->folder, i + 1),
                             .bytes = trial->bytes,
                             .size_bytes = strlen(trial->bytes)};
    trial->store->ops->put(trial->store, trial->puttings, TRIAL_OBJECTS);
    trial->put = true;
    for (size_t i = 0; i < TRIAL_OBJECTS; i++)
        trial->put = trial->put && is_done(&trial->puttings[i].outcome);
}

static void read_back(struct trial *trial)
{
    char bytes[sizeof trial->bytes];
    struct reading *reading = &trial->reading;
    *reading = (struct reading){.key = trial->puttings[0].key,
                                .etag = trial->puttings[0].etag,
                                .bytes = bytes,
                                .size_bytes = strlen(trial->bytes)};
    trial->store->ops->read(trial->store, reading, 1);
    reading->bytes = NULL;
    bool same = reading->got_bytes == reading->size_bytes &&
                memcmp(bytes, trial->bytes, reading->size_bytes) == 0;
    if (is_done(&reading->outcome) && !same)
        reading->outcome.result = RESULT_CHANGED;
}

static bool can_copy(const struct trial *target, const struct trial *source)
{
    return target != source && target->put && source->put &&
           str_equal(target->store->ops->kind, source->store->ops->kind);
}

static void copy_to(const struct trying *trying, struct trial *target)
{
    target->copies = arena_make(trying->arena, trying->count * sizeof *target->copies);
    for (size_t i = 0; i < trying->count && goes_on(trying); i++) {
        const struct trial *source = &trying->trials[i];
        if (!can_copy(target, source))
            continue;
        struct trial_copy *made = &target->copies[target->copy_count++];
        made->source = i;
        made->copy =
            (struct copy){.source_key = source->puttings[0].key,
                          .source_etag = source->puttings[0].etag,
                          .target_key = str_format(trying->arena, "%scopy-%zu", target->folder, i),
                          .bytes = source->puttings[0].size_bytes};
        target->store->ops->copy(target->store, source->store, &made->copy, 1);
    }
}

static struct deletion deletion_of(const struct putting *putting)
{
    return (struct deletion){.key = putting->key, .etag = putting->etag};
}

static void remove_objects(struct trial *trial)
{
    const struct store_ops *ops = trial->store->ops;
    trial->alone = deletion_of(&trial->puttings[0]);
    ops->remove(trial->store, &trial->alone, 1);
    if (!ops->batches)
        return;
    for (size_t i = 0; i < 2; i++)
        trial->pair[i] = deletion_of(&trial->puttings[i + 1]);
    ops->remove(trial->store, trial->pair, 2);
    trial->batched = is_done(&trial->pair[0].outcome) && is_done(&trial->pair[1].outcome);
}

/* -- nothing stays ----------------------------------------------------------------------------- */

static void note_left(struct trial *trial, const char *key, struct arena *arena)
{
    trial->left = trial->left ? str_format(arena, "%s %s", trial->left, key) : key;
}

/* Each alone: what was refused to all of them together may be granted to one. */
static void remove_listed(struct trial *trial, const struct listing *listing, struct arena *arena)
{
    for (size_t i = 0; i < listing->count; i++) {
        const struct object *object = &listing->objects[i];
        struct deletion deletion = {.key = object->key, .etag = object->etag};
        trial->store->ops->remove(trial->store, &deletion, 1);
        if (!is_done(&deletion.outcome))
            note_left(trial, arena_copy(arena, object->key), arena);
    }
}

/* What was sent and not answered may come yet. */
static bool is_in_doubt(const struct trial *trial)
{
    bool doubt = false;
    for (size_t i = 0; i < TRIAL_OBJECTS; i++)
        doubt = doubt || trial->puttings[i].outcome.result == RESULT_UNKNOWN;
    for (size_t i = 0; i < trial->copy_count; i++)
        doubt = doubt || trial->copies[i].copy.outcome.result == RESULT_UNKNOWN;
    return doubt;
}

/* What is there now, whatever the replies said, below a name that is ours alone. */
static void sweep(const struct trying *trying, struct trial *trial)
{
    struct listing listing = {.prefix = trial->folder};
    struct store *store = trial->store;
    struct arena arena;
    struct err ignored;
    arena_init(&arena, LISTING_BYTES_MAX);
    store->ops->list(store, &listing, 1, &arena);
    if (listing.err.kind == ERR_NONE)
        remove_listed(trial, &listing, trying->arena);
    if (listing.err.kind != ERR_NONE || is_in_doubt(trial))
        note_left(trial, trial->folder, trying->arena);
    arena_free(&arena);
    if (!trial->left && store->ops->tidy && !store->ops->tidy(store, trial->folder, 0, &ignored))
        note_left(trial, trial->folder, trying->arena);
}

/* -- all of it --------------------------------------------------------------------------------- */

static bool has_objects(const struct trial *trial)
{
    return trial->puttings[0].key != NULL;
}

static void try_writing(const struct trying *trying)
{
    for (size_t i = 0; i < trying->count && goes_on(trying); i++) {
        struct trial *trial = &trying->trials[i];
        if (!trial->store || trial->read_only || trial->listed.kind != ERR_NONE)
            continue;
        put_objects(trying, trial);
        if (trial->put)
            read_back(trial);
    }
    for (size_t i = 0; i < trying->count && goes_on(trying); i++)
        if (trying->trials[i].put)
            copy_to(trying, &trying->trials[i]);
    for (size_t i = 0; i < trying->count && goes_on(trying); i++)
        if (trying->trials[i].put)
            remove_objects(&trying->trials[i]);
}

void trial_look(struct trial *trials, size_t count, struct clock *clock, struct arena *arena,
                const atomic_bool *stop)
{
    for (size_t i = 0; i < count && !atomic_load(stop); i++) {
        trials[i].folder = str_format(arena, TRIAL_FOLDER "%016" PRIx64 "%016" PRIx64 "/",
                                      rand_system(), rand_system());
        if (trials[i].store)
            look(&trials[i], clock, arena);
    }
}

void trial_run(struct trial *trials, size_t count, struct arena *arena, const atomic_bool *stop)
{
    struct trying trying = {.trials = trials, .count = count, .arena = arena, .stop = stop};
    try_writing(&trying);
    for (size_t i = 0; i < count; i++)
        if (has_objects(&trials[i]))
            sweep(&trying, &trials[i]);
}
