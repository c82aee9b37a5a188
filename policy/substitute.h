/* substitute.h: `$name` (a var) in the place of a scalar, and references inside one: `${NAME}` (the
 * environment), `${file:PATH}` and `${credential:NAME}` (systemd), each with a default or without,
 * `${NAME:-default}`.                                                                            */
#ifndef POLICY_SUBSTITUTE_H
#define POLICY_SUBSTITUTE_H

#include "base/err.h"

struct load;
struct node;
struct secret;

#define SUBSTITUTE_FILE_BYTES_MAX (64u << 10)

/* Vars: the policy's `vars` with the overrides, sorted, are in load->policies.  Every plain scalar
 * of the tree that is `$name` has the var's text then; a name that is no var is a finding.       */
void substitute_vars(struct load *load, struct node *root);

/* True if one value stands there; otherwise a finding.  What it refers to is not asked for. */
MUST_USE bool substitute_check(struct load *load, struct node *node);
/* The text with what its references give; from_env is set if any gave something.  A finding each:
 * a variable that is not set or empty, and a file that is not there, without a default; a file
 * that can't be read or is empty.  `${NAME:-}` may be empty.                                     */
MUST_USE bool substitute_env(struct load *load, struct node *node);
/* Of a node that was checked, with the same findings: the text into a secret, which the caller
 * clears.  *skeleton is the same text, each byte that a reference gave as SUBSTITUTE_HIDDEN.     */
MUST_USE bool substitute_secret(struct load *load, struct node *node, struct secret *secret,
                                const char **skeleton);
#define SUBSTITUTE_HIDDEN '\x01'
#endif
