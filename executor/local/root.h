/* root.h: keys resolved below one folder: never out of it, never through a symbolic link.
 *
 * Functions that return an int give a descriptor or 0, and -1 with errno otherwise: ELOOP where a
 * symbolic link stands in the way, EINVAL for what is no key. */
#ifndef EXECUTOR_LOCAL_ROOT_H
#define EXECUTOR_LOCAL_ROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stat;

struct root {
    int fd;
    bool plain; /* walk with O_NOFOLLOW instead of openat2, link instead of renameat2 */
};

/* Segments separated by single slashes, none of them empty, "." or "..". */
bool root_is_key(const char *key, size_t size_bytes);
/* The part of the key that names its folder: up to and with the last '/', maybe 0. */
size_t root_folder_size(const char *key);

/* For reading; does not wait for the writer of a fifo. */
int root_open_file(const struct root *root, const char *key);
/* The first size_bytes of key, "" or ending in '/', are the folder. */
int root_open_folder(const struct root *root, const char *key, size_t size_bytes);
/* The same; what is missing of it is made. */
int root_make_folder(const struct root *root, const char *key, size_t size_bytes);
/* The folder and all above it are durable, up to the root. */
int root_sync_folder(const struct root *root, const char *key, size_t size_bytes);
/* Gone itself: everything below it only seems to be missing. */
bool root_is_gone(const struct root *root);

/* "dev-inode-size-mtime-ctime" in hexadecimal, quotes included; etag holds OBJECT_ETAG_MAX. */
void root_etag(const struct stat *status, char *etag);

/* Names of files that are being copied: ".frostline-<unit>-<n>". */
#define ROOT_TEMPORARY_PREFIX ".frostline-"
void root_temporary_name(int64_t unit, uint64_t n, char *name, size_t size_bytes);
/* unit: where the unit goes; NULL is fine. */
bool root_is_temporary(const char *name, int64_t *unit);
#endif
