#include "executor/listing.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "state/unit.h"

#define PAGES_BYTES_MAX ((size_t)4 << 30)     /* of the pages of one call         */
#define DIRECTORY_BYTES_MAX ((size_t)2 << 30) /* of a directory on several pages  */
#define PAGES_MAX 20000                       /* of a directory                   */

#define SPARSE_FACTOR 2   /* so many times what is expected, and a prefix is sparse  */
#define OBJECTS_A_PART 64 /* listing so many for nothing is as bad as a request more */

#define DIRECTORIES_A_PART 4 /* for fewer, a part that is given up as well costs too much */

struct run {
    struct store *store;
    const char *const *directories;
    size_t count;
    bool *done; /* visited */
    listing_visit *visit;
    void *context;
    struct listing_tally *tally;
    size_t limit; /* of objects on a page of a flat listing; 0: none                         */
    size_t most;  /* so many objects, and a flat listing is given up; 0: as long as it pays  */
    bool strayed; /* one was given up among objects that nobody asked for                    */
};

/* Objects of one directory that came with more than one page. */
struct pile {
    struct arena arena;
    struct object *objects;
    size_t count, capacity;
};

static void *must(void *memory)
{
    if (!memory)
        err_abort("out of memory");
    return memory;
}

/* -- one directory ---------------------------------------------------------------------------- */

static bool fail(struct run *run, size_t index, const struct err *failure, struct err *err)
{
    run->done[index] = true;
    return run->visit(run->context, index, NULL, 0, 0, failure, err);
}

static void sort(struct object *objects, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (object_compare(&objects[i - 1], &objects[i]) > 0) {
            qsort(objects, count, sizeof *objects, object_compare);
            return;
        }
    }
}

/* False with a failure if it can't be the list of a directory's objects. */
static bool check(const char *directory, const struct object *objects, size_t count,
                  struct err *failure)
{
    if (count > LISTING_OBJECTS_MAX)
        return ERR(failure, ERR_INPUT, "%s has more than %d objects", directory,
                   LISTING_OBJECTS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (!unit_covers(directory, objects[i].key))
            return ERR(failure, ERR_CORRUPT, "%s is listed below %s", objects[i].key, directory);
        if (i > 0 && object_compare(&objects[i - 1], &objects[i]) == 0)
            return ERR(failure, ERR_CORRUPT, "%s is listed twice", objects[i].key);
    }
    return true;
}

/* Hands all objects of the directory, keys whole, to the visitor. */
static bool deliver(struct run *run, size_t index, struct object *objects, size_t count,
                    int64_t server_us, struct err *err)
{
    const char *directory = run->directories[index];
    struct err failure;
    sort(objects, count);
    if (!check(directory, objects, count, &failure))
        return fail(run, index, &failure, err);

    for (size_t i = 0; i < count; i++)
        objects[i].key += strlen(directory);
    run->done[index] = true;
    return run->visit(run->context, index, objects, count, server_us, NULL, err);
}

static void pile_reset(struct pile *pile)
{
    arena_reset(&pile->arena);
    pile->count = 0;
}

static void pile_free(struct pile *pile)
{
    arena_free(&pile->arena);
    free(pile->objects);
}

static size_t size_of(const struct object *object)
{
    const char *const texts[] = {object->key, object->etag, object->copy_id, object->copy_says};
    size_t size_bytes = 0;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        size_bytes += (texts[i] ? strlen(texts[i]) : 0) + 32;
    return size_bytes;
}

/* Keeps copies: the page they are on goes. */
static bool pile_add(struct pile *pile, const struct object *objects, size_t count,
                     struct err *failure)
{
    if (count > LISTING_OBJECTS_MAX - pile->count)
        return ERR(failure, ERR_INPUT, "more than %d objects in a directory", LISTING_OBJECTS_MAX);
    if (pile->count + count > pile->capacity) {
        pile->capacity = 2 * (pile->count + count);
        pile->objects = must(realloc(pile->objects, pile->capacity * sizeof *pile->objects));
    }
    for (size_t i = 0; i < count; i++) {
        struct object *object = &pile->objects[pile->count];
        if (!arena_has(&pile->arena, size_of(&objects[i])))
            return ERR(failure, ERR_INPUT, "the objects of a directory need too much memory");
        *object = objects[i];
        object->key = arena_copy(&pile->arena, objects[i].key);
        object->etag = arena_copy(&pile->arena, objects[i].etag);
        if (object->copy_id)
            object->copy_id = arena_copy(&pile->arena, objects[i].copy_id);
        if (object->copy_says)
            object->copy_says = arena_copy(&pile->arena, objects[i].copy_says);
        pile->count++;
    }
    return true;
}

/* -- a listing for each directory ------------------------------------------------------------- */

/* A directory being listed. */
struct slot {
    size_t index;
    size_t pages;
    const char *marker;
    struct pile pile;
};

/* Takes a page; *over says that the directory was visited. */
static bool slot_take(struct run *run, struct slot *slot, struct listing *page, bool *over,
                      struct err *err)
{
    struct err failure;
    *over = true;
    if (page->err.kind != ERR_NONE)
        return fail(run, slot->index, &page->err, err);
    if (!page->marker && slot->pile.count == 0)
        return deliver(run, slot->index, page->objects, page->count, page->server_us, err);
    if (!pile_add(&slot->pile, page->objects, page->count, &failure))
        return fail(run, slot->index, &failure, err);
    if (!page->marker)
        return deliver(run, slot->index, slot->pile.objects, slot->pile.count, page->server_us,
                       err);
    if (++slot->pages == PAGES_MAX || !arena_has(&slot->pile.arena, strlen(page->marker) + 1)) {
        ERR(&failure, ERR_CORRUPT, "the listing of %s does not end", page->prefix);
        return fail(run, slot->index, &failure, err);
    }
    slot->marker = arena_copy(&slot->pile.arena, page->marker);
    *over = false;
    return true;
}

/* One page of each slot; slots whose directory was visited make room. */
static bool slots_advance(struct run *run, struct slot *slots, size_t *busy, struct arena *pages,
                          struct err *err)
{
    struct listing listings[STORE_LISTINGS_MAX];
    size_t count = *busy;
    bool going = true, over[STORE_LISTINGS_MAX];
    for (size_t i = 0; i < count; i++) {
        const char *directory = run->directories[slots[i].index];
        listings[i] = (struct listing){
            .prefix = directory, .exact = !str_ends(directory, "/"), .marker = slots[i].marker};
    }
    run->store->ops->list(run->store, listings, count, pages);
    run->tally->requests += count;
    for (size_t i = 0; going && i < count; i++) {
        run->tally->objects += listings[i].count;
        going = slot_take(run, &slots[i], &listings[i], &over[i], err);
    }
    for (size_t i = count; going && i-- > 0;) {
        if (!over[i])
            continue;
        pile_reset(&slots[i].pile);
        struct slot freed = slots[i];
        slots[i] = slots[--*busy];
        slots[*busy] = freed;
    }
    return going;
}

static bool list_each(struct run *run, struct err *err)
{
    struct slot slots[STORE_LISTINGS_MAX] = {0};
    struct arena pages;
    size_t busy = 0, next = 0;
    bool going = true;

    arena_init(&pages, PAGES_BYTES_MAX);
    for (size_t i = 0; i < STORE_LISTINGS_MAX; i++)
        arena_init(&slots[i].pile.arena, DIRECTORY_BYTES_MAX);
    while (going) {
        for (; busy < STORE_LISTINGS_MAX && next < run->count; next++) {
            if (run->done[next])
                continue;
            slots[busy] = (struct slot){.index = next, .pile = slots[busy].pile};
            busy++;
        }
        if (busy == 0)
            break;
        going = slots_advance(run, slots, &busy, &pages, err);
        arena_reset(&pages);
    }
    for (size_t i = 0; i < STORE_LISTINGS_MAX; i++)
        pile_free(&slots[i].pile);
    arena_free(&pages);
    return going;
}

/* -- one listing for neighbours -----------------------------------------------------------------
 */

/* Where a flat listing stands.  What is below a directory follows each other in every order that
 * stores list in, so a directory that was entered and left is complete. */
struct flat {
    size_t begin, end; /* the directories it is for: run.directories[begin .. end)             */
    char *prefix;      /* what they have in common                                             */
    size_t at;         /* the directory that is being read or comes next                       */
    bool entered;      /* objects of directories[at] were seen                                 */
    bool disordered;   /* a key out of byte order: the flat listing is given up                */
    size_t finished, requests;
    int64_t server_us;
    char *previous;   /* the last key of the pages before; NULL: none */
    char *marker;     /* of the next page                             */
    struct pile pile; /* what earlier pages hold of directories[at]   */
};

/* Does the key come after all keys below the directory, in every order known?  Byte order says so
 * already; accounts with a hierarchical namespace put '/' first, and UTF-16 order moves what is
 * above U+FFFF (first byte 0xf0 and up) before U+E000 (0xee).  An object comes before all keys that
 * go on from its own. */
static bool surely_after(const char *key, const char *directory)
{
    while (*key != '\0' && *key == *directory) {
        key++;
        directory++;
    }
    return *directory == '\0' || (*key != '/' && (unsigned char)*directory < 0xee);
}

/* The objects of directories[at] are complete: those piled up and those of this page. */
static bool flat_finish(struct run *run, struct flat *flat, struct object *objects, size_t count,
                        struct err *err)
{
    size_t index = flat->at++;
    struct err failure;
    flat->entered = false;
    flat->finished++;
    if (flat->pile.count == 0)
        return deliver(run, index, objects, count, flat->server_us, err);

    bool kept = pile_add(&flat->pile, objects, count, &failure);
    bool going =
        kept ? deliver(run, index, flat->pile.objects, flat->pile.count, flat->server_us, err)
             : fail(run, index, &failure, err);
    pile_reset(&flat->pile);
    return going;
}

/* Leaves behind what the key has passed: directories without objects. */
static bool flat_pass(struct run *run, struct flat *flat, const char *key, struct err *err)
{
    while (flat->at < flat->end && !unit_covers(run->directories[flat->at], key) &&
           strcmp(key, run->directories[flat->at]) > 0) {
        if (!surely_after(key, run->directories[flat->at]))
            flat->at++; /* it may come yet */
        else if (!flat_finish(run, flat, NULL, 0, err))
            return false;
    }
    return true;
}

/* A key out of order: were all of its directory's keys to follow each other, it could not be in one
 * that was visited. */
static bool flat_disorder(struct run *run, struct flat *flat, const char *key, struct err *err)
{
    flat->disordered = true;
    for (size_t i = flat->begin; i < flat->end; i++) {
        if (run->done[i] && unit_covers(run->directories[i], key))
            return ERR(err, ERR_CORRUPT, "%s is listed out of order on %s", key, run->store->name);
    }
    return true;
}

/* Hands the page's objects to their directories; from *first on they are directories[at]'s, or
 * nobody's. */
static bool flat_take(struct run *run, struct flat *flat, struct listing *page, size_t *first,
                      struct err *err)
{
    const char *previous = flat->previous;
    *first = 0;
    for (size_t i = 0; i < page->count; i++) {
        const char *key = page->objects[i].key;
        if (previous && strcmp(previous, key) >= 0)
            return flat_disorder(run, flat, key, err);
        previous = key;
        if (flat->entered && unit_covers(run->directories[flat->at], key))
            continue;
        if (flat->entered && !flat_finish(run, flat, page->objects + *first, i - *first, err))
            return false;
        if (!flat_pass(run, flat, key, err))
            return false;
        flat->entered = flat->at < flat->end && unit_covers(run->directories[flat->at], key);
        *first = i;
    }
    return true;
}

/* The listing has ended: what was not seen is not there. */
static bool flat_end(struct run *run, struct flat *flat, struct err *err)
{
    for (size_t i = flat->begin; i < flat->end; i++) {
        if (!run->done[i] && !deliver(run, i, NULL, 0, flat->server_us, err))
            return false;
    }
    return true;
}

/* Keeps what outlives the page: the objects from `first` on if they are of a directory that was
 * entered, the last key and the marker.  False if they don't fit.                                */
static bool flat_keep(struct flat *flat, struct listing *page, size_t first)
{
    struct err failure;
    size_t count = flat->entered ? page->count - first : 0;
    if (!pile_add(&flat->pile, page->objects + first, count, &failure))
        return false;
    char *marker = must(strdup(page->marker));
    free(flat->marker);
    flat->marker = marker;
    if (page->count > 0) {
        free(flat->previous);
        flat->previous = must(strdup(page->objects[page->count - 1].key));
    }
    return true;
}

/* Is another page better than a listing for each directory that is left? */
static bool flat_pays(const struct run *run, const struct flat *flat, const struct listing *page)
{
    if (flat->requests >= PAGES_MAX)
        return false;
    if (flat->finished >= flat->requests || flat->end - flat->begin == 1)
        return run->most == 0 || run->tally->objects < run->most;
    return page->count > 0 && run->tally->objects < run->most;
}

/* One page.  *more: it pays to go on; if not, directories that are left are listed each. */
static bool flat_advance(struct run *run, struct flat *flat, struct listing *page, bool *more,
                         struct err *err)
{
    size_t first;
    *more = false;
    if (page->err.kind != ERR_NONE)
        return true;
    flat->server_us = page->server_us;
    if (!flat_take(run, flat, page, &first, err))
        return false;
    if (flat->disordered)
        return true;

    if (!page->marker)
        return (!flat->entered ||
                flat_finish(run, flat, page->objects + first, page->count - first, err)) &&
               flat_end(run, flat, err);
    *more = flat->at < flat->end && flat_pays(run, flat, page) && flat_keep(flat, page, first);
    run->strayed |= !*more && flat->at < flat->end && !flat->entered;
    return true;
}

/* How much both directories start with; never half a character, which a service would refuse. */
static size_t common_size(const char *first, const char *last)
{
    size_t size = 0;
    while (first[size] != '\0' && first[size] == last[size])
        size++;
    while (size > 0 && ((unsigned char)first[size] & 0xc0) == 0x80)
        size--;
    return size;
}

static void flat_init(struct flat *flat, const struct run *run, size_t begin, size_t end)
{
    const char *first = run->directories[begin];
    size_t size = common_size(first, run->directories[end - 1]);
    *flat = (struct flat){
        .begin = begin, .end = end, .at = begin, .prefix = must(strndup(first, size))};
    arena_init(&flat->pile.arena, DIRECTORY_BYTES_MAX);
}

static void flat_free(struct flat *flat)
{
    pile_free(&flat->pile);
    free(flat->previous);
    free(flat->marker);
    free(flat->prefix);
}

/* The end of the directories from `begin` on that go on alike behind what all have in common. */
static size_t branch_end(const struct run *run, size_t begin, size_t end, size_t common)
{
    size_t at = begin + 1;
    while (at < end && run->directories[at][common] == run->directories[begin][common])
        at++;
    return at;
}

static size_t count_branches(const struct run *run, size_t begin, size_t end, size_t common)
{
    size_t branches = 0;
    for (size_t at = begin; at < end; at = branch_end(run, at, end, common))
        branches++;
    return branches;
}

/* At most `parts` flat listings for directories[begin .. end), each below a prefix of its own:
 * where what they have in common ends, they branch, and each branch gets its share of the parts. */
static void divide(const struct run *run, size_t begin, size_t end, size_t parts,
                   struct flat *flats, size_t *count)
{
    size_t common = common_size(run->directories[begin], run->directories[end - 1]);
    size_t branches = count_branches(run, begin, end, common);
    if (branches == 1 || branches > parts) {
        flat_init(&flats[(*count)++], run, begin, end);
        return;
    }
    for (size_t at = begin, next; at < end; at = next) {
        next = branch_end(run, at, end, common);
        size_t share = 1 + (parts - branches) * (next - at) / (end - begin);
        divide(run, at, next, share, flats, count);
    }
}

/* A page of each; those that go on stay in front. */
static bool flats_advance(struct run *run, struct flat *flats, size_t *busy, struct arena *pages,
                          struct err *err)
{
    struct listing listings[STORE_LISTINGS_MAX];
    size_t count = *busy;
    for (size_t i = 0; i < count; i++)
        listings[i] = (struct listing){
            .prefix = flats[i].prefix, .marker = flats[i].marker, .limit = run->limit};
    run->store->ops->list(run->store, listings, count, pages);
    run->tally->requests += count;
    run->tally->flat_requests += count;
    *busy = 0;
    for (size_t i = 0; i < count; i++) {
        bool more;
        run->tally->objects += listings[i].count;
        flats[i].requests++;
        if (!flat_advance(run, &flats[i], &listings[i], &more, err))
            return false;
        if (!more)
            continue;
        struct flat going = flats[i];
        flats[i] = flats[*busy];
        flats[(*busy)++] = going;
    }
    return true;
}

static bool list_flat(struct run *run, size_t parts, struct err *err)
{
    struct flat flats[STORE_LISTINGS_MAX];
    struct arena pages;
    size_t count = 0;
    bool going = true;

    divide(run, 0, run->count, parts < STORE_LISTINGS_MAX ? parts : STORE_LISTINGS_MAX, flats,
           &count);
    arena_init(&pages, PAGES_BYTES_MAX);
    for (size_t busy = count; going && busy > 0; arena_reset(&pages))
        going = flats_advance(run, flats, &busy, &pages, err);
    arena_free(&pages);
    for (size_t i = 0; i < count; i++)
        flat_free(&flats[i]);
    return going;
}

/* -- parts ------------------------------------------------------------------------------------- */

/* What is left of a run, as a run of its own. */
struct rest {
    struct run *whole;
    size_t *indexes;
};

static bool visit_rest(void *context, size_t index, const struct object *objects, size_t count,
                       int64_t server_us, const struct err *failure, struct err *err)
{
    const struct rest *rest = context;
    struct run *whole = rest->whole;
    whole->done[rest->indexes[index]] = true;
    return whole->visit(whole->context, rest->indexes[index], objects, count, server_us, failure,
                        err);
}

/* A part for each branch; 0 if these are many for so few directories. */
static size_t count_parts(const struct run *run)
{
    size_t common = common_size(run->directories[0], run->directories[run->count - 1]);
    size_t branches = count_branches(run, 0, run->count, common);
    return branches > run->count / DIRECTORIES_A_PART ? 0 : branches;
}

/* Flat listings of what was not visited yet, below several longer prefixes; parts 0: as many as
 * there are branches. */
static bool list_parts(struct run *whole, size_t parts, struct err *err)
{
    const char **directories = must(calloc(whole->count, sizeof(char *)));
    struct rest rest = {.whole = whole,
                        .indexes = must(calloc(whole->count, sizeof *rest.indexes))};
    struct run run = *whole;
    run.directories = directories;
    run.done = must(calloc(whole->count, sizeof *run.done));
    run.visit = visit_rest;
    run.context = &rest;
    run.count = 0;
    run.most = 0;
    run.strayed = false;
    for (size_t i = 0; i < whole->count; i++) {
        if (whole->done[i])
            continue;
        rest.indexes[run.count] = i;
        directories[run.count++] = whole->directories[i];
    }
    if (parts == 0 && run.count > 0)
        parts = count_parts(&run);
    bool going = run.count == 0 || parts == 0 || list_flat(&run, parts, err);
    whole->strayed = run.strayed;
    free(run.done);
    free(rest.indexes);
    free(directories);
    return going;
}

static size_t count_left(const struct run *run)
{
    size_t left = 0;
    for (size_t i = 0; i < run->count; i++)
        left += !run->done[i];
    return left;
}

/* Below what all have in common, which may begin far before them: what it did not reach by its
 * branches, one level after the other while that visits more directories than it asks for pages. */
static bool list_neighbours(struct run *run, struct err *err)
{
    bool going = list_flat(run, 1, err), pays = true;
    while (going && pays && run->strayed) {
        size_t left = count_left(run);
        uint64_t before = run->tally->requests;
        going = list_parts(run, 0, err);
        pays = left - count_left(run) > run->tally->requests - before;
    }
    return going;
}

/* Below what all have in common; once most of it was not asked for, in parts. */
static bool list_hinted(struct run *run, struct listing_hint *hint, struct err *err)
{
    run->most = SPARSE_FACTOR * hint->expected + OBJECTS_A_PART;
    run->limit = run->most;
    if (!hint->sparse && !list_flat(run, 1, err))
        return false;
    hint->sparse |= run->tally->objects >= run->most;
    return !hint->sparse || list_parts(run, 1 + hint->expected / OBJECTS_A_PART, err);
}

bool listing_directories(const struct listing_request *request, struct err *err)
{
    struct listing_tally spent = {0};
    struct run run = {.store = request->store,
                      .directories = request->directories,
                      .count = request->count,
                      .done = must(calloc(request->count + 1, sizeof *run.done)),
                      .visit = request->visit,
                      .context = request->context,
                      .tally = &spent};
    struct listing_hint *hint = request->hint;
    bool going = true;
    if (run.store->ops->flat && run.count > 1)
        going = hint != NULL && hint->expected > 0 ? list_hinted(&run, hint, err)
                                                   : list_neighbours(&run, err);
    going = going && list_each(&run, err);

    request->tally->requests += spent.requests;
    request->tally->flat_requests += spent.flat_requests;
    request->tally->objects += spent.objects;
    free(run.done);
    return going;
}
