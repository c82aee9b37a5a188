#include <string.h>

#include "base/str.h"
#include "base/url.h"
#include "state/catalog_pg.h"
#include "state/catalog_pg_table.h"

/* $1 and $2: schema and table, $3 and $4: the columns that are read, and written. */
static const char ASK_RIGHTS[] =
    "SELECT current_user, has_schema_privilege(n.oid, 'USAGE'), row_security_active(c.oid),"
    " current_setting('default_transaction_read_only') = 'on',"
    " (SELECT string_agg(DISTINCT name, ', ') FROM unnest($3::text[]) AS name"
    " WHERE NOT has_column_privilege(c.oid, name, 'SELECT')),"
    " (SELECT string_agg(DISTINCT name, ', ') FROM unnest($4::text[]) AS name"
    " WHERE NOT has_column_privilege(c.oid, name, 'UPDATE')),"
    " quote_ident(current_user), quote_ident(n.nspname)"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = $1 AND c.relname = $2";

/* The columns of its answer; SELECT and UPDATE name what is lacking. */
enum right {
    RIGHT_ROLE,
    RIGHT_SCHEMA,
    RIGHT_HIDDEN,
    RIGHT_READ_ONLY,
    RIGHT_SELECT,
    RIGHT_UPDATE,
    RIGHT_QUOTED,
    RIGHT_QUOTED_SCHEMA
};

static bool is_true(const PGresult *rights, enum right right)
{
    return strcmp(PQgetvalue(rights, 0, (int)right), "t") == 0;
}

static void tell_server(const struct catalog_pg_link *link, struct arena *arena,
                        struct catalog_health *health)
{
    const char *host = PQhost(link->conn);
    const char *version = PQparameterStatus(link->conn, "server_version");
    const char *tls = PQsslInUse(link->conn) ? PQsslAttribute(link->conn, "protocol") : NULL;
    health->server = str_format(arena, "PostgreSQL %s at %s:%s", version ? version : "", host,
                                PQport(link->conn));
    if (tls != NULL)
        health->encrypted = arena_copy(arena, tls);
    health->is_exposed = tls == NULL && host[0] != '/' && !url_is_loopback(host);
}

static const char *grant(const struct catalog_pg_link *link, const PGresult *rights,
                         const char *what, struct arena *arena)
{
    return str_format(arena, "GRANT %s ON %s TO %s", what, link->table->quoted,
                      PQgetvalue(rights, 0, RIGHT_QUOTED));
}

static void judge_read(const struct catalog_pg_link *link, const PGresult *rights,
                       struct arena *arena, struct catalog_health *health)
{
    const char *role = PQgetvalue(rights, 0, RIGHT_ROLE);
    if (!is_true(rights, RIGHT_SCHEMA)) {
        health->no_read = str_format(arena, "the role %s may not use the schema", role);
        health->mend_read = str_format(arena, "GRANT USAGE ON SCHEMA %s TO %s",
                                       PQgetvalue(rights, 0, RIGHT_QUOTED_SCHEMA),
                                       PQgetvalue(rights, 0, RIGHT_QUOTED));
    } else if (!PQgetisnull(rights, 0, RIGHT_SELECT)) {
        health->no_read = str_format(arena, "the role %s may not read %s", role,
                                     PQgetvalue(rights, 0, RIGHT_SELECT));
        health->mend_read = grant(link, rights, "SELECT", arena);
    } else if (is_true(rights, RIGHT_HIDDEN)) {
        health->no_read = str_format(arena, "row level security hides rows from the role %s", role);
        health->mend_read =
            str_format(arena, "ALTER ROLE %s BYPASSRLS", PQgetvalue(rights, 0, RIGHT_QUOTED));
    }
}

static void judge_write(const struct catalog_pg_link *link, const PGresult *rights,
                        struct arena *arena, struct catalog_health *health)
{
    const char *role = PQgetvalue(rights, 0, RIGHT_ROLE);
    if (!PQgetisnull(rights, 0, RIGHT_UPDATE)) {
        health->no_write = str_format(arena, "the role %s may not change %s", role,
                                      PQgetvalue(rights, 0, RIGHT_UPDATE));
        health->mend_write = grant(link, rights, "UPDATE", arena);
    } else if (is_true(rights, RIGHT_READ_ONLY)) {
        health->no_write = str_format(arena, "transactions of the role %s are read only", role);
        health->mend_write =
            str_format(arena, "ALTER ROLE %s SET default_transaction_read_only = off",
                       PQgetvalue(rights, 0, RIGHT_QUOTED));
    } else {
        health->no_write = health->no_read;
        health->mend_write = health->mend_read;
    }
}

/* Arrays of the names of what is read, and of what is written: the location is both. */
static void list_columns(const struct catalog_pg_link *link, struct arena *arena, struct buf *read,
                         struct buf *written)
{
    const struct catalog_pg_table *table = link->table;
    const size_t sets = link->config->set_count, values = table->value_count;
    const char **names = arena_make(arena, (2 + sets + values) * sizeof *names);
    names[0] = table->location.name;
    for (size_t i = 0; i < sets; i++)
        names[1 + i] = table->sets[i].name;
    catalog_pg_query_array(written, names, 1 + sets, sizeof *names);
    names[1] = table->id.name;
    for (size_t i = 0; i < values; i++)
        names[2 + i] = table->values[i].name;
    catalog_pg_query_array(read, names, 2 + values, sizeof *names);
}

static bool ask_rights(struct catalog_pg_link *link, struct arena *arena,
                       struct catalog_health *health, struct err *err)
{
    struct catalog_pg_query query = {.sql = ASK_RIGHTS};
    CATALOG_PG_REPLY reply = {.count = 0};
    struct buf read, written;
    list_columns(link, arena, &read, &written);
    catalog_pg_query_text(&query, link->table->schema);
    catalog_pg_query_text(&query, link->table->name);
    catalog_pg_query_texts(&query, &read);
    catalog_pg_query_texts(&query, &written);
    bool ok = catalog_pg_link_batch(link, &query, 1, &reply, err);
    buf_free(&read);
    buf_free(&written);
    if (!ok)
        return false;
    if (PQntuples(reply.results[0]) == 0)
        return ERR(err, ERR_MISSING, "the table %s is gone", link->table->quoted);
    judge_read(link, reply.results[0], arena, health);
    judge_write(link, reply.results[0], arena, health);
    return true;
}

static bool count_rows(struct catalog_pg_link *link, struct arena *arena,
                       struct catalog_health *health, struct err *err)
{
    struct catalog_pg_query query = {
        .sql = str_format(arena, "SELECT count(*) FROM (SELECT 1 FROM %s LIMIT %d) AS few",
                          link->table->quoted, CATALOG_COUNTED_MAX + 1)};
    CATALOG_PG_REPLY reply = {.count = 0};
    return catalog_pg_link_batch(link, &query, 1, &reply, err) &&
           (str_to_u64(PQgetvalue(reply.results[0], 0, 0), &health->rows) ||
            ERR(err, ERR_INTERNAL, "the catalog counts what is no number"));
}

/* A table with flaws is not known to the link: describe tells of those. */
static bool examine(struct catalog_pg_link *link, struct arena *arena,
                    struct catalog_health *health, struct err *err)
{
    struct catalog_pg_query begin[CATALOG_PG_BEGIN_COUNT];
    CATALOG_PG_REPLY reply = {.count = 0};
    struct err flaw;
    bool is_known = catalog_pg_table_ensure(link, &flaw);
    catalog_pg_link_begin(link->config, CATALOG_PG_READ_ONLY, CATALOG_STATEMENT_MS, begin);
    if (!catalog_pg_link_batch(link, begin, CATALOG_PG_BEGIN_COUNT, &reply, err))
        return false;
    tell_server(link, arena, health);
    health->is_standby = strcmp(PQgetvalue(reply.results[1], 0, 1), "t") == 0;
    if (!is_known || link->table == NULL)
        return true;
    return ask_rights(link, arena, health, err) &&
           (health->no_read != NULL || count_rows(link, arena, health, err));
}

bool catalog_pg_examine(struct catalog *catalog, struct arena *arena, struct catalog_health *health,
                        struct err *err)
{
    struct catalog_pg *pg = (struct catalog_pg *)catalog;
    *health = (struct catalog_health){0};
    pthread_mutex_lock(&pg->mutex);
    bool ok = examine(&pg->writer, arena, health, err);
    catalog_pg_link_rollback(&pg->writer);
    pthread_mutex_unlock(&pg->mutex);
    return ok;
}
