/* Every code has an example under tests/golden/diag: a policy, and what people (.out) and programs
 * (.json, .annotations) are told, byte for byte.  With FROSTLINE_GOLDEN=write the outputs are
 * written instead: read the difference.       */
#include <dirent.h>

#include "base/file.h"
#include "base/json.h"
#include "policy/diag_codes.h"
#include "policy/diag_machine.h"
#include "policy/lint.h"
#include "policy/online.h"
#include "state/catalog_memory.h"
#include "tests/unit/policy/fixture.h"

#define EXAMPLES_MAX 512
#define NOW_US INT64_C(1748736000000000) /* 2025-06-01 */
#define CANARY "CANARYhunter2"

static const char *const environment[] = {
    "DB_PASSWORD=" CANARY,
    "EMPTY=",
    "CONTAINER=" CANARY "_in_capitals",
    "CONNECTION=AccountName=acct;AccountKey=" CANARY "!",
    "AZURE=AccountName=acct;AccountKey=Q0FOQVJZ;EndpointSuffix=core.windows.net",
    NULL,
};

static int is_policy(const struct dirent *entry)
{
    return str_ends(entry->d_name, ".yaml");
}

static const struct form {
    const char *suffix;
    void (*render)(const struct diags *diags, struct buf *out);
} forms[] = {
    {".out", diag_render}, {".json", diag_machine_json}, {".annotations", diag_machine_github}};
#define FORMS (sizeof forms / sizeof forms[0])

/* The table that all examples meet. */
static const struct catalog_memory_column columns[] = {
    {.name = "id", .kind = VALUE_TEXT, .is_key = true},
    {.name = "url", .kind = VALUE_TEXT, .is_indexed = true},
    {.name = "recorded", .kind = VALUE_INSTANT, .is_naive = true},
    {.name = "gb", .kind = VALUE_DECIMAL},
    {.name = "map", .kind = VALUE_TEXT},
    {.name = "length", .kind = VALUE_INTEGER},
    {.name = "weight", .kind = VALUE_DECIMAL},
    {.name = "valid", .kind = VALUE_BOOLEAN},
    {.name = "seen", .kind = VALUE_INSTANT},
    {.name = "day", .kind = VALUE_DATE},
    {.name = "odd", .kind = VALUE_UNSUPPORTED},
    {.name = "class", .kind = VALUE_TEXT, .is_never_null = true},
    {.name = "twice", .kind = VALUE_INTEGER, .is_generated = true},
};
static const struct catalog_memory_table table = {"recordings", columns,
                                                  sizeof columns / sizeof columns[0]};

static void meet_table(struct policies *policies, struct arena *arena, struct diags *diags)
{
    struct catalog_memory *memory = catalog_memory_make(&policies->catalog, NULL);
    struct catalog *catalog = catalog_memory_catalog(memory);
    struct catalog_shape shape;
    struct err err;
    catalog_memory_set_table(memory, &table);
    if (!catalog->ops->describe(catalog, arena, &shape, &err))
        fail_msg("%s", err.text);
    online_index(policies, &shape, diags);
    bool bound = policy_bind(policies, &shape, diags);
    assert_int_equal(bound, diags->errors == 0);
    catalog_close(catalog);
}

/* Some examples are about who does not answer as one would wish. */
static void meet(struct policies *policies, int code, struct arena *arena, struct diags *diags)
{
    struct err err;
    if (code == DIAG_CATALOG) {
        ERR(&err, ERR_DENIED, "connecting to the catalog: password authentication failed");
        online_catalog(policies, &err, diags);
        return;
    }
    if (code == DIAG_STORE) {
        ERR(&err, ERR_MISSING, "opening the folder /srv/cold of cold: No such file or directory");
        online_store(policies, 1, &err, diags);
        ERR(&err, ERR_BUSY, "container ecal of store hot: 503 ServerBusy");
        snprintf(err.hint, sizeof err.hint, "ask again later");
        online_store(policies, 0, &err, diags);
    }
    meet_table(policies, arena, diags);
}

static void find_faults(const char *path, struct arena *arena, struct diags *diags)
{
    struct policy_source source = {
        .path = path, .env = fixture_env, .env_context = (void *)environment};
    struct policies *policies;
    struct err err;
    diag_init(diags, arena);
    if (!policy_load(&source, arena, diags, &policies, &err))
        fail_msg("%s: %s", path, err.text);
    if (policies != NULL) {
        lint_policies(policies, NOW_US, diags);
        meet(policies, atoi(path), arena, diags);
    }
    assert_true(diags->count > 0);
    policy_free(policies);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Every finding that was kept is in it. */
static void check_json(const struct diags *diags, const struct buf *text)
{
    struct json *json;
    struct err err;
    int64_t errors;
    if (!json_read(buf_string(text), text->size, &json, &err))
        fail_msg("%s", err.text);
    assert_int_equal(json_count(json_find(json, "diagnostics")), diags->count);
    assert_true(json_get_integer(json, "errors", &errors, &err));
    assert_int_equal(errors, diags->errors);
    json_free(json);
}

static void check_form(const struct form *form, const struct diags *diags, const char *name,
                       bool write)
{
    struct arena arena;
    struct buf out;
    struct err err;
    char *want;
    size_t size;
    arena_init(&arena, FIXTURE_ARENA_BYTES);
    buf_init(&out, FIXTURE_OUT_BYTES);
    const char *path = str_format(&arena, "%.*s%s", (int)strlen(name) - 5, name, form->suffix);
    form->render(diags, &out);
    /* Law 9: neither what the environment gave nor a secret of the file is in any message. */
    assert_null(strstr(buf_string(&out), "CANARY"));
    assert_null(strstr(buf_string(&out), "hunter2"));
    if (form->render == diag_machine_json)
        check_json(diags, &out);
    if (write)
        write_file(path, buf_string(&out));
    if (!file_read(path, FIXTURE_OUT_BYTES, &arena, &want, &size, &err))
        fail_msg("%s: %s", path, err.text);
    assert_string_equal(buf_string(&out), want);
    buf_free(&out);
    arena_free(&arena);
}

static void check_example(const char *name, bool write)
{
    struct arena arena;
    struct diags diags;
    arena_init(&arena, FIXTURE_ARENA_BYTES);
    find_faults(name, &arena, &diags);
    for (size_t i = 0; i < FORMS; i++)
        check_form(&forms[i], &diags, name, write);
    arena_free(&arena);
}

static void each_example_says_exactly_this(void **state)
{
    struct dirent **entries = *state;
    const char *mode = getenv("FROSTLINE_GOLDEN");
    for (size_t i = 0; entries[i] != NULL; i++)
        check_example(entries[i]->d_name, mode != NULL && str_equal(mode, "write"));
}

/* A file 0301-slip.yaml is an example of FL0301, and its output says so. */
static void each_code_has_an_example(void **state)
{
    struct dirent **entries = *state;
    for (size_t i = 0; diag_codes_at(i) != NULL; i++) {
        int number = diag_codes_at(i)->number;
        bool found = false;
        for (size_t k = 0; entries[k] != NULL; k++)
            found |= atoi(entries[k]->d_name) == number;
        if (!found)
            fail_msg("no example of FL%04d in tests/golden/diag", number);
    }
}

static void each_code_explains_itself(void **state)
{
    (void)state;
    int last = 0;
    for (size_t i = 0; diag_codes_at(i) != NULL; i++) {
        const struct diag_code *code = diag_codes_at(i);
        assert_true(code->number > last);
        last = code->number;
        assert_ptr_equal(diag_codes_find(code->number), code);
        assert_true(strlen(code->title) > 0 && !str_ends(code->title, "."));
        assert_true(strlen(code->text) > 40);
    }
    assert_null(diag_codes_find(199));
}

static int enter(void **state)
{
    struct dirent **entries;
    fixture_enter("tests/golden/diag");
    int count = scandir(".", &entries, is_policy, alphasort);
    assert_in_range(count, 1, EXAMPLES_MAX);
    entries = realloc(entries, ((size_t)count + 1) * sizeof *entries);
    assert_non_null(entries);
    entries[count] = NULL;
    *state = entries;
    return 0;
}

static int leave(void **state)
{
    struct dirent **entries = *state;
    for (size_t i = 0; entries[i] != NULL; i++)
        free(entries[i]);
    free(entries);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_example_says_exactly_this),
        cmocka_unit_test(each_code_has_an_example),
        cmocka_unit_test(each_code_explains_itself),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
