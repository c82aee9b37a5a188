/* cohort.h: neighbouring directories of one source and one target store that move in step, so that
 * their listings, copies and deletions share requests. */
#ifndef EXECUTOR_COHORT_H
#define EXECUTOR_COHORT_H

#include <stdatomic.h>

#include "base/arena.h"
#include "executor/listing.h"
#include "executor/protocol.h"
#include "executor/store.h"
#include "policy/policy.h"
#include "state/catalog.h"
#include "state/journal.h"

/* Small cohorts keep memory flat, delete early what was copied, and still share a listing among 64
 * directories and fill a batch of deletions; a larger directory is a cohort of its own.      */
#define COHORT_UNITS_MAX 64
#define COHORT_OBJECTS_MAX 256
#define COHORT_ARENA_BYTES_MAX ((size_t)1 << 30)

/* How far a run has come, for whoever shows it. */
struct counters {
    atomic_ullong objects_copied, bytes_copied, objects_deleted, directories_at_rest;
};

struct cohort;
struct task;

/* A port, for whoever shows what is under way.  Workers call it a few times for each cohort: with
 * the tasks that are about to be acted upon together, and with none when the cohort rests. */
struct watcher {
    void (*step)(void *context, const struct cohort *cohort, struct task *const *tasks,
                 size_t count);
    void *context;
};

/* What the workers share.  Stores, catalog and journal guard themselves. */
struct hands {
    struct store *const *stores; /* by store index of the policies */
    const struct policies *policies;
    struct catalog *catalog;
    struct journal *journal;
    struct clock *clock;
    atomic_bool *stop;
    struct counters *counters;
    const struct watcher *watcher; /* NULL: nobody watches */
    int64_t copy_timeout_us; /* how long the cloud may go on with the copy of an object */
    int64_t wait_until_us;   /* of the monotonic clock: later no copy is waited for     */
};

/* One directory in a worker's hands. */
struct task {
    struct journal_unit entry; /* entry.unit: as the journal has it */
    uint16_t source, target;   /* store indexes */
    struct catalog_row *rows;
    size_t row_count;
    bool has_planned; /* the plan knows the manifest */
    struct manifest_digest planned;

    struct object_fact *facts; /* the manifest, sorted by key; NULL: not loaded */
    size_t fact_count;
    uint8_t *at_source; /* of each fact: 1 if last seen as in the manifest      */
    uint8_t *at_target; /* of each fact: enum verdict as last seen              */

    struct event event;
    bool fresh; /* the event was not yet stepped */
    struct unit next;
    struct action action;
    bool resting;
    bool cut_over_here; /* the rows went to the target in this run */
    bool repaired_here; /* likewise, and had been there before     */
    struct err err;     /* the latest failure, for reports */
};

struct turns;

struct cohort {
    const struct hands *hands;
    struct arena arena;   /* tasks' strings, rows and facts: as long as the cohort */
    struct arena scratch; /* of one step                                           */
    struct task *tasks;
    size_t count;
    struct listing_hint at_source, at_target; /* what its listings taught */
    struct turns *turns;                      /* of the pool, for copying; NULL: no turns */
};
#endif
