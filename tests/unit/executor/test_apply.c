/* Runs of plan files over a world in memory: what is begun, carried on and deleted, and how it is
 * counted. */
#include "executor/apply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/zone.h"
#include "state/location.h"
#include "tests/support/world.h"

#define NO_POLICY "sha256:0000000000000000000000000000000000000000000000000000000000000000"
#define DAY_US (INT64_C(86400) * 1000000)
#define HOUR_US (DAY_US / 24)
#define MOVES 3
#define OBJECTS_EACH 3

static const char *const siblings[] = {"cam.h264", "can.asc", NULL};
static const char *const directories[MOVES] = {"rec/1/", "rec/10/", "rec/2/"};
static const char *const ids[MOVES] = {"R1", "R2", "R3"};

struct scene {
    struct world world;
    struct plan_guard guards[2]; /* of age-out and tidy */
    size_t shared;               /* so many of the first directories are moved by both */
    uint64_t catalog_rows;
    struct plan_store stores[WORLD_STORES];
    struct plan_header header;
    int64_t grace_us;
    const char *window;
    int64_t made_us;
    bool surveyed;
    int64_t reaps[MOVES]; /* units that the plan lists; 0: none */
    char path[128];
    struct apply_request request;
    struct apply_result result;
    enum apply_outcome last; /* what was reported last, and with which error */
    struct err last_err;
    size_t reported;
};

static int set_up(void **state)
{
    static struct scene scene;
    scene = (struct scene){.surveyed = true};
    world_make(&scene.world);
    for (size_t i = 0; i < MOVES; i++)
        world_put(&scene.world, ids[i], directories[i], siblings);
    for (int i = 0; i < WORLD_STORES; i++)
        scene.stores[i] = (struct plan_store){.name = scene.world.places[i].store,
                                              .base = scene.world.places[i].base};
    const uint64_t none = POLICY_NO_LIMIT;
    for (int i = 0; i < 2; i++)
        scene.guards[i] = (struct plan_guard){.policy = i == 0 ? "age-out" : "tidy",
                                              .guards = {.max_recordings = none,
                                                         .max_bytes = none,
                                                         .max_deletes = none,
                                                         .max_fraction_ppm = POLICY_FRACTION_ONE}};
    snprintf(scene.path, sizeof(scene.path), "%s/x.plan", scene.world.folder);
    scene.request = (struct apply_request){.hands = &scene.world.hands,
                                           .workers = 1,
                                           .run = 1,
                                           .begin_until_us = INT64_MAX,
                                           .take_until_us = INT64_MAX};
    *state = &scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    world_free(&scene->world);
    return 0;
}

/* -- plans ------------------------------------------------------------------------------------ */

/* The digest of what stands in a directory on hot. */
static void survey(struct world *world, struct plan_action *action)
{
    struct listing page = {.prefix = action->directory};
    struct store *store = world->stores[WORLD_HOT];
    store->ops->list(store, &page, 1, &world->arena);
    assert_null(page.marker);
    for (size_t i = 0; i < page.count; i++) {
        page.objects[i].key += strlen(action->directory);
        action->bytes += page.objects[i].bytes;
    }
    action->objects = page.count;
    object_manifest_digest(page.objects, page.count, &action->manifest);
}

static void add_move(struct scene *scene, struct plan_writer *writer, size_t index,
                     struct plan_summary *summary)
{
    struct world *world = &scene->world;
    const char *name = str_format(&world->arena, "%s.ecalmeas", ids[index]);
    struct plan_row row = {.id = ids[index],
                           .location = location_make(&world->places[WORLD_HOT], directories[index],
                                                     name, &world->arena),
                           .because = "older_than 90d: 107d"};
    struct plan_action action = {.kind = PLAN_MOVE,
                                 .store = WORLD_HOT,
                                 .directory = directories[index],
                                 .target = WORLD_COLD,
                                 .target_directory = directories[index],
                                 .policy = "age-out",
                                 .at = "x.yaml:1:1",
                                 .also = &scene->guards[1].policy,
                                 .also_count = index < scene->shared,
                                 .surveyed = scene->surveyed,
                                 .terms = {VERIFY_CHECKSUM, false, scene->grace_us},
                                 .window = scene->window,
                                 .oldest_us = INT64_MAX,
                                 .rows = &row,
                                 .row_count = 1,
                                 .row_total = 1};
    struct err err;
    if (scene->surveyed)
        survey(world, &action);
    if (!plan_file_add(writer, &action, &err))
        fail_msg("%s", err.text);
    summary->actions[PLAN_MOVE]++;
    summary->move_recordings++;
    summary->move_objects += action.objects;
    summary->move_bytes += action.bytes;
}

static void add_reap(struct scene *scene, struct plan_writer *writer, size_t index,
                     struct plan_summary *summary)
{
    struct plan_action action = {.kind = PLAN_REAP,
                                 .store = WORLD_HOT,
                                 .directory = directories[index],
                                 .target = WORLD_COLD,
                                 .target_directory = directories[index],
                                 .policy = "age-out",
                                 .oldest_us = INT64_MAX,
                                 .objects = OBJECTS_EACH,
                                 .unit = scene->reaps[index],
                                 .due_us = scene->world.clock.instant_us};
    struct err err;
    if (!plan_file_add(writer, &action, &err))
        fail_msg("%s", err.text);
    summary->actions[PLAN_REAP]++;
    summary->reap_objects += action.objects;
}

/* Moves of the first `moves` directories, or the reaps that the scene names. */
static void write_plan(struct scene *scene, size_t moves)
{
    scene->header = (struct plan_header){.policy_digest = NO_POLICY,
                                         .catalog = "memory:///t",
                                         .stores = scene->stores,
                                         .store_count = WORLD_STORES,
                                         .guards = scene->guards,
                                         .guard_count = 2,
                                         .journal = "none",
                                         .surveyed = scene->surveyed};
    struct plan_store_total totals[WORLD_STORES] = {0};
    struct plan_funnel funnel = {.policy = "age-out",
                                 .target = WORLD_COLD,
                                 .rows = scene->catalog_rows,
                                 .out = scene->catalog_rows};
    struct plan_summary summary = {.rows = scene->catalog_rows,
                                   .funnels = &funnel,
                                   .funnel_count = 1,
                                   .totals = totals,
                                   .total_count = WORLD_STORES};
    struct plan_made made = {
        .at_us = scene->made_us, .by = "test", .host = "h", .policy = "x.yaml"};
    struct plan_writer *writer;
    char digest[PLAN_DIGEST_MAX];
    struct err err;
    remove(scene->path);
    if (!plan_file_create(scene->path, &scene->header, &writer, &err))
        fail_msg("%s", err.text);
    for (size_t i = 0; i < MOVES; i++) {
        if (scene->reaps[i] != 0)
            add_reap(scene, writer, i, &summary);
        else if (i < moves)
            add_move(scene, writer, i, &summary);
    }
    if (!plan_file_finish(writer, &summary, &made, digest, &err))
        fail_msg("%s", err.text);
}

/* -- runs ------------------------------------------------------------------------------------- */

static void note_report(void *context, const struct task *task, enum apply_outcome outcome)
{
    struct scene *scene = context;
    scene->last = outcome;
    scene->last_err = task->err;
    scene->reported++;
}

static void run(struct scene *scene, bool with_plan)
{
    struct err err;
    scene->request.plan = NULL;
    scene->request.report = note_report;
    scene->request.report_context = scene;
    scene->reported = 0;
    if (with_plan && !plan_file_open(scene->path, &scene->request.plan, &err))
        fail_msg("%s", err.text);
    if (!apply_run(&scene->request, &scene->result, &err))
        fail_msg("%s", err.text);
    plan_file_close(scene->request.plan);
}

static void expect(const struct scene *scene, enum apply_outcome outcome, uint64_t count)
{
    if (scene->result.directories[outcome] != count)
        fail_msg("%s: %llu, wanted %llu", apply_outcome_name(outcome),
                 (unsigned long long)scene->result.directories[outcome], (unsigned long long)count);
}

static bool source_stands(struct scene *scene, size_t index)
{
    return world_has(&scene->world, WORLD_HOT,
                     str_format(&scene->world.arena, "%scan.asc", directories[index]));
}

static bool take_id(void *context, const struct journal_unit *unit, struct err *err)
{
    (void)err;
    int64_t *units = context;
    for (size_t i = 0; i < MOVES; i++)
        if (str_equal(unit->directory, directories[i]))
            units[i] = unit->unit.id;
    return true;
}

/* The open unit of each directory. */
static void open_units(struct scene *scene, int64_t units[MOVES])
{
    struct journal_filter filter = {.open_only = true};
    struct err err;
    memset(units, 0, MOVES * sizeof(*units));
    assert_true(journal_each(scene->world.hands.journal, &filter, take_id, units, &err));
}

/* The row and its objects are on hot again, by somebody else's hand. */
static void bring_back(struct scene *scene, size_t index)
{
    struct world *world = &scene->world;
    world_put(world, ids[index], directories[index], siblings);
}

static void a_plan_is_carried_out_once(void **state)
{
    struct scene *scene = *state;
    write_plan(scene, MOVES);
    run(scene, true);
    expect(scene, APPLY_MOVED, MOVES);
    assert_int_equal(scene->result.moved_recordings, MOVES);
    assert_int_equal(scene->result.moved_objects, MOVES * OBJECTS_EACH);
    assert_int_equal(scene->result.deleted_sources, MOVES);
    assert_int_equal(scene->result.not_begun, 0);
    assert_int_equal(store_memory_count(scene->world.objects[WORLD_HOT]), 0);
    assert_true(world_rows_are_whole(&scene->world, ids, MOVES));

    uint64_t writes = store_memory_writes(scene->world.objects[WORLD_COLD]);
    world_restart(&scene->world);
    run(scene, true);
    expect(scene, APPLY_ALREADY, MOVES);
    assert_int_equal(scene->result.deleted_sources, 0);
    assert_int_equal(store_memory_writes(scene->world.objects[WORLD_COLD]), writes);
}

/* A plan begins nothing outside its window, and has nothing left once it was carried out. */
static void nothing_begins_outside_its_window(void **state)
{
    struct scene *scene = *state;
    struct world *world = &scene->world;
    struct err err;
    if (!zone_open("Europe/Berlin", &world->arena, &world->policies.zone, &err))
        fail_msg("%s", err.text);
    scene->window = "sun 10:00-12:00";
    scene->grace_us = 7 * DAY_US;
    world->clock.instant_us = INT64_C(1748764799) * 1000000; /* 2025-06-01T07:59:59Z, a Sunday */
    write_plan(scene, MOVES);
    run(scene, true);
    expect(scene, APPLY_MOVED, 0);
    assert_int_equal(scene->result.outside, MOVES);
    assert_int_equal(scene->result.not_begun, 0);
    assert_true(source_stands(scene, 0));

    world->clock.instant_us += 1000000;
    run(scene, true);
    expect(scene, APPLY_MOVED, MOVES);
    assert_int_equal(scene->result.outside, 0);
    world->clock.instant_us += DAY_US;
    run(scene, true);
    expect(scene, APPLY_ALREADY, MOVES);
    assert_int_equal(scene->result.outside, 0);
}

static void nothing_begins_too_late(void **state)
{
    struct scene *scene = *state;
    struct world *world = &scene->world;
    scene->grace_us = 7 * DAY_US;
    scene->request.begin_until_us = world->clock.instant_us - 1;
    write_plan(scene, MOVES);
    run(scene, true);
    expect(scene, APPLY_MOVED, 0);
    assert_int_equal(scene->result.expired, MOVES);
    assert_int_equal(scene->result.not_begun, 0);
    assert_int_equal(store_memory_writes(world->objects[WORLD_COLD]), 0);

    scene->request.begin_until_us = world->clock.instant_us;
    run(scene, true);
    expect(scene, APPLY_MOVED, MOVES);
    assert_int_equal(scene->result.expired, 0);
    world->clock.instant_us += DAY_US;
    run(scene, true);
    expect(scene, APPLY_ALREADY, MOVES);
    assert_int_equal(scene->result.expired, 0);
}

static enum store_result take_an_hour(void *context, enum store_memory_verb verb, const char *key,
                                      bool *apply)
{
    struct world *world = context;
    (void)key;
    (void)apply;
    if (verb == STORE_MEMORY_COPY)
        world->clock.instant_us += HOUR_US;
    return RESULT_DONE;
}

/* What has begun in time is finished. */
static void a_long_run_begins_nothing_too_late(void **state)
{
    struct scene *scene = *state;
    struct world *world = &scene->world;
    scene->surveyed = false; /* one by one */
    scene->request.begin_until_us = world->clock.instant_us + HOUR_US - 1;
    write_plan(scene, MOVES);
    store_memory_set_fault(world->objects[WORLD_COLD], take_an_hour, world);
    run(scene, true);
    expect(scene, APPLY_MOVED, 1);
    assert_int_equal(scene->result.expired, MOVES - 1);
    assert_true(world_rows_are_whole(world, ids, MOVES));
}

/* Wherever the rows have gone since: only a new plan moves them again. */
static void a_plan_that_was_carried_out_does_nothing_more(void **state)
{
    struct scene *scene = *state;
    struct world *world = &scene->world;
    for (int graced = 0; graced < 2; graced++) {
        scene->grace_us = graced * 7 * DAY_US;
        scene->made_us = world->clock.instant_us;
        write_plan(scene, 1);
        run(scene, true);
        expect(scene, APPLY_MOVED, 1);
        assert_true(world_is_at(world, "R1", WORLD_COLD));
        world->clock.instant_us += 1000000;

        bring_back(scene, 0);
        run(scene, true);
        expect(scene, APPLY_ALREADY, 1);
        assert_true(world_is_at(world, "R1", WORLD_HOT));
    }
}

static void what_changed_since_the_plan_is_stale_and_the_rest_moves(void **state)
{
    struct scene *scene = *state;
    write_plan(scene, MOVES);
    store_memory_put(scene->world.objects[WORLD_HOT], "rec/10/new", "n", 1);
    run(scene, true);
    expect(scene, APPLY_MOVED, MOVES - 1);
    expect(scene, APPLY_STALE, 1);
    assert_true(world_is_at(&scene->world, "R2", WORLD_HOT));
}

/* As many as there were, and of the same size. */
static void what_was_rewritten_since_the_plan_is_stale(void **state)
{
    struct scene *scene = *state;
    struct store_memory *hot = scene->world.objects[WORLD_HOT];
    size_t size;
    write_plan(scene, MOVES);
    const void *bytes = store_memory_get(hot, "rec/10/R2.ecalmeas", &size, NULL);
    char *other = str_copy(&scene->world.arena, bytes, size);
    other[0]++;
    store_memory_put(hot, "rec/10/R2.ecalmeas", other, size);
    run(scene, true);
    expect(scene, APPLY_STALE, 1);
    expect(scene, APPLY_MOVED, MOVES - 1);
    assert_true(world_is_at(&scene->world, "R2", WORLD_HOT));
}

/* A guard of the plan refuses the same directories however often it is applied. */
static void guards_refuse(void **state)
{
    struct scene *scene = *state;
    scene->guards[0].guards.max_recordings = 2;
    write_plan(scene, MOVES);
    for (int i = 0; i < 2; i++) {
        run(scene, true);
        assert_int_equal(scene->result.refused, 1);
        expect(scene, i == 0 ? APPLY_MOVED : APPLY_ALREADY, 2);
        assert_true(world_is_at(&scene->world, "R3", WORLD_HOT));
    }
    scene->guards[0].guards.max_recordings = POLICY_NO_LIMIT;
    scene->guards[0].guards.max_deletes = 2;
    write_plan(scene, 2);
    run(scene, true);
    assert_int_equal(scene->result.refused, 0);
}

/* A directory that two policies move counts in the guards of both, as it did in the plan, and one
 * that one of them refuses is not begun. */
static void guards_of_all_policies_of_a_directory_count(void **state)
{
    struct scene *scene = *state;
    scene->shared = 2;
    scene->guards[0].guards.max_recordings = 0;
    write_plan(scene, MOVES);
    run(scene, true);
    assert_int_equal(scene->result.refused, MOVES);

    scene->guards[0].guards.max_recordings = 3;
    scene->guards[1].guards.max_deletes = 1;
    write_plan(scene, MOVES);
    run(scene, true);
    assert_int_equal(scene->result.refused, 1);
    expect(scene, APPLY_MOVED, 2);
    assert_true(world_is_at(&scene->world, "R1", WORLD_COLD));
    assert_true(world_is_at(&scene->world, "R2", WORLD_HOT));
    assert_true(world_is_at(&scene->world, "R3", WORLD_COLD));

    scene->guards[1].guards.max_deletes = 2;
    write_plan(scene, MOVES);
    run(scene, true);
    assert_int_equal(scene->result.refused, 0);
    assert_true(world_is_at(&scene->world, "R2", WORLD_COLD));
}

static void a_part_of_the_catalog_is_a_guard_as_well(void **state)
{
    struct scene *scene = *state;
    scene->guards[0].guards.max_fraction_ppm = POLICY_FRACTION_ONE / 10;
    scene->catalog_rows = 20;
    write_plan(scene, MOVES);
    run(scene, true);
    assert_int_equal(scene->result.refused, 1);
    expect(scene, APPLY_MOVED, 2);
}

/* -- deletions -------------------------------------------------------------------------------- */

static void move_into_grace(struct scene *scene)
{
    scene->grace_us = DAY_US;
    write_plan(scene, MOVES);
    run(scene, true);
    expect(scene, APPLY_MOVED, MOVES);
    assert_int_equal(scene->result.waiting_sources, MOVES);
    scene->world.clock.instant_us += 2 * DAY_US;
}

static void only_what_the_plan_lists_is_deleted(void **state)
{
    struct scene *scene = *state;
    int64_t units[MOVES];
    move_into_grace(scene);
    open_units(scene, units);
    scene->reaps[1] = units[1];
    write_plan(scene, 0);
    run(scene, true);
    assert_int_equal(scene->result.deleted_sources, 1);
    assert_true(source_stands(scene, 0));
    assert_false(source_stands(scene, 1));
    assert_true(source_stands(scene, 2));

    scene->request.reap_all = scene->request.only_reap = true;
    run(scene, false);
    assert_int_equal(scene->result.deleted_sources, MOVES - 1);
    assert_false(source_stands(scene, 0));
}

/* A parked source was not reviewed either, unless its deletion had begun; reap looks again. */
static void a_parked_source_is_deleted_by_review_or_reap(void **state)
{
    struct scene *scene = *state;
    int64_t units[MOVES];
    move_into_grace(scene);
    open_units(scene, units);
    store_memory_put(scene->world.objects[WORLD_HOT], "rec/1/new", "n", 1);
    scene->reaps[0] = units[0];
    write_plan(scene, 0);
    run(scene, true);
    expect(scene, APPLY_PARKED, 1);
    store_memory_remove(scene->world.objects[WORLD_HOT], "rec/1/new");

    scene->reaps[0] = 0;
    write_plan(scene, 0);
    run(scene, true);
    assert_true(source_stands(scene, 0));

    scene->request.reap_all = scene->request.only_reap = true;
    run(scene, false);
    assert_false(source_stands(scene, 0));
}

/* It waits as in its grace; without one, each run looks again. */
static void a_referenced_source_waits(void **state)
{
    struct scene *scene = *state;
    catalog_memory_refer(scene->world.rows, 0, "https://hot.example/data/rec/10/can.asc");
    write_plan(scene, MOVES);
    run(scene, true);
    expect(scene, APPLY_MOVED, MOVES);
    assert_int_equal(scene->result.deleted_sources, MOVES - 1);
    assert_int_equal(scene->result.waiting_sources, 1);
    assert_true(source_stands(scene, 1));

    run(scene, false);
    expect(scene, APPLY_WAITING, 1);
    assert_non_null(strstr(scene->last_err.text, "training_set"));

    catalog_memory_refer_nothing(scene->world.rows);
    scene->request.reap_all = scene->request.only_reap = true;
    run(scene, false);
    expect(scene, APPLY_DELETED, 1);
    assert_false(source_stands(scene, 1));
}

/* -- what is open ----------------------------------------------------------------------------- */

static enum store_result stop_at_copy(void *context, enum store_memory_verb verb, const char *key,
                                      bool *apply)
{
    struct world *world = context;
    (void)key;
    (void)apply;
    if (verb == STORE_MEMORY_COPY)
        atomic_store(&world->stop, true);
    return RESULT_DONE;
}

static void stop_while_copying(struct scene *scene)
{
    store_memory_set_fault(scene->world.objects[WORLD_COLD], stop_at_copy, &scene->world);
    write_plan(scene, MOVES);
    run(scene, true);
    expect(scene, APPLY_OPEN, MOVES);
    store_memory_set_fault(scene->world.objects[WORLD_COLD], NULL, NULL);
    world_restart(&scene->world);
}

static void the_same_command_resumes_after_a_stop(void **state)
{
    struct scene *scene = *state;
    stop_while_copying(scene);
    run(scene, true);
    expect(scene, APPLY_MOVED, MOVES);
    assert_int_equal(scene->reported, MOVES);
    assert_int_equal(store_memory_count(scene->world.objects[WORLD_HOT]), 0);
    assert_true(world_rows_are_whole(&scene->world, ids, MOVES));
}

static void what_is_open_is_carried_on_however_late(void **state)
{
    struct scene *scene = *state;
    struct world *world = &scene->world;
    scene->surveyed = false; /* one by one */
    store_memory_set_fault(world->objects[WORLD_COLD], stop_at_copy, world);
    write_plan(scene, MOVES);
    run(scene, true);
    expect(scene, APPLY_OPEN, 1);
    assert_int_equal(scene->result.not_begun, MOVES - 1);
    store_memory_set_fault(world->objects[WORLD_COLD], NULL, NULL);
    world_restart(world);

    scene->request.begin_until_us = world->clock.instant_us - 1;
    run(scene, true);
    expect(scene, APPLY_MOVED, 1);
    assert_int_equal(scene->result.expired, MOVES - 1);
    assert_true(world_is_at(world, ids[0], WORLD_COLD));
    assert_true(world_rows_are_whole(world, ids, MOVES));
}

static enum store_result stop_instead_of_copying(void *context, enum store_memory_verb verb,
                                                 const char *key, bool *apply)
{
    struct world *world = context;
    (void)key;
    if (verb != STORE_MEMORY_COPY)
        return RESULT_DONE;
    atomic_store(&world->stop, true);
    *apply = false;
    return RESULT_BUSY;
}

/* However often it is stopped before anything was copied: each run has all of its rounds. */
static void stops_use_up_no_rounds(void **state)
{
    struct scene *scene = *state;
    write_plan(scene, MOVES);
    store_memory_set_fault(scene->world.objects[WORLD_COLD], stop_instead_of_copying,
                           &scene->world);
    for (int i = 0; i <= PROTOCOL_ROUNDS_MAX; i++) {
        run(scene, true);
        expect(scene, APPLY_OPEN, MOVES);
        world_restart(&scene->world);
    }
    store_memory_set_fault(scene->world.objects[WORLD_COLD], NULL, NULL);
    run(scene, true);
    expect(scene, APPLY_MOVED, MOVES);
    assert_true(world_rows_are_whole(&scene->world, ids, MOVES));
}

static void a_stop_before_the_first_directory_begins_none(void **state)
{
    struct scene *scene = *state;
    write_plan(scene, MOVES);
    atomic_store(&scene->world.stop, true);
    run(scene, true);
    assert_int_equal(scene->result.not_begun, MOVES);
    assert_int_equal(scene->reported, 0);
    assert_int_equal(store_memory_writes(scene->world.objects[WORLD_COLD]), 0);
}

static enum store_result an_hour_a_copy(void *context, enum store_memory_verb verb, const char *key,
                                        bool *apply)
{
    struct world *world = context;
    (void)key;
    (void)apply;
    if (verb == STORE_MEMORY_COPY)
        world->clock.instant_us += HOUR_US;
    return RESULT_DONE;
}

static void when_the_time_is_over_what_is_under_way_is_finished(void **state)
{
    struct scene *scene = *state;
    struct world *world = &scene->world;
    scene->surveyed = false; /* one by one */
    write_plan(scene, MOVES);
    store_memory_set_fault(world->objects[WORLD_COLD], an_hour_a_copy, world);
    scene->request.take_until_us = world->clock.instant_us + HOUR_US;
    run(scene, true);
    expect(scene, APPLY_MOVED, 1);
    assert_true(scene->result.timed_out);
    assert_int_equal(scene->result.not_begun, MOVES - 1);
    assert_true(world_is_at(world, ids[0], WORLD_COLD));
    assert_false(source_stands(scene, 0));

    /* What is left is what is really left. */
    run(scene, true);
    expect(scene, APPLY_ALREADY, 1);
    assert_int_equal(scene->result.not_begun, MOVES - 1);

    scene->request.take_until_us = INT64_MAX;
    run(scene, true);
    expect(scene, APPLY_MOVED, MOVES - 1);
    assert_false(scene->result.timed_out);
    assert_int_equal(scene->result.not_begun, 0);
    assert_true(world_rows_are_whole(world, ids, MOVES));
}

static void when_the_time_is_over_what_is_open_stays_so(void **state)
{
    struct scene *scene = *state;
    stop_while_copying(scene);
    scene->request.take_until_us = scene->world.clock.instant_us;
    run(scene, true);
    assert_int_equal(scene->result.not_resumed, MOVES);
    assert_int_equal(scene->result.not_begun, 0);
    assert_int_equal(scene->reported, 0);
    scene->request.take_until_us = INT64_MAX;
    run(scene, true);
    expect(scene, APPLY_MOVED, MOVES);
    assert_int_equal(scene->result.not_resumed, 0);
}

static enum store_result busy_lists(void *context, enum store_memory_verb verb, const char *key,
                                    bool *apply)
{
    (void)context;
    (void)key;
    (void)apply;
    return verb == STORE_MEMORY_LIST ? RESULT_BUSY : RESULT_DONE;
}

/* A directory that is carried on is not begun by the plan as well: another worker would run into
 * its open unit and call it failed. */
static void what_is_carried_on_is_not_begun_again(void **state)
{
    struct scene *scene = *state;
    stop_while_copying(scene);
    store_memory_set_fault(scene->world.objects[WORLD_COLD], busy_lists, NULL);
    run(scene, true);
    expect(scene, APPLY_OPEN, MOVES);
    expect(scene, APPLY_FAILED, 0);
    assert_int_equal(scene->reported, MOVES);
}

struct late_trouble {
    const struct world *world;
    enum store_result result;
};

static enum store_result trouble_after_cut_over(void *context, enum store_memory_verb verb,
                                                const char *key, bool *apply)
{
    const struct late_trouble *trouble = context;
    (void)key;
    (void)apply;
    bool cut_over = world_is_at(trouble->world, ids[0], WORLD_COLD);
    return verb == STORE_MEMORY_LIST && cut_over ? trouble->result : RESULT_DONE;
}

/* Nothing is left to wait for but the store: a run that ends so has not done what it was to do. */
static void a_deletion_that_a_busy_store_prevents_is_open(void **state)
{
    struct scene *scene = *state;
    struct late_trouble trouble = {.world = &scene->world, .result = RESULT_BUSY};
    store_memory_set_fault(scene->world.objects[WORLD_HOT], trouble_after_cut_over, &trouble);
    write_plan(scene, 1);
    run(scene, true);
    expect(scene, APPLY_OPEN, 1);
    assert_true(scene->result.busy);
    assert_false(scene->result.denied);
    assert_true(source_stands(scene, 0));

    trouble.result = RESULT_DENIED;
    run(scene, true);
    expect(scene, APPLY_PARKED, 1);
    assert_true(scene->result.denied);
    assert_false(scene->result.busy);
}

static void a_unit_whose_store_is_gone_is_reported_open(void **state)
{
    struct scene *scene = *state;
    stop_while_copying(scene);
    scene->world.places[WORLD_COLD].base = "https://elsewhere.example/data/";
    run(scene, false);
    expect(scene, APPLY_OPEN, MOVES);
    assert_int_equal(scene->last, APPLY_OPEN);
    assert_non_null(strstr(scene->last_err.text, "https://cold.example/data/rec/2/"));
    scene->world.places[WORLD_COLD].base = "https://cold.example/data/";
    run(scene, false);
    expect(scene, APPLY_MOVED, MOVES);
}

static void keep_source_keeps_what_is_carried_on(void **state)
{
    struct scene *scene = *state;
    stop_while_copying(scene);
    scene->request.keep_source = true;
    run(scene, true);
    expect(scene, APPLY_MOVED, MOVES);
    assert_int_equal(scene->result.kept_sources, MOVES);
    for (size_t i = 0; i < MOVES; i++)
        assert_true(source_stands(scene, i));
}

static void keep_source_keeps_what_is_begun(void **state)
{
    struct scene *scene = *state;
    scene->request.keep_source = true;
    write_plan(scene, MOVES);
    run(scene, true);
    expect(scene, APPLY_MOVED, MOVES);
    assert_int_equal(scene->result.kept_sources, MOVES);
    for (size_t i = 0; i < MOVES; i++)
        assert_true(source_stands(scene, i));
}

/* Keep or delete is fixed by the cut-over. */
static void keep_source_comes_too_late_in_the_grace(void **state)
{
    struct scene *scene = *state;
    move_into_grace(scene);
    scene->request.keep_source = scene->request.reap_all = true;
    run(scene, false);
    expect(scene, APPLY_DELETED, MOVES);
    assert_int_equal(store_memory_count(scene->world.objects[WORLD_HOT]), 0);
}

static void reap_carries_no_move_on(void **state)
{
    struct scene *scene = *state;
    stop_while_copying(scene);
    scene->request.reap_all = scene->request.only_reap = true;
    run(scene, false);
    assert_int_equal(scene->reported, 0);
    for (size_t i = 0; i < MOVES; i++)
        assert_true(world_is_at(&scene->world, ids[i], WORLD_HOT));
}

/* -- plans without a survey ------------------------------------------------------------------- */

/* Nobody has looked whether a row's own object is there: it would point at nothing. */
static void a_row_without_its_object_does_not_move(void **state)
{
    struct scene *scene = *state;
    scene->surveyed = false;
    store_memory_remove(scene->world.objects[WORLD_HOT], "rec/10/R2.ecalmeas");
    write_plan(scene, MOVES);
    run(scene, true);
    expect(scene, APPLY_MOVED, MOVES - 1);
    expect(scene, APPLY_STALE, 1);
    assert_true(world_is_at(&scene->world, "R2", WORLD_HOT));
    assert_true(source_stands(scene, 1));
}

struct watch {
    const struct world *world;
    bool together;
};

static enum store_result watch_copies(void *context, enum store_memory_verb verb, const char *key,
                                      bool *apply)
{
    struct watch *watch = context;
    (void)apply;
    if (verb == STORE_MEMORY_COPY && str_starts(key, directories[1]))
        watch->together |= !world_is_at(watch->world, ids[0], WORLD_COLD);
    return RESULT_DONE;
}

/* Their sizes are unknown, and 64 of them together might fill the memory. */
static void without_a_survey_directories_go_one_by_one(void **state)
{
    struct scene *scene = *state;
    struct watch watch = {.world = &scene->world};
    scene->surveyed = false;
    store_memory_set_fault(scene->world.objects[WORLD_COLD], watch_copies, &watch);
    write_plan(scene, MOVES);
    run(scene, true);
    expect(scene, APPLY_MOVED, MOVES);
    assert_false(watch.together);
}

/* -- does a plan still fit ----------------------------------------------------------------------
 */

/* What a plan was made with, and what there is now: each difference alone makes it stale. */
static void a_plan_of_another_world_is_not_applied(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct plan_header header;
    } table[] = {
        {NULL, {.policy_digest = "d", .catalog = "c", .journal = "j"}},
        {NULL, {.policy_digest = "d", .catalog = "c", .journal = "none"}},
        {"simulation", {.policy_digest = "d", .catalog = "c", .journal = "j", .simulation = true}},
        {"policy files", {.policy_digest = "e", .catalog = "c", .journal = "j"}},
        {"the catalog e", {.policy_digest = "d", .catalog = "e", .journal = "j"}},
        {"another journal", {.policy_digest = "d", .catalog = "c", .journal = "k"}},
    };
    static const struct {
        const char *what;
        struct policy_var vars[2];
        size_t var_count;
        struct plan_store stores[2];
        size_t store_count;
    } parts[] = {
        {NULL, {{"v", "1"}}, 1, {{.name = "hot", .base = "file:///hot/"}}, 1},
        {"other variables", {{"v", "1"}}, 0, {{.name = "hot", .base = "file:///hot/"}}, 1},
        {"variable v", {{"v", "2"}}, 1, {{.name = "hot", .base = "file:///hot/"}}, 1},
        {"variable w", {{"w", "1"}}, 1, {{.name = "hot", .base = "file:///hot/"}}, 1},
        {"other stores", {{"v", "1"}}, 1, {{.name = "hot", .base = "file:///hot/"}}, 0},
        {"store hat", {{"v", "1"}}, 1, {{.name = "hat", .base = "file:///hot/"}}, 1},
        {"at file:///hat/", {{"v", "1"}}, 1, {{.name = "hot", .base = "file:///hat/"}}, 1},
    };
    struct policy_var var = {"v", "1"};
    struct policy_store store = {.name = "hot"};
    struct place place = {.base = "file:///hot/"};
    struct policies policies = {.digest = "d",
                                .vars = &var,
                                .var_count = 1,
                                .stores = &store,
                                .store_count = 1,
                                .places = {.items = &place, .count = 1}};
    const struct catalog_shape shape = {.identity = "c"};
    const size_t headers = sizeof(table) / sizeof(*table), all = sizeof(parts) / sizeof(*parts);
    for (size_t i = 0; i < headers + all; i++) {
        const size_t part = i < headers ? 0 : i - headers;
        struct plan_header header = table[i < headers ? i : 0].header;
        const char *what = i < headers ? table[i].what : parts[part].what;
        struct err err = {0};
        header.vars = (struct policy_var *)parts[part].vars;
        header.var_count = parts[part].var_count;
        header.stores = (struct plan_store *)parts[part].stores;
        header.store_count = parts[part].store_count;
        assert_int_equal(apply_check(&header, &policies, &shape, "j", &err), what == NULL);
        if (what == NULL)
            continue;
        assert_int_equal(err.kind, ERR_CONFLICT);
        if (strstr(err.text, what) == NULL)
            fail_msg("%s: %s", what, err.text);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_plan_is_carried_out_once),
        CASE(nothing_begins_outside_its_window),
        CASE(nothing_begins_too_late),
        CASE(a_long_run_begins_nothing_too_late),
        CASE(a_plan_that_was_carried_out_does_nothing_more),
        CASE(what_changed_since_the_plan_is_stale_and_the_rest_moves),
        CASE(what_was_rewritten_since_the_plan_is_stale),
        CASE(guards_refuse),
        CASE(guards_of_all_policies_of_a_directory_count),
        CASE(a_part_of_the_catalog_is_a_guard_as_well),
        CASE(only_what_the_plan_lists_is_deleted),
        CASE(a_parked_source_is_deleted_by_review_or_reap),
        CASE(a_referenced_source_waits),
        CASE(the_same_command_resumes_after_a_stop),
        CASE(what_is_open_is_carried_on_however_late),
        CASE(stops_use_up_no_rounds),
        CASE(a_stop_before_the_first_directory_begins_none),
        CASE(when_the_time_is_over_what_is_under_way_is_finished),
        CASE(when_the_time_is_over_what_is_open_stays_so),
        CASE(what_is_carried_on_is_not_begun_again),
        CASE(a_deletion_that_a_busy_store_prevents_is_open),
        CASE(a_unit_whose_store_is_gone_is_reported_open),
        CASE(keep_source_keeps_what_is_carried_on),
        CASE(keep_source_keeps_what_is_begun),
        CASE(keep_source_comes_too_late_in_the_grace),
        CASE(reap_carries_no_move_on),
        CASE(a_row_without_its_object_does_not_move),
        CASE(without_a_survey_directories_go_one_by_one),
        CASE(a_plan_of_another_world_is_not_applied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
