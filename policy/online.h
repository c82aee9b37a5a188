/* online.h: what only the catalog and the stores can say of a policy, as findings with their places
 * in it. */
#ifndef POLICY_ONLINE_H
#define POLICY_ONLINE_H

#include <stddef.h>

struct catalog_shape;
struct diags;
struct err;
struct policies;

/* The catalog could not be opened or described. */
void online_catalog(const struct policies *policies, const struct err *failure,
                    struct diags *diags);
/* All flaws of the table. */
void online_table(const struct policies *policies, const struct catalog_shape *shape,
                  struct diags *diags);
/* A warning if no index serves a cut-over. */
void online_index(const struct policies *policies, const struct catalog_shape *shape,
                  struct diags *diags);
/* The store of that index could not be opened or listed. */
void online_store(const struct policies *policies, size_t store, const struct err *failure,
                  struct diags *diags);
#endif
