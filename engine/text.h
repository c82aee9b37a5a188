/* text.h: amounts and times as people read them, in buffers that rotate, so that several can stand
 * in one printf. */
#ifndef ENGINE_TEXT_H
#define ENGINE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

const char *text_size(uint64_t size_bytes);                /* "38.2 GB"             */
const char *text_count(uint64_t count);                    /* "23,820"              */
const char *text_instant(int64_t instant_us);              /* "2025-06-01 00:00:00" */
const char *text_plural(uint64_t count, const char *word); /* "1 object", "2,000 objects"; a final
                                                            * y becomes ies, but for ay           */
const char *text_unit(bool by_object); /* "directory", or "object": what moves */
/* Names from outside as str_tame leaves them, cut after TEXT_PLAIN_BYTES. */
#define TEXT_PLAIN_BYTES 1100
const char *text_plain(const char *name);
size_t text_columns(const char *text); /* how wide it is: UTF-8, wide characters count twice */
/* The name, plain, without its start or its end where it is wider than that, and with an ellipsis
 * in their place; in ASCII alone unless is_utf8. */
enum text_end { TEXT_START, TEXT_END };
const char *text_fit(const char *name, size_t columns, enum text_end cut, bool is_utf8);
/* What a row begins with, coloured if the stream is: x and - red, ! ? ~ yellow, others green. */
const char *text_sign(FILE *out, char sign);
/* "sha256:4be1c0a2..9d27" */
const char *text_digest(const char *digest);
#endif
