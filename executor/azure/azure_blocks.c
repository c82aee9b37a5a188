/* An object too large for one request: Put Block From URL for each block, then Put Block List.
 * Blocks that were put and never listed are forgotten by the service after a week.              */
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/str.h"
#include "executor/azure/azure_private.h"

#define BLOCK_BYTES (UINT64_C(128) << 20)
#define BLOCK_BYTES_LARGEST (UINT64_C(4000) << 20)
#define BLOCKS_MAX 50000
#define BLOCKS_IN_MEMORY 256
#define LIST_BYTES_MAX ((size_t)8 << 20)

static uint64_t block_bytes_of(const struct azure *azure, uint64_t bytes)
{
    uint64_t block_bytes = azure->limits.block_bytes > 0 ? azure->limits.block_bytes : BLOCK_BYTES;
    uint64_t least = bytes / BLOCKS_MAX + 1;
    return block_bytes > least ? block_bytes : least;
}

/* Equal for equal blocks, so that a block that is put again is the same one. */
static const char *block_id(const struct copy *copy, uint64_t block_bytes, uint64_t index,
                            struct arena *arena)
{
    uint8_t sha256[DIGEST_SHA256_BYTES];
    const char *text = str_format(arena, "%s %llu %llu", copy->source_etag,
                                  (unsigned long long)block_bytes, (unsigned long long)index);
    digest_of(DIGEST_SHA256, text, strlen(text), sha256);
    return digest_base64(arena, sha256, sizeof sha256);
}

static void ask_block(const struct azure_copying *copying, const struct copy *copy,
                      uint64_t block_bytes, uint64_t index, struct http_request *request)
{
    uint64_t from = index * block_bytes;
    uint64_t left = copy->bytes - from;
    uint64_t last = from + (left < block_bytes ? left : block_bytes) - 1;
    struct azure_call *call =
        azure_call_make(copying->target, "PUT", copy->target_key, request, copying->arena);
    azure_call_param(call, "blockid", block_id(copy, block_bytes, index, copying->arena));
    azure_call_param(call, "comp", "block");
    azure_copy_source(copying, copy, call);
    azure_call_header(call, "x-ms-source-range",
                      str_format(copying->arena, "bytes=%llu-%llu", (unsigned long long)from,
                                 (unsigned long long)last));
    azure_call_seal(call);
}

/* A block has no condition but the source's: whatever was not met is the source's. */
static bool block_is_put(const struct azure_copying *copying, struct copy *copy,
                         const struct http_request *request)
{
    if (request->err.kind == ERR_NONE && request->status == 201)
        return true;
    azure_copy_answer(copying, copy, request);
    if (request->status == 412)
        copy->outcome.result = RESULT_CHANGED;
    return false;
}

static bool put_blocks(const struct azure_copying *copying, struct copy *copy, uint64_t block_bytes,
                       uint64_t block_count)
{
    struct http_request *requests = arena_make(copying->arena, BLOCKS_IN_MEMORY * sizeof *requests);
    for (uint64_t from = 0; from < block_count; from += BLOCKS_IN_MEMORY) {
        struct arena_mark mark = arena_mark(copying->arena);
        uint64_t left = block_count - from;
        size_t count = left < BLOCKS_IN_MEMORY ? (size_t)left : BLOCKS_IN_MEMORY;
        for (size_t i = 0; i < count; i++)
            ask_block(copying, copy, block_bytes, from + i, &requests[i]);
        http_batch(copying->target->http, requests, count, copying->arena);
        for (size_t i = 0; i < count; i++) {
            if (!block_is_put(copying, copy, &requests[i]))
                return false;
        }
        arena_back(copying->arena, mark);
    }
    return true;
}

static void write_list(const struct azure_copying *copying, const struct copy *copy,
                       uint64_t block_bytes, uint64_t block_count, struct buf *list)
{
    buf_text(list, "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
    for (uint64_t i = 0; i < block_count; i++) {
        struct arena_mark mark = arena_mark(copying->arena);
        buf_format(list, "<Latest>%s</Latest>", block_id(copy, block_bytes, i, copying->arena));
        arena_back(copying->arena, mark);
    }
    buf_text(list, "</BlockList>");
}

static void put_list(const struct azure_copying *copying, struct copy *copy,
                     const struct azure_head *head, const struct buf *list)
{
    struct http_request request;
    struct azure_call *call = azure_copy_call(copying, copy, &request);
    azure_call_param(call, "comp", "blocklist");
    azure_call_header(call, "Content-Type", "application/xml");
    for (size_t i = 0; i < head->property_count; i++)
        azure_call_header(call, head->properties[i].name, head->properties[i].value);
    request.body = list->bytes;
    request.body_bytes = list->size;
    azure_call_seal(call);
    http_batch(copying->target->http, &request, 1, copying->arena);
    azure_copy_answer(copying, copy, &request);
    if (request.status == 412 && strcmp(copy->outcome.code, "ConditionNotMet") == 0)
        copy->outcome.result = RESULT_EXISTS; /* the list's only condition */
}

void azure_blocks_copy(const struct azure_copying *copying, struct copy *copy,
                       const struct azure_head *head)
{
    uint64_t block_bytes = block_bytes_of(copying->target, copy->bytes);
    uint64_t block_count = (copy->bytes + block_bytes - 1) / block_bytes;
    struct buf list;
    if (block_bytes > BLOCK_BYTES_LARGEST) {
        copy->outcome = azure_outcome_plain(RESULT_REFUSED);
        return;
    }
    if (!put_blocks(copying, copy, block_bytes, block_count))
        return;
    buf_init(&list, LIST_BYTES_MAX);
    write_list(copying, copy, block_bytes, block_count, &list);
    put_list(copying, copy, head, &list);
    buf_free(&list);
}
