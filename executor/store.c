#include "executor/store.h"

#include "base/arena.h"
#include "executor/azure/azure.h"
#include "executor/local/local.h"
#include "policy/policy.h"

#define PROBE_BYTES_MAX ((size_t)64 << 20)
/* Hardly anybody has such a directory: a folder, which knows no limit, is not walked either. */
#define PROBE_PREFIX "frostline-probe/"

bool store_open(const struct policy_store *definition, struct http *http, struct clock *clock,
                struct store **store, struct err *err)
{
    switch (definition->type) {
    case STORE_LOCAL:
        return local_store_open(definition, store, err);
    case STORE_AZURE:
        return azure_store_open(definition, http, clock, store, err);
    }
    return ERR(err, ERR_INTERNAL, "%s is a store of no known kind", definition->name);
}

void store_close(struct store *store)
{
    if (store)
        store->ops->close(store);
}

bool store_probe(struct store *store, struct err *err)
{
    struct listing listing = {.prefix = PROBE_PREFIX, .limit = 1};
    struct arena arena;
    arena_init(&arena, PROBE_BYTES_MAX);
    store->ops->list(store, &listing, 1, &arena);
    arena_free(&arena);
    *err = listing.err;
    return err->kind == ERR_NONE;
}

const char *store_result_name(enum store_result result)
{
    static const char *const names[] = {
        [RESULT_DONE] = "done",       [RESULT_EXISTS] = "exists",   [RESULT_CHANGED] = "changed",
        [RESULT_PENDING] = "pending", [RESULT_REFUSED] = "refused", [RESULT_DENIED] = "denied",
        [RESULT_BUSY] = "busy",       [RESULT_UNKNOWN] = "unknown",
    };
    return names[result];
}
