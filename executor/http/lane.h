/* lane.h: what a thread borrows while it is in http_batch: connections that are kept.  libcurl is
 * told which socket is ready, and looks at that one alone: with 64 in flight, letting it look at
 * all of them each time costs more than all the rest.                                            */
#ifndef EXECUTOR_HTTP_LANE_H
#define EXECUTOR_HTTP_LANE_H

#include <poll.h>

#include "base/rand.h"
#include "executor/http/transfer.h"

#define LANE_IN_FLIGHT_MAX HTTP_WINDOW_MAX
/* A transfer may be resolving a name and trying two addresses at once. */
#define LANE_SOCKETS_MAX (4 * LANE_IN_FLIGHT_MAX)

struct lane {
    CURLM *multi;
    struct pollfd sockets[LANE_SOCKETS_MAX]; /* that libcurl waits for */
    size_t socket_count;
    int64_t timer_us; /* when libcurl wants to be called (real, monotonic); -1: never */
    struct rand rand;
    struct lane *next;
};

struct lane *lane_make(void);
/* Nothing is in flight. */
void lane_free(struct lane *lane);

/* A transfer that was begun is on its way. */
void lane_send(struct lane *lane, struct transfer *transfer);
/* One that has ended, and how; NULL: none. */
struct transfer *lane_ended(struct lane *lane, CURLcode *code);
/* Waits until something happens, at most nap_us, and does what there is to do. */
void lane_drive(struct lane *lane, int64_t nap_us);
#endif
