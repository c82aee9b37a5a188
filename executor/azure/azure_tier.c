#include "executor/azure/azure_private.h"

#include <assert.h>
#include <string.h>

#include "base/str.h"

/* -- names ------------------------------------------------------------------------------------- */

static const char *const names[] = {[TIER_DEFAULT] = NULL,
                                    [TIER_HOT] = "Hot",
                                    [TIER_COOL] = "Cool",
                                    [TIER_COLD] = "Cold",
                                    [TIER_ARCHIVE] = "Archive"};

const char *azure_tier_name(enum access_tier tier)
{
    assert(tier <= TIER_ARCHIVE);
    return names[tier];
}

enum access_tier azure_tier_read(const char *name)
{
    enum access_tier tier = TIER_ARCHIVE;
    while (tier > TIER_DEFAULT && !str_equal(name, names[tier]))
        tier--;
    return tier;
}

/* -- the verb ---------------------------------------------------------------------------------- */

/* What a status means for a tier alone.  The service knows no etag here, so nothing is changed but
 * what is gone.                                                                                  */
static void refine(struct store_outcome *outcome)
{
    if (outcome->status == 200 || outcome->status == 202)
        outcome->result = RESULT_DONE;
    else if (outcome->status == 404 && strcmp(outcome->code, "ContainerNotFound") != 0)
        outcome->result = RESULT_CHANGED;
}

static void set_chunk(struct azure *azure, struct tiering *tierings, size_t count,
                      struct arena *scratch)
{
    static const struct azure_verb verb = {
        .method = "PUT", .comp = "tier", .header = "x-ms-access-tier", .refine = refine};
    struct azure_part *parts = arena_make(scratch, count * sizeof *parts);
    for (size_t i = 0; i < count; i++) {
        enum access_tier tier = tierings[i].tier;
        parts[i] = (struct azure_part){
            .key = tierings[i].key, .value = tier == TIER_ARCHIVE ? NULL : azure_tier_name(tier)};
    }
    azure_batch(azure, &verb, parts, count, scratch);
    for (size_t i = 0; i < count; i++)
        tierings[i].outcome = parts[i].outcome;
}

void azure_tier_set(struct store *store, struct tiering *tierings, size_t count)
{
    struct arena scratch;
    arena_init(&scratch, AZURE_SCRATCH_BYTES_MAX);
    for (size_t from = 0; from < count; from += AZURE_PARTS_MAX) {
        size_t chunk = count - from < AZURE_PARTS_MAX ? count - from : AZURE_PARTS_MAX;
        set_chunk((struct azure *)store, tierings + from, chunk, &scratch);
        arena_reset(&scratch);
    }
    arena_free(&scratch);
}
