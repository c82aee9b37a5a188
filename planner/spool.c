#include "planner/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define PENDING_BYTES (256u << 10)
#define WINDOW_BYTES (64u << 10)

struct sizes {
    uint64_t head_bytes, body_bytes;
};

/* -- writing ---------------------------------------------------------------------------------- */

/* Where the file system knows no files without a name, one that loses it at once. */
static int open_unlinked(const char *folder)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/.frostline-XXXXXX", folder) >= (int)sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

bool spool_open(struct spool *spool, const char *folder, struct err *err)
{
    *spool = (struct spool){.fd = open(folder, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600)};
    if (spool->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
        spool->fd = open_unlinked(folder);
    if (spool->fd < 0)
        return file_error(err, errno, "creating a temporary file in %s", folder);
    buf_init(&spool->pending, PENDING_BYTES + SPOOL_RECORD_BYTES_MAX);
    return true;
}

void spool_close(struct spool *spool)
{
    if (spool->fd < 0)
        return;
    close(spool->fd);
    spool->fd = -1;
    buf_free(&spool->pending);
}

static bool flush(struct spool *spool, struct err *err)
{
    for (size_t done = 0; done < spool->pending.size;) {
        ssize_t count = write(spool->fd, spool->pending.bytes + done, spool->pending.size - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return file_error(err, errno, "writing a temporary file");
        done += (size_t)count;
    }
    buf_reset(&spool->pending);
    return true;
}

bool spool_add(struct spool *spool, uint16_t store, const struct buf *head, const struct buf *body,
               struct err *err)
{
    struct spool_segment *segment = &spool->segments[store];
    struct sizes sizes = {head->size, body->size};
    if (segment->count > 0 && segment->to != spool->size_bytes)
        return ERR(err, ERR_INTERNAL, "the records of store %u stand apart", (unsigned)store);
    if (segment->count == 0)
        segment->from = spool->size_bytes;

    buf_add(&spool->pending, &sizes, sizeof(sizes));
    buf_add(&spool->pending, head->bytes, head->size);
    buf_add(&spool->pending, body->bytes, body->size);
    if (!buf_check(&spool->pending, "what is known of one directory", err))
        return false;
    spool->size_bytes += sizeof(sizes) + head->size + body->size;
    segment->to = spool->size_bytes;
    segment->count++;
    spool->count++;
    return spool->pending.size < PENDING_BYTES || flush(spool, err);
}

bool spool_finish(struct spool *spool, struct err *err)
{
    uint64_t first = 0;
    for (size_t i = 0; i < PLACE_MAX; i++) {
        spool->segments[i].first = first;
        first += spool->segments[i].count;
    }
    return flush(spool, err);
}

/* -- reading ---------------------------------------------------------------------------------- */

void spool_cursor_init(struct spool_cursor *cursor, const struct spool *spool, size_t first_store,
                       size_t store_end)
{
    *cursor = (struct spool_cursor){.spool = spool, .store = first_store, .store_end = store_end};
    if (first_store < store_end) {
        cursor->at = spool->segments[first_store].from;
        cursor->index = spool->segments[first_store].first;
    }
}

void spool_cursor_free(struct spool_cursor *cursor)
{
    free(cursor->window);
    cursor->window = NULL;
}

/* Fills the window from `at` on with as much as there is. */
static bool load(struct spool_cursor *cursor, uint64_t at, size_t size_bytes, struct err *err)
{
    size_t wanted = size_bytes > WINDOW_BYTES ? size_bytes : WINDOW_BYTES;
    if (cursor->window_capacity < wanted) {
        free(cursor->window);
        cursor->window = malloc(wanted);
        if (cursor->window == NULL)
            err_abort("out of memory");
        cursor->window_capacity = wanted;
    }
    cursor->window_at = at;
    cursor->window_bytes = 0;
    while (cursor->window_bytes < wanted) {
        ssize_t count = pread(cursor->spool->fd, cursor->window + cursor->window_bytes,
                              wanted - cursor->window_bytes, (off_t)(at + cursor->window_bytes));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return file_error(err, errno, "reading a temporary file");
        if (count == 0)
            break;
        cursor->window_bytes += (size_t)count;
    }
    return true;
}

static bool fetch(struct spool_cursor *cursor, uint64_t at, uint64_t size_bytes, const char **bytes,
                  struct err *err)
{
    bool there =
        at >= cursor->window_at && at + size_bytes <= cursor->window_at + cursor->window_bytes;
    if (!there && size_bytes <= SPOOL_RECORD_BYTES_MAX &&
        !load(cursor, at, (size_t)size_bytes, err))
        return false;
    if (!there && size_bytes > cursor->window_bytes)
        return ERR(err, ERR_CORRUPT, "a temporary file ends too early");
    *bytes = cursor->window + (at - cursor->window_at);
    return true;
}

bool spool_next(struct spool_cursor *cursor, bool *found, struct packed *head, uint64_t *index,
                struct err *err)
{
    const struct spool_segment *segments = cursor->spool->segments;
    while (cursor->store < cursor->store_end &&
           (segments[cursor->store].count == 0 || cursor->at == segments[cursor->store].to)) {
        if (++cursor->store < cursor->store_end)
            cursor->at = segments[cursor->store].from;
    }
    *found = cursor->store < cursor->store_end;
    if (!*found)
        return true;

    const char *bytes;
    struct sizes sizes;
    if (!fetch(cursor, cursor->at, sizeof(sizes), &bytes, err))
        return false;
    memcpy(&sizes, bytes, sizeof(sizes));
    if (!fetch(cursor, cursor->at + sizeof(sizes), sizes.head_bytes, &bytes, err))
        return false;
    *head = (struct packed){.at = bytes, .size_bytes = (size_t)sizes.head_bytes};
    *index = cursor->index++;
    cursor->body_at = cursor->at + sizeof(sizes) + sizes.head_bytes;
    cursor->body_bytes = sizes.body_bytes;
    cursor->at = cursor->body_at + sizes.body_bytes;
    return true;
}

bool spool_body(struct spool_cursor *cursor, struct packed *body, struct err *err)
{
    const char *bytes;
    if (!fetch(cursor, cursor->body_at, cursor->body_bytes, &bytes, err))
        return false;
    *body = (struct packed){.at = bytes, .size_bytes = (size_t)cursor->body_bytes};
    return true;
}
