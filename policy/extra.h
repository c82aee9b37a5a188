/* extra.h: what a struct policies keeps for policy/ alone. */
#ifndef POLICY_EXTRA_H
#define POLICY_EXTRA_H

#include "policy/ids.h"
#include "policy/pattern.h"
#include "policy/policy.h"

#define EXTRA_FIELDS_MAX 256
#define EXTRA_PARTS_MAX                                                                            \
    (CATALOG_FIELD + EXTRA_FIELDS_MAX + 2 * CATALOG_REFERENCES_MAX + PLACE_MAX * CATALOG_SETS_MAX)

struct clause;
struct node;
struct row;

/* A file that was read.  Path and folder are relative to the folder of the root
 * policy, so that neither a digest nor a `where` depends on where somebody stands.               */
struct extra_file {
    const char    *path;
    const char    *folder; /* what paths in it are relative to             */
    const char    *bytes;
    uint16_t       file;     /* in diags                                   */
    size_t         size_bytes;
    bool           has_list; /* an ids file that was read through before   */
    bool           broken;   /* with a finding                             */
    struct id_list list;
};

/* Where a policy says what a warning points at.  The grace may come from `defaults`. */
struct extra_policy {
    struct span name, target, expires, grace;
};

struct policy_extra {
    struct arena        *arena;
    struct ids           ids;
    struct extra_file   *files;
    size_t               file_count;
    struct secret       *secrets; /* of catalog.connection */
    size_t               secret_count;
    struct span          parts[EXTRA_PARTS_MAX]; /* where each enum catalog_part is named */
    struct span          connection;             /* where the catalog says which database */
    struct node         *vars;     /* the map of that name; NULL: none   */
    struct extra_policy *policies; /* of each policy                     */
    struct span         *untils;   /* of each hold: where its `until` is */
    struct pattern_memory memory; /* of the one thread that decides */
};

/* The one that a span is in. */
const struct extra_file *extra_file_of(const struct policies *policies, struct span span);
/* "recordings.yaml:12:9"; lives in the arena. */
const char *extra_where(const struct policies *policies, struct span span, struct arena *arena);
/* What is looked up for a row once. */
struct row extra_row(const struct policies *policies, const struct record *record,
                     const struct location *location, struct pattern_memory *memory);
/* Every compiled selection: of holds and policies, selected and excluded, and of a request. */
void extra_each_selection(const struct policies *policies,
                          void (*visit)(void *context, struct clause *root), void *context);
#endif
