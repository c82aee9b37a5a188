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

/* Without its id nobody could tell that the copy is ours. */
static bool take_id(struct copy *copy, const struct http_request *request, struct arena *arena)
{
    const char *id = http_header_find(request, "x-ms-copy-id", arena);
    if (!id || id[0] == '\0' || strlen(id) >= sizeof copy->copy_id)
        return false;
    snprintf(copy->copy_id, sizeof copy->copy_id, "%s", id);
    return true;
}

static void answer_done(struct copy *copy, const struct http_request *request, struct arena *arena)
{
    const char *etag = http_header_find(request, "ETag", arena);
    const char *state = http_header_find(request, "x-ms-copy-status", arena);
    copy->outcome.result = RESULT_UNKNOWN;
    if (!etag || !azure_etag_is_exact(etag))
        return;
    if (state && strcmp(state, "pending") == 0) {
        if (!take_id(copy, request, arena))
            return;
        copy->outcome.result = RESULT_PENDING;
    } else if (state && strcmp(state, "success") != 0)
        return;
    else
        copy->outcome.result = RESULT_DONE;
    snprintf(copy->target_etag, sizeof copy->target_etag, "%s", etag);
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

/* The service knows no such request. */
static bool is_unsupported(const struct store_outcome *outcome)
{
    return outcome->status == 501 ||
           (outcome->status == 400 && strcmp(outcome->code, "UnsupportedHeader") == 0);
}

/* Azurite says so of Put Blob From URL and Put Block From URL with a 500 and no word, if it is
 * asked under a SAS. */
static bool stumbles(const struct azure_copying *copying, const struct store_outcome *outcome)
{
    return outcome->status == 500 && outcome->code[0] == '\0' && copying->target->is_loopback;
}

/* Moves the copies that must be asked for in the other way to the front, and counts them. */
static size_t note_whole(const struct azure_copying *copying, struct copy **copies, size_t count,
                         enum azure_way way, const struct http_request *requests)
{
    size_t again = 0;
    for (size_t i = 0; i < count; i++) {
        struct copy *copy = copies[i];
        azure_copy_answer(copying, copy, &requests[i]);
        if (is_unsupported(&copy->outcome) ||
            (way != AZURE_WAY_COPY && stumbles(copying, &copy->outcome))) {
            atomic_store(&copying->target->way,
                         way == AZURE_WAY_COPY ? AZURE_WAY_NONE : AZURE_WAY_COPY);
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
        if (way == AZURE_WAY_NONE)
            return;
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

static void copy_empties(const struct azure_copying *copying, struct copy **copies, size_t count)
{
    struct azure_head *heads = arena_make(copying->arena, count * sizeof *heads);
    count = look(copying, copies, heads, count);
    copy_empty(copying, copies, heads, count);
}

static void copy_blocks(const struct azure_copying *copying, struct copy **copies, size_t count)
{
    struct azure_head *heads = arena_make(copying->arena, count * sizeof *heads);
    count = look(copying, copies, heads, count);
    for (size_t i = 0; i < count; i++) {
        azure_blocks_copy(copying, copies[i], &heads[i]);
        if (is_unsupported(&copies[i]->outcome) || stumbles(copying, &copies[i]->outcome))
            atomic_store(&copying->target->lacks_blocks, true);
    }
}

/* -- by the service alone, in its own time ----------------------------------------------------- */

/* Copy Blob.  Its SAS has to last as long as it may take. */
static void copy_slowly(const struct azure_copying *copying, struct copy **copies, size_t count)
{
    struct http_request *requests = arena_make(copying->arena, count * sizeof *requests);
    for (size_t i = 0; i < count; i++) {
        struct azure_copying slow = *copying;
        slow.sas = azure_source_sas(copying->source, copies[i]->may_take_us, copying->arena);
        struct azure_call *call = azure_copy_call(&slow, copies[i], &requests[i]);
        azure_copy_source(&slow, copies[i], call);
        azure_call_seal(call);
    }
    http_batch(copying->target->http, requests, count, copying->arena);
    for (size_t i = 0; i < count; i++)
        azure_copy_answer(copying, copies[i], &requests[i]);
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

/* From the best to the worst. */
enum means { MEANS_EMPTY, MEANS_WHOLE, MEANS_BLOCKS, MEANS_SLOWLY, MEANS };
static void (*const copy_by[MEANS])(const struct azure_copying *, struct copy **,
                                    size_t) = {[MEANS_EMPTY] = copy_empties,
                                               [MEANS_WHOLE] = copy_whole,
                                               [MEANS_BLOCKS] = copy_blocks,
                                               [MEANS_SLOWLY] = copy_slowly};

/* So says the service of a source that it does not copy while we wait. */
static bool wants_time(const struct copy *copy)
{
    return copy->outcome.status == 409 && strcmp(copy->outcome.code, "CannotVerifyCopySource") == 0;
}

/* By what is known of the account, and by what came of the copy so far. */
static enum means means_of(const struct azure_copying *copying, const struct copy *copy)
{
    if (copy->bytes == 0)
        return MEANS_EMPTY;
    if (wants_time(copy))
        return MEANS_SLOWLY;
    if (copy->bytes <= azure_whole_bytes(copying->target))
        return MEANS_WHOLE;
    return atomic_load(&copying->target->lacks_blocks) ? MEANS_SLOWLY : MEANS_BLOCKS;
}

/* A copy that was asked for and can't be made in this way is left for a worse one. */
static bool is_left(const struct azure_copying *copying, const struct copy *copy)
{
    return is_unsupported(&copy->outcome) || stumbles(copying, &copy->outcome) || wants_time(copy);
}

/* Copies those of the kind that have to be, and returns how many are left, at the front. */
static size_t copy_some(const struct azure_copying *copying, enum means means, struct copy **left,
                        size_t count)
{
    struct copy **chosen = arena_make(copying->arena, 2 * count * sizeof(struct copy *));
    struct copy **sent = chosen + count;
    size_t chosen_count = 0, kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (means_of(copying, left[i]) == means)
            chosen[chosen_count++] = left[i];
        else
            left[kept++] = left[i];
    }
    if (chosen_count == 0)
        return kept;
    memcpy(sent, chosen, chosen_count * sizeof(struct copy *));
    copy_by[means](copying, sent, chosen_count);
    for (size_t i = 0; i < chosen_count; i++)
        if (is_left(copying, chosen[i]))
            left[kept++] = chosen[i];
    settle_doubts(copying, chosen, chosen_count);
    return kept;
}

static void copy_chunk(const struct azure_copying *copying, struct copy *copies, size_t count)
{
    struct copy **left = arena_make(copying->arena, count * sizeof(struct copy *));
    size_t left_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct copy *copy = &copies[i];
        copy->target_etag[0] = copy->copy_id[0] = '\0';
        copy->md5_origin = MD5_ABSENT;
        copy->outcome = (struct store_outcome){0};
        if (is_refused(copy))
            copy->outcome = azure_outcome_plain(RESULT_REFUSED);
        else
            left[left_count++] = copy;
    }
    for (enum means means = MEANS_EMPTY; means < MEANS; means++)
        left_count = copy_some(copying, means, left, left_count);
}

void azure_copy(struct store *target, struct store *source, struct copy *copies, size_t count)
{
    struct arena scratch;
    arena_init(&scratch, AZURE_SCRATCH_BYTES_MAX);
    for (size_t from = 0; from < count; from += AZURE_CHUNK_MAX) {
        size_t chunk = count - from < AZURE_CHUNK_MAX ? count - from : AZURE_CHUNK_MAX;
        struct azure_copying copying = {
            .target = (struct azure *)target, .source = (struct azure *)source, .arena = &scratch};
        copying.sas = azure_source_sas(copying.source, 0, &scratch);
        copy_chunk(&copying, copies + from, chunk);
        arena_reset(&scratch);
    }
    arena_free(&scratch);
}
