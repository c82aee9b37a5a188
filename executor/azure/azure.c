#include "executor/azure/azure.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/str.h"
#include "base/url.h"
#include "base/when.h"
#include "executor/azure/azure_private.h"
#include "executor/azure/sign.h"
#include "policy/policy.h"

#define TEXTS_BYTES_MAX ((size_t)1 << 20)
#define SAS_LIFE_US (2 * INT64_C(3600) * WHEN_SECOND_US)
#define SAS_LEFT_US (SAS_LIFE_US / 2) /* with less than this left, a new one is made */
#define SAS_SPARE_US                                                                               \
    (15 * INT64_C(60) * WHEN_SECOND_US) /* clocks differ, and a copy begins late                   \
                                         */
#define PUT_WHOLE_BYTES (UINT64_C(5000) << 20)
#define COPY_WHOLE_BYTES (UINT64_C(256) << 20)

static struct azure *azure_of(struct store *store)
{
    return (struct azure *)store;
}

static void azure_close(struct store *store)
{
    struct azure *azure = azure_of(store);
    secret_clear(&azure->key);
    secret_clear(&azure->source_sas);
    pthread_mutex_destroy(&azure->mutex);
    arena_free(&azure->arena);
    free(azure);
}

static const struct store_ops azure_ops = {
    .kind = "azure",
    .flat = true,
    .batches = true,
    .list = azure_list,
    .copy = azure_copy,
    .make = azure_make,
    .put = azure_put,
    .abort_copy = azure_abort_copy,
    .remove = azure_remove,
    .read = azure_read,
    .set_tier = azure_tier_set,
    .close = azure_close,
};

/* -- opening ----------------------------------------------------------------------------------- */

static bool take_key(struct azure *azure, const struct connection *connection, struct err *err)
{
    struct arena_mark mark = arena_mark(&azure->arena);
    uint8_t *bytes;
    size_t size_bytes;
    azure->sas = &connection->sas;
    if (!secret_is_set(&connection->key))
        return secret_is_set(&connection->sas) ||
               ERR(err, ERR_INPUT, "the connection has neither an AccountKey nor a SAS");
    if (!digest_unbase64(&azure->arena, secret_reveal(&connection->key), &bytes, &size_bytes, err))
        return err_wrap(err, "AccountKey");
    secret_set(&azure->key, (const char *)bytes, size_bytes);
    digest_cleanse(bytes, size_bytes);
    arena_back(&azure->arena, mark);
    return true;
}

static bool take_endpoint(struct azure *azure, const struct policy_store *definition,
                          struct err *err)
{
    const char *endpoint = definition->connection.endpoint;
    struct buf root;
    struct url url;
    if (!url_read(endpoint, &azure->arena, &url, err))
        return err_wrap(err, "endpoint");
    azure->https_only = strcasecmp(url.scheme, "https") == 0;
    azure->is_loopback = url_is_loopback(url.host);
    if (!azure->https_only && !(azure->is_loopback && strcasecmp(url.scheme, "http") == 0))
        return ERR(err, ERR_INPUT, "the endpoint is neither https nor on this machine");
    azure->origin = str_copy(&azure->arena, endpoint, strlen(endpoint) - strlen(url.path));
    buf_init(&root, TEXTS_BYTES_MAX);
    buf_format(&root, "%s/", url.path);
    azure->service = arena_copy(&azure->arena, buf_string(&root));
    url_encode(&root, definition->container, strlen(definition->container), URL_COMPONENT);
    azure->root = arena_copy(&azure->arena, buf_string(&root));
    buf_free(&root);
    return true;
}

bool azure_store_open(const struct policy_store *definition, struct http *http, struct clock *clock,
                      struct store **store, struct err *err)
{
    struct azure *azure = calloc(1, sizeof *azure);
    if (!azure)
        err_abort("out of memory");
    *azure = (struct azure){.store = {.ops = &azure_ops, .name = definition->name},
                            .http = http,
                            .clock = clock,
                            .account = definition->connection.account,
                            .container = definition->container,
                            .prefix = definition->prefix ? definition->prefix : "",
                            .limits = {.page = STORE_PAGE_MAX}};
    arena_init(&azure->arena, TEXTS_BYTES_MAX);
    pthread_mutex_init(&azure->mutex, NULL);
    if (!take_endpoint(azure, definition, err) || !take_key(azure, &definition->connection, err)) {
        azure_close(&azure->store);
        return false;
    }
    azure->window = http_window_get(http, definition->connection.endpoint);
    *store = &azure->store;
    return true;
}

void azure_store_limit(struct store *store, const struct azure_limits *limits)
{
    struct azure *azure = azure_of(store);
    assert(store->ops == &azure_ops);
    if (limits->page > 0)
        azure->limits.page = limits->page;
    if (limits->whole_bytes > 0)
        azure->limits.whole_bytes = limits->whole_bytes;
    if (limits->block_bytes > 0)
        azure->limits.block_bytes = limits->block_bytes;
    if (limits->slowly) {
        atomic_store(&azure->way, AZURE_WAY_NONE);
        atomic_store(&azure->lacks_blocks, true);
    }
}

/* -- what the verbs share ---------------------------------------------------------------------- */

bool azure_key_is_plain(const char *key)
{
    size_t size_bytes = strlen(key);
    if (size_bytes == 0 || size_bytes > OBJECT_KEY_MAX || str_has_control(key, size_bytes) ||
        !str_is_utf8(key, size_bytes))
        return false;
    for (const char *segment = key;; segment += strcspn(segment, "/") + 1) {
        size_t length = strcspn(segment, "/");
        if ((length == 1 && segment[0] == '.') || (length == 2 && memcmp(segment, "..", 2) == 0))
            return false;
        if (segment[length] == '\0')
            return true;
    }
}

bool azure_etag_is_exact(const char *etag)
{
    size_t size_bytes = strlen(etag);
    return size_bytes > 2 && size_bytes < OBJECT_ETAG_MAX && etag[0] == '"' &&
           strchr(etag + 1, '"') == etag + size_bytes - 1 && !str_has_control(etag, size_bytes);
}

/* A copy goes on with the SAS that it was begun with. */
const char *azure_source_sas(struct azure *azure, int64_t needed_us, struct arena *arena)
{
    if (!secret_is_set(&azure->key))
        return secret_reveal(azure->sas);
    int64_t now_us = azure->clock->ops->now_us(azure->clock);
    int64_t left_us = needed_us + SAS_SPARE_US, life_us = SAS_LIFE_US;
    if (left_us < SAS_LEFT_US)
        left_us = SAS_LEFT_US;
    if (life_us < left_us)
        life_us = left_us;
    pthread_mutex_lock(&azure->mutex);
    if (azure->source_sas_expires_us - now_us < left_us) {
        struct sign_sas sas = {.account = azure->account,
                               .container = azure->container,
                               .expires_us = now_us + life_us,
                               .https_only = azure->https_only};
        const char *made = sign_container_sas(&sas, &azure->key, arena);
        secret_set(&azure->source_sas, made, strlen(made));
        azure->source_sas_expires_us = sas.expires_us;
    }
    const char *copy = arena_copy(arena, secret_reveal(&azure->source_sas));
    pthread_mutex_unlock(&azure->mutex);
    return copy;
}

uint64_t azure_whole_bytes(const struct azure *azure)
{
    enum azure_way way = (enum azure_way)atomic_load(&azure->way);
    if (way == AZURE_WAY_NONE)
        return 0;
    if (azure->limits.whole_bytes > 0)
        return azure->limits.whole_bytes;
    /* An emulator that lacks Put Blob From URL has no limit for Copy Blob From URL. */
    bool puts = way != AZURE_WAY_COPY;
    return puts || azure->is_loopback ? PUT_WHOLE_BYTES : COPY_WHOLE_BYTES;
}
