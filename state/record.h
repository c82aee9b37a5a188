/* record.h: one row of the catalog, borrowed from the cursor that read it. */
#ifndef STATE_RECORD_H
#define STATE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The type of a column, as policies see it.  UNSUPPORTED: arrays, json and whatever else the
 * database has; selections on such a column are refused when policies are bound. */
enum value_kind {
    VALUE_NULL,
    VALUE_TEXT,
    VALUE_INTEGER,
    VALUE_DECIMAL,
    VALUE_BOOLEAN,
    VALUE_INSTANT,
    VALUE_DATE, /* held as the instant of its midnight in UTC */
    VALUE_UNSUPPORTED
};

/* unscaled * 10^-scale, scale 0 to 36, in its shortest form.  A number that does not fit, NaN and
 * the infinities are read as VALUE_NULL: unknown. */
struct decimal {
    int64_t unscaled;
    int32_t scale;
};

struct value {
    enum value_kind kind;
    union {
        struct {
            const char *bytes; /* NUL behind the last one */
            uint32_t size_bytes;
        } text;
        int64_t integer;
        bool boolean;
        int64_t instant_us; /* INSTANT, DATE */
        struct decimal decimal;
    };
};

/* Valid until the next row of the same cursor: what is kept is copied. */
struct record {
    const char *id;
    const char *location;   /* NULL: the column is NULL */
    size_t directory_bytes; /* of location: up to and with the last '/'; 0: none */
    int64_t time_us;
    bool has_time; /* false: NULL, infinity, or no time column */
    uint64_t bytes;
    bool has_bytes;             /* false: NULL, NaN, negative, or no size column */
    const struct value *fields; /* in the order of catalog_config.fields */
    size_t field_count;
};
#endif
