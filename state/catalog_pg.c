#include "state/catalog_pg.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/url.h"
#include "state/catalog_pg_connect.h"
#include "state/catalog_pg_table.h"

#define IDENTITY_BYTES_MAX 4096

/* Names without their secrets, as the live connection has them. */
static const char *identity_of(const struct catalog_pg_link *link,
                               const struct catalog_pg_table *table, struct arena *arena)
{
    const char *host = PQhost(link->conn);
    const char *parts[] = {PQdb(link->conn), table->schema, table->name};
    struct buf text;
    buf_init(&text, IDENTITY_BYTES_MAX);
    buf_text(&text, "postgres://");
    if (host[0] == '/') /* the folder of a socket */
        url_encode(&text, host, strlen(host), URL_COMPONENT);
    else
        buf_text(&text, host);
    buf_format(&text, ":%s", PQport(link->conn));
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        buf_char(&text, i < 2 ? '/' : '.');
        url_encode(&text, parts[i], strlen(parts[i]), URL_COMPONENT);
    }
    const char *identity = arena_copy(arena, buf_string(&text));
    buf_free(&text);
    return identity;
}

static void shape_of(const struct catalog_pg_link *link, const struct catalog_pg_table *table,
                     const struct catalog_flaws *flaws, struct catalog_shape *shape)
{
    const struct catalog_config *config = link->config;
    const struct catalog_pg_column *next = table->values;
    struct arena *arena = flaws->arena;
    *shape = (struct catalog_shape){
        .flaws = flaws->items,
        .flaw_count = flaws->count,
        .fields = arena_make(arena, (config->field_count + 1) * sizeof *shape->fields),
        .location_indexed = table->location_indexed,
    };
    if (flaws->count == 0)
        shape->identity = identity_of(link, table, arena);
    if (table->index_statement != NULL)
        shape->index_statement = arena_copy(arena, table->index_statement);
    if (config->time != NULL) {
        shape->time = next->kind;
        shape->time_is_naive = next->naive || next->kind == VALUE_DATE;
        next++;
    }
    if (config->size != NULL)
        shape->size = next++->kind;
    for (size_t i = 0; i < config->field_count; i++)
        shape->fields[i] = next++->kind;
}

static bool pg_describe(struct catalog *catalog, struct arena *arena, struct catalog_shape *shape,
                        struct err *err)
{
    struct catalog_pg *pg = (struct catalog_pg *)catalog;
    const struct catalog_pg_table *table;
    struct catalog_flaws flaws;
    catalog_flaw_init(&flaws, pg->config, arena);
    pthread_mutex_lock(&pg->mutex);
    bool ok = catalog_pg_table_look(&pg->writer, &flaws, &table, err);
    if (ok)
        shape_of(&pg->writer, table, &flaws, shape);
    catalog_pg_link_rollback(&pg->writer);
    pthread_mutex_unlock(&pg->mutex);
    return ok;
}

static void pg_close(struct catalog *catalog)
{
    struct catalog_pg *pg = (struct catalog_pg *)catalog;
    catalog_pg_link_close(&pg->writer);
    catalog_pg_link_close(&pg->reader);
    pthread_mutex_destroy(&pg->mutex);
    free(pg);
}

static const struct catalog_ops PG_OPS = {
    .kind = "postgres",
    .describe = pg_describe,
    .examine = catalog_pg_examine,
    .snapshot = catalog_pg_snapshot,
    .snapshot_end = catalog_pg_snapshot_end,
    .cursor_open = catalog_pg_cursor_open,
    .cursor_next = catalog_pg_cursor_next,
    .cursor_close = catalog_pg_cursor_close,
    .cut_over = catalog_pg_cut_over,
    .look = catalog_pg_look,
    .fetch = catalog_pg_fetch,
    .below = catalog_pg_below,
    .referenced = catalog_pg_referenced,
    .close = pg_close,
};

bool catalog_pg_open(const struct catalog_config *config, struct catalog **catalog, struct err *err)
{
    PGconn *conn;
    if (!catalog_pg_connect(config, &conn, err))
        return false;
    struct catalog_pg *pg = malloc(sizeof *pg);
    if (pg == NULL)
        err_abort("out of memory");
    *pg = (struct catalog_pg){.catalog.ops = &PG_OPS, .config = config};
    pthread_mutex_init(&pg->mutex, NULL);
    catalog_pg_link_init(&pg->writer, config);
    catalog_pg_link_init(&pg->reader, config);
    pg->writer.conn = conn;
    *catalog = &pg->catalog;
    return true;
}
