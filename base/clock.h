/* clock.h: a port.  What time it is, and waiting.  Only the real adapter asks the system. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock;
struct clock_ops {
    int64_t (*now_us)(struct clock *);         /* an instant: when.h */
    int64_t (*monotonic_us)(struct clock *);   /* only differences mean much */
    void (*sleep_us)(struct clock *, int64_t); /* the whole time, signals or not */
};
struct clock {
    const struct clock_ops *ops;
};

struct clock *clock_real(void);

/* Stands still until it is set or slept on. */
struct clock_fake {
    struct clock clock;
    int64_t instant_us;
};
void clock_fake_init(struct clock_fake *fake, int64_t instant_us);
#endif
