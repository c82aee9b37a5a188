/* Globs and regular expressions: what they match, and that none runs away. */
#include "policy/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/str.h"

#define ARENA_BYTES ((size_t)16 << 20)

static enum truth matched(enum pattern_kind kind, const char *text, const char *subject,
                          size_t size_bytes)
{
    struct arena arena;
    struct pattern_memory memory = {0};
    const struct pattern *pattern;
    struct err err;
    arena_init(&arena, ARENA_BYTES);
    if (!pattern_compile(kind, text, &arena, &pattern, &err))
        fail_msg("%s: %s", text, err.text);
    enum truth truth = pattern_match(pattern, subject, size_bytes, false, &memory);
    assert_int_equal(pattern_match(pattern, subject, size_bytes, false, &memory), truth);
    if (str_is_utf8(subject, size_bytes))
        assert_int_equal(pattern_match(pattern, subject, size_bytes, true, &memory), truth);
    pattern_memory_free(&memory);
    arena_free(&arena);
    return truth;
}

struct example {
    const char *pattern, *text;
    enum truth truth;
};

static void check(enum pattern_kind kind, const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct example *one = &examples[i];
        if (matched(kind, one->pattern, one->text, strlen(one->text)) != one->truth)
            fail_msg("%s, %s: not %d", one->pattern, one->text, (int)one->truth);
    }
}

static void globs_are_about_whole_segments(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"recording/**", "recording/a", TRUTH_YES},
        {"recording/**", "recording/a/b/c", TRUTH_YES},
        {"recording/**", "recordings/a", TRUTH_NO},
        {"recording/**", "x/recording/a", TRUTH_NO},
        {"recording/*", "recording/a", TRUTH_YES},
        {"recording/*", "recording/a/b", TRUTH_NO},
        {"*.ecal", "a.ecal", TRUTH_YES},
        {"*.ecal", ".ecal", TRUTH_YES},
        {"*.ecal", "b/a.ecal", TRUTH_NO},
        {"*.ecal", "a.ecal.bak", TRUTH_NO},
        {"**/a", "a", TRUTH_YES},
        {"**/a", "x/y/a", TRUTH_YES},
        {"**/a", "ba", TRUTH_NO},
        {"x/**/a", "x/a", TRUTH_YES},
        {"x/**/a", "x/y/z/a", TRUTH_YES},
        {"x/**/a", "xa", TRUTH_NO},
        {"**", "", TRUTH_YES},
        {"*", "a/b", TRUTH_NO},
        {"?", "\xc3\xbc", TRUTH_YES},
        {"?", "/", TRUTH_NO},
        {"a*b*c", "abbc", TRUTH_YES},
        {"a*b*c", "acb", TRUTH_NO},
        {"[a-c]x", "bx", TRUTH_YES},
        {"[!a-c]x", "bx", TRUTH_NO},
        {"[!a]", "/", TRUTH_NO},
        {"a\\*", "a*", TRUTH_YES},
        {"a\\*", "ab", TRUTH_NO},
        {"{a,b}", "{a,b}", TRUTH_YES},
        {"a.b", "axb", TRUTH_NO},
        {"abc", "abc", TRUTH_YES},
        {"abc", "ab", TRUTH_NO},
        {"abc", "abcd", TRUTH_NO},
        {"ab*", "ab", TRUTH_YES},
        {"ab?", "ab", TRUTH_NO},
        {"*", "a\nb", TRUTH_YES},
    };
    check(PATTERN_GLOB, examples, sizeof examples / sizeof *examples);
}

static void regexes_match_anywhere_and_end_at_the_end(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"track", "my-track-1", TRUTH_YES},
        {"^track-\\d+$", "track-12", TRUTH_YES},
        {"^track-\\d+$", "track-12\n", TRUTH_NO},
        {"^track-\\d+$", "xtrack-12", TRUTH_NO},
        {"^.$", "\xc3\xbc", TRUTH_YES},
        {"(?i)TRACK", "track", TRUTH_YES},
        {"", "anything", TRUTH_YES},
        {"\\d", "\xd9\xa3", TRUTH_NO}, /* an Arabic three: \d is 0 to 9 */
    };
    check(PATTERN_REGEX, examples, sizeof examples / sizeof *examples);
}

/* Law 7. */
static void what_can_not_be_told_is_unknown(void **state)
{
    (void)state;
    static const char endless[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!";
    assert_int_equal(matched(PATTERN_REGEX, "^(a+)+$", endless, strlen(endless)), TRUTH_UNKNOWN);
    assert_int_equal(matched(PATTERN_REGEX, "a", "a\xff", 2), TRUTH_UNKNOWN);
    assert_int_equal(matched(PATTERN_GLOB, "*", "\xc3", 1), TRUTH_UNKNOWN);
    assert_int_equal(matched(PATTERN_REGEX, "^a.b$", "a\0b", 3), TRUTH_YES);
}

static enum truth matched_repeats(const char *pattern, size_t size_bytes)
{
    static char text[PATTERN_TEXT_MAX + 1];
    memset(text, 'a', sizeof text);
    return matched(PATTERN_REGEX, pattern, text, size_bytes);
}

static void texts_are_matched_up_to_a_length(void **state)
{
    (void)state;
    assert_int_equal(matched_repeats("^a", PATTERN_TEXT_MAX), TRUTH_YES);
    assert_int_equal(matched_repeats("[a-z]+[0-9]", PATTERN_TEXT_MAX), TRUTH_NO);
    assert_int_equal(matched_repeats("^a", PATTERN_TEXT_MAX + 1), TRUTH_UNKNOWN);
    assert_int_equal(matched_repeats("^b", PATTERN_TEXT_MAX + 1), TRUTH_UNKNOWN);
}

/* Each 'a' more doubles the steps: 18 take more than are allowed, and fewer than PCRE2's own
 * 10 million. */
static void steps_are_bounded(void **state)
{
    (void)state;
    assert_int_equal(matched(PATTERN_REGEX, "^(a+)+$", "aaaaaaaa!", 9), TRUTH_NO);
    assert_int_equal(matched(PATTERN_REGEX, "^(a+)+$", "aaaaaaaaaaaaaaaaaa!", 19), TRUTH_UNKNOWN);
}

/* A step remembers each of the groups, 16 bytes: fewer steps than there may be need more memory. */
static void memory_is_bounded(void **state)
{
    (void)state;
#define GROUPS_10 "()()()()()()()()()()"
#define GROUPS_50 GROUPS_10 GROUPS_10 GROUPS_10 GROUPS_10 GROUPS_10
    assert_int_equal(matched_repeats("^(?:a|bc)*$", 2000), TRUTH_YES);
    assert_int_equal(matched_repeats("^(?:a|bc)*$" GROUPS_50 GROUPS_50, 2000), TRUTH_UNKNOWN);
    assert_int_equal(matched_repeats("^(?:a|bc)*$" GROUPS_50 GROUPS_50, 100), TRUTH_YES);
}

static void what_is_no_pattern_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        enum pattern_kind kind;
        const char *pattern, *place;
    } table[] = {
        {PATTERN_REGEX, "(a", ", at byte 2"},
        {PATTERN_REGEX, "a**", ", at byte 2"},
        {PATTERN_REGEX, "\\C", ", at byte 2"},
        {PATTERN_REGEX, "\xff", ", at byte 0"},
        {PATTERN_GLOB, "[a", ", at byte 2"},
        {PATTERN_GLOB, "a\\", ", at byte 2"},
        {PATTERN_REGEX, "((ab{1,1000}){1,1000}){1,1000}", "too large"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct arena arena;
        const struct pattern *pattern;
        struct err err = {0};
        arena_init(&arena, ARENA_BYTES);
        if (pattern_compile(table[i].kind, table[i].pattern, &arena, &pattern, &err))
            fail_msg("%s is taken", table[i].pattern);
        assert_int_equal(err.kind, ERR_INPUT);
        if (strstr(err.text, table[i].place) == NULL)
            fail_msg("%s: %s", table[i].pattern, err.text);
        arena_free(&arena);
    }
}

static void a_pattern_is_not_endless(void **state)
{
    (void)state;
    static char text[PATTERN_BYTES_MAX + 2];
    for (size_t size = PATTERN_BYTES_MAX; size <= PATTERN_BYTES_MAX + 1; size++) {
        struct arena arena;
        const struct pattern *pattern;
        struct err err;
        memset(text, 'a', size);
        arena_init(&arena, ARENA_BYTES);
        assert_int_equal(pattern_compile(PATTERN_REGEX, text, &arena, &pattern, &err),
                         size == PATTERN_BYTES_MAX);
        arena_free(&arena);
    }
}

/* An arena that is nearly full is an error, not the end. */
static void memory_that_runs_out_is_told(void **state)
{
    (void)state;
    struct arena arena;
    const struct pattern *pattern;
    struct err err;
    for (size_t room = 0; room < 2048; room += 64) {
        arena_init(&arena, room);
        if (pattern_compile(PATTERN_GLOB, "a*b", &arena, &pattern, &err))
            assert_true(room > 256);
        arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(globs_are_about_whole_segments),
        cmocka_unit_test(regexes_match_anywhere_and_end_at_the_end),
        cmocka_unit_test(what_can_not_be_told_is_unknown),
        cmocka_unit_test(texts_are_matched_up_to_a_length),
        cmocka_unit_test(steps_are_bounded),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(what_is_no_pattern_is_refused_with_its_place),
        cmocka_unit_test(a_pattern_is_not_endless),
        cmocka_unit_test(memory_that_runs_out_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
