/* azure.h: a container of an Azure storage account as a store.  How few requests it takes, and
 * which, is in DESIGN.md.                                                                        */
#ifndef EXECUTOR_AZURE_AZURE_H
#define EXECUTOR_AZURE_AZURE_H

#include <stdbool.h>
#include <stdint.h>

#include "executor/store.h"

/* Sends nothing.  ERR_INPUT: a key that is no base64, neither key nor SAS, plain http to another
 * machine.  The definition and http are borrowed.                                                */
MUST_USE bool azure_store_open(const struct policy_store *definition, struct http *http,
                               struct clock *clock, struct store **store, struct err *err);

/* What tests make small.  0: as it was. */
struct azure_limits {
    uint32_t page;        /* names in a page of a listing                              */
    uint64_t whole_bytes; /* the largest object that is copied in one request          */
    uint64_t block_bytes; /* of the blocks of a larger one                             */
    bool slowly;          /* nothing but Copy Blob is known to the account             */
};
void azure_store_limit(struct store *store, const struct azure_limits *limits);
#endif
