/* Plans that send rows back, and plans that cut rows over once more: over a world in memory with a
 * real journal, with a crash at every step, lost replies, and others who write where they should
 * not.  After whatever happens each row points at whole objects. */
#include "executor/apply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/rand.h"
#include "base/str.h"
#include "executor/pool.h"
#include "state/location.h"
#include "tests/support/world.h"

#define NO_POLICY "sha256:0000000000000000000000000000000000000000000000000000000000000000"
#define DAY_US (INT64_C(86400) * 1000000)
#define GRACE_US (7 * DAY_US)
#define OBJECTS_EACH 3
#define JOURNAL_BYTES_MAX ((size_t)16 << 20)

static const char *const siblings[] = {"cam.h264", "can.asc", NULL};
static const char *const ids[] = {"R1", "R2"};

static const struct world_move moves[] = {
    {.directory = "rec/1/",
     .ids = {"R1"},
     .id_count = 1,
     .verify = VERIFY_CHECKSUM,
     .grace_us = GRACE_US},
    {.directory = "rec/2/",
     .ids = {"R2"},
     .id_count = 1,
     .verify = VERIFY_CHECKSUM,
     .grace_us = GRACE_US},
};

struct scene {
    struct world world;
    char path[128];
    struct apply_request request;
    struct apply_result result;
    int64_t made_us; /* of the plan that was written last */
    struct err last_err;
};

static int set_up(void **state)
{
    static struct scene scene;
    scene = (struct scene){0};
    world_make(&scene.world);
    for (size_t i = 0; i < 2; i++)
        world_put(&scene.world, ids[i], moves[i].directory, siblings);
    snprintf(scene.path, sizeof(scene.path), "%s/x.plan", scene.world.folder);
    scene.request = (struct apply_request){.hands = &scene.world.hands,
                                           .workers = 1,
                                           .run = 2,
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

static int again(void **state)
{
    return tear_down(state) + set_up(state);
}

/* -- what is undone ----------------------------------------------------------------------------
 */

static enum unit_state carry(struct scene *scene, size_t index, bool is_immediate)
{
    struct world_move move = moves[index];
    struct cohort cohort;
    if (is_immediate)
        move.grace_us = 0;
    assert_true(world_carry(&scene->world, &cohort, &move, 1));
    enum unit_state state = cohort.tasks[0].next.state;
    world_cohort_free(&cohort);
    scene->world.clock.instant_us += 1000000;
    return state;
}

static bool keep_last(void *context, const struct journal_unit *entry, struct err *err)
{
    (void)err;
    struct unit *last = context;
    if (entry->unit.id > last->id)
        *last = entry->unit;
    return true;
}

/* The latest unit of the journal with a row of this id. */
static struct unit last_unit(struct scene *scene, const char *id)
{
    struct unit last = {0};
    struct journal_filter filter = {.recording = id};
    struct err err;
    assert_true(journal_each(scene->world.hands.journal, &filter, keep_last, &last, &err));
    return last;
}

static void expect_unit(struct scene *scene, const char *id, enum unit_state state,
                        enum unit_reason reason)
{
    struct unit unit = last_unit(scene, id);
    if (unit.state != state || unit.reason != reason)
        fail_msg("%s: %s, %s", id, unit_state_name(unit.state), unit_reason_name(unit.reason));
}

static void expect_same(const struct unit *one, const struct unit *other)
{
    assert_int_equal(one->id, other->id);
    assert_int_equal(one->state, other->state);
    assert_int_equal(one->reason, other->reason);
    assert_int_equal(one->cleanup_at_us, other->cleanup_at_us);
}

/* As a backup of the catalog has it: where it was before it moved. */
static void put_row(struct scene *scene, const char *id, int store, const char *directory)
{
    struct world *world = &scene->world;
    const char *name = str_format(&world->arena, "%s.ecalmeas", id);
    struct record record = {
        .id = id, .location = location_make(&world->places[store], directory, name, &world->arena)};
    catalog_memory_put(world->rows, &record);
}

static void restore_row(struct scene *scene, size_t index)
{
    put_row(scene, ids[index], WORLD_HOT, moves[index].directory);
    scene->world.clock.instant_us += 1000000;
}

static void write_object(struct scene *scene, int store, const char *key, const char *content)
{
    store_memory_put(scene->world.objects[store], key, content, strlen(content));
}

static uint64_t writes(const struct scene *scene)
{
    return store_memory_writes(scene->world.objects[WORLD_HOT]) +
           store_memory_writes(scene->world.objects[WORLD_COLD]);
}

static bool has_all(const struct scene *scene, int store, size_t index)
{
    static const char *const names[] = {"cam.h264", "can.asc"};
    char key[64];
    for (size_t i = 0; i < 2; i++) {
        snprintf(key, sizeof(key), "%s%s", moves[index].directory, names[i]);
        if (!world_has(&scene->world, store, key))
            return false;
    }
    snprintf(key, sizeof(key), "%s%s.ecalmeas", moves[index].directory, ids[index]);
    return world_has(&scene->world, store, key);
}

/* -- plans -------------------------------------------------------------------------------------
 */

struct wish {
    enum plan_kind kind;
    size_t index;
    int64_t unit;
};

static void add_wish(struct plan_writer *writer, const struct wish *wish,
                     struct plan_summary *summary)
{
    struct plan_action action = {.kind = wish->kind,
                                 .store = WORLD_HOT,
                                 .directory = moves[wish->index].directory,
                                 .target = WORLD_COLD,
                                 .target_directory = moves[wish->index].directory,
                                 .policy = "age-out",
                                 .oldest_us = INT64_MAX,
                                 .objects = OBJECTS_EACH,
                                 .unit = wish->unit,
                                 .row_total = 1};
    struct err err;
    if (!plan_file_add(writer, &action, &err))
        fail_msg("%s", err.text);
    plan_count(summary, &action);
}

static void write_plan(struct scene *scene, const struct wish *wishes, size_t count)
{
    struct world *world = &scene->world;
    struct plan_store stores[WORLD_STORES];
    struct plan_store_total totals[WORLD_STORES] = {0};
    struct plan_header header = {.policy_digest = NO_POLICY,
                                 .catalog = "memory:///t",
                                 .stores = stores,
                                 .store_count = WORLD_STORES,
                                 .journal = "none"};
    struct plan_summary summary = {.totals = totals, .total_count = WORLD_STORES};
    struct plan_made made = {.by = "test", .host = "h", .policy = "x.yaml"};
    struct plan_writer *writer;
    char digest[PLAN_DIGEST_MAX];
    struct err err;
    for (int i = 0; i < WORLD_STORES; i++)
        stores[i] =
            (struct plan_store){.name = world->places[i].store, .base = world->places[i].base};
    made.at_us = scene->made_us = world->clock.instant_us;
    world->clock.instant_us += 1000000;
    remove(scene->path);
    if (!plan_file_create(scene->path, &header, &writer, &err))
        fail_msg("%s", err.text);
    for (size_t i = 0; i < count; i++)
        add_wish(writer, &wishes[i], &summary);
    if (!plan_file_finish(writer, &summary, &made, digest, &err))
        fail_msg("%s", err.text);
}

static void note_report(void *context, const struct task *task, enum apply_outcome outcome)
{
    struct scene *scene = context;
    (void)outcome;
    scene->last_err = task->err;
}

static void run(struct scene *scene, bool with_plan)
{
    struct err err;
    scene->request.plan = NULL;
    scene->request.report = note_report;
    scene->request.report_context = scene;
    if (with_plan && !plan_file_open(scene->path, &scene->request.plan, &err))
        fail_msg("%s", err.text);
    if (!apply_run(&scene->request, &scene->result, &err))
        fail_msg("%s", err.text);
    plan_file_close(scene->request.plan);
}

/* A plan with this one wish, carried out. */
static void apply(struct scene *scene, enum plan_kind kind, size_t index)
{
    const struct wish wish = {kind, index, last_unit(scene, ids[index]).id};
    write_plan(scene, &wish, 1);
    run(scene, true);
}

static void expect(const struct scene *scene, enum apply_outcome outcome, uint64_t count)
{
    if (scene->result.directories[outcome] != count)
        fail_msg("%s: %llu, wanted %llu", apply_outcome_name(outcome),
                 (unsigned long long)scene->result.directories[outcome], (unsigned long long)count);
}

static void is_whole(struct scene *scene)
{
    assert_true(world_rows_are_whole(&scene->world, ids, 2));
}

/* -- a crash -----------------------------------------------------------------------------------
 * The n-th request finds the process dead: it is not made, or was made and nobody learns of it.
 * What the journal's file holds at that instant is all that is left. */

struct crash {
    struct scene *scene;
    const struct catalog_ops *inner;
    struct catalog_ops ops;
    uint64_t step, at;
    bool is_dead;
    char *bytes; /* of the journal */
    size_t size;
};
static struct crash crash;

static bool dies(void)
{
    struct world *world = &crash.scene->world;
    struct err err;
    if (!crash.is_dead && ++crash.step == crash.at) {
        const char *path = str_format(&world->arena, "%s/journal.db", world->folder);
        if (!file_read(path, JOURNAL_BYTES_MAX, &world->arena, &crash.bytes, &crash.size, &err))
            fail_msg("%s", err.text);
        crash.is_dead = true;
        atomic_store(&world->stop, true);
    }
    return crash.is_dead;
}

static bool mortal_look(struct catalog *catalog, const struct catalog_cut *cut, bool lock,
                        struct catalog_sight *sight, struct err *err)
{
    return dies() ? ERR(err, ERR_BUSY, "dead") : crash.inner->look(catalog, cut, lock, sight, err);
}

static bool mortal_cut_over(struct catalog *catalog, const struct catalog_cut *cut,
                            enum catalog_outcome *outcome, struct err *err)
{
    if (dies())
        return ERR(err, ERR_BUSY, "dead");
    bool done = crash.inner->cut_over(catalog, cut, outcome, err);
    return dies() ? ERR(err, ERR_BUSY, "dead") : done;
}

static enum store_result mortal_item(void *context, enum store_memory_verb verb, const char *key,
                                     bool *apply)
{
    (void)context;
    (void)verb;
    (void)key;
    *apply = !dies();
    return *apply ? RESULT_DONE : RESULT_BUSY;
}

static void crash_at(struct scene *scene, uint64_t at)
{
    struct catalog *catalog = scene->world.hands.catalog;
    crash = (struct crash){.scene = scene, .inner = catalog->ops, .ops = *catalog->ops, .at = at};
    crash.ops.look = mortal_look;
    crash.ops.cut_over = mortal_cut_over;
    catalog->ops = &crash.ops;
    for (int i = 0; i < WORLD_STORES; i++)
        store_memory_set_fault(scene->world.objects[i], mortal_item, NULL);
}

/* Whoever comes after finds the file as it was.  False: it never came to that. */
static bool come_after(struct scene *scene)
{
    struct world *world = &scene->world;
    const char *path = str_format(&world->arena, "%s/journal.db", world->folder);
    world->hands.catalog->ops = crash.inner;
    for (int i = 0; i < WORLD_STORES; i++)
        store_memory_set_fault(world->objects[i], NULL, NULL);
    if (!crash.is_dead)
        return false;
    journal_close(world->hands.journal);
    world->hands.journal = NULL;
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(crash.bytes, 1, crash.size, file), crash.size);
    assert_int_equal(fclose(file), 0);
    unlink(str_format(&world->arena, "%s-journal", path));
    world_restart(world);
    return true;
}

/* -- back --------------------------------------------------------------------------------------
 */

static void rows_go_back_and_nothing_else_happens(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(carry(scene, 0, false), UNIT_CUTOVER);
    uint64_t before = writes(scene);
    apply(scene, PLAN_ROLLBACK, 0);
    expect(scene, APPLY_ROLLED_BACK, 1);
    expect_unit(scene, "R1", UNIT_ROLLED_BACK, REASON_NONE);
    assert_true(world_is_at(&scene->world, "R1", WORLD_HOT));
    assert_true(has_all(scene, WORLD_HOT, 0) && has_all(scene, WORLD_COLD, 0));
    assert_int_equal(writes(scene), before);
    is_whole(scene);

    int64_t arrived_us;
    struct err err;
    assert_true(journal_arrival(scene->world.hands.journal, "https://hot.example/data/rec/1/",
                                &arrived_us, &err));
    assert_in_range(arrived_us, scene->made_us, scene->world.clock.instant_us);
}

static void a_plan_that_rolls_back_touches_nothing_else(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(carry(scene, 0, false), UNIT_CUTOVER);
    assert_int_equal(carry(scene, 1, false), UNIT_CUTOVER);
    scene->world.clock.instant_us += 2 * GRACE_US; /* both may be deleted */
    scene->request.reap_all = true;
    apply(scene, PLAN_ROLLBACK, 0);
    expect(scene, APPLY_ROLLED_BACK, 1);
    expect_unit(scene, "R2", UNIT_CUTOVER, REASON_GRACE);
    assert_true(has_all(scene, WORLD_HOT, 1));
    is_whole(scene);
}

static void rolling_back_twice_does_nothing_more(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(carry(scene, 0, false), UNIT_CUTOVER);
    apply(scene, PLAN_ROLLBACK, 0);
    struct unit first = last_unit(scene, "R1");
    run(scene, true);
    expect(scene, APPLY_ROLLED_BACK, 0);
    struct unit second = last_unit(scene, "R1");
    expect_same(&first, &second);

    /* Nor does it after the next move of the same directory. */
    assert_int_equal(carry(scene, 0, false), UNIT_CUTOVER);
    run(scene, true);
    expect_unit(scene, "R1", UNIT_CUTOVER, REASON_GRACE);
    assert_true(world_is_at(&scene->world, "R1", WORLD_COLD));
}

static void a_rollback_survives_a_crash_at_every_step(void **state)
{
    uint64_t crashes = 0;
    for (uint64_t at = 1;; at++) {
        for (int with_plan = 0; with_plan < 2; with_plan++) {
            struct scene *scene = *state;
            assert_int_equal(carry(scene, 0, false), UNIT_CUTOVER);
            crash_at(scene, at);
            apply(scene, PLAN_ROLLBACK, 0);
            bool was_dead = come_after(scene);
            is_whole(scene);
            if (!was_dead && with_plan == 1) {
                assert_in_range(crashes, 4, 100);
                return;
            }
            crashes += was_dead;
            struct unit unit = last_unit(scene, "R1");
            run(scene, with_plan == 1);
            /* What was written down is carried on by any run. */
            if (with_plan == 1 || unit.state == UNIT_RETURNING)
                expect_unit(scene, "R1", UNIT_ROLLED_BACK, REASON_NONE);
            assert_true(has_all(scene, WORLD_HOT, 0) && has_all(scene, WORLD_COLD, 0));
            is_whole(scene);
            again(state);
        }
    }
}

static void a_lost_reply_of_the_way_back_is_looked_up(void **state)
{
    static const enum catalog_memory_fault faults[] = {
        CATALOG_FAULT_UNKNOWN_APPLIED, CATALOG_FAULT_UNKNOWN_DROPPED, CATALOG_FAULT_BUSY};
    for (size_t i = 0; i < 3; i++) {
        struct scene *scene = *state;
        assert_int_equal(carry(scene, 0, false), UNIT_CUTOVER);
        catalog_memory_fail_next(scene->world.rows, faults[i]);
        apply(scene, PLAN_ROLLBACK, 0);
        expect(scene, APPLY_ROLLED_BACK, 1);
        assert_true(world_is_at(&scene->world, "R1", WORLD_HOT));
        is_whole(scene);
        again(state);
    }
}

static void remove_from_source(struct scene *scene)
{
    store_memory_remove(scene->world.objects[WORLD_HOT], "rec/1/can.asc");
}

static void rewrite_source(struct scene *scene)
{
    write_object(scene, WORLD_HOT, "rec/1/can.asc", "content of rec/1/can.asc");
}

static void add_to_source(struct scene *scene)
{
    write_object(scene, WORLD_HOT, "rec/1/new", "new");
}

static void rows_stay_where_the_source_is_not_what_was_moved(void **state)
{
    static void (*const acts[])(struct scene *) = {remove_from_source, rewrite_source,
                                                   add_to_source};
    for (size_t i = 0; i < 3; i++) {
        struct scene *scene = *state;
        assert_int_equal(carry(scene, 0, false), UNIT_CUTOVER);
        acts[i](scene);
        apply(scene, PLAN_ROLLBACK, 0);
        expect(scene, APPLY_PARKED, 1);
        expect_unit(scene, "R1", UNIT_PARKED, REASON_NO_WAY_BACK);
        assert_true(world_is_at(&scene->world, "R1", WORLD_COLD));
        is_whole(scene);
        again(state);
    }
}

/* What was in the way is gone, so the next one goes through. */
static void a_source_that_is_put_right_is_a_way_back(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(carry(scene, 0, false), UNIT_CUTOVER);
    add_to_source(scene);
    apply(scene, PLAN_ROLLBACK, 0);
    expect_unit(scene, "R1", UNIT_PARKED, REASON_NO_WAY_BACK);
    store_memory_remove(scene->world.objects[WORLD_HOT], "rec/1/new");
    apply(scene, PLAN_ROLLBACK, 0);
    expect_unit(scene, "R1", UNIT_ROLLED_BACK, REASON_NONE);
    is_whole(scene);
}

static void move_row_away(struct scene *scene)
{
    put_row(scene, "R1", WORLD_COLD, "rec/elsewhere/");
}

static void remove_row(struct scene *scene)
{
    catalog_memory_remove(scene->world.rows, "R1");
}

static void add_row_at_target(struct scene *scene)
{
    put_row(scene, "NEW", WORLD_COLD, "rec/1/");
}

static void add_row_below_target(struct scene *scene)
{
    put_row(scene, "NEW", WORLD_COLD, "rec/1/deep/");
}

static void rows_that_others_changed_do_not_go_back(void **state)
{
    static void (*const acts[])(struct scene *) = {move_row_away, remove_row, add_row_at_target,
                                                   add_row_below_target};
    for (size_t i = 0; i < 4; i++) {
        struct scene *scene = *state;
        assert_int_equal(carry(scene, 0, false), UNIT_CUTOVER);
        acts[i](scene);
        apply(scene, PLAN_ROLLBACK, 0);
        expect(scene, APPLY_PARKED, 1);
        expect_unit(scene, "R1", UNIT_PARKED, REASON_CATALOG_CHANGED);
        assert_false(world_is_at(&scene->world, "R1", WORLD_HOT));
        assert_false(world_is_at(&scene->world, "NEW", WORLD_HOT));
        again(state);
    }
}

/* A restored catalog, say, while the source still stood. */
static void rows_that_are_back_already_close_the_unit(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(carry(scene, 0, false), UNIT_CUTOVER);
    restore_row(scene, 0);
    apply(scene, PLAN_ROLLBACK, 0);
    expect(scene, APPLY_ROLLED_BACK, 1);
    is_whole(scene);
}

/* Deletes that nobody has heard of again may arrive an hour late. */
static enum store_result lose_deletes(void *context, enum store_memory_verb verb, const char *key,
                                      bool *apply)
{
    (void)context;
    (void)key;
    *apply = verb != STORE_MEMORY_REMOVE;
    return *apply ? RESULT_DONE : RESULT_UNKNOWN;
}

static void nothing_goes_back_once_a_delete_was_sent(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(carry(scene, 0, false), UNIT_CUTOVER);
    scene->world.clock.instant_us += 2 * GRACE_US;
    store_memory_set_fault(scene->world.objects[WORLD_HOT], lose_deletes, NULL);
    apply(scene, PLAN_REAP, 0);
    expect_unit(scene, "R1", UNIT_DELETING, REASON_BUSY);
    assert_true(has_all(scene, WORLD_HOT, 0));
    apply(scene, PLAN_ROLLBACK, 0);
    expect(scene, APPLY_OPEN, 1);
    expect_unit(scene, "R1", UNIT_DELETING, REASON_BUSY);

    /* Nor by the way round of a repair. */
    restore_row(scene, 0);
    apply(scene, PLAN_REPAIR, 0);
    expect_unit(scene, "R1", UNIT_DELETING, REASON_BUSY);
    assert_true(world_is_at(&scene->world, "R1", WORLD_COLD));
    apply(scene, PLAN_ROLLBACK, 0);
    assert_true(world_is_at(&scene->world, "R1", WORLD_COLD));

    store_memory_set_fault(scene->world.objects[WORLD_HOT], NULL, NULL);
    run(scene, false);
    expect_unit(scene, "R1", UNIT_DONE, REASON_NONE);
    assert_false(has_all(scene, WORLD_HOT, 0));
    is_whole(scene);
}

static void what_is_deleted_does_not_go_back(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(carry(scene, 0, true), UNIT_DONE);
    apply(scene, PLAN_ROLLBACK, 0);
    expect(scene, APPLY_ROLLED_BACK, 0);
    expect(scene, APPLY_STALE, 1);
    expect_unit(scene, "R1", UNIT_DONE, REASON_NONE);
    is_whole(scene);
}

/* -- the next move after it --------------------------------------------------------------------
 */

static const char *at_target(struct scene *scene, const char *key, const char **etag)
{
    size_t size;
    return store_memory_get(scene->world.objects[WORLD_COLD], key, &size, etag);
}

static void the_next_move_takes_what_stands_at_the_target(void **state)
{
    struct scene *scene = *state;
    const char *before, *after;
    assert_int_equal(carry(scene, 0, false), UNIT_CUTOVER);
    apply(scene, PLAN_ROLLBACK, 0);
    at_target(scene, "rec/1/can.asc", &before);
    before = arena_copy(&scene->world.arena, before);
    assert_int_equal(carry(scene, 0, false), UNIT_CUTOVER);
    at_target(scene, "rec/1/can.asc", &after);
    assert_string_equal(before, after);
    assert_true(world_is_at(&scene->world, "R1", WORLD_COLD));
    is_whole(scene);
}

static void the_next_move_replaces_only_what_we_made(void **state)
{
    const char *etag;
    struct scene *scene = *state;
    assert_int_equal(carry(scene, 0, false), UNIT_CUTOVER);
    apply(scene, PLAN_ROLLBACK, 0);
    write_object(scene, WORLD_HOT, "rec/1/can.asc", "changed since");
    assert_int_equal(carry(scene, 0, false), UNIT_CUTOVER);
    assert_memory_equal(at_target(scene, "rec/1/can.asc", &etag), "changed since", 13);

    again(state);
    assert_int_equal(carry(scene, 0, false), UNIT_CUTOVER);
    apply(scene, PLAN_ROLLBACK, 0);
    write_object(scene, WORLD_HOT, "rec/1/can.asc", "changed since");
    write_object(scene, WORLD_COLD, "rec/1/can.asc", "a stranger's");
    assert_int_equal(carry(scene, 0, false), UNIT_ABANDONED);
    expect_unit(scene, "R1", UNIT_ABANDONED, REASON_TARGET_DIFFERS);
    assert_memory_equal(at_target(scene, "rec/1/can.asc", &etag), "a stranger's", 12);
    assert_true(world_is_at(&scene->world, "R1", WORLD_HOT));
}

/* In their grace rows were at the target: whoever follows them may still be. */
static void what_others_name_at_the_target_stays(void **state)
{
    for (int by_reference = 0; by_reference < 2; by_reference++) {
        const char *etag;
        struct scene *scene = *state;
        assert_int_equal(carry(scene, 0, false), UNIT_CUTOVER);
        apply(scene, PLAN_ROLLBACK, 0);
        write_object(scene, WORLD_HOT, "rec/1/can.asc", "changed since");
        if (by_reference)
            catalog_memory_refer(scene->world.rows, 0, "https://cold.example/data/rec/1/can.asc");
        else
            add_row_at_target(scene);
        assert_int_equal(carry(scene, 0, false), UNIT_ABANDONED);
        expect_unit(scene, "R1", UNIT_ABANDONED, REASON_TARGET_DIFFERS);
        assert_memory_equal(at_target(scene, "rec/1/can.asc", &etag), "content of rec/1/can.asc",
                            24);
        again(state);
    }
}

/* -- rows that came back to what was done ------------------------------------------------------
 */

static void make_done(struct scene *scene)
{
    assert_int_equal(carry(scene, 0, true), UNIT_DONE);
    restore_row(scene, 0);
}

static void rows_of_what_is_done_are_cut_over_again(void **state)
{
    struct scene *scene = *state;
    make_done(scene);
    uint64_t before = writes(scene);
    apply(scene, PLAN_REPAIR, 0);
    expect(scene, APPLY_REPAIRED, 1);
    assert_int_equal(writes(scene), before);
    struct unit unit = last_unit(scene, "R1");
    assert_int_equal(unit.kind, UNIT_REPAIR);
    assert_int_equal(unit.state, UNIT_DONE);
    assert_int_equal(unit.objects, OBJECTS_EACH);
    is_whole(scene);

    run(scene, true);
    expect(scene, APPLY_REPAIRED, 0);
    expect(scene, APPLY_ALREADY, 1);
    assert_int_equal(last_unit(scene, "R1").id, unit.id);

    /* By itself, once more, if it happens once more. */
    restore_row(scene, 0);
    apply(scene, PLAN_REPAIR, 0);
    expect(scene, APPLY_REPAIRED, 1);
    is_whole(scene);
}

static void a_repair_survives_a_crash_at_every_step(void **state)
{
    uint64_t crashes = 0;
    for (uint64_t at = 1;; at++) {
        struct scene *scene = *state;
        make_done(scene);
        uint64_t before = writes(scene);
        crash_at(scene, at);
        apply(scene, PLAN_REPAIR, 0);
        bool was_dead = come_after(scene);
        run(scene, true);
        run(scene, true);
        assert_int_equal(writes(scene), before);
        assert_true(world_is_at(&scene->world, "R1", WORLD_COLD));
        assert_true(has_all(scene, WORLD_COLD, 0));
        expect_unit(scene, "R1", UNIT_DONE, REASON_NONE);
        is_whole(scene);
        if (!was_dead) {
            assert_in_range(crashes, 5, 100);
            return;
        }
        crashes++;
        again(state);
    }
}

static void a_lost_reply_of_a_repair_is_looked_up(void **state)
{
    static const enum catalog_memory_fault faults[] = {
        CATALOG_FAULT_UNKNOWN_APPLIED, CATALOG_FAULT_UNKNOWN_DROPPED, CATALOG_FAULT_BUSY};
    for (size_t i = 0; i < 3; i++) {
        struct scene *scene = *state;
        make_done(scene);
        catalog_memory_fail_next(scene->world.rows, faults[i]);
        apply(scene, PLAN_REPAIR, 0);
        expect(scene, APPLY_REPAIRED, 1);
        is_whole(scene);
        again(state);
    }
}

static void remove_from_target(struct scene *scene)
{
    store_memory_remove(scene->world.objects[WORLD_COLD], "rec/1/can.asc");
}

static void rewrite_target(struct scene *scene)
{
    write_object(scene, WORLD_COLD, "rec/1/can.asc", "content of rec/1/can.asc");
}

static void add_to_target(struct scene *scene)
{
    write_object(scene, WORLD_COLD, "rec/1/new", "new");
}

static void nothing_moves_to_a_target_that_is_not_what_was_seen(void **state)
{
    static void (*const acts[])(struct scene *) = {remove_from_target, rewrite_target,
                                                   add_to_target};
    for (size_t i = 0; i < 3; i++) {
        struct scene *scene = *state;
        make_done(scene);
        acts[i](scene);
        apply(scene, PLAN_REPAIR, 0);
        expect(scene, APPLY_STALE, 1);
        assert_true(world_is_at(&scene->world, "R1", WORLD_HOT));
        again(state);
    }
}

/* After it has begun, and before it goes on. */
static void a_target_that_goes_meanwhile_stops_a_repair(void **state)
{
    struct scene *scene = *state;
    make_done(scene);
    crash_at(scene, 3);
    apply(scene, PLAN_REPAIR, 0);
    assert_true(come_after(scene));
    expect_unit(scene, "R1", UNIT_REPAIRING, REASON_NONE);
    remove_from_target(scene);
    run(scene, false);
    expect(scene, APPLY_FAILED, 1);
    expect_unit(scene, "R1", UNIT_ABANDONED, REASON_TARGET_CHANGED);
    assert_true(world_is_at(&scene->world, "R1", WORLD_HOT));
}

static void rows_at_a_source_that_is_in_use_again_stay(void **state)
{
    struct scene *scene = *state;
    make_done(scene);
    write_object(scene, WORLD_HOT, "rec/1/R1.ecalmeas", "written anew");
    apply(scene, PLAN_REPAIR, 0);
    expect(scene, APPLY_FAILED, 1);
    expect_unit(scene, "R1", UNIT_ABANDONED, REASON_SOURCE_REWRITTEN);
    assert_true(world_is_at(&scene->world, "R1", WORLD_HOT));
}

static void add_row_at_source(struct scene *scene)
{
    put_row(scene, "NEW", WORLD_HOT, "rec/1/");
}

static void rows_that_are_not_those_of_the_unit_are_not_repaired(void **state)
{
    static void (*const acts[])(struct scene *) = {move_row_away, remove_row, add_row_at_source};
    for (size_t i = 0; i < 3; i++) {
        struct scene *scene = *state;
        make_done(scene);
        acts[i](scene);
        apply(scene, PLAN_REPAIR, 0);
        expect(scene, APPLY_STALE, 1);
        assert_false(world_is_at(&scene->world, "NEW", WORLD_COLD));
        again(state);
    }
}

/* Another unit has had its rows since. */
static void what_moved_again_meanwhile_is_not_repaired(void **state)
{
    struct scene *scene = *state;
    make_done(scene);
    const struct wish wish = {PLAN_REPAIR, 0, last_unit(scene, "R1").id};
    scene->world.clock.instant_us += DAY_US;
    world_put(&scene->world, "R1", moves[0].directory, siblings); /* all of it was restored */
    assert_int_equal(carry(scene, 0, true), UNIT_DONE);
    int64_t second = last_unit(scene, "R1").id;
    restore_row(scene, 0);
    write_plan(scene, &wish, 1);
    run(scene, true);
    expect(scene, APPLY_STALE, 1);
    assert_non_null(strstr(scene->last_err.text, "moved again"));
    assert_int_equal(last_unit(scene, "R1").id, second);
    assert_true(world_is_at(&scene->world, "R1", WORLD_HOT));
}

static void what_was_sent_back_meanwhile_is_not_repaired(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(carry(scene, 0, false), UNIT_CUTOVER);
    restore_row(scene, 0);
    const struct wish wish = {PLAN_REPAIR, 0, last_unit(scene, "R1").id};
    apply(scene, PLAN_ROLLBACK, 0);
    expect_unit(scene, "R1", UNIT_ROLLED_BACK, REASON_NONE);
    for (int i = 0; i < 2; i++) { /* by a clock that was set back, and by one that was not */
        write_plan(scene, &wish, 1);
        run(scene, true);
        expect(scene, i == 0 ? APPLY_ALREADY : APPLY_STALE, 1);
        expect_unit(scene, "R1", UNIT_ROLLED_BACK, REASON_NONE);
        assert_true(world_is_at(&scene->world, "R1", WORLD_HOT));
        is_whole(scene);
    }
}

static void a_repair_that_is_too_late_is_not_begun(void **state)
{
    struct scene *scene = *state;
    make_done(scene);
    scene->request.begin_until_us = scene->world.clock.instant_us;
    apply(scene, PLAN_REPAIR, 0);
    assert_int_equal(scene->result.expired, 1);
    assert_true(world_is_at(&scene->world, "R1", WORLD_HOT));

    again(state);
    assert_int_equal(carry(scene, 0, false), UNIT_CUTOVER);
    restore_row(scene, 0);
    scene->request.begin_until_us = scene->world.clock.instant_us;
    apply(scene, PLAN_REPAIR, 0);
    assert_int_equal(scene->result.expired, 1);
    expect_unit(scene, "R1", UNIT_CUTOVER, REASON_GRACE);
}

/* -- rows that came back to what is open -------------------------------------------------------
 */

static void a_repair_in_the_grace_begins_it_once_more_and_only_once(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(carry(scene, 0, false), UNIT_CUTOVER);
    scene->world.clock.instant_us += DAY_US;
    restore_row(scene, 0);
    apply(scene, PLAN_REPAIR, 0);
    expect(scene, APPLY_REPAIRED, 1);
    struct unit first = last_unit(scene, "R1");
    assert_int_equal(first.state, UNIT_CUTOVER);
    assert_int_equal(first.cleanup_at_us, scene->world.clock.instant_us + GRACE_US);
    is_whole(scene);

    scene->world.clock.instant_us += DAY_US;
    run(scene, true);
    expect(scene, APPLY_REPAIRED, 0);
    struct unit second = last_unit(scene, "R1");
    expect_same(&first, &second);
    /* Nor is it taken for a plan that lists the deletion. */
    scene->world.clock.instant_us += GRACE_US;
    run(scene, true);
    assert_true(has_all(scene, WORLD_HOT, 0));
}

static void a_plan_may_list_the_deletion_of_what_it_repairs(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(carry(scene, 0, false), UNIT_CUTOVER);
    scene->world.clock.instant_us += 2 * GRACE_US;
    restore_row(scene, 0);
    int64_t unit = last_unit(scene, "R1").id;
    const struct wish both[] = {{PLAN_REPAIR, 0, unit}, {PLAN_REAP, 0, unit}};
    write_plan(scene, both, 2);
    run(scene, true);
    expect(scene, APPLY_REPAIRED, 1);
    expect_unit(scene, "R1", UNIT_CUTOVER, REASON_GRACE);
    assert_true(world_is_at(&scene->world, "R1", WORLD_COLD));
    assert_true(has_all(scene, WORLD_HOT, 0));
}

static enum store_result refuse_one_delete(void *context, enum store_memory_verb verb,
                                           const char *key, bool *apply)
{
    (void)context;
    bool refused = verb == STORE_MEMORY_REMOVE && str_ends(key, "can.asc");
    *apply = !refused;
    return refused ? RESULT_BUSY : RESULT_DONE;
}

/* Its deletion is half done when the rows come back. */
static void begin_to_delete(struct scene *scene)
{
    store_memory_set_fault(scene->world.objects[WORLD_HOT], refuse_one_delete, NULL);
    assert_int_equal(carry(scene, 0, true), UNIT_DELETING);
    store_memory_set_fault(scene->world.objects[WORLD_HOT], NULL, NULL);
    assert_false(has_all(scene, WORLD_HOT, 0));
    restore_row(scene, 0);
}

static void what_is_half_deleted_is_repaired_and_deleted(void **state)
{
    struct scene *scene = *state;
    begin_to_delete(scene);
    apply(scene, PLAN_REPAIR, 0);
    expect(scene, APPLY_REPAIRED, 1);
    expect_unit(scene, "R1", UNIT_DONE, REASON_NONE);
    assert_int_equal(store_memory_count(scene->world.objects[WORLD_HOT]), OBJECTS_EACH);
    is_whole(scene);
}

static void what_is_parked_with_rows_at_its_source_is_repaired(void **state)
{
    struct scene *scene = *state;
    begin_to_delete(scene);
    run(scene, false);
    expect_unit(scene, "R1", UNIT_PARKED, REASON_ROWS_AT_SOURCE);
    apply(scene, PLAN_REPAIR, 0);
    expect(scene, APPLY_REPAIRED, 1);
    expect_unit(scene, "R1", UNIT_DONE, REASON_NONE);
    is_whole(scene);
}

static void an_open_unit_whose_target_changed_keeps_all_it_has(void **state)
{
    static void (*const acts[])(struct scene *) = {remove_from_target, rewrite_target};
    for (size_t i = 0; i < 2; i++) {
        struct scene *scene = *state;
        assert_int_equal(carry(scene, 0, false), UNIT_CUTOVER);
        restore_row(scene, 0);
        acts[i](scene);
        uint64_t before = writes(scene);
        apply(scene, PLAN_REPAIR, 0);
        expect(scene, APPLY_PARKED, 1);
        expect_unit(scene, "R1", UNIT_PARKED, REASON_TARGET_CHANGED);
        assert_true(world_is_at(&scene->world, "R1", WORLD_HOT));
        scene->world.clock.instant_us += 2 * GRACE_US;
        scene->request.reap_all = true;
        run(scene, false);
        assert_int_equal(writes(scene), before);
        is_whole(scene);
        again(state);
    }
}

static void a_half_done_deletion_survives_a_crash_at_every_step_of_its_repair(void **state)
{
    for (uint64_t at = 1;; at++) {
        struct scene *scene = *state;
        begin_to_delete(scene);
        crash_at(scene, at);
        apply(scene, PLAN_REPAIR, 0);
        bool was_dead = come_after(scene);
        assert_true(has_all(scene, WORLD_COLD, 0));
        for (int i = 0; i < 3; i++)
            run(scene, true);
        expect_unit(scene, "R1", UNIT_DONE, REASON_NONE);
        is_whole(scene);
        if (!was_dead)
            return;
        again(state);
    }
}

/* The other way round: whoever sends rows back does not find them repaired by tonight's plan. */
static void what_is_on_its_way_back_is_not_repaired(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(carry(scene, 0, false), UNIT_CUTOVER);
    crash_at(scene, 4); /* the rows are back, and the journal does not know yet */
    apply(scene, PLAN_ROLLBACK, 0);
    assert_true(come_after(scene));
    expect_unit(scene, "R1", UNIT_RETURNING, REASON_NONE);
    assert_true(world_is_at(&scene->world, "R1", WORLD_HOT));
    apply(scene, PLAN_REPAIR, 0);
    assert_true(world_is_at(&scene->world, "R1", WORLD_HOT));
    run(scene, false);
    expect_unit(scene, "R1", UNIT_ROLLED_BACK, REASON_NONE);
}

/* --keep-source is for what was not cut over yet. */
static void keep_or_delete_is_not_decided_again(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(carry(scene, 0, false), UNIT_CUTOVER);
    restore_row(scene, 0);
    crash_at(scene, 2);
    apply(scene, PLAN_REPAIR, 0);
    assert_true(come_after(scene));
    expect_unit(scene, "R1", UNIT_REPAIRING, REASON_NONE);
    scene->request.keep_source = true;
    run(scene, false);
    expect_unit(scene, "R1", UNIT_CUTOVER, REASON_GRACE);
    assert_false(last_unit(scene, "R1").keep_source);
}

/* -- any of it, in any order ------------------------------------------------------------------
 * Moves, ways back and repairs, by plans that may be old; crashes; lost replies; deletes that
 * arrive much later; a catalog that is restored, or all of it; objects that go from the target.  No
 * run may bring a row to where objects are missing, or where a delete that is still under way will
 * hit; and none may take an object from under a row. */

#define ZOMBIES_MAX 64
#define CASES 100
#define STEPS 40

struct zombie {
    int store;
    char key[64], etag[OBJECT_ETAG_MAX];
};
static struct {
    struct scene *scene;
    struct rand rand;
    struct zombie zombies[ZOMBIES_MAX];
    size_t zombie_count;
    uint64_t losses; /* of deletes in one run: 0 none, 1 some, 2 all */
    uint64_t counts[UNIT_STATES];
} chaos;

static uint64_t any(uint64_t below)
{
    return rand_below(&chaos.rand, below);
}

static bool keep_zombie(int store, const char *key)
{
    size_t size;
    const char *etag;
    if (chaos.zombie_count == ZOMBIES_MAX ||
        store_memory_get(chaos.scene->world.objects[store], key, &size, &etag) == NULL)
        return false;
    struct zombie *zombie = &chaos.zombies[chaos.zombie_count++];
    zombie->store = store;
    snprintf(zombie->key, sizeof(zombie->key), "%s", key);
    snprintf(zombie->etag, sizeof(zombie->etag), "%s", etag);
    return true;
}

static bool hits(const struct zombie *zombie)
{
    size_t size;
    const char *etag;
    return store_memory_get(chaos.scene->world.objects[zombie->store], zombie->key, &size, &etag) !=
               NULL &&
           str_equal(etag, zombie->etag);
}

static void let_zombies_arrive(void)
{
    for (size_t i = 0; i < chaos.zombie_count; i++)
        if (hits(&chaos.zombies[i]))
            store_memory_remove(chaos.scene->world.objects[chaos.zombies[i].store],
                                chaos.zombies[i].key);
    chaos.zombie_count = 0;
}

static enum store_result lose_some(void *context, enum store_memory_verb verb, const char *key,
                                   bool *apply)
{
    int store = context == &chaos ? WORLD_COLD : WORLD_HOT;
    if (crash.at != 0 && dies()) {
        *apply = false;
        return RESULT_BUSY;
    }
    bool lost = chaos.losses == 2 || (chaos.losses == 1 && any(3) == 0);
    if (verb != STORE_MEMORY_REMOVE || !lost || !keep_zombie(store, key))
        return RESULT_DONE;
    *apply = chaos.losses == 1 && any(4) == 0; /* it was done, and the zombie will find nothing */
    return RESULT_UNKNOWN;
}

static bool is_doomed(int store, size_t index)
{
    for (size_t i = 0; i < chaos.zombie_count; i++)
        if (chaos.zombies[i].store == store &&
            str_starts(chaos.zombies[i].key, moves[index].directory) && hits(&chaos.zombies[i]))
            return true;
    return false;
}

/* All objects of its directory: a row needs its siblings as well. */
static bool is_complete(size_t index)
{
    const struct world *world = &chaos.scene->world;
    int store = world_is_at(world, ids[index], WORLD_HOT) ? WORLD_HOT : WORLD_COLD;
    return has_all(chaos.scene, store, index);
}

static void run_any(uint64_t seed)
{
    static const enum catalog_memory_fault faults[] = {CATALOG_FAULT_NONE, CATALOG_FAULT_NONE,
                                                       CATALOG_FAULT_UNKNOWN_APPLIED,
                                                       CATALOG_FAULT_UNKNOWN_DROPPED};
    struct scene *scene = chaos.scene;
    struct world *world = &scene->world;
    bool were_complete[2], were_hot[2];
    for (size_t i = 0; i < 2; i++) {
        were_complete[i] = is_complete(i);
        were_hot[i] = world_is_at(world, ids[i], WORLD_HOT);
    }
    catalog_memory_fail_next(world->rows, faults[any(4)]);
    bool crashes = any(3) == 0, moves_one = any(4) == 0;
    chaos.losses = any(3);
    crash_at(scene, crashes ? 1 + any(12) : 0);
    store_memory_set_fault(world->objects[WORLD_HOT], lose_some, NULL);
    store_memory_set_fault(world->objects[WORLD_COLD], lose_some, &chaos);
    scene->request.reap_all = any(2) == 0;
    scene->request.keep_source = any(8) == 0;
    if (moves_one)
        carry(scene, any(2), any(2) == 0);
    else
        run(scene, any(4) != 0 && access(scene->path, F_OK) == 0);
    come_after(scene);
    for (size_t i = 0; i < 2; i++) {
        bool is_hot = world_is_at(world, ids[i], WORLD_HOT), moved = is_hot != were_hot[i];
        if (moved && is_doomed(is_hot ? WORLD_HOT : WORLD_COLD, i))
            fail_msg("seed %d: %s went to where a delete will arrive", (int)seed, ids[i]);
        if ((moved || were_complete[i]) && !is_complete(i))
            fail_msg("seed %d: %s points at what is not there", (int)seed, ids[i]);
    }
}

static void do_anything(uint64_t seed)
{
    static const enum plan_kind kinds[] = {PLAN_ROLLBACK, PLAN_REPAIR, PLAN_REPAIR, PLAN_REAP};
    struct scene *scene = chaos.scene;
    size_t index = (size_t)any(2);
    struct unit last = last_unit(scene, ids[index]);
    const struct wish wish = {kinds[any(4)], index, last.id};
    uint64_t what = any(16);
    if (what < 5 && last.id != 0)
        write_plan(scene, &wish, 1);
    else if (what == 5)
        scene->world.clock.instant_us += GRACE_US;
    else if (what == 6 || what == 7)
        restore_row(scene, index);
    else if (what == 8 && any(2) == 0)
        let_zombies_arrive();
    else if (what == 9 && any(3) == 0)
        world_put(&scene->world, ids[index], moves[index].directory, siblings);
    else if (what == 10 && any(3) == 0 && world_is_at(&scene->world, ids[0], WORLD_HOT))
        remove_from_target(scene);
    else
        run_any(seed);
    chaos.counts[last_unit(scene, ids[index]).state]++;
}

static void no_order_of_it_brings_a_row_to_what_is_not_there(void **state)
{
    static const enum unit_state wanted[] = {UNIT_CUTOVER,     UNIT_RETURNING, UNIT_REPAIRING,
                                             UNIT_DELETING,    UNIT_DONE,      UNIT_ABANDONED,
                                             UNIT_ROLLED_BACK, UNIT_PARKED};
    memset(&chaos, 0, sizeof(chaos));
    for (uint64_t seed = 1; seed <= CASES; seed++) {
        chaos.scene = *state;
        chaos.zombie_count = 0;
        rand_init(&chaos.rand, seed);
        for (int i = 0; i < STEPS; i++)
            do_anything(seed);
        again(state);
    }
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if (chaos.counts[wanted[i]] < 10)
            fail_msg("%s was hardly seen", unit_state_name(wanted[i]));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(rows_go_back_and_nothing_else_happens),
        TEST(a_plan_that_rolls_back_touches_nothing_else),
        TEST(rolling_back_twice_does_nothing_more),
        TEST(a_rollback_survives_a_crash_at_every_step),
        TEST(a_lost_reply_of_the_way_back_is_looked_up),
        TEST(rows_stay_where_the_source_is_not_what_was_moved),
        TEST(a_source_that_is_put_right_is_a_way_back),
        TEST(rows_that_others_changed_do_not_go_back),
        TEST(rows_that_are_back_already_close_the_unit),
        TEST(nothing_goes_back_once_a_delete_was_sent),
        TEST(what_is_deleted_does_not_go_back),
        TEST(the_next_move_takes_what_stands_at_the_target),
        TEST(the_next_move_replaces_only_what_we_made),
        TEST(what_others_name_at_the_target_stays),
        TEST(rows_of_what_is_done_are_cut_over_again),
        TEST(a_repair_survives_a_crash_at_every_step),
        TEST(a_lost_reply_of_a_repair_is_looked_up),
        TEST(nothing_moves_to_a_target_that_is_not_what_was_seen),
        TEST(a_target_that_goes_meanwhile_stops_a_repair),
        TEST(rows_at_a_source_that_is_in_use_again_stay),
        TEST(rows_that_are_not_those_of_the_unit_are_not_repaired),
        TEST(what_moved_again_meanwhile_is_not_repaired),
        TEST(what_was_sent_back_meanwhile_is_not_repaired),
        TEST(a_repair_that_is_too_late_is_not_begun),
        TEST(a_repair_in_the_grace_begins_it_once_more_and_only_once),
        TEST(a_plan_may_list_the_deletion_of_what_it_repairs),
        TEST(what_is_half_deleted_is_repaired_and_deleted),
        TEST(what_is_parked_with_rows_at_its_source_is_repaired),
        TEST(an_open_unit_whose_target_changed_keeps_all_it_has),
        TEST(a_half_done_deletion_survives_a_crash_at_every_step_of_its_repair),
        TEST(what_is_on_its_way_back_is_not_repaired),
        TEST(keep_or_delete_is_not_decided_again),
        TEST(no_order_of_it_brings_a_row_to_what_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
