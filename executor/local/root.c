#include "executor/local/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"
#include "state/object.h"

bool root_is_key(const char *key, size_t size_bytes)
{
    size_t start = 0;
    for (size_t i = 0; i <= size_bytes; i++) {
        if (i < size_bytes && key[i] != '/')
            continue;
        size_t length = i - start;
        if (length == 0 || (length == 1 && key[start] == '.') ||
            (length == 2 && key[start] == '.' && key[start + 1] == '.'))
            return false;
        start = i + 1;
    }
    return true;
}

size_t root_folder_size(const char *key)
{
    const char *slash = strrchr(key, '/');
    return slash ? (size_t)(slash - key) + 1 : 0;
}

static bool is_link(int folder, const char *name)
{
    struct stat status;
    return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
}

/* Opens one segment.  A link gives ENOTDIR where a folder is asked for: call it what it is. */
static int step(int folder, const char *name, int flags, bool make)
{
    int fd = openat(folder, name, flags | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && make && (mkdirat(folder, name, 0777) == 0 || errno == EEXIST))
        fd = openat(folder, name, flags | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOTDIR)
        errno = is_link(folder, name) ? ELOOP : ENOTDIR;
    return fd;
}

/* Segment by segment; path is taken apart.  `make` makes all that is missing, so path is then a
 * folder. */
static int walk(int root, char *path, int flags, bool make)
{
    int folder = root;
    for (char *name = path, *slash; (slash = strchr(name, '/')); name = slash + 1) {
        *slash = '\0';
        int next = step(folder, name, O_PATH | O_DIRECTORY, make);
        if (folder != root)
            close(folder);
        if (next < 0)
            return -1;
        folder = next;
        path = slash + 1;
    }
    int fd = step(folder, path, flags, make);
    int number = errno;
    if (folder != root)
        close(folder);
    errno = number;
    return fd;
}

/* The first size_bytes of key, a slash at the end set aside, as a C string. */
static bool path_take(const char *key, size_t size_bytes, char path[PATH_MAX])
{
    size_t length = size_bytes > 0 && key[size_bytes - 1] == '/' ? size_bytes - 1 : size_bytes;
    errno = length >= PATH_MAX ? ENAMETOOLONG : EINVAL;
    if (length >= PATH_MAX || !root_is_key(key, length))
        return false;
    memcpy(path, key, length);
    path[length] = '\0';
    return true;
}

static int resolve(const struct root *root, char path[PATH_MAX], int flags)
{
    /* No O_NOFOLLOW: with O_DIRECTORY it would call a link ENOTDIR. */
    struct open_how how = {
        .flags = (unsigned)(flags | O_CLOEXEC),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    if (!root->plain) {
        int fd = (int)syscall(SYS_openat2, root->fd, path, &how, sizeof how);
        if (fd >= 0 || errno != ENOSYS)
            return fd;
    }
    return walk(root->fd, path, flags, false);
}

int root_open_file(const struct root *root, const char *key)
{
    char path[PATH_MAX];
    if (str_ends(key, "/")) {
        errno = EINVAL;
        return -1;
    }
    return path_take(key, strlen(key), path) ? resolve(root, path, O_RDONLY | O_NONBLOCK) : -1;
}

int root_open_folder(const struct root *root, const char *key, size_t size_bytes)
{
    char path[PATH_MAX];
    if (size_bytes == 0)
        return openat(root->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return path_take(key, size_bytes, path) ? resolve(root, path, O_RDONLY | O_DIRECTORY) : -1;
}

int root_make_folder(const struct root *root, const char *key, size_t size_bytes)
{
    char path[PATH_MAX];
    int fd = root_open_folder(root, key, size_bytes);
    if (fd >= 0 || errno != ENOENT || !path_take(key, size_bytes, path))
        return fd;
    return walk(root->fd, path, O_RDONLY | O_DIRECTORY, true);
}

static int sync_one(const struct root *root, const char *key, size_t size_bytes)
{
    int fd = root_open_folder(root, key, size_bytes);
    if (fd < 0)
        return -1;
    int result = fsync(fd);
    int number = errno;
    close(fd);
    errno = number;
    /* EINVAL: a file system that has no fsync for folders. */
    return result == 0 || number == EINVAL ? 0 : -1;
}

int root_sync_folder(const struct root *root, const char *key, size_t size_bytes)
{
    for (; size_bytes > 0; size_bytes--) {
        if (key[size_bytes - 1] == '/' && sync_one(root, key, size_bytes) < 0)
            return -1;
    }
    return sync_one(root, "", 0);
}

bool root_is_gone(const struct root *root)
{
    struct stat status;
    return fstat(root->fd, &status) < 0 || status.st_nlink == 0;
}

static long long nanoseconds(struct timespec time)
{
    return (long long)time.tv_sec * 1000000000 + time.tv_nsec;
}

void root_etag(const struct stat *status, char *etag)
{
    snprintf(etag, OBJECT_ETAG_MAX, "\"%llx-%llx-%llx-%llx-%llx\"",
             (unsigned long long)status->st_dev, (unsigned long long)status->st_ino,
             (unsigned long long)status->st_size, (unsigned long long)nanoseconds(status->st_mtim),
             (unsigned long long)nanoseconds(status->st_ctim));
}

void root_temporary_name(int64_t unit, uint64_t n, char *name, size_t size_bytes)
{
    snprintf(name, size_bytes, ROOT_TEMPORARY_PREFIX "%lld-%llu", (long long)unit,
             (unsigned long long)n);
}

bool root_is_temporary(const char *name, int64_t *unit)
{
    long long number;
    unsigned long long n;
    char again[NAME_MAX + 1];
    if (sscanf(name, ROOT_TEMPORARY_PREFIX "%lld-%llu", &number, &n) != 2)
        return false;

    /* sscanf forgives blanks, signs and what follows: a stranger's file must not be hidden. */
    root_temporary_name(number, n, again, sizeof again);
    if (!str_equal(name, again))
        return false;
    if (unit)
        *unit = number;
    return true;
}
