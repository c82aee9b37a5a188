/* wizard_find.h: what the wizard shows of the recordings that somebody chose. */
#ifndef ENGINE_WIZARD_FIND_H
#define ENGINE_WIZARD_FIND_H

#include "engine/wiring.h"

struct wizard_find {
    const struct options *options;
    const char *policy;
    const char *target;  /* a store */
    const char *account; /* the policy is that of the environment: what locations in the source
                          * account begin with, as place_meaning has it; else NULL */
};
/* What the word selects is counted and added up, and the first of it shown, on stderr; what is at
 * the target is counted apart, and so is what lies in no store.  With an account, containers of it
 * that the policy lacks were added to its file.  *found: there is something to migrate, and every
 * id is known. */
enum exit_code wizard_find_show(const struct wizard_find *find, const char *word, bool *found);
#endif
