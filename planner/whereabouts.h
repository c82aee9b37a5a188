/* whereabouts.h: law 11: which of the stores of one place a directory is in: the one whose tier
 * frostline last gave it, else the first one that the policy names.  A survey sees the tiers
 * themselves, before anything is planned. */
#ifndef PLANNER_WHEREABOUTS_H
#define PLANNER_WHEREABOUTS_H

#include "base/buf.h"
#include "planner/planner.h"
#include "state/location.h"

struct whereabouts {
    const struct policies *policies;
    planner_tier          *tier; /* asked only of places that stores share; NULL: nobody knows */
    void                  *context;
    bool                   is_shared[PLACE_MAX];
    struct buf             unit; /* the last one that was asked for, and where it is */
    uint16_t               place, store;
};

void whereabouts_init(struct whereabouts *whereabouts, const struct policies *policies,
                      planner_tier *tier, void *context);
void whereabouts_free(struct whereabouts *whereabouts);
/* The store of today's policy that is where a unit's URL says; of several that are one place, the
 * one of that tier, else the first.  False: there is none. */
bool whereabouts_of_unit(const struct policies *policies, const char *url, const char *directory,
                         enum access_tier tier, struct arena *scratch, uint16_t *store);
/* location->store is known. */
MUST_USE bool whereabouts_find(struct whereabouts *whereabouts, struct arena *scratch,
                               struct location *location, struct err *err);
#endif
