#include "engine/show_row.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "engine/logging.h"
#include "engine/planning.h"
#include "engine/text.h"
#include "engine/wiring.h"
#include "planner/whereabouts.h"
#include "policy/circle.h"
#include "policy/explain.h"
#include "state/location.h"

#define NEIGHBOURS_MAX 10000
#define NEIGHBOURS_SHOWN 8
#define REASON_BYTES_MAX ((size_t)1 << 20)
#define ROW_BYTES_MAX ((size_t)16 << 20)
#define WORDS_WIDTH 56 /* of a clause, before its place */

/* One row and what is known of it. */
struct shown {
    struct policies *policies;
    struct arena arena;
    bool found;
    const struct record *record; /* while it is visited */
    struct location location;
    const struct location *known; /* &location; NULL: in no store */
    enum spelling spelling;
    struct decision decision; /* of the row on its own */
    struct whereabouts whereabouts;
};

static const char *store_name(const struct shown *shown, uint16_t store)
{
    return shown->policies->stores[store].name;
}

static void begin(struct shown *shown, struct wiring *wiring)
{
    *shown = (struct shown){.policies = wiring->policies};
    arena_init(&shown->arena, ROW_BYTES_MAX);
    whereabouts_init(&shown->whereabouts, wiring->policies, planning_tier, wiring);
}

static void end(struct shown *shown)
{
    whereabouts_free(&shown->whereabouts);
    arena_free(&shown->arena);
}

static bool read_row(struct shown *shown, const struct record *record, struct err *err)
{
    const struct places *places = &shown->policies->places;
    shown->record = record;
    shown->spelling = SPELLING_FOREIGN;
    if (record->location != NULL)
        shown->spelling = location_read(places, record->location, &shown->arena, &shown->location);
    shown->known = shown->spelling == SPELLING_FOREIGN ? NULL : &shown->location;
    if (shown->known != NULL &&
        !whereabouts_find(&shown->whereabouts, &shown->arena, &shown->location, err))
        return false;
    circle_decide(shown->policies, record, shown->known, &shown->decision);
    return true;
}

/* -- clauses ----------------------------------------------------------------------------------- */

struct margin {
    int columns;
};

static void print_clause(void *context, const struct explain_clause *clause)
{
    static const char *const truths[] = {
        [TRUTH_NO] = "no", [TRUTH_UNKNOWN] = "?", [TRUTH_YES] = "yes"};
    const struct margin *margin = context;
    struct buf text;
    buf_init(&text, REASON_BYTES_MAX);
    buf_format(&text, "%*s%-3s  %s", margin->columns + 2 * (int)clause->depth, "",
               truths[clause->truth], clause->words);
    if (clause->value[0] != '\0')
        buf_format(&text, ": %s", clause->value);
    printf("%-*s  %s\n", WORDS_WIDTH, text_plain(buf_string(&text)), clause->at);
    buf_free(&text);
}

static void print_selection(struct shown *shown, const struct clause *selection, int columns)
{
    struct margin margin = {columns};
    explain_selection(shown->policies, selection, shown->record, shown->known, print_clause,
                      &margin);
}

/* -- policies ---------------------------------------------------------------------------------- */

static const char *verdict_of(struct shown *shown, uint16_t index)
{
    const struct decision *decision = &shown->decision;
    const struct policy *policy = &shown->policies->items[index];
    switch ((enum policy_verdict)decision->verdicts[index]) {
    case VERDICT_OUT:
        if (!policy->active)
            return policy->enabled ? "expired" : "disabled";
        return policy_takes_from(policy, shown->known) ? "not selected"
                                                       : "not asked: it is not there";
    case VERDICT_EXCLUDED:
        return "excluded";
    case VERDICT_UNDECIDED:
        return "undecided";
    default:
        break;
    }
    if (shown->known == NULL || shown->spelling == SPELLING_SHALLOW)
        return "selected";
    if (decision->kind == DECISION_HELD)
        return "selected, but held";
    const struct policy *winner = &shown->policies->items[decision->winner];
    if (policy->priority != winner->priority)
        return str_format(&shown->arena, "selected, and loses to %s", winner->name);
    return decision->kind == DECISION_CONFLICT ? "selected, and conflicts" : "selected, and wins";
}

static void print_policy(struct shown *shown, uint16_t index)
{
    const struct policy *policy = &shown->policies->items[index];
    printf("\n%s  %s -> %s, priority %d  (%s): %s\n", policy->name,
           policy->from == POLICY_NO_INDEX ? "any store" : store_name(shown, policy->from),
           store_name(shown, policy->target), policy->priority, policy->at,
           verdict_of(shown, index));
    print_selection(shown, policy->select, 2);
    if (policy->exclude == NULL)
        return;
    puts("  exclude");
    print_selection(shown, policy->exclude, 4);
}

static void print_holds(struct shown *shown)
{
    for (size_t i = 0; i < shown->policies->hold_count; i++) {
        const struct policy_hold *hold = &shown->policies->holds[i];
        bool holds = shown->decision.kind == DECISION_HELD && shown->decision.hold == i;
        printf("\nhold %s%s%s%s: %s\n", hold->name, hold->reason[0] != '\0' ? " (" : "",
               hold->reason, hold->reason[0] != '\0' ? ")" : "",
               !hold->active ? "over"
               : holds       ? "holds it"
                             : "does not hold it");
        print_selection(shown, hold->select, 2);
    }
}

/* -- the row ----------------------------------------------------------------------------------- */

/* "moves to cold by age-out", or why it stays. */
static void write_fate(struct shown *shown, const struct decision *decision, struct buf *out)
{
    const char *location = shown->record->location;
    if (shown->spelling != SPELLING_REGULAR)
        buf_format(
            out, "stays: %s: %s", shown->spelling == SPELLING_IRREGULAR ? "spelling" : "unmanaged",
            location == NULL ? "it has no location"
                             : location_oddity(&shown->policies->places, location, &shown->arena));
    else if (decision->kind == DECISION_MOVE)
        buf_format(out, "moves to %s by %s", store_name(shown, decision->target),
                   shown->policies->items[decision->winner].name);
    else {
        buf_text(out, "stays: ");
        explain_stay(shown->policies, shown->record, shown->known, decision, out);
    }
}

static void print_head(struct shown *shown)
{
    const struct record *record = shown->record;
    struct buf fate;
    printf("%s  ", text_plain(record->id));
    if (shown->known != NULL)
        printf("%s:%s\n", store_name(shown, shown->known->store), text_plain(shown->known->key));
    else
        printf("%s\n", record->location == NULL ? "has no location" : text_plain(record->location));
    if (record->has_time)
        printf("  recorded %s UTC\n", text_instant(record->time_us));
    if (record->has_bytes)
        printf("  %s\n", text_size(record->bytes));
    buf_init(&fate, REASON_BYTES_MAX);
    write_fate(shown, &shown->decision, &fate);
    printf("  as of %s UTC, on its own, it %s\n", text_instant(shown->policies->as_of_us),
           text_plain(buf_string(&fate)));
    buf_free(&fate);
}

static void print_next(struct shown *shown)
{
    struct decision then;
    struct buf fate;
    if (shown->spelling != SPELLING_REGULAR)
        return;
    int64_t next_us = explain_next(shown->policies, shown->record, shown->known, &then);
    if (next_us == INT64_MAX) {
        puts("\nThe clock alone will not change that.");
        return;
    }
    buf_init(&fate, REASON_BYTES_MAX);
    if (then.kind == DECISION_MOVE)
        write_fate(shown, &then, &fate);
    else
        buf_text(&fate, "is no longer decided so");
    printf("\nFrom %s UTC on it %s, if nothing but the clock changes.\n", text_instant(next_us),
           text_plain(buf_string(&fate)));
    buf_free(&fate);
}

/* -- its directory, or its object -------------------------------------------------------------- */

/* Of one directory or object: the recording that is shown, and its neighbours. */
struct neighbours {
    struct shown *shown; /* the recording, and then each of the others in turn */
    const char *id;      /* whose they are                                     */
    uint16_t place, store;
    const char *directory;
    size_t looked_at, total, nested; /* total: without its own */
    size_t odd, held, staying;       /* what is in the way */
    bool is_contested;
    struct decision contest; /* of all the rest */
    struct circle circle;
};

/* False: it is in the way. */
static bool take_row(struct neighbours *neighbours, const struct record *record,
                     const struct location *location)
{
    struct policies *policies = neighbours->shown->policies;
    struct decision decision;
    policy_decide(policies, record, location, &decision);
    neighbours->held += decision.kind == DECISION_HELD;
    neighbours->staying += decision.kind == DECISION_STAY;
    if (decision.kind == DECISION_HELD || decision.kind == DECISION_STAY)
        return false;
    if (neighbours->is_contested)
        policy_contest(policies, neighbours->store, &neighbours->contest, &decision);
    else
        neighbours->contest = decision;
    neighbours->is_contested = true;
    circle_add(&neighbours->circle, policies, record, location);
    return true;
}

static bool is_by_object(const struct neighbours *neighbours)
{
    return neighbours->shown->policies->places.by_object;
}

static size_t in_way(const struct neighbours *neighbours)
{
    return neighbours->odd + neighbours->held + neighbours->staying;
}

static void print_in_way(struct shown *shown)
{
    struct buf fate;
    buf_init(&fate, REASON_BYTES_MAX);
    write_fate(shown, &shown->decision, &fate);
    printf("  ! %s  %s\n", text_plain(shown->record->id), text_plain(buf_string(&fate)));
    buf_free(&fate);
}

static bool is_here(const struct neighbours *neighbours)
{
    const struct location *known = neighbours->shown->known;
    return known != NULL && known->place == neighbours->place &&
           str_equal(known->unit, neighbours->directory);
}

static bool visit_neighbour(void *context, const struct record *record, struct err *err)
{
    struct neighbours *neighbours = context;
    struct shown *shown = neighbours->shown;
    if (++neighbours->looked_at > NEIGHBOURS_MAX)
        return true;
    arena_reset(&shown->arena);
    if (!read_row(shown, record, err))
        return false;
    if (!is_here(neighbours)) {
        neighbours->nested += shown->spelling == SPELLING_REGULAR;
        return true;
    }
    if (str_equal(record->id, neighbours->id))
        return true; /* it was taken first */
    bool is_odd = shown->spelling == SPELLING_IRREGULAR;
    neighbours->total++;
    neighbours->odd += is_odd;
    if ((is_odd || !take_row(neighbours, record, shown->known)) &&
        in_way(neighbours) <= NEIGHBOURS_SHOWN)
        print_in_way(shown);
    return true;
}

/* As the planner decides, in its order. */
static void print_verdict(const struct neighbours *neighbours)
{
    const struct decision *contest = &neighbours->contest;
    const struct policy *items = neighbours->shown->policies->items;
    bool is_whole = neighbours->looked_at <= NEIGHBOURS_MAX;
    if (neighbours->odd > 0)
        puts("spelling: a location is spelled another way, so all stay");
    else if (neighbours->held > 0)
        puts("held: they move together or not at all");
    else if (neighbours->staying > 0)
        printf("shared-%s: they move together or not at all\n",
               text_unit(is_by_object(neighbours)));
    else if (contest->kind == DECISION_CONFLICT)
        printf("conflict: %s and %s\n", items[contest->winner].name, items[contest->rival].name);
    else if (contest->kind == DECISION_IN_PLACE)
        printf("in place: %s\n", items[contest->winner].name);
    else if (neighbours->nested > 0)
        puts("nested-directory: there are recordings below it, so it stays");
    else if (is_whole)
        printf("none is in the way: all move to %s by %s\n",
               store_name(neighbours->shown, contest->target), items[contest->winner].name);
    else
        puts("what was looked at is not in the way");
}

static void print_neighbours(const struct neighbours *neighbours)
{
    const char *here = is_by_object(neighbours) ? "of this object" : "in this directory";
    if (in_way(neighbours) > NEIGHBOURS_SHOWN)
        printf("  ! and %zu more in the way\n", in_way(neighbours) - NEIGHBOURS_SHOWN);
    if (neighbours->looked_at > NEIGHBOURS_MAX)
        printf("  more than %s, not all were looked at\n",
               text_plural(NEIGHBOURS_MAX, "recording"));
    if (neighbours->total + neighbours->nested == 0)
        printf("  no other recording is %s\n", here);
    else {
        printf("  %s %s: ", text_plural(neighbours->total, "other recording"), here);
        print_verdict(neighbours);
    }
    printf("  Open units, min_residency, listings and second spellings of the %s are looked\n"
           "  at by `frostline plan`.\n",
           text_unit(is_by_object(neighbours)));
}

static void tell_no_index(const struct catalog_shape *shape)
{
    puts("  was not looked at: the location has no index that serves ranges");
    if (shape->index_statement != NULL)
        printf("  hint: %s\n", shape->index_statement);
}

/* Law 7: what its unit's other rows do to it. */
static bool print_unit(struct wiring *wiring, struct neighbours *neighbours, struct err *err)
{
    struct shown each;
    const struct places *places = &wiring->policies->places;
    const char *url =
        location_make(&places->items[neighbours->place], neighbours->directory, "", &wiring->arena);
    printf("\n%s:%s\n", store_name(neighbours->shown, neighbours->store),
           text_plain(neighbours->directory));
    if (places->by_object && str_ends(neighbours->directory, "/")) {
        puts("  not-a-file: it names a directory, and a row stands for one object");
        return true;
    }
    if (!wiring->shape.location_indexed) {
        tell_no_index(&wiring->shape);
        return true;
    }
    begin(&each, wiring);
    neighbours->shown = &each;
    bool done = wiring->catalog->ops->below(wiring->catalog, url, NEIGHBOURS_MAX + 1,
                                            visit_neighbour, neighbours, err);
    end(&each);
    if (!done)
        return false;
    circle_settle(&neighbours->circle, wiring->policies, neighbours->store, &neighbours->contest);
    print_neighbours(neighbours);
    return true;
}

/* -- all of it --------------------------------------------------------------------------------- */

/* The recording is the first of its unit's: it counts, however few of the others are looked at. */
static void begin_unit(struct neighbours *neighbours, const struct record *record)
{
    const struct location *location = neighbours->shown->known;
    neighbours->place = location->place;
    neighbours->store = location->store;
    neighbours->directory = location->unit;
    take_row(neighbours, record, location);
}

static bool visit_row(void *context, const struct record *record, struct err *err)
{
    struct neighbours *neighbours = context;
    struct shown *shown = neighbours->shown;
    shown->found = true;
    if (!read_row(shown, record, err))
        return false;
    print_head(shown);
    print_holds(shown);
    for (uint16_t i = 0; i < shown->policies->count; i++)
        print_policy(shown, i);
    print_next(shown);
    if (shown->spelling == SPELLING_REGULAR)
        begin_unit(neighbours, record);
    return true;
}

enum exit_code show_row(struct wiring *wiring, const char *id)
{
    struct shown shown;
    struct neighbours neighbours = {.shown = &shown, .id = id};
    struct err err;
    begin(&shown, wiring);
    bool done = wiring->catalog->ops->fetch(wiring->catalog, &id, 1, visit_row, &neighbours, &err);
    if (done && shown.found && shown.spelling == SPELLING_REGULAR)
        done = print_unit(wiring, &neighbours, &err);
    end(&shown);
    if (!done)
        return exit_with(&err);
    if (shown.found)
        return EXIT_OK;
    logging_error(NULL, "no recording has the id %s", text_plain(id));
    return EXIT_FAILED;
}
