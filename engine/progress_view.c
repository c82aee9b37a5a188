#include "engine/progress_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/when.h"
#include "engine/text.h"

#define LEFT_AFTER_US (10 * WHEN_SECOND_US)
#define LEFT_AFTER_PERMILLE 20
#define BAR_CELLS_MAX 40
#define BAR_CELLS_MIN 8
#define PART_BYTES 128
#define DOING_COLUMNS 13

/* -- numbers -------------------------------------------------------------------------------------
 */

void progress_view_elapsed(int64_t elapsed_us, char text[PROGRESS_ELAPSED_MAX])
{
    int64_t s = elapsed_us > 0 ? elapsed_us / WHEN_SECOND_US : 0;
    if (s < 60)
        snprintf(text, PROGRESS_ELAPSED_MAX, "%" PRId64 " s", s);
    else if (s < 3600)
        snprintf(text, PROGRESS_ELAPSED_MAX, "%" PRId64 " min %" PRId64 " s", s / 60, s % 60);
    else if (s < 86400)
        snprintf(text, PROGRESS_ELAPSED_MAX, "%" PRId64 " h %" PRId64 " min", s / 3600,
                 s / 60 % 60);
    else
        snprintf(text, PROGRESS_ELAPSED_MAX, "%" PRId64 " d %" PRId64 " h", s / 86400,
                 s / 3600 % 24);
}

static unsigned permille(uint64_t done, uint64_t all)
{
    if (all == 0)
        return 0;
    return done >= all ? 1000 : (unsigned)((double)done * 1000 / (double)all);
}

/* What an earlier run had copied is not copied again: then units at rest tell more than bytes. */
static unsigned share(const struct progress_view *view)
{
    unsigned copied = permille(view->bytes, view->to_copy_bytes);
    unsigned rested = permille(view->at_rest, view->to_rest);
    if (view->phase == PROGRESS_LISTING)
        return permille(view->listed, view->to_list);
    unsigned most = copied > rested ? copied : rested;
    return most < 1000 ? most : 999; /* while it runs, something is still to come */
}

static bool has_share(const struct progress_view *view)
{
    return (view->phase == PROGRESS_RUNNING && view->to_rest > 0) ||
           (view->phase == PROGRESS_LISTING && view->to_list > 0);
}

int64_t progress_view_left_us(const struct progress_view *view)
{
    unsigned done = share(view);
    bool stands = view->to_copy_bytes > 0 && view->bytes_per_s == 0;
    if (!has_share(view) || view->elapsed_us < LEFT_AFTER_US || done < LEFT_AFTER_PERMILLE ||
        done >= 999 || (view->phase == PROGRESS_RUNNING && stands))
        return -1;
    return view->elapsed_us / done * (1000 - done);
}

/* No more digits than it deserves: "40 s", "12 min", "2 h 10 min". */
static void left_text(int64_t left_us, char text[PROGRESS_ELAPSED_MAX])
{
    int64_t s = left_us / WHEN_SECOND_US;
    if (s <= 50)
        snprintf(text, PROGRESS_ELAPSED_MAX, "%" PRId64 " s", s > 0 ? (s + 9) / 10 * 10 : 10);
    else if (s < 3600)
        snprintf(text, PROGRESS_ELAPSED_MAX, "%" PRId64 " min", (s + 30) / 60);
    else
        progress_view_elapsed(left_us, text);
}

/* -- words ---------------------------------------------------------------------------------------
 */

/* What is worth saying of a view, each short enough for a line of its own. */
struct parts {
    char texts[6][PART_BYTES];
    size_t count;
};

static void PRINTF(2, 3) add(struct parts *parts, const char *fmt, ...)
{
    va_list arguments;
    va_start(arguments, fmt);
    vsnprintf(parts->texts[parts->count++], PART_BYTES, fmt, arguments);
    va_end(arguments);
}

static void add_running(const struct progress_view *view, struct parts *parts)
{
    int64_t left_us = progress_view_left_us(view);
    char left[PROGRESS_ELAPSED_MAX];
    if (view->to_rest > 0)
        add(parts, "%s of %s at rest", text_count(view->at_rest),
            text_plural(view->to_rest, view->unit));
    else
        add(parts, "%s at rest", text_plural(view->at_rest, view->unit));
    add(parts, "%s (%s) copied", text_plural(view->objects, "object"), text_size(view->bytes));
    add(parts, "%s deleted", text_count(view->deleted));
    if (view->bytes_per_s > 0)
        add(parts, "%s/s", text_size(view->bytes_per_s));
    if (left_us >= 0) {
        left_text(left_us, left);
        add(parts, "about %s left", left);
    }
}

static void add_parts(const struct progress_view *view, bool is_over, struct parts *parts)
{
    switch (view->phase) {
    case PROGRESS_NOTHING:
    case PROGRESS_WAITING:
        return;
    case PROGRESS_READING:
        add(parts, "%s read%s", text_plural(view->rows, "row"), is_over ? "" : " so far");
        return;
    case PROGRESS_LISTING:
        add(parts, "%s of %s listed", text_count(view->listed),
            text_plural(view->to_list, view->unit));
        return;
    case PROGRESS_RUNNING:
        add_running(view, parts);
        return;
    }
}

static const char *title(const struct progress_view *view)
{
    static const char *const titles[] = {[PROGRESS_NOTHING] =
                                             "nothing that takes long is under way",
                                         [PROGRESS_READING] = "planning",
                                         [PROGRESS_LISTING] = "planning",
                                         [PROGRESS_RUNNING] = "running"};
    return view->phase == PROGRESS_WAITING ? view->what : titles[view->phase];
}

static void put_under_way(const struct progress_view *view, struct buf *out)
{
    for (size_t i = 0; i < view->named; i++)
        buf_format(out, "%s %s %s", i == 0 ? ";" : ",", view->under_way[i].doing,
                   text_plain(view->under_way[i].name));
    if (view->under_way_count > view->named)
        buf_format(out, " and %s more", text_count(view->under_way_count - view->named));
}

void progress_view_line(const struct progress_view *view, bool is_over, struct buf *out)
{
    struct parts parts = {.count = 0};
    char elapsed[PROGRESS_ELAPSED_MAX];
    progress_view_elapsed(view->elapsed_us, elapsed);
    add_parts(view, is_over, &parts);
    if (view->phase == PROGRESS_NOTHING)
        buf_text(out, title(view));
    else if (is_over)
        buf_format(out, "%s took %s", view->phase == PROGRESS_RUNNING ? "the run" : title(view),
                   elapsed);
    else
        buf_format(out, "%s, %s", title(view), elapsed);
    for (size_t i = 0; i < parts.count; i++)
        buf_format(out, "%s%s", i == 0 ? ": " : ", ", parts.texts[i]);
    put_under_way(view, out);
}

size_t progress_view_fields(const struct progress_view *view,
                            struct log_field fields[PROGRESS_FIELDS_MAX])
{
    int64_t left_us = progress_view_left_us(view);
    size_t count = 0;
    fields[count++] = LOG_TEXT("phase", title(view));
    fields[count++] = LOG_NUMBER("seconds", view->elapsed_us / WHEN_SECOND_US);
    if (view->phase == PROGRESS_READING)
        fields[count++] = LOG_NUMBER("rows", (int64_t)view->rows);
    if (view->phase == PROGRESS_LISTING) {
        fields[count++] = LOG_NUMBER("listed", (int64_t)view->listed);
        fields[count++] = LOG_NUMBER("to_list", (int64_t)view->to_list);
    }
    if (view->phase != PROGRESS_RUNNING)
        return count;
    fields[count++] = LOG_NUMBER("at_rest", (int64_t)view->at_rest);
    if (view->to_rest > 0)
        fields[count++] = LOG_NUMBER("to_rest", (int64_t)view->to_rest);
    fields[count++] = LOG_NUMBER("under_way", (int64_t)view->under_way_count);
    fields[count++] = LOG_NUMBER("objects_copied", (int64_t)view->objects);
    fields[count++] = LOG_NUMBER("bytes_copied", (int64_t)view->bytes);
    fields[count++] = LOG_NUMBER("objects_deleted", (int64_t)view->deleted);
    fields[count++] = LOG_NUMBER("bytes_per_s", (int64_t)view->bytes_per_s);
    if (left_us >= 0)
        fields[count++] = LOG_NUMBER("seconds_left", left_us / WHEN_SECOND_US);
    return count;
}

/* -- the block -----------------------------------------------------------------------------------
 */

struct page {
    const struct progress_look *look;
    struct buf *out;
    size_t lines;
};

/* The room of a line: its last column is left free, for what stands there may wrap. */
static size_t room(const struct page *page)
{
    return page->look->columns > 1 ? page->look->columns - 1 : 1;
}

static bool has_room(const struct page *page)
{
    size_t most = page->look->lines < PROGRESS_LINES_MAX ? page->look->lines : PROGRESS_LINES_MAX;
    return page->lines < most;
}

static void end_line(struct page *page)
{
    buf_char(page->out, '\n');
    page->lines++;
}

static void put_cut(struct page *page, const char *text, size_t columns)
{
    buf_text(page->out, text_fit(text, columns, TEXT_END, page->look->is_utf8));
}

/* "####......  41 %  running, 12 s" */
static void put_bar(struct page *page, const struct progress_view *view)
{
    const struct progress_look *look = page->look;
    char elapsed[PROGRESS_ELAPSED_MAX], head[2 * PART_BYTES];
    unsigned done = share(view);
    progress_view_elapsed(view->elapsed_us, elapsed);
    if (!has_share(view)) {
        snprintf(head, sizeof(head), "%s, %s", title(view), elapsed);
        put_cut(page, head, room(page));
        end_line(page);
        return;
    }
    snprintf(head, sizeof(head), " %3u %%  %s, %s", done / 10, title(view), elapsed);
    size_t width = text_columns(head), cells = BAR_CELLS_MAX;
    if (cells + width > room(page))
        cells = width + BAR_CELLS_MIN < room(page) ? room(page) - width : BAR_CELLS_MIN;
    if (cells > room(page))
        cells = room(page);
    size_t filled = cells * done / 1000;
    buf_text(page->out, look->colour);
    for (size_t i = 0; i < filled; i++)
        buf_text(page->out, look->is_utf8 ? "█" : "#");
    buf_text(page->out, look->plain);
    for (size_t i = filled; i < cells; i++)
        buf_text(page->out, look->is_utf8 ? "░" : ".");
    put_cut(page, head, room(page) > cells ? room(page) - cells : 0);
    end_line(page);
}

/* As many a line as there is room for. */
static void put_parts(struct page *page, const struct progress_view *view)
{
    struct parts parts = {.count = 0};
    size_t column = 0;
    add_parts(view, false, &parts);
    for (size_t i = 0; i < parts.count; i++) {
        size_t width = text_columns(parts.texts[i]);
        if (column > 0 && column + 2 + width > room(page)) {
            end_line(page);
            column = 0;
        }
        if (!has_room(page))
            return;
        if (column > 0)
            buf_text(page->out, ", ");
        column += width + (column > 0 ? 2 : 0);
        put_cut(page, parts.texts[i], room(page));
    }
    if (column > 0)
        end_line(page);
}

static void put_names(struct page *page, const struct progress_view *view)
{
    size_t named = 0;
    for (; named < view->named; named++) {
        bool is_last = named + 1 == view->under_way_count;
        page->lines += !is_last; /* room for the number of the others */
        bool fits = has_room(page);
        page->lines -= !is_last;
        if (!fits)
            break;
        char doing[32];
        snprintf(doing, sizeof(doing), "  %-*s", DOING_COLUMNS, view->under_way[named].doing);
        put_cut(page, doing, room(page));
        if (room(page) > DOING_COLUMNS + 2)
            buf_text(page->out,
                     text_fit(view->under_way[named].name, room(page) - DOING_COLUMNS - 2,
                              TEXT_START, page->look->is_utf8));
        end_line(page);
    }
    uint64_t more = view->under_way_count - named;
    char text[PART_BYTES];
    if (more == 0 || !has_room(page))
        return;
    snprintf(text, sizeof(text), "  %s%s more", named > 0 ? "and " : "", text_count(more));
    put_cut(page, text, room(page));
    end_line(page);
}

size_t progress_view_block(const struct progress_view *view, const struct progress_look *look,
                           struct buf *out)
{
    struct page page = {.look = look, .out = out};
    put_bar(&page, view);
    put_parts(&page, view);
    put_names(&page, view);
    return page.lines;
}
