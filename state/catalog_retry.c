#include "state/catalog_retry.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/str.h"

struct catalog_retry {
    struct catalog catalog;
    struct catalog_ops ops; /* the adapter's own, but for what is tried again */
    struct catalog *inner;
    struct clock *clock;
};

/* A statement that was cancelled has had its time: SQLSTATE query_canceled. */
#define CANCELED "57014"

/* True after a wait if the call shall be made again. */
static bool wait_again(struct clock *clock, unsigned *tries, const struct err *err)
{
    if (err->kind != ERR_BUSY || *tries + 1 >= CATALOG_TRIES_MAX || str_equal(err->code, CANCELED))
        return false;
    int64_t wait_us = (int64_t)CATALOG_RETRY_FIRST_US << (*tries)++;
    wait_us += (int64_t)(rand_system() % (uint64_t)wait_us) / 2;
    LOG(LOG_WARNING, "catalog-retried", LOG_TEXT("error", err->text), LOG_TEXT("code", err->code),
        LOG_NUMBER("wait_us", wait_us));
    clock->ops->sleep_us(clock, wait_us);
    return true;
}

static struct catalog_retry *retry_of(struct catalog *catalog)
{
    return (struct catalog_retry *)catalog;
}

static bool retry_describe(struct catalog *catalog, struct arena *arena,
                           struct catalog_shape *shape, struct err *err)
{
    struct catalog_retry *self = retry_of(catalog);
    for (unsigned tries = 0;;) {
        if (self->inner->ops->describe(self->inner, arena, shape, err))
            return true;
        if (!wait_again(self->clock, &tries, err))
            return false;
    }
}

static bool retry_examine(struct catalog *catalog, struct arena *arena,
                          struct catalog_health *health, struct err *err)
{
    struct catalog_retry *self = retry_of(catalog);
    for (unsigned tries = 0;;) {
        if (self->inner->ops->examine(self->inner, arena, health, err))
            return true;
        if (!wait_again(self->clock, &tries, err))
            return false;
    }
}

static bool retry_snapshot(struct catalog *catalog, struct err *err)
{
    struct catalog_retry *self = retry_of(catalog);
    for (unsigned tries = 0;;) {
        if (self->inner->ops->snapshot(self->inner, err))
            return true;
        if (!wait_again(self->clock, &tries, err))
            return false;
    }
}

static void retry_snapshot_end(struct catalog *catalog)
{
    struct catalog *inner = retry_of(catalog)->inner;
    inner->ops->snapshot_end(inner);
}

static bool retry_cursor_open(struct catalog *catalog, struct catalog_cursor **cursor,
                              struct err *err)
{
    struct catalog *inner = retry_of(catalog)->inner;
    return inner->ops->cursor_open(inner, cursor, err);
}

static bool retry_cut_over(struct catalog *catalog, const struct catalog_cut *cut,
                           enum catalog_outcome *outcome, struct err *err)
{
    struct catalog_retry *self = retry_of(catalog);
    for (unsigned tries = 0;;) {
        if (self->inner->ops->cut_over(self->inner, cut, outcome, err))
            return true;
        if (!wait_again(self->clock, &tries, err))
            return false;
    }
}

static bool retry_look(struct catalog *catalog, const struct catalog_cut *cut, bool lock,
                       struct catalog_sight *sight, struct err *err)
{
    struct catalog_retry *self = retry_of(catalog);
    for (unsigned tries = 0;;) {
        if (self->inner->ops->look(self->inner, cut, lock, sight, err))
            return true;
        if (!wait_again(self->clock, &tries, err))
            return false;
    }
}

/* A visitor that was called once must not see the same row again. */
struct watched_visit {
    catalog_visit *visit;
    void *context;
    bool visited;
};

static bool visit_watched(void *context, const struct record *record, struct err *err)
{
    struct watched_visit *watched = context;
    watched->visited = true;
    return watched->visit(watched->context, record, err);
}

static bool retry_fetch(struct catalog *catalog, const char *const *ids, size_t count,
                        catalog_visit *visit, void *context, struct err *err)
{
    struct catalog_retry *self = retry_of(catalog);
    struct watched_visit watched = {.visit = visit, .context = context};
    for (unsigned tries = 0;;) {
        if (self->inner->ops->fetch(self->inner, ids, count, visit_watched, &watched, err))
            return true;
        if (watched.visited || !wait_again(self->clock, &tries, err))
            return false;
    }
}

static bool retry_below(struct catalog *catalog, const char *url, size_t limit,
                        catalog_visit *visit, void *context, struct err *err)
{
    struct catalog_retry *self = retry_of(catalog);
    struct watched_visit watched = {.visit = visit, .context = context};
    for (unsigned tries = 0;;) {
        if (self->inner->ops->below(self->inner, url, limit, visit_watched, &watched, err))
            return true;
        if (watched.visited || !wait_again(self->clock, &tries, err))
            return false;
    }
}

static bool retry_referenced(struct catalog *catalog, const char *const *urls, size_t count,
                             const struct catalog_reference **found, struct err *err)
{
    struct catalog_retry *self = retry_of(catalog);
    for (unsigned tries = 0;;) {
        if (self->inner->ops->referenced(self->inner, urls, count, found, err))
            return true;
        if (!wait_again(self->clock, &tries, err))
            return false;
    }
}

static void retry_close(struct catalog *catalog)
{
    struct catalog_retry *self = retry_of(catalog);
    self->inner->ops->close(self->inner);
    free(self);
}

struct catalog *catalog_retry_wrap(struct catalog *inner, struct clock *clock)
{
    struct catalog_retry *self = malloc(sizeof *self);
    if (self == NULL)
        err_abort("out of memory");
    *self = (struct catalog_retry){
        .catalog.ops = &self->ops,
        .ops = {.kind = inner->ops->kind,
                .describe = retry_describe,
                .examine = retry_examine,
                .snapshot = retry_snapshot,
                .snapshot_end = retry_snapshot_end,
                .cursor_open = retry_cursor_open,
                .cursor_next = inner->ops->cursor_next,
                .cursor_close = inner->ops->cursor_close,
                .cut_over = retry_cut_over,
                .look = retry_look,
                .fetch = retry_fetch,
                .below = retry_below,
                .referenced = retry_referenced,
                .close = retry_close},
        .inner = inner,
        .clock = clock,
    };
    return &self->catalog;
}

bool catalog_retry_open(catalog_opener *open, const struct catalog_config *config,
                        struct clock *clock, struct catalog **catalog, struct err *err)
{
    struct catalog *inner = NULL;
    for (unsigned tries = 0; !open(config, &inner, err);)
        if (!wait_again(clock, &tries, err))
            return false;
    *catalog = catalog_retry_wrap(inner, clock);
    return true;
}
