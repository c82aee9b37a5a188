/* test_law.c: what holds of a plan whatever the catalog is like: its order, its limits, and that it
 * stands whole or not at all. */
#include "planner/planner.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/support/planning_rig.h"

static struct planning_rig rig;

static int end(void **state)
{
    (void)state;
    rig_free(&rig);
    return 0;
}

static int begin_empty(void **state)
{
    (void)state;
    rig_make(&rig, RIG_AGE_OUT);
    return 0;
}

/* Neighbours are asked for in full batches, and what comes of it does not depend on them. */
static void a_batch_is_full_before_it_is_asked(void **state)
{
    (void)state;
    enum { COUNT = 2 * SURVEY_BATCH_MAX + 1 };
    for (int i = 0; i < COUNT; i++) {
        ROW(&rig, str_format(&rig.arena, "H%d", i), str_format(&rig.arena, "hot:%04d/f", i));
        ROW(&rig, str_format(&rig.arena, "S%d", i), str_format(&rig.arena, "hot:%04d$#?/f", i),
            .days = 1);
    }
    rig_plan(&rig);
    assert_int_equal(rig.survey.directories, COUNT);
    assert_int_equal(rig.survey.batches, 3);
    assert_int_equal(rig.summary.actions[PLAN_MOVE], COUNT);
}

/* '#', '%' and '?' are spelled %23, %25 and %3F: the plan's order is that of the locations. */
static void the_order_is_that_of_locations(void **state)
{
    (void)state;
    static const char *const sorted[] = {"c!/", "c$/", "c#/", "c%/", "c?/", "c&/", "c0/", "c@/"};
    static const char *const tails[] = {"c!/f",   "c$/f", "c%23/f", "c%25/f",
                                        "c%3F/f", "c&/f", "c0/f",   "c@/f"};
    enum { COUNT = sizeof(sorted) / sizeof(sorted[0]) };
    for (int i = 0; i < COUNT; i++)
        ROW(&rig, str_format(&rig.arena, "R%d", COUNT - i),
            str_format(&rig.arena, "hot:%s", tails[i]));
    rig_plan(&rig);
    assert_int_equal(rig.action_count, COUNT);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(rig.actions[i]->kind, PLAN_MOVE);
        assert_string_equal(rig.actions[i]->directory, sorted[i]);
        assert_string_equal(rig.actions[i]->rows[0].location,
                            str_format(&rig.arena, "file:///srv/hot/%s", tails[i]));
    }
}

/* Stores in the order of the policy, though their locations sort another way. */
static void stores_go_in_the_policys_order(void **state)
{
    (void)state;
    rig_load(&rig, RIG_HEAD "policies:\n"
                            "  - {name: p, target: cold, select: {older_than: 1d}}\n");
    ROW(&rig, "A", "archive:z/f");
    ROW(&rig, "B", "warm:y/f");
    ROW(&rig, "C", "hot:x/f");
    rig_plan(&rig);
    assert_int_equal(rig.action_count, 3);
    assert_string_equal(rig.actions[0]->directory, "x/");
    assert_string_equal(rig.actions[1]->directory, "y/");
    assert_string_equal(rig.actions[2]->directory, "z/");
}

static size_t count_files(const char *folder)
{
    size_t count = 0;
    DIR *open = opendir(folder);
    assert_non_null(open);
    while (readdir(open) != NULL)
        count++;
    closedir(open);
    return count;
}

static void failures_leave_nothing_behind(void **state)
{
    (void)state;
    ROW(&rig, "A", "hot:a/f");
    size_t before = count_files(rig.folder);
    rig.request.path = str_format(&rig.arena, "%s/no/p.plan", rig.folder);
    assert_false(rig_try_plan(&rig));
    assert_int_equal(rig.err.kind, ERR_MISSING);
    rig.request.path = rig.path;
    rig.request.spool_folder = "/nowhere";
    assert_false(rig_try_plan(&rig));
    assert_int_equal(rig.err.kind, ERR_MISSING);
    rig.request.spool_folder = rig.folder;
    assert_int_equal(count_files(rig.folder), before);
    rig_plan(&rig);
    assert_int_equal(count_files(rig.folder), before + 1);
    struct stat status;
    assert_int_equal(stat(rig.path, &status), 0);
}

/* -- a catalog that breaks its word or breaks down ------------------------------------------------
 */

struct broken {
    struct catalog catalog;
    const struct record *rows;
    size_t count, next;
    bool fails, in_snapshot;
};

static bool broken_snapshot(struct catalog *catalog, struct err *err)
{
    (void)err;
    ((struct broken *)catalog)->in_snapshot = true;
    return true;
}

static void broken_snapshot_end(struct catalog *catalog)
{
    ((struct broken *)catalog)->in_snapshot = false;
}

static bool broken_open(struct catalog *catalog, struct catalog_cursor **cursor, struct err *err)
{
    (void)err;
    *cursor = (struct catalog_cursor *)catalog;
    return true;
}

static bool broken_next(struct catalog_cursor *cursor, const struct record **record,
                        struct err *err)
{
    struct broken *broken = (struct broken *)cursor;
    if (broken->next == broken->count && broken->fails)
        return ERR(err, ERR_BUSY, "the connection was lost");
    *record = broken->next < broken->count ? &broken->rows[broken->next++] : NULL;
    return true;
}

static void broken_close(struct catalog_cursor *cursor)
{
    (void)cursor;
}

static const struct catalog_ops broken_ops = {.snapshot = broken_snapshot,
                                              .snapshot_end = broken_snapshot_end,
                                              .cursor_open = broken_open,
                                              .cursor_next = broken_next,
                                              .cursor_close = broken_close};

static struct record record_at(const char *id, const char *at)
{
    const char *location = rig_location(&rig, at);
    static const struct value fields[2] = {{.kind = VALUE_NULL}, {.kind = VALUE_NULL}};
    return (struct record){.id = id,
                           .location = location,
                           .directory_bytes = (size_t)(strrchr(location, '/') - location) + 1,
                           .has_time = true,
                           .fields = fields,
                           .field_count = 2};
}

static void a_catalog_out_of_order_is_not_planned(void **state)
{
    (void)state;
    static const char *const orders[][3] = {{"hot:b/f", "hot:a/f", "hot:c/f"},
                                            {"hot:a/f", "hot:b/f", "hot:a/g"},
                                            {"hot:a/f", "cold:b/f", "hot:c/g"}};
    struct catalog *kept = rig.request.catalog;
    for (int i = 0; i < 3; i++) {
        struct record rows[3];
        for (int k = 0; k < 3; k++)
            rows[k] = record_at("R", orders[i][k]);
        struct broken broken = {.catalog = {.ops = &broken_ops}, .rows = rows, .count = 3};
        rig.request.catalog = &broken.catalog;
        assert_false(rig_try_plan(&rig));
        assert_int_equal(rig.err.kind, ERR_CORRUPT);
        assert_non_null(strstr(rig.err.text, "out of order"));
        assert_false(broken.in_snapshot);
    }
    rig.request.catalog = kept;
}

static void a_catalog_that_is_lost_half_way_makes_no_plan(void **state)
{
    (void)state;
    struct record row = record_at("R", "hot:a/f");
    struct catalog *kept = rig.request.catalog;
    struct broken broken = {
        .catalog = {.ops = &broken_ops}, .rows = &row, .count = 1, .fails = true};
    rig.request.catalog = &broken.catalog;
    assert_false(rig_try_plan(&rig));
    assert_int_equal(rig.err.kind, ERR_BUSY);
    assert_false(broken.in_snapshot);
    rig.request.catalog = kept;
}

static void too_many_second_spellings_make_no_plan(void **state)
{
    (void)state;
    struct record *rows = arena_make(&rig.arena, (PLANNER_SPELLINGS_MAX + 1) * sizeof(*rows));
    for (int i = 0; i <= PLANNER_SPELLINGS_MAX; i++)
        rows[i] = record_at("R", str_format(&rig.arena, "file:///srv/hot//%d/f", i));
    struct catalog *kept = rig.request.catalog;
    struct broken broken = {
        .catalog = {.ops = &broken_ops}, .rows = rows, .count = PLANNER_SPELLINGS_MAX};
    rig.request.catalog = &broken.catalog;
    rig_plan(&rig);
    assert_int_equal(rig.summary.actions[PLAN_BLOCKED], PLANNER_SPELLINGS_MAX);
    broken = (struct broken){
        .catalog = {.ops = &broken_ops}, .rows = rows, .count = PLANNER_SPELLINGS_MAX + 1};
    assert_false(rig_try_plan(&rig));
    assert_int_equal(rig.err.kind, ERR_INPUT);
    rig.request.catalog = kept;
}

static void the_most_rows_move_together_and_one_more_do_not(void **state)
{
    (void)state;
    struct record *rows = arena_make(&rig.arena, (PLANNER_ROWS_MAX + 1) * sizeof(*rows));
    for (int i = 0; i <= PLANNER_ROWS_MAX; i++)
        rows[i] = record_at("R", "hot:a/f");
    struct catalog *kept = rig.request.catalog;
    struct broken broken = {
        .catalog = {.ops = &broken_ops}, .rows = rows, .count = PLANNER_ROWS_MAX};
    rig.request.catalog = &broken.catalog;
    rig_plan(&rig);
    rig_moves(&rig, "hot:a/", "cold");
    assert_int_equal(rig_find(&rig, "hot:a/")->row_count, PLANNER_ROWS_MAX);
    broken.next = 0;
    broken.count++;
    rig_plan(&rig);
    const struct plan_action *blocked =
        rig_blocked(&rig, "hot:a/", PLAN_TOO_MANY_ROWS, "50001 recordings");
    assert_int_equal(blocked->row_count, PLAN_ROWS_SHOWN);
    assert_int_equal(blocked->row_total, PLANNER_ROWS_MAX + 1);
    rig.request.catalog = kept;
}

static void progress(void *context, uint64_t rows, uint64_t surveyed, uint64_t to_survey)
{
    uint64_t *seen = context;
    seen[0] = rows > seen[0] ? rows : seen[0];
    seen[1] = surveyed;
    seen[2] = to_survey;
}

static void progress_is_told(void **state)
{
    (void)state;
    uint64_t seen[3] = {0};
    rig.request.progress = progress;
    rig.request.progress_context = seen;
    ROW(&rig, "A", "hot:a/f");
    ROW(&rig, "B", "hot:b/f");
    ROW(&rig, "C", "cold:b/f");
    rig_plan(&rig);
    assert_int_equal(seen[0], 3);
    assert_int_equal(seen[1], 2);
    assert_int_equal(seen[2], 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_empty, end)
    const struct CMUnitTest tests[] = {TEST(a_batch_is_full_before_it_is_asked),
                                       TEST(the_order_is_that_of_locations),
                                       TEST(stores_go_in_the_policys_order),
                                       TEST(failures_leave_nothing_behind),
                                       TEST(a_catalog_out_of_order_is_not_planned),
                                       TEST(a_catalog_that_is_lost_half_way_makes_no_plan),
                                       TEST(too_many_second_spellings_make_no_plan),
                                       TEST(the_most_rows_move_together_and_one_more_do_not),
                                       TEST(progress_is_told)};
    return cmocka_run_group_tests_name("law", tests, NULL, NULL);
}
