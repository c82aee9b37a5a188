#include "engine/diff_text.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "base/when.h"
#include "engine/diff_tally.h"
#include "engine/text.h"
#include "state/unit.h"

char diff_text_sign(enum plan_diff_change change)
{
    static const char signs[] = {
        [PLAN_DIFF_ADDED] = '+', [PLAN_DIFF_DROPPED] = '-', [PLAN_DIFF_CHANGED] = '~'};
    return signs[change];
}

static bool is_plain_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 0x80 || strchr(" /-,", c) != NULL;
}

static void put_escaped(const struct diff_text *text, const char *plain)
{
    for (; *plain != '\0'; plain++) {
        if (!text->is_markdown || is_plain_letter(*plain))
            buf_char(text->out, *plain);
        else
            buf_format(text->out, "&#%d;", *plain);
    }
}

static void put_code(const struct diff_text *text, const char *tag)
{
    if (text->is_markdown)
        buf_text(text->out, tag);
}

void diff_text_foreign(const struct diff_text *text, const char *foreign)
{
    put_code(text, "<code>");
    put_escaped(text, text_plain(foreign));
    put_code(text, "</code>");
}

void diff_text_place(const struct diff_text *text, const struct plan_diff *diff)
{
    const struct plan_action *action = diff->after != NULL ? diff->after : diff->before;
    const struct plan_header *header = diff->after != NULL ? diff->new_header : diff->old_header;
    put_code(text, "<code>");
    put_escaped(text, text_plain(header->stores[action->store].name));
    put_escaped(text, ":");
    put_escaped(text, text_plain(action->directory));
    put_code(text, "</code>");
}

/* -- what ---------------------------------------------------------------------------------------
 */

static const char *target_of(const struct plan_header *header, const struct plan_action *action)
{
    return action->target == POLICY_NO_INDEX ? "nowhere" : header->stores[action->target].name;
}

static void put_pair(const struct diff_text *text, const char *before, const char *after)
{
    diff_text_foreign(text, before);
    buf_text(text->out, " -> ");
    diff_text_foreign(text, after);
}

/* "age-out -> cold, 2 recordings, 4.1 GB, 12 objects" */
static void put_action(const struct diff_text *text, const struct plan_header *header,
                       const struct plan_action *action)
{
    if (action->kind == PLAN_REAP)
        buf_text(text->out, "source to delete");
    else if (action->kind == PLAN_REPAIR)
        buf_text(text->out, "rows to repair");
    else if (action->kind == PLAN_ROLLBACK)
        buf_text(text->out, "rows to send back");
    else
        put_pair(text, action->policy, target_of(header, action));
    buf_format(text->out, ", %s, %s", text_plural(action->row_total, "recording"),
               text_size(action->bytes));
    if (action->surveyed || plan_names_unit(action))
        buf_format(text->out, ", %s", text_plural(action->objects, "object"));
    if (action->kind == PLAN_BLOCKED)
        buf_text(text->out, ", blocked");
    else if (action->kind == PLAN_RETIER)
        buf_text(text->out, ", retier");
}

static void put_target(const struct diff_text *text, const struct plan_diff *diff)
{
    const char *before = target_of(diff->old_header, diff->before);
    const char *after = target_of(diff->new_header, diff->after);
    if (!str_equal(before, after)) {
        buf_text(text->out, "target ");
        put_pair(text, before, after);
    } else if (diff->before->tier != diff->after->tier) {
        buf_format(text->out, "tier %s -> %s", object_tier_name(diff->before->tier),
                   object_tier_name(diff->after->tier));
    } else {
        buf_text(text->out, "another directory there");
    }
}

static const char *cleanup_of(const struct policy_terms *terms, char text[WHEN_TEXT_MAX])
{
    if (terms->keep_source)
        return "keep";
    when_duration_text((struct when_duration){.us = terms->grace_us}, text);
    return text;
}

static void put_terms(const struct diff_text *text, const struct plan_diff *diff)
{
    const struct plan_action *a = diff->before, *b = diff->after;
    char before[WHEN_TEXT_MAX], after[WHEN_TEXT_MAX];
    const char *cleanup = cleanup_of(&a->terms, before), *next = cleanup_of(&b->terms, after);
    const char *comma = "";
    if (a->terms.verify != b->terms.verify) {
        buf_format(text->out, "verify %s -> %s", unit_verify_name(a->terms.verify),
                   unit_verify_name(b->terms.verify));
        comma = ", ";
    }
    if (!str_equal(cleanup, next)) {
        buf_format(text->out, "%ssource %s%s -> %s%s", comma,
                   a->terms.keep_source ? "" : "deleted after ", cleanup,
                   b->terms.keep_source ? "" : "deleted after ", next);
        comma = ", ";
    }
    if (!str_equal(a->window, b->window)) {
        buf_format(text->out, "%swindow ", comma);
        put_pair(text, a->window != NULL ? a->window : "always",
                 b->window != NULL ? b->window : "always");
    }
}

/* Amounts that are written alike are told to the byte. */
static void put_bytes(const struct diff_text *text, uint64_t before, uint64_t after)
{
    if (!str_equal(text_size(before), text_size(after)))
        buf_format(text->out, "%s -> %s", text_size(before), text_size(after));
    else
        buf_format(text->out, "%s -> %s bytes", text_count(before), text_count(after));
}

static void put_recordings(const struct diff_text *text, const struct plan_diff *diff)
{
    if (diff->gained == 0 && diff->lost == 0) {
        buf_format(text->out, "%s -> %s", text_count(diff->before->row_total),
                   text_plural(diff->after->row_total, "recording"));
        return;
    }
    if (diff->gained > 0)
        buf_format(text->out, "+%s%s", text_plural(diff->gained, "recording"),
                   diff->lost > 0 ? ", " : "");
    if (diff->lost > 0)
        buf_format(text->out, "-%s", text_plural(diff->lost, "recording"));
}

static void put_bit(const struct diff_text *text, const struct plan_diff *diff,
                    enum plan_diff_what bit)
{
    const struct plan_action *a = diff->before, *b = diff->after;
    switch (bit) {
    case PLAN_DIFF_ACTION:
        put_action(text, diff->new_header, b);
        break;
    case PLAN_DIFF_REASON:
        buf_text(text->out, "still blocked");
        break;
    case PLAN_DIFF_TARGET:
        put_target(text, diff);
        break;
    case PLAN_DIFF_POLICY:
        buf_text(text->out, "policy ");
        put_pair(text, a->policy, b->policy);
        break;
    case PLAN_DIFF_TERMS:
        put_terms(text, diff);
        break;
    case PLAN_DIFF_OBJECTS:
        buf_format(text->out, "%s -> %s", text_count(a->objects),
                   text_plural(b->objects, "object"));
        break;
    case PLAN_DIFF_BYTES:
        put_bytes(text, a->bytes, b->bytes);
        break;
    case PLAN_DIFF_MANIFEST:
        buf_text(text->out, "other objects");
        break;
    case PLAN_DIFF_RECORDINGS:
        put_recordings(text, diff);
        break;
    case PLAN_DIFF_UNIT:
        buf_format(text->out, "due %s -> %s", text_instant(a->due_us), text_instant(b->due_us));
        break;
    }
}

/* The rest follows from what is told: of a directory that is a move on one side only its sizes, of
 * objects whose number or size differs that they are others. */
static unsigned to_tell(const struct plan_diff *diff)
{
    if (diff->what & PLAN_DIFF_ACTION)
        return diff->what & (PLAN_DIFF_ACTION | PLAN_DIFF_POLICY | PLAN_DIFF_TARGET);
    if (diff->what & (PLAN_DIFF_OBJECTS | PLAN_DIFF_BYTES))
        return diff->what & ~(unsigned)PLAN_DIFF_MANIFEST;
    return diff->what;
}

void diff_text_what(const struct diff_text *text, const struct plan_diff *diff)
{
    const char *comma = "";
    if (diff->before == NULL)
        put_action(text, diff->new_header, diff->after);
    else if (diff->after == NULL)
        put_action(text, diff->old_header, diff->before);
    for (unsigned bit = 1; bit < 1u << PLAN_DIFF_WHATS; bit <<= 1) {
        if (!(to_tell(diff) & bit))
            continue;
        buf_text(text->out, comma);
        put_bit(text, diff, (enum plan_diff_what)bit);
        comma = ", ";
    }
}

/* -- why ----------------------------------------------------------------------------------------
 */

/* "held: ECAL_7 is held by legal", "blocked: shared-directory: ECAL_7 is not selected" */
static void put_reason(const struct diff_text *text, const struct plan_action *action)
{
    if (action->reason == PLAN_HELD)
        buf_text(text->out, "held: ");
    else
        buf_format(text->out, "blocked: %s: ", plan_reason_name(action->reason));
    diff_text_foreign(text, action->detail != NULL ? action->detail : "");
}

static void put_guard(const struct diff_text *text, const struct plan_funnel *funnel)
{
    if (funnel == NULL || funnel->guard == NULL)
        return;
    buf_text(text->out, ": ");
    diff_text_foreign(text, funnel->guard);
}

static void put_edit(const struct diff_text *text, const struct plan_diff *diff)
{
    buf_text(text->out, "policy edited");
    if (diff->change != PLAN_DIFF_CHANGED || diff->after->at == NULL)
        return;
    buf_text(text->out, " (");
    diff_text_foreign(text, diff->after->at);
    buf_char(text->out, ')');
}

static void put_cause(const struct diff_text *text, const struct plan_diff *diff)
{
    struct buf *out = text->out;
    const struct plan_action *before = diff->before, *after = diff->after;
    switch (diff->cause) {
    case PLAN_DIFF_EDITED:
        put_edit(text, diff);
        break;
    case PLAN_DIFF_SELECTED:
        buf_text(out, "selected since then");
        break;
    case PLAN_DIFF_GONE:
        buf_text(out, "no longer planned: done, or not selected any more");
        break;
    case PLAN_DIFF_REFUSED:
        buf_text(out, "refused by a guard");
        put_guard(text, diff_tally_funnel(text->new, before->policy));
        break;
    case PLAN_DIFF_ALLOWED:
        buf_text(out, "no longer refused by a guard");
        put_guard(text, diff_tally_funnel(text->old, after->policy));
        break;
    case PLAN_DIFF_BLOCKED:
        buf_text(out, "now ");
        put_reason(text, after);
        break;
    case PLAN_DIFF_RELEASED:
        buf_text(out, "no longer ");
        put_reason(text, before);
        break;
    case PLAN_DIFF_RIVAL:
        buf_text(out, "another policy wins by now");
        break;
    case PLAN_DIFF_DUE:
        buf_format(out, "grace over since %s", text_instant(after->due_us));
        break;
    case PLAN_DIFF_REAPED:
        buf_text(out, "no longer planned: deleted, or not due any more");
        break;
    default:
        if (after == NULL)
            buf_text(out, "no longer planned");
    }
}

/* What an added directory is selected by, or blocked by. */
static void put_because(const struct diff_text *text, const struct plan_diff *diff)
{
    const struct plan_action *after = diff->after;
    if (plan_names_unit(after))
        return;
    buf_text(text->out, diff->cause == PLAN_DIFF_UNTOLD ? "" : ": ");
    if (after->kind == PLAN_BLOCKED)
        put_reason(text, after);
    else
        diff_text_foreign(text, after->rows[0].because);
}

/* A guard that truncates may have left it. */
static void put_left(const struct diff_text *text, const struct plan_diff *diff)
{
    const struct plan_funnel *funnel = diff_tally_funnel(text->new, diff->before->policy);
    if (!plan_begins(diff->before) || funnel == NULL || funnel->failed || funnel->left == 0)
        return;
    buf_text(text->out, ", or left for later");
    put_guard(text, funnel);
}

static void put_change_of_reason(const struct diff_text *text, const struct plan_diff *diff)
{
    buf_text(text->out, diff->cause == PLAN_DIFF_UNTOLD ? "now " : ", now ");
    put_reason(text, diff->after);
    if (diff->before->reason == diff->after->reason)
        return;
    buf_text(text->out, ", no longer ");
    put_reason(text, diff->before);
}

/* Of a change in numbers alone there is nothing more to say. */
static bool has_why(const struct plan_diff *diff)
{
    return diff->change != PLAN_DIFF_CHANGED || diff->cause != PLAN_DIFF_UNTOLD ||
           (diff->what & PLAN_DIFF_REASON);
}

void diff_text_why(const struct diff_text *text, const struct plan_diff *diff, int64_t run,
                   const char *lead)
{
    if (!has_why(diff))
        return;
    buf_text(text->out, lead);
    if (run != 0) {
        buf_format(text->out, "done by run %" PRId64, run);
        return;
    }
    put_cause(text, diff);
    if (diff->change == PLAN_DIFF_ADDED)
        put_because(text, diff);
    else if (diff->change == PLAN_DIFF_DROPPED)
        put_left(text, diff);
    else if (diff->what & PLAN_DIFF_REASON)
        put_change_of_reason(text, diff);
}
