/* planner.h: policies, catalog and journal become a plan, in three streaming passes:
 *
 *   decide   every row once, in directory order; directories with a row that some policy selects
 *            go to a spool
 *   judge    spellings, nesting, conflicts, open units, collisions, guards
 *   survey   what the directories that are left really hold
 *
 * Pure but for the spool and the plan file: the same input gives the same bytes.                 */
#ifndef PLANNER_PLANNER_H
#define PLANNER_PLANNER_H

#include "planner/plan.h"
#include "planner/plan_file.h"
#include "planner/survey.h"

struct journal;

#define PLANNER_SPELLINGS_MAX 100000 /* directories meant by second spellings */
#define PLANNER_ROWS_MAX 50000       /* of one directory: more do not move together, nor do  */
#define PLANNER_ROWS_BYTES_MAX (8u << 20) /* rows that take more bytes in a line of the plan */

/* The tier to which a directory was last brought; DEFAULT: nobody knows. */
typedef bool planner_tier(void *context, const char *url, enum access_tier *tier, struct err *err);

/* A listing saw all of the directory at another tier than that. */
typedef bool planner_see(void *context, const char *url, enum access_tier tier, struct err *err);

struct planner_request {
    struct policies            *policies; /* bound and prepared */
    struct catalog             *catalog;
    const struct catalog_shape *shape;
    struct journal             *journal; /* NULL: there is none yet  */
    struct survey              *survey;  /* NULL: catalog sizes only */
    planner_tier               *tier;    /* asked only of places that stores share; NULL: never */
    planner_see                *see;     /* NULL: nobody writes it down */
    void                       *tier_context; /* of both */
    const char                 *spool_folder; /* for unnamed temporary files */
    const char                 *path;         /* of the plan                 */
    struct plan_made            made;
    bool                        simulation;
    const char                 *request; /* that the policies were loaded with; NULL: none.  Then
                                          * neither reaps nor repairs are planned             */
    /* Told now and then, may be NULL: rows read, directories surveyed of how many. */
    void (*progress)(void *context, uint64_t rows, uint64_t surveyed, uint64_t to_survey);
    void *progress_context;
};

/* The plan stands at request->path.  *summary lives in the arena.  ERR_INPUT: a min_recordings
 * guard fired, or too many second spellings; nothing was written then.  ERR_BUSY, ERR_DENIED:
 * catalog or journal; ERR_CANCELLED.  A policy whose guard fails plans nothing and is marked in its
 * funnel; the caller exits 5.                                                                    */
MUST_USE bool planner_run(const struct planner_request *request, struct arena *arena,
                          struct plan_summary *summary, char digest[PLAN_DIGEST_MAX],
                          struct err *err);
/* A plan that sends back what that run cut over and has not begun to delete; nothing of the catalog
 * is read for it.  *others: how many more units it cut over, which can't go back that way. */
MUST_USE bool planner_rollback(const struct planner_request *request, int64_t run,
                               struct arena *arena, struct plan_summary *summary, uint64_t *others,
                               char digest[PLAN_DIGEST_MAX], struct err *err);
/* Two plans of what one snapshot of their one catalog shows.  False as above, but the first plan
 * may stand at its path then.                                                                    */
MUST_USE bool planner_run_both(const struct planner_request requests[2], struct arena *arena,
                               struct err *err);
#endif
