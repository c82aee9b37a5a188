/* test_returned.c: which rows that stand again where they were moved from are repaired, what a plan
 * says of them, and which units a plan sends back. */
#include "planner/returned.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/str.h"
#include "state/location.h"
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

/* -- what happened before ---------------------------------------------------------------------- */

struct past {
    const char *source, *target;
    const char *rows[4]; /* ids and tails by turns: "A", "f" */
    enum unit_kind kind;
    enum unit_state state, left_state;
    bool is_target_unknown, was_target_other;
    int64_t run;
};

static const char *directory_of(const char *at)
{
    return strchr(at, ':') + 1;
}

static void open_journal(void)
{
    const char *folder = str_format(&rig.arena, "%s/state", rig.folder);
    if (rig.journal == NULL &&
        !journal_open(folder, JOURNAL_WRITE, &rig.clock.clock, &rig.journal, &rig.err))
        fail_msg("%s", rig.err.text);
}

/* A unit that cut its rows over ten days ago; what stands at its target is what the survey sees. */
static int64_t past(struct past past)
{
    struct catalog_row rows[2];
    size_t count = 0;
    open_journal();
    for (; count < 2 && past.rows[2 * count] != NULL; count++) {
        const char *tail = past.rows[2 * count + 1];
        rows[count] = (struct catalog_row){
            .id = past.rows[2 * count],
            .old_location = rig_location(&rig, str_format(&rig.arena, "%s%s", past.source, tail)),
            .new_location = rig_location(&rig, str_format(&rig.arena, "%s%s", past.target, tail))};
    }
    struct journal_new new = {.entry = {.unit = {.run = past.run == 0 ? 1 : past.run,
                                                 .kind = past.kind,
                                                 .state = UNIT_COPYING,
                                                 .objects = 3,
                                                 .bytes = 300,
                                                 .rows = (uint32_t)count},
                                        .source = rig_location(&rig, past.source),
                                        .target = rig_location(&rig, past.target),
                                        .source_store = "hot",
                                        .target_store = "cold",
                                        .directory = directory_of(past.source),
                                        .policy = "age-out"},
                              .rows = rows,
                              .row_count = count};
    assert_true(journal_begin(rig.journal, &new, 1, &rig.err));
    assert_int_equal(new.conflict, 0);
    struct unit unit = new.entry.unit;
    unit.state = past.state;
    unit.left_state = past.left_state;
    unit.cleanup_at_us = rig.policies->as_of_us - 10 * RIG_DAY_US;
    const char *seen = past.was_target_other ? "other" : directory_of(past.source);
    if (!past.is_target_unknown)
        digest_of(DIGEST_SHA256, seen, strlen(seen), unit.target_manifest.sha256);
    assert_true(journal_save(rig.journal, &unit, 1, true, &rig.err));
    return unit.id;
}
#define PAST(source_, target_, state_, ...)                                                        \
    past((struct past){.source = (source_), .target = (target_), .state = (state_), __VA_ARGS__})
#define A_F .rows = {"A", "f"}

static const struct rig_found empty[] = {{.directory = "hot:a/"}, {.directory = "hot:b/"}};

static void survey_finds(const struct rig_found *found, size_t count)
{
    rig.survey.found = found;
    rig.survey.found_count = count;
}

/* Hot a/ was moved to cold, is empty now, and its row stands there again. */
static int64_t a_came_back(void)
{
    survey_finds(empty, 2);
    ROW(&rig, "A", "hot:a/f");
    return PAST("hot:a/", "cold:a/", UNIT_DONE, A_F);
}

static const struct plan_action *repairs(const char *directory)
{
    rig_plan(&rig);
    const struct plan_action *action = rig_find(&rig, directory);
    return action != NULL && action->kind == PLAN_REPAIR ? action : NULL;
}

static void expect_none(void)
{
    rig_plan(&rig);
    assert_int_equal(rig.summary.actions[PLAN_REPAIR], 0);
}

/* -- what is a repair -------------------------------------------------------------------------- */

static void what_came_back_is_repaired_and_counted(void **state)
{
    (void)state;
    survey_finds(empty, 2);
    ROW(&rig, "A", "hot:a/f", .bytes = 5);
    ROW(&rig, "B", "hot:a/g", .bytes = 7);
    ROW(&rig, "STAYS", "hot:c/f", .days = 1);
    int64_t unit = PAST("hot:a/", "cold:a/", UNIT_DONE, .rows = {"A", "f", "B", "g"});
    const struct plan_action *repair = repairs("hot:a/");
    assert_non_null(repair);
    assert_int_equal(rig.action_count, 1);
    assert_int_equal(repair->unit, unit);
    assert_int_equal(repair->target, RIG_COLD);
    assert_int_equal(repair->objects, 3);
    assert_int_equal(repair->row_total, 2);
    assert_string_equal(repair->policy, "age-out");
    assert_int_equal(rig.summary.repair_recordings, 2);
    assert_int_equal(rig.summary.move_recordings, 0);
    assert_int_equal(rig_funnel(&rig, "age-out")->in_place, 2);
    assert_int_equal(rig_funnel(&rig, "age-out")->planned, 0);
    const struct plan_store_total *totals = rig.summary.totals;
    assert_int_equal(totals[RIG_HOT].recordings_now, 3);
    assert_int_equal(totals[RIG_HOT].recordings_after, 1);
    assert_int_equal(totals[RIG_COLD].recordings_after, 2);
    assert_int_equal(totals[RIG_HOT].bytes_now - totals[RIG_HOT].bytes_after, 12);
    assert_int_equal(totals[RIG_COLD].bytes_after, 12);
}

/* Whatever policies and holds say of the rows: where they are there is nothing. */
static void no_policy_is_asked(void **state)
{
    (void)state;
    rig_load(&rig, RIG_AGE_OUT "holds:\n"
                               "  - {name: keep, select: {ids: [A]}}\n");
    survey_finds(empty, 2);
    ROW(&rig, "A", "hot:a/f");
    ROW(&rig, "YOUNG", "hot:b/f", .days = 1);
    PAST("hot:a/", "cold:a/", UNIT_DONE, A_F);
    PAST("hot:b/", "cold:b/", UNIT_DONE, .rows = {"YOUNG", "f"});
    assert_non_null(repairs("hot:a/"));
    assert_non_null(rig_find(&rig, "hot:b/"));
    assert_int_equal(rig.action_count, 2);
}

/* Of what is open the source may hold whatever its deletion left. */
static void what_is_open_is_repaired_as_far_as_it_was_cut_over(void **state)
{
    (void)state;
    static const struct {
        enum unit_state state, left_state;
        bool may;
    } table[] = {{UNIT_CUTOVER, UNIT_PLANNED, true},     {UNIT_DELETING, UNIT_PLANNED, true},
                 {UNIT_SWEEPING, UNIT_PLANNED, true},    {UNIT_REPAIRING, UNIT_CUTOVER, true},
                 {UNIT_PARKED, UNIT_CUTOVER, true},      {UNIT_PARKED, UNIT_DELETING, true},
                 {UNIT_PARKED, UNIT_SWEEPING, true},     {UNIT_DONE, UNIT_PLANNED, true},
                 {UNIT_RETURNING, UNIT_CUTOVER, false},  {UNIT_PARKED, UNIT_RETURNING, false},
                 {UNIT_ROLLED_BACK, UNIT_PLANNED, false}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].state == UNIT_DONE)
            survey_finds(empty, 1);
        ROW(&rig, "A", "hot:a/f");
        PAST("hot:a/", "cold:a/", table[i].state, A_F, .left_state = table[i].left_state);
        rig_plan(&rig);
        if (rig.summary.actions[PLAN_REPAIR] != table[i].may)
            fail_msg("%s, %s", unit_state_name(table[i].state),
                     unit_state_name(table[i].left_state));
        end(state);
        begin(state);
    }
}

static void both_stores_and_the_order_of_the_plan(void **state)
{
    (void)state;
    static const struct rig_found found[] = {{.directory = "hot:z/"},
                                             {.directory = "hot:b/c/"},
                                             {.directory = "hot:b/"},
                                             {.directory = "warm:a/"}};
    survey_finds(found, 4);
    ROW(&rig, "M", "hot:m/f");
    ROW(&rig, "Z", "hot:z/f");
    ROW(&rig, "C", "hot:b/c/f");
    ROW(&rig, "W", "warm:a/f", .days = 1);
    PAST("warm:a/", "archive:a/", UNIT_DONE, .rows = {"W", "f"});
    PAST("hot:z/", "cold:z/", UNIT_DONE, .rows = {"Z", "f"});
    PAST("hot:b/c/", "archive:b/c/", UNIT_DONE, .rows = {"C", "f"});
    rig_plan(&rig);
    static const char *const wanted[] = {"hot:b/c/", "hot:m/", "hot:z/", "warm:a/"};
    assert_int_equal(rig.action_count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_ptr_equal(rig_find(&rig, wanted[i]), rig.actions[i]);
    assert_int_equal(rig.actions[0]->target, RIG_ARCHIVE);
    assert_int_equal(rig.actions[1]->kind, PLAN_MOVE);
    assert_int_equal(rig.actions[2]->target, RIG_COLD);
}

/* The rig's survey refuses to be asked of places that meet. */
static void targets_that_meet_are_looked_at_one_after_the_other(void **state)
{
    (void)state;
    static const struct rig_found found[] = {{.directory = "hot:a/"},
                                             {.directory = "warm:a/"},
                                             {.directory = "archive:a/b/"},
                                             {.directory = "hot:c/"}};
    survey_finds(found, 4);
    ROW(&rig, "A", "hot:a/f");
    ROW(&rig, "C", "hot:c/f");
    ROW(&rig, "W", "warm:a/f");
    ROW(&rig, "X", "archive:a/b/f");
    PAST("hot:a/", "cold:a/", UNIT_DONE, A_F, .was_target_other = true);
    PAST("warm:a/", "cold:a/", UNIT_DONE, .rows = {"W", "f"});
    PAST("archive:a/b/", "cold:a/b/", UNIT_DONE, .rows = {"X", "f"});
    PAST("hot:c/", "cold:c/", UNIT_DONE, .rows = {"C", "f"});
    rig_plan(&rig);
    assert_int_equal(rig.summary.actions[PLAN_REPAIR], 3);
    assert_int_equal(rig_find(&rig, "warm:a/")->kind, PLAN_REPAIR);
    assert_int_equal(rig_find(&rig, "archive:a/b/")->kind, PLAN_REPAIR);
    assert_int_equal(rig_find(&rig, "hot:c/")->kind, PLAN_REPAIR);
}

static void objects_are_repaired_as_directories_are(void **state)
{
    (void)state;
    static const struct rig_found found[] = {{.directory = "hot:a/f"}};
    rig_load(&rig, RIG_OBJECTS RIG_POLICY);
    survey_finds(found, 1);
    ROW(&rig, "A", "hot:a/f");
    ROW(&rig, "G", "hot:a/g", .days = 1);
    PAST("hot:a/f", "cold:a/f", UNIT_DONE, .rows = {"A", ""});
    assert_non_null(repairs("hot:a/f"));
    assert_int_equal(rig.action_count, 1);
}

static void the_same_journal_gives_the_same_bytes(void **state)
{
    (void)state;
    size_t one_bytes, other_bytes;
    ROW(&rig, "B", "hot:b/f");
    ROW(&rig, "M", "hot:m/f");
    a_came_back();
    PAST("hot:b/", "cold:b/", UNIT_DONE, .rows = {"B", "f"});
    rig_plan(&rig);
    assert_int_equal(rig.summary.actions[PLAN_REPAIR], 2);
    const char *one = rig_bytes(&rig, &one_bytes);
    rig_plan(&rig);
    const char *other = rig_bytes(&rig, &other_bytes);
    assert_int_equal(one_bytes, other_bytes);
    assert_memory_equal(one, other, one_bytes);
}

/* -- what is none ------------------------------------------------------------------------------ */

static void rows_that_are_not_all_and_alone_there_are_none(void **state)
{
    (void)state;
    a_came_back();
    ROW(&rig, "B", "hot:a/g"); /* a stranger */
    expect_none();
    rig_find(&rig, "hot:a/");
    catalog_memory_remove(rig.rows, "B");
    ROW(&rig, "B", "hot:a/deep/g"); /* below it */
    expect_none();
    catalog_memory_remove(rig.rows, "B");
    ROW(&rig, "A", "hot:a/renamed");
    expect_none();
    catalog_memory_remove(rig.rows, "A");
    ROW(&rig, "A2", "hot:a/f"); /* another id */
    expect_none();
    catalog_memory_remove(rig.rows, "A2");
    ROW(&rig, "A", "hot:a/f");
    assert_non_null(repairs("hot:a/"));

    PAST("hot:b/", "cold:b/", UNIT_DONE, .rows = {"B", "f", "C", "g"});
    ROW(&rig, "B", "hot:b/f"); /* C is gone */
    assert_null(repairs("hot:b/"));
    ROW(&rig, "C", "cold:b/g"); /* or stayed where it was */
    assert_null(repairs("hot:b/"));
    ROW(&rig, "C", "hot:b/g");
    assert_non_null(repairs("hot:b/"));
}

/* It is blocked as it would be, and says so. */
static void what_is_none_is_planned_as_ever(void **state)
{
    (void)state;
    a_came_back();
    rig.request.survey = &rig.survey.survey;
    ROW(&rig, "B", "hot:a/g");
    rig_plan(&rig);
    rig_blocked(&rig, "hot:a/", PLAN_SOURCE_MISSING, "");
}

static void a_row_in_a_second_spelling_is_left_out_of_it(void **state)
{
    (void)state;
    a_came_back();
    ROW(&rig, "ODD", "file:///srv/hot/a/./g");
    const struct plan_action *repair = repairs("hot:a/");
    if (repair != NULL)
        assert_int_equal(repair->row_total, 1);
    for (size_t i = 0; i < rig.action_count; i++)
        assert_int_not_equal(rig.actions[i]->kind, PLAN_MOVE);
}

static void what_moved_again_is_none(void **state)
{
    (void)state;
    a_came_back();
    PAST("cold:a/", "hot:a/", UNIT_DONE, A_F); /* somebody wanted it back */
    expect_none();
    int64_t third = PAST("hot:a/", "warm:a/", UNIT_DONE, A_F);
    const struct plan_action *repair = repairs("hot:a/");
    assert_non_null(repair);
    assert_int_equal(repair->unit, third);
    assert_int_equal(repair->target, RIG_WARM);
    PAST("hot:a/", "warm:a/", UNIT_ROLLED_BACK, A_F);
    expect_none();
}

static void what_stands_at_the_source_is_not_passed_over(void **state)
{
    (void)state;
    static const struct rig_found found[] = {{.directory = "hot:a/", .objects = 1, .bytes = 9}};
    static const struct rig_found link[] = {{.directory = "hot:a/", .irregular = 1}};
    static const struct rig_found failed[] = {{.directory = "hot:a/", .failure = "slow down"}};
    a_came_back();
    survey_finds(found, 1);
    expect_none();
    survey_finds(link, 1);
    expect_none();
    survey_finds(failed, 1);
    expect_none();
    survey_finds(empty, 1);
    assert_non_null(repairs("hot:a/"));
}

static void a_target_that_is_not_what_was_seen_is_none(void **state)
{
    (void)state;
    static const struct rig_found failed[] = {{.directory = "hot:a/"},
                                              {.directory = "cold:a/", .failure = "slow down"}};
    a_came_back();
    survey_finds(failed, 2);
    expect_none();
    end(state);
    begin(state);
    survey_finds(empty, 2);
    ROW(&rig, "A", "hot:a/f");
    ROW(&rig, "B", "hot:b/f");
    PAST("hot:a/", "cold:a/", UNIT_DONE, A_F, .was_target_other = true);
    PAST("hot:b/", "cold:b/", UNIT_DONE, .rows = {"B", "f"}, .is_target_unknown = true);
    expect_none();
}

/* Only a survey tells that a source is empty, and only a journal that it was moved from. */
static void who_can_not_look_repairs_nothing(void **state)
{
    (void)state;
    a_came_back();
    rig.request.survey = NULL;
    expect_none();
    rig_moves(&rig, "hot:a/", "cold");
    rig.request.survey = &rig.survey.survey;
    journal_close(rig.journal);
    rig.journal = NULL;
    expect_none();
    rig_blocked(&rig, "hot:a/", PLAN_SOURCE_MISSING, "");
}

static void what_no_store_holds_any_more_is_none(void **state)
{
    (void)state;
    survey_finds(empty, 2);
    ROW(&rig, "A", "hot:a/f");
    PAST("hot:a/", "file:///srv/gone/a/", UNIT_DONE, A_F);
    expect_none();
}

static void a_survey_that_is_told_to_stop_stops_the_plan(void **state)
{
    (void)state;
    a_came_back();
    rig.survey.cancels = true;
    assert_false(rig_try_plan(&rig));
    assert_int_equal(rig.err.kind, ERR_CANCELLED);
}

/* -- plans that send back ---------------------------------------------------------------------- */

static uint64_t roll_back(int64_t run)
{
    uint64_t others;
    struct plan_reader *reader;
    remove(rig.path);
    rig.request.journal = rig.journal;
    if (!planner_rollback(&rig.request, run, &rig.arena, &rig.summary, &others, rig.digest,
                          &rig.err) ||
        !plan_file_open(rig.path, &reader, &rig.err))
        fail_msg("%s", rig.err.text);
    rig.action_count = (size_t)rig.summary.actions[PLAN_ROLLBACK];
    rig.actions = arena_make(&rig.arena, (rig.action_count + 1) * sizeof(*rig.actions));
    for (size_t i = 0; i <= rig.action_count; i++)
        assert_true(plan_file_next(reader, &rig.arena, &rig.actions[i], &rig.err));
    assert_null(rig.actions[rig.action_count]);
    assert_int_equal(plan_file_summary(reader)->rollback_recordings,
                     rig.summary.rollback_recordings);
    plan_file_close(reader);
    return others;
}

static void a_rollback_lists_what_waits_at_its_source(void **state)
{
    (void)state;
    int64_t grace = PAST("hot:a/", "cold:a/", UNIT_CUTOVER, .rows = {"A", "f", "B", "g"});
    PAST("hot:b/", "cold:b/", UNIT_PARKED, .rows = {"C", "f"}, .left_state = UNIT_CUTOVER);
    PAST("hot:c/", "cold:c/", UNIT_RETURNING, .rows = {"D", "f"});
    PAST("hot:d/", "cold:d/", UNIT_REPAIRING, .rows = {"E", "f"}, .left_state = UNIT_CUTOVER);
    PAST("hot:z/", "cold:z/", UNIT_CUTOVER, .rows = {"Z", "f"}, .run = 2);
    assert_int_equal(roll_back(1), 0);
    assert_int_equal(rig.action_count, 4);
    assert_int_equal(rig.summary.rollback_recordings, 5);
    const struct plan_action *first = rig.actions[0];
    assert_int_equal(first->kind, PLAN_ROLLBACK);
    assert_int_equal(first->unit, grace);
    assert_string_equal(first->directory, "a/");
    assert_int_equal(first->store, RIG_HOT);
    assert_int_equal(first->target, RIG_COLD);
    assert_int_equal(first->row_total, 2);
    assert_int_equal(first->due_us, rig.policies->as_of_us - 10 * RIG_DAY_US);
    for (size_t i = 1; i < 4; i++)
        assert_true(strcmp(rig.actions[i - 1]->directory, rig.actions[i]->directory) < 0);
}

static void what_can_not_go_back_is_counted(void **state)
{
    (void)state;
    PAST("hot:a/", "cold:a/", UNIT_DONE, A_F);
    PAST("hot:b/", "cold:b/", UNIT_DELETING, A_F);
    PAST("hot:c/", "cold:c/", UNIT_PARKED, A_F, .left_state = UNIT_DELETING);
    PAST("hot:d/", "cold:d/", UNIT_REPAIRING, A_F, .left_state = UNIT_SWEEPING);
    PAST("file:///srv/gone:e/", "cold:e/", UNIT_CUTOVER, A_F);
    assert_int_equal(roll_back(1), 5);
    assert_int_equal(rig.action_count, 0);
}

/* A repair has no source, a retier no way, and what was sent back or given up is where it was. */
static void what_has_no_way_back_is_not_counted(void **state)
{
    (void)state;
    PAST("hot:a/", "cold:a/", UNIT_ROLLED_BACK, A_F);
    PAST("hot:b/", "cold:b/", UNIT_PARKED, A_F, .kind = UNIT_REPAIR, .left_state = UNIT_REPAIRING);
    PAST("hot:c/", "hot:c/", UNIT_DONE, A_F, .kind = UNIT_RETIER);
    assert_int_equal(roll_back(1), 0);
    assert_int_equal(rig.action_count, 0);
    assert_int_equal(roll_back(9), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(what_came_back_is_repaired_and_counted),
        TEST(no_policy_is_asked),
        TEST(what_is_open_is_repaired_as_far_as_it_was_cut_over),
        TEST(both_stores_and_the_order_of_the_plan),
        TEST(targets_that_meet_are_looked_at_one_after_the_other),
        TEST(objects_are_repaired_as_directories_are),
        TEST(the_same_journal_gives_the_same_bytes),
        TEST(rows_that_are_not_all_and_alone_there_are_none),
        TEST(what_is_none_is_planned_as_ever),
        TEST(a_row_in_a_second_spelling_is_left_out_of_it),
        TEST(what_moved_again_is_none),
        TEST(what_stands_at_the_source_is_not_passed_over),
        TEST(a_target_that_is_not_what_was_seen_is_none),
        TEST(who_can_not_look_repairs_nothing),
        TEST(what_no_store_holds_any_more_is_none),
        TEST(a_survey_that_is_told_to_stop_stops_the_plan),
        TEST(a_rollback_lists_what_waits_at_its_source),
        TEST(what_can_not_go_back_is_counted),
        TEST(what_has_no_way_back_is_not_counted),
    };
    return cmocka_run_group_tests_name("returned", tests, NULL, NULL);
}
