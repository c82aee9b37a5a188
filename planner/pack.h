/* pack.h: numbers and texts as bytes for a spool, and back.  The bytes stay on this machine, in a
 * file that nobody else can name, so their form is this process's own.                           */
#ifndef PLANNER_PACK_H
#define PLANNER_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct buf;

void pack_number(struct buf *out, uint64_t value);
void pack_text(struct buf *out, const char *text); /* NULL becomes "" */

/* What is left to be read. */
struct packed {
    const char *at;
    size_t      size_bytes;
    bool        broken; /* something was read that was not there: checked once, at the end */
};
uint64_t pack_take_number(struct packed *packed);
/* Borrowed from the bytes. */
const char *pack_take_text(struct packed *packed);
/* ERR_CORRUPT if anything was missing. */
MUST_USE bool pack_check(const struct packed *packed, struct err *err);
#endif
