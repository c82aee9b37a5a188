#include "executor/local/copying.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/str.h"
#include "executor/local/outcome.h"

#define CHUNK_BYTES (1u << 20)
#define TEMPORARY_TRIES_MAX 1000 /* names left behind by an earlier run are passed over */
#define TEMPORARY_NAME_MAX 64

/* One file on its way. */
struct file_copy {
    struct copy *copy;
    bool plain;
    int folder;       /* the target's                           */
    const char *name; /* in that folder                         */
    int source, target;
    struct stat before; /* the source, when it was opened         */
    char temporary[TEMPORARY_NAME_MAX];
};

static bool fail(struct file_copy *file, struct store_outcome outcome)
{
    file->copy->outcome = outcome;
    return false;
}

static bool same_etag(const struct stat *status, const char *etag)
{
    char now[OBJECT_ETAG_MAX];
    root_etag(status, now);
    return str_equal(now, etag);
}

/* The source is open, a regular file, and has the etag. */
static bool source_open(struct file_copy *file, const struct root *root)
{
    file->source = root_open_file(root, file->copy->source_key);
    if (file->source < 0)
        return fail(file, outcome_source(errno));
    if (fstat(file->source, &file->before) < 0)
        return fail(file, outcome_errno(errno));
    if (!S_ISREG(file->before.st_mode))
        return fail(file, outcome_plain(RESULT_REFUSED));
    if (!same_etag(&file->before, file->copy->source_etag))
        return fail(file, outcome_plain(RESULT_CHANGED));
    return true;
}

static bool source_unchanged(struct file_copy *file)
{
    struct stat after;
    if (fstat(file->source, &after) < 0)
        return fail(file, outcome_errno(errno));
    if (!same_etag(&after, file->copy->source_etag))
        return fail(file, outcome_plain(RESULT_CHANGED));
    return true;
}

/* Looked at before the bytes are copied in vain; the rename decides. */
static bool target_is_free(struct file_copy *file)
{
    struct stat status;
    if (fstatat(file->folder, file->name, &status, AT_SYMLINK_NOFOLLOW) == 0)
        return fail(file, outcome_errno(EEXIST));
    return errno == ENOENT || fail(file, outcome_errno(errno));
}

static bool temporary_open(struct file_copy *file, atomic_uint_fast64_t *temporaries)
{
    for (int i = 0; i < TEMPORARY_TRIES_MAX; i++) {
        root_temporary_name(file->copy->unit, atomic_fetch_add(temporaries, 1), file->temporary,
                            sizeof file->temporary);
        file->target = openat(file->folder, file->temporary,
                              O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (file->target >= 0)
            return true;
        if (errno != EEXIST)
            break;
    }
    return fail(file, outcome_errno(errno == EEXIST ? EBUSY : errno));
}

static bool write_all(int fd, const char *bytes, size_t size_bytes)
{
    while (size_bytes > 0) {
        ssize_t written = write(fd, bytes, size_bytes);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes += written;
        size_bytes -= (size_t)written;
    }
    return true;
}

/* Reads `from` to its end through the digest, and writes it to `to` unless that is -1. */
static bool stream(int from, int to, struct digest *digest, uint64_t *size_bytes)
{
    char *chunk = malloc(CHUNK_BYTES);
    ssize_t got = 0;
    bool written = true;
    if (!chunk)
        err_abort("out of memory");
    do {
        got = pread(from, chunk, CHUNK_BYTES, (off_t)*size_bytes);
        if (got <= 0)
            continue;
        digest_add(digest, chunk, (size_t)got);
        *size_bytes += (uint64_t)got;
        written = to < 0 || write_all(to, chunk, (size_t)got);
    } while (written && (got > 0 || (got < 0 && errno == EINTR)));

    int number = errno;
    free(chunk);
    errno = number;
    return written && got == 0;
}

/* The bytes stand in the temporary file, and the digest is one over what was written: after a
 * reflink the file is read back. */
static bool bytes_copy(struct file_copy *file)
{
    struct digest digest;
    uint64_t size_bytes = 0;
    bool linked = !file->plain && ioctl(file->target, FICLONE, file->source) == 0;

    digest_init(&digest, DIGEST_MD5);
    bool streamed = stream(linked ? file->target : file->source, linked ? -1 : file->target,
                           &digest, &size_bytes);
    int number = errno;
    digest_finish(&digest, file->copy->md5);
    if (!streamed)
        return fail(file, outcome_errno(number));
    if (size_bytes != (uint64_t)file->before.st_size)
        return fail(file, outcome_plain(RESULT_CHANGED));
    return true;
}

static bool properties_copy(struct file_copy *file)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, file->before.st_mtim};
    return (fchmod(file->target, file->before.st_mode & 0777) == 0 &&
            futimens(file->target, times) == 0 && fsync(file->target) == 0) ||
           fail(file, outcome_errno(errno));
}

/* Gives the file its name, which must be free. */
static bool target_name(struct file_copy *file)
{
    int result = -1;
    errno = ENOSYS;
    if (!file->plain)
        result =
            renameat2(file->folder, file->temporary, file->folder, file->name, RENAME_NOREPLACE);
    if (result == 0)
        return true;
    if (errno != ENOSYS && errno != EINVAL)
        return fail(file, outcome_errno(errno));

    if (linkat(file->folder, file->temporary, file->folder, file->name, 0) < 0)
        return fail(file, outcome_errno(errno));
    unlinkat(file->folder, file->temporary, 0); /* else it is left to the unit's tidying */
    return true;
}

/* The new file's etag, once nothing more is done to it. */
static bool target_reply(struct file_copy *file)
{
    struct stat status;
    if (fstat(file->target, &status) < 0)
        return fail(file, outcome_errno(errno));
    root_etag(&status, file->copy->target_etag);
    file->copy->md5_origin = MD5_COMPUTED;
    file->copy->outcome = outcome_plain(RESULT_DONE);
    return true;
}

static bool temporary_fill(struct file_copy *file)
{
    bool done =
        bytes_copy(file) && properties_copy(file) && source_unchanged(file) && target_name(file);
    if (!done)
        unlinkat(file->folder, file->temporary, 0);
    return done;
}

static void copy_one(struct file_copy *file, const struct root *source,
                     atomic_uint_fast64_t *temporaries)
{
    bool ready =
        target_is_free(file) && source_open(file, source) && temporary_open(file, temporaries);
    if (ready && temporary_fill(file) && !target_reply(file))
        file->copy->outcome.result = RESULT_UNKNOWN; /* it has its name: look */
    if (file->target >= 0)
        close(file->target);
    if (file->source >= 0)
        close(file->source);
}

/* How many copies from the first on go to the same folder. */
static size_t group_size(const struct copy *copies, size_t count)
{
    size_t folder_size = root_folder_size(copies[0].target_key), i = 1;
    while (i < count && root_folder_size(copies[i].target_key) == folder_size &&
           strncmp(copies[i].target_key, copies[0].target_key, folder_size) == 0)
        i++;
    return i;
}

/* Nothing is known of it yet, unless its target is no key. */
static bool copy_begin(struct copy *copy)
{
    bool fine = root_is_key(copy->target_key, strlen(copy->target_key)) &&
                !root_is_temporary(copy->target_key + root_folder_size(copy->target_key), NULL);
    copy->target_etag[0] = '\0';
    copy->md5_origin = MD5_ABSENT;
    copy->outcome = outcome_plain(fine ? RESULT_DONE : RESULT_REFUSED);
    return fine;
}

/* All go to one folder, whose names are made durable once. */
static void group_copy(const struct root *target, const struct root *source,
                       atomic_uint_fast64_t *temporaries, struct copy *copies, size_t count)
{
    const char *key = copies[0].target_key;
    size_t folder_size = root_folder_size(key);
    FILE_FD folder = root_make_folder(target, key, folder_size);
    int number = errno;
    for (size_t i = 0; i < count; i++) {
        struct file_copy file = {
            .copy = &copies[i],
            .plain = target->plain,
            .folder = folder,
            .name = copies[i].target_key + folder_size,
            .source = -1,
            .target = -1,
        };
        if (copies[i].outcome.result != RESULT_DONE)
            continue;
        if (folder < 0)
            copies[i].outcome = outcome_errno(number);
        else
            copy_one(&file, source, temporaries);
    }
    if (folder < 0 || root_sync_folder(target, key, folder_size) == 0)
        return;

    number = errno;
    for (size_t i = 0; i < count; i++) {
        if (copies[i].outcome.result == RESULT_DONE)
            copies[i].outcome = outcome_unknown(number);
    }
}

void copying_run(const struct root *target, const struct root *source,
                 atomic_uint_fast64_t *temporaries, struct copy *copies, size_t count)
{
    for (size_t i = 0, size; i < count; i += size) {
        size_t fine = 0;
        size = group_size(copies + i, count - i);
        for (size_t k = i; k < i + size; k++)
            fine += copy_begin(&copies[k]);
        if (fine > 0)
            group_copy(target, source, temporaries, copies + i, size);
    }
}
