/* str.h: small questions about C strings, and strings made in an arena. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct arena;

bool str_equal(const char *a, const char *b); /* NULL equals only NULL */
bool str_starts(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);
/* Byte order, as strcmp, never the locale's. */
int str_compare(const char *a, const char *b);

char *str_copy(struct arena *arena, const char *text, size_t size_bytes); /* NUL added */
char *str_format(struct arena *arena, const char *fmt, ...) PRINTF(2, 3);

/* The whole of text is a decimal number without sign or blanks that fits. */
bool str_to_u64(const char *text, uint64_t *value);
/* The same with an optional leading minus. */
bool str_to_i64(const char *text, int64_t *value);

/* Well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool str_is_utf8(const char *bytes, size_t size_bytes);
/* Has a byte below 0x20, or 0x7f. */
bool str_has_control(const char *bytes, size_t size_bytes);

/* How many bytes the character at text has, if it may be shown to a person: well-formed UTF-8, and
 * nothing that a terminal acts upon (C0, DEL, C1).  Else 0.  left: to the end of the text, > 0. */
size_t str_shown_bytes(const char *text, size_t left);

/* How many bytes of a text stay when it is cut to at most max_bytes, before a character of UTF-8
 * rather than within it. */
size_t str_cut(const char *text, size_t size_bytes, size_t max_bytes);

/* Becomes one line that no terminal acts upon: tabs and line breaks are blanks, every other byte
 * that may not be shown is a '?'. */
void str_tame(char *text);

/* Edits (insert, drop, replace, swap neighbours) that turn a into b; both at most 64 bytes,
 * else SIZE_MAX.  For "did you mean". */
size_t str_distance(const char *a, const char *b);
/* The one of `choices` (NULL-terminated) nearest to text, or NULL if none is near enough to be
 * a likely slip (more than a third of its letters). */
const char *str_nearest(const char *text, const char *const *choices);
#endif
