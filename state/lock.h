/* lock.h: one run at a time.  A flock on a file of its own in the state folder (run.lock), with the
 * holder written into it, so that a refusal says who. */
#ifndef STATE_LOCK_H
#define STATE_LOCK_H

#include <stdint.h>

#include "base/err.h"

struct clock;

struct lock {
    int fd; /* -1: not held */
};
struct lock_holder {
    char host[128];
    int64_t pid, since_us;
    char what[32]; /* the verb */
};

/* Makes the folder if needed and waits up to wait_us.  ERR_BUSY names the holder; the kernel lets
 * go when a process dies, so nothing is ever stale on one host. */
MUST_USE bool lock_take(const char *folder, const char *what, int64_t wait_us, struct clock *clock,
                        struct lock *lock, struct err *err);
void lock_release(struct lock *lock);
/* Who holds it now; *held false if nobody. */
MUST_USE bool lock_look(const char *folder, struct lock_holder *holder, bool *held,
                        struct err *err);
#endif
