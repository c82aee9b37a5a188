/* Copies that the cloud makes by itself, over stores in memory whose copies take their time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "executor/pool.h"
#include "tests/support/world.h"

#define MINUTE_US (INT64_C(60) * 1000000)
#define FOR_EVER_US (INT64_C(10000) * MINUTE_US)
#define SLOW "rec/1/can.asc"
#define SLOW_CONTENT "content of rec/1/can.asc"

static const char *const siblings[] = {"cam.h264", "can.asc", NULL};
static const struct world_move moves[] = {
    {.directory = "rec/1/", .ids = {"R1"}, .id_count = 1, .verify = VERIFY_CHECKSUM},
    {.directory = "rec/2/", .ids = {"R2"}, .id_count = 1, .verify = VERIFY_CHECKSUM},
};
#define OBJECTS 3 /* of each */

/* What becomes of copies to the cold store, and what was asked of it. */
struct cloud {
    struct world *world;
    const char *key;   /* only this one takes its time; NULL: all do              */
    size_t fail_first; /* so many of them end badly                               */
    size_t hang_first; /* so many of them never end                               */
    int64_t takes_us;  /* the others                                              */
    size_t heard_of;   /* of so many; of the others it is not known that they began  */
    bool lies;         /* replies that it is done with what it has not begun          */
    enum store_result on_abort, on_remove;
    void (*on_list)(struct cloud *cloud); /* after the first copy */
    int64_t from_us;
    /* what was asked */
    size_t begun, aborts, removals, lists, reads;
};

static struct {
    struct store_ops ops;
    const struct store_ops *real;
    struct cloud cloud;
} cold;

static enum store_result begin_copy(struct cloud *cloud, bool *apply)
{
    size_t number = cloud->begun++;
    int64_t us = cloud->takes_us;
    *apply = number >= cloud->fail_first;
    if (!*apply)
        us = MINUTE_US;
    if (number < cloud->hang_first)
        us = FOR_EVER_US;
    store_memory_set_copy_time(cloud->world->objects[WORLD_COLD], us);
    return RESULT_PENDING;
}

static enum store_result fate(void *context, enum store_memory_verb verb, const char *key,
                              bool *apply)
{
    struct cloud *cloud = context;
    bool is_it = cloud->key == NULL || strcmp(cloud->key, key) == 0;
    switch (verb) {
    case STORE_MEMORY_COPY:
        return is_it ? begin_copy(cloud, apply) : RESULT_DONE;
    case STORE_MEMORY_ABORT:
        cloud->aborts++;
        return cloud->on_abort;
    case STORE_MEMORY_REMOVE:
        cloud->removals++;
        return cloud->on_remove;
    case STORE_MEMORY_LIST:
        cloud->lists++;
        if (cloud->on_list != NULL && cloud->begun > 0)
            cloud->on_list(cloud);
        return RESULT_DONE;
    case STORE_MEMORY_READ:
        cloud->reads += is_it;
        return RESULT_DONE;
    case STORE_MEMORY_PUT:
    case STORE_MEMORY_TIER:
        break;
    }
    return RESULT_DONE;
}

static void copy_and_forget(struct store *to, struct store *from, struct copy *copies, size_t count)
{
    cold.real->copy(to, from, copies, count);
    for (size_t i = 0; cold.cloud.lies && i < count; i++) {
        copies[i].outcome.result = RESULT_DONE;
        strcpy(copies[i].target_etag, "\"lie\"");
    }
    for (size_t i = 0; cold.cloud.begun > cold.cloud.heard_of && i < count; i++) {
        if (copies[i].outcome.result != RESULT_PENDING)
            continue;
        copies[i].outcome.result = RESULT_UNKNOWN;
        copies[i].copy_id[0] = copies[i].target_etag[0] = '\0';
    }
}

static int set_up(void **state)
{
    static struct world world;
    world_make(&world);
    world_put(&world, "R1", moves[0].directory, siblings);
    world_put(&world, "R2", moves[1].directory, siblings);
    cold.cloud = (struct cloud){
        .world = &world, .key = SLOW, .takes_us = 10 * MINUTE_US, .heard_of = SIZE_MAX};
    store_memory_set_fault(world.objects[WORLD_COLD], fate, &cold.cloud);
    struct store *store = world.stores[WORLD_COLD];
    cold.real = store->ops;
    cold.ops = *cold.real;
    cold.ops.copy = copy_and_forget;
    store->ops = &cold.ops;
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    return 0;
}

static char said[512]; /* of the latest */

static enum unit_state carry_at(struct world *world, enum unit_verify verify,
                                enum unit_reason *reason)
{
    struct world_move move = moves[0];
    struct cohort cohort;
    move.verify = verify;
    assert_true(world_carry(world, &cohort, &move, 1));
    enum unit_state state = cohort.tasks[0].next.state;
    *reason = cohort.tasks[0].next.reason;
    snprintf(said, sizeof(said), "%s", cohort.tasks[0].err.text);
    world_cohort_free(&cohort);
    return state;
}

static enum unit_state carry(struct world *world, enum unit_reason *reason)
{
    return carry_at(world, VERIFY_CHECKSUM, reason);
}

static void assert_moved(struct world *world)
{
    static const char *const ids[] = {"R1"};
    size_t size;
    const char *etag, *bytes = store_memory_get(world->objects[WORLD_COLD], SLOW, &size, &etag);
    assert_true(world_is_at(world, "R1", WORLD_COLD));
    assert_true(world_rows_are_whole(world, ids, 1));
    assert_non_null(bytes);
    assert_int_equal(size, strlen(SLOW_CONTENT));
    assert_memory_equal(bytes, SLOW_CONTENT, size);
    assert_false(world_has(world, WORLD_HOT, SLOW));
}

static void assert_untouched(struct world *world)
{
    assert_true(world_is_at(world, "R1", WORLD_HOT));
    assert_true(world_has(world, WORLD_HOT, SLOW));
}

/* -- it ends well ------------------------------------------------------------------------------ */

/* Its digest is a copied property, which proves nothing: but where a reply of ours is enough. */
static void a_slow_copy_is_waited_for_and_read_back(void **state)
{
    static const size_t reads[] = {[VERIFY_SIZE] = 0, [VERIFY_CHECKSUM] = 1, [VERIFY_READBACK] = 1};
    for (enum unit_verify verify = VERIFY_SIZE; verify <= VERIFY_READBACK; verify++) {
        struct world *world = *state;
        enum unit_reason reason;
        int64_t begun_us = world->clock.instant_us;
        assert_int_equal(carry_at(world, verify, &reason), UNIT_DONE);
        assert_moved(world);
        int64_t took_us = world->clock.instant_us - begun_us;
        assert_true(took_us >= 10 * MINUTE_US && took_us < 12 * MINUTE_US);
        assert_int_equal(cold.cloud.begun, 1);
        assert_int_equal(cold.cloud.removals + cold.cloud.aborts, 0);
        assert_int_equal(cold.cloud.reads, reads[verify]);
        assert_int_equal(world->counters.objects_copied, OBJECTS);
        tear_down(state);
        set_up(state);
    }
}

static bool count_event(void *context, const struct journal_event *event, struct err *err)
{
    (void)event;
    (void)err;
    ++*(size_t *)context;
    return true;
}

/* However many directories, objects and minutes: a listing now and then, and no line of history. */
static void one_listing_tells_of_all(void **state)
{
    struct world *world = *state;
    struct cohort cohort;
    cold.cloud.key = NULL;
    cold.cloud.fail_first = 1; /* so that they are not in step */
    cold.cloud.takes_us = 50 * MINUTE_US;
    assert_true(world_carry(world, &cohort, moves, 2));
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(cohort.tasks[i].next.state, UNIT_DONE);
    world_cohort_free(&cohort);
    assert_int_equal(cold.cloud.begun, 2 * OBJECTS + 1);
    /* Some until they are two minutes old, then one a minute, and what a move takes anyhow. */
    assert_in_range(cold.cloud.lists, 48, 85);
    size_t events = 0;
    struct err err;
    assert_true(journal_events(world->hands.journal, 1, count_event, &events, &err));
    assert_in_range(events, 1, 12);
}

/* What no listing was asked of before: the next process knows the copy. */
static void look_at_the_disk(struct cloud *cloud)
{
    struct journal *journal;
    struct object_fact *facts;
    size_t count;
    struct err err;
    assert_true(journal_open(cloud->world->folder, JOURNAL_READ, cloud->world->hands.clock,
                             &journal, &err));
    assert_true(journal_facts_get(journal, 1, &cloud->world->arena, &facts, &count, &err));
    journal_close(journal);
    assert_int_equal(count, OBJECTS);
    for (size_t i = 0; i < count; i++) {
        bool is_it = strcmp(facts[i].want.key, "can.asc") == 0;
        assert_int_equal(facts[i].copy_id[0] != '\0', is_it);
        assert_int_equal(facts[i].copy_us != 0, is_it);
    }
    cloud->on_list = NULL;
    cloud->lists = 1000;
}

static void its_id_is_on_the_disk_before_anybody_waits(void **state)
{
    enum unit_reason reason;
    cold.cloud.on_list = look_at_the_disk;
    assert_int_equal(carry(*state, &reason), UNIT_DONE);
    assert_true(cold.cloud.lists > 1000);
}

static void stop(struct cloud *cloud)
{
    if (cloud->world->clock.instant_us % MINUTE_US > 30000000)
        atomic_store(&cloud->world->stop, true);
}

/* The cloud goes on, and so does the next run. */
static void a_run_that_is_told_to_stop_is_resumed(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    cold.cloud.on_list = stop;
    int64_t begun_us = world->clock.instant_us;
    assert_int_equal(carry(world, &reason), UNIT_VERIFYING);
    assert_true(world->clock.instant_us - begun_us < 2 * MINUTE_US);
    assert_untouched(world);
    cold.cloud.on_list = NULL;
    world_restart(world);
    assert_int_equal(world_resume(world), 1);
    assert_moved(world);
    assert_int_equal(cold.cloud.begun, 1);
}

static void when_the_time_is_over_copies_are_left_alone(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    struct clock *clock = &world->clock.clock;
    int64_t begun_us = world->clock.instant_us;
    world->hands.wait_until_us = clock->ops->monotonic_us(clock) + 3 * MINUTE_US;
    assert_int_equal(carry(world, &reason), UNIT_VERIFYING);
    assert_int_equal(reason, REASON_PENDING);
    int64_t waited_us = world->clock.instant_us - begun_us;
    assert_true(waited_us >= 3 * MINUTE_US && waited_us < 4 * MINUTE_US);
    world_restart(world);
    assert_int_equal(world_resume(world), 1); /* which has no time at all */
    assert_untouched(world);
    world->hands.wait_until_us = INT64_MAX;
    assert_int_equal(world_resume(world), 1);
    assert_moved(world);
    assert_int_equal(cold.cloud.begun, 1);
}

static void remove_while_pending(struct cloud *cloud)
{
    if (cloud->world->clock.instant_us - cloud->from_us < 30 * MINUTE_US)
        return;
    store_memory_remove(cloud->world->objects[WORLD_COLD], SLOW);
    cloud->on_list = NULL;
}

/* Its time begins anew, whether or not the second one is known. */
static void what_others_removed_is_copied_again(void **state)
{
    for (size_t heard_of = 1; heard_of <= 2; heard_of++) {
        struct world *world = *state;
        enum unit_reason reason;
        cold.cloud.takes_us = 50 * MINUTE_US;
        cold.cloud.heard_of = heard_of;
        cold.cloud.from_us = world->clock.instant_us;
        cold.cloud.on_list = remove_while_pending;
        assert_int_equal(carry(world, &reason), UNIT_DONE);
        assert_moved(world);
        assert_int_equal(cold.cloud.begun, 2);
        assert_int_equal(cold.cloud.aborts, 0);
        tear_down(state);
        set_up(state);
    }
}

/* -- it ends badly, or never ------------------------------------------------------------------- */

static void what_failed_is_removed_and_copied_again(void **state)
{
    enum unit_reason reason;
    cold.cloud.fail_first = 2;
    assert_int_equal(carry(*state, &reason), UNIT_DONE);
    assert_moved(*state);
    assert_int_equal(cold.cloud.begun, 3);
    assert_int_equal(cold.cloud.removals, 2);
}

/* Not for ever; and the next plan clears what is left of it away. */
static void what_always_fails_is_given_up(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    size_t size = 1;
    cold.cloud.fail_first = 5;
    assert_int_equal(carry(world, &reason), UNIT_ABANDONED);
    assert_int_equal(reason, REASON_COPY_FAILED);
    assert_string_equal(said, SLOW " was not copied in the cloud: failed, 500 InternalError");
    assert_int_equal(cold.cloud.begun, 5);
    assert_untouched(world);
    store_memory_get(world->objects[WORLD_COLD], SLOW, &size, NULL);
    assert_int_equal(size, 0);
    assert_int_equal(carry(world, &reason), UNIT_DONE);
    assert_moved(world);
    assert_int_equal(cold.cloud.begun, 7); /* the first finds it in the way */
}

static void what_takes_too_long_is_aborted_and_copied_again(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    int64_t begun_us = world->clock.instant_us;
    cold.cloud.hang_first = 1;
    assert_int_equal(carry(world, &reason), UNIT_DONE);
    assert_moved(world);
    assert_int_equal(cold.cloud.begun, 2);
    assert_int_equal(cold.cloud.aborts, 1);
    assert_int_equal(cold.cloud.removals, 1);
    int64_t took_us = world->clock.instant_us - begun_us;
    assert_true(took_us >= 70 * MINUTE_US && took_us < 75 * MINUTE_US);
}

static void what_always_takes_too_long_is_given_up(void **state)
{
    enum unit_reason reason;
    cold.cloud.hang_first = 100;
    assert_int_equal(carry(*state, &reason), UNIT_ABANDONED);
    assert_int_equal(reason, REASON_COPY_FAILED);
    assert_string_equal(said, SLOW " was not copied in the cloud: aborted");
    assert_int_equal(cold.cloud.begun, 5);
    assert_int_equal(cold.cloud.aborts, 5);
    assert_untouched(*state);
}

/* A service that aborts nothing is left to the next run. */
static void what_can_t_be_aborted_is_left(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    cold.cloud.hang_first = 1;
    cold.cloud.on_abort = RESULT_BUSY;
    assert_int_equal(carry(world, &reason), UNIT_VERIFYING);
    assert_int_equal(reason, REASON_BUSY);
    assert_int_equal(cold.cloud.aborts, PROTOCOL_FAILURES_MAX);
    assert_int_equal(cold.cloud.removals, 0);
    cold.cloud.on_abort = RESULT_DONE;
    world_restart(world);
    assert_int_equal(world_resume(world), 1);
    assert_moved(world);
}

/* -- nobody knows whose it is ------------------------------------------------------------------ */

/* Begun, and the reply was lost: waited for, and believed for its bytes alone. */
static void a_copy_without_an_id_is_waited_for_and_read(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    cold.cloud.heard_of = 0;
    assert_int_equal(carry(world, &reason), UNIT_DONE);
    assert_moved(world);
    assert_int_equal(cold.cloud.begun, 1);
    assert_int_equal(cold.cloud.reads, 1);
}

/* It may be another's: it is not removed, and in the way. */
static void a_copy_without_an_id_that_fails_is_in_the_way(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    cold.cloud.heard_of = 0;
    cold.cloud.fail_first = 1;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(carry(world, &reason), UNIT_ABANDONED);
        assert_int_equal(reason, REASON_TARGET_DIFFERS);
        assert_string_equal(said, SLOW " was not copied in the cloud: failed, 500 InternalError");
        assert_untouched(world);
        assert_true(world_has(world, WORLD_COLD, SLOW));
    }
    assert_int_equal(cold.cloud.removals, 0);
}

/* Nor is it aborted.  Each run looks once, until it is over. */
static void a_copy_without_an_id_is_not_waited_for_for_ever(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    cold.cloud.heard_of = 0;
    cold.cloud.takes_us = 100 * MINUTE_US;
    int64_t begun_us = world->clock.instant_us;
    assert_int_equal(carry(world, &reason), UNIT_VERIFYING);
    assert_int_equal(reason, REASON_PENDING);
    int64_t waited_us = world->clock.instant_us - begun_us;
    assert_true(waited_us >= WORLD_COPY_TIMEOUT_US && waited_us < 62 * MINUTE_US);
    world_restart(world);
    size_t lists = cold.cloud.lists;
    assert_int_equal(world_resume(world), 1);
    assert_in_range(cold.cloud.lists - lists, 1, 2);
    assert_untouched(world);
    assert_int_equal(cold.cloud.aborts + cold.cloud.removals, 0);
    world->clock.instant_us = begun_us + 101 * MINUTE_US;
    assert_int_equal(world_resume(world), 1);
    assert_moved(world);
}

/* Ours failed, and nobody knows whether it was removed: what stands there now may be anybody's. */
static void a_copy_with_another_id_is_not_ours(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    cold.cloud.heard_of = 1;
    cold.cloud.fail_first = 1;
    cold.cloud.on_remove = RESULT_UNKNOWN;
    cold.cloud.takes_us = 100 * MINUTE_US;
    assert_int_equal(carry(world, &reason), UNIT_VERIFYING);
    assert_int_equal(reason, REASON_PENDING);
    assert_int_equal(cold.cloud.begun, 2);
    assert_int_equal(cold.cloud.removals, 1);
    assert_int_equal(cold.cloud.aborts, 0);
    world->clock.instant_us += 100 * MINUTE_US;
    assert_int_equal(world_resume(world), 1);
    assert_moved(world);
    assert_int_equal(cold.cloud.removals, 1);
}

/* -- what an abandoned unit began -------------------------------------------------------------- */

static void rewrite_source(struct cloud *cloud)
{
    char other[] = SLOW_CONTENT;
    other[0] = 'C';
    store_memory_put(cloud->world->objects[WORLD_HOT], SLOW, other, strlen(other));
    cloud->on_list = NULL;
}

/* It has the size and the bytes that the source had then: its id is no proof of what is now. */
static void a_late_copy_of_what_the_source_was_is_not_believed(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    cold.cloud.on_list = rewrite_source;
    assert_int_equal(carry_at(world, VERIFY_SIZE, &reason), UNIT_ABANDONED);
    assert_int_equal(reason, REASON_SOURCE_CHANGED);
    assert_int_equal(carry_at(world, VERIFY_SIZE, &reason), UNIT_ABANDONED);
    assert_int_equal(reason, REASON_TARGET_DIFFERS);
    assert_int_equal(cold.cloud.begun, 2); /* the second finds it in the way */
    assert_int_equal(cold.cloud.reads, 1);
    assert_untouched(world);
}

/* Nor if a reply called it our own. */
static void nor_is_a_reply_that_the_listing_contradicts(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    cold.cloud.on_list = rewrite_source;
    assert_int_equal(carry_at(world, VERIFY_SIZE, &reason), UNIT_ABANDONED);
    cold.cloud.lies = true;
    assert_int_equal(carry_at(world, VERIFY_SIZE, &reason), UNIT_ABANDONED);
    assert_int_equal(reason, REASON_TARGET_DIFFERS);
    assert_untouched(world);
}

/* If it hangs it is aborted, cleared away, and in nobody's way. */
static void a_copy_of_an_abandoned_unit_is_aborted_if_it_hangs(void **state)
{
    struct world *world = *state;
    enum unit_reason reason;
    cold.cloud.on_list = rewrite_source;
    cold.cloud.hang_first = 1;
    assert_int_equal(carry(world, &reason), UNIT_ABANDONED);
    assert_int_equal(reason, REASON_SOURCE_CHANGED);
    store_memory_put(world->objects[WORLD_HOT], SLOW, SLOW_CONTENT, strlen(SLOW_CONTENT));
    world_restart(world);
    assert_int_equal(carry(world, &reason), UNIT_DONE);
    assert_moved(world);
    assert_int_equal(cold.cloud.begun, 3);
    assert_int_equal(cold.cloud.aborts, 1);
    assert_int_equal(cold.cloud.removals, 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_slow_copy_is_waited_for_and_read_back),
        CASE(one_listing_tells_of_all),
        CASE(its_id_is_on_the_disk_before_anybody_waits),
        CASE(a_run_that_is_told_to_stop_is_resumed),
        CASE(when_the_time_is_over_copies_are_left_alone),
        CASE(what_others_removed_is_copied_again),
        CASE(what_failed_is_removed_and_copied_again),
        CASE(what_always_fails_is_given_up),
        CASE(what_takes_too_long_is_aborted_and_copied_again),
        CASE(what_always_takes_too_long_is_given_up),
        CASE(what_can_t_be_aborted_is_left),
        CASE(a_copy_without_an_id_is_waited_for_and_read),
        CASE(a_copy_without_an_id_that_fails_is_in_the_way),
        CASE(a_copy_without_an_id_is_not_waited_for_for_ever),
        CASE(a_copy_with_another_id_is_not_ours),
        CASE(a_late_copy_of_what_the_source_was_is_not_believed),
        CASE(nor_is_a_reply_that_the_listing_contradicts),
        CASE(a_copy_of_an_abandoned_unit_is_aborted_if_it_hangs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
