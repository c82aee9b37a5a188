/* What a reply to a batch says, and what it only seems to say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "executor/azure/batch.h"
#include "executor/http/http.h"

#define TYPE "multipart/mixed; boundary=batchresponse_66"
#define MARK "--batchresponse_66"
#define NAMED(id) MARK "\r\nContent-Type: application/http\r\nContent-ID: " id "\r\n\r\n"
#define NAMELESS MARK "\r\nContent-Type: application/http\r\n\r\n"
#define DELETED "HTTP/1.1 202 Accepted\r\nx-ms-request-id: 1\r\n\r\n"
#define GONE                                                                                       \
    "HTTP/1.1 404 The specified blob does not exist.\r\nx-ms-error-code: BlobNotFound\r\n"         \
    "Content-Length: 8\r\n\r\n<Error/>"
#define CHANGED "HTTP/1.1 412 No.\r\nX-Ms-Error-Code:ConditionNotMet\r\n\r\n<?xml?>\r\n<Error/>"
#define END MARK "--\r\n"

static struct batch_answer answers[4];
static struct err err;

static bool read_as(const char *type, const char *body, size_t count)
{
    /* A copy of its own size: reading beyond it is a finding of the sanitizer. */
    size_t size_bytes = strlen(body);
    char *exact = malloc(size_bytes + 1);
    assert_non_null(exact);
    memcpy(exact, body, size_bytes);
    memset(answers, 0xff, sizeof answers);
    bool done = batch_read(type, exact, size_bytes, answers, count, &err);
    free(exact);
    return done;
}

static bool read_reply(const char *body, size_t count)
{
    return read_as(TYPE, body, count);
}

static void assert_statuses(int first, int second, int third)
{
    assert_int_equal(answers[0].status, first);
    assert_int_equal(answers[1].status, second);
    assert_int_equal(answers[2].status, third);
}

static void parts_are_numbered_and_closed(void **state)
{
    (void)state;
    const struct http_header headers[] = {{"If-Match", "\"0x1\""}, {"x-ms-date", "today"}};
    const struct batch_request requests[] = {
        {.method = "DELETE", .target = "/c/a%20b", .headers = headers, .header_count = 2},
        {.method = "PUT", .target = "/c/d?sig=x", .headers = headers, .header_count = 1}};
    struct buf body;
    buf_init(&body, BATCH_BYTES_MAX);
    batch_add(&body, "batch_1", 0, &requests[0]);
    batch_add(&body, "batch_1", 1, &requests[1]);
    batch_end(&body, "batch_1");
    assert_string_equal(
        buf_string(&body),
        "--batch_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
        "Content-ID: 0\r\n\r\nDELETE /c/a%20b HTTP/1.1\r\nIf-Match: \"0x1\"\r\n"
        "x-ms-date: today\r\nContent-Length: 0\r\n\r\n"
        "--batch_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
        "Content-ID: 1\r\n\r\nPUT /c/d?sig=x HTTP/1.1\r\nIf-Match: \"0x1\"\r\n"
        "Content-Length: 0\r\n\r\n--batch_1--\r\n");
    buf_free(&body);
}

static void each_part_has_its_answer(void **state)
{
    (void)state;
    assert_true(read_reply(
        NAMED("0") DELETED "\r\n" NAMED("1") GONE "\r\n" NAMED("2") CHANGED "\r\n" END, 3));
    assert_statuses(202, 404, 412);
    assert_string_equal(answers[0].code, "");
    assert_string_equal(answers[1].code, "BlobNotFound");
    assert_string_equal(answers[2].code, "ConditionNotMet");
}

static void answers_in_another_order_keep_their_names(void **state)
{
    (void)state;
    assert_true(
        read_reply(NAMED("2") CHANGED "\r\n" NAMED("0") DELETED NAMED("1") GONE "\r\n" END, 3));
    assert_statuses(202, 404, 412);
}

static void without_names_the_position_counts(void **state)
{
    (void)state;
    assert_true(read_reply(NAMELESS DELETED NAMELESS GONE "\r\n" NAMELESS CHANGED "\r\n" END, 3));
    assert_statuses(202, 404, 412);
}

static void without_names_a_missing_answer_makes_all_unknown(void **state)
{
    (void)state;
    assert_false(read_reply(NAMELESS DELETED NAMELESS DELETED END, 3));
    assert_int_equal(err.kind, ERR_CORRUPT);
    assert_statuses(0, 0, 0);
    assert_false(
        read_reply(NAMELESS DELETED NAMELESS DELETED NAMELESS DELETED NAMELESS DELETED END, 3));
    assert_statuses(0, 0, 0);
    /* A success for all is not believed from one. */
    assert_false(read_reply(NAMELESS DELETED END, 3));
    assert_statuses(0, 0, 0);
}

static void with_names_a_missing_answer_is_the_only_unknown(void **state)
{
    (void)state;
    assert_false(read_reply(NAMED("0") DELETED NAMED("2") CHANGED "\r\n" END, 3));
    assert_statuses(202, 0, 412);
}

static void names_that_make_no_sense_make_all_unknown(void **state)
{
    (void)state;
    static const char *const replies[] = {
        NAMED("0") DELETED NAMED("0") DELETED NAMED("2") DELETED END,
        NAMED("1") DELETED NAMED("2") DELETED NAMED("3") DELETED END,
        NAMED("0") DELETED NAMELESS DELETED NAMED("2") DELETED END,
        NAMED("-1") DELETED NAMED("1") DELETED NAMED("2") DELETED END,
        NAMED("99999999999999999999") DELETED NAMED("1") DELETED NAMED("2") DELETED END,
    };
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        assert_false(read_reply(replies[i], 3));
        assert_statuses(0, 0, 0);
    }
}

static void one_nameless_refusal_is_for_all(void **state)
{
    (void)state;
    assert_true(read_reply(NAMELESS "HTTP/1.1 403 No.\r\nx-ms-error-code: AuthorizationFailure\r\n"
                                    "\r\n" END,
                           3));
    assert_statuses(403, 403, 403);
    assert_string_equal(answers[2].code, "AuthorizationFailure");
    assert_false(read_reply(NAMELESS "HTTP/1.1 503 Busy\r\n\r\n" END, 3));
    assert_statuses(0, 0, 0);
}

/* Cut off anywhere: an error, and nothing is told that the whole reply would not tell. */
static void a_reply_that_was_cut_off_is_an_error(void **state)
{
    (void)state;
    static const char whole[] =
        NAMED("0") DELETED NAMED("1") GONE "\r\n" NAMED("2") CHANGED "\r\n" MARK "--";
    static const int wanted[] = {202, 404, 412};
    for (size_t length = 0; length < strlen(whole); length++) {
        char cut[sizeof whole];
        memcpy(cut, whole, length);
        cut[length] = '\0';
        assert_false(read_reply(cut, 3));
        assert_int_equal(err.kind, ERR_CORRUPT);
        for (size_t i = 0; i < 3; i++)
            assert_true(answers[i].status == 0 || answers[i].status == wanted[i]);
    }
    assert_true(read_reply(whole, 3));
}

static void the_boundary_is_taken_from_the_reply(void **state)
{
    (void)state;
    static const char body[] = NAMED("0") DELETED END;
    assert_true(read_as("Multipart/Mixed; charset=x; boundary=\"batchresponse_66\"", body, 1));
    assert_true(read_as("multipart/mixed;boundary=batchresponse_66; x=y", body, 1));
    static const char *const types[] = {
        NULL, "", "application/xml", "multipart/mixed",
        "multipart/mixed; boundary=", "multipart/mixed; boundary=\"batchresponse_66",
        "multipart/mixed; boundary=other",
        /* 71 bytes */
        "multipart/mixed; boundary="
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        assert_false(read_as(types[i], body, 1));
        assert_int_equal(err.kind, ERR_CORRUPT);
        assert_int_equal(answers[0].status, 0);
    }
}

/* The first of many, and not the one for all. */
static void a_nameless_refusal_before_the_cut_is_for_nobody(void **state)
{
    (void)state;
    assert_false(read_reply(NAMELESS CHANGED "\r\n" NAMELESS DELETED, 3));
    assert_statuses(0, 0, 0);
    assert_false(read_reply(NAMELESS CHANGED "\r\n" NAMELESS DELETED NAMELESS DELETED MARK, 3));
    assert_statuses(0, 0, 0);
}

/* A foreign boundary inside an answer's text is text. */
static void other_lines_with_dashes_are_text(void **state)
{
    (void)state;
    assert_true(read_reply(NAMED("0") GONE "\r\n--batchresponse_6\r\n--other--\r\n"
                                           "x" MARK "\r\n" MARK "7\r\n" NAMED("1") DELETED END,
                           2));
    assert_int_equal(answers[0].status, 404);
    assert_int_equal(answers[1].status, 202);
}

static void an_answer_without_a_status_is_none(void **state)
{
    (void)state;
    static const char *const parts[] = {"HTTP/1.1 2x2 No\r\n\r\n",
                                        "HTTP/1.1 99\r\n\r\n",
                                        "HTTP/1.1\r\n\r\n",
                                        "202 Accepted\r\n\r\n",
                                        "\r\n\r\n",
                                        "HTTP/1.1 999 No\r\n\r\n"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char body[256];
        snprintf(body, sizeof body, "%s%s%s", NAMED("0"), parts[i], END);
        assert_false(read_reply(body, 1));
        assert_int_equal(answers[0].status, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_numbered_and_closed),
        cmocka_unit_test(each_part_has_its_answer),
        cmocka_unit_test(answers_in_another_order_keep_their_names),
        cmocka_unit_test(without_names_the_position_counts),
        cmocka_unit_test(without_names_a_missing_answer_makes_all_unknown),
        cmocka_unit_test(with_names_a_missing_answer_is_the_only_unknown),
        cmocka_unit_test(names_that_make_no_sense_make_all_unknown),
        cmocka_unit_test(one_nameless_refusal_is_for_all),
        cmocka_unit_test(a_reply_that_was_cut_off_is_an_error),
        cmocka_unit_test(a_nameless_refusal_before_the_cut_is_for_nobody),
        cmocka_unit_test(the_boundary_is_taken_from_the_reply),
        cmocka_unit_test(other_lines_with_dashes_are_text),
        cmocka_unit_test(an_answer_without_a_status_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
