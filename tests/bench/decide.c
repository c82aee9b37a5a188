/* decide.c: how fast rows are decided, on one core, with the rows in memory.
 *
 *   bench_decide [--rows N] [--runs N]
 *
 * Twenty policies of five clauses each over a few thousand different rows, cycled; the same with
 * holds, without ids and for one policy; and twenty of each kind of policy.  Prints medians of the
 * CPU time of the runs.                                                                          */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/when.h"
#include "policy/load.h"
#include "state/location.h"

#define ARENA_BYTES ((size_t)64 << 20)
#define TEXT_BYTES ((size_t)1 << 20)
#define ROWS 4096
#define RUNS_MAX 99
#define POLICIES 20
#define LIST_IDS 40
#define AS_OF_US (INT64_C(1748736000) * WHEN_SECOND_US) /* 2025-06-01 */

enum { MAP, PROJECT, VEHICLE, KM, SECONDS, VALID, UPLOADED, FIELDS };
enum { HOT, WARM, COLD, STORES };

static const char head[] =
    "version: 1\n"
    "timezone: Europe/Berlin\n"
    "catalog: {type: sqlite, path: /srv/catalog.db, table: recordings, id: id, location: url,\n"
    "          time: {column: recorded, timezone: UTC}, size: {column: bytes, unit: B},\n"
    "          fields: {map: map, project: project, vehicle: vehicle, km: km,\n"
    "                   seconds: seconds, valid: valid, uploaded: uploaded}}\n"
    "stores: {hot: {type: local, path: /srv/hot}, warm: {type: local, path: /srv/warm},\n"
    "         cold: {type: local, path: /srv/cold}}\n"
    "policies:\n";

/* A # is the number of the policy, an & some ids, every other one that of a row.  Those that list
 * ids stand last. */
static const struct {
    const char *name, *text;
} kinds[] = {
    {"age", "select: {older_than: 3#d, valid: true, size: {gte: 1#MB},\n"
            "             map: {in: [map-#, map-1, map-2, map-3]}}\n"
            "    exclude: {project: project-1}"},
    {"dates", "select: {dates: {from: 2024-02-01, to: 2024-11-30}, km: {gte: 2.#, lt: 40},\n"
              "             seconds: {gt: 9#}, vehicle: vehicle-#}"},
    {"any", "select: {any: [{map: map-#}, {size: {gt: 7#00MB}}, {not: {valid: true}}],\n"
            "             older_than: 30d, km: {gt: 1.5}}"},
    {"young", "select: {newer_than: 9#d, store: hot, size: {gte: 1GB}, valid: true,\n"
              "             not: {project: {in: [project-1, project-#]}}}"},
    {"uploaded", "select: {uploaded: {lt: 2025-01-01}, older_than: 6mo, map: map-#,\n"
                 "             km: {lte: 9#}, valid: {ne: false}}"},
    {"words", "select: {project: {in: [project-1, project-3, project-5, project-#]},\n"
              "             vehicle: {in: [vehicle-1, vehicle-2, vehicle-3, vehicle-#]},\n"
              "             map: {ne: map-#}, older_than: 2#d, size: {lt: 5GB}}"},
    {"nested", "select: {not: {valid: false},\n"
               "             any: [{all: [{map: map-#}, {older_than: 1#d}]},\n"
               "                   {all: [{project: project-#}, {km: {gt: 10}}]}]}"},
    {"until", "select: {dates: {to: 2024-12-31}, store: warm, size: {gte: 1#MB},\n"
              "             project: project-#, valid: true}"},
    {"patterns", "select: {older_than: 2#d, path: {glob: \"recording/2025-02-1*/**\"},\n"
                 "             map: {regex: '^map-\\d*#$'}, valid: true, km: {gt: 3}}"},
    {"ids", "select: {ids: [&], older_than: 7d, valid: true, not: {map: map-1}}\n"
            "    exclude: {project: project-#}"},
    {"exclude", "select: {older_than: 1y, vehicle: {ne: vehicle-#}, seconds: {gte: 5#}}\n"
                "    exclude: {any: [{ids: [&]}, {valid: false}]}"},
};
#define KINDS (sizeof kinds / sizeof kinds[0])
#define KINDS_WITH_IDS 2

static const char holds[] = "holds:\n"
                            "  - {name: ids, select: {ids: [&]}}\n"
                            "  - {name: case, select: {vehicle: vehicle-7, map: map-7}}\n"
                            "  - {name: new, select: {uploaded: {gte: 2025-05-30}}}\n";

/* ---- policies ---- */

static void add_ids(struct buf *text, size_t number)
{
    for (size_t i = 0; i < LIST_IDS; i++)
        buf_format(text, "%sREC_%06zu", i > 0 ? ", " : "",
                   i % 2 == 0 ? (number * LIST_IDS + i) * 7 % ROWS : ROWS + number * LIST_IDS + i);
}

static void add_filled(struct buf *text, const char *form, size_t number)
{
    for (; *form != '\0'; form++) {
        if (*form == '#')
            buf_format(text, "%zu", number);
        else if (*form == '&')
            add_ids(text, number);
        else
            buf_char(text, *form);
    }
}

/* Those of one priority agree on the target. */
static void add_policy(struct buf *text, size_t kind, size_t number)
{
    static const char *const targets[] = {"cold", "warm", "cold", "cold"};
    buf_format(text, "  - name: %s-%zu\n    target: %s\n    priority: %zu\n    ", kinds[kind].name,
               number, targets[number % 4], number % 4);
    add_filled(text, kinds[kind].text, number);
    buf_char(text, '\n');
}

/* The policies are of `kinds` kinds in turn, from the first on. */
struct scenario {
    char name[32];
    size_t first, kinds, policies;
    bool holds;
};

static bool no_file(void *context, const char *path, size_t limit_bytes, struct arena *arena,
                    char **bytes, size_t *size_bytes, struct err *err)
{
    (void)context, (void)limit_bytes, (void)arena, (void)bytes, (void)size_bytes;
    return ERR(err, ERR_MISSING, "%s is not wanted", path);
}

static void give_up(const struct diags *diags)
{
    struct buf out;
    buf_init(&out, TEXT_BYTES);
    diag_render(diags, &out);
    fputs(buf_string(&out), stderr);
    exit(1);
}

static struct policies *make_policies(const struct scenario *scenario, struct arena *arena)
{
    static enum value_kind columns[FIELDS] = {VALUE_TEXT,    VALUE_TEXT,    VALUE_TEXT,
                                              VALUE_DECIMAL, VALUE_INTEGER, VALUE_BOOLEAN,
                                              VALUE_INSTANT};
    const struct catalog_shape shape = {
        .time = VALUE_INSTANT, .time_is_naive = true, .size = VALUE_INTEGER, .fields = columns};
    struct policy_source source = {.path = "bench.yaml"};
    struct policies *policies;
    struct diags diags;
    struct buf text;
    diag_init(&diags, arena);
    buf_init(&text, TEXT_BYTES);
    buf_text(&text, head);
    for (size_t i = 0; i < scenario->policies; i++)
        add_policy(&text, scenario->first + i % scenario->kinds, i);
    if (scenario->holds)
        add_filled(&text, holds, POLICIES);
    struct load load = {.source = &source, .read = no_file, .arena = arena, .diags = &diags};
    load_bytes(&load, arena_copy(arena, buf_string(&text)), text.size, &policies);
    if (policies == NULL || !policy_bind(policies, &shape, &diags))
        give_up(&diags);
    policy_prepare(policies, AS_OF_US);
    buf_free(&text);
    return policies;
}

/* ---- rows ---- */

struct recording {
    struct record record;
    struct value fields[FIELDS];
    struct location location;
};

static struct value words(struct arena *arena, struct rand *rand, const char *word, uint64_t count)
{
    const char *text = str_format(arena, "%s-%" PRIu64, word, rand_below(rand, count));
    return (struct value){.kind = VALUE_TEXT, .text = {text, (uint32_t)strlen(text)}};
}

/* Two years of recordings, most of them valid; one field in fifty is NULL. */
static void make_recording(struct recording *recording, size_t number, struct arena *arena,
                           struct rand *rand)
{
    int64_t age_us = (int64_t)rand_below(rand, 730 * (uint64_t)WHEN_DAY_US);
    *recording = (struct recording){
        .record = {.id = str_format(arena, "REC_%06zu", number),
                   .location = "file:///srv/hot/a/b",
                   .time_us = AS_OF_US - age_us,
                   .has_time = true,
                   .bytes = rand_below(rand, UINT64_C(8) << 30),
                   .has_bytes = true,
                   .fields = recording->fields,
                   .field_count = FIELDS},
        .fields = {[MAP] = words(arena, rand, "map", 20),
                   [PROJECT] = words(arena, rand, "project", 20),
                   [VEHICLE] = words(arena, rand, "vehicle", 40),
                   [KM] = {.kind = VALUE_DECIMAL, .decimal = {(int64_t)rand_below(rand, 60000), 3}},
                   [SECONDS] = {.kind = VALUE_INTEGER, .integer = (int64_t)rand_below(rand, 3600)},
                   [VALID] = {.kind = VALUE_BOOLEAN, .boolean = rand_below(rand, 10) > 0},
                   [UPLOADED] = {.kind = VALUE_INSTANT, .instant_us = AS_OF_US - age_us / 2}},
        .location = {.store = (uint16_t)rand_below(rand, STORES),
                     .key = str_format(arena, "recording/2025-02-%02zu/run_%zu/REC_%06zu.ecal",
                                       number % 28 + 1, number % 9, number)},
    };
    for (size_t i = 0; i < FIELDS; i++) {
        if (rand_below(rand, 50) == 0)
            recording->fields[i].kind = VALUE_NULL;
    }
}

/* ---- measuring ---- */

static double cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const struct scenario *scenario, const struct recording *rows, size_t decisions,
                    size_t runs)
{
    struct arena arena;
    struct decision decision;
    double taken_s[RUNS_MAX];
    size_t tally[DECISION_CONFLICT + 1] = {0};
    arena_init(&arena, ARENA_BYTES);
    struct policies *policies = make_policies(scenario, &arena);
    for (size_t run = 0; run < runs; run++) {
        double start_s = cpu_s();
        for (size_t i = 0; i < decisions; i++) {
            const struct recording *row = &rows[i % ROWS];
            policy_decide(policies, &row->record, &row->location, &decision);
            tally[decision.kind]++;
        }
        taken_s[run] = cpu_s() - start_s;
    }
    qsort(taken_s, runs, sizeof taken_s[0], by_size);
    double median_s = taken_s[runs / 2], percent = (double)(decisions * runs) / 100;
    printf("%-22s %7.3f M rows/s %5.0f ns a row   held %4.1f %%, to move %4.1f %%, in place %4.1f "
           "%%\n",
           scenario->name, (double)decisions / median_s / 1e6, median_s / (double)decisions * 1e9,
           (double)tally[DECISION_HELD] / percent, (double)tally[DECISION_MOVE] / percent,
           (double)tally[DECISION_IN_PLACE] / percent);
    fflush(stdout);
    policy_free(policies);
    arena_free(&arena);
}

static bool read_options(int count, char **arguments, size_t *decisions, size_t *runs)
{
    for (int i = 1; i < count; i += 2) {
        uint64_t number;
        if (i + 1 == count || !str_to_u64(arguments[i + 1], &number) || number == 0)
            return false;
        if (str_equal(arguments[i], "--rows"))
            *decisions = number;
        else if (str_equal(arguments[i], "--runs") && number <= RUNS_MAX)
            *runs = number;
        else
            return false;
    }
    return true;
}

int main(int count, char **arguments)
{
    static struct recording rows[ROWS];
    size_t decisions = 4000000, runs = 5;
    struct arena arena;
    struct rand rand;
    if (!read_options(count, arguments, &decisions, &runs)) {
        fprintf(stderr, "usage: %s [--rows N] [--runs N]\n", arguments[0]);
        return 2;
    }
    arena_init(&arena, ARENA_BYTES);
    rand_init(&rand, 1);
    for (size_t i = 0; i < ROWS; i++)
        make_recording(&rows[i], i, &arena, &rand);
    const struct scenario scenarios[] = {
        {"20 policies", 0, KINDS, POLICIES, false},
        {"20 policies, 3 holds", 0, KINDS, POLICIES, true},
        {"20, no ids", 0, KINDS - KINDS_WITH_IDS, POLICIES, false},
        {"1 policy", 0, 1, 1, false},
        {"20, no patterns, ids", 0, KINDS - KINDS_WITH_IDS - 1, POLICIES, false},
    };
    printf("%zu decisions over %d rows, median of %zu runs\n", decisions, ROWS, runs);
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
        measure(&scenarios[i], rows, decisions, runs);
    for (size_t kind = 0; kind < KINDS; kind++) {
        struct scenario scenario = {.first = kind, .kinds = 1, .policies = POLICIES};
        snprintf(scenario.name, sizeof scenario.name, "20 of kind `%s`", kinds[kind].name);
        measure(&scenario, rows, decisions / 4, runs);
    }
    arena_free(&arena);
    return 0;
}
