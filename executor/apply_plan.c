/* What the plan wants to be begun: moves and retiers, within guards, windows and its time. */
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "executor/apply_private.h"
#include "policy/window.h"
#include "state/location.h"

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
    if (!apply_is_carried_out(apply, task, &is_done, err) ||
        !is_in_window(apply, action, &is_open, err))
        return false;
    if (is_done)
        apply->result->directories[APPLY_ALREADY]++;
    else if (apply_is_too_late(apply))
        apply->result->expired++;
    else if (!allowed)
        apply->result->refused++;
    else if (!is_open)
        apply->result->outside++;
    else
        *admitted = true;
    return true;
}

bool apply_next_planned(struct apply *apply, struct cohort *cohort, struct err *err)
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
        apply_set_event(task, EVENT_RESUME, apply->request->hands->clock);
        objects += weight_of(action);
        cohort->count++;
    }
}

bool apply_count_planned(struct apply *apply, struct arena *scratch, struct err *err)
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
