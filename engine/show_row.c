#include "engine/show_row.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "engine/text.h"
#include "engine/wiring.h"
#include "policy/explain.h"
#include "state/location.h"

#define NEIGHBOURS_MAX 10000
#define NEIGHBOURS_SHOWN 8
#define REASON_BYTES_MAX ((size_t)1 << 20)
#define ROW_BYTES_MAX ((size_t)16 << 20)
#define WORDS_WIDTH 56 /* of a clause, before its place */

/* One row and what is known of it. */
struct shown {
    struct wiring *wiring;
    struct policies *policies;
    struct arena arena;
    bool found;
    const struct record *record; /* while it is visited */
    struct location location;
    const struct location *known; /* &location; NULL: in no store */
    enum spelling spelling;
    struct decision decision;
};

static const char *store_name(const struct shown *shown, uint16_t store)
{
    return shown->policies->stores[store].name;
}

static void read_row(struct shown *shown, const struct record *record)
{
    const struct places *places = &shown->policies->places;
    shown->record = record;
    shown->spelling = SPELLING_FOREIGN;
    if (record->location != NULL)
        shown->spelling = location_read(places, record->location, &shown->arena, &shown->location);
    shown->known = shown->spelling == SPELLING_FOREIGN ? NULL : &shown->location;
    policy_decide(shown->policies, record, shown->known, &shown->decision);
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
    const struct policy *winner =
        decision->winner == POLICY_NO_INDEX ? NULL : &shown->policies->items[decision->winner];
    switch ((enum policy_verdict)decision->verdicts[index]) {
    case VERDICT_OUT:
        if (!policy->active)
            return policy->enabled ? "expired" : "disabled";
        return policy->from != POLICY_NO_INDEX &&
                       (shown->known == NULL || shown->known->place != policy->from)
                   ? "not asked: it is not there"
                   : "not selected";
    case VERDICT_EXCLUDED:
        return "excluded";
    case VERDICT_UNDECIDED:
        return "undecided";
    default:
        break;
    }
    if (policy == winner || policy->priority == winner->priority)
        return policy->target == winner->target ? "selected, and wins" : "selected, and conflicts";
    return str_format(&shown->arena, "selected, and loses to %s", winner->name);
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
    if (decision->kind == DECISION_MOVE)
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
    const struct places *places = &shown->policies->places;
    struct buf fate;
    printf("%s  ", text_plain(record->id));
    if (shown->known != NULL)
        printf("%s:%s\n", store_name(shown, shown->known->place), text_plain(shown->known->key));
    else
        printf("%s\n", record->location == NULL ? "has no location" : text_plain(record->location));
    if (record->has_time)
        printf("  recorded %s UTC\n", text_instant(record->time_us));
    if (record->has_bytes)
        printf("  %s\n", text_size(record->bytes));
    buf_init(&fate, REASON_BYTES_MAX);
    if (shown->spelling == SPELLING_REGULAR)
        write_fate(shown, &shown->decision, &fate);
    else
        buf_format(&fate, "stays: %s: %s",
                   shown->spelling == SPELLING_IRREGULAR ? "spelling" : "unmanaged",
                   record->location == NULL
                       ? "it has no location"
                       : location_oddity(places, record->location, &shown->arena));
    printf("  as of %s UTC, on its own, it %s\n", text_instant(shown->policies->as_of_us),
           text_plain(buf_string(&fate)));
    buf_free(&fate);
}

static void print_next(struct shown *shown)
{
    struct decision then;
    struct buf fate;
    int64_t next_us = explain_next(shown->policies, shown->record, shown->known, &then);
    if (shown->spelling != SPELLING_REGULAR)
        return;
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

static bool visit_row(void *context, const struct record *record, struct err *err)
{
    (void)err;
    struct shown *shown = context;
    shown->found = true;
    read_row(shown, record);
    print_head(shown);
    print_holds(shown);
    for (uint16_t i = 0; i < shown->policies->count; i++)
        print_policy(shown, i);
    print_next(shown);
    return true;
}

/* -- its directory ----------------------------------------------------------------------------- */

struct neighbours {
    struct shown *shown; /* each of them in turn */
    const char *id;      /* whose they are       */
    const char *directory;
    size_t total, in_way, nested;
};

static bool visit_neighbour(void *context, const struct record *record, struct err *err)
{
    (void)err;
    struct neighbours *neighbours = context;
    struct shown *shown = neighbours->shown;
    struct buf fate;
    if (str_equal(record->id, neighbours->id))
        return true;
    arena_reset(&shown->arena);
    read_row(shown, record);
    if (shown->spelling != SPELLING_REGULAR ||
        !str_equal(shown->location.directory, neighbours->directory)) {
        neighbours->nested++;
        return true;
    }
    neighbours->total++;
    if (shown->decision.kind == DECISION_MOVE || neighbours->in_way++ >= NEIGHBOURS_SHOWN)
        return true;
    buf_init(&fate, REASON_BYTES_MAX);
    write_fate(shown, &shown->decision, &fate);
    printf("  ! %s  %s\n", text_plain(record->id), text_plain(buf_string(&fate)));
    buf_free(&fate);
    return true;
}

/* Law 7: what its directory's other rows do to it. */
static bool print_directory(struct wiring *wiring, const char *id, uint16_t place,
                            const char *directory, struct err *err)
{
    struct shown shown = {.wiring = wiring, .policies = wiring->policies};
    struct neighbours neighbours = {.shown = &shown, .id = id, .directory = directory};
    const char *url =
        location_make(&wiring->policies->places.items[place], directory, "", &wiring->arena);
    arena_init(&shown.arena, ROW_BYTES_MAX);
    printf("\n%s:%s\n", store_name(&shown, place), text_plain(directory));
    bool done = wiring->catalog->ops->below(wiring->catalog, url, NEIGHBOURS_MAX, visit_neighbour,
                                            &neighbours, err);
    arena_free(&shown.arena);
    if (!done)
        return false;
    if (neighbours.in_way > NEIGHBOURS_SHOWN)
        printf("  ! and %zu more that stay\n", neighbours.in_way - NEIGHBOURS_SHOWN);
    if (neighbours.total + neighbours.nested == 0) {
        puts("  no other recording is in this directory");
        return true;
    }
    printf("  %s in this directory: ", text_plural(neighbours.total, "other recording"));
    if (neighbours.nested > 0)
        puts("nested-directory: there are recordings below it, so it stays");
    else if (neighbours.in_way > 0)
        puts("shared-directory: they move together or not at all");
    else
        puts("none is in the way");
    return true;
}

enum exit_code show_row(struct wiring *wiring, const char *id)
{
    struct shown shown = {.wiring = wiring, .policies = wiring->policies};
    struct err err;
    arena_init(&shown.arena, ROW_BYTES_MAX);
    bool done = wiring->catalog->ops->fetch(wiring->catalog, &id, 1, visit_row, &shown, &err);
    if (done && shown.found && shown.spelling == SPELLING_REGULAR && wiring->shape.location_indexed)
        done = print_directory(wiring, id, shown.location.place, shown.location.directory, &err);
    arena_free(&shown.arena);
    if (!done)
        return exit_with(&err);
    if (shown.found)
        return EXIT_OK;
    fprintf(stderr, "frostline: no recording has the id %s\n", text_plain(id));
    return EXIT_FAILED;
}
