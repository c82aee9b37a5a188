#include "executor/azure/azure_private.h"

#include <assert.h>
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

#define BATCHES_MAX (AZURE_PARTS_MAX / BATCH_PARTS_MAX) /* in memory at a time */

/* -- one --------------------------------------------------------------------------------------- */

static void send_alone(struct azure *azure, const struct azure_verb *verb, struct azure_part *part,
                       struct arena *scratch)
{
    struct http_request request;
    struct azure_call *call = azure_call_make(azure, verb->method, part->key, &request, scratch);
    if (verb->comp)
        azure_call_param(call, "comp", verb->comp);
    azure_call_header(call, verb->header, part->value);
    azure_call_seal(call);
    http_batch(azure->http, &request, 1, scratch);
    part->outcome = azure_outcome_request(&request, scratch);
    verb->refine(&part->outcome);
}

/* -- many -------------------------------------------------------------------------------------- */

struct batch {
    const struct azure_verb *verb;
    struct azure_part **parts;
    size_t count;
    char boundary[32];
    struct buf body;
};

/* Each part is signed on its own. */
static void write_part(const struct azure *azure, struct batch *batch, size_t number,
                       const char *date, struct arena *scratch)
{
    const struct azure_verb *verb = batch->verb;
    const struct azure_part *part = batch->parts[number];
    const char *path = azure_call_path(azure, part->key, scratch);
    const struct http_header comp = {"comp", verb->comp};
    struct http_header headers[3] = {{verb->header, part->value}, {"x-ms-date", date}};
    struct batch_request request = {.method = verb->method, .headers = headers, .header_count = 1};
    request.target = verb->comp ? str_format(scratch, "%s?comp=%s", path, verb->comp) : path;
    if (secret_is_set(&azure->key)) {
        struct sign_request signing = {.method = verb->method,
                                       .account = azure->account,
                                       .path = path,
                                       .params = &comp,
                                       .param_count = verb->comp ? 1 : 0,
                                       .headers = headers,
                                       .header_count = 2};
        headers[2] =
            (struct http_header){"Authorization", sign_shared_key(&signing, &azure->key, scratch)};
        request.header_count = 3;
    } else {
        request.target = str_format(scratch, "%s%c%s", request.target, verb->comp ? '&' : '?',
                                    secret_reveal(azure->sas));
    }
    batch_add(&batch->body, batch->boundary, number, &request);
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
            batch->parts[i]->outcome = azure_outcome_request(request, scratch);
        return;
    }
    if (!batch_read(http_header_find(request, "Content-Type", scratch), request->reply,
                    request->reply_bytes, answers, batch->count, &err))
        LOG(LOG_WARNING, "batch-unclear", LOG_TEXT("store", azure->store.name),
            LOG_TEXT("reason", err.text));
    for (size_t i = 0; i < batch->count; i++) {
        struct store_outcome *outcome = &batch->parts[i]->outcome;
        if (answers[i].status == 0) {
            *outcome = azure_outcome_plain(RESULT_UNKNOWN);
            continue;
        }
        *outcome = azure_outcome_status(answers[i].status, answers[i].code);
        batch->verb->refine(outcome);
    }
}

static void send_batches(struct azure *azure, const struct azure_verb *verb,
                         struct azure_part **parts, size_t count, struct arena *scratch)
{
    struct batch batches[BATCHES_MAX];
    struct http_request requests[BATCHES_MAX];
    size_t batch_count = 0;
    for (size_t from = 0; from < count; from += BATCH_PARTS_MAX) {
        struct batch *batch = &batches[batch_count];
        batch->verb = verb;
        batch->parts = parts + from;
        batch->count = count - from < BATCH_PARTS_MAX ? count - from : BATCH_PARTS_MAX;
        ask_batch(azure, batch, &requests[batch_count++], scratch);
    }
    http_batch(azure->http, requests, batch_count, scratch);
    for (size_t i = 0; i < batch_count; i++) {
        answer_batch(azure, &batches[i], &requests[i], scratch);
        buf_free(&batches[i].body);
    }
}

/* -- any --------------------------------------------------------------------------------------- */

void azure_batch(struct azure *azure, const struct azure_verb *verb, struct azure_part *parts,
                 size_t count, struct arena *scratch)
{
    struct azure_part *asked[AZURE_PARTS_MAX];
    size_t asked_count = 0;
    assert(count <= AZURE_PARTS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (azure_key_is_plain(parts[i].key) && parts[i].value)
            asked[asked_count++] = &parts[i];
        else
            parts[i].outcome = azure_outcome_plain(RESULT_REFUSED);
    }
    if (asked_count == 1)
        send_alone(azure, verb, asked[0], scratch);
    else
        send_batches(azure, verb, asked, asked_count, scratch);
}
