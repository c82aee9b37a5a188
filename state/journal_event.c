#include "state/journal_private.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/str.h"

#define EVENTS_BYTES_MAX ((size_t)64 << 20) /* of one unit */

bool journal_event_add(struct journal *journal, const struct journal_event *event, struct err *err)
{
    struct sql sql = journal_parameters(journal, JOURNAL_EVENT_INSERT);
    sql_put_integer(&sql, event->at_us);
    sql_put_integer(&sql, event->unit);
    sql_put_text(&sql, unit_state_name(event->from));
    sql_put_text(&sql, unit_state_name(event->to));
    sql_put_text(&sql, unit_reason_name(event->reason));
    return sql_finish(sql.statement, err);
}

bool journal_state_take(struct sql *sql, enum unit_state *state, struct err *err)
{
    const char *name = sql_take_borrowed(sql);
    for (enum unit_state at = 0; at < UNIT_STATES; at++) {
        if (str_equal(name, unit_state_name(at))) {
            *state = at;
            return true;
        }
    }
    return ERR(err, ERR_CORRUPT, "the journal knows a state \"%s\"", name);
}

bool journal_reason_take(struct sql *sql, enum unit_reason *reason, struct err *err)
{
    const char *name = sql_take_borrowed(sql);
    for (enum unit_reason at = 0; at < UNIT_REASONS; at++) {
        if (str_equal(name, unit_reason_name(at))) {
            *reason = at;
            return true;
        }
    }
    return ERR(err, ERR_CORRUPT, "the journal knows a reason \"%s\"", name);
}

static bool take_event(sqlite3_stmt *statement, struct journal_event *event, struct err *err)
{
    struct sql sql = sql_columns(statement);
    event->at_us = sql_take_integer(&sql);
    event->unit = sql_take_integer(&sql);
    return journal_state_take(&sql, &event->from, err) &&
           journal_state_take(&sql, &event->to, err) &&
           journal_reason_take(&sql, &event->reason, err);
}

static bool collect(struct journal *journal, int64_t unit, struct buf *events, struct err *err)
{
    struct sql sql = journal_parameters(journal, JOURNAL_EVENTS);
    sql_put_integer(&sql, unit);
    for (;;) {
        struct journal_event event;
        bool row;
        if (!sql_step(sql.statement, &row, err))
            return false;
        if (!row)
            return buf_check(events, "the list of a unit's events", err);
        if (!take_event(sql.statement, &event, err)) {
            sqlite3_reset(sql.statement);
            return false;
        }
        buf_add(events, &event, sizeof(event));
    }
}

bool journal_events(struct journal *journal, int64_t unit,
                    bool (*visit)(void *, const struct journal_event *, struct err *),
                    void *context, struct err *err)
{
    if (!journal_look(journal, err))
        return false;
    struct buf events;
    buf_init(&events, EVENTS_BYTES_MAX);
    bool done = journal_look_end(journal, collect(journal, unit, &events, err), err);

    const struct journal_event *items = (const void *)events.bytes;
    for (size_t i = 0; done && i < events.size / sizeof(*items); i++)
        done = visit(context, &items[i], err);
    buf_free(&events);
    return done;
}
