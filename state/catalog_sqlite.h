/* catalog_sqlite.h: the catalog as a table of a SQLite file.
 *
 *   catalog_sqlite.c        opening, closing, describe, examine, cut_over, look
 *   catalog_sqlite_table.c  which table and columns it is, and the SQL that names them
 *   catalog_sqlite_read.c   snapshot, cursor, fetch, below, referenced, and what values mean
 *
 * The file is never created, and its journal mode is left as it is.  A snapshot is a connection of
 * its own; while it lasts it keeps others from committing, unless the file is in WAL mode. */
#ifndef STATE_CATALOG_SQLITE_H
#define STATE_CATALOG_SQLITE_H

#include <pthread.h>

#include "base/arena.h"
#include "state/catalog.h"
#include "state/sql.h"

struct catalog_sqlite {
    struct catalog catalog;
    const struct catalog_config *config;
    struct arena arena;    /* holds the path */
    const char *path;      /* absolute */
    pthread_mutex_t mutex; /* guards writer */
    sqlite3 *writer;       /* for all but the snapshot; NULL: reopen */
    sqlite3 *reader;       /* holds the snapshot; NULL: there is none */
    bool has_cursor;
};

/* Without the patience of catalog_open.  ERR_MISSING if there is no such file, ERR_CORRUPT if it is
 * no database, ERR_INPUT if it is not in UTF-8. */
MUST_USE bool catalog_sqlite_open(const struct catalog_config *config, struct catalog **catalog,
                                  struct err *err);
/* A connection to the file, that waits for locks as long as the config says. */
MUST_USE bool catalog_sqlite_connect(const struct catalog_sqlite *self, sqlite3 **db,
                                     struct err *err);

/* The operations of catalog.h that stand in a file of their own. */
bool catalog_sqlite_snapshot(struct catalog *catalog, struct err *err);
void catalog_sqlite_snapshot_end(struct catalog *catalog);
bool catalog_sqlite_cursor_open(struct catalog *catalog, struct catalog_cursor **cursor,
                                struct err *err);
bool catalog_sqlite_cursor_next(struct catalog_cursor *cursor, const struct record **record,
                                struct err *err);
void catalog_sqlite_cursor_close(struct catalog_cursor *cursor);
/* In the transaction that the writer is in. */
bool catalog_sqlite_fetch(struct catalog_sqlite *self, const char *const *ids, size_t count,
                          catalog_visit *visit, void *context, struct err *err);
bool catalog_sqlite_below(struct catalog_sqlite *self, const char *url, size_t limit,
                          catalog_visit *visit, void *context, struct err *err);
bool catalog_sqlite_referenced(struct catalog_sqlite *self, const char *const *urls, size_t count,
                               const struct catalog_reference **found, struct err *err);
#endif
