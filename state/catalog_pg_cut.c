#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "state/catalog_pg.h"
#include "state/catalog_pg_table.h"
#include "state/catalog_tally.h"

#define SCRATCH_BYTES_MAX ((size_t)1 << 30)

/* One call on one cut: everything in scratch goes when it is over. */
struct work {
    struct catalog_pg_link *link;
    const struct catalog_cut *cut;
    struct arena *scratch;
    struct catalog_tally tally;
};

/* $1 <= location < $2, $3: how many rows at most. */
static void query_below(struct work *work, struct catalog_pg_query *query, const char *lock)
{
    const struct catalog_pg_table *table = work->link->table;
    *query = (struct catalog_pg_query){
        .sql = str_format(
            work->scratch, "SELECT t.%s::text, t.%s::text FROM %s AS t WHERE %s LIMIT $3::int8%s",
            table->id.quoted, table->location.quoted, table->quoted, table->below, lock)};
    catalog_pg_query_text(query, work->cut->source);
    catalog_pg_query_text(query, catalog_tally_bound(work->cut->source, work->scratch));
    catalog_pg_query_number(query, catalog_tally_limit(work->cut));
}

static void tally_result(struct catalog_tally *tally, const PGresult *rows,
                         void (*count)(struct catalog_tally *, const char *, const char *))
{
    for (int row = 0; row < PQntuples(rows); row++)
        count(tally, PQgetvalue(rows, row, 0),
              PQgetisnull(rows, row, 1) ? NULL : PQgetvalue(rows, row, 1));
}

/* -- cutting over ------------------------------------------------------------------------------ */

/* FOR UPDATE is refused by a standby, and waits for a transaction that holds a row. */
static bool lock_rows(struct work *work, struct err *err)
{
    enum { SELECT = CATALOG_PG_BEGIN_COUNT, COUNT };
    struct catalog_pg_query queries[COUNT];
    CATALOG_PG_REPLY reply = {.count = 0};
    catalog_pg_link_begin(work->link->config, CATALOG_PG_READ_WRITE, CATALOG_STATEMENT_MS, queries);
    query_below(work, &queries[SELECT], " FOR UPDATE");
    if (!catalog_pg_link_batch(work->link, queries, COUNT, &reply, err))
        return false;
    tally_result(&work->tally, reply.results[SELECT], catalog_tally_below);
    return true;
}

/* ", "column" = $4, ..": a parameter for each set, behind those of the rows. */
static const char *join_sets(const struct work *work, struct catalog_pg_query *query)
{
    const char *sets = "";
    for (size_t i = 0; i < work->cut->set_count; i++) {
        const struct catalog_set *set = &work->cut->sets[i];
        size_t known = catalog_set_index(work->link->config, set->column);
        catalog_pg_query_literal(query, set->value);
        sets = str_format(work->scratch, "%s, %s = $%d", sets,
                          work->link->table->sets[known].quoted, query->param_count);
    }
    return sets;
}

static bool update_rows(struct work *work, uint64_t *updated, struct err *err)
{
    const struct catalog_pg_table *table = work->link->table;
    const struct catalog_row *rows = work->cut->rows;
    size_t count = work->cut->count;
    struct buf arrays[3];
    struct catalog_pg_query query = {.param_count = 0};
    catalog_pg_query_array(&arrays[0], &rows->id, count, sizeof *rows);
    catalog_pg_query_array(&arrays[1], &rows->old_location, count, sizeof *rows);
    catalog_pg_query_array(&arrays[2], &rows->new_location, count, sizeof *rows);
    bool fits = true;
    for (size_t i = 0; i < 3; i++) {
        catalog_pg_query_texts(&query, &arrays[i]);
        fits = fits && buf_check(&arrays[i], "the list of rows to cut over", err);
    }
    query.sql = str_format(work->scratch,
                           "UPDATE %s AS t SET %s = v.new_location%s"
                           " FROM unnest($1::text[], $2::text[], $3::text[])"
                           " AS v(id, old_location, new_location)"
                           " WHERE t.%s = v.id::%s AND t.%s COLLATE \"C\" = v.old_location",
                           table->quoted, table->location.quoted, join_sets(work, &query),
                           table->id.quoted, table->id_type, table->location.quoted);
    CATALOG_PG_REPLY reply = {.count = 0};
    bool ok = fits && catalog_pg_link_batch(work->link, &query, 1, &reply, err);
    for (size_t i = 0; i < 3; i++)
        buf_free(&arrays[i]);
    return ok && (str_to_u64(PQcmdTuples(reply.results[0]), updated) ||
                  ERR(err, ERR_CORRUPT, "the catalog does not say how many rows it changed"));
}

static bool cut_rows(struct work *work, enum catalog_outcome *outcome, struct err *err)
{
    uint64_t updated = 0;
    if (!catalog_pg_table_ensure(work->link, err) || !lock_rows(work, err))
        return false;
    *outcome = CATALOG_CHANGED;
    if (!catalog_tally_is_exact(&work->tally))
        return true;
    if (!update_rows(work, &updated, err))
        return false;
    return updated != work->cut->count || catalog_pg_link_commit(work->link, outcome, err);
}

/* -- looking ----------------------------------------------------------------------------------- */

static bool look_at_rows(struct work *work, bool lock, struct catalog_sight *sight, struct err *err)
{
    enum { BY_ID = CATALOG_PG_BEGIN_COUNT, BELOW, CLOCK, END, COUNT };
    struct catalog_pg_query queries[COUNT] = {
        [CLOCK].sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8",
        [END].sql = "ROLLBACK"};
    if (!catalog_pg_table_ensure(work->link, err))
        return false;
    const struct catalog_pg_table *table = work->link->table;
    const char *locking = lock ? " FOR UPDATE" : "";
    struct buf array;
    size_t kept;
    const struct catalog_row *rows = work->cut->rows; /* NULL if there are none */
    const char **ids = catalog_pg_table_ids(table, rows != NULL ? &rows->id : NULL,
                                            work->cut->count, sizeof *rows, work->scratch, &kept);
    catalog_pg_query_array(&array, ids, kept, sizeof *ids);
    catalog_pg_link_begin(work->link->config, lock ? CATALOG_PG_READ_WRITE : CATALOG_PG_READ_ONLY,
                          CATALOG_STATEMENT_MS, queries);
    queries[BY_ID].sql =
        str_format(work->scratch, "SELECT t.%s::text, t.%s::text FROM %s AS t WHERE %s%s",
                   table->id.quoted, table->location.quoted, table->quoted, table->has_id, locking);
    catalog_pg_query_texts(&queries[BY_ID], &array);
    query_below(work, &queries[BELOW], locking);

    CATALOG_PG_REPLY reply = {.count = 0};
    bool ok = buf_check(&array, "the list of ids", err) &&
              catalog_pg_link_batch(work->link, queries, COUNT, &reply, err) &&
              catalog_pg_link_is_primary(work->link, &reply, err);
    buf_free(&array);
    if (!ok)
        return false;
    tally_result(&work->tally, reply.results[BY_ID], catalog_tally_row);
    tally_result(&work->tally, reply.results[BELOW], catalog_tally_below);
    *sight = catalog_tally_sight(&work->tally);
    return str_to_i64(PQgetvalue(reply.results[CLOCK], 0, 0), &sight->server_us) ||
           ERR(err, ERR_CORRUPT, "the catalog does not say what time it is");
}

/* -- the operations ---------------------------------------------------------------------------- */

static void work_begin(struct work *work, struct catalog_pg *pg, const struct catalog_cut *cut,
                       struct arena *scratch)
{
    arena_init(scratch, SCRATCH_BYTES_MAX);
    *work = (struct work){.link = &pg->writer, .cut = cut, .scratch = scratch};
    catalog_tally_init(&work->tally, cut, scratch);
    pthread_mutex_lock(&pg->mutex);
}

/* No transaction outlives its call. */
static void work_end(struct work *work, struct catalog_pg *pg)
{
    catalog_pg_link_rollback(work->link);
    pthread_mutex_unlock(&pg->mutex);
    arena_free(work->scratch);
}

bool catalog_pg_cut_over(struct catalog *catalog, const struct catalog_cut *cut,
                         enum catalog_outcome *outcome, struct err *err)
{
    struct catalog_pg *pg = (struct catalog_pg *)catalog;
    struct arena scratch;
    struct work work;
    work_begin(&work, pg, cut, &scratch);
    bool ok = cut_rows(&work, outcome, err);
    work_end(&work, pg);
    return ok;
}

bool catalog_pg_look(struct catalog *catalog, const struct catalog_cut *cut, bool lock,
                     struct catalog_sight *sight, struct err *err)
{
    struct catalog_pg *pg = (struct catalog_pg *)catalog;
    struct arena scratch;
    struct work work;
    work_begin(&work, pg, cut, &scratch);
    bool ok = look_at_rows(&work, lock, sight, err);
    work_end(&work, pg);
    return ok;
}
