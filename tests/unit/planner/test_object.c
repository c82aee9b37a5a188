/* test_object.c: plans where a row stands for its one object: nothing beside it is asked, nothing
 * that begins with its name is taken for it. */
#include "planner/planner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "planner/plan_parse.h"
#include "tests/support/planning_rig.h"

static struct planning_rig rig;

static int begin(void **state)
{
    (void)state;
    rig_make(&rig, RIG_OBJECTS RIG_POLICY);
    return 0;
}

static int end(void **state)
{
    (void)state;
    rig_free(&rig);
    return 0;
}

static void each_row_moves_its_object(void **state)
{
    (void)state;
    ROW(&rig, "A", "hot:a/b");
    ROW(&rig, "BAK", "hot:a/b.bak", .days = 1);
    ROW(&rig, "BC", "hot:a/bc");
    ROW(&rig, "DEEP", "hot:a/b/c");
    ROW(&rig, "YOUNG", "hot:a/x", .days = 1);
    ROW(&rig, "ROOT", "hot:b");
    ROW(&rig, "ODD", "hot:a/100%25%3F");
    rig_plan(&rig);
    assert_int_equal(rig.action_count, 5);
    rig_moves(&rig, "hot:a/b", "cold");
    rig_moves(&rig, "hot:a/b/c", "cold");
    rig_moves(&rig, "hot:a/bc", "cold");
    rig_moves(&rig, "hot:b", "cold");
    rig_moves(&rig, "hot:a/100%?", "cold");
    const struct plan_action *move = rig_find(&rig, "hot:a/b");
    assert_string_equal(move->target_directory, "a/b");
    assert_int_equal(move->row_count, 1);
    assert_string_equal(move->rows[0].id, "A");
    assert_string_equal(move->rows[0].location, "file:///srv/hot/a/b");
    assert_int_equal(move->objects, 1);
    assert_int_equal(rig.summary.shallow, 0);
    assert_int_equal(rig_funnel(&rig, "age-out")->planned, 5);
    assert_int_equal(rig.survey.directories, 5);
}

static void rows_of_one_object_move_together(void **state)
{
    (void)state;
    ROW(&rig, "A", "hot:a/b");
    ROW(&rig, "B", "hot:a/b");
    ROW(&rig, "C", "hot:a/c");
    ROW(&rig, "D", "hot:a/c", .days = 1);
    rig_plan(&rig);
    rig_moves(&rig, "hot:a/b", "cold");
    assert_int_equal(rig_find(&rig, "hot:a/b")->row_count, 2);
    rig_blocked(&rig, "hot:a/c", PLAN_SHARED_OBJECT, "D is not selected");
}

static void a_hold_keeps_its_object_alone(void **state)
{
    (void)state;
    rig_load(&rig,
             RIG_OBJECTS "holds:\n"
                         "  - {name: case-7, reason: legal, select: {ids: [B]}}\n" RIG_POLICY);
    ROW(&rig, "A", "hot:a/b");
    ROW(&rig, "B", "hot:a/b.bak");
    rig_plan(&rig);
    rig_moves(&rig, "hot:a/b", "cold");
    rig_blocked(&rig, "hot:a/b.bak", PLAN_HELD, "B is held by case-7");
}

static void a_directory_is_no_object(void **state)
{
    (void)state;
    ROW(&rig, "DIR", "hot:a/");
    ROW(&rig, "A", "hot:a/b");
    ROW(&rig, "STORE", "hot:");
    rig_plan(&rig);
    assert_int_equal(rig.action_count, 2);
    rig_blocked(&rig, "hot:a/", PLAN_NOT_A_FILE, "it names a directory");
    rig_moves(&rig, "hot:a/b", "cold");
    assert_int_equal(rig.summary.shallow, 1);
    assert_non_null(strstr(rig.summary.unmanaged_samples[0], "names the store, and no object"));
    assert_int_equal(rig_funnel(&rig, "age-out")->blocked, 1);
}

static void an_object_that_is_not_there_is_missing(void **state)
{
    (void)state;
    static const struct rig_found found[] = {
        {.directory = "hot:a/gone", .missing = ""},
        {.directory = "hot:a/link", .objects = 1, .irregular = 1},
        {.directory = "hot:a/shut", .failure = "no answer"}};
    rig.survey.found = found;
    rig.survey.found_count = 3;
    ROW(&rig, "A", "hot:a/b");
    ROW(&rig, "GONE", "hot:a/gone");
    ROW(&rig, "LINK", "hot:a/link");
    ROW(&rig, "SHUT", "hot:a/shut");
    rig_plan(&rig);
    rig_moves(&rig, "hot:a/b", "cold");
    rig_blocked(&rig, "hot:a/gone", PLAN_OBJECT_MISSING, "no object for GONE");
    rig_blocked(&rig, "hot:a/link", PLAN_NOT_A_FILE, "it is no regular file");
    rig_blocked(&rig, "hot:a/shut", PLAN_UNLISTED, "no answer");
}

static void a_second_spelling_blocks_the_object_that_it_means(void **state)
{
    (void)state;
    ROW(&rig, "A", "hot:a/b");
    ROW(&rig, "B", "hot:a/bc");
    ROW(&rig, "Q", "file:///srv/hot/a/bc?sig=1");
    ROW(&rig, "ONLY", "file:///srv/hot//a/d");
    ROW(&rig, "C", "hot:c");
    ROW(&rig, "CQ", "file:///srv/hot/c#t", .days = 1);
    rig_plan(&rig);
    rig_moves(&rig, "hot:a/b", "cold");
    rig_blocked(&rig, "hot:a/bc", PLAN_SPELLING, "Q has a query");
    rig_blocked(&rig, "hot:a/d", PLAN_SPELLING, "ONLY has empty");
    rig_blocked(&rig, "hot:c", PLAN_SPELLING, "CQ has a fragment");
}

static void the_same_object_in_two_stores_collides(void **state)
{
    (void)state;
    rig_load(&rig, RIG_OBJECTS RIG_POLICY "  - name: warm-too\n"
                                          "    from: warm\n"
                                          "    target: cold\n"
                                          "    select: {older_than: 90d}\n");
    ROW(&rig, "H", "hot:a/b");
    ROW(&rig, "W", "warm:a/b");
    ROW(&rig, "H2", "hot:a/c");
    ROW(&rig, "W2", "warm:a/c.bak");
    rig_plan(&rig);
    rig_blocked(&rig, "hot:a/b", PLAN_TARGET_COLLISION, "warm:a/b would go there as well");
    rig_blocked(&rig, "warm:a/b", PLAN_TARGET_COLLISION, "hot:a/b would go there as well");
    rig_moves(&rig, "hot:a/c", "cold");
    rig_moves(&rig, "warm:a/c.bak", "cold");
}

/* Also a directory's, which another policy began. */
static void open_units_block_what_they_touch(void **state)
{
    (void)state;
    ROW(&rig, "A", "hot:a/b");
    ROW(&rig, "BAK", "hot:a/b.bak");
    ROW(&rig, "D", "hot:d/x");
    ROW(&rig, "D1", "hot:d1/x");
    rig_unit(&rig, "hot:a/b", "cold:a/b", UNIT_VERIFYING, 0, 0);
    rig_unit(&rig, "hot:d/", "cold:d/", UNIT_VERIFYING, 0, 0);
    rig_plan(&rig);
    rig_blocked(&rig, "hot:a/b", PLAN_OPEN_UNIT, "moves a/b from hot to cold: verifying");
    rig_blocked(&rig, "hot:d/x", PLAN_OPEN_UNIT, "moves d/ from hot to cold: verifying");
    rig_moves(&rig, "hot:a/b.bak", "cold");
    rig_moves(&rig, "hot:d1/x", "cold");
}

static void what_is_due_is_reaped_be_it_a_directory_or_not(void **state)
{
    (void)state;
    int64_t due_us = rig.policies->as_of_us - 1;
    rig_unit(&rig, "hot:a/b", "cold:a/b", UNIT_CUTOVER, due_us, RIG_DAY_US);
    rig_unit(&rig, "hot:d/", "cold:d/", UNIT_CUTOVER, due_us, RIG_DAY_US);
    rig_plan(&rig);
    assert_int_equal(rig.action_count, 2);
    assert_int_equal(rig_find(&rig, "hot:a/b")->kind, PLAN_REAP);
    assert_int_equal(rig_find(&rig, "hot:d/")->kind, PLAN_REAP);
}

/* -- lines of a plan --------------------------------------------------------------------------- */

static bool parses(bool by_object, const char *directory, const char *location)
{
    static struct plan_store stores[] = {{"hot", "file:///srv/hot/"}, {"cold", "file:///c/"}};
    const struct plan_header header = {.stores = stores, .store_count = 2, .by_object = by_object};
    const char *line = str_format(
        &rig.arena,
        "{\"action\":\"move\",\"directory\":\"hot:%s\",\"to\":\"cold:%s\",\"tier\":\"default\","
        "\"policy\":\"p\",\"at\":null,\"objects\":null,\"bytes\":1,\"manifest\":null,\"verify\":"
        "\"size\",\"cleanup\":{\"source\":\"keep\",\"after_s\":0},\"oldest\":null,"
        "\"recordings\":[{\"id\":\"A\",\"location\":\"%s\",\"because\":\"\"}]}",
        directory, directory, location);
    struct plan_action action;
    return plan_parse_action((struct plan_text){line, strlen(line)}, &header, &rig.arena, &action,
                             &rig.err);
}

/* A plan is of directories or of objects, and no row of it is of something else. */
static void a_line_is_of_the_unit_that_its_plan_is_of(void **state)
{
    (void)state;
    assert_true(parses(true, "a/b", "file:///srv/hot/a/b"));
    assert_true(parses(true, "b", "file:///srv/hot/b"));
    assert_true(parses(false, "a/b/", "file:///srv/hot/a/b/c"));
    assert_false(parses(false, "a/b", "file:///srv/hot/a/b"));
    assert_false(parses(true, "a/b/", "file:///srv/hot/a/b/c"));
    assert_false(parses(true, "a/b", "file:///srv/hot/a/b.bak"));
    assert_false(parses(true, "a/b", "file:///srv/hot/a/b/c"));
    assert_false(parses(true, "a/b", "file:///srv/hot/a/"));
    assert_false(parses(true, "", "file:///srv/hot/"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {TEST(each_row_moves_its_object),
                                       TEST(rows_of_one_object_move_together),
                                       TEST(a_hold_keeps_its_object_alone),
                                       TEST(a_directory_is_no_object),
                                       TEST(an_object_that_is_not_there_is_missing),
                                       TEST(a_second_spelling_blocks_the_object_that_it_means),
                                       TEST(the_same_object_in_two_stores_collides),
                                       TEST(open_units_block_what_they_touch),
                                       TEST(what_is_due_is_reaped_be_it_a_directory_or_not),
                                       TEST(a_line_is_of_the_unit_that_its_plan_is_of)};
    return cmocka_run_group_tests_name("object", tests, NULL, NULL);
}
