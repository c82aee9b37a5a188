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
    struct arena *arena;
    struct catalog_flaws *flaws;
    size_t part; /* of the table */
    struct catalog_sqlite_table *table;
    struct schema_column *columns;
    const char **names; /* of the columns, ended by NULL */
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

/* -- the table -------------------------------------------------------------------------------- */

static bool prepare_for(sqlite3 *db, const char *sql, const char *text, sqlite3_stmt **statement,
                        struct err *err)
{
    if (!sql_prepare(db, sql, statement, err))
        return false;
    struct sql parameters = sql_parameters(*statement);
    sql_put_text(&parameters, text);
    return true;
}

/* Table names are told as the config spells its own, with or without the schema. */
static bool refuse_table(struct finding *finding, const char *schema, struct err *err)
{
    const char *names[CATALOG_SQLITE_COLUMNS_MAX + 1] = {NULL};
    size_t count = 0;
    sqlite3_stmt *statement;
    bool row, ok;
    if (!prepare_for(finding->db,
                     "SELECT ?1 || name FROM sqlite_schema WHERE type = 'table' ORDER BY 1", schema,
                     &statement, err))
        return false;
    while ((ok = sql_step(statement, &row, err)) && row && count < CATALOG_SQLITE_COLUMNS_MAX)
        names[count++] = sql_take_text(&(struct sql){statement, 0}, finding->arena);
    sqlite3_finalize(statement);
    if (ok)
        catalog_flaw_missing(finding->flaws, finding->part, names);
    return ok;
}

static bool find_table(struct finding *finding, struct err *err)
{
    const char *name = catalog_name(finding->config, finding->part);
    const char *schema = str_starts(name, "main.") ? "main." : "";
    sqlite3_stmt *statement;
    bool row;
    if (!prepare_for(finding->db,
                     "SELECT name, type FROM sqlite_schema"
                     " WHERE type IN ('table', 'view') AND name = ?1 COLLATE NOCASE",
                     name + strlen(schema), &statement, err))
        return false;
    bool ok = sql_step(statement, &row, err);
    if (ok && row) {
        struct sql columns = sql_columns(statement);
        finding->table->name = sql_take_text(&columns, finding->arena);
        finding->table->quoted = quote(finding->arena, finding->table->name);
        if (!str_equal(sql_take_borrowed(&columns), "table"))
            catalog_flaw_type(finding->flaws, finding->part, "a view");
    } else if (ok) {
        ok = refuse_table(finding, schema, err);
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
    finding->names =
        arena_make(finding->arena, (CATALOG_SQLITE_COLUMNS_MAX + 1) * sizeof *finding->names);
    bool ok;
    while ((ok = sql_step(statement, &row, err)) && row &&
           finding->count < CATALOG_SQLITE_COLUMNS_MAX) {
        struct sql columns = sql_columns(statement);
        struct schema_column *column = &finding->columns[finding->count];
        column->name = sql_take_text(&columns, finding->arena);
        finding->names[finding->count++] = column->name;
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

/* SQLite has no type for instants: a column of texts or of Unix seconds may be the time as well. */
static void take_as_time(struct catalog_sqlite_column *column)
{
    if (column->kind == VALUE_TEXT)
        column->naive = true;
    if (column->kind == VALUE_TEXT || column->kind == VALUE_INTEGER)
        column->kind = VALUE_INSTANT;
}

static void find_column(struct finding *finding, size_t part, struct catalog_sqlite_column *column)
{
    const struct schema_column *schema = find_schema(finding, catalog_name(finding->config, part));
    if (schema == NULL) {
        catalog_flaw_missing(finding->flaws, part, finding->names);
        return;
    }
    *column = (struct catalog_sqlite_column){
        .name = schema->name,
        .quoted = quote(finding->arena, schema->name),
        .kind = kind_of(schema->type),
    };
    column->naive = column->kind == VALUE_INSTANT && !names_its_zone(schema->type);
    if (part == CATALOG_TIME)
        take_as_time(column);
}

static void find_location(struct finding *finding, size_t part)
{
    struct catalog_sqlite_column *location = &finding->table->location;
    find_column(finding, part, location);
    if (location->name != NULL && location->kind != VALUE_TEXT)
        catalog_flaw_type(finding->flaws, part, "not declared as text");
}

static void find_columns(struct finding *finding)
{
    const struct catalog_config *config = finding->config;
    struct catalog_sqlite_table *table = finding->table;
    find_column(finding, CATALOG_ID, &table->id);
    find_location(finding, CATALOG_LOCATION);
    for (size_t part = CATALOG_TIME; part < CATALOG_FIELD + config->field_count; part++)
        if (catalog_name(config, part) != NULL)
            find_column(finding, part, &table->values[table->value_count++]);
}

/* -- what a cut-over sets ---------------------------------------------------------------------- */

static void find_sets(struct finding *finding)
{
    const struct catalog_config *config = finding->config;
    for (size_t i = 0; i < config->set_count; i++) {
        struct catalog_sqlite_column *column = &finding->table->sets[i];
        find_column(finding, catalog_set_part(config, i), column);
        const struct schema_column *schema = find_schema(finding, column->name);
        if (schema != NULL)
            catalog_flaw_may_set(finding->flaws, i, schema->generated, schema->not_null);
    }
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

static void check_key(struct finding *finding, bool unique)
{
    if (is_primary_key(finding))
        return;
    if (!unique)
        catalog_flaw_key(finding->flaws, "has no primary or unique key of its own");
    else if (!find_schema(finding, finding->table->id.name)->not_null)
        catalog_flaw_key(finding->flaws, "may be NULL");
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
}

static void make_index_statement(struct finding *finding)
{
    struct arena *arena = finding->arena;
    struct catalog_sqlite_table *table = finding->table;
    table->index_statement =
        str_format(arena, "CREATE INDEX %s ON %s (%s COLLATE BINARY)",
                   quote(arena, str_format(arena, "%s_%s", table->name, table->location.name)),
                   table->quoted, table->location.quoted);
}

/* -- all of it -------------------------------------------------------------------------------- */

bool catalog_sqlite_table_look(sqlite3 *db, struct catalog_flaws *flaws,
                               struct catalog_sqlite_table *table, struct err *err)
{
    const struct catalog_config *config = flaws->config;
    struct finding finding = {.db = db,
                              .config = config,
                              .arena = flaws->arena,
                              .flaws = flaws,
                              .part = CATALOG_TABLE,
                              .table = table};
    bool unique = false;
    *table = (struct catalog_sqlite_table){
        .values = arena_make(flaws->arena, (config->field_count + 2) * sizeof *table->values),
        .sets = arena_make(flaws->arena, config->set_count * sizeof *table->sets)};
    if (!find_table(&finding, err))
        return false;
    if (catalog_flaw_has(flaws, CATALOG_TABLE))
        return true;
    if (!read_columns(&finding, err))
        return false;
    find_columns(&finding);
    if (!read_indexes(&finding, &unique, err))
        return false;
    if (table->id.name != NULL)
        check_key(&finding, unique);
    find_sets(&finding);
    if (!catalog_flaw_has(flaws, CATALOG_LOCATION))
        make_index_statement(&finding);
    if (flaws->count == 0)
        make_sql(&finding);
    return true;
}

bool catalog_sqlite_table_find(sqlite3 *db, const struct catalog_config *config,
                               struct arena *arena, struct catalog_sqlite_table *table,
                               struct err *err)
{
    struct catalog_flaws flaws;
    catalog_flaw_init(&flaws, config, arena);
    return catalog_sqlite_table_look(db, &flaws, table, err) && catalog_flaw_none(&flaws, err);
}

bool catalog_sqlite_table_refer(sqlite3 *db, struct catalog_flaws *flaws, size_t reference,
                                struct catalog_sqlite_table *table, struct err *err)
{
    size_t part = catalog_reference_part(flaws->config, reference);
    struct finding finding = {.db = db,
                              .config = flaws->config,
                              .arena = flaws->arena,
                              .flaws = flaws,
                              .part = part,
                              .table = table};
    *table = (struct catalog_sqlite_table){0};
    if (!find_table(&finding, err))
        return false;
    if (catalog_flaw_has(flaws, part))
        return true;
    if (!read_columns(&finding, err))
        return false;
    find_location(&finding, part + 1);
    if (!catalog_flaw_has(flaws, part + 1))
        make_below(&finding);
    return true;
}
