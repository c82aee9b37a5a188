/* standing.h: how recordings stand, by the last unit that each was in: "failed", "waiting". */
#ifndef ENGINE_STANDING_H
#define ENGINE_STANDING_H

#include "base/err.h"
#include "state/unit.h"

struct arena;
struct journal;

/* Words: open, waiting, parked, failed, done. */
enum standing {
    STANDING_OPEN,    /* on its way, or to be looked at             */
    STANDING_WAITING, /* at its target, the source in its grace     */
    STANDING_PARKED,
    STANDING_FAILED, /* parked, or given up before anything changed */
    STANDING_DONE,
    STANDINGS
};

/* ERR_INPUT with all words. */
MUST_USE bool standing_read(const char *word, enum standing *standing, struct err *err);
bool standing_of(enum standing standing, const struct unit *unit);
/* Is it the last unit of any of its recordings?  The arena is taken back. */
MUST_USE bool standing_is_last(struct journal *journal, const struct unit *unit,
                               struct arena *arena, bool *is_last, struct err *err);
/* The recordings whose last unit stands so, in no order; the id lives until visit returns. */
MUST_USE bool standing_each(struct journal *journal, enum standing standing,
                            void (*visit)(void *context, const char *id), void *context,
                            struct err *err);
#endif
