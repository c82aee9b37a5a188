/* Errors: filling, prefixing, and what happens to a text that is too long. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/str.h"

static void make_fills_everything(void **state)
{
    (void)state;
    struct err err = {.status = 404, .retry_ms = 5, .code = "BlobNotFound", .hint = "look"};
    assert_false(ERR(&err, ERR_MISSING, "no %s", "blob"));
    assert_int_equal(err.kind, ERR_MISSING);
    assert_string_equal(err.text, "no blob");
    assert_non_null(strstr(err.where, "test_err.c:"));
    assert_int_equal(err.status, 0);
    assert_int_equal(err.retry_ms, 0);
    assert_string_equal(err.code, "");
    assert_string_equal(err.hint, "");
}

static void make_may_quote_the_error_it_replaces(void **state)
{
    (void)state;
    struct err err = {.code = "40001"};
    ERR(&err, ERR_BUSY, "first");
    strcpy(err.code, "40001");
    ERR(&err, ERR_INTERNAL, "%s (%s)", err.text, err.code);
    assert_string_equal(err.text, "first (40001)");
}

static void wrap_prefixes_and_keeps_the_rest(void **state)
{
    (void)state;
    struct err err;
    ERR(&err, ERR_BUSY, "timed out");
    const char *where = err.where;
    err.status = 503;
    err.retry_ms = 1500;
    strcpy(err.code, "ServerBusy");
    strcpy(err.hint, "wait");
    assert_false(err_wrap(&err, "copying %s", "b"));
    assert_false(err_wrap(&err, "moving %s", "a/"));
    assert_string_equal(err.text, "moving a/: copying b: timed out");
    assert_int_equal(err.kind, ERR_BUSY);
    assert_int_equal(err.status, 503);
    assert_int_equal(err.retry_ms, 1500);
    assert_string_equal(err.code, "ServerBusy");
    assert_string_equal(err.hint, "wait");
    assert_ptr_equal(err.where, where);
}

static void a_long_text_is_cut(void **state)
{
    (void)state;
    struct err err;
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    ERR(&err, ERR_INPUT, "%s", text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

/* Two, three and four bytes a character, and every position of the cut. */
static void a_cut_leaves_no_half_character(void **state)
{
    (void)state;
    static const char *const characters[] = {"\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    for (size_t i = 0; i < 3; i++) {
        for (size_t lead = 0; lead < 4; lead++) {
            struct err err;
            char text[1000] = "abcd";
            text[lead] = '\0';
            while (strlen(text) < 900)
                strcat(text, characters[i]);
            ERR(&err, ERR_INPUT, "%s", text);
            assert_true(str_is_utf8(err.text, strlen(err.text)));
            assert_true(strlen(err.text) > sizeof err.text - 5);
            err_wrap(&err, "%s", text);
            assert_true(str_is_utf8(err.text, strlen(err.text)));
        }
    }
}

static void a_long_prefix_leaves_room_for_the_cause(void **state)
{
    (void)state;
    struct err err;
    char key[1025];
    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    ERR(&err, ERR_BUSY, "timed out");
    err_wrap(&err, "copying %s", key);
    assert_true(str_ends(err.text, "k: timed out"));
    for (int i = 0; i < 5; i++)
        err_wrap(&err, "copying %s", key);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

static void no_terminal_acts_upon_it(void **state)
{
    (void)state;
    struct err err;
    ERR(&err, ERR_MISSING, "a\tb\nc\x1b[31m\x9b\xc2\x9b\x7f \xc3\xa4");
    assert_string_equal(err.text, "a b c?[31m???? \xc3\xa4");
    err_wrap(&err, "of \x1b]0;x\a");
    assert_string_equal(err.text, "of ?]0;x?: a b c?[31m???? \xc3\xa4");
}

static void abort_says_one_line(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        err_abort("out of memory");
    }
    close(ends[1]);
    char line[100] = "";
    ssize_t count = read(ends[0], line, sizeof line - 1);
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_int_equal(count, strlen("frostline: out of memory\n"));
    assert_string_equal(line, "frostline: out of memory\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(make_fills_everything),
        cmocka_unit_test(make_may_quote_the_error_it_replaces),
        cmocka_unit_test(wrap_prefixes_and_keeps_the_rest),
        cmocka_unit_test(a_long_text_is_cut),
        cmocka_unit_test(a_cut_leaves_no_half_character),
        cmocka_unit_test(a_long_prefix_leaves_room_for_the_cause),
        cmocka_unit_test(no_terminal_acts_upon_it),
        cmocka_unit_test(abort_says_one_line),
    };
    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
