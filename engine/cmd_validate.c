#include <stdio.h>

#include "base/buf.h"
#include "engine/cmd.h"
#include "engine/progress.h"
#include "engine/signals.h"
#include "engine/text.h"
#include "engine/wiring.h"
#include "policy/diag_machine.h"
#include "policy/online.h"

#define TEXT_BYTES_MAX ((size_t)4 << 20)

/* -- online ------------------------------------------------------------------------------------ */

static enum exit_code ask_catalog(struct wiring *wiring)
{
    struct err err;
    if (!wiring_describe(wiring, &err)) {
        online_catalog(wiring->policies, &err, &wiring->diags);
        return exit_of(&err);
    }
    online_index(wiring->policies, &wiring->shape, &wiring->diags);
    return policy_bind(wiring->policies, &wiring->shape, &wiring->diags) ? EXIT_OK : EXIT_INVALID;
}

static enum exit_code ask_store(struct wiring *wiring, size_t index)
{
    struct err err;
    progress_wait("connecting to the stores");
    bool reached =
        wiring_open_store(wiring, index, &err) && store_probe(wiring->stores[index], &err);
    progress_end();
    if (reached)
        return EXIT_OK;
    online_store(wiring->policies, index, &err, &wiring->diags);
    return exit_of(&err);
}

/* What is wrong with the policy stays wrong, whoever answers next time. */
static enum exit_code worse(enum exit_code a, enum exit_code b)
{
    return a == EXIT_INVALID || b == EXIT_INVALID ? EXIT_INVALID : exit_worse(a, b);
}

/* All are asked, whatever the others said. */
static enum exit_code ask_all(struct wiring *wiring)
{
    enum exit_code code = ask_catalog(wiring), opened = wiring_open_http(wiring);
    if (opened != EXIT_OK)
        return opened;
    for (size_t i = 0; i < wiring->policies->store_count && signals_exit() == EXIT_OK; i++)
        code = worse(code, ask_store(wiring, i));
    return code;
}

/* -- what is told ------------------------------------------------------------------------------ */

static void tell_people(const struct wiring *wiring, enum exit_code code)
{
    const struct policies *policies = wiring->policies;
    wiring_tell(wiring);
    if (code != EXIT_OK || wiring->options->quiet)
        return;
    printf("%s: %s, %s, %s: no errors%s", policies->path, text_plural(policies->count, "policy"),
           text_plural(policies->store_count, "store"), text_plural(policies->hold_count, "hold"),
           wiring->options->online ? " offline and online" : "");
    if (wiring->diags.warnings > 0)
        printf(", %s", text_plural(wiring->diags.warnings, "warning"));
    putchar('\n');
}

/* The findings are the result, so they go to standard output. */
static void tell_programs(const struct wiring *wiring)
{
    struct buf text;
    buf_init(&text, TEXT_BYTES_MAX);
    if (wiring->options->format == FORMAT_JSON)
        diag_machine_json(&wiring->diags, &text);
    else
        diag_machine_github(&wiring->diags, &text);
    fputs(buf_string(&text), stdout);
    buf_free(&text);
}

/* -- all of it --------------------------------------------------------------------------------- */

static enum exit_code check(struct wiring *wiring)
{
    const struct options *options = wiring->options;
    enum exit_code code = wiring->diags.errors > 0 ? EXIT_INVALID : EXIT_OK;
    if (options->online && code == EXIT_OK)
        code = ask_all(wiring);
    if (options->strict && wiring->diags.warnings > 0) {
        diag_deny_warnings(&wiring->diags);
        code = EXIT_INVALID;
    }
    return code;
}

int cmd_validate(const struct options *options)
{
    struct wiring wiring;
    wiring_init(&wiring, options);
    enum exit_code code = wiring_parse(&wiring, options->args[0]);
    if (code == EXIT_OK) {
        code = check(&wiring);
        if (signals_exit() != EXIT_OK)
            code = signals_exit();
        else if (options->format == FORMAT_HUMAN)
            tell_people(&wiring, code);
        else
            tell_programs(&wiring);
    }
    wiring_close(&wiring);
    return code;
}
