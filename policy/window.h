/* window.h: the hours of a week in which a policy may begin to move directories. */
#ifndef POLICY_WINDOW_H
#define POLICY_WINDOW_H

#include <stdint.h>

#include "base/err.h"

struct zone;

#define WINDOW_DAY_MIN (24 * 60)
#define WINDOW_ALL_DAYS 0x7f
#define WINDOW_TEXT_MAX 64

/* By the clocks of a zone.  With from behind to it goes over midnight, and belongs to the day on
 * which it begins.                                                                               */
struct window {
    uint8_t days;         /* bit 0: Monday                       */
    int from_min, to_min; /* of the day; to: at most 24:00, and not equal to from */
};

/* "mon-fri", "sat,sun", "fri-mon"; false: it is no such thing. */
bool window_days_read(const char *text, uint8_t *days);
/* "05:00", up to "24:00". */
bool window_clock_read(const char *text, int *minutes);

/* "mon-fri 22:00-05:00": one text for one meaning, and back. */
void window_text(const struct window *window, char text[WINDOW_TEXT_MAX]);
/* Several windows, each behind "; ": *open is whether all of them are at the instant. */
MUST_USE bool window_all_open(const char *texts, const struct zone *zone, int64_t instant_us,
                              bool *open, struct err *err);
/* Whether window_all_open can read them. */
bool window_texts_valid(const char *texts);
bool window_is_open(const struct window *window, const struct zone *zone, int64_t instant_us);
#endif
