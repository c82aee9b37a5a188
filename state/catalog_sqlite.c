#include "state/catalog_sqlite.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/str.h"
#include "base/url.h"
#include "state/catalog_sqlite_table.h"
#include "state/catalog_tally.h"

#define PATH_BYTES_MAX ((size_t)64 << 10)
#define IDENTITY_BYTES_MAX ((size_t)16 << 10)
#define SCRATCH_BYTES_MAX ((size_t)1 << 30)

static struct catalog_sqlite *sqlite_of(struct catalog *catalog)
{
    return (struct catalog_sqlite *)catalog;
}

/* -- connections ------------------------------------------------------------------------------- */

/* A text in double quotes is a name, never a value; a commit is on the disk when it returns. */
static bool set_up(sqlite3 *db, const struct catalog_config *config, struct err *err)
{
    uint32_t wait_ms = config->lock_wait_ms != 0 ? config->lock_wait_ms : CATALOG_LOCK_WAIT_MS;
    int64_t in_utf8;
    sqlite3_busy_timeout(db, (int)wait_ms);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    if (!sql_run(db, "PRAGMA synchronous = FULL", err) ||
        !sql_number(db, "SELECT encoding = 'UTF-8' FROM pragma_encoding", &in_utf8, err))
        return false;
    return in_utf8 != 0 || ERR(err, ERR_INPUT, "the database is in UTF-16, not in UTF-8");
}

bool catalog_sqlite_connect(const struct catalog_sqlite *self, sqlite3 **db, struct err *err)
{
    if (!sql_open(self->path, SQLITE_OPEN_READWRITE, db, err))
        return err_wrap(err, "connecting to the catalog");
    if (set_up(*db, self->config, err))
        return true;
    sqlite3_close(*db);
    *db = NULL;
    return err_wrap(err, "connecting to the catalog %s", self->path);
}

static void rollback(sqlite3 *db)
{
    if (db != NULL && !sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}

/* Every operation but those of the snapshot is one transaction of the writer. */
static bool begin(struct catalog_sqlite *self, const char *how, struct err *err)
{
    pthread_mutex_lock(&self->mutex);
    return (self->writer != NULL || catalog_sqlite_connect(self, &self->writer, err)) &&
           sql_run(self->writer, how, err);
}

static void end(struct catalog_sqlite *self)
{
    rollback(self->writer);
    pthread_mutex_unlock(&self->mutex);
}

/* -- describing -------------------------------------------------------------------------------- */

static const char *identity_of(const char *path, const char *table, struct arena *arena)
{
    struct buf text;
    buf_init(&text, IDENTITY_BYTES_MAX);
    buf_text(&text, "sqlite://");
    url_encode(&text, path, strlen(path), URL_PATH);
    buf_char(&text, '#');
    url_encode(&text, table, strlen(table), URL_COMPONENT);
    const char *identity = arena_copy(arena, buf_string(&text));
    buf_free(&text);
    return identity;
}

static bool describe(struct catalog_sqlite *self, struct arena *arena, struct catalog_shape *shape,
                     struct err *err)
{
    const struct catalog_config *config = self->config;
    struct catalog_sqlite_table table;
    struct catalog_flaws flaws;
    catalog_flaw_init(&flaws, config, arena);
    if (!catalog_sqlite_table_look(self->writer, &flaws, &table, err))
        return false;
    for (size_t i = 0; i < config->reference_count; i++) {
        struct catalog_sqlite_table other;
        if (!catalog_sqlite_table_refer(self->writer, &flaws, i, &other, err))
            return err_wrap(err, "references");
    }
    *shape = (struct catalog_shape){
        .flaws = flaws.items,
        .flaw_count = flaws.count,
        .fields = arena_make(arena, (config->field_count + 1) * sizeof *shape->fields),
        .location_indexed = table.location_indexed,
        .index_statement = table.index_statement,
    };
    if (flaws.count == 0)
        shape->identity = identity_of(self->path, table.name, arena);
    const struct catalog_sqlite_column *next = table.values;
    if (config->time != NULL) {
        shape->time = next->kind;
        shape->time_is_naive = next->naive || next->kind == VALUE_DATE;
        next++;
    }
    if (config->size != NULL)
        shape->size = next++->kind;
    for (size_t i = 0; i < config->field_count; i++)
        shape->fields[i] = next++->kind;
    return true;
}

static bool sqlite_describe(struct catalog *catalog, struct arena *arena,
                            struct catalog_shape *shape, struct err *err)
{
    struct catalog_sqlite *self = sqlite_of(catalog);
    bool ok = begin(self, "BEGIN", err) && describe(self, arena, shape, err);
    end(self);
    return ok;
}

/* The rollback journal stands beside the file. */
static void find_obstacle(const struct catalog_sqlite *self, struct arena *arena,
                          struct catalog_health *health)
{
    const char *slash = strrchr(self->path, '/');
    const char *folder =
        slash == self->path ? "/" : str_copy(arena, self->path, (size_t)(slash - self->path));
    if (sqlite3_db_readonly(self->writer, "main") == 1)
        health->no_write = str_format(arena, "the file %s may not be written", self->path);
    else if (access(folder, W_OK | X_OK) != 0)
        health->no_write = str_format(
            arena, "the folder %s may not be written, where SQLite keeps a journal", folder);
    health->mend_write = "let this user write the file and the folder that it is in";
}

static bool examine(struct catalog_sqlite *self, struct arena *arena, struct catalog_health *health,
                    struct err *err)
{
    struct catalog_sqlite_table table;
    struct catalog_flaws flaws;
    int64_t rows = 0;
    *health = (struct catalog_health){
        .server = str_format(arena, "SQLite %s in %s", sqlite3_libversion(), self->path)};
    catalog_flaw_init(&flaws, self->config, arena);
    if (!catalog_sqlite_table_look(self->writer, &flaws, &table, err))
        return false;
    if (flaws.count > 0)
        return true;
    find_obstacle(self, arena, health);
    const char *count = str_format(arena, "SELECT count(*) FROM (SELECT 1 FROM %s LIMIT %d)",
                                   table.quoted, CATALOG_COUNTED_MAX + 1);
    bool ok = sql_number(self->writer, count, &rows, err);
    health->rows = (uint64_t)rows;
    return ok;
}

static bool sqlite_examine(struct catalog *catalog, struct arena *arena,
                           struct catalog_health *health, struct err *err)
{
    struct catalog_sqlite *self = sqlite_of(catalog);
    bool ok = begin(self, "BEGIN", err) && examine(self, arena, health, err);
    end(self);
    return ok;
}

static bool sqlite_fetch(struct catalog *catalog, const char *const *ids, size_t count,
                         catalog_visit *visit, void *context, struct err *err)
{
    struct catalog_sqlite *self = sqlite_of(catalog);
    bool ok =
        begin(self, "BEGIN", err) && catalog_sqlite_fetch(self, ids, count, visit, context, err);
    end(self);
    return ok;
}

static bool sqlite_below(struct catalog *catalog, const char *url, size_t limit,
                         catalog_visit *visit, void *context, struct err *err)
{
    struct catalog_sqlite *self = sqlite_of(catalog);
    bool ok =
        begin(self, "BEGIN", err) && catalog_sqlite_below(self, url, limit, visit, context, err);
    end(self);
    return ok;
}

static bool sqlite_referenced(struct catalog *catalog, const char *const *urls, size_t count,
                              const struct catalog_reference **found, struct err *err)
{
    struct catalog_sqlite *self = sqlite_of(catalog);
    bool ok = begin(self, "BEGIN", err) && catalog_sqlite_referenced(self, urls, count, found, err);
    end(self);
    return ok;
}

/* -- the rows of a cut ------------------------------------------------------------------------- */

/* One call on one cut: everything in scratch goes when it is over. */
struct work {
    sqlite3 *db;
    const struct catalog_config *config;
    const struct catalog_cut *cut;
    struct arena *scratch;
    struct catalog_sqlite_table table;
    struct catalog_tally tally;
};

static bool tally_below(struct work *work, struct err *err)
{
    const struct catalog_sqlite_table *table = &work->table;
    sqlite3_stmt *statement;
    bool row, ok;
    if (!sql_prepare(
            work->db,
            str_format(work->scratch, "SELECT CAST(%s AS TEXT), %s FROM %s WHERE %s LIMIT ?3",
                       table->id.quoted, table->location.quoted, table->quoted, table->below),
            &statement, err))
        return false;
    struct sql parameters = sql_parameters(statement);
    sql_put_text(&parameters, work->cut->source);
    sql_put_text(&parameters, catalog_tally_bound(work->cut->source, work->scratch));
    sql_put_integer(&parameters, catalog_tally_limit(work->cut));
    while ((ok = sql_step(statement, &row, err)) && row) {
        struct sql columns = sql_columns(statement);
        const char *id = sql_take_borrowed(&columns);
        catalog_tally_below(&work->tally, id != NULL ? id : "", sql_take_borrowed(&columns));
    }
    sqlite3_finalize(statement);
    return ok;
}

static bool tally_ids(struct work *work, struct err *err)
{
    sqlite3_stmt *statement;
    bool ok = true;
    if (!sql_prepare(work->db,
                     str_format(work->scratch, "SELECT %s FROM %s WHERE %s",
                                work->table.location.quoted, work->table.quoted,
                                work->table.has_id),
                     &statement, err))
        return false;
    for (size_t i = 0; i < work->cut->count && ok; i++) {
        const char *id = work->cut->rows[i].id;
        struct sql parameters = sql_parameters(statement);
        sql_put_text(&parameters, id);
        for (bool row = true; (ok = sql_step(statement, &row, err)) && row;)
            catalog_tally_row(&work->tally, id, sql_take_borrowed(&(struct sql){statement, 0}));
    }
    sqlite3_finalize(statement);
    return ok;
}

/* ERR_CONFLICT: what SQLite calls a constraint is a trigger or a key of somebody else's. */
static bool fail_update(struct err *err)
{
    if ((err->status & 0xff) == SQLITE_CONSTRAINT)
        err->kind = ERR_CONFLICT;
    return false;
}

/* ", "column" = ?4, ..": a parameter for each set, behind those of the row. */
static const char *join_sets(const struct work *work)
{
    const char *sets = "";
    for (size_t i = 0; i < work->cut->set_count; i++) {
        size_t known = catalog_set_index(work->config, work->cut->sets[i].column);
        sets =
            str_format(work->scratch, "%s, %s = ?%zu", sets, work->table.sets[known].quoted, i + 4);
    }
    return sets;
}

static bool update_rows(struct work *work, bool *all, struct err *err)
{
    const struct catalog_sqlite_table *table = &work->table;
    sqlite3_stmt *statement;
    bool ok = true;
    *all = true;
    if (!sql_prepare(work->db,
                     str_format(work->scratch,
                                "UPDATE %s SET %s = ?2%s WHERE %s AND %s COLLATE BINARY = ?3",
                                table->quoted, table->location.quoted, join_sets(work),
                                table->has_id, table->location.quoted),
                     &statement, err))
        return false;
    for (size_t i = 0; i < work->cut->count && ok && *all; i++) {
        struct sql parameters = sql_parameters(statement);
        sql_put_text(&parameters, work->cut->rows[i].id);
        sql_put_text(&parameters, work->cut->rows[i].new_location);
        sql_put_text(&parameters, work->cut->rows[i].old_location);
        for (size_t k = 0; k < work->cut->set_count; k++)
            sql_put_text(&parameters, work->cut->sets[k].value);
        ok = sql_finish(statement, err) || fail_update(err);
        *all = sqlite3_changes(work->db) == 1;
    }
    sqlite3_finalize(statement);
    return ok;
}

/* A COMMIT that failed and left its transaction open did nothing, if that can be rolled back.  One
 * that failed and ended it may have reached the disk. */
static bool commit(struct work *work, enum catalog_outcome *outcome, struct err *err)
{
    *outcome = CATALOG_UNKNOWN;
    if (sql_run(work->db, "COMMIT", err)) {
        *outcome = CATALOG_CUT;
        return true;
    }
    return sqlite3_get_autocommit(work->db) ||
           sqlite3_exec(work->db, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK;
}

static bool cut_rows(struct work *work, enum catalog_outcome *outcome, struct err *err)
{
    bool all;
    if (!tally_below(work, err))
        return false;
    *outcome = CATALOG_CHANGED;
    if (!catalog_tally_is_exact(&work->tally))
        return true;
    if (!update_rows(work, &all, err))
        return false;
    return !all || commit(work, outcome, err);
}

static bool work_begin(struct work *work, struct catalog_sqlite *self,
                       const struct catalog_cut *cut, bool lock, struct err *err)
{
    if (!begin(self, lock ? "BEGIN IMMEDIATE" : "BEGIN", err))
        return false;
    work->db = self->writer;
    work->config = self->config;
    work->cut = cut;
    catalog_tally_init(&work->tally, cut, work->scratch);
    return catalog_sqlite_table_find(work->db, self->config, work->scratch, &work->table, err);
}

static bool sqlite_cut_over(struct catalog *catalog, const struct catalog_cut *cut,
                            enum catalog_outcome *outcome, struct err *err)
{
    struct catalog_sqlite *self = sqlite_of(catalog);
    struct arena scratch;
    struct work work = {.scratch = &scratch};
    arena_init(&scratch, SCRATCH_BYTES_MAX);
    bool ok = work_begin(&work, self, cut, true, err) && cut_rows(&work, outcome, err);
    if (ok && *outcome == CATALOG_UNKNOWN) {
        sqlite3_close(self->writer);
        self->writer = NULL;
    }
    end(self);
    arena_free(&scratch);
    return ok;
}

static bool sqlite_look(struct catalog *catalog, const struct catalog_cut *cut, bool lock,
                        struct catalog_sight *sight, struct err *err)
{
    struct catalog_sqlite *self = sqlite_of(catalog);
    struct arena scratch;
    struct work work = {.scratch = &scratch};
    arena_init(&scratch, SCRATCH_BYTES_MAX);
    bool ok =
        work_begin(&work, self, cut, lock, err) && tally_ids(&work, err) && tally_below(&work, err);
    if (ok)
        *sight = catalog_tally_sight(&work.tally);
    end(self);
    arena_free(&scratch);
    return ok;
}

/* -- opening and closing ----------------------------------------------------------------------- */

static void sqlite_close(struct catalog *catalog)
{
    struct catalog_sqlite *self = sqlite_of(catalog);
    sqlite3_close(self->writer);
    sqlite3_close(self->reader);
    pthread_mutex_destroy(&self->mutex);
    arena_free(&self->arena);
    free(self);
}

static const struct catalog_ops SQLITE_OPS = {
    .kind = "sqlite",
    .describe = sqlite_describe,
    .examine = sqlite_examine,
    .snapshot = catalog_sqlite_snapshot,
    .snapshot_end = catalog_sqlite_snapshot_end,
    .cursor_open = catalog_sqlite_cursor_open,
    .cursor_next = catalog_sqlite_cursor_next,
    .cursor_close = catalog_sqlite_cursor_close,
    .cut_over = sqlite_cut_over,
    .look = sqlite_look,
    .fetch = sqlite_fetch,
    .below = sqlite_below,
    .referenced = sqlite_referenced,
    .close = sqlite_close,
};

bool catalog_sqlite_open(const struct catalog_config *config, struct catalog **catalog,
                         struct err *err)
{
    struct catalog_sqlite *self = malloc(sizeof *self);
    if (self == NULL)
        err_abort("out of memory");
    *self = (struct catalog_sqlite){.catalog.ops = &SQLITE_OPS, .config = config};
    arena_init(&self->arena, PATH_BYTES_MAX);
    pthread_mutex_init(&self->mutex, NULL);
    /* The real path is absolute: never ":memory:", never a URI. */
    if (!file_real_path(config->path, &self->arena, &self->path, err) ||
        !catalog_sqlite_connect(self, &self->writer, err)) {
        sqlite_close(&self->catalog);
        return false;
    }
    *catalog = &self->catalog;
    return true;
}
