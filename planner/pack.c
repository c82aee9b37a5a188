#include "planner/pack.h"

#include <string.h>

#include "base/buf.h"

void pack_number(struct buf *out, uint64_t value)
{
    buf_add(out, &value, sizeof(value));
}

void pack_text(struct buf *out, const char *text)
{
    const char *given = text == NULL ? "" : text;
    size_t size_bytes = strlen(given) + 1;
    pack_number(out, size_bytes);
    buf_add(out, given, size_bytes);
}

static const char *take(struct packed *packed, uint64_t size_bytes)
{
    if (packed->broken || size_bytes > packed->size_bytes) {
        packed->broken = true;
        return NULL;
    }
    const char *taken = packed->at;
    packed->at += size_bytes;
    packed->size_bytes -= size_bytes;
    return taken;
}

uint64_t pack_take_number(struct packed *packed)
{
    uint64_t value = 0;
    const char *bytes = take(packed, sizeof(value));
    if (bytes != NULL)
        memcpy(&value, bytes, sizeof(value));
    return value;
}

const char *pack_take_text(struct packed *packed)
{
    uint64_t size_bytes = pack_take_number(packed);
    const char *text = take(packed, size_bytes);
    if (text == NULL || size_bytes == 0 || text[size_bytes - 1] != '\0') {
        packed->broken = true;
        return "";
    }
    return text;
}

bool pack_check(const struct packed *packed, struct err *err)
{
    return !packed->broken ||
           ERR(err, ERR_CORRUPT, "a temporary file does not hold what was written to it");
}
