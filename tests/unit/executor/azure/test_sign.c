/* Strings to sign as the reference prints them, and signatures as Python's hmac makes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/secret.h"
#include "base/str.h"
#include "executor/azure/sign.h"
#include "executor/http/http.h"

#define ITEMS(array) (sizeof(array) / sizeof((array)[0]))
#define DATE "Fri, 26 Jun 2015 23:39:12 GMT"

/* The account and key that every emulator is born with. */
#define ACCOUNT "devstoreaccount1"
static const char key_text[] =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

static struct arena arena;
static struct secret key;

static int set_up(void **state)
{
    (void)state;
    struct err err;
    uint8_t *bytes;
    size_t size_bytes;
    arena_init(&arena, 1 << 20);
    assert_true(digest_unbase64(&arena, key_text, &bytes, &size_bytes, &err));
    secret_set(&key, (const char *)bytes, size_bytes);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    secret_clear(&key);
    arena_free(&arena);
    return 0;
}

static const char *text_of(const struct sign_request *request)
{
    struct buf text;
    buf_init(&text, 1 << 16);
    sign_text(request, &text);
    const char *copy = arena_copy(&arena, buf_string(&text));
    buf_free(&text);
    return copy;
}

/* "Authorize with Shared Key": the examples for Get Container Metadata and Put Blob. */
static void strings_are_as_the_reference_prints_them(void **state)
{
    (void)state;
    const struct http_header params[] = {
        {"comp", "metadata"}, {"restype", "container"}, {"timeout", "20"}};
    const struct http_header headers[] = {{"x-ms-version", "2015-02-21"}, {"x-ms-date", DATE}};
    struct sign_request get = {.method = "GET",
                               .account = "myaccount",
                               .path = "/mycontainer",
                               .params = params,
                               .param_count = ITEMS(params),
                               .headers = headers,
                               .header_count = ITEMS(headers)};
    assert_string_equal(text_of(&get),
                        "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:" DATE
                        "\nx-ms-version:2015-02-21\n/myaccount/mycontainer\ncomp:metadata\n"
                        "restype:container\ntimeout:20");
    const struct http_header more[] = {{"Content-Type", "text/plain; charset=UTF-8"},
                                       {"x-ms-date", "Sun, 20 Sep 2009 20:36:40 GMT"},
                                       {"x-ms-meta-m1", "v1"},
                                       {"x-ms-meta-m2", "v2"}};
    struct sign_request put = {.method = "PUT",
                               .account = "myaccount",
                               .path = "/mycontainer/hello.txt",
                               .headers = more,
                               .header_count = ITEMS(more),
                               .body_bytes = 11};
    assert_string_equal(text_of(&put), "PUT\n\n\n11\n\ntext/plain; charset=UTF-8\n\n\n\n\n\n\n"
                                       "x-ms-date:Sun, 20 Sep 2009 20:36:40 GMT\nx-ms-meta-m1:v1\n"
                                       "x-ms-meta-m2:v2\n/myaccount/mycontainer/hello.txt");
}

static void headers_are_sorted_and_trimmed_as_the_service_does(void **state)
{
    (void)state;
    const struct http_header headers[] = {
        {"x-ms-meta-a1", "2"},      {"X-Ms-Meta-A_b", " 1\t"}, {"x-ms-meta-ab", "3  kept"},
        {"x-ms-date", DATE},        {"If-None-Match", "*"},    {"x-ms-copy-source", "http://s"},
        {"Range", "bytes=0-1"},     {"If-Match", "\"0x1\""},   {"Content-Encoding", "gzip"},
        {"Content-Language", "en"}, {"Content-MD5", "bWQ1"},   {"X-Other", "not signed"}};
    struct sign_request request = {.method = "PUT",
                                   .account = "a",
                                   .path = "/c/k",
                                   .headers = headers,
                                   .header_count = ITEMS(headers)};
    assert_string_equal(text_of(&request),
                        "PUT\ngzip\nen\n\nbWQ1\n\n\n\n\"0x1\"\n*\n\nbytes=0-1\n"
                        "x-ms-copy-source:http://s\nx-ms-date:" DATE "\nx-ms-meta-a_b:1\n"
                        "x-ms-meta-a1:2\nx-ms-meta-ab:3  kept\n/a/c/k");
}

static void signatures_are_as_another_signer_makes_them(void **state)
{
    (void)state;
    const struct http_header copy[] = {
        {"x-ms-version", "2021-12-02"},
        {"If-None-Match", "*"},
        {"x-ms-copy-source", "http://127.0.0.1:10000/devstoreaccount1/c/a%20b?sig=x"},
        {"x-ms-source-if-match", "\"0x1\""},
        {"x-ms-requires-sync", "true"},
        {"x-ms-date", DATE}};
    const struct http_header batch[] = {{"x-ms-version", "2021-12-02"},
                                        {"Content-Type", "multipart/mixed; boundary=b"},
                                        {"x-ms-date", DATE}};
    const struct http_header list[] = {{"x-ms-version", "2021-12-02"}, {"x-ms-date", DATE}};
    const struct http_header batch_params[] = {{"comp", "batch"}, {"restype", "container"}};
    const struct http_header list_params[] = {{"comp", "list"},    {"include", "copy,metadata"},
                                              {"marker", "a/b c"}, {"maxresults", "5000"},
                                              {"prefix", "d/&"},   {"restype", "container"}};
    const struct {
        struct sign_request request;
        const char *wanted;
    } cases[] = {
        {{"PUT", ACCOUNT, "/devstoreaccount1/c/a%20b/%C3%BC.bin", NULL, 0, copy, ITEMS(copy), 0},
         "iP9NSp0hVRKTI/Z924ydgQN3/p24uzN71L7koRqE7Mw="},
        {{"POST", ACCOUNT, "/devstoreaccount1/c", batch_params, 2, batch, ITEMS(batch), 1234},
         "AB8GT+L0er1m+mxaKCqqcTAPeNS7nlQnbUxg3t5kqyA="},
        {{"GET", ACCOUNT, "/devstoreaccount1/c", list_params, 6, list, ITEMS(list), 0},
         "MM/qxQab5CY58d7EOM+fnEPNiSL4xjMirJkWRwGtVcg="},
    };
    for (size_t i = 0; i < ITEMS(cases); i++)
        assert_string_equal(sign_shared_key(&cases[i].request, &key, &arena),
                            str_format(&arena, "SharedKey " ACCOUNT ":%s", cases[i].wanted));
}

/* "Create a service SAS": sixteen lines from version 2020-12-06 on. */
static void a_sas_is_for_one_container_to_read_and_list(void **state)
{
    (void)state;
    struct sign_sas sas = {.account = ACCOUNT,
                           .container = "c",
                           .expires_us = INT64_C(1748736000987654), /* 2025-06-01 */
                           .https_only = true};
    struct buf text;
    buf_init(&text, 1 << 16);
    sign_sas_text(&sas, &text);
    assert_string_equal(buf_string(&text),
                        "rl\n\n2025-06-01T00:00:00Z\n/blob/devstoreaccount1/c\n\n\nhttps\n"
                        "2021-12-02\nc\n\n\n\n\n\n\n");
    buf_free(&text);
    assert_string_equal(sign_container_sas(&sas, &key, &arena),
                        "sv=2021-12-02&sr=c&sp=rl&se=2025-06-01T00%3A00%3A00Z&spr=https"
                        "&sig=qo6w0d0sIQ8ANqvbxvO3BkaZ7vC7JYeOOsHGPnoKA6w%3D");
    sas.https_only = false;
    assert_string_equal(sign_container_sas(&sas, &key, &arena),
                        "sv=2021-12-02&sr=c&sp=rl&se=2025-06-01T00%3A00%3A00Z"
                        "&sig=nc9TKdByF9LE%2FlBt2ZZd8XjxUf7cyIfQ3vsTAQxXrt4%3D");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_as_the_reference_prints_them),
        cmocka_unit_test(headers_are_sorted_and_trimmed_as_the_service_does),
        cmocka_unit_test(signatures_are_as_another_signer_makes_them),
        cmocka_unit_test(a_sas_is_for_one_container_to_read_and_list),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
