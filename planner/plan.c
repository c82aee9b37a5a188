#include "planner/plan.h"

#include <assert.h>

const char *plan_kind_name(enum plan_kind kind)
{
    static const char *const names[] = {
        [PLAN_MOVE] = "move", [PLAN_REAP] = "reap", [PLAN_BLOCKED] = "blocked"};
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

int plan_compare(uint16_t store, const char *directory, uint16_t other_store,
                 const char *other_directory)
{
    if (store != other_store)
        return store < other_store ? -1 : 1;
    while (*directory != '\0' && *directory == *other_directory) {
        directory++;
        other_directory++;
    }
    return rank((unsigned char)*directory) - rank((unsigned char)*other_directory);
}

bool plan_funnel_adds_up(const struct plan_funnel *funnel)
{
    return funnel->rows == funnel->out + funnel->excluded + funnel->held + funnel->undecided +
                               funnel->lost + funnel->in_place + funnel->blocked + funnel->left +
                               funnel->planned;
}

uint64_t plan_sum(uint64_t a, uint64_t b)
{
    return b > INT64_MAX || a > INT64_MAX - b ? INT64_MAX : a + b;
}
