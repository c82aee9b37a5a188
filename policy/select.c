#include "policy/select.h"

#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/zone.h"
#include "policy/clause.h"
#include "policy/diag_codes.h"
#include "policy/extra.h"
#include "policy/load.h"
#include "policy/scalar.h"
#include "policy/schema.h"
#include "policy/tree.h"

#define CAPACITY_FIRST 16

/* Grows while it is written, so nothing points into it before it is complete. */
struct builder {
    struct load *load;
    struct clause *items;
    size_t count, capacity;
    unsigned depth;
    bool is_asked; /* by a request */
    struct node *everything;
};

static size_t add(struct builder *builder, enum clause_kind kind, struct span span,
                  const char *words)
{
    struct arena *arena = builder->load->arena;
    if (builder->count == builder->capacity) {
        size_t capacity = builder->capacity == 0 ? CAPACITY_FIRST : 2 * builder->capacity;
        struct clause *items = arena_make(arena, capacity * sizeof *items);
        if (builder->count > 0)
            memcpy(items, builder->items, builder->count * sizeof *items);
        builder->items = items;
        builder->capacity = capacity;
    }
    struct clause_origin *origin = arena_make(arena, sizeof *origin);
    *origin = (struct clause_origin){.span = span, .words = words};
    builder->items[builder->count] =
        (struct clause){.kind = (uint8_t)kind, .size = 1, .origin = origin};
    return builder->count++;
}

static struct clause *add_leaf(struct builder *builder, enum clause_kind kind,
                               const struct node *value, const char *words)
{
    size_t index = add(builder, kind, value->key->span, words);
    return &builder->items[index];
}

static bool is_slow(const struct clause *clause)
{
    for (const struct clause *at = clause; at < clause + clause->size; at++) {
        if (at->kind == CLAUSE_PATH || at->kind == CLAUSE_PATTERN)
            return true;
    }
    return false;
}

static struct clause *copy_children(struct clause *to, const struct clause *group, bool slow)
{
    const struct clause *end = group + group->size;
    for (const struct clause *child = group + 1; child < end; child += child->size) {
        if (is_slow(child) != slow)
            continue;
        memcpy(to, child, child->size * sizeof *to);
        to += child->size;
    }
    return to;
}

/* What was added since belongs to the group; what is slow goes to its end. */
static void close_group(struct builder *builder, size_t group)
{
    struct clause *clause = &builder->items[group];
    size_t count = builder->count - group - 1;
    clause->size = (uint32_t)count + 1;
    if (count == 0 || !is_slow(clause))
        return;
    struct arena_mark mark = arena_mark(builder->load->arena);
    struct clause *sorted = arena_make(builder->load->arena, count * sizeof *sorted);
    copy_children(copy_children(sorted, clause, false), clause, true);
    memcpy(clause + 1, sorted, count * sizeof *sorted);
    arena_back(builder->load->arena, mark);
}

/* How a test is written in words, and what passes it. */
static const struct {
    const char *sign;
    uint8_t relations;
} tests[] = {[TEST_EQ] = {"=", RELATION_EQUAL},
             [TEST_NE] = {"!=", RELATION_LESS | RELATION_GREATER},
             [TEST_IN] = {"=", RELATION_EQUAL},
             [TEST_GT] = {">", RELATION_GREATER},
             [TEST_GTE] = {">=", RELATION_GREATER | RELATION_EQUAL},
             [TEST_LT] = {"<", RELATION_LESS},
             [TEST_LTE] = {"<=", RELATION_LESS | RELATION_EQUAL},
             [TEST_GLOB] = {"glob", 0},
             [TEST_REGEX] = {"regex", 0},
             [TEST_OLDER_THAN] = {"older_than", RELATION_LESS},
             [TEST_NEWER_THAN] = {"newer_than", RELATION_GREATER}};

/* The origin is written here and read by all others. */
static struct clause_origin *origin_of(struct clause *clause)
{
    return (struct clause_origin *)clause->origin;
}

/* What is shown of what was written: words are kept for each use of a var, which may be long. */
static const char *shown(struct builder *builder, const struct node *node)
{
    size_t size = strlen(node->text), cut = str_cut(node->text, size, CLAUSE_SHOWN_MAX);
    return cut == size ? node->text
                       : str_format(builder->load->arena, "%.*s..", (int)cut, node->text);
}

/* ---- ids ---- */

static void refuse_ids_count(struct builder *builder, struct node *node)
{
    diag_add(builder->load->diags, DIAG_LIMIT, node->span,
             "more than %d ids in one set of policies", IDS_MAX);
    node->broken = true;
}

static void compile_ids(struct builder *builder, struct node *value)
{
    struct load *load = builder->load;
    struct ids *ids = &load->policies->extra->ids;
    if (!schema_list(load, value, "`ids`"))
        return;
    uint32_t *indexes = arena_make(load->arena, value->count * sizeof *indexes);
    size_t count = 0;
    for (struct node *item = value->first; item != NULL; item = item->next) {
        if (!scalar_text(load, item))
            continue;
        indexes[count] = ids_add(ids, item->text, item->span);
        if (indexes[count] == IDS_NONE) {
            refuse_ids_count(builder, item);
            return;
        }
        count++;
    }
    add_leaf(builder, CLAUSE_IDS, value, "ids")->list = ids_list(ids, indexes, count);
}

static void compile_ids_file(struct builder *builder, struct node *value)
{
    struct extra_file *file;
    if (!scalar_text(builder->load, value) || !load_ids_file(builder->load, value, &file))
        return;
    const char *words = str_format(builder->load->arena, "ids_file %s", shown(builder, value));
    add_leaf(builder, CLAUSE_IDS, value, words)->list = file->list;
}

/* ---- times ---- */

static bool has_time(struct builder *builder, struct node *value)
{
    struct load *load = builder->load;
    if (load->policies->catalog.time != NULL || !load->time_known)
        return true;
    struct diag *diag = diag_add(load->diags, DIAG_NO_TIME, value->key->span,
                                 "`%s` needs to know when a recording was made", value->key->text);
    diag->label = "the catalog has no `time`";
    diag->help = "in `catalog`: time: {column: .., timezone: ..}";
    return false;
}

int64_t select_midnight(const struct policies *policies, struct when_date date, int days_later)
{
    struct when_civil civil = {.date = when_date_of(when_days(date) + days_later)};
    return zone_instant(policies->zone, civil);
}

static struct range range_of_days(const struct policies *policies, struct when_date first,
                                  struct when_date last)
{
    return (struct range){select_midnight(policies, first, 0), select_midnight(policies, last, 1)};
}

static void compile_date(struct builder *builder, struct node *value)
{
    struct when_date date;
    if (!has_time(builder, value) || !scalar_date(builder->load, value, &date))
        return;
    const char *words = str_format(builder->load->arena, "date %s", value->text);
    add_leaf(builder, CLAUSE_TIME, value, words)->range =
        range_of_days(builder->load->policies, date, date);
}

static bool are_in_order(struct load *load, const struct raw_dates *raw, const struct node *map)
{
    if (when_days(raw->from) <= when_days(raw->to))
        return true;
    const struct node *from = tree_find(map, "from"), *to = tree_find(map, "to");
    struct diag *diag = diag_add(load->diags, DIAG_DATES, to->span, "%s is before %s",
                                 scalar_shown(load, to), scalar_shown(load, from));
    diag->label = "no day is between them";
    diag->has_second = true;
    diag->second = from->span;
    diag->second_label = "the first day";
    return false;
}

static void compile_dates(struct builder *builder, struct node *value)
{
    struct load *load = builder->load;
    struct raw_dates raw = {{1, 1, 1}, {9999, 12, 31}};
    size_t errors = load->diags->errors;
    if (!has_time(builder, value) || !schema_map(load, value, "`dates`"))
        return;
    schema_read(load, &schema_dates, value, &raw);
    if (load->diags->errors > errors || !are_in_order(load, &raw, value))
        return;
    const struct node *from = tree_find(value, "from"), *to = tree_find(value, "to");
    const char *words = str_format(load->arena, "dates %s..%s", from == NULL ? "" : from->text,
                                   to == NULL ? "" : to->text);
    struct clause *clause = add_leaf(builder, CLAUSE_TIME, value, words);
    clause->range = range_of_days(load->policies, raw.from, raw.to);
    if (from == NULL)
        clause->range.from_us = INT64_MIN;
    if (to == NULL)
        clause->range.to_us = INT64_MAX;
}

static void compile_age(struct builder *builder, struct node *value, enum clause_age age)
{
    struct when_duration duration;
    if (!has_time(builder, value) || !scalar_duration(builder->load, value, &duration))
        return;
    const char *words =
        str_format(builder->load->arena, "%s %s", value->key->text, shown(builder, value));
    struct clause_origin *origin = origin_of(add_leaf(builder, CLAUSE_TIME, value, words));
    origin->age = age;
    origin->duration = duration;
}

/* ---- patterns ---- */

static const struct pattern *compile_pattern(struct load *load, enum pattern_kind kind,
                                             struct node *node)
{
    const struct pattern *pattern;
    struct err err;
    if (pattern_compile(kind, node->text, load->arena, &pattern, &err))
        return pattern;
    struct diag *diag =
        diag_add(load->diags, DIAG_PATTERN, node->span, "%s is no %s", scalar_shown(load, node),
                 kind == PATTERN_GLOB ? "glob" : "regular expression");
    diag->label = arena_copy(load->arena, err.text);
    node->broken = true;
    return NULL;
}

static void compile_path_pattern(struct builder *builder, enum pattern_kind kind, struct node *node)
{
    struct load *load = builder->load;
    if (node == NULL)
        return;
    if (kind == PATTERN_GLOB && node->text[0] == '/') {
        struct diag *diag = diag_add(load->diags, DIAG_PATH_SLASH, node->span, "%s matches no key",
                                     scalar_shown(load, node));
        diag->label = "a key doesn't begin with `/`";
        diag->help = str_format(load->arena, "path: {glob: \"%s\"}", node->text + 1);
        node->broken = true;
        return;
    }
    const char *words =
        str_format(load->arena, "path %s %s", node->key->text, shown(builder, node));
    struct clause *clause = add_leaf(builder, CLAUSE_PATH, node, words);
    clause->pattern = compile_pattern(load, kind, node);
    origin_of(clause)->literal = node;
}

static void compile_path(struct builder *builder, struct node *map)
{
    struct raw_path raw = {0};
    if (!schema_map(builder->load, map, "`path`"))
        return;
    schema_read(builder->load, &schema_path, map, &raw);
    size_t group = map->count == 1 ? 0 : add(builder, CLAUSE_ALL, map->key->span, "path");
    compile_path_pattern(builder, PATTERN_GLOB, raw.glob);
    compile_path_pattern(builder, PATTERN_REGEX, raw.regex);
    if (map->count > 1)
        close_group(builder, group);
}

/* ---- sizes ---- */

static bool has_size(struct builder *builder, struct node *value)
{
    struct load *load = builder->load;
    if (load->policies->catalog.size != NULL || !load->size_known)
        return true;
    struct diag *diag = diag_add(load->diags, DIAG_NO_SIZE, value->key->span,
                                 "`size` needs to know how large a recording is");
    diag->label = "the catalog has no `size`";
    diag->help = "in `catalog`: size: {column: .., unit: ..}";
    return false;
}

/* "size >= 1GiB, < 5TB": its keys are tests on fields as well. */
static const char *sizes_words(struct builder *builder, const struct node *map)
{
    const char *words = "size";
    for (const struct node *value = map->first; value != NULL; value = value->next)
        words =
            str_format(builder->load->arena, "%s%s %s %s", words, value == map->first ? "" : ",",
                       tests[schema_find(&schema_tests, value->key->text)->offset].sign,
                       shown(builder, value));
    return words;
}

static void compile_size(struct builder *builder, struct node *value)
{
    struct load *load = builder->load;
    struct raw_sizes raw = {POLICY_NO_LIMIT, POLICY_NO_LIMIT, POLICY_NO_LIMIT, POLICY_NO_LIMIT};
    size_t errors = load->diags->errors;
    if (!has_size(builder, value) || !schema_map(load, value, "`size`"))
        return;
    schema_read(load, &schema_sizes, value, &raw);
    if (load->diags->errors > errors)
        return;
    uint64_t from = raw.gte == POLICY_NO_LIMIT ? 0 : raw.gte, to = raw.lt;
    if (raw.gt != POLICY_NO_LIMIT && raw.gt + 1 > from)
        from = raw.gt + 1;
    if (raw.lte != POLICY_NO_LIMIT && raw.lte + 1 < to)
        to = raw.lte + 1;
    if (from >= to) {
        diag_add(load->diags, DIAG_SIZES, value->key->span, "no size passes all of these")->label =
            "selects nothing";
        return;
    }
    struct clause *clause = add_leaf(builder, CLAUSE_SIZE, value, sizes_words(builder, value));
    clause->sizes.from = from;
    clause->sizes.to = to;
}

/* ---- store, policy, everything ---- */

static void compile_store(struct builder *builder, struct node *value)
{
    uint16_t store;
    if (!scalar_text(builder->load, value) || !load_find_store(builder->load, value, &store))
        return;
    const char *words = str_format(builder->load->arena, "store %s", value->text);
    add_leaf(builder, CLAUSE_STORE, value, words)->index = store;
}

static void compile_policy(struct builder *builder, struct node *value)
{
    uint16_t policy;
    if (!scalar_text(builder->load, value) || !load_find_policy(builder->load, value, &policy))
        return;
    const char *words = str_format(builder->load->arena, "policy %s", value->text);
    add_leaf(builder, CLAUSE_POLICY, value, words)->index = policy;
}

static void compile_everything(struct builder *builder, struct node *value)
{
    bool wanted;
    if (!scalar_boolean(builder->load, value, &wanted))
        return;
    if (!wanted) {
        struct diag *diag = diag_add(builder->load->diags, DIAG_EVERYTHING, value->span,
                                     "`everything` can only be true");
        diag->label = "selects nothing";
        diag->help = "leave it out; `enabled: false` rests a policy";
        value->broken = true;
        return;
    }
    builder->everything = value;
    add_leaf(builder, CLAUSE_EVERYTHING, value, "everything");
}

/* ---- tests on fields ---- */

static bool literal_text(struct load *load, struct node *node)
{
    if (!scalar_text(load, node))
        return false;
    if (!scalar_is_null(node))
        return true;
    struct diag *diag =
        diag_add(load->diags, DIAG_NULL, node->span, "nothing is equal to `%s`", node->text);
    diag->label = "a comparison with NULL is never true";
    diag->help = "`{null: true}` asks for rows without a value; the text is written in quotes";
    node->broken = true;
    return false;
}

static void compile_literal(struct builder *builder, uint16_t field, const char *name,
                            enum test test, struct node *literal)
{
    if (!literal_text(builder->load, literal))
        return;
    const char *words = str_format(builder->load->arena, "%s %s %s", name, tests[test].sign,
                                   shown(builder, literal));
    size_t index = add(builder, CLAUSE_LITERAL, literal->span, words);
    struct clause *clause = &builder->items[index];
    clause->index = field;
    clause->relations = tests[test].relations;
    origin_of(clause)->literal = literal;
    origin_of(clause)->shows_value = tests[test].relations != RELATION_EQUAL;
}

static void compile_in(struct builder *builder, uint16_t field, const char *name, struct node *list)
{
    if (!schema_list(builder->load, list, "`in`"))
        return;
    const char *words = str_format(builder->load->arena, "%s in", name);
    size_t group = add(builder, CLAUSE_ANY, list->key->span, words);
    for (struct node *item = list->first; item != NULL; item = item->next)
        compile_literal(builder, field, name, TEST_IN, item);
    close_group(builder, group);
}

static void compile_null(struct builder *builder, uint16_t field, const char *name,
                         struct node *value)
{
    bool wanted;
    if (!scalar_boolean(builder->load, value, &wanted))
        return;
    const char *words =
        str_format(builder->load->arena, "%s is %s", name, wanted ? "null" : "not null");
    struct clause *clause = add_leaf(builder, CLAUSE_NULL, value, words);
    clause->index = field;
    clause->boolean = wanted;
}

static void compile_field_pattern(struct builder *builder, uint16_t field, const char *name,
                                  enum test test, struct node *value)
{
    struct load *load = builder->load;
    if (!scalar_text(load, value))
        return;
    const char *words =
        str_format(load->arena, "%s %s %s", name, tests[test].sign, shown(builder, value));
    struct clause *clause = add_leaf(builder, CLAUSE_PATTERN, value, words);
    clause->index = field;
    clause->pattern =
        compile_pattern(load, test == TEST_GLOB ? PATTERN_GLOB : PATTERN_REGEX, value);
    origin_of(clause)->literal = value;
    origin_of(clause)->shows_value = true;
}

static void compile_field_age(struct builder *builder, uint16_t field, const char *name,
                              enum test test, struct node *value)
{
    struct when_duration duration;
    if (!scalar_duration(builder->load, value, &duration))
        return;
    const char *words =
        str_format(builder->load->arena, "%s %s %s", name, tests[test].sign, shown(builder, value));
    struct clause *clause = add_leaf(builder, CLAUSE_LITERAL, value, words);
    clause->index = field;
    clause->relations = tests[test].relations;
    struct clause_origin *origin = origin_of(clause);
    origin->literal = value;
    origin->shows_value = true;
    origin->age = test == TEST_OLDER_THAN ? AGE_OLDER : AGE_NEWER;
    origin->duration = duration;
}

static void compile_test(struct builder *builder, uint16_t field, const char *name, enum test test,
                         struct node *value)
{
    switch (test) {
    case TEST_NULL:
        compile_null(builder, field, name, value);
        break;
    case TEST_IN:
        compile_in(builder, field, name, value);
        break;
    case TEST_GLOB:
    case TEST_REGEX:
        compile_field_pattern(builder, field, name, test, value);
        break;
    case TEST_OLDER_THAN:
    case TEST_NEWER_THAN:
        compile_field_age(builder, field, name, test, value);
        break;
    default:
        compile_literal(builder, field, name, test, value);
        break;
    }
}

static void compile_tests(struct builder *builder, uint16_t field, struct node *map)
{
    const char *name = map->key->text;
    if (!schema_map(builder->load, map, str_format(builder->load->arena, "`%s`", name)))
        return;
    size_t group = map->count == 1 ? 0 : add(builder, CLAUSE_ALL, map->key->span, name);
    for (struct node *value = map->first; value != NULL; value = value->next) {
        const struct schema_key *key =
            value->broken ? NULL : schema_key_of(builder->load, &schema_tests, value, NULL);
        if (key != NULL)
            compile_test(builder, field, name, (enum test)key->offset, value);
    }
    if (map->count > 1)
        close_group(builder, group);
}

static void refuse_list(struct load *load, struct node *value)
{
    struct diag *diag =
        diag_add(load->diags, DIAG_SHAPE, value->span, "a list, where one value is wanted");
    diag->label = "one value is wanted";
    diag->help = str_format(load->arena, "%s: {in: [..]}", value->key->text);
    value->broken = true;
}

static void refuse_selector(struct load *load, struct node *value)
{
    const struct catalog_config *catalog = &load->policies->catalog;
    const char **names = arena_make(load->arena, (catalog->field_count + 1) * sizeof *names);
    for (size_t i = 0; i < catalog->field_count; i++)
        names[i] = catalog->fields[i].name;
    schema_key_of(load, &schema_select, value, names);
}

static void compile_field(struct builder *builder, struct node *value)
{
    const struct catalog_config *catalog = &builder->load->policies->catalog;
    size_t field = 0;
    while (field < catalog->field_count &&
           !str_equal(catalog->fields[field].name, value->key->text))
        field++;
    if (field < catalog->field_count && value->kind == NODE_LIST)
        refuse_list(builder->load, value);
    else if (field < catalog->field_count && value->kind == NODE_MAP)
        compile_tests(builder, (uint16_t)field, value);
    else if (field < catalog->field_count)
        compile_literal(builder, (uint16_t)field, catalog->fields[field].name, TEST_EQ, value);
    else if (builder->load->fields_known)
        refuse_selector(builder->load, value);
}

/* ---- groups ---- */

static void compile_map(struct builder *builder, struct node *map, const char *noun);

static bool goes_deeper(struct builder *builder, const struct node *value)
{
    if (builder->depth < SELECT_DEPTH_MAX)
        return true;
    diag_add(builder->load->diags, DIAG_NESTING, value->key->span,
             "a selection nested more than %d deep", SELECT_DEPTH_MAX)
        ->label = "too deep";
    return false;
}

static void compile_group(struct builder *builder, struct node *value, enum clause_kind kind)
{
    const char *noun = str_format(builder->load->arena, "`%s`", value->key->text);
    if (!goes_deeper(builder, value))
        return;
    builder->depth++;
    size_t group = add(builder, kind, value->key->span, value->key->text);
    if (kind == CLAUSE_NOT)
        compile_map(builder, value, noun);
    else if (schema_list(builder->load, value, noun)) {
        for (struct node *item = value->first; item != NULL; item = item->next)
            compile_map(builder, item, str_format(builder->load->arena, "an item of %s", noun));
    }
    close_group(builder, group);
    builder->depth--;
}

static void compile_selector(struct builder *builder, struct node *value)
{
    const struct schema_key *key = schema_find(&schema_select, value->key->text);
    if (key == NULL && builder->is_asked)
        key = schema_find(&schema_asked, value->key->text);
    if (key == NULL) {
        compile_field(builder, value);
        return;
    }
    switch ((enum selector)key->offset) {
    case SELECT_IDS:
        compile_ids(builder, value);
        break;
    case SELECT_IDS_FILE:
        compile_ids_file(builder, value);
        break;
    case SELECT_DATE:
        compile_date(builder, value);
        break;
    case SELECT_DATES:
        compile_dates(builder, value);
        break;
    case SELECT_OLDER_THAN:
        compile_age(builder, value, AGE_OLDER);
        break;
    case SELECT_NEWER_THAN:
        compile_age(builder, value, AGE_NEWER);
        break;
    case SELECT_PATH:
        compile_path(builder, value);
        break;
    case SELECT_SIZE:
        compile_size(builder, value);
        break;
    case SELECT_STORE:
        compile_store(builder, value);
        break;
    case SELECT_POLICY:
        compile_policy(builder, value);
        break;
    case SELECT_EVERYTHING:
        compile_everything(builder, value);
        break;
    case SELECT_ALL:
        compile_group(builder, value, CLAUSE_ALL);
        break;
    case SELECT_ANY:
        compile_group(builder, value, CLAUSE_ANY);
        break;
    case SELECT_NOT:
        compile_group(builder, value, CLAUSE_NOT);
        break;
    }
}

static void refuse_empty(struct builder *builder, struct node *map, const char *noun)
{
    struct span at = map->key == NULL ? map->span : map->key->span;
    struct diag *diag =
        diag_add(builder->load->diags, DIAG_EMPTY_SELECTION, at, "%s selects nothing", noun);
    diag->label = "empty";
    diag->help = "to take every recording, write `everything: true`, with a guard";
    map->broken = true;
}

static void compile_map(struct builder *builder, struct node *map, const char *noun)
{
    if (map->broken)
        return;
    if (map->count == 0 && (map->kind != NODE_SCALAR || (map->plain && map->text[0] == '\0'))) {
        refuse_empty(builder, map, noun);
        return;
    }
    if (!schema_map(builder->load, map, noun))
        return;
    size_t group = map->count == 1 ? 0 : add(builder, CLAUSE_ALL, map->span, "all");
    for (struct node *value = map->first; value != NULL; value = value->next) {
        if (!value->broken)
            compile_selector(builder, value);
    }
    if (map->count > 1)
        close_group(builder, group);
}

static struct clause *compile(struct builder *builder, struct node *node)
{
    struct load *load = builder->load;
    size_t errors = load->diags->errors;
    compile_map(builder, node, str_format(load->arena, "`%s`", node->key->text));
    return load->diags->errors > errors || builder->count == 0 ? NULL : builder->items;
}

struct clause *select_compile(struct load *load, struct node *node, struct node **everything)
{
    struct builder builder = {.load = load};
    struct clause *clause = compile(&builder, node);
    *everything = builder.everything;
    return clause;
}

struct clause *select_compile_asked(struct load *load, struct node *node)
{
    struct builder builder = {.load = load, .is_asked = true};
    return compile(&builder, node);
}

/* ---- prepare ---- */

void select_prepare(const struct policies *policies, struct clause *root)
{
    for (struct clause *clause = root; clause < root + root->size; clause++) {
        if (clause->origin->age == AGE_NONE)
            continue;
        int64_t line = zone_before(policies->zone, policies->as_of_us, clause->origin->duration);
        if (clause->kind != CLAUSE_TIME)
            clause->range = (struct range){line, line + 1}; /* a field's, by relations */
        else if (clause->origin->age == AGE_OLDER)
            clause->range = (struct range){INT64_MIN, line};
        else
            clause->range = (struct range){line + 1, INT64_MAX};
    }
}
