/* catalog_pg.h: the catalog as a table in PostgreSQL (12 or newer, in UTF-8).
 *
 *   catalog_pg.c        opening, closing, describe
 *   catalog_pg_link.c   one connection: statements go out in pipelines, errors come back
 *   catalog_pg_table.c  which table and columns it is, and the SQL that names them
 *   catalog_pg_wire.c   the binary format of values
 *   catalog_pg_read.c   snapshot, cursor, fetch, below, referenced
 *   catalog_pg_cut.c    cut_over, look
 *   catalog_pg_health.c examine
 *
 * Nothing is left behind in a connection: every statement runs in a transaction that sets what it
 * needs (search_path, row_security, time limits) for itself alone, so a transaction pooler may
 * stand between.  Names come from the table that was found and are quoted by libpq; values are
 * parameters. */
#ifndef STATE_CATALOG_PG_H
#define STATE_CATALOG_PG_H

#include <pthread.h>

#include "state/catalog.h"
#include "state/catalog_pg_link.h"

/* Reading the whole table. */
#define CATALOG_PG_READ_MS 21600000

struct catalog_pg {
    struct catalog catalog;
    const struct catalog_config *config;
    pthread_mutex_t mutex;         /* guards writer */
    struct catalog_pg_link writer; /* for all but the snapshot */
    struct catalog_pg_link reader; /* holds the snapshot; connected while there is one */
    bool in_snapshot, has_cursor;
};

/* Without the patience of catalog_open. */
MUST_USE bool catalog_pg_open(const struct catalog_config *config, struct catalog **catalog,
                              struct err *err);

/* The operations of catalog.h that stand in files of their own. */
bool catalog_pg_snapshot(struct catalog *catalog, struct err *err);
void catalog_pg_snapshot_end(struct catalog *catalog);
bool catalog_pg_cursor_open(struct catalog *catalog, struct catalog_cursor **cursor,
                            struct err *err);
bool catalog_pg_cursor_next(struct catalog_cursor *cursor, const struct record **record,
                            struct err *err);
void catalog_pg_cursor_close(struct catalog_cursor *cursor);
bool catalog_pg_fetch(struct catalog *catalog, const char *const *ids, size_t count,
                      catalog_visit *visit, void *context, struct err *err);
bool catalog_pg_below(struct catalog *catalog, const char *url, size_t limit, catalog_visit *visit,
                      void *context, struct err *err);
bool catalog_pg_referenced(struct catalog *catalog, const char *const *urls, size_t count,
                           const struct catalog_reference **found, struct err *err);
bool catalog_pg_cut_over(struct catalog *catalog, const struct catalog_cut *cut,
                         enum catalog_outcome *outcome, struct err *err);
bool catalog_pg_look(struct catalog *catalog, const struct catalog_cut *cut, bool lock,
                     struct catalog_sight *sight, struct err *err);
bool catalog_pg_examine(struct catalog *catalog, struct arena *arena, struct catalog_health *health,
                        struct err *err);
#endif
