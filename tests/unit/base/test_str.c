/* Texts: numbers, UTF-8 and likely slips. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "base/str.h"

static void comparing(void **state)
{
    (void)state;
    assert_true(str_equal("a", "a"));
    assert_false(str_equal("a", "b"));
    assert_true(str_equal(NULL, NULL));
    assert_false(str_equal(NULL, ""));
    assert_false(str_equal("", NULL));
    assert_true(str_starts("abc", "ab"));
    assert_true(str_starts("abc", ""));
    assert_false(str_starts("ab", "abc"));
    assert_true(str_ends("abc", "bc"));
    assert_true(str_ends("abc", ""));
    assert_false(str_ends("bc", "abc"));
    assert_false(str_ends("abc", "ab"));
    /* Bytes, not letters: upper case first, and what is not ASCII last. */
    assert_true(str_compare("B", "a") < 0);
    assert_true(str_compare("z", "\xc3\xa4") < 0);
    assert_int_equal(str_compare("a", "a"), 0);
}

static void making(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    assert_string_equal(str_copy(&arena, "abcdef", 3), "abc");
    assert_string_equal(str_copy(&arena, NULL, 0), "");
    assert_string_equal(str_format(&arena, "%s-%d", "x", 7), "x-7");
    assert_int_equal(strlen(str_format(&arena, "%0*d", 5000, 1)), 5000);
    arena_free(&arena);
}

static void what_may_be_shown(void **state)
{
    (void)state;
    assert_int_equal(str_shown_bytes("a", 1), 1);
    assert_int_equal(str_shown_bytes("\xc3\xa4", 2), 2);
    assert_int_equal(str_shown_bytes("\xc2\xa0", 2), 2);
    assert_int_equal(str_shown_bytes("\xe2\x82\xac", 3), 3);
    assert_int_equal(str_shown_bytes("\xf0\x9f\x98\x80x", 5), 4);
    static const char *const hidden[] = {"\n",       "\x1b[1m",     "\x7f",
                                         "\xc2\x80", "\xc2\x9b[1m", "\x9b",
                                         "\xc2",     "\xe2\x82",    "\xed\xa0\x80"};
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
        assert_int_equal(str_shown_bytes(hidden[i], strlen(hidden[i])), 0);
}

static void cutting(void **state)
{
    (void)state;
    assert_int_equal(str_cut("abc", 3, 4), 3);
    assert_int_equal(str_cut("abc", 3, 3), 3);
    assert_int_equal(str_cut("abc", 3, 2), 2);
    assert_int_equal(str_cut("a\xe2\x82\xac", 4, 4), 4);
    assert_int_equal(str_cut("a\xe2\x82\xac", 4, 3), 1);
    assert_int_equal(str_cut("a\xe2\x82\xac", 4, 2), 1);
    assert_int_equal(str_cut("a\xe2\x82\xac", 4, 1), 1);
    assert_int_equal(str_cut("\x80\x80", 2, 1), 0);
}

static void unsigned_numbers(void **state)
{
    (void)state;
    uint64_t value = 7;
    assert_true(str_to_u64("0", &value) && value == 0);
    assert_true(str_to_u64("0042", &value) && value == 42);
    assert_true(str_to_u64("18446744073709551615", &value) && value == UINT64_MAX);
    static const char *const bad[] = {
        "",   "18446744073709551616", "99999999999999999999", "-1", "+1", " 1", "1 ", "1a", "0x1",
        "1.0"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (str_to_u64(bad[i], &value))
            fail_msg("\"%s\" was taken for a number", bad[i]);
    }
    assert_true(value == UINT64_MAX);
}

static void signed_numbers(void **state)
{
    (void)state;
    int64_t value;
    assert_true(str_to_i64("-0", &value) && value == 0);
    assert_true(str_to_i64("9223372036854775807", &value) && value == INT64_MAX);
    assert_true(str_to_i64("-9223372036854775808", &value) && value == INT64_MIN);
    static const char *const bad[] = {
        "", "-", "--1", "9223372036854775808", "-9223372036854775809", "+1", "- 1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (str_to_i64(bad[i], &value))
            fail_msg("\"%s\" was taken for a number", bad[i]);
    }
}

static void well_formed_utf8(void **state)
{
    (void)state;
    static const char *const good[] = {
        "",
        "ascii",
        "\x7f",
        "\xc2\x80",
        "\xdf\xbf",
        "\xe0\xa0\x80",
        "\xed\x9f\xbf",
        "\xee\x80\x80",
        "\xef\xbf\xbf",
        "\xf0\x90\x80\x80",
        "\xf4\x8f\xbf\xbf",
        "a\xe2\x82\xac"
        "b\xf0\x9f\x98\x80"
        "c",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!str_is_utf8(good[i], strlen(good[i])))
            fail_msg("text %zu was refused", i);
    }
    assert_true(str_is_utf8("a\0b", 3));
}

static void malformed_utf8(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80",
        "\xbf",
        "a\x80", /* a tail alone        */
        "\xc3",
        "\xe2\x82",
        "\xf0\x9f\x98",
        "\xc3(", /* a tail is missing   */
        "\xe2(\xa1",
        "\xe2\x82(",
        "\xf0\x9f\x98(", /* a tail is something else */
        "\xc0\x80",
        "\xc0\xaf",
        "\xc1\xbf", /* overlong, two bytes */
        "\xe0\x80\x80",
        "\xe0\x9f\xbf", /* overlong, three     */
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf", /* overlong, four      */
        "\xed\xa0\x80",
        "\xed\xbf\xbf", /* surrogates          */
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", /* above U+10FFFF      */
        "\xf8\x88\x80\x80\x80",
        "\xfe",
        "\xff",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (str_is_utf8(bad[i], strlen(bad[i])))
            fail_msg("text %zu was taken", i);
    }
    /* The end of the bytes counts, not what stands behind it. */
    assert_false(str_is_utf8("\xe2\x82\xac", 2));
}

/* Every code point in its one form is taken, and every change of a lead byte's class is not. */
static void all_code_points(void **state)
{
    (void)state;
    for (unsigned code = 0x800; code < 0x110000; code++) {
        char bytes[4];
        size_t size = 0;
        if (code >= 0x10000) {
            bytes[size++] = (char)(0xf0 | code >> 18);
            bytes[size++] = (char)(0x80 | (code >> 12 & 0x3f));
        } else {
            bytes[size++] = (char)(0xe0 | code >> 12);
        }
        bytes[size++] = (char)(0x80 | (code >> 6 & 0x3f));
        bytes[size++] = (char)(0x80 | (code & 0x3f));
        bool surrogate = code >= 0xd800 && code < 0xe000;
        if (str_is_utf8(bytes, size) == surrogate)
            fail_msg("U+%04X", code);
    }
}

static void control_characters(void **state)
{
    (void)state;
    assert_false(str_has_control("plain \xc3\xa4 ~", 9));
    assert_true(str_has_control("a\nb", 3));
    assert_true(str_has_control("a\x7f", 2));
    assert_true(str_has_control("\0", 1));
    assert_true(str_has_control("\x1f", 1));
    assert_false(str_has_control("\n", 0));
}

static void distances(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        size_t distance;
    } cases[] = {
        {"", "", 0},         {"", "abc", 3},
        {"abc", "", 3},      {"plan", "plan", 0},
        {"plan", "pan", 1},  {"plan", "plain", 1},
        {"plan", "plin", 1}, {"plan", "paln", 1},
        {"plan", "lpan", 1}, {"kitten", "sitting", 3},
        {"ca", "abc", 3},    {"apply", "aplpy", 1},
        {"abcd", "badc", 2}, {"older_than", "olderthan", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(str_distance(cases[i].a, cases[i].b), cases[i].distance);
        assert_int_equal(str_distance(cases[i].b, cases[i].a), cases[i].distance);
    }
}

static void distance_has_a_limit(void **state)
{
    (void)state;
    char longest[66];
    memset(longest, 'x', 65);
    longest[64] = '\0';
    assert_int_equal(str_distance(longest, longest), 0);
    assert_int_equal(str_distance(longest, ""), 64);
    longest[64] = 'x';
    longest[65] = '\0';
    assert_true(str_distance(longest, "x") == SIZE_MAX);
    assert_true(str_distance("x", longest) == SIZE_MAX);
    assert_null(str_nearest(longest, (const char *const[]){longest, NULL}));
}

static void the_nearest_is_a_likely_slip(void **state)
{
    (void)state;
    static const char *const verbs[] = {"plan", "apply", "status", "explain", "diff", NULL};
    assert_string_equal(str_nearest("aply", verbs), "apply");
    assert_string_equal(str_nearest("pln", verbs), "plan");
    assert_string_equal(str_nearest("explian", verbs), "explain");
    assert_string_equal(str_nearest("plan", verbs), "plan");
    assert_null(str_nearest("destroy", verbs));
    assert_null(str_nearest("plxy", verbs));
    assert_null(str_nearest("xy", verbs));
    assert_null(str_nearest("", verbs));
    assert_null(str_nearest("plan", (const char *const[]){NULL}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparing),
        cmocka_unit_test(making),
        cmocka_unit_test(what_may_be_shown),
        cmocka_unit_test(cutting),
        cmocka_unit_test(unsigned_numbers),
        cmocka_unit_test(signed_numbers),
        cmocka_unit_test(well_formed_utf8),
        cmocka_unit_test(malformed_utf8),
        cmocka_unit_test(all_code_points),
        cmocka_unit_test(control_characters),
        cmocka_unit_test(distances),
        cmocka_unit_test(distance_has_a_limit),
        cmocka_unit_test(the_nearest_is_a_likely_slip),
    };
    return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
