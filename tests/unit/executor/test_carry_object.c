/* Single objects carried through the protocol: what stands beside them is never looked at, copied,
 * waited for or deleted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "executor/pool.h"
#include "tests/support/world.h"

#define DAY_US (INT64_C(86400) * 1000000)
#define HOT "https://hot.example/data/"

static const char *const ids[] = {"R1", "R10", "R2", "R3", "BAK"};
static const struct world_move moves[] = {
    {.directory = "r/R1.ecalmeas", .ids = {"R1"}, .id_count = 1, .verify = VERIFY_CHECKSUM},
    {.directory = "r/R2.ecalmeas", .ids = {"R2"}, .id_count = 1, .verify = VERIFY_SIZE},
    {.directory = "R3.ecalmeas", .ids = {"R3"}, .id_count = 1, .verify = VERIFY_READBACK},
};
#define MOVES 3
/* What begins with a moved object's key, lies in its folder, or in one of its name. */
static const char *const siblings[] = {
    "r/R1.ecalmeas.bak", "r/R1.ecalmeas/x", "r/R1.ecalmea", "r/R10.ecalmeas",
    "r/cam.h264",        "r/a/deep",        "R3.ecalmeas2", NULL};
#define SIBLINGS (sizeof(siblings) / sizeof(siblings[0]) - 1)

static int set_up(void **state)
{
    static struct world world;
    world_make(&world);
    world.config.by_object = world.policies.places.by_object = true;
    world_put(&world, "R1", "r/", NULL);
    world_put(&world, "R10", "r/", NULL);
    world_put(&world, "R2", "r/", NULL);
    world_put(&world, "R3", "", siblings);
    const struct record bak = {.id = "BAK", .location = HOT "r/R1.ecalmeas.bak"};
    catalog_memory_put(world.rows, &bak);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    return 0;
}

static void carry_all(struct world *world, const enum unit_state *states,
                      const enum unit_reason *reasons)
{
    struct cohort cohort;
    assert_true(world_carry(world, &cohort, moves, MOVES));
    for (size_t i = 0; states != NULL && i < MOVES; i++) {
        if (cohort.tasks[i].next.state != states[i] || cohort.tasks[i].next.reason != reasons[i])
            fail_msg("%s: %s: %s: %s", moves[i].directory,
                     unit_state_name(cohort.tasks[i].next.state),
                     unit_reason_name(cohort.tasks[i].next.reason), cohort.tasks[i].err.text);
    }
    world_cohort_free(&cohort);
}

/* Exactly the objects that were to move have moved. */
static void assert_moved(struct world *world)
{
    for (size_t i = 0; i < MOVES; i++) {
        assert_false(world_has(world, WORLD_HOT, moves[i].directory));
        assert_true(world_has(world, WORLD_COLD, moves[i].directory));
        assert_true(world_is_at(world, moves[i].ids[0], WORLD_COLD));
    }
    for (size_t i = 0; i < SIBLINGS; i++)
        assert_true(world_has(world, WORLD_HOT, siblings[i]));
    assert_int_equal(store_memory_count(world->objects[WORLD_HOT]), SIBLINGS);
    assert_int_equal(store_memory_count(world->objects[WORLD_COLD]), MOVES);
    assert_true(world_is_at(world, "R10", WORLD_HOT));
    assert_true(world_is_at(world, "BAK", WORLD_HOT));
    assert_true(world_rows_are_whole(world, ids, sizeof(ids) / sizeof(ids[0])));
}

static void an_object_moves_and_its_neighbours_stay(void **state)
{
    static const enum unit_state done[] = {UNIT_DONE, UNIT_DONE, UNIT_DONE};
    static const enum unit_reason none[] = {REASON_NONE, REASON_NONE, REASON_NONE};
    carry_all(*state, done, none);
    assert_moved(*state);
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

static void every_request_may_be_the_last(void **state)
{
    bool reached = true;
    for (uint64_t k = 0; reached; k++) {
        for (int apply = 0; apply < 2; apply++) {
            struct world *world = *state;
            struct silence silence = {.after = k, .apply = apply, .stop = &world->stop};
            for (int i = 0; i < WORLD_STORES; i++)
                store_memory_set_fault(world->objects[i], fall_silent, &silence);
            carry_all(world, NULL, NULL);
            for (int i = 0; i < WORLD_STORES; i++)
                store_memory_set_fault(world->objects[i], NULL, NULL);
            reached = silence.seen > silence.after;
            assert_true(world_rows_are_whole(world, ids, sizeof(ids) / sizeof(ids[0])));
            world_restart(world);
            world_resume(world);
            carry_all(world, NULL, NULL);
            assert_moved(world);
            assert_int_equal(world_resume(world), 0);
            tear_down(state);
            set_up(state);
        }
        assert_true(k < 1000);
    }
}

/* At the target nothing is more than the object; what has its name there is not overwritten. */
static void only_its_own_name_is_in_the_way(void **state)
{
    struct world *world = *state;
    static const enum unit_state states[] = {UNIT_DONE, UNIT_ABANDONED, UNIT_DONE};
    static const enum unit_reason reasons[] = {REASON_NONE, REASON_TARGET_DIFFERS, REASON_NONE};
    store_memory_put(world->objects[WORLD_COLD], "r/R1.ecalmeas.bak", "foreign", 7);
    store_memory_put(world->objects[WORLD_COLD], "r/R1.ecalmeas/x", "foreign", 7);
    store_memory_put(world->objects[WORLD_COLD], "r/R2.ecalmeas", "foreign", 7);
    carry_all(world, states, reasons);
    assert_true(world_is_at(world, "R2", WORLD_HOT));
    assert_true(world_has(world, WORLD_HOT, "r/R2.ecalmeas"));
}

static void a_second_row_of_the_object_makes_it_stale(void **state)
{
    struct world *world = *state;
    static const enum unit_state states[] = {UNIT_SKIPPED, UNIT_SKIPPED, UNIT_DONE};
    static const enum unit_reason reasons[] = {REASON_STALE_ROWS, REASON_STALE_OBJECTS,
                                               REASON_NONE};
    const struct record twin = {.id = "TWIN", .location = HOT "r/R1.ecalmeas"};
    catalog_memory_put(world->rows, &twin);
    store_memory_remove(world->objects[WORLD_HOT], "r/R2.ecalmeas");
    store_memory_put(world->objects[WORLD_HOT], "r/R2.ecalmeas.bak", "x", 1);
    carry_all(world, states, reasons);
    assert_true(world_has(world, WORLD_HOT, "r/R1.ecalmeas"));
}

/* -- after the cut-over ------------------------------------------------------------------------ */

/* The first object in its grace, which is then over. */
static void cut_over(struct world *world)
{
    struct world_move move = moves[0];
    struct cohort cohort;
    move.grace_us = DAY_US;
    assert_true(world_carry(world, &cohort, &move, 1));
    assert_int_equal(cohort.tasks[0].next.state, UNIT_CUTOVER);
    world_cohort_free(&cohort);
    world->clock.instant_us += 2 * DAY_US;
}

static void what_happens_beside_it_does_not_keep_the_source(void **state)
{
    struct world *world = *state;
    cut_over(world);
    const struct record near = {.id = "NEAR", .location = HOT "r/R1.ecalmeas/x"};
    const struct record above = {.id = "ABOVE", .location = HOT "r/"};
    catalog_memory_put(world->rows, &near);
    catalog_memory_put(world->rows, &above);
    store_memory_put(world->objects[WORLD_HOT], "r/R1.ecalmeas.bak", "rewritten", 9);
    store_memory_put(world->objects[WORLD_HOT], "r/R1.ecalmeas.new", "new", 3);
    catalog_memory_refer(world->rows, 0, HOT "r/R1.ecalmeas.bak");
    catalog_memory_refer(world->rows, 0, HOT "r/R1.ecalmeas/x");
    assert_int_equal(world_resume(world), 1);
    assert_int_equal(world_resume(world), 0);
    assert_false(world_has(world, WORLD_HOT, "r/R1.ecalmeas"));
    for (size_t i = 0; i < SIBLINGS; i++)
        assert_true(world_has(world, WORLD_HOT, siblings[i]));
}

static void a_row_at_it_keeps_the_source(void **state)
{
    static const char *const locations[] = {HOT "r/R1.ecalmeas", HOT "r/R1.ecalmeas?sv=1",
                                            HOT "r/R1.ecalmeas#t"};
    struct world *world = *state;
    cut_over(world);
    for (size_t i = 0; i < sizeof(locations) / sizeof(locations[0]); i++) {
        const struct record back = {.id = "BACK", .location = locations[i]};
        catalog_memory_put(world->rows, &back);
        assert_int_equal(world_resume(world), 1);
        assert_int_equal(world_resume(world), 1);
        assert_true(world_has(world, WORLD_HOT, "r/R1.ecalmeas"));
        catalog_memory_remove(world->rows, "BACK");
    }
    assert_int_equal(world_resume(world), 1);
    assert_false(world_has(world, WORLD_HOT, "r/R1.ecalmeas"));
}

static void a_source_that_was_rewritten_is_kept(void **state)
{
    struct world *world = *state;
    cut_over(world);
    store_memory_put(world->objects[WORLD_HOT], "r/R1.ecalmeas", "rewritten", 9);
    assert_int_equal(world_resume(world), 1);
    assert_int_equal(world_resume(world), 1);
    assert_true(world_has(world, WORLD_HOT, "r/R1.ecalmeas"));
}

static void a_reference_to_it_keeps_the_source(void **state)
{
    static const char *const urls[] = {HOT "r/R1.ecalmeas", HOT "r/R1.ecalmeas?sv=1&sig=2",
                                       HOT "r/R1.ecalmeas#t=5",
                                       "http://hot.example/data/r/R1.ecalmeas"};
    struct world *world = *state;
    cut_over(world);
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        catalog_memory_refer(world->rows, 0, urls[i]);
        assert_int_equal(world_resume(world), 1);
        if (!world_has(world, WORLD_HOT, "r/R1.ecalmeas"))
            fail_msg("%s", urls[i]);
        catalog_memory_refer_nothing(world->rows);
    }
    assert_int_equal(world_resume(world), 1);
    assert_false(world_has(world, WORLD_HOT, "r/R1.ecalmeas"));
}

/* A policy of directories would take it along. */
static void its_directory_does_not_begin_meanwhile(void **state)
{
    struct world *world = *state;
    struct cohort cohort;
    const struct world_move directory = {.directory = "r/", .ids = {"R2", "R10"}, .id_count = 2};
    cut_over(world);
    catalog_memory_remove(world->rows, "BAK");
    assert_true(world_carry(world, &cohort, &directory, 1));
    assert_int_equal(cohort.tasks[0].next.state, UNIT_SKIPPED);
    assert_int_equal(cohort.tasks[0].next.reason, REASON_OPEN_UNIT);
    world_cohort_free(&cohort);
    assert_true(world_is_at(world, "R2", WORLD_HOT));
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(an_object_moves_and_its_neighbours_stay),
        CASE(every_request_may_be_the_last),
        CASE(only_its_own_name_is_in_the_way),
        CASE(a_second_row_of_the_object_makes_it_stale),
        CASE(what_happens_beside_it_does_not_keep_the_source),
        CASE(a_row_at_it_keeps_the_source),
        CASE(a_source_that_was_rewritten_is_kept),
        CASE(a_reference_to_it_keeps_the_source),
        CASE(its_directory_does_not_begin_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
