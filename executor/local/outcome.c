#include "executor/local/outcome.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static enum store_result result_of(int number)
{
    switch (number) {
    case EACCES:
    case EPERM:
    case EROFS:
        return RESULT_DENIED;
    case EEXIST:
        return RESULT_EXISTS;
    case EINVAL:
    case ELOOP:
    case EXDEV:
    case ENAMETOOLONG:
    case ENOTDIR: /* a file stands where a folder should be */
    case EISDIR:
    case EFBIG:
    case ENXIO:
    case EMLINK:
    case EOPNOTSUPP:
        return RESULT_REFUSED;
    default:
        return RESULT_BUSY;
    }
}

struct store_outcome outcome_errno(int number)
{
    struct store_outcome outcome = {.result = result_of(number), .status = number};
    const char *name = strerrorname_np(number);
    snprintf(outcome.code, sizeof outcome.code, "%s", name ? name : "");
    return outcome;
}

struct store_outcome outcome_source(int number)
{
    struct store_outcome outcome = outcome_errno(number);
    if (number == ENOENT || number == ENOTDIR)
        outcome.result = RESULT_CHANGED;
    return outcome;
}

struct store_outcome outcome_unknown(int number)
{
    struct store_outcome outcome = outcome_errno(number);
    outcome.result = RESULT_UNKNOWN;
    return outcome;
}

struct store_outcome outcome_plain(enum store_result result)
{
    struct store_outcome outcome = {.result = result};
    snprintf(outcome.code, sizeof outcome.code, "%s", store_result_name(result));
    return outcome;
}
