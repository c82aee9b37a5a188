/* What must hold after every effect, and at rest: the numbers are those of the safety rules. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "state/unit.h"
#include "tests/sim/sim.h"

void check_fail(struct sim *sim, const char *fmt, ...)
{
    va_list args;
    if (sim->failed)
        return;
    va_start(args, fmt);
    vsnprintf(sim->failure, sizeof(sim->failure), fmt, args);
    va_end(args);
    trace(sim, "VIOLATED: %s", sim->failure);
    sim->failed = true;
}

static bool is_at(const struct sim_row *row, const char *url)
{
    return row->exists && unit_covers(url, row->location);
}

static const struct sim_row *row_at(const struct sim *sim, const char *url)
{
    for (size_t i = 0; i < sim->row_count; i++)
        if (is_at(&sim->rows[i], url))
            return &sim->rows[i];
    return NULL;
}

bool check_has_row_at(const struct sim *sim, const char *url)
{
    return row_at(sim, url) != NULL;
}

/* -- after every effect -------------------------------------------------------------------------
 */

/* 1: what somebody wrote is somewhere, unless somebody else destroyed it. */
static void check_contents(struct sim *sim)
{
    for (unsigned i = 1; i <= sim->content_count; i++) {
        const struct content *content = &sim->contents[i];
        if (!content->destroyed && sim->slots[BOX_HOT][content->key].content != i &&
            sim->slots[BOX_COLD][content->key].content != i)
            check_fail(sim, "1: the bytes %u of %s are gone", i, sim->keys[content->key]);
    }
}

/* 3: whoever points at the target of a cut-over finds all of the manifest there. */
static void check_whole(struct sim *sim, const struct seen_unit *unit)
{
    const struct sim_row *row = row_at(sim, unit->target_url);
    for (size_t i = 0; row != NULL && i < unit->manifest_count; i++) {
        size_t key = unit->manifest[i].key;
        if (!unit->manifest[i].spoiled &&
            sim->slots[unit->target][key].content != unit->manifest[i].content)
            check_fail(sim, "3: %s points at %s, where %s is not what was moved by unit %d",
                       row->id, unit->target_url, sim->keys[key], (int)unit->id);
    }
}

static void check_all(struct sim *sim)
{
    check_contents(sim);
    for (size_t i = 0; i < sim->unit_count; i++)
        if (sim->units[i].committed)
            check_whole(sim, &sim->units[i]);
}

static void die(struct sim *sim, enum crash_kind kind)
{
    trace(sim, "--- %s", kind == CRASH_KILL ? "the process is killed" : "the power is cut");
    sim->dead = true;
    sim->counts.crashes++;
    atomic_store(&sim->stop, true);
    if (kind == CRASH_KILL)
        disk_kill();
    else
        disk_cut_power(&sim->crash_rand);
}

static void maybe_die(struct sim *sim)
{
    if (sim->crashes != NULL) {
        if (sim->crash_next < sim->crash_count &&
            sim->crashes[sim->crash_next].effect == sim->effects)
            die(sim, sim->crashes[sim->crash_next++].kind);
        return;
    }
    if (sim->quiet || sim->crashes_left == 0 ||
        rand_below(&sim->crash_rand, 1000) >= sim->traits.crash)
        return;
    sim->crashes_left--;
    die(sim, rand_below(&sim->crash_rand, 2) == 0 ? CRASH_KILL : CRASH_POWER);
}

void check_written(struct sim *sim, const char *what)
{
    sim->effects++;
    trace(sim, "* the journal is %s", what);
    maybe_die(sim);
}

void check_effect(struct sim *sim, const char *fmt, ...)
{
    char text[160];
    va_list args;
    sim->effects++;
    if (sim->traced) {
        va_start(args, fmt);
        vsnprintf(text, sizeof(text), fmt, args);
        va_end(args);
        trace(sim, "* %s", text);
    }
    check_all(sim);
    if (!sim->dead)
        maybe_die(sim);
}

/* The place of the key in the manifest; manifest_count: it has none. */
static size_t find_key(const struct seen_unit *unit, size_t key)
{
    size_t i = 0;
    while (i < unit->manifest_count && unit->manifest[i].key != key)
        i++;
    return i;
}

/* -- objects ------------------------------------------------------------------------------------
 */

/* A parked one is where it came from. */
static enum unit_state stage_of(const struct unit *unit)
{
    return unit->state == UNIT_PARKED ? unit->left_state : unit->state;
}

static void barrier(struct sim *sim, const struct seen_unit *unit, enum unit_state state,
                    const char *what)
{
    if (!sim->no_barriers && stage_of(&unit->promised) != state)
        check_fail(sim, "%s: unit %d is %s and no more on the disk", what, (int)unit->id,
                   unit_state_name(unit->promised.state));
}

void check_copied(struct sim *sim, int box, size_t key, const struct slot *before,
                  const struct zombie *zombie)
{
    const struct seen_unit *copier =
        zombie != NULL ? spy_unit(sim, zombie->unit) : spy_copier(sim, box, sim->keys[key]);
    if (before->there)
        check_fail(sim, "4: %s was written over", sim->keys[key]);
    if (copier == NULL)
        check_fail(sim, "5: %s was copied for no unit", sim->keys[key]);
    else if (!unit_covers(copier->directory, sim->keys[key]) || copier->target != box)
        check_fail(sim, "5: %s was copied outside of unit %d", sim->keys[key], (int)copier->id);
}

/* Our own clock, and those of store and catalog, are past the grace. */
static void check_grace(struct sim *sim, const struct seen_unit *unit)
{
    int64_t ends_us = unit->committed_us + unit->saved.grace_us;
    int64_t skew_us = sim->skew_us < sim->db_skew_us ? sim->skew_us : sim->db_skew_us;
    int64_t earliest_us = sim->now_us + (skew_us < 0 ? skew_us : 0), slack_us = 1000000;
    if (unit->saved.grace_us > 0 && earliest_us < ends_us)
        check_fail(sim, "an object of unit %d was deleted in its grace", (int)unit->id);
    if (llabs(sim->skew_us) > PROTOCOL_SKEW_US + slack_us ||
        llabs(sim->db_skew_us) > PROTOCOL_SKEW_US + slack_us)
        check_fail(sim, "unit %d deletes while the clocks are apart", (int)unit->id);
}

static void check_source_removed(struct sim *sim, const struct seen_unit *unit, size_t key,
                                 const struct slot *before)
{
    const struct sim_row *row = row_at(sim, unit->source_url);
    size_t i = find_key(unit, key);
    if (i == unit->manifest_count || unit->manifest[i].content != before->content)
        check_fail(sim, "1: %s was deleted, and is not what unit %d moved", sim->keys[key],
                   (int)unit->id);
    else if (!unit->manifest[i].spoiled && sim->slots[unit->target][key].content != before->content)
        check_fail(sim, "1: %s was deleted, and is not at the target", sim->keys[key]);
    if (row != NULL)
        check_fail(sim, "2: %s was deleted, and %s points at %s", sim->keys[key], row->id,
                   unit->source_url);
    if (sim->referred_url != NULL && unit_covers(unit->source_url, sim->referred_url))
        check_fail(sim, "%s was deleted, and another table names it", sim->keys[key]);
    if (unit->saved.keep_source)
        check_fail(sim, "%s was deleted, and was to be kept", sim->keys[key]);
    /* What is left is all there is: the copy is no copy any more. */
    if (sim->slots[unit->target][key].content == before->content)
        sim->slots[unit->target][key].is_copy = false;
}

/* The row that is at the unit's target and in whose directory the key lies. */
static const struct sim_row *row_beside(const struct sim *sim, const struct seen_unit *unit,
                                        size_t key)
{
    const char *url = table_url(sim, unit->target, sim->keys[key]);
    for (size_t i = 0; i < sim->row_count; i++) {
        const struct sim_row *row = &sim->rows[i];
        const char *end = row->exists ? strrchr(row->location, '/') : NULL;
        if (end != NULL && is_at(row, unit->target_url) &&
            strncmp(url, row->location, (size_t)(end + 1 - row->location)) == 0)
            return row;
    }
    return NULL;
}

/* An attempt of ours, and nothing points at it.  A deletion that is late finds what has come to lie
 * in its directory since: that is not touched. */
static void check_cleaned(struct sim *sim, const struct seen_unit *unit, size_t key,
                          const struct slot *before, bool is_late)
{
    const struct sim_row *row =
        is_late ? row_beside(sim, unit, key) : row_at(sim, unit->target_url);
    if (!before->is_copy)
        check_fail(sim, "4: %s was deleted, and is not ours", sim->keys[key]);
    if (row != NULL)
        check_fail(sim, "2: %s was cleaned up, and %s points at %s", sim->keys[key], row->id,
                   unit->target_url);
}

static void check_late_removal(struct sim *sim, size_t key, const struct slot *before,
                               const struct zombie *zombie)
{
    const struct seen_unit *unit = spy_unit(sim, zombie->unit);
    if (unit == NULL)
        check_fail(sim, "5: %s was deleted for no unit", sim->keys[key]);
    else if (zombie->cleans)
        check_cleaned(sim, unit, key, before, true);
    else
        check_source_removed(sim, unit, key, before);
}

void check_removed(struct sim *sim, int box, size_t key, const struct slot *before,
                   const struct zombie *zombie)
{
    const struct seen_unit *source = spy_unit_at(sim, box, sim->keys[key], false);
    const struct seen_unit *copier = spy_copier(sim, box, sim->keys[key]);
    if (zombie != NULL) {
        check_late_removal(sim, key, before, zombie);
    } else if (source != NULL && source->doing == ACTION_DELETE) {
        barrier(sim, source, UNIT_DELETING, "B3");
        check_grace(sim, source);
        check_source_removed(sim, source, key, before);
        if (sim->keeps) /* now; a request that is late knows of what was then */
            check_fail(sim, "%s was deleted, and its policy keeps", sim->keys[key]);
    } else if (copier != NULL)
        check_cleaned(sim, copier, key, before, false);
    else
        check_fail(sim, "5: %s was deleted for no unit", sim->keys[key]);
}

static bool is_as_in_manifest(const struct seen_unit *unit, size_t key, const struct slot *slot)
{
    size_t i = find_key(unit, key);
    return i < unit->manifest_count && unit->manifest[i].content == slot->content;
}

bool check_source_is_odd(const struct sim *sim, const struct seen_unit *unit, bool whole)
{
    for (size_t k = 0; k < sim->key_count; k++) {
        const struct slot *slot = &sim->slots[unit->source][k];
        if (slot->there && unit_covers(unit->directory, sim->keys[k]) &&
            !is_as_in_manifest(unit, k, slot))
            return true;
    }
    for (size_t i = 0; whole && i < unit->manifest_count; i++)
        if (!sim->slots[unit->source][unit->manifest[i].key].there)
            return true;
    return false;
}

bool check_target_has_more(const struct sim *sim, const struct seen_unit *unit)
{
    for (size_t k = 0; k < sim->key_count; k++)
        if (sim->slots[unit->target][k].there && unit_covers(unit->directory, sim->keys[k]) &&
            find_key(unit, k) == unit->manifest_count)
            return true;
    return false;
}

/* -- the cut-over -------------------------------------------------------------------------------
 */

static struct seen_unit *committer_of(struct sim *sim, const char *source)
{
    for (size_t i = 0; i < sim->unit_count; i++)
        if (unit_is_open(&sim->units[i].saved) && str_equal(sim->units[i].source_url, source))
            return &sim->units[i];
    return NULL;
}

static struct seen_unit *returner_of(struct sim *sim, const char *target)
{
    for (size_t i = 0; i < sim->unit_count; i++)
        if (stage_of(&sim->units[i].saved) == UNIT_RETURNING &&
            str_equal(sim->units[i].target_url, target))
            return &sim->units[i];
    return NULL;
}

static bool repairs(const struct seen_unit *unit)
{
    return stage_of(&unit->saved) == UNIT_REPAIRING;
}

/* A repair of what was being deleted begins no other grace. */
static bool has_begun_to_delete(const struct seen_unit *unit)
{
    enum unit_state left = unit->saved.left_state;
    return repairs(unit) && (left == UNIT_DELETING || left == UNIT_SWEEPING);
}

void check_release(struct sim *sim, const struct seen_unit *unit)
{
    for (size_t i = 0; i < sim->unit_count; i++) {
        struct seen_unit *earlier = &sim->units[i];
        for (size_t k = 0; earlier->target == unit->source && k < earlier->manifest_count; k++)
            earlier->manifest[k].spoiled |=
                unit_covers(unit->directory, sim->keys[earlier->manifest[k].key]);
    }
}

/* The rows are at the source again, where all must be as it was. */
static void check_returned(struct sim *sim, struct seen_unit *unit)
{
    barrier(sim, unit, UNIT_RETURNING, "B2");
    for (size_t i = 0; i < unit->manifest_count; i++)
        if (sim->slots[unit->source][unit->manifest[i].key].content != unit->manifest[i].content)
            check_fail(sim, "3: the rows of unit %d were sent back, and %s is not at the source",
                       (int)unit->id, sim->keys[unit->manifest[i].key]);
    for (size_t i = 0; i < sim->row_count; i++)
        if (sim->rows[i].mover == unit->id)
            sim->rows[i].mover = 0;
    unit->committed = false;
}

void check_acted(struct sim *sim)
{
    for (size_t i = 0; i < sim->unit_count; i++) {
        struct seen_unit *unit = &sim->units[i];
        unit->source_was_odd =
            unit->source_was_odd && check_source_is_odd(sim, unit, unit->wants_all);
        unit->target_had_more = unit->target_had_more && check_target_has_more(sim, unit);
    }
}

static bool is_cut(const struct catalog_cut *cut, const char *id)
{
    for (size_t i = 0; i < cut->count; i++)
        if (str_equal(cut->rows[i].id, id))
            return true;
    return false;
}

void check_committed(struct sim *sim, const struct catalog_cut *cut)
{
    struct seen_unit *unit = committer_of(sim, cut->source);
    struct seen_unit *returning = returner_of(sim, cut->source);
    if (returning != NULL) {
        check_returned(sim, returning);
        return;
    }
    if (unit == NULL) {
        check_fail(sim, "5: %s was cut over for no unit", cut->source);
        return;
    }
    barrier(sim, unit, repairs(unit) ? UNIT_REPAIRING : UNIT_COMMITTING, "B2");
    for (size_t i = 0; i < sim->row_count; i++)
        if (is_at(&sim->rows[i], unit->target_url) && is_cut(cut, sim->rows[i].id))
            sim->rows[i].mover = unit->id;
    check_release(sim, unit);
    unit->committed = true;
    if (!has_begun_to_delete(unit))
        unit->committed_us = sim->now_us;
    unit->told_cleanup_us = 0;
    if (unit->manifest_count == 0)
        check_fail(sim, "unit %d was cut over, and has no objects", (int)unit->id);
    check_whole(sim, unit);
}

/* -- what a new process finds -------------------------------------------------------------------
 */

static bool is_untouched(enum unit_state state)
{
    return state == UNIT_ABANDONED || state == UNIT_SKIPPED;
}

/* 10: what is said to be untouched is. */
static void check_untouched(struct sim *sim, int64_t unit)
{
    for (size_t i = 0; i < sim->row_count && unit != 0; i++)
        if (sim->rows[i].exists && sim->rows[i].mover == unit)
            check_fail(sim, "10: unit %d is said to be untouched, and %s was cut over by it",
                       (int)unit, sim->rows[i].id);
}

bool check_grace_is_fixed(const struct unit *before, const struct unit *after)
{
    return before->cleanup_at_us != 0 && before->state != UNIT_REPAIRING &&
           after->state != UNIT_REPAIRING && after->state != UNIT_ROLLED_BACK;
}

static bool check_unit(void *context, const struct journal_unit *entry, struct err *err)
{
    (void)err;
    struct sim *sim = context;
    struct seen_unit *unit = spy_unit(sim, entry->unit.id);
    if (unit == NULL) {
        check_fail(sim, "unit %d comes from nowhere", (int)entry->unit.id);
        return true;
    }
    unit->found = true;
    if (!(unit->may_be & UINT32_C(1) << entry->unit.state))
        check_fail(sim, "unit %d was promised to be %s, and is %s", (int)unit->id,
                   unit_state_name(unit->promised.state), unit_state_name(entry->unit.state));
    int64_t promised_us = unit->promised.cleanup_at_us;
    if (unit->promised.state == UNIT_REPAIRING || entry->unit.state == UNIT_REPAIRING)
        unit->told_cleanup_us = 0; /* a repair begins another grace */
    if (unit->told_cleanup_us != 0)
        promised_us = unit->told_cleanup_us;
    if (check_grace_is_fixed(&unit->promised, &entry->unit) && promised_us != 0 &&
        entry->unit.cleanup_at_us != promised_us)
        check_fail(sim, "10: the end of the grace of unit %d is not as it was told", (int)unit->id);
    unit->saved = unit->promised = entry->unit;
    unit->may_be = UINT32_C(1) << entry->unit.state;
    unit->doing = ACTION_STOP;
    if (is_untouched(entry->unit.state))
        check_untouched(sim, unit->id);
    return true;
}

/* One open unit a place. */
static void check_apart(struct sim *sim)
{
    for (size_t i = 0; i < sim->unit_count; i++)
        for (size_t k = 0; k < i; k++) {
            const struct seen_unit *a = &sim->units[i], *b = &sim->units[k];
            if (unit_is_open(&a->saved) && unit_is_open(&b->saved) &&
                (unit_covers(a->directory, b->directory) ||
                 unit_covers(b->directory, a->directory)) &&
                (a->source != a->target || b->source != b->target || a->source == b->source))
                check_fail(sim, "units %d and %d are open at one place", (int)b->id, (int)a->id);
        }
}

void check_journal(struct sim *sim)
{
    struct err err;
    size_t kept = 0;
    for (size_t i = 0; i < sim->unit_count; i++)
        sim->units[i].found = false;
    bool read =
        journal_each(sim->hands.journal, &(struct journal_filter){0}, check_unit, sim, &err);
    if (sim->dead) /* reading may write: what a crash left half done is taken back first */
        return;
    if (!read)
        check_fail(sim, "the journal can't be read: %s", err.text);
    for (size_t i = 0; i < sim->unit_count; i++) {
        if (!sim->units[i].found && sim->units[i].promised.id != 0)
            check_fail(sim, "unit %d was begun, and is not in the journal", (int)sim->units[i].id);
        if (sim->units[i].found)
            sim->units[kept++] = sim->units[i];
    }
    sim->unit_count = kept;
    check_apart(sim);
}

/* -- reports ------------------------------------------------------------------------------------
 */

static void check_done(struct sim *sim, const struct seen_unit *unit)
{
    for (size_t i = 0; i < unit->manifest_count; i++) {
        const struct slot *slot = &sim->slots[unit->source][unit->manifest[i].key];
        if (slot->there && slot->content == unit->manifest[i].content &&
            !unit->manifest[i].rewritten && unit->kind == UNIT_MOVE)
            check_fail(sim, "10: unit %d is said to be done, and %s is at its source",
                       (int)unit->id, sim->keys[unit->manifest[i].key]);
    }
}

void check_report(struct sim *sim, const struct task *task, enum apply_outcome outcome)
{
    const struct unit *said = &task->next;
    struct seen_unit *unit = spy_unit(sim, task->entry.unit.id);
    sim->counts.outcomes[outcome]++;
    trace(sim, "reported: %s %s (%s)", task->entry.directory, apply_outcome_name(outcome),
          unit_reason_name(said->reason));
    if (unit == NULL)
        return;
    /* What is done may be stale as well: to a plan that would send it back, or repair it. */
    bool is_stale = outcome == APPLY_STALE && said->state != UNIT_DONE;
    if (outcome == APPLY_FAILED || is_stale || outcome == APPLY_ROLLED_BACK)
        check_untouched(sim, unit->id);
    if (outcome == APPLY_MOVED && unit->committed_us == 0 && sim->counts.acts == 0)
        check_fail(sim, "10: unit %d is said to be moved, and is not", (int)unit->id);
    if (said->state == UNIT_DONE && !said->keep_source && outcome != APPLY_STALE)
        check_done(sim, unit);
    if (said->state == UNIT_CUTOVER && said->cleanup_at_us != 0) {
        if (unit->told_cleanup_us != 0 && unit->told_cleanup_us != said->cleanup_at_us)
            check_fail(sim, "10: the grace of unit %d starts again", (int)unit->id);
        unit->told_cleanup_us = said->cleanup_at_us;
    }
}

/* -- at rest ------------------------------------------------------------------------------------
 */

static bool may_rest(const struct unit *unit)
{
    if (unit->state == UNIT_PARKED)
        return unit->reason != REASON_NONE;
    return unit->state == UNIT_CUTOVER &&
           (unit->reason == REASON_GRACE || unit->reason == REASON_HELD ||
            unit->reason == REASON_REFERENCED || unit->reason == REASON_SKEW);
}

bool check_is_peaceful(const struct sim *sim)
{
    const struct traits *traits = &sim->traits;
    return sim->counts.acts == 0 && traits->refuse == 0 && traits->deny == 0 && traits->pend == 0 &&
           !traits->nested;
}

void check_rest(struct sim *sim)
{
    for (size_t i = 0; i < sim->unit_count; i++) {
        const struct unit *unit = &sim->units[i].saved;
        sim->counts.states[unit->state]++;
        sim->counts.reasons[unit->reason]++;
        if (unit_is_open(unit) && !may_rest(unit))
            check_fail(sim, "7: unit %d rests as %s (%s)", (int)unit->id,
                       unit_state_name(unit->state), unit_reason_name(unit->reason));
        if (unit->reason == REASON_INTERNAL)
            check_fail(sim, "unit %d ends for a reason that can't be", (int)unit->id);
        bool refused = unit->state == UNIT_ABANDONED && unit->kind != UNIT_REPAIR;
        if (check_is_peaceful(sim) && (unit_is_open(unit) || refused))
            check_fail(sim, "unit %d is %s (%s), and nobody disturbed it", (int)unit->id,
                       unit_state_name(unit->state), unit_reason_name(unit->reason));
    }
    check_all(sim);
}
