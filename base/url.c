#include "base/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

#define URL_ALPHA "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define URL_DIGIT "0123456789"
#define URL_UNRESERVED URL_ALPHA URL_DIGIT "-._~"
#define URL_HOST URL_UNRESERVED "%!$&'()*+,;="
#define URL_HOST_BRACKETED URL_UNRESERVED "%:"

#define URL_PORT_MAX 65535

/* The text up to the first of `ends`; *at then stands on what ended it. */
static const char *take(struct arena *arena, const char **at, const char *ends)
{
    size_t length = strcspn(*at, ends);
    const char *part = str_copy(arena, *at, length);
    *at += length;
    return part;
}

/* authority is host, host:port, [host] or [host]:port. */
static bool read_host(const char *authority, struct arena *arena, struct url *url)
{
    size_t length;
    if (authority[0] == '[') {
        length = 1 + strspn(authority + 1, URL_HOST_BRACKETED);
        if (length == 1 || authority[length] != ']')
            return false;
        length++;
    } else {
        length = strspn(authority, URL_HOST);
    }
    url->host = str_copy(arena, authority, length);
    const char *rest = authority + length;
    if (*rest == '\0')
        return true;
    if (*rest != ':')
        return false;
    if (rest[1] == '\0')
        return true;
    uint64_t number;
    url->port = arena_copy(arena, rest + 1);
    return str_to_u64(url->port, &number) && number <= URL_PORT_MAX;
}

/* No message shows the text: it may hold a password or a signature. */
bool url_read(const char *text, struct arena *arena, struct url *url, struct err *err)
{
    *url = (struct url){0};
    size_t scheme_bytes = strspn(text, URL_ALPHA URL_DIGIT "+-.");
    if (strspn(text, URL_ALPHA) == 0 || !str_starts(text + scheme_bytes, "://"))
        return ERR(err, ERR_INPUT, "not a URL: it does not begin with a scheme and ://");
    if (str_has_control(text, strlen(text)))
        return ERR(err, ERR_INPUT, "a URL with a control character");
    url->scheme = str_copy(arena, text, scheme_bytes);

    const char *at = text + scheme_bytes + strlen("://");
    const char *authority = take(arena, &at, "/?#");
    const char *sign = strrchr(authority, '@');
    if (sign) {
        url->userinfo = str_copy(arena, authority, (size_t)(sign - authority));
        authority = sign + 1;
    }
    if (!read_host(authority, arena, url))
        return ERR(err, ERR_INPUT, "a URL with a malformed host or port");
    if (url->host[0] == '\0' &&
        (strcasecmp(url->scheme, "file") != 0 || *authority != '\0' || sign))
        return ERR(err, ERR_INPUT, "a URL without a host");

    url->path = take(arena, &at, "?#");
    if (*at == '?') {
        at++;
        url->query = take(arena, &at, "#");
    }
    if (*at == '#')
        url->fragment = arena_copy(arena, at + 1);
    return true;
}

void url_encode(struct buf *buf, const char *bytes, size_t size_bytes, enum url_set set)
{
    const char *kept = set == URL_PATH ? URL_UNRESERVED "/" : URL_UNRESERVED;
    for (size_t i = 0; i < size_bytes; i++) {
        if (bytes[i] != '\0' && strchr(kept, bytes[i]))
            buf_char(buf, bytes[i]);
        else
            buf_format(buf, "%%%02X", (unsigned char)bytes[i]);
    }
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool url_decode(struct buf *buf, const char *text, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++) {
        if (text[i] != '%') {
            buf_char(buf, text[i]);
            continue;
        }
        if (size_bytes - i < 3)
            return false;
        int high = digit_value(text[i + 1]);
        int low = digit_value(text[i + 2]);
        if (high < 0 || low < 0 || (high == 0 && low == 0))
            return false;
        buf_char(buf, (char)(high << 4 | low));
        i += 2;
    }
    return true;
}

bool url_is_loopback(const char *host)
{
    if (strcasecmp(host, "localhost") == 0 || str_equal(host, "[::1]"))
        return true;
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}
