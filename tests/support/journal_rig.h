/* journal_rig.h: a journal in a scratch folder, and units that are quickly begun.  Whatever fails
 * here fails the test. */
#ifndef TESTS_SUPPORT_JOURNAL_RIG_H
#define TESTS_SUPPORT_JOURNAL_RIG_H

#include "base/arena.h"
#include "base/clock.h"
#include "state/journal.h"

#define JOURNAL_RIG_NOW_US INT64_C(1748736000000000)
#define HOT "https://hot.example/box/"
#define COLD "https://cold.example/box/"

struct journal_rig {
    char              folder[256], path[300];
    struct clock_fake clock; /* begins at JOURNAL_RIG_NOW_US */
    struct arena      arena;
    struct journal   *journal; /* NULL: not open */
    int64_t           run;
    struct err        err; /* of the last call that failed */
};
/* For cmocka: *state is a struct journal_rig in an empty folder, and is gone again. */
int journal_rig_setup(void **state);
int journal_rig_teardown(void **state);

/* Fails the test with the rig's error. */
#define MUST(call)                                                                                 \
    do {                                                                                           \
        if (!(call))                                                                               \
            fail_msg("%s: %s", #call, rig->err.text);                                              \
    } while (0)

void journal_rig_open(struct journal_rig *rig);
/* Opens, and begins a run of the plan "sha256:aa". */
void journal_rig_open_run(struct journal_rig *rig);
void journal_rig_close(struct journal_rig *rig);

/* A unit of the run in COPYING: 1 row, 2 objects, 30 bytes, policy "age-out". */
struct journal_new journal_rig_new(const struct journal_rig *rig, const char *source,
                                   const char *target);
/* Begins it; its id, or minus the id of the unit in its way. */
int64_t journal_rig_begin(struct journal_rig *rig, const char *source, const char *target);
/* Begins it with the objects "a" of 1 byte and "b" of 2. */
int64_t journal_rig_begin_facts(struct journal_rig *rig, const char *source, const char *target);
struct object_fact journal_rig_fact(const char *key, uint64_t bytes);
/* The target side of one object: proven. */
void journal_rig_save_target(struct journal_rig *rig, int64_t unit, const char *key,
                             const char *etag, bool created);
void journal_rig_save(struct journal_rig *rig, int64_t id, enum unit_state state,
                      enum unit_reason reason, bool durable);

/* What a visit saw. */
struct journal_rig_seen {
    struct arena       *arena;
    struct journal     *journal; /* asked by the visitor, to show that it may be */
    struct journal_unit items[64];
    size_t              count;
};
void journal_rig_see(struct journal_rig *rig, const struct journal_filter *filter,
                     struct journal_rig_seen *seen);
struct journal_unit journal_rig_unit(struct journal_rig *rig, int64_t id);
size_t journal_rig_count_events(struct journal_rig *rig, int64_t unit);
#endif
