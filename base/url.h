/* url.h: absolute http, https and file URLs taken apart, and percent-encoding (RFC 3986). */
#ifndef BASE_URL_H
#define BASE_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct arena;
struct buf;

/* Parts as they are spelled, nothing decoded; absent parts are NULL. */
struct url {
    const char *scheme;   /* "https" */
    const char *userinfo; /* of user:password@ */
    const char *host;     /* "" for file:///; brackets of IPv6 kept */
    const char *port;
    const char *path; /* begins with '/' or is "" */
    const char *query;
    const char *fragment;
};
/* ERR_INPUT if it is not scheme://... */
MUST_USE bool url_read(const char *text, struct arena *arena, struct url *url, struct err *err);

enum url_set {
    URL_COMPONENT, /* all but unreserved is encoded */
    URL_PATH       /* the same, but '/' stays as it is */
};
void url_encode(struct buf *buf, const char *bytes, size_t size_bytes, enum url_set set);
/* False if a '%' is not followed by two hexadecimal digits or stands for NUL. */
bool url_decode(struct buf *buf, const char *text, size_t size_bytes);
/* 127.0.0.0/8, ::1 or localhost. */
bool url_is_loopback(const char *host);
#endif
