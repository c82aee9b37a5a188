/* progress_view.h: how far something has come, as the lines that people see: a pure function of
 * counts and a width. */
#ifndef ENGINE_PROGRESS_VIEW_H
#define ENGINE_PROGRESS_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

struct buf;

#define PROGRESS_LINES_MAX 8
#define PROGRESS_NAMES_MAX 4
#define PROGRESS_NAME_BYTES 256
#define PROGRESS_FIELDS_MAX 12

enum progress_phase {
    PROGRESS_NOTHING,
    PROGRESS_WAITING, /* for somebody else, at `what` */
    PROGRESS_READING, /* rows of the catalog          */
    PROGRESS_LISTING, /* stores, for a plan           */
    PROGRESS_RUNNING
};

struct progress_view {
    enum progress_phase phase;
    const char *what; /* WAITING: "connecting to the catalog" */
    const char *unit; /* LISTING, RUNNING: text_unit          */
    int64_t elapsed_us;
    uint64_t rows;                 /* READING */
    uint64_t listed, to_list;      /* LISTING */
    uint64_t at_rest, to_rest;     /* RUNNING: of the plan; 0: it is not known how many */
    uint64_t objects, bytes;       /* that were copied, here or within the cloud        */
    uint64_t to_copy_bytes;        /* of the plan; 0: it is not known how many          */
    uint64_t deleted, bytes_per_s; /* the latter in the last half minute                */
    struct {
        const char *doing; /* "copying" */
        char name[PROGRESS_NAME_BYTES];
    } under_way[PROGRESS_NAMES_MAX];
    size_t named;
    uint64_t under_way_count; /* with those that are not named */
};

struct progress_look {
    size_t columns; /* lines are narrower */
    size_t lines;   /* at most; not more than PROGRESS_LINES_MAX are made */
    bool is_utf8;
    const char *colour, *plain; /* around what is done of the bar; "" for none */
};

/* Returns how many lines, each with its newline. */
size_t progress_view_block(const struct progress_view *view, const struct progress_look *look,
                           struct buf *out);
/* The same in one line, without a newline; is_over: the phase has ended. */
void progress_view_line(const struct progress_view *view, bool is_over, struct buf *out);
/* The same for programs; returns how many fields.  Texts are those of the view. */
size_t progress_view_fields(const struct progress_view *view,
                            struct log_field fields[PROGRESS_FIELDS_MAX]);
/* How long the rest will take; -1 while that would be a guess: in the first ten seconds, before 2 %
 * are done, and when nothing was copied for half a minute. */
int64_t progress_view_left_us(const struct progress_view *view);
/* "12 s", "1 min 5 s", "2 h 10 min", "3 d 4 h" */
#define PROGRESS_ELAPSED_MAX 48
void progress_view_elapsed(int64_t elapsed_us, char text[PROGRESS_ELAPSED_MAX]);
#endif
