/* test_journal.c: what was promised is still known after a crash, and two units never meet. */
#include "state/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/str.h"
#include "state/journal_private.h"

#define NOW_US INT64_C(1748736000000000)
#define HOT "https://hot.example/box/"
#define COLD "https://cold.example/box/"

/* -- a journal in a folder of its own --------------------------------------------------------- */

struct rig {
    char folder[256], path[300];
    struct clock_fake clock;
    struct arena arena;
    struct journal *journal;
    int64_t run;
    struct err err;
};

static int begin(void **state)
{
    struct rig *rig = test_calloc(1, sizeof(*rig));
    const char *parent = getenv("TMPDIR");
    snprintf(rig->folder, sizeof(rig->folder), "%s/frostline-journal-XXXXXX",
             parent == NULL ? "/tmp" : parent);
    if (mkdtemp(rig->folder) == NULL)
        return -1;
    snprintf(rig->path, sizeof(rig->path), "%s/journal.db", rig->folder);
    clock_fake_init(&rig->clock, NOW_US);
    arena_init(&rig->arena, (size_t)64 << 20);
    *state = rig;
    return 0;
}

static int end(void **state)
{
    struct rig *rig = *state;
    char rollback[320];
    journal_close(rig->journal);
    snprintf(rollback, sizeof(rollback), "%s-journal", rig->path);
    unlink(rig->path);
    unlink(rollback);
    rmdir(rig->folder);
    arena_free(&rig->arena);
    test_free(rig);
    return 0;
}

#define must(call)                                                                                 \
    do {                                                                                           \
        if (!(call))                                                                               \
            fail_msg("%s: %s", #call, rig->err.text);                                              \
    } while (0)

static void open_to_write(struct rig *rig)
{
    must(journal_open(rig->folder, JOURNAL_WRITE, &rig->clock.clock, &rig->journal, &rig->err));
}

static void close_it(struct rig *rig)
{
    journal_close(rig->journal);
    rig->journal = NULL;
}

static void open_with_run(struct rig *rig)
{
    const struct journal_run run = {
        .verb = "apply", .plan = "sha256:aa", .policy_path = "p.yaml", .started_us = NOW_US};
    open_to_write(rig);
    must(journal_run_begin(rig->journal, &run, &rig->run, &rig->err));
}

static struct journal_new new_unit(const struct rig *rig, const char *source, const char *target)
{
    return (struct journal_new){.entry = {.unit = {.run = rig->run,
                                                   .state = UNIT_COPYING,
                                                   .verify = VERIFY_CHECKSUM,
                                                   .rows = 1,
                                                   .objects = 2,
                                                   .bytes = 30},
                                          .source = source,
                                          .target = target,
                                          .source_store = "hot",
                                          .target_store = "cold",
                                          .directory = "a/",
                                          .policy = "age-out"}};
}

/* The id of the new unit, or minus that of the one in its way. */
static int64_t begin_unit(struct rig *rig, const char *source, const char *target)
{
    struct journal_new new = new_unit(rig, source, target);
    must(journal_begin(rig->journal, &new, 1, &rig->err));
    return new.conflict != 0 ? -new.conflict : new.entry.unit.id;
}

/* What a visit saw. */
struct seen {
    struct arena *arena;
    struct journal *journal; /* asked by the visitor, to show that it may be */
    struct journal_unit items[64];
    size_t count;
};

static bool keep_unit(void *context, const struct journal_unit *unit, struct err *err)
{
    struct seen *seen = context;
    char lineage[JOURNAL_LINEAGE_MAX];
    struct journal_unit *kept = &seen->items[seen->count++];
    *kept = *unit;
    kept->source = arena_copy(seen->arena, unit->source);
    kept->target = arena_copy(seen->arena, unit->target);
    return seen->count < 64 && journal_lineage(seen->journal, lineage, err);
}

static void see(struct rig *rig, const struct journal_filter *filter, struct seen *seen)
{
    seen->arena = &rig->arena;
    seen->journal = rig->journal;
    seen->count = 0;
    must(journal_each(rig->journal, filter, keep_unit, seen, &rig->err));
}

static struct journal_unit get_unit(struct rig *rig, int64_t id)
{
    struct seen seen;
    see(rig, &(struct journal_filter){0}, &seen);
    for (size_t i = 0; i < seen.count; i++)
        if (seen.items[i].unit.id == id)
            return seen.items[i];
    fail_msg("unit %d is not in the journal", (int)id);
    return (struct journal_unit){0};
}

static void save_as(struct rig *rig, int64_t id, enum unit_state state, enum unit_reason reason,
                    bool durable)
{
    struct unit unit = get_unit(rig, id).unit;
    unit.state = state;
    unit.reason = reason;
    must(journal_save(rig->journal, &unit, 1, durable, &rig->err));
}

static size_t count_events(struct rig *rig, int64_t unit);

/* -- opening ---------------------------------------------------------------------------------- */

static void a_new_journal_is_ours_alone_and_empty(void **state)
{
    struct rig *rig = *state;
    char lineage[JOURNAL_LINEAGE_MAX];
    struct stat status;
    assert_int_equal(rmdir(rig->folder), 0);
    open_to_write(rig);
    assert_int_equal(stat(rig->folder, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    assert_int_equal(stat(rig->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    must(journal_lineage(rig->journal, lineage, &rig->err));
    assert_string_equal(lineage, "none");
    struct journal_run run;
    assert_false(journal_run_get(rig->journal, 0, &rig->arena, &run, &rig->err));
    assert_int_equal(rig->err.kind, ERR_MISSING);
}

static void a_lineage_stays_and_is_no_other_ones(void **state)
{
    struct rig *rig = *state;
    char first[JOURNAL_LINEAGE_MAX], again[JOURNAL_LINEAGE_MAX], other[JOURNAL_LINEAGE_MAX];
    open_with_run(rig);
    begin_unit(rig, HOT "a/", COLD "a/");
    must(journal_lineage(rig->journal, first, &rig->err));
    assert_int_equal(strlen(first), 32);
    assert_int_equal(strspn(first, "0123456789abcdef"), 32);
    close_it(rig);
    open_to_write(rig);
    must(journal_lineage(rig->journal, again, &rig->err));
    assert_string_equal(first, again);

    void *second;
    assert_int_equal(begin(&second), 0);
    open_with_run(second);
    begin_unit(second, HOT "a/", COLD "a/");
    assert_true(journal_lineage(((struct rig *)second)->journal, other, &rig->err));
    assert_string_not_equal(first, other);
    end(&second);
}

static void there_is_nothing_to_read_before_the_first_run(void **state)
{
    struct rig *rig = *state;
    struct journal *reader;
    assert_false(journal_open(rig->folder, JOURNAL_READ, &rig->clock.clock, &reader, &rig->err));
    assert_int_equal(rig->err.kind, ERR_MISSING);
    assert_null(reader);
    assert_int_not_equal(access(rig->path, F_OK), 0);

    /* The file of a writer that was killed before its first transaction. */
    close(open(rig->path, O_CREAT | O_WRONLY, 0600));
    assert_false(journal_open(rig->folder, JOURNAL_READ, &rig->clock.clock, &reader, &rig->err));
    assert_int_equal(rig->err.kind, ERR_MISSING);
    open_with_run(rig);
}

static void run_sql(struct rig *rig, const char *text)
{
    sqlite3 *db;
    must(sql_open(rig->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &db, &rig->err));
    must(sql_run(db, text, &rig->err));
    sqlite3_close(db);
}

static void assert_refused(struct rig *rig, enum journal_mode mode, enum err_kind kind,
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
    struct rig *rig = *state;
    open_with_run(rig);
    close_it(rig);
    run_sql(rig, "PRAGMA user_version = 99");
    assert_refused(rig, JOURNAL_WRITE, ERR_INPUT, "newer");
    assert_refused(rig, JOURNAL_READ, ERR_INPUT, "newer");
}

/* What a version has is kept; half a migration is none. */
static void a_migration_is_whole_or_not_at_all(void **state)
{
    struct rig *rig = *state;
    run_sql(rig, "PRAGMA application_id = 0x46726c6e; CREATE TABLE run (x)");
    assert_refused(rig, JOURNAL_WRITE, ERR_INTERNAL, "from version 0 to 1");
    sqlite3 *db;
    int64_t version = 7, tables = 7;
    must(sql_open(rig->path, SQLITE_OPEN_READONLY, &db, &rig->err));
    must(sql_number(db, "PRAGMA user_version", &version, &rig->err));
    must(sql_number(db, "SELECT count(*) FROM sqlite_schema", &tables, &rig->err));
    sqlite3_close(db);
    assert_int_equal(version, 0);
    assert_int_equal(tables, 1);

    run_sql(rig, "DROP TABLE run");
    open_with_run(rig);
}

static void a_strangers_file_is_left_alone(void **state)
{
    struct rig *rig = *state;
    run_sql(rig, "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
    assert_refused(rig, JOURNAL_WRITE, ERR_INPUT, "not a journal");
    sqlite3 *db;
    int64_t rows = 0;
    must(sql_open(rig->path, SQLITE_OPEN_READONLY, &db, &rig->err));
    must(sql_number(db, "SELECT count(*) FROM theirs", &rows, &rig->err));
    sqlite3_close(db);
    assert_int_equal(rows, 1);
}

static void damage_is_seen_when_it_is_opened(void **state)
{
    struct rig *rig = *state;
    open_with_run(rig);
    struct journal_new news[200];
    for (int i = 0; i < 200; i++)
        news[i] = new_unit(rig, str_format(&rig->arena, HOT "%d/", i),
                           str_format(&rig->arena, COLD "%d/", i));
    must(journal_begin(rig->journal, news, 200, &rig->err));
    close_it(rig);
    FILE *file = fopen(rig->path, "r+");
    assert_non_null(file);
    for (long page = 2; page < 12; page++) {
        fseek(file, page * 4096 + 8, SEEK_SET);
        fputs("damage damage damage", file);
    }
    fclose(file);
    assert_refused(rig, JOURNAL_WRITE, ERR_CORRUPT, "journal.db");

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
    struct rig *rig = *state;
    int64_t second;
    struct journal_run run;
    open_with_run(rig);
    must(journal_run_begin(rig->journal, &(struct journal_run){.verb = "reap", .started_us = 5},
                           &second, &rig->err));
    must(journal_run_get(rig->journal, rig->run, &rig->arena, &run, &rig->err));
    assert_int_equal(run.id, rig->run);
    assert_string_equal(run.verb, "apply");
    assert_string_equal(run.plan, "sha256:aa");
    assert_string_equal(run.policy_path, "p.yaml");
    assert_int_equal(run.started_us, NOW_US);
    assert_int_equal(run.ended_us, 0);

    must(journal_run_get(rig->journal, 0, &rig->arena, &run, &rig->err));
    assert_int_equal(run.id, second);
    assert_null(run.plan);
    assert_null(run.policy_path);
    rig->clock.instant_us += 77;
    must(journal_run_end(rig->journal, second, 3, &rig->err));
    must(journal_run_get(rig->journal, second, &rig->arena, &run, &rig->err));
    assert_int_equal(run.ended_us, NOW_US + 77);
    assert_int_equal(run.exit_code, 3);

    assert_false(journal_run_get(rig->journal, 99, &rig->arena, &run, &rig->err));
    assert_int_equal(rig->err.kind, ERR_MISSING);
    assert_false(journal_run_end(rig->journal, 99, 0, &rig->err));
    assert_int_equal(rig->err.kind, ERR_MISSING);
}

/* -- round trips ------------------------------------------------------------------------------ */

/* No field is 0, so that one that is forgotten shows. */
static struct unit full_unit(void)
{
    struct unit unit = {.kind = UNIT_MOVE,
                        .state = UNIT_PARKED,
                        .left_state = UNIT_DELETING,
                        .reason = REASON_ROWS_AT_SOURCE,
                        .verify = VERIFY_READBACK,
                        .tier = TIER_COLD,
                        .keep_source = true,
                        .rounds = 2,
                        .failures = 3,
                        .grace_us = INT64_C(604800000000),
                        .cleanup_at_us = NOW_US + 9,
                        .objects = UINT64_C(5000000000),
                        .bytes = UINT64_C(9000000000000),
                        .late = 4,
                        .rows = 5};
    for (unsigned i = 0; i < sizeof(unit.manifest.sha256); i++)
        unit.manifest.sha256[i] = (uint8_t)(i + 1);
    return unit;
}

static void assert_same_unit(const struct unit *a, const struct unit *b)
{
    assert_int_equal(a->id, b->id);
    assert_int_equal(a->run, b->run);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->left_state, b->left_state);
    assert_int_equal(a->reason, b->reason);
    assert_int_equal(a->verify, b->verify);
    assert_int_equal(a->tier, b->tier);
    assert_int_equal(a->keep_source, b->keep_source);
    assert_int_equal(a->rounds, b->rounds);
    assert_int_equal(a->failures, b->failures);
    assert_int_equal(a->grace_us, b->grace_us);
    assert_int_equal(a->cleanup_at_us, b->cleanup_at_us);
    assert_int_equal(a->objects, b->objects);
    assert_int_equal(a->bytes, b->bytes);
    assert_int_equal(a->late, b->late);
    assert_int_equal(a->rows, b->rows);
    assert_memory_equal(&a->manifest, &b->manifest, sizeof(a->manifest));
}

static void a_unit_comes_back_with_all_its_fields(void **state)
{
    struct rig *rig = *state;
    open_with_run(rig);
    struct journal_new new = new_unit(rig, HOT "a/", COLD "a/");
    new.entry.unit = full_unit();
    new.entry.unit.run = rig->run;
    new.entry.policy = "age-out,k\xc3\xa4lte";
    must(journal_begin(rig->journal, &new, 1, &rig->err));
    close_it(rig);
    open_to_write(rig);

    struct journal_unit *found;
    must(journal_find_open(rig->journal, HOT "a/", &rig->arena, &found, &rig->err));
    assert_non_null(found);
    assert_same_unit(&found->unit, &new.entry.unit);
    assert_string_equal(found->source, HOT "a/");
    assert_string_equal(found->target, COLD "a/");
    assert_string_equal(found->source_store, "hot");
    assert_string_equal(found->target_store, "cold");
    assert_string_equal(found->directory, "a/");
    assert_string_equal(found->policy, "age-out,k\xc3\xa4lte");
}

static void a_save_changes_every_field(void **state)
{
    struct rig *rig = *state;
    open_with_run(rig);
    int64_t id = begin_unit(rig, HOT "a/", COLD "a/");
    struct unit unit = full_unit();
    unit.id = id;
    unit.run = rig->run;
    must(journal_save(rig->journal, &unit, 1, true, &rig->err));
    struct unit read = get_unit(rig, id).unit;
    assert_same_unit(&read, &unit);
}

static void every_state_and_reason_is_read_as_it_was_written(void **state)
{
    struct rig *rig = *state;
    open_with_run(rig);
    for (enum unit_reason reason = 0; reason < UNIT_REASONS; reason++) {
        struct journal_new new = new_unit(rig, str_format(&rig->arena, HOT "%d/", (int)reason),
                                          str_format(&rig->arena, COLD "%d/", (int)reason));
        new.entry.unit.state = (enum unit_state)((int)reason % UNIT_STATES);
        new.entry.unit.left_state = (enum unit_state)((int)(reason + 1) % UNIT_STATES);
        new.entry.unit.reason = reason;
        new.entry.unit.tier = (enum access_tier)((int)reason % (TIER_ARCHIVE + 1));
        new.entry.unit.verify = (enum unit_verify)((int)reason % (VERIFY_READBACK + 1));
        must(journal_begin(rig->journal, &new, 1, &rig->err));
        struct unit read = get_unit(rig, new.entry.unit.id).unit;
        assert_same_unit(&read, &new.entry.unit);
    }
}

static struct object_fact fact_of(const char *key, uint64_t bytes)
{
    return (struct object_fact){.want = {.key = key, .bytes = bytes, .etag = "\"0x8D\""}};
}

static void the_manifest_and_the_rows_come_back(void **state)
{
    struct rig *rig = *state;
    open_with_run(rig);
    struct object_fact facts[] = {fact_of("a", 0), fact_of("b/c d", UINT64_C(5000000000000)),
                                  fact_of("\xc3\xbc%25", 1)};
    facts[1].want.md5_origin = MD5_COMPUTED;
    memset(facts[1].want.md5, 0x5a, OBJECT_MD5_BYTES);
    facts[1].want.tier = TIER_ARCHIVE;
    facts[1].want.copy = COPY_PENDING;
    facts[1].want.irregular = true;
    facts[2].want.md5_origin = MD5_CLAIMED;
    facts[2].created = facts[2].proven = true;
    snprintf(facts[2].target_etag, sizeof(facts[2].target_etag), "\"t2\"");
    const struct catalog_row rows[] = {{"1", HOT "a/x", COLD "a/x"}, {"2", HOT "a/y", COLD "a/y"}};
    struct journal_new new = new_unit(rig, HOT "a/", COLD "a/");
    new.facts = facts;
    new.fact_count = 3;
    new.rows = rows;
    new.row_count = 2;
    must(journal_begin(rig->journal, &new, 1, &rig->err));
    close_it(rig);
    open_to_write(rig);

    struct object_fact *read;
    struct catalog_row *read_rows;
    size_t count;
    must(journal_facts_get(rig->journal, new.entry.unit.id, &rig->arena, &read, &count, &rig->err));
    assert_int_equal(count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(read[i].want.key, facts[i].want.key);
        assert_int_equal(read[i].want.bytes, facts[i].want.bytes);
        assert_string_equal(read[i].want.etag, facts[i].want.etag);
        assert_int_equal(read[i].want.md5_origin, facts[i].want.md5_origin);
        assert_memory_equal(read[i].want.md5, facts[i].want.md5, OBJECT_MD5_BYTES);
        assert_int_equal(read[i].want.tier, facts[i].want.tier);
        assert_int_equal(read[i].want.copy, facts[i].want.copy);
        assert_int_equal(read[i].want.irregular, facts[i].want.irregular);
        assert_string_equal(read[i].target_etag, facts[i].target_etag);
        assert_int_equal(read[i].created, facts[i].created);
        assert_int_equal(read[i].proven, facts[i].proven);
    }
    must(journal_rows_get(rig->journal, new.entry.unit.id, &rig->arena, &read_rows, &count,
                          &rig->err));
    assert_int_equal(count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(read_rows[i].id, rows[i].id);
        assert_string_equal(read_rows[i].old_location, rows[i].old_location);
        assert_string_equal(read_rows[i].new_location, rows[i].new_location);
    }
    must(journal_rows_get(rig->journal, 999, &rig->arena, &read_rows, &count, &rig->err));
    assert_int_equal(count, 0);
}

/* Two objects, "a" and "b", and their facts as they stand. */
static int64_t begin_with_facts(struct rig *rig, const char *source, const char *target)
{
    const struct object_fact facts[] = {fact_of("a", 1), fact_of("b", 2)};
    struct journal_new new = new_unit(rig, source, target);
    new.facts = facts;
    new.fact_count = 2;
    must(journal_begin(rig->journal, &new, 1, &rig->err));
    assert_int_equal(new.conflict, 0);
    return new.entry.unit.id;
}

static void save_target(struct rig *rig, int64_t unit, const char *key, const char *etag,
                        bool created)
{
    struct object_fact fact = fact_of(key, 0);
    snprintf(fact.target_etag, sizeof(fact.target_etag), "%s", etag);
    fact.created = created;
    fact.proven = true;
    const struct object_fact *one = &fact;
    must(journal_facts_save(rig->journal, unit, &one, 1, &rig->err));
}

static void the_target_side_of_a_fact_is_written_later(void **state)
{
    struct rig *rig = *state;
    open_with_run(rig);
    int64_t id = begin_with_facts(rig, HOT "a/", COLD "a/");
    save_target(rig, id, "b", "\"t\"", true);

    struct object_fact *read;
    size_t count;
    must(journal_facts_get(rig->journal, id, &rig->arena, &read, &count, &rig->err));
    assert_int_equal(count, 2);
    assert_string_equal(read[0].target_etag, "");
    assert_false(read[0].created);
    assert_string_equal(read[1].target_etag, "\"t\"");
    assert_true(read[1].created);
    assert_true(read[1].proven);
    assert_int_equal(read[1].want.bytes, 2);

    struct object_fact stray = fact_of("c", 0);
    const struct object_fact *one = &stray;
    assert_false(journal_facts_save(rig->journal, id, &one, 1, &rig->err));
    assert_int_equal(rig->err.kind, ERR_INTERNAL);
}

/* -- two units never meet --------------------------------------------------------------------- */

static void places_that_overlap_collide(void **state)
{
    struct rig *rig = *state;
    open_with_run(rig);
    int64_t open = begin_unit(rig, HOT "a/1/", COLD "a/1/");
    assert_true(open > 0);
    static const struct {
        const char *source, *target;
        bool conflict;
    } table[] = {
        {HOT "a/1/", COLD "b/", true},   /* the same source                    */
        {HOT "a/1/x/", COLD "b/", true}, /* in its source                      */
        {HOT "a/1/x/y/z/", COLD "b/", true},
        {HOT "a/", COLD "b/", true}, /* around its source                  */
        {HOT, COLD "b/", true},
        {COLD "a/1/", HOT "b/", true}, /* a restore: its target is a source  */
        {COLD "a/", HOT "b/", true},
        {COLD "a/1/x/", HOT "b/", true},
        {HOT "b/", COLD "a/1/", true}, /* the same target                    */
        {HOT "b/", COLD "a/", true},
        {HOT "b/", COLD "a/1/x/", true},
        {COLD "b/", HOT "a/1/", true},      /* a target where it deletes          */
        {HOT "a/10/", COLD "a/10/", false}, /* neighbours                         */
        {HOT "a/1-/", COLD "a/1-/", false}, /* '-' sorts before '/'               */
        {HOT "a/0/", COLD "a/0/", false},
        {HOT "a/2/", COLD "a/2/", false},
        {HOT "a/1\xc3\xbc/", COLD "a/1\xc3\xbc/", false},
        {"https://hot.example/box2/a/1/", "https://cold.example/box2/a/1/", false},
        {"file:///srv/a/1/", "file:///mnt/a/1/", false},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        int64_t id = begin_unit(rig, table[i].source, table[i].target);
        if ((id == -open) != table[i].conflict)
            fail_msg("%s -> %s: %d", table[i].source, table[i].target, (int)id);
        if (id > 0)
            save_as(rig, id, UNIT_ABANDONED, REASON_SOURCE_CHANGED, true);
    }
}

static void units_of_one_call_collide_as_well(void **state)
{
    struct rig *rig = *state;
    open_with_run(rig);
    struct journal_new news[] = {
        new_unit(rig, HOT "a/", COLD "a/"), new_unit(rig, HOT "b/", COLD "b/"),
        new_unit(rig, HOT "a/x/", COLD "c/"), new_unit(rig, COLD "b/", "https://third.example/b/")};
    must(journal_begin(rig->journal, news, 4, &rig->err));
    assert_int_equal(news[0].conflict, 0);
    assert_int_equal(news[1].conflict, 0);
    assert_int_equal(news[2].conflict, news[0].entry.unit.id);
    assert_int_equal(news[3].conflict, news[1].entry.unit.id);
    assert_int_equal(news[2].entry.unit.id, 0);
    struct seen seen;
    see(rig, &(struct journal_filter){0}, &seen);
    assert_int_equal(seen.count, 2);
}

static void closed_units_are_in_nobodys_way(void **state)
{
    struct rig *rig = *state;
    open_with_run(rig);
    static const enum unit_state closed[] = {UNIT_DONE, UNIT_SKIPPED, UNIT_ABANDONED,
                                             UNIT_ROLLED_BACK};
    for (size_t i = 0; i < 4; i++) {
        int64_t id = begin_unit(rig, HOT "a/", COLD "a/");
        assert_true(id > 0);
        save_as(rig, id, closed[i], REASON_NONE, true);
    }
    /* One that is skipped is written down though an open one has its place. */
    int64_t open = begin_unit(rig, HOT "a/", COLD "a/");
    struct journal_new skipped = new_unit(rig, HOT "a/", COLD "a/");
    skipped.entry.unit.state = UNIT_SKIPPED;
    skipped.entry.unit.reason = REASON_STALE_ROWS;
    must(journal_begin(rig->journal, &skipped, 1, &rig->err));
    assert_int_equal(skipped.conflict, 0);
    save_as(rig, open, UNIT_PARKED, REASON_TARGET_CHANGED, true);
    assert_int_equal(begin_unit(rig, HOT "a/", COLD "a/"), -open);
}

static void a_move_onto_itself_is_refused(void **state)
{
    struct rig *rig = *state;
    open_with_run(rig);
    struct journal_new new = new_unit(rig, HOT "a/", HOT "a/b/");
    assert_false(journal_begin(rig->journal, &new, 1, &rig->err));
    assert_int_equal(rig->err.kind, ERR_INTERNAL);
    new = new_unit(rig, HOT "a/", HOT "a/");
    assert_false(journal_begin(rig->journal, &new, 1, &rig->err));
}

static void find_open_names_the_unit_in_the_way(void **state)
{
    struct rig *rig = *state;
    open_with_run(rig);
    int64_t first = begin_unit(rig, HOT "a/1/", COLD "a/1/");
    int64_t second = begin_unit(rig, HOT "a/2/", COLD "a/2/");
    static const struct {
        const char *url;
        int which;
    } table[] = {{HOT "a/1/", 1},   {HOT "a/2/", 2},    {COLD "a/2/", 2}, {HOT "a/2/x/", 2},
                 {HOT "a/", 1},     {COLD, 1},          {HOT "b/", 0},    {HOT "a/10/", 0},
                 {HOT "a/1/y/", 1}, {COLD "a/1/y/", 1}, {"file:///", 0}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct journal_unit *found;
        must(journal_find_open(rig->journal, table[i].url, &rig->arena, &found, &rig->err));
        int64_t id = found == NULL ? 0 : found->unit.id;
        int64_t wanted = table[i].which == 0 ? 0 : table[i].which == 1 ? first : second;
        if (id != wanted)
            fail_msg("%s finds %d", table[i].url, (int)id);
    }
}

/* -- a unit goes on --------------------------------------------------------------------------- */

static void what_is_closed_stays_closed(void **state)
{
    struct rig *rig = *state;
    open_with_run(rig);
    int64_t id = begin_unit(rig, HOT "a/", COLD "a/");
    save_as(rig, id, UNIT_ABANDONED, REASON_SOURCE_CHANGED, true);
    struct unit unit = get_unit(rig, id).unit;
    unit.state = UNIT_COPYING;
    assert_false(journal_save(rig->journal, &unit, 1, true, &rig->err));
    assert_int_equal(rig->err.kind, ERR_INTERNAL);
    assert_int_equal(get_unit(rig, id).unit.state, UNIT_ABANDONED);
    unit.id = 999;
    assert_false(journal_save(rig->journal, &unit, 1, true, &rig->err));
}

/* A call that fails leaves nothing of itself, and all of what was written before it. */
static void a_call_that_fails_changes_nothing(void **state)
{
    struct rig *rig = *state;
    open_with_run(rig);
    int64_t a = begin_unit(rig, HOT "a/", COLD "a/");
    int64_t b = begin_unit(rig, HOT "b/", COLD "b/");
    save_as(rig, a, UNIT_VERIFYING, REASON_NONE, false);

    struct unit units[] = {get_unit(rig, b).unit, get_unit(rig, a).unit};
    units[0].state = UNIT_VERIFYING;
    units[1].id = 999;
    assert_false(journal_save(rig->journal, units, 2, true, &rig->err));
    close_it(rig);
    open_to_write(rig);
    assert_int_equal(get_unit(rig, a).unit.state, UNIT_VERIFYING);
    assert_int_equal(get_unit(rig, b).unit.state, UNIT_COPYING);
    assert_int_equal(count_events(rig, b), 1);
}

static void done_drops_the_objects_and_keeps_the_digest(void **state)
{
    struct rig *rig = *state;
    open_with_run(rig);
    int64_t done = begin_with_facts(rig, HOT "a/", COLD "a/");
    int64_t left = begin_with_facts(rig, HOT "b/", COLD "b/");
    struct unit unit = full_unit();
    unit.id = done;
    unit.state = UNIT_DONE;
    must(journal_save(rig->journal, &unit, 1, true, &rig->err));
    struct object_fact *facts;
    size_t count;
    must(journal_facts_get(rig->journal, done, &rig->arena, &facts, &count, &rig->err));
    assert_int_equal(count, 0);
    must(journal_facts_get(rig->journal, left, &rig->arena, &facts, &count, &rig->err));
    assert_int_equal(count, 2);
    struct unit read = get_unit(rig, done).unit;
    assert_memory_equal(&read.manifest, &unit.manifest, sizeof(unit.manifest));
}

static void only_what_an_abandoned_unit_created_is_ours(void **state)
{
    struct rig *rig = *state;
    open_with_run(rig);
    int64_t id = begin_with_facts(rig, HOT "a/", COLD "a/");
    save_target(rig, id, "a", "\"made\"", true);
    save_target(rig, id, "b", "\"found\"", false);
    bool ours = true;
    must(journal_is_ours(rig->journal, COLD "a/", "a", "\"made\"", &ours, &rig->err));
    assert_false(ours); /* not abandoned */
    save_as(rig, id, UNIT_ABANDONED, REASON_SOURCE_CHANGED, true);
    must(journal_is_ours(rig->journal, COLD "a/", "a", "\"made\"", &ours, &rig->err));
    assert_true(ours);
    static const char *const others[][3] = {{COLD "a/", "a", "\"other\""},
                                            {COLD "a/", "b", "\"found\""},
                                            {COLD "a/", "b", "\"made\""},
                                            {COLD "b/", "a", "\"made\""},
                                            {HOT "a/", "a", "\"made\""}};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        must(journal_is_ours(rig->journal, others[i][0], others[i][1], others[i][2], &ours,
                             &rig->err));
        assert_false(ours);
    }
}

struct event_list {
    struct journal *journal;
    struct journal_event items[16];
    size_t count;
};

static bool keep_event(void *context, const struct journal_event *event, struct err *err)
{
    struct event_list *list = context;
    char lineage[JOURNAL_LINEAGE_MAX];
    list->items[list->count++] = *event;
    return journal_lineage(list->journal, lineage, err);
}

static size_t count_events(struct rig *rig, int64_t unit)
{
    struct event_list list = {.journal = rig->journal};
    must(journal_events(rig->journal, unit, keep_event, &list, &rig->err));
    return list.count;
}

static void each_change_is_an_event(void **state)
{
    struct rig *rig = *state;
    open_with_run(rig);
    int64_t id = begin_unit(rig, HOT "a/", COLD "a/");
    begin_unit(rig, HOT "b/", COLD "b/");
    rig->clock.instant_us += 10;
    save_as(rig, id, UNIT_VERIFYING, REASON_NONE, false);
    save_as(rig, id, UNIT_VERIFYING, REASON_NONE, false);
    rig->clock.instant_us += 10;
    save_as(rig, id, UNIT_VERIFYING, REASON_PENDING, false);
    save_as(rig, id, UNIT_ABANDONED, REASON_TARGET_DIFFERS, true);

    static const struct journal_event wanted[] = {
        {NOW_US, 0, UNIT_PLANNED, UNIT_COPYING, REASON_NONE},
        {NOW_US + 10, 0, UNIT_COPYING, UNIT_VERIFYING, REASON_NONE},
        {NOW_US + 20, 0, UNIT_VERIFYING, UNIT_VERIFYING, REASON_PENDING},
        {NOW_US + 20, 0, UNIT_VERIFYING, UNIT_ABANDONED, REASON_TARGET_DIFFERS}};
    struct event_list list = {.journal = rig->journal};
    must(journal_events(rig->journal, id, keep_event, &list, &rig->err));
    assert_int_equal(list.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(list.items[i].at_us, wanted[i].at_us);
        assert_int_equal(list.items[i].unit, id);
        assert_int_equal(list.items[i].from, wanted[i].from);
        assert_int_equal(list.items[i].to, wanted[i].to);
        assert_int_equal(list.items[i].reason, wanted[i].reason);
    }
}

/* -- visits and tallies ----------------------------------------------------------------------- */

static void a_visit_is_sorted_and_filtered(void **state)
{
    struct rig *rig = *state;
    open_with_run(rig);
    int64_t c = begin_unit(rig, HOT "c/", COLD "c/");
    save_as(rig, c, UNIT_DONE, REASON_NONE, true);
    int64_t a10 = begin_unit(rig, HOT "a/10/", COLD "a/10/");
    const struct catalog_row row = {"R1", HOT "a/1/x", COLD "a/1/x"};
    struct journal_new new = new_unit(rig, HOT "a/1/", COLD "a/1/");
    new.rows = &row;
    new.row_count = 1;
    must(journal_begin(rig->journal, &new, 1, &rig->err));
    int64_t a1 = new.entry.unit.id, first_run = rig->run;
    must(journal_run_begin(rig->journal, &(struct journal_run){.verb = "apply"}, &rig->run,
                           &rig->err));
    int64_t again = begin_unit(rig, HOT "c/", COLD "c/");

    const struct {
        struct journal_filter filter;
        int64_t ids[5];
    } table[] = {{{0}, {a1, a10, c, again}},
                 {{.open_only = true}, {a1, a10, again}},
                 {{.run = first_run}, {a1, a10, c}},
                 {{.run = rig->run}, {again}},
                 {{.open_only = true, .run = first_run}, {a1, a10}},
                 {{.recording = "R1"}, {a1}},
                 {{.recording = "R1", .open_only = true, .run = first_run}, {a1}},
                 {{.recording = "R1", .run = rig->run}, {0}},
                 {{.recording = "R2"}, {0}}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct seen seen;
        see(rig, &table[i].filter, &seen);
        for (size_t k = 0; k < seen.count; k++)
            assert_int_equal(seen.items[k].unit.id, table[i].ids[k]);
        assert_int_equal(table[i].ids[seen.count], 0);
    }
    save_as(rig, a1, UNIT_DONE, REASON_NONE, true);
    struct seen seen;
    see(rig, &(struct journal_filter){.recording = "R1", .open_only = true}, &seen);
    assert_int_equal(seen.count, 0);
}

static bool refuse_visit(void *context, const struct journal_unit *unit, struct err *err)
{
    (*(int *)context)++;
    return ERR(err, ERR_CANCELLED, "enough of %s", unit->source);
}

static void a_visitor_may_stop(void **state)
{
    struct rig *rig = *state;
    open_with_run(rig);
    begin_unit(rig, HOT "a/", COLD "a/");
    begin_unit(rig, HOT "b/", COLD "b/");
    int calls = 0;
    assert_false(
        journal_each(rig->journal, &(struct journal_filter){0}, refuse_visit, &calls, &rig->err));
    assert_int_equal(calls, 1);
    assert_int_equal(rig->err.kind, ERR_CANCELLED);
}

static void a_tally_counts_what_a_plan_began_for_a_policy(void **state)
{
    struct rig *rig = *state;
    open_with_run(rig);
    struct journal_new news[] = {
        new_unit(rig, HOT "a/", COLD "a/"), new_unit(rig, HOT "b/", COLD "b/"),
        new_unit(rig, HOT "c/", COLD "c/"), new_unit(rig, HOT "d/", COLD "d/"),
        new_unit(rig, HOT "e/", COLD "e/")};
    news[1].entry.policy = "first,age-out";
    news[1].entry.unit.keep_source = true;
    news[2].entry.policy = "age-out-more";
    news[3].entry.unit.state = UNIT_SKIPPED;
    must(journal_begin(rig->journal, news, 4, &rig->err));
    /* Another run of the same plan goes on counting; one of another plan does not. */
    must(journal_run_begin(rig->journal,
                           &(struct journal_run){.verb = "apply", .plan = "sha256:aa"},
                           &news[4].entry.unit.run, &rig->err));
    must(journal_begin(rig->journal, &news[4], 1, &rig->err));

    struct journal_tally tally;
    must(journal_plan_tally(rig->journal, "sha256:aa", "age-out", &tally, &rig->err));
    assert_int_equal(tally.recordings, 3);
    assert_int_equal(tally.bytes, 90);
    assert_int_equal(tally.sources, 2);
    must(journal_plan_tally(rig->journal, "sha256:bb", "age-out", &tally, &rig->err));
    assert_int_equal(tally.recordings + tally.bytes + tally.sources, 0);
    must(journal_plan_tally(rig->journal, "sha256:aa", "age", &tally, &rig->err));
    assert_int_equal(tally.sources, 0);
}

/* -- durability ------------------------------------------------------------------------------- */

/* What another process would find if this one died now. */
static enum unit_state durable_state(struct rig *rig, int64_t id)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    bool row;
    enum unit_state state = UNIT_STATES;
    must(sql_open(rig->path, SQLITE_OPEN_READONLY, &db, &rig->err));
    must(sql_prepare(db, "SELECT state FROM unit WHERE id = ?", &statement, &rig->err));
    struct sql sql = sql_parameters(statement);
    sql_put_integer(&sql, id);
    must(sql_step(statement, &row, &rig->err));
    struct sql columns = sql_columns(statement);
    if (row)
        must(journal_state_take(&columns, &state, &rig->err));
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return state;
}

static void a_durable_write_takes_the_waiting_ones_along(void **state)
{
    struct rig *rig = *state;
    open_with_run(rig);
    int64_t a = begin_unit(rig, HOT "a/", COLD "a/");
    int64_t b = begin_unit(rig, HOT "b/", COLD "b/");
    assert_int_equal(durable_state(rig, a), UNIT_COPYING);
    save_as(rig, a, UNIT_VERIFYING, REASON_NONE, false);
    assert_int_equal(durable_state(rig, a), UNIT_COPYING);
    assert_int_equal(get_unit(rig, a).unit.state, UNIT_VERIFYING);
    save_as(rig, b, UNIT_COMMITTING, REASON_NONE, true);
    assert_int_equal(durable_state(rig, a), UNIT_VERIFYING);
    assert_int_equal(durable_state(rig, b), UNIT_COMMITTING);
}

static void a_group_ends_by_time_and_by_count(void **state)
{
    struct rig *rig = *state;
    open_with_run(rig);
    int64_t id = begin_with_facts(rig, HOT "a/", COLD "a/");
    save_as(rig, id, UNIT_VERIFYING, REASON_NONE, false);
    rig->clock.instant_us += JOURNAL_GROUP_MS * 1000 - 1;
    save_target(rig, id, "a", "t", true);
    assert_int_equal(durable_state(rig, id), UNIT_COPYING);
    rig->clock.instant_us += 1;
    save_target(rig, id, "a", "t", true);
    assert_int_equal(durable_state(rig, id), UNIT_VERIFYING);

    save_as(rig, id, UNIT_COMMITTING, REASON_NONE, false);
    for (int i = 0; i < JOURNAL_GROUP_WRITES - 2; i++)
        save_target(rig, id, "a", "t", true);
    assert_int_equal(durable_state(rig, id), UNIT_VERIFYING);
    save_target(rig, id, "a", "t", true);
    assert_int_equal(durable_state(rig, id), UNIT_COMMITTING);
}

static void closing_writes_what_waits(void **state)
{
    struct rig *rig = *state;
    open_with_run(rig);
    int64_t id = begin_unit(rig, HOT "a/", COLD "a/");
    save_as(rig, id, UNIT_VERIFYING, REASON_NONE, false);
    close_it(rig);
    assert_int_equal(durable_state(rig, id), UNIT_VERIFYING);
}

static void a_reader_sees_the_last_group_while_the_next_is_open(void **state)
{
    struct rig *rig = *state;
    open_with_run(rig);
    int64_t id = begin_unit(rig, HOT "a/", COLD "a/");
    struct journal *writer = rig->journal, *reader;
    must(journal_open(rig->folder, JOURNAL_READ, &rig->clock.clock, &reader, &rig->err));
    save_as(rig, id, UNIT_VERIFYING, REASON_NONE, false);
    rig->journal = reader;
    assert_int_equal(get_unit(rig, id).unit.state, UNIT_COPYING);
    rig->journal = writer;
    save_as(rig, id, UNIT_COMMITTING, REASON_NONE, true);
    rig->journal = reader;
    assert_int_equal(get_unit(rig, id).unit.state, UNIT_COMMITTING);

    /* And it can't write. */
    struct unit unit = get_unit(rig, id).unit;
    assert_false(journal_save(reader, &unit, 1, true, &rig->err));
    assert_int_equal(rig->err.kind, ERR_DENIED);
    rig->journal = writer;
    journal_close(reader);
}

static void save_in_a_group(struct rig *rig, int64_t *id)
{
    open_with_run(rig);
    *id = begin_with_facts(rig, HOT "a/", COLD "a/");
    save_target(rig, *id, "a", "\"durable\"", true);
    save_as(rig, *id, UNIT_COMMITTING, REASON_NONE, true);
    save_target(rig, *id, "b", "\"lost\"", true);
    save_as(rig, *id, UNIT_CUTOVER, REASON_GRACE, false);
}

/* A transaction that outgrows its cache has changed the file itself before it is committed. */
static void save_half_in_the_file(struct rig *rig, int64_t *id)
{
    sqlite3 *db;
    save_in_a_group(rig, id);
    save_as(rig, *id, UNIT_COMMITTING, REASON_NONE, true);
    must(sql_open(rig->path, SQLITE_OPEN_READWRITE, &db, &rig->err));
    must(sql_run(db,
                 "PRAGMA journal_mode = TRUNCATE; PRAGMA cache_size = 1; BEGIN;"
                 "UPDATE unit SET state = 'cutover'; UPDATE object SET target_etag = 'x';"
                 "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000) "
                 "INSERT INTO meta SELECT 'filler ' || i, i FROM n",
                 &rig->err));
}

/* A child writes, says so, and is killed. */
static int64_t die_after(struct rig *rig, void (*save)(struct rig *, int64_t *))
{
    int ready[2];
    int64_t id;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
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

static void assert_only_the_group_is_lost(struct rig *rig, int64_t id)
{
    struct object_fact *facts;
    size_t count;
    assert_int_equal(get_unit(rig, id).unit.state, UNIT_COMMITTING);
    must(journal_facts_get(rig->journal, id, &rig->arena, &facts, &count, &rig->err));
    assert_int_equal(count, 2);
    assert_string_equal(facts[0].target_etag, "\"durable\"");
    assert_string_equal(facts[1].target_etag, "");
    assert_int_equal(count_events(rig, id), 2);
}

static void a_killed_writer_loses_its_last_group_only(void **state)
{
    struct rig *rig = *state;
    int64_t id = die_after(rig, save_in_a_group);
    open_to_write(rig);
    assert_only_the_group_is_lost(rig, id);
    save_as(rig, id, UNIT_CUTOVER, REASON_GRACE, true);
}

static void a_reader_comes_after_a_killed_writer(void **state)
{
    struct rig *rig = *state;
    int64_t id = die_after(rig, save_in_a_group);
    must(journal_open(rig->folder, JOURNAL_READ, &rig->clock.clock, &rig->journal, &rig->err));
    assert_only_the_group_is_lost(rig, id);
}

static void a_reader_undoes_what_is_half_in_the_file(void **state)
{
    struct rig *rig = *state;
    int64_t id = die_after(rig, save_half_in_the_file);
    must(journal_open(rig->folder, JOURNAL_READ, &rig->clock.clock, &rig->journal, &rig->err));
    assert_int_equal(get_unit(rig, id).unit.state, UNIT_COMMITTING);
    struct object_fact *facts;
    size_t count;
    must(journal_facts_get(rig->journal, id, &rig->arena, &facts, &count, &rig->err));
    assert_string_equal(facts[1].target_etag, "\"lost\"");
}

/* -- a full disk ------------------------------------------------------------------------------ */

/* Begins units with large rows until one is refused; the number that were begun. */
static int begin_until_refused(struct rig *rig, int from)
{
    char *text = arena_make(&rig->arena, 20001);
    memset(text, 'x', 20000);
    for (int i = from; i < from + 10000; i++) {
        struct journal_new new = new_unit(rig, str_format(&rig->arena, HOT "%d/", i),
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

static void assert_whole(struct rig *rig, int unit_count, int row_count)
{
    close_it(rig);
    open_to_write(rig);
    sqlite3 *db;
    int64_t units = 0, rows = 0;
    must(sql_open(rig->path, SQLITE_OPEN_READONLY, &db, &rig->err));
    must(sql_number(db, "SELECT count(*) FROM unit", &units, &rig->err));
    must(sql_number(db, "SELECT count(*) FROM row", &rows, &rig->err));
    sqlite3_close(db);
    assert_int_equal(units, unit_count);
    assert_int_equal(rows, row_count);
}

/* A limit on the size of files is what every user can have instead of a full disk. */
static void a_file_that_may_not_grow_is_an_error_and_no_damage(void **state)
{
    struct rig *rig = *state;
    open_with_run(rig);
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
    assert_int_equal(err.kind, ERR_INPUT);
    assert_non_null(strstr(err.text, "writing the journal"));
    assert_true(begin_unit(rig, HOT "after/", COLD "after/") > 0);
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
    struct rig *rig = *state;
    if (!mount_small(rig->folder, "size=70m,mode=0700"))
        skip();
    char filler[300];
    snprintf(filler, sizeof(filler), "%s/filler", rig->folder);
    open_with_run(rig);
    int fd = open(filler, O_CREAT | O_WRONLY, 0600);
    bool filled = fd >= 0 && posix_fallocate(fd, 0, (off_t)69 << 20) == 0;
    close(fd);
    int begun = filled ? begin_until_refused(rig, 0) : 0;
    struct err err = rig->err;
    unlink(filler);
    if (filled)
        assert_whole(rig, begun, begun);
    close_it(rig);
    int unmounted = umount(rig->folder);
    assert_true(filled);
    assert_int_equal(unmounted, 0);
    assert_in_range(begun, 3, 40);
    assert_int_equal(err.kind, ERR_INPUT);
    assert_non_null(strstr(err.text, "full"));
}

static void too_little_room_is_said_before_a_run(void **state)
{
    struct rig *rig = *state;
    if (!mount_small(rig->folder, "size=1m,mode=0700"))
        skip();
    bool opened =
        journal_open(rig->folder, JOURNAL_WRITE, &rig->clock.clock, &rig->journal, &rig->err);
    close_it(rig);
    assert_int_equal(umount(rig->folder), 0);
    assert_false(opened);
    assert_int_equal(rig->err.kind, ERR_INPUT);
    assert_non_null(strstr(rig->err.text, rig->folder));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

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
        TEST(a_unit_comes_back_with_all_its_fields),
        TEST(a_save_changes_every_field),
        TEST(every_state_and_reason_is_read_as_it_was_written),
        TEST(the_manifest_and_the_rows_come_back),
        TEST(the_target_side_of_a_fact_is_written_later),
        TEST(places_that_overlap_collide),
        TEST(units_of_one_call_collide_as_well),
        TEST(closed_units_are_in_nobodys_way),
        TEST(a_move_onto_itself_is_refused),
        TEST(find_open_names_the_unit_in_the_way),
        TEST(what_is_closed_stays_closed),
        TEST(a_call_that_fails_changes_nothing),
        TEST(done_drops_the_objects_and_keeps_the_digest),
        TEST(only_what_an_abandoned_unit_created_is_ours),
        TEST(each_change_is_an_event),
        TEST(a_visit_is_sorted_and_filtered),
        TEST(a_visitor_may_stop),
        TEST(a_tally_counts_what_a_plan_began_for_a_policy),
        TEST(a_durable_write_takes_the_waiting_ones_along),
        TEST(a_group_ends_by_time_and_by_count),
        TEST(closing_writes_what_waits),
        TEST(a_reader_sees_the_last_group_while_the_next_is_open),
        TEST(a_killed_writer_loses_its_last_group_only),
        TEST(a_reader_comes_after_a_killed_writer),
        TEST(a_reader_undoes_what_is_half_in_the_file),
        TEST(a_file_that_may_not_grow_is_an_error_and_no_damage),
        TEST(a_full_disk_is_an_error_and_no_damage),
        TEST(too_little_room_is_said_before_a_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
