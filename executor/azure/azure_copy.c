#include "executor/azure/azure_private.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/str.h"

#define BYTES_A_SECOND_MIN (UINT64_C(8) << 20) /* a slower copy inside the cloud has stalled */

/* -- what a reply means ------------------------------------------------------------------------ */

static bool is_one_of(const char *code, const char *const *codes)
{
    while (*codes && strcmp(code, *codes) != 0)
        codes++;
    return *codes != NULL;
}

/* Which of the two ends a refusal speaks of is told by its code.  Source: "Copy Blob From URL" and
 * "Status and error codes", Azure Storage REST reference.                                        */
static enum store_result refusal_of(int status, const char *code, enum store_result otherwise)
{
    static const char *const taken[] = {"BlobAlreadyExists", "TargetConditionNotMet", NULL};
    static const char *const changed[] = {"SourceConditionNotMet", "CannotVerifyCopySource", NULL};
    static const char *const passing[] = {"ContainerBeingDeleted", "PendingCopyOperation",
                                          "OperationTimedOut", NULL};
    if (is_one_of(code, taken))
        return RESULT_EXISTS;
    if (is_one_of(code, passing))
        return RESULT_BUSY;
    if (status == 412 && is_one_of(code, changed))
        return RESULT_CHANGED;
    if (status == 404 && strcmp(code, "ContainerNotFound") != 0)
        return RESULT_CHANGED;
    return otherwise;
}

static void take_digest(struct copy *copy, const struct http_request *request, struct arena *arena)
{
    const char *md5 = http_header_find(request, "Content-MD5", arena);
    struct err ignored;
    uint8_t *bytes;
    size_t size_bytes;
    if (!md5 || !digest_unbase64(arena, md5, &bytes, &size_bytes, &ignored) ||
        size_bytes != OBJECT_MD5_BYTES)
        return;
    memcpy(copy->md5, bytes, OBJECT_MD5_BYTES);
    copy->md5_origin = MD5_COMPUTED;
}

static void answer_done(struct copy *copy, const struct http_request *request, struct arena *arena)
{
    const char *etag = http_header_find(request, "ETag", arena);
    const char *state = http_header_find(request, "x-ms-copy-status", arena);
    copy->outcome.result = RESULT_UNKNOWN;
    if (state && strcmp(state, "success") != 0) {
        if (strcmp(state, "pending") == 0)
            copy->outcome.result = RESULT_PENDING;
        return;
    }
    if (!etag || !azure_etag_is_exact(etag))
        return;
    snprintf(copy->target_etag, sizeof copy->target_etag, "%s", etag);
    copy->outcome.result = RESULT_DONE;
}

void azure_copy_answer(const struct azure_copying *copying, struct copy *copy,
                       const struct http_request *request)
{
    copy->outcome = azure_outcome_request(request, copying->arena);
    if (request->err.kind != ERR_NONE)
        return;
    if (request->status == 201 || request->status == 202) {
        answer_done(copy, request, copying->arena);
        return;
    }
    copy->outcome.result = refusal_of(request->status, copy->outcome.code, copy->outcome.result);
    /* An earlier try may have made the copy, so only "exists" is certain. */
    if (request->in_doubt && copy->outcome.result != RESULT_EXISTS)
        copy->outcome.result = RESULT_UNKNOWN;
}

/* -- what is asked ----------------------------------------------------------------------------- */

struct azure_call *azure_copy_call(const struct azure_copying *copying, const struct copy *copy,
                                   struct http_request *request)
{
    struct azure_call *call =
        azure_call_make(copying->target, "PUT", copy->target_key, request, copying->arena);
    azure_call_header(call, "If-None-Match", "*");
    if (azure_tier_name(copy->tier))
        azure_call_header(call, "x-ms-access-tier", azure_tier_name(copy->tier));
    return call;
}

void azure_copy_source(const struct azure_copying *copying, const struct copy *copy,
                       struct azure_call *call)
{
    const struct azure *source = copying->source;
    const char *path = azure_call_path(source, copy->source_key, copying->arena);
    azure_call_header(call, "x-ms-copy-source",
                      str_format(copying->arena, "%s%s?%s", source->origin, path, copying->sas));
    azure_call_header(call, "x-ms-source-if-match", copy->source_etag);
    call->request->windows[1] = source->window;
}

/* -- in one request ---------------------------------------------------------------------------- */

static void ask_whole(const struct azure_copying *copying, const struct copy *copy,
                      enum azure_way way, struct http_request *request)
{
    struct azure_call *call = azure_copy_call(copying, copy, request);
    azure_copy_source(copying, copy, call);
    if (way == AZURE_WAY_COPY)
        azure_call_header(call, "x-ms-requires-sync", "true");
    else
        azure_call_header(call, "x-ms-blob-type", "BlockBlob");
    azure_call_seal(call);
    request->stall_s = HTTP_STALL_S + (uint32_t)(copy->bytes / BYTES_A_SECOND_MIN);
    /* What an emulator stumbles over once, it stumbles over again. */
    request->repeatable = way != AZURE_WAY_UNKNOWN || !copying->target->is_loopback;
}

/* The service knows no Put Blob From URL.  Azurite says so with a 500 and no word, if it is asked
 * under a SAS. */
static bool is_unsupported(const struct azure_copying *copying, const struct copy *copy,
                           const struct http_request *request)
{
    const char *code = copy->outcome.code;
    return request->status == 501 ||
           (request->status == 400 && strcmp(code, "UnsupportedHeader") == 0) ||
           (request->status == 500 && code[0] == '\0' && copying->target->is_loopback);
}

/* Moves the copies that must be asked for in the other way to the front, and counts them. */
static size_t note_whole(const struct azure_copying *copying, struct copy **copies, size_t count,
                         enum azure_way way, const struct http_request *requests)
{
    size_t again = 0;
    for (size_t i = 0; i < count; i++) {
        struct copy *copy = copies[i];
        azure_copy_answer(copying, copy, &requests[i]);
        if (way != AZURE_WAY_COPY && is_unsupported(copying, copy, &requests[i])) {
            atomic_store(&copying->target->way, AZURE_WAY_COPY);
            copies[again++] = copy;
            continue;
        }
        if (way == AZURE_WAY_UNKNOWN && requests[i].err.kind == ERR_NONE)
            atomic_store(&copying->target->way, AZURE_WAY_PUT);
        if (way != AZURE_WAY_COPY && copy->outcome.result == RESULT_DONE)
            take_digest(copy, &requests[i], copying->arena);
    }
    return again;
}

static void copy_whole(const struct azure_copying *copying, struct copy **copies, size_t count)
{
    struct http_request *requests = arena_make(copying->arena, count * sizeof *requests);
    while (count > 0) {
        enum azure_way way = (enum azure_way)atomic_load(&copying->target->way);
        /* Until it is known how the account copies, one copy is enough to find out. */
        size_t sent = way == AZURE_WAY_UNKNOWN ? 1 : count;
        for (size_t i = 0; i < sent; i++)
            ask_whole(copying, copies[i], way, &requests[i]);
        http_batch(copying->target->http, requests, sent, copying->arena);
        size_t again = note_whole(copying, copies, sent, way, requests);
        memmove(copies + again, copies + sent, (count - sent) * sizeof(struct copy *));
        count -= sent - again;
    }
}

/* -- empty and large objects, for which the source is looked at first -------------------------- */

static void copy_empty(const struct azure_copying *copying, struct copy **copies,
                       const struct azure_head *heads, size_t count)
{
    struct http_request *requests = arena_make(copying->arena, count * sizeof *requests);
    for (size_t i = 0; i < count; i++) {
        struct azure_call *call = azure_copy_call(copying, copies[i], &requests[i]);
        azure_call_header(call, "x-ms-blob-type", "BlockBlob");
        for (size_t j = 0; j < heads[i].property_count; j++)
            azure_call_header(call, heads[i].properties[j].name, heads[i].properties[j].value);
        azure_call_seal(call);
    }
    http_batch(copying->target->http, requests, count, copying->arena);
    for (size_t i = 0; i < count; i++) {
        azure_copy_answer(copying, copies[i], &requests[i]);
        if (copies[i]->outcome.result == RESULT_DONE)
            take_digest(copies[i], &requests[i], copying->arena);
    }
}

/* Leaves the copies whose source is as it should be, at the front with their heads. */
static size_t look(const struct azure_copying *copying, struct copy **copies,
                   struct azure_head *heads, size_t count)
{
    size_t good = 0;
    for (size_t i = 0; i < count; i++)
        heads[i] =
            (struct azure_head){.key = copies[i]->source_key, .etag = copies[i]->source_etag};
    azure_head_all(copying->source, heads, count, copying->arena);
    for (size_t i = 0; i < count; i++) {
        copies[i]->outcome = heads[i].outcome;
        if (heads[i].outcome.result != RESULT_DONE)
            continue;
        if (heads[i].bytes != copies[i]->bytes) {
            copies[i]->outcome.result = RESULT_CHANGED;
            continue;
        }
        copies[good] = copies[i];
        heads[good++] = heads[i];
    }
    return good;
}

static void copy_looking(const struct azure_copying *copying, struct copy **copies, size_t count,
                         bool empty)
{
    struct azure_head *heads = arena_make(copying->arena, count * sizeof *heads);
    count = look(copying, copies, heads, count);
    if (empty) {
        copy_empty(copying, copies, heads, count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        azure_blocks_copy(copying, copies[i], &heads[i]);
}

/* "ConditionNotMet" may mean either end: if the source is as it should be, it was the target. */
static void settle_doubts(const struct azure_copying *copying, struct copy **copies, size_t count)
{
    size_t doubtful = 0;
    for (size_t i = 0; i < count; i++) {
        if (copies[i]->outcome.result == RESULT_REFUSED && copies[i]->outcome.status == 412 &&
            strcmp(copies[i]->outcome.code, "ConditionNotMet") == 0)
            copies[doubtful++] = copies[i];
    }
    struct azure_head *heads = arena_make(copying->arena, doubtful * sizeof *heads);
    size_t good = look(copying, copies, heads, doubtful);
    for (size_t i = 0; i < good; i++)
        copies[i]->outcome.result = RESULT_EXISTS;
}

/* -- the verb ---------------------------------------------------------------------------------- */

static bool is_refused(const struct copy *copy)
{
    return !azure_key_is_plain(copy->source_key) || !azure_key_is_plain(copy->target_key) ||
           !azure_etag_is_exact(copy->source_etag);
}

static void copy_chunk(const struct azure_copying *copying, struct copy *copies, size_t count)
{
    struct copy **whole = arena_make(copying->arena, 3 * count * sizeof(struct copy *));
    struct copy **empty = whole + count, **large = empty + count;
    size_t whole_count = 0, empty_count = 0, large_count = 0;
    uint64_t whole_bytes = azure_whole_bytes(copying->target);
    for (size_t i = 0; i < count; i++) {
        struct copy *copy = &copies[i];
        copy->target_etag[0] = '\0';
        copy->md5_origin = MD5_ABSENT;
        if (is_refused(copy))
            copy->outcome = azure_outcome_plain(RESULT_REFUSED);
        else if (copy->bytes == 0)
            empty[empty_count++] = copy;
        else if (copy->bytes > whole_bytes)
            large[large_count++] = copy;
        else
            whole[whole_count++] = copy;
    }
    struct copy **all = arena_make(copying->arena, whole_count * sizeof(struct copy *));
    if (whole_count > 0)
        memcpy(all, whole, whole_count * sizeof(struct copy *));
    copy_whole(copying, whole, whole_count);
    settle_doubts(copying, all, whole_count);
    copy_looking(copying, empty, empty_count, true);
    copy_looking(copying, large, large_count, false);
}

void azure_copy(struct store *target, struct store *source, struct copy *copies, size_t count)
{
    struct arena scratch;
    arena_init(&scratch, AZURE_SCRATCH_BYTES_MAX);
    for (size_t from = 0; from < count; from += AZURE_CHUNK_MAX) {
        size_t chunk = count - from < AZURE_CHUNK_MAX ? count - from : AZURE_CHUNK_MAX;
        struct azure_copying copying = {
            .target = (struct azure *)target, .source = (struct azure *)source, .arena = &scratch};
        copying.sas = azure_source_sas(copying.source, &scratch);
        copy_chunk(&copying, copies + from, chunk);
        arena_reset(&scratch);
    }
    arena_free(&scratch);
}
