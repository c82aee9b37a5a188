/* place.h: what a store is to a location: the URLs below which the catalog knows it.  state/ knows
 * no policy; whoever has store definitions fills a struct places. */
#ifndef STATE_PLACE_H
#define STATE_PLACE_H

#include <stddef.h>

#include "base/err.h"

struct arena;

#define PLACE_MAX 64

/* The base is canonical: lower-case scheme and host, no default port, the container and the
 * store's prefix, ends in '/', holds no secret.  "https://acct.blob.core.windows.net/recordings/",
 * "file:///srv/hot/".  Aliases have the same form: other endpoints of the account, and what the
 * policy lists. */
struct place {
    const char *store; /* the policy's name for it */
    const char *base;
    const char *const *aliases;
    size_t alias_count;
};

/* In the order of the policy's stores: the index of a place is the index of its store.  Stores that
 * have one base are one place: they have the same aliases, and each keeps its objects there at an
 * access tier of its own; what is about the place alone is said of the first of them. */
struct places {
    const struct place *items;
    size_t count;
    bool by_object; /* a row stands for its one object, and not for its directory */
};

/* What a URL means, however it is spelled: scheme and host in lower case, https for http, no user,
 * default port, query or fragment; the path percent-decoded once, with '/' for a backslash, empty
 * and dot segments resolved.  Two URLs that mean one thing have one meaning; it is for comparing
 * only. NULL if it is no absolute URL. */
char *place_meaning(const char *url_text, struct arena *arena);

/* The first of the stores that are one place with this one: itself, if it is alone. */
size_t place_first(const struct places *places, size_t index);
bool place_is_shared(const struct places *places, size_t index);

/* ERR_INPUT if one base (or alias) means the same as, or something in, another place's: *first and
 * *second are their indexes.  Stores with one base are not asked about each other. */
MUST_USE bool place_check(const struct places *places, size_t *first, size_t *second,
                          struct err *err);
#endif
