#include "engine/findings.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "engine/text.h"

#define ROOM_FIRST 64

static const char *const status_names[] = {[FINDING_OK] = "ok",
                                           [FINDING_SKIPPED] = "skipped",
                                           [FINDING_WARNING] = "warning",
                                           [FINDING_FAILED] = "failed"};

void findings_init(struct findings *findings, struct arena *arena)
{
    *findings = (struct findings){.arena = arena};
}

static const char *tamed(struct arena *arena, const char *text)
{
    char *copy = text != NULL && text[0] != '\0' ? arena_copy(arena, text) : NULL;
    if (copy != NULL)
        str_tame(copy);
    return copy;
}

void findings_add(struct findings *findings, const struct finding *finding)
{
    if (findings->count == findings->room) {
        size_t room = findings->room == 0 ? ROOM_FIRST : 2 * findings->room;
        struct finding *items = arena_make(findings->arena, room * sizeof *items);
        if (findings->count > 0)
            memcpy(items, findings->items, findings->count * sizeof *items);
        findings->items = items;
        findings->room = room;
    }
    struct finding *added = &findings->items[findings->count++];
    *added = *finding;
    added->text = tamed(findings->arena, finding->text);
    added->fix = tamed(findings->arena, finding->fix);
}

static size_t count_of(const struct findings *findings, enum finding_status status)
{
    size_t count = 0;
    for (size_t i = 0; i < findings->count; i++)
        count += findings->items[i].status == status;
    return count;
}

enum exit_code findings_exit(const struct findings *findings)
{
    enum exit_code code = EXIT_OK;
    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].status == FINDING_FAILED)
            code = exit_worse(code, findings->items[i].code);
    return code;
}

/* -- for people -------------------------------------------------------------------------------- */

static bool are_one_line(const struct finding *a, const struct finding *b)
{
    return a->status == FINDING_SKIPPED && b->status == FINDING_SKIPPED &&
           str_equal(a->group, b->group) && str_equal(a->subject, b->subject) &&
           str_equal(a->text, b->text);
}

/* The finding at that index, and those behind it that stand in its line; returns how many. */
static size_t show_line(const struct findings *findings, size_t at, struct buf *out)
{
    static const char *const signs[] = {[FINDING_OK] = "ok",
                                        [FINDING_SKIPPED] = "-",
                                        [FINDING_WARNING] = "!",
                                        [FINDING_FAILED] = "x"};
    const struct finding *first = &findings->items[at];
    size_t count = 1;
    buf_format(out, "  %-4s %-*s  ", signs[first->status], FINDINGS_GROUP_COLUMNS, first->group);
    if (first->subject != NULL)
        buf_format(out, "%s: ", text_plain(first->subject));
    buf_text(out, first->name);
    for (; at + count < findings->count && are_one_line(first, first + count); count++)
        buf_format(out, ", %s", first[count].name);
    buf_format(out, ": %s\n", first->text);
    if (first->fix != NULL)
        buf_format(out, "       fix: %s\n", first->fix);
    return count;
}

void findings_show(const struct findings *findings, size_t from, bool quiet, struct buf *out)
{
    while (from < findings->count) {
        bool shows = !quiet || findings->items[from].status >= FINDING_WARNING;
        from += shows ? show_line(findings, from, out) : 1;
    }
}

void findings_count(const struct findings *findings, bool quiet, struct buf *out)
{
    size_t skipped = count_of(findings, FINDING_SKIPPED);
    size_t warnings = count_of(findings, FINDING_WARNING);
    size_t failures = count_of(findings, FINDING_FAILED);
    if (quiet && warnings + failures == 0)
        return;
    buf_format(out, "%s, %s, %s", text_plural(findings->count - skipped, "check"),
               text_plural(warnings, "warning"), text_plural(failures, "failure"));
    if (skipped > 0)
        buf_format(out, "; %s not made", text_plural(skipped, "check"));
    buf_char(out, '\n');
}

/* -- for programs ------------------------------------------------------------------------------ */

/* "store.cold.write" */
static const char *id_of(const struct findings *findings, const struct finding *finding)
{
    bool has_subject = finding->subject != NULL;
    char *id =
        str_format(findings->arena, "%s.%s%s%s", finding->group,
                   has_subject ? finding->subject : "", has_subject ? "." : "", finding->name);
    for (char *at = id; *at != '\0'; at++)
        *at = *at == ' ' ? '-' : *at;
    return id;
}

void findings_json(const struct findings *findings, struct buf *out)
{
    struct json_writer json;
    json_begin(&json, out);
    json_object_begin(&json);
    json_put_integer(&json, "format_version", 1);
    json_key(&json, "checks");
    json_array_begin(&json);
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        json_object_begin(&json);
        json_put_text(&json, "id", id_of(findings, finding));
        json_put_text(&json, "group", finding->group);
        json_put_text(&json, "status", status_names[finding->status]);
        json_put_text(&json, "text", finding->text);
        json_put_text(&json, "fix", finding->fix);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_put_unsigned(&json, "warnings", count_of(findings, FINDING_WARNING));
    json_put_unsigned(&json, "failures", count_of(findings, FINDING_FAILED));
    json_put_integer(&json, "exit", findings_exit(findings));
    json_object_end(&json);
    buf_char(out, '\n');
}
