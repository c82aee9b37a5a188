#include "executor/protocol.h"

#include <string.h>

/* -- one object ------------------------------------------------------------------------------- */

static bool md5_agree(const struct object *a, const struct object *b)
{
    return a->md5_origin != MD5_ABSENT && b->md5_origin != MD5_ABSENT &&
           memcmp(a->md5, b->md5, sizeof(a->md5)) == 0;
}

enum verdict protocol_judge(const struct object_fact *fact, const struct object *found,
                            enum unit_verify verify)
{
    if (found == NULL)
        return OBJECT_ABSENT;
    if (found->copy == COPY_PENDING)
        return OBJECT_PENDING;
    if (found->irregular || found->copy != COPY_NONE || found->bytes != fact->want.bytes)
        return OBJECT_DIFFERS;

    bool known = fact->target_etag[0] != '\0' && strcmp(fact->target_etag, found->etag) == 0;
    if (known && fact->proven)
        return OBJECT_EQUAL;
    /* No copy has the etag of what it was made from: this is the source itself, in a store that two
     * names lead to.  Deleting the one would delete both. */
    if (strcmp(found->etag, fact->want.etag) == 0)
        return OBJECT_DIFFERS;
    /* At this level the copy's own word is enough; what another writer may have made is not
     * taken for ours by its size alone.                                                      */
    if (verify == VERIFY_SIZE && ((known && fact->created) || md5_agree(&fact->want, found)))
        return OBJECT_EQUAL;
    return OBJECT_CANNOT_TELL;
}

/* -- one directory ----------------------------------------------------------------------------- */

/* A step under construction: the unit as it becomes, and what to do. */
struct step {
    const struct event *event;
    struct unit *next;
    struct action *action;
};

/* States that lead back to each other share their rounds, so that no circle is endless. */
static enum unit_state circle_of(enum unit_state state)
{
    if (state >= UNIT_COPYING && state <= UNIT_COMMITTING)
        return UNIT_COPYING;
    return state == UNIT_SWEEPING ? UNIT_DELETING : state;
}

static void enter(const struct step *step, enum unit_state state)
{
    if (circle_of(step->next->state) != circle_of(state))
        step->next->rounds = 0;
    step->next->state = state;
    step->next->reason = REASON_NONE;
}

static void act(const struct step *step, enum action_kind kind)
{
    step->action->kind = kind;
}

static void look(const struct step *step, unsigned what)
{
    step->action->kind = ACTION_LOOK;
    step->action->look = what;
}

static void stop(const struct step *step, enum unit_state state, enum unit_reason reason)
{
    enter(step, state);
    step->next->reason = reason;
    step->action->kind = ACTION_STOP;
}

/* A repair of what is open goes on from where it began, or not at all. */
static void park(const struct step *step, enum unit_reason reason)
{
    struct unit *next = step->next;
    if (next->state != UNIT_REPAIRING || next->kind == UNIT_REPAIR)
        next->left_state = next->state;
    stop(step, UNIT_PARKED, reason);
}

static void rest(const struct step *step, enum unit_reason reason)
{
    step->next->reason = reason;
    step->action->kind = ACTION_REST;
}

static void wait_until(const struct step *step, enum unit_reason reason, int64_t until_us)
{
    step->next->reason = reason;
    step->action->kind = ACTION_WAIT;
    step->action->until_us = until_us;
}

/* The longer a copy is under way, the less often it is looked at.  One that takes too long and is
 * nobody's to abort is left to the next run. */
static void wait_for_copy(const struct step *step)
{
    const struct sight *sight = &step->event->sight;
    int64_t pause_us = sight->target.pending_us / 2;
    if (pause_us < PROTOCOL_POLL_US)
        pause_us = PROTOCOL_POLL_US;
    if (pause_us > PROTOCOL_POLL_MAX_US)
        pause_us = PROTOCOL_POLL_MAX_US;
    if (sight->target.endless < sight->target.pending)
        wait_until(step, REASON_PENDING, step->event->now_us + pause_us);
    else {
        step->next->rounds = 0;
        rest(step, REASON_PENDING);
    }
}

static bool has_no_round(const struct step *step)
{
    return step->next->rounds >= PROTOCOL_ROUNDS_MAX;
}

/* One more round of the same, or leave it to the next run. */
static bool another_round(const struct step *step)
{
    if (has_no_round(step)) {
        step->next->rounds = 0;
        rest(step, REASON_BUSY);
        return false;
    }
    step->next->rounds++;
    return true;
}

/* A delete that was sent may still arrive: its grace is over for ever. */
static bool has_begun_to_delete(const struct unit *unit)
{
    return unit->state == UNIT_REPAIRING &&
           (unit->left_state == UNIT_DELETING || unit->left_state == UNIT_SWEEPING);
}

/* The rows stand at the target.  The grace begins here and is never computed again. */
static void cut_over_done(const struct step *step)
{
    struct unit *next = step->next;
    step->action->durable = true;
    if (has_begun_to_delete(next)) {
        enter(step, UNIT_DELETING);
        look(step, LOOK_GATE_2);
        return;
    }
    enter(step, UNIT_CUTOVER);
    next->cleanup_at_us = step->event->now_us + next->grace_us;
    if (next->keep_source)
        stop(step, UNIT_DONE, REASON_NONE);
    else if (next->grace_us > 0)
        rest(step, REASON_GRACE);
    else
        look(step, LOOK_GATE_2);
}

static bool source_is_as_in_manifest(const struct unit *unit, const struct sight *sight)
{
    return sight->source.same == unit->objects && sight->source.changed == 0 &&
           sight->source.missing == 0 && sight->source.extra == 0;
}

static void look_with_lock(const struct step *step, unsigned what)
{
    look(step, what);
    step->action->lock = true;
}

/* Rows may go either way from here on, so it is written down before they are looked at. */
static void begin_repair(const struct step *step)
{
    struct unit *next = step->next;
    if (next->state != UNIT_REPAIRING)
        next->left_state = unit_stage(next);
    enter(step, UNIT_REPAIRING);
    look_with_lock(step, LOOK_REPAIR);
    step->action->durable = true;
}

static void begin(const struct step *step)
{
    struct unit *next = step->next;
    next->objects = step->event->objects;
    next->bytes = step->event->bytes;
    next->manifest = step->event->manifest;
    if (next->kind == UNIT_REPAIR) {
        next->target_manifest = step->event->manifest;
        begin_repair(step);
        return;
    }
    bool retiers = next->kind == UNIT_RETIER;
    enter(step, retiers ? UNIT_TIERING : UNIT_COPYING);
    act(step, retiers ? ACTION_TIER : ACTION_COPY);
    step->action->durable = true; /* B1 */
}

static void on_manifest(const struct step *step)
{
    const struct event *event = step->event;
    if (event->already)
        stop(step, UNIT_DONE, REASON_NONE);
    else if (!event->same_rows)
        stop(step, UNIT_SKIPPED, REASON_STALE_ROWS);
    else if (!event->same_objects || event->objects == 0)
        stop(step, UNIT_SKIPPED, REASON_STALE_OBJECTS);
    else if (event->irregular > 0)
        stop(step, UNIT_SKIPPED, REASON_NOT_A_FILE);
    else if (event->archived > 0 && step->next->kind != UNIT_REPAIR)
        stop(step, UNIT_SKIPPED, REASON_ARCHIVED);
    else
        begin(step);
}

/* -- the tier alone ---------------------------------------------------------------------------- */

static void on_tiered(const struct step *step)
{
    const struct tally *tally = &step->event->tally;
    if (tally->changed > 0)
        stop(step, UNIT_ABANDONED, REASON_SOURCE_CHANGED);
    else if (tally->refused > 0)
        stop(step, UNIT_ABANDONED, REASON_TIER_REFUSED);
    else if (tally->denied > 0)
        stop(step, UNIT_ABANDONED, REASON_DENIED);
    else
        look(step, LOOK_SOURCE);
}

static void on_seen_tiering(const struct step *step)
{
    const struct sight *sight = &step->event->sight;
    if (!source_is_as_in_manifest(step->next, sight))
        stop(step, UNIT_ABANDONED, REASON_SOURCE_CHANGED);
    else if (sight->source.archived > 0)
        stop(step, UNIT_ABANDONED, REASON_ARCHIVED);
    else if (sight->source.other_tier == 0) {
        stop(step, UNIT_DONE, REASON_NONE);
        step->next->cleanup_at_us = step->event->now_us; /* when it came here, as of a move */
    } else if (another_round(step))
        act(step, ACTION_TIER);
}

/* -- copies, and the rows ---------------------------------------------------------------------- */

static void on_copied(const struct step *step)
{
    const struct tally *tally = &step->event->tally;
    if (tally->changed > 0)
        stop(step, UNIT_ABANDONED, REASON_SOURCE_CHANGED);
    else if (tally->refused > 0)
        stop(step, UNIT_ABANDONED, REASON_COPY_REFUSED);
    else if (tally->denied > 0)
        stop(step, UNIT_ABANDONED, REASON_DENIED);
    else {
        enter(step, UNIT_VERIFYING);
        look(step, LOOK_GATE_1);
    }
}

static bool target_is_equal(const struct unit *unit, const struct sight *sight)
{
    return sight->target.equal == unit->objects && sight->target.differs == 0 &&
           sight->target.cannot_tell == 0 && sight->target.absent == 0 &&
           sight->target.pending == 0;
}

static void copy_again(const struct step *step)
{
    if (!another_round(step))
        return;
    enter(step, UNIT_COPYING);
    act(step, ACTION_COPY);
}

static void read_back(const struct step *step)
{
    if (step->next->rounds >= PROTOCOL_PROOFS_MAX)
        stop(step, UNIT_ABANDONED, REASON_UNPROVED);
    else
        act(step, ACTION_READ_BACK);
}

/* Gate 1: the only door to the catalog. */
static void on_seen_verifying(const struct step *step)
{
    const struct sight *sight = &step->event->sight;
    if (sight->target.differs > 0)
        stop(step, UNIT_ABANDONED, REASON_TARGET_DIFFERS);
    else if (sight->target.extra > 0)
        stop(step, UNIT_ABANDONED, REASON_TARGET_HAS_MORE);
    else if (!source_is_as_in_manifest(step->next, sight))
        stop(step, UNIT_ABANDONED, REASON_SOURCE_CHANGED);
    else if (sight->target.overdue > 0)
        act(step, ACTION_ABORT);
    else if (sight->target.failed > 0 && has_no_round(step))
        stop(step, UNIT_ABANDONED, REASON_COPY_FAILED);
    else if (sight->target.pending > 0 && (sight->target.absent == 0 || has_no_round(step)))
        wait_for_copy(step);
    else if (sight->target.absent > 0)
        copy_again(step);
    else if (sight->target.cannot_tell > 0)
        read_back(step);
    else if (target_is_equal(step->next, sight)) {
        enter(step, UNIT_COMMITTING);
        act(step, ACTION_CUT_OVER);
        step->next->target_manifest = sight->target.manifest;
        step->action->durable = true; /* B2 */
    } else
        stop(step, UNIT_ABANDONED, REASON_INTERNAL);
}

static void on_read_back(const struct step *step)
{
    const struct tally *tally = &step->event->tally;
    if (tally->differs > 0)
        stop(step, UNIT_ABANDONED, REASON_TARGET_DIFFERS);
    else if (tally->changed > 0)
        stop(step, UNIT_ABANDONED, REASON_SOURCE_CHANGED);
    else if (tally->denied > 0)
        stop(step, UNIT_ABANDONED, REASON_DENIED);
    else if (tally->refused > 0)
        stop(step, UNIT_ABANDONED, REASON_UNPROVED);
    else if (tally->busy + tally->unknown > 0) {
        int64_t pause_us = PROTOCOL_BACKOFF_US << step->next->rounds;
        if (another_round(step))
            wait_until(step, REASON_BUSY, step->event->now_us + pause_us);
    } else {
        step->next->rounds++;
        look(step, LOOK_GATE_1);
    }
}

/* The rows stand at the source again, and the next plan begins from there. */
static void returned(const struct step *step)
{
    stop(step, UNIT_ROLLED_BACK, REASON_NONE);
    step->next->cleanup_at_us = step->event->now_us + step->next->grace_us;
}

/* What a state looks at before its transaction, and after one of which nobody knows. */
static void look_at_rows(const struct step *step)
{
    if (step->next->state == UNIT_RETURNING)
        look_with_lock(step, LOOK_BACK);
    else if (step->next->state == UNIT_REPAIRING)
        look_with_lock(step, LOOK_REPAIR);
    else
        look_with_lock(step, LOOK_ROWS);
}

static void on_cut(const struct step *step)
{
    if (step->event->cut != CUT_DONE)
        look_at_rows(step);
    else if (step->next->state == UNIT_RETURNING)
        returned(step);
    else
        cut_over_done(step);
}

/* Nothing is known of the transaction but what the rows say. */
static void on_seen_committing(const struct step *step)
{
    const struct sight *sight = &step->event->sight;
    uint32_t rows = step->next->rows;
    if (sight->rows.at_target == rows)
        cut_over_done(step);
    else if (sight->rows.at_target > 0)
        park(step, REASON_CATALOG_CHANGED);
    else if (sight->rows.at_source < rows || sight->rows.strangers > 0)
        stop(step, UNIT_ABANDONED, REASON_CATALOG_CHANGED);
    else if (another_round(step)) {
        enter(step, UNIT_VERIFYING);
        look(step, LOOK_GATE_1);
    }
}

static void cut_once_more(const struct step *step)
{
    if (!another_round(step))
        return;
    act(step, ACTION_CUT_OVER);
    step->action->durable = true;
}

/* -- rows that came back, and rows that are sent back ------------------------------------------ */

/* Of a repair nothing has been done yet. */
static void stop_repair(const struct step *step, enum unit_reason reason)
{
    if (step->next->kind == UNIT_REPAIR)
        stop(step, UNIT_ABANDONED, reason);
    else
        park(step, reason);
}

/* The source may lack what was deleted; all of it, if the unit was done. */
static bool source_is_in_use(const struct unit *unit, const struct sight *sight)
{
    return sight->source.changed + sight->source.extra > 0 ||
           (unit->kind == UNIT_REPAIR && sight->source.same > 0);
}

static void on_seen_repairing(const struct step *step)
{
    const struct sight *sight = &step->event->sight;
    uint32_t rows = step->next->rows;
    if (sight->rows.at_target == rows)
        cut_over_done(step);
    else if (sight->rows.at_target > 0)
        park(step, REASON_CATALOG_CHANGED);
    else if (sight->rows.at_source < rows || sight->rows.strangers > 0)
        stop_repair(step, REASON_CATALOG_CHANGED);
    else if (!target_is_equal(step->next, sight))
        stop_repair(step, REASON_TARGET_CHANGED);
    else if (source_is_in_use(step->next, sight))
        stop_repair(step, REASON_SOURCE_REWRITTEN);
    else {
        /* Whatever becomes of it, no earlier grace ends from here on. */
        if (step->next->kind != UNIT_REPAIR && !has_begun_to_delete(step->next))
            step->next->cleanup_at_us = step->event->now_us + step->next->grace_us;
        cut_once_more(step);
    }
}

/* Back in its grace, where the next run looks at it by itself. */
static void stay_cut_over(const struct step *step, enum unit_reason reason)
{
    enter(step, UNIT_CUTOVER);
    park(step, reason);
}

static void on_seen_returning(const struct step *step)
{
    const struct sight *sight = &step->event->sight;
    uint32_t rows = step->next->rows;
    /* Once they are back, others may write there as they like. */
    if (sight->rows.at_source == rows && sight->source.missing == 0)
        returned(step);
    else if (sight->rows.at_source == rows)
        stay_cut_over(step, REASON_ROWS_AT_SOURCE);
    else if (sight->rows.at_source > 0)
        park(step, REASON_CATALOG_CHANGED);
    else if (!source_is_as_in_manifest(step->next, sight))
        stay_cut_over(step, REASON_NO_WAY_BACK);
    else if (sight->rows.at_target < rows || sight->rows.strangers > 0)
        stay_cut_over(step, REASON_CATALOG_CHANGED);
    else
        cut_once_more(step);
}

/* Wherever the rows were once cut over, unless they are being sent back. */
static bool can_repair(const struct unit *unit)
{
    enum unit_state stage = unit_stage(unit);
    return stage == UNIT_REPAIRING || stage == UNIT_CUTOVER || stage == UNIT_DELETING ||
           stage == UNIT_SWEEPING;
}

static void ask_for(const struct step *step)
{
    bool returns = step->event->kind == EVENT_RETURN;
    if (returns ? !unit_can_return(step->next) : !can_repair(step->next)) {
        act(step, ACTION_REST);
        return;
    }
    if (!returns) {
        begin_repair(step);
        return;
    }
    enter(step, UNIT_RETURNING);
    look_at_rows(step);
    step->action->durable = true;
}

static void resume_cutover(const struct step *step)
{
    if (step->next->keep_source)
        stop(step, UNIT_DONE, REASON_NONE);
    else if (step->event->now_us < step->next->cleanup_at_us)
        rest(step, REASON_GRACE);
    else
        look(step, LOOK_GATE_2);
}

/* Gate 2: the only door to a delete.  Source objects that are missing may be deletions of ours. */
static void on_seen_gate_2(const struct step *step)
{
    const struct sight *sight = &step->event->sight;
    const struct unit *unit = step->next;
    /* Without a grace there is nothing to wait for; and a Date has whole seconds only. */
    bool early =
        unit->grace_us > 0 && sight->server_us != 0 && sight->server_us < unit->cleanup_at_us;

    if (sight->rows.at_source + sight->rows.strangers > 0)
        park(step, REASON_ROWS_AT_SOURCE);
    else if (sight->rows.at_target == 0) /* not the catalog whose rows were cut over */
        park(step, REASON_CATALOG_CHANGED);
    else if (!target_is_equal(unit, sight))
        park(step, REASON_TARGET_CHANGED);
    else if (sight->source.changed + sight->source.extra > 0)
        park(step, REASON_SOURCE_REWRITTEN);
    else if (sight->skew_us > PROTOCOL_SKEW_US)
        rest(step, REASON_SKEW);
    else if (early)
        rest(step, REASON_GRACE);
    else if (sight->held)
        rest(step, REASON_HELD);
    else if (sight->referenced)
        rest(step, REASON_REFERENCED);
    else if (sight->source.same == 0) {
        enter(step, UNIT_SWEEPING);
        look(step, LOOK_SOURCE);
    } else {
        enter(step, UNIT_DELETING);
        act(step, ACTION_DELETE);
        step->action->durable = true; /* from here on no rollback is possible */
    }
}

static void on_deleted(const struct step *step)
{
    const struct tally *tally = &step->event->tally;
    if (tally->changed > 0)
        park(step, REASON_SOURCE_REWRITTEN);
    else if (tally->refused > 0)
        park(step, REASON_DELETE_REFUSED);
    else if (tally->denied > 0)
        park(step, REASON_DENIED);
    else if (tally->unknown + tally->busy > 0) {
        if (another_round(step))
            look(step, LOOK_GATE_2);
    } else {
        enter(step, UNIT_SWEEPING);
        look(step, LOOK_SOURCE);
    }
}

static void on_seen_sweeping(const struct step *step)
{
    const struct sight *sight = &step->event->sight;
    if (sight->source.same > 0) {
        enter(step, UNIT_DELETING);
        if (another_round(step))
            look(step, LOOK_GATE_2);
        return;
    }
    step->next->late = sight->source.changed + sight->source.extra;
    stop(step, UNIT_DONE, REASON_NONE);
}

/* Every state resumes with a look, so a restart needs no memory and no luck. */
static void resume(const struct step *step)
{
    switch (step->next->state) {
    case UNIT_PLANNED:
        act(step, ACTION_MANIFEST);
        return;
    case UNIT_TIERING:
        look(step, LOOK_SOURCE);
        return;
    case UNIT_COPYING:
        enter(step, UNIT_VERIFYING);
        look(step, LOOK_GATE_1);
        return;
    case UNIT_VERIFYING:
        look(step, LOOK_GATE_1);
        return;
    case UNIT_COMMITTING:
    case UNIT_REPAIRING:
    case UNIT_RETURNING:
        look_at_rows(step);
        return;
    case UNIT_CUTOVER:
        resume_cutover(step);
        return;
    case UNIT_DELETING:
        look(step, LOOK_GATE_2);
        return;
    case UNIT_SWEEPING:
        look(step, LOOK_SOURCE);
        return;
    default:
        act(step, ACTION_STOP);
        return;
    }
}

static int64_t backoff_us(const struct step *step)
{
    int64_t own = PROTOCOL_BACKOFF_US << (step->next->failures - 1);
    int64_t asked = (int64_t)step->event->retry_ms * 1000;
    return own > asked ? own : asked;
}

/* Try again after a while, or in the next run. */
static void be_patient(const struct step *step)
{
    if (++step->next->failures < PROTOCOL_FAILURES_MAX) {
        wait_until(step, REASON_BUSY, step->event->now_us + backoff_us(step));
        return;
    }
    step->next->failures = 0;
    rest(step, REASON_BUSY);
}

static void give_up(const struct step *step, enum unit_reason reason)
{
    if (step->next->state == UNIT_PLANNED)
        stop(step, UNIT_SKIPPED, reason);
    else if (step->next->state < UNIT_COMMITTING)
        stop(step, UNIT_ABANDONED, reason);
    else
        park(step, reason);
}

static void on_failed(const struct step *step)
{
    switch (step->event->failure) {
    case ERR_CANCELLED:
        rest(step, REASON_STOPPED);
        return;
    case ERR_MISSING:
        give_up(step, REASON_MISSING);
        return;
    case ERR_DENIED:
        give_up(step, REASON_DENIED);
        return;
    case ERR_CORRUPT:
        give_up(step, REASON_CORRUPT);
        return;
    case ERR_INPUT:
        give_up(step, REASON_REFUSED);
        return;
    case ERR_CONFLICT:
    case ERR_NONE:
    case ERR_INTERNAL:
        give_up(step, REASON_INTERNAL);
        return;
    case ERR_BUSY:
    case ERR_UNKNOWN_OUTCOME:
        be_patient(step);
        return;
    }
}

/* A parked unit goes back to where it was and looks. */
static void retry(const struct step *step)
{
    if (step->next->state == UNIT_PARKED)
        enter(step, step->next->left_state);
    resume(step);
}

static bool saw(const struct event *event, unsigned what)
{
    return event->kind == EVENT_SEEN && (event->sight.looked & what) == what;
}

static bool awaits_rows(enum unit_state state)
{
    return state == UNIT_COMMITTING || state == UNIT_REPAIRING || state == UNIT_RETURNING;
}

static void progress(const struct step *step)
{
    const struct event *event = step->event;
    enum unit_state state = step->next->state;

    /* Copies that were to be aborted and are still under way are failures in a row. */
    if (event->kind != EVENT_ABORTED && event->sight.target.overdue == 0)
        step->next->failures = 0;
    if (state == UNIT_PLANNED && event->kind == EVENT_MANIFEST)
        on_manifest(step);
    else if (state == UNIT_TIERING && event->kind == EVENT_TIERED)
        on_tiered(step);
    else if (state == UNIT_TIERING && saw(event, LOOK_SOURCE))
        on_seen_tiering(step);
    else if (state == UNIT_COPYING && event->kind == EVENT_COPIED)
        on_copied(step);
    else if (state == UNIT_VERIFYING && event->kind == EVENT_ABORTED)
        be_patient(step); /* whatever came of it, the next look tells */
    else if (state == UNIT_VERIFYING && event->kind == EVENT_READ_BACK)
        on_read_back(step);
    else if (state == UNIT_VERIFYING && saw(event, LOOK_GATE_1))
        on_seen_verifying(step);
    else if (awaits_rows(state) && event->kind == EVENT_CUT)
        on_cut(step);
    else if (state == UNIT_REPAIRING && saw(event, LOOK_REPAIR))
        on_seen_repairing(step);
    else if (state == UNIT_RETURNING && saw(event, LOOK_BACK))
        on_seen_returning(step);
    else if (state == UNIT_COMMITTING && saw(event, LOOK_ROWS))
        on_seen_committing(step);
    else if ((state == UNIT_CUTOVER || state == UNIT_DELETING) && saw(event, LOOK_GATE_2))
        on_seen_gate_2(step);
    else if (state == UNIT_DELETING && event->kind == EVENT_DELETED)
        on_deleted(step);
    else if (state == UNIT_SWEEPING && saw(event, LOOK_SOURCE))
        on_seen_sweeping(step);
    else
        resume(step);
}

void protocol_step(const struct unit *unit, const struct event *event, struct unit *next,
                   struct action *action)
{
    *next = *unit;
    *action = (struct action){.kind = ACTION_STOP};
    struct step step = {.event = event, .next = next, .action = action};

    if (!unit_is_open(unit))
        return;
    bool is_asked = event->kind == EVENT_REPAIR || event->kind == EVENT_RETURN;
    if (unit->state == UNIT_PARKED && event->kind != EVENT_RETRY && !is_asked)
        return;
    if (event->kind == EVENT_FAILED) {
        on_failed(&step);
        return;
    }
    if (is_asked) {
        ask_for(&step);
        return;
    }
    /* Each look at a copy under way would be an event of its own. */
    if (event->kind != EVENT_RESUME || unit->reason != REASON_PENDING)
        next->reason = REASON_NONE;
    if (event->kind == EVENT_RESUME || event->kind == EVENT_RETRY)
        retry(&step);
    else
        progress(&step);
}
