#include "planner/owed.h"

#include "base/arena.h"
#include "base/digest.h"
#include "planner/whereabouts.h"
#include "state/journal.h"

#define HEAD_BYTES_MAX ((size_t)1 << 20)

/* -- a unit in the spool ----------------------------------------------------------------------- */

bool owed_begin(const struct planner_request *request, struct owed *owed, struct err *err)
{
    return spool_open(&owed->spool, request->spool_folder, err);
}

bool owed_end(struct owed *owed, struct err *err)
{
    return spool_finish(&owed->spool, err);
}

void owed_free(struct owed *owed)
{
    spool_close(&owed->spool);
}

static void pack_entry(const struct journal_unit *entry, struct buf *head)
{
    const struct unit *unit = &entry->unit;
    char digest[DIGEST_HEX_MAX];
    digest_hex(unit->manifest.sha256, sizeof(unit->manifest.sha256), digest);
    pack_text(head, entry->directory);
    pack_text(head, entry->policy);
    pack_number(head, unit->objects);
    pack_number(head, unit->bytes);
    pack_text(head, digest);
    pack_number(head, (uint64_t)unit->id);
    pack_number(head, (uint64_t)unit->cleanup_at_us);
    pack_number(head, unit->rows);
}

bool owed_add(struct owed *owed, enum plan_kind kind, const struct journal_unit *entry,
              uint16_t store, uint16_t target, struct err *err)
{
    static const struct buf no_body = {0};
    struct buf head;
    buf_init(&head, HEAD_BYTES_MAX);
    pack_number(&head, kind);
    pack_number(&head, store);
    pack_number(&head, target);
    pack_entry(entry, &head);
    bool done = buf_check(&head, "a unit of the journal", err) &&
                spool_add(&owed->spool, store, &head, &no_body, err);
    buf_free(&head);
    return done;
}

bool owed_next(struct spool_cursor *cursor, struct arena *arena, struct plan_action **action,
               struct err *err)
{
    bool found;
    struct packed head;
    uint64_t index;
    *action = NULL;
    if (!spool_next(cursor, &found, &head, &index, err))
        return false;
    if (!found)
        return true;
    struct plan_action *owed = arena_make(arena, sizeof(*owed));
    owed->kind = (enum plan_kind)pack_take_number(&head);
    owed->store = (uint16_t)pack_take_number(&head);
    owed->target = (uint16_t)pack_take_number(&head);
    owed->directory = owed->target_directory = arena_copy(arena, pack_take_text(&head));
    owed->policy = arena_copy(arena, pack_take_text(&head));
    owed->objects = pack_take_number(&head);
    owed->bytes = pack_take_number(&head);
    if (!digest_unhex(pack_take_text(&head), owed->manifest.sha256, sizeof(owed->manifest.sha256)))
        head.broken = true;
    owed->unit = (int64_t)pack_take_number(&head);
    owed->due_us = (int64_t)pack_take_number(&head);
    owed->row_total = pack_take_number(&head);
    owed->oldest_us = INT64_MAX;
    *action = owed;
    return pack_check(&head, err);
}

/* -- which units ------------------------------------------------------------------------------- */

struct collect {
    const struct planner_request *request;
    struct owed *owed;
    enum plan_kind kind;
    uint64_t others;
    struct arena scratch;
};

static bool is_due(const struct unit *unit, int64_t as_of_us)
{
    return unit->state == UNIT_CUTOVER && !unit->keep_source && unit->cleanup_at_us <= as_of_us;
}

static bool is_asked(struct collect *collect, const struct unit *unit)
{
    if (collect->kind == PLAN_REAP)
        return collect->request->request == NULL &&
               is_due(unit, collect->request->policies->as_of_us);
    return unit_can_return(unit);
}

static bool take_unit(void *context, const struct journal_unit *entry, struct err *err)
{
    struct collect *collect = context;
    const struct policies *policies = collect->request->policies;
    const struct unit *unit = &entry->unit;
    uint16_t store, target;

    collect->owed->open += unit_is_open(unit);
    arena_reset(&collect->scratch);
    if (is_asked(collect, unit) &&
        whereabouts_of_unit(policies, entry->source, entry->directory, TIER_DEFAULT,
                            &collect->scratch, &store) &&
        whereabouts_of_unit(policies, entry->target, entry->directory, unit->tier,
                            &collect->scratch, &target))
        return owed_add(collect->owed, collect->kind, entry, store, target, err);
    collect->others +=
        unit->cleanup_at_us > 0 && unit->kind == UNIT_MOVE && unit->state != UNIT_ROLLED_BACK;
    return true;
}

static bool collect_units(struct collect *collect, const struct journal_filter *filter,
                          struct err *err)
{
    const struct planner_request *request = collect->request;
    if (!owed_begin(request, collect->owed, err))
        return false;
    arena_init(&collect->scratch, PLACE_MAX * HEAD_BYTES_MAX);
    bool done =
        request->journal == NULL || journal_each(request->journal, filter, take_unit, collect, err);
    arena_free(&collect->scratch);
    return done && owed_end(collect->owed, err);
}

bool owed_reaps(const struct planner_request *request, struct owed *owed, struct err *err)
{
    struct collect collect = {.request = request, .owed = owed, .kind = PLAN_REAP};
    return collect_units(&collect, &(struct journal_filter){.open_only = true}, err);
}

bool owed_rollbacks(const struct planner_request *request, int64_t run, struct owed *owed,
                    uint64_t *others, struct err *err)
{
    struct collect collect = {.request = request, .owed = owed, .kind = PLAN_ROLLBACK};
    bool done = collect_units(&collect, &(struct journal_filter){.run = run}, err);
    *others = collect.others;
    return done;
}
