#include "engine/doctor.h"
#include "engine/text.h"
#include "policy/diag_codes.h"

/* Missing variables are a check of their own. */
static const struct diag *first_error(const struct diags *diags, size_t *others)
{
    const struct diag *first = NULL;
    size_t count = 0;
    for (size_t i = 0; i < diags->count; i++) {
        const struct diag *diag = &diags->items[i];
        if (diag->severity != DIAG_ERROR || diag->code == DIAG_ENV_MISSING)
            continue;
        count++;
        first = first != NULL ? first : diag;
    }
    *others = count - (count > 0);
    return first;
}

static void tell_error(struct doctor *doctor, const struct diag *diag, size_t others)
{
    const struct diags *diags = &doctor->wiring->diags;
    const char *more = others > 0 ? text_plural(others, "more error") : "";
    doctor_fail(doctor, EXIT_INVALID, "frostline validate tells more", "%s:%u: %s%s%s",
                diags->files[diag->span.file].path, (unsigned)diag->span.line, diag->text,
                others > 0 ? "; and " : "", more);
}

void doctor_policy_read(struct doctor *doctor)
{
    const struct policies *policies = doctor->wiring->policies;
    size_t others;
    const struct diag *error = first_error(&doctor->wiring->diags, &others);
    if (!doctor->has_policy_file)
        doctor_skip(doctor, "there is no " WIRING_POLICY " here");
    else if (doctor->policy_err.kind != ERR_NONE)
        doctor_fail_with(doctor, &doctor->policy_err, "name a policy file that is there");
    else if (error != NULL)
        tell_error(doctor, error, others);
    else if (policies == NULL)
        doctor_skip(doctor, "variables are missing");
    else
        doctor_ok(doctor, "%s: %s, %s, %s", policies->path, text_plural(policies->count, "policy"),
                  text_plural(policies->store_count, "store"),
                  text_plural(policies->hold_count, "hold"));
    if (policies != NULL)
        doctor->facts |= DOCTOR_POLICY;
}

void doctor_policy_warnings(struct doctor *doctor)
{
    size_t warnings = doctor->wiring->diags.warnings;
    if (warnings > 0)
        doctor_warn(doctor, "frostline validate shows them", "%s",
                    text_plural(warnings, "warning"));
    else
        doctor_ok(doctor, "none");
}
