#include "state/journal_private.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

bool journal_lineage(struct journal *journal, char lineage[JOURNAL_LINEAGE_MAX], struct err *err)
{
    if (!journal_look(journal, err))
        return false;
    struct sql sql = journal_parameters(journal, JOURNAL_LINEAGE);
    bool row, done = sql_step(sql.statement, &row, err);
    if (done) {
        struct sql columns = sql_columns(sql.statement);
        snprintf(lineage, JOURNAL_LINEAGE_MAX, "%s", row ? sql_take_borrowed(&columns) : "none");
        sqlite3_reset(sql.statement);
    }
    return journal_look_end(journal, done, err);
}

/* The row of a run must be durable before a unit can name it. */
bool journal_run_begin(struct journal *journal, const struct journal_run *run, int64_t *id,
                       struct err *err)
{
    if (!journal_enter(journal, err))
        return false;
    struct sql sql = journal_parameters(journal, JOURNAL_RUN_INSERT);
    sql_put_text(&sql, run->verb);
    sql_put_text(&sql, run->plan);
    sql_put_text(&sql, run->policy_path);
    sql_put_integer(&sql, run->started_us);
    bool done = sql_finish(sql.statement, err);
    *id = sqlite3_last_insert_rowid(journal->db);
    return journal_leave(journal, done, 1, true, err);
}

bool journal_run_end(struct journal *journal, int64_t id, int exit_code, struct err *err)
{
    if (!journal_enter(journal, err))
        return false;
    struct sql sql = journal_parameters(journal, JOURNAL_RUN_END);
    sql_put_integer(&sql, journal->clock->ops->now_us(journal->clock));
    sql_put_integer(&sql, exit_code);
    sql_put_integer(&sql, id);
    bool done = sql_finish(sql.statement, err);
    if (done && sqlite3_changes(journal->db) != 1)
        done = ERR(err, ERR_MISSING, "there is no run %" PRId64, id);
    return journal_leave(journal, done, 1, true, err);
}

static void take_run(sqlite3_stmt *statement, struct arena *arena, struct journal_run *run)
{
    struct sql sql = sql_columns(statement);
    run->id = sql_take_integer(&sql);
    run->verb = sql_take_text(&sql, arena);
    run->plan = sql_take_text(&sql, arena);
    run->policy_path = sql_take_text(&sql, arena);
    run->started_us = sql_take_integer(&sql);
    run->ended_us = sql_take_integer(&sql);
    run->exit_code = (int)sql_take_integer(&sql);
}

static bool get_run(struct journal *journal, int64_t id, struct arena *arena,
                    struct journal_run *run, struct err *err)
{
    struct sql sql = journal_parameters(journal, id == 0 ? JOURNAL_RUN_LATEST : JOURNAL_RUN_ONE);
    if (id != 0)
        sql_put_integer(&sql, id);
    bool row;
    if (!sql_step(sql.statement, &row, err))
        return false;
    if (!row && id == 0)
        return ERR(err, ERR_MISSING, "it holds no run yet");
    if (!row)
        return ERR(err, ERR_MISSING, "it holds no run %" PRId64, id);
    take_run(sql.statement, arena, run);
    sqlite3_reset(sql.statement);
    return true;
}

bool journal_run_get(struct journal *journal, int64_t id, struct arena *arena,
                     struct journal_run *run, struct err *err)
{
    return journal_look(journal, err) &&
           journal_look_end(journal, get_run(journal, id, arena, run, err), err);
}
