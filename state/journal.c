#include "state/journal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/size.h"
#include "base/str.h"
#include "state/journal_private.h"

#define FILE_NAME "journal.db"

/* -- the folder ------------------------------------------------------------------------------- */

bool journal_is_remote(uint64_t file_system)
{
    static const uint32_t remote[] = {
        NFS_SUPER_MAGIC, SMB_SUPER_MAGIC,  CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC, AFS_SUPER_MAGIC,
        AFS_FS_MAGIC,    CEPH_SUPER_MAGIC, V9FS_MAGIC,       CODA_SUPER_MAGIC, NCP_SUPER_MAGIC};
    for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++)
        if ((uint32_t)file_system == remote[i])
            return true;
    return false;
}

static bool check_folder(const char *folder, enum journal_mode mode, struct err *err)
{
    struct statfs system;
    if (statfs(folder, &system) != 0)
        return file_error(err, errno, "looking at the folder %s", folder);
    if (journal_is_remote((uint64_t)system.f_type))
        return ERR(err, ERR_INPUT,
                   "the state folder %s is on a network file system, whose locks can't be trusted",
                   folder);
    if (mode == JOURNAL_READ)
        return true;

    struct statvfs space;
    if (statvfs(folder, &space) != 0)
        return file_error(err, errno, "looking at the folder %s", folder);
    uint64_t free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
    if (free_bytes >= JOURNAL_FREE_BYTES_MIN)
        return true;
    char left[SIZE_TEXT_MAX], wanted[SIZE_TEXT_MAX];
    size_text(free_bytes, left);
    size_text(JOURNAL_FREE_BYTES_MIN, wanted);
    return ERR(err, ERR_BUSY, "the state folder %s has only %s free, and a run wants %s", folder,
               left, wanted);
}

/* SQLite would make it readable for others.  An existing file is not even opened here: closing it
 * would let go the locks of another connection of this process. */
static bool make_file(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return errno == EEXIST || file_error(err, errno, "creating %s", path);
    close(fd);
    return file_sync_folder_of(path, err);
}

/* -- opening and closing ---------------------------------------------------------------------- */

static bool check_integrity(sqlite3 *db, struct err *err)
{
    sqlite3_stmt *statement;
    bool row;
    if (!sql_prepare(db, "PRAGMA quick_check(1)", &statement, err))
        return false;
    bool sound = sql_step(statement, &row, err);
    if (sound && row) {
        struct sql columns = sql_columns(statement);
        const char *says = sql_take_borrowed(&columns);
        if (!str_equal(says, "ok"))
            sound = ERR(err, ERR_CORRUPT, "SQLite finds damage: %s", says);
    }
    sqlite3_finalize(statement);
    return sound;
}

static bool prepare_all(struct journal *journal, struct err *err)
{
    for (int i = 0; i < JOURNAL_STATEMENTS; i++) {
        if (!sql_prepare(journal->db, journal_statement_texts[i], &journal->statements[i], err))
            return false;
    }
    return true;
}

/* A group's pages stay in memory, however large the cache, so that they reach the file, and shut
 * readers out, only when it is committed. */
static bool set_up_writer(struct journal *journal, struct err *err)
{
    return sql_run(journal->db,
                   "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL;"
                   "PRAGMA cache_size = -512; PRAGMA cache_spill = 4096;"
                   "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF",
                   err) &&
           check_integrity(journal->db, err) && journal_schema_migrate(journal->db, err) &&
           prepare_all(journal, err);
}

/* All of it, as it is at one instant. */
static bool copy_all(sqlite3 *from, sqlite3 *to, struct err *err)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (backup == NULL)
        return sql_error(to, err);
    sqlite3_backup_step(backup, -1);
    return sqlite3_backup_finish(backup) == SQLITE_OK || sql_error(to, err);
}

/* A reader changes nothing, so an older file is read as a copy that is brought up to this version.
 * It is SQLite's own temporary file: in memory as far as it is small. */
static bool read_copy(struct journal *journal, struct err *err)
{
    sqlite3 *copy;
    if (!sql_open("", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &copy, err))
        return false;
    if (!copy_all(journal->db, copy, err) || !journal_schema_migrate(copy, err) ||
        !sql_run(copy, "PRAGMA query_only = ON", err)) {
        sqlite3_close(copy);
        return false;
    }
    sqlite3_close(journal->db);
    journal->db = copy;
    return true;
}

static bool set_up_reader(struct journal *journal, struct err *err)
{
    return journal_schema_look(journal->db, &journal->version, &journal->is_old, err) &&
           (!journal->is_old || read_copy(journal, err)) && prepare_all(journal, err);
}

/* A reader may not roll back what a killed writer left half written, so a writer does it. */
static bool heal(const char *path, struct err *err)
{
    sqlite3 *db;
    int64_t tables;
    if (!sql_open(path, SQLITE_OPEN_READWRITE, &db, err))
        return false;
    bool healed = sql_number(db, "SELECT count(*) FROM sqlite_schema", &tables, err);
    sqlite3_close(db);
    return healed;
}

static bool open_file(struct journal *journal, const char *path, enum journal_mode mode,
                      struct err *err)
{
    if (mode == JOURNAL_WRITE) {
        if (!make_file(path, err) ||
            !sql_open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, &journal->db, err))
            return false;
        if (sqlite3_db_readonly(journal->db, "main") == 1) /* what SQLite opens instead */
            return ERR(err, ERR_DENIED, "it may not be written");
        return set_up_writer(journal, err);
    }

    if (!sql_open(path, SQLITE_OPEN_READONLY, &journal->db, err))
        return false;
    if (set_up_reader(journal, err))
        return true;
    return err->status == SQLITE_READONLY_ROLLBACK && heal(path, err) &&
           set_up_reader(journal, err);
}

static void free_journal(struct journal *journal)
{
    for (int i = 0; i < JOURNAL_STATEMENTS; i++)
        sqlite3_finalize(journal->statements[i]);
    sqlite3_close(journal->db);
    pthread_mutex_destroy(&journal->mutex);
    free(journal);
}

bool journal_open(const char *folder, enum journal_mode mode, struct clock *clock,
                  struct journal **journal, struct err *err)
{
    *journal = NULL;
    char path[PATH_MAX];
    if ((size_t)snprintf(path, sizeof(path), "%s/" FILE_NAME, folder) >= sizeof(path))
        return ERR(err, ERR_INPUT, "the path of the state folder is too long");
    if (mode == JOURNAL_READ && access(path, F_OK) != 0 && errno == ENOENT)
        return ERR(err, ERR_MISSING, "there is no journal in %s yet", folder);
    if (mode == JOURNAL_WRITE && !file_make_folder(folder, 0700, err))
        return false;
    if (!check_folder(folder, mode, err))
        return false;

    struct journal *opened = calloc(1, sizeof(*opened));
    if (opened == NULL)
        err_abort("out of memory");
    opened->clock = clock;
    pthread_mutex_init(&opened->mutex, NULL);
    if (!open_file(opened, path, mode, err)) {
        free_journal(opened);
        return err_wrap(err, "the journal %s", path);
    }
    *journal = opened;
    return true;
}

/* -- group commit ----------------------------------------------------------------------------- */

struct sql journal_parameters(struct journal *journal, enum journal_statement statement)
{
    return sql_parameters(journal->statements[statement]);
}

static bool run(struct journal *journal, enum journal_statement statement, struct err *err)
{
    return sql_finish(journal->statements[statement], err);
}

static bool in_group(const struct journal *journal)
{
    return !sqlite3_get_autocommit(journal->db);
}

static void drop_group(struct journal *journal)
{
    struct err ignored;
    if (in_group(journal) && !sql_run(journal->db, "ROLLBACK", &ignored))
        LOG(LOG_ERROR, "journal-rollback-failed", LOG_TEXT("error", ignored.text));
    journal->pending = 0;
}

/* What could not be made durable is not there at all: so nobody goes on from half a promise. */
static bool commit_group(struct journal *journal, struct err *err)
{
    if (in_group(journal) && !run(journal, JOURNAL_COMMIT, err)) {
        drop_group(journal);
        return err_wrap(err, "writing the journal");
    }
    journal->pending = 0;
    return true;
}

bool journal_enter(struct journal *journal, struct err *err)
{
    pthread_mutex_lock(&journal->mutex);
    bool grouped = in_group(journal);
    if (!grouped) {
        journal->group_us = journal->clock->ops->monotonic_us(journal->clock);
        grouped = run(journal, JOURNAL_BEGIN_GROUP, err);
    }
    if (grouped && run(journal, JOURNAL_BEGIN_CALL, err))
        return true;
    pthread_mutex_unlock(&journal->mutex);
    return err_wrap(err, "writing the journal");
}

/* A full disk may have rolled back the whole group by itself. */
static void undo_call(struct journal *journal)
{
    struct err ignored;
    if (!in_group(journal) || !run(journal, JOURNAL_UNDO_CALL, &ignored) ||
        !run(journal, JOURNAL_KEEP_CALL, &ignored))
        drop_group(journal);
}

static bool is_due(const struct journal *journal)
{
    int64_t now_us = journal->clock->ops->monotonic_us(journal->clock);
    return journal->pending >= JOURNAL_GROUP_WRITES ||
           now_us - journal->group_us >= (int64_t)JOURNAL_GROUP_MS * 1000;
}

bool journal_leave(struct journal *journal, bool done, uint64_t writes, bool durable,
                   struct err *err)
{
    if (done)
        done = run(journal, JOURNAL_KEEP_CALL, err);
    if (!done) {
        undo_call(journal);
        err_wrap(err, "writing the journal");
    } else {
        journal->pending += writes;
        if (durable || is_due(journal))
            done = commit_group(journal, err);
    }
    pthread_mutex_unlock(&journal->mutex);
    return done;
}

bool journal_look(struct journal *journal, struct err *err)
{
    pthread_mutex_lock(&journal->mutex);
    journal->looks_alone = !in_group(journal);
    if (!journal->looks_alone || run(journal, JOURNAL_BEGIN_LOOK, err))
        return true;
    pthread_mutex_unlock(&journal->mutex);
    return err_wrap(err, "reading the journal");
}

bool journal_look_end(struct journal *journal, bool done, struct err *err)
{
    struct err ignored;
    if (journal->looks_alone && !run(journal, JOURNAL_COMMIT, &ignored))
        drop_group(journal);
    pthread_mutex_unlock(&journal->mutex);
    return done || err_wrap(err, "reading the journal");
}

bool journal_check(struct journal *journal, struct err *err)
{
    return journal_look(journal, err) &&
           journal_look_end(journal, check_integrity(journal->db, err), err);
}

int64_t journal_version(const struct journal *journal, bool *is_old)
{
    *is_old = journal->is_old;
    return journal->version;
}

void journal_close(struct journal *journal)
{
    if (journal == NULL)
        return;
    struct err err;
    if (!commit_group(journal, &err))
        LOG(LOG_WARNING, "journal-close-lost-writes", LOG_TEXT("error", err.text));
    free_journal(journal);
}
