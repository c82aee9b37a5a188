#include "base/digest.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/arena.h"

#define DIGEST_BASE64_BYTES_MAX (INT_MAX / 2) /* OpenSSL counts in int */

static void must(bool done)
{
    if (!done)
        err_abort("OpenSSL cannot compute a digest");
}

static const EVP_MD *algorithm(enum digest_kind kind)
{
    return kind == DIGEST_SHA256 ? EVP_sha256() : EVP_md5();
}

void digest_init(struct digest *digest, enum digest_kind kind)
{
    digest->context = EVP_MD_CTX_new();
    must(digest->context && EVP_DigestInit_ex(digest->context, algorithm(kind), NULL) == 1);
}

void digest_add(struct digest *digest, const void *bytes, size_t size_bytes)
{
    must(EVP_DigestUpdate(digest->context, bytes, size_bytes) == 1);
}

void digest_finish(struct digest *digest, uint8_t *out)
{
    must(EVP_DigestFinal_ex(digest->context, out, NULL) == 1);
    digest_abandon(digest);
}

void digest_abandon(struct digest *digest)
{
    EVP_MD_CTX_free(digest->context);
    digest->context = NULL;
}

void digest_of(enum digest_kind kind, const void *bytes, size_t size_bytes, uint8_t *out)
{
    must(EVP_Digest(bytes, size_bytes, out, NULL, algorithm(kind), NULL) == 1);
}

void digest_hmac_sha256(const void *key, size_t key_bytes, const void *bytes, size_t size_bytes,
                        uint8_t out[DIGEST_SHA256_BYTES])
{
    assert(key_bytes <= INT_MAX);
    must(HMAC(EVP_sha256(), key, (int)key_bytes, bytes, size_bytes, out, NULL) != NULL);
}

void digest_hex(const uint8_t *bytes, size_t size_bytes, char *text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size_bytes; i++) {
        *text++ = digits[bytes[i] >> 4];
        *text++ = digits[bytes[i] & 15];
    }
    *text = '\0';
}

bool digest_unhex(const char *text, uint8_t *bytes, size_t size_bytes)
{
    if (strlen(text) != 2 * size_bytes)
        return false;
    for (size_t i = 0; i < size_bytes; i++) {
        int high = OPENSSL_hexchar2int((unsigned char)text[2 * i]);
        int low = OPENSSL_hexchar2int((unsigned char)text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

char *digest_base64(struct arena *arena, const void *bytes, size_t size_bytes)
{
    assert(size_bytes <= DIGEST_BASE64_BYTES_MAX);
    char *text = arena_make(arena, (size_bytes + 2) / 3 * 4 + 1);
    EVP_EncodeBlock((unsigned char *)text, bytes, (int)size_bytes);
    return text;
}

/* What does not come out the same when it is encoded again was not canonical: blanks, bits behind
 * the end, too much padding.                                                                     */
bool digest_unbase64(struct arena *arena, const char *text, uint8_t **bytes, size_t *size_bytes,
                     struct err *err)
{
    size_t length = strlen(text);
    if (length > DIGEST_BASE64_BYTES_MAX)
        return ERR(err, ERR_INPUT, "base64 of more than %d bytes", DIGEST_BASE64_BYTES_MAX);
    uint8_t *decoded = arena_make(arena, length / 4 * 3);
    size_t padding = 0;
    while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
        padding++;
    int count = EVP_DecodeBlock(decoded, (const unsigned char *)text, (int)length);
    bool same = count >= 0 && (size_t)count == length / 4 * 3;
    if (same) {
        struct arena_mark mark = arena_mark(arena);
        same = strcmp(digest_base64(arena, decoded, (size_t)count - padding), text) == 0;
        arena_back(arena, mark);
    }
    if (!same)
        return ERR(err, ERR_INPUT, "not base64 with its padding");
    *bytes = decoded;
    *size_bytes = (size_t)count - padding;
    return true;
}

bool digest_equal(const void *a, const void *b, size_t size_bytes)
{
    return CRYPTO_memcmp(a, b, size_bytes) == 0;
}

void digest_cleanse(void *bytes, size_t size_bytes)
{
    OPENSSL_cleanse(bytes, size_bytes);
}
