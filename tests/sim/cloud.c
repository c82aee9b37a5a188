/* The world of a schedule: what stands in the boxes, and what is known of it beside them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "tests/sim/sim.h"

#define START_US INT64_C(1750000000000000)

static const char *const names[STORES] = {"hot", "cold", "cool"};
static const char *const bases[STORES] = {"https://hot.example/d/", "https://cold.example/d/",
                                          "https://cold.example/d/"};
static const enum access_tier tiers[STORES] = {TIER_DEFAULT, TIER_DEFAULT, TIER_COOL};

/* -- time -------------------------------------------------------------------------------------- */

static struct sim *sim_of_clock(struct clock *clock)
{
    return (struct sim *)((char *)clock - offsetof(struct sim, clock));
}

static int64_t our_now(struct clock *clock)
{
    return sim_of_clock(clock)->now_us;
}

static void our_sleep(struct clock *clock, int64_t us)
{
    struct sim *sim = sim_of_clock(clock);
    if (sim->dead || us <= 0)
        return;
    sim->now_us += us;
    cloud_tick(sim);
}

static int64_t their_now(struct clock *clock)
{
    const struct sim *sim = (struct sim *)((char *)clock - offsetof(struct sim, store_clock));
    return sim->now_us + sim->skew_us;
}

static const struct clock_ops our_clock = {our_now, our_now, our_sleep};
static const struct clock_ops their_clock = {their_now, their_now, our_sleep};

/* -- boxes ------------------------------------------------------------------------------------- */

/* The wire says what becomes of the next item. */
static enum store_result next_fault(void *context, enum store_memory_verb verb, const char *key,
                                    bool *apply)
{
    (void)verb;
    (void)key;
    struct sim *sim = context;
    enum store_result result = sim->inner;
    *apply = sim->inner_applies;
    sim->inner = RESULT_DONE;
    return result;
}

void cloud_make(struct sim *sim)
{
    static const struct catalog_reference reference = {"training_set", "file_url"};
    sim->clock.ops = &our_clock;
    sim->store_clock.ops = &their_clock;
    sim->now_us = START_US;
    for (int i = 0; i < BOXES; i++) {
        sim->boxes[i] = store_memory_make(names[i], &sim->store_clock);
        store_memory_set_fault(sim->boxes[i], next_fault, sim);
        store_memory_set_page(sim->boxes[i], sim->traits.page);
        store_memory_set_computes(sim->boxes[i], sim->traits.computes);
        sim->wires[i] = wire_make(sim, i);
    }
    for (int i = 0; i < STORES; i++) {
        sim->definitions[i] = (struct policy_store){.name = names[i], .tier = tiers[i]};
        sim->places[i] = (struct place){.store = names[i], .base = bases[i]};
        sim->stores[i] = sim->wires[i == STORE_HOT ? BOX_HOT : BOX_COLD];
    }
    sim->config = (struct catalog_config){.id = "id",
                                          .location = "location",
                                          .table = "t",
                                          .by_object = sim->traits.by_object,
                                          .references = &reference,
                                          .reference_count = 1};
    sim->table = catalog_memory_make(&sim->config, NULL);
    sim->wire = table_wire_make(sim);
    sim->policy = (struct policy){.name = "age-out"};
    sim->policies = (struct policies){
        .stores = sim->definitions,
        .store_count = STORES,
        .items = &sim->policy,
        .count = 1,
        .places = {.items = sim->places, .count = STORES, .by_object = sim->traits.by_object}};
    sim->hands = (struct hands){.stores = sim->stores,
                                .policies = &sim->policies,
                                .catalog = sim->wire,
                                .clock = &sim->clock,
                                .stop = &sim->stop,
                                .counters = &sim->counters,
                                .copy_timeout_us = COPY_TIMEOUT_US,
                                .wait_until_us = INT64_MAX};
}

void cloud_free(struct sim *sim)
{
    catalog_close(sim->wire);
    for (int i = 0; i < BOXES; i++)
        store_close(sim->wires[i]);
}

size_t cloud_key(struct sim *sim, const char *key)
{
    for (size_t i = 0; i < sim->key_count; i++)
        if (str_equal(sim->keys[i], key))
            return i;
    if (sim->key_count == KEYS_MAX)
        err_abort("more keys than a schedule may have");
    sim->keys[sim->key_count] = arena_copy(&sim->arena, key);
    return sim->key_count++;
}

/* -- other hands ------------------------------------------------------------------------------- */

/* Who writes over what stands where it was first written destroys it; a copy of ours is no more
 * than a copy. */
static void destroy(struct sim *sim, int box, size_t key)
{
    const struct slot *slot = &sim->slots[box][key];
    if (slot->content != 0 && !slot->is_copy)
        sim->contents[slot->content].destroyed = true;
    if (slot->content != 0 && sim->slots[!box][key].content != slot->content)
        sim->contents[slot->content].destroyed = true;
    for (size_t i = 0; i < sim->unit_count; i++) {
        struct seen_unit *unit = &sim->units[i];
        for (size_t k = 0; k < unit->manifest_count; k++) {
            bool is_it = unit->manifest[k].key == key;
            unit->manifest[k].spoiled |= is_it && unit->target == box && unit->committed;
        }
    }
    cloud_note_written(sim, box, key);
}

void cloud_note_written(struct sim *sim, int box, size_t key)
{
    for (size_t i = 0; i < sim->unit_count; i++) {
        struct seen_unit *unit = &sim->units[i];
        for (size_t k = 0; k < unit->manifest_count; k++)
            unit->manifest[k].rewritten |= unit->source == box && unit->manifest[k].key == key;
    }
}

void cloud_note_version(struct sim *sim, int box, size_t key)
{
    const char *etag;
    store_memory_get(sim->boxes[box], sim->keys[key], NULL, &etag);
    if (cloud_content(sim, box, etag) != 0)
        return;
    if (sim->version_count == VERSIONS_MAX)
        err_abort("more versions than a schedule may have");
    struct version *version = &sim->versions[sim->version_count++];
    *version = (struct version){.box = box, .content = sim->slots[box][key].content};
    snprintf(version->etag, sizeof(version->etag), "%s", etag);
}

unsigned cloud_content(const struct sim *sim, int box, const char *etag)
{
    for (size_t i = sim->version_count; i-- > 0;)
        if (sim->versions[i].box == box && str_equal(sim->versions[i].etag, etag))
            return sim->versions[i].content;
    return 0;
}

/* Many contents have one size: it tells nothing. */
void cloud_write(struct sim *sim, int box, size_t key, unsigned content)
{
    char bytes[16];
    destroy(sim, box, key);
    if (content == 0) {
        content = ++sim->content_count;
        if (content == CONTENTS_MAX)
            err_abort("more contents than a schedule may have");
        sim->contents[content].key = key;
    }
    sim->contents[content].destroyed = false;
    snprintf(bytes, sizeof(bytes), "%-12u", content);
    store_memory_put(sim->boxes[box], sim->keys[key], bytes, content % 4 == 0 ? 12 : 8);
    sim->slots[box][key] = (struct slot){.there = true, .content = content};
    cloud_note_version(sim, box, key);
}

void cloud_erase(struct sim *sim, int box, size_t key)
{
    destroy(sim, box, key);
    store_memory_remove(sim->boxes[box], sim->keys[key]);
    sim->slots[box][key] = (struct slot){0};
}

/* -- what happens between two requests --------------------------------------------------------- */

static void arrive(struct sim *sim, size_t index)
{
    struct zombie zombie = sim->zombies[index];
    sim->zombies[index] = sim->zombies[--sim->zombie_count];
    sim->counts.zombies++;
    wire_deliver(sim, &zombie);
}

void cloud_tick(struct sim *sim)
{
    if (sim->dead || sim->failed)
        return;
    sim->now_us += (int64_t)sim_draw(sim, 2000);
    if (sim->zombie_count > 0 && sim_draw(sim, sim->traits.patience + 1) == 0)
        arrive(sim, sim_draw(sim, sim->zombie_count));
    if (sim->pending != NULL && sim_draw(sim, 8) == 0)
        table_settle(sim);
    if (sim->acts_left > 0 && !sim->quiet && sim_draw(sim, 12) == 0)
        actors_act(sim);
}

void cloud_flush(struct sim *sim)
{
    table_settle(sim);
    while (sim->zombie_count > 0)
        arrive(sim, sim->zombie_count - 1);
}
