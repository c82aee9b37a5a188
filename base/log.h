/* log.h: what happens, as events with fields.  Whoever owns the terminal sets the one sink; before
 * that, events go nowhere.  The words of events are fixed ("request-retried", "run-begun") and
 * listed in engine/DESIGN.md: values stand in fields, never in the event.  Secrets are never given
 * as a field. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_TRACE };

/* Either a text or a number. */
struct log_field {
    const char *name;
    const char *text; /* NULL: the number counts */
    int64_t number;
};
#define LOG_TEXT(name_, text_) ((struct log_field){.name = (name_), .text = (text_)})
#define LOG_NUMBER(name_, number_) ((struct log_field){.name = (name_), .number = (number_)})

typedef void log_sink(void *context, enum log_level level, const char *event,
                      const struct log_field *fields, size_t count);
/* Set once, before threads start; the sink may be called by any thread, one at a time, and must not
 * log.  A NULL sink closes. */
void log_open(enum log_level level, log_sink *sink, void *context);

void log_write(enum log_level level, const char *event, const struct log_field *fields,
               size_t count);
/* LOG(LOG_INFO, "run-begun", LOG_TEXT("run", id)); needs at least one field. */
#define LOG(level, event, ...)                                                                     \
    log_write((level), (event), (struct log_field[]){__VA_ARGS__},                                 \
              sizeof((struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))
#endif
