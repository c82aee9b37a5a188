#include "engine/wizard_find.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "engine/finding.h"
#include "engine/planning.h"
#include "engine/request.h"
#include "engine/text.h"
#include "engine/wizard_policy.h"
#include "state/place.h"

#define ROW_BYTES_MAX ((size_t)1 << 20)
#define FIRST_SHOWN 5
#define SHOWN_BYTES_MAX 2048 /* of one */
#define LOCATION_BYTES 80    /* that are shown */
#define CONTAINER_BYTES_MIN 3
#define CONTAINER_BYTES_MAX 63

/* One of the first, by their time. */
struct shown {
    int64_t time_us;
    char text[SHOWN_BYTES_MAX];
};

struct finds {
    const struct wizard_find *find;
    struct wiring *wiring;
    struct wizard_containers containers; /* that the policy lacks */
    uint64_t count, bytes, sizeless;     /* to migrate */
    uint64_t at_target, elsewhere, unknown;
    const char *stranger; /* one that is elsewhere */
    struct shown first[FIRST_SHOWN + 1];
    struct arena row;
};

/* -- containers -----------------------------------------------------------------------------------
 */

/* As Azure would name one: other words in a location are no container, and no store's name. */
static bool is_container(const char *name, size_t size)
{
    bool begins = name[0] != '-';
    for (size_t i = 0; begins && i < size; i++)
        begins = name[i] != '-' || (i + 1 < size && name[i + 1] != '-');
    return begins && size >= CONTAINER_BYTES_MIN && size <= CONTAINER_BYTES_MAX &&
           name[size] == '/';
}

/* The container of the source account that the location is in; NULL: it is in none. */
static const char *container_of(struct finds *finds, const char *location)
{
    const char *account = finds->find->account;
    const char *meaning = place_meaning(location, &finds->row);
    if (meaning == NULL || !str_starts(meaning, account))
        return NULL;
    const char *name = meaning + strlen(account);
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return is_container(name, size) ? str_copy(&finds->row, name, size) : NULL;
}

/* The store is in the policy, and the location is not in it: somebody wrote it otherwise. */
static bool has_store(const struct policies *policies, const char *name)
{
    for (size_t i = 0; i < policies->store_count; i++)
        if (str_equal(policies->stores[i].name, name))
            return true;
    return false;
}

/* Is it in a store, or in a container that becomes one? */
static bool check_reach(struct finds *finds, const struct found *found, bool *reachable,
                        struct err *err)
{
    const struct policies *policies = finds->wiring->policies;
    const char *location = found->record->location, *container = NULL;
    *reachable = found->location != NULL;
    if (!*reachable && finds->find->account != NULL && location != NULL)
        container = container_of(finds, location);
    if (container == NULL || has_store(policies, wizard_policy_store(container)))
        return true;
    *reachable = true;
    return wizard_policy_add(&finds->containers, container, &finds->wiring->arena, err);
}

/* -- records --------------------------------------------------------------------------------------
 */

static void describe(const struct record *record, struct shown *shown)
{
    const char *location = record->location == NULL ? "-" : text_plain(record->location);
    size_t size = strlen(location), cut = str_cut(location, size, LOCATION_BYTES);
    snprintf(shown->text, sizeof(shown->text),
             "ECAL ID: %s\n"
             "   Recording Start: %s\n"
             "   Size: %s\n"
             "   Current Location: %.*s%s\n",
             text_plain(record->id), record->has_time ? text_instant(record->time_us) : "-",
             record->has_bytes ? text_size(record->bytes) : "-", (int)cut, location,
             cut < size ? "..." : "");
}

/* The earliest are kept, in their order; those without a time come last. */
static void keep_first(struct finds *finds, const struct record *record)
{
    int64_t time_us = record->has_time ? record->time_us : INT64_MAX;
    size_t kept = finds->count < FIRST_SHOWN ? (size_t)finds->count : FIRST_SHOWN, at = kept;
    while (at > 0 && finds->first[at - 1].time_us > time_us)
        at--;
    if (at == FIRST_SHOWN)
        return;
    memmove(&finds->first[at + 1], &finds->first[at], (kept - at) * sizeof(*finds->first));
    finds->first[at].time_us = time_us;
    describe(record, &finds->first[at]);
}

/* A finding_visit. */
static bool take(void *context, const struct found *found, struct err *err)
{
    struct finds *finds = context;
    const struct policy_store *stores = finds->wiring->policies->stores;
    const struct record *record = found->record;
    bool reachable;
    arena_reset(&finds->row);
    if (found->location != NULL &&
        str_equal(stores[found->location->store].name, finds->find->target)) {
        finds->at_target++;
        return true;
    }
    if (!check_reach(finds, found, &reachable, err))
        return false;
    if (!reachable) {
        if (finds->elsewhere++ == 0)
            finds->stranger = arena_copy(&finds->wiring->arena, record->id);
        return true;
    }
    keep_first(finds, record);
    finds->count++;
    if (record->has_bytes)
        finds->bytes += record->bytes;
    else
        finds->sizeless++;
    return true;
}

/* A policy_each_missing_id visit. */
static bool take_missing(void *context, const char *id, const char *where, struct err *err)
{
    struct finds *finds = context;
    (void)err;
    if (!str_starts(where, POLICY_REQUEST))
        return true;
    fprintf(stderr, "Not in the catalog: %s\n", text_plain(id));
    finds->unknown++;
    return true;
}

/* -- all of it ------------------------------------------------------------------------------------
 */

static void show(const struct finds *finds)
{
    if (finds->at_target > 0)
        fprintf(stderr, "%" PRIu64 " record(s) are in %s already and are skipped.\n",
                finds->at_target, finds->find->target);
    if (finds->elsewhere > 0)
        fprintf(stderr,
                "%" PRIu64 " record(s) lie in no known store, and can't be migrated, like %s.\n",
                finds->elsewhere, text_plain(finds->stranger));
    if (finds->count == 0) {
        fputs("No records found to migrate.\n", stderr);
        return;
    }
    fprintf(stderr,
            "Found %" PRIu64 " record(s) to migrate:\n"
            "--------------------------------------------------\n",
            finds->count);
    for (size_t i = 0; i < FIRST_SHOWN && i < finds->count; i++)
        fprintf(stderr, "%zu. %s", i + 1, finds->first[i].text);
    if (finds->count > FIRST_SHOWN)
        fprintf(stderr, "... and %" PRIu64 " more record(s)\n", finds->count - FIRST_SHOWN);
    fprintf(stderr, "\nTotal size to migrate: %s\n", text_size(finds->bytes));
    if (finds->sizeless > 0)
        fprintf(stderr, "and %" PRIu64 " record(s) whose size the catalog does not tell.\n",
                finds->sizeless);
}

static enum exit_code look(struct finds *finds, const char *word)
{
    struct wiring *wiring = finds->wiring;
    const struct wizard_find *find = finds->find;
    bool simulation;
    struct err err;
    enum exit_code code = request_narrow(wiring, &word, 1);
    if (code == EXIT_OK)
        code = wiring_load(wiring, find->policy);
    if (code == EXIT_OK)
        code = wiring_open_catalog(wiring);
    if (code == EXIT_OK && wiring_has_state(wiring))
        code = wiring_open_journal(wiring, JOURNAL_READ);
    if (code == EXIT_OK)
        code = planning_prepare(wiring, NULL, &simulation);
    if (code != EXIT_OK)
        return code;
    finds->containers.others = wiring->policies->store_count;
    bool done = finding_each(wiring, take, finds, &err) &&
                policy_each_missing_id(wiring->policies, take_missing, finds, &err);
    if (done && finds->containers.count > 0)
        done = wizard_policy_extend(find->policy, &finds->containers, &wiring->arena, &err);
    return done ? EXIT_OK : exit_with(&err);
}

enum exit_code wizard_find_show(const struct wizard_find *find, const char *word, bool *found)
{
    struct wiring wiring;
    struct finds finds = {.find = find, .wiring = &wiring};
    wiring_init(&wiring, find->options);
    arena_init(&finds.row, ROW_BYTES_MAX);
    enum exit_code code = look(&finds, word);
    if (code == EXIT_OK && finds.unknown == 0)
        show(&finds);
    else if (code == EXIT_OK)
        fputs("Choose again: leave these out, or spell them as the catalog does.\n", stderr);
    *found = code == EXIT_OK && finds.count > 0 && finds.unknown == 0;
    arena_free(&finds.row);
    wiring_close(&wiring);
    return code;
}
