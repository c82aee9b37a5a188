/* findings.h: what was looked at and what came of it, apart from how it was found: in its order,
 * for people, as JSON, and as an exit code.  Pure, but for the arena. */
#ifndef ENGINE_FINDINGS_H
#define ENGINE_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/exit.h"

struct arena;
struct buf;

#define FINDINGS_GROUP_COLUMNS 11 /* "environment": lines are shown before all groups are known */

enum finding_status {
    FINDING_OK,
    FINDING_SKIPPED, /* it could not be looked at; what kept it from that is a finding itself */
    FINDING_WARNING,
    FINDING_FAILED
};

struct finding {
    const char *group;   /* "store" */
    const char *subject; /* which of them: "cold"; NULL: there is one */
    const char *name;    /* "write" */
    enum finding_status status;
    const char *text;
    const char *fix;     /* NULL: none */
    enum exit_code code; /* FAILED */
};

struct findings {
    struct arena *arena;
    struct finding *items;
    size_t count, room;
};

void findings_init(struct findings *findings, struct arena *arena);
/* Text and fix become one line each that no terminal acts upon; the other strings are borrowed. */
void findings_add(struct findings *findings, const struct finding *finding);
/* Those from that index on: a line each, and a fix below it.  quiet: only what is to be mended.
 * Neighbours that were not looked at for one reason share a line. */
void findings_show(const struct findings *findings, size_t from, bool quiet, struct buf *out);
/* The last line; none if quiet and nothing is to be mended. */
void findings_count(const struct findings *findings, bool quiet, struct buf *out);
void findings_json(const struct findings *findings, struct buf *out);
/* EXIT_OK if nothing failed. */
enum exit_code findings_exit(const struct findings *findings);
#endif
