/* Deciding, beside a slow and obvious reading of the laws (policy.md, 2, 3, 5 and 6): random rows
 * meet random sets of policies twice, once compiled, once through an interpreter that walks the set
 * as it was drawn and shares nothing with policy/.
 *
 * FROSTLINE_SEED=n in the environment takes the set of that seed alone. */
#include <signal.h>
#include <time.h>

#include "base/rand.h"
#include "tests/support/any_policies.h"
#include "tests/unit/policy/rows.h"

#define SETS 10000
#define ROWS 24
#define LEAST 50 /* times that each thing has to be seen */
#define SECOND_US INT64_C(1000000)
#define DAY_S INT64_C(86400)
#define FAR_PAST_US INT64_C(-60000000000000000)   /* in the year 68 */
#define FAR_FUTURE_US INT64_C(250000000000000000) /* in the year 9892 */
#define NOWHERE POLICY_NO_INDEX                   /* in no store */

static struct {
    uint64_t seed; /* 0: all is well */
    struct rand rand;
    struct arena arena;
    struct any_set set;
    int64_t as_of_us;
    struct fixture fixture;
    struct buf yaml;
    struct recording rows[ROWS];
    uint16_t stores[ROWS]; /* where each row is */
} scene;

enum answer { NO, UNKNOWN, YES };

/* How often each thing was seen. */
static struct {
    size_t verdicts[VERDICT_UNDECIDED + 1], decisions[DECISION_CONFLICT + 1];
    size_t contests[DECISION_CONFLICT + 1];
    size_t selectors[ANY_SELECTORS][YES + 1];
    size_t tests[ANY_COLUMNS][ANY_RELATIONS][YES + 1];
    size_t held_by_unknown, merged, nowhere;
} seen;

/* ---- the interpreter: time ---- */

/* What UTC's clock shows, in seconds since 1970. */
static int64_t seconds_of(const struct any_time *time, int days_later)
{
    struct tm tm = {.tm_year = time->year - 1900,
                    .tm_mon = time->month - 1,
                    .tm_mday = time->day + days_later,
                    .tm_hour = time->hour,
                    .tm_min = time->minute,
                    .tm_sec = time->second};
    return (int64_t)timegm(&tm);
}

static int64_t instant_of(const struct any_time *time)
{
    return seconds_of(time, 0) * SECOND_US + time->microsecond;
}

/* The day begins in the policies' zone. */
static int64_t midnight_of(const struct any_time *day, int days_later)
{
    return (seconds_of(day, days_later) - scene.set.zone->offset_s) * SECOND_US;
}

static int days_of_month(int tm_year, int tm_mon)
{
    struct tm last = {.tm_year = tm_year, .tm_mon = tm_mon + 1, .tm_mday = 0};
    timegm(&last);
    return last.tm_mday;
}

/* As of the scene, less the age: months by the calendar of the policies' zone. */
static int64_t line_of(const struct any_age *age)
{
    if (age->months == 0)
        return scene.as_of_us - age->seconds * SECOND_US;
    time_t shown = (time_t)(scene.as_of_us / SECOND_US) + scene.set.zone->offset_s;
    struct tm tm;
    gmtime_r(&shown, &tm);
    for (int i = 0; i < age->months; i++) {
        tm.tm_year -= tm.tm_mon == 0;
        tm.tm_mon = tm.tm_mon == 0 ? 11 : tm.tm_mon - 1;
    }
    if (tm.tm_mday > days_of_month(tm.tm_year, tm.tm_mon))
        tm.tm_mday = days_of_month(tm.tm_year, tm.tm_mon);
    return ((int64_t)timegm(&tm) - scene.set.zone->offset_s) * SECOND_US +
           scene.as_of_us % SECOND_US;
}

/* ---- the interpreter: numbers ---- */

enum { WHOLE = 20, PLACES = 40 };

/* As on paper: digits before and behind the point. */
struct number {
    bool is_negative;
    char digits[WHOLE + PLACES];
};

static struct number number_of(bool is_negative, const char *digits, int scale)
{
    struct number number;
    size_t count = strlen(digits);
    memset(number.digits, '0', sizeof number.digits);
    memcpy(number.digits + WHOLE + scale - count, digits, count);
    number.is_negative = is_negative && strspn(digits, "0") < count;
    return number;
}

static struct number number_of_text(const char *text)
{
    char digits[WHOLE + PLACES + 1];
    size_t count = 0;
    int scale = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at >= '0' && *at <= '9')
            digits[count++] = *at;
        else if (*at == '.')
            scale = (int)strlen(at + 1);
    }
    digits[count] = '\0';
    return number_of(text[0] == '-', digits, scale);
}

static struct number number_of_value(const struct value *value)
{
    bool is_integer = value->kind == VALUE_INTEGER;
    int64_t unscaled = is_integer ? value->integer : value->decimal.unscaled;
    char digits[WHOLE + 2];
    snprintf(digits, sizeof digits, "%lld", (long long)unscaled);
    return number_of(unscaled < 0, digits + (unscaled < 0), is_integer ? 0 : value->decimal.scale);
}

static int compare_numbers(struct number a, struct number b)
{
    if (a.is_negative != b.is_negative)
        return a.is_negative ? -1 : 1;
    int order = memcmp(a.digits, b.digits, sizeof a.digits);
    return a.is_negative ? -order : order;
}

/* ---- the interpreter: tests on fields ---- */

static enum answer answer_of(bool holds)
{
    return holds ? YES : NO;
}

static enum answer both(enum answer a, enum answer b)
{
    if (a == NO || b == NO)
        return NO;
    return a == UNKNOWN || b == UNKNOWN ? UNKNOWN : YES;
}

static enum answer negation(enum answer a)
{
    return a == UNKNOWN ? UNKNOWN : answer_of(a == NO);
}

static enum answer either(enum answer a, enum answer b)
{
    if (a == YES || b == YES)
        return YES;
    return a == UNKNOWN || b == UNKNOWN ? UNKNOWN : NO;
}

/* Has the value what a test on such a column looks at? */
static bool can_compare(enum any_column column, const struct value *value)
{
    switch (column) {
    case ANY_TEXT:
        return value->kind == VALUE_TEXT;
    case ANY_NUMBER:
        return value->kind == VALUE_INTEGER || value->kind == VALUE_DECIMAL;
    case ANY_BOOLEAN:
        return value->kind == VALUE_BOOLEAN;
    case ANY_TIME:
    case ANY_DATE:
        return value->kind == VALUE_INSTANT || value->kind == VALUE_DATE;
    default:
        return false;
    }
}

static int sign(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

/* A day of a time column is all of it; of a date column it is its midnight in UTC. */
static int compare_times(enum any_column column, int64_t instant_us, const struct any_time *time)
{
    if (column == ANY_DATE || !time->is_day)
        return sign(instant_us, instant_of(time));
    if (instant_us < midnight_of(time, 0))
        return -1;
    return instant_us < midnight_of(time, 1) ? 0 : 1;
}

static int compare(enum any_column column, const struct value *value,
                   const struct any_literal *literal)
{
    switch (column) {
    case ANY_TEXT:
        return strcmp(value->text.bytes, literal->text);
    case ANY_NUMBER:
        return compare_numbers(number_of_value(value), number_of_text(literal->text));
    case ANY_BOOLEAN:
        return value->boolean == str_equal(literal->text, "true") ? 0 : 1;
    default:
        return compare_times(column, value->instant_us, literal->time);
    }
}

static enum answer match(const struct any_pattern *pattern, const char *text)
{
    return str_is_utf8(text, strlen(text)) ? answer_of(pattern->matches(text)) : UNKNOWN;
}

static enum answer ask_relation(enum any_column column, const struct any_test *test,
                                const struct value *value)
{
    if (test->relation == ANY_NULL)
        return answer_of((value->kind == VALUE_NULL) == test->is_null);
    if (!can_compare(column, value))
        return UNKNOWN;
    if (test->relation == ANY_GLOB || test->relation == ANY_REGEX)
        return match(test->pattern, value->text.bytes);
    if (test->relation == ANY_OLDER)
        return answer_of(value->instant_us < line_of(test->age));
    if (test->relation == ANY_NEWER)
        return answer_of(value->instant_us > line_of(test->age));

    int order = compare(column, value, &test->literals[0]);
    switch (test->relation) {
    case ANY_NE:
        return answer_of(order != 0);
    case ANY_GT:
        return answer_of(order > 0);
    case ANY_GTE:
        return answer_of(order >= 0);
    case ANY_LT:
        return answer_of(order < 0);
    case ANY_LTE:
        return answer_of(order <= 0);
    default:
        break;
    }
    enum answer answer = NO;
    for (size_t i = 0; i < test->count; i++)
        answer = either(answer, answer_of(compare(column, value, &test->literals[i]) == 0));
    return answer;
}

static enum answer ask_field(const struct any_key *key, const struct record *record)
{
    enum any_column column = any_fields[key->field].column;
    enum answer answer = YES;
    for (size_t i = 0; i < key->test_count; i++) {
        const struct any_test *test = &key->tests[i];
        enum answer one = ask_relation(column, test, &record->fields[key->field]);
        seen.tests[column][test->relation][one]++;
        answer = both(answer, one);
    }
    return answer;
}

/* ---- the interpreter: selections ---- */

static enum answer ask(const struct any_selection *selection, const struct record *record,
                       const struct location *location);

static enum answer ask_ids(uint8_t ids, const char *id)
{
    for (size_t i = 0; i < ANY_IDS; i++) {
        if ((ids >> i & 1) != 0 && str_equal(any_ids[i], id))
            return YES;
    }
    return NO;
}

/* first and last: NULL if there is no such end. */
static enum answer ask_days(const struct any_time *first, const struct any_time *last,
                            const struct record *record)
{
    if (!record->has_time)
        return UNKNOWN;
    return answer_of((first == NULL || record->time_us >= midnight_of(first, 0)) &&
                     (last == NULL || record->time_us < midnight_of(last, 1)));
}

static enum answer ask_age(const struct any_key *key, const struct record *record)
{
    if (!record->has_time)
        return UNKNOWN;
    int64_t line_us = line_of(key->age);
    return answer_of(key->selector == ANY_SELECT_OLDER ? record->time_us < line_us
                                                       : record->time_us > line_us);
}

static enum answer ask_path(const struct any_key *key, const struct location *location)
{
    enum answer answer = YES;
    if (location == NULL)
        return UNKNOWN;
    if (key->glob != NULL)
        answer = both(answer, match(key->glob, location->key));
    if (key->regex != NULL)
        answer = both(answer, match(key->regex, location->key));
    return answer;
}

static enum answer ask_size(const struct any_key *key, const struct record *record)
{
    if (!record->has_bytes)
        return UNKNOWN;
    return answer_of((key->gt == NULL || record->bytes > key->gt->bytes) &&
                     (key->gte == NULL || record->bytes >= key->gte->bytes) &&
                     (key->lt == NULL || record->bytes < key->lt->bytes) &&
                     (key->lte == NULL || record->bytes <= key->lte->bytes));
}

static enum answer ask_parts(const struct any_key *key, const struct record *record,
                             const struct location *location)
{
    enum answer all = YES, any = NO;
    for (size_t i = 0; i < key->part_count; i++) {
        enum answer one = ask(&key->parts[i], record, location);
        all = both(all, one);
        any = either(any, one);
    }
    if (key->selector == ANY_SELECT_NOT)
        return negation(all);
    return key->selector == ANY_SELECT_ALL ? all : any;
}

static enum answer ask_key(const struct any_key *key, const struct record *record,
                           const struct location *location)
{
    switch (key->selector) {
    case ANY_SELECT_IDS:
        return ask_ids(key->ids, record->id);
    case ANY_SELECT_FILE:
        return ask_ids(scene.set.files[key->file], record->id);
    case ANY_SELECT_DATE:
        return ask_days(key->first, key->first, record);
    case ANY_SELECT_DATES:
        return ask_days(key->first, key->last, record);
    case ANY_SELECT_OLDER:
    case ANY_SELECT_NEWER:
        return ask_age(key, record);
    case ANY_SELECT_PATH:
        return ask_path(key, location);
    case ANY_SELECT_SIZE:
        return ask_size(key, record);
    case ANY_SELECT_STORE:
        return answer_of(location != NULL && location->store == key->store);
    case ANY_SELECT_FIELD:
        return ask_field(key, record);
    case ANY_SELECT_EVERYTHING:
        return YES;
    default:
        return ask_parts(key, record, location);
    }
}

static enum answer ask(const struct any_selection *selection, const struct record *record,
                       const struct location *location)
{
    enum answer answer = YES;
    for (size_t i = 0; i < selection->count; i++) {
        enum answer one = ask_key(&selection->keys[i], record, location);
        seen.selectors[selection->keys[i].selector][one]++;
        answer = both(answer, one);
    }
    return answer;
}

/* ---- the interpreter: decisions ---- */

/* The last day is over when the next one begins; NULL: there is none. */
static bool is_over(const struct any_time *last)
{
    return last != NULL && scene.as_of_us >= midnight_of(last, 1);
}

static uint16_t find_hold(const struct record *record, const struct location *location)
{
    for (size_t i = 0; i < scene.set.hold_count; i++) {
        const struct any_hold *hold = &scene.set.holds[i];
        if (is_over(hold->until))
            continue;
        enum answer answer = ask(&hold->select, record, location);
        seen.held_by_unknown += answer == UNKNOWN;
        if (answer != NO)
            return (uint16_t)i;
    }
    return POLICY_NO_INDEX;
}

static enum policy_verdict judge(const struct any_policy *policy, const struct record *record,
                                 const struct location *location)
{
    if (!policy->enabled || is_over(policy->expires))
        return VERDICT_OUT;
    if (policy->from != ANY_EVERY_STORE && (location == NULL || location->store != policy->from))
        return VERDICT_OUT;
    enum answer selected = ask(&policy->select, record, location);
    if (selected != YES)
        return selected == NO ? VERDICT_OUT : VERDICT_UNDECIDED;
    enum answer excluded = policy->has_exclude ? ask(&policy->exclude, record, location) : NO;
    if (excluded == YES)
        return VERDICT_EXCLUDED;
    return excluded == NO ? VERDICT_CANDIDATE : VERDICT_UNDECIDED;
}

static struct policy_terms terms_of(const struct any_policy *policy)
{
    static const enum unit_verify levels[] = {VERIFY_SIZE, VERIFY_CHECKSUM, VERIFY_READBACK};
    const struct any_terms *both_terms[] = {&scene.set.defaults, &policy->terms};
    struct policy_terms terms = {.verify = VERIFY_CHECKSUM, .grace_us = 7 * DAY_S * SECOND_US};
    for (size_t i = 0; i < 2; i++) {
        if (both_terms[i]->verify != ANY_UNSAID)
            terms.verify = levels[both_terms[i]->verify];
        if (both_terms[i]->keep_source != ANY_UNSAID)
            terms.keep_source = both_terms[i]->keep_source == 1;
        if (both_terms[i]->grace != NULL)
            terms.grace_us = both_terms[i]->grace->seconds * SECOND_US;
    }
    return terms;
}

/* Those of the policies, a bit each, that have the highest priority among them. */
static unsigned highest_of(const struct any_set *set, unsigned policies)
{
    unsigned highest = 0;
    for (size_t i = 0; i < set->count; i++) {
        if ((policies >> i & 1) == 0)
            continue;
        bool is_beaten = false;
        for (size_t k = 0; k < set->count; k++)
            is_beaten |=
                (policies >> k & 1) != 0 && set->policies[k].priority > set->policies[i].priority;
        highest |= is_beaten ? 0 : 1U << i;
    }
    return highest;
}

/* Law 3: what comes of these policies, which have one priority, for rows in a store. */
static struct decision settle(unsigned winners, uint16_t store)
{
    struct decision settled = {
        .winner = POLICY_NO_INDEX, .rival = POLICY_NO_INDEX, .blamed = POLICY_NO_INDEX};
    for (uint16_t i = 0; i < scene.set.count; i++) {
        if ((winners >> i & 1) == 0)
            continue;
        const struct any_policy *policy = &scene.set.policies[i];
        struct policy_terms terms = terms_of(policy);
        if (settled.winner == POLICY_NO_INDEX) {
            settled.winner = i;
            settled.target = policy->target;
            settled.terms = terms;
            continue;
        }
        if (policy->target != settled.target && settled.rival == POLICY_NO_INDEX)
            settled.rival = i;
        if (terms.verify > settled.terms.verify)
            settled.terms.verify = terms.verify;
        if (terms.grace_us > settled.terms.grace_us)
            settled.terms.grace_us = terms.grace_us;
        if (terms.keep_source)
            settled.terms.keep_source = true;
        seen.merged++;
    }
    if (settled.rival != POLICY_NO_INDEX)
        settled.kind = DECISION_CONFLICT;
    else
        settled.kind = settled.target == store ? DECISION_IN_PLACE : DECISION_MOVE;
    return settled;
}

/* Nobody wins: who is to blame? */
static void blame(struct decision *decision)
{
    decision->blamed = POLICY_NO_INDEX;
    for (uint16_t i = 0; i < scene.set.count; i++) {
        decision->excluded |= decision->verdicts[i] == VERDICT_EXCLUDED;
        decision->undecided |= decision->verdicts[i] == VERDICT_UNDECIDED;
    }
    enum policy_verdict verdict = decision->excluded ? VERDICT_EXCLUDED : VERDICT_UNDECIDED;
    for (uint16_t i = 0; i < scene.set.count && decision->blamed == POLICY_NO_INDEX; i++) {
        if (decision->verdicts[i] == verdict)
            decision->blamed = i;
    }
}

/* *winners: the policies that share the row, if one of them wins it. */
static struct decision interpret(const struct record *record, const struct location *location,
                                 unsigned *winners)
{
    struct decision decision = {.kind = DECISION_STAY};
    uint8_t verdicts[POLICY_MAX] = {0};
    unsigned candidates = 0;
    for (size_t i = 0; i < scene.set.count; i++) {
        verdicts[i] = (uint8_t)judge(&scene.set.policies[i], record, location);
        candidates |= verdicts[i] == VERDICT_CANDIDATE ? 1U << i : 0;
        seen.verdicts[verdicts[i]]++;
    }
    *winners = highest_of(&scene.set, candidates);
    if (candidates != 0)
        decision = settle(*winners, location == NULL ? NOWHERE : location->store);
    memcpy(decision.verdicts, verdicts, sizeof verdicts);
    decision.hold = find_hold(record, location);
    if (decision.hold != POLICY_NO_INDEX)
        decision.kind = DECISION_HELD;
    if (decision.kind == DECISION_STAY)
        blame(&decision);
    seen.decisions[decision.kind]++;
    return decision;
}

/* ---- random rows ---- */

#define PICK(list) (list)[rand_below(&scene.rand, sizeof(list) / sizeof *(list))]

static size_t below(size_t bound)
{
    return (size_t)rand_below(&scene.rand, bound);
}

/* On a boundary of some literal, a microsecond beside it, anywhere in three years, or far off. */
static int64_t draw_instant(void)
{
    static const int beside_us[] = {0, 0, -1, 1};
    int64_t instant_us;
    switch (below(10)) {
    case 0:
        return below(2) == 0 ? FAR_PAST_US : FAR_FUTURE_US;
    case 1:
    case 2:
    case 3:
        instant_us = line_of(&PICK(any_ages));
        break;
    case 4:
        instant_us = midnight_of(&PICK(any_days), 0);
        break;
    case 5:
        instant_us = midnight_of(&PICK(any_days), 1);
        break;
    case 6:
    case 7:
        instant_us = instant_of(&PICK(any_moments));
        break;
    default:
        instant_us = scene.as_of_us - (int64_t)below((size_t)(1095 * DAY_S)) * SECOND_US;
        break;
    }
    return instant_us + PICK(beside_us);
}

static struct value draw_number(bool is_integer)
{
    const char *text = PICK(any_numbers);
    const char *point = strchr(text, '.');
    char digits[WHOLE + PLACES] = "";
    snprintf(digits, sizeof digits, "%.*s%s", (int)strcspn(text, "."), text,
             point == NULL || is_integer ? "" : point + 1);
    int64_t unscaled = strtoll(digits, NULL, 10);
    if (is_integer)
        return integer_value(unscaled);
    return decimal_value(unscaled, point == NULL ? 0 : (int32_t)strlen(point + 1));
}

static struct value draw_value(enum value_kind kind)
{
    static const char *const texts[] = {"Track-1", "", "track-1\n", "a/a.ecal", "x-1", "\xff"};
    struct value value = {.kind = kind};
    switch (kind) {
    case VALUE_TEXT:
        return text_value(below(2) == 0 ? PICK(texts) : PICK(any_texts));
    case VALUE_INTEGER:
    case VALUE_DECIMAL:
        return draw_number(kind == VALUE_INTEGER);
    case VALUE_BOOLEAN:
        return boolean_value(below(2) == 0);
    case VALUE_INSTANT:
        value.instant_us = draw_instant();
        return value;
    case VALUE_DATE:
        value.instant_us = instant_of(&PICK(any_days));
        return value;
    default:
        return value;
    }
}

static const enum value_kind columns[FIELDS] = {
    VALUE_TEXT, VALUE_INTEGER, VALUE_DECIMAL, VALUE_BOOLEAN, VALUE_INSTANT, VALUE_DATE, VALUE_NULL};

/* Of the column's kind, now and then NULL or of another kind. */
static void draw_fields(struct recording *row)
{
    for (size_t i = 0; i < FIELDS; i++) {
        size_t chance = below(12);
        enum value_kind kind = columns[i];
        if (chance < 2 || kind == VALUE_NULL)
            kind = VALUE_NULL;
        else if (chance == 2)
            kind = (enum value_kind)(VALUE_TEXT + below(VALUE_DATE));
        row->fields[i] = draw_value(kind);
    }
}

static void draw_row(size_t index)
{
    static const char *const keys[] = {"recording/a/a.ecal",
                                       "recording/a.ecal",
                                       "recordings/a.ecal",
                                       "recording/x/y/b.ecal",
                                       "b/recording/x-1",
                                       "x-1",
                                       "a.ecal",
                                       "\xc3\xa9"};
    static const uint16_t stores[] = {HOT, HOT, WARM, COLD, NOWHERE};
    struct recording *row = &scene.rows[index];
    recording_init(row, PICK(any_ids), NULL);
    row->key = PICK(keys);
    row->record.has_time = below(8) > 0;
    row->record.time_us = draw_instant();
    row->record.has_bytes = below(8) > 0;
    row->record.bytes = PICK(any_sizes).bytes;
    row->record.bytes += below(2);
    row->record.bytes -= row->record.bytes > 0 && below(2) == 0;
    draw_fields(row);
    scene.stores[index] = PICK(stores);
    seen.nowhere += scene.stores[index] == NOWHERE;
}

/* ---- a scene ---- */

static void draw_scene(uint64_t seed)
{
    static const struct any_options options = {
        .stores = 3, .fields = (1 << ANY_FIELDS) - 1, .has_files = true, .has_places = true};
    memset(&scene, 0, sizeof scene);
    scene.seed = seed;
    rand_init(&scene.rand, seed);
    arena_init(&scene.arena, FIXTURE_ARENA_BYTES);
    any_draw(&scene.set, &options, &scene.rand, &scene.arena);
    scene.as_of_us = instant_of(&PICK(any_moments));
    if (below(3) == 0) {
        scene.as_of_us = midnight_of(&PICK(any_days), 1);
        scene.as_of_us -= (int)below(2);
    }
    for (size_t i = 0; i < ROWS; i++)
        draw_row(i);
}

static void load_scene(void)
{
    struct fixture_file files[ANY_FILES + 1] = {0};
    struct catalog_shape shape = fixture_shape();
    struct buf text;
    buf_init(&text, FIXTURE_OUT_BYTES);
    for (size_t i = 0; i < ANY_FILES; i++) {
        buf_reset(&text);
        any_write_file(&scene.set, i, &text);
        files[i] = (struct fixture_file){.path = any_files[i],
                                         .text = arena_copy(&scene.arena, buf_string(&text))};
    }
    buf_free(&text);
    buf_init(&scene.yaml, FIXTURE_OUT_BYTES);
    buf_text(&scene.yaml, FIXTURE_HEAD);
    any_write(&scene.set, &scene.yaml);

    scene.fixture.files = files;
    fixture_load_bytes(&scene.fixture, scene.yaml.bytes, scene.yaml.size);
    shape.fields = (enum value_kind *)columns;
    if (scene.fixture.policies == NULL ||
        !policy_bind(scene.fixture.policies, &shape, &scene.fixture.diags))
        fail_msg("%s", buf_string(&scene.fixture.out));
    policy_prepare(scene.fixture.policies, scene.as_of_us);
}

static void free_scene(void)
{
    fixture_free(&scene.fixture);
    buf_free(&scene.yaml);
    arena_free(&scene.arena);
    scene.seed = 0;
}

/* ---- what is compared ---- */

/* What one decision says, and nothing that its kind leaves open. */
static void tell_decision(const struct decision *decision, size_t policies, struct buf *out)
{
    static const char *const kinds[] = {"stay", "held", "in place", "move", "conflict"};
    static const char *const verdicts[] = {"out", "candidate", "excluded", "undecided"};
    buf_text(out, kinds[decision->kind]);
    switch (decision->kind) {
    case DECISION_STAY:
        buf_format(out, "%s%s, blamed %d", decision->excluded ? ", excluded" : "",
                   decision->undecided ? ", undecided" : "", (int16_t)decision->blamed);
        break;
    case DECISION_HELD:
        buf_format(out, " by %u", decision->hold);
        break;
    default:
        buf_format(out, ", winner %u, rival %d, target %u", decision->winner,
                   (int16_t)decision->rival, decision->target);
        buf_format(out, ", verify %d, %s, grace %llds", (int)decision->terms.verify,
                   decision->terms.keep_source ? "keep" : "delete",
                   (long long)(decision->terms.grace_us / SECOND_US));
        if (decision->excluded || decision->undecided || decision->blamed != POLICY_NO_INDEX)
            buf_text(out, ", and blamed all the same");
        break;
    }
    for (size_t i = 0; i < policies; i++)
        buf_format(out, "%s%s", i == 0 ? "; " : ", ", verdicts[decision->verdicts[i]]);
}

static void tell_time(int64_t instant_us, struct buf *out)
{
    char text[WHEN_TEXT_MAX];
    when_instant_text(instant_us, text);
    buf_text(out, text);
}

static void tell_value(const struct value *value, struct buf *out)
{
    switch (value->kind) {
    case VALUE_TEXT:
        buf_format(out, "'%s'", value->text.bytes);
        break;
    case VALUE_INTEGER:
        buf_format(out, "%lld", (long long)value->integer);
        break;
    case VALUE_DECIMAL:
        buf_format(out, "%llde-%d", (long long)value->decimal.unscaled, value->decimal.scale);
        break;
    case VALUE_BOOLEAN:
        buf_text(out, value->boolean ? "true" : "false");
        break;
    case VALUE_INSTANT:
    case VALUE_DATE:
        buf_text(out, value->kind == VALUE_DATE ? "date " : "");
        tell_time(value->instant_us, out);
        break;
    default:
        buf_text(out, "NULL");
        break;
    }
}

static void tell_row(size_t index, struct buf *out)
{
    const struct recording *row = &scene.rows[index];
    uint16_t store = scene.stores[index];
    buf_format(out, "row '%s' in %s:%s, ", row->record.id,
               store == NOWHERE ? "no store" : any_stores[store], row->key);
    if (row->record.has_time)
        tell_time(row->record.time_us, out);
    else
        buf_text(out, "no time");
    if (row->record.has_bytes)
        buf_format(out, ", %llu bytes", (unsigned long long)row->record.bytes);
    for (size_t i = 0; i < FIELDS; i++) {
        buf_format(out, ", %s ", any_fields[i].name);
        tell_value(&row->fields[i], out);
    }
    buf_char(out, '\n');
}

/* What failed is the scene that is still there. */
static void tell_scene(void)
{
    struct buf rows;
    if (scene.seed == 0)
        return;
    buf_init(&rows, FIXTURE_OUT_BYTES);
    for (size_t i = 0; i < ROWS; i++)
        tell_row(i, &rows);
    buf_text(&rows, "as of ");
    tell_time(scene.as_of_us, &rows);
    fprintf(stderr, "%s\n%s\nFROSTLINE_SEED=%llu\n", buf_string(&scene.yaml), buf_string(&rows),
            (unsigned long long)scene.seed);
    buf_free(&rows);
}

static int end(void **state)
{
    (void)state;
    tell_scene();
    return 0;
}

/* An assert of the code that is tested. */
static void tell_abort(int number)
{
    tell_scene();
    signal(number, SIG_DFL);
}

static void compare_decisions(const char *what, const struct decision *decided,
                              const struct decision *expected)
{
    struct buf ours, theirs;
    buf_init(&ours, FIXTURE_OUT_BYTES);
    buf_init(&theirs, FIXTURE_OUT_BYTES);
    tell_decision(decided, scene.set.count, &ours);
    tell_decision(expected, scene.set.count, &theirs);
    if (!str_equal(buf_string(&ours), buf_string(&theirs)))
        fail_msg("%s:\n  decided  %s\n  expected %s", what, buf_string(&ours), buf_string(&theirs));
    buf_free(&ours);
    buf_free(&theirs);
}

/* All rows of one store as if they lay in one directory. */
struct contest {
    bool is_begun;
    struct decision decided;
    unsigned winners;
};

static void add_to_contest(struct contest *contest, uint16_t store, const struct decision *decided,
                           unsigned winners)
{
    if (contest->is_begun)
        policy_contest(scene.fixture.policies, store, &contest->decided, decided);
    else
        contest->decided = *decided;
    contest->is_begun = true;
    contest->winners = highest_of(&scene.set, contest->winners | winners);
}

static void check_row(size_t index, struct contest *contests)
{
    const struct recording *row = &scene.rows[index];
    uint16_t store = scene.stores[index];
    struct location there = recording_location(row, store);
    const struct location *location = store == NOWHERE ? NULL : &there;
    struct decision decided;
    unsigned winners;
    char what[32];
    struct decision expected = interpret(&row->record, location, &winners);
    policy_decide(scene.fixture.policies, &row->record, location, &decided);
    snprintf(what, sizeof what, "row %zu", index);
    compare_decisions(what, &decided, &expected);
    assert_int_equal(policy_held(scene.fixture.policies, &row->record, location), expected.hold);
    if (location != NULL && decided.kind != DECISION_STAY && decided.kind != DECISION_HELD)
        add_to_contest(&contests[store], store, &decided, winners);
}

static void check_contest(uint16_t store, struct contest *contest)
{
    if (!contest->is_begun)
        return;
    struct decision expected = settle(contest->winners, store);
    memcpy(expected.verdicts, contest->decided.verdicts, sizeof expected.verdicts);
    compare_decisions(any_stores[store], &contest->decided, &expected);
    seen.contests[expected.kind]++;
}

static void check_scene(uint64_t seed)
{
    struct contest contests[COLD + 1] = {0};
    draw_scene(seed);
    load_scene();
    for (size_t i = 0; i < ROWS; i++)
        check_row(i, contests);
    for (uint16_t store = HOT; store <= COLD; store++)
        check_contest(store, &contests[store]);
    free_scene();
}

/* ---- the dice are not loaded ---- */

static void check_seen(size_t times, const char *what, size_t which)
{
    if (times < LEAST)
        fail_msg("%s %zu was seen %zu times only", what, which, times);
}

static bool can_answer(enum any_selector selector, enum answer answer)
{
    switch (selector) {
    case ANY_SELECT_EVERYTHING:
        return answer == YES;
    case ANY_SELECT_IDS:
    case ANY_SELECT_FILE:
    case ANY_SELECT_STORE:
        return answer != UNKNOWN;
    default:
        return true;
    }
}

static bool can_test(enum any_column column, enum any_relation relation, enum answer answer)
{
    static const unsigned relations[ANY_COLUMNS] = {
        [ANY_TEXT] = ~(1U << ANY_OLDER | 1U << ANY_NEWER),
        [ANY_NUMBER] = ~(1U << ANY_OLDER | 1U << ANY_NEWER | 1U << ANY_GLOB | 1U << ANY_REGEX),
        [ANY_BOOLEAN] = 1U << ANY_EQ | 1U << ANY_NE | 1U << ANY_IN | 1U << ANY_NULL,
        [ANY_TIME] = ~(1U << ANY_GLOB | 1U << ANY_REGEX),
        [ANY_DATE] = ~(1U << ANY_GLOB | 1U << ANY_REGEX),
        [ANY_NOTHING] = ~0U};
    if (relation == ANY_NULL)
        return answer != UNKNOWN;
    return (relations[column] >> relation & 1) != 0 && (column != ANY_NOTHING || answer == UNKNOWN);
}

static void check_all_was_seen(void)
{
    static const char *const kinds[ANY_COLUMNS] = {"test of a text",    "test of a number",
                                                   "test of a boolean", "test of a time",
                                                   "test of a date",    "test of nothing"};
    for (size_t i = 0; i <= VERDICT_UNDECIDED; i++)
        check_seen(seen.verdicts[i], "verdict", i);
    for (size_t i = 0; i <= DECISION_CONFLICT; i++)
        check_seen(seen.decisions[i], "decision", i);
    for (size_t i = DECISION_IN_PLACE; i <= DECISION_CONFLICT; i++)
        check_seen(seen.contests[i], "contest", i);
    for (size_t i = 0; i < ANY_SELECTORS * 3; i++) {
        if (can_answer((enum any_selector)(i / 3), (enum answer)(i % 3)))
            check_seen(seen.selectors[i / 3][i % 3], "selector and answer", i);
    }
    for (size_t i = 0; i < ANY_COLUMNS; i++) {
        for (size_t k = 0; k < ANY_RELATIONS * 3; k++) {
            if (can_test((enum any_column)i, (enum any_relation)(k / 3), (enum answer)(k % 3)))
                check_seen(seen.tests[i][k / 3][k % 3], kinds[i], k);
        }
    }
    check_seen(seen.held_by_unknown, "an undecided hold", 0);
    check_seen(seen.merged, "equal winners", 0);
    check_seen(seen.nowhere, "a row in no store", 0);
}

static void two_readings_of_the_laws_agree(void **state)
{
    (void)state;
    const char *seed = getenv("FROSTLINE_SEED");
    if (seed != NULL) {
        check_scene(strtoull(seed, NULL, 10));
        return;
    }
    for (uint64_t i = 1; i <= SETS; i++)
        check_scene(i);
    check_all_was_seen();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(two_readings_of_the_laws_agree, end)};
    signal(SIGABRT, tell_abort);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
