#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/rand.h"
#include "base/str.h"

static enum err_kind kind_of(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return ERR_MISSING;
    case EACCES:
    case EPERM:
    case EROFS:
        return ERR_DENIED;
    case EAGAIN:
    case EBUSY:
    case EDQUOT:
    case EFBIG: /* of what this process may write */
    case EINTR:
    case EMFILE:
    case ENFILE:
    case ENOLCK:
    case ENOSPC:
    case ESTALE:
    case ETXTBSY:
        return ERR_BUSY;
    default:
        return ERR_INPUT;
    }
}

bool file_error(struct err *err, int number, const char *fmt, ...)
{
    char what[sizeof err->text];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    err_make(err, kind_of(number), ERR_HERE, "%s", strerror(number));
    err->status = number;
    return err_wrap(err, "%s", what);
}

void file_close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* Up to size_bytes; fewer only at the end of the file.  -1 and errno on failure. */
static ssize_t read_fully(int fd, char *bytes, size_t size_bytes)
{
    size_t done = 0;
    while (done < size_bytes) {
        ssize_t count = read(fd, bytes + done, size_bytes - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        done += (size_t)count;
    }
    return (ssize_t)done;
}

bool file_read(const char *path, size_t limit_bytes, struct arena *arena, char **bytes,
               size_t *size_bytes, struct err *err)
{
    /* Non-blocking, for a FIFO would otherwise wait for its writer. */
    FILE_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0)
        return file_error(err, errno, "reading %s", path);
    if (!S_ISREG(status.st_mode))
        return ERR(err, ERR_INPUT, "%s is not a regular file", path);
    size_t expected = (size_t)status.st_size;
    if (expected > limit_bytes || !arena_has(arena, expected + 1))
        return ERR(err, ERR_INPUT, "%s is too large: %zu bytes, at most %zu", path, expected,
                   limit_bytes);

    char *content = arena_make(arena, expected + 1);
    char more;
    ssize_t count = read_fully(fd, content, expected);
    ssize_t beyond = count < 0 ? -1 : read_fully(fd, &more, 1);
    if (beyond < 0)
        return file_error(err, errno, "reading %s", path);
    if ((size_t)count != expected || beyond > 0)
        return ERR(err, ERR_BUSY, "%s changes while it is read", path);
    *bytes = content;
    *size_bytes = expected;
    return true;
}

/* ---- new files ---- */

static char *joined(const char *path, const char *suffix)
{
    size_t capacity = strlen(path) + strlen(suffix) + 1;
    char *text = malloc(capacity);
    if (!text)
        err_abort("out of memory");
    snprintf(text, capacity, "%s%s", path, suffix);
    return text;
}

static void forget(struct file_new *file)
{
    free(file->path);
    free(file->temporary);
    *file = (struct file_new){0};
}

/* Taking a name would take it from a device or a link that somebody named by mistake. */
static bool may_take(const char *path, struct err *err)
{
    struct stat status;
    return lstat(path, &status) != 0 || S_ISREG(status.st_mode) ||
           ERR(err, ERR_INPUT, "creating %s: what is there is no regular file", path);
}

bool file_new_open(struct file_new *file, const char *path, mode_t mode, struct err *err)
{
    if (!may_take(path, err))
        return false;
    char suffix[32];
    snprintf(suffix, sizeof suffix, ".%016" PRIx64 ".new", rand_system());
    *file = (struct file_new){.path = joined(path, ""), .temporary = joined(path, suffix)};
    int fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) {
        file_error(err, errno, "creating %s", path);
        forget(file);
        return false;
    }
    file->stream = fdopen(fd, "w");
    if (!file->stream)
        err_abort("out of memory");
    return true;
}

/* All that was written is on the disk, under the temporary name; the stream is closed. */
static bool finish_writing(struct file_new *file, struct err *err)
{
    errno = 0;
    bool written = fflush(file->stream) == 0 && !ferror(file->stream);
    bool durable = written && fsync(fileno(file->stream)) == 0;
    /* A write that failed long ago has left a mark, but no errno. */
    int number = durable ? 0 : errno != 0 ? errno : EIO;
    if (fclose(file->stream) != 0 && number == 0)
        number = errno;
    file->stream = NULL;
    return number == 0 || file_error(err, number, "writing %s", file->path);
}

bool file_new_commit(struct file_new *file, struct err *err)
{
    bool done = finish_writing(file, err);
    if (done && rename(file->temporary, file->path) != 0)
        done = file_error(err, errno, "renaming %s to %s", file->temporary, file->path);
    if (!done) {
        file_new_abandon(file);
        return false;
    }
    if (!file_sync_folder_of(file->path, err)) {
        done = false;
        err->kind = ERR_UNKNOWN_OUTCOME;
    }
    forget(file);
    return done;
}

void file_new_abandon(struct file_new *file)
{
    if (file->stream)
        fclose(file->stream);
    if (file->temporary)
        unlink(file->temporary);
    forget(file);
}

/* ---- folders and paths ---- */

bool file_sync_folder_of(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    char folder[PATH_MAX];
    if (length >= sizeof folder)
        return file_error(err, ENAMETOOLONG, "syncing the folder of %s", path);
    snprintf(folder, sizeof folder, "%.*s", (int)length, path);
    if (length == 0)
        snprintf(folder, sizeof folder, "%s", slash ? "/" : ".");

    FILE_FD fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* EINVAL: a file system that has no such thing as syncing a folder. */
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL))
        return file_error(err, errno, "syncing %s", folder);
    return true;
}

static bool make_one(const char *path, mode_t mode, struct err *err)
{
    if (mkdir(path, mode) == 0)
        return file_sync_folder_of(path, err);
    if (errno != EEXIST)
        return file_error(err, errno, "creating the folder %s", path);
    return true;
}

bool file_make_folder(const char *path, mode_t mode, struct err *err)
{
    char prefix[PATH_MAX];
    if (strlen(path) >= sizeof prefix)
        return file_error(err, ENAMETOOLONG, "creating the folder %s", path);
    for (size_t i = 0; path[i]; i++) {
        prefix[i] = path[i];
        prefix[i + 1] = '\0';
        bool ends = path[i] != '/' && (path[i + 1] == '/' || path[i + 1] == '\0');
        if (ends && !make_one(prefix, mode, err))
            return false;
    }
    struct stat status;
    if (stat(path, &status) != 0)
        return file_error(err, errno, "creating the folder %s", path);
    if (!S_ISDIR(status.st_mode))
        return ERR(err, ERR_INPUT, "%s is not a folder", path);
    return true;
}

bool file_make_temporary(const char *parent, const char *name, struct arena *arena,
                         const char **path, struct err *err)
{
    bool is_usable = parent != NULL && parent[0] == '/';
    char *template = str_format(arena, "%s/%s.XXXXXX", is_usable ? parent : P_tmpdir, name);
    if (mkdtemp(template) == NULL)
        return file_error(err, errno, "making a folder like %s", template);
    *path = template;
    return true;
}

bool file_real_path(const char *path, struct arena *arena, const char **real, struct err *err)
{
    char resolved[PATH_MAX];
    if (!realpath(path, resolved))
        return file_error(err, errno, "looking for %s", path);
    *real = arena_copy(arena, resolved);
    return true;
}

const char *file_join(struct arena *arena, const char *folder, const char *name)
{
    if (name[0] == '/' || folder[0] == '\0')
        return arena_copy(arena, name);
    return str_format(arena, "%s%s%s", folder, str_ends(folder, "/") ? "" : "/", name);
}
