#include <assert.h>
#include <stdlib.h>

#include "base/str.h"
#include "state/catalog_pg.h"
#include "state/catalog_pg_table.h"
#include "state/catalog_tally.h"
#include "state/catalog_pg_wire.h"

#define CURSOR_BYTES_MAX ((size_t)1 << 20)
#define FETCH_BYTES_MAX ((size_t)64 << 20)
#define FETCH_IDS_MAX 4096

struct pg_cursor {
    struct catalog_pg *pg;
    struct arena arena;
    struct catalog_pg_form form;
    char *message; /* of libpq: the row that the record points into */
    bool began;    /* the header was read                           */
    bool ended;    /* the server said that it was all               */
};

static struct catalog_pg *pg_of(struct catalog *catalog)
{
    return (struct catalog_pg *)catalog;
}

/* -- the snapshot ----------------------------------------------------------------------------- */

bool catalog_pg_snapshot(struct catalog *catalog, struct err *err)
{
    struct catalog_pg *pg = pg_of(catalog);
    struct catalog_pg_query begin[CATALOG_PG_BEGIN_COUNT];
    CATALOG_PG_REPLY reply = {.count = 0};
    if (pg->in_snapshot)
        return ERR(err, ERR_INTERNAL, "the catalog has a snapshot already");
    catalog_pg_link_begin(pg->config, CATALOG_PG_READ_ONLY, CATALOG_PG_READ_MS, begin);
    pg->in_snapshot =
        catalog_pg_link_batch(&pg->reader, begin, CATALOG_PG_BEGIN_COUNT, &reply, err) &&
        catalog_pg_table_find(&pg->reader, catalog_pg_link_schemas(&reply), err);
    if (!pg->in_snapshot)
        catalog_pg_link_close(&pg->reader);
    return pg->in_snapshot;
}

void catalog_pg_snapshot_end(struct catalog *catalog)
{
    struct catalog_pg *pg = pg_of(catalog);
    catalog_pg_link_close(&pg->reader);
    pg->in_snapshot = false;
}

/* -- the cursor ------------------------------------------------------------------------------- */

static bool start_copy(struct catalog_pg_link *reader, struct arena *scratch, struct err *err)
{
    const struct catalog_pg_table *table = reader->table;
    const char *sql = str_format(scratch,
                                 "COPY (SELECT %s FROM %s AS t ORDER BY %s) TO STDOUT"
                                 " (FORMAT binary)",
                                 table->select, table->quoted, table->order);
    PGresult *result = PQexec(reader->conn, sql);
    bool ok = PQresultStatus(result) == PGRES_COPY_OUT || catalog_pg_link_fail(reader, result, err);
    PQclear(result);
    return ok;
}

bool catalog_pg_cursor_open(struct catalog *catalog, struct catalog_cursor **cursor,
                            struct err *err)
{
    struct catalog_pg *pg = pg_of(catalog);
    if (!pg->in_snapshot || pg->has_cursor)
        return ERR(err, ERR_INTERNAL, "a cursor needs a snapshot to itself");
    if (pg->reader.conn == NULL)
        return ERR(err, ERR_INTERNAL, "the snapshot ended with a cursor that was not read out");

    struct pg_cursor *made = malloc(sizeof *made);
    if (made == NULL)
        err_abort("out of memory");
    *made = (struct pg_cursor){.pg = pg};
    arena_init(&made->arena, CURSOR_BYTES_MAX);
    catalog_pg_form_init(&made->form, pg->config, pg->reader.table, &made->arena);
    pg->has_cursor = true;
    if (!start_copy(&pg->reader, &made->arena, err)) {
        catalog_pg_cursor_close((struct catalog_cursor *)made);
        return err_wrap(err, "reading the catalog");
    }
    *cursor = (struct catalog_cursor *)made;
    return true;
}

/* What stands behind the last row: whether the COPY succeeded. */
static bool finish_copy(struct pg_cursor *cursor, struct err *err)
{
    struct catalog_pg_link *reader = &cursor->pg->reader;
    PGresult *result = PQgetResult(reader->conn);
    bool ok =
        PQresultStatus(result) == PGRES_COMMAND_OK || catalog_pg_link_fail(reader, result, err);
    PQclear(result);
    for (PGresult *rest; (rest = PQgetResult(reader->conn)) != NULL;)
        PQclear(rest);
    return ok;
}

static bool read_message(struct pg_cursor *self, size_t size, const struct record **record,
                         struct err *err)
{
    size_t header = 0;
    bool end = false;
    if (!self->began && !catalog_pg_wire_header(self->message, size, &header, err))
        return false;
    self->began = true;
    if (header == size)
        return true;
    if (!catalog_pg_wire_row(self->message + header, size - header, self->form.fields,
                             self->form.table->value_count + 2, &end, err))
        return false;
    if (end)
        return true;
    if (!catalog_pg_form_fill(&self->form, err))
        return false;
    *record = &self->form.record;
    return true;
}

/* libpq hands out a block of its own for each message; the record points into it. */
bool catalog_pg_cursor_next(struct catalog_cursor *cursor, const struct record **record,
                            struct err *err)
{
    struct pg_cursor *self = (struct pg_cursor *)cursor;
    for (*record = NULL; *record == NULL && !self->ended;) {
        PQfreemem(self->message);
        self->message = NULL;
        int size = PQgetCopyData(self->pg->reader.conn, &self->message, 0);
        if (size < 0)
            self->ended = finish_copy(self, err);
        if (size < 0 ? !self->ended : !read_message(self, (size_t)size, record, err))
            return err_wrap(err, "reading the catalog");
    }
    return true;
}

void catalog_pg_cursor_close(struct catalog_cursor *cursor)
{
    struct pg_cursor *self = (struct pg_cursor *)cursor;
    if (!self->ended)
        catalog_pg_link_close(&self->pg->reader);
    self->pg->has_cursor = false;
    PQfreemem(self->message);
    arena_free(&self->arena);
    free(self);
}

/* -- rows by id ------------------------------------------------------------------------------- */

/* The form's pointers are to mutable bytes only for the sake of COPY: here nothing is written. */
static bool visit_result(const PGresult *result, struct catalog_pg_form *form, catalog_visit *visit,
                         void *context, struct err *err)
{
    for (int row = 0; row < PQntuples(result); row++) {
        for (int i = 0; i < PQnfields(result); i++)
            form->fields[i] = (struct catalog_pg_field){
                PQgetvalue(result, row, i),
                PQgetisnull(result, row, i) ? -1 : PQgetlength(result, row, i)};
        if (!catalog_pg_form_fill(form, err) || !visit(context, &form->record, err))
            return false;
    }
    return true;
}

/* One statement in a transaction of its own; *rows is to be cleared. */
static bool select_rows(struct catalog_pg *pg, const struct catalog_pg_query *select,
                        PGresult **rows, struct err *err)
{
    enum { SELECT = CATALOG_PG_BEGIN_COUNT, END, COUNT };
    struct catalog_pg_query queries[COUNT] = {[END].sql = "ROLLBACK"};
    CATALOG_PG_REPLY reply = {.count = 0};
    catalog_pg_link_begin(pg->config, CATALOG_PG_READ_ONLY, CATALOG_STATEMENT_MS, queries);
    queries[SELECT] = *select;
    queries[SELECT].binary = true;
    if (!catalog_pg_link_batch(&pg->writer, queries, COUNT, &reply, err))
        return false;
    *rows = reply.results[SELECT];
    reply.results[SELECT] = NULL;
    return true;
}

static bool visit_rows(struct catalog_pg *pg, PGresult *rows, struct arena *scratch,
                       catalog_visit *visit, void *context, struct err *err)
{
    struct catalog_pg_form form;
    catalog_pg_form_init(&form, pg->config, pg->writer.table, scratch);
    bool ok = visit_result(rows, &form, visit, context, err);
    PQclear(rows);
    return ok;
}

static bool fetch_some(struct catalog_pg *pg, const char *const *ids, size_t count,
                       struct arena *scratch, PGresult **rows, struct err *err)
{
    struct buf array;
    size_t kept;
    if (!catalog_pg_table_ensure(&pg->writer, err))
        return false;
    const struct catalog_pg_table *table = pg->writer.table;
    ids = catalog_pg_table_ids(table, ids, count, sizeof *ids, scratch, &kept);
    catalog_pg_query_array(&array, ids, kept, sizeof *ids);
    struct catalog_pg_query select = {.sql =
                                          str_format(scratch, "SELECT %s FROM %s AS t WHERE %s",
                                                     table->select, table->quoted, table->has_id)};
    catalog_pg_query_texts(&select, &array);
    bool ok = buf_check(&array, "the list of ids", err) && select_rows(pg, &select, rows, err);
    buf_free(&array);
    return ok;
}

static bool fetch_all(struct catalog_pg *pg, const char *const *ids, size_t count,
                      catalog_visit *visit, void *context, struct arena *scratch, struct err *err)
{
    for (size_t done = 0; done < count; done += FETCH_IDS_MAX) {
        size_t some = count - done < FETCH_IDS_MAX ? count - done : FETCH_IDS_MAX;
        struct arena_mark mark = arena_mark(scratch);
        PGresult *rows;
        if (!fetch_some(pg, ids + done, some, scratch, &rows, err))
            return err_wrap(err, "reading rows of the catalog");
        if (!visit_rows(pg, rows, scratch, visit, context, err))
            return false;
        arena_back(scratch, mark);
    }
    return true;
}

bool catalog_pg_fetch(struct catalog *catalog, const char *const *ids, size_t count,
                      catalog_visit *visit, void *context, struct err *err)
{
    struct catalog_pg *pg = pg_of(catalog);
    struct arena scratch;
    arena_init(&scratch, FETCH_BYTES_MAX);
    pthread_mutex_lock(&pg->mutex);
    bool ok = fetch_all(pg, ids, count, visit, context, &scratch, err);
    pthread_mutex_unlock(&pg->mutex);
    arena_free(&scratch);
    return ok;
}

/* -- rows of a unit ---------------------------------------------------------------------------- */

static bool select_below(struct catalog_pg *pg, const char *url, size_t limit,
                         struct arena *scratch, PGresult **rows, struct err *err)
{
    if (!catalog_pg_table_ensure(&pg->writer, err))
        return false;
    const struct catalog_pg_table *table = pg->writer.table;
    struct catalog_pg_query select = {
        .sql = str_format(scratch, "SELECT %s FROM %s AS t WHERE %s LIMIT $3::int8", table->select,
                          table->quoted, table->below)};
    catalog_pg_query_text(&select, url);
    catalog_pg_query_text(&select, catalog_tally_bound(url, scratch));
    catalog_pg_query_number(&select, (int64_t)limit);
    return select_rows(pg, &select, rows, err);
}

bool catalog_pg_below(struct catalog *catalog, const char *url, size_t limit, catalog_visit *visit,
                      void *context, struct err *err)
{
    struct catalog_pg *pg = pg_of(catalog);
    struct arena scratch;
    PGresult *rows;
    arena_init(&scratch, FETCH_BYTES_MAX);
    pthread_mutex_lock(&pg->mutex);
    bool ok = select_below(pg, url, limit, &scratch, &rows, err) ||
              err_wrap(err, "reading rows of the catalog");
    ok = ok && visit_rows(pg, rows, &scratch, visit, context, err);
    pthread_mutex_unlock(&pg->mutex);
    arena_free(&scratch);
    return ok;
}

/* -- rows of other tables ---------------------------------------------------------------------- */

/* What is asked: each URL of each reference, as one sequence, so that one batch holds many. */
struct asking {
    struct catalog_pg *pg;
    const char *const *urls;
    size_t count;
    struct arena *scratch;
};

static void query_reference(const struct asking *asking, size_t index,
                            struct catalog_pg_query *query)
{
    const struct catalog_pg_table *table =
        &asking->pg->writer.table->references[index / asking->count];
    const char *url = asking->urls[index % asking->count];
    *query = (struct catalog_pg_query){.sql = str_format(asking->scratch,
                                                         "SELECT 1 FROM %s AS t WHERE %s LIMIT 1",
                                                         table->quoted, table->below)};
    catalog_pg_query_text(query, url);
    catalog_pg_query_text(query, catalog_tally_bound(url, asking->scratch));
}

/* Those from `first` on that fit into one batch; *next is behind them. */
static bool ask_some(const struct asking *asking, size_t first, size_t end, size_t *next,
                     const struct catalog_reference **found, struct err *err)
{
    enum { SELECTS_MAX = CATALOG_PG_BATCH_MAX - CATALOG_PG_BEGIN_COUNT - 1 };
    struct catalog_pg_link *link = &asking->pg->writer;
    struct catalog_pg_query queries[CATALOG_PG_BATCH_MAX];
    struct catalog_pg_query *query = queries + CATALOG_PG_BEGIN_COUNT;
    CATALOG_PG_REPLY reply = {.count = 0};
    *next = end - first < SELECTS_MAX ? end : first + SELECTS_MAX;
    catalog_pg_link_begin(link->config, CATALOG_PG_READ_ONLY, CATALOG_STATEMENT_MS, queries);
    for (size_t i = first; i < *next; i++)
        query_reference(asking, i, query++);
    *query++ = (struct catalog_pg_query){.sql = "ROLLBACK"};
    if (!catalog_pg_link_batch(link, queries, (size_t)(query - queries), &reply, err) ||
        !catalog_pg_link_is_primary(link, &reply, err))
        return false;
    for (size_t i = first; i < *next; i++)
        if (PQntuples(reply.results[CATALOG_PG_BEGIN_COUNT + i - first]) > 0)
            *found = &link->config->references[i / asking->count];
    return true;
}

static bool ask_all(const struct asking *asking, const struct catalog_reference **found,
                    struct err *err)
{
    struct catalog_pg_link *link = &asking->pg->writer;
    size_t end = link->config->reference_count * asking->count;
    *found = NULL;
    for (size_t next = 0; next < end && *found == NULL;)
        if (!catalog_pg_table_refer(link, err) || !ask_some(asking, next, end, &next, found, err))
            return false;
    return true;
}

bool catalog_pg_referenced(struct catalog *catalog, const char *const *urls, size_t count,
                           const struct catalog_reference **found, struct err *err)
{
    struct catalog_pg *pg = pg_of(catalog);
    struct arena scratch;
    struct asking asking = {pg, urls, count, &scratch};
    arena_init(&scratch, FETCH_BYTES_MAX);
    pthread_mutex_lock(&pg->mutex);
    bool ok = ask_all(&asking, found, err);
    pthread_mutex_unlock(&pg->mutex);
    arena_free(&scratch);
    return ok;
}
