#include "base/zone.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/str.h"

#define ZONE_FOLDER "/usr/share/zoneinfo"
#define ZONE_FILE_BYTES_MAX ((size_t)256 << 10)
#define ZONE_HEADER_BYTES 44
#define ZONE_DAY_S 86400
/* No clock is further from Greenwich (RFC 8536, 3.2: -25 h to 26 h). */
#define ZONE_OFFSET_S_MAX (26 * 3600)
/* "/time" of a rule, as extended by version 3: -167 to 167 hours. */
#define ZONE_RULE_HOURS_MAX 167

/* One of the two days in a year on which a rule changes the clocks. */
struct change {
    enum { CHANGE_WEEKDAY, CHANGE_JULIAN, CHANGE_DAY } kind;
    int month, week, weekday; /* Mm.w.d: week 5 is the last; Sunday is 0 */
    int day;                  /* Jn: 1 to 365, n: 0 to 365               */
    int32_t time_s;           /* after midnight, by the clock before     */
};

/* A POSIX TZ string. */
struct rule {
    int32_t standard_s, summer_s; /* east of Greenwich */
    bool changes;
    struct change to_summer, to_standard;
};

/* Seconds since 1970, as in the file.  The offset of changes_s[i] holds from then on; what holds
 * after the last change is the rule's to say, if there is one.                                   */
struct zone {
    const char *name;
    int32_t first_offset_s;
    size_t count;
    int64_t *changes_s;
    int32_t *offsets_s;
    bool has_rule;
    struct rule rule;
};

/* An offset and the second at which it ends. */
struct span {
    int32_t offset_s;
    int64_t end_s; /* INT64_MAX: never */
};

/* ---- reading the rule: each of these moves *at behind what it takes ---- */

static bool take_char(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

static bool take_int(const char **at, int least, int most, int *value)
{
    const char *start = *at;
    *value = 0;
    for (; **at >= '0' && **at <= '9' && *at - start < 3; (*at)++)
        *value = *value * 10 + (**at - '0');
    return *at > start && *value >= least && *value <= most;
}

static bool take_name(const char **at)
{
    const char *letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if (take_char(at, '<')) {
        *at += strcspn(*at, ">");
        return take_char(at, '>');
    }
    size_t length = strspn(*at, letters);
    *at += length;
    return length >= 3;
}

/* [+-]hours[:minutes[:seconds]] */
static bool take_time(const char **at, int hours_max, int32_t *time_s)
{
    int hours, minutes = 0, seconds = 0;
    int sign = **at == '-' ? -1 : 1;
    if (!take_char(at, '-'))
        take_char(at, '+');
    if (!take_int(at, 0, hours_max, &hours))
        return false;
    if (take_char(at, ':') && !take_int(at, 0, 59, &minutes))
        return false;
    if (take_char(at, ':') && !take_int(at, 0, 59, &seconds))
        return false;
    *time_s = sign * (hours * 3600 + minutes * 60 + seconds);
    return true;
}

static bool take_change(const char **at, struct change *change)
{
    bool known;
    if (take_char(at, 'M')) {
        change->kind = CHANGE_WEEKDAY;
        known = take_int(at, 1, 12, &change->month) && take_char(at, '.') &&
                take_int(at, 1, 5, &change->week) && take_char(at, '.') &&
                take_int(at, 0, 6, &change->weekday);
    } else if (take_char(at, 'J')) {
        change->kind = CHANGE_JULIAN;
        known = take_int(at, 1, 365, &change->day);
    } else {
        change->kind = CHANGE_DAY;
        known = take_int(at, 0, 365, &change->day);
    }
    change->time_s = 2 * 3600;
    return known && (!take_char(at, '/') || take_time(at, ZONE_RULE_HOURS_MAX, &change->time_s));
}

/* POSIX counts hours west of Greenwich. */
static bool read_rule(const char *text, struct rule *rule)
{
    const char *at = text;
    int32_t west_s;
    *rule = (struct rule){0};
    if (!take_name(&at) || !take_time(&at, 24, &west_s))
        return false;
    rule->standard_s = -west_s;
    rule->summer_s = rule->standard_s + 3600;
    if (*at == '\0')
        return true;

    rule->changes = true;
    if (!take_name(&at))
        return false;
    if (*at != ',') {
        if (!take_time(&at, 24, &west_s))
            return false;
        rule->summer_s = -west_s;
    }
    return take_char(&at, ',') && take_change(&at, &rule->to_summer) && take_char(&at, ',') &&
           take_change(&at, &rule->to_standard) && *at == '\0';
}

/* ---- reading the file ---- */

struct cursor {
    const unsigned char *at;
    size_t left;
};

/* The next size_bytes, or NULL if the file is shorter. */
static const unsigned char *take(struct cursor *cursor, size_t size_bytes)
{
    if (size_bytes > cursor->left)
        return NULL;
    const unsigned char *taken = cursor->at;
    cursor->at += size_bytes;
    cursor->left -= size_bytes;
    return taken;
}

static uint64_t big_endian(const unsigned char *bytes, size_t size_bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size_bytes; i++)
        value = value << 8 | bytes[i];
    return value;
}

struct header {
    char version;
    size_t isut, isstd, leaps, times, types, chars;
};

static bool take_header(struct cursor *cursor, struct header *header)
{
    const unsigned char *bytes = take(cursor, ZONE_HEADER_BYTES);
    if (!bytes || memcmp(bytes, "TZif", 4) != 0)
        return false;
    size_t counts[6];
    for (size_t i = 0; i < 6; i++)
        counts[i] = big_endian(bytes + 20 + 4 * i, 4);
    *header = (struct header){
        .version = (char)bytes[4],
        .isut = counts[0],
        .isstd = counts[1],
        .leaps = counts[2],
        .times = counts[3],
        .types = counts[4],
        .chars = counts[5],
    };
    return true;
}

/* What stands behind the types in a block: names, leap seconds, indicators.  None is needed. */
static size_t rest_of_block(const struct header *header, size_t time_bytes)
{
    return header->chars + header->leaps * (time_bytes + 4) + header->isstd + header->isut;
}

static bool read_offset(const unsigned char *types, size_t index, int32_t *offset_s)
{
    *offset_s = (int32_t)big_endian(types + 6 * index, 4);
    return *offset_s >= -ZONE_OFFSET_S_MAX && *offset_s <= ZONE_OFFSET_S_MAX;
}

static bool read_changes(struct cursor *cursor, const struct header *header, struct arena *arena,
                         struct zone *zone)
{
    const unsigned char *times = take(cursor, header->times * 8);
    const unsigned char *indices = take(cursor, header->times);
    const unsigned char *types = take(cursor, header->types * 6);
    if (!times || !indices || !types || header->types < 1 ||
        !read_offset(types, 0, &zone->first_offset_s))
        return false;

    zone->count = header->times;
    zone->changes_s = arena_make(arena, zone->count * sizeof *zone->changes_s);
    zone->offsets_s = arena_make(arena, zone->count * sizeof *zone->offsets_s);
    for (size_t i = 0; i < zone->count; i++) {
        zone->changes_s[i] = (int64_t)big_endian(times + 8 * i, 8);
        if (i > 0 && zone->changes_s[i] <= zone->changes_s[i - 1])
            return false;
        if (indices[i] >= header->types || !read_offset(types, indices[i], &zone->offsets_s[i]))
            return false;
    }
    return true;
}

/* A newline, the rule, a newline; an empty rule is none. */
static bool read_footer(struct cursor *cursor, struct arena *scratch, struct zone *zone)
{
    const unsigned char *start = take(cursor, 1);
    const unsigned char *end = start ? memchr(cursor->at, '\n', cursor->left) : NULL;
    if (!end || *start != '\n')
        return false;
    size_t length = (size_t)(end - cursor->at);
    const char *text = str_copy(scratch, (const char *)cursor->at, length);
    if (strlen(text) != length)
        return false;
    zone->has_rule = *text != '\0';
    return !zone->has_rule || read_rule(text, &zone->rule);
}

/* The first block is for readers that know 32 bits only; the second has the same in 64. */
static bool read_zone(const char *bytes, size_t size_bytes, struct arena *arena,
                      struct arena *scratch, struct zone *zone, struct err *err)
{
    struct cursor cursor = {.at = (const unsigned char *)bytes, .left = size_bytes};
    struct header first, second;
    if (!take_header(&cursor, &first))
        return ERR(err, ERR_CORRUPT, "it is not a TZif file");
    if (first.version < '2')
        return ERR(err, ERR_CORRUPT, "it is of version 1, without 64-bit times");
    if (!take(&cursor, first.times * 5 + first.types * 6 + rest_of_block(&first, 4)) ||
        !take_header(&cursor, &second) || !read_changes(&cursor, &second, arena, zone) ||
        !take(&cursor, rest_of_block(&second, 8)))
        return ERR(err, ERR_CORRUPT, "its block of times is damaged");
    if (!read_footer(&cursor, scratch, zone))
        return ERR(err, ERR_CORRUPT, "its rule for later years is damaged");
    if (second.leaps > 0)
        return ERR(err, ERR_INPUT, "it counts leap seconds");
    return true;
}

/* Words of letters, digits, '_', '+' and '-' between single slashes. */
static bool is_name(const char *name)
{
    const char *allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-";
    size_t length = strspn(name, allowed);
    while (length > 0 && name[length] == '/') {
        name += length + 1;
        length = strspn(name, allowed);
    }
    return length > 0 && name[length] == '\0';
}

static bool open_file(const char *name, struct arena *arena, struct arena *scratch,
                      struct zone *zone, struct err *err)
{
    const char *folder = getenv("TZDIR");
    if (!folder || *folder == '\0')
        folder = ZONE_FOLDER;
    const char *path = file_join(scratch, folder, name);
    char *bytes;
    size_t size_bytes;
    if (!file_read(path, ZONE_FILE_BYTES_MAX, scratch, &bytes, &size_bytes, err)) {
        if (err->kind != ERR_MISSING && err->kind != ERR_INPUT)
            return err_wrap(err, "the time zone %s", name);
        return ERR(err, ERR_INPUT, "there is no time zone \"%s\" in %s", name, folder);
    }
    if (!read_zone(bytes, size_bytes, arena, scratch, zone, err))
        return err_wrap(err, "the time zone file %s", path);
    return true;
}

bool zone_open(const char *name, struct arena *arena, const struct zone **zone, struct err *err)
{
    if (!is_name(name))
        return ERR(err, ERR_INPUT, "\"%s\" is not the name of a time zone, like Europe/Berlin",
                   name);
    struct zone *made = arena_make(arena, sizeof *made);
    made->name = arena_copy(arena, name);
    if (!str_equal(name, "UTC")) {
        struct arena scratch;
        arena_init(&scratch, 2 * ZONE_FILE_BYTES_MAX);
        bool done = open_file(name, arena, &scratch, made, err);
        arena_free(&scratch);
        if (!done)
            return false;
    }
    *zone = made;
    return true;
}

const char *zone_name(const struct zone *zone)
{
    return zone->name;
}

/* ---- the rule at work ---- */

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t day_of_change(const struct change *change, int year)
{
    int64_t new_year = when_days((struct when_date){year, 1, 1});
    if (change->kind == CHANGE_DAY)
        return new_year + change->day;
    if (change->kind == CHANGE_JULIAN) {
        /* 29 February is never counted: the same date as in a year without one. */
        struct when_date date =
            when_date_of(when_days((struct when_date){2001, 1, 1}) + change->day - 1);
        return when_days((struct when_date){year, date.month, date.day});
    }
    int64_t first = when_days((struct when_date){year, change->month, 1});
    int64_t next = change->month == 12 ? when_days((struct when_date){year + 1, 1, 1})
                                       : when_days((struct when_date){year, change->month + 1, 1});
    /* 1970-01-01 was a Thursday. */
    int64_t weekday = first + 4 - floor_divide(first + 4, 7) * 7;
    int64_t day = first + (change->weekday - weekday + 7) % 7 + 7 * (change->week - 1);
    return day >= next ? day - 7 : day;
}

/* Narrow the span to a change, or take its offset if it is the latest that has come to pass. */
static void consider(struct span *span, int64_t *latest_s, int64_t at_s, int64_t change_s,
                     int32_t offset_s)
{
    if (change_s > at_s) {
        span->end_s = change_s < span->end_s ? change_s : span->end_s;
    } else if (change_s >= *latest_s) {
        *latest_s = change_s;
        span->offset_s = offset_s;
    }
}

/* The changes of the years before and after are looked at too: a rule's time may lie a week off
 * its day.  Summer is considered after standard time: a rule for eternal summer ends each one at
 * the very second at which the next begins.                                                      */
static struct span span_of_rule(const struct rule *rule, int64_t at_s)
{
    struct span span = {.offset_s = rule->standard_s, .end_s = INT64_MAX};
    if (!rule->changes)
        return span;
    int64_t latest_s = INT64_MIN;
    int year = when_date_of(floor_divide(at_s, ZONE_DAY_S)).year;
    for (int y = year - 1; y <= year + 1; y++) {
        int64_t standard = day_of_change(&rule->to_standard, y) * ZONE_DAY_S +
                           rule->to_standard.time_s - rule->summer_s;
        int64_t summer = day_of_change(&rule->to_summer, y) * ZONE_DAY_S + rule->to_summer.time_s -
                         rule->standard_s;
        consider(&span, &latest_s, at_s, standard, rule->standard_s);
        consider(&span, &latest_s, at_s, summer, rule->summer_s);
    }
    return span;
}

/* ---- instants and clocks ---- */

/* How many changes have come to pass. */
static size_t changes_until(const struct zone *zone, int64_t at_s)
{
    size_t low = 0, high = zone->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->changes_s[middle] <= at_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct span span_at(const struct zone *zone, int64_t at_s)
{
    size_t passed = changes_until(zone, at_s);
    if (passed == zone->count && zone->has_rule)
        return span_of_rule(&zone->rule, at_s);
    return (struct span){
        .offset_s = passed == 0 ? zone->first_offset_s : zone->offsets_s[passed - 1],
        .end_s = passed == zone->count ? INT64_MAX : zone->changes_s[passed],
    };
}

int32_t zone_offset(const struct zone *zone, int64_t instant_us)
{
    return span_at(zone, floor_divide(instant_us, WHEN_SECOND_US)).offset_s;
}

/* Look through every span in which clocks can show this, which is within 26 hours of the instant
 * at which a clock in Greenwich does.  At the first of these seconds clocks show no more than
 * this, at the last no less; so if no span has it, one of them begins behind a gap around it.    */
int64_t zone_instant(const struct zone *zone, struct when_civil civil)
{
    int64_t shown_us = when_instant(civil);
    int64_t shown_s = floor_divide(shown_us, WHEN_SECOND_US);
    int64_t rest_us = shown_us - shown_s * WHEN_SECOND_US;
    int64_t last_s = shown_s + ZONE_OFFSET_S_MAX;
    int64_t found_s = INT64_MIN;
    int64_t gap_s = INT64_MAX;

    for (int64_t start_s = shown_s - ZONE_OFFSET_S_MAX; start_s <= last_s;) {
        struct span span = span_at(zone, start_s);
        int64_t candidate_s = shown_s - span.offset_s;
        if (candidate_s >= start_s && candidate_s < span.end_s)
            found_s = candidate_s;
        if (candidate_s < start_s && gap_s == INT64_MAX)
            gap_s = start_s;
        start_s = span.end_s;
    }
    return found_s != INT64_MIN ? found_s * WHEN_SECOND_US + rest_us : gap_s * WHEN_SECOND_US;
}

struct when_civil zone_civil(const struct zone *zone, int64_t instant_us)
{
    return when_civil_of(instant_us + zone_offset(zone, instant_us) * WHEN_SECOND_US);
}

int64_t zone_before(const struct zone *zone, int64_t instant_us, struct when_duration duration)
{
    if (duration.months != 0) {
        struct when_civil civil = zone_civil(zone, instant_us);
        int64_t month = civil.date.year * INT64_C(12) + civil.date.month - 1 - duration.months;
        civil.date.year = (int)floor_divide(month, 12);
        civil.date.month = (int)(month - floor_divide(month, 12) * 12) + 1;
        while (civil.date.day > 28 && !when_date_is_valid(civil.date))
            civil.date.day--;
        instant_us = zone_instant(zone, civil);
    }
    return instant_us - duration.us;
}
