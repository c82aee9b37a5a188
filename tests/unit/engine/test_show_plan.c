/* Plans that nobody made by hand, shown: whatever stands in them, what people see is plain and adds
 * up.  What an ordinary plan looks like is in golden/plan. */
#include "engine/show_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/when.h"
#include "engine/text.h"
#include "tests/support/scratch.h"

#define LONG_BYTES 3000

static char folder[64], path[96], long_directory[LONG_BYTES + 2];
static bool keep_source;

static struct plan_store stores[] = {{"hot", "file:///h/"}, {"cold_2.J", "file:///c/"}};
static struct plan_guard guard = {.policy = "p",
                                  .guards = {.max_recordings = 5,
                                             .max_bytes = POLICY_NO_LIMIT,
                                             .max_deletes = POLICY_NO_LIMIT,
                                             .max_fraction_ppm = POLICY_FRACTION_ONE,
                                             .truncate = true},
                                  .order = ORDER_NEWEST};
static struct plan_header header = {
    .policy_digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    .catalog = "sqlite:///t.db#t",
    .stores = stores,
    .store_count = 2,
    .guards = &guard,
    .guard_count = 1,
    .journal = "none",
    .surveyed = true};

static struct plan_action move_of(const char *directory, const char *location)
{
    static struct plan_row row;
    row = (struct plan_row){.id = "A\x1b[2J", .location = location, .because = "older\a"};
    return (struct plan_action){.kind = PLAN_MOVE,
                                .directory = directory,
                                .target = 1,
                                .target_directory = directory,
                                .policy = "p",
                                .at = "x.yaml:1:1",
                                .surveyed = true,
                                .objects = INT64_MAX,
                                .bytes = INT64_MAX,
                                .oldest_us = INT64_MAX,
                                .rows = &row,
                                .row_count = 1,
                                .row_total = 1};
}

static void write_plan(const struct plan_action *actions, size_t count, struct plan_funnel *funnel)
{
    struct plan_store_total totals[3] = {{INT64_MAX, INT64_MAX, 0, 0},
                                         {0, 0, INT64_MAX, INT64_MAX}};
    struct plan_summary summary = {.rows = funnel->rows,
                                   .actions = {[PLAN_MOVE] = count},
                                   .move_recordings = count,
                                   .move_objects = count > 0 ? INT64_MAX : 0,
                                   .move_bytes = count > 0 ? INT64_MAX : 0,
                                   .funnels = funnel,
                                   .funnel_count = 1,
                                   .totals = totals,
                                   .total_count = header.store_count};
    struct plan_made made = {.by = "t", .host = "h", .policy = "p\x1b[2J.yaml"};
    char digest[PLAN_DIGEST_MAX];
    struct plan_writer *writer;
    struct err err;
    remove(path);
    bool done = plan_file_create(path, &header, &writer, &err);
    for (size_t i = 0; done && i < count; i++)
        done = plan_file_add(writer, &actions[i], &err);
    if (!done || !plan_file_finish(writer, &summary, &made, digest, &err))
        fail_msg("%s", err.text);
}

/* What is shown of the plan; the caller frees it. */
static char *show(bool all)
{
    struct show_options options = {.all = all, .keep_source = keep_source, .path = path};
    struct plan_reader *plan;
    struct err err;
    char *text;
    size_t size_bytes;
    FILE *out = open_memstream(&text, &size_bytes);
    if (!plan_file_open(path, &plan, &err) || !show_plan(out, plan, &options, &err))
        fail_msg("%s", err.text);
    plan_file_close(plan);
    fclose(out);
    for (const char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' && *at != '\n')
            fail_msg("a control byte is shown: %s", text);
    return text;
}

static void shows(bool all, const char *line)
{
    char *text = show(all);
    if (strstr(text, line) == NULL)
        fail_msg("\"%s\" is not in\n%s", line, text);
    free(text);
}

static void keys_of_any_length_are_folded(void **state)
{
    (void)state;
    char location[LONG_BYTES + 32];
    snprintf(location, sizeof(location), "file:///h/%sx", long_directory);
    struct plan_action action = move_of(long_directory, location);
    struct plan_funnel funnel = {.policy = "p", .from = 0, .target = 1, .rows = 1, .planned = 1};
    write_plan(&action, 1, &funnel);
    shows(false, "     1 directory   9.22 EB  9,223,372,036,854,775,807 objects\n");
    shows(true, "\n      A?[2J   older?\n");
}

/* With what it moves goes the source of one of the three: the next has a grace, the last is kept.
 */
static void sources_that_go_in_the_same_run_are_counted(void **state)
{
    (void)state;
    static const char *const directories[] = {"a/", "b/", "c/"};
    static const struct policy_terms terms[] = {
        {.grace_us = 0}, {.grace_us = WHEN_DAY_US}, {.keep_source = true}};
    struct plan_row rows[3];
    struct plan_action actions[3];
    char locations[3][16];
    for (size_t i = 0; i < 3; i++) {
        snprintf(locations[i], sizeof(locations[i]), "file:///h/%sx", directories[i]);
        actions[i] = move_of(directories[i], locations[i]);
        rows[i] = actions[i].rows[0];
        actions[i].rows = &rows[i];
        actions[i].terms = terms[i];
    }
    struct plan_funnel funnel = {.policy = "p", .from = 0, .target = 1, .rows = 3, .planned = 3};
    write_plan(actions, 3, &funnel);
    shows(false, " objects), 1 source to delete.\n");
    keep_source = true;
    shows(false, " objects), 0 sources to delete.\n");
    keep_source = false;
}

static void long_names_stand_apart(void **state)
{
    (void)state;
    static char name[120];
    memset(name, 'n', sizeof(name) - 1);
    struct plan_funnel funnel = {.policy = name, .from = POLICY_NO_INDEX, .target = 1};
    write_plan(NULL, 0, &funnel);
    shows(false, "n  any -> cold_2.J\n    0 recordings -> 0 selected -> 0 to move\n");
}

/* hot, cool and cold are one place, far is another one. */
static void between_stores_of_one_place_nothing_moves(void **state)
{
    (void)state;
    static struct plan_store tiers[] = {
        {"hot", "file:///h/"}, {"cool", "file:///h/"}, {"far", "file:///f/"}};
    static const struct {
        uint16_t from, target;
        size_t stores;
        const char *says;
    } table[] = {
        {0, 1, 3, "hot -> cool   0 recordings -> 0 selected -> 0 to retier\n"},
        {0, 2, 3, "hot -> far   0 recordings -> 0 selected -> 0 to move\n"},
        {2, 1, 3, "far -> cool   0 recordings -> 0 selected -> 0 to move\n"},
        {POLICY_NO_INDEX, 2, 3, "any -> far   0 recordings -> 0 selected -> 0 to move\n"},
        {POLICY_NO_INDEX, 1, 3,
         "any -> cool   0 recordings -> 0 selected -> 0 to move or retier\n"},
        {POLICY_NO_INDEX, 1, 2, "any -> cool   0 recordings -> 0 selected -> 0 to retier\n"}};
    const struct plan_header ordinary = header;
    header.stores = tiers;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct plan_funnel funnel = {
            .policy = "p", .from = table[i].from, .target = table[i].target};
        header.store_count = table[i].stores;
        write_plan(NULL, 0, &funnel);
        shows(false, table[i].says);
    }
    header = ordinary;
}

static void a_line_breaks_before_it_is_too_wide(void **state)
{
    (void)state;
    struct plan_funnel funnel = {.policy = "p",
                                 .from = 0,
                                 .target = 1,
                                 .rows = 81000,
                                 .out = 45000,
                                 .excluded = 1000,
                                 .held = 2000,
                                 .undecided = 3000,
                                 .lost = 4000,
                                 .in_place = 5000,
                                 .blocked = 6000,
                                 .left = 15000,
                                 .guard = "max_recordings 5"};
    write_plan(NULL, 0, &funnel);
    shows(false,
          "\np  hot -> cold_2.J   81,000 recordings -> 36,000 selected or undecided "
          "-> 1,000 excluded\n"
          "                     -> 2,000 held -> 3,000 undecided -> 30,000 -> 4,000 taken by "
          "another policy\n"
          "                     -> 5,000 already there -> 6,000 blocked -> 15,000 left for "
          "later -> 0 to move\n"
          "  ! 15,000 left for later: max_recordings 5, newest first\n"
          "  ? 3,000 undecided, and so they stay; frostline explain ID tells why\n");
}

static void columns_are_characters(void **state)
{
    (void)state;
    assert_int_equal(text_columns(""), 0);
    assert_int_equal(text_columns("prüfgelände"), 11);
    struct plan_funnel funnel = {.policy = "p", .target = 1};
    write_plan(NULL, 0, &funnel);
    shows(false, "  hot              9.22 EB 9,223,372,036,854,775,807        0 B           0");
}

static int set_up(void **state)
{
    (void)state;
    scratch_folder(folder, sizeof(folder));
    snprintf(path, sizeof(path), "%s/x.plan", folder);
    memset(long_directory, 'd', LONG_BYTES);
    long_directory[LONG_BYTES] = '/';
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_any_length_are_folded),
        cmocka_unit_test(sources_that_go_in_the_same_run_are_counted),
        cmocka_unit_test(long_names_stand_apart),
        cmocka_unit_test(between_stores_of_one_place_nothing_moves),
        cmocka_unit_test(a_line_breaks_before_it_is_too_wide),
        cmocka_unit_test(columns_are_characters),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
