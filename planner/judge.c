#include "planner/judge.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/str.h"
#include "state/journal.h"
#include "state/location.h"

#define SCRATCH_BYTES_MAX ((size_t)8 << 20) /* the facts of one candidate */

struct judge {
    const struct planner_request *request;
    const struct decided *decided;
    struct judged *judged;
};

bool judge_next(struct spool_cursor *cursor, struct arena *arena, bool *found,
                struct candidate *candidate, uint64_t *index, struct err *err)
{
    struct packed head;
    arena_reset(arena);
    if (!spool_next(cursor, found, &head, index, err))
        return false;
    return !*found || candidate_unpack(&head, arena, candidate, err);
}

/* -- one candidate at a time --------------------------------------------------------------------
 */

static bool find_open_at(const struct planner_request *request, uint16_t store,
                         const char *directory, struct arena *arena, struct journal_unit **found,
                         struct err *err)
{
    const char *url = location_make(&request->policies->places.items[store], directory, "", arena);
    return journal_find_open(request->journal, url, arena, found, err);
}

bool judge_find_open(const struct planner_request *request, const struct candidate *candidate,
                     struct arena *arena, struct journal_unit **found, struct err *err)
{
    *found = NULL;
    return find_open_at(request, candidate->store, candidate->directory, arena, found, err) &&
           (*found != NULL ||
            find_open_at(request, candidate->target, candidate->directory, arena, found, err));
}

bool judge_find_arrival(const struct planner_request *request, const struct candidate *candidate,
                        struct arena *arena, int64_t *cut_over_us, struct err *err)
{
    *cut_over_us = 0;
    if (request->journal == NULL || candidate->terms.residency_us == 0)
        return true;
    const struct place *place = &request->policies->places.items[candidate->store];
    const char *url = location_make(place, candidate->directory, "", arena);
    if (!journal_arrival(request->journal, url, cut_over_us, err))
        return false;
    if (request->policies->as_of_us - *cut_over_us >= candidate->terms.residency_us)
        *cut_over_us = 0;
    return true;
}

/* Blocks what can't move for a reason that one candidate alone has. */
static bool judge_one(const struct judge *judge, const struct candidate *candidate, uint64_t index,
                      struct arena *arena, struct err *err)
{
    size_t count;
    struct journal_unit *open = NULL;
    enum plan_reason reason = candidate->reason;
    if (returned_has(&judge->decided->returned, candidate->place, candidate->directory)) {
        judge->judged->fates[index] = (struct fate){.kind = FATE_IN_PLACE};
        return true;
    }
    if (reason == PLAN_REASON_NONE) {
        oddity_find(&judge->decided->oddities, candidate->place, candidate->directory, &count);
        if (count > 0)
            reason = PLAN_SPELLING;
    }
    if (reason == PLAN_REASON_NONE && judge->judged->reaps.open > 0) {
        if (!judge_find_open(judge->request, candidate, arena, &open, err))
            return false;
        if (open != NULL)
            reason = PLAN_OPEN_UNIT;
    }
    if (reason == PLAN_REASON_NONE) {
        int64_t cut_over_us;
        if (!judge_find_arrival(judge->request, candidate, arena, &cut_over_us, err))
            return false;
        if (cut_over_us != 0)
            reason = PLAN_MIN_RESIDENCY;
    }
    if (reason != PLAN_REASON_NONE)
        judge->judged->fates[index] =
            (struct fate){.kind = FATE_BLOCKED, .reason = (uint8_t)reason};
    return true;
}

typedef bool judge_visit(const struct judge *judge, const struct candidate *candidate,
                         uint64_t index, struct arena *arena, struct err *err);

static bool each_candidate(const struct judge *judge, judge_visit *visit, struct err *err)
{
    struct spool_cursor cursor;
    struct arena arena;
    struct candidate candidate;
    uint64_t index;
    bool found = true, done = true;
    spool_cursor_init(&cursor, &judge->decided->candidates, 0, PLACE_MAX);
    arena_init(&arena, SCRATCH_BYTES_MAX);
    while (done && found) {
        done = judge_next(&cursor, &arena, &found, &candidate, &index, err);
        if (done && found)
            done = visit(judge, &candidate, index, &arena, err);
    }
    arena_free(&arena);
    spool_cursor_free(&cursor);
    return done;
}

/* -- moves that meet ----------------------------------------------------------------------------
 */

/* A store's candidates, in the order that all stores share. */
struct lane {
    struct spool_cursor cursor;
    struct arena arena;
    struct candidate candidate;
    uint64_t index;
    bool found;
    bool meets; /* the directory that is looked at, and may move */
};
struct lanes {
    struct lane items[PLACE_MAX];
    size_t count;
};

static bool lane_next(struct lane *lane, struct err *err)
{
    return judge_next(&lane->cursor, &lane->arena, &lane->found, &lane->candidate, &lane->index,
                      err);
}

static const char *least_directory(const struct lanes *lanes)
{
    const char *least = NULL;
    for (size_t i = 0; i < lanes->count; i++) {
        const struct lane *lane = &lanes->items[i];
        if (lane->found &&
            (least == NULL || plan_compare(0, lane->candidate.directory, 0, least) < 0))
            least = lane->candidate.directory;
    }
    return least;
}

/* Where it would go, another one would go as well, or rows stand that are to leave. */
static bool find_other(const struct lanes *lanes, const struct places *places,
                       const struct lane *lane, const char *directory, uint16_t *other)
{
    size_t target = place_first(places, lane->candidate.target);
    for (size_t i = 0; i < lanes->count; i++) {
        const struct lane *at = &lanes->items[i];
        if (at == lane || !at->found || !str_equal(at->candidate.directory, directory))
            continue;
        *other = at->candidate.store;
        if (at->candidate.place == target ||
            (at->meets && place_first(places, at->candidate.target) == target))
            return true;
    }
    return false;
}

static void judge_meeting(struct lanes *lanes, const struct places *places, const char *directory,
                          struct fate *fates)
{
    uint16_t other;
    for (size_t i = 0; i < lanes->count; i++) {
        struct lane *lane = &lanes->items[i];
        lane->meets = lane->found && str_equal(lane->candidate.directory, directory) &&
                      fates[lane->index].kind == FATE_MOVE;
    }
    for (size_t i = 0; i < lanes->count; i++) {
        const struct lane *lane = &lanes->items[i];
        if (lane->meets && find_other(lanes, places, lane, directory, &other))
            fates[lane->index] = (struct fate){
                .kind = FATE_BLOCKED, .reason = PLAN_TARGET_COLLISION, .other = other};
    }
}

static bool judge_lanes(struct lanes *lanes, const struct places *places, struct fate *fates,
                        struct err *err)
{
    for (;;) {
        const char *least = least_directory(lanes);
        if (least == NULL)
            return true;
        judge_meeting(lanes, places, least, fates);
        bool is_least[PLACE_MAX];
        for (size_t i = 0; i < lanes->count; i++)
            is_least[i] =
                lanes->items[i].found && str_equal(lanes->items[i].candidate.directory, least);
        for (size_t i = 0; i < lanes->count; i++)
            if (is_least[i] && !lane_next(&lanes->items[i], err))
                return false;
    }
}

/* All stores walk through their directories side by side. */
static bool judge_meetings(const struct judge *judge, struct err *err)
{
    const struct spool *spool = &judge->decided->candidates;
    struct lanes *lanes = calloc(1, sizeof(*lanes));
    bool done = true;
    if (lanes == NULL)
        err_abort("out of memory");
    for (size_t i = 0; i < PLACE_MAX; i++) {
        if (spool->segments[i].count == 0)
            continue;
        struct lane *lane = &lanes->items[lanes->count++];
        spool_cursor_init(&lane->cursor, spool, i, i + 1);
        arena_init(&lane->arena, SCRATCH_BYTES_MAX);
    }
    for (size_t i = 0; done && lanes->count > 1 && i < lanes->count; i++)
        done = lane_next(&lanes->items[i], err);
    if (done && lanes->count > 1)
        done = judge_lanes(lanes, &judge->request->policies->places, judge->judged->fates, err);
    for (size_t i = 0; i < lanes->count; i++) {
        spool_cursor_free(&lanes->items[i].cursor);
        arena_free(&lanes->items[i].arena);
    }
    free(lanes);
    return done;
}

/* -- guards -------------------------------------------------------------------------------------
 */

static bool count_one(const struct judge *judge, const struct candidate *candidate, uint64_t index,
                      struct arena *arena, struct err *err)
{
    (void)arena;
    (void)err;
    if (judge->judged->fates[index].kind == FATE_MOVE)
        guard_add(&judge->judged->guards, candidate, index, candidate->bytes);
    return true;
}

static bool ask_one(const struct judge *judge, const struct candidate *candidate, uint64_t index,
                    struct arena *arena, struct err *err)
{
    (void)arena;
    (void)err;
    struct fate *fate = &judge->judged->fates[index];
    enum guard_answer answer = guard_ask(&judge->judged->guards, candidate, index);
    if (fate->kind == FATE_MOVE && answer != GUARD_TAKES)
        fate->kind = answer == GUARD_LEAVES ? FATE_LEFT : FATE_REFUSED;
    return true;
}

bool judge_ask_guards(const struct decided *decided, struct judged *judged, struct err *err)
{
    const struct judge judge = {.decided = decided, .judged = judged};
    return guard_takes_all(&judged->guards) || each_candidate(&judge, ask_one, err);
}

bool judge_run(const struct planner_request *request, const struct decided *decided,
               struct arena *arena, struct plan_summary *summary, struct judged *judged,
               struct err *err)
{
    const struct judge judge = {request, decided, judged};
    *judged = (struct judged){.reaps = OWED_NOTHING};
    judged->fates = calloc((size_t)decided->candidates.count + 1, sizeof(*judged->fates));
    if (judged->fates == NULL)
        err_abort("out of memory");
    guard_init(&judged->guards, request->policies, summary->rows, arena);
    judged->guards.awaits_survey = request->survey != NULL;

    /* Who comes first under a guard is known only when all were counted. */
    if (!owed_reaps(request, &judged->reaps, err) || !each_candidate(&judge, judge_one, err) ||
        !judge_meetings(&judge, err) || !each_candidate(&judge, count_one, err))
        return false;
    guard_close(&judged->guards, summary->funnels, arena);
    return guard_check_least(&judged->guards, err) && judge_ask_guards(decided, judged, err);
}

void judge_free(struct judged *judged)
{
    free(judged->fates);
    guard_free(&judged->guards);
    owed_free(&judged->reaps);
}
