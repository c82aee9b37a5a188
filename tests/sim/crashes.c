/* Every crash point: crash after effect k, for k = 1, 2, 3 .. until a schedule ends without having
 * come to it; so none can be forgotten, and nobody counts them by hand. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

struct tried {
    uint64_t points, pairs, triples, effects;
};

static struct sim *sim;

static void print_crashes(const struct crash *crashes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        printf(" %" PRIu64 "%c", crashes[i].effect, crashes[i].kind == CRASH_KILL ? 'k' : 'p');
}

static void play(size_t index, const struct crash *crashes, size_t count, bool traced)
{
    memset(sim, 0, sizeof(*sim));
    scenario_case(index, &sim->traits);
    sim->is_given = true;
    sim->seed = index + 1;
    sim->crashes = crashes;
    sim->crash_count = count;
    sim->traced = traced;
    scenario_play(sim);
}

/* True if all of them were reached. */
static bool try(size_t index, const struct crash *crashes, size_t count, struct tried *tried)
{
    play(index, crashes, count, false);
    tried->effects += sim->effects;
    bool reached = sim->crash_next == count;
    if (sim->failed) {
        play(index, crashes, count, true);
        printf("crash points of case %zu:", index);
        print_crashes(crashes, count);
        printf(": %s\n", sim->failure);
        exit(1);
    }
    return reached;
}

/* A power cut loses what it likes: chance is drawn from the seed of the case. */
static uint64_t try_points(size_t index, struct tried *tried)
{
    uint64_t points = 0;
    for (enum crash_kind kind = CRASH_KILL; kind <= CRASH_POWER; kind++) {
        struct crash crash = {.effect = 1, .kind = kind};
        while (try(index, &crash, 1, tried))
            crash.effect++;
        points = crash.effect - 1;
        tried->points += points;
    }
    return points;
}

static void try_pairs(size_t index, uint64_t points, struct tried *tried)
{
    for (uint64_t first = 1; first <= points; first++) {
        for (unsigned kinds = 0; kinds < 4; kinds++) {
            struct crash crashes[] = {{first, (enum crash_kind)(kinds & 1)},
                                      {first + 1, (enum crash_kind)(kinds >> 1)}};
            for (; try(index, crashes, 2, tried); crashes[1].effect++)
                tried->pairs++;
        }
    }
}

static int compare_crashes(const void *a, const void *b)
{
    const struct crash *one = a, *other = b;
    return (one->effect > other->effect) - (one->effect < other->effect);
}

static void try_triples(size_t cases, uint64_t count, struct tried *tried)
{
    struct rand rand;
    rand_init(&rand, count);
    for (uint64_t i = 0; i < count; i++) {
        struct crash crashes[3];
        for (size_t k = 0; k < 3; k++)
            crashes[k] =
                (struct crash){1 + rand_below(&rand, 150), (enum crash_kind)rand_below(&rand, 2)};
        qsort(crashes, 3, sizeof(crashes[0]), compare_crashes);
        if (crashes[0].effect == crashes[1].effect || crashes[1].effect == crashes[2].effect)
            continue;
        try((size_t)rand_below(&rand, cases), crashes, 3, tried);
        tried->triples++;
    }
}

bool crashes_run(uint64_t triples, bool traced)
{
    struct tried tried = {0};
    struct traits traits;
    const char *name;
    size_t cases = 0;
    sim = malloc(sizeof(*sim));
    if (sim == NULL)
        err_abort("out of memory");
    for (; (name = scenario_case(cases, &traits)) != NULL; cases++) {
        if (traced)
            play(cases, &(struct crash){0}, 1, true);
        uint64_t points = try_points(cases, &tried);
        printf("%-22s %4" PRIu64 " crash points\n", name, points);
        if (cases == 0)
            try_pairs(cases, points, &tried);
    }
    try_triples(cases, triples, &tried);
    printf("%" PRIu64 " points, %" PRIu64 " pairs, %" PRIu64 " triples, %" PRIu64
           " effects: all hold\n",
           tried.points, tried.pairs, tried.triples, tried.effects);
    free(sim);
    return true;
}
