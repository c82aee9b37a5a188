/* include.h: the files that `include` lists, made one tree with the root policy, so that whatever
 * reads it need not know that there are several.  Each node keeps the file that it stands in. */
#ifndef POLICY_INCLUDE_H
#define POLICY_INCLUDE_H

struct load;
struct node;

/* Lists (`holds`, `policies`) and maps (`vars`, `stores`) of all files become one, the root's part
 * first, then that of each included file in the order of `include`; any other key may stand in one
 * file.  Where a file could not be read, the root has a broken value of each key, besides what
 * others say: schema_knows is false of all of them. */
void include_read(struct load *load, struct node *root);
/* The source's request: its `policies` stand in place of the root's, and none has a name of these;
 * its `select` is load->asked.  It comes behind the vars, and knows none. */
void include_request(struct load *load, struct node *root);
/* The root of the policy that a file of tests is about, with the file's tests in place of its own;
 * NULL after a finding. */
struct node *include_tested(struct load *load, struct node *tests);
#endif
