#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"

#define STR_DISTANCE_BYTES_MAX 64

bool str_equal(const char *a, const char *b)
{
    if (!a || !b)
        return a == b;
    return strcmp(a, b) == 0;
}

bool str_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *text, const char *suffix)
{
    size_t text_bytes = strlen(text);
    size_t suffix_bytes = strlen(suffix);
    return suffix_bytes <= text_bytes && strcmp(text + text_bytes - suffix_bytes, suffix) == 0;
}

int str_compare(const char *a, const char *b)
{
    return strcmp(a, b);
}

char *str_copy(struct arena *arena, const char *text, size_t size_bytes)
{
    char *copy = arena_make(arena, size_bytes + 1);
    if (size_bytes > 0)
        memcpy(copy, text, size_bytes);
    return copy;
}

char *str_format(struct arena *arena, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (length < 0)
        err_abort("a format that cannot be printed");

    char *text = arena_make(arena, (size_t)length + 1);
    va_start(args, fmt);
    vsnprintf(text, (size_t)length + 1, fmt, args);
    va_end(args);
    return text;
}

bool str_to_u64(const char *text, uint64_t *value)
{
    uint64_t sum = 0;
    if (*text == '\0')
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        if (__builtin_mul_overflow(sum, 10u, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(*text - '0'), &sum))
            return false;
    }
    *value = sum;
    return true;
}

bool str_to_i64(const char *text, int64_t *value)
{
    bool negative = *text == '-';
    uint64_t amount;
    if (!str_to_u64(negative ? text + 1 : text, &amount))
        return false;
    if (amount > (uint64_t)INT64_MAX + negative)
        return false;
    *value = (int64_t)(negative ? -amount : amount);
    return true;
}

/* The length of the character that begins at bytes, 0 if none does (Unicode, table 3-7). */
static size_t utf8_length(const unsigned char *bytes, size_t size_bytes)
{
    unsigned char lead = bytes[0];
    if (lead < 0x80)
        return 1;
    size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || length > size_bytes)
        return 0;
    unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (bytes[1] < low || bytes[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

/* Eight bytes at once: most text is nothing else. */
static bool is_ascii_word(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return (word & UINT64_C(0x8080808080808080)) == 0;
}

bool str_is_utf8(const char *bytes, size_t size_bytes)
{
    size_t length;
    for (size_t at = 0; at < size_bytes; at += length) {
        length = 8;
        if (size_bytes - at >= length && is_ascii_word(bytes + at))
            continue;
        length = utf8_length((const unsigned char *)bytes + at, size_bytes - at);
        if (length == 0)
            return false;
    }
    return true;
}

bool str_has_control(const char *bytes, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c < 0x20 || c == 0x7f)
            return true;
    }
    return false;
}

size_t str_shown_bytes(const char *text, size_t left)
{
    size_t longest = left < 4 ? left : 4;
    bool is_c1 = left > 1 && (unsigned char)text[0] == 0xc2 && (unsigned char)text[1] < 0xa0;
    if (str_has_control(text, 1) || is_c1)
        return 0;
    for (size_t size = 1; size <= longest; size++)
        if (str_is_utf8(text, size))
            return size;
    return 0;
}

size_t str_cut(const char *text, size_t size_bytes, size_t max_bytes)
{
    if (size_bytes <= max_bytes)
        return size_bytes;
    size_t cut = max_bytes;
    while (cut > 0 && ((unsigned char)text[cut] & 0xc0) == 0x80)
        cut--;
    return cut;
}

void str_tame(char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        size_t shown = str_shown_bytes(text, left), taken = shown > 0 ? shown : 1;
        if (shown == 0)
            *text = strchr("\t\n\r", *text) != NULL ? ' ' : '?';
        text += taken;
        left -= taken;
    }
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: rows[i % 3][j] is the distance of the first i bytes of a from the
 * first j bytes of b.                                                                         */
size_t str_distance(const char *a, const char *b)
{
    size_t rows[3][STR_DISTANCE_BYTES_MAX + 1];
    size_t a_bytes = strlen(a);
    size_t b_bytes = strlen(b);
    if (a_bytes > STR_DISTANCE_BYTES_MAX || b_bytes > STR_DISTANCE_BYTES_MAX)
        return SIZE_MAX;

    for (size_t j = 0; j <= b_bytes; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_bytes; i++) {
        size_t *row = rows[i % 3];
        size_t *above = rows[(i + 2) % 3];
        size_t *above_that = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_bytes; j++) {
            row[j] = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(row[j], least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], above_that[j - 2] + 1);
        }
    }
    return rows[a_bytes % 3][b_bytes];
}

const char *str_nearest(const char *text, const char *const *choices)
{
    const char *nearest = NULL;
    size_t nearest_distance = strlen(text) / 3 + 1;
    for (; *choices; choices++) {
        size_t distance = str_distance(text, *choices);
        if (distance < nearest_distance) {
            nearest = *choices;
            nearest_distance = distance;
        }
    }
    return nearest;
}
