/* Why a row is decided as it is, and when the clock will change it. */
#include "policy/explain.h"

#include "base/rand.h"
#include "policy/clause.h"
#include "tests/unit/policy/rows.h"

#define P(name, target, rest) "  - name: " name "\n    target: " target "\n" rest

/* ---- clause by clause ---- */

static void write_clause(void *context, const struct explain_clause *clause)
{
    static const char truths[] = {[TRUTH_NO] = 'n', [TRUTH_UNKNOWN] = '?', [TRUTH_YES] = 'y'};
    buf_format(context, "%u%c%s %s|%s|%s\n", clause->depth, truths[clause->truth],
               clause->is_group ? "*" : "", clause->words, clause->value, clause->at);
}

static void every_clause_is_told_with_its_value_and_place(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct recording recording;
    struct buf out;
    recording_init(&recording, "A", "2025-01-01T00:00:00Z");
    recording.fields[FIELD_MAP] = text_value("track-7");
    recording.record.has_bytes = true;
    recording.record.bytes = 5000000000;
    fixture_ready(&fixture, "policies:\n" P("p", "cold",
                                            "    select:\n"
                                            "      older_than: 90d\n"
                                            "      size: {gte: 1GB}\n"
                                            "      any:\n"
                                            "        - path: {glob: 'x/**'}\n"
                                            "        - not: {map: {in: [a, track-7]}}\n"
                                            "        - length: {gt: 5}\n"
                                            "        - {ids: [B], store: hot}\n"));
    struct location location = recording_location(&recording, HOT);
    buf_init(&out, FIXTURE_OUT_BYTES);
    explain_selection(fixture.policies, fixture.policies->items[0].select, &recording.record,
                      &location, write_clause, &out);
    assert_string_equal(buf_string(&out), "0?* all||p.yaml:20:7\n"
                                          "1y older_than 90d|151d|p.yaml:20:7\n"
                                          "1y size >= 1GB|5.00 GB|p.yaml:21:7\n"
                                          "1?* any||p.yaml:22:7\n"
                                          "2n path glob x/**|a/b|p.yaml:23:18\n"
                                          "2n* not||p.yaml:24:11\n"
                                          "3y* map in||p.yaml:24:23\n"
                                          "4n map = a|track-7|p.yaml:24:28\n"
                                          "4y map = track-7|track-7|p.yaml:24:31\n"
                                          "2? length > 5|NULL|p.yaml:25:24\n"
                                          "2n* all||p.yaml:26:11\n"
                                          "3n ids||p.yaml:26:12\n"
                                          "3y store hot||p.yaml:26:22\n");
    buf_free(&out);
    fixture_free(&fixture);
}

/* A limit that is reached is not "no match", and said. */
static void a_pattern_that_gives_up_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *select, *text;
    } table[] = {
        {"    select: {path: {regex: '^(a+)+$'}}\n",
         "undecided: p (path regex ^(a+)+$: aaaaaaaaaaaaaaaaaa! (beyond the limits of matching))"},
        {"    select: {map: {regex: '^(a+)+$'}}\n",
         "undecided: p (map regex ^(a+)+$: aaaaaaaaaaaaaaaaaa! (beyond the limits of matching))"},
        {"    select: {not: {path: {regex: '^a+$'}}, map: {regex: '^a+$'}}\n",
         "not selected: p (map regex ^a+$: aaaaaaaaaaaaaaaaaa!)"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct fixture fixture = {0};
        struct recording recording;
        struct decision decision;
        struct buf out;
        char policies[200];
        snprintf(policies, sizeof policies, "policies:\n" P("p", "cold", "%s"), table[i].select);
        fixture_ready(&fixture, policies);
        recording_init(&recording, "A", NULL);
        recording.key = "aaaaaaaaaaaaaaaaaa!";
        recording.fields[FIELD_MAP] = text_value(recording.key);
        struct location location = recording_location(&recording, HOT);
        policy_decide(fixture.policies, &recording.record, &location, &decision);
        buf_init(&out, FIXTURE_OUT_BYTES);
        explain_stay(fixture.policies, &recording.record, &location, &decision, &out);
        assert_string_equal(buf_string(&out), table[i].text);
        buf_free(&out);
        fixture_free(&fixture);
    }
}

/* ---- the clock ---- */

static void assert_next(const char *policies, const char *time, const char *when,
                        enum decision_kind kind)
{
    struct fixture fixture = {0};
    struct recording recording;
    struct decision then = {.kind = DECISION_STAY};
    fixture_ready(&fixture, policies);
    recording_init(&recording, "A", time);
    struct location location = recording_location(&recording, HOT);
    int64_t next_us = explain_next(fixture.policies, &recording.record, &location, &then);
    assert_int_equal(next_us, when == NULL ? INT64_MAX : instant(when));
    if (when != NULL)
        assert_int_equal(then.kind, kind);
    assert_int_equal(fixture.policies->as_of_us, instant(AS_OF));
    fixture_free(&fixture);
}

#define NEXT(rest, time, when, kind)                                                               \
    assert_next("policies:\n" P("p", "cold", rest), (time), (when), (kind))

/* Law 5: ages are strict, so it is the microsecond behind. */
static void an_age_turns_at_its_microsecond(void **state)
{
    (void)state;
    NEXT("    select: {older_than: 90d}\n", "2025-05-01T00:00:00Z", "2025-07-30T00:00:00.000001Z",
         DECISION_MOVE);
    NEXT("    select: {newer_than: 90d}\n", "2025-05-01T00:00:00Z", "2025-07-30T00:00:00Z",
         DECISION_STAY);
    NEXT("    select: {older_than: 90d}\n", "2025-01-01T00:00:00Z", NULL, DECISION_STAY);
    NEXT("    select: {older_than: 90d, ids: [B]}\n", "2025-05-01T00:00:00Z", NULL, DECISION_STAY);
    NEXT("    select: {older_than: 1mo}\n", "2025-05-20T06:00:00Z", "2025-06-20T06:00:00.000001Z",
         DECISION_MOVE);
    NEXT("    select: {older_than: 1000y}\n", "2025-05-20T06:00:00Z", "3025-05-20T06:00:00.000001Z",
         DECISION_MOVE);
    NEXT("    select: {older_than: 4801mo}\n", "1699-12-31T00:00:00Z",
         "2100-01-31T00:00:00.000001Z", DECISION_MOVE);
    /* February lacks the day: on its last one May 31 less 3 months is already there. */
    NEXT("    select: {older_than: 4mo}\n", "2025-02-28T06:00:00Z", "2025-06-28T06:00:00.000001Z",
         DECISION_MOVE);
}

static void ends_of_policies_and_holds_are_turns(void **state)
{
    (void)state;
    NEXT("    select: {ids: [A]}\n    expires: 2025-06-30\n", NULL, "2025-07-01T00:00:00Z",
         DECISION_STAY);
    NEXT("    select: {ids: [A]}\nholds:\n  - {name: h, until: 2025-06-15, select: {ids: [A]}}\n",
         NULL, "2025-06-16T00:00:00Z", DECISION_MOVE);
    NEXT("    select: {everything: true}\n    guards: {max_recordings: 1}\n", NULL, NULL,
         DECISION_STAY);
}

/* Nothing that changes before is missed: looked for by trying many instants. */
static void the_first_turn_is_the_first(void **state)
{
    (void)state;
    struct rand rand;
    rand_init(&rand, 20260101);
    for (int round = 0; round < 300; round++) {
        struct fixture fixture = {0};
        struct recording recording;
        struct decision now, then, between;
        struct buf text;
        unsigned months = 1 + (unsigned)(rand_next(&rand) % 14);
        buf_init(&text, FIXTURE_OUT_BYTES);
        buf_format(&text,
                   "timezone: Europe/Berlin\npolicies:\n" P("p", "cold",
                                                            "    select: {older_than: %umo}\n"),
                   months);
        fixture_ready(&fixture, buf_string(&text));
        recording_init(&recording, "A", AS_OF);
        recording.record.time_us -= (int64_t)(rand_next(&rand) % (uint64_t)(400 * WHEN_DAY_US));
        struct location location = recording_location(&recording, HOT);
        policy_decide(fixture.policies, &recording.record, &location, &now);
        int64_t next_us = explain_next(fixture.policies, &recording.record, &location, &then);
        int64_t end_us = next_us == INT64_MAX ? instant(AS_OF) + 500 * WHEN_DAY_US : next_us;
        for (int i = 0; i < 400; i++) {
            int64_t span_us = end_us - instant(AS_OF);
            int64_t at_us = instant(AS_OF) + (int64_t)(rand_next(&rand) % (uint64_t)span_us);
            policy_prepare(fixture.policies, at_us);
            policy_decide(fixture.policies, &recording.record, &location, &between);
            assert_int_equal(between.kind, now.kind);
        }
        policy_prepare(fixture.policies, end_us);
        policy_decide(fixture.policies, &recording.record, &location, &between);
        assert_int_equal(between.kind == now.kind, next_us == INT64_MAX);
        buf_free(&text);
        fixture_free(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_clause_is_told_with_its_value_and_place),
        cmocka_unit_test(a_pattern_that_gives_up_is_told),
        cmocka_unit_test(an_age_turns_at_its_microsecond),
        cmocka_unit_test(ends_of_policies_and_holds_are_turns),
        cmocka_unit_test(the_first_turn_is_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
