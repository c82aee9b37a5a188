/* rows.h: recordings for deciding, and policies that decide them. */
#ifndef TESTS_UNIT_POLICY_ROWS_H
#define TESTS_UNIT_POLICY_ROWS_H

#include "base/when.h"
#include "state/location.h"
#include "tests/unit/policy/fixture.h"

#define AS_OF "2025-06-01T00:00:00Z"

static inline int64_t instant(const char *text)
{
    int64_t us;
    struct err err;
    if (!when_instant_read(text, &us, &err))
        fail_msg("%s", err.text);
    return us;
}

static inline struct value text_value(const char *text)
{
    return (struct value){.kind = VALUE_TEXT, .text = {text, (uint32_t)strlen(text)}};
}

static inline struct value integer_value(int64_t integer)
{
    return (struct value){.kind = VALUE_INTEGER, .integer = integer};
}

static inline struct value decimal_value(int64_t unscaled, int32_t scale)
{
    return (struct value){.kind = VALUE_DECIMAL, .decimal = {unscaled, scale}};
}

static inline struct value boolean_value(bool boolean)
{
    return (struct value){.kind = VALUE_BOOLEAN, .boolean = boolean};
}

static inline struct value instant_value(const char *text)
{
    return (struct value){.kind = VALUE_INSTANT, .instant_us = instant(text)};
}

static inline struct value date_value(const char *text)
{
    return (struct value){.kind = VALUE_DATE, .instant_us = instant(text)};
}

/* Every field NULL until a test says otherwise. */
struct recording {
    struct record record;
    const char *key; /* in whatever store a test puts it */
    struct value fields[FIELDS];
};

static inline void recording_init(struct recording *recording, const char *id, const char *time)
{
    *recording = (struct recording){
        .key = "a/b",
        .record = {.id = id, .location = "file:///srv/hot/a/b", .field_count = FIELDS}};
    recording->record.fields = recording->fields;
    recording->record.has_time = time != NULL;
    if (time != NULL)
        recording->record.time_us = instant(time);
}

static inline struct location recording_location(const struct recording *recording, uint16_t store)
{
    return (struct location){.place = store, .store = store, .key = recording->key};
}

/* FIXTURE_HEAD and `policies` (lines below it), bound and prepared for AS_OF. */
static inline void fixture_ready(struct fixture *fixture, const char *text)
{
    struct catalog_shape shape = fixture_shape();
    struct buf whole;
    buf_init(&whole, FIXTURE_OUT_BYTES);
    buf_format(&whole, "%s%s", FIXTURE_HEAD, text);
    fixture_load_bytes(fixture, whole.bytes, whole.size);
    assert_loaded(fixture);
    if (!policy_bind(fixture->policies, &shape, &fixture->diags)) {
        diag_render(&fixture->diags, &fixture->out);
        fail_msg("findings:\n%s", buf_string(&fixture->out));
    }
    policy_prepare(fixture->policies, instant(AS_OF));
    /* Nothing of the text is needed any more: findings alone would show it. */
    buf_free(&whole);
}
#endif
