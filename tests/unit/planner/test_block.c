/* test_block.c: each reason for which a directory can't move, with the rows that are in the way. */
#include "planner/planner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

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

static void names_rows(const struct plan_action *action, const char *const *ids, size_t count)
{
    assert_int_equal(action->row_count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(action->rows[i].id, ids[i]);
}
#define NAMES(action, ...)                                                                         \
    names_rows((action), (const char *const[]){__VA_ARGS__},                                       \
               sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void what_nothing_speaks_against_moves(void **state)
{
    (void)state;
    ROW(&rig, "A", "hot:a/f", .bytes = 5);
    ROW(&rig, "B", "hot:a/g", .days = 91, .bytes = 7);
    ROW(&rig, "YOUNG", "hot:b/f", .days = 90);
    ROW(&rig, "COLD", "cold:c/f");
    rig_plan(&rig);
    assert_int_equal(rig.action_count, 1);
    rig_moves(&rig, "hot:a/", "cold");
    const struct plan_action *move = rig_find(&rig, "hot:a/");
    NAMES(move, "A", "B");
    assert_string_equal(move->rows[0].location, "file:///srv/hot/a/f");
    assert_string_equal(move->rows[0].because, "older_than 90d: 100d");
    assert_string_equal(move->policy, "age-out");
    assert_string_equal(move->at, "policy.yaml:17:5");
    assert_true(move->surveyed);
    assert_int_equal(move->objects, 3);
    assert_int_equal(move->bytes, 3000);
    assert_int_equal(rig.summary.totals[RIG_HOT].bytes_now, 22);
    assert_int_equal(rig.summary.totals[RIG_HOT].bytes_after, 10);
    assert_int_equal(rig.summary.totals[RIG_HOT].recordings_after, 1);
    assert_int_equal(rig.summary.totals[RIG_COLD].recordings_after, 3);
    assert_int_equal(rig.summary.totals[RIG_COLD].bytes_after, 22);
    assert_int_equal(rig_funnel(&rig, "age-out")->planned, 2);
    assert_int_equal(rig_funnel(&rig, "age-out")->out, 2);
}

static void a_row_that_is_not_selected_blocks_its_directory(void **state)
{
    (void)state;
    ROW(&rig, "A", "hot:a/f");
    ROW(&rig, "B", "hot:a/g", .days = 1);
    ROW(&rig, "C", "hot:a/h", .days = 1);
    rig_plan(&rig);
    const struct plan_action *blocked =
        rig_blocked(&rig, "hot:a/", PLAN_SHARED_DIRECTORY, "B is not selected, and 1 more");
    NAMES(blocked, "B", "C");
    assert_string_equal(blocked->rows[0].because, "is not selected");
    assert_int_equal(blocked->row_total, 3);
    assert_string_equal(blocked->policy, "age-out");
    assert_int_equal(blocked->target, RIG_COLD);
    assert_int_equal(rig_funnel(&rig, "age-out")->blocked, 1);
    assert_int_equal(rig_funnel(&rig, "age-out")->out, 2);
}

static void only_the_first_rows_in_the_way_are_named(void **state)
{
    (void)state;
    ROW(&rig, "A", "hot:a/a");
    for (int i = 0; i < 20; i++)
        ROW(&rig, str_format(&rig.arena, "B%02d", i), str_format(&rig.arena, "hot:a/%02d", i),
            .days = 1);
    rig_plan(&rig);
    const struct plan_action *blocked =
        rig_blocked(&rig, "hot:a/", PLAN_SHARED_DIRECTORY, "B00 is not selected, and 19 more");
    NAMES(blocked, "B00", "B01", "B02", "B03", "B04", "B05", "B06", "B07");
    assert_int_equal(blocked->row_total, 21);
}

static void a_row_that_is_excluded_or_undecided_is_told_so(void **state)
{
    (void)state;
    rig_load(&rig, RIG_AGE_OUT "    exclude: {map: golden}\n");
    ROW(&rig, "A", "hot:a/f", .map = "x");
    ROW(&rig, "B", "hot:a/g", .map = "golden");
    ROW(&rig, "C", "hot:b/f", .map = "x");
    ROW(&rig, "D", "hot:b/g", .map = "x", .days = -1);
    rig_plan(&rig);
    rig_blocked(&rig, "hot:a/", PLAN_SHARED_DIRECTORY, "B is excluded by age-out");
    rig_blocked(&rig, "hot:b/", PLAN_SHARED_DIRECTORY,
                "D is undecided: age-out (older_than 90d: NULL)");
    const struct plan_funnel *funnel = rig_funnel(&rig, "age-out");
    assert_int_equal(funnel->excluded, 1);
    assert_int_equal(funnel->undecided, 1);
    assert_int_equal(funnel->blocked, 2);
}

static void a_held_row_blocks_its_directory(void **state)
{
    (void)state;
    rig_load(&rig, RIG_AGE_OUT "holds:\n"
                               "  - name: case-7\n"
                               "    reason: ask legal\n"
                               "    select: {ids: [B, ALONE, YOUNG]}\n");
    ROW(&rig, "A", "hot:a/f");
    ROW(&rig, "B", "hot:a/g");
    ROW(&rig, "C", "hot:a/h", .days = 1);
    ROW(&rig, "ALONE", "hot:b/f");
    ROW(&rig, "YOUNG", "hot:c/f", .days = 1);
    rig_plan(&rig);
    NAMES(rig_blocked(&rig, "hot:a/", PLAN_HELD, "B is held by case-7 (ask legal)"), "B");
    NAMES(rig_blocked(&rig, "hot:b/", PLAN_HELD, "ALONE is held by case-7"), "ALONE");
    assert_null(rig_find(&rig, "hot:c/"));
    assert_int_equal(rig_funnel(&rig, "age-out")->held, 2);
    assert_int_equal(rig_funnel(&rig, "age-out")->blocked, 1);
}

#define RIVALS                                                                                     \
    RIG_AGE_OUT "  - name: archive-it\n"                                                           \
                "    target: archive\n"                                                            \
                "    select: {map: old}\n"

static void equal_policies_with_other_targets_conflict(void **state)
{
    (void)state;
    rig_load(&rig, RIVALS);
    ROW(&rig, "A", "hot:a/f", .map = "old");
    ROW(&rig, "B", "hot:b/f", .map = "new");
    ROW(&rig, "C", "hot:b/g", .map = "old", .days = 1);
    rig_plan(&rig);
    const struct plan_action *blocked = rig_blocked(
        &rig, "hot:a/", PLAN_CONFLICT,
        "age-out (policy.yaml:17:5, -> cold) and archive-it (policy.yaml:21:5, -> archive), both "
        "priority 0");
    NAMES(blocked, "A");
    assert_int_equal(blocked->target, POLICY_NO_INDEX);
    NAMES(rig_blocked(&rig, "hot:b/", PLAN_CONFLICT, "both priority 0"), "B", "C");
    assert_int_equal(rig_funnel(&rig, "age-out")->blocked, 2);
    assert_int_equal(rig_funnel(&rig, "archive-it")->blocked, 2);
}

static void a_row_in_place_takes_part_in_the_contest(void **state)
{
    (void)state;
    rig_load(&rig, RIVALS "  - name: keep-hot\n"
                          "    target: hot\n"
                          "    select: {ids: [STAYS, EQUAL]}\n"
                          "    priority: 5\n");
    ROW(&rig, "STAYS", "hot:a/f", .days = 1);
    ROW(&rig, "A", "hot:a/g");
    ROW(&rig, "B", "hot:b/f");
    rig_plan(&rig);
    assert_null(rig_find(&rig, "hot:a/"));
    rig_moves(&rig, "hot:b/", "cold");
    assert_int_equal(rig_funnel(&rig, "keep-hot")->in_place, 1);
    assert_int_equal(rig_funnel(&rig, "age-out")->lost, 1);
    assert_int_equal(rig_funnel(&rig, "age-out")->planned, 1);
}

static void a_winner_takes_the_whole_directory(void **state)
{
    (void)state;
    rig_load(&rig, RIVALS "    priority: 9\n");
    ROW(&rig, "A", "hot:a/f");
    ROW(&rig, "B", "hot:a/g", .map = "old", .days = 1);
    rig_plan(&rig);
    rig_moves(&rig, "hot:a/", "archive");
    const struct plan_action *move = rig_find(&rig, "hot:a/");
    assert_string_equal(move->policy, "archive-it");
    assert_string_equal(move->rows[0].because, "age-out: older_than 90d: 100d");
    assert_int_equal(rig_funnel(&rig, "age-out")->lost, 1);
    assert_int_equal(rig_funnel(&rig, "archive-it")->planned, 1);
    assert_int_equal(rig.summary.move_recordings, 2);
}

/* By location alone, "a/b/f" would stand between "a/a1" and "a/z". */
static void rows_of_one_directory_stand_together(void **state)
{
    (void)state;
    ROW(&rig, "A", "hot:a/a1");
    ROW(&rig, "B", "hot:a/b/f");
    ROW(&rig, "Z", "hot:a/z");
    ROW(&rig, "10", "hot:a0/f");
    rig_plan(&rig);
    const struct plan_action *outer =
        rig_blocked(&rig, "hot:a/", PLAN_NESTED_DIRECTORY, "B lies below it, in a/b/");
    NAMES(outer, "B");
    assert_string_equal(outer->rows[0].location, "file:///srv/hot/a/b/f");
    assert_int_equal(outer->row_total, 2);
    rig_moves(&rig, "hot:a/b/", "cold");
    rig_moves(&rig, "hot:a0/", "cold");
    assert_int_equal(rig_funnel(&rig, "age-out")->blocked, 2);
}

static void a_prefix_of_a_name_is_not_nesting(void **state)
{
    (void)state;
    ROW(&rig, "A", "hot:a/1/f");
    ROW(&rig, "B", "hot:a/10/f");
    ROW(&rig, "C", "hot:a/1#/f");
    ROW(&rig, "D", "hot:a/1$/f");
    rig_plan(&rig);
    rig_moves(&rig, "hot:a/1/", "cold");
    rig_moves(&rig, "hot:a/10/", "cold");
}

/* Rows that nobody wants to move are in the way all the same. */
static void a_young_row_below_nests_and_one_above_does_not(void **state)
{
    (void)state;
    ROW(&rig, "A", "hot:a/f");
    ROW(&rig, "YOUNG", "hot:a/b/c/f", .days = 1);
    ROW(&rig, "ABOVE", "hot:b/f", .days = 1);
    ROW(&rig, "B", "hot:b/c/f");
    rig_plan(&rig);
    rig_blocked(&rig, "hot:a/", PLAN_NESTED_DIRECTORY, "YOUNG lies below it, in a/b/c/");
    rig_moves(&rig, "hot:b/c/", "cold");
}

static void a_second_spelling_blocks_the_directory_that_it_means(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "file:///srv/hot/a/g?sig=CANARY", "file:///srv/hot/b/../a/g",     "FILE:///srv/hot/a/g",
        "file:///srv/hot/a/%67",          "file:///srv/hot/a//g",         "file:///srv/hot/a/b/g#x",
        "file://localhost/srv/hot/a/g",   "file:///srv/hot/a/b/c/%20d/e", "file:///srv/hot/a/./g"};
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        catalog_memory_remove(rig.rows, "ODD");
        ROW(&rig, "A", "hot:a/f");
        ROW(&rig, "B", "hot:b/f");
        ROW(&rig, "ODD", odd[i], .days = 1);
        rig_plan(&rig);
        const struct plan_action *blocked = rig_blocked(&rig, "hot:a/", PLAN_SPELLING, "ODD ");
        NAMES(blocked, "ODD");
        assert_true(strlen(blocked->rows[0].because) > 0);
        rig_moves(&rig, "hot:b/", "cold");
        size_t size_bytes;
        assert_null(strstr(rig_bytes(&rig, &size_bytes), "CANARY"));
    }
}

static void a_second_spelling_above_is_not_in_the_way(void **state)
{
    (void)state;
    ROW(&rig, "A", "hot:a/b/f");
    ROW(&rig, "ODD", "file:///srv/hot/./a/g", .days = 1);
    rig_plan(&rig);
    rig_moves(&rig, "hot:a/b/", "cold");
    assert_int_equal(rig.action_count, 1);
}

static void a_second_spelling_that_is_wanted_is_shown_by_itself(void **state)
{
    (void)state;
    ROW(&rig, "A", "hot:a/f");
    ROW(&rig, "ODD1", "file:///srv/hot/b//f");
    ROW(&rig, "ODD2", "file:///srv/hot/b//g");
    ROW(&rig, "Z", "hot:z/f");
    rig_plan(&rig);
    const struct plan_action *blocked = rig_blocked(
        &rig, "hot:b/", PLAN_SPELLING, "ODD1 has empty, '.' or '..' path segments, and 1 more");
    NAMES(blocked, "ODD1", "ODD2");
    assert_int_equal(blocked->row_total, 2);
    assert_string_equal(blocked->policy, "age-out");
    assert_int_equal(rig_funnel(&rig, "age-out")->blocked, 2);
    assert_int_equal(rig_funnel(&rig, "age-out")->planned, 2);
    assert_int_equal(rig.summary.totals[RIG_HOT].recordings_now, 4);
}

/* Law 2: it would never go there, whatever its spelling. */
static void a_second_spelling_that_would_circle_is_not_wanted(void **state)
{
    (void)state;
    rig_load(&rig, RIG_HEAD
             "policies:\n"
             "  - {name: out, from: hot, target: cold, select: {older_than: 90d}}\n"
             "  - {name: back, from: cold, target: hot, priority: 1, select: {ids: [KEPT]}}\n"
             "  - {name: again, from: warm, target: hot, select: {ids: [A, B]}}\n"
             "  - {name: down, target: warm, priority: 2, select: {ids: [A], store: hot}}\n");
    ROW(&rig, "A", "file:///srv/hot/a//f");
    ROW(&rig, "B", "file:///srv/hot/b//f");
    ROW(&rig, "KEPT", "file:///srv/hot/k//f");
    rig_plan(&rig);
    assert_null(rig_find(&rig, "hot:k/"));
    assert_int_equal(rig_blocked(&rig, "hot:a/", PLAN_SPELLING, "A ")->target, RIG_WARM);
    assert_int_equal(rig_blocked(&rig, "hot:b/", PLAN_SPELLING, "B ")->target, RIG_COLD);
    assert_int_equal(rig_funnel(&rig, "out")->lost, 2); /* A and KEPT */
    assert_int_equal(rig_funnel(&rig, "out")->blocked, 1);
    assert_int_equal(rig_funnel(&rig, "back")->out, 3);
}

static void what_is_in_no_store_is_counted_and_sampled(void **state)
{
    (void)state;
    ROW(&rig, "A", "hot:a/f");
    ROW(&rig, "NULL", NULL);
    ROW(&rig, "FTP", "ftp://user:CANARY@host/x?sig=CANARY");
    ROW(&rig, "ROOT", "hot:f");
    ROW(&rig, "WORDS", "somewhere else");
    rig_plan(&rig);
    assert_int_equal(rig.summary.unmanaged, 3);
    assert_int_equal(rig.summary.shallow, 1);
    assert_string_equal(rig.summary.unmanaged_samples[0], "NULL: has no location");
    assert_non_null(strstr(rig.summary.unmanaged_samples[1], "ROOT: file:///srv/hot/f: "));
    assert_non_null(strstr(rig.summary.unmanaged_samples[2], "FTP: ftp://..@host/x: "));
    assert_non_null(strstr(rig.summary.unmanaged_samples[3], "WORDS: somewhere else: "));
    assert_int_equal(rig_funnel(&rig, "age-out")->rows, 5);
    assert_int_equal(rig_funnel(&rig, "age-out")->out, 4);
    size_t size_bytes;
    assert_null(strstr(rig_bytes(&rig, &size_bytes), "CANARY"));
}

static void ids_that_the_catalog_lacks_are_told(void **state)
{
    (void)state;
    rig_load(&rig, RIG_HEAD "policies:\n"
                            "  - {name: pull, target: cold, select: {ids: [A, GONE, ODD, FTP]}}\n");
    ROW(&rig, "A", "hot:a/f");
    ROW(&rig, "ODD", "file:///srv/hot//b/f");
    ROW(&rig, "FTP", "ftp://host/x");
    rig_plan(&rig);
    assert_int_equal(rig.summary.missing_id_count, 1);
    assert_string_equal(rig.summary.missing_ids[0], "GONE (policy.yaml:17:50)");
}

static void what_is_under_way_blocks(void **state)
{
    (void)state;
    ROW(&rig, "A", "hot:a/b/f");
    ROW(&rig, "B", "hot:b/f");
    ROW(&rig, "C", "hot:c/f");
    ROW(&rig, "D", "hot:d/f");
    ROW(&rig, "E", "hot:e/f");
    ROW(&rig, "F", "hot:f/f");
    rig_unit(&rig, "hot:a/", "cold:a/", UNIT_COPYING, 0, 0);
    rig_unit(&rig, "hot:b/c/", "cold:b/c/", UNIT_PARKED, 0, 0);
    rig_unit(&rig, "warm:c/", "cold:c/", UNIT_CUTOVER, rig.policies->as_of_us + 1, 0);
    rig_unit(&rig, "hot:d/", "cold:d/", UNIT_ABANDONED, 0, 0);
    rig_unit(&rig, "hot:e/", "cold:e/", UNIT_DONE, 0, 0);
    rig_plan(&rig);
    rig_blocked(&rig, "hot:a/b/", PLAN_OPEN_UNIT,
                "run 1 of 2025-06-01T00:00:00.000000Z moves a/ from hot to cold: copying");
    rig_blocked(&rig, "hot:b/", PLAN_OPEN_UNIT, "run 2 ");
    rig_blocked(&rig, "hot:b/", PLAN_OPEN_UNIT, "moves b/c/ from hot to cold: parked");
    rig_blocked(&rig, "hot:c/", PLAN_OPEN_UNIT, "moves c/ from warm to cold: cutover");
    rig_moves(&rig, "hot:d/", "cold");
    rig_moves(&rig, "hot:e/", "cold");
    rig_moves(&rig, "hot:f/", "cold");
    assert_int_equal(rig.action_count, 6);
}

/* Law 2: after the contest.  What was brought exactly so long ago may go again. */
static void what_frostline_brought_lately_stays(void **state)
{
    (void)state;
    rig_load(&rig, RIG_HEAD "policies:\n"
                            "  - name: back\n"
                            "    from: cold\n"
                            "    target: hot\n"
                            "    select: {older_than: 90d}\n"
                            "    min_residency: 30d\n");
    ROW(&rig, "A", "cold:a/f");
    ROW(&rig, "B", "cold:b/f");
    ROW(&rig, "C", "cold:c/f");
    ROW(&rig, "D", "cold:d/f");
    int64_t as_of_us = rig.policies->as_of_us;
    rig_unit(&rig, "hot:a/", "cold:a/", UNIT_DONE, as_of_us - 40 * RIG_DAY_US, 0);
    rig_unit(&rig, "hot:a/", "cold:a/", UNIT_DONE, as_of_us - 30 * RIG_DAY_US + 1, 0);
    rig_unit(&rig, "hot:b/", "cold:b/", UNIT_DONE, as_of_us - 30 * RIG_DAY_US, 0);
    rig_unit(&rig, "hot:c/", "cold:c/", UNIT_ABANDONED, as_of_us - RIG_DAY_US, 0);
    rig_unit(&rig, "hot:d/", "cold:d/", UNIT_DONE, as_of_us - 23 * RIG_DAY_US, 7 * RIG_DAY_US);
    rig_plan(&rig);
    rig_blocked(&rig, "cold:a/", PLAN_MIN_RESIDENCY,
                "frostline brought it on 2025-05-02 00:00:00 UTC; min_residency 30d");
    rig_moves(&rig, "cold:b/", "hot");
    rig_moves(&rig, "cold:c/", "hot");
    rig_moves(&rig, "cold:d/", "hot");
    assert_int_equal(rig_funnel(&rig, "back")->blocked, 1);
}

/* Law 3: equal policies merge, and a move begins only inside all of their windows. */
static void windows_of_all_winners_are_planned(void **state)
{
    (void)state;
    rig_load(&rig, RIG_HEAD "policies:\n"
                            "  - {name: a, target: cold, select: {ids: [A, B]},\n"
                            "     window: {days: mon-fri, from: '22:00', to: '05:00'}}\n"
                            "  - {name: b, target: cold, select: {ids: [B]},\n"
                            "     window: {days: 'sat,sun'}}\n"
                            "  - {name: c, target: cold, select: {ids: [C, D]}}\n"
                            "  - {name: d, target: cold, select: {ids: [D]},\n"
                            "     window: {days: 'sun,sat'}}\n");
    ROW(&rig, "A", "hot:a/f");
    ROW(&rig, "B", "hot:b/f");
    ROW(&rig, "C", "hot:c/f");
    ROW(&rig, "D", "hot:d/f");
    rig_plan(&rig);
    assert_string_equal(rig_find(&rig, "hot:a/")->window, "mon-fri 22:00-05:00");
    assert_string_equal(rig_find(&rig, "hot:b/")->window,
                        "mon-fri 22:00-05:00; sat-sun 00:00-24:00");
    assert_null(rig_find(&rig, "hot:c/")->window);
    assert_string_equal(rig_find(&rig, "hot:d/")->window, "sat-sun 00:00-24:00");
}

/* One policy wins all of the rows, but not on the same terms: the strictest ones are planned. */
static void a_directory_has_the_terms_of_all_its_rows(void **state)
{
    (void)state;
    rig_load(&rig, RIG_HEAD "policies:\n"
                            "  - {name: a, target: hot, select: {ids: [A, B, C, D]}}\n"
                            "  - {name: b, target: hot, select: {ids: [B]},\n"
                            "     window: {days: 'sat,sun'}}\n"
                            "  - {name: c, target: hot, select: {ids: [D]},\n"
                            "     min_residency: 30d}\n");
    ROW(&rig, "A", "cold:a/f");
    ROW(&rig, "B", "cold:a/g");
    ROW(&rig, "C", "cold:c/f");
    ROW(&rig, "D", "cold:c/g");
    rig_unit(&rig, "hot:c/", "cold:c/", UNIT_DONE, rig.policies->as_of_us - RIG_DAY_US, 0);
    rig_plan(&rig);
    assert_string_equal(rig_find(&rig, "cold:a/")->window, "sat-sun 00:00-24:00");
    rig_blocked(&rig, "cold:c/", PLAN_MIN_RESIDENCY, "min_residency 30d");
}

static void sources_whose_grace_is_over_are_reaped(void **state)
{
    (void)state;
    int64_t now = rig.policies->as_of_us;
    ROW(&rig, "A", "cold:a/f");
    ROW(&rig, "AGAIN", "hot:b/f");
    ROW(&rig, "Z", "hot:z/f");
    int64_t due = rig_unit(&rig, "hot:a/", "cold:a/", UNIT_CUTOVER, now, 0);
    rig_unit(&rig, "hot:b/", "cold:b/", UNIT_CUTOVER, now - 5, 0);
    rig_unit(&rig, "hot:c/", "cold:c/", UNIT_CUTOVER, now + 1, 0);
    rig_unit(&rig, "file:///srv/gone/d/", "cold:d/", UNIT_CUTOVER, now, 0);
    rig_unit(&rig, "warm:y/", "cold:y/", UNIT_CUTOVER, now, 0);
    rig_plan(&rig);
    const struct plan_action *reap = rig_find(&rig, "hot:a/");
    assert_int_equal(reap->kind, PLAN_REAP);
    assert_int_equal(reap->unit, due);
    assert_int_equal(reap->due_us, now);
    assert_int_equal(reap->objects, 3);
    assert_int_equal(reap->bytes, 300);
    assert_int_equal(reap->row_total, 2);
    assert_int_equal(reap->target, RIG_COLD);
    assert_string_equal(reap->policy, "age-out");
    assert_null(rig_find(&rig, "hot:c/"));
    assert_int_equal(rig_find(&rig, "warm:y/")->kind, PLAN_REAP);
    /* hot:b/ is to be reaped, and blocked for its new row: the gate will see that row. */
    assert_int_equal(rig.summary.actions[PLAN_REAP], 3);
    assert_int_equal(rig.summary.actions[PLAN_BLOCKED], 1);
    assert_int_equal(rig.summary.actions[PLAN_MOVE], 1);
    assert_int_equal(rig.actions[1]->kind, PLAN_REAP);
    assert_int_equal(rig.actions[2]->kind, PLAN_BLOCKED);
    assert_string_equal(rig.actions[1]->directory, rig.actions[2]->directory);
    assert_int_equal(rig.summary.reap_objects, 9);
    assert_int_equal(rig.summary.reap_bytes, 900);
}

static void two_sources_of_one_target_block_each_other(void **state)
{
    (void)state;
    rig_load(&rig, RIG_HEAD "policies:\n"
                            "  - name: age-out\n"
                            "    target: cold\n"
                            "    select: {older_than: 90d}\n"
                            "  - name: out-of-cold\n"
                            "    from: cold\n"
                            "    target: archive\n"
                            "    priority: 1\n"
                            "    select: {map: old}\n");
    ROW(&rig, "A", "hot:a/f");
    ROW(&rig, "B", "warm:a/g");
    ROW(&rig, "C", "hot:b/f");
    ROW(&rig, "D", "warm:c/f");
    ROW(&rig, "E", "hot:e/f");
    ROW(&rig, "F", "cold:e/g", .map = "old");
    ROW(&rig, "G", "hot:h/f");
    ROW(&rig, "H", "warm:h/g");
    ROW(&rig, "I", "warm:h/i", .days = 1);
    rig_plan(&rig);
    rig_blocked(&rig, "hot:a/", PLAN_TARGET_COLLISION, "warm:a/ would go there as well");
    rig_blocked(&rig, "warm:a/", PLAN_TARGET_COLLISION, "hot:a/ would go there as well");
    rig_moves(&rig, "hot:b/", "cold");
    rig_moves(&rig, "warm:c/", "cold");
    rig_blocked(&rig, "hot:e/", PLAN_TARGET_COLLISION,
                "rows that are to go elsewhere stand at cold:e/");
    rig_moves(&rig, "cold:e/", "archive");
    /* What is blocked anyway collides with nothing. */
    rig_moves(&rig, "hot:h/", "cold");
    rig_blocked(&rig, "warm:h/", PLAN_SHARED_DIRECTORY, "I is not selected");
}

static void the_survey_blocks_what_is_not_as_the_catalog_says(void **state)
{
    (void)state;
    static const struct rig_found found[] = {
        {.directory = "hot:a/", .missing = "g g"},
        {.directory = "hot:b/"},
        {.directory = "hot:c/", .objects = 5, .irregular = 2},
        {.directory = "hot:d/", .failure = "listing d/: timed out"},
        {.directory = "hot:e/", .objects = 1, .bytes = 77}};
    rig.survey.found = found;
    rig.survey.found_count = 5;
    ROW(&rig, "A", "hot:a/f");
    ROW(&rig, "B", "hot:a/g g");
    ROW(&rig, "C", "hot:b/f");
    ROW(&rig, "D", "hot:c/f");
    ROW(&rig, "E", "hot:d/f");
    ROW(&rig, "F", "hot:e/");
    ROW(&rig, "G", "hot:f/x%3Fy");
    rig_plan(&rig);
    const struct plan_action *blocked =
        rig_blocked(&rig, "hot:a/", PLAN_OBJECT_MISSING, "no object for B");
    NAMES(blocked, "B");
    assert_string_equal(blocked->rows[0].location, "file:///srv/hot/a/g g");
    rig_blocked(&rig, "hot:b/", PLAN_SOURCE_MISSING, "there is no object below it");
    rig_blocked(&rig, "hot:c/", PLAN_NOT_A_FILE, "2 of its entries");
    rig_blocked(&rig, "hot:d/", PLAN_UNLISTED, "listing d/: timed out");
    rig_moves(&rig, "hot:e/", "cold");
    assert_int_equal(rig_find(&rig, "hot:e/")->bytes, 77);
    rig_moves(&rig, "hot:f/", "cold");
    assert_int_equal(rig_funnel(&rig, "age-out")->blocked, 5);
    assert_int_equal(rig_funnel(&rig, "age-out")->planned, 2);
}

static void without_a_survey_sizes_are_the_catalogs(void **state)
{
    (void)state;
    rig.request.survey = NULL;
    ROW(&rig, "A", "hot:a/f", .bytes = 123);
    rig_plan(&rig);
    const struct plan_action *move = rig_find(&rig, "hot:a/");
    assert_int_equal(move->kind, PLAN_MOVE);
    assert_false(move->surveyed);
    assert_int_equal(move->bytes, 123);
    assert_int_equal(move->objects, 0);
}

static void a_cancelled_survey_leaves_no_plan(void **state)
{
    (void)state;
    rig.survey.cancels = true;
    ROW(&rig, "A", "hot:a/f");
    assert_false(rig_try_plan(&rig));
    assert_int_equal(rig.err.kind, ERR_CANCELLED);
}

static void a_directory_with_too_many_rows_is_blocked(void **state)
{
    (void)state;
    char *name = arena_make(&rig.arena, 9000);
    memset(name, 'n', 8999);
    for (int i = 0; i < 1000; i++) {
        ROW(&rig, str_format(&rig.arena, "A%d", i), str_format(&rig.arena, "hot:a/%s%d", name, i));
        ROW(&rig, str_format(&rig.arena, "B%d", i), str_format(&rig.arena, "hot:b/%d", i));
        ROW(&rig, str_format(&rig.arena, "C%d", i), str_format(&rig.arena, "cold:c/%s%d", name, i));
    }
    rig_plan(&rig);
    const struct plan_action *blocked = rig_blocked(
        &rig, "hot:a/", PLAN_TOO_MANY_ROWS, "1000 recordings are more than can move together");
    assert_int_equal(blocked->row_total, 1000);
    assert_int_equal(blocked->row_count, PLAN_ROWS_SHOWN);
    rig_moves(&rig, "hot:b/", "cold");
    assert_int_equal(rig_find(&rig, "hot:b/")->row_count, 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {TEST(what_nothing_speaks_against_moves),
                                       TEST(a_row_that_is_not_selected_blocks_its_directory),
                                       TEST(only_the_first_rows_in_the_way_are_named),
                                       TEST(a_row_that_is_excluded_or_undecided_is_told_so),
                                       TEST(a_held_row_blocks_its_directory),
                                       TEST(equal_policies_with_other_targets_conflict),
                                       TEST(a_row_in_place_takes_part_in_the_contest),
                                       TEST(a_winner_takes_the_whole_directory),
                                       TEST(rows_of_one_directory_stand_together),
                                       TEST(a_prefix_of_a_name_is_not_nesting),
                                       TEST(a_young_row_below_nests_and_one_above_does_not),
                                       TEST(a_second_spelling_blocks_the_directory_that_it_means),
                                       TEST(a_second_spelling_above_is_not_in_the_way),
                                       TEST(a_second_spelling_that_is_wanted_is_shown_by_itself),
                                       TEST(a_second_spelling_that_would_circle_is_not_wanted),
                                       TEST(what_is_in_no_store_is_counted_and_sampled),
                                       TEST(ids_that_the_catalog_lacks_are_told),
                                       TEST(what_is_under_way_blocks),
                                       TEST(what_frostline_brought_lately_stays),
                                       TEST(windows_of_all_winners_are_planned),
                                       TEST(a_directory_has_the_terms_of_all_its_rows),
                                       TEST(sources_whose_grace_is_over_are_reaped),
                                       TEST(two_sources_of_one_target_block_each_other),
                                       TEST(the_survey_blocks_what_is_not_as_the_catalog_says),
                                       TEST(without_a_survey_sizes_are_the_catalogs),
                                       TEST(a_cancelled_survey_leaves_no_plan),
                                       TEST(a_directory_with_too_many_rows_is_blocked)};
    return cmocka_run_group_tests_name("block", tests, NULL, NULL);
}
