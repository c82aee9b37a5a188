#include "engine/wiring.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/logging.h"
#include "engine/progress.h"
#include "engine/revision.h"
#include "engine/signals.h"
#include "engine/text.h"
#include "executor/http/http.h"
#include "policy/lint.h"

#define ARENA_BYTES_MAX ((size_t)4 << 30)
#define DIAGNOSTICS_BYTES_MAX ((size_t)4 << 20)

static const char *from_environment(void *context, const char *name)
{
    (void)context;
    return getenv(name);
}

void wiring_init(struct wiring *wiring, const struct options *options)
{
    *wiring = (struct wiring){
        .options = options, .env = from_environment, .clock = clock_real(), .lock = {.fd = -1}};
    arena_init(&wiring->arena, ARENA_BYTES_MAX);
    diag_init(&wiring->diags, &wiring->arena);
}

void wiring_close(struct wiring *wiring)
{
    journal_close(wiring->journal);
    lock_release(&wiring->lock);
    for (size_t i = 0; i < PLACE_MAX; i++)
        store_close(wiring->stores[i]);
    signals_cancel_with(NULL);
    if (wiring->http != NULL)
        http_close(wiring->http);
    catalog_close(wiring->catalog);
    if (wiring->policies != NULL)
        policy_free(wiring->policies);
    arena_free(&wiring->arena);
}

/* -- the policy ----------------------------------------------------------------------------------
 */

const char *wiring_policy_path(struct wiring *wiring, const char *word)
{
    struct stat found;
    if (word == NULL)
        return WIRING_POLICY;
    if (stat(word, &found) == 0 && S_ISDIR(found.st_mode))
        return file_join(&wiring->arena, word, WIRING_POLICY);
    return word;
}

bool wiring_is_plan(const char *path)
{
    if (path != NULL && str_ends(path, ".plan"))
        return true;
    FILE *file = path != NULL ? fopen(path, "re") : NULL;
    char start[20] = "";
    if (file == NULL)
        return false;
    size_t got = fread(start, 1, sizeof(start) - 1, file);
    fclose(file);
    return got > 0 && str_starts(start, "{\"frostline_plan\"");
}

static bool refuse_plan(const char *path, struct err *err)
{
    ERR(err, ERR_INPUT, "%s is a plan, and a policy is wanted", path);
    snprintf(err->hint, sizeof(err->hint), "frostline show and frostline apply take plans");
    return false;
}

/* For programs an event each. */
static void log_findings(const struct diags *diags)
{
    const struct diag *sorted[DIAG_MAX];
    size_t count = diag_sort(diags, sorted);
    for (size_t i = 0; i < count; i++) {
        const struct diag *diag = sorted[i];
        char code[16];
        snprintf(code, sizeof(code), "FL%04d", diag->code);
        LOG(diag->severity == DIAG_ERROR ? LOG_ERROR : LOG_WARNING, "policy-finding",
            LOG_TEXT("code", code), LOG_TEXT("file", diags->files[diag->span.file].path),
            LOG_NUMBER("line", diag->span.line), LOG_NUMBER("column", diag->span.column),
            LOG_TEXT("text", diag->text), LOG_TEXT("help", diag->help));
    }
}

static void print_frames(const struct diags *diags)
{
    if (logging_format() != LOGGING_HUMAN) {
        log_findings(diags);
        return;
    }
    struct buf text;
    buf_init(&text, DIAGNOSTICS_BYTES_MAX);
    diag_render(diags, &text);
    logging_lines(diags->errors > 0 ? LOG_ERROR : LOG_WARNING, buf_string(&text));
    buf_free(&text);
}

/* validate is for showing warnings; a plan says that there are some; what runs by a timer would say
 * the same every night. */
static void tell_warnings(const struct wiring *wiring)
{
    const struct options *options = wiring->options;
    char hint[TEXT_PLAIN_BYTES + 64];
    if (wiring->diags.warnings == 0 || options->quiet)
        return;
    snprintf(hint, sizeof(hint), "frostline validate %s tells more",
             text_plain(wiring->policies->path));
    if (options->verb->bit == VERB_VALIDATE || options->verbose > 0)
        print_frames(&wiring->diags);
    else if (options->verb->bit == VERB_PLAN && options->format == FORMAT_HUMAN)
        logging_note(hint, "%s", text_plural(wiring->diags.warnings, "warning"));
}

static int first_error(const struct diags *diags)
{
    size_t i = 0;
    while (i + 1 < diags->count && diags->items[i].severity != DIAG_ERROR)
        i++;
    return diags->items[i].code;
}

enum exit_code wiring_tell(const struct wiring *wiring)
{
    const struct diags *diags = &wiring->diags;
    char hint[64];
    if (diags->errors == 0) {
        tell_warnings(wiring);
        return EXIT_OK;
    }
    print_frames(diags);
    snprintf(hint, sizeof(hint), "frostline explain FL%04d tells more", first_error(diags));
    logging_error(hint, "%s, %s", text_plural(diags->errors, "error"),
                  text_plural(diags->warnings, "warning"));
    return EXIT_INVALID;
}

bool wiring_read(struct wiring *wiring, const char *path, struct err *err)
{
    const struct options *options = wiring->options;
    bool is_test = options->verb->bit == VERB_TEST;
    const struct revision *revision = wiring->revision;
    struct policy_source source = {.path = wiring_policy_path(wiring, path),
                                   .env = wiring->env,
                                   .env_context = wiring->env_context,
                                   .read = revision != NULL ? revision_read : NULL,
                                   .read_context = (void *)revision,
                                   .revision = revision != NULL ? revision->name : NULL,
                                   .vars = options->vars,
                                   .var_count = options->var_count,
                                   .request = wiring->request,
                                   .stand_ins = is_test,
                                   .tests = is_test || options->verb->bit == VERB_VALIDATE};
    if (wiring_is_plan(path))
        return refuse_plan(path, err);
    if (!policy_load(&source, &wiring->arena, &wiring->diags, &wiring->policies, err)) {
        if (path == NULL && err->kind == ERR_MISSING)
            snprintf(err->hint, sizeof(err->hint),
                     "name a policy file%s; `frostline demo --keep DIR` makes one to begin with",
                     options->verb->bit & (VERB_LS | VERB_RESTORE) ? " with --policy" : "");
        return false;
    }
    if (wiring->policies != NULL)
        lint_policies(wiring->policies, wiring->clock->ops->now_us(wiring->clock), &wiring->diags);
    return true;
}

enum exit_code wiring_parse(struct wiring *wiring, const char *path)
{
    struct err err;
    return wiring_read(wiring, path, &err) ? EXIT_OK : exit_with(&err);
}

enum exit_code wiring_load(struct wiring *wiring, const char *path)
{
    enum exit_code code = wiring_parse(wiring, path);
    return code == EXIT_OK ? wiring_tell(wiring) : code;
}

/* -- the catalog ---------------------------------------------------------------------------------
 */

enum exit_code wiring_bind(struct wiring *wiring, const struct catalog_shape *shape)
{
    wiring->diags.count = wiring->diags.warnings = 0; /* they were told */
    bool bound = policy_bind(wiring->policies, shape, &wiring->diags);
    enum exit_code code = wiring_tell(wiring);
    return bound || code != EXIT_OK ? code : EXIT_INVALID;
}

bool wiring_describe(struct wiring *wiring, struct err *err)
{
    wiring->policies->catalog.writes = (wiring->options->verb->bit & VERB_RUNS) != 0;
    progress_wait("connecting to the catalog");
    bool done =
        catalog_open(&wiring->policies->catalog, wiring->clock, &wiring->catalog, err) &&
        wiring->catalog->ops->describe(wiring->catalog, &wiring->arena, &wiring->shape, err);
    progress_end();
    return done;
}

enum exit_code wiring_open_catalog(struct wiring *wiring)
{
    struct err err;
    if (!wiring_describe(wiring, &err)) {
        err_wrap(&err, "catalog");
        return exit_with(&err);
    }
    return wiring_bind(wiring, &wiring->shape);
}

bool wiring_start_http(struct wiring *wiring, struct err *err)
{
    struct http_config config = {.clock = wiring->clock,
                                 .user_agent = "frostline/" FROSTLINE_VERSION,
                                 .ca_file = getenv("FROSTLINE_CA_FILE")};
    if (wiring->http != NULL)
        return true;
    if (!http_open(&config, &wiring->http, err))
        return false;
    signals_cancel_with(wiring->http);
    return true;
}

enum exit_code wiring_open_http(struct wiring *wiring)
{
    struct err err;
    return wiring_start_http(wiring, &err) ? EXIT_OK : exit_with(&err);
}

bool wiring_open_store(struct wiring *wiring, size_t index, struct err *err)
{
    return store_open(&wiring->policies->stores[index], wiring->http, wiring->clock,
                      &wiring->stores[index], err);
}

enum exit_code wiring_open_stores(struct wiring *wiring)
{
    struct err err;
    enum exit_code code = wiring_open_http(wiring);
    for (size_t i = 0; code == EXIT_OK && i < wiring->policies->store_count; i++) {
        if (!wiring_open_store(wiring, i, &err)) {
            err_wrap(&err, "store %s", wiring->policies->stores[i].name);
            code = exit_with(&err);
        }
    }
    return code;
}

/* -- the journal ---------------------------------------------------------------------------------
 */

bool wiring_has_state(struct wiring *wiring)
{
    struct arena *arena = &wiring->arena;
    const char *own = getenv("FROSTLINE_STATE_DIR"), *systemd = getenv("STATE_DIRECTORY");
    const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (wiring->options->state != NULL)
        wiring->state_folder = wiring->options->state;
    else if (own != NULL && own[0] != '\0')
        wiring->state_folder = own;
    else if (systemd != NULL && systemd[0] != '\0')
        wiring->state_folder = systemd;
    else if (xdg != NULL && xdg[0] == '/')
        wiring->state_folder = str_format(arena, "%s/frostline", xdg);
    else if (home != NULL && home[0] == '/')
        wiring->state_folder = str_format(arena, "%s/.local/state/frostline", home);
    return wiring->state_folder != NULL;
}

enum exit_code wiring_find_state(struct wiring *wiring)
{
    if (wiring_has_state(wiring))
        return EXIT_OK;
    logging_error("name one with --state or FROSTLINE_STATE_DIR",
                  "there is no place for the journal");
    return EXIT_USAGE;
}

static bool take_lock(struct wiring *wiring, struct err *err)
{
    const struct options *options = wiring->options;
    progress_wait("waiting for another run to end");
    bool taken = lock_take(wiring->state_folder, options->verb->name, options->lock_wait_us,
                           wiring->clock, &wiring->lock, err);
    progress_end();
    return taken;
}

enum exit_code wiring_open_journal(struct wiring *wiring, enum journal_mode mode)
{
    struct err err;
    if (mode == JOURNAL_WRITE && !take_lock(wiring, &err)) {
        enum exit_code code = exit_with(&err);
        bool is_held = err.kind == ERR_BUSY && err.status == 0; /* else a file failed */
        return is_held ? EXIT_LOCKED : code;
    }
    if (journal_open(wiring->state_folder, mode, wiring->clock, &wiring->journal, &err)) {
        wiring->writes_journal = mode == JOURNAL_WRITE;
        return EXIT_OK;
    }
    if (mode == JOURNAL_READ && err.kind == ERR_MISSING)
        return EXIT_OK;
    err_wrap(&err, "journal in %s", wiring->state_folder);
    return exit_with(&err);
}
