/* What became of the directories of a run. */
#include "executor/apply_private.h"

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

void apply_note(void *context, const struct cohort *cohort)
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
        apply_report(apply, task, outcome);
    }
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
