/* wiring.h: names become adapters: the policy file, its catalog, its stores, the journal and its
 * lock, opened in that order and closed together. */
#ifndef ENGINE_WIRING_H
#define ENGINE_WIRING_H

#include "base/arena.h"
#include "engine/exit.h"
#include "engine/options.h"
#include "executor/store.h"
#include "policy/policy.h"
#include "state/catalog.h"
#include "state/journal.h"
#include "state/lock.h"

#define WIRING_POLICY "frostline.yaml" /* of a folder */

struct http;
struct revision;

struct wiring {
    struct arena arena;
    const struct options *options;
    struct clock *clock;
    const struct revision *revision; /* of the policy; NULL: the work tree's */
    policy_env *env;                 /* of the policy; the environment's own if nobody else's */
    void *env_context;
    const char *request; /* policies in place of the files' own; NULL: none */
    const char *const *ids; /* all that a request asks for, where it names nothing but ids */
    size_t id_count;
    const char *state_folder;
    struct diags diags;
    struct policies *policies;
    struct catalog *catalog;
    struct catalog_shape shape;
    struct http *http;
    struct store *stores[PLACE_MAX];
    struct journal *journal; /* NULL: there is none yet (reading) */
    bool writes_journal;
    struct lock lock;
};

void wiring_init(struct wiring *wiring, const struct options *options);
void wiring_close(struct wiring *wiring);

/* Each prints what is wrong and returns its exit code; EXIT_OK: done. */
/* The policy file that was named, or frostline.yaml here or in the named folder, is read; what is
 * wrong with it or to be warned of is in wiring->diags, and was not printed. */
enum exit_code wiring_parse(struct wiring *wiring, const char *path);
/* By its name, `.plan`, so that one that is empty or missing isn't read as a policy; or by its
 * beginning.  NULL is none. */
bool wiring_is_plan(const char *path);
/* The frostline.yaml of the named folder, or of this one if path is NULL; else path. */
const char *wiring_policy_path(struct wiring *wiring, const char *path);
/* Prints what is in wiring->diags; EXIT_INVALID if there are errors. */
enum exit_code wiring_tell(const struct wiring *wiring);
/* The policy was parsed and told, and has no errors. */
enum exit_code wiring_load(struct wiring *wiring, const char *path);
/* The policy is bound to a catalog of that shape. */
enum exit_code wiring_bind(struct wiring *wiring, const struct catalog_shape *shape);
/* The catalog is connected, described and bound to the policy. */
enum exit_code wiring_open_catalog(struct wiring *wiring);
/* What stores need to reach a service, unless it is there. */
enum exit_code wiring_open_http(struct wiring *wiring);
/* That, and every store. */
enum exit_code wiring_open_stores(struct wiring *wiring);
/* Where the journal is or would be. */
enum exit_code wiring_find_state(struct wiring *wiring);
/* WRITE takes the lock first; READ leaves wiring->journal NULL if there is none yet. */
enum exit_code wiring_open_journal(struct wiring *wiring, enum journal_mode mode);

/* These print nothing: the caller tells. */
/* As wiring_parse. */
MUST_USE bool wiring_read(struct wiring *wiring, const char *path, struct err *err);
/* As wiring_open_http. */
MUST_USE bool wiring_start_http(struct wiring *wiring, struct err *err);
/* The catalog is connected and described. */
MUST_USE bool wiring_describe(struct wiring *wiring, struct err *err);
/* wiring->state_folder, or false. */
bool wiring_has_state(struct wiring *wiring);
/* Once there is wiring_open_http. */
MUST_USE bool wiring_open_store(struct wiring *wiring, size_t index, struct err *err);
#endif
