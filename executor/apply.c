#include "executor/apply.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/str.h"
#include "executor/pool.h"
#include "planner/guard.h"
#include "planner/whereabouts.h"
#include "policy/window.h"
#include "state/location.h"
#include "state/unit.h"

#define LONG_LIVED_BYTES_MAX ((size_t)1 << 30)

/* What has been begun for a policy, against its guards. */
struct begun {
    const struct plan_guard *guard;
    struct guard_load total;
};

/* A unit that the plan names, and what for. */
struct asked {
    int64_t unit;
    enum plan_kind kind;
};

struct apply {
    const struct apply_request *request;
    struct apply_result *result;
    struct arena arena;
    struct journal_unit **open; /* to be carried on, in this order */
    size_t open_count, open_capacity, open_next;
    struct map carried;  /* sources of those: the plan's moves of them are under way already */
    struct asked *asked; /* units that the plan names, sorted */
    size_t asked_count, asked_next;
    bool only_asked;            /* the plan rolls back */
    bool only_own;              /* the plan has policies of its own, which know of no others */
    struct arena peeked;        /* holds the action that is next */
    struct plan_action *action; /* NULL: none, or not read yet   */
    bool plan_ended;
    struct begun *begun;
    size_t begun_count;
};

/* -- what is open --------------------------------------------------------------------------------
 */

static int compare_asked(const void *a, const void *b)
{
    const struct asked *one = a, *other = b;
    if (one->unit != other->unit)
        return one->unit < other->unit ? -1 : 1;
    return (one->kind > other->kind) - (one->kind < other->kind);
}

static bool is_listed(const struct apply *apply, int64_t unit, enum plan_kind kind)
{
    const struct asked key = {.unit = unit, .kind = kind};
    return apply->asked_count > 0 &&
           bsearch(&key, apply->asked, apply->asked_count, sizeof(key), compare_asked) != NULL;
}

/* What was reviewed long ago is not begun any more. */
static bool is_too_late(const struct apply *apply)
{
    struct clock *clock = apply->request->hands->clock;
    return clock->ops->now_us(clock) > apply->request->begin_until_us;
}

/* Rows that were cut over since the plan was made are not those that it saw come back: no grace
 * begins once more because a plan is applied again. */
static bool is_to_repair(const struct apply *apply, const struct unit *unit)
{
    return is_listed(apply, unit->id, PLAN_REPAIR) && !is_too_late(apply) &&
           unit->cleanup_at_us - unit->grace_us < plan_file_made(apply->request->plan)->at_us;
}

/* How far it came; a parked unit goes on from there. */
static enum unit_state stage_of(const struct unit *unit)
{
    return unit->state == UNIT_PARKED ? unit->left_state : unit->state;
}

/* Of a policy that this run has. */
static bool is_own(const struct apply *apply, const char *policy)
{
    const struct policies *policies = apply->request->hands->policies;
    for (size_t i = 0; i < policies->count; i++)
        if (str_equal(policies->items[i].name, policy))
            return true;
    return false;
}

/* Deleting was reviewed: with the plan that this run applies, or by whoever said reap. */
static bool is_wanted(const struct apply *apply, const struct journal_unit *entry)
{
    const struct unit *unit = &entry->unit;
    const struct apply_request *request = apply->request;
    struct clock *clock = request->hands->clock;
    enum unit_state stage = stage_of(unit);
    if (is_listed(apply, unit->id, PLAN_ROLLBACK) || is_to_repair(apply, unit))
        return true;
    if (apply->only_asked || (apply->only_own && !is_own(apply, entry->policy)))
        return false;
    if (stage == UNIT_CUTOVER) {
        bool due = unit->keep_source || unit->cleanup_at_us <= clock->ops->now_us(clock);
        bool immediate = unit->grace_us == 0; /* its deletion belongs to its move */
        return due && (request->reap_all || immediate || is_listed(apply, unit->id, PLAN_REAP));
    }
    return !request->only_reap || stage == UNIT_DELETING || stage == UNIT_SWEEPING;
}

static struct journal_unit *copy_entry(struct arena *arena, const struct journal_unit *from)
{
    struct journal_unit *entry = arena_make(arena, sizeof(*entry));
    *entry = *from;
    entry->source = arena_copy(arena, from->source);
    entry->target = arena_copy(arena, from->target);
    entry->source_store = arena_copy(arena, from->source_store);
    entry->target_store = arena_copy(arena, from->target_store);
    entry->directory = arena_copy(arena, from->directory);
    entry->policy = arena_copy(arena, from->policy);
    return entry;
}

static bool take_open(void *context, const struct journal_unit *entry, struct err *err)
{
    struct apply *apply = context;
    if (!is_wanted(apply, entry))
        return true;
    if (!arena_has(&apply->arena, 2 * (apply->open_count + 1024) * sizeof(void *)))
        return ERR(err, ERR_INPUT, "more than %zu directories are open", apply->open_count);
    if (apply->open_count == apply->open_capacity) {
        apply->open_capacity = 2 * apply->open_capacity + 64;
        struct journal_unit **more =
            arena_make(&apply->arena, apply->open_capacity * sizeof(*more));
        if (apply->open_count > 0)
            memcpy(more, apply->open, apply->open_count * sizeof(*more));
        apply->open = more;
    }
    struct journal_unit *copy = copy_entry(&apply->arena, entry);
    map_put(&apply->carried, copy->source, apply->open_count);
    apply->open[apply->open_count++] = copy;
    return true;
}

/* Neighbours go on together while they have the same two stores. */
static bool resumes_with(const struct cohort *cohort, const struct task *task, uint64_t objects)
{
    const struct task *first = &cohort->tasks[0];
    return cohort->count < COHORT_UNITS_MAX && task->source == first->source &&
           task->target == first->target &&
           objects + task->entry.unit.objects <= COHORT_OBJECTS_MAX;
}

static uint64_t objects_of(const struct cohort *cohort)
{
    uint64_t objects = 0;
    for (size_t i = 0; i < cohort->count; i++)
        objects += cohort->tasks[i].entry.unit.objects;
    return objects;
}

static void set_event(struct task *task, enum event_kind kind, struct clock *clock)
{
    task->event = (struct event){.kind = kind, .now_us = clock->ops->now_us(clock)};
    task->fresh = true;
}

static void report(struct apply *apply, const struct task *task, enum apply_outcome outcome)
{
    if (apply->request->report != NULL)
        apply->request->report(apply->request->report_context, task, outcome);
}

/* A unit whose store no policy declares any more can't be carried on; it stays open. */
static void report_storeless(struct apply *apply, const struct journal_unit *entry)
{
    struct task task = {.entry = *entry, .next = entry->unit, .resting = true};
    ERR(&task.err, ERR_INPUT, "no store of this policy is at %s and %s any more", entry->source,
        entry->target);
    apply->result->directories[APPLY_OPEN]++;
    report(apply, &task, APPLY_OPEN);
}

static bool make_resumed(struct apply *apply, const struct journal_unit *entry, struct arena *arena,
                         struct task *task, bool *made)
{
    const struct policies *policies = apply->request->hands->policies;
    *task = (struct task){.entry = *entry};
    /* Keep or delete is fixed only by the cut-over. */
    if (apply->request->keep_source && entry->unit.cleanup_at_us == 0)
        task->entry.unit.keep_source = true;
    /* Each run has its own: a run that was killed has proved nothing about the next one. */
    task->entry.unit.rounds = task->entry.unit.failures = 0;
    task->next = task->entry.unit;
    *made = whereabouts_of_unit(policies, entry->source, entry->directory, TIER_DEFAULT, arena,
                                &task->source) &&
            whereabouts_of_unit(policies, entry->target, entry->directory, entry->unit.tier, arena,
                                &task->target);
    return *made;
}

static enum event_kind event_for(const struct apply *apply, const struct unit *unit)
{
    if (is_listed(apply, unit->id, PLAN_ROLLBACK))
        return EVENT_RETURN;
    if (is_to_repair(apply, unit))
        return EVENT_REPAIR;
    return unit->state == UNIT_PARKED ? EVENT_RETRY : EVENT_RESUME;
}

static bool next_resumed(struct apply *apply, struct cohort *cohort, struct err *err)
{
    const struct hands *hands = apply->request->hands;
    for (; apply->open_next < apply->open_count; apply->open_next++) {
        const struct journal_unit *entry = apply->open[apply->open_next];
        struct task *task = &cohort->tasks[cohort->count];
        struct task made;
        bool has_stores;
        if (!make_resumed(apply, entry, &cohort->arena, &made, &has_stores)) {
            report_storeless(apply, entry);
            continue;
        }
        if (cohort->count > 0 && !resumes_with(cohort, &made, objects_of(cohort)))
            return true;
        *task = made;
        if (!journal_rows_get(hands->journal, entry->unit.id, &cohort->arena, &task->rows,
                              &task->row_count, err))
            return err_wrap(err, "reading the rows of %s", entry->directory);
        set_event(task, event_for(apply, &entry->unit), hands->clock);
        cohort->count++;
    }
    return true;
}

/* -- rows that came back to what was finished ----------------------------------------------------
 */

/* Was it cut over since the plan was made?  Then the plan has nothing left to do here, wherever the
 * rows have gone from there. */
static bool is_carried_out(const struct apply *apply, const struct task *task, bool *is_done,
                           struct err *err)
{
    int64_t arrived_us, made_us = plan_file_made(apply->request->plan)->at_us;
    if (!journal_passage(apply->request->hands->journal, task->entry.source, task->entry.target,
                         &arrived_us, err))
        return false;
    *is_done = arrived_us != 0 && arrived_us >= made_us;
    return true;
}

/* A unit of its own: what it repairs is closed. */
static void make_repair(const struct apply *apply, const struct journal_unit *done,
                        struct task *task)
{
    const struct unit *unit = &done->unit;
    task->entry = *done;
    task->entry.unit = (struct unit){.run = apply->request->run,
                                     .kind = UNIT_REPAIR,
                                     .state = UNIT_PLANNED,
                                     .verify = unit->verify,
                                     .tier = unit->tier,
                                     .keep_source = true, /* there is none */
                                     .objects = unit->objects,
                                     .rows = unit->rows};
    task->next = task->entry.unit;
    task->has_planned = true;
    task->planned = unit->target_manifest;
}

static void report_stale(struct apply *apply, const struct journal_unit *entry, const char *why)
{
    struct task task = {.entry = *entry, .next = entry->unit, .resting = true};
    task.next.reason = REASON_NONE;
    ERR(&task.err, ERR_CONFLICT, "%s", why);
    apply->result->directories[APPLY_STALE]++;
    report(apply, &task, APPLY_STALE);
}

/* Is the repair of this closed unit to be begun now?  What is not is counted. */
static bool admit_repair(struct apply *apply, const struct task *made, struct arena *arena,
                         bool *admitted, struct err *err)
{
    const struct journal_unit *done = &made->entry;
    struct journal_unit *last;
    bool is_done;
    *admitted = false;
    if (!is_carried_out(apply, made, &is_done, err) ||
        !journal_last_move(apply->request->hands->journal, done->source, arena, &last, err))
        return false;
    if (is_done)
        apply->result->directories[APPLY_ALREADY]++;
    else if (is_too_late(apply))
        apply->result->expired++;
    else if (done->unit.state != UNIT_DONE || last == NULL || last->unit.id != done->unit.id)
        report_stale(apply, done, "it was moved again since the plan was made");
    else
        *admitted = true;
    return true;
}

static bool add_repair(struct apply *apply, struct cohort *cohort, int64_t id, bool *is_full,
                       struct err *err)
{
    const struct hands *hands = apply->request->hands;
    struct task *task = &cohort->tasks[cohort->count];
    struct journal_unit done;
    struct task made;
    bool has_stores, admitted;
    *is_full = false;
    if (!journal_unit_get(hands->journal, id, &cohort->arena, &done, err))
        return err_wrap(err, "reading what is to be repaired");
    size_t carried;
    if (map_find(&apply->carried, done.source, &carried))
        return true; /* carried on, and repaired so */
    /* Where its objects are now: their tier may have been set since. */
    if (!journal_tier(hands->journal, done.target, &done.unit.tier, err))
        return false;
    if (!make_resumed(apply, &done, &cohort->arena, &made, &has_stores)) {
        report_storeless(apply, &done);
        return true;
    }
    if (!admit_repair(apply, &made, &cohort->arena, &admitted, err))
        return false;
    if (!admitted)
        return true;
    *is_full = cohort->count > 0 && !resumes_with(cohort, &made, objects_of(cohort));
    if (*is_full)
        return true;
    make_repair(apply, &done, &made);
    *task = made;
    set_event(task, EVENT_RESUME, hands->clock);
    cohort->count++;
    return journal_rows_get(hands->journal, id, &cohort->arena, &task->rows, &task->row_count, err);
}

/* What was closed before this run can't be sent back, unless it was. */
static bool count_rollback(struct apply *apply, int64_t id, struct arena *arena, struct err *err)
{
    struct journal_unit entry;
    size_t carried;
    if (!journal_unit_get(apply->request->hands->journal, id, arena, &entry, err))
        return err_wrap(err, "reading what is to be sent back");
    if (map_find(&apply->carried, entry.source, &carried))
        return true;
    if (entry.unit.state == UNIT_ROLLED_BACK)
        apply->result->directories[APPLY_ALREADY]++;
    else
        report_stale(apply, &entry, "nothing of it waits at its source any more");
    return true;
}

/* What the plan asks of units that are closed. */
static bool next_asked(struct apply *apply, struct cohort *cohort, struct err *err)
{
    bool is_full = false;
    for (; apply->asked_next < apply->asked_count; apply->asked_next++) {
        const struct asked *asked = &apply->asked[apply->asked_next];
        if (asked->kind == PLAN_ROLLBACK &&
            !count_rollback(apply, asked->unit, &cohort->arena, err))
            return false;
        if (asked->kind != PLAN_REPAIR)
            continue;
        if (!add_repair(apply, cohort, asked->unit, &is_full, err))
            return false;
        if (is_full)
            return true;
    }
    return true;
}

/* -- what the plan wants -------------------------------------------------------------------------
 */

static bool peek(struct apply *apply, struct err *err)
{
    while (apply->action == NULL && !apply->plan_ended) {
        arena_reset(&apply->peeked);
        if (!plan_file_next(apply->request->plan, &apply->peeked, &apply->action, err))
            return err_wrap(err, "reading the plan");
        if (apply->action == NULL)
            apply->plan_ended = true;
        else if (!plan_begins(apply->action))
            apply->action = NULL;
    }
    return true;
}

/* Guards are counted over the plan's own actions: applying it again begins the same directories.
 * As in the plan, a directory counts for each policy that takes it, and all of them must allow it.
 */
static bool within_guards(struct apply *apply, const struct plan_action *action)
{
    const struct guard_load load = {.recordings = action->row_count,
                                    .bytes = action->bytes,
                                    .deletes = !action->terms.keep_source};
    uint64_t catalog_rows = plan_file_summary(apply->request->plan)->rows;
    bool allowed = true;
    for (size_t i = 0; i < apply->begun_count; i++) {
        struct begun *begun = &apply->begun[i];
        if (!plan_is_by(action, begun->guard->policy))
            continue;
        guard_count(&begun->total, &load);
        allowed &= guard_allows(&begun->guard->guards, catalog_rows, &begun->total);
    }
    return allowed;
}

/* Outside its window nothing is begun. */
static bool is_in_window(const struct apply *apply, const struct plan_action *action, bool *is_open,
                         struct err *err)
{
    const struct hands *hands = apply->request->hands;
    int64_t now_us = hands->clock->ops->now_us(hands->clock);
    *is_open = true;
    return action->window == NULL ||
           window_all_open(action->window, hands->policies->zone, now_us, is_open, err);
}

/* The target's base and the row's own tail, byte for byte. */
static const char *moved_location(struct arena *arena, const struct task *task,
                                  const char *location)
{
    return str_format(arena, "%s%s", task->entry.target, location + strlen(task->entry.source));
}

static bool make_planned(const struct apply *apply, const struct plan_action *action,
                         struct arena *arena, struct task *task, struct err *err)
{
    const struct apply_request *request = apply->request;
    const struct policies *policies = request->hands->policies;
    const struct place *source = &policies->places.items[action->store];
    const struct place *target = &policies->places.items[action->target];

    *task = (struct task){.source = action->store,
                          .target = action->target,
                          .row_count = action->row_count,
                          .has_planned = action->surveyed,
                          .planned = action->manifest};
    task->entry = (struct journal_unit){
        .unit = {.run = request->run,
                 .kind = action->kind == PLAN_RETIER ? UNIT_RETIER : UNIT_MOVE,
                 .state = UNIT_PLANNED,
                 .verify = action->terms.verify,
                 .tier = action->tier,
                 .keep_source = action->terms.keep_source || request->keep_source,
                 .grace_us = action->terms.grace_us,
                 .objects = action->surveyed ? action->objects : 0,
                 .rows = (uint32_t)action->row_count},
        .source = location_make(source, action->directory, "", arena),
        .target = location_make(target, action->directory, "", arena),
        .source_store = arena_copy(arena, source->store),
        .target_store = arena_copy(arena, target->store),
        .directory = arena_copy(arena, action->directory),
        .policy = arena_copy(arena, action->policy)};
    if (action->tier != policies->stores[action->target].tier)
        return ERR(err, ERR_CORRUPT, "the plan has a tier for %s that is not that of %s",
                   action->directory, target->store);
    task->next = task->entry.unit;
    task->rows = arena_make(arena, action->row_count * sizeof(*task->rows));
    for (size_t i = 0; i < action->row_count; i++) {
        const struct plan_row *row = &action->rows[i];
        if (!unit_covers(task->entry.source, row->location))
            return ERR(err, ERR_CORRUPT, "the plan's row %s is not in %s", row->id,
                       task->entry.source);
        task->rows[i] =
            (struct catalog_row){.id = arena_copy(arena, row->id),
                                 .old_location = arena_copy(arena, row->location),
                                 .new_location = moved_location(arena, task, row->location)};
    }
    return true;
}

/* Nobody knows how large a directory is that was not surveyed: it is a cohort of its own. */
static uint64_t weight_of(const struct plan_action *action)
{
    return action->surveyed ? action->objects : COHORT_OBJECTS_MAX;
}

static bool fits(const struct cohort *cohort, const struct plan_action *action, uint64_t objects)
{
    const struct task *first = &cohort->tasks[0];
    return cohort->count < COHORT_UNITS_MAX && action->store == first->source &&
           action->target == first->target && objects + weight_of(action) <= COHORT_OBJECTS_MAX;
}

/* Is this planned move to be begun now?  What is not is counted. */
static bool admit(struct apply *apply, const struct plan_action *action, const struct task *task,
                  bool *admitted, struct err *err)
{
    size_t carried;
    bool allowed = within_guards(apply, action), is_done, is_open;
    *admitted = false;
    if (map_find(&apply->carried, task->entry.source, &carried))
        return true;
    if (!is_carried_out(apply, task, &is_done, err) || !is_in_window(apply, action, &is_open, err))
        return false;
    if (is_done)
        apply->result->directories[APPLY_ALREADY]++;
    else if (is_too_late(apply))
        apply->result->expired++;
    else if (!allowed)
        apply->result->refused++;
    else if (!is_open)
        apply->result->outside++;
    else
        *admitted = true;
    return true;
}

static bool next_planned(struct apply *apply, struct cohort *cohort, struct err *err)
{
    uint64_t objects = 0;
    for (;;) {
        if (!peek(apply, err))
            return false;
        const struct plan_action *action = apply->action;
        if (action == NULL || (cohort->count > 0 && !fits(cohort, action, objects)))
            return true;
        apply->action = NULL; /* taken: its arena stays until the next peek */
        struct task *task = &cohort->tasks[cohort->count];
        bool admitted;
        if (!make_planned(apply, action, &cohort->arena, task, err) ||
            !admit(apply, action, task, &admitted, err))
            return false;
        if (!admitted)
            continue;
        set_event(task, EVENT_RESUME, apply->request->hands->clock);
        objects += weight_of(action);
        cohort->count++;
    }
}

static bool is_time_over(const struct apply *apply)
{
    struct clock *clock = apply->request->hands->clock;
    return clock->ops->monotonic_us(clock) >= apply->request->take_until_us;
}

static bool feed_next(void *context, struct cohort *cohort, struct err *err)
{
    struct apply *apply = context;
    if (is_time_over(apply)) {
        apply->result->timed_out = true;
        return true;
    }
    if (!next_resumed(apply, cohort, err))
        return false;
    if (cohort->count > 0 || apply->request->plan == NULL)
        return true;
    if (!next_asked(apply, cohort, err))
        return false;
    return cohort->count > 0 || next_planned(apply, cohort, err);
}

/* -- what became of it ----------------------------------------------------------------------------
 */

static enum apply_outcome outcome_of(const struct task *task, bool is_new)
{
    const struct unit *unit = &task->next;
    switch (unit->state) {
    case UNIT_DONE:
        if (unit->id == 0)
            return APPLY_ALREADY;
        if (unit->kind == UNIT_RETIER)
            return APPLY_RETIERED;
        if (task->repaired_here)
            return APPLY_REPAIRED;
        return is_new ? APPLY_MOVED : APPLY_DELETED;
    case UNIT_ROLLED_BACK:
        return APPLY_ROLLED_BACK;
    case UNIT_CUTOVER:
        if (task->repaired_here)
            return APPLY_REPAIRED;
        if (unit->reason != REASON_GRACE && unit->reason != REASON_HELD &&
            unit->reason != REASON_REFERENCED)
            return APPLY_OPEN;
        return is_new ? APPLY_MOVED : APPLY_WAITING;
    case UNIT_SKIPPED:
        return unit->reason == REASON_STALE_ROWS || unit->reason == REASON_STALE_OBJECTS
                   ? APPLY_STALE
                   : APPLY_FAILED;
    case UNIT_ABANDONED:
        return APPLY_FAILED;
    case UNIT_PARKED:
        return APPLY_PARKED;
    default:
        return APPLY_OPEN;
    }
}

static void count_source(struct apply_result *result, const struct unit *unit)
{
    if (unit->kind != UNIT_MOVE)
        return;
    if (unit->state == UNIT_DONE && unit->keep_source)
        result->kept_sources++;
    else if (unit->state == UNIT_DONE)
        result->deleted_sources++;
    else if (unit->state == UNIT_CUTOVER) {
        result->waiting_sources++;
        if (result->next_cleanup_us == 0 || unit->cleanup_at_us < result->next_cleanup_us)
            result->next_cleanup_us = unit->cleanup_at_us;
    }
}

static bool is_unverified(enum unit_reason reason)
{
    return reason == REASON_TARGET_DIFFERS || reason == REASON_TARGET_HAS_MORE ||
           reason == REASON_UNPROVED || reason == REASON_TARGET_CHANGED ||
           reason == REASON_CATALOG_CHANGED || reason == REASON_ROWS_AT_SOURCE;
}

static void feed_done(void *context, const struct cohort *cohort)
{
    struct apply *apply = context;
    struct apply_result *result = apply->result;
    for (size_t i = 0; i < cohort->count; i++) {
        const struct task *task = &cohort->tasks[i];
        bool is_new = task->cut_over_here;
        enum apply_outcome outcome = outcome_of(task, is_new);
        result->directories[outcome]++;
        result->late += task->next.late;
        result->unverified |= is_unverified(task->next.reason);
        result->denied |= task->next.reason == REASON_DENIED;
        result->busy |= task->next.reason == REASON_BUSY;
        if (outcome == APPLY_MOVED) {
            result->moved_recordings += task->row_count;
            result->moved_objects += task->next.objects;
            result->moved_bytes += task->next.bytes;
        }
        if (outcome != APPLY_ALREADY)
            count_source(result, &task->next);
        report(apply, task, outcome);
    }
}

/* -- the run --------------------------------------------------------------------------------------
 */

/* The units that the plan names, and its guards. */
static bool read_plan(struct apply *apply, struct err *err)
{
    struct plan_reader *plan = apply->request->plan;
    const struct plan_header *header = plan_file_header(plan);
    const uint64_t *actions = plan_file_summary(plan)->actions;
    uint64_t named = actions[PLAN_REPAIR] + actions[PLAN_ROLLBACK] + actions[PLAN_REAP];

    apply->begun = arena_make(&apply->arena, header->guard_count * sizeof(*apply->begun));
    apply->begun_count = header->guard_count;
    for (size_t i = 0; i < header->guard_count; i++)
        apply->begun[i].guard = &header->guards[i];

    apply->only_asked = actions[PLAN_ROLLBACK] > 0;
    apply->only_own = header->request != NULL;
    apply->asked = arena_make(&apply->arena, named * sizeof(*apply->asked));
    if (!plan_file_rewind(plan, err))
        return false;
    for (;;) {
        struct plan_action *action;
        arena_reset(&apply->peeked);
        if (!plan_file_next(plan, &apply->peeked, &action, err))
            return false;
        if (action == NULL)
            break;
        if (plan_names_unit(action) && apply->asked_count < named)
            apply->asked[apply->asked_count++] =
                (struct asked){.unit = action->unit, .kind = action->kind};
    }
    qsort(apply->asked, apply->asked_count, sizeof(*apply->asked), compare_asked);
    return plan_file_rewind(plan, err);
}

static bool count_not_begun(struct apply *apply, struct arena *scratch, struct err *err)
{
    for (;;) {
        if (!peek(apply, err))
            return false;
        const struct plan_action *action = apply->action;
        if (action == NULL)
            return true;
        apply->action = NULL; /* taken: its arena stays until the next peek */
        arena_reset(scratch);
        struct task task;
        bool admitted;
        if (!make_planned(apply, action, scratch, &task, err) ||
            !admit(apply, action, &task, &admitted, err))
            return false;
        apply->result->not_begun += admitted;
    }
}

/* What was never handed out, after a stop. */
static bool count_left(struct apply *apply, struct err *err)
{
    struct arena scratch;
    apply->result->not_resumed = apply->open_count - apply->open_next;
    if (apply->request->plan == NULL)
        return true;
    arena_init(&scratch, COHORT_ARENA_BYTES_MAX);
    bool counted = count_not_begun(apply, &scratch, err);
    arena_free(&scratch);
    return counted;
}

static bool run(struct apply *apply, struct err *err)
{
    const struct apply_request *request = apply->request;
    struct journal_filter filter = {.open_only = true};
    struct pool_feed feed = {.next = feed_next, .done = feed_done, .context = apply};

    if (request->plan != NULL && !read_plan(apply, err))
        return err_wrap(err, "reading the plan");
    if (!journal_each(request->hands->journal, &filter, take_open, apply, err))
        return err_wrap(err, "reading what is open");
    if (!pool_run(request->hands, request->workers, &feed, err))
        return false;
    return count_left(apply, err);
}

bool apply_run(const struct apply_request *request, struct apply_result *result, struct err *err)
{
    struct apply apply = {.request = request, .result = result};
    *result = (struct apply_result){0};
    arena_init(&apply.arena, LONG_LIVED_BYTES_MAX);
    arena_init(&apply.peeked, PLAN_FILE_LINE_MAX * 8);
    map_init(&apply.carried, &apply.arena);
    bool done = run(&apply, err);
    arena_free(&apply.peeked);
    arena_free(&apply.arena);
    return done;
}

bool apply_check(const struct plan_header *header, const struct policies *policies,
                 const struct catalog_shape *shape, const char *lineage, struct err *err)
{
    if (header->simulation)
        return ERR(err, ERR_CONFLICT, "the plan is a simulation: its as_of lies in the future");
    if (!str_equal(header->policy_digest, policies->digest))
        return ERR(err, ERR_CONFLICT, "the policy files have changed since the plan was made");
    if (header->var_count != policies->var_count)
        return ERR(err, ERR_CONFLICT, "the plan was made with other variables");
    for (size_t i = 0; i < header->var_count; i++)
        if (!str_equal(header->vars[i].name, policies->vars[i].name) ||
            !str_equal(header->vars[i].value, policies->vars[i].value))
            return ERR(err, ERR_CONFLICT, "the plan was made with another value of the variable %s",
                       header->vars[i].name);
    if (!str_equal(header->catalog, shape->identity))
        return ERR(err, ERR_CONFLICT, "the plan is for the catalog %s, and this is %s",
                   header->catalog, shape->identity);
    if (header->store_count != policies->store_count)
        return ERR(err, ERR_CONFLICT, "the plan was made for other stores");
    for (size_t i = 0; i < header->store_count; i++)
        if (!str_equal(header->stores[i].name, policies->stores[i].name) ||
            !str_equal(header->stores[i].base, policies->places.items[i].base))
            return ERR(err, ERR_CONFLICT, "the plan was made with the store %s at %s",
                       header->stores[i].name, header->stores[i].base);
    if (!str_equal(header->journal, "none") && !str_equal(header->journal, lineage))
        return ERR(err, ERR_CONFLICT, "the plan was made with another journal");
    return true;
}

const char *apply_outcome_name(enum apply_outcome outcome)
{
    static const char *const names[] = {[APPLY_MOVED] = "moved",
                                        [APPLY_RETIERED] = "tier set",
                                        [APPLY_REPAIRED] = "repaired",
                                        [APPLY_ROLLED_BACK] = "rolled back",
                                        [APPLY_DELETED] = "source deleted",
                                        [APPLY_ALREADY] = "already there",
                                        [APPLY_WAITING] = "waiting",
                                        [APPLY_STALE] = "stale",
                                        [APPLY_FAILED] = "failed",
                                        [APPLY_PARKED] = "parked",
                                        [APPLY_OPEN] = "open"};
    return names[outcome];
}
