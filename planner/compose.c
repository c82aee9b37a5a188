#include "planner/compose.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/when.h"
#include "policy/window.h"
#include "state/journal.h"
#include "state/location.h"

#define ACTION_BYTES_MAX ((size_t)256 << 20)

/* Units of the journal, and the next of them. */
struct stream {
    struct spool_cursor cursor;
    struct arena arena;
    struct plan_action *action; /* NULL: no more */
};

/* The streams, each with what comes next. */
struct compose {
    const struct composed *composed;
    struct plan_writer *writer;
    struct spool_cursor candidates, answers;
    struct arena candidate_arena, scratch;
    struct stream reaps, repairs;
    struct candidate candidate;
    struct inspect_answer answer;
    uint64_t index;
    bool has_candidate;
    size_t oddity; /* the next one */
};

/* -- what comes next ----------------------------------------------------------------------------
 */

static bool next_candidate(struct compose *compose, struct err *err)
{
    if (!judge_next(&compose->candidates, &compose->candidate_arena, &compose->has_candidate,
                    &compose->candidate, &compose->index, err))
        return false;
    if (!compose->has_candidate || !compose->composed->judged->fates[compose->index].is_surveyed)
        return true;
    return inspect_next(&compose->answers, &compose->candidate_arena, &compose->answer, err);
}

static bool next_owed(struct stream *stream, struct err *err)
{
    arena_reset(&stream->arena);
    return owed_next(&stream->cursor, &stream->arena, &stream->action, err);
}

static void open_stream(struct stream *stream, const struct owed *owed)
{
    spool_cursor_init(&stream->cursor, &owed->spool, 0, PLACE_MAX);
    arena_init(&stream->arena, ACTION_BYTES_MAX);
}

static void close_stream(struct stream *stream)
{
    arena_free(&stream->arena);
    spool_cursor_free(&stream->cursor);
}

/* The next directory that a policy wants though all that is known of it are odd spellings: a
 * candidate tells of those of its own directory.                                                */
static const struct oddity *next_oddity(struct compose *compose)
{
    const struct oddities *oddities = &compose->composed->decided->oddities;
    for (; compose->oddity < oddities->count; compose->oddity++) {
        const struct oddity *oddity = oddities->items[compose->oddity];
        bool is_told = compose->has_candidate &&
                       plan_compare(oddity->store, oddity->directory, compose->candidate.place,
                                    compose->candidate.directory) == 0;
        if (oddity->is_wanted && !is_told)
            return oddity;
    }
    return NULL;
}

/* -- actions ------------------------------------------------------------------------------------
 */

static bool add_action(struct compose *compose, const struct plan_action *action, struct err *err)
{
    if (!plan_file_add(compose->writer, action, err))
        return false;
    plan_count(compose->composed->summary, action);
    return true;
}

static void set_policy(const struct compose *compose, struct plan_action *action, uint16_t policy,
                       uint16_t target)
{
    const struct policy *winner = &compose->composed->request->policies->items[policy];
    action->policy = winner->name;
    action->at = winner->at;
    action->target = target;
    action->target_directory = target == POLICY_NO_INDEX ? NULL : action->directory;
}

static struct plan_action begin_action(const struct compose *compose)
{
    const struct candidate *candidate = &compose->candidate;
    struct plan_action action = {.store = candidate->store,
                                 .directory = candidate->directory,
                                 .bytes = candidate->bytes,
                                 .oldest_us = candidate->oldest_us,
                                 .row_total = candidate->rows};
    set_policy(compose, &action, candidate->winner, candidate->target);
    return action;
}

/* -- moves --------------------------------------------------------------------------------------
 */

static const char *row_because(const struct compose *compose, const struct candidate_row *row,
                               struct arena *arena)
{
    const struct policy *items = compose->composed->request->policies->items;
    if (row->because[0] == '\0')
        return str_ends(compose->candidate.directory, "/") ? "moves with its directory"
                                                           : "moves with its object";
    if (row->policy == compose->candidate.winner)
        return row->because;
    return str_format(arena, "%s: %s", items[row->policy].name, row->because);
}

/* The base and the directory as they are spelled, and the row's own tail. */
static const char *row_location(struct arena *arena, const char *prefix, size_t prefix_bytes,
                                const char *tail)
{
    size_t tail_bytes = strlen(tail) + 1;
    char *location = arena_make(arena, prefix_bytes + tail_bytes);
    memcpy(location, prefix, prefix_bytes);
    memcpy(location + prefix_bytes, tail, tail_bytes);
    return location;
}

static const char *prefix_of(const struct compose *compose, struct arena *arena)
{
    const struct places *places = &compose->composed->request->policies->places;
    return location_make(&places->items[compose->candidate.store], compose->candidate.directory, "",
                         arena);
}

static bool read_rows(struct compose *compose, bool is_move, struct plan_action *action,
                      struct err *err)
{
    struct arena *arena = &compose->scratch;
    struct packed body;
    if (!spool_body(&compose->candidates, &body, err))
        return false;
    size_t count = (size_t)compose->candidate.row_count;
    if (!is_move && count > PLAN_ROWS_SHOWN)
        count = PLAN_ROWS_SHOWN;
    const char *prefix = prefix_of(compose, arena);
    size_t prefix_bytes = strlen(prefix);
    action->rows = arena_make(arena, count * sizeof(*action->rows));
    action->row_count = count;
    for (size_t i = 0; i < count; i++) {
        struct candidate_row row = candidate_unpack_row(&body);
        if (!pack_check(&body, err))
            return false;
        action->rows[i] = (struct plan_row){
            .id = row.id,
            .location = row_location(arena, prefix, prefix_bytes, row.tail),
            .because =
                row.policy == POLICY_NO_INDEX ? row.because : row_because(compose, &row, arena)};
    }
    return true;
}

static void move_totals(const struct compose *compose, const struct candidate *candidate)
{
    struct plan_store_total *totals = compose->composed->summary->totals;
    totals[candidate->store].recordings_after -= candidate->rows;
    totals[candidate->store].bytes_after -= candidate->bytes;
    totals[candidate->target].recordings_after += candidate->rows;
    totals[candidate->target].bytes_after =
        plan_sum(totals[candidate->target].bytes_after, candidate->bytes);
}

/* All windows of the policies that agreed on the move; NULL: none has one. */
static const char *windows_text(const struct policies *policies, uint64_t windows,
                                struct arena *arena)
{
    const char *texts = NULL;
    for (size_t i = 0; i < policies->window_count; i++) {
        char text[WINDOW_TEXT_MAX];
        if ((windows >> i & 1) == 0)
            continue;
        window_text(&policies->windows[i], text);
        texts = texts == NULL ? arena_copy(arena, text) : str_format(arena, "%s; %s", texts, text);
    }
    return texts;
}

static enum plan_kind kind_of(const struct compose *compose, const struct fate *fate)
{
    const struct places *places = &compose->composed->request->policies->places;
    if (fate->kind == FATE_BLOCKED)
        return PLAN_BLOCKED;
    return candidate_retiers(&compose->candidate, places) ? PLAN_RETIER : PLAN_MOVE;
}

/* All that win the directory, but for the one that it is listed under. */
static void set_also(const struct compose *compose, struct plan_action *action, struct arena *arena)
{
    const struct candidate *candidate = &compose->candidate;
    const struct policy *items = compose->composed->request->policies->items;
    action->also = arena_make(arena, candidate->share_count * sizeof(*action->also));
    for (size_t i = 0; i < candidate->share_count; i++)
        if (candidate->shares[i].policy != candidate->winner)
            action->also[action->also_count++] = items[candidate->shares[i].policy].name;
}

static bool add_move(struct compose *compose, const struct fate *fate, struct err *err)
{
    const struct policies *policies = compose->composed->request->policies;
    const struct candidate *candidate = &compose->candidate;
    struct plan_action action = begin_action(compose);
    action.kind = kind_of(compose, fate);
    set_also(compose, &action, &compose->scratch);
    action.tier = policies->stores[candidate->target].tier;
    action.terms = candidate->terms;
    action.window = windows_text(policies, candidate->terms.windows, &compose->scratch);
    if (fate->is_surveyed) {
        action.surveyed = true;
        action.objects = compose->answer.objects;
        action.bytes = compose->answer.bytes;
        action.manifest = compose->answer.manifest;
    }
    move_totals(compose, candidate);
    return read_rows(compose, true, &action, err) && add_action(compose, &action, err);
}

/* -- what is blocked ----------------------------------------------------------------------------
 */

static const char *describe_oddities(const struct oddity *first, uint64_t rows, struct arena *arena)
{
    const struct plan_row *row = &first->rows[0];
    if (rows == 1)
        return str_format(arena, "%s %s", row->id, row->because);
    return str_format(arena, "%s %s, and %" PRIu64 " more", row->id, row->because, rows - 1);
}

static void show_oddities(struct compose *compose, struct plan_action *action)
{
    struct arena *arena = &compose->scratch;
    uint64_t total = 0;
    size_t count;
    struct oddity *const *found = oddity_find(&compose->composed->decided->oddities, action->store,
                                              action->directory, &count);
    assert(count > 0);
    action->rows = arena_make(arena, PLAN_ROWS_SHOWN * sizeof(*action->rows));
    for (size_t i = 0; i < count; i++) {
        total += found[i]->row_total;
        for (size_t k = 0; k < found[i]->row_count && action->row_count < PLAN_ROWS_SHOWN; k++)
            action->rows[action->row_count++] = found[i]->rows[k];
    }
    action->reason = PLAN_SPELLING;
    action->detail = describe_oddities(found[0], total, arena);
}

/* "run 12 of 2025-05-31T01:12:00.000000Z moves rec/1/ from hot to cold: cutover, grace" */
static bool describe_open(struct compose *compose, struct plan_action *action, struct err *err)
{
    const struct planner_request *request = compose->composed->request;
    struct arena *arena = &compose->scratch;
    struct journal_unit *unit;
    struct journal_run run;
    char at[WHEN_TEXT_MAX];
    struct err no_run;
    action->detail = "a move of it is under way";
    if (!judge_find_open(request, &compose->candidate, arena, &unit, err))
        return false;
    if (unit == NULL)
        return true;
    const char *since = "";
    if (journal_run_get(request->journal, unit->unit.run, arena, &run, &no_run)) {
        when_instant_text(run.started_us, at);
        since = str_format(arena, " of %s", at);
    }
    bool has_reason = unit->unit.reason != REASON_NONE;
    bool waits = unit->unit.state == UNIT_CUTOVER || unit->unit.state == UNIT_PARKED;
    action->detail = str_format(
        arena, "run %" PRId64 "%s moves %s from %s to %s: %s%s%s%s", unit->unit.run, since,
        unit->directory, unit->source_store, unit->target_store, unit_state_name(unit->unit.state),
        has_reason ? ", " : "", has_reason ? unit_reason_name(unit->unit.reason) : "",
        waits ? "" : "; apply carries it on");
    return true;
}

/* "frostline brought it on 2025-05-31 01:12:00 UTC; min_residency 30d" */
static bool describe_arrival(struct compose *compose, struct plan_action *action, struct err *err)
{
    const struct candidate *candidate = &compose->candidate;
    const struct when_duration residency = {.us = candidate->terms.residency_us};
    char at[WHEN_TEXT_MAX], long_enough[WHEN_TEXT_MAX];
    int64_t cut_over_us;
    if (!judge_find_arrival(compose->composed->request, candidate, &compose->scratch, &cut_over_us,
                            err))
        return false;
    when_instant_people(cut_over_us, at);
    when_duration_text(residency, long_enough);
    action->detail = str_format(
        &compose->scratch, "frostline brought it on %s UTC; min_residency %s", at, long_enough);
    return true;
}

static void describe_collision(struct compose *compose, const struct fate *fate,
                               struct plan_action *action)
{
    const char *other = compose->composed->request->policies->stores[fate->other].name;
    struct arena *arena = &compose->scratch;
    if (fate->other == action->target)
        action->detail = str_format(arena, "rows that are to go elsewhere stand at %s:%s", other,
                                    action->directory);
    else
        action->detail =
            str_format(arena, "%s:%s would go there as well", other, action->directory);
}

static void show_answer(struct compose *compose, struct plan_action *action)
{
    const struct inspect_answer *answer = &compose->answer;
    struct arena *arena = &compose->scratch;
    const char *prefix = prefix_of(compose, arena);
    action->detail = answer->detail;
    action->row_count = answer->row_count;
    action->rows = arena_make(arena, answer->row_count * sizeof(*action->rows));
    for (size_t i = 0; i < answer->row_count; i++)
        action->rows[i] = (struct plan_row){
            .id = answer->rows[i].id,
            .location = row_location(arena, prefix, strlen(prefix), answer->rows[i].tail),
            .because = answer->rows[i].because};
}

static bool add_blocked(struct compose *compose, const struct fate *fate, struct err *err)
{
    const struct candidate *candidate = &compose->candidate;
    struct plan_action action = begin_action(compose);
    action.kind = PLAN_BLOCKED;
    action.reason = (enum plan_reason)fate->reason;
    action.detail = candidate->detail;
    bool done = true;
    if (candidate->reason != PLAN_REASON_NONE)
        done = read_rows(compose, false, &action, err);
    else if (action.reason == PLAN_SPELLING)
        show_oddities(compose, &action);
    else if (action.reason == PLAN_OPEN_UNIT)
        done = describe_open(compose, &action, err);
    else if (action.reason == PLAN_MIN_RESIDENCY)
        done = describe_arrival(compose, &action, err);
    else if (action.reason == PLAN_TARGET_COLLISION)
        describe_collision(compose, fate, &action);
    else
        show_answer(compose, &action);
    return done && add_action(compose, &action, err);
}

/* A directory that no row in the regular spelling is a candidate of. */
static bool add_oddity(struct compose *compose, const struct oddity *oddity, struct err *err)
{
    struct plan_action action = {.kind = PLAN_BLOCKED,
                                 .store = oddity->store,
                                 .directory = oddity->directory,
                                 .bytes = oddity->bytes,
                                 .oldest_us = oddity->oldest_us,
                                 .row_total = oddity->row_total};
    set_policy(compose, &action, oddity->policy, oddity->target);
    show_oddities(compose, &action);
    return add_action(compose, &action, err);
}

/* -- the merge ----------------------------------------------------------------------------------
 */

static void count_shares(const struct compose *compose, enum fate_kind kind)
{
    const struct candidate *candidate = &compose->candidate;
    struct plan_summary *summary = compose->composed->summary;
    for (size_t i = 0; i < candidate->share_count; i++) {
        struct plan_funnel *funnel = &summary->funnels[candidate->shares[i].policy];
        uint64_t rows = candidate->shares[i].rows;
        if (kind == FATE_MOVE)
            funnel->planned += rows;
        else if (kind == FATE_BLOCKED)
            funnel->blocked += rows;
        else if (kind == FATE_IN_PLACE)
            funnel->in_place += rows;
        else
            funnel->left += rows;
    }
    summary->left += kind == FATE_LEFT;
}

static bool take_candidate(struct compose *compose, struct err *err)
{
    const struct fate *fate = &compose->composed->judged->fates[compose->index];
    bool done = true;
    arena_reset(&compose->scratch);
    count_shares(compose, fate->kind);
    if (fate->kind == FATE_MOVE)
        done = add_move(compose, fate, err);
    else if (fate->kind == FATE_BLOCKED)
        done = add_blocked(compose, fate, err);
    return done && next_candidate(compose, err);
}

static bool take_oddity(struct compose *compose, struct err *err)
{
    arena_reset(&compose->scratch);
    return add_oddity(compose, compose->composed->decided->oddities.items[compose->oddity++], err);
}

static bool take_owed(struct compose *compose, struct stream *stream, struct err *err)
{
    return add_action(compose, stream->action, err) && next_owed(stream, err);
}

static bool take_reap(struct compose *compose, struct err *err)
{
    return take_owed(compose, &compose->reaps, err);
}

static bool take_repair(struct compose *compose, struct err *err)
{
    return take_owed(compose, &compose->repairs, err);
}

/* The place of what a stream would add next, and how it does. */
struct head {
    uint16_t store;
    const char *directory; /* NULL: the stream has ended */
    enum plan_kind kind;
    bool (*take)(struct compose *compose, struct err *err);
};

static bool is_before(const struct head *a, const struct head *b)
{
    if (a->directory == NULL || b->directory == NULL)
        return a->directory != NULL;
    int order = plan_compare(a->store, a->directory, b->store, b->directory);
    return order != 0 ? order < 0 : a->kind < b->kind;
}

static struct head least_head(struct compose *compose)
{
    struct head least = {0};
    if (compose->has_candidate) {
        const struct fate *fate = &compose->composed->judged->fates[compose->index];
        least = (struct head){compose->candidate.place, compose->candidate.directory,
                              kind_of(compose, fate), take_candidate};
    }
    const struct oddity *oddity = next_oddity(compose);
    if (oddity != NULL) {
        struct head head = {oddity->store, oddity->directory, PLAN_BLOCKED, take_oddity};
        least = is_before(&head, &least) ? head : least;
    }
    const struct plan_action *reap = compose->reaps.action, *repair = compose->repairs.action;
    if (reap != NULL) {
        struct head head = {reap->store, reap->directory, PLAN_REAP, take_reap};
        least = is_before(&head, &least) ? head : least;
    }
    if (repair != NULL) {
        struct head head = {repair->store, repair->directory, PLAN_REPAIR, take_repair};
        least = is_before(&head, &least) ? head : least;
    }
    return least;
}

static bool merge(struct compose *compose, struct err *err)
{
    for (;;) {
        struct head head = least_head(compose);
        if (head.directory == NULL)
            return true;
        if (!head.take(compose, err))
            return false;
    }
}

bool compose_run(const struct composed *composed, struct plan_writer *writer, struct err *err)
{
    struct compose compose = {.composed = composed, .writer = writer};
    arena_init(&compose.candidate_arena, ACTION_BYTES_MAX);
    arena_init(&compose.scratch, ACTION_BYTES_MAX);
    spool_cursor_init(&compose.candidates, &composed->decided->candidates, 0, PLACE_MAX);
    spool_cursor_init(&compose.answers, &composed->inspected->answers, 0, PLACE_MAX);
    open_stream(&compose.reaps, &composed->judged->reaps);
    open_stream(&compose.repairs, &composed->decided->returned.repairs);
    bool done = next_candidate(&compose, err) && next_owed(&compose.reaps, err) &&
                next_owed(&compose.repairs, err) && merge(&compose, err);
    close_stream(&compose.repairs);
    close_stream(&compose.reaps);
    spool_cursor_free(&compose.answers);
    spool_cursor_free(&compose.candidates);
    arena_free(&compose.scratch);
    arena_free(&compose.candidate_arena);
    return done;
}
