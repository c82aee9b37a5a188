#include "planner/returned.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "planner/whereabouts.h"
#include "state/catalog.h"
#include "state/journal.h"
#include "state/location.h"

#define BYTES_MAX ((size_t)1 << 30)
#define SCRATCH_BYTES_MAX ((size_t)64 << 20)

void returned_init(struct returned *returned)
{
    *returned = (struct returned){.repairs = OWED_NOTHING};
    arena_init(&returned->arena, BYTES_MAX);
    arena_init(&returned->answer, SCRATCH_BYTES_MAX);
    arena_init(&returned->scratch, SCRATCH_BYTES_MAX);
}

void returned_free(struct returned *returned)
{
    owed_free(&returned->repairs);
    arena_free(&returned->scratch);
    arena_free(&returned->answer);
    arena_free(&returned->arena);
}

/* -- the first pass ---------------------------------------------------------------------------- */

/* Directories come in byte order, store by store, and so do the sources of the journal: it is asked
 * only where one of them was passed. */
static bool is_source(const struct planner_request *request, struct returned *returned,
                      const char *url, bool *found, struct err *err)
{
    bool is_known = returned->asked != NULL && strcmp(url, returned->asked) >= 0 &&
                    (returned->source == NULL || strcmp(url, returned->source) <= 0);
    if (!is_known) {
        arena_reset(&returned->answer);
        returned->asked = arena_copy(&returned->answer, url);
        if (!journal_next_source(request->journal, url, &returned->answer, &returned->source, err))
            return false;
    }
    *found = returned->source != NULL && str_equal(url, returned->source);
    return true;
}

static void add_place(struct returned *returned, const struct candidate *facts)
{
    if (returned->count == returned->capacity) {
        returned->capacity = 2 * returned->capacity + 64;
        struct returned_place *more =
            arena_make(&returned->arena, returned->capacity * sizeof(*more));
        if (returned->count > 0)
            memcpy(more, returned->items, returned->count * sizeof(*more));
        returned->items = more;
    }
    returned->items[returned->count++] =
        (struct returned_place){.place = facts->place,
                                .store = facts->store,
                                .directory = arena_copy(&returned->arena, facts->directory),
                                .bytes = facts->bytes};
}

bool returned_note(const struct planner_request *request, struct returned *returned,
                   const struct candidate *facts, struct err *err)
{
    bool found;
    if (request->journal == NULL || request->survey == NULL || request->request != NULL ||
        returned->count == RETURNED_MAX)
        return true;
    arena_reset(&returned->scratch);
    const char *url = location_make(&request->policies->places.items[facts->place],
                                    facts->directory, "", &returned->scratch);
    if (!is_source(request, returned, url, &found, err))
        return false;
    if (found)
        add_place(returned, facts);
    return true;
}

/* -- what the journal and the catalog say ------------------------------------------------------ */

static struct journal_unit *keep_entry(struct arena *arena, const struct journal_unit *from)
{
    struct journal_unit *entry = arena_make(arena, sizeof(*entry));
    *entry = *from;
    entry->source = arena_copy(arena, from->source);
    entry->target = arena_copy(arena, from->target);
    entry->directory = arena_copy(arena, from->directory);
    entry->policy = arena_copy(arena, from->policy);
    return entry;
}

/* It cut rows over, nobody sends them back, and what stood at its target is known. */
static bool can_repair(const struct journal_unit *entry, const char *url)
{
    static const struct manifest_digest unknown = {0};
    const struct unit *unit = &entry->unit;
    enum unit_state stage = unit_stage(unit);
    bool may = stage == UNIT_REPAIRING || stage == UNIT_CUTOVER || stage == UNIT_DELETING ||
               stage == UNIT_SWEEPING || stage == UNIT_DONE;
    return may && str_equal(entry->source, url) &&
           memcmp(&unit->target_manifest, &unknown, sizeof(unknown)) != 0;
}

/* Do all of its rows, and no others, stand at its source? */
static bool ask_catalog(const struct planner_request *request, const struct journal_unit *entry,
                        struct arena *scratch, bool *are_back, struct err *err)
{
    struct catalog *catalog = request->catalog;
    struct catalog_cut cut = {.source = entry->source};
    struct catalog_row *rows;
    struct catalog_sight sight;
    if (!journal_rows_get(request->journal, entry->unit.id, scratch, &rows, &cut.count, err))
        return false;
    cut.rows = rows;
    if (!catalog->ops->look(catalog, &cut, false, &sight, err))
        return err_wrap(err, "looking at the rows of %s", entry->source);
    *are_back = sight.at_source == cut.count && sight.strangers == 0;
    return true;
}

/* The store where its objects are now: their tier may have been set since they came there. */
static bool find_target(const struct planner_request *request, const struct journal_unit *entry,
                        struct arena *scratch, struct returned_place *item, bool *found,
                        struct err *err)
{
    enum access_tier tier = entry->unit.tier;
    if (request->tier != NULL && !request->tier(request->tier_context, entry->target, &tier, err))
        return false;
    *found = whereabouts_of_unit(request->policies, entry->target, entry->directory, tier, scratch,
                                 &item->target);
    return true;
}

static bool find_unit(const struct planner_request *request, struct returned *returned,
                      struct returned_place *item, struct err *err)
{
    const struct policies *policies = request->policies;
    struct arena *scratch = &returned->scratch;
    struct journal_unit *last;
    bool has_target, are_back = false;
    arena_reset(scratch);
    const char *url =
        location_make(&policies->places.items[item->place], item->directory, "", scratch);
    if (!journal_last_move(request->journal, url, scratch, &last, err))
        return false;
    if (last == NULL || !can_repair(last, url))
        return true;
    if (!find_target(request, last, scratch, item, &has_target, err))
        return false;
    if (!has_target)
        return true;
    if (!ask_catalog(request, last, scratch, &are_back, err))
        return false;
    if (are_back)
        item->unit = keep_entry(&returned->arena, last);
    return true;
}

/* -- what the stores say ----------------------------------------------------------------------- */

static bool is_empty(const struct returned_place *item, const struct survey_question *question)
{
    (void)item;
    return question->objects == 0 && question->irregular == 0;
}

static bool is_whole(const struct returned_place *item, const struct survey_question *question)
{
    return memcmp(&question->digest, &item->unit->unit.target_manifest, sizeof(question->digest)) ==
           0;
}

/* One side of all items: which of them are asked, where, and what the answer must be. */
struct side {
    bool at_target;
    bool (*is_good)(const struct returned_place *item, const struct survey_question *question);
};

/* Of an open unit the source may hold what its deletion left: apply looks at that. */
static bool is_asked(const struct side *side, const struct returned_place *item, uint16_t store)
{
    if (item->unit == NULL || (!side->at_target && unit_is_open(&item->unit->unit)))
        return false;
    return (side->at_target ? item->target : item->store) == store;
}

static int compare_places(const void *a, const void *b)
{
    const struct returned_place *one = *(struct returned_place *const *)a;
    const struct returned_place *other = *(struct returned_place *const *)b;
    return str_compare(one->directory, other->directory);
}

static bool ask_batch(const struct planner_request *request, const struct side *side,
                      uint16_t store, struct returned_place **items, size_t count, struct err *err)
{
    struct survey_question *questions = calloc(count, sizeof(*questions));
    if (questions == NULL)
        err_abort("out of memory");
    for (size_t i = 0; i < count; i++)
        questions[i].directory = items[i]->directory;
    bool done = request->survey->ops->ask(request->survey, store, questions, count, err);
    for (size_t i = 0; done && i < count; i++)
        if (questions[i].err.kind != ERR_NONE || !side->is_good(items[i], &questions[i]))
            items[i]->unit = NULL;
    free(questions);
    return done;
}

/* Two sources may share a target, or lie in each other there: who lies in another one of the batch
 * is asked after it. */
static size_t take_batch(struct returned_place **items, size_t *count,
                         struct returned_place *batch[SURVEY_BATCH_MAX])
{
    size_t taken = 0, left = 0;
    for (size_t i = 0; i < *count; i++) {
        bool meets = taken > 0 && unit_covers(batch[taken - 1]->directory, items[i]->directory);
        if (taken < SURVEY_BATCH_MAX && !meets)
            batch[taken++] = items[i];
        else
            items[left++] = items[i];
    }
    *count = left;
    return taken;
}

static bool ask_store(const struct planner_request *request, struct returned *returned,
                      const struct side *side, uint16_t store, struct err *err)
{
    struct returned_place **items = calloc(returned->count + 1, sizeof(*items));
    struct returned_place *batch[SURVEY_BATCH_MAX];
    size_t count = 0;
    bool done = true;
    if (items == NULL)
        err_abort("out of memory");
    for (size_t i = 0; i < returned->count; i++)
        if (is_asked(side, &returned->items[i], store))
            items[count++] = &returned->items[i];
    qsort(items, count, sizeof(*items), compare_places);
    while (done && count > 0) {
        size_t taken = take_batch(items, &count, batch);
        done = ask_batch(request, side, store, batch, taken, err);
    }
    free(items);
    return done;
}

static bool ask_stores(const struct planner_request *request, struct returned *returned,
                       struct err *err)
{
    static const struct side sides[] = {{.at_target = false, .is_good = is_empty},
                                        {.at_target = true, .is_good = is_whole}};
    for (size_t i = 0; i < 2; i++)
        for (size_t store = 0; store < request->policies->store_count; store++)
            if (!ask_store(request, returned, &sides[i], (uint16_t)store, err))
                return false;
    return true;
}

static int compare_items(const void *a, const void *b)
{
    const struct returned_place *one = a, *other = b;
    return plan_compare(one->place, one->directory, other->place, other->directory);
}

/* -- all of it --------------------------------------------------------------------------------- */

static void move_totals(struct plan_summary *summary, const struct returned_place *item)
{
    struct plan_store_total *from = &summary->totals[item->store];
    struct plan_store_total *to = &summary->totals[item->target];
    from->recordings_after -= item->unit->unit.rows;
    from->bytes_after -= item->bytes;
    to->recordings_after += item->unit->unit.rows;
    to->bytes_after = plan_sum(to->bytes_after, item->bytes);
}

bool returned_settle(const struct planner_request *request, struct plan_summary *summary,
                     struct returned *returned, struct err *err)
{
    if (returned->count > 0)
        qsort(returned->items, returned->count, sizeof(*returned->items), compare_items);
    for (size_t i = 0; i < returned->count; i++)
        if (!find_unit(request, returned, &returned->items[i], err))
            return false;
    if (!ask_stores(request, returned, err) || !owed_begin(request, &returned->repairs, err))
        return false;
    for (size_t i = 0; i < returned->count; i++) {
        const struct returned_place *item = &returned->items[i];
        if (item->unit == NULL)
            continue;
        move_totals(summary, item);
        if (!owed_add(&returned->repairs, PLAN_REPAIR, item->unit, item->place, item->target, err))
            return false;
    }
    return owed_end(&returned->repairs, err);
}

bool returned_has(const struct returned *returned, uint16_t place, const char *directory)
{
    if (returned->count == 0)
        return false;
    const struct returned_place key = {.place = place, .directory = directory};
    const struct returned_place *found =
        bsearch(&key, returned->items, returned->count, sizeof(key), compare_items);
    return found != NULL && found->unit != NULL;
}
