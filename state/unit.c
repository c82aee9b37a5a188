#include "state/unit.h"

#include <assert.h>
#include <string.h>

#include "base/str.h"

static const char *const state_names[UNIT_STATES] = {
    [UNIT_PLANNED] = "planned",
    [UNIT_TIERING] = "tiering",
    [UNIT_COPYING] = "copying",
    [UNIT_VERIFYING] = "verifying",
    [UNIT_COMMITTING] = "committing",
    [UNIT_REPAIRING] = "repairing",
    [UNIT_CUTOVER] = "cutover",
    [UNIT_RETURNING] = "returning",
    [UNIT_DELETING] = "deleting",
    [UNIT_SWEEPING] = "sweeping",
    [UNIT_DONE] = "done",
    [UNIT_SKIPPED] = "skipped",
    [UNIT_ABANDONED] = "abandoned",
    [UNIT_ROLLED_BACK] = "rolled-back",
    [UNIT_PARKED] = "parked",
};

static const struct {
    const char *name, *text;
} reasons[UNIT_REASONS] = {
    [REASON_NONE] = {"none", "Nothing stands in the way."},
    [REASON_STALE_ROWS] = {"stale-rows",
                           "The catalog's rows at the source are not those of the plan. "
                           "Make a new plan."},
    [REASON_STALE_OBJECTS] = {"stale-objects", "The source's objects are not those of the plan. "
                                               "Make a new plan."},
    [REASON_OPEN_UNIT] = {"open-unit",
                          "An earlier move of this place, or of one above or below it, is not "
                          "finished. Let it finish, then make a new plan."},
    [REASON_TARGET_DIFFERS] = {"target-differs",
                               "An object of the same name but with other content stands at the "
                               "target: find out who wrote it, remove it or move it away, then "
                               "make a new plan. Or it is the source itself, since two stores are "
                               "one place by two names: make them one."},
    [REASON_TARGET_HAS_MORE] = {"target-has-more",
                                "The target directory holds objects that the source lacks. Find "
                                "out who wrote them, move them away, then make a new plan."},
    [REASON_SOURCE_CHANGED] = {"source-changed",
                               "Objects at the source changed, came or went while they were "
                               "copied. Wait until nobody writes there, then make a new plan."},
    [REASON_COPY_REFUSED] = {"copy-refused",
                             "The store refused to copy an object, and trying again would not "
                             "help. Read the log for its answer, then make a new plan."},
    [REASON_COPY_FAILED] = {"copy-failed",
                            "Copies that the cloud makes by itself failed or took too long, again "
                            "and again; the source is untouched. See what it says of them, or give "
                            "them more time (--copy-timeout), then make a new plan."},
    [REASON_TIER_REFUSED] = {"tier-refused",
                             "The store refused to set the access tier of an object, and trying "
                             "again would not help. Read the log for its answer, then make a new "
                             "plan."},
    [REASON_UNPROVED] = {"unproved",
                         "The copies could not be proved equal at the level of `verify`. See that "
                         "both sides can be read back, then make a new plan."},
    [REASON_NOT_A_FILE] = {"not-a-file",
                           "The source is, or holds, an entry that is no regular file (a link, "
                           "a device). Remove it, then make a new plan."},
    [REASON_ARCHIVED] = {"archived",
                         "An object is in the archive tier: it can't be read, and taking it out "
                         "costs money and hours. Rehydrate it, or leave it out, then make a new "
                         "plan."},
    [REASON_CATALOG_CHANGED] = {"catalog-changed",
                                "Somebody else changed the catalog's rows of this move. See where "
                                "they point, put them right, then make a new plan."},
    [REASON_ROWS_AT_SOURCE] = {"rows-at-source",
                               "A catalog row points at or below the source, so it is kept. If "
                               "all of them came back, the next plan offers to repair that; else "
                               "point that row at the target, and the next run looks again."},
    [REASON_TARGET_CHANGED] = {"target-changed",
                               "The target is no longer what was verified, so the source is kept. "
                               "Put the target's objects back from the source; the next run looks "
                               "again."},
    [REASON_SOURCE_REWRITTEN] = {"source-rewritten",
                                 "The source holds objects that were written after the copy, so it "
                                 "is kept. Move them away; the next run looks again."},
    [REASON_NO_WAY_BACK] = {"no-way-back",
                            "The source is no longer what was moved from it, so the rows stay at "
                            "the target. frostline restore brings the recordings back from there."},
    [REASON_DELETE_REFUSED] = {"delete-refused",
                               "The store refuses to delete the source (a lease, snapshots, an "
                               "immutability rule). Lift that; the next run looks again."},
    [REASON_DENIED] = {"denied",
                       "Credentials or permissions do not suffice. Grant what the log says is "
                       "missing, then run again."},
    [REASON_MISSING] = {"missing",
                        "A container, table or folder that was named is not there. Put it right, "
                        "then run again."},
    [REASON_CORRUPT] = {"corrupt",
                        "An answer of a store or of the catalog contradicts itself. Read the log, "
                        "then run again."},
    [REASON_REFUSED] =
        {"refused", "A store, the catalog or this machine refuses what was asked, and would again. "
                    "Put right what the message names, then make a new plan."},
    [REASON_INTERNAL] = {"internal",
                         "frostline met a case that it does not know: a bug. Please report it with "
                         "the log; the data is safe where it is."},
    [REASON_GRACE] = {"grace",
                      "The grace between cut-over and deletion of the source still runs. The first "
                      "run after its end deletes the source."},
    [REASON_HELD] = {"held",
                     "A hold, or `source: keep`, stops the deletion of the source. Lift it, or "
                     "leave the source where it is."},
    [REASON_REFERENCED] = {"referenced",
                           "A row of another table that `catalog.references` names points at or "
                           "below the source, so it is kept. Delete that row, or point it at the "
                           "target; the next run looks again."},
    [REASON_PENDING] = {"pending",
                        "A copy in the cloud, or a rehydration, is still under way. A later run "
                        "goes on with it."},
    [REASON_BUSY] = {"busy",
                     "A store or the catalog could not be reached or was too busy. The next run "
                     "goes on from here."},
    [REASON_STOPPED] = {"stopped", "The run was told to stop. The next run goes on from here."},
    [REASON_SKEW] = {"skew",
                     "The clocks of this machine and of a store or the catalog differ by more than "
                     "five minutes, so nothing is deleted. Set the clock, then run again."},
};

bool unit_covers(const char *unit, const char *name)
{
    return str_starts(name, unit) && (name[strlen(unit)] == '\0' || str_ends(unit, "/"));
}

enum unit_state unit_stage(const struct unit *unit)
{
    return unit->state == UNIT_PARKED ? unit->left_state : unit->state;
}

bool unit_is_open(const struct unit *unit)
{
    switch (unit->state) {
    case UNIT_DONE:
    case UNIT_SKIPPED:
    case UNIT_ABANDONED:
    case UNIT_ROLLED_BACK:
        return false;
    default:
        return true;
    }
}

bool unit_can_return(const struct unit *unit)
{
    enum unit_state stage = unit->state;
    if (stage == UNIT_PARKED || stage == UNIT_REPAIRING)
        stage = unit->left_state;
    return unit->kind == UNIT_MOVE && unit_is_open(unit) &&
           (stage == UNIT_CUTOVER || stage == UNIT_RETURNING);
}

const char *unit_kind_name(enum unit_kind kind)
{
    static const char *const names[UNIT_KINDS] = {
        [UNIT_MOVE] = "move", [UNIT_RETIER] = "retier", [UNIT_REPAIR] = "repair"};
    assert(kind < UNIT_KINDS);
    return names[kind];
}

const char *unit_state_name(enum unit_state state)
{
    assert(state < UNIT_STATES);
    return state_names[state];
}

const char *unit_reason_name(enum unit_reason reason)
{
    assert(reason < UNIT_REASONS);
    return reasons[reason].name;
}

const char *unit_reason_text(enum unit_reason reason)
{
    assert(reason < UNIT_REASONS);
    return reasons[reason].text;
}

const char *unit_verify_name(enum unit_verify verify)
{
    static const char *const names[] = {
        [VERIFY_SIZE] = "size", [VERIFY_CHECKSUM] = "checksum", [VERIFY_READBACK] = "readback"};
    assert(verify <= VERIFY_READBACK);
    return names[verify];
}
