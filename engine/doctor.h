/* doctor.h: the checks of the doctor.  cmd_doctor.c has them in a table and calls each; a check
 * says what it found with one of the functions below, once. */
#ifndef ENGINE_DOCTOR_H
#define ENGINE_DOCTOR_H

#include "engine/findings.h"
#include "engine/wiring.h"
#include "executor/trial.h"

/* What one check finds out and others need. */
enum doctor_fact {
    DOCTOR_POLICY = 1 << 0,  /* there is one, without errors */
    DOCTOR_CATALOG = 1 << 1, /* it was reached */
    DOCTOR_TABLE = 1 << 2,   /* the table was found */
    DOCTOR_COLUMNS = 1 << 3, /* and is as the policy has it */
    DOCTOR_ROWS = 1 << 4,    /* and may be read */
    DOCTOR_STATE = 1 << 5,   /* the state folder, or where it will be, can be looked into */
    DOCTOR_JOURNAL = 1 << 6  /* and a journal in it, which can be read */
};

#define DOCTOR_VARIABLES_MAX 512

/* A variable of the environment that the policy asked for. */
struct doctor_variable {
    const char *name;
    bool is_set;
};

struct doctor;
struct doctor_check {
    const char *group, *name;
    unsigned needs; /* of enum doctor_fact */
    void (*look)(struct doctor *);
};

struct doctor {
    struct wiring *wiring;
    struct findings findings;
    const struct doctor_check *check; /* that is being made */
    const char *subject;              /* of it: a store; NULL: none */
    unsigned facts;
    bool has_policy_file;
    struct err policy_err; /* the policy can't be read at all */
    struct doctor_variable variables[DOCTOR_VARIABLES_MAX];
    size_t variable_count;
    struct catalog_health health;
};

void doctor_ok(struct doctor *doctor, const char *fmt, ...) PRINTF(2, 3);
void doctor_skip(struct doctor *doctor, const char *fmt, ...) PRINTF(2, 3);
/* fix: what to do; NULL: none. */
void doctor_warn(struct doctor *doctor, const char *fix, const char *fmt, ...) PRINTF(3, 4);
void doctor_fail(struct doctor *doctor, enum exit_code code, const char *fix, const char *fmt, ...)
    PRINTF(4, 5);
/* The fix is the hint of err, if it has one. */
void doctor_fail_with(struct doctor *doctor, const struct err *err, const char *fix);

/* Remembers what is asked for: a policy_env, of the doctor. */
const char *doctor_environment_get(void *doctor, const char *name);

void doctor_environment_variables(struct doctor *doctor);
void doctor_environment_zones(struct doctor *doctor);
void doctor_environment_locale(struct doctor *doctor);
void doctor_environment_files(struct doctor *doctor);
void doctor_environment_libraries(struct doctor *doctor); /* with -v */

void doctor_policy_read(struct doctor *doctor);
void doctor_policy_warnings(struct doctor *doctor);

void doctor_catalog_reach(struct doctor *doctor);
void doctor_catalog_encrypted(struct doctor *doctor);
void doctor_catalog_primary(struct doctor *doctor);
void doctor_catalog_table(struct doctor *doctor);
void doctor_catalog_columns(struct doctor *doctor);
void doctor_catalog_key(struct doctor *doctor);
void doctor_catalog_index(struct doctor *doctor);
void doctor_catalog_read(struct doctor *doctor);
void doctor_catalog_rows(struct doctor *doctor);
void doctor_catalog_write(struct doctor *doctor);

/* All of them, each with checks of its own. */
void doctor_store_all(struct doctor *doctor);
/* What came of one store's trial; trials: of all stores.  Pure. */
void doctor_store_tell(struct doctor *doctor, const struct trial *trials, size_t index);

void doctor_state_folder(struct doctor *doctor);
void doctor_state_space(struct doctor *doctor);
void doctor_state_lock(struct doctor *doctor);
void doctor_state_journal(struct doctor *doctor);
void doctor_state_run(struct doctor *doctor);
#endif
