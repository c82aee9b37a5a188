/* batch.h: many small requests in one.  Pure: texts only.
 * Source: "Blob Batch", Azure Storage REST reference; multipart/mixed is RFC 2046, 5.1.          */
#ifndef EXECUTOR_AZURE_BATCH_H
#define EXECUTOR_AZURE_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "executor/store.h"

#define BATCH_PARTS_MAX 256 /* the service takes no more */
#define BATCH_BYTES_MAX ((size_t)4 << 20)

struct buf;
struct http_header;

/* What one part asks; it has no body. */
struct batch_request {
    const char *method, *target; /* target: path and query */
    const struct http_header *headers;
    size_t header_count;
};
/* One part of a request; parts are numbered from 0. */
void batch_add(struct buf *body, const char *boundary, size_t number,
               const struct batch_request *request);
void batch_end(struct buf *body, const char *boundary);

/* The answer to one part. */
struct batch_answer {
    int status;                /* 0: there is none */
    char code[STORE_CODE_MAX]; /* x-ms-error-code  */
};
/* Answers the parts 0 to count - 1 of a request, as far as the reply says: by Content-ID where it
 * is given, by position only if there are exactly as many answers as parts.  A single answer
 * without Content-ID that is a refusal (400 to 499) answers for all: so the service refuses a whole
 * batch. ERR_CORRUPT if the reply is no multipart one or was cut off; what could be told is told
 * all the same. */
MUST_USE bool batch_read(const char *content_type, const char *body, size_t size_bytes,
                         struct batch_answer *answers, size_t count, struct err *err);
#endif
