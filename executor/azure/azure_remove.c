#include "executor/azure/azure_private.h"

#include <string.h>

/* What a status means for a deletion alone. */
static void refine(struct store_outcome *outcome)
{
    const char *code = outcome->code;
    if (outcome->status >= 200 && outcome->status < 300)
        outcome->result = RESULT_DONE;
    else if (outcome->status == 404 && strcmp(code, "ContainerNotFound") != 0)
        outcome->result = RESULT_DONE;
    /* Other conditions, such as a lease, answer 412 too. */
    else if (outcome->status == 412 &&
             (strcmp(code, "ConditionNotMet") == 0 || strcmp(code, "TargetConditionNotMet") == 0))
        outcome->result = RESULT_CHANGED;
    else if (strcmp(code, "PendingCopyOperation") == 0)
        outcome->result = RESULT_BUSY;
}

/* Azurite says of what is gone that its etag is another one, so that is looked at. */
static void settle_doubts(struct azure *azure, struct deletion *deletions, size_t count,
                          struct arena *scratch)
{
    struct azure_head *heads = arena_make(scratch, count * sizeof *heads);
    struct deletion **doubts = arena_make(scratch, count * sizeof(struct deletion *));
    size_t doubtful = 0;
    for (size_t i = 0; i < count; i++) {
        if (deletions[i].outcome.result != RESULT_CHANGED)
            continue;
        doubts[doubtful] = &deletions[i];
        heads[doubtful++] = (struct azure_head){.key = deletions[i].key};
    }
    azure_head_all(azure, heads, doubtful, scratch);
    for (size_t i = 0; i < doubtful; i++) {
        if (heads[i].outcome.status == 404)
            doubts[i]->outcome = azure_outcome_plain(RESULT_DONE);
    }
}

static void remove_chunk(struct azure *azure, struct deletion *deletions, size_t count,
                         struct arena *scratch)
{
    static const struct azure_verb verb = {
        .method = "DELETE", .header = "If-Match", .refine = refine};
    struct azure_part *parts = arena_make(scratch, count * sizeof *parts);
    for (size_t i = 0; i < count; i++) {
        const char *etag = deletions[i].etag;
        parts[i] = (struct azure_part){.key = deletions[i].key,
                                       .value = azure_etag_is_exact(etag) ? etag : NULL};
    }
    azure_batch(azure, &verb, parts, count, scratch);
    for (size_t i = 0; i < count; i++)
        deletions[i].outcome = parts[i].outcome;
    settle_doubts(azure, deletions, count, scratch);
}

void azure_remove(struct store *store, struct deletion *deletions, size_t count)
{
    struct arena scratch;
    arena_init(&scratch, AZURE_SCRATCH_BYTES_MAX);
    for (size_t from = 0; from < count; from += AZURE_PARTS_MAX) {
        size_t chunk = count - from < AZURE_PARTS_MAX ? count - from : AZURE_PARTS_MAX;
        remove_chunk((struct azure *)store, deletions + from, chunk, &scratch);
        arena_reset(&scratch);
    }
    arena_free(&scratch);
}
