#include "base/json.h"

#include <assert.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/when.h"

/* Macros of jansson's whose names are functions here. */
#undef json_boolean
#undef json_is_object
#undef json_is_array

#define INDENT 2

/* ---- writing ---- */

void json_begin(struct json_writer *json, struct buf *out)
{
    *json = (struct json_writer){.out = out};
}

static void break_line(struct json_writer *json)
{
    buf_format(json->out, "\n%*s", INDENT * (int)json->depth, "");
}

/* The comma before a key, or before a value that no key precedes. */
static void separate(struct json_writer *json)
{
    if (json->after_key) {
        json->after_key = false;
        return;
    }
    bool follows = json->depth > 0 && !json->first[json->depth];
    if (follows)
        buf_char(json->out, ',');
    if (json->depth > 0 && json->depth <= json->lines)
        break_line(json);
    else if (follows && json->lines > 0)
        buf_char(json->out, ' ');
    json->first[json->depth] = false;
}

static void open(struct json_writer *json, char bracket)
{
    assert(json->depth < JSON_DEPTH_MAX);
    separate(json);
    buf_char(json->out, bracket);
    json->first[++json->depth] = true;
}

static void shut(struct json_writer *json, char bracket)
{
    assert(json->depth > 0 && !json->after_key);
    bool in_lines = json->depth <= json->lines && !json->first[json->depth];
    json->depth--;
    if (in_lines)
        break_line(json);
    buf_char(json->out, bracket);
}

void json_object_begin(struct json_writer *json)
{
    open(json, '{');
}

void json_object_end(struct json_writer *json)
{
    shut(json, '}');
}

void json_array_begin(struct json_writer *json)
{
    open(json, '[');
}

void json_array_end(struct json_writer *json)
{
    shut(json, ']');
}

static void escape(struct buf *out, char c)
{
    static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (const char *pair = named; *pair; pair += 2) {
        if (*pair == c) {
            buf_char(out, '\\');
            buf_char(out, pair[1]);
            return;
        }
    }
    buf_format(out, "\\u%04x", (unsigned)c);
}

/* True if all of it stands for itself. */
static bool is_plain(const char *text, size_t *size_bytes)
{
    const char *at = text;
    while ((unsigned char)*at >= 0x20 && *at != '"' && *at != '\\')
        at++;
    *size_bytes = (size_t)(at - text);
    return *at == '\0';
}

/* Nearly all texts are short and plain: they are written in one piece. */
static void quote(struct buf *out, const char *text)
{
    char quoted[256];
    size_t size_bytes;
    if (is_plain(text, &size_bytes) && size_bytes <= sizeof quoted - 2) {
        quoted[0] = quoted[size_bytes + 1] = '"';
        memcpy(quoted + 1, text, size_bytes);
        buf_add(out, quoted, size_bytes + 2);
        return;
    }
    buf_char(out, '"');
    while (*text) {
        is_plain(text, &size_bytes);
        buf_add(out, text, size_bytes);
        text += size_bytes;
        if (*text)
            escape(out, *text++);
    }
    buf_char(out, '"');
}

void json_key(struct json_writer *json, const char *key)
{
    assert(json->depth > 0 && !json->after_key);
    separate(json);
    quote(json->out, key);
    buf_text(json->out, json->lines > 0 ? ": " : ":");
    json->after_key = true;
}

void json_text(struct json_writer *json, const char *text)
{
    separate(json);
    if (text)
        quote(json->out, text);
    else
        buf_text(json->out, "null");
}

static void number(struct buf *out, uint64_t value, bool is_negative)
{
    char digits[24];
    char *at = digits + sizeof digits;
    do
        *--at = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    if (is_negative)
        *--at = '-';
    buf_add(out, at, (size_t)(digits + sizeof digits - at));
}

void json_signed(struct json_writer *json, int64_t value)
{
    separate(json);
    number(json->out, value < 0 ? -(uint64_t)value : (uint64_t)value, value < 0);
}

void json_unsigned(struct json_writer *json, uint64_t value)
{
    separate(json);
    number(json->out, value, false);
}

void json_boolean(struct json_writer *json, bool value)
{
    separate(json);
    buf_text(json->out, value ? "true" : "false");
}

void json_put_text(struct json_writer *json, const char *key, const char *text)
{
    json_key(json, key);
    json_text(json, text);
}

void json_put_integer(struct json_writer *json, const char *key, int64_t value)
{
    json_key(json, key);
    json_signed(json, value);
}

void json_put_unsigned(struct json_writer *json, const char *key, uint64_t value)
{
    json_key(json, key);
    json_unsigned(json, value);
}

void json_put_boolean(struct json_writer *json, const char *key, bool value)
{
    json_key(json, key);
    json_boolean(json, value);
}

void json_put_instant(struct json_writer *json, const char *key, int64_t instant_us)
{
    char text[WHEN_TEXT_MAX];
    bool is_known = instant_us != INT64_MAX && when_date_is_valid(when_civil_of(instant_us).date);
    if (is_known)
        when_instant_text(instant_us, text);
    json_put_text(json, key, is_known ? text : NULL);
}

/* ---- reading: a struct json is a json_t that only this file knows ---- */

static const json_t *tree(const struct json *json)
{
    return (const json_t *)json;
}

bool json_read(const char *bytes, size_t size_bytes, struct json **json, struct err *err)
{
    /* jansson takes a NUL for the end. */
    const char *nul = size_bytes > 0 ? memchr(bytes, '\0', size_bytes) : NULL;
    if (nul)
        return ERR(err, ERR_CORRUPT, "JSON, byte %zu: NUL", (size_t)(nul - bytes));

    json_error_t error;
    json_t *root = json_loadb(bytes, size_bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!root) {
        /* What stands near the fault may be a token or a key: it stays out of the message. */
        char *near = strstr(error.text, " near ");
        if (near)
            *near = '\0';
        return ERR(err, ERR_CORRUPT, "JSON, line %d, column %d: %s", error.line, error.column,
                   error.text);
    }
    *json = (struct json *)root;
    return true;
}

void json_free(struct json *json)
{
    json_decref((json_t *)json);
}

bool json_is_object(const struct json *json)
{
    return json && json_typeof(tree(json)) == JSON_OBJECT;
}

bool json_is_array(const struct json *json)
{
    return json && json_typeof(tree(json)) == JSON_ARRAY;
}

size_t json_count(const struct json *json)
{
    return json_is_object(json) ? json_object_size(tree(json)) : json_array_size(tree(json));
}

const struct json *json_item(const struct json *array, size_t index)
{
    return (const struct json *)json_array_get(tree(array), index);
}

const struct json *json_find(const struct json *object, const char *key)
{
    return (const struct json *)json_object_get(tree(object), key);
}

const char *json_key_at(const struct json *object, size_t index, const struct json **value)
{
    json_t *owner = (json_t *)object;
    void *at = json_object_iter(owner);
    while (at && index-- > 0)
        at = json_object_iter_next(owner, at);
    if (!at)
        return NULL;
    *value = (const struct json *)json_object_iter_value(at);
    return json_object_iter_key(at);
}

/* *value is what stands below the key, if its type is as wanted. */
static bool get(const struct json *object, const char *key, bool wanted(const json_t *),
                const char *what, const json_t **value, struct err *err)
{
    *value = json_object_get(tree(object), key);
    if (!*value)
        return ERR(err, ERR_CORRUPT, "\"%s\" is missing", key);
    if (!wanted(*value))
        return ERR(err, ERR_CORRUPT, "\"%s\" is not %s", key, what);
    return true;
}

static bool is_text(const json_t *value)
{
    return json_is_string(value);
}

static bool is_integer(const json_t *value)
{
    return json_is_integer(value);
}

static bool is_boolean(const json_t *value)
{
    return json_is_boolean(value);
}

bool json_get_text(const struct json *object, const char *key, const char **text, struct err *err)
{
    const json_t *value;
    if (!get(object, key, is_text, "a text", &value, err))
        return false;
    *text = json_string_value(value);
    return true;
}

bool json_get_integer(const struct json *object, const char *key, int64_t *number, struct err *err)
{
    const json_t *value;
    if (!get(object, key, is_integer, "an integer", &value, err))
        return false;
    *number = json_integer_value(value);
    return true;
}

bool json_get_boolean(const struct json *object, const char *key, bool *flag, struct err *err)
{
    const json_t *value;
    if (!get(object, key, is_boolean, "true or false", &value, err))
        return false;
    *flag = json_is_true(value);
    return true;
}

const char *json_as_text(const struct json *json)
{
    return json_string_value(tree(json));
}
