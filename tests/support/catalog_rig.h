/* catalog_rig.h: a table of recordings in memory, in a SQLite file or in PostgreSQL, the catalog
 * that reads it, and a way in behind the catalog's back.
 *
 * PostgreSQL is used if FROSTLINE_TEST_PG is 1, at DB_HOST, DB_PORT, DB_NAME, DB_USER and
 * DB_PASSWORD, in a schema of its own.                                                           */
#ifndef TESTS_SUPPORT_CATALOG_RIG_H
#define TESTS_SUPPORT_CATALOG_RIG_H

#include <libpq-fe.h>
#include <sqlite3.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/secret.h"
#include "state/catalog.h"
#include "state/catalog_memory.h"

#define CATALOG_RIG_LOCK_WAIT_MS 200
#define CATALOG_RIG_FIELDS 6
#define CATALOG_RIG_COLUMNS_MAX (4 + CATALOG_RIG_FIELDS + CATALOG_SETS_MAX)

enum catalog_rig_kind { CATALOG_RIG_MEMORY, CATALOG_RIG_SQLITE, CATALOG_RIG_POSTGRES };

/* The table is called ecal: ecal_id TEXT, ecal_name TEXT, recorded TIMESTAMP, size_gb NUMERIC, and
 * as fields map TEXT, frames INTEGER, length DOUBLE PRECISION, ratio NUMERIC, is_valid BOOLEAN and
 * day DATE, in this order.                                                                       */
struct catalog_rig {
    enum catalog_rig_kind kind;
    struct catalog_config config;
    struct catalog_keyword keywords[6];
    struct secret secrets[6];
    struct clock_fake clock;
    struct arena arena;
    char folder[64], path[96], table[64];
    struct catalog_memory *memory;
    struct catalog_memory_column columns[CATALOG_RIG_COLUMNS_MAX];
    struct catalog_memory_table memory_table;
    sqlite3 *sqlite;
    PGconn *postgres;
    struct catalog *catalog; /* NULL until catalog_rig_connect */
};

const char *catalog_rig_name(enum catalog_rig_kind kind);
/* False if it is PostgreSQL and there is none; then it says so, or fails the test if
 * FROSTLINE_TEST_REQUIRE_SERVERS is 1.                                                           */
bool catalog_rig_is_there(enum catalog_rig_kind kind);

/* An empty table, as the CREATE TABLE says, or as above if it is NULL. */
void catalog_rig_open(struct catalog_rig *rig, enum catalog_rig_kind kind, const char *create);
void catalog_rig_close(struct catalog_rig *rig);
/* Opens rig->catalog; memory has one from the start. */
void catalog_rig_connect(struct catalog_rig *rig);

/* Behind the catalog's back.  SQL is for tables in a database only. */
void catalog_rig_sql(struct catalog_rig *rig, const char *fmt, ...) PRINTF(2, 3);
void catalog_rig_put(struct catalog_rig *rig, const char *id, const char *location);
void catalog_rig_move(struct catalog_rig *rig, const char *id, const char *location);
void catalog_rig_remove(struct catalog_rig *rig, const char *id);
/* A further column: in memory as the first says, in a database of the name and as SQL says. */
void catalog_rig_add_column(struct catalog_rig *rig, const struct catalog_memory_column *column,
                            const char *sql);
/* NULL: no such row, or no location.  In the rig's arena. */
const char *catalog_rig_location(struct catalog_rig *rig, const char *id);
/* The text of a column behind the declared fields, as a cut set it: NULL if it is NULL, and in
 * memory if no cut did. */
const char *catalog_rig_value(struct catalog_rig *rig, const char *id, const char *column);
/* Sets or adds a connection keyword, before catalog_rig_connect. */
void catalog_rig_keyword(struct catalog_rig *rig, const char *name, const char *value);
/* A further connection to the same PostgreSQL and schema; the caller finishes it. */
PGconn *catalog_rig_postgres(const struct catalog_rig *rig);

/* A cut of two rows with the ids 1 and 2, and what becomes of them.  Each connects if need be. */
extern const struct catalog_cut catalog_rig_cut;
void catalog_rig_put_cut(struct catalog_rig *rig);
void catalog_rig_put_back(struct catalog_rig *rig);
/* All are at their new locations, or all at their old ones. */
void catalog_rig_assert_moved(struct catalog_rig *rig, bool moved);
void catalog_rig_assert_cut(struct catalog_rig *rig, enum catalog_outcome expected);
/* code NULL: any. */
void catalog_rig_assert_cut_fails(struct catalog_rig *rig, enum err_kind expected,
                                  const char *code);
void catalog_rig_assert_open_fails(struct catalog_rig *rig, enum err_kind expected,
                                   const char *code);
/* describe tells this flaw and no other.  text: a part of what it says. */
void catalog_rig_assert_described(struct catalog_rig *rig, enum catalog_flaw_kind kind, size_t part,
                                  const char *text, const char *nearest);
/* The same, and no row is read. */
void catalog_rig_assert_flaw(struct catalog_rig *rig, enum catalog_flaw_kind kind, size_t part,
                             const char *text, const char *nearest);
/* How many rows fetch finds. */
int catalog_rig_fetch(struct catalog_rig *rig, const char *const *ids, size_t count);
/* Fails the test with what err says. */
void catalog_rig_succeed(bool ok, const struct err *err);
#endif
