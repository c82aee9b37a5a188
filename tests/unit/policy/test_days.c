/* Law 5: `date` and `dates` select half-open stretches of instants, from 00:00 of the first day to
 * 00:00 of the day after the last, as date(1) has them in the policy's zone; however long a day is
 * there.                                                                                         */
#include "base/rand.h"
#include "tests/support/date_zone.h"
#include "tests/unit/policy/rows.h"

#define DAY_S 86400
#define DAYS ((DATE_ZONE_END_S - DATE_ZONE_FIRST_S) / DAY_S)
#define ARENA_BYTES ((size_t)16 << 20)
#define PAIRS (POLICY_MAX / 2)
#define LONGEST_DAYS 400

/* A `date`, and `dates` from it to another one; days are counted from 1970-01-01. */
struct pair {
    int64_t first, last;
};

static int64_t midnight_us(const struct date_zone *zone, int64_t day)
{
    return date_zone_instant(zone, day * WHEN_DAY_US);
}

static void add_day(struct buf *text, int64_t day)
{
    struct when_date date = when_date_of(day);
    buf_format(text, "%04d-%02d-%02d", date.year, date.month, date.day);
}

static void load_pairs(struct fixture *fixture, const char *zone, const struct pair *pairs,
                       size_t count)
{
    struct buf text;
    buf_init(&text, FIXTURE_OUT_BYTES);
    buf_format(&text, "timezone: %s\npolicies:\n", zone);
    for (size_t i = 0; i < count; i++) {
        buf_format(&text, "  - {name: date-%zu, target: cold, select: {date: ", i);
        add_day(&text, pairs[i].first);
        buf_format(&text, "}}\n  - {name: dates-%zu, target: cold, select: {dates: {from: ", i);
        add_day(&text, pairs[i].first);
        buf_text(&text, ", to: ");
        add_day(&text, pairs[i].last);
        buf_text(&text, "}}}\n");
    }
    fixture_ready(fixture, buf_string(&text));
    buf_free(&text);
}

/* On both sides of both ends. */
static void assert_selects(const struct fixture *fixture, size_t index, int64_t from_us,
                           int64_t to_us)
{
    const int64_t edges_us[] = {from_us - 1, from_us, to_us - 1, to_us};
    struct recording recording;
    struct decision decision;
    recording_init(&recording, "R", AS_OF);
    for (size_t i = 0; i < sizeof edges_us / sizeof edges_us[0]; i++) {
        bool is_within = edges_us[i] >= from_us && edges_us[i] < to_us;
        recording.record.time_us = edges_us[i];
        policy_decide(fixture->policies, &recording.record, HOT, &decision);
        if (decision.verdicts[index] != (is_within ? VERDICT_CANDIDATE : VERDICT_OUT))
            fail_msg("%s at %lld in %s", fixture->policies->items[index].name,
                     (long long)edges_us[i], fixture->policies->zone_name);
    }
}

static void check_pairs(const struct date_zone *zone, const struct pair *pairs, size_t count)
{
    struct fixture fixture = {0};
    load_pairs(&fixture, zone->name, pairs, count);
    for (size_t i = 0; i < count; i++) {
        int64_t from_us = midnight_us(zone, pairs[i].first);
        assert_selects(&fixture, 2 * i, from_us, midnight_us(zone, pairs[i].first + 1));
        assert_selects(&fixture, 2 * i + 1, from_us, midnight_us(zone, pairs[i].last + 1));
    }
    fixture_free(&fixture);
}

static void check_midnights(const struct date_zone *zone)
{
    static int64_t midnights_s[DAYS - 1];
    for (int64_t day = 1; day < DAYS; day++)
        midnights_s[day - 1] = day * DAY_S;
    date_zone_check(zone, midnights_s, DAYS - 1);
}

/* Every day that is not of 24 h, and some that are. */
static void check_zone(const char *name)
{
    struct arena arena;
    struct rand rand;
    struct date_zone zone;
    struct pair pairs[PAIRS];
    size_t count = 0, odd = 0;
    arena_init(&arena, ARENA_BYTES);
    rand_init(&rand, 1);
    date_zone_learn(&zone, name, &arena);
    check_midnights(&zone);
    for (int64_t day = 1; day < DAYS - LONGEST_DAYS; day++) {
        bool is_odd = midnight_us(&zone, day + 1) - midnight_us(&zone, day) != WHEN_DAY_US;
        odd += is_odd;
        if (is_odd || rand_below(&rand, 200) == 0)
            pairs[count++] = (struct pair){day, day + (int64_t)rand_below(&rand, LONGEST_DAYS)};
        if (count == PAIRS) {
            check_pairs(&zone, pairs, count);
            count = 0;
        }
    }
    if (count > 0)
        check_pairs(&zone, pairs, count);
    assert_true(odd > 0);
    arena_free(&arena);
}

static void law_5_days_of_23_and_25_hours(void **state)
{
    (void)state;
    check_zone("Europe/Berlin");
    check_zone("America/New_York");
    check_zone("Australia/Lord_Howe");
    check_zone("Asia/Kathmandu");
}

/* From 1987 to 2011 St. John's turned back its clocks at 00:01; Morocco put them forward at 00:00.
 */
static void law_5_midnights_shown_twice_or_never(void **state)
{
    (void)state;
    check_zone("America/St_Johns");
    check_zone("Africa/Casablanca");
}

/* Samoa had no 30 December 2011: that date selects nothing. */
static void law_5_a_day_that_never_was(void **state)
{
    (void)state;
    check_zone("Pacific/Apia");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(law_5_days_of_23_and_25_hours),
        cmocka_unit_test(law_5_midnights_shown_twice_or_never),
        cmocka_unit_test(law_5_a_day_that_never_was),
    };
    return cmocka_run_group_tests_name("days", tests, NULL, NULL);
}
