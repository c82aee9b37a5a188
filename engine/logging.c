#include "engine/logging.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/when.h"
#include "engine/text.h"

/* A value of several words stands in quotes, with its own quotes and backslashes escaped. */
static void print_value(const char *text)
{
    if (text[0] != '\0' && strpbrk(text, " =\"\n") == NULL) {
        fputs(text_plain(text), stderr);
        return;
    }
    fputc('"', stderr);
    for (text = text_plain(text); *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', stderr);
        fputc(*text, stderr);
    }
    fputc('"', stderr);
}

/* 2025-06-01 00:00:00 - WARNING - step-failed directory=.. error=".." */
static void print(void *context, enum log_level level, const char *event,
                  const struct log_field *fields, size_t count)
{
    (void)context;
    static const char *const levels[] = {[LOG_ERROR] = "ERROR",
                                         [LOG_WARNING] = "WARNING",
                                         [LOG_INFO] = "INFO",
                                         [LOG_DEBUG] = "DEBUG",
                                         [LOG_TRACE] = "DEBUG"};
    struct clock *clock = clock_real();
    char now[WHEN_TEXT_MAX];
    when_instant_people(clock->ops->now_us(clock), now);
    fprintf(stderr, "%s - %s - %s", now, levels[level], event);
    for (size_t i = 0; i < count; i++) {
        fprintf(stderr, " %s=", fields[i].name);
        if (fields[i].text != NULL)
            print_value(fields[i].text);
        else
            fprintf(stderr, "%" PRId64, fields[i].number);
    }
    fputc('\n', stderr);
}

void logging_open(uint64_t verbose, bool quiet)
{
    enum log_level level = LOG_WARNING;
    if (quiet)
        level = LOG_ERROR;
    else if (verbose == 1)
        level = LOG_INFO;
    else if (verbose > 1)
        level = LOG_TRACE;
    log_open(level, print, NULL);
}
