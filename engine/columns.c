#include "engine/columns.h"

#include <stdbool.h>

#include "engine/text.h"

void columns_put(struct columns_line *line, const char *part)
{
    size_t width = text_columns(part);
    bool is_first = line->column <= line->indent;
    if (!is_first && line->column + 1 + width > COLUMNS_MAX) {
        fprintf(line->out, "\n%*s%s", (int)line->indent, "", part);
        line->column = line->indent + width;
    } else {
        fprintf(line->out, "%s%s", is_first ? "" : " ", part);
        line->column += !is_first + width;
    }
}

void columns_blanks(FILE *out, size_t from, size_t to)
{
    fprintf(out, "%*s", from < to ? (int)(to - from) : 0, "");
}
