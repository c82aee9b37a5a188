#include "tests/support/any_policies.h"

#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/rand.h"
#include "base/str.h"

#define DEPTH_MAX 4
#define KEYS_MAX 3
#define PARTS_MAX 3

/* ---- patterns ---- */

static bool is_below_recording(const char *text)
{
    return str_starts(text, "recording/");
}

static bool is_in_recording(const char *text)
{
    return str_starts(text, "recording/") && strchr(text + strlen("recording/"), '/') == NULL;
}

static bool has_suffix_ecal(const char *text)
{
    return str_ends(text, ".ecal");
}

static bool is_a_first(const char *text)
{
    return str_ends(text, "-1") && strchr(text, '/') == NULL;
}

static bool begins_without_a(const char *text)
{
    return text[0] != '\0' && text[0] != 'a' && strchr(text, '/') == NULL;
}

static size_t count_characters(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static bool is_one_but_slash(const char *text)
{
    return count_characters(text) == 1 && text[0] != '/';
}

static bool is_one_in_a_line(const char *text)
{
    return count_characters(text) == 1 && text[0] != '\n';
}

static bool is_track_with_number(const char *text)
{
    const char *digits = text + strlen("track-");
    return str_starts(text, "track-") && digits[0] != '\0' &&
           strspn(digits, "0123456789") == strlen(digits);
}

static bool has_rack(const char *text)
{
    return strstr(text, "rack") != NULL;
}

static bool begins_with_track(const char *text)
{
    return strncasecmp(text, "track", strlen("track")) == 0;
}

static bool ends_with_a_ecal(const char *text)
{
    return str_ends(text, "/a.ecal");
}

static const struct any_pattern globs[] = {
    {true, "recording/**", is_below_recording}, {true, "recording/*", is_in_recording},
    {true, "**/*.ecal", has_suffix_ecal},       {true, "*-1", is_a_first},
    {true, "[!a]*", begins_without_a},          {true, "?", is_one_but_slash},
};
static const struct any_pattern regexes[] = {
    {false, "^track-\\d+$", is_track_with_number}, {false, "rack", has_rack},
    {false, "(?i)^TRACK", begins_with_track},      {false, "^.$", is_one_in_a_line},
    {false, "/a\\.ecal$", ends_with_a_ecal},
};

/* ---- other literals ---- */

const char *const any_ids[ANY_IDS] = {"A", "B", "007", "true", "2025-02-14", "a b"};
const char *const any_files[ANY_FILES] = {"few.txt", "more.txt"};
const char *const any_stores[ANY_STORES] = {"hot", "warm", "cold", "archive"};

static const struct any_zone zones[] = {
    {"UTC", 0}, {"Asia/Kolkata", 19800}, {"America/Phoenix", -25200}};

const struct any_time any_days[ANY_DAYS] = {
    {"2024-02-28", true, 2024, 2, 28, 0, 0, 0, 0}, {"2024-02-29", true, 2024, 2, 29, 0, 0, 0, 0},
    {"2024-03-01", true, 2024, 3, 1, 0, 0, 0, 0},  {"2024-12-31", true, 2024, 12, 31, 0, 0, 0, 0},
    {"2025-01-01", true, 2025, 1, 1, 0, 0, 0, 0},  {"2025-02-14", true, 2025, 2, 14, 0, 0, 0, 0},
    {"2025-02-28", true, 2025, 2, 28, 0, 0, 0, 0}, {"2025-05-31", true, 2025, 5, 31, 0, 0, 0, 0},
    {"2025-06-01", true, 2025, 6, 1, 0, 0, 0, 0},  {"2025-12-31", true, 2025, 12, 31, 0, 0, 0, 0},
};
const struct any_time any_moments[ANY_MOMENTS] = {
    {"2024-02-29T12:34:56.789012Z", false, 2024, 2, 29, 12, 34, 56, 789012},
    {"2025-02-14T00:00:00Z", false, 2025, 2, 14, 0, 0, 0, 0},
    {"2025-02-14T13:00:00+01:00", false, 2025, 2, 14, 12, 0, 0, 0},
    {"2025-02-13T18:30:00.0Z", false, 2025, 2, 13, 18, 30, 0, 0},
    {"2025-03-31 23:59:59.999999Z", false, 2025, 3, 31, 23, 59, 59, 999999},
    {"2025-05-31T02:30:00-04:30", false, 2025, 5, 31, 7, 0, 0, 0},
    {"2025-06-01T00:00:00Z", false, 2025, 6, 1, 0, 0, 0, 0},
    {"2025-12-31T06:59:59.999999Z", false, 2025, 12, 31, 6, 59, 59, 999999},
};
const struct any_age any_ages[ANY_AGES] = {
    {"45s", 0, 45},        {"30m", 0, 1800},       {"12h", 0, 43200}, {"1d", 0, 86400},
    {"2w", 0, 14 * 86400}, {"90d", 0, 90 * 86400}, {"1mo", 1, 0},     {"3mo", 3, 0},
    {"13mo", 13, 0},       {"1y", 12, 0},          {"2y", 24, 0},
};
enum { AGES_FIXED = 6 }; /* the first ones have no months */

const struct any_size any_sizes[ANY_SIZES] = {
    {"0B", 0},           {"512B", 512},        {"500MB", 500000000},
    {"1GB", 1000000000}, {"1GiB", 1073741824}, {"1.5TB", 1500000000000},
};

const char *const any_texts[ANY_TEXTS] = {"track-1", "track-12", "a",  "b",       "true",
                                          "null",    "9",        "10", "\xc3\xa9"};
const char *const any_numbers[ANY_NUMBERS] = {"0",
                                              "-0",
                                              "1",
                                              "+1.0",
                                              "-1.5",
                                              "1.50",
                                              "9",
                                              "10",
                                              "0.1",
                                              "0.10",
                                              "100",
                                              "9223372036854775807",
                                              "-9223372036854775808",
                                              "0.000000000000000000000000000000000001"};

const struct any_field any_fields[ANY_FIELDS] = {
    {"map", ANY_TEXT},  {"length", ANY_NUMBER}, {"weight", ANY_NUMBER}, {"valid", ANY_BOOLEAN},
    {"seen", ANY_TIME}, {"day", ANY_DATE},      {"odd", ANY_NOTHING}};

const char *const any_relations[ANY_RELATIONS] = {"eq",    "ne",         "in",         "gt",
                                                  "gte",   "lt",         "lte",        "glob",
                                                  "regex", "older_than", "newer_than", "null"};
static const char *const verify_levels[] = {"size", "checksum", "readback"};

/* ---- drawing ---- */

struct drawing {
    struct rand *rand;
    struct arena *arena;
    const struct any_options *options;
    bool has_everything; /* of the selection that is drawn */
};

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define PICK(drawing, list) (&(list)[below((drawing), COUNT(list))])

static size_t below(struct drawing *drawing, size_t bound)
{
    return (size_t)rand_below(drawing->rand, bound);
}

/* One time in so many. */
static bool rarely(struct drawing *drawing, size_t times)
{
    return below(drawing, times) == 0;
}

static uint8_t draw_ids(struct drawing *drawing)
{
    return (uint8_t)(1 + below(drawing, (1 << ANY_IDS) - 1));
}

static void draw_dates(struct drawing *drawing, struct any_key *key)
{
    size_t first = below(drawing, ANY_DAYS);
    key->first = &any_days[first];
    key->last = &any_days[first + below(drawing, ANY_DAYS - first)];
    if (rarely(drawing, 4))
        key->first = NULL;
    else if (rarely(drawing, 3))
        key->last = NULL;
}

static void draw_path(struct drawing *drawing, struct any_key *key)
{
    size_t which = below(drawing, 5);
    if (which < 3)
        key->glob = PICK(drawing, globs);
    if (which > 1)
        key->regex = PICK(drawing, regexes);
}

/* Some size passes: the lower bounds are below all upper ones, or one size alone is left. */
static void draw_sizes(struct drawing *drawing, struct any_key *key)
{
    size_t middle = 1 + below(drawing, ANY_SIZES - 1);
    size_t which = 1 + below(drawing, 16);
    if (which == 16) {
        key->gte = key->lte = PICK(drawing, any_sizes);
        return;
    }
    if ((which & 1) != 0)
        key->gt = &any_sizes[below(drawing, middle)];
    if ((which & 2) != 0)
        key->gte = &any_sizes[below(drawing, middle)];
    if ((which & 4) != 0)
        key->lt = &any_sizes[middle + below(drawing, ANY_SIZES - middle)];
    if ((which & 8) != 0)
        key->lte = &any_sizes[middle + below(drawing, ANY_SIZES - middle)];
}

static struct any_literal draw_literal(struct drawing *drawing, enum any_column column)
{
    const struct any_time *time = PICK(drawing, any_days);
    switch (column) {
    case ANY_NUMBER:
        return (struct any_literal){*PICK(drawing, any_numbers), NULL};
    case ANY_BOOLEAN:
        return (struct any_literal){below(drawing, 2) == 0 ? "true" : "false", NULL};
    case ANY_TIME:
        if (below(drawing, 2) == 0)
            time = PICK(drawing, any_moments);
        return (struct any_literal){time->text, time};
    case ANY_DATE:
        return (struct any_literal){time->text, time};
    default:
        return (struct any_literal){*PICK(drawing, any_texts), NULL};
    }
}

/* Is it a test of such a column? */
static bool is_allowed(enum any_relation relation, enum any_column column)
{
    switch (relation) {
    case ANY_GT:
    case ANY_GTE:
    case ANY_LT:
    case ANY_LTE:
        return column != ANY_BOOLEAN;
    case ANY_GLOB:
    case ANY_REGEX:
        return column == ANY_TEXT || column == ANY_NOTHING;
    case ANY_OLDER:
    case ANY_NEWER:
        return column == ANY_TIME || column == ANY_DATE || column == ANY_NOTHING;
    default:
        return true;
    }
}

static void draw_test(struct drawing *drawing, enum any_column column, struct any_test *test)
{
    do
        test->relation = (enum any_relation)below(drawing, ANY_RELATIONS);
    while (!is_allowed(test->relation, column));
    test->count = test->relation == ANY_IN ? 1 + below(drawing, ANY_LITERALS_MAX) : 1;
    for (size_t i = 0; i < test->count; i++)
        test->literals[i] = draw_literal(drawing, column);
    test->pattern = test->relation == ANY_GLOB ? PICK(drawing, globs) : PICK(drawing, regexes);
    test->age = PICK(drawing, any_ages);
    test->is_null = below(drawing, 2) == 0;
}

static void draw_field(struct drawing *drawing, struct any_key *key)
{
    do
        key->field = (uint8_t)below(drawing, ANY_FIELDS);
    while ((drawing->options->fields >> key->field & 1) == 0);
    enum any_column column = any_fields[key->field].column;
    draw_test(drawing, column, &key->tests[0]);
    draw_test(drawing, column, &key->tests[1]);
    bool differ = key->tests[0].relation != key->tests[1].relation;
    key->test_count = differ && rarely(drawing, 4) ? 2 : 1;
    key->is_short = key->test_count == 1 && key->tests[0].relation == ANY_EQ && rarely(drawing, 2);
}

static void draw_selection(struct drawing *drawing, int depth, struct any_selection *selection);

static void draw_parts(struct drawing *drawing, int depth, struct any_key *key)
{
    key->part_count = key->selector == ANY_SELECT_NOT ? 1 : 1 + below(drawing, PARTS_MAX);
    key->parts = arena_make(drawing->arena, key->part_count * sizeof *key->parts);
    for (size_t i = 0; i < key->part_count; i++)
        draw_selection(drawing, depth + 1, &key->parts[i]);
}

/* Fields and groups more often than others, everything seldom. */
static enum any_selector draw_selector(struct drawing *drawing, int depth)
{
    static const uint8_t weights[ANY_SELECTORS] = {
        [ANY_SELECT_IDS] = 4,    [ANY_SELECT_FILE] = 2,       [ANY_SELECT_DATE] = 2,
        [ANY_SELECT_DATES] = 3,  [ANY_SELECT_OLDER] = 4,      [ANY_SELECT_NEWER] = 3,
        [ANY_SELECT_PATH] = 3,   [ANY_SELECT_SIZE] = 3,       [ANY_SELECT_STORE] = 2,
        [ANY_SELECT_FIELD] = 16, [ANY_SELECT_EVERYTHING] = 1, [ANY_SELECT_ALL] = 3,
        [ANY_SELECT_ANY] = 5,    [ANY_SELECT_NOT] = 4};
    for (;;) {
        size_t selector = below(drawing, ANY_SELECTORS);
        bool allowed = (selector != ANY_SELECT_FILE || drawing->options->has_files) &&
                       (selector != ANY_SELECT_STORE || drawing->options->has_places) &&
                       (selector < ANY_SELECT_ALL || depth < DEPTH_MAX);
        if (allowed && below(drawing, 16) < weights[selector])
            return (enum any_selector)selector;
    }
}

static void draw_key(struct drawing *drawing, int depth, struct any_key *key)
{
    *key = (struct any_key){.selector = draw_selector(drawing, depth)};
    switch (key->selector) {
    case ANY_SELECT_IDS:
        key->ids = draw_ids(drawing);
        break;
    case ANY_SELECT_FILE:
        key->file = (uint8_t)below(drawing, ANY_FILES);
        break;
    case ANY_SELECT_DATE:
        key->first = PICK(drawing, any_days);
        break;
    case ANY_SELECT_DATES:
        draw_dates(drawing, key);
        break;
    case ANY_SELECT_OLDER:
    case ANY_SELECT_NEWER:
        key->age = PICK(drawing, any_ages);
        break;
    case ANY_SELECT_PATH:
        draw_path(drawing, key);
        break;
    case ANY_SELECT_SIZE:
        draw_sizes(drawing, key);
        break;
    case ANY_SELECT_STORE:
        key->store = (uint16_t)below(drawing, drawing->options->stores);
        break;
    case ANY_SELECT_FIELD:
        draw_field(drawing, key);
        break;
    case ANY_SELECT_EVERYTHING:
        drawing->has_everything = true;
        break;
    default:
        draw_parts(drawing, depth, key);
        break;
    }
}

/* Each key of a map stands in it once. */
static bool is_taken(const struct any_selection *selection, const struct any_key *key)
{
    for (size_t i = 0; i < selection->count; i++) {
        const struct any_key *other = &selection->keys[i];
        if (other->selector == key->selector &&
            (key->selector != ANY_SELECT_FIELD || other->field == key->field))
            return true;
    }
    return false;
}

static void draw_selection(struct drawing *drawing, int depth, struct any_selection *selection)
{
    size_t wanted = rarely(drawing, 2) ? 1 : 1 + below(drawing, KEYS_MAX);
    selection->keys = arena_make(drawing->arena, KEYS_MAX * sizeof *selection->keys);
    for (selection->count = 0; selection->count < wanted; selection->count++) {
        do
            draw_key(drawing, depth, &selection->keys[selection->count]);
        while (is_taken(selection, &selection->keys[selection->count]));
    }
}

/* One draw a statement here and below: a seed means the same to every compiler. */
static void draw_terms(struct drawing *drawing, struct any_terms *terms)
{
    terms->verify = (int)below(drawing, COUNT(verify_levels) + 1) + ANY_UNSAID;
    terms->keep_source = rarely(drawing, 2) ? ANY_UNSAID : (int)rarely(drawing, 3);
    terms->grace = rarely(drawing, 2) ? NULL : &any_ages[below(drawing, AGES_FIXED)];
}

static const char *draw_guards(struct drawing *drawing)
{
    static const char *const limits[] = {"max_recordings: 2", "max_recordings: 9",
                                         "max_percent: 10%",
                                         "max_bytes: 2GB, max_recordings: 1000000"};
    if (drawing->options->guards == ANY_GUARDS_NONE || rarely(drawing, 2))
        return drawing->has_everything ? "max_recordings: 1000000" : NULL;
    bool truncates = drawing->options->guards == ANY_GUARDS_TRUNCATE && !rarely(drawing, 4);
    return str_format(drawing->arena, "%s, on_exceed: %s", *PICK(drawing, limits),
                      truncates ? "truncate" : "fail");
}

static void draw_policy(struct drawing *drawing, struct any_policy *policy)
{
    static const int priorities[] = {-1, 0, 0, 0, 1, 7};
    static const char *const orders[] = {"oldest", "newest", "largest", "smallest"};
    unsigned stores = drawing->options->stores;
    policy->enabled = !rarely(drawing, 10);
    policy->expires = rarely(drawing, 5) ? PICK(drawing, any_days) : NULL;
    policy->from = drawing->options->has_places && rarely(drawing, 5)
                       ? (uint16_t)below(drawing, stores)
                       : ANY_EVERY_STORE;
    policy->target = (uint16_t)below(drawing, stores);
    policy->priority = *PICK(drawing, priorities);
    draw_terms(drawing, &policy->terms);
    policy->has_exclude = rarely(drawing, 2);
    if (policy->has_exclude)
        draw_selection(drawing, 1, &policy->exclude);
    drawing->has_everything = false;
    draw_selection(drawing, 0, &policy->select);
    policy->guards = draw_guards(drawing);
    policy->order_by = *PICK(drawing, orders);
}

void any_draw(struct any_set *set, const struct any_options *options, struct rand *rand,
              struct arena *arena)
{
    struct drawing drawing = {.rand = rand, .arena = arena, .options = options};
    *set = (struct any_set){.zone = PICK(&drawing, zones)};
    for (size_t i = 0; i < ANY_FILES; i++)
        set->files[i] = draw_ids(&drawing);
    draw_terms(&drawing, &set->defaults);
    set->hold_count = rarely(&drawing, 2) ? 0 : below(&drawing, ANY_HOLDS_MAX + 1);
    for (size_t i = 0; i < set->hold_count; i++) {
        set->holds[i].until = rarely(&drawing, 2) ? PICK(&drawing, any_days) : NULL;
        draw_selection(&drawing, 0, &set->holds[i].select);
    }
    set->count = 1 + below(&drawing, ANY_POLICIES_MAX);
    for (size_t i = 0; i < set->count; i++)
        draw_policy(&drawing, &set->policies[i]);
}

/* ---- writing ---- */

static void write_selection(const struct any_selection *selection, struct buf *out);

/* ", " but for the first one. */
static const char *comma(size_t index)
{
    return index == 0 ? "" : ", ";
}

static void write_ids(uint8_t ids, struct buf *out)
{
    size_t count = 0;
    buf_text(out, "ids: [");
    for (size_t i = 0; i < ANY_IDS; i++) {
        if ((ids >> i & 1) != 0)
            buf_format(out, "%s'%s'", comma(count++), any_ids[i]);
    }
    buf_char(out, ']');
}

static void write_dates(const struct any_key *key, struct buf *out)
{
    buf_text(out, "dates: {");
    if (key->first != NULL)
        buf_format(out, "from: %s", key->first->text);
    if (key->last != NULL)
        buf_format(out, "%sto: %s", comma(key->first != NULL), key->last->text);
    buf_char(out, '}');
}

static void write_path(const struct any_key *key, struct buf *out)
{
    buf_text(out, "path: {");
    if (key->glob != NULL)
        buf_format(out, "glob: '%s'", key->glob->text);
    if (key->regex != NULL)
        buf_format(out, "%sregex: '%s'", comma(key->glob != NULL), key->regex->text);
    buf_char(out, '}');
}

static void write_sizes(const struct any_key *key, struct buf *out)
{
    const struct any_size *const sizes[] = {key->gt, key->gte, key->lt, key->lte};
    static const char *const names[] = {"gt", "gte", "lt", "lte"};
    size_t count = 0;
    buf_text(out, "size: {");
    for (size_t i = 0; i < COUNT(sizes); i++) {
        if (sizes[i] != NULL)
            buf_format(out, "%s%s: %s", comma(count++), names[i], sizes[i]->text);
    }
    buf_char(out, '}');
}

static void write_test(const struct any_test *test, struct buf *out)
{
    buf_format(out, "%s: ", any_relations[test->relation]);
    switch (test->relation) {
    case ANY_IN:
        buf_char(out, '[');
        for (size_t i = 0; i < test->count; i++)
            buf_format(out, "%s'%s'", comma(i), test->literals[i].text);
        buf_char(out, ']');
        break;
    case ANY_GLOB:
    case ANY_REGEX:
        buf_format(out, "'%s'", test->pattern->text);
        break;
    case ANY_OLDER:
    case ANY_NEWER:
        buf_text(out, test->age->text);
        break;
    case ANY_NULL:
        buf_text(out, test->is_null ? "true" : "false");
        break;
    default:
        buf_format(out, "'%s'", test->literals[0].text);
        break;
    }
}

static void write_field(const struct any_key *key, struct buf *out)
{
    buf_format(out, "%s: ", any_fields[key->field].name);
    if (key->is_short) {
        buf_format(out, "'%s'", key->tests[0].literals[0].text);
        return;
    }
    for (size_t i = 0; i < key->test_count; i++) {
        buf_text(out, i == 0 ? "{" : ", ");
        write_test(&key->tests[i], out);
    }
    buf_char(out, '}');
}

static void write_parts(const struct any_key *key, struct buf *out)
{
    if (key->selector == ANY_SELECT_NOT) {
        buf_text(out, "not: ");
        write_selection(&key->parts[0], out);
        return;
    }
    buf_text(out, key->selector == ANY_SELECT_ALL ? "all: [" : "any: [");
    for (size_t i = 0; i < key->part_count; i++) {
        buf_text(out, comma(i));
        write_selection(&key->parts[i], out);
    }
    buf_char(out, ']');
}

static void write_key(const struct any_key *key, struct buf *out)
{
    switch (key->selector) {
    case ANY_SELECT_IDS:
        write_ids(key->ids, out);
        break;
    case ANY_SELECT_FILE:
        buf_format(out, "ids_file: %s", any_files[key->file]);
        break;
    case ANY_SELECT_DATE:
        buf_format(out, "date: %s", key->first->text);
        break;
    case ANY_SELECT_DATES:
        write_dates(key, out);
        break;
    case ANY_SELECT_OLDER:
        buf_format(out, "older_than: %s", key->age->text);
        break;
    case ANY_SELECT_NEWER:
        buf_format(out, "newer_than: %s", key->age->text);
        break;
    case ANY_SELECT_PATH:
        write_path(key, out);
        break;
    case ANY_SELECT_SIZE:
        write_sizes(key, out);
        break;
    case ANY_SELECT_STORE:
        buf_format(out, "store: %s", any_stores[key->store]);
        break;
    case ANY_SELECT_FIELD:
        write_field(key, out);
        break;
    case ANY_SELECT_EVERYTHING:
        buf_text(out, "everything: true");
        break;
    default:
        write_parts(key, out);
        break;
    }
}

static void write_selection(const struct any_selection *selection, struct buf *out)
{
    for (size_t i = 0; i < selection->count; i++) {
        buf_text(out, i == 0 ? "{" : ", ");
        write_key(&selection->keys[i], out);
    }
    buf_char(out, '}');
}

static void write_terms(const struct any_terms *terms, const char *indent, struct buf *out)
{
    bool has_source = terms->keep_source != ANY_UNSAID;
    if (terms->verify != ANY_UNSAID)
        buf_format(out, "%sverify: %s\n", indent, verify_levels[terms->verify]);
    if (!has_source && terms->grace == NULL)
        return;
    buf_format(out, "%scleanup: {", indent);
    if (has_source)
        buf_format(out, "source: %s", terms->keep_source ? "keep" : "delete");
    if (terms->grace != NULL)
        buf_format(out, "%safter: %s", comma(has_source), terms->grace->text);
    buf_text(out, "}\n");
}

static void write_policy(const struct any_policy *policy, size_t index, struct buf *out)
{
    buf_format(out, "  - name: p%zu\n    target: %s\n    priority: %d\n", index,
               any_stores[policy->target], policy->priority);
    if (policy->from != ANY_EVERY_STORE)
        buf_format(out, "    from: %s\n", any_stores[policy->from]);
    if (!policy->enabled)
        buf_text(out, "    enabled: false\n");
    if (policy->expires != NULL)
        buf_format(out, "    expires: %s\n", policy->expires->text);
    write_terms(&policy->terms, "    ", out);
    if (policy->guards != NULL)
        buf_format(out, "    guards: {%s}\n    order_by: %s\n", policy->guards, policy->order_by);
    buf_text(out, "    select: ");
    write_selection(&policy->select, out);
    if (policy->has_exclude) {
        buf_text(out, "\n    exclude: ");
        write_selection(&policy->exclude, out);
    }
    buf_char(out, '\n');
}

void any_write(const struct any_set *set, struct buf *out)
{
    const struct any_terms *defaults = &set->defaults;
    buf_format(out, "timezone: %s\n", set->zone->name);
    if (defaults->verify != ANY_UNSAID || defaults->keep_source != ANY_UNSAID ||
        defaults->grace != NULL)
        buf_text(out, "defaults:\n");
    write_terms(defaults, "  ", out);
    for (size_t i = 0; i < set->hold_count; i++) {
        buf_format(out, "%s  - name: h%zu\n", i == 0 ? "holds:\n" : "", i);
        if (set->holds[i].until != NULL)
            buf_format(out, "    until: %s\n", set->holds[i].until->text);
        buf_text(out, "    select: ");
        write_selection(&set->holds[i].select, out);
        buf_char(out, '\n');
    }
    buf_text(out, "policies:\n");
    for (size_t i = 0; i < set->count; i++)
        write_policy(&set->policies[i], i, out);
}

void any_write_file(const struct any_set *set, size_t file, struct buf *out)
{
    buf_text(out, "# ids, one a line\n\n");
    for (size_t i = 0; i < ANY_IDS; i++) {
        if ((set->files[file] >> i & 1) != 0)
            buf_format(out, "  %s  # listed\r\n", any_ids[i]);
    }
}
