#include "executor/azure/azure_private.h"

#include <stdio.h>

#include "base/str.h"

static bool made(const struct azure *azure, const struct http_request *request,
                 struct arena *scratch, struct err *err)
{
    if (request->err.kind == ERR_NONE && request->status == 201)
        return true;
    struct store_outcome outcome = azure_outcome_request(request, scratch);
    if (str_equal(outcome.code, "ContainerAlreadyExists"))
        return true;
    return azure_outcome_err(azure, request, scratch, err);
}

/* Create Container: private, since nobody asked for more. */
bool azure_make(struct store *store, struct err *err)
{
    struct azure *azure = (struct azure *)store;
    struct http_request request;
    struct arena scratch;
    arena_init(&scratch, AZURE_SCRATCH_BYTES_MAX);
    struct azure_call *call = azure_call_make(azure, "PUT", NULL, &request, &scratch);
    azure_call_param(call, "restype", "container");
    azure_call_seal(call);
    http_batch(azure->http, &request, 1, &scratch);
    bool done = made(azure, &request, &scratch, err);
    arena_free(&scratch);
    return done || err_wrap(err, "making container %s", azure->container);
}
