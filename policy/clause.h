/* clause.h: a compiled selection: a tree written down in one flat array, each node followed by its
 * children, so that a row is decided by walking forwards through it, without allocation.  What
 * takes long (patterns) stands last in its group: often it need not be asked. */
#ifndef POLICY_CLAUSE_H
#define POLICY_CLAUSE_H

#include <stdint.h>

#include "base/when.h"
#include "policy/diag.h"
#include "policy/ids.h"
#include "policy/pattern.h"
#include "policy/truth.h"
#include "state/record.h"

struct buf;
struct location;
struct node;

enum clause_kind {
    CLAUSE_ALL,
    CLAUSE_ANY,
    CLAUSE_NOT, /* of its one child */
    CLAUSE_EVERYTHING,
    CLAUSE_STORE,   /* index is the store's                                           */
    CLAUSE_POLICY,  /* index is that of the policy that would move it                 */
    CLAUSE_IDS,     /* list                                                           */
    CLAUSE_TIME,    /* the recording's time is within range                           */
    CLAUSE_SIZE,    /* the recording's bytes are within sizes                         */
    CLAUSE_PATH,    /* the key inside the store matches pattern                       */
    CLAUSE_NULL,    /* the field is NULL, or (without `wanted`) is not                */
    CLAUSE_LITERAL, /* a test that has not met its column's type yet: unknown         */
    CLAUSE_TEXT,    /* the field against text, number, boolean or range, by relations */
    CLAUSE_NUMBER,
    CLAUSE_BOOLEAN,
    CLAUSE_INSTANT,
    CLAUSE_PATTERN  /* the field, a text, matches pattern                             */
};

/* Which orders of value and literal pass: `gte` is EQUAL | GREATER. */
enum { RELATION_LESS = 1, RELATION_EQUAL = 2, RELATION_GREATER = 4 };

/* from <= instant < to.  A day is a stretch of them, an instant one of a microsecond. */
struct range {
    int64_t from_us, to_us;
};

/* Two fit into a cache line. */
struct clause {
    uint8_t                     kind;
    uint8_t                     relations;
    uint16_t                    index; /* of the field, store, policy */
    uint32_t                    size;  /* in nodes, with its children */
    const struct clause_origin *origin;
    union {
        struct range   range;
        struct {
            uint64_t from, to; /* from <= bytes < to */
        } sizes;
        struct id_list list;
        struct decimal number;
        struct {
            const char *bytes;
            size_t      size;
        } text;
        bool boolean; /* NULL: wanted */
        const struct pattern *pattern;
    };
};

enum clause_age { AGE_NONE, AGE_OLDER, AGE_NEWER };

/* What binding, preparing and explaining need, out of the way of deciding. */
struct clause_origin {
    struct span          span;
    const char          *words;       /* "older_than 90d", "map = track-1"; cut    */
    const struct node   *literal;     /* of a test or path: as written; else NULL  */
    bool                 shows_value; /* because says what the field really was    */
    enum clause_age      age;
    struct when_duration duration;
};

/* A row and what was looked up for it once. */
struct row {
    const struct record   *record;
    const struct location *location; /* NULL: in no store */
    uint32_t               id;       /* of ids.h          */
    struct pattern_memory *memory;
    uint16_t               policy;   /* CLAUSE_POLICY: the one that would move it */
};

enum truth clause_decide(const struct clause *clause, const struct row *row);
/* -1, 0 or 1, exactly, whatever the scales. */
int clause_compare_decimals(struct decimal a, struct decimal b);

#define CLAUSE_SHOWN_MAX 80 /* bytes of a text, a field's or a literal's; then ".." */

/* What the row has that the clause is about: "107d", "2.45 GB", "track-7", "NULL"; nothing for ids,
 * stores and groups.                                                                             */
void clause_value(const struct clause *clause, const struct row *row, int64_t as_of_us,
                  struct buf *out);
/* What an age is counted from; false: the row has no such instant. */
bool clause_instant(const struct clause *clause, const struct record *record, int64_t *instant_us);
/* The clauses that made it so, joined by ", ": all of an `all`, the first of an `any`.  as_of_us
 * tells ages.                                                                                    */
void clause_because(const struct clause *clause, const struct row *row, int64_t as_of_us,
                    struct buf *out);
#endif
