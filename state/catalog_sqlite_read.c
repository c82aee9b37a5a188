#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/when.h"
#include "state/catalog_sqlite.h"
#include "state/catalog_sqlite_table.h"
#include "state/catalog_tally.h"
#include "state/catalog_value.h"

#define CURSOR_BYTES_MAX ((size_t)4 << 20)
#define DATE_BYTES 10
#define SORT_KIB "8192" /* what is sorted in memory; more goes to a file, and is merged */

/* How the columns of a statement become a record. */
struct form {
    const struct catalog_config *config;
    const struct zone *zone;
    struct catalog_sqlite_table table;
    struct value *values;
    struct record record;
};

struct sqlite_cursor {
    struct catalog_sqlite *catalog;
    struct arena arena;
    struct form form;
    sqlite3_stmt *statement;
    bool ended;
};

/* -- values ------------------------------------------------------------------------------------
 * Any column may hold values of any type.  What is not of the kind that the column is declared as
 * is unknown, and stays VALUE_NULL. */

static void read_text(sqlite3_stmt *statement, int column, struct value *value)
{
    if (sqlite3_column_type(statement, column) == SQLITE_BLOB)
        return;
    const char *bytes = (const char *)sqlite3_column_text(statement, column);
    size_t size = (size_t)sqlite3_column_bytes(statement, column);
    if (!str_is_utf8(bytes, size))
        return;
    value->kind = VALUE_TEXT;
    value->text.bytes = bytes;
    value->text.size_bytes = (uint32_t)size;
}

static void read_integer(sqlite3_stmt *statement, int column, struct value *value)
{
    if (sqlite3_column_type(statement, column) != SQLITE_INTEGER)
        return;
    value->kind = VALUE_INTEGER;
    value->integer = sqlite3_column_int64(statement, column);
}

static void read_decimal(sqlite3_stmt *statement, int column, struct value *value)
{
    int type = sqlite3_column_type(statement, column);
    if (type == SQLITE_INTEGER)
        *value = catalog_value_decimal(sqlite3_column_int64(statement, column), 0);
    else if (type == SQLITE_FLOAT)
        *value = catalog_value_double(sqlite3_column_double(statement, column));
}

static void read_boolean(sqlite3_stmt *statement, int column, struct value *value)
{
    int type = sqlite3_column_type(statement, column);
    const char *text = (const char *)sqlite3_column_text(statement, column);
    bool is_true = str_equal(text, "1") || (type == SQLITE_TEXT && !sqlite3_stricmp(text, "true"));
    bool is_false =
        str_equal(text, "0") || (type == SQLITE_TEXT && !sqlite3_stricmp(text, "false"));
    if (is_true || is_false)
        *value = (struct value){.kind = VALUE_BOOLEAN, .boolean = is_true};
}

static bool read_shown(const char *text, size_t size, int64_t *shown_us)
{
    struct err ignored;
    struct when_civil civil = {0};
    bool ok = size == DATE_BYTES ? when_date_read(text, &civil.date, &ignored)
                                 : when_civil_read(text, &civil, &ignored);
    if (ok)
        *shown_us = when_instant(civil);
    return ok;
}

/* An ISO text with an offset or Z, one without (in the column's zone), or Unix seconds. */
static void read_instant(sqlite3_stmt *statement, int column, const struct zone *zone,
                         struct value *value)
{
    struct err ignored;
    int64_t instant_us;
    int type = sqlite3_column_type(statement, column);
    if (type == SQLITE_INTEGER) {
        if (!__builtin_mul_overflow(sqlite3_column_int64(statement, column), WHEN_SECOND_US,
                                    &instant_us))
            *value = catalog_value_instant(VALUE_INSTANT, instant_us);
        return;
    }
    if (type != SQLITE_TEXT)
        return;
    const char *text = (const char *)sqlite3_column_text(statement, column);
    size_t size = (size_t)sqlite3_column_bytes(statement, column);
    if (size > DATE_BYTES && strpbrk(text + DATE_BYTES, "+-Zz") != NULL) {
        if (when_instant_read(text, &instant_us, &ignored))
            *value = catalog_value_instant(VALUE_INSTANT, instant_us);
    } else if (read_shown(text, size, &instant_us)) {
        *value = catalog_value_instant(VALUE_INSTANT, catalog_value_naive(instant_us, zone));
    }
}

static void read_date(sqlite3_stmt *statement, int column, struct value *value)
{
    int64_t shown_us;
    size_t size = (size_t)sqlite3_column_bytes(statement, column);
    if (sqlite3_column_type(statement, column) == SQLITE_TEXT && size == DATE_BYTES &&
        read_shown((const char *)sqlite3_column_text(statement, column), size, &shown_us))
        *value = (struct value){.kind = VALUE_DATE, .instant_us = shown_us};
}

static void read_value(sqlite3_stmt *statement, int column, enum value_kind kind,
                       const struct zone *zone, struct value *value)
{
    *value = (struct value){.kind = VALUE_NULL};
    if (sqlite3_column_type(statement, column) == SQLITE_NULL)
        return;
    if (kind == VALUE_TEXT)
        read_text(statement, column, value);
    else if (kind == VALUE_INTEGER)
        read_integer(statement, column, value);
    else if (kind == VALUE_DECIMAL)
        read_decimal(statement, column, value);
    else if (kind == VALUE_BOOLEAN)
        read_boolean(statement, column, value);
    else if (kind == VALUE_INSTANT)
        read_instant(statement, column, zone, value);
    else if (kind == VALUE_DATE)
        read_date(statement, column, value);
}

/* -- records ----------------------------------------------------------------------------------- */

static bool form_find(struct form *form, sqlite3 *db, const struct catalog_config *config,
                      struct arena *arena, struct err *err)
{
    *form = (struct form){.config = config, .zone = catalog_value_zone(config->time_zone)};
    if (!catalog_sqlite_table_find(db, config, arena, &form->table, err))
        return false;
    size_t first_field = (config->time != NULL) + (config->size != NULL);
    form->values = arena_make(arena, (form->table.value_count + 1) * sizeof *form->values);
    form->record.fields = form->values + first_field;
    form->record.field_count = config->field_count;
    return true;
}

/* A text that is not what it seems: a NUL in it would hide what follows. */
static bool take_name(sqlite3_stmt *statement, int column, const char **name, struct err *err)
{
    *name = (const char *)sqlite3_column_text(statement, column);
    size_t size = (size_t)sqlite3_column_bytes(statement, column);
    if (*name == NULL || strlen(*name) == size)
        return true;
    return ERR(err, ERR_CORRUPT, "the %s `%s` has a NUL in it", column == 0 ? "id" : "location",
               *name);
}

static bool form_fill(struct form *form, sqlite3_stmt *statement, struct err *err)
{
    const char *location;
    struct record *record = &form->record;
    if (!take_name(statement, 0, &record->id, err) || !take_name(statement, 1, &location, err))
        return false;
    if (record->id == NULL || !str_is_utf8(record->id, strlen(record->id)))
        return ERR(err, ERR_CORRUPT, "the catalog has a row whose id is NULL or not UTF-8");
    catalog_value_set_location(record, location);

    struct value *next = form->values;
    for (size_t i = 0; i < form->table.value_count; i++)
        read_value(statement, (int)i + 2, form->table.values[i].kind, form->zone, &next[i]);
    if (form->config->time != NULL)
        catalog_value_set_time(record, next++, form->zone);
    if (form->config->size != NULL)
        catalog_value_set_size(record, next, form->config->size_unit);
    return true;
}

/* -- the snapshot and its cursors -------------------------------------------------------------- */

/* Up to and with the last '/', or all of it. */
static size_t directory_bytes(const char *location, size_t size)
{
    const char *slash = memrchr(location, '/', size);
    return slash != NULL ? (size_t)(slash - location) + 1 : size;
}

static int compare_bytes(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
    int order = memcmp(a, b, a_bytes < b_bytes ? a_bytes : b_bytes);
    return order != 0 ? order : (a_bytes > b_bytes) - (a_bytes < b_bytes);
}

/* The collation of locations: by directory, then by all of it.  To sort by an expression would
 * write each location to the temporary file once more. */
static int compare_locations(void *context, int a_bytes, const void *a, int b_bytes, const void *b)
{
    (void)context;
    size_t a_size = (size_t)a_bytes, b_size = (size_t)b_bytes;
    int order = compare_bytes(a, directory_bytes(a, a_size), b, directory_bytes(b, b_size));
    return order != 0 ? order : compare_bytes(a, a_size, b, b_size);
}

static bool begin_snapshot(sqlite3 *reader, struct err *err)
{
    int64_t ignored;
    if (sqlite3_create_collation(reader, "directory", SQLITE_UTF8, NULL, compare_locations) !=
        SQLITE_OK)
        return sql_error(reader, err);
    return sql_run(reader, "PRAGMA query_only = ON; PRAGMA cache_size = -" SORT_KIB "; BEGIN",
                   err) &&
           sql_number(reader, "SELECT count(*) FROM sqlite_schema", &ignored, err);
}

bool catalog_sqlite_snapshot(struct catalog *catalog, struct err *err)
{
    struct catalog_sqlite *self = (struct catalog_sqlite *)catalog;
    if (self->reader != NULL)
        return ERR(err, ERR_INTERNAL, "the catalog has a snapshot already");
    if (!catalog_sqlite_connect(self, &self->reader, err))
        return false;
    if (begin_snapshot(self->reader, err))
        return true;
    catalog_sqlite_snapshot_end(catalog);
    return err_wrap(err, "reading the catalog");
}

void catalog_sqlite_snapshot_end(struct catalog *catalog)
{
    struct catalog_sqlite *self = (struct catalog_sqlite *)catalog;
    sqlite3_close(self->reader);
    self->reader = NULL;
}

static bool start_cursor(struct sqlite_cursor *cursor, struct err *err)
{
    sqlite3 *db = cursor->catalog->reader;
    if (!form_find(&cursor->form, db, cursor->catalog->config, &cursor->arena, err))
        return false;
    const struct catalog_sqlite_table *table = &cursor->form.table;
    return sql_prepare(db,
                       str_format(&cursor->arena,
                                  "SELECT %s FROM %s"
                                  " ORDER BY 2 COLLATE %s, 1 COLLATE BINARY",
                                  table->select, table->quoted,
                                  cursor->catalog->config->by_object ? "BINARY" : "directory"),
                       &cursor->statement, err);
}

bool catalog_sqlite_cursor_open(struct catalog *catalog, struct catalog_cursor **cursor,
                                struct err *err)
{
    struct catalog_sqlite *self = (struct catalog_sqlite *)catalog;
    if (self->reader == NULL || self->has_cursor)
        return ERR(err, ERR_INTERNAL, "a cursor needs a snapshot to itself");
    struct sqlite_cursor *made = malloc(sizeof *made);
    if (made == NULL)
        err_abort("out of memory");
    *made = (struct sqlite_cursor){.catalog = self};
    arena_init(&made->arena, CURSOR_BYTES_MAX);
    self->has_cursor = true;
    if (!start_cursor(made, err)) {
        catalog_sqlite_cursor_close((struct catalog_cursor *)made);
        return err_wrap(err, "reading the catalog");
    }
    *cursor = (struct catalog_cursor *)made;
    return true;
}

bool catalog_sqlite_cursor_next(struct catalog_cursor *cursor, const struct record **record,
                                struct err *err)
{
    struct sqlite_cursor *self = (struct sqlite_cursor *)cursor;
    bool row = false;
    *record = NULL;
    if (self->ended)
        return true;
    if (!sql_step(self->statement, &row, err) ||
        (row && !form_fill(&self->form, self->statement, err)))
        return err_wrap(err, "reading the catalog");
    self->ended = !row;
    if (row)
        *record = &self->form.record;
    return true;
}

void catalog_sqlite_cursor_close(struct catalog_cursor *cursor)
{
    struct sqlite_cursor *self = (struct sqlite_cursor *)cursor;
    sqlite3_finalize(self->statement);
    self->catalog->has_cursor = false;
    arena_free(&self->arena);
    free(self);
}

/* -- rows by id -------------------------------------------------------------------------------- */

static bool visit_rows(struct form *form, sqlite3_stmt *statement, catalog_visit *visit,
                       void *context, struct err *err)
{
    for (bool row = true;;) {
        if (!sql_step(statement, &row, err))
            return err_wrap(err, "reading rows of the catalog");
        if (!row)
            return true;
        if (!form_fill(form, statement, err) || !visit(context, &form->record, err))
            return false;
    }
}

static bool visit_id(struct form *form, sqlite3_stmt *statement, const char *id,
                     catalog_visit *visit, void *context, struct err *err)
{
    struct sql parameters = sql_parameters(statement);
    sql_put_text(&parameters, id);
    return visit_rows(form, statement, visit, context, err);
}

bool catalog_sqlite_fetch(struct catalog_sqlite *self, const char *const *ids, size_t count,
                          catalog_visit *visit, void *context, struct err *err)
{
    struct form form;
    struct arena scratch;
    sqlite3_stmt *statement = NULL;
    arena_init(&scratch, CURSOR_BYTES_MAX);
    bool ok = form_find(&form, self->writer, self->config, &scratch, err) &&
              sql_prepare(self->writer,
                          str_format(&scratch, "SELECT %s FROM %s WHERE %s", form.table.select,
                                     form.table.quoted, form.table.has_id),
                          &statement, err);
    for (size_t i = 0; i < count && ok; i++)
        ok = visit_id(&form, statement, ids[i], visit, context, err);
    sqlite3_finalize(statement);
    arena_free(&scratch);
    return ok;
}

/* -- rows of a unit ---------------------------------------------------------------------------- */

bool catalog_sqlite_below(struct catalog_sqlite *self, const char *url, size_t limit,
                          catalog_visit *visit, void *context, struct err *err)
{
    struct form form;
    struct arena scratch;
    sqlite3_stmt *statement = NULL;
    arena_init(&scratch, CURSOR_BYTES_MAX);
    bool ok = form_find(&form, self->writer, self->config, &scratch, err) &&
              sql_prepare(self->writer,
                          str_format(&scratch, "SELECT %s FROM %s WHERE %s LIMIT ?3",
                                     form.table.select, form.table.quoted, form.table.below),
                          &statement, err);
    if (ok) {
        struct sql parameters = sql_parameters(statement);
        sql_put_text(&parameters, url);
        sql_put_text(&parameters, catalog_tally_bound(url, &scratch));
        sql_put_integer(&parameters, (int64_t)limit);
        ok = visit_rows(&form, statement, visit, context, err);
    }
    sqlite3_finalize(statement);
    arena_free(&scratch);
    return ok;
}

/* -- rows of other tables ---------------------------------------------------------------------- */

static bool has_any(sqlite3_stmt *statement, const char *const *urls, size_t count,
                    struct arena *scratch, bool *has, struct err *err)
{
    *has = false;
    for (size_t i = 0; i < count && !*has; i++) {
        struct sql parameters = sql_parameters(statement);
        sql_put_text(&parameters, urls[i]);
        sql_put_text(&parameters, catalog_tally_bound(urls[i], scratch));
        if (!sql_step(statement, has, err))
            return false;
    }
    return true;
}

static bool refers(struct catalog_sqlite *self, size_t reference, const char *const *urls,
                   size_t count, bool *does, struct err *err)
{
    struct catalog_sqlite_table table;
    struct catalog_flaws flaws;
    struct arena scratch;
    sqlite3_stmt *statement = NULL;
    arena_init(&scratch, CURSOR_BYTES_MAX);
    catalog_flaw_init(&flaws, self->config, &scratch);
    bool ok = catalog_sqlite_table_refer(self->writer, &flaws, reference, &table, err) &&
              catalog_flaw_none(&flaws, err) &&
              sql_prepare(self->writer,
                          str_format(&scratch, "SELECT 1 FROM %s WHERE %s LIMIT 1", table.quoted,
                                     table.below),
                          &statement, err) &&
              has_any(statement, urls, count, &scratch, does, err);
    sqlite3_finalize(statement);
    arena_free(&scratch);
    return ok;
}

bool catalog_sqlite_referenced(struct catalog_sqlite *self, const char *const *urls, size_t count,
                               const struct catalog_reference **found, struct err *err)
{
    const struct catalog_config *config = self->config;
    *found = NULL;
    for (size_t i = 0; i < config->reference_count && *found == NULL; i++) {
        bool does;
        if (!refers(self, i, urls, count, &does, err))
            return err_wrap(err, "references");
        if (does)
            *found = &config->references[i];
    }
    return true;
}
