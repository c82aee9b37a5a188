#include "executor/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "executor/perform.h"

#define NAP_US INT64_C(100000) /* how long a waiting worker takes to notice a stop */

/* -- one cohort ---------------------------------------------------------------------------------
 */

/* Ask the protocol what each unit does next. */
static void decide(struct cohort *cohort)
{
    for (size_t i = 0; i < cohort->count; i++) {
        struct task *task = &cohort->tasks[i];
        if (task->fresh)
            protocol_step(&task->entry.unit, &task->event, &task->next, &task->action);
    }
}

/* A unit enters the journal when it leaves PLANNED; one that had nothing to do never does. */
static bool enters(const struct task *task)
{
    return task->fresh && task->entry.unit.id == 0 && task->next.state != UNIT_PLANNED &&
           task->next.state != UNIT_DONE;
}

static void collide(struct task *task)
{
    task->next.state = UNIT_SKIPPED;
    task->next.reason = REASON_OPEN_UNIT;
    task->action = (struct action){.kind = ACTION_STOP};
    task->resting = true;
}

/* B1 for those that are new. */
static bool begin(struct cohort *cohort, struct err *err)
{
    struct journal_new *units = arena_make(&cohort->scratch, cohort->count * sizeof(*units));
    struct task **tasks = arena_make(&cohort->scratch, cohort->count * sizeof(struct task *));
    size_t count = 0;
    for (size_t i = 0; i < cohort->count; i++) {
        struct task *task = &cohort->tasks[i];
        if (!enters(task))
            continue;
        tasks[count] = task;
        units[count] = (struct journal_new){
            .entry = task->entry, .rows = task->rows, .row_count = task->row_count};
        units[count].entry.unit = task->next;
        if (unit_is_open(&task->next)) {
            units[count].facts = task->facts;
            units[count].fact_count = task->fact_count;
        }
        count++;
    }
    if (count == 0)
        return true;
    if (!journal_begin(cohort->hands->journal, units, count, err))
        return err_wrap(err, "beginning %zu directories", count);
    for (size_t i = 0; i < count; i++) {
        if (units[i].conflict != 0)
            collide(tasks[i]);
        else
            tasks[i]->next.id = units[i].entry.unit.id;
    }
    return true;
}

/* One transaction for all that changed, and one fsync if any of them needs a barrier. */
static bool save(struct cohort *cohort, struct err *err)
{
    struct unit *units = arena_make(&cohort->scratch, cohort->count * sizeof(*units));
    size_t count = 0;
    bool durable = false;
    for (size_t i = 0; i < cohort->count; i++) {
        const struct task *task = &cohort->tasks[i];
        if (!task->fresh || task->entry.unit.id == 0)
            continue;
        units[count++] = task->next;
        durable |= task->action.durable;
    }
    return count == 0 || journal_save(cohort->hands->journal, units, count, durable, err) ||
           err_wrap(err, "writing down %zu directories", count);
}

static bool is_past_commit(const struct unit *unit)
{
    return unit->state == UNIT_CUTOVER || unit->state == UNIT_DELETING || unit->state == UNIT_DONE;
}

/* What a unit has come to; NULL: it is at one more step of its way. */
static const char *name_change(const struct task *task, bool cut_over)
{
    const struct unit *then = &task->entry.unit, *now = &task->next;
    if (then->id == 0 && unit_is_open(now))
        return "directory-begun";
    if (cut_over)
        return then->state == UNIT_REPAIRING ? "directory-repaired" : "directory-moved";
    switch (now->state) {
    case UNIT_DONE:
        if (now->kind == UNIT_RETIER)
            return "directory-retiered";
        return now->keep_source ? "directory-kept" : "directory-deleted";
    case UNIT_ROLLED_BACK:
        return "directory-returned";
    case UNIT_SKIPPED:
        return "directory-skipped";
    case UNIT_ABANDONED:
        return "directory-abandoned";
    case UNIT_PARKED:
        return "directory-parked";
    default:
        return NULL;
    }
}

static void tell_change(const struct task *task, bool cut_over)
{
    const struct unit *now = &task->next;
    if (now->id == 0 || (task->entry.unit.id != 0 && now->state == task->entry.unit.state))
        return;
    const char *event = name_change(task, cut_over);
    const struct log_field fields[] = {LOG_TEXT("directory", task->entry.directory),
                                       LOG_TEXT("step", unit_state_name(now->state)),
                                       LOG_TEXT("reason", unit_reason_name(now->reason))};
    log_write(event != NULL ? LOG_INFO : LOG_DEBUG, event != NULL ? event : "step-begun", fields,
              now->reason != REASON_NONE ? 3 : 2);
}

static void tidy_store(const struct task *task, struct store *store)
{
    struct err err;
    if (store->ops->tidy != NULL &&
        !store->ops->tidy(store, task->entry.directory, task->next.id, &err))
        LOG(LOG_WARNING, "tidy-failed", LOG_TEXT("directory", task->entry.directory),
            LOG_TEXT("error", err.text));
}

/* What a unit leaves behind in its stores goes before it is closed, for nobody looks after a closed
 * one: temporary files, be they of a run that was killed, and empty folders. */
static void tidy(struct cohort *cohort)
{
    for (size_t i = 0; i < cohort->count; i++) {
        const struct task *task = &cohort->tasks[i];
        if (!task->fresh || task->next.id == 0 || unit_is_open(&task->next))
            continue;
        tidy_store(task, cohort->hands->stores[task->target]);
        if (task->next.state == UNIT_DONE && !task->next.keep_source)
            tidy_store(task, cohort->hands->stores[task->source]);
    }
}

static bool remember(struct cohort *cohort, struct err *err)
{
    arena_reset(&cohort->scratch);
    tidy(cohort);
    if (!save(cohort, err) || !begin(cohort, err))
        return false;
    for (size_t i = 0; i < cohort->count; i++) {
        struct task *task = &cohort->tasks[i];
        if (!task->fresh)
            continue;
        task->fresh = false;
        bool cut_over = task->entry.unit.state < UNIT_CUTOVER && is_past_commit(&task->next) &&
                        task->next.id != 0;
        tell_change(task, cut_over);
        task->cut_over_here |= cut_over;
        task->repaired_here |= cut_over && task->entry.unit.state == UNIT_REPAIRING;
        task->entry.unit = task->next;
        task->resting |= task->action.kind == ACTION_STOP || task->action.kind == ACTION_REST;
    }
    return true;
}

/* Who is least far along: they catch up, so that the cohort is in step again and its listings and
 * batches are shared.                                                                            */
static size_t laggards(struct cohort *cohort, struct task **chosen)
{
    enum unit_state least = UNIT_STATES;
    size_t count = 0;
    for (size_t i = 0; i < cohort->count; i++) {
        const struct task *task = &cohort->tasks[i];
        if (!task->resting && task->action.kind != ACTION_WAIT && task->next.state < least)
            least = task->next.state;
    }
    for (size_t i = 0; i < cohort->count; i++) {
        struct task *task = &cohort->tasks[i];
        if (task->resting || task->action.kind == ACTION_WAIT || task->next.state != least)
            continue;
        if (count == 0 || (task->action.kind == chosen[0]->action.kind &&
                           task->action.look == chosen[0]->action.look))
            chosen[count++] = task;
    }
    return count;
}

static bool is_waiting(const struct task *task)
{
    return !task->resting && task->action.kind == ACTION_WAIT;
}

static bool waits_for_copy(const struct task *task)
{
    return is_waiting(task) && task->entry.unit.reason == REASON_PENDING;
}

static bool is_time_over(const struct cohort *cohort)
{
    struct clock *clock = cohort->hands->clock;
    return clock->ops->monotonic_us(clock) >= cohort->hands->wait_until_us;
}

/* The cloud goes on with them, and their ids are written down. */
static void leave_copies(struct cohort *cohort)
{
    for (size_t i = 0; i < cohort->count; i++)
        cohort->tasks[i].resting |= waits_for_copy(&cohort->tasks[i]);
}

/* Sleep until the first of those that wait may go on.  False if nobody waits. */
static bool wait(struct cohort *cohort)
{
    struct clock *clock = cohort->hands->clock;
    int64_t until_us = INT64_MAX;
    bool for_copies = false;
    if (is_time_over(cohort))
        leave_copies(cohort);
    for (size_t i = 0; i < cohort->count; i++) {
        const struct task *task = &cohort->tasks[i];
        for_copies |= waits_for_copy(task);
        if (is_waiting(task) && task->action.until_us < until_us)
            until_us = task->action.until_us;
    }
    if (until_us == INT64_MAX)
        return false;

    int64_t now_us = clock->ops->now_us(clock);
    while (now_us < until_us && !atomic_load(cohort->hands->stop) &&
           !(for_copies && is_time_over(cohort))) {
        int64_t left_us = until_us - now_us;
        clock->ops->sleep_us(clock, left_us < NAP_US ? left_us : NAP_US);
        now_us = clock->ops->now_us(clock);
    }
    bool looks_at_copies = false;
    for (size_t i = 0; i < cohort->count; i++)
        looks_at_copies |=
            waits_for_copy(&cohort->tasks[i]) && cohort->tasks[i].action.until_us <= now_us;
    for (size_t i = 0; i < cohort->count; i++) {
        struct task *task = &cohort->tasks[i];
        /* One listing tells of the copies of all of them. */
        bool is_due = task->action.until_us <= now_us || (looks_at_copies && waits_for_copy(task));
        if (!is_waiting(task) || !is_due)
            continue;
        task->event = (struct event){.kind = EVENT_RESUME, .now_us = now_us};
        task->fresh = true;
    }
    return true;
}

static bool told_to_stop(const struct cohort *cohort)
{
    return atomic_load(cohort->hands->stop);
}

/* What is open stays as the journal has it. */
static void let_go(struct cohort *cohort)
{
    for (size_t i = 0; i < cohort->count; i++) {
        struct task *task = &cohort->tasks[i];
        if (task->resting)
            continue;
        task->resting = true;
        task->next = task->entry.unit;
        task->next.reason = REASON_STOPPED;
    }
}

/* Copies share the windows of the accounts: with more of them begun, only more directories would be
 * half copied.  Who comes first goes first, and a cohort of any size goes alone. */
struct turns {
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    uint64_t next, serving;
    uint64_t objects; /* in the hands of those that copy */
};

static void turn_take(struct turns *turns, uint64_t objects)
{
    pthread_mutex_lock(&turns->mutex);
    uint64_t ticket = turns->next++;
    while (ticket != turns->serving ||
           (turns->objects > 0 && turns->objects + objects > POOL_COPYING_OBJECTS_MAX))
        pthread_cond_wait(&turns->moved, &turns->mutex);
    turns->serving++;
    turns->objects += objects;
    pthread_cond_broadcast(&turns->moved);
    pthread_mutex_unlock(&turns->mutex);
}

static void turn_end(struct turns *turns, uint64_t objects)
{
    pthread_mutex_lock(&turns->mutex);
    turns->objects -= objects;
    pthread_cond_broadcast(&turns->moved);
    pthread_mutex_unlock(&turns->mutex);
}

static void show(const struct cohort *cohort, struct task *const *tasks, size_t count)
{
    const struct watcher *watcher = cohort->hands->watcher;
    if (watcher != NULL)
        watcher->step(watcher->context, cohort, tasks, count);
}

static bool perform_in_turn(struct cohort *cohort, struct task *const *tasks, size_t count,
                            struct err *err)
{
    if (cohort->turns == NULL || tasks[0]->action.kind != ACTION_COPY) {
        show(cohort, tasks, count);
        return perform(cohort, tasks, count, err);
    }
    uint64_t objects = 0;
    for (size_t i = 0; i < count; i++)
        objects += tasks[i]->entry.unit.objects;
    turn_take(cohort->turns, objects);
    show(cohort, tasks, count);
    bool performed = told_to_stop(cohort) || perform(cohort, tasks, count, err);
    turn_end(cohort->turns, objects);
    return performed;
}

/* False if the journal can't be written. */
static bool carry(struct cohort *cohort, struct err *err)
{
    struct task *chosen[COHORT_UNITS_MAX];
    for (;;) {
        decide(cohort);
        if (!remember(cohort, err))
            return false;
        if (told_to_stop(cohort))
            return true;
        size_t count = laggards(cohort, chosen);
        if (count > 0) {
            if (!perform_in_turn(cohort, chosen, count, err))
                return false;
        } else if (!wait(cohort))
            return true;
    }
}

bool pool_carry(struct cohort *cohort, struct err *err)
{
    bool carried = carry(cohort, err);
    show(cohort, NULL, 0);
    let_go(cohort);
    return carried;
}

/* -- many ----------------------------------------------------------------------------------------
 */

struct pool {
    const struct hands *hands;
    const struct pool_feed *feed;
    pthread_mutex_t mutex; /* feed, and what follows */
    bool failed;
    struct err err;
    struct turns turns;
};

static bool take(struct pool *pool, struct cohort *cohort)
{
    pthread_mutex_lock(&pool->mutex);
    cohort->count = 0;
    cohort->at_source = cohort->at_target = (struct listing_hint){0};
    if (!pool->failed && !atomic_load(pool->hands->stop))
        pool->failed = !pool->feed->next(pool->feed->context, cohort, &pool->err);
    bool taken = !pool->failed && cohort->count > 0;
    pthread_mutex_unlock(&pool->mutex);
    return taken;
}

static void give_back(struct pool *pool, struct cohort *cohort, bool carried, const struct err *err)
{
    pthread_mutex_lock(&pool->mutex);
    if (!carried && !pool->failed) {
        pool->failed = true;
        pool->err = *err;
    }
    pool->feed->done(pool->feed->context, cohort);
    atomic_fetch_add(&pool->hands->counters->directories_at_rest, cohort->count);
    pthread_mutex_unlock(&pool->mutex);
}

static void *work(void *context)
{
    struct pool *pool = context;
    struct cohort cohort = {.hands = pool->hands, .turns = &pool->turns};
    cohort.tasks = calloc(COHORT_UNITS_MAX, sizeof(*cohort.tasks));
    if (cohort.tasks == NULL)
        abort();
    arena_init(&cohort.arena, COHORT_ARENA_BYTES_MAX);
    arena_init(&cohort.scratch, COHORT_ARENA_BYTES_MAX);
    while (take(pool, &cohort)) {
        struct err err;
        bool carried = pool_carry(&cohort, &err);
        give_back(pool, &cohort, carried, &err);
        memset(cohort.tasks, 0, COHORT_UNITS_MAX * sizeof(*cohort.tasks));
        arena_reset(&cohort.arena);
        arena_reset(&cohort.scratch);
    }
    arena_free(&cohort.arena);
    arena_free(&cohort.scratch);
    free(cohort.tasks);
    return NULL;
}

bool pool_run(const struct hands *hands, unsigned workers, const struct pool_feed *feed,
              struct err *err)
{
    struct pool pool = {.hands = hands, .feed = feed};
    pthread_t threads[POOL_WORKERS_MAX];
    unsigned started = 0;

    pthread_mutex_init(&pool.mutex, NULL);
    pthread_mutex_init(&pool.turns.mutex, NULL);
    pthread_cond_init(&pool.turns.moved, NULL);
    if (workers > POOL_WORKERS_MAX)
        workers = POOL_WORKERS_MAX;
    while (started < workers && pthread_create(&threads[started], NULL, work, &pool) == 0)
        started++;
    if (started == 0)
        return ERR(err, ERR_BUSY, "no thread can be started");
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&pool.mutex);
    pthread_mutex_destroy(&pool.turns.mutex);
    pthread_cond_destroy(&pool.turns.moved);
    if (!pool.failed)
        return true;
    *err = pool.err;
    return false;
}
