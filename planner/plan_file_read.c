#include "planner/plan_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/str.h"
#include "planner/plan_line.h"
#include "planner/plan_parse.h"

#define CHUNK_BYTES ((size_t)64 << 10)
#define LASTING_BYTES_MAX ((size_t)256 << 20) /* header and summary */

/* The file, a line at a time. */
struct lines {
    int fd;
    char *bytes;
    size_t capacity, from, to; /* what was read and not given out yet */
    uint64_t offset;           /* of bytes[from] in the file          */
    uint64_t number;           /* of the line asked for last          */
};
struct plan_reader {
    struct lines lines;
    struct arena arena;
    struct plan_header header;
    struct plan_last last;
    uint64_t actions_from, actions_to; /* offsets */
};

/* -- lines --------------------------------------------------------------------------------------
 */

static bool seek(struct lines *lines, uint64_t offset, struct err *err)
{
    lines->from = lines->to = 0;
    lines->offset = offset;
    return lseek(lines->fd, (off_t)offset, SEEK_SET) >= 0 ||
           file_error(err, errno, "going back in the plan");
}

static bool read_more(struct lines *lines, bool *is_end, struct err *err)
{
    memmove(lines->bytes, lines->bytes + lines->from, lines->to - lines->from);
    lines->to -= lines->from;
    lines->from = 0;
    if (lines->to > PLAN_FILE_LINE_MAX)
        return ERR(err, ERR_CORRUPT, "a line is longer than %u bytes", PLAN_FILE_LINE_MAX);
    if (lines->capacity - lines->to < CHUNK_BYTES) {
        lines->capacity = 2 * lines->capacity;
        lines->bytes = realloc(lines->bytes, lines->capacity);
        if (lines->bytes == NULL)
            err_abort("out of memory");
    }
    ssize_t count;
    do
        count = read(lines->fd, lines->bytes + lines->to, CHUNK_BYTES);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return file_error(err, errno, "reading the plan");
    lines->to += (size_t)count;
    *is_end = count == 0;
    return true;
}

/* Without its newline; text->bytes is NULL at the end of the file. */
static bool next_line(struct lines *lines, struct plan_text *text, struct err *err)
{
    bool is_end = false;
    *text = (struct plan_text){0};
    lines->number++;
    for (size_t seen = 0;;) {
        size_t left = lines->to - lines->from - seen;
        const char *start = lines->bytes + lines->from;
        const char *newline = left == 0 ? NULL : memchr(start + seen, '\n', left);
        if (newline != NULL) {
            *text = (struct plan_text){start, (size_t)(newline - start)};
            lines->from += text->size_bytes + 1;
            lines->offset += text->size_bytes + 1;
            return true;
        }
        seen += left;
        if (is_end)
            return seen == 0 || ERR(err, ERR_CORRUPT, "cut off: the last line has no end");
        if (!read_more(lines, &is_end, err))
            return false;
    }
}

/* -- checking -----------------------------------------------------------------------------------
 */

/* What the first reading adds up and compares. */
struct check {
    struct plan_reader *reader;
    struct digest digest;
    struct plan_line canonical;
    struct arena scratch;
    struct plan_summary seen;
    struct buf last; /* directory of the action before */
    uint16_t last_place;
    enum plan_kind last_kind;
};

static void digest_line(struct check *check, struct plan_text text)
{
    digest_add(&check->digest, text.bytes, text.size_bytes);
    digest_add(&check->digest, "\n", 1);
}

static bool check_canonical(const struct check *check, struct plan_text text, struct err *err)
{
    const struct buf *canonical = &check->canonical.text;
    bool is_same = canonical->size == text.size_bytes &&
                   memcmp(canonical->bytes, text.bytes, text.size_bytes) == 0;
    return is_same || ERR(err, ERR_CORRUPT, "not written the way a plan is written");
}

static bool check_order(struct check *check, const struct plan_action *action, struct err *err)
{
    uint16_t place = plan_place(&check->reader->header, action->store);
    uint64_t before = 0;
    for (size_t i = 0; i < PLAN_KINDS; i++)
        before += check->seen.actions[i];
    int order = before == 0 ? -1
                            : plan_compare(check->last_place, buf_string(&check->last), place,
                                           action->directory);
    if (order > 0 || (order == 0 && check->last_kind >= action->kind))
        return ERR(err, ERR_CORRUPT, "%s is out of order", action->directory);
    check->last_place = place;
    check->last_kind = action->kind;
    buf_reset(&check->last);
    buf_text(&check->last, action->directory);
    return true;
}

static bool check_header(struct check *check, struct plan_text text, struct err *err)
{
    struct plan_reader *reader = check->reader;
    digest_line(check, text);
    if (!plan_parse_header(text, &reader->arena, &reader->header, err))
        return false;
    plan_line_header(&check->canonical, &reader->header);
    reader->actions_from = reader->lines.offset;
    return check_canonical(check, text, err);
}

static bool check_action(struct check *check, struct plan_text text, struct err *err)
{
    const struct plan_header *header = &check->reader->header;
    struct plan_action action;
    digest_line(check, text);
    arena_reset(&check->scratch);
    if (!plan_parse_action(text, header, &check->scratch, &action, err))
        return false;
    if (plan_begins(&action) && action.surveyed != header->surveyed)
        return ERR(err, ERR_CORRUPT, "a move that is not surveyed as the plan says");
    plan_line_action(&check->canonical, header, &action);
    if (!check_canonical(check, text, err) || !check_order(check, &action, err))
        return false;
    plan_count(&check->seen, &action);
    return true;
}

static bool is_sum(const struct plan_summary *seen, const struct plan_summary *told)
{
    return memcmp(seen->actions, told->actions, sizeof(seen->actions)) == 0 &&
           seen->move_recordings == told->move_recordings &&
           seen->move_objects == told->move_objects && seen->move_bytes == told->move_bytes &&
           seen->retier_recordings == told->retier_recordings &&
           seen->retier_objects == told->retier_objects &&
           seen->retier_bytes == told->retier_bytes &&
           seen->repair_recordings == told->repair_recordings &&
           seen->rollback_recordings == told->rollback_recordings &&
           seen->reap_objects == told->reap_objects &&
           seen->reap_bytes == told->reap_bytes;
}

static bool check_last(struct check *check, struct plan_text text, struct err *err)
{
    struct plan_reader *reader = check->reader;
    struct plan_last *last = &reader->last;
    uint8_t sum[DIGEST_SHA256_BYTES];
    char digest[PLAN_DIGEST_MAX] = "sha256:";
    digest_finish(&check->digest, sum);
    digest_hex(sum, sizeof(sum), digest + strlen(digest));
    if (!plan_parse_last(text, &reader->header, &reader->arena, last, err))
        return false;
    if (!str_equal(digest, last->digest))
        return ERR(err, ERR_CORRUPT, "its digest is not that of what stands above");
    plan_line_last(&check->canonical, &reader->header, &last->summary, last->digest, &last->made);
    if (!check_canonical(check, text, err))
        return false;
    if (!is_sum(&check->seen, &last->summary))
        return ERR(err, ERR_CORRUPT, "the summary does not sum up what stands above");
    last->summary.move_deletes = check->seen.move_deletes;
    struct plan_text more;
    if (!next_line(&reader->lines, &more, err))
        return false;
    return more.bytes == NULL || ERR(err, ERR_CORRUPT, "something stands behind the last line");
}

static bool check_lines(struct check *check, struct err *err)
{
    struct plan_reader *reader = check->reader;
    struct plan_text text;
    if (!next_line(&reader->lines, &text, err) || !check_header(check, text, err))
        return false;
    for (;;) {
        reader->actions_to = reader->lines.offset;
        if (!next_line(&reader->lines, &text, err))
            return false;
        if (text.bytes == NULL)
            return ERR(err, ERR_CORRUPT, "cut off: the last line is missing");
        size_t last_bytes = strlen(PLAN_PARSE_LAST);
        if (text.size_bytes > last_bytes && memcmp(text.bytes, PLAN_PARSE_LAST, last_bytes) == 0)
            return check_last(check, text, err);
        if (!check_action(check, text, err))
            return false;
    }
}

static bool check_all(struct plan_reader *reader, struct err *err)
{
    struct check check = {.reader = reader};
    digest_init(&check.digest, DIGEST_SHA256);
    plan_line_init(&check.canonical);
    arena_init(&check.scratch, plan_parse_bytes(PLAN_FILE_LINE_MAX));
    buf_init(&check.last, PLAN_FILE_LINE_MAX);
    bool done = check_lines(&check, err);
    if (!done)
        err_wrap(err, "line %" PRIu64, reader->lines.number);
    digest_abandon(&check.digest);
    plan_line_free(&check.canonical);
    arena_free(&check.scratch);
    buf_free(&check.last);
    return done;
}

/* -- opening ------------------------------------------------------------------------------------
 */

/* Whether it is a plan at all, before any line is looked for. */
static bool check_magic(int fd, struct err *err)
{
    char begins[sizeof(PLAN_PARSE_MAGIC)] = "";
    struct stat status;
    if (fstat(fd, &status) != 0)
        return file_error(err, errno, "looking at it");
    if (!S_ISREG(status.st_mode))
        return ERR(err, ERR_INPUT, "it is no file");
    ssize_t count = pread(fd, begins, sizeof(begins) - 1, 0);
    if (count < 0)
        return file_error(err, errno, "reading it");
    return str_equal(begins, PLAN_PARSE_MAGIC) || ERR(err, ERR_INPUT, "it is no plan of frostline");
}

static bool open_reader(struct plan_reader *reader, const char *path, struct err *err)
{
    reader->lines.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (reader->lines.fd < 0)
        return file_error(err, errno, "opening it");
    return check_magic(reader->lines.fd, err) && check_all(reader, err) &&
           plan_file_rewind(reader, err);
}

bool plan_file_open(const char *path, struct plan_reader **reader, struct err *err)
{
    struct plan_reader *made = calloc(1, sizeof(*made));
    char *bytes = malloc(2 * CHUNK_BYTES);
    if (made == NULL || bytes == NULL)
        err_abort("out of memory");
    made->lines = (struct lines){.bytes = bytes, .capacity = 2 * CHUNK_BYTES};
    arena_init(&made->arena, LASTING_BYTES_MAX);
    if (!open_reader(made, path, err)) {
        plan_file_close(made);
        return err_wrap(err, "plan %s", path);
    }
    *reader = made;
    return true;
}

void plan_file_close(struct plan_reader *reader)
{
    if (reader == NULL)
        return;
    file_close_fd(&reader->lines.fd);
    free(reader->lines.bytes);
    arena_free(&reader->arena);
    free(reader);
}

/* -- giving out ---------------------------------------------------------------------------------
 */

const struct plan_header *plan_file_header(const struct plan_reader *reader)
{
    return &reader->header;
}

const struct plan_summary *plan_file_summary(const struct plan_reader *reader)
{
    return &reader->last.summary;
}

const struct plan_made *plan_file_made(const struct plan_reader *reader)
{
    return &reader->last.made;
}

const char *plan_file_digest(const struct plan_reader *reader)
{
    return reader->last.digest;
}

bool plan_file_rewind(struct plan_reader *reader, struct err *err)
{
    reader->lines.number = 1;
    return seek(&reader->lines, reader->actions_from, err);
}

bool plan_file_next(struct plan_reader *reader, struct arena *arena, struct plan_action **action,
                    struct err *err)
{
    struct plan_text text;
    *action = NULL;
    if (reader->lines.offset == reader->actions_to)
        return true;
    if (!next_line(&reader->lines, &text, err))
        return false;
    if (text.bytes == NULL || reader->lines.offset > reader->actions_to)
        return ERR(err, ERR_CORRUPT, "the plan was changed while it was read");
    struct plan_action *made = arena_make(arena, sizeof(*made));
    if (!plan_parse_action(text, &reader->header, arena, made, err))
        return err_wrap(err, "line %" PRIu64 " of the plan", reader->lines.number);
    *action = made;
    return true;
}

/* -- the file itself ----------------------------------------------------------------------------
 */

static bool copy_bytes(int from, FILE *to, struct err *err)
{
    char bytes[4096];
    off_t offset = 0;
    ssize_t count = 1;
    while (count > 0 || (count < 0 && errno == EINTR)) {
        count = pread(from, bytes, sizeof(bytes), offset);
        if (count > 0)
            fwrite(bytes, 1, (size_t)count, to); /* the commit tells whether it worked */
        offset += count > 0 ? count : 0;
    }
    return count == 0 || file_error(err, errno, "reading the plan");
}

bool plan_file_copy(const struct plan_reader *reader, const char *path, struct err *err)
{
    struct file_new file;
    if (!file_new_open(&file, path, 0600, err))
        return false;
    if (copy_bytes(reader->lines.fd, file.stream, err))
        return file_new_commit(&file, err);
    file_new_abandon(&file);
    return false;
}
