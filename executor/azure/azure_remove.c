#include "executor/azure/azure_private.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/when.h"
#include "executor/azure/batch.h"
#include "executor/azure/sign.h"

#define BATCHES_MAX 4 /* in memory at a time */

/* -- what an answer means ---------------------------------------------------------------------- */

/* What a status means for a deletion alone. */
static void refine(struct store_outcome *outcome)
{
    const char *code = outcome->code;
    if (outcome->status >= 200 && outcome->status < 300)
        outcome->result = RESULT_DONE;
    else if (outcome->status == 404 && strcmp(code, "ContainerNotFound") != 0)
        outcome->result = RESULT_DONE;
    /* Other conditions, such as a lease, answer 412 too. */
    else if (outcome->status == 412 &&
             (strcmp(code, "ConditionNotMet") == 0 || strcmp(code, "TargetConditionNotMet") == 0))
        outcome->result = RESULT_CHANGED;
}

/* -- one --------------------------------------------------------------------------------------- */

static void remove_one(struct azure *azure, struct deletion *deletion, struct arena *scratch)
{
    struct http_request request;
    struct azure_call *call = azure_call_make(azure, "DELETE", deletion->key, &request, scratch);
    azure_call_header(call, "If-Match", deletion->etag);
    azure_call_seal(call);
    http_batch(azure->http, &request, 1, scratch);
    deletion->outcome = azure_outcome_request(&request, scratch);
    refine(&deletion->outcome);
}

/* -- many -------------------------------------------------------------------------------------- */

struct batch {
    struct deletion **deletions;
    size_t count;
    char boundary[32];
    struct buf body;
};

/* Each part is signed on its own. */
static void write_part(const struct azure *azure, struct batch *batch, size_t number,
                       const char *date, struct arena *scratch)
{
    const struct deletion *deletion = batch->deletions[number];
    const char *path = azure_call_path(azure, deletion->key, scratch);
    struct http_header headers[3] = {{"If-Match", deletion->etag}, {"x-ms-date", date}};
    if (!secret_is_set(&azure->key)) {
        const char *target = str_format(scratch, "%s?%s", path, secret_reveal(azure->sas));
        batch_add(&batch->body, batch->boundary, number, target, headers, 1);
        return;
    }
    struct sign_request signing = {.method = "DELETE",
                                   .account = azure->account,
                                   .path = path,
                                   .headers = headers,
                                   .header_count = 2};
    headers[2] =
        (struct http_header){"Authorization", sign_shared_key(&signing, &azure->key, scratch)};
    batch_add(&batch->body, batch->boundary, number, path, headers, 3);
}

/* Azurite takes it for the whole account only; a SAS of a container would not do for that.  "srt"
 * is what every SAS of an account has.                                                           */
static bool has_account_sas(const struct azure *azure)
{
    const char *sas = secret_reveal(azure->sas);
    return !secret_is_set(&azure->key) && (str_starts(sas, "srt=") || strstr(sas, "&srt="));
}

static void ask_batch(struct azure *azure, struct batch *batch, struct http_request *request,
                      struct arena *scratch)
{
    char date[WHEN_TEXT_MAX];
    when_http_text(azure->clock->ops->now_us(azure->clock), date);
    snprintf(batch->boundary, sizeof batch->boundary, "batch_%016llx",
             (unsigned long long)rand_system());
    buf_init(&batch->body, BATCH_BYTES_MAX);
    for (size_t i = 0; i < batch->count; i++) {
        struct arena_mark mark = arena_mark(scratch);
        write_part(azure, batch, i, date, scratch);
        arena_back(scratch, mark);
    }
    batch_end(&batch->body, batch->boundary);
    struct azure_call *call = azure_call_make(azure, "POST", NULL, request, scratch);
    azure_call_param(call, "comp", "batch");
    if (has_account_sas(azure))
        call->path = azure->service;
    else
        azure_call_param(call, "restype", "container");
    azure_call_header(call, "Content-Type",
                      str_format(scratch, "multipart/mixed; boundary=%s", batch->boundary));
    request->body = batch->body.bytes;
    request->body_bytes = batch->body.size;
    azure_call_seal(call);
}

static void answer_batch(struct azure *azure, struct batch *batch,
                         const struct http_request *request, struct arena *scratch)
{
    struct batch_answer answers[BATCH_PARTS_MAX];
    struct err err;
    if (request->err.kind != ERR_NONE || request->status != 202) {
        for (size_t i = 0; i < batch->count; i++)
            batch->deletions[i]->outcome = azure_outcome_request(request, scratch);
        return;
    }
    if (!batch_read(http_header_find(request, "Content-Type", scratch), request->reply,
                    request->reply_bytes, answers, batch->count, &err))
        LOG(LOG_WARNING, "batch-unclear", LOG_TEXT("store", azure->store.name),
            LOG_TEXT("reason", err.text));
    for (size_t i = 0; i < batch->count; i++) {
        struct store_outcome *outcome = &batch->deletions[i]->outcome;
        if (answers[i].status == 0) {
            *outcome = azure_outcome_plain(RESULT_UNKNOWN);
            continue;
        }
        *outcome = azure_outcome_status(answers[i].status, answers[i].code);
        refine(outcome);
    }
}

static void remove_batches(struct azure *azure, struct deletion **deletions, size_t count,
                           struct arena *scratch)
{
    struct batch batches[BATCHES_MAX];
    struct http_request requests[BATCHES_MAX];
    size_t batch_count = 0;
    for (size_t from = 0; from < count; from += BATCH_PARTS_MAX) {
        struct batch *batch = &batches[batch_count];
        batch->deletions = deletions + from;
        batch->count = count - from < BATCH_PARTS_MAX ? count - from : BATCH_PARTS_MAX;
        ask_batch(azure, batch, &requests[batch_count++], scratch);
    }
    http_batch(azure->http, requests, batch_count, scratch);
    for (size_t i = 0; i < batch_count; i++) {
        answer_batch(azure, &batches[i], &requests[i], scratch);
        buf_free(&batches[i].body);
    }
}

/* Azurite says of what is gone that its etag is another one, so that is looked at. */
static void settle_doubts(struct azure *azure, struct deletion **deletions, size_t count,
                          struct arena *scratch)
{
    struct azure_head *heads = arena_make(scratch, count * sizeof *heads);
    size_t doubtful = 0;
    for (size_t i = 0; i < count; i++) {
        if (deletions[i]->outcome.result != RESULT_CHANGED)
            continue;
        deletions[doubtful] = deletions[i];
        heads[doubtful++] = (struct azure_head){.key = deletions[i]->key};
    }
    azure_head_all(azure, heads, doubtful, scratch);
    for (size_t i = 0; i < doubtful; i++) {
        if (heads[i].outcome.status == 404)
            deletions[i]->outcome = azure_outcome_plain(RESULT_DONE);
    }
}

/* -- the verb ---------------------------------------------------------------------------------- */

void azure_remove(struct store *store, struct deletion *deletions, size_t count)
{
    struct azure *azure = (struct azure *)store;
    struct deletion *asked[BATCHES_MAX * BATCH_PARTS_MAX];
    struct arena scratch;
    size_t asked_count = 0;
    arena_init(&scratch, AZURE_SCRATCH_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        struct deletion *deletion = &deletions[i];
        if (azure_key_is_plain(deletion->key) && azure_etag_is_exact(deletion->etag))
            asked[asked_count++] = deletion;
        else
            deletion->outcome = azure_outcome_plain(RESULT_REFUSED);
        if (asked_count < BATCHES_MAX * BATCH_PARTS_MAX && i + 1 < count)
            continue;
        if (asked_count == 1)
            remove_one(azure, asked[0], &scratch);
        else
            remove_batches(azure, asked, asked_count, &scratch);
        settle_doubts(azure, asked, asked_count, &scratch);
        asked_count = 0;
        arena_reset(&scratch);
    }
    arena_free(&scratch);
}
