#include "engine/text.h"

#include <stdio.h>
#include <string.h>

#include "base/size.h"
#include "base/str.h"
#include "base/when.h"
#include "engine/terminal.h"

#define SLOTS 16
#define SLOT_BYTES 96

static char *slot(void)
{
    static _Thread_local char slots[SLOTS][SLOT_BYTES];
    static _Thread_local unsigned next;
    return slots[next++ % SLOTS];
}

const char *text_size(uint64_t size_bytes)
{
    char *text = slot();
    size_text(size_bytes, text);
    return text;
}

const char *text_count(uint64_t count)
{
    char *text = slot();
    size_count_text(count, text);
    return text;
}

const char *text_instant(int64_t instant_us)
{
    char *text = slot();
    when_instant_people(instant_us, text);
    return text;
}

const char *text_plural(uint64_t count, const char *word)
{
    char *text = slot();
    size_t length = strlen(word);
    if (count == 1)
        snprintf(text, SLOT_BYTES, "1 %s", word);
    else if (str_ends(word, "y") && !str_ends(word, "ay"))
        snprintf(text, SLOT_BYTES, "%s %.*sies", text_count(count), (int)length - 1, word);
    else
        snprintf(text, SLOT_BYTES, "%s %ss", text_count(count), word);
    return text;
}

const char *text_unit(bool by_object)
{
    return by_object ? "object" : "directory";
}

const char *text_plain(const char *name)
{
    static _Thread_local char plains[4][TEXT_PLAIN_BYTES + 1];
    static _Thread_local unsigned next;
    char *plain = plains[next++ % 4];
    snprintf(plain, TEXT_PLAIN_BYTES + 1, "%s", name);
    str_tame(plain);
    return plain;
}

/* -- width --------------------------------------------------------------------------------------
 */

/* Of well-formed UTF-8. */
static uint32_t code_point(const char *text, size_t size)
{
    static const unsigned char leads[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t point = (unsigned char)text[0] & leads[size];
    for (size_t i = 1; i < size; i++)
        point = point << 6 | ((unsigned char)text[i] & 0x3f);
    return point;
}

/* What terminals draw two columns wide: the blocks of Unicode's EastAsianWidth.txt that are W or F
 * nearly throughout.                                                                            */
static bool is_wide(uint32_t point)
{
    static const struct {
        uint32_t first, last;
    } wide[] = {{0x1100, 0x115f},   {0x2e80, 0xa4cf},  {0xac00, 0xd7a3}, {0xf900, 0xfaff},
                {0xfe30, 0xfe6f},   {0xff00, 0xff60},  {0xffe0, 0xffe6}, {0x1f300, 0x1f64f},
                {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
        if (point >= wide[i].first && point <= wide[i].last)
            return true;
    return false;
}

/* How many bytes the character has, and how many columns it takes. */
static size_t measure(const char *text, size_t left, size_t *columns)
{
    size_t size = str_shown_bytes(text, left);
    *columns = size > 1 && is_wide(code_point(text, size)) ? 2 : 1;
    return size > 0 ? size : 1;
}

size_t text_columns(const char *text)
{
    size_t columns = 0, left = strlen(text), wide;
    while (left > 0) {
        size_t size = measure(text, left, &wide);
        columns += wide;
        text += size;
        left -= size;
    }
    return columns;
}

/* Each character that is not ASCII becomes a question mark. */
static void make_ascii(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        if (((unsigned char)*from & 0xc0) != 0x80)
            *to++ = (unsigned char)*from < 0x80 ? *from : '?';
    }
    *to = '\0';
}

/* How many bytes to leave out of the beginning, or to keep of it, for that many columns. */
static size_t bytes_before(const char *text, size_t columns, bool at_least)
{
    size_t left = strlen(text), at = 0, wide;
    for (size_t column = 0; at < left; column += wide) {
        size_t size = measure(text + at, left - at, &wide);
        if (at_least ? column >= columns : column + wide > columns)
            break;
        at += size;
    }
    return at;
}

const char *text_fit(const char *name, size_t columns, enum text_end cut, bool is_utf8)
{
    static _Thread_local char fits[4][TEXT_PLAIN_BYTES + 4];
    static _Thread_local unsigned next;
    char *fit = fits[next++ % 4], *plain = (char *)text_plain(name);
    const char *dots = is_utf8 ? "\u2026" : "..";
    size_t dot_columns = text_columns(dots);
    if (!is_utf8)
        make_ascii(plain);
    size_t width = text_columns(plain);
    if (width <= columns)
        return plain;
    size_t kept = columns > dot_columns ? columns - dot_columns : 0;
    if (columns < dot_columns)
        fit[0] = '\0';
    else if (cut == TEXT_START)
        snprintf(fit, TEXT_PLAIN_BYTES + 4, "%s%s", dots,
                 plain + bytes_before(plain, width - kept, true));
    else
        snprintf(fit, TEXT_PLAIN_BYTES + 4, "%.*s%s", (int)bytes_before(plain, kept, false), plain,
                 dots);
    return fit;
}

/* -- signs --------------------------------------------------------------------------------------
 */

const char *text_sign(FILE *out, char sign)
{
    static const char red[] = "x-", yellow[] = "!?~";
    enum terminal_colour colour = TERMINAL_GREEN;
    char *text = slot();
    if (strchr(red, sign) != NULL)
        colour = TERMINAL_RED;
    else if (strchr(yellow, sign) != NULL)
        colour = TERMINAL_YELLOW;
    snprintf(text, SLOT_BYTES, "%s%c%s", terminal_colour(out, colour), sign,
             terminal_colour(out, TERMINAL_PLAIN));
    return text;
}

const char *text_digest(const char *digest)
{
    char *text = slot();
    size_t length = strlen(digest);
    if (length < 24)
        return digest;
    snprintf(text, SLOT_BYTES, "%.15s..%s", digest, digest + length - 4);
    return text;
}
