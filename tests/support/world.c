#include "tests/support/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "executor/pool.h"
#include "state/location.h"
#include "tests/support/scratch.h"

#define START_US INT64_C(1750000000000000)

static const char *const bases[WORLD_STORES] = {"https://hot.example/data/",
                                                "https://cold.example/data/"};
static const char *const names[WORLD_STORES] = {"hot", "cold"};

static void open_journal(struct world *world)
{
    struct err err;
    if (!journal_open(world->folder, JOURNAL_WRITE, &world->clock.clock, &world->hands.journal,
                      &err))
        fail_msg("%s", err.text);
}

void world_make(struct world *world)
{
    static const struct catalog_reference reference = {"training_set", "file_url"};
    *world = (struct world){.config = {.id = "id",
                                       .location = "location",
                                       .table = "t",
                                       .references = &reference,
                                       .reference_count = 1}};
    arena_init(&world->arena, (size_t)64 << 20);
    clock_fake_init(&world->clock, START_US);
    world->rows = catalog_memory_make(&world->config, NULL);
    for (int i = 0; i < WORLD_STORES; i++) {
        world->objects[i] = store_memory_make(names[i], &world->clock.clock);
        world->stores[i] = store_memory_store(world->objects[i]);
        world->definitions[i] = (struct policy_store){.name = names[i]};
        world->places[i] = (struct place){.store = names[i], .base = bases[i]};
    }
    world->policies = (struct policies){.stores = world->definitions,
                                        .store_count = WORLD_STORES,
                                        .places = {.items = world->places, .count = WORLD_STORES}};
    scratch_folder(world->folder, sizeof(world->folder));
    world->hands = (struct hands){.stores = world->stores,
                                  .policies = &world->policies,
                                  .catalog = catalog_memory_catalog(world->rows),
                                  .clock = &world->clock.clock,
                                  .stop = &world->stop,
                                  .counters = &world->counters,
                                  .copy_timeout_us = WORLD_COPY_TIMEOUT_US,
                                  .wait_until_us = INT64_MAX};
    open_journal(world);
}

void world_free(struct world *world)
{
    journal_close(world->hands.journal);
    catalog_close(world->hands.catalog);
    for (int i = 0; i < WORLD_STORES; i++)
        store_close(world->stores[i]);
    scratch_remove(world->folder);
    arena_free(&world->arena);
}

void world_restart(struct world *world)
{
    journal_close(world->hands.journal);
    atomic_store(&world->stop, false);
    open_journal(world);
}

/* The bytes of an object follow from its key, so that whoever finds it can tell. */
static const char *content_of(struct world *world, const char *key)
{
    return str_format(&world->arena, "content of %s", key);
}

static void put_object(struct world *world, const char *directory, const char *name)
{
    const char *key = str_format(&world->arena, "%s%s", directory, name);
    const char *content = content_of(world, key);
    store_memory_put(world->objects[WORLD_HOT], key, content, strlen(content));
}

void world_put(struct world *world, const char *id, const char *directory, const char *const *more)
{
    const char *name = str_format(&world->arena, "%s.ecalmeas", id);
    struct record record = {
        .id = id,
        .location = location_make(&world->places[WORLD_HOT], directory, name, &world->arena)};
    catalog_memory_put(world->rows, &record);
    put_object(world, directory, name);
    for (; more != NULL && *more != NULL; more++)
        put_object(world, directory, *more);
}

static void make_rows(struct world *world, struct cohort *cohort, struct task *task,
                      const struct world_move *move)
{
    task->row_count = move->id_count;
    task->rows = arena_make(&cohort->arena, move->id_count * sizeof(*task->rows) + 1);
    for (size_t i = 0; i < move->id_count; i++) {
        const char *name = str_ends(move->directory, "/")
                               ? str_format(&cohort->arena, "%s.ecalmeas", move->ids[i])
                               : "";
        task->rows[i] = (struct catalog_row){
            .id = move->ids[i],
            .old_location =
                location_make(&world->places[WORLD_HOT], move->directory, name, &cohort->arena),
            .new_location =
                location_make(&world->places[WORLD_COLD], move->directory, name, &cohort->arena)};
    }
}

static void init_cohort(struct world *world, struct cohort *cohort)
{
    *cohort = (struct cohort){.hands = &world->hands};
    arena_init(&cohort->arena, (size_t)64 << 20);
    arena_init(&cohort->scratch, (size_t)64 << 20);
    cohort->tasks = calloc(COHORT_UNITS_MAX, sizeof(*cohort->tasks));
    assert_non_null(cohort->tasks);
}

void world_cohort(struct world *world, struct cohort *cohort, const struct world_move *moves,
                  size_t count)
{
    init_cohort(world, cohort);
    cohort->count = count;
    for (size_t i = 0; i < count; i++) {
        struct task *task = &cohort->tasks[i];
        task->source = WORLD_HOT;
        task->target = WORLD_COLD;
        task->entry = (struct journal_unit){
            .unit = {.run = 1,
                     .verify = moves[i].verify,
                     .grace_us = moves[i].grace_us,
                     .keep_source = moves[i].keep_source,
                     .rows = (uint32_t)moves[i].id_count},
            .source =
                location_make(&world->places[WORLD_HOT], moves[i].directory, "", &cohort->arena),
            .target =
                location_make(&world->places[WORLD_COLD], moves[i].directory, "", &cohort->arena),
            .source_store = names[WORLD_HOT],
            .target_store = names[WORLD_COLD],
            .directory = moves[i].directory,
            .policy = "age-out"};
        task->next = task->entry.unit;
        make_rows(world, cohort, task, &moves[i]);
        task->event = (struct event){.kind = EVENT_RESUME, .now_us = world->clock.instant_us};
        task->fresh = true;
    }
}

void world_cohort_free(struct cohort *cohort)
{
    arena_free(&cohort->arena);
    arena_free(&cohort->scratch);
    free(cohort->tasks);
}

bool world_carry(struct world *world, struct cohort *cohort, const struct world_move *moves,
                 size_t count)
{
    struct err err;
    world_cohort(world, cohort, moves, count);
    return pool_carry(cohort, &err);
}

struct resume {
    struct world *world;
    struct cohort cohort;
};

static bool take_open(void *context, const struct journal_unit *entry, struct err *err)
{
    struct resume *resume = context;
    struct cohort *cohort = &resume->cohort;
    struct task *task = &cohort->tasks[cohort->count++];
    struct arena *arena = &cohort->arena;
    *task = (struct task){.entry = *entry, .source = WORLD_HOT, .target = WORLD_COLD};
    task->entry.source = arena_copy(arena, entry->source);
    task->entry.target = arena_copy(arena, entry->target);
    task->entry.directory = arena_copy(arena, entry->directory);
    task->entry.policy = arena_copy(arena, entry->policy);
    task->next = entry->unit;
    task->event =
        (struct event){.kind = entry->unit.state == UNIT_PARKED ? EVENT_RETRY : EVENT_RESUME,
                       .now_us = resume->world->clock.instant_us};
    task->fresh = true;
    return journal_rows_get(resume->world->hands.journal, entry->unit.id, arena, &task->rows,
                            &task->row_count, err);
}

size_t world_resume(struct world *world)
{
    struct resume resume = {.world = world};
    struct journal_filter filter = {.open_only = true};
    struct err err;
    init_cohort(world, &resume.cohort);
    if (!journal_each(world->hands.journal, &filter, take_open, &resume, &err) ||
        !pool_carry(&resume.cohort, &err))
        fail_msg("%s", err.text);
    size_t count = resume.cohort.count;
    world_cohort_free(&resume.cohort);
    return count;
}

bool world_is_at(const struct world *world, const char *id, int store)
{
    const char *location = catalog_memory_location(world->rows, id);
    return location != NULL && str_starts(location, bases[store]);
}

bool world_has(const struct world *world, int store, const char *key)
{
    size_t size;
    const char *etag;
    return store_memory_get(world->objects[store], key, &size, &etag) != NULL;
}

bool world_rows_are_whole(struct world *world, const char *const *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct location location;
        const char *text = catalog_memory_location(world->rows, ids[i]);
        if (text == NULL || location_read(&world->policies.places, text, &world->arena,
                                          &location) != SPELLING_REGULAR)
            return false;
        const char *key = str_format(&world->arena, "%s%s", location.directory, location.name);
        const char *content = content_of(world, key);
        size_t size;
        const char *etag;
        const void *bytes = store_memory_get(world->objects[location.place], key, &size, &etag);
        if (bytes == NULL || size != strlen(content) || memcmp(bytes, content, size) != 0)
            return false;
    }
    return true;
}
