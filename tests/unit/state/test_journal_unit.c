/* test_journal_unit.c: units come back as they went in, and two open ones never meet. */
#include "state/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "state/sql.h"
#include "tests/support/journal_rig.h"

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
                        .cleanup_at_us = JOURNAL_RIG_NOW_US + 9,
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
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    struct journal_new new = journal_rig_new(rig, HOT "a/", COLD "a/");
    new.entry.unit = full_unit();
    new.entry.unit.run = rig->run;
    new.entry.policy = "age-out,k\xc3\xa4lte";
    MUST(journal_begin(rig->journal, &new, 1, &rig->err));
    journal_rig_close(rig);
    journal_rig_open(rig);

    struct journal_unit *found;
    MUST(journal_find_open(rig->journal, HOT "a/", &rig->arena, &found, &rig->err));
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
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    int64_t id = journal_rig_begin(rig, HOT "a/", COLD "a/");
    struct unit unit = full_unit();
    unit.id = id;
    unit.run = rig->run;
    MUST(journal_save(rig->journal, &unit, 1, true, &rig->err));
    struct unit read = journal_rig_unit(rig, id).unit;
    assert_same_unit(&read, &unit);
}

static void every_state_and_reason_is_read_as_it_was_written(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    for (enum unit_reason reason = 0; reason < UNIT_REASONS; reason++) {
        struct journal_new new =
            journal_rig_new(rig, str_format(&rig->arena, HOT "%d/", (int)reason),
                            str_format(&rig->arena, COLD "%d/", (int)reason));
        new.entry.unit.state = (enum unit_state)((int)reason % UNIT_STATES);
        new.entry.unit.left_state = (enum unit_state)((int)(reason + 1) % UNIT_STATES);
        new.entry.unit.reason = reason;
        new.entry.unit.tier = (enum access_tier)((int)reason % (TIER_ARCHIVE + 1));
        new.entry.unit.verify = (enum unit_verify)((int)reason % (VERIFY_READBACK + 1));
        MUST(journal_begin(rig->journal, &new, 1, &rig->err));
        struct unit read = journal_rig_unit(rig, new.entry.unit.id).unit;
        assert_same_unit(&read, &new.entry.unit);
    }
}

static void the_manifest_and_the_rows_come_back(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    struct object_fact facts[] = {journal_rig_fact("a", 0),
                                  journal_rig_fact("b/c d", UINT64_C(5000000000000)),
                                  journal_rig_fact("\xc3\xbc%25", 1)};
    facts[1].want.md5_origin = MD5_COMPUTED;
    memset(facts[1].want.md5, 0x5a, OBJECT_MD5_BYTES);
    facts[1].want.tier = TIER_ARCHIVE;
    facts[1].want.copy = COPY_PENDING;
    facts[1].want.irregular = true;
    facts[2].want.md5_origin = MD5_CLAIMED;
    facts[2].created = facts[2].proven = true;
    snprintf(facts[2].target_etag, sizeof(facts[2].target_etag), "\"t2\"");
    const struct catalog_row rows[] = {{"1", HOT "a/x", COLD "a/x"}, {"2", HOT "a/y", COLD "a/y"}};
    struct journal_new new = journal_rig_new(rig, HOT "a/", COLD "a/");
    new.facts = facts;
    new.fact_count = 3;
    new.rows = rows;
    new.row_count = 2;
    MUST(journal_begin(rig->journal, &new, 1, &rig->err));
    journal_rig_close(rig);
    journal_rig_open(rig);

    struct object_fact *read;
    struct catalog_row *read_rows;
    size_t count;
    MUST(journal_facts_get(rig->journal, new.entry.unit.id, &rig->arena, &read, &count, &rig->err));
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
    MUST(journal_rows_get(rig->journal, new.entry.unit.id, &rig->arena, &read_rows, &count,
                          &rig->err));
    assert_int_equal(count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(read_rows[i].id, rows[i].id);
        assert_string_equal(read_rows[i].old_location, rows[i].old_location);
        assert_string_equal(read_rows[i].new_location, rows[i].new_location);
    }
    MUST(journal_rows_get(rig->journal, 999, &rig->arena, &read_rows, &count, &rig->err));
    assert_int_equal(count, 0);
}

static void the_target_side_of_a_fact_is_written_later(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    int64_t id = journal_rig_begin_facts(rig, HOT "a/", COLD "a/");
    journal_rig_save_target(rig, id, "b", "\"t\"", true);

    struct object_fact *read;
    size_t count;
    MUST(journal_facts_get(rig->journal, id, &rig->arena, &read, &count, &rig->err));
    assert_int_equal(count, 2);
    assert_string_equal(read[0].target_etag, "");
    assert_false(read[0].created);
    assert_string_equal(read[1].target_etag, "\"t\"");
    assert_true(read[1].created);
    assert_true(read[1].proven);
    assert_int_equal(read[1].want.bytes, 2);

    struct object_fact stray = journal_rig_fact("c", 0);
    const struct object_fact *one = &stray;
    assert_false(journal_facts_save(rig->journal, id, &one, 1, &rig->err));
    assert_int_equal(rig->err.kind, ERR_INTERNAL);
}

/* -- two units never meet --------------------------------------------------------------------- */

static void places_that_overlap_collide(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    int64_t open = journal_rig_begin(rig, HOT "a/1/", COLD "a/1/");
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
        int64_t id = journal_rig_begin(rig, table[i].source, table[i].target);
        if ((id == -open) != table[i].conflict)
            fail_msg("%s -> %s: %d", table[i].source, table[i].target, (int)id);
        if (id > 0)
            journal_rig_save(rig, id, UNIT_ABANDONED, REASON_SOURCE_CHANGED, true);
    }
}

/* The id of a unit that is begun; 0 if it can't be. */
static int64_t begin_to(struct journal_rig *rig, enum unit_kind kind, const char *source,
                        const char *target, enum access_tier tier)
{
    struct journal_new new = journal_rig_new(rig, source, target);
    new.entry.unit.kind = kind;
    new.entry.unit.tier = tier;
    if (kind == UNIT_RETIER)
        new.entry.unit.state = UNIT_TIERING;
    bool begun = journal_begin(rig->journal, &new, 1, &rig->err);
    assert_int_equal(new.conflict, 0);
    return begun ? new.entry.unit.id : 0;
}

static enum access_tier tier_of(struct journal_rig *rig, const char *url)
{
    enum access_tier tier;
    MUST(journal_tier(rig->journal, url, &tier, &rig->err));
    return tier;
}

static void a_retier_stays_and_a_move_leaves(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    assert_int_equal(begin_to(rig, UNIT_MOVE, HOT "a/", HOT "a/", TIER_COOL), 0);
    assert_int_equal(begin_to(rig, UNIT_RETIER, HOT "a/", COLD "a/", TIER_COOL), 0);
    assert_int_equal(begin_to(rig, UNIT_RETIER, HOT "a/", HOT "a/b/", TIER_COOL), 0);
    int64_t id = begin_to(rig, UNIT_RETIER, HOT "a/", HOT "a/", TIER_COOL);
    assert_true(id > 0);
    struct journal_rig_seen seen;
    journal_rig_see(rig, &(struct journal_filter){.open_only = true}, &seen);
    assert_int_equal(seen.items[0].unit.kind, UNIT_RETIER);
    assert_int_equal(seen.items[0].unit.state, UNIT_TIERING);
    /* Others keep away from it. */
    assert_int_equal(journal_rig_begin(rig, HOT "a/b/", COLD "a/b/"), -id);
}

static void the_last_one_tells_the_tier(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    assert_int_equal(tier_of(rig, HOT "a/"), TIER_DEFAULT);
    int64_t id = begin_to(rig, UNIT_RETIER, HOT "a/", HOT "a/", TIER_COOL);
    assert_int_equal(tier_of(rig, HOT "a/"), TIER_DEFAULT); /* it is not there yet */
    journal_rig_save(rig, id, UNIT_DONE, REASON_NONE, true);
    assert_int_equal(tier_of(rig, HOT "a/"), TIER_COOL);
    assert_int_equal(tier_of(rig, HOT "a/b/"), TIER_DEFAULT);
    id = begin_to(rig, UNIT_RETIER, HOT "a/", HOT "a/", TIER_HOT);
    journal_rig_save(rig, id, UNIT_ABANDONED, REASON_SOURCE_CHANGED, true);
    assert_int_equal(tier_of(rig, HOT "a/"), TIER_COOL);
    id = begin_to(rig, UNIT_MOVE, COLD "a/", HOT "a/", TIER_COLD);
    journal_rig_save(rig, id, UNIT_DONE, REASON_NONE, true);
    assert_int_equal(tier_of(rig, HOT "a/"), TIER_COLD);
}

static void what_a_listing_sees_is_remembered(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    MUST(journal_see_tier(rig->journal, HOT "a/", TIER_HOT, &rig->err));
    MUST(journal_see_tier(rig->journal, HOT "a/", TIER_COOL, &rig->err));
    journal_rig_close(rig);
    journal_rig_open_run(rig);
    assert_int_equal(tier_of(rig, HOT "a/"), TIER_COOL);
    assert_int_equal(tier_of(rig, HOT "a/b"), TIER_DEFAULT);
    /* What was done later counts. */
    struct journal_new new = journal_rig_new(rig, HOT "a/", HOT "a/");
    new.entry.unit.kind = UNIT_RETIER;
    new.entry.unit.tier = TIER_COLD;
    MUST(journal_begin(rig->journal, &new, 1, &rig->err));
    new.entry.unit.state = UNIT_DONE;
    new.entry.unit.cleanup_at_us = JOURNAL_RIG_NOW_US + 1000000000;
    MUST(journal_save(rig->journal, &new.entry.unit, 1, true, &rig->err));
    assert_int_equal(tier_of(rig, HOT "a/"), TIER_COLD);
}

/* A journal of the version before has all that it had. */
static void an_older_journal_is_brought_up(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    int64_t id = journal_rig_begin(rig, HOT "a/", COLD "a/");
    journal_rig_close(rig);
    sqlite3 *db;
    MUST(sql_open(rig->path, SQLITE_OPEN_READWRITE, &db, &rig->err));
    MUST(sql_run(db,
                 "DROP TABLE sighting; DROP INDEX unit_moved_source; DROP INDEX unit_moved_target;"
                 "DROP INDEX unit_given_up; ALTER TABLE unit DROP COLUMN target_manifest;"
                 "ALTER TABLE object DROP COLUMN copy_id; ALTER TABLE object DROP COLUMN copy_us;"
                 "CREATE INDEX unit_abandoned ON unit (target) WHERE state = 'abandoned';"
                 "PRAGMA user_version = 1",
                 &rig->err));
    sqlite3_close(db);
    journal_rig_open_run(rig);
    MUST(journal_see_tier(rig->journal, HOT "b/", TIER_COOL, &rig->err));
    assert_int_equal(journal_rig_begin(rig, HOT "a/", COLD "a/"), -id);
}

/* Is it in the way of what would go from, or to, that place? */
static bool is_in_way(struct journal_rig *rig, const char *store, const char *unit)
{
    struct journal_unit *found;
    MUST(journal_find_open(rig->journal, str_format(&rig->arena, "%s%s", store, unit), &rig->arena,
                           &found, &rig->err));
    return found != NULL;
}

static void an_object_meets_itself_and_what_it_lies_in(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    static const struct {
        const char *open, *other;
        bool conflict;
    } table[] = {
        {"a/b", "a/b", true},
        {"a/b", "a/", true},
        {"a/", "a/b", true},
        {"a/b/c", "a/", true},
        {"a/", "a/b/c", true},
        {"a/b", "", true},
        {"", "b", true},
        {"a/b", "a/bc", false},
        {"a/bc", "a/b", false},
        {"a/b", "a/b.bak", false},
        {"a/b.bak", "a/b", false},
        {"a/b", "a/b/", false},
        {"a/b/", "a/b", false},
        {"a/b", "a/b/c", false},
        {"a/b/c", "a/b", false},
        {"a/b", "a/b0", false},
        {"a/b", "b/", false},
        {"b", "b", true},
        {"b", "c", false},
        {"a/b", "a/b\xc3\xbc", false},
        {"a/b", "aa/b", false},
        {"a/b.bak", "a/b-", false},
        {"a/b-", "a/b.bak", false},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        int64_t open = journal_rig_begin(rig, str_format(&rig->arena, HOT "%s", table[i].open),
                                         str_format(&rig->arena, COLD "%s", table[i].open));
        assert_true(open > 0);
        if (is_in_way(rig, HOT, table[i].other) != table[i].conflict ||
            is_in_way(rig, COLD, table[i].other) != table[i].conflict)
            fail_msg("%s and %s", table[i].open, table[i].other);
        journal_rig_save(rig, open, UNIT_ABANDONED, REASON_SOURCE_CHANGED, true);
    }
    int64_t open = journal_rig_begin(rig, HOT "a/b", COLD "a/b");
    assert_int_equal(journal_rig_begin(rig, COLD "a/b", HOT "c"), -open);
    assert_true(journal_rig_begin(rig, HOT "a/b.bak", COLD "a/b.bak") > 0);
}

static void units_of_one_call_collide_as_well(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    struct journal_new news[] = {journal_rig_new(rig, HOT "a/", COLD "a/"),
                                 journal_rig_new(rig, HOT "b/", COLD "b/"),
                                 journal_rig_new(rig, HOT "a/x/", COLD "c/"),
                                 journal_rig_new(rig, COLD "b/", "https://third.example/b/")};
    MUST(journal_begin(rig->journal, news, 4, &rig->err));
    assert_int_equal(news[0].conflict, 0);
    assert_int_equal(news[1].conflict, 0);
    assert_int_equal(news[2].conflict, news[0].entry.unit.id);
    assert_int_equal(news[3].conflict, news[1].entry.unit.id);
    assert_int_equal(news[2].entry.unit.id, 0);
    struct journal_rig_seen seen;
    journal_rig_see(rig, &(struct journal_filter){0}, &seen);
    assert_int_equal(seen.count, 2);
}

static void closed_units_are_in_nobodys_way(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    static const enum unit_state closed[] = {UNIT_DONE, UNIT_SKIPPED, UNIT_ABANDONED,
                                             UNIT_ROLLED_BACK};
    for (size_t i = 0; i < 4; i++) {
        int64_t id = journal_rig_begin(rig, HOT "a/", COLD "a/");
        assert_true(id > 0);
        journal_rig_save(rig, id, closed[i], REASON_NONE, true);
    }
    /* One that is skipped is written down though an open one has its place. */
    int64_t open = journal_rig_begin(rig, HOT "a/", COLD "a/");
    struct journal_new skipped = journal_rig_new(rig, HOT "a/", COLD "a/");
    skipped.entry.unit.state = UNIT_SKIPPED;
    skipped.entry.unit.reason = REASON_STALE_ROWS;
    MUST(journal_begin(rig->journal, &skipped, 1, &rig->err));
    assert_int_equal(skipped.conflict, 0);
    journal_rig_save(rig, open, UNIT_PARKED, REASON_TARGET_CHANGED, true);
    assert_int_equal(journal_rig_begin(rig, HOT "a/", COLD "a/"), -open);
}

static void a_move_onto_itself_is_refused(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    struct journal_new new = journal_rig_new(rig, HOT "a/", HOT "a/b/");
    assert_false(journal_begin(rig->journal, &new, 1, &rig->err));
    assert_int_equal(rig->err.kind, ERR_INTERNAL);
    new = journal_rig_new(rig, HOT "a/", HOT "a/");
    assert_false(journal_begin(rig->journal, &new, 1, &rig->err));
}

static void find_open_names_the_unit_in_the_way(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    int64_t first = journal_rig_begin(rig, HOT "a/1/", COLD "a/1/");
    int64_t second = journal_rig_begin(rig, HOT "a/2/", COLD "a/2/");
    static const struct {
        const char *url;
        int which;
    } table[] = {{HOT "a/1/", 1},   {HOT "a/2/", 2},    {COLD "a/2/", 2}, {HOT "a/2/x/", 2},
                 {HOT "a/", 1},     {COLD, 1},          {HOT "b/", 0},    {HOT "a/10/", 0},
                 {HOT "a/1/y/", 1}, {COLD "a/1/y/", 1}, {"file:///", 0}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct journal_unit *found;
        MUST(journal_find_open(rig->journal, table[i].url, &rig->arena, &found, &rig->err));
        int64_t id = found == NULL ? 0 : found->unit.id;
        int64_t wanted = table[i].which == 0 ? 0 : table[i].which == 1 ? first : second;
        if (id != wanted)
            fail_msg("%s finds %d", table[i].url, (int)id);
    }
}

/* -- a unit goes on --------------------------------------------------------------------------- */

static void what_is_closed_stays_closed(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    int64_t id = journal_rig_begin(rig, HOT "a/", COLD "a/");
    journal_rig_save(rig, id, UNIT_ABANDONED, REASON_SOURCE_CHANGED, true);
    struct unit unit = journal_rig_unit(rig, id).unit;
    unit.state = UNIT_COPYING;
    assert_false(journal_save(rig->journal, &unit, 1, true, &rig->err));
    assert_int_equal(rig->err.kind, ERR_INTERNAL);
    assert_int_equal(journal_rig_unit(rig, id).unit.state, UNIT_ABANDONED);
    unit.id = 999;
    assert_false(journal_save(rig->journal, &unit, 1, true, &rig->err));
}

/* A call that fails leaves nothing of itself, and all of what was written before it. */
static void a_call_that_fails_changes_nothing(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    int64_t a = journal_rig_begin(rig, HOT "a/", COLD "a/");
    int64_t b = journal_rig_begin(rig, HOT "b/", COLD "b/");
    journal_rig_save(rig, a, UNIT_VERIFYING, REASON_NONE, false);

    struct unit units[] = {journal_rig_unit(rig, b).unit, journal_rig_unit(rig, a).unit};
    units[0].state = UNIT_VERIFYING;
    units[1].id = 999;
    assert_false(journal_save(rig->journal, units, 2, true, &rig->err));
    journal_rig_close(rig);
    journal_rig_open(rig);
    assert_int_equal(journal_rig_unit(rig, a).unit.state, UNIT_VERIFYING);
    assert_int_equal(journal_rig_unit(rig, b).unit.state, UNIT_COPYING);
    assert_int_equal(journal_rig_count_events(rig, b), 1);
}

static void done_drops_the_objects_and_keeps_the_digest(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    int64_t done = journal_rig_begin_facts(rig, HOT "a/", COLD "a/");
    int64_t left = journal_rig_begin_facts(rig, HOT "b/", COLD "b/");
    struct unit unit = full_unit();
    unit.id = done;
    unit.state = UNIT_DONE;
    MUST(journal_save(rig->journal, &unit, 1, true, &rig->err));
    struct object_fact *facts;
    size_t count;
    MUST(journal_facts_get(rig->journal, done, &rig->arena, &facts, &count, &rig->err));
    assert_int_equal(count, 0);
    MUST(journal_facts_get(rig->journal, left, &rig->arena, &facts, &count, &rig->err));
    assert_int_equal(count, 2);
    struct unit read = journal_rig_unit(rig, done).unit;
    assert_memory_equal(&read.manifest, &unit.manifest, sizeof(unit.manifest));
}

static void only_what_an_abandoned_unit_created_is_ours(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    int64_t id = journal_rig_begin_facts(rig, HOT "a/", COLD "a/");
    journal_rig_save_target(rig, id, "a", "\"made\"", true);
    journal_rig_save_target(rig, id, "b", "\"found\"", false);
    struct object made = {.etag = "\"made\""};
    bool ours = true, condemned = true;
    MUST(journal_is_ours(rig->journal, COLD "a/", "a", &made, &ours, &condemned, &rig->err));
    assert_false(ours); /* not abandoned */
    journal_rig_save(rig, id, UNIT_ABANDONED, REASON_SOURCE_CHANGED, true);
    MUST(journal_is_ours(rig->journal, COLD "a/", "a", &made, &ours, &condemned, &rig->err));
    assert_true(ours);
    assert_false(condemned);
    struct object_fact fact = journal_rig_fact("a", 1);
    const struct object_fact *one = &fact;
    snprintf(fact.target_etag, sizeof(fact.target_etag), "\"made\"");
    fact.created = fact.condemned = true;
    MUST(journal_facts_save(rig->journal, id, &one, 1, &rig->err));
    MUST(journal_is_ours(rig->journal, COLD "a/", "a", &made, &ours, &condemned, &rig->err));
    assert_true(ours && condemned);
    static const char *const others[][3] = {{COLD "a/", "a", "\"other\""},
                                            {COLD "a/", "b", "\"found\""},
                                            {COLD "a/", "b", "\"made\""},
                                            {COLD "b/", "a", "\"made\""},
                                            {HOT "a/", "a", "\"made\""}};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct object other = {.etag = others[i][2], .copy_id = ""};
        MUST(journal_is_ours(rig->journal, others[i][0], others[i][1], &other, &ours, &condemned,
                             &rig->err));
        assert_false(ours);
    }
}

/* Its etag changes when it is over; its id does not. */
static void a_copy_in_the_cloud_is_known_by_its_id(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    int64_t id = journal_rig_begin_facts(rig, HOT "a/", COLD "a/");
    struct object_fact fact = journal_rig_fact("a", 1), *read;
    const struct object_fact *one = &fact;
    size_t count;
    bool ours = true, condemned = true;
    snprintf(fact.target_etag, sizeof(fact.target_etag), "\"empty\"");
    snprintf(fact.copy_id, sizeof(fact.copy_id), "id-1");
    fact.copy_us = 17;
    fact.created = true;
    MUST(journal_facts_save(rig->journal, id, &one, 1, &rig->err));
    journal_rig_save(rig, id, UNIT_ABANDONED, REASON_SOURCE_CHANGED, true);
    MUST(journal_facts_get(rig->journal, id, &rig->arena, &read, &count, &rig->err));
    assert_string_equal(read[0].copy_id, "id-1");
    assert_int_equal(read[0].copy_us, 17);
    assert_string_equal(read[1].copy_id, "");
    assert_int_equal(read[1].copy_us, 0);
    static const struct {
        const char *key, *copy_id;
        bool ours;
    } table[] = {{"a", "id-1", true},
                 {"a", "id-2", false},
                 {"b", "id-1", false},
                 {"a", NULL, false},
                 {"b", "", false}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct object found = {.etag = "\"whole\"", .copy_id = table[i].copy_id};
        MUST(journal_is_ours(rig->journal, COLD "a/", table[i].key, &found, &ours, &condemned,
                             &rig->err));
        assert_int_equal(ours, table[i].ours);
        assert_false(condemned);
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

static void each_change_is_an_event(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    int64_t id = journal_rig_begin(rig, HOT "a/", COLD "a/");
    journal_rig_begin(rig, HOT "b/", COLD "b/");
    rig->clock.instant_us += 10;
    journal_rig_save(rig, id, UNIT_VERIFYING, REASON_NONE, false);
    journal_rig_save(rig, id, UNIT_VERIFYING, REASON_NONE, false);
    rig->clock.instant_us += 10;
    journal_rig_save(rig, id, UNIT_VERIFYING, REASON_PENDING, false);
    journal_rig_save(rig, id, UNIT_ABANDONED, REASON_TARGET_DIFFERS, true);

    static const struct journal_event wanted[] = {
        {JOURNAL_RIG_NOW_US, 0, UNIT_PLANNED, UNIT_COPYING, REASON_NONE},
        {JOURNAL_RIG_NOW_US + 10, 0, UNIT_COPYING, UNIT_VERIFYING, REASON_NONE},
        {JOURNAL_RIG_NOW_US + 20, 0, UNIT_VERIFYING, UNIT_VERIFYING, REASON_PENDING},
        {JOURNAL_RIG_NOW_US + 20, 0, UNIT_VERIFYING, UNIT_ABANDONED, REASON_TARGET_DIFFERS}};
    struct event_list list = {.journal = rig->journal};
    MUST(journal_events(rig->journal, id, keep_event, &list, &rig->err));
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
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    int64_t c = journal_rig_begin(rig, HOT "c/", COLD "c/");
    journal_rig_save(rig, c, UNIT_DONE, REASON_NONE, true);
    int64_t a10 = journal_rig_begin(rig, HOT "a/10/", COLD "a/10/");
    const struct catalog_row row = {"R1", HOT "a/1/x", COLD "a/1/x"};
    struct journal_new new = journal_rig_new(rig, HOT "a/1/", COLD "a/1/");
    new.rows = &row;
    new.row_count = 1;
    MUST(journal_begin(rig->journal, &new, 1, &rig->err));
    int64_t a1 = new.entry.unit.id, first_run = rig->run;
    MUST(journal_run_begin(rig->journal, &(struct journal_run){.verb = "apply"}, &rig->run,
                           &rig->err));
    int64_t again = journal_rig_begin(rig, HOT "c/", COLD "c/");

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
        struct journal_rig_seen seen;
        journal_rig_see(rig, &table[i].filter, &seen);
        for (size_t k = 0; k < seen.count; k++)
            assert_int_equal(seen.items[k].unit.id, table[i].ids[k]);
        assert_int_equal(table[i].ids[seen.count], 0);
    }
    journal_rig_save(rig, a1, UNIT_DONE, REASON_NONE, true);
    struct journal_rig_seen seen;
    journal_rig_see(rig, &(struct journal_filter){.recording = "R1", .open_only = true}, &seen);
    assert_int_equal(seen.count, 0);
}

static bool refuse_visit(void *context, const struct journal_unit *unit, struct err *err)
{
    (*(int *)context)++;
    return ERR(err, ERR_CANCELLED, "enough of %s", unit->source);
}

static void a_visitor_may_stop(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_open_run(rig);
    journal_rig_begin(rig, HOT "a/", COLD "a/");
    journal_rig_begin(rig, HOT "b/", COLD "b/");
    int calls = 0;
    assert_false(
        journal_each(rig->journal, &(struct journal_filter){0}, refuse_visit, &calls, &rig->err));
    assert_int_equal(calls, 1);
    assert_int_equal(rig->err.kind, ERR_CANCELLED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, journal_rig_setup, journal_rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_unit_comes_back_with_all_its_fields),
        TEST(a_save_changes_every_field),
        TEST(every_state_and_reason_is_read_as_it_was_written),
        TEST(the_manifest_and_the_rows_come_back),
        TEST(the_target_side_of_a_fact_is_written_later),
        TEST(places_that_overlap_collide),
        TEST(a_retier_stays_and_a_move_leaves),
        TEST(the_last_one_tells_the_tier),
        TEST(what_a_listing_sees_is_remembered),
        TEST(an_older_journal_is_brought_up),
        TEST(an_object_meets_itself_and_what_it_lies_in),
        TEST(units_of_one_call_collide_as_well),
        TEST(closed_units_are_in_nobodys_way),
        TEST(a_move_onto_itself_is_refused),
        TEST(find_open_names_the_unit_in_the_way),
        TEST(what_is_closed_stays_closed),
        TEST(a_call_that_fails_changes_nothing),
        TEST(done_drops_the_objects_and_keeps_the_digest),
        TEST(only_what_an_abandoned_unit_created_is_ours),
        TEST(a_copy_in_the_cloud_is_known_by_its_id),
        TEST(each_change_is_an_event),
        TEST(a_visit_is_sorted_and_filtered),
        TEST(a_visitor_may_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
