#include "base/str.h"
#include "engine/doctor.h"
#include "engine/text.h"

/* -- reaching it ------------------------------------------------------------------------------- */

static const char *fix_of(const struct err *err)
{
    switch (err->kind) {
    case ERR_DENIED:
        return "check user and password, and that the server lets them in from here";
    case ERR_MISSING:
        return "check the name of the database, or the path of the file";
    case ERR_BUSY:
        return "check host and port, and that the server runs";
    default:
        return "check `connection` of the policy's catalog";
    }
}

void doctor_catalog_reach(struct doctor *doctor)
{
    struct wiring *wiring = doctor->wiring;
    struct err err;
    if (!wiring_describe(wiring, &err) ||
        !wiring->catalog->ops->examine(wiring->catalog, &wiring->arena, &doctor->health, &err)) {
        doctor_fail_with(doctor, &err, fix_of(&err));
        return;
    }
    doctor->facts |= DOCTOR_CATALOG;
    doctor_ok(doctor, "%s", doctor->health.server);
}

/* A file is read without a connection. */
static bool is_server(const struct doctor *doctor)
{
    return doctor->wiring->policies->catalog.type == CATALOG_POSTGRES;
}

void doctor_catalog_encrypted(struct doctor *doctor)
{
    const struct catalog_health *health = &doctor->health;
    if (!is_server(doctor))
        return;
    if (health->encrypted != NULL)
        doctor_ok(doctor, "%s", health->encrypted);
    else if (health->is_exposed)
        doctor_warn(doctor, "sslmode: verify-full, in `connection` of the policy's catalog",
                    "rows and password cross the network in the clear");
    else
        doctor_ok(doctor, "no, and nothing leaves this machine");
}

void doctor_catalog_primary(struct doctor *doctor)
{
    if (!is_server(doctor))
        return;
    if (doctor->health.is_standby)
        doctor_fail(doctor, EXIT_TEMPORARY, "connect to the primary, or name all hosts",
                    "the server is a standby: a plan can be made, but not carried out");
    else
        doctor_ok(doctor, "the server is no standby");
}

/* -- what it is like --------------------------------------------------------------------------- */

/* What is wrong with the table of recordings itself, with its key, or with anything else. */
enum subject { SUBJECT_TABLE, SUBJECT_KEY, SUBJECT_COLUMNS };

static enum subject subject_of(const struct catalog_flaw *flaw)
{
    if (flaw->part == CATALOG_TABLE)
        return SUBJECT_TABLE;
    return flaw->kind == CATALOG_FLAW_KEY ? SUBJECT_KEY : SUBJECT_COLUMNS;
}

/* All flaws of a subject in one line, with what was likely meant.  NULL: there are none. */
static const char *flaws_of(struct doctor *doctor, enum subject subject, const char **fix)
{
    const struct catalog_shape *shape = &doctor->wiring->shape;
    struct arena *arena = &doctor->wiring->arena;
    const char *text = NULL, *meant = NULL;
    for (size_t i = 0; i < shape->flaw_count; i++) {
        const struct catalog_flaw *flaw = &shape->flaws[i];
        if (subject_of(flaw) != subject)
            continue;
        text = text != NULL ? str_format(arena, "%s; %s", text, flaw->text) : flaw->text;
        if (flaw->nearest != NULL)
            meant = meant != NULL ? str_format(arena, "%s, %s", meant, flaw->nearest)
                                  : str_format(arena, "did you mean %s", flaw->nearest);
    }
    if (meant != NULL)
        *fix = str_format(arena, "%s?", meant);
    return text;
}

void doctor_catalog_table(struct doctor *doctor)
{
    const char *fix = "name the table as the database does, with its schema";
    const char *text = flaws_of(doctor, SUBJECT_TABLE, &fix);
    if (text != NULL) {
        doctor_fail(doctor, EXIT_INVALID, fix, "%s", text);
        return;
    }
    doctor->facts |= DOCTOR_TABLE;
    doctor_ok(doctor, "%s", doctor->wiring->policies->catalog.table);
}

/* Whether the policy can compare its fields is told by binding it. */
static void tell_columns(struct doctor *doctor)
{
    struct wiring *wiring = doctor->wiring;
    size_t errors = wiring->diags.errors, from = wiring->diags.count;
    bool bound = policy_bind(wiring->policies, &wiring->shape, &wiring->diags);
    while (from < wiring->diags.count && wiring->diags.items[from].severity != DIAG_ERROR)
        from++;
    if (!bound && from < wiring->diags.count) {
        doctor_fail(doctor, EXIT_INVALID, "frostline validate --online tells more", "%s",
                    wiring->diags.items[from].text);
        return;
    }
    if (!bound || wiring->diags.errors > errors) {
        doctor_fail(doctor, EXIT_INVALID, "frostline validate --online tells more",
                    "the policy does not fit them");
        return;
    }
    doctor->facts |= wiring->shape.flaw_count == 0 ? DOCTOR_COLUMNS : 0;
    doctor_ok(doctor, "there, and of types that fit");
}

void doctor_catalog_columns(struct doctor *doctor)
{
    const char *fix = "name them as the database does";
    const char *text = flaws_of(doctor, SUBJECT_COLUMNS, &fix);
    const char *ignored, *key = flaws_of(doctor, SUBJECT_KEY, &ignored);
    if (text != NULL)
        doctor_fail(doctor, EXIT_INVALID, fix, "%s", text);
    else if (key != NULL)
        doctor_ok(doctor, "there");
    else
        tell_columns(doctor);
}

void doctor_catalog_key(struct doctor *doctor)
{
    const struct catalog_config *config = &doctor->wiring->policies->catalog;
    const char *fix = catalog_key_statement(config, &doctor->wiring->arena);
    const char *text = flaws_of(doctor, SUBJECT_KEY, &fix);
    if (text != NULL)
        doctor_fail(doctor, EXIT_INVALID, fix, "%s", text);
    else if (doctor->facts & DOCTOR_COLUMNS)
        doctor_ok(doctor, "%s names one row", config->id);
    else
        doctor_skip(doctor, "the columns are not as the policy has them");
}

void doctor_catalog_index(struct doctor *doctor)
{
    const struct catalog_shape *shape = &doctor->wiring->shape;
    if (shape->location_indexed)
        doctor_ok(doctor, "a cut-over finds its rows by the location");
    else if (shape->index_statement == NULL)
        doctor_skip(doctor, "the columns are not as the policy has them");
    else
        doctor_warn(doctor, shape->index_statement,
                    "no index on %s is in the order of bytes: each cut-over scans the table",
                    doctor->wiring->policies->catalog.location);
}

/* -- what may be done with it ------------------------------------------------------------------ */

void doctor_catalog_read(struct doctor *doctor)
{
    const struct catalog_health *health = &doctor->health;
    if (health->no_read != NULL) {
        doctor_fail(doctor, EXIT_AUTH, health->mend_read, "%s", health->no_read);
        return;
    }
    doctor->facts |= DOCTOR_ROWS;
    doctor_ok(doctor, "all that the policy asks for");
}

void doctor_catalog_rows(struct doctor *doctor)
{
    uint64_t rows = doctor->health.rows;
    if (rows > CATALOG_COUNTED_MAX)
        doctor_ok(doctor, "more than %s", text_count(CATALOG_COUNTED_MAX));
    else
        doctor_ok(doctor, "%s", text_count(rows));
}

void doctor_catalog_write(struct doctor *doctor)
{
    const struct catalog_health *health = &doctor->health;
    if (health->no_write != NULL)
        doctor_fail(doctor, EXIT_AUTH, health->mend_write, "%s", health->no_write);
    else
        doctor_ok(doctor, "all that a cut-over sets");
}
