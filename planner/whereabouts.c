#include "planner/whereabouts.h"

#include "base/str.h"

void whereabouts_init(struct whereabouts *whereabouts, const struct policies *policies,
                      planner_tier *tier, void *context)
{
    const struct places *places = &policies->places;
    *whereabouts = (struct whereabouts){
        .policies = policies, .tier = tier, .context = context, .place = PLACE_MAX};
    buf_init(&whereabouts->unit, LOCATION_BYTES_MAX);
    for (size_t i = 0; i < places->count; i++)
        whereabouts->is_shared[i] = place_is_shared(places, i);
}

void whereabouts_free(struct whereabouts *whereabouts)
{
    buf_free(&whereabouts->unit);
}

/* The first one for a tier that none of them has. */
static uint16_t store_of(const struct policies *policies, uint16_t place, enum access_tier tier)
{
    const struct place *items = policies->places.items;
    for (size_t i = place; i < policies->store_count; i++) {
        if (policies->stores[i].tier == tier && str_equal(items[i].base, items[place].base))
            return (uint16_t)i;
    }
    return place;
}

bool whereabouts_of_unit(const struct policies *policies, const char *url, const char *directory,
                         enum access_tier tier, struct arena *scratch, uint16_t *store)
{
    const struct place *items = policies->places.items;
    for (size_t i = 0; i < policies->store_count; i++) {
        if (str_equal(location_make(&items[i], directory, "", scratch), url)) {
            *store = store_of(policies, (uint16_t)i, tier);
            return true;
        }
    }
    return false;
}

static bool ask(struct whereabouts *whereabouts, const struct location *location,
                struct arena *scratch, struct err *err)
{
    const struct place *place = &whereabouts->policies->places.items[location->place];
    enum access_tier tier = TIER_DEFAULT;
    const char *url = location_make(place, location->unit, "", scratch);
    if (whereabouts->tier != NULL && !whereabouts->tier(whereabouts->context, url, &tier, err))
        return false;
    whereabouts->store = store_of(whereabouts->policies, location->place, tier);
    return true;
}

bool whereabouts_find(struct whereabouts *whereabouts, struct arena *scratch,
                      struct location *location, struct err *err)
{
    if (!whereabouts->is_shared[location->place])
        return true;
    if (whereabouts->place != location->place ||
        !str_equal(buf_string(&whereabouts->unit), location->unit)) {
        if (!ask(whereabouts, location, scratch, err))
            return false;
        whereabouts->place = location->place;
        buf_reset(&whereabouts->unit);
        buf_text(&whereabouts->unit, location->unit);
    }
    location->store = whereabouts->store;
    return true;
}
