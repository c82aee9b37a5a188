/* outcome.h: what a system call's failure means for an item of a batch. */
#ifndef EXECUTOR_LOCAL_OUTCOME_H
#define EXECUTOR_LOCAL_OUTCOME_H

#include "executor/store.h"

/* Full disks and I/O errors are BUSY, permissions DENIED; what no repetition will change, such as
 * a link in the way or a name too long, is REFUSED.  status is the errno, code its name. */
struct store_outcome outcome_errno(int number);
/* The same for an object that is expected to be there: its absence is CHANGED. */
struct store_outcome outcome_source(int number);
/* It was done, but may not last. */
struct store_outcome outcome_unknown(int number);
struct store_outcome outcome_plain(enum store_result result);
#endif
