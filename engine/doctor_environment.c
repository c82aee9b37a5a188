#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>

#include "base/str.h"
#include "base/zone.h"
#include "engine/doctor.h"
#include "engine/text.h"
#include "executor/http/http.h"
#include "policy/diag_codes.h"

#define FILES_MIN 1024 /* sockets of as many requests as run at once, several times over */
#define A_ZONE "Europe/Berlin"

/* -- variables --------------------------------------------------------------------------------- */

/* The program that came before had these; those with a default are not missed. */
static const char *const script_variables[] = {"DB_HOST",
                                               "DB_NAME",
                                               "DB_USER",
                                               "DB_PASSWORD",
                                               "SOURCE_AZURE_CONNECTION_STRING",
                                               "COLD_STORAGE_CONNECTION_STRING",
                                               NULL};

static bool has_value(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0';
}

const char *doctor_environment_get(void *context, const char *name)
{
    struct doctor *doctor = context;
    size_t i = 0;
    while (i < doctor->variable_count && !str_equal(doctor->variables[i].name, name))
        i++;
    if (i == doctor->variable_count && i < DOCTOR_VARIABLES_MAX)
        doctor->variables[doctor->variable_count++] = (struct doctor_variable){
            str_copy(&doctor->wiring->arena, name, strlen(name)), has_value(name)};
    return getenv(name);
}

static const char *listed(struct arena *arena, const char *names, const char *name)
{
    return names[0] == '\0' ? name : str_format(arena, "%s %s", names, name);
}

/* Not set, and nothing stands for it: the policy is wrong without it. */
static bool is_missed(const struct doctor *doctor, const struct doctor_variable *variable)
{
    const struct diags *diags = &doctor->wiring->diags;
    const char *quoted = str_format(&doctor->wiring->arena, "`%s`", variable->name);
    bool missed = false;
    for (size_t i = 0; i < diags->count && !variable->is_set; i++)
        missed = missed || (diags->items[i].code == DIAG_ENV_MISSING &&
                            strstr(diags->items[i].text, quoted) != NULL);
    return missed;
}

static void look_for_scripts(struct doctor *doctor)
{
    struct arena *arena = &doctor->wiring->arena;
    const char *missing = "";
    size_t set = 0;
    for (size_t i = 0; script_variables[i] != NULL; i++) {
        if (has_value(script_variables[i]))
            set++;
        else
            missing = listed(arena, missing, script_variables[i]);
    }
    if (missing[0] == '\0')
        doctor_ok(doctor, "what the wizard needs is set; the next step: frostline wizard");
    else if (set > 0)
        doctor_fail(doctor, EXIT_INVALID, "export each of them; then frostline wizard",
                    "the wizard needs, and the environment has not: %s", missing);
    else
        doctor_warn(doctor, "name a policy file; or export these, and type frostline wizard",
                    "there is no policy, and nothing of what the wizard needs: %s", missing);
}

void doctor_environment_variables(struct doctor *doctor)
{
    struct arena *arena = &doctor->wiring->arena;
    const char *missing = "";
    size_t set = 0;
    if (!doctor->has_policy_file) {
        look_for_scripts(doctor);
        return;
    }
    for (size_t i = 0; i < doctor->variable_count; i++) {
        const struct doctor_variable *variable = &doctor->variables[i];
        set += variable->is_set;
        if (is_missed(doctor, variable))
            missing = listed(arena, missing, variable->name);
    }
    if (doctor->policy_err.kind != ERR_NONE)
        doctor_skip(doctor, "the policy was not read");
    else if (missing[0] != '\0')
        doctor_fail(doctor, EXIT_INVALID, "export each of them, or write ${NAME:-default}",
                    "the policy needs, and the environment has not: %s", missing);
    else if (set == 0)
        doctor_ok(doctor, "the policy asks for none");
    else
        doctor_ok(doctor, "all that the policy asks for: %s", text_count(set));
}

/* -- the machine ------------------------------------------------------------------------------- */

void doctor_environment_zones(struct doctor *doctor)
{
    const struct zone *zone;
    struct err err;
    if (zone_open(A_ZONE, &doctor->wiring->arena, &zone, &err))
        doctor_ok(doctor, "there is data of time zones");
    else
        doctor_warn(doctor, "install the package tzdata, or set TZDIR", "%s", err.text);
}

/* What decides which characters a terminal is sent; nothing here depends on it. */
void doctor_environment_locale(struct doctor *doctor)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    size_t i = 0;
    while (i < 2 && !has_value(names[i]))
        i++;
    const char *value = has_value(names[i]) ? getenv(names[i]) : "C";
    const char *dot = strchr(value, '.');
    if (dot != NULL && (strncasecmp(dot, ".utf-8", 6) == 0 || strncasecmp(dot, ".utf8", 5) == 0))
        doctor_ok(doctor, "%s", value);
    else
        doctor_warn(doctor, "export LC_ALL=C.UTF-8", "%s is not UTF-8: a terminal may garble names",
                    value);
}

void doctor_environment_files(struct doctor *doctor)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= FILES_MIN)
        doctor_ok(doctor, "enough may be open at once");
    else
        doctor_warn(doctor, "ulimit -n 4096, or LimitNOFILE=4096 of the unit of systemd",
                    "only %" PRIuMAX " may be open at once: many workers fail",
                    (uintmax_t)limit.rlim_cur);
}

void doctor_environment_libraries(struct doctor *doctor)
{
    doctor_ok(doctor, "%s; %s", catalog_libraries(&doctor->wiring->arena), http_libraries());
}
