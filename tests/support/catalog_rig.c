#include "tests/support/catalog_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"

#define RIG_BYTES_MAX ((size_t)64 << 20)

static const char CREATE[] = "CREATE TABLE ecal (ecal_id TEXT PRIMARY KEY, ecal_name TEXT,"
                             " recorded TIMESTAMP, size_gb NUMERIC, map TEXT, frames INTEGER,"
                             " length DOUBLE PRECISION, ratio NUMERIC, is_valid BOOLEAN, day DATE)";

static const struct catalog_field FIELDS[CATALOG_RIG_FIELDS] = {
    {"map", "map"},     {"frames", "frames"},  {"length", "length"},
    {"ratio", "ratio"}, {"valid", "is_valid"}, {"day", "day"},
};
static const struct catalog_memory_column COLUMNS[] = {
    {.name = "ecal_id", .kind = VALUE_TEXT, .is_key = true},
    {.name = "ecal_name", .kind = VALUE_TEXT},
    {.name = "recorded", .kind = VALUE_INSTANT, .is_naive = true},
    {.name = "size_gb", .kind = VALUE_DECIMAL},
    {.name = "map", .kind = VALUE_TEXT},
    {.name = "frames", .kind = VALUE_INTEGER},
    {.name = "length", .kind = VALUE_DECIMAL},
    {.name = "ratio", .kind = VALUE_DECIMAL},
    {.name = "is_valid", .kind = VALUE_BOOLEAN},
    {.name = "day", .kind = VALUE_DATE, .is_naive = true},
};

const char *catalog_rig_name(enum catalog_rig_kind kind)
{
    static const char *const names[] = {"memory", "sqlite", "postgres"};
    return names[kind];
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && strcmp(value, "1") == 0;
}

bool catalog_rig_is_there(enum catalog_rig_kind kind)
{
    if (kind != CATALOG_RIG_POSTGRES || is_set("FROSTLINE_TEST_PG"))
        return true;
    if (is_set("FROSTLINE_TEST_REQUIRE_SERVERS")) {
        print_error("PostgreSQL is required, and FROSTLINE_TEST_PG is not 1\n");
        exit(1);
    }
    print_message("[  SKIPPED ] postgres: FROSTLINE_TEST_PG is not 1\n");
    return false;
}

/* -- PostgreSQL -------------------------------------------------------------------------------- */

static const char *variable(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value != NULL ? value : otherwise;
}

static void fill_keywords(struct catalog_rig *rig)
{
    static const char *const names[] = {"host", "port", "dbname", "user", "password"};
    const char *values[] = {variable("DB_HOST", "127.0.0.1"), variable("DB_PORT", "5432"),
                            variable("DB_NAME", "postgres"), variable("DB_USER", "postgres"),
                            variable("DB_PASSWORD", "")};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        secret_set(&rig->secrets[i], values[i], strlen(values[i]));
        rig->keywords[i] = (struct catalog_keyword){names[i], &rig->secrets[i]};
    }
    rig->config.connection = rig->keywords;
    rig->config.connection_count = sizeof names / sizeof names[0];
}

static void run_postgres(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    PQclear(result);
}

PGconn *catalog_rig_postgres(const struct catalog_rig *rig)
{
    const char *names[8] = {NULL}, *values[8] = {NULL};
    for (size_t i = 0; i < rig->config.connection_count && i < 7; i++) {
        names[i] = rig->keywords[i].name;
        values[i] = secret_reveal(rig->keywords[i].value);
    }
    PGconn *conn = PQconnectdbParams(names, values, 0);
    if (PQstatus(conn) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(conn));
    run_postgres(conn, "SET client_min_messages = error; SET lock_timeout = '10s'");
    char sql[96];
    snprintf(sql, sizeof sql, "SET search_path = frostline_test_%d", (int)getpid());
    run_postgres(conn, sql);
    return conn;
}

static void open_postgres(struct catalog_rig *rig, const char *create)
{
    fill_keywords(rig);
    rig->postgres = catalog_rig_postgres(rig);
    catalog_rig_sql(rig, "DROP SCHEMA IF EXISTS frostline_test_%d CASCADE", (int)getpid());
    catalog_rig_sql(rig, "CREATE SCHEMA frostline_test_%d", (int)getpid());
    catalog_rig_sql(rig, "%s", create);
    snprintf(rig->table, sizeof rig->table, "frostline_test_%d.ecal", (int)getpid());
    rig->config.type = CATALOG_POSTGRES;
    rig->config.table = rig->table;
}

/* -- SQLite ------------------------------------------------------------------------------------ */

static void run_sqlite(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

static void open_sqlite(struct catalog_rig *rig, const char *create)
{
    strcpy(rig->folder, "/tmp/frostline-rig-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    snprintf(rig->path, sizeof rig->path, "%s/catalog.db", rig->folder);
    assert_int_equal(sqlite3_open(rig->path, &rig->sqlite), SQLITE_OK);
    run_sqlite(rig->sqlite, create);
    rig->config.type = CATALOG_SQLITE;
    rig->config.path = rig->path;
}

static void remove_folder(struct catalog_rig *rig)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        unlink(str_format(&rig->arena, "%s%s", rig->path, endings[i]));
    rmdir(rig->folder);
}

void catalog_rig_keyword(struct catalog_rig *rig, const char *name, const char *value)
{
    size_t index = 0;
    while (index < rig->config.connection_count && strcmp(rig->keywords[index].name, name) != 0)
        index++;
    assert_true(index < sizeof rig->secrets / sizeof rig->secrets[0]);
    secret_set(&rig->secrets[index], value, strlen(value));
    rig->keywords[index] = (struct catalog_keyword){name, &rig->secrets[index]};
    if (index == rig->config.connection_count)
        rig->config.connection_count++;
}

/* -- any of them ------------------------------------------------------------------------------- */

void catalog_rig_open(struct catalog_rig *rig, enum catalog_rig_kind kind, const char *create)
{
    *rig = (struct catalog_rig){
        .kind = kind,
        .config = {.table = "ecal",
                   .id = "ecal_id",
                   .location = "ecal_name",
                   .time = "recorded",
                   .size = "size_gb",
                   .size_unit = 1000000000,
                   .fields = FIELDS,
                   .field_count = CATALOG_RIG_FIELDS,
                   .lock_wait_ms = CATALOG_RIG_LOCK_WAIT_MS},
    };
    arena_init(&rig->arena, RIG_BYTES_MAX);
    clock_fake_init(&rig->clock, 0);
    if (kind == CATALOG_RIG_MEMORY) {
        rig->memory = catalog_memory_make(&rig->config, NULL);
        memcpy(rig->columns, COLUMNS, sizeof COLUMNS);
        rig->memory_table =
            (struct catalog_memory_table){"ecal", rig->columns, sizeof COLUMNS / sizeof COLUMNS[0]};
        catalog_memory_set_table(rig->memory, &rig->memory_table);
        rig->catalog = catalog_memory_catalog(rig->memory);
    } else if (kind == CATALOG_RIG_SQLITE) {
        open_sqlite(rig, create != NULL ? create : CREATE);
    } else {
        open_postgres(rig, create != NULL ? create : CREATE);
    }
}

void catalog_rig_close(struct catalog_rig *rig)
{
    catalog_close(rig->catalog);
    if (rig->postgres != NULL)
        catalog_rig_sql(rig, "DROP SCHEMA frostline_test_%d CASCADE", (int)getpid());
    PQfinish(rig->postgres);
    sqlite3_close(rig->sqlite);
    if (rig->kind == CATALOG_RIG_SQLITE)
        remove_folder(rig);
    for (size_t i = 0; i < sizeof rig->secrets / sizeof rig->secrets[0]; i++)
        secret_clear(&rig->secrets[i]);
    arena_free(&rig->arena);
}

void catalog_rig_connect(struct catalog_rig *rig)
{
    struct err err = {0};
    if (rig->catalog == NULL && !catalog_open(&rig->config, &rig->clock.clock, &rig->catalog, &err))
        fail_msg("%s", err.text);
}

void catalog_rig_sql(struct catalog_rig *rig, const char *fmt, ...)
{
    char sql[8192];
    va_list args;
    va_start(args, fmt);
    vsnprintf(sql, sizeof sql, fmt, args);
    va_end(args);
    if (rig->postgres != NULL)
        run_postgres(rig->postgres, sql);
    else
        run_sqlite(rig->sqlite, sql);
}

/* A text as SQL spells it, in both dialects. */
static const char *literal(struct catalog_rig *rig, const char *text)
{
    char *spelled = text != NULL ? sqlite3_mprintf("'%q'", text) : sqlite3_mprintf("NULL");
    const char *copy = arena_copy(&rig->arena, spelled);
    sqlite3_free(spelled);
    return copy;
}

void catalog_rig_put(struct catalog_rig *rig, const char *id, const char *location)
{
    static const struct value unknown[CATALOG_RIG_FIELDS];
    if (rig->memory != NULL)
        catalog_memory_put(rig->memory, &(struct record){.id = id,
                                                         .location = location,
                                                         .fields = unknown,
                                                         .field_count = CATALOG_RIG_FIELDS});
    else
        catalog_rig_sql(rig, "INSERT INTO ecal (ecal_id, ecal_name) VALUES (%s, %s)",
                        literal(rig, id), literal(rig, location));
}

void catalog_rig_move(struct catalog_rig *rig, const char *id, const char *location)
{
    if (rig->memory != NULL)
        catalog_rig_put(rig, id, location);
    else
        catalog_rig_sql(rig, "UPDATE ecal SET ecal_name = %s WHERE ecal_id = %s",
                        literal(rig, location), literal(rig, id));
}

void catalog_rig_remove(struct catalog_rig *rig, const char *id)
{
    if (rig->memory != NULL)
        catalog_memory_remove(rig->memory, id);
    else
        catalog_rig_sql(rig, "DELETE FROM ecal WHERE ecal_id = %s", literal(rig, id));
}

void catalog_rig_add_column(struct catalog_rig *rig, const struct catalog_memory_column *column,
                            const char *sql)
{
    if (rig->memory == NULL) {
        catalog_rig_sql(rig, "ALTER TABLE ecal ADD \"%s\" %s", column->name, sql);
        return;
    }
    assert_true(rig->memory_table.column_count < CATALOG_RIG_COLUMNS_MAX);
    rig->columns[rig->memory_table.column_count++] = *column;
}

static const char *value_in_postgres(struct catalog_rig *rig, const char *id, const char *column)
{
    const char *sql = str_format(&rig->arena, "SELECT \"%s\" FROM ecal WHERE ecal_id = $1", column);
    PGresult *result = PQexecParams(rig->postgres, sql, 1, NULL, &id, NULL, NULL, 0);
    assert_int_equal(PQresultStatus(result), PGRES_TUPLES_OK);
    const char *value = NULL;
    if (PQntuples(result) == 1 && !PQgetisnull(result, 0, 0))
        value = arena_copy(&rig->arena, PQgetvalue(result, 0, 0));
    PQclear(result);
    return value;
}

static const char *value_in_sqlite(struct catalog_rig *rig, const char *id, const char *column)
{
    sqlite3_stmt *statement;
    const char *value = NULL;
    const char *sql = str_format(&rig->arena, "SELECT \"%s\" FROM ecal WHERE ecal_id = ?", column);
    assert_int_equal(sqlite3_prepare_v2(rig->sqlite, sql, -1, &statement, NULL), SQLITE_OK);
    sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
    if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_text(statement, 0) != NULL)
        value = arena_copy(&rig->arena, (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return value;
}

static const char *value_in_database(struct catalog_rig *rig, const char *id, const char *column)
{
    return rig->postgres != NULL ? value_in_postgres(rig, id, column)
                                 : value_in_sqlite(rig, id, column);
}

const char *catalog_rig_location(struct catalog_rig *rig, const char *id)
{
    return rig->memory != NULL ? catalog_memory_location(rig->memory, id)
                               : value_in_database(rig, id, "ecal_name");
}

const char *catalog_rig_value(struct catalog_rig *rig, const char *id, const char *column)
{
    return rig->memory != NULL ? catalog_memory_value(rig->memory, id, column)
                               : value_in_database(rig, id, column);
}

/* -- two rows and their cut -------------------------------------------------------------------- */

static const struct catalog_row CUT_ROWS[] = {
    {"1", "https://hot.example/c/a/1/x.mf4", "https://cold.example/c/a/1/x.mf4"},
    {"2", "https://hot.example/c/a/1/y.mf4", "https://cold.example/c/a/1/y.mf4"},
};
const struct catalog_cut catalog_rig_cut = {
    .source = "https://hot.example/c/a/1/", .rows = CUT_ROWS, .count = 2};

void catalog_rig_succeed(bool ok, const struct err *err)
{
    if (!ok)
        fail_msg("%s", err->text);
}

static void assert_error(const struct err *err, enum err_kind expected, const char *code)
{
    if (err->kind != expected || (code != NULL && !str_equal(err->code, code)))
        fail_msg("kind %d, code %s: %s", (int)err->kind, err->code, err->text);
}

void catalog_rig_put_cut(struct catalog_rig *rig)
{
    for (size_t i = 0; i < catalog_rig_cut.count; i++)
        catalog_rig_put(rig, CUT_ROWS[i].id, CUT_ROWS[i].old_location);
}

void catalog_rig_put_back(struct catalog_rig *rig)
{
    for (size_t i = 0; i < catalog_rig_cut.count; i++)
        catalog_rig_move(rig, CUT_ROWS[i].id, CUT_ROWS[i].old_location);
}

void catalog_rig_assert_moved(struct catalog_rig *rig, bool moved)
{
    for (size_t i = 0; i < catalog_rig_cut.count; i++)
        assert_string_equal(catalog_rig_location(rig, CUT_ROWS[i].id),
                            moved ? CUT_ROWS[i].new_location : CUT_ROWS[i].old_location);
}

static bool cut_over(struct catalog_rig *rig, enum catalog_outcome *outcome, struct err *err)
{
    *outcome = CATALOG_UNKNOWN;
    *err = (struct err){0};
    catalog_rig_connect(rig);
    return rig->catalog->ops->cut_over(rig->catalog, &catalog_rig_cut, outcome, err);
}

void catalog_rig_assert_cut(struct catalog_rig *rig, enum catalog_outcome expected)
{
    enum catalog_outcome outcome;
    struct err err;
    catalog_rig_succeed(cut_over(rig, &outcome, &err), &err);
    assert_int_equal(outcome, expected);
}

void catalog_rig_assert_cut_fails(struct catalog_rig *rig, enum err_kind expected, const char *code)
{
    enum catalog_outcome outcome;
    struct err err;
    assert_false(cut_over(rig, &outcome, &err));
    assert_error(&err, expected, code);
}

void catalog_rig_assert_open_fails(struct catalog_rig *rig, enum err_kind expected,
                                   const char *code)
{
    struct err err = {0};
    assert_false(catalog_open(&rig->config, &rig->clock.clock, &rig->catalog, &err));
    assert_error(&err, expected, code);
}

static bool count_visit(void *context, const struct record *record, struct err *err)
{
    (void)record;
    (void)err;
    ++*(int *)context;
    return true;
}

static struct catalog_flaw only_flaw(struct catalog_rig *rig)
{
    struct catalog_shape shape;
    struct err err = {0};
    catalog_rig_connect(rig);
    catalog_rig_succeed(rig->catalog->ops->describe(rig->catalog, &rig->arena, &shape, &err), &err);
    assert_int_equal(shape.flaw_count, 1);
    return shape.flaws[0];
}

void catalog_rig_assert_described(struct catalog_rig *rig, enum catalog_flaw_kind kind, size_t part,
                                  const char *text, const char *nearest)
{
    struct catalog_flaw flaw = only_flaw(rig);
    if (flaw.kind != kind || flaw.part != part || strstr(flaw.text, text) == NULL ||
        !str_equal(flaw.nearest, nearest))
        fail_msg("kind %d of part %zu: %s (%s)", (int)flaw.kind, flaw.part, flaw.text,
                 flaw.nearest);
}

void catalog_rig_assert_flaw(struct catalog_rig *rig, enum catalog_flaw_kind kind, size_t part,
                             const char *text, const char *nearest)
{
    struct err err = {0};
    int seen = 0;
    catalog_rig_assert_described(rig, kind, part, text, nearest);
    assert_false(rig->catalog->ops->fetch(rig->catalog, (const char *const[]){"1"}, 1, count_visit,
                                          &seen, &err));
    assert_int_equal(err.kind, kind == CATALOG_FLAW_MISSING ? ERR_MISSING : ERR_INPUT);
    assert_true(str_ends(err.text, only_flaw(rig).text));
}

int catalog_rig_fetch(struct catalog_rig *rig, const char *const *ids, size_t count)
{
    struct err err = {0};
    int seen = 0;
    catalog_rig_connect(rig);
    catalog_rig_succeed(
        rig->catalog->ops->fetch(rig->catalog, ids, count, count_visit, &seen, &err), &err);
    return seen;
}
