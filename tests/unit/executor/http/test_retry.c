/* What is sent again, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/rand.h"
#include "base/when.h"
#include "executor/http/http.h"
#include "executor/http/retry.h"

static bool wanted(int status, enum err_kind failure, bool repeatable, uint32_t tries)
{
    struct retry_end end = {status, failure, repeatable, tries};
    return retry_is_wanted(&end);
}

static void only_what_may_pass_is_tried_again(void **state)
{
    (void)state;
    static const int passing[] = {408, 429, 500, 502, 503, 504};
    static const int lasting[] = {200, 201, 202, 206, 301, 304, 400, 401, 403,
                                  404, 409, 411, 412, 413, 416, 501, 505, 507};
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
        assert_true(wanted(passing[i], ERR_NONE, true, 1));
    for (size_t i = 0; i < sizeof lasting / sizeof lasting[0]; i++)
        assert_false(wanted(lasting[i], ERR_NONE, true, 1));
    assert_true(wanted(0, ERR_BUSY, true, 1));
    assert_true(wanted(0, ERR_UNKNOWN_OUTCOME, true, 1));
    assert_false(wanted(0, ERR_DENIED, true, 1));
    assert_false(wanted(0, ERR_CORRUPT, true, 1));
}

static void what_must_not_happen_twice_is_sent_twice_only_if_refused(void **state)
{
    (void)state;
    assert_true(wanted(503, ERR_NONE, false, 1));
    assert_true(wanted(429, ERR_NONE, false, 1));
    assert_true(wanted(0, ERR_BUSY, false, 1));
    assert_false(wanted(500, ERR_NONE, false, 1));
    assert_false(wanted(502, ERR_NONE, false, 1));
    assert_false(wanted(504, ERR_NONE, false, 1));
    assert_false(wanted(408, ERR_NONE, false, 1));
    assert_false(wanted(0, ERR_UNKNOWN_OUTCOME, false, 1));
}

static void tries_end(void **state)
{
    (void)state;
    assert_true(wanted(503, ERR_NONE, true, HTTP_TRIES_MAX - 1));
    assert_false(wanted(503, ERR_NONE, true, HTTP_TRIES_MAX));
    assert_false(wanted(0, ERR_BUSY, true, HTTP_TRIES_MAX));
}

static void backoff_doubles_with_jitter_up_to_a_limit(void **state)
{
    (void)state;
    struct rand rand;
    rand_init(&rand, 1);
    int64_t whole_us = RETRY_FIRST_US;
    for (uint32_t tries = 1; tries < 40; tries++) {
        int64_t least = INT64_MAX, most = 0;
        for (int i = 0; i < 500; i++) {
            int64_t wait_us = retry_wait_us(tries, 0, &rand);
            least = wait_us < least ? wait_us : least;
            most = wait_us > most ? wait_us : most;
        }
        assert_in_range(least, whole_us / 2, whole_us * 6 / 10);
        assert_in_range(most, whole_us * 9 / 10, whole_us);
        whole_us = whole_us * 2 < RETRY_LONGEST_US ? whole_us * 2 : RETRY_LONGEST_US;
    }
}

static void nobody_comes_back_before_asked_to(void **state)
{
    (void)state;
    struct rand rand;
    rand_init(&rand, 1);
    for (int i = 0; i < 500; i++) {
        assert_int_equal(retry_wait_us(1, 7 * WHEN_SECOND_US, &rand), 7 * WHEN_SECOND_US);
        assert_true(retry_wait_us(6, 1, &rand) > WHEN_SECOND_US);
    }
}

static void retry_after_is_seconds_or_a_date(void **state)
{
    (void)state;
    struct err err;
    int64_t now_us;
    assert_true(when_http_read("Sun, 06 Nov 1994 08:49:37 GMT", &now_us, &err));
    assert_int_equal(retry_after_us("3", now_us), 3 * WHEN_SECOND_US);
    assert_int_equal(retry_after_us("0", now_us), 0);
    assert_int_equal(retry_after_us("Sun, 06 Nov 1994 08:49:47 GMT", now_us), 10 * WHEN_SECOND_US);
    assert_int_equal(retry_after_us("Sun, 06 Nov 1994 08:49:30 GMT", now_us), 0);
    assert_int_equal(retry_after_us("86400", now_us), HTTP_RETRY_AFTER_MAX_US);
    assert_int_equal(retry_after_us("18446744073709551615", now_us), HTTP_RETRY_AFTER_MAX_US);
    assert_int_equal(retry_after_us("Sat, 06 Nov 2094 08:49:37 GMT", now_us),
                     HTTP_RETRY_AFTER_MAX_US);
    assert_int_equal(retry_after_us("", now_us), 0);
    assert_int_equal(retry_after_us("-1", now_us), 0);
    assert_int_equal(retry_after_us("soon", now_us), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_may_pass_is_tried_again),
        cmocka_unit_test(what_must_not_happen_twice_is_sent_twice_only_if_refused),
        cmocka_unit_test(tries_end),
        cmocka_unit_test(backoff_doubles_with_jitter_up_to_a_limit),
        cmocka_unit_test(nobody_comes_back_before_asked_to),
        cmocka_unit_test(retry_after_is_seconds_or_a_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
