/* Time zones: against the C library over a century and a half, and at the edges by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/zone.h"

static struct arena arena;
static struct err err;
static char folder[] = "/tmp/frostline-zone-XXXXXX";

static const struct zone *zone_of(const char *name)
{
    const struct zone *zone = NULL;
    if (!zone_open(name, &arena, &zone, &err))
        fail_msg("%s", err.text);
    return zone;
}

static int64_t instant(const char *text)
{
    int64_t instant_us;
    if (!when_instant_read(text, &instant_us, &err))
        fail_msg("%s", err.text);
    return instant_us;
}

static struct when_civil civil(const char *text)
{
    struct when_civil read;
    if (!when_civil_read(text, &read, &err))
        fail_msg("%s", err.text);
    return read;
}

static void assert_instant(int64_t found_us, const char *expected)
{
    char text[WHEN_TEXT_MAX];
    when_instant_text(found_us, text);
    assert_string_equal(text, expected);
}

static void assert_shown(const char *name, const char *shown, const char *expected)
{
    assert_instant(zone_instant(zone_of(name), civil(shown)), expected);
}

/* ---- the database ---- */

static void utc_needs_no_file(void **state)
{
    (void)state;
    setenv("TZDIR", "/nonexistent", 1);
    const struct zone *utc = zone_of("UTC");
    unsetenv("TZDIR");
    assert_string_equal(zone_name(utc), "UTC");
    assert_int_equal(zone_offset(utc, instant("2025-07-01")), 0);
    assert_instant(zone_instant(utc, civil("2025-07-01 12:00:00.000001")),
                   "2025-07-01T12:00:00.000001Z");
}

static void offsets_follow_summer_and_winter(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *at;
        int32_t offset_s;
    } cases[] = {
        {"Europe/Berlin", "2025-01-01T00:00:00Z", 3600},
        {"Europe/Berlin", "2025-03-30T00:59:59.999999Z", 3600},
        {"Europe/Berlin", "2025-03-30T01:00:00Z", 7200},
        {"Europe/Berlin", "2025-10-26T00:59:59.999999Z", 7200},
        {"Europe/Berlin", "2025-10-26T01:00:00Z", 3600},
        {"Europe/Berlin", "2099-07-01T00:00:00Z", 7200},
        {"Europe/Berlin", "1880-01-01T00:00:00Z", 3208},
        {"America/New_York", "2025-03-09T06:59:59Z", -18000},
        {"America/New_York", "2025-03-09T07:00:00Z", -14400},
        {"America/New_York", "2025-11-02T05:59:59Z", -14400},
        {"America/New_York", "2025-11-02T06:00:00Z", -18000},
        /* Seconds are rounded down before 1970, too. */
        {"America/New_York", "1969-04-27T06:59:59.999999Z", -18000},
        {"America/New_York", "1969-04-27T07:00:00Z", -14400},
        {"Asia/Kolkata", "2025-07-01T00:00:00Z", 19800},
        {"Asia/Kathmandu", "2025-07-01T00:00:00Z", 20700},
        {"Australia/Lord_Howe", "2025-01-01T00:00:00Z", 39600},
        {"Australia/Lord_Howe", "2060-07-01T00:00:00Z", 37800},
        {"Europe/Dublin", "2080-07-01T00:00:00Z", 3600},
        {"Europe/Dublin", "2080-12-01T00:00:00Z", 0},
        {"Etc/GMT+5", "2025-01-01T00:00:00Z", -18000},
        {"Etc/UTC", "2025-01-01T00:00:00Z", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct zone *zone = zone_of(cases[i].zone);
        if (zone_offset(zone, instant(cases[i].at)) != cases[i].offset_s)
            fail_msg("%s at %s: %d", cases[i].zone, cases[i].at,
                     zone_offset(zone, instant(cases[i].at)));
    }
}

/* glibc reads the same files with other code: the two must agree everywhere. */
static void agrees_with_the_c_library(void **state)
{
    (void)state;
    static const char *const names[] = {
        "Europe/Berlin",        "America/New_York",  "Asia/Kolkata",     "Australia/Lord_Howe",
        "Europe/Dublin",        "America/Sao_Paulo", "Pacific/Apia",     "Africa/Casablanca",
        "America/Nuuk",         "Asia/Gaza",         "Antarctica/Troll", "Asia/Jerusalem",
        "Pacific/Chatham",      "Africa/Cairo",      "America/Santiago", "Asia/Tehran",
        "America/Scoresbysund", "Asia/Pyongyang",    "Africa/Monrovia",  "Etc/GMT-14",
    };
    const int64_t first_s = instant("1890-01-01") / WHEN_SECOND_US;
    const int64_t last_s = instant("2100-12-31") / WHEN_SECOND_US;
    struct rand rand;
    rand_init(&rand, 1);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct zone *zone = zone_of(names[i]);
        setenv("TZ", names[i], 1);
        tzset();
        for (int n = 0; n < 5000; n++) {
            time_t at_s = first_s + (int64_t)rand_below(&rand, (uint64_t)(last_s - first_s));
            struct tm tm;
            localtime_r(&at_s, &tm);
            if (zone_offset(zone, at_s * WHEN_SECOND_US) != tm.tm_gmtoff)
                fail_msg("%s at %lld: %d, not %ld", names[i], (long long)at_s,
                         zone_offset(zone, at_s * WHEN_SECOND_US), tm.tm_gmtoff);
            struct when_civil shown = zone_civil(zone, at_s * WHEN_SECOND_US);
            assert_int_equal(shown.date.year, tm.tm_year + 1900);
            assert_int_equal(shown.date.month, tm.tm_mon + 1);
            assert_int_equal(shown.date.day, tm.tm_mday);
            assert_int_equal(shown.hour, tm.tm_hour);
            assert_int_equal(shown.minute, tm.tm_min);
            assert_int_equal(shown.second, tm.tm_sec);
        }
    }
    unsetenv("TZ");
}

/* What a clock shows leads back to the instant, or to a later one that shows the same. */
static void civil_times_lead_back(void **state)
{
    (void)state;
    static const char *const names[] = {"Europe/Berlin", "America/New_York", "Pacific/Apia",
                                        "Australia/Lord_Howe", "America/Nuuk"};
    struct rand rand;
    rand_init(&rand, 2);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct zone *zone = zone_of(names[i]);
        int64_t start_us = instant("1900-01-01");
        uint64_t width_us = (uint64_t)(instant("2100-12-31") - start_us);
        for (int n = 0; n < 5000; n++) {
            int64_t at_us = start_us + (int64_t)rand_below(&rand, width_us);
            struct when_civil shown = zone_civil(zone, at_us);
            int64_t back_us = zone_instant(zone, shown);
            struct when_civil again = zone_civil(zone, back_us);
            assert_memory_equal(&shown, &again, sizeof shown);
            assert_true(back_us >= at_us);
            assert_true(back_us == at_us || zone_offset(zone, back_us) < zone_offset(zone, at_us));
        }
    }
}

static void a_time_shown_twice_is_the_later_one(void **state)
{
    (void)state;
    assert_shown("Europe/Berlin", "2025-10-26 01:59:59", "2025-10-25T23:59:59.000000Z");
    assert_shown("Europe/Berlin", "2025-10-26 02:00:00", "2025-10-26T01:00:00.000000Z");
    assert_shown("Europe/Berlin", "2025-10-26 02:59:59.5", "2025-10-26T01:59:59.500000Z");
    assert_shown("Europe/Berlin", "2025-10-26 03:00:00", "2025-10-26T02:00:00.000000Z");
    assert_shown("America/New_York", "2025-11-02 01:30:00", "2025-11-02T06:30:00.000000Z");
    assert_shown("Europe/Berlin", "2100-10-31 02:30:00", "2100-10-31T01:30:00.000000Z");
    assert_shown("Asia/Kolkata", "2025-11-02 01:30:00", "2025-11-01T20:00:00.000000Z");
}

static void a_time_never_shown_is_the_end_of_the_gap(void **state)
{
    (void)state;
    assert_shown("Europe/Berlin", "2025-03-30 01:59:59", "2025-03-30T00:59:59.000000Z");
    assert_shown("Europe/Berlin", "2025-03-30 02:00:00", "2025-03-30T01:00:00.000000Z");
    assert_shown("Europe/Berlin", "2025-03-30 02:59:59.999999", "2025-03-30T01:00:00.000000Z");
    assert_shown("Europe/Berlin", "2025-03-30 03:00:00", "2025-03-30T01:00:00.000000Z");
    assert_shown("America/New_York", "2025-03-09 02:30:00", "2025-03-09T07:00:00.000000Z");
    assert_shown("Europe/Berlin", "2100-03-28 02:30:00", "2100-03-28T01:00:00.000000Z");
    /* Samoa went without 30 December 2011 when it crossed the date line. */
    assert_shown("Pacific/Apia", "2011-12-29 23:59:59", "2011-12-30T09:59:59.000000Z");
    assert_shown("Pacific/Apia", "2011-12-30 12:00:00", "2011-12-30T10:00:00.000000Z");
    /* Midnight itself may be missing. */
    assert_shown("America/Sao_Paulo", "2018-11-04 00:00:00", "2018-11-04T03:00:00.000000Z");
}

static void before_counts_days_of_24_hours_and_calendar_months(void **state)
{
    (void)state;
    static const struct {
        const char *from, *duration, *expected;
    } cases[] = {
        /* A day is 24 h, also when the clock was changed in between. */
        {"2025-03-30T12:00:00+02:00", "1d", "2025-03-29T10:00:00.000000Z"},
        /* A month keeps what the clock shows. */
        {"2025-04-15T12:00:00+02:00", "1mo", "2025-03-15T11:00:00.000000Z"},
        {"2025-03-31T00:00:00+02:00", "1mo", "2025-02-27T23:00:00.000000Z"},
        {"2024-03-31T00:00:00+01:00", "1mo", "2024-02-28T23:00:00.000000Z"},
        {"2024-02-29T10:00:00+01:00", "1y", "2023-02-28T09:00:00.000000Z"},
        {"2025-01-31T10:00:00+01:00", "13mo", "2023-12-31T09:00:00.000000Z"},
        /* Into the gap, and onto the hour shown twice. */
        {"2025-04-30T02:30:00+02:00", "1mo", "2025-03-30T01:00:00.000000Z"},
        {"2025-11-26T02:30:00+01:00", "1mo", "2025-10-26T01:30:00.000000Z"},
        {"2025-06-01T00:00:00+02:00", "0d", "2025-05-31T22:00:00.000000Z"},
    };
    const struct zone *berlin = zone_of("Europe/Berlin");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct when_duration duration;
        assert_true(when_duration_read(cases[i].duration, &duration, &err));
        assert_instant(zone_before(berlin, instant(cases[i].from), duration), cases[i].expected);
    }
}

static void a_negative_duration_looks_ahead(void **state)
{
    (void)state;
    const struct zone *berlin = zone_of("Europe/Berlin");
    assert_instant(zone_before(berlin, instant("2025-01-31T10:00:00+01:00"),
                               (struct when_duration){.months = -1}),
                   "2025-02-28T09:00:00.000000Z");
    assert_instant(zone_before(berlin, instant("2025-12-15T10:00:00+01:00"),
                               (struct when_duration){.months = -14}),
                   "2027-02-15T09:00:00.000000Z");
    assert_instant(zone_before(berlin, instant("2025-12-15T10:00:00+01:00"),
                               (struct when_duration){.us = -WHEN_DAY_US}),
                   "2025-12-16T09:00:00.000000Z");
}

static void the_longest_duration_stays_a_date(void **state)
{
    (void)state;
    struct when_duration duration;
    assert_true(when_duration_read("1000y", &duration, &err));
    assert_instant(zone_before(zone_of("Europe/Berlin"), instant("2025-06-01T00:00:00Z"), duration),
                   "1025-06-01T01:06:32.000000Z");
    /* Before the first year there are no dates, but there is an end to the calculation. */
    int64_t far_us = zone_before(zone_of("UTC"), instant("0500-12-31"), duration);
    assert_true(far_us < instant("0001-01-01"));
}

static void bad_names_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",
        "/etc/passwd",
        "../zoneinfo/UTC",
        "Europe/../Europe/Berlin",
        "Europe/",
        "Europe//Berlin",
        "Europe",
        "Europe/Atlantis",
        "Berlin\n",
        "Europe/Berlin ",
        "right/Europe/Berlin/x",
        "Europe/Ber.lin",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct zone *zone;
        if (zone_open(names[i], &arena, &zone, &err))
            fail_msg("\"%s\" was taken for a zone", names[i]);
        assert_int_equal(err.kind, ERR_INPUT);
    }
}

/* ---- files of our own ---- */

struct made {
    char version;
    size_t times;
    int64_t time_s[4];
    int index[4];
    size_t types;
    int32_t offset_s[2];
    size_t leaps;
    const char *footer;
};

static void big(struct buf *buf, uint64_t value, int size_bytes)
{
    for (int shift = 8 * (size_bytes - 1); shift >= 0; shift -= 8)
        buf_char(buf, (char)(value >> shift));
}

static void add_header(struct buf *buf, char version, size_t leaps, size_t times, size_t types)
{
    buf_text(buf, "TZif");
    buf_char(buf, version);
    buf_add(buf, (char[15]){0}, 15);
    const size_t counts[] = {0, 0, leaps, times, types, 4};
    for (size_t i = 0; i < 6; i++)
        big(buf, counts[i], 4);
}

static void make_file(struct buf *buf, const struct made *made)
{
    buf_reset(buf);
    add_header(buf, made->version, 0, 0, 1);
    buf_add(buf, "\0\0\0\0\0\0XYZ\0", 10);
    add_header(buf, made->version, made->leaps, made->times, made->types);
    for (size_t i = 0; i < made->times; i++)
        big(buf, (uint64_t)made->time_s[i], 8);
    for (size_t i = 0; i < made->times; i++)
        buf_char(buf, (char)made->index[i]);
    for (size_t i = 0; i < made->types; i++) {
        big(buf, (uint32_t)made->offset_s[i], 4);
        buf_add(buf, "\0\0", 2);
    }
    /* Without a type, what follows must not pass for one. */
    buf_add(buf, made->types > 0 ? "XYZ" : "\0\0\0", 4);
    buf_add(buf, (char[64]){0}, made->leaps * 12);
    buf_text(buf, made->footer);
}

/* Opens what the bytes say, as the zone "Made/Zone" of a database of our own. */
static bool open_bytes(const char *bytes, size_t size_bytes, const struct zone **zone)
{
    const char *path = str_format(&arena, "%s/Made/Zone", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size_bytes, file), size_bytes);
    assert_int_equal(fclose(file), 0);
    setenv("TZDIR", folder, 1);
    bool done = zone_open("Made/Zone", &arena, zone, &err);
    unsetenv("TZDIR");
    return done;
}

static bool open_made(const struct made *made, const struct zone **zone)
{
    struct buf buf;
    buf_init(&buf, 4096);
    make_file(&buf, made);
    bool done = open_bytes(buf.bytes, buf.size, zone);
    buf_free(&buf);
    return done;
}

static const struct made plain = {
    .version = '2',
    .times = 2,
    .time_s = {1000, 2000},
    .index = {1, 0},
    .types = 2,
    .offset_s = {3600, 7200},
    .footer = "\n\n",
};

static void tzdir_names_the_database(void **state)
{
    (void)state;
    const struct zone *zone;
    assert_true(open_made(&plain, &zone));
    assert_int_equal(zone_offset(zone, 999 * WHEN_SECOND_US), 3600);
    assert_int_equal(zone_offset(zone, 1000 * WHEN_SECOND_US), 7200);
    /* Without a rule the last offset stays. */
    assert_int_equal(zone_offset(zone, instant("2090-01-01")), 3600);
}

static void the_first_of_two_changes_ends_the_gap(void **state)
{
    (void)state;
    const struct zone *zone;
    struct made made = plain;
    made.time_s[0] = 100000;
    made.time_s[1] = 136000;
    assert_true(open_made(&made, &zone));
    struct when_civil never = when_civil_of((100000 + 5000) * WHEN_SECOND_US);
    assert_int_equal(zone_instant(zone, never), 100000 * WHEN_SECOND_US);
}

static void offsets_reach_as_far_as_26_hours(void **state)
{
    (void)state;
    const struct zone *zone;
    struct made made = plain;
    made.offset_s[0] = 26 * 3600;
    made.offset_s[1] = -26 * 3600;
    made.time_s[1] = 900000;
    assert_true(open_made(&made, &zone));
    for (int64_t at_s = 400000; at_s < 2000000; at_s += 100000) {
        struct when_civil shown = zone_civil(zone, at_s * WHEN_SECOND_US);
        struct when_civil again = zone_civil(zone, zone_instant(zone, shown));
        assert_memory_equal(&shown, &again, sizeof shown);
    }
}

static int32_t offset_by_rule(const char *rule, const char *at)
{
    struct made made = plain;
    const struct zone *zone;
    made.footer = str_format(&arena, "\n%s\n", rule);
    if (!open_made(&made, &zone))
        fail_msg("%s: %s", rule, err.text);
    return zone_offset(zone, instant(at));
}

static void rules_of_every_form(void **state)
{
    (void)state;
    static const struct {
        const char *rule, *at;
        int32_t offset_s;
    } cases[] = {
        {"CET-1", "2025-07-01T00:00:00Z", 3600},
        {"<-0330>3:30", "2025-07-01T00:00:00Z", -12600},
        {"<+0530>-5:30:15", "2025-07-01T00:00:00Z", 19815},
        /* J60 is 1 March in every year; 59 (from 0) is 29 February in a leap year. */
        {"AAA0BBB,J60/0,J300", "2024-02-29T23:59:59Z", 0},
        {"AAA0BBB,J60/0,J300", "2024-03-01T00:00:00Z", 3600},
        {"AAA0BBB,J60/0,J300", "2025-03-01T00:00:00Z", 3600},
        {"AAA0BBB,J60/0,J300", "2025-02-28T23:59:59Z", 0},
        {"AAA0BBB,59/0,300", "2024-02-29T00:00:00Z", 3600},
        {"AAA0BBB,59/0,300", "2024-02-28T23:59:59Z", 0},
        {"AAA0BBB,59/0,300", "2025-03-01T00:00:00Z", 3600},
        /* The fifth week is the last one: of five, and of four. */
        {"AAA0BBB,M1.1.0,M2.5.0/3", "2025-02-23T01:59:59Z", 3600},
        {"AAA0BBB,M1.1.0,M2.5.0/3", "2025-02-23T02:00:00Z", 0},
        {"AAA0BBB,M1.1.0,M12.5.3", "2025-12-31T00:59:59Z", 3600},
        {"AAA0BBB,M1.1.0,M12.5.3", "2025-12-31T01:00:00Z", 0},
        /* South of the equator the year begins in summer. */
        {"AAA-10BBB,M10.1.0,M4.1.0/3", "2050-01-01T00:00:00Z", 39600},
        {"AAA-10BBB,M10.1.0,M4.1.0/3", "2050-06-01T00:00:00Z", 36000},
        /* Times outside of the day, as version 3 has them. */
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2050-03-27T00:59:59Z", -7200},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2050-03-27T01:00:00Z", -3600},
        {"EET-2EEST,M3.4.4/50,M10.4.4/50", "2050-03-25T23:59:59Z", 7200},
        {"EET-2EEST,M3.4.4/50,M10.4.4/50", "2050-03-26T00:00:00Z", 10800},
        /* A change of the next year that happens in this one, and of the last. */
        {"AAA0BBB,J1/-24,J300", "2050-12-30T23:59:59Z", 0},
        {"AAA0BBB,J1/-24,J300", "2050-12-31T00:00:00Z", 3600},
        {"AAA0BBB,J100,J365/48", "2050-01-01T22:59:59Z", 3600},
        {"AAA0BBB,J100,J365/48", "2050-01-01T23:00:00Z", 0},
        /* Summer all year round (RFC 8536, 3.3.1). */
        {"EST5EDT,0/0,J365/25", "2050-01-01T04:59:59Z", -14400},
        {"EST5EDT,0/0,J365/25", "2050-01-01T05:00:00Z", -14400},
        {"EST5EDT,0/0,J365/25", "2052-07-01T00:00:00Z", -14400},
        {"XXX3EDT4,0/0,J365/23", "2050-01-01T03:00:00Z", -14400},
        {"XXX3EDT4,0/0,J365/23", "2050-07-01T03:00:00Z", -14400},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int32_t offset_s = offset_by_rule(cases[i].rule, cases[i].at);
        if (offset_s != cases[i].offset_s)
            fail_msg("%s at %s: %d, not %d", cases[i].rule, cases[i].at, offset_s,
                     cases[i].offset_s);
    }
}

static void damaged_rules_are_corrupt(void **state)
{
    (void)state;
    static const char *const footers[] = {
        "",
        "\n",
        "CET-1\n",
        "\nCET-1",
        "\nCE-1\n",
        "\nCET\n",
        "\nCET-1:60\n",
        "\nCET-25\n",
        "\n<CET-1\n",
        "\nCET-1CEST\n",
        "\nCET-1CEST,M3.5.0\n",
        "\nCET-1CEST,M3.5.0,\n",
        "\nCET-1CEST,M13.5.0,M10.5.0\n",
        "\nCET-1CEST,M3.6.0,M10.5.0\n",
        "\nCET-1CEST,M3.5.7,M10.5.0\n",
        "\nCET-1CEST,M3.5.0/168,M10.5.0\n",
        "\nCET-1CEST,J0,M10.5.0\n",
        "\nCET-1CEST,J366,M10.5.0\n",
        "\nCET-1CEST,366,M10.5.0\n",
        "\nCET-1CEST,M3.5.0,M10.5.0,\n",
        "\nCET-99999999999999999999\n",
    };
    for (size_t i = 0; i < sizeof footers / sizeof footers[0]; i++) {
        struct made made = plain;
        const struct zone *zone;
        made.footer = footers[i];
        if (open_made(&made, &zone))
            fail_msg("the footer \"%s\" was taken", footers[i]);
        assert_int_equal(err.kind, ERR_CORRUPT);
    }
    /* A NUL ends no rule. */
    struct made made = plain;
    struct buf buf;
    const struct zone *zone;
    made.footer = "\nCET-1#junk\n";
    buf_init(&buf, 4096);
    make_file(&buf, &made);
    *strchr(buf.bytes + buf.size - 8, '#') = '\0';
    assert_false(open_bytes(buf.bytes, buf.size, &zone));
    assert_int_equal(err.kind, ERR_CORRUPT);
    buf_free(&buf);
}

static void damaged_blocks_are_corrupt(void **state)
{
    (void)state;
    const struct zone *zone;
    struct made made[] = {plain, plain, plain, plain, plain, plain, plain};
    made[0].version = '\0';      /* no 64-bit block      */
    made[1].time_s[1] = 1000;    /* not ascending        */
    made[2].index[1] = 2;        /* beyond the types     */
    made[3].types = 0;           /* no type at all       */
    made[4].offset_s[0] = 93601; /* beyond 26 hours      */
    made[5].offset_s[1] = INT32_MIN;
    made[6].types = made[6].times = 0; /* no type for what comes before the changes */
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        if (open_made(&made[i], &zone))
            fail_msg("damaged block %zu was taken", i);
        assert_int_equal(err.kind, ERR_CORRUPT);
    }
}

static void leap_seconds_are_refused(void **state)
{
    (void)state;
    const struct zone *zone;
    struct made made = plain;
    made.leaps = 1;
    assert_false(open_made(&made, &zone));
    assert_int_equal(err.kind, ERR_INPUT);
    assert_non_null(strstr(err.text, "leap seconds"));
}

static void every_cut_and_every_huge_count_is_corrupt(void **state)
{
    (void)state;
    struct buf buf;
    const struct zone *zone;
    buf_init(&buf, 4096);
    make_file(&buf, &plain);
    for (size_t size = 0; size < buf.size; size++) {
        assert_false(open_bytes(buf.bytes, size, &zone));
        assert_int_equal(err.kind, ERR_CORRUPT);
    }
    /* The six counts of each header, 0xffffffff in turn. */
    for (size_t i = 0; i < 12; i++) {
        size_t at = (i < 6 ? 0 : 54) + 20 + i % 6 * 4;
        make_file(&buf, &plain);
        memset(buf.bytes + at, 0xff, 4);
        assert_false(open_bytes(buf.bytes, buf.size, &zone));
        assert_int_equal(err.kind, ERR_CORRUPT);
    }
    buf_free(&buf);
}

/* Whatever a file says, reading and using it stays within bounds (the sanitizers look on). */
static void flipped_bytes_do_no_harm(void **state)
{
    (void)state;
    struct buf buf;
    struct rand rand;
    struct made made = plain;
    made.footer = "\nCET-1CEST,M3.5.0,M10.5.0/3\n";
    buf_init(&buf, 4096);
    rand_init(&rand, 3);
    size_t opened = 0;
    for (int n = 0; n < 2000; n++) {
        const struct zone *zone;
        make_file(&buf, &made);
        for (uint64_t flips = 1 + rand_below(&rand, 3); flips > 0; flips--)
            buf.bytes[rand_below(&rand, buf.size)] = (char)rand_next(&rand);
        if (!open_bytes(buf.bytes, buf.size, &zone))
            continue;
        opened++;
        int64_t there_us = zone_instant(zone, civil("2025-03-30 02:30:00"));
        int64_t away_us = there_us - instant("2025-03-30 02:30:00Z");
        assert_true(away_us >= -WHEN_DAY_US * 2 && away_us <= WHEN_DAY_US * 2);
        arena_reset(&arena);
    }
    assert_true(opened > 0);
    buf_free(&buf);
}

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)64 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static int make_database(void **state)
{
    (void)state;
    char made[sizeof folder + 8];
    if (!mkdtemp(folder))
        return -1;
    snprintf(made, sizeof made, "%s/Made", folder);
    return mkdir(made, 0700);
}

static int remove_database(void **state)
{
    (void)state;
    char path[sizeof folder + 16];
    snprintf(path, sizeof path, "%s/Made/Zone", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/Made", folder);
    rmdir(path);
    return rmdir(folder);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(utc_needs_no_file),
        TEST(offsets_follow_summer_and_winter),
        TEST(agrees_with_the_c_library),
        TEST(civil_times_lead_back),
        TEST(a_time_shown_twice_is_the_later_one),
        TEST(a_time_never_shown_is_the_end_of_the_gap),
        TEST(before_counts_days_of_24_hours_and_calendar_months),
        TEST(a_negative_duration_looks_ahead),
        TEST(the_longest_duration_stays_a_date),
        TEST(bad_names_are_refused),
        TEST(tzdir_names_the_database),
        TEST(the_first_of_two_changes_ends_the_gap),
        TEST(offsets_reach_as_far_as_26_hours),
        TEST(rules_of_every_form),
        TEST(damaged_rules_are_corrupt),
        TEST(damaged_blocks_are_corrupt),
        TEST(leap_seconds_are_refused),
        TEST(every_cut_and_every_huge_count_is_corrupt),
        TEST(flipped_bytes_do_no_harm),
    };
    return cmocka_run_group_tests_name("zone", tests, make_database, remove_database);
}
