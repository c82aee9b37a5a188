#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_CAPACITY_MIN 256

static void grow(struct buf *buf, size_t needed)
{
    size_t capacity = buf->capacity == 0 ? BUF_CAPACITY_MIN : buf->capacity;
    while (capacity < needed)
        capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    char *bytes = realloc(buf->bytes, capacity);
    if (!bytes)
        err_abort("out of memory");
    buf->bytes = bytes;
    buf->capacity = capacity;
}

/* Room for size_bytes and a NUL behind what is there; false beyond the ceiling, and from then on.
 * Nearly always there is room: that way is short.                                               */
static inline bool reserve(struct buf *buf, size_t size_bytes)
{
    if (buf->overflowed || size_bytes > buf->limit - buf->size) {
        buf->overflowed = true;
        return false;
    }
    if (buf->size + size_bytes >= buf->capacity)
        grow(buf, buf->size + size_bytes + 1);
    return true;
}

void buf_init(struct buf *buf, size_t limit_bytes)
{
    *buf = (struct buf){.limit = limit_bytes};
}

void buf_free(struct buf *buf)
{
    free(buf->bytes);
    buf_init(buf, buf->limit);
}

void buf_reset(struct buf *buf)
{
    buf->size = 0;
    buf->overflowed = false;
    if (buf->bytes)
        buf->bytes[0] = '\0';
}

void buf_add(struct buf *buf, const void *bytes, size_t size_bytes)
{
    if (!reserve(buf, size_bytes))
        return;
    if (size_bytes > 0)
        memcpy(buf->bytes + buf->size, bytes, size_bytes);
    buf->size += size_bytes;
    buf->bytes[buf->size] = '\0';
}

void buf_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_char(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_format(struct buf *buf, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    buf_vformat(buf, fmt, args);
    va_end(args);
}

void buf_vformat(struct buf *buf, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (length < 0)
        err_abort("a format that cannot be printed");
    if (!reserve(buf, (size_t)length))
        return;
    vsnprintf(buf->bytes + buf->size, (size_t)length + 1, fmt, args);
    buf->size += (size_t)length;
}

const char *buf_string(const struct buf *buf)
{
    return buf->bytes ? buf->bytes : "";
}

bool buf_check(const struct buf *buf, const char *what, struct err *err)
{
    if (buf->overflowed)
        return ERR(err, ERR_INPUT, "%s is larger than %zu bytes", what, buf->limit);
    return true;
}
