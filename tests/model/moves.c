/* moves.c: which state of a move can follow which, by asking protocol_step itself: from PLANNED on,
 * in all states that can be reached, with many events in each.  Prints `state NAME` for every state
 * there is and `move FROM TO` for every pair, for run.py to compare with what the model does.
 *
 * A sight is made object by object and row by row, so that it tells of nothing that nobody could
 * see. */
#include <stdio.h>

#include "base/rand.h"
#include "executor/protocol.h"

#define EVENTS 10000 /* for each unit that was reached */
#define UNITS_MAX 512
#define OBJECTS 2
#define ROWS 2
#define GRACE_US 1000

static struct unit reached[UNITS_MAX];
static size_t reached_count;
static bool moves[UNIT_STATES][UNIT_STATES];

static bool often(struct rand *rand)
{
    return rand_below(rand, 4) > 0;
}

static uint64_t rarely(struct rand *rand)
{
    return !often(rand) && !often(rand);
}

static struct sight any_sight(struct rand *rand)
{
    struct sight sight = {.looked = often(rand) ? ~0U : (unsigned)rand_below(rand, 32)};
    bool all_well = often(rand);
    for (int i = 0; i < OBJECTS; i++) {
        uint64_t *source[] = {&sight.source.same, &sight.source.changed, &sight.source.missing};
        uint64_t *target[] = {&sight.target.equal, &sight.target.differs, &sight.target.absent,
                              &sight.target.cannot_tell, &sight.target.pending};
        ++*source[all_well || often(rand) ? 0 : rand_below(rand, 3)];
        ++*target[all_well || often(rand) ? 0 : rand_below(rand, 5)];
    }
    if (rarely(rand)) {
        sight.target.failed = sight.target.absent;
        sight.target.overdue = sight.target.pending;
    }
    if (rand_below(rand, 4) == 0) { /* all deleted */
        sight.source.same = sight.source.changed = 0;
        sight.source.missing = OBJECTS;
    }
    sight.source.extra = rarely(rand);
    sight.target.extra = rarely(rand);
    uint64_t most = rand_below(rand, 3);
    for (int i = 0; i < ROWS; i++) {
        uint32_t *rows[] = {&sight.rows.at_source, &sight.rows.at_target, &sight.rows.elsewhere};
        ++*rows[often(rand) ? most : rand_below(rand, 3)];
    }
    sight.rows.strangers = (uint32_t)rarely(rand);
    sight.held = rarely(rand);
    sight.referenced = rarely(rand);
    sight.server_us = (int64_t)rand_below(rand, 3) * GRACE_US;
    sight.skew_us = rarely(rand) ? PROTOCOL_SKEW_US + 1 : 0;
    return sight;
}

static struct event any_event(struct rand *rand)
{
    struct event event = {.kind = (enum event_kind)rand_below(rand, EVENT_KINDS),
                          .now_us = (int64_t)rand_below(rand, 3) * GRACE_US,
                          .failure = (enum err_kind)rand_below(rand, ERR_INTERNAL + 1),
                          .same_objects = often(rand),
                          .same_rows = often(rand),
                          .already = rarely(rand),
                          .irregular = rarely(rand),
                          .archived = rarely(rand),
                          .objects = OBJECTS,
                          .cut = (enum cut)rand_below(rand, CUT_UNKNOWN + 1)};
    event.tally = (struct tally){.changed = rarely(rand),
                                 .refused = rarely(rand),
                                 .denied = rarely(rand),
                                 .unknown = rarely(rand),
                                 .differs = rarely(rand)};
    event.sight = any_sight(rand);
    return event;
}

/* Rounds and failures are drawn anew for every event. */
static bool are_alike(const struct unit *a, const struct unit *b)
{
    return a->state == b->state && a->left_state == b->left_state &&
           a->keep_source == b->keep_source && a->grace_us == b->grace_us &&
           a->cleanup_at_us == b->cleanup_at_us;
}

static void reach(const struct unit *unit)
{
    for (size_t i = 0; i < reached_count; i++)
        if (are_alike(&reached[i], unit))
            return;
    if (reached_count < UNITS_MAX)
        reached[reached_count++] = *unit;
}

static void explore(const struct unit *unit, struct rand *rand)
{
    for (int i = 0; i < EVENTS; i++) {
        struct unit now = *unit, next;
        struct action action;
        struct event event = any_event(rand);
        now.rounds = (uint32_t)rand_below(rand, PROTOCOL_PROOFS_MAX + 1);
        now.failures = (uint32_t)rand_below(rand, PROTOCOL_FAILURES_MAX);
        protocol_step(&now, &event, &next, &action);
        moves[now.state][next.state] = true;
        reach(&next);
    }
}

int main(void)
{
    struct rand rand;
    rand_init(&rand, 1);
    for (int i = 0; i < 4; i++)
        reach(&(struct unit){.kind = UNIT_MOVE,
                             .state = UNIT_PLANNED,
                             .keep_source = (i & 1) != 0,
                             .grace_us = (i & 2) != 0 ? GRACE_US : 0,
                             .objects = OBJECTS,
                             .rows = ROWS});
    for (size_t i = 0; i < reached_count; i++)
        explore(&reached[i], &rand);

    for (int from = 0; from < UNIT_STATES; from++) {
        printf("state %s\n", unit_state_name((enum unit_state)from));
        for (int to = 0; to < UNIT_STATES; to++)
            if (moves[from][to])
                printf("move %s %s\n", unit_state_name((enum unit_state)from),
                       unit_state_name((enum unit_state)to));
    }
    return reached_count < UNITS_MAX ? 0 : 1;
}
