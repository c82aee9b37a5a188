/* catalog_pg_link.h: one connection to PostgreSQL, made when it is needed, dropped when it is in
 * doubt.  Statements go out together and their replies come back together (a pipeline), so that a
 * transaction costs as few round trips as its decisions allow. */
#ifndef STATE_CATALOG_PG_LINK_H
#define STATE_CATALOG_PG_LINK_H

#include <libpq-fe.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "state/catalog.h"

#define CATALOG_PG_PARAMS_MAX (3 + CATALOG_SETS_MAX) /* of the UPDATE of a cut */
#define CATALOG_PG_BATCH_MAX 32
#define CATALOG_PG_PARAM_BYTES_MAX ((size_t)1 << 28)

struct catalog_pg_table;

struct catalog_pg_link {
    const struct catalog_config *config;
    PGconn *conn;                   /* NULL: not connected */
    struct catalog_pg_table *table; /* as this connection found it; NULL: not looked yet */
    struct arena arena;             /* holds the table */
};

/* A statement and its parameters, which are texts or arrays of texts. */
struct catalog_pg_query {
    const char *sql;
    int param_count;
    Oid types[CATALOG_PG_PARAMS_MAX];
    const char *values[CATALOG_PG_PARAMS_MAX];
    int sizes[CATALOG_PG_PARAMS_MAX];
    int formats[CATALOG_PG_PARAMS_MAX];
    char numbers[CATALOG_PG_PARAMS_MAX][24]; /* as text, where a value is one */
    bool binary;                             /* of the reply */
};
/* A NULL text is NULL in SQL. */
void catalog_pg_query_text(struct catalog_pg_query *query, const char *text);
/* The type is that of its place in the statement, and reads the text as it reads a literal. */
void catalog_pg_query_literal(struct catalog_pg_query *query, const char *text);
/* The query stays where it is from now on. */
void catalog_pg_query_number(struct catalog_pg_query *query, int64_t number);
/* The array in the binary format (array_send of PostgreSQL), in a buf that outlives the query. */
void catalog_pg_query_texts(struct catalog_pg_query *query, const struct buf *array);
/* items: `count` texts, each `stride` bytes behind the one before. */
void catalog_pg_query_array(struct buf *array, const char *const *items, size_t count,
                            size_t stride);

/* The replies of a batch; cleared when the variable goes. */
struct catalog_pg_reply {
    PGresult *results[CATALOG_PG_BATCH_MAX];
    size_t count;
};
void catalog_pg_reply_clear(struct catalog_pg_reply *reply);
#define CATALOG_PG_REPLY __attribute__((cleanup(catalog_pg_reply_clear))) struct catalog_pg_reply

/* How a transaction begins: two statements at the head of a batch. */
enum catalog_pg_mode { CATALOG_PG_READ_ONLY, CATALOG_PG_READ_WRITE };
#define CATALOG_PG_BEGIN_COUNT 2
void catalog_pg_link_begin(const struct catalog_config *config, enum catalog_pg_mode mode,
                           int64_t statement_ms,
                           struct catalog_pg_query queries[CATALOG_PG_BEGIN_COUNT]);
/* ERR_BUSY if the reply to what _begin sent says that the server is a standby, which may be behind;
 * the connection is dropped: of several hosts, the next one may be the primary. */
MUST_USE bool catalog_pg_link_is_primary(struct catalog_pg_link *link,
                                         const struct catalog_pg_reply *reply, struct err *err);
/* The schemas of the role's own search_path, in order: an array of names, as text. */
const char *catalog_pg_link_schemas(const struct catalog_pg_reply *reply);

/* All statements succeeded and reply holds their results, or the transaction is rolled back.
 * Connects if need be (the errors of catalog_pg_connect.h).  ERR_BUSY if the connection was lost:
 * it is dropped. */
MUST_USE bool catalog_pg_link_batch(struct catalog_pg_link *link,
                                    const struct catalog_pg_query *queries, size_t count,
                                    struct catalog_pg_reply *reply, struct err *err);
/* True with CATALOG_CUT or CATALOG_UNKNOWN; false if the server said that it did not commit. */
MUST_USE bool catalog_pg_link_commit(struct catalog_pg_link *link, enum catalog_outcome *outcome,
                                     struct err *err);
/* Ends a transaction without a trace; a connection that can't even do that is dropped. */
void catalog_pg_link_rollback(struct catalog_pg_link *link);

void catalog_pg_link_init(struct catalog_pg_link *link, const struct catalog_config *config);
void catalog_pg_link_close(struct catalog_pg_link *link);
/* What a failed result, or the lost connection (NULL), means: kind by SQLSTATE, which goes to
 * err->code.  Is false. */
bool catalog_pg_link_fail(const struct catalog_pg_link *link, const PGresult *result,
                          struct err *err);
enum err_kind catalog_pg_link_kind(const char *sqlstate);
#endif
