/* zone.h: IANA time zones from the system's database, read without touching the process's TZ.
 * Source of the format: RFC 8536 (TZif); of the rule for later years: its POSIX TZ footer. */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include "base/err.h"
#include "base/when.h"

struct arena;
struct zone;

/* "Europe/Berlin", "UTC".  Lives in the arena.  ERR_INPUT for a name that is malformed (absolute,
 * with ..) or unknown, or whose file counts leap seconds; ERR_CORRUPT for a damaged file.  "UTC"
 * needs no file; the others lie in /usr/share/zoneinfo, or in $TZDIR. */
MUST_USE bool zone_open(const char *name, struct arena *arena, const struct zone **zone,
                        struct err *err);
const char *zone_name(const struct zone *zone);
/* Seconds east of Greenwich at an instant. */
int32_t zone_offset(const struct zone *zone, int64_t instant_us);
/* The instant at which clocks there show this.  Shown twice: the later one (younger is safer);
 * never shown: the first instant after the gap. */
int64_t zone_instant(const struct zone *zone, struct when_civil civil);
struct when_civil zone_civil(const struct zone *zone, int64_t instant_us);
/* The instant less (or plus, for a negative duration) it: days are 24 h, months are calendar
 * arithmetic in the zone, and a day that the month lacks becomes its last. */
int64_t zone_before(const struct zone *zone, int64_t instant_us, struct when_duration duration);
#endif
