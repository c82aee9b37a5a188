/* test_object.c: a manifest's digest covers every field that makes an object what it is. */
#include "state/object.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"

static void hex_of(const struct object *objects, size_t count, char hex[DIGEST_HEX_MAX])
{
    struct manifest_digest digest;
    object_manifest_digest(objects, count, &digest);
    digest_hex(digest.sha256, sizeof(digest.sha256), hex);
}

/* Computed by sha256sum over the bytes that the header describes. */
static void the_digest_is_that_of_the_format(void **state)
{
    (void)state;
    char hex[DIGEST_HEX_MAX];
    hex_of(NULL, 0, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

    struct object objects[] = {
        {.key = "a", .bytes = 1, .etag = "\"e1\"", .md5_origin = MD5_ABSENT, .md5 = {9}},
        {.key = "b/c", .bytes = UINT64_C(20000000000), .etag = "e2", .md5_origin = MD5_COMPUTED}};
    for (unsigned i = 0; i < OBJECT_MD5_BYTES; i++)
        objects[1].md5[i] = (uint8_t)(i * 17);
    hex_of(objects, 2, hex);
    assert_string_equal(hex, "fbc635de1a8523b1840179c9ffae0c71656654a00d4c2cc2cbdb2e0df705bd86");
}

static void every_field_counts(void **state)
{
    (void)state;
    const struct object plain = {.key = "a", .bytes = 1, .etag = "e", .md5_origin = MD5_CLAIMED};
    struct object others[] = {plain, plain, plain, plain, plain};
    others[0].key = "b";
    others[1].bytes = 2;
    others[2].etag = "f";
    others[3].md5_origin = MD5_COMPUTED;
    others[4].md5[15] = 1;

    char hex[DIGEST_HEX_MAX], other[DIGEST_HEX_MAX];
    hex_of(&plain, 1, hex);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        hex_of(&others[i], 1, other);
        assert_string_not_equal(hex, other);
    }
    /* What a service decides after the write does not. */
    struct object same = plain;
    same.tier = TIER_COLD;
    hex_of(&same, 1, other);
    assert_string_equal(hex, other);
}

static void keys_sort_by_bytes(void **state)
{
    (void)state;
    struct object objects[] = {{.key = "\xc3\xbc"}, {.key = "b"}, {.key = "a/1/x"},
                               {.key = "a/10/x"},   {.key = "B"}, {.key = "a"}};
    qsort(objects, 6, sizeof(objects[0]), object_compare);
    static const char *const sorted[] = {"B", "a", "a/1/x", "a/10/x", "b", "\xc3\xbc"};
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(objects[i].key, sorted[i]);
}

static void tiers_have_names(void **state)
{
    (void)state;
    assert_string_equal(object_tier_name(TIER_DEFAULT), "default");
    assert_string_equal(object_tier_name(TIER_HOT), "hot");
    assert_string_equal(object_tier_name(TIER_COOL), "cool");
    assert_string_equal(object_tier_name(TIER_COLD), "cold");
    assert_string_equal(object_tier_name(TIER_ARCHIVE), "archive");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_digest_is_that_of_the_format),
        cmocka_unit_test(every_field_counts),
        cmocka_unit_test(keys_sort_by_bytes),
        cmocka_unit_test(tiers_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
