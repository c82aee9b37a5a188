/* cmd_apply.h: what verbs share that carry out a plan of their own making. */
#ifndef ENGINE_CMD_APPLY_H
#define ENGINE_CMD_APPLY_H

#include "engine/wiring.h"
#include "planner/plan_file.h"

/* The journal is open to write: how recordings stand, nobody else changes any more. */
enum exit_code cmd_apply_lock(struct wiring *wiring);
/* The same, and all that planning needs is open. */
enum exit_code cmd_apply_open(struct wiring *wiring, const char *policy);
/* The plan at scratch is kept under its digest, at *path. */
enum exit_code cmd_apply_keep(struct wiring *wiring, const char *scratch, const char *digest,
                              const char **path);
/* EXIT_OK: somebody approved it. */
typedef enum exit_code cmd_apply_approval(const struct options *options,
                                          const struct plan_reader *plan);
/* By --expect, --auto-approve, or whoever is asked. */
cmd_apply_approval cmd_apply_approve;
/* What has to be typed as approval: "yes", or the plan's short id where much would be deleted. */
#define CMD_APPLY_ANSWER_MAX 16
void cmd_apply_answer(const struct plan_reader *plan, char answer[CMD_APPLY_ANSWER_MAX]);
/* A plan that is kept is shown, approved (NULL: nobody is asked) and carried out. */
enum exit_code cmd_apply_kept(struct wiring *wiring, const char *path, cmd_apply_approval *approve,
                              bool reap_all);
#endif
