/* How windows open and close. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/when.h"
#include "executor/http/http.h"
#include "executor/http/window.h"

static struct clock_fake clock_;
static struct window_set set;
static struct http_window *a, *b;

static int set_up(void **state)
{
    (void)state;
    clock_fake_init(&clock_, 1000 * WHEN_SECOND_US);
    window_set_init(&set, &clock_.clock);
    a = window_get(&set, "https://a");
    b = window_get(&set, "https://b");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    window_set_free(&set);
    return 0;
}

static enum window_answer take(struct http_window *one, struct http_window *other)
{
    struct http_window *windows[2] = {one, other};
    int64_t until_us;
    return window_take(&set, windows, false, &until_us);
}

static void give(struct http_window *one, struct http_window *other, int status)
{
    struct http_window *windows[2] = {one, other};
    struct window_news news = {.sent_us = clock_.instant_us, .status = status};
    clock_.clock.ops->sleep_us(&clock_.clock, 1000);
    window_give(&set, windows, &news);
}

/* As many as there is room for are in flight at once, and end with this status. */
static unsigned round_trip(struct http_window *window, int status)
{
    struct http_window *windows[2] = {window, NULL};
    struct window_news news = {.sent_us = clock_.instant_us, .status = status};
    unsigned count = 0;
    while (take(window, NULL) == WINDOW_TAKEN)
        count++;
    clock_.instant_us += 1000;
    for (unsigned i = 0; i < count; i++)
        window_give(&set, windows, &news);
    return count;
}

static void a_window_has_a_name(void **state)
{
    (void)state;
    assert_ptr_equal(window_get(&set, "https://a"), a);
    assert_ptr_not_equal(a, b);
}

static void it_opens_by_one_a_quiet_round_trip(void **state)
{
    (void)state;
    unsigned before = round_trip(a, 200);
    assert_int_equal(before, HTTP_WINDOW_START);
    for (int i = 0; i < 60; i++) {
        unsigned now = round_trip(a, i % 2 ? 201 : 404);
        assert_true(now == before || now == before + 1);
        before = now;
    }
    assert_true(before > HTTP_WINDOW_START + 25);
    for (int i = 0; i < 60; i++)
        round_trip(a, 200);
    assert_int_equal(round_trip(a, 200), HTTP_WINDOW_MAX);
}

static void it_does_not_open_unless_it_was_full(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(take(a, NULL), WINDOW_TAKEN);
        give(a, NULL, 200);
    }
    assert_int_equal(window_size(&set, a), HTTP_WINDOW_START);
}

static void no_answer_opens_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        round_trip(a, 0);
    assert_int_equal(window_size(&set, a), HTTP_WINDOW_START);
}

static void many_503_of_one_round_trip_are_one_cut(void **state)
{
    (void)state;
    round_trip(a, 503);
    assert_int_equal(window_size(&set, a), 20); /* 32 * 0.65 */
    round_trip(a, 429);
    assert_int_equal(window_size(&set, a), 13);
    for (int i = 0; i < 20; i++)
        round_trip(a, 503);
    assert_int_equal(window_size(&set, a), 1);
    assert_int_equal(window_size(&set, b), HTTP_WINDOW_START);
}

static void after_a_cut_it_is_calm_for_a_while(void **state)
{
    (void)state;
    round_trip(a, 503);
    for (int i = 0; i < 100; i++)
        round_trip(a, 200);
    assert_int_equal(window_size(&set, a), 20);
    clock_.instant_us += HTTP_CALM_US;
    for (int i = 0; i < 100; i++)
        round_trip(a, 200);
    assert_true(window_size(&set, a) > 40);
}

static void retry_after_stops_the_window(void **state)
{
    (void)state;
    struct http_window *windows[2] = {a, b};
    struct window_news news = {
        .sent_us = clock_.instant_us, .status = 503, .after_us = 5 * WHEN_SECOND_US};
    int64_t until_us;
    assert_int_equal(take(a, b), WINDOW_TAKEN);
    window_give(&set, windows, &news);
    assert_int_equal(window_take(&set, windows, true, &until_us), WINDOW_PAUSED);
    assert_int_equal(until_us, clock_.instant_us + 5 * WHEN_SECOND_US);
    clock_.instant_us = until_us;
    assert_int_equal(window_take(&set, windows, true, &until_us), WINDOW_TAKEN);
}

static void both_slots_are_taken_or_neither(void **state)
{
    (void)state;
    for (int i = 0; i < HTTP_WINDOW_START; i++)
        assert_int_equal(take(a, NULL), WINDOW_TAKEN);
    for (int i = 0; i < 100; i++)
        assert_int_equal(take(b, a), WINDOW_FULL);
    for (int i = 0; i < HTTP_WINDOW_START; i++)
        assert_int_equal(take(b, NULL), WINDOW_TAKEN);
    assert_int_equal(take(b, NULL), WINDOW_FULL);
}

static void a_copy_within_an_account_takes_one_slot(void **state)
{
    (void)state;
    for (int i = 0; i < HTTP_WINDOW_START; i++)
        assert_int_equal(take(a, a), WINDOW_TAKEN);
    assert_int_equal(take(a, a), WINDOW_FULL);
    for (int i = 0; i < HTTP_WINDOW_START; i++)
        give(a, a, 200);
    assert_int_equal(take(a, a), WINDOW_TAKEN);
}

static void no_window_needs_no_slot(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(take(NULL, NULL), WINDOW_TAKEN);
}

static void *wait_for_a(void *answer)
{
    struct http_window *windows[2] = {a, NULL};
    int64_t until_us;
    *(enum window_answer *)answer = window_take(&set, windows, true, &until_us);
    return NULL;
}

static void who_waits_is_woken_by_a_slot_or_by_the_end(void **state)
{
    (void)state;
    enum window_answer answer = WINDOW_FULL;
    pthread_t thread;
    while (take(a, NULL) == WINDOW_TAKEN)
        continue;
    assert_int_equal(pthread_create(&thread, NULL, wait_for_a, &answer), 0);
    give(a, NULL, 0);
    pthread_join(thread, NULL);
    assert_int_equal(answer, WINDOW_TAKEN);

    assert_int_equal(pthread_create(&thread, NULL, wait_for_a, &answer), 0);
    clock_real()->ops->sleep_us(clock_real(), WHEN_SECOND_US / 10); /* it waits by now */
    window_set_cancel(&set);
    pthread_join(thread, NULL);
    assert_int_equal(answer, WINDOW_FULL);
}

static void the_largest_skew_is_kept(void **state)
{
    (void)state;
    struct http_window *windows[2] = {a, b};
    assert_int_equal(http_window_skew_us(a), 0);
    for (int i = 1; i < 4; i++) {
        struct window_news news = {.status = 200, .skew_us = i == 2 ? 70 : 5};
        assert_int_equal(take(a, b), WINDOW_TAKEN);
        window_give(&set, windows, &news);
    }
    assert_int_equal(http_window_skew_us(a), 70);
    assert_int_equal(http_window_skew_us(b), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_window_has_a_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_opens_by_one_a_quiet_round_trip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_does_not_open_unless_it_was_full, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_answer_opens_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_503_of_one_round_trip_are_one_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(after_a_cut_it_is_calm_for_a_while, set_up, tear_down),
        cmocka_unit_test_setup_teardown(retry_after_stops_the_window, set_up, tear_down),
        cmocka_unit_test_setup_teardown(both_slots_are_taken_or_neither, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_copy_within_an_account_takes_one_slot, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_window_needs_no_slot, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_waits_is_woken_by_a_slot_or_by_the_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_largest_skew_is_kept, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
