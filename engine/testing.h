/* testing.h: the tests of a policy, carried out by the planner itself on a catalog in memory. */
#ifndef ENGINE_TESTING_H
#define ENGINE_TESTING_H

#include "base/buf.h"
#include "policy/policy.h"

/* How one test went. */
struct testing_result {
    const struct policy_test *test;
    bool failed;
    const char *text; /* what was expected and did not happen, a line each; "" if it passed */
};

/* Runs all tests of the policies, which are bound to their test_shape.  Guards are left out, there
 * is no journal, no listing and no window.  The results, one for each test, live in the arena.  It
 * prepares the policies for each test's clock and takes their guards away.  False: a test could
 * not be run at all (no space for the plan). */
MUST_USE bool testing_run(struct policies *policies, struct arena *arena,
                          struct testing_result **results, struct err *err);
#endif
