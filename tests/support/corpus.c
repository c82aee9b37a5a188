#include "tests/support/corpus.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/file.h"

#define CORPUS_BYTES_MAX ((size_t)16 << 20)
#define CUT_STEP 7

/* From memory of exactly that size, so that reading beyond it is a finding of the sanitizer. */
static void feed_exactly(const char *bytes, size_t size_bytes,
                         int (*feed)(const uint8_t *bytes, size_t size_bytes))
{
    uint8_t *exact = malloc(size_bytes + (size_bytes == 0));
    assert_non_null(exact);
    memcpy(exact, bytes, size_bytes);
    feed(exact, size_bytes);
    free(exact);
}

size_t corpus_feed(const char *folder, int (*feed)(const uint8_t *bytes, size_t size_bytes))
{
    size_t count = 0;
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        struct arena arena;
        struct err err;
        char *bytes;
        size_t size_bytes;
        if (entry->d_name[0] == '.')
            continue;
        arena_init(&arena, CORPUS_BYTES_MAX);
        const char *path = file_join(&arena, folder, entry->d_name);
        if (!file_read(path, CORPUS_BYTES_MAX / 2, &arena, &bytes, &size_bytes, &err))
            fail_msg("%s", err.text);
        for (size_t length = 0; length < size_bytes; length += CUT_STEP)
            feed_exactly(bytes, length, feed);
        feed_exactly(bytes, size_bytes, feed);
        arena_free(&arena);
        count++;
    }
    closedir(entries);
    return count;
}
