/* Law 2 (policy.md, "Laws") where policies look at where a recording is: nothing is sent in
 * circles. */
#include "policy/circle.h"

#include "base/rand.h"
#include "tests/unit/policy/rows.h"

#define P(name, rest) "  - {name: " name ", cleanup: {after: 1d}, " rest "}\n"
#define STORES 3

#define RECORDED "2025-01-01T00:00:00Z"

/* What becomes of rows with these ids ("A", "AB"), which are in one directory of the store. */
static struct decision decide(struct fixture *fixture, const char *ids, uint16_t store)
{
    static struct circle circle;
    struct decision contest = {0};
    circle.is_begun = false;
    for (const char *id = ids; *id != '\0'; id++) {
        char text[] = {*id, '\0'};
        struct recording recording;
        recording_init(&recording, text, RECORDED);
        struct location location = recording_location(&recording, store);
        struct decision decision;
        policy_decide(fixture->policies, &recording.record, &location, &decision);
        if (decision.kind == DECISION_STAY || decision.kind == DECISION_HELD)
            return decision;
        circle_add(&circle, fixture->policies, &recording.record, &location);
        if (id == ids)
            contest = decision;
        else
            policy_contest(fixture->policies, store, &contest, &decision);
    }
    circle_settle(&circle, fixture->policies, store, &contest);
    return contest;
}

struct expected {
    enum decision_kind kind;
    const char *winner, *other; /* the rival's name */
};

static void assert_decided(const char *policies, const char *ids, const struct expected *expected)
{
    struct fixture fixture = {0};
    fixture_ready(&fixture, policies);
    for (uint16_t store = 0; store < STORES; store++) {
        struct decision decision = decide(&fixture, ids, store);
        const struct expected *want = &expected[store];
        const struct policy *items = fixture.policies->items;
        assert_int_equal(decision.kind, want->kind);
        if (want->winner != NULL)
            assert_string_equal(items[decision.winner].name, want->winner);
        if (want->other != NULL)
            assert_string_equal(items[decision.rival].name, want->other);
        if (decision.kind == DECISION_MOVE)
            assert_int_equal(decision.target, items[decision.winner].target);
    }
    fixture_free(&fixture);
}

static void a_lower_one_does_not_bring_back(void **state)
{
    (void)state;
    static const struct expected expected[] = {{DECISION_MOVE, "out", NULL},
                                               {DECISION_MOVE, "back", NULL},
                                               {DECISION_IN_PLACE, "out", NULL}};
    assert_decided("policies:\n" P("back", "target: hot, select: {ids: [A]}")
                       P("out", "from: hot, target: cold, priority: 1, select: {ids: [A]}"),
                   "A", expected);
}

static void a_higher_one_keeps_from_going(void **state)
{
    (void)state;
    static const struct expected expected[] = {{DECISION_IN_PLACE, "back", NULL},
                                               {DECISION_STAY, NULL, NULL},
                                               {DECISION_MOVE, "back", NULL}};
    assert_decided(
        "policies:\n" P("back", "from: cold, target: hot, priority: 1, select: {ids: [A]}")
            P("out", "from: hot, target: cold, select: {ids: [A]}"),
        "A", expected);
}

static void equals_are_a_conflict_wherever_it_is(void **state)
{
    (void)state;
    static const struct expected expected[] = {{DECISION_CONFLICT, "out", "back"},
                                               {DECISION_STAY, NULL, NULL},
                                               {DECISION_CONFLICT, "back", "out"}};
    assert_decided("policies:\n" P("back", "from: cold, target: hot, select: {ids: [A]}")
                       P("out", "target: cold, select: {ids: [A], store: hot}"),
                   "A", expected);
}

static void of_three_the_highest_says_where_it_rests(void **state)
{
    (void)state;
    static const struct expected expected[] = {
        {DECISION_MOVE, "a", NULL}, {DECISION_MOVE, "b", NULL}, {DECISION_IN_PLACE, "b", NULL}};
    assert_decided("policies:\n" P("a", "from: hot, target: warm, priority: 1, select: {ids: [A]}")
                       P("b", "from: warm, target: cold, priority: 2, select: {ids: [A]}")
                           P("c", "from: cold, target: hot, select: {ids: [A]}"),
                   "A", expected);
}

static void of_two_equal_highest_neither_goes(void **state)
{
    (void)state;
    static const struct expected expected[] = {
        {DECISION_CONFLICT, "a", "b"}, {DECISION_CONFLICT, "b", "a"}, {DECISION_MOVE, "c", NULL}};
    assert_decided("policies:\n" P("a", "from: hot, target: warm, priority: 1, select: {ids: [A]}")
                       P("b", "from: warm, target: cold, priority: 1, select: {ids: [A]}")
                           P("c", "from: cold, target: hot, select: {ids: [A]}"),
                   "A", expected);
}

static void a_chain_goes_its_way(void **state)
{
    (void)state;
    static const struct expected expected[] = {
        {DECISION_MOVE, "a", NULL}, {DECISION_MOVE, "b", NULL}, {DECISION_STAY, NULL, NULL}};
    assert_decided("policies:\n" P("a", "from: hot, target: warm, select: {ids: [A]}")
                       P("b", "from: warm, target: cold, priority: -1, select: {ids: [A]}"),
                   "A", expected);
}

/* Law 7: what one row alone would circle in is where its neighbour keeps both. */
static void rows_go_together_or_not_at_all(void **state)
{
    (void)state;
    static const char policies[] =
        "policies:\n" P("out", "from: hot, target: cold, select: {ids: [A, B]}")
            P("back", "from: cold, target: hot, priority: 1, select: {ids: [A]}")
                P("up", "from: cold, target: warm, priority: 2, select: {ids: [C]}")
                    P("off", "from: hot, target: cold, select: {ids: [C]}");
    static const struct expected alone[] = {{DECISION_IN_PLACE, "back", NULL},
                                            {DECISION_STAY, NULL, NULL},
                                            {DECISION_MOVE, "back", NULL}};
    static const struct expected kept[] = {
        {DECISION_MOVE, "out", NULL}, {DECISION_STAY, NULL, NULL}, {DECISION_STAY, NULL, NULL}};
    static const struct expected taken[] = {
        {DECISION_MOVE, "out", NULL}, {DECISION_STAY, NULL, NULL}, {DECISION_MOVE, "up", NULL}};
    assert_decided(policies, "A", alone);
    assert_decided(policies, "AB", kept);
    assert_decided(policies, "BA", kept);
    assert_decided(policies, "AC", taken);
    assert_decided(policies, "CA", taken);
}

static void a_row_in_no_store_goes_nowhere(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct decision decision;
    struct recording recording;
    recording_init(&recording, "A", RECORDED);
    fixture_ready(&fixture, "policies:\n" P("a", "target: hot, select: {ids: [A]}")
                                P("b", "from: hot, target: cold, select: {ids: [A]}"));
    circle_decide(fixture.policies, &recording.record, NULL, &decision);
    assert_int_equal(decision.kind, DECISION_MOVE);
    assert_string_equal(fixture.policies->items[decision.winner].name, "a");
    fixture_free(&fixture);
}

/* Whoever asks for the way there alone gets no move that the next plan would undo. */
static void a_request_breaks_no_circle(void **state)
{
    (void)state;
    static const char *const requests[] = {"{\"select\":{\"store\":\"hot\"}}",
                                           "{\"select\":{\"policy\":\"out\"}}"};
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        struct fixture fixture = {.request = requests[i]};
        fixture_ready(&fixture,
                      "policies:\n" P("back", "from: cold, target: hot, select: {ids: [A, B]}")
                          P("out", "from: hot, target: cold, select: {ids: [A, C]}") P(
                              "high", "from: cold, target: hot, priority: 1, select: {ids: [C]}"));
        assert_int_equal(decide(&fixture, "A", 0).kind, DECISION_CONFLICT);
        assert_int_equal(decide(&fixture, "C", 0).kind, DECISION_IN_PLACE);
        fixture_free(&fixture);
    }
}

/* ---- any policies ---- */

#define SEEDS 1500
#define POLICIES_MAX 6

static const char *draw(struct rand *dice, struct buf *text)
{
    static const char *const stores[] = {"hot", "warm", "cold"};
    static const char *const ids[] = {"A", "B", "A, B"};
    buf_reset(text);
    buf_text(text, "policies:\n");
    size_t count = 1 + (size_t)rand_below(dice, POLICIES_MAX);
    for (size_t i = 0; i < count; i++) {
        buf_format(text, "  - {name: p%zu, target: %s, priority: %d, ", i,
                   stores[rand_below(dice, STORES)], (int)rand_below(dice, 3));
        if (rand_below(dice, 4) > 0)
            buf_format(text, "from: %s, ", stores[rand_below(dice, STORES)]);
        buf_format(text, "select: {ids: [%s]}}\n", ids[rand_below(dice, 3)]);
    }
    return buf_string(text);
}

/* The number of moves until the rows rest; none of them leads to a store where they were. */
static int follow(struct fixture *fixture, const char *ids, uint16_t store, const char *text)
{
    unsigned been = 0;
    int moves = 0;
    for (;; moves++) {
        struct decision decision = decide(fixture, ids, store);
        been |= 1U << store;
        if (decision.kind != DECISION_MOVE)
            return moves;
        store = decision.target;
        if ((been & 1U << store) != 0)
            fail_msg("%s go in a circle:\n%s", ids, text);
    }
}

static void nothing_goes_in_circles(void **state)
{
    (void)state;
    static const char *const all[] = {"A", "B", "AB"};
    struct rand dice;
    struct buf text;
    int chains = 0;
    buf_init(&text, 1 << 16);
    rand_init(&dice, 1);
    for (int i = 0; i < SEEDS; i++) {
        struct fixture fixture = {0};
        const char *policies = draw(&dice, &text);
        fixture_ready(&fixture, policies);
        for (uint16_t store = 0; store < STORES; store++) {
            for (size_t k = 0; k < sizeof all / sizeof *all; k++)
                chains += follow(&fixture, all[k], store, policies) > 1;
        }
        fixture_free(&fixture);
    }
    assert_true(chains > SEEDS / 10);
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lower_one_does_not_bring_back),
        cmocka_unit_test(a_higher_one_keeps_from_going),
        cmocka_unit_test(equals_are_a_conflict_wherever_it_is),
        cmocka_unit_test(of_three_the_highest_says_where_it_rests),
        cmocka_unit_test(of_two_equal_highest_neither_goes),
        cmocka_unit_test(a_chain_goes_its_way),
        cmocka_unit_test(rows_go_together_or_not_at_all),
        cmocka_unit_test(a_row_in_no_store_goes_nowhere),
        cmocka_unit_test(a_request_breaks_no_circle),
        cmocka_unit_test(nothing_goes_in_circles),
    };
    return cmocka_run_group_tests_name("circle", tests, NULL, NULL);
}
