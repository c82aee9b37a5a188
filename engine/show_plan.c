#include "engine/show_plan.h"

#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"
#include "engine/columns.h"
#include "engine/show_funnel.h"
#include "engine/show_moves.h"
#include "engine/terminal.h"
#include "engine/text.h"

#define ACTION_BYTES_MAX ((size_t)256 << 20)
#define MOVES_BYTES_MAX (2 * POLICY_MAX * sizeof(struct show_moves))
#define ROWS_SHOWN 20

/* -- header ---------------------------------------------------------------------------------------
 */

/* The words of a request, which the digest covers as all of it. */
static void show_asked(FILE *out, const char *request)
{
    struct json *json;
    const char *words;
    struct err err;
    if (!json_read(request, strlen(request), &json, &err))
        return;
    if (json_is_object(json) && json_get_text(json, "words", &words, &err))
        fprintf(out, "Asked for %s\n", text_plain(words));
    json_free(json);
}

static void show_header(FILE *out, struct plan_reader *plan)
{
    const struct plan_header *header = plan_file_header(plan);
    const char *digest = strchr(header->policy_digest, ':') + 1;
    struct columns_line line = {.out = out, .indent = 2};
    char text[2 * TEXT_PLAIN_BYTES];
    fprintf(out, "As of %s UTC", text_instant(header->as_of_us));
    line.column = strlen("As of 2025-06-01 00:00:00 UTC");
    snprintf(text, sizeof(text), "· %s %.7s", text_plain(plan_file_made(plan)->policy), digest);
    columns_put(&line, text);
    bool is_rollback = plan_file_summary(plan)->actions[PLAN_ROLLBACK] > 0;
    snprintf(text, sizeof(text), "· catalog %s", text_plain(header->catalog));
    if (!is_rollback)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), ", %s",
                 text_plural(plan_file_summary(plan)->rows, "recording"));
    columns_put(&line, text);
    fputc('\n', out);
    if (header->request != NULL)
        show_asked(out, header->request);
    if (header->simulation)
        fputs("A simulation: as_of lies in the future, so this plan can't be applied.\n", out);
    if (!header->surveyed && !is_rollback)
        fputs("Not surveyed: sizes are the catalog's.\n", out);
}

/* -- actions --------------------------------------------------------------------------------------
 */

typedef void take_action(void *context, const struct plan_action *action);

/* Of a kind.  Retiers are shown as moves are. */
static bool is_of(const struct plan_action *action, enum plan_kind kind)
{
    return action->kind == kind || (kind == PLAN_MOVE && plan_begins(action));
}

/* Every action of a kind (and policy, if one is named), from the beginning. */
static bool each(struct plan_reader *plan, enum plan_kind kind, const char *policy,
                 take_action *take, void *context, struct err *err)
{
    const uint64_t *actions = plan_file_summary(plan)->actions;
    struct arena arena;
    struct plan_action *action;
    if (actions[kind] + (kind == PLAN_MOVE ? actions[PLAN_RETIER] : 0) == 0)
        return true;
    bool done = plan_file_rewind(plan, err);
    arena_init(&arena, ACTION_BYTES_MAX);
    while (done) {
        arena_reset(&arena);
        done = plan_file_next(plan, &arena, &action, err);
        if (!done || action == NULL)
            break;
        if (is_of(action, kind) && (policy == NULL || str_equal(action->policy, policy)))
            take(context, action);
    }
    arena_free(&arena);
    return done;
}

/* -- policies -------------------------------------------------------------------------------------
 */

struct view {
    FILE *out;
    struct plan_reader *plan;
    bool all;
    size_t title_width;
    struct show_moves *moves; /* of each funnel */
};

static void take_folded(void *context, const struct plan_action *action)
{
    const struct view *view = context;
    size_t count = plan_file_summary(view->plan)->funnel_count;
    for (size_t i = 0; i < count; i++) {
        if (str_equal(view->moves[i].funnel->policy, action->policy)) {
            show_moves_fold(&view->moves[i], action);
            return;
        }
    }
}

static void take_one(void *context, const struct plan_action *action)
{
    show_moves_one(context, action);
}

/* Folds of all policies fit into memory, and need one reading; directories each need one a policy.
 */
static bool show_all(const struct view *view, struct show_moves *moves, struct err *err)
{
    if (view->all && moves->funnel->planned > 0 &&
        !each(view->plan, PLAN_MOVE, moves->funnel->policy, take_one, moves, err))
        return false;
    show_moves_end(moves);
    return true;
}

static bool show_each(struct view *view, struct err *err)
{
    const struct plan_header *header = plan_file_header(view->plan);
    const struct plan_summary *summary = plan_file_summary(view->plan);
    for (size_t i = 0; i < summary->funnel_count; i++) {
        const struct plan_funnel *funnel = &summary->funnels[i];
        size_t columns = show_funnel_columns(header, funnel) + 3;
        show_moves_init(&view->moves[i], view->out, header, funnel);
        if (columns > view->title_width && columns <= COLUMNS_MAX / 2)
            view->title_width = columns;
    }
    if (!view->all && !each(view->plan, PLAN_MOVE, NULL, take_folded, view, err))
        return false;
    for (size_t i = 0; i < summary->funnel_count; i++) {
        show_funnel(view->out, header, &summary->funnels[i], view->title_width);
        if (!show_all(view, &view->moves[i], err))
            return false;
        show_funnel_remains(view->out, header, &summary->funnels[i]);
    }
    return true;
}

static bool show_policies(FILE *out, struct plan_reader *plan, bool all, struct err *err)
{
    struct view view = {.out = out, .plan = plan, .all = all, .title_width = 4};
    struct arena arena;
    arena_init(&arena, MOVES_BYTES_MAX);
    view.moves = arena_make(&arena, plan_file_summary(plan)->funnel_count * sizeof(*view.moves));
    bool done = show_each(&view, err);
    arena_free(&arena);
    return done;
}

/* -- rows that go again, or back ------------------------------------------------------------------
 */

struct rows {
    FILE *out;
    const struct plan_header *header;
    bool all;
    uint64_t count;
    int64_t since_us;                  /* the first grace that was over  */
    uint64_t more[PLAN_REASONS], rest; /* blocked ones that are not shown */
};

static void put_directory(const struct rows *rows, const struct plan_action *action)
{
    fprintf(rows->out, "%s:%s", text_plain(rows->header->stores[action->store].name),
            text_plain(action->directory));
}

static void take_rows(void *context, const struct plan_action *action)
{
    struct rows *rows = context;
    bool again = action->kind == PLAN_REPAIR;
    if (rows->count++ == 0)
        fprintf(rows->out, "\n%s\n", plan_kind_name(action->kind));
    if (!rows->all && rows->count > ROWS_SHOWN) {
        rows->rest++;
        return;
    }
    fprintf(rows->out, "  %s ", text_sign(rows->out, again ? '~' : '<'));
    put_directory(rows, action);
    fprintf(rows->out, "   %s ", text_plural(action->row_total, "recording"));
    const char *target = text_plain(rows->header->stores[action->target].name);
    if (again)
        fprintf(rows->out, "came back; to %s again, where the objects are\n", target);
    else
        fprintf(rows->out, "back from %s, where the copies stay\n", target);
}

static bool show_rows(FILE *out, struct plan_reader *plan, enum plan_kind kind, bool all,
                      struct err *err)
{
    struct rows rows = {.out = out, .header = plan_file_header(plan), .all = all};
    if (!each(plan, kind, NULL, take_rows, &rows, err))
        return false;
    if (rows.rest > 0)
        fprintf(out, "    ... %s more; --all shows each\n", text_count(rows.rest));
    return true;
}

/* -- what is deleted, what is blocked -------------------------------------------------------------
 */

static void take_reap(void *context, const struct plan_action *action)
{
    struct rows *rows = context;
    if (rows->count++ == 0 || action->due_us < rows->since_us)
        rows->since_us = action->due_us;
    if (!rows->all)
        return;
    if (rows->count == 1)
        fputs("\ncleanup\n", rows->out);
    fprintf(rows->out, "  %s ", text_sign(rows->out, '-'));
    put_directory(rows, action);
    fprintf(rows->out, "   %s, %s, grace over since %s UTC\n",
            text_plural(action->objects, "object"), text_size(action->bytes),
            text_instant(action->due_us));
}

static bool show_cleanup(FILE *out, struct plan_reader *plan, bool all, struct err *err)
{
    struct rows rows = {.out = out, .header = plan_file_header(plan), .all = all};
    if (!each(plan, PLAN_REAP, NULL, take_reap, &rows, err))
        return false;
    if (rows.count > 0 && !all)
        fprintf(out, "\ncleanup\n  %s %s, %s, grace over since %s UTC\n", text_sign(out, '-'),
                text_plural(rows.count, "source"), text_size(plan_file_summary(plan)->reap_bytes),
                text_instant(rows.since_us));
    return true;
}

static void take_blocked(void *context, const struct plan_action *action)
{
    struct rows *rows = context;
    if (rows->count++ == 0)
        fputs("\nblocked\n", rows->out);
    if (!rows->all && rows->count > ROWS_SHOWN) {
        rows->more[action->reason]++;
        rows->rest++;
        return;
    }
    fprintf(rows->out, "  %s ", text_sign(rows->out, '!'));
    put_directory(rows, action);
    fprintf(rows->out, "   %s%s%s\n", plan_reason_name(action->reason),
            action->detail != NULL ? ": " : "",
            action->detail != NULL ? text_plain(action->detail) : "");
}

static bool show_blocked(FILE *out, struct plan_reader *plan, bool all, struct err *err)
{
    struct rows rows = {.out = out, .header = plan_file_header(plan), .all = all};
    if (!each(plan, PLAN_BLOCKED, NULL, take_blocked, &rows, err))
        return false;
    if (rows.rest == 0)
        return true;
    fprintf(out, "    ... %s more:", text_count(rows.rest));
    const char *comma = "";
    for (enum plan_reason reason = 0; reason < PLAN_REASONS; reason++) {
        if (rows.more[reason] == 0)
            continue;
        fprintf(out, "%s %s %s", comma, text_count(rows.more[reason]), plan_reason_name(reason));
        comma = ",";
    }
    fputs("; --all shows each\n", out);
    return true;
}

/* -- what no policy can reach ---------------------------------------------------------------------
 */

static void show_samples(FILE *out, const char *const samples[PLAN_SAMPLES], uint64_t total)
{
    size_t shown = 0;
    for (; shown < PLAN_SAMPLES && samples[shown] != NULL; shown++)
        fprintf(out, "  %s %s\n", text_sign(out, '?'), text_plain(samples[shown]));
    if (shown < total)
        fprintf(out, "    ... %s more\n", text_count(total - shown));
}

static void show_unreached(FILE *out, const struct plan_summary *summary)
{
    uint64_t unmanaged = plan_sum(summary->unmanaged, summary->shallow);
    if (unmanaged > 0) {
        fprintf(out, "\nunmanaged   %s in no declared store, %s too shallow\n",
                text_plural(summary->unmanaged, "recording"), text_count(summary->shallow));
        show_samples(out, summary->unmanaged_samples, unmanaged);
    }
    if (summary->missing_id_count > 0) {
        fprintf(out, "\nnot in the catalog   %s\n",
                text_plural(summary->missing_id_count, "listed id"));
        show_samples(out, summary->missing_ids, summary->missing_id_count);
    }
}

/* -- totals ---------------------------------------------------------------------------------------
 */

static void show_total(FILE *out, const char *store, const struct plan_store_total *total,
                       size_t width)
{
    bool grows = total->bytes_after >= total->bytes_now;
    uint64_t change =
        grows ? total->bytes_after - total->bytes_now : total->bytes_now - total->bytes_after;
    char text[32];
    fprintf(out, "  %s", store);
    columns_blanks(out, text_columns(store), width);
    fprintf(out, "  %8s %11s   %8s %11s", text_size(total->bytes_now),
            text_count(total->recordings_now), text_size(total->bytes_after),
            text_count(total->recordings_after));
    if (change > 0) {
        snprintf(text, sizeof(text), "%c%s", grows ? '+' : '-', text_size(change));
        fprintf(out, "   %9s", text);
    }
    fputc('\n', out);
}

/* The catalog knows all recordings, the listings only what moves: so these are its sizes. */
static void show_totals(FILE *out, const struct plan_header *header,
                        const struct plan_summary *summary)
{
    static const char title[] = "in the catalog";
    size_t width = strlen(title);
    for (size_t i = 0; i < header->store_count; i++) {
        size_t columns = text_columns(text_plain(header->stores[i].name));
        if (columns > width && columns <= COLUMNS_MAX / 2)
            width = columns;
    }
    fprintf(out, "\n  %s", title);
    columns_blanks(out, strlen(title), width);
    fprintf(out, "  %20s   %20s\n", "now", "after");
    for (size_t i = 0; i < summary->total_count; i++)
        show_total(out, text_plain(header->stores[i].name), &summary->totals[i], width);
}

/* -- the last lines -------------------------------------------------------------------------------
 */

bool show_plan_is_empty(const struct plan_summary *summary)
{
    const uint64_t *actions = summary->actions;
    return actions[PLAN_MOVE] + actions[PLAN_RETIER] + actions[PLAN_REPAIR] +
               actions[PLAN_ROLLBACK] + actions[PLAN_REAP] ==
           0;
}

static uint64_t count_refused(const struct plan_summary *summary)
{
    uint64_t refused = 0;
    for (size_t i = 0; i < summary->funnel_count; i++)
        refused += summary->funnels[i].failed;
    return refused;
}

static bool has_undecided(const struct plan_summary *summary)
{
    for (size_t i = 0; i < summary->funnel_count; i++)
        if (summary->funnels[i].undecided > 0)
            return true;
    return false;
}

/* " Next: 2025-06-02, 19 recordings, 86.0 GB." */
static void show_next(FILE *out, const struct plan_summary *summary)
{
    if (summary->next_us != 0)
        fprintf(out, " Next: %.10s, %s, %s.", text_instant(summary->next_us),
                text_plural(summary->next_recordings, "recording"), text_size(summary->next_bytes));
}

static void show_amount(FILE *out, uint64_t bytes, uint64_t objects, bool surveyed)
{
    fprintf(out, " (%s", text_size(bytes));
    if (surveyed)
        fprintf(out, ", %s", text_plural(objects, "object"));
    fputc(')', out);
}

static void show_moving(FILE *out, const struct plan_summary *summary, bool surveyed)
{
    bool moves = summary->actions[PLAN_MOVE] > 0, retiers = summary->actions[PLAN_RETIER] > 0;
    if (moves || !retiers)
        fprintf(out, "%s to move",
                moves ? text_plural(summary->move_recordings, "recording") : "no recordings");
    if (moves)
        show_amount(out, summary->move_bytes, summary->move_objects, surveyed);
    if (!retiers)
        return;
    fprintf(out, "%s%s to retier", moves ? ", " : "",
            moves ? text_count(summary->retier_recordings)
                  : text_plural(summary->retier_recordings, "recording"));
    show_amount(out, summary->retier_bytes, summary->retier_objects, surveyed);
}

/* ", 3 directories blocked" */
static void show_staying(FILE *out, const char **comma, uint64_t count, const char *amount,
                         const char *what)
{
    if (count == 0)
        return;
    fprintf(out, "%s%s %s", *comma, amount, what);
    *comma = ", ";
}

void show_plan_line(FILE *out, const struct plan_reader *plan, bool keep_source)
{
    const struct plan_header *header = plan_file_header(plan);
    const struct plan_summary *summary = plan_file_summary(plan);
    const char *unit = text_unit(header->by_object);
    uint64_t blocked = summary->actions[PLAN_BLOCKED], left = summary->left;
    uint64_t refused = count_refused(summary);
    const char *comma = ", ";
    if (summary->actions[PLAN_ROLLBACK] > 0) {
        fprintf(out, "Plan: %s in %s to send back.\n",
                text_plural(summary->rollback_recordings, "recording"),
                text_plural(summary->actions[PLAN_ROLLBACK], unit));
        return;
    }
    if (!show_plan_is_empty(summary)) {
        fputs("Plan: ", out);
        show_moving(out, summary, header->surveyed);
        if (summary->actions[PLAN_REPAIR] > 0)
            fprintf(out, ", %s to repair", text_count(summary->repair_recordings));
        uint64_t deletes = summary->actions[PLAN_REAP] + (keep_source ? 0 : summary->move_deletes);
        fprintf(out, ", %s to delete", text_plural(deletes, "source"));
    } else if (blocked + left + refused > 0) {
        fputs("No moves", out);
        comma = ": ";
    } else if (header->request != NULL) {
        fputs("No moves. Nothing that was selected is elsewhere.\n", out);
        return;
    } else {
        fprintf(out, "No moves. Every recording%s%s is where its policy wants it",
                summary->unmanaged > 0 ? " in a declared store" : "",
                has_undecided(summary) ? " that could be decided" : "");
    }
    show_staying(out, &comma, blocked, text_plural(blocked, unit), "blocked");
    show_staying(out, &comma, left, blocked > 0 ? text_count(left) : text_plural(left, unit),
                 "left for later");
    show_staying(out, &comma, refused, text_plural(refused, "policy"),
                 refused == 1 ? "refused by its guard" : "refused by their guards");
    fputc('.', out);
    show_next(out, summary);
    fputc('\n', out);
}

static void show_file(FILE *out, const struct plan_reader *plan, const struct show_options *options)
{
    const char *digest = plan_file_digest(plan);
    if (options->path != NULL) {
        fprintf(out, "Saved %s  %s", text_plain(options->path),
                options->all ? digest : text_digest(digest));
        if (!plan_file_header(plan)->simulation)
            fprintf(out, "  good until %s UTC",
                    text_instant(plan_file_made(plan)->at_us + PLAN_TTL_US));
        fputc('\n', out);
    }
    if (options->stale != NULL)
        fprintf(out, "%sSTALE:%s %s\n", terminal_colour(out, TERMINAL_YELLOW),
                terminal_colour(out, TERMINAL_PLAIN), options->stale);
}

bool show_plan(FILE *out, struct plan_reader *plan, const struct show_options *options,
               struct err *err)
{
    const struct plan_header *header = plan_file_header(plan);
    const struct plan_summary *summary = plan_file_summary(plan);
    show_header(out, plan);
    if (!show_policies(out, plan, options->all, err) ||
        !show_rows(out, plan, PLAN_REPAIR, options->all, err) ||
        !show_rows(out, plan, PLAN_ROLLBACK, options->all, err) ||
        !show_cleanup(out, plan, options->all, err) || !show_blocked(out, plan, options->all, err))
        return false;
    show_unreached(out, summary);
    if (summary->rows > 0 || summary->actions[PLAN_ROLLBACK] == 0)
        show_totals(out, header, summary);
    fputc('\n', out);
    show_plan_line(out, plan, options->keep_source);
    show_file(out, plan, options);
    return true;
}
