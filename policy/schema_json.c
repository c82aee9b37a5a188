#include "policy/schema_json.h"

#include <assert.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "policy/schema.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define REFERENCE_MAX 64
#define TITLE_MAX 64
#define LINES 4 /* a key of a definition has one */

/* ---- scalars ---- */

/* A var may stand for every scalar.  It has no quotes then, which a schema can't see. */
#define VAR "\\$[A-Za-z_][A-Za-z0-9_]*"
#define ONLY_VAR "^" VAR "$"
#define OR_VAR(pattern) "^(" pattern "|" VAR ")$"

/* A character that begins no ${..}, and the whole of a ${NAME}, ${file:PATH} or ${credential:NAME},
 * each with or without a default. */
#define NO_REFERENCE "[^$]|\\$(?!\\{)"
#define INSIDE "([^}$]|\\$(?!\\{))"
#define REFERRED "([A-Za-z_][A-Za-z0-9_]*|(file|credential):(?!:?-)" INSIDE "+)"
#define REFERENCE "\\$\\{" REFERRED "(:-" INSIDE "*)?\\}"

#define SIZE "[0-9]+(B|(\\.[0-9]+)?([kKMGTPE]|[KMGTPE]i)B)"
#define PERCENT "0*(100(\\.0{1,4})?|[0-9]{1,2}(\\.[0-9]{1,4})?)%"
#define DATE "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"

#define CLOCK "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?"
#define OFFSET "([Zz]|[-+]([01][0-9]|2[0-3]):[0-5][0-9])"

#define WEEKDAY "(mon|tue|wed|thu|fri|sat|sun)"
#define DAYS WEEKDAY "(-" WEEKDAY ")?"

/* A text need not be quoted, so 5432 and true, which YAML takes for more, are texts as well. */
#define ANY_SCALAR "string", "number", "boolean"

/* The definition that a type of the table has, by its name; and the form of a scalar: which types
 * of JSON it may be, the pattern of a string, the bounds of a number (a maximum of 0: none).     */
static const struct definition {
    const char *name;
    const char *types[5];
    const char *pattern;
    int64_t minimum, maximum;
} definitions[] = {
    [SCHEMA_TEXT] = {"text", {ANY_SCALAR}, "^(" NO_REFERENCE ")+$"},
    [SCHEMA_PROSE] = {"prose", {ANY_SCALAR, "null"}},
    [SCHEMA_VALUE] = {"value", {ANY_SCALAR, "null"}, "^(" NO_REFERENCE ")*$"},
    [SCHEMA_NAME] = {"name", {ANY_SCALAR}, OR_VAR("[A-Za-z0-9][A-Za-z0-9._-]{0,63}")},
    [SCHEMA_ENV] = {"environment", {ANY_SCALAR}, "^(" NO_REFERENCE "|" REFERENCE ")*$"},
    [SCHEMA_SECRET] = {"environment"},
    [SCHEMA_BOOLEAN] = {"boolean", {"boolean", "string"}, ONLY_VAR},
    [SCHEMA_INTEGER] = {"integer", {"integer", "string"}, ONLY_VAR, INT32_MIN, INT32_MAX},
    [SCHEMA_COUNT] = {"count", {"integer", "string"}, ONLY_VAR, 0, INT64_MAX - 1},
    [SCHEMA_SIZE] = {"size", {"string"}, OR_VAR(SIZE)},
    [SCHEMA_PERCENT] = {"percent", {"string"}, OR_VAR(PERCENT)},
    [SCHEMA_DURATION] = {"duration", {"string"}, OR_VAR("[0-9]+(s|m|h|d|w|mo|y)")},
    [SCHEMA_SPAN] = {"span", {"string"}, OR_VAR("[0-9]+[smhdw]")},
    [SCHEMA_DATE] = {"date", {"string"}, OR_VAR(DATE)},
    [SCHEMA_INSTANT] = {"instant", {"string"}, OR_VAR(DATE "([Tt ]" CLOCK OFFSET ")?")},
    [SCHEMA_DAYS] = {"days", {"string"}, OR_VAR(DAYS "(, *" DAYS ")*")},
    [SCHEMA_CLOCK] = {"clock", {"string"}, OR_VAR("(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)")},
    [SCHEMA_SELECT] = {"selection"},
    [SCHEMA_TESTS] = {"test"},
};

/* An object that is the value of a key. */
static void begin(struct json_writer *json, const char *key)
{
    json_key(json, key);
    json_object_begin(json);
}

static void put_texts(struct json_writer *json, const char *key, const char *const *texts)
{
    json_key(json, key);
    json_array_begin(json);
    for (; *texts != NULL; texts++)
        json_text(json, *texts);
    json_array_end(json);
}

static void put_scalar(struct json_writer *json, const struct definition *scalar)
{
    begin(json, scalar->name);
    put_texts(json, "type", scalar->types);
    if (scalar->pattern != NULL)
        json_put_text(json, "pattern", scalar->pattern);
    if (scalar->maximum > 0) {
        json_put_integer(json, "minimum", scalar->minimum);
        json_put_integer(json, "maximum", scalar->maximum);
    }
    json_object_end(json);
}

/* ---- keys ---- */

/* Parts that stand in the definitions, because they are long or are met more than once. */
static const struct {
    const char *name;
    const struct schema *schema;
} parts[] = {
    {"connection", &schema_connection}, {"hold", &schema_hold},     {"policy", &schema_policy},
    {"cleanup", &schema_cleanup},       {"guards", &schema_guards}, {"case", &schema_test},
};

static void put_value(struct json_writer *json, const struct schema_key *key, enum schema_type type,
                      const char *text);

static void put_reference(struct json_writer *json, const char *name)
{
    char reference[REFERENCE_MAX];
    snprintf(reference, sizeof reference, "#/definitions/%s", name);
    json_put_text(json, "$ref", reference);
}

/* In draft 7 what stands beside a $ref is ignored: a description needs it a level down. */
static void put_described(struct json_writer *json, const char *name, const char *text)
{
    if (text == NULL) {
        put_reference(json, name);
        return;
    }
    json_key(json, "allOf");
    json_array_begin(json);
    json_object_begin(json);
    put_reference(json, name);
    json_object_end(json);
    json_array_end(json);
}

static void put_choices(struct json_writer *json, const char *const *choices)
{
    json_key(json, "anyOf");
    json_array_begin(json);
    json_object_begin(json);
    put_texts(json, "enum", choices);
    json_object_end(json);
    json_object_begin(json);
    put_reference(json, "var");
    json_object_end(json);
    json_array_end(json);
}

static void put_required(struct json_writer *json, const struct schema *schema)
{
    size_t count = 0;
    for (const struct schema_key *key = schema->keys; key->name != NULL; key++) {
        if (!key->required)
            continue;
        if (count++ == 0) {
            json_key(json, "required");
            json_array_begin(json);
        }
        json_text(json, key->name);
    }
    if (count > 0)
        json_array_end(json);
}

/* A map with the schema's keys and no other ones; of a selection and of a recording the others are
 * fields.                                                                                        */
static void put_keys(struct json_writer *json, const struct schema *schema)
{
    json_put_text(json, "type", "object");
    json_put_integer(json, "minProperties", 1);
    put_required(json, schema);
    begin(json, "properties");
    for (const struct schema_key *key = schema->keys; key->name != NULL; key++) {
        json_key(json, key->name);
        put_value(json, key, key->type, key->text);
    }
    json_object_end(json);
    json_key(json, "additionalProperties");
    if (schema == &schema_select)
        put_value(json, NULL, SCHEMA_TESTS, "a field of the catalog");
    else if (schema == &schema_recording)
        put_value(json, NULL, SCHEMA_PROSE, "a field of the catalog");
    else
        json_boolean(json, false);
}

/* If the type is this one, the keys are those of the definition of its name. */
static void put_variant(struct json_writer *json, const struct schema_key *type, const char *choice)
{
    json_object_begin(json);
    begin(json, "if");
    put_texts(json, "required", (const char *const[]){type->name, NULL});
    begin(json, "properties");
    begin(json, type->name);
    json_put_text(json, "const", choice);
    json_object_end(json);
    json_object_end(json);
    json_object_end(json);
    begin(json, "then");
    put_reference(json, choice);
    json_object_end(json);
    json_object_end(json);
}

/* Of a var in the place of the type a schema can't know what it stands for: all keys pass then. */
static void put_variants(struct json_writer *json, const struct schema *const *variants)
{
    const struct schema_key *type = schema_find(variants[0], "type");
    json_put_text(json, "type", "object");
    put_texts(json, "required", (const char *const[]){type->name, NULL});
    begin(json, "properties");
    json_key(json, type->name);
    put_value(json, type, type->type, type->text);
    json_object_end(json);
    json_key(json, "allOf");
    json_array_begin(json);
    for (size_t i = 0; type->choices[i] != NULL; i++)
        put_variant(json, type, type->choices[i]);
    json_array_end(json);
}

static void put_object(struct json_writer *json, const struct schema_key *key, const char *text)
{
    if (key->variants != NULL) {
        put_variants(json, key->variants);
        return;
    }
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (parts[i].schema == key->object) {
            put_described(json, parts[i].name, text);
            return;
        }
    }
    put_keys(json, key->object);
}

/* The type is the key's own or that of its items; items have no text. */
static void put_value(struct json_writer *json, const struct schema_key *key, enum schema_type type,
                      const char *text)
{
    json_object_begin(json);
    if (text != NULL)
        json_put_text(json, "description", text);
    switch (type) {
    case SCHEMA_LIST:
        json_put_text(json, "type", "array");
        json_put_integer(json, "minItems", 1);
        json_key(json, "items");
        put_value(json, key, key->item, NULL);
        break;
    case SCHEMA_MAP:
        json_put_text(json, "type", "object");
        json_put_integer(json, "minProperties", 1);
        json_key(json, "additionalProperties");
        put_value(json, key, key->item, NULL);
        break;
    case SCHEMA_OBJECT:
        put_object(json, key, text);
        break;
    case SCHEMA_CHOICE:
        put_choices(json, key->choices);
        break;
    default:
        assert(type < COUNT(definitions) && definitions[type].name != NULL);
        put_described(json, definitions[type].name, text);
        break;
    }
    json_object_end(json);
}

/* ---- the document ---- */

static void put_part(struct json_writer *json, const char *name, const struct schema *schema)
{
    begin(json, name);
    put_keys(json, schema);
    json_object_end(json);
}

/* A value that a field is equal to, or tests. */
static void put_tests(struct json_writer *json)
{
    begin(json, definitions[SCHEMA_TESTS].name);
    json_key(json, "anyOf");
    json_array_begin(json);
    put_value(json, NULL, SCHEMA_TEXT, NULL);
    json_object_begin(json);
    put_keys(json, &schema_tests);
    json_object_end(json);
    json_array_end(json);
    json_object_end(json);
}

static void put_all_variants(struct json_writer *json, const struct schema *const *variants)
{
    const struct schema_key *type = schema_find(variants[0], "type");
    for (size_t i = 0; type->choices[i] != NULL; i++)
        put_part(json, type->choices[i], variants[i]);
}

static void put_definitions(struct json_writer *json)
{
    static const struct definition var = {.name = "var", .types = {"string"}, .pattern = ONLY_VAR};
    begin(json, "definitions");
    put_scalar(json, &var);
    for (size_t i = 0; i < COUNT(definitions); i++) {
        if (definitions[i].types[0] != NULL)
            put_scalar(json, &definitions[i]);
    }
    put_part(json, definitions[SCHEMA_SELECT].name, &schema_select);
    put_tests(json);
    for (size_t i = 0; i < COUNT(parts); i++)
        put_part(json, parts[i].name, parts[i].schema);
    for (const struct schema_key *key = schema_root.keys; key->name != NULL; key++) {
        if (key->variants != NULL)
            put_all_variants(json, key->variants);
    }
    json_object_end(json);
}

void schema_json_write(const struct schema *root, struct buf *out)
{
    struct json_writer json;
    char title[TITLE_MAX];
    snprintf(title, sizeof title, "%s of frostline", root->noun);
    json_begin(&json, out);
    json.lines = LINES;
    json_object_begin(&json);
    json_put_text(&json, "$schema", "http://json-schema.org/draft-07/schema#");
    json_put_text(&json, "title", title);
    put_keys(&json, root);
    put_definitions(&json);
    json_object_end(&json);
    buf_char(out, '\n');
}
