/* signals.h: the first SIGINT or SIGTERM asks the run to stop where it is safe; the second ends the
 * process at once, which the journal makes safe too.  SIGUSR1 asks for a line that says how far it
 * is. */
#ifndef ENGINE_SIGNALS_H
#define ENGINE_SIGNALS_H

#include <stdatomic.h>

#include "engine/exit.h"

struct http;

/* A thread of its own waits for signals from here on; call before any other thread starts. */
void signals_watch(void);
/* Whose requests a signal cancels; NULL before it goes away. */
void signals_cancel_with(struct http *http);
/* While a person is asked nothing is under way: then the first signal ends the process at once. */
void signals_ask(bool asking);
/* Set once a signal came. */
atomic_bool *signals_stop(void);
/* EXIT_OK, or 130 or 143 after a signal. */
enum exit_code signals_exit(void);
#endif
