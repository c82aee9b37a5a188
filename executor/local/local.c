#include "executor/local/local.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "executor/local/copying.h"
#include "executor/local/outcome.h"
#include "executor/local/walk.h"
#include "policy/policy.h"

struct local {
    struct store store;
    struct root root;
    atomic_uint_fast64_t temporaries;
};

static struct local *local_of(struct store *store)
{
    return (struct local *)store;
}

static void local_list(struct store *store, struct listing *listings, size_t count,
                       struct arena *arena)
{
    assert(count <= STORE_LISTINGS_MAX);
    for (size_t i = 0; i < count; i++)
        walk_list(&local_of(store)->root, store->name, &listings[i], arena);
}

static void local_copy(struct store *target, struct store *source, struct copy *copies,
                       size_t count)
{
    assert(source->ops == target->ops);
    copying_run(&local_of(target)->root, &local_of(source)->root, &local_of(target)->temporaries,
                copies, count);
}

/* DONE if the open file is a regular one and has the etag. */
static struct store_outcome file_check(int fd, const char *etag)
{
    struct stat status;
    char now[OBJECT_ETAG_MAX];
    if (fstat(fd, &status) < 0)
        return outcome_errno(errno);
    if (!S_ISREG(status.st_mode))
        return outcome_plain(RESULT_REFUSED);
    root_etag(&status, now);
    return outcome_plain(str_equal(now, etag) ? RESULT_DONE : RESULT_CHANGED);
}

static struct store_outcome remove_one(const struct root *root, int folder,
                                       const struct deletion *deletion)
{
    const char *name = deletion->key + root_folder_size(deletion->key);
    FILE_FD fd = root_open_file(root, deletion->key);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return outcome_plain(RESULT_DONE);
    if (fd < 0)
        return outcome_errno(errno);

    struct store_outcome outcome = file_check(fd, deletion->etag);
    if (outcome.result == RESULT_DONE && unlinkat(folder, name, 0) < 0 && errno != ENOENT)
        outcome = outcome_errno(errno);
    return outcome;
}

static bool put_bytes(int fd, const struct putting *putting)
{
    const char *bytes = putting->bytes;
    for (size_t done = 0; done < putting->size_bytes;) {
        ssize_t size = write(fd, bytes + done, putting->size_bytes - done);
        if (size < 0 && errno != EINTR)
            return false;
        done += size > 0 ? (size_t)size : 0;
    }
    return fsync(fd) == 0;
}

/* It has its name at once, unlike a copy: nobody looks for it before it is told of. */
static struct store_outcome put_file(int folder, struct putting *putting)
{
    const char *name = putting->key + root_folder_size(putting->key);
    struct stat status;
    FILE_FD fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return outcome_errno(errno);
    if (!put_bytes(fd, putting) || fstat(fd, &status) < 0) {
        struct store_outcome outcome = outcome_errno(errno);
        unlinkat(folder, name, 0);
        return outcome;
    }
    root_etag(&status, putting->etag);
    return outcome_plain(RESULT_DONE);
}

static struct store_outcome put_one(const struct root *root, struct putting *putting)
{
    const char *key = putting->key;
    size_t folder_size = root_folder_size(key);
    if (!root_is_key(key, strlen(key)) || root_is_temporary(key + folder_size, NULL))
        return outcome_plain(RESULT_REFUSED);
    FILE_FD folder = root_make_folder(root, key, folder_size);
    if (folder < 0)
        return outcome_errno(errno);
    struct store_outcome outcome = put_file(folder, putting);
    if (outcome.result == RESULT_DONE && root_sync_folder(root, key, folder_size) < 0)
        outcome = outcome_unknown(errno);
    return outcome;
}

static void local_put(struct store *store, struct putting *puttings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        puttings[i].etag[0] = '\0';
        puttings[i].versioned = false;
        puttings[i].outcome = put_one(&local_of(store)->root, &puttings[i]);
    }
}

/* How many deletions from the first on are in the same folder. */
static size_t group_size(const struct deletion *deletions, size_t count)
{
    size_t folder_size = root_folder_size(deletions[0].key), i = 1;
    while (i < count && root_folder_size(deletions[i].key) == folder_size &&
           strncmp(deletions[i].key, deletions[0].key, folder_size) == 0)
        i++;
    return i;
}

/* All are in one folder, which is made durable once. */
static void group_remove(const struct root *root, struct deletion *deletions, size_t count)
{
    FILE_FD folder = root_open_folder(root, deletions[0].key, root_folder_size(deletions[0].key));
    int number = errno;
    for (size_t i = 0; i < count; i++) {
        if (!root_is_key(deletions[i].key, strlen(deletions[i].key)))
            deletions[i].outcome = outcome_plain(RESULT_REFUSED);
        else if (folder >= 0)
            deletions[i].outcome = remove_one(root, folder, &deletions[i]);
        else if (number == ENOENT || number == ENOTDIR)
            deletions[i].outcome = outcome_plain(RESULT_DONE);
        else
            deletions[i].outcome = outcome_errno(number);
    }
    if (folder < 0 || fsync(folder) == 0 || errno == EINVAL)
        return;

    number = errno;
    for (size_t i = 0; i < count; i++) {
        if (deletions[i].outcome.result == RESULT_DONE)
            deletions[i].outcome = outcome_unknown(number);
    }
}

static void local_remove(struct store *store, struct deletion *deletions, size_t count)
{
    for (size_t i = 0, size; i < count; i += size) {
        size = group_size(deletions + i, count - i);
        group_remove(&local_of(store)->root, deletions + i, size);
    }
}

static bool read_all(int fd, struct reading *reading)
{
    while (reading->got_bytes < reading->size_bytes) {
        ssize_t got = pread(fd, (char *)reading->bytes + reading->got_bytes,
                            reading->size_bytes - reading->got_bytes,
                            (off_t)(reading->from + reading->got_bytes));
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            return false;
        if (got > 0)
            reading->got_bytes += (size_t)got;
    }
    return true;
}

static struct store_outcome read_one(const struct root *root, struct reading *reading)
{
    FILE_FD fd = root_open_file(root, reading->key);
    if (fd < 0)
        return outcome_source(errno);
    struct store_outcome outcome = file_check(fd, reading->etag);
    if (outcome.result != RESULT_DONE)
        return outcome;
    if (!read_all(fd, reading))
        return outcome_errno(errno);
    return file_check(fd, reading->etag); /* still */
}

static void local_read(struct store *store, struct reading *readings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        readings[i].got_bytes = 0;
        readings[i].outcome = read_one(&local_of(store)->root, &readings[i]);
    }
}

static bool local_tidy(struct store *store, const char *directory, int64_t unit, struct err *err)
{
    return walk_tidy(&local_of(store)->root, directory, unit, err) ||
           err_wrap(err, "tidying %s on %s", directory, store->name);
}

static void local_close(struct store *store)
{
    struct local *local = local_of(store);
    close(local->root.fd);
    free(local);
}

static const struct store_ops local_ops = {
    .kind = "local",
    .flat = false,
    .list = local_list,
    .copy = local_copy,
    .put = local_put,
    .remove = local_remove,
    .read = local_read,
    .tidy = local_tidy,
    .close = local_close,
};

bool local_store_open(const struct policy_store *definition, struct store **store, struct err *err)
{
    int fd = open(definition->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return file_error(err, errno, "opening the folder %s of %s", definition->path,
                          definition->name);

    struct local *local = calloc(1, sizeof *local);
    if (!local)
        err_abort("out of memory");
    local->store = (struct store){.ops = &local_ops, .name = definition->name};
    local->root.fd = fd;
    *store = &local->store;
    return true;
}

void local_store_set_plain(struct store *store, bool plain)
{
    local_of(store)->root.plain = plain;
}
