/* trial.h: whether stores let us do what a run would ask of them, tried on objects of our own.
 *
 * All of them lie below one name that nobody else has, are created only if absent, and are deleted
 * by their etags; no other object is touched.  What could not be deleted is named. */
#ifndef EXECUTOR_TRIAL_H
#define EXECUTOR_TRIAL_H

#include <stdatomic.h>

#include "executor/store.h"

struct arena;
struct clock;

#define TRIAL_OBJECTS 3                   /* one to copy and delete alone, two for a batch */
#define TRIAL_FOLDER ".frostline-doctor-" /* and 32 hexadecimal digits and '/'             */

/* A copy of another store's object to this store. */
struct trial_copy {
    size_t source;
    struct copy copy;
};

struct trial {
    struct store *store; /* NULL: it could not be opened; nothing is tried */
    bool read_only;      /* no object of our own */
    /* out */
    struct err listed; /* ERR_NONE, or why not even that; then nothing else was tried */
    int64_t skew_us;   /* how far the service's clock is ahead of ours */
    bool has_clock;    /* else it has none of its own */
    const char *protocol;
    struct putting puttings[TRIAL_OBJECTS];
    struct reading reading; /* of the first; DONE: and the bytes were those */
    struct trial_copy *copies;
    size_t copy_count;
    struct deletion alone, pair[2];
    bool put, batched; /* all objects were made; the pair was deleted in one request */
    const char *left;  /* names that may be left behind, with blanks between; NULL: nothing */
    /* of the trial itself */
    const char *folder;
    char bytes[64];
};

/* Lists each as little as can be: the first step.  Strings of both live in the arena.  When `stop`
 * is set nothing more is begun. */
void trial_look(struct trial *trials, size_t count, struct clock *clock, struct arena *arena,
                const atomic_bool *stop);
/* Tries the rest.  A copy is made between each two stores of one kind that took their objects. When
 * `stop` is set deletions go on. */
void trial_run(struct trial *trials, size_t count, struct arena *arena, const atomic_bool *stop);
#endif
