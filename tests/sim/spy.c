/* What the product tells itself: the linker leads these calls past us (--wrap).  Nothing is changed
 * here, but that a thread is run to its end where it is started: then all is one thread. */
#include <pthread.h>
#include <string.h>

#include "base/str.h"
#include "tests/sim/sim.h"

struct sim *spy_sim;

void __real_protocol_step(const struct unit *unit, const struct event *event, struct unit *next,
                          struct action *action);
bool __real_journal_begin(struct journal *journal, struct journal_new *units, size_t count,
                          struct err *err);
bool __real_journal_save(struct journal *journal, const struct unit *units, size_t count,
                         bool durable, struct err *err);
void __wrap_protocol_step(const struct unit *unit, const struct event *event, struct unit *next,
                          struct action *action);
bool __wrap_journal_begin(struct journal *journal, struct journal_new *units, size_t count,
                          struct err *err);
bool __wrap_journal_save(struct journal *journal, const struct unit *units, size_t count,
                         bool durable, struct err *err);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *context);
int __wrap_pthread_join(pthread_t thread, void **result);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *context)
{
    (void)attributes;
    *thread = pthread_self();
    start(context);
    return 0;
}

int __wrap_pthread_join(pthread_t thread, void **result)
{
    (void)thread;
    (void)result;
    return 0;
}

/* -- units --------------------------------------------------------------------------------------
 */

struct seen_unit *spy_unit(struct sim *sim, int64_t id)
{
    for (size_t i = 0; i < sim->unit_count; i++)
        if (sim->units[i].id == id)
            return &sim->units[i];
    return NULL;
}

struct seen_unit *spy_unit_at(struct sim *sim, int box, const char *key, bool at_target)
{
    for (size_t i = 0; i < sim->unit_count; i++) {
        struct seen_unit *unit = &sim->units[i];
        if (unit_is_open(&unit->saved) && (at_target ? unit->target : unit->source) == box &&
            unit_covers(unit->directory, key))
            return unit;
    }
    return NULL;
}

struct seen_unit *spy_copier(struct sim *sim, int box, const char *key)
{
    struct seen_unit *unit = spy_unit_at(sim, box, key, true);
    return unit != NULL && unit->doing == ACTION_COPY ? unit : NULL;
}

static int box_of(const struct sim *sim, const char *url)
{
    return str_starts(url, sim->places[STORE_HOT].base) ? BOX_HOT : BOX_COLD;
}

static void note_manifest(struct sim *sim, struct seen_unit *unit, const struct journal_new *new)
{
    for (size_t i = 0; i < new->fact_count &&i < MANIFEST_MAX; i++) {
        const struct object *want = &new->facts[i].want;
        const char *key = str_format(&sim->arena, "%s%s", unit->directory, want->key);
        unit->manifest[i].key = cloud_key(sim, key);
        unit->manifest[i].content =
            cloud_content(sim, unit->kind == UNIT_REPAIR ? unit->target : unit->source, want->etag);
        unit->manifest[i].spoiled = unit->manifest[i].rewritten = false;
        unit->manifest_count = i + 1;
    }
}

static void note_new(struct sim *sim, const struct journal_new *new)
{
    const struct journal_unit *entry = &new->entry;
    if (sim->unit_count == UNITS_MAX)
        err_abort("more units than a schedule may have");
    struct seen_unit *unit = &sim->units[sim->unit_count++];
    *unit =
        (struct seen_unit){.id = entry->unit.id,
                           .kind = entry->unit.kind,
                           .source = box_of(sim, entry->source),
                           .target = box_of(sim, entry->target),
                           .directory = arena_copy(&sim->arena, entry->directory),
                           .source_url = arena_copy(&sim->arena, entry->source),
                           .target_url = arena_copy(&sim->arena, entry->target),
                           .saved = entry->unit,
                           .doing = entry->unit.state == UNIT_COPYING ? ACTION_COPY : ACTION_STOP,
                           .may_be = UINT32_C(1) << entry->unit.state};
    if (unit->saved.state == UNIT_REPAIRING) {
        unit->doing = ACTION_LOOK;
        unit->looks = LOOK_REPAIR;
    }
    note_manifest(sim, unit, new);
    sim->counts.units++;
    trace(sim, "unit %d: %s to %s, %s", (int)unit->id, unit->source_url, unit->target_url,
          unit_state_name(entry->unit.state));
}

/* A durable write takes along what waited for one. */
void spy_promise_all(struct sim *sim)
{
    for (size_t i = 0; i < sim->unit_count; i++) {
        struct seen_unit *unit = &sim->units[i];
        unit->promised = unit->saved;
        unit->may_be = UINT32_C(1) << unit->saved.state;
    }
}

bool __wrap_journal_begin(struct journal *journal, struct journal_new *units, size_t count,
                          struct err *err)
{
    struct sim *sim = spy_sim;
    bool begun = __real_journal_begin(journal, units, count, err);
    for (size_t i = 0; i < count; i++) {
        /* One that failed may be there all the same, if its COMMIT was cut off at its end. */
        if (units[i].conflict == 0 && units[i].entry.unit.id != 0)
            note_new(sim, &units[i]);
        else if (begun)
            trace(sim, "%s is in the way of unit %d", units[i].entry.source,
                  (int)units[i].conflict);
    }
    if (begun)
        spy_promise_all(sim);
    return begun;
}

static void note_saved(struct sim *sim, const struct unit *unit)
{
    struct seen_unit *seen = spy_unit(sim, unit->id);
    if (seen == NULL)
        return;
    if (check_grace_is_fixed(&seen->saved, unit) &&
        unit->cleanup_at_us != seen->saved.cleanup_at_us)
        check_fail(sim, "the grace of unit %d starts again", (int)unit->id);
    /* Others may have made its cut-over, or its way back, as far as it can tell. */
    if (unit->state == UNIT_CUTOVER && seen->saved.state == UNIT_COMMITTING)
        check_release(sim, seen);
    if (unit->state == UNIT_ROLLED_BACK)
        seen->committed = false;
    /* It was cut over, and then the rows were taken back: who comes next brings what is his. */
    if (unit->state == UNIT_ABANDONED && !check_has_row_at(sim, seen->target_url))
        seen->committed = false;
    if (seen->saved.state == UNIT_REPAIRING)
        seen->told_cleanup_us = 0; /* a repair begins another grace */
    seen->saved = *unit;
    seen->may_be |= UINT32_C(1) << unit->state;
}

bool __wrap_journal_save(struct journal *journal, const struct unit *units, size_t count,
                         bool durable, struct err *err)
{
    struct sim *sim = spy_sim;
    bool saved = __real_journal_save(journal, units, count, durable, err);
    for (size_t i = 0; i < count; i++) {
        struct seen_unit *seen = spy_unit(sim, units[i].id);
        if (saved)
            note_saved(sim, &units[i]);
        else if (seen != NULL) /* a COMMIT that failed in its last sync */
            seen->may_be |= UINT32_C(1) << units[i].state;
    }
    if (saved && durable)
        spy_promise_all(sim);
    return saved;
}

/* Gate 1 and gate 2: who passes has seen the source as it was meant to be, at some time. */
static void check_gates(struct sim *sim, const struct seen_unit *seen, const struct unit *unit,
                        const struct unit *next)
{
    bool first = unit->state == UNIT_VERIFYING && next->state == UNIT_COMMITTING;
    bool second = unit->state == UNIT_CUTOVER &&
                  (next->state == UNIT_DELETING || next->state == UNIT_SWEEPING);
    if (first && seen->target_had_more && check_target_has_more(sim, seen))
        check_fail(sim, "unit %d passes gate 1, and its target has more", (int)unit->id);
    if ((first || second) && seen->source_was_odd && check_source_is_odd(sim, seen, first))
        check_fail(sim, "unit %d passes gate %d, and its source was rewritten", (int)unit->id,
                   first ? 1 : 2);
}

void __wrap_protocol_step(const struct unit *unit, const struct event *event, struct unit *next,
                          struct action *action)
{
    struct sim *sim = spy_sim;
    __real_protocol_step(unit, event, next, action);
    struct seen_unit *seen = spy_unit(sim, unit->id);
    if (sim->dead)
        return;
    if (unit->state != next->state || unit->reason != next->reason)
        trace(sim, "unit %d: %s > %s (%s)", (int)unit->id, unit_state_name(unit->state),
              unit_state_name(next->state), unit_reason_name(next->reason));
    if (seen == NULL)
        return;
    check_gates(sim, seen, unit, next);
    seen->wants_all = next->state == UNIT_VERIFYING;
    seen->source_was_odd = check_source_is_odd(sim, seen, seen->wants_all);
    seen->target_had_more = check_target_has_more(sim, seen);
    seen->doing = action->kind;
    seen->looks = action->kind == ACTION_LOOK ? action->look : 0;
    seen->saw_target = seen->saw_rows = seen->saw_references = false;
}
