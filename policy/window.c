#include "policy/window.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/zone.h"

#define DAYS 7

static const char *const names[DAYS] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/* ---- reading ---- */

static bool take_day(const char **at, unsigned *day)
{
    for (*day = 0; *day < DAYS; ++*day) {
        if (str_starts(*at, names[*day])) {
            *at += strlen(names[*day]);
            return true;
        }
    }
    return false;
}

bool window_days_read(const char *text, uint8_t *days)
{
    unsigned first, last, set = 0;
    for (const char *at = text;; at++) {
        if (!take_day(&at, &first))
            return false;
        last = first;
        if (*at == '-') {
            at++;
            if (!take_day(&at, &last))
                return false;
        }
        for (unsigned day = first; day != last; day = (day + 1) % DAYS)
            set |= 1u << day;
        set |= 1u << last;
        if (*at == '\0')
            break;
        if (*at != ',')
            return false;
        at += strspn(at + 1, " ");
    }
    *days = (uint8_t)set;
    return true;
}

bool window_clock_read(const char *text, int *minutes)
{
    static const char form[] = "00:00";
    for (size_t i = 0; i < sizeof form; i++) {
        bool fits = form[i] == '0' ? text[i] >= '0' && text[i] <= '9' : text[i] == form[i];
        if (!fits)
            return false;
    }
    int hour = (text[0] - '0') * 10 + text[1] - '0', minute = (text[3] - '0') * 10 + text[4] - '0';
    *minutes = hour * 60 + minute;
    return minute < 60 && *minutes <= WINDOW_DAY_MIN;
}

/* ---- texts ---- */

/* Days in a row are a range; those from Sunday on to Monday are not joined. */
static void put_days(uint8_t days, struct buf *out)
{
    for (unsigned day = 0; day < DAYS; day++) {
        unsigned last = day;
        if ((days >> day & 1) == 0)
            continue;
        while (last + 1 < DAYS && (days >> (last + 1) & 1) != 0)
            last++;
        buf_format(out, "%s%s", out->size > 0 ? "," : "", names[day]);
        if (last > day)
            buf_format(out, "-%s", names[last]);
        day = last;
    }
}

void window_text(const struct window *window, char text[WINDOW_TEXT_MAX])
{
    struct buf days;
    buf_init(&days, WINDOW_TEXT_MAX);
    put_days(window->days, &days);
    snprintf(text, WINDOW_TEXT_MAX, "%s %02d:%02d-%02d:%02d", buf_string(&days),
             window->from_min / 60, window->from_min % 60, window->to_min / 60,
             window->to_min % 60);
    buf_free(&days);
}

static bool read_window(char *text, struct window *window)
{
    char *clocks = strchr(text, ' ');
    char *dash = clocks == NULL ? NULL : strchr(clocks, '-');
    if (dash == NULL)
        return false;
    *clocks++ = *dash++ = '\0';
    return window_days_read(text, &window->days) && window_clock_read(clocks, &window->from_min) &&
           window_clock_read(dash, &window->to_min);
}

/* The first of several, which then begin behind it; false: they stay where they are. */
static bool take_window(const char **texts, struct window *window)
{
    char text[WINDOW_TEXT_MAX];
    size_t size = strcspn(*texts, ";");
    snprintf(text, sizeof text, "%.*s", (int)size, *texts);
    if (size >= sizeof text || !read_window(text, window))
        return false;
    *texts += size;
    *texts += strspn(*texts, "; ");
    return true;
}

bool window_texts_valid(const char *texts)
{
    struct window ignored;
    while (*texts != '\0')
        if (!take_window(&texts, &ignored))
            return false;
    return true;
}

/* ---- the clock ---- */

bool window_is_open(const struct window *window, const struct zone *zone, int64_t instant_us)
{
    struct when_civil civil = zone_civil(zone, instant_us);
    int minute = civil.hour * 60 + civil.minute;
    unsigned today = (unsigned)((when_days(civil.date) % DAYS + DAYS + 3) % DAYS); /* 1970: Thu */
    bool is_day = (window->days >> today & 1) != 0;
    if (window->from_min < window->to_min)
        return is_day && minute >= window->from_min && minute < window->to_min;
    bool was_day = (window->days >> (today + DAYS - 1) % DAYS & 1) != 0;
    return (is_day && minute >= window->from_min) || (was_day && minute < window->to_min);
}

bool window_all_open(const char *texts, const struct zone *zone, int64_t instant_us, bool *open,
                     struct err *err)
{
    struct window window;
    *open = true;
    while (*texts != '\0') {
        if (!take_window(&texts, &window))
            return ERR(err, ERR_CORRUPT, "\"%s\" is no window", texts);
        *open &= window_is_open(&window, zone, instant_us);
    }
    return true;
}
