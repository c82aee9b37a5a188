/* exit.h: exit codes, and how an error becomes one. */
#ifndef ENGINE_EXIT_H
#define ENGINE_EXIT_H

#include "base/err.h"

enum exit_code {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_CHANGES = 2,   /* --detailed-exitcode, and not empty                                */
    EXIT_PARTIAL = 3,   /* at least one directory failed, was stale or parked                */
    EXIT_STALE = 4,     /* the plan as a whole can't be applied                              */
    EXIT_REFUSED = 5,   /* a guard, a missing approval, "no" at the prompt                   */
    EXIT_INTEGRITY = 6, /* a copy did not verify, or catalog and store disagree              */
    EXIT_PENDING = 7,   /* moves are left                                                    */
    EXIT_LOCKED = 8,    /* another run holds the journal                                     */
    EXIT_USAGE = 64,
    EXIT_INVALID = 65, /* bad policy, plan, table or column                                 */
    EXIT_BUG = 70,
    EXIT_TEMPORARY = 75,
    EXIT_AUTH = 77,
    EXIT_INTERRUPTED = 130,
    EXIT_TERMINATED = 143
};

/* The code for an error that ended a command. */
enum exit_code exit_of(const struct err *err);
/* Print it ("frostline: ...", the hint below) and return its code. */
enum exit_code exit_with(const struct err *err);
/* The one that says more: 130 and 143, 70, 6, 5, 77, 4, 3, 75, 7, 1, then the rest. */
enum exit_code exit_worse(enum exit_code a, enum exit_code b);
#endif
