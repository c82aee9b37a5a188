#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "engine/choice.h"
#include "engine/cmd.h"
#include "engine/text.h"
#include "engine/wiring.h"

#define ROWS_SHOWN 20
#define STATUS_BYTES_MAX ((size_t)1 << 30)

/* Everything the journal knows, added up. */
struct totals {
    uint64_t units[UNIT_STATES];
    uint64_t waiting, waiting_bytes; /* in grace */
    uint64_t directories, objects;   /* what the units are */
    int64_t next_cleanup_us;
};

struct rows {
    const struct options *options;
    struct choice choice;
    struct totals totals;
    uint64_t shown, more;
    struct json_writer json;
};

static bool needs_a_look(const struct unit *unit)
{
    return unit_is_open(unit) && !(unit->state == UNIT_CUTOVER && unit->reason == REASON_GRACE);
}

static void count(struct totals *totals, const struct journal_unit *entry)
{
    const struct unit *unit = &entry->unit;
    totals->units[unit->state]++;
    if (str_ends(entry->directory, "/"))
        totals->directories++;
    else
        totals->objects++;
    if (unit->state != UNIT_CUTOVER)
        return;
    totals->waiting++;
    totals->waiting_bytes += unit->bytes;
    if (totals->next_cleanup_us == 0 || unit->cleanup_at_us < totals->next_cleanup_us)
        totals->next_cleanup_us = unit->cleanup_at_us;
}

/* The sign that a plan has for it, or that of a failure. */
static char sign_of(const struct unit *unit)
{
    if (unit->state == UNIT_PARKED)
        return 'x';
    if (unit->state == UNIT_RETURNING)
        return '<';
    if (unit->state == UNIT_REPAIRING || unit->kind == UNIT_REPAIR)
        return '~';
    return unit->kind == UNIT_RETIER ? '^' : '>';
}

static void show_unit(const struct journal_unit *entry)
{
    const struct unit *unit = &entry->unit;
    printf("  %c %s   %s -> %s   %s", sign_of(unit), text_plain(entry->directory),
           entry->source_store, entry->target_store, unit_state_name(unit->state));
    if (unit->reason != REASON_NONE)
        printf(": %s", unit_reason_name(unit->reason));
    printf("   (run %" PRId64 ")\n", unit->run);
    if (unit->reason != REASON_NONE)
        printf("      %s\n", unit_reason_text(unit->reason));
}

static void put_unit(struct json_writer *json, const struct journal_unit *entry)
{
    const struct unit *unit = &entry->unit;
    json_object_begin(json);
    json_put_integer(json, "unit", unit->id);
    json_put_integer(json, "run", unit->run);
    json_put_text(json, "source", entry->source);
    json_put_text(json, "target", entry->target);
    json_put_text(json, "state", unit_state_name(unit->state));
    json_put_text(json, "reason",
                  unit->reason == REASON_NONE ? NULL : unit_reason_name(unit->reason));
    json_put_unsigned(json, "objects", unit->objects);
    json_put_unsigned(json, "bytes", unit->bytes);
    json_object_end(json);
}

static bool take(void *context, const struct journal_unit *entry, struct err *err)
{
    struct rows *rows = context;
    bool is_chosen, chooses = rows->choice.select.first != NULL;
    if (!choice_has(&rows->choice, entry, &is_chosen, err))
        return false;
    if (!is_chosen)
        return true;
    count(&rows->totals, entry);
    if (rows->options->format == FORMAT_JSON) {
        if (chooses || unit_is_open(&entry->unit))
            put_unit(&rows->json, entry);
        return true;
    }
    if (!chooses && !needs_a_look(&entry->unit) &&
        !(rows->options->all && unit_is_open(&entry->unit)))
        return true;
    if (!rows->options->all && rows->shown == ROWS_SHOWN) {
        rows->more++;
        return true;
    }
    rows->shown++;
    show_unit(entry);
    return true;
}

static void show_run(const struct journal_run *run)
{
    printf("Last run  %" PRId64 " %s, begun %s UTC, ", run->id, run->verb,
           text_instant(run->started_us));
    if (run->ended_us != 0)
        printf("ended %s UTC with exit code %d\n", text_instant(run->ended_us), run->exit_code);
    else
        puts("not ended (it runs, or was killed: the same command finishes its work)");
}

static void show_totals(const struct rows *rows)
{
    const struct totals *totals = &rows->totals;
    bool is_mixed = totals->directories > 0 && totals->objects > 0;
    const char *unit = is_mixed ? "unit" : text_unit(totals->objects > 0);
    uint64_t under_way = 0;
    for (int state = UNIT_TIERING; state <= UNIT_SWEEPING; state++)
        if (state != UNIT_CUTOVER)
            under_way += totals->units[state];
    if (rows->more > 0)
        printf("    ... and %s more; --all shows each\n", text_count(rows->more));
    if (totals->waiting > 0)
        printf("%s (%s) %s until %s UTC; frostline reap, or a timer, deletes %s\n",
               text_plural(totals->waiting, "source"), text_size(totals->waiting_bytes),
               totals->waiting == 1 ? "waits" : "wait, the first",
               text_instant(totals->next_cleanup_us), totals->waiting == 1 ? "it" : "them");
    printf("%s done, %s under way, %s in grace, %s parked, %s abandoned, %s skipped",
           text_plural(totals->units[UNIT_DONE], unit), text_count(under_way),
           text_count(totals->waiting), text_count(totals->units[UNIT_PARKED]),
           text_count(totals->units[UNIT_ABANDONED]), text_count(totals->units[UNIT_SKIPPED]));
    if (totals->units[UNIT_ROLLED_BACK] > 0)
        printf(", %s rolled back", text_count(totals->units[UNIT_ROLLED_BACK]));
    putchar('\n');
    if (!rows->options->select.count && totals->units[UNIT_ABANDONED] > 0)
        puts(
            "What was abandoned is planned anew; frostline status --select state:failed shows what "
            "still is, and why");
}

/* What is selected need not be open. */
static const char *units_key(const struct options *options)
{
    return options->select.count > 0 ? "units" : "open";
}

static enum exit_code show(struct wiring *wiring)
{
    struct rows rows = {.options = wiring->options,
                        .choice = {.journal = wiring->journal, .arena = &wiring->arena}};
    struct journal_run run;
    struct journal_filter filter = {.open_only = false};
    struct buf text;
    struct err err;
    bool json = wiring->options->format == FORMAT_JSON;

    if (!choice_read(&rows.choice, wiring->options, &err)) {
        exit_with(&err);
        return EXIT_USAGE;
    }
    if (!json && journal_run_get(wiring->journal, 0, &wiring->arena, &run, &err))
        show_run(&run);
    buf_init(&text, STATUS_BYTES_MAX);
    if (json) {
        json_begin(&rows.json, &text);
        json_object_begin(&rows.json);
        json_put_integer(&rows.json, "format_version", 1);
        json_key(&rows.json, units_key(wiring->options));
        json_array_begin(&rows.json);
    }
    bool done = journal_each(wiring->journal, &filter, take, &rows, &err);
    if (done && json) {
        json_array_end(&rows.json);
        json_put_unsigned(&rows.json, "done", rows.totals.units[UNIT_DONE]);
        json_put_unsigned(&rows.json, "in_grace", rows.totals.waiting);
        json_put_unsigned(&rows.json, "parked", rows.totals.units[UNIT_PARKED]);
        json_put_unsigned(&rows.json, "rolled_back", rows.totals.units[UNIT_ROLLED_BACK]);
        json_object_end(&rows.json);
        done = buf_check(&text, "the status", &err);
        if (done)
            puts(buf_string(&text));
    } else if (done)
        show_totals(&rows);
    buf_free(&text);
    return done ? EXIT_OK : exit_with(&err);
}

static enum exit_code show_holder(struct wiring *wiring)
{
    struct lock_holder holder;
    bool held;
    struct err err;
    if (!lock_look(wiring->state_folder, &holder, &held, &err))
        return err.kind == ERR_MISSING ? EXIT_OK : exit_with(&err);
    if (held && wiring->options->format == FORMAT_HUMAN)
        printf("Running   %s on %s, process %" PRId64 ", since %s UTC\n", holder.what, holder.host,
               holder.pid, text_instant(holder.since_us));
    return EXIT_OK;
}

int cmd_status(const struct options *options)
{
    struct wiring wiring;
    wiring_init(&wiring, options);
    enum exit_code code = wiring_find_state(&wiring);
    if (code == EXIT_OK)
        code = wiring_open_journal(&wiring, JOURNAL_READ);
    if (code == EXIT_OK)
        code = show_holder(&wiring);
    if (code == EXIT_OK && wiring.journal != NULL)
        code = show(&wiring);
    else if (code == EXIT_OK && options->format == FORMAT_JSON)
        printf("{\"format_version\":1,\"%s\":[],\"done\":0,\"in_grace\":0,\"parked\":0,"
               "\"rolled_back\":0}\n",
               units_key(options));
    else if (code == EXIT_OK)
        printf("No run yet: there is no journal in %s\n", wiring.state_folder);
    wiring_close(&wiring);
    return code;
}
