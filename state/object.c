#include "state/object.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/str.h"

static void add_text_and_nul(struct digest *digest, const char *text)
{
    digest_add(digest, text, strlen(text) + 1);
}

static void add_object(struct digest *digest, const struct object *object)
{
    char text[2 * OBJECT_MD5_BYTES + 32];
    add_text_and_nul(digest, object->key);
    snprintf(text, sizeof(text), "%" PRIu64, object->bytes);
    add_text_and_nul(digest, text);
    add_text_and_nul(digest, object->etag);

    char md5[2 * OBJECT_MD5_BYTES + 1] = "";
    if (object->md5_origin != MD5_ABSENT)
        digest_hex(object->md5, OBJECT_MD5_BYTES, md5);
    snprintf(text, sizeof(text), "%d %s\n", (int)object->md5_origin, md5);
    digest_add(digest, text, strlen(text));
}

void object_manifest_digest(const struct object *objects, size_t count,
                            struct manifest_digest *digest)
{
    struct digest sum;
    digest_init(&sum, DIGEST_SHA256);
    for (size_t i = 0; i < count; i++) {
        assert(i == 0 || str_compare(objects[i - 1].key, objects[i].key) <= 0);
        add_object(&sum, &objects[i]);
    }
    digest_finish(&sum, digest->sha256);
}

int object_compare(const void *a, const void *b)
{
    const struct object *first = a, *second = b;
    return str_compare(first->key, second->key);
}

const char *object_tier_name(enum access_tier tier)
{
    static const char *const names[] = {[TIER_DEFAULT] = "default",
                                        [TIER_HOT] = "hot",
                                        [TIER_COOL] = "cool",
                                        [TIER_COLD] = "cold",
                                        [TIER_ARCHIVE] = "archive"};
    assert(tier <= TIER_ARCHIVE);
    return names[tier];
}
