/* test_guard.c: how much a policy may do in one plan. */
#include "planner/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"
#include "base/str.h"
#include "tests/support/planning_rig.h"

static struct planning_rig rig;

static int begin(void **state)
{
    (void)state;
    rig_make(&rig, RIG_AGE_OUT);
    return 0;
}

static int end(void **state)
{
    (void)state;
    rig_free(&rig);
    return 0;
}

/* age-out with these guards, over six rows in four directories of hot: a/ (1 row, 100 bytes, 100
 * days old), b/ (2, 40, 300), c/ (1, 70, 200), d/ (2, 10, 400); and four rows of cold. */
static void plan_with(const char *guards)
{
    rig_load(&rig, str_format(&rig.arena, RIG_AGE_OUT "%s", guards));
    ROW(&rig, "A", "hot:a/f", .days = 100, .bytes = 100);
    ROW(&rig, "B1", "hot:b/f", .days = 300, .bytes = 30);
    ROW(&rig, "B2", "hot:b/g", .days = 250, .bytes = 10);
    ROW(&rig, "C", "hot:c/f", .days = 200, .bytes = 70);
    ROW(&rig, "D1", "hot:d/f", .days = 400, .bytes = 5);
    ROW(&rig, "D2", "hot:d/g", .days = 95, .bytes = 5);
    for (int i = 0; i < 4; i++)
        ROW(&rig, str_format(&rig.arena, "X%d", i), str_format(&rig.arena, "cold:x/%d", i));
}

/* Which of a/ to d/ move: "abd". */
static void moves(const char *letters)
{
    char found[8] = "";
    for (size_t i = 0; i < rig.action_count; i++)
        strncat(found, rig.actions[i]->directory, 1);
    assert_string_equal(found, letters);
}

static void funnel_is(uint64_t planned, uint64_t left, bool failed, const char *guard)
{
    const struct plan_funnel *funnel = rig_funnel(&rig, "age-out");
    assert_int_equal(funnel->planned, planned);
    assert_int_equal(funnel->left, left);
    assert_int_equal(funnel->failed, failed);
    if (!str_equal(funnel->guard, guard))
        fail_msg("guard: %s", funnel->guard);
}

static void a_guard_that_fails_plans_nothing_of_its_policy(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"max_recordings: 5", "max_recordings 5"},     {"max_bytes: 219B", "max_bytes 219 B"},
        {"max_deletes: 3", "max_deletes 3"},           {"max_percent: 54%", "max_percent 54%"},
        {"max_percent: 54.54%", "max_percent 54.54%"}, {"max_recordings: 0", "max_recordings 0"}};
    rig.request.survey = NULL;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        plan_with(str_format(&rig.arena,
                             "    guards: {%s}\n"
                             "  - {name: other, from: warm, target: cold, select: {ids: [W]}}\n",
                             cases[i][0]));
        ROW(&rig, "W", "warm:w/f");
        rig_plan(&rig);
        moves("w");
        funnel_is(0, 6, true, cases[i][1]);
        assert_false(rig_funnel(&rig, "other")->failed);
        assert_int_equal(rig.summary.left, 0);
        catalog_memory_remove(rig.rows, "W");
    }
}

static void what_just_fits_is_planned(void **state)
{
    (void)state;
    static const char *const cases[] = {"max_recordings: 6", "max_bytes: 220B", "max_deletes: 4",
                                        "max_percent: 60%", "min_recordings: 6"};
    rig.request.survey = NULL;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        plan_with(str_format(&rig.arena, "    guards: {%s}\n", cases[i]));
        rig_plan(&rig);
        moves("abcd");
        funnel_is(6, 0, false, NULL);
    }
}

static void a_guard_that_truncates_takes_the_first_in_its_order(void **state)
{
    (void)state;
    static const struct {
        const char *guard, *order, *moves, *says;
        uint64_t planned;
    } cases[] = {{"max_recordings: 4", "oldest", "bd", "max_recordings 4", 4},
                 {"max_recordings: 5", "oldest", "bcd", "max_recordings 5", 5},
                 {"max_recordings: 3", "oldest", "d", "max_recordings 3", 2},
                 {"max_recordings: 3", "newest", "ad", "max_recordings 3", 3},
                 {"max_recordings: 2", "largest", "ac", "max_recordings 2", 2},
                 {"max_recordings: 4", "smallest", "bd", "max_recordings 4", 4},
                 {"max_bytes: 50B", "oldest", "bd", "max_bytes 50 B", 4},
                 {"max_bytes: 49B", "oldest", "d", "max_bytes 49 B", 2},
                 {"max_bytes: 170B", "largest", "ac", "max_bytes 170 B", 2},
                 {"max_percent: 40%", "oldest", "bd", "max_percent 40%", 4},
                 {"max_recordings: 0", "oldest", "", "max_recordings 0", 0},
                 {"max_recordings: 5, max_bytes: 49B", "oldest", "d", "max_bytes 49 B", 2}};
    rig.request.survey = NULL;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        plan_with(str_format(&rig.arena,
                             "    guards: {%s, on_exceed: truncate}\n"
                             "    order_by: %s\n",
                             cases[i].guard, cases[i].order));
        rig_plan(&rig);
        moves(cases[i].moves);
        funnel_is(cases[i].planned, 6 - cases[i].planned, false, cases[i].says);
        assert_int_equal(rig.summary.left, 4 - strlen(cases[i].moves));
    }
}

static void ties_go_by_directory(void **state)
{
    (void)state;
    rig_load(&rig, RIG_AGE_OUT "    guards: {max_recordings: 3, on_exceed: truncate}\n");
    for (int i = 9; i >= 0; i--)
        ROW(&rig, str_format(&rig.arena, "R%d", 9 - i), str_format(&rig.arena, "hot:%d/f", i));
    rig_plan(&rig);
    assert_int_equal(rig.action_count, 3);
    rig_moves(&rig, "hot:0/", "cold");
    rig_moves(&rig, "hot:1/", "cold");
    rig_moves(&rig, "hot:2/", "cold");
}

static void rows_without_a_time_go_last(void **state)
{
    (void)state;
    rig_load(&rig, RIG_HEAD "policies:\n"
                            "  - name: all\n"
                            "    target: cold\n"
                            "    select: {everything: true}\n"
                            "    guards: {max_recordings: 2, on_exceed: truncate}\n");
    ROW(&rig, "A", "hot:a/f", .days = -1);
    ROW(&rig, "B", "hot:b/f", .days = 1);
    ROW(&rig, "C", "hot:c/f", .days = 2);
    rig_plan(&rig);
    moves("bc");
    rig_load(&rig, RIG_HEAD "policies:\n"
                            "  - name: all\n"
                            "    target: cold\n"
                            "    select: {everything: true}\n"
                            "    order_by: newest\n"
                            "    guards: {max_recordings: 2, on_exceed: truncate}\n");
    rig_plan(&rig);
    moves("bc");
}

static void deletes_never_truncate(void **state)
{
    (void)state;
    plan_with("    guards: {max_deletes: 3, on_exceed: truncate}\n");
    rig_plan(&rig);
    moves("");
    funnel_is(0, 6, true, "max_deletes 3");
    plan_with("    guards: {max_deletes: 3, max_recordings: 5, on_exceed: truncate}\n");
    rig_plan(&rig);
    moves("bcd");
    plan_with("    guards: {max_deletes: 0}\n"
              "    cleanup: {source: keep}\n");
    rig_plan(&rig);
    moves("abcd");
}

static void too_few_is_an_alarm_and_no_plan(void **state)
{
    (void)state;
    plan_with("    guards: {min_recordings: 7}\n");
    assert_false(rig_try_plan(&rig));
    assert_int_equal(rig.err.kind, ERR_INPUT);
    assert_non_null(strstr(rig.err.text, "age-out"));
    assert_non_null(strstr(rig.err.text, "min_recordings"));
}

static void what_is_blocked_does_not_count(void **state)
{
    (void)state;
    plan_with("    guards: {max_recordings: 4}\n");
    ROW(&rig, "YOUNG", "hot:d/h", .days = 1);
    rig_plan(&rig);
    rig_blocked(&rig, "hot:d/", PLAN_SHARED_DIRECTORY, "YOUNG");
    funnel_is(4, 0, false, NULL);
}

/* The survey says a/ 2000, b/ 3000, c/ 2000, d/ 3000. */
static void real_sizes_count_again(void **state)
{
    (void)state;
    plan_with("    guards: {max_bytes: 9999B}\n");
    rig_plan(&rig);
    moves("");
    funnel_is(0, 6, true, "max_bytes 10.0 kB");
    plan_with("    guards: {max_bytes: 10000B}\n");
    rig_plan(&rig);
    moves("abcd");
    plan_with("    guards: {max_bytes: 9999B, on_exceed: truncate}\n");
    rig_plan(&rig);
    moves("bcd");
    funnel_is(5, 1, false, "max_bytes 10.0 kB");
    assert_int_equal(rig.summary.left, 1);
    assert_int_equal(rig.summary.move_bytes, 8000);
}

static void what_a_guard_leaves_is_not_surveyed(void **state)
{
    (void)state;
    plan_with("    guards: {max_recordings: 4, on_exceed: truncate}\n");
    rig_plan(&rig);
    assert_int_equal(rig.survey.directories, 2);
}

#define EQUALS(guards)                                                                             \
    RIG_AGE_OUT "    guards: {max_recordings: 9}\n"                                                \
                "    cleanup: {source: delete, after: 1d}\n"                                       \
                "  - name: also\n"                                                                 \
                "    target: cold\n"                                                               \
                "    select: {ids: [A, B]}\n"                                                      \
                "    verify: readback\n"                                                           \
                "    cleanup: {source: delete, after: 7d}\n"                                       \
                "    guards: {" guards "}\n"

static void equal_policies_both_count_a_directory(void **state)
{
    (void)state;
    rig_load(&rig, EQUALS("max_recordings: 9"));
    ROW(&rig, "A", "hot:a/f");
    ROW(&rig, "B", "hot:b/f");
    ROW(&rig, "C", "hot:c/f");
    rig_plan(&rig);
    moves("abc");
    assert_int_equal(rig_funnel(&rig, "age-out")->planned, 3);
    assert_int_equal(rig_funnel(&rig, "also")->planned, 2);
    assert_string_equal(rig.actions[0]->policy, "age-out");
    assert_int_equal(rig.actions[0]->also_count, 1);
    assert_string_equal(rig.actions[0]->also[0], "also");
    assert_int_equal(rig.actions[2]->also_count, 0);
    assert_int_equal(rig.actions[0]->terms.verify, VERIFY_READBACK);
    assert_int_equal(rig.actions[0]->terms.grace_us, 7 * RIG_DAY_US);
    assert_int_equal(rig.actions[2]->terms.verify, VERIFY_CHECKSUM);

    rig_load(&rig, EQUALS("max_recordings: 1"));
    rig_plan(&rig);
    moves("c");
    assert_true(rig_funnel(&rig, "also")->failed);
    assert_false(rig_funnel(&rig, "age-out")->failed);
    assert_int_equal(rig_funnel(&rig, "age-out")->left, 2);
    rig_load(&rig, EQUALS("max_recordings: 1, on_exceed: truncate"));
    rig_plan(&rig);
    moves("ac");
    assert_int_equal(rig_funnel(&rig, "also")->planned, 1);

    /* One leaves what the other refuses: it is refused, and nothing is left for later. */
    rig_load(&rig, RIG_AGE_OUT "    guards: {max_recordings: 0, on_exceed: truncate}\n"
                               "  - name: also\n"
                               "    target: cold\n"
                               "    select: {ids: [A, B, C]}\n"
                               "    guards: {max_recordings: 2}\n");
    rig_plan(&rig);
    moves("");
    assert_int_equal(rig.summary.left, 0);
    assert_true(rig_funnel(&rig, "also")->failed);
    assert_int_equal(rig_funnel(&rig, "age-out")->left, 3);
}

static void a_policy_that_is_off_has_no_funnel_and_no_guard(void **state)
{
    (void)state;
    plan_with("    enabled: false\n"
              "    guards: {min_recordings: 100}\n"
              "  - {name: on, target: cold, select: {ids: [A]}}\n");
    rig_plan(&rig);
    moves("a");
    assert_int_equal(rig.summary.funnel_count, 1);
    assert_string_equal(rig.summary.funnels[0].policy, "on");
}

/* -- the heap against sorting -------------------------------------------------------------------
 */

enum { DIRECTORIES = 200 };

static size_t count_by_sorting(const struct candidate *candidates, uint64_t rows_max,
                               bool is_taken[DIRECTORIES])
{
    size_t order[DIRECTORIES], taken = 0;
    uint64_t rows = 0;
    for (size_t i = 0; i < DIRECTORIES; i++) {
        size_t at = i;
        for (; at > 0 && candidates[order[at - 1]].oldest_us > candidates[i].oldest_us; at--)
            order[at] = order[at - 1];
        order[at] = i;
        is_taken[i] = false;
    }
    for (; taken < DIRECTORIES && rows + candidates[order[taken]].rows <= rows_max; taken++) {
        rows += candidates[order[taken]].rows;
        is_taken[order[taken]] = true;
    }
    return taken;
}

static void the_heap_finds_what_sorting_finds(void **state)
{
    (void)state;
    struct rand rand;
    rand_init(&rand, 7);
    for (int round = 0; round < 200; round++) {
        struct policy policy = {.name = "p",
                                .enabled = true,
                                .guards = {.max_recordings = rand_below(&rand, 600),
                                           .max_bytes = POLICY_NO_LIMIT,
                                           .max_deletes = POLICY_NO_LIMIT,
                                           .max_fraction_ppm = POLICY_FRACTION_ONE,
                                           .truncate = true}};
        struct policies policies = {.items = &policy, .count = 1};
        struct candidate_share share = {.policy = 0};
        struct candidate candidates[DIRECTORIES];
        struct plan_funnel funnel = {0};
        struct guards guards;
        bool is_taken[DIRECTORIES];
        guard_init(&guards, &policies, 1000, &rig.arena);
        for (size_t i = 0; i < DIRECTORIES; i++)
            candidates[i] = (struct candidate){.rows = rand_below(&rand, 6),
                                               .oldest_us = (int64_t)rand_below(&rand, 50),
                                               .shares = &share,
                                               .share_count = 1};
        for (size_t i = 0; i < DIRECTORIES; i++)
            guard_add(&guards, &candidates[i], i, 0);
        guard_close(&guards, &funnel, &rig.arena);
        size_t taken = count_by_sorting(candidates, policy.guards.max_recordings, is_taken);
        for (size_t i = 0; i < DIRECTORIES; i++)
            assert_int_equal(guard_ask(&guards, &candidates[i], i) == GUARD_TAKES, is_taken[i]);
        assert_int_equal(funnel.guard != NULL, taken < DIRECTORIES);
        guard_free(&guards);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {TEST(a_guard_that_fails_plans_nothing_of_its_policy),
                                       TEST(what_just_fits_is_planned),
                                       TEST(a_guard_that_truncates_takes_the_first_in_its_order),
                                       TEST(ties_go_by_directory),
                                       TEST(rows_without_a_time_go_last),
                                       TEST(deletes_never_truncate),
                                       TEST(too_few_is_an_alarm_and_no_plan),
                                       TEST(what_is_blocked_does_not_count),
                                       TEST(real_sizes_count_again),
                                       TEST(what_a_guard_leaves_is_not_surveyed),
                                       TEST(equal_policies_both_count_a_directory),
                                       TEST(a_policy_that_is_off_has_no_funnel_and_no_guard),
                                       TEST(the_heap_finds_what_sorting_finds)};
    return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
