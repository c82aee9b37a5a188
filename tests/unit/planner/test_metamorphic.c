/* test_metamorphic.c: what holds of plans and between them, whatever the policies and the rows: one
 * that was carried out leaves nothing to move (policy.md, law 2), every row is counted once, and
 * the same input gives the same bytes.
 *
 * FROSTLINE_SEED=n in the environment takes the policies and rows of that seed alone. */
#include "planner/planner.h"

#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/rand.h"
#include "base/str.h"
#include "state/location.h"
#include "state/unit.h"
#include "tests/support/any_policies.h"
#include "tests/support/planning_rig.h"

#define SEEDS 150
#define SAME 5
#define ROWS 48
#define ROUNDS_MAX (ROWS + 1) /* each moves a row that did not move before, but for the last */
#define YAML_BYTES_MAX ((size_t)1 << 20)

/* The fields that the rig's catalog has. */
enum { MAP, VALID, FIELDS };
#define RIG_FIELDS (1U << 0 | 1U << 3) /* of any_fields */

struct world {
    bool is_apart; /* no directory lies in another one, or in two stores */
    bool by_object;
    struct any_options options;
};
static const struct world apart = {
    .is_apart = true,
    .options = {.stores = ANY_STORES, .fields = RIG_FIELDS, .guards = ANY_GUARDS_FAIL}};
static const struct world objects = {
    .is_apart = true,
    .by_object = true,
    .options = {.stores = ANY_STORES, .fields = RIG_FIELDS, .guards = ANY_GUARDS_FAIL}};
static const struct world crowded_objects = {
    .is_apart = false,
    .by_object = true,
    .options = {.stores = ANY_STORES, .fields = RIG_FIELDS, .guards = ANY_GUARDS_FAIL}};
static const struct world crowded = {
    .is_apart = false,
    .options = {.stores = ANY_STORES, .fields = RIG_FIELDS, .guards = ANY_GUARDS_FAIL}};
static const struct world cut = {
    .is_apart = false,
    .options = {.stores = ANY_STORES, .fields = RIG_FIELDS, .guards = ANY_GUARDS_TRUNCATE}};
static const struct world chained = {
    .is_apart = true, .options = {.stores = ANY_STORES, .fields = RIG_FIELDS, .has_places = true}};
static const struct world chained_crowd = {
    .is_apart = false, .options = {.stores = ANY_STORES, .fields = RIG_FIELDS, .has_places = true}};

/* A row of the catalog, and what became of it. */
struct row {
    struct record record;
    struct value fields[FIELDS];
    int round;                    /* in which it moved last; 0: it never did */
    unsigned stores;              /* bits: where it has been                 */
    uint8_t verdicts[POLICY_MAX]; /* just before that                        */
};

static struct planning_rig rig;
static struct rand dice;
static uint64_t seed; /* 0: all is well */
static const char *yaml;
static struct row rows[ROWS];
static struct {
    size_t moves, again, left, failed, blocked[PLAN_REASONS];
    int rounds_max;
} seen;

static int begin(void **state)
{
    (void)state;
    rig_make(&rig, RIG_AGE_OUT);
    memset(&seen, 0, sizeof seen);
    return 0;
}

static size_t below(size_t bound)
{
    return (size_t)rand_below(&dice, bound);
}
#define PICK(list) (list)[below(sizeof(list) / sizeof *(list))]

/* ---- any policies, any rows ---- */

static void draw_policies(const struct world *world)
{
    struct any_set set;
    struct buf text;
    any_draw(&set, &world->options, &dice, &rig.arena);
    buf_init(&text, YAML_BYTES_MAX);
    buf_text(&text, world->by_object ? RIG_OBJECTS : RIG_HEAD);
    any_write(&set, &text);
    yaml = arena_copy(&rig.arena, buf_string(&text));
    buf_free(&text);
    rig_load(&rig, yaml);
}

/* Few directories, some spelled oddly, some nowhere. */
static const char *draw_location(const struct world *world)
{
    static const char *const directories[] = {"a/",   "a/b/",    "a/b/c/",     "a/d/",
                                              "b/",   "b/c/",    "c#/",        "c?/",
                                              "d/1/", "d/10/x/", "recording/", "recording/x/"};
    static const char *const names[] = {"track-1", "a.ecal", "x-1", "f", ""};
    const char *store = PICK(any_stores);
    const char *directory = PICK(directories);
    const char *name = PICK(names);
    struct place place = {.base = str_format(&rig.arena, "file:///srv/%s/", store)};
    if (world->is_apart || below(3) > 0)
        directory = str_format(&rig.arena, "%sof-%s/", directory, store);
    const char *regular = location_make(&place, directory, name, &rig.arena);
    switch (below(80)) {
    case 0:
        return str_format(&rig.arena, "%s?x", regular);
    case 1:
        return str_format(&rig.arena, "ftp://host/%s", name);
    case 2:
        return str_format(&rig.arena, "file:///srv/hot/%s", name);
    case 3:
        return NULL;
    default:
        return regular;
    }
}

static void draw_row(const struct world *world, size_t number)
{
    struct row *row = &rows[number];
    const char *map = PICK(any_texts);
    *row = (struct row){.record = {.fields = row->fields, .field_count = FIELDS}};
    row->record.id = str_format(&rig.arena, "R%02zu", number);
    if (number < ANY_IDS)
        row->record.id = any_ids[number];
    row->record.location = draw_location(world);
    row->record.has_time = below(8) > 0;
    row->record.time_us = rig.policies->as_of_us - (int64_t)below(500) * RIG_DAY_US;
    row->record.has_bytes = below(8) > 0;
    row->record.bytes = PICK(any_sizes).bytes;
    if (below(8) > 0)
        row->fields[MAP] = (struct value){.kind = VALUE_TEXT, .text = {map, (uint32_t)strlen(map)}};
    if (below(8) > 0)
        row->fields[VALID] = (struct value){.kind = VALUE_BOOLEAN, .boolean = below(2) == 0};
    catalog_memory_put(rig.rows, &row->record);
}

/* Every other plan goes by the catalog's sizes alone. */
static void draw(const struct world *world, uint64_t number)
{
    seed = number;
    rig_free(&rig);
    rig_make(&rig, world->by_object ? RIG_OBJECTS RIG_POLICY : RIG_AGE_OUT);
    rand_init(&dice, seed);
    draw_policies(world);
    for (size_t i = 0; i < ROWS; i++)
        draw_row(world, i);
    if (seed % 2 == 0)
        rig.request.survey = NULL;
}

/* ---- what is told of a failure ---- */

static void tell_row(const struct row *row)
{
    int64_t age_us = rig.policies->as_of_us - row->record.time_us;
    fprintf(stderr, "'%s' at %s: ", row->record.id,
            row->record.location == NULL ? "NULL" : row->record.location);
    if (row->record.has_time)
        fprintf(stderr, "%" PRId64 " days, ", age_us / RIG_DAY_US);
    if (row->record.has_bytes)
        fprintf(stderr, "%" PRIu64 " bytes, ", row->record.bytes);
    if (row->fields[MAP].kind == VALUE_TEXT)
        fprintf(stderr, "map '%s', ", row->fields[MAP].text.bytes);
    if (row->fields[VALID].kind == VALUE_BOOLEAN)
        fprintf(stderr, "valid %d, ", row->fields[VALID].boolean);
    fprintf(stderr, "moved in round %d\n", row->round);
}

static void tell(void)
{
    fprintf(stderr, "%s\n", yaml);
    for (size_t i = 0; i < ROWS; i++)
        tell_row(&rows[i]);
    fprintf(stderr, "FROSTLINE_SEED=%" PRIu64 "\n", seed);
}

static int end(void **state)
{
    (void)state;
    if (seed != 0)
        tell();
    seed = 0;
    rig_free(&rig);
    return 0;
}

/* An assert of the planner's own. */
static void tell_abort(int number)
{
    if (seed != 0)
        tell();
    signal(number, SIG_DFL);
}

/* ---- what is checked ---- */

static void check(bool holds, const char *what, const char *where)
{
    if (!holds)
        fail_msg("%s: %s", where, what);
}

/* Every recording and every byte is counted once, before and after. */
static void check_sums(void)
{
    const struct plan_summary *summary = &rig.summary;
    uint64_t now = 0, after = 0, planned = 0, bytes_now = 0, bytes_after = 0;
    check(summary->rows == ROWS, "not all rows are counted", "the plan");
    for (size_t i = 0; i < summary->funnel_count; i++) {
        const struct plan_funnel *funnel = &summary->funnels[i];
        check(funnel->rows == ROWS && plan_funnel_adds_up(funnel), "the funnel does not add up",
              funnel->policy);
        check(!funnel->failed || funnel->planned == 0, "planned though refused", funnel->policy);
        planned += funnel->planned;
        seen.failed += funnel->failed;
    }
    for (size_t i = 0; i < summary->total_count; i++) {
        now += summary->totals[i].recordings_now;
        after += summary->totals[i].recordings_after;
        bytes_now += summary->totals[i].bytes_now;
        bytes_after += summary->totals[i].bytes_after;
    }
    check(now == ROWS - summary->unmanaged, "stores do not hold all rows", "the plan");
    check(after == now && bytes_after == bytes_now, "a move loses something", "the plan");
    check(summary->actions[PLAN_MOVE] == 0 || planned > 0, "moves that nobody plans", "the plan");
}

static struct row *find_row(const char *id)
{
    size_t i = 0;
    while (i < ROWS && !str_equal(rows[i].record.id, id))
        i++;
    check(i < ROWS, "there is no such row", id);
    return &rows[i];
}

static struct decision decide(const struct row *row)
{
    struct location location;
    struct decision decision;
    check(location_read(&rig.policies->places, row->record.location, &rig.arena, &location) ==
              SPELLING_REGULAR,
          "in a second spelling", row->record.id);
    policy_decide(rig.policies, &row->record, &location, &decision);
    return decision;
}

static const char *source_of(const struct plan_action *action)
{
    return location_make(&rig.policies->places.items[action->store], action->directory, "",
                         &rig.arena);
}

/* Law 7: all rows at it, or below a directory, none of which has to stay, and where the contest
 * wants them. */
static void check_move(const struct plan_action *action)
{
    const char *source = source_of(action);
    struct decision contest;
    size_t count = 0;
    for (size_t i = 0; i < ROWS; i++)
        count += rows[i].record.location != NULL && unit_covers(source, rows[i].record.location);
    check(count == action->row_count, "not all rows, or too many", source);
    for (size_t i = 0; i < action->row_count; i++) {
        const struct row *row = find_row(action->rows[i].id);
        const struct decision decision = decide(row);
        check(str_equal(row->record.location, action->rows[i].location), "it was elsewhere",
              row->record.id);
        check(str_starts(row->record.location, source) &&
                  strchr(row->record.location + strlen(source), '/') == NULL,
              "it lies deeper", row->record.id);
        check(decision.kind != DECISION_STAY && decision.kind != DECISION_HELD, "it has to stay",
              row->record.id);
        if (i == 0)
            contest = decision;
        else
            policy_contest(rig.policies, action->store, &contest, &decision);
    }
    check(contest.kind == DECISION_MOVE && contest.target == action->target, "it goes elsewhere",
          source);
    check(str_equal(action->target_directory, action->directory), "it changes its name", source);
}

static void check_plan(void)
{
    check_sums();
    seen.left += rig.summary.left;
    seen.moves += rig.summary.actions[PLAN_MOVE];
    for (size_t i = 0; i < rig.action_count; i++) {
        if (rig.actions[i]->kind == PLAN_MOVE)
            check_move(rig.actions[i]);
        seen.blocked[rig.actions[i]->reason]++;
    }
}

/* ---- one plan after the other ---- */

/* Every row of every move is below the target, by its own tail. */
static void apply(const struct world *world, int round)
{
    for (size_t i = 0; i < rig.action_count; i++) {
        const struct plan_action *action = rig.actions[i];
        if (action->kind != PLAN_MOVE)
            continue;
        const char *source = source_of(action);
        const char *target = location_make(&rig.policies->places.items[action->target],
                                           action->target_directory, "", &rig.arena);
        for (size_t k = 0; k < action->row_count; k++) {
            struct row *row = find_row(action->rows[k].id);
            check(row->round < round, "two moves have it", row->record.id);
            row->round = round;
            row->stores |= 1U << action->store;
            check(!world->is_apart || (row->stores & 1U << action->target) == 0,
                  "it was there before", row->record.id);
            memcpy(row->verdicts, decide(row).verdicts, sizeof row->verdicts);
            row->record.location =
                str_format(&rig.arena, "%s%s", target, row->record.location + strlen(source));
            catalog_memory_put(rig.rows, &row->record);
        }
    }
}

/* A plan, to be kept beside the next one. */
struct plan {
    struct plan_action **actions;
    size_t count;
    uint64_t left;
    bool is_refused; /* by a guard, in part */
};

/* Was the directory in the way of itself: something lay in it, or where it was to go? */
static bool was_blocked(const struct plan *before, const struct plan_action *action)
{
    for (size_t i = 0; i < before->count; i++) {
        const struct plan_action *other = before->actions[i];
        if (other->store == action->store && str_equal(other->directory, action->directory))
            return other->reason == PLAN_NESTED_DIRECTORY || other->reason == PLAN_TARGET_COLLISION;
    }
    return false;
}

static bool is_refused(void)
{
    bool is = false;
    for (size_t i = 0; i < rig.summary.funnel_count; i++)
        is |= rig.summary.funnels[i].failed;
    return is;
}

/* Law 2.  What moves now was in its own way before, or with others that were; or a guard left it.
 * What has moved before moves on only if policies look at the store, and say something else in this
 * one. */
static void check_again(const struct world *world, const struct plan *before,
                        const struct plan_action *action)
{
    bool has_moved = false, is_told_otherwise = false;
    for (size_t i = 0; i < action->row_count; i++) {
        const struct row *row = find_row(action->rows[i].id);
        has_moved |= row->round > 0;
        is_told_otherwise |=
            row->round > 0 && memcmp(decide(row).verdicts, row->verdicts, rig.policies->count) != 0;
    }
    seen.again += has_moved;
    if (has_moved)
        check(world->options.has_places && is_told_otherwise, "it moves again", source_of(action));
    else
        check(before->left > 0 ||
                  (!world->is_apart && (before->is_refused || was_blocked(before, action))),
              "it could have moved before", source_of(action));
}

/* Planned and carried out until nothing moves: how many times? */
static int count_rounds(const struct world *world, uint64_t number)
{
    struct plan before = {0};
    int limit = ROUNDS_MAX * (world->options.has_places ? ANY_STORES : 1);
    draw(world, number);
    for (int round = 1;; round++) {
        rig_plan(&rig);
        check_plan();
        for (size_t i = 0; round > 1 && i < rig.action_count; i++) {
            if (rig.actions[i]->kind == PLAN_MOVE)
                check_again(world, &before, rig.actions[i]);
        }
        if (rig.summary.actions[PLAN_MOVE] == 0)
            return round - 1;
        check(round < limit, "it never comes to rest", "law 2");
        apply(world, round);
        before = (struct plan){rig.actions, rig.action_count, rig.summary.left, is_refused()};
    }
}

/* False: of one seed alone nothing is known about how often things come about. */
static bool go_through(const struct world *world)
{
    const char *only = getenv("FROSTLINE_SEED");
    if (only != NULL) {
        count_rounds(world, strtoull(only, NULL, 10));
        seed = 0;
        return false;
    }
    for (uint64_t i = 1; i <= SEEDS; i++) {
        int rounds = count_rounds(world, i);
        seen.rounds_max = rounds > seen.rounds_max ? rounds : seen.rounds_max;
    }
    seed = 0;
    assert_true(seen.moves > 2 * SEEDS);
    assert_true(seen.blocked[PLAN_HELD] > SEEDS);
    if (world->by_object) /* few rows share one */
        assert_true(seen.blocked[PLAN_SHARED_OBJECT] > SEEDS / 4);
    else
        assert_true(seen.blocked[PLAN_SHARED_DIRECTORY] > SEEDS);
    assert_true(seen.blocked[PLAN_CONFLICT] > SEEDS / 2);
    assert_true(seen.blocked[PLAN_SPELLING] > SEEDS / 8);
    return true;
}

static void carried_out_it_leaves_nothing_to_move(void **state)
{
    (void)state;
    if (!go_through(&apart))
        return;
    assert_int_equal(seen.rounds_max, 1);
    assert_true(seen.failed > SEEDS / 8);
}

/* Nothing is nested, and what lies beside an object is not asked. */
static void objects_leave_nothing_to_move_either(void **state)
{
    (void)state;
    if (!go_through(&objects))
        return;
    assert_int_equal(seen.rounds_max, 1);
    assert_true(seen.blocked[PLAN_NOT_A_FILE] > SEEDS);
    assert_int_equal(seen.blocked[PLAN_NESTED_DIRECTORY], 0);
    assert_int_equal(seen.blocked[PLAN_SHARED_DIRECTORY], 0);
}

static void objects_in_several_stores_come_to_rest(void **state)
{
    (void)state;
    if (go_through(&crowded_objects))
        assert_true(seen.blocked[PLAN_TARGET_COLLISION] > SEEDS / 4);
}

/* What is nested goes first, then what it was in the way of. */
static void what_was_in_its_own_way_follows(void **state)
{
    (void)state;
    if (!go_through(&crowded))
        return;
    assert_true(seen.rounds_max > 1);
    assert_true(seen.blocked[PLAN_NESTED_DIRECTORY] > SEEDS);
    assert_true(seen.blocked[PLAN_TARGET_COLLISION] > SEEDS / 4);
}

static void what_a_guard_left_follows(void **state)
{
    (void)state;
    if (!go_through(&cut))
        return;
    assert_true(seen.rounds_max > 3);
    assert_true(seen.left > SEEDS);
}

/* A chain of moves has no more of them than there are other stores. */
static void what_looks_at_the_store_moves_on_and_never_back(void **state)
{
    (void)state;
    if (!go_through(&chained))
        return;
    assert_true(seen.again > SEEDS / 30);
    assert_true(seen.rounds_max > 1 && seen.rounds_max < ANY_STORES);
}

static void crowded_chains_come_to_rest(void **state)
{
    (void)state;
    if (go_through(&chained_crowd))
        assert_true(seen.again > SEEDS / 30);
}

/* Another process, another folder, the rows put the other way round. */
static void the_same_input_gives_the_same_bytes(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= SAME; i++) {
        size_t first_bytes, second_bytes;
        draw(&crowded, i);
        rig_plan(&rig);
        const char *first = rig_bytes(&rig, &first_bytes);
        struct planning_rig other = rig;
        rig_make(&rig, yaml);
        for (size_t k = ROWS; k-- > 0;)
            catalog_memory_put(rig.rows, &rows[k].record);
        rig.request.survey = other.request.survey == NULL ? NULL : &rig.survey.survey;
        rig_plan(&rig);
        const char *second = rig_bytes(&rig, &second_bytes);
        assert_int_equal(first_bytes, second_bytes);
        assert_memory_equal(first, second, first_bytes);
        rig_free(&other);
    }
    seed = 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {TEST(carried_out_it_leaves_nothing_to_move),
                                       TEST(objects_leave_nothing_to_move_either),
                                       TEST(objects_in_several_stores_come_to_rest),
                                       TEST(what_was_in_its_own_way_follows),
                                       TEST(what_a_guard_left_follows),
                                       TEST(what_looks_at_the_store_moves_on_and_never_back),
                                       TEST(crowded_chains_come_to_rest),
                                       TEST(the_same_input_gives_the_same_bytes)};
    signal(SIGABRT, tell_abort);
    return cmocka_run_group_tests_name("metamorphic", tests, NULL, NULL);
}
