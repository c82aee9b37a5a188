/* http.h: many requests at once.  http_batch borrows one of the shared curl_multi handles for the
 * calling thread, keeps up to a window of requests in flight per account, retries what may be
 * retried, and returns when every request has an outcome.
 *
 * Windows: a window is shared by all threads; it grows by one per quiet round trip and is cut to
 * 0.65 on a 503 or 429, then waits HTTP_CALM_US and honours Retry-After.  A thread takes slots
 * without blocking while something of its own is in flight, and blocks for one only when nothing
 * is: so nobody waits holding slots. */
#ifndef EXECUTOR_HTTP_HTTP_H
#define EXECUTOR_HTTP_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define HTTP_BODY_MAX (8u << 20)  /* of a reply that is kept       */
#define HTTP_HEAD_MAX (64u << 10) /* of its headers                */
#define HTTP_WINDOW_START 32
#define HTTP_WINDOW_MAX 64
#define HTTP_CALM_US (INT64_C(20) * 1000000)
#define HTTP_TRIES_MAX 6
#define HTTP_CONNECT_MS 10000
#define HTTP_STALL_S 60 /* below 1 byte/s for this long ends a request */
#define HTTP_RETRY_AFTER_MAX_US (INT64_C(60) * 1000000) /* a longer Retry-After counts as this */

struct arena;
struct clock;
struct http;
struct http_window;

struct http_header {
    const char *name, *value;
};

struct http_request;

/* Called just before each sending, so that a signature is never older than its request: may change
 * the values of the headers. */
typedef void http_sign(void *context, struct http_request *request);
/* Takes the body of a 2xx reply piece by piece; NULL bytes: (again) from the start.  Its failures
 * stay with it.                                                                                  */
typedef void http_sink(void *context, const char *bytes, size_t size_bytes);

struct http_request {
    const char *method;
    const char *url; /* may hold a signature: it is never logged whole */
    const struct http_header *headers;
    size_t header_count;
    const void *body;
    size_t body_bytes;
    struct http_window *windows[2]; /* target and, for a copy, source; NULL: none.  Both or neither
                                     * are taken                                                */
    bool repeatable;  /* sending it twice does no harm: an unknown outcome is tried again too   */
    uint32_t stall_s; /* instead of HTTP_STALL_S; 0: that                                       */
    http_sign *sign;  /* NULL: none                                                             */
    void *sign_context;
    void *into; /* out: the body of a 2xx reply goes here instead of reply; NULL: reply         */
    size_t into_bytes;
    http_sink *sink; /* or here; NULL: reply                                                    */
    void *sink_context;
    /* out: in the arena */
    int status;     /* 0: no reply (err says why)                                               */
    struct err err; /* ERR_NONE if there is a reply, whatever its status; else ERR_BUSY (not
                     * sent), ERR_UNKNOWN_OUTCOME (sent), ERR_DENIED (TLS, plain http to another
                     * machine), ERR_INPUT (no URL), ERR_CANCELLED (not sent), ERR_CORRUPT (a body
                     * larger than into_bytes or HTTP_BODY_MAX)                                 */
    bool in_doubt;  /* an earlier try got no answer, or 408, 500, 502 or 504: whatever the last one
                     * says, the request may have been carried out before                       */
    const char *reply; /* NUL behind the last byte */
    size_t reply_bytes;
    const char *reply_headers; /* raw lines, for http_header_find */
    const char *protocol;      /* "HTTP/1.1", of the reply; NULL: there is none */
    uint32_t tries;
};

struct http_config {
    struct clock *clock;
    const char *user_agent;
    const char *ca_file; /* NULL: the system's */
};
MUST_USE bool http_open(const struct http_config *config, struct http **http, struct err *err);
void http_close(struct http *http);

/* The window of an account, made at the first call; lives as long as http. */
struct http_window *http_window_get(struct http *http, const char *account);
/* Largest |service's clock - ours| seen in Date headers of that account; 0 before the first. */
int64_t http_window_skew_us(const struct http_window *window);

/* Statuses 408, 429, 500, 502, 503, 504 and transport failures are retried with jittered backoff
 * and Retry-After, at most HTTP_TRIES_MAX tries; a status that remains is reported as it is.  What
 * is not repeatable is retried only if it was not sent, or refused with 429 or 503. */
void http_batch(struct http *http, struct http_request *requests, size_t count,
                struct arena *arena);
/* libcurl and what it is made with, for people. */
const char *http_libraries(void);
/* No new request starts; those in flight finish.  From a signal's thread. */
void http_cancel(struct http *http);
/* Value of a header of the last reply, copied into the arena; NULL: absent.  Names in any case. */
const char *http_header_find(const struct http_request *request, const char *name,
                             struct arena *arena);
/* Requests sent so far, retries included: for reports and tests. */
uint64_t http_requests_sent(const struct http *http);
#endif
