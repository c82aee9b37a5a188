/* catalog_memory.h: a catalog in memory, a first-class adapter: what the contract means, without a
 * database.  Tests can make its next calls fail. */
#ifndef STATE_CATALOG_MEMORY_H
#define STATE_CATALOG_MEMORY_H

#include "state/catalog.h"

struct catalog_memory;

/* Field kinds and names as in config; the config and its strings are borrowed. */
struct catalog_memory *catalog_memory_make(const struct catalog_config *config,
                                           const enum value_kind *field_kinds);
/* The same object as a catalog; catalog_close frees it. */
struct catalog *catalog_memory_catalog(struct catalog_memory *memory);

/* The table is this one, and no more as the config has it: it may lack what the config names. */
struct catalog_memory_column {
    const char *name;
    enum value_kind kind;
    bool is_naive;   /* it shows times, or dates, of no named zone */
    bool is_key;     /* no NULL, and nothing twice */
    bool is_indexed; /* in the order of bytes */
    bool is_never_null;
    bool is_generated; /* the database makes its values itself */
};
struct catalog_memory_table {
    const char *name;
    const struct catalog_memory_column *columns;
    size_t column_count;
};
void catalog_memory_set_table(struct catalog_memory *memory,
                              const struct catalog_memory_table *table);

/* Copies the record; replaces a row with the same id. */
void catalog_memory_put(struct catalog_memory *memory, const struct record *record);
void catalog_memory_remove(struct catalog_memory *memory, const char *id);
/* A row of config's reference of that index; copies the URL. */
void catalog_memory_refer(struct catalog_memory *memory, size_t reference, const char *url);
/* All rows of all references are gone. */
void catalog_memory_refer_nothing(struct catalog_memory *memory);
/* NULL: no such row (or its location is NULL).  Valid until the row changes. */
const char *catalog_memory_location(const struct catalog_memory *memory, const char *id);
/* What a cut-over set there last, be it a declared field, which has the value, or any other column.
 * NULL: nothing, or NULL. */
const char *catalog_memory_value(const struct catalog_memory *memory, const char *id,
                                 const char *column);

/* What the next cut_over calls do, one each, then none. */
enum catalog_memory_fault {
    CATALOG_FAULT_NONE,
    CATALOG_FAULT_BUSY,            /* fails before anything changed */
    CATALOG_FAULT_UNKNOWN_APPLIED, /* commits, and the reply is lost */
    CATALOG_FAULT_UNKNOWN_DROPPED  /* does not commit, and nobody knows */
};
void catalog_memory_fail_next(struct catalog_memory *memory, enum catalog_memory_fault fault);
#endif
