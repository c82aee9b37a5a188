/* planning.h: from open wiring to a plan file. */
#ifndef ENGINE_PLANNING_H
#define ENGINE_PLANNING_H

#include "engine/wiring.h"
#include "planner/plan_file.h"

/* The policy is prepared for as_of, or for now if it is NULL; in the future it is a simulation. */
enum exit_code planning_prepare(struct wiring *wiring, const char *as_of, bool *simulation);
/* Policy, catalog, stores and journal (READ unless it is open) are open, and as_of is settled. */
enum exit_code planning_open(struct wiring *wiring, const char *policy, const char *as_of,
                             bool *simulation);
/* A planner_tier: what the journal of the wiring knows, if it has one. */
bool planning_tier(void *wiring, const char *url, enum access_tier *tier, struct err *err);
/* The plan stands at path.  survey false: the catalog's sizes are trusted. */
struct planned {
    struct plan_summary summary; /* in the wiring's arena */
    char digest[PLAN_DIGEST_MAX];
};
enum exit_code planning_make(struct wiring *wiring, const char *path, bool survey, bool simulation,
                             struct planned *planned);
/* The plan that sends back what a run has moved.  Tells of what can't go back; 3 if any. */
enum exit_code planning_rollback(struct wiring *wiring, const char *path, int64_t run,
                                 struct planned *planned);
/* The plans of two wirings, which are prepared for the same as_of, stand at the two paths.  The
 * catalog is read for both, in one snapshot, and so is the journal of the second one. */
enum exit_code planning_make_both(struct wiring *const wirings[2], struct catalog *catalog,
                                  const char *const paths[2], bool survey, bool simulation);
/* Read it back, checked.  Prints what is wrong. */
enum exit_code planning_read(const char *path, struct plan_reader **plan);
/* The policy of a plan stands where the plan says, seen from here or from beside the plan, or where
 * --policy says. */
const char *planning_policy(struct wiring *wiring, const struct plan_reader *plan,
                            const char *plan_path);
/* The last instant at which a plan that may be ttl_us old begins anything. */
int64_t planning_until(const struct plan_reader *plan, int64_t ttl_us);
/* Why the plan can't be applied, as far as the clock and its policy tell, which is read without its
 * secrets; NULL: that is not known. */
const char *planning_stale(struct wiring *wiring, const struct plan_reader *plan,
                           const char *plan_path);
/* 5 if a guard refuses, else 0. */
enum exit_code planning_guards(const struct plan_summary *summary);
/* A name for a plan that nobody asked to keep: in the state folder, made if needed. */
enum exit_code planning_scratch(struct wiring *wiring, const char **path);
/* Where the plan with this digest is kept for runs that resume it. */
const char *planning_kept_path(struct wiring *wiring, const char *digest);
#endif
