/* local.h: a folder as a store.  Regular files are its objects; whatever else stands there is
 * listed as irregular.  Etags are device, inode, size, mtime and ctime.  One writer is assumed: a
 * deletion compares and then unlinks, which the system can't do at once. */
#ifndef EXECUTOR_LOCAL_LOCAL_H
#define EXECUTOR_LOCAL_LOCAL_H

#include "executor/store.h"

/* Opens the folder definition->path, once and for all: a folder that takes its name later is
 * another one.  ERR_MISSING, ERR_DENIED. */
MUST_USE bool local_store_open(const struct policy_store *definition, struct store **store,
                               struct err *err);
/* Do without openat2, RENAME_NOREPLACE and reflinks, as systems that lack them do.  For tests. */
void local_store_set_plain(struct store *store, bool plain);
#endif
