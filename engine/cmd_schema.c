#include <stdio.h>

#include "base/buf.h"
#include "base/str.h"
#include "engine/cmd.h"
#include "engine/exit.h"
#include "engine/logging.h"
#include "policy/schema.h"
#include "policy/schema_json.h"

#define TEXT_BYTES_MAX ((size_t)1 << 20)

static const struct schema *find(const struct options *options)
{
    const char *name = options->arg_count == 0 ? "" : options->args[0];
    if (str_equal(name, "policy"))
        return &schema_root;
    return str_equal(name, "tests") ? &schema_tests_file : NULL;
}

int cmd_schema(const struct options *options)
{
    const struct schema *schema = find(options);
    struct buf text;
    if (schema == NULL) {
        logging_error("frostline schema policy, or tests: of a file that ends in " POLICY_TESTS,
                      "the schema of what?");
        return EXIT_USAGE;
    }
    buf_init(&text, TEXT_BYTES_MAX);
    schema_json_write(schema, &text);
    fputs(buf_string(&text), stdout);
    buf_free(&text);
    return EXIT_OK;
}
