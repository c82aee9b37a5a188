#include "tests/support/fake_http.h"

#include <assert.h>
#include <pthread.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

#define FAKE_BYTES_MAX ((size_t)256 << 20)
#define REQUESTS_MAX 20000
#define BODY_BYTES_MAX ((size_t)16 << 20)
#define NAP_US 5000

struct fake_http {
    struct MHD_Daemon *daemon;
    fake_http_script *script;
    void *context;
    char url[64];
    pthread_mutex_t mutex; /* of what follows, and around the script */
    struct arena arena;
    struct fake_http_request requests[REQUESTS_MAX];
    unsigned count, connections, refused, active, peak;
    bool closing;
};

/* One request while it comes in. */
struct incoming {
    const char *target;
    struct buf body;
    bool begun; /* its headers were seen */
};

/* -- what came in --------------------------------------------------------------------------------
 */

static enum MHD_Result add_header(void *user, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    (void)kind;
    buf_format(user, "%s: %s\n", name, value ? value : "");
    return MHD_YES;
}

/* The target as it was sent: MHD decodes what it hands over later. */
static void *on_target(void *user, const char *target, struct MHD_Connection *connection)
{
    (void)connection;
    struct fake_http *fake = user;
    struct incoming *incoming = calloc(1, sizeof *incoming);
    assert(incoming);
    buf_init(&incoming->body, BODY_BYTES_MAX);
    pthread_mutex_lock(&fake->mutex);
    incoming->target = arena_copy(&fake->arena, target);
    pthread_mutex_unlock(&fake->mutex);
    return incoming;
}

static void on_completed(void *user, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)user;
    (void)connection;
    (void)code;
    struct incoming *incoming = *state;
    if (!incoming)
        return;
    buf_free(&incoming->body);
    free(incoming);
    *state = NULL;
}

static enum MHD_Result on_connection(void *user, const struct sockaddr *address, socklen_t length)
{
    (void)address;
    (void)length;
    struct fake_http *fake = user;
    pthread_mutex_lock(&fake->mutex);
    fake->connections++;
    bool refuse = fake->refused > 0;
    fake->refused -= refuse;
    pthread_mutex_unlock(&fake->mutex);
    return refuse ? MHD_NO : MHD_YES;
}

static unsigned remember(struct fake_http *fake, struct MHD_Connection *connection,
                         const char *method, const struct incoming *incoming)
{
    struct buf headers;
    buf_init(&headers, BODY_BYTES_MAX);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, &headers);
    assert(fake->count < REQUESTS_MAX);
    fake->requests[fake->count] = (struct fake_http_request){
        .method = arena_copy(&fake->arena, method),
        .path = incoming->target,
        .headers = arena_copy(&fake->arena, buf_string(&headers)),
        .body = str_copy(&fake->arena, buf_string(&incoming->body), incoming->body.size),
        .body_bytes = incoming->body.size};
    buf_free(&headers);
    return fake->count++;
}

/* -- what goes out -------------------------------------------------------------------------------
 */

/* Half of a body, then the end of the connection. */
static ssize_t half(void *user, uint64_t at, char *bytes, size_t most)
{
    size_t size_bytes = *(size_t *)user / 2;
    if (at >= size_bytes)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t count = size_bytes - at < most ? size_bytes - at : most;
    memset(bytes, 'x', count);
    return (ssize_t)count;
}

static struct MHD_Response *response_make(const struct fake_http_reply *reply)
{
    const char *body = reply->body ? reply->body : "";
    size_t size_bytes = reply->body_bytes > 0 ? reply->body_bytes : strlen(body);
    struct MHD_Response *response;
    if (reply->fault == FAKE_HTTP_CUT) {
        size_t *whole = malloc(sizeof *whole);
        assert(whole);
        *whole = size_bytes > 2 ? size_bytes : 1000;
        response = MHD_create_response_from_callback(*whole, 1024, half, whole, free);
    } else {
        response = MHD_create_response_from_buffer(size_bytes, (void *)body, MHD_RESPMEM_MUST_COPY);
    }
    assert(response);
    for (size_t i = 0; i < FAKE_HTTP_HEADERS_MAX && reply->headers[i][0]; i++)
        MHD_add_response_header(response, reply->headers[i][0], reply->headers[i][1]);
    return response;
}

static bool is_closing(struct fake_http *fake)
{
    pthread_mutex_lock(&fake->mutex);
    bool closing = fake->closing;
    pthread_mutex_unlock(&fake->mutex);
    return closing;
}

static void wait_for(struct fake_http *fake, const struct fake_http_reply *reply)
{
    unsigned waited_us = 0;
    bool forever = reply->fault == FAKE_HTTP_UNANSWERED;
    while ((forever || waited_us < reply->slow_ms * 1000) && !is_closing(fake)) {
        usleep(NAP_US);
        waited_us += NAP_US;
    }
}

static enum MHD_Result send_reply(struct MHD_Connection *connection,
                                  const struct fake_http_reply *reply)
{
    if (reply->fault == FAKE_HTTP_DROP)
        return MHD_NO;
    struct MHD_Response *response = response_make(reply);
    unsigned status = reply->status == 0 ? 200 : (unsigned)reply->status;
    enum MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

/* Called once with the headers, then for each piece of the body, and then for the answer. */
static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *piece,
                                  size_t *piece_bytes, void **state)
{
    (void)path;
    (void)version;
    struct fake_http *fake = user;
    struct incoming *incoming = *state;
    if (!incoming->begun) {
        incoming->begun = true;
        return MHD_YES;
    }
    if (*piece_bytes > 0) {
        buf_add(&incoming->body, piece, *piece_bytes);
        *piece_bytes = 0;
        return MHD_YES;
    }

    struct fake_http_reply reply = {0};
    pthread_mutex_lock(&fake->mutex);
    unsigned number = remember(fake, connection, method, incoming);
    fake->active++;
    if (fake->active > fake->peak)
        fake->peak = fake->active;
    fake->script(fake->context, number, &fake->requests[number], &reply);
    pthread_mutex_unlock(&fake->mutex);

    wait_for(fake, &reply);
    pthread_mutex_lock(&fake->mutex);
    fake->active--;
    pthread_mutex_unlock(&fake->mutex);
    return send_reply(connection, &reply);
}

/* -- opening -------------------------------------------------------------------------------------
 */

/* Failures are asserted, not told to cmocka: most of this runs in the server's threads. */
static void start(struct fake_http *fake, const char *key, const char *certificate)
{
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)key},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)certificate},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    fake->daemon =
        MHD_start_daemon(key ? flags | MHD_USE_TLS : flags, 0, on_connection, fake, on_request,
                         fake, MHD_OPTION_SOCK_ADDR, &local, MHD_OPTION_URI_LOG_CALLBACK, on_target,
                         fake, MHD_OPTION_NOTIFY_COMPLETED, on_completed, fake, MHD_OPTION_ARRAY,
                         key ? tls : none, MHD_OPTION_END);
    assert(fake->daemon);
    snprintf(fake->url, sizeof fake->url, "%s://127.0.0.1:%u", key ? "https" : "http",
             MHD_get_daemon_info(fake->daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
}

struct fake_http *fake_http_open_tls(fake_http_script *script, void *context, const char *key,
                                     const char *certificate)
{
    struct fake_http *fake = calloc(1, sizeof *fake);
    assert(fake);
    fake->script = script;
    fake->context = context;
    arena_init(&fake->arena, FAKE_BYTES_MAX);
    pthread_mutex_init(&fake->mutex, NULL);
    start(fake, key, certificate);
    return fake;
}

struct fake_http *fake_http_open(fake_http_script *script, void *context)
{
    return fake_http_open_tls(script, context, NULL, NULL);
}

void fake_http_close(struct fake_http *fake)
{
    pthread_mutex_lock(&fake->mutex);
    fake->closing = true;
    pthread_mutex_unlock(&fake->mutex);
    MHD_stop_daemon(fake->daemon);
    pthread_mutex_destroy(&fake->mutex);
    arena_free(&fake->arena);
    free(fake);
}

const char *fake_http_url(const struct fake_http *fake)
{
    return fake->url;
}

static unsigned peek(struct fake_http *fake, const unsigned *counter)
{
    pthread_mutex_lock(&fake->mutex);
    unsigned value = *counter;
    pthread_mutex_unlock(&fake->mutex);
    return value;
}

unsigned fake_http_count(struct fake_http *fake)
{
    return peek(fake, &fake->count);
}

unsigned fake_http_connections(struct fake_http *fake)
{
    return peek(fake, &fake->connections);
}

unsigned fake_http_peak(struct fake_http *fake)
{
    return peek(fake, &fake->peak);
}

const struct fake_http_request *fake_http_request(struct fake_http *fake, unsigned number)
{
    assert(number < fake_http_count(fake));
    return &fake->requests[number];
}

void fake_http_refuse(struct fake_http *fake, unsigned connections)
{
    pthread_mutex_lock(&fake->mutex);
    fake->refused = connections;
    pthread_mutex_unlock(&fake->mutex);
}
