#include "planner/group.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "planner/plain.h"
#include "planner/planner.h"
#include "policy/explain.h"

#define ROWS_BYTES_MAX (SPOOL_RECORD_BYTES_MAX / 2)
#define TEXT_BYTES_MAX ((size_t)64 << 10)
#define WHY_BYTES_MAX 400 /* of one row that is undecided */
#define ROW_LINE_BYTES 48 /* keys, quotes and commas of a row in a line of the plan */

void group_init(struct group *group, struct policies *policies)
{
    *group = (struct group){.policies = policies};
    buf_init(&group->directory, LOCATION_BYTES_MAX);
    buf_init(&group->held.packed, ROWS_BYTES_MAX);
    buf_init(&group->staying.packed, ROWS_BYTES_MAX);
    buf_init(&group->movers.packed, ROWS_BYTES_MAX);
    buf_init(&group->text, TEXT_BYTES_MAX);
    arena_init(&group->scratch, TEXT_BYTES_MAX);
}

void group_free(struct group *group)
{
    buf_free(&group->directory);
    buf_free(&group->held.packed);
    buf_free(&group->staying.packed);
    buf_free(&group->movers.packed);
    buf_free(&group->text);
    arena_free(&group->scratch);
}

/* -- a row ------------------------------------------------------------------------------------ */

/* What a text takes in a line of the plan (json_text). */
static size_t line_bytes(const char *text)
{
    size_t total = 0;
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20)
            total += strlen("\\u0000");
        else
            total += c == '"' || c == '\\' ? 2 : 1;
    }
    return total;
}

static void forget_rows(struct group_rows *rows)
{
    buf_reset(&rows->packed);
    rows->total = rows->shown = 0;
}

void group_begin(struct group *group, const struct location *location, const struct record *record)
{
    buf_reset(&group->directory);
    buf_text(&group->directory, location->unit);
    forget_rows(&group->held);
    forget_rows(&group->staying);
    forget_rows(&group->movers);
    memset(group->selected, 0, group->policies->count * sizeof(*group->selected));
    group->facts = (struct candidate){.place = location->place,
                                      .store = location->store,
                                      .target = POLICY_NO_INDEX,
                                      .winner = POLICY_NO_INDEX,
                                      .directory = buf_string(&group->directory),
                                      .oldest_us = INT64_MAX,
                                      .newest_us = INT64_MIN,
                                      .shares = group->shares};
    group->prefix_bytes =
        group->policies->places.by_object ? strlen(record->location) : record->directory_bytes;
    group->movers_line_bytes = group->movers_shown_bytes = 0;
    group->wish = POLICY_NO_INDEX;
    group->is_contested = group->is_too_large = group->circle.is_begun = false;
    group->is_open = true;
}

bool group_has(const struct group *group, const struct location *location)
{
    return group->is_open && group->facts.place == location->place &&
           str_equal(group->facts.directory, location->unit);
}

static void add_facts(struct candidate *facts, const struct record *record)
{
    facts->rows++;
    if (record->has_bytes)
        facts->bytes = plan_sum(facts->bytes, record->bytes);
    if (record->has_time && record->time_us < facts->oldest_us)
        facts->oldest_us = record->time_us;
    if (record->has_time && record->time_us > facts->newest_us)
        facts->newest_us = record->time_us;
}

/* With all that is unknown, if that is not too much. */
static void describe_undecided(struct group *group, const struct record *record,
                               const struct location *location, uint16_t policy)
{
    struct policies *policies = group->policies;
    buf_text(&group->text, "is undecided: ");
    explain_policy(policies, policy, record, location, &group->text);
    if (!group->text.overflowed && group->text.size < WHY_BYTES_MAX)
        return;
    buf_reset(&group->text);
    buf_format(&group->text, "is undecided: %s can't tell", policies->items[policy].name);
}

/* How a row that can't move stands to its directory: "is excluded by age-out". */
static void describe_stance(struct group *group, const struct record *record,
                            const struct location *location, const struct decision *decision)
{
    const struct policies *policies = group->policies;
    buf_reset(&group->text);
    if (decision->kind == DECISION_HELD) {
        const struct policy_hold *hold = &policies->holds[decision->hold];
        buf_format(&group->text, "is held by %s", hold->name);
        if (hold->reason != NULL && hold->reason[0] != '\0')
            buf_format(&group->text, " (%s)", hold->reason);
    } else if (decision->excluded)
        buf_format(&group->text, "is excluded by %s", policies->items[decision->blamed].name);
    else if (decision->undecided)
        describe_undecided(group, record, location, decision->blamed);
    else
        buf_text(&group->text, "is not selected");
}

static const char *plain_id(struct group *group, const char *id)
{
    arena_reset(&group->scratch);
    return plain_text(&group->scratch, id);
}

static void add_in_way(struct group *group, struct group_rows *rows, const struct record *record,
                       const struct location *location, const struct decision *decision)
{
    rows->total++;
    if (rows->shown == PLAN_ROWS_SHOWN)
        return;
    describe_stance(group, record, location, decision);
    struct candidate_row row = {.id = plain_id(group, record->id),
                                .tail = record->location + group->prefix_bytes,
                                .because = buf_string(&group->text),
                                .policy = POLICY_NO_INDEX};
    candidate_pack_row(&row, &rows->packed);
    rows->shown++;
}

/* All are kept while all of them may move. */
static void add_mover(struct group *group, const struct record *record,
                      const struct location *location, const struct decision *decision)
{
    struct group_rows *rows = &group->movers;
    rows->total++;
    if (group->is_too_large || group->held.total > 0 || group->staying.total > 0)
        return;

    buf_reset(&group->text);
    if (decision->kind != DECISION_IN_PLACE)
        explain_because(group->policies, decision->winner, record, location, &group->text);
    struct candidate_row row = {.id = record->id,
                                .tail = record->location + group->prefix_bytes,
                                .because = buf_string(&group->text),
                                .policy = decision->winner};
    group->movers_line_bytes += ROW_LINE_BYTES + line_bytes(row.id) + line_bytes(record->location) +
                                line_bytes(row.because);
    group->is_too_large =
        rows->shown == PLANNER_ROWS_MAX || group->movers_line_bytes > PLANNER_ROWS_BYTES_MAX;
    if (group->is_too_large)
        return;
    candidate_pack_row(&row, &rows->packed);
    if (++rows->shown <= PLAN_ROWS_SHOWN)
        group->movers_shown_bytes = rows->packed.size;
}

static bool is_same_contest(const struct decision *a, const struct decision *b)
{
    return a->kind == b->kind && a->winner == b->winner && a->rival == b->rival &&
           a->terms.verify == b->terms.verify && a->terms.keep_source == b->terms.keep_source &&
           a->terms.grace_us == b->terms.grace_us &&
           a->terms.residency_us == b->terms.residency_us && a->terms.windows == b->terms.windows;
}

/* The first policy of the highest priority that would move the row if it were not held;
 * POLICY_NO_INDEX if it is where that one wants it.                                             */
static uint16_t find_wish(const struct policies *policies, uint16_t store,
                          const struct decision *decision)
{
    uint16_t best = POLICY_NO_INDEX;
    for (size_t i = 0; i < policies->count; i++)
        if (decision->verdicts[i] == VERDICT_CANDIDATE &&
            (best == POLICY_NO_INDEX ||
             policies->items[i].priority > policies->items[best].priority))
            best = (uint16_t)i;
    return best != POLICY_NO_INDEX && policies->items[best].target == store ? POLICY_NO_INDEX
                                                                            : best;
}

void group_add(struct group *group, const struct record *record, const struct location *location,
               const struct decision *decision)
{
    add_facts(&group->facts, record);
    if (decision->kind == DECISION_HELD) {
        add_in_way(group, &group->held, record, location, decision);
        if (group->wish == POLICY_NO_INDEX)
            group->wish = find_wish(group->policies, group->facts.store, decision);
        return;
    }
    if (decision->kind == DECISION_STAY) {
        add_in_way(group, &group->staying, record, location, decision);
        return;
    }
    for (size_t i = 0; i < group->policies->count; i++)
        group->selected[i] += decision->verdicts[i] == VERDICT_CANDIDATE;
    if (!group->is_contested)
        group->decision = *decision;
    else if (!is_same_contest(&group->decision, decision))
        policy_contest(group->policies, group->facts.store, &group->decision, decision);
    group->is_contested = true;
    circle_add(&group->circle, group->policies, record, location);
    add_mover(group, record, location, decision);
}

/* -- the directory ---------------------------------------------------------------------------- */

static void describe_in_way(struct group *group, const struct group_rows *rows)
{
    struct packed packed = {.at = rows->packed.bytes, .size_bytes = rows->packed.size};
    struct candidate_row first = candidate_unpack_row(&packed);
    buf_format(&group->text, "%s %s", plain_id(group, first.id), first.because);
    if (rows->total > 1)
        buf_format(&group->text, ", and %" PRIu64 " more", rows->total - 1);
}

static void describe_conflict(struct group *group)
{
    const struct policies *policies = group->policies;
    const struct policy *one = &policies->items[group->decision.winner];
    const struct policy *other = &policies->items[group->decision.rival];
    buf_format(&group->text, "%s (%s, -> %s) and %s (%s, -> %s), both priority %" PRId32, one->name,
               one->at, policies->stores[one->target].name, other->name, other->at,
               policies->stores[other->target].name, one->priority);
}

/* What the rows say against moving their directory. */
static void find_reason(struct group *group, const struct group_nested *nested)
{
    struct candidate *facts = &group->facts;
    bool by_object = group->policies->places.by_object;
    buf_reset(&group->text);
    if (group->held.total > 0) {
        facts->reason = PLAN_HELD;
        describe_in_way(group, &group->held);
    } else if (group->staying.total > 0) {
        facts->reason = by_object ? PLAN_SHARED_OBJECT : PLAN_SHARED_DIRECTORY;
        describe_in_way(group, &group->staying);
    } else if (group->decision.kind == DECISION_CONFLICT) {
        facts->reason = PLAN_CONFLICT;
        describe_conflict(group);
    } else if (by_object && str_ends(facts->directory, "/")) {
        facts->reason = PLAN_NOT_A_FILE;
        buf_text(&group->text, "it names a directory, and a row stands for one object");
    } else if (nested != NULL) {
        facts->reason = PLAN_NESTED_DIRECTORY;
        buf_format(&group->text, "%s lies below it, in %s", plain_id(group, nested->record->id),
                   nested->location->unit);
    } else if (group->is_too_large) {
        facts->reason = PLAN_TOO_MANY_ROWS;
        buf_format(&group->text, "%" PRIu64 " recordings are more than can move together",
                   facts->rows);
    }
    facts->detail = buf_string(&group->text);
}

/* A nested row is the only one that is named: it stands for all that follow it. */
static void show_nested(struct group *group, const struct record *nested)
{
    struct candidate_row row = {.id = plain_id(group, nested->id),
                                .tail = nested->location + group->prefix_bytes,
                                .because = "lies below it",
                                .policy = POLICY_NO_INDEX};
    forget_rows(&group->staying);
    candidate_pack_row(&row, &group->staying.packed);
    group->staying.shown = 1;
}

static void choose_rows(struct group *group, const struct group_nested *nested)
{
    struct candidate *facts = &group->facts;
    struct group_rows *movers = &group->movers;
    group->rows = movers;
    if (facts->reason == PLAN_HELD)
        group->rows = &group->held;
    else if (facts->reason == PLAN_SHARED_DIRECTORY || facts->reason == PLAN_SHARED_OBJECT)
        group->rows = &group->staying;
    else if (facts->reason == PLAN_NESTED_DIRECTORY) {
        show_nested(group, nested->record);
        group->rows = &group->staying;
    } else if (facts->reason != PLAN_REASON_NONE && movers->shown > PLAN_ROWS_SHOWN) {
        movers->packed.size = group->movers_shown_bytes;
        movers->shown = PLAN_ROWS_SHOWN;
    }
    facts->row_count = group->rows->shown;
}

bool group_is_won_by(const struct group *group, size_t policy)
{
    const struct policy *items = group->policies->items;
    return items[policy].priority == items[group->decision.winner].priority;
}

static void add_shares(struct group *group)
{
    struct candidate *facts = &group->facts;
    for (size_t i = 0; i < group->policies->count; i++)
        if (group->selected[i] > 0 && group_is_won_by(group, i))
            group->shares[facts->share_count++] =
                (struct candidate_share){.policy = (uint16_t)i, .rows = group->selected[i]};
}

bool group_end(struct group *group, const struct group_nested *nested)
{
    struct candidate *facts = &group->facts;
    group->is_open = false;
    if (group->is_contested)
        circle_settle(&group->circle, group->policies, facts->store, &group->decision);
    if (group->is_contested && group->decision.kind != DECISION_IN_PLACE) {
        facts->winner = group->decision.winner;
        facts->terms = group->decision.terms;
        if (group->decision.kind == DECISION_MOVE)
            facts->target = group->decision.target;
        add_shares(group);
    } else if (!group->is_contested && group->wish != POLICY_NO_INDEX) {
        facts->winner = group->wish;
        facts->terms = group->policies->items[group->wish].terms;
        facts->target = group->policies->items[group->wish].target;
    } else
        return false;
    /* Nothing is copied, so nothing is left to delete. */
    if (candidate_retiers(facts, &group->policies->places)) {
        facts->terms.keep_source = true;
        facts->terms.grace_us = 0;
    }
    find_reason(group, nested);
    choose_rows(group, nested);
    return true;
}

const struct buf *group_rows(const struct group *group)
{
    return &group->rows->packed;
}
