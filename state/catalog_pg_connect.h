/* catalog_pg_connect.h: a new connection to PostgreSQL, or the reason why there is none. */
#ifndef STATE_CATALOG_PG_CONNECT_H
#define STATE_CATALOG_PG_CONNECT_H

#include <libpq-fe.h>

#include "state/catalog.h"

#define CATALOG_PG_KEYWORDS_MAX 48
#define CATALOG_PG_VERSION_MIN 120000

/* The keywords of config go over our defaults (time limits, keepalives, application_name); a
 * keyword `url` holds a whole connection URL. ERR_DENIED   the password or the role is refused
 *   ERR_MISSING  there is no such database
 *   ERR_INPUT    a keyword that libpq does not know, a malformed URL, a server that is too old or
 *                whose database is not in UTF-8 (its byte order would not be ours)
 *   ERR_BUSY     it can't be reached, or is starting, or has no room
 * err->code is the SQLSTATE, if the server gave one.  No message repeats a URL. */
MUST_USE bool catalog_pg_connect(const struct catalog_config *config, PGconn **conn,
                                 struct err *err);
#endif
