/* cmd_apply.h: what verbs share that carry out a plan of their own making. */
#ifndef ENGINE_CMD_APPLY_H
#define ENGINE_CMD_APPLY_H

#include "engine/wiring.h"

/* The journal is open to write, and all that planning needs. */
enum exit_code cmd_apply_open(struct wiring *wiring, const char *policy);
/* The plan at scratch is kept under its digest, at *path. */
enum exit_code cmd_apply_keep(struct wiring *wiring, const char *scratch, const char *digest,
                              const char **path);
/* A plan that is kept is shown, approved and carried out. */
enum exit_code cmd_apply_kept(struct wiring *wiring, const char *path, bool must_ask,
                              bool reap_all);
#endif
