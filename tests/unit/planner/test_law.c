/* test_law.c: what holds for any policies over any rows: every row is counted once, the same input
 * gives the same bytes, and a plan that was carried out leaves nothing to move. */
#include "planner/planner.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/rand.h"
#include "base/str.h"
#include "state/location.h"
#include "tests/support/planning_rig.h"

static struct planning_rig rig;
static struct rand dice;

static int end(void **state)
{
    (void)state;
    rig_free(&rig);
    return 0;
}

static const char *pick(const char *const *choices, size_t count)
{
    return choices[rand_below(&dice, count)];
}
#define PICK(...)                                                                                  \
    pick((const char *const[]){__VA_ARGS__},                                                       \
         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

enum world {
    ANY, /* directories below directories, the same ones in several stores, policies of a store */
    NESTED, /* what a policy says does not depend on the store, nor meet what stands in another   */
    FLAT    /* nor is a directory below another one                                               */
};

/* Three to six policies with few priorities, so that they meet. */
static const char *any_policies(enum world world)
{
    struct buf text;
    buf_init(&text, (size_t)1 << 16);
    buf_text(&text, RIG_HEAD);
    if (rand_below(&dice, 2) == 0)
        buf_text(&text, "holds:\n  - {name: h, reason: r, select: {map: held}}\n");
    buf_text(&text, "policies:\n");
    uint64_t count = 3 + rand_below(&dice, 4);
    for (uint64_t i = 0; i < count; i++) {
        buf_format(&text, "  - name: p%d\n    target: %s\n    priority: %s\n", (int)i,
                   PICK("hot", "warm", "cold", "archive"), PICK("0", "0", "1", "2"));
        buf_format(&text, "    select: {%s}\n",
                   world == ANY && rand_below(&dice, 5) == 0
                       ? "store: hot"
                       : PICK("older_than: 50d", "newer_than: 50d", "map: x", "map: {ne: x}",
                              "valid: true", "older_than: 20d, map: {in: [x, y]}"));
        if (rand_below(&dice, 3) == 0)
            buf_format(&text, "    exclude: {%s}\n", PICK("map: y", "newer_than: 10d"));
        if (world == ANY && rand_below(&dice, 4) == 0)
            buf_format(&text, "    from: %s\n", PICK("hot", "warm", "cold", "archive"));
        if (rand_below(&dice, 3) == 0)
            buf_format(&text, "    guards: {%s, on_exceed: %s}\n    order_by: %s\n",
                       PICK("max_recordings: 9", "max_bytes: 200B", "max_percent: 10%"),
                       PICK("truncate", "fail"), PICK("oldest", "newest", "largest", "smallest"));
        if (rand_below(&dice, 5) == 0)
            buf_text(&text, "    enabled: false\n");
    }
    const char *policies = str_copy(&rig.arena, buf_string(&text), text.size);
    buf_free(&text);
    return policies;
}

/* Few directories, many of them nested, some spelled oddly, some nowhere. */
static void put_any_row(int number, enum world world)
{
    struct rig_row row = {.id = str_format(&rig.arena, "R%03d", number),
                          .days = (int)rand_below(&dice, 100) - 5,
                          .bytes = (int64_t)rand_below(&dice, 110) - 5,
                          .map = PICK("x", "x", "y", "z", "held", NULL)};
    const char *store = PICK("hot", "hot", "warm", "cold", "archive");
    const char *directory = PICK("a/", "a/b/", "a/c/", "b/", "c/d/", "c/e/", "c#/", "c?/", "c%/",
                                 "c$/", "d/1/", "d/10/", "e/f/", "e/g/", "e/h/", "e/i/", "f/");
    if (world == FLAT && str_equal(directory, "a/"))
        directory = "g/";
    if (world != ANY)
        directory = str_format(&rig.arena, "of-%s/%s", store, directory);
    struct place place = {.base = str_format(&rig.arena, "file:///srv/%s/", store)};
    row.at = location_make(&place, directory, str_format(&rig.arena, "f%d", number), &rig.arena);
    switch (rand_below(&dice, 40)) {
    case 0:
        row.at = str_format(&rig.arena, "%s?x", row.at);
        break;
    case 1:
        row.at = str_format(&rig.arena, "ftp://host/%d", number);
        break;
    case 2:
        row.at = str_format(&rig.arena, "file:///srv/hot/%d", number);
        break;
    case 3:
        row.at = NULL;
        break;
    default:
        break;
    }
    rig_put(&rig, row);
}

/* Every recording and every byte is counted once, before and after. */
static void adds_up(uint64_t rows)
{
    const struct plan_summary *summary = &rig.summary;
    uint64_t now = 0, after = 0, planned = 0, bytes_now = 0, bytes_after = 0;
    assert_int_equal(summary->rows, rows);
    for (size_t i = 0; i < summary->funnel_count; i++) {
        assert_int_equal(summary->funnels[i].rows, rows);
        assert_true(plan_funnel_adds_up(&summary->funnels[i]));
        assert_false(summary->funnels[i].failed && summary->funnels[i].planned > 0);
        planned += summary->funnels[i].planned;
    }
    for (size_t i = 0; i < summary->total_count; i++) {
        now += summary->totals[i].recordings_now;
        after += summary->totals[i].recordings_after;
        bytes_now += summary->totals[i].bytes_now;
        bytes_after += summary->totals[i].bytes_after;
    }
    assert_int_equal(now, rows - summary->unmanaged);
    assert_int_equal(after, now);
    assert_int_equal(bytes_after, bytes_now);
    assert_true(summary->actions[PLAN_MOVE] == 0 || planned > 0);
}

static int begin_empty(void **state)
{
    (void)state;
    rig_make(&rig, RIG_AGE_OUT);
    return 0;
}

/* Guards off: with them, a second plan may go on where the first one was cut. */
static const char *without_guards(const char *policies)
{
    char *text = arena_copy(&rig.arena, policies);
    for (char *at = strstr(text, "    guards:"); at != NULL; at = strstr(at, "    guards:"))
        memset(at, '#', strlen("    guards:"));
    return text;
}

static void fill(uint64_t seed, enum world world, const char **policies)
{
    rig_free(&rig);
    rig_make(&rig, RIG_AGE_OUT);
    rand_init(&dice, seed);
    *policies = any_policies(world);
    rig_load(&rig, *policies);
    for (int i = 0; i < 60; i++)
        put_any_row(i, world);
}

static void whatever_the_policies_all_adds_up(void **state)
{
    (void)state;
    const char *policies;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        fill(seed, ANY, &policies);
        rig_plan(&rig);
        adds_up(60);
    }
}

/* How many times it must be planned and carried out until nothing moves. */
static int count_rounds(uint64_t seed, enum world world)
{
    const char *policies;
    fill(seed, world, &policies);
    rig_load(&rig, without_guards(policies));
    for (int round = 0; round < 10; round++) {
        rig_plan(&rig);
        adds_up(60);
        if (rig.summary.actions[PLAN_MOVE] == 0)
            return round;
        rig_apply(&rig);
    }
    return 10;
}

static void carried_out_it_leaves_nothing_to_move(void **state)
{
    (void)state;
    int moved = 0;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        int rounds = count_rounds(seed, FLAT);
        moved += rounds;
        if (rounds > 1)
            fail_msg("seed %d: it goes on moving", (int)seed);
    }
    assert_in_range(moved, 15, 30); /* the dice are not loaded */
}

/* What is nested goes first, then what it was in the way of; nothing moves twice. */
static void what_was_nested_leaves_its_parent_free(void **state)
{
    (void)state;
    int most = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        int rounds = count_rounds(seed, NESTED);
        most = rounds > most ? rounds : most;
    }
    assert_int_equal(most, 2);
}

static void the_same_input_gives_the_same_bytes(void **state)
{
    (void)state;
    size_t first_bytes, second_bytes;
    rand_init(&dice, 4);
    rig_load(&rig, any_policies(ANY));
    for (int i = 0; i < 400; i++)
        put_any_row(i, ANY);
    rig_plan(&rig);
    const char *first = rig_bytes(&rig, &first_bytes);
    /* Another process, another folder, the rows put the other way round. */
    struct planning_rig other = rig;
    rig_make(&rig, RIG_AGE_OUT);
    rand_init(&dice, 4);
    rig_load(&rig, any_policies(ANY));
    struct rand before = dice;
    for (int half = 1; half >= 0; half--) {
        dice = before;
        for (int i = 0; i < 400; i++) {
            put_any_row(i, ANY);
            if ((i % 2 == 0) == (half == 0))
                continue;
            catalog_memory_remove(rig.rows, str_format(&rig.arena, "R%03d", i));
        }
    }
    dice = before;
    for (int i = 0; i < 400; i++)
        put_any_row(i, ANY);
    rig_plan(&rig);
    const char *second = rig_bytes(&rig, &second_bytes);
    assert_int_equal(first_bytes, second_bytes);
    assert_memory_equal(first, second, first_bytes);
    rig_free(&rig);
    rig = other;
}

/* Neighbours are asked for in full batches, and what comes of it does not depend on them. */
static void a_batch_is_full_before_it_is_asked(void **state)
{
    (void)state;
    for (int i = 0; i < 600; i++) {
        ROW(&rig, str_format(&rig.arena, "H%d", i), str_format(&rig.arena, "hot:%04d/f", i));
        ROW(&rig, str_format(&rig.arena, "S%d", i), str_format(&rig.arena, "hot:%04d$#?/f", i),
            .days = 1);
    }
    rig_plan(&rig);
    assert_int_equal(rig.survey.directories, 600);
    assert_int_equal(rig.survey.batches, 3);
    assert_int_equal(rig.summary.actions[PLAN_MOVE], 600);
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
    const struct CMUnitTest tests[] = {TEST(whatever_the_policies_all_adds_up),
                                       TEST(what_was_nested_leaves_its_parent_free),
                                       TEST(carried_out_it_leaves_nothing_to_move),
                                       TEST(the_same_input_gives_the_same_bytes),
                                       TEST(a_batch_is_full_before_it_is_asked),
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
