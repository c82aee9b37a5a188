/* Copies, tiers and deletions: batches over all directories of a crew. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "executor/perform_private.h"

#define BATCH_MAX 512 /* items in the hands of a store at a time */

/* One item of a batch, and whose it is. */
struct item {
    struct task *task;
    size_t index; /* of the fact */
};

/* Walks over the facts of a crew that `wanted` picks, a batch at a time. */
struct walk {
    const struct crew *crew;
    bool (*wanted)(const struct task *task, size_t index);
    size_t task, fact;
    struct item items[BATCH_MAX];
    size_t count;
};

static bool next_batch(struct walk *walk)
{
    walk->count = 0;
    for (; walk->task < walk->crew->count; walk->task++, walk->fact = 0) {
        struct task *task = walk->crew->tasks[walk->task];
        if (perform_has_failed(task))
            continue;
        for (; walk->fact < task->fact_count; walk->fact++) {
            if (walk->count == BATCH_MAX)
                return true;
            if (walk->wanted(task, walk->fact))
                walk->items[walk->count++] = (struct item){.task = task, .index = walk->fact};
        }
    }
    return walk->count > 0;
}

static struct object_fact *fact_of(const struct item *item)
{
    return &item->task->facts[item->index];
}

static bool told_to_stop(const struct crew *crew)
{
    return atomic_load(crew->cohort->hands->stop);
}

static void count_result(struct tally *tally, enum store_result result)
{
    switch (result) {
    case RESULT_DONE:
        tally->done++;
        return;
    case RESULT_EXISTS:
        tally->exists++;
        return;
    case RESULT_CHANGED:
        tally->changed++;
        return;
    case RESULT_REFUSED:
        tally->refused++;
        return;
    case RESULT_DENIED:
        tally->denied++;
        return;
    case RESULT_BUSY:
        tally->busy++;
        return;
    case RESULT_PENDING:
    case RESULT_UNKNOWN:
        tally->unknown++;
        return;
    }
}

/* The first item that went wrong for good is what a report names. */
static void keep_trouble(struct task *task, const char *doing, const char *key,
                         const struct store_outcome *outcome)
{
    if (outcome->result != RESULT_REFUSED && outcome->result != RESULT_DENIED &&
        outcome->result != RESULT_CHANGED && outcome->result != RESULT_BUSY)
        return;
    if (task->err.kind != ERR_NONE && task->err.kind != ERR_BUSY)
        return;
    static const enum err_kind kinds[] = {[RESULT_REFUSED] = ERR_CONFLICT,
                                          [RESULT_CHANGED] = ERR_CONFLICT,
                                          [RESULT_DENIED] = ERR_DENIED,
                                          [RESULT_BUSY] = ERR_BUSY};
    ERR(&task->err, kinds[outcome->result], "%s %s: %s (%d %s)", doing, key,
        store_result_name(outcome->result), outcome->status, outcome->code);
}

/* -- copies -------------------------------------------------------------------------------------
 */

static bool wants_copy(const struct task *task, size_t index)
{
    return task->at_target[index] == OBJECT_ABSENT;
}

/* What an earlier attempt of ours left is in the way of a copy. */
static bool wants_cleaning(const struct task *task, size_t index)
{
    const struct object_fact *fact = &task->facts[index];
    return wants_copy(task, index) && fact->created && fact->target_etag[0] != '\0';
}

void perform_forget_target(struct object_fact *fact)
{
    fact->target_etag[0] = fact->copy_id[0] = '\0';
    fact->created = fact->condemned = fact->proven = false;
    fact->copy_us = 0;
}

void perform_count_copied(const struct crew *crew, uint64_t bytes)
{
    atomic_fetch_add(&crew->cohort->hands->counters->objects_copied, 1);
    atomic_fetch_add(&crew->cohort->hands->counters->bytes_copied, bytes);
}

static void note_copy(const struct crew *crew, const struct item *item, const struct copy *copy)
{
    struct object_fact *fact = fact_of(item);
    bool done = copy->outcome.result == RESULT_DONE;

    count_result(&item->task->event.tally, copy->outcome.result);
    if (done || copy->outcome.result == RESULT_PENDING) {
        perform_forget_target(fact);
        snprintf(fact->target_etag, sizeof(fact->target_etag), "%s", copy->target_etag);
        fact->created = true;
    } else
        keep_trouble(item->task, "copying", copy->source_key, &copy->outcome);
    if (done) {
        fact->proven = item->task->entry.unit.verify != VERIFY_READBACK &&
                       copy->md5_origin == MD5_COMPUTED && fact->want.md5_origin != MD5_ABSENT &&
                       memcmp(copy->md5, fact->want.md5, sizeof(copy->md5)) == 0;
        perform_count_copied(crew, copy->bytes);
    } else if (copy->outcome.result == RESULT_PENDING) {
        struct clock *clock = crew->cohort->hands->clock;
        snprintf(fact->copy_id, sizeof(fact->copy_id), "%s", copy->copy_id);
        fact->copy_us = clock->ops->now_us(clock);
    }
}

/* The items stand together by task: one write for each task's share. */
static bool save_facts(const struct crew *crew, const struct item *items, size_t count,
                       struct err *err)
{
    const struct object_fact *facts[BATCH_MAX];
    struct journal *journal = crew->cohort->hands->journal;
    size_t first = 0;
    for (size_t i = 0; i < count; i++) {
        facts[i - first] = fact_of(&items[i]);
        if (i + 1 < count && items[i + 1].task == items[i].task)
            continue;
        if (!journal_facts_save(journal, items[i].task->entry.unit.id, facts, i + 1 - first, err))
            return false;
        first = i + 1;
    }
    return true;
}

/* All facts that were saved are on the disk. */
static bool make_durable(const struct crew *crew, const struct item *items, struct err *err)
{
    return journal_save(crew->cohort->hands->journal, &items[0].task->entry.unit, 1, true, err);
}

/* A deletion that is not answered may come when nobody thinks of it any more: that it was sent is
 * on the disk before it is. */
static bool condemn(const struct crew *crew, const struct item *items, size_t count,
                    struct err *err)
{
    for (size_t i = 0; i < count; i++)
        fact_of(&items[i])->condemned = true;
    return save_facts(crew, items, count, err) && make_durable(crew, items, err);
}

static bool clean_batch(const struct crew *crew, const struct item *items, size_t count,
                        struct err *err)
{
    struct store *target = crew->cohort->hands->stores[crew->tasks[0]->target];
    struct deletion *deletions = arena_make(&crew->cohort->scratch, count * sizeof(*deletions));
    if (count == 0)
        return true;
    if (!condemn(crew, items, count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        deletions[i] =
            (struct deletion){.key = perform_key(crew->cohort, items[i].task, fact_of(&items[i])),
                              .etag = fact_of(&items[i])->target_etag};
    target->ops->remove(target, deletions, count);
    for (size_t i = 0; i < count; i++)
        if (deletions[i].outcome.result == RESULT_DONE ||
            deletions[i].outcome.result == RESULT_CHANGED)
            perform_forget_target(fact_of(&items[i]));
    return true;
}

/* Whatever comes of it, the copy that follows does not overwrite. */
static bool clean_target(const struct crew *crew, struct err *err)
{
    struct walk walk = {.crew = crew, .wanted = wants_cleaning};
    while (next_batch(&walk)) {
        struct item items[BATCH_MAX];
        size_t count = 0;
        for (size_t i = 0; i < walk.count; i++) {
            if (perform_has_rows_at_target(crew->cohort, walk.items[i].task))
                perform_forget_target(fact_of(&walk.items[i]));
            else
                items[count++] = walk.items[i];
        }
        if (!clean_batch(crew, items, count, err))
            return err_wrap(err, "writing down what is cleaned up");
    }
    return true;
}

static bool copy_batch(const struct crew *crew, const struct walk *walk, struct err *err)
{
    struct cohort *cohort = crew->cohort;
    struct store *source = cohort->hands->stores[crew->tasks[0]->source];
    struct store *target = cohort->hands->stores[crew->tasks[0]->target];
    struct copy *copies = arena_make(&cohort->scratch, walk->count * sizeof(*copies));
    for (size_t i = 0; i < walk->count; i++) {
        const struct item *item = &walk->items[i];
        const struct object_fact *fact = fact_of(item);
        const char *key = perform_key(cohort, item->task, fact);
        copies[i] = (struct copy){.source_key = key,
                                  .source_etag = fact->want.etag,
                                  .target_key = key,
                                  .bytes = fact->want.bytes,
                                  .tier = item->task->entry.unit.tier,
                                  .unit = item->task->entry.unit.id,
                                  .may_take_us = cohort->hands->copy_timeout_us};
    }
    target->ops->copy(target, source, copies, walk->count);
    bool is_pending = false;
    for (size_t i = 0; i < walk->count; i++) {
        note_copy(crew, &walk->items[i], &copies[i]);
        is_pending |= copies[i].outcome.result == RESULT_PENDING;
    }
    /* By its id a copy under way is known again, be it hours later. */
    return save_facts(crew, walk->items, walk->count, err) &&
           (!is_pending || make_durable(crew, walk->items, err));
}

bool perform_copy(const struct crew *crew, struct err *err)
{
    struct walk walk = {.crew = crew, .wanted = wants_copy};

    perform_begin_event(crew, EVENT_COPIED);
    for (size_t i = 0; i < crew->count; i++)
        perform_load(crew->cohort, crew->tasks[i]);
    if (!clean_target(crew, err))
        return false;
    while (!told_to_stop(crew) && next_batch(&walk)) {
        struct arena_mark mark = arena_mark(&crew->cohort->scratch);
        if (!copy_batch(crew, &walk, err))
            return err_wrap(err, "writing down copies");
        arena_back(&crew->cohort->scratch, mark);
    }
    return true;
}

/* -- copies in the cloud that take too long -----------------------------------------------------
 */

static bool wants_abort(const struct task *task, size_t index)
{
    return task->at_target[index] == OBJECT_OVERDUE;
}

static void abort_batch(const struct crew *crew, const struct walk *walk)
{
    struct cohort *cohort = crew->cohort;
    struct store *target = cohort->hands->stores[crew->tasks[0]->target];
    struct aborting *abortings = arena_make(&cohort->scratch, walk->count * sizeof(*abortings));
    for (size_t i = 0; i < walk->count; i++)
        abortings[i] = (struct aborting){
            .key = perform_key(cohort, walk->items[i].task, fact_of(&walk->items[i])),
            .copy_id = fact_of(&walk->items[i])->copy_id};

    target->ops->abort_copy(target, abortings, walk->count);
    for (size_t i = 0; i < walk->count; i++) {
        LOG(LOG_WARNING, "copy-overdue", LOG_TEXT("key", abortings[i].key),
            LOG_TEXT("aborted", store_result_name(abortings[i].outcome.result)));
        count_result(&walk->items[i].task->event.tally, abortings[i].outcome.result);
    }
}

void perform_abort(const struct crew *crew)
{
    struct walk walk = {.crew = crew, .wanted = wants_abort};

    perform_begin_event(crew, EVENT_ABORTED);
    while (!told_to_stop(crew) && next_batch(&walk)) {
        struct arena_mark mark = arena_mark(&crew->cohort->scratch);
        abort_batch(crew, &walk);
        arena_back(&crew->cohort->scratch, mark);
    }
}

/* -- tiers --------------------------------------------------------------------------------------
 */

/* As it was last seen. */
static bool wants_tier(const struct task *task, size_t index)
{
    return task->facts[index].want.tier != task->entry.unit.tier;
}

static void tier_batch(const struct crew *crew, const struct walk *walk)
{
    struct cohort *cohort = crew->cohort;
    struct store *store = cohort->hands->stores[crew->tasks[0]->source];
    struct tiering *tierings = arena_make(&cohort->scratch, walk->count * sizeof(*tierings));
    for (size_t i = 0; i < walk->count; i++)
        tierings[i] = (struct tiering){
            .key = perform_key(cohort, walk->items[i].task, fact_of(&walk->items[i])),
            .tier = walk->items[i].task->entry.unit.tier};

    store->ops->set_tier(store, tierings, walk->count);
    for (size_t i = 0; i < walk->count; i++) {
        struct task *task = walk->items[i].task;
        count_result(&task->event.tally, tierings[i].outcome.result);
        keep_trouble(task, "setting the tier of", tierings[i].key, &tierings[i].outcome);
    }
}

void perform_tier(const struct crew *crew)
{
    const struct store *store = crew->cohort->hands->stores[crew->tasks[0]->source];
    struct walk walk = {.crew = crew, .wanted = wants_tier};

    perform_begin_event(crew, EVENT_TIERED);
    for (size_t i = 0; i < crew->count; i++) {
        struct err err;
        if (store->ops->set_tier == NULL) {
            ERR(&err, ERR_INPUT, "the store %s has no access tiers", store->name);
            perform_fail(crew->tasks[i], &err);
        }
    }
    while (!told_to_stop(crew) && next_batch(&walk)) {
        struct arena_mark mark = arena_mark(&crew->cohort->scratch);
        tier_batch(crew, &walk);
        arena_back(&crew->cohort->scratch, mark);
    }
}

/* -- deletions -----------------------------------------------------------------------------------
 */

static bool wants_delete(const struct task *task, size_t index)
{
    return task->at_source[index] == 1;
}

static void delete_batch(const struct crew *crew, const struct walk *walk)
{
    struct cohort *cohort = crew->cohort;
    struct store *source = cohort->hands->stores[crew->tasks[0]->source];
    struct deletion *deletions = arena_make(&cohort->scratch, walk->count * sizeof(*deletions));
    for (size_t i = 0; i < walk->count; i++)
        deletions[i] = (struct deletion){
            .key = perform_key(cohort, walk->items[i].task, fact_of(&walk->items[i])),
            .etag = fact_of(&walk->items[i])->want.etag};

    source->ops->remove(source, deletions, walk->count);
    for (size_t i = 0; i < walk->count; i++) {
        struct task *task = walk->items[i].task;
        count_result(&task->event.tally, deletions[i].outcome.result);
        keep_trouble(task, "deleting", deletions[i].key, &deletions[i].outcome);
        if (deletions[i].outcome.result == RESULT_DONE)
            atomic_fetch_add(&cohort->hands->counters->objects_deleted, 1);
    }
}

void perform_delete(const struct crew *crew)
{
    struct walk walk = {.crew = crew, .wanted = wants_delete};

    perform_begin_event(crew, EVENT_DELETED);
    while (!told_to_stop(crew) && next_batch(&walk)) {
        struct arena_mark mark = arena_mark(&crew->cohort->scratch);
        delete_batch(crew, &walk);
        arena_back(&crew->cohort->scratch, mark);
    }
    if (!told_to_stop(crew))
        return;
    /* Some may not have been sent: the next run looks. */
    for (size_t i = 0; i < crew->count; i++)
        crew->tasks[i]->event.tally.busy++;
}
