/* Plans as apply reads them, without the file: the functions of plan_file.h that a run needs stand
 * here, so that the linker asks for no others. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "state/location.h"
#include "state/unit.h"
#include "tests/sim/sim.h"

#define ACTIONS_MAX 16

struct plan_reader {
    struct sim *sim;
    size_t next;
    struct plan_header header;
    struct plan_summary summary;
    struct plan_made made;
};

struct plan_reader *plans_open(struct sim *sim)
{
    static struct plan_reader reader;
    reader = (struct plan_reader){.sim = sim, .made.at_us = sim->plan_made_us};
    for (size_t i = 0; i < sim->plan_count; i++)
        reader.summary.actions[sim->plan[i].kind]++;
    return &reader;
}

const struct plan_header *plan_file_header(const struct plan_reader *reader)
{
    return &reader->header;
}

const struct plan_summary *plan_file_summary(const struct plan_reader *reader)
{
    return &reader->summary;
}

const struct plan_made *plan_file_made(const struct plan_reader *reader)
{
    return &reader->made;
}

bool plan_file_rewind(struct plan_reader *reader, struct err *err)
{
    (void)err;
    reader->next = 0;
    return true;
}

bool plan_file_next(struct plan_reader *reader, struct arena *arena, struct plan_action **action,
                    struct err *err)
{
    (void)arena;
    (void)err;
    struct sim *sim = reader->sim;
    *action = reader->next < sim->plan_count ? &sim->plan[reader->next++] : NULL;
    return true;
}

/* -- making one ---------------------------------------------------------------------------------
 */

static int box_of(uint16_t store)
{
    return store == STORE_HOT ? BOX_HOT : BOX_COLD;
}

/* What a survey would have seen. */
static void survey(struct sim *sim, struct plan_action *action)
{
    struct store *store = store_memory_store(sim->boxes[box_of(action->store)]);
    bool exact = !str_ends(action->directory, "/");
    struct object objects[KEYS_MAX];
    struct listing page = {.prefix = action->directory, .exact = exact};
    do {
        page.count = 0;
        store->ops->list(store, &page, 1, &sim->arena);
        for (size_t i = 0; i < page.count; i++) {
            objects[action->objects] = page.objects[i];
            objects[action->objects].key += strlen(action->directory);
            action->bytes += page.objects[i].bytes;
            action->objects++;
        }
    } while (page.marker != NULL);
    object_manifest_digest(objects, action->objects, &action->manifest);
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(((const struct plan_row *)a)->id, ((const struct plan_row *)b)->id);
}

/* All rows at the unit, or below it; a plan that is careless takes those right in it alone. */
static void add_rows(struct sim *sim, struct plan_action *action, const char *url, bool careless)
{
    action->rows = arena_make(&sim->arena, ROWS_MAX * sizeof(*action->rows));
    for (size_t i = 0; i < sim->row_count; i++) {
        const struct sim_row *row = &sim->rows[i];
        if (!row->exists || !unit_covers(url, row->location))
            continue;
        if (careless && strchr(row->location + strlen(url), '/') != NULL)
            continue;
        action->rows[action->row_count++] =
            (struct plan_row){.id = row->id, .location = arena_copy(&sim->arena, row->location)};
    }
    action->row_total = action->row_count;
    qsort(action->rows, action->row_count, sizeof(*action->rows), compare_ids);
}

static void add_move(struct sim *sim, uint16_t source, uint16_t target, const char *unit)
{
    bool retiers = box_of(source) == box_of(target);
    struct plan_action *action = &sim->plan[sim->plan_count];
    *action = (struct plan_action){.kind = retiers ? PLAN_RETIER : PLAN_MOVE,
                                   .store = source,
                                   .directory = unit,
                                   .target = target,
                                   .target_directory = unit,
                                   .tier = sim->definitions[target].tier,
                                   .policy = "age-out",
                                   .surveyed = sim_draw(sim, 4) > 0,
                                   .oldest_us = INT64_MAX,
                                   .terms = {.verify = sim->traits.verify,
                                             .keep_source = sim->traits.keep_source,
                                             .grace_us = sim->traits.grace_us}};
    add_rows(sim, action, table_url(sim, box_of(source), unit),
             sim->traits.nested && sim_draw(sim, 2) == 0);
    if (action->row_count == 0)
        return;
    if (action->surveyed)
        survey(sim, action);
    sim->plan_count++;
}

static void add_reaps(struct sim *sim)
{
    for (size_t i = 0; i < sim->unit_count && sim->plan_count < ACTIONS_MAX; i++) {
        const struct seen_unit *unit = &sim->units[i];
        if (unit->saved.state == UNIT_CUTOVER && unit->saved.cleanup_at_us <= sim->now_us &&
            sim_draw(sim, 2) == 0)
            sim->plan[sim->plan_count++] =
                (struct plan_action){.kind = PLAN_REAP, .unit = unit->id};
    }
}

/* Careless now and then: what can't be done is to be refused. */
static bool is_named(struct sim *sim, enum plan_kind kind, const struct seen_unit *unit)
{
    if (unit->promised.id == 0)
        return false;
    if (sim_draw(sim, 8) == 0)
        return unit->kind == UNIT_MOVE && unit->saved.state != UNIT_SKIPPED;
    if (kind == PLAN_ROLLBACK)
        return unit->saved.state == UNIT_CUTOVER || unit->saved.state == UNIT_PARKED;
    return unit->committed && check_has_row_at(sim, unit->source_url);
}

void plans_name(struct sim *sim, enum plan_kind kind)
{
    sim->plan = arena_make(&sim->arena, ACTIONS_MAX * sizeof(*sim->plan));
    sim->plan_count = 0;
    sim->plan_made_us = sim->now_us;
    for (size_t i = 0; i < sim->unit_count && sim->plan_count < ACTIONS_MAX; i++)
        if (is_named(sim, kind, &sim->units[i]))
            sim->plan[sim->plan_count++] =
                (struct plan_action){.kind = kind, .unit = sim->units[i].id};
}

void plans_make(struct sim *sim, uint16_t source, uint16_t target)
{
    sim->plan = arena_make(&sim->arena, ACTIONS_MAX * sizeof(*sim->plan));
    sim->plan_count = 0;
    sim->plan_made_us = sim->now_us;
    for (size_t i = 0; i < sim->directory_count && !sim->traits.by_object; i++)
        add_move(sim, source, target, sim->directories[i]);
    /* A row stands for its object. */
    const char *base = sim->places[source].base;
    for (size_t i = 0; i < sim->row_count && sim->traits.by_object; i++)
        if (sim->rows[i].exists && str_starts(sim->rows[i].location, base) &&
            sim->plan_count < ACTIONS_MAX)
            add_move(sim, source, target,
                     arena_copy(&sim->arena, sim->rows[i].location + strlen(base)));
    add_reaps(sim);
}
