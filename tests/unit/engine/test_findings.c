/* What the doctor says of its findings: to people, to programs, and to the shell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "engine/findings.h"

static struct arena arena;
static struct findings findings;
static struct buf text;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    findings_init(&findings, &arena);
    buf_init(&text, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_free(&text);
    arena_free(&arena);
    return 0;
}

static void add(enum finding_status status, const char *group, const char *subject,
                const char *name, const char *said)
{
    findings_add(
        &findings,
        &(struct finding){
            .group = group, .subject = subject, .name = name, .status = status, .text = said});
}

static void add_fault(enum finding_status status, enum exit_code code, const char *fix)
{
    findings_add(&findings, &(struct finding){.group = "state",
                                              .name = "lock",
                                              .status = status,
                                              .code = code,
                                              .text = "held",
                                              .fix = fix});
}

static void show(bool quiet)
{
    findings_show(&findings, 0, quiet, &text);
    findings_count(&findings, quiet, &text);
}

static void a_line_each_with_its_fix_below(void **state)
{
    (void)state;
    add(FINDING_OK, "environment", NULL, "locale", "C.UTF-8");
    add(FINDING_OK, "store", "cold", "write", "an object");
    add_fault(FINDING_WARNING, EXIT_OK, "wait");
    add_fault(FINDING_FAILED, EXIT_AUTH, "GRANT it");
    show(false);
    assert_string_equal(buf_string(&text), "  ok   environment  locale: C.UTF-8\n"
                                           "  ok   store        cold: write: an object\n"
                                           "  !    state        lock: held\n"
                                           "       fix: wait\n"
                                           "  x    state        lock: held\n"
                                           "       fix: GRANT it\n"
                                           "4 checks, 1 warning, 1 failure\n");
}

static void what_was_not_looked_at_shares_a_line(void **state)
{
    (void)state;
    add(FINDING_SKIPPED, "store", "hot", "read", "why");
    add(FINDING_SKIPPED, "store", "hot", "copy", "why");
    add(FINDING_SKIPPED, "store", "cold", "read", "why");
    add(FINDING_SKIPPED, "store", "cold", "copy", "another reason");
    add(FINDING_OK, "state", NULL, "lock", "free");
    show(false);
    assert_string_equal(buf_string(&text), "  -    store        hot: read, copy: why\n"
                                           "  -    store        cold: read: why\n"
                                           "  -    store        cold: copy: another reason\n"
                                           "  ok   state        lock: free\n"
                                           "1 check, 0 warnings, 0 failures; 4 checks not made\n");
}

static void quietly_only_what_is_to_be_mended(void **state)
{
    (void)state;
    add(FINDING_OK, "state", NULL, "lock", "free");
    add(FINDING_SKIPPED, "state", NULL, "journal", "why");
    show(true);
    assert_string_equal(buf_string(&text), "");
    add_fault(FINDING_WARNING, EXIT_OK, NULL);
    show(true);
    assert_string_equal(buf_string(&text), "  !    state        lock: held\n"
                                           "2 checks, 1 warning, 0 failures; 1 check not made\n");
}

static void groups_are_shown_one_after_the_other(void **state)
{
    (void)state;
    add(FINDING_OK, "state", NULL, "lock", "free");
    add(FINDING_OK, "state", NULL, "space", "enough");
    findings_show(&findings, 1, false, &text);
    assert_string_equal(buf_string(&text), "  ok   state        space: enough\n");
    findings_show(&findings, 2, false, &text);
    assert_string_equal(buf_string(&text), "  ok   state        space: enough\n");
}

static void what_failed_worst_is_the_exit_code(void **state)
{
    (void)state;
    assert_int_equal(findings_exit(&findings), EXIT_OK);
    add(FINDING_OK, "state", NULL, "lock", "free");
    add(FINDING_SKIPPED, "state", NULL, "lock", "why");
    add_fault(FINDING_WARNING, EXIT_AUTH, NULL);
    assert_int_equal(findings_exit(&findings), EXIT_OK);
    add_fault(FINDING_FAILED, EXIT_INVALID, NULL);
    assert_int_equal(findings_exit(&findings), EXIT_INVALID);
    add_fault(FINDING_FAILED, EXIT_TEMPORARY, NULL);
    assert_int_equal(findings_exit(&findings), EXIT_TEMPORARY);
    add_fault(FINDING_FAILED, EXIT_AUTH, NULL);
    add_fault(FINDING_FAILED, EXIT_INVALID, NULL);
    assert_int_equal(findings_exit(&findings), EXIT_AUTH);
}

static void no_text_is_acted_upon_by_a_terminal(void **state)
{
    (void)state;
    add(FINDING_OK, "state", NULL, "lock", "\x1b[2Jheld\nby");
    add_fault(FINDING_FAILED, EXIT_AUTH, "a\rb");
    show(false);
    assert_non_null(strstr(buf_string(&text), "lock: ?[2Jheld by\n"));
    assert_non_null(strstr(buf_string(&text), "fix: a b\n"));
}

static const char *text_in(const struct json *object, const char *key)
{
    return json_as_text(json_find(object, key));
}

static void programs_get_each_of_many(void **state)
{
    (void)state;
    struct json *json;
    struct err err;
    int64_t code, version;
    for (int i = 0; i < 200; i++)
        add(FINDING_SKIPPED, "store", "hot", "open files", "why");
    add_fault(FINDING_FAILED, EXIT_AUTH, "GRANT it");
    findings_json(&findings, &text);
    assert_true(json_read(text.bytes, text.size, &json, &err));
    const struct json *checks = json_find(json, "checks");
    assert_int_equal(json_count(checks), 201);
    const struct json *first = json_item(checks, 0), *last = json_item(checks, 200);
    assert_string_equal(text_in(first, "id"), "store.hot.open-files");
    assert_string_equal(text_in(first, "group"), "store");
    assert_string_equal(text_in(first, "status"), "skipped");
    assert_null(text_in(first, "fix"));
    assert_string_equal(text_in(last, "id"), "state.lock");
    assert_string_equal(text_in(last, "status"), "failed");
    assert_string_equal(text_in(last, "text"), "held");
    assert_string_equal(text_in(last, "fix"), "GRANT it");
    assert_true(json_get_integer(json, "exit", &code, &err));
    assert_int_equal(code, EXIT_AUTH);
    assert_true(json_get_integer(json, "format_version", &version, &err));
    assert_int_equal(version, 1);
    json_free(json);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_line_each_with_its_fix_below),
        CASE(what_was_not_looked_at_shares_a_line),
        CASE(groups_are_shown_one_after_the_other),
        CASE(quietly_only_what_is_to_be_mended),
        CASE(what_failed_worst_is_the_exit_code),
        CASE(no_text_is_acted_upon_by_a_terminal),
        CASE(programs_get_each_of_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
