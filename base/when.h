/* when.h: instants, civil dates and durations.  An instant is microseconds since 1970-01-01T00:00Z
 * (int64_t, named *_us); civil dates are proleptic Gregorian. */
#ifndef BASE_WHEN_H
#define BASE_WHEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define WHEN_SECOND_US INT64_C(1000000)
#define WHEN_DAY_US (INT64_C(86400) * WHEN_SECOND_US)
#define WHEN_TEXT_MAX 40

/* Years 0001 to 9999. */
struct when_date {
    int year, month, day;
};
struct when_civil {
    struct when_date date;
    int hour, minute, second, microsecond;
};

bool when_date_is_valid(struct when_date date);
/* Days since 1970-01-01, and back (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
 */
int64_t when_days(struct when_date date);
struct when_date when_date_of(int64_t days);

/* The instant at which a UTC clock shows this, and back. */
int64_t when_instant(struct when_civil civil);
struct when_civil when_civil_of(int64_t instant_us);

/* "2025-02-14"; ERR_INPUT for another form or a day that does not exist. */
MUST_USE bool when_date_read(const char *text, struct when_date *date, struct err *err);
/* RFC 3339 with an offset or Z ("2025-06-01T00:00:00Z", a blank for the T, up to 6 digits of
 * fraction), or a bare date, which means its midnight in UTC.  ERR_INPUT otherwise. */
MUST_USE bool when_instant_read(const char *text, int64_t *instant_us, struct err *err);
/* Date and time without an offset: what a naive column holds. */
MUST_USE bool when_civil_read(const char *text, struct when_civil *civil, struct err *err);

/* "2025-06-01T00:00:00.000000Z": what files hold. */
void when_instant_text(int64_t instant_us, char text[WHEN_TEXT_MAX]);
/* "2025-06-01 00:00:00": what people read; add " UTC" yourself. */
void when_instant_people(int64_t instant_us, char text[WHEN_TEXT_MAX]);
/* RFC 9110 IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT", and back. */
void when_http_text(int64_t instant_us, char text[WHEN_TEXT_MAX]);
MUST_USE bool when_http_read(const char *text, int64_t *instant_us, struct err *err);

#define WHEN_DURATION_YEARS_MAX 1000
#define WHEN_DURATION_MAX_US (WHEN_DURATION_YEARS_MAX * 366 * WHEN_DAY_US)
/* Exact part and calendar part; a literal has one of them. */
struct when_duration {
    int64_t us;
    int32_t months; /* mo, y */
};
/* "90d", "12h", "30m", "45s", "2w", "6mo", "1y"; a unit is required; at most 1000 years.  ERR_INPUT
 * otherwise. */
MUST_USE bool when_duration_read(const char *text, struct when_duration *duration, struct err *err);
/* The shortest literal that means it: "7d", "12h", "90s", "6mo". */
void when_duration_text(struct when_duration duration, char text[WHEN_TEXT_MAX]);
#endif
