/* What the adapter makes of answers that Azurite never gives: those of Azure as its reference
 * prints them, and those of a service in trouble.                                                */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/url.h"
#include "base/when.h"
#include "executor/azure/azure.h"
#include "executor/http/http.h"
#include "policy/policy.h"
#include "tests/support/fake_http.h"

#define ITEMS(array) (sizeof(array) / sizeof((array)[0]))
#define START_US INT64_C(1748736000000000) /* 2025-06-01 */
#define ETAG "\"0x8D\""
#define REPLIES_MAX 64

struct rig {
    struct arena arena;
    struct clock_fake clock;
    struct http *http;
    struct fake_http *fake;
    struct fake_http_reply replies[REPLIES_MAX]; /* in this order; the last one again and again */
    unsigned reply_count, answered;
    pthread_mutex_t mutex; /* of these, which the server's thread reads */
    struct policy_store definition;
    struct store *store;
};

static void answer(void *context, unsigned number, const struct fake_http_request *request,
                   struct fake_http_reply *reply)
{
    (void)number;
    (void)request;
    struct rig *rig = context;
    pthread_mutex_lock(&rig->mutex);
    *reply = rig->replies[rig->answered];
    if (rig->answered + 1 < rig->reply_count)
        rig->answered++;
    pthread_mutex_unlock(&rig->mutex);
}

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    struct err err;
    assert_non_null(rig);
    pthread_mutex_init(&rig->mutex, NULL);
    arena_init(&rig->arena, 64 << 20);
    clock_fake_init(&rig->clock, START_US);
    struct http_config config = {.clock = &rig->clock.clock};
    assert_true(http_open(&config, &rig->http, &err));
    rig->fake = fake_http_open(answer, rig);
    rig->definition = (struct policy_store){
        .name = "cold",
        .type = STORE_AZURE,
        .container = "c",
        .prefix = "p/",
        .connection = {.account = "acct",
                       .endpoint = str_format(&rig->arena, "%s/acct", fake_http_url(rig->fake)),
                       .path_style = true}};
    secret_set(&rig->definition.connection.key, "Q0FOQVJZ", 8);
    assert_true(
        azure_store_open(&rig->definition, rig->http, &rig->clock.clock, &rig->store, &err));
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    store_close(rig->store);
    http_close(rig->http);
    fake_http_close(rig->fake);
    connection_free(&rig->definition.connection);
    arena_free(&rig->arena);
    pthread_mutex_destroy(&rig->mutex);
    free(rig);
    return 0;
}

static void script(struct rig *rig, const struct fake_http_reply *replies, unsigned count)
{
    assert_true(count <= REPLIES_MAX);
    pthread_mutex_lock(&rig->mutex);
    memcpy(rig->replies, replies, count * sizeof *replies);
    rig->reply_count = count;
    rig->answered = 0;
    pthread_mutex_unlock(&rig->mutex);
}

/* A status with the code that tells what it means. */
static struct fake_http_reply refusal(int status, const char *code)
{
    return (struct fake_http_reply){.status = status, .headers = {{"x-ms-error-code", code}}};
}

static struct copy copy_make(void)
{
    return (struct copy){.source_key = "a b", .source_etag = ETAG, .target_key = "k", .bytes = 5};
}

static struct copy copy_after(struct rig *rig, const struct fake_http_reply *replies,
                              unsigned count)
{
    struct copy copy = copy_make();
    script(rig, replies, count);
    rig->store->ops->copy(rig->store, rig->store, &copy, 1);
    return copy;
}

static void assert_result(const struct store_outcome *outcome, enum store_result wanted)
{
    if (outcome->result != wanted)
        fail_msg("%s instead of %s: %d %s", store_result_name(outcome->result),
                 store_result_name(wanted), outcome->status, outcome->code);
}

static bool was_sent(struct rig *rig, unsigned number, const char *line)
{
    return strcasestr(fake_http_request(rig->fake, number)->headers, line) != NULL;
}

/* -- copies --------------------------------------------------------------------------------------
 */

static const struct fake_http_reply made = {
    .status = 201, .headers = {{"ETag", "\"0x9\""}, {"Content-MD5", "XUFAKrxLKna5cZ2REBfFkg=="}}};

/* "Put Blob From URL": the digest in the answer is of the bytes that were written. */
static void put_blob_from_url_answers_a_digest(void **state)
{
    struct rig *rig = *state;
    static const uint8_t md5[] = {0x5d, 0x41, 0x40, 0x2a, 0xbc, 0x4b, 0x2a, 0x76,
                                  0xb9, 0x71, 0x9d, 0x91, 0x10, 0x17, 0xc5, 0x92};
    struct copy copy = copy_make();
    copy.tier = TIER_COLD;
    script(rig, &made, 1);
    rig->store->ops->copy(rig->store, rig->store, &copy, 1);
    assert_result(&copy.outcome, RESULT_DONE);
    assert_string_equal(copy.target_etag, "\"0x9\"");
    assert_int_equal(copy.md5_origin, MD5_COMPUTED);
    assert_memory_equal(copy.md5, md5, sizeof md5);
    assert_int_equal(fake_http_count(rig->fake), 1);
    const struct fake_http_request *sent = fake_http_request(rig->fake, 0);
    assert_string_equal(sent->method, "PUT");
    assert_string_equal(sent->path, "/acct/c/p/k");
    assert_true(was_sent(rig, 0, "\nIf-None-Match: *\n"));
    assert_true(was_sent(rig, 0, "\nx-ms-source-if-match: " ETAG "\n"));
    assert_true(was_sent(rig, 0, "\nx-ms-blob-type: BlockBlob\n"));
    assert_true(was_sent(rig, 0, "\nx-ms-access-tier: Cold\n"));
    assert_true(was_sent(rig, 0, "\nAuthorization: SharedKey acct:"));
    assert_false(was_sent(rig, 0, "x-ms-requires-sync"));
    assert_true(was_sent(rig, 0,
                         str_format(&rig->arena,
                                    "\nx-ms-copy-source: %s/acct/c/p/a%%20b?sv=2021-12-02&sr=c"
                                    "&sp=rl&se=2025-06-01T02%%3A00%%3A00Z&sig=",
                                    fake_http_url(rig->fake))));
}

static void an_account_without_it_is_asked_once(void **state)
{
    struct rig *rig = *state;
    static const struct fake_http_reply refusals[] = {
        {.status = 501},
        {.status = 400, .headers = {{"x-ms-error-code", "UnsupportedHeader"}}},
    };
    for (unsigned i = 0; i < ITEMS(refusals); i++) {
        struct fake_http_reply replies[] = {
            refusals[i],
            {.status = 202,
             .headers = {{"ETag", ETAG},
                         {"x-ms-copy-status", "success"},
                         {"Content-MD5", "XUFAKrxLKna5cZ2REBfFkg=="}}}};
        struct copy copies[20];
        struct store *store;
        struct err err;
        unsigned before = fake_http_count(rig->fake);
        for (size_t j = 0; j < ITEMS(copies); j++)
            copies[j] = copy_make();
        assert_true(azure_store_open(&rig->definition, rig->http, &rig->clock.clock, &store, &err));
        script(rig, replies, 2);
        store->ops->copy(store, rig->store, copies, ITEMS(copies));
        for (size_t j = 0; j < ITEMS(copies); j++) {
            assert_result(&copies[j].outcome, RESULT_DONE);
            assert_int_equal(copies[j].md5_origin, MD5_ABSENT);
        }
        store->ops->copy(store, rig->store, copies, 1);
        assert_int_equal(fake_http_count(rig->fake) - before, ITEMS(copies) + 2);
        assert_true(was_sent(rig, before + 1, "x-ms-requires-sync: true"));
        store_close(store);
    }
}

/* "Status and error codes", and the reference pages of the copies. */
static void a_refusal_says_which_end_it_means(void **state)
{
    struct rig *rig = *state;
    static const struct {
        int status;
        const char *code;
        enum store_result wanted;
    } cases[] = {
        {409, "BlobAlreadyExists", RESULT_EXISTS},
        {412, "TargetConditionNotMet", RESULT_EXISTS},
        {412, "SourceConditionNotMet", RESULT_CHANGED},
        {412, "CannotVerifyCopySource", RESULT_CHANGED},
        {404, "CannotVerifyCopySource", RESULT_CHANGED},
        {404, "BlobNotFound", RESULT_CHANGED},
        {404, "ContainerNotFound", RESULT_REFUSED},
        {403, "CannotVerifyCopySource", RESULT_DENIED},
        {401, "NoAuthenticationInformation", RESULT_DENIED},
        {403, "AuthenticationFailed", RESULT_DENIED},
        {403, "AuthorizationPermissionMismatch", RESULT_DENIED},
        {409, "CannotVerifyCopySource", RESULT_REFUSED},
        {409, "BlobArchived", RESULT_REFUSED},
        {409, "BlobImmutableDueToPolicy", RESULT_REFUSED},
        {409, "ContainerBeingDeleted", RESULT_BUSY},
        {412, "LeaseIdMissing", RESULT_REFUSED},
        {400, "InvalidHeaderValue", RESULT_REFUSED},
        {413, "RequestBodyTooLarge", RESULT_REFUSED},
        {503, "ServerBusy", RESULT_BUSY},
        {429, "", RESULT_BUSY},
        {500, "InternalError", RESULT_UNKNOWN},
        {504, "", RESULT_UNKNOWN},
        {302, "", RESULT_REFUSED},
    };
    copy_after(rig, &made, 1); /* the account knows how to */
    for (size_t i = 0; i < ITEMS(cases); i++) {
        struct fake_http_reply reply = refusal(cases[i].status, cases[i].code);
        struct copy copy = copy_after(rig, &reply, 1);
        if (copy.outcome.result != cases[i].wanted)
            fail_msg("%d %s: %s", cases[i].status, cases[i].code,
                     store_result_name(copy.outcome.result));
        assert_int_equal(copy.outcome.status, cases[i].status);
        assert_string_equal(copy.outcome.code, cases[i].code);
        assert_string_equal(copy.target_etag, "");
        assert_int_equal(copy.md5_origin, MD5_ABSENT);
    }
}

/* 412 ConditionNotMet may be either end: the source is looked at. */
static void an_ambiguous_refusal_is_settled_by_a_look(void **state)
{
    struct rig *rig = *state;
    struct fake_http_reply replies[] = {
        refusal(412, "ConditionNotMet"),
        {.status = 200, .body = "12345", .headers = {{"ETag", ETAG}}},
    };
    struct copy copy = copy_after(rig, replies, 2);
    assert_result(&copy.outcome, RESULT_EXISTS);
    assert_string_equal(fake_http_request(rig->fake, 1)->method, "HEAD");
    assert_true(was_sent(rig, 1, "\nIf-Match: " ETAG "\n"));
    replies[1] = refusal(412, "ConditionNotMet");
    copy = copy_after(rig, replies, 2);
    assert_result(&copy.outcome, RESULT_CHANGED);
    replies[1] = refusal(404, "BlobNotFound");
    copy = copy_after(rig, replies, 2);
    assert_result(&copy.outcome, RESULT_CHANGED);
    replies[1] = refusal(503, "ServerBusy");
    copy = copy_after(rig, replies, 2);
    assert_result(&copy.outcome, RESULT_BUSY);
}

#define TOO_LONG "0123456789012345678901234567890123456789012345678901234567890123"

/* A copy under way needs an id as well, or nobody would know it again. */
static void done_needs_an_etag(void **state)
{
    struct rig *rig = *state;
    static const struct {
        const char *etag, *state, *id;
        enum store_result wanted;
    } cases[] = {
        {NULL, NULL, NULL, RESULT_UNKNOWN},      {"0x9", NULL, NULL, RESULT_UNKNOWN},
        {"*", NULL, NULL, RESULT_UNKNOWN},       {ETAG, "pending", "id", RESULT_PENDING},
        {ETAG, "pending", NULL, RESULT_UNKNOWN}, {ETAG, "pending", "", RESULT_UNKNOWN},
        {"*", "pending", "id", RESULT_UNKNOWN},  {ETAG, "pending", TOO_LONG, RESULT_UNKNOWN},
        {ETAG, "failed", "id", RESULT_UNKNOWN},  {ETAG, "aborted", "id", RESULT_UNKNOWN},
        {ETAG, "success", "id", RESULT_DONE}};
    for (size_t i = 0; i < ITEMS(cases); i++) {
        struct fake_http_reply reply = {.status = 202};
        size_t count = 0;
        if (cases[i].etag)
            reply.headers[count][0] = "ETag", reply.headers[count++][1] = cases[i].etag;
        if (cases[i].state)
            reply.headers[count][0] = "x-ms-copy-status",
            reply.headers[count++][1] = cases[i].state;
        if (cases[i].id)
            reply.headers[count][0] = "x-ms-copy-id", reply.headers[count++][1] = cases[i].id;
        struct copy copy = copy_after(rig, &reply, 1);
        assert_result(&copy.outcome, cases[i].wanted);
        bool is_told = cases[i].wanted == RESULT_PENDING || cases[i].wanted == RESULT_DONE;
        assert_string_equal(copy.target_etag, is_told ? ETAG : "");
        assert_string_equal(copy.copy_id, cases[i].wanted == RESULT_PENDING ? "id" : "");
    }
}

static void a_lost_answer_leaves_what_is_certain(void **state)
{
    struct rig *rig = *state;
    static const struct {
        int status;
        const char *code;
        enum store_result wanted;
    } cases[] = {{409, "BlobAlreadyExists", RESULT_EXISTS},
                 {412, "SourceConditionNotMet", RESULT_UNKNOWN},
                 {412, "ConditionNotMet", RESULT_UNKNOWN},
                 {404, "CannotVerifyCopySource", RESULT_UNKNOWN},
                 {403, "AuthenticationFailed", RESULT_UNKNOWN},
                 {503, "ServerBusy", RESULT_UNKNOWN}};
    copy_after(rig, &made, 1);
    for (size_t i = 0; i < ITEMS(cases); i++) {
        struct fake_http_reply replies[] = {{.fault = FAKE_HTTP_DROP},
                                            refusal(cases[i].status, cases[i].code)};
        struct copy copy = copy_after(rig, replies, 2);
        assert_result(&copy.outcome, cases[i].wanted);
    }
    struct fake_http_reply lost[] = {{.fault = FAKE_HTTP_DROP}, made};
    struct copy copy = copy_after(rig, lost, 2);
    assert_result(&copy.outcome, RESULT_DONE);
    copy = copy_after(rig, lost, 1);
    assert_result(&copy.outcome, RESULT_UNKNOWN);
}

/* An empty source, and one that is taller than it should be. */
static void an_empty_copy_needs_an_empty_source(void **state)
{
    struct rig *rig = *state;
    struct fake_http_reply replies[] = {{.status = 200, .body = "not empty"}, made};
    struct copy copy = copy_make();
    copy.bytes = 0;
    script(rig, replies, 2);
    rig->store->ops->copy(rig->store, rig->store, &copy, 1);
    assert_result(&copy.outcome, RESULT_CHANGED);
    assert_int_equal(fake_http_count(rig->fake), 1);
}

static void blocks_carry_their_condition_and_the_list_its_own(void **state)
{
    struct rig *rig = *state;
    struct copy copy = copy_make();
    azure_store_limit(rig->store, &(struct azure_limits){.whole_bytes = 4, .block_bytes = 2});
    struct fake_http_reply replies[] = {
        {.status = 200, .body = "12345"}, {.status = 201}, {.status = 201}, {.status = 201}, made};
    script(rig, replies, 5);
    rig->store->ops->copy(rig->store, rig->store, &copy, 1);
    assert_result(&copy.outcome, RESULT_DONE);
    assert_int_equal(copy.md5_origin, MD5_ABSENT);
    assert_int_equal(fake_http_count(rig->fake), 5);
    struct buf ids[3];
    const char *const ranges[] = {"bytes=0-1\n", "bytes=2-3\n", "bytes=4-4\n"};
    bool seen[3] = {false};
    for (unsigned i = 1; i < 4; i++) {
        assert_true(was_sent(rig, i, "\nx-ms-source-if-match: " ETAG "\n"));
        assert_false(was_sent(rig, i, "If-None-Match"));
        const char *path = fake_http_request(rig->fake, i)->path;
        path = strstr(path, "?blockid=");
        assert_non_null(path);
        path += strlen("?blockid=");
        buf_init(&ids[i - 1], 1000);
        assert_true(url_decode(&ids[i - 1], path, strcspn(path, "&")));
        for (size_t j = 0; j < 3; j++)
            seen[j] |= was_sent(rig, i, ranges[j]);
    }
    assert_true(seen[0] && seen[1] && seen[2]);
    assert_int_equal(ids[0].size, ids[1].size);
    assert_int_equal(ids[0].size, ids[2].size);
    assert_string_not_equal(buf_string(&ids[0]), buf_string(&ids[1]));
    for (size_t i = 0; i < 3; i++)
        buf_free(&ids[i]);
    assert_true(was_sent(rig, 4, "\nIf-None-Match: *\n"));

    /* A block that fails ends the copy before its list. */
    struct fake_http_reply failing[] = {{.status = 200, .body = "12345"},
                                        refusal(412, "ConditionNotMet")};
    script(rig, failing, 2);
    rig->store->ops->copy(rig->store, rig->store, &copy, 1);
    assert_result(&copy.outcome, RESULT_CHANGED);
    assert_int_equal(fake_http_count(rig->fake), 5 + 4);
    struct fake_http_reply taken[] = {{.status = 200, .body = "12345"},
                                      {.status = 201},
                                      {.status = 201},
                                      {.status = 201},
                                      refusal(412, "ConditionNotMet")};
    script(rig, taken, 5);
    rig->store->ops->copy(rig->store, rig->store, &copy, 1);
    assert_result(&copy.outcome, RESULT_EXISTS);
}

static const char *sas_sent(struct rig *rig, unsigned number)
{
    const char *source = strstr(fake_http_request(rig->fake, number)->headers, "x-ms-copy-source");
    assert_non_null(source);
    return str_copy(&rig->arena, source, strcspn(source, "\n"));
}

static void a_sas_is_used_until_half_of_it_is_over(void **state)
{
    struct rig *rig = *state;
    copy_after(rig, &made, 1);
    rig->clock.instant_us += 59 * 60 * WHEN_SECOND_US;
    copy_after(rig, &made, 1);
    rig->clock.instant_us += 2 * 60 * WHEN_SECOND_US;
    copy_after(rig, &made, 1);
    assert_string_equal(sas_sent(rig, 0), sas_sent(rig, 1));
    assert_string_not_equal(sas_sent(rig, 1), sas_sent(rig, 2));
    assert_non_null(strstr(sas_sent(rig, 2), "se=2025-06-01T03%3A01%3A00Z"));
}

/* -- copies that the service makes by itself -----------------------------------------------------
 */

static const struct fake_http_reply begun = {
    .status = 202,
    .headers = {{"ETag", "\"0xE\""}, {"x-ms-copy-id", "id-1"}, {"x-ms-copy-status", "pending"}}};

static struct copy slow_copy_after(struct rig *rig, const struct fake_http_reply *replies,
                                   unsigned count, uint64_t bytes)
{
    struct copy copy = copy_make();
    copy.bytes = bytes;
    copy.may_take_us = 3600 * WHEN_SECOND_US;
    script(rig, replies, count);
    rig->store->ops->copy(rig->store, rig->store, &copy, 1);
    return copy;
}

static void assert_begun(struct rig *rig, const struct copy *copy)
{
    unsigned last = fake_http_count(rig->fake) - 1;
    assert_result(&copy->outcome, RESULT_PENDING);
    assert_string_equal(copy->copy_id, "id-1");
    assert_string_equal(copy->target_etag, "\"0xE\"");
    assert_int_equal(copy->md5_origin, MD5_ABSENT);
    assert_string_equal(fake_http_request(rig->fake, last)->path, "/acct/c/p/k");
    assert_true(was_sent(rig, last, "\nx-ms-copy-source: "));
    assert_true(was_sent(rig, last, "\nIf-None-Match: *\n"));
    assert_true(was_sent(rig, last, "\nx-ms-source-if-match: " ETAG "\n"));
    assert_false(was_sent(rig, last, "x-ms-requires-sync"));
    assert_false(was_sent(rig, last, "x-ms-blob-type"));
}

/* Put Blob From URL, Copy Blob From URL and Put Block From URL are tried before, once. */
static void what_no_other_way_suits_is_copied_by_the_service_alone(void **state)
{
    struct rig *rig = *state;
    const struct fake_http_reply replies[] = {
        {.status = 501},
        refusal(400, "UnsupportedHeader"),
        {.status = 200, .body = "12345", .headers = {{"ETag", ETAG}}},
        {.status = 501},
        begun};
    struct copy copy = slow_copy_after(rig, replies, 5, 5);
    assert_begun(rig, &copy);
    assert_int_equal(fake_http_count(rig->fake), 5);
    assert_true(was_sent(rig, 0, "x-ms-blob-type"));
    assert_true(was_sent(rig, 1, "x-ms-requires-sync"));
    assert_string_equal(fake_http_request(rig->fake, 2)->method, "HEAD");
    assert_non_null(strstr(fake_http_request(rig->fake, 3)->path, "comp=block"));
    copy = slow_copy_after(rig, &begun, 1, 5);
    assert_begun(rig, &copy);
    assert_int_equal(fake_http_count(rig->fake), 6);
}

/* Only what is too large for the one and finds no other. */
static void a_large_object_without_blocks_is_copied_by_the_service_alone(void **state)
{
    struct rig *rig = *state;
    azure_store_limit(rig->store, &(struct azure_limits){.whole_bytes = 4, .block_bytes = 8});
    const struct fake_http_reply replies[] = {
        {.status = 200, .body = "12345", .headers = {{"ETag", ETAG}}}, {.status = 501}, begun};
    struct copy copy = slow_copy_after(rig, replies, 3, 5);
    assert_begun(rig, &copy);
    copy = slow_copy_after(rig, &made, 1, 4);
    assert_result(&copy.outcome, RESULT_DONE);
    assert_true(was_sent(rig, 3, "x-ms-blob-type"));
    copy = slow_copy_after(rig, &begun, 1, 5);
    assert_begun(rig, &copy);
    assert_int_equal(fake_http_count(rig->fake), 5);
}

/* Copy Blob From URL answers so for a source that it does not copy while we wait. */
static void a_source_may_want_its_time(void **state)
{
    struct rig *rig = *state;
    const struct fake_http_reply replies[] = {refusal(409, "CannotVerifyCopySource"), begun};
    struct copy copy = slow_copy_after(rig, replies, 2, 5);
    assert_begun(rig, &copy);
    copy = slow_copy_after(rig, &made, 1, 5);
    assert_result(&copy.outcome, RESULT_DONE); /* others do not */
    assert_int_equal(fake_http_count(rig->fake), 3);
}

static void a_copy_that_is_done_at_once_is_done(void **state)
{
    struct rig *rig = *state;
    struct fake_http_reply replies[] = {refusal(409, "CannotVerifyCopySource"), begun};
    replies[1].headers[2][1] = "success";
    struct copy copy = slow_copy_after(rig, replies, 2, 5);
    assert_result(&copy.outcome, RESULT_DONE);
    assert_string_equal(copy.target_etag, "\"0xE\"");
    assert_int_equal(copy.md5_origin, MD5_ABSENT);
}

static void a_slow_copy_is_throttled_refused_or_lost(void **state)
{
    struct rig *rig = *state;
    static const struct {
        struct fake_http_reply reply;
        enum store_result wanted;
    } cases[] = {
        {{.status = 503, .headers = {{"x-ms-error-code", "ServerBusy"}, {"Retry-After", "1"}}},
         RESULT_BUSY},
        {{.status = 409, .headers = {{"x-ms-error-code", "PendingCopyOperation"}}}, RESULT_BUSY},
        {{.status = 409, .headers = {{"x-ms-error-code", "BlobAlreadyExists"}}}, RESULT_EXISTS},
        {{.status = 412, .headers = {{"x-ms-error-code", "SourceConditionNotMet"}}},
         RESULT_CHANGED},
        {{.status = 409, .headers = {{"x-ms-error-code", "CannotVerifyCopySource"}}},
         RESULT_REFUSED},
        {{.status = 501}, RESULT_REFUSED},
        {{.status = 500, .headers = {{"x-ms-error-code", "InternalError"}}}, RESULT_UNKNOWN},
        {{.fault = FAKE_HTTP_DROP}, RESULT_UNKNOWN},
    };
    for (size_t i = 0; i < ITEMS(cases); i++) {
        struct fake_http_reply replies[] = {refusal(409, "CannotVerifyCopySource"), cases[i].reply};
        struct copy copy = slow_copy_after(rig, replies, 2, 5);
        assert_result(&copy.outcome, cases[i].wanted);
        assert_string_equal(copy.copy_id, "");
    }
    struct fake_http_reply replies[] = {refusal(409, "CannotVerifyCopySource"), cases[0].reply,
                                        begun};
    struct copy copy = slow_copy_after(rig, replies, 3, 5);
    assert_begun(rig, &copy);
}

/* It is read with the SAS that it was begun with, however late it ends. */
static void its_sas_lives_as_long_as_it_may_take(void **state)
{
    struct rig *rig = *state;
    static const struct {
        int64_t later_minutes, may_take_hours;
        const char *expires;
    } cases[] = {{0, 1, "se=2025-06-01T02%3A00%3A00Z"},  /* two hours                     */
                 {44, 1, "se=2025-06-01T02%3A00%3A00Z"}, /* a quarter of an hour to spare */
                 {2, 1, "se=2025-06-01T02%3A46%3A00Z"},
                 {0, 6, "se=2025-06-01T07%3A01%3A00Z"},
                 {0, 1, "se=2025-06-01T07%3A01%3A00Z"}};
    for (size_t i = 0; i < ITEMS(cases); i++) {
        struct fake_http_reply replies[] = {refusal(409, "CannotVerifyCopySource"), begun};
        struct copy copy = copy_make();
        rig->clock.instant_us += cases[i].later_minutes * 60 * WHEN_SECOND_US;
        copy.may_take_us = cases[i].may_take_hours * 3600 * WHEN_SECOND_US;
        script(rig, replies, 2);
        rig->store->ops->copy(rig->store, rig->store, &copy, 1);
        assert_begun(rig, &copy);
        const char *sas = sas_sent(rig, fake_http_count(rig->fake) - 1);
        if (strstr(sas, cases[i].expires) == NULL)
            fail_msg("case %zu: %s", i, sas);
    }
}

static void an_abort_names_its_copy(void **state)
{
    struct rig *rig = *state;
    static const struct {
        int status;
        const char *code;
        enum store_result wanted;
    } cases[] = {{204, "", RESULT_DONE},
                 {409, "NoPendingCopyOperation", RESULT_DONE},
                 {409, "CopyIdMismatch", RESULT_CHANGED},
                 {404, "BlobNotFound", RESULT_CHANGED},
                 {412, "LeaseIdMissing", RESULT_REFUSED},
                 {403, "AuthorizationFailure", RESULT_DENIED},
                 {503, "ServerBusy", RESULT_BUSY},
                 {500, "InternalError", RESULT_UNKNOWN}};
    for (size_t i = 0; i < ITEMS(cases); i++) {
        unsigned number = fake_http_count(rig->fake);
        struct fake_http_reply reply = refusal(cases[i].status, cases[i].code);
        struct aborting aborting = {.key = "k", .copy_id = "id&1"};
        script(rig, &reply, 1);
        rig->store->ops->abort_copy(rig->store, &aborting, 1);
        assert_result(&aborting.outcome, cases[i].wanted);
        const struct fake_http_request *sent = fake_http_request(rig->fake, number);
        assert_string_equal(sent->method, "PUT");
        assert_string_equal(sent->path, "/acct/c/p/k?comp=copy&copyid=id%261");
        assert_true(was_sent(rig, number, "\nx-ms-copy-action: abort\n"));
        assert_true(was_sent(rig, number, "\nAuthorization: SharedKey acct:"));
    }
}

static void what_is_being_copied_can_t_be_deleted_yet(void **state)
{
    struct rig *rig = *state;
    struct fake_http_reply reply = refusal(409, "PendingCopyOperation");
    struct deletion deletion = {.key = "k", .etag = ETAG};
    script(rig, &reply, 1);
    rig->store->ops->remove(rig->store, &deletion, 1);
    assert_result(&deletion.outcome, RESULT_BUSY);
}

/* -- listings ------------------------------------------------------------------------------------
 */

#define PAGE                                                                                       \
    "<?xml version=\"1.0\"?><EnumerationResults><Blobs><Blob><Name>p/d/1</Name><Properties>"       \
    "<Etag>0x1</Etag><Content-Length>1</Content-Length></Properties></Blob></Blobs>"
#define NO_BLOB "<?xml version=\"1.0\"?><EnumerationResults><Blobs/>"
#define LAST "<NextMarker/></EnumerationResults>"
#define MORE "<NextMarker>m</NextMarker></EnumerationResults>"

static struct listing list_after(struct rig *rig, const struct fake_http_reply *replies,
                                 unsigned count)
{
    struct listing listing = {.prefix = "d/"};
    script(rig, replies, count);
    rig->store->ops->list(rig->store, &listing, 1, &rig->arena);
    return listing;
}

static void a_page_is_asked_for_with_all_it_needs(void **state)
{
    struct rig *rig = *state;
    struct listing listing = {.prefix = "d/", .marker = "2!x&y/"};
    struct fake_http_reply reply = {.body = PAGE LAST,
                                    .headers = {{"Date", "Sun, 01 Jun 2025 00:00:01 GMT"}}};
    script(rig, &reply, 1);
    rig->store->ops->list(rig->store, &listing, 1, &rig->arena);
    assert_int_equal(listing.err.kind, ERR_NONE);
    assert_int_equal(listing.count, 1);
    assert_string_equal(listing.objects[0].key, "d/1");
    assert_null(listing.marker);
    assert_int_equal(listing.server_us, START_US + WHEN_SECOND_US);
    assert_string_equal(fake_http_request(rig->fake, 0)->path,
                        "/acct/c?comp=list&include=copy%2Cmetadata&marker=2%21x%26y%2F"
                        "&maxresults=5000&prefix=p%2Fd%2F&restype=container");

    listing = (struct listing){.prefix = "d/", .limit = 68};
    script(rig, &reply, 1);
    rig->store->ops->list(rig->store, &listing, 1, &rig->arena);
    assert_string_equal(fake_http_request(rig->fake, 1)->path,
                        "/acct/c?comp=list&include=copy%2Cmetadata"
                        "&maxresults=68&prefix=p%2Fd%2F&restype=container");
}

static void a_listing_fails_for_a_reason(void **state)
{
    struct rig *rig = *state;
    static const struct {
        int status;
        const char *code;
        enum err_kind wanted;
    } cases[] = {{404, "ContainerNotFound", ERR_MISSING},
                 {403, "AuthenticationFailed", ERR_DENIED},
                 {401, "", ERR_DENIED},
                 {503, "ServerBusy", ERR_BUSY},
                 {500, "InternalError", ERR_BUSY},
                 {400, "OutOfRangeInput", ERR_INPUT},
                 {204, "", ERR_CORRUPT},
                 {302, "", ERR_CORRUPT}};
    for (size_t i = 0; i < ITEMS(cases); i++) {
        struct fake_http_reply reply = refusal(cases[i].status, cases[i].code);
        struct listing listing = list_after(rig, &reply, 1);
        assert_int_equal(listing.err.kind, cases[i].wanted);
        assert_int_equal(listing.count, 0);
        assert_non_null(strstr(listing.err.text, "container c of store cold"));
        assert_null(strstr(listing.err.text, "CANARY"));
    }
    struct fake_http_reply lost = {.fault = FAKE_HTTP_DROP};
    assert_int_equal(list_after(rig, &lost, 1).err.kind, ERR_BUSY);
    /* A clock that is wrong is why a signature is refused: so a refusal tells it as well. */
    struct fake_http_reply late = {.status = 403,
                                   .headers = {{"Date", "Sun, 01 Jun 2025 00:00:01 GMT"}}};
    struct listing listing = list_after(rig, &late, 1);
    assert_int_equal(listing.server_us, START_US + WHEN_SECOND_US);
    assert_string_equal(listing.protocol, "HTTP/1.1");
}

/* -- puts -------------------------------------------------------------------------------------- */

static struct putting put_after(struct rig *rig, const struct fake_http_reply *replies,
                                unsigned count)
{
    struct putting putting = {.key = "a b", .bytes = "bytes", .size_bytes = 5};
    script(rig, replies, count);
    rig->store->ops->put(rig->store, &putting, 1);
    return putting;
}

static void a_put_is_conditional_and_has_its_bytes(void **state)
{
    struct rig *rig = *state;
    struct fake_http_reply created = {.status = 201, .headers = {{"ETag", ETAG}}};
    struct putting putting = put_after(rig, &created, 1);
    assert_int_equal(putting.outcome.result, RESULT_DONE);
    assert_string_equal(putting.etag, ETAG);
    assert_false(putting.versioned);
    const struct fake_http_request *sent = fake_http_request(rig->fake, 0);
    assert_string_equal(sent->method, "PUT");
    assert_string_equal(sent->path, "/acct/c/p/a%20b");
    assert_int_equal(sent->body_bytes, 5);
    assert_memory_equal(sent->body, "bytes", 5);
    assert_true(was_sent(rig, 0, "If-None-Match: *\n"));
    assert_true(was_sent(rig, 0, "x-ms-blob-type: BlockBlob\n"));
    assert_true(was_sent(rig, 0, "Authorization: SharedKey acct:"));
}

static void an_account_that_keeps_versions_says_so(void **state)
{
    struct rig *rig = *state;
    struct fake_http_reply created = {
        .status = 201,
        .headers = {{"ETag", ETAG}, {"x-ms-version-id", "2025-06-01T00:00:00.0000000Z"}}};
    assert_true(put_after(rig, &created, 1).versioned);
}

static void a_refused_put_says_why(void **state)
{
    struct rig *rig = *state;
    static const struct {
        int status;
        const char *code;
        enum store_result wanted;
    } cases[] = {{409, "BlobAlreadyExists", RESULT_EXISTS},
                 {403, "AuthorizationPermissionMismatch", RESULT_DENIED},
                 {404, "ContainerNotFound", RESULT_REFUSED},
                 {503, "ServerBusy", RESULT_BUSY}};
    for (size_t i = 0; i < ITEMS(cases); i++) {
        struct fake_http_reply reply = refusal(cases[i].status, cases[i].code);
        struct putting putting = put_after(rig, &reply, 1);
        assert_int_equal(putting.outcome.result, cases[i].wanted);
        assert_string_equal(putting.outcome.code, cases[i].code);
        assert_string_equal(putting.etag, "");
    }
    struct fake_http_reply lost = {.fault = FAKE_HTTP_DROP};
    assert_int_equal(put_after(rig, &lost, 1).outcome.result, RESULT_UNKNOWN);
}

static void a_page_that_was_cut_off_is_asked_for_again(void **state)
{
    struct rig *rig = *state;
    struct fake_http_reply replies[] = {{.body = PAGE LAST, .fault = FAKE_HTTP_CUT},
                                        {.body = PAGE LAST}};
    struct listing listing = list_after(rig, replies, 2);
    assert_int_equal(listing.err.kind, ERR_NONE);
    assert_int_equal(listing.count, 1);
    /* What was cut off with a length that fits can only be told by its text. */
    static const char *const bodies[] = {PAGE, PAGE "<NextMarker/>", PAGE "</EnumerationResults>",
                                         "",   "<html></html>",      "<!DOCTYPE x>" PAGE LAST};
    for (size_t i = 0; i < ITEMS(bodies); i++) {
        struct fake_http_reply reply = {.body = bodies[i]};
        listing = list_after(rig, &reply, 1);
        assert_int_equal(listing.err.kind, ERR_CORRUPT);
        assert_int_equal(listing.count, 0);
    }
}

/* An empty page says nothing of what comes next; any other key comes behind the one asked for. */
static void an_exact_listing_ends_with_the_first_key(void **state)
{
    struct rig *rig = *state;
    static const struct {
        const char *body, *key;
        size_t count;
        bool goes_on;
    } cases[] = {
        {PAGE MORE, "d/1", 1, false},    {PAGE LAST, "d/1", 1, false},
        {PAGE MORE, "d/", 0, false},     {NO_BLOB MORE, "d/1", 0, true},
        {NO_BLOB LAST, "d/1", 0, false},
    };
    for (size_t i = 0; i < ITEMS(cases); i++) {
        struct listing listing = {.prefix = cases[i].key, .exact = true, .limit = 100};
        struct fake_http_reply reply = {.body = cases[i].body};
        script(rig, &reply, 1);
        rig->store->ops->list(rig->store, &listing, 1, &rig->arena);
        assert_int_equal(listing.err.kind, ERR_NONE);
        assert_int_equal(listing.count, cases[i].count);
        assert_int_equal(listing.marker != NULL, cases[i].goes_on);
        assert_non_null(strstr(fake_http_request(rig->fake, 0)->path, "&maxresults=1&"));
    }
}

/* -- deletions -----------------------------------------------------------------------------------
 */

#define PART(id, status, code)                                                                     \
    "--b\r\nContent-Type: application/http\r\n" id "\r\nHTTP/1.1 " status                          \
    "\r\nx-ms-error-code: " code "\r\n\r\n"

static void remove_after(struct rig *rig, struct deletion *deletions, size_t count,
                         const struct fake_http_reply *replies, unsigned reply_count)
{
    for (size_t i = 0; i < count; i++)
        deletions[i] = (struct deletion){.key = str_format(&rig->arena, "k%zu", i), .etag = ETAG};
    script(rig, replies, reply_count);
    rig->store->ops->remove(rig->store, deletions, count);
}

static struct fake_http_reply batch_reply(const char *body)
{
    return (struct fake_http_reply){
        .status = 202, .headers = {{"Content-Type", "multipart/mixed; boundary=b"}}, .body = body};
}

static void each_part_means_what_it_says(void **state)
{
    struct rig *rig = *state;
    static const enum store_result wanted[] = {
        RESULT_DONE,    RESULT_DONE,   RESULT_CHANGED, RESULT_REFUSED, RESULT_REFUSED,
        RESULT_REFUSED, RESULT_DENIED, RESULT_BUSY,    RESULT_UNKNOWN, RESULT_REFUSED};
    struct fake_http_reply replies[] = {
        batch_reply(PART("", "202 Accepted", "") PART("", "404 No", "BlobNotFound")
                        PART("", "412 No", "ConditionNotMet") PART("", "412 No", "LeaseIdMissing")
                            PART("", "409 No", "SnapshotsPresent")
                                PART("", "409 No", "BlobImmutableDueToPolicy")
                                    PART("", "403 No", "AuthorizationFailure")
                                        PART("", "503 No", "ServerBusy")
                                            PART("", "500 No", "InternalError")
                                                PART("", "400 No", "InvalidInput") "--b--\r\n"),
        {.status = 200, .headers = {{"ETag", "\"other\""}}}, /* the look at what was changed */
    };
    struct deletion deletions[ITEMS(wanted)];
    remove_after(rig, deletions, ITEMS(wanted), replies, 2);
    for (size_t i = 0; i < ITEMS(wanted); i++)
        assert_result(&deletions[i].outcome, wanted[i]);
    assert_int_equal(fake_http_count(rig->fake), 2);
    assert_string_equal(fake_http_request(rig->fake, 0)->path,
                        "/acct/c?comp=batch&restype=container");
    assert_string_equal(fake_http_request(rig->fake, 1)->path, "/acct/c/p/k2");
}

static void what_a_batch_does_not_say_is_unknown(void **state)
{
    struct rig *rig = *state;
    struct deletion deletions[3];
    struct fake_http_reply reply = batch_reply(PART("Content-ID: 2\r\n", "202 Accepted", "")
                                                   PART("Content-ID: 0\r\n", "202 Accepted", ""));
    remove_after(rig, deletions, 3, &reply, 1);
    assert_result(&deletions[0].outcome, RESULT_UNKNOWN); /* cut off: no delimiter behind it */
    assert_result(&deletions[1].outcome, RESULT_UNKNOWN);
    assert_result(&deletions[2].outcome, RESULT_DONE);

    struct fake_http_reply html = {.status = 202, .body = "<html/>"};
    remove_after(rig, deletions, 3, &html, 1);
    for (size_t i = 0; i < 3; i++)
        assert_result(&deletions[i].outcome, RESULT_UNKNOWN);
}

static void a_batch_that_failed_fails_for_all(void **state)
{
    struct rig *rig = *state;
    static const struct {
        int status;
        const char *code;
        enum store_result wanted;
    } cases[] = {{403, "AuthenticationFailed", RESULT_DENIED},
                 {503, "ServerBusy", RESULT_BUSY},
                 {500, "InternalError", RESULT_UNKNOWN},
                 {404, "ContainerNotFound", RESULT_REFUSED},
                 {400, "InvalidInput", RESULT_REFUSED}};
    for (size_t i = 0; i < ITEMS(cases); i++) {
        struct deletion deletions[3];
        struct fake_http_reply reply = refusal(cases[i].status, cases[i].code);
        remove_after(rig, deletions, 3, &reply, 1);
        for (size_t j = 0; j < 3; j++)
            assert_result(&deletions[j].outcome, cases[i].wanted);
        remove_after(rig, deletions, 1, &reply, 1);
        assert_result(&deletions[0].outcome, cases[i].wanted);
    }
    struct deletion deletions[3];
    /* Lost, or lost and then refused: some may be deleted. */
    struct fake_http_reply lost[] = {{.fault = FAKE_HTTP_DROP}, refusal(503, "ServerBusy")};
    for (unsigned count = 1; count <= 2; count++) {
        remove_after(rig, deletions, 3, lost, count);
        for (size_t i = 0; i < 3; i++)
            assert_result(&deletions[i].outcome, RESULT_UNKNOWN);
        remove_after(rig, deletions, 1, lost, count);
        assert_result(&deletions[0].outcome, RESULT_UNKNOWN);
    }
}

/* The first batch was carried out, its answer lost: the second finds nothing, and that is done. */
static void a_batch_that_is_sent_again_finds_nothing(void **state)
{
    struct rig *rig = *state;
    struct deletion deletions[2];
    struct fake_http_reply replies[] = {
        {.fault = FAKE_HTTP_DROP},
        batch_reply(PART("Content-ID: 0\r\n", "404 No", "BlobNotFound")
                        PART("Content-ID: 1\r\n", "404 No", "BlobNotFound") "--b--\r\n")};
    remove_after(rig, deletions, 2, replies, 2);
    assert_result(&deletions[0].outcome, RESULT_DONE);
    assert_result(&deletions[1].outcome, RESULT_DONE);
}

static void each_part_of_a_batch_is_conditional_and_signed(void **state)
{
    struct rig *rig = *state;
    struct deletion deletions[256];
    struct fake_http_reply reply = {.status = 403};
    remove_after(rig, deletions, 256, &reply, 1);
    const char *body = fake_http_request(rig->fake, 0)->body;
    size_t parts = 0;
    for (const char *at = body; (at = strstr(at, "\r\nDELETE /acct/c/p/k")); at++) {
        const char *end = strstr(at, "\r\n\r\n");
        const char *condition = strstr(at, "\r\nIf-Match: " ETAG "\r\n");
        const char *signature = strstr(at, "\r\nAuthorization: SharedKey acct:");
        assert_true(condition && condition < end && signature && signature < end);
        parts++;
    }
    assert_int_equal(parts, 256);
    assert_int_equal(fake_http_count(rig->fake), 1);
    struct deletion more[1300];
    remove_after(rig, more, 257, &reply, 1);
    assert_int_equal(fake_http_count(rig->fake), 3);
    /* Four batches, and two for the rest. */
    remove_after(rig, more, 1300, &reply, 1);
    assert_int_equal(fake_http_count(rig->fake), 3 + 4 + 2);
    assert_true(strstr(fake_http_request(rig->fake, 7)->body, "/k1299 ") ||
                strstr(fake_http_request(rig->fake, 8)->body, "/k1299 "));
    for (size_t i = 0; i < 1300; i++)
        assert_result(&more[i].outcome, RESULT_DENIED);
}

/* -- tiers ---------------------------------------------------------------------------------------
 */

static void set_tier_after(struct rig *rig, struct tiering *tierings, size_t count,
                           const struct fake_http_reply *replies, unsigned reply_count)
{
    for (size_t i = 0; i < count; i++)
        tierings[i] = (struct tiering){.key = str_format(&rig->arena, "k%zu", i),
                                       .tier = i % 2 ? TIER_COOL : TIER_COLD};
    script(rig, replies, reply_count);
    rig->store->ops->set_tier(rig->store, tierings, count);
}

/* "Set Blob Tier", and "Status and error codes"; alone and in a batch. */
static void a_tier_is_set_gone_or_refused(void **state)
{
    struct rig *rig = *state;
    static const struct {
        int status;
        const char *code;
        enum store_result wanted;
    } cases[] = {
        {200, "", RESULT_DONE},
        {202, "", RESULT_DONE},
        {404, "BlobNotFound", RESULT_CHANGED},
        {404, "ContainerNotFound", RESULT_REFUSED},
        {409, "BlobBeingRehydrated", RESULT_REFUSED},
        {409, "SnapshotsPresent", RESULT_REFUSED},
        {409, "InvalidBlobType", RESULT_REFUSED},
        {412, "LeaseIdMissing", RESULT_REFUSED},
        {403, "AuthorizationFailure", RESULT_DENIED},
        {503, "ServerBusy", RESULT_BUSY},
        {500, "InternalError", RESULT_UNKNOWN},
        {400, "InvalidHeaderValue", RESULT_REFUSED},
    };
    struct tiering tierings[ITEMS(cases)];
    const char *body = "";
    for (size_t i = 0; i < ITEMS(cases); i++) {
        struct fake_http_reply reply = refusal(cases[i].status, cases[i].code);
        set_tier_after(rig, tierings, 1, &reply, 1);
        assert_result(&tierings[0].outcome, cases[i].wanted);
        assert_string_equal(tierings[0].outcome.code, cases[i].code);
        body = str_format(&rig->arena, "%s" PART("", "%d No", "%s"), body, cases[i].status,
                          cases[i].code);
    }
    struct fake_http_reply reply = batch_reply(str_format(&rig->arena, "%s--b--\r\n", body));
    unsigned before = fake_http_count(rig->fake);
    set_tier_after(rig, tierings, ITEMS(cases), &reply, 1);
    for (size_t i = 0; i < ITEMS(cases); i++)
        assert_result(&tierings[i].outcome, cases[i].wanted);
    assert_int_equal(fake_http_count(rig->fake) - before, 1);
}

static void one_tier_is_a_request_of_its_own(void **state)
{
    struct rig *rig = *state;
    struct fake_http_reply reply = {.status = 200};
    struct tiering tiering;
    set_tier_after(rig, &tiering, 1, &reply, 1);
    assert_result(&tiering.outcome, RESULT_DONE);
    assert_int_equal(fake_http_count(rig->fake), 1);
    assert_string_equal(fake_http_request(rig->fake, 0)->method, "PUT");
    assert_string_equal(fake_http_request(rig->fake, 0)->path, "/acct/c/p/k0?comp=tier");
    assert_true(was_sent(rig, 0, "\nx-ms-access-tier: Cold\n"));
    assert_true(was_sent(rig, 0, "\nContent-Length: 0\n"));
    assert_true(was_sent(rig, 0, "\nAuthorization: SharedKey acct:"));
}

/* Nobody is asked; what stands beside them is set all the same. */
static void no_tier_and_the_archive_are_refused(void **state)
{
    struct rig *rig = *state;
    struct fake_http_reply reply = {.status = 200};
    struct tiering tierings[] = {{.key = "a", .tier = TIER_DEFAULT},
                                 {.key = "b", .tier = TIER_ARCHIVE},
                                 {.key = "c", .tier = TIER_COOL}};
    script(rig, &reply, 1);
    rig->store->ops->set_tier(rig->store, tierings, 3);
    assert_result(&tierings[0].outcome, RESULT_REFUSED);
    assert_result(&tierings[1].outcome, RESULT_REFUSED);
    assert_result(&tierings[2].outcome, RESULT_DONE);
    assert_int_equal(fake_http_count(rig->fake), 1);
    assert_string_equal(fake_http_request(rig->fake, 0)->path, "/acct/c/p/c?comp=tier");
}

static void each_part_of_a_batch_names_its_tier(void **state)
{
    struct rig *rig = *state;
    struct fake_http_reply reply = {.status = 403};
    struct tiering tierings[256];
    set_tier_after(rig, tierings, 256, &reply, 1);
    assert_int_equal(fake_http_count(rig->fake), 1);
    const char *at = fake_http_request(rig->fake, 0)->body;
    for (size_t i = 0; i < 256; i++) {
        static const char *const tiers[] = {"Cold", "Cool"};
        const char *line = str_format(
            &rig->arena, "\r\nPUT /acct/c/p/k%zu?comp=tier HTTP/1.1\r\nx-ms-access-tier: %s\r\n", i,
            tiers[i % 2]);
        at = strstr(at, line);
        assert_non_null(at);
        const char *signature = strstr(at, "\r\nAuthorization: SharedKey acct:");
        assert_true(signature && signature < strstr(at, "\r\n\r\n"));
        assert_result(&tierings[i].outcome, RESULT_DENIED);
    }
    assert_null(strstr(at + 1, "\r\nPUT "));
}

static void a_part_under_a_sas_ends_with_it(void **state)
{
    struct rig *rig = *state;
    struct fake_http_reply reply = {.status = 403};
    struct policy_store definition = rig->definition;
    struct tiering tierings[2] = {{.key = "a b", .tier = TIER_HOT}, {.key = "c", .tier = TIER_HOT}};
    struct deletion deletions[2] = {{.key = "a b", .etag = ETAG}, {.key = "c", .etag = ETAG}};
    struct store *store;
    struct err err;
    definition.connection.key = (struct secret){0};
    secret_set(&definition.connection.sas, "sr=c&sig=x", 10);
    assert_true(azure_store_open(&definition, rig->http, &rig->clock.clock, &store, &err));
    script(rig, &reply, 1);
    store->ops->set_tier(store, tierings, 2);
    store->ops->remove(store, deletions, 2);
    assert_non_null(strstr(fake_http_request(rig->fake, 0)->body,
                           "\r\nPUT /acct/c/p/a%20b?comp=tier&sr=c&sig=x HTTP/1.1\r\n"
                           "x-ms-access-tier: Hot\r\nContent-Length: 0\r\n\r\n"));
    assert_non_null(strstr(fake_http_request(rig->fake, 1)->body,
                           "\r\nDELETE /acct/c/p/a%20b?sr=c&sig=x HTTP/1.1\r\n"
                           "If-Match: " ETAG "\r\nContent-Length: 0\r\n\r\n"));
    store_close(store);
    secret_clear(&definition.connection.sas);
}

static void a_tier_without_an_answer_is_unknown(void **state)
{
    struct rig *rig = *state;
    struct tiering tierings[3];
    struct fake_http_reply cut = batch_reply(PART("Content-ID: 2\r\n", "200 OK", "")
                                                 PART("Content-ID: 0\r\n", "200 OK", ""));
    set_tier_after(rig, tierings, 3, &cut, 1);
    assert_result(&tierings[0].outcome, RESULT_UNKNOWN);
    assert_result(&tierings[1].outcome, RESULT_UNKNOWN);
    assert_result(&tierings[2].outcome, RESULT_DONE);
    struct fake_http_reply lost[] = {{.fault = FAKE_HTTP_DROP}, refusal(503, "ServerBusy")};
    for (size_t count = 1; count <= 3; count += 2) {
        set_tier_after(rig, tierings, count, lost, 2);
        for (size_t i = 0; i < count; i++)
            assert_result(&tierings[i].outcome, RESULT_UNKNOWN);
    }
    /* What a batch as a whole was told is not what happened to a blob. */
    struct fake_http_reply nowhere = refusal(404, "ResourceNotFound");
    set_tier_after(rig, tierings, 3, &nowhere, 1);
    for (size_t i = 0; i < 3; i++)
        assert_result(&tierings[i].outcome, RESULT_REFUSED);
}

/* -- reads ---------------------------------------------------------------------------------------
 */

static void a_range_must_be_the_one_that_was_asked_for(void **state)
{
    struct rig *rig = *state;
    static const struct {
        int status;
        const char *range, *body;
        enum store_result wanted;
        size_t got;
    } cases[] = {
        {206, "bytes 10-14/100", "01234", RESULT_DONE, 5},
        {206, "bytes 10-12/13", "012", RESULT_DONE, 3},
        {206, "bytes 10-12/100", "012", RESULT_REFUSED, 0},   /* short, and not at the end */
        {206, "bytes 0-4/100", "01234", RESULT_REFUSED, 0},   /* from elsewhere            */
        {206, "bytes 10-13/100", "01234", RESULT_REFUSED, 0}, /* contradicts its body      */
        {206, "bytes 10-14/14", "01234", RESULT_REFUSED, 0},
        {206, "nonsense", "01234", RESULT_REFUSED, 0},
        {200, "", "01234", RESULT_REFUSED, 0},
        {416, "", "", RESULT_DONE, 0},
        {412, "", "", RESULT_CHANGED, 0},
        {404, "", "", RESULT_CHANGED, 0},
        {403, "", "", RESULT_DENIED, 0},
        {503, "", "", RESULT_BUSY, 0},
        {500, "", "", RESULT_BUSY, 0},
        {409, "", "", RESULT_REFUSED, 0},
    };
    for (size_t i = 0; i < ITEMS(cases); i++) {
        char bytes[5] = "";
        struct reading reading = {
            .key = "k", .etag = ETAG, .from = 10, .bytes = bytes, .size_bytes = sizeof bytes};
        struct fake_http_reply reply = {.status = cases[i].status,
                                        .headers = {{"Content-Range", cases[i].range}},
                                        .body = cases[i].body};
        unsigned number = fake_http_count(rig->fake);
        script(rig, &reply, 1);
        rig->store->ops->read(rig->store, &reading, 1);
        if (reading.outcome.result != cases[i].wanted)
            fail_msg("%d %s: %s", cases[i].status, cases[i].range,
                     store_result_name(reading.outcome.result));
        assert_int_equal(reading.got_bytes, cases[i].got);
        assert_memory_equal(bytes, cases[i].body, cases[i].got);
        assert_true(was_sent(rig, number, "\nx-ms-range: bytes=10-14\n"));
        assert_true(was_sent(rig, number, "\nIf-Match: " ETAG "\n"));
    }
}

/* -- opening -------------------------------------------------------------------------------------
 */

static void a_store_that_can_t_work_is_not_opened(void **state)
{
    struct rig *rig = *state;
    struct store *store;
    struct err err;
    struct policy_store definition = rig->definition;
    definition.connection.endpoint = "http://storage.example.com";
    assert_false(azure_store_open(&definition, rig->http, &rig->clock.clock, &store, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    definition = rig->definition;
    definition.connection.key = (struct secret){0};
    assert_false(azure_store_open(&definition, rig->http, &rig->clock.clock, &store, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    secret_set(&definition.connection.key, "CANARY!", 7);
    assert_false(azure_store_open(&definition, rig->http, &rig->clock.clock, &store, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    assert_null(strstr(err.text, "CANARY"));
    secret_clear(&definition.connection.key);
    assert_int_equal(fake_http_count(rig->fake), 0);
}

/* ---- make ---- */

static void a_container_is_made_or_was_there(void **state)
{
    struct rig *rig = *state;
    const struct {
        struct fake_http_reply reply;
        enum err_kind kind;
    } table[] = {
        {{.status = 201}, ERR_NONE},
        {refusal(409, "ContainerAlreadyExists"), ERR_NONE},
        {refusal(403, "AuthorizationPermissionMismatch"), ERR_DENIED},
        {refusal(400, "OutOfRangeInput"), ERR_INPUT},
    };
    for (size_t i = 0; i < ITEMS(table); i++) {
        struct err err = {0};
        script(rig, &table[i].reply, 1);
        bool done = rig->store->ops->make(rig->store, &err);
        assert_int_equal(err.kind, table[i].kind);
        assert_int_equal(done, table[i].kind == ERR_NONE);
    }
    const struct fake_http_request *request = fake_http_request(rig->fake, 0);
    assert_string_equal(request->method, "PUT");
    assert_string_equal(request->path, "/acct/c?restype=container");
    assert_null(strstr(request->headers, "x-ms-blob-public-access"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(put_blob_from_url_answers_a_digest),
        TEST(an_account_without_it_is_asked_once),
        TEST(a_refusal_says_which_end_it_means),
        TEST(an_ambiguous_refusal_is_settled_by_a_look),
        TEST(done_needs_an_etag),
        TEST(a_lost_answer_leaves_what_is_certain),
        TEST(an_empty_copy_needs_an_empty_source),
        TEST(blocks_carry_their_condition_and_the_list_its_own),
        TEST(a_sas_is_used_until_half_of_it_is_over),
        TEST(what_no_other_way_suits_is_copied_by_the_service_alone),
        TEST(a_large_object_without_blocks_is_copied_by_the_service_alone),
        TEST(a_source_may_want_its_time),
        TEST(a_copy_that_is_done_at_once_is_done),
        TEST(a_slow_copy_is_throttled_refused_or_lost),
        TEST(its_sas_lives_as_long_as_it_may_take),
        TEST(an_abort_names_its_copy),
        TEST(what_is_being_copied_can_t_be_deleted_yet),
        TEST(a_page_is_asked_for_with_all_it_needs),
        TEST(a_listing_fails_for_a_reason),
        TEST(a_put_is_conditional_and_has_its_bytes),
        TEST(an_account_that_keeps_versions_says_so),
        TEST(a_refused_put_says_why),
        TEST(a_page_that_was_cut_off_is_asked_for_again),
        TEST(an_exact_listing_ends_with_the_first_key),
        TEST(each_part_means_what_it_says),
        TEST(what_a_batch_does_not_say_is_unknown),
        TEST(a_batch_that_failed_fails_for_all),
        TEST(a_batch_that_is_sent_again_finds_nothing),
        TEST(each_part_of_a_batch_is_conditional_and_signed),
        TEST(a_tier_is_set_gone_or_refused),
        TEST(one_tier_is_a_request_of_its_own),
        TEST(no_tier_and_the_archive_are_refused),
        TEST(each_part_of_a_batch_names_its_tier),
        TEST(a_part_under_a_sas_ends_with_it),
        TEST(a_tier_without_an_answer_is_unknown),
        TEST(a_range_must_be_the_one_that_was_asked_for),
        TEST(a_store_that_can_t_work_is_not_opened),
        TEST(a_container_is_made_or_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
