/* world.h: a hot and a cold store, a catalog and a clock in memory, with a real journal in a
 * temporary folder: everything that a move touches, with nothing outside the process.            */
#ifndef TESTS_SUPPORT_WORLD_H
#define TESTS_SUPPORT_WORLD_H

#include "base/clock.h"
#include "executor/cohort.h"
#include "executor/store_memory.h"
#include "state/catalog_memory.h"

enum { WORLD_HOT, WORLD_COLD, WORLD_STORES };

#define WORLD_COPY_TIMEOUT_US (INT64_C(3600) * 1000000)

struct world {
    struct arena arena;
    struct clock_fake clock;
    struct catalog_config config;
    struct catalog_memory *rows;
    struct store_memory *objects[WORLD_STORES];
    struct store *stores[WORLD_STORES];
    struct policies policies;
    struct policy_store definitions[WORLD_STORES];
    struct place places[WORLD_STORES];
    atomic_bool stop;
    struct counters counters;
    struct hands hands;
    char folder[64]; /* the journal's */
};

void world_make(struct world *world);
void world_free(struct world *world);
/* The journal is closed and opened again, and the memory of every run is gone. */
void world_restart(struct world *world);

/* A row, and one object for it and each further name (NULL-terminated), below directory on hot. */
void world_put(struct world *world, const char *id, const char *directory,
               const char *const *names);
/* Cohort of one task a directory or object, from hot to cold, as a plan would make it.  Its rows
 * are all that the catalog has directly in the directory, or at the object. */
struct world_move {
    const char *directory;
    const char *ids[8];
    size_t id_count;
    enum unit_verify verify;
    int64_t grace_us;
    bool keep_source;
};
void world_cohort(struct world *world, struct cohort *cohort, const struct world_move *moves,
                  size_t count);
void world_cohort_free(struct cohort *cohort);
/* Carry the moves in one cohort.  Its tasks tell what became of them; false: the journal failed. */
bool world_carry(struct world *world, struct cohort *cohort, const struct world_move *moves,
                 size_t count);
/* Every open unit is carried on (parked ones are retried), as a new run would.  Returns how many.
 */
size_t world_resume(struct world *world);

/* The row points below hot or cold. */
bool world_is_at(const struct world *world, const char *id, int store);
bool world_has(const struct world *world, int store, const char *key);
/* The invariant: every row points at a directory that holds, below its base, the very bytes that
 * world_put wrote for it. */
bool world_rows_are_whole(struct world *world, const char *const *ids, size_t count);
#endif
