/* pattern.h: globs and regular expressions by PCRE2, which nothing outside pattern.c sees.
 *
 * A glob is about the whole text: '*', '?' and a class like [a-z] or [!a] stop at '/', '**' crosses
 * it, and "**" with a '/' behind it may also be nothing; '\' takes the special sense from what
 * follows.  A regular expression matches anywhere, and '$' is the very end.
 *
 * Bounded are the length of a text, the steps from each place in it where a match might begin, and
 * the memory: what would need more is undecided, as is a text that is not UTF-8.  Matching is
 * interpreted, never compiled for the processor, so that with one release of PCRE2 the bounds are
 * the same on every machine.                                                                     */
#ifndef POLICY_PATTERN_H
#define POLICY_PATTERN_H

#include <stddef.h>

#include "base/err.h"
#include "policy/truth.h"

#define PATTERN_TEXT_MAX 16384      /* bytes; no key is longer                       */
#define PATTERN_BYTES_MAX 16384     /* of a pattern; of a glob, as PCRE2 writes it   */
#define PATTERN_STEPS_MAX 10000     /* of backtracking, for each start within a text */
#define PATTERN_MEMORY_KIB_MAX 1024 /* of a thread that matches                      */

struct arena;
struct pattern;

enum pattern_kind { PATTERN_GLOB, PATTERN_REGEX };

/* Lives in the arena, and so must the text.  ERR_INPUT saying what is wrong, and at which byte. */
MUST_USE bool pattern_compile(enum pattern_kind kind, const char *text, struct arena *arena,
                              const struct pattern **pattern, struct err *err);

/* What matching needs, made when it first does: one for each thread.  Begins as {0}. */
struct pattern_memory {
    void *match, *limits;
};
void pattern_memory_free(struct pattern_memory *memory);

/* is_utf8: that is known of the text, and need not be looked at again. */
enum truth pattern_match(const struct pattern *pattern, const char *text, size_t size_bytes,
                         bool is_utf8, struct pattern_memory *memory);
#endif
