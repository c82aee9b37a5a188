/* plan_parse.h: the lines of a plan file, taken apart.  Nothing is trusted: names must be those
 * of the header, rows must lie in their directory, numbers must add up.  That a line is
 * canonical is for the caller to check (plan_line.h). */
#ifndef PLANNER_PLAN_PARSE_H
#define PLANNER_PLAN_PARSE_H

#include "planner/plan_file.h"

#define PLAN_PARSE_MAGIC "{\"frostline_plan\":" /* how every plan begins   */
#define PLAN_PARSE_LAST "{\"summary\":"         /* how its last line begins */
#define PLAN_PARSE_VARS_MAX 10000

struct arena;

struct plan_text {
    const char *bytes;
    size_t      size_bytes;
};
/* What a line of so many bytes may take in an arena, at most. */
size_t plan_parse_bytes(size_t size_bytes);

/* All is copied to the arena.  ERR_CORRUPT; a header of a newer format is ERR_INPUT. */
MUST_USE bool plan_parse_header(struct plan_text text, struct arena *arena,
                                struct plan_header *header, struct err *err);
MUST_USE bool plan_parse_action(struct plan_text text, const struct plan_header *header,
                                struct arena *arena, struct plan_action *action, struct err *err);
struct plan_last {
    struct plan_summary summary;
    struct plan_made    made;
    const char         *digest;
};
MUST_USE bool plan_parse_last(struct plan_text text, const struct plan_header *header,
                              struct arena *arena, struct plan_last *last, struct err *err);
#endif
