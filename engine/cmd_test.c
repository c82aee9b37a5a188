#include <stdio.h>
#include <string.h>

#include "engine/cmd.h"
#include "engine/testing.h"
#include "engine/text.h"
#include "engine/wiring.h"

struct tally {
    const struct testing_result *results;
    size_t count, failed;
};

/* Each line of a text behind a margin. */
static void print_lines(const char *margin, const char *text)
{
    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        printf("%s%.*s\n", margin, (int)size, text);
        text += size + (text[size] == '\n');
    }
}

static void print_for_people(const struct tally *tally, const char *path, bool is_quiet)
{
    for (size_t i = 0; i < tally->count; i++) {
        const struct testing_result *result = &tally->results[i];
        if (is_quiet && !result->failed)
            continue;
        printf("%s  %s\n", result->failed ? "FAILED" : "ok    ", result->test->name);
        print_lines("        ", result->text);
    }
    if (!is_quiet || tally->failed > 0)
        printf("%s: %s, %zu failed\n", path, text_plural(tally->count, "test"), tally->failed);
}

/* Source: Test Anything Protocol, version 14. */
static void print_tap(const struct tally *tally)
{
    printf("TAP version 14\n1..%zu\n", tally->count);
    for (size_t i = 0; i < tally->count; i++) {
        const struct testing_result *result = &tally->results[i];
        printf("%s %zu - ", result->failed ? "not ok" : "ok", i + 1);
        for (const char *c = result->test->name; *c != '\0'; c++)
            printf("%s%c", *c == '#' || *c == '\\' ? "\\" : "", *c);
        putchar('\n');
        if (!result->failed)
            continue;
        printf("  ---\n  at: %s\n  message: |\n", result->test->at);
        print_lines("    ", result->text);
        puts("  ...");
    }
}

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

/* Source: the XML that Ant's junit task writes, as CI systems read it. */
static void print_junit(const struct tally *tally, const char *path)
{
    printf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"");
    print_xml(path);
    printf("\" tests=\"%zu\" failures=\"%zu\" errors=\"0\">\n", tally->count, tally->failed);
    for (size_t i = 0; i < tally->count; i++) {
        const struct testing_result *result = &tally->results[i];
        fputs("  <testcase classname=\"", stdout);
        print_xml(path);
        fputs("\" name=\"", stdout);
        print_xml(result->test->name);
        if (!result->failed) {
            puts("\"/>");
            continue;
        }
        printf("\">\n    <failure message=\"%s\">", result->test->at);
        print_xml(result->text);
        puts("</failure>\n  </testcase>");
    }
    puts("</testsuite>");
}

static void print(const struct tally *tally, const char *path, const struct options *options)
{
    if (options->format == FORMAT_TAP)
        print_tap(tally);
    else if (options->format == FORMAT_JUNIT)
        print_junit(tally, path);
    else
        print_for_people(tally, path, options->quiet);
}

static enum exit_code run(struct wiring *wiring)
{
    struct policies *policies = wiring->policies;
    struct testing_result *results;
    struct tally tally = {.count = policies->test_count};
    struct err err;
    if (policies->test_count == 0) {
        fprintf(stderr,
                "frostline: %s has no tests\n"
                "  hint: `tests:` in the policy, or a file beside it that ends in .test.yaml\n",
                policies->path);
        return EXIT_FAILED;
    }
    if (!testing_run(policies, &wiring->arena, &results, &err))
        return exit_with(&err);
    for (size_t i = 0; i < tally.count; i++)
        tally.failed += results[i].failed;
    tally.results = results;
    print(&tally, policies->path, wiring->options);
    return tally.failed == 0 ? EXIT_OK : EXIT_FAILED;
}

int cmd_test(const struct options *options)
{
    struct wiring wiring;
    wiring_init(&wiring, options);
    enum exit_code code = wiring_load(&wiring, options->args[0]);
    if (code == EXIT_OK && wiring.policies->test_count > 0)
        code = wiring_bind(&wiring, &wiring.policies->test_shape);
    if (code == EXIT_OK)
        code = run(&wiring);
    wiring_close(&wiring);
    return code;
}
