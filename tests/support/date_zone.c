#include "tests/support/date_zone.h"

#include <fcntl.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/str.h"
#include "base/when.h"
#include "tests/support/scratch.h"

#define SAMPLE_S (6 * 3600)
#define LINES_BYTES_MAX ((size_t)64 << 20)

/* ---- asking ---- */

/* The zone is in the environment of the child alone.  It ends with 1 if it refused some lines. */
static void run_date(const char *name, const char *input, const char *format, const char *output)
{
    char zone[64];
    snprintf(zone, sizeof zone, "TZ=%s", name);
    const char *const arguments[] = {"date", "-f", input, format, NULL};
    const char *const environment[] = {zone, "LC_ALL=C", NULL};
    posix_spawn_file_actions_t files;
    pid_t child;
    int status;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    assert_int_equal(posix_spawnp(&child, "date", &files, NULL, (char *const *)arguments,
                                  (char *const *)environment),
                     0);
    posix_spawn_file_actions_destroy(&files);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
}

/* One process answers all lines. */
static char *ask(const char *name, const struct buf *lines, const char *format, struct arena *arena)
{
    char folder[64];
    struct err err;
    char *reply;
    size_t size_bytes;
    scratch_folder(folder, sizeof folder);
    const char *input = file_join(arena, folder, "input");
    const char *output = file_join(arena, folder, "output");
    FILE *stream = fopen(input, "w");
    assert_non_null(stream);
    assert_int_equal(fwrite(buf_string(lines), 1, lines->size, stream), lines->size);
    assert_int_equal(fclose(stream), 0);
    run_date(name, input, format, output);
    if (!file_read(output, LINES_BYTES_MAX, arena, &reply, &size_bytes, &err))
        fail_msg("%s", err.text);
    scratch_remove(folder);
    return reply;
}

static char *ask_instants(const char *name, const int64_t *at_s, size_t count, const char *format,
                          struct arena *arena)
{
    struct buf lines;
    buf_init(&lines, LINES_BYTES_MAX);
    for (size_t i = 0; i < count; i++)
        buf_format(&lines, "@%lld\n", (long long)at_s[i]);
    char *reply = ask(name, &lines, format, arena);
    buf_free(&lines);
    return reply;
}

/* "+02:00:00" and the end of the line. */
static int32_t take_offset(char **at)
{
    int sign = **at == '-' ? -1 : 1;
    long hours = strtol(*at + 1, at, 10);
    long minutes = strtol(*at + 1, at, 10);
    long seconds = strtol(*at + 1, at, 10);
    assert_int_equal(*(*at)++, '\n');
    return (int32_t)(sign * (hours * 3600 + minutes * 60 + seconds));
}

/* Not with %s: date(1) makes that from what is shown, and where two offsets of standard time show
 * the same (Casablanca, New Year's Eve of 1985) it may say the other instant. */
static void ask_offsets(const char *name, const int64_t *at_s, size_t count, int32_t *offsets_s,
                        struct arena *arena)
{
    char *at = ask_instants(name, at_s, count, "+%::z", arena);
    for (size_t i = 0; i < count; i++)
        offsets_s[i] = take_offset(&at);
    assert_int_equal(*at, '\0');
}

/* ---- learning ---- */

/* Each span but the first begins within the SAMPLE_S up to its start_s: at which second? */
static void bisect(struct date_zone *zone, struct arena *arena)
{
    size_t count = zone->count - 1;
    struct date_span *spans = zone->spans + 1;
    int64_t *middles_s = arena_make(arena, zone->count * sizeof *middles_s);
    int32_t *offsets_s = arena_make(arena, zone->count * sizeof *offsets_s);
    for (int64_t width_s = SAMPLE_S; width_s > 1; width_s -= width_s / 2) {
        for (size_t i = 0; i < count; i++)
            middles_s[i] = spans[i].start_s - width_s / 2;
        ask_offsets(zone->name, middles_s, count, offsets_s, arena);
        for (size_t i = 0; i < count; i++) {
            if (offsets_s[i] == spans[i].offset_s)
                spans[i].start_s = middles_s[i];
            else /* a third offset would be two changes within SAMPLE_S */
                assert_int_equal(offsets_s[i], zone->spans[i].offset_s);
        }
    }
}

void date_zone_learn(struct date_zone *zone, const char *name, struct arena *arena)
{
    const size_t samples = (DATE_ZONE_END_S - DATE_ZONE_FIRST_S) / SAMPLE_S + 1;
    struct arena scratch;
    arena_init(&scratch, LINES_BYTES_MAX);
    int64_t *at_s = arena_make(&scratch, samples * sizeof *at_s);
    int32_t *offsets_s = arena_make(&scratch, samples * sizeof *offsets_s);
    for (size_t i = 0; i < samples; i++)
        at_s[i] = DATE_ZONE_FIRST_S + (int64_t)i * SAMPLE_S;
    ask_offsets(name, at_s, samples, offsets_s, &scratch);

    size_t count = 1;
    for (size_t i = 1; i < samples; i++)
        count += offsets_s[i] != offsets_s[i - 1];
    *zone = (struct date_zone){name, arena_make(arena, count * sizeof *zone->spans), 1};
    zone->spans[0] = (struct date_span){.start_s = INT64_MIN, .offset_s = offsets_s[0]};
    for (size_t i = 1; i < samples; i++) {
        if (offsets_s[i] != offsets_s[i - 1])
            zone->spans[zone->count++] =
                (struct date_span){.start_s = at_s[i], .offset_s = offsets_s[i]};
    }
    bisect(zone, &scratch);
    for (size_t i = 0; i < count; i++)
        zone->spans[i].end_s = i + 1 < count ? zone->spans[i + 1].start_s : INT64_MAX;
    arena_free(&scratch);
}

int32_t date_zone_offset(const struct date_zone *zone, int64_t at_s)
{
    const struct date_span *span = zone->spans;
    while (at_s >= span->end_s)
        span++;
    return span->offset_s;
}

/* ---- law 5 ---- */

/* The latest span that has come to show this by its end shows it, or a later one jumped over it. */
int64_t date_zone_instant(const struct date_zone *zone, int64_t shown_us)
{
    int64_t rest_us = shown_us % WHEN_SECOND_US;
    for (size_t i = zone->count; i-- > 0;) {
        const struct date_span *span = &zone->spans[i];
        int64_t at_s = shown_us / WHEN_SECOND_US - span->offset_s;
        if (at_s >= span->end_s)
            return span->end_s * WHEN_SECOND_US;
        if (at_s >= span->start_s)
            return at_s * WHEN_SECOND_US + rest_us;
    }
    fail_msg("%s never shows %lld", zone->name, (long long)shown_us);
    return 0;
}

static void shown_text(int64_t shown_s, char text[32])
{
    struct tm tm;
    time_t at_s = shown_s;
    gmtime_r(&at_s, &tm);
    strftime(text, 32, "%F %T", &tm);
}

void date_zone_check(const struct date_zone *zone, const int64_t *shown_s, size_t count)
{
    struct arena scratch;
    struct buf lines;
    char text[32];
    arena_init(&scratch, 2 * LINES_BYTES_MAX);
    buf_init(&lines, LINES_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        shown_text(shown_s[i], text);
        buf_format(&lines, "%s\n", text);
    }
    /* A line that is refused has no answer, so each answer names its line. */
    char *at = ask(zone->name, &lines, "+%F %T %::z", &scratch);
    for (size_t i = 0; i < count; i++) {
        int64_t law_s = date_zone_instant(zone, shown_s[i] * WHEN_SECOND_US) / WHEN_SECOND_US;
        bool is_shown = law_s + date_zone_offset(zone, law_s) == shown_s[i];
        shown_text(shown_s[i], text);
        if (str_starts(at, text) != is_shown)
            fail_msg("%s: date(1) is not of one mind about %s", zone->name, text);
        if (!is_shown)
            continue;
        at += strlen(text) + 1;
        int64_t read_s = shown_s[i] - take_offset(&at);
        assert_true(read_s + date_zone_offset(zone, read_s) == shown_s[i] && read_s <= law_s);
    }
    assert_int_equal(*at, '\0');
    buf_free(&lines);
    arena_free(&scratch);
}

const char *date_zone_show(const struct date_zone *zone, const int64_t *at_s, size_t count,
                           struct arena *arena)
{
    return ask_instants(zone->name, at_s, count, "+%F %T", arena);
}
