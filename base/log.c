#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>

/* level is read without the lock, so that events nobody wants cost one load. */
static struct {
    atomic_int level; /* -1: nothing is open */
    pthread_mutex_t lock;
    log_sink *sink;
    void *context;
} the_log = {.level = -1, .lock = PTHREAD_MUTEX_INITIALIZER};

void log_open(enum log_level level, log_sink *sink, void *context)
{
    pthread_mutex_lock(&the_log.lock);
    the_log.sink = sink;
    the_log.context = context;
    atomic_store(&the_log.level, sink ? (int)level : -1);
    pthread_mutex_unlock(&the_log.lock);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields,
               size_t count)
{
    if ((int)level > atomic_load_explicit(&the_log.level, memory_order_relaxed))
        return;
    pthread_mutex_lock(&the_log.lock);
    if (the_log.sink)
        the_log.sink(the_log.context, level, event, fields, count);
    pthread_mutex_unlock(&the_log.lock);
}
