#include "executor/azure/azure_private.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/url.h"
#include "base/when.h"
#include "executor/azure/sign.h"

#define URL_BYTES_MAX ((size_t)256 << 10) /* a longer one is not sent */
#define HEADERS_FIRST 12

const char *azure_call_path(const struct azure *azure, const char *key, struct arena *arena)
{
    struct buf path;
    buf_init(&path, URL_BYTES_MAX);
    buf_text(&path, azure->root);
    if (key) {
        buf_char(&path, '/');
        url_encode(&path, azure->prefix, strlen(azure->prefix), URL_PATH);
        url_encode(&path, key, strlen(key), URL_PATH);
    }
    const char *copy = str_copy(arena, buf_string(&path), path.size);
    buf_free(&path);
    return copy;
}

struct azure_call *azure_call_make(const struct azure *azure, const char *method, const char *key,
                                   struct http_request *request, struct arena *arena)
{
    struct azure_call *call = arena_make(arena, sizeof *call);
    *call = (struct azure_call){.azure = azure, .request = request, .arena = arena};
    call->path = azure_call_path(azure, key, arena);
    *request = (struct http_request){
        .method = method, .windows = {azure->window, NULL}, .repeatable = true};
    azure_call_header(call, "x-ms-version", SIGN_VERSION);
    return call;
}

void azure_call_param(struct azure_call *call, const char *name, const char *value)
{
    assert(call->param_count < AZURE_PARAMS_MAX);
    assert(call->param_count == 0 ||
           str_compare(call->params[call->param_count - 1].name, name) < 0);
    call->params[call->param_count++] = (struct http_header){.name = name, .value = value};
}

void azure_call_header(struct azure_call *call, const char *name, const char *value)
{
    if (call->header_count == call->header_room) {
        size_t room = call->header_room == 0 ? HEADERS_FIRST : 2 * call->header_room;
        struct http_header *headers = arena_make(call->arena, room * sizeof *headers);
        if (call->header_count > 0)
            memcpy(headers, call->headers, call->header_count * sizeof *headers);
        call->headers = headers;
        call->header_room = room;
    }
    call->headers[call->header_count++] = (struct http_header){.name = name, .value = value};
}

static const char *url_of(const struct azure_call *call)
{
    struct buf url;
    char mark = '?';
    buf_init(&url, URL_BYTES_MAX);
    buf_text(&url, call->azure->origin);
    buf_text(&url, call->path);
    for (size_t i = 0; i < call->param_count; i++, mark = '&') {
        const struct http_header *param = &call->params[i];
        buf_char(&url, mark);
        buf_text(&url, param->name);
        buf_char(&url, '=');
        url_encode(&url, param->value, strlen(param->value), URL_COMPONENT);
    }
    if (!secret_is_set(&call->azure->key)) {
        buf_char(&url, mark);
        buf_text(&url, secret_reveal(call->azure->sas));
    }
    const char *copy = url.overflowed ? "" : str_copy(call->arena, buf_string(&url), url.size);
    buf_free(&url);
    return copy;
}

/* An http_sign: date and signature are as young as the sending. */
static void sign(void *context, struct http_request *request)
{
    struct azure_call *call = context;
    const struct azure *azure = call->azure;
    struct sign_request signing = {.method = request->method,
                                   .account = azure->account,
                                   .path = call->path,
                                   .params = call->params,
                                   .param_count = call->param_count,
                                   .headers = call->headers,
                                   .header_count = call->header_count,
                                   .body_bytes = request->body_bytes};
    when_http_text(azure->clock->ops->now_us(azure->clock), call->date_text);
    call->authorization->value = sign_shared_key(&signing, &azure->key, call->arena);
}

void azure_call_seal(struct azure_call *call)
{
    call->request->url = url_of(call);
    if (secret_is_set(&call->azure->key)) {
        azure_call_header(call, "x-ms-date", call->date_text);
        azure_call_header(call, "Authorization", "");
        call->authorization = &call->headers[call->header_count - 1];
        call->request->sign = sign;
        call->request->sign_context = call;
    }
    call->request->headers = call->headers;
    call->request->header_count = call->header_count;
}
