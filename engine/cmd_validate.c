#include <stdio.h>

#include "base/when.h"
#include "engine/cmd.h"
#include "engine/text.h"
#include "engine/wiring.h"

int cmd_validate(const struct options *options)
{
    struct wiring wiring;
    wiring_init(&wiring, options);
    enum exit_code code = wiring_load(&wiring, options->args[0]);
    if (code == EXIT_OK && !options->quiet)
        printf("%s: %s, %s, %zu holds: no errors\n", wiring.policies->path,
               wiring.policies->count == 1 ? "1 policy"
                                           : text_plural(wiring.policies->count, "policy"),
               text_plural(wiring.policies->store_count, "store"), wiring.policies->hold_count);
    wiring_close(&wiring);
    return code;
}
