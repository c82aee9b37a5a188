/* Buffers: growing, and the ceiling. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"

static void an_empty_buf_is_an_empty_string(void **state)
{
    (void)state;
    struct buf buf;
    struct err err;
    buf_init(&buf, 10);
    assert_string_equal(buf_string(&buf), "");
    assert_true(buf_check(&buf, "it", &err));
    buf_add(&buf, NULL, 0);
    buf_text(&buf, "");
    assert_string_equal(buf_string(&buf), "");
    assert_int_equal(buf.size, 0);
    buf_free(&buf);
}

static void writes_follow_each_other(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1000);
    buf_text(&buf, "a");
    buf_char(&buf, 'b');
    buf_add(&buf, "cd", 1);
    buf_format(&buf, "%d-%s", 42, "x");
    assert_string_equal(buf_string(&buf), "abc42-x");
    assert_int_equal(buf.size, 7);
    buf_free(&buf);
}

static void bytes_may_be_nul(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1000);
    buf_add(&buf, "a\0b", 3);
    buf_char(&buf, '\0');
    assert_int_equal(buf.size, 4);
    assert_memory_equal(buf.bytes, "a\0b\0", 5);
    buf_free(&buf);
}

static void it_grows(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1 << 20);
    for (int i = 0; i < 100000; i++)
        buf_format(&buf, "%05d", i);
    assert_int_equal(buf.size, 500000);
    assert_memory_equal(buf.bytes + 499995, "99999", 6);
    assert_memory_equal(buf.bytes + 61725, "12345", 5);
    buf_free(&buf);
}

static void the_ceiling_itself_is_reached(void **state)
{
    (void)state;
    struct buf buf;
    struct err err;
    buf_init(&buf, 5);
    buf_text(&buf, "12345");
    assert_true(buf_check(&buf, "it", &err));
    assert_string_equal(buf_string(&buf), "12345");
    buf_free(&buf);
}

static void beyond_the_ceiling_all_is_dropped(void **state)
{
    (void)state;
    struct buf buf;
    struct err err;
    buf_init(&buf, 5);
    buf_text(&buf, "123");
    buf_text(&buf, "456");
    assert_string_equal(buf_string(&buf), "123");
    /* It would fit, but a text with a hole is worse than a short one. */
    buf_char(&buf, '7');
    buf_format(&buf, "%d", 8);
    assert_string_equal(buf_string(&buf), "123");
    assert_false(buf_check(&buf, "the body", &err));
    assert_int_equal(err.kind, ERR_INPUT);
    assert_string_equal(err.text, "the body is larger than 5 bytes");
    buf_free(&buf);
}

static void a_format_beyond_the_ceiling_is_dropped_whole(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 5);
    buf_format(&buf, "%s", "123456");
    assert_true(buf.overflowed);
    assert_string_equal(buf_string(&buf), "");
    buf_free(&buf);
}

static void a_size_near_the_end_of_memory_overflows(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 100);
    buf_text(&buf, "1");
    buf_add(&buf, "", SIZE_MAX);
    assert_true(buf.overflowed);
    assert_int_equal(buf.size, 1);
    buf_free(&buf);
}

static void reset_forgets_and_keeps_the_memory(void **state)
{
    (void)state;
    struct buf buf;
    struct err err;
    buf_init(&buf, 5);
    buf_text(&buf, "12345");
    buf_char(&buf, '6');
    char *bytes = buf.bytes;
    buf_reset(&buf);
    assert_true(buf_check(&buf, "it", &err));
    assert_string_equal(buf_string(&buf), "");
    buf_text(&buf, "ab");
    assert_ptr_equal(buf.bytes, bytes);
    assert_string_equal(buf_string(&buf), "ab");
    buf_free(&buf);
    assert_null(buf.bytes);
    assert_int_equal(buf.limit, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buf_is_an_empty_string),
        cmocka_unit_test(writes_follow_each_other),
        cmocka_unit_test(bytes_may_be_nul),
        cmocka_unit_test(it_grows),
        cmocka_unit_test(the_ceiling_itself_is_reached),
        cmocka_unit_test(beyond_the_ceiling_all_is_dropped),
        cmocka_unit_test(a_format_beyond_the_ceiling_is_dropped_whole),
        cmocka_unit_test(a_size_near_the_end_of_memory_overflows),
        cmocka_unit_test(reset_forgets_and_keeps_the_memory),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
