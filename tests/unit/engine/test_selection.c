/* What a selection on the command line says, as the `select` of a policy. */
#include "engine/selection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "tests/support/scratch.h"

#define ARENA_BYTES_MAX ((size_t)1 << 20)

static bool put(const char *const *words, size_t count, struct buf *text, struct err *err)
{
    struct arena arena;
    struct json_writer json;
    arena_init(&arena, ARENA_BYTES_MAX);
    buf_init(text, ARENA_BYTES_MAX);
    json_begin(&json, text);
    bool done = selection_put(&json, words, count, &arena, err);
    arena_free(&arena);
    return done;
}

static void words_become_a_select(void **state)
{
    (void)state;
    static const struct {
        const char *words[3];
        const char *select;
    } table[] = {
        {{"id:A"}, "{\"any\":[{\"all\":[{\"ids\":[\"A\"]}]}]}"},
        {{"A"}, "{\"any\":[{\"all\":[{\"ids\":[\"A\"]}]}]}"},
        {{"id:A,B,C"}, "{\"any\":[{\"all\":[{\"ids\":[\"A\",\"B\",\"C\"]}]}]}"},
        {{"id:\"\\"}, "{\"any\":[{\"all\":[{\"ids\":[\"\\\"\\\\\"]}]}]}"},
        {{"date:2025-02-14"}, "{\"any\":[{\"all\":[{\"date\":\"2025-02-14\"}]}]}"},
        {{"date:2025-02-01..2025-02-28"},
         "{\"any\":[{\"all\":[{\"dates\":{\"from\":\"2025-02-01\",\"to\":\"2025-02-28\"}}]}]}"},
        {{"date:2025-02-01.."}, "{\"any\":[{\"all\":[{\"dates\":{\"from\":\"2025-02-01\"}}]}]}"},
        {{"date:..2025-02-28"}, "{\"any\":[{\"all\":[{\"dates\":{\"to\":\"2025-02-28\"}}]}]}"},
        {{"id:A,B,store:cold,date:2025-02-14"},
         "{\"any\":[{\"all\":[{\"ids\":[\"A\",\"B\"]},{\"store\":\"cold\"},"
         "{\"date\":\"2025-02-14\"}]}]}"},
        {{"id:A", "store:cold,id:B"},
         "{\"any\":[{\"all\":[{\"ids\":[\"A\"]}]},"
         "{\"all\":[{\"store\":\"cold\"},{\"ids\":[\"B\"]}]}]}"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct buf text;
        struct err err;
        size_t count = table[i].words[1] == NULL ? 1 : 2;
        if (!put(table[i].words, count, &text, &err))
            fail_msg("%s: %s", table[i].words[0], err.text);
        assert_string_equal(buf_string(&text), table[i].select);
        buf_free(&text);
    }
}

static void what_says_nothing_is_refused(void **state)
{
    (void)state;
    static const char *const words[] = {"", "id:", "id:A,", "id:A,,B", "date:", "store:", "@",
                                        "id:A,date:", ","};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct buf text;
        struct err err;
        if (put(&words[i], 1, &text, &err))
            fail_msg("\"%s\" became %s", words[i], buf_string(&text));
        assert_int_equal(err.kind, ERR_INPUT);
        buf_free(&text);
    }
}

static void a_file_is_named_wherever_somebody_stands(void **state)
{
    (void)state;
    char folder[64], path[96], word[100], wanted[200];
    const char *const words[] = {word}, *const gone[] = {"@/nowhere/ids.txt"};
    struct buf text;
    struct err err;
    scratch_folder(folder, sizeof(folder));
    snprintf(path, sizeof(path), "%s/ids.txt", folder);
    fclose(fopen(path, "w"));
    snprintf(word, sizeof(word), "@%s/./ids.txt", folder);
    assert_true(put(words, 1, &text, &err));
    snprintf(wanted, sizeof(wanted), "{\"any\":[{\"all\":[{\"ids_file\":\"%s\"}]}]}", path);
    assert_string_equal(buf_string(&text), wanted);
    buf_free(&text);
    assert_false(put(gone, 1, &text, &err));
    assert_int_equal(err.kind, ERR_MISSING);
    buf_free(&text);
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_a_select),
        cmocka_unit_test(what_says_nothing_is_refused),
        cmocka_unit_test(a_file_is_named_wherever_somebody_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
