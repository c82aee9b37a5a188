/* select.h: from what is written below `select` to a compiled selection. */
#ifndef POLICY_SELECT_H
#define POLICY_SELECT_H

#include <stdbool.h>

#include "base/when.h"
#include "policy/diag.h"

#define SELECT_DEPTH_MAX 16

struct catalog_shape;
struct clause;
struct load;
struct node;
struct policies;

/* The instant at which the day begins in the policies' zone, or one so many days later. */
int64_t select_midnight(const struct policies *policies, struct when_date date, int days_later);

/* Stores, fields and zone are in load->policies.  *everything becomes the clause `everything: true`
 * if there is one, wherever it stands.  NULL after a finding.                                    */
struct clause *select_compile(struct load *load, struct node *node, struct node **everything);

/* The same of a request's selection, which may name policies too: these were read before. */
struct clause *select_compile_asked(struct load *load, struct node *node);

/* The literals of tests on fields take their columns' types; what can't is a finding.  May be done
 * again for another shape.                                                                       */
void select_bind(const struct policies *policies, const struct catalog_shape *shape,
                 struct diags *diags, struct clause *root);
/* Ages become stretches of time before as_of. */
void select_prepare(const struct policies *policies, struct clause *root);
#endif
