/* selection.h: a selection as it is written on the command line, made the `select` of a policy or
 * of a request.
 *
 *   id:A,B            these ids; a word without a method is one too
 *   date:2025-02-14   that day; date:2025-02-01..2025-02-28 both days included, either left out
 *   store:cold        where the recording is now
 *   policy:age-out    the policy that moves it (of a request alone)
 *   state:failed      how it stands (standing.h): its ids, as the journal has them now
 *   @FILE             the ids in a file, one a line
 *
 * Words are alternatives; a comma before another method joins what must hold together:
 * "date:2025-02-14,store:cold". */
#ifndef ENGINE_SELECTION_H
#define ENGINE_SELECTION_H

#include "base/err.h"
#include "base/json.h"

struct arena;
struct journal;

enum selection_method {
    SELECTION_IDS,
    SELECTION_DATE,
    SELECTION_STORE,
    SELECTION_POLICY,
    SELECTION_STATE,
    SELECTION_FILE
};

/* One of what must hold together, in the arena. */
struct selection_piece {
    enum selection_method method;
    const char *value;      /* of all but IDS            */
    const char **ids;       /* of IDS and STATE          */
    size_t id_count;
    struct selection_piece *next;
};
struct selection_word {
    struct selection_piece *first;
    struct selection_word *next;
};
struct selection {
    struct selection_word *first; /* NULL: nothing was asked for */
    bool asks_state;              /* some piece of it            */
};

/* Adds the words.  ERR_INPUT: not of that form. */
MUST_USE bool selection_read(struct selection *selection, const char *const *words, size_t count,
                             struct arena *arena, struct err *err);
/* Pieces of state get their ids; words that select nothing by it are left out.  journal: NULL is
 * one that knows nothing. */
MUST_USE bool selection_resolve(struct selection *selection, struct journal *journal,
                                struct arena *arena, struct err *err);
/* All ids, each once, in the arena, of one that names nothing but ids; NULL: it names more. */
const char *const *selection_ids(const struct selection *selection, struct arena *arena,
                                 size_t *count);
/* As a value of `select`; resolved, and not empty.  ERR_MISSING: a file of ids is not there. */
MUST_USE bool selection_put(struct json_writer *json, const struct selection *selection,
                            struct arena *arena, struct err *err);
#endif
