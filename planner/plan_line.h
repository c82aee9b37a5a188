/* plan_line.h: the lines of a plan file, each rendered in the one way that is canonical.  The
 * writer writes them; the reader renders what it has read once more and compares, so that a line
 * with an unknown key, another order or another spelling of a number is no line of a plan. */
#ifndef PLANNER_PLAN_LINE_H
#define PLANNER_PLAN_LINE_H

#include "base/buf.h"
#include "planner/plan_file.h"

#define PLAN_LINE_VERSION 1

struct plan_line {
    struct buf text; /* the line, without its newline */
    struct buf scratch;
};
void plan_line_init(struct plan_line *line);
void plan_line_free(struct plan_line *line);

const char *plan_line_order(enum policy_order order); /* "oldest" */

/* Each is in line->text until the next one. */
void plan_line_header(struct plan_line *line, const struct plan_header *header);
void plan_line_action(struct plan_line *line, const struct plan_header *header,
                      const struct plan_action *action);
void plan_line_last(struct plan_line *line, const struct plan_header *header,
                    const struct plan_summary *summary, const char *digest,
                    const struct plan_made *made);
#endif
