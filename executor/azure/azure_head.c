#include "executor/azure/azure_private.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

#define METADATA "x-ms-meta-"

/* A property of a reply, and the header that sets it. */
static const struct {
    const char *shown, *set;
} properties[] = {
    {"Cache-Control", "x-ms-blob-cache-control"},
    {"Content-Disposition", "x-ms-blob-content-disposition"},
    {"Content-Encoding", "x-ms-blob-content-encoding"},
    {"Content-Language", "x-ms-blob-content-language"},
    {"Content-MD5", "x-ms-blob-content-md5"},
    {"Content-Type", "x-ms-blob-content-type"},
};
#define PROPERTY_COUNT (sizeof properties / sizeof properties[0])

/* The header that sets what this line of a reply shows; NULL: none does. */
static const char *setter_of(const char *line, size_t name_bytes, struct arena *arena)
{
    if (name_bytes > strlen(METADATA) && strncasecmp(line, METADATA, strlen(METADATA)) == 0)
        return str_copy(arena, line, name_bytes);
    for (size_t i = 0; i < PROPERTY_COUNT; i++) {
        if (strlen(properties[i].shown) == name_bytes &&
            strncasecmp(line, properties[i].shown, name_bytes) == 0)
            return properties[i].set;
    }
    return NULL;
}

static size_t count_lines(const char *text)
{
    size_t count = 1;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

/* An empty value can't be sent back, and need not. */
static void take_properties(struct azure_head *head, const struct http_request *request,
                            struct arena *arena)
{
    const char *line = request->reply_headers;
    head->properties = arena_make(arena, count_lines(line) * sizeof *head->properties);
    head->property_count = 0;
    while (*line) {
        size_t length = strcspn(line, "\r\n");
        const char *colon = memchr(line, ':', length);
        const char *name = colon ? setter_of(line, (size_t)(colon - line), arena) : NULL;
        if (name) {
            const char *value = colon + 1 + strspn(colon + 1, " \t");
            size_t value_bytes = (size_t)(line + length - value);
            if (value < line + length)
                head->properties[head->property_count++] = (struct http_header){
                    .name = name, .value = str_copy(arena, value, value_bytes)};
        }
        line += length;
        line += strspn(line, "\r\n");
    }
}

static void answer(struct azure_head *head, const struct http_request *request, struct arena *arena)
{
    head->outcome = azure_outcome_request(request, arena);
    if (head->outcome.result == RESULT_UNKNOWN)
        head->outcome.result = RESULT_BUSY; /* a look changes nothing */
    if (request->err.kind != ERR_NONE)
        return;
    if (request->status == 404 || request->status == 412)
        head->outcome.result = RESULT_CHANGED;
    const char *length = http_header_find(request, "Content-Length", arena);
    if (request->status != 200 || !length || !str_to_u64(length, &head->bytes))
        return;
    head->outcome.result = RESULT_DONE;
    take_properties(head, request, arena);
}

void azure_head_all(struct azure *azure, struct azure_head *heads, size_t count,
                    struct arena *arena)
{
    struct http_request *requests = arena_make(arena, count * sizeof *requests);
    for (size_t i = 0; i < count; i++) {
        struct azure_call *call = azure_call_make(azure, "HEAD", heads[i].key, &requests[i], arena);
        if (heads[i].etag)
            azure_call_header(call, "If-Match", heads[i].etag);
        azure_call_seal(call);
    }
    http_batch(azure->http, requests, count, arena);
    for (size_t i = 0; i < count; i++)
        answer(&heads[i], &requests[i], arena);
}
