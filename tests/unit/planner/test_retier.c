/* Law 11: stores of one place differ in their tier alone, and what goes from one to another of them
 * keeps its place, its bytes and its rows. */
#include "planner/planner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/str.h"
#include "state/location.h"
#include "tests/support/planning_rig.h"

/* hot, warm and cold are one place; the policies follow. */
#define HEAD                                                                                       \
    "version: 1\n"                                                                                 \
    "catalog:\n"                                                                                   \
    "  type: sqlite\n"                                                                             \
    "  path: /srv/catalog.db\n"                                                                    \
    "  table: ecal\n"                                                                              \
    "  id: id\n"                                                                                   \
    "  location: url\n"                                                                            \
    "  time: {column: recorded, timezone: UTC}\n"                                                  \
    "  size: {column: bytes, unit: B}\n"                                                           \
    "  fields: {map: map, valid: valid}\n"                                                         \
    "stores:\n"                                                                                    \
    "  hot: {type: azure, connection_string: '${A}', container: rec, tier: hot}\n"                 \
    "  warm: {type: azure, connection_string: '${A}', container: rec, tier: cool}\n"               \
    "  cold: {type: azure, connection_string: '${A}', container: rec, tier: cold}\n"               \
    "  archive: {type: azure, connection_string: '${A}', container: far}\n"                        \
    "policies:\n"
#define COOL_DOWN                                                                                  \
    "  - {name: cool-down, target: warm, select: {older_than: 30d}, cleanup: {after: 7d}}\n"
#define MOVE_OFF                                                                                   \
    "  - {name: move-off, target: archive, priority: 9, select: {older_than: 90d},\n"              \
    "     cleanup: {after: 7d}}\n"

static struct planning_rig rig;

/* What is known of tiers: "a/" is cool, "b/" is cold. */
static bool find_tier(void *context, const char *url, enum access_tier *tier, struct err *err)
{
    (void)context;
    (void)err;
    *tier = str_ends(url, "/a/") ? TIER_COOL : str_ends(url, "/b/") ? TIER_COLD : TIER_DEFAULT;
    return true;
}

static void make(const char *policy)
{
    rig_make(&rig, policy);
    rig.request.tier = find_tier;
}

static int end(void **state)
{
    (void)state;
    rig_free(&rig);
    return 0;
}

static void put(const char *id, const char *key, int days)
{
    const char *base = rig.policies->places.items[RIG_HOT].base;
    rig_put(&rig, (struct rig_row){
                      .id = id, .at = str_format(&rig.arena, "%s%s", base, key), .days = days});
}

static void another_store_of_the_place_is_a_retier(void **state)
{
    (void)state;
    make(HEAD COOL_DOWN);
    put("A", "a/f", 40); /* is there */
    put("B", "b/f", 40);
    put("C", "c/f", 40);
    put("D", "d/f", 10);
    rig_plan(&rig);
    assert_null(rig_find(&rig, "warm:a/"));
    const struct plan_action *retier = rig_find(&rig, "cold:b/");
    assert_int_equal(retier->kind, PLAN_RETIER);
    assert_int_equal(retier->target, RIG_WARM);
    assert_int_equal(retier->tier, TIER_COOL);
    assert_true(retier->terms.keep_source);
    assert_int_equal(retier->row_count, 1);
    assert_string_equal(retier->rows[0].id, "B");
    assert_int_equal(rig_find(&rig, "hot:c/")->kind, PLAN_RETIER); /* nobody knows better */
    assert_int_equal(rig.summary.actions[PLAN_RETIER], 2);
    assert_int_equal(rig.summary.actions[PLAN_MOVE], 0);
    assert_int_equal(rig.summary.retier_recordings, 2);
    assert_int_equal(rig.summary.totals[RIG_WARM].recordings_now, 1);
    assert_int_equal(rig.summary.totals[RIG_WARM].recordings_after, 3);
    assert_int_equal(rig.summary.totals[RIG_COLD].recordings_after, 0);
    assert_int_equal(rig.summary.totals[RIG_HOT].recordings_after, 1);
    assert_int_equal(rig_funnel(&rig, "cool-down")->in_place, 1);
    assert_int_equal(rig_funnel(&rig, "cool-down")->planned, 2);
}

static void another_place_is_a_move_from_whichever_store(void **state)
{
    (void)state;
    make(HEAD COOL_DOWN MOVE_OFF);
    put("A", "a/f", 100);
    put("B", "b/f", 100);
    put("C", "c/f", 40);
    rig_plan(&rig);
    rig_moves(&rig, "warm:a/", "archive");
    rig_moves(&rig, "cold:b/", "archive");
    assert_int_equal(rig_find(&rig, "hot:c/")->kind, PLAN_RETIER);
    assert_false(rig_find(&rig, "cold:b/")->terms.keep_source);
}

static void from_and_store_mean_the_tier_as_well(void **state)
{
    (void)state;
    make(HEAD
         "  - {name: warm-up, from: cold, target: hot, select: {older_than: 30d}}\n"
         "  - {name: cool, target: cold, priority: 1, select: {store: hot, older_than: 30d}}\n");
    put("A", "a/f", 40);
    put("B", "b/f", 40);
    put("C", "c/f", 40);
    rig_plan(&rig);
    assert_null(rig_find(&rig, "warm:a/"));
    /* They would send it to and fro; the higher one says where it rests. */
    assert_null(rig_find(&rig, "cold:b/"));
    assert_int_equal(rig_find(&rig, "hot:c/")->target, RIG_COLD);
}

static const char *seen_url;
static enum access_tier seen_tier;

static bool see(void *context, const char *url, enum access_tier tier, struct err *err)
{
    (void)context;
    (void)err;
    seen_url = arena_copy(&rig.arena, url);
    seen_tier = tier;
    return true;
}

/* Of what is not known the first store is only a guess. */
static void who_looks_at_stores_is_not_served_by_a_guess(void **state)
{
    (void)state;
    static const char *const targets[] = {"warm", "archive"};
    static const struct rig_found found = {
        .directory = "hot:d/", .objects = 3, .bytes = 30, .tier = TIER_COLD};
    for (size_t i = 0; i < 2; i++) {
        char policy[2000];
        snprintf(policy, sizeof policy,
                 HEAD "  - {name: p, from: hot, target: %s, select: {older_than: 30d}}\n",
                 targets[i]);
        make(policy);
        rig.request.see = see;
        rig.survey.found = &found;
        rig.survey.found_count = 1;
        put("D", "d/f", 40);
        rig_plan(&rig);
        rig_blocked(&rig, "hot:d/", PLAN_OTHER_TIER, "its objects are in cold, not in hot");
        assert_true(str_ends(seen_url, "/rec/d/"));
        assert_int_equal(seen_tier, TIER_COLD);
        if (i == 0)
            rig_free(&rig);
    }
}

static void what_a_listing_sees_counts(void **state)
{
    (void)state;
    static const struct rig_found found[] = {
        {.directory = "hot:c/", .objects = 3, .bytes = 30, .tier = TIER_COOL},
        {.directory = "hot:d/", .objects = 3, .bytes = 30, .tier = TIER_COLD},
        {.directory = "hot:e/", .objects = 3, .bytes = 30, .tier = TIER_HOT},
        {.directory = "hot:f/", .objects = 3, .bytes = 30, .tier = TIER_DEFAULT},
        {.directory = "hot:g/", .objects = 3, .bytes = 30, .archived = 2}};
    make(HEAD COOL_DOWN);
    rig.survey.found = found;
    rig.survey.found_count = 5;
    put("C", "c/f", 40);
    put("D", "d/f", 40);
    put("E", "e/f", 40);
    put("F", "f/f", 40);
    put("G", "g/f", 40);
    rig_plan(&rig);
    assert_null(rig_find(&rig, "hot:c/"));                         /* it is where it should be */
    assert_int_equal(rig_find(&rig, "hot:d/")->kind, PLAN_RETIER); /* from wherever it is */
    rig_blocked(&rig, "hot:g/", PLAN_ARCHIVED, "2 of its objects are in the archive tier");
    assert_int_equal(rig_find(&rig, "hot:e/")->objects, 3);
    assert_int_equal(rig_find(&rig, "hot:f/")->kind, PLAN_RETIER);
    const struct plan_funnel *funnel = rig_funnel(&rig, "cool-down");
    assert_int_equal(funnel->in_place, 1);
    assert_int_equal(funnel->blocked, 1);
    assert_int_equal(funnel->planned, 3);
}

static void a_guard_counts_a_retier_and_no_deletion(void **state)
{
    (void)state;
    make(HEAD "  - {name: cool-down, target: warm, select: {older_than: 30d},\n"
              "     guards: {max_deletes: 0, max_recordings: 1, on_exceed: truncate}}\n");
    put("C", "c/f", 40);
    put("D", "d/f", 50);
    rig_plan(&rig);
    assert_null(rig_find(&rig, "hot:c/"));
    assert_int_equal(rig_find(&rig, "hot:d/")->kind, PLAN_RETIER);
    assert_int_equal(rig_funnel(&rig, "cool-down")->left, 1);
}

static bool note_tier(void *context, const char *url, enum access_tier tier, struct err *err)
{
    size_t *noted = context;
    (void)url;
    (void)err;
    *noted += tier == TIER_COOL;
    return true;
}

/* Or the policy would be refused for what is done already, and never know. */
static void a_guard_that_fails_counts_no_retier_before_it_was_looked_at(void **state)
{
    (void)state;
    static const struct rig_found found[] = {
        {.directory = "hot:c/", .objects = 2, .bytes = 20, .tier = TIER_COOL},
        {.directory = "hot:d/", .objects = 2, .bytes = 20, .tier = TIER_HOT},
        {.directory = "hot:e/", .objects = 2, .bytes = 20, .tier = TIER_COOL}};
    size_t noted = 0;
    make(HEAD "  - {name: cool-down, target: warm, select: {older_than: 30d},\n"
              "     guards: {max_recordings: 1, max_percent: 40%, min_recordings: 3}}\n");
    rig.survey.found = found;
    rig.survey.found_count = 3;
    rig.request.see = note_tier;
    rig.request.tier_context = &noted;
    put("C", "c/f", 40);
    put("D", "d/f", 40);
    put("E", "e/f", 40);
    rig_plan(&rig);
    assert_int_equal(rig_funnel(&rig, "cool-down")->in_place, 2);
    assert_int_equal(rig_funnel(&rig, "cool-down")->planned, 1);
    assert_int_equal(noted, 2);

    rig.survey.found_count = 0; /* all of them are hot */
    rig_plan(&rig);
    assert_int_equal(rig_funnel(&rig, "cool-down")->planned, 0);
    assert_true(rig_funnel(&rig, "cool-down")->failed);
    assert_string_equal(rig_funnel(&rig, "cool-down")->guard, "max_recordings 1");
    rig.request.survey = NULL;
    rig_plan(&rig);
    assert_true(rig_funnel(&rig, "cool-down")->failed);
}

/* Directories of all stores of the place come in one order, and so do the plan's lines. */
static void one_place_has_one_order(void **state)
{
    (void)state;
    make(HEAD "  - {name: off, target: archive, select: {older_than: 30d}}\n");
    static const char *const keys[] = {"1/f", "2/a/f", "3/b/f", "4/a/f", "5/f"};
    static const char *const at[] = {"hot:1/", "warm:2/a/", "cold:3/b/", "warm:4/a/", "hot:5/"};
    for (size_t i = 0; i < 5; i++)
        put(str_format(&rig.arena, "R%zu", i), keys[i], 40);
    rig_plan(&rig);
    assert_int_equal(rig.action_count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_ptr_equal(rig_find(&rig, at[i]), rig.actions[i]);
}

static void who_would_go_to_another_store_of_the_place_collides(void **state)
{
    (void)state;
    make(HEAD "  - {name: pull, from: archive, target: warm, select: {older_than: 30d}}\n"
              "  - {name: cool-down, from: hot, target: warm, select: {older_than: 30d}}\n");
    put("C", "c/f", 40);
    rig_put(&rig, (struct rig_row){.id = "D",
                                   .at = str_format(&rig.arena, "%sc/g",
                                                    rig.policies->places.items[RIG_ARCHIVE].base),
                                   .days = 40});
    rig_plan(&rig);
    rig_blocked(&rig, "hot:c/", PLAN_TARGET_COLLISION, "archive:c/ would go there as well");
    rig_blocked(&rig, "archive:c/", PLAN_TARGET_COLLISION, "hot:c/ would go there as well");
}

/* Objects that came to the place by a move, and whose tier was set since. */
static void what_came_back_is_repaired_where_its_objects_are(void **state)
{
    (void)state;
    static const struct rig_found found = {.directory = "archive:b/"};
    make(HEAD COOL_DOWN);
    const struct place *places = rig.policies->places.items;
    const char *folder = str_format(&rig.arena, "%s/state", rig.folder);
    struct catalog_row row = {
        .id = "B",
        .old_location = location_make(&places[RIG_ARCHIVE], "b/", "f", &rig.arena),
        .new_location = location_make(&places[RIG_WARM], "b/", "f", &rig.arena)};
    struct journal_new new = {
        .entry = {.unit = {.run = 1, .state = UNIT_COPYING, .tier = TIER_COOL, .rows = 1},
                  .source = location_make(&places[RIG_ARCHIVE], "b/", "", &rig.arena),
                  .target = location_make(&places[RIG_WARM], "b/", "", &rig.arena),
                  .source_store = "archive",
                  .target_store = "warm",
                  .directory = "b/",
                  .policy = "move-on"},
        .rows = &row,
        .row_count = 1};
    if (!journal_open(folder, JOURNAL_WRITE, &rig.clock.clock, &rig.journal, &rig.err) ||
        !journal_begin(rig.journal, &new, 1, &rig.err))
        fail_msg("%s", rig.err.text);
    struct unit done = new.entry.unit;
    done.state = UNIT_DONE;
    done.cleanup_at_us = rig.policies->as_of_us - RIG_DAY_US;
    digest_of(DIGEST_SHA256, "b/", 2, done.target_manifest.sha256);
    assert_true(journal_save(rig.journal, &done, 1, true, &rig.err));

    rig.survey.found = &found;
    rig.survey.found_count = 1;
    rig_put(&rig, (struct rig_row){.id = "B", .at = row.old_location, .days = 1});
    rig_plan(&rig);
    const struct plan_action *repair = rig_find(&rig, "archive:b/");
    assert_non_null(repair);
    assert_int_equal(repair->kind, PLAN_REPAIR);
    assert_int_equal(repair->target, RIG_COLD);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, end)
    const struct CMUnitTest tests[] = {
        TEST(another_store_of_the_place_is_a_retier),
        TEST(another_place_is_a_move_from_whichever_store),
        TEST(from_and_store_mean_the_tier_as_well),
        TEST(who_looks_at_stores_is_not_served_by_a_guess),
        TEST(what_a_listing_sees_counts),
        TEST(a_guard_counts_a_retier_and_no_deletion),
        TEST(a_guard_that_fails_counts_no_retier_before_it_was_looked_at),
        TEST(one_place_has_one_order),
        TEST(what_came_back_is_repaired_where_its_objects_are),
        TEST(who_would_go_to_another_store_of_the_place_collides),
    };
    return cmocka_run_group_tests_name("retier", tests, NULL, NULL);
}
