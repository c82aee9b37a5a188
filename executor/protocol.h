/* protocol.h: how a directory moves without ever losing a byte, as two pure functions.
 *
 * protocol_judge looks at one object, protocol_step at one directory.  Neither touches anything;
 * no manifest passes through them: protocol_step sees the counts of what protocol_judge said.
 * Whoever carries units (pool.c) only does what they answer, in this order: write down the unit
 * (durably, if the action asks for it), then act, then tell what came of it. */
#ifndef EXECUTOR_PROTOCOL_H
#define EXECUTOR_PROTOCOL_H

#include "base/err.h"
#include "state/unit.h"

#define PROTOCOL_ROUNDS_MAX 4
#define PROTOCOL_PROOFS_MAX 8 /* rounds, those of copying included, until it is unproved */
#define PROTOCOL_FAILURES_MAX 6
#define PROTOCOL_BACKOFF_US INT64_C(500000) /* doubled with each failure in a row       */
#define PROTOCOL_POLL_US INT64_C(2000000)   /* until the first look at a copy under way */
#define PROTOCOL_POLL_MAX_US INT64_C(64000000)
#define PROTOCOL_SKEW_US (INT64_C(300) * 1000000) /* a clock further off refuses all deletes */

enum look { LOOK_SOURCE = 1, LOOK_TARGET = 2, LOOK_ROWS = 4, LOOK_HOLDS = 8, LOOK_REFERENCES = 16 };
#define LOOK_GATE_1 (LOOK_SOURCE | LOOK_TARGET)
#define LOOK_BACK (LOOK_SOURCE | LOOK_ROWS)
#define LOOK_REPAIR (LOOK_SOURCE | LOOK_TARGET | LOOK_ROWS)
#define LOOK_GATE_2 (LOOK_SOURCE | LOOK_TARGET | LOOK_ROWS | LOOK_HOLDS | LOOK_REFERENCES)

enum action_kind {
    ACTION_STOP,     /* nothing more to do for this unit                                     */
    ACTION_REST,     /* open, and left alone until the next run (EVENT_RESUME)                */
    ACTION_WAIT,     /* left alone until until_us, then EVENT_RESUME                          */
    ACTION_MANIFEST, /* list the source, make the manifest; compare it and the rows with the plan */
    ACTION_TIER,     /* set the tier of every object that has another one */
    ACTION_COPY,     /* every object that was not seen at the target                          */
    ACTION_ABORT,    /* copies of ours that the cloud goes on with for too long                 */
    ACTION_READ_BACK, /* compare byte by byte what could not be told                           */
    ACTION_LOOK,      /* list and read what `look` names; nothing is changed                   */
    ACTION_CUT_OVER,  /* one transaction, compare-and-set on every row: to the target, of a unit
                       * that is RETURNING to the source                                       */
    ACTION_DELETE     /* keys of the manifest that were seen at the source, with If-Match      */
};

struct action {
    enum action_kind kind;
    unsigned look;    /* ACTION_LOOK: bits of enum look                               */
    bool lock;        /* LOOK_ROWS: lock them, so that a live transaction is waited for */
    bool durable;     /* the journal must hold the unit, fsynced, before this is done */
    int64_t until_us; /* ACTION_WAIT                                                  */
};

enum event_kind {
    EVENT_RESUME, /* first time, after a restart, after a wait or rest                         */
    EVENT_RETRY,  /* a later run looks at a parked one again                                   */
    EVENT_REPAIR, /* somebody wants rows that came back to the source at the target again       */
    EVENT_RETURN, /* somebody wants the rows of a unit in its grace back at the source          */
    EVENT_FAILED, /* the action changed nothing and learned nothing; `failure` says why        */
    EVENT_MANIFEST,
    EVENT_TIERED,
    EVENT_COPIED,
    EVENT_ABORTED,
    EVENT_READ_BACK,
    EVENT_SEEN,
    EVENT_CUT,
    EVENT_DELETED,
    EVENT_KINDS
};

enum cut { CUT_DONE, CUT_CHANGED, CUT_UNKNOWN };

/* Counts: what one look saw, against the manifest and the journaled rows. */
struct sight {
    unsigned looked; /* bits of enum look: what is filled in; a look that failed is EVENT_FAILED */
    struct {
        uint64_t same, changed, missing, extra;
        uint64_t other_tier, archived; /* of the same ones, of a retier: not at its tier; and that
                                        * it would have to take out of the archive             */
    } source;
    struct {
        uint64_t equal, differs, cannot_tell, absent, pending, extra;
        uint64_t failed; /* of the absent: copies of ours that failed or were aborted  */
        uint64_t overdue,
            endless;        /* of the pending, those that take too long: ours, and not ours */
        int64_t pending_us; /* how long the latest of the others has been under way       */
        struct manifest_digest manifest;
    } target;
    struct {
        uint32_t at_source, at_target, elsewhere;
        uint32_t strangers; /* further ones at the source; of one that is RETURNING at the target */
    } rows;
    bool held;         /* a hold, or the policy of that name says keep now              */
    bool referenced;   /* a row of catalog.references points at or below the source     */
    int64_t server_us; /* the earliest clock of store and catalog; 0: none has one      */
    int64_t skew_us;   /* the largest |their clock - ours|                              */
};

/* What came of the items of one action. */
struct tally {
    uint64_t done, exists, changed, refused, denied, busy, unknown, differs;
};

struct event {
    enum event_kind kind;
    int64_t now_us;
    enum err_kind failure;
    uint32_t retry_ms;
    /* EVENT_MANIFEST */
    bool same_objects, same_rows; /* as in the plan                                  */
    bool already;                 /* all rows stand at the target: done before        */
    uint64_t irregular;           /* entries that are no objects                      */
    uint64_t archived;            /* objects that can't be read                       */
    uint64_t objects, bytes;
    struct manifest_digest manifest;

    enum cut cut;
    struct tally tally;
    struct sight sight;
};

/* Become: *next is the unit after the event and *action what to do about it.  Total: every event
 * in every state has an answer; one that makes no sense there is answered like EVENT_RESUME.     */
void protocol_step(const struct unit *unit, const struct event *event, struct unit *next,
                   struct action *action);

enum verdict {
    OBJECT_ABSENT,
    OBJECT_EQUAL,
    OBJECT_DIFFERS,
    OBJECT_CANNOT_TELL,
    OBJECT_PENDING,
    OBJECT_OVERDUE /* pending, and ours to abort: protocol_judge, which knows no time, never says so
                    */
};

/* Is the object found at the target (NULL: none) the one that the manifest wants?  EQUAL only with
 * the proof that verify asks for. */
enum verdict protocol_judge(const struct object_fact *fact, const struct object *found,
                            enum unit_verify verify);
#endif
