/* Cohorts carried through the protocol, over stores and a catalog in memory and a real journal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "executor/pool.h"
#include "policy/load.h"
#include "tests/support/world.h"

#define DAY_US (INT64_C(86400) * 1000000)

static const char *const siblings[] = {"cam.h264", "lidar/part 1.bin", "can.asc", NULL};
static const char *const ids[] = {"R1", "R2", "R3"};

static const struct world_move moves[] = {
    {.directory = "rec/1/", .ids = {"R1"}, .id_count = 1, .verify = VERIFY_CHECKSUM},
    {.directory = "rec/10/", .ids = {"R2"}, .id_count = 1, .verify = VERIFY_SIZE},
    {.directory = "rec/2/", .ids = {"R3"}, .id_count = 1, .verify = VERIFY_READBACK},
};
#define MOVES 3
#define OBJECTS 12

static int set_up(void **state)
{
    static struct world world;
    world_make(&world);
    for (size_t i = 0; i < MOVES; i++)
        world_put(&world, ids[i], moves[i].directory, siblings);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    return 0;
}

static enum unit_state carry_one(struct world *world, const struct world_move *move,
                                 enum unit_reason *reason)
{
    struct cohort cohort;
    assert_true(world_carry(world, &cohort, move, 1));
    enum unit_state state = cohort.tasks[0].next.state;
    *reason = cohort.tasks[0].next.reason;
    world_cohort_free(&cohort);
    return state;
}

static void carry_all(struct world *world)
{
    struct cohort cohort;
    assert_true(world_carry(world, &cohort, moves, MOVES));
    world_cohort_free(&cohort);
}

static void assert_all_moved(struct world *world)
{
    assert_int_equal(store_memory_count(world->objects[WORLD_HOT]), 0);
    assert_int_equal(store_memory_count(world->objects[WORLD_COLD]), OBJECTS);
    for (size_t i = 0; i < MOVES; i++)
        assert_true(world_is_at(world, ids[i], WORLD_COLD));
    assert_true(world_rows_are_whole(world, ids, MOVES));
}

static void moves_whole_directories_and_deletes_their_sources(void **state)
{
    struct world *world = *state;
    carry_all(world);
    assert_all_moved(world);
    assert_int_equal(world_resume(world), 0);
}

/* Put Blob From URL answers with a digest, which is proof without reading back. */
static void a_computed_digest_is_proof(void **state)
{
    struct world *world = *state;
    store_memory_set_computes(world->objects[WORLD_COLD], true);
    carry_all(world);
    assert_all_moved(world);
}

static enum store_result count_reads(void *context, enum store_memory_verb verb, const char *key,
                                     bool *apply)
{
    (void)key;
    (void)apply;
    *(size_t *)context += verb == STORE_MEMORY_READ;
    return RESULT_DONE;
}

/* At `readback` no digest is taken for the bytes. */
static void readback_reads_every_object_on_both_sides(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    size_t reads = 0;
    for (int i = 0; i < WORLD_STORES; i++) {
        store_memory_set_computes(world->objects[i], true);
        store_memory_set_fault(world->objects[i], count_reads, &reads);
    }
    assert_int_equal(carry_one(world, &moves[2], &reason), UNIT_DONE);
    assert_int_equal(reads, 2 * OBJECTS / MOVES);
    reads = 0;
    assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_DONE);
    assert_int_equal(reads, 0);
}

static enum store_result refuse_reads(void *context, enum store_memory_verb verb, const char *key,
                                      bool *apply)
{
    (void)context;
    (void)key;
    (void)apply;
    return verb == STORE_MEMORY_READ ? RESULT_REFUSED : RESULT_DONE;
}

/* An object in archive, say.  Nobody's credentials are to blame. */
static void what_the_store_will_not_read_back_is_unproved(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    store_memory_set_fault(world->objects[WORLD_COLD], refuse_reads, NULL);
    assert_int_equal(carry_one(world, &moves[2], &reason), UNIT_ABANDONED);
    assert_int_equal(reason, REASON_UNPROVED);
    assert_true(world_is_at(world, "R3", WORLD_HOT));
}

static void applying_again_changes_nothing(void **state)
{
    struct world *world = *state;
    carry_all(world);
    uint64_t writes = store_memory_writes(world->objects[WORLD_HOT]) +
                      store_memory_writes(world->objects[WORLD_COLD]);
    struct cohort cohort;
    assert_true(world_carry(world, &cohort, moves, MOVES));
    for (size_t i = 0; i < MOVES; i++) {
        assert_int_equal(cohort.tasks[i].next.state, UNIT_DONE);
        assert_int_equal(cohort.tasks[i].next.id, 0);
    }
    world_cohort_free(&cohort);
    assert_int_equal(writes, store_memory_writes(world->objects[WORLD_HOT]) +
                                 store_memory_writes(world->objects[WORLD_COLD]));
}

static void a_kept_source_stays(void **state)
{
    struct world *world = *state;
    struct world_move move = moves[0];
    enum unit_reason reason;
    move.keep_source = true;
    assert_int_equal(carry_one(world, &move, &reason), UNIT_DONE);
    assert_true(world_is_at(world, "R1", WORLD_COLD));
    assert_true(world_has(world, WORLD_HOT, "rec/1/R1.ecalmeas"));
    assert_true(world_has(world, WORLD_COLD, "rec/1/R1.ecalmeas"));
}

static void grace_is_waited_out(void **state)
{
    struct world *world = *state;
    struct world_move move = moves[0];
    enum unit_reason reason;
    move.grace_us = 7 * DAY_US;
    assert_int_equal(carry_one(world, &move, &reason), UNIT_CUTOVER);
    assert_int_equal(reason, REASON_GRACE);
    assert_true(world_is_at(world, "R1", WORLD_COLD));

    world_restart(world);
    world->clock.instant_us += 7 * DAY_US - 1000000;
    assert_int_equal(world_resume(world), 1);
    assert_true(world_has(world, WORLD_HOT, "rec/1/R1.ecalmeas"));

    world->clock.instant_us += 1000000;
    assert_int_equal(world_resume(world), 1);
    assert_false(world_has(world, WORLD_HOT, "rec/1/R1.ecalmeas"));
    assert_int_equal(world_resume(world), 0);
    assert_true(world_rows_are_whole(world, ids, MOVES));
}

/* -- other people ---------------------------------------------------------------------------------
 */

static void a_foreign_object_at_the_target_is_never_touched(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    size_t size;
    const char *etag, *after;
    store_memory_put(world->objects[WORLD_COLD], "rec/1/can.asc", "somebody's", 10);
    store_memory_get(world->objects[WORLD_COLD], "rec/1/can.asc", &size, &etag);
    char before[64];
    strcpy(before, etag);
    assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_ABANDONED);
    assert_int_equal(reason, REASON_TARGET_DIFFERS);
    assert_true(world_is_at(world, "R1", WORLD_HOT));
    assert_memory_equal(
        store_memory_get(world->objects[WORLD_COLD], "rec/1/can.asc", &size, &after), "somebody's",
        10);
    assert_string_equal(before, after);
    assert_true(world_rows_are_whole(world, ids, MOVES));
}

static void an_equal_object_at_the_target_is_adopted(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    const char *text = "content of rec/1/can.asc";
    store_memory_put(world->objects[WORLD_COLD], "rec/1/can.asc", text, strlen(text));
    assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_DONE);
    assert_true(world_is_at(world, "R1", WORLD_COLD));
}

/* The same size is not the same bytes, at any level. */
static void an_object_of_equal_size_is_read_before_it_is_adopted(void **state)
{
    struct world *world = *state;
    struct world_move move = moves[0];
    enum unit_reason reason;
    const char *text = "CONTENT OF rec/1/can.asc";
    move.verify = VERIFY_SIZE;
    store_memory_put(world->objects[WORLD_COLD], "rec/1/can.asc", text, strlen(text));
    assert_int_equal(carry_one(world, &move, &reason), UNIT_ABANDONED);
    assert_int_equal(reason, REASON_TARGET_DIFFERS);
    assert_true(world_is_at(world, "R1", WORLD_HOT));
}

/* What is read range by range is read to its end. */
static void a_large_object_may_differ_anywhere(void **state)
{
    static char bytes[5 << 20];
    struct world *world = *state;
    for (size_t i = 0; i < 3; i++) {
        enum unit_reason reason;
        const char *key = "rec/2/large.bin";
        memset(bytes, 'x', sizeof(bytes));
        store_memory_put(world->objects[WORLD_HOT], key, bytes, sizeof(bytes));
        bytes[i * (sizeof(bytes) - 1) / 2] = 'y';
        store_memory_put(world->objects[WORLD_COLD], key, bytes, sizeof(bytes));
        assert_int_equal(carry_one(world, &moves[2], &reason), UNIT_ABANDONED);
        assert_int_equal(reason, REASON_TARGET_DIFFERS);
    }
    assert_true(world_is_at(world, "R3", WORLD_HOT));
}

static void more_at_the_target_abandons(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    store_memory_put(world->objects[WORLD_COLD], "rec/1/zzz", "x", 1);
    assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_ABANDONED);
    assert_int_equal(reason, REASON_TARGET_HAS_MORE);
    assert_true(world_is_at(world, "R1", WORLD_HOT));
}

static void a_row_that_went_elsewhere_makes_it_stale(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    struct record record = {.id = "R1", .location = "https://hot.example/data/other/x"};
    catalog_memory_put(world->rows, &record);
    assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_SKIPPED);
    assert_int_equal(reason, REASON_STALE_ROWS);
    assert_int_equal(store_memory_count(world->objects[WORLD_COLD]), 0);
}

static void a_new_row_in_the_directory_makes_it_stale(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    world_put(world, "R9", "rec/1/", NULL);
    assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_SKIPPED);
    assert_int_equal(reason, REASON_STALE_ROWS);
}

/* Between the look at the rows and the cut-over, somebody edits them. */
struct meddler {
    struct world *world;
    const char *key;
    enum store_memory_verb verb;
    void (*act)(struct world *world);
    bool acted;
};

static enum store_result meddle(void *context, enum store_memory_verb verb, const char *key,
                                bool *apply)
{
    struct meddler *meddler = context;
    (void)apply;
    if (!meddler->acted && verb == meddler->verb &&
        (meddler->key == NULL || strcmp(key, meddler->key) == 0)) {
        meddler->acted = true;
        meddler->act(meddler->world);
    }
    return RESULT_DONE;
}

static void move_row_away(struct world *world)
{
    struct record record = {.id = "R1", .location = "https://hot.example/data/other/x"};
    catalog_memory_put(world->rows, &record);
}

static void add_row(struct world *world)
{
    struct record record = {.id = "R9", .location = "https://hot.example/data/rec/1/sub/x"};
    catalog_memory_put(world->rows, &record);
}

static void rewrite_source(struct world *world)
{
    store_memory_put(world->objects[WORLD_HOT], "rec/1/can.asc", "rewritten", 9);
}

static void add_source_object(struct world *world)
{
    store_memory_put(world->objects[WORLD_HOT], "rec/1/late", "late", 4);
}

static void rows_changed_meanwhile_abandon(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    void (*const acts[])(struct world *) = {move_row_away, add_row};
    for (size_t i = 0; i < 2; i++) {
        struct meddler meddler = {.world = world, .verb = STORE_MEMORY_COPY, .act = acts[i]};
        store_memory_set_fault(world->objects[WORLD_COLD], meddle, &meddler);
        assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_ABANDONED);
        assert_int_equal(reason, REASON_CATALOG_CHANGED);
        assert_true(meddler.acted);
        store_memory_set_fault(world->objects[WORLD_COLD], NULL, NULL);
        tear_down(state);
        set_up(state);
        world = *state;
    }
}

static void a_source_that_changes_meanwhile_abandons(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    void (*const acts[])(struct world *) = {rewrite_source, add_source_object};
    for (size_t i = 0; i < 2; i++) {
        struct meddler meddler = {.world = world, .verb = STORE_MEMORY_COPY, .act = acts[i]};
        store_memory_set_fault(world->objects[WORLD_COLD], meddle, &meddler);
        assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_ABANDONED);
        assert_int_equal(reason, REASON_SOURCE_CHANGED);
        assert_true(world_is_at(world, "R1", WORLD_HOT));
        store_memory_set_fault(world->objects[WORLD_COLD], NULL, NULL);
        tear_down(state);
        set_up(state);
        world = *state;
    }
}

static void assert_names(struct world *world, const struct world_move *move, const char *text)
{
    struct cohort cohort;
    assert_true(world_carry(world, &cohort, move, 1));
    if (strstr(cohort.tasks[0].err.text, text) == NULL)
        fail_msg("\"%s\" does not name %s", cohort.tasks[0].err.text, text);
    world_cohort_free(&cohort);
}

static void a_failure_names_what_is_in_the_way(void **state)
{
    struct world *world = *state;
    store_memory_put(world->objects[WORLD_COLD], "rec/1/can.asc", "somebody's", 10);
    assert_names(world, &moves[0], "rec/1/can.asc");

    store_memory_put(world->objects[WORLD_COLD], "rec/10/zzz", "x", 1);
    assert_names(world, &moves[1], "rec/10/zzz");

    struct meddler meddler = {.world = world, .verb = STORE_MEMORY_COPY, .act = add_source_object};
    store_memory_remove(world->objects[WORLD_COLD], "rec/1/can.asc");
    store_memory_set_fault(world->objects[WORLD_COLD], meddle, &meddler);
    assert_names(world, &moves[0], "rec/1/late");

    struct record record = {.id = "R9", .location = "https://hot.example/data/rec/2/sub/x"};
    catalog_memory_put(world->rows, &record);
    assert_names(world, &moves[2], "1 further row");

    store_memory_remove(world->objects[WORLD_COLD], "rec/10/zzz");
    store_memory_remove(world->objects[WORLD_HOT], "rec/10/R2.ecalmeas");
    assert_names(world, &moves[1], "is what a row points at, and is not there");
}

/* What went wrong on the way is not what it ended with. */
static enum store_result busy_listing_once(void *context, enum store_memory_verb verb,
                                           const char *key, bool *apply)
{
    bool *done = context;
    (void)key;
    (void)apply;
    if (verb != STORE_MEMORY_LIST || *done)
        return RESULT_DONE;
    *done = true;
    return RESULT_BUSY;
}

static void a_failure_that_passed_is_not_blamed(void **state)
{
    struct world *world = *state;
    struct cohort cohort;
    bool busy = false;
    store_memory_set_fault(world->objects[WORLD_COLD], busy_listing_once, &busy);
    assert_true(world_carry(world, &cohort, &moves[0], 1));
    assert_true(busy);
    assert_int_equal(cohort.tasks[0].next.state, UNIT_DONE);
    assert_int_equal(cohort.tasks[0].err.kind, ERR_NONE);
    world_cohort_free(&cohort);
}

/* An abandoned unit leaves copies behind; once the source has changed they are in the way, and may
 * be cleaned up because we made them. */
static void what_an_abandoned_unit_left_is_cleaned_up(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    struct meddler meddler = {.world = world,
                              .key = "rec/1/lidar/part 1.bin", /* the last one to be copied */
                              .verb = STORE_MEMORY_COPY,
                              .act = rewrite_source};
    store_memory_set_fault(world->objects[WORLD_COLD], meddle, &meddler);
    assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_ABANDONED);
    assert_int_equal(reason, REASON_SOURCE_CHANGED);
    store_memory_set_fault(world->objects[WORLD_COLD], NULL, NULL);
    assert_true(world_has(world, WORLD_COLD, "rec/1/can.asc"));

    assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_DONE);
    size_t size;
    const char *etag;
    assert_memory_equal(store_memory_get(world->objects[WORLD_COLD], "rec/1/can.asc", &size, &etag),
                        "rewritten", 9);
}

static enum store_result busy_removing_once(void *context, enum store_memory_verb verb,
                                            const char *key, bool *apply)
{
    bool *done = context;
    (void)key;
    (void)apply;
    if (verb != STORE_MEMORY_REMOVE || *done)
        return RESULT_DONE;
    *done = true;
    return RESULT_BUSY;
}

/* What could not be cleaned up at once is still ours. */
static void cleaning_up_is_tried_again(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    struct meddler meddler = {.world = world,
                              .key = "rec/1/lidar/part 1.bin",
                              .verb = STORE_MEMORY_COPY,
                              .act = rewrite_source};
    store_memory_set_fault(world->objects[WORLD_COLD], meddle, &meddler);
    assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_ABANDONED);

    bool busy = false;
    store_memory_set_fault(world->objects[WORLD_COLD], busy_removing_once, &busy);
    assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_DONE);
    assert_true(busy);
}

static enum store_result lose_removals(void *context, enum store_memory_verb verb, const char *key,
                                       bool *apply)
{
    (void)context;
    (void)key;
    *apply = false;
    return verb == STORE_MEMORY_REMOVE ? RESULT_UNKNOWN : RESULT_DONE;
}

/* A deletion that nobody answered may come late: what it would take away is not taken for a copy,
 * even if the source has become what it was. */
static void what_is_condemned_is_never_adopted(void **state)
{
    struct world *world = *state;
    const char *const key = "rec/1/can.asc", *const content = "content of rec/1/can.asc";
    enum unit_reason reason;
    struct meddler meddler = {.world = world,
                              .key = "rec/1/lidar/part 1.bin",
                              .verb = STORE_MEMORY_COPY,
                              .act = rewrite_source};
    store_memory_set_fault(world->objects[WORLD_COLD], meddle, &meddler);
    assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_ABANDONED);
    const char *etag;
    store_memory_get(world->objects[WORLD_COLD], key, NULL, &etag);
    char condemned[OBJECT_ETAG_MAX];
    snprintf(condemned, sizeof(condemned), "%s", etag);

    store_memory_set_fault(world->objects[WORLD_COLD], lose_removals, NULL);
    assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_VERIFYING);
    assert_int_equal(reason, REASON_BUSY);
    world_restart(world); /* that it was sent is on the disk */
    store_memory_put(world->objects[WORLD_HOT], key, content, strlen(content));
    assert_int_equal(world_resume(world), 1);
    store_memory_set_fault(world->objects[WORLD_COLD], NULL, NULL);

    assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_DONE);
    assert_non_null(store_memory_get(world->objects[WORLD_COLD], key, NULL, &etag));
    assert_string_not_equal(etag, condemned);
}

struct removal {
    struct world *world;
    size_t removals, condemned;
};

/* As the next process would find it, if this one died now. */
static bool count_condemned(void *context, const struct journal_unit *entry, struct err *err)
{
    struct removal *removal = context;
    struct journal *journal;
    struct object_fact *facts;
    size_t count;
    assert_true(journal_open(removal->world->folder, JOURNAL_READ, removal->world->hands.clock,
                             &journal, err));
    assert_true(
        journal_facts_get(journal, entry->unit.id, &removal->world->arena, &facts, &count, err));
    for (size_t i = 0; i < count; i++)
        removal->condemned += facts[i].condemned;
    journal_close(journal);
    return true;
}

static enum store_result look_at_the_disk(void *context, enum store_memory_verb verb,
                                          const char *key, bool *apply)
{
    (void)key;
    (void)apply;
    struct removal *removal = context;
    struct journal_filter filter = {.open_only = true};
    struct err err;
    if (verb != STORE_MEMORY_REMOVE)
        return RESULT_DONE;
    removal->removals++;
    assert_true(
        journal_each(removal->world->hands.journal, &filter, count_condemned, removal, &err));
    return RESULT_DONE;
}

/* Who dies before the answer must not have forgotten that it was sent. */
static void what_is_condemned_is_on_the_disk_first(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    struct meddler meddler = {.world = world,
                              .key = "rec/1/lidar/part 1.bin",
                              .verb = STORE_MEMORY_COPY,
                              .act = rewrite_source};
    store_memory_set_fault(world->objects[WORLD_COLD], meddle, &meddler);
    assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_ABANDONED);

    struct removal removal = {.world = world};
    store_memory_set_fault(world->objects[WORLD_COLD], look_at_the_disk, &removal);
    assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_DONE);
    assert_int_equal(removal.removals, 1);
    assert_int_equal(removal.condemned, 1);
}

/* Unless a row points there. */
static void what_a_row_points_at_is_never_cleaned_up(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    struct meddler meddler = {.world = world,
                              .key = "rec/1/lidar/part 1.bin",
                              .verb = STORE_MEMORY_COPY,
                              .act = rewrite_source};
    store_memory_set_fault(world->objects[WORLD_COLD], meddle, &meddler);
    assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_ABANDONED);
    store_memory_set_fault(world->objects[WORLD_COLD], NULL, NULL);

    struct record record = {.id = "R9", .location = "https://cold.example/data/rec/1/can.asc"};
    catalog_memory_put(world->rows, &record);
    assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_ABANDONED);
    assert_int_equal(reason, REASON_TARGET_DIFFERS);
    size_t size;
    const char *etag;
    store_memory_get(world->objects[WORLD_COLD], "rec/1/can.asc", &size, &etag);
    assert_int_equal(size, strlen("content of rec/1/can.asc"));
}

/* -- references -------------------------------------------------------------------------------- */

#define HOT "https://hot.example/data/"

static void a_referenced_source_stays_until_nothing_refers_to_it(void **state)
{
    struct world *world = *state;
    struct cohort cohort;
    catalog_memory_refer(world->rows, 0, HOT "rec/10/can.asc");
    assert_true(world_carry(world, &cohort, moves, MOVES));
    const struct task *task = &cohort.tasks[1];
    assert_int_equal(cohort.tasks[0].next.state, UNIT_DONE);
    assert_int_equal(task->next.state, UNIT_CUTOVER);
    assert_int_equal(task->next.reason, REASON_REFERENCED);
    assert_non_null(strstr(task->err.text, "training_set"));
    assert_non_null(strstr(task->err.text, "`file_url`"));
    world_cohort_free(&cohort);
    assert_true(world_is_at(world, "R2", WORLD_COLD));
    assert_int_equal(store_memory_count(world->objects[WORLD_HOT]), OBJECTS / MOVES);

    world_restart(world);
    assert_int_equal(world_resume(world), 1);
    assert_int_equal(store_memory_count(world->objects[WORLD_HOT]), OBJECTS / MOVES);

    catalog_memory_refer_nothing(world->rows);
    assert_int_equal(world_resume(world), 1);
    assert_all_moved(world);
}

static const char *const alias = "https://hot-alias.example/mnt/";

static void a_reference_counts_however_it_is_likely_to_be_spelled(void **state)
{
    static const char *const urls[] = {
        HOT "rec/d=1/",
        HOT "rec/d=1",
        HOT "rec/d=1/deep/down/x?sig=1",
        "http://hot.example/data/rec/d=1/x",
        HOT "rec/d%3D1/x",
        "https://hot-alias.example/mnt/rec/d=1/x",
        "http://hot-alias.example/mnt/rec/d%3D1",
    };
    const struct world_move move = {
        .directory = "rec/d=1/", .ids = {"R9"}, .id_count = 1, .verify = VERIFY_CHECKSUM};
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct world *world = *state;
        enum unit_reason reason;
        world->places[WORLD_HOT].aliases = &alias;
        world->places[WORLD_HOT].alias_count = 1;
        world_put(world, "R9", "rec/d=1/", siblings);
        catalog_memory_refer(world->rows, 0, urls[i]);
        if (carry_one(world, &move, &reason) != UNIT_CUTOVER || reason != REASON_REFERENCED)
            fail_msg("%s", urls[i]);
        assert_true(world_has(world, WORLD_HOT, "rec/d=1/can.asc"));
        tear_down(state);
        set_up(state);
    }
}

static void references_elsewhere_are_in_nobodys_way(void **state)
{
    static const char *const urls[] = {HOT "rec/100/can.asc", HOT "rec/", HOT "rec/1.asc",
                                       "https://cold.example/data/rec/1/can.asc"};
    struct world *world = *state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
        catalog_memory_refer(world->rows, 0, urls[i]);
    carry_all(world);
    assert_all_moved(world);
}

static enum err_kind answer;

static bool give_no_answer(struct catalog *catalog, const char *const *urls, size_t count,
                           const struct catalog_reference **found, struct err *err)
{
    (void)catalog;
    (void)urls;
    (void)count;
    *found = NULL;
    return ERR(err, answer, "the catalog has no table `training_set`");
}

/* Not to know is not to know that there are none. */
static void without_an_answer_nothing_is_deleted(void **state)
{
    for (answer = ERR_INPUT; answer <= ERR_INTERNAL; answer++) {
        struct world *world = *state;
        const struct catalog_ops *ops = world->hands.catalog->ops;
        struct catalog_ops broken = *ops;
        broken.referenced = give_no_answer;
        world->hands.catalog->ops = &broken;
        carry_all(world);
        world_restart(world);
        assert_int_equal(world_resume(world), MOVES);
        assert_int_equal(store_memory_count(world->objects[WORLD_HOT]), OBJECTS);

        world->hands.catalog->ops = ops;
        assert_int_equal(world_resume(world), MOVES);
        assert_all_moved(world);
        tear_down(state);
        set_up(state);
    }
}

/* -- faults
 * ----------------------------------------------------------------------------------------- */

static void an_unknown_commit_is_found_out(void **state)
{
    struct world *world = *state;
    const enum catalog_memory_fault faults[] = {CATALOG_FAULT_UNKNOWN_APPLIED,
                                                CATALOG_FAULT_UNKNOWN_DROPPED, CATALOG_FAULT_BUSY};
    for (size_t i = 0; i < 3; i++)
        catalog_memory_fail_next(world->rows, faults[i]);
    carry_all(world);
    assert_all_moved(world);
}

static void what_the_target_sets_is_set_once_the_rows_are_there(void **state)
{
    struct world *world = *state;
    static const struct catalog_set sets[] = {{"class", "warm"}, {"class", "cold"}};
    const enum catalog_memory_fault faults[] = {CATALOG_FAULT_UNKNOWN_APPLIED,
                                                CATALOG_FAULT_UNKNOWN_DROPPED, CATALOG_FAULT_BUSY};
    world->config.sets = sets;
    world->config.set_count = 2;
    world->definitions[WORLD_HOT].sets = &sets[0];
    world->definitions[WORLD_COLD].sets = &sets[1];
    world->definitions[WORLD_HOT].set_count = world->definitions[WORLD_COLD].set_count = 1;
    world_put(world, "R4", "rec/3/", NULL);
    for (size_t i = 0; i < 3; i++)
        catalog_memory_fail_next(world->rows, faults[i]);
    carry_all(world);
    for (size_t i = 0; i < MOVES; i++)
        assert_string_equal(catalog_memory_value(world->rows, ids[i], "class"), "cold");
    assert_null(catalog_memory_value(world->rows, "R4", "class"));
}

/* Only what an earlier run left open can have been begun under another policy. */
static void a_resumed_unit_sets_what_the_policy_says_now(void **state)
{
    struct world *world = *state;
    static const struct catalog_set sets[] = {{"class", "warm"}, {"class", "cold"}};
    enum unit_reason reason;
    world->config.sets = sets;
    world->config.set_count = 2;
    world->definitions[WORLD_COLD].sets = &sets[0];
    world->definitions[WORLD_COLD].set_count = 1;
    for (size_t i = 0; i < PROTOCOL_FAILURES_MAX; i++)
        catalog_memory_fail_next(world->rows, CATALOG_FAULT_BUSY);
    assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_COMMITTING);
    assert_int_equal(reason, REASON_BUSY);
    world->definitions[WORLD_COLD].sets = &sets[1];
    world_restart(world);
    assert_int_equal(world_resume(world), 1);
    assert_true(world_is_at(world, "R1", WORLD_COLD));
    assert_string_equal(catalog_memory_value(world->rows, "R1", "class"), "cold");
}

/* From the k-th item on, nothing is answered: what was asked may have happened all the same. */
struct silence {
    uint64_t after, seen;
    bool apply;
    atomic_bool *stop;
};

static enum store_result fall_silent(void *context, enum store_memory_verb verb, const char *key,
                                     bool *apply)
{
    struct silence *silence = context;
    (void)verb;
    (void)key;
    if (++silence->seen <= silence->after)
        return RESULT_DONE;
    *apply = silence->apply && silence->seen == silence->after + 1;
    atomic_store(silence->stop, true);
    return RESULT_UNKNOWN;
}

static bool silenced_run(struct world *world, struct silence *silence)
{
    for (int i = 0; i < WORLD_STORES; i++)
        store_memory_set_fault(world->objects[i], fall_silent, silence);
    struct cohort cohort;
    assert_true(world_carry(world, &cohort, moves, MOVES));
    world_cohort_free(&cohort);
    for (int i = 0; i < WORLD_STORES; i++)
        store_memory_set_fault(world->objects[i], NULL, NULL);
    return silence->seen > silence->after;
}

/* Whatever the request at which everything fell silent, a restart finishes the work. */
static void every_request_may_be_the_last(void **state)
{
    bool reached = true;
    for (uint64_t k = 0; reached; k++) {
        for (int apply = 0; apply < 2; apply++) {
            struct world *world = *state;
            struct silence silence = {.after = k, .apply = apply, .stop = &world->stop};
            reached = silenced_run(world, &silence);
            assert_true(world_rows_are_whole(world, ids, MOVES));
            world_restart(world);
            world_resume(world);
            assert_true(world_rows_are_whole(world, ids, MOVES));
            carry_all(world);
            assert_all_moved(world);
            assert_int_equal(world_resume(world), 0);
            tear_down(state);
            set_up(state);
        }
        assert_true(k < 1000);
    }
}

static enum store_result stop_at_removal(void *context, enum store_memory_verb verb,
                                         const char *key, bool *apply)
{
    struct world *world = context;
    (void)key;
    (void)apply;
    if (verb == STORE_MEMORY_REMOVE)
        atomic_store(&world->stop, true);
    return RESULT_DONE;
}

/* Some may not have been sent, so nobody says that the source is gone. */
static void a_deletion_that_is_told_to_stop_is_not_complete(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    store_memory_set_fault(world->objects[WORLD_HOT], stop_at_removal, world);
    assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_DELETING);
    assert_int_equal(reason, REASON_STOPPED);
    store_memory_set_fault(world->objects[WORLD_HOT], NULL, NULL);
    world_restart(world);
    assert_int_equal(world_resume(world), 1);
    assert_false(world_has(world, WORLD_HOT, "rec/1/can.asc"));
}

/* What the journal does not know has not happened: a report may not say so. */
static void a_journal_that_fails_ends_at_what_it_has(void **state)
{
    struct world *world = *state;
    struct cohort cohort;
    struct err err;
    world_cohort(world, &cohort, moves, 1);
    struct task *task = &cohort.tasks[0];
    task->entry.unit.id = 999; /* no such unit: it can't be written */
    task->entry.unit.state = UNIT_CUTOVER;
    task->event = (struct event){.kind = EVENT_FAILED, .failure = ERR_DENIED};
    assert_false(pool_carry(&cohort, &err));
    assert_true(task->resting);
    assert_int_equal(task->next.state, UNIT_CUTOVER);
    assert_int_equal(task->next.reason, REASON_STOPPED);
    world_cohort_free(&cohort);
}

static void one_bad_directory_leaves_the_others_alone(void **state)
{
    struct world *world = *state;
    struct cohort cohort;
    store_memory_put(world->objects[WORLD_COLD], "rec/10/can.asc", "foreign", 7);
    assert_true(world_carry(world, &cohort, moves, MOVES));
    assert_int_equal(cohort.tasks[0].next.state, UNIT_DONE);
    assert_int_equal(cohort.tasks[1].next.state, UNIT_ABANDONED);
    assert_int_equal(cohort.tasks[2].next.state, UNIT_DONE);
    world_cohort_free(&cohort);
    assert_true(world_rows_are_whole(world, ids, MOVES));
}

/* One open unit a place. */
static void a_unit_in_grace_keeps_others_away(void **state)
{
    struct world *world = *state;
    struct world_move move = moves[0];
    enum unit_reason reason;
    move.grace_us = DAY_US;
    assert_int_equal(carry_one(world, &move, &reason), UNIT_CUTOVER);
    /* Somebody points the row back at the source: a new move of it must not begin. */
    struct record record = {.id = "R1", .location = "https://hot.example/data/rec/1/R1.ecalmeas"};
    catalog_memory_put(world->rows, &record);
    assert_int_equal(carry_one(world, &move, &reason), UNIT_SKIPPED);
    assert_int_equal(reason, REASON_OPEN_UNIT);
    /* And the source is not deleted while a row points there. */
    world->clock.instant_us += 2 * DAY_US;
    assert_int_equal(world_resume(world), 1);
    assert_true(world_has(world, WORLD_HOT, "rec/1/can.asc"));
}

static void a_parked_unit_goes_on_once_the_way_is_clear(void **state)
{
    struct world *world = *state;
    struct world_move move = moves[0];
    enum unit_reason reason;
    move.grace_us = DAY_US;
    assert_int_equal(carry_one(world, &move, &reason), UNIT_CUTOVER);
    store_memory_put(world->objects[WORLD_HOT], "rec/1/new", "n", 1);
    world->clock.instant_us += 2 * DAY_US;
    world_resume(world);
    assert_true(world_has(world, WORLD_HOT, "rec/1/can.asc"));
    store_memory_remove(world->objects[WORLD_HOT], "rec/1/new");
    world_resume(world);
    assert_false(world_has(world, WORLD_HOT, "rec/1/can.asc"));
    assert_int_equal(world_resume(world), 0);
}

/* -- holds ----------------------------------------------------------------------------------------
 */

#define HOLD                                                                                       \
    "version: 1\n"                                                                                 \
    "catalog: {type: sqlite, path: /c.db, table: t, id: id, location: location}\n"                 \
    "stores: {hot: {type: local, path: /hot}, cold: {type: local, path: /cold}}\n"                 \
    "policies: [{name: age-out, target: cold, select: {ids: [x]}}]\n"                              \
    "holds: [{name: inquiry, reason: r, select: "

static const char *no_env(void *context, const char *name)
{
    (void)context;
    (void)name;
    return NULL;
}

static bool read_nothing(void *context, const char *path, size_t limit_bytes, struct arena *arena,
                         char **bytes, size_t *size_bytes, struct err *err)
{
    (void)context;
    (void)limit_bytes;
    (void)arena;
    (void)bytes;
    (void)size_bytes;
    return ERR(err, ERR_MISSING, "there is no %s", path);
}

/* The policies of the world are now those of a text; its stores are where they were. */
static void load_hold(struct world *world, const char *text)
{
    struct policy_source source = {.path = "p.yaml", .env = no_env};
    struct policies *policies;
    struct diags diags;
    struct load load = {
        .source = &source, .read = read_nothing, .arena = &world->arena, .diags = &diags};
    diag_init(&diags, &world->arena);
    load_bytes(&load, text, strlen(text), &policies);
    assert_non_null(policies);
    policies->places = world->policies.places;
    policy_prepare(policies, world->clock.instant_us);
    world->hands.policies = policies;
}

/* A hold is asked about the row as it is after the cut-over, and where it is then. */
static void a_held_row_keeps_its_source(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *policy;
        bool held;
    } table[] = {
        {HOLD "{path: {glob: 'rec/1/**'}}}]\n", true},
        {HOLD "{path: {glob: 'rec/2/**'}}}]\n", false},
        {HOLD "{store: cold}}]\n", true},
        {HOLD "{store: hot}}]\n", false},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        enum unit_reason reason;
        load_hold(world, table[i].policy);
        enum unit_state want = table[i].held ? UNIT_CUTOVER : UNIT_DONE;
        assert_int_equal(carry_one(world, &moves[0], &reason), want);
        if (table[i].held)
            assert_int_equal(reason, REASON_HELD);
        assert_true(world_is_at(world, "R1", WORLD_COLD));
        assert_int_equal(world_has(world, WORLD_HOT, "rec/1/can.asc"), table[i].held);
        policy_free((struct policies *)world->hands.policies);
        tear_down(state);
        set_up(state);
        world = *state;
    }
}

/* -- a catalog that answers as it likes ---------------------------------------------------------
 */

/* The catalog of the world, with some of its answers taken from it. */
static struct {
    struct catalog_ops ops;
    const struct catalog_ops *real;
    struct world *world;
} puppet;

static void make_puppet(struct world *world)
{
    puppet.world = world;
    puppet.real = world->hands.catalog->ops;
    puppet.ops = *puppet.real;
    world->hands.catalog->ops = &puppet.ops;
}

/* Between a look and what is done because of it, a row comes to the target. */
static bool look_and_add(struct catalog *catalog, const struct catalog_cut *cut, bool lock,
                         struct catalog_sight *sight, struct err *err)
{
    static const struct record record = {.id = "R9",
                                         .location = "https://cold.example/data/rec/1/can.asc"};
    bool done = puppet.real->look(catalog, cut, lock, sight, err);
    if (cut->count == 0)
        catalog_memory_put(puppet.world->rows, &record);
    return done;
}

static void a_row_that_comes_before_the_cleaning_keeps_what_it_points_at(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    struct meddler meddler = {.world = world,
                              .key = "rec/1/lidar/part 1.bin",
                              .verb = STORE_MEMORY_COPY,
                              .act = rewrite_source};
    store_memory_set_fault(world->objects[WORLD_COLD], meddle, &meddler);
    assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_ABANDONED);
    store_memory_set_fault(world->objects[WORLD_COLD], NULL, NULL);

    make_puppet(world);
    puppet.ops.look = look_and_add;
    assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_ABANDONED);
    assert_int_equal(reason, REASON_TARGET_DIFFERS);
    assert_true(world_is_at(world, "R9", WORLD_COLD));
    size_t size;
    const char *etag;
    store_memory_get(world->objects[WORLD_COLD], "rec/1/can.asc", &size, &etag);
    assert_int_equal(size, strlen("content of rec/1/can.asc"));
}

static bool look_at_nobodys_rows(struct catalog *catalog, const struct catalog_cut *cut, bool lock,
                                 struct catalog_sight *sight, struct err *err)
{
    if (cut->count == 0)
        return ERR(err, ERR_BUSY, "not now");
    return puppet.real->look(catalog, cut, lock, sight, err);
}

/* Nobody can tell whether a row is there. */
static void without_an_answer_nothing_is_cleaned_up(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    struct meddler meddler = {.world = world,
                              .key = "rec/1/lidar/part 1.bin",
                              .verb = STORE_MEMORY_COPY,
                              .act = rewrite_source};
    store_memory_set_fault(world->objects[WORLD_COLD], meddle, &meddler);
    assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_ABANDONED);
    store_memory_set_fault(world->objects[WORLD_COLD], NULL, NULL);

    make_puppet(world);
    puppet.ops.look = look_at_nobodys_rows;
    assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_ABANDONED);
    assert_int_equal(reason, REASON_TARGET_DIFFERS);
    assert_true(world_has(world, WORLD_COLD, "rec/1/can.asc"));
}

static bool cut_over_slowly(struct catalog *catalog, const struct catalog_cut *cut,
                            enum catalog_outcome *outcome, struct err *err)
{
    puppet.world->clock.instant_us += DAY_US / 24;
    return puppet.real->cut_over(catalog, cut, outcome, err);
}

/* Those before it in its cohort may have taken long. */
static void each_grace_begins_with_its_own_cut_over(void **state)
{
    struct world *world = *state;
    struct world_move later[MOVES];
    struct cohort cohort;
    int64_t start_us = world->clock.instant_us;
    make_puppet(world);
    puppet.ops.cut_over = cut_over_slowly;
    for (size_t i = 0; i < MOVES; i++) {
        later[i] = moves[i];
        later[i].grace_us = DAY_US;
    }
    assert_true(world_carry(world, &cohort, later, MOVES));
    for (size_t i = 0; i < MOVES; i++) {
        int64_t cut_us = start_us + (int64_t)(i + 1) * (DAY_US / 24);
        assert_int_equal(cohort.tasks[i].next.state, UNIT_CUTOVER);
        assert_true(cohort.tasks[i].next.cleanup_at_us >= cut_us + DAY_US);
    }
    world_cohort_free(&cohort);
}

/* -- a target that answers as it likes ----------------------------------------------------------
 */

static struct {
    struct store_ops ops;
    const struct store_ops *real;
    enum md5_origin origin; /* of the digests that it answers a copy with */
    bool is_other;          /* they are those of other bytes */
} target;

static void make_target(struct world *world)
{
    struct store *store = world->stores[WORLD_COLD];
    target.real = store->ops;
    target.ops = *target.real;
    store->ops = &target.ops;
}

static void copy_and_answer(struct store *to, struct store *from, struct copy *copies, size_t count)
{
    target.real->copy(to, from, copies, count);
    for (size_t i = 0; i < count; i++) {
        copies[i].md5_origin = target.origin;
        copies[i].md5[0] += target.is_other;
    }
}

/* A digest that the store did not compute, or that is another one, proves nothing: all is read. */
static void only_the_digest_that_was_computed_is_proof(void **state)
{
    static const struct {
        enum md5_origin origin;
        bool is_other;
        size_t reads;
    } table[] = {
        {MD5_COMPUTED, false, 0},
        {MD5_COMPUTED, true, 2 * OBJECTS / MOVES},
        {MD5_CLAIMED, false, 2 * OBJECTS / MOVES},
    };
    struct world *world = *state;
    make_target(world);
    target.ops.copy = copy_and_answer;
    for (int i = 0; i < WORLD_STORES; i++)
        store_memory_set_computes(world->objects[i], true);
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct world_move move = moves[i];
        enum unit_reason reason;
        size_t reads = 0;
        move.verify = VERIFY_CHECKSUM;
        target.origin = table[i].origin;
        target.is_other = table[i].is_other;
        for (int k = 0; k < WORLD_STORES; k++)
            store_memory_set_fault(world->objects[k], count_reads, &reads);
        assert_int_equal(carry_one(world, &move, &reason), UNIT_DONE);
        assert_int_equal(reads, table[i].reads);
    }
}

static void read_half(struct store *store, struct reading *readings, size_t count)
{
    target.real->read(store, readings, count);
    for (size_t i = 0; i < count; i++)
        readings[i].got_bytes /= 2;
}

static void what_was_read_in_part_is_not_equal(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    make_target(world);
    target.ops.read = read_half;
    assert_int_equal(carry_one(world, &moves[2], &reason), UNIT_ABANDONED);
    assert_int_equal(reason, REASON_TARGET_DIFFERS);
    assert_true(world_is_at(world, "R3", WORLD_HOT));
}

static bool fetch_nothing(struct catalog *catalog, const char *const *row_ids, size_t count,
                          catalog_visit *visit, void *context, struct err *err)
{
    (void)catalog;
    (void)row_ids;
    (void)count;
    (void)visit;
    (void)context;
    return ERR(err, ERR_BUSY, "not now");
}

/* After the cut-over, which it may look back at, it does not answer. */
static bool look_at_no_target(struct catalog *catalog, const struct catalog_cut *cut, bool lock,
                              struct catalog_sight *sight, struct err *err)
{
    bool at_target = world_is_at(puppet.world, "R1", WORLD_COLD);
    if (at_target && !lock)
        return ERR(err, ERR_BUSY, "not now");
    return puppet.real->look(catalog, cut, lock, sight, err);
}

/* A question without an answer is no "no". */
static void without_an_answer_of_rows_or_holds_nothing_is_deleted(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 2; i++) {
        enum unit_reason reason;
        load_hold(world, HOLD "{path: {glob: 'rec/2/**'}}}]\n");
        make_puppet(world);
        if (i == 0)
            puppet.ops.fetch = fetch_nothing;
        else
            puppet.ops.look = look_at_no_target;
        assert_int_equal(carry_one(world, &moves[0], &reason), UNIT_CUTOVER);
        assert_int_equal(reason, REASON_BUSY);
        assert_true(world_is_at(world, "R1", WORLD_COLD));
        assert_true(world_has(world, WORLD_HOT, "rec/1/can.asc"));
        world->hands.catalog->ops = puppet.real;
        assert_int_equal(world_resume(world), 1);
        assert_false(world_has(world, WORLD_HOT, "rec/1/can.asc"));
        policy_free((struct policies *)world->hands.policies);
        tear_down(state);
        set_up(state);
        world = *state;
    }
}

/* A policy that says keep today keeps what waits already; its name is one of those of the unit. */
static void a_policy_that_keeps_today_stops_the_deletion(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *policy;
        bool kept;
    } table[] = {{"age-out", true}, {"age", false}, {"out", false}, {"age-out-2", false}};
    struct policy policy = {.terms = {.keep_source = true}};
    struct policies policies = world->policies;
    struct world_move move = moves[0];
    enum unit_reason reason;
    move.grace_us = DAY_US;
    policies.items = &policy;
    policies.count = 1;
    assert_int_equal(carry_one(world, &move, &reason), UNIT_CUTOVER);
    world->clock.instant_us += 2 * DAY_US;
    world->hands.policies = &policies;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        policy.name = table[i].policy;
        assert_int_equal(world_resume(world), 1);
        assert_int_equal(world_has(world, WORLD_HOT, "rec/1/can.asc"), table[i].kept);
        if (table[i].kept)
            continue;
        /* Its source is gone: the next one needs another. */
        policy.terms.keep_source = false;
        tear_down(state);
        set_up(state);
        world = *state;
        assert_int_equal(carry_one(world, &move, &reason), UNIT_CUTOVER);
        world->clock.instant_us += 2 * DAY_US;
        policies.places = world->policies.places;
        policy.terms.keep_source = true;
        world->hands.policies = &policies;
    }
    assert_true(world_is_at(world, "R1", WORLD_COLD));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(moves_whole_directories_and_deletes_their_sources),
        CASE(a_computed_digest_is_proof),
        CASE(readback_reads_every_object_on_both_sides),
        CASE(what_the_store_will_not_read_back_is_unproved),
        CASE(applying_again_changes_nothing),
        CASE(a_kept_source_stays),
        CASE(grace_is_waited_out),
        CASE(a_foreign_object_at_the_target_is_never_touched),
        CASE(an_equal_object_at_the_target_is_adopted),
        CASE(an_object_of_equal_size_is_read_before_it_is_adopted),
        CASE(a_large_object_may_differ_anywhere),
        CASE(more_at_the_target_abandons),
        CASE(a_row_that_went_elsewhere_makes_it_stale),
        CASE(a_new_row_in_the_directory_makes_it_stale),
        CASE(rows_changed_meanwhile_abandon),
        CASE(a_source_that_changes_meanwhile_abandons),
        CASE(a_failure_names_what_is_in_the_way),
        CASE(a_failure_that_passed_is_not_blamed),
        CASE(what_an_abandoned_unit_left_is_cleaned_up),
        CASE(cleaning_up_is_tried_again),
        CASE(what_is_condemned_is_never_adopted),
        CASE(what_is_condemned_is_on_the_disk_first),
        CASE(what_a_row_points_at_is_never_cleaned_up),
        CASE(a_referenced_source_stays_until_nothing_refers_to_it),
        CASE(a_reference_counts_however_it_is_likely_to_be_spelled),
        CASE(references_elsewhere_are_in_nobodys_way),
        CASE(without_an_answer_nothing_is_deleted),
        CASE(an_unknown_commit_is_found_out),
        CASE(what_the_target_sets_is_set_once_the_rows_are_there),
        CASE(a_resumed_unit_sets_what_the_policy_says_now),
        CASE(every_request_may_be_the_last),
        CASE(a_deletion_that_is_told_to_stop_is_not_complete),
        CASE(a_journal_that_fails_ends_at_what_it_has),
        CASE(one_bad_directory_leaves_the_others_alone),
        CASE(a_unit_in_grace_keeps_others_away),
        CASE(a_parked_unit_goes_on_once_the_way_is_clear),
        CASE(a_held_row_keeps_its_source),
        CASE(a_row_that_comes_before_the_cleaning_keeps_what_it_points_at),
        CASE(without_an_answer_nothing_is_cleaned_up),
        CASE(only_the_digest_that_was_computed_is_proof),
        CASE(what_was_read_in_part_is_not_equal),
        CASE(each_grace_begins_with_its_own_cut_over),
        CASE(without_an_answer_of_rows_or_holds_nothing_is_deleted),
        CASE(a_policy_that_keeps_today_stops_the_deletion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
