/* Columns become the parts of a record: numbers keep their value, sizes are exact. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rand.h"
#include "state/catalog_value.h"

#define ITEMS(array) (sizeof(array) / sizeof((array)[0]))

static void assert_decimal(struct value value, int64_t unscaled, int32_t scale)
{
    assert_int_equal(value.kind, VALUE_DECIMAL);
    assert_int_equal(value.decimal.unscaled, unscaled);
    assert_int_equal(value.decimal.scale, scale);
}

static void a_decimal_is_in_its_shortest_form(void **state)
{
    (void)state;
    assert_decimal(catalog_value_decimal(1500, 3), 15, 1);
    assert_decimal(catalog_value_decimal(-1500, 2), -15, 0);
    assert_decimal(catalog_value_decimal(1500, 0), 1500, 0);
    assert_decimal(catalog_value_decimal(0, 36), 0, 0);
    assert_decimal(catalog_value_decimal(15, -3), 15000, 0);
    assert_decimal(catalog_value_decimal(INT64_MIN, 0), INT64_MIN, 0);
    assert_int_equal(catalog_value_decimal((__int128)INT64_MAX + 1, 0).kind, VALUE_NULL);
    assert_int_equal(catalog_value_decimal(1, -19).kind, VALUE_NULL);
    assert_int_equal(catalog_value_decimal(1, -1000).kind, VALUE_NULL);
    assert_int_equal(catalog_value_decimal(1, 37).kind, VALUE_NULL);
}

static void a_double_is_the_shortest_decimal_that_reads_back(void **state)
{
    (void)state;
    assert_decimal(catalog_value_double(0.1), 1, 1);
    assert_decimal(catalog_value_double(-12.375), -12375, 3);
    assert_decimal(catalog_value_double(-0.0), 0, 0);
    assert_decimal(catalog_value_double(1e15), 1000000000000000, 0);
    assert_decimal(catalog_value_double(0.30000000000000004), 30000000000000004, 17);
    assert_decimal(catalog_value_double(1.0 / 3), 3333333333333333, 16);
    assert_decimal(catalog_value_double(1e-20), 1, 20);
    assert_decimal(catalog_value_double(1e-30), 1, 30);
    assert_decimal(catalog_value_double(-0x1p63 + 1024), -9223372036854774784, 0);
    assert_decimal(catalog_value_float(0.1f), 1, 1);
    assert_decimal(catalog_value_float(16777216.0f), 16777216, 0);
    assert_decimal(catalog_value_float(1.5e-25f), 15, 26);
    const double unknown[] = {NAN, INFINITY, -INFINITY, 0x1p63, -0x1p63, 1e300, DBL_MIN, 1e-37};
    for (size_t i = 0; i < ITEMS(unknown); i++)
        assert_int_equal(catalog_value_double(unknown[i]).kind, VALUE_NULL);
}

static void any_double_reads_back_as_itself(void **state)
{
    (void)state;
    struct rand rand;
    rand_init(&rand, 1);
    for (int i = 0; i < 200000; i++) {
        char text[64];
        double number = ldexp((double)(rand_next(&rand) >> 11), (int)rand_below(&rand, 60) - 80);
        struct value value = catalog_value_double(number);
        assert_int_equal(value.kind, VALUE_DECIMAL);
        snprintf(text, sizeof text, "%llde-%d", (long long)value.decimal.unscaled,
                 (int)value.decimal.scale);
        if (strtod(text, NULL) != number)
            fail_msg("%.17g became %s", number, text);
        value = catalog_value_float((float)number);
        snprintf(text, sizeof text, "%llde-%d", (long long)value.decimal.unscaled,
                 (int)value.decimal.scale);
        if (strtof(text, NULL) != (float)number)
            fail_msg("%.9g became %s", number, text);
    }
}

static void assert_size(struct value size, uint64_t unit, bool has_bytes, uint64_t bytes)
{
    struct record record = {.bytes = 99};
    catalog_value_set_size(&record, &size, unit);
    assert_int_equal(record.has_bytes, has_bytes);
    assert_int_equal(record.bytes, bytes);
}

static void a_size_is_exact(void **state)
{
    (void)state;
    const uint64_t giga = 1000000000;
    assert_size(catalog_value_decimal(1500000001, 9), giga, true, 1500000001);
    assert_size(catalog_value_decimal(1, 1), giga, true, 100000000);
    assert_size(catalog_value_double(0.1), giga, true, 100000000);
    assert_size(catalog_value_decimal(15, 10), giga, true, 2); /* 1.5 bytes */
    assert_size(catalog_value_decimal(14, 10), giga, true, 1);
    assert_size(catalog_value_decimal(1, 36), giga, true, 0);
    assert_size(catalog_value_decimal(0, 0), giga, true, 0);
    assert_size(catalog_value_decimal(-1, 9), giga, false, 0);
    assert_size(catalog_value_decimal(INT64_MAX, 0), 1, true, INT64_MAX);
    assert_size(catalog_value_decimal(INT64_MAX, 0), 2, false, 0);
    assert_size(catalog_value_decimal(INT64_MAX, 18), UINT64_C(1) << 60, false, 0);
    assert_size((struct value){.kind = VALUE_INTEGER, .integer = 7}, 1024, true, 7168);
    assert_size((struct value){.kind = VALUE_INTEGER, .integer = -7}, 1024, false, 0);
    assert_size((struct value){.kind = VALUE_NULL}, giga, false, 0);
    assert_size((struct value){.kind = VALUE_TEXT, .text = {"7", 1}}, giga, false, 0);
}

static void an_instant_is_of_the_years_that_have_four_digits(void **state)
{
    (void)state;
    const int64_t first_us = INT64_C(-62135596800000000), end_us = INT64_C(253402300800000000);
    assert_int_equal(catalog_value_instant(VALUE_INSTANT, first_us).kind, VALUE_INSTANT);
    assert_int_equal(catalog_value_instant(VALUE_INSTANT, first_us - 1).kind, VALUE_NULL);
    assert_int_equal(catalog_value_instant(VALUE_DATE, end_us - 1).kind, VALUE_DATE);
    assert_int_equal(catalog_value_instant(VALUE_DATE, end_us).kind, VALUE_NULL);
    assert_int_equal(catalog_value_instant(VALUE_DATE, INT64_MIN).kind, VALUE_NULL);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_decimal_is_in_its_shortest_form),
        cmocka_unit_test(a_double_is_the_shortest_decimal_that_reads_back),
        cmocka_unit_test(any_double_reads_back_as_itself),
        cmocka_unit_test(a_size_is_exact),
        cmocka_unit_test(an_instant_is_of_the_years_that_have_four_digits),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
