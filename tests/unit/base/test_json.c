/* JSON: what is written is read again as it was; what is malformed is refused with its place. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"

#define LIMIT ((size_t)1 << 20)

static struct buf buf;
static struct err err;

static void values_and_commas(void **state)
{
    (void)state;
    struct json_writer json;
    json_begin(&json, &buf);
    json_object_begin(&json);
    json_put_text(&json, "text", "a");
    json_put_text(&json, "nothing", NULL);
    json_put_integer(&json, "low", INT64_MIN);
    json_put_unsigned(&json, "high", UINT64_MAX);
    json_put_boolean(&json, "yes", true);
    json_put_boolean(&json, "no", false);
    json_key(&json, "list");
    json_array_begin(&json);
    json_signed(&json, 1);
    json_unsigned(&json, 2);
    json_text(&json, "3");
    json_array_begin(&json);
    json_array_end(&json);
    json_object_begin(&json);
    json_object_end(&json);
    json_boolean(&json, true);
    json_array_end(&json);
    json_key(&json, "object");
    json_object_begin(&json);
    json_put_integer(&json, "inner", 0);
    json_object_end(&json);
    json_put_integer(&json, "last", 9);
    json_object_end(&json);
    assert_string_equal(buf_string(&buf),
                        "{\"text\":\"a\",\"nothing\":null,\"low\":-9223372036854775808,"
                        "\"high\":18446744073709551615,\"yes\":true,\"no\":false,"
                        "\"list\":[1,2,\"3\",[],{},true],\"object\":{\"inner\":0},\"last\":9}");
}

static void lines_down_to_a_depth(void **state)
{
    (void)state;
    struct json_writer json;
    json_begin(&json, &buf);
    json.lines = 2;
    json_object_begin(&json);
    json_put_integer(&json, "one", 1);
    json_key(&json, "two");
    json_array_begin(&json);
    json_signed(&json, 2);
    json_object_begin(&json);
    json_put_integer(&json, "three", 3);
    json_put_integer(&json, "four", 4);
    json_object_end(&json);
    json_array_end(&json);
    json_key(&json, "none");
    json_object_begin(&json);
    json_object_end(&json);
    json_object_end(&json);
    assert_string_equal(buf_string(&buf), "{\n"
                                          "  \"one\": 1,\n"
                                          "  \"two\": [\n"
                                          "    2,\n"
                                          "    {\"three\": 3, \"four\": 4}\n"
                                          "  ],\n"
                                          "  \"none\": {}\n"
                                          "}");
}

static void only_what_must_be_is_escaped(void **state)
{
    (void)state;
    struct json_writer json;
    json_begin(&json, &buf);
    json_text(&json, "\"\\/\b\f\n\r\t\x01\x1f\x7f \xc3\xa4\xe2\x80\xa8\xf0\x9f\x98\x80");
    assert_string_equal(buf_string(&buf), "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f "
                                          "\xc3\xa4\xe2\x80\xa8\xf0\x9f\x98\x80\"");
}

static void every_character_comes_back(void **state)
{
    (void)state;
    char text[128];
    const char *back;
    struct json_writer writer;
    struct json *json;
    for (int i = 0; i < 127; i++)
        text[i] = (char)(i + 1);
    text[127] = '\0';
    json_begin(&writer, &buf);
    json_object_begin(&writer);
    json_put_text(&writer, text, text);
    json_object_end(&writer);
    assert_true(json_read(buf.bytes, buf.size, &json, &err));
    assert_true(json_get_text(json, text, &back, &err));
    assert_string_equal(back, text);
    json_free(json);
}

static void the_deepest_nesting_is_written(void **state)
{
    (void)state;
    struct json_writer json;
    json_begin(&json, &buf);
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        json_array_begin(&json);
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        json_array_end(&json);
    assert_int_equal(buf.size, 2 * JSON_DEPTH_MAX);
}

static struct json *read_text(const char *text)
{
    struct json *json = NULL;
    if (!json_read(text, strlen(text), &json, &err))
        fail_msg("%s", err.text);
    return json;
}

static void a_tree_is_walked(void **state)
{
    (void)state;
    struct json *json = read_text(" {\"z\": [1, \"b\", {}], \"a\": -7, \"m\": true, \"n\": null,"
                                  " \"t\": \"\\u00e4\\ud83d\\ude00\"} ");
    const char *text;
    int64_t number;
    bool flag;
    assert_true(json_is_object(json) && !json_is_array(json));
    assert_int_equal(json_count(json), 5);
    const struct json *list = json_find(json, "z");
    assert_true(json_is_array(list) && !json_is_object(list));
    assert_int_equal(json_count(list), 3);
    assert_string_equal(json_as_text(json_item(list, 1)), "b");
    assert_null(json_as_text(json_item(list, 0)));
    assert_null(json_item(list, 3));
    assert_true(json_get_integer(json, "a", &number, &err) && number == -7);
    assert_true(json_get_boolean(json, "m", &flag, &err) && flag);
    assert_true(json_get_text(json, "t", &text, &err));
    assert_string_equal(text, "\xc3\xa4\xf0\x9f\x98\x80");
    assert_null(json_find(json, "q"));
    json_free(json);
    json_free(NULL);
}

static void keys_stand_in_the_order_of_the_text(void **state)
{
    (void)state;
    static const char *const keys[] = {"z", "a", "m"};
    struct json *json = read_text("{\"z\":0,\"a\":1,\"m\":2}");
    const struct json *value = NULL;
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(json_key_at(json, i, &value), keys[i]);
        assert_ptr_equal(value, json_find(json, keys[i]));
    }
    assert_null(json_key_at(json, 3, &value));
    json_free(json);
}

static void what_is_absent_or_of_another_type_is_corrupt(void **state)
{
    (void)state;
    struct json *json = read_text("{\"text\":\"x\",\"number\":1,\"real\":1.5,\"null\":null}");
    const char *text;
    int64_t number;
    bool flag;
    assert_false(json_get_text(json, "gone", &text, &err));
    assert_int_equal(err.kind, ERR_CORRUPT);
    assert_non_null(strstr(err.text, "\"gone\""));
    assert_false(json_get_text(json, "number", &text, &err));
    assert_int_equal(err.kind, ERR_CORRUPT);
    assert_non_null(strstr(err.text, "\"number\""));
    assert_false(json_get_text(json, "null", &text, &err));
    assert_false(json_get_integer(json, "text", &number, &err));
    assert_false(json_get_integer(json, "real", &number, &err));
    assert_false(json_get_boolean(json, "number", &flag, &err));
    assert_int_equal(err.kind, ERR_CORRUPT);
    /* Questions to what is no object have the same answer. */
    const struct json *value = json_find(json, "text");
    assert_null(json_find(value, "x"));
    assert_null(json_find(NULL, "x"));
    assert_null(json_item(value, 0));
    assert_null(json_key_at(value, 0, &(const struct json *){NULL}));
    assert_int_equal(json_count(value), 0);
    assert_false(json_is_object(NULL) || json_is_array(NULL));
    assert_false(json_get_text(value, "x", &text, &err));
    json_free(json);
}

static void a_value_need_not_be_an_object(void **state)
{
    (void)state;
    struct json *json = read_text("\"alone\"");
    assert_string_equal(json_as_text(json), "alone");
    json_free(json);
}

static void the_largest_integers_are_read(void **state)
{
    (void)state;
    int64_t number;
    struct json *json = read_text("{\"high\":9223372036854775807,\"low\":-9223372036854775808}");
    assert_true(json_get_integer(json, "high", &number, &err) && number == INT64_MAX);
    assert_true(json_get_integer(json, "low", &number, &err) && number == INT64_MIN);
    json_free(json);
}

static void malformed_json_is_corrupt(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "[1,]",
        "[1 2]",
        "{a:1}",
        "'a'",
        "{\"a\":1} x",
        "{\"a\":1}{\"b\":2}",
        "1 2",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"\\u0061\":2}",
        "\"\\u0000\"",
        "{\"\\u0000\":1}",
        "\"\n\"",
        "\"\xff\"",
        "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"",
        "\"\\ud800\"",
        "\"\\x\"",
        "\"unclosed",
        "tru",
        "TRUE",
        "NaN",
        "01",
        "+1",
        "1.",
        ".5",
        "1e999",
        "9223372036854775808",
        "-9223372036854775809",
        "// comment\n1",
        "\xef\xbb\xbf{}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct json *json;
        if (json_read(bad[i], strlen(bad[i]), &json, &err))
            fail_msg("%s was taken for JSON", bad[i]);
        assert_int_equal(err.kind, ERR_CORRUPT);
        assert_non_null(strstr(err.text, "line "));
    }
    struct json *json;
    assert_false(json_read("1\0", 2, &json, &err));
    assert_false(json_read("\"a\0b\"", 5, &json, &err));
}

static void a_depth_without_end_is_corrupt(void **state)
{
    (void)state;
    struct json *json;
    for (int i = 0; i < 100000; i++)
        buf_char(&buf, '[');
    assert_false(json_read(buf.bytes, buf.size, &json, &err));
    assert_int_equal(err.kind, ERR_CORRUPT);
}

static void the_place_is_named_and_the_content_is_not(void **state)
{
    (void)state;
    struct json *json;
    const char *text = "{\n\"token\": SECRET}";
    assert_false(json_read(text, strlen(text), &json, &err));
    assert_non_null(strstr(err.text, "line 2, column "));
    assert_null(strstr(err.text, "SECRET"));
    text = "{\"token\": \"SECRET\" \"x\"}";
    assert_false(json_read(text, strlen(text), &json, &err));
    assert_null(strstr(err.text, "SECRET"));
    text = "{\"SECRET\":1,\"SECRET\":2}";
    assert_false(json_read(text, strlen(text), &json, &err));
    assert_null(strstr(err.text, "SECRET"));
}

static void every_cut_of_a_text_is_corrupt(void **state)
{
    (void)state;
    const char *text = "{\"a\":[1,true,null,\"\\u00e4\"],\"b\":{\"c\":-1}}";
    struct json *json;
    for (size_t size = 0; size < strlen(text); size++)
        assert_false(json_read(text, size, &json, &err));
}

static int set_up(void **state)
{
    (void)state;
    buf_init(&buf, LIMIT);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_free(&buf);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_and_commas),
        TEST(lines_down_to_a_depth),
        TEST(only_what_must_be_is_escaped),
        TEST(every_character_comes_back),
        TEST(the_deepest_nesting_is_written),
        TEST(a_tree_is_walked),
        TEST(keys_stand_in_the_order_of_the_text),
        TEST(what_is_absent_or_of_another_type_is_corrupt),
        TEST(a_value_need_not_be_an_object),
        TEST(the_largest_integers_are_read),
        TEST(malformed_json_is_corrupt),
        TEST(a_depth_without_end_is_corrupt),
        TEST(the_place_is_named_and_the_content_is_not),
        TEST(every_cut_of_a_text_is_corrupt),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
