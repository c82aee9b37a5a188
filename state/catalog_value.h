/* catalog_value.h: what the adapters of the catalog share: columns become the parts of a record. */
#ifndef STATE_CATALOG_VALUE_H
#define STATE_CATALOG_VALUE_H

#include "base/zone.h"
#include "state/record.h"

#define CATALOG_SCALE_MAX 36

/* A decimal in its shortest form (no zeros at the end of a fraction), or VALUE_NULL if it needs
 * more digits than a struct decimal has, or more than CATALOG_SCALE_MAX behind the point. */
struct value catalog_value_decimal(__int128 unscaled, int32_t scale);
/* The shortest decimal that reads back as the same number: 0.1 is 0.1.  VALUE_NULL for NaN and the
 * infinities. */
struct value catalog_value_double(double number);
struct value catalog_value_float(float number);
/* INSTANT or DATE; VALUE_NULL outside the years 0001 to 9999, which `when` can't hold. */
struct value catalog_value_instant(enum value_kind kind, int64_t instant_us);

/* NULL for UTC: what a naive column shows is then the instant itself. */
const struct zone *catalog_value_zone(const struct zone *zone);
/* shown_us: what the clock shows, read as if it were UTC. */
int64_t catalog_value_naive(int64_t shown_us, const struct zone *zone);

/* Fill the parts of a record that are made from columns.  A time column of dates means the midnight
 * in the zone.  Size: the column times unit, to the nearest byte, in exact arithmetic; none if
 * it is negative or beyond 2^63. */
void catalog_value_set_time(struct record *record, const struct value *time,
                            const struct zone *zone);
void catalog_value_set_size(struct record *record, const struct value *size, uint64_t unit);
void catalog_value_set_location(struct record *record, const char *location);
#endif
