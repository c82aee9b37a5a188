/* Secrets: copied, revealed on request, gone when cleared. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/secret.h"

static void a_secret_is_a_copy(void **state)
{
    (void)state;
    struct secret secret = {0};
    char key[] = "key and more";
    assert_false(secret_is_set(&secret));
    assert_string_equal(secret_reveal(&secret), "");
    secret_set(&secret, key, 3);
    memset(key, 'x', sizeof key);
    assert_true(secret_is_set(&secret));
    assert_string_equal(secret_reveal(&secret), "key");
    assert_int_equal(secret.size_bytes, 3);
    secret_clear(&secret);
    assert_false(secret_is_set(&secret));
    assert_string_equal(secret_reveal(&secret), "");
    secret_clear(&secret);
}

static void a_secret_is_replaced_even_by_a_part_of_itself(void **state)
{
    (void)state;
    struct secret secret = {0};
    secret_set(&secret, "sig=abc", 7);
    secret_set(&secret, secret_reveal(&secret) + 4, 3);
    assert_string_equal(secret_reveal(&secret), "abc");
    secret_set(&secret, "", 0);
    assert_true(secret_is_set(&secret));
    assert_string_equal(secret_reveal(&secret), "");
    secret_clear(&secret);
}

static void a_secret_may_hold_any_bytes(void **state)
{
    (void)state;
    struct secret secret = {0};
    secret_set(&secret, "a\0b", 3);
    assert_int_equal(secret.size_bytes, 3);
    assert_memory_equal(secret_reveal(&secret), "a\0b\0", 4);
    secret_clear(&secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_a_copy),
        cmocka_unit_test(a_secret_is_replaced_even_by_a_part_of_itself),
        cmocka_unit_test(a_secret_may_hold_any_bytes),
    };
    return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
