/* How findings are shown, where the examples under tests/golden/diag don't reach. */
#include "policy/diag_codes.h"
#include "tests/unit/policy/fixture.h"

struct showing {
    struct arena arena;
    struct diags diags;
    struct buf out;
};

static void showing_init(struct showing *showing)
{
    arena_init(&showing->arena, FIXTURE_ARENA_BYTES);
    diag_init(&showing->diags, &showing->arena);
    buf_init(&showing->out, FIXTURE_OUT_BYTES);
}

static const char *show(struct showing *showing)
{
    diag_render(&showing->diags, &showing->out);
    return buf_string(&showing->out);
}

static void showing_free(struct showing *showing)
{
    buf_free(&showing->out);
    arena_free(&showing->arena);
}

static uint16_t add_file(struct showing *showing, const char *path, const char *text)
{
    return diag_add_file(&showing->diags, path, text, strlen(text));
}

static void findings_are_sorted_by_file_and_place(void **state)
{
    (void)state;
    struct showing showing;
    showing_init(&showing);
    uint16_t a = add_file(&showing, "a.yaml", "one\ntwo\n"),
             b = add_file(&showing, "b.yaml", "x\n");
    diag_add(&showing.diags, DIAG_EMPTY, (struct span){b, 1, 1, 1}, "4th");
    diag_add(&showing.diags, DIAG_EMPTY, (struct span){a, 2, 2, 1}, "2nd");
    diag_add(&showing.diags, DIAG_EMPTY, (struct span){a, 2, 2, 1}, "3rd, found later");
    diag_add(&showing.diags, DIAG_EMPTY, (struct span){a, 1, 3, 1}, "1st");
    const char *at = show(&showing);
    static const char *const order[] = {"1st", "2nd", "3rd", "4th"};
    for (size_t i = 0; i < 4; i++) {
        at = strstr(at, order[i]);
        assert_non_null(at);
    }
    showing_free(&showing);
}

static void a_second_place_may_be_in_another_file(void **state)
{
    (void)state;
    struct showing showing;
    showing_init(&showing);
    uint16_t a = add_file(&showing, "a.yaml", "name: x"),
             b = add_file(&showing, "b.yaml", "\nname: x");
    struct diag *diag =
        diag_add(&showing.diags, DIAG_SAME_NAME, (struct span){a, 1, 7, 1}, "twice");
    diag->label = "here";
    diag->has_second = true;
    diag->second = (struct span){b, 2, 7, 1};
    diag->second_label = "and there";
    assert_string_equal(show(&showing), "error[FL0510]: twice\n"
                                        " --> a.yaml:1:7\n"
                                        "  |\n"
                                        "1 | name: x\n"
                                        "  |       ^ here\n"
                                        " ::: b.yaml:2:7\n"
                                        "2 | name: x\n"
                                        "  |       - and there\n");
    showing_free(&showing);
}

static void a_second_place_may_come_later(void **state)
{
    (void)state;
    struct showing showing;
    showing_init(&showing);
    uint16_t a = add_file(&showing, "a.yaml", "b: 1\nc: 2\nd: 3\n");
    struct diag *diag =
        diag_add(&showing.diags, DIAG_SAME_NAME, (struct span){a, 1, 1, 1}, "twice");
    diag->has_second = true;
    diag->second = (struct span){a, 3, 1, 1};
    assert_string_equal(show(&showing), "error[FL0510]: twice\n"
                                        " --> a.yaml:1:1\n"
                                        "  |\n"
                                        "1 | b: 1\n"
                                        "  | ^\n"
                                        "...\n"
                                        "3 | d: 3\n"
                                        "  | -\n");
    showing_free(&showing);
}

/* A line of a megabyte is shown around its finding, code point by code point. */
static void a_long_line_is_cut_around_the_place(void **state)
{
    (void)state;
    struct showing showing;
    struct buf line;
    showing_init(&showing);
    buf_init(&line, FIXTURE_OUT_BYTES);
    for (int i = 0; i < 100000; i++)
        buf_text(&line, "ä");
    buf_text(&line, "X");
    for (int i = 0; i < 100000; i++)
        buf_text(&line, "ö");
    uint16_t a = add_file(&showing, "a.yaml", buf_string(&line));
    diag_add(&showing.diags, DIAG_EMPTY, (struct span){a, 1, 100001, 1}, "there");
    const char *out = show(&showing);
    assert_true(strlen(out) < 1000);
    assert_true(str_is_utf8(out, strlen(out)));
    const char *shown = strstr(out, "1 | ä");
    const char *caret = strstr(out, "  |  ");
    assert_non_null(shown);
    assert_non_null(caret);
    size_t before = 0;
    for (const char *at = shown + 4; *at != 'X'; at++)
        before += ((unsigned char)*at & 0xc0) != 0x80;
    assert_int_equal(strcspn(caret + 4, "^"), before);
    buf_free(&line);
    showing_free(&showing);
}

/* Those that are not kept are counted all the same. */
/* One mark for each, and what is left of it is no byte that an old terminal acts upon. */
static void controls_are_question_marks(void **state)
{
    (void)state;
    struct showing showing;
    showing_init(&showing);
    uint16_t a = add_file(&showing, "a.yaml", "a: \xc2\x9b\x33\x31m \x1b\x7f\xc3\x9b \xc2\xa0\xc2");
    uint16_t b = add_file(&showing, "b.yaml", "a: \xc2\x9b\x33\x31m \x1b\x7f\xc3\x9b \xc2\xa0.");
    diag_add(&showing.diags, DIAG_EMPTY, (struct span){a, 1, 4, 1}, "there");
    diag_add(&showing.diags, DIAG_EMPTY, (struct span){b, 1, 4, 1}, "there");
    const char *out = show(&showing);
    assert_non_null(strstr(out, "1 | a: ??31m ???? ???\n  |    ^"));
    assert_non_null(strstr(out, "1 | a: ?31m ??\xc3\x9b \xc2\xa0.\n  |    ^"));
    showing_free(&showing);
}

static void a_warning_that_is_denied_is_an_error(void **state)
{
    (void)state;
    struct showing showing;
    showing_init(&showing);
    uint16_t a = add_file(&showing, "a.yaml", "x\n");
    diag_add(&showing.diags, DIAG_EMPTY, (struct span){a, 1, 1, 1}, "an error");
    for (int i = 0; i < DIAG_MAX; i++)
        diag_add(&showing.diags, DIAG_NO_GRACE, (struct span){a, 1, 1, 1}, "a warning");
    assert_int_equal(showing.diags.warnings, DIAG_MAX);
    diag_deny_warnings(&showing.diags);
    assert_int_equal(showing.diags.errors, DIAG_MAX + 1);
    assert_int_equal(showing.diags.warnings, 0);
    const char *out = show(&showing);
    assert_null(strstr(out, "warning["));
    assert_non_null(strstr(out, "error[FL0604]: a warning\n"));
    assert_non_null(strstr(out, "\n1 more findings are not shown\n"));
    showing_free(&showing);
}

static void a_place_behind_the_end_shows_nothing(void **state)
{
    (void)state;
    struct showing showing;
    showing_init(&showing);
    uint16_t a = add_file(&showing, "a.yaml", "");
    diag_add(&showing.diags, DIAG_EMPTY_FILE, (struct span){a, 7, 1, 0}, "gone");
    assert_string_equal(show(&showing), "error[FL0114]: gone\n --> a.yaml:7:1\n  |\n7 |\n  | ^\n");
    showing_free(&showing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_are_sorted_by_file_and_place),
        cmocka_unit_test(a_second_place_may_be_in_another_file),
        cmocka_unit_test(a_second_place_may_come_later),
        cmocka_unit_test(a_long_line_is_cut_around_the_place),
        cmocka_unit_test(controls_are_question_marks),
        cmocka_unit_test(a_place_behind_the_end_shows_nothing),
        cmocka_unit_test(a_warning_that_is_denied_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
