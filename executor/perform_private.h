/* perform_private.h: what the files of perform share.  Each function gives every task its event, or
 * adds to the one that it has. */
#ifndef EXECUTOR_PERFORM_PRIVATE_H
#define EXECUTOR_PERFORM_PRIVATE_H

#include "executor/perform.h"

/* Some tasks of a cohort that do the same thing. */
struct crew {
    struct cohort *cohort;
    struct task *const *tasks;
    size_t count;
};

void perform_begin_event(const struct crew *crew, enum event_kind kind);
/* The task's event is that this failed. */
void perform_fail(struct task *task, const struct err *err);
bool perform_has_failed(const struct task *task);
/* What a report names if the unit ends here: the first that was met.  `what` follows the key. */
void perform_blame(struct task *task, const char *key, const char *what);
/* The whole key of a fact, the same in both stores; in the scratch arena. */
const char *perform_key(struct cohort *cohort, const struct task *task,
                        const struct object_fact *fact);
/* A clock of store or catalog was seen. */
void perform_note_clock(const struct cohort *cohort, struct task *task, int64_t server_us);
/* The task's manifest is in memory; else the task has failed. */
bool perform_load(struct cohort *cohort, struct task *task);
/* How many rows stand where; else the task has failed. */
bool perform_rows(struct cohort *cohort, struct task *task, bool lock, struct catalog_sight *sight);
/* Some row, of the catalog or of a reference, points at or below the task's target, or nobody can
 * tell: nothing that a row points at is ever cleaned up. */
bool perform_has_rows_at_target(struct cohort *cohort, const struct task *task);

/* perform_list.c */
void perform_manifest(const struct crew *crew);
void perform_look_source(const struct crew *crew);
void perform_look_target(const struct crew *crew);
/* perform_copy.c */
MUST_USE bool perform_copy(const struct crew *crew, struct err *err);
void perform_abort(const struct crew *crew);
/* What was known of a target that is gone. */
void perform_forget_target(struct object_fact *fact);
void perform_count_copied(const struct crew *crew, uint64_t bytes);
void perform_tier(const struct crew *crew);
void perform_delete(const struct crew *crew);
/* perform_compare.c */
MUST_USE bool perform_read_back(const struct crew *crew, struct err *err);
#endif
