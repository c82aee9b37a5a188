#include "tests/support/disk.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/rand.h"

#define FILES_MAX 8
#define HANDLES_MAX 16
#define NAME_BYTES_MAX 512

struct content {
    uint8_t *bytes;
    size_t size, capacity;
};

/* A write or, without bytes, a change of size, that was not synced yet. */
struct change {
    size_t at, size; /* of the file, after a change of size */
    size_t from;     /* its bytes in struct file.pending */
    bool is_write;
};

struct file {
    char name[NAME_BYTES_MAX]; /* "": there is none */
    struct content now, synced;
    struct content pending; /* the bytes of the changes, one after the other */
    struct change *changes;
    size_t change_count, change_capacity;
    unsigned shared; /* locks of the living process, of all its handles */
    const void *reserved, *exclusive;
};

/* What SQLite holds of an open file. */
struct handle {
    sqlite3_file base;
    struct file *file;
    uint64_t life; /* of the process that opened it */
    int lock;
};

static struct disk {
    struct file files[FILES_MAX];
    struct handle *handles[HANDLES_MAX]; /* that are open; NULL: free */
    sqlite3_vfs vfs;
    sqlite3_vfs *before;
    uint64_t life;
    disk_watch *watch;
    void *watch_context;
    enum disk_op fault_op;
    uint64_t fault_after; /* calls until then; 0: no fault */
    bool fault_for_ever, fault_hit;
    int fault_code;
    struct rand rand;
} disk;

static void *must(void *memory)
{
    if (memory == NULL)
        err_abort("out of memory");
    return memory;
}

/* -- contents --------------------------------------------------------------------------------- */

static void resize(struct content *content, size_t size)
{
    if (size > content->capacity) {
        content->capacity = size < 65536 ? 65536 : 2 * size;
        content->bytes = must(realloc(content->bytes, content->capacity));
    }
    if (size > content->size)
        memset(content->bytes + content->size, 0, size - content->size);
    content->size = size;
}

static void put(struct content *content, size_t at, const void *bytes, size_t size)
{
    if (at + size > content->size)
        resize(content, at + size);
    memcpy(content->bytes + at, bytes, size);
}

static void copy(struct content *to, const struct content *from)
{
    to->size = 0;
    resize(to, from->size);
    if (from->size > 0)
        memcpy(to->bytes, from->bytes, from->size);
}

static void forget_changes(struct file *file)
{
    file->pending.size = 0;
    file->change_count = 0;
}

static struct change *add_change(struct file *file)
{
    if (file->change_count == file->change_capacity) {
        file->change_capacity = 2 * file->change_capacity + 64;
        file->changes = must(realloc(file->changes, file->change_capacity * sizeof(struct change)));
    }
    return &file->changes[file->change_count++];
}

static void change_bytes(struct file *file, size_t at, const void *bytes, size_t size)
{
    struct change *change = add_change(file);
    *change = (struct change){.at = at, .size = size, .from = file->pending.size, .is_write = true};
    put(&file->pending, file->pending.size, bytes, size);
    put(&file->now, at, bytes, size);
}

static void change_size(struct file *file, size_t size)
{
    *add_change(file) = (struct change){.size = size};
    resize(&file->now, size);
}

static void sync_file(struct file *file)
{
    for (size_t i = 0; i < file->change_count; i++) {
        const struct change *change = &file->changes[i];
        if (change->is_write)
            put(&file->synced, change->at, file->pending.bytes + change->from, change->size);
        else
            resize(&file->synced, change->size);
    }
    forget_changes(file);
}

/* A sector of the disk is written or not, never half. */
static void tear(struct file *file, const struct change *change, struct rand *rand)
{
    const uint8_t *bytes = file->pending.bytes + change->from;
    for (size_t done = 0; done < change->size;) {
        size_t part = DISK_SECTOR_BYTES - (change->at + done) % DISK_SECTOR_BYTES;
        if (part > change->size - done)
            part = change->size - done;
        if (rand_below(rand, 2) == 0)
            put(&file->synced, change->at + done, bytes + done, part);
        done += part;
    }
}

static void lose_changes(struct file *file, struct rand *rand)
{
    for (size_t i = 0; i < file->change_count; i++) {
        const struct change *change = &file->changes[i];
        uint64_t fate = rand_below(rand, 3);
        if (!change->is_write && fate != 0)
            resize(&file->synced, change->size);
        else if (change->is_write && fate == 1)
            put(&file->synced, change->at, file->pending.bytes + change->from, change->size);
        else if (change->is_write && fate == 2)
            tear(file, change, rand);
    }
    forget_changes(file);
    copy(&file->now, &file->synced);
}

/* -- files ------------------------------------------------------------------------------------ */

static struct file *find(const char *name)
{
    for (size_t i = 0; i < FILES_MAX; i++)
        if (strcmp(disk.files[i].name, name) == 0)
            return &disk.files[i];
    return NULL;
}

static void drop_locks(void)
{
    for (size_t i = 0; i < FILES_MAX; i++) {
        disk.files[i].shared = 0;
        disk.files[i].reserved = disk.files[i].exclusive = NULL;
    }
}

static void empty(struct file *file)
{
    file->name[0] = '\0';
    file->now.size = file->synced.size = 0;
    forget_changes(file);
}

static void free_file(struct file *file)
{
    free(file->now.bytes);
    free(file->synced.bytes);
    free(file->pending.bytes);
    free(file->changes);
    *file = (struct file){0};
}

/* -- faults ----------------------------------------------------------------------------------- */

static int fault(enum disk_op op)
{
    if (disk.fault_after == 0 || op != disk.fault_op)
        return SQLITE_OK;
    if (disk.fault_after > 1) {
        disk.fault_after--;
        return SQLITE_OK;
    }
    if (!disk.fault_for_ever)
        disk.fault_after = 0;
    disk.fault_hit = true;
    return disk.fault_code;
}

static int tell(enum disk_op op)
{
    if (disk.watch != NULL)
        disk.watch(disk.watch_context, op);
    return SQLITE_OK;
}

/* -- the methods of an open file -------------------------------------------------------------- */

static bool is_dead(const sqlite3_file *base)
{
    return ((const struct handle *)base)->life != disk.life;
}

static struct file *file_of(sqlite3_file *base)
{
    return ((struct handle *)base)->file;
}

static int file_read(sqlite3_file *base, void *bytes, int size, sqlite3_int64 at)
{
    const struct file *file = file_of(base);
    int code = is_dead(base) ? SQLITE_IOERR_READ : fault(DISK_READ);
    if (code != SQLITE_OK)
        return code;
    size_t from = (size_t)at, wanted = (size_t)size, got = 0;
    if (from < file->now.size)
        got = file->now.size - from < wanted ? file->now.size - from : wanted;
    if (got > 0)
        memcpy(bytes, file->now.bytes + from, got);
    memset((char *)bytes + got, 0, wanted - got);
    return got == wanted ? tell(DISK_READ) : SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *base, const void *bytes, int size, sqlite3_int64 at)
{
    if (is_dead(base))
        return SQLITE_IOERR_WRITE;
    int code = fault(DISK_WRITE);
    if (code == SQLITE_OK)
        change_bytes(file_of(base), (size_t)at, bytes, (size_t)size);
    else if (code != SQLITE_FULL)
        change_bytes(file_of(base), (size_t)at, bytes, (size_t)size / 2);
    return code == SQLITE_OK ? tell(DISK_WRITE) : code;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    int code = is_dead(base) ? SQLITE_IOERR_TRUNCATE : fault(DISK_TRUNCATE);
    if (code != SQLITE_OK)
        return code;
    change_size(file_of(base), (size_t)size);
    return tell(DISK_TRUNCATE);
}

static int file_sync(sqlite3_file *base, int flags)
{
    (void)flags;
    int code = is_dead(base) ? SQLITE_IOERR_FSYNC : fault(DISK_SYNC);
    if (code != SQLITE_OK)
        return code;
    sync_file(file_of(base));
    return tell(DISK_SYNC);
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size)
{
    if (is_dead(base))
        return SQLITE_IOERR_FSTAT;
    *size = (sqlite3_int64)file_of(base)->now.size;
    return SQLITE_OK;
}

static int file_unlock(sqlite3_file *base, int lock)
{
    struct handle *handle = (struct handle *)base;
    struct file *file = handle->file;
    bool was_higher = handle->lock > lock;
    if (was_higher && is_dead(base))
        handle->lock = lock;
    if (!was_higher || is_dead(base))
        return SQLITE_OK;
    if (file->exclusive == handle)
        file->exclusive = NULL;
    if (file->reserved == handle)
        file->reserved = NULL;
    if (lock == SQLITE_LOCK_NONE)
        file->shared--;
    handle->lock = lock;
    return SQLITE_OK;
}

/* The steps are those of SQLite: shared, reserved, pending (here: exclusive is wanted), exclusive.
 */
static int file_lock(sqlite3_file *base, int lock)
{
    struct handle *handle = (struct handle *)base;
    struct file *file = handle->file;
    if (is_dead(base))
        return SQLITE_IOERR_LOCK;
    if (handle->lock >= lock)
        return SQLITE_OK;
    if (file->exclusive != NULL && file->exclusive != handle)
        return SQLITE_BUSY;
    if (lock == SQLITE_LOCK_SHARED) {
        file->shared++;
    } else {
        if (file->reserved != NULL && file->reserved != handle)
            return SQLITE_BUSY;
        file->reserved = handle;
        if (lock == SQLITE_LOCK_EXCLUSIVE) {
            file->exclusive = handle;
            if (file->shared > 1) {
                handle->lock = SQLITE_LOCK_PENDING;
                return SQLITE_BUSY;
            }
        }
    }
    handle->lock = lock;
    return SQLITE_OK;
}

static int file_check_reserved(sqlite3_file *base, int *reserved)
{
    *reserved = !is_dead(base) && file_of(base)->reserved != NULL;
    return is_dead(base) ? SQLITE_IOERR_CHECKRESERVEDLOCK : SQLITE_OK;
}

/* The place of an open file, NULL of a free one. */
static struct handle **place_of(const struct handle *handle)
{
    for (size_t i = 0; i < HANDLES_MAX; i++)
        if (disk.handles[i] == handle)
            return &disk.handles[i];
    err_abort("more files are open than the disk has room for");
}

static int file_close(sqlite3_file *base)
{
    *place_of((struct handle *)base) = NULL;
    return file_unlock(base, SQLITE_LOCK_NONE);
}

static int file_control(sqlite3_file *base, int op, void *argument)
{
    (void)base;
    (void)op;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *base)
{
    (void)base;
    return 4096;
}

/* As the VFS of Unix says by default. */
static int file_characteristics(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods METHODS = {.iVersion = 1,
                                           .xClose = file_close,
                                           .xRead = file_read,
                                           .xWrite = file_write,
                                           .xTruncate = file_truncate,
                                           .xSync = file_sync,
                                           .xFileSize = file_size,
                                           .xLock = file_lock,
                                           .xUnlock = file_unlock,
                                           .xCheckReservedLock = file_check_reserved,
                                           .xFileControl = file_control,
                                           .xSectorSize = file_sector_size,
                                           .xDeviceCharacteristics = file_characteristics};

/* -- the file system -------------------------------------------------------------------------- */

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out)
{
    (void)vfs;
    base->pMethods = NULL;
    int code = fault(DISK_OPEN);
    if (code != SQLITE_OK)
        return code;
    if (name == NULL || strlen(name) >= NAME_BYTES_MAX)
        return SQLITE_CANTOPEN;
    struct file *file = find(name);
    if (file == NULL) {
        file = find("");
        if (file == NULL || !(flags & (SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB)))
            return SQLITE_CANTOPEN;
        memcpy(file->name, name, strlen(name) + 1);
    }
    struct handle *handle = (struct handle *)base;
    *handle = (struct handle){.base.pMethods = &METHODS, .file = file, .life = disk.life};
    *place_of(NULL) = handle;
    if (out != NULL)
        *out = flags;
    return tell(DISK_OPEN);
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    (void)vfs;
    (void)sync_folder;
    struct file *file = find(name);
    if (file == NULL)
        return SQLITE_IOERR_DELETE_NOENT;
    empty(file);
    return SQLITE_OK;
}

/* As the VFS of Unix has it, an empty file is none. */
static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *there)
{
    (void)vfs;
    (void)flags;
    const struct file *file = find(name);
    *there = file != NULL && file->now.size > 0;
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int size, char *full)
{
    (void)vfs;
    sqlite3_snprintf(size, full, "%s", name);
    return SQLITE_OK;
}

static int vfs_randomness(sqlite3_vfs *vfs, int size, char *bytes)
{
    (void)vfs;
    for (int i = 0; i < size; i++)
        bytes[i] = (char)rand_below(&disk.rand, 256);
    return size;
}

static int vfs_sleep(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    return us;
}

static int vfs_time(sqlite3_vfs *vfs, sqlite3_int64 *ms)
{
    (void)vfs;
    *ms = INT64_C(212442134400000);
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int size, char *text)
{
    (void)vfs;
    (void)size;
    (void)text;
    return 0;
}

void disk_install(void)
{
    rand_init(&disk.rand, 1);
    disk.before = sqlite3_vfs_find(NULL);
    disk.vfs = (sqlite3_vfs){.iVersion = 2,
                             .szOsFile = sizeof(struct handle),
                             .mxPathname = NAME_BYTES_MAX,
                             .zName = "disk",
                             .xOpen = vfs_open,
                             .xDelete = vfs_delete,
                             .xAccess = vfs_access,
                             .xFullPathname = vfs_full_path,
                             .xRandomness = vfs_randomness,
                             .xSleep = vfs_sleep,
                             .xGetLastError = vfs_last_error,
                             .xCurrentTimeInt64 = vfs_time};
    sqlite3_vfs_register(&disk.vfs, 1);
}

void disk_remove(void)
{
    sqlite3_vfs_register(disk.before, 1);
    sqlite3_vfs_unregister(&disk.vfs);
    for (size_t i = 0; i < FILES_MAX; i++)
        free_file(&disk.files[i]);
    disk = (struct disk){.life = disk.life + 1};
}

/* -- processes, faults and images ------------------------------------------------------------- */

void disk_kill(void)
{
    disk.life++;
    drop_locks();
}

void disk_revive(void)
{
    for (size_t i = 0; i < HANDLES_MAX; i++)
        if (disk.handles[i] != NULL)
            disk.handles[i]->life = disk.life;
}

void disk_cut_power(struct rand *rand)
{
    disk_kill();
    for (size_t i = 0; i < FILES_MAX; i++)
        if (disk.files[i].name[0] != '\0')
            lose_changes(&disk.files[i], rand);
}

void disk_fail(enum disk_op op, uint64_t nth, bool for_ever, int code)
{
    disk.fault_op = op;
    disk.fault_after = nth;
    disk.fault_for_ever = for_ever;
    disk.fault_code = code;
    disk.fault_hit = false;
}

bool disk_heal(void)
{
    disk.fault_after = 0;
    return disk.fault_hit;
}

void disk_set_watch(disk_watch *watch, void *context)
{
    disk.watch = watch;
    disk.watch_context = context;
}

struct disk_image {
    struct {
        char name[NAME_BYTES_MAX];
        struct content content;
    } files[FILES_MAX];
};

struct disk_image *disk_image_make(void)
{
    struct disk_image *image = must(calloc(1, sizeof(*image)));
    for (size_t i = 0; i < FILES_MAX; i++) {
        memcpy(image->files[i].name, disk.files[i].name, NAME_BYTES_MAX);
        copy(&image->files[i].content, &disk.files[i].now);
    }
    return image;
}

void disk_image_free(struct disk_image *image)
{
    for (size_t i = 0; i < FILES_MAX; i++)
        free(image->files[i].content.bytes);
    free(image);
}

void disk_set(const struct disk_image *image)
{
    disk_heal();
    rand_init(&disk.rand, 1);
    sqlite3_randomness(0, NULL);
    for (size_t i = 0; i < FILES_MAX; i++) {
        struct file *file = &disk.files[i];
        empty(file);
        memcpy(file->name, image->files[i].name, NAME_BYTES_MAX);
        copy(&file->now, &image->files[i].content);
        copy(&file->synced, &image->files[i].content);
    }
}
