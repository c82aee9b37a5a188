/* The move protocol's two pure functions, row by row of the table that they implement. */
#include "executor/protocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define NOW INT64_C(1750000000000000)
#define OBJECTS 10
#define ROWS 3

static struct unit unit_in(enum unit_state state)
{
    return (struct unit){.id = 1,
                         .state = state,
                         .left_state = UNIT_CUTOVER,
                         .verify = VERIFY_CHECKSUM,
                         .grace_us = INT64_C(7) * 86400 * 1000000,
                         .cleanup_at_us = NOW - 1,
                         .objects = OBJECTS,
                         .bytes = 1000,
                         .rows = ROWS};
}

static struct event event_of(enum event_kind kind)
{
    return (struct event){.kind = kind, .now_us = NOW};
}

/* A look at which everything is as it should be. */
static struct event seen(unsigned looked)
{
    struct event event = event_of(EVENT_SEEN);
    event.sight.looked = looked;
    event.sight.source.same = OBJECTS;
    event.sight.target.equal = OBJECTS;
    event.sight.rows.at_target = ROWS;
    return event;
}

static struct event manifest_as_planned(void)
{
    struct event event = event_of(EVENT_MANIFEST);
    event.same_objects = event.same_rows = true;
    event.objects = OBJECTS;
    return event;
}

struct outcome {
    struct unit unit;
    struct action action;
};

static struct outcome step(struct unit unit, struct event event)
{
    struct outcome outcome;
    protocol_step(&unit, &event, &outcome.unit, &outcome.action);
    return outcome;
}

static void expect(struct outcome outcome, enum unit_state state, enum unit_reason reason,
                   enum action_kind action)
{
    assert_string_equal(unit_state_name(outcome.unit.state), unit_state_name(state));
    assert_int_equal(outcome.unit.reason, reason);
    assert_int_equal(outcome.action.kind, action);
}

static void expect_look(struct outcome outcome, enum unit_state state, unsigned look)
{
    expect(outcome, state, REASON_NONE, ACTION_LOOK);
    assert_int_equal(outcome.action.look, look);
}

/* -- from the plan to the first copy ------------------------------------------------------------
 */

static void planned_lists_before_it_writes(void **state)
{
    (void)state;
    struct outcome outcome = step(unit_in(UNIT_PLANNED), event_of(EVENT_RESUME));
    expect(outcome, UNIT_PLANNED, REASON_NONE, ACTION_MANIFEST);
    assert_false(outcome.action.durable);
}

static void copying_begins_behind_a_durable_barrier(void **state)
{
    (void)state;
    struct outcome outcome = step(unit_in(UNIT_PLANNED), manifest_as_planned());
    expect(outcome, UNIT_COPYING, REASON_NONE, ACTION_COPY);
    assert_true(outcome.action.durable);
    assert_int_equal(outcome.unit.objects, OBJECTS);
}

static void what_is_not_as_planned_is_skipped(void **state)
{
    (void)state;
    struct event event = manifest_as_planned();
    event.same_rows = false;
    expect(step(unit_in(UNIT_PLANNED), event), UNIT_SKIPPED, REASON_STALE_ROWS, ACTION_STOP);
    event = manifest_as_planned();
    event.same_objects = false;
    expect(step(unit_in(UNIT_PLANNED), event), UNIT_SKIPPED, REASON_STALE_OBJECTS, ACTION_STOP);
    event = manifest_as_planned();
    event.objects = 0;
    expect(step(unit_in(UNIT_PLANNED), event), UNIT_SKIPPED, REASON_STALE_OBJECTS, ACTION_STOP);
    event = manifest_as_planned();
    event.irregular = 1;
    expect(step(unit_in(UNIT_PLANNED), event), UNIT_SKIPPED, REASON_NOT_A_FILE, ACTION_STOP);
    event = manifest_as_planned();
    event.same_rows = event.same_objects = false;
    event.already = true;
    expect(step(unit_in(UNIT_PLANNED), event), UNIT_DONE, REASON_NONE, ACTION_STOP);
}

/* -- the tier alone ------------------------------------------------------------------------------
 */

static struct unit retier_in(enum unit_state state)
{
    struct unit unit = unit_in(state);
    unit.kind = UNIT_RETIER;
    unit.tier = TIER_COOL;
    unit.grace_us = 0;
    unit.keep_source = true;
    return unit;
}

static void tiers_are_set_behind_a_durable_barrier(void **state)
{
    (void)state;
    struct outcome outcome = step(retier_in(UNIT_PLANNED), manifest_as_planned());
    expect(outcome, UNIT_TIERING, REASON_NONE, ACTION_TIER);
    assert_true(outcome.action.durable);
    assert_int_equal(outcome.unit.objects, OBJECTS);
}

static void tiers_are_looked_at_never_trusted(void **state)
{
    (void)state;
    struct event event = event_of(EVENT_TIERED);
    event.tally.done = OBJECTS;
    expect_look(step(retier_in(UNIT_TIERING), event), UNIT_TIERING, LOOK_SOURCE);
    event.tally.unknown = event.tally.busy = 1;
    expect_look(step(retier_in(UNIT_TIERING), event), UNIT_TIERING, LOOK_SOURCE);
    expect_look(step(retier_in(UNIT_TIERING), event_of(EVENT_RESUME)), UNIT_TIERING, LOOK_SOURCE);
    struct outcome outcome = step(retier_in(UNIT_TIERING), seen(LOOK_SOURCE));
    expect(outcome, UNIT_DONE, REASON_NONE, ACTION_STOP);
    assert_int_equal(outcome.unit.cleanup_at_us - outcome.unit.grace_us, NOW);
}

static void tiers_that_cannot_be_set_abandon(void **state)
{
    (void)state;
    struct event event = event_of(EVENT_TIERED);
    event.tally.changed = 1;
    expect(step(retier_in(UNIT_TIERING), event), UNIT_ABANDONED, REASON_SOURCE_CHANGED,
           ACTION_STOP);
    event.tally = (struct tally){.refused = 1};
    expect(step(retier_in(UNIT_TIERING), event), UNIT_ABANDONED, REASON_TIER_REFUSED, ACTION_STOP);
    event.tally = (struct tally){.denied = 1};
    expect(step(retier_in(UNIT_TIERING), event), UNIT_ABANDONED, REASON_DENIED, ACTION_STOP);
}

static void a_directory_that_changes_is_not_called_retiered(void **state)
{
    (void)state;
    struct event missing = seen(LOOK_SOURCE), changed = missing, extra = missing;
    missing.sight.source.same--;
    missing.sight.source.missing = 1;
    changed.sight.source.same--;
    changed.sight.source.changed = 1;
    extra.sight.source.extra = 1;
    const struct event events[] = {missing, changed, extra};
    for (size_t i = 0; i < 3; i++)
        expect(step(retier_in(UNIT_TIERING), events[i]), UNIT_ABANDONED, REASON_SOURCE_CHANGED,
               ACTION_STOP);
}

static void nothing_is_taken_out_of_the_archive(void **state)
{
    (void)state;
    struct event manifest = manifest_as_planned(), look = seen(LOOK_SOURCE);
    manifest.archived = 1;
    expect(step(retier_in(UNIT_PLANNED), manifest), UNIT_SKIPPED, REASON_ARCHIVED, ACTION_STOP);
    expect(step(unit_in(UNIT_PLANNED), manifest), UNIT_SKIPPED, REASON_ARCHIVED, ACTION_STOP);
    look.sight.source.other_tier = look.sight.source.archived = 1;
    expect(step(retier_in(UNIT_TIERING), look), UNIT_ABANDONED, REASON_ARCHIVED, ACTION_STOP);
}

static void tiers_are_set_again_four_rounds(void **state)
{
    (void)state;
    struct event event = seen(LOOK_SOURCE);
    struct unit unit = retier_in(UNIT_TIERING);
    event.sight.source.other_tier = 1;
    for (int i = 0; i < PROTOCOL_ROUNDS_MAX; i++) {
        struct outcome outcome = step(unit, event);
        expect(outcome, UNIT_TIERING, REASON_NONE, ACTION_TIER);
        unit = outcome.unit;
    }
    expect(step(unit, event), UNIT_TIERING, REASON_BUSY, ACTION_REST);
}

/* -- copying and gate 1 --------------------------------------------------------------------------
 */

static void copies_are_looked_at_never_trusted(void **state)
{
    (void)state;
    struct event event = event_of(EVENT_COPIED);
    event.tally = (struct tally){.done = OBJECTS - 3, .exists = 1, .unknown = 1, .busy = 1};
    expect_look(step(unit_in(UNIT_COPYING), event), UNIT_VERIFYING, LOOK_GATE_1);
    expect_look(step(unit_in(UNIT_COPYING), event_of(EVENT_RESUME)), UNIT_VERIFYING, LOOK_GATE_1);
}

static void copies_that_cannot_succeed_abandon(void **state)
{
    (void)state;
    struct event event = event_of(EVENT_COPIED);
    event.tally = (struct tally){.done = 9, .changed = 1};
    expect(step(unit_in(UNIT_COPYING), event), UNIT_ABANDONED, REASON_SOURCE_CHANGED, ACTION_STOP);
    event.tally = (struct tally){.done = 9, .refused = 1};
    expect(step(unit_in(UNIT_COPYING), event), UNIT_ABANDONED, REASON_COPY_REFUSED, ACTION_STOP);
    event.tally = (struct tally){.done = 9, .denied = 1};
    expect(step(unit_in(UNIT_COPYING), event), UNIT_ABANDONED, REASON_DENIED, ACTION_STOP);
}

static void gate_1_opens_behind_a_durable_barrier(void **state)
{
    (void)state;
    struct outcome outcome = step(unit_in(UNIT_VERIFYING), seen(LOOK_GATE_1));
    expect(outcome, UNIT_COMMITTING, REASON_NONE, ACTION_CUT_OVER);
    assert_true(outcome.action.durable);
}

static void gate_1_stays_shut(void **state)
{
    (void)state;
    struct event event = seen(LOOK_GATE_1);
    event.sight.target.differs = 1;
    expect(step(unit_in(UNIT_VERIFYING), event), UNIT_ABANDONED, REASON_TARGET_DIFFERS,
           ACTION_STOP);
    event = seen(LOOK_GATE_1);
    event.sight.target.extra = 1;
    expect(step(unit_in(UNIT_VERIFYING), event), UNIT_ABANDONED, REASON_TARGET_HAS_MORE,
           ACTION_STOP);
    event = seen(LOOK_GATE_1);
    event.sight.source.same--;
    event.sight.source.changed++;
    expect(step(unit_in(UNIT_VERIFYING), event), UNIT_ABANDONED, REASON_SOURCE_CHANGED,
           ACTION_STOP);
    event = seen(LOOK_GATE_1);
    event.sight.source.same--;
    event.sight.source.missing++;
    expect(step(unit_in(UNIT_VERIFYING), event), UNIT_ABANDONED, REASON_SOURCE_CHANGED,
           ACTION_STOP);
    event = seen(LOOK_GATE_1);
    event.sight.source.extra++;
    expect(step(unit_in(UNIT_VERIFYING), event), UNIT_ABANDONED, REASON_SOURCE_CHANGED,
           ACTION_STOP);
    event = seen(LOOK_GATE_1);
    event.sight.target.equal--;
    event.sight.target.pending++;
    expect(step(unit_in(UNIT_VERIFYING), event), UNIT_VERIFYING, REASON_PENDING, ACTION_WAIT);
}

/* A copy of hours is not asked for every two seconds. */
static void a_copy_is_looked_at_less_and_less_often(void **state)
{
    (void)state;
    static const struct {
        int64_t pending_s, pause_s;
    } table[] = {{-300, 2}, {0, 2}, {3, 2}, {8, 4}, {60, 30}, {128, 64}, {3599, 64}};
    struct event event = seen(LOOK_GATE_1);
    event.sight.target.equal--;
    event.sight.target.pending++;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        event.sight.target.pending_us = table[i].pending_s * 1000000;
        struct outcome outcome = step(unit_in(UNIT_VERIFYING), event);
        expect(outcome, UNIT_VERIFYING, REASON_PENDING, ACTION_WAIT);
        assert_int_equal(outcome.action.until_us - NOW, table[i].pause_s * 1000000);
        /* It stays pending: that one looked is no event. */
        outcome = step(outcome.unit, event_of(EVENT_RESUME));
        expect(outcome, UNIT_VERIFYING, REASON_PENDING, ACTION_LOOK);
        assert_int_equal(outcome.action.look, LOOK_GATE_1);
    }
}

/* One of ours is aborted, one of others is left to a later run. */
static void a_copy_that_takes_too_long_is_aborted_or_left(void **state)
{
    (void)state;
    struct event event = seen(LOOK_GATE_1);
    event.sight.target.equal -= 2;
    event.sight.target.pending = 2;
    event.sight.target.endless = 1;
    expect(step(unit_in(UNIT_VERIFYING), event), UNIT_VERIFYING, REASON_PENDING, ACTION_WAIT);
    event.sight.target.endless = 2;
    expect(step(unit_in(UNIT_VERIFYING), event), UNIT_VERIFYING, REASON_PENDING, ACTION_REST);
    event.sight.target.endless = 1;
    event.sight.target.overdue = 1;
    struct outcome outcome = step(unit_in(UNIT_VERIFYING), event);
    expect(outcome, UNIT_VERIFYING, REASON_NONE, ACTION_ABORT);
    /* Whatever came of it is looked at; and a service that aborts nothing is not asked for ever. */
    for (int i = 1; i < PROTOCOL_FAILURES_MAX; i++) {
        outcome = step(outcome.unit, event_of(EVENT_ABORTED));
        expect(outcome, UNIT_VERIFYING, REASON_BUSY, ACTION_WAIT);
        expect_look(step(outcome.unit, event_of(EVENT_RESUME)), UNIT_VERIFYING, LOOK_GATE_1);
        outcome = step(outcome.unit, event);
        expect(outcome, UNIT_VERIFYING, REASON_NONE, ACTION_ABORT);
    }
    outcome = step(outcome.unit, event_of(EVENT_ABORTED));
    expect(outcome, UNIT_VERIFYING, REASON_BUSY, ACTION_REST);
}

/* What failed, or was never begun, is copied while others are under way; a number of times. */
static void what_failed_is_copied_again_and_given_up_at_last(void **state)
{
    (void)state;
    struct unit unit = unit_in(UNIT_VERIFYING);
    struct event event = seen(LOOK_GATE_1);
    event.sight.target.equal -= 2;
    event.sight.target.absent = event.sight.target.failed = 1;
    event.sight.target.pending = 1;
    for (int i = 0; i < PROTOCOL_ROUNDS_MAX; i++) {
        struct outcome outcome = step(unit, event);
        expect(outcome, UNIT_COPYING, REASON_NONE, ACTION_COPY);
        outcome = step(outcome.unit, event_of(EVENT_COPIED));
        expect_look(outcome, UNIT_VERIFYING, LOOK_GATE_1);
        unit = outcome.unit;
    }
    struct event absent = event;
    absent.sight.target.failed = 0;
    expect(step(unit, absent), UNIT_VERIFYING, REASON_PENDING, ACTION_WAIT);
    expect(step(unit, event), UNIT_ABANDONED, REASON_COPY_FAILED, ACTION_STOP);
}

/* Counts that do not add up to the manifest never reach the catalog. */
static void gate_1_wants_every_object(void **state)
{
    (void)state;
    struct event event = seen(LOOK_GATE_1);
    event.sight.target.equal--;
    expect(step(unit_in(UNIT_VERIFYING), event), UNIT_ABANDONED, REASON_INTERNAL, ACTION_STOP);
    event = seen(LOOK_SOURCE);
    expect_look(step(unit_in(UNIT_VERIFYING), event), UNIT_VERIFYING, LOOK_GATE_1);
}

static void copies_again_four_rounds(void **state)
{
    (void)state;
    struct unit unit = unit_in(UNIT_VERIFYING);
    for (int round = 0; round < PROTOCOL_ROUNDS_MAX; round++) {
        struct event event = seen(LOOK_GATE_1);
        event.sight.target.equal--;
        event.sight.target.absent++;
        struct outcome outcome = step(unit, event);
        expect(outcome, UNIT_COPYING, REASON_NONE, ACTION_COPY);
        outcome = step(outcome.unit, event_of(EVENT_COPIED));
        expect_look(outcome, UNIT_VERIFYING, LOOK_GATE_1);
        unit = outcome.unit;
    }
    struct event event = seen(LOOK_GATE_1);
    event.sight.target.equal--;
    event.sight.target.absent++;
    expect(step(unit, event), UNIT_VERIFYING, REASON_BUSY, ACTION_REST);
}

static void what_cannot_be_proved_is_never_cut_over(void **state)
{
    (void)state;
    struct unit unit = unit_in(UNIT_VERIFYING);
    struct event event = seen(LOOK_GATE_1);
    event.sight.target.equal--;
    event.sight.target.cannot_tell++;
    for (int round = 0; round < PROTOCOL_PROOFS_MAX; round++) {
        struct outcome outcome = step(unit, event);
        expect(outcome, UNIT_VERIFYING, REASON_NONE, ACTION_READ_BACK);
        outcome = step(outcome.unit, event_of(EVENT_READ_BACK));
        expect_look(outcome, UNIT_VERIFYING, LOOK_GATE_1);
        unit = outcome.unit;
    }
    expect(step(unit, event), UNIT_ABANDONED, REASON_UNPROVED, ACTION_STOP);

    struct event read = event_of(EVENT_READ_BACK);
    read.tally.differs = 1;
    expect(step(unit_in(UNIT_VERIFYING), read), UNIT_ABANDONED, REASON_TARGET_DIFFERS, ACTION_STOP);
    read.tally = (struct tally){.done = 9, .refused = 1};
    expect(step(unit_in(UNIT_VERIFYING), read), UNIT_ABANDONED, REASON_UNPROVED, ACTION_STOP);
}

/* What was read is of no use, and says why. */
static void reading_back_may_find_another_source_or_none(void **state)
{
    (void)state;
    struct event read = event_of(EVENT_READ_BACK);
    read.tally = (struct tally){.done = 8, .changed = 1, .denied = 1};
    expect(step(unit_in(UNIT_VERIFYING), read), UNIT_ABANDONED, REASON_SOURCE_CHANGED, ACTION_STOP);
    read.tally = (struct tally){.done = 8, .denied = 1, .refused = 1};
    expect(step(unit_in(UNIT_VERIFYING), read), UNIT_ABANDONED, REASON_DENIED, ACTION_STOP);
}

/* A store that is too busy to be read disproves nothing. */
static void reading_back_waits_while_a_store_is_busy(void **state)
{
    (void)state;
    struct unit unit = unit_in(UNIT_VERIFYING);
    struct event event = seen(LOOK_GATE_1), read = event_of(EVENT_READ_BACK);
    event.sight.target.equal--;
    event.sight.target.cannot_tell++;
    read.tally.busy = 1;
    for (int round = 0; round < PROTOCOL_ROUNDS_MAX; round++) {
        struct outcome outcome = step(unit, event);
        expect(outcome, UNIT_VERIFYING, REASON_NONE, ACTION_READ_BACK);
        outcome = step(outcome.unit, read);
        expect(outcome, UNIT_VERIFYING, REASON_BUSY, ACTION_WAIT);
        assert_true(outcome.action.until_us > NOW);
        outcome = step(outcome.unit, event_of(EVENT_RESUME));
        expect_look(outcome, UNIT_VERIFYING, LOOK_GATE_1);
        unit = outcome.unit;
    }
    unit = step(unit, event).unit;
    expect(step(unit, read), UNIT_VERIFYING, REASON_BUSY, ACTION_REST);
}

/* However many rounds the copies took, what arrived last is read back. */
static void rounds_of_copying_leave_room_for_proofs(void **state)
{
    (void)state;
    struct unit unit = unit_in(UNIT_VERIFYING);
    unit.rounds = PROTOCOL_ROUNDS_MAX;
    struct event event = seen(LOOK_GATE_1);
    event.sight.target.equal--;
    event.sight.target.cannot_tell++;
    expect(step(unit, event), UNIT_VERIFYING, REASON_NONE, ACTION_READ_BACK);
}

/* -- the catalog ----------------------------------------------------------------------------------
 */

static void grace_begins_at_the_cut_over(void **state)
{
    (void)state;
    struct event event = event_of(EVENT_CUT);
    event.cut = CUT_DONE;
    struct outcome outcome = step(unit_in(UNIT_COMMITTING), event);
    expect(outcome, UNIT_CUTOVER, REASON_GRACE, ACTION_REST);
    assert_true(outcome.action.durable);
    assert_int_equal(outcome.unit.cleanup_at_us, NOW + outcome.unit.grace_us);

    struct unit unit = unit_in(UNIT_COMMITTING);
    unit.grace_us = 0;
    outcome = step(unit, event);
    expect_look(outcome, UNIT_CUTOVER, LOOK_GATE_2);
    assert_true(outcome.action.durable);

    unit.keep_source = true;
    expect(step(unit, event), UNIT_DONE, REASON_NONE, ACTION_STOP);
}

static void an_unknown_commit_is_looked_at_with_a_lock(void **state)
{
    (void)state;
    const enum cut cuts[] = {CUT_UNKNOWN, CUT_CHANGED};
    for (size_t i = 0; i < 2; i++) {
        struct event event = event_of(EVENT_CUT);
        event.cut = cuts[i];
        struct outcome outcome = step(unit_in(UNIT_COMMITTING), event);
        expect_look(outcome, UNIT_COMMITTING, LOOK_ROWS);
        assert_true(outcome.action.lock);
    }
    assert_true(step(unit_in(UNIT_COMMITTING), event_of(EVENT_RESUME)).action.lock);
}

static struct event rows_seen(uint32_t at_source, uint32_t at_target, uint32_t elsewhere,
                              uint32_t strangers)
{
    struct event event = event_of(EVENT_SEEN);
    event.sight.looked = LOOK_ROWS;
    event.sight.rows.at_source = at_source;
    event.sight.rows.at_target = at_target;
    event.sight.rows.elsewhere = elsewhere;
    event.sight.rows.strangers = strangers;
    return event;
}

static void rows_say_what_became_of_the_commit(void **state)
{
    (void)state;
    struct unit unit = unit_in(UNIT_COMMITTING);
    expect(step(unit, rows_seen(0, ROWS, 0, 0)), UNIT_CUTOVER, REASON_GRACE, ACTION_REST);
    expect_look(step(unit, rows_seen(ROWS, 0, 0, 0)), UNIT_VERIFYING, LOOK_GATE_1);
    expect(step(unit, rows_seen(ROWS - 1, 0, 1, 0)), UNIT_ABANDONED, REASON_CATALOG_CHANGED,
           ACTION_STOP);
    expect(step(unit, rows_seen(ROWS, 0, 0, 1)), UNIT_ABANDONED, REASON_CATALOG_CHANGED,
           ACTION_STOP);
    struct outcome mixed = step(unit, rows_seen(ROWS - 1, 1, 0, 0));
    expect(mixed, UNIT_PARKED, REASON_CATALOG_CHANGED, ACTION_STOP);
    assert_int_equal(mixed.unit.left_state, UNIT_COMMITTING);
}

/* An UPDATE that a trigger swallows leaves all rows old, however often it is tried. */
static void a_commit_that_never_takes_rests(void **state)
{
    (void)state;
    struct unit unit = unit_in(UNIT_VERIFYING);
    int cuts = 0;
    for (;;) {
        struct outcome outcome = step(unit, seen(LOOK_GATE_1));
        expect(outcome, UNIT_COMMITTING, REASON_NONE, ACTION_CUT_OVER);
        struct event event = event_of(EVENT_CUT);
        event.cut = CUT_CHANGED;
        outcome = step(outcome.unit, event);
        outcome = step(outcome.unit, rows_seen(ROWS, 0, 0, 0));
        assert_true(++cuts <= PROTOCOL_ROUNDS_MAX + 1);
        if (outcome.action.kind == ACTION_REST)
            break;
        expect_look(outcome, UNIT_VERIFYING, LOOK_GATE_1);
        unit = outcome.unit;
    }
    assert_int_equal(cuts, PROTOCOL_ROUNDS_MAX + 1);
}

/* -- gate 2 and deletion
 * --------------------------------------------------------------------------- */

static void nothing_is_deleted_before_its_time(void **state)
{
    (void)state;
    struct unit unit = unit_in(UNIT_CUTOVER);
    unit.cleanup_at_us = NOW + 1;
    expect(step(unit, event_of(EVENT_RESUME)), UNIT_CUTOVER, REASON_GRACE, ACTION_REST);
    unit.cleanup_at_us = NOW;
    expect_look(step(unit, event_of(EVENT_RESUME)), UNIT_CUTOVER, LOOK_GATE_2);

    struct event event = seen(LOOK_GATE_2);
    event.sight.server_us = NOW - 1;
    expect(step(unit, event), UNIT_CUTOVER, REASON_GRACE, ACTION_REST);
    event = seen(LOOK_GATE_2);
    event.sight.skew_us = PROTOCOL_SKEW_US + 1;
    expect(step(unit, event), UNIT_CUTOVER, REASON_SKEW, ACTION_REST);
    event = seen(LOOK_GATE_2);
    event.sight.held = true;
    expect(step(unit, event), UNIT_CUTOVER, REASON_HELD, ACTION_REST);
    event = seen(LOOK_GATE_2);
    event.sight.referenced = true;
    expect(step(unit, event), UNIT_CUTOVER, REASON_REFERENCED, ACTION_REST);
}

/* What was begun is not gone on with either; and a look that did not ask is none. */
static void a_reference_stops_a_deletion_under_way(void **state)
{
    (void)state;
    struct event event = seen(LOOK_GATE_2);
    event.sight.referenced = true;
    expect(step(unit_in(UNIT_DELETING), event), UNIT_DELETING, REASON_REFERENCED, ACTION_REST);
    expect_look(step(unit_in(UNIT_CUTOVER), seen(LOOK_GATE_2 & ~LOOK_REFERENCES)), UNIT_CUTOVER,
                LOOK_GATE_2);
}

static void deletion_begins_behind_a_durable_barrier(void **state)
{
    (void)state;
    struct outcome outcome = step(unit_in(UNIT_CUTOVER), seen(LOOK_GATE_2));
    expect(outcome, UNIT_DELETING, REASON_NONE, ACTION_DELETE);
    assert_true(outcome.action.durable);
}

static void gate_2_parks(void **state)
{
    (void)state;
    const enum unit_state states[] = {UNIT_CUTOVER, UNIT_DELETING};
    for (size_t i = 0; i < 2; i++) {
        struct unit unit = unit_in(states[i]);
        struct event event = seen(LOOK_GATE_2);
        event.sight.rows.at_source = 1;
        expect(step(unit, event), UNIT_PARKED, REASON_ROWS_AT_SOURCE, ACTION_STOP);
        event = seen(LOOK_GATE_2);
        event.sight.rows.strangers = 1;
        expect(step(unit, event), UNIT_PARKED, REASON_ROWS_AT_SOURCE, ACTION_STOP);
        event = seen(LOOK_GATE_2);
        event.sight.rows.at_target = 0; /* another catalog, or one put back to long ago */
        event.sight.rows.elsewhere = ROWS;
        expect(step(unit, event), UNIT_PARKED, REASON_CATALOG_CHANGED, ACTION_STOP);
        event = seen(LOOK_GATE_2);
        event.sight.target.equal--;
        event.sight.target.absent++;
        expect(step(unit, event), UNIT_PARKED, REASON_TARGET_CHANGED, ACTION_STOP);
        event = seen(LOOK_GATE_2);
        event.sight.target.equal--;
        event.sight.target.cannot_tell++;
        expect(step(unit, event), UNIT_PARKED, REASON_TARGET_CHANGED, ACTION_STOP);
        event = seen(LOOK_GATE_2);
        event.sight.source.extra = 1;
        expect(step(unit, event), UNIT_PARKED, REASON_SOURCE_REWRITTEN, ACTION_STOP);
        event = seen(LOOK_GATE_2);
        event.sight.source.same--;
        event.sight.source.changed++;
        expect(step(unit, event), UNIT_PARKED, REASON_SOURCE_REWRITTEN, ACTION_STOP);
    }
}

/* They may be our own deletions. */
static void gate_2_tolerates_missing_source_objects(void **state)
{
    (void)state;
    struct event event = seen(LOOK_GATE_2);
    event.sight.source.same = 4;
    event.sight.source.missing = OBJECTS - 4;
    expect(step(unit_in(UNIT_DELETING), event), UNIT_DELETING, REASON_NONE, ACTION_DELETE);
    event.sight.source.same = 0;
    event.sight.source.missing = OBJECTS;
    expect_look(step(unit_in(UNIT_DELETING), event), UNIT_SWEEPING, LOOK_SOURCE);
}

static void deletions_that_were_refused_are_never_retried_blindly(void **state)
{
    (void)state;
    struct event event = event_of(EVENT_DELETED);
    event.tally = (struct tally){.done = 9, .refused = 1};
    expect(step(unit_in(UNIT_DELETING), event), UNIT_PARKED, REASON_DELETE_REFUSED, ACTION_STOP);
    event.tally = (struct tally){.done = 9, .changed = 1};
    expect(step(unit_in(UNIT_DELETING), event), UNIT_PARKED, REASON_SOURCE_REWRITTEN, ACTION_STOP);
    event.tally = (struct tally){.done = 9, .unknown = 1};
    expect_look(step(unit_in(UNIT_DELETING), event), UNIT_DELETING, LOOK_GATE_2);
    event.tally = (struct tally){.done = OBJECTS};
    expect_look(step(unit_in(UNIT_DELETING), event), UNIT_SWEEPING, LOOK_SOURCE);
}

/* Who may not delete parks; who shall not delete is done, before and after its time. */
static void deletions_that_may_not_be(void **state)
{
    (void)state;
    struct event event = event_of(EVENT_DELETED);
    event.tally = (struct tally){.done = 9, .denied = 1};
    expect(step(unit_in(UNIT_DELETING), event), UNIT_PARKED, REASON_DENIED, ACTION_STOP);
    struct unit unit = unit_in(UNIT_CUTOVER);
    unit.keep_source = true;
    for (int64_t i = 0; i < 2; i++) {
        unit.cleanup_at_us = NOW + 1 - i;
        expect(step(unit, event_of(EVENT_RESUME)), UNIT_DONE, REASON_NONE, ACTION_STOP);
    }
}

/* A store that says deleted and lists it still. */
static void deletions_that_never_take_rest(void **state)
{
    (void)state;
    struct unit unit = unit_in(UNIT_DELETING);
    int deletions = 0;
    for (;;) {
        struct outcome outcome = step(unit, seen(LOOK_GATE_2));
        expect(outcome, UNIT_DELETING, REASON_NONE, ACTION_DELETE);
        struct event event = event_of(EVENT_DELETED);
        event.tally.done = OBJECTS;
        outcome = step(outcome.unit, event);
        expect_look(outcome, UNIT_SWEEPING, LOOK_SOURCE);
        outcome = step(outcome.unit, seen(LOOK_SOURCE));
        assert_true(++deletions <= PROTOCOL_ROUNDS_MAX + 1);
        if (outcome.action.kind == ACTION_REST)
            break;
        expect_look(outcome, UNIT_DELETING, LOOK_GATE_2);
        unit = outcome.unit;
    }
    assert_int_equal(deletions, PROTOCOL_ROUNDS_MAX + 1);
}

static void late_objects_are_counted_and_left_alone(void **state)
{
    (void)state;
    struct event event = event_of(EVENT_SEEN);
    event.sight.looked = LOOK_SOURCE;
    event.sight.source.extra = 2;
    event.sight.source.changed = 1;
    struct outcome outcome = step(unit_in(UNIT_SWEEPING), event);
    expect(outcome, UNIT_DONE, REASON_NONE, ACTION_STOP);
    assert_int_equal(outcome.unit.late, 3);
    event.sight.source.same = 1;
    expect_look(step(unit_in(UNIT_SWEEPING), event), UNIT_DELETING, LOOK_GATE_2);
}

/* -- failures
 * --------------------------------------------------------------------------------------- */

static struct event failed(enum err_kind kind)
{
    struct event event = event_of(EVENT_FAILED);
    event.failure = kind;
    return event;
}

static void busy_waits_six_times_then_rests(void **state)
{
    (void)state;
    struct unit unit = unit_in(UNIT_VERIFYING);
    int64_t last_us = 0;
    for (int i = 1; i < PROTOCOL_FAILURES_MAX; i++) {
        struct outcome outcome = step(unit, failed(ERR_BUSY));
        expect(outcome, UNIT_VERIFYING, REASON_BUSY, ACTION_WAIT);
        assert_true(outcome.action.until_us - NOW > last_us);
        last_us = outcome.action.until_us - NOW;
        unit = outcome.unit;
    }
    struct outcome outcome = step(unit, failed(ERR_UNKNOWN_OUTCOME));
    expect(outcome, UNIT_VERIFYING, REASON_BUSY, ACTION_REST);
    assert_int_equal(outcome.unit.failures, 0);

    struct event asked = failed(ERR_BUSY);
    asked.retry_ms = 60000;
    assert_int_equal(step(unit_in(UNIT_COPYING), asked).action.until_us, NOW + 60000000);
}

static void permanent_failures_abandon_or_park(void **state)
{
    (void)state;
    const enum err_kind kinds[] = {ERR_DENIED, ERR_CORRUPT, ERR_INTERNAL, ERR_MISSING, ERR_INPUT};
    const enum unit_reason reasons[] = {REASON_DENIED, REASON_CORRUPT, REASON_INTERNAL,
                                        REASON_MISSING, REASON_REFUSED};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        assert_int_equal(step(unit_in(UNIT_COPYING), failed(kinds[i])).unit.reason, reasons[i]);
        assert_int_equal(step(unit_in(UNIT_PLANNED), failed(kinds[i])).unit.state, UNIT_SKIPPED);
        assert_int_equal(step(unit_in(UNIT_COPYING), failed(kinds[i])).unit.state, UNIT_ABANDONED);
        assert_int_equal(step(unit_in(UNIT_VERIFYING), failed(kinds[i])).unit.state,
                         UNIT_ABANDONED);
        for (enum unit_state at = UNIT_COMMITTING; at <= UNIT_SWEEPING; at++) {
            struct outcome outcome = step(unit_in(at), failed(kinds[i]));
            assert_int_equal(outcome.unit.state, UNIT_PARKED);
            assert_int_equal(outcome.unit.left_state, at == UNIT_REPAIRING ? UNIT_CUTOVER : at);
        }
    }
}

static void parked_units_look_again_only_when_retried(void **state)
{
    (void)state;
    struct unit unit = unit_in(UNIT_PARKED);
    unit.reason = REASON_HELD;
    expect(step(unit, event_of(EVENT_RESUME)), UNIT_PARKED, REASON_HELD, ACTION_STOP);
    expect_look(step(unit, event_of(EVENT_RETRY)), UNIT_CUTOVER, LOOK_GATE_2);
    unit.left_state = UNIT_COMMITTING;
    expect_look(step(unit, event_of(EVENT_RETRY)), UNIT_COMMITTING, LOOK_ROWS);
}

static bool has_looked_enough(const struct unit *unit, unsigned looked)
{
    unsigned needed = unit->state == UNIT_RETURNING ? LOOK_BACK : LOOK_GATE_1;
    return (looked & needed) == needed;
}

/* Whatever happens, a closed unit stays closed, a deletion follows only gate 2, a cut-over only
 * gate 1 (of one that is sent back, a look at its source and rows), and both stand behind a durable
 * barrier. */
static void every_event_in_every_state_has_a_safe_answer(void **state)
{
    (void)state;
    for (int at = UNIT_PLANNED; at < UNIT_STATES; at++) {
        for (int kind = EVENT_RESUME; kind < EVENT_KINDS; kind++) {
            for (unsigned looked = 0; looked <= LOOK_GATE_2; looked++) {
                struct unit unit = unit_in((enum unit_state)at);
                struct event event = seen(looked);
                event.kind = (enum event_kind)kind;
                struct outcome outcome = step(unit, event);
                if (!unit_is_open(&unit))
                    assert_memory_equal(&outcome.unit, &unit, sizeof(unit));
                if (outcome.action.kind == ACTION_DELETE || outcome.action.kind == ACTION_CUT_OVER)
                    assert_true(outcome.action.durable);
                if (outcome.action.kind == ACTION_DELETE)
                    assert_true(kind == EVENT_SEEN && looked == LOOK_GATE_2);
                if (outcome.action.kind == ACTION_CUT_OVER)
                    assert_true(kind == EVENT_SEEN && has_looked_enough(&unit, looked));
            }
        }
    }
}

/* -- rows that came back, and rows that are sent back ---------------------------------------------
 */

/* A look in which all rows stand at the source. */
static struct event seen_back(unsigned looked)
{
    struct event event = seen(looked);
    event.sight.rows.at_target = 0;
    event.sight.rows.at_source = ROWS;
    return event;
}

static struct unit repair_in(enum unit_state state)
{
    struct unit unit = unit_in(state);
    unit.kind = UNIT_REPAIR;
    unit.keep_source = true;
    return unit;
}

static void expect_locked_look(struct outcome outcome, enum unit_state state, unsigned look)
{
    expect_look(outcome, state, look);
    assert_true(outcome.action.lock);
}

static void a_return_is_written_down_before_it_is_looked_at(void **state)
{
    (void)state;
    struct unit parked = unit_in(UNIT_PARKED);
    struct outcome outcome = step(unit_in(UNIT_CUTOVER), event_of(EVENT_RETURN));
    expect_locked_look(outcome, UNIT_RETURNING, LOOK_BACK);
    assert_true(outcome.action.durable);
    expect_locked_look(step(parked, event_of(EVENT_RETURN)), UNIT_RETURNING, LOOK_BACK);
    expect_locked_look(step(unit_in(UNIT_RETURNING), event_of(EVENT_RESUME)), UNIT_RETURNING,
                       LOOK_BACK);
}

static void nothing_returns_once_its_deletion_has_begun(void **state)
{
    (void)state;
    static const enum unit_state states[] = {UNIT_COPYING, UNIT_COMMITTING, UNIT_DELETING,
                                             UNIT_SWEEPING};
    for (size_t i = 0; i < 4; i++) {
        expect(step(unit_in(states[i]), event_of(EVENT_RETURN)), states[i], REASON_NONE,
               ACTION_REST);
        struct unit parked = unit_in(UNIT_PARKED);
        parked.left_state = states[i];
        assert_int_equal(step(parked, event_of(EVENT_RETURN)).unit.state, UNIT_PARKED);
    }
}

static void rows_return_only_to_an_untouched_source(void **state)
{
    (void)state;
    struct outcome outcome = step(unit_in(UNIT_RETURNING), seen(LOOK_BACK));
    expect(outcome, UNIT_RETURNING, REASON_NONE, ACTION_CUT_OVER);
    assert_true(outcome.action.durable);

    struct event missing = seen(LOOK_BACK), changed = missing, extra = missing;
    missing.sight.source.same = changed.sight.source.same = OBJECTS - 1;
    missing.sight.source.missing = changed.sight.source.changed = extra.sight.source.extra = 1;
    const struct event events[] = {missing, changed, extra};
    for (size_t i = 0; i < 3; i++) {
        outcome = step(unit_in(UNIT_RETURNING), events[i]);
        expect(outcome, UNIT_PARKED, REASON_NO_WAY_BACK, ACTION_STOP);
        assert_int_equal(outcome.unit.left_state, UNIT_CUTOVER);
    }
}

static void rows_that_others_changed_do_not_return(void **state)
{
    (void)state;
    struct event event = seen(LOOK_BACK);
    event.sight.rows.strangers = 1;
    expect(step(unit_in(UNIT_RETURNING), event), UNIT_PARKED, REASON_CATALOG_CHANGED, ACTION_STOP);
    event = seen(LOOK_BACK);
    event.sight.rows.at_target = ROWS - 1;
    expect(step(unit_in(UNIT_RETURNING), event), UNIT_PARKED, REASON_CATALOG_CHANGED, ACTION_STOP);
    event.sight.rows.at_source = 1;
    struct outcome outcome = step(unit_in(UNIT_RETURNING), event);
    expect(outcome, UNIT_PARKED, REASON_CATALOG_CHANGED, ACTION_STOP);
    assert_int_equal(outcome.unit.left_state, UNIT_RETURNING);
}

static void rows_that_are_back_close_the_unit(void **state)
{
    (void)state;
    struct event cut = event_of(EVENT_CUT);
    cut.cut = CUT_UNKNOWN;
    expect_locked_look(step(unit_in(UNIT_RETURNING), cut), UNIT_RETURNING, LOOK_BACK);
    cut.cut = CUT_DONE;
    struct outcome outcome = step(unit_in(UNIT_RETURNING), cut);
    expect(outcome, UNIT_ROLLED_BACK, REASON_NONE, ACTION_STOP);
    assert_int_equal(outcome.unit.cleanup_at_us - outcome.unit.grace_us, NOW);

    struct event back = seen_back(LOOK_BACK);
    back.sight.source.extra = 1; /* it is in use again */
    expect(step(unit_in(UNIT_RETURNING), back), UNIT_ROLLED_BACK, REASON_NONE, ACTION_STOP);
    back.sight.source.same--;
    back.sight.source.missing = 1;
    /* Then they point at what is not whole. */
    expect(step(unit_in(UNIT_RETURNING), back), UNIT_PARKED, REASON_ROWS_AT_SOURCE, ACTION_STOP);
}

static void a_repair_is_written_down_before_it_is_looked_at(void **state)
{
    (void)state;
    struct unit parked = unit_in(UNIT_PARKED);
    parked.left_state = UNIT_DELETING;
    struct outcome outcome = step(parked, event_of(EVENT_REPAIR));
    expect_locked_look(outcome, UNIT_REPAIRING, LOOK_REPAIR);
    assert_true(outcome.action.durable);
    assert_int_equal(outcome.unit.cleanup_at_us, parked.cleanup_at_us);

    struct event manifest = manifest_as_planned();
    manifest.archived = 1; /* nothing of it is read */
    outcome = step(repair_in(UNIT_PLANNED), manifest);
    expect_locked_look(outcome, UNIT_REPAIRING, LOOK_REPAIR);
    assert_true(outcome.action.durable);
    assert_int_equal(outcome.unit.cleanup_at_us, repair_in(UNIT_PLANNED).cleanup_at_us);
    assert_int_equal(step(unit_in(UNIT_COPYING), event_of(EVENT_REPAIR)).unit.state, UNIT_COPYING);
}

static void rows_are_cut_over_again_to_a_whole_target_alone(void **state)
{
    (void)state;
    struct event back = seen_back(LOOK_REPAIR);
    back.sight.source.same = 3; /* the rest was deleted */
    back.sight.source.missing = OBJECTS - 3;
    struct outcome outcome = step(unit_in(UNIT_REPAIRING), back);
    expect(outcome, UNIT_REPAIRING, REASON_NONE, ACTION_CUT_OVER);
    assert_true(outcome.action.durable);

    struct event partly = back, rewritten = back, strange = back, gone = back;
    partly.sight.target.equal--;
    partly.sight.target.absent = 1;
    rewritten.sight.source.extra = 1;
    strange.sight.rows.strangers = 1;
    gone.sight.rows.at_source--;
    const struct {
        struct event event;
        enum unit_reason reason;
    } table[] = {{partly, REASON_TARGET_CHANGED},
                 {rewritten, REASON_SOURCE_REWRITTEN},
                 {strange, REASON_CATALOG_CHANGED},
                 {gone, REASON_CATALOG_CHANGED}};
    for (size_t i = 0; i < 4; i++) {
        expect(step(unit_in(UNIT_REPAIRING), table[i].event), UNIT_PARKED, table[i].reason,
               ACTION_STOP);
        expect(step(repair_in(UNIT_REPAIRING), table[i].event), UNIT_ABANDONED, table[i].reason,
               ACTION_STOP);
    }
    /* What was deleted for good and stands there again is somebody's. */
    expect(step(repair_in(UNIT_REPAIRING), back), UNIT_ABANDONED, REASON_SOURCE_REWRITTEN,
           ACTION_STOP);
    back.sight.source.same = 0;
    back.sight.source.missing = OBJECTS;
    expect(step(repair_in(UNIT_REPAIRING), back), UNIT_REPAIRING, REASON_NONE, ACTION_CUT_OVER);
}

/* Its look may fail after a COMMIT of which nobody knows, and it may have waited for long before.
 */
static void a_grace_begins_before_the_rows_are_cut_over_again(void **state)
{
    (void)state;
    struct unit unit = step(unit_in(UNIT_CUTOVER), event_of(EVENT_REPAIR)).unit;
    unit.cleanup_at_us = NOW - 1;
    struct outcome outcome = step(unit, seen_back(LOOK_REPAIR));
    expect(outcome, UNIT_REPAIRING, REASON_NONE, ACTION_CUT_OVER);
    assert_true(outcome.action.durable);
    struct event cut = event_of(EVENT_CUT);
    cut.cut = CUT_UNKNOWN;
    unit = step(step(outcome.unit, cut).unit, failed(ERR_DENIED)).unit;
    expect(step(unit, event_of(EVENT_RETRY)), UNIT_CUTOVER, REASON_GRACE, ACTION_REST);

    /* Deletes that were sent before may still arrive. */
    unit = unit_in(UNIT_REPAIRING);
    unit.left_state = UNIT_DELETING;
    outcome = step(unit, seen_back(LOOK_REPAIR));
    expect(outcome, UNIT_REPAIRING, REASON_NONE, ACTION_CUT_OVER);
    assert_int_equal(outcome.unit.cleanup_at_us, unit.cleanup_at_us);
}

static void a_repair_ends_as_a_cut_over_does(void **state)
{
    (void)state;
    struct event cut = event_of(EVENT_CUT);
    cut.cut = CUT_CHANGED;
    expect_locked_look(step(unit_in(UNIT_REPAIRING), cut), UNIT_REPAIRING, LOOK_REPAIR);
    cut.cut = CUT_DONE;
    struct outcome outcome = step(unit_in(UNIT_REPAIRING), cut);
    expect(outcome, UNIT_CUTOVER, REASON_GRACE, ACTION_REST);
    assert_int_equal(outcome.unit.cleanup_at_us, NOW + outcome.unit.grace_us);
    assert_true(outcome.action.durable);
    expect(step(unit_in(UNIT_REPAIRING), seen(LOOK_REPAIR)), UNIT_CUTOVER, REASON_GRACE,
           ACTION_REST);
    expect(step(repair_in(UNIT_REPAIRING), cut), UNIT_DONE, REASON_NONE, ACTION_STOP);
    struct event mixed = seen(LOOK_REPAIR);
    mixed.sight.rows.at_target = 1;
    mixed.sight.rows.at_source = ROWS - 1;
    expect(step(repair_in(UNIT_REPAIRING), mixed), UNIT_PARKED, REASON_CATALOG_CHANGED,
           ACTION_STOP);
}

/* A delete that was sent may arrive an hour late: after a repair there is neither a new grace nor a
 * way back. */
static void a_deletion_that_has_begun_goes_on_after_a_repair(void **state)
{
    (void)state;
    static const enum unit_state begun[] = {UNIT_DELETING, UNIT_SWEEPING};
    struct event cut = event_of(EVENT_CUT);
    cut.cut = CUT_DONE;
    for (size_t i = 0; i < 2; i++) {
        struct unit parked = unit_in(UNIT_PARKED);
        parked.left_state = begun[i];
        struct unit units[] = {unit_in(begun[i]), parked};
        for (size_t k = 0; k < 2; k++) {
            struct unit repairing = step(units[k], event_of(EVENT_REPAIR)).unit;
            assert_false(unit_can_return(&repairing));
            repairing = step(repairing, event_of(EVENT_REPAIR)).unit; /* asked once more */
            expect(step(repairing, event_of(EVENT_RETURN)), UNIT_REPAIRING, REASON_NONE,
                   ACTION_REST);
            const struct event ends[] = {cut, seen(LOOK_REPAIR)};
            for (size_t end = 0; end < 2; end++) {
                struct outcome outcome = step(repairing, ends[end]);
                expect_look(outcome, UNIT_DELETING, LOOK_GATE_2);
                assert_true(outcome.action.durable);
                assert_int_equal(outcome.unit.cleanup_at_us, repairing.cleanup_at_us);
            }
            struct event strange = seen_back(LOOK_REPAIR);
            strange.sight.rows.strangers = 1;
            struct outcome outcome = step(repairing, strange);
            expect(outcome, UNIT_PARKED, REASON_CATALOG_CHANGED, ACTION_STOP);
            assert_int_equal(outcome.unit.left_state, begun[i]);
            assert_int_equal(step(outcome.unit, event_of(EVENT_RETURN)).unit.state, UNIT_PARKED);
        }
    }
}

static void what_is_under_repair_may_go_back_while_nothing_was_deleted(void **state)
{
    (void)state;
    struct unit unit = step(unit_in(UNIT_CUTOVER), event_of(EVENT_REPAIR)).unit;
    expect_locked_look(step(unit, event_of(EVENT_RETURN)), UNIT_RETURNING, LOOK_BACK);
    unit = step(step(unit, failed(ERR_DENIED)).unit, event_of(EVENT_RETURN)).unit;
    assert_int_equal(unit.state, UNIT_RETURNING);
}

/* Somebody wants them at the source: no plan that was made before turns them round. */
static void what_is_sent_back_is_not_repaired(void **state)
{
    (void)state;
    struct unit parked = unit_in(UNIT_PARKED);
    parked.left_state = UNIT_RETURNING;
    expect(step(unit_in(UNIT_RETURNING), event_of(EVENT_REPAIR)), UNIT_RETURNING, REASON_NONE,
           ACTION_REST);
    assert_int_equal(step(parked, event_of(EVENT_REPAIR)).unit.state, UNIT_PARKED);
}

/* There is nothing at its source to which rows could go back. */
static void a_repair_of_what_was_done_does_not_return(void **state)
{
    (void)state;
    struct unit repairing = step(repair_in(UNIT_PLANNED), manifest_as_planned()).unit;
    assert_int_equal(repairing.state, UNIT_REPAIRING);
    expect(step(repairing, event_of(EVENT_RETURN)), UNIT_REPAIRING, REASON_NONE, ACTION_REST);
    struct unit parked = step(repairing, failed(ERR_DENIED)).unit;
    assert_int_equal(parked.left_state, UNIT_REPAIRING);
    assert_int_equal(step(parked, event_of(EVENT_RETURN)).unit.state, UNIT_PARKED);
    expect_locked_look(step(parked, event_of(EVENT_RETRY)), UNIT_REPAIRING, LOOK_REPAIR);
}

static void rows_that_never_move_are_left_to_the_next_run(void **state)
{
    (void)state;
    struct unit returning = unit_in(UNIT_RETURNING), repairing = unit_in(UNIT_REPAIRING);
    for (int i = 0; i < PROTOCOL_ROUNDS_MAX; i++) {
        returning = step(returning, seen(LOOK_BACK)).unit;
        repairing = step(repairing, seen_back(LOOK_REPAIR)).unit;
    }
    expect(step(returning, seen(LOOK_BACK)), UNIT_RETURNING, REASON_BUSY, ACTION_REST);
    expect(step(repairing, seen_back(LOOK_REPAIR)), UNIT_REPAIRING, REASON_BUSY, ACTION_REST);
}

/* One place has one set of bytes: whatever happens, they are neither copied nor deleted. */
static void a_retier_touches_tiers_alone(void **state)
{
    (void)state;
    const enum unit_state states[] = {UNIT_PLANNED, UNIT_TIERING};
    for (size_t i = 0; i < 2; i++) {
        for (int kind = EVENT_RESUME; kind < EVENT_KINDS; kind++) {
            for (unsigned looked = 0; looked <= LOOK_GATE_2; looked++) {
                struct event event = seen(looked);
                event.kind = (enum event_kind)kind;
                event.same_rows = event.same_objects = true;
                event.objects = OBJECTS;
                struct outcome outcome = step(retier_in(states[i]), event);
                assert_true(outcome.action.kind <= ACTION_TIER ||
                            outcome.action.kind == ACTION_LOOK);
                assert_true(outcome.unit.state <= UNIT_TIERING || !unit_is_open(&outcome.unit));
            }
        }
    }
}

/* -- one object
 * -------------------------------------------------------------------------------------- */

static struct object object_of(uint64_t bytes, const char *etag, enum md5_origin origin,
                               uint8_t md5)
{
    struct object object = {.key = "k", .bytes = bytes, .etag = etag, .md5_origin = origin};
    memset(object.md5, md5, sizeof(object.md5));
    return object;
}

static void the_source_is_no_copy_of_itself(void **state)
{
    (void)state;
    struct object_fact fact = {.want = object_of(5, "s", MD5_CLAIMED, 1)};
    struct object found = object_of(5, "s", MD5_CLAIMED, 1);
    assert_int_equal(protocol_judge(&fact, &found, VERIFY_SIZE), OBJECT_DIFFERS);
    assert_int_equal(protocol_judge(&fact, &found, VERIFY_CHECKSUM), OBJECT_DIFFERS);
    strcpy(fact.target_etag, "s");
    assert_int_equal(protocol_judge(&fact, &found, VERIFY_CHECKSUM), OBJECT_DIFFERS);
    fact.proven = true; /* where only its tier is to change */
    assert_int_equal(protocol_judge(&fact, &found, VERIFY_CHECKSUM), OBJECT_EQUAL);
}

static void judge_by_size(void **state)
{
    (void)state;
    struct object_fact fact = {.want = object_of(5, "s", MD5_ABSENT, 0)};
    struct object found = object_of(5, "t", MD5_ABSENT, 0);
    assert_int_equal(protocol_judge(&fact, NULL, VERIFY_SIZE), OBJECT_ABSENT);
    /* The same size alone may be anybody's. */
    assert_int_equal(protocol_judge(&fact, &found, VERIFY_SIZE), OBJECT_CANNOT_TELL);
    strcpy(fact.target_etag, "t");
    fact.created = true;
    assert_int_equal(protocol_judge(&fact, &found, VERIFY_SIZE), OBJECT_EQUAL);
    assert_int_equal(protocol_judge(&fact, &found, VERIFY_CHECKSUM), OBJECT_CANNOT_TELL);
    found.bytes = 6;
    assert_int_equal(protocol_judge(&fact, &found, VERIFY_SIZE), OBJECT_DIFFERS);
    found.copy = COPY_PENDING;
    assert_int_equal(protocol_judge(&fact, &found, VERIFY_SIZE), OBJECT_PENDING);
    found = object_of(5, "t", MD5_ABSENT, 0);
    found.copy = COPY_FAILED;
    assert_int_equal(protocol_judge(&fact, &found, VERIFY_SIZE), OBJECT_DIFFERS);
    found.copy = COPY_ABORTED;
    assert_int_equal(protocol_judge(&fact, &found, VERIFY_SIZE), OBJECT_DIFFERS);
    found.copy = COPY_NONE;
    found.irregular = true;
    assert_int_equal(protocol_judge(&fact, &found, VERIFY_SIZE), OBJECT_DIFFERS);
}

static void judge_by_checksum(void **state)
{
    (void)state;
    struct object_fact fact = {.want = object_of(5, "s", MD5_CLAIMED, 7), .proven = true};
    struct object found = object_of(5, "t", MD5_CLAIMED, 7);
    /* A copied property proves nothing. */
    assert_int_equal(protocol_judge(&fact, &found, VERIFY_CHECKSUM), OBJECT_CANNOT_TELL);
    strcpy(fact.target_etag, "t");
    assert_int_equal(protocol_judge(&fact, &found, VERIFY_CHECKSUM), OBJECT_EQUAL);
    found.etag = "u";
    assert_int_equal(protocol_judge(&fact, &found, VERIFY_CHECKSUM), OBJECT_CANNOT_TELL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planned_lists_before_it_writes),
        cmocka_unit_test(copying_begins_behind_a_durable_barrier),
        cmocka_unit_test(what_is_not_as_planned_is_skipped),
        cmocka_unit_test(tiers_are_set_behind_a_durable_barrier),
        cmocka_unit_test(tiers_are_looked_at_never_trusted),
        cmocka_unit_test(tiers_that_cannot_be_set_abandon),
        cmocka_unit_test(a_directory_that_changes_is_not_called_retiered),
        cmocka_unit_test(nothing_is_taken_out_of_the_archive),
        cmocka_unit_test(tiers_are_set_again_four_rounds),
        cmocka_unit_test(copies_are_looked_at_never_trusted),
        cmocka_unit_test(copies_that_cannot_succeed_abandon),
        cmocka_unit_test(gate_1_opens_behind_a_durable_barrier),
        cmocka_unit_test(gate_1_stays_shut),
        cmocka_unit_test(a_copy_is_looked_at_less_and_less_often),
        cmocka_unit_test(a_copy_that_takes_too_long_is_aborted_or_left),
        cmocka_unit_test(what_failed_is_copied_again_and_given_up_at_last),
        cmocka_unit_test(gate_1_wants_every_object),
        cmocka_unit_test(copies_again_four_rounds),
        cmocka_unit_test(what_cannot_be_proved_is_never_cut_over),
        cmocka_unit_test(reading_back_may_find_another_source_or_none),
        cmocka_unit_test(reading_back_waits_while_a_store_is_busy),
        cmocka_unit_test(rounds_of_copying_leave_room_for_proofs),
        cmocka_unit_test(grace_begins_at_the_cut_over),
        cmocka_unit_test(an_unknown_commit_is_looked_at_with_a_lock),
        cmocka_unit_test(rows_say_what_became_of_the_commit),
        cmocka_unit_test(a_commit_that_never_takes_rests),
        cmocka_unit_test(nothing_is_deleted_before_its_time),
        cmocka_unit_test(a_reference_stops_a_deletion_under_way),
        cmocka_unit_test(deletion_begins_behind_a_durable_barrier),
        cmocka_unit_test(gate_2_parks),
        cmocka_unit_test(gate_2_tolerates_missing_source_objects),
        cmocka_unit_test(deletions_that_were_refused_are_never_retried_blindly),
        cmocka_unit_test(deletions_that_may_not_be),
        cmocka_unit_test(deletions_that_never_take_rest),
        cmocka_unit_test(late_objects_are_counted_and_left_alone),
        cmocka_unit_test(busy_waits_six_times_then_rests),
        cmocka_unit_test(permanent_failures_abandon_or_park),
        cmocka_unit_test(parked_units_look_again_only_when_retried),
        cmocka_unit_test(every_event_in_every_state_has_a_safe_answer),
        cmocka_unit_test(a_return_is_written_down_before_it_is_looked_at),
        cmocka_unit_test(nothing_returns_once_its_deletion_has_begun),
        cmocka_unit_test(rows_return_only_to_an_untouched_source),
        cmocka_unit_test(rows_that_others_changed_do_not_return),
        cmocka_unit_test(rows_that_are_back_close_the_unit),
        cmocka_unit_test(a_repair_is_written_down_before_it_is_looked_at),
        cmocka_unit_test(rows_are_cut_over_again_to_a_whole_target_alone),
        cmocka_unit_test(a_grace_begins_before_the_rows_are_cut_over_again),
        cmocka_unit_test(a_repair_ends_as_a_cut_over_does),
        cmocka_unit_test(a_deletion_that_has_begun_goes_on_after_a_repair),
        cmocka_unit_test(what_is_under_repair_may_go_back_while_nothing_was_deleted),
        cmocka_unit_test(what_is_sent_back_is_not_repaired),
        cmocka_unit_test(a_repair_of_what_was_done_does_not_return),
        cmocka_unit_test(rows_that_never_move_are_left_to_the_next_run),
        cmocka_unit_test(a_retier_touches_tiers_alone),
        cmocka_unit_test(the_source_is_no_copy_of_itself),
        cmocka_unit_test(judge_by_size),
        cmocka_unit_test(judge_by_checksum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
