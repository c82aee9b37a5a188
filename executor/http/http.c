#include "executor/http/http.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/when.h"
#include "executor/http/lane.h"
#include "executor/http/retry.h"
#include "executor/http/window.h"

#define TICK_US INT64_C(100000) /* how long a waiting thread takes to notice a cancellation */
#define HEADER_TEXT_MAX 128     /* of headers that are read here                             */
#define PATH_LOGGED_MAX 256

struct http {
    struct http_config config;
    char *user_agent, *ca_file;
    struct window_set windows;
    CURLSH *share; /* names and TLS sessions */
    pthread_mutex_t share_mutexes[CURL_LOCK_DATA_LAST];
    pthread_mutex_t mutex; /* of what is lent to one thread at a time, as follows */
    struct lane *lanes;
    struct transfer *transfers; /* as many as were ever in flight at once */
    atomic_bool cancelled;
    atomic_ullong sent;
};

/* -- opening and closing ----------------------------------------------------------------------- */

static void share_lock(CURL *easy, curl_lock_data data, curl_lock_access access, void *user)
{
    (void)easy;
    (void)access;
    struct http *http = user;
    pthread_mutex_lock(&http->share_mutexes[data]);
}

static void share_unlock(CURL *easy, curl_lock_data data, void *user)
{
    (void)easy;
    struct http *http = user;
    pthread_mutex_unlock(&http->share_mutexes[data]);
}

static bool share_open(struct http *http)
{
    http->share = curl_share_init();
    if (!http->share)
        return false;
    for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
        pthread_mutex_init(&http->share_mutexes[i], NULL);
    return curl_share_setopt(http->share, CURLSHOPT_LOCKFUNC, share_lock) == CURLSHE_OK &&
           curl_share_setopt(http->share, CURLSHOPT_UNLOCKFUNC, share_unlock) == CURLSHE_OK &&
           curl_share_setopt(http->share, CURLSHOPT_USERDATA, http) == CURLSHE_OK &&
           curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) == CURLSHE_OK &&
           curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) ==
               CURLSHE_OK;
}

static char *copy_of(const char *text)
{
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy)
        err_abort("out of memory");
    return copy;
}

bool http_open(const struct http_config *config, struct http **opened, struct err *err)
{
    struct http *http = calloc(1, sizeof *http);
    if (!http)
        err_abort("out of memory");
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !share_open(http)) {
        free(http);
        return ERR(err, ERR_INTERNAL, "libcurl cannot be initialised");
    }
    http->config = *config;
    http->config.user_agent = http->user_agent = copy_of(config->user_agent);
    http->config.ca_file = http->ca_file = copy_of(config->ca_file);
    window_set_init(&http->windows, config->clock);
    pthread_mutex_init(&http->mutex, NULL);
    *opened = http;
    return true;
}

void http_close(struct http *http)
{
    while (http->lanes) {
        struct lane *lane = http->lanes;
        http->lanes = lane->next;
        lane_free(lane);
    }
    while (http->transfers) {
        struct transfer *transfer = http->transfers;
        http->transfers = transfer->next;
        transfer_free(transfer);
    }
    curl_share_cleanup(http->share);
    for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
        pthread_mutex_destroy(&http->share_mutexes[i]);
    pthread_mutex_destroy(&http->mutex);
    window_set_free(&http->windows);
    free(http->user_agent);
    free(http->ca_file);
    free(http);
    curl_global_cleanup();
}

void http_cancel(struct http *http)
{
    atomic_store(&http->cancelled, true);
    window_set_cancel(&http->windows);
}

struct http_window *http_window_get(struct http *http, const char *account)
{
    return window_get(&http->windows, account);
}

int64_t http_window_skew_us(const struct http_window *window)
{
    return window_skew_us(window);
}

uint64_t http_requests_sent(const struct http *http)
{
    return atomic_load(&http->sent);
}

/* -- lanes and transfers ----------------------------------------------------------------------- */

/* The one that was given back last has the warmest connections. */
static struct lane *borrow_lane(struct http *http)
{
    pthread_mutex_lock(&http->mutex);
    struct lane *lane = http->lanes;
    if (lane)
        http->lanes = lane->next;
    pthread_mutex_unlock(&http->mutex);
    return lane ? lane : lane_make();
}

static void give_back_lane(struct http *http, struct lane *lane)
{
    pthread_mutex_lock(&http->mutex);
    lane->next = http->lanes;
    http->lanes = lane;
    pthread_mutex_unlock(&http->mutex);
}

static struct transfer *borrow_transfer(struct http *http)
{
    pthread_mutex_lock(&http->mutex);
    struct transfer *transfer = http->transfers;
    if (transfer)
        http->transfers = transfer->next;
    pthread_mutex_unlock(&http->mutex);
    return transfer ? transfer : transfer_make(&http->config, http->share);
}

static void give_back_transfer(struct http *http, struct transfer *transfer)
{
    pthread_mutex_lock(&http->mutex);
    transfer->next = http->transfers;
    http->transfers = transfer;
    pthread_mutex_unlock(&http->mutex);
}

/* -- headers ----------------------------------------------------------------------------------- */

/* The value within the raw lines, and its length; NULL: absent. */
static const char *value_find(const char *lines, const char *name, size_t *length)
{
    size_t name_bytes = strlen(name);
    for (; lines && *lines; lines = strchr(lines, '\n') ? strchr(lines, '\n') + 1 : NULL) {
        if (strncasecmp(lines, name, name_bytes) != 0 || lines[name_bytes] != ':')
            continue;
        const char *value = lines + name_bytes + 1;
        value += strspn(value, " \t");
        *length = strcspn(value, "\r\n");
        while (*length > 0 && (value[*length - 1] == ' ' || value[*length - 1] == '\t'))
            (*length)--;
        return value;
    }
    return NULL;
}

const char *http_header_find(const struct http_request *request, const char *name,
                             struct arena *arena)
{
    size_t length;
    const char *value = value_find(request->reply_headers, name, &length);
    return value ? str_copy(arena, value, length) : NULL;
}

/* A short header without an arena; "" if it is absent or not short. */
static void value_copy(const struct http_request *request, const char *name,
                       char text[HEADER_TEXT_MAX])
{
    size_t length;
    const char *value = value_find(request->reply_headers, name, &length);
    if (!value || length >= HEADER_TEXT_MAX)
        length = 0;
    if (length > 0)
        memcpy(text, value, length);
    text[length] = '\0';
}

/* -- one batch --------------------------------------------------------------------------------- */

/* A request that is to be sent again, and when (monotonic). */
struct wait {
    size_t index;
    int64_t due_us;
};

struct batch {
    struct http *http;
    struct lane *lane;
    struct arena *arena;
    struct http_request *requests;
    size_t count;
    size_t next; /* the first that was never begun */
    struct wait *waits;
    size_t wait_count;
    size_t in_flight, finished;
    int64_t until_us; /* nothing can begin before this (monotonic); 0: a slot must come free */
};

static int64_t monotonic_us(const struct batch *batch)
{
    struct clock *clock = batch->http->config.clock;
    return clock->ops->monotonic_us(clock);
}

static bool is_cancelled(const struct batch *batch)
{
    return atomic_load_explicit(&batch->http->cancelled, memory_order_relaxed);
}

/* An allow-list: the query may be a signature. */
static void log_request(const struct http_request *request, int64_t took_us)
{
    char path[PATH_LOGGED_MAX], id[HEADER_TEXT_MAX];
    size_t length = strcspn(request->url, "?");
    if (length >= sizeof path)
        length = sizeof path - 1;
    memcpy(path, request->url, length);
    path[length] = '\0';
    value_copy(request, "x-ms-request-id", id);
    LOG(LOG_DEBUG, "request", LOG_TEXT("method", request->method), LOG_TEXT("url", path),
        LOG_NUMBER("status", request->status), LOG_TEXT("request_id", id),
        LOG_TEXT("failure", request->err.code), LOG_NUMBER("us", took_us));
}

/* The service's clock says whole seconds, at some instant between sending and receiving: what both
 * clocks may agree on is no skew. */
static int64_t skew_us(const struct batch *batch, const struct http_request *request,
                       int64_t took_us)
{
    struct clock *clock = batch->http->config.clock;
    int64_t now_us = clock->ops->now_us(clock), date_us;
    char date[HEADER_TEXT_MAX];
    struct err ignored;
    value_copy(request, "Date", date);
    if (!when_http_read(date, &date_us, &ignored))
        return 0;
    if (date_us > now_us)
        return date_us - now_us;
    int64_t latest_us = date_us + WHEN_SECOND_US;
    return latest_us < now_us - took_us ? now_us - took_us - latest_us : 0;
}

static void wait_add(struct batch *batch, size_t index, int64_t wait_us)
{
    const struct http_request *request = &batch->requests[index];
    batch->waits[batch->wait_count++] =
        (struct wait){.index = index, .due_us = monotonic_us(batch) + wait_us};
    LOG(LOG_INFO, "request-retried", LOG_TEXT("method", request->method),
        LOG_NUMBER("status", request->status), LOG_TEXT("failure", request->err.code),
        LOG_NUMBER("tries", request->tries), LOG_NUMBER("wait_ms", wait_us / 1000));
}

static void finish(struct batch *batch, struct transfer *transfer, CURLcode code)
{
    struct http_request *request = transfer->request;
    struct http *http = batch->http;
    int64_t took_us = monotonic_us(batch) - transfer->sent_us;
    char after[HEADER_TEXT_MAX];

    transfer_end(transfer, code);
    atomic_fetch_add(&http->sent, transfer->sends);
    struct window_news news = {.sent_us = transfer->sent_us, .status = request->status};
    if (request->status != 0) {
        value_copy(request, "Retry-After", after);
        news.after_us = retry_after_us(after, http->config.clock->ops->now_us(http->config.clock));
        news.skew_us = skew_us(batch, request, took_us);
    }
    window_give(&http->windows, request->windows, &news);
    log_request(request, took_us);

    struct retry_end end = {.status = request->status,
                            .failure = request->err.kind,
                            .repeatable = request->repeatable,
                            .tries = request->tries};
    if (retry_is_wanted(&end)) {
        request->in_doubt |= retry_is_in_doubt(&end);
        wait_add(batch, transfer->index,
                 retry_wait_us(request->tries, news.after_us, &batch->lane->rand));
    } else {
        batch->finished++;
    }
}

static void begin(struct batch *batch, size_t index)
{
    struct http_request *request = &batch->requests[index];
    struct transfer *transfer = borrow_transfer(batch->http);
    request->tries++;
    transfer->index = index;
    transfer->sent_us = monotonic_us(batch);
    if (!transfer_begin(transfer, request, batch->arena)) {
        struct window_news none = {0};
        window_give(&batch->http->windows, request->windows, &none);
        give_back_transfer(batch->http, transfer);
        batch->finished++;
        return;
    }
    lane_send(batch->lane, transfer);
    batch->in_flight++;
}

static struct wait *wait_first(const struct batch *batch)
{
    struct wait *first = NULL;
    for (size_t i = 0; i < batch->wait_count; i++) {
        if (!first || batch->waits[i].due_us < first->due_us)
            first = &batch->waits[i];
    }
    return first;
}

/* One more request is on its way: one whose wait is over, or else a new one.  False: none can begin
 * before until_us. */
static bool begin_next(struct batch *batch)
{
    struct wait *wait = wait_first(batch);
    bool due = wait && wait->due_us <= monotonic_us(batch);
    batch->until_us = 0;
    if (batch->in_flight == LANE_IN_FLIGHT_MAX)
        return false;
    if (!due && batch->next == batch->count) {
        batch->until_us = wait ? wait->due_us : 0;
        return false;
    }
    size_t index = due ? wait->index : batch->next;
    int64_t until_us;
    enum window_answer answer = window_take(&batch->http->windows, batch->requests[index].windows,
                                            batch->in_flight == 0, &until_us);
    if (answer != WINDOW_TAKEN) {
        batch->until_us = answer == WINDOW_PAUSED ? until_us : 0;
        return false;
    }
    if (due)
        *wait = batch->waits[--batch->wait_count];
    else
        batch->next++;
    begin(batch, index);
    return true;
}

/* What was tried already keeps the outcome of its last try. */
static void give_up_the_rest(struct batch *batch)
{
    batch->finished += batch->wait_count;
    batch->wait_count = 0;
    for (; batch->next < batch->count; batch->next++, batch->finished++)
        ERR(&batch->requests[batch->next].err, ERR_CANCELLED, "told to stop before sending");
}

static int64_t nap_us(const struct batch *batch)
{
    int64_t left_us = batch->until_us == 0 ? TICK_US : batch->until_us - monotonic_us(batch);
    if (left_us < 0)
        return 0;
    return left_us < TICK_US ? left_us : TICK_US;
}

/* Until one of what is in flight has ended, or it is time to look for something to begin. */
static void drive(struct batch *batch)
{
    struct transfer *transfer;
    CURLcode code;
    lane_drive(batch->lane, nap_us(batch));
    while ((transfer = lane_ended(batch->lane, &code))) {
        batch->in_flight--;
        finish(batch, transfer, code);
        give_back_transfer(batch->http, transfer);
    }
}

const char *http_libraries(void)
{
    return curl_version();
}

void http_batch(struct http *http, struct http_request *requests, size_t count, struct arena *arena)
{
    struct batch batch = {.http = http, .arena = arena, .requests = requests, .count = count};
    struct clock *clock = http->config.clock;
    if (count == 0)
        return;
    batch.waits = arena_make(arena, count * sizeof *batch.waits);
    batch.lane = borrow_lane(http);
    for (size_t i = 0; i < count; i++) {
        requests[i].status = 0;
        requests[i].protocol = NULL;
        requests[i].tries = 0;
        requests[i].in_doubt = false;
        requests[i].err = (struct err){0};
        requests[i].reply = requests[i].reply_headers = "";
        requests[i].reply_bytes = 0;
    }
    while (batch.finished < count) {
        if (is_cancelled(&batch))
            give_up_the_rest(&batch);
        while (!is_cancelled(&batch) && begin_next(&batch))
            continue;
        if (batch.in_flight > 0)
            drive(&batch);
        else if (batch.finished < count)
            clock->ops->sleep_us(clock, nap_us(&batch));
    }
    give_back_lane(http, batch.lane);
}
