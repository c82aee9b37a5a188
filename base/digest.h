/* digest.h: SHA-256, MD5 and HMAC (OpenSSL's), hexadecimal and base64, constant-time comparison. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define DIGEST_SHA256_BYTES 32
#define DIGEST_MD5_BYTES 16
#define DIGEST_HEX_MAX (2 * DIGEST_SHA256_BYTES + 1)

struct arena;

enum digest_kind { DIGEST_SHA256, DIGEST_MD5 };
/* A digest that is fed piece by piece.  Failures of the library are bugs and abort. */
struct digest {
    void *context;
};
void digest_init(struct digest *digest, enum digest_kind kind);
void digest_add(struct digest *digest, const void *bytes, size_t size_bytes);
/* Writes 32 or 16 bytes and frees. */
void digest_finish(struct digest *digest, uint8_t *out);
void digest_abandon(struct digest *digest);

void digest_of(enum digest_kind kind, const void *bytes, size_t size_bytes, uint8_t *out);
void digest_hmac_sha256(const void *key, size_t key_bytes, const void *bytes, size_t size_bytes,
                        uint8_t out[DIGEST_SHA256_BYTES]);

/* Lower case, NUL added: text holds 2 * size_bytes + 1. */
void digest_hex(const uint8_t *bytes, size_t size_bytes, char *text);
/* Exactly size_bytes from as many pairs of digits. */
bool digest_unhex(const char *text, uint8_t *bytes, size_t size_bytes);
/* NUL added, in the arena. */
char *digest_base64(struct arena *arena, const void *bytes, size_t size_bytes);
/* ERR_INPUT if it is not canonical base64 with padding. */
MUST_USE bool digest_unbase64(struct arena *arena, const char *text, uint8_t **bytes,
                              size_t *size_bytes, struct err *err);

bool digest_equal(const void *a, const void *b, size_t size_bytes); /* in constant time */
void digest_cleanse(void *bytes, size_t size_bytes);
#endif
