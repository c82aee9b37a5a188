/* diff_text.h: one difference in words: where, what and why, plain or as cells of Markdown. */
#ifndef ENGINE_DIFF_TEXT_H
#define ENGINE_DIFF_TEXT_H

#include "base/buf.h"
#include "planner/plan_diff.h"

struct diff_text {
    struct buf *out;
    bool is_markdown; /* text of others is code there, with nothing in it that Markdown acts upon */
    const struct plan_reader *old, *new;
};

char diff_text_sign(enum plan_diff_change change); /* '+', '-', '~' */
/* A name or a reason of a catalog or a policy. */
void diff_text_foreign(const struct diff_text *text, const char *foreign);
/* "hot:recording/2025-02-14/run_7/" */
void diff_text_place(const struct diff_text *text, const struct plan_diff *diff);
/* "age-out -> cold, 2 recordings, 4.1 GB"; of what changed: "12 -> 13 objects" */
void diff_text_what(const struct diff_text *text, const struct plan_diff *diff);
/* "policy edited", behind the lead; nothing at all if nothing is known.  run: which moved it; 0:
 * none that is known. */
void diff_text_why(const struct diff_text *text, const struct plan_diff *diff, int64_t run,
                   const char *lead);
#endif
