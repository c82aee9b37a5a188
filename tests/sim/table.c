/* The wire to the catalog: replies of COMMIT get lost, transactions end after everybody has gone,
 * and rows are edited by other hands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "state/location.h"
#include "state/unit.h"
#include "tests/sim/sim.h"

struct table_wire {
    struct catalog catalog;
    struct sim *sim;
    struct catalog *inner;
};

static struct sim *sim_of(struct catalog *catalog)
{
    return ((struct table_wire *)catalog)->sim;
}

static struct catalog *inner_of(struct catalog *catalog)
{
    return ((struct table_wire *)catalog)->inner;
}

const char *table_url(const struct sim *sim, int box, const char *key)
{
    return location_make(&sim->places[box == BOX_HOT ? STORE_HOT : STORE_COLD], key, "",
                         &((struct sim *)sim)->arena);
}

/* -- rows ---------------------------------------------------------------------------------------
 */

static void put_row(struct sim *sim, const struct sim_row *row)
{
    struct record record = {.id = row->id, .location = row->location};
    catalog_memory_put(sim->table, &record);
}

void table_edit(struct sim *sim, struct sim_row *row, const char *location)
{
    row->mover = 0;
    row->exists = location != NULL;
    if (!row->exists) {
        catalog_memory_remove(sim->table, row->id);
        return;
    }
    snprintf(row->location, sizeof(row->location), "%s", location);
    put_row(sim, row);
}

static struct sim_row *find_row(struct sim *sim, const char *id)
{
    for (size_t i = 0; i < sim->row_count; i++)
        if (str_equal(sim->rows[i].id, id))
            return &sim->rows[i];
    return NULL;
}

/* The rows have gone to their new locations. */
static void take_over(struct sim *sim, const struct catalog_cut *cut)
{
    for (size_t i = 0; i < cut->count; i++) {
        struct sim_row *row = find_row(sim, cut->rows[i].id);
        snprintf(row->location, sizeof(row->location), "%s", cut->rows[i].new_location);
    }
    check_committed(sim, cut);
    check_effect(sim, "cut over %s", cut->source);
}

/* -- a transaction whose COMMIT was sent and not answered ---------------------------------------
 */

static void leave_pending(struct sim *sim, const struct catalog_cut *cut)
{
    struct catalog_row *rows = arena_make(&sim->arena, cut->count * sizeof(*rows));
    for (size_t i = 0; i < cut->count; i++)
        rows[i] = (struct catalog_row){arena_copy(&sim->arena, cut->rows[i].id),
                                       arena_copy(&sim->arena, cut->rows[i].old_location),
                                       arena_copy(&sim->arena, cut->rows[i].new_location)};
    sim->pending = arena_make(&sim->arena, sizeof(*sim->pending));
    *sim->pending = (struct catalog_cut){
        .source = arena_copy(&sim->arena, cut->source), .rows = rows, .count = cut->count};
    sim->pending_commits = sim_draw(sim, 3) > 0;
}

/* It holds the locks of its rows: they are as it saw them. */
void table_settle(struct sim *sim)
{
    const struct catalog_cut *cut = sim->pending;
    if (cut == NULL)
        return;
    sim->pending = NULL;
    trace(sim, "a transaction that nobody waits for is %s",
          sim->pending_commits ? "committed" : "rolled back");
    if (!sim->pending_commits)
        return;
    for (size_t i = 0; i < cut->count; i++) {
        struct record record = {.id = cut->rows[i].id, .location = cut->rows[i].new_location};
        catalog_memory_put(sim->table, &record);
    }
    take_over(sim, cut);
}

/* -- the catalog --------------------------------------------------------------------------------
 */

static bool gone(struct err *err)
{
    return ERR(err, ERR_BUSY, "the catalog can't be reached");
}

static bool fails(struct sim *sim, unsigned chance, struct err *err)
{
    cloud_tick(sim);
    if (sim->dead)
        return !gone(err);
    if (sim->quiet)
        return false;
    if (sim_chance(sim, sim->traits.deny))
        return !ERR(err, ERR_DENIED, "the catalog refuses the password");
    return sim_chance(sim, chance) && !gone(err);
}

static bool wire_look(struct catalog *catalog, const struct catalog_cut *cut, bool lock,
                      struct catalog_sight *sight, struct err *err)
{
    struct sim *sim = sim_of(catalog);
    struct catalog *inner = inner_of(catalog);
    if (fails(sim, sim->traits.busy, err))
        return false;
    if (lock)
        table_settle(sim);
    if (sim->dead)
        return gone(err);
    if (!inner->ops->look(inner, cut, lock, sight, err))
        return false;
    sight->server_us = sim->now_us + sim->db_skew_us;
    for (size_t i = 0; i < sim->unit_count; i++)
        if (sim->units[i].doing == ACTION_LOOK && str_equal(sim->units[i].source_url, cut->source))
            sim->units[i].saw_rows = true;
    trace(sim, "look at rows of %s: %u at the source, %u at the target, %u elsewhere, %u strangers",
          cut->source, sight->at_source, sight->at_target, sight->elsewhere, sight->strangers);
    return true;
}

enum cut_fate { CUT_FATE_DONE, CUT_FATE_ANSWERLESS, CUT_FATE_LOST, CUT_FATE_PENDING };

static enum cut_fate draw_cut(struct sim *sim)
{
    if (sim->quiet || !sim_chance(sim, sim->traits.cut))
        return CUT_FATE_DONE;
    return (enum cut_fate)(1 + sim_draw(sim, 3));
}

static bool is_exact(struct catalog *inner, const struct catalog_cut *cut)
{
    struct catalog_sight sight;
    struct err err;
    return inner->ops->look(inner, cut, true, &sight, &err) && sight.at_source == cut->count &&
           sight.strangers == 0;
}

static bool wire_cut_over(struct catalog *catalog, const struct catalog_cut *cut,
                          enum catalog_outcome *outcome, struct err *err)
{
    struct sim *sim = sim_of(catalog);
    struct catalog *inner = inner_of(catalog);
    if (fails(sim, sim->traits.busy, err))
        return false;
    table_settle(sim);
    if (sim->dead)
        return gone(err);
    sim->requests++;
    enum cut_fate fate = draw_cut(sim);
    if (fate == CUT_FATE_DONE || fate == CUT_FATE_ANSWERLESS) {
        if (!inner->ops->cut_over(inner, cut, outcome, err))
            return false;
        if (*outcome == CATALOG_CUT)
            take_over(sim, cut);
    } else if (!is_exact(inner, cut)) {
        *outcome = CATALOG_CHANGED;
    } else if (fate == CUT_FATE_PENDING) {
        leave_pending(sim, cut);
    }
    if (sim->dead || (fate != CUT_FATE_DONE && *outcome != CATALOG_CHANGED) ||
        fate == CUT_FATE_ANSWERLESS)
        *outcome = CATALOG_UNKNOWN;
    trace(sim, "cut over of %s: %s", cut->source,
          *outcome == CATALOG_CUT       ? "done"
          : *outcome == CATALOG_CHANGED ? "changed"
                                        : "unknown");
    return true;
}

static bool wire_fetch(struct catalog *catalog, const char *const *ids, size_t count,
                       catalog_visit *visit, void *context, struct err *err)
{
    struct catalog *inner = inner_of(catalog);
    return !fails(sim_of(catalog), sim_of(catalog)->traits.busy, err) &&
           inner->ops->fetch(inner, ids, count, visit, context, err);
}

static bool wire_below(struct catalog *catalog, const char *url, size_t limit, catalog_visit *visit,
                       void *context, struct err *err)
{
    struct catalog *inner = inner_of(catalog);
    return !fails(sim_of(catalog), sim_of(catalog)->traits.busy, err) &&
           inner->ops->below(inner, url, limit, visit, context, err);
}

static bool wire_referenced(struct catalog *catalog, const char *const *urls, size_t count,
                            const struct catalog_reference **found, struct err *err)
{
    struct sim *sim = sim_of(catalog);
    struct catalog *inner = inner_of(catalog);
    if (fails(sim, sim->traits.busy, err))
        return false;
    for (size_t i = 0; i < sim->unit_count; i++)
        if (sim->units[i].doing == ACTION_LOOK && (sim->units[i].looks & LOOK_REFERENCES))
            sim->units[i].saw_references = true;
    return inner->ops->referenced(inner, urls, count, found, err);
}

static void wire_close(struct catalog *catalog)
{
    catalog_close(inner_of(catalog));
    free(catalog);
}

static const struct catalog_ops wire_ops = {.kind = "memory",
                                            .cut_over = wire_cut_over,
                                            .look = wire_look,
                                            .fetch = wire_fetch,
                                            .below = wire_below,
                                            .referenced = wire_referenced,
                                            .close = wire_close};

struct catalog *table_wire_make(struct sim *sim)
{
    struct table_wire *wire = calloc(1, sizeof(*wire));
    if (wire == NULL)
        err_abort("out of memory");
    wire->catalog.ops = &wire_ops;
    wire->sim = sim;
    wire->inner = catalog_memory_catalog(sim->table);
    return &wire->catalog;
}
