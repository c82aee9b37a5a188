#include "engine/logging.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "base/when.h"
#include "engine/terminal.h"
#include "engine/text.h"

#define LINES_BYTES_MAX ((size_t)8 << 20)

static struct {
    enum logging_format format;
    bool is_journal;
    _Atomic int64_t run;
} logging;

/* -- a line --------------------------------------------------------------------------------------
 */

static const struct {
    const char *human, *machine;
    int syslog; /* sd-daemon(3) */
} levels[] = {[LOG_ERROR] = {"ERROR", "error", 3},
              [LOG_WARNING] = {"WARNING", "warning", 4},
              [LOG_INFO] = {"INFO", "info", 6},
              [LOG_DEBUG] = {"DEBUG", "debug", 7},
              [LOG_TRACE] = {"DEBUG", "debug", 7}};

/* A value of several words stands in quotes, with its own quotes and backslashes escaped. */
static void put_value(struct buf *out, const char *text)
{
    if (text[0] != '\0' && strpbrk(text, " =\"\n") == NULL) {
        buf_text(out, text_plain(text));
        return;
    }
    buf_char(out, '"');
    for (text = text_plain(text); *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            buf_char(out, '\\');
        buf_char(out, *text);
    }
    buf_char(out, '"');
}

static void put_fields(struct buf *out, int64_t run, const struct log_field *fields, size_t count)
{
    if (run != 0)
        buf_format(out, " run=%" PRId64, run);
    for (size_t i = 0; i < count; i++) {
        buf_format(out, " %s=", fields[i].name);
        if (fields[i].text != NULL)
            put_value(out, fields[i].text);
        else
            buf_format(out, "%" PRId64, fields[i].number);
    }
}

/* 2025-06-01 00:00:00 - WARNING - step-failed run=3 directory=.. error=".." */
static void put_human(const struct logging_look *look, enum log_level level, const char *event,
                      struct buf *out)
{
    char now[WHEN_TEXT_MAX];
    when_instant_people(look->now_us, now);
    if (!look->is_journal)
        buf_format(out, "%s - %s%s%s - ", now, look->colour, levels[level].human, look->plain);
    buf_text(out, event);
}

/* time=2025-06-01T00:00:00Z level=warning event=step-failed run=3 directory=.. error=".." */
static void put_logfmt(const struct logging_look *look, enum log_level level, const char *event,
                       struct buf *out)
{
    char now[WHEN_TEXT_MAX];
    when_instant_text(look->now_us, now);
    if (!look->is_journal)
        buf_format(out, "time=%s level=%s ", now, levels[level].machine);
    buf_format(out, "event=%s", event);
}

static void put_json(const struct logging_look *look, enum log_level level, const char *event,
                     const struct log_field *fields, size_t count, struct buf *out)
{
    char now[WHEN_TEXT_MAX];
    struct json_writer json;
    when_instant_text(look->now_us, now);
    json_begin(&json, out);
    json_object_begin(&json);
    if (!look->is_journal) {
        json_put_text(&json, "time", now);
        json_put_text(&json, "level", levels[level].machine);
    }
    json_put_text(&json, "event", event);
    if (look->run != 0)
        json_put_integer(&json, "run", look->run);
    for (size_t i = 0; i < count; i++) {
        const char *text = fields[i].text;
        if (text == NULL)
            json_put_integer(&json, fields[i].name, fields[i].number);
        else
            json_put_text(&json, fields[i].name,
                          str_is_utf8(text, strlen(text)) ? text : text_plain(text));
    }
    json_object_end(&json);
}

void logging_render(const struct logging_look *look, enum log_level level, const char *event,
                    const struct log_field *fields, size_t count, struct buf *out)
{
    if (look->is_journal)
        buf_format(out, "<%d>", levels[level].syslog);
    if (look->format == LOGGING_JSON)
        put_json(look, level, event, fields, count, out);
    else {
        if (look->format == LOGGING_HUMAN)
            put_human(look, level, event, out);
        else
            put_logfmt(look, level, event, out);
        put_fields(out, look->run, fields, count);
    }
    buf_char(out, '\n');
}

bool logging_is_journal(const char *stream, uint64_t device, uint64_t inode)
{
    char ours[48];
    snprintf(ours, sizeof(ours), "%" PRIu64 ":%" PRIu64, device, inode);
    return str_equal(stream, ours);
}

/* -- on stderr -----------------------------------------------------------------------------------
 */

static const char *colour_of(enum log_level level)
{
    if (level > LOG_WARNING)
        return "";
    return terminal_colour(stderr, level == LOG_ERROR ? TERMINAL_RED : TERMINAL_YELLOW);
}

/* In one piece, above what progress shows. */
static void write_out(const struct buf *text)
{
    terminal_hold();
    fputs(buf_string(text), stderr);
    terminal_let_go();
}

static void print(void *context, enum log_level level, const char *event,
                  const struct log_field *fields, size_t count)
{
    (void)context;
    struct clock *clock = clock_real();
    const char *colour = colour_of(level);
    struct logging_look look = {.format = logging.format,
                                .is_journal = logging.is_journal,
                                .colour = colour,
                                .plain = colour[0] != '\0' ? "\x1b[0m" : "",
                                .now_us = clock->ops->now_us(clock),
                                .run = atomic_load(&logging.run)};
    struct buf line;
    buf_init(&line, LOGGING_LINE_BYTES_MAX);
    logging_render(&look, level, event, fields, count, &line);
    write_out(&line);
    buf_free(&line);
}

void logging_open(enum logging_format format, uint64_t verbose, bool quiet)
{
    enum log_level level = LOG_WARNING;
    struct stat stream;
    if (quiet)
        level = LOG_ERROR;
    else if (verbose == 1)
        level = LOG_INFO;
    else if (verbose > 1)
        level = LOG_TRACE;
    logging.format = format;
    logging.is_journal = fstat(STDERR_FILENO, &stream) == 0 &&
                         logging_is_journal(getenv("JOURNAL_STREAM"), stream.st_dev, stream.st_ino);
    log_open(level, print, NULL);
}

enum logging_format logging_format(void)
{
    return logging.format;
}

void logging_set_run(int64_t run)
{
    atomic_store(&logging.run, run);
}

/* -- what a command says of itself ---------------------------------------------------------------
 */

/* Each line of systemd's journal has a level of its own. */
void logging_lines(enum log_level level, const char *lines)
{
    struct buf text;
    buf_init(&text, LINES_BYTES_MAX);
    while (*lines != '\0') {
        size_t length = strcspn(lines, "\n");
        length += lines[length] == '\n';
        if (logging.is_journal)
            buf_format(&text, "<%d>", levels[level].syslog);
        buf_add(&text, lines, length);
        lines += length;
    }
    write_out(&text);
    buf_free(&text);
}

static void say_to_people(enum log_level level, const char *text, const char *hint)
{
    const char *colour = colour_of(level), *plain = colour[0] != '\0' ? "\x1b[0m" : "";
    struct buf lines;
    buf_init(&lines, LOGGING_LINE_BYTES_MAX);
    buf_format(&lines, "%sfrostline:%s %s\n", colour, plain, text);
    if (hint != NULL && hint[0] != '\0')
        buf_format(&lines, "  hint: %s\n", hint);
    logging_lines(level, buf_string(&lines));
    buf_free(&lines);
}

static void PRINTF(3, 0)
    say(enum log_level level, const char *hint, const char *fmt, va_list arguments)
{
    struct buf text;
    buf_init(&text, LOGGING_LINE_BYTES_MAX / 2);
    buf_vformat(&text, fmt, arguments);
    if (logging.format == LOGGING_HUMAN)
        say_to_people(level, buf_string(&text), hint);
    else {
        bool is_error = level == LOG_ERROR, has_hint = hint != NULL && hint[0] != '\0';
        const struct log_field fields[] = {LOG_TEXT(is_error ? "error" : "text", buf_string(&text)),
                                           LOG_TEXT("hint", hint)};
        print(NULL, level, is_error ? "failed" : "noted", fields, 1 + has_hint);
    }
    buf_free(&text);
}

void logging_error(const char *hint, const char *fmt, ...)
{
    va_list arguments;
    va_start(arguments, fmt);
    say(LOG_ERROR, hint, fmt, arguments);
    va_end(arguments);
}

void logging_note(const char *hint, const char *fmt, ...)
{
    va_list arguments;
    va_start(arguments, fmt);
    say(LOG_WARNING, hint, fmt, arguments);
    va_end(arguments);
}

void logging_tell(const char *text, const char *event, const struct log_field *fields, size_t count)
{
    if (logging.format == LOGGING_HUMAN)
        say_to_people(LOG_INFO, text, NULL);
    else
        print(NULL, LOG_INFO, event, fields, count);
}
