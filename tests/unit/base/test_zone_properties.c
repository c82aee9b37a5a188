/* Time zones against date(1), from 1970 to 2100: every change of the clocks and the instants around
 * it, every midnight, instants at random; and law 5: a time shown twice is the later instant, one
 * never shown the first after the gap, a day is 24 h, a month keeps what the clock shows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/zone.h"
#include "tests/support/date_zone.h"

#define ARENA_BYTES ((size_t)64 << 20)
#define HOUR_S 3600
#define DAY_S 86400
#define YEAR_S (366 * DAY_S)
#define RANDOM_COUNT 5000

/* Half an hour of summer; offsets in quarters of an hour; changes one minute past midnight; summers
 * that rest in Ramadan until the table of the database ends, in 2087. */
static const char *const names[] = {"Europe/Berlin",  "America/New_York", "Australia/Lord_Howe",
                                    "Asia/Kathmandu", "America/St_Johns", "Africa/Casablanca"};
#define ZONES (sizeof names / sizeof names[0])

static struct arena arena;
static struct {
    const struct zone *ours;
    struct date_zone theirs;
} zones[ZONES];

static int learn(void **state)
{
    (void)state;
    struct err err;
    arena_init(&arena, ARENA_BYTES);
    for (size_t i = 0; i < ZONES; i++) {
        if (!zone_open(names[i], &arena, &zones[i].ours, &err))
            return -1;
        date_zone_learn(&zones[i].theirs, names[i], &arena);
    }
    return 0;
}

static int forget(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

/* Not within margin_s of the ends of what was learnt. */
static int64_t random_s(struct rand *rand, int64_t margin_s)
{
    int64_t width_s = DATE_ZONE_END_S - DATE_ZONE_FIRST_S - 2 * margin_s;
    return DATE_ZONE_FIRST_S + margin_s + (int64_t)rand_below(rand, (uint64_t)width_s);
}

static void assert_offset(size_t zone, int64_t at_us, int32_t offset_s)
{
    char text[WHEN_TEXT_MAX];
    if (zone_offset(zones[zone].ours, at_us) == offset_s)
        return;
    when_instant_text(at_us, text);
    fail_msg("%s at %s: %d, not %d", names[zone], text, zone_offset(zones[zone].ours, at_us),
             offset_s);
}

static void every_change_is_at_its_microsecond(void **state)
{
    (void)state;
    for (size_t i = 0; i < ZONES; i++) {
        const struct date_span *spans = zones[i].theirs.spans;
        assert_true(zones[i].theirs.count > 1);
        for (size_t k = 1; k < zones[i].theirs.count; k++) {
            int64_t change_us = spans[k].start_s * WHEN_SECOND_US;
            assert_offset(i, change_us - WHEN_SECOND_US, spans[k - 1].offset_s);
            assert_offset(i, change_us - 1, spans[k - 1].offset_s);
            assert_offset(i, change_us, spans[k].offset_s);
            assert_offset(i, change_us + 1, spans[k].offset_s);
        }
    }
}

/* We know no change that date(1) does not know: every hour has the offset of its span. */
static void every_hour_has_its_offset(void **state)
{
    (void)state;
    for (size_t i = 0; i < ZONES; i++) {
        const struct date_span *span = zones[i].theirs.spans;
        for (int64_t at_s = DATE_ZONE_FIRST_S; at_s < DATE_ZONE_END_S; at_s += HOUR_S) {
            span += at_s >= span->end_s;
            assert_offset(i, at_s * WHEN_SECOND_US, span->offset_s);
        }
    }
}

/* The instants just before, at and after each change, and some at random. */
static size_t choose_instants(size_t zone, struct rand *rand, int64_t **at_s)
{
    const struct date_zone *theirs = &zones[zone].theirs;
    size_t count = 0;
    *at_s = arena_make(&arena, (3 * theirs->count + RANDOM_COUNT) * sizeof **at_s);
    for (size_t k = 1; k < theirs->count; k++) {
        for (int64_t apart_s = -1; apart_s <= 1; apart_s++)
            (*at_s)[count++] = theirs->spans[k].start_s + apart_s;
    }
    for (int n = 0; n < RANDOM_COUNT; n++)
        (*at_s)[count++] = random_s(rand, DAY_S);
    return count;
}

static void clocks_show_what_date_shows(void **state)
{
    (void)state;
    struct rand rand;
    rand_init(&rand, 1);
    for (size_t i = 0; i < ZONES; i++) {
        int64_t *at_s;
        size_t count = choose_instants(i, &rand, &at_s);
        const char *shown = date_zone_show(&zones[i].theirs, at_s, count, &arena);
        for (size_t n = 0; n < count; n++) {
            char text[WHEN_TEXT_MAX];
            int64_t rest_us = (int64_t)rand_below(&rand, WHEN_SECOND_US);
            struct when_civil civil = zone_civil(zones[i].ours, at_s[n] * WHEN_SECOND_US + rest_us);
            assert_int_equal(civil.microsecond, rest_us);
            when_instant_people(when_instant(civil), text);
            if (!str_starts(shown, text))
                fail_msg("%s at %lld: %s", names[i], (long long)at_s[n], text);
            shown += strlen(text) + 1;
        }
        assert_string_equal(shown, "");
    }
}

/* ---- from what is shown to the instant ---- */

static void assert_instant(size_t zone, int64_t found_us, int64_t shown_us)
{
    int64_t law_us = date_zone_instant(&zones[zone].theirs, shown_us);
    char text[WHEN_TEXT_MAX];
    if (found_us == law_us)
        return;
    when_instant_people(shown_us, text);
    fail_msg("%s shows %s at %lld, not %lld", names[zone], text, (long long)law_us,
             (long long)found_us);
}

/* With the second's first and last microsecond: in a gap there is no fraction to keep. */
static void assert_law(size_t zone, const int64_t *shown_s, size_t count)
{
    date_zone_check(&zones[zone].theirs, shown_s, count);
    for (size_t i = 0; i < count; i++) {
        int64_t first_us = shown_s[i] * WHEN_SECOND_US;
        int64_t last_us = first_us + WHEN_SECOND_US - 1;
        assert_instant(zone, zone_instant(zones[zone].ours, when_civil_of(first_us)), first_us);
        assert_instant(zone, zone_instant(zones[zone].ours, when_civil_of(last_us)), last_us);
    }
}

/* What is shown around both ends of every gap and of every stretch that is shown twice. */
static void law_5_at_every_change(void **state)
{
    (void)state;
    size_t gaps = 0, twice = 0;
    for (size_t i = 0; i < ZONES; i++) {
        const struct date_zone *theirs = &zones[i].theirs;
        int64_t *shown_s = arena_make(&arena, 7 * theirs->count * sizeof *shown_s);
        size_t count = 0;
        for (size_t k = 1; k < theirs->count; k++) {
            int64_t last_s = theirs->spans[k].start_s + theirs->spans[k - 1].offset_s;
            int64_t first_s = theirs->spans[k].start_s + theirs->spans[k].offset_s;
            for (int64_t apart_s = -1; apart_s <= 1; apart_s++) {
                shown_s[count++] = last_s + apart_s;
                shown_s[count++] = first_s + apart_s;
            }
            shown_s[count++] = (first_s + last_s) / 2;
            gaps += first_s > last_s;
            twice += first_s < last_s;
        }
        assert_law(i, shown_s, count);
    }
    assert_true(gaps > 500 && twice > 500);
}

static void law_5_at_random(void **state)
{
    (void)state;
    struct rand rand;
    int64_t shown_s[RANDOM_COUNT];
    rand_init(&rand, 2);
    for (size_t i = 0; i < ZONES; i++) {
        for (size_t n = 0; n < RANDOM_COUNT; n++)
            shown_s[n] = random_s(&rand, DAY_S);
        assert_law(i, shown_s, RANDOM_COUNT);
    }
}

/* So a day is the half-open stretch from one 00:00 of date(1) to the next. */
static void law_5_at_every_midnight(void **state)
{
    (void)state;
    const size_t count = (DATE_ZONE_END_S - DATE_ZONE_FIRST_S) / DAY_S - 1;
    int64_t *shown_s = arena_make(&arena, count * sizeof *shown_s);
    for (size_t day = 0; day < count; day++)
        shown_s[day] = DATE_ZONE_FIRST_S + (int64_t)(day + 1) * DAY_S;
    for (size_t i = 0; i < ZONES; i++)
        assert_law(i, shown_s, count);
}

/* ---- durations ---- */

static void law_5_a_day_is_24_hours_across_every_change(void **state)
{
    (void)state;
    const struct when_duration week = {.us = 7 * WHEN_DAY_US};
    for (size_t i = 0; i < ZONES; i++) {
        const struct date_zone *theirs = &zones[i].theirs;
        for (size_t k = 1; k < theirs->count; k++) {
            int64_t at_us = theirs->spans[k].start_s * WHEN_SECOND_US + 1;
            assert_true(zone_before(zones[i].ours, at_us, week) == at_us - 7 * WHEN_DAY_US);
        }
    }
}

/* What the clock showed so many months ago (or will show), counted one by one. */
static int64_t months_before(int64_t shown_us, int months)
{
    struct when_civil civil = when_civil_of(shown_us);
    for (; months > 0; months--) {
        civil.date.year -= civil.date.month == 1;
        civil.date.month = civil.date.month == 1 ? 12 : civil.date.month - 1;
    }
    for (; months < 0; months++) {
        civil.date.year += civil.date.month == 12;
        civil.date.month = civil.date.month == 12 ? 1 : civil.date.month + 1;
    }
    while (!when_date_is_valid(civil.date))
        civil.date.day--;
    return when_instant(civil);
}

static void assert_months(size_t zone, int64_t at_us, int months)
{
    const struct date_zone *theirs = &zones[zone].theirs;
    int64_t offset_s = date_zone_offset(theirs, at_us / WHEN_SECOND_US);
    int64_t shown_us = months_before(at_us + offset_s * WHEN_SECOND_US, months);
    const struct when_duration duration = {.months = months};
    assert_instant(zone, zone_before(zones[zone].ours, at_us, duration), shown_us);
}

/* From anywhere; and to where the clocks are changed, into gaps and what is shown twice. */
static void law_5_months_keep_what_the_clock_shows(void **state)
{
    (void)state;
    struct rand rand;
    rand_init(&rand, 3);
    for (size_t i = 0; i < ZONES; i++) {
        const struct date_zone *theirs = &zones[i].theirs;
        for (int n = 0; n < RANDOM_COUNT; n++) {
            int months = (int)rand_below(&rand, 25) - 12;
            int64_t anywhere_s = random_s(&rand, 2 * YEAR_S);
            const struct date_span *span = &theirs->spans[1 + rand_below(&rand, theirs->count - 1)];
            int64_t apart_s = (int64_t)rand_below(&rand, 2 * HOUR_S) - HOUR_S;
            assert_months(i, anywhere_s * WHEN_SECOND_US + 1, months);
            if (span->start_s < 2 * YEAR_S || span->start_s > DATE_ZONE_END_S - 2 * YEAR_S)
                continue;
            int64_t shown_us = (span->start_s + span->offset_s + apart_s) * WHEN_SECOND_US + 1;
            assert_months(i, date_zone_instant(theirs, months_before(shown_us, -months)), months);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_is_at_its_microsecond),
        cmocka_unit_test(every_hour_has_its_offset),
        cmocka_unit_test(clocks_show_what_date_shows),
        cmocka_unit_test(law_5_at_every_change),
        cmocka_unit_test(law_5_at_random),
        cmocka_unit_test(law_5_at_every_midnight),
        cmocka_unit_test(law_5_a_day_is_24_hours_across_every_change),
        cmocka_unit_test(law_5_months_keep_what_the_clock_shows),
    };
    return cmocka_run_group_tests_name("zone_properties", tests, learn, forget);
}
