/* logging.h: events (base/log.h) as lines on stderr. */
#ifndef ENGINE_LOGGING_H
#define ENGINE_LOGGING_H

#include <stdbool.h>
#include <stdint.h>

/* Warnings and errors; -v adds what happens, -vv each request; quiet: errors alone. */
void logging_open(uint64_t verbose, bool quiet);
#endif
