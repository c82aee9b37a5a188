#include "executor/azure/azure_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/str.h"
#include "base/url.h"
#include "executor/http/xml.h"

#define REASON_LETTERS "0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define REASON_BYTES_MAX 64

/* EnumerationResults > Blobs > Blob > Name | Properties > .. | Metadata > .., and
 * EnumerationResults > NextMarker. */
enum depth { DEPTH_ROOT = 1, DEPTH_TOP, DEPTH_BLOB, DEPTH_PART, DEPTH_LEAF };
enum part { PART_OTHER, PART_PROPERTIES, PART_METADATA };

struct azure_page {
    struct xml xml;
    const char *asked;
    size_t strip_bytes;
    struct arena *arena;
    struct buf objects; /* an array of struct object */
    struct buf name;
    const char *marker; /* NULL: no NextMarker was closed yet */
    bool in_blobs;
    /* the blob that is open */
    bool in_blob, encoded, is_folder, is_sized;
    enum part part;
    struct object object;
};

/* -- names and values -------------------------------------------------------------------------- */

static bool take_name(struct azure_page *page, const char *text, struct err *err)
{
    struct object *object = &page->object;
    buf_reset(&page->name);
    if (!page->encoded)
        buf_text(&page->name, text);
    else if (!url_decode(&page->name, text, strlen(text)))
        return ERR(err, ERR_CORRUPT, "a listed name that is encoded wrongly");
    const char *name = buf_string(&page->name);
    if (!str_starts(name, page->asked))
        return ERR(err, ERR_CORRUPT, "a listed name that was not asked for");
    object->key =
        str_copy(page->arena, name + page->strip_bytes, page->name.size - page->strip_bytes);
    return true;
}

/* Replies quote an etag, listings do not. */
static bool take_etag(struct azure_page *page, const char *text, struct err *err)
{
    const char *etag =
        text[0] == '"' ? arena_copy(page->arena, text) : str_format(page->arena, "\"%s\"", text);
    if (!azure_etag_is_exact(etag))
        return ERR(err, ERR_CORRUPT, "a listed etag that is none");
    page->object.etag = etag;
    return true;
}

/* A client's claim: one that is malformed is none. */
static void take_md5(struct azure_page *page, const char *text)
{
    struct arena_mark mark = arena_mark(page->arena);
    struct err ignored;
    uint8_t *bytes;
    size_t size_bytes;
    if (digest_unbase64(page->arena, text, &bytes, &size_bytes, &ignored) &&
        size_bytes == OBJECT_MD5_BYTES) {
        memcpy(page->object.md5, bytes, OBJECT_MD5_BYTES);
        page->object.md5_origin = MD5_CLAIMED;
    }
    arena_back(page->arena, mark);
}

static enum copy_state copy_of(const char *text)
{
    if (str_equal(text, "pending"))
        return COPY_PENDING;
    if (str_equal(text, "aborted"))
        return COPY_ABORTED;
    return str_equal(text, "success") ? COPY_NONE : COPY_FAILED;
}

/* Status and code, as in `403 AuthenticationFailed "Copy failed when .."`: no more of it, for what
 * follows may be anything, the address of the source with its SAS included. */
static const char *reason_of(struct arena *arena, const char *text)
{
    size_t length = strspn(text, REASON_LETTERS);
    while (length > 0 && text[length - 1] == ' ')
        length--;
    return length > 0 && length <= REASON_BYTES_MAX ? str_copy(arena, text, length) : NULL;
}

static bool take_property(struct azure_page *page, const char *name, const char *text,
                          struct err *err)
{
    struct object *object = &page->object;
    if (str_equal(name, "Etag"))
        return take_etag(page, text, err);
    if (str_equal(name, "Content-Length")) {
        page->is_sized = str_to_u64(text, &object->bytes);
        return page->is_sized || ERR(err, ERR_CORRUPT, "a listed size that is no number");
    }
    if (str_equal(name, "Content-MD5"))
        take_md5(page, text);
    else if (str_equal(name, "AccessTier"))
        object->tier = azure_tier_read(text);
    else if (str_equal(name, "CopyStatus"))
        object->copy = copy_of(text);
    else if (str_equal(name, "CopyId") && strlen(text) < OBJECT_COPY_ID_MAX)
        object->copy_id = arena_copy(page->arena, text);
    else if (str_equal(name, "CopyStatusDescription"))
        object->copy_says = reason_of(page->arena, text);
    else if (str_equal(name, "BlobType"))
        object->irregular |= !str_equal(text, "BlockBlob");
    else if (str_equal(name, "ResourceType"))
        page->is_folder |= str_equal(text, "directory");
    return true;
}

/* -- elements ---------------------------------------------------------------------------------- */

static bool is_encoded(const char *const *attributes)
{
    for (; *attributes; attributes += 2) {
        if (str_equal(attributes[0], "Encoded"))
            return str_equal(attributes[1], "true");
    }
    return false;
}

static bool on_open(void *context, unsigned depth, const char *name, const char *const *attributes,
                    struct err *err)
{
    struct azure_page *page = context;
    if (depth == DEPTH_ROOT && !str_equal(name, "EnumerationResults"))
        return ERR(err, ERR_CORRUPT, "a reply that is no listing");
    if (depth == DEPTH_TOP)
        page->in_blobs = str_equal(name, "Blobs");
    if (depth == DEPTH_BLOB && page->in_blobs) {
        page->in_blob = str_equal(name, "Blob");
        page->encoded = page->is_folder = page->is_sized = false;
        page->object = (struct object){0};
    }
    if (depth == DEPTH_PART) {
        page->part = str_equal(name, "Properties") ? PART_PROPERTIES
                     : str_equal(name, "Metadata") ? PART_METADATA
                                                   : PART_OTHER;
        if (str_equal(name, "Name"))
            page->encoded = is_encoded(attributes);
    }
    return true;
}

static bool close_blob(struct azure_page *page, struct err *err)
{
    struct object *object = &page->object;
    page->in_blob = false;
    if (!object->key || !object->etag || !page->is_sized)
        return ERR(err, ERR_CORRUPT, "a listed blob without a name, an etag or a size");
    if (page->is_folder)
        return true;
    object->irregular |= !azure_key_is_plain(object->key);
    buf_add(&page->objects, object, sizeof *object);
    return !page->objects.overflowed ||
           ERR(err, ERR_CORRUPT, "a page with more than %d blobs", STORE_PAGE_MAX);
}

static bool on_close(void *context, unsigned depth, const char *name, const char *text,
                     struct err *err)
{
    struct azure_page *page = context;
    if (depth == DEPTH_TOP && str_equal(name, "NextMarker"))
        page->marker = arena_copy(page->arena, text);
    if (!page->in_blob)
        return true;
    if (depth == DEPTH_BLOB)
        return close_blob(page, err);
    if (depth == DEPTH_PART && str_equal(name, "Name"))
        return take_name(page, text, err);
    if (depth == DEPTH_LEAF && page->part == PART_PROPERTIES)
        return take_property(page, name, text, err);
    if (depth == DEPTH_LEAF && page->part == PART_METADATA && strcasecmp(name, "hdi_isfolder") == 0)
        page->is_folder |= strcasecmp(text, "true") == 0;
    return true;
}

static const struct xml_events events = {.open = on_open, .close = on_close};

/* -- a page ------------------------------------------------------------------------------------ */

struct azure_page *azure_page_make(const char *asked, size_t strip_bytes, struct arena *arena)
{
    struct azure_page *page = calloc(1, sizeof *page);
    if (!page)
        err_abort("out of memory");
    page->asked = asked;
    page->strip_bytes = strip_bytes;
    page->arena = arena;
    buf_init(&page->objects, STORE_PAGE_MAX * sizeof(struct object));
    buf_init(&page->name, XML_TEXT_MAX);
    xml_init(&page->xml, &events, page);
    return page;
}

void azure_page_free(struct azure_page *page)
{
    xml_free(&page->xml);
    buf_free(&page->objects);
    buf_free(&page->name);
    free(page);
}

static void start_again(struct azure_page *page)
{
    xml_free(&page->xml);
    xml_init(&page->xml, &events, page);
    buf_reset(&page->objects);
    page->marker = NULL;
    page->in_blobs = page->in_blob = false;
}

void azure_page_add(void *context, const char *bytes, size_t size_bytes)
{
    struct azure_page *page = context;
    if (bytes)
        xml_add(&page->xml, bytes, size_bytes);
    else
        start_again(page);
}

bool azure_page_finish(struct azure_page *page, struct listing *listing, struct err *err)
{
    if (!xml_finish(&page->xml, err))
        return err_wrap(err, "a page of the listing");
    if (!page->marker)
        return ERR(err, ERR_CORRUPT, "a page of the listing does not say whether it is the last");
    listing->count = page->objects.size / sizeof(struct object);
    listing->objects = arena_make(page->arena, page->objects.size);
    if (listing->count > 0)
        memcpy(listing->objects, page->objects.bytes, page->objects.size);
    listing->marker = page->marker[0] != '\0' ? page->marker : NULL;
    return true;
}
