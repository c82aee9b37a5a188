/* date_zone.h: a time zone as date(1) of GNU coreutils knows it: a second opinion on base/zone.h
 * that shares none of its code.  Seconds since 1970, named *_s; what clocks show is counted as if
 * they stood in Greenwich.  Whatever goes wrong fails the test.                                  */
#ifndef TESTS_SUPPORT_DATE_ZONE_H
#define TESTS_SUPPORT_DATE_ZONE_H

#include <stddef.h>
#include <stdint.h>

struct arena;

/* 1970-01-01 and 2101-01-01: what is asked about lies a day within. */
#define DATE_ZONE_FIRST_S INT64_C(0)
#define DATE_ZONE_END_S INT64_C(4133980800)

/* A stretch of one offset.  The first begins at INT64_MIN, the last ends at INT64_MAX. */
struct date_span {
    int64_t start_s, end_s;
    int32_t offset_s;
};

struct date_zone {
    const char *name;
    struct date_span *spans; /* without a hole between them */
    size_t count;
};

/* Asks for the offset of every sixth hour and, where two differ, for the second of the change.
 * The zone lives in the arena.                                                                   */
void date_zone_learn(struct date_zone *zone, const char *name, struct arena *arena);

int32_t date_zone_offset(const struct date_zone *zone, int64_t at_s);

/* Law 5 from the spans: the last instant at which clocks show this; if none does, the first after
 * the gap.                                                                                       */
int64_t date_zone_instant(const struct date_zone *zone, int64_t shown_us);

/* Has date(1) read what is shown, which is asserted to be the instant of date_zone_instant or,
 * where it is shown twice, maybe the earlier one; and to be refused in a gap. */
void date_zone_check(const struct date_zone *zone, const int64_t *shown_s, size_t count);

/* What date(1) shows at these instants, a line each: "2025-02-14 09:30:00".  In the arena. */
const char *date_zone_show(const struct date_zone *zone, const int64_t *at_s, size_t count,
                           struct arena *arena);
#endif
