/* selection.h: a selection as it is written on the command line, made the `select` of a policy.
 *
 *   id:A,B            these ids; a word without a method is one too
 *   date:2025-02-14   that day; date:2025-02-01..2025-02-28 both days included, either left out
 *   store:cold        where the recording is now
 *   @FILE             the ids in a file, one a line
 *
 * Words are alternatives; a comma before another method joins what must hold together:
 * "date:2025-02-14,store:cold". */
#ifndef ENGINE_SELECTION_H
#define ENGINE_SELECTION_H

#include "base/err.h"
#include "base/json.h"

struct arena;

/* As a value of `select`.  ERR_INPUT: not of that form; ERR_MISSING: there is no such file. */
MUST_USE bool selection_put(struct json_writer *json, const char *const *words, size_t count,
                            struct arena *arena, struct err *err);
#endif
