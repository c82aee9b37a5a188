#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/str.h"
#include "engine/cmd.h"
#include "engine/doctor.h"
#include "engine/signals.h"

#define TEXT_BYTES_MAX ((size_t)16 << 20)

/* Each with what it needs itself. */
#define POLICY DOCTOR_POLICY
#define CATALOG (POLICY | DOCTOR_CATALOG)
#define TABLE (CATALOG | DOCTOR_TABLE)
#define COLUMNS (TABLE | DOCTOR_COLUMNS)
#define ROWS (COLUMNS | DOCTOR_ROWS)
#define STATE DOCTOR_STATE
#define JOURNAL (STATE | DOCTOR_JOURNAL)

static const struct doctor_check checks[] = {
    {"environment", "variables", 0, doctor_environment_variables},
    {"environment", "time zones", 0, doctor_environment_zones},
    {"environment", "locale", 0, doctor_environment_locale},
    {"environment", "open files", 0, doctor_environment_files},
    {"environment", "libraries", 0, doctor_environment_libraries},
    {"policy", "reads", 0, doctor_policy_read},
    {"policy", "warnings", POLICY, doctor_policy_warnings},
    {"catalog", "reachable", POLICY, doctor_catalog_reach},
    {"catalog", "encrypted", CATALOG, doctor_catalog_encrypted},
    {"catalog", "primary", CATALOG, doctor_catalog_primary},
    {"catalog", "table", CATALOG, doctor_catalog_table},
    {"catalog", "columns", TABLE, doctor_catalog_columns},
    {"catalog", "key", TABLE, doctor_catalog_key},
    {"catalog", "index", TABLE, doctor_catalog_index},
    {"catalog", "read", COLUMNS, doctor_catalog_read},
    {"catalog", "rows", ROWS, doctor_catalog_rows},
    {"catalog", "write", COLUMNS, doctor_catalog_write},
    {"store", "all", POLICY, doctor_store_all},
    {"state", "folder", 0, doctor_state_folder},
    {"state", "space", STATE, doctor_state_space},
    {"state", "lock", STATE, doctor_state_lock},
    {"state", "journal", STATE, doctor_state_journal},
    {"state", "last run", JOURNAL, doctor_state_run},
};
#define CHECK_COUNT (sizeof checks / sizeof checks[0])

/* Why a check that needs it can't be made; the first that is lacking says most. */
static const char *lacking(const struct doctor *doctor, unsigned facts)
{
    static const char *const texts[] = {"there is no policy that can be used",
                                        "the catalog was not reached",
                                        "the table was not found",
                                        "the columns are not as the policy has them",
                                        "the rows may not be read",
                                        "the state folder can't be looked into",
                                        "there is no journal"};
    size_t i = 0;
    while (!(facts & (1u << i)))
        i++;
    return i == 0 && !doctor->has_policy_file ? "there is no policy" : texts[i];
}

static void look(struct doctor *doctor, const struct doctor_check *check)
{
    unsigned missing = check->needs & ~doctor->facts;
    doctor->check = check;
    if (check->look == doctor_environment_libraries && doctor->wiring->options->verbose == 0)
        return;
    if (missing != 0)
        doctor_skip(doctor, "%s", lacking(doctor, missing));
    else
        check->look(doctor);
}

/* Without a name and a file there is none, which is no fault: the wizard needs none. */
static void read_policy(struct doctor *doctor)
{
    struct wiring *wiring = doctor->wiring;
    const char *path = wiring->options->args[0];
    struct err err = {0};
    wiring->env = doctor_environment_get;
    wiring->env_context = doctor;
    bool read = wiring_read(wiring, path, &err);
    doctor->has_policy_file = read || path != NULL || err.kind != ERR_MISSING;
    if (!read && doctor->has_policy_file)
        doctor->policy_err = err;
}

static void print(struct buf *text)
{
    fputs(buf_string(text), stdout);
    fflush(stdout);
    buf_reset(text);
}

/* People see a group when it is complete: the next one may have to wait for a server. */
static void look_at_all(struct doctor *doctor)
{
    const struct options *options = doctor->wiring->options;
    bool for_people = options->format == FORMAT_HUMAN;
    struct buf text;
    buf_init(&text, TEXT_BYTES_MAX);
    for (size_t i = 0, shown = 0; i < CHECK_COUNT && signals_exit() == EXIT_OK; i++) {
        look(doctor, &checks[i]);
        bool is_last = i + 1 == CHECK_COUNT || !str_equal(checks[i].group, checks[i + 1].group);
        if (!for_people || !is_last)
            continue;
        findings_show(&doctor->findings, shown, options->quiet, &text);
        print(&text);
        shown = doctor->findings.count;
    }
    bool is_whole = signals_exit() == EXIT_OK; /* half of it would read as if it were all */
    if (is_whole && for_people)
        findings_count(&doctor->findings, options->quiet, &text);
    else if (is_whole)
        findings_json(&doctor->findings, &text);
    print(&text);
    buf_free(&text);
}

int cmd_doctor(const struct options *options)
{
    struct wiring wiring;
    struct doctor *doctor = calloc(1, sizeof *doctor);
    if (doctor == NULL)
        err_abort("out of memory");
    wiring_init(&wiring, options);
    doctor->wiring = &wiring;
    findings_init(&doctor->findings, &wiring.arena);
    read_policy(doctor);
    look_at_all(doctor);
    enum exit_code code = findings_exit(&doctor->findings);
    if (signals_exit() != EXIT_OK)
        code = signals_exit();
    free(doctor);
    wiring_close(&wiring);
    return code;
}
