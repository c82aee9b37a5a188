/* test_journal_place.c: what the journal tells of a place: who came and who left, what a run may
 * send back or repair there, whose copies stand there, and that it never reads all of itself. */
#include "state/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "state/journal_private.h"
#include "tests/support/journal_rig.h"

#define GRACE_US INT64_C(1000)
#define AT(day) (JOURNAL_RIG_NOW_US + (day)*INT64_C(86400000000))
#define NEVER INT64_C(0)

struct past {
    const char *source, *target;
    enum unit_kind kind;
    enum unit_state state;
    int64_t at_us; /* when rows came to where they are; NEVER: they did not */
    enum access_tier tier;
};

static int64_t add(struct journal_rig *rig, struct past past)
{
    struct journal_new new = journal_rig_new(rig, past.source, past.target);
    new.entry.unit.kind = past.kind;
    new.entry.unit.tier = past.tier;
    MUST(journal_begin(rig->journal, &new, 1, &rig->err));
    assert_int_equal(new.conflict, 0);
    struct unit unit = new.entry.unit;
    unit.state = past.state;
    unit.grace_us = GRACE_US;
    unit.cleanup_at_us = past.at_us == NEVER ? 0 : past.at_us + GRACE_US;
    MUST(journal_save(rig->journal, &unit, 1, true, &rig->err));
    return unit.id;
}
#define ADD(source_, target_, state_, ...)                                                         \
    add(rig,                                                                                       \
        (struct past){.source = (source_), .target = (target_), .state = (state_), __VA_ARGS__})

static int set_up(void **state)
{
    int failed = journal_rig_setup(state);
    if (failed == 0)
        journal_rig_open_run(*state);
    return failed;
}

/* -- who came ----------------------------------------------------------------------------------
 */

static int64_t arrival(struct journal_rig *rig, const char *url)
{
    int64_t at_us = -1;
    MUST(journal_arrival(rig->journal, url, &at_us, &rig->err));
    return at_us;
}

static void rows_arrive_by_a_cut_over_at_the_target(void **state)
{
    struct journal_rig *rig = *state;
    assert_int_equal(arrival(rig, COLD "a/"), NEVER);
    ADD(HOT "a/", COLD "a/", UNIT_DONE, .at_us = AT(1));
    ADD(HOT "b/", COLD "b/", UNIT_CUTOVER, .at_us = AT(2));
    ADD(HOT "c/", COLD "c/", UNIT_PARKED, .at_us = AT(3));
    ADD(HOT "d/", COLD "d/", UNIT_COMMITTING);
    ADD(HOT "e/", COLD "e/", UNIT_ABANDONED);
    assert_int_equal(arrival(rig, COLD "a/"), AT(1));
    assert_int_equal(arrival(rig, COLD "b/"), AT(2));
    assert_int_equal(arrival(rig, COLD "c/"), AT(3));
    assert_int_equal(arrival(rig, COLD "d/"), NEVER);
    assert_int_equal(arrival(rig, COLD "e/"), NEVER);
    assert_int_equal(arrival(rig, HOT "a/"), NEVER);
    assert_int_equal(arrival(rig, COLD "a"), NEVER);
    assert_int_equal(arrival(rig, COLD "a/f"), NEVER);
}

static void rows_arrive_at_the_source_by_a_rollback(void **state)
{
    struct journal_rig *rig = *state;
    ADD(HOT "a/", COLD "a/", UNIT_ROLLED_BACK, .at_us = AT(1));
    assert_int_equal(arrival(rig, HOT "a/"), AT(1));
    assert_int_equal(arrival(rig, COLD "a/"), NEVER);
}

/* Whoever came last, not whoever began last. */
static void the_latest_arrival_counts(void **state)
{
    struct journal_rig *rig = *state;
    ADD(HOT "a/", COLD "a/", UNIT_DONE, .at_us = AT(1));
    ADD(COLD "a/", HOT "a/", UNIT_DONE, .at_us = AT(2));
    ADD(HOT "a/", COLD "a/", UNIT_ROLLED_BACK, .at_us = AT(3));
    assert_int_equal(arrival(rig, HOT "a/"), AT(3));
    assert_int_equal(arrival(rig, COLD "a/"), AT(1));
    ADD(HOT "a/", COLD "a/", UNIT_DONE, .at_us = AT(0));
    assert_int_equal(arrival(rig, COLD "a/"), AT(1));
}

static void a_tier_that_was_set_is_an_arrival_and_no_move(void **state)
{
    struct journal_rig *rig = *state;
    ADD(COLD "a/", COLD "a/", UNIT_DONE, .at_us = AT(1), .kind = UNIT_RETIER);
    assert_int_equal(arrival(rig, COLD "a/"), AT(1));
}

/* -- from where to where ------------------------------------------------------------------------
 */

static int64_t passage(struct journal_rig *rig, const char *source, const char *target)
{
    int64_t at_us = -1;
    MUST(journal_passage(rig->journal, source, target, &at_us, &rig->err));
    return at_us;
}

static void a_passage_is_told_of_both_its_ends(void **state)
{
    struct journal_rig *rig = *state;
    ADD(HOT "a/", COLD "a/", UNIT_DONE, .at_us = AT(1));
    ADD(COLD "a/", HOT "a/", UNIT_DONE, .at_us = AT(4));
    assert_int_equal(passage(rig, HOT "a/", COLD "a/"), AT(1));
    assert_int_equal(passage(rig, COLD "a/", HOT "a/"), AT(4));
    assert_int_equal(passage(rig, HOT "a/", COLD "b/"), NEVER);
    ADD(HOT "a/", COLD "a/", UNIT_ROLLED_BACK, .at_us = AT(5));
    assert_int_equal(passage(rig, HOT "a/", COLD "a/"), AT(5));
    ADD(HOT "a/", COLD "a/", UNIT_ABANDONED);
    assert_int_equal(passage(rig, HOT "a/", COLD "a/"), AT(5));
    ADD(HOT "b/", HOT "b/", UNIT_DONE, .at_us = AT(6), .kind = UNIT_RETIER);
    assert_int_equal(passage(rig, HOT "b/", HOT "b/"), AT(6));
}

/* -- who left ----------------------------------------------------------------------------------
 */

static const char *next_source(struct journal_rig *rig, const char *url)
{
    const char *source;
    MUST(journal_next_source(rig->journal, url, &rig->arena, &source, &rig->err));
    return source == NULL ? "none" : source;
}

static void sources_come_one_after_the_other(void **state)
{
    struct journal_rig *rig = *state;
    assert_string_equal(next_source(rig, ""), "none");
    ADD(HOT "c/", COLD "c/", UNIT_ROLLED_BACK, .at_us = AT(1));
    ADD(HOT "b/", COLD "b/", UNIT_CUTOVER, .at_us = AT(2));
    ADD(HOT "a/", COLD "a/", UNIT_DONE, .at_us = AT(3));
    ADD(HOT "a/", COLD "a/", UNIT_DONE, .at_us = AT(4), .kind = UNIT_REPAIR);
    ADD(HOT "a0/", COLD "a0/", UNIT_ABANDONED);
    ADD(HOT "a1/", COLD "a1/", UNIT_COPYING);
    ADD(HOT "a2/", HOT "a2/", UNIT_DONE, .at_us = AT(5), .kind = UNIT_RETIER);
    assert_string_equal(next_source(rig, ""), HOT "a/");
    assert_string_equal(next_source(rig, HOT "a/"), HOT "a/");
    assert_string_equal(next_source(rig, HOT "a/\x01"), HOT "b/");
    assert_string_equal(next_source(rig, HOT "bb"), HOT "c/");
    assert_string_equal(next_source(rig, HOT "c/\x01"), "none");
}

/* -- who was last ------------------------------------------------------------------------------
 */

static int64_t last_move(struct journal_rig *rig, const char *url)
{
    struct journal_unit *found;
    MUST(journal_last_move(rig->journal, url, &rig->arena, &found, &rig->err));
    return found == NULL ? 0 : found->unit.id;
}

static void the_last_move_is_the_last_that_was_begun(void **state)
{
    struct journal_rig *rig = *state;
    assert_int_equal(last_move(rig, HOT "a/"), 0);
    int64_t away = ADD(HOT "a/", COLD "a/", UNIT_DONE, .at_us = AT(9));
    assert_int_equal(last_move(rig, HOT "a/"), away);
    assert_int_equal(last_move(rig, COLD "a/"), away);
    /* By a clock that was set back. */
    int64_t back = ADD(COLD "a/", HOT "a/", UNIT_DONE, .at_us = AT(2));
    assert_int_equal(last_move(rig, HOT "a/"), back);
    assert_int_equal(last_move(rig, COLD "a/"), back);
    int64_t undone = ADD(HOT "a/", COLD "a/", UNIT_ROLLED_BACK, .at_us = AT(3));
    assert_int_equal(last_move(rig, HOT "a/"), undone);
    int64_t open = ADD(HOT "a/", COLD "a/", UNIT_PARKED, .at_us = AT(4));
    assert_int_equal(last_move(rig, HOT "a/"), open);
    assert_int_equal(last_move(rig, HOT "a"), 0);
    assert_int_equal(last_move(rig, HOT), 0);
}

static void what_moved_no_row_is_no_move(void **state)
{
    struct journal_rig *rig = *state;
    int64_t away = ADD(HOT "a/", COLD "a/", UNIT_DONE, .at_us = AT(1));
    ADD(HOT "a/", COLD "a/", UNIT_ABANDONED);
    ADD(HOT "a/", COLD "a/", UNIT_ABANDONED, .kind = UNIT_REPAIR);
    ADD(COLD "a/", COLD "a/", UNIT_DONE, .at_us = AT(2), .kind = UNIT_RETIER);
    ADD(HOT "a/", COLD "a/", UNIT_COPYING);
    assert_int_equal(last_move(rig, HOT "a/"), away);
    assert_int_equal(last_move(rig, COLD "a/"), away);
}

static void a_repair_is_the_last_move_of_its_place(void **state)
{
    struct journal_rig *rig = *state;
    ADD(HOT "a/", COLD "a/", UNIT_DONE, .at_us = AT(1));
    int64_t repair = ADD(HOT "a/", COLD "a/", UNIT_DONE, .at_us = AT(2), .kind = UNIT_REPAIR);
    assert_int_equal(last_move(rig, HOT "a/"), repair);
}

/* -- at which tier -----------------------------------------------------------------------------
 */

static enum access_tier tier_of(struct journal_rig *rig, const char *url)
{
    enum access_tier tier;
    MUST(journal_tier(rig->journal, url, &tier, &rig->err));
    return tier;
}

static void see(struct journal_rig *rig, const char *url, enum access_tier tier, int64_t at_us)
{
    rig->clock.instant_us = at_us;
    MUST(journal_see_tier(rig->journal, url, tier, &rig->err));
}

static void the_tier_is_what_came_or_was_seen_last(void **state)
{
    struct journal_rig *rig = *state;
    assert_int_equal(tier_of(rig, COLD "a/"), TIER_DEFAULT);
    ADD(HOT "a/", COLD "a/", UNIT_DONE, .at_us = AT(1), .tier = TIER_COOL);
    assert_int_equal(tier_of(rig, COLD "a/"), TIER_COOL);
    ADD(COLD "a/", COLD "a/", UNIT_DONE, .at_us = AT(2), .kind = UNIT_RETIER, .tier = TIER_COLD);
    assert_int_equal(tier_of(rig, COLD "a/"), TIER_COLD);
    see(rig, COLD "a/", TIER_HOT, AT(3));
    assert_int_equal(tier_of(rig, COLD "a/"), TIER_HOT);
    assert_int_equal(tier_of(rig, HOT "a/"), TIER_DEFAULT);
    ADD(HOT "a/", COLD "a/", UNIT_CUTOVER, .at_us = AT(4), .tier = TIER_COLD);
    assert_int_equal(tier_of(rig, COLD "a/"), TIER_COLD);
}

static void what_was_given_up_or_sent_back_tells_no_tier(void **state)
{
    struct journal_rig *rig = *state;
    ADD(HOT "a/", COLD "a/", UNIT_ROLLED_BACK, .at_us = AT(1), .tier = TIER_COLD);
    ADD(HOT "a/", COLD "a/", UNIT_ABANDONED, .tier = TIER_COLD);
    ADD(HOT "a/", COLD "a/", UNIT_COPYING, .tier = TIER_COLD);
    assert_int_equal(tier_of(rig, COLD "a/"), TIER_DEFAULT);
}

/* -- whose copies ------------------------------------------------------------------------------
 */

static bool is_ours(struct journal_rig *rig, const char *target, const char *key, const char *etag)
{
    const struct object found = {.etag = etag};
    bool ours = false, condemned;
    MUST(journal_is_ours(rig->journal, target, key, &found, &ours, &condemned, &rig->err));
    return ours;
}

static void what_a_unit_copied_that_was_sent_back_is_ours(void **state)
{
    struct journal_rig *rig = *state;
    int64_t unit = journal_rig_begin_facts(rig, HOT "a/", COLD "a/");
    journal_rig_save_target(rig, unit, "a", "made", true);
    journal_rig_save_target(rig, unit, "b", "found", false);
    journal_rig_save(rig, unit, UNIT_CUTOVER, REASON_GRACE, true);
    assert_false(is_ours(rig, COLD "a/", "a", "made")); /* rows stand there */
    journal_rig_save(rig, unit, UNIT_RETURNING, REASON_NONE, true);
    assert_false(is_ours(rig, COLD "a/", "a", "made"));
    journal_rig_save(rig, unit, UNIT_ROLLED_BACK, REASON_NONE, true);
    assert_true(is_ours(rig, COLD "a/", "a", "made"));
    assert_false(is_ours(rig, COLD "a/", "a", "rewritten"));
    assert_false(is_ours(rig, COLD "a/", "b", "found"));
    assert_false(is_ours(rig, COLD "b/", "a", "made"));
    assert_false(is_ours(rig, HOT "a/", "a", "made"));
}

/* -- the cost of asking ------------------------------------------------------------------------
 */

static void expect_plan(struct journal_rig *rig, sqlite3 *db, enum journal_statement statement,
                        const char *index)
{
    const char *text = journal_statement_texts[statement];
    sqlite3_stmt *plan;
    bool row, is_used = false;
    char *explain = str_format(&rig->arena, "EXPLAIN QUERY PLAN %s", text);
    assert_int_equal(sqlite3_prepare_v2(db, explain, -1, &plan, NULL), SQLITE_OK);
    for (;;) {
        MUST(sql_step(plan, &row, &rig->err));
        if (!row)
            break;
        const char *detail = (const char *)sqlite3_column_text(plan, 3);
        bool scans_table = str_starts(detail, "SCAN unit") || str_starts(detail, "SCAN object");
        if (scans_table || strstr(detail, "USE TEMP B-TREE") != NULL)
            fail_msg("%s: %s", text, detail);
        is_used |= strstr(detail, index) != NULL;
    }
    sqlite3_finalize(plan);
    if (!is_used)
        fail_msg("%s does not use %s", text, index);
}

static void nothing_is_asked_of_all_units(void **state)
{
    struct journal_rig *rig = *state;
    static const struct {
        enum journal_statement statement;
        const char *index;
    } table[] = {
        {JOURNAL_ARRIVAL, "unit_done"},           {JOURNAL_ARRIVAL, "unit_moved_source"},
        {JOURNAL_PASSAGE, "unit_moved_"},         {JOURNAL_NEXT_SOURCE, "unit_moved_source"},
        {JOURNAL_LAST_MOVE, "unit_moved_source"}, {JOURNAL_LAST_MOVE, "unit_moved_target"},
        {JOURNAL_OURS, "unit_given_up"}};
    sqlite3 *db;
    MUST(sql_open(rig->path, SQLITE_OPEN_READONLY, &db, &rig->err));
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        expect_plan(rig, db, table[i].statement, table[i].index);
    sqlite3_close(db);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, journal_rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(rows_arrive_by_a_cut_over_at_the_target),
        TEST(rows_arrive_at_the_source_by_a_rollback),
        TEST(the_latest_arrival_counts),
        TEST(a_tier_that_was_set_is_an_arrival_and_no_move),
        TEST(a_passage_is_told_of_both_its_ends),
        TEST(sources_come_one_after_the_other),
        TEST(the_last_move_is_the_last_that_was_begun),
        TEST(what_moved_no_row_is_no_move),
        TEST(a_repair_is_the_last_move_of_its_place),
        TEST(the_tier_is_what_came_or_was_seen_last),
        TEST(what_was_given_up_or_sent_back_tells_no_tier),
        TEST(what_a_unit_copied_that_was_sent_back_is_ours),
        TEST(nothing_is_asked_of_all_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
