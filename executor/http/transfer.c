#include "executor/http/transfer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/url.h"

#define RECEIVE_BYTES 16384L       /* at once, of a body that is wanted                       */
#define ANSWER_BYTES 2048L         /* at once, of any other: most are short, many in flight   */
#define SEND_BYTES 16384L          /* at once, over TLS: the least that libcurl takes         */
#define KEPT_BYTES_MAX (64u << 10) /* of a body's memory, between requests                    */
#define CONNECTION_AGE_S 60L       /* unused longer, it may be closed already                 */

/* -- what libcurl hands over ------------------------------------------------------------------- */

static int status_of(const struct transfer *transfer)
{
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

/* On a kept connection that turns out to be dead, libcurl sends a request again by itself: here it
 * asks whether it may. */
static int on_send(void *user, char *remote, char *local, int remote_port, int local_port)
{
    (void)remote;
    (void)local;
    (void)remote_port;
    (void)local_port;
    struct transfer *transfer = user;
    if (transfer->sends > 0 && !transfer->request->repeatable)
        return CURL_PREREQFUNC_ABORT;
    transfer->sends++;
    return CURL_PREREQFUNC_OK;
}

/* Behind a 100 Continue the headers begin anew. */
static size_t on_header(char *bytes, size_t one, size_t count, void *user)
{
    (void)one;
    struct transfer *transfer = user;
    if (count > strlen("HTTP/") && memcmp(bytes, "HTTP/", strlen("HTTP/")) == 0)
        buf_reset(&transfer->head);
    else
        buf_add(&transfer->head, bytes, count);
    transfer->too_large = transfer->head.overflowed;
    return transfer->too_large ? 0 : count;
}

static bool keep_into(struct transfer *transfer, const char *bytes, size_t count)
{
    struct http_request *request = transfer->request;
    if (count > request->into_bytes - transfer->into_bytes)
        return false;
    memcpy((char *)request->into + transfer->into_bytes, bytes, count);
    transfer->into_bytes += count;
    return true;
}

static size_t on_body(char *bytes, size_t one, size_t count, void *user)
{
    (void)one;
    struct transfer *transfer = user;
    const struct http_request *request = transfer->request;
    int status = status_of(transfer);
    bool good = status >= 200 && status < 300;
    if (good && request->sink) {
        request->sink(request->sink_context, bytes, count);
    } else if (good && request->into) {
        transfer->too_large = !keep_into(transfer, bytes, count);
    } else {
        buf_add(&transfer->body, bytes, count);
        transfer->too_large = transfer->body.overflowed;
    }
    return transfer->too_large ? 0 : count;
}

/* -- settings ---------------------------------------------------------------------------------- */

static void must(CURLcode code)
{
    if (code != CURLE_OK)
        err_abort("libcurl does not know a setting");
}

#define SET(transfer, option, value) must(curl_easy_setopt((transfer)->easy, option, value))

struct transfer *transfer_make(const struct http_config *config, CURLSH *share)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);
    if (!transfer || !(transfer->easy = curl_easy_init()))
        err_abort("out of memory");
    buf_init(&transfer->lines, SIZE_MAX);
    buf_init(&transfer->head, HTTP_HEAD_MAX);
    buf_init(&transfer->body, HTTP_BODY_MAX);
    transfer->proxied = true;
    SET(transfer, CURLOPT_PRIVATE, transfer);
    SET(transfer, CURLOPT_SHARE, share);
    SET(transfer, CURLOPT_NOSIGNAL, 1L);
    SET(transfer, CURLOPT_PROTOCOLS_STR, "http,https");
    SET(transfer, CURLOPT_FOLLOWLOCATION, 0L);
    SET(transfer, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(transfer, CURLOPT_PATH_AS_IS, 1L); /* "a/../b" is a key like any other */
    SET(transfer, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(transfer, CURLOPT_SSL_VERIFYPEER, 1L);
    SET(transfer, CURLOPT_SSL_VERIFYHOST, 2L);
    SET(transfer, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (config->ca_file)
        SET(transfer, CURLOPT_CAINFO, config->ca_file);
    if (config->user_agent)
        SET(transfer, CURLOPT_USERAGENT, config->user_agent);
    SET(transfer, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS);
    SET(transfer, CURLOPT_LOW_SPEED_LIMIT, 1L);
    SET(transfer, CURLOPT_MAXAGE_CONN, CONNECTION_AGE_S);
    SET(transfer, CURLOPT_TCP_KEEPALIVE, 1L);
    SET(transfer, CURLOPT_UPLOAD_BUFFERSIZE, SEND_BYTES);
    SET(transfer, CURLOPT_PREREQFUNCTION, on_send);
    SET(transfer, CURLOPT_PREREQDATA, transfer);
    SET(transfer, CURLOPT_HEADERFUNCTION, on_header);
    SET(transfer, CURLOPT_HEADERDATA, transfer);
    SET(transfer, CURLOPT_WRITEFUNCTION, on_body);
    SET(transfer, CURLOPT_WRITEDATA, transfer);
    return transfer;
}

void transfer_free(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    buf_free(&transfer->lines);
    buf_free(&transfer->head);
    buf_free(&transfer->body);
    free(transfer);
}

/* -- a request --------------------------------------------------------------------------------- */

static void set_method(struct transfer *transfer, const struct http_request *request)
{
    SET(transfer, CURLOPT_CUSTOMREQUEST, NULL);
    if (str_equal(request->method, "HEAD")) {
        SET(transfer, CURLOPT_NOBODY, 1L);
        return;
    }
    SET(transfer, CURLOPT_HTTPGET, 1L); /* also ends NOBODY and POST */
    if (str_equal(request->method, "GET"))
        return;
    if (!str_equal(request->method, "DELETE")) {
        SET(transfer, CURLOPT_POST, 1L);
        SET(transfer, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_bytes);
        SET(transfer, CURLOPT_POSTFIELDS, request->body ? request->body : "");
    }
    SET(transfer, CURLOPT_CUSTOMREQUEST, request->method);
}

/* libcurl adds headers of its own unless they are here, empty. */
static void set_headers(struct transfer *transfer, const struct http_request *request)
{
    static const char *const unwanted[] = {"Accept:", "Expect:", "Content-Type:"};
    const size_t unwanted_count = sizeof unwanted / sizeof unwanted[0];
    size_t count = request->header_count + unwanted_count;
    struct curl_slist *list = arena_make(transfer->arena, count * sizeof *list);
    bool typed = false;
    buf_reset(&transfer->lines);
    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        typed = typed || strcasecmp(header->name, "Content-Type") == 0;
        buf_format(&transfer->lines, "%s: %s", header->name, header->value);
        buf_char(&transfer->lines, '\0');
    }
    char *line = transfer->lines.bytes;
    for (size_t i = 0; i < request->header_count; i++, line += strlen(line) + 1)
        list[i].data = line;
    for (size_t i = 0; i < unwanted_count; i++)
        list[request->header_count + i].data = (char *)unwanted[i];
    for (size_t i = 0; i + 1 < count - typed; i++)
        list[i].next = &list[i + 1];
    SET(transfer, CURLOPT_HTTPHEADER, list);
}

/* Secrets go over plain http to this machine only, and never through a proxy of the environment. */
static bool set_route(struct transfer *transfer, struct http_request *request)
{
    struct arena_mark mark = arena_mark(transfer->arena);
    struct url url;
    if (!url_read(request->url, transfer->arena, &url, &request->err))
        return false;
    bool loopback = url_is_loopback(url.host);
    bool allowed = loopback || strcasecmp(url.scheme, "https") == 0;
    arena_back(transfer->arena, mark);
    if (!allowed)
        return ERR(&request->err, ERR_DENIED, "plain http to another machine");
    if (transfer->proxied == loopback) {
        SET(transfer, CURLOPT_PROXY, loopback ? "" : NULL);
        transfer->proxied = !loopback;
    }
    return true;
}

bool transfer_begin(struct transfer *transfer, struct http_request *request, struct arena *arena)
{
    transfer->request = request;
    transfer->arena = arena;
    transfer->into_bytes = 0;
    transfer->too_large = false;
    transfer->sends = 0;
    buf_reset(&transfer->head);
    buf_reset(&transfer->body);
    if (!set_route(transfer, request))
        return false;
    if (request->sink)
        request->sink(request->sink_context, NULL, 0);
    if (request->sign)
        request->sign(request->sign_context, request);
    SET(transfer, CURLOPT_URL, request->url);
    set_method(transfer, request);
    set_headers(transfer, request);
    SET(transfer, CURLOPT_BUFFERSIZE,
        request->sink || request->into ? RECEIVE_BYTES : ANSWER_BYTES);
    SET(transfer, CURLOPT_LOW_SPEED_TIME,
        (long)(request->stall_s > 0 ? request->stall_s : HTTP_STALL_S));
    return true;
}

/* -- how it ended ------------------------------------------------------------------------------ */

static enum err_kind kind_of(const struct transfer *transfer, CURLcode code)
{
    long sent_bytes = 0;
    if (transfer->too_large)
        return ERR_CORRUPT;
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return ERR_DENIED;
    default:
        curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &sent_bytes);
        return sent_bytes > 0 ? ERR_UNKNOWN_OUTCOME : ERR_BUSY;
    }
}

/* libcurl's own words are fixed texts: nothing of the request is in them. */
static void set_failure(struct transfer *transfer, CURLcode code)
{
    struct http_request *request = transfer->request;
    const char *what = transfer->too_large ? "the reply is too large" : curl_easy_strerror(code);
    request->status = 0;
    request->protocol = NULL;
    ERR(&request->err, kind_of(transfer, code), "%s: %s", request->method, what);
    snprintf(request->err.code, sizeof request->err.code, "curl-%d", (int)code);
}

static const char *protocol_of(const struct transfer *transfer)
{
    long version = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_VERSION, &version);
    return version == CURL_HTTP_VERSION_1_0 ? "HTTP/1.0" : "HTTP/1.1"; /* no other is asked for */
}

static void set_reply(struct transfer *transfer)
{
    struct http_request *request = transfer->request;
    request->status = status_of(transfer);
    request->protocol = protocol_of(transfer);
    request->err = (struct err){0};
    request->reply_headers =
        str_copy(transfer->arena, buf_string(&transfer->head), transfer->head.size);
    request->reply = str_copy(transfer->arena, buf_string(&transfer->body), transfer->body.size);
    request->reply_bytes = transfer->into_bytes > 0 ? transfer->into_bytes : transfer->body.size;
}

void transfer_end(struct transfer *transfer, CURLcode code)
{
    transfer->request->in_doubt |= transfer->sends > 1;
    if (code == CURLE_OK)
        set_reply(transfer);
    else
        set_failure(transfer, code);
    if (transfer->body.capacity > KEPT_BYTES_MAX)
        buf_free(&transfer->body);
}
