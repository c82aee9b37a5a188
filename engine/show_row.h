/* show_row.h: why a recording goes or stays, clause by clause, for people. */
#ifndef ENGINE_SHOW_ROW_H
#define ENGINE_SHOW_ROW_H

#include "engine/exit.h"

struct wiring;

/* The policy is prepared, the catalog is open.  Prints what is decided for the row with that id, by
 * which clauses, what its directory adds to that and when the clock will change it.  EXIT_FAILED:
 * there is no such row. */
enum exit_code show_row(struct wiring *wiring, const char *id);
#endif
