/* Other hands.  They may do anything at any time, but for what can't be closed from outside; these
 * are all exceptions:
 *   - from the listing of a target until the commit that relies on it: no write to the target;
 *   - from the listing of a target that a deletion relies on until no such delete can arrive any
 *     more: no write to the target;
 *   - from the look at the rows that a deletion relies on until then: no row is pointed at the
 *     source, nor, after the look at references, any of those;
 *   - where rows are sent back, likewise: no write to the source;
 *   - while a unit copies (and may clean up what it had copied), and until no such deletion can
 *     arrive any more: no row is pointed at its target.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "state/unit.h"
#include "tests/sim/sim.h"

/* -- what can't be closed -----------------------------------------------------------------------
 */

static bool is_deleting(const struct sim *sim, const struct seen_unit *unit)
{
    for (size_t i = 0; i < sim->zombie_count; i++)
        if (sim->zombies[i].kind == ZOMBIE_REMOVE && sim->zombies[i].unit == unit->id)
            return true;
    return unit->doing == ACTION_DELETE;
}

static bool is_cleaning_up(const struct sim *sim, const struct seen_unit *unit)
{
    for (size_t i = 0; i < sim->zombie_count; i++)
        if (sim->zombies[i].cleans && sim->zombies[i].unit == unit->id)
            return true;
    return unit->doing == ACTION_COPY;
}

static bool looks_for_deletion(const struct seen_unit *unit)
{
    return unit->doing == ACTION_LOOK && unit->looks == LOOK_GATE_2;
}

static bool is_pending_back(const struct sim *sim, const struct seen_unit *unit)
{
    return sim->pending != NULL && str_equal(sim->pending->source, unit->target_url);
}

static bool is_committing(const struct sim *sim, const struct seen_unit *unit)
{
    return unit->doing == ACTION_CUT_OVER ||
           (sim->pending != NULL && str_equal(sim->pending->source, unit->source_url));
}

static bool target_is_shut(const struct sim *sim, const struct seen_unit *unit)
{
    bool relied_on = unit->doing == ACTION_LOOK && (unit->looks & LOOK_TARGET) && unit->saw_target;
    return relied_on || is_committing(sim, unit) || is_deleting(sim, unit);
}

/* Rows are on their way back: the source is their target. */
static bool source_is_relied_on(const struct seen_unit *unit)
{
    return unit->saved.state == UNIT_RETURNING &&
           (unit->doing == ACTION_LOOK || unit->doing == ACTION_CUT_OVER);
}

static bool may_write(const struct sim *sim, int box, const char *key)
{
    for (size_t i = 0; i < sim->unit_count; i++) {
        const struct seen_unit *unit = &sim->units[i];
        if (unit->kind != UNIT_RETIER && unit->target == box && unit_covers(unit->directory, key) &&
            target_is_shut(sim, unit))
            return false;
        if (unit->source == box && unit_covers(unit->directory, key) &&
            (source_is_relied_on(unit) || is_pending_back(sim, unit)))
            return false;
    }
    return true;
}

/* Does a row, or a reference, that names this location harm nothing that is under way? */
static bool may_point(const struct sim *sim, const char *location, bool is_reference)
{
    for (size_t i = 0; i < sim->unit_count; i++) {
        const struct seen_unit *unit = &sim->units[i];
        bool seen = is_reference ? unit->saw_references : unit->saw_rows;
        bool source_is_shut = is_deleting(sim, unit) || (looks_for_deletion(unit) && seen);
        if (source_is_shut && unit_covers(unit->source_url, location))
            return false;
        if (is_cleaning_up(sim, unit) && unit_covers(unit->target_url, location))
            return false;
    }
    return true;
}

/* -- writers ------------------------------------------------------------------------------------
 */

/* New bytes; one time in three, of those that once stood at the key. */
static unsigned draw_content(struct sim *sim, size_t key)
{
    unsigned content = 1 + (unsigned)sim_draw(sim, sim->content_count);
    bool old = sim->traits.swings || sim_draw(sim, 3) == 0;
    return old && sim->contents[content].key == key ? content : 0;
}

static void swing(struct sim *sim)
{
    if (!may_write(sim, BOX_HOT, sim->keys[0]))
        return;
    trace(sim, "! another hand writes %s on hot", sim->keys[0]);
    cloud_write(sim, BOX_HOT, 0, draw_content(sim, 0));
    sim->counts.acts++;
}

static void write_somewhere(struct sim *sim)
{
    static const char *const more[] = {"late.h264", "b.asc"};
    int box = (int)sim_draw(sim, BOXES);
    size_t key = sim_draw(sim, sim->key_count);
    uint64_t what = sim_draw(sim, 4);
    if (what == 0) {
        const char *directory = sim->directories[sim_draw(sim, sim->directory_count)];
        key = cloud_key(sim, str_format(&sim->arena, "%s%s", directory, more[sim_draw(sim, 2)]));
    }
    if (!may_write(sim, box, sim->keys[key]))
        return;
    if (what == 3) {
        trace(sim, "! another hand removes %s on %s", sim->keys[key], box ? "cold" : "hot");
        cloud_erase(sim, box, key);
    } else {
        trace(sim, "! another hand writes %s on %s", sim->keys[key], box ? "cold" : "hot");
        cloud_write(sim, box, key, draw_content(sim, key));
    }
    sim->counts.acts++;
}

/* -- rows ---------------------------------------------------------------------------------------
 */

static bool is_locked(const struct sim *sim, const struct sim_row *row)
{
    for (size_t i = 0; sim->pending != NULL && i < sim->pending->count; i++)
        if (str_equal(sim->pending->rows[i].id, row->id))
            return true;
    return false;
}

static void point(struct sim *sim, struct sim_row *row, const char *location)
{
    if (is_locked(sim, row) || (location != NULL && !may_point(sim, location, false)))
        return;
    trace(sim, "! another hand points %s at %s", row->id, location != NULL ? location : "nothing");
    table_edit(sim, row, location);
    sim->counts.acts++;
}

static void insert_row(struct sim *sim)
{
    if (sim->row_count == ROWS_MAX)
        return;
    struct sim_row *row = &sim->rows[sim->row_count];
    const char *key = sim->keys[sim_draw(sim, sim->key_count)];
    const char *location = table_url(sim, (int)sim_draw(sim, BOXES), key);
    snprintf(row->id, sizeof(row->id), "R%zu", sim->row_count + 1);
    if (!may_point(sim, location, false))
        return;
    sim->row_count++;
    point(sim, row, location);
}

static void edit_row(struct sim *sim)
{
    struct sim_row *row = &sim->rows[sim_draw(sim, sim->row_count)];
    uint64_t what = sim_draw(sim, 4);
    if (what == 0)
        insert_row(sim);
    else if (what == 1)
        point(sim, row, row->exists && sim_draw(sim, 2) == 0 ? NULL : "ftp://elsewhere.example/x");
    else if (row->exists)
        point(sim, row,
              table_url(sim, (int)sim_draw(sim, BOXES), sim->keys[sim_draw(sim, sim->key_count)]));
}

/* The database goes on as a standby that had not heard of the cut-over. */
static void fail_over(struct sim *sim)
{
    if (sim->unit_count == 0 || sim->pending != NULL)
        return;
    struct seen_unit *unit = &sim->units[sim_draw(sim, sim->unit_count)];
    if (!unit->committed || unit->kind != UNIT_MOVE)
        return;
    for (size_t i = 0; i < sim->row_count; i++) {
        struct sim_row *row = &sim->rows[i];
        if (row->exists && row->mover == unit->id)
            point(sim, row,
                  str_format(&sim->arena, "%s%s", unit->source_url,
                             row->location + strlen(unit->target_url)));
    }
}

static void refer(struct sim *sim)
{
    const char *directory = sim->directories[sim_draw(sim, sim->directory_count)];
    const char *url = table_url(sim, BOX_HOT, directory);
    if (sim->referred_url != NULL || !may_point(sim, url, true))
        return;
    trace(sim, "! another table names %s", url);
    catalog_memory_refer(sim->table, 0, url);
    sim->referred_url = url;
    sim->counts.acts++;
}

void actors_act(struct sim *sim)
{
    const struct traits *traits = &sim->traits;
    const struct {
        unsigned weight;
        void (*act)(struct sim *sim);
    } actors[] = {{traits->write, traits->swings ? swing : write_somewhere},
                  {traits->edit, edit_row},
                  {traits->fail_over, fail_over},
                  {traits->refer, refer}};
    size_t all = 0;
    for (size_t i = 0; i < sizeof(actors) / sizeof(actors[0]); i++)
        all += actors[i].weight;
    if (all == 0)
        return;
    size_t drawn = sim_draw(sim, all);
    uint64_t before = sim->counts.acts;
    for (size_t i = 0; i < sizeof(actors) / sizeof(actors[0]); i++) {
        if (drawn < actors[i].weight) {
            actors[i].act(sim);
            break;
        }
        drawn -= actors[i].weight;
    }
    if (sim->counts.acts == before)
        return;
    sim->acts_left--;
    check_acted(sim);
}

/* -- what no process sees happen ----------------------------------------------------------------
 */

void actors_between_runs(struct sim *sim)
{
    static const int64_t skews_us[] = {0, -INT64_C(400000000), INT64_C(400000000),
                                       -INT64_C(240000000)};
    if (sim_draw(sim, 3) == 0)
        sim->now_us += (int64_t)sim_draw(sim, (size_t)(2 * sim->traits.grace_us + 1000000));
    if (sim_chance(sim, sim->traits.skew)) {
        sim->skew_us = skews_us[sim_draw(sim, 4)];
        sim->db_skew_us = skews_us[sim_draw(sim, 4)];
        trace(sim, "! the clocks are %d s and %d s off", (int)(sim->skew_us / 1000000),
              (int)(sim->db_skew_us / 1000000));
        sim->counts.acts++;
    }
    if (sim_chance(sim, sim->traits.keep)) {
        sim->keeps = !sim->keeps;
        sim->policy.terms.keep_source = sim->keeps;
        trace(sim, "! the policy says %s", sim->keeps ? "keep" : "delete");
        sim->counts.acts++;
    }
    if (sim->referred_url != NULL && sim_draw(sim, 3) == 0) {
        catalog_memory_refer_nothing(sim->table);
        sim->referred_url = NULL;
    }
    while (sim->acts_left > 0 && sim_draw(sim, 3) == 0) {
        unsigned before = sim->acts_left;
        actors_act(sim);
        if (sim->acts_left == before)
            break;
    }
}
