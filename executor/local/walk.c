#include "executor/local/walk.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/str.h"
#include "executor/listing.h"

#define ENTRY_BYTES_MAX (2 * 4096)  /* of the arena, for one more entry  */
#define TIDY_BYTES_MAX (256u << 20) /* names of folders below a directory */

/* Folders are read one after another, so one descriptor is enough however deep they lie: `folders`
 * grows while it is gone through, parents before their children. */
struct walk {
    const struct root *root;
    struct arena *arena;
    const char **folders; /* keys: "" or ending in '/' */
    size_t folder_count, folder_capacity;
    bool (*visit)(struct walk *, int folder_fd, const char *folder, const char *name,
                  const struct stat *status, struct err *err);
    /* of walk_list */
    struct object *objects;
    size_t count, capacity;
    /* of walk_tidy */
    int64_t unit;
    bool one_folder; /* what lies in folders of it is left alone */
};

/* Room for one more. */
static void *grown(void *items, size_t count, size_t *capacity, size_t item_bytes)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity ? 2 * *capacity : 64;
    items = realloc(items, *capacity * item_bytes);
    if (!items)
        err_abort("out of memory");
    return items;
}

static void folder_add(struct walk *walk, const char *folder)
{
    walk->folders =
        grown(walk->folders, walk->folder_count, &walk->folder_capacity, sizeof *walk->folders);
    walk->folders[walk->folder_count++] = folder;
}

static bool entry_visit(struct walk *walk, int folder_fd, const char *folder, const char *name,
                        struct err *err)
{
    struct stat status;
    if (fstatat(folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT || file_error(err, errno, "looking at %s%s", folder, name);
    if (!arena_has(walk->arena, ENTRY_BYTES_MAX))
        return ERR(err, ERR_INPUT, "the names below %s need too much memory", folder);
    if (S_ISDIR(status.st_mode) && walk->one_folder)
        return true;
    if (S_ISDIR(status.st_mode)) {
        folder_add(walk, str_format(walk->arena, "%s%s/", folder, name));
        return true;
    }
    return walk->visit(walk, folder_fd, folder, name, &status, err);
}

static bool entries_visit(struct walk *walk, DIR *stream, const char *folder, const char *starts,
                          struct err *err)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (!entry)
            return errno == 0 || file_error(err, errno, "reading folder %s", folder);
        if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, "..") ||
            !str_starts(entry->d_name, starts))
            continue;
        if (!entry_visit(walk, dirfd(stream), folder, entry->d_name, err))
            return false;
    }
}

/* After it could not be opened: a folder that is not there, or is a file, has no entries. */
static bool folder_is_absent(const char *folder, struct err *err)
{
    if (errno == ENOENT || errno == ENOTDIR)
        return true;
    if (errno == ELOOP)
        return ERR(err, ERR_INPUT, "a symbolic link stands in the way of %s", folder);
    return file_error(err, errno, "opening folder %s", folder);
}

/* The entries of the folder whose names start with `starts`. */
static bool folder_visit(struct walk *walk, const char *folder, const char *starts, struct err *err)
{
    int fd = root_open_folder(walk->root, folder, strlen(folder));
    if (fd < 0)
        return folder_is_absent(folder, err);

    DIR *stream = fdopendir(fd);
    if (!stream)
        err_abort("out of memory"); /* a folder's descriptor: only memory can be lacking */
    bool done = entries_visit(walk, stream, folder, starts, err);
    closedir(stream);
    return done;
}

/* Whatever has that name in the folder: a folder is no object, and no regular file either. */
static bool name_visit(struct walk *walk, const char *folder, const char *name, struct err *err)
{
    struct stat status;
    if (root_is_gone(walk->root))
        return ERR(err, ERR_MISSING, "the folder itself is gone");
    FILE_FD fd = root_open_folder(walk->root, folder, strlen(folder));
    if (fd < 0)
        return folder_is_absent(folder, err);
    if (fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT || file_error(err, errno, "looking at %s%s", folder, name);
    return walk->visit(walk, fd, folder, name, &status, err);
}

static bool walk_run(struct walk *walk, const char *folder, const char *starts, struct err *err)
{
    if (root_is_gone(walk->root))
        return ERR(err, ERR_MISSING, "the folder itself is gone");
    folder_add(walk, folder);
    for (size_t i = 0; i < walk->folder_count; i++) {
        if (!folder_visit(walk, walk->folders[i], i == 0 ? starts : "", err))
            return false;
    }
    return true;
}

static bool object_add(struct walk *walk, int folder_fd, const char *folder, const char *name,
                       const struct stat *status, struct err *err)
{
    (void)folder_fd;
    bool regular = S_ISREG(status->st_mode);
    if (regular && root_is_temporary(name, NULL))
        return true;
    if (walk->count == LISTING_OBJECTS_MAX)
        return ERR(err, ERR_INPUT, "more than %d objects", LISTING_OBJECTS_MAX);

    char etag[OBJECT_ETAG_MAX];
    root_etag(status, etag);
    walk->objects = grown(walk->objects, walk->count, &walk->capacity, sizeof *walk->objects);
    struct object *object = &walk->objects[walk->count++];
    *object = (struct object){
        .key = str_format(walk->arena, "%s%s", folder, name),
        .bytes = regular ? (uint64_t)status->st_size : 0,
        .etag = arena_copy(walk->arena, etag),
    };
    object->irregular = !regular || strlen(object->key) > OBJECT_KEY_MAX;
    return true;
}

static bool list(struct walk *walk, struct listing *listing, struct err *err)
{
    size_t folder_size = root_folder_size(listing->prefix);
    const char *folder = str_copy(walk->arena, listing->prefix, folder_size);
    const char *name = listing->prefix + folder_size;
    if (listing->exact ? !root_is_key(listing->prefix, strlen(listing->prefix))
                       : folder_size > 0 && !root_is_key(folder, folder_size - 1))
        return ERR(err, ERR_INPUT, "no key can start so");
    if (listing->exact ? !name_visit(walk, folder, name, err) : !walk_run(walk, folder, name, err))
        return false;

    size_t size_bytes = walk->count * sizeof *walk->objects;
    if (!arena_has(walk->arena, size_bytes + ENTRY_BYTES_MAX))
        return ERR(err, ERR_INPUT, "%zu objects need too much memory", walk->count);
    listing->objects = arena_make(walk->arena, size_bytes + 1);
    if (size_bytes > 0)
        memcpy(listing->objects, walk->objects, size_bytes);
    listing->count = walk->count;
    qsort(listing->objects, listing->count, sizeof *listing->objects, object_compare);
    return true;
}

void walk_list(const struct root *root, const char *name, struct listing *listing,
               struct arena *arena)
{
    struct walk walk = {.root = root, .arena = arena, .visit = object_add};
    assert(!listing->marker); /* there is only one page */
    *listing = (struct listing){.prefix = listing->prefix, .exact = listing->exact};
    if (!list(&walk, listing, &listing->err))
        err_wrap(&listing->err, "listing %s on %s", listing->prefix, name);
    free(walk.objects);
    free(walk.folders);
}

static bool temporary_remove(struct walk *walk, int folder_fd, const char *folder, const char *name,
                             const struct stat *status, struct err *err)
{
    int64_t unit;
    if (!S_ISREG(status->st_mode) || !root_is_temporary(name, &unit) || unit != walk->unit)
        return true;
    if (unlinkat(folder_fd, name, 0) < 0 && errno != ENOENT)
        return file_error(err, errno, "removing %s%s", folder, name);
    return fsync(folder_fd) == 0 || errno == EINVAL ||
           file_error(err, errno, "syncing folder %s", folder);
}

/* The folder is gone, or *stays because something is in it. */
static bool folder_remove(struct walk *walk, const char *folder, bool *stays, struct err *err)
{
    *stays = folder[0] == '\0'; /* the store itself */
    if (*stays)
        return true;
    const char *key = str_copy(walk->arena, folder, strlen(folder) - 1);
    size_t parent_size = root_folder_size(key);
    int parent = root_open_folder(walk->root, key, parent_size);
    if (parent < 0)
        return errno == ENOENT || errno == ENOTDIR ||
               file_error(err, errno, "opening the parent of %s", folder);

    bool done = unlinkat(parent, key + parent_size, AT_REMOVEDIR) == 0 || errno == ENOENT;
    int number = errno;
    close(parent);
    *stays =
        !done && (number == ENOTEMPTY || number == EEXIST || number == EBUSY || number == ENOTDIR);
    return done || *stays || file_error(err, number, "removing folder %s", folder);
}

static bool folders_remove(struct walk *walk, struct err *err)
{
    bool stays = false;
    for (size_t i = walk->folder_count; i-- > 0;) {
        if (!folder_remove(walk, walk->folders[i], &stays, err))
            return false;
    }
    /* The first one is the unit's own: on with its parents. */
    const char *folder = walk->folders[0];
    while (!stays && folder[0] != '\0') {
        const char *key = str_copy(walk->arena, folder, strlen(folder) - 1);
        folder = str_copy(walk->arena, key, root_folder_size(key));
        if (!folder_remove(walk, folder, &stays, err))
            return false;
    }
    return root_sync_folder(walk->root, folder, strlen(folder)) == 0 || errno == ENOENT ||
           errno == ENOTDIR || file_error(err, errno, "syncing folder %s", folder);
}

bool walk_tidy(const struct root *root, const char *directory, int64_t unit, struct err *err)
{
    struct arena arena;
    struct walk walk = {.root = root, .arena = &arena, .visit = temporary_remove, .unit = unit};
    arena_init(&arena, TIDY_BYTES_MAX);
    const char *folder = str_copy(&arena, directory, root_folder_size(directory));
    walk.one_folder = !str_equal(folder, directory);
    bool done = walk_run(&walk, folder, walk.one_folder ? ROOT_TEMPORARY_PREFIX : "", err) &&
                folders_remove(&walk, err);
    free(walk.folders);
    arena_free(&arena);
    return done;
}
