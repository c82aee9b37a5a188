#include "state/lock.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/when.h"

#define FILE_NAME "run.lock"
#define LINE_BYTES_MAX 512
#define POLL_US 20000
/* lock_look takes the lock for an instant: nobody is refused because somebody looked. */
#define WAIT_MIN_US 100000

/* -- who holds it ----------------------------------------------------------------------------- */

static bool read_line(int fd, struct lock_holder *holder)
{
    char line[LINE_BYTES_MAX];
    ssize_t size = pread(fd, line, sizeof(line), 0);
    struct json *json;
    struct err ignored;
    if (size <= 0 || !json_read(line, (size_t)size, &json, &ignored))
        return false;
    const char *host, *since, *what;
    bool read = json_get_text(json, "host", &host, &ignored) &&
                json_get_integer(json, "pid", &holder->pid, &ignored) &&
                json_get_text(json, "since", &since, &ignored) &&
                when_instant_read(since, &holder->since_us, &ignored) &&
                json_get_text(json, "what", &what, &ignored);
    if (read) {
        snprintf(holder->host, sizeof(holder->host), "%s", host);
        snprintf(holder->what, sizeof(holder->what), "%s", what);
    }
    json_free(json);
    return read;
}

/* What was not written yet, or is no line of ours, is nobody that we can name. */
static void read_holder(int fd, struct lock_holder *holder)
{
    *holder = (struct lock_holder){0};
    if (!read_line(fd, holder))
        *holder = (struct lock_holder){0};
}

static bool write_holder(int fd, const char *what, struct clock *clock, const char *path,
                         struct err *err)
{
    char host[128] = "", since[WHEN_TEXT_MAX];
    if (gethostname(host, sizeof(host) - 1) != 0)
        snprintf(host, sizeof(host), "unknown");
    when_instant_text(clock->ops->now_us(clock), since);

    struct buf line;
    struct json_writer json;
    buf_init(&line, LINE_BYTES_MAX);
    json_begin(&json, &line);
    json_object_begin(&json);
    json_put_text(&json, "host", host);
    json_put_integer(&json, "pid", getpid());
    json_put_text(&json, "since", since);
    json_put_text(&json, "what", what);
    json_object_end(&json);
    buf_char(&line, '\n');
    ssize_t size = ftruncate(fd, 0) == 0 ? pwrite(fd, buf_string(&line), line.size, 0) : -1;
    int number = size < 0 ? errno : ENOSPC; /* a write that is cut short says nothing */
    bool written = size == (ssize_t)line.size;
    buf_free(&line);
    return written || file_error(err, number, "writing %s", path);
}

static bool refuse(int fd, const char *path, struct err *err)
{
    struct lock_holder holder;
    char since[WHEN_TEXT_MAX];
    read_holder(fd, &holder);
    if (holder.pid == 0)
        return ERR(err, ERR_BUSY, "another run holds %s", path);
    when_instant_people(holder.since_us, since);
    return ERR(err, ERR_BUSY, "another run holds %s: %s, process %" PRId64 " on %s, since %s UTC",
               path, holder.what, holder.pid, holder.host, since);
}

/* -- taking it -------------------------------------------------------------------------------- */

/* -1 with errno; EWOULDBLOCK: somebody else has it (and *fd is open, to see who). */
static int try_lock(const char *path, int *fd)
{
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd < 0)
        return -1;
    int locked;
    do
        locked = flock(*fd, LOCK_EX | LOCK_NB);
    while (locked != 0 && errno == EINTR);
    return locked;
}

static bool wait_for(const char *path, int64_t wait_us, struct clock *clock, int *fd,
                     struct err *err)
{
    int64_t end_us =
        clock->ops->monotonic_us(clock) + (wait_us > WAIT_MIN_US ? wait_us : WAIT_MIN_US);
    while (try_lock(path, fd) != 0) {
        if (*fd < 0 || errno != EWOULDBLOCK) {
            file_error(err, errno, "locking %s", path);
            file_close_fd(fd);
            return false;
        }
        bool late = clock->ops->monotonic_us(clock) >= end_us;
        if (late)
            refuse(*fd, path, err);
        close(*fd);
        if (late)
            return false;
        clock->ops->sleep_us(clock, POLL_US);
    }
    return true;
}

static bool path_of(const char *folder, char path[PATH_MAX], struct err *err)
{
    return (size_t)snprintf(path, PATH_MAX, "%s/" FILE_NAME, folder) < PATH_MAX ||
           ERR(err, ERR_INPUT, "the path of the state folder is too long");
}

bool lock_take(const char *folder, const char *what, int64_t wait_us, struct clock *clock,
               struct lock *lock, struct err *err)
{
    char path[PATH_MAX];
    int fd;
    lock->fd = -1;
    if (!path_of(folder, path, err) || !file_make_folder(folder, 0700, err) ||
        !wait_for(path, wait_us, clock, &fd, err))
        return false;
    if (!write_holder(fd, what, clock, path, err)) {
        close(fd);
        return false;
    }
    lock->fd = fd;
    return true;
}

void lock_release(struct lock *lock)
{
    if (lock->fd < 0)
        return;
    if (ftruncate(lock->fd, 0) != 0)
        LOG(LOG_DEBUG, "lock-line-stays", LOG_NUMBER("errno", errno));
    close(lock->fd);
    lock->fd = -1;
}

bool lock_look(const char *folder, struct lock_holder *holder, bool *held, struct err *err)
{
    char path[PATH_MAX];
    *held = false;
    *holder = (struct lock_holder){0};
    if (!path_of(folder, path, err))
        return false;
    FILE_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT || file_error(err, errno, "opening %s", path);
    if (flock(fd, LOCK_SH | LOCK_NB) == 0)
        return true;
    if (errno != EWOULDBLOCK)
        return file_error(err, errno, "looking at %s", path);
    *held = true;
    read_holder(fd, holder);
    return true;
}
