#include "engine/show_plan.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/when.h"
#include "engine/text.h"

#define ACTION_BYTES_MAX ((size_t)256 << 20)
#define FOLDS_SHOWN 10
#define BLOCKED_SHOWN 20

/* -- header and funnel ---------------------------------------------------------------------------
 */

static void show_header(FILE *out, struct plan_reader *plan)
{
    const struct plan_header *header = plan_file_header(plan);
    const struct plan_summary *summary = plan_file_summary(plan);
    fprintf(out, "As of %s UTC · %s %.7s · %s · %s\n", text_instant(header->as_of_us),
            plan_file_made(plan)->policy, strchr(header->policy_digest, ':') + 1, header->catalog,
            text_plural(summary->rows, "recording"));
    if (header->simulation)
        fputs("A simulation: as_of lies in the future, so this plan can't be applied.\n", out);
    if (!header->surveyed)
        fputs("Not surveyed: sizes are the catalog's.\n", out);
}

static void show_step(FILE *out, uint64_t count, const char *what)
{
    if (count > 0)
        fprintf(out, " -> %s %s", text_count(count), what);
}

static void show_funnel(FILE *out, const struct plan_header *header,
                        const struct plan_funnel *funnel)
{
    uint64_t selected = funnel->rows - funnel->out - funnel->undecided;
    fprintf(out, "\n%s  -> %s   %s -> %s selected", funnel->policy,
            header->stores[funnel->target].name, text_plural(funnel->rows, "recording"),
            text_count(selected));
    show_step(out, funnel->excluded, "excluded");
    show_step(out, funnel->held, "held");
    show_step(out, funnel->undecided, "undecided");
    show_step(out, funnel->lost, "taken by another policy");
    show_step(out, funnel->in_place, "already there");
    show_step(out, funnel->blocked, "blocked");
    show_step(out, funnel->left, "left for later");
    fprintf(out, " -> %s to move\n", text_count(funnel->planned));
    if (funnel->failed)
        fprintf(out, "  ! refused by its guard %s: nothing of this policy is planned\n",
                funnel->guard);
    else if (funnel->left > 0)
        fprintf(out, "  ! %s left for later: %s\n", text_count(funnel->left),
                funnel->guard != NULL ? funnel->guard : "a guard");
}

/* -- moves, folded --------------------------------------------------------------------------------
 */

/* Directories that share a day (or a parent) and are neighbours make one row. */
struct fold {
    char prefix[OBJECT_KEY_MAX + 1];
    uint64_t directories, recordings, bytes, objects;
    int64_t oldest_us;
};

static bool is_day(const char *at)
{
    struct when_date date;
    struct err err;
    char text[11] = "";
    memcpy(text, at, strnlen(at, 10));
    return at[10] == '/' && when_date_read(text, &date, &err);
}

/* Up to and with the first part that is a date; else the parent. */
static size_t find_fold(const char *directory)
{
    size_t length = strlen(directory);
    for (size_t at = 0; at + 10 < length; at++)
        if ((at == 0 || directory[at - 1] == '/') && is_day(directory + at))
            return at + 11;
    for (size_t at = length - 1; at > 0; at--)
        if (directory[at - 1] == '/')
            return at;
    return length;
}

/* A location may be longer than any key. */
static size_t fold_length(const char *directory)
{
    return str_cut(directory, find_fold(directory), OBJECT_KEY_MAX);
}

static void show_age(FILE *out, int64_t oldest_us, int64_t as_of_us)
{
    if (oldest_us != INT64_MAX && oldest_us <= as_of_us)
        fprintf(out, "   oldest %" PRId64 " d", (as_of_us - oldest_us) / WHEN_DAY_US);
}

static void show_fold(FILE *out, const struct fold *fold, const struct plan_header *header)
{
    fprintf(out, "  > %-36s %s   %s", text_plain(fold->prefix),
            text_plural(fold->directories, text_unit(header->by_object)), text_size(fold->bytes));
    if (header->surveyed && !header->by_object)
        fprintf(out, "   %s", text_plural(fold->objects, "object"));
    show_age(out, fold->oldest_us, header->as_of_us);
    fputc('\n', out);
}

static void show_move(FILE *out, const struct plan_action *action, const struct plan_header *header)
{
    fprintf(out, "  > %s   %s -> %s   %s", text_plain(action->directory),
            header->stores[action->store].name, header->stores[action->target].name,
            text_size(action->bytes));
    if (action->surveyed && !header->by_object)
        fprintf(out, "   %s", text_plural(action->objects, "object"));
    show_age(out, action->oldest_us, header->as_of_us);
    if (action->window != NULL)
        fprintf(out, "   begins within %s", text_plain(action->window));
    fputc('\n', out);
    for (size_t i = 0; i < action->row_count; i++)
        fprintf(out, "      %s   %s\n", text_plain(action->rows[i].id),
                text_plain(action->rows[i].because));
}

struct listing_state {
    FILE *out;
    const struct plan_header *header;
    bool all;
    struct fold fold, rest;
    uint64_t folds;
    uint64_t windowed; /* moves that have a window          */
    char window[256];  /* of the first of them              */
    bool is_mixed;     /* not all of them have the same one */
};

static void add_to(struct fold *fold, const struct fold *more)
{
    fold->directories += more->directories;
    fold->recordings += more->recordings;
    fold->bytes += more->bytes;
    fold->objects += more->objects;
    if (more->oldest_us < fold->oldest_us)
        fold->oldest_us = more->oldest_us;
}

static void flush_fold(struct listing_state *state)
{
    if (state->fold.directories == 0)
        return;
    if (state->folds < FOLDS_SHOWN)
        show_fold(state->out, &state->fold, state->header);
    else
        add_to(&state->rest, &state->fold);
    state->folds++;
    state->fold = (struct fold){.oldest_us = INT64_MAX};
}

static void note_window(struct listing_state *state, const char *window)
{
    if (window == NULL)
        return;
    if (state->windowed++ == 0)
        snprintf(state->window, sizeof(state->window), "%s", window);
    else
        state->is_mixed |= strncmp(state->window, window, sizeof(state->window) - 1) != 0;
}

static void show_windows(const struct listing_state *state)
{
    if (state->windowed == 0 || state->all)
        return;
    fprintf(state->out, "    of these, apply begins %s only within %s\n",
            text_plural(state->windowed, text_unit(state->header->by_object)),
            state->is_mixed ? "their windows; --all shows each" : text_plain(state->window));
}

static void take_move(struct listing_state *state, const struct plan_action *action)
{
    note_window(state, action->window);
    if (state->all) {
        show_move(state->out, action, state->header);
        return;
    }
    size_t length = fold_length(action->directory);
    if (state->fold.directories > 0 && (strlen(state->fold.prefix) != length ||
                                        !str_starts(action->directory, state->fold.prefix)))
        flush_fold(state);
    struct fold one = {.directories = 1,
                       .recordings = action->row_count,
                       .bytes = action->bytes,
                       .objects = action->objects,
                       .oldest_us = action->oldest_us};
    memcpy(state->fold.prefix, action->directory, length);
    state->fold.prefix[length] = '\0';
    add_to(&state->fold, &one);
}

typedef void take_action(void *context, const struct plan_action *action);

/* Every action of a kind (and policy, if one is named), from the beginning. */
static bool each(struct plan_reader *plan, enum plan_kind kind, const char *policy,
                 take_action *take, void *context, struct err *err)
{
    struct arena arena;
    struct plan_action *action;
    bool done = plan_file_rewind(plan, err);
    arena_init(&arena, ACTION_BYTES_MAX);
    while (done) {
        arena_reset(&arena);
        done = plan_file_next(plan, &arena, &action, err);
        if (!done || action == NULL)
            break;
        if (action->kind == kind && (policy == NULL || str_equal(action->policy, policy)))
            take(context, action);
    }
    arena_free(&arena);
    return done;
}

static void take_move_action(void *context, const struct plan_action *action)
{
    take_move(context, action);
}

static bool show_policy(FILE *out, struct plan_reader *plan, const struct plan_funnel *funnel,
                        bool all, struct err *err)
{
    const struct plan_header *header = plan_file_header(plan);
    struct listing_state state = {.out = out,
                                  .header = header,
                                  .all = all,
                                  .fold = {.oldest_us = INT64_MAX},
                                  .rest = {.oldest_us = INT64_MAX}};
    show_funnel(out, header, funnel);
    if (funnel->planned == 0)
        return true;
    if (!each(plan, PLAN_MOVE, funnel->policy, take_move_action, &state, err))
        return false;
    flush_fold(&state);
    if (state.rest.directories > 0)
        fprintf(out, "    ... %s more (%s, %s); --all shows each\n",
                text_count(state.folds - FOLDS_SHOWN),
                text_plural(state.rest.directories, text_unit(header->by_object)),
                text_size(state.rest.bytes));
    show_windows(&state);
    return true;
}

/* -- what is deleted, what is blocked -------------------------------------------------------------
 */

struct rows {
    FILE *out;
    const struct plan_header *header;
    bool all;
    uint64_t count;
};

static void take_reap(void *context, const struct plan_action *action)
{
    struct rows *rows = context;
    if (rows->count++ == 0)
        fputs("\ncleanup\n", rows->out);
    if (rows->all || rows->count <= BLOCKED_SHOWN)
        fprintf(rows->out, "  - %s:%s   %s, %s, grace over since %s\n",
                rows->header->stores[action->store].name, text_plain(action->directory),
                text_plural(action->objects, "object"), text_size(action->bytes),
                text_instant(action->due_us));
}

static void take_blocked(void *context, const struct plan_action *action)
{
    struct rows *rows = context;
    if (rows->count++ == 0)
        fputs("\nblocked\n", rows->out);
    if (!rows->all && rows->count > BLOCKED_SHOWN)
        return;
    fprintf(rows->out, "  ! %s   %s: %s\n", text_plain(action->directory),
            plan_reason_name(action->reason),
            text_plain(action->detail != NULL ? action->detail : ""));
}

static bool show_rest(FILE *out, struct plan_reader *plan, bool all, struct err *err)
{
    const struct plan_header *header = plan_file_header(plan);
    struct rows reaps = {.out = out, .header = header, .all = all};
    struct rows blocked = reaps;
    if (!each(plan, PLAN_REAP, NULL, take_reap, &reaps, err) ||
        !each(plan, PLAN_BLOCKED, NULL, take_blocked, &blocked, err))
        return false;
    if (!all && reaps.count + blocked.count > 2 * BLOCKED_SHOWN)
        fputs("    ... --all shows each\n", out);
    return true;
}

static void show_samples(FILE *out, const struct plan_summary *summary)
{
    uint64_t unmanaged = summary->unmanaged + summary->shallow;
    if (unmanaged > 0) {
        fprintf(out, "\nunmanaged   %s in no declared store, %s too shallow\n",
                text_plural(summary->unmanaged, "recording"), text_count(summary->shallow));
        for (size_t i = 0; i < PLAN_SAMPLES && summary->unmanaged_samples[i] != NULL; i++)
            fprintf(out, "  ? %s\n", text_plain(summary->unmanaged_samples[i]));
    }
    if (summary->missing_id_count > 0) {
        fprintf(out, "\nnot in the catalog   %s\n",
                text_plural(summary->missing_id_count, "listed id"));
        for (size_t i = 0; i < PLAN_SAMPLES && summary->missing_ids[i] != NULL; i++)
            fprintf(out, "  ? %s\n", text_plain(summary->missing_ids[i]));
    }
}

/* -- totals
 * ---------------------------------------------------------------------------------------- */

static void show_totals(FILE *out, const struct plan_header *header,
                        const struct plan_summary *summary)
{
    fprintf(out, "\n  %-16s %20s   %20s\n", "", "now", "after");
    for (size_t i = 0; i < summary->total_count; i++) {
        const struct plan_store_total *total = &summary->totals[i];
        bool grows = total->bytes_after >= total->bytes_now;
        uint64_t change =
            grows ? total->bytes_after - total->bytes_now : total->bytes_now - total->bytes_after;
        fprintf(out, "  %-16s %11s %8s   %11s %8s", header->stores[i].name,
                text_size(total->bytes_now), text_count(total->recordings_now),
                text_size(total->bytes_after), text_count(total->recordings_after));
        if (change > 0)
            fprintf(out, "   %c%s", grows ? '+' : '-', text_size(change));
        fputc('\n', out);
    }
}

bool show_plan_is_empty(const struct plan_summary *summary)
{
    return summary->actions[PLAN_MOVE] == 0 && summary->actions[PLAN_REAP] == 0;
}

/* What stays although a policy selects it. */
static void show_staying(FILE *out, const struct plan_header *header,
                         const struct plan_summary *summary)
{
    fprintf(out, ", %s blocked, %s left for later.\n",
            text_plural(summary->actions[PLAN_BLOCKED], text_unit(header->by_object)),
            text_count(summary->left));
}

void show_plan_line(FILE *out, const struct plan_header *header, const struct plan_summary *summary)
{
    bool stays = summary->actions[PLAN_BLOCKED] + summary->left > 0;
    if (show_plan_is_empty(summary) && !stays) {
        fputs("No moves. Every recording is where its policy wants it.\n", out);
        return;
    }
    if (show_plan_is_empty(summary)) {
        fputs("No moves. No sources to delete", out);
        show_staying(out, header, summary);
        return;
    }
    fprintf(out, "Plan: %s to move (%s", text_plural(summary->move_recordings, "recording"),
            text_size(summary->move_bytes));
    if (header->surveyed)
        fprintf(out, ", %s", text_plural(summary->move_objects, "object"));
    fprintf(out, "), %s to delete", text_plural(summary->actions[PLAN_REAP], "source"));
    show_staying(out, header, summary);
}

bool show_plan(FILE *out, struct plan_reader *plan, const struct show_options *options,
               struct err *err)
{
    const struct plan_header *header = plan_file_header(plan);
    const struct plan_summary *summary = plan_file_summary(plan);
    show_header(out, plan);
    for (size_t i = 0; i < summary->funnel_count; i++)
        if (!show_policy(out, plan, &summary->funnels[i], options->all, err))
            return false;
    if (!show_rest(out, plan, options->all, err))
        return false;
    show_samples(out, summary);
    show_totals(out, header, summary);
    fputc('\n', out);
    show_plan_line(out, header, summary);
    if (options->path != NULL)
        fprintf(out, "Saved %s  %s\n", options->path, text_digest(plan_file_digest(plan)));
    return true;
}
