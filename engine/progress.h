/* progress.h: what a command does that takes long: a block that redraws in place on a terminal,
 * elsewhere a line a minute.  A thread of its own looks a few times a second, and it alone writes;
 * who works only counts.  It also says what signals ask for, so that their thread never writes:
 * output that was stopped (Ctrl-S) keeps no second Ctrl-C from ending the process.
 *
 * Nothing is shown of what is over within half a second; of all else something within one. */
#ifndef ENGINE_PROGRESS_H
#define ENGINE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cohort;
struct counters;
struct task;

enum progress_mode { PROGRESS_AUTO, PROGRESS_BLOCK, PROGRESS_LINES, PROGRESS_NONE };

/* The thread begins and ends; between the two, one command after the other. */
void progress_start(void);
void progress_stop(void);
/* AUTO: a block where it can be redrawn; BLOCK: on any terminal.  Elsewhere both are lines. */
void progress_set_mode(enum progress_mode mode);

/* Each begins a phase, in place of the one that is; `what` and `unit` are static. */
void progress_wait(const char *what); /* "connecting to the catalog" */
void progress_plan(const char *unit);
struct progress_work {
    const char *unit; /* text_unit                         */
    uint64_t units;   /* of the plan; 0: it is not known   */
    uint64_t bytes;   /* that it copies; 0: it is not known */
};
void progress_run(const struct counters *counters, const struct progress_work *work);
/* The phase is over; nothing of it stands on the terminal. */
void progress_end(void);

/* The planner's port. */
void progress_planned(void *context, uint64_t rows, uint64_t listed, uint64_t to_list);
/* The executor's port: struct watcher. */
void progress_step(void *context, const struct cohort *cohort, struct task *const *tasks,
                   size_t count);

/* For the thread that waits for signals. */
void progress_ask(void);           /* one line that says how far it is */
void progress_tell_stopping(void); /* that steps under way finish      */
#endif
