/* test_journal_old.c: a journal of version 1, as the first frostline left it, or of version 2 or
 * 3 is read as it is and brought up to date by the next writer. */
#include "state/journal.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "state/sql.h"
#include "tests/support/journal_rig.h"

#define UNIT 7
#define CUT_OVER_US INT64_C(1748000000000000)
#define GRACE_US INT64_C(604800000000)
#define FILE_BYTES_MAX ((size_t)1 << 20)

static const struct object copied = {.etag = "t"};

/* A directory in its grace, one object of which was copied. */
static const char version_1[] =
    "PRAGMA application_id = 0x46726c6e; PRAGMA user_version = 1;"
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE run (id INTEGER PRIMARY KEY, verb TEXT NOT NULL, plan TEXT, policy_path TEXT,"
    "  started_us INTEGER NOT NULL, ended_us INTEGER NOT NULL DEFAULT 0,"
    "  exit_code INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE TABLE unit (id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES run (id),"
    "  kind TEXT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL, source_store TEXT NOT NULL,"
    "  target_store TEXT NOT NULL, directory TEXT NOT NULL, policy TEXT NOT NULL,"
    "  open INTEGER NOT NULL, state TEXT NOT NULL, left_state TEXT NOT NULL, reason TEXT NOT NULL,"
    "  verify TEXT NOT NULL, tier TEXT NOT NULL, keep_source INTEGER NOT NULL,"
    "  rounds INTEGER NOT NULL, failures INTEGER NOT NULL, grace_us INTEGER NOT NULL,"
    "  cleanup_at_us INTEGER NOT NULL, objects INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    "  late INTEGER NOT NULL, row_count INTEGER NOT NULL, manifest BLOB NOT NULL) STRICT;"
    "CREATE INDEX unit_by_run ON unit (run);"
    "CREATE INDEX unit_open_source ON unit (source) WHERE open = 1;"
    "CREATE INDEX unit_open_target ON unit (target) WHERE open = 1;"
    "CREATE INDEX unit_abandoned ON unit (target) WHERE state = 'abandoned';"
    "CREATE INDEX unit_done ON unit (target) WHERE state = 'done';"
    "CREATE TABLE row (unit INTEGER NOT NULL REFERENCES unit (id), id TEXT NOT NULL,"
    "  old_location TEXT NOT NULL, new_location TEXT NOT NULL, PRIMARY KEY (unit, id))"
    "  STRICT, WITHOUT ROWID;"
    "CREATE INDEX row_by_id ON row (id);"
    "CREATE TABLE object (unit INTEGER NOT NULL REFERENCES unit (id), key TEXT NOT NULL,"
    "  bytes INTEGER NOT NULL, etag TEXT NOT NULL, md5 BLOB, md5_origin INTEGER NOT NULL,"
    "  tier INTEGER NOT NULL, copy INTEGER NOT NULL, irregular INTEGER NOT NULL,"
    "  target_etag TEXT NOT NULL, created INTEGER NOT NULL, proven INTEGER NOT NULL,"
    "  PRIMARY KEY (unit, key)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE event (id INTEGER PRIMARY KEY, at_us INTEGER NOT NULL,"
    "  unit INTEGER NOT NULL REFERENCES unit (id), from_state TEXT NOT NULL,"
    "  to_state TEXT NOT NULL, reason TEXT NOT NULL) STRICT;"
    "CREATE INDEX event_by_unit ON event (unit);"
    "INSERT INTO meta VALUES ('lineage', '00112233445566778899aabbccddeeff');"
    "INSERT INTO run VALUES (3, 'apply', 'sha256:aa', 'p.yaml', 5, 0, 0);"
    "INSERT INTO unit VALUES (7, 3, 'move', '" HOT "a/', '" COLD "a/', 'hot', 'cold', 'a/',"
    "  'age-out', 1, 'cutover', 'planned', 'grace', 'checksum', 'cold', 0, 0, 0, 604800000000,"
    "  1748604800000000, 1, 4, 0, 1, zeroblob(32));"
    "INSERT INTO row VALUES (7, 'R', '" HOT "a/f', '" COLD "a/f');"
    "INSERT INTO object VALUES (7, 'f', 4, 'e', NULL, 0, 0, 0, 0, 't', 1, 1);"
    "INSERT INTO event VALUES (1, 6, 7, 'planned', 'cutover', 'grace');";

/* What a listing saw, and a directory that was given up with one object of it copied. */
static const char from_1_to_2[] =
    "PRAGMA user_version = 2;"
    "CREATE TABLE sighting (url TEXT PRIMARY KEY, tier TEXT NOT NULL, at_us INTEGER NOT NULL)"
    "  STRICT, WITHOUT ROWID;"
    "INSERT INTO sighting VALUES ('" HOT "b/', 'cool', 9);"
    "INSERT INTO unit VALUES (8, 3, 'move', '" HOT "c/', '" COLD "c/', 'hot', 'cold', 'c/',"
    "  'age-out', 0, 'abandoned', 'planned', 'source-changed', 'checksum', 'cold', 0, 0, 0, 0, 0,"
    "  1, 4, 0, 1, zeroblob(32));"
    "INSERT INTO object VALUES (8, 'f', 4, 'e', NULL, 0, 0, 0, 0, 't', 1, 1);";

/* What stands at a target is known, and who came from there. */
static const char from_2_to_3[] =
    "PRAGMA user_version = 3;"
    "ALTER TABLE unit ADD COLUMN target_manifest BLOB NOT NULL DEFAULT "
    "x'0000000000000000000000000000000000000000000000000000000000000000';"
    "CREATE INDEX unit_moved_source ON unit (source) WHERE cleanup_at_us > 0;"
    "CREATE INDEX unit_moved_target ON unit (target) WHERE cleanup_at_us > 0;"
    "DROP INDEX unit_abandoned;"
    "CREATE INDEX unit_given_up ON unit (target) WHERE state IN ('abandoned', 'rolled-back');";

static void make_old(struct journal_rig *rig, int version)
{
    sqlite3 *db;
    MUST(sql_open(rig->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &db, &rig->err));
    MUST(sql_run(db, version_1, &rig->err));
    if (version >= 2)
        MUST(sql_run(db, from_1_to_2, &rig->err));
    if (version >= 3)
        MUST(sql_run(db, from_2_to_3, &rig->err));
    sqlite3_close(db);
}

static void all_of_it_is_known(struct journal_rig *rig)
{
    char lineage[JOURNAL_LINEAGE_MAX];
    struct journal_run run;
    struct catalog_row *rows;
    struct object_fact *facts;
    size_t count;
    int64_t arrived_us;
    MUST(journal_lineage(rig->journal, lineage, &rig->err));
    assert_string_equal(lineage, "00112233445566778899aabbccddeeff");
    MUST(journal_run_get(rig->journal, 0, &rig->arena, &run, &rig->err));
    assert_int_equal(run.id, 3);
    struct journal_unit unit = journal_rig_unit(rig, UNIT);
    assert_int_equal(unit.unit.state, UNIT_CUTOVER);
    assert_int_equal(unit.unit.grace_us, GRACE_US);
    assert_string_equal(unit.source, HOT "a/");
    MUST(journal_rows_get(rig->journal, UNIT, &rig->arena, &rows, &count, &rig->err));
    assert_int_equal(count, 1);
    MUST(journal_facts_get(rig->journal, UNIT, &rig->arena, &facts, &count, &rig->err));
    assert_int_equal(count, 1);
    assert_string_equal(facts[0].target_etag, "t");
    assert_string_equal(facts[0].copy_id, "");
    assert_int_equal(facts[0].copy_us, 0);
    assert_int_equal(journal_rig_count_events(rig, UNIT), 1);
    MUST(journal_arrival(rig->journal, COLD "a/", &arrived_us, &rig->err));
    assert_int_equal(arrived_us, CUT_OVER_US);
}

/* Of what an older version cut over, nobody knows what stood at its target. */
static void no_target_is_known(struct journal_rig *rig)
{
    static const struct manifest_digest unknown = {0};
    struct journal_unit *last;
    MUST(journal_last_move(rig->journal, HOT "a/", &rig->arena, &last, &rig->err));
    assert_non_null(last);
    assert_int_equal(last->unit.id, UNIT);
    assert_memory_equal(&last->unit.target_manifest, &unknown, sizeof(unknown));
}

/* What no later table tells is not known, and that is all. */
static void nothing_newer_is_known(struct journal_rig *rig)
{
    enum access_tier tier;
    MUST(journal_tier(rig->journal, HOT "b/", &tier, &rig->err));
    assert_int_equal(tier, TIER_DEFAULT);
    no_target_is_known(rig);
}

static void an_old_journal_is_read_and_left_as_it_is(void **state)
{
    struct journal_rig *rig = *state;
    char *before, *after;
    size_t before_bytes, after_bytes;
    make_old(rig, 1);
    MUST(file_read(rig->path, FILE_BYTES_MAX, &rig->arena, &before, &before_bytes, &rig->err));
    MUST(journal_open(rig->folder, JOURNAL_READ, &rig->clock.clock, &rig->journal, &rig->err));
    all_of_it_is_known(rig);
    nothing_newer_is_known(rig);

    struct unit unit = journal_rig_unit(rig, UNIT).unit;
    assert_false(journal_save(rig->journal, &unit, 1, true, &rig->err));
    assert_int_equal(rig->err.kind, ERR_DENIED);
    journal_rig_close(rig);
    MUST(file_read(rig->path, FILE_BYTES_MAX, &rig->arena, &after, &after_bytes, &rig->err));
    assert_int_equal(before_bytes, after_bytes);
    assert_memory_equal(before, after, before_bytes);
}

static void a_writer_brings_it_up_to_date(void **state)
{
    struct journal_rig *rig = *state;
    make_old(rig, 1);
    journal_rig_open(rig);
    all_of_it_is_known(rig);
    nothing_newer_is_known(rig);
    journal_rig_save(rig, UNIT, UNIT_DELETING, REASON_NONE, true);
    journal_rig_close(rig);
    MUST(journal_open(rig->folder, JOURNAL_READ, &rig->clock.clock, &rig->journal, &rig->err));
    assert_int_equal(journal_rig_unit(rig, UNIT).unit.state, UNIT_DELETING);
}

static void what_version_2_tells_is_known(struct journal_rig *rig)
{
    enum access_tier tier;
    bool ours = false, condemned;
    all_of_it_is_known(rig);
    no_target_is_known(rig);
    MUST(journal_tier(rig->journal, HOT "b/", &tier, &rig->err));
    assert_int_equal(tier, TIER_COOL);
    MUST(journal_is_ours(rig->journal, COLD "c/", "f", &copied, &ours, &condemned, &rig->err));
    assert_true(ours);
    assert_int_equal(journal_rig_unit(rig, 8).unit.state, UNIT_ABANDONED);
}

static void is_read_and_brought_up_to_date(struct journal_rig *rig, int version)
{
    make_old(rig, version);
    MUST(journal_open(rig->folder, JOURNAL_READ, &rig->clock.clock, &rig->journal, &rig->err));
    what_version_2_tells_is_known(rig);
    journal_rig_close(rig);
    journal_rig_open(rig);
    what_version_2_tells_is_known(rig);
    journal_rig_save(rig, UNIT, UNIT_RETURNING, REASON_NONE, true);
    journal_rig_save(rig, UNIT, UNIT_ROLLED_BACK, REASON_NONE, true);
    journal_rig_close(rig);
    journal_rig_open(rig);
    bool ours = false, condemned;
    MUST(journal_is_ours(rig->journal, COLD "a/", "f", &copied, &ours, &condemned, &rig->err));
    assert_true(ours);
}

static void version_2_is_read_and_brought_up_to_date(void **state)
{
    is_read_and_brought_up_to_date(*state, 2);
}

/* Copies in the cloud, which no version before knew, can be written down. */
static void version_3_is_read_and_brought_up_to_date(void **state)
{
    struct journal_rig *rig = *state;
    struct object_fact fact = {.want.key = "f", .copy_id = "id-1", .copy_us = 17}, *read;
    const struct object_fact *one = &fact;
    size_t count;
    is_read_and_brought_up_to_date(rig, 3);
    MUST(journal_facts_save(rig->journal, UNIT, &one, 1, &rig->err));
    MUST(journal_facts_get(rig->journal, UNIT, &rig->arena, &read, &count, &rig->err));
    assert_string_equal(read[0].copy_id, "id-1");
    assert_int_equal(read[0].copy_us, 17);
}

/* An old writer was killed with half a transaction in the file. */
static void what_is_half_in_an_old_file_is_undone(void **state)
{
    struct journal_rig *rig = *state;
    int ready[2], status;
    char said;
    make_old(rig, 1);
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        sqlite3 *db;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(20);
        if (!sql_open(rig->path, SQLITE_OPEN_READWRITE, &db, &rig->err) ||
            !sql_run(db,
                     "PRAGMA cache_size = 1; BEGIN; UPDATE unit SET state = 'deleting';"
                     "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000) "
                     "INSERT INTO meta SELECT 'filler ' || i, i FROM n",
                     &rig->err) ||
            write(ready[1], "", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &said, 1), 1);
    close(ready[0]);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    MUST(journal_open(rig->folder, JOURNAL_READ, &rig->clock.clock, &rig->journal, &rig->err));
    all_of_it_is_known(rig);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, journal_rig_setup, journal_rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_old_journal_is_read_and_left_as_it_is),
        TEST(a_writer_brings_it_up_to_date),
        TEST(version_2_is_read_and_brought_up_to_date),
        TEST(version_3_is_read_and_brought_up_to_date),
        TEST(what_is_half_in_an_old_file_is_undone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
