/* What happened at a place: who came, who left, and at which tier it is. */
#include "base/arena.h"
#include "base/clock.h"
#include "state/journal_private.h"

/* Of a statement that gives one number. */
static bool get_number(struct journal *journal, enum journal_statement statement,
                       const char *const *urls, size_t count, int64_t *number, struct err *err)
{
    if (!journal_look(journal, err))
        return false;
    struct sql sql = journal_parameters(journal, statement);
    for (size_t i = 0; i < count; i++)
        sql_put_text(&sql, urls[i]);
    return journal_look_end(journal, journal_id_take(sql.statement, number, err), err);
}

bool journal_arrival(struct journal *journal, const char *url, int64_t *arrived_us, struct err *err)
{
    return get_number(journal, JOURNAL_ARRIVAL, &url, 1, arrived_us, err);
}

bool journal_passage(struct journal *journal, const char *source, const char *target,
                     int64_t *cut_over_us, struct err *err)
{
    const char *const ends[] = {source, target};
    return get_number(journal, JOURNAL_PASSAGE, ends, 2, cut_over_us, err);
}

static bool next_source(struct journal *journal, const char *url, struct arena *arena,
                        const char **source, struct err *err)
{
    struct sql sql = journal_parameters(journal, JOURNAL_NEXT_SOURCE);
    sql_put_text(&sql, url);
    bool row;
    *source = NULL;
    if (!sql_step(sql.statement, &row, err))
        return false;
    struct sql columns = sql_columns(sql.statement);
    if (row)
        *source = sql_take_text(&columns, arena);
    sqlite3_reset(sql.statement);
    return true;
}

bool journal_next_source(struct journal *journal, const char *url, struct arena *arena,
                         const char **source, struct err *err)
{
    return journal_look(journal, err) &&
           journal_look_end(journal, next_source(journal, url, arena, source, err), err);
}

static bool last_move(struct journal *journal, const char *url, struct arena *arena,
                      struct journal_unit **found, struct err *err)
{
    struct sql sql = journal_parameters(journal, JOURNAL_LAST_MOVE);
    int64_t id;
    sql_put_text(&sql, url);
    *found = NULL;
    if (!journal_id_take(sql.statement, &id, err))
        return false;
    if (id == 0)
        return true;
    *found = arena_make(arena, sizeof(**found));
    return journal_entry_get(journal, id, arena, *found, err);
}

bool journal_last_move(struct journal *journal, const char *url, struct arena *arena,
                       struct journal_unit **found, struct err *err)
{
    return journal_look(journal, err) &&
           journal_look_end(journal, last_move(journal, url, arena, found, err), err);
}

static bool get_tier(struct journal *journal, const char *target, enum access_tier *tier,
                     struct err *err)
{
    struct sql sql = journal_parameters(journal, JOURNAL_TIER);
    sql_put_text(&sql, target);
    bool row;
    *tier = TIER_DEFAULT;
    if (!sql_step(sql.statement, &row, err))
        return false;
    struct sql columns = sql_columns(sql.statement);
    bool sound = !row || journal_tier_take(&columns, tier, err);
    sqlite3_reset(sql.statement);
    return sound;
}

bool journal_tier(struct journal *journal, const char *target, enum access_tier *tier,
                  struct err *err)
{
    return journal_look(journal, err) &&
           journal_look_end(journal, get_tier(journal, target, tier, err), err);
}

bool journal_see_tier(struct journal *journal, const char *url, enum access_tier tier,
                      struct err *err)
{
    if (!journal_enter(journal, err))
        return false;
    struct sql sql = journal_parameters(journal, JOURNAL_SEE_TIER);
    sql_put_text(&sql, url);
    sql_put_text(&sql, object_tier_name(tier));
    sql_put_integer(&sql, journal->clock->ops->now_us(journal->clock));
    return journal_leave(journal, sql_finish(sql.statement, err), 1, false, err);
}
