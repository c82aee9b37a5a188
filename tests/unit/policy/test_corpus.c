/* What a fuzzer has found worth keeping is read again by every ordinary run, and so is each of the
 * examples of findings, cut off after every length.                                              */
#include <dirent.h>

#include "tests/fuzz/fuzz_policy.c"

#include "base/file.h"
#include "tests/unit/policy/fixture.h"

static void feed(const char *path, bool prefixes)
{
    struct arena arena;
    struct err err;
    char *bytes;
    size_t size;
    arena_init(&arena, FIXTURE_ARENA_BYTES);
    if (!file_read(path, FIXTURE_OUT_BYTES, &arena, &bytes, &size, &err))
        fail_msg("%s", err.text);
    for (size_t length = prefixes ? 0 : size; length <= size; length += 7)
        LLVMFuzzerTestOneInput((const uint8_t *)bytes, length);
    arena_free(&arena);
}

static size_t feed_folder(const char *folder, const char *suffix, bool prefixes)
{
    size_t count = 0;
    fixture_enter(folder);
    DIR *entries = opendir(".");
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (entry->d_name[0] == '.' || !str_ends(entry->d_name, suffix))
            continue;
        feed(entry->d_name, prefixes);
        count++;
    }
    closedir(entries);
    return count;
}

static void the_corpus_is_harmless(void **state)
{
    (void)state;
    assert_true(feed_folder("tests/fuzz/corpus/policy", "", false) >= 10);
}

static void every_cut_of_every_example_is_harmless(void **state)
{
    (void)state;
    assert_true(feed_folder("tests/golden/diag", ".yaml", true) >= 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_corpus_is_harmless),
        cmocka_unit_test(every_cut_of_every_example_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
