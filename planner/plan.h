/* plan.h: a plan as its readers and writers see it: a header that pins what it was made for, one
 * action a directory or object, and a summary.  The file's format is in plan_file.h.             */
#ifndef PLANNER_PLAN_H
#define PLANNER_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/when.h"
#include "policy/policy.h"
#include "state/object.h"
#include "state/unit.h"

#define PLAN_DIGEST_MAX 72 /* "sha256:" and 64 digits, NUL */
/* So long after it was made a plan may begin directories, unless somebody says otherwise. */
#define PLAN_TTL_US WHEN_DAY_US

enum plan_kind {
    PLAN_MOVE,
    PLAN_RETIER, /* between two stores of one place: the tier changes, the rows stay as they are */
    PLAN_REPAIR,   /* rows came back to where they were moved from: they go to the target again */
    PLAN_ROLLBACK, /* rows of a unit in its grace go back; such a plan does nothing else */
    PLAN_REAP,
    PLAN_BLOCKED,
    PLAN_KINDS
};

enum plan_reason {
    PLAN_REASON_NONE,
    PLAN_HELD,             /* "hold"                                                              */
    PLAN_SHARED_DIRECTORY, /* a row is excluded, undecided or not selected                        */
    PLAN_SHARED_OBJECT,    /* likewise                                                            */
    PLAN_NESTED_DIRECTORY, /* rows in directories below it                                        */
    PLAN_CONFLICT,
    PLAN_SPELLING,
    PLAN_OBJECT_MISSING, /* a row's own object is not in the listing                              */
    PLAN_SOURCE_MISSING, /* no object below the prefix                                            */
    PLAN_NOT_A_FILE,
    PLAN_OPEN_UNIT,
    PLAN_TARGET_COLLISION,
    PLAN_UNLISTED, /* the listing failed: only this directory                                     */
    PLAN_TOO_MANY_ROWS, /* more than PLANNER_ROWS_MAX                                             */
    PLAN_ARCHIVED,      /* an object can't be read before it is rehydrated                        */
    PLAN_OTHER_TIER,    /* its objects are where a third store of the place would have them       */
    PLAN_MIN_RESIDENCY, /* frostline brought it too short a time ago                              */
    PLAN_REASONS
};

struct plan_row {
    const char *id, *location;
    const char *because; /* why it moves, or why it is in the way */
};

/* Fields that a kind does not use are NULL or 0. */
struct plan_action {
    enum plan_kind      kind;
    uint16_t            store;     /* index into plan_header.stores            */
    const char         *directory; /* raw key; ends in '/', or is an object's  */
    uint16_t            target;    /* MOVE, BLOCKED: where it would go; POLICY_NO_INDEX: unknown */
    const char         *target_directory;
    enum access_tier    tier;
    const char         *policy, *at; /* the winner's                            */
    const char        **also;        /* MOVE, RETIER: further policies of its priority that take
                                      * it, and count it in their guards        */
    size_t              also_count;
    bool                surveyed;    /* objects, bytes and manifest are of a listing; else bytes are
                                      * of the catalog and objects unknown      */
    uint64_t            objects, bytes;
    struct manifest_digest manifest;
    struct policy_terms terms;
    const char         *window;    /* MOVE, RETIER: when it may begin, as window_all_open reads
                                    * it; NULL: always                           */
    int64_t             oldest_us; /* of its rows; INT64_MAX: no row has a time  */
    enum plan_reason    reason;    /* BLOCKED                                    */
    const char         *detail;    /* BLOCKED: "ECAL_2025010377 is not selected" */
    int64_t             unit;      /* REPAIR, ROLLBACK, REAP: the journal's      */
    int64_t             due_us;    /* ROLLBACK, REAP: when the grace is over     */
    struct plan_row    *rows;      /* MOVE, RETIER: all; BLOCKED: in the way, at most
                                    * PLAN_ROWS_SHOWN                            */
    size_t              row_count;
    uint64_t            row_total; /* all rows of the directory                  */
};
#define PLAN_ROWS_SHOWN 8

struct plan_store {
    const char *name, *base;
};
struct plan_guard {
    const char          *policy;
    struct policy_guards guards;
    enum policy_order    order;
};

struct plan_header {
    int64_t            as_of_us;
    const char        *policy_digest; /* policies.digest */
    struct policy_var *vars;
    size_t             var_count;
    const char        *catalog; /* catalog_shape.identity */
    struct plan_store *stores;
    size_t             store_count;
    struct plan_guard *guards; /* of each enabled policy, in the order of the file */
    size_t             guard_count;
    const char        *journal; /* lineage, or "none" */
    bool               simulation;
    bool               surveyed;
    bool               by_object; /* what moves are objects */
    const char        *request;   /* policies in place of the files' own (policy_source);
                                   * NULL: none.  Such a plan names no unit of the journal */
};

/* Rows on their way through one policy; adds up:
 * rows = out + excluded + held + undecided + lost + in_place + blocked + left + planned.         */
struct plan_funnel {
    const char *policy;
    uint16_t    from; /* index into plan_header.stores; POLICY_NO_INDEX: any */
    uint16_t    target;
    uint64_t    rows, out, excluded, held, undecided, lost, in_place, blocked, left, planned;
    bool        failed;   /* a guard refuses: nothing of this policy is planned */
    const char *guard;    /* "max_recordings 400", the one that refused or cut; NULL: none */
};

struct plan_store_total {
    uint64_t recordings_now, bytes_now, recordings_after, bytes_after; /* catalog sizes */
};

#define PLAN_SAMPLES 8
struct plan_summary {
    uint64_t rows, unmanaged, shallow; /* of the catalog                                          */
    uint64_t unreachable; /* of the last two, what some policy would move; not in the file        */
    uint64_t actions[PLAN_KINDS];      /* how many lines                                          */
    uint64_t move_recordings, move_objects, move_bytes;
    uint64_t move_deletes; /* moves that delete their source in the same run; not in the file     */
    uint64_t retier_recordings, retier_objects, retier_bytes;
    uint64_t repair_recordings, rollback_recordings;
    uint64_t reap_objects, reap_bytes;
    uint64_t left; /* directories left for later by truncating guards                             */
    int64_t  next_us; /* nothing moves: when the clock alone will have something moved; 0: never,
                       * or not known                                                             */
    uint64_t next_recordings, next_bytes; /* on that day of UTC                                   */
    struct plan_funnel      *funnels;
    size_t                   funnel_count;
    struct plan_store_total *totals; /* of each store                                             */
    size_t                   total_count;
    const char              *unmanaged_samples[PLAN_SAMPLES]; /* "ECAL_1: ftp://..: in no store"  */
    const char              *missing_ids[PLAN_SAMPLES];       /* "ECAL_9 (ids.txt:3:1)"           */
    uint64_t                 missing_id_count;
};

const char *plan_kind_name(enum plan_kind kind);       /* "move" */
const char *plan_reason_name(enum plan_reason reason); /* "shared-directory" */
/* A move or a retier: with all its rows, and for apply to begin. */
bool plan_begins(const struct plan_action *action);
/* What it names is a unit of the journal, not a directory of the catalog. */
bool plan_names_unit(const struct plan_action *action);
/* Is it one of the policies that move the directory, so that its guards count it? */
bool plan_is_by(const struct plan_action *action, const char *policy);
/* Every row of the catalog went one way. */
bool plan_funnel_adds_up(const struct plan_funnel *funnel);
/* One more action: its kind, and what it moves or deletes. */
void plan_count(struct plan_summary *summary, const struct plan_action *action);
/* Of bytes or objects: INT64_MAX in place of more, which JSON's readers can't hold. */
uint64_t plan_sum(uint64_t a, uint64_t b);
/* The first of the stores that are one place with this one. */
uint16_t plan_place(const struct plan_header *header, uint16_t store);
/* The order of a plan's actions: by place, then as their locations (location_make) in byte order,
 * which is the catalog's and the journal's.  Less than, equal to or greater than 0.             */
int plan_compare(uint16_t place, const char *directory, uint16_t other_place,
                 const char *other_directory);
#endif
