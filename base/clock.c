#include "base/clock.h"

#include <errno.h>
#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t real_now(struct clock *clock)
{
    (void)clock;
    return read_us(CLOCK_REALTIME);
}

static int64_t real_monotonic(struct clock *clock)
{
    (void)clock;
    return read_us(CLOCK_MONOTONIC);
}

static void real_sleep(struct clock *clock, int64_t duration_us)
{
    (void)clock;
    if (duration_us <= 0)
        return;
    int64_t end_us = read_us(CLOCK_MONOTONIC) + duration_us;
    struct timespec end = {.tv_sec = end_us / 1000000, .tv_nsec = end_us % 1000000 * 1000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) == EINTR)
        continue;
}

struct clock *clock_real(void)
{
    static const struct clock_ops ops = {
        .now_us = real_now,
        .monotonic_us = real_monotonic,
        .sleep_us = real_sleep,
    };
    static struct clock clock = {&ops};
    return &clock;
}

/* Atomic, because workers of a test sleep on one fake clock together. */
static int64_t fake_now(struct clock *clock)
{
    return __atomic_load_n(&((struct clock_fake *)clock)->instant_us, __ATOMIC_SEQ_CST);
}

static void fake_sleep(struct clock *clock, int64_t duration_us)
{
    if (duration_us > 0)
        __atomic_add_fetch(&((struct clock_fake *)clock)->instant_us, duration_us,
                           __ATOMIC_SEQ_CST);
}

void clock_fake_init(struct clock_fake *fake, int64_t instant_us)
{
    static const struct clock_ops ops = {
        .now_us = fake_now,
        .monotonic_us = fake_now,
        .sleep_us = fake_sleep,
    };
    *fake = (struct clock_fake){.clock = {&ops}, .instant_us = instant_us};
}
