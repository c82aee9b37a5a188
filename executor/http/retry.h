/* retry.h: whether a request is sent again, and when.  Pure, and the only place that decides it. */
#ifndef EXECUTOR_HTTP_RETRY_H
#define EXECUTOR_HTTP_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define RETRY_FIRST_US INT64_C(500000) /* doubled with each try */
#define RETRY_LONGEST_US INT64_C(30000000)

struct rand;

/* How a try ended. */
struct retry_end {
    int status;            /* of the reply; 0: there is none                        */
    enum err_kind failure; /* ERR_NONE: there is a reply                            */
    bool repeatable;       /* as in struct http_request                             */
    uint32_t tries;        /* so far, this one included                             */
};
bool retry_is_wanted(const struct retry_end *end);
/* The request may have been carried out, although it did not end well. */
bool retry_is_in_doubt(const struct retry_end *end);
/* The service says that it has too much to do. */
bool retry_is_throttled(int status);
/* From now until the next try: between half and all of the backoff, and never less than the service
 * asked for. */
int64_t retry_wait_us(uint32_t tries, int64_t after_us, struct rand *rand);
/* Retry-After as seconds or as a date (RFC 9110, 10.2.3), at most HTTP_RETRY_AFTER_MAX_US; 0 if it
 * is neither, or past. */
int64_t retry_after_us(const char *value, int64_t now_us);
#endif
