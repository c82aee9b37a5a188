/* finding.h: the recordings of the catalog that a request selects, as they are now. */
#ifndef ENGINE_FINDING_H
#define ENGINE_FINDING_H

#include "engine/wiring.h"
#include "state/location.h"

/* One of them, while it is visited. */
struct found {
    const struct record *record;
    const struct location *location; /* NULL: in no store */
    enum spelling spelling;
    struct decision decision; /* of the row alone */
};
typedef bool finding_visit(void *context, const struct found *found, struct err *err);

/* Policy and catalog are open, as_of is settled.  Each one that is asked for is visited: in the
 * order of the catalog, or of no order where ids are asked for alone, which reads no other row. */
MUST_USE bool finding_each(struct wiring *wiring, finding_visit *visit, void *context,
                           struct err *err);
#endif
