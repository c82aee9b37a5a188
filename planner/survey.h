/* survey.h: a port.  The planner needs to know what a unit holds but must not touch the
 * network: it asks here, and executor/survey.c answers.                                          */
#ifndef PLANNER_SURVEY_H
#define PLANNER_SURVEY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "state/object.h"

#define SURVEY_BATCH_MAX 2048 /* many: neighbours share listings */

struct survey;

/* Neighbours of one store, sorted, none in another one. */
struct survey_question {
    const char        *directory; /* raw key; ends in '/', or is an object's                   */
    const char *const *names;     /* what the rows point at: keys relative to it, "" the object */
    size_t             name_count;
    bool              *present; /* out: names[i] is among the objects                          */
    uint64_t           objects, bytes;
    uint64_t           irregular; /* entries that are no regular files                          */
    uint64_t           archived;  /* objects that can't be read before they are rehydrated      */
    struct manifest_digest digest;
    enum access_tier   tier; /* of all objects; DEFAULT: it is not known, or they have several  */
    struct err         err; /* ERR_NONE, or why it could not be listed                          */
};
struct survey_ops {
    /* Answers all; a listing that failed is an answer with err set.  False only if cancelled. */
    bool (*ask)(struct survey *, uint16_t store, struct survey_question *questions, size_t count,
                struct err *);
};
struct survey {
    const struct survey_ops *ops;
};
#endif
