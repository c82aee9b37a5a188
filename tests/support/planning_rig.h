/* planning_rig.h: a policy from a text, a catalog in memory, a survey that answers as it was
 * told, a real journal: all that a plan is made of, and the plan read back through its file. */
#ifndef TESTS_SUPPORT_PLANNING_RIG_H
#define TESTS_SUPPORT_PLANNING_RIG_H

#include "base/arena.h"
#include "base/clock.h"
#include "planner/planner.h"
#include "state/catalog_memory.h"
#include "state/journal.h"

#define RIG_AS_OF "2025-06-01T00:00:00Z"
#define RIG_DAY_US (INT64_C(86400) * 1000000)

/* Four local stores (hot, warm, cold, archive at file:///srv/NAME/) and the fields map and valid,
 * and what further lines say of the catalog; what follows is the policies.                       */
#define RIG_HEAD_WITH(further)                                                                     \
    "version: 1\n"                                                                                 \
    "catalog:\n"                                                                                   \
    "  type: sqlite\n"                                                                             \
    "  path: /srv/catalog.db\n"                                                                    \
    "  table: ecal\n"                                                                              \
    "  id: id\n"                                                                                   \
    "  location: url\n"                                                                            \
    "  time: {column: recorded, timezone: UTC}\n"                                                  \
    "  size: {column: bytes, unit: B}\n"                                                           \
    "  fields: {map: map, valid: valid}\n" further                                                 \
    "stores:\n"                                                                                    \
    "  hot: {type: local, path: /srv/hot}\n"                                                       \
    "  warm: {type: local, path: /srv/warm}\n"                                                     \
    "  cold: {type: local, path: /srv/cold}\n"                                                     \
    "  archive: {type: local, path: /srv/archive}\n"
#define RIG_HEAD RIG_HEAD_WITH("")
#define RIG_OBJECTS RIG_HEAD_WITH("  unit: object\n")
#define RIG_POLICY                                                                                 \
    "policies:\n"                                                                                  \
    "  - name: age-out\n"                                                                          \
    "    from: hot\n"                                                                              \
    "    target: cold\n"                                                                           \
    "    select: {older_than: 90d}\n"
#define RIG_AGE_OUT RIG_HEAD RIG_POLICY
enum { RIG_HOT, RIG_WARM, RIG_COLD, RIG_ARCHIVE };

/* What the survey says of one directory or object; all other directories hold what their rows say
 * and one object more, all objects are there, of 1000 bytes each.                                */
struct rig_found {
    const char *directory; /* "hot:a/", "hot:a/f" */
    uint64_t    objects, bytes, irregular, archived;
    enum access_tier tier; /* of all of them */
    const char *missing; /* a name that is not there, NULL: none */
    const char *failure; /* of the listing                       */
};
struct rig_survey {
    struct survey           survey;
    const struct rig_found *found;
    size_t                  found_count;
    uint64_t                batches, directories;
    bool                    cancels;
};

struct planning_rig {
    char                   folder[64], path[128];
    struct arena           arena;
    struct clock_fake      clock;
    struct diags           diags;
    struct policies       *policies;
    struct catalog_memory *rows;
    struct catalog_shape   shape;
    struct rig_survey      survey;
    struct journal        *journal;
    struct planner_request request;
    struct plan_summary    summary;
    struct plan_header     header;
    char                   digest[PLAN_DIGEST_MAX];
    struct plan_action   **actions;
    size_t                 action_count;
    struct err             err;
};
void rig_make(struct planning_rig *rig, const char *policy);
void rig_free(struct planning_rig *rig);
/* Another policy over the same rows. */
void rig_load(struct planning_rig *rig, const char *policy);

struct rig_row {
    const char *id;
    const char *at; /* "hot:a/f" for file:///srv/hot/a/f, or any text as it is */
    int         days; /* old; 0: 100; negative: no time       */
    int64_t     bytes; /* 0: 10; negative: unknown              */
    const char *map;  /* NULL: unknown                        */
};
void rig_put(struct planning_rig *rig, struct rig_row row);
#define ROW(rig, id_, at_, ...)                                                                   \
    rig_put((rig), (struct rig_row){.id = (id_), .at = (at_), __VA_ARGS__})
/* "hot:a/f" as a location. */
const char *rig_location(struct planning_rig *rig, const char *at);

/* A plan, read back; its actions are all in memory.  Fails the test unless it can be made. */
void rig_plan(struct planning_rig *rig);
/* False, and rig->err, if it can't be made; then no file may be there. */
bool rig_try_plan(struct planning_rig *rig);
/* The only action of "hot:a/"; NULL: there is none. */
const struct plan_action *rig_find(struct planning_rig *rig, const char *directory);
/* It is there, blocked for this reason, and the detail has this text. */
const struct plan_action *rig_blocked(struct planning_rig *rig, const char *directory,
                                      enum plan_reason reason, const char *detail);
void rig_moves(struct planning_rig *rig, const char *directory, const char *to);
const struct plan_funnel *rig_funnel(struct planning_rig *rig, const char *policy);
/* The bytes of the plan, in the arena. */
const char *rig_bytes(struct planning_rig *rig, size_t *size_bytes);

/* A unit of the journal from hot to cold in this state; its id.  It was cut over grace_us before
 * cleanup_at_us.                                                                                 */
int64_t rig_unit(struct planning_rig *rig, const char *source, const char *target,
                 enum unit_state state, int64_t cleanup_at_us, int64_t grace_us);
#endif
