#include "executor/azure/azure_private.h"

#include <string.h>

/* A copy of what is here, and not of a source: what is written, and what a reply means, is the
 * same.
 */
static void ask(const struct azure_copying *copying, const struct putting *putting,
                const struct copy *copy, struct http_request *request)
{
    struct azure_call *call = azure_copy_call(copying, copy, request);
    azure_call_header(call, "x-ms-blob-type", "BlockBlob");
    azure_call_seal(call);
    request->body = putting->bytes;
    request->body_bytes = putting->size_bytes;
}

static void put_chunk(const struct azure_copying *copying, struct putting *puttings, size_t count)
{
    struct http_request *requests = arena_make(copying->arena, count * sizeof *requests);
    struct copy *copies = arena_make(copying->arena, count * sizeof *copies);
    size_t asked = 0;
    for (size_t i = 0; i < count; i++) {
        copies[i].target_key = puttings[i].key;
        copies[i].outcome = azure_outcome_plain(RESULT_REFUSED);
        if (azure_key_is_plain(puttings[i].key))
            ask(copying, &puttings[i], &copies[i], &requests[asked++]);
    }
    http_batch(copying->target->http, requests, asked, copying->arena);
    asked = 0;
    for (size_t i = 0; i < count; i++) {
        struct putting *putting = &puttings[i];
        putting->versioned = false;
        if (azure_key_is_plain(putting->key)) {
            const struct http_request *request = &requests[asked++];
            azure_copy_answer(copying, &copies[i], request);
            putting->versioned = copies[i].outcome.result == RESULT_DONE &&
                                 http_header_find(request, "x-ms-version-id", copying->arena);
        }
        putting->outcome = copies[i].outcome;
        memcpy(putting->etag, copies[i].target_etag, sizeof putting->etag);
    }
}

void azure_put(struct store *store, struct putting *puttings, size_t count)
{
    struct arena scratch;
    arena_init(&scratch, AZURE_SCRATCH_BYTES_MAX);
    struct azure_copying copying = {.target = (struct azure *)store, .arena = &scratch};
    for (size_t from = 0; from < count; from += AZURE_CHUNK_MAX) {
        size_t chunk = count - from < AZURE_CHUNK_MAX ? count - from : AZURE_CHUNK_MAX;
        put_chunk(&copying, puttings + from, chunk);
        arena_reset(&scratch);
    }
    arena_free(&scratch);
}
