/* The recordings that are asked for: where each one is, and what comes next of it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "base/when.h"
#include "engine/cmd.h"
#include "engine/finding.h"
#include "engine/logging.h"
#include "engine/planning.h"
#include "engine/request.h"
#include "engine/signals.h"
#include "engine/terminal.h"
#include "engine/text.h"
#include "policy/explain.h"

#define ROW_BYTES_MAX ((size_t)1 << 20)
#define ID_COLUMNS 24 /* an id that is wider pushes the rest of its row */
#define STORE_COLUMNS_MIN 8

struct rows {
    struct wiring *wiring;
    struct buf row;
    uint64_t count, bytes;
    int store_columns; /* as wide as the widest name */
    bool is_json;
};

/* -- what comes next ----------------------------------------------------------------------------
 */

struct next_move {
    const char *policy, *target; /* NULL: none, as far as the clock tells */
    int64_t at_us;               /* as_of: now */
    const char *hold;            /* NULL: none holds it */
};

static void tell_move(const struct policies *policies, const struct decision *decision,
                      int64_t at_us, struct next_move *next)
{
    next->policy = policies->items[decision->winner].name;
    next->target = policies->stores[decision->target].name;
    next->at_us = at_us;
}

/* Of the row alone: its directory may keep it. */
static struct next_move find_next(struct policies *policies, const struct found *found)
{
    struct next_move next = {0};
    struct decision then;
    if (found->spelling != SPELLING_REGULAR)
        return next;
    if (found->decision.kind == DECISION_HELD)
        next.hold = policies->holds[found->decision.hold].name;
    if (found->decision.kind == DECISION_MOVE) {
        tell_move(policies, &found->decision, policies->as_of_us, &next);
        return next;
    }
    int64_t at_us = explain_next(policies, found->record, found->location, &then);
    if (at_us != INT64_MAX && then.kind == DECISION_MOVE)
        tell_move(policies, &then, at_us, &next);
    return next;
}

static void write_next(const struct rows *rows, const struct found *found, struct buf *out)
{
    struct policies *policies = rows->wiring->policies;
    struct next_move next = find_next(policies, found);
    if (found->spelling != SPELLING_REGULAR)
        buf_text(out, found->location == NULL ? "in no store" : "its location is spelled oddly");
    else if (found->decision.kind == DECISION_CONFLICT)
        buf_text(out, "policies conflict");
    else if (next.hold != NULL)
        buf_format(out, "held by %s", text_plain(next.hold));
    else if (next.policy == NULL)
        buf_text(out, "stays");
    else if (next.at_us == policies->as_of_us)
        buf_format(out, "to %s now (%s)", text_plain(next.target), text_plain(next.policy));
    else
        buf_format(out, "to %s on %.10s (%s)", text_plain(next.target), text_instant(next.at_us),
                   text_plain(next.policy));
}

/* -- people -------------------------------------------------------------------------------------
 */

static const char *age_of(const struct rows *rows, const struct record *record,
                          char text[static 24])
{
    int64_t as_of_us = rows->wiring->policies->as_of_us;
    snprintf(text, 24, "-");
    if (record->has_time && record->time_us <= as_of_us)
        snprintf(text, 24, "%" PRId64 " d", (as_of_us - record->time_us) / WHEN_DAY_US);
    return text;
}

static const struct policy_store *store_of(const struct rows *rows, const struct found *found)
{
    return found->location == NULL ? NULL : &rows->wiring->policies->stores[found->location->store];
}

static int store_columns(const struct policies *policies)
{
    size_t widest = STORE_COLUMNS_MIN;
    for (size_t i = 0; i < policies->store_count; i++) {
        size_t columns = strlen(policies->stores[i].name);
        widest = columns > widest ? columns : widest;
    }
    return (int)widest;
}

static void print_head(const struct rows *rows)
{
    printf("%-*s  %-19s  %9s  %-*s  %-7s  %7s  %s\n", ID_COLUMNS, "id", "recorded (UTC)", "size",
           rows->store_columns, "store", "tier", "age", "next move");
}

static void print_row(struct rows *rows, const struct found *found)
{
    const struct record *record = found->record;
    const struct policy_store *store = store_of(rows, found);
    const char *id = text_plain(record->id);
    char age[24];
    size_t columns = text_columns(id);
    buf_reset(&rows->row);
    write_next(rows, found, &rows->row);
    if (rows->count == 1)
        print_head(rows);
    printf("%s%*s  %-19s  %9s  %-*s  %-7s  %7s  %s\n", id,
           columns < ID_COLUMNS ? (int)(ID_COLUMNS - columns) : 0, "",
           record->has_time ? text_instant(record->time_us) : "-",
           record->has_bytes ? text_size(record->bytes) : "-", rows->store_columns,
           store == NULL ? "-" : store->name,
           store == NULL || store->tier == TIER_DEFAULT ? "-" : object_tier_name(store->tier),
           age_of(rows, record, age), buf_string(&rows->row));
}

/* -- programs -----------------------------------------------------------------------------------
 */

static void put_next(struct rows *rows, struct json_writer *json, const struct found *found)
{
    struct next_move next = find_next(rows->wiring->policies, found);
    json_put_text(json, "hold", next.hold);
    json_key(json, "next");
    if (next.policy == NULL) {
        json_text(json, NULL);
        return;
    }
    json_object_begin(json);
    json_put_instant(json, "at", next.at_us);
    json_put_text(json, "to", next.target);
    json_put_text(json, "policy", next.policy);
    json_object_end(json);
}

/* An item of an array that goes out row by row, however long it is. */
static bool put_row(struct rows *rows, const struct found *found, struct err *err)
{
    const struct record *record = found->record;
    const struct policy_store *store = store_of(rows, found);
    struct json_writer json;
    buf_reset(&rows->row);
    json_begin(&json, &rows->row);
    json_object_begin(&json);
    json_put_text(&json, "id", record->id);
    json_put_text(&json, "location", record->location);
    json_put_instant(&json, "time", record->has_time ? record->time_us : INT64_MAX);
    json_key(&json, "bytes");
    if (record->has_bytes)
        json_unsigned(&json, record->bytes);
    else
        json_text(&json, NULL);
    json_put_text(&json, "store", store == NULL ? NULL : store->name);
    json_put_text(&json, "tier",
                  store == NULL || store->tier == TIER_DEFAULT ? NULL
                                                               : object_tier_name(store->tier));
    put_next(rows, &json, found);
    json_object_end(&json);
    if (!buf_check(&rows->row, "one recording", err))
        return false;
    printf("%s\n%s", rows->count == 1 ? "" : ",", buf_string(&rows->row));
    return true;
}

/* -- all of it ----------------------------------------------------------------------------------
 */

static bool take(void *context, const struct found *found, struct err *err)
{
    struct rows *rows = context;
    bool done = true;
    rows->count++;
    if (found->record->has_bytes)
        rows->bytes += found->record->bytes;
    terminal_hold();
    if (rows->is_json)
        done = put_row(rows, found, err);
    else
        print_row(rows, found);
    terminal_let_go();
    return done;
}

/* A policy_each_missing_id visit.  Those of the policies are plan's to tell: what was asked for
 * stands in the request, or in a file of which the request has the whole path. */
static bool tell_missing(void *context, const char *id, const char *where, struct err *err)
{
    uint64_t *missing = context;
    (void)err;
    if (!str_starts(where, POLICY_REQUEST) && where[0] != '/')
        return true;
    logging_note(NULL, "not in the catalog: %s", text_plain(id));
    ++*missing;
    return true;
}

static enum exit_code list(struct wiring *wiring)
{
    struct rows rows = {.wiring = wiring,
                        .store_columns = store_columns(wiring->policies),
                        .is_json = wiring->options->format == FORMAT_JSON};
    uint64_t missing = 0;
    struct err err;
    if (rows.is_json)
        printf("{\"format_version\":1,\"recordings\":[");
    buf_init(&rows.row, ROW_BYTES_MAX);
    bool done = finding_each(wiring, take, &rows, &err) &&
                policy_each_missing_id(wiring->policies, tell_missing, &missing, &err);
    buf_free(&rows.row);
    if (!done)
        return err.kind == ERR_CANCELLED ? signals_exit() : exit_with(&err);
    if (rows.is_json)
        puts("\n]}");
    else if (rows.count == 0)
        puts("No recording is selected.");
    else
        printf("%s, %s.\n", text_plural(rows.count, "recording"), text_size(rows.bytes));
    return missing > 0 ? EXIT_FAILED : EXIT_OK;
}

/* The arguments are words as those of --select. */
static enum exit_code ask(struct wiring *wiring)
{
    const struct options *options = wiring->options;
    const char *words[OPTIONS_ARGS_MAX + OPTIONS_WORDS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < options->arg_count; i++)
        words[count++] = options->args[i];
    for (size_t i = 0; i < options->select.count; i++)
        words[count++] = options->select.items[i];
    return request_narrow(wiring, words, count);
}

int cmd_ls(const struct options *options)
{
    struct wiring wiring;
    bool simulation;
    wiring_init(&wiring, options);
    enum exit_code code = ask(&wiring);
    if (code == EXIT_OK)
        code = wiring_load(&wiring, options->policy);
    if (code == EXIT_OK)
        code = wiring_open_catalog(&wiring);
    if (code == EXIT_OK && wiring.journal == NULL && wiring_has_state(&wiring))
        code = wiring_open_journal(&wiring, JOURNAL_READ);
    if (code == EXIT_OK)
        code = planning_prepare(&wiring, options->as_of, &simulation);
    if (code == EXIT_OK)
        code = list(&wiring);
    wiring_close(&wiring);
    return code;
}
