/* Clocks: the real one moves, the fake one only when it is told to. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "base/clock.h"
#include "base/when.h"

static void the_fake_stands_still(void **state)
{
    (void)state;
    struct clock_fake fake;
    clock_fake_init(&fake, 1000);
    struct clock *clock = &fake.clock;
    assert_int_equal(clock->ops->now_us(clock), 1000);
    assert_int_equal(clock->ops->now_us(clock), 1000);
    clock->ops->sleep_us(clock, 500);
    assert_int_equal(clock->ops->now_us(clock), 1500);
    assert_int_equal(clock->ops->monotonic_us(clock), 1500);
    clock->ops->sleep_us(clock, -5);
    assert_int_equal(clock->ops->now_us(clock), 1500);
    fake.instant_us = 9;
    assert_int_equal(clock->ops->now_us(clock), 9);
}

static void the_real_one_tells_the_time(void **state)
{
    (void)state;
    struct clock *clock = clock_real();
    int64_t before_us = (int64_t)time(NULL) * WHEN_SECOND_US;
    int64_t now_us = clock->ops->now_us(clock);
    assert_in_range(now_us - before_us, 0, 60 * WHEN_SECOND_US);
}

static void the_real_one_sleeps(void **state)
{
    (void)state;
    struct clock *clock = clock_real();
    int64_t start_us = clock->ops->monotonic_us(clock);
    clock->ops->sleep_us(clock, 20000);
    assert_in_range(clock->ops->monotonic_us(clock) - start_us, 20000, 20 * WHEN_SECOND_US);
    start_us = clock->ops->monotonic_us(clock);
    clock->ops->sleep_us(clock, 0);
    clock->ops->sleep_us(clock, INT64_MIN);
    assert_in_range(clock->ops->monotonic_us(clock) - start_us, 0, 20 * WHEN_SECOND_US);
}

static void ignore(int number)
{
    (void)number;
}

static void a_signal_does_not_wake_it(void **state)
{
    (void)state;
    struct clock *clock = clock_real();
    const struct sigaction action = {.sa_handler = ignore};
    struct sigaction before;
    const struct itimerval soon = {.it_value = {.tv_usec = 5000}};
    assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
    int64_t start_us = clock->ops->monotonic_us(clock);
    assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
    clock->ops->sleep_us(clock, 50000);
    assert_in_range(clock->ops->monotonic_us(clock) - start_us, 50000, 20 * WHEN_SECOND_US);
    assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fake_stands_still),
        cmocka_unit_test(the_real_one_tells_the_time),
        cmocka_unit_test(the_real_one_sleeps),
        cmocka_unit_test(a_signal_does_not_wake_it),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
