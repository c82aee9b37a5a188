/* The catalog's contract: the same cases against memory, SQLite and PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/support/catalog_rig.h"

#define ITEMS(array) (sizeof(array) / sizeof((array)[0]))

static enum catalog_rig_kind kind; /* the adapter whose turn it is */

static int set_up(void **state)
{
    struct catalog_rig *rig = malloc(sizeof *rig);
    assert_non_null(rig);
    catalog_rig_open(rig, kind, NULL);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    catalog_rig_close(*state);
    free(*state);
    return 0;
}

/* -- helpers ----------------------------------------------------------------------------------- */

static struct catalog *connect_to(struct catalog_rig *rig)
{
    catalog_rig_connect(rig);
    return rig->catalog;
}

static void succeed(bool ok, const struct err *err)
{
    if (!ok)
        fail_msg("%s", err->text);
}

/* All ids in the order of a cursor, joined by blanks. */
static const char *ids_in_order(struct catalog_rig *rig)
{
    struct catalog *catalog = rig->catalog;
    struct catalog_cursor *cursor;
    const struct record *record;
    struct err err = {0};
    const char *ids = "";
    succeed(catalog->ops->cursor_open(catalog, &cursor, &err), &err);
    for (;;) {
        succeed(catalog->ops->cursor_next(cursor, &record, &err), &err);
        if (record == NULL)
            break;
        ids = str_format(&rig->arena, "%s%s%s", ids, *ids != '\0' ? " " : "", record->id);
    }
    /* Once more at the end is the end again. */
    succeed(catalog->ops->cursor_next(cursor, &record, &err), &err);
    assert_null(record);
    catalog->ops->cursor_close(cursor);
    return ids;
}

static const char *ids_of_snapshot(struct catalog_rig *rig)
{
    struct err err = {0};
    succeed(rig->catalog->ops->snapshot(rig->catalog, &err), &err);
    const char *ids = ids_in_order(rig);
    rig->catalog->ops->snapshot_end(rig->catalog);
    return ids;
}

static enum catalog_outcome cut_over(struct catalog_rig *rig, const struct catalog_cut *cut)
{
    struct catalog *catalog = connect_to(rig);
    enum catalog_outcome outcome = CATALOG_UNKNOWN;
    struct err err = {0};
    succeed(catalog->ops->cut_over(catalog, cut, &outcome, &err), &err);
    return outcome;
}

static struct catalog_sight look(struct catalog_rig *rig, const struct catalog_cut *cut, bool lock)
{
    struct catalog *catalog = connect_to(rig);
    struct catalog_sight sight = {.at_source = 99};
    struct err err = {0};
    succeed(catalog->ops->look(catalog, cut, lock, &sight, &err), &err);
    return sight;
}

/* Both looks, with and without a lock, see this. */
static void assert_sight(struct catalog_rig *rig, const struct catalog_cut *cut, uint32_t at_source,
                         uint32_t at_target, uint32_t elsewhere, uint32_t strangers)
{
    for (int lock = 0; lock < 2; lock++) {
        struct catalog_sight sight = look(rig, cut, lock != 0);
        assert_int_equal(sight.at_source, at_source);
        assert_int_equal(sight.at_target, at_target);
        assert_int_equal(sight.elsewhere, elsewhere);
        assert_int_equal(sight.strangers, strangers);
    }
}

static void assert_location(struct catalog_rig *rig, const char *id, const char *location)
{
    const char *found = catalog_rig_location(rig, id);
    if (!str_equal(found, location))
        fail_msg("%s is at %s, not at %s", id, found, location);
}

#define HOT "https://hot.example/c/"
#define COLD "https://cold.example/c/"

static const struct catalog_row TWO_ROWS[] = {
    {"A", HOT "a/1/x.mf4", COLD "a/1/x.mf4"},
    {"B", HOT "a/1/y.mf4", COLD "a/1/y.mf4"},
};
static const struct catalog_cut TWO = {.source = HOT "a/1/", .rows = TWO_ROWS, .count = 2};

static void put_two(struct catalog_rig *rig)
{
    for (size_t i = 0; i < ITEMS(TWO_ROWS); i++)
        catalog_rig_put(rig, TWO_ROWS[i].id, TWO_ROWS[i].old_location);
}

static void assert_two(struct catalog_rig *rig, bool moved)
{
    for (size_t i = 0; i < ITEMS(TWO_ROWS); i++)
        assert_location(rig, TWO_ROWS[i].id,
                        moved ? TWO_ROWS[i].new_location : TWO_ROWS[i].old_location);
}

/* -- reading ----------------------------------------------------------------------------------- */

static void rows_come_in_directory_order(void **state)
{
    struct catalog_rig *rig = *state;
    static const char *const rows[][2] = {
        /* directory, then location, then id, in byte order; NULL first */
        {"null-1", NULL},
        {"null-2", NULL},
        {"empty", ""},
        {"upper", "Z/q"},
        {"a-a1", "a/a1"},
        {"a-z", "a/z"},
        {"a1-b", "a/1/b"},
        {"a1-zz", "a/1/zz"},
        {"a1y-z", "a/1/y/z"},
        {"a10-x", "a/10/x"},
        {"ab-f", "a/b/f"},
        {"plain", "plain"},
        {"10", "z/q"},
        {"9", "z/q"},
        {"latin", "\xc3\xa9/x"},
        {"fffd", "\xef\xbf\xbd"},
        {"emoji", "\xf0\x9f\x98\x80/x"},
    };
    const char *expected = "";
    for (size_t i = 0; i < ITEMS(rows); i++) {
        const char *const *row = rows[i * 7 % ITEMS(rows)]; /* 17 of them, in another order */
        catalog_rig_put(rig, row[0], row[1]);
        expected = str_format(&rig->arena, "%s%s%s", expected, i > 0 ? " " : "", rows[i][0]);
    }
    connect_to(rig);
    assert_string_equal(ids_of_snapshot(rig), expected);
}

static void rows_that_stand_for_objects_come_in_order_of_location(void **state)
{
    struct catalog_rig *rig = *state;
    static const char *const rows[][2] = {
        {"null", NULL},        {"empty", ""},   {"a", "a"},          {"a-bak", "a.bak"},
        {"slash", "a/"},       {"a1", "a/1"},   {"a1-bak", "a/1.b"}, {"a1y-z", "a/1/y/z"},
        {"a1-zz", "a/1/zz"},   {"a10", "a/10"}, {"10", "a/z"},       {"9", "a/z"},
        {"latin", "\xc3\xa9"},
    };
    const char *expected = "";
    for (size_t i = 0; i < ITEMS(rows); i++) {
        const char *const *row = rows[i * 5 % ITEMS(rows)]; /* 13 of them, in another order */
        catalog_rig_put(rig, row[0], row[1]);
        expected = str_format(&rig->arena, "%s%s%s", expected, i > 0 ? " " : "", rows[i][0]);
    }
    rig->config.by_object = true;
    connect_to(rig);
    assert_string_equal(ids_of_snapshot(rig), expected);
}

static void an_empty_table_has_no_rows(void **state)
{
    connect_to(*state);
    assert_string_equal(ids_of_snapshot(*state), "");
}

static void a_record_says_where_its_directory_ends(void **state)
{
    struct catalog_rig *rig = *state;
    static const struct {
        const char *id, *location;
        size_t directory_bytes;
    } rows[] = {{"1", NULL, 0}, {"2", "plain", 0}, {"3", "a/b/c", 4}, {"4", "\xc3\xa9/", 3}};
    for (size_t i = 0; i < ITEMS(rows); i++)
        catalog_rig_put(rig, rows[i].id, rows[i].location);
    struct catalog *catalog = connect_to(rig);
    struct catalog_cursor *cursor;
    const struct record *record;
    struct err err = {0};
    succeed(catalog->ops->snapshot(catalog, &err), &err);
    succeed(catalog->ops->cursor_open(catalog, &cursor, &err), &err);
    size_t seen = 0;
    for (;; seen++) {
        succeed(catalog->ops->cursor_next(cursor, &record, &err), &err);
        if (record == NULL)
            break;
        size_t index = (size_t)(record->id[0] - '1');
        assert_true(str_equal(record->location, rows[index].location));
        assert_int_equal(record->directory_bytes, rows[index].directory_bytes);
        assert_false(record->has_time || record->has_bytes);
        assert_int_equal(record->field_count, CATALOG_RIG_FIELDS);
        for (size_t i = 0; i < record->field_count; i++)
            assert_int_equal(record->fields[i].kind, VALUE_NULL);
    }
    assert_int_equal(seen, ITEMS(rows));
    catalog->ops->cursor_close(cursor);
    catalog->ops->snapshot_end(catalog);
}

static void put_full_record(struct catalog_rig *rig)
{
    const struct value fields[CATALOG_RIG_FIELDS] = {
        {.kind = VALUE_TEXT, .text = {"m\xc3\xbcnchen", 8}},
        {.kind = VALUE_INTEGER, .integer = -7},
        {.kind = VALUE_DECIMAL, .decimal = {1, 1}},
        {.kind = VALUE_DECIMAL, .decimal = {-125, 2}},
        {.kind = VALUE_BOOLEAN, .boolean = true},
        {.kind = VALUE_DATE, .instant_us = INT64_C(1739491200000000)},
    };
    const struct record record = {
        .id = "full",
        .location = "a/b",
        .time_us = INT64_C(1739527200250000),
        .has_time = true,
        .bytes = 1500000001,
        .has_bytes = true,
        .fields = fields,
        .field_count = CATALOG_RIG_FIELDS,
    };
    if (rig->memory != NULL)
        catalog_memory_put(rig->memory, &record);
    else
        catalog_rig_sql(rig, "INSERT INTO ecal VALUES ('full', 'a/b',"
                             " '2025-02-14 10:00:00.25', 1.500000001, 'm\xc3\xbcnchen', -7, 0.1,"
                             " -1.250, true, '2025-02-14')");
}

static bool check_full_record(void *context, const struct record *record, struct err *err)
{
    (void)err;
    ++*(int *)context;
    assert_string_equal(record->id, "full");
    assert_string_equal(record->location, "a/b");
    assert_true(record->has_time);
    assert_int_equal(record->time_us, INT64_C(1739527200250000));
    assert_true(record->has_bytes);
    assert_int_equal(record->bytes, 1500000001);
    const struct value *fields = record->fields;
    assert_int_equal(fields[0].kind, VALUE_TEXT);
    assert_int_equal(fields[0].text.size_bytes, 8);
    assert_string_equal(fields[0].text.bytes, "m\xc3\xbcnchen");
    assert_int_equal(fields[1].kind, VALUE_INTEGER);
    assert_int_equal(fields[1].integer, -7);
    assert_int_equal(fields[2].kind, VALUE_DECIMAL);
    assert_int_equal(fields[2].decimal.unscaled, 1);
    assert_int_equal(fields[2].decimal.scale, 1);
    assert_int_equal(fields[3].kind, VALUE_DECIMAL);
    assert_int_equal(fields[3].decimal.unscaled, -125);
    assert_int_equal(fields[3].decimal.scale, 2);
    assert_int_equal(fields[4].kind, VALUE_BOOLEAN);
    assert_true(fields[4].boolean);
    assert_int_equal(fields[5].kind, VALUE_DATE);
    assert_int_equal(fields[5].instant_us, INT64_C(1739491200000000));
    return true;
}

static void values_keep_their_kinds(void **state)
{
    struct catalog_rig *rig = *state;
    put_full_record(rig);
    struct catalog *catalog = connect_to(rig);
    struct catalog_cursor *cursor;
    const struct record *record;
    struct err err = {0};
    int seen = 0;
    succeed(catalog->ops->snapshot(catalog, &err), &err);
    succeed(catalog->ops->cursor_open(catalog, &cursor, &err), &err);
    succeed(catalog->ops->cursor_next(cursor, &record, &err), &err);
    assert_non_null(record);
    check_full_record(&seen, record, &err);
    catalog->ops->cursor_close(cursor);
    catalog->ops->snapshot_end(catalog);

    succeed(catalog->ops->fetch(catalog, (const char *const[]){"full"}, 1, check_full_record, &seen,
                                &err),
            &err);
    assert_int_equal(seen, 2);
}

static void a_snapshot_stands_still_while_others_write(void **state)
{
    struct catalog_rig *rig = *state;
    struct err err = {0};
    if (kind == CATALOG_RIG_SQLITE) /* else a reader keeps writers from committing */
        catalog_rig_sql(rig, "PRAGMA journal_mode = WAL");
    put_two(rig);
    struct catalog *catalog = connect_to(rig);
    succeed(catalog->ops->snapshot(catalog, &err), &err);
    catalog_rig_put(rig, "C", HOT "a/2/z.mf4");
    assert_string_equal(ids_in_order(rig), "A B");
    catalog_rig_remove(rig, "C");
    assert_int_equal(cut_over(rig, &TWO), CATALOG_CUT); /* the same catalog, in the present */
    catalog_rig_put(rig, "C", HOT "a/2/z.mf4");
    assert_string_equal(ids_in_order(rig), "A B");
    catalog->ops->snapshot_end(catalog);
    assert_two(rig, true);
    assert_string_equal(ids_of_snapshot(rig), "A B C");
}

static void a_cursor_may_be_closed_early(void **state)
{
    struct catalog_rig *rig = *state;
    put_two(rig);
    struct catalog *catalog = connect_to(rig);
    struct catalog_cursor *cursor;
    const struct record *record;
    struct err err = {0};
    succeed(catalog->ops->snapshot(catalog, &err), &err);
    succeed(catalog->ops->cursor_open(catalog, &cursor, &err), &err);
    succeed(catalog->ops->cursor_next(cursor, &record, &err), &err);
    catalog->ops->cursor_close(cursor);
    catalog->ops->snapshot_end(catalog);
    assert_string_equal(ids_of_snapshot(rig), "A B");
    assert_int_equal(cut_over(rig, &TWO), CATALOG_CUT);
}

static void a_cursor_needs_a_snapshot(void **state)
{
    struct catalog *catalog = connect_to(*state);
    struct catalog_cursor *cursor;
    struct err err = {0};
    assert_false(catalog->ops->cursor_open(catalog, &cursor, &err));
    assert_int_equal(err.kind, ERR_INTERNAL);
    succeed(catalog->ops->snapshot(catalog, &err), &err);
    assert_false(catalog->ops->snapshot(catalog, &err));
    assert_int_equal(err.kind, ERR_INTERNAL);
    catalog->ops->snapshot_end(catalog);
}

/* -- cutting over ------------------------------------------------------------------------------ */

static void a_cut_moves_all_rows_once(void **state)
{
    struct catalog_rig *rig = *state;
    put_two(rig);
    assert_sight(rig, &TWO, 2, 0, 0, 0);
    assert_int_equal(cut_over(rig, &TWO), CATALOG_CUT);
    assert_two(rig, true);
    assert_sight(rig, &TWO, 0, 2, 0, 0);
    assert_int_equal(cut_over(rig, &TWO), CATALOG_CHANGED);
    assert_two(rig, true);
}

static void the_order_of_the_rows_does_not_matter(void **state)
{
    struct catalog_rig *rig = *state;
    put_two(rig);
    const struct catalog_row turned[] = {TWO_ROWS[1], TWO_ROWS[0]};
    const struct catalog_cut cut = {.source = TWO.source, .rows = turned, .count = 2};
    assert_int_equal(cut_over(rig, &cut), CATALOG_CUT);
    assert_two(rig, true);
}

static void a_row_that_somebody_changed_stops_the_cut(void **state)
{
    struct catalog_rig *rig = *state;
    put_two(rig);
    catalog_rig_move(rig, "B", HOT "elsewhere/y.mf4");
    assert_int_equal(cut_over(rig, &TWO), CATALOG_CHANGED);
    assert_location(rig, "A", HOT "a/1/x.mf4");
    assert_location(rig, "B", HOT "elsewhere/y.mf4");
    assert_sight(rig, &TWO, 1, 0, 1, 0);
}

static void a_row_moved_about_below_the_source_is_a_stranger_there(void **state)
{
    struct catalog_rig *rig = *state;
    put_two(rig);
    catalog_rig_move(rig, "B", HOT "a/1/renamed.mf4");
    assert_int_equal(cut_over(rig, &TWO), CATALOG_CHANGED);
    assert_location(rig, "A", HOT "a/1/x.mf4");
    assert_sight(rig, &TWO, 1, 0, 1, 1);
}

static void a_further_row_in_the_directory_stops_the_cut(void **state)
{
    struct catalog_rig *rig = *state;
    put_two(rig);
    catalog_rig_put(rig, "C", HOT "a/1/z.mf4");
    assert_int_equal(cut_over(rig, &TWO), CATALOG_CHANGED);
    assert_two(rig, false);
    assert_sight(rig, &TWO, 2, 0, 0, 1);
}

static void a_further_row_below_the_directory_stops_the_cut(void **state)
{
    struct catalog_rig *rig = *state;
    put_two(rig);
    catalog_rig_put(rig, "C", HOT "a/1/deep/down/z.mf4");
    assert_int_equal(cut_over(rig, &TWO), CATALOG_CHANGED);
    assert_two(rig, false);
    assert_sight(rig, &TWO, 2, 0, 0, 1);
}

static void a_row_that_names_the_directory_itself_stops_the_cut(void **state)
{
    struct catalog_rig *rig = *state;
    put_two(rig);
    catalog_rig_put(rig, "C", HOT "a/1/");
    assert_int_equal(cut_over(rig, &TWO), CATALOG_CHANGED);
    assert_sight(rig, &TWO, 2, 0, 0, 1);
}

static void a_row_that_is_gone_stops_the_cut(void **state)
{
    struct catalog_rig *rig = *state;
    put_two(rig);
    catalog_rig_remove(rig, "A");
    assert_int_equal(cut_over(rig, &TWO), CATALOG_CHANGED);
    assert_location(rig, "A", NULL);
    assert_location(rig, "B", HOT "a/1/y.mf4");
    assert_sight(rig, &TWO, 1, 0, 1, 0);
}

static void a_row_whose_location_became_null_stops_the_cut(void **state)
{
    struct catalog_rig *rig = *state;
    put_two(rig);
    catalog_rig_move(rig, "A", NULL);
    assert_int_equal(cut_over(rig, &TWO), CATALOG_CHANGED);
    assert_sight(rig, &TWO, 1, 0, 1, 0);
}

static void neighbours_that_share_a_prefix_are_not_touched(void **state)
{
    struct catalog_rig *rig = *state;
    static const char *const neighbours[][2] = {
        {"N1", HOT "a/10/x.mf4"}, {"N2", HOT "a/1"},        {"N3", HOT "a/1.mf4"},
        {"N4", HOT "a/0/x.mf4"},  {"N5", HOT "a/1-/x.mf4"}, {"N6", HOT "A/1/x.mf4"},
        {"N7", COLD "a/1/z.mf4"},
    };
    put_two(rig);
    for (size_t i = 0; i < ITEMS(neighbours); i++)
        catalog_rig_put(rig, neighbours[i][0], neighbours[i][1]);
    assert_sight(rig, &TWO, 2, 0, 0, 0);
    assert_int_equal(cut_over(rig, &TWO), CATALOG_CUT);
    assert_two(rig, true);
    for (size_t i = 0; i < ITEMS(neighbours); i++)
        assert_location(rig, neighbours[i][0], neighbours[i][1]);
}

/* What begins with an object's location is not at it; a second row of it is. */
static void a_cut_of_an_object_is_of_its_own_rows(void **state)
{
    struct catalog_rig *rig = *state;
    static const struct catalog_row rows[] = {{"A", HOT "a/1", COLD "a/1"},
                                              {"B", HOT "a/1", COLD "a/1"}};
    static const struct catalog_cut cut = {.source = HOT "a/1", .rows = rows, .count = 2};
    static const char *const neighbours[][2] = {
        {"N1", HOT "a/10"},   {"N2", HOT "a/1.bak"}, {"N3", HOT "a/1/x"},   {"N4", HOT "a/1/"},
        {"N5", HOT "a/"},     {"N6", HOT "a/1?x"},   {"N7", HOT "a/1\x01"}, {"N8", HOT "A/1"},
        {"N9", COLD "a/1/x"}, {"N0", HOT "a/0"},
    };
    for (size_t i = 0; i < ITEMS(neighbours); i++)
        catalog_rig_put(rig, neighbours[i][0], neighbours[i][1]);
    catalog_rig_put(rig, "A", HOT "a/1");
    catalog_rig_put(rig, "B", HOT "a/1");
    catalog_rig_put(rig, "C", HOT "a/1");
    assert_sight(rig, &cut, 2, 0, 0, 1);
    assert_int_equal(cut_over(rig, &cut), CATALOG_CHANGED);
    assert_location(rig, "A", HOT "a/1");

    catalog_rig_move(rig, "C", HOT "a/1c");
    assert_sight(rig, &cut, 2, 0, 0, 0);
    assert_int_equal(cut_over(rig, &cut), CATALOG_CUT);
    assert_sight(rig, &cut, 0, 2, 0, 0);
    assert_location(rig, "A", COLD "a/1");
    assert_location(rig, "B", COLD "a/1");
    for (size_t i = 0; i < ITEMS(neighbours); i++)
        assert_location(rig, neighbours[i][0], neighbours[i][1]);
    static const struct catalog_cut none = {.source = COLD "a/1"};
    assert_sight(rig, &none, 0, 0, 0, 2);
}

static void ids_and_locations_are_data_whatever_they_hold(void **state)
{
    struct catalog_rig *rig = *state;
    static const struct catalog_row rows[] = {
        {"x'); DROP TABLE ecal; --", HOT "q/it's \"x\".mf4", COLD "q/it's \"x\".mf4"},
        {"{\"a\",b\\\\,NULL}", HOT "q/100% {x,y}\\.mf4", COLD "q/100% {x,y}\\.mf4"},
        {"NULL", HOT "q/$1.mf4", COLD "q/$1.mf4"},
        {"", HOT "q/\xf0\x9f\x98\x80.mf4", COLD "q/\xf0\x9f\x98\x80.mf4"},
        {"007", HOT "q/seven.mf4", COLD "q/seven.mf4"},
    };
    const struct catalog_cut cut = {.source = HOT "q/", .rows = rows, .count = ITEMS(rows)};
    catalog_rig_put(rig, "7", HOT "p/other.mf4");
    for (size_t i = 0; i < ITEMS(rows); i++)
        catalog_rig_put(rig, rows[i].id, rows[i].old_location);
    assert_sight(rig, &cut, ITEMS(rows), 0, 0, 0);
    assert_int_equal(cut_over(rig, &cut), CATALOG_CUT);
    for (size_t i = 0; i < ITEMS(rows); i++)
        assert_location(rig, rows[i].id, rows[i].new_location);
    assert_location(rig, "7", HOT "p/other.mf4");
    assert_sight(rig, &cut, 0, ITEMS(rows), 0, 0);
}

static void a_cut_of_no_rows_only_looks_below(void **state)
{
    struct catalog_rig *rig = *state;
    const struct catalog_cut none = {.source = HOT "a/1/"};
    assert_sight(rig, &none, 0, 0, 0, 0);
    put_two(rig);
    assert_sight(rig, &none, 0, 0, 0, 2);
    assert_int_equal(cut_over(rig, &none), CATALOG_CHANGED);
}

static void a_directory_may_have_thousands_of_rows(void **state)
{
    enum { COUNT = 3000 };
    struct catalog_rig *rig = *state;
    struct catalog_row *rows = arena_make(&rig->arena, COUNT * sizeof *rows);
    for (size_t i = 0; i < COUNT; i++)
        rows[i] = (struct catalog_row){
            .id = str_format(&rig->arena, "R%zu", i),
            .old_location = str_format(&rig->arena, HOT "big/%zu.mf4", i),
            .new_location = str_format(&rig->arena, COLD "big/%zu.mf4", i),
        };
    if (rig->memory == NULL)
        catalog_rig_sql(rig, "BEGIN");
    for (size_t i = 0; i < COUNT; i++)
        catalog_rig_put(rig, rows[i].id, rows[i].old_location);
    if (rig->memory == NULL)
        catalog_rig_sql(rig, "COMMIT");
    const struct catalog_cut cut = {.source = HOT "big/", .rows = rows, .count = COUNT};
    const struct catalog_cut one = {.source = HOT "big/", .rows = rows, .count = 1};
    assert_int_equal(cut_over(rig, &one), CATALOG_CHANGED);
    assert_int_equal(look(rig, &one, false).at_source, 1);
    assert_true(look(rig, &one, false).strangers > 0);
    assert_int_equal(cut_over(rig, &cut), CATALOG_CUT);
    assert_sight(rig, &cut, 0, COUNT, 0, 0);
}

static void only_a_server_has_a_clock(void **state)
{
    struct catalog_rig *rig = *state;
    put_two(rig);
    int64_t server_us = look(rig, &TWO, false).server_us;
    if (kind != CATALOG_RIG_POSTGRES) {
        assert_int_equal(server_us, 0);
        return;
    }
    int64_t now_us = clock_real()->ops->now_us(clock_real());
    assert_true(llabs(server_us - now_us) < INT64_C(300000000));
}

/* -- what a cut sets --------------------------------------------------------------------------- */

enum { MAP, FRAMES, LENGTH, RATIO, VALID, DAY };

#define SET_ALL(sets_)                                                                             \
    .source = HOT "a/1/", .rows = TWO_ROWS, .count = 2, .sets = (sets_), .set_count = ITEMS(sets_)

/* The two rows of the cut and a neighbour, N; each has map hot and frames 1. */
static void put_three(struct catalog_rig *rig)
{
    static const struct value fields[CATALOG_RIG_FIELDS] = {
        [MAP] = {.kind = VALUE_TEXT, .text = {"hot", 3}},
        [FRAMES] = {.kind = VALUE_INTEGER, .integer = 1},
    };
    put_two(rig);
    catalog_rig_put(rig, "N", HOT "a/2/z.mf4");
    if (rig->memory == NULL) {
        catalog_rig_sql(rig, "UPDATE ecal SET map = 'hot', frames = 1");
        return;
    }
    for (const char *id = "ABN"; *id != '\0'; id++) {
        const char name[] = {*id, '\0'};
        catalog_memory_put(rig->memory,
                           &(struct record){.id = name,
                                            .location = catalog_rig_location(rig, name),
                                            .fields = fields,
                                            .field_count = CATALOG_RIG_FIELDS});
    }
}

struct kept {
    struct value fields[CATALOG_RIG_FIELDS];
    char map[16]; /* "": NULL */
};

static bool keep_fields(void *context, const struct record *record, struct err *err)
{
    (void)err;
    struct kept *kept = context;
    memcpy(kept->fields, record->fields, sizeof kept->fields);
    if (record->fields[MAP].kind == VALUE_TEXT)
        snprintf(kept->map, sizeof kept->map, "%s", record->fields[MAP].text.bytes);
    return true;
}

static struct kept fields_of(struct catalog_rig *rig, const char *id)
{
    struct catalog *catalog = connect_to(rig);
    struct kept kept = {0};
    struct err err = {0};
    succeed(catalog->ops->fetch(catalog, &id, 1, keep_fields, &kept, &err), &err);
    return kept;
}

/* As put_three left it. */
static void assert_untouched(struct catalog_rig *rig, const char *id)
{
    struct kept kept = fields_of(rig, id);
    assert_string_equal(kept.map, "hot");
    assert_int_equal(kept.fields[FRAMES].kind, VALUE_INTEGER);
    assert_int_equal(kept.fields[FRAMES].integer, 1);
    for (size_t i = LENGTH; i < CATALOG_RIG_FIELDS; i++)
        assert_int_equal(kept.fields[i].kind, VALUE_NULL);
}

static void describe_with(struct catalog_rig *rig, const struct catalog_set *sets, size_t count)
{
    struct catalog_shape shape;
    struct err err = {0};
    rig->config.sets = sets;
    rig->config.set_count = count;
    struct catalog *catalog = connect_to(rig);
    succeed(catalog->ops->describe(catalog, &rig->arena, &shape, &err), &err);
    assert_int_equal(shape.flaw_count, 0);
}

static void a_cut_sets_further_columns_of_its_rows(void **state)
{
    static const struct catalog_set sets[] = {
        {"map", "it's $1"}, {"frames", "7"},      {"length", "0.5"},
        {"ratio", "-1.25"}, {"is_valid", "true"}, {"day", "2025-02-14"},
    };
    static const struct catalog_cut cut = {SET_ALL(sets)};
    struct catalog_rig *rig = *state;
    put_three(rig);
    describe_with(rig, sets, ITEMS(sets));
    assert_int_equal(cut_over(rig, &cut), CATALOG_CUT);
    assert_two(rig, true);
    for (size_t i = 0; i < ITEMS(TWO_ROWS); i++) {
        struct kept kept = fields_of(rig, TWO_ROWS[i].id);
        assert_string_equal(kept.map, "it's $1");
        assert_int_equal(kept.fields[FRAMES].kind, VALUE_INTEGER);
        assert_int_equal(kept.fields[FRAMES].integer, 7);
        assert_int_equal(kept.fields[LENGTH].kind, VALUE_DECIMAL);
        assert_int_equal(kept.fields[LENGTH].decimal.unscaled, 5);
        assert_int_equal(kept.fields[RATIO].kind, VALUE_DECIMAL);
        assert_int_equal(kept.fields[RATIO].decimal.unscaled, -125);
        assert_int_equal(kept.fields[RATIO].decimal.scale, 2);
        assert_int_equal(kept.fields[VALID].kind, VALUE_BOOLEAN);
        assert_true(kept.fields[VALID].boolean);
        assert_int_equal(kept.fields[DAY].kind, VALUE_DATE);
        assert_int_equal(kept.fields[DAY].instant_us, INT64_C(1739491200000000));
    }
    assert_untouched(rig, "N");
}

/* The config has what all cuts set. */
static void a_cut_sets_no_more_than_its_own(void **state)
{
    static const struct catalog_set all[] = {
        {"frames", "7"}, {"map", "warm"}, {"map", NULL}, {"map", "cold"}};
    static const struct catalog_cut cut = {
        .source = HOT "a/1/", .rows = TWO_ROWS, .count = 2, .sets = &all[3], .set_count = 1};
    struct catalog_rig *rig = *state;
    put_three(rig);
    describe_with(rig, all, ITEMS(all));
    assert_int_equal(cut_over(rig, &cut), CATALOG_CUT);
    struct kept kept = fields_of(rig, "B");
    assert_string_equal(kept.map, "cold");
    assert_int_equal(kept.fields[FRAMES].integer, 1);
}

static void a_cut_may_set_null(void **state)
{
    static const struct catalog_set sets[] = {{"map", NULL}, {"frames", NULL}};
    static const struct catalog_cut cut = {SET_ALL(sets)};
    struct catalog_rig *rig = *state;
    put_three(rig);
    describe_with(rig, sets, ITEMS(sets));
    assert_int_equal(cut_over(rig, &cut), CATALOG_CUT);
    struct kept kept = fields_of(rig, "A");
    assert_int_equal(kept.fields[MAP].kind, VALUE_NULL);
    assert_int_equal(kept.fields[FRAMES].kind, VALUE_NULL);
    assert_untouched(rig, "N");
}

static void as_many_columns_are_set_as_there_may_be(void **state)
{
    struct catalog_rig *rig = *state;
    struct catalog_set sets[CATALOG_SETS_MAX];
    put_three(rig);
    for (size_t i = 0; i < ITEMS(sets); i++) {
        sets[i].column = str_format(&rig->arena, "column %zu", i);
        sets[i].value = str_format(&rig->arena, "value %zu", i);
        catalog_rig_add_column(
            rig, &(struct catalog_memory_column){.name = sets[i].column, .kind = VALUE_TEXT},
            "TEXT");
    }
    const struct catalog_cut cut = {SET_ALL(sets)};
    describe_with(rig, sets, ITEMS(sets));
    assert_int_equal(cut_over(rig, &cut), CATALOG_CUT);
    for (size_t i = 0; i < ITEMS(sets); i++) {
        assert_string_equal(catalog_rig_value(rig, "B", sets[i].column), sets[i].value);
        assert_null(catalog_rig_value(rig, "N", sets[i].column));
    }
}

static void a_cut_that_is_stopped_sets_nothing(void **state)
{
    static const struct catalog_set sets[] = {{"map", "cold"}};
    static const struct catalog_cut cut = {SET_ALL(sets)};
    struct catalog_rig *rig = *state;
    put_three(rig);
    describe_with(rig, sets, ITEMS(sets));
    catalog_rig_put(rig, "C", HOT "a/1/z.mf4");
    assert_int_equal(cut_over(rig, &cut), CATALOG_CHANGED);
    assert_two(rig, false);
    assert_untouched(rig, "A");
    assert_untouched(rig, "B");
    assert_sight(rig, &cut, 2, 0, 0, 1);
}

/* The only set can't be made, and no row is touched. */
static void refuse_set(struct catalog_rig *rig, const char *column, const char *value,
                       const char *why)
{
    const struct catalog_set set = {column, value};
    rig->config.sets = &set;
    rig->config.set_count = 1;
    catalog_rig_assert_flaw(
        rig, CATALOG_FLAW_SET, CATALOG_FIELD + CATALOG_RIG_FIELDS,
        str_format(&rig->arena, "the column `%s` can't be set: %s", column, why), NULL);
    rig->config.set_count = 0;
}

static void add_class_and_twice(struct catalog_rig *rig)
{
    const struct catalog_memory_column class = {
        .name = "class", .kind = VALUE_TEXT, .is_never_null = true};
    const struct catalog_memory_column twice = {
        .name = "twice", .kind = VALUE_INTEGER, .is_generated = true};
    catalog_rig_add_column(rig, &class, "TEXT NOT NULL DEFAULT 'hot'");
    catalog_rig_add_column(rig, &twice,
                           str_format(&rig->arena, "INTEGER GENERATED ALWAYS AS (frames * 2) %s",
                                      kind == CATALOG_RIG_POSTGRES ? "STORED" : "VIRTUAL"));
}

static void what_can_not_be_set_is_told_beforehand(void **state)
{
    struct catalog_rig *rig = *state;
    add_class_and_twice(rig);
    refuse_set(rig, "class", NULL, "it may not be NULL");
    refuse_set(rig, "twice", "2", "the database makes its values itself");
    refuse_set(rig, "twice", NULL, "the database makes its values itself");
    if (kind != CATALOG_RIG_SQLITE) { /* whose columns hold any text */
        refuse_set(rig, "frames", "seven", "");
        refuse_set(rig, "frames", "", "");
        refuse_set(rig, "ratio", "much", "");
        refuse_set(rig, "is_valid", "perhaps", "");
        refuse_set(rig, "day", "2025-02-30", "");
    }
    describe_with(rig, &(struct catalog_set){"class", "cold"}, 1);
}

/* -- rows by id -------------------------------------------------------------------------------- */

struct fetched {
    int count;
    size_t bytes; /* of the ids */
};

static bool count_fetched(void *context, const struct record *record, struct err *err)
{
    (void)err;
    struct fetched *fetched = context;
    fetched->count++;
    fetched->bytes += strlen(record->id);
    return true;
}

static bool refuse(void *context, const struct record *record, struct err *err)
{
    ++*(int *)context;
    return ERR(err, ERR_BUSY, "not %s", record->id);
}

static void fetch_finds_the_rows_that_exist(void **state)
{
    struct catalog_rig *rig = *state;
    struct fetched fetched = {0};
    struct err err = {0};
    put_two(rig);
    catalog_rig_put(rig, "7", NULL);
    struct catalog *catalog = connect_to(rig);
    static const char *const ids[] = {"B", "no such", "A", "007", "7", "' OR ''='"};
    succeed(catalog->ops->fetch(catalog, ids, ITEMS(ids), count_fetched, &fetched, &err), &err);
    assert_int_equal(fetched.count, 3);
    assert_int_equal(fetched.bytes, 3);
    succeed(catalog->ops->fetch(catalog, NULL, 0, count_fetched, &fetched, &err), &err);
    assert_int_equal(fetched.count, 3);
}

static void fetch_takes_more_ids_than_one_query_holds(void **state)
{
    enum { COUNT = 9000 };
    struct catalog_rig *rig = *state;
    struct fetched fetched = {0};
    struct err err = {0};
    const char **ids = arena_make(&rig->arena, COUNT * sizeof *ids);
    for (size_t i = 0; i < COUNT; i++)
        ids[i] = str_format(&rig->arena, "%zu", i);
    catalog_rig_put(rig, "1", "a/1");
    catalog_rig_put(rig, "4095", "a/2");
    catalog_rig_put(rig, "4096", "a/3");
    catalog_rig_put(rig, "8999", "a/4");
    struct catalog *catalog = connect_to(rig);
    succeed(catalog->ops->fetch(catalog, ids, COUNT, count_fetched, &fetched, &err), &err);
    assert_int_equal(fetched.count, 4);
}

static void below_finds_the_rows_of_a_directory(void **state)
{
    struct catalog_rig *rig = *state;
    struct fetched fetched = {0};
    struct err err = {0};
    catalog_rig_put(rig, "1", "a/1");
    catalog_rig_put(rig, "22", "a/b/2");
    catalog_rig_put(rig, "333", "a0/3"); /* '0' follows '/' */
    catalog_rig_put(rig, "4444", "a.4");
    catalog_rig_put(rig, "55555", NULL);
    struct catalog *catalog = connect_to(rig);
    succeed(catalog->ops->below(catalog, "a/", 10, count_fetched, &fetched, &err), &err);
    assert_int_equal(fetched.count, 2);
    assert_int_equal(fetched.bytes, 3);
    succeed(catalog->ops->below(catalog, "a/", 1, count_fetched, &fetched, &err), &err);
    assert_int_equal(fetched.count, 3);
    succeed(catalog->ops->below(catalog, "no such/", 10, count_fetched, &fetched, &err), &err);
    assert_int_equal(fetched.count, 3);
    int asked = 0;
    assert_false(catalog->ops->below(catalog, "a/", 10, refuse, &asked, &err));
    assert_int_equal(asked, 1);
}

static void below_an_object_is_itself_alone(void **state)
{
    struct catalog_rig *rig = *state;
    struct fetched fetched = {0};
    struct err err = {0};
    catalog_rig_put(rig, "1", "a/b");
    catalog_rig_put(rig, "22", "a/b");
    catalog_rig_put(rig, "333", "a/b/c");
    catalog_rig_put(rig, "4444", "a/b.bak");
    catalog_rig_put(rig, "55555", "a/bc");
    struct catalog *catalog = connect_to(rig);
    catalog_rig_put(rig, "666666", "a/b?c");
    succeed(catalog->ops->below(catalog, "a/b", 10, count_fetched, &fetched, &err), &err);
    assert_int_equal(fetched.count, 2);
    assert_int_equal(fetched.bytes, 3);
    succeed(catalog->ops->below(catalog, "a/b?", 10, count_fetched, &fetched, &err), &err);
    assert_int_equal(fetched.count, 3);
    assert_int_equal(fetched.bytes, 9);
    succeed(catalog->ops->below(catalog, "a/b#", 10, count_fetched, &fetched, &err), &err);
    assert_int_equal(fetched.count, 3);
}

static void a_visitor_that_refuses_is_not_asked_again(void **state)
{
    struct catalog_rig *rig = *state;
    struct err err = {0};
    int asked = 0;
    put_two(rig);
    struct catalog *catalog = connect_to(rig);
    static const char *const ids[] = {"A", "B"};
    assert_false(catalog->ops->fetch(catalog, ids, 2, refuse, &asked, &err));
    assert_int_equal(asked, 1);
    assert_int_equal(err.kind, ERR_BUSY);
    assert_int_equal(cut_over(rig, &TWO), CATALOG_CUT); /* and the catalog still works */
}

/* -- what a table is like ---------------------------------------------------------------------- */

static void describe_tells_kinds_and_identity(void **state)
{
    struct catalog_rig *rig = *state;
    struct catalog *catalog = connect_to(rig);
    struct catalog_shape shape;
    struct err err = {0};
    static const enum value_kind fields[] = {VALUE_TEXT,    VALUE_INTEGER, VALUE_DECIMAL,
                                             VALUE_DECIMAL, VALUE_BOOLEAN, VALUE_DATE};
    succeed(catalog->ops->describe(catalog, &rig->arena, &shape, &err), &err);
    assert_int_equal(shape.time, VALUE_INSTANT);
    assert_int_equal(shape.flaw_count, 0);
    assert_true(shape.time_is_naive);
    assert_int_equal(shape.size, VALUE_DECIMAL);
    assert_memory_equal(shape.fields, fields, sizeof fields);
    const char *identities[] = {
        "memory:///ecal",
        str_format(&rig->arena, "sqlite://%s#ecal", rig->path),
        str_format(&rig->arena, "postgres://%s:%s/%s/%s", secret_reveal(&rig->secrets[0]),
                   secret_reveal(&rig->secrets[1]), secret_reveal(&rig->secrets[2]), rig->table),
    };
    assert_string_equal(shape.identity, identities[kind]);
    assert_false(shape.location_indexed);
    assert_true(str_starts(shape.index_statement, "CREATE INDEX "));
}

static struct catalog_health examine(struct catalog_rig *rig)
{
    struct catalog *catalog = connect_to(rig);
    struct catalog_health health;
    struct err err = {0};
    succeed(catalog->ops->examine(catalog, &rig->arena, &health, &err), &err);
    return health;
}

static void examine_counts_and_tells_what_it_is(void **state)
{
    struct catalog_rig *rig = *state;
    static const char *const servers[] = {"memory", "SQLite ", "PostgreSQL "};
    put_two(rig);
    for (int round = 0; round < 2; round++) { /* and leaves nothing behind */
        struct catalog_health health = examine(rig);
        assert_true(str_starts(health.server, servers[kind]));
        assert_int_equal(health.rows, 2);
        assert_null(health.no_read);
        assert_null(health.no_write);
        assert_false(health.is_standby);
        assert_false(health.is_exposed);
    }
    assert_int_equal(cut_over(rig, &TWO), CATALOG_CUT);
}

static void examine_says_nothing_of_a_table_with_flaws(void **state)
{
    struct catalog_rig *rig = *state;
    put_two(rig);
    if (kind == CATALOG_RIG_MEMORY)
        skip(); /* which has no server to tell of */
    rig->config.location = "nowhere";
    struct catalog_health health = examine(rig);
    assert_non_null(health.server);
    assert_null(health.no_read);
    assert_null(health.no_write);
    assert_int_equal(health.rows, 0);
}

static struct catalog_shape describe(struct catalog_rig *rig)
{
    struct catalog *catalog = connect_to(rig);
    struct catalog_shape shape;
    struct err err = {0};
    succeed(catalog->ops->describe(catalog, &rig->arena, &shape, &err), &err);
    return shape;
}

static void assert_missing(const struct catalog_flaw *flaw, size_t part, const char *column,
                           const char *nearest)
{
    assert_int_equal(flaw->kind, CATALOG_FLAW_MISSING);
    assert_int_equal(flaw->part, part);
    assert_non_null(strstr(flaw->text, column));
    if (!str_equal(flaw->nearest, nearest))
        fail_msg("%s: %s is nearest", flaw->text, flaw->nearest);
}

static void all_that_is_missing_is_told_at_once(void **state)
{
    static const struct catalog_field fields[] = {
        {"map", "mapp"}, {"frames", "frames"}, {"odd", "nothing_like_it"}, {"again", "mapp"}};
    struct catalog_rig *rig = *state;
    rig->config.id = "ecal_if";
    rig->config.location = "ecal_names";
    rig->config.time = "recorded_at_noon";
    rig->config.size = "size_GB_";
    rig->config.fields = fields;
    rig->config.field_count = ITEMS(fields);
    struct catalog_shape shape = describe(rig);
    assert_int_equal(shape.flaw_count, 7);
    assert_missing(&shape.flaws[0], CATALOG_ID, "`ecal_if`", "ecal_id");
    assert_missing(&shape.flaws[1], CATALOG_LOCATION, "`ecal_names`", "ecal_name");
    assert_missing(&shape.flaws[2], CATALOG_TIME, "`recorded_at_noon`", NULL);
    assert_missing(&shape.flaws[3], CATALOG_SIZE, "`size_GB_`", NULL);
    assert_missing(&shape.flaws[4], CATALOG_FIELD, "`mapp`", "map");
    assert_missing(&shape.flaws[5], CATALOG_FIELD + 2, "`nothing_like_it`", NULL);
    assert_missing(&shape.flaws[6], CATALOG_FIELD + 3, "`mapp`", "map");
    assert_int_equal(shape.time, VALUE_NULL);
    assert_int_equal(shape.size, VALUE_NULL);
    assert_int_equal(shape.fields[0], VALUE_NULL);
    assert_int_equal(shape.fields[1], VALUE_INTEGER);
    assert_null(shape.index_statement);
}

/* Each where it stands, and what is right between them is not told. */
static void all_that_can_not_be_set_is_told_at_once(void **state)
{
    static const struct catalog_set sets[] = {
        {"twice", "2"},    {"mapp", "x"},   {"frames", "seven"}, {"map", "ok"},
        {"frames", "ten"}, {"class", NULL}, {"class", "ok"},     {"mapp", NULL}};
    enum { TWICE, MAPP, SEVEN, MAP_OK, TEN, CLASS_NULL, CLASS_OK, MAPP_NULL };
    static const size_t flawed[] = {TWICE, MAPP, SEVEN, TEN, CLASS_NULL, MAPP_NULL};
    struct catalog_rig *rig = *state;
    size_t next = 0;
    add_class_and_twice(rig);
    rig->config.size = "size_gbs";
    rig->config.sets = sets;
    rig->config.set_count = ITEMS(sets);
    struct catalog_shape shape = describe(rig);
    assert_missing(&shape.flaws[next++], CATALOG_SIZE, "`size_gbs`", "size_gb");
    for (size_t i = 0; i < ITEMS(flawed); i++) {
        size_t set = flawed[i], part = CATALOG_FIELD + CATALOG_RIG_FIELDS + set;
        if (kind == CATALOG_RIG_SQLITE && (set == SEVEN || set == TEN))
            continue;
        assert_true(next < shape.flaw_count);
        const struct catalog_flaw *flaw = &shape.flaws[next++];
        if (set == MAPP || set == MAPP_NULL) {
            assert_missing(flaw, part, "`mapp`", "map");
            continue;
        }
        assert_int_equal(flaw->kind, CATALOG_FLAW_SET);
        assert_int_equal(flaw->part, part);
        assert_non_null(strstr(flaw->text, str_format(&rig->arena, "`%s`", sets[set].column)));
    }
    assert_int_equal(shape.flaw_count, next);
}

static void a_table_that_is_missing_lacks_nothing_else(void **state)
{
    struct catalog_rig *rig = *state;
    const char *real = rig->config.table;
    rig->config.table = str_format(&rig->arena, "%sl", real);
    rig->config.id = "no_such_column";
    struct catalog_shape shape = describe(rig);
    assert_int_equal(shape.flaw_count, 1);
    assert_missing(&shape.flaws[0], CATALOG_TABLE, rig->config.table, real);
    for (size_t i = 0; i < rig->config.field_count; i++)
        assert_int_equal(shape.fields[i], VALUE_NULL);
}

static void a_location_is_text_and_an_id_is_a_key(void **state)
{
    struct catalog_rig *rig = *state;
    rig->config.id = "map";
    rig->config.location = "frames";
    struct catalog_shape shape = describe(rig);
    assert_int_equal(shape.flaw_count, 2);
    for (size_t i = 0; i < shape.flaw_count; i++) {
        bool is_id = shape.flaws[i].part == CATALOG_ID;
        assert_int_equal(shape.flaws[i].kind, is_id ? CATALOG_FLAW_KEY : CATALOG_FLAW_TYPE);
        assert_non_null(strstr(shape.flaws[i].text, is_id ? "`map`" : "`frames`"));
    }
    assert_null(shape.index_statement);
    rig->config.location = "ecal_name";
    shape = describe(rig);
    assert_int_equal(shape.flaw_count, 1);
    assert_true(str_starts(shape.index_statement, "CREATE INDEX ")); /* whatever else is wrong */
}

static bool never(void *context, const struct record *record, struct err *err)
{
    (void)context;
    return ERR(err, ERR_INTERNAL, "%s was visited", record->id);
}

/* And once the table is as it should be, the same catalog works. */
static void a_table_with_a_flaw_is_not_touched(void **state)
{
    struct catalog_rig *rig = *state;
    put_two(rig);
    rig->config.size = "no_such_column";
    struct catalog *catalog = connect_to(rig);
    enum catalog_outcome outcome;
    struct catalog_sight sight;
    struct catalog_cursor *cursor;
    struct err errs[5] = {0};
    assert_int_equal(describe(rig).flaw_count, 1);
    assert_false(catalog->ops->snapshot(catalog, &errs[0]) &&
                 catalog->ops->cursor_open(catalog, &cursor, &errs[0]));
    catalog->ops->snapshot_end(catalog);
    assert_false(catalog->ops->cut_over(catalog, &TWO, &outcome, &errs[1]));
    assert_false(catalog->ops->look(catalog, &TWO, true, &sight, &errs[2]));
    assert_false(
        catalog->ops->fetch(catalog, (const char *const[]){"A"}, 1, never, NULL, &errs[3]));
    assert_false(catalog->ops->below(catalog, HOT "a/1/", 10, never, NULL, &errs[4]));
    for (size_t i = 0; i < ITEMS(errs); i++) {
        assert_int_equal(errs[i].kind, ERR_MISSING);
        assert_non_null(strstr(errs[i].text, "`no_such_column`"));
    }
    assert_two(rig, false);
    rig->config.size = "size_gb";
    assert_int_equal(describe(rig).flaw_count, 0);
    assert_int_equal(cut_over(rig, &TWO), CATALOG_CUT);
    assert_two(rig, true);
}

static const struct CMUnitTest *case_list(size_t *count)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    static const struct CMUnitTest cases[] = {
        CASE(rows_come_in_directory_order),
        CASE(rows_that_stand_for_objects_come_in_order_of_location),
        CASE(an_empty_table_has_no_rows),
        CASE(a_record_says_where_its_directory_ends),
        CASE(values_keep_their_kinds),
        CASE(a_snapshot_stands_still_while_others_write),
        CASE(a_cursor_may_be_closed_early),
        CASE(a_cursor_needs_a_snapshot),
        CASE(a_cut_moves_all_rows_once),
        CASE(the_order_of_the_rows_does_not_matter),
        CASE(a_row_that_somebody_changed_stops_the_cut),
        CASE(a_row_moved_about_below_the_source_is_a_stranger_there),
        CASE(a_further_row_in_the_directory_stops_the_cut),
        CASE(a_further_row_below_the_directory_stops_the_cut),
        CASE(a_row_that_names_the_directory_itself_stops_the_cut),
        CASE(a_row_that_is_gone_stops_the_cut),
        CASE(a_row_whose_location_became_null_stops_the_cut),
        CASE(neighbours_that_share_a_prefix_are_not_touched),
        CASE(a_cut_of_an_object_is_of_its_own_rows),
        CASE(ids_and_locations_are_data_whatever_they_hold),
        CASE(a_cut_of_no_rows_only_looks_below),
        CASE(a_directory_may_have_thousands_of_rows),
        CASE(only_a_server_has_a_clock),
        CASE(a_cut_sets_further_columns_of_its_rows),
        CASE(a_cut_sets_no_more_than_its_own),
        CASE(a_cut_may_set_null),
        CASE(as_many_columns_are_set_as_there_may_be),
        CASE(a_cut_that_is_stopped_sets_nothing),
        CASE(what_can_not_be_set_is_told_beforehand),
        CASE(fetch_finds_the_rows_that_exist),
        CASE(below_finds_the_rows_of_a_directory),
        CASE(below_an_object_is_itself_alone),
        CASE(fetch_takes_more_ids_than_one_query_holds),
        CASE(a_visitor_that_refuses_is_not_asked_again),
        CASE(describe_tells_kinds_and_identity),
        CASE(examine_counts_and_tells_what_it_is),
        CASE(examine_says_nothing_of_a_table_with_flaws),
        CASE(all_that_is_missing_is_told_at_once),
        CASE(all_that_can_not_be_set_is_told_at_once),
        CASE(a_table_that_is_missing_lacks_nothing_else),
        CASE(a_location_is_text_and_an_id_is_a_key),
        CASE(a_table_with_a_flaw_is_not_touched),
    };
    *count = ITEMS(cases);
    return cases;
}

int main(void)
{
    int failed = 0;
    size_t count;
    const struct CMUnitTest *cases = case_list(&count);
    for (kind = CATALOG_RIG_MEMORY; kind <= CATALOG_RIG_POSTGRES; kind++)
        if (catalog_rig_is_there(kind)) {
            print_message("%s\n", catalog_rig_name(kind));
            failed += _cmocka_run_group_tests(catalog_rig_name(kind), cases, count, NULL, NULL);
        }
    return failed;
}
