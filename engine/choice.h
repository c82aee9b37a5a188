/* choice.h: which units of the journal a selection of the command line means. */
#ifndef ENGINE_CHOICE_H
#define ENGINE_CHOICE_H

#include "engine/options.h"
#include "engine/selection.h"
#include "state/journal.h"

struct choice {
    struct selection select, exclude;
    struct journal *journal;
    struct arena *arena; /* for what is looked up of one unit; it is taken back */
};

/* Of --select and --exclude.  ERR_INPUT: a word asks for what the journal does not know (a date, a
 * file). */
MUST_USE bool choice_read(struct choice *choice, const struct options *options, struct err *err);
/* By ids of its rows, the store that it comes from or goes to, its policy, and how it stands. */
MUST_USE bool choice_has(const struct choice *choice, const struct journal_unit *entry, bool *has,
                         struct err *err);
#endif
