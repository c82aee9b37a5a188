#include "engine/show_moves.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "base/when.h"
#include "engine/columns.h"
#include "engine/request.h"
#include "engine/text.h"

/* -- rows -----------------------------------------------------------------------------------------
 */

static char sign_of(const struct show_moves *moves, enum plan_kind kind)
{
    if (moves->header->request != NULL && str_equal(moves->funnel->policy, REQUEST_RESTORE))
        return '<';
    return kind == PLAN_RETIER ? '^' : '>';
}

/* "hot:" where the policy takes from any store. */
static const char *store_prefix(const struct show_moves *moves, uint16_t store)
{
    static _Thread_local char text[TEXT_PLAIN_BYTES + 2];
    if (moves->funnel->from != POLICY_NO_INDEX)
        return "";
    snprintf(text, sizeof(text), "%s:", text_plain(moves->header->stores[store].name));
    return text;
}

static void show_age(FILE *out, int64_t oldest_us, int64_t as_of_us)
{
    if (oldest_us != INT64_MAX && oldest_us <= as_of_us)
        fprintf(out, "  oldest %" PRId64 " d", (as_of_us - oldest_us) / WHEN_DAY_US);
}

/* Where rows stand for objects, their number says nothing more. */
static bool tells_objects(const struct plan_header *header)
{
    return header->surveyed && !header->by_object;
}

void show_moves_one(struct show_moves *moves, const struct plan_action *action)
{
    FILE *out = moves->out;
    moves->recordings += action->row_total;
    fprintf(out, "  %s %s%s   %s", text_sign(out, sign_of(moves, action->kind)),
            store_prefix(moves, action->store), text_plain(action->directory),
            text_size(action->bytes));
    if (action->surveyed && !moves->header->by_object)
        fprintf(out, "   %s", text_plural(action->objects, "object"));
    show_age(out, action->oldest_us, moves->header->as_of_us);
    if (action->window != NULL)
        fprintf(out, "   begins within %s", text_plain(action->window));
    fputc('\n', out);
    for (size_t i = 0; i < action->row_count; i++)
        fprintf(out, "      %s   %s\n", text_plain(action->rows[i].id),
                text_plain(action->rows[i].because));
}

/* -- folding --------------------------------------------------------------------------------------
 */

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

static void add_to(struct show_fold *fold, const struct show_fold *more)
{
    fold->directories += more->directories;
    fold->bytes = plan_sum(fold->bytes, more->bytes);
    fold->objects = plan_sum(fold->objects, more->objects);
    fold->is_day &= more->is_day;
    if (more->oldest_us < fold->oldest_us)
        fold->oldest_us = more->oldest_us;
}

static void end_fold(struct show_moves *moves)
{
    if (moves->fold.directories == 0)
        return;
    if (moves->count < SHOW_MOVES_FOLDS)
        moves->folds[moves->count++] = moves->fold;
    else {
        add_to(&moves->rest, &moves->fold);
        moves->more++;
    }
    moves->fold.directories = 0;
}

static void note_window(struct show_moves *moves, const char *window)
{
    if (window == NULL)
        return;
    if (moves->windowed++ == 0)
        snprintf(moves->window, sizeof(moves->window), "%s", window);
    else
        moves->is_mixed |= strncmp(moves->window, window, sizeof(moves->window) - 1) != 0;
}

void show_moves_fold(struct show_moves *moves, const struct plan_action *action)
{
    struct show_fold one = {.kind = action->kind,
                            .store = action->store,
                            .directories = 1,
                            .bytes = action->bytes,
                            .objects = action->objects,
                            .oldest_us = action->oldest_us};
    size_t length = fold_length(action->directory, &one.is_day);
    moves->recordings += action->row_total;
    note_window(moves, action->window);
    memcpy(one.prefix, action->directory, str_cut(action->directory, length, OBJECT_KEY_MAX));
    if (moves->fold.directories > 0 && moves->fold.kind == one.kind &&
        moves->fold.store == one.store && str_equal(moves->fold.prefix, one.prefix)) {
        add_to(&moves->fold, &one);
        return;
    }
    end_fold(moves);
    moves->fold = one;
}

/* -- what was folded ------------------------------------------------------------------------------
 */

static size_t fold_columns(const struct show_moves *moves, const struct show_fold *fold)
{
    return text_columns(store_prefix(moves, fold->store)) + text_columns(text_plain(fold->prefix));
}

static void show_fold(const struct show_moves *moves, const struct show_fold *fold, size_t width)
{
    FILE *out = moves->out;
    fprintf(out, "  %s %s%s", text_sign(out, sign_of(moves, fold->kind)),
            store_prefix(moves, fold->store), text_plain(fold->prefix));
    columns_blanks(out, fold_columns(moves, fold), width);
    fprintf(out, "  %14s  %8s", text_plural(fold->directories, text_unit(moves->header->by_object)),
            text_size(fold->bytes));
    if (tells_objects(moves->header))
        fprintf(out, "  %13s", text_plural(fold->objects, "object"));
    show_age(out, fold->oldest_us, moves->header->as_of_us);
    fputc('\n', out);
}

static void show_folds(const struct show_moves *moves)
{
    size_t width = 0;
    for (size_t i = 0; i < moves->count; i++) {
        size_t columns = fold_columns(moves, &moves->folds[i]);
        if (columns > width && columns <= COLUMNS_MAX / 2)
            width = columns;
    }
    for (size_t i = 0; i < moves->count; i++)
        show_fold(moves, &moves->folds[i], width);
    if (moves->more == 0)
        return;
    const struct show_fold *rest = &moves->rest;
    fprintf(moves->out, "    ... %s (%s, %s",
            text_plural(moves->more, rest->is_day ? "more day" : "more folder"),
            text_plural(rest->directories, text_unit(moves->header->by_object)),
            text_size(rest->bytes));
    if (tells_objects(moves->header))
        fprintf(moves->out, ", %s", text_plural(rest->objects, "object"));
    fputs("); --all shows each\n", moves->out);
}

static void show_windows(const struct show_moves *moves)
{
    if (moves->windowed == 0)
        return;
    fprintf(moves->out, "    of these, apply begins %s only within %s\n",
            text_plural(moves->windowed, text_unit(moves->header->by_object)),
            moves->is_mixed ? "their windows; --all shows each" : text_plain(moves->window));
}

/* A directory is listed once, however many policies of the same priority take it. */
static void show_shared(const struct show_moves *moves)
{
    uint64_t planned = moves->funnel->planned;
    if (moves->recordings < planned)
        fprintf(moves->out,
                "    %s listed at another policy of the same priority, which takes %s too\n",
                moves->recordings == 0 ? "all are" : "the others are",
                planned == 1 ? "it" : "them");
}

/* -- all of them ----------------------------------------------------------------------------------
 */

void show_moves_init(struct show_moves *moves, FILE *out, const struct plan_header *header,
                     const struct plan_funnel *funnel)
{
    *moves = (struct show_moves){.out = out,
                                 .header = header,
                                 .funnel = funnel,
                                 .rest = {.is_day = true, .oldest_us = INT64_MAX}};
}

void show_moves_end(struct show_moves *moves)
{
    end_fold(moves);
    show_folds(moves);
    show_shared(moves);
    show_windows(moves);
}
