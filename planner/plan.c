#include "planner/plan.h"

#include <assert.h>

#include "base/str.h"

const char *plan_kind_name(enum plan_kind kind)
{
    static const char *const names[] = {[PLAN_MOVE] = "move",
                                        [PLAN_RETIER] = "retier",
                                        [PLAN_REPAIR] = "repair",
                                        [PLAN_ROLLBACK] = "rollback",
                                        [PLAN_REAP] = "reap",
                                        [PLAN_BLOCKED] = "blocked"};
    assert(kind < PLAN_KINDS);
    return names[kind];
}

const char *plan_reason_name(enum plan_reason reason)
{
    static const char *const names[] = {[PLAN_REASON_NONE] = "none",
                                        [PLAN_HELD] = "hold",
                                        [PLAN_SHARED_DIRECTORY] = "shared-directory",
                                        [PLAN_SHARED_OBJECT] = "shared-object",
                                        [PLAN_NESTED_DIRECTORY] = "nested-directory",
                                        [PLAN_CONFLICT] = "conflict",
                                        [PLAN_SPELLING] = "spelling",
                                        [PLAN_OBJECT_MISSING] = "object-missing",
                                        [PLAN_SOURCE_MISSING] = "source-missing",
                                        [PLAN_NOT_A_FILE] = "not-a-file",
                                        [PLAN_OPEN_UNIT] = "open-unit",
                                        [PLAN_TARGET_COLLISION] = "target-collision",
                                        [PLAN_UNLISTED] = "unlisted",
                                        [PLAN_TOO_MANY_ROWS] = "too-many-rows",
                                        [PLAN_ARCHIVED] = "archived",
                                        [PLAN_OTHER_TIER] = "other-tier",
                                        [PLAN_MIN_RESIDENCY] = "min-residency"};
    assert(reason < PLAN_REASONS);
    return names[reason];
}

/* Where a byte of a raw key stands once location_make has spelled it: '#', '%' and '?' become %23,
 * %25 and %3F, so they stand together, behind '$'.                                              */
static int rank(unsigned char c)
{
    switch (c) {
    case '#':
        return 4 * '%';
    case '%':
        return 4 * '%' + 1;
    case '?':
        return 4 * '%' + 2;
    default:
        return 4 * c;
    }
}

uint16_t plan_place(const struct plan_header *header, uint16_t store)
{
    uint16_t first = 0;
    while (!str_equal(header->stores[first].base, header->stores[store].base))
        first++;
    return first;
}

int plan_compare(uint16_t place, const char *directory, uint16_t other_place,
                 const char *other_directory)
{
    if (place != other_place)
        return place < other_place ? -1 : 1;
    while (*directory != '\0' && *directory == *other_directory) {
        directory++;
        other_directory++;
    }
    return rank((unsigned char)*directory) - rank((unsigned char)*other_directory);
}

bool plan_begins(const struct plan_action *action)
{
    return action->kind == PLAN_MOVE || action->kind == PLAN_RETIER;
}

bool plan_names_unit(const struct plan_action *action)
{
    return action->kind == PLAN_REPAIR || action->kind == PLAN_ROLLBACK ||
           action->kind == PLAN_REAP;
}

bool plan_is_by(const struct plan_action *action, const char *policy)
{
    for (size_t i = 0; i < action->also_count; i++)
        if (str_equal(action->also[i], policy))
            return true;
    return str_equal(action->policy, policy);
}

bool plan_funnel_adds_up(const struct plan_funnel *funnel)
{
    return funnel->rows == funnel->out + funnel->excluded + funnel->held + funnel->undecided +
                               funnel->lost + funnel->in_place + funnel->blocked + funnel->left +
                               funnel->planned;
}

void plan_count(struct plan_summary *summary, const struct plan_action *action)
{
    summary->actions[action->kind]++;
    if (action->kind == PLAN_MOVE) {
        summary->move_recordings += action->row_total;
        summary->move_objects = plan_sum(summary->move_objects, action->objects);
        summary->move_bytes = plan_sum(summary->move_bytes, action->bytes);
        summary->move_deletes += !action->terms.keep_source && action->terms.grace_us == 0;
    } else if (action->kind == PLAN_RETIER) {
        summary->retier_recordings += action->row_total;
        summary->retier_objects = plan_sum(summary->retier_objects, action->objects);
        summary->retier_bytes = plan_sum(summary->retier_bytes, action->bytes);
    } else if (action->kind == PLAN_REPAIR) {
        summary->repair_recordings += action->row_total;
    } else if (action->kind == PLAN_ROLLBACK) {
        summary->rollback_recordings += action->row_total;
    } else if (action->kind == PLAN_REAP) {
        summary->reap_objects = plan_sum(summary->reap_objects, action->objects);
        summary->reap_bytes = plan_sum(summary->reap_bytes, action->bytes);
    }
}

uint64_t plan_sum(uint64_t a, uint64_t b)
{
    return b > INT64_MAX || a > INT64_MAX - b ? INT64_MAX : a + b;
}
