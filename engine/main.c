#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "engine/cli.h"
#include "engine/signals.h"

/* What a worker has needed and given back serves the others, or goes back to the system: by default
 * each thread keeps a heap of its own at its high-water mark, holes and all.                     */
static void share_memory(void)
{
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 16 << 10);
}

int main(int argc, char **argv)
{
    umask(077);
    prctl(PR_SET_DUMPABLE, 0); /* a core would hold the secrets, wherever the system puts it */
    share_memory();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like a full disk */
    signals_watch();
    return cli_run(argc, argv);
}
