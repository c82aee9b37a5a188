#include "state/journal_private.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/arena.h"

/* -- the rows of a unit ----------------------------------------------------------------------- */

bool journal_rows_add(struct journal *journal, int64_t unit, const struct catalog_row *rows,
                      size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct sql sql = journal_parameters(journal, JOURNAL_ROW_INSERT);
        sql_put_integer(&sql, unit);
        sql_put_text(&sql, rows[i].id);
        sql_put_text(&sql, rows[i].old_location);
        sql_put_text(&sql, rows[i].new_location);
        if (!sql_finish(sql.statement, err))
            return false;
    }
    return true;
}

static bool count_of(struct journal *journal, enum journal_statement statement, int64_t unit,
                     size_t *count, struct err *err)
{
    struct sql sql = journal_parameters(journal, statement);
    int64_t number;
    sql_put_integer(&sql, unit);
    if (!journal_id_take(sql.statement, &number, err))
        return false;
    *count = (size_t)number;
    return true;
}

static void take_row(sqlite3_stmt *statement, struct arena *arena, struct catalog_row *row)
{
    struct sql sql = sql_columns(statement);
    row->id = sql_take_text(&sql, arena);
    row->old_location = sql_take_text(&sql, arena);
    row->new_location = sql_take_text(&sql, arena);
}

static bool get_rows(struct journal *journal, int64_t unit, struct arena *arena,
                     struct catalog_row **rows, size_t *count, struct err *err)
{
    if (!count_of(journal, JOURNAL_ROW_COUNT, unit, count, err))
        return false;
    *rows = arena_make(arena, (*count + 1) * sizeof(**rows));
    struct sql sql = journal_parameters(journal, JOURNAL_ROWS);
    sql_put_integer(&sql, unit);
    for (size_t i = 0;; i++) {
        bool row;
        if (!sql_step(sql.statement, &row, err))
            return false;
        if (!row)
            return true;
        assert(i < *count); /* one view: counted and read */
        take_row(sql.statement, arena, &(*rows)[i]);
    }
}

bool journal_rows_get(struct journal *journal, int64_t unit, struct arena *arena,
                      struct catalog_row **rows, size_t *count, struct err *err)
{
    return journal_look(journal, err) &&
           journal_look_end(journal, get_rows(journal, unit, arena, rows, count, err), err);
}

#define CONDEMNED 2 /* in place of created */

/* -- its manifest ----------------------------------------------------------------------------- */

static void put_target(struct sql *sql, const struct object_fact *fact)
{
    sql_put_text(sql, fact->target_etag);
    sql_put_integer(sql, fact->condemned ? CONDEMNED : fact->created);
    sql_put_integer(sql, fact->proven);
    sql_put_text(sql, fact->copy_id);
    sql_put_integer(sql, fact->copy_us);
}

static bool add_fact(struct journal *journal, int64_t unit, const struct object_fact *fact,
                     struct err *err)
{
    const struct object *want = &fact->want;
    struct sql sql = journal_parameters(journal, JOURNAL_OBJECT_INSERT);
    sql_put_integer(&sql, unit);
    sql_put_text(&sql, want->key);
    sql_put_integer(&sql, (int64_t)want->bytes);
    sql_put_text(&sql, want->etag);
    sql_put_bytes(&sql, want->md5_origin == MD5_ABSENT ? NULL : want->md5, OBJECT_MD5_BYTES);
    sql_put_integer(&sql, want->md5_origin);
    sql_put_integer(&sql, want->tier);
    sql_put_integer(&sql, want->copy);
    sql_put_integer(&sql, want->irregular);
    put_target(&sql, fact);
    return sql_finish(sql.statement, err);
}

bool journal_facts_add(struct journal *journal, int64_t unit, const struct object_fact *facts,
                       size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!add_fact(journal, unit, &facts[i], err))
            return false;
    }
    return true;
}

bool journal_facts_drop(struct journal *journal, int64_t unit, struct err *err)
{
    struct sql sql = journal_parameters(journal, JOURNAL_OBJECTS_DROP);
    sql_put_integer(&sql, unit);
    return sql_finish(sql.statement, err);
}

static bool save_fact(struct journal *journal, int64_t unit, const struct object_fact *fact,
                      struct err *err)
{
    struct sql sql = journal_parameters(journal, JOURNAL_OBJECT_UPDATE);
    put_target(&sql, fact);
    sql_put_integer(&sql, unit);
    sql_put_text(&sql, fact->want.key);
    if (!sql_finish(sql.statement, err))
        return false;
    if (sqlite3_changes(journal->db) != 1)
        return ERR(err, ERR_INTERNAL, "unit %" PRId64 " has no object %s", unit, fact->want.key);
    return true;
}

bool journal_facts_save(struct journal *journal, int64_t unit,
                        const struct object_fact *const *facts, size_t count, struct err *err)
{
    if (!journal_enter(journal, err))
        return false;
    bool done = true;
    for (size_t i = 0; done && i < count; i++)
        done = save_fact(journal, unit, facts[i], err);
    return journal_leave(journal, done, count, false, err);
}

static bool take_fact(sqlite3_stmt *statement, struct arena *arena, struct object_fact *fact,
                      struct err *err)
{
    struct sql sql = sql_columns(statement);
    struct object *want = &fact->want;
    want->key = sql_take_text(&sql, arena);
    want->bytes = (uint64_t)sql_take_integer(&sql);
    want->etag = sql_take_text(&sql, arena);
    bool has_md5 = sql_take_bytes(&sql, want->md5, sizeof(want->md5));
    int64_t origin = sql_take_integer(&sql), tier = sql_take_integer(&sql);
    int64_t copy = sql_take_integer(&sql);
    if (origin < 0 || origin > MD5_COMPUTED || tier < 0 || tier > TIER_ARCHIVE || copy < 0 ||
        copy > COPY_ABORTED || has_md5 != (origin != MD5_ABSENT))
        return ERR(err, ERR_CORRUPT, "the journal's entry of object %s makes no sense", want->key);

    want->md5_origin = (enum md5_origin)origin;
    want->tier = (enum access_tier)tier;
    want->copy = (enum copy_state)copy;
    want->irregular = sql_take_integer(&sql) != 0;
    snprintf(fact->target_etag, sizeof(fact->target_etag), "%s", sql_take_borrowed(&sql));
    int64_t created = sql_take_integer(&sql);
    fact->created = created != 0;
    fact->condemned = created == CONDEMNED;
    fact->proven = sql_take_integer(&sql) != 0;
    snprintf(fact->copy_id, sizeof(fact->copy_id), "%s", sql_take_borrowed(&sql));
    fact->copy_us = sql_take_integer(&sql);
    return true;
}

static bool get_facts(struct journal *journal, int64_t unit, struct arena *arena,
                      struct object_fact **facts, size_t *count, struct err *err)
{
    if (!count_of(journal, JOURNAL_OBJECT_COUNT, unit, count, err))
        return false;
    *facts = arena_make(arena, (*count + 1) * sizeof(**facts));
    struct sql sql = journal_parameters(journal, JOURNAL_OBJECTS);
    sql_put_integer(&sql, unit);
    for (size_t i = 0;; i++) {
        bool row;
        if (!sql_step(sql.statement, &row, err))
            return false;
        if (!row)
            return true;
        assert(i < *count);
        if (!take_fact(sql.statement, arena, &(*facts)[i], err)) {
            sqlite3_reset(sql.statement);
            return false;
        }
    }
}

bool journal_facts_get(struct journal *journal, int64_t unit, struct arena *arena,
                       struct object_fact **facts, size_t *count, struct err *err)
{
    return journal_look(journal, err) &&
           journal_look_end(journal, get_facts(journal, unit, arena, facts, count, err), err);
}

bool journal_is_ours(struct journal *journal, const char *target, const char *key,
                     const struct object *found, bool *ours, bool *condemned, struct err *err)
{
    if (!journal_look(journal, err))
        return false;
    struct sql sql = journal_parameters(journal, JOURNAL_OURS);
    sql_put_text(&sql, target);
    sql_put_text(&sql, key);
    sql_put_text(&sql, found->etag);
    sql_put_text(&sql, found->copy_id != NULL ? found->copy_id : "");
    int64_t created;
    bool done = journal_id_take(sql.statement, &created, err);
    if (done) {
        *ours = created != 0;
        *condemned = created == CONDEMNED;
    }
    return journal_look_end(journal, done, err);
}
