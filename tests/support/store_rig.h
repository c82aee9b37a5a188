/* store_rig.h: two stores of one kind, empty, and a way in behind their backs.  Azure is the
 * Azurite of azurite.h; local folders are made in TMPDIR. */
#ifndef TESTS_SUPPORT_STORE_RIG_H
#define TESTS_SUPPORT_STORE_RIG_H

#include "base/arena.h"
#include "base/clock.h"
#include "executor/store.h"
#include "executor/store_memory.h"
#include "policy/policy.h"
#include "tests/support/azurite.h"

/* PLAIN: local, without what only newer systems have. */
enum store_rig_kind {
    STORE_RIG_MEMORY,
    STORE_RIG_LOCAL,
    STORE_RIG_PLAIN,
    STORE_RIG_AZURE,
    STORE_RIG_KINDS
};
enum store_rig_side { SOURCE, TARGET, STORE_RIG_SIDES };

struct store_rig {
    enum store_rig_kind kind;
    struct arena arena;
    struct clock_fake clock;
    struct policy_store definitions[STORE_RIG_SIDES];
    struct store *stores[STORE_RIG_SIDES];
    bool is_gone[STORE_RIG_SIDES]; /* store_rig_remove_all */
    struct store_memory *memories[STORE_RIG_SIDES];
    char folder[256];
    struct azurite azurite;
    struct policy_store *containers[STORE_RIG_SIDES];
};

const char *store_rig_name(enum store_rig_kind kind);
bool store_rig_is_local(const struct store_rig *rig);

void store_rig_open(struct store_rig *rig, enum store_rig_kind kind);
void store_rig_close(struct store_rig *rig);

/* As a stranger would, folders included; overwrites. */
void store_rig_put(struct store_rig *rig, enum store_rig_side side, const char *key,
                   const void *bytes, size_t size_bytes);
void store_rig_remove(struct store_rig *rig, enum store_rig_side side, const char *key);
/* In the rig's arena, NUL added; NULL: not there. */
const char *store_rig_get(struct store_rig *rig, enum store_rig_side side, const char *key,
                          size_t *size_bytes);
/* What holds all the objects is gone. */
void store_rig_remove_all(struct store_rig *rig, enum store_rig_side side);
/* The path of a key of a local store. */
const char *store_rig_path(struct store_rig *rig, enum store_rig_side side, const char *key);

/* All pages of a listing, sorted by key, in the rig's arena.  Fails the test if a page fails. */
size_t store_rig_list(struct store_rig *rig, enum store_rig_side side, const char *prefix,
                      const struct object **objects);
/* The etag of a key that is there. */
const char *store_rig_etag(struct store_rig *rig, enum store_rig_side side, const char *key);
#endif
