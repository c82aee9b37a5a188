#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/when.h"
#include "engine/doctor.h"
#include "engine/text.h"

#define ELSEWHERE "name another folder: --state DIR, or FROSTLINE_STATE_DIR"

/* -- the folder -------------------------------------------------------------------------------- */

/* The folder, or the one above it that is there. */
static const char *existing(struct arena *arena, const char *folder)
{
    struct stat found;
    while (stat(folder, &found) != 0 && errno == ENOENT) {
        const char *slash = strrchr(folder, '/');
        if (slash == NULL)
            return ".";
        folder = slash == folder ? "/" : str_copy(arena, folder, (size_t)(slash - folder));
    }
    return folder;
}

void doctor_state_folder(struct doctor *doctor)
{
    struct wiring *wiring = doctor->wiring;
    struct stat found;
    if (!wiring_has_state(wiring)) {
        doctor_fail(doctor, EXIT_USAGE, ELSEWHERE, "there is no place for the journal");
        return;
    }
    const char *folder = wiring->state_folder, *there = existing(&wiring->arena, folder);
    bool is_there = stat(there, &found) == 0;
    if (is_there && S_ISDIR(found.st_mode) && access(there, R_OK | X_OK) == 0)
        doctor->facts |= DOCTOR_STATE;
    if (is_there && !S_ISDIR(found.st_mode))
        doctor_fail(doctor, EXIT_INVALID, ELSEWHERE, "%s: %s", there, strerror(ENOTDIR));
    else if (access(there, W_OK | X_OK) != 0)
        doctor_fail(doctor, EXIT_AUTH, ELSEWHERE ", or let this user write this one", "%s: %s",
                    there, strerror(errno));
    else if (str_equal(there, folder))
        doctor_ok(doctor, "%s can be written", folder);
    else
        doctor_ok(doctor, "%s: the first run makes it", folder);
}

void doctor_state_space(struct doctor *doctor)
{
    struct wiring *wiring = doctor->wiring;
    const char *there = existing(&wiring->arena, wiring->state_folder);
    struct statvfs space;
    if (statvfs(there, &space) != 0) {
        doctor_fail(doctor, EXIT_AUTH, ELSEWHERE, "%s: %s", there, strerror(errno));
        return;
    }
    uint64_t free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
    if (free_bytes < JOURNAL_FREE_BYTES_MIN)
        doctor_fail(doctor, EXIT_TEMPORARY, ELSEWHERE ", or make room",
                    "only %s free, and a run wants %s", text_size(free_bytes),
                    text_size(JOURNAL_FREE_BYTES_MIN));
    else
        doctor_ok(doctor, "%s free", text_size(free_bytes));
}

/* -- who uses it ------------------------------------------------------------------------------- */

/* "3d", "2h", "5m": how long ago, in whole ones. */
static const char *age_of(struct doctor *doctor, int64_t instant_us)
{
    struct wiring *wiring = doctor->wiring;
    int64_t minutes =
        (wiring->clock->ops->now_us(wiring->clock) - instant_us) / (60 * WHEN_SECOND_US);
    if (minutes < 60)
        return str_format(&wiring->arena, "%" PRId64 "m", minutes);
    if (minutes < 48 * 60)
        return str_format(&wiring->arena, "%" PRId64 "h", minutes / 60);
    return str_format(&wiring->arena, "%" PRId64 "d", minutes / (24 * 60));
}

void doctor_state_lock(struct doctor *doctor)
{
    struct lock_holder holder;
    bool held;
    struct err err;
    if (!lock_look(doctor->wiring->state_folder, &holder, &held, &err))
        doctor_fail_with(doctor, &err, ELSEWHERE ", or let this user write this one");
    else if (!held)
        doctor_ok(doctor, "nobody holds it");
    else if (holder.pid == 0)
        doctor_warn(doctor, "wait for it to end, or give a run --lock-wait", "a run holds it");
    else
        doctor_warn(doctor, "wait for it to end, or give a run --lock-wait",
                    "%s holds it: process %" PRId64 " on %s, for %s", holder.what, holder.pid,
                    holder.host, age_of(doctor, holder.since_us));
}

/* -- what it knows ----------------------------------------------------------------------------- */

static const char *fix_of(const struct err *err)
{
    if (err->kind == ERR_CORRUPT)
        return "put journal.db back from a backup; never delete it while status shows open units";
    return ELSEWHERE ", or let this user read this one";
}

void doctor_state_journal(struct doctor *doctor)
{
    struct wiring *wiring = doctor->wiring;
    struct err err;
    bool is_old;
    if (!journal_open(wiring->state_folder, JOURNAL_READ, wiring->clock, &wiring->journal, &err)) {
        if (err.kind == ERR_MISSING)
            doctor_ok(doctor, "none yet: the first run makes it");
        else
            doctor_fail_with(doctor, &err, fix_of(&err));
        return;
    }
    if (!journal_check(wiring->journal, &err)) {
        doctor_fail_with(doctor, &err, fix_of(&err));
        return;
    }
    doctor->facts |= DOCTOR_JOURNAL;
    int64_t version = journal_version(wiring->journal, &is_old);
    doctor_ok(doctor, "sound, of version %" PRId64 "%s", version,
              is_old ? ", which the next run brings up to date" : "");
}

static bool is_locked(const struct doctor *doctor)
{
    struct lock_holder holder;
    bool held;
    struct err ignored;
    return lock_look(doctor->wiring->state_folder, &holder, &held, &ignored) && held;
}

void doctor_state_run(struct doctor *doctor)
{
    struct wiring *wiring = doctor->wiring;
    struct journal_run run;
    struct err err;
    if (!journal_run_get(wiring->journal, 0, &wiring->arena, &run, &err)) {
        if (err.kind == ERR_MISSING)
            doctor_ok(doctor, "none yet");
        else
            doctor_fail_with(doctor, &err, fix_of(&err));
        return;
    }
    if (run.ended_us != 0 && run.exit_code == EXIT_OK)
        doctor_ok(doctor, "%" PRId64 " %s, ended well %s ago", run.id, run.verb,
                  age_of(doctor, run.ended_us));
    else if (run.ended_us != 0)
        doctor_warn(doctor, "frostline status tells what is left",
                    "%" PRId64 " %s, ended %s ago with exit code %d", run.id, run.verb,
                    age_of(doctor, run.ended_us), run.exit_code);
    else if (is_locked(doctor))
        doctor_ok(doctor, "%" PRId64 " %s, under way for %s", run.id, run.verb,
                  age_of(doctor, run.started_us));
    else
        doctor_warn(doctor, "the same command goes on where it stood",
                    "%" PRId64 " %s, begun %s ago, was ended before its time", run.id, run.verb,
                    age_of(doctor, run.started_us));
}
