#include "executor/azure/azure_private.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

static void set_code(struct store_outcome *outcome, const char *code)
{
    snprintf(outcome->code, sizeof outcome->code, "%.*s", STORE_CODE_MAX - 1, code ? code : "");
}

struct store_outcome azure_outcome_plain(enum store_result result)
{
    struct store_outcome outcome = {.result = result};
    set_code(&outcome, store_result_name(result));
    return outcome;
}

static enum store_result result_of(int status)
{
    switch (status) {
    case 401:
    case 403:
        return RESULT_DENIED;
    case 429:
    case 503:
        return RESULT_BUSY;
    case 408:
    case 500:
    case 502:
    case 504:
        return RESULT_UNKNOWN;
    default:
        return RESULT_REFUSED;
    }
}

struct store_outcome azure_outcome_status(int status, const char *code)
{
    struct store_outcome outcome = {.result = result_of(status), .status = status};
    set_code(&outcome, code);
    return outcome;
}

/* What was not answered: by what http_batch says of it. */
static enum store_result result_unanswered(const struct http_request *request)
{
    switch (request->err.kind) {
    case ERR_BUSY:
    case ERR_CANCELLED:
        return RESULT_BUSY;
    case ERR_DENIED:
        return RESULT_DENIED;
    case ERR_INPUT:
        return RESULT_REFUSED;
    default:
        return RESULT_UNKNOWN;
    }
}

struct store_outcome azure_outcome_request(const struct http_request *request, struct arena *arena)
{
    struct store_outcome outcome;
    if (request->err.kind == ERR_NONE) {
        outcome = azure_outcome_status(request->status,
                                       http_header_find(request, "x-ms-error-code", arena));
    } else {
        outcome = azure_outcome_plain(result_unanswered(request));
        set_code(&outcome, request->err.code);
    }
    /* "Nothing was changed" is more than is known. */
    if (outcome.result == RESULT_BUSY && request->in_doubt)
        outcome.result = RESULT_UNKNOWN;
    return outcome;
}

/* For requests that only read: there is no outcome to look for. */
static enum err_kind kind_of(const struct store_outcome *outcome)
{
    switch (outcome->result) {
    case RESULT_DENIED:
        return ERR_DENIED;
    case RESULT_BUSY:
    case RESULT_UNKNOWN:
        return ERR_BUSY;
    default:
        return outcome->status >= 400 && outcome->status < 500 ? ERR_INPUT : ERR_CORRUPT;
    }
}

bool azure_outcome_err(const struct azure *azure, const struct http_request *request,
                       struct arena *arena, struct err *err)
{
    struct store_outcome outcome = azure_outcome_request(request, arena);
    const char *name = azure->store.name;
    if (request->err.kind != ERR_NONE) {
        *err = request->err;
        if (err->kind == ERR_UNKNOWN_OUTCOME)
            err->kind = ERR_BUSY;
        return err_wrap(err, "container %s of store %s", azure->container, name);
    }
    if (outcome.status == 404)
        ERR(err, ERR_MISSING, "container %s of store %s is not there", azure->container, name);
    else
        ERR(err, kind_of(&outcome), "container %s of store %s: %d %s", azure->container, name,
            outcome.status, outcome.code);
    err->status = outcome.status;
    memcpy(err->code, outcome.code, sizeof outcome.code);
    if (err->kind == ERR_DENIED)
        snprintf(err->hint, sizeof err->hint,
                 "the key or SAS of store %s is wrong, has expired or does not allow this", name);
    return false;
}
