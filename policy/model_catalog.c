#include "policy/model.h"

#include <string.h>

#include "base/arena.h"
#include "base/size.h"
#include "base/str.h"
#include "base/zone.h"
#include "policy/diag_codes.h"
#include "policy/extra.h"
#include "policy/load.h"
#include "policy/scalar.h"
#include "policy/schema.h"
#include "policy/substitute.h"
#include "policy/tree.h"

#define IDENTIFIER_MAX 63 /* PostgreSQL cuts longer ones off (NAMEDATALEN) */

/* Names that selections use, or will: a field of that name could not be told from them. */
static const char *const reserved[] = {"path", "time", "id", "location", "policy"};

static const char *column(struct load *load, struct node *node, size_t part)
{
    if (node == NULL || node->broken)
        return NULL;
    load->policies->extra->parts[part] = node->span;
    if (strlen(node->text) <= IDENTIFIER_MAX)
        return node->text;
    diag_add(load->diags, DIAG_COLUMN, node->span, "%s is no name of a column",
             scalar_shown(load, node))
        ->label = "longer than 63 bytes";
    return NULL;
}

static bool is_table(const char *text)
{
    const char *dot = strchr(text, '.');
    size_t first = dot == NULL ? strlen(text) : (size_t)(dot - text);
    if (dot == NULL)
        return first <= IDENTIFIER_MAX;
    return first > 0 && first <= IDENTIFIER_MAX && dot[1] != '\0' && strchr(dot + 1, '.') == NULL &&
           strlen(dot + 1) <= IDENTIFIER_MAX;
}

static const char *table(struct load *load, struct node *node, size_t part)
{
    if (node == NULL || node->broken)
        return NULL;
    load->policies->extra->parts[part] = node->span;
    if (is_table(node->text))
        return node->text;
    struct diag *diag = diag_add(load->diags, DIAG_COLUMN, node->span, "%s is no name of a table",
                                 scalar_shown(load, node));
    diag->label = "`table` or `schema.table` is wanted";
    return NULL;
}

/* ---- connection ---- */

static bool is_hidden(const char *from, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (from[i] != SUBSTITUTE_HIDDEN)
            return false;
    }
    return true;
}

/* Does a URL hold a password, or a parameter that is one, that no reference gave? */
static bool url_is_literal(const char *skeleton)
{
    const char *begin = strstr(skeleton, "://");
    if (begin == NULL)
        return false;
    begin += 3;
    const char *user_end = memchr(begin, '@', strcspn(begin, "/?"));
    const char *colon = user_end == NULL ? NULL : memchr(begin, ':', (size_t)(user_end - begin));
    if (colon != NULL && !is_hidden(colon + 1, (size_t)(user_end - colon - 1)))
        return true;
    for (const char *at = strstr(begin, "password="); at != NULL; at = strstr(at, "password=")) {
        at += strlen("password=");
        if (!is_hidden(at, strcspn(at, "&")))
            return true;
    }
    return false;
}

static bool is_literal_secret(const char *word, const char *skeleton)
{
    if (str_equal(word, "url"))
        return url_is_literal(skeleton);
    return str_ends(word, "password") && !is_hidden(skeleton, strlen(skeleton));
}

static void refuse_literal(struct load *load, const struct node *value)
{
    struct diag *diag = diag_add(load->diags, DIAG_LITERAL_SECRET, value->span,
                                 "`%s` holds a password", value->key->text);
    diag->label = "a secret stands in the file";
    diag->help = "take it from the environment, ${DB_PASSWORD}, and change it: it was seen";
    diag->secret = true;
}

static void check_url(struct load *load, const struct node *connection, struct node *value,
                      const char *url)
{
    if (connection->count > 1) {
        struct diag *diag = diag_add(load->diags, DIAG_CONNECTION, value->key->span,
                                     "`url` stands beside other words");
        diag->label = "it says all that they say";
        diag->help = "either `url` alone, or host, port, dbname, user, password";
        return;
    }
    if (str_starts(url, "postgresql://") || str_starts(url, "postgres://"))
        return;
    diag_add(load->diags, DIAG_CONNECTION, value->span, "`url` is no URL of PostgreSQL")->label =
        "postgresql://host/database is wanted";
}

static void read_word(struct load *load, const struct node *connection, struct node *value,
                      struct catalog_keyword *words)
{
    const struct schema_key *key = schema_key_of(load, &schema_connection, value, NULL);
    if (key == NULL || !substitute_check(load, value))
        return;
    struct policy_extra *extra = load->policies->extra;
    struct secret *secret = &extra->secrets[extra->secret_count++];
    const char *skeleton;
    if (!substitute_secret(load, value, secret, &skeleton))
        return;
    if (is_literal_secret(key->name, skeleton))
        refuse_literal(load, value);
    bool is_url = str_equal(key->name, "url");
    if (is_url)
        check_url(load, connection, value, secret_reveal(secret));
    /* libpq takes a URL where the name of a database may stand (PQconnectdbParams, expand_dbname).
     */
    words[load->policies->catalog.connection_count++] =
        (struct catalog_keyword){is_url ? "dbname" : key->name, secret};
}

static void read_connection(struct load *load, struct node *connection)
{
    struct policy_extra *extra = load->policies->extra;
    struct catalog_keyword *words = arena_make(load->arena, connection->count * sizeof *words);
    extra->secrets = arena_make(load->arena, connection->count * sizeof *extra->secrets);
    load->policies->catalog.connection = words;
    for (struct node *value = connection->first; value != NULL; value = value->next) {
        if (!value->broken)
            read_word(load, connection, value, words);
    }
}

/* ---- time, size, fields, references ---- */

static void read_time(struct load *load, struct node *map)
{
    struct catalog_config *catalog = &load->policies->catalog;
    struct raw_time raw = {0};
    schema_read(load, &schema_time, map, &raw);
    catalog->time = column(load, raw.column, CATALOG_TIME);
    if (raw.timezone != NULL)
        load_zone(load, raw.timezone, &catalog->time_zone);
}

static void read_size(struct load *load, struct node *map)
{
    struct catalog_config *catalog = &load->policies->catalog;
    struct raw_size raw = {0};
    schema_read(load, &schema_size, map, &raw);
    catalog->size = column(load, raw.column, CATALOG_SIZE);
    if (raw.unit == NULL)
        return;
    catalog->size_unit = size_unit(raw.unit->text);
    if (catalog->size_unit > 0)
        return;
    struct diag *diag = diag_add(load->diags, DIAG_SIZE, raw.unit->span, "%s is no unit of sizes",
                                 scalar_shown(load, raw.unit));
    diag->label = "not a unit";
    diag->help = "B, kB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB (powers of 1024)";
}

static bool check_field_name(struct load *load, struct node *key)
{
    if (!scalar_name(load, key))
        return false;
    bool taken = schema_find(&schema_select, key->text) != NULL;
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        taken |= str_equal(key->text, reserved[i]);
    if (!taken)
        return true;
    struct diag *diag = diag_add(load->diags, DIAG_FIELD_NAME, key->span,
                                 "a field can't be called %s", scalar_shown(load, key));
    diag->label = "selections mean something else by it";
    diag->help = "the name is yours to choose: only the column's is given";
    return false;
}

static void read_fields(struct load *load, struct node *map)
{
    struct catalog_config *catalog = &load->policies->catalog;
    if (map->count > EXTRA_FIELDS_MAX) {
        diag_add(load->diags, DIAG_TOO_MANY, map->key->span, "more than %d fields",
                 EXTRA_FIELDS_MAX)
            ->label = "too many";
        return;
    }
    struct catalog_field *fields = arena_make(load->arena, map->count * sizeof *fields);
    catalog->fields = fields;
    for (struct node *value = map->first; value != NULL; value = value->next) {
        if (value->broken || !check_field_name(load, value->key) || !scalar_text(load, value)) {
            load->fields_known = false;
            continue;
        }
        size_t part = CATALOG_FIELD + catalog->field_count;
        fields[catalog->field_count++] =
            (struct catalog_field){value->key->text, column(load, value, part)};
    }
}

static void read_references(struct load *load, struct node *list)
{
    struct catalog_config *catalog = &load->policies->catalog;
    if (list->count > CATALOG_REFERENCES_MAX) {
        diag_add(load->diags, DIAG_TOO_MANY, list->key->span, "more than %d references",
                 CATALOG_REFERENCES_MAX)
            ->label = "too many";
        return;
    }
    struct catalog_reference *references =
        arena_make(load->arena, list->count * sizeof *references);
    catalog->references = references;
    for (struct node *item = list->first; item != NULL; item = item->next) {
        struct raw_reference raw = {0};
        if (!schema_map(load, item, "a reference"))
            continue;
        schema_read(load, &schema_reference, item, &raw);
        size_t part = catalog_reference_part(catalog, catalog->reference_count);
        references[catalog->reference_count++] = (struct catalog_reference){
            table(load, raw.table, part), column(load, raw.column, part + 1)};
    }
}

/* ---- what a cut-over sets ---- */

/* SQLite's names are the same in capitals. */
static bool is_column(const struct catalog_config *catalog, const char *column, const char *name)
{
    if (column == NULL || catalog->type != CATALOG_SQLITE)
        return str_equal(column, name);
    return strcasecmp(column, name) == 0;
}

static bool check_set(struct load *load, struct node *key, size_t part)
{
    const struct catalog_config *catalog = &load->policies->catalog;
    if (!scalar_text(load, key) || column(load, key, part) == NULL)
        return false;
    bool is_id = is_column(catalog, catalog->id, key->text);
    if (!is_id && !is_column(catalog, catalog->location, key->text))
        return true;
    struct diag *diag = diag_add(load->diags, DIAG_SET, key->span, "`set` can't name the %s, %s",
                                 is_id ? "id" : "location", scalar_shown(load, key));
    diag->label = is_id ? "it tells rows apart" : "every cut-over sets it already";
    return false;
}

void model_catalog_read_set(struct load *load, struct node *map, struct policy_store *store)
{
    struct catalog_config *catalog = &load->policies->catalog;
    if (map->count > CATALOG_SETS_MAX) {
        diag_add(load->diags, DIAG_TOO_MANY, map->key->span, "more than %d columns",
                 CATALOG_SETS_MAX)
            ->label = "too many";
        return;
    }
    size_t count = catalog->set_count;
    struct catalog_set *sets = arena_make(load->arena, (count + map->count) * sizeof *sets);
    if (count > 0)
        memcpy(sets, catalog->sets, count * sizeof *sets);
    for (struct node *value = map->first; value != NULL; value = value->next) {
        size_t part = catalog_set_part(catalog, count);
        if (!value->broken && check_set(load, value->key, part) && scalar_value(load, value))
            sets[count++] =
                (struct catalog_set){value->key->text, scalar_is_null(value) ? NULL : value->text};
    }
    store->sets = sets + catalog->set_count;
    store->set_count = count - catalog->set_count;
    catalog->sets = sets;
    catalog->set_count = count;
}

/* ---- all of it ---- */

static void read_parts(struct load *load, const struct raw_catalog *raw)
{
    struct catalog_config *catalog = &load->policies->catalog;
    catalog->type = raw->type;
    catalog->by_object = raw->unit == 1;
    catalog->table = table(load, raw->table, CATALOG_TABLE);
    catalog->id = column(load, raw->id, CATALOG_ID);
    catalog->location = column(load, raw->location, CATALOG_LOCATION);
    if (raw->connection != NULL) {
        load->policies->extra->connection = raw->connection->key->span;
        read_connection(load, raw->connection);
    }
    if (raw->path != NULL) {
        load->policies->extra->connection = raw->path->span;
        catalog->path = load_path(load, raw->path);
    }
    if (raw->time != NULL)
        read_time(load, raw->time);
    if (raw->size != NULL)
        read_size(load, raw->size);
    if (raw->fields != NULL)
        read_fields(load, raw->fields);
    if (raw->references != NULL)
        read_references(load, raw->references);
}

void model_catalog_read(struct load *load, struct node *node)
{
    struct raw_catalog raw = {0};
    const struct schema *schema = schema_variant(load, node, "a catalog", schema_catalogs);
    if (schema == NULL)
        return;
    schema_read(load, schema, node, &raw);
    /* Where a key was misread, what it would have declared is not known. */
    load->fields_known = load->time_known = load->size_known = true;
    for (const struct node *value = node->first; value != NULL; value = value->next) {
        load->fields_known &= !value->broken;
        load->time_known &= !value->broken;
        load->size_known &= !value->broken;
    }
    read_parts(load, &raw);
    if (raw.time != NULL && load->policies->catalog.time == NULL)
        load->time_known = false;
    if (raw.size != NULL && load->policies->catalog.size == NULL)
        load->size_known = false;
}
