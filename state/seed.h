/* seed.h: a SQLite catalog made from records: the demo's, and tests'. */
#ifndef STATE_SEED_H
#define STATE_SEED_H

#include <stddef.h>

#include "base/err.h"
#include "state/catalog.h"

/* The file config->path with the table config->table: id and location as text, the time as ISO text
 * in UTC, the size in config's unit, fields by their kinds.  ERR_CONFLICT if the file exists. */
MUST_USE bool seed_sqlite(const struct catalog_config *config, const enum value_kind *field_kinds,
                          const struct record *records, size_t count, struct err *err);
#endif
