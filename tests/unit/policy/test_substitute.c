/* References: what ${file:PATH} and ${credential:NAME} give, when a default stands for them, and
 * that what they gave is shown nowhere and does not stay behind.                                 */
#include "policy/diag_codes.h"
#include "policy/extra.h"
#include "policy/substitute.h"
#include "tests/unit/policy/rows.h"

static const char *const environment[] = {
    "CREDENTIALS_DIRECTORY=/run/CANARY",
    "file=the-variable",
    "KEY=c2VjcmV0",
    NULL,
};

/* A policy with this as the path of a store. */
static void load_path_of(struct fixture *fixture, const char *path)
{
    char text[1024];
    snprintf(text, sizeof text,
             "version: 1\ncatalog: {type: sqlite, path: c.db, table: t, id: i, location: l}\n"
             "stores: {a: {type: local, path: \"%s\"}}\n"
             "policies: [{name: a, target: a, select: {ids: [x]}}]\n",
             path);
    if (fixture->env == NULL)
        fixture->env = environment;
    fixture_load(fixture, text);
}

static void a_reference_is_what_its_file_holds(void **state)
{
    (void)state;
    static const struct {
        const char *path, *content, *want; /* NULL: the finding DIAG_ENV_FILE */
    } table[] = {
        {"/${file:/run/x}", "one", "/one"},
        {"/${file:/run/x}", "one\n", "/one"},
        {"/${file:/run/x}/b", "\xc3\xa4", "/\xc3\xa4/b"},
        {"/${file:/run/x}${file:/run/x}", "one\n", "/oneone"},
        {"/${file:/run/x:-two}", "one\n", "/one"},
        {"/${credential:c}", "three\n", "/three"},
        {"/${credential:c:-two}/${file}", "three\n", "/three/the-variable"},
        {"/${file:/run/x}", "${file:/run/x}", "/${file:/run/x}"}, /* read no further */
        {"/${file:/run/x}", "", NULL},
        {"/${file:/run/x:-two}", "\n", NULL},
        {"/${file:/run/x}", "\xff", NULL},
        {"/${file:/run/x}", "\xc3\xa4\xc3", NULL},
        {"/${file:/run/x:-two}", NULL, NULL}, /* there, but not to be read */
        {"/${credential:c:-two}", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct fixture_file files[] = {
            {"/run/x", table[i].content, 0}, {"/run/CANARY/c", table[i].content, 0}, {0}};
        struct fixture fixture = {.files = files};
        load_path_of(&fixture, table[i].path);
        if (table[i].want == NULL) {
            assert_codes(&fixture, DIAG_ENV_FILE);
        } else {
            assert_loaded(&fixture);
            assert_string_equal(fixture.policies->stores[0].path, table[i].want);
        }
        fixture_free(&fixture);
    }
}

/* Only the last line break is the editor's. */
static void one_line_break_is_cut(void **state)
{
    (void)state;
    static const struct fixture_file files[] = {{"/run/x", "CANARY \n\n", 0}, {0}};
    struct fixture fixture = {.files = files};
    fixture_load(&fixture, "version: 1\n"
                           "catalog: {type: postgres, table: t, id: i, location: l, connection:\n"
                           "  {host: h, password: '${file:/run/x}'}}\n"
                           "stores: {a: {type: local, path: /srv/a}}\n"
                           "policies: [{name: a, target: a, select: {ids: [x]}}]\n");
    assert_loaded(&fixture);
    const struct catalog_keyword *words = fixture.policies->catalog.connection;
    assert_string_equal(secret_reveal(words[1].value), "CANARY \n");
    fixture_free(&fixture);
}

static void a_nul_ends_no_secret(void **state)
{
    (void)state;
    static const struct fixture_file files[] = {{"/run/x", "one\0two", 7}, {0}};
    struct fixture fixture = {.files = files};
    load_path_of(&fixture, "/${file:/run/x}");
    assert_codes(&fixture, DIAG_ENV_FILE);
    fixture_free(&fixture);
}

static void a_default_is_for_what_is_not_there(void **state)
{
    (void)state;
    static const struct {
        const char *path, *want; /* NULL: the finding */
        int code;
    } table[] = {
        {"/${file:/run/none:-two}", "/two", 0},       {"/a${file:/run/none:-}", "/a", 0},
        {"/${credential:none:-two}", "/two", 0},      {"/${file:/run/none}", NULL, DIAG_ENV_FILE},
        {"/${credential:none}", NULL, DIAG_ENV_FILE},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct fixture fixture = {0};
        load_path_of(&fixture, table[i].path);
        if (table[i].want == NULL) {
            assert_codes(&fixture, table[i].code);
            assert_null(strstr(buf_string(&fixture.out), "CANARY"));
        } else {
            assert_loaded(&fixture);
            assert_string_equal(fixture.policies->stores[0].path, table[i].want);
        }
        fixture_free(&fixture);
    }
}

/* No default hides that there is no folder, or that a name leads elsewhere. */
static void a_credential_is_a_name_in_one_folder(void **state)
{
    (void)state;
    static const char *const none[] = {"CREDENTIALS_DIRECTORY=", NULL};
    static const struct fixture_file files[] = {{"/run/CANARY/a/b", "x", 0},
                                                {"/run/CANARY/.", "x", 0},
                                                {"/run/CANARY/..", "x", 0},
                                                {"/etc/passwd", "x", 0},
                                                {"c", "x", 0},
                                                {"/c", "x", 0},
                                                {0}};
    static const struct {
        const char *path;
        const char *const *env;
    } table[] = {
        {"/${credential:a/b}", environment},     {"/${credential:/etc/passwd}", environment},
        {"/${credential:.}", environment},       {"/${credential:..}", environment},
        {"/${credential:../a:-b}", environment}, {"/${credential:c}", none},
        {"/${credential:c:-d}", none},           {"/${credential:c:-d}", none + 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct fixture fixture = {.files = files, .env = table[i].env};
        load_path_of(&fixture, table[i].path);
        assert_codes(&fixture, DIAG_CREDENTIAL);
        assert_int_equal(fixture.reads, 0);
        fixture_free(&fixture);
    }
}

static void other_forms_are_refused(void **state)
{
    (void)state;
    static const char *const forms[] = {
        "${file:}",    "${file::-x}",         "${credential:}",  "${credential::-x}",
        "${File:/x}",  "${files:/x}",         "${file:${KEY}}",  "${file:/x:-${KEY}}",
        "${file:/x",   "${file:/a\\nb}",      "${ file:/x}",     "${env:KEY}",
        "${KEY:file}", "${credential:a\\tb}", "${file :/run/x}",
    };
    static const struct fixture_file files[] = {{"/x", "x", 0}, {0}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct fixture fixture = {.files = files};
        load_path_of(&fixture, forms[i]);
        assert_codes(&fixture, DIAG_ENV_FORM);
        fixture_free(&fixture);
    }
}

/* What such a reference has always meant. */
static void a_variable_may_be_called_file(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    load_path_of(&fixture, "/${file:-x}/${credential:-y}");
    assert_loaded(&fixture);
    assert_string_equal(fixture.policies->stores[0].path, "/the-variable/y");
    assert_int_equal(fixture.reads, 0);
    fixture_free(&fixture);
}

static void a_path_starts_in_the_folder_of_its_file(void **state)
{
    (void)state;
    static const struct fixture_file files[] = {
        {"/etc/frost/teams/a.yaml", "stores: {b: {type: local, path: '/srv/${file:s/name}'}}\n", 0},
        {"/etc/frost/s/name", "root", 0},
        {"/etc/frost/teams/s/name", "team", 0},
        {0}};
    struct fixture fixture = {.path = "/etc/frost/p.yaml", .files = files};
    fixture_load(&fixture, "version: 1\ninclude: [teams/a.yaml]\n"
                           "catalog: {type: sqlite, path: c.db, table: t, id: i, location: l}\n"
                           "stores: {a: {type: local, path: '/srv/${file:s/name}'}}\n"
                           "policies: [{name: a, target: a, select: {ids: [x]}}]\n");
    assert_loaded(&fixture);
    assert_string_equal(fixture.policies->stores[0].path, "/srv/root");
    assert_string_equal(fixture.policies->stores[1].path, "/srv/team");
    fixture_free(&fixture);
}

/* Law 9 of what a file gives: it is as good as a variable, and what stands beside it is not. */
static void a_file_keeps_a_secret_out_of_the_policy(void **state)
{
    (void)state;
    static const struct {
        const char *word, *string;
        int code; /* 0: fine */
    } table[] = {
        {"password: '${file:/run/x}'", "'AccountName=a;AccountKey=${file:/run/key}'", 0},
        {"password: '${credential:c}'", "'${file:/run/string}'", 0},
        {"url: 'postgresql://u:${file:/run/x}@h/db'", "'${file:/run/string}'", 0},
        {"password: 'x${file:/run/x}'", "'${file:/run/string}'", DIAG_LITERAL_SECRET},
        {"password: '${file:/none:-hunter2}'", "'${file:/run/string}'", DIAG_LITERAL_SECRET},
        {"password: '${credential:none:-hunter2}'", "'${file:/run/string}'", DIAG_LITERAL_SECRET},
        {"password: '${file:/run/x}'", "'AccountName=a;AccountKey=${file:/none:-hunter2=}'",
         DIAG_LITERAL_SECRET},
        {"password: '${file:/run/x}'", "'AccountName=a;AccountKey=${file:/run/x}'",
         DIAG_CONNECTION_STRING},
        {"password: '${file:/none}'", "'${file:/run/string}'", DIAG_ENV_FILE},
        {"password: '${file:/run/x}'", "'${file:/none}'", DIAG_ENV_FILE},
    };
    static const struct fixture_file files[] = {
        {"/run/x", "CANARY!", 0},
        {"/run/CANARY/c", "CANARY", 0},
        {"/run/key", "c2VjcmV0\n", 0},
        {"/run/string", "AccountName=a;AccountKey=c2VjcmV0\n", 0},
        {0}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct fixture fixture = {.env = environment, .files = files};
        char text[1024];
        snprintf(text, sizeof text,
                 "version: 1\n"
                 "catalog: {type: postgres, table: t, id: i, location: l, connection: {%s}}\n"
                 "stores: {a: {type: azure, container: abc, connection_string: %s}}\n"
                 "policies: [{name: a, target: a, select: {ids: [x]}}]\n",
                 table[i].word, table[i].string);
        fixture_load(&fixture, text);
        if (table[i].code == 0)
            assert_loaded(&fixture);
        else
            assert_codes(&fixture, table[i].code);
        assert_null(strstr(buf_string(&fixture.out), "hunter2"));
        assert_null(strstr(buf_string(&fixture.out), "CANARY"));
        fixture_free(&fixture);
    }
}

/* Whatever is wrong with what a file gave, in whichever place, no finding shows it. */
static void no_finding_shows_what_a_file_gave(void **state)
{
    (void)state;
    static const char *const contents[] = {"CANARY",     "CANARY\nCANARY", "../CANARY",
                                           "CANARY\xff", "\x1b[CANARY",    "https://CANARY?x=1",
                                           "{CANARY: ["};
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        const struct fixture_file files[] = {{"/run/x", contents[i], 0}, {0}};
        struct fixture fixture = {.files = files};
        fixture_load(
            &fixture,
            "version: 1\n"
            "catalog: {type: sqlite, path: '${file:/run/x}', table: t, id: i, location: l}\n"
            "stores:\n"
            "  a: {type: local, path: '/a/${file:/run/x}', urls: ['${file:/run/x}']}\n"
            "  b: {type: local, path: '/a/${file:/run/x}'}\n"
            "  c:\n"
            "    type: azure\n"
            "    connection_string: UseDevelopmentStorage=true\n"
            "    container: '${file:/run/x}'\n"
            "    prefix: '${file:/run/x}'\n"
            "  d: {type: azure, connection_string: '${file:/run/x}', container: ddd}\n"
            "policies:\n  - {name: a, from: c, target: d, select: {ids: [x]}}\n");
        assert_null(fixture.policies);
        assert_null(strstr(buf_string(&fixture.out), "CANARY"));
        fixture_free(&fixture);
    }
}

static void no_digest_tells_of_a_secret(void **state)
{
    (void)state;
    char digests[2][80];
    for (int i = 0; i < 2; i++) {
        const struct fixture_file files[] = {{"/run/x", i == 0 ? "one" : "two", 0}, {0}};
        struct fixture fixture = {.files = files};
        load_path_of(&fixture, "/${file:/run/x}");
        assert_loaded(&fixture);
        assert_int_equal(fixture.policies->extra->file_count, 1);
        assert_int_equal(fixture.diags.file_count, 1);
        strcpy(digests[i], fixture.policies->digest);
        fixture_free(&fixture);
    }
    assert_string_equal(digests[0], digests[1]);
}

/* ---- limits ---- */

/* A file that is another one each time that it is read. */
struct changing {
    size_t reads;
};

static bool read_changing(void *context, const char *path, size_t limit_bytes, struct arena *arena,
                          char **bytes, size_t *size_bytes, struct err *err)
{
    struct changing *changing = context;
    (void)path;
    (void)err;
    *size_bytes = 1 + changing->reads++ * 1000;
    assert_true(*size_bytes <= limit_bytes);
    *bytes = arena_make(arena, *size_bytes + 1);
    memset(*bytes, 'x', *size_bytes);
    return true;
}

/* So that what is copied is what was measured and checked. */
static void a_file_is_read_once_for_each_reference(void **state)
{
    (void)state;
    static const char text[] = "version: 1\n"
                               "catalog: {type: postgres, table: t, id: i, location: l,\n"
                               "  connection: {host: '${file:/x}', password: '${file:/x}'}}\n"
                               "stores: {a: {type: local, path: '/${file:/x}'}}\n"
                               "policies: [{name: a, target: a, select: {ids: [x]}}]\n";
    struct changing changing = {0};
    struct policy_source source = {.path = "p.yaml", .env = fixture_env};
    struct arena arena;
    struct diags diags;
    struct policies *policies;
    arena_init(&arena, FIXTURE_ARENA_BYTES);
    diag_init(&diags, &arena);
    struct load load = {.source = &source,
                        .read = read_changing,
                        .read_secret = read_changing,
                        .read_context = &changing,
                        .arena = &arena,
                        .diags = &diags};
    load_bytes(&load, text, sizeof text - 1, &policies);
    assert_non_null(policies);
    assert_int_equal(changing.reads, 3);
    assert_int_equal(policies->catalog.connection[1].value->size_bytes, 1001);
    policy_free(policies);
    arena_free(&arena);
}

static void a_file_has_a_largest_size(void **state)
{
    (void)state;
    static char content[SUBSTITUTE_FILE_BYTES_MAX + 1];
    memset(content, 'x', sizeof content);
    for (size_t more = 0; more < 2; more++) {
        const struct fixture_file files[] = {{"/run/x", content, SUBSTITUTE_FILE_BYTES_MAX + more},
                                             {0}};
        struct fixture fixture = {.files = files};
        load_path_of(&fixture, "/${file:/run/x}");
        if (more == 0)
            assert_loaded(&fixture);
        else
            assert_codes(&fixture, DIAG_ENV_FILE);
        fixture_free(&fixture);
    }
}

/* 15 times 64 KiB fit into a value of 1 MiB, 16 times do not. */
static void a_value_has_a_largest_size(void **state)
{
    (void)state;
    static char content[SUBSTITUTE_FILE_BYTES_MAX];
    memset(content, 'x', sizeof content);
    const struct fixture_file files[] = {{"/x", content, sizeof content}, {0}};
    for (int count = 15; count < 18; count++) {
        struct fixture fixture = {.files = files};
        char path[512] = "/";
        for (int i = 0; i < count; i++)
            strcat(path, "${file:/x}");
        load_path_of(&fixture, path);
        if (count == 15)
            assert_loaded(&fixture);
        else
            assert_codes(&fixture, DIAG_LIMIT); /* once */
        fixture_free(&fixture);
    }
}

/* ---- what stays behind ---- */

/* The allocators of the sanitizers keep no [heap]. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define HAS_HEAP

#define MASK 0x5a
#define SECRET_BYTES 40

/* Never in plain in this program's own memory. */
static char masked[SECRET_BYTES];

static bool read_masked(void *context, const char *path, size_t limit_bytes, struct arena *arena,
                        char **bytes, size_t *size_bytes, struct err *err)
{
    (void)context;
    (void)limit_bytes;
    char *content = arena_make(arena, SECRET_BYTES + 1);
    for (size_t i = 0; i < SECRET_BYTES; i++)
        content[i] = (char)(masked[i] ^ MASK);
    if (str_equal(path, "/fails"))
        return ERR(err, ERR_BUSY, "%s changes while it is read", path);
    *bytes = content;
    *size_bytes = SECRET_BYTES;
    return true;
}

/* How often most of the secret stands in the heap (an allocator may have used its first bytes). */
static size_t count_in_heap(void)
{
    char line[256];
    size_t count = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        uintptr_t from, to;
        if (strstr(line, "[heap]") == NULL || sscanf(line, "%lx-%lx", &from, &to) != 2)
            continue;
        for (const char *at = (const char *)from; at + SECRET_BYTES <= (const char *)to; at++) {
            size_t same = 20;
            while (same < SECRET_BYTES && (at[same] ^ MASK) == masked[same])
                same++;
            count += same == SECRET_BYTES;
        }
    }
    fclose(maps);
    return count;
}

/* Law 9: what was read of a secret is gone with it, whatever became of the policy. */
static void nothing_of_a_secret_stays_behind(void **state)
{
    (void)state;
    static const char text[] =
        "version: 1\n"
        "catalog: {type: postgres, table: t, id: i, location: l,\n"
        "  connection: {host: '${file:/x}', password: '${file:/x}', user: '${file:%s}'}}\n"
        "stores: {a: {type: azure, container: abc, connection_string:\n"
        "  'AccountName=a;AccountKey=${file:/x}'}}\n"
        "policies: [{name: a, target: a, select: {ids: [x]}}]\n";
    static const char *const paths[] = {"/x", "/fails"};
    for (size_t i = 0; i < SECRET_BYTES; i++)
        masked[i] = (char)("0123456789abcdefghijklmnopqrstuvwxyzABCD"[SECRET_BYTES - 1 - i] ^ MASK);
    for (int fails = 0; fails < 2; fails++) {
        struct policy_source source = {.path = "p.yaml", .env = fixture_env};
        struct arena arena;
        struct diags diags;
        struct policies *policies;
        char bytes[1024];
        snprintf(bytes, sizeof bytes, text, paths[fails]);
        arena_init(&arena, FIXTURE_ARENA_BYTES);
        diag_init(&diags, &arena);
        struct load load = {
            .source = &source, .read_secret = read_masked, .arena = &arena, .diags = &diags};
        load_bytes(&load, bytes, strlen(bytes), &policies);
        if (fails == 0) {
            assert_non_null(policies);
            assert_int_equal(count_in_heap(), 4); /* three words and the key of the account */
        } else {
            assert_null(policies);
        }
        policy_free(policies);
        assert_int_equal(count_in_heap(), 0);
        arena_free(&arena);
    }
}

#endif

/* For `frostline test`, which needs neither secrets nor services: whatever is not set could be what
 * it has to be, wherever a reference may stand. */
static void a_stand_in_fits_where_it_stands(void **state)
{
    (void)state;
    static const char policy[] =
        "version: 1\n"
        "catalog:\n"
        "  type: postgres\n"
        "  connection: {url: '${URL}'}\n"
        "  table: t\n"
        "  id: id\n"
        "  location: url\n"
        "stores:\n"
        "  a: {type: azure, connection_string: '${WHOLE}', container: '${NAME}'}\n"
        "  b: {type: azure, connection_string: 'AccountName=${A};AccountKey=${credential:k}',\n"
        "      container: 'x-${NAME}', prefix: '${P}/', urls: ['${ALIAS}', 'https://${CDN}/x/']}\n"
        "  c: {type: azure, container: sas, urls: ['${OTHER}/y'], connection_string:\n"
        "      'BlobEndpoint=${ENDPOINT};SharedAccessSignature=${SAS}'}\n"
        "  d: {type: azure, container: emulated, connection_string:\n"
        "      'BlobEndpoint=https://${HOST}/d;AccountName=d;AccountKey=${KEY}'}\n"
        "  e: {type: local, path: '${FOLDER}/x'}\n"
        "policies:\n"
        "  - {name: p, from: a, target: b, select: {ids: [A]}, cleanup: {after: 1d}}\n";
    struct fixture fixture = {.stand_ins = true};
    fixture_load(&fixture, policy);
    assert_loaded(&fixture);
    assert_int_equal(fixture.policies->store_count, 5);
    fixture_free(&fixture);
}

/* Each is placed by counting all of the scalar, so that many would take long. */
static void a_scalar_has_few_findings(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct buf text;
    buf_init(&text, FIXTURE_OUT_BYTES);
    buf_format(&text, "version: 1\n"
                      "catalog: {type: sqlite, path: c.db, table: t, id: i, location: l}\n"
                      "policies: [{name: a, target: a, select: {ids: [x]}}]\n"
                      "stores: {a: {type: local, path: '/");
    for (int i = 0; i < 1000; i++)
        buf_format(&text, "${NONE}${-}");
    buf_format(&text, "'}}\n");
    fixture_load_bytes(&fixture, text.bytes, text.size);
    assert_codes(&fixture, DIAG_ENV_MISSING, DIAG_ENV_FORM, DIAG_ENV_MISSING, DIAG_ENV_FORM,
                 DIAG_ENV_MISSING, DIAG_ENV_FORM, DIAG_ENV_MISSING, DIAG_ENV_FORM);
    buf_free(&text);
    fixture_free(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reference_is_what_its_file_holds),
        cmocka_unit_test(one_line_break_is_cut),
        cmocka_unit_test(a_nul_ends_no_secret),
        cmocka_unit_test(a_default_is_for_what_is_not_there),
        cmocka_unit_test(a_credential_is_a_name_in_one_folder),
        cmocka_unit_test(other_forms_are_refused),
        cmocka_unit_test(a_variable_may_be_called_file),
        cmocka_unit_test(a_path_starts_in_the_folder_of_its_file),
        cmocka_unit_test(a_file_keeps_a_secret_out_of_the_policy),
        cmocka_unit_test(no_finding_shows_what_a_file_gave),
        cmocka_unit_test(no_digest_tells_of_a_secret),
        cmocka_unit_test(a_file_is_read_once_for_each_reference),
        cmocka_unit_test(a_file_has_a_largest_size),
        cmocka_unit_test(a_value_has_a_largest_size),
        cmocka_unit_test(a_scalar_has_few_findings),
        cmocka_unit_test(a_stand_in_fits_where_it_stands),
#ifdef HAS_HEAP
        cmocka_unit_test(nothing_of_a_secret_stays_behind),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
