#include "state/journal_private.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/rand.h"
#include "base/str.h"

/* "Frln": what `file` and a stranger's SQLite see. */
#define APPLICATION_ID 0x46726c6e
#define TEXT_OF_(x) #x
#define TEXT_OF(x) TEXT_OF_(x)

/* -- versions --------------------------------------------------------------------------------- */

/* steps[v] leads from version v to v + 1.  A step that was once released is never edited.
 *
 * States, reasons and levels are kept by name: they read well in any SQLite shell, and the enums
 * may grow in the middle.  `open` repeats what the state says, for the partial indexes: looking for
 * what a place collides with, and for what a run resumes, costs the same however old the journal
 * is.    */
static const char *const steps[] = {
    "PRAGMA application_id = " TEXT_OF(
        APPLICATION_ID) ";"
                        "CREATE TABLE meta ("
                        "  key TEXT PRIMARY KEY,"
                        "  value TEXT NOT NULL"
                        ") STRICT, WITHOUT ROWID;"

                        "CREATE TABLE run ("
                        "  id INTEGER PRIMARY KEY,"
                        "  verb TEXT NOT NULL,"
                        "  plan TEXT,"
                        "  policy_path TEXT,"
                        "  started_us INTEGER NOT NULL,"
                        "  ended_us INTEGER NOT NULL DEFAULT 0,"
                        "  exit_code INTEGER NOT NULL DEFAULT 0"
                        ") STRICT;"

                        "CREATE TABLE unit ("
                        "  id INTEGER PRIMARY KEY,"
                        "  run INTEGER NOT NULL REFERENCES run (id),"
                        "  kind TEXT NOT NULL,"
                        "  source TEXT NOT NULL,"
                        "  target TEXT NOT NULL,"
                        "  source_store TEXT NOT NULL,"
                        "  target_store TEXT NOT NULL,"
                        "  directory TEXT NOT NULL,"
                        "  policy TEXT NOT NULL,"
                        "  open INTEGER NOT NULL,"
                        "  state TEXT NOT NULL,"
                        "  left_state TEXT NOT NULL,"
                        "  reason TEXT NOT NULL,"
                        "  verify TEXT NOT NULL,"
                        "  tier TEXT NOT NULL,"
                        "  keep_source INTEGER NOT NULL,"
                        "  rounds INTEGER NOT NULL,"
                        "  failures INTEGER NOT NULL,"
                        "  grace_us INTEGER NOT NULL,"
                        "  cleanup_at_us INTEGER NOT NULL,"
                        "  objects INTEGER NOT NULL,"
                        "  bytes INTEGER NOT NULL,"
                        "  late INTEGER NOT NULL,"
                        "  row_count INTEGER NOT NULL,"
                        "  manifest BLOB NOT NULL"
                        ") STRICT;"
                        "CREATE INDEX unit_by_run ON unit (run);"
                        "CREATE INDEX unit_open_source ON unit (source) WHERE open = 1;"
                        "CREATE INDEX unit_open_target ON unit (target) WHERE open = 1;"
                        "CREATE INDEX unit_abandoned ON unit (target) WHERE state = 'abandoned';"
                        "CREATE INDEX unit_done ON unit (target) WHERE state = 'done';"

                        "CREATE TABLE row ("
                        "  unit INTEGER NOT NULL REFERENCES unit (id),"
                        "  id TEXT NOT NULL,"
                        "  old_location TEXT NOT NULL,"
                        "  new_location TEXT NOT NULL,"
                        "  PRIMARY KEY (unit, id)"
                        ") STRICT, WITHOUT ROWID;"
                        "CREATE INDEX row_by_id ON row (id);"

                        "CREATE TABLE object ("
                        "  unit INTEGER NOT NULL REFERENCES unit (id),"
                        "  key TEXT NOT NULL,"
                        "  bytes INTEGER NOT NULL,"
                        "  etag TEXT NOT NULL,"
                        "  md5 BLOB,"
                        "  md5_origin INTEGER NOT NULL,"
                        "  tier INTEGER NOT NULL,"
                        "  copy INTEGER NOT NULL,"
                        "  irregular INTEGER NOT NULL,"
                        "  target_etag TEXT NOT NULL,"
                        "  created INTEGER NOT NULL,"
                        "  proven INTEGER NOT NULL,"
                        "  PRIMARY KEY (unit, key)"
                        ") STRICT, WITHOUT ROWID;"

                        "CREATE TABLE event ("
                        "  id INTEGER PRIMARY KEY,"
                        "  at_us INTEGER NOT NULL,"
                        "  unit INTEGER NOT NULL REFERENCES unit (id),"
                        "  from_state TEXT NOT NULL,"
                        "  to_state TEXT NOT NULL,"
                        "  reason TEXT NOT NULL"
                        ") STRICT;"
                        "CREATE INDEX event_by_unit ON event (unit);",

    /* Access tiers that a listing saw, of directories that no unit brought there. */
    "CREATE TABLE sighting ("
    "  url TEXT PRIMARY KEY,"
    "  tier TEXT NOT NULL,"
    "  at_us INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;",

    /* What can be cut over once more or sent back, and where rows have been; 32 zero bytes: nobody
     * knows the target's manifest. */
    "ALTER TABLE unit ADD COLUMN target_manifest BLOB NOT NULL DEFAULT "
    "x'0000000000000000000000000000000000000000000000000000000000000000';"
    "CREATE INDEX unit_moved_source ON unit (source) WHERE cleanup_at_us > 0;"
    "CREATE INDEX unit_moved_target ON unit (target) WHERE cleanup_at_us > 0;"
    "DROP INDEX unit_abandoned;"
    "CREATE INDEX unit_given_up ON unit (target) WHERE state IN ('abandoned', 'rolled-back');",

    /* Copies that the cloud goes on with by itself. */
    "ALTER TABLE object ADD COLUMN copy_id TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE object ADD COLUMN copy_us INTEGER NOT NULL DEFAULT 0;",
};
#define VERSION ((int64_t)(sizeof(steps) / sizeof(steps[0])))

/* An empty file is version 0 of a journal; what has tables and no number of ours is not. */
static bool read_version(sqlite3 *db, int64_t *version, struct err *err)
{
    int64_t application, tables;
    if (!sql_number(db, "PRAGMA user_version", version, err) ||
        !sql_number(db, "PRAGMA application_id", &application, err) ||
        !sql_number(db, "SELECT count(*) FROM sqlite_schema", &tables, err))
        return false;
    bool empty = *version == 0 && application == 0 && tables == 0;
    if (!empty && application != APPLICATION_ID)
        return ERR(err, ERR_INPUT, "the file is not a journal of frostline");
    if (*version > VERSION)
        return ERR(err, ERR_INPUT,
                   "the journal was made by a newer frostline (version %" PRId64
                   "; this one knows %" PRId64 ")",
                   *version, VERSION);
    return true;
}

static bool set_version(sqlite3 *db, struct err *err)
{
    char sql[64];
    snprintf(sql, sizeof(sql), "PRAGMA user_version = %" PRId64, VERSION);
    return sql_run(db, sql, err);
}

static bool set_lineage(sqlite3 *db, struct err *err)
{
    char sql[128];
    snprintf(sql, sizeof(sql),
             "INSERT OR IGNORE INTO meta VALUES ('lineage', '%016" PRIx64 "%016" PRIx64 "')",
             rand_system(), rand_system());
    return sql_run(db, sql, err);
}

static bool take_steps(sqlite3 *db, int64_t version, struct err *err)
{
    for (; version < VERSION; version++) {
        if (!sql_run(db, steps[version], err))
            return false;
    }
    return set_lineage(db, err) && set_version(db, err) && sql_run(db, "COMMIT", err);
}

static bool migrate_from(sqlite3 *db, int64_t version, struct err *err)
{
    if (!sql_run(db, "BEGIN IMMEDIATE", err))
        return false;
    if (take_steps(db, version, err))
        return true;
    struct err ignored;
    if (!sqlite3_get_autocommit(db) && !sql_run(db, "ROLLBACK", &ignored))
        return err_wrap(err, "undoing half a migration");
    return false;
}

bool journal_schema_look(sqlite3 *db, int64_t *version, bool *is_old, struct err *err)
{
    if (!read_version(db, version, err))
        return false;
    *is_old = *version < VERSION;
    return *version != 0 || ERR(err, ERR_MISSING, "the journal is empty");
}

bool journal_schema_migrate(sqlite3 *db, struct err *err)
{
    int64_t version;
    return read_version(db, &version, err) &&
           (version == VERSION || migrate_from(db, version, err) ||
            err_wrap(err, "bringing the journal from version %" PRId64 " to %" PRId64, version,
                     VERSION));
}

/* -- statements ------------------------------------------------------------------------------- */

/* What journal_save may change; in the order of put_unit and take_unit (journal_unit.c). */
#define UNIT_STATUS                                                                                \
    "open, state, left_state, reason, verify, tier, keep_source, rounds, failures, grace_us, "     \
    "cleanup_at_us, objects, bytes, late, row_count, manifest, target_manifest"
#define UNIT_NAMES "run, kind, source, target, source_store, target_store, directory, policy"
/* What lies in "a/" is what sorts between it and "a0": '0' is the byte that follows '/'. */
#define BEYOND "substr(?1, 1, length(?1) - 1) || '0'"
/* Rows went from its source to its target, be it that they came back. */
#define MOVED "cleanup_at_us > 0 AND kind <> 'retier' "
#define OBJECT_SOURCE "key, bytes, etag, md5, md5_origin, tier, copy, irregular"
#define OBJECT_TARGET "target_etag, created, proven, copy_id, copy_us"

const char *const journal_statement_texts[JOURNAL_STATEMENTS] = {
    [JOURNAL_BEGIN_GROUP] = "BEGIN IMMEDIATE",
    [JOURNAL_BEGIN_LOOK] = "BEGIN DEFERRED",
    [JOURNAL_COMMIT] = "COMMIT",
    [JOURNAL_BEGIN_CALL] = "SAVEPOINT call",
    [JOURNAL_KEEP_CALL] = "RELEASE call",
    [JOURNAL_UNDO_CALL] = "ROLLBACK TO call",

    [JOURNAL_LINEAGE] = "SELECT value FROM meta WHERE key = 'lineage' AND EXISTS "
                        "(SELECT 1 FROM unit)",

    [JOURNAL_RUN_INSERT] = "INSERT INTO run (verb, plan, policy_path, started_us) "
                           "VALUES (?, ?, ?, ?)",
    [JOURNAL_RUN_END] = "UPDATE run SET ended_us = ?, exit_code = ? WHERE id = ?",
    [JOURNAL_RUN_LATEST] = "SELECT id, verb, plan, policy_path, started_us, ended_us, exit_code "
                           "FROM run ORDER BY id DESC LIMIT 1",
    [JOURNAL_RUN_ONE] = "SELECT id, verb, plan, policy_path, started_us, ended_us, exit_code "
                        "FROM run WHERE id = ?",

    [JOURNAL_UNIT_INSERT] = "INSERT INTO unit (" UNIT_STATUS ", " UNIT_NAMES ") VALUES "
                            "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                            "?, ?, ?, ?, ?, ?, ?, ?)",
    [JOURNAL_UNIT_UPDATE] = "UPDATE unit SET (" UNIT_STATUS ") = "
                            "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE id = ?",
    [JOURNAL_UNIT_STATE] = "SELECT state, reason FROM unit WHERE id = ?",
    [JOURNAL_UNIT_ONE] = "SELECT " UNIT_STATUS ", " UNIT_NAMES ", id FROM unit WHERE id = ?",
    [JOURNAL_OPEN_AT] = "SELECT id FROM unit WHERE open = 1 AND source = ?1 UNION ALL "
                        "SELECT id FROM unit WHERE open = 1 AND target = ?1 LIMIT 1",
    [JOURNAL_OPEN_BELOW] =
        "SELECT id FROM (SELECT id FROM unit WHERE open = 1 AND source > ?1 AND source < " BEYOND
        " ORDER BY source LIMIT 1) UNION ALL "
        "SELECT id FROM (SELECT id FROM unit WHERE open = 1 AND target > ?1 AND target < " BEYOND
        " ORDER BY target LIMIT 1) LIMIT 1",
    [JOURNAL_IDS_ALL] = "SELECT id FROM unit ORDER BY source, id",
    [JOURNAL_IDS_OPEN] = "SELECT id FROM unit WHERE open = 1 AND ?1 IN (0, run) "
                         "ORDER BY source, id",
    [JOURNAL_IDS_OF_RUN] = "SELECT id FROM unit WHERE run = ?1 ORDER BY source, id",
    [JOURNAL_IDS_OF_RECORDING] = "SELECT unit.id FROM row JOIN unit ON unit.id = row.unit "
                                 "WHERE row.id = ?1 AND ?2 IN (0, unit.open) "
                                 "AND ?3 IN (0, unit.run) ORDER BY unit.id",
    [JOURNAL_ROW_INSERT] = "INSERT INTO row (unit, id, old_location, new_location) "
                           "VALUES (?, ?, ?, ?)",
    [JOURNAL_ROW_COUNT] = "SELECT count(*) FROM row WHERE unit = ?",
    [JOURNAL_ROWS] = "SELECT id, old_location, new_location FROM row WHERE unit = ? ORDER BY id",

    [JOURNAL_OBJECT_INSERT] = "INSERT INTO object (unit, " OBJECT_SOURCE ", " OBJECT_TARGET ") "
                              "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [JOURNAL_OBJECT_UPDATE] = "UPDATE object SET (" OBJECT_TARGET ") = (?, ?, ?, ?, ?) "
                              "WHERE unit = ? AND key = ?",
    [JOURNAL_OBJECT_COUNT] = "SELECT count(*) FROM object WHERE unit = ?",
    [JOURNAL_OBJECTS] = "SELECT " OBJECT_SOURCE ", " OBJECT_TARGET " FROM object WHERE unit = ? "
                        "ORDER BY key",
    [JOURNAL_OBJECTS_DROP] = "DELETE FROM object WHERE unit = ?",
    [JOURNAL_OURS] = "SELECT coalesce(max(object.created), 0) "
                     "FROM unit JOIN object ON object.unit = unit.id "
                     "WHERE unit.target = ?1 AND unit.state IN ('abandoned', 'rolled-back') "
                     "AND object.key = ?2 "
                     "AND (object.target_etag = ?3 OR (?4 <> '' AND object.copy_id = ?4))",

    /* The grace begins with the cut-over; before it there is no end of one. */
    [JOURNAL_ARRIVAL] = "SELECT coalesce(max(at_us), 0) FROM ("
                        "SELECT cleanup_at_us - grace_us AS at_us FROM unit "
                        "WHERE target = ?1 AND state = 'done' UNION ALL "
                        "SELECT cleanup_at_us - grace_us FROM unit "
                        "WHERE target = ?1 AND open = 1 AND cleanup_at_us > 0 UNION ALL "
                        "SELECT cleanup_at_us - grace_us FROM unit WHERE source = ?1 AND " MOVED
                        "AND state = 'rolled-back')",
    [JOURNAL_PASSAGE] = "SELECT coalesce(max(cleanup_at_us - grace_us), 0) FROM unit "
                        "WHERE source = ?1 AND target = ?2 AND cleanup_at_us > 0",
    [JOURNAL_NEXT_SOURCE] =
        "SELECT source FROM unit WHERE source >= ?1 AND " MOVED "ORDER BY source LIMIT 1",
    [JOURNAL_LAST_MOVE] = "SELECT max(id) FROM ("
                          "SELECT id FROM unit WHERE source = ?1 AND " MOVED " UNION ALL "
                          "SELECT id FROM unit WHERE target = ?1 AND " MOVED ")",

    [JOURNAL_TIER] = "SELECT tier FROM ("
                     "SELECT cleanup_at_us - grace_us AS at_us, id, tier FROM unit "
                     "WHERE target = ?1 AND state = 'done' UNION ALL "
                     "SELECT cleanup_at_us - grace_us, id, tier FROM unit "
                     "WHERE target = ?1 AND open = 1 AND cleanup_at_us > 0 UNION ALL "
                     "SELECT at_us, 0, tier FROM sighting WHERE url = ?1) "
                     "ORDER BY at_us DESC, id DESC LIMIT 1",
    [JOURNAL_SEE_TIER] = "INSERT INTO sighting (url, tier, at_us) VALUES (?, ?, ?) "
                         "ON CONFLICT (url) DO UPDATE SET tier = excluded.tier, "
                         "at_us = excluded.at_us",

    [JOURNAL_EVENT_INSERT] = "INSERT INTO event (at_us, unit, from_state, to_state, reason) "
                             "VALUES (?, ?, ?, ?, ?)",
    [JOURNAL_EVENTS] = "SELECT at_us, unit, from_state, to_state, reason FROM event "
                       "WHERE unit = ? ORDER BY id",
};
