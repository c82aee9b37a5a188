/* secret.h: a text that must not show up anywhere.  No formatter takes one; it is cleansed when it
 * goes.  Read it only where it is used: signing, connecting. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct secret {
    char *hidden; /* NUL behind the last byte; NULL: none */
    size_t size_bytes;
};
/* Copies, in place of what was set before: begin with a zeroed struct. */
void secret_set(struct secret *secret, const char *bytes, size_t size_bytes);
void secret_clear(struct secret *secret);
bool secret_is_set(const struct secret *secret);
/* Borrowed; "" if none is set. */
const char *secret_reveal(const struct secret *secret);
#endif
