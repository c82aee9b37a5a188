/* azure_private.h: what the parts of the Azure adapter share.  azure_list.c, azure_copy.c,
 * azure_remove.c, azure_read.c and azure_tier.c are the verbs of the port; azure_call.c makes and
 * signs a request, azure_batch.c sends many as few, azure_outcome.c says what a reply means. */
#ifndef EXECUTOR_AZURE_AZURE_PRIVATE_H
#define EXECUTOR_AZURE_AZURE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/secret.h"
#include "executor/azure/azure.h"
#include "executor/http/http.h"

#define AZURE_CHUNK_MAX 128  /* items of a call that are in memory as requests at a time */
#define AZURE_PARTS_MAX 1024 /* the same of azure_batch, whose requests are small */
#define AZURE_SCRATCH_BYTES_MAX ((size_t)256 << 20)
#define AZURE_PARAMS_MAX 8

/* How the account copies: found out by the first copy. */
enum azure_way {
    AZURE_WAY_UNKNOWN,
    AZURE_WAY_PUT,  /* Put Blob From URL: answers a digest    */
    AZURE_WAY_COPY, /* Copy Blob From URL: does not           */
    AZURE_WAY_NONE  /* neither: no object in a single request */
};

struct azure {
    struct store store;
    struct http *http;
    struct clock *clock;
    struct http_window *window;
    struct arena arena;  /* the texts below                                  */
    const char *origin;  /* "https://account.blob.core.windows.net"          */
    const char *service; /* the path of the account: "/", or "/account/" of an emulator  */
    const char *root;    /* the path of the container, encoded                           */
    const char *account, *container, *prefix;
    bool is_loopback, https_only;
    struct secret key;        /* as bytes, or none                                */
    const struct secret *sas; /* used if there is no key                          */
    struct azure_limits limits;
    atomic_int way;           /* enum azure_way                                   */
    atomic_bool lacks_blocks; /* it knows no Put Block From URL                   */
    pthread_mutex_t mutex;    /* of what follows                                  */
    struct secret source_sas;
    int64_t source_sas_expires_us;
};

/* -- azure.c ----------------------------------------------------------------------------------- */

/* Can stand in a URL and comes back as it was: no control bytes, no "." and ".." segments (which
 * services and proxies resolve), UTF-8, not too long.                                            */
bool azure_key_is_plain(const char *key);
/* Names exactly one version: quoted once, without control bytes.  An empty one or "*" would be
 * none, and `"1", "2"` would be a list of which one must match. */
bool azure_etag_is_exact(const char *etag);
/* What lets another account read this container: the SAS of the connection, or one made here, which
 * lives on for that long at least. */
const char *azure_source_sas(struct azure *azure, int64_t needed_us, struct arena *arena);

/* The largest object that one request copies. */
uint64_t azure_whole_bytes(const struct azure *azure);

/* -- azure_call.c ------------------------------------------------------------------------------ */

/* A request on its way to http_batch. */
struct azure_call {
    const struct azure *azure;
    struct http_request *request;
    struct arena *arena;
    const char *path;
    struct http_header params[AZURE_PARAMS_MAX];
    size_t param_count;
    struct http_header *headers;
    size_t header_count, header_room;
    struct http_header *authorization;
    char date_text[40];
};
/* Key: relative to the store; NULL: the container.  The request may be repeated. */
struct azure_call *azure_call_make(const struct azure *azure, const char *method, const char *key,
                                   struct http_request *request, struct arena *arena);
/* In the order of their names. */
void azure_call_param(struct azure_call *call, const char *name, const char *value);
void azure_call_header(struct azure_call *call, const char *name, const char *value);
/* The request is complete, but for what is signed when it is sent. */
void azure_call_seal(struct azure_call *call);
/* The path of a key as it stands in a URL. */
const char *azure_call_path(const struct azure *azure, const char *key, struct arena *arena);

/* -- azure_outcome.c --------------------------------------------------------------------------- */

struct store_outcome azure_outcome_plain(enum store_result result);
/* What a status means that no verb knows better; code may be NULL. */
struct store_outcome azure_outcome_status(int status, const char *code);
/* The same of a request, answered or not. */
struct store_outcome azure_outcome_request(const struct http_request *request, struct arena *arena);
/* False; fills err with what the failure of a request that only reads means. */
bool azure_outcome_err(const struct azure *azure, const struct http_request *request,
                       struct arena *arena, struct err *err);

/* -- azure_batch.c ----------------------------------------------------------------------------- */

/* What the parts of a batch have in common: the service takes no others together. */
struct azure_verb {
    const char *method;
    const char *comp;   /* of the query; NULL: none */
    const char *header; /* whose value is each part's own */
    /* Corrects what azure_outcome_status made of an answer by what it means for this verb. */
    void (*refine)(struct store_outcome *outcome);
};
struct azure_part {
    const char *key;
    const char *value;            /* NULL: refused, and so is a key that is not plain; not sent */
    struct store_outcome outcome; /* out */
};
/* At most AZURE_PARTS_MAX parts, in batches; one alone is a request of its own. */
void azure_batch(struct azure *azure, const struct azure_verb *verb, struct azure_part *parts,
                 size_t count, struct arena *scratch);

/* -- azure_page.c ------------------------------------------------------------------------------ */

struct azure_page;
/* A reply of List Blobs, parsed as it comes in.  asked: the prefix that was asked for, below the
 * container; names come back without their first strip_bytes.  Objects go to the arena.          */
struct azure_page *azure_page_make(const char *asked, size_t strip_bytes, struct arena *arena);
/* An http_sink. */
void azure_page_add(void *page, const char *bytes, size_t size_bytes);
/* Fills objects, count and marker.  ERR_CORRUPT if the reply was cut off, contradicts itself or
 * names what was not asked for. */
MUST_USE bool azure_page_finish(struct azure_page *page, struct listing *listing, struct err *err);
void azure_page_free(struct azure_page *page);

/* -- azure_head.c ------------------------------------------------------------------------------ */

/* A look at one object. */
struct azure_head {
    const char *key, *etag; /* etag: that it should have; NULL: any */
    /* out */
    struct store_outcome outcome; /* DONE; CHANGED: it has another etag (412) or is gone (404) */
    uint64_t bytes;
    struct http_header *properties; /* as headers that give a new object the same properties */
    size_t property_count;
};
void azure_head_all(struct azure *azure, struct azure_head *heads, size_t count,
                    struct arena *arena);

/* -- the verbs --------------------------------------------------------------------------------- */

void azure_list(struct store *store, struct listing *listings, size_t count, struct arena *arena);
void azure_copy(struct store *target, struct store *source, struct copy *copies, size_t count);
bool azure_make(struct store *store, struct err *err);
void azure_put(struct store *store, struct putting *puttings, size_t count);
void azure_abort_copy(struct store *store, struct aborting *abortings, size_t count);
void azure_remove(struct store *store, struct deletion *deletions, size_t count);
void azure_read(struct store *store, struct reading *readings, size_t count);
void azure_tier_set(struct store *store, struct tiering *tierings, size_t count);
/* What the service calls a tier; NULL: TIER_DEFAULT, which it has no word for. */
const char *azure_tier_name(enum access_tier tier);
/* TIER_DEFAULT: a word not known here, such as those of page blobs. */
enum access_tier azure_tier_read(const char *name);

/* -- azure_copy.c, azure_blocks.c -------------------------------------------------------------- */

/* Some copies of one call. */
struct azure_copying {
    struct azure *target, *source;
    const char *sas; /* of the source */
    struct arena *arena;
};
/* A request that writes the target of a copy, if nothing is there yet. */
struct azure_call *azure_copy_call(const struct azure_copying *copying, const struct copy *copy,
                                   struct http_request *request);
/* The headers that name the source, and its etag. */
void azure_copy_source(const struct azure_copying *copying, const struct copy *copy,
                       struct azure_call *call);
/* What the reply says of the copy. */
void azure_copy_answer(const struct azure_copying *copying, struct copy *copy,
                       const struct http_request *request);
/* An object too large for one request, block by block; head: of the source. */
void azure_blocks_copy(const struct azure_copying *copying, struct copy *copy,
                       const struct azure_head *head);

#endif
