/* Warnings (FL06xx) claim no more than is so: what the tables say of two selections, and that no
 * row proves a warning of a random pair of policies wrong, or the want of one. */
#include "base/rand.h"
#include "policy/diag_codes.h"
#include "policy/lint.h"
#include "tests/unit/policy/rows.h"

#define PAIRS 4000
#define ROWS 200

/* FIXTURE_HEAD and `text` below it, with its warnings. */
static void fixture_lint(struct fixture *fixture, const char *text)
{
    struct buf whole;
    buf_init(&whole, FIXTURE_OUT_BYTES);
    buf_format(&whole, "%s%s", FIXTURE_HEAD, text);
    fixture_load_bytes(fixture, whole.bytes, whole.size);
    assert_loaded(fixture);
    lint_policies(fixture->policies, instant(AS_OF), &fixture->diags);
    diag_render(&fixture->diags, &fixture->out);
    buf_free(&whole);
}

static bool has_code(const struct diags *diags, int code)
{
    for (size_t i = 0; i < diags->count; i++) {
        if (diags->items[i].code == code)
            return true;
    }
    return false;
}

/* ---- two selections ---- */

/* Are two policies of these selections warned of?  The first one has the priority. */
static bool warns(int code, int priority, const char *first, const char *second)
{
    struct fixture fixture = {0};
    struct buf text;
    buf_init(&text, FIXTURE_OUT_BYTES);
    buf_format(&text,
               "policies:\n"
               "  - {name: a, target: cold, guards: {max_recordings: 1}, priority: %d, %s}\n"
               "  - {name: b, target: warm, guards: {max_recordings: 1}, %s}\n",
               priority, first, second);
    fixture_lint(&fixture, buf_string(&text));
    bool found = has_code(&fixture.diags, code);
    fixture_free(&fixture);
    buf_free(&text);
    return found;
}

struct two {
    const char *first, *second;
};

#define S(text) "select: {" text "}"
static const struct two strangers[] = {
    {S("older_than: 90d"), S("newer_than: 90d")},
    {S("older_than: 2mo"), S("newer_than: 2mo")},
    {S("older_than: 3mo"), S("newer_than: 87d")},
    {S("older_than: 94d"), S("newer_than: 3mo")},
    {S("older_than: 30d"), S("not: {older_than: 20d}")},
    {S("date: 2025-02-14"), S("date: 2025-02-15")},
    {S("dates: {to: 2025-02-14}"), S("dates: {from: 2025-02-15}")},
    {S("dates: {to: 2025-05-01}"), S("newer_than: 30d")}, /* it is June */
    {S("size: {lt: 1GB}"), S("size: {gte: 1GB}")},
    {S("size: {lt: 1GB}"), S("not: {size: {lt: 2GB}}")},
    {S("ids: [A, B]"), S("ids: [C, D]")},
    {S("store: hot"), S("store: warm")},
    {S("store: hot"), S("not: {store: hot}")},
    {"from: hot, " S("ids: [A]"), "from: cold, " S("ids: [A]")},
    {"from: hot, " S("ids: [A]"), S("ids: [A], store: warm")},
    {S("map: x"), S("map: y")},
    {S("map: {in: [x, y]}"), S("map: {in: [z, \"1\"]}")},
    {S("map: x"), S("map: {ne: x}")},
    {S("map: x"), S("map: {null: true}")},
    {S("map: {null: false}"), S("map: {null: true}")},
    {S("not: {map: x}"), S("map: {null: true}")},
    {S("map: {gt: m}"), S("map: {lte: m}")},
    {S("map: {gt: n}"), S("map: {lt: m}")},
    {S("valid: true"), S("valid: false")},
    {S("length: 1"), S("length: 2")},
    {S("length: {lt: 60}"), S("length: {gte: 60}")},
    {S("length: {lt: 90}"), S("length: {gte: 100}")}, /* as numbers */
    {S("length: {lt: 90}"), S("length: {gt: 90.0}")},
    {S("length: {lt: 90}"), S("not: {length: {lt: 200}}")},
    {S("seen: {lt: 2025-02-14}"), S("seen: {gte: 2025-02-14}")},
    {S("seen: 2025-02-14T12:00:00Z"), S("seen: 2025-02-14T12:00:00+01:00")},
    {S("ids: [A]"), S("everything: true") ", exclude: {ids: [A, B]}"},
    {S("map: x, valid: true"), S("any: [{map: y}, {valid: false, older_than: 1d}]")},
    {S("all: [{any: [{map: x}, {valid: true}]}, {length: 1}]"), S("map: y, valid: false")},
    {S("not: {any: [{map: x}, {ids: [A]}]}"), S("ids: [A], valid: true")},
    {S("map: x, older_than: 1d"), "exclude: {map: x}, " S("older_than: 9d")},
};
static const struct two acquaintances[] = {
    {S("older_than: 90d"), S("newer_than: 91d")},
    {S("older_than: 93d"), S("newer_than: 3mo")},
    {S("older_than: 3mo"), S("newer_than: 90d")}, /* on the first of May */
    {S("older_than: 90d"), S("dates: {from: 2025-02-14}")},
    {S("dates: {to: 2025-05-02}"), S("newer_than: 30d")},
    {S("date: 2025-02-14"), S("dates: {to: 2025-02-14}")},
    {S("size: {lte: 1GB}"), S("size: {gte: 1GB}")},
    {S("ids: [A, B]"), S("ids: [B, C]")},
    {S("ids: [A]"), S("map: x")},
    {"from: hot, " S("ids: [A]"), S("ids: [A]")},
    {S("map: x"), S("length: 1")},
    {S("map: {in: [x, y]}"), S("map: {in: [y, z]}")},
    {S("map: {gte: m}"), S("map: {lte: m}")},
    {S("length: 1"), S("length: 1.0")},
    {S("length: {ne: 1}"), S("length: {ne: 2}")},
    {S("seen: {older_than: 9d}"), S("seen: {older_than: 5d}")},
    {S("map: {glob: 'a*'}"), S("map: b")},
    {S("map: {regex: x}"), S("map: {null: true}")}, /* not looked into */
    {S("seen: 2025-02-14"), S("seen: 2025-02-14T12:00:00Z")},
    {S("seen: 2025-02-14T12:00:00Z"), S("seen: 2025-02-14T13:00:00+01:00")},
    {S("map: x, valid: true"), S("any: [{map: y}, {valid: true}]")},
    {S("ids: [A, C]"), S("everything: true") ", exclude: {ids: [A, B]}"},
};

static void a_conflict_is_told_unless_they_never_meet(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        const struct two *two = &strangers[i];
        if (warns(DIAG_CONFLICT, 0, two->first, two->second) ||
            warns(DIAG_CONFLICT, 0, two->second, two->first))
            fail_msg("these never meet: %s and %s", two->first, two->second);
    }
    for (size_t i = 0; i < sizeof acquaintances / sizeof *acquaintances; i++) {
        const struct two *two = &acquaintances[i];
        if (!warns(DIAG_CONFLICT, 0, two->first, two->second) ||
            !warns(DIAG_CONFLICT, 0, two->second, two->first))
            fail_msg("these can meet: %s and %s", two->first, two->second);
    }
}

/* The first takes all that the second takes. */
static const struct two beaten[] = {
    {S("everything: true"), S("map: x")},
    {S("map: x"), S("map: x")},
    {S("map: {in: [x, y]}"), S("map: {in: [y, x]}, valid: true")},
    {S("any: [{map: x, valid: true}, {ids: [A]}]"), S("map: x, valid: true, length: 1")},
    {S("map: {ne: x}"), S("map: y")},
    {S("map: {null: false}"), S("map: {gt: y}")},
    {S("map: {glob: 'a*'}"), S("map: {glob: 'a*'}, valid: true")},
    {S("path: {regex: x}"), S("path: {regex: x}")},
    {S("seen: {older_than: 9d}"), S("seen: {older_than: 9d}")},
    {S("map: {gte: m}"), S("map: {gt: n}")},
    {S("not: {map: x}"), S("map: y")},
    {S("not: {map: x}"), S("not: {map: {in: [x, y]}}")},
    {S("older_than: 90d"), S("older_than: 91d")},
    {S("older_than: 90d"), S("older_than: 1y")},
    {S("newer_than: 90d"), S("newer_than: 2mo")},
    {S("not: {older_than: 90d}"), S("not: {older_than: 80d}")},
    {S("dates: {from: 2025-02-01, to: 2025-02-28}"), S("date: 2025-02-28")},
    {S("size: {gte: 1GB}"), S("size: {gt: 1GB, lt: 2GB}")},
    {S("ids: [A, B]"), S("ids: [B]")},
    {S("length: {gt: 1}"), S("length: {gte: 2}")}, /* as a text, too */
    {S("seen: {gt: 2025-02-14}"), S("seen: {gte: 2025-02-15}")},
    {"from: hot, " S("map: x"), "from: hot, " S("map: x")},
    {"from: hot, " S("map: x"), S("map: x, store: hot")},
    {S("map: x") ", exclude: {ids: [A]}",
     S("map: x") ", exclude: {any: [{ids: [A]}, {valid: true}]}"},
    {S("map: x") ", exclude: {valid: true}", S("map: x, valid: false")},
    {S("map: x") ", exclude: {valid: true}", S("map: x") ", exclude: {valid: true}"},
    {S("not: {valid: true}"), "exclude: {valid: true}, " S("ids: [A]")},
    {S("map: x") ", expires: 2099-12-31", S("map: x") ", expires: 2099-12-31"},
};
static const struct two free_to_win[] = {
    {S("map: x"), S("everything: true")},
    {S("map: x, valid: true"), S("map: x")},
    {S("map: x"), S("map: {in: [x, y]}")},
    {S("length: {gte: 90}"), S("length: {gte: 100}")}, /* of texts, 90 is the greater one */
    {S("length: 1.0"), S("length: 1")},                /* texts differ */
    {S("seen: {older_than: 9d}"), S("seen: {newer_than: 9d}")},
    {S("seen: {older_than: 9d}"), S("seen: {older_than: 90d}")}, /* not looked into */
    {S("map: {glob: 'a*'}"), S("map: {glob: 'a'}")},
    {S("map: {glob: 'a*'}"), S("map: {regex: 'a*'}")},
    {S("map: {glob: 'a*'}"), S("path: {glob: 'a*'}")},
    {S("not: {map: x}"), S("map: {null: true}")}, /* unknown is no match */
    {S("older_than: 91d"), S("older_than: 90d")},
    {S("older_than: 2mo"), S("older_than: 60d")},
    {S("dates: {to: 2025-02-14}"), S("older_than: 1y")},
    {S("not: {newer_than: 30d}"), S("date: 2025-02-14")}, /* it was younger */
    {S("ids: [A]"), S("ids: [A, B]")},
    {"from: hot, " S("map: x"), S("map: x")},
    {S("seen: {gt: 2025-02-14}"), S("seen: {gt: 2025-02-14T12:00:00Z}")},
    {S("map: x") ", exclude: {ids: [A]}", S("map: x")},
    {S("map: x") ", exclude: {valid: true}", S("map: x") ", exclude: {valid: false}"},
    {S("map: x") ", expires: 2098-12-31", S("map: x") ", expires: 2099-12-31"},
    {S("map: x") ", expires: 2099-12-31", S("map: x")},
    {S("map: x") ", enabled: false", S("map: x")},
};

static void what_never_wins_is_told_where_it_is_certain(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof beaten / sizeof *beaten; i++) {
        const struct two *two = &beaten[i];
        if (!warns(DIAG_NEVER_WINS, 1, two->first, two->second))
            fail_msg("%s never wins over %s", two->second, two->first);
        assert_false(warns(DIAG_NEVER_WINS, 0, two->first, two->second));
        assert_false(warns(DIAG_CONFLICT, 1, two->first, two->second));
    }
    for (size_t i = 0; i < sizeof free_to_win / sizeof *free_to_win; i++) {
        const struct two *two = &free_to_win[i];
        if (warns(DIAG_NEVER_WINS, 1, two->first, two->second))
            fail_msg("%s can win over %s", two->second, two->first);
    }
}

/* Tests on fields that were bound stand for every kind of clause that is not looked into. */
static void an_unknown_clause_is_only_known_to_be_itself(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    fixture_ready(&fixture, "policies:\n"
                            "  - {name: a, target: cold, priority: 1, select: {map: x}}\n"
                            "  - {name: never-wins, target: warm, select: {map: x, valid: true}}\n"
                            "  - {name: b, target: warm, select: {map: y}}\n"
                            "  - {name: not-told-apart, target: hot, select: {map: z}}\n");
    lint_policies(fixture.policies, instant(AS_OF), &fixture.diags);
    assert_int_equal(fixture.diags.warnings, 2);
    assert_true(has_code(&fixture.diags, DIAG_NEVER_WINS));
    assert_true(has_code(&fixture.diags, DIAG_CONFLICT));
    fixture_free(&fixture);
}

/* ---- one finding is not caused by another one ---- */

static void assert_warned(const char *policies, const int *codes, size_t count)
{
    struct fixture fixture = {0};
    fixture_lint(&fixture, policies);
    if (!fixture_has_codes(&fixture, codes, count))
        fail_msg("other findings of\n%s:\n%s", policies, buf_string(&fixture.out));
    fixture_free(&fixture);
}
#define assert_warnings(policies, ...)                                                             \
    do {                                                                                           \
        const int codes_[] = {__VA_ARGS__};                                                        \
        assert_warned((policies), codes_, sizeof codes_ / sizeof *codes_);                         \
    } while (0)
#define assert_silence(policies) assert_warned((policies), NULL, 0)

#define P(name, rest) "  - {name: " name ", " rest "}\n"

#define LONG_TEXT                                                                                  \
    "recordings-of-a-long-name-recordings-of-a-long-name-recordings-of-a-long-name-recordings-of"

/* Words show no more than the beginning of a literal. */
static void long_literals_are_compared_whole(void **state)
{
    (void)state;
    static const struct {
        const char *first, *same, *other;
    } table[] = {
#define LONG(before, after)                                                                        \
    {S(before LONG_TEXT "a" after), S(before LONG_TEXT "a" after), S(before LONG_TEXT "b" after)}
        LONG("map: {glob: \"", "*\"}"),  LONG("map: {regex: \"", "\"}"),
        LONG("path: {glob: \"", "*\"}"), LONG("path: {regex: \"", "\"}"),
        LONG("map: \"", "\""),
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_true(warns(DIAG_NEVER_WINS, 1, table[i].first, table[i].same));
        assert_false(warns(DIAG_NEVER_WINS, 1, table[i].first, table[i].other));
    }
}

static void what_has_no_effect_disturbs_nothing(void **state)
{
    (void)state;
    assert_silence("policies:\n" P("a", "target: cold, select: {map: x}, enabled: false")
                       P("b", "target: warm, select: {map: x}"));
    assert_warnings("policies:\n" P("a", "target: cold, select: {map: x}, expires: 2020-12-31")
                        P("b", "target: warm, select: {map: x}"),
                    607);
    assert_warnings("policies:\n" P("a", "target: cold, select: {map: x, ids: [A], not: {map: x}}")
                        P("b", "target: warm, select: {map: x}"),
                    605);
    /* b would be in conflict with c. */
    assert_warnings("policies:\n" P("a", "target: cold, select: {map: x}, priority: 1")
                        P("b", "target: warm, select: {map: x}")
                            P("c", "from: warm, target: hot, select: {valid: true}"),
                    602);
    /* Nothing of it is ever deleted. */
    assert_warnings("policies:\n" P("a", "from: hot, target: hot, select: {map: x}, "
                                         "cleanup: {after: 0s}"),
                    603);
}

static void days_end_in_the_policies_zone(void **state)
{
    (void)state;
    static const char zones[][24] = {"UTC", "America/New_York"};
    for (int i = 0; i < 2; i++) {
        struct fixture fixture = {0};
        char text[300];
        snprintf(text, sizeof text,
                 "timezone: %s\n"
                 "holds:\n  - {name: h, until: 2025-05-31, select: {ids: [A]}}\n"
                 "policies:\n" P("a", "target: cold, select: {map: x}, expires: 2025-05-31"),
                 zones[i]);
        fixture_lint(&fixture, text);
        assert_int_equal(fixture.diags.warnings, i == 0 ? 2 : 0);
        fixture_free(&fixture);
    }
}

static void a_grace_is_told_where_it_is_given(void **state)
{
    (void)state;
    assert_silence("policies:\n" P("a", "target: cold, select: {map: x}, cleanup: {after: 1s}"));
    assert_silence("defaults: {cleanup: {source: keep}}\n"
                   "policies:\n" P("a", "target: cold, select: {map: x}, cleanup: {after: 0s}"));
    assert_silence("defaults: {cleanup: {after: 0s}}\n"
                   "policies:\n" P("a", "target: cold, select: {map: x}, cleanup: {after: 1d}"));
    struct fixture fixture = {0};
    fixture_lint(&fixture,
                 "defaults:\n  cleanup: {after: 0s}\n"
                 "policies:\n" P("a", "target: cold, select: {map: x}")
                     P("b", "target: cold, select: {map: y}, cleanup: {after: 0s}")
                         P("c", "target: cold, select: {map: z}, cleanup: {source: delete}"));
    assert_codes(&fixture, 604, 604);
    assert_int_equal(fixture.diags.items[0].span.line, FIXTURE_HEAD_LINES + 2);
    assert_int_equal(fixture.diags.items[1].span.line, FIXTURE_HEAD_LINES + 5);
    fixture_free(&fixture);
}

static void moving_back_is_told_and_moving_on_is_not(void **state)
{
    (void)state;
    static const char out[] = P("out", "from: hot, target: cold, select: {older_than: 90d}");
    static const struct {
        const char *second;
        int code; /* 0: nothing is said */
    } table[] = {
        {P("back", "target: hot, priority: 1, select: {map: x}"), 606},
        {P("back", "target: hot, priority: 1, select: {map: x, not: {store: warm}}"), 606},
        {P("back", "from: cold, target: hot, priority: 1, select: {map: x}"), 0},
        {P("back", "target: hot, priority: 1, select: {map: x, store: cold}"), 0},
        {P("keep", "target: hot, priority: 1, select: {map: x, not: {store: cold}}"), 0},
        {P("back", "target: hot, priority: 1, select: {newer_than: 30d}"), 0},
        {P("back", "target: hot, priority: -1, select: {map: x}"), 0}, /* a loser pulls nothing */
        {P("back", "from: cold, target: hot, select: {map: x}"), 609},
        {P("back", "target: hot, select: {map: x, store: cold}"), 609},
        {P("back", "from: cold, target: hot, select: {newer_than: 30d}"), 0},
        {P("back", "from: cold, target: hot, select: {map: x}, exclude: {older_than: 80d}"), 0},
        {P("back", "from: warm, target: hot, select: {map: x}"), 0},
        {P("on", "from: cold, target: warm, select: {map: x}"), 0},
        {P("on", "target: warm, priority: 1, select: {map: x}"), 0},
        {P("too", "target: cold, priority: 1, select: {map: x}"), 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char text[400];
        for (int turn = 0; turn < 2; turn++) { /* whatever the order in the file */
            snprintf(text, sizeof text, "policies:\n%s%s", turn == 0 ? out : table[i].second,
                     turn == 0 ? table[i].second : out);
            if (table[i].code != 0)
                assert_warnings(text, table[i].code);
            else
                assert_silence(text);
        }
    }
}

static void a_var_is_used_wherever_it_stands(void **state)
{
    (void)state;
    assert_silence(
        "vars: {age: 90d, x: y, where: cold}\n"
        "policies:\n" P("a", "target: $where, select: {older_than: $age, map: {in: [$x]}}"));
    assert_warnings("vars: {age: 90d}\n"
                    "policies:\n" P("a", "target: cold, select: {map: '$age'}"),
                    608);
    struct policy_var given = {"age", "1d"};
    struct fixture fixture = {.vars = &given, .var_count = 1};
    fixture_lint(&fixture,
                 "vars: {age: 90d}\npolicies:\n" P("a", "target: cold, select: {map: x}"));
    assert_codes(&fixture, 608);
    fixture_free(&fixture);
}

/* Nine million pairs of values are not compared, and nothing is said of what was not. */
static void a_set_too_large_to_compare_is_passed_over(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct buf text;
    buf_init(&text, FIXTURE_OUT_BYTES);
    buf_text(&text, "policies:\n");
    for (int policy = 0; policy < 2; policy++) {
        buf_format(&text, "  - {name: p%d, target: %s, select: {map: {in: [", policy,
                   policy == 0 ? "cold" : "warm");
        for (int i = 0; i < 3000; i++)
            buf_format(&text, "%s%c%d", i == 0 ? "" : ", ", policy == 0 ? 'a' : 'b', i);
        buf_text(&text, "]}}}\n");
    }
    fixture_lint(&fixture, buf_string(&text));
    assert_int_equal(fixture.diags.warnings, 0);
    fixture_free(&fixture);
    buf_free(&text);
}

/* ---- random pairs ---- */

static const char *const stores[] = {"hot", "warm", "cold"};
static const char *const durations[] = {"5d", "10d", "40d", "100d", "1mo", "3mo", "1y"};
static const char *const days[] = {"2025-02-13", "2025-02-14", "2025-05-20"};
static const char *const maps[] = {"a", "b", "c"};
static const char *const lengths[] = {"1", "1.0", "2", "9", "10"};
static const char *const instants[] = {"2025-02-14", "2025-02-14T12:00:00Z",
                                       "2025-02-14T13:00:00+01:00", "2025-02-15"};
static const char *const comparisons[] = {"eq", "ne", "gt", "gte", "lt", "lte"};

static const char *const keys[] = {"a", "a/b", "b/a"};

#define PICK(rand, list) (list)[rand_below((rand), sizeof(list) / sizeof *(list))]

/* A test of any kind, of one literal or of a list. */
static void write_test(struct rand *rand, const char *field, const char *const *literals,
                       size_t count, struct buf *out)
{
    const char *literal = literals[rand_below(rand, count)];
    switch (rand_below(rand, 4)) {
    case 0:
        buf_format(out, "%s: %s", field, literal);
        break;
    case 1:
        buf_format(out, "%s: {in: [%s, %s]}", field, literal, literals[rand_below(rand, count)]);
        break;
    case 2:
        buf_format(out, "%s: {null: %s}", field, rand_below(rand, 2) == 0 ? "true" : "false");
        break;
    default:
        buf_format(out, "%s: {%s: %s}", field, PICK(rand, comparisons), literal);
        break;
    }
}

static void write_ids(struct rand *rand, struct buf *out)
{
    uint64_t set = 1 + rand_below(rand, 7);
    buf_text(out, "ids: [");
    for (int i = 0; i < 3; i++) {
        if ((set >> i & 1) != 0)
            buf_format(out, "%c,", 'A' + i);
    }
    buf_text(out, "]");
}

static void write_dates(struct rand *rand, struct buf *out)
{
    if (rand_below(rand, 2) == 0)
        buf_format(out, "date: %s", PICK(rand, days));
    else
        buf_format(out, "dates: {%s: %s}", rand_below(rand, 2) == 0 ? "from" : "to",
                   PICK(rand, days));
}

static void write_selection(struct rand *rand, int depth, struct buf *out);

static void write_group(struct rand *rand, int depth, struct buf *out)
{
    static const char *const groups[] = {"all", "any"};
    if (rand_below(rand, 3) == 0) {
        buf_text(out, "not: ");
        write_selection(rand, depth + 1, out);
        return;
    }
    buf_format(out, "%s: [", PICK(rand, groups));
    for (uint64_t i = 0; i <= rand_below(rand, 3); i++) {
        write_selection(rand, depth + 1, out);
        buf_text(out, ", ");
    }
    buf_text(out, "]");
}

static const char *const patterns[] = {"glob: 'a*'", "glob: '[!a]'", "regex: 'a|b'", "glob: 'a/*'"};

enum { KINDS = 12 };

static void write_selector(struct rand *rand, int kind, int depth, struct buf *out)
{
    switch (kind) {
    case 0:
        write_ids(rand, out);
        break;
    case 1:
        write_dates(rand, out);
        break;
    case 2:
        buf_format(out, "older_than: %s", PICK(rand, durations));
        break;
    case 3:
        buf_format(out, "newer_than: %s", PICK(rand, durations));
        break;
    case 4:
        buf_format(out, "size: {%s: %dGB}", rand_below(rand, 2) == 0 ? "gte" : "lt",
                   (int)rand_below(rand, 3) + 1);
        break;
    case 5:
        buf_format(out, "store: %s", PICK(rand, stores));
        break;
    case 6:
        if (rand_below(rand, 3) == 0)
            buf_format(out, "map: {%s}", PICK(rand, patterns));
        else
            write_test(rand, "map", maps, 3, out);
        break;
    case 7:
        write_test(rand, "length", lengths, 5, out);
        break;
    case 8:
        buf_format(out, "valid: %s", rand_below(rand, 2) == 0 ? "true" : "{ne: true}");
        break;
    case 9:
        if (rand_below(rand, 3) == 0)
            buf_format(out, "seen: {%s: %s}",
                       rand_below(rand, 2) == 0 ? "older_than" : "newer_than",
                       PICK(rand, durations));
        else
            write_test(rand, "seen", instants, 4, out);
        break;
    case 10:
        buf_format(out, "path: {%s}", PICK(rand, patterns));
        break;
    default:
        if (depth < 2)
            write_group(rand, depth, out);
        else
            buf_text(out, "everything: true");
        break;
    }
}

/* One to three selectors of different kinds. */
static void write_selection(struct rand *rand, int depth, struct buf *out)
{
    uint64_t first = rand_below(rand, KINDS), count = 1 + rand_below(rand, 3);
    buf_text(out, "{");
    for (uint64_t i = 0; i < count; i++) {
        write_selector(rand, (int)((first + 3 * i) % KINDS), depth, out);
        buf_text(out, ", ");
    }
    buf_text(out, "}");
}

/* The second policy is often much like the first one. */
static void write_pair(struct rand *rand, struct buf *out)
{
    struct buf select;
    buf_init(&select, FIXTURE_OUT_BYTES);
    write_selection(rand, 0, &select);
    buf_text(out, "policies:\n");
    for (int i = 0; i < 2; i++) {
        buf_format(out, "  - {name: p%d, target: %s, priority: %d, guards: {max_recordings: 1}, ",
                   i, PICK(rand, stores), (int)rand_below(rand, 2));
        if (rand_below(rand, 3) == 0)
            buf_format(out, "from: %s, ", PICK(rand, stores));
        buf_text(out, "select: ");
        if (i == 0 || rand_below(rand, 4) == 0)
            buf_text(out, buf_string(&select));
        else
            write_selection(rand, 0, out);
        if (rand_below(rand, 4) == 0) {
            buf_text(out, ", exclude: ");
            write_selection(rand, 1, out);
        }
        buf_text(out, "}\n");
    }
    buf_free(&select);
}

static void draw_row(struct rand *rand, struct recording *row)
{
    static const char *const ids[] = {"A", "B", "C", "D"};
    static const char *const times[] = {
        NULL,
        "2025-02-13T23:59:59Z",
        "2025-02-14T12:00:00Z",
        "2025-02-15T00:00:00Z",
        "2025-05-31T12:00:00Z",
        "2025-05-26T12:00:00Z",
        "2025-05-20T12:00:00Z",
        "2025-05-01T00:00:00Z",
        "2025-04-15T00:00:00Z",
        "2025-03-01T00:00:00Z",
        "2025-01-01T00:00:00Z",
        "2023-01-01T00:00:00Z",
    };
    static const char *const texts[] = {"a", "b", "c", "d"};
    static const int64_t numbers[] = {0, 1, 2, 9, 10, 11};
    static const char *const seen[] = {"2025-02-13T00:00:00Z", "2025-02-14T00:00:00Z",
                                       "2025-02-14T12:00:00Z", "2025-02-14T18:00:00Z",
                                       "2025-02-15T00:00:00Z", "2025-02-16T00:00:00Z"};
    recording_init(row, PICK(rand, ids), PICK(rand, times));
    row->record.has_bytes = rand_below(rand, 6) > 0;
    row->record.bytes = rand_below(rand, 9) * 500000000;
    if (rand_below(rand, 4) > 0)
        row->fields[FIELD_MAP] = text_value(PICK(rand, texts));
    if (rand_below(rand, 4) > 0)
        row->fields[FIELD_LENGTH] = integer_value(PICK(rand, numbers));
    if (rand_below(rand, 4) > 0)
        row->fields[FIELD_VALID] = boolean_value(rand_below(rand, 2) == 0);
    if (rand_below(rand, 4) > 0)
        row->fields[FIELD_SEEN] = instant_value(PICK(rand, seen));
}

/* How often each warning was given, and how often a row bore out that of a conflict. */
struct tally {
    size_t conflict, borne_out, never_wins, own_source, takes_nothing, strangers;
};

static void count_warnings(const struct fixture *fixture, struct tally *tally)
{
    const struct policy *items = fixture->policies->items;
    bool rivals = items[0].priority == items[1].priority && items[0].target != items[1].target;
    tally->conflict += has_code(&fixture->diags, DIAG_CONFLICT);
    tally->never_wins += has_code(&fixture->diags, DIAG_NEVER_WINS);
    tally->own_source += has_code(&fixture->diags, DIAG_OWN_SOURCE);
    tally->takes_nothing += has_code(&fixture->diags, DIAG_TAKES_NOTHING);
    tally->strangers += rivals && fixture->diags.warnings == 0;
}

/* Does the warning stand at the policy?  Each has a line of its own. */
static bool is_warned(const struct fixture *fixture, int code, uint16_t policy)
{
    for (size_t i = 0; i < fixture->diags.count; i++) {
        const struct diag *diag = &fixture->diags.items[i];
        if (diag->code == code && diag->span.line == fixture->policies->items[policy].span.line)
            return true;
    }
    return false;
}

/* True if the row is a conflict. */
static bool check_row(struct fixture *fixture, struct rand *rand)
{
    struct recording row;
    struct decision decision;
    draw_row(rand, &row);
    row.key = PICK(rand, keys);
    struct location location = recording_location(&row, (uint16_t)rand_below(rand, 3));
    policy_decide(fixture->policies, &row.record, &location, &decision);
    if (decision.kind == DECISION_CONFLICT && fixture->policies->as_of_us >= instant(AS_OF))
        assert_true(has_code(&fixture->diags, DIAG_CONFLICT));
    if (decision.winner != POLICY_NO_INDEX) {
        assert_false(is_warned(fixture, DIAG_NEVER_WINS, decision.winner));
        assert_false(decision.kind == DECISION_MOVE &&
                     is_warned(fixture, DIAG_OWN_SOURCE, decision.winner));
    }
    for (uint16_t i = 0; i < 2; i++) {
        if (decision.verdicts[i] == VERDICT_CANDIDATE)
            assert_false(is_warned(fixture, DIAG_TAKES_NOTHING, i));
    }
    return decision.kind == DECISION_CONFLICT;
}

static void check_random_pair(struct rand *rand, struct tally *tally)
{
    static const char *const as_of[] = {AS_OF, "2025-06-30T23:30:00Z", "2026-01-01T00:00:00Z",
                                        "2025-03-31T03:00:00Z", "2024-02-29T00:00:00Z"};
    struct fixture fixture = {0};
    struct catalog_shape shape = fixture_shape();
    struct buf text;
    bool is_borne_out = false;
    buf_init(&text, FIXTURE_OUT_BYTES);
    write_pair(rand, &text);
    fixture_lint(&fixture, buf_string(&text));
    count_warnings(&fixture, tally);
    if (policy_bind(fixture.policies, &shape, &fixture.diags)) {
        for (int i = 0; i < ROWS; i++) {
            policy_prepare(fixture.policies, instant(as_of[i % 5]));
            is_borne_out |= check_row(&fixture, rand);
        }
    }
    tally->borne_out += is_borne_out;
    fixture_free(&fixture);
    buf_free(&text);
}

static void no_row_proves_a_warning_wrong(void **state)
{
    (void)state;
    struct tally tally = {0};
    for (uint64_t seed = 1; seed <= PAIRS; seed++) {
        struct rand rand;
        rand_init(&rand, seed);
        check_random_pair(&rand, &tally);
    }
    /* None of them is so rare that nothing was proved. */
    assert_true(tally.never_wins > PAIRS / 40);
    assert_true(tally.own_source > PAIRS / 40);
    assert_true(tally.takes_nothing > PAIRS / 40);
    assert_true(tally.strangers > PAIRS / 40);
    assert_true(tally.conflict > PAIRS / 10);
    /* And most conflicts that were told come about with some row. */
    assert_true(tally.borne_out > tally.conflict * 2 / 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_conflict_is_told_unless_they_never_meet),
        cmocka_unit_test(what_never_wins_is_told_where_it_is_certain),
        cmocka_unit_test(an_unknown_clause_is_only_known_to_be_itself),
        cmocka_unit_test(long_literals_are_compared_whole),
        cmocka_unit_test(what_has_no_effect_disturbs_nothing),
        cmocka_unit_test(days_end_in_the_policies_zone),
        cmocka_unit_test(a_grace_is_told_where_it_is_given),
        cmocka_unit_test(moving_back_is_told_and_moving_on_is_not),
        cmocka_unit_test(a_var_is_used_wherever_it_stands),
        cmocka_unit_test(a_set_too_large_to_compare_is_passed_over),
        cmocka_unit_test(no_row_proves_a_warning_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
