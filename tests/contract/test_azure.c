/* The Azure adapter against Azurite: what its requests really do there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/str.h"
#include "base/url.h"
#include "base/buf.h"
#include "base/when.h"
#include "tests/support/azurite.h"

#define ITEMS(array) (sizeof(array) / sizeof((array)[0]))
#define PREFIX "pre fix/"

/* Two accounts, one container in each. */
struct rig {
    struct azurite azurite;
    struct arena *arena;
    struct policy_store *definitions[2];
    struct store *source, *target;
};

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    azurite_open(&rig->azurite);
    rig->arena = &rig->azurite.arena;
    const char *container = azurite_container_name(&rig->azurite);
    rig->definitions[0] = azurite_define(&rig->azurite, AZURITE_SOURCE, container, "");
    rig->definitions[1] = azurite_define(&rig->azurite, AZURITE_COLD, container, PREFIX);
    rig->source = azurite_store(&rig->azurite, rig->definitions[0]);
    rig->target = azurite_store(&rig->azurite, rig->definitions[1]);
    azurite_make_container(rig->source);
    azurite_make_container(rig->target);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    azurite_remove_container(rig->source);
    azurite_remove_container(rig->target);
    store_close(rig->source);
    store_close(rig->target);
    azurite_forget(rig->definitions[0]);
    azurite_forget(rig->definitions[1]);
    azurite_close(&rig->azurite);
    free(rig);
    return 0;
}

/* -- helpers ----------------------------------------------------------------------------------- */

static void put(struct store *store, const char *key, const char *text)
{
    azurite_put(store, key, text, strlen(text), NULL, 0);
}

/* All pages; the tests have no more than this. */
static struct object *list(struct rig *rig, struct store *store, const char *prefix, size_t *count)
{
    struct listing listing = {.prefix = prefix};
    struct object *all = arena_make(rig->arena, 4096 * sizeof *all);
    *count = 0;
    do {
        store->ops->list(store, &listing, 1, rig->arena);
        if (listing.err.kind != ERR_NONE)
            fail_msg("%s", listing.err.text);
        assert_true(*count + listing.count <= 4096);
        if (listing.count > 0)
            memcpy(all + *count, listing.objects, listing.count * sizeof *all);
        *count += listing.count;
    } while (listing.marker);
    return all;
}

static const struct object *object_at(struct rig *rig, struct store *store, const char *key)
{
    size_t count;
    struct object *objects = list(rig, store, key, &count);
    for (size_t i = 0; i < count; i++) {
        if (str_equal(objects[i].key, key))
            return &objects[i];
    }
    fail_msg("%s is not listed", key);
    return NULL;
}

static struct copy copy_of(struct rig *rig, const char *key)
{
    const struct object *object = object_at(rig, rig->source, key);
    return (struct copy){.source_key = object->key,
                         .source_etag = object->etag,
                         .target_key = object->key,
                         .bytes = object->bytes};
}

static void copy(struct rig *rig, struct copy *copies, size_t count)
{
    rig->target->ops->copy(rig->target, rig->source, copies, count);
}

static void assert_result(const struct store_outcome *outcome, enum store_result wanted)
{
    if (outcome->result != wanted)
        fail_msg("%s instead of %s: %d %s", store_result_name(outcome->result),
                 store_result_name(wanted), outcome->status, outcome->code);
}

static void assert_holds(struct rig *rig, struct store *store, const char *key, const char *text)
{
    size_t size_bytes = 0;
    const char *bytes = azurite_get(store, key, rig->arena, &size_bytes, NULL);
    if (!bytes)
        fail_msg("%s is not there", key);
    assert_int_equal(size_bytes, strlen(text));
    assert_memory_equal(bytes, text, size_bytes);
}

static void assert_gone(struct rig *rig, struct store *store, const char *key)
{
    size_t size_bytes;
    assert_null(azurite_get(store, key, rig->arena, &size_bytes, NULL));
}

/* -- listings ---------------------------------------------------------------------------------- */

static void pages_end_with_an_empty_marker(void **state)
{
    struct rig *rig = *state;
    size_t count;
    azure_store_limit(rig->target, &(struct azure_limits){.page = 3});
    for (int i = 0; i < 10; i++)
        put(rig->target, str_format(rig->arena, "d/%02d", i), "x");
    uint64_t before = http_requests_sent(rig->azurite.http);
    struct object *objects = list(rig, rig->target, "d/", &count);
    assert_int_equal(count, 10);
    assert_int_equal(http_requests_sent(rig->azurite.http) - before, 4);
    for (int i = 0; i < 10; i++)
        assert_string_equal(objects[i].key, str_format(rig->arena, "d/%02d", i));
}

static void an_object_is_listed_as_it_is(void **state)
{
    struct rig *rig = *state;
    struct listing listing = {.prefix = "d/"};
    uint8_t md5[OBJECT_MD5_BYTES];
    struct http_header cold[] = {{"x-ms-access-tier", "Cold"}};
    azurite_put(rig->source, "d/a", "hello", 5, cold, 1);
    rig->source->ops->list(rig->source, &listing, 1, rig->arena);
    assert_int_equal(listing.err.kind, ERR_NONE);
    assert_int_equal(listing.count, 1);
    const struct object *object = listing.objects;
    assert_int_equal(object->bytes, 5);
    assert_int_equal(object->tier, TIER_COLD);
    assert_int_equal(object->copy, COPY_NONE);
    assert_false(object->irregular);
    assert_int_equal(object->md5_origin, MD5_CLAIMED);
    digest_of(DIGEST_MD5, "hello", 5, md5);
    assert_memory_equal(object->md5, md5, sizeof md5);
    int64_t skew_us = listing.server_us - clock_real()->ops->now_us(clock_real());
    assert_in_range(skew_us + 5 * WHEN_SECOND_US, 0, 10 * WHEN_SECOND_US);
}

static void folders_are_no_objects_and_other_kinds_are_irregular(void **state)
{
    struct rig *rig = *state;
    struct http_header folder[] = {{"x-ms-meta-hdi_isfolder", "true"}};
    struct http_header append[] = {{"x-ms-blob-type", "AppendBlob"}};
    size_t count;
    azurite_put(rig->source, "d/folder", "", 0, folder, 1);
    put(rig->source, "d/folder/file", "x");
    /* Behind the header that azurite_put sets itself, the service takes the last. */
    assert_int_equal(azurite_put_comp(rig->source, "d/log", "", append, 1), 201);
    struct object *objects = list(rig, rig->source, "d/", &count);
    assert_int_equal(count, 2);
    assert_string_equal(objects[0].key, "d/folder/file");
    assert_false(objects[0].irregular);
    assert_string_equal(objects[1].key, "d/log");
    assert_true(objects[1].irregular);
}

static void a_missing_container_is_missing(void **state)
{
    struct rig *rig = *state;
    struct policy_store *definition =
        azurite_define(&rig->azurite, AZURITE_COLD, "no-such-container", "");
    struct store *store = azurite_store(&rig->azurite, definition);
    struct listing listing = {.prefix = ""};
    store->ops->list(store, &listing, 1, rig->arena);
    assert_int_equal(listing.err.kind, ERR_MISSING);
    assert_non_null(strstr(listing.err.text, "no-such-container of store cold"));
    assert_string_equal(listing.err.code, "ContainerNotFound");

    put(rig->source, "a", "x");
    struct copy lost = copy_of(rig, "a");
    store->ops->copy(store, rig->source, &lost, 1);
    assert_result(&lost.outcome, RESULT_REFUSED);
    struct deletion deletions[] = {{.key = "a", .etag = "\"0x1\""}, {.key = "b", .etag = "\"1\""}};
    store->ops->remove(store, deletions, 1);
    assert_result(&deletions[0].outcome, RESULT_REFUSED);
    struct tiering tierings[] = {{.key = "a", .tier = TIER_COOL}, {.key = "b", .tier = TIER_COOL}};
    store->ops->set_tier(store, tierings, 1);
    assert_result(&tierings[0].outcome, RESULT_REFUSED);
    store_close(store);
    azurite_forget(definition);
}

/* -- copies ------------------------------------------------------------------------------------ */

static void a_copy_keeps_bytes_properties_and_metadata(void **state)
{
    struct rig *rig = *state;
    struct http_header headers[] = {{"x-ms-blob-content-type", "text/x-log"},
                                    {"x-ms-blob-cache-control", "no-store"},
                                    {"x-ms-meta-Origin", "car 7"},
                                    {"x-ms-meta-a_b", "under_score"},
                                    {"x-ms-meta-a1", "digit"}};
    static const char *const keys[] = {"d/full", "d/empty", "d/blocks"};
    char *large = arena_make(rig->arena, 3 << 20);
    memset(large, 'x', 3 << 20);
    azurite_put(rig->source, "d/full", "bytes", 5, headers, ITEMS(headers));
    azurite_put(rig->source, "d/empty", "", 0, headers, ITEMS(headers));
    azurite_put(rig->source, "d/blocks", large, (3 << 20) - 5, headers, ITEMS(headers));
    azure_store_limit(rig->target,
                      &(struct azure_limits){.whole_bytes = 1 << 20, .block_bytes = 700000});
    struct copy copies[3];
    for (size_t i = 0; i < 3; i++)
        copies[i] = copy_of(rig, keys[i]);
    copy(rig, copies, 3);
    for (size_t i = 0; i < 3; i++) {
        const char *raw = NULL;
        size_t size_bytes;
        assert_result(&copies[i].outcome, RESULT_DONE);
        const struct object *made = object_at(rig, rig->target, keys[i]);
        assert_string_equal(made->etag, copies[i].target_etag);
        assert_int_equal(made->bytes, copies[i].bytes);
        assert_int_equal(made->md5_origin, MD5_CLAIMED);
        assert_memory_equal(made->md5, object_at(rig, rig->source, keys[i])->md5, 16);
        assert_non_null(azurite_get(rig->target, keys[i], rig->arena, &size_bytes, &raw));
        struct http_request request = {.reply_headers = raw};
        assert_string_equal(http_header_find(&request, "content-type", rig->arena), "text/x-log");
        assert_string_equal(http_header_find(&request, "cache-control", rig->arena), "no-store");
        assert_string_equal(http_header_find(&request, "x-ms-meta-origin", rig->arena), "car 7");
        assert_string_equal(http_header_find(&request, "x-ms-meta-a_b", rig->arena), "under_score");
    }
    assert_holds(rig, rig->target, "d/full", "bytes");
    large[(3 << 20) - 5] = '\0';
    assert_holds(rig, rig->target, "d/blocks", large);
    assert_int_equal(copies[0].md5_origin, MD5_ABSENT);
    assert_int_equal(copies[1].md5_origin, MD5_COMPUTED);
    assert_int_equal(copies[2].md5_origin, MD5_ABSENT);
}

static void a_copy_goes_to_its_tier(void **state)
{
    struct rig *rig = *state;
    static const char *const keys[] = {"a", "empty", "large"};
    put(rig->source, "a", "bytes");
    put(rig->source, "empty", "");
    put(rig->source, "large", "more than ten bytes");
    azure_store_limit(rig->target, &(struct azure_limits){.whole_bytes = 10, .block_bytes = 4});
    struct copy copies[3];
    for (size_t i = 0; i < 3; i++) {
        copies[i] = copy_of(rig, keys[i]);
        copies[i].tier = TIER_COOL;
    }
    copy(rig, copies, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_result(&copies[i].outcome, RESULT_DONE);
        assert_int_equal(object_at(rig, rig->target, keys[i])->tier, TIER_COOL);
    }
    assert_holds(rig, rig->target, "large", "more than ten bytes");
}

/* In one request, empty and in blocks. */
static void take_care(struct rig *rig, const char *folder)
{
    static const char *const texts[] = {"bytes", "", "more than ten bytes"};
    for (size_t i = 0; i < ITEMS(texts); i++) {
        static const char *const fates[] = {"taken", "changed", "gone"};
        struct copy copies[3];
        for (size_t j = 0; j < 3; j++) {
            const char *key = str_format(rig->arena, "%s/%zu/%s", folder, i, fates[j]);
            put(rig->source, key, texts[i]);
            copies[j] = copy_of(rig, key);
        }
        put(rig->target, copies[0].target_key, "taken");
        azurite_put(rig->source, copies[1].source_key, "ten bytes, more or less", strlen(texts[i]),
                    NULL, 0);
        azurite_remove(rig->source, copies[2].source_key);
        copy(rig, copies, 3);
        assert_result(&copies[0].outcome, RESULT_EXISTS);
        assert_holds(rig, rig->target, copies[0].target_key, "taken");
        assert_result(&copies[1].outcome, RESULT_CHANGED);
        assert_gone(rig, rig->target, copies[1].target_key);
        assert_result(&copies[2].outcome, RESULT_CHANGED);
        assert_gone(rig, rig->target, copies[2].target_key);
    }
}

static void a_copy_overwrites_nothing_and_takes_no_other_source(void **state)
{
    struct rig *rig = *state;
    azure_store_limit(rig->target, &(struct azure_limits){.whole_bytes = 10, .block_bytes = 4});
    take_care(rig, "soon");
    azure_store_limit(rig->target, &(struct azure_limits){.slowly = true});
    take_care(rig, "slowly");
}

/* Azurite is done with it at once, and has nothing to abort. */
static void a_copy_by_the_service_alone_is_as_good_as_any(void **state)
{
    struct rig *rig = *state;
    struct http_header headers[] = {{"x-ms-blob-content-type", "text/x-log"},
                                    {"x-ms-meta-Origin", "car 7"}};
    azurite_put(rig->source, "d/a b%&+'", "bytes", 5, headers, ITEMS(headers));
    azure_store_limit(rig->target, &(struct azure_limits){.slowly = true});
    struct copy one = copy_of(rig, "d/a b%&+'");
    one.tier = TIER_COOL;
    one.may_take_us = 3600 * WHEN_SECOND_US;
    copy(rig, &one, 1);
    assert_result(&one.outcome, RESULT_DONE);
    assert_int_equal(one.md5_origin, MD5_ABSENT);
    const struct object *made = object_at(rig, rig->target, one.target_key);
    assert_string_equal(made->etag, one.target_etag);
    assert_int_equal(made->copy, COPY_NONE);
    assert_int_equal(made->tier, TIER_COOL);
    assert_non_null(made->copy_id);
    const char *raw = NULL;
    size_t size_bytes;
    assert_non_null(azurite_get(rig->target, one.target_key, rig->arena, &size_bytes, &raw));
    struct http_request request = {.reply_headers = raw};
    assert_string_equal(http_header_find(&request, "content-type", rig->arena), "text/x-log");
    assert_string_equal(http_header_find(&request, "x-ms-meta-origin", rig->arena), "car 7");
    struct aborting aborting = {.key = one.target_key, .copy_id = made->copy_id};
    rig->target->ops->abort_copy(rig->target, &aborting, 1);
    assert_result(&aborting.outcome, RESULT_DONE);
    assert_holds(rig, rig->target, one.target_key, "bytes");
}

static void one_request_a_copy(void **state)
{
    struct rig *rig = *state;
    struct copy copies[100];
    size_t count;
    for (size_t i = 0; i < ITEMS(copies); i++)
        put(rig->source, str_format(rig->arena, "d/%03zu", i), "x");
    struct object *objects = list(rig, rig->source, "d/", &count);
    for (size_t i = 0; i < ITEMS(copies); i++)
        copies[i] = (struct copy){.source_key = objects[i].key,
                                  .source_etag = objects[i].etag,
                                  .target_key = objects[i].key,
                                  .bytes = objects[i].bytes};
    uint64_t before = http_requests_sent(rig->azurite.http);
    copy(rig, copies, ITEMS(copies));
    for (size_t i = 0; i < ITEMS(copies); i++)
        assert_result(&copies[i].outcome, RESULT_DONE);
    /* One more, which learned that this server has no Put Blob From URL. */
    assert_int_equal(http_requests_sent(rig->azurite.http) - before, ITEMS(copies) + 1);
    list(rig, rig->target, "d/", &count);
    assert_int_equal(count, ITEMS(copies));
}

/* -- keys -------------------------------------------------------------------------------------- */

static void any_legal_key_goes_there_and_back(void **state)
{
    struct rig *rig = *state;
    static const char *const keys[] = {
        "k/ !\"#$%&'()*+,-.0123456789:;<=>@ABCZ[]^_`abcz{|}~",
        "k/?query=1&b#fragment",
        "k/%2F%25%zz",
        "k/a+b c",
        "k/\xc3\xbc\xe2\x82\xac\xf0\x9f\x9a\x97",
        "k/a//b",
        "k/...",
        "k/.hidden/..x/y..",
        "k/trailing ",
        "k/&amp;&lt;",
    };
    struct copy copies[ITEMS(keys)];
    struct reading readings[ITEMS(keys)];
    struct tiering tierings[ITEMS(keys)];
    struct deletion deletions[ITEMS(keys)];
    char bytes[ITEMS(keys)][8];
    for (size_t i = 0; i < ITEMS(keys); i++) {
        put(rig->source, keys[i], str_format(rig->arena, "%zu", i));
        copies[i] = copy_of(rig, keys[i]);
        tierings[i] = (struct tiering){.key = keys[i], .tier = TIER_COLD};
        deletions[i] = (struct deletion){.key = keys[i], .etag = copies[i].source_etag};
    }
    copy(rig, copies, ITEMS(keys));
    rig->target->ops->set_tier(rig->target, tierings, ITEMS(keys));
    for (size_t i = 0; i < ITEMS(keys); i++) {
        assert_result(&copies[i].outcome, RESULT_DONE);
        assert_result(&tierings[i].outcome, RESULT_DONE);
        const struct object *made = object_at(rig, rig->target, keys[i]);
        assert_string_equal(made->etag, copies[i].target_etag);
        assert_int_equal(made->tier, TIER_COLD);
        readings[i] = (struct reading){.key = keys[i],
                                       .etag = copies[i].target_etag,
                                       .bytes = bytes[i],
                                       .size_bytes = sizeof bytes[i]};
    }
    rig->target->ops->read(rig->target, readings, ITEMS(keys));
    rig->source->ops->remove(rig->source, deletions, ITEMS(keys));
    for (size_t i = 0; i < ITEMS(keys); i++) {
        assert_result(&readings[i].outcome, RESULT_DONE);
        assert_int_equal(readings[i].got_bytes, 1);
        assert_int_equal(bytes[i][0], '0' + (int)i);
        assert_result(&deletions[i].outcome, RESULT_DONE);
        assert_gone(rig, rig->source, keys[i]);
    }
}

static void keys_and_etags_that_lie_are_not_sent(void **state)
{
    struct rig *rig = *state;
    static const struct {
        const char *key, *etag;
    } cases[] = {{"a\r\nx-ms-meta-a: b", "\"1\""},
                 {"a/../b", "\"1\""},
                 {"./a", "\"1\""},
                 {"", "\"1\""},
                 {"a\x7f", "\"1\""},
                 {"\xff", "\"1\""},
                 {"a", ""},
                 {"a", "*"},
                 {"a", "0x1"},
                 {"a", "\"1\", \"2\""},
                 {"a", "\"1\"\r\nb: \"c\""}};
    enum { LYING_KEYS = 6 }; /* the other cases are etags, which a tier does without */
    struct deletion deletions[ITEMS(cases)];
    struct tiering tierings[LYING_KEYS];
    struct copy copies[ITEMS(cases)];
    struct reading readings[ITEMS(cases)];
    char byte;
    put(rig->source, "a", "x");
    uint64_t before = http_requests_sent(rig->azurite.http);
    for (size_t i = 0; i < ITEMS(cases); i++) {
        deletions[i] = (struct deletion){.key = cases[i].key, .etag = cases[i].etag};
        copies[i] = (struct copy){.source_key = cases[i].key,
                                  .source_etag = cases[i].etag,
                                  .target_key = cases[i].key,
                                  .bytes = 1};
        readings[i] = (struct reading){
            .key = cases[i].key, .etag = cases[i].etag, .bytes = &byte, .size_bytes = 1};
    }
    for (size_t i = 0; i < LYING_KEYS; i++)
        tierings[i] = (struct tiering){.key = cases[i].key, .tier = TIER_COOL};
    rig->source->ops->remove(rig->source, deletions, ITEMS(cases));
    rig->source->ops->read(rig->source, readings, ITEMS(cases));
    rig->source->ops->set_tier(rig->source, tierings, LYING_KEYS);
    copy(rig, copies, ITEMS(cases));
    for (size_t i = 0; i < ITEMS(cases); i++) {
        assert_result(&deletions[i].outcome, RESULT_REFUSED);
        assert_result(&readings[i].outcome, RESULT_REFUSED);
        assert_result(&copies[i].outcome, RESULT_REFUSED);
    }
    for (size_t i = 0; i < LYING_KEYS; i++)
        assert_result(&tierings[i].outcome, RESULT_REFUSED);
    assert_int_equal(http_requests_sent(rig->azurite.http), before);
    assert_holds(rig, rig->source, "a", "x");
}

/* -- deletions --------------------------------------------------------------------------------- */

static void a_batch_tells_each_deletion_apart(void **state)
{
    struct rig *rig = *state;
    struct http_header lease[] = {{"x-ms-lease-action", "acquire"}, {"x-ms-lease-duration", "15"}};
    struct http_header end[] = {{"x-ms-lease-action", "break"}, {"x-ms-lease-break-period", "0"}};
    static const char *const keys[] = {"d/a",      "d/changed",  "d/b", "d/gone",
                                       "d/leased", "d/snapshot", "d/c"};
    static const enum store_result wanted[] = {RESULT_DONE, RESULT_CHANGED, RESULT_DONE,
                                               RESULT_DONE, RESULT_REFUSED, RESULT_REFUSED,
                                               RESULT_DONE};
    struct deletion deletions[ITEMS(keys)];
    for (size_t i = 0; i < ITEMS(keys); i++) {
        put(rig->source, keys[i], "x");
        deletions[i] =
            (struct deletion){.key = keys[i], .etag = object_at(rig, rig->source, keys[i])->etag};
    }
    put(rig->source, "d/changed", "y");
    azurite_remove(rig->source, "d/gone");
    assert_int_equal(azurite_put_comp(rig->source, "d/leased", "lease", lease, 2), 201);
    assert_int_equal(azurite_put_comp(rig->source, "d/snapshot", "snapshot", NULL, 0), 201);
    uint64_t before = http_requests_sent(rig->azurite.http);
    rig->source->ops->remove(rig->source, deletions, ITEMS(keys));
    /* The batch, and a look each at what was changed and what was gone. */
    assert_int_equal(http_requests_sent(rig->azurite.http) - before, 3);
    for (size_t i = 0; i < ITEMS(keys); i++) {
        assert_result(&deletions[i].outcome, wanted[i]);
        /* The same one by one: another request, the same outcome. */
        rig->source->ops->remove(rig->source, &deletions[i], 1);
        assert_result(&deletions[i].outcome, wanted[i]);
    }
    assert_holds(rig, rig->source, "d/changed", "y");
    assert_holds(rig, rig->source, "d/leased", "x");
    assert_holds(rig, rig->source, "d/snapshot", "x");
    azurite_put_comp(rig->source, "d/leased", "lease", end, 2);
}

static void deletions_take_a_request_for_256(void **state)
{
    struct rig *rig = *state;
    struct deletion *deletions = arena_make(rig->arena, 600 * sizeof *deletions);
    size_t count;
    for (int i = 0; i < 600; i++)
        put(rig->source, str_format(rig->arena, "d/%03d", i), "x");
    put(rig->source, "e", "x");
    struct object *objects = list(rig, rig->source, "d/", &count);
    assert_int_equal(count, 600);
    for (size_t i = 0; i < 600; i++)
        deletions[i] = (struct deletion){.key = objects[i].key, .etag = objects[i].etag};
    deletions[300].etag = "\"0x123\"";
    uint64_t before = http_requests_sent(rig->azurite.http);
    rig->source->ops->remove(rig->source, deletions, 600);
    assert_int_equal(http_requests_sent(rig->azurite.http) - before, 3 + 1);
    for (size_t i = 0; i < 600; i++)
        assert_result(&deletions[i].outcome, i == 300 ? RESULT_CHANGED : RESULT_DONE);
    objects = list(rig, rig->source, "", &count);
    assert_int_equal(count, 2);
    assert_string_equal(objects[0].key, deletions[300].key);
    assert_string_equal(objects[1].key, "e");
}

/* -- tiers ------------------------------------------------------------------------------------- */

static void a_batch_tells_each_tier_apart(void **state)
{
    struct rig *rig = *state;
    struct http_header archive[] = {{"x-ms-access-tier", "Archive"}};
    struct http_header page[] = {{"x-ms-blob-type", "PageBlob"},
                                 {"x-ms-blob-content-length", "512"}};
    struct http_header lease[] = {{"x-ms-lease-action", "acquire"}, {"x-ms-lease-duration", "15"}};
    struct http_header end[] = {{"x-ms-lease-action", "break"}, {"x-ms-lease-break-period", "0"}};
    static const struct {
        const char *key;
        enum store_result wanted;
    } cases[] = {{"d/a", RESULT_DONE},         {"d/archived", RESULT_DONE},
                 {"d/b", RESULT_DONE},         {"d/gone", RESULT_CHANGED},
                 {"d/leased", RESULT_REFUSED}, {"d/page", RESULT_REFUSED},
                 {"d/c", RESULT_DONE}};
    struct tiering tierings[ITEMS(cases)];
    for (size_t i = 0; i < ITEMS(cases); i++) {
        tierings[i] = (struct tiering){.key = cases[i].key, .tier = TIER_COLD};
        if (!str_equal(cases[i].key, "d/gone") && !str_equal(cases[i].key, "d/page"))
            put(rig->source, cases[i].key, "x");
    }
    assert_int_equal(azurite_put_comp(rig->source, "d/archived", "tier", archive, 1), 200);
    assert_int_equal(azurite_put_comp(rig->source, "d/page", "", page, 2), 201);
    assert_int_equal(azurite_put_comp(rig->source, "d/leased", "lease", lease, 2), 201);
    uint64_t before = http_requests_sent(rig->azurite.http);
    rig->source->ops->set_tier(rig->source, tierings, ITEMS(cases));
    assert_int_equal(http_requests_sent(rig->azurite.http) - before, 1);
    for (size_t i = 0; i < ITEMS(cases); i++) {
        assert_result(&tierings[i].outcome, cases[i].wanted);
        if (cases[i].wanted == RESULT_DONE)
            assert_int_equal(object_at(rig, rig->source, cases[i].key)->tier, TIER_COLD);
        /* The same one by one: another request, the same outcome. */
        rig->source->ops->set_tier(rig->source, &tierings[i], 1);
        assert_result(&tierings[i].outcome, cases[i].wanted);
    }
    assert_int_equal(object_at(rig, rig->source, "d/leased")->tier, TIER_HOT);
    assert_int_equal(azurite_put_comp(rig->source, "d/leased", "lease", end, 2), 202);
}

static void tiers_take_a_request_for_256(void **state)
{
    struct rig *rig = *state;
    struct tiering *tierings = arena_make(rig->arena, 1300 * sizeof *tierings);
    size_t count;
    for (int i = 0; i < 600; i++)
        put(rig->target, str_format(rig->arena, "d/%03d", i), "x");
    struct object *before = list(rig, rig->target, "d/", &count);
    assert_int_equal(count, 600);
    for (size_t i = 0; i < 600; i++)
        tierings[i] = (struct tiering){.key = before[i].key, .tier = TIER_COOL};
    tierings[300].key = "d/never";
    uint64_t sent = http_requests_sent(rig->azurite.http);
    rig->target->ops->set_tier(rig->target, tierings, 600);
    assert_int_equal(http_requests_sent(rig->azurite.http) - sent, 3);
    for (size_t i = 0; i < 600; i++)
        assert_result(&tierings[i].outcome, i == 300 ? RESULT_CHANGED : RESULT_DONE);
    struct object *after = list(rig, rig->target, "d/", &count);
    assert_int_equal(count, 600);
    for (size_t i = 0; i < 600; i++) {
        assert_int_equal(after[i].tier, i == 300 ? TIER_HOT : TIER_COOL);
        assert_string_equal(after[i].etag, before[i].etag);
    }
    /* More than are in memory at a time: the last objects come behind the first 1,024. */
    for (size_t i = 0; i < 1300; i++)
        tierings[i] = (struct tiering){.key = before[i < 1100 ? i % 550 : 550 + i % 50].key,
                                       .tier = TIER_COLD};
    rig->target->ops->set_tier(rig->target, tierings, 1300);
    assert_int_equal(http_requests_sent(rig->azurite.http) - sent, 3 + 1 + 6);
    after = list(rig, rig->target, "d/", &count);
    for (size_t i = 0; i < 600; i++)
        assert_int_equal(after[i].tier, TIER_COLD);
}

/* -- reads ------------------------------------------------------------------------------------- */

static void many_ranges_are_read_at_once(void **state)
{
    struct rig *rig = *state;
    enum { PIECE = 100000, PIECES = 21 };
    char *bytes = arena_make(rig->arena, 2000003), *got = arena_make(rig->arena, PIECE * PIECES);
    struct reading readings[PIECES + 1];
    for (size_t i = 0; i < 2000003; i++)
        bytes[i] = (char)(i * 2654435761u >> 11);
    azurite_put(rig->source, "a", bytes, 2000003, NULL, 0);
    const char *etag = object_at(rig, rig->source, "a")->etag;
    for (size_t i = 0; i < PIECES; i++)
        readings[i] = (struct reading){.key = "a",
                                       .etag = etag,
                                       .from = i * PIECE,
                                       .bytes = got + i * PIECE,
                                       .size_bytes = PIECE};
    readings[PIECES] = readings[0];
    readings[PIECES].etag = "\"0x1\"";
    rig->source->ops->read(rig->source, readings, PIECES + 1);
    for (size_t i = 0; i < PIECES; i++) {
        assert_result(&readings[i].outcome, RESULT_DONE);
        assert_int_equal(readings[i].got_bytes, i + 1 < PIECES ? PIECE : 3);
    }
    assert_memory_equal(got, bytes, 2000003);
    assert_result(&readings[PIECES].outcome, RESULT_CHANGED);
}

/* -- credentials ------------------------------------------------------------------------------- */

static void a_wrong_key_is_denied_and_not_told(void **state)
{
    struct rig *rig = *state;
    static const char wrong[] = "Q0FOQVJZLUNBTkFSWS1DQU5BUlktQ0FOQVJZ";
    struct policy_store *definition =
        azurite_define(&rig->azurite, AZURITE_SOURCE, rig->definitions[0]->container, "");
    struct listing listing = {.prefix = ""};
    put(rig->source, "a", "x");
    struct copy denied = copy_of(rig, "a");
    secret_set(&definition->connection.key, wrong, strlen(wrong));
    struct store *store = azurite_store(&rig->azurite, definition);
    store->ops->list(store, &listing, 1, rig->arena);
    assert_int_equal(listing.err.kind, ERR_DENIED);
    assert_null(strstr(listing.err.text, "CANARY"));
    struct deletion deletions[2] = {{.key = "a", .etag = denied.source_etag},
                                    {.key = "b", .etag = denied.source_etag}};
    store->ops->remove(store, deletions, 2);
    assert_result(&deletions[0].outcome, RESULT_DENIED);
    store->ops->remove(store, deletions, 1);
    assert_result(&deletions[0].outcome, RESULT_DENIED);
    struct tiering tierings[2] = {{.key = "a", .tier = TIER_COOL}, {.key = "b", .tier = TIER_COOL}};
    store->ops->set_tier(store, tierings, 2);
    assert_result(&tierings[0].outcome, RESULT_DENIED);
    store->ops->set_tier(store, tierings, 1);
    assert_result(&tierings[0].outcome, RESULT_DENIED);
    /* The right key at the target, a SAS of the wrong one for the source. */
    rig->target->ops->copy(rig->target, store, &denied, 1);
    assert_result(&denied.outcome, RESULT_DENIED);
    assert_holds(rig, rig->source, "a", "x");
    store_close(store);
    azurite_forget(definition);
}

/* A SAS that allows all of this container or of the account, spelled out by hand. */
static void use_sas(struct rig *rig, struct policy_store *definition, bool whole_account)
{
    struct connection *connection = &definition->connection;
    char expires[WHEN_TEXT_MAX];
    struct err err;
    uint8_t *key, mac[DIGEST_SHA256_BYTES];
    size_t key_bytes;
    when_instant_text(clock_real()->ops->now_us(clock_real()) + 3600 * WHEN_SECOND_US, expires);
    strcpy(strchr(expires, '.'), "Z");
    assert_true(
        digest_unbase64(rig->arena, secret_reveal(&connection->key), &key, &key_bytes, &err));
    const char *text =
        whole_account
            ? str_format(rig->arena, "%s\nrwdlac\nb\nsco\n\n%s\n\n\n2021-12-02\n\n",
                         connection->account, expires)
            : str_format(rig->arena, "racwdl\n\n%s\n/blob/%s/%s\n\n\n\n2021-12-02\nc\n\n\n\n\n\n\n",
                         expires, connection->account, definition->container);
    digest_hmac_sha256(key, key_bytes, text, strlen(text), mac);
    const char *signature = digest_base64(rig->arena, mac, sizeof mac);
    struct buf sas;
    buf_init(&sas, 4096);
    buf_format(&sas, "sv=2021-12-02&%s&se=%s&sig=",
               whole_account ? "ss=b&srt=sco&sp=rwdlac" : "sr=c&sp=racwdl", expires);
    url_encode(&sas, signature, strlen(signature), URL_COMPONENT);
    secret_clear(&connection->key);
    secret_set(&connection->sas, sas.bytes, sas.size);
    buf_free(&sas);
}

static void move_with_sas(struct rig *rig, bool whole_account)
{
    struct policy_store *definitions[2];
    struct store *stores[2];
    for (int i = 0; i < 2; i++) {
        definitions[i] = azurite_define(&rig->azurite, i == 0 ? AZURITE_SOURCE : AZURITE_COLD,
                                        rig->definitions[i]->container, "");
        use_sas(rig, definitions[i], whole_account);
        stores[i] = azurite_store(&rig->azurite, definitions[i]);
    }
    put(rig->source, "a b", "bytes");
    put(rig->source, "c", "");
    struct copy copies[] = {copy_of(rig, "a b"), copy_of(rig, "c")};
    stores[1]->ops->copy(stores[1], stores[0], copies, 2);
    assert_result(&copies[0].outcome, RESULT_DONE);
    assert_result(&copies[1].outcome, RESULT_DONE);
    assert_holds(rig, stores[1], "a b", "bytes");
    assert_string_equal(object_at(rig, stores[1], "a b")->etag, copies[0].target_etag);
    struct tiering tierings[] = {{.key = "a b", .tier = TIER_COOL},
                                 {.key = "c", .tier = TIER_COLD},
                                 {.key = "d", .tier = TIER_COLD}};
    stores[1]->ops->set_tier(stores[1], tierings, 3);
    assert_result(&tierings[0].outcome, RESULT_DONE);
    assert_result(&tierings[1].outcome, RESULT_DONE);
    assert_result(&tierings[2].outcome, RESULT_CHANGED);
    assert_int_equal(object_at(rig, stores[1], "a b")->tier, TIER_COOL);
    tierings[0].tier = TIER_HOT;
    stores[1]->ops->set_tier(stores[1], tierings, 1);
    assert_result(&tierings[0].outcome, RESULT_DONE);
    assert_int_equal(object_at(rig, stores[1], "a b")->tier, TIER_HOT);
    struct deletion deletions[] = {{.key = "a b", .etag = copies[0].source_etag},
                                   {.key = "c", .etag = "\"0x1\""}};
    stores[0]->ops->remove(stores[0], deletions, 2);
    assert_result(&deletions[0].outcome, RESULT_DONE);
    assert_result(&deletions[1].outcome, RESULT_CHANGED);
    deletions[1].etag = copies[1].source_etag;
    stores[0]->ops->remove(stores[0], &deletions[1], 1);
    assert_result(&deletions[1].outcome, RESULT_DONE);
    for (int i = 0; i < 2; i++) {
        store_close(stores[i]);
        azurite_forget(definitions[i]);
    }
}

static void a_sas_serves_as_well_as_a_key(void **state)
{
    move_with_sas(*state, false);
}

static void so_does_that_of_an_account(void **state)
{
    move_with_sas(*state, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pages_end_with_an_empty_marker, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_object_is_listed_as_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folders_are_no_objects_and_other_kinds_are_irregular,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_container_is_missing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_copy_keeps_bytes_properties_and_metadata, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_copy_goes_to_its_tier, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_copy_overwrites_nothing_and_takes_no_other_source, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_copy_by_the_service_alone_is_as_good_as_any, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_request_a_copy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_legal_key_goes_there_and_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keys_and_etags_that_lie_are_not_sent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_batch_tells_each_deletion_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deletions_take_a_request_for_256, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_batch_tells_each_tier_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tiers_take_a_request_for_256, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_ranges_are_read_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_key_is_denied_and_not_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sas_serves_as_well_as_a_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(so_does_that_of_an_account, set_up, tear_down),
    };
    int missing = azurite_missing();
    return missing ? missing : cmocka_run_group_tests(tests, NULL, NULL);
}
