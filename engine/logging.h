/* logging.h: what goes to stderr: events (base/log.h) as lines, and what a command says of itself,
 * for people or for programs.  DESIGN.md lists the events. */
#ifndef ENGINE_LOGGING_H
#define ENGINE_LOGGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"

struct buf;

#define LOGGING_LINE_BYTES_MAX 16384

enum logging_format { LOGGING_HUMAN, LOGGING_LOGFMT, LOGGING_JSON };

/* Warnings and errors; -v adds what happens, -vv each request; quiet: errors alone. */
void logging_open(enum logging_format format, uint64_t verbose, bool quiet);
enum logging_format logging_format(void);
/* All events from here on are of that run of the journal; 0: of none. */
void logging_set_run(int64_t run);

/* For people "frostline: TEXT", the hint on a line of its own; else an event with both.  NULL:
 * there is no hint. */
void logging_error(const char *hint, const char *fmt, ...) PRINTF(2, 3);
void logging_note(const char *hint, const char *fmt, ...) PRINTF(2, 3);
/* Lines for people as they are. */
void logging_lines(enum log_level level, const char *lines);
/* The same as a note, where an event has more to tell programs than the text: people get the text.
 */
void logging_tell(const char *text, const char *event, const struct log_field *fields,
                  size_t count);

/* How a line is to look. */
struct logging_look {
    enum logging_format format;
    bool is_journal;            /* systemd knows the time, and reads the level from "<N>" */
    const char *colour, *plain; /* around the level; "" for none */
    int64_t now_us, run;
};
/* One event as a line with its newline. */
void logging_render(const struct logging_look *look, enum log_level level, const char *event,
                    const struct log_field *fields, size_t count, struct buf *out);
/* Is that what systemd says of stderr ("DEVICE:INODE" of JOURNAL_STREAM, NULL: it is not set)? */
bool logging_is_journal(const char *stream, uint64_t device, uint64_t inode);
#endif
