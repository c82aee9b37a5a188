#include "engine/signals.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/progress.h"
#include "engine/terminal.h"
#include "executor/http/http.h"

/* The process has one set of signals, so this is the one place with state of its own. */
static struct {
    atomic_bool stop;
    atomic_int number;
    atomic_bool asking;
    pthread_mutex_t mutex; /* http */
    struct http *http;
    sigset_t set;
} watch = {.mutex = PTHREAD_MUTEX_INITIALIZER};

atomic_bool *signals_stop(void)
{
    return &watch.stop;
}

enum exit_code signals_exit(void)
{
    int number = atomic_load(&watch.number);
    return number == 0 ? EXIT_OK : (enum exit_code)(128 + number);
}

static void stop(int number)
{
    if (atomic_exchange(&watch.number, number) != 0 || atomic_load(&watch.asking)) {
        terminal_restore();
        _exit(128 + number);
    }
    progress_tell_stopping();
    atomic_store(&watch.stop, true);
    pthread_mutex_lock(&watch.mutex);
    if (watch.http != NULL)
        http_cancel(watch.http);
    pthread_mutex_unlock(&watch.mutex);
}

static void *wait_for_signals(void *context)
{
    (void)context;
    for (;;) {
        int number;
        if (sigwait(&watch.set, &number) != 0)
            continue;
        if (number == SIGUSR1)
            progress_ask();
        else if (number == SIGCONT)
            terminal_resumed();
        else
            stop(number);
    }
    return NULL;
}

void signals_ask(bool asking)
{
    atomic_store(&watch.asking, asking);
}

void signals_cancel_with(struct http *http)
{
    pthread_mutex_lock(&watch.mutex);
    watch.http = http;
    pthread_mutex_unlock(&watch.mutex);
}

void signals_watch(void)
{
    pthread_t thread;
    sigemptyset(&watch.set);
    sigaddset(&watch.set, SIGINT);
    sigaddset(&watch.set, SIGTERM);
    sigaddset(&watch.set, SIGUSR1);
    sigaddset(&watch.set, SIGCONT);
    pthread_sigmask(SIG_BLOCK, &watch.set, NULL);
    if (pthread_create(&thread, NULL, wait_for_signals, NULL) != 0)
        abort();
    pthread_detach(thread);
}
