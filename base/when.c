#include "base/when.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const weekdays[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};

/* ---- dates ---- */

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

bool when_date_is_valid(struct when_date date)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (date.year < 1 || date.year > 9999 || date.month < 1 || date.month > 12)
        return false;
    int last = date.month == 2 && is_leap(date.year) ? 29 : days[date.month - 1];
    return date.day >= 1 && date.day <= last;
}

/* Both count in eras of 400 years that begin on 1 March, so that the leap day comes last. */
int64_t when_days(struct when_date date)
{
    int64_t year = (int64_t)date.year - (date.month <= 2);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

struct when_date when_date_of(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    int64_t day = day_of_year - (153 * month + 2) / 5 + 1;
    month += month < 10 ? 3 : -9;
    return (struct when_date){
        .year = (int)(year_of_era + era * 400 + (month <= 2)),
        .month = (int)month,
        .day = (int)day,
    };
}

int64_t when_instant(struct when_civil civil)
{
    int64_t seconds =
        when_days(civil.date) * 86400 + civil.hour * 3600 + civil.minute * 60 + civil.second;
    return seconds * WHEN_SECOND_US + civil.microsecond;
}

/* The day on which the instant lies, rounded down; the rest is 0 <= rest_us < WHEN_DAY_US. */
static int64_t split_day(int64_t instant_us, int64_t *rest_us)
{
    int64_t days = instant_us / WHEN_DAY_US - (instant_us % WHEN_DAY_US < 0);
    *rest_us = instant_us % WHEN_DAY_US;
    if (*rest_us < 0)
        *rest_us += WHEN_DAY_US;
    return days;
}

struct when_civil when_civil_of(int64_t instant_us)
{
    int64_t rest_us;
    int64_t days = split_day(instant_us, &rest_us);
    int seconds = (int)(rest_us / WHEN_SECOND_US);
    return (struct when_civil){
        .date = when_date_of(days),
        .hour = seconds / 3600,
        .minute = seconds / 60 % 60,
        .second = seconds % 60,
        .microsecond = (int)(rest_us % WHEN_SECOND_US),
    };
}

/* ---- reading: each of these moves *at behind what it takes ---- */

static bool take_number(const char **at, int digits, int *number)
{
    *number = 0;
    for (; digits > 0; digits--, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        *number = *number * 10 + (**at - '0');
    }
    return true;
}

static bool take_any(const char **at, const char *of)
{
    if (**at == '\0' || !strchr(of, **at))
        return false;
    (*at)++;
    return true;
}

static bool take_date(const char **at, struct when_date *date)
{
    return take_number(at, 4, &date->year) && take_any(at, "-") &&
           take_number(at, 2, &date->month) && take_any(at, "-") &&
           take_number(at, 2, &date->day) && when_date_is_valid(*date);
}

/* 23:59:59, and up to six digits of fraction.  Leap seconds have no instant: they are refused. */
static bool take_time(const char **at, struct when_civil *civil)
{
    if (!take_number(at, 2, &civil->hour) || !take_any(at, ":") ||
        !take_number(at, 2, &civil->minute) || !take_any(at, ":") ||
        !take_number(at, 2, &civil->second))
        return false;
    civil->microsecond = 0;
    if (take_any(at, ".")) {
        int digit;
        int unit_us = 100000;
        if (!take_number(at, 1, &digit))
            return false;
        civil->microsecond = digit * unit_us;
        while (unit_us > 1 && **at >= '0' && **at <= '9') {
            unit_us /= 10;
            civil->microsecond += (*(*at)++ - '0') * unit_us;
        }
    }
    return civil->hour < 24 && civil->minute < 60 && civil->second < 60;
}

/* Z, or +01:30; *offset_us is to be taken from the civil time. */
static bool take_offset(const char **at, int64_t *offset_us)
{
    int hours, minutes;
    *offset_us = 0;
    if (take_any(at, "Zz"))
        return true;
    int sign = **at == '-' ? -1 : 1;
    if (!take_any(at, "+-") || !take_number(at, 2, &hours) || !take_any(at, ":") ||
        !take_number(at, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *offset_us = sign * (hours * 60 + minutes) * 60 * WHEN_SECOND_US;
    return true;
}

bool when_date_read(const char *text, struct when_date *date, struct err *err)
{
    const char *at = text;
    if (!take_date(&at, date) || *at != '\0')
        return ERR(err, ERR_INPUT, "\"%s\" is not a date like 2025-02-14", text);
    return true;
}

bool when_civil_read(const char *text, struct when_civil *civil, struct err *err)
{
    const char *at = text;
    if (!take_date(&at, &civil->date) || !take_any(&at, "Tt ") || !take_time(&at, civil) ||
        *at != '\0')
        return ERR(err, ERR_INPUT, "\"%s\" is not a time like 2025-02-14 09:30:00", text);
    return true;
}

bool when_instant_read(const char *text, int64_t *instant_us, struct err *err)
{
    const char *at = text;
    struct when_civil civil = {0};
    int64_t offset_us = 0;
    bool well_formed = take_date(&at, &civil.date);
    if (well_formed && *at != '\0')
        well_formed = take_any(&at, "Tt ") && take_time(&at, &civil) &&
                      take_offset(&at, &offset_us) && *at == '\0';
    int64_t read_us = when_instant(civil) - offset_us;
    if (!well_formed || !when_date_is_valid(when_civil_of(read_us).date))
        return ERR(err, ERR_INPUT,
                   "\"%s\" is not a date like 2025-02-14 or a time like 2025-02-14T09:30:00Z",
                   text);
    *instant_us = read_us;
    return true;
}

/* ---- texts ---- */

/* With leading zeros. */
static char *put_digits(char *out, int value, int digits)
{
    for (int i = digits; i-- > 0; value /= 10)
        out[i] = (char)('0' + value % 10);
    return out + digits;
}

/* Returns the end.  Plans hold millions of these: snprintf is for the years that nothing holds. */
static char *civil_text(struct when_civil civil, char separator, char text[WHEN_TEXT_MAX])
{
    const struct when_date date = civil.date;
    if (date.year < 0 || date.year > 9999)
        return text + snprintf(text, WHEN_TEXT_MAX, "%04d-%02d-%02d%c%02d:%02d:%02d", date.year,
                               date.month, date.day, separator, civil.hour, civil.minute,
                               civil.second);
    const int values[] = {date.month, date.day, civil.hour, civil.minute, civil.second};
    const char before[] = {'-', '-', separator, ':', ':'};
    char *at = put_digits(text, date.year, 4);
    for (int i = 0; i < 5; i++) {
        *at++ = before[i];
        at = put_digits(at, values[i], 2);
    }
    *at = '\0';
    return at;
}

void when_instant_text(int64_t instant_us, char text[WHEN_TEXT_MAX])
{
    struct when_civil civil = when_civil_of(instant_us);
    char *at = civil_text(civil, 'T', text);
    *at++ = '.';
    at = put_digits(at, civil.microsecond, 6);
    *at++ = 'Z';
    *at = '\0';
}

void when_instant_people(int64_t instant_us, char text[WHEN_TEXT_MAX])
{
    civil_text(when_civil_of(instant_us), ' ', text);
}

void when_http_text(int64_t instant_us, char text[WHEN_TEXT_MAX])
{
    int64_t rest_us;
    int64_t weekday = split_day(instant_us, &rest_us) % 7;
    struct when_civil civil = when_civil_of(instant_us);
    snprintf(text, WHEN_TEXT_MAX, "%s, %02d %s %04d %02d:%02d:%02d GMT",
             weekdays[weekday < 0 ? weekday + 7 : weekday], civil.date.day,
             months[civil.date.month - 1], civil.date.year, civil.hour, civil.minute, civil.second);
}

/* Reads the numbers and the month from where they stand; looks at nothing else. */
static bool read_http_parts(const char *text, struct when_civil *civil)
{
    if (strlen(text) != strlen("Sun, 06 Nov 1994 08:49:37 GMT"))
        return false;
    const char *day = text + 5, *month = text + 8, *year = text + 12;
    const char *hour = text + 17, *minute = text + 20, *second = text + 23;
    civil->microsecond = 0;
    civil->date.month = 1;
    while (civil->date.month <= 12 && !str_starts(month, months[civil->date.month - 1]))
        civil->date.month++;
    return take_number(&day, 2, &civil->date.day) && take_number(&year, 4, &civil->date.year) &&
           take_number(&hour, 2, &civil->hour) && take_number(&minute, 2, &civil->minute) &&
           take_number(&second, 2, &civil->second) && when_date_is_valid(civil->date);
}

bool when_http_read(const char *text, int64_t *instant_us, struct err *err)
{
    struct when_civil civil;
    char again[WHEN_TEXT_MAX];
    if (!read_http_parts(text, &civil))
        return ERR(err, ERR_INPUT, "\"%s\" is not a date of HTTP", text);
    /* That all the rest is right shows when it is written again. */
    when_http_text(when_instant(civil), again);
    if (!str_equal(text, again))
        return ERR(err, ERR_INPUT, "\"%s\" is not a date of HTTP", text);
    *instant_us = when_instant(civil);
    return true;
}

/* ---- durations ---- */

static const struct unit {
    const char *name;
    int64_t us;
    int32_t months;
} units[] = {
    {"s", WHEN_SECOND_US, 0},
    {"m", 60 * WHEN_SECOND_US, 0},
    {"h", 3600 * WHEN_SECOND_US, 0},
    {"d", WHEN_DAY_US, 0},
    {"w", 7 * WHEN_DAY_US, 0},
    {"mo", 0, 1},
    {"y", 0, 12},
};

bool when_duration_read(const char *text, struct when_duration *duration, struct err *err)
{
    const int64_t most_us = WHEN_DURATION_MAX_US;
    const int64_t most_months = WHEN_DURATION_YEARS_MAX * 12;

    const char *unit = text + strspn(text, "0123456789");
    int64_t number = 0;
    for (const char *at = text; at < unit; at++)
        number = number > most_us ? number : number * 10 + (*at - '0');
    for (size_t i = 0; unit > text && i < sizeof units / sizeof units[0]; i++) {
        if (!str_equal(unit, units[i].name))
            continue;
        if (units[i].us > 0 ? number > most_us / units[i].us
                            : number > most_months / units[i].months)
            return ERR(err, ERR_INPUT, "the duration %s is longer than %d years", text,
                       WHEN_DURATION_YEARS_MAX);
        *duration = (struct when_duration){
            .us = number * units[i].us,
            .months = (int32_t)number * units[i].months,
        };
        return true;
    }
    return ERR(err, ERR_INPUT, "\"%s\" is not a duration; write one like 12h, 90d, 2w, 6mo or 1y",
               text);
}

void when_duration_text(struct when_duration duration, char text[WHEN_TEXT_MAX])
{
    bool calendar = duration.months != 0;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        char literal[WHEN_TEXT_MAX];
        int64_t amount = calendar ? duration.months : duration.us;
        int64_t unit = calendar ? units[i].months : units[i].us;
        if (unit == 0 || (amount % unit != 0 && text[0] != '\0'))
            continue;
        snprintf(literal, sizeof literal, "%" PRId64 "%s", amount / unit, units[i].name);
        /* A tie goes to the larger unit, but nobody thinks of 7d as 1w. */
        size_t weight = strlen(literal) + str_equal(units[i].name, "w");
        if (text[0] == '\0' || weight <= strlen(text))
            memcpy(text, literal, sizeof literal);
    }
}
