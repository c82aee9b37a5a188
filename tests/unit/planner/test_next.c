/* test_next.c: where nothing moves, a plan tells when the clock will have something moved, and a
 * plan of that instant moves it. */
#include "planner/next.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/rand.h"
#include "base/str.h"
#include "state/location.h"
#include "tests/support/planning_rig.h"

static struct planning_rig rig;

static int begin(void **state)
{
    (void)state;
    rig_make(&rig, RIG_AGE_OUT);
    rig.request.survey = NULL;
    return 0;
}

static int end(void **state)
{
    (void)state;
    rig_free(&rig);
    return 0;
}

static int64_t instant(const char *text)
{
    int64_t instant_us;
    struct err err;
    assert_true(when_instant_read(text, &instant_us, &err));
    return instant_us;
}

/* A row of ten bytes. */
static void put(const char *id, const char *at, int64_t time_us)
{
    struct value fields[2] = {{.kind = VALUE_NULL}, {.kind = VALUE_BOOLEAN, .boolean = true}};
    const char *location = rig_location(&rig, at);
    struct record record = {.id = id,
                            .location = location,
                            .directory_bytes = (size_t)(strrchr(location, '/') - location) + 1,
                            .has_time = true,
                            .time_us = time_us,
                            .has_bytes = true,
                            .bytes = 10,
                            .fields = fields,
                            .field_count = 2};
    catalog_memory_put(rig.rows, &record);
}

static void next_is(const char *from, uint64_t recordings)
{
    rig_plan(&rig);
    assert_int_equal(rig.summary.next_us, from == NULL ? 0 : instant(from));
    assert_int_equal(rig.summary.next_recordings, recordings);
    assert_int_equal(rig.summary.next_bytes, 10 * recordings);
}

/* Of 90 days before it. */
#define BEFORE_JUNE_3 "2025-03-05"

static void all_of_the_first_day_count(void **state)
{
    (void)state;
    put("A", "hot:a/f", instant("2025-03-06T00:00:00Z"));
    put("B", "hot:b/f", instant(BEFORE_JUNE_3 "T23:59:59.999998Z"));
    put("C", "hot:c/f", instant(BEFORE_JUNE_3 "T10:00:00Z"));
    put("D", "hot:d/f", instant(BEFORE_JUNE_3 "T23:59:59.999999Z"));
    put("E", "hot:e/f", instant(BEFORE_JUNE_3 "T12:00:00Z"));
    put("OLD", "cold:a/f", instant("2020-01-01T00:00:00Z"));
    next_is("2025-06-03T10:00:00.000001Z", 3);
}

static void where_something_moves_nothing_is_next(void **state)
{
    (void)state;
    put("A", "hot:a/f", instant(BEFORE_JUNE_3 "T10:00:00Z"));
    put("B", "hot:b/f", instant("2020-01-01T00:00:00Z"));
    put("C", "hot:c/f", instant(BEFORE_JUNE_3 "T10:00:00Z"));
    next_is(NULL, 0);
    assert_int_equal(rig.summary.actions[PLAN_MOVE], 1);
    rig_load(&rig, RIG_AGE_OUT "    guards: {max_recordings: 0}\n");
    next_is(NULL, 0);
}

static void a_directory_goes_with_its_last_row(void **state)
{
    (void)state;
    put("A1", "hot:a/f", instant(BEFORE_JUNE_3 "T10:00:00Z"));
    put("A2", "hot:a/g", instant("2025-03-09T10:00:00Z"));
    put("B", "hot:b/f", instant("2025-03-10T10:00:00Z"));
    next_is("2025-06-07T10:00:00.000001Z", 2);
    rig_load(&rig, RIG_AGE_OUT "    exclude: {ids: [A1]}\n");
    next_is("2025-06-08T10:00:00.000001Z", 1);
    put("C", "hot:b/in/f", instant("2025-06-01T00:00:00Z"));
    next_is("2025-08-30T00:00:00.000001Z", 1);
}

static void what_never_moves_has_no_next(void **state)
{
    (void)state;
    put("A", "hot:a/f", instant(BEFORE_JUNE_3 "T10:00:00Z"));
    static const char *const policies[] = {"    exclude: {valid: true}\n", "    enabled: false\n",
                                           "    expires: 2025-06-02\n"};
    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
        rig_load(&rig, str_format(&rig.arena, RIG_AGE_OUT "%s", policies[i]));
        next_is(NULL, 0);
    }
    rig_load(&rig, RIG_HEAD "holds:\n  - {name: h, select: {ids: [A]}}\n" RIG_POLICY);
    next_is(NULL, 0);
}

static void a_hold_that_ends_is_next(void **state)
{
    (void)state;
    put("A", "hot:a/f", instant("2020-01-01T00:00:00Z"));
    put("B", "hot:b/f", instant(BEFORE_JUNE_3 "T10:00:00Z"));
    rig_load(&rig,
             RIG_HEAD "holds:\n  - {name: h, until: 2025-06-01, select: {ids: [A]}}\n" RIG_POLICY);
    next_is("2025-06-02T00:00:00Z", 1);
    rig_blocked(&rig, "hot:a/", PLAN_HELD, "A is held by h");
}

/* What is in place for one policy is moved on by the next one. */
static void a_chain_goes_on(void **state)
{
    (void)state;
    put("A", "cold:a/f", instant("2024-06-10T00:00:00Z"));
    put("B", "hot:b/f", instant("2025-05-30T00:00:00Z"));
    rig_load(&rig, RIG_HEAD "policies:\n"
                            "  - {name: cool, target: cold, select: {older_than: 90d}}\n"
                            "  - {name: deep, target: archive, priority: 1,\n"
                            "     select: {older_than: 1y}}\n");
    next_is("2025-06-10T00:00:00.000001Z", 1);
}

/* What is not looked at to the end is not told. */
static void it_does_not_take_for_ever(void **state)
{
    (void)state;
    const struct location location = {.store = RIG_HOT, .unit = "a/"};
    const struct record record = {
        .id = "A", .has_time = true, .time_us = instant(BEFORE_JUNE_3 "T10:00:00Z")};
    const struct decision stay = {.kind = DECISION_STAY};
    for (int is_over = 0; is_over < 2; is_over++) {
        struct plan_summary summary = {0};
        struct next next;
        next_init(&next, rig.policies);
        next.decisions = NEXT_DECISIONS_MAX - 1 + (uint64_t)is_over;
        for (int i = 0; i < 2; i++) {
            next_begin(&next);
            next_add(&next, &record, &location, &stay);
            next_end(&next, 1, 10);
        }
        next_tell(&next, &summary);
        assert_int_equal(summary.next_recordings, is_over ? 0 : 2);
        next_free(&next);
    }
}

/* -- against plans of other instants ------------------------------------------------------------
 */

static void put_text(struct buf *text, struct rand *rand, const char *const *choices, size_t count)
{
    buf_text(text, choices[rand_below(rand, count)]);
}

/* One policy takes all that another one would bring back. */
static const char *any_policies(struct rand *rand, struct arena *arena)
{
    static const char *const holds[] = {
        "", "", "holds:\n  - {name: h, until: 2025-06-20, select: {ids: [R0, R3]}}\n",
        "holds:\n  - {name: h, select: {newer_than: 80d}}\n"};
    static const char *const ages[] = {"{older_than: 90d}", "{older_than: 3mo}",
                                       "{older_than: 2mo, newer_than: 95d}",
                                       "{older_than: 85d, not: {older_than: 4mo}}"};
    static const char *const excludes[] = {"", "", "    exclude: {newer_than: 92d}\n",
                                           "    exclude: {ids: [R1]}\n"};
    static const char *const ends[] = {"", "", "    expires: 2025-06-10\n"};
    struct buf text;
    buf_init(&text, (size_t)1 << 16);
    buf_text(&text, "timezone: Europe/Berlin\n" RIG_HEAD);
    put_text(&text, rand, holds, 4);
    buf_text(&text, "policies:\n");
    for (int i = 0; i < 2; i++) {
        buf_format(&text, "  - name: p%d\n    from: hot\n    target: %s\n    priority: %d\n", i,
                   i == 0 ? "cold" : "archive", i);
        buf_text(&text, "    select: ");
        put_text(&text, rand, ages, 4);
        buf_char(&text, '\n');
        put_text(&text, rand, excludes, 4);
        put_text(&text, rand, ends, 3);
    }
    const char *copy = arena_copy(arena, buf_string(&text));
    buf_free(&text);
    return copy;
}

enum { ROWS = 6 };
#define STEP_US (WHEN_DAY_US / 8)

static uint64_t count_moves(int64_t at_us)
{
    policy_prepare(rig.policies, at_us);
    rig_plan(&rig);
    return rig.summary.move_recordings;
}

static void nothing_moves_before(int64_t until_us)
{
    int64_t as_of_us = instant(RIG_AS_OF);
    for (int i = 0; i < 4; i++)
        assert_int_equal(count_moves(as_of_us + (until_us - as_of_us) / 4 * i), 0);
    assert_int_equal(count_moves(until_us - 1), 0);
}

/* Directories of one row, some of which a plan at some time of the day would move. */
static uint64_t count_moves_from(int64_t first_us)
{
    uint64_t count = 0;
    bool has_gone[ROWS] = {false};
    int64_t last_us = first_us - first_us % WHEN_DAY_US + WHEN_DAY_US - 1;
    for (int64_t at_us = first_us; at_us <= last_us;) {
        count_moves(at_us);
        for (size_t i = 0; i < rig.action_count; i++) {
            bool *gone = &has_gone[rig.actions[i]->directory[0] - '0'];
            if (rig.actions[i]->kind != PLAN_MOVE || *gone)
                continue;
            *gone = true;
            count++;
        }
        at_us = at_us == last_us || last_us - at_us > STEP_US ? at_us + STEP_US : last_us;
    }
    return count;
}

static void a_plan_of_that_day_moves_them(void **state)
{
    (void)state;
    enum { ROUNDS = 30 };
    struct rand rand;
    size_t found = 0;
    rand_init(&rand, 20250601);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t young_us = instant(RIG_AS_OF) - 55 * WHEN_DAY_US;
        rig_load(&rig, any_policies(&rand, &rig.arena));
        for (int i = 0; i < ROWS; i++)
            put(str_format(&rig.arena, "R%d", i), str_format(&rig.arena, "hot:%d/f", i),
                young_us - (int64_t)rand_below(&rand, 34 * 8) * STEP_US);
        rig_plan(&rig);
        const struct plan_summary told = rig.summary;
        if (told.actions[PLAN_MOVE] > 0)
            assert_int_equal(told.next_us, 0);
        else if (told.next_us == 0)
            nothing_moves_before(instant("2026-01-01T00:00:00Z"));
        else {
            nothing_moves_before(told.next_us);
            assert_int_equal(count_moves_from(told.next_us), told.next_recordings);
            found++;
        }
    }
    assert_true(found > ROUNDS / 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(all_of_the_first_day_count),         TEST(where_something_moves_nothing_is_next),
        TEST(a_directory_goes_with_its_last_row), TEST(what_never_moves_has_no_next),
        TEST(a_hold_that_ends_is_next),           TEST(a_chain_goes_on),
        TEST(it_does_not_take_for_ever),          TEST(a_plan_of_that_day_moves_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
