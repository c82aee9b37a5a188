#include "planner/guard.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/size.h"
#include "base/str.h"

static uint64_t rows_of_fraction(uint32_t ppm, uint64_t rows)
{
    if (ppm >= POLICY_FRACTION_ONE)
        return POLICY_NO_LIMIT;
    return rows / POLICY_FRACTION_ONE * ppm +
           rows % POLICY_FRACTION_ONE * ppm / POLICY_FRACTION_ONE;
}

void guard_init(struct guards *guards, const struct policies *policies, uint64_t catalog_rows,
                struct arena *arena)
{
    *guards = (struct guards){.policies = policies,
                              .catalog_rows = catalog_rows,
                              .items = arena_make(arena, policies->count * sizeof(*guards->items))};
    for (size_t i = 0; i < policies->count; i++) {
        struct guard *guard = &guards->items[i];
        const struct policy_guards *limits = &policies->items[i].guards;
        uint64_t rows_max = rows_of_fraction(limits->max_fraction_ppm, catalog_rows);
        guard->policy = &policies->items[i];
        guard->rows_max = rows_max < limits->max_recordings ? rows_max : limits->max_recordings;
        guard->truncates = limits->truncate && (guard->rows_max != POLICY_NO_LIMIT ||
                                                limits->max_bytes != POLICY_NO_LIMIT);
    }
}

void guard_free(struct guards *guards)
{
    for (size_t i = 0; guards->items != NULL && i < guards->policies->count; i++)
        free(guards->items[i].heap);
}

void guard_restart(struct guards *guards)
{
    guards->awaits_survey = false;
    for (size_t i = 0; i < guards->policies->count; i++) {
        guards->items[i].total = (struct guard_load){0};
        guards->items[i].offered = 0;
        guards->items[i].count = 0;
        guards->items[i].is_cut = false;
    }
}

/* -- the heap ---------------------------------------------------------------------------------- */

static bool is_before(const struct guard_entry *a, const struct guard_entry *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->index < b->index;
}

static void swap(struct guard_entry *a, struct guard_entry *b)
{
    struct guard_entry kept = *a;
    *a = *b;
    *b = kept;
}

static void push(struct guard *guard, const struct guard_entry *entry)
{
    if (guard->count == guard->capacity) {
        guard->capacity = 2 * guard->capacity + 64;
        guard->heap = realloc(guard->heap, guard->capacity * sizeof(*guard->heap));
        if (guard->heap == NULL)
            err_abort("out of memory");
    }
    size_t at = guard->count++;
    guard->heap[at] = *entry;
    for (; at > 0 && is_before(&guard->heap[(at - 1) / 2], &guard->heap[at]); at = (at - 1) / 2)
        swap(&guard->heap[(at - 1) / 2], &guard->heap[at]);
}

static struct guard_entry pop(struct guard *guard)
{
    struct guard_entry *heap = guard->heap;
    struct guard_entry last = heap[0];
    heap[0] = heap[--guard->count];
    for (size_t at = 0;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < guard->count && is_before(&heap[child], &heap[child + 1]))
            child++;
        if (child >= guard->count || !is_before(&heap[at], &heap[child]))
            return last;
        swap(&heap[at], &heap[child]);
        at = child;
    }
}

/* -- counting ---------------------------------------------------------------------------------- */

void guard_count(struct guard_load *total, const struct guard_load *load)
{
    total->recordings += load->recordings;
    /* Beyond any limit, rather than around. */
    if (__builtin_add_overflow(total->bytes, load->bytes, &total->bytes))
        total->bytes = POLICY_NO_LIMIT - 1;
    total->deletes += load->deletes;
}

bool guard_allows(const struct policy_guards *limits, uint64_t catalog_rows,
                  const struct guard_load *load)
{
    return load->recordings <= limits->max_recordings &&
           load->recordings <= rows_of_fraction(limits->max_fraction_ppm, catalog_rows) &&
           load->bytes <= limits->max_bytes && load->deletes <= limits->max_deletes;
}

static bool fits(const struct guard *guard)
{
    return guard->total.recordings <= guard->rows_max &&
           guard->total.bytes <= guard->policy->guards.max_bytes;
}

/* What follows the first that does not fit is left, whether it would fit or not: order_by says who
 * goes first, and nobody overtakes.                                                             */
static void add_in_order(struct guard *guard, const struct guard_entry *entry)
{
    if (guard->is_cut && !is_before(entry, &guard->threshold))
        return;
    push(guard, entry);
    guard_count(&guard->total, &entry->load);
    while (!fits(guard)) {
        guard->threshold = pop(guard);
        guard->is_cut = true;
        guard->total.recordings -= guard->threshold.load.recordings;
        guard->total.bytes -= guard->threshold.load.bytes;
        guard->total.deletes -= guard->threshold.load.deletes;
    }
}

static int64_t rank_of(enum policy_order order, const struct candidate *candidate)
{
    int64_t bytes = candidate->bytes > INT64_MAX ? INT64_MAX : (int64_t)candidate->bytes;
    switch (order) {
    case ORDER_NEWEST:
        return candidate->newest_us == INT64_MIN ? INT64_MAX : -candidate->newest_us;
    case ORDER_LARGEST:
        return -bytes;
    case ORDER_SMALLEST:
        return bytes;
    default:
        return candidate->oldest_us;
    }
}

void guard_add(struct guards *guards, const struct candidate *candidate, uint64_t index,
               uint64_t bytes)
{
    bool is_sure =
        !guards->awaits_survey || !candidate_retiers(candidate, &guards->policies->places);
    for (size_t i = 0; i < candidate->share_count; i++) {
        struct guard *guard = &guards->items[candidate->shares[i].policy];
        struct guard_entry entry = {.rank = rank_of(guard->policy->order, candidate),
                                    .index = index,
                                    .load = {.recordings = candidate->rows,
                                             .bytes = bytes,
                                             .deletes = !candidate->terms.keep_source}};
        guard->offered += candidate->rows;
        if (guard->truncates)
            add_in_order(guard, &entry);
        else if (is_sure)
            guard_count(&guard->total, &entry.load);
    }
}

/* -- what comes of it ---------------------------------------------------------------------------
 */

/* "10%", "0.25%" */
static const char *percent_text(uint32_t ppm, struct arena *arena)
{
    unsigned rest = ppm % 10000;
    int digits = 4;
    for (; rest > 0 && rest % 10 == 0; rest /= 10)
        digits--;
    if (rest == 0)
        return str_format(arena, "%u%%", (unsigned)(ppm / 10000));
    return str_format(arena, "%u.%0*u%%", (unsigned)(ppm / 10000), digits, rest);
}

/* The limit that a load breaks, as people know it; NULL: none. */
static const char *broken_limit(const struct guards *guards, const struct guard *guard,
                                const struct guard_load *load, struct arena *arena)
{
    const struct policy_guards *limits = &guard->policy->guards;
    uint64_t fraction_rows = rows_of_fraction(limits->max_fraction_ppm, guards->catalog_rows);
    char bytes[SIZE_TEXT_MAX];
    if (load->recordings > limits->max_recordings)
        return str_format(arena, "max_recordings %" PRIu64, limits->max_recordings);
    if (load->recordings > fraction_rows)
        return str_format(arena, "max_percent %s", percent_text(limits->max_fraction_ppm, arena));
    size_text(limits->max_bytes, bytes);
    if (load->bytes > limits->max_bytes)
        return str_format(arena, "max_bytes %s", bytes);
    if (load->deletes > limits->max_deletes)
        return str_format(arena, "max_deletes %" PRIu64, limits->max_deletes);
    return NULL;
}

static void close_one(const struct guards *guards, struct guard *guard, struct plan_funnel *funnel,
                      struct arena *arena)
{
    const char *broken = broken_limit(guards, guard, &guard->total, arena);
    if (broken != NULL && !guard->fails) {
        guard->fails = funnel->failed = true;
        funnel->guard = broken;
    } else if (guard->is_cut && funnel->guard == NULL) {
        struct guard_load beyond = guard->total;
        guard_count(&beyond, &guard->threshold.load);
        funnel->guard = broken_limit(guards, guard, &beyond, arena);
    }
}

void guard_close(struct guards *guards, struct plan_funnel *funnels, struct arena *arena)
{
    for (size_t i = 0; i < guards->policies->count; i++)
        close_one(guards, &guards->items[i], &funnels[i], arena);
}

bool guard_check_least(const struct guards *guards, struct err *err)
{
    for (size_t i = 0; i < guards->policies->count; i++) {
        const struct guard *guard = &guards->items[i];
        uint64_t least = guard->policy->guards.min_recordings;
        if (guard->policy->active && guard->offered < least)
            return ERR(err, ERR_INPUT,
                       "policy %s (%s) finds %" PRIu64 " recordings to move, and its guard "
                       "min_recordings wants %" PRIu64,
                       guard->policy->name, guard->policy->at, guard->offered, least);
    }
    return true;
}

bool guard_takes_all(const struct guards *guards)
{
    for (size_t i = 0; i < guards->policies->count; i++)
        if (guards->items[i].fails || guards->items[i].is_cut)
            return false;
    return true;
}

enum guard_answer guard_ask(const struct guards *guards, const struct candidate *candidate,
                            uint64_t index)
{
    enum guard_answer answer = GUARD_TAKES;
    for (size_t i = 0; i < candidate->share_count; i++) {
        const struct guard *guard = &guards->items[candidate->shares[i].policy];
        struct guard_entry entry = {.rank = rank_of(guard->policy->order, candidate),
                                    .index = index};
        if (guard->fails)
            return GUARD_REFUSES;
        if (guard->is_cut && !is_before(&entry, &guard->threshold))
            answer = GUARD_LEAVES;
    }
    return answer;
}
