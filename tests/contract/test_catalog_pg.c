/* What only PostgreSQL's tables can be: types, keys, indexes, names, refusals. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/zone.h"
#include "tests/support/catalog_rig.h"

#define ITEMS(array) (sizeof(array) / sizeof((array)[0]))
#define HOT "https://hot.example/c/"
#define COLD "https://cold.example/c/"

static int set_up(void **state)
{
    *state = malloc(sizeof(struct catalog_rig));
    assert_non_null(*state);
    return 0;
}

static int tear_down(void **state)
{
    catalog_rig_close(*state);
    free(*state);
    return 0;
}

static void open_rig(struct catalog_rig *rig, const char *create)
{
    catalog_rig_open(rig, CATALOG_RIG_POSTGRES, create);
}

/* A table with the two rows of the cut. */
static void open_two(struct catalog_rig *rig)
{
    open_rig(rig, NULL);
    catalog_rig_put_cut(rig);
}

/* -- types ------------------------------------------------------------------------------------- */

struct typed {
    const char *type, *literal;
    enum value_kind column; /* what describe says */
    struct value value;
};

#define TEXT_(text_)                                                                               \
    {                                                                                              \
        .kind = VALUE_TEXT, .text = {(text_), sizeof(text_) - 1 }                                  \
    }
#define INTEGER_(number)                                                                           \
    {                                                                                              \
        .kind = VALUE_INTEGER, .integer = (number)                                                 \
    }
#define DECIMAL_(unscaled, scale)                                                                  \
    {                                                                                              \
        .kind = VALUE_DECIMAL, .decimal = {(unscaled), (scale) }                                   \
    }
#define INSTANT_(us)                                                                               \
    {                                                                                              \
        .kind = VALUE_INSTANT, .instant_us = INT64_C(us)                                           \
    }
#define UNKNOWN_                                                                                   \
    {                                                                                              \
        .kind = VALUE_NULL                                                                         \
    }

static const struct typed TYPED[] = {
    {"smallint", "-32768", VALUE_INTEGER, INTEGER_(-32768)},
    {"integer", "-2147483648", VALUE_INTEGER, INTEGER_(INT32_MIN)},
    {"bigint", "-9223372036854775808", VALUE_INTEGER, INTEGER_(INT64_MIN)},
    {"bigint", "NULL", VALUE_INTEGER, UNKNOWN_},
    {"numeric", "0", VALUE_DECIMAL, DECIMAL_(0, 0)},
    {"numeric", "12.3400", VALUE_DECIMAL, DECIMAL_(1234, 2)},
    {"numeric", "-0.00012", VALUE_DECIMAL, DECIMAL_(-12, 5)},
    {"numeric", "120000", VALUE_DECIMAL, DECIMAL_(120000, 0)},
    {"numeric", "922337203685477580.7", VALUE_DECIMAL, DECIMAL_(INT64_MAX, 1)},
    {"numeric", "9223372036854775808", VALUE_DECIMAL, UNKNOWN_},
    {"numeric", "1e-36", VALUE_DECIMAL, DECIMAL_(1, 36)},
    {"numeric", "1e-37", VALUE_DECIMAL, UNKNOWN_},
    {"numeric", "1e300", VALUE_DECIMAL, UNKNOWN_},
    {"numeric", "'NaN'", VALUE_DECIMAL, UNKNOWN_},
    {"real", "0.1", VALUE_DECIMAL, DECIMAL_(1, 1)},
    {"real", "16777216", VALUE_DECIMAL, DECIMAL_(16777216, 0)},
    {"real", "'-infinity'", VALUE_DECIMAL, UNKNOWN_},
    {"double precision", "0.1", VALUE_DECIMAL, DECIMAL_(1, 1)},
    {"double precision", "0.30000000000000004", VALUE_DECIMAL, DECIMAL_(30000000000000004, 17)},
    {"double precision", "-1e18", VALUE_DECIMAL, DECIMAL_(-1000000000000000000, 0)},
    {"double precision", "1e300", VALUE_DECIMAL, UNKNOWN_},
    {"double precision", "'NaN'", VALUE_DECIMAL, UNKNOWN_},
    {"double precision", "'infinity'", VALUE_DECIMAL, UNKNOWN_},
    {"boolean", "false", VALUE_BOOLEAN, {.kind = VALUE_BOOLEAN, .boolean = false}},
    {"text", "''", VALUE_TEXT, TEXT_("")},
    {"varchar(9)", "'varchar'", VALUE_TEXT, TEXT_("varchar")},
    {"char(9)", "'padded'", VALUE_TEXT, TEXT_("padded")},
    {"name", "'a name'", VALUE_TEXT, TEXT_("a name")},
    {"uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", VALUE_TEXT,
     TEXT_("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")},
    {"mood", "'so-so'", VALUE_TEXT, TEXT_("so-so")},
    {"tiny", "7", VALUE_INTEGER, INTEGER_(7)},
    {"tinier", "3", VALUE_INTEGER, INTEGER_(3)},
    {"timestamptz", "'2025-02-14 10:00:00.25+01'", VALUE_INSTANT, INSTANT_(1739523600250000)},
    {"timestamptz", "'infinity'", VALUE_INSTANT, UNKNOWN_},
    {"timestamptz", "'-infinity'", VALUE_INSTANT, UNKNOWN_},
    {"timestamptz", "'10000-01-01 00:00Z'", VALUE_INSTANT, UNKNOWN_},
    {"timestamptz", "'0001-01-01 00:00Z'", VALUE_INSTANT, INSTANT_(-62135596800000000)},
    {"timestamp", "'2025-02-14 10:00'", VALUE_INSTANT, INSTANT_(1739523600000000)}, /* Berlin */
    {"timestamp", "'2025-07-14 10:00'", VALUE_INSTANT, INSTANT_(1752480000000000)},
    {"timestamp", "'infinity'", VALUE_INSTANT, UNKNOWN_},
    {"date",
     "'2025-02-14'",
     VALUE_DATE,
     {.kind = VALUE_DATE, .instant_us = INT64_C(1739491200000000)}},
    {"date", "'infinity'", VALUE_DATE, UNKNOWN_},
    {"jsonb", "'{}'", VALUE_UNSUPPORTED, UNKNOWN_},
    {"integer[]", "'{1}'", VALUE_UNSUPPORTED, UNKNOWN_},
    {"interval", "'1 day'", VALUE_UNSUPPORTED, UNKNOWN_},
    {"bytea", "'x'", VALUE_UNSUPPORTED, UNKNOWN_},
};

static void assert_value(size_t index, const struct value *value)
{
    const struct value *expected = &TYPED[index].value;
    bool same = value->kind == expected->kind;
    if (same && value->kind == VALUE_TEXT)
        same = value->text.size_bytes == expected->text.size_bytes &&
               strcmp(value->text.bytes, expected->text.bytes) == 0;
    else if (same && value->kind == VALUE_INTEGER)
        same = value->integer == expected->integer;
    else if (same && value->kind == VALUE_DECIMAL)
        same = value->decimal.unscaled == expected->decimal.unscaled &&
               value->decimal.scale == expected->decimal.scale;
    else if (same && value->kind == VALUE_BOOLEAN)
        same = value->boolean == expected->boolean;
    else if (same && value->kind != VALUE_NULL)
        same = value->instant_us == expected->instant_us;
    if (!same)
        fail_msg("%s %s is read as kind %d, %lld", TYPED[index].type, TYPED[index].literal,
                 (int)value->kind, (long long)value->integer);
}

static bool check_typed(void *context, const struct record *record, struct err *err)
{
    (void)err;
    for (size_t i = 0; i < ITEMS(TYPED); i++)
        assert_value(i, &record->fields[i]);
    ++*(int *)context;
    return true;
}

static void create_typed(struct catalog_rig *rig)
{
    const char *columns = "", *literals = "";
    struct catalog_field *fields = arena_make(&rig->arena, sizeof *fields * ITEMS(TYPED));
    for (size_t i = 0; i < ITEMS(TYPED); i++) {
        const char *name = str_format(&rig->arena, "c%zu", i);
        columns = str_format(&rig->arena, "%s, %s %s", columns, name, TYPED[i].type);
        literals = str_format(&rig->arena, "%s, %s", literals, TYPED[i].literal);
        fields[i] = (struct catalog_field){name, name};
    }
    catalog_rig_sql(rig, "CREATE TYPE mood AS ENUM ('so-so', 'fine')");
    catalog_rig_sql(rig, "CREATE DOMAIN tiny AS smallint CHECK (VALUE < 10)");
    catalog_rig_sql(rig, "CREATE DOMAIN tinier AS tiny CHECK (VALUE < 5)");
    catalog_rig_sql(rig, "CREATE TABLE ecal (ecal_id text PRIMARY KEY, ecal_name text %s)",
                    columns);
    catalog_rig_sql(rig, "INSERT INTO ecal VALUES ('1', 'a/b' %s)", literals);
    rig->config.fields = fields;
    rig->config.field_count = ITEMS(TYPED);
    rig->config.time = rig->config.size = NULL;
}

static void every_type_is_read_or_unknown(void **state)
{
    struct catalog_rig *rig = *state;
    struct catalog_shape shape;
    struct catalog_cursor *cursor;
    const struct record *record;
    struct err err = {0};
    int seen = 0;
    open_rig(rig, "SELECT 1");
    create_typed(rig);
    catalog_rig_succeed(zone_open("Europe/Berlin", &rig->arena, &rig->config.time_zone, &err),
                        &err);
    catalog_rig_connect(rig);
    struct catalog *catalog = rig->catalog;
    catalog_rig_succeed(catalog->ops->describe(catalog, &rig->arena, &shape, &err), &err);
    for (size_t i = 0; i < ITEMS(TYPED); i++)
        assert_int_equal(shape.fields[i], TYPED[i].column);
    catalog_rig_succeed(catalog->ops->snapshot(catalog, &err), &err);
    catalog_rig_succeed(catalog->ops->cursor_open(catalog, &cursor, &err), &err);
    catalog_rig_succeed(catalog->ops->cursor_next(cursor, &record, &err), &err);
    check_typed(&seen, record, &err);
    catalog->ops->cursor_close(cursor);
    catalog->ops->snapshot_end(catalog);
    catalog_rig_succeed(
        catalog->ops->fetch(catalog, (const char *const[]){"1"}, 1, check_typed, &seen, &err),
        &err);
    assert_int_equal(seen, 2);
}

static void describe_time(struct catalog_rig *rig, const char *type, enum value_kind kind,
                          bool naive)
{
    struct catalog_shape shape;
    struct err err = {0};
    catalog_rig_sql(rig, "ALTER TABLE ecal ALTER recorded TYPE %s USING NULL", type);
    catalog_rig_connect(rig);
    catalog_rig_succeed(rig->catalog->ops->describe(rig->catalog, &rig->arena, &shape, &err), &err);
    assert_int_equal(shape.time, kind);
    assert_int_equal(shape.time_is_naive, naive);
}

static void a_time_without_a_zone_is_naive(void **state)
{
    struct catalog_rig *rig = *state;
    open_rig(rig, NULL);
    describe_time(rig, "timestamp", VALUE_INSTANT, true);
    describe_time(rig, "timestamptz", VALUE_INSTANT, false);
    describe_time(rig, "date", VALUE_DATE, true);
    describe_time(rig, "text", VALUE_TEXT, false);
}

static bool keep_time(void *context, const struct record *record, struct err *err)
{
    (void)err;
    *(int64_t *)context = record->has_time ? record->time_us : 0;
    return true;
}

static void a_date_as_the_time_is_the_midnight_of_the_zone(void **state)
{
    struct catalog_rig *rig = *state;
    struct err err = {0};
    int64_t time_us = 0;
    open_rig(rig, NULL);
    catalog_rig_sql(rig, "ALTER TABLE ecal ALTER recorded TYPE date");
    catalog_rig_sql(rig, "INSERT INTO ecal (ecal_id, recorded) VALUES ('1', '2025-02-14')");
    catalog_rig_succeed(zone_open("Europe/Berlin", &rig->arena, &rig->config.time_zone, &err),
                        &err);
    catalog_rig_connect(rig);
    catalog_rig_succeed(rig->catalog->ops->fetch(rig->catalog, (const char *const[]){"1"}, 1,
                                                 keep_time, &time_us, &err),
                        &err);
    assert_int_equal(time_us, INT64_C(1739487600000000));
}

/* -- keys -------------------------------------------------------------------------------------- */

static void retype_id(struct catalog_rig *rig, const char *type, const char *expression)
{
    catalog_rig_sql(rig, "ALTER TABLE ecal ALTER ecal_id TYPE %s USING %s", type, expression);
}

static void ids_may_be_numbers(void **state)
{
    struct catalog_rig *rig = *state;
    static const char *const types[] = {"smallint", "integer", "bigint", "numeric"};
    static const char *const ids[] = {"1", "01", "1.0", "x", "", "99999999999999999999", "2"};
    open_two(rig);
    for (size_t i = 0; i < ITEMS(types); i++) {
        retype_id(rig, types[i], str_format(&rig->arena, "ecal_id::%s", types[i]));
        assert_int_equal(catalog_rig_fetch(rig, ids, ITEMS(ids)), 2);
        catalog_rig_assert_cut(rig, CATALOG_CUT);
        struct err err = {0};
        struct catalog_sight sight;
        catalog_rig_succeed(
            rig->catalog->ops->look(rig->catalog, &catalog_rig_cut, true, &sight, &err), &err);
        assert_int_equal(sight.at_target, 2);
        retype_id(rig, "text", "ecal_id::text");
        catalog_rig_assert_moved(rig, true);
        catalog_rig_put_back(rig);
    }
}

static void ids_may_be_uuids(void **state)
{
    struct catalog_rig *rig = *state;
    static const char *const ids[] = {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
                                      "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc99", "1"};
    const struct catalog_row row = {ids[0], HOT "a/1/x.mf4", COLD "a/1/x.mf4"};
    const struct catalog_cut cut = {.source = HOT "a/1/", .rows = &row, .count = 1};
    enum catalog_outcome outcome = CATALOG_UNKNOWN;
    struct err err = {0};
    open_rig(rig, "CREATE TABLE ecal (ecal_id uuid PRIMARY KEY, ecal_name varchar(200))");
    rig->config.time = rig->config.size = NULL;
    rig->config.field_count = 0;
    catalog_rig_sql(rig, "INSERT INTO ecal VALUES ('%s', '%s')", row.id, row.old_location);
    assert_int_equal(catalog_rig_fetch(rig, ids, ITEMS(ids)), 1);
    catalog_rig_succeed(rig->catalog->ops->cut_over(rig->catalog, &cut, &outcome, &err), &err);
    assert_int_equal(outcome, CATALOG_CUT);
}

static void an_id_needs_a_key_of_its_own(void **state)
{
    struct catalog_rig *rig = *state;
    open_rig(rig, NULL);
    catalog_rig_sql(rig, "ALTER TABLE ecal DROP CONSTRAINT ecal_pkey");
    catalog_rig_sql(rig, "ALTER TABLE ecal ALTER ecal_id DROP NOT NULL");
    catalog_rig_assert_flaw(rig, CATALOG_FLAW_KEY, CATALOG_ID, "`ecal_id` has no primary or unique",
                            NULL);
    catalog_rig_sql(rig, "CREATE UNIQUE INDEX two ON ecal (ecal_id, ecal_name)");
    catalog_rig_sql(rig, "CREATE UNIQUE INDEX part ON ecal (ecal_id) WHERE is_valid");
    catalog_rig_sql(rig, "CREATE UNIQUE INDEX lower ON ecal (lower(ecal_id))");
    catalog_rig_sql(rig, "CREATE INDEX plain ON ecal (ecal_id)");
    catalog_rig_assert_flaw(rig, CATALOG_FLAW_KEY, CATALOG_ID, "`ecal_id` has no primary or unique",
                            NULL);
    catalog_rig_sql(rig, "CREATE UNIQUE INDEX one ON ecal (ecal_id)");
    catalog_rig_assert_flaw(rig, CATALOG_FLAW_KEY, CATALOG_ID, "`ecal_id` may be NULL", NULL);
    catalog_rig_sql(rig, "ALTER TABLE ecal ALTER ecal_id SET NOT NULL");
    struct catalog_shape shape;
    struct err err = {0};
    catalog_rig_succeed(rig->catalog->ops->describe(rig->catalog, &rig->arena, &shape, &err), &err);
}

/* A table that others inherit from shows their rows too, and no key keeps those apart. */
static void an_id_that_comes_twice_stops_the_cut(void **state)
{
    struct catalog_rig *rig = *state;
    open_rig(rig, NULL);
    catalog_rig_sql(rig, "CREATE TABLE heir () INHERITS (ecal)");
    catalog_rig_put(rig, catalog_rig_cut.rows[0].id, catalog_rig_cut.rows[0].old_location);
    catalog_rig_sql(rig, "INSERT INTO heir (ecal_id, ecal_name) VALUES ('%s', '%s')",
                    catalog_rig_cut.rows[0].id, catalog_rig_cut.rows[0].old_location);
    catalog_rig_assert_cut(rig, CATALOG_CHANGED);
    catalog_rig_put(rig, catalog_rig_cut.rows[1].id, catalog_rig_cut.rows[1].old_location);
    catalog_rig_assert_cut(rig, CATALOG_CHANGED);
    catalog_rig_sql(rig, "DROP TABLE heir");
    catalog_rig_assert_moved(rig, false);
    catalog_rig_assert_cut(rig, CATALOG_CUT);
}

/* -- indexes ----------------------------------------------------------------------------------- */

/* The server's own count of how often the index served; a backend tells it when it ends. */
static bool was_used(struct catalog_rig *rig, const char *index)
{
    const char *sql = str_format(&rig->arena,
                                 "SELECT idx_scan FROM pg_stat_user_indexes WHERE schemaname ="
                                 " current_schema() AND indexrelname = '%s'",
                                 index);
    for (int i = 0; i < 100; i++) {
        PGresult *result = PQexec(rig->postgres, sql);
        bool used = PQntuples(result) == 1 && strcmp(PQgetvalue(result, 0, 0), "0") != 0;
        PQclear(result);
        if (used)
            return true;
        catalog_rig_sql(rig, "SELECT pg_sleep(0.05)");
    }
    return false;
}

static void index_serves(struct catalog_rig *rig, const char *columns, bool serves)
{
    struct catalog_shape shape;
    struct err err = {0};
    catalog_rig_sql(rig, "CREATE INDEX served ON ecal %s", columns);
    catalog_rig_connect(rig);
    struct catalog *catalog = rig->catalog;
    catalog_rig_succeed(catalog->ops->describe(catalog, &rig->arena, &shape, &err), &err);
    if (shape.location_indexed != serves)
        fail_msg("an index on %s %s", columns, serves ? "does not serve" : "serves");
    assert_string_equal(shape.index_statement,
                        str_format(&rig->arena,
                                   "CREATE INDEX CONCURRENTLY ON %s (ecal_name COLLATE \"C\")",
                                   rig->table));
    catalog_rig_assert_cut(rig, CATALOG_CUT);
    catalog_close(rig->catalog);
    rig->catalog = NULL;
    if (serves && !was_used(rig, "served"))
        fail_msg("an index on %s was not used", columns);
    catalog_rig_sql(rig, "DROP INDEX served");
    catalog_rig_put_back(rig);
}

static void an_index_serves_if_it_is_in_byte_order(void **state)
{
    struct catalog_rig *rig = *state;
    open_two(rig);
    catalog_rig_keyword(rig, "options", "-c enable_seqscan=off");
    index_serves(rig, "(ecal_name COLLATE \"C\")", true);
    index_serves(rig, "(ecal_name COLLATE \"POSIX\", map)", true);
    index_serves(rig, "(ecal_name COLLATE \"ucs_basic\" DESC)", true);
    index_serves(rig, "(ecal_name text_pattern_ops)", true);
    index_serves(rig, "(ecal_name varchar_pattern_ops)", true);
    index_serves(rig, "(map, ecal_name COLLATE \"C\")", false);
    index_serves(rig, "(ecal_name COLLATE \"C\") WHERE is_valid", false);
    index_serves(rig, "(lower(ecal_name) COLLATE \"C\")", false);
    index_serves(rig, "USING hash (ecal_name)", false);
}

static void names_are_quoted(void **state)
{
    struct catalog_rig *rig = *state;
    struct catalog_shape shape;
    struct err err = {0};
    open_rig(rig, "CREATE TABLE \"Weird\"\" ;table\" (\"Id --\" text PRIMARY KEY, \"Lo'c\" text)");
    rig->config = (struct catalog_config){
        .connection = rig->keywords,
        .connection_count = rig->config.connection_count,
        .table = str_format(&rig->arena, "frostline_test_%d.Weird\" ;table", (int)getpid()),
        .id = "Id --",
        .location = "Lo'c",
    };
    for (size_t i = 0; i < catalog_rig_cut.count; i++)
        catalog_rig_sql(rig, "INSERT INTO \"Weird\"\" ;table\" VALUES ('%s', '%s')",
                        catalog_rig_cut.rows[i].id, catalog_rig_cut.rows[i].old_location);
    catalog_rig_connect(rig);
    catalog_rig_succeed(rig->catalog->ops->describe(rig->catalog, &rig->arena, &shape, &err), &err);
    assert_non_null(strstr(shape.index_statement, ".\"Weird\"\" ;table\" (\"Lo'c\" COLLATE"));
    assert_non_null(strstr(shape.identity, ".Weird%22%20%3Btable"));
    catalog_rig_assert_cut(rig, CATALOG_CUT);
    assert_int_equal(catalog_rig_fetch(rig, (const char *const[]){"1", "2"}, 2), 2);
}

/* -- what a cut sets --------------------------------------------------------------------------- */

#define CLASS "Class \"of\" it"

/* What a literal in an UPDATE would become; NULL: what it would be refused for. */
static const struct set_case {
    const char *type, *value, *after;
} SET_CASES[] = {
    {"text", "", ""},
    {"text", "it's \\ \"cold\"", "it's \\ \"cold\""},
    {"text", NULL, NULL},
    {"varchar(4)", "cold", "cold"},
    {"varchar(4)", "s\xc3\xbc\xc3\x9f!", "s\xc3\xbc\xc3\x9f!"},
    {"char(4)", "ice", "ice "},
    {"smallint", "-3", "-3"},
    {"numeric(3, 1)", "1.25", "1.3"},
    {"boolean", "yes", "t"},
    {"date", "2025-02-14", "2025-02-14"},
    {"timestamp(0)", "2025-02-14 10:00:00.6", "2025-02-14 10:00:01"},
    {"mood", "so-so", "so-so"},
    {"tiny", "7", "7"},
    {"short", "cold", "cold"},
    {"uuid", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
    {"varchar(4)[]", "{cold,NULL}", "{cold,NULL}"},
    {"jsonb", "{\"is\":\"cold\"}", "{\"is\": \"cold\"}"},
    {"pair", "(1,two)", "(1,two)"},
};
static const struct set_case SET_REFUSED[] = {
    {"varchar(4)", "coldest", "`coldest` is too long for character varying(4)"},
    {"char(4)", "coldest", "`coldest` is too long for character(4)"},
    {"smallint", "70000", "out of range"},
    {"numeric(3, 1)", "100", "overflow"},
    {"boolean", "perhaps", "invalid input syntax for type boolean: \"perhaps\""},
    {"timestamp", "soon", "invalid input syntax"},
    {"mood", "Fine", "invalid input value for enum"},
    {"tiny", "11", "violates check constraint"},
    {"short", "coldest", "too long"},
    {"present DEFAULT ''", NULL, "does not allow null values"},
    {"integer[]", "{1", "malformed array literal"},
    {"jsonb", "{", "invalid input syntax"},
    {"pair", "(1)", "malformed record literal"},
    {"integer GENERATED ALWAYS AS IDENTITY", "7", "the database makes its values itself"},
};

static void open_with_class(struct catalog_rig *rig)
{
    open_two(rig);
    catalog_rig_put(rig, "3", HOT "a/2/z.mf4");
    catalog_rig_sql(rig, "CREATE TYPE mood AS ENUM ('so-so', 'fine')");
    catalog_rig_sql(rig, "CREATE TYPE pair AS (one integer, two varchar(4))");
    catalog_rig_sql(rig, "CREATE DOMAIN tiny AS smallint CHECK (VALUE < 10)");
    catalog_rig_sql(rig, "CREATE DOMAIN short AS varchar(4)");
    catalog_rig_sql(rig, "CREATE DOMAIN present AS text NOT NULL");
    catalog_rig_sql(rig, "ALTER TABLE ecal ADD \"Class \"\"of\"\" it\" text");
}

static void retype_class(struct catalog_rig *rig, const char *type)
{
    catalog_rig_sql(rig, "ALTER TABLE ecal DROP \"Class \"\"of\"\" it\"");
    catalog_rig_sql(rig, "ALTER TABLE ecal ADD \"Class \"\"of\"\" it\" %s", type);
}

static void assert_class(struct catalog_rig *rig, const char *id, const struct set_case *expected)
{
    const char *found = catalog_rig_value(rig, id, "Class \"\"of\"\" it");
    if (!str_equal(found, expected->after))
        fail_msg("%s %s of row %s is %s", expected->type, expected->value, id, found);
}

static void cut_with(struct catalog_rig *rig, const struct catalog_set *set, bool described)
{
    struct catalog_cut cut = catalog_rig_cut;
    struct catalog_shape shape;
    enum catalog_outcome outcome = CATALOG_UNKNOWN;
    struct err err = {0};
    cut.sets = rig->config.sets = set;
    cut.set_count = rig->config.set_count = 1;
    catalog_rig_connect(rig);
    const struct catalog_ops *ops = rig->catalog->ops;
    if (described)
        catalog_rig_succeed(ops->describe(rig->catalog, &rig->arena, &shape, &err), &err);
    catalog_rig_succeed(ops->cut_over(rig->catalog, &cut, &outcome, &err), &err);
    assert_int_equal(outcome, CATALOG_CUT);
    catalog_rig_assert_moved(rig, true);
}

static void a_value_is_set_as_a_literal_would_be(void **state)
{
    struct catalog_rig *rig = *state;
    open_with_class(rig);
    for (size_t i = 0; i < ITEMS(SET_CASES); i++) {
        const struct set_case *it = &SET_CASES[i];
        const struct set_case untouched = {it->type, "NULL", NULL};
        retype_class(rig, it->type);
        cut_with(rig, &(struct catalog_set){CLASS, it->value}, true);
        assert_class(rig, "1", it);
        assert_class(rig, "2", it);
        assert_class(rig, "3", &untouched);
        catalog_rig_put_back(rig);
    }
    catalog_close(rig->catalog); /* a cut may be the first that a connection is asked for */
    rig->catalog = NULL;
    cut_with(rig, &(struct catalog_set){CLASS, "(3,four)"}, false);
}

static void a_value_that_does_not_fit_is_told_beforehand(void **state)
{
    struct catalog_rig *rig = *state;
    const size_t part = CATALOG_FIELD + CATALOG_RIG_FIELDS;
    open_with_class(rig);
    rig->config.set_count = 1;
    for (size_t i = 0; i < ITEMS(SET_REFUSED); i++) {
        const struct set_case *it = &SET_REFUSED[i];
        struct err err = {0};
        retype_class(rig, it->type);
        rig->config.sets = &(struct catalog_set){CLASS, it->value};
        catalog_rig_assert_flaw(rig, CATALOG_FLAW_SET, part,
                                "the column `" CLASS "` can't be set: ", NULL);
        catalog_rig_assert_flaw(rig, CATALOG_FLAW_SET, part, it->after, NULL);
        catalog_rig_assert_cut_fails(rig, ERR_INPUT, NULL);
        assert_false(rig->catalog->ops->snapshot(rig->catalog, &err));
        assert_int_equal(err.kind, ERR_INPUT);
        catalog_rig_assert_moved(rig, false);
    }
}

/* What a refusal ends begins anew as it was: no name means something of the role's own schemas. */
static void a_refused_value_changes_no_names(void **state)
{
    static const struct catalog_set sets[] = {{"frames", "seven"}, {CLASS, "{"}};
    struct catalog_rig *rig = *state;
    struct catalog_shape shape;
    struct err err = {0};
    open_with_class(rig);
    retype_class(rig, "jsonb");
    catalog_rig_sql(rig, "CREATE DOMAIN jsonb AS text");
    catalog_rig_keyword(
        rig, "options",
        str_format(&rig->arena, "-c search_path=frostline_test_%d,pg_catalog", (int)getpid()));
    rig->config.sets = sets;
    rig->config.set_count = ITEMS(sets);
    catalog_rig_connect(rig);
    catalog_rig_succeed(rig->catalog->ops->describe(rig->catalog, &rig->arena, &shape, &err), &err);
    assert_int_equal(shape.flaw_count, 2);
    assert_non_null(strstr(shape.flaws[1].text, "invalid input syntax for type json"));
}

static void what_only_the_update_tells_changes_nothing(void **state)
{
    struct catalog_rig *rig = *state;
    static const struct catalog_set set = {"map", "cold"};
    struct catalog_cut cut = catalog_rig_cut;
    enum catalog_outcome outcome;
    struct err err = {0};
    open_two(rig);
    catalog_rig_sql(rig, "ALTER TABLE ecal ADD CHECK (ecal_id <> '2' OR map <> 'cold')");
    cut.sets = rig->config.sets = &set;
    cut.set_count = rig->config.set_count = 1;
    catalog_rig_connect(rig);
    assert_false(rig->catalog->ops->cut_over(rig->catalog, &cut, &outcome, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_string_equal(err.code, "23514");
    catalog_rig_assert_moved(rig, false);
    assert_null(catalog_rig_value(rig, "1", "map"));
}

/* -- refusals ---------------------------------------------------------------------------------- */

static void what_is_missing_is_named(void **state)
{
    struct catalog_rig *rig = *state;
    open_rig(rig, NULL);
    rig->config.table = str_format(&rig->arena, "%ss", rig->table);
    catalog_rig_assert_flaw(rig, CATALOG_FLAW_MISSING, CATALOG_TABLE, rig->config.table,
                            rig->table);
    rig->config.table = "no_such_schema.ecal";
    catalog_rig_assert_flaw(rig, CATALOG_FLAW_MISSING, CATALOG_TABLE, "no_such_schema.ecal", NULL);
    rig->config.table = rig->table;
    rig->config.location = "ECAL_NAME"; /* names have a case */
    catalog_rig_assert_flaw(rig, CATALOG_FLAW_MISSING, CATALOG_LOCATION, "no column `ECAL_NAME`",
                            "ecal_name");
}

static void what_is_no_table_of_locations_is_refused(void **state)
{
    struct catalog_rig *rig = *state;
    open_rig(rig, NULL);
    catalog_rig_sql(rig, "CREATE VIEW seen AS SELECT * FROM ecal");
    rig->config.table = str_format(&rig->arena, "frostline_test_%d.seen", (int)getpid());
    catalog_rig_assert_flaw(rig, CATALOG_FLAW_TYPE, CATALOG_TABLE, "is a view", NULL);
    rig->config.table = rig->table;
    rig->config.location = "frames";
    catalog_rig_assert_flaw(rig, CATALOG_FLAW_TYPE, CATALOG_LOCATION,
                            "`frames` is integer, not text or varchar", NULL);
}

static void a_column_that_goes_away_is_noticed(void **state)
{
    struct catalog_rig *rig = *state;
    open_two(rig);
    catalog_rig_connect(rig);
    assert_int_equal(catalog_rig_fetch(rig, (const char *const[]){"1"}, 1), 1);
    catalog_rig_sql(rig, "ALTER TABLE ecal RENAME ecal_name TO name");
    catalog_rig_assert_cut_fails(rig, ERR_MISSING, "42703");
    catalog_rig_sql(rig, "ALTER TABLE ecal RENAME name TO ecal_name");
    catalog_rig_assert_cut(rig, CATALOG_CUT);
}

static void what_the_role_may_not_see_is_denied(void **state)
{
    struct catalog_rig *rig = *state;
    open_two(rig);
    PGresult *result = PQexec(rig->postgres, "SHOW is_superuser");
    bool all_powerful = strcmp(PQgetvalue(result, 0, 0), "on") == 0;
    PQclear(result);
    if (all_powerful)
        skip();
    catalog_rig_sql(rig, "ALTER TABLE ecal ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY");
    catalog_rig_sql(rig, "CREATE POLICY hide ON ecal USING (ecal_id <> '2')");
    catalog_rig_assert_cut_fails(rig, ERR_DENIED, "42501");
    catalog_rig_sql(rig, "ALTER TABLE ecal DISABLE ROW LEVEL SECURITY");
    catalog_rig_sql(rig, "REVOKE ALL ON ecal FROM CURRENT_USER");
    catalog_rig_assert_cut_fails(rig, ERR_DENIED, "42501");
    catalog_rig_sql(rig, "GRANT ALL ON ecal TO CURRENT_USER");
    catalog_rig_assert_moved(rig, false);
}

static struct catalog_health examine(struct catalog_rig *rig)
{
    struct catalog_health health;
    struct err err = {0};
    catalog_rig_succeed(rig->catalog->ops->examine(rig->catalog, &rig->arena, &health, &err), &err);
    return health;
}

/* The reason names the column, and what mends it does. */
static void assert_right(struct catalog_rig *rig, const char *revoked, const char *reason,
                         bool read)
{
    catalog_rig_sql(rig, "%s", revoked);
    struct catalog_health health = examine(rig);
    assert_int_equal(health.no_read != NULL, read);
    assert_non_null(health.no_write);
    if (strstr(health.no_write, reason) == NULL)
        fail_msg("%s", health.no_write);
    catalog_rig_sql(rig, "%s", read ? health.mend_read : health.mend_write);
}

static void what_the_role_lacks_is_told_with_what_grants_it(void **state)
{
    struct catalog_rig *rig = *state;
    open_two(rig);
    catalog_rig_connect(rig);
    PGresult *result = PQexec(rig->postgres, "SHOW is_superuser");
    bool all_powerful = strcmp(PQgetvalue(result, 0, 0), "on") == 0;
    PQclear(result);
    if (all_powerful)
        skip();
    assert_null(examine(rig).no_write);
    assert_right(rig, "REVOKE UPDATE ON ecal FROM CURRENT_USER", "may not change ecal_name", false);
    assert_null(examine(rig).no_write);
    catalog_rig_sql(rig, "REVOKE SELECT ON ecal FROM CURRENT_USER");
    assert_right(rig, "GRANT SELECT (ecal_id, ecal_name, recorded) ON ecal TO CURRENT_USER",
                 "may not read", true);
    assert_null(examine(rig).no_read);
    assert_int_equal(examine(rig).rows, 2);
    /* The table's owner may change one column, and others are set as well. */
    static const struct catalog_set sets[] = {{"map", "cold"}};
    rig->config.sets = sets;
    rig->config.set_count = 1;
    catalog_close(rig->catalog);
    rig->catalog = NULL;
    catalog_rig_connect(rig);
    catalog_rig_sql(rig, "REVOKE UPDATE ON ecal FROM CURRENT_USER");
    assert_right(rig, "GRANT UPDATE (ecal_name) ON ecal TO CURRENT_USER", "may not change map",
                 false);
    assert_null(examine(rig).no_write);
}

static void what_is_hidden_from_the_role_is_told(void **state)
{
    struct catalog_rig *rig = *state;
    open_two(rig);
    catalog_rig_connect(rig);
    PGresult *result = PQexec(rig->postgres, "SHOW is_superuser");
    bool all_powerful = strcmp(PQgetvalue(result, 0, 0), "on") == 0;
    PQclear(result);
    if (all_powerful)
        skip();
    catalog_rig_sql(rig, "ALTER TABLE ecal ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY");
    struct catalog_health health = examine(rig);
    assert_non_null(strstr(health.no_read, "row level security"));
    assert_non_null(strstr(health.mend_read, "BYPASSRLS"));
    assert_string_equal(health.no_write, health.no_read);
    assert_int_equal(health.rows, 0);
}

static void a_refused_login_is_denied_at_once(void **state)
{
    struct catalog_rig *rig = *state;
    open_rig(rig, NULL);
    catalog_rig_keyword(rig, "user", "frostline_no_such_role");
    struct err err = {0};
    assert_false(catalog_open(&rig->config, &rig->clock.clock, &rig->catalog, &err));
    assert_int_equal(err.kind, ERR_DENIED);
    assert_true(str_starts(err.code, "28"));
    assert_int_equal(rig->clock.instant_us, 0); /* no wait: nothing to try again */
}

static void a_wrong_password_is_denied_and_not_repeated(void **state)
{
    struct catalog_rig *rig = *state;
    open_rig(rig, NULL);
    catalog_rig_keyword(rig, "password", "canary-7361");
    struct err err = {0};
    if (catalog_open(&rig->config, &rig->clock.clock, &rig->catalog, &err)) {
        print_message("the server trusts everybody: no password is asked for\n");
        skip();
    }
    assert_int_equal(err.kind, ERR_DENIED);
    assert_string_equal(err.code, "28P01");
    assert_null(strstr(err.text, "canary"));
}

static void a_missing_database_is_missing(void **state)
{
    struct catalog_rig *rig = *state;
    open_rig(rig, NULL);
    catalog_rig_keyword(rig, "dbname", "frostline_no_such_database");
    catalog_rig_assert_open_fails(rig, ERR_MISSING, "3D000");
}

static void a_server_that_is_down_is_asked_six_times(void **state)
{
    struct catalog_rig *rig = *state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    open_rig(rig, NULL);
    int fd = socket(AF_INET, SOCK_STREAM, 0); /* bound and deaf: nobody else gets the port */
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    catalog_rig_keyword(rig, "host", "127.0.0.1");
    catalog_rig_keyword(rig, "port", str_format(&rig->arena, "%d", ntohs(address.sin_port)));
    catalog_rig_assert_open_fails(rig, ERR_BUSY, "");
    close(fd);
    /* 0.1 + 0.2 + 0.4 + 0.8 + 1.6 s, and up to half as much again */
    assert_in_range(rig->clock.instant_us, 3100000, 4650000);
}

static void a_keyword_must_be_one_of_libpq(void **state)
{
    struct catalog_rig *rig = *state;
    struct err err = {0};
    open_rig(rig, NULL);
    catalog_rig_keyword(rig, "sslmod", "disable");
    assert_false(catalog_open(&rig->config, &rig->clock.clock, &rig->catalog, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    assert_string_equal(err.hint, "did you mean `sslmode`?");
}

static void a_url_may_hold_all_and_is_never_repeated(void **state)
{
    struct catalog_rig *rig = *state;
    struct err err = {0};
    open_two(rig);
    const char *values[5];
    for (size_t i = 0; i < 5; i++)
        values[i] = secret_reveal(&rig->secrets[i]);
    const char *url = str_format(&rig->arena, "postgresql://%s:%s@%s:%s/%s", values[3], values[4],
                                 values[0], values[1], values[2]);
    struct secret secret = {0};
    const struct catalog_keyword keyword = {"url", &secret};
    secret_set(&secret, url, strlen(url));
    rig->config.connection = &keyword;
    rig->config.connection_count = 1;
    catalog_rig_assert_cut(rig, CATALOG_CUT);
    catalog_close(rig->catalog);
    rig->catalog = NULL;

    /* What a password may do to a URL, and to what libpq would say of it. */
    static const char *const malformed[] = {"postgresql://canary-7361@[::1/x",
                                            "postgresql://u:p@canary-7361@127.0.0.1:1/x",
                                            "postgresql://u:canary-7361/p@[::1]/x",
                                            "postgresql://u:1/canary-7361@127.0.0.1/x",
                                            "postgres://u:%zzcanary-7361@127.0.0.1/x",
                                            "postgres://u:p?canary-7361/@127.0.0.1:1/x?y",
                                            "postgres://127.0.0.1:1/?canary-7361",
                                            "host=127.0.0.1 password=p canary-7361",
                                            "host='canary-7361"};
    for (size_t i = 0; i < 2 * sizeof malformed / sizeof malformed[0]; i++) {
        const struct catalog_keyword either = {i % 2 == 0 ? "url" : "dbname", &secret};
        rig->config.connection = &either;
        secret_set(&secret, malformed[i / 2], strlen(malformed[i / 2]));
        assert_false(catalog_open(&rig->config, &rig->clock.clock, &rig->catalog, &err));
        assert_int_equal(err.kind, ERR_INPUT);
        assert_null(strstr(err.text, "canary"));
    }
    rig->config.connection_count = 0;
    secret_clear(&secret);
}

static void a_server_that_takes_no_writes_is_busy(void **state)
{
    struct catalog_rig *rig = *state;
    open_two(rig);
    catalog_rig_keyword(rig, "options", "-c default_transaction_read_only=on");
    catalog_rig_assert_cut_fails(rig, ERR_BUSY, "25006");
    catalog_rig_assert_moved(rig, false);
}

static void functions_in_the_search_path_are_not_called(void **state)
{
    struct catalog_rig *rig = *state;
    open_two(rig);
    static const char *const functions[][2] = {
        {"reverse(text)", "text"},
        {"length(text)", "int"},
        {"set_config(text, text, boolean)", "text"},
        {"current_schemas(boolean)", "name[]"},
        {"clock_timestamp()", "timestamptz"},
        {"unnest(text[])", "text"},
    };
    for (size_t i = 0; i < ITEMS(functions); i++)
        catalog_rig_sql(rig,
                        "CREATE FUNCTION %s RETURNS %s LANGUAGE plpgsql IMMUTABLE AS"
                        " $$ BEGIN RAISE 'hijacked'; END $$",
                        functions[i][0], functions[i][1]);
    catalog_rig_keyword(
        rig, "options",
        str_format(&rig->arena, "-c search_path=frostline_test_%d,pg_catalog", (int)getpid()));
    rig->config.table = "ecal"; /* found by the role's own search path */
    catalog_rig_connect(rig);
    struct catalog *catalog = rig->catalog;
    struct catalog_cursor *cursor;
    const struct record *record;
    struct catalog_sight sight;
    struct err err = {0};
    catalog_rig_succeed(catalog->ops->snapshot(catalog, &err), &err);
    catalog_rig_succeed(catalog->ops->cursor_open(catalog, &cursor, &err), &err);
    catalog_rig_succeed(catalog->ops->cursor_next(cursor, &record, &err), &err);
    catalog->ops->cursor_close(cursor);
    catalog->ops->snapshot_end(catalog);
    catalog_rig_succeed(catalog->ops->look(catalog, &catalog_rig_cut, true, &sight, &err), &err);
    assert_int_equal(sight.at_source, 2);
    catalog_rig_assert_cut(rig, CATALOG_CUT);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest cases[] = {
        CASE(every_type_is_read_or_unknown),
        CASE(a_time_without_a_zone_is_naive),
        CASE(a_date_as_the_time_is_the_midnight_of_the_zone),
        CASE(ids_may_be_numbers),
        CASE(ids_may_be_uuids),
        CASE(an_id_needs_a_key_of_its_own),
        CASE(an_id_that_comes_twice_stops_the_cut),
        CASE(an_index_serves_if_it_is_in_byte_order),
        CASE(names_are_quoted),
        CASE(a_value_is_set_as_a_literal_would_be),
        CASE(a_value_that_does_not_fit_is_told_beforehand),
        CASE(a_refused_value_changes_no_names),
        CASE(what_only_the_update_tells_changes_nothing),
        CASE(what_is_missing_is_named),
        CASE(what_is_no_table_of_locations_is_refused),
        CASE(a_column_that_goes_away_is_noticed),
        CASE(what_the_role_may_not_see_is_denied),
        CASE(what_the_role_lacks_is_told_with_what_grants_it),
        CASE(what_is_hidden_from_the_role_is_told),
        CASE(a_refused_login_is_denied_at_once),
        CASE(a_wrong_password_is_denied_and_not_repeated),
        CASE(a_missing_database_is_missing),
        CASE(a_server_that_is_down_is_asked_six_times),
        CASE(a_keyword_must_be_one_of_libpq),
        CASE(a_url_may_hold_all_and_is_never_repeated),
        CASE(a_server_that_takes_no_writes_is_busy),
        CASE(functions_in_the_search_path_are_not_called),
    };
    if (!catalog_rig_is_there(CATALOG_RIG_POSTGRES))
        return 77;
    return cmocka_run_group_tests(cases, NULL, NULL);
}
