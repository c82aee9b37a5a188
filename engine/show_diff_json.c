#include "engine/show_diff_json.h"

#include "base/json.h"
#include "base/when.h"
#include "planner/plan_line.h"

#define PART_BYTES_MAX ((size_t)64 << 20)

struct document {
    FILE *out;
    const struct show_diff *diff;
    struct buf part; /* a piece of the document, before it is printed */
    struct plan_line line;
    uint64_t count;
};

static struct json_writer begin(struct document *document)
{
    struct json_writer json;
    buf_reset(&document->part);
    json_begin(&json, &document->part);
    json_object_begin(&json);
    return json;
}

static bool print(const struct document *document, struct err *err)
{
    fputs(buf_string(&document->part), document->out);
    return buf_check(&document->part, "a difference", err);
}

/* -- differences --------------------------------------------------------------------------------
 */

struct rows {
    struct json_writer *json;
    bool gained;
};

static void put_row(void *context, bool is_gained, const struct plan_row *row)
{
    const struct rows *rows = context;
    if (is_gained != rows->gained)
        return;
    json_object_begin(rows->json);
    json_put_text(rows->json, "id", row->id);
    json_put_text(rows->json, "location", row->location);
    json_put_text(rows->json, "because", row->because);
    json_object_end(rows->json);
}

/* Of what was added or dropped, the action has them all. */
static void put_rows(struct json_writer *json, const char *key, bool gained,
                     const struct plan_diff *diff)
{
    struct rows rows = {.json = json, .gained = gained};
    json_key(json, key);
    json_array_begin(json);
    if (diff->change == PLAN_DIFF_CHANGED)
        plan_diff_each_row(diff, put_row, &rows);
    json_array_end(json);
}

static void put_differs(struct json_writer *json, const struct plan_diff *diff)
{
    json_key(json, "differs");
    json_array_begin(json);
    for (unsigned bit = 1; bit < 1u << PLAN_DIFF_WHATS; bit <<= 1)
        if (diff->what & bit)
            json_text(json, plan_diff_what_name((enum plan_diff_what)bit));
    json_array_end(json);
}

static void put_run(struct json_writer *json, int64_t run)
{
    if (run != 0)
        json_put_integer(json, "done_by_run", run);
    else
        json_put_text(json, "done_by_run", NULL);
}

/* Behind what the writer wrote, as it is in the file. */
static void put_action(struct document *document, const char *key, const struct plan_header *header,
                       const struct plan_action *action)
{
    const char *line = "null";
    if (action != NULL) {
        plan_line_action(&document->line, header, action);
        line = buf_string(&document->line.text);
    }
    buf_format(&document->part, ",\"%s\":", key);
    buf_text(&document->part, line);
}

static bool take(void *context, const struct plan_diff *diff, struct err *err)
{
    struct document *document = context;
    const struct plan_header *header = diff->after != NULL ? diff->new_header : diff->old_header;
    const struct plan_action *action = diff->after != NULL ? diff->after : diff->before;
    int64_t run;
    if (!diff_done_find(document->diff->done, diff, &run, err))
        return false;
    diff_tally_add(document->diff->tally, diff);
    if (document->count++ > 0)
        fputc(',', document->out);
    struct json_writer json = begin(document);
    json_put_text(&json, "change", plan_diff_change_name(diff->change));
    json_put_text(&json, "store", header->stores[action->store].name);
    json_put_text(&json, "directory", action->directory);
    json_put_text(&json, "cause", plan_diff_cause_name(diff->cause));
    put_run(&json, run);
    put_differs(&json, diff);
    put_rows(&json, "gained", true, diff);
    put_rows(&json, "lost", false, diff);
    put_action(document, "before", diff->old_header, diff->before);
    put_action(document, "after", diff->new_header, diff->after);
    buf_char(&document->part, '}'); /* the writer's own object */
    return print(document, err);
}

/* -- around them --------------------------------------------------------------------------------
 */

static void put_plan(struct json_writer *json, const char *key, const char *name,
                     const struct plan_reader *plan)
{
    const struct plan_header *header = plan_file_header(plan);
    const struct plan_summary *summary = plan_file_summary(plan);
    char as_of[WHEN_TEXT_MAX];
    when_instant_text(header->as_of_us, as_of);
    json_key(json, key);
    json_object_begin(json);
    json_put_text(json, "name", name);
    json_put_text(json, "digest", plan_file_digest(plan));
    json_put_text(json, "as_of", as_of);
    json_put_text(json, "policy", header->policy_digest);
    json_put_boolean(json, "surveyed", header->surveyed);
    json_put_unsigned(json, "recordings", summary->rows);
    json_put_unsigned(json, "move_recordings", summary->move_recordings);
    json_put_unsigned(json, "move_bytes", summary->move_bytes);
    json_put_unsigned(json, "retier_recordings", summary->retier_recordings);
    json_put_unsigned(json, "retier_bytes", summary->retier_bytes);
    json_object_end(json);
}

static void put_counts(struct json_writer *json, const struct diff_count of[PLAN_DIFF_CHANGES])
{
    for (size_t i = 0; i < PLAN_DIFF_CHANGES; i++) {
        json_key(json, plan_diff_change_name((enum plan_diff_change)i));
        json_object_begin(json);
        json_put_unsigned(json, "directories", of[i].directories);
        json_put_unsigned(json, "recordings", of[i].recordings);
        json_put_unsigned(json, "bytes", of[i].bytes);
        json_object_end(json);
    }
}

static bool print_head(struct document *document, struct err *err)
{
    const struct show_diff *diff = document->diff;
    const struct plan_header *old = plan_file_header(diff->old), *new = plan_file_header(diff->new);
    struct json_writer json = begin(document);
    json_put_integer(&json, "format_version", 1);
    put_plan(&json, "old", diff->old_name, diff->old);
    put_plan(&json, "new", diff->new_name, diff->new);
    json_put_boolean(&json, "edited", plan_diff_is_edited(old, new));
    buf_text(&document->part, ",\"differences\":[");
    return print(document, err);
}

static bool print_foot(struct document *document, struct err *err)
{
    const struct diff_tally *tally = document->diff->tally;
    struct json_writer json = begin(document);
    put_counts(&json, tally->of);
    json_key(&json, "policies");
    json_array_begin(&json);
    for (size_t i = 0; i < tally->count; i++) {
        json_object_begin(&json);
        json_put_text(&json, "policy", tally->policies[i].name);
        put_counts(&json, tally->policies[i].of);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
    fputs("],\"summary\":", document->out);
    if (!print(document, err))
        return false;
    fputs("}\n", document->out);
    return true;
}

bool show_diff_json(FILE *out, const struct show_diff *diff, struct err *err)
{
    struct document document = {.out = out, .diff = diff};
    buf_init(&document.part, PART_BYTES_MAX);
    plan_line_init(&document.line);
    bool done = print_head(&document, err) &&
                plan_diff_run(diff->old, diff->new, take, &document, err) &&
                print_foot(&document, err);
    plan_line_free(&document.line);
    buf_free(&document.part);
    return done;
}
