/* terminal.h: the terminal that stdout and stderr may be: whether it takes colour, and a block of
 * lines at its end, above which all else is written.
 *
 * The cursor is never hidden: it stands below the block, so that whatever ends the process leaves a
 * screen to go on with.  All that is changed is that keys are not shown while there is a block, for
 * they would push it about; that is put right again at its end and at a crash, and by a shell. */
#ifndef ENGINE_TERMINAL_H
#define ENGINE_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TERMINAL_COLUMNS_MAX 250
#define TERMINAL_BLOCK_BYTES_MAX 16384

enum terminal_colours { TERMINAL_COLOURS_AUTO, TERMINAL_COLOURS_ALWAYS, TERMINAL_COLOURS_NEVER };
enum terminal_colour { TERMINAL_RED, TERMINAL_GREEN, TERMINAL_YELLOW, TERMINAL_PLAIN };

/* Call before other threads start: a crash from here on puts the terminal right. */
void terminal_guard(void);
/* AUTO: on a terminal that is not dumb, unless NO_COLOR is set. */
void terminal_set_colours(enum terminal_colours colours);
/* What begins that colour on the stream, or ends any (PLAIN); "" where there is none. */
const char *terminal_colour(FILE *stream, enum terminal_colour colour);
/* Is stderr a terminal, and one on which a block can be redrawn? */
bool terminal_is(void);
bool terminal_can_redraw(void);
/* As the environment names the locale. */
bool terminal_is_utf8(void);

/* For a line on stdout or stderr while there may be a block: between the two, there is none. */
void terminal_hold(void);
void terminal_let_go(void);
/* How large a block may be; `lines` is at least 1. */
void terminal_size(size_t *columns, size_t *lines);
/* In place of the block that stands there.  Each of the lines ends with a newline and is narrower
 * than the terminal.  Nothing is drawn by a process in the background. */
void terminal_draw(const char *block, size_t lines, size_t columns);
/* There is no block any more. */
void terminal_clear(void);
/* A person's ^C stands where the next line would begin, unless keys are not shown. */
void terminal_fresh_line(void);
/* The process was stopped and goes on: the screen is another one. */
void terminal_resumed(void);
/* The process ends: keys are shown again, and stay so.  May be called in a signal handler. */
void terminal_restore(void);
/* What was typed before a question is no answer to it. */
void terminal_forget_keys(void);
#endif
