/* test_location.c: one key has one spelling; what is spelled otherwise is never taken for something
 * else, and never ignored. */
#include "state/location.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/rand.h"
#include "base/str.h"

#define HOT "https://acct.blob.core.windows.net/recordings/"
#define COLD "https://cold.blob.core.windows.net/archive/deep/er/"
#define RIG "http://127.0.0.1:10000/devstoreaccount1/box/"
#define LOCAL "file:///srv/hot/"
#define SIX "http://[::1]:10000/account/box/"
#define PERCENT "https://acct.blob.core.windows.net/other/100%25/"

enum { PLACE_HOT, PLACE_COLD, PLACE_RIG, PLACE_LOCAL, PLACE_SIX, PLACE_PERCENT };

static const char *const hot_aliases[] = {
    "https://acct-secondary.blob.core.windows.net/recordings/", "https://cdn.example.com/",
    "https://ACCT.example.com:8443/x/"};
static const char *const local_aliases[] = {"file:///mnt/disk/hot/"};
static const struct place items[] = {
    [PLACE_HOT] = {"hot", HOT, hot_aliases, 3}, [PLACE_COLD] = {"cold", COLD, NULL, 0},
    [PLACE_RIG] = {"rig", RIG, NULL, 0},        [PLACE_LOCAL] = {"local", LOCAL, local_aliases, 1},
    [PLACE_SIX] = {"six", SIX, NULL, 0},        [PLACE_PERCENT] = {"percent", PERCENT, NULL, 0},
};
static const struct places places = {.items = items, .count = sizeof(items) / sizeof(items[0])};

#define REGULAR SPELLING_REGULAR
#define IRREGULAR SPELLING_IRREGULAR
#define SHALLOW SPELLING_SHALLOW
#define FOREIGN SPELLING_FOREIGN

static const struct spelled {
    const char *text;
    enum spelling spelling;
    uint16_t place;
    const char *directory, *name;
    const char *oddity;
} table[] = {
    /* regular */
    {HOT "a/x.meas", REGULAR, PLACE_HOT, "a/", "x.meas", NULL},
    {HOT "recording/2025-02-14/run_7/x", REGULAR, PLACE_HOT, "recording/2025-02-14/run_7/", "x",
     NULL},
    {HOT "a/1/x", REGULAR, PLACE_HOT, "a/1/", "x", NULL},
    {HOT "a/10/x", REGULAR, PLACE_HOT, "a/10/", "x", NULL},
    {HOT "a/1", REGULAR, PLACE_HOT, "a/", "1", NULL},
    {HOT "a/", REGULAR, PLACE_HOT, "a/", "", NULL},
    {HOT "a/b/", REGULAR, PLACE_HOT, "a/b/", "", NULL},
    {HOT "a/ b c /x y", REGULAR, PLACE_HOT, "a/ b c /", "x y", NULL},
    {HOT "a/!\"$&'()*+,-.0:;<=>@Z[]^_`z{|}~", REGULAR, PLACE_HOT, "a/",
     "!\"$&'()*+,-.0:;<=>@Z[]^_`z{|}~", NULL},
    {HOT "!\"$&'()*+,-:;<=>@[]^_`{|}~/x", REGULAR, PLACE_HOT, "!\"$&'()*+,-:;<=>@[]^_`{|}~/", "x",
     NULL},
    {HOT "a/100%25/x", REGULAR, PLACE_HOT, "a/100%/", "x", NULL},
    {HOT "a/%2541", REGULAR, PLACE_HOT, "a/", "%41", NULL},
    {HOT "a/%252F", REGULAR, PLACE_HOT, "a/", "%2F", NULL},
    {HOT "what%3F/why%3F%23", REGULAR, PLACE_HOT, "what?/", "why?#", NULL},
    {HOT "a/...", REGULAR, PLACE_HOT, "a/", "...", NULL},
    {HOT ".a/..b/c.", REGULAR, PLACE_HOT, ".a/..b/", "c.", NULL},
    {HOT "fahrt/\xc3\xbc\x62\x65r/\xe6\x97\xa5\xe6\x9c\xac", REGULAR, PLACE_HOT,
     "fahrt/\xc3\xbc\x62\x65r/", "\xe6\x97\xa5\xe6\x9c\xac", NULL},
    {HOT "a/\xf0\x9f\x8f\x81", REGULAR, PLACE_HOT, "a/", "\xf0\x9f\x8f\x81", NULL},
    {COLD "a/x", REGULAR, PLACE_COLD, "a/", "x", NULL},
    {RIG "a/x", REGULAR, PLACE_RIG, "a/", "x", NULL},
    {LOCAL "a/x", REGULAR, PLACE_LOCAL, "a/", "x", NULL},
    {LOCAL "a/user@host:x", REGULAR, PLACE_LOCAL, "a/", "user@host:x", NULL},
    {SIX "a/x", REGULAR, PLACE_SIX, "a/", "x", NULL},
    {PERCENT "a/x", REGULAR, PLACE_PERCENT, "a/", "x", NULL},
    {PERCENT "a/1%25", REGULAR, PLACE_PERCENT, "a/", "1%", NULL},
    /* another scheme, host or port */
    {"HTTPS://acct.blob.core.windows.net/recordings/a/x", IRREGULAR, PLACE_HOT, "a/", "x",
     "has capitals in its scheme or host"},
    {"https://Acct.Blob.Core.Windows.Net/recordings/a/x", IRREGULAR, PLACE_HOT, "a/", "x",
     "has capitals in its scheme or host"},
    {"http://acct.blob.core.windows.net/recordings/a/x", IRREGULAR, PLACE_HOT, "a/", "x",
     "has another scheme than the store"},
    {"https://acct.blob.core.windows.net:443/recordings/a/x", IRREGULAR, PLACE_HOT, "a/", "x",
     "has another port than the store"},
    {"http://acct.blob.core.windows.net:80/recordings/a/x", IRREGULAR, PLACE_HOT, "a/", "x", NULL},
    {"https://acct.blob.core.windows.net:0443/recordings/a/x", IRREGULAR, PLACE_HOT, "a/", "x",
     NULL},
    {"https://acct.blob.core.windows.net:/recordings/a/x", IRREGULAR, PLACE_HOT, "a/", "x", NULL},
    {"https://acct.blob.core.windows.net:8443/recordings/a/x", FOREIGN, 0, NULL, NULL,
     "is in no declared store"},
    {"https://acct.blob.core.windows.net./recordings/a/x", IRREGULAR, PLACE_HOT, "a/", "x",
     "uses another address of the store"},
    {"https://127.0.0.1:10000/devstoreaccount1/box/a/x", IRREGULAR, PLACE_RIG, "a/", "x", NULL},
    {"http://127.0.0.1:010000/devstoreaccount1/box/a/x", IRREGULAR, PLACE_RIG, "a/", "x", NULL},
    {"http://127.0.0.1:10001/devstoreaccount1/box/a/x", FOREIGN, 0, NULL, NULL, NULL},
    {"http://127.0.0.1/devstoreaccount1/box/a/x", FOREIGN, 0, NULL, NULL, NULL},
    {"HTTP://[::1]:10000/account/box/a/x", IRREGULAR, PLACE_SIX, "a/", "x", NULL},
    {"http://[::1]/account/box/a/x", FOREIGN, 0, NULL, NULL, NULL},
    {" " HOT "a/x", IRREGULAR, PLACE_HOT, "a/", "x", "begins with a blank"},
    {"file://localhost/srv/hot/a/x", IRREGULAR, PLACE_LOCAL, "a/", "x",
     "uses another address of the store"},
    {"FILE:///srv/hot/a/x", IRREGULAR, PLACE_LOCAL, "a/", "x",
     "has capitals in its scheme or host"},
    {"file:/srv/hot/a/x", IRREGULAR, PLACE_LOCAL, "a/", "x", "is an unusual form of URL"},
    {"file:////srv/hot/a/x", IRREGULAR, PLACE_LOCAL, "a/", "x",
     "has empty, '.' or '..' path segments"},
    {"file://server/srv/hot/a/x", FOREIGN, 0, NULL, NULL, NULL},
    /* aliases */
    {"https://acct-secondary.blob.core.windows.net/recordings/a/x", IRREGULAR, PLACE_HOT, "a/", "x",
     "uses another address of the store"},
    {"https://cdn.example.com/a/x", IRREGULAR, PLACE_HOT, "a/", "x",
     "uses another address of the store"},
    {"http://acct.example.com:8443/x/a/x", IRREGULAR, PLACE_HOT, "a/", "x", NULL},
    {"https://cdn.example.com/x", SHALLOW, PLACE_HOT, "", "x", NULL},
    {"file:///mnt/disk/hot/a/x", IRREGULAR, PLACE_LOCAL, "a/", "x", NULL},
    /* userinfo, query, fragment */
    {"https://user@acct.blob.core.windows.net/recordings/a/x", IRREGULAR, PLACE_HOT, "a/", "x",
     "has user information"},
    {"https://u:p@acct.blob.core.windows.net/recordings/a/x", IRREGULAR, PLACE_HOT, "a/", "x",
     "has user information"},
    {"https://acct.blob.core.windows.net@evil.example/recordings/a/x", FOREIGN, 0, NULL, NULL,
     "is in no declared store"},
    {HOT "a/x?sv=2024&sig=abc", IRREGULAR, PLACE_HOT, "a/", "x", "has a query"},
    {HOT "a/x?", IRREGULAR, PLACE_HOT, "a/", "x", "has a query"},
    {HOT "a/x?b/y", IRREGULAR, PLACE_HOT, "a/", "x", "has a query"},
    {HOT "a/x#part", IRREGULAR, PLACE_HOT, "a/", "x", "has a fragment"},
    {HOT "a#b/x", SHALLOW, PLACE_HOT, "", "a", NULL},
    /* percent-encoding */
    {HOT "a/x%20y", IRREGULAR, PLACE_HOT, "a/", "x y", NULL},
    {HOT "a/%41", IRREGULAR, PLACE_HOT, "a/", "A", NULL},
    {HOT "a%2Fb/x", IRREGULAR, PLACE_HOT, "a/b/", "x", NULL},
    {HOT "a%2fb%2fx", IRREGULAR, PLACE_HOT, "a/b/", "x", NULL},
    {HOT "a/x%3f", IRREGULAR, PLACE_HOT, "a/", "x?", NULL},
    {HOT "a/100%", IRREGULAR, PLACE_HOT, "a/", "100%", NULL},
    {HOT "a/100%2", IRREGULAR, PLACE_HOT, "a/", "100%2", NULL},
    {HOT "a/%zz/x", IRREGULAR, PLACE_HOT, "a/%zz/", "x", NULL},
    {HOT "a/%2", IRREGULAR, PLACE_HOT, "a/", "%2", NULL},
    {HOT "a/%00x", IRREGULAR, PLACE_HOT, "a/", "%00x", NULL},
    {HOT "a/%0A", IRREGULAR, PLACE_HOT, "a/", "", NULL},
    {HOT "a/b%0Ac/d/x", IRREGULAR, PLACE_HOT, "a/", "", NULL},
    {HOT "a/%FF/x", IRREGULAR, PLACE_HOT, "a/", "", NULL},
    {HOT "a/b/%C3%BC", IRREGULAR, PLACE_HOT, "a/b/", "\xc3\xbc", NULL},
    {HOT "%FF/x", SHALLOW, PLACE_HOT, "", "", NULL},
    {"https://acct.blob.core.windows.net/%72ecordings/a/x", IRREGULAR, PLACE_HOT, "a/", "x", NULL},
    {"https://acct.blob.core.windows.net/other/100%/a/x", IRREGULAR, PLACE_PERCENT, "a/", "x",
     NULL},
    {"https://acct.blob.core.windows.net/other/%3100%25/a/x", IRREGULAR, PLACE_PERCENT, "a/", "x",
     NULL},
    /* slashes and dots */
    {HOT "http://nested.example/a", IRREGULAR, PLACE_HOT, "http:/nested.example/", "a",
     "has empty, '.' or '..' path segments"},
    {HOT "a//x", IRREGULAR, PLACE_HOT, "a/", "x", "has empty, '.' or '..' path segments"},
    {HOT "/a/x", IRREGULAR, PLACE_HOT, "a/", "x", NULL},
    {HOT "a/b//", IRREGULAR, PLACE_HOT, "a/b/", "", NULL},
    {HOT "a/./x", IRREGULAR, PLACE_HOT, "a/", "x", NULL},
    {HOT "a/.", IRREGULAR, PLACE_HOT, "a/", "", NULL},
    {HOT "a/b/..", IRREGULAR, PLACE_HOT, "a/", "", NULL},
    {HOT "a/b/../x", IRREGULAR, PLACE_HOT, "a/", "x", NULL},
    {HOT "a/b/%2e%2E/x", IRREGULAR, PLACE_HOT, "a/", "x", NULL},
    {HOT "a/../../recordings/b/x", IRREGULAR, PLACE_HOT, "b/", "x", NULL},
    {HOT "../other/100%25/a/x", IRREGULAR, PLACE_PERCENT, "a/", "x", NULL},
    {HOT "../secret/x", FOREIGN, 0, NULL, NULL, "is in no declared store"},
    {HOT "a/../../../../../etc/x", FOREIGN, 0, NULL, NULL, NULL},
    {HOT "a/../x", SHALLOW, PLACE_HOT, "", "x", NULL},
    {LOCAL "../hot/a/x", IRREGULAR, PLACE_LOCAL, "a/", "x", NULL},
    {LOCAL "../../etc/passwd", FOREIGN, 0, NULL, NULL, NULL},
    {HOT "a\\b\\x", IRREGULAR, PLACE_HOT, "a/b/", "x", "has a backslash"},
    {HOT "a%5Cb/x", IRREGULAR, PLACE_HOT, "a/b/", "x", NULL},
    {"https:\\\\acct.blob.core.windows.net\\recordings\\a\\x", IRREGULAR, PLACE_HOT, "a/", "x",
     "has a backslash"},
    {"https://acct.blob.core.windows.net//recordings/a/x", IRREGULAR, PLACE_HOT, "a/", "x", NULL},
    /* too shallow */
    {HOT "x", SHALLOW, PLACE_HOT, "", "x", "lies in no directory of the store"},
    {HOT, SHALLOW, PLACE_HOT, "", "", NULL},
    {"https://acct.blob.core.windows.net/recordings", SHALLOW, PLACE_HOT, "", "", NULL},
    {"file:///srv/hot", SHALLOW, PLACE_LOCAL, "", "", NULL},
    /* foreign */
    {"", FOREIGN, 0, NULL, NULL, "is not an absolute URL"},
    {"x", FOREIGN, 0, NULL, NULL, "is not an absolute URL"},
    {"/srv/hot/a/x", FOREIGN, 0, NULL, NULL, "is not an absolute URL"},
    {"acct.blob.core.windows.net/recordings/a/x", FOREIGN, 0, NULL, NULL, NULL},
    {"https://", FOREIGN, 0, NULL, NULL, NULL},
    {"://", FOREIGN, 0, NULL, NULL, NULL},
    {"ftp://acct.blob.core.windows.net/recordings/a/x", FOREIGN, 0, NULL, NULL, NULL},
    {"https://acct.blob.core.windows.net/recordings2/a/x", FOREIGN, 0, NULL, NULL, NULL},
    {"https://acct.blob.core.windows.net/Recordings/a/x", FOREIGN, 0, NULL, NULL, NULL},
    {"https://cold.blob.core.windows.net/archive/deep/", FOREIGN, 0, NULL, NULL, NULL},
    {"https://cold.blob.core.windows.net/archive/deep/erx/y", FOREIGN, 0, NULL, NULL, NULL},
    {"https://xacct.blob.core.windows.net/recordings/a/x", FOREIGN, 0, NULL, NULL, NULL},
    {"https://acct.blob.core.windows.net.evil.example/recordings/a/x", FOREIGN, 0, NULL, NULL,
     NULL},
    {HOT "a/\xff/x", FOREIGN, 0, NULL, NULL, "is not UTF-8"},
    {HOT "a/\xc0\xaf/x", FOREIGN, 0, NULL, NULL, "is not UTF-8"},
    {HOT "a/\xed\xa0\x80", FOREIGN, 0, NULL, NULL, "is not UTF-8"},
    {HOT "a/b\nc", FOREIGN, 0, NULL, NULL, "has control bytes"},
    {HOT "a/b\x7f", FOREIGN, 0, NULL, NULL, "has control bytes"},
    {HOT "a/x\r\nAuthorization: y", FOREIGN, 0, NULL, NULL, "has control bytes"},
};

static int begin(void **state)
{
    struct arena *arena = test_calloc(1, sizeof(*arena));
    arena_init(arena, (size_t)64 << 20);
    *state = arena;
    return 0;
}

static int end(void **state)
{
    arena_free(*state);
    test_free(*state);
    return 0;
}

static void every_spelling_is_classified(void **state)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct spelled *row = &table[i];
        struct location location = {0};
        enum spelling spelling = location_read(&places, row->text, *state, &location);
        const char *oddity = location_oddity(&places, row->text, *state);
        if (spelling != row->spelling)
            fail_msg("%s is %d, not %d", row->text, (int)spelling, (int)row->spelling);
        if (row->oddity != NULL && !str_equal(oddity, row->oddity))
            fail_msg("%s: \"%s\", not \"%s\"", row->text, oddity, row->oddity);
        assert_int_equal(oddity == NULL, spelling == SPELLING_REGULAR);
        if (spelling == SPELLING_FOREIGN)
            continue;
        if (location.place != row->place || !str_equal(location.directory, row->directory) ||
            !str_equal(location.name, row->name))
            fail_msg("%s: place %d, \"%s\" and \"%s\"", row->text, location.place,
                     location.directory, location.name);
    }
}

static void regular_ones_are_made_again_byte_for_byte(void **state)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct spelled *row = &table[i];
        if (row->spelling != SPELLING_REGULAR && row->spelling != SPELLING_IRREGULAR)
            continue;
        const char *made = location_make(&items[row->place], row->directory, row->name, *state);
        assert_int_equal(str_equal(made, row->text), row->spelling == SPELLING_REGULAR);
    }
}

/* Pieces that keys are made of, the troublesome ones first. */
static const char *const pieces[] = {
    "%",    "?",        "#",   "/",   "/",   ".",        "..",
    " ",    "%25",      "%2F", "%3F", "%3f", "%41",      "+",
    "\\",   "//",       "a",   "1",   "10",  "\xc3\xbc", "\xf0\x9f\x8f\x81",
    "&",    "=",        ":",   "@",   "~",   "\xff",     "\n",
    "\x7f", "https://", "25",  "Z"};

static char *random_text(struct rand *rand, struct arena *arena)
{
    char *text = arena_copy(arena, "");
    uint64_t count = rand_below(rand, 12);
    for (uint64_t i = 0; i < count; i++)
        text = str_format(arena, "%s%s", text,
                          pieces[rand_below(rand, sizeof(pieces) / sizeof(pieces[0]))]);
    return text;
}

static bool key_is_plain(const char *key)
{
    return str_is_utf8(key, strlen(key)) && !str_has_control(key, strlen(key)) &&
           strchr(key, '\\') == NULL && strstr(key, "//") == NULL && key[0] != '/';
}

/* Whatever its key, what location_make gives is read as that key, or is not REGULAR. */
static void keys_survive_the_way_there_and_back(void **state)
{
    struct arena *arena = *state;
    struct rand rand;
    rand_init(&rand, 7);
    unsigned regular = 0, plain = 0;
    for (unsigned i = 0; i < 20000; i++) {
        arena_reset(arena);
        const char *key = random_text(&rand, arena);
        const struct place *place = &items[rand_below(&rand, places.count)];
        const char *slash = strrchr(key, '/');
        size_t directory_bytes = slash == NULL ? 0 : (size_t)(slash - key) + 1;
        const char *directory = str_copy(arena, key, directory_bytes);
        const char *text = location_make(place, directory, key + directory_bytes, arena);

        struct location location;
        enum spelling spelling = location_read(&places, text, arena, &location);
        plain += key_is_plain(key);
        if (spelling != SPELLING_REGULAR)
            continue;
        regular++;
        assert_true(key_is_plain(key));
        assert_string_equal(location.directory, directory);
        assert_string_equal(location.name, key + directory_bytes);
        assert_ptr_equal(&items[location.place], place);
    }
    assert_in_range(regular, 1000, plain);
}

/* Hence no two texts are REGULAR with the same place and key: each is what its key makes. */
static void a_regular_text_is_the_one_its_key_makes(void **state)
{
    struct arena *arena = *state;
    struct rand rand;
    rand_init(&rand, 11);
    unsigned regular = 0;
    for (unsigned i = 0; i < 20000; i++) {
        arena_reset(arena);
        const char *text = str_format(arena, "%s%s", items[rand_below(&rand, places.count)].base,
                                      random_text(&rand, arena));
        struct location location;
        if (location_read(&places, text, arena, &location) != SPELLING_REGULAR)
            continue;
        regular++;
        assert_string_equal(
            location_make(&items[location.place], location.directory, location.name, arena), text);
    }
    assert_in_range(regular, 300, 20000);
}

static void hostile_bytes_are_survived(void **state)
{
    struct arena *arena = *state;
    struct rand rand;
    rand_init(&rand, 13);
    for (unsigned i = 0; i < 40000; i++) {
        arena_reset(arena);
        char *text = str_format(arena, "%s%s", i % 3 == 0 ? "" : items[i % places.count].base,
                                random_text(&rand, arena));
        size_t size_bytes = strlen(text);
        for (unsigned k = 0; size_bytes > 0 && k < 1 + i % 4; k++)
            text[rand_below(&rand, size_bytes)] = (char)(1 + rand_below(&rand, 255));

        struct location location = {0};
        enum spelling spelling = location_read(&places, text, arena, &location);
        const char *oddity = location_oddity(&places, text, arena);
        assert_int_equal(oddity == NULL, spelling == SPELLING_REGULAR);
        if (spelling == SPELLING_FOREIGN)
            continue;
        assert_in_range(location.place, 0, places.count - 1);
        assert_int_equal(location.directory[0] == '\0', spelling == SPELLING_SHALLOW);
        assert_true(location.directory[0] == '\0' || str_ends(location.directory, "/"));
        assert_null(strchr(location.name, '/'));
        assert_true(str_is_utf8(location.directory, strlen(location.directory)));
        assert_false(str_has_control(location.directory, strlen(location.directory)));
        assert_true(str_is_utf8(location.name, strlen(location.name)));
    }
}

static void what_is_too_long_is_foreign(void **state)
{
    struct arena *arena = *state;
    char *tail = arena_make(arena, LOCATION_BYTES_MAX + 2);
    memset(tail, 'x', LOCATION_BYTES_MAX + 1);
    struct location location;
    const char *regular = str_format(arena, "%sa/%s", HOT, tail);
    assert_int_equal(location_read(&places, regular, arena, &location), SPELLING_FOREIGN);
    assert_string_equal(location_oddity(&places, regular, arena), "is too long");
    const char *query = str_format(arena, "%sa/x?%s", HOT, tail);
    assert_int_equal(location_read(&places, query, arena, &location), SPELLING_FOREIGN);
}

static void assert_spellings(const struct place *place, const char *directory,
                             const char *const *expected, struct arena *arena)
{
    size_t count;
    const char **spellings = location_spellings(place, directory, arena, &count);
    for (size_t i = 0; i < count; i++)
        if (!str_equal(spellings[i], expected[i]))
            fail_msg("%s, not %s", spellings[i], expected[i]);
    assert_null(expected[count]);
}

static void others_may_spell_a_directory_in_known_ways(void **state)
{
    static const struct place acct = {"hot", "https://acct.example/r/", hot_aliases + 1, 1};
    assert_spellings(
        &acct, "a/d=1/100%/",
        (const char *const[]){
            "https://acct.example/r/a/d=1/100%25/", "https://acct.example/r/a/d=1/100%25",
            "http://acct.example/r/a/d=1/100%25/", "http://acct.example/r/a/d=1/100%25",
            "https://acct.example/r/a/d%3D1/100%25/", "https://acct.example/r/a/d%3D1/100%25",
            "http://acct.example/r/a/d%3D1/100%25/", "http://acct.example/r/a/d%3D1/100%25",
            "https://cdn.example.com/a/d=1/100%25/", "https://cdn.example.com/a/d=1/100%25",
            "http://cdn.example.com/a/d=1/100%25/", "http://cdn.example.com/a/d=1/100%25",
            "https://cdn.example.com/a/d%3D1/100%25/", "https://cdn.example.com/a/d%3D1/100%25",
            "http://cdn.example.com/a/d%3D1/100%25/", "http://cdn.example.com/a/d%3D1/100%25",
            NULL},
        *state);
    assert_spellings(&items[PLACE_RIG], "a b/",
                     (const char *const[]){
                         RIG "a b/", RIG "a b", "https://127.0.0.1:10000/devstoreaccount1/box/a b/",
                         "https://127.0.0.1:10000/devstoreaccount1/box/a b", RIG "a%20b/",
                         RIG "a%20b", "https://127.0.0.1:10000/devstoreaccount1/box/a%20b/",
                         "https://127.0.0.1:10000/devstoreaccount1/box/a%20b", NULL},
                     *state);
    static const struct place local = {"local", LOCAL, NULL, 0};
    assert_spellings(&local, "a/1/",
                     (const char *const[]){LOCAL "a/1/", LOCAL "a/1", "file:/srv/hot/a/1/",
                                           "file:/srv/hot/a/1", NULL},
                     *state);
}

/* Each of them, with a name behind it, is read as the directory that it was made of. */
static void each_spelling_means_its_directory(void **state)
{
    struct arena *arena = *state;
    struct rand rand;
    rand_init(&rand, 17);
    unsigned read = 0;
    for (unsigned i = 0; i < 20000; i++) {
        arena_reset(arena);
        const struct place *place = &items[rand_below(&rand, places.count)];
        const char *directory = str_format(arena, "%s/", random_text(&rand, arena));
        const char *canonical = location_make(place, directory, "", arena);
        struct location location;
        if (location_read(&places, canonical, arena, &location) != SPELLING_REGULAR)
            continue;
        size_t count;
        const char **spellings = location_spellings(place, directory, arena, &count);
        assert_string_equal(spellings[0], canonical);
        for (size_t k = 0; k < count; k++) {
            const char *slash = str_ends(spellings[k], "/") ? "" : "/";
            const char *text = str_format(arena, "%s%sx", spellings[k], slash);
            assert_in_range(location_read(&places, text, arena, &location), SPELLING_REGULAR,
                            SPELLING_IRREGULAR);
            assert_ptr_equal(&items[location.place], place);
            assert_string_equal(location.directory, directory);
            read++;
        }
    }
    assert_in_range(read, 10000, 1000000);
}

/* The object is what it is, with whatever a service is told behind its name. */
static void others_may_spell_an_object_in_known_ways(void **state)
{
    static const struct place acct = {"hot", "https://acct.example/r/", NULL, 0};
    assert_spellings(&acct, "a/d=1?",
                     (const char *const[]){
                         "https://acct.example/r/a/d=1%3F", "https://acct.example/r/a/d=1%3F?",
                         "https://acct.example/r/a/d=1%3F#", "http://acct.example/r/a/d=1%3F",
                         "http://acct.example/r/a/d=1%3F?", "http://acct.example/r/a/d=1%3F#",
                         "https://acct.example/r/a/d%3D1%3F", "https://acct.example/r/a/d%3D1%3F?",
                         "https://acct.example/r/a/d%3D1%3F#", "http://acct.example/r/a/d%3D1%3F",
                         "http://acct.example/r/a/d%3D1%3F?", "http://acct.example/r/a/d%3D1%3F#",
                         NULL},
                     *state);
    static const struct place local = {"local", LOCAL, NULL, 0};
    assert_spellings(&local, "b",
                     (const char *const[]){LOCAL "b", LOCAL "b?", LOCAL "b#", "file:/srv/hot/b",
                                           "file:/srv/hot/b?", "file:/srv/hot/b#", NULL},
                     *state);
}

static void a_row_may_stand_for_its_object(void **state)
{
    static const struct places by_object = {
        .items = items, .count = sizeof(items) / sizeof(items[0]), .by_object = true};
    static const struct {
        const char *text;
        enum spelling spelling;
        const char *unit, *of_directory;
    } rows[] = {
        {HOT "a/x.meas", REGULAR, "a/x.meas", "a/"},
        {HOT "x.meas", REGULAR, "x.meas", ""},
        {HOT "a/", REGULAR, "a/", "a/"},
        {HOT "a/100%25%3F", REGULAR, "a/100%?", "a/"},
        {HOT "a/x.meas?sig=1", IRREGULAR, "a/x.meas", "a/"},
        {HOT "x.meas#t", IRREGULAR, "x.meas", ""},
        {HOT "a//x.meas", IRREGULAR, "a/x.meas", "a/"},
        {HOT "a/x%01y", IRREGULAR, "a/", "a/"}, /* no name that can be shown */
        {HOT, SHALLOW, "", ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct location location;
        if (location_read(&by_object, rows[i].text, *state, &location) != rows[i].spelling)
            fail_msg("%s", rows[i].text);
        assert_string_equal(location.unit, rows[i].unit);
        assert_int_equal(location_read(&places, rows[i].text, *state, &location),
                         rows[i].of_directory[0] == '\0' ? SHALLOW : rows[i].spelling);
        assert_string_equal(location.unit, rows[i].of_directory);
    }
    assert_string_equal(location_oddity(&by_object, HOT, *state),
                        "names the store, and no object of it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spelling_is_classified),
        cmocka_unit_test(regular_ones_are_made_again_byte_for_byte),
        cmocka_unit_test(keys_survive_the_way_there_and_back),
        cmocka_unit_test(a_regular_text_is_the_one_its_key_makes),
        cmocka_unit_test(hostile_bytes_are_survived),
        cmocka_unit_test(what_is_too_long_is_foreign),
        cmocka_unit_test(others_may_spell_a_directory_in_known_ways),
        cmocka_unit_test(others_may_spell_an_object_in_known_ways),
        cmocka_unit_test(each_spelling_means_its_directory),
        cmocka_unit_test(a_row_may_stand_for_its_object),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
