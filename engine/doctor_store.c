#include <inttypes.h>

#include "base/str.h"
#include "base/when.h"
#include "engine/doctor.h"
#include "engine/signals.h"
#include "engine/text.h"

#define SKEW_MAX_US                                                                                \
    (5 * 60 * WHEN_SECOND_US) /* a SAS that begins or ends so far off is refused                   \
                               */
#define READ_ONLY "--read-only"
#define NOTHING_WRITTEN "nothing could be written"

/* -- what an outcome is ------------------------------------------------------------------------ */

static enum exit_code code_of(const struct store_outcome *outcome)
{
    switch (outcome->result) {
    case RESULT_DENIED:
        return EXIT_AUTH;
    case RESULT_REFUSED:
    case RESULT_EXISTS:
        return EXIT_INVALID;
    case RESULT_CHANGED:
        return EXIT_INTEGRITY;
    default:
        return EXIT_TEMPORARY;
    }
}

/* "denied (403 AuthorizationPermissionMismatch)" */
static const char *text_of(struct doctor *doctor, const struct store_outcome *outcome)
{
    struct arena *arena = &doctor->wiring->arena;
    const char *name = store_result_name(outcome->result);
    if (outcome->status == 0)
        return name;
    return str_format(arena, "%s (%d %s)", name, outcome->status, outcome->code);
}

static const char *fix_for(const struct store_outcome *outcome, const char *right)
{
    return outcome->result == RESULT_DENIED ? right : "try again; if it stays so, ask who runs it";
}

/* Nobody's target need not take anything: but nothing can be restored to it. */
static bool is_target(const struct doctor *doctor, size_t index)
{
    const struct policies *policies = doctor->wiring->policies;
    size_t i = 0;
    while (i < policies->count && policies->items[i].target != index)
        i++;
    return i < policies->count;
}

/* -- one store --------------------------------------------------------------------------------- */

struct telling {
    struct doctor *doctor;
    const struct policy_store *definition;
    const struct trial *trial;
    bool is_target;
};

typedef void tell(const struct telling *telling);

static const char *fix_of(const struct telling *telling, const struct err *err)
{
    const struct policy_store *store = telling->definition;
    struct arena *arena = &telling->doctor->wiring->arena;
    if (err->kind == ERR_MISSING && store->type == STORE_LOCAL)
        return str_format(arena, "mkdir -p %s", store->path);
    if (err->kind == ERR_MISSING)
        return str_format(arena, "az storage container create --account-name %s --name %s",
                          store->connection.account, store->container);
    if (err->kind == ERR_BUSY)
        return "check its endpoint, and the network between";
    return store->type == STORE_LOCAL ? "let this user list and write the folder"
                                      : "check its connection string";
}

static void tell_reach(const struct telling *telling)
{
    const struct policy_store *store = telling->definition;
    const struct trial *trial = telling->trial;
    if (trial->listed.kind != ERR_NONE)
        doctor_fail_with(telling->doctor, &trial->listed, fix_of(telling, &trial->listed));
    else if (store->type == STORE_LOCAL)
        doctor_ok(telling->doctor, "the folder %s can be listed", store->path);
    else
        doctor_ok(telling->doctor, "the container %s at %s can be listed, by %s", store->container,
                  store->connection.endpoint, trial->protocol);
}

static void tell_clock(const struct telling *telling)
{
    const struct trial *trial = telling->trial;
    int64_t skew_s = trial->skew_us / WHEN_SECOND_US;
    if (!trial->has_clock)
        return;
    if (trial->skew_us > SKEW_MAX_US || trial->skew_us < -SKEW_MAX_US)
        doctor_warn(telling->doctor, "set this machine's clock: timedatectl set-ntp true",
                    "the service's is %" PRId64 " s %s: it refuses signatures from so far off",
                    skew_s < 0 ? -skew_s : skew_s, skew_s < 0 ? "behind" : "ahead");
    else
        doctor_ok(telling->doctor, "as the service's, give or take a few seconds");
}

/* Why what needs an object of our own was not tried; NULL: it was. */
static const char *untried(const struct telling *telling)
{
    if (telling->trial->read_only)
        return READ_ONLY;
    return telling->trial->put ? NULL : NOTHING_WRITTEN;
}

/* The first that was not made, of objects or copies. */
static void tell_outcome(const struct telling *telling, const struct store_outcome *outcome,
                         const char *right, const char *what)
{
    struct doctor *doctor = telling->doctor;
    if (telling->is_target)
        doctor_fail(doctor, code_of(outcome), fix_for(outcome, right), "%s: %s", what,
                    text_of(doctor, outcome));
    else
        doctor_warn(doctor, fix_for(outcome, right), "%s: %s; no policy moves anything there", what,
                    text_of(doctor, outcome));
}

static void tell_write(const struct telling *telling)
{
    const struct trial *trial = telling->trial;
    size_t i = 0;
    if (trial->read_only) {
        doctor_skip(telling->doctor, READ_ONLY);
        return;
    }
    while (i < TRIAL_OBJECTS && trial->puttings[i].outcome.result == RESULT_DONE)
        i++;
    if (i < TRIAL_OBJECTS)
        tell_outcome(telling, &trial->puttings[i].outcome,
                     "grant writing: of a SAS the rights create and write",
                     "making an object of its own");
    else
        doctor_ok(telling->doctor, "made objects of its own");
}

static void tell_read(const struct telling *telling)
{
    const struct store_outcome *outcome = &telling->trial->reading.outcome;
    if (untried(telling) != NULL)
        doctor_skip(telling->doctor, "%s", untried(telling));
    else if (outcome->result != RESULT_DONE)
        doctor_fail(telling->doctor, code_of(outcome),
                    fix_for(outcome, "grant reading: of a SAS the right read"),
                    "reading one of them: %s", text_of(telling->doctor, outcome));
    else
        doctor_ok(telling->doctor, "one of them holds what was written");
}

static void tell_delete(const struct telling *telling)
{
    const struct store_outcome *outcome = &telling->trial->alone.outcome;
    if (untried(telling) != NULL)
        doctor_skip(telling->doctor, "%s", untried(telling));
    else if (outcome->result != RESULT_DONE)
        doctor_fail(telling->doctor, code_of(outcome),
                    fix_for(outcome, "grant deleting: of a SAS the right delete"),
                    "deleting one of them: %s", text_of(telling->doctor, outcome));
    else
        doctor_ok(telling->doctor, "deleted one of them");
}

static void tell_batch(const struct telling *telling)
{
    const struct trial *trial = telling->trial;
    if (trial->store == NULL || !trial->store->ops->batches)
        return;
    size_t refused = trial->pair[0].outcome.result == RESULT_DONE;
    if (untried(telling) != NULL)
        doctor_skip(telling->doctor, "%s", untried(telling));
    else if (trial->alone.outcome.result != RESULT_DONE)
        doctor_skip(telling->doctor, "nothing could be deleted");
    else if (!trial->batched)
        doctor_fail(telling->doctor, code_of(&trial->pair[refused].outcome),
                    fix_for(&trial->pair[refused].outcome, "use a key, or a SAS of the account"),
                    "deleting two in one request: %s",
                    text_of(telling->doctor, &trial->pair[refused].outcome));
    else
        doctor_ok(telling->doctor, "deleted two in one request");
}

static void tell_copy(const struct telling *telling)
{
    const struct trial *trial = telling->trial;
    struct doctor *doctor = telling->doctor;
    const struct policy_store *stores = doctor->wiring->policies->stores;
    const char *from = NULL;
    if (untried(telling) != NULL) {
        doctor_skip(doctor, "%s", untried(telling));
        return;
    }
    for (size_t i = 0; i < trial->copy_count; i++) {
        const struct trial_copy *made = &trial->copies[i];
        const char *name = stores[made->source].name;
        if (made->copy.outcome.result != RESULT_DONE) {
            tell_outcome(telling, &made->copy.outcome,
                         "let this account read that one: by its key, or a SAS that may read",
                         str_format(&doctor->wiring->arena, "copying an object of %s", name));
            return;
        }
        from = from == NULL ? name : str_format(&doctor->wiring->arena, "%s, %s", from, name);
    }
    if (from != NULL)
        doctor_ok(doctor, "copied an object of %s", from);
    else
        doctor_skip(doctor, "no other store of its kind holds an object to copy");
}

static void tell_versions(const struct telling *telling)
{
    if (telling->trial->puttings[0].versioned)
        doctor_warn(telling->doctor, "a lifecycle rule that deletes versions",
                    "the account keeps versions: what is deleted is paid for as before");
}

static void tell_left(const struct telling *telling)
{
    if (telling->trial->left != NULL)
        doctor_warn(telling->doctor, "delete it", "may stay behind: %s", telling->trial->left);
}

static const struct {
    const char *name;
    bool needs_reach;
    tell *tell;
} checks[] = {
    {"reachable", false, tell_reach}, {"clock", false, tell_clock},
    {"write", true, tell_write},      {"read", true, tell_read},
    {"copy", true, tell_copy},        {"delete", true, tell_delete},
    {"batch", true, tell_batch},      {"versions", true, tell_versions},
    {"left", true, tell_left},
};

void doctor_store_tell(struct doctor *doctor, const struct trial *trials, size_t index)
{
    const struct policy_store *definition = &doctor->wiring->policies->stores[index];
    const struct telling telling = {.doctor = doctor,
                                    .definition = definition,
                                    .trial = &trials[index],
                                    .is_target = is_target(doctor, index)};
    const struct doctor_check *outer = doctor->check;
    bool reached = telling.trial->listed.kind == ERR_NONE;
    doctor->subject = definition->name;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        const struct doctor_check check = {.group = outer->group, .name = checks[i].name};
        bool can = reached || !checks[i].needs_reach;
        doctor->check = &check;
        if (can)
            checks[i].tell(&telling);
        else if (checks[i].tell != tell_versions && checks[i].tell != tell_left)
            doctor_skip(doctor, "the store was not reached");
    }
    doctor->subject = NULL;
    doctor->check = outer;
}

/* -- all of them ------------------------------------------------------------------------------- */

void doctor_store_all(struct doctor *doctor)
{
    struct wiring *wiring = doctor->wiring;
    size_t count = wiring->policies->store_count;
    struct trial *trials = arena_make(&wiring->arena, count * sizeof *trials);
    struct err err;
    if (!wiring_start_http(wiring, &err)) {
        doctor_fail_with(doctor, &err, "check FROSTLINE_CA_FILE");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        trials[i].read_only = wiring->options->read_only;
        if (wiring_open_store(wiring, i, &trials[i].listed))
            trials[i].store = wiring->stores[i];
    }
    trial_look(trials, count, wiring->clock, &wiring->arena, signals_stop());
    signals_cancel_with(NULL); /* from here on a signal must not keep objects from being deleted */
    trial_run(trials, count, &wiring->arena, signals_stop());
    for (size_t i = 0; i < count && signals_exit() == EXIT_OK; i++)
        doctor_store_tell(doctor, trials, i);
}
