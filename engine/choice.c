#include "engine/choice.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/str.h"
#include "engine/standing.h"

static bool check(const struct selection *selection, struct err *err)
{
    enum standing standing;
    for (const struct selection_word *word = selection->first; word != NULL; word = word->next) {
        for (const struct selection_piece *piece = word->first; piece != NULL;
             piece = piece->next) {
            if (piece->method == SELECTION_DATE || piece->method == SELECTION_FILE) {
                ERR(err, ERR_INPUT, "status selects by id:, store:, policy: and state: alone");
                snprintf(err->hint, sizeof(err->hint),
                         "frostline ls selects recordings by date and file as well");
                return false;
            }
            if (piece->method == SELECTION_STATE && !standing_read(piece->value, &standing, err))
                return false;
        }
    }
    return true;
}

bool choice_read(struct choice *choice, const struct options *options, struct err *err)
{
    return selection_read(&choice->select, options->select.items, options->select.count,
                          choice->arena, err) &&
           selection_read(&choice->exclude, options->exclude.items, options->exclude.count,
                          choice->arena, err) &&
           check(&choice->select, err) && check(&choice->exclude, err);
}

static bool has_id(const struct catalog_row *rows, size_t count,
                   const struct selection_piece *piece)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < piece->id_count; k++)
            if (str_equal(rows[i].id, piece->ids[k]))
                return true;
    return false;
}

static bool has_row(const struct choice *choice, int64_t unit, const struct selection_piece *piece,
                    bool *has, struct err *err)
{
    struct arena_mark mark = arena_mark(choice->arena);
    struct catalog_row *rows;
    size_t count;
    bool done = journal_rows_get(choice->journal, unit, choice->arena, &rows, &count, err);
    *has = done && has_id(rows, count, piece);
    arena_back(choice->arena, mark);
    return done;
}

static bool fits(const struct choice *choice, const struct journal_unit *entry,
                 const struct selection_piece *piece, bool *has, struct err *err)
{
    enum standing standing;
    switch (piece->method) {
    case SELECTION_IDS:
        return has_row(choice, entry->unit.id, piece, has, err);
    case SELECTION_STORE:
        *has = str_equal(entry->source_store, piece->value) ||
               str_equal(entry->target_store, piece->value);
        return true;
    case SELECTION_POLICY:
        *has = str_equal(entry->policy, piece->value);
        return true;
    default:
        *has = standing_read(piece->value, &standing, err) && standing_of(standing, &entry->unit);
        return !*has || standing_is_last(choice->journal, &entry->unit, choice->arena, has, err);
    }
}

/* All pieces of any word. */
static bool fits_any(const struct choice *choice, const struct journal_unit *entry,
                     const struct selection *selection, bool *has, struct err *err)
{
    *has = false;
    for (const struct selection_word *word = selection->first; !*has && word != NULL;
         word = word->next) {
        *has = true;
        for (const struct selection_piece *piece = word->first; *has && piece != NULL;
             piece = piece->next)
            if (!fits(choice, entry, piece, has, err))
                return false;
    }
    return true;
}

bool choice_has(const struct choice *choice, const struct journal_unit *entry, bool *has,
                struct err *err)
{
    bool is_excluded;
    *has = true;
    if (choice->select.first != NULL && !fits_any(choice, entry, &choice->select, has, err))
        return false;
    if (!*has)
        return true;
    if (!fits_any(choice, entry, &choice->exclude, &is_excluded, err))
        return false;
    *has = !is_excluded;
    return true;
}
