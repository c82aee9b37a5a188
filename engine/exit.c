#include "engine/exit.h"

#include <stddef.h>
#include <stdio.h>

#include "engine/logging.h"

enum exit_code exit_of(const struct err *err)
{
    switch (err->kind) {
    case ERR_NONE:
        return EXIT_OK;
    case ERR_INPUT:
    case ERR_MISSING:
    case ERR_CORRUPT:
        return EXIT_INVALID;
    case ERR_CONFLICT:
        return EXIT_STALE;
    case ERR_DENIED:
        return EXIT_AUTH;
    case ERR_BUSY:
    case ERR_UNKNOWN_OUTCOME:
        return EXIT_TEMPORARY;
    case ERR_CANCELLED:
        return EXIT_INTERRUPTED;
    case ERR_INTERNAL:
        return EXIT_BUG;
    }
    return EXIT_BUG;
}

enum exit_code exit_with(const struct err *err)
{
    char hint[sizeof(err->hint) + 80];
    snprintf(hint, sizeof(hint), "%s", err->hint);
    if (err->kind == ERR_INTERNAL)
        snprintf(hint, sizeof(hint), "this is a bug in frostline, at %s", err->where);
    logging_error(hint, "%s", err->text);
    return exit_of(err);
}

static int rank(enum exit_code code)
{
    static const enum exit_code order[] = {
        EXIT_INTERRUPTED, EXIT_TERMINATED, EXIT_BUG,     EXIT_INTEGRITY, EXIT_REFUSED,
        EXIT_AUTH,        EXIT_STALE,      EXIT_PARTIAL, EXIT_TEMPORARY, EXIT_PENDING,
        EXIT_FAILED,      EXIT_LOCKED,     EXIT_INVALID, EXIT_USAGE,     EXIT_CHANGES};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (order[i] == code)
            return (int)i;
    return (int)(sizeof(order) / sizeof(order[0]));
}

enum exit_code exit_worse(enum exit_code a, enum exit_code b)
{
    return rank(a) <= rank(b) ? a : b;
}
