#include "tests/support/scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

void scratch_folder(char *path, size_t size_bytes)
{
    const char *temporary = getenv("TMPDIR"); /* in memory, say, where a sync costs nothing */
    snprintf(path, size_bytes, "%s/frostline-test.XXXXXX", temporary ? temporary : "/tmp");
    if (mkdtemp(path) == NULL)
        abort();
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

void scratch_remove(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
