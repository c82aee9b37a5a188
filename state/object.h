/* object.h: what is known about one object, whoever saw it.  It stands here, and not beside the
 * store port, because the journal keeps objects and may not look right. */
#ifndef STATE_OBJECT_H
#define STATE_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OBJECT_KEY_MAX 1024 /* Azure and S3 allow no longer key */
#define OBJECT_ETAG_MAX 128
#define OBJECT_MD5_BYTES 16
#define OBJECT_COPY_ID_MAX 64

/* Where a digest came from.  CLAIMED: a property that a client once set, which nobody checked.
 * COMPUTED: by the service or by us over the bytes, as they were written or read. */
enum md5_origin { MD5_ABSENT, MD5_CLAIMED, MD5_COMPUTED };
enum access_tier { TIER_DEFAULT, TIER_HOT, TIER_COOL, TIER_COLD, TIER_ARCHIVE };
/* A copy inside the cloud leaves a visible, incomplete object: that is neither absent nor equal. */
enum copy_state { COPY_NONE, COPY_PENDING, COPY_FAILED, COPY_ABORTED };

struct object {
    const char *key; /* relative to the directory: the same on both sides */
    uint64_t bytes;
    const char *etag; /* as the service spells it, quotes included */
    uint8_t md5[OBJECT_MD5_BYTES];
    enum md5_origin md5_origin;
    enum access_tier tier;
    enum copy_state copy;  /* NONE: also one that has ended well                     */
    const char *copy_id;   /* of the copy that it is, or becomes; NULL: nobody knows */
    const char *copy_says; /* FAILED: why, as the service puts it; NULL: it does not */
    bool irregular;        /* a local entry that is no regular file: it can't be moved */
};

/* One object of a unit, as the journal keeps it.  Two writes an object: once with the manifest,
 * once with the reply of its copy (or the look that adopted it). */
struct object_fact {
    struct object want;                /* the source when the manifest was made */
    char target_etag[OBJECT_ETAG_MAX]; /* "" until known */
    bool created;   /* a reply of ours said that we made target_etag: only such may ever be
                     * cleaned up.  Found equal is not created. */
    bool condemned; /* created, and its deletion was sent and not answered: it may come at any time,
                     * so what has this etag is never taken for a copy, whatever it holds */
    bool proven;    /* the bytes behind target_etag were compared, by digest or byte by byte */
    /* A copy that the cloud goes on with by itself.  While it does, target_etag is that of the
     * empty object it began with; the listing in which it is over tells the last one. */
    char copy_id[OBJECT_COPY_ID_MAX]; /* "": none, or one of which nobody told us */
    int64_t copy_us;                  /* when it was begun, or first seen; 0: none is under way */
};

/* SHA-256 over "key\0bytes\0etag\0origin md5\n" of each object in byte order of keys: bytes in
 * decimal, origin as its number, md5 in hexadecimal (empty if absent). */
struct manifest_digest {
    uint8_t sha256[32];
};
/* objects must be sorted by key. */
void object_manifest_digest(const struct object *objects, size_t count,
                            struct manifest_digest *digest);

/* For qsort: byte order of keys. */
int object_compare(const void *a, const void *b);

const char *object_tier_name(enum access_tier tier); /* "default", "hot", ... */
#endif
