#include <signal.h>
#include <sys/stat.h>

#include "engine/cli.h"
#include "engine/signals.h"

int main(int argc, char **argv)
{
    umask(077);
    signal(SIGPIPE, SIG_IGN);
    signals_watch();
    return cli_run(argc, argv);
}
