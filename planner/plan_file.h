/* plan_file.h: a plan as JSON Lines, canonical, with a digest (plan format 1).
 *
 *   line 1      the header
 *   then        one action a line, in the order of plan_compare, then of their kinds
 *   last line   {"summary":{..},"digest":"sha256:..","made":{..}}
 *
 * The digest is over every byte before the last line; nothing volatile stands there.  A plan holds
 * no secret and no query string.                                                                 */
#ifndef PLANNER_PLAN_FILE_H
#define PLANNER_PLAN_FILE_H

#include "planner/plan.h"

#define PLAN_FILE_LINE_MAX (16u << 20)

struct arena;
struct plan_writer;
struct plan_reader;

/* Volatile things: who made it, when, where. */
struct plan_made {
    int64_t     at_us;
    const char *by;     /* "frostline 0.1.0" */
    const char *host;
    const char *policy; /* the path as it was given */
};

/* Writes beside path and takes the name at the end (file.h); path may not exist yet.  The header is
 * borrowed until then.                                                                           */
MUST_USE bool plan_file_create(const char *path, const struct plan_header *header,
                               struct plan_writer **writer, struct err *err);
MUST_USE bool plan_file_add(struct plan_writer *writer, const struct plan_action *action,
                            struct err *err);
/* The plan stands at its path, complete and durable.  Frees the writer, also on failure. */
MUST_USE bool plan_file_finish(struct plan_writer *writer, const struct plan_summary *summary,
                               const struct plan_made *made, char digest[PLAN_DIGEST_MAX],
                               struct err *err);
void plan_file_abandon(struct plan_writer *writer); /* NULL is fine */

/* The whole file is read once: the digest, the order and every line are checked before the header
 * is given out, so that nothing of a damaged plan is ever acted on.  ERR_CORRUPT: damaged, cut off
 * or tampered with; ERR_INPUT: a newer format, or no plan at all; ERR_MISSING.                   */
MUST_USE bool plan_file_open(const char *path, struct plan_reader **reader, struct err *err);
const struct plan_header  *plan_file_header(const struct plan_reader *reader);
const struct plan_summary *plan_file_summary(const struct plan_reader *reader);
const struct plan_made    *plan_file_made(const struct plan_reader *reader);
const char                *plan_file_digest(const struct plan_reader *reader);
/* The next action, in the arena; *action is NULL at the end. */
MUST_USE bool plan_file_next(struct plan_reader *reader, struct arena *arena,
                             struct plan_action **action, struct err *err);
/* Back to the first action. */
MUST_USE bool plan_file_rewind(struct plan_reader *reader, struct err *err);
/* The bytes of the file that was opened stand at path too, durably; the reader stays where it is.
 */
MUST_USE bool plan_file_copy(const struct plan_reader *reader, const char *path, struct err *err);
void          plan_file_close(struct plan_reader *reader); /* NULL is fine */
#endif
