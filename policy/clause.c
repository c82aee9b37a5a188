#include "policy/clause.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/size.h"
#include "base/str.h"
#include "state/location.h"

_Static_assert(sizeof(struct clause) == 32, "two clauses to a cache line");

#define SCALE_WRITTEN_MAX 40 /* beyond it, digits alone don't tell a number */
#define SCALE_EXACT_MAX 19   /* INT64_MAX * 10^19 fits into 128 bits */

static const uint64_t power_of_ten[SCALE_EXACT_MAX + 1] = {
    UINT64_C(1),
    UINT64_C(10),
    UINT64_C(100),
    UINT64_C(1000),
    UINT64_C(10000),
    UINT64_C(100000),
    UINT64_C(1000000),
    UINT64_C(10000000),
    UINT64_C(100000000),
    UINT64_C(1000000000),
    UINT64_C(10000000000),
    UINT64_C(100000000000),
    UINT64_C(1000000000000),
    UINT64_C(10000000000000),
    UINT64_C(100000000000000),
    UINT64_C(1000000000000000),
    UINT64_C(10000000000000000),
    UINT64_C(100000000000000000),
    UINT64_C(1000000000000000000),
    UINT64_C(10000000000000000000),
};

static int sign_of(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int clause_compare_decimals(struct decimal a, struct decimal b)
{
    if (a.scale == b.scale)
        return sign_of(a.unscaled, b.unscaled);
    if (a.scale > b.scale)
        return -clause_compare_decimals(b, a);

    /* a * 10^apart against b. */
    int64_t apart = (int64_t)b.scale - a.scale;
    if (a.unscaled == 0)
        return sign_of(0, b.unscaled);
    if (apart > SCALE_EXACT_MAX) /* at least 10^20: beyond any b */
        return a.unscaled > 0 ? 1 : -1;
    __int128 scaled = (__int128)a.unscaled * power_of_ten[apart];
    return (scaled > b.unscaled) - (scaled < b.unscaled);
}

static enum truth truth_of(bool holds)
{
    return holds ? TRUTH_YES : TRUTH_NO;
}

static enum truth relate(const struct clause *clause, int order)
{
    return truth_of((clause->relations >> (order + 1) & 1) != 0);
}

static bool is_within(const struct range *range, int64_t instant_us)
{
    return instant_us >= range->from_us && instant_us < range->to_us;
}

static enum truth decide_text(const struct clause *clause, const struct value *value)
{
    const char *bytes = value->text.bytes;
    size_t ours = value->text.size_bytes, theirs = clause->text.size;
    bool only_equality =
        ((clause->relations & RELATION_LESS) != 0) == ((clause->relations & RELATION_GREATER) != 0);
    if (only_equality)
        return relate(clause, ours != theirs || memcmp(bytes, clause->text.bytes, ours) != 0);
    int order = memcmp(bytes, clause->text.bytes, ours < theirs ? ours : theirs);
    if (order == 0)
        return relate(clause, (ours > theirs) - (ours < theirs));
    return relate(clause, order > 0 ? 1 : -1);
}

static enum truth decide_number(const struct clause *clause, const struct value *value)
{
    struct decimal number = value->decimal;
    if (value->kind == VALUE_INTEGER)
        number = (struct decimal){value->integer, 0};
    else if (value->kind != VALUE_DECIMAL)
        return TRUTH_UNKNOWN;
    return relate(clause, clause_compare_decimals(number, clause->number));
}

static enum truth decide_instant(const struct clause *clause, const struct value *value)
{
    if (value->kind != VALUE_INSTANT && value->kind != VALUE_DATE)
        return TRUTH_UNKNOWN;
    if (value->instant_us < clause->range.from_us)
        return relate(clause, -1);
    return relate(clause, value->instant_us >= clause->range.to_us ? 1 : 0);
}

/* A value of another kind than the column's can't be compared: unknown, as NULL is. */
static enum truth decide_field(const struct clause *clause, const struct row *row)
{
    if (clause->index >= row->record->field_count)
        return TRUTH_UNKNOWN;
    const struct value *value = &row->record->fields[clause->index];
    switch (clause->kind) {
    case CLAUSE_NULL:
        return truth_of((value->kind == VALUE_NULL) == clause->boolean);
    case CLAUSE_TEXT:
        return value->kind == VALUE_TEXT ? decide_text(clause, value) : TRUTH_UNKNOWN;
    case CLAUSE_NUMBER:
        return decide_number(clause, value);
    case CLAUSE_BOOLEAN:
        return value->kind == VALUE_BOOLEAN
                   ? relate(clause, value->boolean == clause->boolean ? 0 : 1)
                   : TRUTH_UNKNOWN;
    case CLAUSE_INSTANT:
        return decide_instant(clause, value);
    case CLAUSE_PATTERN:
        return value->kind == VALUE_TEXT ? pattern_match(clause->pattern, value->text.bytes,
                                                         value->text.size_bytes, false, row->memory)
                                         : TRUTH_UNKNOWN;
    default:
        return TRUTH_UNKNOWN;
    }
}

static inline enum truth decide_leaf(const struct clause *clause, const struct row *row)
{
    const struct record *record = row->record;
    switch (clause->kind) {
    case CLAUSE_EVERYTHING:
        return TRUTH_YES;
    case CLAUSE_STORE:
        return truth_of(row->location != NULL && clause->index == row->location->store);
    case CLAUSE_POLICY:
        return truth_of(clause->index == row->policy);
    case CLAUSE_IDS:
        return truth_of(ids_has(&clause->list, row->id));
    case CLAUSE_TIME:
        return record->has_time ? truth_of(is_within(&clause->range, record->time_us))
                                : TRUTH_UNKNOWN;
    case CLAUSE_SIZE:
        return record->has_bytes ? truth_of(record->bytes >= clause->sizes.from &&
                                            record->bytes < clause->sizes.to)
                                 : TRUTH_UNKNOWN;
    case CLAUSE_PATH:
        return row->location != NULL ? pattern_match(clause->pattern, row->location->key,
                                                     strlen(row->location->key), true, row->memory)
                                     : TRUTH_UNKNOWN;
    default:
        return decide_field(clause, row);
    }
}

/* Most children are leaves, and decided here without a call. */
static enum truth decide_group(const struct clause *clause, const struct row *row)
{
    const struct clause *end = clause + clause->size;
    enum truth settled = clause->kind == CLAUSE_ALL ? TRUTH_NO : TRUTH_YES;
    enum truth truth = clause->kind == CLAUSE_ALL ? TRUTH_YES : TRUTH_NO;
    for (const struct clause *child = clause + 1; child < end; child += child->size) {
        enum truth one =
            child->kind <= CLAUSE_NOT ? clause_decide(child, row) : decide_leaf(child, row);
        if (one == settled)
            return settled;
        if (one == TRUTH_UNKNOWN)
            truth = TRUTH_UNKNOWN;
    }
    return truth;
}

enum truth clause_decide(const struct clause *clause, const struct row *row)
{
    switch (clause->kind) {
    case CLAUSE_ALL:
    case CLAUSE_ANY:
        return decide_group(clause, row);
    case CLAUSE_NOT:
        return TRUTH_YES - clause_decide(clause + 1, row);
    default:
        return decide_leaf(clause, row);
    }
}

/* ---- because ---- */

static void write_decimal(struct decimal number, struct buf *out)
{
    if (number.scale > SCALE_WRITTEN_MAX || number.scale <= 0) {
        buf_format(out, "%lld", (long long)number.unscaled);
        if (number.scale != 0)
            buf_format(out, "e%lld", -(long long)number.scale);
        return;
    }
    /* At least one digit stands before the point. */
    char digits[SCALE_WRITTEN_MAX + 24];
    int scale = number.scale;
    uint64_t size = number.unscaled < 0 ? -(uint64_t)number.unscaled : (uint64_t)number.unscaled;
    int count = snprintf(digits, sizeof digits, "%0*llu", scale + 1, (unsigned long long)size);
    buf_format(out, "%s%.*s.%s", number.unscaled < 0 ? "-" : "", count - scale, digits,
               digits + count - scale);
}

static void write_text(const char *bytes, size_t size_bytes, struct buf *out)
{
    size_t cut = str_cut(bytes, size_bytes, CLAUSE_SHOWN_MAX);
    buf_add(out, bytes, cut);
    if (cut < size_bytes)
        buf_text(out, "..");
}

static void write_value(const struct value *value, struct buf *out)
{
    char text[WHEN_TEXT_MAX];
    switch (value->kind) {
    case VALUE_TEXT:
        write_text(value->text.bytes, value->text.size_bytes, out);
        break;
    case VALUE_INTEGER:
        buf_format(out, "%lld", (long long)value->integer);
        break;
    case VALUE_DECIMAL:
        write_decimal(value->decimal, out);
        break;
    case VALUE_BOOLEAN:
        buf_text(out, value->boolean ? "true" : "false");
        break;
    case VALUE_INSTANT:
        when_instant_text(value->instant_us, text);
        buf_text(out, text);
        break;
    case VALUE_DATE:
        when_instant_text(value->instant_us, text);
        buf_add(out, text, strlen("2025-02-14"));
        break;
    default:
        buf_text(out, "NULL");
        break;
    }
}

/* Whole days, below two of them whole hours, below two of those seconds. */
static void write_age(int64_t age_us, struct buf *out)
{
    int64_t hours = age_us / (3600 * WHEN_SECOND_US);
    if (age_us < 0)
        buf_text(out, "in the future");
    else if (hours >= 48)
        buf_format(out, "%lldd", (long long)(hours / 24));
    else if (hours >= 2)
        buf_format(out, "%lldh", (long long)hours);
    else
        buf_format(out, "%llds", (long long)(age_us / WHEN_SECOND_US));
}

bool clause_instant(const struct clause *clause, const struct record *record, int64_t *instant_us)
{
    *instant_us = record->time_us;
    if (clause->kind == CLAUSE_TIME)
        return record->has_time;
    if (clause->index >= record->field_count)
        return false;
    const struct value *value = &record->fields[clause->index];
    *instant_us = value->instant_us;
    return value->kind == VALUE_INSTANT || value->kind == VALUE_DATE;
}

static void write_size(const struct record *record, struct buf *out)
{
    char text[SIZE_TEXT_MAX];
    size_text(record->bytes, text);
    buf_text(out, record->has_bytes ? text : "NULL");
}

/* Is there a text, and the pattern can't say whether it matches? */
static bool gives_up(const struct clause *clause, const struct row *row)
{
    const struct record *record = row->record;
    bool is_path = clause->kind == CLAUSE_PATH && row->location != NULL;
    bool is_field = clause->kind == CLAUSE_PATTERN && clause->index < record->field_count &&
                    record->fields[clause->index].kind == VALUE_TEXT;
    return (is_path || is_field) && decide_leaf(clause, row) == TRUTH_UNKNOWN;
}

void clause_value(const struct clause *clause, const struct row *row, int64_t as_of_us,
                  struct buf *out)
{
    const struct record *record = row->record;
    const struct value time = {.kind = record->has_time ? VALUE_INSTANT : VALUE_NULL,
                               .instant_us = record->time_us};
    int64_t instant_us;
    if (clause->origin->age != AGE_NONE && clause_instant(clause, record, &instant_us))
        write_age(as_of_us - instant_us, out);
    else if (clause->kind == CLAUSE_TIME)
        write_value(&time, out);
    else if (clause->kind == CLAUSE_SIZE)
        write_size(record, out);
    else if (clause->kind == CLAUSE_PATH)
        buf_text(out, row->location != NULL ? row->location->key : "in no store");
    else if (clause->kind >= CLAUSE_NULL && clause->index < record->field_count)
        write_value(&record->fields[clause->index], out);
    if (gives_up(clause, row))
        buf_text(out, " (beyond the limits of matching)");
}

/* What is written about, and how far it has come. */
struct why {
    const struct row *row;
    int64_t as_of_us;
    size_t begun; /* of out */
    struct buf *out;
};

/* Whether the reason is not clear without what the row really has. */
static bool is_told(const struct why *why, const struct clause *clause, bool inverted)
{
    const struct record *record = why->row->record;
    switch (clause->kind) {
    case CLAUSE_TIME:
        return clause->origin->age != AGE_NONE || !record->has_time;
    case CLAUSE_SIZE:
        return true;
    case CLAUSE_PATH:
        return gives_up(clause, why->row);
    default:
        return clause->kind >= CLAUSE_LITERAL && clause->index < record->field_count &&
               (clause->origin->shows_value || inverted ||
                clause_decide(clause, why->row) == TRUTH_UNKNOWN);
    }
}

static void write_leaf(const struct why *why, const struct clause *clause, bool inverted)
{
    buf_format(why->out, "%s%s%s", why->out->size > why->begun ? ", " : "", inverted ? "not " : "",
               clause->origin->words);
    if (!is_told(why, clause, inverted))
        return;
    buf_text(why->out, ": ");
    clause_value(clause, why->row, why->as_of_us, why->out);
}

/* Where one child settles the truth of a group, the first such is told; else all that agree. */
static void write_why(const struct why *why, const struct clause *clause, bool inverted)
{
    if (clause->kind == CLAUSE_NOT) {
        write_why(why, clause + 1, !inverted);
        return;
    }
    if (clause->kind != CLAUSE_ALL && clause->kind != CLAUSE_ANY) {
        write_leaf(why, clause, inverted);
        return;
    }
    const struct clause *end = clause + clause->size;
    enum truth truth = clause_decide(clause, why->row);
    bool one_settles = truth == (clause->kind == CLAUSE_ALL ? TRUTH_NO : TRUTH_YES);
    for (const struct clause *child = clause + 1; child < end; child += child->size) {
        if (clause_decide(child, why->row) != truth)
            continue;
        write_why(why, child, inverted);
        if (one_settles)
            return;
    }
}

void clause_because(const struct clause *clause, const struct row *row, int64_t as_of_us,
                    struct buf *out)
{
    struct why why = {.row = row, .as_of_us = as_of_us, .begun = out->size, .out = out};
    write_why(&why, clause, false);
}
