/* Civil dates against the C library and against a calendar that is counted on fingers: every day of
 * ten thousand years, instants at random and their texts, months back and ahead from every day of
 * two centuries. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/rand.h"
#include "base/when.h"
#include "base/zone.h"

static struct err err;

/* ---- a calendar to count on ---- */

static int days_in(int year, int month)
{
    bool is_leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
    switch (month) {
    case 2:
        return is_leap ? 29 : 28;
    case 4:
    case 6:
    case 9:
    case 11:
        return 30;
    default:
        return 31;
    }
}

static struct when_date day_after(struct when_date date)
{
    if (date.day < days_in(date.year, date.month))
        return (struct when_date){date.year, date.month, date.day + 1};
    if (date.month < 12)
        return (struct when_date){date.year, date.month + 1, 1};
    return (struct when_date){date.year + 1, 1, 1};
}

static struct when_date month_before(struct when_date date)
{
    if (date.month > 1)
        return (struct when_date){date.year, date.month - 1, date.day};
    return (struct when_date){date.year - 1, 12, date.day};
}

static struct when_date month_after(struct when_date date)
{
    if (date.month < 12)
        return (struct when_date){date.year, date.month + 1, date.day};
    return (struct when_date){date.year + 1, 1, date.day};
}

/* The day that the month lacks is its last. */
static struct when_date clamped(struct when_date date)
{
    int last = days_in(date.year, date.month);
    return (struct when_date){date.year, date.month, date.day < last ? date.day : last};
}

static bool is_same(struct when_date a, struct when_date b)
{
    return a.year == b.year && a.month == b.month && a.day == b.day;
}

/* ---- days ---- */

static void every_day_is_the_one_after(void **state)
{
    (void)state;
    struct when_date date = {1, 1, 1};
    int64_t day = when_days(date);
    for (; date.year <= 9999; date = day_after(date), day++) {
        struct when_date found = when_date_of(day);
        time_t at_s = day * 86400;
        struct tm tm;
        gmtime_r(&at_s, &tm);
        struct when_date theirs = {tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday};
        if (!is_same(found, date) || !is_same(theirs, date) || when_days(date) != day)
            fail_msg("day %lld is %d-%d-%d", (long long)day, date.year, date.month, date.day);
    }
    assert_int_equal(day - when_days((struct when_date){1, 1, 1}), 3652059);
    assert_int_equal(when_days((struct when_date){1970, 1, 1}), 0);
}

/* Which days there are, 29 February among them; a text is read if its day exists. */
static void days_exist_that_the_c_library_leaves_alone(void **state)
{
    (void)state;
    for (int year = 1; year <= 9999; year += year < 1900 || year >= 2100 ? 11 : 1) {
        for (int slot = 0; slot < 14 * 33; slot++) {
            struct when_date date = {year, slot / 33, slot % 33}, read;
            struct tm tm = {.tm_year = year - 1900, .tm_mon = date.month - 1, .tm_mday = date.day};
            char text[WHEN_TEXT_MAX];
            timegm(&tm);
            bool exists =
                tm.tm_year == year - 1900 && tm.tm_mon == date.month - 1 && tm.tm_mday == date.day;
            snprintf(text, sizeof text, "%04d-%02d-%02d", year, date.month, date.day);
            if (when_date_is_valid(date) != exists || when_date_read(text, &read, &err) != exists)
                fail_msg("%s exists: %d", text, exists);
            assert_true(!exists || is_same(read, date));
        }
    }
}

static void a_year_ends_where_the_next_begins(void **state)
{
    (void)state;
    for (int year = 1; year < 9999; year++) {
        char text[WHEN_TEXT_MAX], expected[WHEN_TEXT_MAX];
        int64_t end_us = when_instant((struct when_civil){.date = {year + 1, 1, 1}});
        when_instant_text(end_us, text);
        snprintf(expected, sizeof expected, "%04d-01-01T00:00:00.000000Z", year + 1);
        assert_string_equal(text, expected);
        when_instant_text(end_us - 1, text);
        snprintf(expected, sizeof expected, "%04d-12-31T23:59:59.999999Z", year);
        assert_string_equal(text, expected);
    }
}

/* ---- instants ---- */

static int64_t random_us(struct rand *rand)
{
    int64_t first_us = when_instant((struct when_civil){.date = {1, 1, 2}});
    int64_t end_us = when_instant((struct when_civil){.date = {9999, 12, 31}});
    return first_us + (int64_t)rand_below(rand, (uint64_t)(end_us - first_us));
}

/* The second, rounded down, as the C library takes it apart. */
static struct tm tm_of(int64_t at_us, int *rest_us)
{
    struct tm tm;
    *rest_us = (int)((at_us % WHEN_SECOND_US + WHEN_SECOND_US) % WHEN_SECOND_US);
    time_t at_s = (at_us - *rest_us) / WHEN_SECOND_US;
    gmtime_r(&at_s, &tm);
    return tm;
}

static void instants_are_what_the_c_library_shows(void **state)
{
    (void)state;
    struct rand rand;
    rand_init(&rand, 1);
    for (int n = 0; n < 100000; n++) {
        int64_t at_us = random_us(&rand);
        struct when_civil civil = when_civil_of(at_us);
        int rest_us;
        struct tm tm = tm_of(at_us, &rest_us);
        assert_true(civil.date.year == tm.tm_year + 1900 && civil.date.month == tm.tm_mon + 1 &&
                    civil.date.day == tm.tm_mday);
        assert_true(civil.hour == tm.tm_hour && civil.minute == tm.tm_min &&
                    civil.second == tm.tm_sec && civil.microsecond == rest_us);
        assert_true(when_instant(civil) == at_us);
    }
}

/* In all forms, and read again from those that are read. */
static void texts_lead_back(void **state)
{
    (void)state;
    struct rand rand;
    rand_init(&rand, 2);
    for (int n = 0; n < 20000; n++) {
        char text[WHEN_TEXT_MAX], expected[80];
        struct when_civil civil;
        int rest_us;
        int64_t at_us = random_us(&rand), read_us;
        struct tm tm = tm_of(at_us, &rest_us);
        int date = snprintf(expected, sizeof expected, "%04d", tm.tm_year + 1900);
        strftime(expected + date, sizeof expected - (size_t)date, "-%m-%d %T", &tm);
        when_instant_people(at_us, text);
        assert_string_equal(text, expected);

        size_t seconds = strlen(expected);
        snprintf(expected + seconds, sizeof expected - seconds, ".%06dZ", rest_us);
        assert_true(when_instant_read(expected, &read_us, &err) && read_us == at_us);
        expected[strlen("2025-02-14")] = 'T';
        when_instant_text(at_us, text);
        assert_string_equal(text, expected);
        assert_true(when_instant_read(text, &read_us, &err) && read_us == at_us);
        text[strlen(text) - 1] = '\0';
        assert_true(when_civil_read(text, &civil, &err) && when_instant(civil) == at_us);
    }
}

/* Fractions of one to six digits; offsets to the east and to the west. */
static void fractions_and_offsets_are_added_up(void **state)
{
    (void)state;
    struct rand rand;
    rand_init(&rand, 3);
    for (int n = 0; n < 20000; n++) {
        char text[WHEN_TEXT_MAX], whole[80];
        int64_t unit_us = 1, read_us;
        int digits = 1 + (int)rand_below(&rand, 6);
        int hours = (int)rand_below(&rand, 24), minutes = (int)rand_below(&rand, 60);
        bool is_west = rand_below(&rand, 2) == 0;
        int64_t east_us = (is_west ? -1 : 1) * (hours * 60 + minutes) * 60 * WHEN_SECOND_US;
        for (int missing = digits; missing < 6; missing++)
            unit_us *= 10;
        /* By the clock at that offset, in whole units of the last digit. */
        int64_t shown_us = random_us(&rand) / unit_us * unit_us;
        when_instant_text(shown_us, text);
        snprintf(whole, sizeof whole, "%.*s%c%02d:%02d",
                 (int)strlen("2025-02-14T09:30:00.") + digits, text, is_west ? '-' : '+', hours,
                 minutes);
        if (!when_instant_read(whole, &read_us, &err) || read_us != shown_us - east_us)
            fail_msg("%s: %lld", whole, (long long)read_us);
    }
}

static void dates_of_http_are_what_the_c_library_writes(void **state)
{
    (void)state;
    struct rand rand;
    rand_init(&rand, 4);
    for (int n = 0; n < 20000; n++) {
        char text[WHEN_TEXT_MAX], expected[80];
        int rest_us;
        int64_t read_us;
        int64_t at_us = (int64_t)rand_below(&rand, 130 * 365 * (uint64_t)WHEN_DAY_US);
        struct tm tm = tm_of(at_us, &rest_us);
        strftime(expected, sizeof expected, "%a, %d %b %Y %T GMT", &tm);
        when_http_text(at_us, text);
        assert_string_equal(text, expected);
        assert_true(when_http_read(text, &read_us, &err) && read_us == at_us - rest_us);
    }
}

/* ---- months and years ---- */

static const struct zone *utc(struct arena *arena)
{
    const struct zone *zone = NULL;
    arena_init(arena, 4096);
    assert_true(zone_open("UTC", arena, &zone, &err));
    return zone;
}

static struct when_date date_before(const struct zone *zone, struct when_date date, int months)
{
    const struct when_duration duration = {.months = months};
    struct when_civil civil = {date, 23, 59, 59, 999999};
    civil = when_civil_of(zone_before(zone, when_instant(civil), duration));
    assert_true(civil.hour == 23 && civil.minute == 59 && civil.second == 59 &&
                civil.microsecond == 999999);
    return civil.date;
}

/* From every day of two centuries, 31 January and 29 February among them, as far as two years back
 * and ahead.                                                                                     */
static void months_are_counted_and_clamped(void **state)
{
    (void)state;
    struct arena arena;
    const struct zone *zone = utc(&arena);
    for (struct when_date date = {1900, 1, 1}; date.year <= 2100; date = day_after(date)) {
        struct when_date back = date, ahead = date;
        for (int months = 0; months <= 25; months++) {
            if (!is_same(date_before(zone, date, months), clamped(back)) ||
                !is_same(date_before(zone, date, -months), clamped(ahead)))
                fail_msg("%d-%d-%d and %d months", date.year, date.month, date.day, months);
            back = month_before(back);
            ahead = month_after(ahead);
        }
    }
    arena_free(&arena);
}

/* A year is twelve months, the same day or 28 February. */
static void years_keep_the_day(void **state)
{
    (void)state;
    struct arena arena;
    const struct zone *zone = utc(&arena);
    for (int years = 1; years <= 1000; years++) {
        char text[WHEN_TEXT_MAX];
        struct when_duration duration;
        snprintf(text, sizeof text, "%dy", years);
        assert_true(when_duration_read(text, &duration, &err));
        assert_true(duration.us == 0 && duration.months == 12 * years);
        for (struct when_date date = {2096, 1, 31}; date.year == 2096; date = day_after(date)) {
            struct when_date then = {date.year - years, date.month, date.day};
            assert_true(is_same(date_before(zone, date, duration.months), clamped(then)));
        }
    }
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_is_the_one_after),
        cmocka_unit_test(days_exist_that_the_c_library_leaves_alone),
        cmocka_unit_test(a_year_ends_where_the_next_begins),
        cmocka_unit_test(instants_are_what_the_c_library_shows),
        cmocka_unit_test(texts_lead_back),
        cmocka_unit_test(fractions_and_offsets_are_added_up),
        cmocka_unit_test(dates_of_http_are_what_the_c_library_writes),
        cmocka_unit_test(months_are_counted_and_clamped),
        cmocka_unit_test(years_keep_the_day),
    };
    return cmocka_run_group_tests_name("civil_properties", tests, NULL, NULL);
}
