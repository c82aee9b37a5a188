/* window.h: how many requests an account takes at once, found out by trying: the windows that
 * http.h speaks of, all behind one mutex.                                                        */
#ifndef EXECUTOR_HTTP_WINDOW_H
#define EXECUTOR_HTTP_WINDOW_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define WINDOW_CUT 0.65

struct clock;
struct http_window;

struct window_set {
    struct clock *clock;
    pthread_mutex_t mutex;
    pthread_cond_t given; /* a slot came back, or all is cancelled */
    struct http_window *first;
    bool cancelled;
};

void window_set_init(struct window_set *set, struct clock *clock);
void window_set_free(struct window_set *set);
/* Whoever waits for a slot stops waiting, now and later. */
void window_set_cancel(struct window_set *set);

struct http_window *window_get(struct window_set *set, const char *account);

enum window_answer {
    WINDOW_TAKEN,
    WINDOW_FULL,  /* only without `wait`, or when cancelled        */
    WINDOW_PAUSED /* the service asked for a rest: until *until_us */
};
/* A slot in both windows (NULL: none needed) or in neither.  With `wait` it blocks until others
 * give slots back: only for who holds none.  until_us is of the monotonic clock.                 */
enum window_answer window_take(struct window_set *set, struct http_window *const windows[2],
                               bool wait, int64_t *until_us);

/* What a request that held slots learned. */
struct window_news {
    int64_t sent_us;  /* monotonic                                              */
    int status;       /* of the reply; 0: there was none                        */
    int64_t after_us; /* Retry-After, as retry_after_us reads it               */
    int64_t skew_us;  /* |service's clock - ours|                              */
};
/* The slots are free again; the skew is news of the first window alone. */
void window_give(struct window_set *set, struct http_window *const windows[2],
                 const struct window_news *news);

int64_t window_skew_us(const struct http_window *window);
/* Slots, free or not: for tests. */
unsigned window_size(struct window_set *set, const struct http_window *window);
#endif
