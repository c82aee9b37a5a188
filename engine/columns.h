/* columns.h: lines for people that are not too wide, and columns in them. */
#ifndef ENGINE_COLUMNS_H
#define ENGINE_COLUMNS_H

#include <stddef.h>
#include <stdio.h>

#define COLUMNS_MAX 100

/* Parts with a blank between them; what would be too wide stands in a line of its own. */
struct columns_line {
    FILE *out;
    size_t column, indent;
};

void columns_put(struct columns_line *line, const char *part);
/* As many as lead from a column to another one that is further right; else none. */
void columns_blanks(FILE *out, size_t from, size_t to);
#endif
