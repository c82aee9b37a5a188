#include "tests/support/azurite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/rand.h"
#include "base/str.h"
#include "executor/azure/azure_private.h"

#define RIG_BYTES_MAX ((size_t)512 << 20)

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && strcmp(value, "1") == 0;
}

int azurite_missing(void)
{
    if (is_set("FROSTLINE_TEST_AZURITE"))
        return 0;
    bool required = is_set("FROSTLINE_TEST_REQUIRE_SERVERS");
    fprintf(stderr, "%s: FROSTLINE_TEST_AZURITE is not set\n", required ? "failed" : "skipped");
    return required ? 1 : 77;
}

void azurite_open(struct azurite *azurite)
{
    struct http_config config = {.clock = clock_real(), .user_agent = "frostline-test"};
    struct err err;
    arena_init(&azurite->arena, RIG_BYTES_MAX);
    if (!http_open(&config, &azurite->http, &err))
        fail_msg("%s", err.text);
}

void azurite_close(struct azurite *azurite)
{
    http_close(azurite->http);
    arena_free(&azurite->arena);
}

struct policy_store *azurite_define(struct azurite *azurite, enum azurite_account account,
                                    const char *container, const char *prefix)
{
    const char *text = getenv(account == AZURITE_SOURCE ? "SOURCE_AZURE_CONNECTION_STRING"
                                                        : "COLD_STORAGE_CONNECTION_STRING");
    struct policy_store *definition = arena_make(&azurite->arena, sizeof *definition);
    struct secret secret = {0};
    struct err err;
    assert_non_null(text);
    secret_set(&secret, text, strlen(text));
    *definition = (struct policy_store){
        .name = account == AZURITE_SOURCE ? "source" : "cold",
        .type = STORE_AZURE,
        .container = container,
        .prefix = prefix,
    };
    if (!connection_read(&secret, &azurite->arena, &definition->connection, &err))
        fail_msg("%s", err.text);
    secret_clear(&secret);
    return definition;
}

void azurite_forget(struct policy_store *definition)
{
    connection_free(&definition->connection);
}

struct store *azurite_store(struct azurite *azurite, const struct policy_store *definition)
{
    struct store *store;
    struct err err;
    if (!azure_store_open(definition, azurite->http, clock_real(), &store, &err))
        fail_msg("%s", err.text);
    return store;
}

const char *azurite_container_name(struct azurite *azurite)
{
    return str_format(&azurite->arena, "test-%016llx", (unsigned long long)rand_system());
}

/* -- behind the store's back ------------------------------------------------------------------- */

static struct azure_call *begin(struct store *store, const char *method, const char *key,
                                struct http_request *request, struct arena *arena)
{
    arena_init(arena, RIG_BYTES_MAX);
    return azure_call_make((struct azure *)store, method, key, request, arena);
}

static int finish(struct azure_call *call)
{
    azure_call_seal(call);
    http_batch(call->azure->http, call->request, 1, call->arena);
    if (call->request->err.kind != ERR_NONE)
        fail_msg("%s", call->request->err.text);
    return call->request->status;
}

static void container_call(struct store *store, const char *method, int wanted)
{
    struct arena arena;
    struct http_request request;
    struct azure_call *call = begin(store, method, NULL, &request, &arena);
    azure_call_param(call, "restype", "container");
    assert_int_equal(finish(call), wanted);
    arena_free(&arena);
}

void azurite_make_container(struct store *store)
{
    container_call(store, "PUT", 201);
}

void azurite_remove_container(struct store *store)
{
    container_call(store, "DELETE", 202);
}

void azurite_put(struct store *store, const char *key, const void *bytes, size_t size_bytes,
                 const struct http_header *headers, size_t header_count)
{
    struct arena arena;
    struct http_request request;
    struct azure_call *call = begin(store, "PUT", key, &request, &arena);
    azure_call_header(call, "x-ms-blob-type", "BlockBlob");
    for (size_t i = 0; i < header_count; i++)
        azure_call_header(call, headers[i].name, headers[i].value);
    request.body = bytes;
    request.body_bytes = size_bytes;
    if (finish(call) != 201)
        fail_msg("%s: %d %s", key, request.status, request.reply);
    arena_free(&arena);
}

void azurite_remove(struct store *store, const char *key)
{
    struct arena arena;
    struct http_request request;
    assert_int_equal(finish(begin(store, "DELETE", key, &request, &arena)), 202);
    arena_free(&arena);
}

const char *azurite_get(struct store *store, const char *key, struct arena *arena,
                        size_t *size_bytes, const char **headers)
{
    struct arena scratch;
    struct http_request request;
    struct azure_call *call = begin(store, "GET", key, &request, &scratch);
    const char *bytes = NULL;
    if (finish(call) == 200) {
        bytes = str_copy(arena, request.reply, request.reply_bytes);
        *size_bytes = request.reply_bytes;
        if (headers)
            *headers = arena_copy(arena, request.reply_headers);
    } else {
        assert_int_equal(request.status, 404);
    }
    arena_free(&scratch);
    return bytes;
}

int azurite_put_comp(struct store *store, const char *key, const char *comp,
                     const struct http_header *headers, size_t header_count)
{
    struct arena arena;
    struct http_request request;
    struct azure_call *call = begin(store, "PUT", key, &request, &arena);
    azure_call_param(call, "comp", comp);
    for (size_t i = 0; i < header_count; i++)
        azure_call_header(call, headers[i].name, headers[i].value);
    int status = finish(call);
    arena_free(&arena);
    return status;
}
