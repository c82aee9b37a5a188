#include "engine/testing.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/map.h"
#include "base/str.h"
#include "engine/text.h"
#include "planner/planner.h"
#include "planner/whereabouts.h"
#include "policy/circle.h"
#include "policy/explain.h"
#include "state/catalog_memory.h"
#include "state/location.h"

#define TEXT_BYTES_MAX ((size_t)1 << 20)

/* One test, and the plan that its recordings lead to. */
struct testing {
    struct policies *policies;
    const struct policy_test *test;
    struct arena *arena;
    const char *folder; /* for what the planner writes */
    struct plan_action **actions;
    size_t action_count;
    struct map moves; /* ids of what moves, to the index of their action */
    struct buf text;
};

/* -- where recordings are -----------------------------------------------------------------------
 */

/* As the first recording of the directory says that names a store; no other one names another. */
static bool find_tier(void *context, const char *url, enum access_tier *tier, struct err *err)
{
    const struct testing *testing = context;
    const struct policy_test *test = testing->test;
    (void)err;
    *tier = TIER_DEFAULT;
    for (size_t i = 0; *tier == TIER_DEFAULT && i < test->recording_count; i++) {
        const char *location = test->recordings[i].location;
        if (test->stores[i] != POLICY_NO_INDEX && location != NULL && str_starts(location, url) &&
            strchr(location + strlen(url), '/') == NULL)
            *tier = testing->policies->stores[test->stores[i]].tier;
    }
    return true;
}

/* -- the plan ---------------------------------------------------------------------------------- */

static bool take_actions(struct testing *testing, struct plan_reader *plan, size_t count,
                         struct err *err)
{
    testing->actions = arena_make(testing->arena, count * sizeof(struct plan_action *));
    map_init(&testing->moves, testing->arena);
    for (size_t i = 0; i < count; i++) {
        struct plan_action *action;
        if (!plan_file_next(plan, testing->arena, &action, err))
            return false;
        if (action == NULL)
            break;
        for (size_t k = 0; plan_begins(action) && k < action->row_count; k++)
            map_put(&testing->moves, action->rows[k].id, i);
        testing->actions[testing->action_count++] = action;
    }
    return true;
}

static bool read_plan(struct testing *testing, const char *path, struct err *err)
{
    struct plan_reader *plan;
    if (!plan_file_open(path, &plan, err))
        return false;
    size_t count = 0;
    for (size_t i = 0; i < PLAN_KINDS; i++)
        count += plan_file_summary(plan)->actions[i];
    bool done = take_actions(testing, plan, count, err);
    plan_file_close(plan);
    return done;
}

static bool plan(struct testing *testing, struct catalog *catalog, struct err *err)
{
    char digest[PLAN_DIGEST_MAX];
    const char *path = file_join(testing->arena, testing->folder, "plan");
    struct plan_summary summary;
    const struct planner_request request = {.policies = testing->policies,
                                            .catalog = catalog,
                                            .shape = &testing->policies->test_shape,
                                            .tier = find_tier,
                                            .tier_context = testing,
                                            .spool_folder = testing->folder,
                                            .path = path,
                                            .made = {.by = "", .host = "", .policy = ""}};
    bool done = planner_run(&request, testing->arena, &summary, digest, err) &&
                read_plan(testing, path, err);
    unlink(path);
    return done;
}

/* -- what became of a recording ---------------------------------------------------------------- */

/* The line that blocks the unit of a recording; NULL: none. */
static const struct plan_action *find_block(const struct testing *testing,
                                            const struct location *location)
{
    const struct places *places = &testing->policies->places;
    for (size_t i = 0; location != NULL && i < testing->action_count; i++) {
        const struct plan_action *action = testing->actions[i];
        if (action->kind == PLAN_BLOCKED && place_first(places, action->store) == location->place &&
            str_equal(action->directory, location->unit))
            return action;
    }
    return NULL;
}

/* A row that is decided to move and stays all the same is kept by its directory. */
static void explain_row(struct testing *testing, const struct record *record, struct buf *out)
{
    struct policies *policies = testing->policies;
    struct location location;
    struct decision decision;
    enum spelling spelling =
        location_read(&policies->places, record->location, testing->arena, &location);
    bool is_ours = spelling != SPELLING_FOREIGN;
    struct whereabouts whereabouts;
    struct err none;
    whereabouts_init(&whereabouts, policies, find_tier, testing);
    if (is_ours && !whereabouts_find(&whereabouts, testing->arena, &location, &none))
        err_abort("a test asks nobody");
    whereabouts_free(&whereabouts);
    circle_decide(policies, record, is_ours ? &location : NULL, &decision);
    const struct plan_action *block = find_block(testing, is_ours ? &location : NULL);
    if (spelling == SPELLING_FOREIGN || spelling == SPELLING_SHALLOW)
        buf_format(out, "unmanaged: %s",
                   location_oddity(&policies->places, record->location, testing->arena));
    else if (decision.kind == DECISION_MOVE && block != NULL)
        buf_format(out, "%s: %s", plan_reason_name(block->reason), block->detail);
    else if (decision.kind == DECISION_MOVE)
        buf_format(out, "it loses to its %s's winner, which is in place",
                   text_unit(policies->places.by_object));
    else
        explain_stay(policies, record, is_ours ? &location : NULL, &decision, out);
}

static const struct record *find_recording(const struct policy_test *test, const char *id)
{
    size_t i = 0;
    while (!str_equal(test->recordings[i].id, id))
        i++;
    return &test->recordings[i];
}

/* -- expectations ------------------------------------------------------------------------------ */

static const struct plan_action *find_move(const struct testing *testing, const char *id)
{
    size_t index;
    return map_find(&testing->moves, id, &index) ? testing->actions[index] : NULL;
}

static const char *store_name(const struct testing *testing, uint16_t store)
{
    return testing->policies->stores[store].name;
}

static void complain(struct testing *testing, const char *at, const char *id)
{
    buf_format(&testing->text, "%s%s: %s ", testing->text.size > 0 ? "\n" : "", at, id);
}

static void check_move(struct testing *testing, const struct policy_expected *expected)
{
    const struct plan_action *move = find_move(testing, expected->id);
    if (move == NULL) {
        complain(testing, expected->at, expected->id);
        buf_text(&testing->text, "should move, and stays: ");
        explain_row(testing, find_recording(testing->test, expected->id), &testing->text);
    } else if (expected->policy != NULL && !str_equal(expected->policy, move->policy)) {
        complain(testing, expected->at, expected->id);
        buf_format(&testing->text, "should move by %s, and moves by %s", expected->policy,
                   move->policy);
    } else if (expected->target != POLICY_NO_INDEX && expected->target != move->target) {
        complain(testing, expected->at, expected->id);
        buf_format(&testing->text, "should go to %s, and goes to %s",
                   store_name(testing, expected->target), store_name(testing, move->target));
    }
}

static void check_stay(struct testing *testing, const struct policy_expected *expected)
{
    const struct plan_action *move = find_move(testing, expected->id);
    struct buf why;
    if (move != NULL) {
        complain(testing, expected->at, expected->id);
        buf_format(&testing->text, "should stay, and goes to %s by %s",
                   store_name(testing, move->target), move->policy);
        return;
    }
    buf_init(&why, TEXT_BYTES_MAX);
    explain_row(testing, find_recording(testing->test, expected->id), &why);
    if (expected->because != NULL && strstr(buf_string(&why), expected->because) == NULL) {
        complain(testing, expected->at, expected->id);
        buf_format(&testing->text, "should stay because of \"%s\", and stays because of: %s",
                   expected->because, buf_string(&why));
    }
    buf_free(&why);
}

/* The other way round: what moves has to be expected. */
static void check_unexpected(struct testing *testing)
{
    const struct policy_test *test = testing->test;
    struct map expected;
    map_init(&expected, testing->arena);
    for (size_t i = 0; i < test->expected_count; i++)
        map_put(&expected, test->expected[i].id, i);
    for (size_t i = 0; i < test->recording_count; i++) {
        const struct plan_action *move = find_move(testing, test->recordings[i].id);
        size_t index;
        if (move == NULL || map_find(&expected, test->recordings[i].id, &index))
            continue;
        complain(testing, test->at, test->recordings[i].id);
        buf_format(&testing->text, "goes to %s by %s, and nothing expects it",
                   store_name(testing, move->target), move->policy);
    }
}

static void check(struct testing *testing)
{
    for (size_t i = 0; i < testing->test->expected_count; i++) {
        const struct policy_expected *expected = &testing->test->expected[i];
        if (expected->moves)
            check_move(testing, expected);
        else
            check_stay(testing, expected);
    }
    check_unexpected(testing);
}

/* -- all of them ------------------------------------------------------------------------------- */

static bool run_test(struct testing *testing, struct testing_result *result, struct err *err)
{
    struct policies *policies = testing->policies;
    const struct policy_test *test = testing->test;
    struct catalog_memory *memory =
        catalog_memory_make(&policies->catalog, policies->test_shape.fields);
    for (size_t i = 0; i < test->recording_count; i++)
        catalog_memory_put(memory, &test->recordings[i]);
    policy_prepare(policies, test->as_of_us);
    bool done = plan(testing, catalog_memory_catalog(memory), err);
    buf_init(&testing->text, TEXT_BYTES_MAX);
    if (done)
        check(testing);
    *result =
        (struct testing_result){.test = test,
                                .failed = testing->text.size > 0,
                                .text = arena_copy(testing->arena, buf_string(&testing->text))};
    buf_free(&testing->text);
    catalog_close(catalog_memory_catalog(memory));
    return done || err_wrap(err, "test %s", test->name);
}

bool testing_run(struct policies *policies, struct arena *arena, struct testing_result **results,
                 struct err *err)
{
    const char *folder;
    bool done = true;
    *results = arena_make(arena, policies->test_count * sizeof(**results));
    if (!file_make_temporary(getenv("TMPDIR"), "frostline-test", arena, &folder, err))
        return false;
    for (size_t i = 0; i < policies->count; i++)
        policies->items[i].guards = policy_guards_none;
    for (size_t i = 0; done && i < policies->test_count; i++) {
        struct testing testing = {
            .policies = policies, .test = &policies->tests[i], .arena = arena, .folder = folder};
        done = run_test(&testing, &(*results)[i], err);
    }
    rmdir(folder);
    return done;
}
