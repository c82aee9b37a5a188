#include "planner/plan_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/str.h"
#include "planner/plan_line.h"

#define STREAM_BYTES ((size_t)256 << 10)

struct plan_writer {
    const struct plan_header *header;
    struct file_new file;
    struct digest digest;
    struct plan_line line;
    struct buf last; /* directory of the action before */
    uint16_t last_place;
    enum plan_kind last_kind;
    bool has_last;
};

/* A line that jansson or a person could not read would make the plan worthless. */
static bool write_line(struct plan_writer *writer, bool is_digested, struct err *err)
{
    struct buf *text = &writer->line.text;
    buf_char(text, '\n');
    if (!buf_check(&writer->line.scratch, "the name of a directory", err) ||
        !buf_check(text, "a line of the plan", err))
        return false;
    if (!str_is_utf8(text->bytes, text->size))
        return ERR(err, ERR_INPUT, "a line of the plan would not be UTF-8");
    if (is_digested)
        digest_add(&writer->digest, text->bytes, text->size);
    /* What fails here surfaces in file_new_commit. */
    fwrite(text->bytes, 1, text->size, writer->file.stream);
    return true;
}

static void free_writer(struct plan_writer *writer)
{
    plan_line_free(&writer->line);
    buf_free(&writer->last);
    free(writer);
}

bool plan_file_create(const char *path, const struct plan_header *header,
                      struct plan_writer **writer, struct err *err)
{
    struct plan_writer *made = calloc(1, sizeof(*made));
    if (made == NULL)
        err_abort("out of memory");
    made->header = header;
    plan_line_init(&made->line);
    buf_init(&made->last, PLAN_FILE_LINE_MAX);
    if (!file_new_open(&made->file, path, 0644, err)) {
        free_writer(made);
        return false;
    }
    setvbuf(made->file.stream, NULL, _IOFBF, STREAM_BYTES);
    digest_init(&made->digest, DIGEST_SHA256);
    plan_line_header(&made->line, header);
    if (!write_line(made, true, err)) {
        plan_file_abandon(made);
        return false;
    }
    *writer = made;
    return true;
}

static bool is_in_order(const struct plan_writer *writer, const struct plan_action *action)
{
    if (!writer->has_last)
        return true;
    int order = plan_compare(writer->last_place, buf_string(&writer->last),
                             plan_place(writer->header, action->store), action->directory);
    return order < 0 || (order == 0 && writer->last_kind < action->kind);
}

bool plan_file_add(struct plan_writer *writer, const struct plan_action *action, struct err *err)
{
    if (!is_in_order(writer, action))
        return ERR(err, ERR_INTERNAL, "%s is out of the plan's order", action->directory);
    buf_reset(&writer->last);
    buf_text(&writer->last, action->directory);
    writer->last_place = plan_place(writer->header, action->store);
    writer->last_kind = action->kind;
    writer->has_last = true;
    plan_line_action(&writer->line, writer->header, action);
    return write_line(writer, true, err) || err_wrap(err, "planning %s", action->directory);
}

bool plan_file_finish(struct plan_writer *writer, const struct plan_summary *summary,
                      const struct plan_made *made, char digest[PLAN_DIGEST_MAX], struct err *err)
{
    uint8_t sum[DIGEST_SHA256_BYTES];
    digest_finish(&writer->digest, sum);
    memcpy(digest, "sha256:", sizeof("sha256:"));
    digest_hex(sum, sizeof(sum), digest + sizeof("sha256:") - 1);
    plan_line_last(&writer->line, writer->header, summary, digest, made);
    bool done = write_line(writer, false, err);
    if (!done)
        file_new_abandon(&writer->file);
    done = done && file_new_commit(&writer->file, err);
    free_writer(writer);
    return done;
}

void plan_file_abandon(struct plan_writer *writer)
{
    if (writer == NULL)
        return;
    digest_abandon(&writer->digest);
    file_new_abandon(&writer->file);
    free_writer(writer);
}
