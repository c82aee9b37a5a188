/* A small object put into a store: the same cases against memory, local folders and Azurite. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "executor/trial.h"
#include "tests/support/store_rig.h"

#define SKIPPED 77 /* what ctest calls skipped */
#define ITEMS(array) (sizeof(array) / sizeof((array)[0]))

static enum store_rig_kind kind; /* the adapter whose turn it is */

static int set_up(void **state)
{
    struct store_rig *rig = malloc(sizeof *rig);
    assert_non_null(rig);
    store_rig_open(rig, kind);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    store_rig_close(*state);
    free(*state);
    return 0;
}

static struct putting putting_of(const char *key, const char *text)
{
    return (struct putting){.key = key, .bytes = text, .size_bytes = strlen(text)};
}

static enum store_result run_put(struct store_rig *rig, struct putting *putting)
{
    rig->stores[SOURCE]->ops->put(rig->stores[SOURCE], putting, 1);
    return putting->outcome.result;
}

static void assert_holds(struct store_rig *rig, const char *key, const char *text)
{
    size_t size_bytes;
    const char *bytes = store_rig_get(rig, SOURCE, key, &size_bytes);
    assert_non_null(bytes);
    assert_int_equal(size_bytes, strlen(text));
    assert_memory_equal(bytes, text, size_bytes);
}

static void what_is_put_is_there_under_its_etag(void **state)
{
    struct store_rig *rig = *state;
    static const char *const keys[] = {"a", "x/y/z", ".frostline-doctor-1/a b%41?#\xc3\xa4"};
    for (size_t i = 0; i < ITEMS(keys); i++) {
        struct putting putting = putting_of(keys[i], "bytes\n");
        assert_int_equal(run_put(rig, &putting), RESULT_DONE);
        assert_holds(rig, keys[i], "bytes\n");
        assert_string_equal(putting.etag, store_rig_etag(rig, SOURCE, keys[i]));
        assert_false(putting.versioned);
    }
}

static void an_empty_object_can_be_put(void **state)
{
    struct store_rig *rig = *state;
    struct putting putting = putting_of("empty", "");
    assert_int_equal(run_put(rig, &putting), RESULT_DONE);
    assert_holds(rig, "empty", "");
}

static void a_put_never_overwrites(void **state)
{
    struct store_rig *rig = *state;
    store_rig_put(rig, SOURCE, "a", "theirs", 6);
    const char *before = store_rig_etag(rig, SOURCE, "a");
    struct putting putting = putting_of("a", "ours");
    assert_int_equal(run_put(rig, &putting), RESULT_EXISTS);
    assert_string_equal(putting.etag, "");
    assert_holds(rig, "a", "theirs");
    assert_string_equal(store_rig_etag(rig, SOURCE, "a"), before);
}

static void each_put_of_many_has_its_outcome(void **state)
{
    struct store_rig *rig = *state;
    struct putting puttings[200];
    store_rig_put(rig, SOURCE, "d/007", "theirs", 6);
    for (size_t i = 0; i < ITEMS(puttings); i++)
        puttings[i] = putting_of(str_format(&rig->arena, "d/%03zu", i), "ours");
    rig->stores[SOURCE]->ops->put(rig->stores[SOURCE], puttings, ITEMS(puttings));
    for (size_t i = 0; i < ITEMS(puttings); i++)
        assert_int_equal(puttings[i].outcome.result, i == 7 ? RESULT_EXISTS : RESULT_DONE);
    assert_holds(rig, "d/007", "theirs");
    assert_holds(rig, "d/199", "ours");
}

static void no_key_is_refused(void **state)
{
    struct store_rig *rig = *state;
    static const char *const keys[] = {"", "../a", "a/../../b"};
    if (kind == STORE_RIG_MEMORY) /* where every text is a key */
        skip();
    for (size_t i = 0; i < ITEMS(keys); i++) {
        struct putting putting = putting_of(keys[i], "x");
        assert_int_equal(run_put(rig, &putting), RESULT_REFUSED);
    }
    const struct object *objects;
    assert_int_equal(store_rig_list(rig, SOURCE, "", &objects), 0);
}

static void where_nothing_is_nothing_is_put(void **state)
{
    struct store_rig *rig = *state;
    struct putting putting = putting_of("a/b", "x");
    if (kind == STORE_RIG_MEMORY) /* which can't be gone */
        skip();
    store_rig_remove_all(rig, SOURCE);
    assert_int_not_equal(run_put(rig, &putting), RESULT_DONE);
    assert_string_equal(putting.etag, "");
}

/* What the service and the folder make of all that is tried, and that they are left as they were.
 */
static void a_trial_goes_well_and_leaves_nothing(void **state)
{
    struct store_rig *rig = *state;
    atomic_bool stop = false;
    struct trial trials[STORE_RIG_SIDES] = {{.store = rig->stores[SOURCE]},
                                            {.store = rig->stores[TARGET]}};
    store_rig_put(rig, SOURCE, "a/b", "theirs", 6);
    trial_look(trials, STORE_RIG_SIDES, &rig->clock.clock, &rig->arena, &stop);
    trial_run(trials, STORE_RIG_SIDES, &rig->arena, &stop);
    for (int side = 0; side < STORE_RIG_SIDES; side++) {
        const struct object *objects;
        assert_true(trials[side].put);
        assert_int_equal(trials[side].reading.outcome.result, RESULT_DONE);
        assert_int_equal(trials[side].alone.outcome.result, RESULT_DONE);
        assert_int_equal(trials[side].copy_count, 1);
        assert_int_equal(trials[side].copies[0].copy.outcome.result, RESULT_DONE);
        assert_int_equal(trials[side].batched, trials[side].store->ops->batches);
        assert_int_equal(trials[side].protocol != NULL, kind == STORE_RIG_AZURE);
        assert_null(trials[side].left);
        assert_int_equal(store_rig_list(rig, side, "", &objects), side == SOURCE);
    }
    assert_holds(rig, "a/b", "theirs");
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest cases[] = {
        CASE(what_is_put_is_there_under_its_etag),
        CASE(an_empty_object_can_be_put),
        CASE(a_put_never_overwrites),
        CASE(each_put_of_many_has_its_outcome),
        CASE(no_key_is_refused),
        CASE(where_nothing_is_nothing_is_put),
        CASE(a_trial_goes_well_and_leaves_nothing),
    };
    int failed = 0;
    for (kind = 0; kind < STORE_RIG_KINDS; kind++) {
        int missing = kind == STORE_RIG_AZURE ? azurite_missing() : 0;
        print_message("%s%s\n", missing ? "[  SKIPPED ] " : "", store_rig_name(kind));
        if (missing) {
            failed += missing != SKIPPED;
            continue;
        }
        failed += _cmocka_run_group_tests(store_rig_name(kind), cases, ITEMS(cases), NULL, NULL);
    }
    return failed;
}
