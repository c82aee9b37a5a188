#include "state/journal_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

#define IDS_BYTES_MAX ((size_t)1 << 30)        /* of units that one visit sees */
#define UNIT_ARENA_BYTES_MAX ((size_t)1 << 20) /* the names of one unit        */

/* -- a unit as a row of the table ------------------------------------------------------------- */

static void put_unit(struct sql *sql, const struct unit *unit)
{
    sql_put_integer(sql, unit_is_open(unit));
    sql_put_text(sql, unit_state_name(unit->state));
    sql_put_text(sql, unit_state_name(unit->left_state));
    sql_put_text(sql, unit_reason_name(unit->reason));
    sql_put_text(sql, unit_verify_name(unit->verify));
    sql_put_text(sql, object_tier_name(unit->tier));
    sql_put_integer(sql, unit->keep_source);
    sql_put_integer(sql, unit->rounds);
    sql_put_integer(sql, unit->failures);
    sql_put_integer(sql, unit->grace_us);
    sql_put_integer(sql, unit->cleanup_at_us);
    sql_put_integer(sql, (int64_t)unit->objects);
    sql_put_integer(sql, (int64_t)unit->bytes);
    sql_put_integer(sql, (int64_t)unit->late);
    sql_put_integer(sql, unit->rows);
    sql_put_bytes(sql, unit->manifest.sha256, sizeof(unit->manifest.sha256));
    sql_put_bytes(sql, unit->target_manifest.sha256, sizeof(unit->target_manifest.sha256));
}

static bool take_verify(struct sql *sql, enum unit_verify *verify, struct err *err)
{
    const char *name = sql_take_borrowed(sql);
    for (enum unit_verify at = 0; at <= VERIFY_READBACK; at++) {
        if (str_equal(name, unit_verify_name(at))) {
            *verify = at;
            return true;
        }
    }
    return ERR(err, ERR_CORRUPT, "the journal knows a level of verification \"%s\"", name);
}

bool journal_tier_take(struct sql *sql, enum access_tier *tier, struct err *err)
{
    const char *name = sql_take_borrowed(sql);
    for (enum access_tier at = 0; at <= TIER_ARCHIVE; at++) {
        if (str_equal(name, object_tier_name(at))) {
            *tier = at;
            return true;
        }
    }
    return ERR(err, ERR_CORRUPT, "the journal knows an access tier \"%s\"", name);
}

static bool take_kind(struct sql *sql, enum unit_kind *kind, struct err *err)
{
    const char *name = sql_take_borrowed(sql);
    for (enum unit_kind at = 0; at < UNIT_KINDS; at++) {
        if (str_equal(name, unit_kind_name(at))) {
            *kind = at;
            return true;
        }
    }
    return ERR(err, ERR_CORRUPT, "the journal knows a kind of unit \"%s\"", name);
}

static bool take_unit(struct sql *sql, struct unit *unit, struct err *err)
{
    sql_take_integer(sql); /* open: the state says it */
    if (!journal_state_take(sql, &unit->state, err) ||
        !journal_state_take(sql, &unit->left_state, err) ||
        !journal_reason_take(sql, &unit->reason, err) || !take_verify(sql, &unit->verify, err) ||
        !journal_tier_take(sql, &unit->tier, err))
        return false;
    unit->keep_source = sql_take_integer(sql) != 0;
    unit->rounds = (uint32_t)sql_take_integer(sql);
    unit->failures = (uint32_t)sql_take_integer(sql);
    unit->grace_us = sql_take_integer(sql);
    unit->cleanup_at_us = sql_take_integer(sql);
    unit->objects = (uint64_t)sql_take_integer(sql);
    unit->bytes = (uint64_t)sql_take_integer(sql);
    unit->late = (uint64_t)sql_take_integer(sql);
    unit->rows = (uint32_t)sql_take_integer(sql);
    bool sound = sql_take_bytes(sql, unit->manifest.sha256, sizeof(unit->manifest.sha256));
    sound &= sql_take_bytes(sql, unit->target_manifest.sha256, sizeof(unit->manifest.sha256));
    return sound || ERR(err, ERR_CORRUPT, "the journal holds a manifest digest that is none");
}

static bool take_entry(sqlite3_stmt *statement, struct arena *arena, struct journal_unit *entry,
                       struct err *err)
{
    struct sql sql = sql_columns(statement);
    if (!take_unit(&sql, &entry->unit, err))
        return false;
    entry->unit.run = sql_take_integer(&sql);
    if (!take_kind(&sql, &entry->unit.kind, err))
        return false;
    entry->source = sql_take_text(&sql, arena);
    entry->target = sql_take_text(&sql, arena);
    entry->source_store = sql_take_text(&sql, arena);
    entry->target_store = sql_take_text(&sql, arena);
    entry->directory = sql_take_text(&sql, arena);
    entry->policy = sql_take_text(&sql, arena);
    entry->unit.id = sql_take_integer(&sql);
    return true;
}

bool journal_entry_get(struct journal *journal, int64_t id, struct arena *arena,
                       struct journal_unit *entry, struct err *err)
{
    struct sql sql = journal_parameters(journal, JOURNAL_UNIT_ONE);
    sql_put_integer(&sql, id);
    bool row;
    if (!sql_step(sql.statement, &row, err))
        return false;
    if (!row)
        return ERR(err, ERR_MISSING, "the journal holds no unit %" PRId64, id);
    bool sound = take_entry(sql.statement, arena, entry, err);
    sqlite3_reset(sql.statement);
    return sound;
}

/* -- what is open ----------------------------------------------------------------------------- */

bool journal_id_take(sqlite3_stmt *statement, int64_t *id, struct err *err)
{
    bool row;
    *id = 0;
    if (!sql_step(statement, &row, err))
        return false;
    if (row)
        *id = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return true;
}

static bool find_open_at(struct journal *journal, const char *url, int64_t *id, struct err *err)
{
    struct sql sql = journal_parameters(journal, JOURNAL_OPEN_AT);
    sql_put_text(&sql, url);
    return journal_id_take(sql.statement, id, err);
}

static bool find_open_below(struct journal *journal, const char *url, int64_t *id, struct err *err)
{
    struct sql sql = journal_parameters(journal, JOURNAL_OPEN_BELOW);
    sql_put_text(&sql, url);
    return journal_id_take(sql.statement, id, err);
}

/* The same place, then what lies in it (in an object nothing does), then what it lies in, from the
 * inside out.  A prefix is cut off at each '/' of the path, so a/1/ and a/10/ never meet, nor do
 * a/b and a/b.bak. */
static bool find_open(struct journal *journal, const char *url, int64_t *id, struct err *err)
{
    char *place = strdup(url);
    if (place == NULL)
        err_abort("out of memory");
    const char *scheme = strstr(place, "://");
    char *root = scheme == NULL ? place : place + (scheme - place) + strlen("://");

    bool done = find_open_at(journal, place, id, err) &&
                (*id != 0 || !str_ends(place, "/") || find_open_below(journal, place, id, err));
    for (char *end = place + strlen(place) - 1; done && *id == 0 && end > root; end--) {
        if (end[-1] != '/')
            continue;
        *end = '\0';
        done = find_open_at(journal, place, id, err);
    }
    free(place);
    return done;
}

bool journal_find_open(struct journal *journal, const char *url, struct arena *arena,
                       struct journal_unit **found, struct err *err)
{
    *found = NULL;
    int64_t id;
    if (!journal_look(journal, err))
        return false;
    bool done = find_open(journal, url, &id, err);
    if (done && id != 0) {
        *found = arena_make(arena, sizeof(**found));
        done = journal_entry_get(journal, id, arena, *found, err);
    }
    return journal_look_end(journal, done, err);
}

bool journal_unit_get(struct journal *journal, int64_t id, struct arena *arena,
                      struct journal_unit *entry, struct err *err)
{
    return journal_look(journal, err) &&
           journal_look_end(journal, journal_entry_get(journal, id, arena, entry, err), err);
}

/* -- a unit begins ---------------------------------------------------------------------------- */

static bool insert_unit(struct journal *journal, struct journal_unit *entry, struct err *err)
{
    struct sql sql = journal_parameters(journal, JOURNAL_UNIT_INSERT);
    put_unit(&sql, &entry->unit);
    sql_put_integer(&sql, entry->unit.run);
    sql_put_text(&sql, unit_kind_name(entry->unit.kind));
    sql_put_text(&sql, entry->source);
    sql_put_text(&sql, entry->target);
    sql_put_text(&sql, entry->source_store);
    sql_put_text(&sql, entry->target_store);
    sql_put_text(&sql, entry->directory);
    sql_put_text(&sql, entry->policy);
    if (!sql_finish(sql.statement, err))
        return false;
    entry->unit.id = sqlite3_last_insert_rowid(journal->db);
    return true;
}

/* A retier stays where it is, a move goes somewhere else. */
static bool check_ends(const struct journal_unit *entry, struct err *err)
{
    bool meet =
        unit_covers(entry->source, entry->target) || unit_covers(entry->target, entry->source);
    bool fits = entry->unit.kind == UNIT_RETIER ? str_equal(entry->source, entry->target) : !meet;
    return fits || ERR(err, ERR_INTERNAL, "source and target of one %s are %s and %s",
                       unit_kind_name(entry->unit.kind), entry->source, entry->target);
}

/* A closed unit (one that is skipped) promises nothing, and is in nobody's way. */
static bool find_conflict(struct journal *journal, struct journal_new *new, struct err *err)
{
    const struct journal_unit *entry = &new->entry;
    new->conflict = 0;
    if (!unit_is_open(&entry->unit))
        return true;
    return check_ends(entry, err) && find_open(journal, entry->source, &new->conflict, err) &&
           (new->conflict != 0 || find_open(journal, entry->target, &new->conflict, err));
}

static bool begin_one(struct journal *journal, struct journal_new *new, int64_t now_us,
                      uint64_t *writes, struct err *err)
{
    struct unit *unit = &new->entry.unit;
    if (!find_conflict(journal, new, err))
        return false;
    if (new->conflict != 0)
        return true;
    if (!insert_unit(journal, &new->entry, err) ||
        !journal_rows_add(journal, unit->id, new->rows, new->row_count, err) ||
        !journal_facts_add(journal, unit->id, new->facts, new->fact_count, err))
        return err_wrap(err, "beginning %s", new->entry.source);
    *writes += 1 + new->row_count + new->fact_count;
    const struct journal_event event = {.at_us = now_us,
                                        .unit = unit->id,
                                        .from = UNIT_PLANNED,
                                        .to = unit->state,
                                        .reason = unit->reason};
    return journal_event_add(journal, &event, err);
}

/* Each is looked for among those before it as well: they stand in the same transaction. */
bool journal_begin(struct journal *journal, struct journal_new *units, size_t count,
                   struct err *err)
{
    if (!journal_enter(journal, err))
        return false;
    int64_t now_us = journal->clock->ops->now_us(journal->clock);
    uint64_t writes = 0;
    bool done = true;
    for (size_t i = 0; done && i < count; i++)
        done = begin_one(journal, &units[i], now_us, &writes, err);
    return journal_leave(journal, done, writes, true, err);
}

/* -- a unit goes on --------------------------------------------------------------------------- */

static bool get_state(struct journal *journal, int64_t id, struct unit *unit, struct err *err)
{
    struct sql sql = journal_parameters(journal, JOURNAL_UNIT_STATE);
    sql_put_integer(&sql, id);
    bool row;
    if (!sql_step(sql.statement, &row, err))
        return false;
    if (!row)
        return ERR(err, ERR_INTERNAL, "the journal holds no unit %" PRId64, id);
    struct sql columns = sql_columns(sql.statement);
    bool sound = journal_state_take(&columns, &unit->state, err) &&
                 journal_reason_take(&columns, &unit->reason, err);
    sqlite3_reset(sql.statement);
    return sound;
}

static bool update_unit(struct journal *journal, const struct unit *unit, struct err *err)
{
    struct sql sql = journal_parameters(journal, JOURNAL_UNIT_UPDATE);
    put_unit(&sql, unit);
    sql_put_integer(&sql, unit->id);
    return sql_finish(sql.statement, err);
}

static bool save_one(struct journal *journal, const struct unit *unit, int64_t now_us,
                     struct err *err)
{
    struct unit before = {0};
    if (!get_state(journal, unit->id, &before, err))
        return false;
    if (!unit_is_open(&before) && unit_is_open(unit))
        return ERR(err, ERR_INTERNAL, "unit %" PRId64 " is %s and can't become %s", unit->id,
                   unit_state_name(before.state), unit_state_name(unit->state));
    if (!update_unit(journal, unit, err))
        return false;
    if (before.state == unit->state && before.reason == unit->reason)
        return true;
    const struct journal_event event = {.at_us = now_us,
                                        .unit = unit->id,
                                        .from = before.state,
                                        .to = unit->state,
                                        .reason = unit->reason};
    return journal_event_add(journal, &event, err) &&
           (unit->state != UNIT_DONE || journal_facts_drop(journal, unit->id, err));
}

bool journal_save(struct journal *journal, const struct unit *units, size_t count, bool durable,
                  struct err *err)
{
    if (!journal_enter(journal, err))
        return false;
    int64_t now_us = journal->clock->ops->now_us(journal->clock);
    bool done = true;
    for (size_t i = 0; done && i < count; i++)
        done = save_one(journal, &units[i], now_us, err);
    return journal_leave(journal, done, count, durable, err);
}

/* -- all units -------------------------------------------------------------------------------- */

static struct sql select_ids(struct journal *journal, const struct journal_filter *filter)
{
    struct sql sql;
    if (filter->recording != NULL) {
        sql = journal_parameters(journal, JOURNAL_IDS_OF_RECORDING);
        sql_put_text(&sql, filter->recording);
        sql_put_integer(&sql, filter->open_only);
        sql_put_integer(&sql, filter->run);
    } else if (filter->open_only) {
        sql = journal_parameters(journal, JOURNAL_IDS_OPEN);
        sql_put_integer(&sql, filter->run);
    } else if (filter->run != 0) {
        sql = journal_parameters(journal, JOURNAL_IDS_OF_RUN);
        sql_put_integer(&sql, filter->run);
    } else
        sql = journal_parameters(journal, JOURNAL_IDS_ALL);
    return sql;
}

static bool collect_ids(struct journal *journal, const struct journal_filter *filter,
                        struct buf *ids, struct err *err)
{
    struct sql sql = select_ids(journal, filter);
    for (;;) {
        bool row;
        if (!sql_step(sql.statement, &row, err))
            return false;
        if (!row)
            return buf_check(ids, "the list of units", err);
        int64_t id = sqlite3_column_int64(sql.statement, 0);
        buf_add(ids, &id, sizeof(id));
    }
}

static bool visit_one(struct journal *journal, int64_t id, struct arena *arena,
                      journal_visit *visit, void *context, struct err *err)
{
    struct journal_unit entry;
    arena_reset(arena);
    return journal_look(journal, err) &&
           journal_look_end(journal, journal_entry_get(journal, id, arena, &entry, err), err) &&
           visit(context, &entry, err);
}

bool journal_each(struct journal *journal, const struct journal_filter *filter,
                  journal_visit *visit, void *context, struct err *err)
{
    if (!journal_look(journal, err))
        return false;
    struct buf ids;
    buf_init(&ids, IDS_BYTES_MAX);
    bool done = journal_look_end(journal, collect_ids(journal, filter, &ids, err), err);

    struct arena arena;
    arena_init(&arena, UNIT_ARENA_BYTES_MAX);
    const int64_t *items = (const void *)ids.bytes;
    for (size_t i = 0; done && i < ids.size / sizeof(*items); i++)
        done = visit_one(journal, items[i], &arena, visit, context, err);
    arena_free(&arena);
    buf_free(&ids);
    return done;
}
