#include "executor/http/window.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "executor/http/http.h"
#include "executor/http/retry.h"

/* Times are of the monotonic clock. */
struct http_window {
    struct http_window *next;
    char *account;
    double size;
    unsigned in_flight;
    int64_t full_us;   /* the latest wish for a slot when none was free             */
    int64_t cut_us;    /* the latest cut: what was sent before it says nothing new */
    int64_t calm_us;   /* no growth before this                                    */
    int64_t resume_us; /* no request before this                                   */
    atomic_llong skew_us;
};

void window_set_init(struct window_set *set, struct clock *clock)
{
    *set = (struct window_set){.clock = clock};
    pthread_mutex_init(&set->mutex, NULL);
    pthread_cond_init(&set->given, NULL);
}

void window_set_free(struct window_set *set)
{
    while (set->first) {
        struct http_window *window = set->first;
        set->first = window->next;
        free(window->account);
        free(window);
    }
    pthread_cond_destroy(&set->given);
    pthread_mutex_destroy(&set->mutex);
}

void window_set_cancel(struct window_set *set)
{
    pthread_mutex_lock(&set->mutex);
    set->cancelled = true;
    pthread_cond_broadcast(&set->given);
    pthread_mutex_unlock(&set->mutex);
}

static struct http_window *window_make(const char *account)
{
    struct http_window *window = calloc(1, sizeof *window);
    char *copy = strdup(account);
    if (!window || !copy)
        err_abort("out of memory");
    window->account = copy;
    window->size = HTTP_WINDOW_START;
    window->cut_us = window->full_us = INT64_MIN;
    return window;
}

struct http_window *window_get(struct window_set *set, const char *account)
{
    pthread_mutex_lock(&set->mutex);
    struct http_window *window = set->first;
    while (window && strcmp(window->account, account) != 0)
        window = window->next;
    if (!window) {
        window = window_make(account);
        window->next = set->first;
        set->first = window;
    }
    pthread_mutex_unlock(&set->mutex);
    return window;
}

/* A copy within one account takes one slot: its windows are the same. */
static size_t distinct(struct http_window *const windows[2], struct http_window *found[2])
{
    size_t count = 0;
    for (size_t i = 0; i < 2; i++) {
        if (windows[i] && (count == 0 || found[0] != windows[i]))
            found[count++] = windows[i];
    }
    return count;
}

static enum window_answer answer_now(struct http_window *const *windows, size_t count,
                                     int64_t now_us, int64_t *until_us)
{
    enum window_answer answer = WINDOW_TAKEN;
    *until_us = now_us;
    for (size_t i = 0; i < count; i++) {
        if (windows[i]->in_flight >= (unsigned)windows[i]->size) {
            windows[i]->full_us = now_us;
            answer = WINDOW_FULL;
        }
        if (windows[i]->resume_us > *until_us)
            *until_us = windows[i]->resume_us;
    }
    return *until_us > now_us ? WINDOW_PAUSED : answer;
}

enum window_answer window_take(struct window_set *set, struct http_window *const windows[2],
                               bool wait, int64_t *until_us)
{
    struct http_window *found[2];
    size_t count = distinct(windows, found);
    enum window_answer answer;

    pthread_mutex_lock(&set->mutex);
    for (;;) {
        answer = answer_now(found, count, set->clock->ops->monotonic_us(set->clock), until_us);
        if (answer != WINDOW_FULL || !wait || set->cancelled)
            break;
        pthread_cond_wait(&set->given, &set->mutex);
    }
    for (size_t i = 0; answer == WINDOW_TAKEN && i < count; i++)
        found[i]->in_flight++;
    pthread_mutex_unlock(&set->mutex);
    return answer;
}

static void learn(struct http_window *window, const struct window_news *news, int64_t now_us)
{
    if (retry_is_throttled(news->status)) {
        /* One cut a round trip: the others in flight bring the same news. */
        if (news->sent_us >= window->cut_us) {
            window->size *= WINDOW_CUT;
            if (window->size < 1)
                window->size = 1;
            window->cut_us = now_us;
            window->calm_us = now_us + HTTP_CALM_US;
        }
        if (window->resume_us < now_us + news->after_us)
            window->resume_us = now_us + news->after_us;
        return;
    }
    /* A window that nobody found full has proved nothing about a larger one. */
    bool was_full = window->full_us >= news->sent_us;
    if (news->status == 0 || now_us < window->calm_us || !was_full)
        return;
    window->size += 1 / window->size;
    if (window->size > HTTP_WINDOW_MAX)
        window->size = HTTP_WINDOW_MAX;
}

void window_give(struct window_set *set, struct http_window *const windows[2],
                 const struct window_news *news)
{
    struct http_window *found[2];
    size_t count = distinct(windows, found);
    int64_t now_us = set->clock->ops->monotonic_us(set->clock);

    pthread_mutex_lock(&set->mutex);
    for (size_t i = 0; i < count; i++) {
        assert(found[i]->in_flight > 0);
        found[i]->in_flight--;
        learn(found[i], news, now_us);
    }
    if (windows[0] && window_skew_us(windows[0]) < news->skew_us)
        atomic_store(&windows[0]->skew_us, news->skew_us);
    pthread_cond_broadcast(&set->given);
    pthread_mutex_unlock(&set->mutex);
}

int64_t window_skew_us(const struct http_window *window)
{
    return atomic_load(&window->skew_us);
}

unsigned window_size(struct window_set *set, const struct http_window *window)
{
    pthread_mutex_lock(&set->mutex);
    unsigned size = (unsigned)window->size;
    pthread_mutex_unlock(&set->mutex);
    return size;
}
