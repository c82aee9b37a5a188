/* What the tests of a policy show: both ways, by the planner's own rules (policy.md, "Laws"). */
#include "engine/testing.h"

#include "tests/unit/policy/fixture.h"

/* "" if the one test passes, else what it complains of.  head: all that stands before `policies`.
 */
static const char *outcome_under(struct fixture *fixture, const char *head, const char *policies,
                                 const char *test)
{
    struct testing_result *results;
    struct buf text;
    struct err err;
    buf_init(&text, FIXTURE_OUT_BYTES);
    buf_format(&text, "%spolicies:\n%stests:\n  - name: t\n    as_of: 2025-06-01T00:00:00Z\n%s",
               head, policies, test);
    fixture_load_bytes(fixture, text.bytes, text.size);
    assert_loaded(fixture);
    if (!policy_bind(fixture->policies, &fixture->policies->test_shape, &fixture->diags)) {
        diag_render(&fixture->diags, &fixture->out);
        fail_msg("%s", buf_string(&fixture->out));
    }
    if (!testing_run(fixture->policies, &fixture->arena, &results, &err))
        fail_msg("%s", err.text);
    buf_free(&text);
    assert_int_equal(results[0].failed, results[0].text[0] != '\0');
    assert_ptr_equal(results[0].test, &fixture->policies->tests[0]);
    return results[0].text;
}

#define assert_outcome(want, policies, test)                                                       \
    assert_outcome_under(FIXTURE_HEAD, want, policies, test)
#define assert_outcome_under(head, want, policies, test)                                           \
    do {                                                                                           \
        struct fixture fixture_ = {.stand_ins = true};                                             \
        const char *text_ = outcome_under(&fixture_, (head), (policies), (test));                  \
        if (strcmp(text_, (want)) != 0)                                                            \
            fail_msg("not %s but %s", (want), text_);                                              \
        fixture_free(&fixture_);                                                                   \
    } while (0)

#define AGE_OUT "  - {name: age-out, from: hot, target: cold, select: {older_than: 90d}}\n"
#define OLD "time: 2025-01-01T00:00:00Z"
#define NEW "time: 2025-05-01T00:00:00Z"
#define ONE_OLD "    recordings: [{id: A, " OLD ", location: 'hot:a/x'}]\n"
#define ONE_NEW "    recordings: [{id: A, " NEW ", location: 'hot:a/x'}]\n"

static void what_is_as_expected_passes(void **state)
{
    (void)state;
    assert_outcome("", AGE_OUT, ONE_OLD "    expect: {move: [{id: A}]}\n");
    assert_outcome("", AGE_OUT,
                   ONE_OLD "    expect: {move: [{id: A, policy: age-out, to: cold}]}\n");
    assert_outcome("", AGE_OUT, ONE_NEW "    expect: {stay: [{id: A}]}\n");
    assert_outcome("", AGE_OUT, ONE_NEW "    expect: {stay: [{id: A, because: older_than}]}\n");
    assert_outcome("", AGE_OUT, ONE_NEW "    expect: {stay: [{id: A, because: not selected}]}\n");
}

static void what_is_otherwise_fails_and_tells_why(void **state)
{
    (void)state;
    assert_outcome("p.yaml:22:21: A should move, and stays: not selected: age-out (older_than 90d: "
                   "31d)",
                   AGE_OUT, ONE_NEW "    expect: {move: [{id: A}]}\n");
    assert_outcome("p.yaml:22:21: A should stay, and goes to cold by age-out", AGE_OUT,
                   ONE_OLD "    expect: {stay: [{id: A}]}\n");
    assert_outcome("p.yaml:23:21: A should go to warm, and goes to cold\n"
                   "p.yaml:24:21: B should move by age-out, and moves by other",
                   AGE_OUT "  - {name: other, target: cold, priority: 1, select: {ids: [B]}}\n",
                   "    recordings: [{id: A, " OLD ", location: 'hot:a/x'},"
                   " {id: B, " OLD ", location: 'hot:b/x'}]\n"
                   "    expect: {move: [{id: A, to: warm},\n"
                   "                    {id: B, policy: age-out}]}\n");
    assert_outcome("p.yaml:22:21: A should stay because of \"hold\", and stays because of: not "
                   "selected: age-out (older_than 90d: 31d)",
                   AGE_OUT, ONE_NEW "    expect: {stay: [{id: A, because: hold}]}\n");
}

/* The other way round. */
static void what_moves_has_to_be_expected(void **state)
{
    (void)state;
    assert_outcome("p.yaml:19:5: B goes to cold by age-out, and nothing expects it", AGE_OUT,
                   "    recordings: [{id: A, " NEW ", location: 'hot:a/x'},"
                   " {id: B, " OLD ", location: 'hot:b/x'}]\n"
                   "    expect: {stay: [{id: A}]}\n");
}

/* Laws 2, 3, 6, 7 and 12, each by the reason that it gives. */
static void every_reason_to_stay_can_be_expected(void **state)
{
    (void)state;
    static const struct {
        const char *policies, *recording, *because;
    } table[] = {
        {AGE_OUT "holds:\n  - {name: case, reason: legal, select: {ids: [A]}}\n",
         OLD ", location: 'hot:a/x'", "hold: case (legal): ids"},
        {AGE_OUT "holds:\n  - {name: case, select: {map: golden}}\n", OLD ", location: 'hot:a/x'",
         "hold: case: undecided: map = golden: NULL"},
        {AGE_OUT, OLD ", location: 'cold:a/x'", "not selected: age-out (from hot)"},
        {"  - {name: p, target: cold, select: {older_than: 90d}}\n", OLD ", location: 'cold:a/x'",
         "in place: p"},
        {AGE_OUT "  - {name: q, target: warm, select: {ids: [A]}}\n", OLD ", location: 'hot:a/x'",
         "conflict: age-out and q"},
        {"  - {name: p, target: cold, enabled: false, select: {ids: [A]}}\n",
         OLD ", location: 'hot:a/x'", "not selected: p (disabled)"},
        {"  - {name: p, target: cold, expires: 2025-05-31, select: {ids: [A]}}\n",
         OLD ", location: 'hot:a/x'", "not selected: p (expired)"},
        {"  - {name: p, target: cold, select: {older_than: 90d}, exclude: {map: golden}}\n",
         OLD ", map: golden, location: 'hot:a/x'", "excluded: p (exclude: map = golden)"},
        {"  - {name: p, target: cold, select: {older_than: 90d}, exclude: {map: golden}}\n",
         OLD ", map: null, location: 'hot:a/x'", "undecided: p (exclude: map = golden: NULL)"},
        {"  - {name: p, target: cold, select: {map: a, valid: true}}\n",
         "map: a, location: 'hot:a/x'", "undecided: p (valid = true: NULL)"},
        {AGE_OUT, "time: null, location: 'hot:a/x'", "undecided: age-out (older_than 90d: NULL)"},
        {AGE_OUT, OLD ", location: 'ftp://elsewhere/a/x'", "unmanaged"},
        {AGE_OUT, OLD ", location: 'hot:x'", "unmanaged"},
        {AGE_OUT, OLD ", location: 'file:///srv/hot/a//x'", "spelling"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct fixture fixture = {0};
        struct buf test;
        buf_init(&test, FIXTURE_OUT_BYTES);
        buf_format(&test,
                   "    recordings: [{id: A, %s}]\n"
                   "    expect: {stay: [{id: A, because: \"%s\"}]}\n",
                   table[i].recording, table[i].because);
        assert_string_equal(
            outcome_under(&fixture, FIXTURE_HEAD, table[i].policies, buf_string(&test)), "");
        buf_free(&test);
        fixture_free(&fixture);
    }
}

/* Law 7. */
static void directories_move_as_a_whole(void **state)
{
    (void)state;
    assert_outcome("", AGE_OUT,
                   "    recordings: [{id: A, " OLD ", location: 'hot:a/x'},"
                   " {id: B, " NEW ", location: 'hot:a/y'}, {id: C, " OLD ", location: 'hot:b/x'},"
                   " {id: D, " OLD ", location: 'hot:b/c/x'}]\n"
                   "    expect:\n      move: [{id: D}]\n"
                   "      stay: [{id: A, because: 'shared-directory: B is not selected'},"
                   " {id: B, because: older_than}, {id: C, because: nested-directory}]\n");
}

/* One that is decided to move, with no line of the plan that blocks it. */
static void the_winner_of_a_directory_may_be_in_place(void **state)
{
    (void)state;
    assert_outcome("p.yaml:23:21: A should move, and stays: it loses to its directory's winner, "
                   "which is in place",
                   AGE_OUT "  - {name: keep, target: hot, priority: 1, select: {ids: [B]}}\n",
                   "    recordings: [{id: A, " OLD ", location: 'hot:a/x'},"
                   " {id: B, " OLD ", location: 'hot:a/y'}]\n"
                   "    expect: {move: [{id: A}]}\n");
}

/* "They decide, guards and windows are left out." */
static void guards_are_left_out(void **state)
{
    (void)state;
    assert_outcome("",
                   "  - name: p\n    target: cold\n    select: {everything: true}\n"
                   "    guards: {max_recordings: 0, max_percent: 0.1%, min_recordings: 99}\n",
                   ONE_OLD "    expect: {move: [{id: A}]}\n");
}

/* No database tells the types of columns: what is written does. */
static void columns_are_what_is_written_for_them(void **state)
{
    (void)state;
#define AT ", location: 'hot:a/x'}]\n    expect: {move: [{id: A}]}\n"
#define SELECT(select) "  - {name: p, target: cold, select: {" select "}}\n"
    assert_outcome("", SELECT("length: {gt: 599.5}"), "    recordings: [{id: A, length: 600" AT);
    assert_outcome("", SELECT("map: {gt: 599.5}"), "    recordings: [{id: A, map: '600'" AT);
    assert_outcome("", SELECT("map: {regex: '^6'}"), "    recordings: [{id: A, map: '600'" AT);
    assert_outcome("", SELECT("valid: true"), "    recordings: [{id: A, valid: true" AT);
    assert_outcome("", SELECT("seen: {older_than: 1d}"),
                   "    recordings: [{id: A, seen: 2025-05-30T23:00:00+01:00" AT);
    assert_outcome("", SELECT("day: 2025-05-30"), "    recordings: [{id: A, day: 2025-05-30" AT);
    assert_outcome("", SELECT("size: {gte: 5GB}"), "    recordings: [{id: A, size: 5GB" AT);
    /* One that is written two ways is text. */
    assert_outcome("", SELECT("map: {in: [7, seven]}"),
                   "    recordings: [{id: B, map: seven, location: 'hot:b/x'}, {id: A, map: 7"
                   ", location: 'hot:a/x'}]\n    expect: {move: [{id: A}, {id: B}]}\n");
    /* One that no test writes is NULL, whatever its type would be. */
    assert_outcome("", SELECT("any: [{ids: [A]}, {weight: {gt: 1}}, {map: {glob: x}}]"),
                   "    recordings: [{id: A" AT);
}

/* Law 11: the stores of one place have the same locations, so a recording is where it says. */
static void stores_of_one_place_are_told_apart(void **state)
{
    (void)state;
    static const char head[] =
        "version: 1\n"
        "catalog: {type: sqlite, path: /c.db, table: t, id: id, location: url,\n"
        "          time: {column: recorded, timezone: UTC}}\n"
        "stores:\n"
        "  hot: {type: azure, connection_string: '${A}', container: rec, tier: hot}\n"
        "  cool: {type: azure, connection_string: '${A}', container: rec, tier: cool}\n"
        "  far: {type: azure, connection_string: '${A}', container: far}\n";
    assert_outcome_under(
        head, "",
        "  - {name: down, target: cool, select: {older_than: 30d}}\n"
        "  - {name: back, from: far, target: cool, priority: 1, select: {older_than: 1d}}\n",
        "    recordings:\n"
        "      - {id: A, " OLD ", location: 'cool:a/x'}\n"
        "      - {id: B, " OLD ", location: 'hot:b/x'}\n"
        "      - {id: C, " OLD ", location: 'far:c/x'}\n"
        "      - {id: D, " OLD ", location: 'hot:d/x'}\n"
        "      - {id: E, location: 'hot:d/y'}\n"
        "    expect:\n"
        "      move: [{id: B, policy: down, to: cool}, {id: C, policy: back, to: cool}]\n"
        "      stay:\n"
        "        - {id: A, because: 'in place: down'}\n"
        "        - {id: D, because: 'shared-directory: E is undecided'}\n"
        "        - {id: E, because: undecided}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_as_expected_passes),
        cmocka_unit_test(what_is_otherwise_fails_and_tells_why),
        cmocka_unit_test(what_moves_has_to_be_expected),
        cmocka_unit_test(every_reason_to_stay_can_be_expected),
        cmocka_unit_test(directories_move_as_a_whole),
        cmocka_unit_test(the_winner_of_a_directory_may_be_in_place),
        cmocka_unit_test(stores_of_one_place_are_told_apart),
        cmocka_unit_test(guards_are_left_out),
        cmocka_unit_test(columns_are_what_is_written_for_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
