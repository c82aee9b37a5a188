/* fake_http.h: an HTTP server on loopback that answers as a script says, and remembers what it was
 * asked.  It runs in threads of its own (libmicrohttpd).                                         */
#ifndef TESTS_SUPPORT_FAKE_HTTP_H
#define TESTS_SUPPORT_FAKE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_HTTP_HEADERS_MAX 8

enum fake_http_fault {
    FAKE_HTTP_NONE,
    FAKE_HTTP_DROP,      /* the whole request is read, the connection closed without an answer */
    FAKE_HTTP_CUT,       /* the connection is closed in the middle of the body                 */
    FAKE_HTTP_SLOW,      /* the answer comes after slow_ms                                     */
    FAKE_HTTP_UNANSWERED /* the answer never comes; the connection stays open                  */
};

struct fake_http_reply {
    int status; /* 0: 200 */
    const char *headers[FAKE_HTTP_HEADERS_MAX][2];
    const char *body;  /* NULL: "" */
    size_t body_bytes; /* 0: strlen */
    enum fake_http_fault fault;
    unsigned slow_ms;
};

/* What one request was; strings live until the server closes. */
struct fake_http_request {
    const char *method, *path; /* with the query */
    const char *headers;       /* "Name: value\n" each, as they came */
    const char *body;
    size_t body_bytes;
};

struct fake_http;

/* The reply to the number-th request (from 0); called by one thread at a time. */
typedef void fake_http_script(void *context, unsigned number,
                              const struct fake_http_request *request,
                              struct fake_http_reply *reply);

struct fake_http *fake_http_open(fake_http_script *script, void *context);
/* The same over TLS, with a key and a certificate in PEM. */
struct fake_http *fake_http_open_tls(fake_http_script *script, void *context, const char *key,
                                     const char *certificate);
void fake_http_close(struct fake_http *fake);
/* "http://127.0.0.1:PORT" */
const char *fake_http_url(const struct fake_http *fake);
/* Requests that were read whole, and connections that were made. */
unsigned fake_http_count(struct fake_http *fake);
unsigned fake_http_connections(struct fake_http *fake);
/* The most that were being answered at once. */
unsigned fake_http_peak(struct fake_http *fake);
/* The number-th request. */
const struct fake_http_request *fake_http_request(struct fake_http *fake, unsigned number);
/* Close the next so many connections as soon as they are made, before anything is read. */
void fake_http_refuse(struct fake_http *fake, unsigned connections);
#endif
