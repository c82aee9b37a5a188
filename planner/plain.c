#include "planner/plain.h"

#include <string.h>

#include "base/arena.h"
#include "base/str.h"

/* What stands behind is never shown. */
#define READ_BYTES_MAX ((size_t)16 << 10)

static const char *clean(struct arena *arena, const char *text, size_t size_bytes)
{
    static const char more[] = "..";
    char *plain = arena_make(arena, PLAIN_TEXT_BYTES + sizeof(more));
    size_t out = 0, in = 0;
    while (in < size_bytes) {
        size_t shown = str_shown_bytes(text + in, size_bytes - in);
        if (out + (shown == 0 ? 1 : shown) > PLAIN_TEXT_BYTES) {
            memcpy(plain + out, more, sizeof(more));
            break;
        }
        if (shown == 0)
            plain[out++] = '?';
        else
            memcpy(plain + out, text + in, shown);
        out += shown;
        in += shown == 0 ? 1 : shown;
    }
    return plain;
}

const char *plain_text(struct arena *arena, const char *text)
{
    return clean(arena, text, strnlen(text, READ_BYTES_MAX));
}

/* Of a URL: scheme and slashes of either kind. */
static size_t scheme_bytes(const char *location, size_t size_bytes)
{
    const char *colon = memchr(location, ':', size_bytes);
    size_t slashes = colon == NULL ? 0 : strspn(colon + 1, "/\\");
    return slashes == 0 ? 0 : (size_t)(colon - location) + 1 + slashes;
}

/* A password may hold a slash, so what stands in front of any '@' is not shown. */
const char *plain_location(struct arena *arena, const char *location)
{
    size_t size_bytes = strnlen(location, READ_BYTES_MAX);
    for (size_t i = 0; i < size_bytes; i++)
        if (location[i] == '?' || location[i] == '#')
            size_bytes = i;
    size_t scheme = scheme_bytes(location, size_bytes), at = size_bytes;
    while (at > scheme && location[at - 1] != '@')
        at--;
    if (at <= scheme)
        return clean(arena, location, size_bytes);
    const char *whole = str_format(arena, "%.*s..%.*s", (int)scheme, location,
                                   (int)(size_bytes - at + 1), location + at - 1);
    return clean(arena, whole, strlen(whole));
}
