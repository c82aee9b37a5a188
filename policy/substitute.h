/* substitute.h: `$name` (a var) in the place of a scalar, and `${NAME}` and `${NAME:-default}`
 * (the environment) inside one.                                                                  */
#ifndef POLICY_SUBSTITUTE_H
#define POLICY_SUBSTITUTE_H

#include "base/err.h"

struct load;
struct node;
struct secret;

/* Vars: the policy's `vars` with the overrides, sorted, are in load->policies.  Every plain scalar
 * of the tree that is `$name` has the var's text then; a name that is no var is a finding.       */
void substitute_vars(struct load *load, struct node *root);

/* The text with the environment's values in it; from_env is set if any was.  A variable that is
 * not set or empty, without a default, is a finding each.  `${NAME:-}` may be empty.             */
MUST_USE bool substitute_env(struct load *load, struct node *node);
/* The same findings, the text left as it is. */
MUST_USE bool substitute_check(struct load *load, struct node *node);
/* Of a node that was checked: the text into a secret, which the caller clears.  *skeleton is the
 * same text with SUBSTITUTE_HIDDEN for each byte that the environment gave.                      */
void substitute_secret(struct load *load, const struct node *node, struct secret *secret,
                       const char **skeleton);
#define SUBSTITUTE_HIDDEN '\x01'
#endif
