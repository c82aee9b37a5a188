#include "state/catalog_pg_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define NAMES_MAX 1000 /* tables looked through for a likely slip */

/* From PostgreSQL's catalog/pg_type.dat; they never change. */
enum type_oid {
    TYPE_BOOL = 16,
    TYPE_NAME = 19,
    TYPE_INT8 = 20,
    TYPE_INT2 = 21,
    TYPE_INT4 = 23,
    TYPE_TEXT = 25,
    TYPE_FLOAT4 = 700,
    TYPE_FLOAT8 = 701,
    TYPE_BPCHAR = 1042,
    TYPE_VARCHAR = 1043,
    TYPE_DATE = 1082,
    TYPE_TIMESTAMP = 1114,
    TYPE_TIMESTAMPTZ = 1184,
    TYPE_NUMERIC = 1700,
    TYPE_UUID = 2950
};

/* $1: schema or NULL, $2: table, $3: the schemas to search. */
static const char FIND_TABLE[] =
    "SELECT c.oid, n.nspname, c.relname, c.relkind,"
    " quote_ident(n.nspname) || '.' || quote_ident(c.relname)"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
    " AND CASE WHEN $1::text IS NULL THEN n.nspname = ANY ($3::name[]) ELSE n.nspname = $1 END"
    " ORDER BY array_position($3::name[], n.nspname) LIMIT 1";

/* $1: whether names shall have their schema. */
static const char LIST_TABLES[] =
    "SELECT CASE WHEN $1 = '1' THEN n.nspname || '.' || c.relname ELSE c.relname END"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%'"
    " AND n.nspname <> 'information_schema' ORDER BY 1 LIMIT $2::int8";

/* $1: the table.  A domain counts as what it is made of; but the last two are the type's own name,
 * without and with its length. */
static const char LIST_COLUMNS[] =
    "WITH RECURSIVE base AS ("
    " SELECT a.attnum, t.oid, t.typtype, t.typbasetype"
    " FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
    " WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped"
    " UNION ALL SELECT b.attnum, t.oid, t.typtype, t.typbasetype"
    " FROM base b JOIN pg_type t ON t.oid = b.typbasetype WHERE b.typtype = 'd')"
    " SELECT a.attname, a.attnum, a.attnotnull, b.oid, b.typtype, format_type(b.oid, -1),"
    " coalesce(l.collisdeterministic, true), quote_ident(a.attname),"
    " a.attgenerated <> '' OR a.attidentity = 'a',"
    " format_type(a.atttypid, -1), format_type(a.atttypid, a.atttypmod)"
    " FROM base b JOIN pg_attribute a ON a.attrelid = $1::oid AND a.attnum = b.attnum"
    " LEFT JOIN pg_collation l ON l.oid = a.attcollation"
    " WHERE b.typtype <> 'd' ORDER BY a.attnum";

/* $1: the table.  Indexes that hold every row, by their first column, and whether the order of that
 * column is the order of bytes: in collation C and its like (provider b, from version 17, sorts by
 * code point), or by text_pattern_ops, which compares bytes in any collation. */
static const char LIST_INDEXES[] =
    "SELECT i.indkey[0], i.indnkeyatts, i.indisunique,"
    " quote_ident(m.nspname) || '.' || quote_ident(l.collname),"
    " am.amname = 'btree' AND o.opcname IN ('text_pattern_ops', 'varchar_pattern_ops')"
    " AND l.collisdeterministic,"
    " am.amname = 'btree' AND o.opcname IN ('text_ops', 'varchar_ops') AND CASE l.collprovider"
    " WHEN 'c' THEN l.collcollate IN ('C', 'POSIX') WHEN 'b' THEN true"
    " WHEN 'd' THEN coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') = 'b' OR"
    " coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') = 'c' AND d.datcollate IN ('C', 'POSIX')"
    " ELSE false END"
    " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = c.relam"
    " JOIN pg_opclass o ON o.oid = i.indclass[0]"
    " LEFT JOIN pg_collation l ON l.oid = i.indcollation[0]"
    " LEFT JOIN pg_namespace m ON m.oid = l.collnamespace"
    " JOIN pg_database d ON d.datname = current_database()"
    " WHERE i.indrelid = $1::oid AND i.indisvalid AND i.indpred IS NULL"
    " ORDER BY i.indexrelid";

struct finding {
    struct catalog_pg_link *link;
    struct catalog_flaws *flaws;
    size_t part; /* of the table */
    struct catalog_pg_table *table;
    char *oid;
    const PGresult *columns, *indexes;
    const char *const *names;     /* of the columns, ended by NULL */
    int id_row, location_row;     /* -1: missing */
    const char *quoted_as_needed; /* public."Ecal" */
};

static bool is_true(const PGresult *result, int row, int column)
{
    return strcmp(PQgetvalue(result, row, column), "t") == 0;
}

/* The first column of the rows, ended by NULL; borrowed from the result. */
static const char *const *names_of(const PGresult *result, struct arena *arena)
{
    int count = PQntuples(result);
    const char **names = arena_make(arena, ((size_t)count + 1) * sizeof *names);
    for (int row = 0; row < count; row++)
        names[row] = PQgetvalue(result, row, 0);
    return names;
}

static bool begin(struct catalog_pg_link *link, struct catalog_pg_reply *reply, struct err *err)
{
    struct catalog_pg_query queries[CATALOG_PG_BEGIN_COUNT];
    catalog_pg_link_begin(link->config, CATALOG_PG_READ_ONLY, CATALOG_STATEMENT_MS, queries);
    return catalog_pg_link_batch(link, queries, CATALOG_PG_BEGIN_COUNT, reply, err);
}

/* -- the table -------------------------------------------------------------------------------- */

static bool refuse_table(struct finding *finding, struct err *err)
{
    const char *name = catalog_name(finding->link->config, finding->part);
    struct catalog_pg_query query = {.sql = LIST_TABLES};
    CATALOG_PG_REPLY reply = {.count = 0};
    catalog_pg_query_text(&query, strchr(name, '.') != NULL ? "1" : "0");
    catalog_pg_query_number(&query, NAMES_MAX);
    if (!catalog_pg_link_batch(finding->link, &query, 1, &reply, err))
        return false;
    catalog_flaw_missing(finding->flaws, finding->part,
                         names_of(reply.results[0], &finding->link->arena));
    return true;
}

static bool find_table(struct finding *finding, const char *schemas, struct err *err)
{
    struct arena *arena = &finding->link->arena;
    const char *name = catalog_name(finding->link->config, finding->part);
    const char *dot = strchr(name, '.');
    struct catalog_pg_query query = {.sql = FIND_TABLE};
    CATALOG_PG_REPLY reply = {.count = 0};
    catalog_pg_query_text(&query, dot != NULL ? str_copy(arena, name, (size_t)(dot - name)) : NULL);
    catalog_pg_query_text(&query, dot != NULL ? dot + 1 : name);
    catalog_pg_query_text(&query, schemas);
    if (!catalog_pg_link_batch(finding->link, &query, 1, &reply, err))
        return false;

    const PGresult *found = reply.results[0];
    if (PQntuples(found) == 0)
        return refuse_table(finding, err);
    const char *kind = PQgetvalue(found, 0, 3);
    if (kind[0] != 'r' && kind[0] != 'p')
        catalog_flaw_type(finding->flaws, finding->part, "a view or a foreign table");
    finding->oid = arena_copy(arena, PQgetvalue(found, 0, 0));
    finding->table->schema = arena_copy(arena, PQgetvalue(found, 0, 1));
    finding->table->name = arena_copy(arena, PQgetvalue(found, 0, 2));
    finding->quoted_as_needed = arena_copy(arena, PQgetvalue(found, 0, 4));
    return true;
}

/* -- its columns ------------------------------------------------------------------------------ */

static enum value_kind kind_of(unsigned long oid, const char *typtype)
{
    if (typtype[0] == 'e')
        return VALUE_TEXT;
    switch (oid) {
    case TYPE_BOOL:
        return VALUE_BOOLEAN;
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8:
        return VALUE_INTEGER;
    case TYPE_FLOAT4:
    case TYPE_FLOAT8:
    case TYPE_NUMERIC:
        return VALUE_DECIMAL;
    case TYPE_NAME:
    case TYPE_TEXT:
    case TYPE_BPCHAR:
    case TYPE_VARCHAR:
    case TYPE_UUID:
        return VALUE_TEXT;
    case TYPE_DATE:
        return VALUE_DATE;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return VALUE_INSTANT;
    default:
        return VALUE_UNSUPPORTED;
    }
}

static unsigned long oid_of(const PGresult *columns, int row)
{
    return strtoul(PQgetvalue(columns, row, 3), NULL, 10);
}

static const char *quote(struct catalog_pg_link *link, const char *name)
{
    char *quoted = PQescapeIdentifier(link->conn, name, strlen(name));
    if (quoted == NULL)
        err_abort("out of memory");
    const char *copy = arena_copy(&link->arena, quoted);
    PQfreemem(quoted);
    return copy;
}

/* The row of the column; -1: it is missing. */
static int find_column(struct finding *finding, size_t part, struct catalog_pg_column *column)
{
    const PGresult *columns = finding->columns;
    const char *name = catalog_name(finding->link->config, part);
    int row = 0, count = PQntuples(columns);
    while (row < count && !str_equal(PQgetvalue(columns, row, 0), name))
        row++;
    if (row == count) {
        catalog_flaw_missing(finding->flaws, part, finding->names);
        return -1;
    }
    unsigned long oid = oid_of(columns, row);
    *column = (struct catalog_pg_column){
        .name = arena_copy(&finding->link->arena, name),
        .quoted = quote(finding->link, name),
        .kind = kind_of(oid, PQgetvalue(columns, row, 4)),
        .naive = oid == TYPE_TIMESTAMP,
        .floating = oid == TYPE_FLOAT4 || oid == TYPE_FLOAT8,
    };
    return row;
}

static void find_location(struct finding *finding, size_t part)
{
    int row = find_column(finding, part, &finding->table->location);
    unsigned long type = row >= 0 ? oid_of(finding->columns, row) : TYPE_TEXT;
    if (type != TYPE_TEXT && type != TYPE_VARCHAR)
        catalog_flaw_type(finding->flaws, part,
                          str_format(&finding->link->arena, "%s, not text or varchar",
                                     PQgetvalue(finding->columns, row, 5)));
    finding->location_row = row;
}

static void find_columns(struct finding *finding)
{
    const struct catalog_config *config = finding->link->config;
    struct catalog_pg_table *table = finding->table;
    finding->id_row = find_column(finding, CATALOG_ID, &table->id);
    find_location(finding, CATALOG_LOCATION);
    for (size_t part = CATALOG_TIME; part < CATALOG_FIELD + config->field_count; part++)
        if (catalog_name(config, part) != NULL)
            find_column(finding, part, &table->values[table->value_count++]);
}

static enum catalog_pg_key key_of(unsigned long type, bool deterministic)
{
    if ((type == TYPE_TEXT || type == TYPE_VARCHAR) && deterministic)
        return CATALOG_PG_KEY_TEXT;
    if (type == TYPE_INT2 || type == TYPE_INT4 || type == TYPE_INT8)
        return CATALOG_PG_KEY_INTEGER;
    return type == TYPE_UUID ? CATALOG_PG_KEY_UUID : CATALOG_PG_KEY_OTHER;
}

/* -- its indexes ------------------------------------------------------------------------------ */

static bool is_unique(const struct finding *finding)
{
    const PGresult *indexes = finding->indexes;
    const char *number = PQgetvalue(finding->columns, finding->id_row, 1);
    bool unique = false;
    for (int row = 0; row < PQntuples(indexes); row++)
        unique |= str_equal(PQgetvalue(indexes, row, 0), number) && is_true(indexes, row, 2) &&
                  str_equal(PQgetvalue(indexes, row, 1), "1");
    return unique;
}

static void check_key(struct finding *finding)
{
    if (!is_unique(finding))
        catalog_flaw_key(finding->flaws, "has no primary or unique key of its own");
    else if (!is_true(finding->columns, finding->id_row, 2))
        catalog_flaw_key(finding->flaws, "may be NULL");
    finding->table->key = key_of(oid_of(finding->columns, finding->id_row),
                                 is_true(finding->columns, finding->id_row, 6));
    finding->table->id_type =
        arena_copy(&finding->link->arena, PQgetvalue(finding->columns, finding->id_row, 5));
}

/* The comparison is spelled the way the index can serve: in its collation, by its operators. */
static void choose_below(struct finding *finding)
{
    struct catalog_pg_table *table = finding->table;
    const PGresult *indexes = finding->indexes;
    const char *number = PQgetvalue(finding->columns, finding->location_row, 1);
    const char *collation = "\"C\"", *from = ">=", *to = "<";
    for (int row = 0; row < PQntuples(indexes) && !table->location_indexed; row++) {
        bool by_pattern = is_true(indexes, row, 4), by_collation = is_true(indexes, row, 5);
        if (!str_equal(PQgetvalue(indexes, row, 0), number) || !(by_pattern || by_collation))
            continue;
        table->location_indexed = true;
        collation = PQgetvalue(indexes, row, 3);
        from = by_pattern ? "~>=~" : ">=";
        to = by_pattern ? "~<~" : "<";
    }
    struct arena *arena = &finding->link->arena;
    const char *location = table->location.quoted;
    table->below = str_format(arena, "t.%s COLLATE %s %s $1 AND t.%s COLLATE %s %s $2", location,
                              collation, from, location, collation, to);
    table->index_statement = str_format(arena, "CREATE INDEX CONCURRENTLY ON %s (%s COLLATE \"C\")",
                                        finding->quoted_as_needed,
                                        PQgetvalue(finding->columns, finding->location_row, 7));
}

/* -- what a cut-over sets ---------------------------------------------------------------------- */

/* As the UPDATE will read it: by the type's own input.  But a cast cuts a text off where an UPDATE
 * refuses it: what it gives must be the text itself. */
static const char *ask_value(struct arena *arena, const char *plain, const char *whole,
                             enum value_kind kind)
{
    return kind == VALUE_TEXT
               ? str_format(arena, "SELECT 1 WHERE $1::%s IS NOT DISTINCT FROM $1::%s", plain,
                            whole)
               : str_format(arena, "SELECT $1::%s", whole);
}

/* A refusal is a flaw, and ends the transaction: what follows is asked in one more. */
static bool check_value(struct finding *finding, size_t set, int row, struct err *err)
{
    struct catalog_pg_link *link = finding->link;
    const char *value = link->config->sets[set].value;
    const char *whole = PQgetvalue(finding->columns, row, 10);
    struct catalog_pg_query query = {.sql = ask_value(&link->arena,
                                                      PQgetvalue(finding->columns, row, 9), whole,
                                                      finding->table->sets[set].kind)};
    CATALOG_PG_REPLY reply = {.count = 0};
    catalog_pg_query_literal(&query, value);
    if (catalog_pg_link_batch(link, &query, 1, &reply, err)) {
        if (PQntuples(reply.results[0]) == 0)
            catalog_flaw_set(finding->flaws, set,
                             str_format(&link->arena, "`%s` is too long for %s", value, whole));
        return true;
    }
    if (err->kind != ERR_INPUT && err->kind != ERR_CONFLICT) /* the latter: a domain's constraint */
        return false;
    if (link->conn == NULL) /* and the arena is empty */
        return ERR(err, ERR_BUSY, "the connection to the catalog was lost");
    catalog_flaw_set(finding->flaws, set, err->text);
    return begin(link, &reply, err);
}

static bool find_set(struct finding *finding, size_t set, struct err *err)
{
    const PGresult *columns = finding->columns;
    int row = find_column(finding, catalog_set_part(finding->link->config, set),
                          &finding->table->sets[set]);
    return row < 0 ||
           !catalog_flaw_may_set(finding->flaws, set, is_true(columns, row, 8),
                                 is_true(columns, row, 2)) ||
           check_value(finding, set, row, err);
}

static bool find_sets(struct finding *finding, struct err *err)
{
    const struct catalog_config *config = finding->link->config;
    for (size_t i = 0; i < config->set_count; i++)
        if (!find_set(finding, i, err))
            return err_wrap(err, "setting the column `%s`", config->sets[i].column);
    return true;
}

/* -- its SQL ---------------------------------------------------------------------------------- */

/* In collation C, id and location are what make_order sorts by: the server keeps them once. */
static const char *join_select(const struct catalog_pg_table *table, struct arena *arena)
{
    const char *select = str_format(arena, "t.%s::text COLLATE \"C\", t.%s::text COLLATE \"C\"",
                                    table->id.quoted, table->location.quoted);
    for (size_t i = 0; i < table->value_count; i++) {
        const struct catalog_pg_column *column = &table->values[i];
        if (column->kind == VALUE_UNSUPPORTED)
            select = str_format(arena, "%s, NULL::text", select);
        else
            select = str_format(arena, "%s, t.%s%s", select, column->quoted,
                                column->kind == VALUE_TEXT ? "::text" : "");
    }
    return select;
}

/* By directory, unless rows stand for objects, then by location and id (join_select's 2 and 1).  A
 * location without '/' has none to cut at: left() then takes one more than all. */
static const char *make_order(const struct catalog_pg_table *table, bool by_object,
                              struct arena *arena)
{
    const char *location = str_format(arena, "t.%s::text", table->location.quoted);
    if (by_object)
        return "2 NULLS FIRST, 1";
    return str_format(arena,
                      "left(%s, length(%s) - strpos(reverse(%s), '/') + 1) COLLATE \"C\""
                      " NULLS FIRST, 2 NULLS FIRST, 1",
                      location, location, location);
}

static const char *make_has_id(const struct catalog_pg_table *table, struct arena *arena)
{
    const char *id = table->id.quoted;
    switch (table->key) {
    case CATALOG_PG_KEY_TEXT:
        return str_format(arena, "t.%s = ANY ($1::text[])", id);
    case CATALOG_PG_KEY_INTEGER:
        return str_format(arena, "t.%s = ANY ($1::text[]::int8[])", id);
    case CATALOG_PG_KEY_UUID:
        return str_format(arena, "t.%s = ANY ($1::text[]::uuid[])", id);
    default:
        return str_format(arena, "t.%s::text COLLATE \"C\" = ANY ($1::text[])", id);
    }
}

static void quote_table(struct finding *finding)
{
    struct catalog_pg_link *link = finding->link;
    struct catalog_pg_table *table = finding->table;
    table->quoted =
        str_format(&link->arena, "%s.%s", quote(link, table->schema), quote(link, table->name));
}

static void make_sql(struct finding *finding)
{
    struct catalog_pg_link *link = finding->link;
    struct catalog_pg_table *table = finding->table;
    quote_table(finding);
    table->select = join_select(table, &link->arena);
    table->order = make_order(table, link->config->by_object, &link->arena);
    table->has_id = make_has_id(table, &link->arena);
}

/* -- its parts -------------------------------------------------------------------------------- */

static bool list_parts(struct finding *finding, struct catalog_pg_reply *reply, struct err *err)
{
    struct catalog_pg_query queries[2] = {{.sql = LIST_COLUMNS}, {.sql = LIST_INDEXES}};
    catalog_pg_query_text(&queries[0], finding->oid);
    catalog_pg_query_text(&queries[1], finding->oid);
    if (!catalog_pg_link_batch(finding->link, queries, 2, reply, err))
        return false;
    finding->columns = reply->results[0];
    finding->indexes = reply->results[1];
    finding->names = names_of(finding->columns, &finding->link->arena);
    return true;
}

static bool find_parts(struct finding *finding, struct err *err)
{
    CATALOG_PG_REPLY reply = {.count = 0};
    if (!list_parts(finding, &reply, err))
        return false;
    find_columns(finding);
    if (finding->id_row >= 0)
        check_key(finding);
    if (!catalog_flaw_has(finding->flaws, CATALOG_LOCATION))
        choose_below(finding);
    if (!find_sets(finding, err))
        return false;
    if (finding->flaws->count == 0)
        make_sql(finding);
    return true;
}

/* -- tables of references ---------------------------------------------------------------------- */

static bool find_reference(struct finding *finding, const char *schemas, struct err *err)
{
    CATALOG_PG_REPLY reply = {.count = 0};
    if (!find_table(finding, schemas, err))
        return false;
    if (catalog_flaw_has(finding->flaws, finding->part))
        return true;
    if (!list_parts(finding, &reply, err))
        return false;
    find_location(finding, finding->part + 1);
    if (!catalog_flaw_has(finding->flaws, finding->part + 1)) {
        quote_table(finding);
        choose_below(finding);
    }
    return true;
}

/* Of this table, which may have flaws itself. */
static bool find_references(struct catalog_pg_link *link, struct catalog_pg_table *table,
                            const char *schemas, struct catalog_flaws *flaws, struct err *err)
{
    const struct catalog_config *config = link->config;
    struct catalog_pg_table *tables =
        arena_make(&link->arena, config->reference_count * sizeof *tables);
    for (size_t i = 0; i < config->reference_count; i++) {
        struct finding finding = {.link = link,
                                  .flaws = flaws,
                                  .part = catalog_reference_part(config, i),
                                  .table = &tables[i]};
        if (!find_reference(&finding, schemas, err))
            return err_wrap(err, "references");
    }
    table->references = tables;
    return true;
}

/* -- all of it -------------------------------------------------------------------------------- */

/* In the transaction that the link is in, or, after a flaw, one like it.  NULL after an error,
 * which a flaw is not. */
static struct catalog_pg_table *look(struct catalog_pg_link *link, const char *schemas,
                                     struct catalog_flaws *flaws, struct err *err)
{
    struct catalog_pg_table *table = arena_make(&link->arena, sizeof *table);
    struct finding finding = {.link = link, .flaws = flaws, .part = CATALOG_TABLE, .table = table};
    size_t values = link->config->field_count + 2;
    table->values = arena_make(&link->arena, values * sizeof *table->values);
    table->sets = arena_make(&link->arena, link->config->set_count * sizeof *table->sets);
    if (!find_table(&finding, schemas, err) ||
        (!catalog_flaw_has(flaws, CATALOG_TABLE) && !find_parts(&finding, err)))
        return NULL;
    return table;
}

static void forget(struct catalog_pg_link *link)
{
    link->table = NULL;
    arena_reset(&link->arena);
}

bool catalog_pg_table_look(struct catalog_pg_link *link, struct catalog_flaws *flaws,
                           const struct catalog_pg_table **table, struct err *err)
{
    CATALOG_PG_REPLY reply = {.count = 0};
    forget(link);
    if (!begin(link, &reply, err))
        return false;
    const char *schemas = catalog_pg_link_schemas(&reply);
    struct catalog_pg_table *found = look(link, schemas, flaws, err);
    if (found == NULL || !find_references(link, found, schemas, flaws, err))
        return false;
    if (flaws->count == 0)
        link->table = found;
    *table = found;
    return true;
}

bool catalog_pg_table_find(struct catalog_pg_link *link, const char *schemas, struct err *err)
{
    struct catalog_flaws flaws;
    forget(link);
    catalog_flaw_init(&flaws, link->config, &link->arena);
    struct catalog_pg_table *found = look(link, schemas, &flaws, err);
    if (found == NULL || !catalog_flaw_none(&flaws, err)) {
        catalog_pg_link_rollback(link);
        return false;
    }
    link->table = found;
    return true;
}

bool catalog_pg_table_ensure(struct catalog_pg_link *link, struct err *err)
{
    if (link->table != NULL)
        return true;
    CATALOG_PG_REPLY reply = {.count = 0};
    if (!begin(link, &reply, err) ||
        !catalog_pg_table_find(link, catalog_pg_link_schemas(&reply), err))
        return false;
    catalog_pg_link_rollback(link);
    return link->table != NULL || ERR(err, ERR_BUSY, "the connection to the catalog was lost");
}

bool catalog_pg_table_refer(struct catalog_pg_link *link, struct err *err)
{
    if (!catalog_pg_table_ensure(link, err))
        return false;
    if (link->table->references != NULL || link->config->reference_count == 0)
        return true;
    CATALOG_PG_REPLY reply = {.count = 0};
    struct catalog_flaws flaws;
    catalog_flaw_init(&flaws, link->config, &link->arena);
    bool ok = begin(link, &reply, err) &&
              find_references(link, link->table, catalog_pg_link_schemas(&reply), &flaws, err) &&
              (catalog_flaw_none(&flaws, err) || err_wrap(err, "references"));
    catalog_pg_link_rollback(link);
    if (!ok)
        link->table = NULL; /* so that what was half found leaves the arena */
    return ok &&
           (link->table != NULL || ERR(err, ERR_BUSY, "the connection to the catalog was lost"));
}

/* -- ids -------------------------------------------------------------------------------------- */

static bool is_uuid(const char *id)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (strlen(id) != strlen(form))
        return false;
    for (size_t i = 0; form[i] != '\0'; i++)
        if (form[i] == '-' ? id[i] != '-' : strchr("0123456789abcdef", id[i]) == NULL)
            return false;
    return true;
}

/* The way PostgreSQL writes it: an id is a text, and "007" is not the id 7. */
static bool is_integer(const char *id)
{
    int64_t value;
    char text[24];
    if (!str_to_i64(id, &value))
        return false;
    snprintf(text, sizeof text, "%" PRId64, value);
    return strcmp(text, id) == 0;
}

const char **catalog_pg_table_ids(const struct catalog_pg_table *table, const char *const *ids,
                                  size_t count, size_t stride, struct arena *arena, size_t *kept)
{
    const char **kept_ids = arena_make(arena, (count + 1) * sizeof *kept_ids);
    *kept = 0;
    for (size_t i = 0; i < count; i++) {
        const char *id = *(const char *const *)((const char *)ids + i * stride);
        if ((table->key == CATALOG_PG_KEY_INTEGER && !is_integer(id)) ||
            (table->key == CATALOG_PG_KEY_UUID && !is_uuid(id)))
            continue;
        kept_ids[(*kept)++] = id;
    }
    return kept_ids;
}
