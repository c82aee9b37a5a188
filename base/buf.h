/* buf.h: bytes that grow up to a ceiling.  A write beyond the ceiling is dropped whole, as is every
 * write after it, and remembered, so that a long row of writes is checked once, at its end.
 * Running out of memory aborts with one line. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>

#include "base/err.h"

struct buf {
    char *bytes; /* NUL behind the last byte; NULL until the first write */
    size_t size;
    size_t capacity;
    size_t limit;
    bool overflowed;
};

void buf_init(struct buf *buf, size_t limit_bytes);
void buf_free(struct buf *buf);
/* Empty again, the memory kept; forgets an overflow. */
void buf_reset(struct buf *buf);
void buf_add(struct buf *buf, const void *bytes, size_t size_bytes);
void buf_text(struct buf *buf, const char *text);
void buf_char(struct buf *buf, char c);
void buf_format(struct buf *buf, const char *fmt, ...) PRINTF(2, 3);
void buf_vformat(struct buf *buf, const char *fmt, va_list args) PRINTF(2, 0);
/* The content as a C string; "" if nothing was written.  Lives until the next write. */
const char *buf_string(const struct buf *buf);
/* ERR_INPUT naming what grew too large. */
MUST_USE bool buf_check(const struct buf *buf, const char *what, struct err *err);
#endif
