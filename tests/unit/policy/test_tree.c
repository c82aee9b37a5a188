/* A policy file is refused where YAML would let it mean something else than it shows. */
#include "policy/diag_codes.h"
#include "policy/tree.h"
#include "tests/unit/policy/fixture.h"

struct reading {
    struct arena arena;
    struct diags diags;
    struct node *root;
};

static void read_bytes(struct reading *reading, const char *bytes, size_t size)
{
    arena_init(&reading->arena, FIXTURE_ARENA_BYTES);
    diag_init(&reading->diags, &reading->arena);
    uint16_t file = diag_add_file(&reading->diags, "p.yaml", bytes, size);
    reading->root = tree_read(&reading->diags, file, &reading->arena);
}

static void a_tree_knows_its_places(void **state)
{
    (void)state;
    struct reading reading;
    const char *text = "a: 1\n"
                       "über:\n"
                       "  - 'x'\n"
                       "  - {b: \"\\u00fc\", c: [d]}\n";
    read_bytes(&reading, text, strlen(text));
    assert_int_equal(reading.diags.errors, 0);
    assert_int_equal(reading.root->kind, NODE_MAP);
    assert_int_equal(reading.root->count, 2);
    const struct node *a = tree_find(reading.root, "a");
    assert_string_equal(a->text, "1");
    assert_true(a->plain);
    assert_int_equal(a->span.line, 1);
    assert_int_equal(a->span.column, 4);
    assert_int_equal(a->span.length, 1);
    const struct node *list = tree_find(reading.root, "über");
    assert_int_equal(list->key->span.length, 4); /* code points, not bytes */
    assert_int_equal(list->count, 2);
    assert_false(list->first->plain);
    const struct node *map = list->first->next;
    assert_string_equal(tree_find(map, "b")->text, "ü");
    assert_int_equal(tree_find(map, "c")->kind, NODE_LIST);
    assert_int_equal(tree_find(map, "c")->key->span.column, 19);
    assert_null(tree_find(map, "z"));
    arena_free(&reading.arena);
}

struct refusal {
    const char *what;
    const char *text;
    int code;
    uint32_t line, column;
    bool has_tree;
};

static const struct refusal refusals[] = {
    {"a map that never ends", "a: {b: 1\n", DIAG_SYNTAX, 2, 1, false},
    {"a wrong indentation", "a:\n  - b\n c: d\n", DIAG_SYNTAX, 3, 2, false},
    {"a tab as indentation", "a:\n\tb: c\n", DIAG_TAB, 2, 1, false},
    {"a tab between", "a: b\t# c\n", DIAG_TAB, 1, 5, false},
    {"an escape of a terminal", "a: b\n# \x1b[2J\n", DIAG_CHARACTER, 2, 3, false},
    {"C1 controls",
     "a: \xc2\x9b"
     "2J\n",
     DIAG_CHARACTER, 1, 4, false},
    {"a carriage return alone", "a: b\rc: d\n", DIAG_CHARACTER, 1, 5, false},
    {"a next line", "a: b\xc2\x85\n", DIAG_CHARACTER, 1, 5, false},
    {"a byte order mark within", "a: \xef\xbb\xbf\n", DIAG_CHARACTER, 1, 4, false},
    {"an overlong slash", "a: \xc0\xaf\n", DIAG_NOT_UTF8, 1, 4, false},
    {"half a surrogate", "a: \xed\xa0\x80\n", DIAG_NOT_UTF8, 1, 4, false},
    {"a cut character", "a: b\xc3", DIAG_NOT_UTF8, 1, 5, false},
    {"an anchor on a scalar", "a: &x b\n", DIAG_ALIAS, 1, 4, true},
    {"an anchor on a list", "a: &x [b]\n", DIAG_ALIAS, 1, 4, true},
    {"an anchor on a map", "a: &x {b: c}\n", DIAG_ALIAS, 1, 4, true},
    {"a merge key", "a:\n  <<: {b: c}\n", DIAG_ALIAS, 2, 3, true},
    {"a tag", "a: !!str 1\n", DIAG_TAG, 1, 4, true},
    {"a tag of one's own", "a: !secret b\n", DIAG_TAG, 1, 4, true},
    {"a tag on a list", "a: !!seq [b]\n", DIAG_TAG, 1, 4, true},
    {"a second document", "a: b\n---\nc: d\n", DIAG_DOCUMENT, 2, 1, true},
    {"a directive", "%YAML 1.1\n---\na: b\n", DIAG_DOCUMENT, 1, 1, true},
    {"a tag directive", "%TAG ! tag:x,2000:\n---\na: b\n", DIAG_DOCUMENT, 1, 1, true},
    {"a duplicate key", "a: 1\nb: 2\na: 3\n", DIAG_DUPLICATE_KEY, 3, 1, true},
    {"a duplicate in quotes", "a: 1\n\"a\": 3\n", DIAG_DUPLICATE_KEY, 2, 1, true},
    {"a list as a key", "? [a]\n: b\n", DIAG_KEY_SHAPE, 1, 3, true},
    {"a map as a key", "? {a: b}\n: b\n", DIAG_KEY_SHAPE, 1, 3, true},
    {"a NUL as an escape", "a: \"b\\0\"\n", DIAG_CHARACTER, 1, 4, true},
    {"nothing", "", DIAG_EMPTY_FILE, 1, 1, false},
    {"nothing but a comment", "# a\n", DIAG_EMPTY_FILE, 1, 1, false},
};

/* Law 10. */
static void refused_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *want = &refusals[i];
        struct reading reading;
        read_bytes(&reading, want->text, strlen(want->text));
        const struct diag *diag = &reading.diags.items[0];
        if (reading.diags.errors != 1 || diag->code != want->code ||
            diag->span.line != want->line || diag->span.column != want->column)
            fail_msg("%s: %zu findings, FL%04d at %u:%u", want->what, reading.diags.errors,
                     diag->code, diag->span.line, diag->span.column);
        assert_int_equal(reading.root != NULL, want->has_tree);
        arena_free(&reading.arena);
    }
}

static void a_nul_byte_is_refused(void **state)
{
    (void)state;
    struct reading reading;
    read_bytes(&reading, "a: b\nc: d\0e\n", 12);
    assert_null(reading.root);
    assert_int_equal(reading.diags.items[0].code, DIAG_CHARACTER);
    assert_int_equal(reading.diags.items[0].span.line, 2);
    assert_int_equal(reading.diags.items[0].span.column, 5);
    arena_free(&reading.arena);
}

static void a_duplicate_names_the_first(void **state)
{
    (void)state;
    struct reading reading;
    const char *text = "a: 1\nb: 2\na: 3\n";
    read_bytes(&reading, text, strlen(text));
    const struct diag *diag = &reading.diags.items[0];
    assert_true(diag->has_second);
    assert_int_equal(diag->second.line, 1);
    assert_string_equal(diag->second_label, "first defined here");
    assert_string_equal(tree_find(reading.root, "a")->text, "1");
    arena_free(&reading.arena);
}

/* Beyond FEW_KEYS duplicates are found by hashing. */
static void a_duplicate_among_many_is_found(void **state)
{
    (void)state;
    struct reading reading;
    struct buf text;
    buf_init(&text, FIXTURE_OUT_BYTES);
    for (int i = 0; i < 500; i++)
        buf_format(&text, "k%d: %d\n", i, i);
    buf_text(&text, "k250: again\n");
    read_bytes(&reading, text.bytes, text.size);
    assert_int_equal(reading.diags.errors, 1);
    assert_int_equal(reading.diags.items[0].code, DIAG_DUPLICATE_KEY);
    assert_int_equal(reading.diags.items[0].span.line, 501);
    assert_int_equal(reading.diags.items[0].second.line, 251);
    arena_free(&reading.arena);
    buf_free(&text);
}

static void nested(struct buf *text, int depth)
{
    for (int i = 0; i < depth; i++)
        buf_char(text, '[');
    for (int i = 0; i < depth; i++)
        buf_char(text, ']');
}

static void depth_has_a_limit(void **state)
{
    (void)state;
    for (int depth = TREE_DEPTH_MAX; depth <= TREE_DEPTH_MAX + 1; depth++) {
        struct reading reading;
        struct buf text;
        buf_init(&text, FIXTURE_OUT_BYTES);
        nested(&text, depth);
        read_bytes(&reading, text.bytes, text.size);
        assert_int_equal(reading.root != NULL, depth == TREE_DEPTH_MAX);
        if (reading.root == NULL) {
            assert_int_equal(reading.diags.errors, 1);
            assert_int_equal(reading.diags.items[0].code, DIAG_LIMIT);
            assert_int_equal(reading.diags.items[0].span.column, TREE_DEPTH_MAX + 1);
        }
        arena_free(&reading.arena);
        buf_free(&text);
    }
}

/* The limit counts while events arrive: the file's own size does not matter. */
static void pieces_have_a_limit(void **state)
{
    (void)state;
    for (size_t scalars = TREE_EVENTS_MAX - 6; scalars <= TREE_EVENTS_MAX; scalars += 6) {
        struct reading reading;
        struct buf text;
        buf_init(&text, FIXTURE_OUT_BYTES);
        for (size_t i = 0; i < scalars; i++)
            buf_text(&text, "- a\n");
        read_bytes(&reading, text.bytes, text.size);
        assert_int_equal(reading.root != NULL, scalars < TREE_EVENTS_MAX);
        if (reading.root == NULL) {
            assert_int_equal(reading.diags.items[0].code, DIAG_LIMIT);
            assert_in_range(reading.diags.items[0].span.line, TREE_EVENTS_MAX - 6, TREE_EVENTS_MAX);
        }
        arena_free(&reading.arena);
        buf_free(&text);
    }
}

/* All findings of a file are made in one run. */
static void several_findings_are_told_together(void **state)
{
    (void)state;
    struct reading reading;
    const char *text = "a: &x 1\nb: *x\nc: !t 2\na: 3\n";
    read_bytes(&reading, text, strlen(text));
    assert_int_equal(reading.diags.errors, 4);
    arena_free(&reading.arena);
}

static void one_bad_character_a_line_is_told(void **state)
{
    (void)state;
    struct reading reading;
    const char *text = "\t\t\ta:\n\tb\n";
    read_bytes(&reading, text, strlen(text));
    assert_int_equal(reading.diags.errors, 2);
    arena_free(&reading.arena);
}

static void lines_of_windows_are_fine(void **state)
{
    (void)state;
    struct reading reading;
    const char *text = "a: b\r\nc: d\r\n";
    read_bytes(&reading, text, strlen(text));
    assert_int_equal(reading.diags.errors, 0);
    assert_string_equal(tree_find(reading.root, "c")->text, "d");
    assert_int_equal(tree_find(reading.root, "c")->span.line, 2);
    arena_free(&reading.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_knows_its_places),
        cmocka_unit_test(refused_with_its_place),
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(a_duplicate_names_the_first),
        cmocka_unit_test(a_duplicate_among_many_is_found),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(pieces_have_a_limit),
        cmocka_unit_test(several_findings_are_told_together),
        cmocka_unit_test(one_bad_character_a_line_is_told),
        cmocka_unit_test(lines_of_windows_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
