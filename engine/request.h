/* request.h: what the command line asks for besides the policy, as the request that stands in a
 * plan (policy_source.request). */
#ifndef ENGINE_REQUEST_H
#define ENGINE_REQUEST_H

#include "engine/wiring.h"

#define REQUEST_MANUAL "manual" /* the policy of --to */
#define REQUEST_RESTORE "restore"

/* wiring->request becomes what --select, --exclude, --to, --grace and --keep-source ask for; none
 * of them: it stays NULL.  The journal, if states are asked for, is opened to read unless it is
 * open.  Prints what is wrong. */
enum exit_code request_make(struct wiring *wiring);
/* wiring->request becomes the words, and what --exclude says; it stays NULL if that is nothing.  Of
 * words that are ids alone, wiring->ids has them. */
enum exit_code request_narrow(struct wiring *wiring, const char *const *words, size_t count);
/* wiring->request becomes a policy of this name that moves the words to the target, or nothing if
 * the words select nothing.  --exclude, --grace and --keep-source hold for it too. */
enum exit_code request_policy(struct wiring *wiring, const char *name, const char *target,
                              const char *const *words, size_t count);
#endif
