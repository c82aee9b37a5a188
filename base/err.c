#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* A text that was cut must not end within a UTF-8 character. */
static void trim_partial(char *text)
{
    size_t length = strlen(text);
    size_t start = length;
    while (start > 0 && length - start < 3 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t needed = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    if (length - (start - 1) < needed)
        text[start - 1] = '\0';
}

static void PRINTF(3, 0) format(char *text, size_t capacity, const char *fmt, va_list args)
{
    int length = vsnprintf(text, capacity, fmt, args);
    if (length < 0)
        text[0] = '\0';
    else if ((size_t)length >= capacity)
        trim_partial(text);
    str_tame(text); /* keys and the words of servers are part of it */
}

bool err_make(struct err *err, enum err_kind kind, const char *where, const char *fmt, ...)
{
    /* The arguments may point into *err, so it is replaced only at the end. */
    struct err made = {.kind = kind, .where = where};
    va_list args;
    va_start(args, fmt);
    format(made.text, sizeof made.text, fmt, args);
    va_end(args);
    *err = made;
    return false;
}

bool err_wrap(struct err *err, const char *fmt, ...)
{
    /* Half of the room at most: however long the names are, the cause is still read. */
    char what[sizeof err->text / 2];
    char text[sizeof what + sizeof ": " + sizeof err->text];
    va_list args;
    va_start(args, fmt);
    format(what, sizeof what, fmt, args);
    va_end(args);

    int length = snprintf(text, sizeof text, "%s: %s", what, err->text);
    if ((size_t)length >= sizeof err->text) {
        text[sizeof err->text - 1] = '\0';
        trim_partial(text);
    }
    memcpy(err->text, text, strlen(text) + 1);
    return false;
}

_Noreturn void err_abort(const char *what)
{
    fprintf(stderr, "frostline: %s\n", what);
    abort();
}
