/* What a selection says of a row: three-valued, by the column's own type, to the microsecond. */
#include "policy/clause.h"
#include "policy/explain.h"
#include "tests/unit/policy/rows.h"

/* The verdict on a row of one policy that selects by `select`. */
static enum policy_verdict verdict_in_zone(const char *zone, const char *select,
                                           const struct recording *recording, uint16_t store)
{
    struct fixture fixture = {0};
    struct decision decision;
    struct buf text;
    buf_init(&text, FIXTURE_OUT_BYTES);
    buf_format(&text,
               "timezone: %s\npolicies:\n  - name: p\n    target: cold\n    select: %s\n"
               "    guards: {max_percent: 50%%}\n",
               zone, select);
    fixture_ready(&fixture, buf_string(&text));
    struct location location = recording_location(recording, store);
    policy_decide(fixture.policies, &recording->record, &location, &decision);
    enum policy_verdict verdict = decision.verdicts[0];
    fixture_free(&fixture);
    buf_free(&text);
    return verdict;
}

static enum policy_verdict verdict(const char *select, const struct recording *recording)
{
    return verdict_in_zone("UTC", select, recording, HOT);
}

#define assert_verdict(want, select, recording)                                                    \
    do {                                                                                           \
        if (verdict((select), (recording)) != (want))                                              \
            fail_msg("%s: not %s", (select), #want);                                               \
    } while (0)
#define YES VERDICT_CANDIDATE
#define NO VERDICT_OUT
#define UNKNOWN VERDICT_UNDECIDED

/* map is known and true or false, weight is NULL. */
#define T "{map: a}"
#define F "{map: b}"
#define U "{weight: 1}"

/* Law 6, and Kleene's tables. */
static void three_values_combine(void **state)
{
    (void)state;
    static const struct {
        const char *select;
        enum policy_verdict verdict;
    } table[] = {
        {T, YES},
        {F, NO},
        {U, UNKNOWN},
        {"{not: " T "}", NO},
        {"{not: " F "}", YES},
        {"{not: " U "}", UNKNOWN},
        {"{not: {not: " U "}}", UNKNOWN},
        {"{all: [" T ", " T "]}", YES},
        {"{all: [" T ", " F "]}", NO},
        {"{all: [" T ", " U "]}", UNKNOWN},
        {"{all: [" F ", " U "]}", NO},
        {"{all: [" U ", " F "]}", NO},
        {"{all: [" U ", " T "]}", UNKNOWN},
        {"{all: [" U ", " U "]}", UNKNOWN},
        {"{any: [" F ", " F "]}", NO},
        {"{any: [" F ", " T "]}", YES},
        {"{any: [" F ", " U "]}", UNKNOWN},
        {"{any: [" T ", " U "]}", YES},
        {"{any: [" U ", " T "]}", YES},
        {"{any: [" U ", " F "]}", UNKNOWN},
        {"{any: [" U ", " U "]}", UNKNOWN},
        {"{map: a, weight: 1}", UNKNOWN},
        {"{map: b, weight: 1}", NO},
        {"{not: {any: [" F ", {all: [" T ", " F "]}]}}", YES},
        {"{not: {all: [" U ", " T "]}}", UNKNOWN},
        {"{everything: true}", YES},
        {"{not: {everything: true}}", NO},
    };
    struct recording recording;
    recording_init(&recording, "A", NULL);
    recording.fields[FIELD_MAP] = text_value("a");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (verdict(table[i].select, &recording) != table[i].verdict)
            fail_msg("%s is not %d", table[i].select, table[i].verdict);
    }
}

/* Law 6: each comparison with NULL is unknown; only `null` asks for it. */
static void null_is_unknown_to_every_test(void **state)
{
    (void)state;
    static const char *const tests[] = {
        "{map: a}",
        "{map: {ne: a}}",
        "{map: {in: [a, b]}}",
        "{length: {gt: 1}}",
        "{length: {gte: 1}}",
        "{weight: {lt: 1}}",
        "{weight: {lte: 1}}",
        "{valid: true}",
        "{valid: {ne: true}}",
        "{seen: 2025-01-01}",
        "{day: {gt: 2025-01-01}}",
        "{older_than: 1d}",
        "{newer_than: 1d}",
        "{date: 2025-02-14}",
        "{dates: {to: 2025-02-14}}",
        "{map: {glob: '*'}}",
        "{map: {regex: 'x*'}}",
        "{seen: {older_than: 1d}}",
        "{day: {newer_than: 1d}}",
    };
    struct recording recording;
    recording_init(&recording, "A", NULL);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        assert_verdict(UNKNOWN, tests[i], &recording);
    assert_verdict(YES, "{map: {null: true}}", &recording);
    assert_verdict(NO, "{map: {null: false}}", &recording);
    recording.fields[FIELD_MAP] = text_value("");
    assert_verdict(NO, "{map: {null: true}}", &recording);
    assert_verdict(YES, "{map: {null: false}}", &recording);
}

/* SQLite's columns may hold anything: what is not of the column's type can't be compared. */
static void a_value_of_another_kind_is_unknown(void **state)
{
    (void)state;
    struct recording recording;
    recording_init(&recording, "A", NULL);
    for (size_t i = 0; i < FIELDS; i++)
        recording.fields[i] = boolean_value(true);
    recording.fields[FIELD_VALID] = text_value("true");
    assert_verdict(UNKNOWN, "{map: 'true'}", &recording);
    assert_verdict(UNKNOWN, "{length: 1}", &recording);
    assert_verdict(UNKNOWN, "{valid: true}", &recording);
    assert_verdict(UNKNOWN, "{seen: 2025-01-01}", &recording);
    assert_verdict(UNKNOWN, "{seen: {older_than: 1d}}", &recording);
    assert_verdict(UNKNOWN, "{map: {glob: '*'}}", &recording);
}

static void texts_compare_by_bytes(void **state)
{
    (void)state;
    struct recording recording;
    recording_init(&recording, "A", NULL);
    recording.fields[FIELD_MAP] = text_value("track-10");
    assert_verdict(YES, "{map: track-10}", &recording);
    assert_verdict(NO, "{map: track-1}", &recording);
    assert_verdict(NO, "{map: track-100}", &recording);
    assert_verdict(NO, "{map: Track-10}", &recording);
    assert_verdict(YES, "{map: {ne: track-1}}", &recording);
    assert_verdict(YES, "{map: {gt: track-1}}", &recording);
    assert_verdict(YES, "{map: {lt: track-2}}", &recording);
    assert_verdict(YES, "{map: {gte: track-10, lte: track-10}}", &recording);
    assert_verdict(YES, "{map: {in: [x, track-10]}}", &recording);
    assert_verdict(NO, "{map: {in: [x, y]}}", &recording);
    recording.fields[FIELD_MAP] = text_value("10");
    assert_verdict(YES, "{map: 10}", &recording);
    assert_verdict(NO, "{map: 1e1}", &recording);
    assert_verdict(NO, "{map: 10.0}", &recording);
    recording.fields[FIELD_MAP] = text_value("true");
    assert_verdict(YES, "{map: true}", &recording);
    recording.fields[FIELD_MAP] = text_value("null");
    assert_verdict(YES, "{map: 'null'}", &recording);
    recording.fields[FIELD_MAP] = text_value("\xc3\xa9");
    assert_verdict(YES, "{map: {gt: z}}", &recording);
}

static void numbers_compare_exactly(void **state)
{
    (void)state;
    struct recording recording;
    recording_init(&recording, "A", NULL);
    recording.fields[FIELD_LENGTH] = integer_value(600);
    assert_verdict(YES, "{length: 600}", &recording);
    assert_verdict(YES, "{length: 600.000}", &recording);
    assert_verdict(YES, "{length: {gt: 599.999999999999999}}", &recording);
    assert_verdict(NO, "{length: {gt: 600.0}}", &recording);
    assert_verdict(YES, "{length: {lt: 600.000000000000001}}", &recording);
    assert_verdict(YES, "{length: {gt: -600}}", &recording);
    recording.fields[FIELD_LENGTH] = integer_value(INT64_MAX);
    assert_verdict(YES, "{length: 9223372036854775807}", &recording);
    assert_verdict(YES, "{length: {gt: 9223372036854775806}}", &recording);
    recording.fields[FIELD_LENGTH] = integer_value(INT64_MIN);
    assert_verdict(YES, "{length: -9223372036854775808}", &recording);
    recording.fields[FIELD_WEIGHT] = decimal_value(10, 2); /* 0.10, which no double is */
    assert_verdict(YES, "{weight: 0.1}", &recording);
    assert_verdict(YES, "{weight: {gte: 0.1, lte: 0.100}}", &recording);
    recording.fields[FIELD_WEIGHT] = decimal_value(3, -2);
    assert_verdict(YES, "{weight: 300}", &recording);
    recording.fields[FIELD_WEIGHT] = integer_value(7);
    assert_verdict(YES, "{weight: 7.0}", &recording);
}

static void decimals_of_any_scale_compare(void **state)
{
    (void)state;
    static const struct {
        struct decimal a, b;
        int order;
    } table[] = {
        {{1, 0}, {10, 1}, 0},
        {{0, 0}, {0, 2000000000}, 0},
        {{0, -2000000000}, {1, 2000000000}, -1},
        {{1, 2000000000}, {1, -2000000000}, -1},
        {{-1, -2000000000}, {1, 2000000000}, -1},
        {{-1, 2000000000}, {-1, -2000000000}, 1},
        {{INT64_MAX, 19}, {0, 0}, 1},
        {{INT64_MAX, 19}, {1, 0}, -1},
        {{INT64_MAX, 18}, {9, 0}, 1},
        {{INT64_MIN, 18}, {-9, 0}, -1},
        {{INT64_MAX, 0}, {INT64_MAX, 19}, 1},
        {{INT64_MIN, 0}, {INT64_MIN, 19}, -1},
        {{1, INT32_MIN}, {1, INT32_MAX}, 1},
        {{123, 2}, {1229, 3}, 1},
        {{123, 2}, {1231, 3}, -1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_int_equal(clause_compare_decimals(table[i].a, table[i].b), table[i].order);
        assert_int_equal(clause_compare_decimals(table[i].b, table[i].a), -table[i].order);
    }
}

static void booleans_compare(void **state)
{
    (void)state;
    struct recording recording;
    recording_init(&recording, "A", NULL);
    recording.fields[FIELD_VALID] = boolean_value(false);
    assert_verdict(YES, "{valid: false}", &recording);
    assert_verdict(NO, "{valid: true}", &recording);
    assert_verdict(YES, "{valid: {ne: true}}", &recording);
    assert_verdict(YES, "{valid: {in: [true, false]}}", &recording);
}

/* Law 5: a day of a time column is half-open, in the policy's zone; of a date column it is itself.
 */
static void days_compare_as_stretches(void **state)
{
    (void)state;
    struct recording recording;
    recording_init(&recording, "A", NULL);
    recording.fields[FIELD_SEEN] = instant_value("2025-02-14T23:30:00Z");
    assert_verdict(YES, "{seen: 2025-02-14}", &recording);
    assert_verdict(NO, "{seen: 2025-02-15}", &recording);
    assert_verdict(YES, "{seen: {lte: 2025-02-14}}", &recording);
    assert_verdict(NO, "{seen: {lt: 2025-02-14}}", &recording);
    assert_verdict(YES, "{seen: {gte: 2025-02-14}}", &recording);
    assert_verdict(NO, "{seen: {gt: 2025-02-14}}", &recording);
    assert_verdict(YES, "{seen: {ne: 2025-02-15}}", &recording);
    assert_verdict(YES, "{seen: '2025-02-14T23:30:00Z'}", &recording);
    assert_verdict(YES, "{seen: '2025-02-15T00:30:00+01:00'}", &recording);
    assert_verdict(NO, "{seen: {gt: '2025-02-14T23:30:00Z'}}", &recording);
    assert_verdict(YES, "{seen: {gt: '2025-02-14T23:29:59.999999Z'}}", &recording);
    assert_int_equal(verdict_in_zone("Europe/Berlin", "{seen: 2025-02-15}", &recording, HOT), YES);
    assert_int_equal(verdict_in_zone("Europe/Berlin", "{seen: 2025-02-14}", &recording, HOT), NO);
    recording.fields[FIELD_DAY] = date_value("2025-02-14");
    assert_int_equal(verdict_in_zone("Europe/Berlin", "{day: 2025-02-14}", &recording, HOT), YES);
    assert_int_equal(verdict_in_zone("America/New_York", "{day: 2025-02-14}", &recording, HOT),
                     YES);
    assert_verdict(YES, "{day: {lt: 2025-02-15, gt: 2025-02-13}}", &recording);
}

static enum policy_verdict at(const char *zone, const char *select, const char *time)
{
    struct recording recording;
    recording_init(&recording, "A", time);
    return verdict_in_zone(zone, select, &recording, HOT);
}

/* Law 5: boundaries are exclusive, a day is 24 h. */
static void ages_are_strict(void **state)
{
    (void)state;
    assert_int_equal(at("UTC", "{older_than: 90d}", "2025-03-02T23:59:59.999999Z"), YES);
    assert_int_equal(at("UTC", "{older_than: 90d}", "2025-03-03T00:00:00Z"), NO);
    assert_int_equal(at("UTC", "{newer_than: 90d}", "2025-03-03T00:00:00Z"), NO);
    assert_int_equal(at("UTC", "{newer_than: 90d}", "2025-03-03T00:00:00.000001Z"), YES);
    assert_int_equal(at("UTC", "{newer_than: 12h}", "2025-06-09T00:00:00Z"), YES);
    assert_int_equal(at("UTC", "{older_than: 2w}", "2025-05-17T23:59:59Z"), YES);
    assert_int_equal(at("UTC", "{older_than: 1mo}", "2025-04-30T23:59:59Z"), YES);
    assert_int_equal(at("UTC", "{older_than: 1mo}", "2025-05-01T00:00:00Z"), NO);
    /* 2025-06-01T02:00 there, so a month before it is 2025-05-01T02:00, still in summer. */
    assert_int_equal(at("Europe/Berlin", "{older_than: 1mo}", "2025-04-30T23:59:59Z"), YES);
    /* Six months before is in winter: 2024-12-01T02:00+01:00. */
    assert_int_equal(at("Europe/Berlin", "{older_than: 6mo}", "2024-12-01T00:59:59Z"), YES);
    assert_int_equal(at("Europe/Berlin", "{older_than: 6mo}", "2024-12-01T01:00:00Z"), NO);
    /* 90 days are 90 times 24 h, whatever the clocks did. */
    assert_int_equal(at("Europe/Berlin", "{older_than: 90d}", "2025-03-02T23:59:59Z"), YES);
    assert_int_equal(at("Europe/Berlin", "{older_than: 90d}", "2025-03-03T00:00:00Z"), NO);
}

/* Law 5: on 2025-03-30 Berlin's day has 23 hours, on 2025-10-26 it has 25. */
static void dates_are_right_when_clocks_change(void **state)
{
    (void)state;
    static const struct {
        const char *select, *first, *before, *last, *after;
    } table[] = {
        {"{date: 2025-03-30}", "2025-03-29T23:00:00Z", "2025-03-29T22:59:59.999999Z",
         "2025-03-30T21:59:59.999999Z", "2025-03-30T22:00:00Z"},
        {"{date: 2025-10-26}", "2025-10-25T22:00:00Z", "2025-10-25T21:59:59.999999Z",
         "2025-10-26T22:59:59.999999Z", "2025-10-26T23:00:00Z"},
        {"{dates: {from: 2025-03-30, to: 2025-10-26}}", "2025-03-29T23:00:00Z",
         "2025-03-29T22:59:59.999999Z", "2025-10-26T22:59:59.999999Z", "2025-10-26T23:00:00Z"},
        {"{date: 2025-02-14}", "2025-02-13T23:00:00Z", "2025-02-13T22:59:59.999999Z",
         "2025-02-14T22:59:59.999999Z", "2025-02-14T23:00:00Z"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_int_equal(at("Europe/Berlin", table[i].select, table[i].before), NO);
        assert_int_equal(at("Europe/Berlin", table[i].select, table[i].first), YES);
        assert_int_equal(at("Europe/Berlin", table[i].select, table[i].last), YES);
        assert_int_equal(at("Europe/Berlin", table[i].select, table[i].after), NO);
    }
}

static void either_end_of_dates_may_be_open(void **state)
{
    (void)state;
    assert_int_equal(at("UTC", "{dates: {from: 2025-02-01}}", "2099-02-01T00:00:00Z"), YES);
    assert_int_equal(at("UTC", "{dates: {from: 2025-02-01}}", "2025-01-31T23:59:59Z"), NO);
    assert_int_equal(at("UTC", "{dates: {to: 2025-02-01}}", "1901-02-01T00:00:00Z"), YES);
    assert_int_equal(at("UTC", "{dates: {to: 2025-02-01}}", "2025-02-02T00:00:00Z"), NO);
}

/* Strictly, as the recording's own age; a date column's instants are midnights of UTC. */
static void ages_of_fields_are_strict(void **state)
{
    (void)state;
    struct recording recording;
    recording_init(&recording, "A", NULL);
    recording.fields[FIELD_SEEN] = instant_value("2025-03-02T23:59:59.999999Z");
    assert_verdict(YES, "{seen: {older_than: 90d}}", &recording);
    assert_verdict(NO, "{seen: {newer_than: 90d}}", &recording);
    recording.fields[FIELD_SEEN] = instant_value("2025-03-03T00:00:00Z");
    assert_verdict(NO, "{seen: {older_than: 90d}}", &recording);
    assert_verdict(NO, "{seen: {newer_than: 90d}}", &recording);
    recording.fields[FIELD_SEEN] = instant_value("2025-03-03T00:00:00.000001Z");
    assert_verdict(YES, "{seen: {newer_than: 90d}}", &recording);
    recording.fields[FIELD_DAY] = date_value("2025-05-01T00:00:00Z");
    assert_verdict(NO, "{day: {older_than: 1mo}}", &recording);
    recording.fields[FIELD_DAY] = date_value("2025-04-30T00:00:00Z");
    assert_verdict(YES, "{day: {older_than: 1mo, newer_than: 1y}}", &recording);
}

static enum policy_verdict at_key(const char *select, const char *key)
{
    struct recording recording;
    recording_init(&recording, "A", NULL);
    recording.key = key;
    return verdict(select, &recording);
}

static void a_path_is_the_key_inside_the_store(void **state)
{
    (void)state;
    assert_int_equal(at_key("{path: {glob: 'recording/**'}}", "recording/x/a.ecal"), YES);
    assert_int_equal(at_key("{path: {glob: 'recording/*'}}", "recording/x/a.ecal"), NO);
    assert_int_equal(at_key("{path: {glob: 'recording/*/*.ecal'}}", "recording/x/a.ecal"), YES);
    assert_int_equal(at_key("{path: {glob: 'recording/**'}}", "old/recording/x"), NO);
    assert_int_equal(at_key("{path: {regex: 'x/.*ecal$'}}", "recording/x/a.ecal"), YES);
    assert_int_equal(at_key("{path: {regex: '^x/'}}", "recording/x/a.ecal"), NO);
    assert_int_equal(at_key("{path: {glob: 'a/**', regex: 'b$'}}", "a/b"), YES);
    assert_int_equal(at_key("{path: {glob: 'a/**', regex: 'c$'}}", "a/b"), NO);
}

/* A row that is in no store has no key: unknown, so an exclude by path would exclude it. */
static void a_path_without_a_store_is_unknown(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct recording recording;
    struct decision decision;
    recording_init(&recording, "A", NULL);
    fixture_ready(&fixture, "policies:\n  - name: p\n    target: cold\n"
                            "    select: {path: {glob: '**'}}\n"
                            "  - name: q\n    target: cold\n    select: {ids: [A]}\n"
                            "    exclude: {path: {glob: 'x/**'}}\n");
    policy_decide(fixture.policies, &recording.record, NULL, &decision);
    assert_int_equal(decision.verdicts[0], VERDICT_UNDECIDED);
    assert_int_equal(decision.verdicts[1], VERDICT_UNDECIDED);
    fixture_free(&fixture);
}

static void a_store_is_where_it_is_now(void **state)
{
    (void)state;
    struct recording recording;
    recording_init(&recording, "A", NULL);
    assert_int_equal(verdict_in_zone("UTC", "{store: warm}", &recording, WARM), YES);
    assert_int_equal(verdict_in_zone("UTC", "{store: warm}", &recording, HOT), NO);
}

/* Ids are strings, whatever they look like. */
static void ids_are_texts(void **state)
{
    (void)state;
    struct recording recording;
    recording_init(&recording, "007", NULL);
    assert_verdict(YES, "{ids: [A, 007]}", &recording);
    assert_verdict(NO, "{ids: [7, 7.0, 0o7]}", &recording);
    recording.record.id = "true";
    assert_verdict(YES, "{ids: [true]}", &recording);
    recording.record.id = "2025-02-14";
    assert_verdict(YES, "{ids: [2025-02-14]}", &recording);
    recording.record.id = "$x";
    assert_verdict(YES, "{ids: ['$x']}", &recording);
    assert_verdict(NO, "{not: {ids: ['$x']}}", &recording);
}

static void sixteen_levels_are_fine(void **state)
{
    (void)state;
    struct recording recording;
    struct buf text;
    recording_init(&recording, "A", NULL);
    buf_init(&text, FIXTURE_OUT_BYTES);
    for (int i = 0; i < 16; i++)
        buf_text(&text, i % 2 == 0 ? "{any: [" : "{all: [");
    buf_text(&text, "{ids: [A]}");
    for (int i = 0; i < 16; i++)
        buf_text(&text, "]}");
    assert_verdict(YES, buf_string(&text), &recording);
    buf_free(&text);
}

/* ---- sizes ---- */

static enum policy_verdict sized(const char *select, uint64_t bytes)
{
    struct recording recording;
    recording_init(&recording, "A", NULL);
    recording.record.has_bytes = true;
    recording.record.bytes = bytes;
    return verdict(select, &recording);
}

/* Law 6: a recording whose size is not known is not of any. */
static void sizes_have_exact_bounds(void **state)
{
    (void)state;
    assert_int_equal(sized("{size: {gte: 1GiB}}", (1u << 30) - 1), NO);
    assert_int_equal(sized("{size: {gte: 1GiB}}", 1u << 30), YES);
    assert_int_equal(sized("{size: {gt: 1GiB}}", 1u << 30), NO);
    assert_int_equal(sized("{size: {gt: 1GiB}}", (1u << 30) + 1), YES);
    assert_int_equal(sized("{size: {lt: 1GB}}", 999999999), YES);
    assert_int_equal(sized("{size: {lt: 1GB}}", 1000000000), NO);
    assert_int_equal(sized("{size: {lte: 1GB}}", 1000000000), YES);
    assert_int_equal(sized("{size: {lte: 1GB}}", 1000000001), NO);
    assert_int_equal(sized("{size: {gte: 1B, lt: 2B}}", 1), YES);
    assert_int_equal(sized("{size: {gte: 0B}}", 0), YES);
    assert_int_equal(sized("{size: {gt: 100B}}", UINT64_MAX - 1), YES);
    assert_int_equal(sized("{not: {size: {gt: 1kB}}}", 1000), YES);

    struct recording recording;
    recording_init(&recording, "A", NULL);
    assert_verdict(UNKNOWN, "{size: {gte: 0B}}", &recording);
    assert_verdict(UNKNOWN, "{not: {size: {lt: 1TB}}}", &recording);
}

/* ---- because ---- */

static void assert_because(const char *select, const struct recording *recording, const char *want)
{
    struct fixture fixture = {.ids = "A\n"};
    struct buf text, out;
    buf_init(&text, FIXTURE_OUT_BYTES);
    buf_init(&out, FIXTURE_OUT_BYTES);
    buf_format(&text,
               "vars: {age: 90d}\npolicies:\n  - name: p\n    target: cold\n    select: %s\n"
               "    guards: {max_percent: 50%%}\n",
               select);
    fixture_ready(&fixture, buf_string(&text));
    buf_text(&out, "kept: ");
    struct location location = recording_location(recording, HOT);
    explain_because(fixture.policies, 0, &recording->record, &location, &out);
    assert_string_equal(buf_string(&out) + strlen("kept: "), want);
    fixture_free(&fixture);
    buf_free(&text);
    buf_free(&out);
}

static void the_deciding_clauses_are_told(void **state)
{
    (void)state;
    struct recording recording;
    recording_init(&recording, "A", "2025-02-13T12:00:00Z");
    recording.fields[FIELD_MAP] = text_value("track-7");
    recording.fields[FIELD_VALID] = boolean_value(true);
    recording.fields[FIELD_LENGTH] = integer_value(1234);
    recording.fields[FIELD_WEIGHT] = decimal_value(-5, 3);
    recording.fields[FIELD_DAY] = date_value("2025-02-13");
    recording.fields[FIELD_SEEN] = instant_value("2025-02-14T01:02:03Z");
    assert_because("{older_than: $age}", &recording, "older_than 90d: 107d");
    assert_because("{newer_than: 1y, valid: true}", &recording,
                   "newer_than 1y: 107d, valid = true");
    assert_because("{ids: [A, B]}", &recording, "ids");
    assert_because("{ids_file: list.txt}", &recording, "ids_file list.txt");
    assert_because("{any: [{map: x}, {ids: [A]}, {valid: true}]}", &recording, "ids");
    assert_because("{length: {gt: 600, lte: 2000}}", &recording,
                   "length > 600: 1234, length <= 2000: 1234");
    assert_because("{weight: {lt: 1}}", &recording, "weight < 1: -0.005");
    recording.record.has_bytes = true;
    recording.record.bytes = UINT64_C(2450000000);
    assert_because("{size: {gte: 1GiB, lt: 5TB}}", &recording, "size >= 1GiB, < 5TB: 2.45 GB");
    assert_because("{map: {in: [a, track-7]}}", &recording, "map = track-7");
    assert_because("{map: {null: false}}", &recording, "map is not null");
    assert_because("{not: {map: golden}}", &recording, "not map = golden: track-7");
    assert_because("{not: {any: [{map: a}, {map: b}]}}", &recording,
                   "not map = a: track-7, not map = b: track-7");
    assert_because("{not: {all: [{map: a}, {valid: true}]}}", &recording, "not map = a: track-7");
    assert_because("{not: {not: {valid: true}}}", &recording, "valid = true");
    assert_because("{date: 2025-02-13}", &recording, "date 2025-02-13");
    assert_because("{dates: {from: 2025-02-01}}", &recording, "dates 2025-02-01..");
    assert_because("{day: {gte: 2025-02-13}}", &recording, "day >= 2025-02-13: 2025-02-13");
    assert_because("{seen: {gt: 2025-02-13}}", &recording,
                   "seen > 2025-02-13: 2025-02-14T01:02:03.000000Z");
    assert_because("{seen: {older_than: 90d}}", &recording, "seen older_than 90d: 106d");
    assert_because("{map: {regex: '^track-\\d$'}}", &recording, "map regex ^track-\\d$: track-7");
    assert_because("{path: {glob: 'a/*'}}", &recording, "path glob a/*");
    assert_because("{everything: true}", &recording, "everything");
    assert_because("{any: [{store: warm}, {store: hot}]}", &recording, "store hot");
    recording.record.time_us = instant("2025-05-31T12:00:00Z");
    assert_because("{older_than: 2h}", &recording, "older_than 2h: 12h");
    recording.record.time_us = instant("2025-05-31T23:59:00Z");
    assert_because("{older_than: 30s}", &recording, "older_than 30s: 60s");
    recording.record.time_us = instant("2025-06-02T00:00:00Z");
    assert_because("{newer_than: 1d}", &recording, "newer_than 1d: in the future");
}

#define TEXT_70 "seventy-bytes-seventy-bytes-seventy-bytes-seventy-bytes-seventy-bytes-"

static void long_texts_are_cut(void **state)
{
    (void)state;
    struct recording recording;
    recording_init(&recording, "A", "2025-02-13T12:00:00Z");
    recording.fields[FIELD_MAP] = text_value(TEXT_70 "1234567890");
    assert_because("{map: {ne: x}}", &recording, "map != x: " TEXT_70 "1234567890");
    recording.fields[FIELD_MAP] = text_value(TEXT_70 "12345678901");
    assert_because("{map: {ne: x}}", &recording, "map != x: " TEXT_70 "1234567890..");
    recording.fields[FIELD_MAP] = text_value(TEXT_70 "123456789\xc3\xbc");
    assert_because("{map: {ne: x}}", &recording, "map != x: " TEXT_70 "123456789..");
    assert_because("{map: {gt: " TEXT_70 "1234567890}}", &recording,
                   "map > " TEXT_70 "1234567890: " TEXT_70 "123456789..");
    assert_because("{map: {gt: " TEXT_70 "12345678901}}", &recording,
                   "map > " TEXT_70 "1234567890..: " TEXT_70 "123456789..");
    recording.key = TEXT_70 TEXT_70;
    assert_because("{path: {glob: " TEXT_70 TEXT_70 "}}", &recording,
                   "path glob " TEXT_70 "seventy-by..");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_values_combine),
        cmocka_unit_test(null_is_unknown_to_every_test),
        cmocka_unit_test(sizes_have_exact_bounds),
        cmocka_unit_test(a_value_of_another_kind_is_unknown),
        cmocka_unit_test(texts_compare_by_bytes),
        cmocka_unit_test(numbers_compare_exactly),
        cmocka_unit_test(decimals_of_any_scale_compare),
        cmocka_unit_test(booleans_compare),
        cmocka_unit_test(days_compare_as_stretches),
        cmocka_unit_test(ages_are_strict),
        cmocka_unit_test(dates_are_right_when_clocks_change),
        cmocka_unit_test(either_end_of_dates_may_be_open),
        cmocka_unit_test(ages_of_fields_are_strict),
        cmocka_unit_test(a_path_is_the_key_inside_the_store),
        cmocka_unit_test(a_path_without_a_store_is_unknown),
        cmocka_unit_test(a_store_is_where_it_is_now),
        cmocka_unit_test(ids_are_texts),
        cmocka_unit_test(sixteen_levels_are_fine),
        cmocka_unit_test(the_deciding_clauses_are_told),
        cmocka_unit_test(long_texts_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
