/* tree.h: a YAML file as a tree of scalars, lists and maps, each with its place in the file.  Only
 * tree.c knows libyaml.  The tree is a strict part of YAML 1.2: what makes a file mean something
 * else than it seems to (anchors, aliases, tags, merge keys, duplicate keys, tabs, further
 * documents) is a finding.  No scalar has a type here: that is for the schema to say.            */
#ifndef POLICY_TREE_H
#define POLICY_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/diag.h"

/* A selection may be nested SELECT_DEPTH_MAX deep, and each level is a list with a map in it. */
#define TREE_DEPTH_MAX 40
#define TREE_EVENTS_MAX 100000

struct arena;

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
    enum node_kind kind;
    bool           plain;    /* a scalar without quotes                                        */
    bool           broken;   /* a finding has been made of it: there must be no second one     */
    bool           used;     /* of a value of `vars`: some scalar was given it                 */
    bool           from_env; /* a ${..} gave its text or a part of it: it is not to be shown   */
    const char    *text;     /* of a scalar; NUL behind it and never in it                     */
    const char    *var;      /* the $name that the text was given for; NULL: none              */
    struct node   *key;      /* of a value in a map: a scalar                                  */
    struct node   *first;    /* of a list its items, of a map its values, in the file's order  */
    struct node   *last;
    struct node   *next;
    size_t         count;
    struct span    span;
};

/* The file was added to diags before.  NULL if it is no YAML at all, with at least one finding;
 * other findings leave a tree whose broken nodes are to be passed over.  The tree lives in the
 * arena.                                                                                         */
struct node *tree_read(struct diags *diags, uint16_t file, struct arena *arena);

/* The value of a key, a broken one only if there is no other; NULL if the map has no such key. */
struct node *tree_find(const struct node *map, const char *key);

/* What makes one tree of several.  The child becomes the last one of a list or map. */
void tree_append(struct node *parent, struct node *child);
/* The children of `from` stand behind those of `into`; both have some. */
void tree_splice(struct node *into, const struct node *from);
/* A finding for each value of a map whose key stands there before. */
void tree_check_keys(struct diags *diags, struct arena *arena, const struct node *map);
/* That finding, unless the second is broken. */
void tree_refuse_duplicate(struct diags *diags, const struct node *first, struct node *again);
#endif
