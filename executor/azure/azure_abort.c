#include "executor/azure/azure_private.h"

#include <string.h>

/* "Abort Copy Blob": only the copy with this id is ended.  One that has ended already is none that
 * is pending. */
static void answer(struct aborting *aborting, const struct http_request *request,
                   struct arena *scratch)
{
    struct store_outcome *outcome = &aborting->outcome;
    *outcome = azure_outcome_request(request, scratch);
    if (request->err.kind != ERR_NONE)
        return;
    if (outcome->status == 204 || strcmp(outcome->code, "NoPendingCopyOperation") == 0)
        outcome->result = RESULT_DONE;
    else if (outcome->status == 404 || strcmp(outcome->code, "CopyIdMismatch") == 0)
        outcome->result = RESULT_CHANGED;
}

static void abort_chunk(struct azure *azure, struct aborting *abortings, size_t count,
                        struct arena *scratch)
{
    struct http_request *requests = arena_make(scratch, count * sizeof *requests);
    for (size_t i = 0; i < count; i++) {
        struct azure_call *call =
            azure_call_make(azure, "PUT", abortings[i].key, &requests[i], scratch);
        azure_call_param(call, "comp", "copy");
        azure_call_param(call, "copyid", abortings[i].copy_id);
        azure_call_header(call, "x-ms-copy-action", "abort");
        azure_call_seal(call);
    }
    http_batch(azure->http, requests, count, scratch);
    for (size_t i = 0; i < count; i++)
        answer(&abortings[i], &requests[i], scratch);
}

void azure_abort_copy(struct store *store, struct aborting *abortings, size_t count)
{
    struct arena scratch;
    arena_init(&scratch, AZURE_SCRATCH_BYTES_MAX);
    for (size_t from = 0; from < count; from += AZURE_CHUNK_MAX) {
        size_t chunk = count - from < AZURE_CHUNK_MAX ? count - from : AZURE_CHUNK_MAX;
        abort_chunk((struct azure *)store, abortings + from, chunk, &scratch);
        arena_reset(&scratch);
    }
    arena_free(&scratch);
}
