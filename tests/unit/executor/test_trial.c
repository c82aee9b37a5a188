/* What is tried at stores, what comes of it where they refuse, and that nothing stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/str.h"
#include "executor/store_memory.h"
#include "executor/trial.h"

#define STORES 3

/* What a verb meets at one store; asked counts from one. */
struct fault {
    enum store_memory_verb verb;
    enum store_result result;
    unsigned from, until, asked; /* until 0: for good */
    bool apply;
};

static struct clock_fake clock_fake;
static struct arena arena;
static struct store_memory *memories[STORES];
static struct fault faults[STORES];
static struct trial trials[STORES];
static atomic_bool stop;

static enum store_result fault_of(void *context, enum store_memory_verb verb, const char *key,
                                  bool *apply)
{
    struct fault *fault = context;
    assert_true(str_starts(key, TRIAL_FOLDER));
    if (verb != fault->verb || ++fault->asked < fault->from ||
        (fault->until > 0 && fault->asked > fault->until))
        return RESULT_DONE;
    *apply = fault->apply;
    return fault->result;
}

static int set_up(void **state)
{
    (void)state;
    clock_fake_init(&clock_fake, 1000000);
    arena_init(&arena, 1 << 20);
    atomic_store(&stop, false);
    for (int i = 0; i < STORES; i++) {
        memories[i] = store_memory_make("memory", &clock_fake.clock);
        store_memory_put(memories[i], "recording/1", "a stranger's", 12);
        faults[i] = (struct fault){.result = RESULT_DONE};
        store_memory_set_fault(memories[i], fault_of, &faults[i]);
        trials[i] = (struct trial){.store = store_memory_store(memories[i])};
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < STORES; i++)
        store_close(store_memory_store(memories[i]));
    arena_free(&arena);
    return 0;
}

static void run(void)
{
    trial_look(trials, STORES, &clock_fake.clock, &arena, &stop);
    trial_run(trials, STORES, &arena, &stop);
}

static void refuse(int store, enum store_memory_verb verb, enum store_result result, unsigned from)
{
    faults[store] = (struct fault){.verb = verb, .result = result, .from = from};
}

/* The stranger's object is there as it was, and so many of ours. */
static void assert_stays(int store, size_t ours)
{
    size_t size_bytes;
    assert_non_null(store_memory_get(memories[store], "recording/1", &size_bytes, NULL));
    assert_int_equal(size_bytes, 12);
    assert_int_equal(store_memory_count(memories[store]), 1 + ours);
}

static void all_is_tried_and_nothing_stays(void **state)
{
    (void)state;
    run();
    for (int i = 0; i < STORES; i++) {
        const struct trial *trial = &trials[i];
        assert_int_equal(trial->listed.kind, ERR_NONE);
        assert_true(trial->put && trial->batched && trial->has_clock);
        assert_int_equal(trial->skew_us, 0);
        assert_int_equal(trial->reading.outcome.result, RESULT_DONE);
        assert_int_equal(trial->alone.outcome.result, RESULT_DONE);
        assert_int_equal(trial->copy_count, STORES - 1);
        for (size_t k = 0; k < trial->copy_count; k++) {
            assert_int_equal(trial->copies[k].copy.outcome.result, RESULT_DONE);
            assert_int_not_equal(trial->copies[k].source, i);
        }
        assert_null(trial->left);
        assert_stays(i, 0);
    }
    assert_string_not_equal(trials[0].puttings[0].key, trials[1].puttings[0].key);
}

static void who_only_reads_writes_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < STORES; i++)
        trials[i].read_only = true;
    run();
    for (int i = 0; i < STORES; i++) {
        assert_int_equal(trials[i].listed.kind, ERR_NONE);
        assert_false(trials[i].put);
        assert_int_equal(store_memory_writes(memories[i]), 0);
    }
}

static void a_store_that_is_not_listed_is_left_alone(void **state)
{
    (void)state;
    refuse(0, STORE_MEMORY_LIST, RESULT_DENIED, 1);
    trials[2].store = NULL;
    run();
    assert_int_equal(trials[0].listed.kind, ERR_DENIED);
    assert_int_equal(store_memory_writes(memories[0]), 0);
    assert_int_equal(store_memory_writes(memories[2]), 0);
    assert_true(trials[1].put);
    assert_int_equal(trials[1].copy_count, 0);
}

/* Nor is anything copied from or to a store that takes nothing. */
static void a_refusal_to_write_is_told(void **state)
{
    (void)state;
    refuse(1, STORE_MEMORY_PUT, RESULT_DENIED, 1);
    run();
    assert_false(trials[1].put);
    assert_int_equal(trials[1].puttings[0].outcome.result, RESULT_DENIED);
    assert_int_equal(trials[1].copy_count, 0);
    assert_int_equal(trials[0].copy_count, 1);
    assert_int_equal(trials[0].copies[0].source, 2);
    assert_null(trials[1].left);
    assert_stays(1, 0);
}

static void half_of_the_objects_are_taken_back(void **state)
{
    (void)state;
    refuse(1, STORE_MEMORY_PUT, RESULT_BUSY, 3);
    run();
    assert_false(trials[1].put);
    assert_null(trials[1].left);
    assert_stays(1, 0);
}

static void what_was_written_and_not_answered_is_found_and_named(void **state)
{
    (void)state;
    refuse(1, STORE_MEMORY_PUT, RESULT_UNKNOWN, 2);
    faults[1].apply = true;
    run();
    assert_false(trials[1].put);
    assert_stays(1, 0);
    assert_string_equal(trials[1].left, trials[1].folder); /* one may come yet */
}

static void a_refusal_to_read_is_told(void **state)
{
    (void)state;
    refuse(0, STORE_MEMORY_READ, RESULT_DENIED, 1);
    run();
    assert_int_equal(trials[0].reading.outcome.result, RESULT_DENIED);
    assert_int_equal(trials[1].reading.outcome.result, RESULT_DONE);
}

static void read_zeros(struct store *store, struct reading *readings, size_t count)
{
    (void)store;
    assert_int_equal(count, 1);
    memset(readings[0].bytes, 0, readings[0].size_bytes);
    readings[0].got_bytes = readings[0].size_bytes;
    readings[0].outcome.result = RESULT_DONE;
}

static void other_bytes_than_were_written_are_told(void **state)
{
    (void)state;
    static struct store_ops forgetful;
    forgetful = *trials[0].store->ops;
    forgetful.read = read_zeros;
    trials[0].store->ops = &forgetful;
    run();
    assert_int_equal(trials[0].reading.outcome.result, RESULT_CHANGED);
    assert_int_equal(trials[1].reading.outcome.result, RESULT_DONE);
}

static void a_refused_copy_is_told_of_its_target(void **state)
{
    (void)state;
    refuse(2, STORE_MEMORY_COPY, RESULT_DENIED, 2);
    run();
    assert_int_equal(trials[2].copies[0].copy.outcome.result, RESULT_DONE);
    assert_int_equal(trials[2].copies[1].copy.outcome.result, RESULT_DENIED);
    assert_int_equal(trials[2].copies[1].source, 1);
    assert_stays(2, 0);
}

static void what_is_refused_together_is_deleted_alone(void **state)
{
    (void)state;
    refuse(0, STORE_MEMORY_REMOVE, RESULT_REFUSED, 2);
    faults[0].until = 3; /* the pair */
    run();
    assert_int_equal(trials[0].alone.outcome.result, RESULT_DONE);
    assert_int_equal(trials[0].pair[1].outcome.result, RESULT_REFUSED);
    assert_false(trials[0].batched);
    assert_null(trials[0].left);
    assert_stays(0, 0);
}

static void a_kind_without_batches_is_not_asked_for_one(void **state)
{
    (void)state;
    static struct store_ops single;
    single = *trials[0].store->ops;
    single.batches = false;
    trials[0].store->ops = &single;
    run();
    assert_int_equal(trials[0].alone.outcome.result, RESULT_DONE);
    assert_false(trials[0].batched);
    assert_null(trials[0].pair[0].key);
    assert_null(trials[0].left);
    assert_stays(0, 0);
}

static void what_can_t_be_deleted_is_named(void **state)
{
    (void)state;
    refuse(0, STORE_MEMORY_REMOVE, RESULT_DENIED, 1);
    run();
    assert_int_equal(trials[0].alone.outcome.result, RESULT_DENIED);
    assert_false(trials[0].batched);
    for (size_t i = 0; i < TRIAL_OBJECTS; i++)
        assert_non_null(strstr(trials[0].left, trials[0].puttings[i].key));
    assert_non_null(strstr(trials[0].left, trials[0].copies[0].copy.target_key));
    assert_stays(0, TRIAL_OBJECTS + STORES - 1);
    assert_stays(1, 0);
}

static void a_store_that_can_t_be_listed_again_is_named(void **state)
{
    (void)state;
    refuse(0, STORE_MEMORY_LIST, RESULT_BUSY, 2);
    run();
    assert_string_equal(trials[0].left, trials[0].folder);
}

/* Asked to stop in the middle: no more is begun, and what was begun is taken back. */
static enum store_result stop_at_second(void *context, enum store_memory_verb verb, const char *key,
                                        bool *apply)
{
    (void)context;
    (void)key;
    (void)apply;
    if (verb == STORE_MEMORY_PUT)
        atomic_store(&stop, true);
    return RESULT_DONE;
}

static void who_is_told_to_stop_tidies_up(void **state)
{
    (void)state;
    store_memory_set_fault(memories[0], stop_at_second, NULL);
    run();
    assert_true(trials[0].put);
    assert_null(trials[1].puttings[0].key);
    assert_int_equal(trials[0].copy_count, 0);
    assert_null(trials[0].left);
    assert_stays(0, 0);
    assert_int_equal(store_memory_writes(memories[1]), 0);
}

static void the_service_s_clock_is_held_against_ours(void **state)
{
    (void)state;
    struct clock_fake ours;
    clock_fake_init(&ours, clock_fake.instant_us + 400000000);
    trial_look(trials, STORES, &ours.clock, &arena, &stop);
    assert_int_equal(trials[0].skew_us, -400000000);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(all_is_tried_and_nothing_stays),
        CASE(who_only_reads_writes_nothing),
        CASE(a_store_that_is_not_listed_is_left_alone),
        CASE(a_refusal_to_write_is_told),
        CASE(half_of_the_objects_are_taken_back),
        CASE(what_was_written_and_not_answered_is_found_and_named),
        CASE(a_refusal_to_read_is_told),
        CASE(other_bytes_than_were_written_are_told),
        CASE(a_refused_copy_is_told_of_its_target),
        CASE(what_is_refused_together_is_deleted_alone),
        CASE(a_kind_without_batches_is_not_asked_for_one),
        CASE(what_can_t_be_deleted_is_named),
        CASE(a_store_that_can_t_be_listed_again_is_named),
        CASE(who_is_told_to_stop_tidies_up),
        CASE(the_service_s_clock_is_held_against_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
