/* A server whose certificate nobody vouches for is told nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/str.h"
#include "executor/http/http.h"
#include "tests/support/fake_http.h"

/* For 127.0.0.1, until 2100; made for this test and worth nothing. */
static const char key[] = "-----BEGIN PRIVATE KEY-----\n"
                          "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg80CUF2e3xNTTkvYy\n"
                          "jdcYskHCnEGJ3A0Tsf9sVXfU5nqhRANCAAT7xghdPCBctR0IS4GeLl7LCBCfwnm5\n"
                          "8p7AkhBpn784asFBWCDYy6SXSK3LpuwAOSbr8gjOm1+bbh6C8MDVr92q\n"
                          "-----END PRIVATE KEY-----\n";
static const char certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBXDCCAQKgAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAkxMjcuMC4w\n"
    "LjEwIBcNMDAwMTAxMDAwMDAwWhgPMjEwMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM\n"
    "CTEyNy4wLjAuMTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPvGCF08IFy1HQhL\n"
    "gZ4uXssIEJ/CebnynsCSEGmfvzhqwUFYINjLpJdIrcum7AA5JuvyCM6bX5tuHoLw\n"
    "wNWv3aqjQzBBMA8GA1UdEQQIMAaHBH8AAAEwDwYDVR0TAQH/BAUwAwEB/zAdBgNV\n"
    "HQ4EFgQUVUQSSHWCEa80KVjDo4rC8knxS0gwCgYIKoZIzj0EAwIDSAAwRQIhAPEn\n"
    "KO2sKadnYuFg7y4DYyLG4suoN7JiQYMr5noG2/MuAiBdAs/AZkxD5vYPXox5VX/f\n"
    "fMOpIy2J8HMFJZ7BJlzAfA==\n"
    "-----END CERTIFICATE-----\n";

static void script(void *context, unsigned number, const struct fake_http_request *request,
                   struct fake_http_reply *reply)
{
    (void)context;
    (void)number;
    (void)request;
    reply->body = "hello";
}

static struct http_request get(const char *url, const char *ca_file, struct arena *arena)
{
    struct http_config config = {.clock = clock_real(), .ca_file = ca_file};
    struct http_request request = {.method = "GET", .url = url, .repeatable = true};
    struct http *http;
    struct err err;
    assert_true(http_open(&config, &http, &err));
    http_batch(http, &request, 1, arena);
    http_close(http);
    return request;
}

static void an_unknown_certificate_is_denied_at_once(void **state)
{
    (void)state;
    struct arena arena;
    struct fake_http *fake = fake_http_open_tls(script, NULL, key, certificate);
    arena_init(&arena, 1 << 20);
    struct http_request request = get(fake_http_url(fake), NULL, &arena);
    assert_int_equal(request.err.kind, ERR_DENIED);
    assert_int_equal(request.tries, 1);
    assert_int_equal(fake_http_count(fake), 0);
    arena_free(&arena);
    fake_http_close(fake);
}

static void a_file_of_authorities_vouches_for_it(void **state)
{
    (void)state;
    struct arena arena;
    char path[] = "/tmp/frostline-ca-XXXXXX";
    struct fake_http *fake = fake_http_open_tls(script, NULL, key, certificate);
    int fd = mkstemp(path);
    assert_int_equal(write(fd, certificate, strlen(certificate)), strlen(certificate));
    close(fd);
    arena_init(&arena, 1 << 20);
    struct http_request request = get(fake_http_url(fake), path, &arena);
    assert_int_equal(request.status, 200);
    assert_string_equal(request.reply, "hello");
    /* For that host alone. */
    const char *port = strrchr(fake_http_url(fake), ':');
    request = get(str_format(&arena, "https://localhost%s", port), path, &arena);
    assert_int_equal(request.err.kind, ERR_DENIED);
    assert_int_equal(fake_http_count(fake), 1);
    arena_free(&arena);
    unlink(path);
    fake_http_close(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_certificate_is_denied_at_once),
        cmocka_unit_test(a_file_of_authorities_vouches_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
