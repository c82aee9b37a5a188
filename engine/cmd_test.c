#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "engine/cmd.h"
#include "engine/logging.h"
#include "engine/testing.h"
#include "engine/text.h"
#include "engine/wiring.h"

#define LIST_BYTES_MAX ((size_t)1 << 30)

/* The tests of one file, and how they went. */
struct suite {
    const char *path;
    struct wiring wiring;
    bool broken; /* it could not be run: that was told, and it stands for one test */
    const struct testing_result *results;
    size_t count, failed;
    struct suite *next;
};

struct suites {
    struct arena arena; /* of the list */
    struct suite *first, **end;
    size_t count, failed; /* of tests */
};

static size_t tests_of(const struct suite *suite)
{
    return suite->broken ? 1 : suite->count;
}

/* -- for people -------------------------------------------------------------------------------- */

/* Each line of a text behind a margin. */
static void print_lines(const char *margin, const char *text)
{
    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        printf("%s%.*s\n", margin, (int)size, text);
        text += size + (text[size] == '\n');
    }
}

static void print_for_people(const struct suite *suite, bool is_quiet)
{
    for (size_t i = 0; i < suite->count; i++) {
        const struct testing_result *result = &suite->results[i];
        if (is_quiet && !result->failed)
            continue;
        printf("%s  %s\n", result->failed ? "FAILED" : "ok    ", result->test->name);
        print_lines("        ", result->text);
    }
    if (!is_quiet || suite->failed > 0)
        printf("%s: %s, %zu failed\n", suite->path, text_plural(suite->count, "test"),
               suite->failed);
}

/* -- TAP --------------------------------------------------------------------------------------- */

static void print_tap_line(bool is_ok, size_t number, const char *name)
{
    printf("%s %zu - ", is_ok ? "ok" : "not ok", number);
    for (; *name != '\0'; name++)
        printf("%s%c", *name == '#' || *name == '\\' ? "\\" : "", *name);
    putchar('\n');
}

/* Source: Test Anything Protocol, version 14.  number: of the suite's first test. */
static void print_tap(const struct suite *suite, size_t number)
{
    if (suite->broken)
        print_tap_line(false, number, suite->path);
    for (size_t i = 0; i < suite->count; i++) {
        const struct testing_result *result = &suite->results[i];
        print_tap_line(!result->failed, number + i, result->test->name);
        if (!result->failed)
            continue;
        printf("  ---\n  at: %s\n  message: |\n", result->test->at);
        print_lines("    ", result->text);
        puts("  ...");
    }
}

/* -- JUnit ------------------------------------------------------------------------------------- */

static void print_xml(const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", stdout);
            break;
        case '<':
            fputs("&lt;", stdout);
            break;
        case '>':
            fputs("&gt;", stdout);
            break;
        case '"':
            fputs("&quot;", stdout);
            break;
        default:
            putchar(*text);
        }
    }
}

static void print_testcase(const struct suite *suite, const char *name)
{
    fputs("  <testcase classname=\"", stdout);
    print_xml(suite->path);
    fputs("\" name=\"", stdout);
    print_xml(name);
}

/* Source: the XML that Ant's junit task writes, as CI systems read it. */
static void print_junit(const struct suite *suite)
{
    fputs("<testsuite name=\"", stdout);
    print_xml(suite->path);
    printf("\" tests=\"%zu\" failures=\"%zu\" errors=\"%d\">\n", tests_of(suite), suite->failed,
           suite->broken);
    if (suite->broken) {
        print_testcase(suite, suite->path);
        puts("\">\n    <error message=\"could not be run\"/>\n  </testcase>");
    }
    for (size_t i = 0; i < suite->count; i++) {
        const struct testing_result *result = &suite->results[i];
        print_testcase(suite, result->test->name);
        if (!result->failed) {
            puts("\"/>");
            continue;
        }
        fputs("\">\n    <failure message=\"", stdout);
        print_xml(result->test->at);
        fputs("\">", stdout);
        print_xml(result->text);
        puts("</failure>\n  </testcase>");
    }
    puts("</testsuite>");
}

static void print(const struct suites *suites, const struct options *options)
{
    size_t number = 1;
    if (options->format == FORMAT_TAP)
        printf("TAP version 14\n1..%zu\n", suites->count);
    if (options->format == FORMAT_JUNIT)
        puts("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>");
    for (const struct suite *suite = suites->first; suite != NULL; suite = suite->next) {
        if (options->format == FORMAT_TAP)
            print_tap(suite, number);
        else if (options->format == FORMAT_JUNIT)
            print_junit(suite);
        else if (suite->count > 0)
            print_for_people(suite, options->quiet);
        number += tests_of(suite);
    }
    if (options->format == FORMAT_JUNIT)
        puts("</testsuites>");
}

/* -- which files ------------------------------------------------------------------------------- */

static void add_suite(struct suites *suites, const char *path)
{
    struct suite *suite = arena_make(&suites->arena, sizeof(*suite));
    suite->path = path;
    *suites->end = suite;
    suites->end = &suite->next;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* "a/recordings.test.yaml" of "a/recordings.yaml". */
static const char *tests_beside(struct suites *suites, const char *path)
{
    size_t stem = strlen(path) - strlen(POLICY_SUFFIX);
    return str_format(&suites->arena, "%.*s" POLICY_TESTS, (int)stem, path);
}

static void add_file(struct suites *suites, const char *path)
{
    add_suite(suites, path);
    if (!str_ends(path, POLICY_SUFFIX) || str_ends(path, POLICY_TESTS))
        return;
    const char *beside = tests_beside(suites, path);
    if (exists(beside))
        add_suite(suites, beside);
}

static int is_tests_file(const struct dirent *entry)
{
    return str_ends(entry->d_name, POLICY_TESTS);
}

static const char *path_in(struct suites *suites, const char *folder, const char *name)
{
    return str_equal(folder, ".") ? arena_copy(&suites->arena, name)
                                  : file_join(&suites->arena, folder, name);
}

/* The folder's own policy, if it has one, and every file of tests, by name. */
static void add_folder(struct suites *suites, const char *folder)
{
    struct dirent **entries;
    const char *policy = path_in(suites, folder, WIRING_POLICY);
    int count = scandir(folder, &entries, is_tests_file, alphasort);
    if (exists(policy))
        add_suite(suites, policy);
    for (int i = 0; i < count; i++) {
        add_suite(suites, path_in(suites, folder, entries[i]->d_name));
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

static void find_suites(struct suites *suites, const char *path)
{
    struct stat found;
    const char *folder = path == NULL ? "." : path;
    if (stat(folder, &found) == 0 && S_ISDIR(found.st_mode))
        add_folder(suites, folder);
    else
        add_file(suites, folder);
}

/* -- running them ------------------------------------------------------------------------------ */

static enum exit_code run(struct suite *suite, const struct options *options)
{
    struct testing_result *results;
    struct err err;
    wiring_init(&suite->wiring, options);
    enum exit_code code = wiring_load(&suite->wiring, suite->path);
    struct policies *policies = suite->wiring.policies;
    if (code != EXIT_OK || policies->test_count == 0)
        return code;
    code = wiring_bind(&suite->wiring, &policies->test_shape);
    if (code != EXIT_OK)
        return code;
    if (!testing_run(policies, &suite->wiring.arena, &results, &err))
        return exit_with(&err);
    suite->results = results;
    suite->count = policies->test_count;
    for (size_t i = 0; i < suite->count; i++)
        suite->failed += results[i].failed;
    return EXIT_OK;
}

/* All files, whatever is wrong with one of them. */
static enum exit_code run_all(struct suites *suites, const struct options *options)
{
    enum exit_code worst = EXIT_OK;
    for (struct suite *suite = suites->first; suite != NULL; suite = suite->next) {
        enum exit_code code = run(suite, options);
        worst = worst == EXIT_OK ? code : worst;
        suite->broken = code != EXIT_OK;
        suites->count += tests_of(suite);
        suites->failed += suite->failed;
    }
    return worst;
}

static enum exit_code tell_none(void)
{
    logging_error("`tests:` in the policy, or a file beside it that ends in " POLICY_TESTS,
                  "there are no tests");
    return EXIT_FAILED;
}

int cmd_test(const struct options *options)
{
    struct suites suites = {.end = &suites.first};
    arena_init(&suites.arena, LIST_BYTES_MAX);
    find_suites(&suites, options->args[0]);
    enum exit_code code = run_all(&suites, options);
    if (suites.count == 0)
        code = tell_none();
    else
        print(&suites, options);
    if (code == EXIT_OK && suites.failed > 0)
        code = EXIT_FAILED;
    for (struct suite *suite = suites.first; suite != NULL; suite = suite->next)
        wiring_close(&suite->wiring);
    arena_free(&suites.arena);
    return code;
}
