/* any_policies.h: a random set of policies as plain data, from which a test can tell by itself what
 * they mean, and the YAML that says the same.  All literals come from small tables, so that clauses
 * meet each other and the rows.                                                                  */
#ifndef TESTS_SUPPORT_ANY_POLICIES_H
#define TESTS_SUPPORT_ANY_POLICIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct rand;

/* ---- what a literal may be, and what it means ---- */

enum { ANY_IDS = 6, ANY_FILES = 2, ANY_STORES = 4 };
extern const char *const any_ids[ANY_IDS];
extern const char *const any_files[ANY_FILES]; /* of ids */
extern const char *const any_stores[ANY_STORES];

struct any_zone {
    const char *name;
    int offset_s; /* in all years that matter */
};

/* A day, or what a clock in UTC shows. */
struct any_time {
    const char *text;
    bool is_day;
    int year, month, day, hour, minute, second, microsecond;
};
enum { ANY_DAYS = 10, ANY_MOMENTS = 8 };
extern const struct any_time any_days[ANY_DAYS]; /* in their order */
extern const struct any_time any_moments[ANY_MOMENTS];

struct any_age {
    const char *text;
    int months; /* or */
    int64_t seconds;
};
enum { ANY_AGES = 11 };
extern const struct any_age any_ages[ANY_AGES];

struct any_size {
    const char *text;
    uint64_t bytes;
};
enum { ANY_SIZES = 6 };
extern const struct any_size any_sizes[ANY_SIZES]; /* in their order */

struct any_pattern {
    bool is_glob;
    const char *text;
    bool (*matches)(const char *text);
};

enum { ANY_TEXTS = 9, ANY_NUMBERS = 14 };
extern const char *const any_texts[ANY_TEXTS];
extern const char *const any_numbers[ANY_NUMBERS];

/* ---- selections ---- */

enum any_column {
    ANY_TEXT,
    ANY_NUMBER,
    ANY_BOOLEAN,
    ANY_TIME,
    ANY_DATE,
    ANY_NOTHING, /* it has no value in any row */
    ANY_COLUMNS
};
struct any_field {
    const char *name;
    enum any_column column;
};
enum { ANY_FIELDS = 7 };
extern const struct any_field any_fields[ANY_FIELDS];

enum any_relation {
    ANY_EQ,
    ANY_NE,
    ANY_IN,
    ANY_GT,
    ANY_GTE,
    ANY_LT,
    ANY_LTE,
    ANY_GLOB,
    ANY_REGEX,
    ANY_OLDER,
    ANY_NEWER,
    ANY_NULL,
    ANY_RELATIONS
};
extern const char *const any_relations[ANY_RELATIONS];

struct any_literal {
    const char *text;
    const struct any_time *time; /* of a time or date */
};
enum { ANY_LITERALS_MAX = 3, ANY_TESTS_MAX = 2 };
struct any_test {
    enum any_relation relation;
    struct any_literal literals[ANY_LITERALS_MAX]; /* one, but for IN */
    size_t count;
    const struct any_pattern *pattern; /* GLOB, REGEX   */
    const struct any_age *age;         /* OLDER, NEWER  */
    bool is_null;                      /* NULL: wanted  */
};

enum any_selector {
    ANY_SELECT_IDS,
    ANY_SELECT_FILE,
    ANY_SELECT_DATE,
    ANY_SELECT_DATES,
    ANY_SELECT_OLDER,
    ANY_SELECT_NEWER,
    ANY_SELECT_PATH,
    ANY_SELECT_SIZE,
    ANY_SELECT_STORE,
    ANY_SELECT_FIELD,
    ANY_SELECT_EVERYTHING,
    ANY_SELECT_ALL,
    ANY_SELECT_ANY,
    ANY_SELECT_NOT,
    ANY_SELECTORS
};

/* All of its keys hold. */
struct any_selection {
    struct any_key *keys;
    size_t count;
};
struct any_key {
    enum any_selector selector;
    uint8_t ids;                                /* IDS: a bit for each of any_ids         */
    uint8_t file;                               /* FILE: of any_files                     */
    const struct any_time *first, *last;        /* DATE: first; DATES: either may be NULL */
    const struct any_age *age;                  /* OLDER, NEWER                           */
    const struct any_pattern *glob, *regex;     /* PATH: either may be NULL               */
    const struct any_size *gt, *gte, *lt, *lte; /* SIZE: each may be NULL                 */
    uint16_t store;                             /* STORE: of any_stores                   */
    uint8_t field;                              /* FIELD: of any_fields                   */
    struct any_test tests[ANY_TESTS_MAX];       /* FIELD: all of them hold                */
    size_t test_count;
    bool is_short;               /* FIELD: only a value is written, which it has to equal */
    struct any_selection *parts; /* ALL, ANY; NOT: one                                    */
    size_t part_count;
};

/* ---- sets ---- */

#define ANY_UNSAID (-1)
#define ANY_EVERY_STORE UINT16_MAX

/* ANY_UNSAID or NULL: as the defaults say, or the language. */
struct any_terms {
    int verify; /* 0 to 2: size, checksum, readback */
    int keep_source;
    const struct any_age *grace;
};
struct any_hold {
    const struct any_time *until; /* the last day; NULL: no end */
    struct any_selection select;
};
struct any_policy {
    bool enabled;
    const struct any_time *expires; /* the last day; NULL: never   */
    uint16_t from, target;          /* indexes of any_stores       */
    int priority;
    struct any_terms terms;
    struct any_selection select;
    bool has_exclude;
    struct any_selection exclude;
    const char *guards, *order_by;
};
enum { ANY_HOLDS_MAX = 2, ANY_POLICIES_MAX = 6 };
struct any_set {
    const struct any_zone *zone;
    uint8_t files[ANY_FILES]; /* a bit for each of any_ids */
    struct any_terms defaults;
    struct any_hold holds[ANY_HOLDS_MAX];
    size_t hold_count;
    struct any_policy policies[ANY_POLICIES_MAX];
    size_t count;
};

enum any_guards { ANY_GUARDS_NONE, ANY_GUARDS_FAIL, ANY_GUARDS_TRUNCATE };
struct any_options {
    unsigned stores; /* so many of any_stores                            */
    unsigned fields; /* a bit for each of any_fields                     */
    bool has_files;
    bool has_places; /* what a policy says may depend on where a row is  */
    enum any_guards guards;
};

/* What it points to lives in the arena. */
void any_draw(struct any_set *set, const struct any_options *options, struct rand *rand,
              struct arena *arena);
/* From `timezone` to `policies`: what stands behind a catalog and its stores. */
void any_write(const struct any_set *set, struct buf *out);
/* What the file of ids holds. */
void any_write_file(const struct any_set *set, size_t file, struct buf *out);
#endif
