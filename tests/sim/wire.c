/* The wire to a box: requests get lost before or after they had their effect, come twice, or so
 * late that nobody waits for them; and each effect is noticed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "tests/sim/sim.h"

struct wire {
    struct store store;
    struct sim *sim;
    int box;
    struct store *inner;
};

/* -- what becomes of a request ------------------------------------------------------------------
 */

enum fate {
    FATE_DONE,
    FATE_BUSY,
    FATE_DENIED,
    FATE_REFUSED,
    FATE_LOST,       /* no effect, no reply   */
    FATE_ANSWERLESS, /* an effect, no reply */
    FATE_LATE        /* no reply; the effect comes later */
};

static enum fate draw_fate(struct sim *sim)
{
    const struct traits *traits = &sim->traits;
    const struct {
        unsigned chance;
        enum fate fate;
    } fates[] = {{traits->busy, FATE_BUSY},          {traits->deny, FATE_DENIED},
                 {traits->refuse, FATE_REFUSED},     {traits->unknown, FATE_LOST},
                 {traits->unknown, FATE_ANSWERLESS}, {traits->zombie, FATE_LATE}};
    if (sim->quiet)
        return FATE_DONE;
    unsigned drawn = (unsigned)sim_draw(sim, 1000);
    for (size_t i = 0; i < sizeof(fates) / sizeof(fates[0]); i++) {
        if (drawn < fates[i].chance)
            return fates[i].fate;
        drawn -= fates[i].chance;
    }
    return FATE_DONE;
}

static struct store_outcome answer(enum fate fate)
{
    static const enum store_result results[] = {
        [FATE_DONE] = RESULT_DONE,     [FATE_BUSY] = RESULT_BUSY,
        [FATE_DENIED] = RESULT_DENIED, [FATE_REFUSED] = RESULT_REFUSED,
        [FATE_LOST] = RESULT_UNKNOWN,  [FATE_ANSWERLESS] = RESULT_UNKNOWN,
        [FATE_LATE] = RESULT_UNKNOWN};
    return (struct store_outcome){.result = results[fate]};
}

/* One more request that arrives when it likes. */
static void delay(struct sim *sim, struct zombie zombie)
{
    if (sim->zombie_count == ZOMBIES_MAX)
        return;
    zombie.key = arena_copy(&sim->arena, zombie.key);
    if (zombie.etag != NULL)
        zombie.etag = arena_copy(&sim->arena, zombie.etag);
    sim->zombies[sim->zombie_count++] = zombie;
}

/* The process is gone.  What it had sent together with the request at which it died is on its way
 * all the same. */
static void leave_behind(struct sim *sim, const struct zombie *zombie)
{
    if (sim->traits.zombie > 0 && sim_draw(sim, 4) == 0)
        delay(sim, *zombie);
}

/* True if the request reaches the box now. */
static bool send(struct sim *sim, const struct zombie *zombie, const char *verb, enum fate *fate)
{
    cloud_tick(sim);
    if (sim->dead) {
        *fate = FATE_LOST;
        return false;
    }
    sim->requests++;
    *fate = draw_fate(sim);
    if (*fate == FATE_LATE)
        delay(sim, *zombie);
    if (*fate != FATE_DONE && *fate != FATE_ANSWERLESS) {
        trace(sim, "%s %s: %s", verb, zombie->key,
              *fate == FATE_LATE ? "late" : store_result_name(answer(*fate).result));
        return false;
    }
    if (*fate == FATE_DONE && !sim->quiet && sim_chance(sim, sim->traits.twice))
        delay(sim, *zombie);
    return true;
}

/* -- effects ------------------------------------------------------------------------------------
 */

static struct wire *wire_of(struct store *store)
{
    return (struct wire *)store;
}

static struct slot look_at(const struct sim *sim, int box, size_t key, const char **etag)
{
    size_t size;
    const char *bytes = store_memory_get(sim->boxes[box], sim->keys[key], &size, etag);
    struct slot slot = {.there = bytes != NULL};
    if (slot.there && size > 0)
        slot.content = (unsigned)strtoul(bytes, NULL, 10);
    return slot;
}

/* The slot is as the box has it. */
static void refresh(struct sim *sim, int box, size_t key, bool by_us)
{
    bool was_copy = sim->slots[box][key].is_copy;
    sim->slots[box][key] = look_at(sim, box, key, NULL);
    sim->slots[box][key].is_copy = sim->slots[box][key].there && (by_us || was_copy);
}

static void copy_now(struct sim *sim, int box, struct copy *copy, const struct zombie *zombie)
{
    size_t key = cloud_key(sim, copy->target_key);
    struct slot before = sim->slots[box][key];
    const char *etag_before = NULL, *etag = NULL;
    char kept[40] = "";
    look_at(sim, box, key, &etag_before);
    if (before.there)
        snprintf(kept, sizeof(kept), "%s", etag_before);
    store_memory_store(sim->boxes[box])
        ->ops->copy(store_memory_store(sim->boxes[box]), store_memory_store(sim->boxes[!box]), copy,
                    1);
    struct slot after = look_at(sim, box, key, &etag);
    if (after.there == before.there && (!after.there || str_equal(kept, etag))) {
        trace(sim, "copy %s: %s", copy->target_key, store_result_name(copy->outcome.result));
        return;
    }
    refresh(sim, box, key, true);
    cloud_note_version(sim, box, key);
    if (zombie != NULL)
        cloud_note_written(sim, box, key);
    check_copied(sim, box, key, &before, zombie);
    check_effect(sim, "copied %s to %s", copy->target_key, box == BOX_HOT ? "hot" : "cold");
}

static void remove_now(struct sim *sim, int box, struct deletion *deletion,
                       const struct zombie *zombie)
{
    size_t key = cloud_key(sim, deletion->key);
    struct slot before = sim->slots[box][key];
    struct store *inner = store_memory_store(sim->boxes[box]);
    inner->ops->remove(inner, deletion, 1);
    refresh(sim, box, key, false);
    if (!before.there || sim->slots[box][key].there) {
        trace(sim, "delete %s: %s", deletion->key, store_result_name(deletion->outcome.result));
        return;
    }
    check_removed(sim, box, key, &before, zombie);
    check_effect(sim, "deleted %s on %s", deletion->key, box == BOX_HOT ? "hot" : "cold");
}

static void abort_now(struct sim *sim, int box, struct aborting *aborting)
{
    size_t key = cloud_key(sim, aborting->key);
    struct store *inner = store_memory_store(sim->boxes[box]);
    const char *before, *after = NULL;
    char kept[40] = "";
    if (look_at(sim, box, key, &before).there)
        snprintf(kept, sizeof(kept), "%s", before);
    inner->ops->abort_copy(inner, aborting, 1);
    if (!look_at(sim, box, key, &after).there || str_equal(kept, after))
        return;
    if (!sim->slots[box][key].is_copy)
        check_fail(sim, "4: the copy of %s was aborted, and is not ours", sim->keys[key]);
    refresh(sim, box, key, false);
    cloud_note_version(sim, box, key);
    check_effect(sim, "aborted the copy of %s", aborting->key);
}

static void tier_now(struct sim *sim, int box, struct tiering *tiering)
{
    size_t key = cloud_key(sim, tiering->key);
    struct store *inner = store_memory_store(sim->boxes[box]);
    inner->ops->set_tier(inner, tiering, 1);
    if (sim->slots[box][key].there)
        check_effect(sim, "set the tier of %s to %s", tiering->key,
                     object_tier_name(tiering->tier));
}

/* The service goes on by itself, for a while or for too long, and fails or not. */
static void maybe_pend(struct sim *sim, int box)
{
    static const int64_t times_us[] = {0, 3000000, 60000000, COPY_ENDLESS_US};
    if (sim->quiet || !sim_chance(sim, sim->traits.pend))
        return;
    sim->inner = RESULT_PENDING;
    sim->inner_applies = sim_draw(sim, 4) > 0;
    store_memory_set_copy_time(sim->boxes[box], times_us[sim_draw(sim, 4)]);
}

void wire_deliver(struct sim *sim, const struct zombie *zombie)
{
    struct copy copy = {.source_key = zombie->key,
                        .source_etag = zombie->etag,
                        .target_key = zombie->key,
                        .tier = zombie->tier};
    struct deletion deletion = {.key = zombie->key, .etag = zombie->etag};
    struct tiering tiering = {.key = zombie->key, .tier = zombie->tier};
    struct aborting aborting = {.key = zombie->key, .copy_id = zombie->etag};
    trace(sim, "a late request of unit %d arrives", (int)zombie->unit);
    if (zombie->kind == ZOMBIE_COPY) {
        maybe_pend(sim, zombie->box);
        copy_now(sim, zombie->box, &copy, zombie);
        sim->inner = RESULT_DONE;
    } else if (zombie->kind == ZOMBIE_ABORT)
        abort_now(sim, zombie->box, &aborting);
    else if (zombie->kind == ZOMBIE_REMOVE)
        remove_now(sim, zombie->box, &deletion, zombie);
    else
        tier_now(sim, zombie->box, &tiering);
}

/* -- the store ----------------------------------------------------------------------------------
 */

static void note_look(struct sim *sim, int box)
{
    for (size_t i = 0; i < sim->unit_count; i++)
        if (sim->units[i].target == box && sim->units[i].doing == ACTION_LOOK)
            sim->units[i].saw_target = true;
}

static void wire_list(struct store *store, struct listing *listings, size_t count,
                      struct arena *arena)
{
    static const enum err_kind kinds[] = {ERR_BUSY, ERR_BUSY, ERR_UNKNOWN_OUTCOME,
                                          ERR_UNKNOWN_OUTCOME, ERR_CORRUPT};
    struct wire *wire = wire_of(store);
    struct sim *sim = wire->sim;
    cloud_tick(sim);
    for (size_t i = 0; i < count; i++) {
        bool fails = sim->dead || (!sim->quiet && sim_chance(sim, sim->traits.list));
        if (!fails) {
            wire->inner->ops->list(wire->inner, &listings[i], 1, arena);
            continue;
        }
        listings[i].objects = NULL;
        listings[i].count = 0;
        listings[i].err = (struct err){0};
        ERR(&listings[i].err,
            sim->dead ? ERR_BUSY : kinds[sim_draw(sim, sim->traits.deny > 0 ? 5 : 4)],
            "the listing of %s was cut off", listings[i].prefix);
    }
    note_look(sim, wire->box);
    /* Copies that were under way have ended. */
    for (size_t k = 0; sim->traits.pend > 0 && !sim->dead && k < sim->key_count; k++) {
        unsigned before = sim->slots[wire->box][k].content;
        refresh(sim, wire->box, k, false);
        if (sim->slots[wire->box][k].content == 0)
            continue;
        cloud_note_version(sim, wire->box, k);
        if (before == 0)
            check_effect(sim, "the copy of %s is whole", sim->keys[k]);
    }
}

static void forget_reply(struct copy *copy)
{
    copy->target_etag[0] = copy->copy_id[0] = '\0';
    copy->md5_origin = MD5_ABSENT;
}

static void wire_copy(struct store *target, struct store *source, struct copy *copies, size_t count)
{
    (void)source;
    struct wire *wire = wire_of(target);
    struct sim *sim = wire->sim;
    bool alive = !sim->dead;
    for (size_t i = 0; i < count; i++) {
        const struct zombie zombie = {.kind = ZOMBIE_COPY,
                                      .box = wire->box,
                                      .key = copies[i].source_key,
                                      .etag = copies[i].source_etag,
                                      .tier = copies[i].tier,
                                      .unit = copies[i].unit};
        enum fate fate;
        forget_reply(&copies[i]);
        if (sim->dead && alive)
            leave_behind(sim, &zombie);
        bool sent = send(sim, &zombie, "copy", &fate);
        if (sent) {
            maybe_pend(sim, wire->box);
            copy_now(sim, wire->box, &copies[i], NULL);
            sim->inner = RESULT_DONE;
        }
        if (!sent || fate == FATE_ANSWERLESS || sim->dead) {
            copies[i].outcome = answer(sim->dead ? FATE_LOST : fate);
            forget_reply(&copies[i]);
        }
    }
}

static void wire_abort_copy(struct store *store, struct aborting *abortings, size_t count)
{
    struct wire *wire = wire_of(store);
    struct sim *sim = wire->sim;
    for (size_t i = 0; i < count; i++) {
        const struct zombie zombie = {.kind = ZOMBIE_ABORT,
                                      .box = wire->box,
                                      .key = abortings[i].key,
                                      .etag = abortings[i].copy_id};
        enum fate fate;
        bool sent = send(sim, &zombie, "abort", &fate);
        if (sent)
            abort_now(sim, wire->box, &abortings[i]);
        if (!sent || fate == FATE_ANSWERLESS || sim->dead)
            abortings[i].outcome = answer(sim->dead ? FATE_LOST : fate);
    }
}

static void wire_remove(struct store *store, struct deletion *deletions, size_t count)
{
    struct wire *wire = wire_of(store);
    struct sim *sim = wire->sim;
    bool alive = !sim->dead;
    for (size_t i = 0; i < count; i++) {
        const struct seen_unit *copier = spy_copier(sim, wire->box, deletions[i].key);
        const struct seen_unit *unit =
            copier != NULL ? copier : spy_unit_at(sim, wire->box, deletions[i].key, false);
        const struct zombie zombie = {.kind = ZOMBIE_REMOVE,
                                      .box = wire->box,
                                      .key = deletions[i].key,
                                      .etag = deletions[i].etag,
                                      .unit = unit != NULL ? unit->id : 0,
                                      .cleans = copier != NULL};
        enum fate fate;
        if (sim->dead && alive)
            leave_behind(sim, &zombie);
        bool sent = send(sim, &zombie, "delete", &fate);
        if (sent)
            remove_now(sim, wire->box, &deletions[i], NULL);
        if (!sent || fate == FATE_ANSWERLESS || sim->dead)
            deletions[i].outcome = answer(sim->dead ? FATE_LOST : fate);
    }
}

static void wire_read(struct store *store, struct reading *readings, size_t count)
{
    struct wire *wire = wire_of(store);
    struct sim *sim = wire->sim;
    for (size_t i = 0; i < count; i++) {
        cloud_tick(sim);
        enum fate fate = sim->dead ? FATE_LOST : draw_fate(sim);
        if (fate == FATE_DONE) {
            wire->inner->ops->read(wire->inner, &readings[i], 1);
            continue;
        }
        readings[i].got_bytes = 0;
        readings[i].outcome = answer(fate);
    }
}

static void wire_set_tier(struct store *store, struct tiering *tierings, size_t count)
{
    struct wire *wire = wire_of(store);
    struct sim *sim = wire->sim;
    for (size_t i = 0; i < count; i++) {
        const struct zombie zombie = {.kind = ZOMBIE_TIER,
                                      .box = wire->box,
                                      .key = tierings[i].key,
                                      .tier = tierings[i].tier};
        enum fate fate;
        bool sent = send(sim, &zombie, "tier", &fate);
        if (sent)
            tier_now(sim, wire->box, &tierings[i]);
        if (!sent || fate == FATE_ANSWERLESS || sim->dead)
            tierings[i].outcome = answer(sim->dead ? FATE_LOST : fate);
    }
}

static void wire_close(struct store *store)
{
    store_close(wire_of(store)->inner);
    free(store);
}

static const struct store_ops wire_ops = {.kind = "memory",
                                          .flat = true,
                                          .list = wire_list,
                                          .copy = wire_copy,
                                          .abort_copy = wire_abort_copy,
                                          .remove = wire_remove,
                                          .read = wire_read,
                                          .set_tier = wire_set_tier,
                                          .close = wire_close};

struct store *wire_make(struct sim *sim, int box)
{
    struct wire *wire = calloc(1, sizeof(*wire));
    if (wire == NULL)
        err_abort("out of memory");
    wire->inner = store_memory_store(sim->boxes[box]);
    wire->store = (struct store){.ops = &wire_ops, .name = wire->inner->name};
    wire->sim = sim;
    wire->box = box;
    return &wire->store;
}
