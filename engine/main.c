#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/cli.h"
#include "engine/progress.h"
#include "engine/signals.h"
#include "engine/terminal.h"

/* What a worker has needed and given back serves the others, or goes back to the system: by default
 * each thread keeps a heap of its own at its high-water mark, holes and all.                     */
static void share_memory(void)
{
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 16 << 10);
}

/* Else the first file that is opened would be stdout.  To use them is the error that it was. */
static void fill_streams(void)
{
    static const int other_way[] = {O_WRONLY, O_RDONLY, O_RDONLY};
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", other_way[fd]) != fd)
            _exit(EXIT_FAILED);
}

int main(int argc, char **argv)
{
    fill_streams();
    umask(077);
    prctl(PR_SET_DUMPABLE, 0); /* a core would hold the secrets, wherever the system puts it */
    share_memory();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like a full disk */
    terminal_guard();
    signals_watch();
    progress_start();
    int code = cli_run(argc, argv);
    progress_stop();
    return code;
}
