/* Hours of a week: read, written, and open or not, by the clocks of a zone. */
#include "policy/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/when.h"
#include "base/zone.h"

#define ARENA_BYTES ((size_t)8 << 20)
#define MONDAY (INT64_C(20241) * WHEN_DAY_US) /* 2025-06-02 */
#define MINUTE_US (60 * WHEN_SECOND_US)

enum { MON = 1, TUE = 2, WED = 4, THU = 8, FRI = 16, SAT = 32, SUN = 64 };

static void days_are_names_ranges_and_lists(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint8_t days;
    } table[] = {{"mon", MON},
                 {"mon-fri", MON | TUE | WED | THU | FRI},
                 {"sat,sun", SAT | SUN},
                 {"sat, sun", SAT | SUN},
                 {"fri-mon", FRI | SAT | SUN | MON},
                 {"mon-tue,thu,sat-sun", MON | TUE | THU | SAT | SUN},
                 {"wed-wed", WED},
                 {"mon-sun", 0x7f}};
    static const char *const wrong[] = {"",     "monday",      "Mon",     "mon-",
                                        "-mon", "mon,",        "mon fri", "mon--fri",
                                        "1-5",  "mon-fri-sat", ",mon",    "mon ,tue"};
    uint8_t days;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_true(window_days_read(table[i].text, &days));
        assert_int_equal(days, table[i].days);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (window_days_read(wrong[i], &days))
            fail_msg("%s is taken", wrong[i]);
    }
}

static void clocks_have_two_digits_twice(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",     "5:00",   "05:0",   "05:60", "24:01", "25:00",
                                        "0500", "05:00 ", " 05:00", "05-00", "ab:cd"};
    int minutes;
    assert_true(window_clock_read("00:00", &minutes));
    assert_int_equal(minutes, 0);
    assert_true(window_clock_read("22:05", &minutes));
    assert_int_equal(minutes, 22 * 60 + 5);
    assert_true(window_clock_read("24:00", &minutes));
    assert_int_equal(minutes, WINDOW_DAY_MIN);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (window_clock_read(wrong[i], &minutes))
            fail_msg("%s is taken", wrong[i]);
    }
}

static void a_text_says_it_all(void **state)
{
    (void)state;
    for (unsigned days = 1; days < 128; days++) {
        struct window window = {(uint8_t)days, 22 * 60 + 5, 300};
        char text[WINDOW_TEXT_MAX];
        window_text(&window, text);
        for (int64_t minute = 0; minute < 7 * 24 * 60; minute += 7) {
            struct arena arena;
            const struct zone *utc;
            struct err err;
            bool open;
            arena_init(&arena, ARENA_BYTES);
            assert_true(zone_open("UTC", &arena, &utc, &err));
            int64_t at_us = MONDAY + minute * MINUTE_US;
            assert_true(window_all_open(text, utc, at_us, &open, &err));
            assert_int_equal(open, window_is_open(&window, utc, at_us));
            arena_free(&arena);
        }
    }
    char text[WINDOW_TEXT_MAX];
    window_text(&(struct window){MON | TUE | WED | SAT, 0, WINDOW_DAY_MIN}, text);
    assert_string_equal(text, "mon-wed,sat 00:00-24:00");
}

/* Minute by minute of a week, against what the words say. */
static void it_is_open_as_its_words_say(void **state)
{
    (void)state;
    static const struct window windows[] = {{MON | WED, 600, 720},
                                            {FRI | SUN, 22 * 60, 300},
                                            {0x7f, 0, WINDOW_DAY_MIN},
                                            {SUN, 720, 0},
                                            {MON, 23 * 60 + 59, 1}};
    struct arena arena;
    const struct zone *utc;
    struct err err;
    arena_init(&arena, ARENA_BYTES);
    assert_true(zone_open("UTC", &arena, &utc, &err));
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        const struct window *window = &windows[i];
        bool want[8 * WINDOW_DAY_MIN] = {false};
        int length = window->to_min - window->from_min;
        length += length <= 0 ? WINDOW_DAY_MIN : 0;
        for (int day = 0; day < 7; day++) {
            for (int k = 0; (window->days >> day & 1) != 0 && k < length; k++)
                want[day * WINDOW_DAY_MIN + window->from_min + k] = true;
        }
        for (int minute = 0; minute < 7 * WINDOW_DAY_MIN; minute++) {
            bool wanted = want[minute];
            if (minute < WINDOW_DAY_MIN) /* what is left of Sunday's */
                wanted |= want[7 * WINDOW_DAY_MIN + minute];
            int64_t from_us = MONDAY + minute * MINUTE_US;
            assert_int_equal(window_is_open(window, utc, from_us), wanted);
            assert_int_equal(window_is_open(window, utc, from_us + MINUTE_US - 1), wanted);
            assert_int_equal(window_is_open(window, utc, from_us - 7000 * WHEN_DAY_US * 7), wanted);
        }
    }
    arena_free(&arena);
}

/* 22:00 in Berlin is 20:00 UTC in summer and 21:00 in winter. */
static void clocks_are_those_of_the_zone(void **state)
{
    (void)state;
    const struct window window = {MON, 22 * 60, 300};
    const int64_t winter = MONDAY - 140 * WHEN_DAY_US; /* 2025-01-13, a Monday too */
    struct arena arena;
    const struct zone *zone;
    struct err err;
    arena_init(&arena, ARENA_BYTES);
    assert_true(zone_open("Europe/Berlin", &arena, &zone, &err));
    assert_false(window_is_open(&window, zone, MONDAY + 20 * 60 * MINUTE_US - 1));
    assert_true(window_is_open(&window, zone, MONDAY + 20 * 60 * MINUTE_US));
    assert_false(window_is_open(&window, zone, winter + 21 * 60 * MINUTE_US - 1));
    assert_true(window_is_open(&window, zone, winter + 21 * 60 * MINUTE_US));
    arena_free(&arena);
}

static void several_are_open_together(void **state)
{
    (void)state;
    struct arena arena;
    const struct zone *utc;
    struct err err;
    bool open;
    arena_init(&arena, ARENA_BYTES);
    assert_true(zone_open("UTC", &arena, &utc, &err));
    const char *both = "mon 10:00-12:00; mon-tue 11:00-13:00";
    assert_true(window_all_open(both, utc, MONDAY + 650 * MINUTE_US, &open, &err));
    assert_false(open);
    assert_true(window_all_open(both, utc, MONDAY + 670 * MINUTE_US, &open, &err));
    assert_true(open);
    static const char *const damaged[] = {
        "x", "mon", "mon 10:00", "mon 10:00-12:00; x", "mon 10:00-12:00-13:00", "mon 1000-1200"};
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        assert_false(window_all_open(damaged[i], utc, MONDAY, &open, &err));
        assert_int_equal(err.kind, ERR_CORRUPT);
    }
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_are_names_ranges_and_lists),
        cmocka_unit_test(clocks_have_two_digits_twice),
        cmocka_unit_test(a_text_says_it_all),
        cmocka_unit_test(it_is_open_as_its_words_say),
        cmocka_unit_test(clocks_are_those_of_the_zone),
        cmocka_unit_test(several_are_open_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
