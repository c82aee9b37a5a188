/* diag.h: what is wrong with a policy, and exactly where.  All findings of all files are collected
 * and told together; none is caused by another one.                                              */
#ifndef POLICY_DIAG_H
#define POLICY_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct arena;
struct buf;

#define DIAG_MAX 200 /* further ones are counted, not kept */

/* A stretch of one line of one file.  Lines and columns count from 1; columns and length are in
 * code points.                                                                                   */
struct span {
    uint16_t file; /* index into diags.files */
    uint32_t line, column, length;
};

enum diag_severity { DIAG_ERROR, DIAG_WARNING };
const char *diag_severity_name(enum diag_severity severity); /* "error" */

/* Codes are stable: one table in diag_codes.c holds number, title and the longer text. */
struct diag {
    int                code; /* 102 is printed as FL0102 */
    enum diag_severity severity;
    struct span        span;
    const char        *text;  /* "unknown key `older_then`"                    */
    const char        *label; /* under the caret: "not a selector"; may be ""  */
    const char        *help;  /* "did you mean `older_than`?"; may be ""       */
    bool               secret; /* what the span covers is shown as asterisks */
    bool               secret_behind; /* and what stands behind it in its line: a key's value */
    bool               has_second;
    struct span        second; /* "first defined here" */
    const char        *second_label;
};

struct diag_file {
    const char *path; /* as people wrote it */
    const char *bytes;
    size_t      size_bytes;
};

struct diags {
    struct arena     *arena;
    struct diag_file *files;
    size_t            file_count;
    struct diag      *items;
    size_t            count;
    size_t            errors, warnings;
};

void diag_init(struct diags *diags, struct arena *arena);
/* Returns the file's index.  Bytes are borrowed. */
uint16_t diag_add_file(struct diags *diags, const char *path, const char *bytes, size_t size_bytes);
/* The new finding, for adding a label, help or second span; never NULL.  The severity comes from
 * the table of codes.                                                                            */
struct diag *diag_add(struct diags *diags, int code, struct span span, const char *fmt, ...)
    PRINTF(4, 5);

/* Every warning becomes an error, under its own code. */
void diag_deny_warnings(struct diags *diags);

/* The rustc-style frame, plain text without colour, sorted by file and position:
 *   error[FL0102]: unknown key `older_then`
 *     --> recordings.yaml:17:7                                                                   */
void diag_render(const struct diags *diags, struct buf *out);
/* Those that were kept, by file and position; returns how many. */
size_t diag_sort(const struct diags *diags, const struct diag *sorted[DIAG_MAX]);
#endif
