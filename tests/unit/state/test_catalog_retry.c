/* The patience of a catalog, and the faults of the one in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "state/catalog_memory.h"
#include "state/catalog_retry.h"

static const struct catalog_config CONFIG = {.table = "ecal"};
static const struct catalog_row ROW = {"1", "hot/a/x", "cold/a/x"};
static const struct catalog_cut CUT = {.source = "hot/a/", .rows = &ROW, .count = 1};

struct rig {
    struct clock_fake clock;
    struct catalog_memory *memory;
    struct catalog *catalog;
};

static int set_up(void **state)
{
    static struct rig rig;
    clock_fake_init(&rig.clock, 0);
    rig.memory = catalog_memory_make(&CONFIG, NULL);
    rig.catalog = catalog_retry_wrap(catalog_memory_catalog(rig.memory), &rig.clock.clock);
    catalog_memory_put(rig.memory, &(struct record){.id = ROW.id, .location = ROW.old_location});
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    catalog_close(((struct rig *)*state)->catalog);
    return 0;
}

static void fail_next(struct rig *rig, enum catalog_memory_fault fault, int times)
{
    while (times-- > 0)
        catalog_memory_fail_next(rig->memory, fault);
}

static void assert_cut_is(struct rig *rig, enum catalog_outcome expected, const char *location)
{
    enum catalog_outcome outcome = CATALOG_CHANGED;
    struct err err;
    assert_true(rig->catalog->ops->cut_over(rig->catalog, &CUT, &outcome, &err));
    assert_int_equal(outcome, expected);
    assert_string_equal(catalog_memory_location(rig->memory, "1"), location);
}

static void what_is_busy_is_asked_again_later(void **state)
{
    struct rig *rig = *state;
    fail_next(rig, CATALOG_FAULT_BUSY, 2);
    assert_cut_is(rig, CATALOG_CUT, ROW.new_location);
    assert_in_range(rig->clock.instant_us, 300000, 450000);
}

static void patience_ends(void **state)
{
    struct rig *rig = *state;
    enum catalog_outcome outcome;
    struct err err;
    fail_next(rig, CATALOG_FAULT_BUSY, CATALOG_TRIES_MAX);
    assert_false(rig->catalog->ops->cut_over(rig->catalog, &CUT, &outcome, &err));
    assert_int_equal(err.kind, ERR_BUSY);
    assert_string_equal(catalog_memory_location(rig->memory, "1"), ROW.old_location);
    assert_cut_is(rig, CATALOG_CUT, ROW.new_location); /* all faults were used up */
}

static void an_unknown_commit_is_never_repeated(void **state)
{
    struct rig *rig = *state;
    fail_next(rig, CATALOG_FAULT_UNKNOWN_DROPPED, 1);
    assert_cut_is(rig, CATALOG_UNKNOWN, ROW.old_location);
    fail_next(rig, CATALOG_FAULT_UNKNOWN_APPLIED, 1);
    assert_cut_is(rig, CATALOG_UNKNOWN, ROW.new_location);
    assert_int_equal(rig->clock.instant_us, 0);
}

static int asked;

static bool busy_twice(struct catalog *catalog, const char *const *urls, size_t count,
                       const struct catalog_reference **found, struct err *err)
{
    static const struct catalog_reference reference = {"training_set", "file_url"};
    (void)catalog;
    (void)urls;
    (void)count;
    *found = &reference;
    return ++asked > 2 || ERR(err, ERR_BUSY, "not yet");
}

static void references_are_asked_for_again(void **state)
{
    struct rig *rig = *state;
    static const struct catalog_ops ops = {.referenced = busy_twice};
    struct catalog busy = {.ops = &ops};
    struct catalog *catalog = catalog_retry_wrap(&busy, &rig->clock.clock);
    const struct catalog_reference *found = NULL;
    struct err err;
    asked = 0;
    assert_true(catalog->ops->referenced(catalog, NULL, 0, &found, &err));
    assert_int_equal(asked, 3);
    assert_string_equal(found->table, "training_set");
    assert_in_range(rig->clock.instant_us, 300000, 450000);
    free(catalog);
}

static bool count_visit(void *context, const struct record *record, struct err *err)
{
    (void)record;
    (void)err;
    ++*(int *)context;
    return true;
}

static bool fetch_half(struct catalog *catalog, const char *const *ids, size_t count,
                       catalog_visit *visit, void *context, struct err *err)
{
    (void)catalog;
    (void)ids;
    (void)count;
    return visit(context, &(struct record){.id = "1"}, err) && ERR(err, ERR_BUSY, "lost");
}

static bool below_half(struct catalog *catalog, const char *url, size_t limit, catalog_visit *visit,
                       void *context, struct err *err)
{
    (void)url;
    return fetch_half(catalog, NULL, limit, visit, context, err);
}

/* Rows that were seen already would be seen once more. */
static void what_was_half_read_is_not_read_again(void **state)
{
    struct rig *rig = *state;
    static const struct catalog_ops ops = {.fetch = fetch_half, .below = below_half};
    struct catalog lost = {.ops = &ops};
    struct catalog *catalog = catalog_retry_wrap(&lost, &rig->clock.clock);
    struct err err;
    int visits = 0;
    assert_false(catalog->ops->fetch(catalog, NULL, 0, count_visit, &visits, &err));
    assert_int_equal(err.kind, ERR_BUSY);
    assert_int_equal(visits, 1);
    assert_false(catalog->ops->below(catalog, "hot/a/", 1, count_visit, &visits, &err));
    assert_int_equal(visits, 2);
    free(catalog);
}

static int opened;

static bool open_busy(const struct catalog_config *config, struct catalog **catalog,
                      struct err *err)
{
    if (++opened < 4)
        return ERR(err, ERR_BUSY, "not yet");
    *catalog = catalog_memory_catalog(catalog_memory_make(config, NULL));
    return true;
}

static bool open_denied(const struct catalog_config *config, struct catalog **catalog,
                        struct err *err)
{
    (void)config;
    (void)catalog;
    opened++;
    return ERR(err, ERR_DENIED, "never");
}

static bool open_canceled(const struct catalog_config *config, struct catalog **catalog,
                          struct err *err)
{
    (void)config;
    (void)catalog;
    opened++;
    ERR(err, ERR_BUSY, "canceling statement due to statement timeout");
    strcpy(err->code, "57014");
    return false;
}

static void opening_is_patient_but_not_with_refusals(void **state)
{
    struct rig *rig = *state;
    struct catalog *catalog;
    struct err err;
    opened = 0;
    assert_true(catalog_retry_open(open_busy, &CONFIG, &rig->clock.clock, &catalog, &err));
    assert_int_equal(opened, 4);
    catalog_close(catalog);
    opened = 0;
    assert_false(catalog_retry_open(open_denied, &CONFIG, &rig->clock.clock, &catalog, &err));
    assert_int_equal(opened, 1);
    opened = 0;
    assert_false(catalog_retry_open(open_canceled, &CONFIG, &rig->clock.clock, &catalog, &err));
    assert_int_equal(opened, 1);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest cases[] = {
        CASE(what_is_busy_is_asked_again_later),    CASE(patience_ends),
        CASE(an_unknown_commit_is_never_repeated),  CASE(references_are_asked_for_again),
        CASE(what_was_half_read_is_not_read_again), CASE(opening_is_patient_but_not_with_refusals),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
