#include "policy/lint.h"

#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "policy/clause.h"
#include "policy/diag_codes.h"
#include "policy/extra.h"
#include "policy/imply.h"
#include "policy/policy.h"
#include "policy/tree.h"

/* Here the comparing ends, well below a second, and with it what is said of pairs of policies: a
 * set that needs more compares fields with thousands of values. */
#define STEPS_MAX 1000000

struct lint {
    const struct policies *policies;
    struct diags *diags;
    struct proof proof;
    const struct clause **wholes; /* of each policy; NULL: at rest, or it takes nothing at all */
    bool *beaten;                 /* each policy that never wins                               */
};

static const struct clause_origin no_origin = {.words = ""};

static struct clause store_clause(uint16_t store)
{
    return (struct clause){.kind = CLAUSE_STORE, .size = 1, .index = store, .origin = &no_origin};
}

/* All that holds of a recording that the policy takes from `store`: that it is there, its select,
 * not its exclude.  POLICY_NO_INDEX: wherever it is. */
static struct clause *taken_from(const struct policy *policy, uint16_t store, struct arena *arena)
{
    const struct clause *select = policy->select, *exclude = policy->exclude;
    bool from = store != POLICY_NO_INDEX;
    uint32_t excluded = exclude == NULL ? 0 : 1 + exclude->size;
    uint32_t size = 1 + from + select->size + excluded;
    struct clause *whole = arena_make(arena, size * sizeof *whole), *at = whole;
    *at++ = (struct clause){.kind = CLAUSE_ALL, .size = size, .origin = &no_origin};
    if (from)
        *at++ = store_clause(store);
    memcpy(at, select, select->size * sizeof *at);
    at += select->size;
    if (exclude == NULL)
        return whole;
    *at++ = (struct clause){.kind = CLAUSE_NOT, .size = excluded, .origin = &no_origin};
    memcpy(at, exclude, exclude->size * sizeof *at);
    return whole;
}

/* ---- what is asked ---- */

/* Does it hold of every recording that the policy takes? */
static bool always(struct lint *lint, size_t policy, const struct clause *clause, enum truth truth)
{
    lint->proof.guesses = false;
    return imply(&lint->proof, (struct claim){lint->wholes[policy], TRUTH_YES},
                 (struct claim){clause, truth});
}

static bool takes_only_from(struct lint *lint, size_t policy, uint16_t store)
{
    struct clause there = store_clause(store);
    return always(lint, policy, &there, TRUTH_YES);
}

static bool takes_nothing_from(struct lint *lint, size_t policy, uint16_t store)
{
    struct clause there = store_clause(store);
    return always(lint, policy, &there, TRUTH_NO);
}

/* Of one recording?  What can't be told is left unsaid. */
static bool can_both_hold(struct lint *lint, const struct clause *a, const struct clause *b)
{
    lint->proof.guesses = true;
    return !imply(&lint->proof, (struct claim){a, TRUTH_YES}, (struct claim){b, TRUTH_NO}) &&
           !imply(&lint->proof, (struct claim){b, TRUTH_YES}, (struct claim){a, TRUTH_NO}) &&
           lint->proof.steps > 0;
}

static bool can_meet(struct lint *lint, size_t a, size_t b)
{
    return can_both_hold(lint, lint->wholes[a], lint->wholes[b]);
}

/* ---- a policy alone ---- */

static void put_second(struct diag *diag, struct span span, const char *label)
{
    diag->has_second = true;
    diag->second = span;
    diag->second_label = label;
}

static void warn_expired(struct lint *lint, struct span span, const char *what, const char *name)
{
    struct diag *diag = diag_add(lint->diags, DIAG_EXPIRED, span, "%s `%s` is over", what, name);
    diag->label = "the last day of it has passed";
    diag->help = "leave it out, or give it another day";
}

static void warn_takes_nothing(struct lint *lint, size_t index)
{
    struct diag *diag =
        diag_add(lint->diags, DIAG_TAKES_NOTHING, lint->policies->extra->policies[index].name,
                 "`%s` can never take a recording", lint->policies->items[index].name);
    diag->label = "its conditions rule each other out";
    diag->help = "`from`, all of `select` and nothing of `exclude` have to hold at once";
}

static void warn_own_source(struct lint *lint, size_t index)
{
    const struct policy *policy = &lint->policies->items[index];
    struct diag *diag =
        diag_add(lint->diags, DIAG_OWN_SOURCE, lint->policies->extra->policies[index].target,
                 "`%s` takes only what is in its target already", policy->name);
    diag->label = "it never moves anything";
    diag->help = "to keep recordings where they are, write a hold";
}

static bool is_told(const struct diags *diags, int code, const struct span *span)
{
    for (size_t i = 0; i < diags->count; i++) {
        const struct diag *told = &diags->items[i];
        if (told->code == code && told->span.file == span->file && told->span.line == span->line &&
            told->span.column == span->column)
            return true;
    }
    return false;
}

/* The grace of `defaults` is told once, however many policies have it. */
static void check_grace(struct lint *lint, size_t index)
{
    const struct policy_terms *terms = &lint->policies->items[index].terms;
    struct span span = lint->policies->extra->policies[index].grace;
    if (terms->keep_source || terms->grace_us > 0 || is_told(lint->diags, DIAG_NO_GRACE, &span))
        return;
    struct diag *diag = diag_add(lint->diags, DIAG_NO_GRACE, span,
                                 "sources are deleted as soon as the catalog names the copies");
    diag->label = "no time to notice a mistake";
    diag->help = "`after: 7d` keeps them for a week";
}

static void check_policy(struct lint *lint, size_t index)
{
    const struct policy *policy = &lint->policies->items[index];
    if (!policy->enabled)
        return;
    if (lint->proof.now_us >= policy->expires_us) {
        warn_expired(lint, lint->policies->extra->policies[index].expires, "policy", policy->name);
        return;
    }
    struct clause *whole = taken_from(policy, policy->from, lint->diags->arena);
    lint->wholes[index] = whole;
    if (always(lint, index, whole, TRUTH_NO)) {
        warn_takes_nothing(lint, index);
        lint->wholes[index] = NULL;
    } else if (takes_only_from(lint, index, policy->target)) {
        warn_own_source(lint, index);
    } else {
        check_grace(lint, index);
    }
}

/* ---- two policies ---- */

static bool always_beats(struct lint *lint, size_t winner, size_t loser)
{
    const struct policy *a = &lint->policies->items[winner], *b = &lint->policies->items[loser];
    return a->priority > b->priority && a->expires_us >= b->expires_us &&
           always(lint, loser, lint->wholes[winner], TRUTH_YES);
}

static void check_beaten(struct lint *lint, size_t loser)
{
    const struct extra_policy *spans = lint->policies->extra->policies;
    for (size_t i = 0; i < lint->policies->count; i++) {
        const struct policy *winner = &lint->policies->items[i];
        if (lint->wholes[i] == NULL || !always_beats(lint, i, loser))
            continue;
        struct diag *diag = diag_add(lint->diags, DIAG_NEVER_WINS, spans[loser].name,
                                     "`%s` never wins", lint->policies->items[loser].name);
        diag->label =
            str_format(lint->diags->arena, "`%s` takes all that this one takes", winner->name);
        put_second(diag, spans[i].name, "it has the higher priority");
        diag->help = "leave it out, or let a higher `priority` or an `exclude` make room for it";
        lint->beaten[loser] = true;
        return;
    }
}

static void warn_conflict(struct lint *lint, size_t first, size_t second)
{
    const struct policies *policies = lint->policies;
    const struct policy *a = &policies->items[first], *b = &policies->items[second];
    struct arena *arena = lint->diags->arena;
    struct diag *diag =
        diag_add(lint->diags, DIAG_CONFLICT, policies->extra->policies[second].target,
                 "`%s` and `%s` can take the same recording", a->name, b->name);
    diag->label = str_format(arena, "`%s` wants it here, with the same priority", b->name);
    put_second(diag, policies->extra->policies[first].target,
               str_format(arena, "`%s` wants it here", a->name));
    diag->help = "a higher `priority` for one of them: until then it stays where it is";
}

/* Where `mover` only ever takes recordings from a store that `other` would bring them to, and
 * `other` takes them from every store, it undoes what the first one did.  With the lower priority
 * it never does.                                                                                 */
static bool can_undo(struct lint *lint, size_t other, size_t mover)
{
    const struct policy *a = &lint->policies->items[other], *b = &lint->policies->items[mover];
    if (a->from != POLICY_NO_INDEX || a->priority < b->priority ||
        takes_nothing_from(lint, other, b->target))
        return false;
    if (lint->policies->store_count == 2)
        return !takes_only_from(lint, mover, b->target);
    return takes_only_from(lint, mover, a->target);
}

static void warn_undoes(struct lint *lint, size_t other, size_t mover)
{
    const struct policies *policies = lint->policies;
    const struct policy *a = &policies->items[other], *b = &policies->items[mover];
    const char *there = policies->stores[b->target].name;
    struct arena *arena = lint->diags->arena;
    struct diag *diag = diag_add(lint->diags, DIAG_UNDOES, policies->extra->policies[other].target,
                                 "`%s` can move back what `%s` has moved", a->name, b->name);
    diag->label = str_format(arena, "from every store, `%s` too", there);
    put_second(diag, policies->extra->policies[mover].target,
               str_format(arena, "`%s` moves it here", b->name));
    diag->help = str_format(arena, "if that is meant, say so with `from: %s`", there);
}

/* Each takes from the other's target, and what they ask for besides can hold of one recording. */
static bool can_circle(struct lint *lint, size_t first, size_t second)
{
    const struct policy *a = &lint->policies->items[first], *b = &lint->policies->items[second];
    struct clause *ours = taken_from(a, POLICY_NO_INDEX, lint->diags->arena),
                  *theirs = taken_from(b, POLICY_NO_INDEX, lint->diags->arena);
    return !takes_nothing_from(lint, first, b->target) &&
           !takes_nothing_from(lint, second, a->target) && can_both_hold(lint, ours, theirs);
}

static void warn_circle(struct lint *lint, size_t first, size_t second)
{
    const struct policies *policies = lint->policies;
    const struct policy *a = &policies->items[first], *b = &policies->items[second];
    struct arena *arena = lint->diags->arena;
    struct diag *diag = diag_add(lint->diags, DIAG_CIRCLE, policies->extra->policies[second].target,
                                 "`%s` and `%s` can send a recording to and fro", a->name, b->name);
    diag->label = str_format(arena, "`%s` sends it back, with the same priority", b->name);
    put_second(diag, policies->extra->policies[first].target,
               str_format(arena, "`%s` sends it here", a->name));
    diag->help = "a higher `priority` for one of them: until then it stays where it is";
}

static void check_equals(struct lint *lint, size_t first, size_t second)
{
    if (can_meet(lint, first, second))
        warn_conflict(lint, first, second);
    else if (can_circle(lint, first, second))
        warn_circle(lint, first, second);
}

static void check_pair(struct lint *lint, size_t first, size_t second)
{
    const struct policy *a = &lint->policies->items[first], *b = &lint->policies->items[second];
    if (a->target == b->target)
        return;
    if (a->priority == b->priority) {
        check_equals(lint, first, second);
    } else if (can_undo(lint, first, second) && can_meet(lint, first, second)) {
        warn_undoes(lint, first, second);
    } else if (can_undo(lint, second, first) && can_meet(lint, second, first)) {
        warn_undoes(lint, second, first);
    }
}

/* A policy that never wins disturbs no other one. */
static void check_pairs(struct lint *lint)
{
    size_t count = lint->policies->count;
    for (size_t i = 0; i < count; i++) {
        if (lint->wholes[i] != NULL)
            check_beaten(lint, i);
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t k = i + 1; k < count; k++) {
            bool both = lint->wholes[i] != NULL && lint->wholes[k] != NULL;
            if (both && !lint->beaten[i] && !lint->beaten[k])
                check_pair(lint, i, k);
        }
    }
}

/* ---- all of it ---- */

static void check_vars(struct lint *lint)
{
    const struct node *vars = lint->policies->extra->vars;
    for (const struct node *value = vars == NULL ? NULL : vars->first; value != NULL;
         value = value->next) {
        if (value->used)
            continue;
        struct diag *diag = diag_add(lint->diags, DIAG_UNUSED_VAR, value->key->span,
                                     "nothing uses the var `%s`", value->key->text);
        diag->label = "to override it would change nothing";
        diag->help = str_format(lint->diags->arena, "`$%s`, without quotes, stands for its value",
                                value->key->text);
    }
}

void lint_policies(const struct policies *policies, int64_t now_us, struct diags *diags)
{
    size_t count = policies->count;
    struct lint lint = {.policies = policies,
                        .diags = diags,
                        .proof = {.now_us = now_us, .zone = policies->zone, .steps = STEPS_MAX},
                        .wholes = arena_make(diags->arena, (count + 1) * sizeof *lint.wholes),
                        .beaten = arena_make(diags->arena, count + 1)};
    check_vars(&lint);
    for (size_t i = 0; i < policies->hold_count; i++) {
        if (now_us >= policies->holds[i].until_us)
            warn_expired(&lint, policies->extra->untils[i], "hold", policies->holds[i].name);
    }
    for (size_t i = 0; i < count; i++)
        check_policy(&lint, i);
    check_pairs(&lint);
}
