#include <stdio.h>

#include "engine/cmd.h"
#include "engine/text.h"
#include "engine/wiring.h"

int cmd_validate(const struct options *options)
{
    struct wiring wiring;
    wiring_init(&wiring, options);
    enum exit_code code = wiring_load(&wiring, options->args[0]);
    if (code == EXIT_OK && !options->quiet)
        printf("%s: %s, %s, %s: no errors\n", wiring.policies->path,
               text_plural(wiring.policies->count, "policy"),
               text_plural(wiring.policies->store_count, "store"),
               text_plural(wiring.policies->hold_count, "hold"));
    wiring_close(&wiring);
    return code;
}
