/* Many workers over many directories: each is carried once, and the thread sanitizer is silent. */
#include "executor/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sched.h>

#include "base/arena.h"
#include "base/str.h"
#include "state/journal.h"
#include "tests/support/world.h"

#define DIRECTORIES 96
#define COHORT 5
#define WORKERS 8
#define OBJECTS_EACH 3

static const char *const siblings[] = {"cam.h264", "can.asc", NULL};

/* Hands out the moves COHORT at a time, and remembers what became of them. */
struct feed {
    struct world *world;
    struct world_move moves[DIRECTORIES];
    const char *ids[DIRECTORIES];
    size_t next, fail_at;
    size_t given_back, restless, in_state[UNIT_STATES];
};

static void copy_task(struct arena *arena, struct task *task, const struct task *from)
{
    *task = *from;
    task->entry.source = arena_copy(arena, from->entry.source);
    task->entry.target = arena_copy(arena, from->entry.target);
    task->rows = arena_make(arena, from->row_count * sizeof(*task->rows) + 1);
    for (size_t i = 0; i < from->row_count; i++)
        task->rows[i] =
            (struct catalog_row){.id = from->rows[i].id,
                                 .old_location = arena_copy(arena, from->rows[i].old_location),
                                 .new_location = arena_copy(arena, from->rows[i].new_location)};
}

static void hand_out(struct feed *feed, struct cohort *cohort, size_t most)
{
    size_t left = DIRECTORIES - feed->next, count = left < most ? left : most;
    struct cohort made;
    world_cohort(feed->world, &made, &feed->moves[feed->next], count);
    for (size_t i = 0; i < count; i++)
        copy_task(&cohort->arena, &cohort->tasks[i], &made.tasks[i]);
    world_cohort_free(&made);
    cohort->count = count;
    feed->next += count;
}

static bool next(void *context, struct cohort *cohort, struct err *err)
{
    struct feed *feed = context;
    if (feed->fail_at != 0 && feed->next >= feed->fail_at)
        return ERR(err, ERR_CORRUPT, "the feed is broken");
    hand_out(feed, cohort, COHORT);
    return true;
}

static bool next_one(void *context, struct cohort *cohort, struct err *err)
{
    (void)err;
    hand_out(context, cohort, 1);
    return true;
}

static void done(void *context, const struct cohort *cohort)
{
    struct feed *feed = context;
    for (size_t i = 0; i < cohort->count; i++) {
        feed->restless += !cohort->tasks[i].resting; /* no place for an assertion: a worker's */
        feed->in_state[cohort->tasks[i].next.state]++;
        feed->given_back++;
    }
}

static int set_up(void **state)
{
    static struct world world;
    static struct feed feed;
    world_make(&world);
    feed = (struct feed){.world = &world};
    for (size_t i = 0; i < DIRECTORIES; i++) {
        const char *directory = str_format(&world.arena, "rec/%zu/", i);
        feed.ids[i] = str_format(&world.arena, "R%zu", i);
        feed.moves[i] = (struct world_move){.directory = directory,
                                            .ids = {feed.ids[i]},
                                            .id_count = 1,
                                            .verify = (enum unit_verify)(i % 3)};
        world_put(&world, feed.ids[i], directory, siblings);
    }
    *state = &feed;
    return 0;
}

static int tear_down(void **state)
{
    struct feed *feed = *state;
    world_free(feed->world);
    return 0;
}

static bool run(struct feed *feed, struct err *err)
{
    const struct pool_feed pool = {.next = next, .done = done, .context = feed};
    feed->next = feed->given_back = 0;
    memset(feed->in_state, 0, sizeof(feed->in_state));
    bool ran = pool_run(&feed->world->hands, WORKERS, &pool, err);
    assert_int_equal(feed->restless, 0);
    return ran;
}

static void assert_all_moved(struct feed *feed)
{
    struct world *world = feed->world;
    assert_int_equal(store_memory_count(world->objects[WORLD_HOT]), 0);
    assert_int_equal(store_memory_count(world->objects[WORLD_COLD]), DIRECTORIES * OBJECTS_EACH);
    for (size_t i = 0; i < DIRECTORIES; i++)
        assert_true(world_is_at(world, feed->ids[i], WORLD_COLD));
    assert_true(world_rows_are_whole(world, feed->ids, DIRECTORIES));
}

static void many_workers_carry_each_directory_once(void **state)
{
    struct feed *feed = *state;
    struct err err;
    assert_true(run(feed, &err));
    assert_int_equal(feed->given_back, DIRECTORIES);
    assert_int_equal(feed->in_state[UNIT_DONE], DIRECTORIES);
    assert_all_moved(feed);
    struct counters *counters = feed->world->hands.counters;
    assert_int_equal(atomic_load(&counters->directories_at_rest), DIRECTORIES);
    assert_int_equal(atomic_load(&counters->objects_copied), DIRECTORIES * OBJECTS_EACH);
    assert_int_equal(atomic_load(&counters->objects_deleted), DIRECTORIES * OBJECTS_EACH);
}

/* Each worker ends after its cohort; what it did not begin stays where it is. */
static void a_broken_feed_ends_the_run(void **state)
{
    struct feed *feed = *state;
    struct err err;
    feed->fail_at = DIRECTORIES / 2;
    assert_false(run(feed, &err));
    assert_int_equal(err.kind, ERR_CORRUPT);
    assert_int_equal(feed->given_back, feed->next);
    assert_int_equal(feed->in_state[UNIT_DONE], feed->next);
    assert_true(world_rows_are_whole(feed->world, feed->ids, DIRECTORIES));
}

struct interruption {
    atomic_ullong left;
    atomic_bool *stop;
};

static enum store_result interrupt(void *context, enum store_memory_verb verb, const char *key,
                                   bool *apply)
{
    struct interruption *interruption = context;
    (void)verb;
    (void)key;
    (void)apply;
    if (atomic_fetch_sub(&interruption->left, 1) == 1)
        atomic_store(interruption->stop, true);
    return RESULT_DONE;
}

/* A stop in the midst of things leaves open units, which the next run brings to rest. */
static void a_stop_leaves_nothing_half(void **state)
{
    struct feed *feed = *state;
    struct world *world = feed->world;
    struct interruption interruption = {.left = 150, .stop = &world->stop};
    struct err err;
    for (int i = 0; i < WORLD_STORES; i++)
        store_memory_set_fault(world->objects[i], interrupt, &interruption);
    assert_true(run(feed, &err));
    assert_true(atomic_load(&world->stop));
    assert_true(feed->in_state[UNIT_DONE] < DIRECTORIES);
    assert_true(world_rows_are_whole(world, feed->ids, DIRECTORIES));

    for (int i = 0; i < WORLD_STORES; i++)
        store_memory_set_fault(world->objects[i], NULL, NULL);
    world_restart(world);
    world_resume(world);
    assert_true(run(feed, &err));
    assert_all_moved(feed);
    assert_int_equal(world_resume(world), 0);
}

/* -- turns ---------------------------------------------------------------------------------------
 */

#define LARGE 200 /* objects in each directory that copies */
#define LARGEST (POOL_COPYING_OBJECTS_MAX + 100)
#define LARGE_DIRECTORIES 24

/* The cold store, with an eye on how many objects are asked for at the same time. */
struct crowd {
    struct store store;
    struct store_ops ops;
    struct store *inner;
    atomic_ullong copying, most;
};

static void crowd_copy(struct store *target, struct store *source, struct copy *copies,
                       size_t count)
{
    struct crowd *crowd = (struct crowd *)target;
    unsigned long long objects = atomic_fetch_add(&crowd->copying, count) + count;
    unsigned long long most = atomic_load(&crowd->most);
    while (objects > most && !atomic_compare_exchange_weak(&crowd->most, &most, objects))
        continue;
    for (int i = 0; i < 1000; i++)
        sched_yield(); /* time for others to come in */
    crowd->inner->ops->copy(crowd->inner, source, copies, count);
    atomic_fetch_sub(&crowd->copying, count);
}

static void crowd_list(struct store *store, struct listing *listings, size_t count,
                       struct arena *arena)
{
    struct store *inner = ((struct crowd *)store)->inner;
    inner->ops->list(inner, listings, count, arena);
}

static void crowd_read(struct store *store, struct reading *readings, size_t count)
{
    struct store *inner = ((struct crowd *)store)->inner;
    inner->ops->read(inner, readings, count);
}

/* However many workers there are, no more objects are under way than turns are given for. */
static void copies_take_turns(void **state)
{
    (void)state;
    static struct world world;
    static struct feed feed;
    static struct crowd crowd;
    const char *names[LARGEST];
    struct err err;
    world_make(&world);
    for (size_t i = 0; i + 1 < LARGEST; i++)
        names[i] = str_format(&world.arena, "%03zu", i);
    names[LARGEST - 1] = NULL;
    feed = (struct feed){.world = &world, .next = DIRECTORIES - LARGE_DIRECTORIES};
    for (size_t i = feed.next; i < DIRECTORIES; i++) {
        const char *directory = str_format(&world.arena, "rec/%zu/", i);
        feed.ids[i] = str_format(&world.arena, "R%zu", i);
        feed.moves[i] = (struct world_move){
            .directory = directory, .ids = {feed.ids[i]}, .id_count = 1, .verify = VERIFY_SIZE};
        /* One is larger than all turns together. */
        bool is_largest = i == DIRECTORIES - LARGE_DIRECTORIES / 2;
        world_put(&world, feed.ids[i], directory, is_largest ? names : names + LARGEST - LARGE);
    }
    crowd = (struct crowd){.store = {.ops = &crowd.ops, .name = "cold"},
                           .ops = *world.stores[WORLD_COLD]->ops,
                           .inner = world.stores[WORLD_COLD]};
    crowd.ops.copy = crowd_copy;
    crowd.ops.list = crowd_list;
    crowd.ops.read = crowd_read;
    world.stores[WORLD_COLD] = &crowd.store;

    const struct pool_feed pool = {.next = next_one, .done = done, .context = &feed};
    assert_true(pool_run(&world.hands, WORKERS, &pool, &err));
    assert_int_equal(feed.in_state[UNIT_DONE], LARGE_DIRECTORIES);
    assert_true(atomic_load(&crowd.most) > LARGE); /* side by side all the same */
    assert_true(atomic_load(&crowd.most) <= POOL_COPYING_OBJECTS_MAX);
    world.stores[WORLD_COLD] = crowd.inner;
    world_free(&world);
}

/* The hot store, with an eye on how its units stand while it is tidied up. */
struct tidied {
    struct store_ops ops;
    struct journal *journal;
    size_t open, closed;
};
static struct tidied tidied;

static bool note_tidying(struct store *store, const char *directory, int64_t unit, struct err *err)
{
    struct journal_unit entry;
    struct arena arena;
    (void)store;
    arena_init(&arena, 1 << 20);
    bool found = journal_unit_get(tidied.journal, unit, &arena, &entry, err);
    assert_true(found);
    assert_string_equal(entry.directory, directory);
    if (unit_is_open(&entry.unit))
        tidied.open++;
    else
        tidied.closed++;
    arena_free(&arena);
    return true;
}

/* Whoever is killed in between leaves it to the run that closes the unit. */
static void a_unit_is_tidied_up_before_it_is_closed(void **state)
{
    (void)state;
    static struct world world;
    struct cohort cohort;
    world_make(&world);
    world_put(&world, "R1", "rec/1/", siblings);
    const struct world_move move = {
        .directory = "rec/1/", .ids = {"R1"}, .id_count = 1, .verify = VERIFY_SIZE};
    struct store *hot = world.stores[WORLD_HOT];
    const struct store_ops *ops = hot->ops;
    tidied = (struct tidied){.ops = *ops, .journal = world.hands.journal};
    tidied.ops.tidy = note_tidying;
    hot->ops = &tidied.ops;
    assert_true(world_carry(&world, &cohort, &move, 1));
    assert_int_equal(cohort.tasks[0].entry.unit.state, UNIT_DONE);
    world_cohort_free(&cohort);
    hot->ops = ops;
    assert_int_equal(tidied.open, 1);
    assert_int_equal(tidied.closed, 0);
    world_free(&world);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(many_workers_carry_each_directory_once),
        CASE(a_broken_feed_ends_the_run),
        CASE(a_stop_leaves_nothing_half),
        cmocka_unit_test(copies_take_turns),
        cmocka_unit_test(a_unit_is_tidied_up_before_it_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
