/* model.h: from the tree to struct policies, a section a file. */
#ifndef POLICY_MODEL_H
#define POLICY_MODEL_H

#include <stdbool.h>

struct load;
struct node;
struct policy_store;
struct raw_root;

/* load->policies->catalog, and what load knows of fields and time. */
void model_catalog_read(struct load *load, struct node *catalog);
/* What a cut-over to the store sets, from the map of its columns; the catalog was read before. */
void model_catalog_read_set(struct load *load, struct node *map, struct policy_store *store);
/* load->policies->stores and ->places. */
void model_stores_read(struct load *load, struct node *stores);
/* Tests; all else was read before. */
void model_tests_read(struct load *load, struct node *list);
/* Holds, defaults and policies; the catalog and the stores were read before. */
void model_policies_read(struct load *load, const struct raw_root *root);
/* What of the policies' moves is asked for; they were read before. */
void model_policies_narrow(struct load *load);
#endif
