/* disk.h: a disk in memory below SQLite: files that outlive a process and, as far as they were
 * synced, a power cut; and calls that fail.  While it is installed it is SQLite's default VFS, so
 * that the product need not know.  One thread.
 *
 * A file's name is durable as soon as it is made or deleted: SQLite syncs the folder for it. */
#ifndef TESTS_SUPPORT_DISK_H
#define TESTS_SUPPORT_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rand;

#define DISK_SECTOR_BYTES 512 /* what a power cut leaves whole */

enum disk_op { DISK_OPEN, DISK_READ, DISK_WRITE, DISK_SYNC, DISK_TRUNCATE, DISK_OPS };

/* An empty disk is SQLite's default VFS. */
void disk_install(void);
/* The VFS that was the default is so again, and the files are gone.  No file may be open. */
void disk_remove(void);

/* -- what becomes of a process ---------------------------------------------------------------- */
/* It is dead: its locks are gone, and every call on a file that it has open fails and changes
 * nothing.  What it wrote stays. */
void disk_kill(void);
/* Likewise, and of what was not synced a random part is lost: whole writes, sectors of a write,
 * changes of size. */
void disk_cut_power(struct rand *rand);

/* The files that dead processes had open are the living one's, without any lock. */
void disk_revive(void);

/* -- faults ----------------------------------------------------------------------------------- */
/* The nth such call from now on (the first is 1) fails with this SQLite code, once or from then on
 * always.  A write that fails may have written its first half, one that finds no room nothing. */
void disk_fail(enum disk_op op, uint64_t nth, bool for_ever, int code);
/* No call fails any more.  True if one did since disk_fail. */
bool disk_heal(void);
/* Told of each call that succeeded; NULL: nobody. */
typedef void disk_watch(void *context, enum disk_op op);
void disk_set_watch(disk_watch *watch, void *context);

/* -- images ----------------------------------------------------------------------------------- */
/* All files, synced. */
struct disk_image;
struct disk_image *disk_image_make(void);
void disk_image_free(struct disk_image *image);
/* The disk is as it was then, and no call fails.  Who has a file open, and no transaction, finds it
 * changed as if by another process. */
void disk_set(const struct disk_image *image);
#endif
