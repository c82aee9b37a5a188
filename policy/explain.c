#include "policy/explain.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/zone.h"
#include "policy/circle.h"
#include "policy/clause.h"
#include "policy/extra.h"

#define HOUR_US (3600 * WHEN_SECOND_US)
/* In the mean of 400 years; n months in a row are less than 5 days longer or shorter. */
#define MONTH_US (INT64_C(30436875) * WHEN_DAY_US / 1000000)
#define VALUE_BYTES_MAX ((size_t)1 << 20)
#define SCRATCH_BYTES_MAX ((size_t)64 << 20)

static struct row row_of(struct policies *policies, const struct record *record,
                         const struct location *location)
{
    return extra_row(policies, record, location, &policies->extra->memory);
}

void explain_because(struct policies *policies, uint16_t index, const struct record *record,
                     const struct location *location, struct buf *out)
{
    struct row row = row_of(policies, record, location);
    clause_because(policies->items[index].select, &row, policies->as_of_us, out);
}

/* ---- why it stays ---- */

static void write_hold(const struct policies *policies, const struct row *row, uint16_t index,
                       struct buf *out)
{
    const struct policy_hold *hold = &policies->holds[index];
    buf_format(out, "hold: %s", hold->name);
    if (hold->reason[0] != '\0')
        buf_format(out, " (%s)", hold->reason);
    buf_text(out, ": ");
    if (clause_decide(hold->select, row) == TRUTH_UNKNOWN)
        buf_text(out, "undecided: ");
    clause_because(hold->select, row, policies->as_of_us, out);
}

static void write_policy(const struct policies *policies, const struct row *row, uint16_t index,
                         enum policy_verdict verdict, struct buf *out)
{
    const struct policy *policy = &policies->items[index];
    buf_format(out, "%s (", policy->name);
    if (!policy->active)
        buf_text(out, policy->enabled ? "expired" : "disabled");
    else if (!policy_takes_from(policy, row->location))
        buf_format(out, "from %s", policies->stores[policy->from].name);
    else if (verdict == VERDICT_EXCLUDED || clause_decide(policy->select, row) == TRUTH_YES) {
        buf_text(out, "exclude: ");
        clause_because(policy->exclude, row, policies->as_of_us, out);
    } else
        clause_because(policy->select, row, policies->as_of_us, out);
    buf_char(out, ')');
}

void explain_policy(struct policies *policies, uint16_t index, enum policy_verdict verdict,
                    const struct record *record, const struct location *location, struct buf *out)
{
    struct row row = row_of(policies, record, location);
    write_policy(policies, &row, index, verdict, out);
}

/* All policies of one verdict. */
static void write_policies(const struct policies *policies, const struct row *row,
                           const struct decision *decision, enum policy_verdict verdict,
                           struct buf *out)
{
    static const char *const words[] = {[VERDICT_OUT] = "not selected",
                                        [VERDICT_EXCLUDED] = "excluded",
                                        [VERDICT_UNDECIDED] = "undecided"};
    const char *before = words[verdict];
    const char *between = out->size > 0 && buf_string(out)[out->size - 1] == ')' ? "; " : "";
    for (size_t i = 0; i < policies->count; i++) {
        if (decision->verdicts[i] != verdict)
            continue;
        buf_format(out, "%s%s%s", between, before, before[0] == '\0' ? "" : ": ");
        write_policy(policies, row, (uint16_t)i, verdict, out);
        between = ", ";
        before = "";
    }
}

void explain_stay(struct policies *policies, const struct record *record,
                  const struct location *location, const struct decision *decision, struct buf *out)
{
    struct row row = row_of(policies, record, location);
    const struct policy *items = policies->items;
    switch (decision->kind) {
    case DECISION_HELD:
        write_hold(policies, &row, decision->hold, out);
        break;
    case DECISION_IN_PLACE:
        buf_format(out, "in place: %s%s", items[decision->winner].name,
                   decision->verdicts[decision->winner] == VERDICT_CANDIDATE
                       ? ""
                       : " would bring it back");
        break;
    case DECISION_CONFLICT:
        buf_format(out, "conflict: %s and %s", items[decision->winner].name,
                   items[decision->rival].name);
        break;
    default:
        write_policies(policies, &row, decision, VERDICT_UNDECIDED, out);
        write_policies(policies, &row, decision, VERDICT_EXCLUDED, out);
        write_policies(policies, &row, decision, VERDICT_OUT, out);
        break;
    }
}

/* ---- clause by clause ---- */

static bool is_group(const struct clause *clause)
{
    return clause->kind == CLAUSE_ALL || clause->kind == CLAUSE_ANY || clause->kind == CLAUSE_NOT;
}

struct walk {
    struct policies *policies;
    const struct row *row;
    explain_visit *visit;
    void *context;
    struct arena scratch;
    struct buf value;
};

static bool is_before(struct span a, struct span b)
{
    return a.line != b.line ? a.line < b.line : a.column < b.column;
}

/* The child that stands next in the file; last: NULL for the first one. */
static const struct clause *next_child(const struct clause *group, const struct clause *last)
{
    const struct clause *end = group + group->size, *next = NULL;
    for (const struct clause *child = group + 1; child < end; child += child->size) {
        bool is_behind = last == NULL || is_before(last->origin->span, child->origin->span);
        if (is_behind && (next == NULL || is_before(child->origin->span, next->origin->span)))
            next = child;
    }
    return next;
}

static void walk_clause(struct walk *walk, const struct clause *clause, unsigned depth)
{
    arena_reset(&walk->scratch);
    buf_reset(&walk->value);
    if (!is_group(clause))
        clause_value(clause, walk->row, walk->policies->as_of_us, &walk->value);
    struct explain_clause shown = {
        .depth = depth,
        .is_group = is_group(clause),
        .truth = clause_decide(clause, walk->row),
        .words = clause->origin->words,
        .value = buf_string(&walk->value),
        .at = extra_where(walk->policies, clause->origin->span, &walk->scratch)};
    walk->visit(walk->context, &shown);
    for (const struct clause *child = next_child(clause, NULL); child != NULL;
         child = next_child(clause, child))
        walk_clause(walk, child, depth + 1); /* as deep as the selection: SELECT_DEPTH_MAX */
}

void explain_selection(struct policies *policies, const struct clause *selection,
                       const struct record *record, const struct location *location,
                       explain_visit *visit, void *context)
{
    struct row row = row_of(policies, record, location);
    struct walk walk = {policies, &row, visit, context, {0}, {0}};
    arena_init(&walk.scratch, SCRATCH_BYTES_MAX);
    buf_init(&walk.value, VALUE_BYTES_MAX);
    walk_clause(&walk, selection, 0);
    buf_free(&walk.value);
    arena_free(&walk.scratch);
}

/* ---- what the clock will change ---- */

/* Instants at which something that a row is decided by changes. */
struct turns {
    const struct policies *policies;
    const struct record *record;
    int64_t *items;
    size_t count, capacity;
};

static void add_turn(struct turns *turns, int64_t instant_us)
{
    if (instant_us <= turns->policies->as_of_us || instant_us == INT64_MAX)
        return;
    if (turns->count == turns->capacity) {
        turns->capacity = turns->capacity == 0 ? 64 : 2 * turns->capacity;
        turns->items = realloc(turns->items, turns->capacity * sizeof *turns->items);
        if (turns->items == NULL)
            err_abort("out of memory");
    }
    turns->items[turns->count++] = instant_us;
}

/* The first as_of whose age line is at the instant or behind it.  With months the line may go back,
 * by less than a day at the end of one, so it is followed from where it can't be yet. */
static int64_t first_line_at(const struct zone *zone, struct when_duration age, int64_t instant_us)
{
    if (age.months == 0)
        return instant_us + age.us;
    int64_t at = instant_us + age.us + age.months * MONTH_US - 5 * WHEN_DAY_US;
    while (zone_before(zone, at, age) < instant_us)
        at += HOUR_US;
    int64_t before = at - HOUR_US;
    while (before + 1 < at) {
        int64_t middle = before + (at - before) / 2;
        if (zone_before(zone, middle, age) >= instant_us)
            at = middle;
        else
            before = middle;
    }
    return at;
}

/* An age is strict: it turns when its line comes to the instant, or passes it. */
static void add_ages(void *context, struct clause *root)
{
    struct turns *turns = context;
    for (const struct clause *clause = root; clause < root + root->size; clause++) {
        int64_t instant_us;
        if (clause->origin->age == AGE_NONE || !clause_instant(clause, turns->record, &instant_us))
            continue;
        for (int64_t behind = 0; behind < 2; behind++)
            add_turn(turns, first_line_at(turns->policies->zone, clause->origin->duration,
                                          instant_us + behind));
    }
}

static int compare_instants(const void *a, const void *b)
{
    int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;
    return (one > other) - (one < other);
}

static void find_turns(struct turns *turns)
{
    const struct policies *policies = turns->policies;
    for (size_t i = 0; i < policies->count; i++)
        add_turn(turns, policies->items[i].expires_us);
    for (size_t i = 0; i < policies->hold_count; i++)
        add_turn(turns, policies->holds[i].until_us);
    extra_each_selection(policies, add_ages, turns);
    if (turns->count > 0)
        qsort(turns->items, turns->count, sizeof *turns->items, compare_instants);
}

static bool is_same(const struct decision *a, const struct decision *b)
{
    return a->kind == b->kind &&
           (a->kind == DECISION_STAY || a->kind == DECISION_HELD || a->target == b->target);
}

int64_t explain_next(struct policies *policies, const struct record *record,
                     const struct location *location, struct decision *decision)
{
    struct turns turns = {.policies = policies, .record = record};
    struct decision now;
    int64_t as_of_us = policies->as_of_us, next_us = INT64_MAX;
    circle_decide(policies, record, location, &now);
    find_turns(&turns);
    for (size_t i = 0; next_us == INT64_MAX && i < turns.count; i++) {
        policy_prepare(policies, turns.items[i]);
        circle_decide(policies, record, location, decision);
        if (!is_same(&now, decision))
            next_us = turns.items[i];
    }
    policy_prepare(policies, as_of_us);
    free(turns.items);
    return next_us;
}
