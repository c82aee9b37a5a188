/* file.h: whole files read, and files that appear whole or not at all. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/err.h"

struct arena;

/* The whole content, NUL added behind it, in the arena.  ERR_MISSING, ERR_DENIED, ERR_INPUT if it
 * is larger than limit_bytes or than the arena or no regular file, ERR_BUSY if it changes
 * meanwhile. The status is errno. */
MUST_USE bool file_read(const char *path, size_t limit_bytes, struct arena *arena, char **bytes,
                        size_t *size_bytes, struct err *err);

/* A file that is written beside its path and takes its name only when it is complete. */
struct file_new {
    FILE *stream; /* buffered; write errors surface in file_new_commit */
    char *path;
    char *temporary;
};
/* ERR_INPUT if something else than a regular file is at path: a folder, a device, a link. */
MUST_USE bool file_new_open(struct file_new *file, const char *path, mode_t mode, struct err *err);
/* The path now holds exactly what was written, durably: fsync, rename, fsync of the folder.
 * On failure (a full disk) the path is as it was before and the temporary file is gone; only
 * if the last fsync fails, the new file is there, and that it stays is ERR_UNKNOWN_OUTCOME. */
MUST_USE bool file_new_commit(struct file_new *file, struct err *err);
/* Forget it.  Harmless after a commit. */
void file_new_abandon(struct file_new *file);

/* fsync of the folder that holds path. */
MUST_USE bool file_sync_folder_of(const char *path, struct err *err);
/* The folder and its missing parents exist, durably; new ones have the mode. */
MUST_USE bool file_make_folder(const char *path, mode_t mode, struct err *err);
/* A new folder whose name nobody can guess.  parent: $TMPDIR; if it is NULL or no absolute path,
 * where temporary files usually are. */
MUST_USE bool file_make_temporary(const char *parent, const char *name, struct arena *arena,
                                  const char **path, struct err *err);
/* Absolute, without symbolic links; ERR_MISSING if it is not there. */
MUST_USE bool file_real_path(const char *path, struct arena *arena, const char **real,
                             struct err *err);
/* folder/name, or name alone if it is absolute. */
const char *file_join(struct arena *arena, const char *folder, const char *name);

/* ERR_MISSING, ERR_DENIED, ERR_BUSY or ERR_INPUT, whatever errno means for the caller, with
 * strerror behind the message; is false. */
bool file_error(struct err *err, int number, const char *fmt, ...) PRINTF(3, 4);

/* For cleanup attributes. */
void file_close_fd(const int *fd);
#define FILE_FD __attribute__((cleanup(file_close_fd))) int
#endif
