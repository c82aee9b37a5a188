#include <stdio.h>

#include "base/buf.h"
#include "base/str.h"
#include "engine/cmd.h"
#include "engine/exit.h"
#include "policy/schema_json.h"

#define TEXT_BYTES_MAX ((size_t)1 << 20)

int cmd_schema(const struct options *options)
{
    struct buf text;
    if (options->arg_count == 0 || !str_equal(options->args[0], "policy")) {
        fputs("frostline: the schema of what?\n  hint: frostline schema policy\n", stderr);
        return EXIT_USAGE;
    }
    buf_init(&text, TEXT_BYTES_MAX);
    schema_json_write(&text);
    fputs(buf_string(&text), stdout);
    buf_free(&text);
    return EXIT_OK;
}
