/* catalog_pg_wire.h: values and rows in PostgreSQL's binary format.  Source: the send functions of
 * each type (numeric_send, timestamp_send, ..), and "Binary Format" of the COPY reference page. */
#ifndef STATE_CATALOG_PG_WIRE_H
#define STATE_CATALOG_PG_WIRE_H

#include "base/err.h"
#include "state/catalog_pg_table.h"

#define CATALOG_PG_COPY_HEADER                                                                     \
    19 /* bytes, and an extension of the size that the last four tell                              \
        */

/* A field as it came; size -1 is NULL.  Behind a text there is room for its NUL. */
struct catalog_pg_field {
    char *bytes;
    int32_t size;
};

/* The size of the header of a COPY that begins there, extension included; ERR_CORRUPT. */
MUST_USE bool catalog_pg_wire_header(const char *bytes, size_t size, size_t *header_bytes,
                                     struct err *err);
/* A row of a COPY into `count` fields, and NULs behind the texts of the last one and all before it:
 * where the size of the next field stood.  *end: it was the mark of the end.  ERR_CORRUPT if it
 * does not have exactly that many, or is cut off.  bytes[size] is NUL. */
MUST_USE bool catalog_pg_wire_row(char *bytes, size_t size, struct catalog_pg_field *fields,
                                  size_t count, bool *end, struct err *err);

/* What is unknown (NULL, NaN, infinity, too large) is VALUE_NULL.  ERR_CORRUPT: no such size. */
MUST_USE bool catalog_pg_wire_value(const struct catalog_pg_column *column,
                                    const struct catalog_pg_field *field, const struct zone *zone,
                                    struct value *value, struct err *err);

/* How fields become a record: id, location, then the values of the table. */
struct catalog_pg_form {
    const struct catalog_config *config;
    const struct catalog_pg_table *table;
    const struct zone *zone;         /* of catalog_value_zone */
    struct catalog_pg_field *fields; /* value_count + 2 */
    struct value *values;            /* value_count */
    struct record record;            /* points into fields and values */
};
void catalog_pg_form_init(struct catalog_pg_form *form, const struct catalog_config *config,
                          const struct catalog_pg_table *table, struct arena *arena);
/* fields -> record. */
MUST_USE bool catalog_pg_form_fill(struct catalog_pg_form *form, struct err *err);
#endif
