#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/err.h"

void secret_set(struct secret *secret, const char *bytes, size_t size_bytes)
{
    char *copy = malloc(size_bytes + 1);
    if (!copy)
        err_abort("out of memory");
    if (size_bytes > 0)
        memcpy(copy, bytes, size_bytes);
    copy[size_bytes] = '\0';
    secret_clear(secret);
    *secret = (struct secret){.hidden = copy, .size_bytes = size_bytes};
}

void secret_clear(struct secret *secret)
{
    if (secret->hidden)
        digest_cleanse(secret->hidden, secret->size_bytes);
    free(secret->hidden);
    *secret = (struct secret){0};
}

bool secret_is_set(const struct secret *secret)
{
    return secret->hidden != NULL;
}

const char *secret_reveal(const struct secret *secret)
{
    return secret->hidden ? secret->hidden : "";
}
