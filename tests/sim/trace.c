#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "tests/sim/sim.h"

void trace(const struct sim *sim, const char *fmt, ...)
{
    if (!sim->traced || sim->failed)
        return;
    va_list args;
    va_start(args, fmt);
    printf("%5" PRIu64 " %12.3f  ", sim->effects,
           (double)(sim->now_us % INT64_C(1000000000000)) / 1e6);
    vprintf(fmt, args);
    putchar('\n');
    va_end(args);
}
