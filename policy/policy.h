/* policy.h: what people want: a YAML file read, checked and compiled into a form that decides a
 * catalog row without allocation.
 *
 *   policy_load     the file and all it names: a struct policies, or diagnostics
 *   policy_bind     column types from the catalog meet the tests on fields
 *   policy_prepare  as_of turns durations into instants
 *   policy_decide   one row
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "policy/connection.h"
#include "policy/diag.h"
#include "state/catalog.h"
#include "state/place.h"
#include "state/unit.h"

#define POLICY_FILE_BYTES_MAX (1u << 20)
#define POLICY_SUFFIX ".yaml"
#define POLICY_TESTS ".test.yaml"
#define POLICY_REQUEST "(request)" /* what findings call a request, which is no file */
#define POLICY_IDS_FILE_BYTES_MAX (64u << 20)
#define POLICY_MAX 256      /* policies in a set */
#define POLICY_WINDOWS_MAX 64
#define POLICY_NO_INDEX UINT16_MAX
#define POLICY_NO_LIMIT UINT64_MAX
#define POLICY_FRACTION_ONE 1000000u

struct arena;
struct buf;
struct window;
struct clause; /* a compiled selection */
struct location;
struct zone;

enum store_type { STORE_LOCAL, STORE_AZURE };

struct policy_store {
    const char       *name;
    struct span       span;
    enum store_type   type;
    const char       *path;       /* local: absolute folder                                       */
    struct connection connection; /* azure                                                        */
    const char       *container;  /* azure                                                        */
    const char       *prefix;     /* azure: "" or ends in '/'                                     */
    enum access_tier  tier;
    const struct catalog_set *sets; /* by a cut-over to it; they are among catalog.sets */
    size_t            set_count;
};

enum policy_order { ORDER_OLDEST, ORDER_NEWEST, ORDER_LARGEST, ORDER_SMALLEST };

struct policy_guards {
    uint64_t max_recordings, max_bytes, max_deletes; /* POLICY_NO_LIMIT: none                     */
    uint32_t max_fraction_ppm; /* of the catalog's rows, in parts of POLICY_FRACTION_ONE; that or
                                * more: none                                                      */
    uint64_t min_recordings;
    bool     truncate; /* on_exceed: truncate */
};

extern const struct policy_guards policy_guards_none;

/* How a move is made safe; what equal policies merge to is the stricter of each. */
struct policy_terms {
    enum unit_verify verify;
    bool             keep_source;
    int64_t          grace_us;
    int64_t          residency_us; /* what frostline brought less than this ago stays      */
    uint64_t         windows;      /* bits of policies.windows: begun only inside all of them */
};

struct policy {
    const char          *name, *description;
    const char          *at; /* "recordings.yaml:41:5", the path relative to the root policy */
    struct span          span;
    bool                 enabled;
    int64_t              expires_us; /* not from this instant on; INT64_MAX: never              */
    bool                 active;     /* after policy_prepare: enabled, and not expired at as_of */
    uint16_t             from; /* store index; POLICY_NO_INDEX: every store */
    uint16_t             target;
    int32_t              priority;
    struct policy_terms  terms;
    struct policy_guards guards;
    enum policy_order    order;
    struct clause       *select, *exclude; /* exclude may be NULL */
};

struct policy_hold {
    const char    *name, *reason;
    int64_t        until_us; /* not from this instant on; INT64_MAX: no end */
    bool           active;   /* after policy_prepare: at as_of              */
    struct clause *select;
};

struct policy_var {
    const char *name, *value;
};

/* Of `tests`: what shall become of one recording. */
struct policy_expected {
    const char *at; /* "recordings.yaml:41:5" */
    const char *id;
    bool        moves;
    const char *policy;  /* it moves: the winner's name; NULL: whichever it is          */
    uint16_t    target;  /* it moves: store index; POLICY_NO_INDEX: whichever it is     */
    const char *because; /* it stays: a part of the reason; NULL: whatever it is        */
};
struct policy_test {
    const char             *name, *at;
    int64_t                 as_of_us;
    struct record          *recordings;
    uint16_t               *stores; /* of each recording, as it names it; POLICY_NO_INDEX: a URL */
    size_t                  recording_count;
    struct policy_expected *expected;
    size_t                  expected_count;
};

/* Everything lives in the arena that policy_load was given. */
struct policies {
    const char           *path;   /* as given                                                    */
    const char           *digest; /* "sha256:.." over path (relative), size and bytes of all policy
                                   * and ids files; not of those that hold secrets                */
    const char           *zone_name;
    const struct zone    *zone;
    struct policy_var    *vars; /* sorted by name, overrides applied */
    size_t                var_count;
    struct catalog_config catalog;
    struct policy_store  *stores;
    size_t                store_count;
    struct places         places; /* places.items[i] is where stores[i] is */
    struct policy_hold   *holds;
    size_t                hold_count;
    struct policy        *items;
    size_t                count;
    struct clause        *asked; /* a request's selection: nothing else moves; NULL: whatever the
                                  * policies say                                                */
    struct window        *windows; /* different ones, at most POLICY_WINDOWS_MAX */
    size_t                window_count;
    struct policy_test   *tests;
    size_t                test_count;
    struct catalog_shape  test_shape; /* of a catalog that holds the recordings of all tests */
    int64_t               as_of_us; /* after policy_prepare */
    bool                  looks_at_stores; /* likewise: a `from`, or a selection's `store` */
    bool                  is_target[PLACE_MAX]; /* likewise: stores that some policy wants */
    struct policy_extra  *extra;    /* of policy/ alone     */
};

/* Reads an environment variable; NULL if it is not set. */
typedef const char *policy_env(void *context, const char *name);
/* Reads a file, as file_read does. */
typedef bool policy_read(void *context, const char *path, size_t limit_bytes, struct arena *arena,
                         char **bytes, size_t *size_bytes, struct err *err);

struct policy_source {
    const char              *path;
    policy_env              *env;
    void                    *env_context;
    const struct policy_var *vars; /* --var */
    size_t                   var_count;
    policy_read             *read; /* the policy, what it includes, and its files of ids; NULL: from
                                    * the disk, where secrets are in any case                    */
    void                    *read_context;
    const char              *revision; /* findings call its files "REVISION:path"; NULL: "path"  */
    bool stand_ins; /* what ${..} lacks gets a value that could be one: for a look at the policy
                     * that needs neither its catalog nor its stores                            */
    bool tests;     /* the path may be that of a file of tests                                  */
    const char *request; /* a file of its own, a part of the digest: its `policies` stand in place
                          * of those of the set, or its `select` says what of theirs moves; NULL:
                          * none                                                                */
};

/* A path that ends in POLICY_TESTS is a file of tests: the policy that it names is read with these
 * tests in place of its own.
 *
 * False with err only if the file can't be read at all; otherwise true, and *policies is NULL if
 * diags has errors.  What a ${..} can't give is an error each.                                   */
MUST_USE bool policy_load(const struct policy_source *source, struct arena *arena,
                          struct diags *diags, struct policies **policies, struct err *err);
/* Cleanses the secrets. */
void policy_free(struct policies *policies);

/* Types of the declared fields, of the time and of the size meet the selections; what the table
 * lacks and what can't be compared is a diagnostic.  False if diags has errors.                  */
MUST_USE bool policy_bind(struct policies *policies, const struct catalog_shape *shape,
                          struct diags *diags);
/* Durations become instants, dates days in the policy's zone. */
void policy_prepare(struct policies *policies, int64_t as_of_us);

/* What one policy says of one row. */
enum policy_verdict {
    VERDICT_OUT,       /* disabled, from another store, not selected, not asked for */
    VERDICT_CANDIDATE, /* selected, and not excluded                              */
    VERDICT_EXCLUDED,
    VERDICT_UNDECIDED  /* the selection is unknown, or the exclude of what it selects: it stays */
};
enum decision_kind {
    DECISION_STAY,     /* no policy selects it (some may exclude it, or be undecided)             */
    DECISION_HELD,     /* a hold selects it, or can't be decided                                 */
    DECISION_IN_PLACE, /* the winner's target is where it is                                     */
    DECISION_MOVE,
    DECISION_CONFLICT  /* equal priority, different targets                                      */
};
struct decision {
    enum decision_kind  kind;
    uint16_t            hold;         /* HELD                                                    */
    uint16_t            winner;       /* IN_PLACE, MOVE, CONFLICT: the first of the highest       */
    uint16_t            rival;        /* CONFLICT: the first with another target                 */
    uint16_t            target;       /* store index                                              */
    struct policy_terms terms;        /* merged over all equal winners                            */
    bool                excluded;     /* some policy selects and excludes it, and none wins       */
    bool                undecided;    /* some policy is undecided, and none wins                  */
    bool                asked;        /* the request's selection has it; true without one         */
    uint16_t            blamed;       /* the policy that excludes it or is undecided              */
    uint8_t             verdicts[POLICY_MAX]; /* enum policy_verdict, of each policy; those of a
                                               * held row are filled in as well                   */
};

/* Laws 2, 3 and 6.  location: what the record's means; NULL: in no store.  Marks the ids it meets
 * (policy_each_missing_id), so only one thread decides.                                          */
void policy_decide(struct policies *policies, const struct record *record,
                   const struct location *location, struct decision *decision);
/* The same, whatever a request asks for. */
void policy_decide_unasked(struct policies *policies, const struct record *record,
                           const struct location *location, struct decision *decision);
/* Is the location in a store from which the policy takes?  NULL is in none. */
bool policy_takes_from(const struct policy *policy, const struct location *location);
/* A directory's rows are decided together: *into becomes the contest of both.  Only for kinds
 * IN_PLACE, MOVE and CONFLICT.  store: where the directory is.                                   */
void policy_contest(const struct policies *policies, uint16_t store, struct decision *into,
                    const struct decision *other);
/* The index of a hold that selects the record or can't be decided; POLICY_NO_INDEX if none.  Any
 * thread may ask.                                                                                */
uint16_t policy_held(const struct policies *policies, const struct record *record,
                     const struct location *location);
/* Listed ids that no decided row had; `where` is "recordings.yaml:12:9" or "ids.txt:3:1". */
MUST_USE bool policy_each_missing_id(const struct policies *policies,
                                     bool (*visit)(void *, const char *id, const char *where,
                                                   struct err *),
                                     void *context, struct err *err);
#endif
