/* The simulator: schedules of moves, crashes and disturbances, each from one seed (sim.h). */
#include "tests/sim/sim.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "state/unit.h"

struct options {
    uint64_t seed, from, count, seconds, triples;
    bool one, go_on, crash_points, no_barriers, traced, afresh;
    const char *seeds;
};

static void usage(void)
{
    fputs("sim --seed N               one schedule, traced\n"
          "sim --from N --count N     so many seeds\n"
          "sim --from N --seconds S   as many as there is time for\n"
          "sim --seeds FILE           those that the file names\n"
          "sim --crash-points [--triples N]\n"
          "    --go-on                whatever fails; the first one is no end\n"
          "    --no-barriers          only what follows from them is asserted\n"
          "    --afresh               no connection to the journal is used again\n",
          stderr);
    exit(2);
}

static uint64_t number_of(const char *text)
{
    uint64_t number;
    if (text == NULL || !str_to_u64(text, &number))
        usage();
    return number;
}

static void read_options(char **arguments, struct options *options)
{
    *options = (struct options){.from = 1, .triples = 2000};
    for (; *arguments != NULL; arguments++) {
        const char *name = *arguments, *value = arguments[1];
        if (str_equal(name, "--crash-points"))
            options->crash_points = true;
        else if (str_equal(name, "--go-on"))
            options->go_on = true;
        else if (str_equal(name, "--no-barriers"))
            options->no_barriers = true;
        else if (str_equal(name, "--afresh"))
            options->afresh = true;
        else if (str_equal(name, "--traced"))
            options->traced = true;
        else if (str_equal(name, "--seeds") && value != NULL)
            options->seeds = *++arguments;
        else {
            uint64_t number = number_of(value);
            arguments++;
            if (str_equal(name, "--seed")) {
                options->one = true;
                options->seed = number;
            } else if (str_equal(name, "--from"))
                options->from = number;
            else if (str_equal(name, "--count"))
                options->count = number;
            else if (str_equal(name, "--seconds"))
                options->seconds = number;
            else if (str_equal(name, "--triples"))
                options->triples = number;
            else
                usage();
        }
    }
    if (!options->one && !options->crash_points && options->seeds == NULL && options->count == 0 &&
        options->seconds == 0)
        usage();
}

/* -- schedules ----------------------------------------------------------------------------------
 */

static void add(struct counts *all, const struct counts *one)
{
    uint64_t *to = (uint64_t *)all;
    const uint64_t *from = (const uint64_t *)one;
    for (size_t i = 0; i < sizeof(*all) / sizeof(uint64_t); i++)
        to[i] += from[i];
}

static bool play(const struct options *options, uint64_t seed, bool traced, struct counts *all)
{
    static struct sim sim;
    memset(&sim, 0, sizeof(sim));
    sim.seed = seed;
    sim.traced = traced;
    sim.no_barriers = options->no_barriers;
    scenario_play(&sim);
    add(all, &sim.counts);
    if (!sim.failed)
        return true;
    if (!traced) {
        struct counts again = {0};
        play(options, seed, true, &again);
        printf("seed %" PRIu64 ": %s\nreplay: sim --seed %" PRIu64 "\n", seed, sim.failure, seed);
    }
    return false;
}

/* Others may have the processor meanwhile. */
static double processor_seconds(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static void print_counts(const struct counts *counts, double seconds)
{
    printf("%" PRIu64 " schedules in %.1f s: %.0f a second, %.0f a second of the processor\n",
           counts->schedules, seconds, (double)counts->schedules / seconds,
           (double)counts->schedules / processor_seconds());
    printf("%" PRIu64 " effects (%.1f a schedule), %" PRIu64 " runs, %" PRIu64 " crashes, %" PRIu64
           " late requests, %" PRIu64 " acts of others, %" PRIu64 " units\n",
           counts->effects, (double)counts->effects / (double)counts->schedules, counts->runs,
           counts->crashes, counts->zombies, counts->acts, counts->units);
    printf("at rest:");
    for (int i = 0; i < UNIT_STATES; i++)
        if (counts->states[i] > 0)
            printf(" %s %" PRIu64, unit_state_name((enum unit_state)i), counts->states[i]);
    printf("\nbecause:");
    for (int i = 0; i < UNIT_REASONS; i++)
        if (counts->reasons[i] > 0)
            printf(" %s %" PRIu64, unit_reason_name((enum unit_reason)i), counts->reasons[i]);
    printf("\nreported:");
    for (int i = 0; i < APPLY_OUTCOMES; i++)
        printf(" %s %" PRIu64, apply_outcome_name((enum apply_outcome)i), counts->outcomes[i]);
    printf("\n");
}

static double seconds_since(int64_t start_us)
{
    return (double)(clock_real()->ops->monotonic_us(clock_real()) - start_us) / 1e6;
}

static bool play_many(const struct options *options, struct counts *counts)
{
    int64_t start_us = clock_real()->ops->monotonic_us(clock_real());
    uint64_t seed = options->from;
    bool sound = true;
    for (; (sound || options->go_on) &&
           (options->count == 0 || seed < options->from + options->count);
         seed++) {
        if (options->seconds > 0 && seconds_since(start_us) >= (double)options->seconds)
            break;
        sound &= play(options, seed, false, counts);
    }
    print_counts(counts, seconds_since(start_us));
    if (sound && counts->schedules >= 100 && counts->states[UNIT_DONE] < counts->schedules / 2) {
        printf("hardly anything was moved: this proves nothing\n");
        return false;
    }
    return sound;
}

/* One seed a line; what follows it is a remark. */
static bool play_file(const struct options *options, struct counts *counts)
{
    FILE *file = fopen(options->seeds, "r");
    char line[256];
    bool sound = true;
    if (file == NULL) {
        perror(options->seeds);
        return false;
    }
    while (sound && fgets(line, sizeof(line), file) != NULL)
        if (line[0] >= '0' && line[0] <= '9')
            sound = play(options, strtoull(line, NULL, 10), false, counts);
    fclose(file);
    printf("%" PRIu64 " seeds that once failed\n", counts->schedules);
    return sound;
}

int main(int count, char **arguments)
{
    (void)count;
    struct options options;
    struct counts counts = {0};
    read_options(arguments + 1, &options);
    /* Memory that comes back at once need not be asked for again. */
    mallopt(M_MMAP_THRESHOLD, 64 << 20);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    scenario_open();
    reuse_end(options.afresh);
    bool sound;
    if (options.crash_points)
        sound = crashes_run(options.triples, options.traced);
    else if (options.one)
        sound = play(&options, options.seed, true, &counts);
    else if (options.seeds != NULL)
        sound = play_file(&options, &counts);
    else
        sound = play_many(&options, &counts);
    scenario_close();
    return sound ? 0 : 1;
}
