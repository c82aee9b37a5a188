/* load.h: what all parts of reading a policy share, and the entry that needs no file. */
#ifndef POLICY_LOAD_H
#define POLICY_LOAD_H

#include "policy/policy.h"

struct extra_file;
struct node;

#define LOAD_FILES_MAX 256 /* with the policy itself, and without a request */

struct load {
    const struct policy_source *source;
    policy_read                *read;        /* policies and files of ids                     */
    policy_read                *read_secret; /* files that a value comes from                 */
    void                       *read_context;
    struct arena               *arena;
    struct diags               *diags;
    struct policies            *policies;
    struct node                *asked;  /* a request's selection; NULL: none                     */
    const char                 *folder; /* of the root policy: what paths of files start from    */
    uint16_t                    file;   /* the root policy's                                     */
    bool vars_known;    /* the names of all vars are; else a name that is none tells nothing      */
    bool stores_broken; /* one of them has a finding */
    bool stores_known; /* the same of stores                                                     */
    bool fields_known; /* the same of fields                                                     */
    bool time_known;   /* it is known whether there is a time column                             */
    bool size_known;   /* the same of a size column                                              */
};

/* policy_load, but the bytes of the root policy are given (they are kept: they must live as long
 * as the arena) and every other file comes through `read` and `read_secret`: ports, so that a
 * fuzzer needs no disk.                                                                          */
void load_bytes(struct load *load, const char *bytes, size_t size_bytes,
                struct policies **policies);

/* The index of the store that the scalar names.  False after a finding, or without one if it can't
 * be known which stores there are.                                                               */
MUST_USE bool load_find_store(struct load *load, struct node *node, uint16_t *store);
/* The same of a policy; all of them were read before. */
MUST_USE bool load_find_policy(struct load *load, struct node *node, uint16_t *policy);
/* The zone that the scalar names; a finding if there is none. */
void load_zone(struct load *load, struct node *node, const struct zone **zone);
/* A path that is written at `node`, from where this process stands: it is relative to the folder of
 * the file that it is written in.                                                                */
const char *load_file_path(const struct load *load, const struct node *node, const char *path);
/* The path at `node`, made absolute, without empty and '.' segments and without '/' at its end.
 * NULL after a finding.                                                                          */
const char *load_path(struct load *load, struct node *node);
/* Reads the file that `node` names and keeps it, as a part of the digest.  NULL after a finding. */
struct extra_file *load_file(struct load *load, struct node *node, size_t limit_bytes, int code);
/* source->request as a tree; NULL after a finding. */
struct node *load_request(struct load *load);
/* Reads a file of ids that `node` names; a finding if it can't.  A file that was read before is not
 * read again.                                                                                    */
MUST_USE bool load_ids_file(struct load *load, struct node *node, struct extra_file **file);
/* False after a finding: the file is of another version of the language. */
MUST_USE bool load_version(struct load *load, struct node *root);
#endif
