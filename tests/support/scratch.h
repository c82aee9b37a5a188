/* scratch.h: folders that a test makes and removes. */
#ifndef TESTS_SUPPORT_SCRATCH_H
#define TESTS_SUPPORT_SCRATCH_H

#include <stddef.h>

/* A new empty folder; its path, at most 48 bytes long, is written to path. */
void scratch_folder(char *path, size_t size_bytes);
/* The folder and all that is in it. */
void scratch_remove(const char *path);
#endif
