/* revision.h: files as a revision of a git repository has them, whatever the work tree holds. */
#ifndef ENGINE_REVISION_H
#define ENGINE_REVISION_H

#include "policy/policy.h"

struct revision {
    const char *name;   /* "main", as it was given                                  */
    const char *commit; /* its id: the name may come to mean another one meanwhile   */
    const char *top;    /* of the work tree, absolute, without symbolic links        */
    const char *folder; /* of the policy: where git is run                           */
};

/* policy_path: of the root policy, as it will be read.  ERR_INPUT: there is no git, no repository
 * at that place, or no such revision in it.                                                      */
MUST_USE bool revision_find(const char *name, const char *policy_path, struct arena *arena,
                            struct revision *revision, struct err *err);
/* A policy_read whose context is the revision.  What an absolute path names outside the work tree
 * is read from the disk, as it is no part of any revision.  ERR_INPUT: the revision has no such
 * file.
 */
bool revision_read(void *context, const char *path, size_t limit_bytes, struct arena *arena,
                   char **bytes, size_t *size_bytes, struct err *err);
#endif
