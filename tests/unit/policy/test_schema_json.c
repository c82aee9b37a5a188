/* The JSON Schema says what the table says: every key of every table, as it is there. */
#include "base/file.h"
#include "base/json.h"
#include "policy/schema.h"
#include "policy/schema_json.h"
#include "tests/unit/policy/fixture.h"

#define PREFIX "#/definitions/"

static struct buf text;
static struct json *root;
static bool selection_met;

static void check_keys(const struct schema *schema, const struct json *object);

/* What a $ref stands for, alone or below a description. */
static const struct json *resolve(const struct json *value)
{
    const struct json *all = json_find(value, "allOf");
    if (all != NULL && json_count(all) == 1)
        value = json_item(all, 0);
    const char *reference = json_as_text(json_find(value, "$ref"));
    if (reference == NULL)
        return value;
    assert_true(str_starts(reference, PREFIX));
    value = json_find(json_find(root, "definitions"), reference + strlen(PREFIX));
    if (value == NULL)
        fail_msg("nothing is at %s", reference);
    return value;
}

static void assert_text(const struct json *object, const char *key, const char *want)
{
    const char *found;
    struct err err;
    if (!json_get_text(object, key, &found, &err))
        fail_msg("%s", err.text);
    assert_string_equal(found, want);
}

static void assert_one_at_least(const struct json *object, const char *key)
{
    int64_t least;
    struct err err;
    assert_true(json_get_integer(object, key, &least, &err));
    assert_int_equal(least, 1);
}

static bool has_text(const struct json *array, const char *want)
{
    bool found = false;
    for (size_t i = 0; array != NULL && i < json_count(array); i++)
        found |= str_equal(json_as_text(json_item(array, i)), want);
    return found;
}

static void check_choices(const char *const *choices, const struct json *value)
{
    const struct json *known = json_find(json_item(json_find(value, "anyOf"), 0), "enum");
    size_t count = 0;
    for (; choices[count] != NULL; count++)
        assert_string_equal(json_as_text(json_item(known, count)), choices[count]);
    assert_int_equal(json_count(known), count);
}

static void check_variants(const struct schema *const *variants, const struct json *value)
{
    const struct schema_key *type = schema_find(variants[0], "type");
    const struct json *all = json_find(value, "allOf");
    size_t count = 0;
    assert_true(has_text(json_find(value, "required"), "type"));
    check_choices(type->choices, json_find(json_find(value, "properties"), "type"));
    for (; type->choices[count] != NULL; count++) {
        const struct json *one = json_item(all, count);
        const struct json *condition = json_find(json_find(one, "if"), "properties");
        assert_text(json_find(condition, "type"), "const", type->choices[count]);
        check_keys(variants[count], resolve(json_find(one, "then")));
    }
    assert_int_equal(json_count(all), count);
}

/* The keys of selections, once, and what stands for fields. */
static void check_selection(const struct json *selection)
{
    if (selection_met)
        return;
    selection_met = true;
    check_keys(&schema_select, selection);
    const struct json *test = resolve(json_find(selection, "additionalProperties"));
    assert_int_equal(json_count(json_find(test, "anyOf")), 2);
    check_keys(&schema_tests, json_item(json_find(test, "anyOf"), 1));
}

static void check_value(const struct schema_key *key, enum schema_type type,
                        const struct json *value)
{
    const struct json *meant = resolve(value);
    switch (type) {
    case SCHEMA_LIST:
        assert_text(value, "type", "array");
        assert_one_at_least(value, "minItems");
        check_value(key, key->item, json_find(value, "items"));
        break;
    case SCHEMA_MAP:
        assert_text(value, "type", "object");
        assert_one_at_least(value, "minProperties");
        check_value(key, key->item, json_find(value, "additionalProperties"));
        break;
    case SCHEMA_OBJECT:
        if (key->variants != NULL)
            check_variants(key->variants, value);
        else
            check_keys(key->object, meant);
        break;
    case SCHEMA_CHOICE:
        check_choices(key->choices, value);
        break;
    case SCHEMA_SELECT:
        check_selection(meant);
        break;
    default:
        assert_true(json_is_array(json_find(meant, "type")));
        break;
    }
}

/* All of the schema's keys and no other ones. */
static void check_keys(const struct schema *schema, const struct json *object)
{
    const struct json *properties = json_find(object, "properties");
    size_t count = 0;
    assert_text(object, "type", "object");
    assert_one_at_least(object, "minProperties");
    for (const struct schema_key *key = schema->keys; key->name != NULL; key++, count++) {
        const struct json *value = json_find(properties, key->name);
        if (value == NULL)
            fail_msg("%s has no `%s`", schema->noun, key->name);
        assert_text(value, "description", key->text);
        assert_int_equal(has_text(json_find(object, "required"), key->name), key->required);
        check_value(key, key->type, value);
    }
    assert_int_equal(json_count(properties), count);

    bool has_fields = schema == &schema_select || schema == &schema_recording, more = true;
    struct err err;
    if (!has_fields)
        assert_true(json_get_boolean(object, "additionalProperties", &more, &err));
    assert_int_equal(more, has_fields);
}

static void each_key_of_each_table_is_there(void **state)
{
    (void)state;
    selection_met = false;
    check_keys(&schema_root, root);
    assert_true(selection_met);
    assert_text(root, "$schema", "http://json-schema.org/draft-07/schema#");
}

static void the_same_bytes_each_time(void **state)
{
    (void)state;
    struct buf again;
    buf_init(&again, FIXTURE_OUT_BYTES);
    schema_json_write(&schema_root, &again);
    assert_string_equal(buf_string(&again), buf_string(&text));
    buf_free(&again);
}

/* FROSTLINE_GOLDEN=write writes it. */
static void check_shipped(const char *name, const struct buf *want)
{
    struct arena arena;
    struct err err;
    char *bytes;
    size_t size;
    const char *mode = getenv("FROSTLINE_GOLDEN");
    if (mode != NULL && str_equal(mode, "write")) {
        FILE *file = fopen(name, "w");
        assert_non_null(file);
        assert_true(fputs(buf_string(want), file) >= 0);
        assert_int_equal(fclose(file), 0);
    }
    arena_init(&arena, FIXTURE_ARENA_BYTES);
    if (!file_read(name, FIXTURE_OUT_BYTES, &arena, &bytes, &size, &err))
        fail_msg("%s", err.text);
    assert_string_equal(bytes, buf_string(want));
    arena_free(&arena);
}

static void those_in_examples_are_these(void **state)
{
    (void)state;
    struct buf tests;
    fixture_enter("examples");
    check_shipped("policy.schema.json", &text);
    buf_init(&tests, FIXTURE_OUT_BYTES);
    schema_json_write(&schema_tests_file, &tests);
    check_shipped("tests.schema.json", &tests);
    buf_free(&tests);
}

static void files_of_tests_have_their_keys_too(void **state)
{
    (void)state;
    struct json *policy = root;
    struct buf tests;
    struct err err;
    buf_init(&tests, FIXTURE_OUT_BYTES);
    schema_json_write(&schema_tests_file, &tests);
    assert_true(json_read(tests.bytes, tests.size, &root, &err));
    check_keys(&schema_tests_file, root);
    json_free(root);
    root = policy;
    buf_free(&tests);
}

static int enter(void **state)
{
    (void)state;
    struct err err;
    buf_init(&text, FIXTURE_OUT_BYTES);
    schema_json_write(&schema_root, &text);
    if (!json_read(text.bytes, text.size, &root, &err))
        fail_msg("%s", err.text);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    json_free(root);
    buf_free(&text);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_of_each_table_is_there),
        cmocka_unit_test(the_same_bytes_each_time),
        cmocka_unit_test(files_of_tests_have_their_keys_too),
        cmocka_unit_test(those_in_examples_are_these),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
