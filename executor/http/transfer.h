/* transfer.h: one request on its way through libcurl, which nothing outside transfer.c, lane.c and
 * http.c sees.  A transfer is used for one request after another and keeps what it has allocated.
 */
#ifndef EXECUTOR_HTTP_TRANSFER_H
#define EXECUTOR_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "base/buf.h"
#include "executor/http/http.h"

struct transfer {
    CURL *easy;
    struct http_request *request;
    size_t index; /* of the request in its batch */
    struct arena *arena;
    struct buf lines; /* the request's headers, each ended by NUL; libcurl reads them here */
    struct buf head, body;
    size_t into_bytes; /* that are there already */
    bool too_large;
    unsigned sends;  /* of the request; libcurl repeats one that a kept connection swallowed */
    bool proxied;    /* by the environment, as the last request was */
    int64_t sent_us; /* monotonic */
    struct transfer *next;
};

/* Every transfer has the settings that never change. */
struct transfer *transfer_make(const struct http_config *config, CURLSH *share);
void transfer_free(struct transfer *transfer);

/* The easy handle is ready to be added to a multi.  False: the request must not be sent (plain http
 * to another machine), and its err says so. */
bool transfer_begin(struct transfer *transfer, struct http_request *request, struct arena *arena);
/* The outputs of the request are as this try ended; reply and headers are in the arena. */
void transfer_end(struct transfer *transfer, CURLcode code);
#endif
