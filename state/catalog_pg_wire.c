#include "state/catalog_pg_wire.h"

#include <endian.h>
#include <string.h>

#include "base/when.h"
#include "state/catalog_value.h"

#define EPOCH_DAYS 10957 /* PostgreSQL counts from 2000-01-01 */
#define NUMERIC_HEADER 8
#define NUMERIC_DIGITS_MAX 9 /* of four decimal digits each: what __int128 holds */

enum numeric_sign { NUMERIC_POSITIVE = 0x0000, NUMERIC_NEGATIVE = 0x4000 };

static uint16_t read_u16(const char *bytes)
{
    uint16_t value;
    memcpy(&value, bytes, sizeof value);
    return be16toh(value);
}

static uint32_t read_u32(const char *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return be32toh(value);
}

static uint64_t read_u64(const char *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return be64toh(value);
}

/* -- values ----------------------------------------------------------------------------------- */

static bool read_integer(const struct catalog_pg_field *field, struct value *value)
{
    value->kind = VALUE_INTEGER;
    if (field->size == 8)
        value->integer = (int64_t)read_u64(field->bytes);
    else if (field->size == 4)
        value->integer = (int32_t)read_u32(field->bytes);
    else if (field->size == 2)
        value->integer = (int16_t)read_u16(field->bytes);
    else
        return false;
    return true;
}

/* NaN and the infinities have signs of their own, and so are unknown. */
static bool read_numeric(const struct catalog_pg_field *field, struct value *value)
{
    if (field->size < NUMERIC_HEADER)
        return false;
    uint16_t digits = read_u16(field->bytes), sign = read_u16(field->bytes + 4);
    int16_t weight = (int16_t)read_u16(field->bytes + 2);
    if (field->size != NUMERIC_HEADER + 2 * digits)
        return false;
    if ((sign != NUMERIC_POSITIVE && sign != NUMERIC_NEGATIVE) || digits > NUMERIC_DIGITS_MAX)
        return true;
    __int128 unscaled = 0;
    for (int i = 0; i < digits; i++)
        unscaled = unscaled * 10000 + read_u16(field->bytes + NUMERIC_HEADER + 2 * i);
    *value = catalog_value_decimal(sign == NUMERIC_NEGATIVE ? -unscaled : unscaled,
                                   4 * (digits - 1 - weight));
    return true;
}

static bool read_decimal(const struct catalog_pg_column *column,
                         const struct catalog_pg_field *field, struct value *value)
{
    if (!column->floating)
        return read_numeric(field, value);
    if (field->size == 4) {
        uint32_t bits = read_u32(field->bytes);
        float number;
        memcpy(&number, &bits, sizeof number);
        *value = catalog_value_float(number);
    } else if (field->size == 8) {
        uint64_t bits = read_u64(field->bytes);
        double number;
        memcpy(&number, &bits, sizeof number);
        *value = catalog_value_double(number);
    } else {
        return false;
    }
    return true;
}

/* The infinities, the largest and the smallest number, overflow or lie outside of all years. */
static bool read_instant(const struct catalog_pg_column *column,
                         const struct catalog_pg_field *field, const struct zone *zone,
                         struct value *value)
{
    int64_t instant_us;
    if (field->size != 8)
        return false;
    if (__builtin_add_overflow((int64_t)read_u64(field->bytes), EPOCH_DAYS * WHEN_DAY_US,
                               &instant_us))
        return true;
    *value = catalog_value_instant(VALUE_INSTANT, instant_us);
    if (value->kind == VALUE_INSTANT && column->naive)
        value->instant_us = catalog_value_naive(instant_us, zone);
    return true;
}

static bool read_date(const struct catalog_pg_field *field, struct value *value)
{
    int64_t days, instant_us;
    if (field->size != 4)
        return false;
    days = (int64_t)(int32_t)read_u32(field->bytes) + EPOCH_DAYS;
    if (!__builtin_mul_overflow(days, WHEN_DAY_US, &instant_us))
        *value = catalog_value_instant(VALUE_DATE, instant_us);
    return true;
}

static bool read_boolean(const struct catalog_pg_field *field, struct value *value)
{
    if (field->size != 1)
        return false;
    *value = (struct value){.kind = VALUE_BOOLEAN, .boolean = field->bytes[0] != 0};
    return true;
}

static bool read_known(const struct catalog_pg_column *column, const struct catalog_pg_field *field,
                       const struct zone *zone, struct value *value)
{
    switch (column->kind) {
    case VALUE_TEXT:
        value->kind = VALUE_TEXT;
        value->text.bytes = field->bytes;
        value->text.size_bytes = (uint32_t)field->size;
        return true;
    case VALUE_INTEGER:
        return read_integer(field, value);
    case VALUE_DECIMAL:
        return read_decimal(column, field, value);
    case VALUE_BOOLEAN:
        return read_boolean(field, value);
    case VALUE_INSTANT:
        return read_instant(column, field, zone, value);
    case VALUE_DATE:
        return read_date(field, value);
    default:
        return true;
    }
}

bool catalog_pg_wire_value(const struct catalog_pg_column *column,
                           const struct catalog_pg_field *field, const struct zone *zone,
                           struct value *value, struct err *err)
{
    *value = (struct value){.kind = VALUE_NULL};
    if (field->size < 0 || read_known(column, field, zone, value))
        return true;
    return ERR(err, ERR_CORRUPT, "the catalog sent %d bytes for a value of column `%s`",
               (int)field->size, column->name);
}

/* -- rows ------------------------------------------------------------------------------------- */

bool catalog_pg_wire_header(const char *bytes, size_t size, size_t *header_bytes, struct err *err)
{
    static const char signature[11] = "PGCOPY\n\377\r\n"; /* and a NUL */
    if (size < CATALOG_PG_COPY_HEADER || memcmp(bytes, signature, sizeof signature) != 0)
        return ERR(err, ERR_CORRUPT, "the catalog's reply does not begin as a binary COPY");
    size_t extension = read_u32(bytes + CATALOG_PG_COPY_HEADER - 4);
    if (extension > size - CATALOG_PG_COPY_HEADER)
        return ERR(err, ERR_CORRUPT, "the header of the catalog's reply is cut off");
    *header_bytes = CATALOG_PG_COPY_HEADER + extension;
    return true;
}

bool catalog_pg_wire_row(char *bytes, size_t size, struct catalog_pg_field *fields, size_t count,
                         bool *end, struct err *err)
{
    size_t at = 2;
    *end = size == 2 && read_u16(bytes) == UINT16_MAX;
    if (*end)
        return true;
    if (size < 2 || read_u16(bytes) != count)
        return ERR(err, ERR_CORRUPT, "the catalog sent a row with another number of columns");
    for (size_t i = 0; i < count; i++) {
        if (size - at < 4)
            return ERR(err, ERR_CORRUPT, "the catalog sent a row that is cut off");
        fields[i] = (struct catalog_pg_field){bytes + at + 4, (int32_t)read_u32(bytes + at)};
        bytes[at] = '\0'; /* behind the field before this one */
        at += 4;
        if (fields[i].size < -1 || (fields[i].size > 0 && (size_t)fields[i].size > size - at))
            return ERR(err, ERR_CORRUPT, "the catalog sent a row that is cut off");
        at += fields[i].size > 0 ? (size_t)fields[i].size : 0;
    }
    return at == size ? true : ERR(err, ERR_CORRUPT, "the catalog sent a row that is too long");
}

void catalog_pg_form_init(struct catalog_pg_form *form, const struct catalog_config *config,
                          const struct catalog_pg_table *table, struct arena *arena)
{
    size_t first_field = (config->time != NULL) + (config->size != NULL);
    *form = (struct catalog_pg_form){
        .config = config,
        .table = table,
        .zone = catalog_value_zone(config->time_zone),
        .fields = arena_make(arena, (table->value_count + 2) * sizeof *form->fields),
        .values = arena_make(arena, (table->value_count + 1) * sizeof *form->values),
    };
    form->record.fields = form->values + first_field;
    form->record.field_count = config->field_count;
}

bool catalog_pg_form_fill(struct catalog_pg_form *form, struct err *err)
{
    const struct catalog_pg_column *columns = form->table->values;
    for (size_t i = 0; i < form->table->value_count; i++)
        if (!catalog_pg_wire_value(&columns[i], &form->fields[i + 2], form->zone, &form->values[i],
                                   err))
            return false;
    if (form->fields[0].size < 0)
        return ERR(err, ERR_CORRUPT, "the catalog sent a row without an id");

    struct record *record = &form->record;
    record->id = form->fields[0].bytes;
    catalog_value_set_location(record, form->fields[1].size < 0 ? NULL : form->fields[1].bytes);
    const struct value *next = form->values;
    if (form->config->time != NULL)
        catalog_value_set_time(record, next++, form->zone);
    if (form->config->size != NULL)
        catalog_value_set_size(record, next, form->config->size_unit);
    return true;
}
