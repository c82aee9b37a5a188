#include "engine/progress.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/when.h"
#include "engine/logging.h"
#include "engine/progress_view.h"
#include "engine/terminal.h"
#include "executor/cohort.h"
#include "executor/pool.h"

#define TICK_US (WHEN_SECOND_US / 5)
#define BLOCK_AFTER_US (WHEN_SECOND_US / 2)
#define LINE_AFTER_US (WHEN_SECOND_US * 7 / 10) /* and at most a tick later */
#define LINE_EVERY_US (60 * WHEN_SECOND_US)
#define SAMPLES 16 /* for the rate: one in two seconds */
#define SAMPLE_EVERY_US (2 * WHEN_SECOND_US)

/* What one worker has in hand. */
struct hand {
    const struct cohort *cohort;
    const char *doing;
    size_t count, named;
    char names[PROGRESS_NAMES_MAX][PROGRESS_NAME_BYTES];
};

struct sample {
    int64_t at_us;
    uint64_t bytes;
};

static struct {
    pthread_t thread;
    pthread_mutex_t mutex; /* what follows, and being the one that writes */
    pthread_cond_t wake;
    bool ended;
    enum progress_mode mode;
    enum progress_phase phase;
    const char *what;
    struct progress_work work;
    const struct counters *counters;
    int64_t began_us, next_line_us, ticked_us;
    bool told;
    struct sample samples[SAMPLES];
    size_t sample_count;

    atomic_ullong rows, listed, to_list;
    atomic_bool asked, stopping;
    pthread_mutex_t hands_mutex;
    struct hand hands[POOL_WORKERS_MAX];
    size_t hand_count;
} progress = {.mutex = PTHREAD_MUTEX_INITIALIZER, .hands_mutex = PTHREAD_MUTEX_INITIALIZER};

static int64_t monotonic_us(void)
{
    struct clock *clock = clock_real();
    return clock->ops->monotonic_us(clock);
}

/* -- what workers tell ---------------------------------------------------------------------------
 */

static const char *name_of(enum action_kind kind)
{
    static const char *const names[] = {
        [ACTION_MANIFEST] = "listing", [ACTION_TIER] = "setting tier",
        [ACTION_COPY] = "copying",     [ACTION_READ_BACK] = "reading back",
        [ACTION_LOOK] = "verifying",   [ACTION_CUT_OVER] = "cutting over",
        [ACTION_DELETE] = "deleting",  [ACTION_WAIT] = "waiting"};
    const char *name = kind < sizeof(names) / sizeof(names[0]) ? names[kind] : NULL;
    return name != NULL ? name : "under way";
}

/* The end of a name tells it from its neighbours. */
static void copy_name(char name[PROGRESS_NAME_BYTES], const char *directory)
{
    size_t size = strlen(directory), from = 0;
    if (size >= PROGRESS_NAME_BYTES) {
        from = size - PROGRESS_NAME_BYTES + 1;
        while (((unsigned char)directory[from] & 0xc0) == 0x80)
            from++;
    }
    memcpy(name, directory + from, size - from + 1);
}

static struct hand *hand_of(const struct cohort *cohort)
{
    size_t i = 0;
    while (i < progress.hand_count && progress.hands[i].cohort != cohort)
        i++;
    if (i == POOL_WORKERS_MAX)
        return NULL;
    if (i == progress.hand_count)
        progress.hands[progress.hand_count++].cohort = cohort;
    return &progress.hands[i];
}

static void let_go(struct hand *hand)
{
    size_t behind = (size_t)(&progress.hands[progress.hand_count] - hand) - 1;
    memmove(hand, hand + 1, behind * sizeof(*hand));
    progress.hand_count--;
}

void progress_step(void *context, const struct cohort *cohort, struct task *const *tasks,
                   size_t count)
{
    (void)context;
    pthread_mutex_lock(&progress.hands_mutex);
    struct hand *hand = hand_of(cohort);
    if (hand != NULL && count == 0)
        let_go(hand);
    else if (hand != NULL) {
        hand->doing = name_of(tasks[0]->action.kind);
        hand->count = count;
        hand->named = count < PROGRESS_NAMES_MAX ? count : PROGRESS_NAMES_MAX;
        for (size_t i = 0; i < hand->named; i++)
            copy_name(hand->names[i], tasks[i]->entry.directory);
    }
    pthread_mutex_unlock(&progress.hands_mutex);
}

void progress_planned(void *context, uint64_t rows, uint64_t listed, uint64_t to_list)
{
    (void)context;
    if (rows > 0)
        atomic_store(&progress.rows, rows);
    atomic_store(&progress.listed, listed);
    atomic_store(&progress.to_list, to_list);
}

/* -- how far it is -------------------------------------------------------------------------------
 */

/* One of each hand first, so that many are seen. */
static void view_hands(struct progress_view *view)
{
    pthread_mutex_lock(&progress.hands_mutex);
    for (size_t i = 0; i < progress.hand_count; i++)
        view->under_way_count += progress.hands[i].count;
    for (size_t k = 0; k < PROGRESS_NAMES_MAX; k++) {
        for (size_t i = 0; i < progress.hand_count && view->named < PROGRESS_NAMES_MAX; i++) {
            const struct hand *hand = &progress.hands[i];
            if (k >= hand->named)
                continue;
            view->under_way[view->named].doing = hand->doing;
            memcpy(view->under_way[view->named++].name, hand->names[k], PROGRESS_NAME_BYTES);
        }
    }
    pthread_mutex_unlock(&progress.hands_mutex);
}

static void take_sample(int64_t now_us)
{
    size_t count = progress.sample_count;
    if (progress.phase != PROGRESS_RUNNING ||
        (count > 0 && now_us < progress.samples[count - 1].at_us + SAMPLE_EVERY_US))
        return;
    if (count == SAMPLES) {
        memmove(progress.samples, progress.samples + 1, (SAMPLES - 1) * sizeof(struct sample));
        count--;
    }
    progress.samples[count] =
        (struct sample){.at_us = now_us, .bytes = atomic_load(&progress.counters->bytes_copied)};
    progress.sample_count = count + 1;
}

static uint64_t bytes_per_s(int64_t now_us, uint64_t bytes)
{
    const struct sample *first = &progress.samples[0];
    if (progress.sample_count == 0 || now_us < first->at_us + WHEN_SECOND_US)
        return 0;
    return (uint64_t)((double)(bytes - first->bytes) * 1e6 / (double)(now_us - first->at_us));
}

static void view_run(struct progress_view *view, int64_t now_us)
{
    const struct counters *counters = progress.counters;
    view->unit = progress.work.unit;
    view->at_rest = atomic_load(&counters->directories_at_rest);
    view->to_rest = progress.work.units;
    if (view->to_rest > 0 && view->to_rest < view->at_rest)
        view->to_rest = view->at_rest; /* with what earlier runs had left open */
    view->objects = atomic_load(&counters->objects_copied);
    view->bytes = atomic_load(&counters->bytes_copied);
    view->to_copy_bytes = progress.work.bytes;
    view->deleted = atomic_load(&counters->objects_deleted);
    view->bytes_per_s = bytes_per_s(now_us, view->bytes);
    view_hands(view);
}

static void make_view(struct progress_view *view, int64_t now_us)
{
    *view = (struct progress_view){
        .phase = progress.phase, .what = progress.what, .elapsed_us = now_us - progress.began_us};
    if (progress.phase == PROGRESS_RUNNING)
        view_run(view, now_us);
    if (progress.phase != PROGRESS_READING)
        return;
    view->unit = progress.work.unit;
    view->rows = atomic_load(&progress.rows);
    view->listed = atomic_load(&progress.listed);
    view->to_list = atomic_load(&progress.to_list);
    if (view->to_list > 0)
        view->phase = PROGRESS_LISTING;
}

/* -- telling -------------------------------------------------------------------------------------
 */

static void tell_line(int64_t now_us, bool is_over)
{
    struct progress_view view;
    struct log_field fields[PROGRESS_FIELDS_MAX];
    struct buf text;
    buf_init(&text, LOGGING_LINE_BYTES_MAX / 2);
    make_view(&view, now_us);
    progress_view_line(&view, is_over, &text);
    logging_tell(buf_string(&text), "progress", fields, progress_view_fields(&view, fields));
    buf_free(&text);
}

static void draw(int64_t now_us)
{
    const char *colour = terminal_colour(stderr, TERMINAL_GREEN);
    struct progress_look look = {.is_utf8 = terminal_is_utf8(),
                                 .colour = colour,
                                 .plain = terminal_colour(stderr, TERMINAL_PLAIN)};
    struct progress_view view;
    struct buf block;
    buf_init(&block, TERMINAL_BLOCK_BYTES_MAX);
    terminal_size(&look.columns, &look.lines);
    make_view(&view, now_us);
    size_t lines = progress_view_block(&view, &look, &block);
    terminal_draw(buf_string(&block), lines, look.columns);
    buf_free(&block);
}

static void answer_signals(int64_t now_us)
{
    if (atomic_exchange(&progress.stopping, false)) {
        terminal_fresh_line();
        logging_note(NULL, "stopping; steps under way finish (once more: stop at once)");
    }
    if (atomic_exchange(&progress.asked, false))
        tell_line(now_us, false);
}

static void tick(void)
{
    int64_t now_us = monotonic_us(), gap_us = now_us - progress.ticked_us;
    progress.ticked_us = now_us;
    answer_signals(now_us);
    if (progress.phase == PROGRESS_NOTHING)
        return;
    take_sample(now_us);
    /* After a gap it may have been stopped, and the thread of signals be just about to hear so. */
    if (progress.mode == PROGRESS_BLOCK && now_us >= progress.began_us + BLOCK_AFTER_US &&
        gap_us <= 2 * TICK_US)
        draw(now_us);
    if (progress.mode != PROGRESS_LINES || now_us < progress.next_line_us)
        return;
    progress.next_line_us = now_us + LINE_EVERY_US;
    progress.told = true;
    tell_line(now_us, false);
}

static void *tell(void *context)
{
    (void)context;
    pthread_mutex_lock(&progress.mutex);
    while (!progress.ended) {
        int64_t until_us = monotonic_us() + TICK_US;
        struct timespec until = {.tv_sec = until_us / WHEN_SECOND_US,
                                 .tv_nsec = until_us % WHEN_SECOND_US * 1000};
        pthread_cond_timedwait(&progress.wake, &progress.mutex, &until);
        tick();
    }
    pthread_mutex_unlock(&progress.mutex);
    return NULL;
}

void progress_start(void)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&progress.wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    progress.mode = PROGRESS_NONE;
    progress.began_us = monotonic_us();
    if (pthread_create(&progress.thread, NULL, tell, NULL) != 0)
        abort();
}

void progress_stop(void)
{
    pthread_mutex_lock(&progress.mutex);
    progress.ended = true;
    pthread_cond_signal(&progress.wake);
    pthread_mutex_unlock(&progress.mutex);
    pthread_join(progress.thread, NULL);
}

void progress_set_mode(enum progress_mode mode)
{
    bool redraws = mode == PROGRESS_AUTO ? terminal_can_redraw() : terminal_is();
    if (mode == PROGRESS_AUTO || mode == PROGRESS_BLOCK)
        mode = redraws ? PROGRESS_BLOCK : PROGRESS_LINES;
    pthread_mutex_lock(&progress.mutex);
    progress.mode = mode;
    pthread_mutex_unlock(&progress.mutex);
}

/* -- phases --------------------------------------------------------------------------------------
 */

static void begin(enum progress_phase phase, const char *what)
{
    progress.phase = phase;
    progress.what = what;
    progress.began_us = monotonic_us();
    progress.next_line_us = progress.began_us + LINE_AFTER_US;
    progress.told = false;
    progress.sample_count = 0;
}

void progress_wait(const char *what)
{
    pthread_mutex_lock(&progress.mutex);
    begin(PROGRESS_WAITING, what);
    pthread_mutex_unlock(&progress.mutex);
}

void progress_plan(const char *unit)
{
    pthread_mutex_lock(&progress.mutex);
    begin(PROGRESS_READING, NULL);
    progress.work = (struct progress_work){.unit = unit};
    atomic_store(&progress.rows, 0);
    atomic_store(&progress.listed, 0);
    atomic_store(&progress.to_list, 0);
    pthread_mutex_unlock(&progress.mutex);
}

void progress_run(const struct counters *counters, const struct progress_work *work)
{
    pthread_mutex_lock(&progress.mutex);
    begin(PROGRESS_RUNNING, NULL);
    progress.work = *work;
    progress.counters = counters;
    take_sample(progress.began_us);
    pthread_mutex_unlock(&progress.mutex);
}

/* How it ended is told where it was told how it went on. */
void progress_end(void)
{
    pthread_mutex_lock(&progress.mutex);
    int64_t now_us = monotonic_us();
    answer_signals(now_us);
    terminal_clear();
    if (progress.told && progress.phase != PROGRESS_WAITING)
        tell_line(now_us, true);
    progress.phase = PROGRESS_NOTHING;
    progress.counters = NULL;
    pthread_mutex_unlock(&progress.mutex);
}

/* -- signals -------------------------------------------------------------------------------------
 */

void progress_ask(void)
{
    atomic_store(&progress.asked, true);
}

void progress_tell_stopping(void)
{
    atomic_store(&progress.stopping, true);
}
