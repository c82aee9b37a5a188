/* Digests: the vectors of NIST, RFC 1321, RFC 4231 and RFC 4648. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/rand.h"

static struct arena arena;
static struct err err;

static void assert_digest(enum digest_kind kind, const char *text, size_t size_bytes,
                          const char *expected)
{
    uint8_t bytes[DIGEST_SHA256_BYTES];
    char hex[DIGEST_HEX_MAX];
    digest_of(kind, text, size_bytes, bytes);
    digest_hex(bytes, kind == DIGEST_MD5 ? DIGEST_MD5_BYTES : DIGEST_SHA256_BYTES, hex);
    assert_string_equal(hex, expected);
}

/* FIPS 180-4, the examples of NIST. */
static void sha256_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *text, *digest;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_digest(DIGEST_SHA256, cases[i].text, strlen(cases[i].text), cases[i].digest);
}

static void sha256_of_a_million_pieces(void **state)
{
    (void)state;
    struct digest digest;
    uint8_t bytes[DIGEST_SHA256_BYTES];
    char hex[DIGEST_HEX_MAX];
    digest_init(&digest, DIGEST_SHA256);
    for (int i = 0; i < 1000000; i++)
        digest_add(&digest, "a", 1);
    digest_finish(&digest, bytes);
    assert_null(digest.context);
    digest_hex(bytes, sizeof bytes, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* RFC 1321, A.5. */
static void md5_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *text, *digest;
    } cases[] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e"},
        {"a", "0cc175b9c0f1b6a831c399e269772661"},
        {"abc", "900150983cd24fb0d6963f7d28e17f72"},
        {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
        {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
         "d174ab98d277d9f5a5611c2c9f419d9f"},
        {"1234567890123456789012345678901234567890123456789012345678901234567890"
         "1234567890",
         "57edf4a22be3c955ac49da2e2107b67a"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_digest(DIGEST_MD5, cases[i].text, strlen(cases[i].text), cases[i].digest);
}

static void abandoned_digests_are_freed(void **state)
{
    (void)state;
    struct digest digest;
    digest_init(&digest, DIGEST_MD5);
    digest_add(&digest, "a", 1);
    digest_add(&digest, NULL, 0);
    digest_abandon(&digest);
    assert_null(digest.context);
    digest_abandon(&digest);
}

/* RFC 4231, 4.2 to 4.8 (4.6 is cut to 128 bits there). */
static void hmac_vectors(void **state)
{
    (void)state;
    static uint8_t key_0b[20], key_aa[131], data_dd[50], data_cd[50], key_count[25], key_0c[20];
    memset(key_0b, 0x0b, sizeof key_0b);
    memset(key_aa, 0xaa, sizeof key_aa);
    memset(data_dd, 0xdd, sizeof data_dd);
    memset(data_cd, 0xcd, sizeof data_cd);
    memset(key_0c, 0x0c, sizeof key_0c);
    for (size_t i = 0; i < sizeof key_count; i++)
        key_count[i] = (uint8_t)(i + 1);
    static const char large[] = "This is a test using a larger than block-size key and a larger "
                                "than block-size data. The key needs to be hashed before being "
                                "used by the HMAC algorithm.";
    static const char first[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    const struct {
        const void *key;
        size_t key_bytes;
        const void *data;
        size_t data_bytes;
        const char *expected;
    } cases[] = {
        {key_0b, 20, "Hi There", 8,
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"Jefe", 4, "what do ya want for nothing?", 28,
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {key_aa, 20, data_dd, 50,
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {key_count, 25, data_cd, 50,
         "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {key_0c, 20, "Test With Truncation", 20, "a3b6167473100ee06e0c796c2955552b"},
        {key_aa, 131, first, sizeof first - 1,
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {key_aa, 131, large, sizeof large - 1,
         "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
        /* No key at all: not in the RFC, known from other implementations. */
        {NULL, 0, "", 0, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[DIGEST_SHA256_BYTES];
        char hex[DIGEST_HEX_MAX];
        digest_hmac_sha256(cases[i].key, cases[i].key_bytes, cases[i].data, cases[i].data_bytes,
                           bytes);
        digest_hex(bytes, sizeof bytes, hex);
        hex[strlen(cases[i].expected)] = '\0';
        assert_string_equal(hex, cases[i].expected);
    }
}

static void hexadecimal_there_and_back(void **state)
{
    (void)state;
    uint8_t all[256], again[256];
    char hex[513];
    for (int i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    digest_hex(all, sizeof all, hex);
    assert_memory_equal(hex, "000102", 6);
    assert_string_equal(hex + 506, "fdfeff");
    assert_true(digest_unhex(hex, again, sizeof again));
    assert_memory_equal(all, again, sizeof all);
    assert_true(digest_unhex("aBCd", again, 2) && again[0] == 0xab && again[1] == 0xcd);
    assert_true(digest_unhex("", again, 0));
    static const char *const bad[] = {"", "abc", "abcde", "abcdef", "abcg", "ab d", "0xab", "ab-1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (digest_unhex(bad[i], again, 2))
            fail_msg("\"%s\" was taken for two bytes", bad[i]);
    }
}

/* RFC 4648, 10. */
static void base64_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *plain, *coded;
    } cases[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t *bytes;
        size_t size_bytes;
        assert_string_equal(digest_base64(&arena, cases[i].plain, strlen(cases[i].plain)),
                            cases[i].coded);
        assert_true(digest_unbase64(&arena, cases[i].coded, &bytes, &size_bytes, &err));
        assert_int_equal(size_bytes, strlen(cases[i].plain));
        assert_memory_equal(bytes, cases[i].plain, size_bytes);
    }
}

static void base64_there_and_back(void **state)
{
    (void)state;
    struct rand rand;
    rand_init(&rand, 1);
    for (size_t size = 0; size < 300; size++) {
        uint8_t plain[300], *bytes;
        size_t size_bytes;
        for (size_t i = 0; i < size; i++)
            plain[i] = (uint8_t)rand_next(&rand);
        const char *coded = digest_base64(&arena, plain, size);
        assert_true(digest_unbase64(&arena, coded, &bytes, &size_bytes, &err));
        assert_int_equal(size_bytes, size);
        assert_memory_equal(bytes, plain, size);
    }
}

static void only_canonical_base64_is_taken(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Z",     "Zg",   "Zg=",  "Zg==\n",           " Zg==",    "Zg== ",    "Zg==Zg==", "====",
        "Z===",  "Zh==", "Zm9=", "Zm9v\n\n\n\n",     "Zm9v    ", "    Zm9v", "Zm-_",     "Zm9*",
        "Zm9v=", "Zg=g", "=Zg=", "\xc3\xa4\xc3\xa4",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t *bytes;
        size_t size_bytes;
        if (digest_unbase64(&arena, bad[i], &bytes, &size_bytes, &err))
            fail_msg("\"%s\" was taken for base64", bad[i]);
        assert_int_equal(err.kind, ERR_INPUT);
    }
}

static void comparing_and_cleansing(void **state)
{
    (void)state;
    char bytes[] = "secret";
    assert_true(digest_equal(bytes, "secret", 6));
    assert_false(digest_equal(bytes, "secreT", 6));
    assert_true(digest_equal(bytes, "x", 0));
    digest_cleanse(bytes, 6);
    assert_memory_equal(bytes, "\0\0\0\0\0\0", 6);
}

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_vectors),
        cmocka_unit_test(sha256_of_a_million_pieces),
        cmocka_unit_test(md5_vectors),
        cmocka_unit_test(abandoned_digests_are_freed),
        cmocka_unit_test(hmac_vectors),
        cmocka_unit_test(hexadecimal_there_and_back),
        cmocka_unit_test(base64_vectors),
        cmocka_unit_test(base64_there_and_back),
        cmocka_unit_test(only_canonical_base64_is_taken),
        cmocka_unit_test(comparing_and_cleansing),
    };
    return cmocka_run_group_tests_name("digest", tests, set_up, tear_down);
}
