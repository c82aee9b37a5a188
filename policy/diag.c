#include "policy/diag.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "policy/diag_codes.h"

#define LINE_SHOWN_MAX 160 /* code points of a source line that a frame shows */
#define LINE_BEFORE 60     /* of them before the span, when the line is cut   */

const char *diag_severity_name(enum diag_severity severity)
{
    return severity == DIAG_ERROR ? "error" : "warning";
}

void diag_init(struct diags *diags, struct arena *arena)
{
    *diags = (struct diags){.arena = arena};
    /* One more than is kept: what is over the limit is written there and forgotten. */
    diags->items = arena_make(arena, (DIAG_MAX + 1) * sizeof *diags->items);
}

uint16_t diag_add_file(struct diags *diags, const char *path, const char *bytes, size_t size_bytes)
{
    size_t count = diags->file_count;
    assert(count < UINT16_MAX);
    if ((count & (count - 1)) == 0) {
        size_t capacity = count == 0 ? 1 : 2 * count;
        struct diag_file *files = arena_make(diags->arena, capacity * sizeof *files);
        if (count > 0)
            memcpy(files, diags->files, count * sizeof *files);
        diags->files = files;
    }
    diags->files[count] = (struct diag_file){path, bytes, size_bytes};
    diags->file_count++;
    return (uint16_t)count;
}

static char *PRINTF(2, 0) format(struct arena *arena, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, fmt, args);
    char *text = arena_make(arena, (size_t)size + 1);
    vsnprintf(text, (size_t)size + 1, fmt, again);
    va_end(again);
    return text;
}

struct diag *diag_add(struct diags *diags, int code, struct span span, const char *fmt, ...)
{
    const struct diag_code *entry = diag_codes_find(code);
    assert(entry != NULL);
    if (entry->severity == DIAG_ERROR)
        diags->errors++;
    else
        diags->warnings++;

    struct diag *diag = &diags->items[diags->count];
    *diag = (struct diag){.code = code,
                          .severity = entry->severity,
                          .span = span,
                          .text = "",
                          .label = "",
                          .help = "",
                          .second_label = ""};
    if (diags->count == DIAG_MAX)
        return diag;
    diags->count++;

    va_list args;
    va_start(args, fmt);
    diag->text = format(diags->arena, fmt, args);
    va_end(args);
    return diag;
}

void diag_deny_warnings(struct diags *diags)
{
    for (size_t i = 0; i < diags->count; i++)
        diags->items[i].severity = DIAG_ERROR;
    diags->errors += diags->warnings;
    diags->warnings = 0;
}

static int compare_spans(const struct span *a, const struct span *b)
{
    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return 0;
}

/* Findings at one place keep the order in which they were found: their addresses ascend. */
static int compare_findings(const void *a, const void *b)
{
    const struct diag *left = *(const struct diag *const *)a;
    const struct diag *right = *(const struct diag *const *)b;
    int order = compare_spans(&left->span, &right->span);
    if (order != 0)
        return order;
    return left < right ? -1 : left > right;
}

/* One source line, without its end. */
struct line {
    const char *bytes;
    size_t size;
};

static struct line find_line(const struct diag_file *file, uint32_t number)
{
    const char *at = file->bytes;
    const char *end = at + file->size_bytes;
    for (uint32_t n = 1; n < number && at < end; n++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        at = newline == NULL ? end : newline + 1;
    }
    const char *newline = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
    struct line line = {at, (size_t)((newline == NULL ? end : newline) - at)};
    if (line.size > 0 && line.bytes[line.size - 1] == '\r')
        line.size--;
    return line;
}

/* Where something that must not be shown may begin in a line: behind the name of a secret, or
 * behind the scheme of a URL with a user.  A finding next to a secret would print it otherwise.  */
static size_t find_private(struct line line)
{
    static const char *const names[] = {"password", "accountkey", "sharedaccesssignature", "sig="};
    for (size_t at = 0; at < line.size; at++) {
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            size_t size = strlen(names[i]);
            if (size <= line.size - at && strncasecmp(line.bytes + at, names[i], size) == 0)
                return at + size;
        }
        if (line.size - at > 3 && memcmp(line.bytes + at, "://", 3) == 0 &&
            memchr(line.bytes + at, '@', line.size - at) != NULL)
            return at + 3;
    }
    return line.size;
}

static bool starts_code_point(unsigned char byte)
{
    return (byte & 0xc0) != 0x80;
}

/* A control character of C1, which is two bytes. */
static bool is_c1(struct line line, size_t at)
{
    return (unsigned char)line.bytes[at] == 0xc2 && at + 1 < line.size &&
           (unsigned char)line.bytes[at + 1] < 0xa0;
}

/* What a terminal may get for one byte of a line: no control, neither of ASCII nor of C1. */
static char shown_byte(struct line line, size_t at, bool is_utf8)
{
    unsigned char byte = (unsigned char)line.bytes[at];
    if (byte == '\t')
        return ' ';
    if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !is_utf8))
        return '?';
    if (is_utf8 && is_c1(line, at))
        return '?';
    return (char)byte;
}

/* The line as it is shown: at most LINE_SHOWN_MAX code points, secrets as asterisks, what no
 * terminal should get as question marks.  *first is the column of the first one shown.          */
static void show_line(struct line line, const struct span *span, const struct diag *diag,
                      uint32_t *first, struct buf *out)
{
    uint32_t end = span->column + span->length;
    size_t private_from = find_private(line);
    bool is_utf8 = str_is_utf8(line.bytes, line.size);
    bool reference = false;
    uint32_t column = 0;
    *first = span->column > LINE_SHOWN_MAX - LINE_BEFORE ? span->column - LINE_BEFORE : 1;
    for (size_t at = 0; at < line.size; at++) {
        unsigned char byte = (unsigned char)line.bytes[at];
        bool starts = starts_code_point(byte);
        column += starts;
        if (column < *first || column >= *first + LINE_SHOWN_MAX)
            continue;
        if (byte == '$' && at + 1 < line.size && line.bytes[at + 1] == '{')
            reference = true;
        bool covered = column < end ? diag->secret && column >= span->column : diag->secret_behind;
        bool hidden = !reference && (covered || at >= private_from) &&
                      (byte >= 0x80 || strchr(" {}[]:,'\"", byte) == NULL);
        if (byte == '}' || byte == ':') /* a default is no name of a variable */
            reference = false;
        if (hidden && starts)
            buf_char(out, '*');
        else if (!hidden && (starts || !is_utf8 || !is_c1(line, at - 1)))
            buf_char(out, shown_byte(line, at, is_utf8));
    }
}

/* What is marked below a line, and with what. */
struct marking {
    const struct span *span;
    const char *label;
    char mark;
    bool with_line;
};

static void show_source(const struct diags *diags, const struct diag *diag,
                        const struct marking *marking, int width, struct buf *out)
{
    const struct span *span = marking->span;
    struct line line = find_line(&diags->files[span->file], span->line);
    struct buf shown;
    uint32_t first;
    buf_init(&shown, 4 * LINE_SHOWN_MAX + 1);
    show_line(line, span, diag, &first, &shown);
    if (marking->with_line)
        buf_format(out, "%*u |%s%s\n", width, span->line, shown.size == 0 ? "" : " ",
                   buf_string(&shown));

    uint32_t length = span->length == 0 ? 1 : span->length;
    if (length > LINE_SHOWN_MAX)
        length = LINE_SHOWN_MAX;
    buf_format(out, "%*s | %*s", width, "", (int)(span->column - first), "");
    for (uint32_t i = 0; i < length; i++)
        buf_char(out, marking->mark);
    buf_format(out, "%s%s\n", marking->label[0] == '\0' ? "" : " ", marking->label);
    buf_free(&shown);
}

static void show_second(const struct diags *diags, const struct diag *diag, int width,
                        struct buf *out)
{
    struct marking marking = {.span = &diag->second, .label = diag->second_label, .mark = '-'};
    marking.with_line =
        diag->second.file != diag->span.file || diag->second.line != diag->span.line;
    show_source(diags, diag, &marking, width, out);
}

static void show_sources(const struct diags *diags, const struct diag *diag, int width,
                         struct buf *out)
{
    bool same_file = diag->has_second && diag->second.file == diag->span.file;
    bool earlier = same_file && diag->second.line < diag->span.line;
    if (earlier) {
        show_second(diags, diag, width, out);
        if (diag->second.line + 1 < diag->span.line)
            buf_text(out, "...\n");
    }
    struct marking marking = {
        .span = &diag->span, .label = diag->label, .mark = '^', .with_line = true};
    show_source(diags, diag, &marking, width, out);
    if (!diag->has_second || earlier)
        return;
    if (!same_file)
        buf_format(out, "%*s::: %s:%u:%u\n", width, "", diags->files[diag->second.file].path,
                   diag->second.line, diag->second.column);
    else if (diag->span.line + 1 < diag->second.line)
        buf_text(out, "...\n");
    show_second(diags, diag, width, out);
}

static void show_finding(const struct diags *diags, const struct diag *diag, struct buf *out)
{
    uint32_t line_max = diag->span.line;
    if (diag->has_second && diag->second.line > line_max)
        line_max = diag->second.line;
    int width = snprintf(NULL, 0, "%u", line_max);

    buf_format(out, "%s[FL%04d]: %s\n", diag_severity_name(diag->severity), diag->code, diag->text);
    buf_format(out, "%*s--> %s:%u:%u\n%*s |\n", width, "", diags->files[diag->span.file].path,
               diag->span.line, diag->span.column, width, "");
    show_sources(diags, diag, width, out);
    if (diag->help[0] != '\0')
        buf_format(out, "%*s |\n%*s = help: %s\n", width, "", width, "", diag->help);
}

size_t diag_sort(const struct diags *diags, const struct diag *sorted[DIAG_MAX])
{
    for (size_t i = 0; i < diags->count; i++)
        sorted[i] = &diags->items[i];
    qsort(sorted, diags->count, sizeof *sorted, compare_findings);
    return diags->count;
}

void diag_render(const struct diags *diags, struct buf *out)
{
    const struct diag *sorted[DIAG_MAX];
    size_t count = diag_sort(diags, sorted);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(out, '\n');
        show_finding(diags, sorted[i], out);
    }
    size_t all = diags->errors + diags->warnings;
    if (all > diags->count)
        buf_format(out, "\n%zu more findings are not shown\n", all - diags->count);
}
