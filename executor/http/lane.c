#include "executor/http/lane.h"

#include <stdlib.h>

#include "base/clock.h"

static void check(CURLMcode code)
{
    if (code != CURLM_OK)
        err_abort("libcurl has lost its way");
}

/* libcurl measures real time, whatever the program's clock is. */
static int64_t real_us(void)
{
    return clock_real()->ops->monotonic_us(clock_real());
}

/* -- what libcurl tells ------------------------------------------------------------------------ */

static struct pollfd *socket_find(struct lane *lane, curl_socket_t socket)
{
    for (size_t i = 0; i < lane->socket_count; i++) {
        if (lane->sockets[i].fd == socket)
            return &lane->sockets[i];
    }
    return NULL;
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *user, void *mine)
{
    (void)easy;
    (void)mine;
    struct lane *lane = user;
    struct pollfd *found = socket_find(lane, socket);
    if (what == CURL_POLL_REMOVE) {
        if (found)
            *found = lane->sockets[--lane->socket_count];
        return 0;
    }
    if (!found) {
        if (lane->socket_count == LANE_SOCKETS_MAX)
            err_abort("libcurl uses more sockets than requests need");
        found = &lane->sockets[lane->socket_count++];
    }
    *found = (struct pollfd){.fd = socket};
    if (what & CURL_POLL_IN)
        found->events |= POLLIN;
    if (what & CURL_POLL_OUT)
        found->events |= POLLOUT;
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *user)
{
    (void)multi;
    struct lane *lane = user;
    lane->timer_us = timeout_ms < 0 ? -1 : real_us() + timeout_ms * INT64_C(1000);
    return 0;
}

/* -- making ------------------------------------------------------------------------------------ */

struct lane *lane_make(void)
{
    struct lane *lane = calloc(1, sizeof *lane);
    if (!lane || !(lane->multi = curl_multi_init()))
        err_abort("out of memory");
    lane->timer_us = -1;
    rand_init(&lane->rand, rand_system());
    check(curl_multi_setopt(lane->multi, CURLMOPT_SOCKETFUNCTION, on_socket));
    check(curl_multi_setopt(lane->multi, CURLMOPT_SOCKETDATA, lane));
    check(curl_multi_setopt(lane->multi, CURLMOPT_TIMERFUNCTION, on_timer));
    check(curl_multi_setopt(lane->multi, CURLMOPT_TIMERDATA, lane));
    check(curl_multi_setopt(lane->multi, CURLMOPT_MAXCONNECTS, (long)LANE_IN_FLIGHT_MAX));
    check(curl_multi_setopt(lane->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING));
    return lane;
}

void lane_free(struct lane *lane)
{
    curl_multi_cleanup(lane->multi);
    free(lane);
}

/* -- transfers --------------------------------------------------------------------------------- */

void lane_send(struct lane *lane, struct transfer *transfer)
{
    check(curl_multi_add_handle(lane->multi, transfer->easy));
}

struct transfer *lane_ended(struct lane *lane, CURLcode *code)
{
    int left;
    const CURLMsg *message = curl_multi_info_read(lane->multi, &left);
    if (!message)
        return NULL;
    CURL *easy = message->easy_handle;
    struct transfer *transfer;
    *code = message->data.result;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    check(curl_multi_remove_handle(lane->multi, easy));
    return transfer;
}

/* -- waiting ----------------------------------------------------------------------------------- */

static int actions_of(short events)
{
    int actions = 0;
    if (events & (POLLIN | POLLHUP))
        actions |= CURL_CSELECT_IN;
    if (events & POLLOUT)
        actions |= CURL_CSELECT_OUT;
    if (events & (POLLERR | POLLNVAL))
        actions |= CURL_CSELECT_ERR;
    return actions;
}

/* What is done for one socket may change the list of sockets, so the ready ones are noted first. */
static void serve_sockets(struct lane *lane)
{
    struct pollfd ready[LANE_SOCKETS_MAX];
    size_t count = 0;
    int running;
    for (size_t i = 0; i < lane->socket_count; i++) {
        if (lane->sockets[i].revents != 0)
            ready[count++] = lane->sockets[i];
    }
    for (size_t i = 0; i < count; i++)
        check(curl_multi_socket_action(lane->multi, ready[i].fd, actions_of(ready[i].revents),
                                       &running));
}

static void serve_timer(struct lane *lane)
{
    int running;
    if (lane->timer_us < 0 || lane->timer_us > real_us())
        return;
    lane->timer_us = -1;
    check(curl_multi_socket_action(lane->multi, CURL_SOCKET_TIMEOUT, 0, &running));
}

static int wait_ms(const struct lane *lane, int64_t nap_us)
{
    if (lane->timer_us >= 0) {
        int64_t left_us = lane->timer_us - real_us();
        nap_us = left_us < nap_us ? left_us : nap_us;
    }
    return nap_us <= 0 ? 0 : (int)((nap_us + 999) / 1000);
}

void lane_drive(struct lane *lane, int64_t nap_us)
{
    int ready = poll(lane->sockets, lane->socket_count, wait_ms(lane, nap_us));
    if (ready > 0)
        serve_sockets(lane);
    serve_timer(lane);
}
