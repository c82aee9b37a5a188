/* Any bytes as a plan file: an error, or a plan that keeps what its reader promises: rendered again
 * it has the same bytes, its actions are in order and add up to the summary, and no text is of a
 * kind that whoever shows or applies it can't take; never a crash.  The digest would keep nearly
 * every mutation out, so each input is read twice: as it is, and with the sums and the digest of
 * its last line made to fit, as somebody who tampers would.                                      */
#include <ctype.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/str.h"
#include "base/when.h"
#include "planner/plan_line.h"
#include "planner/plan_parse.h"
#include "planner/planner.h"
#include "policy/window.h"
#include "state/location.h"

#define FUZZ_ARENA_BYTES ((size_t)256 << 20)
#define FUZZ_BYTES_MAX ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_require(bool holds)
{
    if (!holds)
        abort();
}

/* ---- sums and digest, made to fit ---- */

static void fuzz_add(struct plan_summary *sums, const struct plan_action *action)
{
    sums->actions[action->kind]++;
    if (action->kind == PLAN_RETIER) {
        sums->retier_recordings += action->row_total;
        sums->retier_objects = plan_sum(sums->retier_objects, action->objects);
        sums->retier_bytes = plan_sum(sums->retier_bytes, action->bytes);
    } else if (action->kind == PLAN_REPAIR) {
        sums->repair_recordings += action->row_total;
    } else if (action->kind == PLAN_ROLLBACK) {
        sums->rollback_recordings += action->row_total;
    } else if (action->kind == PLAN_MOVE) {
        sums->move_recordings += action->row_total;
        sums->move_objects = plan_sum(sums->move_objects, action->objects);
        sums->move_bytes = plan_sum(sums->move_bytes, action->bytes);
    } else if (action->kind == PLAN_REAP) {
        sums->reap_objects = plan_sum(sums->reap_objects, action->objects);
        sums->reap_bytes = plan_sum(sums->reap_bytes, action->bytes);
    }
}

/* The actions that there are, whatever else is wrong. */
static void fuzz_add_up(const char *bytes, size_t size, struct plan_summary *sums)
{
    struct arena header_arena, arena;
    struct plan_header header;
    struct plan_action action;
    struct err err;
    arena_init(&header_arena, FUZZ_ARENA_BYTES);
    arena_init(&arena, FUZZ_ARENA_BYTES);
    bool is_header = true, has_header = false;
    for (const char *end, *at = bytes; (end = memchr(at, '\n', (size_t)(bytes + size - at)));
         at = end + 1) {
        struct plan_text text = {at, (size_t)(end - at)};
        arena_reset(&arena);
        if (is_header)
            has_header = plan_parse_header(text, &header_arena, &header, &err);
        else if (has_header && plan_parse_action(text, &header, &arena, &action, &err))
            fuzz_add(sums, &action);
        is_header = false;
    }
    arena_free(&arena);
    arena_free(&header_arena);
}

/* The text with another value behind the first such key. */
static void fuzz_put(struct arena *arena, char **text, const char *key, const char *value,
                     size_t old_bytes)
{
    char *at = strstr(*text, key);
    if (at == NULL || strlen(at + strlen(key)) < old_bytes)
        return;
    at += strlen(key);
    *text = str_format(arena, "%.*s%s%s", (int)(at - *text), *text, value, at + old_bytes);
}

static void fuzz_put_number(struct arena *arena, char **text, const char *key, uint64_t number)
{
    const char *quoted = str_format(arena, "\"%s\":", key);
    const char *at = strstr(*text, quoted);
    size_t digits = 0;
    while (at != NULL && isdigit((unsigned char)at[strlen(quoted) + digits]))
        digits++;
    fuzz_put(arena, text, quoted, str_format(arena, "%" PRIu64, number), digits);
}

/* The last line, and what stands above it. */
static const char *fuzz_repair(struct arena *arena, const char *bytes, size_t above)
{
    struct plan_summary sums = {0};
    uint8_t raw[DIGEST_SHA256_BYTES];
    char hex[DIGEST_HEX_MAX];
    char *last = arena_copy(arena, bytes + above);
    fuzz_add_up(bytes, above, &sums);
    for (enum plan_kind kind = 0; kind < PLAN_KINDS; kind++)
        fuzz_put_number(arena, &last, plan_kind_name(kind), sums.actions[kind]);
    fuzz_put_number(arena, &last, "move_recordings", sums.move_recordings);
    fuzz_put_number(arena, &last, "move_objects", sums.move_objects);
    fuzz_put_number(arena, &last, "move_bytes", sums.move_bytes);
    fuzz_put_number(arena, &last, "retier_recordings", sums.retier_recordings);
    fuzz_put_number(arena, &last, "retier_objects", sums.retier_objects);
    fuzz_put_number(arena, &last, "retier_bytes", sums.retier_bytes);
    fuzz_put_number(arena, &last, "repair_recordings", sums.repair_recordings);
    fuzz_put_number(arena, &last, "rollback_recordings", sums.rollback_recordings);
    fuzz_put_number(arena, &last, "reap_objects", sums.reap_objects);
    fuzz_put_number(arena, &last, "reap_bytes", sums.reap_bytes);
    digest_of(DIGEST_SHA256, bytes, above, raw);
    digest_hex(raw, sizeof raw, hex);
    fuzz_put(arena, &last, "\"digest\":\"sha256:", hex, strlen(hex));
    return last;
}

/* ---- what a reader promises ---- */

static void fuzz_check_action(const struct plan_header *header, const struct plan_action *action)
{
    fuzz_require(action->store < header->store_count && action->directory != NULL);
    size_t length = strlen(action->directory);
    fuzz_require(length > 0 && length <= LOCATION_BYTES_MAX);
    fuzz_require(!plan_begins(action) ||
                 (action->directory[length - 1] == '/') == !header->by_object);
    fuzz_require(header->request == NULL || !plan_names_unit(action));
    fuzz_require(action->kind == PLAN_BLOCKED || action->target != POLICY_NO_INDEX);
    fuzz_require(action->target == POLICY_NO_INDEX ||
                 (action->target < header->store_count && action->target != action->store &&
                  str_equal(action->target_directory, action->directory)));
    for (size_t i = 0; i < action->row_count; i++)
        fuzz_require(action->rows[i].id != NULL && action->rows[i].location != NULL &&
                     action->rows[i].because != NULL);
    if (action->kind != PLAN_MOVE)
        return;
    fuzz_require(action->policy != NULL && action->row_count > 0 &&
                 action->row_count <= PLANNER_ROWS_MAX && action->row_count == action->row_total);
    fuzz_require(action->surveyed == header->surveyed && action->terms.grace_us >= 0 &&
                 action->terms.grace_us <= WHEN_DURATION_MAX_US);
    fuzz_require(action->window == NULL || window_texts_valid(action->window));
}

static void fuzz_check_summary(const struct plan_header *header, const struct plan_summary *summary,
                               const struct plan_summary *sums)
{
    fuzz_require(memcmp(summary->actions, sums->actions, sizeof sums->actions) == 0);
    fuzz_require(summary->retier_recordings == sums->retier_recordings &&
                 summary->retier_objects == sums->retier_objects &&
                 summary->retier_bytes == sums->retier_bytes &&
                 summary->repair_recordings == sums->repair_recordings &&
                 summary->rollback_recordings == sums->rollback_recordings);
    fuzz_require(
        summary->move_recordings == sums->move_recordings &&
        summary->move_objects == sums->move_objects && summary->move_bytes == sums->move_bytes &&
        summary->reap_objects == sums->reap_objects && summary->reap_bytes == sums->reap_bytes);
    fuzz_require(summary->total_count == header->store_count);
    for (size_t i = 0; i < summary->funnel_count; i++) {
        const struct plan_funnel *funnel = &summary->funnels[i];
        fuzz_require(plan_funnel_adds_up(funnel) && funnel->target < header->store_count &&
                     (!funnel->failed || funnel->guard != NULL));
    }
}

static void fuzz_check_made(const struct plan_made *made)
{
    fuzz_require(made->by != NULL && made->host != NULL && made->policy != NULL);
}

static void fuzz_put_line(struct buf *out, const struct plan_line *line)
{
    buf_add(out, line->text.bytes, line->text.size);
    buf_char(out, '\n');
}

/* Every action, rendered behind the header; what they add up to. */
static void fuzz_read_actions(struct plan_reader *reader, struct plan_line *line, struct buf *out,
                              struct plan_summary *sums)
{
    const struct plan_header *header = plan_file_header(reader);
    struct plan_action *action, before = {0};
    struct arena arenas[2]; /* of this action, and of the one before */
    struct err err;
    arena_init(&arenas[0], FUZZ_ARENA_BYTES);
    arena_init(&arenas[1], FUZZ_ARENA_BYTES);
    for (size_t i = 0;; i++) {
        arena_reset(&arenas[i % 2]);
        fuzz_require(plan_file_next(reader, &arenas[i % 2], &action, &err));
        if (action == NULL)
            break;
        int order = i == 0 ? -1
                           : plan_compare(plan_place(header, before.store), before.directory,
                                          plan_place(header, action->store), action->directory);
        fuzz_require(order < 0 || (order == 0 && before.kind < action->kind));
        fuzz_check_action(header, action);
        fuzz_add(sums, action);
        plan_line_action(line, header, action);
        fuzz_put_line(out, line);
        before = *action;
    }
    arena_free(&arenas[0]);
    arena_free(&arenas[1]);
}

static void fuzz_check(struct plan_reader *reader, const char *bytes, size_t size)
{
    const struct plan_header *header = plan_file_header(reader);
    const struct plan_summary *summary = plan_file_summary(reader);
    struct plan_summary sums = {0};
    struct plan_line line;
    struct buf out;
    plan_line_init(&line);
    buf_init(&out, FUZZ_BYTES_MAX);
    plan_line_header(&line, header);
    fuzz_put_line(&out, &line);
    fuzz_read_actions(reader, &line, &out, &sums);
    fuzz_check_summary(header, summary, &sums);
    fuzz_check_made(plan_file_made(reader));
    plan_line_last(&line, header, summary, plan_file_digest(reader), plan_file_made(reader));
    fuzz_put_line(&out, &line);
    fuzz_require(out.size == size && memcmp(out.bytes, bytes, size) == 0);
    buf_free(&out);
    plan_line_free(&line);
}

/* The file is without a name, but has a path. */
static void fuzz_open(const char *bytes, size_t size)
{
    FILE_FD fd = memfd_create("plan", MFD_CLOEXEC);
    char path[64];
    struct plan_reader *reader;
    struct err err = {0};
    fuzz_require(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    bool opened = plan_file_open(path, &reader, &err);
    fuzz_require(opened == (err.kind == ERR_NONE));
    fuzz_require(opened || err.kind == ERR_CORRUPT || err.kind == ERR_INPUT);
    if (!opened)
        return;
    fuzz_check(reader, bytes, size);
    plan_file_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    if (size == 0 || size > FUZZ_BYTES_MAX)
        return 0;
    arena_init(&arena, FUZZ_ARENA_BYTES);
    const char *bytes = str_copy(&arena, (const char *)data, size);
    const char *newline = memrchr(bytes, '\n', size - 1);
    size_t above = newline == NULL ? 0 : (size_t)(newline - bytes) + 1;
    fuzz_open(bytes, size);
    const char *last = fuzz_repair(&arena, bytes, above);
    if (!str_equal(last, bytes + above)) {
        size_t last_bytes = strlen(last);
        char *repaired = arena_make(&arena, above + last_bytes + 1);
        memcpy(repaired, bytes, above);
        memcpy(repaired + above, last, last_bytes);
        fuzz_open(repaired, above + last_bytes);
    }
    arena_free(&arena);
    return 0;
}
