/* sql.h: SQLite, thinly: its failures as struct err, and the parameters and columns of a statement
 * one after the other.  What it has no word for is called as it is. */
#ifndef STATE_SQL_H
#define STATE_SQL_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SQL_BUSY_MS 10000

struct arena;

/* Opens without a mutex (the owner has one) and waits SQL_BUSY_MS for locks; flags as of
 * sqlite3_open_v2.  On failure *db is NULL.  The kinds are those of sql_error. */
MUST_USE bool sql_open(const char *path, int flags, sqlite3 **db, struct err *err);

/* The connection's last failure: ERR_BUSY (locked, or the disk is full), ERR_CORRUPT, ERR_DENIED
 * (may not be written), ERR_MISSING (can't be opened), ERR_CANCELLED, ERR_INPUT (the disk fails),
 * ERR_INTERNAL (a constraint, a bad statement).  The status is SQLite's extended code.  False. */
bool sql_error(sqlite3 *db, struct err *err);

/* Statements without results. */
MUST_USE bool sql_run(sqlite3 *db, const char *sql, struct err *err);
MUST_USE bool sql_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **statement, struct err *err);
/* The next row; *row is false at the end. */
MUST_USE bool sql_step(sqlite3_stmt *statement, bool *row, struct err *err);
/* To the end: a statement that changes something. */
MUST_USE bool sql_finish(sqlite3_stmt *statement, struct err *err);
/* One integer of a one-row statement. */
MUST_USE bool sql_number(sqlite3 *db, const char *sql, int64_t *number, struct err *err);

/* Where the next parameter is put, or the next column taken from. */
struct sql {
    sqlite3_stmt *statement;
    int next;
};
/* From the first parameter on; the statement is reset. */
struct sql sql_parameters(sqlite3_stmt *statement);
struct sql sql_columns(sqlite3_stmt *statement);
void sql_put_integer(struct sql *sql, int64_t value);
/* Borrowed until the statement is reset; NULL becomes NULL. */
void sql_put_text(struct sql *sql, const char *text);
void sql_put_bytes(struct sql *sql, const void *bytes, size_t size_bytes);
int64_t sql_take_integer(struct sql *sql);
/* Borrowed until the next step; NULL if it is NULL. */
const char *sql_take_borrowed(struct sql *sql);
/* A copy in the arena; NULL if it is NULL. */
char *sql_take_text(struct sql *sql, struct arena *arena);
/* True if it has exactly these many bytes. */
bool sql_take_bytes(struct sql *sql, void *bytes, size_t size_bytes);
#endif
