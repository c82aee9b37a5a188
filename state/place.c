#include "state/place.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/url.h"

#define CHECK_ARENA_BYTES_MAX ((size_t)64 << 20)

/* -- what a URL means ------------------------------------------------------------------------- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* In place, once, and lenient: a '%' that encodes nothing, or a NUL, stays as it is. */
static void decode(char *text)
{
    char *out = text;
    for (const char *in = text; *in != '\0'; in++) {
        int high = in[0] == '%' ? hex_value(in[1]) : -1;
        int low = high >= 0 ? hex_value(in[2]) : -1;
        if (low >= 0 && high + low > 0) {
            *out++ = (char)(high * 16 + low);
            in += 2;
        } else
            *out++ = *in;
    }
    *out = '\0';
}

static void lower(char *text)
{
    for (; *text != '\0'; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
}

static void turn_backslashes(char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '\\')
            *text = '/';
}

/* In place: no empty, '.' or '..' segment is left; nothing climbs above the root. */
static void resolve(char *path)
{
    assert(path[0] == '/');
    char *out = path;
    for (char *in = path; *in != '\0';) {
        char *segment = in + 1;
        size_t size = strcspn(segment, "/");
        bool up = size == 2 && memcmp(segment, "..", 2) == 0;
        bool empty = size == 0 || (size == 1 && segment[0] == '.') || up;
        bool last = segment[size] == '\0';
        in = segment + size;

        while (up && out > path && *--out != '/')
            ;
        if (empty && !last)
            continue;
        *out++ = '/';
        memmove(out, segment, empty ? 0 : size);
        out += empty ? 0 : size;
    }
    *out = '\0';
}

static char *path_meaning(const char *path, struct arena *arena)
{
    char *meaning = arena_copy(arena, path[0] == '\0' ? "/" : path);
    decode(meaning);
    turn_backslashes(meaning);
    resolve(meaning);
    return meaning;
}

/* The host, with its port unless it is one of http or https. */
static char *web_meaning(const struct url *url, struct arena *arena)
{
    const char *port = url->port == NULL ? "" : url->port + strspn(url->port, "0");
    bool usual = str_equal(port, "") || str_equal(port, "80") || str_equal(port, "443");
    size_t host_bytes = strlen(url->host);
    if (str_ends(url->host, "."))
        host_bytes--;
    char *host = str_copy(arena, url->host, host_bytes);
    lower(host);
    return str_format(arena, "https://%s%s%s", host, usual ? "" : ":", usual ? "" : port);
}

/* RFC 8089 lets a file URL without an authority begin with one slash. */
static char *with_authority(const char *text, struct arena *arena)
{
    bool minimal = strncasecmp(text, "file:/", 6) == 0 && text[6] != '/';
    return minimal ? str_format(arena, "file://%s", text + 5) : arena_copy(arena, text);
}

char *place_meaning(const char *url_text, struct arena *arena)
{
    char *plain = arena_copy(arena, url_text + strspn(url_text, " "));
    turn_backslashes(plain);
    struct url url;
    struct err refused;
    if (!url_read(with_authority(plain, arena), arena, &url, &refused))
        return NULL;

    const char *path = path_meaning(url.path, arena);
    if (strcasecmp(url.scheme, "http") == 0 || strcasecmp(url.scheme, "https") == 0)
        return str_format(arena, "%s%s", web_meaning(&url, arena), path);

    char *scheme = arena_copy(arena, url.scheme);
    lower(scheme);
    bool local = str_equal(scheme, "file") && strcasecmp(url.host, "localhost") == 0;
    return str_format(arena, "%s://%s%s", scheme, local ? "" : url.host, path);
}

/* -- stores of one place ---------------------------------------------------------------------- */

size_t place_first(const struct places *places, size_t index)
{
    size_t first = 0;
    while (!str_equal(places->items[first].base, places->items[index].base))
        first++;
    return first;
}

bool place_is_shared(const struct places *places, size_t index)
{
    size_t count = 0;
    for (size_t i = 0; i < places->count; i++)
        count += str_equal(places->items[i].base, places->items[index].base);
    return count > 1;
}

/* -- places that overlap ---------------------------------------------------------------------- */

struct claim {
    const char *meaning;
    const char *url;
    size_t place; /* the first of its stores */
};

static void claim(struct claim *claim, size_t place, const char *url, struct arena *arena)
{
    *claim = (struct claim){.meaning = place_meaning(url, arena), .url = url, .place = place};
    assert(claim->meaning != NULL && str_ends(claim->meaning, "/"));
}

static struct claim *claims_make(const struct places *places, struct arena *arena, size_t *count)
{
    *count = places->count;
    for (size_t i = 0; i < places->count; i++)
        *count += places->items[i].alias_count;

    struct claim *claims = arena_make(arena, (*count + 1) * sizeof(*claims));
    struct claim *next = claims;
    for (size_t i = 0; i < places->count; i++) {
        const struct place *place = &places->items[i];
        size_t first = place_first(places, i);
        claim(next++, first, place->base, arena);
        for (size_t k = 0; k < place->alias_count; k++)
            claim(next++, first, place->aliases[k], arena);
    }
    return claims;
}

static bool overlap(const struct claim *a, const struct claim *b)
{
    return a->place != b->place &&
           (str_starts(a->meaning, b->meaning) || str_starts(b->meaning, a->meaning));
}

static bool check(const struct places *places, struct arena *arena, size_t *first, size_t *second,
                  struct err *err)
{
    size_t count;
    const struct claim *claims = claims_make(places, arena, &count);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = i + 1; k < count; k++) {
            const struct claim *a = &claims[i], *b = &claims[k];
            if (!overlap(a, b))
                continue;
            *first = a->place;
            *second = b->place;
            return ERR(err, ERR_INPUT, "stores %s and %s overlap: %s and %s",
                       places->items[a->place].store, places->items[b->place].store, a->url,
                       b->url);
        }
    }
    return true;
}

bool place_check(const struct places *places, size_t *first, size_t *second, struct err *err)
{
    struct arena arena;
    arena_init(&arena, CHECK_ARENA_BYTES_MAX);
    bool checked = check(places, &arena, first, second, err);
    arena_free(&arena);
    return checked;
}
