/* listing.h: the objects of many directories of one store, with few requests: flat below a common
 * prefix while that pays, below its branches where they begin far behind it, else one listing each,
 * STORE_LISTINGS_MAX at a time.  A directory whose name does not end in '/' is the one object of
 * that name. */
#ifndef EXECUTOR_LISTING_H
#define EXECUTOR_LISTING_H

#include "base/err.h"
#include "executor/store.h"

#define LISTING_OBJECTS_MAX 1000000 /* of one directory */

/* The objects of directories[index], sorted by key, keys relative to the directory: "" if it is an
 * object.  Or its failure, and then no objects.  They live until the visitor returns.  server_us:
 * the service's clock, 0 if unknown.  Return false to stop everything. */
typedef bool listing_visit(void *context, size_t index, const struct object *objects, size_t count,
                           int64_t server_us, const struct err *failure, struct err *err);

struct listing_tally {
    uint64_t requests, flat_requests, objects;
};

/* What is known of directories that are listed time and again. */
struct listing_hint {
    size_t expected; /* objects in them, about                                                 */
    bool sparse;     /* in and out: most of what is below their common prefix is not in them   */
};

struct listing_request {
    struct store *store;
    const char *const *directories; /* in byte order, none in another */
    size_t count;
    struct listing_hint *hint; /* NULL: the fewest requests */
    listing_visit *visit;
    void *context;
    struct listing_tally *tally; /* is added to */
};

/* Visits each directory once, in no order.  With a hint, pages are no larger than makes sense for
 * what is expected, and a sparse prefix is divided into longer ones: a few requests more that list
 * less of what nobody asked for.  Memory: the objects of STORE_LISTINGS_MAX directories, or of the
 * directories of a few pages.  False only if the visitor said so, or with ERR_CORRUPT if a flat
 * listing was seen to go back into a directory that it had left: no answer holds then. */
MUST_USE bool listing_directories(const struct listing_request *request, struct err *err);
#endif
