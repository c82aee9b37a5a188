#include "executor/azure/sign.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/url.h"
#include "base/when.h"
#include "executor/http/http.h"

#define TEXT_BYTES_MAX ((size_t)1 << 20)
#define SAS_PERMISSIONS "rl"

static const char *value_of(const struct sign_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    }
    return "";
}

/* The service sorts as people do, not as bytes: '_' and '-' before digits before letters. */
static int weight(char c)
{
    if (c == '_')
        return 1;
    if (c == '-')
        return 2;
    return tolower((unsigned char)c);
}

static int compare_names(const void *a, const void *b)
{
    const char *one = (*(const struct http_header *const *)a)->name;
    const char *other = (*(const struct http_header *const *)b)->name;
    while (*one && weight(*one) == weight(*other)) {
        one++;
        other++;
    }
    return weight(*one) - weight(*other);
}

static void add_header(struct buf *out, const struct http_header *header)
{
    const char *value = header->value + strspn(header->value, " \t");
    size_t length = strlen(value);
    while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
        length--;
    for (const char *c = header->name; *c; c++)
        buf_char(out, (char)tolower((unsigned char)*c));
    buf_char(out, ':');
    buf_add(out, value, length);
    buf_char(out, '\n');
}

static void add_service_headers(const struct sign_request *request, struct buf *out)
{
    const struct http_header **sorted = calloc(request->header_count + 1, sizeof *sorted);
    size_t count = 0;
    if (!sorted)
        err_abort("out of memory");
    for (size_t i = 0; i < request->header_count; i++) {
        if (strncasecmp(request->headers[i].name, "x-ms-", 5) == 0)
            sorted[count++] = &request->headers[i];
    }
    qsort(sorted, count, sizeof(*sorted), compare_names);
    for (size_t i = 0; i < count; i++)
        add_header(out, sorted[i]);
    free(sorted);
}

/* Date stays empty: x-ms-date is signed in its place. */
void sign_text(const struct sign_request *request, struct buf *out)
{
    static const char *const after_length[] = {
        "Content-MD5",   "Content-Type",        "",      "If-Modified-Since", "If-Match",
        "If-None-Match", "If-Unmodified-Since", "Range",
    };
    buf_format(out, "%s\n%s\n%s\n", request->method, value_of(request, "Content-Encoding"),
               value_of(request, "Content-Language"));
    if (request->body_bytes > 0)
        buf_format(out, "%llu", (unsigned long long)request->body_bytes);
    buf_char(out, '\n');
    for (size_t i = 0; i < sizeof after_length / sizeof after_length[0]; i++)
        buf_format(out, "%s\n", value_of(request, after_length[i]));
    add_service_headers(request, out);
    buf_format(out, "/%s%s", request->account, request->path);
    for (size_t i = 0; i < request->param_count; i++)
        buf_format(out, "\n%s:%s", request->params[i].name, request->params[i].value);
}

static const char *signature_of(const struct buf *text, const struct secret *key,
                                struct arena *arena)
{
    uint8_t mac[DIGEST_SHA256_BYTES];
    digest_hmac_sha256(secret_reveal(key), key->size_bytes, buf_string(text), text->size, mac);
    return digest_base64(arena, mac, sizeof mac);
}

const char *sign_shared_key(const struct sign_request *request, const struct secret *key,
                            struct arena *arena)
{
    struct buf text;
    buf_init(&text, TEXT_BYTES_MAX);
    sign_text(request, &text);
    const char *signature = signature_of(&text, key, arena);
    buf_free(&text);
    return str_format(arena, "SharedKey %s:%s", request->account, signature);
}

/* "2025-06-01T00:00:00Z": a SAS knows no fractions. */
static void seconds_text(int64_t instant_us, char text[WHEN_TEXT_MAX])
{
    when_instant_text(instant_us, text);
    memcpy(text + strcspn(text, "."), "Z", 2);
}

/* Sixteen lines, as of version 2020-12-06: permissions, start, expiry, resource, identifier,
 * addresses, protocol, version, kind of resource, snapshot, encryption scope, five headers.      */
void sign_sas_text(const struct sign_sas *sas, struct buf *out)
{
    char expires[WHEN_TEXT_MAX];
    seconds_text(sas->expires_us, expires);
    buf_format(out,
               SAS_PERMISSIONS "\n\n%s\n/blob/%s/%s\n\n\n%s\n" SIGN_VERSION "\nc\n\n\n\n\n\n\n",
               expires, sas->account, sas->container, sas->https_only ? "https" : "");
}

const char *sign_container_sas(const struct sign_sas *sas, const struct secret *key,
                               struct arena *arena)
{
    struct buf text, encoded;
    char expires[WHEN_TEXT_MAX];
    seconds_text(sas->expires_us, expires);
    buf_init(&text, TEXT_BYTES_MAX);
    sign_sas_text(sas, &text);
    const char *signature = signature_of(&text, key, arena);
    buf_init(&encoded, TEXT_BYTES_MAX);
    buf_format(&encoded, "sv=" SIGN_VERSION "&sr=c&sp=" SAS_PERMISSIONS "&se=");
    url_encode(&encoded, expires, strlen(expires), URL_COMPONENT);
    buf_text(&encoded, sas->https_only ? "&spr=https&sig=" : "&sig=");
    url_encode(&encoded, signature, strlen(signature), URL_COMPONENT);
    const char *query = arena_copy(arena, buf_string(&encoded));
    digest_cleanse(encoded.bytes, encoded.size);
    buf_free(&encoded);
    buf_free(&text);
    return query;
}
