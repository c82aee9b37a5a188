/* Dates, instants and durations by example, at the ends of what they can hold, and bad input. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "base/rand.h"
#include "base/when.h"

static struct err err;

static int64_t instant(const char *text)
{
    int64_t instant_us;
    if (!when_instant_read(text, &instant_us, &err))
        fail_msg("%s", err.text);
    return instant_us;
}

static void the_whole_range_is_taken_apart(void **state)
{
    (void)state;
    const int64_t ends[] = {INT64_MIN, INT64_MAX, -1, 0, 1};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct when_civil civil = when_civil_of(ends[i]);
        assert_in_range(civil.microsecond, 0, 999999);
        assert_in_range(civil.second, 0, 59);
        assert_in_range(civil.hour, 0, 23);
        assert_in_range(civil.date.month, 1, 12);
        char text[WHEN_TEXT_MAX];
        when_instant_text(ends[i], text);
        assert_int_equal(text[strlen(text) - 1], 'Z');
        when_http_text(ends[i], text);
        assert_string_equal(text + strlen(text) - 3, "GMT");
    }
    char text[WHEN_TEXT_MAX];
    when_instant_text(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999999Z");
}

static void days_before_the_first_year_lead_back(void **state)
{
    (void)state;
    for (int64_t day = -2000000; day < -700000; day++) {
        struct when_date date = when_date_of(day);
        if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > 31 ||
            when_days(date) != day)
            fail_msg("day %lld", (long long)day);
    }
}

static void days_that_do_not_exist(void **state)
{
    (void)state;
    static const struct when_date good[] = {
        {1, 1, 1}, {9999, 12, 31}, {2024, 2, 29}, {2000, 2, 29}, {2025, 2, 28}, {2025, 4, 30},
    };
    static const struct when_date bad[] = {
        {0, 1, 1},     {10000, 1, 1}, {-1, 1, 1},    {2025, 0, 1},  {2025, 13, 1},
        {2025, 1, 0},  {2025, 1, 32}, {2025, 2, 29}, {1900, 2, 29}, {2100, 2, 29},
        {2025, 4, 31}, {2024, 2, 30}, {2025, -1, 1}, {2025, 1, -1},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(when_date_is_valid(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(when_date_is_valid(bad[i]));
}

static void dates_are_read(void **state)
{
    (void)state;
    struct when_date date;
    assert_true(when_date_read("2025-02-14", &date, &err));
    assert_true(date.year == 2025 && date.month == 2 && date.day == 14);
    static const char *const bad[] = {
        "",           "2025",        "2025-02",     "2025-2-14",
        "2025-02-1",  "25-02-14",    "2025/02/14",  "14.02.2025",
        "2025-02-30", "2025-02-14 ", " 2025-02-14", "2025-02-14T00:00:00Z",
        "20250214",   "0000-01-01",  "-2025-01-01", "2025-02-1x",
        "+025-02-14", "12025-02-14",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (when_date_read(bad[i], &date, &err))
            fail_msg("\"%s\" was taken for a date", bad[i]);
        assert_int_equal(err.kind, ERR_INPUT);
    }
}

static void instants_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"2025-06-01T00:00:00Z", "2025-06-01T00:00:00.000000Z"},
        {"2025-06-01t00:00:00z", "2025-06-01T00:00:00.000000Z"},
        {"2025-06-01 00:00:00Z", "2025-06-01T00:00:00.000000Z"},
        {"2025-06-01", "2025-06-01T00:00:00.000000Z"},
        {"2025-06-01T00:00:00+02:00", "2025-05-31T22:00:00.000000Z"},
        {"2025-06-01T00:00:00-05:30", "2025-06-01T05:30:00.000000Z"},
        {"2025-06-01T00:00:00-00:00", "2025-06-01T00:00:00.000000Z"},
        {"2025-06-01T23:59:59.9Z", "2025-06-01T23:59:59.900000Z"},
        {"2025-06-01T23:59:59.000001Z", "2025-06-01T23:59:59.000001Z"},
        {"2025-06-01T23:59:59.123456+00:00", "2025-06-01T23:59:59.123456Z"},
        {"1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"},
        {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"},
        {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[WHEN_TEXT_MAX];
        when_instant_text(instant(cases[i].text), text);
        assert_string_equal(text, cases[i].expected);
    }
    char text[WHEN_TEXT_MAX];
    when_instant_people(instant("2025-06-01T01:02:03.9Z"), text);
    assert_string_equal(text, "2025-06-01 01:02:03");
}

static void what_is_no_instant_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "now",
        "2025-06-01T00:00:00",
        "2025-06-01T00:00Z",
        "2025-06-01T",
        "2025-06-01 ",
        "2025-06-01T24:00:00Z",
        "2025-06-01T23:60:00Z",
        "2025-06-01T23:59:60Z",
        "2025-06-01T00:00:00.Z",
        "2025-06-01T00:00:00.1234567Z",
        "2025-06-01T00:00:00,5Z",
        "2025-06-01T00:00:00+02",
        "2025-06-01T00:00:00+0200",
        "2025-06-01T00:00:00+24:00",
        "2025-06-01T00:00:00+02:60",
        "2025-06-01T00:00:00Z ",
        "2025-06-01T00:00:00ZZ",
        "2025-06-31T00:00:00Z",
        "2025-06-01T0:00:00Z",
        "2025-06-01T00:00:00 Z",
        "2025-06-01_00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "2025-06-01T-1:00:00Z",
        "2025-06-01T00:00:00.+5Z",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t instant_us;
        if (when_instant_read(bad[i], &instant_us, &err))
            fail_msg("\"%s\" was taken for an instant", bad[i]);
        assert_int_equal(err.kind, ERR_INPUT);
    }
}

static void naive_times_are_read(void **state)
{
    (void)state;
    struct when_civil civil;
    assert_true(when_civil_read("2025-02-14 09:30:01.25", &civil, &err));
    assert_true(civil.date.year == 2025 && civil.date.month == 2 && civil.date.day == 14);
    assert_true(civil.hour == 9 && civil.minute == 30 && civil.second == 1);
    assert_int_equal(civil.microsecond, 250000);
    assert_true(when_civil_read("2025-02-14T09:30:01", &civil, &err));
    assert_int_equal(civil.microsecond, 0);
    static const char *const bad[] = {"",
                                      "2025-02-14",
                                      "2025-02-14 09:30",
                                      "2025-02-14 09:30:00Z",
                                      "2025-02-14 09:30:00+01:00",
                                      "2025-02-30 09:30:00",
                                      "2025-02-14 25:30:00"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (when_civil_read(bad[i], &civil, &err))
            fail_msg("\"%s\" was taken for a time", bad[i]);
        assert_int_equal(err.kind, ERR_INPUT);
    }
}

static void dates_of_http(void **state)
{
    (void)state;
    char text[WHEN_TEXT_MAX];
    int64_t instant_us;
    when_http_text(instant("1994-11-06T08:49:37.5Z"), text);
    assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
    for (int64_t day = -20000; day < 40000; day += 13) {
        int64_t at_us = (day * 86400 + day + 40000) * WHEN_SECOND_US;
        when_http_text(at_us, text);
        assert_true(when_http_read(text, &instant_us, &err));
        assert_true(instant_us == at_us);
        struct tm tm;
        time_t at_s = at_us / WHEN_SECOND_US;
        char expected[WHEN_TEXT_MAX];
        gmtime_r(&at_s, &tm);
        strftime(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        assert_string_equal(text, expected);
    }
    static const char *const bad[] = {
        "",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Mon, 06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Xxx 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (when_http_read(bad[i], &instant_us, &err))
            fail_msg("\"%s\" was taken for a date", bad[i]);
        assert_int_equal(err.kind, ERR_INPUT);
    }
}

static void durations_are_read_and_shown(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
        int32_t months;
        const char *shown;
    } cases[] = {
        {"90d", 90 * 86400, 0, "90d"},
        {"12h", 43200, 0, "12h"},
        {"30m", 1800, 0, "30m"},
        {"45s", 45, 0, "45s"},
        {"2w", 14 * 86400, 0, "2w"},
        {"6mo", 0, 6, "6mo"},
        {"1y", 0, 12, "1y"},
        {"7d", 7 * 86400, 0, "7d"},
        {"1w", 7 * 86400, 0, "7d"},
        {"90s", 90, 0, "90s"},
        {"60s", 60, 0, "1m"},
        {"24h", 86400, 0, "1d"},
        {"36h", 129600, 0, "36h"},
        {"14d", 14 * 86400, 0, "2w"},
        {"70d", 70 * 86400, 0, "70d"},
        {"24mo", 0, 24, "2y"},
        {"18mo", 0, 18, "18mo"},
        {"0d", 0, 0, "0d"},
        {"0y", 0, 0, "0d"},
        {"007d", 7 * 86400, 0, "7d"},
        {"1000y", 0, 12000, "1000y"},
        {"365d", 365 * 86400, 0, "365d"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct when_duration duration;
        char text[WHEN_TEXT_MAX];
        if (!when_duration_read(cases[i].text, &duration, &err))
            fail_msg("%s: %s", cases[i].text, err.text);
        assert_true(duration.us == cases[i].seconds * WHEN_SECOND_US);
        assert_int_equal(duration.months, cases[i].months);
        when_duration_text(duration, text);
        assert_string_equal(text, cases[i].shown);
    }
}

static void what_is_shown_means_the_same(void **state)
{
    (void)state;
    struct rand rand;
    rand_init(&rand, 1);
    for (int n = 0; n < 20000; n++) {
        struct when_duration duration = {0}, back;
        char text[WHEN_TEXT_MAX];
        if (n % 4 == 0)
            duration.months = (int32_t)rand_below(&rand, 1000) + 1;
        else
            duration.us = (int64_t)rand_below(&rand, 100) * (int64_t[]){1, 60, 3600}[n % 3] *
                          WHEN_SECOND_US * (int64_t)(1 + rand_below(&rand, 100));
        when_duration_text(duration, text);
        assert_true(when_duration_read(text, &back, &err));
        assert_true(back.us == duration.us && back.months == duration.months);
    }
}

static void what_is_no_duration_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "90",
        "d",
        "-1d",
        "+1d",
        "1.5d",
        " 1d",
        "1d ",
        "1 d",
        "1D",
        "1M",
        "1month",
        "1d12h",
        "1001y",
        "12001mo",
        "400000d",
        "9999999999999s",
        "99999999999999999999999999s",
        "9223372036854775807w",
        "4294967297mo",
        "1q",
        "0x1d",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct when_duration duration;
        if (when_duration_read(bad[i], &duration, &err))
            fail_msg("\"%s\" was taken for a duration", bad[i]);
        assert_int_equal(err.kind, ERR_INPUT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_range_is_taken_apart),
        cmocka_unit_test(days_before_the_first_year_lead_back),
        cmocka_unit_test(days_that_do_not_exist),
        cmocka_unit_test(dates_are_read),
        cmocka_unit_test(instants_are_read),
        cmocka_unit_test(what_is_no_instant_is_refused),
        cmocka_unit_test(naive_times_are_read),
        cmocka_unit_test(dates_of_http),
        cmocka_unit_test(durations_are_read_and_shown),
        cmocka_unit_test(what_is_shown_means_the_same),
        cmocka_unit_test(what_is_no_duration_is_refused),
    };
    return cmocka_run_group_tests_name("when", tests, NULL, NULL);
}
