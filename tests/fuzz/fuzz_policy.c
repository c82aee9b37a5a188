/* Any bytes as a policy: findings, which every renderer can tell, or policies that are warned of,
 * bind to whatever the columns are, prepare for any time, and decide any row, the same twice, and
 * can say why; never a crash, a leak or a secret in what is told.  The last byte chooses the
 * environment, the columns and whether there is a --var; the rest is the file, and what stands
 * behind a form feed, which no policy may hold, every file that it includes.  No file comes from
 * the disk. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "base/when.h"
#include "policy/circle.h"
#include "policy/diag_codes.h"
#include "policy/diag_machine.h"
#include "policy/explain.h"
#include "policy/lint.h"
#include "policy/load.h"
#include "policy/substitute.h"
#include "state/location.h"

#define FUZZ_ARENA_BYTES ((size_t)1 << 30)
#define FUZZ_OUT_BYTES ((size_t)16 << 20)
#define FUZZ_SECRET "CANARYc2VjcmV0"
#define FUZZ_CONNECTION                                                                            \
    "DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=" FUZZ_SECRET                      \
    "==;EndpointSuffix=core.windows.net"
/* The first and the last instant that has a date, and one between them. */
#define FUZZ_FIRST_US INT64_C(-62135596800000000)
#define FUZZ_MIDDLE_US INT64_C(1748736000000000)
#define FUZZ_LAST_US INT64_C(253402300799999999)
#define FUZZ_NEXT_FILE '\f'
#define FUZZ_CHOICES 8 /* of environments */
#define FUZZ_SHAPES 3
#define FUZZ_ROWS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_input {
    const char *bytes; /* NUL behind the last one */
    size_t size;
    const char *included; /* NULL: none */
    size_t included_size;
    uint8_t choice; /* 0 for a text that ended with a newline */
    bool has_secret;
};

static void fuzz_require(bool holds)
{
    if (!holds)
        abort();
}

/* ---- what a policy reads ---- */

/* What makes sense, one of these for every name, or what the last comment says. */
static const char *fuzz_env(void *context, const char *name)
{
    static const char *const values[] = {
        NULL,
        FUZZ_SECRET,
        "AccountName=acct;AccountKey=" FUZZ_SECRET "==",
        "/srv/" FUZZ_SECRET,
        "postgresql://u:" FUZZ_SECRET "@h/db",
        "BlobEndpoint=https://acct.example;SharedAccessSignature=sig=" FUZZ_SECRET,
    };
    const struct fuzz_input *input = context;
    const size_t count = sizeof values / sizeof *values;
    size_t choice = input->choice % FUZZ_CHOICES;
    if (choice > count) {
        const char *comment = memrchr(input->bytes, '#', input->size);
        return comment == NULL ? NULL : comment + 1;
    }
    if (choice > 0)
        return values[choice - 1];
    if (strstr(name, "CONNECTION_STRING") != NULL)
        return FUZZ_CONNECTION;
    return strstr(name, "PORT") != NULL ? "5432" : "canary-" FUZZ_SECRET;
}

/* Texts are lists of ids; policies what is behind the form feed; any other file holds a secret. */
static bool fuzz_read(void *context, const char *path, size_t limit_bytes, struct arena *arena,
                      char **bytes, size_t *size_bytes, struct err *err)
{
    const struct fuzz_input *input = context;
    const char *from = limit_bytes == SUBSTITUTE_FILE_BYTES_MAX ? FUZZ_SECRET "\n" : "A\n# x\nB\n";
    *size_bytes = strlen(from);
    if (limit_bytes == POLICY_FILE_BYTES_MAX) {
        from = input->included;
        *size_bytes = input->included_size;
    }
    if (path[0] == '/' || from == NULL)
        return ERR(err, ERR_MISSING, "no such file");
    *bytes = str_copy(arena, from, *size_bytes);
    return true;
}

/* ---- what is told ---- */

static void fuzz_check_told(const struct fuzz_input *input, const struct buf *told)
{
    fuzz_require(!told->overflowed);
    fuzz_require(input->has_secret || strstr(buf_string(told), FUZZ_SECRET) == NULL);
}

static size_t fuzz_count_lines(const char *text)
{
    size_t count = 0;
    for (; (text = strchr(text, '\n')) != NULL; text++)
        count++;
    return count;
}

/* Each finding has a code and a place, and is told once by every renderer. */
static void fuzz_render(const struct fuzz_input *input, const struct diags *diags)
{
    struct buf told;
    struct json *json;
    struct err err;
    for (size_t i = 0; i < diags->count; i++) {
        const struct diag *diag = &diags->items[i];
        fuzz_require(diag_codes_find(diag->code) != NULL);
        fuzz_require(diag->span.file < diags->file_count && diag->span.line > 0 &&
                     diag->span.column > 0);
    }
    buf_init(&told, FUZZ_OUT_BYTES);
    diag_render(diags, &told);
    fuzz_check_told(input, &told);
    buf_reset(&told);
    diag_machine_github(diags, &told);
    fuzz_check_told(input, &told);
    fuzz_require(fuzz_count_lines(buf_string(&told)) == diags->count);
    buf_reset(&told);
    diag_machine_json(diags, &told);
    fuzz_check_told(input, &told);
    fuzz_require(json_read(told.bytes, told.size, &json, &err));
    fuzz_require(json_count(json_find(json, "diagnostics")) == diags->count);
    json_free(json);
    buf_free(&told);
}

/* ---- rows ---- */

static struct value fuzz_value(enum value_kind kind, size_t variant)
{
    static const char *const texts[] = {"", "A", "track-1", "null"};
    static const int64_t integers[] = {0, 600, INT64_MAX, INT64_MIN};
    static const struct decimal decimals[] = {{0, 0}, {15, 1}, {INT64_MAX, 36}, {INT64_MIN, 0}};
    static const int64_t instants_us[] = {FUZZ_MIDDLE_US, FUZZ_FIRST_US, FUZZ_LAST_US, 0};
    struct value value = {.kind = kind};
    variant %= 4;
    switch (kind) {
    case VALUE_TEXT:
        value.text.bytes = texts[variant];
        value.text.size_bytes = (uint32_t)strlen(texts[variant]);
        break;
    case VALUE_INTEGER:
        value.integer = integers[variant];
        break;
    case VALUE_DECIMAL:
        value.decimal = decimals[variant];
        break;
    case VALUE_BOOLEAN:
        value.boolean = variant % 2 == 0;
        break;
    case VALUE_INSTANT:
    case VALUE_DATE:
        value.instant_us = instants_us[variant];
        break;
    default:
        value.kind = VALUE_NULL;
        break;
    }
    return value;
}

/* The last one is short of fields, and none of them is of its column's kind. */
static struct record fuzz_record(const struct catalog_shape *shape, size_t columns, size_t number,
                                 struct arena *arena)
{
    static const char *const ids[FUZZ_ROWS] = {"A", "B", "ECAL_2025021401", ""};
    static const char *const locations[FUZZ_ROWS] = {
        "file:///srv/a/b", "https://acct.blob.core.windows.net/c/d/e", "file:///srv/%2e", NULL};
    static const int64_t times_us[FUZZ_ROWS] = {
        FUZZ_MIDDLE_US / 2, FUZZ_MIDDLE_US - 3 * 3600 * WHEN_SECOND_US, FUZZ_LAST_US, 0};
    static const uint64_t sizes[FUZZ_ROWS] = {UINT64_C(1) << 30, 0, UINT64_MAX, 0};
    bool is_last = number + 1 == FUZZ_ROWS;
    struct value *fields = arena_make(arena, (columns + 1) * sizeof *fields);
    for (size_t i = 0; i < columns; i++) {
        enum value_kind kind = shape->fields[i];
        fields[i] = fuzz_value(is_last ? (kind + 1) % VALUE_UNSUPPORTED : kind, number + i);
    }
    return (struct record){.id = ids[number],
                           .location = locations[number],
                           .time_us = times_us[number],
                           .has_time = !is_last,
                           .bytes = sizes[number],
                           .has_bytes = !is_last,
                           .fields = fields,
                           .field_count = is_last ? columns / 2 : columns};
}

/* ---- deciding ---- */

static bool fuzz_is_same(const struct policies *policies, const struct decision *a,
                         const struct decision *b)
{
    return a->kind == b->kind && a->hold == b->hold && a->winner == b->winner &&
           a->rival == b->rival && a->target == b->target && a->terms.verify == b->terms.verify &&
           a->terms.keep_source == b->terms.keep_source && a->terms.grace_us == b->terms.grace_us &&
           a->excluded == b->excluded && a->undecided == b->undecided && a->blamed == b->blamed &&
           memcmp(a->verdicts, b->verdicts, policies->count) == 0;
}

/* A winner is a candidate of the highest priority; without one, who is blamed is no candidate. */
static void fuzz_check_decision(const struct policies *policies, const struct decision *decision,
                                uint16_t store)
{
    bool has_candidate = false;
    for (size_t i = 0; i < policies->count; i++) {
        if (decision->verdicts[i] != VERDICT_CANDIDATE)
            continue;
        has_candidate = true;
        fuzz_require(decision->winner <= i ||
                     policies->items[i].priority < policies->items[decision->winner].priority);
        fuzz_require(policies->items[i].priority <= policies->items[decision->winner].priority);
    }
    fuzz_require(has_candidate == (decision->winner != POLICY_NO_INDEX));
    if (has_candidate)
        fuzz_require(decision->verdicts[decision->winner] == VERDICT_CANDIDATE);
    if (decision->blamed != POLICY_NO_INDEX)
        fuzz_require(!has_candidate && decision->verdicts[decision->blamed] >= VERDICT_EXCLUDED);
    switch (decision->kind) {
    case DECISION_HELD:
        fuzz_require(decision->hold < policies->hold_count);
        return;
    case DECISION_STAY:
        fuzz_require(!has_candidate);
        break;
    case DECISION_CONFLICT:
        fuzz_require(policies->items[decision->rival].target != decision->target);
        break;
    case DECISION_IN_PLACE:
    case DECISION_MOVE:
        fuzz_require(has_candidate &&
                     (decision->target == store) == (decision->kind == DECISION_IN_PLACE));
        break;
    }
    fuzz_require(decision->hold == POLICY_NO_INDEX);
}

static void fuzz_take_clause(void *context, const struct explain_clause *clause)
{
    buf_format(context, "%u %s %s %s\n", clause->depth, clause->words, clause->value, clause->at);
}

/* What is said of a row, by all that can say something. */
static void fuzz_explain(struct policies *policies, const struct record *record,
                         const struct location *location, const struct decision *decision,
                         struct buf *why)
{
    struct decision then;
    for (uint16_t i = 0; i < policies->count; i++) {
        if (decision->verdicts[i] == VERDICT_CANDIDATE)
            explain_because(policies, i, record, location, why);
        explain_selection(policies, policies->items[i].select, record, location, fuzz_take_clause,
                          why);
    }
    if (decision->kind != DECISION_MOVE)
        explain_stay(policies, record, location, decision, why);
    fuzz_require(explain_next(policies, record, location, &then) > policies->as_of_us);
}

/* Alone in its directory, it comes to rest, and meets no store twice. */
static void fuzz_follow(struct policies *policies, const struct record *record,
                        const struct location *location)
{
    struct location there = *location;
    uint64_t been = 0;
    for (;;) {
        struct decision decision;
        fuzz_require((been & UINT64_C(1) << there.store) == 0);
        been |= UINT64_C(1) << there.store;
        circle_decide(policies, record, &there, &decision);
        if (decision.kind != DECISION_MOVE)
            return;
        there.store = decision.target;
    }
}

static void fuzz_decide(const struct fuzz_input *input, struct policies *policies,
                        const struct record *record, const struct location *location,
                        struct decision *decision)
{
    struct decision again;
    struct buf why;
    policy_decide(policies, record, location, decision);
    policy_decide(policies, record, location, &again);
    fuzz_require(fuzz_is_same(policies, decision, &again));
    fuzz_check_decision(policies, decision, location == NULL ? POLICY_NO_INDEX : location->store);
    fuzz_require(policy_held(policies, record, location) == decision->hold);
    if (location != NULL)
        fuzz_follow(policies, record, location);
    buf_init(&why, FUZZ_OUT_BYTES);
    fuzz_explain(policies, record, location, decision, &why);
    fuzz_check_told(input, &why);
    buf_free(&why);
}

/* The contest of a directory's rows is the same in any order. */
static void fuzz_contest(const struct policies *policies, const struct decision *a,
                         const struct decision *b)
{
    struct decision ab = *a, ba = *b;
    if (a->kind < DECISION_IN_PLACE || b->kind < DECISION_IN_PLACE)
        return;
    policy_contest(policies, 0, &ab, b);
    policy_contest(policies, 0, &ba, a);
    fuzz_require(ab.kind == ba.kind && ab.winner == ba.winner && ab.rival == ba.rival &&
                 ab.target == ba.target && ab.terms.grace_us == ba.terms.grace_us);
}

static void fuzz_rows(const struct fuzz_input *input, struct policies *policies,
                      const struct catalog_shape *shape, struct arena *arena)
{
    struct decision before = {.kind = DECISION_STAY};
    for (size_t i = 0; i < FUZZ_ROWS; i++) {
        struct record record = fuzz_record(shape, policies->catalog.field_count, i, arena);
        struct location location = {.store = (uint16_t)(i % 2), .key = i < 2 ? "a/b" : "x/y/z"};
        struct decision decision;
        bool is_ours = i + 1 < FUZZ_ROWS && location.store < policies->store_count;
        fuzz_decide(input, policies, &record, is_ours ? &location : NULL, &decision);
        fuzz_contest(policies, &before, &decision);
        before = decision;
    }
}

/* ---- the whole ---- */

/* Columns of every kind in turn, beginning with the chosen one; then all of them texts; then those
 * that selections can't read.                                                                    */
static struct catalog_shape fuzz_shape(size_t columns, size_t choice, size_t number,
                                       struct arena *arena)
{
    static const enum value_kind times[FUZZ_SHAPES] = {VALUE_INSTANT, VALUE_DATE, VALUE_TEXT};
    static const enum value_kind sizes[FUZZ_SHAPES] = {VALUE_DECIMAL, VALUE_INTEGER, VALUE_BOOLEAN};
    struct catalog_shape shape = {
        .time = times[number], .time_is_naive = choice % 2 == 0, .size = sizes[number]};
    shape.fields = arena_make(arena, (columns + 1) * sizeof *shape.fields);
    for (size_t i = 0; i < columns; i++) {
        const enum value_kind fields[FUZZ_SHAPES] = {VALUE_TEXT + (i + choice) % VALUE_UNSUPPORTED,
                                                     VALUE_TEXT, VALUE_UNSUPPORTED};
        shape.fields[i] = fields[number];
    }
    return shape;
}

/* Stops at the last one that *context leaves. */
static bool fuzz_visit_missing(void *context, const char *id, const char *where, struct err *err)
{
    size_t *left = context;
    fuzz_require(id[0] != '\0' && strchr(where, ':') != NULL);
    if (--*left == 0)
        return ERR(err, ERR_CANCELLED, "enough");
    return true;
}

static size_t fuzz_missing(const struct policies *policies)
{
    struct err err;
    size_t left = SIZE_MAX, one = 1;
    fuzz_require(policy_each_missing_id(policies, fuzz_visit_missing, &left, &err));
    bool is_none = left == SIZE_MAX;
    fuzz_require(policy_each_missing_id(policies, fuzz_visit_missing, &one, &err) == is_none);
    return SIZE_MAX - left;
}

/* Bound to several shapes in turn, and prepared for several times. */
static void fuzz_use(const struct fuzz_input *input, struct policies *policies,
                     const struct diags *loaded, struct arena *arena)
{
    static const int64_t as_ofs_us[FUZZ_SHAPES] = {FUZZ_MIDDLE_US, FUZZ_FIRST_US, FUZZ_LAST_US};
    size_t listed = fuzz_missing(policies);
    for (size_t i = 0; i < FUZZ_SHAPES; i++) {
        struct catalog_shape shape =
            fuzz_shape(policies->catalog.field_count, input->choice / FUZZ_CHOICES, i, arena);
        struct diags diags;
        diag_init(&diags, arena);
        diags.files = loaded->files;
        diags.file_count = loaded->file_count;
        bool bound = policy_bind(policies, &shape, &diags);
        fuzz_require(bound == (diags.errors == 0));
        fuzz_render(input, &diags);
        if (!bound)
            continue;
        policy_prepare(policies, as_ofs_us[i]);
        fuzz_rows(input, policies, &shape, arena);
    }
    fuzz_require(fuzz_missing(policies) <= listed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct policy_var var = {"cold_after", "12h"};
    if (size == 0 || size > POLICY_FILE_BYTES_MAX)
        return 0;
    struct arena arena;
    struct diags diags;
    struct policies *policies;
    struct fuzz_input input = {.size = size - 1, .choice = (uint8_t)(data[size - 1] - '\n')};
    struct policy_source source = {.path = "p.yaml",
                                   .env = fuzz_env,
                                   .env_context = &input,
                                   .vars = &var,
                                   .var_count = input.choice / FUZZ_CHOICES % 2};
    arena_init(&arena, FUZZ_ARENA_BYTES);
    diag_init(&diags, &arena);
    input.bytes = str_copy(&arena, (const char *)data, input.size);
    input.has_secret = memmem(data, size, FUZZ_SECRET, strlen(FUZZ_SECRET)) != NULL;
    struct load load = {.source = &source,
                        .read = fuzz_read,
                        .read_secret = fuzz_read,
                        .read_context = &input,
                        .arena = &arena,
                        .diags = &diags};
    const char *next = memchr(input.bytes, FUZZ_NEXT_FILE, input.size);
    size_t root_size = next == NULL ? input.size : (size_t)(next - input.bytes);
    if (next != NULL) {
        input.included = next + 1;
        input.included_size = input.size - root_size - 1;
    }
    load_bytes(&load, input.bytes, root_size, &policies);
    fuzz_require((policies == NULL) == (diags.errors > 0));
    if (policies != NULL)
        lint_policies(policies, FUZZ_MIDDLE_US, &diags);
    fuzz_render(&input, &diags);
    if (policies != NULL)
        fuzz_use(&input, policies, &diags, &arena);
    policy_free(policies);
    arena_free(&arena);
    return 0;
}
