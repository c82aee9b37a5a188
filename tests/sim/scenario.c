/* A schedule: what there is at first, which runs are made, and how it comes to rest. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "tests/sim/sim.h"
#include "tests/support/scratch.h"

#define MINUTE_US INT64_C(60000000)
#define RESTARTS_MAX 64 /* runs of one kind until it has to be given up */

/* -- the disk -----------------------------------------------------------------------------------
 */

static char folder[64];
static struct disk_image *blank;

void scenario_open(void)
{
    struct clock_fake clock;
    struct journal *journal;
    struct err err;
    /* One thread, and nobody asks how much memory it takes. */
    sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 512, 2000);
    clock_fake_init(&clock, 0);
    scratch_folder(folder, sizeof(folder));
    disk_install();
    if (!journal_open(folder, JOURNAL_WRITE, &clock.clock, &journal, &err))
        err_abort(err.text);
    journal_close(journal);
    blank = disk_image_make();
}

void scenario_close(void)
{
    reuse_end(true);
    disk_image_free(blank);
    disk_remove();
    scratch_remove(folder);
}

/* -- what it is made of -------------------------------------------------------------------------
 */

static unsigned some(struct sim *sim, unsigned most)
{
    return sim_draw(sim, 2) == 0 ? 0 : 1 + (unsigned)sim_draw(sim, most);
}

/* Quiet schedules, those with faults of one kind only and those with all of them are as likely. */
void scenario_draw(struct sim *sim)
{
    static const int64_t graces_us[] = {0, 0, MINUTE_US, 90 * MINUTE_US};
    struct traits *traits = &sim->traits;
    *traits = (struct traits){.by_object = sim_draw(sim, 6) == 0,
                              .keep_source = sim_draw(sim, 6) == 0,
                              .verify = (enum unit_verify)sim_draw(sim, 3),
                              .grace_us = graces_us[sim_draw(sim, 4)],
                              .directories = 1 + sim_draw(sim, 3),
                              .runs = 1 + sim_draw(sim, 4),
                              .page = 1 + sim_draw(sim, 6),
                              .computes = sim_draw(sim, 3) > 0,
                              .restores = sim_draw(sim, 2) == 0,
                              .repeats = sim_draw(sim, 2) == 0,
                              .undoes = sim_draw(sim, 3) == 0,
                              .cools = sim_draw(sim, 5) == 0};
    traits->nested = !traits->by_object && sim_draw(sim, 6) == 0;
    if (sim_draw(sim, 4) > 0) {
        traits->busy = some(sim, 60);
        traits->unknown = some(sim, 100);
        traits->zombie = some(sim, 200);
        traits->twice = some(sim, 200);
        traits->patience = sim_draw(sim, 3) == 0 ? 200 : 7;
        traits->list = some(sim, 40);
        traits->cut = some(sim, 400);
        traits->refuse = sim_draw(sim, 8) == 0 ? 20 : 0;
        traits->deny = sim_draw(sim, 8) == 0 ? 20 : 0;
        traits->pend = sim_draw(sim, 6) == 0 ? 200 : 0;
        traits->disk = sim_draw(sim, 6) == 0 ? 300 : 0;
    }
    traits->crash = some(sim, 60);
    traits->acts = sim_draw(sim, 2) == 0 ? 0 : 1 + (unsigned)sim_draw(sim, 6);
    if (traits->acts > 0) {
        traits->write = some(sim, 8);
        traits->edit = some(sim, 6);
        traits->refer = some(sim, 2);
        traits->fail_over = some(sim, 3);
        traits->skew = sim_draw(sim, 4) == 0 ? 400 : 0;
        traits->keep = sim_draw(sim, 6) == 0 ? 300 : 0;
    }
}

/* An object that is written again and again, now as it was before, and requests that are late. */
static void draw_swings(struct sim *sim)
{
    sim->traits = (struct traits){.verify = (enum unit_verify)sim_draw(sim, 3),
                                  .directories = 1,
                                  .runs = 4 + sim_draw(sim, 4),
                                  .page = 8,
                                  .computes = sim_draw(sim, 2) == 0,
                                  .zombie = 400,
                                  .unknown = some(sim, 60),
                                  .patience = (unsigned)(20 << sim_draw(sim, 5)),
                                  .crash = some(sim, 20),
                                  .acts = 3 + (unsigned)sim_draw(sim, 5),
                                  .write = 1,
                                  .swings = true};
}

const char *scenario_case(size_t index, struct traits *traits)
{
    static const struct {
        const char *name;
        struct traits traits;
    } cases[] = {
        {"one object, no grace", {.verify = VERIFY_CHECKSUM, .directories = 1, .runs = 1}},
        {"grace", {.verify = VERIFY_CHECKSUM, .directories = 1, .runs = 1, .grace_us = MINUTE_US}},
        {"kept source", {.verify = VERIFY_SIZE, .directories = 1, .runs = 1, .keep_source = true}},
        {"read back", {.verify = VERIFY_READBACK, .directories = 2, .runs = 1}},
        {"there and back",
         {.verify = VERIFY_CHECKSUM, .directories = 2, .runs = 3, .restores = true}},
        {"single objects",
         {.verify = VERIFY_CHECKSUM, .directories = 2, .runs = 2, .by_object = true}},
        {"back in its grace",
         {.verify = VERIFY_CHECKSUM,
          .directories = 2,
          .runs = 3,
          .grace_us = MINUTE_US,
          .undoes = true}},
        {"tiers", {.verify = VERIFY_CHECKSUM, .directories = 1, .runs = 3, .cools = true}},
        {"copies in the cloud",
         {.verify = VERIFY_SIZE, .directories = 2, .runs = 2, .restores = true, .pend = 1000}},
    };
    if (index >= sizeof(cases) / sizeof(cases[0]))
        return NULL;
    *traits = cases[index].traits;
    traits->page = 2;
    traits->computes = index != 3;
    return cases[index].name;
}

static void add_row(struct sim *sim, const char *key)
{
    struct sim_row *row = &sim->rows[sim->row_count++];
    snprintf(row->id, sizeof(row->id), "R%zu", sim->row_count);
    table_edit(sim, row, table_url(sim, BOX_HOT, key));
}

static void populate(struct sim *sim)
{
    static const char *const names[] = {"r1.dat", "r2.dat"}, *const others[] = {"can.asc",
                                                                                "x.h264"};
    static const char *const places[] = {"rec/1/", "rec/10/", "rec/2/"};
    const char *const nested[] = {"rec/1/", "rec/1/sub/", "rec/2/"};
    sim->directory_count = sim->traits.directories;
    for (size_t i = 0; i < sim->directory_count; i++) {
        const char *directory = sim->traits.nested ? nested[i] : places[i];
        sim->directories[i] = directory;
        for (size_t k = 0; k < 1 + sim_draw(sim, 2); k++) {
            const char *key = str_format(&sim->arena, "%s%s", directory, names[k]);
            cloud_write(sim, BOX_HOT, cloud_key(sim, key), 0);
            add_row(sim, key);
        }
        for (size_t k = 0; k < sim_draw(sim, 3); k++)
            cloud_write(sim, BOX_HOT,
                        cloud_key(sim, str_format(&sim->arena, "%s%s", directory, others[k])), 0);
    }
}

/* -- runs ---------------------------------------------------------------------------------------
 */

static void on_disk(void *context, enum disk_op op)
{
    struct sim *sim = context;
    if (!sim->dead && (op == DISK_SYNC || op == DISK_TRUNCATE))
        check_written(sim, op == DISK_SYNC ? "synced" : "truncated");
}

static void note_report(void *context, const struct task *task, enum apply_outcome outcome)
{
    struct sim *sim = context;
    if (!sim->dead)
        check_report(sim, task, outcome);
}

/* A kind of run: what it plans, NULL: nothing; and what it does then. */
struct run_kind {
    const char *verb;
    void (*plan)(struct sim *sim);
    bool (*go)(struct sim *sim, struct err *err);
};

static void plan_move(struct sim *sim)
{
    plans_make(sim, STORE_HOT, STORE_COLD);
}

static void plan_restore(struct sim *sim)
{
    plans_make(sim, STORE_COLD, STORE_HOT);
}

static void plan_retier(struct sim *sim)
{
    plans_make(sim, STORE_COLD, STORE_COOL);
}

static bool apply(struct sim *sim, struct plan_reader *plan, bool reap_all, struct err *err)
{
    const struct apply_request request = {.hands = &sim->hands,
                                          .workers = 1,
                                          .run = sim->run,
                                          .plan = plan,
                                          .reap_all = reap_all,
                                          .only_reap = plan == NULL && reap_all,
                                          .begin_until_us = INT64_MAX,
                                          .take_until_us = INT64_MAX,
                                          .report = note_report,
                                          .report_context = sim};
    struct apply_result result;
    return apply_run(&request, &result, err);
}

static bool go_plan(struct sim *sim, struct err *err)
{
    return apply(sim, plans_open(sim), false, err);
}

static bool go_reap(struct sim *sim, struct err *err)
{
    return apply(sim, NULL, true, err);
}

/* All that is open, and what is due. */
static bool go_finish(struct sim *sim, struct err *err)
{
    sim->plan_count = 0;
    return apply(sim, plans_open(sim), true, err);
}

static void plan_rollback(struct sim *sim)
{
    plans_name(sim, PLAN_ROLLBACK);
}

static void plan_repair(struct sim *sim)
{
    plans_name(sim, PLAN_REPAIR);
}

enum {
    RUN_MOVE,
    RUN_RESTORE,
    RUN_RETIER,
    RUN_REAP,
    RUN_AGAIN,
    RUN_ROLLBACK,
    RUN_REPAIR,
    RUN_FINISH
};
static const struct run_kind run_kinds[] = {[RUN_MOVE] = {"apply", plan_move, go_plan},
                                            [RUN_RESTORE] = {"restore", plan_restore, go_plan},
                                            [RUN_RETIER] = {"retier", plan_retier, go_plan},
                                            [RUN_REAP] = {"reap", NULL, go_reap},
                                            [RUN_AGAIN] = {"again", NULL, go_plan},
                                            [RUN_ROLLBACK] = {"rollback", plan_rollback, go_plan},
                                            [RUN_REPAIR] = {"repair", plan_repair, go_plan},
                                            [RUN_FINISH] = {"finish", NULL, go_finish}};

static void start_process(struct sim *sim)
{
    sim->dead = false;
    atomic_store(&sim->stop, false);
    for (size_t i = 0; i < sim->unit_count; i++) {
        sim->units[i].doing = ACTION_STOP;
        sim->units[i].looks = 0;
    }
}

static void maybe_fail_disk(struct sim *sim)
{
    static const struct {
        enum disk_op op;
        int code;
    } faults[] = {{DISK_WRITE, SQLITE_IOERR_WRITE},
                  {DISK_WRITE, SQLITE_FULL},
                  {DISK_SYNC, SQLITE_IOERR_FSYNC},
                  {DISK_TRUNCATE, SQLITE_IOERR_TRUNCATE}};
    if (sim->quiet || !sim_chance(sim, sim->traits.disk))
        return;
    size_t fault = sim_draw(sim, 4);
    disk_fail(faults[fault].op, 1 + sim_draw(sim, 60), sim_draw(sim, 2) == 0, faults[fault].code);
}

/* With the journal open, from the first to the last word of the run. */
static bool go(struct sim *sim, const struct run_kind *kind, struct err *err)
{
    const struct journal_run run = {.verb = kind->verb, .started_us = sim->now_us};
    return journal_run_begin(sim->hands.journal, &run, &sim->run, err) && kind->go(sim, err) &&
           journal_run_end(sim->hands.journal, sim->run, 0, err);
}

static bool open_journal(struct sim *sim, struct err *err)
{
    if (sim->hands.journal != NULL)
        return true;
    start_process(sim);
    if (!journal_open(folder, JOURNAL_WRITE, &sim->clock, &sim->hands.journal, err) || sim->dead)
        return false;
    check_journal(sim);
    return !sim->dead;
}

static void close_journal(struct sim *sim)
{
    journal_close(sim->hands.journal);
    sim->hands.journal = NULL;
}

/* One run, often in the process of the run before. */
static void run_once(struct sim *sim, const struct run_kind *kind)
{
    struct err err = {0};
    sim->counts.runs++;
    trace(sim, "--- %s", kind->verb);
    bool done = false;
    if (open_journal(sim, &err)) {
        maybe_fail_disk(sim);
        done = go(sim, kind, &err);
    }
    bool faulty = disk_heal();
    if (!done || sim->dead || sim_draw(sim, 4) == 0)
        close_journal(sim);
    if (done && !sim->dead && !faulty && sim->hands.journal == NULL)
        spy_promise_all(sim);
    if (!done && !sim->dead && !faulty)
        check_fail(sim, "the run failed: %s", err.text);
    if (!done)
        trace(sim, "the run failed: %s", err.text);
}

/* Who was killed is started again. */
static void run(struct sim *sim, const struct run_kind *kind)
{
    if (kind->plan != NULL)
        kind->plan(sim);
    if (!sim->quiet && sim->crashes == NULL)
        actors_between_runs(sim);
    for (int i = 0; i < RESTARTS_MAX && !sim->failed; i++) {
        run_once(sim, kind);
        if (!sim->dead)
            break;
    }
}

static const struct run_kind *draw_kind(struct sim *sim, size_t index)
{
    const struct traits *traits = &sim->traits;
    bool first = index == 0;
    if (first || sim->plan == NULL)
        return &run_kinds[RUN_MOVE];
    if (traits->restores && sim_draw(sim, 2) == 0)
        return &run_kinds[RUN_RESTORE];
    if (traits->cools && sim_draw(sim, 2) == 0)
        return &run_kinds[RUN_RETIER];
    if (traits->undoes && sim_draw(sim, 2) == 0)
        return &run_kinds[sim_draw(sim, 2) == 0 ? RUN_ROLLBACK : RUN_REPAIR];
    if (traits->repeats && sim_draw(sim, 3) == 0)
        return &run_kinds[RUN_AGAIN];
    return &run_kinds[sim_draw(sim, 2) == 0 ? RUN_MOVE : RUN_REAP];
}

/* -- coming to rest -----------------------------------------------------------------------------
 */

static bool is_all_closed(const struct sim *sim)
{
    for (size_t i = 0; i < sim->unit_count; i++)
        if (unit_is_open(&sim->units[i].saved))
            return false;
    return true;
}

static uint64_t states_of(const struct sim *sim)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < sim->unit_count; i++)
        sum = sum * 31 + (uint64_t)sim->units[i].saved.state * 7 +
              (uint64_t)sim->units[i].saved.reason;
    return sum;
}

/* Nobody disturbs any more, the clocks agree, and the grace is over. */
static void settle(struct sim *sim)
{
    sim->quiet = true;
    sim->skew_us = sim->db_skew_us = 0;
    sim->keeps = sim->policy.terms.keep_source = false;
    catalog_memory_refer_nothing(sim->table);
    sim->referred_url = NULL;
    cloud_flush(sim);
    if (sim->traits.pend > 0)
        sim->now_us += COPY_ENDLESS_US;
    for (int i = 0; i < FINAL_RUNS_MAX && !sim->failed && !is_all_closed(sim); i++) {
        uint64_t before = states_of(sim);
        sim->now_us += sim->traits.grace_us + 2 * PROTOCOL_SKEW_US;
        run(sim, &run_kinds[RUN_FINISH]);
        if (states_of(sim) == before && i > 0)
            break;
    }
    if (!sim->failed)
        check_rest(sim);
}

/* 6: what was carried out is not begun again. */
static void repeat(struct sim *sim)
{
    run(sim, &run_kinds[RUN_MOVE]);
    sim->now_us += sim->traits.grace_us + MINUTE_US;
    run(sim, &run_kinds[RUN_REAP]);
    uint64_t requests = sim->requests;
    if (!sim->failed)
        run(sim, &run_kinds[RUN_AGAIN]);
    if (sim->requests != requests)
        check_fail(sim, "6: applying a finished plan again changes something");
}

void scenario_play(struct sim *sim)
{
    spy_sim = sim;
    rand_init(&sim->rand, sim->seed);
    rand_init(&sim->crash_rand, sim->seed ^ UINT64_C(0x5bd1e995));
    arena_init(&sim->arena, (size_t)16 << 20);
    if (!sim->is_given && sim_draw(sim, 10) == 0)
        draw_swings(sim);
    else if (!sim->is_given)
        scenario_draw(sim);
    sim->acts_left = sim->traits.acts;
    sim->crashes_left = CRASHES_MAX;
    disk_set(blank);
    cloud_make(sim);
    start_process(sim);
    disk_set_watch(on_disk, sim);
    populate(sim);
    for (size_t i = 0; i < sim->traits.runs && !sim->failed; i++)
        run(sim, draw_kind(sim, i));
    if (!sim->failed)
        settle(sim);
    if (!sim->failed && check_is_peaceful(sim))
        repeat(sim);
    sim->counts.schedules = 1;
    sim->counts.effects = sim->effects;
    disk_set_watch(NULL, NULL);
    close_journal(sim);
    cloud_free(sim);
    arena_free(&sim->arena);
}
