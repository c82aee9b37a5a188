#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "engine/cmd.h"
#include "engine/exit.h"
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

/* NULL: it is no code, or none of ours. */
static const struct diag_code *find(const char *text)
{
    uint64_t number;
    bool is_code =
        strncasecmp(text, "FL", 2) == 0 && str_to_u64(text + 2, &number) && number < 10000;
    return is_code ? diag_codes_find((int)number) : NULL;
}

int cmd_explain(const struct options *options)
{
    if (options->arg_count == 0) {
        print_all();
        return EXIT_OK;
    }
    const struct diag_code *code = find(options->args[0]);
    if (code == NULL) {
        fprintf(stderr,
                "frostline: %s is no code of a diagnostic\n"
                "  hint: frostline explain lists them all\n",
                options->args[0]);
        return EXIT_USAGE;
    }
    print_code(code);
    return EXIT_OK;
}
