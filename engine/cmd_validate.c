#include <stdio.h>

#include "base/buf.h"
#include "engine/cmd.h"
#include "engine/text.h"
#include "engine/wiring.h"
#include "policy/diag_machine.h"

#define TEXT_BYTES_MAX ((size_t)4 << 20)

static enum exit_code validate_for_people(struct wiring *wiring, const char *path)
{
    enum exit_code code = wiring_load(wiring, path);
    if (code != EXIT_OK || wiring->options->quiet)
        return code;
    printf("%s: %s, %s, %s: no errors", wiring->policies->path,
           text_plural(wiring->policies->count, "policy"),
           text_plural(wiring->policies->store_count, "store"),
           text_plural(wiring->policies->hold_count, "hold"));
    if (wiring->diags.warnings > 0)
        printf(", %s", text_plural(wiring->diags.warnings, "warning"));
    putchar('\n');
    return code;
}

/* The findings are the result, so they go to standard output. */
static enum exit_code validate_for_programs(struct wiring *wiring, const char *path)
{
    enum exit_code code = wiring_parse(wiring, path);
    if (code != EXIT_OK)
        return code;
    struct buf text;
    buf_init(&text, TEXT_BYTES_MAX);
    if (wiring->options->format == FORMAT_JSON)
        diag_machine_json(&wiring->diags, &text);
    else
        diag_machine_github(&wiring->diags, &text);
    fputs(buf_string(&text), stdout);
    buf_free(&text);
    return wiring->diags.errors > 0 ? EXIT_INVALID : EXIT_OK;
}

int cmd_validate(const struct options *options)
{
    struct wiring wiring;
    wiring_init(&wiring, options);
    enum exit_code code = options->format == FORMAT_HUMAN
                              ? validate_for_people(&wiring, options->args[0])
                              : validate_for_programs(&wiring, options->args[0]);
    wiring_close(&wiring);
    return code;
}
