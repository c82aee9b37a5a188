/* test_journal.c: what was promised is still known after a crash; one file, whole or refused. */
#include "state/journal.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "state/journal_private.h"
#include "tests/support/journal_rig.h"

/* -- opening ---------------------------------------------------------------------------------- */

static void a_new_journal_is_ours_alone_and_empty(void **state)
{
    struct journal_rig *rig = *state;
    char lineage[JOURNAL_LINEAGE_MAX];
    struct stat status;
    assert_int_equal(rmdir(rig->folder), 0);
    journal_rig_open(rig);
    assert_int_equal(stat(rig->folder, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    assert_int_equal(stat(rig->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    MUST(journal_lineage(rig->journal, lineage, &rig->err));
    assert_string_equal(lineage, "none");
    struct journal_run run;
    assert_false(journal_run_get(rig->journal, 0, &rig->arena, &run, &rig->err));
    assert_int_equal(rig->err.kind, ERR_MISSING);
}

static void a_lineage_stays_and_is_no_other_ones(void **state)
{
    struct journal_rig *rig = *state;
    char first[JOURNAL_LINEAGE_MAX], again[JOURNAL_LINEAGE_MAX], other[JOURNAL_LINEAGE_MAX];
    journal_rig_open_run(rig);
    journal_rig_begin(rig, HOT "a/", COLD "a/");
    MUST(journal_lineage(rig->journal, first, &rig->err));
    assert_int_equal(strlen(first), 32);
    assert_int_equal(strspn(first, "0123456789abcdef"), 32);
    journal_rig_close(rig);
    journal_rig_open(rig);
    MUST(journal_lineage(rig->journal, again, &rig->err));
    assert_string_equal(first, again);

    void *second;
    assert_int_equal(journal_rig_setup(&second), 0);
    journal_rig_open_run(second);
    journal_rig_begin(second, HOT "a/", COLD "a/");
    assert_true(journal_lineage(((struct journal_rig *)second)->journal, other, &rig->err));
    assert_string_not_equal(first, other);
    journal_rig_teardown(&second);
}

static void there_is_nothing_to_read_before_the_first_run(void **state)
{
    struct journal_rig *rig = *state;
    struct journal *reader;
    assert_false(journal_open(rig->folder, JOURNAL_READ, &rig->clock.clock, &reader, &rig->err));
    assert_int_equal(rig->err.kind, ERR_MISSING);
    assert_null(reader);
    assert_int_not_equal(access(rig->path, F_OK), 0);

    /* The file of a writer that was killed before its first transaction. */
    close(open(rig->path, O_CREAT | O_WRONLY, 0600));
    assert_false(journal_open(rig->folder, JOURNAL_READ, &rig->clock.clock, &reader, &rig->err));
    assert_int_equal(rig->err.kind, ERR_MISSING);
    journal_rig_open_run(rig);
}

static void run_sql(struct journal_rig *rig, const char *text)
{
    sqlite3 *db;
    MUST(sql_open(rig->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &db, &rig->err));
    MUST(sql_run(db, text, &rig->err));
    sqlite3_close(db);
}

static void assert_refused(struct journal_rig *rig, enum journal_mode mode, enum err_kind kind,
                           const char *part)
{
    struct journal *journal;
    assert_false(journal_open(rig->folder, mode, &rig->clock.clock, &journal, &rig->err));
    assert_null(journal);
    assert_int_equal(rig->err.kind, kind);
    if (strstr(rig->err.text, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", rig->err.text, part);
}

static void a_newer_journal_is_refused(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    journal_rig_close(rig);
    run_sql(rig, "PRAGMA user_version = 99");
    assert_refused(rig, JOURNAL_WRITE, ERR_INPUT, "newer");
    assert_refused(rig, JOURNAL_READ, ERR_INPUT, "newer");
}

/* What a version has is kept; half a migration is none. */
static void a_migration_is_whole_or_not_at_all(void **state)
{
    struct journal_rig *rig = *state;
    run_sql(rig, "PRAGMA application_id = 0x46726c6e; CREATE TABLE run (x)");
    assert_refused(rig, JOURNAL_WRITE, ERR_INTERNAL, "from version 0 to 4");
    sqlite3 *db;
    int64_t version = 7, tables = 7;
    MUST(sql_open(rig->path, SQLITE_OPEN_READONLY, &db, &rig->err));
    MUST(sql_number(db, "PRAGMA user_version", &version, &rig->err));
    MUST(sql_number(db, "SELECT count(*) FROM sqlite_schema", &tables, &rig->err));
    sqlite3_close(db);
    assert_int_equal(version, 0);
    assert_int_equal(tables, 1);

    run_sql(rig, "DROP TABLE run");
    journal_rig_open_run(rig);
}

static void a_strangers_file_is_left_alone(void **state)
{
    struct journal_rig *rig = *state;
    run_sql(rig, "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
    assert_refused(rig, JOURNAL_WRITE, ERR_INPUT, "not a journal");
    sqlite3 *db;
    int64_t rows = 0;
    MUST(sql_open(rig->path, SQLITE_OPEN_READONLY, &db, &rig->err));
    MUST(sql_number(db, "SELECT count(*) FROM theirs", &rows, &rig->err));
    sqlite3_close(db);
    assert_int_equal(rows, 1);
}

static void damage_is_seen_when_it_is_opened(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    struct journal_new news[200];
    for (int i = 0; i < 200; i++)
        news[i] = journal_rig_new(rig, str_format(&rig->arena, HOT "%d/", i),
                                  str_format(&rig->arena, COLD "%d/", i));
    MUST(journal_begin(rig->journal, news, 200, &rig->err));
    journal_rig_close(rig);
    FILE *file = fopen(rig->path, "r+");
    assert_non_null(file);
    for (long page = 2; page < 12; page++) {
        fseek(file, page * 4096 + 8, SEEK_SET);
        fputs("damage damage damage", file);
    }
    fclose(file);
    assert_refused(rig, JOURNAL_WRITE, ERR_CORRUPT, "journal.db");
    MUST(journal_open(rig->folder, JOURNAL_READ, &rig->clock.clock, &rig->journal, &rig->err));
    assert_false(journal_check(rig->journal, &rig->err)); /* a reader has to ask */
    assert_int_equal(rig->err.kind, ERR_CORRUPT);
    journal_rig_close(rig);

    file = fopen(rig->path, "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        fputs("this is no SQLite file; ", file);
    fclose(file);
    assert_refused(rig, JOURNAL_WRITE, ERR_CORRUPT, "journal.db");
    assert_refused(rig, JOURNAL_READ, ERR_CORRUPT, "journal.db");
}

static void network_file_systems_are_known(void **state)
{
    (void)state;
    static const uint64_t remote[] = {NFS_SUPER_MAGIC,
                                      CIFS_SUPER_MAGIC,
                                      SMB2_SUPER_MAGIC,
                                      V9FS_MAGIC,
                                      CEPH_SUPER_MAGIC,
                                      AFS_SUPER_MAGIC,
                                      (uint64_t)(int64_t)(int32_t)CIFS_SUPER_MAGIC};
    static const uint64_t local[] = {EXT4_SUPER_MAGIC,  TMPFS_MAGIC,     FUSE_SUPER_MAGIC,
                                     BTRFS_SUPER_MAGIC, XFS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC};
    for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++)
        assert_true(journal_is_remote(remote[i]));
    for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
        assert_false(journal_is_remote(local[i]));
}

/* -- runs ------------------------------------------------------------------------------------- */

static void a_run_is_remembered(void **state)
{
    struct journal_rig *rig = *state;
    int64_t second;
    struct journal_run run;
    journal_rig_open_run(rig);
    MUST(journal_run_begin(rig->journal, &(struct journal_run){.verb = "reap", .started_us = 5},
                           &second, &rig->err));
    MUST(journal_run_get(rig->journal, rig->run, &rig->arena, &run, &rig->err));
    assert_int_equal(run.id, rig->run);
    assert_string_equal(run.verb, "apply");
    assert_string_equal(run.plan, "sha256:aa");
    assert_string_equal(run.policy_path, "p.yaml");
    assert_int_equal(run.started_us, JOURNAL_RIG_NOW_US);
    assert_int_equal(run.ended_us, 0);

    MUST(journal_run_get(rig->journal, 0, &rig->arena, &run, &rig->err));
    assert_int_equal(run.id, second);
    assert_null(run.plan);
    assert_null(run.policy_path);
    rig->clock.instant_us += 77;
    MUST(journal_run_end(rig->journal, second, 3, &rig->err));
    MUST(journal_run_get(rig->journal, second, &rig->arena, &run, &rig->err));
    assert_int_equal(run.ended_us, JOURNAL_RIG_NOW_US + 77);
    assert_int_equal(run.exit_code, 3);

    assert_false(journal_run_get(rig->journal, 99, &rig->arena, &run, &rig->err));
    assert_int_equal(rig->err.kind, ERR_MISSING);
    assert_false(journal_run_end(rig->journal, 99, 0, &rig->err));
    assert_int_equal(rig->err.kind, ERR_MISSING);
}

/* -- durability ------------------------------------------------------------------------------- */

/* What another process would find if this one died now. */
static enum unit_state durable_state(struct journal_rig *rig, int64_t id)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    bool row;
    enum unit_state state = UNIT_STATES;
    MUST(sql_open(rig->path, SQLITE_OPEN_READONLY, &db, &rig->err));
    MUST(sql_prepare(db, "SELECT state FROM unit WHERE id = ?", &statement, &rig->err));
    struct sql sql = sql_parameters(statement);
    sql_put_integer(&sql, id);
    MUST(sql_step(statement, &row, &rig->err));
    struct sql columns = sql_columns(statement);
    if (row)
        MUST(journal_state_take(&columns, &state, &rig->err));
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return state;
}

static void a_durable_write_takes_the_waiting_ones_along(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    int64_t a = journal_rig_begin(rig, HOT "a/", COLD "a/");
    int64_t b = journal_rig_begin(rig, HOT "b/", COLD "b/");
    assert_int_equal(durable_state(rig, a), UNIT_COPYING);
    journal_rig_save(rig, a, UNIT_VERIFYING, REASON_NONE, false);
    assert_int_equal(durable_state(rig, a), UNIT_COPYING);
    assert_int_equal(journal_rig_unit(rig, a).unit.state, UNIT_VERIFYING);
    journal_rig_save(rig, b, UNIT_COMMITTING, REASON_NONE, true);
    assert_int_equal(durable_state(rig, a), UNIT_VERIFYING);
    assert_int_equal(durable_state(rig, b), UNIT_COMMITTING);
}

static void a_group_ends_by_time_and_by_count(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    int64_t id = journal_rig_begin_facts(rig, HOT "a/", COLD "a/");
    journal_rig_save(rig, id, UNIT_VERIFYING, REASON_NONE, false);
    rig->clock.instant_us += JOURNAL_GROUP_MS * 1000 - 1;
    journal_rig_save_target(rig, id, "a", "t", true);
    assert_int_equal(durable_state(rig, id), UNIT_COPYING);
    rig->clock.instant_us += 1;
    journal_rig_save_target(rig, id, "a", "t", true);
    assert_int_equal(durable_state(rig, id), UNIT_VERIFYING);

    journal_rig_save(rig, id, UNIT_COMMITTING, REASON_NONE, false);
    for (int i = 0; i < JOURNAL_GROUP_WRITES - 2; i++)
        journal_rig_save_target(rig, id, "a", "t", true);
    assert_int_equal(durable_state(rig, id), UNIT_VERIFYING);
    journal_rig_save_target(rig, id, "a", "t", true);
    assert_int_equal(durable_state(rig, id), UNIT_COMMITTING);
}

static void closing_writes_what_waits(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    int64_t id = journal_rig_begin(rig, HOT "a/", COLD "a/");
    journal_rig_save(rig, id, UNIT_VERIFYING, REASON_NONE, false);
    journal_rig_close(rig);
    assert_int_equal(durable_state(rig, id), UNIT_VERIFYING);
}

static void a_reader_sees_the_last_group_while_the_next_is_open(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    int64_t id = journal_rig_begin(rig, HOT "a/", COLD "a/");
    struct journal *writer = rig->journal, *reader;
    MUST(journal_open(rig->folder, JOURNAL_READ, &rig->clock.clock, &reader, &rig->err));
    journal_rig_save(rig, id, UNIT_VERIFYING, REASON_NONE, false);
    rig->journal = reader;
    assert_int_equal(journal_rig_unit(rig, id).unit.state, UNIT_COPYING);
    MUST(journal_check(reader, &rig->err));
    bool is_old = true;
    assert_true(journal_version(reader, &is_old) > 0 && !is_old);
    rig->journal = writer;
    journal_rig_save(rig, id, UNIT_COMMITTING, REASON_NONE, true);
    rig->journal = reader;
    assert_int_equal(journal_rig_unit(rig, id).unit.state, UNIT_COMMITTING);

    /* And it can't write. */
    struct unit unit = journal_rig_unit(rig, id).unit;
    assert_false(journal_save(reader, &unit, 1, true, &rig->err));
    assert_int_equal(rig->err.kind, ERR_DENIED);
    rig->journal = writer;
    journal_close(reader);
}

/* Nobody goes on from half a promise: neither the next call nor closing makes up for it. */
static void what_could_not_be_committed_is_not_there(void **state)
{
    struct journal_rig *rig = *state;
    sqlite3 *reader;
    int64_t units;
    journal_rig_open_run(rig);
    int64_t id = journal_rig_begin(rig, HOT "a/", COLD "a/");
    MUST(sql_open(rig->path, SQLITE_OPEN_READWRITE, &reader, &rig->err));
    MUST(sql_run(reader, "BEGIN", &rig->err));
    MUST(sql_number(reader, "SELECT count(*) FROM unit", &units, &rig->err));
    sqlite3_busy_timeout(rig->journal->db, 0);

    struct unit unit = journal_rig_unit(rig, id).unit;
    unit.state = UNIT_COMMITTING;
    assert_false(journal_save(rig->journal, &unit, 1, true, &rig->err));
    assert_int_equal(rig->err.kind, ERR_BUSY);
    sqlite3_close(reader);
    assert_int_equal(journal_rig_unit(rig, id).unit.state, UNIT_COPYING);
    journal_rig_close(rig);
    journal_rig_open(rig);
    assert_int_equal(journal_rig_unit(rig, id).unit.state, UNIT_COPYING);
}

static void save_in_a_group(struct journal_rig *rig, int64_t *id)
{
    journal_rig_open_run(rig);
    *id = journal_rig_begin_facts(rig, HOT "a/", COLD "a/");
    journal_rig_save_target(rig, *id, "a", "\"durable\"", true);
    journal_rig_save(rig, *id, UNIT_COMMITTING, REASON_NONE, true);
    journal_rig_save_target(rig, *id, "b", "\"lost\"", true);
    journal_rig_save(rig, *id, UNIT_CUTOVER, REASON_GRACE, false);
}

/* A transaction that outgrows its cache has changed the file itself before it is committed. */
static void save_half_in_the_file(struct journal_rig *rig, int64_t *id)
{
    sqlite3 *db;
    save_in_a_group(rig, id);
    journal_rig_save(rig, *id, UNIT_COMMITTING, REASON_NONE, true);
    MUST(sql_open(rig->path, SQLITE_OPEN_READWRITE, &db, &rig->err));
    MUST(sql_run(db,
                 "PRAGMA journal_mode = TRUNCATE; PRAGMA cache_size = 1; BEGIN;"
                 "UPDATE unit SET state = 'cutover'; UPDATE object SET target_etag = 'x';"
                 "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000) "
                 "INSERT INTO meta SELECT 'filler ' || i, i FROM n",
                 &rig->err));
}

/* A child writes, says so, and is killed. */
static int64_t die_after(struct journal_rig *rig, void (*save)(struct journal_rig *, int64_t *))
{
    int ready[2];
    int64_t id;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind, */
        alarm(20);                        /* and waits for nobody for long           */
        save(rig, &id);
        if (write(ready[1], &id, sizeof(id)) != sizeof(id))
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &id, sizeof(id)), sizeof(id));
    close(ready[0]);
    int status;
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    return id;
}

static void assert_only_the_group_is_lost(struct journal_rig *rig, int64_t id)
{
    struct object_fact *facts;
    size_t count;
    assert_int_equal(journal_rig_unit(rig, id).unit.state, UNIT_COMMITTING);
    MUST(journal_facts_get(rig->journal, id, &rig->arena, &facts, &count, &rig->err));
    assert_int_equal(count, 2);
    assert_string_equal(facts[0].target_etag, "\"durable\"");
    assert_string_equal(facts[1].target_etag, "");
    assert_int_equal(journal_rig_count_events(rig, id), 2);
}

static void a_killed_writer_loses_its_last_group_only(void **state)
{
    struct journal_rig *rig = *state;
    int64_t id = die_after(rig, save_in_a_group);
    journal_rig_open(rig);
    assert_only_the_group_is_lost(rig, id);
    journal_rig_save(rig, id, UNIT_CUTOVER, REASON_GRACE, true);
}

static void a_reader_comes_after_a_killed_writer(void **state)
{
    struct journal_rig *rig = *state;
    int64_t id = die_after(rig, save_in_a_group);
    MUST(journal_open(rig->folder, JOURNAL_READ, &rig->clock.clock, &rig->journal, &rig->err));
    assert_only_the_group_is_lost(rig, id);
}

static void a_reader_undoes_what_is_half_in_the_file(void **state)
{
    struct journal_rig *rig = *state;
    int64_t id = die_after(rig, save_half_in_the_file);
    MUST(journal_open(rig->folder, JOURNAL_READ, &rig->clock.clock, &rig->journal, &rig->err));
    assert_int_equal(journal_rig_unit(rig, id).unit.state, UNIT_COMMITTING);
    struct object_fact *facts;
    size_t count;
    MUST(journal_facts_get(rig->journal, id, &rig->arena, &facts, &count, &rig->err));
    assert_string_equal(facts[1].target_etag, "\"lost\"");
}

/* -- threads ---------------------------------------------------------------------------------- */

#define THREADS 4
#define ROUNDS 50

struct writer {
    struct journal *journal;
    int64_t unit;
    bool done;
    struct err err;
};

static bool write_a_round(struct writer *writer, int round)
{
    struct unit unit = {.id = writer->unit,
                        .state = round + 1 < ROUNDS ? UNIT_VERIFYING : UNIT_COMMITTING,
                        .rounds = (uint32_t)round};
    struct object_fact fact = journal_rig_fact("a", 1);
    snprintf(fact.target_etag, sizeof(fact.target_etag), "%d", round);
    const struct object_fact *one = &fact;
    return journal_facts_save(writer->journal, writer->unit, &one, 1, &writer->err) &&
           journal_save(writer->journal, &unit, 1, round % 10 == 0, &writer->err);
}

static void *write_rounds(void *context)
{
    struct writer *writer = context;
    writer->done = true;
    for (int round = 0; writer->done && round < ROUNDS; round++)
        writer->done = write_a_round(writer, round);
    return NULL;
}

static void any_thread_may_write(void **state)
{
    struct journal_rig *rig = *state;
    struct writer writers[THREADS];
    pthread_t threads[THREADS];
    journal_rig_open_run(rig);
    for (int i = 0; i < THREADS; i++) {
        const char *source = str_format(&rig->arena, HOT "%d/", i);
        const char *target = str_format(&rig->arena, COLD "%d/", i);
        writers[i] = (struct writer){.journal = rig->journal,
                                     .unit = journal_rig_begin_facts(rig, source, target)};
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_rounds, &writers[i]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) {
        if (!writers[i].done)
            fail_msg("%s", writers[i].err.text);
        struct unit unit = journal_rig_unit(rig, writers[i].unit).unit;
        assert_int_equal(unit.state, UNIT_COMMITTING);
        assert_int_equal(unit.rounds, ROUNDS - 1);
        assert_int_equal(journal_rig_count_events(rig, writers[i].unit), 3);
        struct object_fact *facts;
        size_t count;
        MUST(journal_facts_get(rig->journal, writers[i].unit, &rig->arena, &facts, &count,
                               &rig->err));
        assert_int_equal(count, 2);
        assert_string_equal(facts[0].target_etag, "49");
    }
}

/* -- a full disk ------------------------------------------------------------------------------ */

/* Begins units with large rows until one is refused; the number that were begun. */
static int begin_until_refused(struct journal_rig *rig, int from)
{
    char *text = arena_make(&rig->arena, 20001);
    memset(text, 'x', 20000);
    for (int i = from; i < from + 10000; i++) {
        struct journal_new new = journal_rig_new(rig, str_format(&rig->arena, HOT "%d/", i),
                                                 str_format(&rig->arena, COLD "%d/", i));
        const struct catalog_row row = {str_format(&rig->arena, "R%d", i), text, text};
        new.rows = &row;
        new.row_count = 1;
        if (!journal_begin(rig->journal, &new, 1, &rig->err))
            return i - from;
    }
    fail_msg("nothing was refused");
    return 0;
}

static void assert_whole(struct journal_rig *rig, int unit_count, int row_count)
{
    journal_rig_close(rig);
    journal_rig_open(rig);
    sqlite3 *db;
    int64_t units = 0, rows = 0;
    MUST(sql_open(rig->path, SQLITE_OPEN_READONLY, &db, &rig->err));
    MUST(sql_number(db, "SELECT count(*) FROM unit", &units, &rig->err));
    MUST(sql_number(db, "SELECT count(*) FROM row", &rows, &rig->err));
    sqlite3_close(db);
    assert_int_equal(units, unit_count);
    assert_int_equal(rows, row_count);
}

/* A limit on the size of files is what every user can have instead of a full disk. */
static void a_file_that_may_not_grow_is_an_error_and_no_damage(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 512 * 1024;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int begun = begin_until_refused(rig, 0);
    struct err err = rig->err;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);

    assert_in_range(begun, 3, 20);
    assert_int_equal(err.kind, ERR_BUSY);
    assert_non_null(strstr(err.text, "writing the journal"));
    assert_true(journal_rig_begin(rig, HOT "after/", COLD "after/") > 0);
    assert_whole(rig, begun + 1, begun);
}

/* As root: a file system of our own, in a namespace of our own, so that nothing of it stays. */
static bool mount_small(const char *folder, const char *options)
{
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", folder, "tmpfs", 0, options) == 0;
}

static void a_full_disk_is_an_error_and_no_damage(void **state)
{
    struct journal_rig *rig = *state;
    if (!mount_small(rig->folder, "size=70m,mode=0700"))
        skip();
    char filler[300];
    snprintf(filler, sizeof(filler), "%s/filler", rig->folder);
    journal_rig_open_run(rig);
    int fd = open(filler, O_CREAT | O_WRONLY, 0600);
    bool filled = fd >= 0 && posix_fallocate(fd, 0, (off_t)69 << 20) == 0;
    close(fd);
    int begun = filled ? begin_until_refused(rig, 0) : 0;
    struct err err = rig->err;
    unlink(filler);
    if (filled)
        assert_whole(rig, begun, begun);
    journal_rig_close(rig);
    int unmounted = umount(rig->folder);
    assert_true(filled);
    assert_int_equal(unmounted, 0);
    assert_in_range(begun, 3, 40);
    assert_int_equal(err.kind, ERR_BUSY);
    assert_non_null(strstr(err.text, "full"));
}

static void too_little_room_is_said_before_a_run(void **state)
{
    struct journal_rig *rig = *state;
    if (!mount_small(rig->folder, "size=1m,mode=0700"))
        skip();
    bool opened =
        journal_open(rig->folder, JOURNAL_WRITE, &rig->clock.clock, &rig->journal, &rig->err);
    journal_rig_close(rig);
    assert_int_equal(umount(rig->folder), 0);
    assert_false(opened);
    assert_int_equal(rig->err.kind, ERR_BUSY);
    assert_non_null(strstr(rig->err.text, rig->folder));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, journal_rig_setup, journal_rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_journal_is_ours_alone_and_empty),
        TEST(a_lineage_stays_and_is_no_other_ones),
        TEST(there_is_nothing_to_read_before_the_first_run),
        TEST(a_newer_journal_is_refused),
        TEST(a_migration_is_whole_or_not_at_all),
        TEST(a_strangers_file_is_left_alone),
        TEST(damage_is_seen_when_it_is_opened),
        TEST(network_file_systems_are_known),
        TEST(a_run_is_remembered),
        TEST(a_durable_write_takes_the_waiting_ones_along),
        TEST(a_group_ends_by_time_and_by_count),
        TEST(closing_writes_what_waits),
        TEST(a_reader_sees_the_last_group_while_the_next_is_open),
        TEST(what_could_not_be_committed_is_not_there),
        TEST(a_killed_writer_loses_its_last_group_only),
        TEST(a_reader_comes_after_a_killed_writer),
        TEST(a_reader_undoes_what_is_half_in_the_file),
        TEST(any_thread_may_write),
        TEST(a_file_that_may_not_grow_is_an_error_and_no_damage),
        TEST(a_full_disk_is_an_error_and_no_damage),
        TEST(too_little_room_is_said_before_a_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
