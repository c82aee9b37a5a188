#include "planner/plan_diff.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "planner/plan_parse.h"

/* At most one action of each kind is of one directory; the one behind them is read as well. */
#define ACTIONS_HELD (PLAN_KINDS + 1)

struct side {
    struct plan_reader *reader;
    const struct plan_header *header;
    uint16_t ranks[PLACE_MAX]; /* of each store: its place's, in the one order of both plans */
    struct arena arenas[ACTIONS_HELD];
    size_t turn;
    struct plan_action *next;                /* NULL: the end                         */
    const struct plan_action *wanted, *reap; /* of the directory at hand; NULL: none  */
};
struct merge {
    struct side old, new;
    bool is_edited;
    plan_diff_visit *visit;
    void *context;
};

/* -- names --------------------------------------------------------------------------------------
 */

const char *plan_diff_change_name(enum plan_diff_change change)
{
    static const char *const names[] = {[PLAN_DIFF_ADDED] = "added",
                                        [PLAN_DIFF_DROPPED] = "dropped",
                                        [PLAN_DIFF_CHANGED] = "changed"};
    assert(change < PLAN_DIFF_CHANGES);
    return names[change];
}

const char *plan_diff_what_name(enum plan_diff_what what)
{
    static const char *const names[PLAN_DIFF_WHATS] = {
        "action",  "reason", "target",   "policy",     "terms",
        "objects", "bytes",  "manifest", "recordings", "unit"};
    size_t i = 0;
    while (i < PLAN_DIFF_WHATS && 1u << i != (unsigned)what)
        i++;
    assert(i < PLAN_DIFF_WHATS);
    return names[i];
}

const char *plan_diff_cause_name(enum plan_diff_cause cause)
{
    static const char *const names[] = {[PLAN_DIFF_UNTOLD] = NULL,
                                        [PLAN_DIFF_EDITED] = "edited",
                                        [PLAN_DIFF_SELECTED] = "selected",
                                        [PLAN_DIFF_GONE] = "done-or-not-selected",
                                        [PLAN_DIFF_REFUSED] = "refused",
                                        [PLAN_DIFF_ALLOWED] = "no-longer-refused",
                                        [PLAN_DIFF_BLOCKED] = "blocked",
                                        [PLAN_DIFF_RELEASED] = "no-longer-blocked",
                                        [PLAN_DIFF_RIVAL] = "another-winner",
                                        [PLAN_DIFF_DUE] = "grace-over",
                                        [PLAN_DIFF_REAPED] = "reaped-or-not-due"};
    assert(cause < PLAN_DIFF_CAUSES);
    return names[cause];
}

/* -- whether they can be compared ---------------------------------------------------------------
 */

static bool check_bases(const struct plan_header *old, const struct plan_header *new,
                        struct err *err)
{
    for (size_t i = 0; i < old->store_count; i++)
        for (size_t j = 0; j < new->store_count; j++) {
            const struct plan_store *a = &old->stores[i], *b = &new->stores[j];
            if (str_equal(a->name, b->name) && !str_equal(a->base, b->base))
                return ERR(err, ERR_INPUT, "the store %s is %s in one plan and %s in the other",
                           a->name, a->base, b->base);
        }
    return true;
}

static bool has_place(const struct plan_header *header, const char *base)
{
    for (size_t i = 0; i < header->store_count; i++)
        if (str_equal(header->stores[i].base, base))
            return true;
    return false;
}

/* The first store from here on that is the first of its place; or the end. */
static uint16_t next_place(const struct plan_header *header, uint16_t store)
{
    while (store < header->store_count && plan_place(header, store) != store)
        store++;
    return store;
}

/* One order of all places that each plan keeps: a place that only one of them has stands before the
 * next one that both have.  Of each place only its first store is given its rank.                */
static bool rank_places(struct side *old, struct side *new, struct err *err)
{
    uint16_t i = 0, j = 0;
    for (uint16_t rank = 0; i < old->header->store_count || j < new->header->store_count; rank++) {
        const struct plan_store *a = &old->header->stores[i], *b = &new->header->stores[j];
        bool is_old = i < old->header->store_count && !has_place(new->header, a->base);
        bool is_new = !is_old && j < new->header->store_count && !has_place(old->header, b->base);
        if (!is_old && !is_new && !str_equal(a->base, b->base))
            return ERR(err, ERR_INPUT, "the places %s and %s are in another order in each plan",
                       a->base, b->base);
        if (!is_new) {
            old->ranks[i] = rank;
            i = next_place(old->header, i + 1);
        }
        if (!is_old) {
            new->ranks[j] = rank;
            j = next_place(new->header, j + 1);
        }
    }
    return true;
}

/* What is in stores of one place comes in one order. */
static void rank_stores(struct side *side)
{
    for (uint16_t i = 0; i < side->header->store_count; i++)
        side->ranks[i] = side->ranks[plan_place(side->header, i)];
}

static bool check_alike(struct merge *merge, struct err *err)
{
    const struct plan_header *old = merge->old.header, *new = merge->new.header;
    if (!str_equal(old->catalog, new->catalog))
        return ERR(err, ERR_INPUT, "the plans are of two catalogs, %s and %s", old->catalog,
                   new->catalog);
    if (!check_bases(old, new, err) || !rank_places(&merge->old, &merge->new, err))
        return false;
    rank_stores(&merge->old);
    rank_stores(&merge->new);
    return true;
}

bool plan_diff_is_edited(const struct plan_header *old, const struct plan_header *new)
{
    if (!str_equal(old->policy_digest, new->policy_digest) || old->var_count != new->var_count)
        return true;
    for (size_t i = 0; i < old->var_count; i++)
        if (!str_equal(old->vars[i].name, new->vars[i].name) ||
            !str_equal(old->vars[i].value, new->vars[i].value))
            return true;
    return false;
}

/* -- recordings ---------------------------------------------------------------------------------
 */

/* The order of a directory's rows in the catalog, and so in a plan. */
static int compare_rows(const struct plan_row *a, const struct plan_row *b)
{
    int order = str_compare(a->location, b->location);
    return order != 0 ? order : str_compare(a->id, b->id);
}

/* A blocked directory shows only some of its recordings. */
static bool knows_rows(const struct plan_action *action)
{
    return action == NULL || plan_begins(action);
}

void plan_diff_each_row(const struct plan_diff *diff, plan_diff_row *visit, void *context)
{
    const struct plan_action *before = diff->before, *after = diff->after;
    if (!knows_rows(before) || !knows_rows(after))
        return;
    size_t i = 0, before_count = before != NULL ? before->row_count : 0;
    size_t j = 0, after_count = after != NULL ? after->row_count : 0;
    while (i < before_count || j < after_count) {
        int order = i == before_count  ? 1
                    : j == after_count ? -1
                                       : compare_rows(&before->rows[i], &after->rows[j]);
        if (order < 0)
            visit(context, false, &before->rows[i]);
        else if (order > 0)
            visit(context, true, &after->rows[j]);
        i += order <= 0;
        j += order >= 0;
    }
}

static void count_row(void *context, bool is_gained, const struct plan_row *row)
{
    struct plan_diff *diff = context;
    (void)row;
    if (is_gained)
        diff->gained++;
    else
        diff->lost++;
}

/* -- what differs, and why ----------------------------------------------------------------------
 */

static const char *target_store(const struct plan_header *header, const struct plan_action *action)
{
    return action->target == POLICY_NO_INDEX ? NULL : header->stores[action->target].name;
}

static bool is_same_target(const struct plan_diff *diff)
{
    const struct plan_action *a = diff->before, *b = diff->after;
    return str_equal(target_store(diff->old_header, a), target_store(diff->new_header, b)) &&
           str_equal(a->target_directory, b->target_directory) &&
           (a->kind != b->kind || a->tier == b->tier);
}

static bool is_same_terms(const struct plan_action *a, const struct plan_action *b)
{
    return a->kind != b->kind ||
           (a->terms.verify == b->terms.verify && a->terms.keep_source == b->terms.keep_source &&
            a->terms.grace_us == b->terms.grace_us && str_equal(a->window, b->window));
}

/* Of what was found: a listing says more than the catalog does, which is no difference. */
static unsigned what_was_found(const struct plan_action *a, const struct plan_action *b)
{
    unsigned what = 0;
    if (a->surveyed != b->surveyed)
        return 0;
    if (a->bytes != b->bytes)
        what |= PLAN_DIFF_BYTES;
    if (a->surveyed && a->objects != b->objects)
        what |= PLAN_DIFF_OBJECTS;
    if (a->surveyed && memcmp(&a->manifest, &b->manifest, sizeof(a->manifest)) != 0)
        what |= PLAN_DIFF_MANIFEST;
    return what;
}

static unsigned what_differs(const struct plan_diff *diff)
{
    const struct plan_action *a = diff->before, *b = diff->after;
    bool both_blocked = a->kind == PLAN_BLOCKED && b->kind == PLAN_BLOCKED;
    unsigned what = what_was_found(a, b);
    if (a->kind != b->kind)
        what |= PLAN_DIFF_ACTION;
    if (both_blocked && (a->reason != b->reason || !str_equal(a->detail, b->detail)))
        what |= PLAN_DIFF_REASON;
    if (!is_same_target(diff))
        what |= PLAN_DIFF_TARGET;
    if (!str_equal(a->policy, b->policy))
        what |= PLAN_DIFF_POLICY;
    if (!is_same_terms(a, b))
        what |= PLAN_DIFF_TERMS;
    if (diff->gained > 0 || diff->lost > 0 || a->row_total != b->row_total)
        what |= PLAN_DIFF_RECORDINGS;
    if (a->unit != b->unit || a->due_us != b->due_us)
        what |= PLAN_DIFF_UNIT;
    return what;
}

static bool is_refused(const struct side *side, const char *policy)
{
    const struct plan_summary *summary = plan_file_summary(side->reader);
    for (size_t i = 0; i < summary->funnel_count; i++)
        if (str_equal(summary->funnels[i].policy, policy))
            return summary->funnels[i].failed;
    return false;
}

/* Of a directory that only one of the plans has.  The other one was refused by a guard, or is of
 * another policy, or of another time; if of both, it can't be told which of them it is.         */
static enum plan_diff_cause cause_of_one(const struct merge *merge, const struct plan_diff *diff)
{
    bool is_added = diff->change == PLAN_DIFF_ADDED;
    const struct plan_action *action = is_added ? diff->after : diff->before;
    int64_t old_us = diff->old_header->as_of_us, new_us = diff->new_header->as_of_us;
    if (action->kind == PLAN_REAP)
        return is_added ? PLAN_DIFF_DUE : PLAN_DIFF_REAPED;
    if (plan_names_unit(action))
        return PLAN_DIFF_UNTOLD;
    if (plan_begins(action) && is_refused(is_added ? &merge->old : &merge->new, action->policy))
        return is_added ? PLAN_DIFF_ALLOWED : PLAN_DIFF_REFUSED;
    if (merge->is_edited && old_us == new_us)
        return PLAN_DIFF_EDITED;
    if (!merge->is_edited && old_us < new_us)
        return is_added ? PLAN_DIFF_SELECTED : PLAN_DIFF_GONE;
    return PLAN_DIFF_UNTOLD;
}

static enum plan_diff_cause cause_of_change(const struct merge *merge, const struct plan_diff *diff)
{
    if (diff->what & PLAN_DIFF_ACTION) {
        if (diff->before->kind == PLAN_BLOCKED)
            return PLAN_DIFF_RELEASED;
        if (diff->after->kind == PLAN_BLOCKED)
            return PLAN_DIFF_BLOCKED;
        return merge->is_edited ? PLAN_DIFF_EDITED : PLAN_DIFF_UNTOLD;
    }
    if (diff->what & (PLAN_DIFF_POLICY | PLAN_DIFF_TARGET | PLAN_DIFF_TERMS))
        return merge->is_edited ? PLAN_DIFF_EDITED : PLAN_DIFF_RIVAL;
    return PLAN_DIFF_UNTOLD;
}

/* -- the merge ----------------------------------------------------------------------------------
 */

static bool tell(const struct merge *merge, const struct plan_action *before,
                 const struct plan_action *after, struct err *err)
{
    if (before == NULL && after == NULL)
        return true;
    struct plan_diff diff = {.change = before == NULL  ? PLAN_DIFF_ADDED
                                       : after == NULL ? PLAN_DIFF_DROPPED
                                                       : PLAN_DIFF_CHANGED,
                             .old_header = merge->old.header,
                             .new_header = merge->new.header,
                             .before = before,
                             .after = after};
    plan_diff_each_row(&diff, count_row, &diff);
    if (diff.change == PLAN_DIFF_CHANGED) {
        diff.what = what_differs(&diff);
        if (diff.what == 0)
            return true;
        diff.cause = cause_of_change(merge, &diff);
    } else {
        diff.cause = cause_of_one(merge, &diff);
    }
    return merge->visit(merge->context, &diff, err);
}

static bool read_next(struct side *side, struct err *err)
{
    struct arena *arena = &side->arenas[side->turn++ % ACTIONS_HELD];
    arena_reset(arena);
    return plan_file_next(side->reader, arena, &side->next, err);
}

static int compare(const struct side *a_side, const struct plan_action *a,
                   const struct side *b_side, const struct plan_action *b)
{
    return plan_compare(a_side->ranks[a->store], a->directory, b_side->ranks[b->store],
                        b->directory);
}

/* What a policy wants of a directory meets what it wanted before; a source that is to be deleted
 * there is another matter.                                                                      */
static bool take_directory(struct side *side, struct err *err)
{
    const struct plan_action *first = side->next;
    do {
        const struct plan_action *action = side->next;
        const struct plan_action **place = action->kind == PLAN_REAP ? &side->reap : &side->wanted;
        if (*place != NULL)
            return ERR(err, ERR_CORRUPT, "%s is both to move and blocked", action->directory);
        *place = action;
        if (!read_next(side, err))
            return false;
    } while (side->next != NULL && compare(side, first, side, side->next) == 0);
    return true;
}

static bool merge_all(struct merge *merge, struct err *err)
{
    struct side *old = &merge->old, *new = &merge->new;
    while (old->next != NULL || new->next != NULL) {
        int order = old->next == NULL   ? 1
                    : new->next == NULL ? -1
                                        : compare(old, old->next, new, new->next);
        old->wanted = old->reap = new->wanted = new->reap = NULL;
        if ((order <= 0 && !take_directory(old, err)) || (order >= 0 && !take_directory(new, err)))
            return false;
        if (!tell(merge, old->wanted, new->wanted, err) || !tell(merge, old->reap, new->reap, err))
            return false;
    }
    return true;
}

bool plan_diff_check(const struct plan_reader *old, const struct plan_reader *new, struct err *err)
{
    struct merge merge = {.old = {.header = plan_file_header(old)},
                          .new = {.header = plan_file_header(new)}};
    return check_alike(&merge, err);
}

static void side_init(struct side *side, struct plan_reader *reader)
{
    *side = (struct side){.reader = reader, .header = plan_file_header(reader)};
    for (size_t i = 0; i < ACTIONS_HELD; i++)
        arena_init(&side->arenas[i], plan_parse_bytes(PLAN_FILE_LINE_MAX));
}

static bool side_begin(struct side *side, struct err *err)
{
    return plan_file_rewind(side->reader, err) && read_next(side, err);
}

static void side_free(struct side *side)
{
    for (size_t i = 0; i < ACTIONS_HELD; i++)
        arena_free(&side->arenas[i]);
}

bool plan_diff_run(struct plan_reader *old, struct plan_reader *new, plan_diff_visit *visit,
                   void *context, struct err *err)
{
    struct merge merge = {.visit = visit, .context = context};
    side_init(&merge.old, old);
    side_init(&merge.new, new);
    merge.is_edited = plan_diff_is_edited(merge.old.header, merge.new.header);
    bool done = check_alike(&merge, err) && side_begin(&merge.old, err) &&
                side_begin(&merge.new, err) && merge_all(&merge, err);
    side_free(&merge.new);
    side_free(&merge.old);
    return done;
}
