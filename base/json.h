/* json.h: JSON written as a stream into a buf, and read through jansson, which nothing outside
 * json.c sees. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct buf;

#define JSON_DEPTH_MAX 32

/* Writes compact JSON; keys stand in the order of the calls, so the same calls give the same
 * bytes.  Text must be UTF-8; what JSON must escape is escaped, all else is written raw.  No
 * function bears the name of one of jansson's (json_object, json_integer): the linker would hand
 * ours to the library. */
struct json_writer {
    struct buf *out;
    unsigned depth;
    bool first[JSON_DEPTH_MAX + 1];
    bool after_key;
    unsigned lines; /* for people, set behind json_begin: so deep each item has a line */
};
void json_begin(struct json_writer *json, struct buf *out);
void json_object_begin(struct json_writer *json);
void json_object_end(struct json_writer *json);
void json_array_begin(struct json_writer *json);
void json_array_end(struct json_writer *json);
void json_key(struct json_writer *json, const char *key);
void json_text(struct json_writer *json, const char *text); /* NULL becomes null */
void json_signed(struct json_writer *json, int64_t value);
void json_unsigned(struct json_writer *json, uint64_t value);
void json_boolean(struct json_writer *json, bool value);
/* json_key and one value. */
void json_put_text(struct json_writer *json, const char *key, const char *text);
void json_put_integer(struct json_writer *json, const char *key, int64_t value);
void json_put_unsigned(struct json_writer *json, const char *key, uint64_t value);
void json_put_boolean(struct json_writer *json, const char *key, bool value);
/* "2025-06-01T00:00:00.000000Z"; INT64_MAX, and what no clock of ours can show, is as good as
 * unknown: null. */
void json_put_instant(struct json_writer *json, const char *key, int64_t instant_us);

/* What was read: a tree; json_free on its root frees all. */
struct json;
/* One value and nothing behind it; duplicate keys, NUL in texts and a depth beyond jansson's limit
 * are ERR_CORRUPT, with the position in the message. */
MUST_USE bool json_read(const char *bytes, size_t size_bytes, struct json **json, struct err *err);
void json_free(struct json *json);

bool json_is_object(const struct json *json);
bool json_is_array(const struct json *json);
size_t json_count(const struct json *json); /* of an array or object */
const struct json *json_item(const struct json *array, size_t index);
const struct json *json_find(const struct json *object, const char *key); /* NULL: absent */
/* The index-th key and value of an object in the order of the text. */
const char *json_key_at(const struct json *object, size_t index, const struct json **value);

/* ERR_CORRUPT naming the key if it is absent or of another type.  Texts live as long as the tree.
 */
MUST_USE bool json_get_text(const struct json *object, const char *key, const char **text,
                            struct err *err);
MUST_USE bool json_get_integer(const struct json *object, const char *key, int64_t *value,
                               struct err *err);
MUST_USE bool json_get_boolean(const struct json *object, const char *key, bool *value,
                               struct err *err);
/* NULL if the value is no text. */
const char *json_as_text(const struct json *json);
#endif
