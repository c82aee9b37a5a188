/* test_plain.c: catalog text, as a plan may show it. */
#include "planner/plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/str.h"

static struct arena arena;

static void no_secret_of_a_location_is_shown(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"https://host/a/b", "https://host/a/b"},
        {"https://host/a?sig=CANARY", "https://host/a"},
        {"https://host/a#CANARY", "https://host/a"},
        {"https://user:CANARY@host/a", "https://..@host/a"},
        {"https://user:CAN/ARY@host/a", "https://..@host/a"},
        {"https:\\\\user:CANARY@host\\a", "https:\\\\..@host\\a"},
        {"https:/user:CANARY@host/a?CANARY@b", "https:/..@host/a"},
        {"user:CANARY@host:/a", "..@host:/a"},
        {"https://CANARY@", "https://..@"},
        {"https://?CANARY", "https://"},
        {"", ""},
        {"?", ""},
        {"plain words", "plain words"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(plain_location(&arena, cases[i][0]), cases[i][1]);
}

static void what_no_terminal_should_get_is_replaced(void **state)
{
    (void)state;
    assert_string_equal(plain_text(&arena, "a\x1b[31m\n\x7f"), "a?[31m??");
    assert_string_equal(plain_text(&arena, "\xff\xc3\xa9\xc3\xe2\x82\xac\xe2\x82"),
                        "?\xc3\xa9?\xe2\x82\xac??");
}

static void what_is_long_is_cut_between_characters(void **state)
{
    (void)state;
    char *text = arena_make(&arena, 3 * PLAIN_TEXT_BYTES + 1);
    for (size_t i = 0; i < PLAIN_TEXT_BYTES; i++)
        memcpy(text + 3 * i, "\xe2\x82\xac", 3);
    const char *plain = plain_text(&arena, text);
    assert_true(str_is_utf8(plain, strlen(plain)));
    assert_in_range(strlen(plain), PLAIN_TEXT_BYTES - 2, PLAIN_TEXT_BYTES + 2);
    assert_true(str_ends(plain, ".."));
    memset(text, 'x', PLAIN_TEXT_BYTES);
    text[PLAIN_TEXT_BYTES] = '\0';
    assert_string_equal(plain_text(&arena, text), text);
    char *endless = arena_make(&arena, (size_t)1 << 20);
    memset(endless, '@', ((size_t)1 << 20) - 1);
    assert_in_range(strlen(plain_location(&arena, endless)), 1, PLAIN_TEXT_BYTES + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_secret_of_a_location_is_shown),
                                       cmocka_unit_test(what_no_terminal_should_get_is_replaced),
                                       cmocka_unit_test(what_is_long_is_cut_between_characters)};
    arena_init(&arena, (size_t)64 << 20);
    int failed = cmocka_run_group_tests_name("plain", tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
