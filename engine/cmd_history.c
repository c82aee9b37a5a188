/* All that ever happened to a recording, as the journal has it. */
#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/when.h"
#include "engine/cmd.h"
#include "engine/logging.h"
#include "engine/text.h"
#include "engine/wiring.h"

#define HISTORY_BYTES_MAX ((size_t)64 << 20)

struct history {
    struct wiring *wiring;
    const struct journal_unit *unit;
    struct json_writer json;
    bool is_json;
    uint64_t units;
};

/* -- people -------------------------------------------------------------------------------------
 */

static bool show_event(void *context, const struct journal_event *event, struct err *err)
{
    (void)context;
    (void)err;
    bool has_reason = event->reason != REASON_NONE;
    printf("    %s  %s%s%s\n", text_instant(event->at_us), unit_state_name(event->to),
           has_reason ? ": " : "", has_reason ? unit_reason_name(event->reason) : "");
    return true;
}

static bool show_unit(struct history *history, const struct journal_unit *entry, struct err *err)
{
    struct journal *journal = history->wiring->journal;
    const struct unit *unit = &entry->unit;
    struct journal_run run;
    if (!journal_run_get(journal, unit->run, &history->wiring->arena, &run, err))
        return false;
    printf("%s%s %s   %s -> %s   run %" PRId64 " (%s), policy %s, %s, %s\n",
           history->units > 1 ? "\n" : "", unit_kind_name(unit->kind), text_plain(entry->directory),
           entry->source_store, entry->target_store, unit->run, run.verb, entry->policy,
           text_plural(unit->objects, "object"), text_size(unit->bytes));
    if (!journal_events(journal, unit->id, show_event, NULL, err))
        return false;
    if (unit_is_open(unit) && unit->reason != REASON_NONE)
        printf("    %s\n", unit_reason_text(unit->reason));
    if (unit->state == UNIT_CUTOVER && unit->reason == REASON_GRACE)
        printf("    The grace ends on %s UTC.\n", text_instant(unit->cleanup_at_us));
    return true;
}

/* -- programs -----------------------------------------------------------------------------------
 */

static bool put_event(void *context, const struct journal_event *event, struct err *err)
{
    (void)err;
    struct json_writer *json = context;
    json_object_begin(json);
    json_put_instant(json, "at", event->at_us);
    json_put_text(json, "state", unit_state_name(event->to));
    json_put_text(json, "reason",
                  event->reason == REASON_NONE ? NULL : unit_reason_name(event->reason));
    json_object_end(json);
    return true;
}

static bool put_unit(struct history *history, const struct journal_unit *entry, struct err *err)
{
    struct json_writer *json = &history->json;
    json_object_begin(json);
    json_put_integer(json, "unit", entry->unit.id);
    json_put_integer(json, "run", entry->unit.run);
    json_put_text(json, "kind", unit_kind_name(entry->unit.kind));
    json_put_text(json, "source", entry->source);
    json_put_text(json, "target", entry->target);
    json_put_text(json, "policy", entry->policy);
    json_put_unsigned(json, "objects", entry->unit.objects);
    json_put_unsigned(json, "bytes", entry->unit.bytes);
    json_key(json, "events");
    json_array_begin(json);
    bool done = journal_events(history->wiring->journal, entry->unit.id, put_event, json, err);
    json_array_end(json);
    json_object_end(json);
    return done;
}

/* -- both ---------------------------------------------------------------------------------------
 */

static bool take_unit(void *context, const struct journal_unit *entry, struct err *err)
{
    struct history *history = context;
    history->units++;
    return history->is_json ? put_unit(history, entry, err) : show_unit(history, entry, err);
}

static enum exit_code visit(struct history *history, const char *id)
{
    struct journal *journal = history->wiring->journal;
    const struct journal_filter filter = {.recording = id};
    struct err err;
    if (journal == NULL || journal_each(journal, &filter, take_unit, history, &err))
        return EXIT_OK;
    return exit_with(&err);
}

static enum exit_code show(struct wiring *wiring, const char *id)
{
    struct history history = {.wiring = wiring, .is_json = wiring->options->format == FORMAT_JSON};
    struct buf text;
    if (!history.is_json) {
        enum exit_code code = visit(&history, id);
        if (code == EXIT_OK && history.units == 0)
            printf("Nothing was ever done to %s, as far as this journal tells.\n", text_plain(id));
        return code;
    }
    buf_init(&text, HISTORY_BYTES_MAX);
    json_begin(&history.json, &text);
    json_object_begin(&history.json);
    json_put_integer(&history.json, "format_version", 1);
    json_put_text(&history.json, "recording", id);
    json_key(&history.json, "units");
    json_array_begin(&history.json);
    enum exit_code code = visit(&history, id);
    json_array_end(&history.json);
    json_object_end(&history.json);
    if (code == EXIT_OK)
        puts(buf_string(&text));
    buf_free(&text);
    return code;
}

int cmd_history(const struct options *options)
{
    if (options->arg_count == 0) {
        logging_error("frostline history ID", "the history of which recording?");
        return EXIT_USAGE;
    }
    struct wiring wiring;
    wiring_init(&wiring, options);
    enum exit_code code = wiring_find_state(&wiring);
    if (code == EXIT_OK)
        code = wiring_open_journal(&wiring, JOURNAL_READ);
    if (code == EXIT_OK)
        code = show(&wiring, options->args[0]);
    wiring_close(&wiring);
    return code;
}
