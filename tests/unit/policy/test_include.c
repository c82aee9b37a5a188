/* Several files that are one policy: what is put together, what is refused, and that a file which
 * could not be read is the only finding.                                                         */
#include <sys/stat.h>

#include "policy/diag_codes.h"
#include "policy/extra.h"
#include "tests/support/scratch.h"
#include "tests/unit/policy/rows.h"

#define CATALOG                                                                                    \
    "catalog: {type: sqlite, path: /srv/c.db, table: t, id: i, location: l,\n"                     \
    "  time: {column: t, timezone: UTC}, fields: {map: map}}\n"
#define STORES                                                                                     \
    "stores:\n"                                                                                    \
    "  hot: {type: local, path: /srv/hot}\n"                                                       \
    "  cold: {type: local, path: /srv/cold}\n"
#define POLICY(name) "  - {name: " name ", target: cold, select: {ids: [x]}}\n"

static const char *shown(const struct fixture *fixture)
{
    return buf_string(&fixture->out);
}

/* ---- what is put together ---- */

static void parts_stand_in_the_order_of_the_files(void **state)
{
    (void)state;
    static const struct fixture_file files[] = {
        {.path = "etc/teams/b.yaml",
         .text = "version: 1\n" STORES "vars: {age: 9d}\n"
                 "holds:\n  - {name: h2, select: {ids: [y]}}\n"
                 "policies:\n" POLICY("b1") POLICY("b2")},
        {.path = "etc/a.yaml",
         .text = "policies:\n" POLICY(
             "a1") "vars: {to: warm}\n" CATALOG
                   "timezone: Europe/Berlin\ndefaults: {cleanup: {after: 3d}}\n"
                   "stores: {warm: {type: local, path: /srv/warm}}\n"
                   "holds:\n  - {name: h3, select: {ids: [z]}}\n"},
        {0}};
    static const struct policy_var vars[] = {{"age", "5d"}};
    struct fixture fixture = {.path = "etc/p.yaml", .files = files, .vars = vars, .var_count = 1};
    fixture_load(&fixture, "version: 1\n"
                           "include: [teams/b.yaml, a.yaml]\n"
                           "policies:\n"
                           "  - {name: r1, target: $to, select: {older_than: $age, map: x}}\n"
                           "holds:\n  - {name: h1, select: {store: warm}}\n");
    assert_loaded(&fixture);
    const struct policies *policies = fixture.policies;
    static const char *const names[] = {"r1", "b1", "b2", "a1"};
    static const char *const at[] = {"p.yaml:4:5", "teams/b.yaml:9:5", "teams/b.yaml:10:5",
                                     "a.yaml:2:5"};
    static const char *const holds[] = {"h1", "h2", "h3"};
    assert_int_equal(policies->count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(policies->items[i].name, names[i]);
        assert_string_equal(policies->items[i].at, at[i]);
        assert_int_equal(policies->items[i].terms.grace_us, 3 * WHEN_DAY_US);
    }
    assert_int_equal(policies->hold_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(policies->holds[i].name, holds[i]);
    assert_int_equal(policies->store_count, 3);
    assert_string_equal(policies->stores[policies->items[0].target].name, "warm");
    assert_string_equal(policies->zone_name, "Europe/Berlin");
    assert_int_equal(policies->var_count, 2);
    assert_string_equal(policies->vars[0].value, "5d");
    assert_int_equal(policies->extra->file_count, 3);
    fixture_free(&fixture);
}

static void missing_ids_name_their_file(void **state)
{
    (void)state;
    static const struct fixture_file files[] = {
        {.path = "etc/teams/a.yaml",
         .text = "policies:\n  - {name: a, target: cold, select: {ids_file: lists/a.txt}}\n" POLICY(
             "b")},
        {.path = "etc/teams/lists/a.txt", .text = "# none\nMISSING\n"},
        {0}};
    struct fixture fixture = {.path = "etc/p.yaml", .files = files};
    fixture_load(&fixture, "version: 1\ninclude: [teams/a.yaml]\n" CATALOG STORES);
    assert_loaded(&fixture);
    const struct ids *ids = &fixture.policies->extra->ids;
    assert_int_equal(ids->count, 2);
    assert_string_equal(extra_where(fixture.policies, ids->items[0].span, &fixture.arena),
                        "teams/lists/a.txt:2:1");
    assert_string_equal(extra_where(fixture.policies, ids->items[1].span, &fixture.arena),
                        "teams/a.yaml:3:44");
    fixture_free(&fixture);
}

static void digest_of(const char *path, const char *included, char digest[80])
{
    const struct fixture_file files[] = {{.path = path, .text = included}, {0}};
    struct fixture fixture = {.path = "etc/p.yaml", .files = files};
    char text[512];
    snprintf(text, sizeof text, "version: 1\ninclude: [%s]\n" CATALOG STORES, path + 4);
    fixture_load(&fixture, text);
    assert_loaded(&fixture);
    strcpy(digest, fixture.policies->digest);
    fixture_free(&fixture);
}

static void the_digest_covers_included_files(void **state)
{
    (void)state;
    char one[80], again[80], other[80];
    digest_of("etc/a.yaml", "policies:\n" POLICY("a"), one);
    digest_of("etc/a.yaml", "policies:\n" POLICY("a"), again);
    digest_of("etc/a.yaml", "policies:\n" POLICY("a") "# why\n", other);
    assert_string_equal(one, again);
    assert_string_not_equal(one, other);
}

/* As it is for one file: 60,000 pieces twice are fine. */
static void the_limit_of_pieces_is_each_files_own(void **state)
{
    (void)state;
    struct buf text[2];
    for (int k = 0; k < 2; k++) {
        buf_init(&text[k], FIXTURE_OUT_BYTES);
        buf_format(&text[k], "policies:\n  - {name: p%d, target: cold, select: {ids: [", k);
        for (int i = 0; i < 60000; i++)
            buf_text(&text[k], "x,");
        buf_text(&text[k], "]}}\n");
    }
    const struct fixture_file files[] = {{.path = "a.yaml", .text = buf_string(&text[0])},
                                         {.path = "b.yaml", .text = buf_string(&text[1])},
                                         {0}};
    struct fixture fixture = {.files = files};
    fixture_load(&fixture, "version: 1\ninclude: [a.yaml, b.yaml]\n" CATALOG STORES);
    assert_loaded(&fixture);
    assert_int_equal(fixture.policies->count, 2);
    fixture_free(&fixture);
    buf_free(&text[0]);
    buf_free(&text[1]);
}

/* ---- a request ---- */

#define OWN "version: 1\n" CATALOG STORES "vars: {age: 9d}\npolicies:\n" POLICY("own")
#define ASKED(name) "{\"name\":\"" name "\",\"target\":\"hot\",\"select\":{\"ids\":[\"x\"]}}"

static void a_request_has_the_policies_of_a_set(void **state)
{
    (void)state;
    struct fixture fixture = {.request = "{\"policies\":[" ASKED("back") "]}"};
    fixture_load(&fixture, OWN "holds:\n  - {name: h, select: {ids: [y]}}\n");
    assert_loaded(&fixture);
    assert_int_equal(fixture.policies->count, 1);
    assert_string_equal(fixture.policies->items[0].name, "back");
    assert_string_equal(fixture.policies->items[0].at, "(request):1:14");
    assert_int_equal(fixture.policies->hold_count, 1);
    fixture_free(&fixture);
}

/* Whoever reviews a plan reads its lines: nothing else may come with it. */
static void a_request_is_policies_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        int code;
    } table[] = {
        {"", DIAG_EMPTY_FILE},
        {"null", DIAG_SHAPE},
        {"[" ASKED("back") "]", DIAG_SHAPE},
        {"{}", DIAG_EMPTY},
        {"{\"policies\":[]}", DIAG_EMPTY},
        {"{\"policies\":{}}", DIAG_SHAPE},
        {"{\"holds\":[{\"name\":\"h\",\"select\":{\"ids\":[\"y\"]}}]}", DIAG_UNKNOWN_KEY},
        {"{\"policies\":[" ASKED("back") "],\"version\":1}", DIAG_UNKNOWN_KEY},
        {"{\"policies\":[" ASKED("back") "],\"include\":[\"a.yaml\"]}", DIAG_UNKNOWN_KEY},
        {"{\"policies\":[" ASKED("back") "],\"vars\":{\"age\":\"1d\"}}", DIAG_UNKNOWN_KEY},
        {"{\"policies\":[" ASKED("back") "],\"defaults\":{}}", DIAG_UNKNOWN_KEY},
        {"{\"policies\":[" ASKED("back") "],\"holds\":[]}", DIAG_UNKNOWN_KEY},
        {"{\"policies\":[" ASKED("back") "],\"tests\":[]}", DIAG_UNKNOWN_KEY},
        {"{\"policies\":[" ASKED("back") "],\"policies\":[" ASKED("again") "]}",
         DIAG_DUPLICATE_KEY},
        {"{\"policies\":[" ASKED("back") "," ASKED("own") "]}", DIAG_SAME_NAME},
        {"{\"policies\":[{name: back, target: hot, select: {older_than: $age}}]}", DIAG_DURATION},
        {"{\"words\":\"all\"}", DIAG_MISSING_KEY},
        {"{\"select\":{}}", DIAG_EMPTY_SELECTION},
        {"{\"select\":{\"policy\":\"owl\"}}", DIAG_UNKNOWN_POLICY},
        {"{\"select\":{\"store\":\"cool\"}}", DIAG_UNKNOWN_STORE},
        {"{\"policies\":[{name: back, target: hot, select: {policy: own}}]}", DIAG_UNKNOWN_KEY},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct fixture fixture = {.request = table[i].request};
        fixture_load(&fixture, OWN);
        if (fixture.policies != NULL || fixture.diags.count == 0 ||
            fixture.diags.items[0].code != table[i].code)
            fail_msg("%s:\n%s", table[i].request, shown(&fixture));
        fixture_free(&fixture);
    }
}

/* A name that a var gives is taken as well. */
static void no_request_has_the_name_of_a_policy(void **state)
{
    (void)state;
    struct fixture fixture = {.request = "{\"policies\":[" ASKED("9d") "]}"};
    fixture_load(&fixture, OWN "  - {name: $age, target: cold, select: {ids: [x]}}\n");
    assert_codes(&fixture, DIAG_SAME_NAME);
    assert_non_null(strstr(shown(&fixture), "p.yaml:10:12"));
    fixture_free(&fixture);
}

/* It is one file more than a set may have, and its own files are beyond. */
static void a_request_comes_on_top_of_the_most_files(void **state)
{
    (void)state;
    enum { INCLUDED = LOAD_FILES_MAX - 1 };
    static struct fixture_file files[INCLUDED + 1];
    static char paths[INCLUDED][32];
    struct buf text;
    buf_init(&text, FIXTURE_OUT_BYTES);
    buf_text(&text, OWN "include:\n");
    for (int i = 0; i < INCLUDED; i++) {
        snprintf(paths[i], sizeof paths[i], "%d.yaml", i);
        files[i] = (struct fixture_file){.path = paths[i], .text = "version: 1\n"};
        buf_format(&text, "  - %s\n", paths[i]);
    }
    struct fixture fixture = {.files = files, .request = "{\"policies\":[" ASKED("back") "]}"};
    fixture_load(&fixture, buf_string(&text));
    assert_loaded(&fixture);
    assert_int_equal(fixture.policies->extra->file_count, LOAD_FILES_MAX + 1);
    fixture_free(&fixture);

    fixture = (struct fixture){.files = files,
                               .ids = "x\n",
                               .request = "{\"policies\":[{\"name\":\"back\",\"target\":\"hot\","
                                          "\"select\":{\"ids_file\":\"ids.txt\"}}]}"};
    fixture_load(&fixture, buf_string(&text));
    assert_codes(&fixture, DIAG_TOO_MANY);
    fixture_free(&fixture);
    buf_free(&text);
}

/* ---- what may be said once ---- */

static void what_is_said_twice_is_told_with_both_places(void **state)
{
    (void)state;
    static const struct {
        const char *included;
        const char *second; /* where the root says it */
    } table[] = {
        {"vars: {old: 1d, age: 2d}\n", "p.yaml:4:8"},
        {"stores: {cold: {type: local, path: /srv/x}}\n", "p.yaml:9:3"},
        {"timezone: UTC\n", "p.yaml:3:1"},
        {"defaults: {verify: size}\n", "p.yaml:10:1"},
        {"catalog: {type: sqlite, path: c, table: t, id: i, location: l}\n", "p.yaml:5:1"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct fixture_file files[] = {{.path = "a.yaml", .text = table[i].included}, {0}};
        struct fixture fixture = {.files = files};
        char second[64];
        fixture_load(&fixture, "version: 1\ninclude: [a.yaml]\ntimezone: UTC\n"
                               "vars: {age: 1d}\n" CATALOG STORES "defaults: {verify: size}\n"
                               "policies:\n" POLICY("a"));
        assert_codes(&fixture, DIAG_DUPLICATE_KEY);
        assert_non_null(strstr(shown(&fixture), "--> a.yaml:1:"));
        snprintf(second, sizeof second, "::: %s\n", table[i].second);
        assert_non_null(strstr(shown(&fixture), second));
        assert_non_null(strstr(shown(&fixture), "first defined here"));
        fixture_free(&fixture);
    }
}

static void names_are_unique_in_all_files(void **state)
{
    (void)state;
    static const struct fixture_file files[] = {
        {.path = "a.yaml", .text = "policies:\n" POLICY("same")},
        {.path = "b.yaml", .text = "policies:\n" POLICY("same")},
        {0}};
    struct fixture fixture = {.files = files};
    fixture_load(&fixture, "version: 1\ninclude: [a.yaml, b.yaml]\n" CATALOG STORES);
    assert_codes(&fixture, DIAG_SAME_NAME);
    assert_non_null(strstr(shown(&fixture), "--> b.yaml:2:12"));
    assert_non_null(strstr(shown(&fixture), "::: a.yaml:2:12"));
    fixture_free(&fixture);
}

static void a_file_is_included_once(void **state)
{
    (void)state;
    static const struct fixture_file files[] = {
        {.path = "a.yaml", .text = "policies:\n" POLICY("a")}, {0}};
    struct fixture fixture = {.files = files};
    fixture_load(&fixture, "version: 1\ninclude: [a.yaml, p.yaml, a.yaml]\n" CATALOG STORES);
    assert_codes(&fixture, DIAG_INCLUDE_TWICE, DIAG_INCLUDE_TWICE);
    assert_non_null(strstr(shown(&fixture), "`p.yaml` is the root policy itself"));
    assert_non_null(strstr(shown(&fixture), "`a.yaml` is included twice"));
    assert_non_null(strstr(shown(&fixture), "first listed here"));
    fixture_free(&fixture);
}

static void required_keys_are_required_of_the_whole(void **state)
{
    (void)state;
    static const struct fixture_file files[] = {{.path = "a.yaml", .text = "version: 1\n" STORES},
                                                {0}};
    struct fixture fixture = {.files = files};
    fixture_load(&fixture, "include: [a.yaml]\nvars: {a: b}\n");
    assert_codes(&fixture, DIAG_MISSING_KEY, DIAG_MISSING_KEY, DIAG_MISSING_KEY);
    assert_non_null(strstr(shown(&fixture), "needs `version`")); /* the root's own */
    assert_non_null(strstr(shown(&fixture), "needs `catalog`"));
    assert_non_null(strstr(shown(&fixture), "needs `policies`"));
    fixture_free(&fixture);
}

/* ---- one finding for one mistake ---- */

/* A root that uses what only the included file could declare. */
#define USER(include)                                                                              \
    "version: 1\n" include "\nstores: {hot: {type: local, path: /srv/hot}}\nvars: {age: 1d}\n"     \
    "holds:\n  - {name: h, select: {newer_than: $young, store: elsewhere, valid: true}}\n"

static void load_user(struct fixture *fixture, const char *include, const char *included)
{
    static const struct policy_var vars[] = {{"young", "1d"}};
    const struct fixture_file files[] = {{.path = "a.yaml", .text = included}, {0}};
    char text[1024];
    fixture->files = files;
    fixture->vars = vars;
    fixture->var_count = 1;
    snprintf(text, sizeof text, USER("%s"), include);
    fixture_load(fixture, text);
}

static void what_an_unread_file_declares_is_not_missed(void **state)
{
    (void)state;
    static const struct {
        const char *include, *included;
        int code;
    } table[] = {
        {"include: [a.yaml]", NULL, DIAG_INCLUDE}, /* may not be read */
        {"include: [b.yaml]", "", DIAG_INCLUDE},   /* is not there */
        {"include: [a.yaml]", "stores: {hot: [\n", DIAG_SYNTAX},
        {"include: [a.yaml]", "\tstores:\n", DIAG_TAB},
        {"include: [a.yaml]", "# nothing\n", DIAG_EMPTY_FILE},
        {"include: [a.yaml]", "- stores\n", DIAG_SHAPE},
        {"include: [a.yaml]", "version: 2\nstores: {x: y}\n", DIAG_VERSION},
        {"include: [a.yaml]", "include: [more.yaml]\n", DIAG_INCLUDE_NESTED},
        {"include: a.yaml", "", DIAG_SHAPE},
        {"include: []", "", DIAG_EMPTY},
        {"include: [[a.yaml]]", "", DIAG_SHAPE},
        {"include: ['${DIR}/a.yaml']", "", DIAG_ENV_PLACE},
        {"include: [$young]", "", DIAG_INCLUDE},
        {"inclde: [a.yaml]", "", DIAG_UNKNOWN_KEY},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct fixture fixture = {0};
        load_user(&fixture, table[i].include, table[i].included);
        assert_codes(&fixture, table[i].code);
        fixture_free(&fixture);
    }
}

/* But the root's own version is. */
static void a_version_is_missed_whatever_else_is_read(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    fixture_load(&fixture, "include: [none.yaml]\npolicies:\n" POLICY("a"));
    assert_codes(&fixture, DIAG_MISSING_KEY, DIAG_INCLUDE);
    fixture_free(&fixture);
}

/* One part of it is misread; that `valid` is no field is told where the fields are known. */
static void what_a_misread_part_declares_is_not_missed(void **state)
{
    (void)state;
    static const char stores[] = "stores: {elsewhere: {type: local, path: /a}}\n";
    static const char vars[] = "vars: {young: 2d}\n";
    static const struct {
        const char *parts[3];
        int code;
        bool fields_known;
    } table[] = {
        {{"stores: [elsewhere]\n", vars, CATALOG}, DIAG_SHAPE, true},
        {{"stors: {elsewhere: {type: local, path: /a}}\n", vars, CATALOG}, DIAG_UNKNOWN_KEY, true},
        {{"vars: 2d\n", stores, CATALOG}, DIAG_SHAPE, true},
        {{"vras: {young: 2d}\n", stores, CATALOG}, DIAG_UNKNOWN_KEY, true},
        {{"catalog: [x]\n", stores, vars}, DIAG_SHAPE, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct fixture fixture = {0};
        char included[512];
        snprintf(included, sizeof included,
                 "%s%s%spolicies:\n  - {name: a, target: hot, select: {older_than: $age}}\n",
                 table[i].parts[0], table[i].parts[1], table[i].parts[2]);
        load_user(&fixture, "include: [a.yaml]", included);
        if (table[i].fields_known)
            assert_codes(&fixture, DIAG_UNKNOWN_KEY, table[i].code);
        else
            assert_codes(&fixture, table[i].code);
        fixture_free(&fixture);
    }
}

/* Nor does a misread part of the root, or of one file, hide what stands in the others'. */
static void a_misread_part_hides_no_other(void **state)
{
    (void)state;
    static const struct fixture_file files[] = {
        {.path = "a.yaml", .text = "vars: {1x: y}\npolicies: []\nholds: []\n"},
        {.path = "b.yaml", .text = "policies:\n" POLICY("n n") "holds:\n  - {name: h h}\n"},
        {.path = "c.yaml", .text = "stores: {hot: {type: local, path: /srv/hot}}\n"},
        {.path = "d.yaml", .text = "stores: {hot: {type: local, path: /srv/warm}}\n"},
        {0}};
    struct fixture fixture = {.files = files};
    fixture_load(&fixture, "version: 1\ninclude: [a.yaml, b.yaml, c.yaml, d.yaml]\n" CATALOG
                           "vars: 2d\npolicies: none\nstores: [hot]\n");
    assert_codes(&fixture, DIAG_SHAPE, DIAG_SHAPE, DIAG_SHAPE, /* the root's */
                 DIAG_VAR, DIAG_EMPTY, DIAG_EMPTY,             /* a's */
                 DIAG_NAME, DIAG_MISSING_KEY, DIAG_NAME,       /* b's */
                 DIAG_DUPLICATE_KEY);
    fixture_free(&fixture);
}

/* What is known stays known: a part that can't be read hides no other slip. */
static void findings_of_all_files_come_together(void **state)
{
    (void)state;
    static const struct fixture_file files[] = {
        {.path = "a.yaml", .text = "policies:\n  - {name: a, target: clod, select: {ids: [x]}}\n"},
        {.path = "b.yaml", .text = "holds: [}\n"},
        {.path = "c.yaml", .text = "vars: {x: [1]}\nstore: {}\n"},
        {.path = "d.yaml", .text = "policies: none\n"},
        {0}};
    struct fixture fixture = {.files = files};
    fixture_load(&fixture, "version: 1\ninclude: [a.yaml, c.yaml, d.yaml]\n" CATALOG
                           "stores: {cold: {type: local, path: /srv/cold, pth: x}}\n"
                           "policies:\n  - {name: r, target: cold, select: {older_than: 9}}\n");
    /* The root's, then `clod`, which only a misspelled `store` might have declared. */
    assert_codes(&fixture, DIAG_UNKNOWN_KEY, DIAG_DURATION, DIAG_SHAPE, DIAG_UNKNOWN_KEY,
                 DIAG_SHAPE);
    fixture_free(&fixture);

    fixture = (struct fixture){.files = files};
    fixture_load(&fixture, "version: 1\ninclude: [a.yaml, b.yaml, d.yaml]\n" CATALOG STORES
                           "policies:\n  - {name: r, target: cold, select: {older_than: 9}}\n");
    assert_codes(&fixture, DIAG_DURATION, DIAG_SYNTAX, DIAG_SHAPE);
    fixture_free(&fixture);

    fixture = (struct fixture){.files = files};
    fixture_load(&fixture, "version: 1\ninclude: [a.yaml, d.yaml]\n" CATALOG STORES
                           "policies:\n  - {name: r, target: cold, select: {older_than: 9}}\n");
    assert_codes(&fixture, DIAG_DURATION, DIAG_UNKNOWN_STORE, DIAG_SHAPE);
    fixture_free(&fixture);
}

/* ---- limits ---- */

/* A root that includes `count` files of the same text. */
struct many {
    struct fixture_file files[LOAD_FILES_MAX + 1];
    char paths[LOAD_FILES_MAX][32];
    struct buf root;
};

static void many_make(struct many *many, const char *select, int count, const char *text)
{
    *many = (struct many){0};
    buf_init(&many->root, FIXTURE_OUT_BYTES);
    buf_format(&many->root,
               "version: 1\n" CATALOG STORES
               "policies:\n  - {name: a, target: cold, select: {%s}}\ninclude:\n",
               select);
    for (int i = 0; i < count; i++) {
        snprintf(many->paths[i], sizeof many->paths[i], "%d.yaml", i);
        many->files[i] = (struct fixture_file){.path = many->paths[i], .text = text};
        buf_format(&many->root, "  - %s\n", many->paths[i]);
    }
}

static void there_is_a_largest_number_of_files(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        struct many many;
        many_make(&many, "ids: [x]", LOAD_FILES_MAX - 1 + more, "version: 1\n");
        struct fixture fixture = {.files = many.files};
        fixture_load(&fixture, buf_string(&many.root));
        if (more == 0)
            assert_loaded(&fixture);
        else
            assert_codes(&fixture, DIAG_TOO_MANY);
        assert_int_equal(fixture.reads, more == 0 ? LOAD_FILES_MAX - 1 : 0);
        fixture_free(&fixture);
        buf_free(&many.root);
    }
}

/* A list of ids is one of the files as well. */
static void ids_files_count_with_them(void **state)
{
    (void)state;
    struct many many;
    many_make(&many, "ids_file: ids.txt", LOAD_FILES_MAX - 1, "version: 1\n");
    struct fixture fixture = {.files = many.files, .ids = "A\n"};
    fixture_load(&fixture, buf_string(&many.root));
    assert_codes(&fixture, DIAG_TOO_MANY);
    fixture_free(&fixture);
    buf_free(&many.root);
}

/* Files that are fine one by one and too much together are refused, not run out of memory with. */
static void many_large_files_are_one_finding(void **state)
{
    (void)state;
    struct buf text;
    struct many many;
    buf_init(&text, FIXTURE_OUT_BYTES);
    buf_text(&text, "holds: [");
    for (int i = 0; i < 90000; i++)
        buf_text(&text, "x,");
    buf_text(&text, "]\n");
    many_make(&many, "ids: [x]", 100, buf_string(&text));
    struct fixture fixture = {.files = many.files};
    fixture_load(&fixture, buf_string(&many.root));
    assert_null(fixture.policies);
    const char *found = strstr(shown(&fixture), "[FL0110]: the included files are too large");
    assert_non_null(found);
    assert_null(strstr(found + 1, "[FL0110]"));
    fixture_free(&fixture);
    buf_free(&many.root);
    buf_free(&text);
}

static void a_file_has_a_largest_size(void **state)
{
    (void)state;
    static char text[POLICY_FILE_BYTES_MAX + 1];
    static const char begin[] = "policies:\n" POLICY("a") "#";
    memset(text, 'x', sizeof text);
    memcpy(text, begin, sizeof begin - 1);
    for (size_t more = 0; more < 2; more++) {
        const struct fixture_file files[] = {
            {.path = "a.yaml", .text = text, .size_bytes = POLICY_FILE_BYTES_MAX + more}, {0}};
        struct fixture fixture = {.files = files};
        fixture_load(&fixture, "version: 1\ninclude: [a.yaml]\n" CATALOG STORES);
        if (more == 0)
            assert_loaded(&fixture);
        else
            assert_codes(&fixture, DIAG_INCLUDE);
        fixture_free(&fixture);
    }
}

/* ---- on a disk ---- */

struct disk {
    char folder[64];
    struct arena arena;
    struct diags diags;
    struct policies *policies;
    struct buf out;
};

static void disk_write(const struct disk *disk, const char *path, const char *text)
{
    char whole[128];
    snprintf(whole, sizeof whole, "%s/%s", disk->folder, path);
    FILE *file = fopen(whole, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void disk_load(struct disk *disk, const char *path)
{
    struct policy_source source = {.path = path, .env = fixture_env};
    struct err err;
    arena_init(&disk->arena, FIXTURE_ARENA_BYTES);
    diag_init(&disk->diags, &disk->arena);
    buf_init(&disk->out, FIXTURE_OUT_BYTES);
    if (!policy_load(&source, &disk->arena, &disk->diags, &disk->policies, &err))
        fail_msg("%s", err.text);
    diag_render(&disk->diags, &disk->out);
}

static void disk_unload(struct disk *disk)
{
    policy_free(disk->policies);
    buf_free(&disk->out);
    arena_free(&disk->arena);
}

static int disk_make(void **state)
{
    static struct disk disk;
    scratch_folder(disk.folder, sizeof disk.folder);
    char path[128];
    snprintf(path, sizeof path, "%s/teams", disk.folder);
    assert_int_equal(mkdir(path, 0700), 0);
    disk_write(&disk, "p.yaml",
               "version: 1\ninclude: [teams/a.yaml]\n"
               "stores: {cold: {type: local, path: cold}}\n"
               "policies:\n  - {name: r, target: cold, select: {ids_file: ids.txt}}\n");
    disk_write(&disk, "ids.txt", "ROOT\n");
    disk_write(&disk, "name", "warm\n");
    disk_write(&disk, "teams/name", "lukewarm\n");
    disk_write(&disk, "teams/ids.txt", "TEAM\n");
    disk_write(&disk, "teams/a.yaml",
               "catalog: {type: sqlite, path: c.db, table: t, id: i, location: l}\n"
               "stores: {warm: {type: local, path: './here/${file:name}'}}\n"
               "policies:\n  - {name: a, target: cold, select: {ids_file: ids.txt}}\n");
    *state = &disk;
    return 0;
}

static int disk_remove(void **state)
{
    const struct disk *disk = *state;
    scratch_remove(disk->folder);
    return 0;
}

static void paths_start_in_the_folder_of_their_file(void **state)
{
    struct disk *disk = *state;
    char path[128], want[128];
    snprintf(path, sizeof path, "%s/p.yaml", disk->folder);
    disk_load(disk, path);
    if (disk->policies == NULL)
        fail_msg("%s", buf_string(&disk->out));
    const struct policies *policies = disk->policies;
    snprintf(want, sizeof want, "%s/cold", disk->folder);
    assert_string_equal(policies->stores[0].path, want);
    snprintf(want, sizeof want, "%s/teams/here/lukewarm", disk->folder);
    assert_string_equal(policies->stores[1].path, want);
    snprintf(want, sizeof want, "%s/teams/c.db", disk->folder);
    assert_string_equal(policies->catalog.path, want);
    const struct ids *ids = &policies->extra->ids;
    assert_int_equal(ids->count, 2);
    assert_string_equal(ids->items[0].text, "ROOT");
    assert_string_equal(ids->items[1].text, "TEAM");
    disk_unload(disk);
}

/* Law 8: wherever somebody stands, and by whatever path the root policy is named. */
static void neither_digest_nor_places_depend_on_where_one_stands(void **state)
{
    struct disk *disk = *state;
    char path[128], here[4096], digest[80];
    assert_non_null(getcwd(here, sizeof here));
    snprintf(path, sizeof path, "%s/p.yaml", disk->folder);
    disk_load(disk, path);
    assert_non_null(disk->policies);
    strcpy(digest, disk->policies->digest);
    disk_unload(disk);
    snprintf(path, sizeof path, "%s/teams/../p.yaml", disk->folder);
    const char *const paths[] = {"p.yaml", "./p.yaml", "teams/../p.yaml", path};
    char want[128];
    snprintf(want, sizeof want, "%s/teams/c.db", disk->folder);
    assert_int_equal(chdir(disk->folder), 0);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        disk_load(disk, paths[i]);
        if (disk->policies == NULL)
            fail_msg("%s", buf_string(&disk->out));
        assert_string_equal(disk->policies->digest, digest);
        assert_string_equal(disk->policies->items[1].at, "teams/a.yaml:4:5");
        assert_string_equal(disk->policies->catalog.path, want);
        disk_unload(disk);
    }
    assert_int_equal(chdir(here), 0);
}

/* By its real path: another spelling and a symbolic link are the same file. */
static void one_file_is_one_whatever_it_is_called(void **state)
{
    struct disk *disk = *state;
    char path[128];
    snprintf(path, sizeof path, "%s/teams/link.yaml", disk->folder);
    assert_int_equal(symlink("a.yaml", path), 0);
    disk_write(disk, "p.yaml",
               "version: 1\n"
               "include: [teams/a.yaml, ./teams//a.yaml, teams/link.yaml, teams/../p.yaml]\n"
               "stores: {cold: {type: local, path: cold}}\n");
    snprintf(path, sizeof path, "%s/p.yaml", disk->folder);
    disk_load(disk, path);
    assert_null(disk->policies);
    assert_int_equal(disk->diags.errors, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(disk->diags.items[i].code, DIAG_INCLUDE_TWICE);
    disk_unload(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_stand_in_the_order_of_the_files),
        cmocka_unit_test(missing_ids_name_their_file),
        cmocka_unit_test(the_digest_covers_included_files),
        cmocka_unit_test(the_limit_of_pieces_is_each_files_own),
        cmocka_unit_test(a_request_has_the_policies_of_a_set),
        cmocka_unit_test(a_request_is_policies_and_nothing_else),
        cmocka_unit_test(no_request_has_the_name_of_a_policy),
        cmocka_unit_test(a_request_comes_on_top_of_the_most_files),
        cmocka_unit_test(what_is_said_twice_is_told_with_both_places),
        cmocka_unit_test(names_are_unique_in_all_files),
        cmocka_unit_test(a_file_is_included_once),
        cmocka_unit_test(required_keys_are_required_of_the_whole),
        cmocka_unit_test(what_an_unread_file_declares_is_not_missed),
        cmocka_unit_test(a_version_is_missed_whatever_else_is_read),
        cmocka_unit_test(what_a_misread_part_declares_is_not_missed),
        cmocka_unit_test(a_misread_part_hides_no_other),
        cmocka_unit_test(findings_of_all_files_come_together),
        cmocka_unit_test(there_is_a_largest_number_of_files),
        cmocka_unit_test(ids_files_count_with_them),
        cmocka_unit_test(a_file_has_a_largest_size),
        cmocka_unit_test(many_large_files_are_one_finding),
        cmocka_unit_test_setup_teardown(paths_start_in_the_folder_of_their_file, disk_make,
                                        disk_remove),
        cmocka_unit_test_setup_teardown(neither_digest_nor_places_depend_on_where_one_stands,
                                        disk_make, disk_remove),
        cmocka_unit_test_setup_teardown(one_file_is_one_whatever_it_is_called, disk_make,
                                        disk_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
