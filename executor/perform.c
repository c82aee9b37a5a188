#include "executor/perform.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "executor/perform_private.h"
#include "state/location.h"

/* -- what all of perform shares ---------------------------------------------------------------- */

void perform_begin_event(const struct crew *crew, enum event_kind kind)
{
    struct clock *clock = crew->cohort->hands->clock;
    for (size_t i = 0; i < crew->count; i++) {
        crew->tasks[i]->event = (struct event){.kind = kind, .now_us = clock->ops->now_us(clock)};
        crew->tasks[i]->fresh = true;
        crew->tasks[i]->err = (struct err){0};
    }
}

void perform_fail(struct task *task, const struct err *err)
{
    task->err = *err;
    task->event.kind = EVENT_FAILED;
    task->event.failure = err->kind;
    task->event.retry_ms = err->retry_ms;
    LOG(LOG_WARNING, "step-failed", LOG_TEXT("directory", task->entry.directory),
        LOG_TEXT("step", unit_state_name(task->entry.unit.state)), LOG_TEXT("error", err->text));
}

bool perform_has_failed(const struct task *task)
{
    return task->event.kind == EVENT_FAILED;
}

void perform_blame(struct task *task, const char *key, const char *what)
{
    if (task->err.kind == ERR_NONE)
        ERR(&task->err, ERR_CONFLICT, "%s%s %s", task->entry.directory, key, what);
}

const char *perform_key(struct cohort *cohort, const struct task *task,
                        const struct object_fact *fact)
{
    return str_format(&cohort->scratch, "%s%s", task->entry.directory, fact->want.key);
}

void perform_note_clock(const struct cohort *cohort, struct task *task, int64_t server_us)
{
    if (server_us == 0)
        return;
    struct sight *sight = &task->event.sight;
    struct clock *clock = cohort->hands->clock;
    int64_t skew_us = llabs(server_us - clock->ops->now_us(clock));
    if (skew_us > sight->skew_us)
        sight->skew_us = skew_us;
    if (sight->server_us == 0 || server_us < sight->server_us)
        sight->server_us = server_us;
}

bool perform_load(struct cohort *cohort, struct task *task)
{
    if (task->facts != NULL)
        return true;
    struct err err;
    if (!journal_facts_get(cohort->hands->journal, task->entry.unit.id, &cohort->arena,
                           &task->facts, &task->fact_count, &err)) {
        perform_fail(task, &err);
        return false;
    }
    task->at_source = arena_make(&cohort->arena, task->fact_count);
    task->at_target = arena_make(&cohort->arena, task->fact_count);
    return true;
}

static bool is_returning(const struct task *task)
{
    return task->entry.unit.state == UNIT_RETURNING;
}

/* Where the rows are, if that is what the unit ends with. */
static void blame_rows(struct task *task, const struct catalog_sight *sight)
{
    if (task->err.kind == ERR_NONE)
        ERR(&task->err, ERR_CONFLICT,
            "of its rows %u at the source, %u at the target, %u elsewhere or gone; %u further "
            "row%s at the %s",
            sight->at_source, sight->at_target, sight->elsewhere, sight->strangers,
            sight->strangers == 1 ? "" : "s", is_returning(task) ? "target" : "source");
}

static bool count_row(void *context, const struct record *record, struct err *err)
{
    (void)record;
    (void)err;
    ++*(uint32_t *)context;
    return true;
}

/* Rows that name an object with a query or a fragment behind it.  Those that name what is below a
 * directory so begin with it: any look has seen them. */
static bool count_odd_rows(struct cohort *cohort, const char *url, uint32_t *count, struct err *err)
{
    static const char *const ends[] = {"?", "#"};
    struct catalog *catalog = cohort->hands->catalog;
    for (size_t i = 0; i < 2 && !str_ends(url, "/"); i++) {
        const char *odd = str_format(&cohort->scratch, "%s%s", url, ends[i]);
        if (!catalog->ops->below(catalog, odd, 1, count_row, count, err))
            return false;
    }
    return true;
}

/* The cut that the unit's state is about: of one that is returning, the other way round. */
static struct catalog_cut cut_of(struct cohort *cohort, const struct task *task)
{
    struct catalog_cut cut = {
        .source = task->entry.source, .rows = task->rows, .count = task->row_count};
    if (!is_returning(task))
        return cut;
    struct catalog_row *back = arena_make(&cohort->scratch, task->row_count * sizeof(*back) + 1);
    for (size_t i = 0; i < task->row_count; i++)
        back[i] = (struct catalog_row){.id = task->rows[i].id,
                                       .old_location = task->rows[i].new_location,
                                       .new_location = task->rows[i].old_location};
    cut.source = task->entry.target;
    cut.rows = back;
    return cut;
}

bool perform_rows(struct cohort *cohort, struct task *task, bool lock, struct catalog_sight *sight)
{
    struct catalog *catalog = cohort->hands->catalog;
    struct catalog_cut cut = cut_of(cohort, task);
    struct err err;
    if (catalog->ops->look(catalog, &cut, lock, sight, &err) &&
        count_odd_rows(cohort, cut.source, &sight->strangers, &err)) {
        if (is_returning(task)) {
            uint32_t at_target = sight->at_source;
            sight->at_source = sight->at_target;
            sight->at_target = at_target;
        }
        bool stay = task->entry.unit.kind == UNIT_RETIER;
        uint32_t there = stay ? sight->at_source : sight->at_target;
        if (there != task->row_count || sight->strangers > 0)
            blame_rows(task, sight);
        return true;
    }
    err_wrap(&err, "looking at the rows of %s", task->entry.directory);
    perform_fail(task, &err);
    return false;
}

/* The reference with a row that points at or below the directory in that store; NULL: none has. */
static bool find_reference(struct cohort *cohort, const struct task *task, uint16_t store,
                           const struct catalog_reference **found, struct err *err)
{
    const struct hands *hands = cohort->hands;
    const struct place *place = &hands->policies->places.items[store];
    size_t count;
    const char **urls = location_spellings(place, task->entry.directory, &cohort->scratch, &count);
    return hands->catalog->ops->referenced(hands->catalog, urls, count, found, err);
}

/* Other tables may still name the copies of what was sent back. */
bool perform_has_rows_at_target(struct cohort *cohort, const struct task *task)
{
    struct catalog *catalog = cohort->hands->catalog;
    struct catalog_cut none = {.source = task->entry.target};
    const struct catalog_reference *found;
    struct catalog_sight seen;
    struct err err;
    return !catalog->ops->look(catalog, &none, false, &seen, &err) ||
           !count_odd_rows(cohort, task->entry.target, &seen.strangers, &err) ||
           seen.strangers > 0 || !find_reference(cohort, task, task->target, &found, &err) ||
           found != NULL;
}

/* -- rows, holds and references ---------------------------------------------------------------- */

static void look_rows(const struct crew *crew, bool lock)
{
    for (size_t i = 0; i < crew->count; i++) {
        struct task *task = crew->tasks[i];
        struct catalog_sight seen;
        if (perform_has_failed(task) || !perform_rows(crew->cohort, task, lock, &seen))
            continue;
        task->event.sight.rows.at_source = seen.at_source;
        task->event.sight.rows.at_target = seen.at_target;
        task->event.sight.rows.elsewhere = seen.elsewhere;
        task->event.sight.rows.strangers = seen.strangers;
        perform_note_clock(crew->cohort, task, seen.server_us);
    }
}

/* Does a policy of that name say keep today?  The unit's own terms were fixed at its cut-over. */
static bool kept_by_policy(const struct policies *policies, const char *names)
{
    for (size_t i = 0; i < policies->count; i++) {
        const struct policy *policy = &policies->items[i];
        if (!policy->terms.keep_source)
            continue;
        size_t length = strlen(policy->name);
        const char *at = names;
        while ((at = strstr(at, policy->name)) != NULL) {
            bool begins = at == names || at[-1] == ',';
            bool ends = at[length] == '\0' || at[length] == ',';
            if (begins && ends)
                return true;
            at += length;
        }
    }
    return false;
}

struct hold_check {
    const struct policies *policies;
    uint16_t target; /* where rows that were cut over are, of the stores of its place */
    struct arena *scratch;
    bool held;
};

static bool check_hold(void *context, const struct record *record, struct err *err)
{
    (void)err;
    struct hold_check *check = context;
    struct arena_mark mark = arena_mark(check->scratch);
    struct location location;
    bool is_ours =
        record->location != NULL && location_read(&check->policies->places, record->location,
                                                  check->scratch, &location) != SPELLING_FOREIGN;
    if (is_ours && location.place == place_first(&check->policies->places, check->target))
        location.store = check->target;
    if (policy_held(check->policies, record, is_ours ? &location : NULL) != POLICY_NO_INDEX)
        check->held = true;
    arena_back(check->scratch, mark);
    return true;
}

static void look_holds(const struct crew *crew)
{
    const struct hands *hands = crew->cohort->hands;
    for (size_t i = 0; i < crew->count; i++) {
        struct task *task = crew->tasks[i];
        if (perform_has_failed(task))
            continue;
        struct hold_check check = {
            .policies = hands->policies, .target = task->target, .scratch = &crew->cohort->scratch};
        check.held = kept_by_policy(hands->policies, task->entry.policy);
        if (hands->policies->hold_count > 0) {
            const char **ids = arena_make(&crew->cohort->scratch, task->row_count * sizeof(*ids));
            for (size_t k = 0; k < task->row_count; k++)
                ids[k] = task->rows[k].id;
            struct err err;
            if (!hands->catalog->ops->fetch(hands->catalog, ids, task->row_count, check_hold,
                                            &check, &err)) {
                err_wrap(&err, "asking for holds on %s", task->entry.directory);
                perform_fail(task, &err);
                continue;
            }
        }
        task->event.sight.held = check.held;
    }
}

static void look_references(const struct crew *crew)
{
    for (size_t i = 0; i < crew->count; i++) {
        struct task *task = crew->tasks[i];
        if (perform_has_failed(task))
            continue;
        const struct catalog_reference *found;
        struct err err;
        if (!find_reference(crew->cohort, task, task->source, &found, &err)) {
            err_wrap(&err, "asking for references to %s", task->entry.directory);
            perform_fail(task, &err);
            continue;
        }
        task->event.sight.referenced = found != NULL;
        if (found != NULL && task->err.kind == ERR_NONE)
            ERR(&task->err, ERR_CONFLICT, "a row of %s has it in `%s`", found->table,
                found->column);
    }
}

static void look(const struct crew *crew, const struct action *action)
{
    perform_begin_event(crew, EVENT_SEEN);
    if (action->look & LOOK_SOURCE)
        perform_look_source(crew);
    if (action->look & LOOK_TARGET)
        perform_look_target(crew);
    if (action->look & LOOK_ROWS)
        look_rows(crew, action->lock);
    if (action->look & LOOK_HOLDS)
        look_holds(crew);
    if (action->look & LOOK_REFERENCES)
        look_references(crew);
    for (size_t i = 0; i < crew->count; i++)
        crew->tasks[i]->event.sight.looked = action->look;
}

/* -- the catalog ------------------------------------------------------------------------------- */

static void cut_over(const struct crew *crew)
{
    struct catalog *catalog = crew->cohort->hands->catalog;
    perform_begin_event(crew, EVENT_CUT);
    for (size_t i = 0; i < crew->count; i++) {
        struct task *task = crew->tasks[i];
        /* Today's policy says what is set, whenever the move was planned. */
        const struct policy_store *stores = crew->cohort->hands->policies->stores;
        const struct policy_store *to = &stores[is_returning(task) ? task->source : task->target];
        struct catalog_cut cut = cut_of(crew->cohort, task);
        cut.sets = to->sets;
        cut.set_count = to->set_count;
        enum catalog_outcome outcome;
        struct err err;
        if (!catalog->ops->cut_over(catalog, &cut, &outcome, &err)) {
            err_wrap(&err, "cutting over %s", task->entry.directory);
            perform_fail(task, &err);
            continue;
        }
        static const enum cut cuts[] = {[CATALOG_CUT] = CUT_DONE,
                                        [CATALOG_CHANGED] = CUT_CHANGED,
                                        [CATALOG_UNKNOWN] = CUT_UNKNOWN};
        task->event.cut = cuts[outcome];
        /* The grace counts from now, not from the beginning of the crew's cut-overs. */
        struct clock *clock = crew->cohort->hands->clock;
        task->event.now_us = clock->ops->now_us(clock);
    }
}

bool perform(struct cohort *cohort, struct task *const *tasks, size_t count, struct err *err)
{
    struct crew crew = {.cohort = cohort, .tasks = tasks, .count = count};
    const struct action *action = &tasks[0]->action;

    arena_reset(&cohort->scratch);
    switch (action->kind) {
    case ACTION_MANIFEST:
        perform_manifest(&crew);
        return true;
    case ACTION_TIER:
        perform_tier(&crew);
        return true;
    case ACTION_COPY:
        return perform_copy(&crew, err);
    case ACTION_ABORT:
        perform_abort(&crew);
        return true;
    case ACTION_READ_BACK:
        return perform_read_back(&crew, err);
    case ACTION_LOOK:
        look(&crew, action);
        return true;
    case ACTION_CUT_OVER:
        cut_over(&crew);
        return true;
    case ACTION_DELETE:
        perform_delete(&crew);
        return true;
    case ACTION_STOP:
    case ACTION_REST:
    case ACTION_WAIT:
        break;
    }
    return ERR(err, ERR_INTERNAL, "nothing to perform for action %d", (int)action->kind);
}
