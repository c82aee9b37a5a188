#include "policy/policy.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/str.h"
#include "policy/clause.h"
#include "policy/diag_codes.h"
#include "policy/extra.h"
#include "policy/load.h"
#include "policy/online.h"
#include "policy/select.h"
#include "state/location.h"

#define SCRATCH_BYTES_MAX ((size_t)4 << 20) /* a location, or the path of a file */

const struct policy_guards policy_guards_none = {.max_recordings = POLICY_NO_LIMIT,
                                                 .max_bytes = POLICY_NO_LIMIT,
                                                 .max_deletes = POLICY_NO_LIMIT,
                                                 .max_fraction_ppm = POLICY_FRACTION_ONE};

/* ---- load ---- */

static bool read_file(void *context, const char *path, size_t limit_bytes, struct arena *arena,
                      char **bytes, size_t *size_bytes, struct err *err)
{
    (void)context;
    return file_read(path, limit_bytes, arena, bytes, size_bytes, err);
}

bool policy_load(const struct policy_source *source, struct arena *arena, struct diags *diags,
                 struct policies **policies, struct err *err)
{
    struct load load = {.source = source,
                        .read = source->read != NULL ? source->read : read_file,
                        .read_secret = read_file,
                        .read_context = source->read_context,
                        .arena = arena,
                        .diags = diags};
    char *bytes;
    size_t size_bytes;
    *policies = NULL;
    if (!source->tests && str_ends(source->path, POLICY_TESTS)) {
        ERR(err, ERR_INPUT, "%s is a file of tests, not a policy", source->path);
        snprintf(err->hint, sizeof err->hint, "`frostline test` runs it");
        return false;
    }
    if (!load.read(load.read_context, source->path, POLICY_FILE_BYTES_MAX, arena, &bytes,
                   &size_bytes, err))
        return err_wrap(err, "reading the policy");
    load_bytes(&load, bytes, size_bytes, policies);
    return true;
}

void policy_free(struct policies *policies)
{
    if (policies == NULL)
        return;
    for (size_t i = 0; i < policies->extra->secret_count; i++)
        secret_clear(&policies->extra->secrets[i]);
    for (size_t i = 0; i < policies->store_count; i++)
        connection_free(&policies->stores[i].connection);
    pattern_memory_free(&policies->extra->memory);
}

/* ---- bind ---- */

static const char *kind_text(enum value_kind kind)
{
    switch (kind) {
    case VALUE_TEXT:
        return "text";
    case VALUE_INTEGER:
        return "a whole number";
    case VALUE_DECIMAL:
        return "a number";
    case VALUE_BOOLEAN:
        return "a boolean";
    case VALUE_INSTANT:
        return "a time";
    case VALUE_DATE:
        return "a date";
    default:
        return "of a type that selections can't read";
    }
}

static void refuse_column(const struct policies *policies, struct diags *diags, size_t part,
                          enum value_kind kind, const char *wanted)
{
    diag_add(diags, DIAG_COLUMN_TYPE, policies->extra->parts[part], "the column `%s` is %s",
             catalog_name(&policies->catalog, part), kind_text(kind))
        ->label = wanted;
}

static void bind_time(const struct policies *policies, const struct catalog_shape *shape,
                      struct diags *diags)
{
    if (shape->time != VALUE_INSTANT && shape->time != VALUE_DATE) {
        refuse_column(policies, diags, CATALOG_TIME, shape->time, "a time is wanted");
    } else if (shape->time_is_naive && policies->catalog.time_zone == NULL) {
        struct diag *diag = diag_add(diags, DIAG_NAIVE_TIME, policies->extra->parts[CATALOG_TIME],
                                     "the column `%s` names no zone", policies->catalog.time);
        diag->label = "its times may mean any zone's";
        diag->help = "time: {column: .., timezone: UTC}, or whichever it is";
    }
}

static void bind_size(const struct policies *policies, const struct catalog_shape *shape,
                      struct diags *diags)
{
    if (shape->size != VALUE_INTEGER && shape->size != VALUE_DECIMAL)
        refuse_column(policies, diags, CATALOG_SIZE, shape->size, "a number is wanted");
}

struct use {
    const struct policies *policies;
    const struct catalog_shape *shape;
    struct diags *diags;
    bool *is_told; /* of each field */
};

static void bind_selection(void *context, struct clause *root)
{
    const struct use *use = context;
    for (const struct clause *clause = root; clause < root + root->size; clause++) {
        if (clause->kind < CLAUSE_NULL || use->is_told[clause->index])
            continue;
        enum value_kind kind = use->shape->fields[clause->index];
        use->is_told[clause->index] = kind == VALUE_UNSUPPORTED;
        if (use->is_told[clause->index])
            refuse_column(use->policies, use->diags, CATALOG_FIELD + clause->index, kind,
                          "no selection can test it");
    }
    select_bind(use->policies, use->shape, use->diags, root);
}

bool policy_bind(struct policies *policies, const struct catalog_shape *shape, struct diags *diags)
{
    const struct catalog_config *catalog = &policies->catalog;
    struct use use = {policies, shape, diags,
                      arena_make(policies->extra->arena, catalog->field_count + 1)};
    online_table(policies, shape, diags);
    if (catalog->time != NULL && shape->time != VALUE_NULL)
        bind_time(policies, shape, diags);
    if (catalog->size != NULL && shape->size != VALUE_NULL)
        bind_size(policies, shape, diags);
    extra_each_selection(policies, bind_selection, &use);
    return diags->errors == 0;
}

static void prepare_selection(void *context, struct clause *root)
{
    struct policies *policies = context;
    select_prepare(policies, root);
    for (const struct clause *clause = root; clause < root + root->size; clause++)
        policies->looks_at_stores |= clause->kind == CLAUSE_STORE;
}

void policy_prepare(struct policies *policies, int64_t as_of_us)
{
    policies->as_of_us = as_of_us;
    policies->looks_at_stores = false;
    memset(policies->is_target, 0, sizeof policies->is_target);
    for (size_t i = 0; i < policies->count; i++) {
        struct policy *policy = &policies->items[i];
        policy->active = policy->enabled && as_of_us < policy->expires_us;
        policies->looks_at_stores |= policy->from != POLICY_NO_INDEX;
        policies->is_target[policy->target] = true;
    }
    for (size_t i = 0; i < policies->hold_count; i++)
        policies->holds[i].active = as_of_us < policies->holds[i].until_us;
    extra_each_selection(policies, prepare_selection, policies);
}

/* ---- decide ---- */

static uint16_t store_of(const struct location *location)
{
    return location == NULL ? POLICY_NO_INDEX : location->store;
}

/* An undecided hold holds: what is not known to be free stays. */
static uint16_t find_hold(const struct policies *policies, const struct row *row)
{
    for (size_t i = 0; i < policies->hold_count; i++) {
        const struct policy_hold *hold = &policies->holds[i];
        if (hold->active && clause_decide(hold->select, row) != TRUTH_NO)
            return (uint16_t)i;
    }
    return POLICY_NO_INDEX;
}

bool policy_takes_from(const struct policy *policy, const struct location *location)
{
    return policy->from == POLICY_NO_INDEX || policy->from == store_of(location);
}

static enum policy_verdict judge(const struct policy *policy, const struct row *row)
{
    if (!policy->active || !policy_takes_from(policy, row->location))
        return VERDICT_OUT;
    enum truth selected = clause_decide(policy->select, row);
    if (selected == TRUTH_NO)
        return VERDICT_OUT;
    if (selected == TRUTH_UNKNOWN)
        return VERDICT_UNDECIDED;
    enum truth excluded = policy->exclude == NULL ? TRUTH_NO : clause_decide(policy->exclude, row);
    if (excluded == TRUTH_UNKNOWN)
        return VERDICT_UNDECIDED;
    return excluded == TRUTH_YES ? VERDICT_EXCLUDED : VERDICT_CANDIDATE;
}

static struct policy_terms merge(struct policy_terms a, struct policy_terms b)
{
    return (struct policy_terms){.verify = a.verify > b.verify ? a.verify : b.verify,
                                 .keep_source = a.keep_source || b.keep_source,
                                 .grace_us = a.grace_us > b.grace_us ? a.grace_us : b.grace_us,
                                 .residency_us = a.residency_us > b.residency_us ? a.residency_us
                                                                                 : b.residency_us,
                                 .windows = a.windows | b.windows};
}

static void take_candidate(const struct policies *policies, uint16_t index,
                           struct decision *decision)
{
    const struct policy *policy = &policies->items[index];
    uint16_t winner = decision->winner;
    if (winner == POLICY_NO_INDEX || policy->priority > policies->items[winner].priority) {
        decision->winner = index;
        decision->rival = POLICY_NO_INDEX;
        decision->target = policy->target;
        decision->terms = policy->terms;
    } else if (policy->priority == policies->items[winner].priority) {
        if (policy->target != decision->target && decision->rival == POLICY_NO_INDEX)
            decision->rival = index;
        decision->terms = merge(decision->terms, policy->terms);
    }
}

static enum decision_kind kind_of(const struct decision *decision, uint16_t store)
{
    if (decision->winner == POLICY_NO_INDEX)
        return DECISION_STAY;
    if (decision->rival != POLICY_NO_INDEX)
        return DECISION_CONFLICT;
    return decision->target == store ? DECISION_IN_PLACE : DECISION_MOVE;
}

/* Why nobody wins: the first policy that excludes the row, else the first that is undecided. */
static void blame(const struct policies *policies, struct decision *decision)
{
    uint16_t excluding = POLICY_NO_INDEX, undecided = POLICY_NO_INDEX;
    for (size_t i = policies->count; i-- > 0;) {
        if (decision->verdicts[i] == VERDICT_EXCLUDED)
            excluding = (uint16_t)i;
        else if (decision->verdicts[i] == VERDICT_UNDECIDED)
            undecided = (uint16_t)i;
    }
    decision->excluded = excluding != POLICY_NO_INDEX;
    decision->undecided = undecided != POLICY_NO_INDEX;
    decision->blamed = decision->excluded ? excluding : undecided;
}

/* Of a row that several equal policies win, one is enough. */
static enum truth is_asked(const struct policies *policies, struct row *row,
                           const struct decision *decision)
{
    enum truth truth = TRUTH_NO;
    if (decision->winner == POLICY_NO_INDEX)
        return clause_decide(policies->asked, row);
    int32_t priority = policies->items[decision->winner].priority;
    for (size_t i = 0; truth != TRUTH_YES && i < policies->count; i++) {
        if (decision->verdicts[i] != VERDICT_CANDIDATE || policies->items[i].priority != priority)
            continue;
        row->policy = (uint16_t)i;
        enum truth one = clause_decide(policies->asked, row);
        if (one > truth)
            truth = one;
    }
    return truth;
}

/* What nobody asks for is selected by no policy: a loser of the contest does not get it either. */
static void ask(const struct policies *policies, struct row *row, struct decision *decision)
{
    enum truth truth = is_asked(policies, row, decision);
    decision->asked = truth == TRUTH_YES;
    if (decision->asked)
        return;
    for (size_t i = 0; i < policies->count; i++)
        if (decision->verdicts[i] == VERDICT_CANDIDATE)
            decision->verdicts[i] = truth == TRUTH_NO ? VERDICT_OUT : VERDICT_UNDECIDED;
    decision->winner = decision->rival = decision->target = POLICY_NO_INDEX;
    decision->terms = (struct policy_terms){0};
}

static void decide(struct policies *policies, const struct record *record,
                   const struct location *location, bool asks, struct decision *decision)
{
    struct row row = extra_row(policies, record, location, &policies->extra->memory);
    if (row.id != IDS_NONE)
        ids_mark(&policies->extra->ids, row.id);

    decision->winner = decision->rival = decision->target = decision->blamed = POLICY_NO_INDEX;
    decision->excluded = decision->undecided = false;
    decision->asked = true;
    decision->terms = (struct policy_terms){0};
    for (size_t i = 0; i < policies->count; i++) {
        enum policy_verdict verdict = judge(&policies->items[i], &row);
        decision->verdicts[i] = (uint8_t)verdict;
        if (verdict == VERDICT_CANDIDATE)
            take_candidate(policies, (uint16_t)i, decision);
    }
    if (asks)
        ask(policies, &row, decision);
    decision->hold = find_hold(policies, &row);
    decision->kind =
        decision->hold == POLICY_NO_INDEX ? kind_of(decision, store_of(location)) : DECISION_HELD;
    if (decision->kind == DECISION_STAY)
        blame(policies, decision);
}

void policy_decide(struct policies *policies, const struct record *record,
                   const struct location *location, struct decision *decision)
{
    decide(policies, record, location, policies->asked != NULL, decision);
}

void policy_decide_unasked(struct policies *policies, const struct record *record,
                           const struct location *location, struct decision *decision)
{
    decide(policies, record, location, false, decision);
}

/* Both hold the first policy of their highest priority and the first of another target; of four
 * such, the same two are those of both together.                                               */
static void contest_equals(const struct policies *policies, struct decision *into,
                           const struct decision *other)
{
    const uint16_t all[] = {into->winner, into->rival, other->winner, other->rival};
    uint16_t winner = POLICY_NO_INDEX, rival = POLICY_NO_INDEX;
    for (size_t i = 0; i < 4; i++) {
        if (all[i] < winner)
            winner = all[i];
    }
    for (size_t i = 0; i < 4; i++) {
        if (all[i] < rival && policies->items[all[i]].target != policies->items[winner].target)
            rival = all[i];
    }
    into->winner = winner;
    into->rival = rival;
    into->target = policies->items[winner].target;
    into->terms = merge(into->terms, other->terms);
}

void policy_contest(const struct policies *policies, uint16_t store, struct decision *into,
                    const struct decision *other)
{
    assert(into->winner != POLICY_NO_INDEX && other->winner != POLICY_NO_INDEX);
    int32_t ours = policies->items[into->winner].priority;
    int32_t theirs = policies->items[other->winner].priority;
    if (theirs > ours)
        *into = *other;
    else if (theirs == ours)
        contest_equals(policies, into, other);
    into->kind = kind_of(into, store);
}

uint16_t policy_held(const struct policies *policies, const struct record *record,
                     const struct location *location)
{
    struct pattern_memory memory = {0};
    struct row row = extra_row(policies, record, location, &memory);
    uint16_t hold = find_hold(policies, &row);
    pattern_memory_free(&memory);
    return hold;
}

/* ---- tell ---- */

bool policy_each_missing_id(const struct policies *policies,
                            bool (*visit)(void *, const char *id, const char *where, struct err *),
                            void *context, struct err *err)
{
    const struct ids *ids = &policies->extra->ids;
    struct arena scratch;
    bool done = true;
    arena_init(&scratch, SCRATCH_BYTES_MAX);
    for (uint32_t i = 0; done && i < ids->count; i++) {
        if (ids_is_seen(ids, i))
            continue;
        const char *where = extra_where(policies, ids->items[i].span, &scratch);
        done = visit(context, ids->items[i].text, where, err);
        arena_reset(&scratch);
    }
    arena_free(&scratch);
    return done;
}
