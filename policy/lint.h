/* lint.h: what is no error in a policy and yet unlikely to be meant. */
#ifndef POLICY_LINT_H
#define POLICY_LINT_H

#include <stdint.h>

struct diags;
struct policies;

/* Adds the warnings (FL06xx) on policies that were loaded without errors; best before they are
 * bound, which needs no catalog.  What has ended at now_us is told, and taken for absent.        */
void lint_policies(const struct policies *policies, int64_t now_us, struct diags *diags);
#endif
