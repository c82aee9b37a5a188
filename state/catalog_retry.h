/* catalog_retry.h: a catalog that asks again when the one below it is busy.
 *
 * ERR_BUSY of an adapter says that nothing was changed (it could not connect, the connection was
 * lost, serialization, deadlock, lock wait): then, and only then, the call is made again, after a
 * wait on the clock that doubles and is jittered.  An unknown COMMIT is an outcome and no error:
 * it passes through.  Cursors are not retried: their snapshot is gone. */
#ifndef STATE_CATALOG_RETRY_H
#define STATE_CATALOG_RETRY_H

#include "state/catalog.h"

#define CATALOG_TRIES_MAX 6
#define CATALOG_RETRY_FIRST_US 100000

typedef bool catalog_opener(const struct catalog_config *config, struct catalog **catalog,
                            struct err *err);

/* Opens with patience, and wraps. */
MUST_USE bool catalog_retry_open(catalog_opener *open, const struct catalog_config *config,
                                 struct clock *clock, struct catalog **catalog, struct err *err);
/* Takes inner over: closing the result closes it. */
struct catalog *catalog_retry_wrap(struct catalog *inner, struct clock *clock);
#endif
