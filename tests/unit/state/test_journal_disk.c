/* test_journal_disk.c: whatever call of the disk fails, and whenever the power is cut: what was
 * promised is there, what is there is whole, and what failed has left nothing. */
#include "state/journal.h"

#include <inttypes.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/rand.h"
#include "tests/support/disk.h"
#include "tests/support/journal_rig.h"

#define FIRST 1 /* the ids of the units of the script */
#define SECOND 2
#define STEPS_MAX 16

/* -- a small script of calls; each returns whether it succeeded ------------------------------- */

static bool begin_run(struct journal_rig *rig)
{
    const struct journal_run run = {.verb = "apply", .plan = "sha256:aa", .policy_path = "p.yaml"};
    return journal_run_begin(rig->journal, &run, &rig->run, &rig->err);
}

static bool begin_unit(struct journal_rig *rig, const char *source, const char *target)
{
    const struct object_fact facts[] = {journal_rig_fact("a", 1), journal_rig_fact("b", 2)};
    const struct catalog_row rows[] = {{"R1", "old/1", "new/1"}, {"R2", "old/2", "new/2"}};
    struct journal_new new = journal_rig_new(rig, source, target);
    new.entry.unit.run = 1;
    new.facts = facts;
    new.fact_count = 2;
    new.rows = rows;
    new.row_count = 2;
    return journal_begin(rig->journal, &new, 1, &rig->err) && new.conflict == 0;
}

static bool begin_first(struct journal_rig *rig)
{
    return begin_unit(rig, HOT "a/", COLD "a/");
}

static bool begin_second(struct journal_rig *rig)
{
    return begin_unit(rig, HOT "b/", COLD "b/");
}

static bool save_target(struct journal_rig *rig, int64_t unit)
{
    struct object_fact a = journal_rig_fact("a", 1), b = journal_rig_fact("b", 2);
    snprintf(a.target_etag, sizeof(a.target_etag), "\"1-%d\"", (int)unit);
    snprintf(b.target_etag, sizeof(b.target_etag), "\"2-%d\"", (int)unit);
    a.created = b.created = a.proven = true;
    const struct object_fact *facts[] = {&a, &b};
    return journal_facts_save(rig->journal, unit, facts, 2, &rig->err);
}

static bool save_first_target(struct journal_rig *rig)
{
    return save_target(rig, FIRST);
}

static bool save_second_target(struct journal_rig *rig)
{
    return save_target(rig, SECOND);
}

static bool save_state(struct journal_rig *rig, int64_t id, enum unit_state state, bool durable)
{
    const struct unit unit = {
        .id = id, .run = 1, .state = state, .rows = 2, .objects = 2, .verify = VERIFY_CHECKSUM};
    return journal_save(rig->journal, &unit, 1, durable, &rig->err);
}

static bool verify_first(struct journal_rig *rig)
{
    return save_state(rig, FIRST, UNIT_VERIFYING, false);
}

static bool commit_first(struct journal_rig *rig)
{
    return save_state(rig, FIRST, UNIT_COMMITTING, true);
}

static bool cut_over_first(struct journal_rig *rig)
{
    return save_state(rig, FIRST, UNIT_CUTOVER, true);
}

static bool abandon_second(struct journal_rig *rig)
{
    return save_state(rig, SECOND, UNIT_ABANDONED, false);
}

static bool finish_first(struct journal_rig *rig)
{
    return save_state(rig, FIRST, UNIT_DONE, true);
}

static bool see_tier(struct journal_rig *rig)
{
    return journal_see_tier(rig->journal, HOT "c/", TIER_COOL, &rig->err);
}

static bool end_run(struct journal_rig *rig)
{
    return journal_run_end(rig->journal, 1, 0, &rig->err);
}

static const struct step {
    bool (*call)(struct journal_rig *rig);
    bool durable;
} steps[] = {{begin_run, true},     {begin_first, true},    {save_first_target, false},
             {verify_first, false}, {begin_second, true},   {save_second_target, false},
             {commit_first, true},  {cut_over_first, true}, {abandon_second, false},
             {see_tier, false},     {finish_first, true},   {end_run, true}};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

/* -- what the journal holds, as one text ------------------------------------------------------- */

struct view {
    struct journal_rig *rig;
    struct buf text;
};

static bool add_event(void *context, const struct journal_event *event, struct err *err)
{
    (void)err;
    struct view *view = context;
    buf_format(&view->text, " %s>%s", unit_state_name(event->from), unit_state_name(event->to));
    return true;
}

static void add_parts(struct view *view, int64_t unit)
{
    struct journal_rig *rig = view->rig;
    struct object_fact *facts;
    struct catalog_row *rows;
    size_t count;
    MUST(journal_facts_get(rig->journal, unit, &rig->arena, &facts, &count, &rig->err));
    for (size_t i = 0; i < count; i++)
        buf_format(&view->text, "; %s %s %d%d", facts[i].want.key, facts[i].target_etag,
                   facts[i].created, facts[i].proven);
    MUST(journal_rows_get(rig->journal, unit, &rig->arena, &rows, &count, &rig->err));
    for (size_t i = 0; i < count; i++)
        buf_format(&view->text, "; %s %s", rows[i].id, rows[i].new_location);
    MUST(journal_events(rig->journal, unit, add_event, view, &rig->err));
}

static bool add_unit(void *context, const struct journal_unit *entry, struct err *err)
{
    (void)err;
    struct view *view = context;
    buf_format(&view->text, "%" PRId64 " %s %s", entry->unit.id, entry->source,
               unit_state_name(entry->unit.state));
    add_parts(view, entry->unit.id);
    buf_text(&view->text, "\n");
    return true;
}

/* Lives in the rig's arena. */
static const char *see(struct journal_rig *rig)
{
    struct view view = {.rig = rig};
    struct journal_run run;
    enum access_tier tier;
    buf_init(&view.text, 1 << 16);
    if (journal_run_get(rig->journal, 0, &rig->arena, &run, &rig->err))
        buf_format(&view.text, "run %" PRId64 " %" PRId64 "\n", run.id, run.ended_us);
    MUST(journal_each(rig->journal, &(struct journal_filter){0}, add_unit, &view, &rig->err));
    MUST(journal_tier(rig->journal, HOT "c/", &tier, &rig->err));
    buf_text(&view.text, object_tier_name(tier));
    const char *seen = arena_copy(&rig->arena, buf_string(&view.text));
    buf_free(&view.text);
    return seen;
}

/* -- the script with a fault ------------------------------------------------------------------- */

struct scene {
    struct disk_image *empty;
    const char *texts[STEPS_MAX]; /* texts[i]: what is there after i steps, without any fault */
};

/* How far the script came. */
struct reached {
    size_t called;   /* steps that returned true */
    size_t promised; /* steps up to and with the last durable one of those */
    bool opened;
};

static struct reached play(struct journal_rig *rig, size_t from)
{
    struct reached reached = {.called = from, .promised = from};
    if (rig->journal == NULL &&
        !journal_open(rig->folder, JOURNAL_WRITE, &rig->clock.clock, &rig->journal, &rig->err))
        return reached;
    reached.opened = true;
    for (size_t i = from; i < STEPS && steps[i].call(rig); i++) {
        reached.called = i + 1;
        if (steps[i].durable)
            reached.promised = i + 1;
    }
    return reached;
}

static void start(struct journal_rig *rig, const struct scene *scene)
{
    arena_reset(&rig->arena);
    disk_set(scene->empty);
}

static void learn(struct journal_rig *rig, struct scene *scene)
{
    static char kept[STEPS_MAX][2048];
    scene->empty = disk_image_make();
    journal_rig_open(rig);
    for (size_t i = 0; i <= STEPS; i++) {
        if (i > 0 && !steps[i - 1].call(rig))
            fail_msg("%s", rig->err.text);
        snprintf(kept[i], sizeof(kept[i]), "%s", see(rig));
        scene->texts[i] = kept[i];
    }
    journal_rig_close(rig);
}

/* After how many steps of first..last it looks like that. */
static size_t find_text(const struct scene *scene, size_t first, size_t last, const char *text)
{
    for (size_t i = last + 1; i-- > first;)
        if (strcmp(scene->texts[i], text) == 0)
            return i;
    fail_msg("after %zu to %zu steps there is\n%s", first, last, text);
    return 0;
}

/* The process is gone; the next one finds what was promised, and goes on from there to the end. */
static void expect_recovery(struct journal_rig *rig, const struct scene *scene,
                            const struct reached *reached, size_t last)
{
    journal_rig_close(rig);
    journal_rig_open(rig);
    size_t found = find_text(scene, reached->promised, last, see(rig));
    struct reached end = play(rig, found);
    if (end.called != STEPS)
        fail_msg("after %zu steps: %s", end.called, rig->err.text);
    assert_string_equal(see(rig), scene->texts[STEPS]);
    journal_rig_close(rig);
}

struct fault {
    enum disk_op op;
    int code;
};
static const struct fault faults[] = {
    {DISK_OPEN, SQLITE_CANTOPEN},     {DISK_READ, SQLITE_IOERR_READ},
    {DISK_WRITE, SQLITE_IOERR_WRITE}, {DISK_WRITE, SQLITE_FULL},
    {DISK_SYNC, SQLITE_IOERR_FSYNC},  {DISK_TRUNCATE, SQLITE_IOERR_TRUNCATE},
};

/* True if the fault was reached. */
static bool fail_once(struct journal_rig *rig, const struct scene *scene, const struct fault *fault,
                      uint64_t nth, bool for_ever)
{
    struct rand rand;
    rand_init(&rand, nth);
    start(rig, scene);
    disk_fail(fault->op, nth, for_ever, fault->code);
    struct reached reached = play(rig, 0);
    if (!disk_heal()) {
        assert_int_equal(reached.called, STEPS);
        journal_rig_close(rig);
        return false;
    }
    /* A COMMIT whose very last sync fails is in the file already, whole. */
    size_t last = reached.called;
    if (fault->op == DISK_SYNC && reached.called < STEPS)
        last++;
    if (reached.opened)
        find_text(scene, reached.promised, last, see(rig));
    disk_cut_power(&rand);
    expect_recovery(rig, scene, &reached, last);
    return true;
}

static void a_call_of_the_disk_that_fails_breaks_no_promise(void **state)
{
    struct journal_rig *rig = *state;
    struct scene scene;
    learn(rig, &scene);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        /* Whoever reads stops at the first failure. */
        int ways = faults[i].op == DISK_READ ? 1 : 2;
        for (int for_ever = 0; for_ever < ways; for_ever++) {
            uint64_t nth = 1;
            while (fail_once(rig, &scene, &faults[i], nth, for_ever))
                nth++;
            assert_true(nth > 1); /* each kind was reached at all */
        }
    }
    disk_image_free(scene.empty);
}

/* -- power cuts -------------------------------------------------------------------------------- */

struct cut {
    uint64_t after;    /* calls that change the disk, until then */
    struct rand *rand; /* NULL: the process is killed */
    bool done;
};

static void cut_after(void *context, enum disk_op op)
{
    struct cut *cut = context;
    if (cut->done || op == DISK_OPEN || op == DISK_READ || --cut->after > 0)
        return;
    cut->done = true;
    if (cut->rand != NULL)
        disk_cut_power(cut->rand);
    else
        disk_kill();
}

/* True if it came to the cut. */
static bool cut_once(struct journal_rig *rig, const struct scene *scene, uint64_t after,
                     struct rand *rand)
{
    struct cut cut = {.after = after, .rand = rand};
    start(rig, scene);
    disk_set_watch(cut_after, &cut);
    struct reached reached = play(rig, 0);
    if (cut.done) {
        /* The call that was cut off may have become whole. */
        size_t last = reached.called < STEPS ? reached.called + 1 : STEPS;
        disk_set_watch(NULL, NULL);
        expect_recovery(rig, scene, &reached, last);
        return true;
    }
    assert_int_equal(reached.called, STEPS);
    disk_set_watch(NULL, NULL);
    journal_rig_close(rig);
    return false;
}

static void a_cut_at_any_instant_breaks_no_promise(void **state)
{
    struct journal_rig *rig = *state;
    struct scene scene;
    struct rand rand;
    learn(rig, &scene);
    rand_init(&rand, 5);
    uint64_t after = 1;
    for (bool reached = true; reached; after++) {
        reached = cut_once(rig, &scene, after, NULL);
        for (int i = 0; i < 4 && reached; i++)
            cut_once(rig, &scene, after, &rand);
    }
    assert_in_range(after, 50, 1000);
    disk_image_free(scene.empty);
}

static int set_up(void **state)
{
    disk_install();
    return journal_rig_setup(state);
}

static int tear_down(void **state)
{
    int result = journal_rig_teardown(state);
    disk_set_watch(NULL, NULL);
    disk_remove();
    return result;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_call_of_the_disk_that_fails_breaks_no_promise, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_cut_at_any_instant_breaks_no_promise, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
