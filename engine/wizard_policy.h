/* wizard_policy.h: the policy that the environment variables of the wizard stand for. */
#ifndef ENGINE_WIZARD_POLICY_H
#define ENGINE_WIZARD_POLICY_H

#include <stddef.h>

#include "base/err.h"
#include "state/place.h"

struct arena;

#define WIZARD_POLICY_COLD "cold" /* its store to which recordings go */

/* Names of containers of the source account: each is a store of its own. */
struct wizard_containers {
    const char *names[PLACE_MAX];
    size_t count;
    size_t others; /* stores that the policy has without them */
};
/* Adds the name, copied into the arena, unless it is there.  ERR_INPUT: there are too many. */
MUST_USE bool wizard_policy_add(struct wizard_containers *containers, const char *name,
                                struct arena *arena, struct err *err);
/* The name of the container's store. */
const char *wizard_policy_store(const char *container);

/* The variables that are not set and have no default, in the arena: "DB_HOST, DB_NAME", or "". */
const char *wizard_policy_missing(struct arena *arena);
/* What locations in the source account begin with, up to the name of their container, as
 * place_meaning has it.  ERR_INPUT: the connection string can't be read. */
MUST_USE bool wizard_policy_account(struct arena *arena, const char **meaning, struct err *err);
/* The policy stands at path, without containers.  It names variables, and no secret. */
MUST_USE bool wizard_policy_write(const char *path, struct err *err);
/* The policy at path has stores of these containers as well; all else in it stays, whoever wrote
 * it.  ERR_INPUT: it has no place for them. */
MUST_USE bool wizard_policy_extend(const char *path, const struct wizard_containers *containers,
                                   struct arena *arena, struct err *err);
#endif
