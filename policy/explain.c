#include "policy/explain.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "policy/circle.h"
#include "policy/clause.h"
#include "policy/extra.h"
#include "policy/turn.h"

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

/* Or may be. */
static bool is_excluded(const struct policy *policy, const struct row *row)
{
    return policy->exclude != NULL && clause_decide(policy->exclude, row) != TRUTH_NO;
}

static void write_asked(const struct policies *policies, const struct row *row, uint16_t index,
                        struct buf *out)
{
    struct row moved = *row;
    moved.policy = index;
    buf_text(out, "not asked for: ");
    clause_because(policies->asked, &moved, policies->as_of_us, out);
}

static void write_policy(const struct policies *policies, const struct row *row, uint16_t index,
                         struct buf *out)
{
    const struct policy *policy = &policies->items[index];
    buf_format(out, "%s (", policy->name);
    if (!policy->active)
        buf_text(out, policy->enabled ? "expired" : "disabled");
    else if (!policy_takes_from(policy, row->location))
        buf_format(out, "from %s", policies->stores[policy->from].name);
    else if (clause_decide(policy->select, row) != TRUTH_YES)
        clause_because(policy->select, row, policies->as_of_us, out);
    else if (is_excluded(policy, row)) {
        buf_text(out, "exclude: ");
        clause_because(policy->exclude, row, policies->as_of_us, out);
    } else
        write_asked(policies, row, index, out);
    buf_char(out, ')');
}

void explain_policy(struct policies *policies, uint16_t index, const struct record *record,
                    const struct location *location, struct buf *out)
{
    struct row row = row_of(policies, record, location);
    write_policy(policies, &row, index, out);
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
        write_policy(policies, row, (uint16_t)i, out);
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

static bool is_same(const struct decision *a, const struct decision *b)
{
    return a->kind == b->kind &&
           (a->kind == DECISION_STAY || a->kind == DECISION_HELD || a->target == b->target);
}

int64_t explain_next(struct policies *policies, const struct record *record,
                     const struct location *location, struct decision *decision)
{
    struct turns turns;
    struct decision now;
    int64_t as_of_us = policies->as_of_us, next_us = INT64_MAX;
    circle_decide(policies, record, location, &now);
    turn_init(&turns, policies);
    turn_find(&turns, record, true);
    for (size_t i = 0; next_us == INT64_MAX && i < turns.count; i++) {
        policy_prepare(policies, turns.items[i]);
        circle_decide(policies, record, location, decision);
        if (!is_same(&now, decision))
            next_us = turns.items[i];
    }
    policy_prepare(policies, as_of_us);
    turn_free(&turns);
    return next_us;
}
