/* test_plan_diff.c: what differs between two plans, and why. */
#include "planner/plan_diff.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "tests/support/planning_rig.h"

#define TEXT_BYTES ((size_t)1 << 20)

static struct planning_rig rig;
static struct buf text;
static const char *old_path;

static int begin(void **state)
{
    (void)state;
    rig_make(&rig, RIG_AGE_OUT);
    buf_init(&text, TEXT_BYTES);
    old_path = str_format(&rig.arena, "%s/old.plan", rig.folder);
    return 0;
}

static int end(void **state)
{
    (void)state;
    buf_free(&text);
    rig_free(&rig);
    return 0;
}

/* -- a difference as a line ---------------------------------------------------------------------
 */

static void put_row(void *context, bool is_gained, const struct plan_row *row)
{
    (void)context;
    buf_format(&text, " %c%s", is_gained ? '+' : '-', row->id);
}

/* "~ hot:a/ move-blocked [action,target] blocked +A -B" */
static bool put(void *context, const struct plan_diff *diff, struct err *err)
{
    static const char signs[] = {'+', '-', '~'};
    const struct plan_header *header = diff->after ? diff->new_header : diff->old_header;
    const struct plan_action *one = diff->after ? diff->after : diff->before;
    (void)context;
    (void)err;
    buf_format(&text, "%c %s:%s ", signs[diff->change], header->stores[one->store].name,
               one->directory);
    if (diff->before != NULL)
        buf_text(&text, plan_kind_name(diff->before->kind));
    buf_char(&text, '-');
    if (diff->after != NULL)
        buf_text(&text, plan_kind_name(diff->after->kind));
    buf_text(&text, " [");
    for (unsigned bit = 1, left = diff->what; left != 0; left &= ~bit, bit <<= 1)
        if (left & bit)
            buf_format(&text, "%s%s", plan_diff_what_name((enum plan_diff_what)bit),
                       left & ~bit ? "," : "");
    const char *cause = plan_diff_cause_name(diff->cause);
    buf_format(&text, "] %s", cause != NULL ? cause : "?");
    size_t size = text.size;
    plan_diff_each_row(diff, put_row, NULL);
    uint64_t rows = 0;
    for (size_t i = size; i < text.size; i++)
        rows += text.bytes[i] == ' ';
    assert_int_equal(rows, diff->gained + diff->lost);
    buf_char(&text, '\n');
    return true;
}

static bool compare(const char *old, const char *new, struct err *err)
{
    struct plan_reader *readers[2];
    assert_true(plan_file_open(old, &readers[0], err));
    assert_true(plan_file_open(new, &readers[1], err));
    buf_reset(&text);
    bool done = plan_diff_run(readers[0], readers[1], put, NULL, err);
    plan_file_close(readers[1]);
    plan_file_close(readers[0]);
    return done;
}

static void plan_old(void)
{
    rig_plan(&rig);
    assert_int_equal(rename(rig.path, old_path), 0);
}

/* The plan that is made now differs from the old one in this, and in nothing from itself. */
static void expect(const char *want)
{
    rig_plan(&rig);
    if (!compare(old_path, rig.path, &rig.err))
        fail_msg("%s", rig.err.text);
    assert_string_equal(buf_string(&text), want);
    assert_true(compare(rig.path, rig.path, &rig.err));
    assert_string_equal(buf_string(&text), "");
}

static void expect_refusal(const char *want)
{
    rig_plan(&rig);
    assert_false(compare(old_path, rig.path, &rig.err));
    assert_int_equal(rig.err.kind, ERR_INPUT);
    assert_string_equal(rig.err.text, want);
}

static void days_pass(int days)
{
    policy_prepare(rig.policies, rig.policies->as_of_us + days * RIG_DAY_US);
}

/* -- directories that one plan lacks ------------------------------------------------------------
 */

static void time_alone_selects(void **state)
{
    (void)state;
    ROW(&rig, "A", "hot:a/f");
    ROW(&rig, "B", "hot:b/f", .days = 85);
    plan_old();
    expect("");
    days_pass(10);
    expect("+ hot:b/ -move [] selected +B\n");
}

static void what_was_moved_is_done(void **state)
{
    (void)state;
    ROW(&rig, "A", "hot:a/f");
    ROW(&rig, "B", "hot:b/f");
    plan_old();
    ROW(&rig, "A", "cold:a/f");
    expect("- hot:a/ move- [] ? -A\n");
    days_pass(1);
    expect("- hot:a/ move- [] done-or-not-selected -A\n");
}

static void an_edited_policy_selects_and_drops(void **state)
{
    (void)state;
    ROW(&rig, "A", "hot:a/f", .days = 95);
    ROW(&rig, "B", "hot:b/f", .days = 50);
    ROW(&rig, "C", "warm:c/f", .days = 100, .map = "x");
    plan_old();
    rig_load(&rig, RIG_HEAD "policies:\n"
                            "  - name: young\n"
                            "    from: hot\n"
                            "    target: cold\n"
                            "    select: {newer_than: 90d}\n"
                            "  - name: maps\n"
                            "    target: archive\n"
                            "    select: {map: x}\n");
    expect("- hot:a/ move- [] edited -A\n"
           "+ hot:b/ -move [] edited +B\n"
           "+ warm:c/ -move [] edited +C\n");
    days_pass(1);
    expect("- hot:a/ move- [] ? -A\n"
           "+ hot:b/ -move [] ? +B\n"
           "+ warm:c/ -move [] ? +C\n");
}

static void a_guard_that_refuses_drops_all(void **state)
{
    (void)state;
    rig_load(&rig, RIG_AGE_OUT "    guards: {max_recordings: 2, on_exceed: fail}\n");
    ROW(&rig, "A", "hot:a/f");
    ROW(&rig, "B", "hot:b/f");
    plan_old();
    ROW(&rig, "C", "hot:c/f");
    expect("- hot:a/ move- [] refused -A\n"
           "- hot:b/ move- [] refused -B\n");
    plan_old();
    catalog_memory_remove(rig.rows, "C");
    expect("+ hot:a/ -move [] no-longer-refused +A\n"
           "+ hot:b/ -move [] no-longer-refused +B\n");
}

static void a_source_is_another_matter_than_its_directory(void **state)
{
    (void)state;
    ROW(&rig, "A", "hot:a/f");
    plan_old();
    rig_unit(&rig, "hot:a/", "cold:a/", UNIT_CUTOVER, rig.policies->as_of_us - 1, 1000);
    expect("~ hot:a/ move-blocked [action] blocked\n"
           "+ hot:a/ -reap [] grace-over\n");
    assert_int_equal(rename(rig.path, str_format(&rig.arena, "%s/both.plan", rig.folder)), 0);
    rig_plan(&rig);
    assert_true(compare(rig.path, old_path, &rig.err));
    assert_string_equal(buf_string(&text), "~ hot:a/ blocked-move [action] no-longer-blocked\n"
                                           "- hot:a/ reap- [] reaped-or-not-due\n");
}

/* -- directories that changed -------------------------------------------------------------------
 */

static void blocked_and_free_again(void **state)
{
    (void)state;
    ROW(&rig, "A", "hot:a/f");
    ROW(&rig, "B", "hot:a/g");
    ROW(&rig, "C", "hot:c/f");
    ROW(&rig, "D", "hot:c/g", .days = 1);
    plan_old();
    rig_load(&rig, RIG_AGE_OUT "holds:\n"
                               "  - {name: legal, reason: ask, select: {ids: [B]}}\n");
    expect("~ hot:a/ move-blocked [action] blocked\n");
    ROW(&rig, "D", "hot:c/g", .days = 91);
    expect("~ hot:a/ move-blocked [action] blocked\n"
           "~ hot:c/ blocked-move [action] no-longer-blocked\n");
    ROW(&rig, "D", "hot:c/h/g", .days = 1);
    expect("~ hot:a/ move-blocked [action] blocked\n"
           "~ hot:c/ blocked-blocked [reason,bytes,recordings] ?\n");
}

static void recordings_come_and_go(void **state)
{
    (void)state;
    rig.request.survey = NULL;
    ROW(&rig, "A", "hot:a/a");
    ROW(&rig, "B", "hot:a/b");
    ROW(&rig, "D", "hot:a/d");
    plan_old();
    catalog_memory_remove(rig.rows, "A");
    ROW(&rig, "C", "hot:a/c");
    ROW(&rig, "E", "hot:a/e");
    expect("~ hot:a/ move-move [bytes,recordings] ? -A +C +E\n");
    ROW(&rig, "A", "hot:a/a");
    catalog_memory_remove(rig.rows, "C");
    catalog_memory_remove(rig.rows, "E");
    ROW(&rig, "D", "hot:a/z");
    expect("~ hot:a/ move-move [recordings] ? -D +D\n");
}

static void what_a_listing_finds_is_compared_with_a_listing(void **state)
{
    (void)state;
    static const struct rig_found found[] = {{.directory = "hot:a/", .objects = 9, .bytes = 2000}};
    ROW(&rig, "A", "hot:a/f");
    plan_old();
    rig.survey.found = found;
    rig.survey.found_count = 1;
    expect("~ hot:a/ move-move [objects] ?\n");
    rig.request.survey = NULL;
    expect("");
}

static void the_same_recordings_by_other_policies(void **state)
{
    (void)state;
    static const struct {
        const char *policies, *want;
    } cases[] = {
        {"  - name: age-out\n    target: cold\n    select: {older_than: 90d}\n", ""},
        {"  - name: other\n    target: cold\n    select: {older_than: 90d}\n", "policy"},
        {"  - name: age-out\n    target: warm\n    select: {older_than: 90d}\n", "target"},
        {"  - name: age-out\n    target: cold\n    select: {older_than: 90d}\n"
         "    cleanup: {source: keep}\n",
         "terms"},
        {"  - name: age-out\n    target: cold\n    select: {older_than: 90d}\n"
         "    cleanup: {source: delete, after: 3d}\n",
         "terms"},
        {"  - name: age-out\n    target: cold\n    select: {older_than: 90d}\n"
         "    window: {from: \"22:00\", to: \"05:00\"}\n",
         "terms"},
        {"  - name: other\n    target: warm\n    select: {older_than: 90d}\n"
         "    verify: readback\n",
         "target,policy,terms"},
    };
    ROW(&rig, "A", "hot:a/f");
    plan_old();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rig_load(&rig, str_format(&rig.arena, RIG_HEAD "policies:\n\n%s", cases[i].policies));
        expect(cases[i].want[0] == '\0'
                   ? ""
                   : str_format(&rig.arena, "~ hot:a/ move-move [%s] edited\n", cases[i].want));
    }
}

static void another_winner_without_an_edit(void **state)
{
    (void)state;
    rig_load(&rig, RIG_AGE_OUT "  - name: very-old\n"
                               "    target: archive\n"
                               "    priority: 200\n"
                               "    select: {older_than: 120d}\n");
    ROW(&rig, "A", "hot:a/f", .days = 115);
    plan_old();
    days_pass(10);
    expect("~ hot:a/ move-move [target,policy] another-winner\n");
}

/* -- plans that are not alike -------------------------------------------------------------------
 */

#define SOME_STORES(list)                                                                          \
    "version: 1\n"                                                                                 \
    "catalog: {type: sqlite, path: /srv/catalog.db, table: ecal, id: id, location: url,\n"         \
    "          time: {column: recorded, timezone: UTC}, size: {column: bytes, unit: B},\n"         \
    "          fields: {map: map, valid: valid}}\n"                                                \
    "stores:\n" list "policies:\n"                                                                 \
    "  - {name: age-out, target: cold, select: {older_than: 90d}}\n"
#define STORE(name) "  " name ": {type: local, path: /srv/" name "}\n"

static void stores_may_come_and_go(void **state)
{
    (void)state;
    ROW(&rig, "A", "hot:a/f");
    ROW(&rig, "B", "hot:b/f", .days = 1);
    plan_old();
    rig_load(&rig, SOME_STORES(STORE("first") STORE("hot") STORE("new") STORE("cold")));
    expect("");
    ROW(&rig, "B", "hot:b/f");
    expect("+ hot:b/ -move [] edited +B\n");
}

#define AZURE(name, more)                                                                          \
    "  " name ": {type: azure, connection_string: '${A}', container: " more "}\n"
#define FAR AZURE("far", "far")
#define COLD AZURE("cold", "cold")
#define HOT AZURE("hot", "rec, tier: hot")
#define COOL AZURE("cool", "rec, tier: cool")

/* What moves is the same whichever stores of its place there are. */
static void stores_of_one_place_may_come_and_go(void **state)
{
    (void)state;
    static const char *const policies[] = {
        SOME_STORES(FAR HOT COOL COLD),
        SOME_STORES(FAR COOL HOT COLD),
        SOME_STORES(AZURE("new", "new") FAR COOL COLD HOT),
    };
    rig_load(&rig, SOME_STORES(FAR COOL COLD));
    const struct place *places = rig.policies->places.items;
    ROW(&rig, "A", str_format(&rig.arena, "%sa/f", places[0].base));
    ROW(&rig, "B", str_format(&rig.arena, "%sb/f", places[1].base));
    ROW(&rig, "C", str_format(&rig.arena, "%sc/f", places[1].base));
    plan_old();
    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
        rig_load(&rig, policies[i]);
        expect("");
        assert_int_equal(rig.action_count, 3);
        assert_true(compare(rig.path, old_path, &rig.err));
        assert_string_equal(buf_string(&text), "");
    }
}

static void places_in_another_order_are_refused(void **state)
{
    (void)state;
    plan_old();
    rig_load(&rig, SOME_STORES(STORE("cold") STORE("hot")));
    expect_refusal("the places file:///srv/hot/ and file:///srv/cold/ are in another order in each "
                   "plan");
}

static void a_store_at_another_place_is_refused(void **state)
{
    (void)state;
    plan_old();
    rig_load(&rig, SOME_STORES("  hot: {type: local, path: /mnt/hot}\n" STORE("cold")));
    expect_refusal("the store hot is file:///srv/hot/ in one plan and file:///mnt/hot/ in the "
                   "other");
}

static void another_catalog_is_refused(void **state)
{
    (void)state;
    plan_old();
    rig.shape.identity = "sqlite:///srv/other.db#ecal";
    expect_refusal("the plans are of two catalogs, memory:///ecal and sqlite:///srv/other.db#ecal");
}

/* No planner makes such a plan, but its lines are in order. */
static void a_directory_that_moves_is_not_blocked(void **state)
{
    (void)state;
    struct plan_reader *reader;
    struct plan_writer *writer;
    struct plan_action *action;
    ROW(&rig, "A", "hot:a/f");
    plan_old();
    assert_true(plan_file_open(old_path, &reader, &rig.err));
    assert_true(plan_file_next(reader, &rig.arena, &action, &rig.err));
    assert_true(plan_file_create(rig.path, plan_file_header(reader), &writer, &rig.err));
    assert_true(plan_file_add(writer, action, &rig.err));
    action->kind = PLAN_BLOCKED;
    action->reason = PLAN_HELD;
    action->detail = "";
    assert_true(plan_file_add(writer, action, &rig.err));
    struct plan_summary summary = *plan_file_summary(reader);
    summary.actions[PLAN_BLOCKED]++;
    assert_true(plan_file_finish(writer, &summary, plan_file_made(reader), rig.digest, &rig.err));
    plan_file_close(reader);
    assert_false(compare(old_path, rig.path, &rig.err));
    assert_int_equal(rig.err.kind, ERR_CORRUPT);
    assert_string_equal(rig.err.text, "a/ is both to move and blocked");
}

/* -- two plans of one snapshot ------------------------------------------------------------------
 */

/* Once the first plan's rows were read. */
static void put_another(void *context, uint64_t rows, uint64_t surveyed, uint64_t to_survey)
{
    (void)context;
    (void)surveyed;
    (void)to_survey;
    if (rows == 2)
        ROW(&rig, "C", "hot:c/f", .map = "y");
}

static void both_plans_see_one_snapshot(void **state)
{
    (void)state;
    ROW(&rig, "A", "hot:a/f", .map = "y");
    ROW(&rig, "B", "hot:b/f", .map = "x");
    struct planner_request requests[2] = {rig.request, rig.request};
    struct policies *policies = rig.policies;
    rig.policies = NULL;
    requests[0].path = old_path;
    requests[0].progress = put_another;
    rig_load(&rig, RIG_AGE_OUT "    exclude: {map: x}\n");
    requests[1].policies = rig.policies;
    if (!planner_run_both(requests, &rig.arena, &rig.err))
        fail_msg("%s", rig.err.text);
    assert_true(compare(old_path, rig.path, &rig.err));
    assert_string_equal(buf_string(&text), "- hot:b/ move- [] edited -B\n");
    expect("- hot:b/ move- [] edited -B\n"
           "+ hot:c/ -move [] edited +C\n");
    policy_free(policies);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {TEST(time_alone_selects),
                                       TEST(what_was_moved_is_done),
                                       TEST(an_edited_policy_selects_and_drops),
                                       TEST(a_guard_that_refuses_drops_all),
                                       TEST(a_source_is_another_matter_than_its_directory),
                                       TEST(blocked_and_free_again),
                                       TEST(recordings_come_and_go),
                                       TEST(what_a_listing_finds_is_compared_with_a_listing),
                                       TEST(the_same_recordings_by_other_policies),
                                       TEST(another_winner_without_an_edit),
                                       TEST(stores_may_come_and_go),
                                       TEST(stores_of_one_place_may_come_and_go),
                                       TEST(places_in_another_order_are_refused),
                                       TEST(a_store_at_another_place_is_refused),
                                       TEST(another_catalog_is_refused),
                                       TEST(a_directory_that_moves_is_not_blocked),
                                       TEST(both_plans_see_one_snapshot)};
    return cmocka_run_group_tests_name("plan_diff", tests, NULL, NULL);
}
