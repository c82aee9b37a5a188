/* catalog_pg_table.h: the table as the server's own catalogue describes it, and the pieces of SQL
 * that name it.  Only what was found there becomes SQL. */
#ifndef STATE_CATALOG_PG_TABLE_H
#define STATE_CATALOG_PG_TABLE_H

#include "state/catalog_flaw.h"
#include "state/catalog_pg_link.h"

#define CATALOG_PG_COLUMNS_MAX 1600 /* PostgreSQL's own limit */

/* How an id in a parameter finds its row by the index of the id column. */
enum catalog_pg_key {
    CATALOG_PG_KEY_TEXT,    /* as it stands */
    CATALOG_PG_KEY_INTEGER, /* cast to bigint, if it is the text of one */
    CATALOG_PG_KEY_UUID,    /* cast, if it is the text of one */
    CATALOG_PG_KEY_OTHER    /* the column is cast to text: without an index */
};

struct catalog_pg_column {
    const char *name, *quoted;
    enum value_kind kind;
    bool naive, floating; /* timestamp without time zone; float4, float8 */
};

/* In SQL the table is called t. */
struct catalog_pg_table {
    const char *schema, *name;
    const char *quoted; /* "public"."ecal" */
    struct catalog_pg_column id, location;
    struct catalog_pg_column *values; /* time and size, if there are any, and then the fields */
    size_t value_count;
    struct catalog_pg_column *sets; /* of the config's sets, one each */
    enum catalog_pg_key key;
    const char *id_type;
    const char *select;          /* id and location as texts, then the values */
    const char *order;           /* directory, location, id */
    const char *below;           /* t is at or below: $1 <= location < $2 */
    const char *has_id;          /* t has one of the ids in $1, an array of texts */
    const char *index_statement; /* NULL: the location has a flaw */
    bool location_indexed;
    struct catalog_pg_table *references; /* as of the config: quoted, location and below alone;
                                          * NULL: not looked yet */
};

/* The table as it is now, and those of references, in a transaction that begins here; it lives in
 * the link until the next one is looked for.  True with flaws as well: what is missing is zero
 * then, SQL may be lacking, and link->table stays NULL. */
MUST_USE bool catalog_pg_table_look(struct catalog_pg_link *link, struct catalog_flaws *flaws,
                                    const struct catalog_pg_table **table, struct err *err);
/* Finds the table in the transaction that the link is in, and keeps it as link->table.  schemas: of
 * catalog_pg_link_schemas.  The first flaw is the error. */
MUST_USE bool catalog_pg_table_find(struct catalog_pg_link *link, const char *schemas,
                                    struct err *err);
/* The same in a transaction of its own, unless the link knows its table. */
MUST_USE bool catalog_pg_table_ensure(struct catalog_pg_link *link, struct err *err);
/* The same, and the link knows the tables of references as well. */
MUST_USE bool catalog_pg_table_refer(struct catalog_pg_link *link, struct err *err);

/* The ids that can be ids of this table: an array of *kept pointers in the arena.  ids: texts,
 * `stride` bytes from one to the next. */
const char **catalog_pg_table_ids(const struct catalog_pg_table *table, const char *const *ids,
                                  size_t count, size_t stride, struct arena *arena, size_t *kept);
#endif
