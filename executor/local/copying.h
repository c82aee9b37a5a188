/* copying.h: files copied from one root to another, whole and durable or not at all. */
#ifndef EXECUTOR_LOCAL_COPYING_H
#define EXECUTOR_LOCAL_COPYING_H

#include <stdatomic.h>

#include "executor/local/root.h"
#include "executor/store.h"

/* store_ops.copy.  DONE: the bytes, mode and mtime of the source as it was before and after stand
 * at the target key, durably, folders included.  temporaries: numbers the temporary files. */
void copying_run(const struct root *target, const struct root *source,
                 atomic_uint_fast64_t *temporaries, struct copy *copies, size_t count);
#endif
