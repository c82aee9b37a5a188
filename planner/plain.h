/* plain.h: catalog text as a plan may show it: UTF-8 without control bytes, and of a location no
 * user information, query or fragment, which may hold a token. */
#ifndef PLANNER_PLAIN_H
#define PLANNER_PLAIN_H

struct arena;

#define PLAIN_TEXT_BYTES 512 /* what is longer is cut */

/* In the arena. */
const char *plain_text(struct arena *arena, const char *text);
const char *plain_location(struct arena *arena, const char *location);
#endif
