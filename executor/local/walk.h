/* walk.h: everything below a folder, whatever it is. */
#ifndef EXECUTOR_LOCAL_WALK_H
#define EXECUTOR_LOCAL_WALK_H

#include "executor/local/root.h"
#include "executor/store.h"

/* The whole listing in one page, sorted by key.  A folder that can't be read, or more than
 * LISTING_OBJECTS_MAX objects, is an error: never a short page. */
void walk_list(const struct root *root, const char *name, struct listing *listing,
               struct arena *arena);
/* store_ops.tidy */
MUST_USE bool walk_tidy(const struct root *root, const char *directory, int64_t unit,
                        struct err *err);
#endif
