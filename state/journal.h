/* journal.h: what was begun, how far it came, and what was promised: a SQLite file in the state
 * folder (journal.db).  One process writes (lock.h); any thread of it may call.  Others read.
 *
 * Writes that need not be durable yet share the next fsync: the transaction stays open until a
 * durable write, JOURNAL_GROUP_MS or JOURNAL_GROUP_WRITES later.  A crash loses only those, and
 * every state resumes with a look. */
#ifndef STATE_JOURNAL_H
#define STATE_JOURNAL_H

#include <stddef.h>

#include "base/err.h"
#include "state/catalog.h"
#include "state/unit.h"

#define JOURNAL_GROUP_MS 100
#define JOURNAL_GROUP_WRITES 1000
#define JOURNAL_FREE_BYTES_MIN (UINT64_C(64) << 20)
#define JOURNAL_LINEAGE_MAX 33

struct arena;
struct clock;
struct journal;

/* A unit with the names of where it goes.  URLs are canonical, end in '/', and are what makes two
 * units collide; store names are the policy's at the time. */
struct journal_unit {
    struct unit unit;
    const char *source, *target; /* URLs of the directories */
    const char *source_store, *target_store;
    const char *directory; /* raw key below both places, ends in '/' */
    const char *policy;    /* names, joined by ',' */
};

enum journal_mode { JOURNAL_WRITE, JOURNAL_READ };
/* WRITE makes folder (0700) and file (0600) if they are missing, migrates an older version in one
 * transaction, checks integrity and free space.  READ: ERR_MISSING if there is none yet; of an
 * older version it reads a copy, made when it is opened.  ERR_INPUT: made by a newer version.
 * ERR_BUSY: too little room.  ERR_DENIED.  ERR_CORRUPT. */
MUST_USE bool journal_open(const char *folder, enum journal_mode mode, struct clock *clock,
                           struct journal **journal, struct err *err);
void journal_close(struct journal *journal); /* writes what is pending; NULL is fine */
/* ERR_CORRUPT: SQLite finds damage.  Reads all of the file. */
MUST_USE bool journal_check(struct journal *journal, struct err *err);
/* Of its file; an older one is brought up to date by the next run.  A reader may have a copy. */
int64_t journal_version(const struct journal *journal, bool *is_old);
/* 32 hexadecimal digits, made once with the file; "none" while the journal has no unit. */
MUST_USE bool journal_lineage(struct journal *journal, char lineage[JOURNAL_LINEAGE_MAX],
                              struct err *err);

/* -- runs ------------------------------------------------------------------------------------- */
struct journal_run {
    int64_t id;
    const char *verb; /* "apply", "reconcile", "reap" */
    const char *plan; /* its digest; NULL: none */
    const char *policy_path;
    int64_t started_us, ended_us; /* 0: not ended (running, or killed) */
    int exit_code;
};
MUST_USE bool journal_run_begin(struct journal *journal, const struct journal_run *run, int64_t *id,
                                struct err *err);
MUST_USE bool journal_run_end(struct journal *journal, int64_t id, int exit_code, struct err *err);
/* The latest run (id 0) or a given one.  ERR_MISSING. */
MUST_USE bool journal_run_get(struct journal *journal, int64_t id, struct arena *arena,
                              struct journal_run *run, struct err *err);

/* -- units ------------------------------------------------------------------------------------ */
/* A unit as it enters the journal, with all its rows and its manifest (sorted by key). */
struct journal_new {
    struct journal_unit entry; /* entry.unit.id is set */
    const struct catalog_row *rows;
    size_t row_count;
    const struct object_fact *facts; /* none for a unit that is skipped */
    size_t fact_count;
    int64_t conflict; /* out: 0, or the open unit whose source or target equals,
                       * contains or lies in that of this one; then this one was
                       * not written */
};
/* B1: one durable transaction for all that do not conflict. */
MUST_USE bool journal_begin(struct journal *journal, struct journal_new *units, size_t count,
                            struct err *err);
/* Become these states; each change of state or reason is an event.  With `durable` it returns after
 * the fsync.  The objects of a unit that becomes DONE are dropped: its manifest digest stays. */
MUST_USE bool journal_save(struct journal *journal, const struct unit *units, size_t count,
                           bool durable, struct err *err);
/* The target side of facts: all but `want`.  Not durable by itself. */
MUST_USE bool journal_facts_save(struct journal *journal, int64_t unit,
                                 const struct object_fact *const *facts, size_t count,
                                 struct err *err);
/* The manifest, sorted by key, in the arena. */
MUST_USE bool journal_facts_get(struct journal *journal, int64_t unit, struct arena *arena,
                                struct object_fact **facts, size_t *count, struct err *err);
MUST_USE bool journal_rows_get(struct journal *journal, int64_t unit, struct arena *arena,
                               struct catalog_row **rows, size_t *count, struct err *err);
/* Did a unit that was abandoned or rolled back create the object with this key and etag, or begin
 * the copy with its copy_id, below this target?  And may a deletion of it still be on its way
 * (object_fact.condemned)? */
MUST_USE bool journal_is_ours(struct journal *journal, const char *target, const char *key,
                              const struct object *found, bool *ours, bool *condemned,
                              struct err *err);

/* -- what happened at a place ----------------------------------------------------------------- */
/* When rows were last brought to this directory, by a cut-over or back by a rollback; 0: never. */
MUST_USE bool journal_arrival(struct journal *journal, const char *url, int64_t *arrived_us,
                              struct err *err);
/* When rows were last cut over from source to target, even if they were sent back since, or when
 * its tier was last set if both are one; 0: never. */
MUST_USE bool journal_passage(struct journal *journal, const char *source, const char *target,
                              int64_t *cut_over_us, struct err *err);
/* The first URL, in byte order, from which rows were ever cut over, that is at this one or behind
 * it; *source is NULL if there is none. */
MUST_USE bool journal_next_source(struct journal *journal, const char *url, struct arena *arena,
                                  const char **source, struct err *err);
/* The latest unit that cut rows over from this directory, or to it; *found is NULL if none did. */
MUST_USE bool journal_last_move(struct journal *journal, const char *url, struct arena *arena,
                                struct journal_unit **found, struct err *err);

/* The tier to which a unit last brought this directory, or at which a listing last saw it; DEFAULT:
 * none did. */
MUST_USE bool journal_tier(struct journal *journal, const char *target, enum access_tier *tier,
                           struct err *err);

/* A listing saw all objects of the directory at this tier.  Not durable by itself. */
MUST_USE bool journal_see_tier(struct journal *journal, const char *url, enum access_tier tier,
                               struct err *err);

/* The open unit whose source or target equals, contains or lies in url; *found is NULL if there is
 * none. */
MUST_USE bool journal_find_open(struct journal *journal, const char *url, struct arena *arena,
                                struct journal_unit **found, struct err *err);

/* ERR_MISSING. */
MUST_USE bool journal_unit_get(struct journal *journal, int64_t id, struct arena *arena,
                               struct journal_unit *entry, struct err *err);

typedef bool journal_visit(void *context, const struct journal_unit *unit, struct err *err);
struct journal_filter {
    bool open_only;
    int64_t run;           /* 0: any */
    const char *recording; /* NULL: any; an id of one of the unit's rows */
};
/* In byte order of source, then id; those of one recording as they were begun.  The visitor may
 * call the journal; it sees the units as they were when the visit began (ids are collected first,
 * in memory). */
MUST_USE bool journal_each(struct journal *journal, const struct journal_filter *filter,
                           journal_visit *visit, void *context, struct err *err);

/* -- events ----------------------------------------------------------------------------------- */
struct journal_event {
    int64_t at_us;
    int64_t unit;
    enum unit_state from, to;
    enum unit_reason reason;
};
MUST_USE bool journal_events(struct journal *journal, int64_t unit,
                             bool (*visit)(void *, const struct journal_event *, struct err *),
                             void *context, struct err *err);
#endif
