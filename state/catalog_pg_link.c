#include "state/catalog_pg_link.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "state/catalog_pg_connect.h"

/* A server that became a standby: of several hosts, the next connection may find the primary. */
#define READ_ONLY_SERVER "25006"
#define TABLE_BYTES_MAX ((size_t)16 << 20)

/* From PostgreSQL's catalog/pg_type.dat; they never change. */
enum { TEXT_OID = 25, TEXT_ARRAY_OID = 1009 };

/* -- errors ----------------------------------------------------------------------------------- */

enum err_kind catalog_pg_link_kind(const char *sqlstate)
{
    /* PostgreSQL, appendix A: a class has two characters.  The first that fits counts. */
    static const struct {
        const char *begins;
        enum err_kind kind;
    } kinds[] = {
        {"42501", ERR_DENIED},
        {"28", ERR_DENIED},
        {"42P01", ERR_MISSING},
        {"42703", ERR_MISSING},
        {"3D", ERR_MISSING},
        {"3F", ERR_MISSING},
        {"08", ERR_BUSY},
        {"40", ERR_BUSY},
        {"53", ERR_BUSY},
        {"55P03", ERR_BUSY},
        {"57", ERR_BUSY},
        {"58", ERR_BUSY},
        {READ_ONLY_SERVER, ERR_BUSY},
        {"XX001", ERR_CORRUPT},
        {"XX002", ERR_CORRUPT},
        {"23", ERR_CONFLICT},
        {"P0", ERR_CONFLICT},
        {"22", ERR_INPUT},
        {"0A", ERR_INPUT},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (str_starts(sqlstate, kinds[i].begins))
            return kinds[i].kind;
    return ERR_INTERNAL;
}

bool catalog_pg_link_fail(const struct catalog_pg_link *link, const PGresult *result,
                          struct err *err)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (sqlstate == NULL || message == NULL) {
        if (PQstatus(link->conn) == CONNECTION_OK)
            return ERR(err, ERR_INTERNAL, "the catalog answered out of turn");
        return ERR(err, ERR_BUSY, "the connection to the catalog was lost");
    }
    ERR(err, catalog_pg_link_kind(sqlstate), "the catalog says: %s", message);
    snprintf(err->code, sizeof err->code, "%s", sqlstate);
    if (str_equal(sqlstate, READ_ONLY_SERVER))
        snprintf(err->hint, sizeof err->hint, "connect to the primary: this server is read only");
    return false;
}

/* -- statements ------------------------------------------------------------------------------- */

static void add_param(struct catalog_pg_query *query, Oid type, const char *value, size_t size,
                      int format)
{
    int index = query->param_count++;
    assert(index < CATALOG_PG_PARAMS_MAX);
    query->types[index] = type;
    query->values[index] = value;
    query->sizes[index] = (int)size;
    query->formats[index] = format;
}

void catalog_pg_query_text(struct catalog_pg_query *query, const char *text)
{
    add_param(query, TEXT_OID, text, 0, 0);
}

void catalog_pg_query_literal(struct catalog_pg_query *query, const char *text)
{
    add_param(query, InvalidOid, text, 0, 0);
}

void catalog_pg_query_texts(struct catalog_pg_query *query, const struct buf *array)
{
    add_param(query, TEXT_ARRAY_OID, array->bytes, array->size, 1);
}

void catalog_pg_query_number(struct catalog_pg_query *query, int64_t number)
{
    char *text = query->numbers[query->param_count];
    snprintf(text, sizeof query->numbers[0], "%" PRId64, number);
    catalog_pg_query_text(query, text);
}

static void add_int32(struct buf *buf, size_t number)
{
    uint32_t value = (uint32_t)number;
    char bytes[4] = {(char)(value >> 24), (char)(value >> 16), (char)(value >> 8), (char)value};
    buf_add(buf, bytes, sizeof bytes);
}

void catalog_pg_query_array(struct buf *array, const char *const *items, size_t count,
                            size_t stride)
{
    buf_init(array, CATALOG_PG_PARAM_BYTES_MAX);
    add_int32(array, count > 0); /* dimensions */
    add_int32(array, 0);         /* no NULL    */
    add_int32(array, TEXT_OID);
    if (count > 0) {
        add_int32(array, count);
        add_int32(array, 1); /* the first index */
    }
    for (size_t i = 0; i < count; i++) {
        const char *item = *(const char *const *)((const char *)items + i * stride);
        add_int32(array, strlen(item));
        buf_text(array, item);
    }
}

void catalog_pg_reply_clear(struct catalog_pg_reply *reply)
{
    for (size_t i = 0; i < reply->count; i++)
        PQclear(reply->results[i]);
    reply->count = 0;
}

/* -- transactions ----------------------------------------------------------------------------- */

void catalog_pg_link_begin(const struct catalog_config *config, enum catalog_pg_mode mode,
                           int64_t statement_ms,
                           struct catalog_pg_query queries[CATALOG_PG_BEGIN_COUNT])
{
    static const char *const begins[] = {
        [CATALOG_PG_READ_ONLY] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        [CATALOG_PG_READ_WRITE] = "BEGIN ISOLATION LEVEL READ COMMITTED",
    };
    queries[0] = (struct catalog_pg_query){.sql = begins[mode]};
    /* For this transaction alone, as SET LOCAL.  Behind it all names mean those of pg_catalog, and
     * it qualifies its own: nothing that somebody put into a schema can be called instead.  With
     * row_security off the server raises an error where it would hide rows.                      */
    queries[1] = (struct catalog_pg_query){
        .sql = "SELECT pg_catalog.current_schemas(false)::pg_catalog.text,"
               " pg_catalog.pg_is_in_recovery(),"
               " pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),"
               " pg_catalog.set_config('row_security', 'off', true),"
               " pg_catalog.set_config('synchronous_commit', 'on', true),"
               " pg_catalog.set_config('lock_timeout', $1, true),"
               " pg_catalog.set_config('statement_timeout', $2, true),"
               " pg_catalog.set_config('idle_in_transaction_session_timeout', $3, true)"};
    uint32_t lock_ms = config->lock_wait_ms != 0 ? config->lock_wait_ms : CATALOG_LOCK_WAIT_MS;
    catalog_pg_query_number(&queries[1], lock_ms);
    catalog_pg_query_number(&queries[1], statement_ms);
    /* A snapshot may wait for whoever takes its rows.  But if our machine vanishes with rows
     * locked, the server would only notice when its own TCP gives up, by default after two hours.
     */
    catalog_pg_query_number(&queries[1], mode == CATALOG_PG_READ_WRITE ? CATALOG_IDLE_MS : 0);
}

bool catalog_pg_link_is_primary(struct catalog_pg_link *link, const struct catalog_pg_reply *reply,
                                struct err *err)
{
    if (strcmp(PQgetvalue(reply->results[1], 0, 1), "f") == 0)
        return true;
    ERR(err, ERR_BUSY, "the catalog's server is a standby and may be behind");
    snprintf(err->hint, sizeof err->hint, "connect to the primary");
    catalog_pg_link_close(link);
    return false;
}

const char *catalog_pg_link_schemas(const struct catalog_pg_reply *reply)
{
    return PQgetvalue(reply->results[1], 0, 0);
}

static bool send_all(PGconn *conn, const struct catalog_pg_query *queries, size_t count)
{
    if (!PQenterPipelineMode(conn))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct catalog_pg_query *query = &queries[i];
        if (!PQsendQueryParams(conn, query->sql, query->param_count, query->types, query->values,
                               query->sizes, query->formats, query->binary))
            return false;
    }
    return PQpipelineSync(conn);
}

static void drain(PGconn *conn)
{
    for (PGresult *rest; (rest = PQgetResult(conn)) != NULL;)
        PQclear(rest);
}

/* The first failure is what counts: the statements behind it were not run. */
static bool receive_all(struct catalog_pg_link *link, size_t count, struct catalog_pg_reply *reply,
                        struct err *err)
{
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        PGresult *result = PQgetResult(link->conn);
        ExecStatusType status = PQresultStatus(result);
        reply->results[reply->count++] = result;
        if (ok && status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
            ok = catalog_pg_link_fail(link, result, err);
        if (result != NULL)
            drain(link->conn);
    }
    PGresult *sync = PQgetResult(link->conn);
    if (ok && PQresultStatus(sync) != PGRES_PIPELINE_SYNC)
        ok = catalog_pg_link_fail(link, sync, err);
    PQclear(sync);
    return ok;
}

bool catalog_pg_link_batch(struct catalog_pg_link *link, const struct catalog_pg_query *queries,
                           size_t count, struct catalog_pg_reply *reply, struct err *err)
{
    assert(count <= CATALOG_PG_BATCH_MAX);
    catalog_pg_reply_clear(reply);
    if (link->conn == NULL && !catalog_pg_connect(link->config, &link->conn, err))
        return false;
    bool ok = send_all(link->conn, queries, count)
                  ? receive_all(link, count, reply, err)
                  : ERR(err, ERR_BUSY, "the connection to the catalog was lost");
    if (!PQexitPipelineMode(link->conn) && ok)
        ok = catalog_pg_link_fail(link, NULL, err);
    if (ok)
        return true;
    catalog_pg_reply_clear(reply);
    catalog_pg_link_rollback(link);
    link->table = NULL; /* what it says may be what was wrong */
    if (str_equal(err->code, READ_ONLY_SERVER))
        catalog_pg_link_close(link);
    return false;
}

/* An ERROR that leaves the connection alive and idle is a rollback for certain.  A FATAL one is
 * not: a server that shuts down while it waits for its standbys has committed already.           */
static bool is_surely_rolled_back(PGconn *conn, const PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    return PQstatus(conn) == CONNECTION_OK && PQtransactionStatus(conn) == PQTRANS_IDLE &&
           str_equal(severity, "ERROR");
}

bool catalog_pg_link_commit(struct catalog_pg_link *link, enum catalog_outcome *outcome,
                            struct err *err)
{
    PGresult *result = PQsendQuery(link->conn, "COMMIT") ? PQgetResult(link->conn) : NULL;
    if (result != NULL)
        drain(link->conn);

    bool known = true;
    *outcome = CATALOG_UNKNOWN;
    if (PQresultStatus(result) == PGRES_COMMAND_OK && strcmp(PQcmdStatus(result), "COMMIT") == 0)
        *outcome = CATALOG_CUT;
    else if (is_surely_rolled_back(link->conn, result))
        known = catalog_pg_link_fail(link, result, err);
    else
        catalog_pg_link_close(link);
    PQclear(result);
    return known;
}

void catalog_pg_link_rollback(struct catalog_pg_link *link)
{
    if (link->conn == NULL ||
        (PQstatus(link->conn) == CONNECTION_OK && PQtransactionStatus(link->conn) == PQTRANS_IDLE))
        return;
    PGresult *result = PQexec(link->conn, "ROLLBACK");
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        catalog_pg_link_close(link);
    PQclear(result);
}

void catalog_pg_link_init(struct catalog_pg_link *link, const struct catalog_config *config)
{
    *link = (struct catalog_pg_link){.config = config};
    arena_init(&link->arena, TABLE_BYTES_MAX);
}

void catalog_pg_link_close(struct catalog_pg_link *link)
{
    PQfinish(link->conn);
    link->conn = NULL;
    link->table = NULL;
    arena_free(&link->arena); /* and ready for the next table */
}
