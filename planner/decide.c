#include "planner/decide.h"

#include <string.h>

#include "base/str.h"
#include "planner/group.h"
#include "planner/next.h"
#include "planner/plain.h"
#include "planner/whereabouts.h"
#include "state/unit.h"

#define ROW_BYTES_MAX ((size_t)4 << 20)
#define HEAD_BYTES_MAX ((size_t)1 << 20)
#define PROGRESS_ROWS 16384

struct decide {
    const struct planner_request *request;
    struct policies *policies;
    struct arena *arena;
    struct plan_summary *summary;
    struct decided *decided;
    struct group group;
    struct whereabouts whereabouts;
    bool is_passed[PLACE_MAX]; /* stores whose rows began before */
    struct arena row;
    struct buf head;
    struct next next;
    uint64_t outside; /* rows that no policy can move: out of each funnel */
    size_t samples;
};

/* -- rows that can't move ---------------------------------------------------------------------- */

static void take_unmanaged(struct decide *decide, const struct record *record,
                           const struct decision *decision, enum spelling spelling)
{
    if (decision->winner != POLICY_NO_INDEX && decision->kind != DECISION_IN_PLACE)
        decide->summary->unreachable++;
    if (spelling == SPELLING_SHALLOW)
        decide->summary->shallow++;
    else
        decide->summary->unmanaged++;
    decide->outside++;
    if (decide->samples == PLAN_SAMPLES)
        return;
    const struct places *places = &decide->policies->places;
    struct arena *row = &decide->row;
    const char *id = plain_text(row, record->id);
    decide->summary->unmanaged_samples[decide->samples++] =
        record->location == NULL
            ? str_format(decide->arena, "%s: has no location", id)
            : str_format(decide->arena, "%s: %s: %s", id, plain_location(row, record->location),
                         location_oddity(places, record->location, row));
}

/* What the policies that select a row in a second spelling get of it. */
static void count_irregular(struct decide *decide, const struct decision *decision)
{
    const struct policy *items = decide->policies->items;
    for (size_t i = 0; i < decide->policies->count; i++) {
        struct plan_funnel *funnel = &decide->summary->funnels[i];
        if (decision->verdicts[i] != VERDICT_CANDIDATE || decision->kind == DECISION_HELD)
            continue;
        if (items[i].priority != items[decision->winner].priority)
            funnel->lost++;
        else if (decision->kind == DECISION_IN_PLACE)
            funnel->in_place++;
        else
            funnel->blocked++;
    }
}

static bool take_irregular(struct decide *decide, const struct record *record,
                           const struct location *location, struct err *err)
{
    struct decision decision;
    struct oddities *oddities = &decide->decided->oddities;
    struct oddity *note;
    if (!oddity_note(oddities, location->place, location->unit, &note, err))
        return false;
    struct arena *row = &decide->row;
    oddity_add_row(oddities, note,
                   &(struct plan_row){.id = plain_text(row, record->id),
                                      .location = plain_location(row, record->location),
                                      .because = location_oddity(&decide->policies->places,
                                                                 record->location, row)});
    note->bytes = plan_sum(note->bytes, record->has_bytes ? record->bytes : 0);
    if (record->has_time && record->time_us < note->oldest_us)
        note->oldest_us = record->time_us;

    circle_decide(decide->policies, record, location, &decision);
    bool wanted = decision.kind == DECISION_MOVE || decision.kind == DECISION_CONFLICT;
    if (wanted && !note->is_wanted) {
        note->is_wanted = true;
        note->policy = decision.winner;
        note->target = decision.kind == DECISION_MOVE ? decision.target : POLICY_NO_INDEX;
    }
    count_irregular(decide, &decision);
    return true;
}

/* -- directories ------------------------------------------------------------------------------- */

/* Rows that are selected and whose fate is known already: lost, or in place. */
static void count_settled(struct decide *decide)
{
    const struct group *group = &decide->group;
    if (!group->is_contested)
        return;
    for (size_t i = 0; i < decide->policies->count; i++) {
        struct plan_funnel *funnel = &decide->summary->funnels[i];
        if (!group_is_won_by(group, i))
            funnel->lost += group->selected[i];
        else if (group->decision.kind == DECISION_IN_PLACE)
            funnel->in_place += group->selected[i];
    }
}

/* The row that comes next tells what is nested: it follows at once. */
static bool close_group(struct decide *decide, const struct record *record,
                        const struct location *location, struct err *err)
{
    struct group *group = &decide->group;
    if (!group->is_open)
        return true;
    struct group_nested nested = {.record = record, .location = location};
    bool is_nested = location != NULL && location->place == group->facts.place &&
                     unit_covers(group->facts.directory, location->unit);
    bool is_candidate = group_end(group, is_nested ? &nested : NULL);
    if (!is_nested)
        next_end(&decide->next, group->facts.rows, group->facts.bytes);
    count_settled(decide);
    if (!returned_note(decide->request, &decide->decided->returned, &group->facts, err))
        return false;
    if (!is_candidate)
        return true;
    buf_reset(&decide->head);
    candidate_pack(&group->facts, &decide->head);
    return buf_check(&decide->head, "what is known of one directory", err) &&
           spool_add(&decide->decided->candidates, group->facts.place, &decide->head,
                     group_rows(group), err);
}

/* Nesting is seen only if directories come in order, each in one go. */
static bool check_order(struct decide *decide, const struct location *location, struct err *err)
{
    const struct candidate *last = &decide->group.facts;
    bool same_store = last->directory != NULL && last->place == location->place;
    bool in_order =
        same_store ? plan_compare(last->place, last->directory, location->place, location->unit) < 0
                   : !decide->is_passed[location->place];
    decide->is_passed[location->place] = true;
    return in_order ||
           ERR(err, ERR_CORRUPT, "the catalog's rows are out of order at %s", location->unit);
}

static bool take_regular(struct decide *decide, const struct record *record,
                         const struct location *location, const struct decision *decision,
                         struct err *err)
{
    struct group *group = &decide->group;
    if (!group_has(group, location)) {
        if (!check_order(decide, location, err) || !close_group(decide, record, location, err))
            return false;
        group_begin(group, location, record);
        next_begin(&decide->next);
    }
    group_add(group, record, location, decision);
    next_add(&decide->next, record, location, decision);
    return true;
}

/* -- every row ----------------------------------------------------------------------------------
 */

static void count_totals(struct plan_store_total *total, const struct record *record)
{
    total->recordings_now++;
    if (record->has_bytes)
        total->bytes_now = plan_sum(total->bytes_now, record->bytes);
}

static void count_verdicts(struct decide *decide, const struct decision *decision)
{
    for (size_t i = 0; i < decide->policies->count; i++) {
        struct plan_funnel *funnel = &decide->summary->funnels[i];
        switch (decision->verdicts[i]) {
        case VERDICT_OUT:
            funnel->out++;
            break;
        case VERDICT_EXCLUDED:
            funnel->excluded++;
            break;
        case VERDICT_UNDECIDED:
            funnel->undecided++;
            break;
        default:
            funnel->held += decision->kind == DECISION_HELD;
        }
    }
}

static bool take_row(struct decide *decide, const struct record *record, struct err *err)
{
    struct location location = {0};
    struct decision decision;
    enum spelling spelling = SPELLING_FOREIGN;

    arena_reset(&decide->row);
    if (record->location != NULL)
        spelling =
            location_read(&decide->policies->places, record->location, &decide->row, &location);
    bool is_ours = spelling != SPELLING_FOREIGN;
    if (is_ours && !whereabouts_find(&decide->whereabouts, &decide->row, &location, err))
        return false;
    /* Rows that can't move are decided as well: listed ids are marked as met. */
    policy_decide(decide->policies, record, is_ours ? &location : NULL, &decision);
    decide->summary->rows++;
    if (is_ours)
        count_totals(&decide->summary->totals[location.store], record);
    if (spelling == SPELLING_FOREIGN || spelling == SPELLING_SHALLOW) {
        take_unmanaged(decide, record, &decision, spelling);
        return true;
    }
    count_verdicts(decide, &decision);
    return spelling == SPELLING_REGULAR ? take_regular(decide, record, &location, &decision, err)
                                        : take_irregular(decide, record, &location, err);
}

static void tell_progress(const struct decide *decide)
{
    const struct planner_request *request = decide->request;
    if (request->progress != NULL)
        request->progress(request->progress_context, decide->summary->rows, 0, 0);
}

static bool take_rows(struct decide *decide, struct catalog_cursor *cursor, struct err *err)
{
    const struct catalog_ops *ops = decide->request->catalog->ops;
    for (;;) {
        const struct record *record;
        if (!ops->cursor_next(cursor, &record, err))
            return false;
        if (record == NULL)
            break;
        if (!take_row(decide, record, err))
            return false;
        if (decide->summary->rows % PROGRESS_ROWS == 0)
            tell_progress(decide);
    }
    tell_progress(decide);
    return close_group(decide, NULL, NULL, err);
}

static bool read_catalog(struct decide *decide, struct err *err)
{
    struct catalog *catalog = decide->request->catalog;
    struct catalog_cursor *cursor;
    if (!catalog->ops->cursor_open(catalog, &cursor, err))
        return false;
    bool done = take_rows(decide, cursor, err);
    catalog->ops->cursor_close(cursor);
    return done;
}

static void make_counters(struct decide *decide)
{
    const struct policies *policies = decide->policies;
    struct plan_summary *summary = decide->summary;
    summary->funnels = arena_make(decide->arena, policies->count * sizeof(*summary->funnels));
    summary->funnel_count = policies->count;
    for (size_t i = 0; i < policies->count; i++) {
        summary->funnels[i].policy = policies->items[i].name;
        summary->funnels[i].from = policies->items[i].from;
        summary->funnels[i].target = policies->items[i].target;
    }
    summary->totals = arena_make(decide->arena, policies->store_count * sizeof(*summary->totals));
    summary->total_count = policies->store_count;
}

static void finish_counters(struct decide *decide)
{
    struct plan_summary *summary = decide->summary;
    for (size_t i = 0; i < summary->funnel_count; i++) {
        summary->funnels[i].rows = summary->rows;
        summary->funnels[i].out += decide->outside;
    }
    for (size_t i = 0; i < summary->total_count; i++) {
        summary->totals[i].recordings_after = summary->totals[i].recordings_now;
        summary->totals[i].bytes_after = summary->totals[i].bytes_now;
    }
}

bool decide_run(const struct planner_request *request, struct arena *arena,
                struct plan_summary *summary, struct decided *decided, struct err *err)
{
    struct decide decide = {.request = request,
                            .policies = request->policies,
                            .arena = arena,
                            .summary = summary,
                            .decided = decided};
    decided->candidates.fd = -1;
    oddity_init(&decided->oddities);
    returned_init(&decided->returned);
    if (!spool_open(&decided->candidates, request->spool_folder, err))
        return false;

    make_counters(&decide);
    group_init(&decide.group, request->policies);
    next_init(&decide.next, request->policies);
    whereabouts_init(&decide.whereabouts, request->policies, request->tier, request->tier_context);
    arena_init(&decide.row, ROW_BYTES_MAX);
    buf_init(&decide.head, HEAD_BYTES_MAX);
    bool done = read_catalog(&decide, err) && spool_finish(&decided->candidates, err);
    buf_free(&decide.head);
    arena_free(&decide.row);
    whereabouts_free(&decide.whereabouts);
    next_tell(&decide.next, summary);
    next_free(&decide.next);
    group_free(&decide.group);
    finish_counters(&decide);
    oddity_sort(&decided->oddities);
    return done;
}

void decide_free(struct decided *decided)
{
    spool_close(&decided->candidates);
    returned_free(&decided->returned);
    oddity_free(&decided->oddities);
}
