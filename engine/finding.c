#include "engine/finding.h"

#include "engine/planning.h"
#include "engine/progress.h"
#include "engine/signals.h"
#include "engine/text.h"
#include "planner/whereabouts.h"
#include "policy/circle.h"

#define ROW_BYTES_MAX ((size_t)16 << 20)
#define IDS_AT_ONCE 1000
#define PROGRESS_ROWS 16384

struct finding {
    struct wiring *wiring;
    struct whereabouts whereabouts;
    struct arena row;
    uint64_t rows; /* that were read */
    finding_visit *visit;
    void *context;
};

/* A catalog_visit. */
static bool take(void *context, const struct record *record, struct err *err)
{
    struct finding *finding = context;
    struct policies *policies = finding->wiring->policies;
    struct found found = {.record = record, .spelling = SPELLING_FOREIGN};
    struct location location;
    arena_reset(&finding->row);
    if (++finding->rows % PROGRESS_ROWS == 0)
        progress_planned(NULL, finding->rows, 0, 0);
    if (record->location != NULL)
        found.spelling =
            location_read(&policies->places, record->location, &finding->row, &location);
    if (found.spelling != SPELLING_FOREIGN) {
        found.location = &location;
        if (!whereabouts_find(&finding->whereabouts, &finding->row, &location, err))
            return false;
    }
    circle_decide(policies, record, found.location, &found.decision);
    return !found.decision.asked || finding->visit(finding->context, &found, err);
}

static bool read_all(struct finding *finding, struct catalog_cursor *cursor, struct err *err)
{
    const struct catalog_ops *ops = finding->wiring->catalog->ops;
    const struct record *record;
    while (ops->cursor_next(cursor, &record, err)) {
        if (record == NULL)
            return true;
        if (atomic_load(signals_stop()))
            return ERR(err, ERR_CANCELLED, "stopped");
        if (!take(finding, record, err))
            return false;
    }
    return false;
}

static bool scan(struct finding *finding, struct err *err)
{
    struct catalog *catalog = finding->wiring->catalog;
    struct catalog_cursor *cursor;
    if (!catalog->ops->snapshot(catalog, err))
        return false;
    bool done = catalog->ops->cursor_open(catalog, &cursor, err);
    if (done) {
        done = read_all(finding, cursor, err);
        catalog->ops->cursor_close(cursor);
    }
    catalog->ops->snapshot_end(catalog);
    return done;
}

static bool fetch(struct finding *finding, struct err *err)
{
    const struct wiring *wiring = finding->wiring;
    bool done = true;
    for (size_t at = 0; done && at < wiring->id_count; at += IDS_AT_ONCE) {
        size_t left = wiring->id_count - at;
        done = wiring->catalog->ops->fetch(wiring->catalog, wiring->ids + at,
                                           left < IDS_AT_ONCE ? left : IDS_AT_ONCE, take, finding,
                                           err);
    }
    return done;
}

bool finding_each(struct wiring *wiring, finding_visit *visit, void *context, struct err *err)
{
    struct finding finding = {.wiring = wiring, .visit = visit, .context = context};
    arena_init(&finding.row, ROW_BYTES_MAX);
    whereabouts_init(&finding.whereabouts, wiring->policies, planning_tier, wiring);
    progress_plan(text_unit(wiring->policies->places.by_object));
    bool done = wiring->ids != NULL ? fetch(&finding, err) : scan(&finding, err);
    progress_end();
    whereabouts_free(&finding.whereabouts);
    arena_free(&finding.row);
    return done;
}
