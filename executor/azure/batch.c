#include "executor/azure/batch.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/str.h"
#include "executor/http/http.h"

#define BOUNDARY_BYTES_MAX 70 /* RFC 2046 */

/* -- writing ----------------------------------------------------------------------------------- */

void batch_add(struct buf *body, const char *boundary, size_t number,
               const struct batch_request *request)
{
    buf_format(body,
               "--%s\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
               "Content-ID: %zu\r\n\r\n%s %s HTTP/1.1\r\n",
               boundary, number, request->method, request->target);
    for (size_t i = 0; i < request->header_count; i++)
        buf_format(body, "%s: %s\r\n", request->headers[i].name, request->headers[i].value);
    buf_text(body, "Content-Length: 0\r\n\r\n");
}

void batch_end(struct buf *body, const char *boundary)
{
    buf_format(body, "--%s--\r\n", boundary);
}

/* -- reading ----------------------------------------------------------------------------------- */

/* A stretch of the reply that is not terminated. */
struct stretch {
    const char *at, *end;
};

static bool take_boundary(const char *content_type, char boundary[BOUNDARY_BYTES_MAX + 1])
{
    if (!content_type || strncasecmp(content_type, "multipart/mixed", 15) != 0)
        return false;
    const char *value = strcasestr(content_type, "boundary=");
    if (!value)
        return false;
    value += strlen("boundary=");
    bool quoted = *value == '"';
    value += quoted;
    size_t length = strcspn(value, quoted ? "\"" : "; \t");
    if (length == 0 || length > BOUNDARY_BYTES_MAX || (quoted && value[length] != '"'))
        return false;
    memcpy(boundary, value, length);
    boundary[length] = '\0';
    return true;
}

/* One line without its end; false at the end of the text. */
static bool take_line(struct stretch *text, struct stretch *line)
{
    if (text->at == text->end)
        return false;
    const char *newline = memchr(text->at, '\n', (size_t)(text->end - text->at));
    line->at = text->at;
    line->end = newline ? newline : text->end;
    text->at = newline ? newline + 1 : text->end;
    if (line->end > line->at && line->end[-1] == '\r')
        line->end--;
    return true;
}

/* The value of a header, if the line is that one. */
static bool take_value(struct stretch line, const char *name, struct stretch *value)
{
    size_t name_bytes = strlen(name);
    if ((size_t)(line.end - line.at) <= name_bytes || line.at[name_bytes] != ':' ||
        strncasecmp(line.at, name, name_bytes) != 0)
        return false;
    value->at = line.at + name_bytes + 1;
    value->end = line.end;
    while (value->at < value->end && (*value->at == ' ' || *value->at == '\t'))
        value->at++;
    return true;
}

/* At most 9 digits and nothing else; SIZE_MAX otherwise. */
static size_t number_of(struct stretch text)
{
    size_t number = 0;
    if (text.at == text.end || text.end - text.at > 9)
        return SIZE_MAX;
    for (; text.at < text.end; text.at++) {
        if (!isdigit((unsigned char)*text.at))
            return SIZE_MAX;
        number = number * 10 + (size_t)(*text.at - '0');
    }
    return number;
}

/* What one part of the reply says. */
struct part {
    size_t number; /* SIZE_MAX: it has no Content-ID */
    struct batch_answer answer;
};

/* "HTTP/1.1 202 Accepted" */
static int status_of(struct stretch line)
{
    static const char before[] = "HTTP/1.1 ";
    const size_t length = strlen(before);
    if ((size_t)(line.end - line.at) < length + 3 || memcmp(line.at, before, length) != 0)
        return 0;
    size_t status = number_of((struct stretch){line.at + length, line.at + length + 3});
    return status >= 100 && status < 600 ? (int)status : 0;
}

/* Two blocks of headers, each ended by an empty line: the part's own, then those of its reply. */
static bool take_part(struct stretch text, struct part *part)
{
    struct stretch line, value;
    *part = (struct part){.number = SIZE_MAX};
    while (take_line(&text, &line) && line.at < line.end) {
        if (take_value(line, "Content-ID", &value))
            part->number = number_of(value);
    }
    if (!take_line(&text, &line) || (part->answer.status = status_of(line)) == 0)
        return false;
    while (take_line(&text, &line)) {
        if (line.at == line.end)
            return true;
        if (take_value(line, "x-ms-error-code", &value))
            snprintf(part->answer.code, sizeof part->answer.code, "%.*s",
                     (int)(value.end - value.at), value.at);
    }
    return false;
}

/* The text up to the next line that is the delimiter; *last if that is the closing one.  False: it
 * was cut off. */
static bool take_section(struct stretch *text, const char *boundary, struct stretch *section,
                         bool *last)
{
    size_t length = strlen(boundary);
    struct stretch line;
    section->at = text->at;
    while (take_line(text, &line)) {
        size_t line_bytes = (size_t)(line.end - line.at);
        section->end = line.at;
        if (line_bytes < length + 2 || memcmp(line.at, "--", 2) != 0 ||
            memcmp(line.at + 2, boundary, length) != 0)
            continue;
        const char *rest = line.at + 2 + length;
        *last = line_bytes == length + 4 && memcmp(rest, "--", 2) == 0;
        if (*last || line_bytes == length + 2)
            return true;
    }
    return false;
}

/* Where the answers that were read so far go. */
struct sorting {
    struct batch_answer *answers;
    size_t count;
    struct part first;
    size_t part_count, numbered, misplaced;
    struct batch_answer *by_position; /* of count */
};

static void note(struct sorting *sorting, const struct part *part)
{
    if (sorting->part_count == 0)
        sorting->first = *part;
    if (sorting->part_count < sorting->count)
        sorting->by_position[sorting->part_count] = part->answer;
    sorting->part_count++;
    if (part->number == SIZE_MAX)
        return;
    sorting->numbered++;
    if (part->number >= sorting->count || sorting->answers[part->number].status != 0)
        sorting->misplaced++;
    else
        sorting->answers[part->number] = part->answer;
}

/* Content-IDs, if all have one that makes sense; else, if the reply is whole, positions, or the one
 * refusal of all.  What was cut off has no positions, and one answer may be the first of many.   */
static bool settle(struct sorting *sorting, bool whole, struct err *err)
{
    size_t bytes = sorting->count * sizeof *sorting->answers;
    if (sorting->misplaced == 0 && sorting->numbered == sorting->part_count)
        return sorting->part_count == sorting->count ||
               ERR(err, ERR_CORRUPT, "a batch of %zu with %zu answers", sorting->count,
                   sorting->part_count);
    memset(sorting->answers, 0, bytes);
    if (!whole)
        return ERR(err, ERR_CORRUPT, "the reply to a batch was cut off");
    if (sorting->numbered == 0 && sorting->part_count == sorting->count) {
        memcpy(sorting->answers, sorting->by_position, bytes);
        return true;
    }
    int status = sorting->first.answer.status;
    if (sorting->part_count == 1 && sorting->numbered == 0 && status >= 400 && status < 500) {
        for (size_t i = 0; i < sorting->count; i++)
            sorting->answers[i] = sorting->first.answer;
        return true;
    }
    return ERR(err, ERR_CORRUPT, "the answers of a batch cannot be told apart");
}

bool batch_read(const char *content_type, const char *body, size_t size_bytes,
                struct batch_answer *answers, size_t count, struct err *err)
{
    char boundary[BOUNDARY_BYTES_MAX + 1];
    struct stretch text = {body, body + size_bytes}, section;
    struct sorting sorting = {.answers = answers, .count = count};
    bool last = false, whole = true;
    memset(answers, 0, count * sizeof *answers);
    if (!take_boundary(content_type, boundary) || !take_section(&text, boundary, &section, &last))
        return ERR(err, ERR_CORRUPT, "the reply to a batch has no parts");
    sorting.by_position = calloc(count, sizeof *sorting.by_position);
    if (!sorting.by_position)
        err_abort("out of memory");
    while (!last && whole) {
        struct part part;
        whole = take_section(&text, boundary, &section, &last) && take_part(section, &part);
        if (whole)
            note(&sorting, &part);
    }
    bool settled = settle(&sorting, whole, err);
    free(sorting.by_position);
    if (!whole)
        return ERR(err, ERR_CORRUPT, "the reply to a batch was cut off");
    return settled;
}
