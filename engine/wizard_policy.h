/* wizard_policy.h: the policy that the environment variables of the wizard stand for. */
#ifndef ENGINE_WIZARD_POLICY_H
#define ENGINE_WIZARD_POLICY_H

#include <stddef.h>

#include "base/err.h"

struct arena;

#define WIZARD_POLICY_COLD "cold"   /* its store to which recordings go */
#define WIZARD_POLICY_CONTAINERS 63 /* beside it */

/* Names of containers of the source account: each is a store of its own, of that name. */
struct wizard_containers {
    const char *names[WIZARD_POLICY_CONTAINERS];
    size_t count;
};
/* *is_new: it was not there.  ERR_INPUT: there are too many. */
MUST_USE bool wizard_policy_add(struct wizard_containers *containers, const char *name,
                                bool *is_new, struct err *err);

/* The variables that are not set and have no default, in the arena: "DB_HOST, DB_NAME", or "". */
const char *wizard_policy_missing(struct arena *arena);
/* What locations in the source account begin with, up to the name of their container, as
 * place_meaning has it.  ERR_INPUT: the connection string can't be read. */
MUST_USE bool wizard_policy_account(struct arena *arena, const char **meaning, struct err *err);
/* The policy stands at path.  It names variables, and no secret. */
MUST_USE bool wizard_policy_write(const char *path, const struct wizard_containers *containers,
                                  struct err *err);
#endif
