/* Rows in PostgreSQL's binary format that contradict themselves are refused, whatever their bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"
#include "state/catalog_pg_wire.h"

#define ITEMS(array) (sizeof(array) / sizeof((array)[0]))

/* Three fields: "id", NULL, "". */
static const char ROW[] = "\0\3\0\0\0\2id\377\377\377\377\0\0\0\0";
#define ROW_BYTES (sizeof ROW - 1)

/* A copy with nothing behind it but its NUL, so that a sanitizer sees each byte too far. */
static bool read_row(const char *bytes, size_t size, size_t count, struct catalog_pg_field *fields,
                     bool *end)
{
    struct err err;
    char *copy = malloc(size + 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    copy[size] = '\0';
    bool ok = catalog_pg_wire_row(copy, size, fields, count, end, &err);
    if (ok && !*end)
        for (size_t i = 0; i < count; i++)
            if (fields[i].size >= 0)
                assert_int_equal(fields[i].bytes[fields[i].size], '\0');
    if (!ok)
        assert_int_equal(err.kind, ERR_CORRUPT);
    free(copy);
    return ok;
}

static void a_row_is_taken_apart(void **state)
{
    (void)state;
    struct catalog_pg_field fields[3];
    struct err err;
    bool end;
    char row[sizeof ROW];
    memcpy(row, ROW, sizeof ROW);
    assert_true(catalog_pg_wire_row(row, ROW_BYTES, fields, 3, &end, &err));
    assert_false(end);
    assert_string_equal(fields[0].bytes, "id");
    assert_int_equal(fields[1].size, -1);
    assert_int_equal(fields[2].size, 0);
    assert_string_equal(fields[2].bytes, "");
    assert_true(read_row("\377\377", 2, 3, fields, &end));
    assert_true(end);
}

static void a_row_that_is_cut_off_or_too_long_is_corrupt(void **state)
{
    (void)state;
    struct catalog_pg_field fields[4];
    bool end;
    for (size_t size = 0; size < ROW_BYTES; size++)
        assert_false(read_row(ROW, size, 3, fields, &end));
    assert_false(read_row(ROW, ROW_BYTES + 1, 3, fields, &end));
    assert_false(read_row(ROW, ROW_BYTES, 2, fields, &end));
    assert_false(read_row(ROW, ROW_BYTES, 4, fields, &end));
    assert_false(read_row("\0\1\177\377\377\377", 6, 1, fields, &end));
    assert_false(read_row("\0\1\377\377\377\376", 6, 1, fields, &end));
}

static void any_bytes_are_refused_or_read_within_bounds(void **state)
{
    (void)state;
    struct rand rand;
    rand_init(&rand, 1);
    for (int i = 0; i < 100000; i++) {
        struct catalog_pg_field fields[3];
        bool end;
        char row[sizeof ROW];
        memcpy(row, ROW, sizeof ROW);
        for (uint64_t edits = rand_below(&rand, 4); edits-- > 0;)
            row[rand_below(&rand, ROW_BYTES)] = (char)rand_next(&rand);
        read_row(row, rand_below(&rand, ROW_BYTES + 1), 3, fields, &end);
    }
}

static void a_header_is_checked(void **state)
{
    (void)state;
    static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\2xy";
    struct err err;
    size_t size;
    assert_true(catalog_pg_wire_header(header, sizeof header - 1, &size, &err));
    assert_int_equal(size, 21);
    for (size_t i = 0; i < sizeof header - 1; i++)
        assert_false(catalog_pg_wire_header(header, i, &size, &err));
    assert_false(catalog_pg_wire_header("PGCOPY\n\377\n\n\0\0\0\0\0\0\0\0\0", 19, &size, &err));
}

static void a_value_of_another_size_is_corrupt(void **state)
{
    (void)state;
    static const struct catalog_pg_column columns[] = {
        {.name = "c", .kind = VALUE_INTEGER},
        {.name = "c", .kind = VALUE_DECIMAL},
        {.name = "c", .kind = VALUE_BOOLEAN},
        {.name = "c", .kind = VALUE_INSTANT},
        {.name = "c", .kind = VALUE_DATE},
        {.name = "c", .kind = VALUE_DECIMAL, .floating = true},
    };
    static char bytes[16] = {0, 9}; /* as a numeric: nine digits, which are not there */
    const struct catalog_pg_field null = {.size = -1}, odd = {bytes, 3}, numeric = {bytes, 16};
    struct value value;
    struct err err;
    for (size_t i = 0; i < ITEMS(columns); i++) {
        assert_false(catalog_pg_wire_value(&columns[i], &odd, NULL, &value, &err));
        assert_int_equal(err.kind, ERR_CORRUPT);
        assert_true(catalog_pg_wire_value(&columns[i], &null, NULL, &value, &err));
        assert_int_equal(value.kind, VALUE_NULL);
    }
    assert_false(catalog_pg_wire_value(&columns[1], &numeric, NULL, &value, &err));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_row_is_taken_apart),
        cmocka_unit_test(a_row_that_is_cut_off_or_too_long_is_corrupt),
        cmocka_unit_test(any_bytes_are_refused_or_read_within_bounds),
        cmocka_unit_test(a_header_is_checked),
        cmocka_unit_test(a_value_of_another_size_is_corrupt),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
