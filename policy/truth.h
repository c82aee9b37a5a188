/* truth.h: Kleene's three values (law 6).  The order makes `all` the least and `any` the greatest
 * of what it joins, and `not` two less it. */
#ifndef POLICY_TRUTH_H
#define POLICY_TRUTH_H

enum truth { TRUTH_NO, TRUTH_UNKNOWN, TRUTH_YES };
#endif
