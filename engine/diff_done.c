#include "engine/diff_done.h"

#include "base/arena.h"
#include "base/str.h"
#include "state/journal.h"
#include "state/location.h"

#define URLS_BYTES_MAX ((size_t)256 << 20)

struct search {
    const struct diff_done *done;
    const char *source, *target;
    int64_t run;
};

bool diff_done_init(struct diff_done *done, const struct plan_reader *old,
                    const struct plan_reader *new, struct journal *journal, struct err *err)
{
    char lineage[JOURNAL_LINEAGE_MAX];
    *done = (struct diff_done){.since_us = plan_file_made(old)->at_us,
                               .until_us = plan_file_made(new)->at_us};
    if (journal == NULL)
        return true;
    if (!journal_lineage(journal, lineage, err))
        return err_wrap(err, "journal");
    if (str_equal(lineage, plan_file_header(new)->journal))
        done->journal = journal;
    return true;
}

static bool is_at_target(const struct unit *unit)
{
    return unit->state == UNIT_DONE || (unit_is_open(unit) && unit->cleanup_at_us > 0);
}

static bool take(void *context, const struct journal_unit *unit, struct err *err)
{
    struct search *search = context;
    int64_t cut_over_us = unit->unit.cleanup_at_us - unit->unit.grace_us;
    (void)err;
    if (is_at_target(&unit->unit) && str_equal(unit->source, search->source) &&
        str_equal(unit->target, search->target) && cut_over_us >= search->done->since_us &&
        cut_over_us <= search->done->until_us)
        search->run = unit->unit.run;
    return true;
}

static const char *url_of(const struct plan_header *header, uint16_t store, const char *directory,
                          struct arena *arena)
{
    const struct place place = {.store = header->stores[store].name,
                                .base = header->stores[store].base};
    return location_make(&place, directory, "", arena);
}

bool diff_done_find(const struct diff_done *done, const struct plan_diff *diff, int64_t *run,
                    struct err *err)
{
    const struct plan_action *move = diff->before;
    *run = 0;
    if (done->journal == NULL || diff->change != PLAN_DIFF_DROPPED || !plan_begins(move))
        return true;
    struct arena arena;
    arena_init(&arena, URLS_BYTES_MAX);
    struct search search = {
        .done = done,
        .source = url_of(diff->old_header, move->store, move->directory, &arena),
        .target = url_of(diff->old_header, move->target, move->target_directory, &arena)};
    const struct journal_filter filter = {.recording = move->rows[0].id};
    bool found = journal_each(done->journal, &filter, take, &search, err);
    arena_free(&arena);
    *run = search.run;
    return found || err_wrap(err, "journal");
}
