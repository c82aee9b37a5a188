/* What a page of a listing says, and that anything less than a whole one is an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "executor/azure/azure_private.h"

#define HEAD                                                                                       \
    "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults "                   \
    "ServiceEndpoint=\"https://a/\" ContainerName=\"c\"><Prefix>p/d/</Prefix><Blobs>"
#define BLOB(name, properties) "<Blob>" name "<Properties>" properties "</Properties></Blob>"
#define PLAIN "<Etag>0x1</Etag><Content-Length>7</Content-Length><BlobType>BlockBlob</BlobType>"
#define LAST "</Blobs><NextMarker /></EnumerationResults>"

static struct arena arena;
static struct listing listing;
static struct err err;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 64 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

/* In pieces of so many bytes. */
static bool read_pieces(const char *text, size_t piece)
{
    struct azure_page *page = azure_page_make("p/d/", strlen("p/"), &arena);
    size_t size_bytes = strlen(text);
    listing = (struct listing){0};
    azure_page_add(page, NULL, 0);
    for (size_t at = 0; at < size_bytes; at += piece)
        azure_page_add(page, text + at, size_bytes - at < piece ? size_bytes - at : piece);
    bool done = azure_page_finish(page, &listing, &err);
    azure_page_free(page);
    return done;
}

static bool read_page(const char *text)
{
    return read_pieces(text, SIZE_MAX);
}

static void a_blob_is_told_with_all_its_properties(void **state)
{
    (void)state;
    static const char text[] =
        HEAD BLOB("<Name>p/d/a b</Name>",
                  "<Creation-Time>Mon</Creation-Time><Etag>0x8D</Etag><Content-Length>123456789012"
                  "</Content-Length><Content-MD5>XUFAKrxLKna5cZ2REBfFkg==</Content-MD5>"
                  "<BlobType>BlockBlob</BlobType><AccessTier>Archive</AccessTier>"
                  "<CopyStatus>success</CopyStatus>") LAST;
    static const uint8_t md5[] = {0x5d, 0x41, 0x40, 0x2a, 0xbc, 0x4b, 0x2a, 0x76,
                                  0xb9, 0x71, 0x9d, 0x91, 0x10, 0x17, 0xc5, 0x92};
    for (size_t piece = 1; piece < 40; piece++) {
        assert_true(read_pieces(text, piece));
        assert_int_equal(listing.count, 1);
        const struct object *object = listing.objects;
        assert_string_equal(object->key, "d/a b");
        assert_string_equal(object->etag, "\"0x8D\"");
        assert_true(object->bytes == UINT64_C(123456789012));
        assert_int_equal(object->md5_origin, MD5_CLAIMED);
        assert_memory_equal(object->md5, md5, sizeof md5);
        assert_int_equal(object->tier, TIER_ARCHIVE);
        assert_int_equal(object->copy, COPY_NONE);
        assert_false(object->irregular);
        assert_null(listing.marker);
    }
}

/* One that is inferred from the account is where the blob lies all the same. */
static void each_tier_has_its_name(void **state)
{
    (void)state;
    static const enum access_tier tiers[] = {TIER_DEFAULT, TIER_HOT,     TIER_COOL,
                                             TIER_COLD,    TIER_ARCHIVE, TIER_DEFAULT};
    assert_true(read_page(
        HEAD BLOB("<Name>p/d/0</Name>", PLAIN)
            BLOB("<Name>p/d/1</Name>", PLAIN "<AccessTier>Hot</AccessTier>"
                                             "<AccessTierInferred>true</AccessTierInferred>")
                BLOB("<Name>p/d/2</Name>", PLAIN "<AccessTier>Cool</AccessTier>")
                    BLOB("<Name>p/d/3</Name>", PLAIN "<AccessTier>Cold</AccessTier>")
                        BLOB("<Name>p/d/4</Name>",
                             PLAIN "<AccessTier>Archive</AccessTier>"
                                   "<ArchiveStatus>rehydrate-pending-to-hot</ArchiveStatus>")
                            BLOB("<Name>p/d/5</Name>", PLAIN "<AccessTier>P10</AccessTier>") LAST));
    assert_int_equal(listing.count, 6);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(listing.objects[i].tier, tiers[i]);
}

/* What stands behind the code in a description may be anything, and is nobody's business. */
static void copies_under_way_and_failed_are_told(void **state)
{
    (void)state;
    assert_true(read_page(
        HEAD BLOB("<Name>p/d/1</Name>",
                  PLAIN "<CopyId>id-1</CopyId><CopyStatus>pending</CopyStatus>")
            BLOB("<Name>p/d/2</Name>",
                 PLAIN "<CopyId>id-2</CopyId><CopyStatus>failed</CopyStatus>"
                       "<CopyStatusDescription>403 AuthenticationFailed \"Copy failed when reading "
                       "https://x/?sig=CANARY\"</CopyStatusDescription>")
                BLOB("<Name>p/d/3</Name>",
                     PLAIN "<CopyStatus>aborted</CopyStatus>"
                           "<CopyStatusDescription>&#x9;what</CopyStatusDescription>")
                    BLOB("<Name>p/d/4</Name>",
                         PLAIN "<CopyId>id-4</CopyId><CopyStatus>success</CopyStatus>") LAST));
    static const struct {
        enum copy_state copy;
        const char *id, *says;
    } wanted[] = {{COPY_PENDING, "id-1", NULL},
                  {COPY_FAILED, "id-2", "403 AuthenticationFailed"},
                  {COPY_ABORTED, NULL, NULL},
                  {COPY_NONE, "id-4", NULL}};
    assert_int_equal(listing.count, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct object *object = &listing.objects[i];
        assert_int_equal(object->copy, wanted[i].copy);
        assert_true(str_equal(object->copy_id ? object->copy_id : "none",
                              wanted[i].id ? wanted[i].id : "none"));
        assert_true(str_equal(object->copy_says ? object->copy_says : "none",
                              wanted[i].says ? wanted[i].says : "none"));
        assert_int_equal(object->tier, TIER_DEFAULT);
        assert_int_equal(object->md5_origin, MD5_ABSENT);
    }
}

static void etags_with_quotes_stay_as_they_are(void **state)
{
    (void)state;
    assert_true(read_page(HEAD BLOB(
        "<Name>p/d/1</Name>", "<Etag>\"0x1\"</Etag><Content-Length>0</Content-Length>") LAST));
    assert_string_equal(listing.objects[0].etag, "\"0x1\"");
}

static void names_may_be_encoded(void **state)
{
    (void)state;
    assert_true(read_page(HEAD BLOB("<Name Encoded=\"true\">p%2Fd%2Fa%EF%BF%BE</Name>", PLAIN)
                              BLOB("<Name Encoded=\"false\">p/d/100%25</Name>", PLAIN)
                                  BLOB("<Name>p/d/&lt;&amp;&#252;%41</Name>", PLAIN) LAST));
    assert_string_equal(listing.objects[0].key, "d/a\xef\xbf\xbe");
    assert_string_equal(listing.objects[1].key, "d/100%25");
    assert_string_equal(listing.objects[2].key, "d/<&\xc3\xbc%41");
    assert_false(read_page(HEAD BLOB("<Name Encoded=\"true\">p/d/%zz</Name>", PLAIN) LAST));
    assert_int_equal(err.kind, ERR_CORRUPT);
    assert_false(read_page(HEAD BLOB("<Name Encoded=\"true\">p/d/%00</Name>", PLAIN) LAST));
}

static void what_cannot_be_moved_is_irregular(void **state)
{
    (void)state;
    assert_true(
        read_page(HEAD BLOB("<Name>p/d/1</Name>", "<BlobType>PageBlob</BlobType><Etag>1</Etag>"
                                                  "<Content-Length>512</Content-Length>")
                      BLOB("<Name Encoded=\"true\">p/d/a%0D%0Ab</Name>", PLAIN)
                          BLOB("<Name>p/d/a/../b</Name>", PLAIN) BLOB("<Name>p/d/.</Name>", PLAIN)
                              BLOB("<Name>p/d/.a</Name>", PLAIN) LAST));
    assert_int_equal(listing.count, 5);
    for (size_t i = 0; i < 4; i++)
        assert_true(listing.objects[i].irregular);
    assert_false(listing.objects[4].irregular);
}

static void folders_are_left_out(void **state)
{
    (void)state;
    assert_true(read_page(HEAD BLOB(
        "<Name>p/d/f</Name>", PLAIN
        "<ResourceType>directory</ResourceType>") "<Blob><Name>p/d/g</Name>"
                                                  "<Properties>" PLAIN "</Properties><Metadata>"
                                                  "<Hdi_isfolder>true"
                                                  "</Hdi_isfolder></Metadata>"
                                                  "</Blob>" BLOB(
                                                      "<Name>p/d/h</Name>", PLAIN
                                                      "<ResourceType>file</ResourceType>") LAST));
    assert_int_equal(listing.count, 1);
    assert_string_equal(listing.objects[0].key, "d/h");
}

static void the_marker_leads_on(void **state)
{
    (void)state;
    assert_true(read_page(HEAD BLOB("<Name>p/d/1</Name>", PLAIN) "</Blobs><NextMarker>2!x&amp;y"
                                                                 "</NextMarker>"
                                                                 "</EnumerationResults>"));
    assert_string_equal(listing.marker, "2!x&y");
    assert_true(read_page(HEAD "</Blobs><NextMarker></NextMarker></EnumerationResults>"));
    assert_null(listing.marker);
    assert_int_equal(listing.count, 0);
}

/* 20 TB were deleted once because a listing that was cut off was taken for a short one. */
static void a_page_that_was_cut_off_is_an_error(void **state)
{
    (void)state;
    static const char text[] =
        HEAD BLOB("<Name>p/d/1</Name>", PLAIN) BLOB("<Name>p/d/2</Name>", PLAIN) LAST;
    for (size_t length = 0; length < strlen(text); length++) {
        char cut[sizeof text];
        memcpy(cut, text, length);
        cut[length] = '\0';
        assert_false(read_page(cut));
        assert_int_equal(err.kind, ERR_CORRUPT);
        assert_int_equal(listing.count, 0);
    }
    assert_true(read_page(text));
    assert_false(read_page(HEAD BLOB("<Name>p/d/1</Name>", PLAIN) "</Blobs></EnumerationResults>"));
    assert_non_null(strstr(err.text, "whether it is the last"));
}

static void a_page_that_contradicts_itself_is_an_error(void **state)
{
    (void)state;
    static const char *const texts[] = {
        HEAD BLOB("<Name>p/e/1</Name>", PLAIN) LAST,
        HEAD BLOB("", PLAIN) LAST,
        HEAD BLOB("<Name>p/d/1</Name>", "<Content-Length>7</Content-Length>") LAST,
        HEAD BLOB("<Name>p/d/1</Name>", "<Etag>0x1</Etag>") LAST,
        HEAD BLOB("<Name>p/d/1</Name>", "<Etag></Etag><Content-Length>7</Content-Length>") LAST,
        HEAD BLOB("<Name>p/d/1</Name>", "<Etag>1</Etag><Content-Length>-7</Content-Length>") LAST,
        HEAD BLOB("<Name>p/d/1</Name>",
                  "<Etag>1</Etag><Content-Length>99999999999999999999</Content-Length>") LAST,
        HEAD BLOB("<Name>p/d/1</Name>", "<Etag>a&#10;b</Etag><Content-Length>7</Content-Length>")
            LAST,
        HEAD BLOB("<Name>p/d/1</Name>", "<Etag>a\", \"*</Etag><Content-Length>7</Content-Length>")
            LAST,
        "<Error><Code>x</Code></Error>",
        "not XML",
        HEAD LAST "<x/>",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_false(read_page(texts[i]));
        assert_int_equal(err.kind, ERR_CORRUPT);
    }
}

/* After a retry the page begins anew: nothing of the first try is left. */
static void a_second_try_forgets_the_first(void **state)
{
    (void)state;
    static const char first[] = HEAD BLOB("<Name>p/d/1</Name>", PLAIN) "</Blobs><NextMarker>2";
    static const char second[] = HEAD BLOB("<Name>p/d/1</Name>", PLAIN) LAST;
    struct azure_page *page = azure_page_make("p/d/", strlen("p/"), &arena);
    azure_page_add(page, NULL, 0);
    azure_page_add(page, first, strlen(first));
    azure_page_add(page, NULL, 0);
    azure_page_add(page, second, strlen(second));
    assert_true(azure_page_finish(page, &listing, &err));
    assert_int_equal(listing.count, 1);
    assert_null(listing.marker);
    azure_page_free(page);
}

static void more_blobs_than_a_page_holds_are_an_error(void **state)
{
    (void)state;
    struct azure_page *page = azure_page_make("", 0, &arena);
    static const char blob[] = BLOB("<Name>a</Name>", PLAIN);
    azure_page_add(page, HEAD, strlen(HEAD));
    for (int i = 0; i <= STORE_PAGE_MAX; i++)
        azure_page_add(page, blob, strlen(blob));
    azure_page_add(page, LAST, strlen(LAST));
    assert_false(azure_page_finish(page, &listing, &err));
    assert_int_equal(err.kind, ERR_CORRUPT);
    azure_page_free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_blob_is_told_with_all_its_properties, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_tier_has_its_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(copies_under_way_and_failed_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(etags_with_quotes_stay_as_they_are, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_may_be_encoded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_moved_is_irregular, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folders_are_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_marker_leads_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_page_that_was_cut_off_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_page_that_contradicts_itself_is_an_error, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_second_try_forgets_the_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_blobs_than_a_page_holds_are_an_error, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
