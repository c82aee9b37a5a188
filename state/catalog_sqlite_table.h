/* catalog_sqlite_table.h: the table as SQLite's schema describes it, and the pieces of SQL that
 * name it.  Only what was found there becomes SQL: SQLite takes a name in quotes that it does not
 * know for a text. */
#ifndef STATE_CATALOG_SQLITE_TABLE_H
#define STATE_CATALOG_SQLITE_TABLE_H

#include "state/catalog_flaw.h"
#include "state/sql.h"

#define CATALOG_SQLITE_COLUMNS_MAX 2000 /* SQLite's own limit */

struct catalog_sqlite_column {
    const char *name, *quoted;
    enum value_kind kind; /* by the declared type; values may be of any */
    bool naive;           /* texts without an offset show an unnamed zone's time */
};

struct catalog_sqlite_table {
    const char *name, *quoted;
    struct catalog_sqlite_column id, location;
    struct catalog_sqlite_column *values; /* time and size, if there are any, then the fields */
    size_t value_count;
    struct catalog_sqlite_column *sets; /* of the config's sets, one each */
    const char *select;                 /* id and location as texts, then the values */
    const char *has_id; /* the row with the id ?1: through the index, and byte by byte */
    const char *below;  /* at or below: ?1 <= location < ?2 */
    bool location_indexed;
    const char *index_statement; /* NULL: the location has a flaw */
};

/* Everything lives in the flaws' arena.  True with flaws as well: what is missing is zero then, and
 * SQL may be lacking. */
MUST_USE bool catalog_sqlite_table_look(sqlite3 *db, struct catalog_flaws *flaws,
                                        struct catalog_sqlite_table *table, struct err *err);
/* Everything lives in the arena.  The first flaw is the error. */
MUST_USE bool catalog_sqlite_table_find(sqlite3 *db, const struct catalog_config *config,
                                        struct arena *arena, struct catalog_sqlite_table *table,
                                        struct err *err);
/* As _look, at the config's reference of that index: only its name and location, and SQL for these.
 */
MUST_USE bool catalog_sqlite_table_refer(sqlite3 *db, struct catalog_flaws *flaws, size_t reference,
                                         struct catalog_sqlite_table *table, struct err *err);
#endif
