/* spool.h: records in an unnamed temporary file: written once, then read as often as needed.
 *
 * A record has a head, which every pass reads, and a body, which most passes skip.  The records
 * of one store are added one after the other; they are read store by store, whatever order the
 * stores came in. */
#ifndef PLANNER_SPOOL_H
#define PLANNER_SPOOL_H

#include "base/buf.h"
#include "planner/pack.h"
#include "state/place.h"

#define SPOOL_RECORD_BYTES_MAX (64u << 20)

struct spool_segment {
    uint64_t from, to; /* in the file                                        */
    uint64_t first;    /* index of its first record; after spool_finish       */
    uint64_t count;
};
struct spool {
    int                  fd; /* -1: not open */
    uint64_t             size_bytes;
    struct buf           pending;
    struct spool_segment segments[PLACE_MAX];
    uint64_t             count;
};

/* An error says which folder; ERR_INPUT if it is full. */
MUST_USE bool spool_open(struct spool *spool, const char *folder, struct err *err);
void          spool_close(struct spool *spool); /* not open is fine */
/* ERR_INTERNAL if records of another store stand between those of this one. */
MUST_USE bool spool_add(struct spool *spool, uint16_t store, const struct buf *head,
                        const struct buf *body, struct err *err);
/* Nothing is added any more; records have their indexes: 0, 1, .. in the order of stores. */
MUST_USE bool spool_finish(struct spool *spool, struct err *err);

/* Records of the stores from first_store up to, not with, store_end.  Any number of cursors may
 * read one spool.                                                                                */
struct spool_cursor {
    const struct spool *spool;
    size_t              store, store_end;
    uint64_t            at, index;
    uint64_t            body_at, body_bytes;
    char               *window;
    size_t              window_capacity, window_bytes;
    uint64_t            window_at;
};
void spool_cursor_init(struct spool_cursor *cursor, const struct spool *spool, size_t first_store,
                       size_t store_end);
void spool_cursor_free(struct spool_cursor *cursor);
/* *found is false at the end.  The head is valid until the cursor is used again. */
MUST_USE bool spool_next(struct spool_cursor *cursor, bool *found, struct packed *head,
                         uint64_t *index, struct err *err);
/* Of the record that was read last. */
MUST_USE bool spool_body(struct spool_cursor *cursor, struct packed *body, struct err *err);
#endif
