/* show_diff.h: what two plans differ in, as people read it. */
#ifndef ENGINE_SHOW_DIFF_H
#define ENGINE_SHOW_DIFF_H

#include <stdio.h>

#include "engine/diff_done.h"
#include "engine/diff_tally.h"

#define SHOW_DIFF_MARKER "<!-- frostline diff -->" /* by which a comment is found again */

struct show_diff {
    struct plan_reader *old, *new;
    const char *old_name, *new_name; /* "nightly.plan", "main" */
    struct diff_tally *tally; /* of nothing yet; all is added to it */
    const struct diff_done *done;
    uint64_t max_bytes; /* UINT64_MAX: no limit; the summary is printed in any case */
};

/* The rows, then the summary.  Both read the plans once, and once more before where it must be
 * known what the summary takes: where it stands above the rows, or max_bytes are for both.       */
MUST_USE bool show_diff_human(FILE *out, const struct show_diff *diff, struct err *err);
/* The marker, the summary, then a table: for the comment of a pull request. */
MUST_USE bool show_diff_markdown(FILE *out, const struct show_diff *diff, struct err *err);
#endif
