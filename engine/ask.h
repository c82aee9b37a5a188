/* ask.h: questions to a person at a terminal. */
#ifndef ENGINE_ASK_H
#define ENGINE_ASK_H

#include <stdbool.h>
#include <stddef.h>

enum ask_answer {
    ASK_TEXT, /* something was typed, or nothing: ""                                      */
    ASK_BACK, /* "q"                                                                      */
    ASK_END   /* there is nobody any more: the end of the input, or a terminal that hangs up */
};

/* A person can be asked: stdin and stderr are terminals. */
bool ask_can(void);
/* The prompt stands on stderr, behind all that was written to stdout before; what is typed, without
 * blanks around it, in text.  A line that does not fit is told, and asked for again.  Ctrl-C ends
 * the process. */
enum ask_answer ask_line(const char *prompt, char *text, size_t capacity);
#endif
