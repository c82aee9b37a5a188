#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "engine/cmd.h"
#include "engine/logging.h"
#include "engine/planning.h"
#include "engine/show_row.h"
#include "policy/diag_codes.h"

#define COLUMNS 80

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

static enum exit_code explain_row(const struct options *options)
{
    struct wiring wiring;
    bool simulation;
    wiring_init(&wiring, options);
    enum exit_code code = wiring_load(&wiring, options->args[1]);
    if (code == EXIT_OK)
        code = wiring_open_catalog(&wiring);
    if (code == EXIT_OK && has_shared_places(wiring.policies))
        code = open_journal(&wiring);
    if (code == EXIT_OK)
        code = planning_prepare(&wiring, options->as_of, &simulation);
    if (code == EXIT_OK)
        code = show_row(&wiring, options->args[0]);
    wiring_close(&wiring);
    return code;
}

int cmd_explain(const struct options *options)
{
    if (options->arg_count == 0) {
        print_all();
        return EXIT_OK;
    }
    return is_code(options->args[0]) ? explain_code(options->args[0]) : explain_row(options);
}
