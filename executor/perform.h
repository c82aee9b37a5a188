/* perform.h: does what the protocol says, for many directories of a cohort at once. */
#ifndef EXECUTOR_PERFORM_H
#define EXECUTOR_PERFORM_H

#include "executor/cohort.h"

/* All tasks want the same kind of action (and the same look).  Each gets its event; a failure is an
 * event too.  False only if the journal can't be written: then nothing more may be done. */
MUST_USE bool perform(struct cohort *cohort, struct task *const *tasks, size_t count,
                      struct err *err);
#endif
