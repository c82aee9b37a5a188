#include "engine/show_diff.h"

#include <string.h>

#include "base/str.h"
#include "engine/cut.h"
#include "engine/diff_text.h"
#include "engine/text.h"

#define ROWS_SHOWN 8 /* recordings that a directory gained or lost */
#define PAGE_BYTES_MAX ((size_t)16 << 20)

/* What stands around the rows is made first if it is known: what it leaves of max_bytes is theirs.
 */
struct page {
    const struct show_diff *diff;
    bool is_counted;       /* the tally is complete before the rows */
    struct diff_text text; /* writes to the row */
    struct buf head, row, foot;
    struct cut cut;
    uint64_t rows_shown; /* in the row at hand */
};

static const char *policy_digest(const struct plan_reader *plan)
{
    return strchr(plan_file_header(plan)->policy_digest, ':') + 1;
}

/* -- the summary --------------------------------------------------------------------------------
 */

/* "2 directories (5 recordings, 9.1 GB)" */
static void put_count(struct buf *out, const struct show_diff *diff, const struct diff_count *count)
{
    const char *unit = text_unit(plan_file_header(diff->new)->by_object);
    buf_format(out, "%s (%s, %s)", text_plural(count->directories, unit),
               text_plural(count->recordings, "recording"), text_size(count->bytes));
}

static void put_counts(struct buf *out, const struct show_diff *diff,
                       const struct diff_count of[PLAN_DIFF_CHANGES])
{
    const char *comma = "";
    for (size_t i = 0; i < PLAN_DIFF_CHANGES; i++) {
        if (of[i].directories == 0)
            continue;
        buf_text(out, comma);
        put_count(out, diff, &of[i]);
        buf_format(out, " %s", plan_diff_change_name((enum plan_diff_change)i));
        comma = ", ";
    }
}

static bool has_any(const struct diff_policy *policy)
{
    for (size_t i = 0; i < PLAN_DIFF_CHANGES; i++)
        if (policy->of[i].directories > 0)
            return true;
    return false;
}

/* " To move: 400 recordings (1.21 TB) -> 412 recordings (1.3 TB)." */
static void put_change(struct buf *out, const char *verb, uint64_t old_recordings,
                       uint64_t old_bytes, uint64_t new_recordings, uint64_t new_bytes)
{
    buf_format(out, " To %s: %s (%s) -> %s (%s).", verb, text_plural(old_recordings, "recording"),
               text_size(old_bytes), text_plural(new_recordings, "recording"),
               text_size(new_bytes));
}

/* "Diff: .. added, .. dropped. To move: .. To retier: .." */
static void put_total(struct buf *out, const struct show_diff *diff)
{
    const struct plan_summary *old = plan_file_summary(diff->old);
    const struct plan_summary *new = plan_file_summary(diff->new);
    bool is_edited = plan_diff_is_edited(plan_file_header(diff->old), plan_file_header(diff->new));
    if (diff_tally_is_empty(diff->tally)) {
        buf_text(out, is_edited ? "No differences: the policy was edited, and plans the same."
                                : "No differences.");
        return;
    }
    buf_text(out, "Diff: ");
    put_counts(out, diff, diff->tally->of);
    buf_char(out, '.');
    put_change(out, "move", old->move_recordings, old->move_bytes, new->move_recordings,
               new->move_bytes);
    if (old->actions[PLAN_RETIER] + new->actions[PLAN_RETIER] > 0)
        put_change(out, "retier", old->retier_recordings, old->retier_bytes, new->retier_recordings,
                   new->retier_bytes);
}

static bool is_half_surveyed(const struct show_diff *diff)
{
    return plan_file_header(diff->old)->surveyed != plan_file_header(diff->new)->surveyed;
}

/* -- rows ---------------------------------------------------------------------------------------
 */

static void put_row(void *context, bool is_gained, const struct plan_row *row)
{
    struct page *page = context;
    if (page->rows_shown++ >= ROWS_SHOWN)
        return;
    buf_format(&page->row, "%s%c ", page->text.is_markdown ? "<br>" : "\n      ",
               is_gained ? '+' : '-');
    diff_text_foreign(&page->text, row->id);
    if (is_gained && row->because[0] != '\0') {
        buf_text(&page->row, "   ");
        diff_text_foreign(&page->text, row->because);
    }
}

static void put_rows(struct page *page, const struct plan_diff *diff)
{
    page->rows_shown = 0;
    if (diff->change != PLAN_DIFF_CHANGED)
        return;
    plan_diff_each_row(diff, put_row, page);
    if (page->rows_shown > ROWS_SHOWN)
        buf_format(&page->row, "%s.. %s more", page->text.is_markdown ? "<br>" : "\n      ",
                   text_count(page->rows_shown - ROWS_SHOWN));
}

static void put_human(struct page *page, const struct plan_diff *diff, int64_t run)
{
    buf_format(&page->row, "  %c ", diff_text_sign(diff->change));
    diff_text_place(&page->text, diff);
    buf_text(&page->row, "   ");
    diff_text_what(&page->text, diff);
    diff_text_why(&page->text, diff, run, "   ");
    put_rows(page, diff);
    buf_char(&page->row, '\n');
}

static void put_markdown(struct page *page, const struct plan_diff *diff, int64_t run)
{
    buf_format(&page->row, "| %c | ", diff_text_sign(diff->change));
    diff_text_place(&page->text, diff);
    buf_text(&page->row, " | ");
    diff_text_what(&page->text, diff);
    put_rows(page, diff);
    buf_text(&page->row, " | ");
    diff_text_why(&page->text, diff, run, "");
    buf_text(&page->row, " |\n");
}

static bool take(void *context, const struct plan_diff *diff, struct err *err)
{
    struct page *page = context;
    int64_t run;
    if (!diff_done_find(page->diff->done, diff, &run, err))
        return false;
    if (!page->is_counted)
        diff_tally_add(page->diff->tally, diff);
    buf_reset(&page->row);
    if (page->text.is_markdown)
        put_markdown(page, diff, run);
    else
        put_human(page, diff, run);
    cut_add(&page->cut, buf_string(&page->row), page->row.size);
    return buf_check(&page->row, "a row", err);
}

/* -- pages --------------------------------------------------------------------------------------
 */

static void put_side(struct buf *out, const char *title, const char *name,
                     const struct plan_reader *plan)
{
    const struct plan_header *header = plan_file_header(plan);
    buf_format(out, "%s  %s · as of %s UTC · policy %.7s · %s%s\n", title, text_plain(name),
               text_instant(header->as_of_us), policy_digest(plan),
               text_plural(plan_file_summary(plan)->rows, "recording"),
               header->simulation ? " · a simulation" : "");
}

static void make_human_head(struct page *page)
{
    const struct show_diff *diff = page->diff;
    put_side(&page->head, "Old", diff->old_name, diff->old);
    put_side(&page->head, "New", diff->new_name, diff->new);
    if (is_half_surveyed(diff))
        buf_text(&page->head, "Only one of them is surveyed: sizes are not compared.\n");
    buf_char(&page->head, '\n');
}

static void make_human_foot(struct page *page)
{
    const struct show_diff *diff = page->diff;
    const struct diff_tally *tally = diff->tally;
    for (size_t i = 0; i < tally->count; i++) {
        if (!has_any(&tally->policies[i]))
            continue;
        buf_format(&page->foot, "%s%-16s ", page->foot.size == 0 ? "\n" : "",
                   text_plain(tally->policies[i].name));
        put_counts(&page->foot, diff, tally->policies[i].of);
        buf_char(&page->foot, '\n');
    }
    if (page->foot.size > 0)
        buf_char(&page->foot, '\n');
    put_total(&page->foot, diff);
    buf_char(&page->foot, '\n');
}

static void put_cells(const struct diff_text *text, const struct show_diff *diff,
                      const struct diff_policy *policy)
{
    buf_text(text->out, "| ");
    diff_text_foreign(text, policy->name);
    for (size_t i = 0; i < PLAN_DIFF_CHANGES; i++) {
        buf_text(text->out, " | ");
        if (policy->of[i].directories > 0)
            put_count(text->out, diff, &policy->of[i]);
    }
    buf_text(text->out, " |\n");
}

static void put_markdown_side(struct page *page, const char *name, const struct plan_reader *plan)
{
    struct diff_text text = page->text;
    text.out = &page->head;
    diff_text_foreign(&text, name);
    buf_format(&page->head, " (policy %.7s, as of %s UTC)", policy_digest(plan),
               text_instant(plan_file_header(plan)->as_of_us));
}

static void make_markdown(struct page *page)
{
    const struct show_diff *diff = page->diff;
    const struct diff_tally *tally = diff->tally;
    struct diff_text text = page->text;
    text.out = &page->head;
    buf_text(&page->head, SHOW_DIFF_MARKER "\n**");
    put_total(&page->head, diff);
    buf_text(&page->head, "**\n\nfrostline compared ");
    put_markdown_side(page, diff->old_name, diff->old);
    buf_text(&page->head, " with ");
    put_markdown_side(page, diff->new_name, diff->new);
    buf_text(&page->head, is_half_surveyed(diff)
                              ? ". Only one of them is surveyed: sizes are not compared.\n"
                              : ".\n");
    if (diff_tally_is_empty(tally))
        return;
    buf_text(&page->head, "\n| policy | added | dropped | changed |\n|---|---|---|---|\n");
    for (size_t i = 0; i < tally->count; i++)
        if (has_any(&tally->policies[i]))
            put_cells(&text, diff, &tally->policies[i]);
    buf_text(&page->head, "\n| | directory | what | why |\n|---|---|---|---|\n");
}

static void make_around(struct page *page)
{
    if (page->text.is_markdown)
        make_markdown(page);
    else
        make_human_head(page);
    if (page->is_counted && !page->text.is_markdown)
        make_human_foot(page);
}

static bool print(struct page *page, FILE *out, struct err *err)
{
    const struct show_diff *diff = page->diff;
    uint64_t around = page->head.size + page->foot.size, left = diff->max_bytes;
    if (!buf_check(&page->head, "the summary", err))
        return false;
    if (left != UINT64_MAX)
        left -= around < left ? around : left;
    fputs(buf_string(&page->head), out);
    cut_init(&page->cut, out, left);
    bool done = plan_diff_run(diff->old, diff->new, take, page, err);
    cut_end(&page->cut, page->text.is_markdown ? "| | " : "    ",
            page->text.is_markdown ? " | | |" : "");
    if (done && !page->is_counted)
        make_human_foot(page);
    if (!done || !buf_check(&page->foot, "the summary", err))
        return false;
    fputs(buf_string(&page->foot), out);
    return true;
}

static bool show(FILE *out, const struct show_diff *diff, bool is_markdown, struct err *err)
{
    struct page page = {.diff = diff, .is_counted = is_markdown || diff->max_bytes != UINT64_MAX};
    if (page.is_counted && !diff_tally_run(diff->tally, diff->old, diff->new, err))
        return false;
    buf_init(&page.head, PAGE_BYTES_MAX);
    buf_init(&page.row, PAGE_BYTES_MAX);
    buf_init(&page.foot, PAGE_BYTES_MAX);
    page.text = (struct diff_text){
        .out = &page.row, .is_markdown = is_markdown, .old = diff->old, .new = diff->new};
    make_around(&page);
    bool done = print(&page, out, err);
    buf_free(&page.foot);
    buf_free(&page.row);
    buf_free(&page.head);
    return done;
}

bool show_diff_human(FILE *out, const struct show_diff *diff, struct err *err)
{
    return show(out, diff, false, err);
}

bool show_diff_markdown(FILE *out, const struct show_diff *diff, struct err *err)
{
    return show(out, diff, true, err);
}
