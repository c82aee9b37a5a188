/* unit.h: one directory, or one object, on its way.  The journal keeps it, the protocol moves it,
 * status shows it; so it stands in the leftmost of the three.
 *
 * The name of a unit, be it its key or its URL, tells which of them it is: one that ends in '/' is
 * a directory, any other one is the object of exactly that name. */
#ifndef STATE_UNIT_H
#define STATE_UNIT_H

#include "state/object.h"

enum unit_kind {
    UNIT_MOVE,
    UNIT_RETIER, /* source and target are one place: the access tier changes, and nothing else */
    UNIT_REPAIR, /* of rows that came back to a source that is gone: only they are moved */
    UNIT_KINDS
};

/* The order is the order of progress; what comes after SWEEPING is at rest. */
enum unit_state {
    UNIT_PLANNED,    /* nothing written, nothing promised */
    UNIT_TIERING,    /* B1, of a retier: the manifest is durable before the first tier is set */
    UNIT_COPYING,    /* B1: the manifest and this state are durable before the first copy */
    UNIT_VERIFYING,  /* look at both sides; the only door to the catalog */
    UNIT_COMMITTING, /* B2: durable before the transaction is sent: rows may be either way */
    UNIT_REPAIRING,  /* rows came back to the source after a cut-over: as COMMITTING, once more */
    UNIT_CUTOVER,    /* B3: durable before the first delete: rows are at the target */
    UNIT_RETURNING,  /* durable before the rows are sent back: they may be either way */
    UNIT_DELETING,
    UNIT_SWEEPING,
    UNIT_DONE,
    UNIT_SKIPPED,     /* stale before anything was done */
    UNIT_ABANDONED,   /* closed before its commit: the source is untouched, plan again */
    UNIT_ROLLED_BACK, /* closed in grace: the rows are back at the source */
    UNIT_PARKED,      /* open after its commit: rows at the target, source kept */
    UNIT_STATES
};

enum unit_reason {
    REASON_NONE,
    /* skipped */
    REASON_STALE_ROWS,
    REASON_STALE_OBJECTS,
    REASON_OPEN_UNIT,
    /* abandoned before the catalog was touched */
    REASON_TARGET_DIFFERS,
    REASON_TARGET_HAS_MORE,
    REASON_SOURCE_CHANGED,
    REASON_COPY_REFUSED,
    REASON_COPY_FAILED,
    REASON_TIER_REFUSED,
    REASON_UNPROVED,
    REASON_NOT_A_FILE,
    REASON_ARCHIVED,
    /* at the catalog */
    REASON_CATALOG_CHANGED,
    /* parked after the cut-over */
    REASON_ROWS_AT_SOURCE,
    REASON_TARGET_CHANGED,
    REASON_SOURCE_REWRITTEN,
    REASON_NO_WAY_BACK,
    REASON_DELETE_REFUSED,
    /* anywhere */
    REASON_DENIED,
    REASON_MISSING,
    REASON_CORRUPT,
    REASON_REFUSED,
    REASON_INTERNAL,
    /* waiting, not parked */
    REASON_GRACE,
    REASON_HELD,
    REASON_REFERENCED,
    REASON_PENDING,
    REASON_BUSY,
    REASON_STOPPED,
    REASON_SKEW,
    UNIT_REASONS
};

enum unit_verify { VERIFY_SIZE, VERIFY_CHECKSUM, VERIFY_READBACK };

/* Small and flat: it is copied by value, compared by the simulator and written as one row. */
struct unit {
    int64_t id;  /* 0: not in the journal yet */
    int64_t run; /* the run that began it */
    enum unit_kind kind;
    enum unit_state state;
    /* PARKED: where it came from; each later plan looks again.  REPAIRING: where it goes on. */
    enum unit_state left_state;
    enum unit_reason reason;
    enum unit_verify verify;
    enum access_tier tier;
    bool keep_source;
    uint32_t rounds;       /* of copying up to the commit, or of deleting, in one run */
    uint32_t failures;     /* in a row in one run; at the limit it is left to the next one */
    int64_t grace_us;      /* from the cut-over */
    int64_t cleanup_at_us; /* absolute, set by the cut-over; less the grace, it tells when the rows
                            * came to where they are (ROLLED_BACK: to the source) */
    uint64_t objects, bytes;
    uint64_t late; /* objects seen at the source by the sweep: never ours to delete */
    uint32_t rows;
    struct manifest_digest manifest; /* of the source; of a repair, of the target */
    /* Of the target, as gate 1 saw it; all zero: no gate 1 has, or an older version passed it. */
    struct manifest_digest target_manifest;
};

/* Is what has this name all of the unit, or a part of it?  a/b is no part of a/b.bak, nor a/b/c of
 * a/b; both names are keys of one store, or both are URLs. */
bool unit_covers(const char *unit, const char *name);
/* How far it came: of a parked one, where it came from. */
enum unit_state unit_stage(const struct unit *unit);
/* Open: DONE, SKIPPED, ABANDONED and ROLLED_BACK are closed for ever, all else goes on. */
bool unit_is_open(const struct unit *unit);
/* Its rows are at the target, or on their way back, and no delete was ever sent. */
bool unit_can_return(const struct unit *unit);
const char *unit_kind_name(enum unit_kind kind);       /* "move" */
const char *unit_state_name(enum unit_state state);    /* "verifying" */
const char *unit_reason_name(enum unit_reason reason); /* "target-differs" */
/* What it means and what to do, a sentence each, for people. */
const char *unit_reason_text(enum unit_reason reason);
const char *unit_verify_name(enum unit_verify verify);
#endif
