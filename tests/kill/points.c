/* points.c: a library to be preloaded into frostline, in which it is killed at a point.
 *
 * A point is an effect: a system call that changes a file or a folder, or sends something; and what
 * can be known of it: that it was sent, that the first bytes of an answer came.  Every library
 * makes its effects by these calls, so no point can be forgotten, and the program is the one that
 * people run.  (What stdio writes inside of libc is seen when it is synced or renamed.)  A process
 * that is killed leaves the same behind after an effect as before the next; what was sent is
 * another matter, for it may arrive or not.
 *
 *   FROSTLINE_POINTS=FILE    appends the name of each point that is reached, a line each
 *   FROSTLINE_POINT=N        at the N-th point of the process
 *   FROSTLINE_POINT_OF=NAME  counting only those whose names begin so
 *   FROSTLINE_POINT_SIGNAL=S it gets this signal: SIGKILL (9, unless told) or SIGSTOP */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAME_MAX_BYTES 160
#define SOCKETS_MAX 1024

static struct {
    long at; /* 0: nowhere */
    int number, log;
    const char *of;
    atomic_long reached;
    /* What was sent last on each socket, until an answer comes. */
    char sent[SOCKETS_MAX][NAME_MAX_BYTES];
} points = {.number = SIGKILL, .log = -1};

__attribute__((constructor)) static void points_open(void)
{
    const char *at = getenv("FROSTLINE_POINT"), *number = getenv("FROSTLINE_POINT_SIGNAL");
    const char *log = getenv("FROSTLINE_POINTS");
    points.at = at ? strtol(at, NULL, 10) : 0;
    points.of = getenv("FROSTLINE_POINT_OF") ?: "";
    points.number = number ? (int)strtol(number, NULL, 10) : SIGKILL;
    if (log)
        points.log = (int)syscall(SYS_openat, AT_FDCWD, log,
                                  O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* The real function that this library stands before. */
static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (!function)
        abort();
    return function;
}

#define REAL(type, name) ((type)real(name))

static void reach(const char *verb, const char *what)
{
    int before = errno;
    char line[NAME_MAX_BYTES + 32];
    int size = snprintf(line, sizeof line, "%s %s\n", verb, what);
    bool counts = strncmp(line, points.of, strlen(points.of)) == 0;
    long reached = atomic_fetch_add(&points.reached, counts) + counts;
    if (points.log >= 0 && (points.at == 0 || reached <= points.at))
        (void)!syscall(SYS_write, points.log, line, (size_t)size);
    if (counts && reached == points.at)
        kill(getpid(), points.number);
    errno = before;
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static void reach_path(const char *verb, const char *path)
{
    char name[NAME_MAX_BYTES];
    snprintf(name, sizeof name, "%s", base_of(path));
    reach(verb, name);
}

static bool is_socket(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

/* Files and folders that have a name; what is printed into a pipe is no promise. */
static void reach_file(const char *verb, int fd)
{
    char link[64], path[4096];
    struct stat status;
    if (fstat(fd, &status) != 0 || !(S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) ||
        status.st_nlink == 0)
        return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    path[size < 0 ? 0 : size] = '\0';
    reach_path(verb, path);
}

/* -- files and folders ------------------------------------------------------------------------ */

#define FILE_CALL(result, name, parameters, arguments)                                             \
    result name parameters;                                                                        \
    result name parameters                                                                         \
    {                                                                                              \
        reach_file(#name, fd);                                                                     \
        return REAL(result(*) parameters, #name) arguments;                                        \
    }

FILE_CALL(ssize_t, pwrite, (int fd, const void *bytes, size_t size, off_t at),
          (fd, bytes, size, at))
FILE_CALL(ssize_t, pwrite64, (int fd, const void *bytes, size_t size, off64_t at),
          (fd, bytes, size, at))
FILE_CALL(int, ftruncate, (int fd, off_t size), (fd, size))
FILE_CALL(int, ftruncate64, (int fd, off64_t size), (fd, size))
FILE_CALL(int, fsync, (int fd), (fd))
FILE_CALL(int, fdatasync, (int fd), (fd))
FILE_CALL(int, flock, (int fd, int operation), (fd, operation))

#define PATH_CALL(name, parameters, arguments)                                                     \
    int name parameters;                                                                           \
    int name parameters                                                                            \
    {                                                                                              \
        reach_path(#name, path);                                                                   \
        return REAL(int(*) parameters, #name) arguments;                                           \
    }

PATH_CALL(unlink, (const char *path), (path))
PATH_CALL(unlinkat, (int folder, const char *path, int flags), (folder, path, flags))
PATH_CALL(rmdir, (const char *path), (path))
PATH_CALL(mkdirat, (int folder, const char *path, mode_t mode), (folder, path, mode))
PATH_CALL(rename, (const char *from, const char *path), (from, path))
PATH_CALL(renameat2,
          (int from_folder, const char *from, int folder, const char *path, unsigned flags),
          (from_folder, from, folder, path, flags))
PATH_CALL(linkat, (int from_folder, const char *from, int folder, const char *path, int flags),
          (from_folder, from, folder, path, flags))

/* It changes something only if it makes the folder. */
int mkdir(const char *path, mode_t mode)
{
    if (access(path, F_OK) != 0)
        reach_path("mkdir", path);
    return REAL(int (*)(const char *, mode_t), "mkdir")(path, mode);
}

/* The same. */
static mode_t mode_of(int flags, va_list list)
{
    bool makes = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
    return makes ? va_arg(list, mode_t) : 0;
}

static void reach_open(const char *path, int flags)
{
    if ((flags & O_CREAT) && access(path, F_OK) != 0)
        reach_path("create", path);
}

int open(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = mode_of(flags, list);
    va_end(list);
    reach_open(path, flags);
    return REAL(int (*)(const char *, int, mode_t), "open")(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = mode_of(flags, list);
    va_end(list);
    reach_open(path, flags);
    return REAL(int (*)(const char *, int, mode_t), "open64")(path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = mode_of(flags, list);
    va_end(list);
    if (flags & O_CREAT)
        reach_path("create", path);
    return REAL(int (*)(int, const char *, int, mode_t), "openat")(folder, path, flags, mode);
}

/* -- sockets ---------------------------------------------------------------------------------- */

/* The first words in what is sent: a request line of HTTP, a statement of PostgreSQL. */
static void words_of(const char *bytes, size_t size, char words[NAME_MAX_BYTES])
{
    size_t from = 0, to = 0;
    for (; to < size; to++) {
        if (bytes[to] >= ' ' && bytes[to] <= '~')
            continue;
        if (to - from >= 4)
            break;
        from = to + 1;
    }
    int count = (int)(to - from < NAME_MAX_BYTES ? to - from : NAME_MAX_BYTES - 1);
    snprintf(words, NAME_MAX_BYTES, "%.*s", count, bytes + from);
    if (count == 0)
        snprintf(words, NAME_MAX_BYTES, "bytes");
}

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
    char words[NAME_MAX_BYTES];
    bool known = fd < SOCKETS_MAX && is_socket(fd);
    words_of(bytes, size, words);
    reach("send", words);
    ssize_t sent = REAL(ssize_t(*)(int, const void *, size_t, int), "send")(fd, bytes, size, flags);
    if (sent > 0 && known) {
        memcpy(points.sent[fd], words, sizeof words);
        reach("sent", words);
    }
    return sent;
}

ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
    ssize_t got = REAL(ssize_t(*)(int, void *, size_t, int), "recv")(fd, bytes, size, flags);
    if (got > 0 && !(flags & MSG_PEEK) && fd < SOCKETS_MAX && points.sent[fd][0]) {
        reach("answer", points.sent[fd]);
        points.sent[fd][0] = '\0';
    }
    return got;
}

/* -- both ------------------------------------------------------------------------------------- */

ssize_t write(int fd, const void *bytes, size_t size)
{
    reach_file("write", fd);
    return REAL(ssize_t(*)(int, const void *, size_t), "write")(fd, bytes, size);
}

__attribute__((destructor)) static void points_end(void)
{
    reach("end", "of the process");
}
