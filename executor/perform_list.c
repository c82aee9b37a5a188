/* Manifests, and looks at both stores: what listings say, against the manifest. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "executor/listing.h"
#include "executor/perform_private.h"
#include "state/location.h"

/* -- the manifest ------------------------------------------------------------------------------ */

/* The facts of a directory as it is listed now. */
static void make_facts(struct cohort *cohort, struct task *task, const struct object *objects,
                       size_t count)
{
    struct arena *arena = &cohort->arena;
    task->facts = arena_make(arena, count * sizeof(*task->facts));
    task->fact_count = count;
    task->at_source = arena_make(arena, count);
    task->at_target = arena_make(arena, count);
    for (size_t i = 0; i < count; i++) {
        struct object *want = &task->facts[i].want;
        *want = objects[i];
        want->key = arena_copy(arena, objects[i].key);
        want->etag = arena_copy(arena, objects[i].etag);
        want->copy_id = want->copy_says = NULL; /* they live no longer than the listing */
    }
}

/* What was proved once, and still has its etag, is what it was. */
static void adopt_facts(struct task *task)
{
    for (size_t i = 0; i < task->fact_count; i++) {
        struct object_fact *fact = &task->facts[i];
        snprintf(fact->target_etag, sizeof(fact->target_etag), "%s", fact->want.etag);
        fact->proven = true;
    }
}

static bool has_failed(struct task *task, const struct err *failure)
{
    bool failed = failure != NULL && failure->kind != ERR_NONE;
    if (failed)
        perform_fail(task, failure);
    return failed;
}

/* Each row's own object is there, or the row would point at nothing.  A survey has seen to that. */
static bool rows_have_objects(const struct crew *crew, struct task *task,
                              const struct object *objects, size_t count)
{
    const struct places *places = &crew->cohort->hands->policies->places;
    for (size_t i = 0; i < task->row_count; i++) {
        struct location location;
        location_read(places, task->rows[i].old_location, &crew->cohort->scratch, &location);
        struct object own = {.key = location.key + strlen(task->entry.directory)};
        bool names_directory = location.name[0] == '\0';
        if (names_directory ||
            (count > 0 && bsearch(&own, objects, count, sizeof(own), object_compare) != NULL))
            continue;
        perform_blame(task, own.key, "is what a row points at, and is not there");
        return false;
    }
    return true;
}

static bool are_planned(const struct crew *crew, struct task *task, size_t count)
{
    uint64_t planned = task->entry.unit.objects;
    if (memcmp(&task->event.manifest, &task->planned, sizeof(task->planned)) == 0)
        return true;
    perform_blame(task, "",
                  count == planned
                      ? "has as many objects as planned, and not the same"
                      : str_format(&crew->cohort->scratch, "has %zu objects, and the plan %" PRIu64,
                                   count, planned));
    return false;
}

static bool on_manifest(void *context, size_t index, const struct object *objects, size_t count,
                        int64_t server_us, const struct err *failure, struct err *err)
{
    (void)server_us;
    (void)err;
    const struct crew *crew = context;
    struct task *task = crew->tasks[index];
    if (has_failed(task, failure))
        return true;
    make_facts(crew->cohort, task, objects, count);
    struct event *event = &task->event;
    event->objects = count;
    for (size_t i = 0; i < count; i++) {
        event->bytes += objects[i].bytes;
        event->irregular += objects[i].irregular;
        event->archived += objects[i].tier == TIER_ARCHIVE;
    }
    object_manifest_digest(objects, count, &event->manifest);
    event->same_objects = task->has_planned ? are_planned(crew, task, count)
                                            : rows_have_objects(crew, task, objects, count);
    if (task->entry.unit.kind == UNIT_REPAIR)
        adopt_facts(task);
    return true;
}

static int compare_directories(const void *a, const void *b)
{
    const struct task *const *one = a, *const *other = b;
    return strcmp((*one)->entry.directory, (*other)->entry.directory);
}

/* By the manifests; before there are any, by the plan. */
static size_t count_expected(struct task *const *tasks, size_t count)
{
    size_t expected = 0;
    for (size_t i = 0; i < count; i++)
        expected += tasks[i]->facts != NULL ? tasks[i]->fact_count : tasks[i]->entry.unit.objects;
    return expected;
}

/* List what is left of the crew, in byte order of directories. */
static void list(const struct crew *crew, struct store *store, struct listing_hint *hint,
                 listing_visit *visit)
{
    struct arena *scratch = &crew->cohort->scratch;
    struct task **tasks = arena_make(scratch, crew->count * sizeof(struct task *));
    const char **directories = arena_make(scratch, crew->count * sizeof(char *));
    size_t count = 0;
    for (size_t i = 0; i < crew->count; i++)
        if (!perform_has_failed(crew->tasks[i]))
            tasks[count++] = crew->tasks[i];
    if (count == 0)
        return;
    qsort(tasks, count, sizeof(struct task *), compare_directories);
    for (size_t i = 0; i < count; i++)
        directories[i] = tasks[i]->entry.directory;

    struct crew rest = {.cohort = crew->cohort, .tasks = tasks, .count = count};
    struct listing_tally tally = {0};
    struct listing_request request = {.store = store,
                                      .directories = directories,
                                      .count = count,
                                      .hint = hint,
                                      .visit = visit,
                                      .context = &rest,
                                      .tally = &tally};
    struct err err;
    hint->expected = count_expected(tasks, count);
    if (listing_directories(&request, &err))
        return;
    for (size_t i = 0; i < count; i++)
        perform_fail(tasks[i], &err);
}

/* Rows first: whoever stands at the target already needs no listing. */
void perform_manifest(const struct crew *crew)
{
    struct cohort *cohort = crew->cohort;
    struct task **wanted = arena_make(&cohort->scratch, crew->count * sizeof(struct task *));
    size_t count = 0;

    perform_begin_event(crew, EVENT_MANIFEST);
    for (size_t i = 0; i < crew->count; i++) {
        struct task *task = crew->tasks[i];
        struct catalog_sight seen;
        if (!perform_rows(cohort, task, false, &seen))
            continue;
        /* Of a retier both are one place. */
        task->event.already =
            task->entry.unit.kind != UNIT_RETIER && seen.at_target == task->row_count;
        task->event.same_rows = seen.at_source == task->row_count && seen.strangers == 0;
        if (!task->event.same_rows)
            continue;
        task->err = (struct err){0}; /* the rows are as planned */
        wanted[count++] = task;
    }
    struct crew rest = {.cohort = cohort, .tasks = wanted, .count = count};
    if (count > 0 && wanted[0]->entry.unit.kind == UNIT_REPAIR)
        list(&rest, cohort->hands->stores[wanted[0]->target], &cohort->at_target, on_manifest);
    else if (count > 0)
        list(&rest, cohort->hands->stores[wanted[0]->source], &cohort->at_source, on_manifest);
}

/* -- looks --------------------------------------------------------------------------------------
 */

static bool is_same(const struct object *want, const struct object *found)
{
    return want->bytes == found->bytes && strcmp(want->etag, found->etag) == 0;
}

typedef void pair_visit(const struct crew *crew, struct task *task, size_t index,
                        const struct object *found);

/* Each fact of the manifest with the object that was found for it, or NULL; both are sorted by key.
 * Returns how many objects the manifest lacks; the first of them is blamed, unless that is NULL. */
static uint64_t pair_up(const struct crew *crew, struct task *task, const struct object *objects,
                        size_t count, pair_visit *visit, const char *blame)
{
    uint64_t extra = 0;
    size_t at = 0;
    for (size_t i = 0; i <= task->fact_count; i++) {
        const char *key = i < task->fact_count ? task->facts[i].want.key : NULL;
        for (; at < count && (key == NULL || strcmp(objects[at].key, key) < 0); at++) {
            if (blame != NULL)
                perform_blame(task, objects[at].key, blame);
            extra++;
        }
        if (key == NULL)
            break;
        bool found = at < count && strcmp(objects[at].key, key) == 0;
        visit(crew, task, i, found ? &objects[at] : NULL);
        at += found;
    }
    return extra;
}

static bool is_before_commit(const struct task *task)
{
    return task->entry.unit.state < UNIT_COMMITTING;
}

/* Of a retier the tier is what counts, as it was last seen. */
static void see_same(struct task *task, size_t index, const struct object *found)
{
    struct sight *sight = &task->event.sight;
    sight->source.same++;
    if (task->entry.unit.kind != UNIT_RETIER)
        return;
    task->facts[index].want.tier = found->tier;
    sight->source.other_tier += found->tier != task->entry.unit.tier;
    sight->source.archived += found->tier == TIER_ARCHIVE;
}

static void see_at_source(const struct crew *crew, struct task *task, size_t index,
                          const struct object *found)
{
    (void)crew;
    struct sight *sight = &task->event.sight;
    task->at_source[index] = found != NULL && is_same(&task->facts[index].want, found);
    if (found == NULL)
        sight->source.missing++;
    else if (task->at_source[index])
        see_same(task, index, found);
    else
        sight->source.changed++;
    /* Later a source that is gone may be our own deletion. */
    if (found == NULL ? is_before_commit(task) : !task->at_source[index])
        perform_blame(task, task->facts[index].want.key,
                      found == NULL ? "is gone from the source" : "was rewritten at the source");
}

static bool on_source(void *context, size_t index, const struct object *objects, size_t count,
                      int64_t server_us, const struct err *failure, struct err *err)
{
    (void)err;
    const struct crew *crew = context;
    struct task *task = crew->tasks[index];
    if (has_failed(task, failure))
        return true;
    task->event.sight.source.extra =
        pair_up(crew, task, objects, count, see_at_source, "is new at the source");
    perform_note_clock(crew->cohort, task, server_us);
    return true;
}

static void count_verdict(struct sight *sight, enum verdict verdict)
{
    switch (verdict) {
    case OBJECT_ABSENT:
        sight->target.absent++;
        return;
    case OBJECT_EQUAL:
        sight->target.equal++;
        return;
    case OBJECT_DIFFERS:
        sight->target.differs++;
        return;
    case OBJECT_CANNOT_TELL:
        sight->target.cannot_tell++;
        return;
    case OBJECT_OVERDUE:
        sight->target.overdue++;
        sight->target.pending++;
        return;
    case OBJECT_PENDING:
        sight->target.pending++;
        return;
    }
}

/* Did this unit, or one that was abandoned, make the object, and was its deletion sent already?
 * Whoever can't be asked has failed. */
static void ask_maker(const struct cohort *cohort, struct task *task,
                      const struct object_fact *fact, const struct object *found, bool *ours,
                      bool *condemned)
{
    *ours = fact->created && strcmp(fact->target_etag, found->etag) == 0;
    *condemned = *ours && fact->condemned;
    struct err err;
    if (!*ours && !journal_is_ours(cohort->hands->journal, task->entry.target, fact->want.key,
                                   found, ours, condemned, &err))
        perform_fail(task, &err);
}

/* -- copies that the cloud makes by itself ------------------------------------------------------
 */

static void save_fact(const struct crew *crew, struct task *task, const struct object_fact *fact)
{
    struct err err;
    if (!journal_facts_save(crew->cohort->hands->journal, task->entry.unit.id, &fact, 1, &err))
        perform_fail(task, &err);
}

static bool has_id(const struct object_fact *fact, const struct object *found)
{
    return fact->copy_id[0] != '\0' && found->copy_id != NULL &&
           strcmp(fact->copy_id, found->copy_id) == 0;
}

/* One of an abandoned unit is ours to abort, and no more: what it copies may be older. */
static bool is_ours_to_abort(const struct crew *crew, struct task *task, struct object_fact *fact,
                             const struct object *found)
{
    if (has_id(fact, found))
        return true;
    if (fact->copy_id[0] != '\0' || fact->created)
        perform_forget_target(fact); /* what it knows of is gone */
    bool ours, condemned;
    ask_maker(crew->cohort, task, fact, found, &ours, &condemned);
    if (!ours || found->copy_id == NULL || strlen(found->copy_id) >= sizeof(fact->copy_id))
        return false;
    snprintf(fact->copy_id, sizeof(fact->copy_id), "%s", found->copy_id);
    return true;
}

/* Since when is known to later runs too: nobody waits for ever. */
static enum verdict see_pending(const struct crew *crew, struct task *task,
                                struct object_fact *fact, const struct object *found)
{
    struct sight *sight = &task->event.sight;
    bool ours = is_ours_to_abort(crew, task, fact, found);
    if (fact->copy_us == 0) {
        fact->copy_us = task->event.now_us;
        save_fact(crew, task, fact);
    }
    int64_t pending_us = task->event.now_us - fact->copy_us;
    if (pending_us >= crew->cohort->hands->copy_timeout_us) {
        sight->target.endless += !ours;
        return ours ? OBJECT_OVERDUE : OBJECT_PENDING;
    }
    bool first = sight->target.pending == sight->target.overdue + sight->target.endless;
    if (first || pending_us < sight->target.pending_us)
        sight->target.pending_us = pending_us;
    return OBJECT_PENDING;
}

/* It is over, so that its etag is the last one; and whatever has its id is what it made. */
static void see_over(const struct crew *crew, struct task *task, struct object_fact *fact,
                     const struct object *found)
{
    if (fact->copy_us == 0)
        return;
    fact->copy_us = 0;
    if (fact->created && has_id(fact, found)) {
        fact->proven = false;
        snprintf(fact->target_etag, sizeof(fact->target_etag), "%s", found->etag);
        if (found->copy == COPY_NONE)
            perform_count_copied(crew, found->bytes);
    }
    save_fact(crew, task, fact);
}

static void blame_copy(struct task *task, const struct object_fact *fact,
                       const struct object *found)
{
    char what[128];
    snprintf(what, sizeof(what), "was not copied in the cloud: %s%s%s",
             found->copy == COPY_ABORTED ? "aborted" : "failed",
             found->copy_says != NULL ? ", " : "",
             found->copy_says != NULL ? found->copy_says : "");
    perform_blame(task, fact->want.key, what);
}

/* Judge one object and remember its etag, by which it is read back, adopted or cleaned up. */
static enum verdict judge(const struct crew *crew, struct task *task, struct object_fact *fact,
                          const struct object *found)
{
    if (found == NULL || !is_before_commit(task))
        return protocol_judge(fact, found, task->entry.unit.verify);
    if (found->copy != COPY_PENDING)
        see_over(crew, task, fact, found);
    enum verdict verdict = protocol_judge(fact, found, task->entry.unit.verify);
    if (verdict == OBJECT_PENDING)
        return see_pending(crew, task, fact, found);
    bool ours, condemned;
    ask_maker(crew->cohort, task, fact, found, &ours, &condemned);
    if (condemned)
        verdict = OBJECT_DIFFERS;
    ours = ours && verdict == OBJECT_DIFFERS && !perform_has_rows_at_target(crew->cohort, task);
    if (verdict == OBJECT_CANNOT_TELL || ours) {
        if (strcmp(fact->target_etag, found->etag) != 0) {
            fact->created = ours;
            fact->condemned = condemned;
            fact->proven = false;
        }
        snprintf(fact->target_etag, sizeof(fact->target_etag), "%s", found->etag);
    }
    if (found->copy != COPY_NONE)
        blame_copy(task, fact, found);
    /* What we made and what is wrong is removed, with If-Match, before it is copied again. */
    task->event.sight.target.failed += ours && found->copy != COPY_NONE;
    return ours ? OBJECT_ABSENT : verdict;
}

static void see_at_target(const struct crew *crew, struct task *task, size_t index,
                          const struct object *found)
{
    enum verdict verdict = judge(crew, task, &task->facts[index], found);
    task->at_target[index] = (uint8_t)verdict;
    count_verdict(&task->event.sight, verdict);
    if (is_before_commit(task) ? verdict == OBJECT_DIFFERS : verdict != OBJECT_EQUAL)
        perform_blame(task, task->facts[index].want.key, "at the target is not what was copied");
}

static bool on_target(void *context, size_t index, const struct object *objects, size_t count,
                      int64_t server_us, const struct err *failure, struct err *err)
{
    (void)err;
    const struct crew *crew = context;
    struct task *task = crew->tasks[index];
    if (has_failed(task, failure))
        return true;
    const char *blame = is_before_commit(task) ? "at the target is not at the source" : NULL;
    struct sight *sight = &task->event.sight;
    sight->target.extra = pair_up(crew, task, objects, count, see_at_target, blame);
    if (is_before_commit(task))
        object_manifest_digest(objects, count, &sight->target.manifest);
    perform_note_clock(crew->cohort, task, server_us);
    return true;
}

static void look_with(const struct crew *crew, uint16_t store, struct listing_hint *hint,
                      listing_visit *visit)
{
    for (size_t i = 0; i < crew->count; i++)
        if (!perform_has_failed(crew->tasks[i]))
            perform_load(crew->cohort, crew->tasks[i]);
    list(crew, crew->cohort->hands->stores[store], hint, visit);
}

void perform_look_source(const struct crew *crew)
{
    look_with(crew, crew->tasks[0]->source, &crew->cohort->at_source, on_source);
}

void perform_look_target(const struct crew *crew)
{
    look_with(crew, crew->tasks[0]->target, &crew->cohort->at_target, on_target);
}
