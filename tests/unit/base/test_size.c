/* Sizes: as people write them and as they read them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/size.h"

static struct err err;

static void sizes_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t size_bytes;
    } cases[] = {
        {"0B", 0},
        {"100B", 100},
        {"1kB", 1000},
        {"1KB", 1000},
        {"1MB", 1000000},
        {"1GB", 1000000000},
        {"5TB", 5000000000000},
        {"1PB", 1000000000000000},
        {"1EB", 1000000000000000000},
        {"1KiB", 1024},
        {"1MiB", 1048576},
        {"1GiB", 1073741824},
        {"5TiB", 5497558138880},
        {"1PiB", 1125899906842624},
        {"7EiB", 8070450532247928832},
        {"1.5GB", 1500000000},
        {"0.5KiB", 512},
        {"1.05kB", 1050},
        {"007MB", 7000000},
        {"0.000000000000000001EB", 1},
        {"1.999999999999999999EB", 1999999999999999999},
        /* What is less than a byte is cut off. */
        {"1.3GiB", 1395864371},
        {"0.0001kB", 0},
        {"9223372036854775807B", INT64_MAX},
        {"9.223372036854775807EB", INT64_MAX},
        {"7.999999999999999999EiB", 9223372036854775806},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t size_bytes;
        if (!size_read(cases[i].text, &size_bytes, &err))
            fail_msg("%s: %s", cases[i].text, err.text);
        if (size_bytes != cases[i].size_bytes)
            fail_msg("%s: %llu", cases[i].text, (unsigned long long)size_bytes);
    }
}

static void what_is_no_size_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "5",
        "GB",
        ".5GB",
        "5.GB",
        "1.5B",
        "1,5GB",
        "5 GB",
        " 5GB",
        "5GB ",
        "-5GB",
        "+5GB",
        "5gb",
        "5Gb",
        "5g",
        "5G",
        "5GiBs",
        "1.2.3GB",
        "1e3GB",
        "0x5GB",
        "fiveGB",
        "0.0000000000000000001EB",
        "9223372036854775808B",
        "8EiB",
        "9.3EB",
        "9223372036854775807KB",
        "18446744073709551616B",
        "99999999999999999999999999999999999999999999B",
        "340282366920938463463374607431768211461B", /* 2^128 + 5 */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t size_bytes;
        if (size_read(bad[i], &size_bytes, &err))
            fail_msg("\"%s\" was taken for a size", bad[i]);
        assert_int_equal(err.kind, ERR_INPUT);
    }
}

static void what_is_too_large_is_called_so(void **state)
{
    (void)state;
    static const char *const large[] = {"8EiB", "9223372036854775808B",
                                        "999999999999999999999999B"};
    for (size_t i = 0; i < sizeof large / sizeof large[0]; i++) {
        uint64_t size_bytes;
        assert_false(size_read(large[i], &size_bytes, &err));
        assert_non_null(strstr(err.text, "too large"));
    }
}

static void units_have_factors(void **state)
{
    (void)state;
    assert_int_equal(size_unit("B"), 1);
    assert_int_equal(size_unit("GB"), 1000000000);
    assert_int_equal(size_unit("GiB"), 1073741824);
    assert_int_equal(size_unit("gb"), 0);
    assert_int_equal(size_unit(""), 0);
    assert_int_equal(size_unit("GBx"), 0);
}

static void sizes_are_shown_with_three_digits(void **state)
{
    (void)state;
    static const struct {
        uint64_t size_bytes;
        const char *text;
    } cases[] = {
        {0, "0 B"},
        {512, "512 B"},
        {999, "999 B"},
        {1000, "1.00 kB"},
        {1004, "1.00 kB"},
        {1005, "1.01 kB"},
        {9994, "9.99 kB"},
        {9995, "10.0 kB"},
        {99949, "99.9 kB"},
        {99950, "100 kB"},
        {999499, "999 kB"},
        {999500, "1.00 MB"},
        {1000000, "1.00 MB"},
        {38200000000, "38.2 GB"},
        {123456789012345, "123 TB"},
        {999999999999999999, "1.00 EB"},
        {UINT64_MAX, "18.4 EB"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[SIZE_TEXT_MAX];
        size_text(cases[i].size_bytes, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void counts_have_commas(void **state)
{
    (void)state;
    static const struct {
        uint64_t count;
        const char *text;
    } cases[] = {
        {0, "0"},
        {7, "7"},
        {999, "999"},
        {1000, "1,000"},
        {23820, "23,820"},
        {100000, "100,000"},
        {1000000, "1,000,000"},
        {UINT64_MAX, "18,446,744,073,709,551,615"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[SIZE_TEXT_MAX + 8];
        size_count_text(cases[i].count, text);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_read),
        cmocka_unit_test(what_is_no_size_is_refused),
        cmocka_unit_test(what_is_too_large_is_called_so),
        cmocka_unit_test(units_have_factors),
        cmocka_unit_test(sizes_are_shown_with_three_digits),
        cmocka_unit_test(counts_have_commas),
    };
    return cmocka_run_group_tests_name("size", tests, NULL, NULL);
}
