/* cut.h: rows that may take only so many bytes: what is too much is left out of their middle. */
#ifndef ENGINE_CUT_H
#define ENGINE_CUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CUT_NOTE_BYTES 80 /* of the line that says what is missing, at most */

struct cut_row;

struct cut {
    FILE *out;
    uint64_t left_bytes;          /* for rows that are not printed yet, kept ones among them */
    uint64_t head_bytes;          /* for rows that are printed as they come                  */
    struct cut_row *first, *last; /* kept for the end                                        */
    uint64_t kept_bytes;
    uint64_t count; /* rows left out */
};

/* max_bytes: of all rows and the note; UINT64_MAX: no limit, and every row is printed as it comes.
 */
void cut_init(struct cut *cut, FILE *out, uint64_t max_bytes);
void cut_add(struct cut *cut, const char *row, size_t size_bytes);
/* Prints the rest; where rows were left out, a line "BEFORE.. 12 rows cut AFTER" stands for them.
 */
void cut_end(struct cut *cut, const char *before, const char *after);
#endif
