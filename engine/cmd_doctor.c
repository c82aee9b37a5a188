#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "engine/cmd.h"
#include "engine/doctor.h"
#include "engine/signals.h"

#define TEXT_BYTES_MAX ((size_t)16 << 20)

static const struct doctor_check checks[] = {
    {"environment", "variables", 0, doctor_environment_variables},
    {"environment", "time zones", 0, doctor_environment_zones},
    {"environment", "locale", 0, doctor_environment_locale},
    {"environment", "open files", 0, doctor_environment_files},
    {"environment", "libraries", 0, doctor_environment_libraries},
    {"policy", "reads", 0, doctor_policy_read},
    {"policy", "warnings", DOCTOR_POLICY, doctor_policy_warnings},
    {"catalog", "reachable", DOCTOR_POLICY, doctor_catalog_reach},
    {"catalog", "encrypted", DOCTOR_POLICY | DOCTOR_CATALOG, doctor_catalog_encrypted},
    {"catalog", "primary", DOCTOR_POLICY | DOCTOR_CATALOG, doctor_catalog_primary},
    {"catalog", "table", DOCTOR_POLICY | DOCTOR_CATALOG, doctor_catalog_table},
    {"catalog", "columns", DOCTOR_POLICY | DOCTOR_CATALOG | DOCTOR_TABLE, doctor_catalog_columns},
    {"catalog", "key", DOCTOR_POLICY | DOCTOR_CATALOG | DOCTOR_TABLE, doctor_catalog_key},
    {"catalog", "index", DOCTOR_POLICY | DOCTOR_CATALOG | DOCTOR_TABLE, doctor_catalog_index},
    {"catalog", "read", DOCTOR_POLICY | DOCTOR_CATALOG | DOCTOR_TABLE | DOCTOR_COLUMNS,
     doctor_catalog_read},
    {"catalog", "rows",
     DOCTOR_POLICY | DOCTOR_CATALOG | DOCTOR_TABLE | DOCTOR_COLUMNS | DOCTOR_ROWS,
     doctor_catalog_rows},
    {"catalog", "write", DOCTOR_POLICY | DOCTOR_CATALOG | DOCTOR_TABLE | DOCTOR_COLUMNS,
     doctor_catalog_write},
    {"store", "all", DOCTOR_POLICY, doctor_store_all},
    {"state", "folder", 0, doctor_state_folder},
    {"state", "space", DOCTOR_STATE, doctor_state_space},
    {"state", "lock", DOCTOR_STATE, doctor_state_lock},
    {"state", "journal", DOCTOR_STATE, doctor_state_journal},
    {"state", "last run", DOCTOR_STATE | DOCTOR_JOURNAL, doctor_state_run},
};

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

static void tell(const struct doctor *doctor)
{
    const struct options *options = doctor->wiring->options;
    struct buf text;
    buf_init(&text, TEXT_BYTES_MAX);
    if (options->format == FORMAT_JSON)
        findings_json(&doctor->findings, &text);
    else
        findings_show(&doctor->findings, options->quiet, &text);
    fputs(buf_string(&text), stdout);
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
    for (size_t i = 0; i < sizeof checks / sizeof checks[0] && signals_exit() == EXIT_OK; i++)
        look(doctor, &checks[i]);
    tell(doctor);
    enum exit_code code = findings_exit(&doctor->findings);
    if (signals_exit() != EXIT_OK)
        code = signals_exit();
    free(doctor);
    wiring_close(&wiring);
    return code;
}
