#include "state/location.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/url.h"

/* What a raw key may not show as it is; nothing else is ever encoded. */
#define ENCODED "%?#"
/* What the most careful of libraries leave as it is (RFC 3986, 2.3), '/', and what is encoded. */
#define KEPT "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/%"

/* -- regular locations: one look at each byte, one allocation --------------------------------- */

/* The tail of a text that begins with the base of a place; NULL if none does. */
static const char *find_tail(const struct places *places, const char *text, size_t *place)
{
    for (size_t i = 0; i < places->count; i++) {
        size_t base_bytes = strlen(places->items[i].base);
        if (strncmp(text, places->items[i].base, base_bytes) == 0) {
            *place = i;
            return text + base_bytes;
        }
    }
    return NULL;
}

/* The byte that three canonical ones stand for; 0 if they are not canonical. */
static char decoded(const char *text)
{
    if (text[1] == '2' && text[2] == '5')
        return '%';
    if (text[1] == '3' && text[2] == 'F')
        return '?';
    if (text[1] == '2' && text[2] == '3')
        return '#';
    return '\0';
}

/* No empty, '.' or '..' segment; only the last may be empty, after the '/' of a directory. */
static bool segment_is_canonical(const char *segment, size_t size_bytes, bool last)
{
    if (size_bytes == 0)
        return last;
    return !(size_bytes == 1 && segment[0] == '.') &&
           !(size_bytes == 2 && segment[0] == '.' && segment[1] == '.');
}

/* Is it the spelling that location_make gives?  *directory_bytes: up to and with the last '/'. */
static bool tail_is_canonical(const char *tail, size_t *directory_bytes, size_t *size_bytes)
{
    size_t segment = 0, i = 0;
    bool ascii = true;
    for (; tail[i] != '\0'; i++) {
        unsigned char c = (unsigned char)tail[i];
        if (c == '/') {
            if (!segment_is_canonical(tail + segment, i - segment, false))
                return false;
            segment = i + 1;
        } else if (c == '%') {
            if (decoded(tail + i) == '\0')
                return false;
            i += 2;
        } else if (c < 0x20 || c == 0x7f || c == '?' || c == '#' || c == '\\')
            return false;
        ascii = ascii && c < 0x80;
    }
    *directory_bytes = segment;
    *size_bytes = i;
    return segment_is_canonical(tail + segment, i - segment, true) &&
           (ascii || str_is_utf8(tail, i));
}

/* Returns the NUL that it ends with. */
static char *copy_decoded(char *out, const char *text, size_t size_bytes)
{
    const char *end = text + size_bytes;
    for (const char *escape; (escape = memchr(text, '%', (size_t)(end - text))) != NULL;) {
        out = mempcpy(out, text, (size_t)(escape - text));
        *out++ = decoded(escape);
        text = escape + 3;
    }
    out = mempcpy(out, text, (size_t)(end - text));
    *out = '\0';
    return out;
}

static bool read_tail(const char *tail, struct arena *arena, struct location *location)
{
    size_t directory_bytes, size_bytes;
    if (!tail_is_canonical(tail, &directory_bytes, &size_bytes) || size_bytes > LOCATION_BYTES_MAX)
        return false;
    char *key = arena_make(arena, size_bytes + 1);
    char *name = copy_decoded(key, tail, directory_bytes);
    copy_decoded(name, tail + directory_bytes, size_bytes - directory_bytes);
    location->key = key;
    location->directory = str_copy(arena, key, (size_t)(name - key));
    location->name = name;
    return true;
}

/* The store itself is no unit of it. */
static enum spelling set_unit(const struct places *places, struct location *location,
                              enum spelling spelling)
{
    location->unit = places->by_object ? location->key : location->directory;
    return location->unit[0] == '\0' ? SPELLING_SHALLOW : spelling;
}

/* -- all others: what do they mean? ----------------------------------------------------------- */

static bool is_text(const char *bytes, size_t size_bytes)
{
    return str_is_utf8(bytes, size_bytes) && !str_has_control(bytes, size_bytes);
}

/* The rest of a meaning below a base, "" if it is the base itself; NULL if it is not below it. */
static const char *find_below(const char *meaning, const char *base, struct arena *arena)
{
    struct arena_mark mark = arena_mark(arena);
    const char *whole = place_meaning(base, arena);
    assert(whole != NULL && str_ends(whole, "/"));
    size_t whole_bytes = strlen(whole);
    const char *rest = NULL;
    if (str_starts(meaning, whole))
        rest = meaning + whole_bytes;
    else if (strlen(meaning) == whole_bytes - 1 && strncmp(meaning, whole, whole_bytes - 1) == 0)
        rest = "";
    arena_back(arena, mark);
    return rest;
}

static const char *find_place(const struct places *places, const char *meaning, struct arena *arena,
                              size_t *place)
{
    for (size_t i = 0; i < places->count; i++) {
        const struct place *item = &places->items[i];
        const char *rest = find_below(meaning, item->base, arena);
        for (size_t k = 0; rest == NULL && k < item->alias_count; k++)
            rest = find_below(meaning, item->aliases[k], arena);
        if (rest != NULL) {
            *place = place_first(places, i);
            return rest;
        }
    }
    return NULL;
}

/* How much of a raw key consists of segments that people and files can show.  What is behind them
 * can't be a directory of ours, but lies in the one that is left.                               */
static size_t text_bytes(const char *key)
{
    size_t size_bytes = 0;
    while (key[size_bytes] != '\0') {
        size_t segment_bytes = strcspn(key + size_bytes, "/");
        if (!is_text(key + size_bytes, segment_bytes))
            break;
        size_bytes += segment_bytes;
        size_bytes += key[size_bytes] == '/';
    }
    return size_bytes;
}

static enum spelling read_meaning(const struct places *places, const char *text,
                                  struct arena *arena, struct location *location)
{
    size_t text_size = strnlen(text, LOCATION_BYTES_MAX + 1);
    if (text_size > LOCATION_BYTES_MAX || !is_text(text, text_size))
        return SPELLING_FOREIGN;

    struct arena_mark mark = arena_mark(arena);
    size_t place;
    const char *meaning = place_meaning(text, arena);
    const char *rest = meaning == NULL ? NULL : find_place(places, meaning, arena, &place);
    if (rest == NULL) {
        arena_back(arena, mark);
        return SPELLING_FOREIGN;
    }

    char *key = str_copy(arena, rest, text_bytes(rest));
    const char *slash = strrchr(key, '/');
    size_t directory_bytes = slash == NULL ? 0 : (size_t)(slash - key) + 1;
    *location = (struct location){.place = (uint16_t)place,
                                  .store = (uint16_t)place,
                                  .key = key,
                                  .directory = str_copy(arena, key, directory_bytes),
                                  .name = key + directory_bytes};
    return set_unit(places, location, SPELLING_IRREGULAR);
}

enum spelling location_read(const struct places *places, const char *text, struct arena *arena,
                            struct location *location)
{
    size_t place;
    const char *tail = find_tail(places, text, &place);
    if (tail == NULL || !read_tail(tail, arena, location))
        return read_meaning(places, text, arena, location);
    location->place = location->store = (uint16_t)place;
    return set_unit(places, location, SPELLING_REGULAR);
}

/* -- the way back ----------------------------------------------------------------------------- */

static char *put_encoded(char *out, char byte)
{
    static const char digits[] = "0123456789ABCDEF";
    *out++ = '%';
    *out++ = digits[(unsigned char)byte >> 4];
    *out++ = digits[(unsigned char)byte & 15];
    return out;
}

static char *encode(char *out, const char *key)
{
    for (; *key != '\0'; key++) {
        if (strchr(ENCODED, *key) == NULL)
            *out++ = *key;
        else
            out = put_encoded(out, *key);
    }
    *out = '\0';
    return out;
}

char *location_make(const struct place *place, const char *directory, const char *name,
                    struct arena *arena)
{
    size_t base_bytes = strlen(place->base);
    char *text = arena_make(arena, base_bytes + 3 * (strlen(directory) + strlen(name)) + 1);
    memcpy(text, place->base, base_bytes);
    encode(encode(text + base_bytes, directory), name);
    return text;
}

/* -- how others may spell it ------------------------------------------------------------------- */

/* Another scheme that means the same; NULL if there is none. */
static const char *with_other_scheme(const char *url, struct arena *arena)
{
    static const char *const schemes[][2] = {
        {"https://", "http://"}, {"http://", "https://"}, {"file:///", "file:/"}};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (str_starts(url, schemes[i][0]))
            return str_format(arena, "%s%s", schemes[i][1], url + strlen(schemes[i][0]));
    return NULL;
}

static const char *with_path_encoded(const char *url, struct arena *arena)
{
    const char *path = strstr(url, "://") + strlen("://");
    path += strcspn(path, "/");
    char *text = arena_make(arena, 3 * strlen(url) + 1);
    char *out = text + (path - url);
    memcpy(text, url, (size_t)(path - url));
    for (; *path != '\0'; path++) {
        if (strchr(KEPT, *path) != NULL)
            *out++ = *path;
        else
            out = put_encoded(out, *path);
    }
    *out = '\0';
    return text;
}

struct spellings {
    const char **items;
    size_t count;
};

static void add(struct spellings *spellings, const char *text)
{
    for (size_t i = 0; i < spellings->count; i++)
        if (str_equal(spellings->items[i], text))
            return;
    spellings->items[spellings->count++] = text;
}

static void add_forms(struct spellings *spellings, const char *text, struct arena *arena)
{
    const char *forms[] = {text, with_other_scheme(text, arena)};
    for (size_t i = 0; i < 2 && forms[i] != NULL; i++) {
        add(spellings, forms[i]);
        if (str_ends(text, "/"))
            add(spellings, str_copy(arena, forms[i], strlen(forms[i]) - 1));
        else {
            add(spellings, str_format(arena, "%s?", forms[i]));
            add(spellings, str_format(arena, "%s#", forms[i]));
        }
    }
}

const char **location_spellings(const struct place *place, const char *unit, struct arena *arena,
                                size_t *count)
{
    enum { FORMS = 12 }; /* two schemes, two ways to encode, three ends */
    struct spellings spellings = {
        .items = arena_make(arena, FORMS * (place->alias_count + 1) * sizeof(*spellings.items))};
    for (size_t i = 0; i <= place->alias_count; i++) {
        struct place named = {.base = i == 0 ? place->base : place->aliases[i - 1]};
        const char *text = location_make(&named, unit, "", arena);
        add_forms(&spellings, text, arena);
        add_forms(&spellings, with_path_encoded(text, arena), arena);
    }
    *count = spellings.count;
    return spellings.items;
}

/* -- why a spelling is not regular ------------------------------------------------------------ */

static const char *foreign_oddity(const char *text, struct arena *arena)
{
    if (strnlen(text, LOCATION_BYTES_MAX + 1) > LOCATION_BYTES_MAX)
        return "is too long";
    if (!str_is_utf8(text, strlen(text)))
        return "is not UTF-8";
    if (str_has_control(text, strlen(text)))
        return "has control bytes";
    if (place_meaning(text, arena) == NULL)
        return "is not an absolute URL";
    return "is in no declared store";
}

static bool has_capital(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text >= 'A' && *text <= 'Z')
            return true;
    return false;
}

static bool has_odd_segment(const char *path)
{
    for (const char *segment = path; *segment == '/'; segment += strcspn(segment, "/")) {
        segment++;
        size_t size_bytes = strcspn(segment, "/");
        if (!segment_is_canonical(segment, size_bytes, segment[size_bytes] == '\0'))
            return true;
    }
    return false;
}

/* Of a location that means something in `place`. */
static const char *irregular_oddity(const struct place *place, const char *text,
                                    struct arena *arena)
{
    if (text[0] == ' ')
        return "begins with a blank";
    if (strchr(text, '\\') != NULL)
        return "has a backslash";
    struct url url, base;
    struct err refused;
    if (!url_read(text, arena, &url, &refused) || !url_read(place->base, arena, &base, &refused))
        return "is an unusual form of URL";

    if (url.userinfo != NULL)
        return "has user information";
    if (url.query != NULL)
        return "has a query";
    if (url.fragment != NULL)
        return "has a fragment";
    if (has_capital(url.scheme) || has_capital(url.host))
        return "has capitals in its scheme or host";
    if (has_odd_segment(url.path))
        return "has empty, '.' or '..' path segments";
    if (!str_equal(url.host, base.host))
        return "uses another address of the store";
    if (!str_equal(url.scheme, base.scheme))
        return "has another scheme than the store";
    if (!str_equal(url.port, base.port))
        return "has another port than the store";
    return "has needless or missing percent-encoding, or uses another address of the store";
}

const char *location_oddity(const struct places *places, const char *text, struct arena *arena)
{
    struct location location;
    switch (location_read(places, text, arena, &location)) {
    case SPELLING_REGULAR:
        return NULL;
    case SPELLING_SHALLOW:
        return places->by_object ? "names the store, and no object of it"
                                 : "lies in no directory of the store";
    case SPELLING_IRREGULAR:
        return irregular_oddity(&places->items[location.place], text, arena);
    default:
        return foreign_oddity(text, arena);
    }
}
