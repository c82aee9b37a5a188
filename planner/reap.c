#include "planner/reap.h"

#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "planner/whereabouts.h"
#include "state/journal.h"

#define HEAD_BYTES_MAX ((size_t)1 << 20)

struct collect {
    const struct planner_request *request;
    struct reaps *reaps;
    struct arena scratch;
    struct buf head;
};

static void pack_action(const struct plan_action *action, struct buf *head)
{
    char digest[DIGEST_HEX_MAX];
    digest_hex(action->manifest.sha256, sizeof(action->manifest.sha256), digest);
    pack_number(head, action->store);
    pack_number(head, action->target);
    pack_text(head, action->directory);
    pack_text(head, action->policy);
    pack_number(head, action->objects);
    pack_number(head, action->bytes);
    pack_text(head, digest);
    pack_number(head, (uint64_t)action->unit);
    pack_number(head, (uint64_t)action->due_us);
    pack_number(head, action->row_total);
}

static bool is_due(const struct unit *unit, int64_t as_of_us)
{
    return unit->state == UNIT_CUTOVER && !unit->keep_source && unit->cleanup_at_us <= as_of_us;
}

static bool take_unit(void *context, const struct journal_unit *entry, struct err *err)
{
    struct collect *collect = context;
    const struct policies *policies = collect->request->policies;
    const struct unit *unit = &entry->unit;
    static const struct buf no_body = {0};
    uint16_t store, target;

    collect->reaps->open++;
    arena_reset(&collect->scratch);
    if (!is_due(unit, policies->as_of_us) ||
        !whereabouts_of_unit(policies, entry->source, entry->directory, TIER_DEFAULT,
                             &collect->scratch, &store) ||
        !whereabouts_of_unit(policies, entry->target, entry->directory, unit->tier,
                             &collect->scratch, &target))
        return true;
    buf_reset(&collect->head);
    pack_action(&(struct plan_action){.store = store,
                                      .target = target,
                                      .directory = entry->directory,
                                      .policy = entry->policy,
                                      .objects = unit->objects,
                                      .bytes = unit->bytes,
                                      .manifest = unit->manifest,
                                      .unit = unit->id,
                                      .due_us = unit->cleanup_at_us,
                                      .row_total = unit->rows},
                &collect->head);
    return buf_check(&collect->head, "a unit of the journal", err) &&
           spool_add(&collect->reaps->spool, store, &collect->head, &no_body, err);
}

bool reap_collect(const struct planner_request *request, struct reaps *reaps, struct err *err)
{
    struct collect collect = {.request = request, .reaps = reaps};
    const struct journal_filter filter = {.open_only = true};
    reaps->open = 0;
    if (!spool_open(&reaps->spool, request->spool_folder, err))
        return false;
    arena_init(&collect.scratch, PLACE_MAX * HEAD_BYTES_MAX);
    buf_init(&collect.head, HEAD_BYTES_MAX);
    bool done = request->journal == NULL ||
                journal_each(request->journal, &filter, take_unit, &collect, err);
    buf_free(&collect.head);
    arena_free(&collect.scratch);
    return done && spool_finish(&reaps->spool, err);
}

void reap_free(struct reaps *reaps)
{
    spool_close(&reaps->spool);
}

bool reap_next(struct spool_cursor *cursor, struct arena *arena, struct plan_action **action,
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
    struct plan_action *reap = arena_make(arena, sizeof(*reap));
    reap->kind = PLAN_REAP;
    reap->store = (uint16_t)pack_take_number(&head);
    reap->target = (uint16_t)pack_take_number(&head);
    reap->directory = reap->target_directory = arena_copy(arena, pack_take_text(&head));
    reap->policy = arena_copy(arena, pack_take_text(&head));
    reap->objects = pack_take_number(&head);
    reap->bytes = pack_take_number(&head);
    if (!digest_unhex(pack_take_text(&head), reap->manifest.sha256, sizeof(reap->manifest.sha256)))
        head.broken = true;
    reap->unit = (int64_t)pack_take_number(&head);
    reap->due_us = (int64_t)pack_take_number(&head);
    reap->row_total = pack_take_number(&head);
    reap->oldest_us = INT64_MAX;
    *action = reap;
    return pack_check(&head, err);
}
