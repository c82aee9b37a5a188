#include "state/sql.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"

static enum err_kind kind_of(int code, int number)
{
    if (code == SQLITE_IOERR_WRITE) /* so it calls a quota that is used up, and keeps no errno */
        return ERR_BUSY;
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
        return ERR_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_CORRUPT;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
        return ERR_DENIED;
    case SQLITE_CANTOPEN:
        return number == EACCES || number == EPERM ? ERR_DENIED : ERR_MISSING;
    case SQLITE_INTERRUPT:
        return ERR_CANCELLED;
    case SQLITE_IOERR:
    case SQLITE_TOOBIG:
        return ERR_INPUT;
    default:
        return ERR_INTERNAL;
    }
}

bool sql_error(sqlite3 *db, struct err *err)
{
    int code = sqlite3_extended_errcode(db);
    if ((code & 0xff) == SQLITE_NOMEM)
        err_abort("out of memory");
    int number = sqlite3_system_errno(db);
    bool says_why = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
    if (says_why && number != 0)
        ERR(err, kind_of(code, number), "%s (%s)", sqlite3_errmsg(db), strerror(number));
    else
        ERR(err, kind_of(code, 0), "%s", sqlite3_errmsg(db));
    err->status = code;
    return false;
}

bool sql_open(const char *path, int flags, sqlite3 **db, struct err *err)
{
    sqlite3 *opened = NULL;
    int code =
        sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    *db = NULL;
    if (opened == NULL)
        err_abort("out of memory");
    if (code != SQLITE_OK) {
        sql_error(opened, err);
        sqlite3_close(opened);
        return err_wrap(err, "opening %s", path);
    }
    sqlite3_busy_timeout(opened, SQL_BUSY_MS);
    *db = opened;
    return true;
}

bool sql_run(sqlite3 *db, const char *sql, struct err *err)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK || sql_error(db, err);
}

bool sql_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **statement, struct err *err)
{
    return sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) ==
               SQLITE_OK ||
           sql_error(db, err);
}

/* Reset at the end and on failure, so that no lock is held by a statement that nobody reads. */
bool sql_step(sqlite3_stmt *statement, bool *row, struct err *err)
{
    int code = sqlite3_step(statement);
    *row = code == SQLITE_ROW;
    if (*row)
        return true;
    if (code != SQLITE_DONE)
        sql_error(sqlite3_db_handle(statement), err);
    sqlite3_reset(statement);
    return code == SQLITE_DONE;
}

bool sql_finish(sqlite3_stmt *statement, struct err *err)
{
    bool row = true;
    while (row) {
        if (!sql_step(statement, &row, err))
            return false;
    }
    return true;
}

bool sql_number(sqlite3 *db, const char *sql, int64_t *number, struct err *err)
{
    sqlite3_stmt *statement;
    if (!sql_prepare(db, sql, &statement, err))
        return false;
    bool row, done = sql_step(statement, &row, err);
    if (done && !row)
        done = ERR(err, ERR_INTERNAL, "no row from %s", sql);
    if (done)
        *number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return done;
}

struct sql sql_parameters(sqlite3_stmt *statement)
{
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return (struct sql){.statement = statement, .next = 1};
}

struct sql sql_columns(sqlite3_stmt *statement)
{
    return (struct sql){.statement = statement, .next = 0};
}

/* Too many parameters, or too long a text: neither can be, for every text here has a limit. */
static void put(int code)
{
    if (code != SQLITE_OK)
        err_abort(sqlite3_errstr(code));
}

void sql_put_integer(struct sql *sql, int64_t value)
{
    put(sqlite3_bind_int64(sql->statement, sql->next++, value));
}

void sql_put_text(struct sql *sql, const char *text)
{
    put(sqlite3_bind_text(sql->statement, sql->next++, text, -1, SQLITE_STATIC));
}

void sql_put_bytes(struct sql *sql, const void *bytes, size_t size_bytes)
{
    put(sqlite3_bind_blob64(sql->statement, sql->next++, bytes, size_bytes, SQLITE_STATIC));
}

int64_t sql_take_integer(struct sql *sql)
{
    return sqlite3_column_int64(sql->statement, sql->next++);
}

const char *sql_take_borrowed(struct sql *sql)
{
    return (const char *)sqlite3_column_text(sql->statement, sql->next++);
}

char *sql_take_text(struct sql *sql, struct arena *arena)
{
    const char *text = sql_take_borrowed(sql);
    return text == NULL ? NULL : arena_copy(arena, text);
}

bool sql_take_bytes(struct sql *sql, void *bytes, size_t size_bytes)
{
    const void *found = sqlite3_column_blob(sql->statement, sql->next);
    size_t found_bytes = (size_t)sqlite3_column_bytes(sql->statement, sql->next++);
    if (found == NULL || found_bytes != size_bytes)
        return false;
    memcpy(bytes, found, size_bytes);
    return true;
}
