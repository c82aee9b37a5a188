#include "executor/store.h"

void store_close(struct store *store)
{
    if (store)
        store->ops->close(store);
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
