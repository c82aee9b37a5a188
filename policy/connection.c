#include "policy/connection.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/url.h"

#define ACCOUNT_MAX 63
#define SUFFIX_PUBLIC "core.windows.net"

/* The account of every emulator; its key is published with them and opens nothing else
 * ("Use the Azurite emulator", Microsoft Learn).                                            */
#define EMULATOR_ACCOUNT "devstoreaccount1"
#define EMULATOR_KEY                                                                               \
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
#define EMULATOR_PORT "10000"

/* A stretch of the text, which may be secret: it is never copied but into a struct secret. */
struct part {
    const char *bytes; /* NULL: not given */
    size_t size;
};

enum name {
    NAME_PROTOCOL,
    NAME_ACCOUNT,
    NAME_KEY,
    NAME_ENDPOINT,
    NAME_SUFFIX,
    NAME_SAS,
    NAME_EMULATOR,
    NAME_PROXY,
    NAMES
};
/* Other names (QueueEndpoint, BlobSecondaryEndpoint, ..) are for other services: passed over. */
static const char *const names[NAMES] = {"DefaultEndpointsProtocol",
                                         "AccountName",
                                         "AccountKey",
                                         "BlobEndpoint",
                                         "EndpointSuffix",
                                         "SharedAccessSignature",
                                         "UseDevelopmentStorage",
                                         "DevelopmentStorageProxyUri"};

static bool part_is(struct part part, const char *text)
{
    return part.size == strlen(text) && strncasecmp(part.bytes, text, part.size) == 0;
}

/* One `name=value`; `number` counts from 1 and is all that a message may tell of it. */
static bool read_part(struct part text, size_t number, struct part *parts, struct err *err)
{
    const char *equals = memchr(text.bytes, '=', text.size);
    if (equals == NULL || equals == text.bytes)
        return ERR(err, ERR_INPUT, "part %zu is not `Name=value`", number);
    struct part name = {text.bytes, (size_t)(equals - text.bytes)};
    struct part value = {equals + 1, text.size - name.size - 1};
    for (size_t i = 0; i < NAMES; i++) {
        if (!part_is(name, names[i]))
            continue;
        if (parts[i].bytes != NULL)
            return ERR(err, ERR_INPUT, "%s is given twice", names[i]);
        if (value.size == 0)
            return ERR(err, ERR_INPUT, "%s is empty", names[i]);
        if (str_has_control(value.bytes, value.size) || memchr(value.bytes, ' ', value.size))
            return ERR(err, ERR_INPUT, "%s holds a blank or a control character", names[i]);
        parts[i] = value;
    }
    return true;
}

static bool read_parts(const struct secret *text, struct part *parts, struct err *err)
{
    const char *at = secret_reveal(text);
    const char *end = at + strlen(at);
    /* What a file or a shell leaves at the end belongs to nobody. */
    while (end > at && (end[-1] == '\n' || end[-1] == '\r' || end[-1] == ' '))
        end--;
    if (at == end)
        return ERR(err, ERR_INPUT, "the connection string is empty");
    for (size_t number = 1; at < end; number++) {
        const char *stop = memchr(at, ';', (size_t)(end - at));
        struct part part = {at, (size_t)((stop == NULL ? end : stop) - at)};
        if (part.size > 0 && !read_part(part, number, parts, err))
            return false;
        at += part.size + (stop != NULL);
    }
    return true;
}

static const char *keep(struct arena *arena, struct part part)
{
    return str_copy(arena, part.bytes, part.size);
}

static bool is_account(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return size > 0 && size <= ACCOUNT_MAX;
}

static bool is_host(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && strchr("-._[]:", c) == NULL)
            return false;
    }
    return size > 0;
}

/* RFC 4648, with padding; looked at in place, since decoding would leave a copy. */
static bool is_base64(struct part part)
{
    size_t padding = 0;
    for (size_t i = 0; i < part.size; i++) {
        char c = part.bytes[i];
        bool digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '+' || c == '/';
        padding += c == '=';
        if ((!digit && c != '=') || (digit && padding > 0))
            return false;
    }
    return part.size > 0 && part.size % 4 == 0 && padding <= 2;
}

static char *lower(struct arena *arena, const char *text)
{
    char *copy = arena_copy(arena, text);
    for (char *at = copy; *at != '\0'; at++) {
        if (*at >= 'A' && *at <= 'Z')
            *at += 'a' - 'A';
    }
    return copy;
}

/* The port that has to be written; "" for none, or the scheme's own. */
static const char *written_port(struct arena *arena, const struct url *url, const char *scheme)
{
    uint64_t port;
    if (url->port == NULL || !str_to_u64(url->port, &port) ||
        port == (str_equal(scheme, "https") ? 443u : 80u))
        return "";
    return str_format(arena, ":%llu", (unsigned long long)port);
}

static bool check_port(const struct url *url)
{
    uint64_t port;
    return url->port == NULL || url->port[0] == '\0' ||
           (str_to_u64(url->port, &port) && port > 0 && port <= UINT16_MAX);
}

/* scheme://host[:port][/account], canonical.  No part of the URL is in a message: who misplaces a
 * signature does it here.                                                                       */
static bool read_endpoint(struct part text, struct arena *arena, struct connection *connection,
                          const char **host, struct err *err)
{
    struct url url;
    if (memchr(text.bytes, '?', text.size) || memchr(text.bytes, '@', text.size) ||
        memchr(text.bytes, '#', text.size))
        return ERR(err, ERR_INPUT, "BlobEndpoint has a query, a fragment or a user");
    if (!url_read(keep(arena, text), arena, &url, err) || !is_host(url.host, strlen(url.host)) ||
        !check_port(&url))
        return ERR(err, ERR_INPUT, "BlobEndpoint is not a URL");
    const char *scheme = lower(arena, url.scheme);
    *host = lower(arena, url.host);
    if (!str_equal(scheme, "https") && !str_equal(scheme, "http"))
        return ERR(err, ERR_INPUT, "BlobEndpoint is neither http nor https");
    if (str_equal(scheme, "http") && !url_is_loopback(*host))
        return ERR(err, ERR_INPUT, "plain http to another host than this one");

    const char *path = url.path + (url.path[0] == '/');
    size_t size = strlen(path);
    size -= size > 0 && path[size - 1] == '/';
    if (size > 0 && !is_account(path, size))
        return ERR(err, ERR_INPUT, "BlobEndpoint's path is not an account");
    connection->path_style = size > 0;
    connection->endpoint =
        str_format(arena, "%s://%s%s%s%.*s", scheme, *host, written_port(arena, &url, scheme),
                   size > 0 ? "/" : "", (int)size, path);
    if (connection->path_style && connection->account == NULL)
        connection->account = str_copy(arena, path, size);
    if (connection->path_style &&
        (strlen(connection->account) != size || memcmp(connection->account, path, size) != 0))
        return ERR(err, ERR_INPUT, "AccountName and the path of BlobEndpoint differ");
    return true;
}

static bool make_endpoint(const struct part *parts, struct arena *arena,
                          struct connection *connection, struct err *err)
{
    struct part protocol = parts[NAME_PROTOCOL], suffix = parts[NAME_SUFFIX];
    if (protocol.bytes != NULL && part_is(protocol, "http"))
        return ERR(err, ERR_INPUT, "DefaultEndpointsProtocol=http to another host than this one");
    if (protocol.bytes != NULL && !part_is(protocol, "https"))
        return ERR(err, ERR_INPUT, "DefaultEndpointsProtocol is neither http nor https");
    if (suffix.bytes == NULL)
        suffix = (struct part){SUFFIX_PUBLIC, strlen(SUFFIX_PUBLIC)};
    if (!is_host(suffix.bytes, suffix.size))
        return ERR(err, ERR_INPUT, "EndpointSuffix is not a host name");
    connection->endpoint = str_format(arena, "https://%s.blob.%s", connection->account,
                                      lower(arena, keep(arena, suffix)));
    return true;
}

static bool read_emulator(const struct part *parts, struct arena *arena,
                          struct connection *connection, struct err *err)
{
    const char *base = "http://127.0.0.1";
    const char *host;
    if (!part_is(parts[NAME_EMULATOR], "true"))
        return ERR(err, ERR_INPUT, "UseDevelopmentStorage can only be true");
    if (parts[NAME_PROXY].bytes != NULL)
        base = keep(arena, parts[NAME_PROXY]);
    size_t size = strlen(base);
    size -= base[size - 1] == '/';
    const char *endpoint =
        str_format(arena, "%.*s:%s/%s", (int)size, base, EMULATOR_PORT, EMULATOR_ACCOUNT);
    connection->account = EMULATOR_ACCOUNT;
    if (!read_endpoint((struct part){endpoint, strlen(endpoint)}, arena, connection, &host, err))
        return ERR(err, ERR_INPUT, "DevelopmentStorageProxyUri is not the URL of this host");
    secret_set(&connection->key, EMULATOR_KEY, strlen(EMULATOR_KEY));
    return true;
}

static bool read_credential(const struct part *parts, struct connection *connection,
                            struct err *err)
{
    struct part key = parts[NAME_KEY], sas = parts[NAME_SAS];
    if (key.bytes == NULL && sas.bytes == NULL)
        return ERR(err, ERR_INPUT, "neither AccountKey nor SharedAccessSignature");
    if (key.bytes != NULL && !is_base64(key))
        return ERR(err, ERR_INPUT, "AccountKey is not base64");
    if (key.bytes != NULL) { /* the stronger one, as in the SDKs */
        secret_set(&connection->key, key.bytes, key.size);
        return true;
    }
    size_t mark = sas.bytes[0] == '?';
    if (memmem(sas.bytes, sas.size, "sig=", 4) == NULL)
        return ERR(err, ERR_INPUT, "SharedAccessSignature has no sig");
    secret_set(&connection->sas, sas.bytes + mark, sas.size - mark);
    return true;
}

static bool read_account(const struct part *parts, struct arena *arena,
                         struct connection *connection, struct err *err)
{
    const char *host = NULL;
    struct part account = parts[NAME_ACCOUNT];
    if (account.bytes != NULL && !is_account(account.bytes, account.size))
        return ERR(err, ERR_INPUT, "AccountName is not the name of an account");
    if (account.bytes != NULL)
        connection->account = keep(arena, account);
    if (parts[NAME_ENDPOINT].bytes == NULL)
        return connection->account == NULL
                   ? ERR(err, ERR_INPUT, "neither AccountName nor BlobEndpoint")
                   : make_endpoint(parts, arena, connection, err);
    if (!read_endpoint(parts[NAME_ENDPOINT], arena, connection, &host, err))
        return false;
    if (connection->account != NULL)
        return true;
    size_t label = strcspn(host, ".");
    if (host[label] == '\0' || !is_account(host, label))
        return ERR(err, ERR_INPUT, "no AccountName, and BlobEndpoint does not tell it");
    connection->account = str_copy(arena, host, label);
    return true;
}

bool connection_read(const struct secret *text, struct arena *arena, struct connection *connection,
                     struct err *err)
{
    struct part parts[NAMES] = {0};
    *connection = (struct connection){0};
    bool done = read_parts(text, parts, err) &&
                (parts[NAME_EMULATOR].bytes != NULL ? read_emulator(parts, arena, connection, err)
                                                    : read_account(parts, arena, connection, err) &&
                                                          read_credential(parts, connection, err));
    if (!done)
        connection_free(connection);
    return done;
}

void connection_free(struct connection *connection)
{
    secret_clear(&connection->key);
    secret_clear(&connection->sas);
    *connection = (struct connection){0};
}
