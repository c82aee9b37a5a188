#include "state/catalog_sqlite_table.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"

/* What the schema says of one column. */
struct schema_column {
    const char *name, *type;
    bool not_null, generated;
    int64_t key; /* its place in the primary key; 0: none */
};

struct finding {
    sqlite3 *db;
    const struct catalog_config *config;
    const char *name; /* of the table, as the policy has it */
    struct arena *arena;
    struct catalog_sqlite_table *table;
    struct schema_column *columns;
    size_t count;
};

static const char *quote(struct arena *arena, const char *name)
{
    char *quoted = sqlite3_mprintf("\"%w\"", name);
    if (quoted == NULL)
        err_abort("out of memory");
    const char *copy = arena_copy(arena, quoted);
    sqlite3_free(quoted);
    return copy;
}

static bool is_same_name(const char *a, const char *b)
{
    return a != NULL && b != NULL && sqlite3_stricmp(a, b) == 0;
}

static bool hint_nearest(struct err *err, const char *name, const char *const *choices)
{
    const char *nearest = str_nearest(name, choices);
    if (nearest != NULL)
        snprintf(err->hint, sizeof err->hint, "did you mean `%s`?", nearest);
    return false;
}

/* -- the table -------------------------------------------------------------------------------- */

static bool prepare_for(sqlite3 *db, const char *sql, const char *name, sqlite3_stmt **statement,
                        struct err *err)
{
    if (!sql_prepare(db, sql, statement, err))
        return false;
    struct sql parameters = sql_parameters(*statement);
    if (name != NULL)
        sql_put_text(&parameters, name);
    return true;
}

static bool fail_table(struct finding *finding, const char *name, struct err *err)
{
    const char *choices[CATALOG_SQLITE_COLUMNS_MAX + 1] = {NULL};
    size_t count = 0;
    sqlite3_stmt *statement;
    bool row = true;
    if (!prepare_for(finding->db, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1",
                     NULL, &statement, err))
        return false;
    while (count < CATALOG_SQLITE_COLUMNS_MAX && sql_step(statement, &row, err) && row)
        choices[count++] = sql_take_text(&(struct sql){statement, 0}, finding->arena);
    sqlite3_finalize(statement);
    ERR(err, ERR_MISSING, "the catalog has no table `%s`", name);
    return hint_nearest(err, name, choices);
}

static bool find_table(struct finding *finding, struct err *err)
{
    const char *name = finding->name;
    if (str_starts(name, "main."))
        name += strlen("main.");
    sqlite3_stmt *statement;
    bool row;
    if (!prepare_for(finding->db,
                     "SELECT name, type FROM sqlite_schema"
                     " WHERE type IN ('table', 'view') AND name = ?1 COLLATE NOCASE",
                     name, &statement, err))
        return false;
    bool ok = sql_step(statement, &row, err);
    if (ok && row) {
        struct sql columns = sql_columns(statement);
        finding->table->name = sql_take_text(&columns, finding->arena);
        finding->table->quoted = quote(finding->arena, finding->table->name);
        if (!str_equal(sql_take_borrowed(&columns), "table"))
            ok = ERR(err, ERR_INPUT, "`%s` is a view, not a table", name);
    } else if (ok) {
        ok = fail_table(finding, name, err);
    }
    sqlite3_finalize(statement);
    return ok;
}

/* -- its columns ------------------------------------------------------------------------------ */

static enum value_kind kind_of(const char *type)
{
    static const struct {
        const char *like;
        enum value_kind kind;
    } kinds[] = {
        {"BOOL%", VALUE_BOOLEAN},     {"%TIMESTAMP%", VALUE_INSTANT}, {"DATETIME%", VALUE_INSTANT},
        {"DATE%", VALUE_DATE},        {"%INT%", VALUE_INTEGER},       {"%CHAR%", VALUE_TEXT},
        {"%CLOB%", VALUE_TEXT},       {"%TEXT%", VALUE_TEXT},         {"%REAL%", VALUE_DECIMAL},
        {"%FLOA%", VALUE_DECIMAL},    {"%DOUB%", VALUE_DECIMAL},      {"%NUMERIC%", VALUE_DECIMAL},
        {"%DECIMAL%", VALUE_DECIMAL},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (sqlite3_strlike(kinds[i].like, type, 0) == 0)
            return kinds[i].kind;
    return VALUE_UNSUPPORTED;
}

static bool names_its_zone(const char *type)
{
    return sqlite3_strlike("%WITH TIME ZONE%", type, 0) == 0 ||
           sqlite3_strlike("%TIMESTAMPTZ%", type, 0) == 0;
}

static bool read_columns(struct finding *finding, struct err *err)
{
    sqlite3_stmt *statement;
    bool row;
    if (!prepare_for(finding->db,
                     "SELECT name, type, \"notnull\", pk, hidden > 1 FROM pragma_table_xinfo(?1)",
                     finding->table->name, &statement, err))
        return false;
    finding->columns =
        arena_make(finding->arena, CATALOG_SQLITE_COLUMNS_MAX * sizeof *finding->columns);
    bool ok;
    while ((ok = sql_step(statement, &row, err)) && row &&
           finding->count < CATALOG_SQLITE_COLUMNS_MAX) {
        struct sql columns = sql_columns(statement);
        struct schema_column *column = &finding->columns[finding->count++];
        column->name = sql_take_text(&columns, finding->arena);
        column->type = sql_take_text(&columns, finding->arena);
        column->not_null = sql_take_integer(&columns) != 0;
        column->key = sql_take_integer(&columns);
        column->generated = sql_take_integer(&columns) != 0;
    }
    sqlite3_finalize(statement);
    return ok;
}

static const struct schema_column *find_schema(const struct finding *finding, const char *name)
{
    for (size_t i = 0; i < finding->count; i++)
        if (is_same_name(finding->columns[i].name, name))
            return &finding->columns[i];
    return NULL;
}

static bool find_column(struct finding *finding, const char *name,
                        struct catalog_sqlite_column *column, struct err *err)
{
    const struct schema_column *schema = find_schema(finding, name);
    if (schema == NULL) {
        const char **choices = arena_make(finding->arena, (finding->count + 1) * sizeof *choices);
        for (size_t i = 0; i < finding->count; i++)
            choices[i] = finding->columns[i].name;
        ERR(err, ERR_MISSING, "the catalog's table `%s` has no column `%s`", finding->name, name);
        return hint_nearest(err, name, choices);
    }
    *column = (struct catalog_sqlite_column){
        .name = schema->name,
        .quoted = quote(finding->arena, schema->name),
        .kind = kind_of(schema->type),
    };
    column->naive = column->kind == VALUE_INSTANT && !names_its_zone(schema->type);
    return true;
}

/* SQLite has no type for instants: a column of texts or of Unix seconds may be the time as well. */
static bool find_time(struct finding *finding, struct catalog_sqlite_column *column,
                      struct err *err)
{
    if (!find_column(finding, finding->config->time, column, err))
        return false;
    if (column->kind == VALUE_TEXT)
        column->naive = true;
    if (column->kind == VALUE_TEXT || column->kind == VALUE_INTEGER)
        column->kind = VALUE_INSTANT;
    return true;
}

static bool find_location(struct finding *finding, const char *name, struct err *err)
{
    struct catalog_sqlite_column *location = &finding->table->location;
    if (!find_column(finding, name, location, err))
        return false;
    return location->kind == VALUE_TEXT ||
           ERR(err, ERR_INPUT, "the location column `%s` is not declared as text", name);
}

static bool find_columns(struct finding *finding, struct err *err)
{
    const struct catalog_config *config = finding->config;
    struct catalog_sqlite_table *table = finding->table;
    if (!find_column(finding, config->id, &table->id, err) ||
        !find_location(finding, config->location, err))
        return false;
    table->values = arena_make(finding->arena, (config->field_count + 2) * sizeof *table->values);
    struct catalog_sqlite_column *next = table->values;
    if (config->time != NULL && !find_time(finding, next++, err))
        return false;
    if (config->size != NULL && !find_column(finding, config->size, next++, err))
        return false;
    for (size_t i = 0; i < config->field_count; i++)
        if (!find_column(finding, config->fields[i].column, next++, err))
            return err_wrap(err, "field `%s`", config->fields[i].name);
    table->value_count = (size_t)(next - table->values);
    return true;
}

/* -- what a cut-over sets ---------------------------------------------------------------------- */

static bool find_set(struct finding *finding, const struct catalog_set *set,
                     struct catalog_sqlite_column *column, struct err *err)
{
    if (!find_column(finding, set->column, column, err))
        return false;
    const struct schema_column *schema = find_schema(finding, set->column);
    if (schema->generated)
        return ERR(err, ERR_INPUT, "the database makes its values itself");
    return set->value != NULL || !schema->not_null || ERR(err, ERR_INPUT, "it may not be NULL");
}

static bool find_sets(struct finding *finding, struct err *err)
{
    const struct catalog_config *config = finding->config;
    struct catalog_sqlite_column *sets =
        arena_make(finding->arena, config->set_count * sizeof *sets);
    finding->table->sets = sets;
    for (size_t i = 0; i < config->set_count; i++)
        if (!find_set(finding, &config->sets[i], &sets[i], err))
            return err_wrap(err, "setting the column `%s`", config->sets[i].column);
    return true;
}

/* -- its keys and indexes ---------------------------------------------------------------------- */

/* A primary key counts even where SQLite would take a NULL into it: a row without an id is noticed
 * when it is read. */
static bool is_primary_key(const struct finding *finding)
{
    int64_t columns = 0;
    for (size_t i = 0; i < finding->count; i++)
        columns += finding->columns[i].key != 0;
    return columns == 1 && find_schema(finding, finding->table->id.name)->key != 0;
}

/* Indexes that hold every row, by their first column. */
static const char LIST_INDEXES[] =
    "SELECT x.name, x.coll, l.\"unique\" AND (SELECT count(*) FROM pragma_index_info(l.name)) = 1"
    " FROM pragma_index_list(?1) AS l, pragma_index_xinfo(l.name) AS x"
    " WHERE x.seqno = 0 AND l.partial = 0";

static bool read_indexes(struct finding *finding, bool *unique, struct err *err)
{
    struct catalog_sqlite_table *table = finding->table;
    sqlite3_stmt *statement;
    bool row, ok;
    if (!prepare_for(finding->db, LIST_INDEXES, table->name, &statement, err))
        return false;
    while ((ok = sql_step(statement, &row, err)) && row) {
        struct sql columns = sql_columns(statement);
        const char *name = sql_take_borrowed(&columns), *collation = sql_take_borrowed(&columns);
        bool is_unique = sql_take_integer(&columns) != 0;
        *unique |= is_unique && is_same_name(name, table->id.name);
        table->location_indexed |=
            is_same_name(name, table->location.name) && is_same_name(collation, "BINARY");
    }
    sqlite3_finalize(statement);
    return ok;
}

static bool check_key(struct finding *finding, struct err *err)
{
    const char *id = finding->table->id.name;
    bool unique = false;
    if (!read_indexes(finding, &unique, err))
        return false;
    if (is_primary_key(finding))
        return true;
    if (!unique)
        return ERR(err, ERR_INPUT, "the id column `%s` has no primary or unique key of its own",
                   id);
    if (!find_schema(finding, id)->not_null)
        return ERR(err, ERR_INPUT, "the id column `%s` may be NULL", id);
    return true;
}

/* -- its SQL ---------------------------------------------------------------------------------- */

static void make_below(struct finding *finding)
{
    const char *location = finding->table->location.quoted;
    finding->table->below = str_format(
        finding->arena, "%s COLLATE BINARY >= ?1 AND %s COLLATE BINARY < ?2", location, location);
}

static void make_sql(struct finding *finding)
{
    struct arena *arena = finding->arena;
    struct catalog_sqlite_table *table = finding->table;
    const char *id = table->id.quoted, *location = table->location.quoted;
    table->select = str_format(arena, "CAST(%s AS TEXT), CAST(%s AS TEXT)", id, location);
    for (size_t i = 0; i < table->value_count; i++)
        table->select = str_format(arena, "%s, %s", table->select, table->values[i].quoted);
    table->has_id = str_format(arena, "%s = ?1 AND CAST(%s AS TEXT) COLLATE BINARY = ?1", id, id);
    make_below(finding);
    table->index_statement =
        str_format(arena, "CREATE INDEX %s ON %s (%s COLLATE BINARY)",
                   quote(arena, str_format(arena, "%s_%s", table->name, table->location.name)),
                   table->quoted, location);
}

bool catalog_sqlite_table_find(sqlite3 *db, const struct catalog_config *config,
                               struct arena *arena, struct catalog_sqlite_table *table,
                               struct err *err)
{
    *table = (struct catalog_sqlite_table){0};
    struct finding finding = {
        .db = db, .config = config, .name = config->table, .arena = arena, .table = table};
    if (!find_table(&finding, err) || !read_columns(&finding, err) ||
        !find_columns(&finding, err) || !find_sets(&finding, err) || !check_key(&finding, err))
        return false;
    make_sql(&finding);
    return true;
}

bool catalog_sqlite_table_refer(sqlite3 *db, const struct catalog_reference *reference,
                                struct arena *arena, struct catalog_sqlite_table *table,
                                struct err *err)
{
    *table = (struct catalog_sqlite_table){0};
    struct finding finding = {.db = db, .name = reference->table, .arena = arena, .table = table};
    if (!find_table(&finding, err) || !read_columns(&finding, err) ||
        !find_location(&finding, reference->column, err))
        return err_wrap(err, "references");
    make_below(&finding);
    return true;
}
