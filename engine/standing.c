#include "engine/standing.h"

#include "base/arena.h"
#include "base/str.h"
#include "state/journal.h"

#define ROWS_BYTES_MAX ((size_t)64 << 20) /* of one unit */

static const char *const words[] = {[STANDING_OPEN] = "open",
                                    [STANDING_WAITING] = "waiting",
                                    [STANDING_PARKED] = "parked",
                                    [STANDING_FAILED] = "failed",
                                    [STANDING_DONE] = "done"};

bool standing_read(const char *word, enum standing *standing, struct err *err)
{
    for (*standing = 0; *standing < STANDINGS; ++*standing)
        if (str_equal(words[*standing], word))
            return true;
    return ERR(err, ERR_INPUT, "state: wants open, waiting, parked, failed or done, not %s", word);
}

bool standing_of(enum standing standing, const struct unit *unit)
{
    bool is_waiting = unit->state == UNIT_CUTOVER && unit->reason == REASON_GRACE;
    switch (standing) {
    case STANDING_OPEN:
        return unit_is_open(unit) && !is_waiting;
    case STANDING_WAITING:
        return is_waiting;
    case STANDING_PARKED:
        return unit->state == UNIT_PARKED;
    case STANDING_FAILED:
        return unit->state == UNIT_PARKED || unit->state == UNIT_ABANDONED;
    default:
        return unit->state == UNIT_DONE;
    }
}

/* A journal_visit: units of one recording come as they were begun. */
static bool take_last(void *context, const struct journal_unit *entry, struct err *err)
{
    int64_t *last = context;
    (void)err;
    *last = entry->unit.id;
    return true;
}

static bool find_last(struct journal *journal, const char *id, int64_t *last, struct err *err)
{
    const struct journal_filter filter = {.recording = id};
    *last = 0;
    return journal_each(journal, &filter, take_last, last, err);
}

bool standing_is_last(struct journal *journal, const struct unit *unit, struct arena *arena,
                      bool *is_last, struct err *err)
{
    struct arena_mark mark = arena_mark(arena);
    struct catalog_row *rows;
    size_t count;
    int64_t last;
    bool done = journal_rows_get(journal, unit->id, arena, &rows, &count, err);
    *is_last = false;
    for (size_t i = 0; done && !*is_last && i < count; i++) {
        done = find_last(journal, rows[i].id, &last, err);
        *is_last = done && last == unit->id;
    }
    arena_back(arena, mark);
    return done;
}

struct walk {
    struct journal *journal;
    enum standing standing;
    void (*visit)(void *context, const char *id);
    void *context;
    struct arena arena; /* the rows of one unit */
};

static bool take_unit(void *context, const struct journal_unit *entry, struct err *err)
{
    struct walk *walk = context;
    struct catalog_row *rows;
    size_t count;
    int64_t last;
    if (!standing_of(walk->standing, &entry->unit))
        return true;
    arena_reset(&walk->arena);
    if (!journal_rows_get(walk->journal, entry->unit.id, &walk->arena, &rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!find_last(walk->journal, rows[i].id, &last, err))
            return false;
        if (last == entry->unit.id)
            walk->visit(walk->context, rows[i].id);
    }
    return true;
}

bool standing_each(struct journal *journal, enum standing standing,
                   void (*visit)(void *context, const char *id), void *context, struct err *err)
{
    const struct journal_filter filter = {.open_only = false};
    struct walk walk = {
        .journal = journal, .standing = standing, .visit = visit, .context = context};
    arena_init(&walk.arena, ROWS_BYTES_MAX);
    bool done = journal_each(journal, &filter, take_unit, &walk, err);
    arena_free(&walk.arena);
    return done;
}
