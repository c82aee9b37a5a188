/* store.h: a place that holds objects.  Azure, a local folder and memory implement struct
 * store_ops; nothing above this header knows which.
 *
 * Keys given to a store and coming from it are raw and relative to the store's own root (container
 * and prefix, or folder).  Every call blocks its thread and no other; any thread may call.  Every
 * call is safe to repeat: deleting what is gone succeeds, copying never overwrites. */
#ifndef EXECUTOR_STORE_H
#define EXECUTOR_STORE_H

#include <stddef.h>

#include "base/err.h"
#include "state/object.h"

struct arena;
struct clock;
struct http;
struct policy_store;
struct store;

#define STORE_CODE_MAX 40
#define STORE_PAGE_MAX 5000   /* objects in a page of a listing */
#define STORE_LISTINGS_MAX 16 /* in one call                    */

/* What became of one item of a batch. */
enum store_result {
    RESULT_DONE,    /* as asked; for a deletion also: was not there                              */
    RESULT_EXISTS,  /* copy, put: the target key is taken; it was left as it is                  */
    RESULT_CHANGED, /* the source (copy, read) or the object (deletion) has another etag, or the
                     * source is gone; nothing was changed                                       */
    RESULT_PENDING, /* copy: begun, the service goes on by itself                                */
    RESULT_REFUSED, /* for good: lease, snapshots, immutability, a size or kind not supported    */
    RESULT_DENIED,  /* credentials or permissions                                                */
    RESULT_BUSY,    /* nothing was changed; try later                                            */
    RESULT_UNKNOWN  /* sent, no answer: look                                                     */
};
struct store_outcome {
    enum store_result result;
    int status;                /* HTTP status or errno                  */
    char code[STORE_CODE_MAX]; /* the peer's own word: "BlobNotFound"   */
};

/* One prefix being listed, a page a call. */
struct listing {
    const char *prefix; /* all keys that start with it; "" for all             */
    bool exact;         /* only the object that has it as its key              */
    const char *marker; /* NULL: the first page.  Out: the next page's, or NULL after the last */
    size_t limit;       /* no more objects than that, where a store has pages; 0: STORE_PAGE_MAX */
    struct object *objects; /* out: in the arena, in the store's own order; keys whole            */
    size_t count;
    int64_t server_us;    /* out: the service's clock, which a failure tells too; 0: none    */
    const char *protocol; /* out: "HTTP/1.1", that the service spoke; NULL: none               */
    struct err err;       /* out: ERR_NONE, or why this page failed                          */
};

struct copy {
    const char *source_key, *source_etag, *target_key;
    uint64_t bytes; /* of the source */
    enum access_tier tier;
    int64_t unit;        /* whose temporary files these are */
    int64_t may_take_us; /* how long the service may go on by itself */
    /* out */
    struct store_outcome outcome;
    char target_etag[OBJECT_ETAG_MAX]; /* DONE; PENDING: until it is over */
    char copy_id[OBJECT_COPY_ID_MAX];  /* PENDING                     */
    uint8_t md5[OBJECT_MD5_BYTES];     /* of the bytes written        */
    enum md5_origin md5_origin;        /* COMPUTED, or ABSENT         */
};

/* A small object made of these bytes. */
struct putting {
    const char *key;
    const void *bytes;
    size_t size_bytes;
    struct store_outcome outcome;
    char etag[OBJECT_ETAG_MAX]; /* DONE */
    bool versioned; /* DONE: the service keeps versions: what is deleted stays as one of them */
};

struct deletion {
    const char *key, *etag; /* deleted only if it still has this etag */
    struct store_outcome outcome;
};

/* A copy that is PENDING, by the id that it was begun with. */
struct aborting {
    const char *key, *copy_id;
    struct store_outcome outcome; /* DONE: it is over, however it ended; CHANGED: it is gone */
};

struct tiering {
    const char *key;
    enum access_tier tier;        /* DEFAULT and ARCHIVE are refused */
    struct store_outcome outcome; /* CHANGED: it is gone */
};

/* A range of an object that must have this etag. */
struct reading {
    const char *key, *etag;
    uint64_t from;
    void *bytes;
    size_t size_bytes;
    size_t got_bytes; /* out: less than size_bytes only at the object's end */
    struct store_outcome outcome;
};

struct store_ops {
    const char *kind; /* "azure": what a policy writes after `type:` */
    /* One listing of a common prefix costs less than one a directory.  Keys come in the order of
     * their bytes, of UTF-16, or with '/' first: what is below a folder follows each other. */
    bool flat;
    bool batches; /* several deletions go out as one request, which a permission may lack */
    /* The next page of each of at most STORE_LISTINGS_MAX listings, at the same time.  A container
     * or folder that is not there is ERR_MISSING; a prefix without objects is an empty page.  A
     * page that was cut off is an error, never a short page.  Temporary files and markers of
     * folders are not listed. */
    void (*list)(struct store *, struct listing *listings, size_t count, struct arena *);
    /* From a source of the same kind.  Source If-Match, target If-None-Match: *. */
    void (*copy)(struct store *target, struct store *source, struct copy *copies, size_t count);
    /* Target If-None-Match: *. */
    void (*put)(struct store *, struct putting *puttings, size_t count);
    /* Copies with these ids, and no others, are over: aborted, which leaves an empty object, or as
     * they had ended before.  NULL: no copy of the kind is ever PENDING. */
    void (*abort_copy)(struct store *, struct aborting *abortings, size_t count);
    void (*remove)(struct store *, struct deletion *deletions, size_t count);
    void (*read)(struct store *, struct reading *readings, size_t count);
    /* The objects are kept at these tiers from now on; their bytes, properties and etags stay as
     * they are, and whose tier it is already keeps it.  NULL: the kind has no tiers.             */
    void (*set_tier)(struct store *, struct tiering *tierings, size_t count);
    /* Temporary files of the unit and empty folders in the directory, and empty parents below the
     * root, are gone; of an object, which others stand beside, only its temporary files and parents
     * that are empty.  NULL: the kind has none. */
    bool (*tidy)(struct store *, const char *directory, int64_t unit, struct err *);
    /* The container is there: it was, or is made, open to nobody else.  NULL: the kind is not
     * opened without what holds its objects. */
    bool (*make)(struct store *, struct err *);
    void (*close)(struct store *);
};

/* First member of every implementation. */
struct store {
    const struct store_ops *ops;
    const char *name; /* the policy's name for it, for messages */
};

/* Opens what a policy declares; reaches out to nothing.  ERR_MISSING: a local folder that is not
 * there; ERR_INPUT: a key that is no base64.  The definition and http are borrowed. */
MUST_USE bool store_open(const struct policy_store *definition, struct http *http,
                         struct clock *clock, struct store **store, struct err *err);
void store_close(struct store *store); /* NULL is fine */

/* Asks for as little as a listing can be asked for: true if there is a store that answers. */
MUST_USE bool store_probe(struct store *store, struct err *err);

const char *store_result_name(enum store_result result); /* "unknown" */
#endif
