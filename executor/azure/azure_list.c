#include "executor/azure/azure_private.h"

#include <assert.h>
#include <string.h>

#include "base/str.h"
#include "base/when.h"

/* Copy: a copy under way or failed is neither absent nor equal.  Metadata: folders of a
 * hierarchical namespace, and of tools that imitate one, are told by theirs. */
#define INCLUDED "copy,metadata"

static struct azure_page *ask(struct azure *azure, const struct listing *listing,
                              struct http_request *request, struct arena *scratch,
                              struct arena *arena)
{
    const char *asked = str_format(scratch, "%s%s", azure->prefix, listing->prefix);
    struct azure_page *page = azure_page_make(asked, strlen(azure->prefix), arena);
    struct azure_call *call = azure_call_make(azure, "GET", NULL, request, scratch);
    azure_call_param(call, "comp", "list");
    azure_call_param(call, "include", INCLUDED);
    if (listing->marker)
        azure_call_param(call, "marker", listing->marker);
    size_t most = azure->limits.page;
    if (listing->exact)
        most = 1;
    else if (listing->limit > 0 && listing->limit < most)
        most = listing->limit;
    azure_call_param(call, "maxresults", str_format(scratch, "%zu", most));
    if (asked[0] != '\0')
        azure_call_param(call, "prefix", asked);
    azure_call_param(call, "restype", "container");
    azure_call_seal(call);
    request->sink = azure_page_add;
    request->sink_context = page;
    return page;
}

static int64_t server_us(const struct http_request *request, struct arena *scratch)
{
    const char *date = http_header_find(request, "Date", scratch);
    struct err ignored;
    int64_t instant_us;
    return date && when_http_read(date, &instant_us, &ignored) ? instant_us : 0;
}

/* In every order a key comes before those that go on from it: nothing behind the first one has to
 * be asked for. */
static void keep_exact(struct listing *listing)
{
    if (listing->count == 0)
        return;
    listing->count = str_equal(listing->objects[0].key, listing->prefix);
    listing->marker = NULL;
}

static void answer(const struct azure *azure, const struct http_request *request,
                   struct azure_page *page, struct listing *listing, struct arena *scratch)
{
    listing->objects = NULL;
    listing->count = 0;
    listing->server_us = request->err.kind == ERR_NONE ? server_us(request, scratch) : 0;
    listing->protocol = request->protocol;
    listing->err = (struct err){0};
    if (request->err.kind != ERR_NONE || request->status != 200) {
        azure_outcome_err(azure, request, scratch, &listing->err);
        return;
    }
    if (!azure_page_finish(page, listing, &listing->err))
        err_wrap(&listing->err, "container %s of store %s", azure->container, azure->store.name);
    else if (listing->exact)
        keep_exact(listing);
}

void azure_list(struct store *store, struct listing *listings, size_t count, struct arena *arena)
{
    struct azure *azure = (struct azure *)store;
    struct http_request requests[STORE_LISTINGS_MAX];
    struct azure_page *pages[STORE_LISTINGS_MAX];
    struct arena scratch;
    assert(count <= STORE_LISTINGS_MAX);
    arena_init(&scratch, AZURE_SCRATCH_BYTES_MAX);
    for (size_t i = 0; i < count; i++)
        pages[i] = ask(azure, &listings[i], &requests[i], &scratch, arena);
    http_batch(azure->http, requests, count, &scratch);
    for (size_t i = 0; i < count; i++) {
        answer(azure, &requests[i], pages[i], &listings[i], &scratch);
        azure_page_free(pages[i]);
    }
    arena_free(&scratch);
}
