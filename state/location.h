/* location.h: the text in a catalog row <-> the store and the key that it means.
 *
 * A location's tail (what follows the base) means the key that percent-decoding gives.  Its
 * canonical spelling is the raw key, with only '%', '?' and '#' encoded (upper-case digits); so
 * one key has one spelling, and the rows of one directory stand together in the catalog's order. */
#ifndef STATE_LOCATION_H
#define STATE_LOCATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "state/place.h"

#define LOCATION_BYTES_MAX 16384 /* a longer text is FOREIGN */

struct arena;

enum spelling {
    SPELLING_REGULAR,   /* canonical: rendering it again gives the same bytes */
    SPELLING_IRREGULAR, /* means an object of a store, but is spelled another way (scheme or host
                         * in capitals, http for https, a default port, an alias' endpoint,
                         * userinfo, a query or fragment, needless or missing percent-encoding,
                         * a backslash, '//', dot segments): blocks the directory that it means */
    SPELLING_SHALLOW,   /* in a store, but in no directory of it (places.by_object: the store
                         * itself): unmanaged */
    SPELLING_FOREIGN    /* in no declared store, or no absolute URL, or not UTF-8, or with control
                         * bytes: unmanaged */
};

struct location {
    uint16_t place;        /* index of the place, the first of its stores'; not for FOREIGN   */
    uint16_t store;        /* the one that it is in; the same until somebody knows better     */
    const char *key;       /* raw, below the base: directory and name */
    const char *directory; /* up to and with its last '/' */
    const char *name;      /* the rest; "" if the location ends in '/': it names a directory */
    const char *unit;      /* what the row stands for: directory, or (places.by_object) key */
};

/* Always classifies.  An alias of the policy's own list (place.aliases) is REGULAR only if it is
 * place.base itself.  Strings of *location live in the arena and are UTF-8 without control bytes:
 * an IRREGULAR location whose encoding hides others is cut, and blocks the innermost directory
 * that can be named. */
enum spelling location_read(const struct places *places, const char *text, struct arena *arena,
                            struct location *location);
/* The canonical location of a raw key: base + directory + name, encoded. */
char *location_make(const struct place *place, const char *directory, const char *name,
                    struct arena *arena);
/* The texts by which others are likely to name a unit, its canonical location first: below the base
 * and each alias of the place; by https and by http (file:/// and file:/); with its path as a
 * location has it, or with all of it percent-encoded that can be; and each of these without its
 * last '/', of an object with a '?' or '#' behind it. */
const char **location_spellings(const struct place *place, const char *unit, struct arena *arena,
                                size_t *count);
/* Why a location is not REGULAR, for people: "has a query"; NULL if it is. */
const char *location_oddity(const struct places *places, const char *text, struct arena *arena);
#endif
