/* How far a run has come, as people see it: counts and a width become lines. */
#include "engine/progress_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/when.h"
#include "engine/text.h"

static struct buf out;

static struct progress_view a_run(size_t named, uint64_t under_way)
{
    struct progress_view view = {.phase = PROGRESS_RUNNING,
                                 .unit = "directory",
                                 .elapsed_us = 72 * WHEN_SECOND_US,
                                 .at_rest = 12,
                                 .to_rest = 90,
                                 .objects = 1204,
                                 .bytes = 38200000000,
                                 .to_copy_bytes = 100000000000,
                                 .deleted = 800,
                                 .bytes_per_s = 120000000,
                                 .named = named,
                                 .under_way_count = under_way};
    for (size_t i = 0; i < named; i++) {
        view.under_way[i].doing = i % 2 == 0 ? "copying" : "cutting over";
        snprintf(view.under_way[i].name, PROGRESS_NAME_BYTES,
                 "recording/2025-02-1%zu/session_3/00012/", i);
    }
    return view;
}

static size_t block(const struct progress_view *view, size_t columns, size_t lines, bool is_utf8)
{
    struct progress_look look = {
        .columns = columns, .lines = lines, .is_utf8 = is_utf8, .colour = "", .plain = ""};
    buf_reset(&out);
    return progress_view_block(view, &look, &out);
}

static void a_run_is_shown(void **state)
{
    (void)state;
    struct progress_view view = a_run(4, 64);
    assert_int_equal(block(&view, 120, 24, true), 7);
    assert_string_equal(
        buf_string(&out),
        "███████████████░░░░░░░░░░░░░░░░░░░░░░░░░  38 %  running, 1 min 12 s\n"
        "12 of 90 directories at rest, 1,204 objects (38.2 GB) copied, 800 deleted, 120 MB/s, "
        "about 2 min left\n"
        "  copying      recording/2025-02-10/session_3/00012/\n"
        "  cutting over recording/2025-02-11/session_3/00012/\n"
        "  copying      recording/2025-02-12/session_3/00012/\n"
        "  cutting over recording/2025-02-13/session_3/00012/\n"
        "  and 60 more\n");
}

static void forty_columns_are_enough(void **state)
{
    (void)state;
    struct progress_view view = a_run(4, 5);
    assert_int_equal(block(&view, 40, 24, false), 8);
    assert_string_equal(buf_string(&out), "####........  38 %  running, 1 min 12 s\n"
                                          "12 of 90 directories at rest\n"
                                          "1,204 objects (38.2 GB) copied\n"
                                          "800 deleted, 120 MB/s, about 2 min left\n"
                                          "  copying      ..02-10/session_3/00012/\n"
                                          "  cutting over ..02-11/session_3/00012/\n"
                                          "  copying      ..02-12/session_3/00012/\n"
                                          "  and 2 more\n");
}

/* Whatever is counted, no line reaches the last column, and there are at most eight. */
static void no_line_is_too_wide(void **state)
{
    (void)state;
    for (size_t columns = 1; columns <= 250; columns++) {
        for (size_t named = 0; named <= 4; named++) {
            struct progress_view view = a_run(named, named == 4 ? UINT64_MAX : named);
            view.at_rest = view.to_rest = view.objects = view.bytes = UINT64_MAX / 2;
            view.deleted = view.bytes_per_s = UINT64_MAX / 2;
            memset(view.under_way[0].name, 'x', PROGRESS_NAME_BYTES - 1);
            strcpy(view.under_way[1].name, "\xe9\x8c\xb2\xe9\x9f\xb3/\xc3\xbc/\x1b[2J/");
            for (size_t lines = 1; lines <= 9; lines++) {
                for (int is_utf8 = 0; is_utf8 < 2; is_utf8++) {
                    size_t count = block(&view, columns, lines, is_utf8), seen = 0;
                    assert_true(count >= 1 && count <= 8 && count <= lines);
                    char *text = (char *)buf_string(&out);
                    for (char *end; (end = strchr(text, '\n')) != NULL; text = end + 1, seen++) {
                        *end = '\0';
                        assert_true(columns == 1 || text_columns(text) < columns);
                        assert_null(strchr(text, '\x1b'));
                        assert_true(is_utf8 ||
                                    strspn(text, " !\"#$%&'()*+,-./0123456789:;<=>?[_]"
                                                 "abcdefghijklmnopqrstuvwxyz"
                                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(text));
                    }
                    assert_int_equal(seen, count);
                    assert_string_equal(text, "");
                }
            }
        }
    }
}

static void others_are_counted(void **state)
{
    (void)state;
    struct progress_view view = a_run(4, 4);
    assert_int_equal(block(&view, 120, 8, false), 6);
    assert_null(strstr(buf_string(&out), "more"));
    block(&view, 120, 5, false);
    assert_non_null(strstr(buf_string(&out), "11/session_3/00012/\n  and 2 more\n"));
    block(&view, 120, 3, false);
    assert_non_null(strstr(buf_string(&out), "left\n  4 more\n"));
    view = a_run(0, 0);
    assert_int_equal(block(&view, 120, 8, false), 2);
}

static void waits_and_plans_are_shown(void **state)
{
    (void)state;
    struct progress_view view = {.phase = PROGRESS_WAITING,
                                 .what = "connecting to the catalog",
                                 .elapsed_us = 3 * WHEN_SECOND_US};
    block(&view, 80, 24, true);
    assert_string_equal(buf_string(&out), "connecting to the catalog, 3 s\n");
    view = (struct progress_view){
        .phase = PROGRESS_READING, .rows = 1200000, .elapsed_us = 12 * WHEN_SECOND_US};
    block(&view, 80, 24, true);
    assert_string_equal(buf_string(&out), "planning, 12 s\n1,200,000 rows read so far\n");
    view = (struct progress_view){.phase = PROGRESS_LISTING,
                                  .unit = "directory",
                                  .listed = 300,
                                  .to_list = 1200,
                                  .elapsed_us = 4 * WHEN_SECOND_US};
    block(&view, 80, 24, false);
    assert_string_equal(buf_string(&out),
                        "##########..............................  25 %  planning, 4 s\n"
                        "300 of 1,200 directories listed\n");
}

static const char *line(const struct progress_view *view, bool is_over)
{
    buf_reset(&out);
    progress_view_line(view, is_over, &out);
    return buf_string(&out);
}

static void one_line_tells_it_all(void **state)
{
    (void)state;
    struct progress_view view = a_run(2, 64);
    assert_string_equal(line(&view, false),
                        "running, 1 min 12 s: 12 of 90 directories at rest, 1,204 objects (38.2 "
                        "GB) copied, 800 deleted, 120 MB/s, about 2 min left; copying "
                        "recording/2025-02-10/session_3/00012/, cutting over "
                        "recording/2025-02-11/session_3/00012/ and 62 more");
    view = a_run(0, 0);
    view.to_rest = view.bytes_per_s = 0;
    assert_string_equal(line(&view, true), "the run took 1 min 12 s: 12 directories at rest, 1,204 "
                                           "objects (38.2 GB) copied, 800 deleted");
    view = (struct progress_view){
        .phase = PROGRESS_READING, .rows = 1, .elapsed_us = 61 * WHEN_SECOND_US};
    assert_string_equal(line(&view, false), "planning, 1 min 1 s: 1 row read so far");
    assert_string_equal(line(&view, true), "planning took 1 min 1 s: 1 row read");
    view = (struct progress_view){.elapsed_us = WHEN_SECOND_US};
    assert_string_equal(line(&view, false), "nothing that takes long is under way");
}

static void programs_get_numbers(void **state)
{
    (void)state;
    struct progress_view view = a_run(2, 64);
    struct log_field fields[PROGRESS_FIELDS_MAX];
    size_t count = progress_view_fields(&view, fields);
    assert_true(count <= PROGRESS_FIELDS_MAX);
    assert_string_equal(fields[0].text, "running");
    assert_string_equal(fields[count - 1].name, "seconds_left");
    assert_int_equal(fields[count - 1].number, 116);
    view.phase = PROGRESS_LISTING;
    assert_int_equal(progress_view_fields(&view, fields), 4);
}

static void time_left_is_told_once_it_means_something(void **state)
{
    (void)state;
    struct progress_view view = a_run(0, 0);
    view.elapsed_us = 100 * WHEN_SECOND_US;
    view.bytes = 25000000000;
    assert_int_equal(progress_view_left_us(&view), 300 * WHEN_SECOND_US);
    view.bytes = 1900000000; /* too little was done */
    view.at_rest = 0;
    assert_int_equal(progress_view_left_us(&view), -1);
    view.at_rest = 45; /* what was copied by an earlier run is not copied again */
    assert_int_equal(progress_view_left_us(&view), 100 * WHEN_SECOND_US);
    view.elapsed_us = 9 * WHEN_SECOND_US; /* too early */
    assert_int_equal(progress_view_left_us(&view), -1);
    view.elapsed_us = 100 * WHEN_SECOND_US;
    view.bytes_per_s = 0; /* it stands */
    assert_int_equal(progress_view_left_us(&view), -1);
    view.to_copy_bytes = 0; /* there is nothing to copy */
    assert_int_equal(progress_view_left_us(&view), 100 * WHEN_SECOND_US);
    view.to_rest = 0; /* nobody knows how much there is */
    assert_int_equal(progress_view_left_us(&view), -1);
    view = a_run(0, 0);
    view.at_rest = view.to_rest; /* it ends any moment */
    assert_int_equal(progress_view_left_us(&view), -1);
}

static void time_left_has_few_digits(void **state)
{
    (void)state;
    static const struct {
        int64_t elapsed_s;
        const char *left;
    } cases[] = {{20, ", about 20 s left"},
                 {58, ", about 1 min left"},
                 {100, ", about 2 min left"},
                 {3000, ", about 50 min left"},
                 {7260, ", about 2 h 1 min left"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct progress_view view = a_run(0, 0);
        view.bytes = view.to_copy_bytes / 2;
        view.elapsed_us = cases[i].elapsed_s * WHEN_SECOND_US;
        assert_non_null(strstr(line(&view, false), cases[i].left));
    }
}

static void elapsed_time_is_read_at_a_glance(void **state)
{
    (void)state;
    static const struct {
        int64_t s;
        const char *text;
    } cases[] = {
        {-5, "0 s"},           {0, "0 s"},          {59, "59 s"},           {60, "1 min 0 s"},
        {3599, "59 min 59 s"}, {3600, "1 h 0 min"}, {86399, "23 h 59 min"}, {90000, "1 d 1 h"}};
    char text[PROGRESS_ELAPSED_MAX];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        progress_view_elapsed(cases[i].s * WHEN_SECOND_US, text);
        assert_string_equal(text, cases[i].text);
    }
    progress_view_elapsed(INT64_MAX, text);
    assert_string_equal(text, "106751991 d 4 h");
}

static void names_are_cut_to_fit(void **state)
{
    (void)state;
    assert_string_equal(text_fit("abcdef", 6, TEXT_START, true), "abcdef");
    assert_string_equal(text_fit("abcdef", 5, TEXT_START, true), "\u2026cdef");
    assert_string_equal(text_fit("abcdef", 5, TEXT_END, true), "abcd\u2026");
    assert_string_equal(text_fit("abcdef", 5, TEXT_START, false), "..def");
    assert_string_equal(text_fit("abcdef", 5, TEXT_END, false), "abc..");
    assert_string_equal(text_fit("abcdef", 1, TEXT_END, false), "");
    assert_string_equal(text_fit("\u00fc\u00fc\u00fc", 3, TEXT_END, true), "\u00fc\u00fc\u00fc");
    assert_string_equal(text_fit("\u00fc\u00fc/", 3, TEXT_END, false), "\?\?/");
    /* Wide characters take two columns, and are not cut in half. */
    assert_int_equal(text_columns("\u9332\u97f3/\U0001f600"), 7);
    assert_string_equal(text_fit("\u9332\u97f3/", 4, TEXT_START, true), "\u2026\u97f3/");
    assert_string_equal(text_fit("\u9332\u97f3/", 3, TEXT_START, true), "\u2026/");
    assert_string_equal(text_fit("\u9332\u97f3/", 4, TEXT_END, true), "\u9332\u2026");
}

static int set_up(void **state)
{
    (void)state;
    buf_init(&out, 1 << 16);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_free(&out);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_is_shown),
        cmocka_unit_test(forty_columns_are_enough),
        cmocka_unit_test(no_line_is_too_wide),
        cmocka_unit_test(others_are_counted),
        cmocka_unit_test(waits_and_plans_are_shown),
        cmocka_unit_test(one_line_tells_it_all),
        cmocka_unit_test(programs_get_numbers),
        cmocka_unit_test(time_left_is_told_once_it_means_something),
        cmocka_unit_test(time_left_has_few_digits),
        cmocka_unit_test(elapsed_time_is_read_at_a_glance),
        cmocka_unit_test(names_are_cut_to_fit),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
