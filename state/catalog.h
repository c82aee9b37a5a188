/* catalog.h: the table of recordings.  PostgreSQL, SQLite and memory implement struct catalog_ops;
 * nothing above this header knows which.  An adapter guards its connection with a mutex: any thread
 * may call.  A lost connection is made anew by the next call. */
#ifndef STATE_CATALOG_H
#define STATE_CATALOG_H

#include <stddef.h>

#include "base/err.h"
#include "state/record.h"

struct arena;
struct catalog;
struct catalog_cursor;
struct clock;
struct secret;
struct zone;

enum catalog_type { CATALOG_POSTGRES, CATALOG_SQLITE };

struct catalog_keyword {
    const char *name;           /* a libpq connection keyword, "host"; or "url": all in one */
    const struct secret *value; /* any of them may hold a secret */
};
struct catalog_field {
    const char *name; /* in policies */
    const char *column;
};

/* A column of any table of the same database that holds locations as well. */
struct catalog_reference {
    const char *table, *column;
};
#define CATALOG_REFERENCES_MAX 16

/* A further column that a cut-over sets, to the value that its type reads in the text. */
struct catalog_set {
    const char *column;
    const char *value; /* NULL: NULL */
};

/* Which table, and what its columns mean.  The policy fills it in; all it points at outlives the
 * catalog. */
struct catalog_config {
    enum catalog_type type;
    const struct catalog_keyword *connection; /* postgres */
    size_t connection_count;
    const char *path;  /* sqlite: an existing file */
    const char *table; /* "ecal" or "public.ecal" */
    const char *id, *location;
    const char *time;             /* NULL: none */
    const struct zone *time_zone; /* what a naive time column shows; NULL: unnamed */
    const char *size;             /* NULL: none */
    uint64_t size_unit;           /* bytes per one of the column */
    bool by_object;               /* a row stands for its one object, and not for its directory */
    const struct catalog_field *fields;
    size_t field_count;
    const struct catalog_reference *references; /* at most CATALOG_REFERENCES_MAX */
    size_t reference_count;
    const struct catalog_set *sets; /* of all cuts; neither the id nor the location */
    size_t set_count;
    bool writes;           /* connect only to a server that can be written to */
    uint32_t lock_wait_ms; /* 0: CATALOG_LOCK_WAIT_MS */
};

/* The parts of a config that name something in the database. */
enum catalog_part {
    CATALOG_TABLE,
    CATALOG_ID,
    CATALOG_LOCATION,
    CATALOG_TIME,
    CATALOG_SIZE,
    CATALOG_FIELD /* the first of the fields; the others follow, then references and sets */
};
/* The part that a reference's table is; its column is the next one. */
size_t catalog_reference_part(const struct catalog_config *config, size_t reference);
/* The part that a set's column is. */
size_t catalog_set_part(const struct catalog_config *config, size_t set);
/* The part that is the table of a column; of a table it is the table itself. */
size_t catalog_table_part(const struct catalog_config *config, size_t part);
/* The name that the config has for it; NULL: none. */
const char *catalog_name(const struct catalog_config *config, size_t part);

/* Why the table can't be the one that the config means. */
enum catalog_flaw_kind {
    CATALOG_FLAW_MISSING, /* there is no such table or column */
    CATALOG_FLAW_TYPE,    /* a view; a location that is no text */
    CATALOG_FLAW_KEY,     /* the id may be NULL, or stand in two rows */
    CATALOG_FLAW_SET      /* a column can't be set, or not to that value; of the latter SQLite can't
                           * be asked */
};
struct catalog_flaw {
    enum catalog_flaw_kind kind;
    size_t part;         /* enum catalog_part */
    const char *text;    /* "the table `ecal` has no column `ecal_nam`" */
    const char *nearest; /* the name that was likely meant; NULL: none */
};

/* The first of the sets that is of this column; there is one for each column that a cut sets. */
size_t catalog_set_index(const struct catalog_config *config, const char *column);

/* What the table is really like.  Strings live in the arena. */
struct catalog_shape {
    const struct catalog_flaw *flaws; /* all of them */
    size_t flaw_count;
    /* Of a table with flaws, what is missing is VALUE_NULL, and the two texts may be NULL. */
    const char *identity; /* "postgres://host:5432/db/public.ecal", "sqlite:///path#ecal" */
    enum value_kind time; /* VALUE_NULL: no time column */
    bool time_is_naive;   /* it shows a time, or a date, of no named zone */
    enum value_kind size;
    enum value_kind *fields; /* VALUE_NULL: all its values are NULL, whatever the type would be */
    bool location_indexed;   /* a cut-over finds its rows without a scan */
    const char *index_statement; /* the statement that would make such an index */
};

/* What a person wants to know of a catalog before it is relied on.  Strings live in the arena. */
struct catalog_health {
    const char *server;    /* "PostgreSQL 15.8 at db.example:5432", "SQLite 3.40.1 in /path" */
    const char *encrypted; /* "TLSv1.3"; NULL: the connection is not */
    bool is_exposed;       /* and it leaves this machine */
    bool is_standby;
    /* Of a table without flaws; else nothing is said. */
    const char *no_read, *no_write; /* why its rows can't be read, or cut over; NULL: they can */
    const char *mend_read, *mend_write; /* what would let them; beside a reason, never NULL */
    uint64_t rows; /* counted if they can be read; CATALOG_COUNTED_MAX + 1: there are more */
};
#define CATALOG_COUNTED_MAX 1000000

struct catalog_row {
    const char *id, *old_location, *new_location;
};
/* All rows of one unit, from old to new. */
struct catalog_cut {
    const char *source; /* canonical URL of the unit: of a directory, which ends in '/', or of an
                         * object; every row at it, or below the directory, belongs to the cut */
    const struct catalog_row *rows;
    size_t count;
    const struct catalog_set *sets; /* of the config's; made in every row */
    size_t set_count;
};
enum catalog_outcome {
    CATALOG_CUT,     /* committed: every row is at its new location */
    CATALOG_CHANGED, /* rows are not as given (another location, gone, or further rows at or
                      * below source); nothing was changed */
    CATALOG_UNKNOWN  /* COMMIT was sent and no reply came: look */
};

/* Where the rows of a cut are now.  A row that is gone counts as elsewhere. */
struct catalog_sight {
    uint32_t at_source, at_target, elsewhere;
    uint32_t strangers; /* rows at or below source that at_source does not count: further ones, and
                         * those of the cut that were moved about in there; not all of very many */
    int64_t server_us;  /* the database's clock; 0 if it has none of its own */
};

typedef bool catalog_visit(void *context, const struct record *record, struct err *err);

struct catalog_ops {
    const char *kind; /* "postgres" */
    /* True with flaws as well.  ERR_DENIED, ERR_BUSY when it can't be reached.  To every call that
     * reads or writes rows the first flaw is an error, but one of references, which is an error to
     * `referenced` alone: ERR_MISSING if something is, else ERR_INPUT. */
    bool (*describe)(struct catalog *, struct arena *, struct catalog_shape *, struct err *);
    /* Changes nothing, and says nothing of what only a cut-over could tell (a trigger, a CHECK). */
    bool (*examine)(struct catalog *, struct arena *, struct catalog_health *, struct err *);
    /* One read-only snapshot for all cursors until snapshot_end, on a connection of its own: all
     * other calls see the present.  One thread at a time; one cursor at a time. */
    bool (*snapshot)(struct catalog *, struct err *);
    void (*snapshot_end)(struct catalog *);
    /* Every row, ordered by directory (the location up to its last '/'; all of it if it has none;
     * all of it by_object), then location, then id, in byte order, NULL locations first.  Needs a
     * snapshot. */
    bool (*cursor_open)(struct catalog *, struct catalog_cursor **, struct err *);
    /* *record is NULL at the end. */
    bool (*cursor_next)(struct catalog_cursor *, const struct record **record, struct err *);
    /* Before the end it may take the snapshot with it: what is half read is not worth waiting for.
     */
    void (*cursor_close)(struct catalog_cursor *);
    /* True with an outcome; false only if surely nothing was changed.  One transaction with the
     * settings of the safety rules; the rows at or below source are locked and must be exactly the
     * given ones at their old locations.  The sets are made by the UPDATE of the locations itself.
     * COMMIT is sent only after the UPDATE's reply is in: an unknown commit then holds its locks,
     * and a locking look waits for it. */
    bool (*cut_over)(struct catalog *, const struct catalog_cut *, enum catalog_outcome *,
                     struct err *);
    /* With `lock`, the rows are locked first (FOR UPDATE) and let go again: the look waits for a
     * transaction that is still alive.  Locations alone are looked at: whoever saw a new one knows
     * that the sets were made with it. */
    bool (*look)(struct catalog *, const struct catalog_cut *, bool lock, struct catalog_sight *,
                 struct err *);
    /* The rows with these ids, in no order, those that exist.  visit may not call the catalog. */
    bool (*fetch)(struct catalog *, const char *const *ids, size_t count, catalog_visit *, void *,
                  struct err *);
    /* The rows whose locations are this URL of a unit, or begin with it if it ends in '/', '?' or
     * '#', in no order, at most `limit` of them.  Without an index on the location it scans.  visit
     * may not call the catalog. */
    bool (*below)(struct catalog *, const char *url, size_t limit, catalog_visit *, void *,
                  struct err *);
    /* *found is a reference with a row that holds one of these URLs, byte for byte, or anything
     * that begins with one of them that ends in '/', '?' or '#'; NULL if there is none.  Without an
     * index on the reference's column it scans.  ERR_BUSY where the server may be behind. */
    bool (*referenced)(struct catalog *, const char *const *urls, size_t count,
                       const struct catalog_reference **found, struct err *);
    void (*close)(struct catalog *);
};

/* First member of every implementation. */
struct catalog {
    const struct catalog_ops *ops;
};

#define CATALOG_SETS_MAX 16 /* in one cut */
#define CATALOG_LOCK_WAIT_MS 5000
#define CATALOG_STATEMENT_MS 600000
#define CATALOG_IDLE_MS 60000 /* until the server gives up a client that holds locks */
#define CATALOG_CONNECT_S 15

/* Connects (PostgreSQL) or opens the file (SQLite; it is never created).  ERR_DENIED if the
 * password is refused, ERR_BUSY if it can't be reached, or is read only where the config writes,
 * ERR_MISSING if file or database is not there.  Temporary failures (connecting, serialization
 * 40001, deadlock 40P01, lock 55P03) are tried again with backoff on the clock inside
 * catalog_retry.c; an unknown COMMIT never is. */
MUST_USE bool catalog_open(const struct catalog_config *config, struct clock *clock,
                           struct catalog **catalog, struct err *err);
/* What makes the id a key of its table. */
const char *catalog_key_statement(const struct catalog_config *config, struct arena *arena);
/* Those that databases are reached by, for people. */
const char *catalog_libraries(struct arena *arena);
void catalog_close(struct catalog *catalog); /* NULL is fine */
#endif
