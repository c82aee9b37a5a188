#include "executor/azure/azure_private.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

static void ask(struct azure *azure, struct reading *reading, struct http_request *request,
                struct arena *scratch)
{
    uint64_t last = reading->from + reading->size_bytes - 1;
    struct azure_call *call = azure_call_make(azure, "GET", reading->key, request, scratch);
    azure_call_header(call, "If-Match", reading->etag);
    azure_call_header(call, "x-ms-range",
                      str_format(scratch, "bytes=%llu-%llu", (unsigned long long)reading->from,
                                 (unsigned long long)last));
    azure_call_seal(call);
    request->into = reading->bytes;
    request->into_bytes = reading->size_bytes;
}

/* "bytes 0-99/1000" must begin where it was asked to, and be short only at the object's end. */
static bool range_is_right(const struct reading *reading, const struct http_request *request,
                           struct arena *scratch)
{
    const char *range = http_header_find(request, "Content-Range", scratch);
    unsigned long long first, last, total;
    if (!range || sscanf(range, "bytes %llu-%llu/%llu", &first, &last, &total) != 3)
        return false;
    return first == reading->from && last < total && last - first + 1 == request->reply_bytes &&
           (request->reply_bytes == reading->size_bytes || last + 1 == total);
}

static void answer(struct reading *reading, const struct http_request *request,
                   struct arena *scratch)
{
    reading->outcome = azure_outcome_request(request, scratch);
    if (reading->outcome.result == RESULT_UNKNOWN)
        reading->outcome.result = RESULT_BUSY; /* reading changes nothing */
    switch (request->status) {
    case 206:
        if (!range_is_right(reading, request, scratch))
            return;
        reading->got_bytes = request->reply_bytes;
        reading->outcome.result = RESULT_DONE;
        return;
    case 416: /* there is nothing from there on */
        reading->outcome.result = RESULT_DONE;
        return;
    case 404:
    case 412:
        reading->outcome.result = RESULT_CHANGED;
        return;
    default:
        return;
    }
}

static bool is_refused(const struct reading *reading)
{
    return !azure_key_is_plain(reading->key) || !azure_etag_is_exact(reading->etag);
}

static void read_chunk(struct azure *azure, struct reading *readings, size_t count,
                       struct arena *scratch)
{
    struct http_request *requests = arena_make(scratch, count * sizeof *requests);
    struct reading **asked = arena_make(scratch, count * sizeof(struct reading *));
    size_t asked_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct reading *reading = &readings[i];
        reading->got_bytes = 0;
        reading->outcome = azure_outcome_plain(is_refused(reading) ? RESULT_REFUSED : RESULT_DONE);
        if (reading->outcome.result == RESULT_REFUSED || reading->size_bytes == 0)
            continue;
        ask(azure, reading, &requests[asked_count], scratch);
        asked[asked_count++] = reading;
    }
    http_batch(azure->http, requests, asked_count, scratch);
    for (size_t i = 0; i < asked_count; i++)
        answer(asked[i], &requests[i], scratch);
}

void azure_read(struct store *store, struct reading *readings, size_t count)
{
    struct arena scratch;
    arena_init(&scratch, AZURE_SCRATCH_BYTES_MAX);
    for (size_t from = 0; from < count; from += AZURE_CHUNK_MAX) {
        size_t chunk = count - from < AZURE_CHUNK_MAX ? count - from : AZURE_CHUNK_MAX;
        read_chunk((struct azure *)store, readings + from, chunk, &scratch);
        arena_reset(&scratch);
    }
    arena_free(&scratch);
}
