/* What the journal has open, and what the plan asks of single units. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "executor/apply_private.h"
#include "planner/whereabouts.h"

/* -- what is open --------------------------------------------------------------------------------
 */

int apply_compare_asked(const void *a, const void *b)
{
    const struct asked *one = a, *other = b;
    if (one->unit != other->unit)
        return one->unit < other->unit ? -1 : 1;
    return (one->kind > other->kind) - (one->kind < other->kind);
}

static bool is_listed(const struct apply *apply, int64_t unit, enum plan_kind kind)
{
    const struct asked key = {.unit = unit, .kind = kind};
    return apply->asked_count > 0 && bsearch(&key, apply->asked, apply->asked_count, sizeof(key),
                                             apply_compare_asked) != NULL;
}

bool apply_is_too_late(const struct apply *apply)
{
    struct clock *clock = apply->request->hands->clock;
    return clock->ops->now_us(clock) > apply->request->begin_until_us;
}

/* Rows that were cut over since the plan was made are not those that it saw come back: no grace
 * begins once more because a plan is applied again. */
static bool is_to_repair(const struct apply *apply, const struct unit *unit)
{
    return is_listed(apply, unit->id, PLAN_REPAIR) && !apply_is_too_late(apply) &&
           unit->cleanup_at_us - unit->grace_us < plan_file_made(apply->request->plan)->at_us;
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
    enum unit_state stage = unit_stage(unit);
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

bool apply_take_open(void *context, const struct journal_unit *entry, struct err *err)
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

void apply_set_event(struct task *task, enum event_kind kind, struct clock *clock)
{
    task->event = (struct event){.kind = kind, .now_us = clock->ops->now_us(clock)};
    task->fresh = true;
}

void apply_report(struct apply *apply, const struct task *task, enum apply_outcome outcome)
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
    apply_report(apply, &task, APPLY_OPEN);
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

bool apply_next_open(struct apply *apply, struct cohort *cohort, struct err *err)
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
        apply_set_event(task, event_for(apply, &entry->unit), hands->clock);
        cohort->count++;
    }
    return true;
}

/* -- rows that came back to what was finished ----------------------------------------------------
 */

bool apply_is_carried_out(const struct apply *apply, const struct task *task, bool *is_done,
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
    apply_report(apply, &task, APPLY_STALE);
}

/* Is the repair of this closed unit to be begun now?  What is not is counted. */
static bool admit_repair(struct apply *apply, const struct task *made, struct arena *arena,
                         bool *admitted, struct err *err)
{
    const struct journal_unit *done = &made->entry;
    struct journal_unit *last;
    bool is_done;
    *admitted = false;
    if (!apply_is_carried_out(apply, made, &is_done, err) ||
        !journal_last_move(apply->request->hands->journal, done->source, arena, &last, err))
        return false;
    if (is_done)
        apply->result->directories[APPLY_ALREADY]++;
    else if (apply_is_too_late(apply))
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
    apply_set_event(task, EVENT_RESUME, hands->clock);
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
bool apply_next_asked(struct apply *apply, struct cohort *cohort, struct err *err)
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
