/* One connection for all processes of all schedules.  To open a journal takes longer than all the
 * rest of a schedule, and nearly all of that is SQLite parsing the same texts; so what the product
 * closes is kept, with its statements, and given to the next who opens.  It has no lock, no
 * transaction and no page in its cache by then: what it knows it reads from the disk again, and
 * rolls back what is half written, as any new connection does.  (--afresh: a new one each time.) */
#include <sqlite3.h>

#include "base/str.h"
#include "tests/sim/sim.h"

#define STATEMENTS_MAX 64

int __real_sqlite3_open_v2(const char *path, sqlite3 **db, int flags, const char *vfs);
int __real_sqlite3_close(sqlite3 *db);
int __real_sqlite3_prepare_v3(sqlite3 *db, const char *text, int size, unsigned flags,
                              sqlite3_stmt **statement, const char **rest);
int __real_sqlite3_exec(sqlite3 *db, const char *text, int (*each)(void *, int, char **, char **),
                        void *context, char **error);
int __real_sqlite3_finalize(sqlite3_stmt *statement);
int __wrap_sqlite3_open_v2(const char *path, sqlite3 **db, int flags, const char *vfs);
int __wrap_sqlite3_close(sqlite3 *db);
int __wrap_sqlite3_prepare_v3(sqlite3 *db, const char *text, int size, unsigned flags,
                              sqlite3_stmt **statement, const char **rest);
int __wrap_sqlite3_exec(sqlite3 *db, const char *text, int (*each)(void *, int, char **, char **),
                        void *context, char **error);
int __wrap_sqlite3_finalize(sqlite3_stmt *statement);

static struct {
    sqlite3 *db;
    bool is_free, is_off;
    const char
        *settings; /* that it has: to set them again would have every statement parsed again */
    struct kept {
        const char *text; /* the product's own */
        sqlite3_stmt *statement;
        bool is_free;
    } statements[STATEMENTS_MAX];
    size_t count;
} kept;

void reuse_end(bool off)
{
    for (size_t i = 0; i < kept.count; i++)
        __real_sqlite3_finalize(kept.statements[i].statement);
    __real_sqlite3_close(kept.db);
    kept.db = NULL;
    kept.settings = NULL;
    kept.count = 0;
    kept.is_off = off;
}

int __wrap_sqlite3_open_v2(const char *path, sqlite3 **db, int flags, const char *vfs)
{
    if (kept.db != NULL && kept.is_free) {
        disk_revive();
        kept.is_free = false;
        *db = kept.db;
        return SQLITE_OK;
    }
    int code = __real_sqlite3_open_v2(path, db, flags, vfs);
    if (code == SQLITE_OK && kept.db == NULL && !kept.is_off) {
        kept.db = *db;
        kept.is_free = false;
    }
    return code;
}

int __wrap_sqlite3_close(sqlite3 *db)
{
    if (db == NULL || db != kept.db)
        return __real_sqlite3_close(db);
    if (sqlite3_get_autocommit(db) && sqlite3_txn_state(db, NULL) == SQLITE_TXN_NONE)
        kept.is_free = true;
    else
        reuse_end(kept.is_off);
    return SQLITE_OK;
}

int __wrap_sqlite3_prepare_v3(sqlite3 *db, const char *text, int size, unsigned flags,
                              sqlite3_stmt **statement, const char **rest)
{
    for (size_t i = 0; db == kept.db && i < kept.count; i++) {
        struct kept *one = &kept.statements[i];
        if (one->text != text || !one->is_free)
            continue;
        one->is_free = false;
        *statement = one->statement;
        return SQLITE_OK;
    }
    int code = __real_sqlite3_prepare_v3(db, text, size, flags, statement, rest);
    if (code == SQLITE_OK && db == kept.db && kept.count < STATEMENTS_MAX)
        kept.statements[kept.count++] = (struct kept){text, *statement, false};
    return code;
}

int __wrap_sqlite3_exec(sqlite3 *db, const char *text, int (*each)(void *, int, char **, char **),
                        void *context, char **error)
{
    if (db == kept.db && text == kept.settings)
        return SQLITE_OK;
    int code = __real_sqlite3_exec(db, text, each, context, error);
    if (code == SQLITE_OK && db == kept.db && str_starts(text, "PRAGMA journal_mode"))
        kept.settings = text;
    return code;
}

int __wrap_sqlite3_finalize(sqlite3_stmt *statement)
{
    for (size_t i = 0; statement != NULL && i < kept.count; i++) {
        if (kept.statements[i].statement != statement)
            continue;
        sqlite3_reset(statement);
        sqlite3_clear_bindings(statement);
        kept.statements[i].is_free = true;
        return SQLITE_OK;
    }
    return __real_sqlite3_finalize(statement);
}
