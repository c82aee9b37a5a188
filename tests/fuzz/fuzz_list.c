/* Any bytes as a page of a listing: an error, or objects that can be asked for, below the prefix;
 * the same whether they come at once or in pieces, the first time or after a retry; never a crash.
 * The first byte is the size of the pieces.                                                      */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "executor/azure/azure_private.h"

#define FUZZ_ARENA_BYTES ((size_t)256 << 20)
#define FUZZ_STORE "p/"
#define FUZZ_ASKED FUZZ_STORE "d/"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_require(bool holds)
{
    if (!holds)
        abort();
}

static bool fuzz_page(const char *bytes, size_t size, size_t piece, struct arena *arena,
                      struct listing *listing)
{
    struct err err = {0};
    struct azure_page *page = azure_page_make(FUZZ_ASKED, strlen(FUZZ_STORE), arena);
    azure_page_add(page, NULL, 0);
    if (piece < size) { /* a try that was cut off */
        azure_page_add(page, bytes, piece);
        azure_page_add(page, NULL, 0);
    }
    for (size_t at = 0; at < size; at += piece)
        azure_page_add(page, bytes + at, size - at < piece ? size - at : piece);
    bool done = azure_page_finish(page, listing, &err);
    fuzz_require(done == (err.kind == ERR_NONE));
    fuzz_require(done || (listing->count == 0 && !listing->marker));
    azure_page_free(page);
    return done;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct listing whole = {0}, pieces = {0};
    struct arena arena;
    if (size == 0)
        return 0;
    arena_init(&arena, FUZZ_ARENA_BYTES);
    const char *bytes = (const char *)data + 1;
    bool done = fuzz_page(bytes, size - 1, SIZE_MAX / 2, &arena, &whole);
    fuzz_require(fuzz_page(bytes, size - 1, (size_t)data[0] + 1, &arena, &pieces) == done);
    fuzz_require(whole.count == pieces.count && str_equal(whole.marker, pieces.marker));
    for (size_t i = 0; i < whole.count; i++) {
        const struct object *object = &whole.objects[i];
        fuzz_require(str_starts(object->key, "d/"));
        fuzz_require(azure_etag_is_exact(object->etag));
        fuzz_require(object->irregular || azure_key_is_plain(object->key));
        fuzz_require(str_equal(object->key, pieces.objects[i].key));
        fuzz_require(object->bytes == pieces.objects[i].bytes);
    }
    arena_free(&arena);
    return 0;
}
