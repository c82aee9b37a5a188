#include "policy/turn.h"

#include <stdlib.h>

#include "base/zone.h"
#include "policy/clause.h"
#include "policy/extra.h"

#define HOUR_US (3600 * WHEN_SECOND_US)
/* In the mean of 400 years; n months in a row are less than 5 days longer or shorter. */
#define MONTH_US (INT64_C(30436875) * WHEN_DAY_US / 1000000)

/* It turns when its line passes an instant that is between these two. */
struct turn_age {
    const struct clause *clause;
    int64_t from_us, to_us;
};

/* ---- ages ---- */

static void count_ages(void *context, struct clause *root)
{
    struct turns *turns = context;
    for (const struct clause *clause = root; clause < root + root->size; clause++)
        turns->age_count += clause->origin->age != AGE_NONE;
}

static int64_t line_of(const struct turns *turns, const struct clause *clause, int64_t at_us)
{
    return zone_before(turns->policies->zone, at_us, clause->origin->duration);
}

static void add_ages(void *context, struct clause *root)
{
    struct turns *turns = context;
    for (const struct clause *clause = root; clause < root + root->size; clause++)
        if (clause->origin->age != AGE_NONE)
            turns->ages[turns->age_count++] = (struct turn_age){
                .clause = clause, .from_us = line_of(turns, clause, turns->as_of_us)};
}

void turn_init(struct turns *turns, const struct policies *policies)
{
    *turns = (struct turns){.policies = policies, .as_of_us = policies->as_of_us};
    extra_each_selection(policies, count_ages, turns);
    size_t most = turns->age_count + policies->count + policies->hold_count;
    turns->ages = calloc(turns->age_count + 1, sizeof *turns->ages);
    turns->items = calloc(most + 1, sizeof *turns->items);
    if (turns->ages == NULL || turns->items == NULL)
        err_abort("out of memory");
    turns->age_count = 0;
    extra_each_selection(policies, add_ages, turns);
    turn_limit(turns, INT64_MAX);
}

void turn_free(struct turns *turns)
{
    free(turns->ages);
    free(turns->items);
}

/* With months a line may go back, by less than a day at the end of one. */
void turn_limit(struct turns *turns, int64_t until_us)
{
    turns->until_us = until_us;
    for (size_t i = 0; i < turns->age_count; i++)
        turns->ages[i].to_us = until_us == INT64_MAX
                                   ? INT64_MAX
                                   : line_of(turns, turns->ages[i].clause, until_us) + WHEN_DAY_US;
}

/* The first as_of whose age line is at the instant or behind it.  With months it is followed from
 * where it can't be yet. */
static int64_t first_line_at(const struct zone *zone, struct when_duration age, int64_t instant_us)
{
    if (age.months == 0)
        return instant_us + age.us;
    int64_t at = instant_us + age.us + age.months * MONTH_US - 5 * WHEN_DAY_US;
    while (zone_before(zone, at, age) < instant_us)
        at += HOUR_US;
    int64_t before = at - HOUR_US;
    while (before + 1 < at) {
        int64_t middle = before + (at - before) / 2;
        if (zone_before(zone, middle, age) >= instant_us)
            at = middle;
        else
            before = middle;
    }
    return at;
}

/* ---- of one row ---- */

static void add(struct turns *turns, int64_t instant_us)
{
    if (instant_us > turns->as_of_us && instant_us < turns->until_us)
        turns->items[turns->count++] = instant_us;
}

/* An age is strict: who must be older turns when the line has passed the instant, who must be newer
 * when it comes to it. */
static void add_age(struct turns *turns, const struct turn_age *age, const struct record *record)
{
    const struct clause_origin *origin = age->clause->origin;
    int64_t instant_us;
    if (!clause_instant(age->clause, record, &instant_us) || instant_us < age->from_us ||
        instant_us > age->to_us)
        return;
    instant_us += origin->age == AGE_OLDER;
    add(turns, first_line_at(turns->policies->zone, origin->duration, instant_us));
}

static void add_ends(struct turns *turns)
{
    const struct policies *policies = turns->policies;
    for (size_t i = 0; i < policies->count; i++)
        add(turns, policies->items[i].expires_us);
    for (size_t i = 0; i < policies->hold_count; i++)
        add(turns, policies->holds[i].until_us);
}

static int compare_instants(const void *a, const void *b)
{
    int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;
    return (one > other) - (one < other);
}

void turn_find(struct turns *turns, const struct record *record, bool ends)
{
    turns->count = 0;
    for (size_t i = 0; i < turns->age_count; i++)
        add_age(turns, &turns->ages[i], record);
    if (ends)
        add_ends(turns);
    if (turns->count > 1)
        qsort(turns->items, turns->count, sizeof *turns->items, compare_instants);
}
