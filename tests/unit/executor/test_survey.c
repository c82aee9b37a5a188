/* The planner's questions, answered by stores. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "executor/store_memory.h"
#include "executor/survey.h"

static struct store_memory *memories[2];
static struct store *stores[2];
static struct store_ops ops; /* of stores[0], changed */
static atomic_bool stop;
static struct survey_stores survey;
static struct err err;

static int set_up(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        memories[i] = store_memory_make(i == 0 ? "hot" : "cold", NULL);
        stores[i] = store_memory_store(memories[i]);
    }
    atomic_store(&stop, false);
    survey_init(&survey, stores, &stop);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(stores[0]);
    store_close(stores[1]);
    return 0;
}

static bool ask(uint16_t store, struct survey_question *questions, size_t count)
{
    return survey.survey.ops->ask(&survey.survey, store, questions, count, &err);
}

static void sizes_names_and_digest(void **state)
{
    (void)state;
    static const char *const names[] = {"z", "run/a", "missing", "run", ""};
    bool present[5] = {false, false, true, true, true};
    store_memory_put(memories[1], "d/1/z", "four", 4);
    store_memory_put(memories[1], "d/1/run/a", "12", 2);
    store_memory_put(memories[1], "d/10/x", "other", 5);
    struct survey_question questions[] = {
        {.directory = "d/1/", .names = names, .name_count = 5, .present = present},
        {.directory = "d/10/"},
        {.directory = "d/2/"},
    };
    assert_true(ask(1, questions, 3));

    assert_int_equal(questions[0].objects, 2);
    assert_int_equal(questions[0].bytes, 6);
    assert_int_equal(questions[0].irregular, 0);
    static const bool wanted[5] = {true, true, false, false, false};
    assert_memory_equal(present, wanted, sizeof wanted);
    assert_int_equal(questions[1].objects, 1);
    assert_int_equal(questions[1].bytes, 5);
    assert_int_equal(questions[2].objects, 0);
    assert_int_equal(questions[2].err.kind, ERR_NONE);

    struct manifest_digest none;
    object_manifest_digest(NULL, 0, &none);
    assert_memory_equal(&questions[2].digest, &none, sizeof none);
    assert_memory_not_equal(&questions[0].digest, &none, sizeof none);
}

/* Rewritten with as many bytes: only the etag tells. */
static void the_digest_tells_a_rewrite(void **state)
{
    (void)state;
    struct survey_question before = {.directory = "d/"}, after = before;
    store_memory_put(memories[0], "d/a", "one", 3);
    assert_true(ask(0, &before, 1));
    store_memory_put(memories[0], "d/a", "two", 3);
    assert_true(ask(0, &after, 1));
    assert_int_equal(before.bytes, after.bytes);
    assert_memory_not_equal(&before.digest, &after.digest, sizeof before.digest);
}

static enum store_result denied(void *context, enum store_memory_verb verb, const char *key,
                                bool *apply)
{
    (void)context;
    (void)verb;
    (void)apply;
    return strcmp(key, "d/1/") == 0 ? RESULT_DENIED : RESULT_DONE;
}

static void a_failure_is_the_answer_of_its_directory_alone(void **state)
{
    (void)state;
    ops = *stores[0]->ops;
    ops.flat = false;
    stores[0]->ops = &ops;
    store_memory_put(memories[0], "d/1/a", "x", 1);
    store_memory_put(memories[0], "d/2/a", "x", 1);
    store_memory_set_fault(memories[0], denied, NULL);
    struct survey_question questions[] = {{.directory = "d/1/"}, {.directory = "d/2/"}};
    assert_true(ask(0, questions, 2));
    assert_int_equal(questions[0].err.kind, ERR_DENIED);
    assert_int_equal(questions[0].objects, 0);
    assert_int_equal(questions[1].err.kind, ERR_NONE);
    assert_int_equal(questions[1].objects, 1);
}

static void irregular(struct store *store, struct listing *listings, size_t count,
                      struct arena *arena)
{
    static struct object object;
    (void)store;
    (void)arena;
    object = (struct object){.key = "d/fifo", .etag = "\"1\"", .irregular = true};
    for (size_t i = 0; i < count; i++) {
        listings[i].objects = &object;
        listings[i].count = 1;
        listings[i].marker = NULL;
    }
}

static void irregular_entries_are_counted(void **state)
{
    (void)state;
    ops = *stores[0]->ops;
    ops.list = irregular;
    stores[0]->ops = &ops;
    struct survey_question question = {.directory = "d/"};
    assert_true(ask(0, &question, 1));
    assert_int_equal(question.objects, 1);
    assert_int_equal(question.irregular, 1);
}

static void cancelled(struct store *store, struct listing *listings, size_t count,
                      struct arena *arena)
{
    (void)store;
    (void)arena;
    for (size_t i = 0; i < count; i++)
        ERR(&listings[i].err, ERR_CANCELLED, "told to stop");
}

static void a_survey_that_is_told_to_stop_has_no_answers(void **state)
{
    (void)state;
    struct survey_question questions[] = {{.directory = "d/1/"}, {.directory = "d/2/"}};
    ops = *stores[0]->ops;
    ops.list = cancelled;
    stores[0]->ops = &ops;
    assert_false(ask(0, questions, 2));
    assert_int_equal(err.kind, ERR_CANCELLED);

    atomic_store(&stop, true);
    assert_false(ask(1, questions, 2));
    assert_int_equal(err.kind, ERR_CANCELLED);
    assert_int_equal(store_memory_writes(memories[1]), 0);
}

static void requests_are_added_up(void **state)
{
    (void)state;
    struct survey_question questions[] = {{.directory = "d/1/"}, {.directory = "d/2/"}};
    store_memory_put(memories[0], "d/1/a", "x", 1);
    assert_true(ask(0, questions, 2));
    assert_true(ask(0, questions, 2));
    assert_int_equal(survey.tally.requests, 2);
    assert_int_equal(survey.tally.objects, 2);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(sizes_names_and_digest),
        CASE(the_digest_tells_a_rewrite),
        CASE(a_failure_is_the_answer_of_its_directory_alone),
        CASE(irregular_entries_are_counted),
        CASE(a_survey_that_is_told_to_stop_has_no_answers),
        CASE(requests_are_added_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
