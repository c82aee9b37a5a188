/* Events as lines, for people and for programs. */
#include "engine/logging.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/when.h"

static struct buf out;

static const char *render(struct logging_look look, enum log_level level)
{
    static const struct log_field fields[] = {{.name = "directory", .text = "a b/\"c\"\x1b[2J\n/"},
                                              {.name = "wait_ms", .number = -7}};
    look.now_us = INT64_C(1748736000123456);
    look.colour = look.colour != NULL ? look.colour : "";
    look.plain = look.plain != NULL ? look.plain : "";
    buf_reset(&out);
    logging_render(&look, level, "step-failed", fields, 2, &out);
    return buf_string(&out);
}

static void people_read_time_level_and_message(void **state)
{
    (void)state;
    assert_string_equal(render((struct logging_look){.run = 3}, LOG_WARNING),
                        "2025-06-01 00:00:00 - WARNING - step-failed run=3 "
                        "directory=\"a b/\\\"c\\\"?[2J /\" wait_ms=-7\n");
    assert_string_equal(
        render((struct logging_look){.colour = "<red>", .plain = "<end>"}, LOG_INFO),
        "2025-06-01 00:00:00 - <red>INFO<end> - step-failed "
        "directory=\"a b/\\\"c\\\"?[2J /\" wait_ms=-7\n");
}

static void programs_read_pairs(void **state)
{
    (void)state;
    assert_string_equal(
        render((struct logging_look){.format = LOGGING_LOGFMT, .run = 3}, LOG_TRACE),
        "time=2025-06-01T00:00:00.123456Z level=debug event=step-failed run=3 "
        "directory=\"a b/\\\"c\\\"?[2J /\" wait_ms=-7\n");
}

static void programs_read_json(void **state)
{
    (void)state;
    const char *line = render((struct logging_look){.format = LOGGING_JSON, .run = 3}, LOG_ERROR);
    struct json *json;
    const char *text;
    int64_t number;
    struct err err;
    assert_true(json_read(line, strlen(line), &json, &err));
    assert_true(json_get_text(json, "time", &text, &err));
    assert_string_equal(text, "2025-06-01T00:00:00.123456Z");
    assert_true(json_get_text(json, "level", &text, &err));
    assert_string_equal(text, "error");
    assert_true(json_get_text(json, "event", &text, &err));
    assert_string_equal(text, "step-failed");
    assert_true(json_get_integer(json, "run", &number, &err));
    assert_int_equal(number, 3);
    assert_true(json_get_text(json, "directory", &text, &err));
    assert_string_equal(text, "a b/\"c\"\x1b[2J\n/"); /* raw: no person reads it */
    assert_true(json_get_integer(json, "wait_ms", &number, &err));
    assert_int_equal(number, -7);
    json_free(json);
    assert_int_equal(strchr(line, '\n') - line, strlen(line) - 1);
    assert_null(strchr(line, '\x1b'));
}

static void bytes_that_are_no_text_stay_readable(void **state)
{
    (void)state;
    struct logging_look look = {.format = LOGGING_JSON, .is_journal = true};
    const struct log_field field = {.name = "directory", .text = "a\xff/"};
    buf_reset(&out);
    logging_render(&look, LOG_INFO, "directory-begun", &field, 1, &out);
    assert_string_equal(buf_string(&out),
                        "<6>{\"event\":\"directory-begun\",\"directory\":\"a?/\"}\n");
}

static void the_journal_knows_time_and_level(void **state)
{
    (void)state;
    struct logging_look look = {.is_journal = true};
    assert_string_equal(render(look, LOG_ERROR),
                        "<3>step-failed directory=\"a b/\\\"c\\\"?[2J /\" wait_ms=-7\n");
    look.format = LOGGING_LOGFMT;
    look.run = 9;
    assert_string_equal(
        render(look, LOG_WARNING),
        "<4>event=step-failed run=9 directory=\"a b/\\\"c\\\"?[2J /\" wait_ms=-7\n");
    assert_memory_equal(render(look, LOG_INFO), "<6>", 3);
    assert_memory_equal(render(look, LOG_DEBUG), "<7>", 3);
}

static void the_journal_is_known_by_its_stream(void **state)
{
    (void)state;
    assert_true(logging_is_journal("8:2049", 8, 2049));
    assert_false(logging_is_journal("8:2050", 8, 2049));
    assert_false(logging_is_journal("8:2049 ", 8, 2049));
    assert_false(logging_is_journal("", 0, 0));
    assert_false(logging_is_journal(NULL, 0, 0));
}

static int set_up(void **state)
{
    (void)state;
    buf_init(&out, LOGGING_LINE_BYTES_MAX);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_free(&out);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(people_read_time_level_and_message),
        cmocka_unit_test(programs_read_pairs),
        cmocka_unit_test(programs_read_json),
        cmocka_unit_test(bytes_that_are_no_text_stay_readable),
        cmocka_unit_test(the_journal_knows_time_and_level),
        cmocka_unit_test(the_journal_is_known_by_its_stream),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
