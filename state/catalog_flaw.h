/* catalog_flaw.h: why a table can't be the one that a config means, collected by the adapters while
 * they look at it, in the same words whatever the database is. */
#ifndef STATE_CATALOG_FLAW_H
#define STATE_CATALOG_FLAW_H

#include "state/catalog.h"

struct catalog_flaws {
    const struct catalog_config *config;
    struct arena *arena; /* of the flaws and their texts */
    struct catalog_flaw *items;
    size_t count;
};
void catalog_flaw_init(struct catalog_flaws *flaws, const struct catalog_config *config,
                       struct arena *arena);
/* names: of the tables or columns that there are, ended by NULL; they are borrowed. */
void catalog_flaw_missing(struct catalog_flaws *flaws, size_t part, const char *const *names);
/* what: that the table or column is instead. */
void catalog_flaw_type(struct catalog_flaws *flaws, size_t part, const char *what);
/* why: the id is no key. */
void catalog_flaw_key(struct catalog_flaws *flaws, const char *why);
/* why: the column can't be set to what the config's set of that index says. */
void catalog_flaw_set(struct catalog_flaws *flaws, size_t set, const char *why);
/* False after such a flaw: the database makes the column's values itself, or it takes no NULL. */
bool catalog_flaw_may_set(struct catalog_flaws *flaws, size_t set, bool generated, bool not_null);
bool catalog_flaw_has(const struct catalog_flaws *flaws, size_t part);
/* True if there are none; else the first one is the error. */
MUST_USE bool catalog_flaw_none(const struct catalog_flaws *flaws, struct err *err);
#endif
