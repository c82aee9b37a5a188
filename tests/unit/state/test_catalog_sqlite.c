/* What only SQLite can do to a catalog: values of any type, keys, files that are none, failing
 * disks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/zone.h"
#include "state/catalog_sqlite.h"
#include "tests/support/catalog_rig.h"

#define ITEMS(array) (sizeof(array) / sizeof((array)[0]))

static int set_up(void **state)
{
    *state = malloc(sizeof(struct catalog_rig));
    assert_non_null(*state);
    catalog_rig_open(*state, CATALOG_RIG_SQLITE, NULL);
    return 0;
}

static int tear_down(void **state)
{
    catalog_rig_close(*state);
    free(*state);
    return 0;
}

static bool describe(struct catalog_rig *rig, struct catalog_shape *shape, struct err *err)
{
    *err = (struct err){0};
    catalog_rig_connect(rig);
    return rig->catalog->ops->describe(rig->catalog, &rig->arena, shape, err);
}

/* -- values ------------------------------------------------------------------------------------ */

struct instant {
    const char *literal;
    int64_t instant_us; /* 0: unknown */
};

static bool keep_time(void *context, const struct record *record, struct err *err)
{
    (void)err;
    *(int64_t *)context = record->has_time ? record->time_us : 0;
    return true;
}

static int64_t time_of(struct catalog_rig *rig, const char *literal)
{
    int64_t time_us = -1;
    struct err err = {0};
    catalog_rig_sql(rig, "INSERT OR REPLACE INTO ecal (ecal_id, recorded) VALUES ('1', %s)",
                    literal);
    catalog_rig_connect(rig);
    catalog_rig_succeed(rig->catalog->ops->fetch(rig->catalog, (const char *const[]){"1"}, 1,
                                                 keep_time, &time_us, &err),
                        &err);
    return time_us;
}

static void instants_are_texts_or_unix_seconds(void **state)
{
    static const struct instant instants[] = {
        {"'2025-02-14 10:00:00'", INT64_C(1739523600000000)}, /* in Berlin */
        {"'2025-02-14T10:00:00'", INT64_C(1739523600000000)},
        {"'2025-07-14 10:00:00.25'", INT64_C(1752480000250000)},
        {"'2025-02-14'", INT64_C(1739487600000000)},
        {"'2025-02-14T10:00:00Z'", INT64_C(1739527200000000)},
        {"'2025-02-14 10:00:00+05:30'", INT64_C(1739507400000000)},
        {"'2025-02-14 10:00:00.5-01:00'", INT64_C(1739530800500000)},
        {"1739527200", INT64_C(1739527200000000)},
        {"1739527200.5", 0},
        {"9223372036854775807", 0},
        {"999999999999", 0}, /* beyond the year 9999 */
        {"'soon'", 0},
        {"'2025-02-30'", 0},
        {"'2025-02-30 10:00:00'", 0},
        {"'2025-02-14 10:00:00+99:00'", 0},
        {"''", 0},
        {"x'3230'", 0},
        {"NULL", 0},
    };
    struct catalog_rig *rig = *state;
    struct err err = {0};
    catalog_rig_succeed(zone_open("Europe/Berlin", &rig->arena, &rig->config.time_zone, &err),
                        &err);
    for (size_t i = 0; i < ITEMS(instants); i++) {
        int64_t time_us = time_of(rig, instants[i].literal);
        if (time_us != instants[i].instant_us)
            fail_msg("%s is %lld", instants[i].literal, (long long)time_us);
    }
}

static void describe_time(struct catalog_rig *rig, const char *type, enum value_kind kind,
                          bool naive)
{
    struct catalog_shape shape;
    struct err err;
    catalog_rig_sql(rig, "ALTER TABLE ecal DROP COLUMN recorded");
    catalog_rig_sql(rig, "ALTER TABLE ecal ADD COLUMN recorded %s", type);
    catalog_rig_succeed(describe(rig, &shape, &err), &err);
    assert_int_equal(shape.time, kind);
    assert_int_equal(shape.time_is_naive, naive);
}

static void a_time_may_be_declared_in_many_ways(void **state)
{
    struct catalog_rig *rig = *state;
    describe_time(rig, "TIMESTAMP", VALUE_INSTANT, true);
    describe_time(rig, "datetime", VALUE_INSTANT, true);
    describe_time(rig, "TIMESTAMP WITH TIME ZONE", VALUE_INSTANT, false);
    describe_time(rig, "timestamptz", VALUE_INSTANT, false);
    describe_time(rig, "TEXT", VALUE_INSTANT, true);
    describe_time(rig, "INTEGER", VALUE_INSTANT, false);
    assert_int_equal(time_of(rig, "1739527200"), INT64_C(1739527200000000));
    describe_time(rig, "DATE", VALUE_DATE, true);
    describe_time(rig, "BLOB", VALUE_UNSUPPORTED, false);
}

static bool count_unknown(void *context, const struct record *record, struct err *err)
{
    (void)err;
    assert_false(record->has_time || record->has_bytes);
    for (size_t i = 0; i < record->field_count; i++)
        if (record->fields[i].kind != VALUE_NULL)
            fail_msg("field %zu is of kind %d", i, (int)record->fields[i].kind);
    ++*(int *)context;
    return true;
}

static void what_is_not_of_the_declared_type_is_unknown(void **state)
{
    struct catalog_rig *rig = *state;
    struct err err = {0};
    int seen = 0;
    /* map, frames, length, ratio, is_valid, day */
    catalog_rig_sql(rig, "INSERT INTO ecal VALUES ('1', 'a', 'x', -1, x'00', 'many', 'long',"
                         " 'half', 'perhaps', '2025-02-14 10:00:00')");
    catalog_rig_sql(rig, "INSERT INTO ecal VALUES ('2', 'a', 'x', 1e300, x'00', 1.5, 9e999, -9e999,"
                         " 2, 20250214)");
    catalog_rig_sql(rig, "INSERT INTO ecal VALUES ('3', 'a', 'x', 'big', CAST(x'ff41' AS TEXT),"
                         " x'01', x'01', x'01', x'01', x'01')");
    catalog_rig_connect(rig);
    catalog_rig_succeed(rig->catalog->ops->fetch(rig->catalog, (const char *const[]){"1", "2", "3"},
                                                 3, count_unknown, &seen, &err),
                        &err);
    assert_int_equal(seen, 3);
}

static bool keep_boolean(void *context, const struct record *record, struct err *err)
{
    (void)err;
    *(struct value *)context = record->fields[4];
    return true;
}

static void booleans_are_numbers_or_words(void **state)
{
    static const char *const literals[] = {"1", "'true'", "'TRUE'", "0", "'false'"};
    struct catalog_rig *rig = *state;
    for (size_t i = 0; i < ITEMS(literals); i++) {
        struct value value = {0};
        struct err err = {0};
        catalog_rig_sql(rig, "INSERT OR REPLACE INTO ecal (ecal_id, is_valid) VALUES ('1', %s)",
                        literals[i]);
        catalog_rig_connect(rig);
        catalog_rig_succeed(rig->catalog->ops->fetch(rig->catalog, (const char *const[]){"1"}, 1,
                                                     keep_boolean, &value, &err),
                            &err);
        assert_int_equal(value.kind, VALUE_BOOLEAN);
        assert_int_equal(value.boolean, i < 3);
    }
}

static bool read_all(struct catalog_rig *rig, struct err *err)
{
    struct catalog_cursor *cursor;
    const struct record *record;
    *err = (struct err){0};
    catalog_rig_connect(rig);
    struct catalog *catalog = rig->catalog;
    catalog_rig_succeed(catalog->ops->snapshot(catalog, err), err);
    catalog_rig_succeed(catalog->ops->cursor_open(catalog, &cursor, err), err);
    bool ok = catalog->ops->cursor_next(cursor, &record, err);
    while (ok && record != NULL)
        ok = catalog->ops->cursor_next(cursor, &record, err);
    catalog->ops->cursor_close(cursor);
    catalog->ops->snapshot_end(catalog);
    return ok;
}

static void names_that_hide_something_stop_the_reading(void **state)
{
    static const char *const rows[] = {
        "('1', 'a/b' || char(0) || 'c')",
        "('1' || char(0) || '2', 'a/b')",
        "(NULL, 'a/b')",
        "(CAST(x'ff' AS TEXT), 'a/b')",
    };
    struct catalog_rig *rig = *state;
    struct err err;
    for (size_t i = 0; i < ITEMS(rows); i++) {
        catalog_rig_sql(rig, "INSERT INTO ecal (ecal_id, ecal_name) VALUES %s", rows[i]);
        assert_false(read_all(rig, &err));
        assert_int_equal(err.kind, ERR_CORRUPT);
        catalog_rig_sql(rig, "DELETE FROM ecal");
    }
    assert_true(read_all(rig, &err));
}

/* -- keys and indexes -------------------------------------------------------------------------- */

static void create(struct catalog_rig *rig, const char *sql)
{
    catalog_rig_sql(rig, "DROP TABLE IF EXISTS ecal");
    catalog_rig_sql(rig, "%s", sql);
    rig->config.time = rig->config.size = NULL;
    rig->config.field_count = 0;
}

static void an_id_needs_a_key_of_its_own(void **state)
{
    static const char *const refused[] = {
        "CREATE TABLE ecal (ecal_id TEXT, ecal_name TEXT)",
        "CREATE TABLE ecal (ecal_id TEXT, ecal_name TEXT, PRIMARY KEY (ecal_id, ecal_name))",
        "CREATE TABLE ecal (ecal_id TEXT NOT NULL, ecal_name TEXT, UNIQUE (ecal_id, ecal_name))",
        "CREATE TABLE ecal (ecal_id TEXT UNIQUE, ecal_name TEXT)",
        "CREATE TABLE ecal (ecal_id TEXT NOT NULL, ecal_name TEXT);"
        "CREATE UNIQUE INDEX part ON ecal (ecal_id) WHERE ecal_name <> '';"
        "CREATE UNIQUE INDEX lowered ON ecal (lower(ecal_id));"
        "CREATE INDEX plain ON ecal (ecal_id)",
    };
    static const char *const accepted[] = {
        "CREATE TABLE ecal (ecal_id INTEGER PRIMARY KEY, ecal_name TEXT)",
        "CREATE TABLE ecal (ecal_id TEXT PRIMARY KEY, ecal_name TEXT) WITHOUT ROWID",
        "CREATE TABLE ecal (ecal_id TEXT NOT NULL UNIQUE, ecal_name TEXT)",
    };
    struct catalog_rig *rig = *state;
    struct catalog_shape shape;
    struct err err;
    for (size_t i = 0; i < ITEMS(refused); i++) {
        create(rig, refused[i]);
        catalog_rig_assert_flaw(rig, CATALOG_FLAW_KEY, CATALOG_ID, "the id column `ecal_id`", NULL);
    }
    for (size_t i = 0; i < ITEMS(accepted); i++) {
        create(rig, accepted[i]);
        catalog_rig_succeed(describe(rig, &shape, &err), &err);
        catalog_rig_put_cut(rig);
        catalog_rig_assert_cut(rig, CATALOG_CUT);
        catalog_rig_assert_moved(rig, true);
    }
}

static void an_id_is_the_text_that_it_shows(void **state)
{
    static const char *const ids[] = {"1", "01", "1.0", " 1", "x", "A", "a"};
    struct catalog_rig *rig = *state;
    create(rig, "CREATE TABLE ecal (ecal_id INTEGER PRIMARY KEY, ecal_name TEXT)");
    catalog_rig_put(rig, "1", "hot/a/x");
    assert_int_equal(catalog_rig_fetch(rig, ids, ITEMS(ids)), 1);
    create(rig, "CREATE TABLE ecal (ecal_id TEXT COLLATE NOCASE PRIMARY KEY, ecal_name TEXT)");
    catalog_rig_put(rig, "A", "hot/a/x");
    assert_int_equal(catalog_rig_fetch(rig, ids, ITEMS(ids)), 1);
}

static void index_serves(struct catalog_rig *rig, const char *columns, bool serves)
{
    struct catalog_shape shape;
    struct err err;
    catalog_rig_sql(rig, "CREATE INDEX served ON ecal %s", columns);
    catalog_rig_succeed(describe(rig, &shape, &err), &err);
    if (shape.location_indexed != serves)
        fail_msg("an index on %s %s", columns, serves ? "does not serve" : "serves");
    catalog_rig_sql(rig, "DROP INDEX served");
}

static void an_index_serves_if_it_is_in_byte_order(void **state)
{
    struct catalog_rig *rig = *state;
    struct catalog_shape shape;
    struct err err;
    index_serves(rig, "(ecal_name)", true);
    index_serves(rig, "(ecal_name DESC, map)", true);
    index_serves(rig, "(ecal_name COLLATE NOCASE)", false);
    index_serves(rig, "(map, ecal_name)", false);
    index_serves(rig, "(ecal_name) WHERE is_valid", false);
    index_serves(rig, "(lower(ecal_name))", false);
    catalog_rig_succeed(describe(rig, &shape, &err), &err);
    catalog_rig_sql(rig, "%s", shape.index_statement);
    catalog_rig_succeed(describe(rig, &shape, &err), &err);
    assert_true(shape.location_indexed);
}

static void bytes_count_whatever_the_collation(void **state)
{
    struct catalog_rig *rig = *state;
    create(rig, "CREATE TABLE ecal (ecal_id TEXT PRIMARY KEY, ecal_name TEXT COLLATE NOCASE)");
    catalog_rig_put_cut(rig);
    catalog_rig_put(rig, "3", "https://HOT.example/c/a/1/z.mf4"); /* not below the source */
    catalog_rig_assert_cut(rig, CATALOG_CUT);
    assert_string_equal(catalog_rig_location(rig, "3"), "https://HOT.example/c/a/1/z.mf4");
    catalog_rig_put_back(rig);
    catalog_rig_move(rig, "1", "https://hot.example/c/a/1/X.mf4"); /* not where it was */
    catalog_rig_assert_cut(rig, CATALOG_CHANGED);
}

static void names_are_quoted(void **state)
{
    struct catalog_rig *rig = *state;
    struct catalog_shape shape;
    struct err err;
    create(rig, "CREATE TABLE \"weird\"\" ;table\" (\"Id --\" TEXT PRIMARY KEY, \"Lo'c\" TEXT)");
    rig->config.table = "main.weird\" ;table";
    rig->config.id = "id --"; /* names of SQLite have no case */
    rig->config.location = "Lo'c";
    for (size_t i = 0; i < catalog_rig_cut.count; i++)
        catalog_rig_sql(rig, "INSERT INTO \"weird\"\" ;table\" VALUES ('%s', '%s')",
                        catalog_rig_cut.rows[i].id, catalog_rig_cut.rows[i].old_location);
    catalog_rig_succeed(describe(rig, &shape, &err), &err);
    catalog_rig_sql(rig, "%s", shape.index_statement);
    catalog_rig_succeed(describe(rig, &shape, &err), &err);
    assert_true(shape.location_indexed);
    catalog_rig_assert_cut(rig, CATALOG_CUT);
}

/* -- refusals ---------------------------------------------------------------------------------- */

static void what_is_missing_is_named(void **state)
{
    struct catalog_rig *rig = *state;
    static const struct catalog_field fields[] = {{"map", "mapp"}};
    rig->config.table = "ecall";
    catalog_rig_assert_flaw(rig, CATALOG_FLAW_MISSING, CATALOG_TABLE, "no table `ecall`", "ecal");
    rig->config.table = "main.ecall";
    catalog_rig_assert_flaw(rig, CATALOG_FLAW_MISSING, CATALOG_TABLE, "no table `main.ecall`",
                            "main.ecal");
    rig->config.table = "main.ecal";
    rig->config.fields = fields;
    rig->config.field_count = 1;
    catalog_rig_assert_flaw(rig, CATALOG_FLAW_MISSING, CATALOG_FIELD,
                            "the table `main.ecal` has no column `mapp`", "map");
    rig->config.field_count = 0;
    rig->config.location = "frames";
    catalog_rig_assert_flaw(rig, CATALOG_FLAW_TYPE, CATALOG_LOCATION,
                            "`frames` is not declared as text", NULL);
    catalog_rig_sql(rig, "CREATE VIEW seen AS SELECT * FROM ecal");
    rig->config.table = "seen";
    catalog_rig_assert_flaw(rig, CATALOG_FLAW_TYPE, CATALOG_TABLE, "`seen` is a view", NULL);
}

static void a_file_must_be_there_and_be_a_database(void **state)
{
    struct catalog_rig *rig = *state;
    const char *path = str_format(&rig->arena, "%s/other.db", rig->folder);
    rig->config.path = path;
    catalog_rig_assert_open_fails(rig, ERR_MISSING, NULL);
    assert_int_equal(access(path, F_OK), -1); /* nor is it made */
    FILE *file = fopen(path, "w");
    fputs("This is no database, though it is long enough to have the header of one: "
          "a hundred bytes and some more.\n",
          file);
    fclose(file);
    catalog_rig_assert_open_fails(rig, ERR_CORRUPT, NULL);
    rig->config.path = rig->folder;
    struct err err = {0};
    struct catalog *catalog;
    assert_false(catalog_open(&rig->config, &rig->clock.clock, &catalog, &err));
    rig->config.path = ":memory:";
    catalog_rig_assert_open_fails(rig, ERR_MISSING, NULL);
    unlink(path);
    assert_int_equal(rig->clock.instant_us, 0);
}

static void another_encoding_is_refused(void **state)
{
    struct catalog_rig *rig = *state;
    sqlite3 *db;
    const char *path = str_format(&rig->arena, "%s/utf16.db", rig->folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "PRAGMA encoding = 'UTF-16'; CREATE TABLE ecal (x)", NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    rig->config.path = path;
    catalog_rig_assert_open_fails(rig, ERR_INPUT, NULL);
    unlink(path);
}

/* -- locks and disks --------------------------------------------------------------------------- */

static void a_database_that_is_locked_is_busy(void **state)
{
    struct catalog_rig *rig = *state;
    struct catalog_sight sight;
    struct err err = {0};
    rig->config.lock_wait_ms = 10;
    catalog_rig_put_cut(rig);
    catalog_rig_sql(rig, "BEGIN IMMEDIATE");
    catalog_rig_assert_cut_fails(rig, ERR_BUSY, NULL);
    assert_true(rig->clock.instant_us >= 3100000); /* six tries */
    assert_false(rig->catalog->ops->look(rig->catalog, &catalog_rig_cut, true, &sight, &err));
    assert_int_equal(err.kind, ERR_BUSY);
    catalog_rig_succeed(
        rig->catalog->ops->look(rig->catalog, &catalog_rig_cut, false, &sight, &err), &err);
    assert_int_equal(sight.at_source, 2);
    catalog_rig_sql(rig, "ROLLBACK");
    catalog_rig_assert_cut(rig, CATALOG_CUT);
}

static void a_reader_keeps_the_commit_out(void **state)
{
    struct catalog_rig *rig = *state;
    sqlite3_stmt *statement;
    rig->config.lock_wait_ms = 10;
    catalog_rig_put_cut(rig);
    assert_int_equal(sqlite3_prepare_v2(rig->sqlite, "SELECT * FROM ecal", -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    catalog_rig_assert_cut_fails(rig, ERR_BUSY, NULL);
    sqlite3_finalize(statement);
    catalog_rig_assert_moved(rig, false);
    catalog_rig_assert_cut(rig, CATALOG_CUT);
}

static void a_trigger_that_objects_is_a_conflict(void **state)
{
    struct catalog_rig *rig = *state;
    catalog_rig_put_cut(rig);
    catalog_rig_sql(rig, "CREATE TRIGGER t BEFORE UPDATE ON ecal WHEN old.ecal_id = '2'"
                         " BEGIN SELECT raise(ABORT, 'not this one'); END");
    catalog_rig_assert_cut_fails(rig, ERR_CONFLICT, NULL);
    catalog_rig_assert_moved(rig, false);
    catalog_rig_sql(rig, "DROP TRIGGER t");
    catalog_rig_sql(rig, "CREATE TRIGGER t BEFORE UPDATE ON ecal WHEN old.ecal_id = '2'"
                         " BEGIN SELECT raise(IGNORE); END");
    catalog_rig_assert_cut(rig, CATALOG_CHANGED);
    catalog_rig_assert_moved(rig, false);
}

/* What changes under the cut itself is as good as changed before it. */
static void a_trigger_that_moves_another_row_stops_the_cut(void **state)
{
    struct catalog_rig *rig = *state;
    catalog_rig_put_cut(rig);
    catalog_rig_sql(rig, "CREATE TRIGGER t AFTER UPDATE ON ecal WHEN old.ecal_id = '1' BEGIN"
                         " UPDATE ecal SET ecal_name = 'elsewhere' WHERE ecal_id = '2'; END");
    catalog_rig_assert_cut(rig, CATALOG_CHANGED);
    catalog_rig_assert_moved(rig, false);
}

/* A disk that fails: the real one, until the writes and syncs that it grants are used up. */
static struct {
    int code;    /* what it says then; SQLITE_OK: it is sound */
    int granted; /* calls that still succeed                  */
    int again;   /* calls that fail, then it recovers         */
    bool late;   /* files are deleted before that fails       */
    int syncs;   /* that were asked for                       */
} disk;
static const sqlite3_io_methods *sound;
static int unknown_and_moved; /* cut-overs that the disk did and denied */

static int deny(void)
{
    if (disk.code == SQLITE_OK || disk.granted-- > 0)
        return SQLITE_OK;
    return disk.again-- > 0 ? disk.code : SQLITE_OK;
}

static int disk_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    int code = deny();
    return code != SQLITE_OK ? code : sound->xWrite(file, bytes, size, offset);
}

static int disk_sync(sqlite3_file *file, int flags)
{
    int code = deny();
    disk.syncs++;
    return code != SQLITE_OK ? code : sound->xSync(file, flags);
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int code = deny();
    return code != SQLITE_OK ? code : sound->xTruncate(file, size);
}

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    static sqlite3_io_methods databases, journals; /* which are not locked */
    sqlite3_io_methods *methods = flags & SQLITE_OPEN_MAIN_DB ? &databases : &journals;
    sqlite3_vfs *real = vfs->pAppData;
    int code = real->xOpen(real, name, file, flags, out);
    if (code == SQLITE_OK && file->pMethods != NULL) {
        sound = file->pMethods;
        *methods = *sound;
        methods->xWrite = disk_write;
        methods->xSync = disk_sync;
        methods->xTruncate = disk_truncate;
        file->pMethods = methods;
    }
    return code;
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    sqlite3_vfs *real = vfs->pAppData;
    int done = disk.late ? real->xDelete(real, name, sync) : SQLITE_OK;
    int code = deny();
    if (code != SQLITE_OK || disk.late)
        return code != SQLITE_OK ? code : done;
    return real->xDelete(real, name, sync);
}

/* Cuts over on a disk that fails after `granted` calls.  False when it was never asked that often.
 */
static bool cut_on_failing_disk(struct catalog_rig *rig, int code, int granted, int again)
{
    enum catalog_outcome outcome = CATALOG_CHANGED;
    struct err err = {0};
    catalog_rig_connect(rig);
    disk.code = code;
    disk.granted = granted;
    disk.again = again;
    disk.syncs = 0;
    bool ok = rig->catalog->ops->cut_over(rig->catalog, &catalog_rig_cut, &outcome, &err);
    bool was_asked = disk.again < again;
    disk.code = SQLITE_OK;
    catalog_close(rig->catalog);
    rig->catalog = NULL;

    bool moved = strcmp(catalog_rig_location(rig, "1"), catalog_rig_cut.rows[0].new_location) == 0;
    catalog_rig_assert_moved(rig, moved); /* both or neither */
    if (!ok && moved)
        fail_msg("granted %d: it failed (%s), and yet the rows were moved", granted, err.text);
    if (ok && outcome == CATALOG_CUT && !moved)
        fail_msg("granted %d: it succeeded, and yet the rows were not moved", granted);
    if (ok && outcome == CATALOG_CUT && disk.syncs == 0)
        fail_msg("granted %d: it succeeded, and the next power cut may undo it", granted);
    if (ok && outcome == CATALOG_CHANGED)
        fail_msg("granted %d: nobody changed anything", granted);
    unknown_and_moved += ok && outcome == CATALOG_UNKNOWN && moved;
    return was_asked;
}

static void a_failing_disk_never_makes_a_false_report(void **state)
{
    static const int codes[] = {SQLITE_IOERR, SQLITE_FULL};
    static const int agains[] = {1, 1000};
    struct catalog_rig *rig = *state;
    static sqlite3_vfs vfs;
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);
    vfs = *real;
    vfs.zName = "failing";
    vfs.pAppData = real;
    vfs.xOpen = disk_open;
    vfs.xDelete = disk_delete;
    sqlite3_vfs_register(&vfs, 1);
    catalog_rig_put_cut(rig);
    for (size_t i = 0; i < 2 * ITEMS(codes) * ITEMS(agains); i++) {
        int granted = 0;
        disk.late = i / 4 != 0;
        while (cut_on_failing_disk(rig, codes[i % 2], granted, agains[i / 2 % 2])) {
            granted++;
            catalog_rig_put_back(rig);
        }
        assert_in_range(granted, 5, 100); /* the journal, the page, their syncs, the deletion */
        catalog_rig_put_back(rig);
    }
    assert_true(unknown_and_moved > 0);
    sqlite3_vfs_register(real, 1);
    sqlite3_vfs_unregister(&vfs);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest cases[] = {
        CASE(instants_are_texts_or_unix_seconds),
        CASE(a_time_may_be_declared_in_many_ways),
        CASE(what_is_not_of_the_declared_type_is_unknown),
        CASE(booleans_are_numbers_or_words),
        CASE(names_that_hide_something_stop_the_reading),
        CASE(an_id_needs_a_key_of_its_own),
        CASE(an_id_is_the_text_that_it_shows),
        CASE(an_index_serves_if_it_is_in_byte_order),
        CASE(bytes_count_whatever_the_collation),
        CASE(names_are_quoted),
        CASE(what_is_missing_is_named),
        CASE(a_file_must_be_there_and_be_a_database),
        CASE(another_encoding_is_refused),
        CASE(a_database_that_is_locked_is_busy),
        CASE(a_reader_keeps_the_commit_out),
        CASE(a_trigger_that_objects_is_a_conflict),
        CASE(a_trigger_that_moves_another_row_stops_the_cut),
        CASE(a_failing_disk_never_makes_a_false_report),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
