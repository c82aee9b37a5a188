/* The store's contract: the same cases against memory, local folders and Azurite. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/str.h"
#include "tests/support/store_rig.h"

#define SKIPPED 77 /* what ctest calls skipped */
#define ITEMS(array) (sizeof(array) / sizeof((array)[0]))

static enum store_rig_kind kind; /* the adapter whose turn it is */

static int set_up(void **state)
{
    struct store_rig *rig = malloc(sizeof *rig);
    assert_non_null(rig);
    store_rig_open(rig, kind);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    store_rig_close(*state);
    free(*state);
    return 0;
}

/* -- helpers ----------------------------------------------------------------------------------- */

static void put(struct store_rig *rig, enum store_rig_side side, const char *key, const char *text)
{
    store_rig_put(rig, side, key, text, strlen(text));
}

static void assert_holds(struct store_rig *rig, enum store_rig_side side, const char *key,
                         const char *text)
{
    size_t size_bytes;
    const char *bytes = store_rig_get(rig, side, key, &size_bytes);
    if (!bytes)
        fail_msg("%s is not there", key);
    assert_int_equal(size_bytes, strlen(text));
    assert_memory_equal(bytes, text, size_bytes);
}

static void assert_gone(struct store_rig *rig, enum store_rig_side side, const char *key)
{
    size_t size_bytes;
    assert_null(store_rig_get(rig, side, key, &size_bytes));
}

/* All keys of a listing, each with a blank behind it. */
static const char *keys_of(struct store_rig *rig, const char *prefix)
{
    const struct object *objects;
    const char *keys = "";
    size_t count = store_rig_list(rig, SOURCE, prefix, &objects);
    for (size_t i = 0; i < count; i++)
        keys = str_format(&rig->arena, "%s%s ", keys, objects[i].key);
    return keys;
}

static struct copy copy_of(struct store_rig *rig, const char *source_key, const char *target_key)
{
    const struct object *objects;
    assert_true(store_rig_list(rig, SOURCE, source_key, &objects) > 0);
    assert_string_equal(objects[0].key, source_key);
    return (struct copy){.source_key = source_key,
                         .source_etag = objects[0].etag,
                         .target_key = target_key,
                         .bytes = objects[0].bytes,
                         .unit = 7};
}

static enum store_result run_copy(struct store_rig *rig, struct copy *copy)
{
    struct store *target = rig->stores[TARGET];
    target->ops->copy(target, rig->stores[SOURCE], copy, 1);
    return copy->outcome.result;
}

static enum store_result run_remove(struct store_rig *rig, const char *key, const char *etag)
{
    struct store *source = rig->stores[SOURCE];
    struct deletion deletion = {.key = key, .etag = etag};
    source->ops->remove(source, &deletion, 1);
    return deletion.outcome.result;
}

static enum store_result run_read(struct store_rig *rig, struct reading *reading)
{
    struct store *source = rig->stores[SOURCE];
    source->ops->read(source, reading, 1);
    return reading->outcome.result;
}

static enum store_result run_set_tier(struct store_rig *rig, const char *key, enum access_tier tier)
{
    struct store *source = rig->stores[SOURCE];
    struct tiering tiering = {.key = key, .tier = tier};
    source->ops->set_tier(source, &tiering, 1);
    return tiering.outcome.result;
}

static void need_tiers(struct store_rig *rig)
{
    if (!rig->stores[SOURCE]->ops->set_tier)
        skip();
}

/* DONE tells the truth: the bytes, the etag that a listing shows, the digest if there is one. */
static void assert_copied(struct store_rig *rig, const struct copy *copy, const char *text)
{
    uint8_t md5[OBJECT_MD5_BYTES];
    if (copy->outcome.result != RESULT_DONE)
        fail_msg("%s: %s %d %s", copy->target_key, store_result_name(copy->outcome.result),
                 copy->outcome.status, copy->outcome.code);
    assert_holds(rig, TARGET, copy->target_key, text);
    assert_string_equal(copy->target_etag, store_rig_etag(rig, TARGET, copy->target_key));
    digest_of(DIGEST_MD5, text, strlen(text), md5);
    if (copy->md5_origin != MD5_ABSENT) {
        assert_int_equal(copy->md5_origin, MD5_COMPUTED);
        assert_memory_equal(copy->md5, md5, sizeof md5);
    }
}

/* -- listings ---------------------------------------------------------------------------------- */

static void every_key_is_listed_once(void **state)
{
    struct store_rig *rig = *state;
    const struct object *objects;
    for (int i = 0; i < 40; i++)
        put(rig, SOURCE, str_format(&rig->arena, "d/%02d/f%d", (i * 17) % 40, i), "xy");

    assert_int_equal(store_rig_list(rig, SOURCE, "d/", &objects), 40);
    for (int i = 0; i < 40; i++) {
        assert_true(str_starts(objects[i].key, str_format(&rig->arena, "d/%02d/f", i)));
        assert_int_equal(objects[i].bytes, 2);
        assert_true(objects[i].etag[0] == '"' && strlen(objects[i].etag) < OBJECT_ETAG_MAX);
        assert_false(objects[i].irregular);
        assert_int_equal(objects[i].copy, COPY_NONE);
    }
}

static void a_prefix_may_end_anywhere(void **state)
{
    struct store_rig *rig = *state;
    static const char *const keys[] = {"a/1", "a/1/x", "a/1/y/z", "a/10/x", "a/2", "b", "a.b"};
    for (size_t i = 0; i < ITEMS(keys); i++) {
        if (!store_rig_is_local(rig) || !str_equal(keys[i], "a/1"))
            put(rig, SOURCE, keys[i], "x");
    }
    assert_string_equal(keys_of(rig, "a/1/"), "a/1/x a/1/y/z ");
    assert_string_equal(keys_of(rig, "a/10"), "a/10/x ");
    assert_string_equal(keys_of(rig, "a/1/y"), "a/1/y/z ");
    assert_string_equal(keys_of(rig, "a/2"), "a/2 ");
    if (store_rig_is_local(rig)) { /* a name is a file or a folder */
        assert_string_equal(keys_of(rig, "a/1"), "a/1/x a/1/y/z a/10/x ");
        assert_string_equal(keys_of(rig, ""), "a.b a/1/x a/1/y/z a/10/x a/2 b ");
    } else {
        assert_string_equal(keys_of(rig, "a/1"), "a/1 a/1/x a/1/y/z a/10/x ");
        assert_string_equal(keys_of(rig, ""), "a.b a/1 a/1/x a/1/y/z a/10/x a/2 b ");
    }
}

static const char *exact_of(struct store_rig *rig, const char *key)
{
    struct store *source = rig->stores[SOURCE];
    struct listing page = {.prefix = key, .exact = true};
    const char *keys = "";
    do {
        source->ops->list(source, &page, 1, &rig->arena);
        assert_int_equal(page.err.kind, ERR_NONE);
        for (size_t i = 0; i < page.count; i++)
            keys = str_format(&rig->arena, "%s%s ", keys, page.objects[i].key);
    } while (page.marker);
    return keys;
}

static void an_exact_listing_is_of_one_object(void **state)
{
    struct store_rig *rig = *state;
    static const char *const keys[] = {"a/1", "a/1.bak", "a/10", "a/1 ", "a/2/1", "a.b", "b"};
    for (size_t i = 0; i < ITEMS(keys); i++)
        put(rig, SOURCE, keys[i], "x");
    for (size_t i = 0; i < ITEMS(keys); i++)
        assert_string_equal(exact_of(rig, keys[i]), str_format(&rig->arena, "%s ", keys[i]));
    if (!store_rig_is_local(rig)) { /* a name is a file or a folder */
        put(rig, SOURCE, "a/1/x", "x");
        assert_string_equal(exact_of(rig, "a/1"), "a/1 ");
        assert_string_equal(exact_of(rig, "a/2"), "");
    }
    static const char *const others[] = {"a/", "a/2/", "a/1.", "a/11", "a/3", "c", "c/d", "a/1/y"};
    for (size_t i = 0; i < ITEMS(others); i++)
        if (!store_rig_is_local(rig) || !str_ends(others[i], "/"))
            assert_string_equal(exact_of(rig, others[i]), "");
    struct listing page = {.prefix = "a/1", .exact = true};
    store_rig_remove_all(rig, SOURCE);
    rig->stores[SOURCE]->ops->list(rig->stores[SOURCE], &page, 1, &rig->arena);
    assert_int_equal(page.err.kind, ERR_MISSING);
}

static void a_prefix_without_objects_is_an_empty_page(void **state)
{
    struct store_rig *rig = *state;
    put(rig, SOURCE, "a/1", "x");
    assert_string_equal(keys_of(rig, "b/"), "");
    assert_string_equal(keys_of(rig, "a/1/"), "");
    assert_string_equal(keys_of(rig, "a/12"), "");
    assert_string_equal(keys_of(rig, "b/c/d/"), "");
}

static void no_container_is_missing_and_never_empty(void **state)
{
    struct store_rig *rig = *state;
    struct store *source = rig->stores[SOURCE];
    struct listing pages[] = {{.prefix = "a/"}, {.prefix = ""}};
    store_rig_remove_all(rig, SOURCE);
    source->ops->list(source, pages, ITEMS(pages), &rig->arena);
    assert_int_equal(pages[0].err.kind, ERR_MISSING);
    assert_int_equal(pages[1].err.kind, ERR_MISSING);
}

static void a_probe_asks_whether_there_is_a_store(void **state)
{
    struct store_rig *rig = *state;
    struct err err;
    assert_true(store_probe(rig->stores[SOURCE], &err)); /* an empty one */
    put(rig, SOURCE, "a/1", "x");
    assert_true(store_probe(rig->stores[SOURCE], &err));
    store_rig_remove_all(rig, SOURCE);
    assert_false(store_probe(rig->stores[SOURCE], &err));
    assert_int_equal(err.kind, ERR_MISSING);
}

static void listings_don_t_mix(void **state)
{
    struct store_rig *rig = *state;
    struct store *source = rig->stores[SOURCE];
    struct listing pages[STORE_LISTINGS_MAX] = {{0}};
    for (size_t i = 0; i < ITEMS(pages); i++) {
        for (size_t k = 0; k < i % 5; k++)
            put(rig, SOURCE, str_format(&rig->arena, "d%zu/%zu", i, k), "x");
        pages[i].prefix = str_format(&rig->arena, "d%zu/", i);
    }
    source->ops->list(source, pages, ITEMS(pages), &rig->arena);
    for (size_t i = 0; i < ITEMS(pages); i++) {
        assert_int_equal(pages[i].err.kind, ERR_NONE);
        assert_int_equal(pages[i].count, i % 5);
        for (size_t k = 0; k < pages[i].count; k++)
            assert_true(str_starts(pages[i].objects[k].key, pages[i].prefix));
    }
}

static void another_content_has_another_etag(void **state)
{
    struct store_rig *rig = *state;
    put(rig, SOURCE, "a", "one");
    const char *before = store_rig_etag(rig, SOURCE, "a");
    assert_string_equal(store_rig_etag(rig, SOURCE, "a"), before);
    put(rig, SOURCE, "a", "three");
    assert_string_not_equal(store_rig_etag(rig, SOURCE, "a"), before);
}

/* -- copies ------------------------------------------------------------------------------------ */

static void a_copy_has_the_bytes_of_its_source(void **state)
{
    struct store_rig *rig = *state;
    put(rig, SOURCE, "a/b/c", "bytes");
    struct copy copy = copy_of(rig, "a/b/c", "x/y/z");
    run_copy(rig, &copy);
    assert_copied(rig, &copy, "bytes");
    assert_holds(rig, SOURCE, "a/b/c", "bytes");
}

static void an_empty_object_is_an_object(void **state)
{
    struct store_rig *rig = *state;
    put(rig, SOURCE, "a/empty", "");
    struct copy copy = copy_of(rig, "a/empty", "a/empty");
    assert_int_equal(copy.bytes, 0);
    run_copy(rig, &copy);
    assert_copied(rig, &copy, "");
    assert_int_equal(run_remove(rig, "a/empty", copy.source_etag), RESULT_DONE);
    assert_string_equal(keys_of(rig, "a/"), "");
}

static void a_large_object_is_copied_whole(void **state)
{
    struct store_rig *rig = *state;
    size_t size_bytes = ((size_t)5 << 20) + 3, got_bytes;
    char *bytes = arena_make(&rig->arena, size_bytes);
    uint8_t md5[OBJECT_MD5_BYTES];
    for (size_t i = 0; i < size_bytes; i++)
        bytes[i] = (char)(i * 2654435761u >> 13);
    store_rig_put(rig, SOURCE, "large", bytes, size_bytes);

    struct copy copy = copy_of(rig, "large", "large");
    assert_int_equal(run_copy(rig, &copy), RESULT_DONE);
    const char *got = store_rig_get(rig, TARGET, "large", &got_bytes);
    assert_int_equal(got_bytes, size_bytes);
    assert_memory_equal(got, bytes, size_bytes);
    digest_of(DIGEST_MD5, bytes, size_bytes, md5);
    if (copy.md5_origin == MD5_COMPUTED)
        assert_memory_equal(copy.md5, md5, sizeof md5);
}

static void a_copy_never_overwrites(void **state)
{
    struct store_rig *rig = *state;
    put(rig, SOURCE, "a", "source");
    put(rig, TARGET, "a", "target");
    const char *before = store_rig_etag(rig, TARGET, "a");
    struct copy copy = copy_of(rig, "a", "a");
    assert_int_equal(run_copy(rig, &copy), RESULT_EXISTS);
    assert_holds(rig, TARGET, "a", "target");
    assert_string_equal(store_rig_etag(rig, TARGET, "a"), before);
    assert_string_equal(copy.target_etag, "");
    assert_int_equal(copy.md5_origin, MD5_ABSENT);
}

static void a_copy_sent_twice_is_made_once(void **state)
{
    struct store_rig *rig = *state;
    put(rig, SOURCE, "a", "source");
    struct copy copy = copy_of(rig, "a", "a"), again = copy;
    run_copy(rig, &copy);
    assert_copied(rig, &copy, "source");
    assert_int_equal(run_copy(rig, &again), RESULT_EXISTS);
    assert_copied(rig, &copy, "source");
}

static void a_copy_onto_itself_does_no_harm(void **state)
{
    struct store_rig *rig = *state;
    struct store *source = rig->stores[SOURCE];
    put(rig, SOURCE, "a/b", "bytes");
    struct copy copy = copy_of(rig, "a/b", "a/b");
    source->ops->copy(source, source, &copy, 1);
    assert_int_equal(copy.outcome.result, RESULT_EXISTS);
    assert_holds(rig, SOURCE, "a/b", "bytes");
    assert_string_equal(store_rig_etag(rig, SOURCE, "a/b"), copy.source_etag);
}

static void a_copy_within_a_store(void **state)
{
    struct store_rig *rig = *state;
    struct store *source = rig->stores[SOURCE];
    put(rig, SOURCE, "a/b", "bytes");
    struct copy copy = copy_of(rig, "a/b", "c/b");
    source->ops->copy(source, source, &copy, 1);
    assert_int_equal(copy.outcome.result, RESULT_DONE);
    assert_holds(rig, SOURCE, "c/b", "bytes");
    assert_holds(rig, SOURCE, "a/b", "bytes");
}

static void a_source_that_changed_is_not_copied(void **state)
{
    struct store_rig *rig = *state;
    put(rig, SOURCE, "a", "old");
    struct copy copy = copy_of(rig, "a", "a");
    put(rig, SOURCE, "a", "newer");
    assert_int_equal(run_copy(rig, &copy), RESULT_CHANGED);
    assert_gone(rig, TARGET, "a");
}

static void a_source_that_vanished_is_not_copied(void **state)
{
    struct store_rig *rig = *state;
    put(rig, SOURCE, "a/b", "old");
    struct copy copy = copy_of(rig, "a/b", "a/b"), lost = copy;
    store_rig_remove(rig, SOURCE, "a/b");
    lost.source_key = "no/such/folder";
    assert_int_equal(run_copy(rig, &copy), RESULT_CHANGED);
    assert_int_equal(run_copy(rig, &lost), RESULT_CHANGED);
    assert_gone(rig, TARGET, "a/b");
}

/* -- deletions --------------------------------------------------------------------------------- */

static void a_deletion_needs_the_etag(void **state)
{
    struct store_rig *rig = *state;
    put(rig, SOURCE, "a/b", "old");
    const char *old = store_rig_etag(rig, SOURCE, "a/b");
    put(rig, SOURCE, "a/b", "newer");
    assert_int_equal(run_remove(rig, "a/b", old), RESULT_CHANGED);
    assert_holds(rig, SOURCE, "a/b", "newer");
    assert_int_equal(run_remove(rig, "a/b", store_rig_etag(rig, SOURCE, "a/b")), RESULT_DONE);
    assert_gone(rig, SOURCE, "a/b");
}

static void what_is_gone_is_deleted(void **state)
{
    struct store_rig *rig = *state;
    put(rig, SOURCE, "a/b", "x");
    const char *etag = store_rig_etag(rig, SOURCE, "a/b");
    assert_int_equal(run_remove(rig, "a/b", etag), RESULT_DONE);
    assert_int_equal(run_remove(rig, "a/b", etag), RESULT_DONE);
    assert_int_equal(run_remove(rig, "never/was/there", etag), RESULT_DONE);
}

static void what_comes_back_is_not_deleted(void **state)
{
    struct store_rig *rig = *state;
    put(rig, SOURCE, "a/b", "x");
    const char *etag = store_rig_etag(rig, SOURCE, "a/b");
    assert_int_equal(run_remove(rig, "a/b", etag), RESULT_DONE);
    put(rig, SOURCE, "a/b", "x, again");
    assert_int_equal(run_remove(rig, "a/b", etag), RESULT_CHANGED);
    assert_holds(rig, SOURCE, "a/b", "x, again");
}

/* -- tiers ------------------------------------------------------------------------------------- */

static void a_tier_is_listed_and_nothing_else_changes(void **state)
{
    struct store_rig *rig = *state;
    static const enum access_tier tiers[] = {TIER_COOL, TIER_COLD, TIER_COLD, TIER_HOT};
    const struct object *objects;
    need_tiers(rig);
    put(rig, SOURCE, "a/b", "bytes");
    put(rig, SOURCE, "a/c", "others");
    assert_int_equal(store_rig_list(rig, SOURCE, "a/", &objects), 2);
    const struct object before = objects[0], other = objects[1];
    for (size_t i = 0; i < ITEMS(tiers); i++) {
        assert_int_equal(run_set_tier(rig, "a/b", tiers[i]), RESULT_DONE);
        assert_int_equal(store_rig_list(rig, SOURCE, "a/", &objects), 2);
        assert_int_equal(objects[0].tier, tiers[i]);
        assert_string_equal(objects[0].etag, before.etag);
        assert_int_equal(objects[0].bytes, before.bytes);
        assert_memory_equal(objects[0].md5, before.md5, sizeof before.md5);
        assert_int_equal(objects[1].tier, other.tier);
        assert_holds(rig, SOURCE, "a/b", "bytes");
    }
}

static void what_is_gone_has_no_tier(void **state)
{
    struct store_rig *rig = *state;
    need_tiers(rig);
    put(rig, SOURCE, "a/b", "x");
    store_rig_remove(rig, SOURCE, "a/b");
    assert_int_equal(run_set_tier(rig, "a/b", TIER_COOL), RESULT_CHANGED);
    assert_int_equal(run_set_tier(rig, "never/was/there", TIER_COOL), RESULT_CHANGED);
    assert_string_equal(keys_of(rig, ""), "");
}

/* Whoever found an object at a tier finds its copy at the tier that the copy asked for. */
static void a_copy_has_a_tier_of_its_own(void **state)
{
    struct store_rig *rig = *state;
    const struct object *objects;
    need_tiers(rig);
    put(rig, SOURCE, "a", "bytes");
    assert_int_equal(run_set_tier(rig, "a", TIER_COLD), RESULT_DONE);
    struct copy copy = copy_of(rig, "a", "a");
    copy.tier = TIER_COOL;
    run_copy(rig, &copy);
    assert_copied(rig, &copy, "bytes");
    assert_int_equal(store_rig_list(rig, TARGET, "a", &objects), 1);
    assert_int_equal(objects[0].tier, TIER_COOL);
}

/* -- batches ----------------------------------------------------------------------------------- */

#define BATCH 300

/* What item i of a batch meets. */
enum fate { WELL, TAKEN, REWRITTEN, VANISHED, FATES };

static enum fate fate_of(size_t i)
{
    return i % 7 < FATES ? (enum fate)(i % 7) : WELL;
}

static void each_copy_of_a_batch_has_its_outcome(void **state)
{
    struct store_rig *rig = *state;
    struct store *target = rig->stores[TARGET];
    struct copy *copies = arena_make(&rig->arena, BATCH * sizeof *copies);
    const struct object *objects;
    for (size_t i = 0; i < BATCH; i++)
        put(rig, SOURCE, str_format(&rig->arena, "d/%zu/%03zu", i / 50, i),
            str_format(&rig->arena, "bytes of %zu", i));
    assert_int_equal(store_rig_list(rig, SOURCE, "d/", &objects), BATCH);
    for (size_t i = 0; i < BATCH; i++) {
        copies[i] = (struct copy){.source_key = objects[i].key,
                                  .source_etag = objects[i].etag,
                                  .target_key = objects[i].key,
                                  .bytes = objects[i].bytes};
        if (fate_of(i) == TAKEN)
            put(rig, TARGET, objects[i].key, "taken");
        if (fate_of(i) == REWRITTEN)
            put(rig, SOURCE, objects[i].key, "rewritten meanwhile");
        if (fate_of(i) == VANISHED)
            store_rig_remove(rig, SOURCE, objects[i].key);
    }

    target->ops->copy(target, rig->stores[SOURCE], copies, BATCH);
    for (size_t i = 0; i < BATCH; i++) {
        static const enum store_result wanted[] = {
            [WELL] = RESULT_DONE,
            [TAKEN] = RESULT_EXISTS,
            [REWRITTEN] = RESULT_CHANGED,
            [VANISHED] = RESULT_CHANGED,
        };
        assert_int_equal(copies[i].outcome.result, wanted[fate_of(i)]);
        if (fate_of(i) == WELL)
            assert_holds(rig, TARGET, copies[i].target_key,
                         str_format(&rig->arena, "bytes of %zu", i));
        else if (fate_of(i) == TAKEN)
            assert_holds(rig, TARGET, copies[i].target_key, "taken");
        else
            assert_gone(rig, TARGET, copies[i].target_key);
    }
}

static void each_deletion_of_a_batch_has_its_outcome(void **state)
{
    struct store_rig *rig = *state;
    struct store *source = rig->stores[SOURCE];
    struct deletion *deletions = arena_make(&rig->arena, BATCH * sizeof *deletions);
    const struct object *objects;
    for (size_t i = 0; i < BATCH; i++)
        put(rig, SOURCE, str_format(&rig->arena, "d/%zu/%03zu", i / 50, i), "x");
    assert_int_equal(store_rig_list(rig, SOURCE, "d/", &objects), BATCH);
    for (size_t i = 0; i < BATCH; i++) {
        deletions[i] = (struct deletion){.key = objects[i].key, .etag = objects[i].etag};
        if (fate_of(i) == REWRITTEN)
            put(rig, SOURCE, objects[i].key, "rewritten meanwhile");
        if (fate_of(i) == VANISHED)
            store_rig_remove(rig, SOURCE, objects[i].key);
    }

    source->ops->remove(source, deletions, BATCH);
    for (size_t i = 0; i < BATCH; i++) {
        bool rewritten = fate_of(i) == REWRITTEN;
        assert_int_equal(deletions[i].outcome.result, rewritten ? RESULT_CHANGED : RESULT_DONE);
        if (rewritten)
            assert_holds(rig, SOURCE, deletions[i].key, "rewritten meanwhile");
        else
            assert_gone(rig, SOURCE, deletions[i].key);
    }
}

static void each_tier_of_a_batch_has_its_outcome(void **state)
{
    struct store_rig *rig = *state;
    struct store *source = rig->stores[SOURCE];
    struct tiering *tierings = arena_make(&rig->arena, BATCH * sizeof *tierings);
    const struct object *objects;
    need_tiers(rig);
    for (size_t i = 0; i < BATCH; i++)
        put(rig, SOURCE, str_format(&rig->arena, "d/%zu/%03zu", i / 50, i), "x");
    assert_int_equal(store_rig_list(rig, SOURCE, "d/", &objects), BATCH);
    for (size_t i = 0; i < BATCH; i++) {
        tierings[i] =
            (struct tiering){.key = objects[i].key, .tier = i % 2 ? TIER_COOL : TIER_COLD};
        if (fate_of(i) == REWRITTEN)
            put(rig, SOURCE, objects[i].key, "rewritten meanwhile");
        if (fate_of(i) == VANISHED)
            store_rig_remove(rig, SOURCE, objects[i].key);
    }

    source->ops->set_tier(source, tierings, BATCH);
    size_t left = store_rig_list(rig, SOURCE, "d/", &objects), at = 0;
    for (size_t i = 0; i < BATCH; i++) {
        if (fate_of(i) == VANISHED) {
            assert_int_equal(tierings[i].outcome.result, RESULT_CHANGED);
            continue;
        }
        assert_int_equal(tierings[i].outcome.result, RESULT_DONE);
        assert_true(at < left);
        assert_string_equal(objects[at].key, tierings[i].key);
        assert_int_equal(objects[at++].tier, tierings[i].tier);
    }
    assert_int_equal(at, left);
}

/* -- reads ------------------------------------------------------------------------------------- */

static void reads_give_the_range_or_what_there_is_of_it(void **state)
{
    struct store_rig *rig = *state;
    static const struct {
        uint64_t from;
        size_t size_bytes;
        const char *wanted;
    } cases[] = {{0, 10, "0123456789"}, {0, 3, "012"},  {4, 3, "456"},
                 {7, 3, "789"},         {7, 30, "789"}, {9, 1, "9"},
                 {10, 5, ""},           {1000, 5, ""},  {0, 64, "0123456789"}};
    put(rig, SOURCE, "a/b", "0123456789");
    for (size_t i = 0; i < ITEMS(cases); i++) {
        char bytes[65] = "################################################################";
        struct reading reading = {.key = "a/b",
                                  .etag = store_rig_etag(rig, SOURCE, "a/b"),
                                  .from = cases[i].from,
                                  .bytes = bytes,
                                  .size_bytes = cases[i].size_bytes};
        assert_int_equal(run_read(rig, &reading), RESULT_DONE);
        assert_int_equal(reading.got_bytes, strlen(cases[i].wanted));
        assert_memory_equal(bytes, cases[i].wanted, reading.got_bytes);
        assert_int_equal(bytes[reading.got_bytes], '#');
    }
}

static void an_empty_object_reads_as_nothing(void **state)
{
    struct store_rig *rig = *state;
    char bytes[4];
    put(rig, SOURCE, "a", "");
    struct reading reading = {.key = "a",
                              .etag = store_rig_etag(rig, SOURCE, "a"),
                              .bytes = bytes,
                              .size_bytes = sizeof bytes,
                              .got_bytes = 99};
    assert_int_equal(run_read(rig, &reading), RESULT_DONE);
    assert_int_equal(reading.got_bytes, 0);
}

static void reads_need_the_etag(void **state)
{
    struct store_rig *rig = *state;
    char bytes[4];
    put(rig, SOURCE, "a", "old");
    struct reading reading = {.key = "a",
                              .etag = store_rig_etag(rig, SOURCE, "a"),
                              .bytes = bytes,
                              .size_bytes = sizeof bytes};
    put(rig, SOURCE, "a", "newer");
    assert_int_equal(run_read(rig, &reading), RESULT_CHANGED);
    store_rig_remove(rig, SOURCE, "a");
    assert_int_equal(run_read(rig, &reading), RESULT_CHANGED);
    assert_int_equal(reading.got_bytes, 0);
}

/* -- keys -------------------------------------------------------------------------------------- */

static void keys_are_raw_whatever_they_hold(void **state)
{
    struct store_rig *rig = *state;
    char segment[256], whole[1000];
    memset(segment, 's', 255);
    segment[255] = '\0';
    snprintf(whole, sizeof whole, "%s/%s/%s/x", segment, segment, segment);
    const char *const keys[] = {
        "with space/a b",
        "percent/100%",
        "percent/%41",
        "percent/%2F",
        "query?a=b&c=d",
        "fragment#1",
        "plus+",
        "quote\"s",
        "apostrophe's",
        "amp&amp;",
        "less<than>",
        "semi;colon",
        "at@sign:colon,comma",
        "(paren)[brace]{curl}",
        "tilde~",
        "star*",
        "dollar$",
        "pipe|",
        "caret^`tick",
        "=equals=",
        "!bang",
        "\xc3\xa4\xc3\xb6\xc3\xbc",
        "\xe6\xbc\xa2\xe5\xad\x97",
        "\xf0\x9f\x98\x80/\xf0\x9f\x98\x81",
        "dots/...",
        "dots/.hidden",
        "dots/a..b",
        "-dash",
        " leading",
        "CASE",
        "case",
        "e\xcc\x81 decomposed",
        "\xc3\xa9 composed",
        whole,
    };
    for (size_t i = 0; i < ITEMS(keys); i++)
        put(rig, SOURCE, str_format(&rig->arena, "d/%s", keys[i]), keys[i]);
    const struct object *objects;
    assert_int_equal(store_rig_list(rig, SOURCE, "d/", &objects), ITEMS(keys));
    for (size_t i = 0; i < ITEMS(keys); i++) {
        const char *key = str_format(&rig->arena, "d/%s", keys[i]);
        struct copy copy = copy_of(rig, key, key);
        char bytes[1000];
        run_copy(rig, &copy);
        assert_copied(rig, &copy, keys[i]);
        struct reading reading = {
            .key = key, .etag = copy.source_etag, .bytes = bytes, .size_bytes = sizeof bytes};
        assert_int_equal(run_read(rig, &reading), RESULT_DONE);
        assert_int_equal(reading.got_bytes, strlen(keys[i]));
        if (rig->stores[SOURCE]->ops->set_tier)
            assert_int_equal(run_set_tier(rig, key, TIER_COOL), RESULT_DONE);
        assert_int_equal(run_remove(rig, key, copy.source_etag), RESULT_DONE);
        assert_int_equal(store_rig_list(rig, SOURCE, "d/", &objects), ITEMS(keys) - 1 - i);
    }
}

static void tidying_removes_no_object(void **state)
{
    struct store_rig *rig = *state;
    struct store *target = rig->stores[TARGET];
    struct err err;
    put(rig, TARGET, "a/b/c", "x");
    put(rig, TARGET, "a/d", "y");
    if (target->ops->tidy && !target->ops->tidy(target, "a/b/", 7, &err))
        fail_msg("%s", err.text);
    if (target->ops->tidy && !target->ops->tidy(target, "a/b/c", 7, &err))
        fail_msg("%s", err.text);
    assert_holds(rig, TARGET, "a/b/c", "x");
    assert_holds(rig, TARGET, "a/d", "y");
}

static const struct CMUnitTest *case_list(size_t *count)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    static const struct CMUnitTest cases[] = {
        CASE(every_key_is_listed_once),
        CASE(a_prefix_may_end_anywhere),
        CASE(an_exact_listing_is_of_one_object),
        CASE(a_prefix_without_objects_is_an_empty_page),
        CASE(no_container_is_missing_and_never_empty),
        CASE(a_probe_asks_whether_there_is_a_store),
        CASE(listings_don_t_mix),
        CASE(another_content_has_another_etag),
        CASE(a_copy_has_the_bytes_of_its_source),
        CASE(an_empty_object_is_an_object),
        CASE(a_large_object_is_copied_whole),
        CASE(a_copy_never_overwrites),
        CASE(a_copy_sent_twice_is_made_once),
        CASE(a_copy_onto_itself_does_no_harm),
        CASE(a_copy_within_a_store),
        CASE(a_source_that_changed_is_not_copied),
        CASE(a_source_that_vanished_is_not_copied),
        CASE(a_deletion_needs_the_etag),
        CASE(what_is_gone_is_deleted),
        CASE(what_comes_back_is_not_deleted),
        CASE(a_tier_is_listed_and_nothing_else_changes),
        CASE(what_is_gone_has_no_tier),
        CASE(a_copy_has_a_tier_of_its_own),
        CASE(each_copy_of_a_batch_has_its_outcome),
        CASE(each_deletion_of_a_batch_has_its_outcome),
        CASE(each_tier_of_a_batch_has_its_outcome),
        CASE(reads_give_the_range_or_what_there_is_of_it),
        CASE(an_empty_object_reads_as_nothing),
        CASE(reads_need_the_etag),
        CASE(keys_are_raw_whatever_they_hold),
        CASE(tidying_removes_no_object),
    };
    *count = ITEMS(cases);
    return cases;
}

int main(void)
{
    int failed = 0;
    size_t count;
    const struct CMUnitTest *cases = case_list(&count);
    for (kind = 0; kind < STORE_RIG_KINDS; kind++) {
        int missing = kind == STORE_RIG_AZURE ? azurite_missing() : 0;
        print_message("%s%s\n", missing ? "[  SKIPPED ] " : "", store_rig_name(kind));
        if (missing) {
            failed += missing != SKIPPED;
            continue;
        }
        failed += _cmocka_run_group_tests(store_rig_name(kind), cases, count, NULL, NULL);
    }
    return failed;
}
