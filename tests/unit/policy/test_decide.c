/* The laws of decision (policy.md, "Laws"), each by its number. */
#include "tests/unit/policy/rows.h"

#define P(name, target, rest)                                                                      \
    "  - name: " name "\n    target: " target "\n    cleanup: {after: 1d}\n" rest

static struct decision decide(struct fixture *fixture, const struct recording *recording,
                              uint16_t store)
{
    struct location location = recording_location(recording, store);
    struct decision decision;
    policy_decide(fixture->policies, &recording->record, &location, &decision);
    return decision;
}

static uint16_t held(const struct fixture *fixture, const struct recording *recording)
{
    struct location location = recording_location(recording, HOT);
    return policy_held(fixture->policies, &recording->record, &location);
}

static struct recording recording_a(void)
{
    struct recording recording;
    recording_init(&recording, "A", "2025-01-01T00:00:00Z");
    recording.record.fields = NULL; /* set where it lives: it moves with the copy */
    return recording;
}

#define RECORDING(name)                                                                            \
    struct recording name = recording_a();                                                         \
    name.record.fields = name.fields

/* Law 2: hold; enabled and an explicit from; select; exclude. */
static void a_hold_beats_every_policy(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    RECORDING(recording);
    fixture_ready(
        &fixture,
        "policies:\n" P("a", "cold",
                        "    select: {ids: [A, B]}\n") "holds:\n  - {name: h, reason: legal, "
                                                       "select: {ids: [Z]}}\n"
                                                       "  - {name: i, select: {ids: [A]}}\n");
    struct decision decision = decide(&fixture, &recording, HOT);
    assert_int_equal(decision.kind, DECISION_HELD);
    assert_int_equal(decision.hold, 1);
    assert_int_equal(decision.verdicts[0], VERDICT_CANDIDATE); /* filled in as well */
    assert_int_equal(held(&fixture, &recording), 1);
    recording.record.id = "B";
    assert_int_equal(decide(&fixture, &recording, HOT).kind, DECISION_MOVE);
    assert_int_equal(held(&fixture, &recording), POLICY_NO_INDEX);
    assert_string_equal(fixture.policies->holds[0].reason, "legal");
    fixture_free(&fixture);
}

/* Law 6: what is not known to be free is held. */
static void an_undecided_hold_holds(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    RECORDING(recording);
    fixture_ready(&fixture,
                  "policies:\n" P(
                      "a", "cold",
                      "    select: {ids: [A]}\n") "holds:\n  - {name: h, select: {map: golden}}\n");
    assert_int_equal(decide(&fixture, &recording, HOT).kind, DECISION_HELD);
    assert_int_equal(held(&fixture, &recording), 0);
    recording.fields[FIELD_MAP] = text_value("other");
    assert_int_equal(decide(&fixture, &recording, HOT).kind, DECISION_MOVE);
    fixture_free(&fixture);
}

static void a_policy_at_rest_says_nothing(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    RECORDING(recording);
    fixture_ready(&fixture,
                  "policies:\n" P("a", "cold", "    enabled: false\n    select: {ids: [A]}\n")
                      P("b", "cold", "    from: warm\n    select: {ids: [A]}\n"));
    struct decision decision = decide(&fixture, &recording, HOT);
    assert_int_equal(decision.kind, DECISION_STAY);
    assert_int_equal(decision.verdicts[0], VERDICT_OUT);
    assert_int_equal(decision.verdicts[1], VERDICT_OUT);
    assert_int_equal(decision.blamed, POLICY_NO_INDEX);
    assert_false(decision.excluded || decision.undecided);
    decision = decide(&fixture, &recording, WARM);
    assert_int_equal(decision.kind, DECISION_MOVE);
    assert_int_equal(decision.winner, 1);
    fixture_free(&fixture);
}

/* Law 2: a policy ends with the last instant of its last day in the policies' zone, and so does a
 * hold. */
static void what_has_an_end_ends_with_its_last_day(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    int64_t last_us, next_us;
    struct err err;
    RECORDING(recording);
    fixture_ready(
        &fixture,
        "timezone: Europe/Berlin\n"
        "policies:\n" P(
            "a", "cold",
            "    select: {ids: [A, B]}\n    expires: 2025-07-31\n") "holds:\n  - {name: h, until: "
                                                                    "2025-03-30, select: {ids: "
                                                                    "[B]}}\n");
    assert_true(when_instant_read("2025-07-31T21:59:59.999999Z", &last_us, &err));
    policy_prepare(fixture.policies, last_us);
    assert_int_equal(decide(&fixture, &recording, HOT).kind, DECISION_MOVE);
    policy_prepare(fixture.policies, last_us + 1);
    assert_int_equal(decide(&fixture, &recording, HOT).kind, DECISION_STAY);

    recording.record.id = "B"; /* summer time begins on the last day: it has 23 hours */
    assert_true(when_instant_read("2025-03-30T22:00:00Z", &next_us, &err));
    policy_prepare(fixture.policies, next_us - 1);
    assert_int_equal(decide(&fixture, &recording, HOT).kind, DECISION_HELD);
    assert_int_equal(held(&fixture, &recording), 0);
    policy_prepare(fixture.policies, next_us);
    assert_int_equal(decide(&fixture, &recording, HOT).kind, DECISION_MOVE);
    assert_int_equal(held(&fixture, &recording), POLICY_NO_INDEX);
    fixture_free(&fixture);
}

/* Law 2: exclude beats select.  Law 6: an unknown exclude excludes, an unknown select does not
 * select.                                                                                       */
static void exclude_beats_select_and_unknown_is_no_match(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    RECORDING(recording);
    fixture_ready(&fixture, "policies:\n" P("undecided", "cold", "    select: {length: {gt: 5}}\n")
                                P("excluding", "cold",
                                  "    select: {ids: [A, B]}\n    exclude: {map: golden}\n"));
    struct decision decision = decide(&fixture, &recording, HOT);
    assert_int_equal(decision.kind, DECISION_STAY);
    assert_int_equal(decision.verdicts[0], VERDICT_UNDECIDED);
    assert_int_equal(decision.verdicts[1], VERDICT_UNDECIDED);
    assert_true(!decision.excluded && decision.undecided);
    assert_int_equal(decision.blamed, 0);
    recording.fields[FIELD_MAP] = text_value("golden");
    decision = decide(&fixture, &recording, HOT);
    assert_int_equal(decision.verdicts[1], VERDICT_EXCLUDED);
    assert_true(decision.excluded && decision.undecided);
    assert_int_equal(decision.blamed, 1);
    recording.record.id = "C";
    decision = decide(&fixture, &recording, HOT);
    assert_int_equal(decision.blamed, 0);
    assert_true(decision.undecided && !decision.excluded);
    recording.record.id = "A";
    recording.fields[FIELD_MAP] = text_value("other");
    decision = decide(&fixture, &recording, HOT);
    assert_int_equal(decision.kind, DECISION_MOVE);
    assert_int_equal(decision.winner, 1);
    /* Somebody wins: nobody is to blame. */
    assert_false(decision.excluded || decision.undecided);
    fixture_free(&fixture);
}

/* Law 3, never the order in the file. */
static void the_highest_priority_wins(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    RECORDING(recording);
    fixture_ready(&fixture,
                  "policies:\n" P("low", "warm", "    priority: -5\n    select: {ids: [A]}\n")
                      P("high", "cold", "    priority: 7\n    select: {ids: [A]}\n")
                          P("none", "warm", "    select: {ids: [A]}\n"));
    struct decision decision = decide(&fixture, &recording, HOT);
    assert_int_equal(decision.kind, DECISION_MOVE);
    assert_int_equal(decision.winner, 1);
    assert_int_equal(decision.target, COLD);
    assert_int_equal(decision.rival, POLICY_NO_INDEX);
    fixture_free(&fixture);
}

/* Law 2: the winner's target is where it is; a loser never pulls it back. */
static void in_place_ends_the_contest(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    RECORDING(recording);
    fixture_ready(&fixture,
                  "policies:\n" P("high", "cold", "    priority: 7\n    select: {ids: [A]}\n")
                      P("low", "warm", "    select: {ids: [A]}\n"));
    struct decision decision = decide(&fixture, &recording, COLD);
    assert_int_equal(decision.kind, DECISION_IN_PLACE);
    assert_int_equal(decision.winner, 0);
    assert_int_equal(decide(&fixture, &recording, HOT).kind, DECISION_MOVE);
    fixture_free(&fixture);
}

/* Law 2: after applying a plan, planning again gives no moves.  Every set of three policies over
 * three stores and two priorities: where a row was moved, it stays.                            */
static void applying_and_planning_again_gives_no_moves(void **state)
{
    (void)state;
    static const char *const stores[] = {"hot", "warm", "cold"};
    for (int set = 0; set < 6 * 6 * 6; set++) {
        struct fixture fixture = {0};
        struct buf text;
        RECORDING(recording);
        buf_init(&text, FIXTURE_OUT_BYTES);
        buf_text(&text, "policies:\n");
        for (int i = 0, rest = set; i < 3; i++, rest /= 6)
            buf_format(&text, "  - {name: p%d, target: %s, priority: %d, select: {ids: [A]}}\n", i,
                       stores[rest % 3], rest % 6 / 3);
        fixture_ready(&fixture, buf_string(&text));
        for (uint16_t store = HOT; store <= COLD; store++) {
            struct decision decision = decide(&fixture, &recording, store);
            if (decision.kind == DECISION_MOVE)
                assert_int_equal(decide(&fixture, &recording, decision.target).kind,
                                 DECISION_IN_PLACE);
        }
        fixture_free(&fixture);
        buf_free(&text);
    }
}

/* Law 3: equal policies merge to the stricter of each. */
static void equals_merge_to_the_stricter_terms(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    RECORDING(recording);
    fixture_ready(&fixture, "policies:\n"
                            "  - name: a\n    target: cold\n    select: {ids: [A]}\n"
                            "    verify: size\n    cleanup: {source: delete, after: 14d}\n"
                            "    window: {days: mon}\n    min_residency: 2d\n"
                            "  - name: b\n    target: cold\n    select: {ids: [A]}\n"
                            "    verify: readback\n    cleanup: {source: delete, after: 1d}\n"
                            "    window: {days: tue}\n    min_residency: 5d\n"
                            "  - name: c\n    target: cold\n    select: {ids: [A, C]}\n"
                            "    verify: checksum\n    cleanup: {source: keep, after: 2d}\n"
                            "  - name: d\n    target: cold\n    select: {ids: [A]}\n"
                            "    priority: -1\n    cleanup: {after: 99d}\n"
                            "    window: {days: wed}\n    min_residency: 99d\n");
    struct decision decision = decide(&fixture, &recording, HOT);
    assert_int_equal(decision.kind, DECISION_MOVE);
    assert_int_equal(decision.winner, 0);
    assert_int_equal(decision.terms.verify, VERIFY_READBACK);
    assert_true(decision.terms.keep_source);
    assert_int_equal(decision.terms.grace_us, 14 * WHEN_DAY_US);
    assert_int_equal(decision.terms.windows, 3);
    assert_int_equal(decision.terms.residency_us, 5 * WHEN_DAY_US);
    recording.record.id = "C";
    decision = decide(&fixture, &recording, HOT);
    assert_int_equal(decision.terms.verify, VERIFY_CHECKSUM);
    assert_int_equal(decision.terms.grace_us, 2 * WHEN_DAY_US);
    fixture_free(&fixture);
}

/* Law 3: equal priority and different targets; where it is makes no difference. */
static void equals_with_other_targets_conflict(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    RECORDING(recording);
    fixture_ready(&fixture, "policies:\n" P("a", "cold", "    select: {ids: [A]}\n")
                                P("b", "cold", "    select: {ids: [A]}\n")
                                    P("c", "warm", "    select: {ids: [A, B]}\n")
                                        P("d", "hot", "    select: {ids: [A]}\n"));
    for (uint16_t store = HOT; store <= COLD; store++) {
        struct decision decision = decide(&fixture, &recording, store);
        assert_int_equal(decision.kind, DECISION_CONFLICT);
        assert_int_equal(decision.winner, 0);
        assert_int_equal(decision.rival, 2);
    }
    recording.record.id = "B";
    assert_int_equal(decide(&fixture, &recording, HOT).kind, DECISION_MOVE);
    fixture_free(&fixture);
}

/* ---- the rows of a directory ---- */

static const char contest_policies[] =
    "policies:\n" P("a", "cold", "    select: {ids: [A, AB]}\n    verify: size\n")
        P("b", "cold", "    select: {ids: [B, AB, BC]}\n    verify: readback\n")
            P("c", "warm", "    select: {ids: [C, BC]}\n")
                P("high", "warm", "    priority: 5\n    select: {ids: [H]}\n")
                    P("here", "hot", "    priority: 5\n    select: {ids: [I]}\n");

static struct decision decide_id(struct fixture *fixture, const char *id)
{
    RECORDING(recording);
    recording.record.id = id;
    return decide(fixture, &recording, HOT);
}

/* Law 3: rows won by different policies follow the same rule. */
static void rows_of_a_directory_contest(void **state)
{
    (void)state;
    static const struct {
        const char *one, *other;
        enum decision_kind kind;
        uint16_t winner, rival;
    } table[] = {
        {"A", "A", DECISION_MOVE, 0, POLICY_NO_INDEX},
        {"A", "B", DECISION_MOVE, 0, POLICY_NO_INDEX},
        {"A", "C", DECISION_CONFLICT, 0, 2},
        {"A", "H", DECISION_MOVE, 3, POLICY_NO_INDEX},
        {"C", "H", DECISION_MOVE, 3, POLICY_NO_INDEX},
        {"BC", "H", DECISION_MOVE, 3, POLICY_NO_INDEX},
        {"BC", "A", DECISION_CONFLICT, 0, 2},
        {"BC", "C", DECISION_CONFLICT, 1, 2},
        {"A", "I", DECISION_IN_PLACE, 4, POLICY_NO_INDEX},
        {"H", "I", DECISION_CONFLICT, 3, 4},
        {"I", "I", DECISION_IN_PLACE, 4, POLICY_NO_INDEX},
    };
    struct fixture fixture = {0};
    fixture_ready(&fixture, contest_policies);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct decision one = decide_id(&fixture, table[i].one);
        struct decision other = decide_id(&fixture, table[i].other);
        struct decision both[2] = {one, other};
        policy_contest(fixture.policies, HOT, &both[0], &other);
        policy_contest(fixture.policies, HOT, &both[1], &one);
        for (int k = 0; k < 2; k++) { /* in either order */
            assert_int_equal(both[k].kind, table[i].kind);
            assert_int_equal(both[k].winner, table[i].winner);
            assert_int_equal(both[k].rival, table[i].rival);
            assert_int_equal(both[k].target, fixture.policies->items[table[i].winner].target);
        }
    }
    fixture_free(&fixture);
}

static void terms_of_a_directory_merge(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    fixture_ready(&fixture, contest_policies);
    struct decision one = decide_id(&fixture, "A"), other = decide_id(&fixture, "B");
    policy_contest(fixture.policies, HOT, &one, &other);
    assert_int_equal(one.terms.verify, VERIFY_READBACK);
    /* Those of a loser do not count. */
    struct decision high = decide_id(&fixture, "H");
    policy_contest(fixture.policies, HOT, &high, &other);
    assert_int_equal(high.terms.verify, VERIFY_CHECKSUM);
    fixture_free(&fixture);
}

/* However the rows come, the contest of three is the same. */
static void a_contest_knows_no_order(void **state)
{
    (void)state;
    static const char *const ids[] = {"A", "B", "C", "AB", "BC", "H", "I"};
    enum { IDS = sizeof ids / sizeof *ids };
    struct fixture fixture = {0};
    struct decision all[IDS];
    fixture_ready(&fixture, contest_policies);
    for (int i = 0; i < IDS; i++)
        all[i] = decide_id(&fixture, ids[i]);
    for (int i = 0; i < IDS * IDS * IDS; i++) {
        const struct decision *x = &all[i % IDS], *y = &all[i / IDS % IDS],
                              *z = &all[i / IDS / IDS];
        struct decision left = *x, right = *y, outer = *x;
        policy_contest(fixture.policies, HOT, &left, y);
        policy_contest(fixture.policies, HOT, &left, z);
        policy_contest(fixture.policies, HOT, &right, z);
        policy_contest(fixture.policies, HOT, &outer, &right);
        assert_int_equal(left.kind, outer.kind);
        assert_int_equal(left.winner, outer.winner);
        assert_int_equal(left.rival, outer.rival);
        assert_int_equal(left.terms.verify, outer.terms.verify);
        assert_int_equal(left.terms.grace_us, outer.terms.grace_us);
    }
    fixture_free(&fixture);
}

/* ---- ids that the catalog lacks ---- */

static bool append_missing(void *context, const char *id, const char *where, struct err *err)
{
    (void)err;
    buf_format(context, "%s@%s ", id, where);
    return true;
}

static bool refuse_missing(void *context, const char *id, const char *where, struct err *err)
{
    (void)context;
    (void)where;
    return ERR(err, ERR_INPUT, "%s", id);
}

/* Marked by deciding, wherever the id is listed and whatever comes before it; not by asking for a
 * hold.                                                                                         */
static void missing_ids_are_reported_with_their_places(void **state)
{
    (void)state;
    struct fixture fixture = {.ids = "# wanted\nF1\n  F2  # twice\n\nF2\nA\n"};
    struct buf out;
    struct err err;
    RECORDING(recording);
    buf_init(&out, FIXTURE_OUT_BYTES);
    fixture_ready(&fixture, "policies:\n"
                            "  - name: a\n    target: cold\n    from: warm\n"
                            "    select: {older_than: 1000d, ids: [A, B]}\n"
                            "    exclude: {ids: [X, A]}\n"
                            "  - {name: f, target: cold, select: {ids_file: ids.txt}}\n"
                            "holds:\n  - {name: h, select: {ids: [H, A]}}\n");
    recording.record.id = "B";
    held(&fixture, &recording);
    recording.record.id = "F1";
    decide(&fixture, &recording, HOT);
    recording.record.id = "A";
    decide(&fixture, &recording, HOT);
    recording.record.id = "unheard of";
    decide(&fixture, &recording, HOT);
    assert_true(policy_each_missing_id(fixture.policies, append_missing, &out, &err));
    assert_string_equal(buf_string(&out),
                        "H@p.yaml:24:30 B@p.yaml:20:42 X@p.yaml:21:21 F2@ids.txt:3:3 ");
    assert_false(policy_each_missing_id(fixture.policies, refuse_missing, NULL, &err));
    assert_string_equal(err.text, "H");
    fixture_free(&fixture);
    buf_free(&out);
}

/* Law 4: as_of is the only clock.  Another as_of, another line. */
static void preparing_again_moves_the_line(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    RECORDING(recording);
    fixture_ready(&fixture, "policies:\n" P("a", "cold", "    select: {older_than: 151d}\n"));
    assert_int_equal(decide(&fixture, &recording, HOT).kind, DECISION_STAY);
    policy_prepare(fixture.policies, instant(AS_OF) + 1);
    assert_int_equal(fixture.policies->as_of_us, instant(AS_OF) + 1);
    assert_int_equal(decide(&fixture, &recording, HOT).kind, DECISION_MOVE);
    policy_prepare(fixture.policies, instant(AS_OF));
    assert_int_equal(decide(&fixture, &recording, HOT).kind, DECISION_STAY);
    fixture_free(&fixture);
}

/* -- what a request asks for -------------------------------------------------------------------
 */

#define CONTESTED                                                                                  \
    "policies:\n" P("low", "cold", "    select: {ids: [A, B]}\n")                                  \
        P("high", "warm", "    priority: 5\n    select: {ids: [A]}\n")

static void ready_asked(struct fixture *fixture, const char *request, const char *text)
{
    *fixture = (struct fixture){.request = request};
    fixture_ready(fixture, text);
}

static void what_is_not_asked_for_stays(void **state)
{
    (void)state;
    struct fixture fixture;
    RECORDING(recording);
    ready_asked(&fixture, "{\"select\":{\"ids\":[\"B\"]}}", CONTESTED);
    struct decision decision = decide(&fixture, &recording, HOT);
    assert_int_equal(decision.kind, DECISION_STAY);
    assert_int_equal(decision.winner, POLICY_NO_INDEX);
    assert_int_equal(decision.verdicts[0], VERDICT_OUT);
    assert_int_equal(decision.verdicts[1], VERDICT_OUT);
    assert_false(decision.excluded || decision.undecided);
    recording.record.id = "B";
    decision = decide(&fixture, &recording, HOT);
    assert_int_equal(decision.kind, DECISION_MOVE);
    assert_int_equal(decision.verdicts[0], VERDICT_CANDIDATE);
    fixture_free(&fixture);
}

/* A policy gets only what it wins without the request as well. */
static void asking_for_a_policy_lets_no_loser_win(void **state)
{
    (void)state;
    struct fixture fixture;
    RECORDING(recording);
    ready_asked(&fixture, "{\"select\":{\"policy\":\"low\"}}", CONTESTED);
    assert_int_equal(decide(&fixture, &recording, HOT).kind, DECISION_STAY);
    recording.record.id = "B";
    assert_int_equal(decide(&fixture, &recording, HOT).target, COLD);
    fixture_free(&fixture);

    RECORDING(other);
    ready_asked(&fixture, "{\"select\":{\"not\":{\"policy\":\"low\"}}}", CONTESTED);
    assert_int_equal(decide(&fixture, &other, HOT).target, WARM);
    other.record.id = "B";
    assert_int_equal(decide(&fixture, &other, HOT).kind, DECISION_STAY);
    fixture_free(&fixture);
}

static void one_of_equal_winners_is_enough(void **state)
{
    (void)state;
    struct fixture fixture;
    RECORDING(recording);
    ready_asked(&fixture, "{\"select\":{\"policy\":\"b\"}}",
                "policies:\n" P("a", "cold", "    select: {ids: [A]}\n")
                    P("b", "cold", "    select: {ids: [A]}\n"));
    struct decision decision = decide(&fixture, &recording, HOT);
    assert_int_equal(decision.kind, DECISION_MOVE);
    assert_int_equal(decision.verdicts[0], VERDICT_CANDIDATE);
    assert_int_equal(decision.verdicts[1], VERDICT_CANDIDATE);
    fixture_free(&fixture);
}

/* Law 6 holds of it too, and a hold is a hold only of what is asked for. */
static void what_may_be_asked_for_is_undecided(void **state)
{
    (void)state;
    struct fixture fixture;
    RECORDING(recording);
    ready_asked(&fixture, "{\"select\":{\"date\":\"2025-01-01\"}}",
                CONTESTED "holds:\n  - {name: h, select: {ids: [B]}}\n");
    assert_int_equal(decide(&fixture, &recording, HOT).kind, DECISION_MOVE);
    recording.record.has_time = false;
    struct decision decision = decide(&fixture, &recording, HOT);
    assert_int_equal(decision.kind, DECISION_STAY);
    assert_true(decision.undecided);
    assert_int_equal(decision.verdicts[1], VERDICT_UNDECIDED);
    recording.record.id = "B";
    assert_int_equal(decide(&fixture, &recording, HOT).kind, DECISION_HELD);
    fixture_free(&fixture);
}

static void that_little_is_asked_for_is_no_alarm(void **state)
{
    (void)state;
    struct fixture fixture;
    ready_asked(
        &fixture, "{\"select\":{\"ids\":[\"B\"]}}",
        "policies:\n" P("a", "cold", "    select: {ids: [A]}\n    guards: {min_recordings: 3}\n"));
    assert_int_equal(fixture.policies->items[0].guards.min_recordings, 0);
    fixture_free(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hold_beats_every_policy),
        cmocka_unit_test(an_undecided_hold_holds),
        cmocka_unit_test(a_policy_at_rest_says_nothing),
        cmocka_unit_test(what_has_an_end_ends_with_its_last_day),
        cmocka_unit_test(exclude_beats_select_and_unknown_is_no_match),
        cmocka_unit_test(the_highest_priority_wins),
        cmocka_unit_test(in_place_ends_the_contest),
        cmocka_unit_test(applying_and_planning_again_gives_no_moves),
        cmocka_unit_test(equals_merge_to_the_stricter_terms),
        cmocka_unit_test(equals_with_other_targets_conflict),
        cmocka_unit_test(rows_of_a_directory_contest),
        cmocka_unit_test(terms_of_a_directory_merge),
        cmocka_unit_test(a_contest_knows_no_order),
        cmocka_unit_test(missing_ids_are_reported_with_their_places),
        cmocka_unit_test(preparing_again_moves_the_line),
        cmocka_unit_test(what_is_not_asked_for_stays),
        cmocka_unit_test(asking_for_a_policy_lets_no_loser_win),
        cmocka_unit_test(one_of_equal_winners_is_enough),
        cmocka_unit_test(what_may_be_asked_for_is_undecided),
        cmocka_unit_test(that_little_is_asked_for_is_no_alarm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
