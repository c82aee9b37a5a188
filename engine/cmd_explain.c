#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "engine/cmd.h"
#include "engine/finding.h"
#include "engine/logging.h"
#include "engine/planning.h"
#include "engine/request.h"
#include "engine/show_row.h"
#include "policy/diag_codes.h"

#define COLUMNS 80
#define SELECTED_SHOWN 100
#define IDS_BYTES_MAX ((size_t)1 << 20)

/* One line of the table, broken between words; examples are indented and stay as they are. */
static void print_line(const char *line, size_t size)
{
    bool is_prose = size > 0 && line[0] != ' ';
    while (is_prose && size > COLUMNS) {
        size_t at = COLUMNS;
        while (at > 0 && line[at] != ' ')
            at--;
        if (at == 0)
            break;
        printf("%.*s\n", (int)at, line);
        line += at + 1;
        size -= at + 1;
    }
    printf("%.*s\n", (int)size, line);
}

static void print_code(const struct diag_code *code)
{
    printf("FL%04d (%s): %s\n\n", code->number, diag_severity_name(code->severity), code->title);
    for (const char *line = code->text; *line != '\0';) {
        size_t size = strcspn(line, "\n");
        print_line(line, size);
        line += size + (line[size] == '\n');
    }
}

static void print_all(void)
{
    const struct diag_code *code;
    for (size_t i = 0; (code = diag_codes_at(i)) != NULL; i++)
        printf("FL%04d  %-7s  %s\n", code->number, diag_severity_name(code->severity), code->title);
}

/* "FL0102": so an id of that form can't be asked for. */
static bool is_code(const char *text)
{
    return strncasecmp(text, "FL", 2) == 0 && strlen(text) == 6 &&
           strspn(text + 2, "0123456789") == 4;
}

static enum exit_code explain_code(const char *text)
{
    uint64_t number;
    const struct diag_code *code =
        str_to_u64(text + 2, &number) ? diag_codes_find((int)number) : NULL;
    if (code == NULL) {
        logging_error("frostline explain lists them all", "%s is no code of a diagnostic", text);
        return EXIT_USAGE;
    }
    print_code(code);
    return EXIT_OK;
}

static bool has_shared_places(const struct policies *policies)
{
    for (size_t i = 0; i < policies->store_count; i++) {
        if (place_is_shared(&policies->places, i))
            return true;
    }
    return false;
}

/* It alone knows in which of the stores of one place a directory is. */
static enum exit_code open_journal(struct wiring *wiring)
{
    enum exit_code code = wiring_find_state(wiring);
    return code == EXIT_OK ? wiring_open_journal(wiring, JOURNAL_READ) : code;
}

static enum exit_code open_policy(struct wiring *wiring, const char *policy)
{
    bool simulation;
    enum exit_code code = wiring_load(wiring, policy);
    if (code == EXIT_OK)
        code = wiring_open_catalog(wiring);
    if (code == EXIT_OK && wiring->journal == NULL && has_shared_places(wiring->policies))
        code = open_journal(wiring);
    if (code == EXIT_OK)
        code = planning_prepare(wiring, wiring->options->as_of, &simulation);
    return code;
}

static enum exit_code explain_row(const struct options *options)
{
    struct wiring wiring;
    wiring_init(&wiring, options);
    enum exit_code code = open_policy(&wiring, options->args[1]);
    if (code == EXIT_OK)
        code = show_row(&wiring, options->args[0]);
    wiring_close(&wiring);
    return code;
}

/* -- those that are selected --------------------------------------------------------------------
 */

struct ids {
    struct arena arena;
    const char *items[SELECTED_SHOWN];
    size_t count;
};

static bool take_id(void *context, const struct found *found, struct err *err)
{
    struct ids *ids = context;
    if (ids->count == SELECTED_SHOWN)
        return ERR(err, ERR_INPUT, "more than %d recordings are selected; frostline ls lists them",
                   SELECTED_SHOWN);
    ids->items[ids->count++] = arena_copy(&ids->arena, found->record->id);
    return true;
}

/* By the selection, which then is forgotten: it would be one more reason to stay. */
static enum exit_code find_selected(const struct options *options, struct ids *ids)
{
    struct wiring wiring;
    struct err err;
    wiring_init(&wiring, options);
    enum exit_code code = request_narrow(&wiring, options->select.items, options->select.count);
    if (code == EXIT_OK)
        code = open_policy(&wiring, options->args[0]);
    if (code == EXIT_OK && !finding_each(&wiring, take_id, ids, &err))
        code = exit_with(&err);
    wiring_close(&wiring);
    return code;
}

static enum exit_code explain_selected(const struct options *options)
{
    struct wiring wiring;
    struct ids ids = {.count = 0};
    arena_init(&ids.arena, IDS_BYTES_MAX);
    wiring_init(&wiring, options);
    enum exit_code code = find_selected(options, &ids);
    if (code == EXIT_OK)
        code = open_policy(&wiring, options->args[0]);
    if (code == EXIT_OK && ids.count == 0)
        puts("No recording is selected.");
    for (size_t i = 0; code == EXIT_OK && i < ids.count; i++) {
        if (i > 0)
            puts("\n--");
        code = show_row(&wiring, ids.items[i]);
    }
    wiring_close(&wiring);
    arena_free(&ids.arena);
    return code;
}

int cmd_explain(const struct options *options)
{
    if (options->select.count + options->exclude.count > 0)
        return explain_selected(options);
    if (options->arg_count == 0) {
        print_all();
        return EXIT_OK;
    }
    return is_code(options->args[0]) ? explain_code(options->args[0]) : explain_row(options);
}
