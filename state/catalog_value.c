#include "state/catalog_value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_INTEGER_MAX 9007199254740992.0 /* 2^53: every integer up to it is a double */
#define EXACT_POWER_MAX 22                   /* 10^22 is the last power of ten that is   */

static const struct value UNKNOWN = {.kind = VALUE_NULL};

struct value catalog_value_decimal(__int128 unscaled, int32_t scale)
{
    for (; scale > 0 && unscaled % 10 == 0; scale--)
        unscaled /= 10;
    for (; scale < 0; scale++)
        if (__builtin_mul_overflow(unscaled, (__int128)10, &unscaled))
            return UNKNOWN;
    if (scale > CATALOG_SCALE_MAX || unscaled > INT64_MAX || unscaled < INT64_MIN)
        return UNKNOWN;
    return (struct value){.kind = VALUE_DECIMAL, .decimal = {(int64_t)unscaled, scale}};
}

static bool is_same(double a, double b, bool single)
{
    return single ? (float)a == (float)b : a == b;
}

/* Dividing two integers that are doubles themselves rounds once, as reading the decimal would. */
static bool divide_shortest(double number, bool single, struct value *value)
{
    double power = 1;
    for (int32_t scale = 1; scale <= EXACT_POWER_MAX; scale++) {
        power *= 10;
        double unscaled = nearbyint(number * power);
        if (fabs(unscaled) >= EXACT_INTEGER_MAX)
            return false;
        if (is_same(unscaled / power, number, single)) {
            *value = catalog_value_decimal((int64_t)unscaled, scale);
            return true;
        }
    }
    return false;
}

/* For what needs all its digits, or is very small: what is not, and has 15 digits at most, was
 * found by dividing.  The point may be the locale's: it is skipped, whatever it is.              */
static struct value print_shortest(double number, bool single)
{
    char text[40];
    int digits = fabs(number) >= 1e-6 ? 15 : 0; /* behind the first one */
    do
        snprintf(text, sizeof text, "%.*e", digits++, number);
    while (digits <= 16 && !is_same(strtod(text, NULL), number, single));

    int64_t unscaled = 0;
    const char *at = text;
    for (; *at != 'e'; at++)
        if (*at >= '0' && *at <= '9')
            unscaled = unscaled * 10 + (*at - '0');
    int32_t scale = digits - 1 - (int32_t)strtol(at + 1, NULL, 10);
    return catalog_value_decimal(number < 0 ? -unscaled : unscaled, scale);
}

static struct value make_shortest(double number, bool single)
{
    if (!isfinite(number))
        return UNKNOWN;
    if (number == trunc(number)) {
        if (fabs(number) >= 0x1p63)
            return UNKNOWN;
        return catalog_value_decimal((int64_t)number, 0);
    }
    struct value value;
    return divide_shortest(number, single, &value) ? value : print_shortest(number, single);
}

struct value catalog_value_double(double number)
{
    return make_shortest(number, false);
}

struct value catalog_value_float(float number)
{
    return make_shortest((double)number, true);
}

struct value catalog_value_instant(enum value_kind kind, int64_t instant_us)
{
    const int64_t first_us = when_days((struct when_date){1, 1, 1}) * WHEN_DAY_US;
    const int64_t last_us = (when_days((struct when_date){9999, 12, 31}) + 1) * WHEN_DAY_US - 1;
    if (instant_us < first_us || instant_us > last_us)
        return UNKNOWN;
    return (struct value){.kind = kind, .instant_us = instant_us};
}

const struct zone *catalog_value_zone(const struct zone *zone)
{
    return zone != NULL && strcmp(zone_name(zone), "UTC") == 0 ? NULL : zone;
}

int64_t catalog_value_naive(int64_t shown_us, const struct zone *zone)
{
    return zone == NULL ? shown_us : zone_instant(zone, when_civil_of(shown_us));
}

void catalog_value_set_time(struct record *record, const struct value *time,
                            const struct zone *zone)
{
    record->has_time = time->kind == VALUE_INSTANT || time->kind == VALUE_DATE;
    record->time_us = 0;
    if (time->kind == VALUE_INSTANT)
        record->time_us = time->instant_us;
    else if (time->kind == VALUE_DATE)
        record->time_us = catalog_value_naive(time->instant_us, zone);
}

static bool multiply(struct decimal size, uint64_t unit, uint64_t *bytes)
{
    if (size.unscaled < 0)
        return false;
    unsigned __int128 divisor = 1;
    for (int32_t scale = 0; scale < size.scale; scale++)
        divisor *= 10;
    unsigned __int128 product = (unsigned __int128)size.unscaled * unit;
    unsigned __int128 nearest = (product + divisor / 2) / divisor;
    if (nearest > INT64_MAX)
        return false;
    *bytes = (uint64_t)nearest;
    return true;
}

void catalog_value_set_size(struct record *record, const struct value *size, uint64_t unit)
{
    record->bytes = 0;
    if (size->kind == VALUE_INTEGER)
        record->has_bytes = multiply((struct decimal){size->integer, 0}, unit, &record->bytes);
    else
        record->has_bytes =
            size->kind == VALUE_DECIMAL && multiply(size->decimal, unit, &record->bytes);
}

void catalog_value_set_location(struct record *record, const char *location)
{
    const char *slash = location != NULL ? strrchr(location, '/') : NULL;
    record->location = location;
    record->directory_bytes = slash != NULL ? (size_t)(slash - location) + 1 : 0;
}
