/* What a store in memory offers to tests: faults, copies that take their time, pages.  Its contract
 * is tested in tests/contract/test_store.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "executor/store_memory.h"

static struct clock_fake fake;
static struct store_memory *hot, *cold;
static struct store *source, *target;
static struct arena arena;

/* The fault of the next test: for one verb and key. */
static struct plan {
    enum store_memory_verb verb;
    const char *key;
    enum store_result result;
    bool apply;
    struct store_memory *write_to; /* a stranger writes meanwhile */
    int asked;
} plan;

static enum store_result fault(void *context, enum store_memory_verb verb, const char *key,
                               bool *apply)
{
    struct plan *want = context;
    assert_true(*apply);
    want->asked++;
    if (verb != want->verb || strcmp(key, want->key) != 0)
        return RESULT_DONE;
    if (want->write_to)
        store_memory_put(want->write_to, key, "stranger", 8);
    *apply = want->apply;
    return want->result;
}

static int set_up(void **state)
{
    (void)state;
    clock_fake_init(&fake, 42);
    hot = store_memory_make("hot", &fake.clock);
    cold = store_memory_make("cold", &fake.clock);
    source = store_memory_store(hot);
    target = store_memory_store(cold);
    plan = (struct plan){.key = ""};
    store_memory_put(hot, "a", "bytes", 5);
    arena_init(&arena, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(source);
    store_close(target);
    arena_free(&arena);
    return 0;
}

static struct copy copy(const char *key)
{
    struct copy item = {.source_key = key, .target_key = key, .tier = TIER_COLD};
    assert_non_null(store_memory_get(hot, key, NULL, &item.source_etag));
    target->ops->copy(target, source, &item, 1);
    return item;
}

static struct listing list(struct store *store, const char *marker)
{
    struct listing page = {.prefix = "", .marker = marker};
    store->ops->list(store, &page, 1, &arena);
    return page;
}

static void etags_are_never_used_twice(void **state)
{
    (void)state;
    const char *etag;
    char seen[3][OBJECT_ETAG_MAX];
    for (int i = 0; i < 3; i++) {
        store_memory_put(hot, "a", "bytes", 5);
        store_memory_get(hot, "a", NULL, &etag);
        snprintf(seen[i], sizeof seen[i], "%s", etag);
        store_memory_remove(hot, "a");
        assert_null(store_memory_get(hot, "a", NULL, NULL));
    }
    assert_string_not_equal(seen[0], seen[1]);
    assert_string_not_equal(seen[1], seen[2]);
    store_memory_put(cold, "a", "bytes", 5);
    store_memory_get(cold, "a", NULL, &etag);
    assert_string_not_equal(seen[0], etag);
}

static void listings_come_in_pages_with_the_clock(void **state)
{
    (void)state;
    store_memory_put(hot, "b", "bb", 2);
    store_memory_put(hot, "c", "", 0);
    store_memory_set_page(hot, 2);
    struct listing first = list(source, NULL), second = list(source, first.marker);
    assert_int_equal(first.count, 2);
    assert_int_equal(first.server_us, 42);
    assert_int_equal(first.objects[0].md5_origin, MD5_CLAIMED);
    assert_int_equal(second.count, 1);
    assert_string_equal(second.objects[0].key, "c");
    assert_null(second.marker);
}

static void many_come_and_go(void **state)
{
    (void)state;
    char key[16];
    for (int i = 0; i < 2000; i++) {
        snprintf(key, sizeof key, "k%d", (i * 7) % 2000);
        store_memory_put(hot, key, key, strlen(key));
    }
    for (int i = 0; i < 2000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        if (i % 10 != 0)
            store_memory_remove(hot, key);
    }
    assert_int_equal(store_memory_count(hot), 201);
    for (int i = 0; i < 2000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(store_memory_get(hot, key, NULL, NULL) != NULL, i % 10 == 0);
    }
    assert_int_equal(list(source, NULL).count, 201);
}

static void copies_carry_tier_and_digest(void **state)
{
    (void)state;
    assert_int_equal(copy("a").md5_origin, MD5_COMPUTED);
    assert_int_equal(list(target, NULL).objects[0].tier, TIER_COLD);
    store_memory_remove(cold, "a");
    store_memory_set_computes(cold, false);
    assert_int_equal(copy("a").md5_origin, MD5_ABSENT);
    assert_int_equal(store_memory_writes(cold), 2);
    assert_int_equal(store_memory_writes(hot), 0);
}

static void a_fault_is_the_outcome_and_nothing_else(void **state)
{
    (void)state;
    static const enum store_result results[] = {RESULT_EXISTS, RESULT_CHANGED, RESULT_REFUSED,
                                                RESULT_DENIED, RESULT_BUSY,    RESULT_UNKNOWN};
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        plan = (struct plan){.verb = STORE_MEMORY_COPY, .key = "a", .result = results[i]};
        store_memory_set_fault(cold, fault, &plan);
        struct copy item = copy("a");
        assert_int_equal(item.outcome.result, results[i]);
        assert_string_equal(item.outcome.code, store_result_name(results[i]));
        assert_string_equal(item.target_etag, "");
        assert_null(store_memory_get(cold, "a", NULL, NULL));
    }
    assert_int_equal(store_memory_writes(cold), 6);
}

static void an_unknown_copy_may_have_happened(void **state)
{
    (void)state;
    plan = (struct plan){
        .verb = STORE_MEMORY_COPY, .key = "a", .result = RESULT_UNKNOWN, .apply = true};
    store_memory_set_fault(cold, fault, &plan);
    struct copy item = copy("a");
    assert_int_equal(item.outcome.result, RESULT_UNKNOWN);
    assert_string_equal(item.target_etag, "");
    assert_int_equal(item.md5_origin, MD5_ABSENT);
    assert_non_null(store_memory_get(cold, "a", NULL, NULL));
}

static void an_unknown_deletion_may_have_happened(void **state)
{
    (void)state;
    for (int apply = 0; apply < 2; apply++) {
        struct deletion item = {.key = "a"};
        plan = (struct plan){
            .verb = STORE_MEMORY_REMOVE, .key = "a", .result = RESULT_UNKNOWN, .apply = apply};
        store_memory_set_fault(hot, fault, &plan);
        assert_non_null(store_memory_get(hot, "a", NULL, &item.etag));
        source->ops->remove(source, &item, 1);
        assert_int_equal(item.outcome.result, RESULT_UNKNOWN);
        assert_int_equal(store_memory_get(hot, "a", NULL, NULL) == NULL, apply);
    }
}

static void an_unknown_tier_may_have_been_set(void **state)
{
    (void)state;
    for (int apply = 0; apply < 2; apply++) {
        struct tiering item = {.key = "a", .tier = TIER_COLD};
        uint64_t writes = store_memory_writes(hot);
        plan = (struct plan){
            .verb = STORE_MEMORY_TIER, .key = "a", .result = RESULT_UNKNOWN, .apply = apply};
        store_memory_set_fault(hot, fault, &plan);
        source->ops->set_tier(source, &item, 1);
        assert_int_equal(item.outcome.result, RESULT_UNKNOWN);
        assert_int_equal(list(source, NULL).objects[0].tier, apply ? TIER_COLD : TIER_DEFAULT);
        assert_int_equal(store_memory_writes(hot) - writes, 1);
    }
}

static void no_tier_and_the_archive_are_refused(void **state)
{
    (void)state;
    struct tiering items[] = {{.key = "a", .tier = TIER_DEFAULT},
                              {.key = "a", .tier = TIER_ARCHIVE}};
    source->ops->set_tier(source, items, 2);
    assert_int_equal(items[0].outcome.result, RESULT_REFUSED);
    assert_int_equal(items[1].outcome.result, RESULT_REFUSED);
    assert_int_equal(list(source, NULL).objects[0].tier, TIER_DEFAULT);
}

static void reads_fail_too(void **state)
{
    (void)state;
    char bytes[8];
    struct reading item = {.key = "a", .bytes = bytes, .size_bytes = 8};
    assert_non_null(store_memory_get(hot, "a", NULL, &item.etag));
    plan = (struct plan){.verb = STORE_MEMORY_READ, .key = "a", .result = RESULT_BUSY};
    store_memory_set_fault(hot, fault, &plan);
    source->ops->read(source, &item, 1);
    assert_int_equal(item.outcome.result, RESULT_BUSY);
    assert_int_equal(item.got_bytes, 0);
}

static void pages_fail_in_their_own_words(void **state)
{
    (void)state;
    static const struct {
        enum store_result result;
        enum err_kind kind;
    } cases[] = {{RESULT_DENIED, ERR_DENIED},
                 {RESULT_BUSY, ERR_BUSY},
                 {RESULT_REFUSED, ERR_MISSING},
                 {RESULT_UNKNOWN, ERR_UNKNOWN_OUTCOME},
                 {RESULT_CHANGED, ERR_CORRUPT}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        plan = (struct plan){.verb = STORE_MEMORY_LIST, .key = "", .result = cases[i].result};
        store_memory_set_fault(hot, fault, &plan);
        struct listing page = list(source, NULL);
        assert_int_equal(page.err.kind, cases[i].kind);
        assert_int_equal(page.count, 0);
    }
}

/* Seen pending by one listing, whole or failed by the next. */
static void a_pending_copy_ends_well_or_badly(void **state)
{
    (void)state;
    for (int apply = 0; apply < 2; apply++) {
        plan = (struct plan){
            .verb = STORE_MEMORY_COPY, .key = "a", .result = RESULT_PENDING, .apply = apply};
        store_memory_set_fault(cold, fault, &plan);
        struct copy item = copy("a");
        assert_int_equal(item.outcome.result, RESULT_PENDING);
        struct object pending = list(target, NULL).objects[0], over = list(target, NULL).objects[0];
        assert_int_equal(pending.copy, COPY_PENDING);
        assert_int_equal(pending.bytes, 0);
        assert_int_equal(over.copy, apply ? COPY_NONE : COPY_FAILED);
        assert_int_equal(over.bytes, apply ? 5 : 0);
        assert_string_not_equal(over.etag, pending.etag);
        store_memory_remove(cold, "a");
    }
}

/* However often it is looked at; and its id stays, where its etag does not. */
static void a_copy_takes_its_time_and_has_an_id(void **state)
{
    (void)state;
    plan = (struct plan){
        .verb = STORE_MEMORY_COPY, .key = "a", .result = RESULT_PENDING, .apply = true};
    store_memory_set_fault(cold, fault, &plan);
    store_memory_set_copy_time(cold, 100);
    struct copy item = copy("a");
    for (int i = 0; i < 3; i++) {
        struct object pending = list(target, NULL).objects[0];
        assert_int_equal(pending.copy, COPY_PENDING);
        assert_string_equal(pending.copy_id, item.copy_id);
        assert_string_equal(pending.etag, item.target_etag);
        fake.instant_us += 33;
    }
    fake.instant_us++;
    struct object over = list(target, NULL).objects[0];
    assert_int_equal(over.copy, COPY_NONE);
    assert_int_equal(over.bytes, 5);
    assert_string_equal(over.copy_id, item.copy_id);
    assert_string_not_equal(over.etag, item.target_etag);
}

static void a_copy_is_aborted_by_its_id_alone(void **state)
{
    (void)state;
    plan = (struct plan){
        .verb = STORE_MEMORY_COPY, .key = "a", .result = RESULT_PENDING, .apply = true};
    store_memory_set_fault(cold, fault, &plan);
    store_memory_set_copy_time(cold, 100);
    struct copy item = copy("a");
    struct aborting abortings[] = {{.key = "a", .copy_id = "another"},
                                   {.key = "b", .copy_id = item.copy_id}};
    target->ops->abort_copy(target, abortings, 2);
    assert_int_equal(abortings[0].outcome.result, RESULT_CHANGED);
    assert_int_equal(abortings[1].outcome.result, RESULT_CHANGED);
    assert_int_equal(list(target, NULL).objects[0].copy, COPY_PENDING);
    abortings[0].copy_id = item.copy_id;
    for (int i = 0; i < 2; i++) {
        target->ops->abort_copy(target, abortings, 1);
        assert_int_equal(abortings[0].outcome.result, RESULT_DONE);
    }
    struct object aborted = list(target, NULL).objects[0];
    assert_int_equal(aborted.copy, COPY_ABORTED);
    assert_int_equal(aborted.bytes, 0);
    struct deletion deletion = {.key = "a", .etag = aborted.etag};
    target->ops->remove(target, &deletion, 1);
    assert_int_equal(deletion.outcome.result, RESULT_DONE);
    /* One that is whole by now stays whole. */
    item = copy("a");
    fake.instant_us += 100;
    abortings[0].copy_id = item.copy_id;
    target->ops->abort_copy(target, abortings, 1);
    assert_int_equal(abortings[0].outcome.result, RESULT_DONE);
    assert_int_equal(list(target, NULL).objects[0].copy, COPY_NONE);
}

static void a_pending_copy_can_t_be_deleted(void **state)
{
    (void)state;
    plan = (struct plan){.verb = STORE_MEMORY_COPY, .key = "a", .result = RESULT_PENDING};
    store_memory_set_fault(cold, fault, &plan);
    copy("a");
    struct deletion item = {.key = "a"};
    assert_non_null(store_memory_get(cold, "a", NULL, &item.etag));
    target->ops->remove(target, &item, 1);
    assert_int_equal(item.outcome.result, RESULT_BUSY);
    assert_int_equal(store_memory_count(cold), 1);
}

static void a_stranger_may_write_from_within_a_fault(void **state)
{
    (void)state;
    plan = (struct plan){
        .verb = STORE_MEMORY_COPY, .key = "a", .result = RESULT_DONE, .write_to = cold};
    store_memory_set_fault(cold, fault, &plan);
    assert_int_equal(copy("a").outcome.result, RESULT_EXISTS);
    size_t size_bytes;
    assert_memory_equal(store_memory_get(cold, "a", &size_bytes, NULL), "stranger", 8);
    assert_int_equal(plan.asked, 1);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(etags_are_never_used_twice),
        CASE(listings_come_in_pages_with_the_clock),
        CASE(many_come_and_go),
        CASE(copies_carry_tier_and_digest),
        CASE(a_fault_is_the_outcome_and_nothing_else),
        CASE(an_unknown_copy_may_have_happened),
        CASE(an_unknown_deletion_may_have_happened),
        CASE(an_unknown_tier_may_have_been_set),
        CASE(no_tier_and_the_archive_are_refused),
        CASE(reads_fail_too),
        CASE(pages_fail_in_their_own_words),
        CASE(a_pending_copy_ends_well_or_badly),
        CASE(a_copy_takes_its_time_and_has_an_id),
        CASE(a_copy_is_aborted_by_its_id_alone),
        CASE(a_pending_copy_can_t_be_deleted),
        CASE(a_stranger_may_write_from_within_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
