#include "policy/model.h"

#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/str.h"
#include "policy/diag_codes.h"
#include "policy/extra.h"
#include "policy/load.h"
#include "policy/scalar.h"
#include "policy/schema.h"
#include "policy/tree.h"
#include "state/location.h"

/* ---- fields ----
 *
 * No database says what type a column has: what all tests write for it does.  In quotes it is
 * text; a column with values of several types is text, but for numbers and for times.           */

static bool is_null(const struct node *node)
{
    return scalar_is_null(node) || (node->plain && node->text[0] == '\0');
}

static struct value text_value(const char *text)
{
    return (struct value){.kind = VALUE_TEXT, .text = {text, (uint32_t)strlen(text)}};
}

/* The value that a scalar alone would be. */
static struct value value_of(const struct node *node)
{
    const char *text = node->text;
    struct when_date date;
    struct decimal number;
    int64_t instant_us;
    struct err err;
    if (!node->plain)
        return text_value(text);
    if (is_null(node))
        return (struct value){.kind = VALUE_NULL};
    if (str_equal(text, "true") || str_equal(text, "false"))
        return (struct value){.kind = VALUE_BOOLEAN, .boolean = text[0] == 't'};
    if (when_date_read(text, &date, &err))
        return (struct value){.kind = VALUE_DATE, .instant_us = when_days(date) * WHEN_DAY_US};
    if (when_instant_read(text, &instant_us, &err))
        return (struct value){.kind = VALUE_INSTANT, .instant_us = instant_us};
    if (scalar_read_decimal(text, &number))
        return (struct value){.kind = VALUE_DECIMAL, .decimal = number};
    return text_value(text);
}

static enum value_kind join_kinds(enum value_kind a, enum value_kind b)
{
    if (a == b || b == VALUE_NULL)
        return a;
    if (a == VALUE_NULL)
        return b;
    bool are_times =
        (a == VALUE_DATE && b == VALUE_INSTANT) || (a == VALUE_INSTANT && b == VALUE_DATE);
    return are_times ? VALUE_INSTANT : VALUE_TEXT;
}

static size_t find_field(const struct catalog_config *catalog, const char *name)
{
    size_t field = 0;
    while (field < catalog->field_count && !str_equal(catalog->fields[field].name, name))
        field++;
    return field;
}

/* What the recordings of one test add to what is known of the columns. */
static void learn_kinds(struct load *load, const struct node *recordings)
{
    struct policies *policies = load->policies;
    for (const struct node *map = recordings->first; map != NULL; map = map->next) {
        const struct node *first = map->kind == NODE_MAP ? map->first : NULL;
        for (const struct node *value = first; value != NULL; value = value->next) {
            size_t field = find_field(&policies->catalog, value->key->text);
            if (value->kind != NODE_SCALAR || field == policies->catalog.field_count)
                continue;
            enum value_kind *kind = &policies->test_shape.fields[field];
            *kind = join_kinds(*kind, value_of(value).kind);
        }
    }
}

static struct value value_as(const struct node *node, enum value_kind kind)
{
    struct value value = value_of(node);
    return kind == VALUE_TEXT && value.kind != VALUE_NULL ? text_value(node->text) : value;
}

/* ---- recordings ---- */

static void refuse_column(struct load *load, const struct node *value, int code, const char *key)
{
    diag_add(load->diags, code, value->key->span, "the catalog has no `%s`", key)->label =
        "so no recording has one";
}

/* "hot:a/b" is the key a/b of that store; any other text is the location as it is. */
static const char *location_of(struct load *load, struct node *node, uint16_t *in)
{
    const struct places *places = &load->policies->places;
    const char *colon = strchr(node->text, ':');
    uint16_t store;
    if (colon == NULL || str_starts(colon, "://"))
        return node->text;
    struct node name = *node;
    name.text = str_copy(load->arena, node->text, (size_t)(colon - node->text));
    if (!load_find_store(load, &name, &store) || load->stores_broken)
        return NULL; /* where a broken store is can't be said */
    *in = store;
    return location_make(&places->items[store], "", colon + 1, load->arena);
}

static void read_fields(struct load *load, struct node *map, struct record *record)
{
    const struct catalog_config *catalog = &load->policies->catalog;
    struct value *fields = arena_make(load->arena, (catalog->field_count + 1) * sizeof *fields);
    for (struct node *value = map->first; value != NULL; value = value->next) {
        size_t field = find_field(catalog, value->key->text);
        if (field == catalog->field_count || value->broken)
            continue;
        if (value->kind == NODE_SCALAR)
            fields[field] = value_as(value, load->policies->test_shape.fields[field]);
        else
            value->broken = !scalar_text(load, value);
    }
    record->fields = fields;
    record->field_count = catalog->field_count;
}

static void read_recording(struct load *load, struct node *map, struct record *record,
                           uint16_t *store)
{
    const struct catalog_config *catalog = &load->policies->catalog;
    const char **names = arena_make(load->arena, (catalog->field_count + 1) * sizeof *names);
    struct raw_recording raw = {0};
    for (size_t i = 0; i < catalog->field_count; i++)
        names[i] = catalog->fields[i].name;
    if (!schema_map(load, map, "a recording"))
        return;
    schema_read_open(load, &schema_recording, map, load->fields_known ? names : NULL, &raw);
    record->id = raw.id == NULL ? "" : raw.id->text;
    if (raw.location != NULL)
        record->location = location_of(load, raw.location, store);
    if (raw.time != NULL && catalog->time == NULL && load->time_known)
        refuse_column(load, raw.time, DIAG_NO_TIME, "time");
    else if (raw.time != NULL && !is_null(raw.time))
        record->has_time = scalar_instant(load, raw.time, &record->time_us);
    if (raw.size != NULL && catalog->size == NULL && load->size_known)
        refuse_column(load, raw.size, DIAG_NO_SIZE, "size");
    else if (raw.size != NULL && !is_null(raw.size))
        record->has_bytes = scalar_size(load, raw.size, &record->bytes);
    read_fields(load, map, record);
}

/* ---- expectations ---- */

static void refuse_twice(struct load *load, const struct node *id)
{
    diag_add(load->diags, DIAG_SAME_NAME, id->span, "a second `%s`", id->text)->label =
        "the test has one of that id";
}

/* ids: of the recordings; met: of those that something is expected of already. */
static void read_expected(struct load *load, struct node *map, const struct schema *schema,
                          const struct map *ids, struct map *met, struct policy_test *test)
{
    struct policy_expected *expected = &test->expected[test->expected_count];
    struct raw_expected raw = {0};
    uint16_t policy;
    size_t index;
    if (!schema_map(load, map, schema->noun))
        return;
    schema_read(load, schema, map, &raw);
    if (raw.id == NULL)
        return;
    *expected = (struct policy_expected){.at = extra_where(load->policies, map->span, load->arena),
                                         .id = raw.id->text,
                                         .moves = schema == &schema_expect_move,
                                         .policy = raw.policy == NULL ? NULL : raw.policy->text,
                                         .target = POLICY_NO_INDEX,
                                         .because = raw.because == NULL ? NULL : raw.because->text};
    test->expected_count++;
    if (!map_find(ids, raw.id->text, &index))
        diag_add(load->diags, DIAG_TEST_ID, raw.id->span, "%s is no recording of this test",
                 scalar_shown(load, raw.id))
            ->label = "nothing can be expected of it";
    else if (!map_put(met, raw.id->text, 0))
        refuse_twice(load, raw.id);
    if (raw.policy != NULL && !load_find_policy(load, raw.policy, &policy))
        raw.policy->broken = true;
    if (raw.to != NULL && !load_find_store(load, raw.to, &expected->target))
        raw.to->broken = true;
}

static void read_expectations(struct load *load, struct node *map, const struct map *ids,
                              struct policy_test *test)
{
    struct raw_expect raw = {0};
    struct map met;
    map_init(&met, load->arena);
    schema_read(load, &schema_expect, map, &raw);
    size_t count =
        (raw.move == NULL ? 0 : raw.move->count) + (raw.stay == NULL ? 0 : raw.stay->count);
    test->expected = arena_make(load->arena, count * sizeof *test->expected);
    for (struct node *item = raw.move == NULL ? NULL : raw.move->first; item != NULL;
         item = item->next)
        read_expected(load, item, &schema_expect_move, ids, &met, test);
    for (struct node *item = raw.stay == NULL ? NULL : raw.stay->first; item != NULL;
         item = item->next)
        read_expected(load, item, &schema_expect_stay, ids, &met, test);
}

/* ---- where the recordings are ---- */

static void refuse_store(struct load *load, const struct node *first, const struct node *second,
                         const char *first_store, const char *second_store)
{
    struct diag *diag = diag_add(
        load->diags, DIAG_TEST_STORES, second->span, "one %s is in two stores, `%s` and `%s`",
        load->policies->places.by_object ? "object" : "directory", first_store, second_store);
    diag->label = "the other store of the same place";
    diag->has_second = true;
    diag->second = first->span;
    diag->second_label = "it is in this one";
}

/* Stores of one place have the same locations: what is there has one tier, and so one store.
 * nodes: the location of each recording. */
static void check_stores(struct load *load, const struct node *const *nodes,
                         const struct policy_test *test)
{
    const struct places *places = &load->policies->places;
    const struct policy_store *stores = load->policies->stores;
    struct map units;
    map_init(&units, load->arena);
    for (size_t i = 0; i < test->recording_count; i++) {
        const char *text = test->recordings[i].location;
        struct location location;
        size_t first;
        if (test->stores[i] == POLICY_NO_INDEX ||
            location_read(places, text, load->arena, &location) > SPELLING_IRREGULAR)
            continue;
        const char *unit =
            location_make(&places->items[location.place], location.unit, "", load->arena);
        if (!map_find(&units, unit, &first)) {
            map_put(&units, unit, i);
            continue;
        }
        const struct policy_store *one = &stores[test->stores[first]];
        const struct policy_store *other = &stores[test->stores[i]];
        if (one->tier != other->tier)
            refuse_store(load, nodes[first], nodes[i], one->name, other->name);
    }
}

/* ---- tests ---- */

static void read_recordings(struct load *load, struct node *list, struct map *ids,
                            struct policy_test *test)
{
    test->recordings = arena_make(load->arena, list->count * sizeof *test->recordings);
    test->stores = arena_make(load->arena, list->count * sizeof *test->stores);
    const struct node **locations = arena_make(load->arena, list->count * sizeof *locations);
    for (struct node *item = list->first; item != NULL; item = item->next) {
        struct record *record = &test->recordings[test->recording_count];
        uint16_t *store = &test->stores[test->recording_count];
        *store = POLICY_NO_INDEX;
        read_recording(load, item, record, store);
        const struct node *id = item->kind == NODE_MAP ? tree_find(item, "id") : NULL;
        if (id == NULL || id->broken || record->id[0] == '\0')
            continue;
        if (!map_put(ids, record->id, test->recording_count))
            refuse_twice(load, id);
        locations[test->recording_count++] = tree_find(item, "location");
    }
    check_stores(load, locations, test);
}

static void read_test(struct load *load, struct node *item, struct policy_test *test)
{
    struct raw_test raw = {0};
    struct map ids;
    map_init(&ids, load->arena);
    schema_read(load, &schema_test, item, &raw);
    char *name = arena_copy(load->arena, raw.name == NULL ? "" : raw.name->text);
    str_tame(name);
    test->name = name;
    test->at = extra_where(load->policies, item->span, load->arena);
    test->as_of_us = raw.as_of_us;
    if (raw.recordings != NULL)
        read_recordings(load, raw.recordings, &ids, test);
    /* Recordings that were misread are no missing ones. */
    if (raw.expect != NULL && raw.recordings != NULL &&
        test->recording_count == raw.recordings->count)
        read_expectations(load, raw.expect, &ids, test);
}

void model_tests_read(struct load *load, struct node *list)
{
    struct policies *policies = load->policies;
    size_t fields = policies->catalog.field_count + 1;
    policies->tests = arena_make(load->arena, list->count * sizeof *policies->tests);
    policies->test_shape = (struct catalog_shape){
        .identity = "tests",
        .time = policies->catalog.time == NULL ? VALUE_NULL : VALUE_INSTANT,
        .size = policies->catalog.size == NULL ? VALUE_NULL : VALUE_INTEGER,
        .fields = arena_make(load->arena, fields * sizeof *policies->test_shape.fields),
        .location_indexed = true};
    for (struct node *item = list->first; item != NULL; item = item->next) {
        const struct node *recordings =
            item->kind == NODE_MAP ? tree_find(item, "recordings") : NULL;
        if (recordings != NULL && recordings->kind == NODE_LIST)
            learn_kinds(load, recordings);
    }
    for (struct node *item = list->first; item != NULL; item = item->next) {
        if (schema_map(load, item, "a test"))
            read_test(load, item, &policies->tests[policies->test_count++]);
    }
}
