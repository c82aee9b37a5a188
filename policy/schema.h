/* schema.h: the one table of keys.  Reading a policy walks it, so what a file may say, what a
 * message suggests and what the JSON Schema lists can't drift apart.                             */
#ifndef POLICY_SCHEMA_H
#define POLICY_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/when.h"
#include "policy/policy.h"

struct load;
struct node;

/* What a key's value is, and what schema_read puts at its offset. */
enum schema_type {
    SCHEMA_TEXT,     /* struct node *: a scalar that is not empty                           */
    SCHEMA_PROSE,    /* struct node *: a scalar for people, anything may stand in it        */
    SCHEMA_VALUE,    /* struct node *: a scalar, be it null or an empty text                */
    SCHEMA_NAME,     /* struct node *                                                       */
    SCHEMA_ENV,      /* struct node *: its ${..} replaced, possibly empty then              */
    SCHEMA_SECRET,   /* struct node *: with ${..}, for substitute_secret                    */
    SCHEMA_BOOLEAN,  /* bool                                                                */
    SCHEMA_INTEGER,  /* int32_t                                                             */
    SCHEMA_COUNT,    /* uint64_t                                                            */
    SCHEMA_SIZE,     /* uint64_t, bytes                                                     */
    SCHEMA_PERCENT,  /* uint32_t, parts of POLICY_FRACTION_ONE                              */
    SCHEMA_DURATION, /* struct when_duration                                                */
    SCHEMA_SPAN,     /* int64_t, microseconds                                               */
    SCHEMA_DATE,     /* struct when_date                                                    */
    SCHEMA_INSTANT,  /* int64_t, microseconds since 1970                                    */
    SCHEMA_DAYS,     /* uint8_t, bit 0: Monday                                              */
    SCHEMA_CLOCK,    /* int, minutes of the day                                             */
    SCHEMA_CHOICE,   /* unsigned, the index of the choice                                   */
    SCHEMA_OBJECT,   /* struct node *: a map whose keys are key->object                     */
    SCHEMA_LIST,     /* struct node *: at least one key->item                               */
    SCHEMA_MAP,      /* struct node *: names to at least one key->item                      */
    SCHEMA_SELECT,   /* struct node *: a map whose keys are schema_select and the fields    */
    SCHEMA_TESTS     /* struct node *: a literal, or a map whose keys are schema_tests      */
};

struct schema;
struct schema_key {
    const char          *name;
    enum schema_type     type;
    bool                 required;
    size_t               offset;
    const struct schema *object;  /* OBJECT, and LIST or MAP of objects                      */
    const struct schema *const *variants; /* instead of object: the one that `type` names    */
    enum schema_type     item;    /* LIST, MAP                                               */
    const char *const   *choices; /* CHOICE; NULL-terminated                                 */
    const char          *text;    /* for people: one line                                    */
};
struct schema {
    const char              *noun; /* "a policy" */
    const struct schema_key *keys; /* the last one has no name */
};

/* What the tables put into: defaults are filled in before. */
struct raw_root {
    int32_t      version;
    struct node *include, *timezone, *vars, *catalog, *stores, *holds, *defaults, *policies, *tests;
};
struct raw_catalog {
    unsigned     type, unit;
    struct node *connection, *path, *table, *id, *location, *time, *size, *fields, *references;
};
struct raw_time {
    struct node *column, *timezone;
};
struct raw_size {
    struct node *column, *unit;
};
struct raw_reference {
    struct node *table, *column;
};
struct raw_store {
    unsigned     type, tier; /* tier: enum access_tier less TIER_HOT */
    struct node *connection_string, *container, *prefix, *path, *urls, *tier_node, *set;
};
struct raw_hold {
    struct node     *name, *reason, *select;
    struct when_date until; /* the year 0: none */
};
struct raw_cleanup {
    unsigned source;
    int64_t  after_us;
};
struct raw_defaults {
    unsigned     verify;
    struct node *cleanup;
};
struct raw_guards {
    struct policy_guards guards;
    unsigned             on_exceed;
};
struct raw_policy {
    struct node *name, *description, *from, *target, *select, *exclude, *cleanup, *guards, *window;
    bool             enabled;
    int32_t          priority;
    unsigned         order_by, verify;
    struct when_date expires; /* the year 0: never */
    int64_t          min_residency_us;
};
struct raw_path {
    struct node *glob, *regex;
};
struct raw_dates {
    struct when_date from, to;
};

/* POLICY_NO_LIMIT: not given. */
struct raw_sizes {
    uint64_t gt, gte, lt, lte;
};

/* A file that ends in POLICY_TESTS. */
struct raw_tests_file {
    int32_t      version;
    struct node *policy, *tests;
};
/* policy_source.request */
struct raw_request {
    struct node *policies, *select, *words;
};
struct raw_test {
    struct node *name, *recordings, *expect;
    int64_t      as_of_us;
};
/* The fields of the catalog are keys as well. */
struct raw_recording {
    struct node *id, *location, *time, *size;
};
struct raw_expect {
    struct node *move, *stay;
};
/* Of one recording: what moves has no because, what stays neither policy nor target. */
struct raw_expected {
    struct node *id, *policy, *to, *because;
};

enum { CLEANUP_DELETE, CLEANUP_KEEP };

/* The offsets in schema_select and schema_tests are no offsets but these. */
enum selector {
    SELECT_IDS,
    SELECT_IDS_FILE,
    SELECT_DATE,
    SELECT_DATES,
    SELECT_OLDER_THAN,
    SELECT_NEWER_THAN,
    SELECT_PATH,
    SELECT_SIZE,
    SELECT_STORE,
    SELECT_POLICY, /* of a request alone */
    SELECT_EVERYTHING,
    SELECT_ALL,
    SELECT_ANY,
    SELECT_NOT
};
enum test {
    TEST_EQ,
    TEST_NE,
    TEST_IN,
    TEST_GT,
    TEST_GTE,
    TEST_LT,
    TEST_LTE,
    TEST_GLOB,
    TEST_REGEX,
    TEST_OLDER_THAN,
    TEST_NEWER_THAN,
    TEST_NULL
};

extern const struct schema schema_root, schema_connection, schema_time, schema_size,
    schema_reference, schema_hold, schema_defaults, schema_cleanup, schema_policy, schema_guards,
    schema_window, schema_select, schema_dates, schema_path, schema_sizes, schema_tests,
    schema_test, schema_recording, schema_expect, schema_expect_move, schema_expect_stay,
    schema_tests_file, schema_request, schema_asked;
extern const char *const schema_store_types[], *const schema_tiers[];
/* By the index of the choice that is their `type`. */
extern const struct schema *const schema_catalogs[], *const schema_stores[];

/* Every key of the map that the schema knows is read into *out; unknown and missing keys and
 * values that are no such thing are findings, and *out keeps what it had there.                  */
void schema_read(struct load *load, const struct schema *schema, struct node *map, void *out);
/* The same; but keys that are among names, ended by NULL, are left for others to read, as any are
 * if names are not known (NULL).                                                                 */
void schema_read_open(struct load *load, const struct schema *schema, struct node *map,
                      const char *const *names, void *out);
/* The schema's key for a value of a map; a finding if there is none.  `names` (or NULL) are
 * further ones that a message may suggest.                                                       */
const struct schema_key *schema_key_of(struct load *load, const struct schema *schema,
                                       struct node *value, const char *const *names);
/* False if a value of that key, or of one that may have been meant to be it, was misread: what it
 * would have said is not known.                                                                  */
bool schema_knows(const struct schema *schema, const struct node *map, const char *name);
/* NULL if the schema has no such key. */
const struct schema_key *schema_find(const struct schema *schema, const char *name);
/* True if the node is a map that is not empty; otherwise a finding. */
MUST_USE bool schema_map(struct load *load, struct node *node, const char *noun);
MUST_USE bool schema_list(struct load *load, struct node *node, const char *noun);
/* The variant that the map's `type` names; NULL after a finding. */
const struct schema *schema_variant(struct load *load, struct node *map, const char *noun,
                                    const struct schema *const *variants);
#endif
