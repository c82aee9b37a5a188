#include "engine/show_plan.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/when.h"
#include "engine/text.h"

#define ACTION_BYTES_MAX ((size_t)256 << 20)
#define LISTINGS_BYTES_MAX (2 * POLICY_MAX * sizeof(struct listing))
#define COLUMNS 100
#define FOLDS_SHOWN 10
#define ROWS_SHOWN 20

/* -- lines and columns ----------------------------------------------------------------------------
 */

/* Parts with a blank between them; what would be too wide stands in a line of its own. */
struct line {
    FILE *out;
    size_t column, indent;
};

static void put_part(struct line *line, const char *text)
{
    size_t width = text_columns(text);
    bool is_first = line->column <= line->indent;
    if (!is_first && line->column + 1 + width > COLUMNS) {
        fprintf(line->out, "\n%*s%s", (int)line->indent, "", text);
        line->column = line->indent + width;
    } else {
        fprintf(line->out, "%s%s", is_first ? "" : " ", text);
        line->column += !is_first + width;
    }
}

static void put_blanks(FILE *out, size_t from, size_t to)
{
    fprintf(out, "%*s", from < to ? (int)(to - from) : 0, "");
}

/* -- header and funnel ---------------------------------------------------------------------------
 */

static void show_header(FILE *out, struct plan_reader *plan)
{
    const struct plan_header *header = plan_file_header(plan);
    const char *digest = strchr(header->policy_digest, ':') + 1;
    struct line line = {.out = out, .indent = 2};
    char text[2 * TEXT_PLAIN_BYTES];
    fprintf(out, "As of %s UTC", text_instant(header->as_of_us));
    line.column = strlen("As of 2025-06-01 00:00:00 UTC");
    snprintf(text, sizeof(text), "· %s %.7s", text_plain(plan_file_made(plan)->policy), digest);
    put_part(&line, text);
    snprintf(text, sizeof(text), "· catalog %s, %s", text_plain(header->catalog),
             text_plural(plan_file_summary(plan)->rows, "recording"));
    put_part(&line, text);
    fputc('\n', out);
    if (header->simulation)
        fputs("A simulation: as_of lies in the future, so this plan can't be applied.\n", out);
    if (!header->surveyed)
        fputs("Not surveyed: sizes are the catalog's.\n", out);
}

/* "hot", of the policy's `from`. */
static const char *source_name(const struct plan_header *header, const struct plan_funnel *funnel)
{
    return funnel->from == POLICY_NO_INDEX ? "any" : text_plain(header->stores[funnel->from].name);
}

/* Of "age-out  hot -> cold". */
static size_t title_columns(const struct plan_header *header, const struct plan_funnel *funnel)
{
    return text_columns(text_plain(funnel->policy)) + strlen("  ") +
           text_columns(source_name(header, funnel)) + strlen(" -> ") +
           text_columns(text_plain(header->stores[funnel->target].name));
}

static void show_step(struct line *line, uint64_t count, const char *what)
{
    char text[64];
    if (count == 0)
        return;
    snprintf(text, sizeof(text), "-> %s%s%s", text_count(count), what[0] != '\0' ? " " : "", what);
    put_part(line, text);
}

/* What drops out between all that is selected and what moves, a number each; one that stands alone
 * says how many are left there. */
static void show_steps(struct line *line, const struct plan_funnel *funnel)
{
    bool has_undecided = funnel->undecided > 0;
    uint64_t selected = funnel->rows - funnel->out;
    uint64_t apart = funnel->excluded + funnel->held + funnel->undecided;
    uint64_t later = funnel->lost + funnel->in_place + funnel->blocked + funnel->left;
    char text[64];
    put_part(line, text_plural(funnel->rows, "recording"));
    snprintf(text, sizeof(text), "-> %s selected%s", text_count(selected),
             has_undecided ? " or undecided" : "");
    put_part(line, text);
    show_step(line, funnel->excluded, "excluded");
    show_step(line, funnel->held, "held");
    show_step(line, funnel->undecided, "undecided");
    if (apart > 0 && later > 0)
        show_step(line, selected - apart, "");
    show_step(line, funnel->lost, "taken by another policy");
    show_step(line, funnel->in_place, "already there");
    show_step(line, funnel->blocked, "blocked");
    show_step(line, funnel->left, funnel->failed ? "refused" : "left for later");
    snprintf(text, sizeof(text), "-> %s to move", text_count(funnel->planned));
    put_part(line, text);
}

static void show_funnel(FILE *out, const struct plan_header *header,
                        const struct plan_funnel *funnel, size_t title_width)
{
    struct line line = {.out = out, .column = title_width, .indent = title_width};
    size_t columns = title_columns(header, funnel);
    fprintf(out, "\n%s  %s -> %s", text_plain(funnel->policy), source_name(header, funnel),
            text_plain(header->stores[funnel->target].name));
    if (columns < title_width)
        put_blanks(out, columns, title_width);
    else
        fprintf(out, "\n%*s", (int)title_width, "");
    show_steps(&line, funnel);
    fputc('\n', out);
}

/* -- moves, folded --------------------------------------------------------------------------------
 */

/* Neighbours in the plan that share a day, or the folder that they lie in. */
struct fold {
    enum plan_kind kind; /* MOVE or RETIER */
    uint16_t store;
    char prefix[OBJECT_KEY_MAX + 1];
    bool is_day;
    uint64_t directories, bytes, objects;
    int64_t oldest_us;
};

/* What moves for one policy. */
struct listing {
    FILE *out;
    const struct plan_header *header;
    const struct plan_funnel *funnel;
    struct fold folds[FOLDS_SHOWN];
    struct fold fold, rest; /* the one that grows, and all that are not shown */
    size_t count;           /* of folds                                       */
    uint64_t more;          /* in rest                                        */
    uint64_t recordings;
    uint64_t windowed; /* moves that have a window          */
    char window[256];  /* of the first of them              */
    bool is_mixed;     /* not all of them have the same one */
};

static bool is_day(const char *at)
{
    struct when_date date;
    struct err err;
    char text[11] = "";
    memcpy(text, at, strnlen(at, 10));
    return at[10] == '/' && when_date_read(text, &date, &err);
}

static size_t fold_length(const char *directory, bool *has_day)
{
    size_t length = strlen(directory);
    *has_day = true;
    for (size_t at = 0; at + 10 < length; at++)
        if ((at == 0 || directory[at - 1] == '/') && is_day(directory + at))
            return at + 11;
    *has_day = false;
    for (size_t at = length - 1; at > 0; at--)
        if (directory[at - 1] == '/')
            return at;
    return length;
}

static char sign_of(enum plan_kind kind)
{
    return kind == PLAN_RETIER ? '^' : '>';
}

/* "hot:" where the policy takes from any store. */
static const char *store_prefix(const struct listing *listing, uint16_t store)
{
    static _Thread_local char text[TEXT_PLAIN_BYTES + 2];
    if (listing->funnel->from != POLICY_NO_INDEX)
        return "";
    snprintf(text, sizeof(text), "%s:", text_plain(listing->header->stores[store].name));
    return text;
}

static void show_age(FILE *out, int64_t oldest_us, int64_t as_of_us)
{
    if (oldest_us != INT64_MAX && oldest_us <= as_of_us)
        fprintf(out, "   oldest %" PRId64 " d", (as_of_us - oldest_us) / WHEN_DAY_US);
}

/* Where rows stand for objects, their number says nothing more. */
static bool tells_objects(const struct plan_header *header)
{
    return header->surveyed && !header->by_object;
}

static size_t fold_columns(const struct listing *listing, const struct fold *fold)
{
    return text_columns(store_prefix(listing, fold->store)) +
           text_columns(text_plain(fold->prefix));
}

static void show_fold(const struct listing *listing, const struct fold *fold, size_t width)
{
    FILE *out = listing->out;
    fprintf(out, "  %c %s%s", sign_of(fold->kind), store_prefix(listing, fold->store),
            text_plain(fold->prefix));
    put_blanks(out, fold_columns(listing, fold), width);
    fprintf(out, "  %15s  %8s",
            text_plural(fold->directories, text_unit(listing->header->by_object)),
            text_size(fold->bytes));
    if (tells_objects(listing->header))
        fprintf(out, "  %15s", text_plural(fold->objects, "object"));
    show_age(out, fold->oldest_us, listing->header->as_of_us);
    fputc('\n', out);
}

static void show_folds(const struct listing *listing)
{
    size_t width = 0;
    for (size_t i = 0; i < listing->count; i++) {
        size_t columns = fold_columns(listing, &listing->folds[i]);
        if (columns > width && columns <= COLUMNS / 2)
            width = columns;
    }
    for (size_t i = 0; i < listing->count; i++)
        show_fold(listing, &listing->folds[i], width);
    if (listing->more == 0)
        return;
    const struct fold *rest = &listing->rest;
    fprintf(listing->out, "    ... %s (%s, %s",
            text_plural(listing->more, rest->is_day ? "more day" : "more folder"),
            text_plural(rest->directories, text_unit(listing->header->by_object)),
            text_size(rest->bytes));
    if (tells_objects(listing->header))
        fprintf(listing->out, ", %s", text_plural(rest->objects, "object"));
    fputs("); --all shows each\n", listing->out);
}

static void show_move(void *context, const struct plan_action *action)
{
    struct listing *listing = context;
    FILE *out = listing->out;
    listing->recordings += action->row_total;
    fprintf(out, "  %c %s%s   %s", sign_of(action->kind), store_prefix(listing, action->store),
            text_plain(action->directory), text_size(action->bytes));
    if (action->surveyed && !listing->header->by_object)
        fprintf(out, "   %s", text_plural(action->objects, "object"));
    show_age(out, action->oldest_us, listing->header->as_of_us);
    if (action->window != NULL)
        fprintf(out, "   begins within %s", text_plain(action->window));
    fputc('\n', out);
    for (size_t i = 0; i < action->row_count; i++)
        fprintf(out, "      %s   %s\n", text_plain(action->rows[i].id),
                text_plain(action->rows[i].because));
}

static void add_to(struct fold *fold, const struct fold *more)
{
    fold->directories += more->directories;
    fold->bytes = plan_sum(fold->bytes, more->bytes);
    fold->objects = plan_sum(fold->objects, more->objects);
    fold->is_day &= more->is_day;
    if (more->oldest_us < fold->oldest_us)
        fold->oldest_us = more->oldest_us;
}

static void end_fold(struct listing *listing)
{
    if (listing->fold.directories == 0)
        return;
    if (listing->count < FOLDS_SHOWN)
        listing->folds[listing->count++] = listing->fold;
    else {
        add_to(&listing->rest, &listing->fold);
        listing->more++;
    }
    listing->fold.directories = 0;
}

static void note_window(struct listing *listing, const char *window)
{
    if (window == NULL)
        return;
    if (listing->windowed++ == 0)
        snprintf(listing->window, sizeof(listing->window), "%s", window);
    else
        listing->is_mixed |= strncmp(listing->window, window, sizeof(listing->window) - 1) != 0;
}

static void fold_move(struct listing *listing, const struct plan_action *action)
{
    struct fold one = {.kind = action->kind,
                       .store = action->store,
                       .directories = 1,
                       .bytes = action->bytes,
                       .objects = action->objects,
                       .oldest_us = action->oldest_us};
    size_t length = fold_length(action->directory, &one.is_day);
    listing->recordings += action->row_total;
    note_window(listing, action->window);
    memcpy(one.prefix, action->directory, str_cut(action->directory, length, OBJECT_KEY_MAX));
    if (listing->fold.directories > 0 && listing->fold.kind == one.kind &&
        listing->fold.store == one.store && str_equal(listing->fold.prefix, one.prefix)) {
        add_to(&listing->fold, &one);
        return;
    }
    end_fold(listing);
    listing->fold = one;
}

/* -- one policy -----------------------------------------------------------------------------------
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

static void show_windows(const struct listing *listing)
{
    if (listing->windowed == 0)
        return;
    fprintf(listing->out, "    of these, apply begins %s only within %s\n",
            text_plural(listing->windowed, text_unit(listing->header->by_object)),
            listing->is_mixed ? "their windows; --all shows each" : text_plain(listing->window));
}

/* A directory is listed once, however many policies of the same priority take it. */
static void show_shared(const struct listing *listing)
{
    uint64_t planned = listing->funnel->planned;
    if (listing->recordings < planned)
        fprintf(listing->out,
                "    %s listed at another policy of the same priority, which takes %s too\n",
                listing->recordings == 0 ? "all are" : "the others are",
                planned == 1 ? "it" : "them");
}

static const char *order_of(const struct plan_header *header, const char *policy)
{
    static const char *const names[] = {[ORDER_OLDEST] = ", oldest first",
                                        [ORDER_NEWEST] = ", newest first",
                                        [ORDER_LARGEST] = ", largest first",
                                        [ORDER_SMALLEST] = ", smallest first"};
    for (size_t i = 0; i < header->guard_count; i++)
        if (str_equal(header->guards[i].policy, policy))
            return names[header->guards[i].order];
    return "";
}

static void show_remains(FILE *out, const struct plan_header *header,
                         const struct plan_funnel *funnel)
{
    const char *guard = funnel->guard != NULL ? text_plain(funnel->guard) : NULL;
    if (funnel->failed)
        fprintf(out, "  ! %s refused by the guard %s: nothing of this policy is planned\n",
                text_count(funnel->left), guard != NULL ? guard : "of this policy");
    else if (funnel->left > 0 && guard != NULL)
        fprintf(out, "  ! %s left for later: %s%s\n", text_count(funnel->left), guard,
                order_of(header, funnel->policy));
    else if (funnel->left > 0)
        fprintf(out, "  ! %s left for later by the guard of another policy, which takes %s too\n",
                text_count(funnel->left), funnel->left == 1 ? "it" : "them");
    if (funnel->undecided > 0)
        fprintf(out, "  ? %s undecided, and so %s; frostline explain ID tells why\n",
                text_count(funnel->undecided), funnel->undecided == 1 ? "it stays" : "they stay");
}

/* -- all policies ---------------------------------------------------------------------------------
 */

struct view {
    FILE *out;
    struct plan_reader *plan;
    bool all;
    size_t title_width;
    struct listing *listings; /* of each funnel */
};

static void take_folded(void *context, const struct plan_action *action)
{
    const struct view *view = context;
    size_t count = plan_file_summary(view->plan)->funnel_count;
    for (size_t i = 0; i < count; i++) {
        if (str_equal(view->listings[i].funnel->policy, action->policy)) {
            fold_move(&view->listings[i], action);
            return;
        }
    }
}

/* Folds of all policies fit into memory, and need one reading; directories each need one a policy.
 */
static bool show_moves(const struct view *view, struct listing *listing, struct err *err)
{
    if (view->all && listing->funnel->planned > 0 &&
        !each(view->plan, PLAN_MOVE, listing->funnel->policy, show_move, listing, err))
        return false;
    end_fold(listing);
    show_folds(listing);
    show_shared(listing);
    show_windows(listing);
    return true;
}

static bool show_listings(struct view *view, struct err *err)
{
    const struct plan_header *header = plan_file_header(view->plan);
    const struct plan_summary *summary = plan_file_summary(view->plan);
    for (size_t i = 0; i < summary->funnel_count; i++) {
        const struct plan_funnel *funnel = &summary->funnels[i];
        size_t columns = title_columns(header, funnel) + 3;
        view->listings[i] = (struct listing){.out = view->out,
                                             .header = header,
                                             .funnel = funnel,
                                             .rest = {.is_day = true, .oldest_us = INT64_MAX}};
        if (columns > view->title_width && columns <= COLUMNS / 2)
            view->title_width = columns;
    }
    if (!view->all && !each(view->plan, PLAN_MOVE, NULL, take_folded, view, err))
        return false;
    for (size_t i = 0; i < summary->funnel_count; i++) {
        show_funnel(view->out, header, &summary->funnels[i], view->title_width);
        if (!show_moves(view, &view->listings[i], err))
            return false;
        show_remains(view->out, header, &summary->funnels[i]);
    }
    return true;
}

static bool show_policies(FILE *out, struct plan_reader *plan, bool all, struct err *err)
{
    struct view view = {.out = out, .plan = plan, .all = all, .title_width = 4};
    struct arena arena;
    arena_init(&arena, LISTINGS_BYTES_MAX);
    view.listings =
        arena_make(&arena, plan_file_summary(plan)->funnel_count * sizeof(*view.listings));
    bool done = show_listings(&view, err);
    arena_free(&arena);
    return done;
}

/* -- what is deleted, what is blocked -------------------------------------------------------------
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

static void take_reap(void *context, const struct plan_action *action)
{
    struct rows *rows = context;
    if (rows->count++ == 0 || action->due_us < rows->since_us)
        rows->since_us = action->due_us;
    if (!rows->all)
        return;
    if (rows->count == 1)
        fputs("\ncleanup\n", rows->out);
    fputs("  - ", rows->out);
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
        fprintf(out, "\ncleanup\n  - %s, %s, grace over since %s UTC\n",
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
    fputs("  ! ", rows->out);
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
        fprintf(out, "  ? %s\n", text_plain(samples[shown]));
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
    put_blanks(out, text_columns(store), width);
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
        if (columns > width && columns <= COLUMNS / 2)
            width = columns;
    }
    fprintf(out, "\n  %s", title);
    put_blanks(out, strlen(title), width);
    fprintf(out, "  %20s   %20s\n", "now", "after");
    for (size_t i = 0; i < summary->total_count; i++)
        show_total(out, text_plain(header->stores[i].name), &summary->totals[i], width);
}

/* -- the last lines -------------------------------------------------------------------------------
 */

bool show_plan_is_empty(const struct plan_summary *summary)
{
    return summary->actions[PLAN_MOVE] == 0 && summary->actions[PLAN_RETIER] == 0 &&
           summary->actions[PLAN_REAP] == 0;
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

void show_plan_line(FILE *out, const struct plan_header *header, const struct plan_summary *summary)
{
    const char *unit = text_unit(header->by_object);
    uint64_t blocked = summary->actions[PLAN_BLOCKED], left = summary->left;
    uint64_t refused = count_refused(summary);
    const char *comma = ", ";
    if (!show_plan_is_empty(summary)) {
        fputs("Plan: ", out);
        show_moving(out, summary, header->surveyed);
        fprintf(out, ", %s to delete", text_plural(summary->actions[PLAN_REAP], "source"));
    } else if (blocked + left + refused > 0) {
        fputs("No moves", out);
        comma = ": ";
    } else {
        fprintf(out, "No moves. Every recording%s is where its policy wants it.\n",
                has_undecided(summary) ? " that could be decided" : "");
        return;
    }
    show_staying(out, &comma, blocked, text_plural(blocked, unit), "blocked");
    show_staying(out, &comma, left, blocked > 0 ? text_count(left) : text_plural(left, unit),
                 "left for later");
    show_staying(out, &comma, refused, text_plural(refused, "policy"),
                 refused == 1 ? "refused by its guard" : "refused by their guards");
    fputs(".\n", out);
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
        fprintf(out, "STALE: %s\n", options->stale);
}

bool show_plan(FILE *out, struct plan_reader *plan, const struct show_options *options,
               struct err *err)
{
    const struct plan_header *header = plan_file_header(plan);
    const struct plan_summary *summary = plan_file_summary(plan);
    show_header(out, plan);
    if (!show_policies(out, plan, options->all, err) ||
        !show_cleanup(out, plan, options->all, err) || !show_blocked(out, plan, options->all, err))
        return false;
    show_unreached(out, summary);
    show_totals(out, header, summary);
    fputc('\n', out);
    show_plan_line(out, header, summary);
    show_file(out, plan, options);
    return true;
}
