/* azurite.h: stores in a running Azurite, and a way in behind their backs.  Which one is told by
 * FROSTLINE_TEST_AZURITE=1, SOURCE_AZURE_CONNECTION_STRING and COLD_STORAGE_CONNECTION_STRING.   */
#ifndef TESTS_SUPPORT_AZURITE_H
#define TESTS_SUPPORT_AZURITE_H

#include "base/arena.h"
#include "executor/azure/azure.h"
#include "executor/http/http.h"
#include "policy/policy.h"

enum azurite_account { AZURITE_SOURCE, AZURITE_COLD };

struct azurite {
    struct arena arena;
    struct http *http;
};

/* 0: it is there.  Otherwise what a test should exit with: 77 (skipped), or 1 if
 * FROSTLINE_TEST_REQUIRE_SERVERS=1.                                                              */
int azurite_missing(void);
void azurite_open(struct azurite *azurite);
void azurite_close(struct azurite *azurite);

/* A definition with the account's connection; in the arena, its secrets freed by
 * azurite_forget.  No container is made. */
struct policy_store *azurite_define(struct azurite *azurite, enum azurite_account account,
                                    const char *container, const char *prefix);
void azurite_forget(struct policy_store *definition);
struct store *azurite_store(struct azurite *azurite, const struct policy_store *definition);
/* Not used before in this Azurite. */
const char *azurite_container_name(struct azurite *azurite);

/* As a stranger would.  Each fails the test if the service refuses. */
void azurite_make_container(struct store *store);
void azurite_remove_container(struct store *store);
/* Writes or overwrites; headers: "x-ms-meta-a", "x-ms-blob-content-type", .. */
void azurite_put(struct store *store, const char *key, const void *bytes, size_t size_bytes,
                 const struct http_header *headers, size_t header_count);
void azurite_remove(struct store *store, const char *key);
/* In the arena, NUL added; NULL: not there.  headers may be NULL; else: the raw ones. */
const char *azurite_get(struct store *store, const char *key, struct arena *arena,
                        size_t *size_bytes, const char **headers);
/* Any other call: PUT with this comp ("lease", "snapshot", "tier"); returns the status. */
int azurite_put_comp(struct store *store, const char *key, const char *comp,
                     const struct http_header *headers, size_t header_count);
#endif
