/* journal_private.h: what the parts of the journal share, and nobody else sees.
 *
 * A public function that writes stands between journal_enter and journal_leave, one that reads
 * between journal_look and journal_look_end; visitors are called outside of both.  No statement is
 * left between its rows: an unfinished SELECT would keep a lock on the file. */
#ifndef STATE_JOURNAL_PRIVATE_H
#define STATE_JOURNAL_PRIVATE_H

#include <pthread.h>

#include "state/journal.h"
#include "state/sql.h"

/* Prepared once, when the journal is opened; their text is in journal_schema.c. */
enum journal_statement {
    JOURNAL_BEGIN_GROUP,
    JOURNAL_BEGIN_LOOK,
    JOURNAL_COMMIT,
    JOURNAL_BEGIN_CALL,
    JOURNAL_KEEP_CALL,
    JOURNAL_UNDO_CALL,
    JOURNAL_LINEAGE,
    JOURNAL_RUN_INSERT,
    JOURNAL_RUN_END,
    JOURNAL_RUN_LATEST,
    JOURNAL_RUN_ONE,
    JOURNAL_UNIT_INSERT,
    JOURNAL_UNIT_UPDATE,
    JOURNAL_UNIT_STATE,
    JOURNAL_UNIT_ONE,
    JOURNAL_OPEN_AT,
    JOURNAL_OPEN_BELOW,
    JOURNAL_IDS_ALL,
    JOURNAL_IDS_OPEN,
    JOURNAL_IDS_OF_RUN,
    JOURNAL_IDS_OF_RECORDING,
    JOURNAL_ROW_INSERT,
    JOURNAL_ROW_COUNT,
    JOURNAL_ROWS,
    JOURNAL_OBJECT_INSERT,
    JOURNAL_OBJECT_UPDATE,
    JOURNAL_OBJECT_COUNT,
    JOURNAL_OBJECTS,
    JOURNAL_OBJECTS_DROP,
    JOURNAL_OURS,
    JOURNAL_ARRIVAL,
    JOURNAL_PASSAGE,
    JOURNAL_NEXT_SOURCE,
    JOURNAL_LAST_MOVE,
    JOURNAL_TIER,
    JOURNAL_SEE_TIER,
    JOURNAL_EVENT_INSERT,
    JOURNAL_EVENTS,
    JOURNAL_STATEMENTS
};

struct journal {
    sqlite3 *db;
    struct clock *clock;
    pthread_mutex_t mutex;
    sqlite3_stmt *statements[JOURNAL_STATEMENTS];
    uint64_t pending; /* writes that wait for the next fsync */
    int64_t group_us; /* monotonic: when the first of them began */
    int64_t version;  /* of the file that a reader opened                   */
    bool is_old;      /* and it is older than this program                  */
    bool looks_alone; /* the call that reads has a transaction of its own */
};

/* -- journal_schema.c ------------------------------------------------------------------------- */
extern const char *const journal_statement_texts[JOURNAL_STATEMENTS];
/* Its version, and is that an older one?  ERR_INPUT: newer, or no journal at all; ERR_MISSING:
 * still empty. */
MUST_USE bool journal_schema_look(sqlite3 *db, int64_t *version, bool *is_old, struct err *err);
/* The file is of this version: an older one, or an empty file, is brought up to it in one
 * transaction.  ERR_INPUT: newer, or no journal at all. */
MUST_USE bool journal_schema_migrate(sqlite3 *db, struct err *err);

/* -- journal.c -------------------------------------------------------------------------------- */
/* Is this the f_type (statfs) of a file system whose locks and fsyncs depend on a network? */
bool journal_is_remote(uint64_t file_system);
/* Takes the mutex and begins what one call writes.  Only journal_leave ends it. */
MUST_USE bool journal_enter(struct journal *journal, struct err *err);
/* Keeps what the call wrote, or, unless `done`, undoes it and nothing else; then lets the mutex go.
 * Returns after the fsync if durable, or if the group is full or old. */
MUST_USE bool journal_leave(struct journal *journal, bool done, uint64_t writes, bool durable,
                            struct err *err);
/* Takes the mutex and begins one view for all that one call reads: the group that is open, or a
 * transaction of its own.  Only journal_look_end ends it; it gives `done` back. */
MUST_USE bool journal_look(struct journal *journal, struct err *err);
MUST_USE bool journal_look_end(struct journal *journal, bool done, struct err *err);
/* The statement, reset, at its first parameter. */
struct sql journal_parameters(struct journal *journal, enum journal_statement statement);

/* -- journal_unit.c --------------------------------------------------------------------------- */
MUST_USE bool journal_entry_get(struct journal *journal, int64_t id, struct arena *arena,
                                struct journal_unit *entry, struct err *err);
MUST_USE bool journal_tier_take(struct sql *sql, enum access_tier *tier, struct err *err);
/* The number in the one row that a statement gives; 0 if it gives none. */
MUST_USE bool journal_id_take(sqlite3_stmt *statement, int64_t *id, struct err *err);

/* -- journal_event.c -------------------------------------------------------------------------- */
MUST_USE bool journal_event_add(struct journal *journal, const struct journal_event *event,
                                struct err *err);
/* What a name in a column stands for; ERR_CORRUPT if nothing. */
MUST_USE bool journal_state_take(struct sql *sql, enum unit_state *state, struct err *err);
MUST_USE bool journal_reason_take(struct sql *sql, enum unit_reason *reason, struct err *err);

/* -- journal_fact.c --------------------------------------------------------------------------- */
MUST_USE bool journal_rows_add(struct journal *journal, int64_t unit,
                               const struct catalog_row *rows, size_t count, struct err *err);
MUST_USE bool journal_facts_add(struct journal *journal, int64_t unit,
                                const struct object_fact *facts, size_t count, struct err *err);
MUST_USE bool journal_facts_drop(struct journal *journal, int64_t unit, struct err *err);
#endif
