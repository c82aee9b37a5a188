/* URLs: taken apart, encoded and decoded. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "base/url.h"

static struct arena arena;
static struct buf buf;
static struct err err;

static void urls_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct url url;
    } cases[] = {
        {"https://acme.blob.core.windows.net/recordings/a/b.bin",
         {"https", NULL, "acme.blob.core.windows.net", NULL, "/recordings/a/b.bin", NULL, NULL}},
        {"http://u:p%40ss@h:8080/p?q=1&r=%20#f",
         {"http", "u:p%40ss", "h", "8080", "/p", "q=1&r=%20", "f"}},
        {"https://h", {"https", NULL, "h", NULL, "", NULL, NULL}},
        {"https://h?q", {"https", NULL, "h", NULL, "", "q", NULL}},
        {"https://h#f?g", {"https", NULL, "h", NULL, "", NULL, "f?g"}},
        {"https://h/?#", {"https", NULL, "h", NULL, "/", "", ""}},
        {"https://h/a?b?c/d", {"https", NULL, "h", NULL, "/a", "b?c/d", NULL}},
        {"https://h:/x", {"https", NULL, "h", NULL, "/x", NULL, NULL}},
        {"https://h:65535", {"https", NULL, "h", "65535", "", NULL, NULL}},
        {"http://[::1]:10000/a", {"http", NULL, "[::1]", "10000", "/a", NULL, NULL}},
        {"http://[2001:db8::1]", {"http", NULL, "[2001:db8::1]", NULL, "", NULL, NULL}},
        {"file:///srv/a b", {"file", NULL, "", NULL, "/srv/a b", NULL, NULL}},
        {"file://host/srv", {"file", NULL, "host", NULL, "/srv", NULL, NULL}},
        {"HTTPS://H/%2f/..", {"HTTPS", NULL, "H", NULL, "/%2f/..", NULL, NULL}},
        /* What stands before the last @ is no host (curl sees it so, too). */
        {"https://good.example@evil.example/",
         {"https", "good.example", "evil.example", NULL, "/", NULL, NULL}},
        {"https://a@b@c/", {"https", "a@b", "c", NULL, "/", NULL, NULL}},
        {"https://h/a@b", {"https", NULL, "h", NULL, "/a@b", NULL, NULL}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct url url;
        const struct url *wanted = &cases[i].url;
        if (!url_read(cases[i].text, &arena, &url, &err))
            fail_msg("%s: %s", cases[i].text, err.text);
        bool same = str_equal(url.scheme, wanted->scheme) &&
                    str_equal(url.userinfo, wanted->userinfo) &&
                    str_equal(url.host, wanted->host) && str_equal(url.port, wanted->port) &&
                    str_equal(url.path, wanted->path) && str_equal(url.query, wanted->query) &&
                    str_equal(url.fragment, wanted->fragment);
        if (!same)
            fail_msg("%s was taken apart wrongly", cases[i].text);
    }
}

static void what_is_no_url_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "/srv/a",
        "srv/a",
        "https:/h/a",
        "https:h",
        "://h",
        "1http://h",
        "ht tp://h",
        "https//h",
        "https://",
        "https:///path",
        "https://?q",
        "https://u@/p",
        "https://:80/",
        "file://u@/p",
        "file://:80/p",
        "https://h:65536/",
        "https://h:x/",
        "https://h:-1/",
        "https://h:80:80/",
        "https://[::1/",
        "https://[]/",
        "https://[::1]x/",
        "https://[g h]/",
        "https://h h/",
        "https://h\\evil/",
        "https://a<b/",
        "https://h/a\nb",
        "https://h/\x7f",
        "https://\xc3\xa4/",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct url url;
        if (url_read(bad[i], &arena, &url, &err))
            fail_msg("\"%s\" was taken for a URL", bad[i]);
        assert_int_equal(err.kind, ERR_INPUT);
    }
}

static void no_message_shows_a_password(void **state)
{
    (void)state;
    struct url url;
    assert_false(url_read("https://user:PASSWORD@h:port/?sig=PASSWORD", &arena, &url, &err));
    assert_null(strstr(err.text, "PASSWORD"));
}

static void what_is_reserved_is_encoded(void **state)
{
    (void)state;
    const char *text = "aZ09-._~/ %+?#&='\xc3\xa4";
    url_encode(&buf, text, strlen(text), URL_COMPONENT);
    assert_string_equal(buf_string(&buf), "aZ09-._~%2F%20%25%2B%3F%23%26%3D%27%C3%A4");
    buf_reset(&buf);
    url_encode(&buf, text, strlen(text), URL_PATH);
    assert_string_equal(buf_string(&buf), "aZ09-._~/%20%25%2B%3F%23%26%3D%27%C3%A4");
    buf_reset(&buf);
    url_encode(&buf, "a\0b", 3, URL_PATH);
    assert_string_equal(buf_string(&buf), "a%00b");
}

static void every_byte_comes_back(void **state)
{
    (void)state;
    char bytes[255];
    for (int i = 0; i < 255; i++)
        bytes[i] = (char)(i + 1);
    url_encode(&buf, bytes, sizeof bytes, URL_COMPONENT);
    struct buf decoded;
    buf_init(&decoded, 1000);
    assert_true(url_decode(&decoded, buf.bytes, buf.size));
    assert_int_equal(decoded.size, sizeof bytes);
    assert_memory_equal(decoded.bytes, bytes, sizeof bytes);
    buf_free(&decoded);
}

static void decoding_takes_either_case_and_leaves_the_plus(void **state)
{
    (void)state;
    assert_true(url_decode(&buf, "a%2fb%2F+%C3%a4", 15));
    assert_string_equal(buf_string(&buf), "a/b/+\xc3\xa4");
}

static void bad_escapes_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"%",   "a%",  "%2",    "%g0", "%0g", "%%41",
                                      "% 1", "%00", "a%00b", "%+1", "%0x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (url_decode(&buf, bad[i], strlen(bad[i])))
            fail_msg("%s was decoded", bad[i]);
    }
    /* The digits must stand within the text that was given. */
    assert_false(url_decode(&buf, "%41", 2));
}

static void loopback_hosts(void **state)
{
    (void)state;
    static const char *const loopback[] = {
        "127.0.0.1", "127.255.0.3", "::1", "[::1]", "localhost", "LocalHost", "0:0:0:0:0:0:0:1"};
    static const char *const other[] = {
        "",
        "128.0.0.1",
        "126.0.0.1",
        "127.0.0.1.example.org",
        "127.1",
        "127.0.0.1 ",
        "::2",
        "[::2]",
        "localhost.example.org",
        "notlocalhost",
        "127.0.0.256",
        "127.evil.example",
        "::",
    };
    for (size_t i = 0; i < sizeof loopback / sizeof loopback[0]; i++) {
        if (!url_is_loopback(loopback[i]))
            fail_msg("%s is this machine", loopback[i]);
    }
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
        if (url_is_loopback(other[i]))
            fail_msg("%s is not this machine", other[i]);
    }
}

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    buf_init(&buf, 10000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    buf_free(&buf);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(urls_are_taken_apart),        TEST(what_is_no_url_is_refused),
        TEST(no_message_shows_a_password), TEST(what_is_reserved_is_encoded),
        TEST(every_byte_comes_back),       TEST(decoding_takes_either_case_and_leaves_the_plus),
        TEST(bad_escapes_are_refused),     TEST(loopback_hosts),
    };
    return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
