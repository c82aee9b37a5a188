/* Requests over real sockets, to a server that answers well, badly, late or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "base/when.h"
#include "executor/http/http.h"
#include "executor/http/retry.h"
#include "tests/support/fake_http.h"
#include "tests/support/scratch.h"

#define ITEMS(array) (sizeof(array) / sizeof((array)[0]))
#define START_US INT64_C(1000000000000000)

/* A server, a client whose clock stands still unless it is slept on, and the script's answers: the
 * n-th request gets the n-th, all later ones the last.                                           */
struct rig {
    struct arena arena;
    struct clock_fake clock;
    struct http *http;
    struct fake_http *fake;
    struct fake_http_reply replies[8];
    unsigned reply_count;
};

static void answer(void *context, unsigned number, const struct fake_http_request *request,
                   struct fake_http_reply *reply)
{
    (void)request;
    struct rig *rig = context;
    if (rig->reply_count > 0)
        *reply = rig->replies[number < rig->reply_count ? number : rig->reply_count - 1];
}

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    struct err err;
    assert_non_null(rig);
    arena_init(&rig->arena, 64 << 20);
    clock_fake_init(&rig->clock, START_US);
    struct http_config config = {.clock = &rig->clock.clock, .user_agent = "frostline/test"};
    assert_true(http_open(&config, &rig->http, &err));
    rig->fake = fake_http_open(answer, rig);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    http_close(rig->http);
    fake_http_close(rig->fake);
    arena_free(&rig->arena);
    free(rig);
    return 0;
}

static void reply_with(struct rig *rig, struct fake_http_reply reply)
{
    rig->replies[rig->reply_count++] = reply;
}

static struct http_request request_to(struct rig *rig, const char *method, const char *path)
{
    return (struct http_request){
        .method = method,
        .url = str_format(&rig->arena, "%s%s", fake_http_url(rig->fake), path),
        .repeatable = true};
}

static void run(struct rig *rig, struct http_request *request)
{
    http_batch(rig->http, request, 1, &rig->arena);
}

static int64_t slept_us(const struct rig *rig)
{
    return rig->clock.instant_us - START_US;
}

/* -- what is sent and what comes back ------------------------------------------------------------
 */

static void a_request_is_sent_as_it_is(void **state)
{
    struct rig *rig = *state;
    static const char *const methods[] = {"GET", "HEAD", "DELETE", "PUT", "POST"};
    const struct http_header headers[] = {{"X-One", "1"}, {"x-two", "a b; c"}};
    for (size_t i = 0; i < ITEMS(methods); i++) {
        struct http_request request = request_to(rig, methods[i], "/a%20b/../c?x=%2F&sig=y");
        request.headers = headers;
        request.header_count = ITEMS(headers);
        request.body = i >= 3 ? "body" : NULL;
        request.body_bytes = i >= 3 ? 4 : 0;
        run(rig, &request);
        assert_int_equal(request.status, 200);
        assert_int_equal(request.tries, 1);
        const struct fake_http_request *got = fake_http_request(rig->fake, (unsigned)i);
        assert_string_equal(got->method, methods[i]);
        assert_string_equal(got->path, "/a%20b/../c?x=%2F&sig=y");
        assert_int_equal(got->body_bytes, request.body_bytes);
        assert_string_equal(got->body, i >= 3 ? "body" : "");
        assert_non_null(strstr(got->headers, "X-One: 1\n"));
        assert_non_null(strstr(got->headers, "x-two: a b; c\n"));
        assert_non_null(strstr(got->headers, "User-Agent: frostline/test\n"));
        assert_null(strcasestr(got->headers, "accept:"));
        assert_null(strcasestr(got->headers, "content-type:"));
        assert_null(strcasestr(got->headers, "expect:"));
        if (i >= 3)
            assert_non_null(strstr(got->headers, "Content-Length: 4\n"));
    }
    assert_int_equal(fake_http_connections(rig->fake), 1);
    assert_int_equal(http_requests_sent(rig->http), ITEMS(methods));
}

static void an_empty_body_has_a_length(void **state)
{
    struct rig *rig = *state;
    struct http_request request = request_to(rig, "PUT", "/");
    const struct http_header header = {"Content-Type", "text/x-own"};
    request.headers = &header;
    request.header_count = 1;
    run(rig, &request);
    const char *headers = fake_http_request(rig->fake, 0)->headers;
    assert_non_null(strstr(headers, "Content-Length: 0\n"));
    assert_non_null(strstr(headers, "Content-Type: text/x-own\n"));
}

static void a_large_body_goes_whole(void **state)
{
    struct rig *rig = *state;
    size_t size_bytes = 3000001;
    char *body = arena_make(&rig->arena, size_bytes);
    for (size_t i = 0; i < size_bytes; i++)
        body[i] = (char)(i * 2654435761u >> 13);
    struct http_request request = request_to(rig, "POST", "/");
    request.body = body;
    request.body_bytes = size_bytes;
    reply_with(rig, (struct fake_http_reply){.body = body, .body_bytes = size_bytes});
    run(rig, &request);
    assert_int_equal(fake_http_request(rig->fake, 0)->body_bytes, size_bytes);
    assert_memory_equal(fake_http_request(rig->fake, 0)->body, body, size_bytes);
    assert_int_equal(request.reply_bytes, size_bytes);
    assert_memory_equal(request.reply, body, size_bytes);
}

static void headers_are_found_in_any_case(void **state)
{
    struct rig *rig = *state;
    reply_with(rig, (struct fake_http_reply){.status = 404,
                                             .headers = {{"X-Ms-Error-Code", " BlobNotFound "},
                                                         {"x-empty", "x"},
                                                         {"ETag", "\"0x1\""}},
                                             .body = "<Error/>"});
    struct http_request request = request_to(rig, "GET", "/");
    run(rig, &request);
    assert_int_equal(request.status, 404);
    assert_int_equal(request.err.kind, ERR_NONE);
    assert_string_equal(request.reply, "<Error/>");
    assert_string_equal(http_header_find(&request, "x-ms-error-code", &rig->arena), "BlobNotFound");
    assert_string_equal(http_header_find(&request, "ETAG", &rig->arena), "\"0x1\"");
    assert_null(http_header_find(&request, "x-ms-error", &rig->arena));
    assert_null(http_header_find(&request, "BlobNotFound", &rig->arena));
}

static void header_lines_of_any_shape_are_read(void **state)
{
    struct rig *rig = *state;
    struct http_request request = {.reply_headers = "HTTP/1.1 200 OK\r\na:1\r\nB:\t 2 \t\r\nc:\r\n"
                                                    "d 4\r\ne: 5"};
    assert_string_equal(http_header_find(&request, "A", &rig->arena), "1");
    assert_string_equal(http_header_find(&request, "b", &rig->arena), "2");
    assert_string_equal(http_header_find(&request, "c", &rig->arena), "");
    assert_null(http_header_find(&request, "d", &rig->arena));
    assert_string_equal(http_header_find(&request, "e", &rig->arena), "5");
    request.reply_headers = "";
    assert_null(http_header_find(&request, "a", &rig->arena));
}

static void a_body_goes_where_it_is_wanted(void **state)
{
    struct rig *rig = *state;
    char into[6] = "######";
    reply_with(rig, (struct fake_http_reply){.body = "hello"});
    struct http_request request = request_to(rig, "GET", "/");
    request.into = into;
    request.into_bytes = 5;
    run(rig, &request);
    assert_int_equal(request.reply_bytes, 5);
    assert_memory_equal(into, "hello#", 6);

    request.into_bytes = 4;
    run(rig, &request);
    assert_int_equal(request.err.kind, ERR_CORRUPT);
    assert_int_equal(request.tries, 1);
    assert_int_equal(into[4], 'o');

    /* A refusal is no content. */
    rig->replies[0].status = 416;
    memset(into, '#', sizeof into);
    request.into_bytes = 5;
    run(rig, &request);
    assert_string_equal(request.reply, "hello");
    assert_memory_equal(into, "######", 6);
}

static void a_reply_has_a_limit(void **state)
{
    struct rig *rig = *state;
    size_t size_bytes = HTTP_BODY_MAX + 1;
    char *body = arena_make(&rig->arena, size_bytes);
    memset(body, 'x', size_bytes);
    reply_with(rig, (struct fake_http_reply){.body = body, .body_bytes = size_bytes - 1});
    reply_with(rig, (struct fake_http_reply){.body = body, .body_bytes = size_bytes});
    struct http_request request = request_to(rig, "GET", "/");
    run(rig, &request);
    assert_int_equal(request.reply_bytes, HTTP_BODY_MAX);
    run(rig, &request);
    assert_int_equal(request.err.kind, ERR_CORRUPT);
    assert_int_equal(request.tries, 1);
}

static void note_piece(void *context, const char *bytes, size_t size_bytes)
{
    if (bytes)
        buf_add(context, bytes, size_bytes);
    else
        buf_text(context, "|");
}

static void a_sink_begins_again_with_each_try(void **state)
{
    struct rig *rig = *state;
    struct buf seen;
    buf_init(&seen, 1 << 20);
    reply_with(rig, (struct fake_http_reply){.body = "1234567890", .fault = FAKE_HTTP_CUT});
    reply_with(rig, (struct fake_http_reply){.status = 503, .body = "busy"});
    reply_with(rig, (struct fake_http_reply){.body = "hello"});
    struct http_request request = request_to(rig, "GET", "/");
    request.sink = note_piece;
    request.sink_context = &seen;
    run(rig, &request);
    assert_int_equal(request.status, 200);
    assert_string_equal(request.reply, "");
    assert_string_equal(buf_string(&seen), "|xxxxx||hello");
    buf_free(&seen);
}

static void redirects_are_not_followed(void **state)
{
    struct rig *rig = *state;
    reply_with(rig, (struct fake_http_reply){.status = 302, .headers = {{"Location", "/other"}}});
    struct http_request request = request_to(rig, "GET", "/");
    run(rig, &request);
    assert_int_equal(request.status, 302);
    assert_int_equal(fake_http_count(rig->fake), 1);
}

static void secrets_leave_by_no_other_way(void **state)
{
    struct rig *rig = *state;
    static const char *const urls[] = {"http://192.0.2.1/?sig=x",
                                       "http://example.com/",
                                       "http://127.0.0.1.example.com/",
                                       "http://user@127.0.0.2@x/",
                                       "ftp://192.0.2.1/",
                                       "file:///etc/passwd",
                                       "",
                                       "nonsense"};
    for (size_t i = 0; i < ITEMS(urls); i++) {
        struct http_request request = {.method = "GET", .url = urls[i], .repeatable = true};
        run(rig, &request);
        assert_int_equal(request.status, 0);
        assert_int_not_equal(request.err.kind, ERR_NONE);
        assert_int_equal(request.tries, 1);
        assert_null(strstr(request.err.text, "sig"));
    }
    assert_int_equal(http_requests_sent(rig->http), 0);
    /* A proxy of the environment is not asked for what is here. */
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    struct http_request request = request_to(rig, "GET", "/");
    run(rig, &request);
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    assert_int_equal(request.status, 200);
}

/* Nor is a file that other programs keep passwords in. */
static void a_netrc_is_not_read(void **state)
{
    struct rig *rig = *state;
    char folder[64], path[80];
    scratch_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/.netrc", folder);
    FILE *file = fopen(path, "w");
    fputs("machine 127.0.0.1 login a password b\n", file);
    fclose(file);
    char *home = getenv("HOME") ? strdup(getenv("HOME")) : NULL;
    setenv("HOME", folder, 1);
    struct http_request request = request_to(rig, "GET", "/");
    run(rig, &request);
    if (home)
        setenv("HOME", home, 1);
    else
        unsetenv("HOME");
    free(home);
    scratch_remove(folder);
    assert_int_equal(request.status, 200);
    assert_null(strstr(fake_http_request(rig->fake, 0)->headers, "Authorization"));
}

/* -- tries ---------------------------------------------------------------------------------------
 */

static void a_busy_server_is_asked_again_when_it_says(void **state)
{
    struct rig *rig = *state;
    reply_with(rig, (struct fake_http_reply){.status = 503, .headers = {{"Retry-After", "7"}}});
    reply_with(rig, (struct fake_http_reply){.status = 429});
    reply_with(rig, (struct fake_http_reply){.status = 201});
    struct http_request request = request_to(rig, "PUT", "/");
    request.windows[0] = http_window_get(rig->http, "a");
    request.repeatable = false;
    run(rig, &request);
    assert_int_equal(request.status, 201);
    assert_int_equal(request.tries, 3);
    assert_false(request.in_doubt);
    assert_true(slept_us(rig) >= 7 * WHEN_SECOND_US + RETRY_FIRST_US);
    assert_true(slept_us(rig) < 9 * WHEN_SECOND_US);
}

/* Its window is what Retry-After stops: others of the account wait too, other accounts don't. */
static void the_account_rests_when_it_asks_to(void **state)
{
    struct rig *rig = *state;
    reply_with(rig, (struct fake_http_reply){.status = 503, .headers = {{"Retry-After", "30"}}});
    reply_with(rig, (struct fake_http_reply){.status = 200});
    struct http_request first = request_to(rig, "GET", "/");
    first.windows[0] = http_window_get(rig->http, "a");
    run(rig, &first);
    assert_true(slept_us(rig) >= 30 * WHEN_SECOND_US);
    assert_true(slept_us(rig) < 31 * WHEN_SECOND_US);
    rig->replies[0].status = 503;
    struct http_request other = request_to(rig, "GET", "/");
    other.windows[0] = http_window_get(rig->http, "b");
    int64_t before_us = slept_us(rig);
    run(rig, &other);
    assert_int_equal(slept_us(rig), before_us);
}

static void tries_end_and_the_status_stays(void **state)
{
    struct rig *rig = *state;
    reply_with(rig, (struct fake_http_reply){.status = 503, .body = "busy"});
    struct http_request request = request_to(rig, "GET", "/");
    run(rig, &request);
    assert_int_equal(request.status, 503);
    assert_int_equal(request.err.kind, ERR_NONE);
    assert_string_equal(request.reply, "busy");
    assert_int_equal(request.tries, HTTP_TRIES_MAX);
    assert_int_equal(fake_http_count(rig->fake), HTTP_TRIES_MAX);
    assert_false(request.in_doubt);
}

static void a_refusal_is_final(void **state)
{
    struct rig *rig = *state;
    static const int statuses[] = {400, 401, 403, 404, 409, 412, 501};
    for (size_t i = 0; i < ITEMS(statuses); i++) {
        reply_with(rig, (struct fake_http_reply){.status = statuses[i]});
        struct http_request request = request_to(rig, "GET", "/");
        run(rig, &request);
        assert_int_equal(request.status, statuses[i]);
        assert_int_equal(request.tries, 1);
    }
    assert_int_equal(slept_us(rig), 0);
}

static void a_failing_server_leaves_a_doubt(void **state)
{
    struct rig *rig = *state;
    reply_with(rig, (struct fake_http_reply){.status = 500});
    reply_with(rig, (struct fake_http_reply){.status = 409});
    struct http_request request = request_to(rig, "PUT", "/");
    run(rig, &request);
    assert_int_equal(request.status, 409);
    assert_true(request.in_doubt);
    request.repeatable = false;
    rig->replies[1].status = 500;
    run(rig, &request);
    assert_int_equal(request.status, 500);
    assert_int_equal(request.tries, 1);
    assert_false(request.in_doubt);
}

/* Read, and the connection closed without a word. */
static void a_lost_answer_is_asked_for_again(void **state)
{
    struct rig *rig = *state;
    reply_with(rig, (struct fake_http_reply){.fault = FAKE_HTTP_DROP});
    reply_with(rig, (struct fake_http_reply){.status = 201});
    struct http_request request = request_to(rig, "PUT", "/");
    run(rig, &request);
    assert_int_equal(request.status, 201);
    assert_int_equal(request.err.kind, ERR_NONE);
    assert_int_equal(request.tries, 2);
    assert_true(request.in_doubt);
    assert_true(slept_us(rig) >= RETRY_FIRST_US / 2);
}

/* libcurl asks again by itself if the connection was used before: that is a doubt too. */
static void a_kept_connection_may_swallow_a_request(void **state)
{
    struct rig *rig = *state;
    reply_with(rig, (struct fake_http_reply){.body = "hello"});
    reply_with(rig, (struct fake_http_reply){.fault = FAKE_HTTP_DROP});
    reply_with(rig, (struct fake_http_reply){.status = 409});
    struct http_request request = request_to(rig, "PUT", "/");
    run(rig, &request);
    assert_false(request.in_doubt);
    run(rig, &request);
    assert_int_equal(request.status, 409);
    assert_true(request.in_doubt);
    assert_int_equal(fake_http_count(rig->fake), 3);
    assert_int_equal(http_requests_sent(rig->http), 3);
}

static void a_lost_answer_to_what_must_not_be_repeated_is_unknown(void **state)
{
    struct rig *rig = *state;
    static const enum fake_http_fault faults[] = {FAKE_HTTP_DROP, FAKE_HTTP_CUT};
    for (unsigned i = 0; i < ITEMS(faults); i++) {
        rig->reply_count = 0;
        reply_with(rig, (struct fake_http_reply){.status = 200, .body = "hello"});
        struct http_request kept = request_to(rig, "GET", "/");
        run(rig, &kept); /* there is a connection to use again */
        rig->replies[0] = (struct fake_http_reply){.fault = faults[i], .body = "hello"};
        unsigned before = fake_http_count(rig->fake);
        struct http_request request = request_to(rig, "PUT", "/");
        request.repeatable = false;
        run(rig, &request);
        assert_int_equal(request.err.kind, ERR_UNKNOWN_OUTCOME);
        assert_int_equal(request.status, 0);
        assert_int_equal(request.tries, 1);
        assert_int_equal(fake_http_count(rig->fake) - before, 1);
    }
}

static void a_connection_that_is_closed_before_reading_is_tried_again(void **state)
{
    struct rig *rig = *state;
    reply_with(rig, (struct fake_http_reply){.status = 200, .body = "hello"});
    fake_http_refuse(rig->fake, 2);
    struct http_request request = request_to(rig, "GET", "/");
    run(rig, &request);
    assert_int_equal(request.status, 200);
    assert_int_equal(request.tries, 3);
    assert_int_equal(fake_http_count(rig->fake), 1);
}

static void nobody_there_is_busy_not_unknown(void **state)
{
    struct rig *rig = *state;
    struct fake_http *gone = fake_http_open(answer, rig);
    struct http_request request = {.method = "PUT",
                                   .url = arena_copy(&rig->arena, fake_http_url(gone))};
    fake_http_close(gone);
    run(rig, &request);
    assert_int_equal(request.err.kind, ERR_BUSY);
    assert_int_equal(request.tries, HTTP_TRIES_MAX);
    assert_false(request.in_doubt);
}

static void a_body_that_was_cut_off_is_no_reply(void **state)
{
    struct rig *rig = *state;
    char into[64];
    reply_with(rig, (struct fake_http_reply){.body = "1234567890", .fault = FAKE_HTTP_CUT});
    struct http_request requests[2] = {request_to(rig, "GET", "/"), request_to(rig, "GET", "/")};
    requests[1].into = into;
    requests[1].into_bytes = sizeof into;
    http_batch(rig->http, requests, 2, &rig->arena);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(requests[i].err.kind, ERR_UNKNOWN_OUTCOME);
        assert_int_equal(requests[i].status, 0);
        assert_int_equal(requests[i].tries, HTTP_TRIES_MAX);
    }
}

static void a_server_that_says_nothing_is_left(void **state)
{
    struct rig *rig = *state;
    reply_with(rig, (struct fake_http_reply){.fault = FAKE_HTTP_UNANSWERED});
    reply_with(rig, (struct fake_http_reply){.status = 200});
    struct http_request request = request_to(rig, "GET", "/");
    request.stall_s = 1;
    run(rig, &request);
    assert_int_equal(request.status, 200);
    assert_int_equal(request.tries, 2);
    assert_true(request.in_doubt);
}

static void a_slow_answer_is_an_answer(void **state)
{
    struct rig *rig = *state;
    reply_with(rig,
               (struct fake_http_reply){.fault = FAKE_HTTP_SLOW, .slow_ms = 600, .body = "hello"});
    struct http_request request = request_to(rig, "GET", "/");
    run(rig, &request);
    assert_int_equal(request.tries, 1);
    assert_string_equal(request.reply, "hello");
}

static void sign(void *context, struct http_request *request)
{
    struct http_header *header = context;
    header->value = header->value[0] == '1' ? "2" : "1";
    request->headers = header;
}

static void each_try_is_signed_anew(void **state)
{
    struct rig *rig = *state;
    struct http_header header = {"x-signature", "0"};
    reply_with(rig, (struct fake_http_reply){.status = 503});
    reply_with(rig, (struct fake_http_reply){.status = 200});
    struct http_request request = request_to(rig, "GET", "/");
    request.header_count = 1;
    request.sign = sign;
    request.sign_context = &header;
    run(rig, &request);
    assert_non_null(strstr(fake_http_request(rig->fake, 0)->headers, "x-signature: 1\n"));
    assert_non_null(strstr(fake_http_request(rig->fake, 1)->headers, "x-signature: 2\n"));
}

/* -- many ----------------------------------------------------------------------------------------
 */

static void many_share_connections_and_a_window(void **state)
{
    struct rig *rig = *state;
    struct http_request *requests = arena_make(&rig->arena, 300 * sizeof *requests);
    reply_with(rig, (struct fake_http_reply){.fault = FAKE_HTTP_SLOW, .slow_ms = 5});
    for (int i = 0; i < 300; i++) {
        requests[i] = request_to(rig, "GET", str_format(&rig->arena, "/%d", i));
        requests[i].windows[0] = http_window_get(rig->http, "a");
    }
    http_batch(rig->http, requests, 300, &rig->arena);
    for (int i = 0; i < 300; i++) {
        assert_int_equal(requests[i].status, 200);
        assert_int_equal(requests[i].tries, 1);
    }
    assert_int_equal(fake_http_count(rig->fake), 300);
    assert_in_range(fake_http_peak(rig->fake), 2, 40);
    assert_in_range(fake_http_connections(rig->fake), 2, 40);
}

static void without_a_window_a_lane_is_the_limit(void **state)
{
    struct rig *rig = *state;
    struct http_request *requests = arena_make(&rig->arena, 200 * sizeof *requests);
    reply_with(rig, (struct fake_http_reply){.fault = FAKE_HTTP_SLOW, .slow_ms = 50});
    for (int i = 0; i < 200; i++)
        requests[i] = request_to(rig, "GET", "/");
    http_batch(rig->http, requests, 200, &rig->arena);
    assert_in_range(fake_http_peak(rig->fake), 17, HTTP_WINDOW_MAX);
    assert_in_range(fake_http_connections(rig->fake), 17, HTTP_WINDOW_MAX);
}

/* One that fails for long holds up no other. */
static void by_path(void *context, unsigned number, const struct fake_http_request *request,
                    struct fake_http_reply *reply)
{
    (void)context;
    (void)number;
    if (strcmp(request->path, "/bad") == 0)
        reply->status = 500;
    else
        reply->body = request->path;
}

static void each_has_its_own_outcome(void **state)
{
    struct rig *rig = *state;
    struct fake_http *fake = fake_http_open(by_path, NULL);
    struct http_request requests[50];
    for (int i = 0; i < 50; i++)
        requests[i] = (struct http_request){
            .method = "GET",
            .repeatable = true,
            .url = i % 10 == 3 ? str_format(&rig->arena, "%s/bad", fake_http_url(fake))
                               : str_format(&rig->arena, "%s/%d", fake_http_url(fake), i)};
    http_batch(rig->http, requests, 50, &rig->arena);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(requests[i].status, i % 10 == 3 ? 500 : 200);
        assert_int_equal(requests[i].tries, i % 10 == 3 ? HTTP_TRIES_MAX : 1);
        if (i % 10 != 3)
            assert_string_equal(requests[i].reply, str_format(&rig->arena, "/%d", i));
    }
    fake_http_close(fake);
}

struct worker {
    struct rig *rig;
    pthread_t thread;
    unsigned good;
};

static void *work(void *context)
{
    struct worker *worker = context;
    struct arena arena;
    arena_init(&arena, 16 << 20);
    for (int round = 0; round < 3; round++) {
        struct http_request requests[20];
        for (int i = 0; i < 20; i++)
            requests[i] = (struct http_request){
                .method = "GET",
                .url = fake_http_url(worker->rig->fake),
                .windows = {http_window_get(worker->rig->http, i % 2 ? "a" : "b"),
                            http_window_get(worker->rig->http, i % 2 ? "b" : "a")},
                .repeatable = true};
        http_batch(worker->rig->http, requests, 20, &arena);
        for (int i = 0; i < 20; i++)
            worker->good += requests[i].status == 200;
        arena_reset(&arena);
    }
    arena_free(&arena);
    return NULL;
}

/* More threads than slots, two windows in both orders: all come through. */
static void threads_share_windows_without_blocking_each_other(void **state)
{
    struct rig *rig = *state;
    struct worker workers[8];
    reply_with(rig, (struct fake_http_reply){.status = 503}); /* cuts the windows */
    reply_with(rig, (struct fake_http_reply){.fault = FAKE_HTTP_SLOW, .slow_ms = 2});
    for (size_t i = 0; i < ITEMS(workers); i++) {
        workers[i] = (struct worker){.rig = rig};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < ITEMS(workers); i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].good, 60);
    }
    assert_int_equal(fake_http_count(rig->fake), 8 * 60 + 1);
    assert_in_range(fake_http_peak(rig->fake), 1, 40);
}

/* -- the end -------------------------------------------------------------------------------------
 */

static void what_was_not_sent_is_cancelled(void **state)
{
    struct rig *rig = *state;
    http_cancel(rig->http);
    struct http_request requests[3] = {request_to(rig, "GET", "/"), request_to(rig, "GET", "/"),
                                       request_to(rig, "GET", "/")};
    http_batch(rig->http, requests, 3, &rig->arena);
    for (int i = 0; i < 3; i++)
        assert_int_equal(requests[i].err.kind, ERR_CANCELLED);
    assert_int_equal(fake_http_count(rig->fake), 0);
}

/* The third request is answered by a cancellation, and then with a 503. */
static void cancel_then_answer(void *context, unsigned number,
                               const struct fake_http_request *request,
                               struct fake_http_reply *reply)
{
    (void)request;
    struct rig *rig = context;
    if (number == 2)
        http_cancel(rig->http);
    reply->status = number < 2 ? 200 : 503;
}

static void what_is_in_flight_ends_and_is_not_tried_again(void **state)
{
    struct rig *rig = *state;
    struct fake_http *fake = fake_http_open(cancel_then_answer, rig);
    struct http_request requests[2];
    for (int i = 0; i < 2; i++)
        requests[i] =
            (struct http_request){.method = "GET", .url = fake_http_url(fake), .repeatable = true};
    http_batch(rig->http, requests, 2, &rig->arena);
    http_batch(rig->http, requests, 1, &rig->arena);
    assert_int_equal(requests[0].status, 503);
    assert_int_equal(requests[0].tries, 1);
    fake_http_close(fake);
}

/* -- clocks and logs -----------------------------------------------------------------------------
 */

static void the_skew_of_the_service_is_seen(void **state)
{
    struct rig *rig = *state;
    struct http_window *window = http_window_get(rig->http, "a");
    struct http_request request = request_to(rig, "GET", "/");
    request.windows[0] = window;
    rig->clock.instant_us = clock_real()->ops->now_us(clock_real());
    run(rig, &request);
    assert_in_range(http_window_skew_us(window), 0, 2 * WHEN_SECOND_US);
    rig->clock.instant_us -= 3600 * WHEN_SECOND_US;
    run(rig, &request);
    assert_in_range(http_window_skew_us(window), 3598 * WHEN_SECOND_US, 3602 * WHEN_SECOND_US);
    rig->clock.instant_us += 2 * 3600 * WHEN_SECOND_US;
    run(rig, &request);
    assert_in_range(http_window_skew_us(window), 3598 * WHEN_SECOND_US, 3602 * WHEN_SECOND_US);
}

static void note_event(void *context, enum log_level level, const char *event,
                       const struct log_field *fields, size_t count)
{
    (void)level;
    buf_text(context, event);
    for (size_t i = 0; i < count; i++)
        buf_format(context, " %s=%s/%lld", fields[i].name, fields[i].text ? fields[i].text : "",
                   (long long)fields[i].number);
    buf_char(context, '\n');
}

static void a_log_shows_no_secret(void **state)
{
    struct rig *rig = *state;
    struct buf seen;
    buf_init(&seen, 1 << 20);
    log_open(LOG_TRACE, note_event, &seen);
    const struct http_header headers[] = {{"Authorization", "SharedKey CANARY"},
                                          {"x-ms-copy-source", "http://h/?sig=CANARY"}};
    reply_with(rig, (struct fake_http_reply){.status = 500, .body = "CANARY"});
    reply_with(rig, (struct fake_http_reply){.fault = FAKE_HTTP_DROP});
    reply_with(rig, (struct fake_http_reply){
                        .status = 403, .headers = {{"x-ms-request-id", "id-7"}}, .body = "CANARY"});
    struct http_request request = request_to(rig, "PUT", "/c/key?sig=CANARY");
    request.headers = headers;
    request.header_count = ITEMS(headers);
    run(rig, &request);
    log_open(LOG_TRACE, NULL, NULL);
    assert_null(strstr(buf_string(&seen), "CANARY"));
    assert_non_null(strstr(buf_string(&seen), "/c/key/0 status=/403 request_id=id-7"));
    assert_non_null(strstr(buf_string(&seen), "request-retried method=PUT"));
    buf_free(&seen);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_sent_as_it_is),
        TEST(an_empty_body_has_a_length),
        TEST(a_large_body_goes_whole),
        TEST(headers_are_found_in_any_case),
        TEST(header_lines_of_any_shape_are_read),
        TEST(a_body_goes_where_it_is_wanted),
        TEST(a_reply_has_a_limit),
        TEST(a_sink_begins_again_with_each_try),
        TEST(redirects_are_not_followed),
        TEST(secrets_leave_by_no_other_way),
        TEST(a_netrc_is_not_read),
        TEST(a_busy_server_is_asked_again_when_it_says),
        TEST(the_account_rests_when_it_asks_to),
        TEST(tries_end_and_the_status_stays),
        TEST(a_refusal_is_final),
        TEST(a_failing_server_leaves_a_doubt),
        TEST(a_lost_answer_is_asked_for_again),
        TEST(a_kept_connection_may_swallow_a_request),
        TEST(a_lost_answer_to_what_must_not_be_repeated_is_unknown),
        TEST(a_connection_that_is_closed_before_reading_is_tried_again),
        TEST(nobody_there_is_busy_not_unknown),
        TEST(a_body_that_was_cut_off_is_no_reply),
        TEST(a_server_that_says_nothing_is_left),
        TEST(a_slow_answer_is_an_answer),
        TEST(each_try_is_signed_anew),
        TEST(many_share_connections_and_a_window),
        TEST(without_a_window_a_lane_is_the_limit),
        TEST(each_has_its_own_outcome),
        TEST(threads_share_windows_without_blocking_each_other),
        TEST(what_was_not_sent_is_cancelled),
        TEST(what_is_in_flight_ends_and_is_not_tried_again),
        TEST(the_skew_of_the_service_is_seen),
        TEST(a_log_shows_no_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
