/* Listings of many directories: right whatever the store's order and page size, and few. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/rand.h"
#include "base/str.h"
#include "executor/listing.h"
#include "executor/store_memory.h"
#include "state/unit.h"

#define KEYS_MAX 2000
#define DIRECTORIES_MAX 300

/* -- a store that lists what the test lays on it, in the test's order ------------------------- */

struct shelf {
    struct store store;
    struct store_ops ops;
    const char *keys[KEYS_MAX]; /* in the order in which they are listed */
    size_t count;
    size_t page;
    bool gaps;       /* every page is followed by one without objects */
    bool endless;    /* there is always a next page                   */
    size_t calls;    /* of list, for one or more listings             */
    size_t widest;   /* the most listings in a call                   */
    size_t requests; /* pages asked for                               */
    size_t broken;   /* the request that fails, from 1; 0: none       */
    enum err_kind kind;
};

static bool is_asked_for(const struct listing *listing, const char *key)
{
    return listing->exact ? str_equal(key, listing->prefix) : str_starts(key, listing->prefix);
}

static void shelf_page(struct shelf *shelf, struct listing *listing, struct arena *arena)
{
    size_t at = 0;
    bool empty = false;
    if (listing->marker)
        empty = sscanf(listing->marker, "gap %zu", &at) == 1 ||
                sscanf(listing->marker, "at %zu", &at) != 1;
    listing->marker = NULL;
    listing->server_us = 77;
    listing->objects = arena_make(arena, (shelf->page + 1) * sizeof *listing->objects);
    size_t most = shelf->page;
    if (listing->limit > 0 && listing->limit < most)
        most = listing->limit;
    for (; at < shelf->count && !empty && listing->count < most; at++) {
        if (is_asked_for(listing, shelf->keys[at]))
            listing->objects[listing->count++] =
                (struct object){.key = arena_copy(arena, shelf->keys[at]),
                                .bytes = at,
                                .etag = str_format(arena, "\"%zu\"", at),
                                .copy_id = str_format(arena, "id %zu", at),
                                .copy_says = str_format(arena, "%zu says", at)};
    }
    bool more = shelf->endless;
    for (size_t i = at; i < shelf->count; i++)
        more = more || is_asked_for(listing, shelf->keys[i]);
    if (more)
        listing->marker = str_format(arena, shelf->gaps && !empty ? "gap %zu" : "at %zu", at);
}

static void shelf_list(struct store *store, struct listing *listings, size_t count,
                       struct arena *arena)
{
    struct shelf *shelf = (struct shelf *)store;
    assert_true(count <= STORE_LISTINGS_MAX);
    shelf->calls++;
    shelf->widest = count > shelf->widest ? count : shelf->widest;
    for (size_t i = 0; i < count; i++) {
        listings[i].objects = NULL;
        listings[i].count = 0;
        listings[i].err = (struct err){0};
        if (++shelf->requests == shelf->broken)
            ERR(&listings[i].err, shelf->kind, "the %zuth page", shelf->requests);
        else
            shelf_page(shelf, &listings[i], arena);
    }
}

static void shelf_init(struct shelf *shelf, size_t page, bool flat)
{
    *shelf = (struct shelf){.page = page, .ops = {.flat = flat, .list = shelf_list}};
    shelf->store = (struct store){.ops = &shelf->ops, .name = "shelf"};
}

/* -- what was visited ------------------------------------------------------------------------- */

static struct arena arena;
static struct err err;

struct seen {
    const char *const *directories;
    size_t visits[DIRECTORIES_MAX];
    enum err_kind failures[DIRECTORIES_MAX];
    char *keys[DIRECTORIES_MAX]; /* "x y " */
    int64_t server_us;
    size_t stop_after;
    size_t count;
};

/* Nothing is left on a page that is gone. */
static void check_texts(const struct object *object)
{
    size_t at = (size_t)object->bytes;
    if (!object->copy_id)
        return;
    assert_string_equal(object->etag, str_format(&arena, "\"%zu\"", at));
    assert_string_equal(object->copy_id, str_format(&arena, "id %zu", at));
    assert_string_equal(object->copy_says, str_format(&arena, "%zu says", at));
}

static bool note(void *context, size_t index, const struct object *objects, size_t count,
                 int64_t server_us, const struct err *failure, struct err *wrong)
{
    struct seen *seen = context;
    seen->visits[index]++;
    seen->failures[index] = failure ? failure->kind : ERR_NONE;
    seen->keys[index] = arena_copy(&arena, "");
    seen->server_us = server_us;
    assert_true(!failure || count == 0);
    for (size_t i = 0; i < count; i++) {
        check_texts(&objects[i]);
        seen->keys[index] = str_format(&arena, "%s%s ", seen->keys[index], objects[i].key);
    }
    if (++seen->count == seen->stop_after)
        return ERR(wrong, ERR_CANCELLED, "enough");
    return true;
}

static bool ask(struct store *store, const char *const *directories, size_t count,
                struct listing_hint *hint, struct listing_tally *tally, struct seen *seen)
{
    const struct listing_request request = {.store = store,
                                            .directories = directories,
                                            .count = count,
                                            .hint = hint,
                                            .visit = note,
                                            .context = seen,
                                            .tally = tally};
    return listing_directories(&request, &err);
}

/* hint: NULL for the fewest requests. */
static struct listing_tally list_hinted(struct store *store, const char *const *directories,
                                        size_t count, struct listing_hint *hint, struct seen *seen)
{
    struct listing_tally tally = {0};
    *seen = (struct seen){.directories = directories};
    if (!ask(store, directories, count, hint, &tally, seen))
        fail_msg("%s", err.text);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(seen->visits[i], 1);
    return tally;
}

static struct listing_tally list(struct store *store, const char *const *directories, size_t count,
                                 struct seen *seen)
{
    return list_hinted(store, directories, count, NULL, seen);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Against the obvious way: every key is looked at for every directory.  How many failed instead. */
static size_t check_answers(const struct shelf *shelf, const struct seen *seen,
                            const char *const *directories, size_t count)
{
    static const char *sorted[KEYS_MAX];
    size_t failures = 0;
    memcpy(sorted, shelf->keys, sizeof sorted);
    qsort(sorted, shelf->count, sizeof *sorted, compare);
    for (size_t i = 0; i < count; i++) {
        const char *want = "";
        for (size_t k = 0; k < shelf->count; k++) {
            if (unit_covers(directories[i], sorted[k]))
                want = str_format(&arena, "%s%s ", want, sorted[k] + strlen(directories[i]));
        }
        if (seen->failures[i] != ERR_NONE)
            failures++;
        else
            assert_string_equal(seen->keys[i], want);
    }
    return failures;
}

/* -- orders ----------------------------------------------------------------------------------- */

static int folders_first(const void *a, const void *b)
{
    const char *one = *(char *const *)a, *other = *(char *const *)b;
    while (*one == *other && *one != '\0') {
        one++;
        other++;
    }
    int first = *one == '/' ? 1 : (unsigned char)*one,
        second = *other == '/' ? 1 : (unsigned char)*other;
    return first - second;
}

/* Four bytes (beyond U+FFFF) are surrogates, which stand before U+E000. */
static int utf16(const void *a, const void *b)
{
    const char *one = *(char *const *)a, *other = *(char *const *)b;
    while (*one == *other && *one != '\0') {
        one++;
        other++;
    }
    int first = (unsigned char)*one, second = (unsigned char)*other;
    if (first >= 0xf0)
        first = 0xed;
    if (second >= 0xf0)
        second = 0xed;
    return first != second ? first - second : (unsigned char)*one - (unsigned char)*other;
}

static int (*const orders[])(const void *, const void *) = {compare, folders_first, utf16};

static void shuffle(struct shelf *shelf, struct rand *rand)
{
    for (size_t i = shelf->count; i > 1; i--) {
        size_t other = rand_below(rand, i);
        const char *key = shelf->keys[i - 1];
        shelf->keys[i - 1] = shelf->keys[other];
        shelf->keys[other] = key;
    }
}

/* Names in which the orders differ, and that are each other's beginnings. */
static const char *const names[] = {"1",
                                    "1-b",
                                    "10",
                                    "a",
                                    "a!",
                                    "a b",
                                    "\xef\xbc\xa1",
                                    "\xf0\x9f\x98\x80",
                                    "\xf0\x9f\x98\x81",
                                    "a-",
                                    "b",
                                    "\xc3\xa4",
                                    "\xc3\xb6"};

/* A tree of random keys, every folder at depth 2 a directory or not.  Gives the directories. */
static size_t grow(struct shelf *shelf, struct rand *rand, const char **directories)
{
    size_t count = 0, width = 1 + rand_below(rand, sizeof names / sizeof *names);
    shelf->count = 0;
    for (size_t i = 0; i < width; i++) {
        for (size_t j = 0; j < width; j++) {
            const char *folder = str_format(&arena, "%s/%s/", names[i], names[j]);
            size_t objects = rand_below(rand, 4) == 0 ? rand_below(rand, 12) : rand_below(rand, 3);
            for (size_t k = 0; k < objects; k++)
                shelf->keys[shelf->count++] =
                    str_format(&arena, "%s%s%s%zu", folder, rand_below(rand, 3) == 0 ? "sub/" : "",
                               names[rand_below(rand, sizeof names / sizeof *names)], k);
            if (rand_below(rand, 4) != 0)
                directories[count++] = folder;
        }
        shelf->keys[shelf->count++] = str_format(&arena, "%s/%s", names[i], "loose");
    }
    qsort(directories, count, sizeof *directories, compare);
    return count;
}

static void test_random_trees_in_every_order(void **state)
{
    (void)state;
    static const char *directories[DIRECTORIES_MAX];
    static struct shelf shelf;
    static struct seen seen;
    struct rand rand;
    rand_init(&rand, 20250214);
    for (size_t turn = 0; turn < 400; turn++) {
        shelf_init(&shelf, 1 + turn % 7, true);
        shelf.gaps = turn % 5 == 0;
        size_t count = grow(&shelf, &rand, directories);
        qsort(shelf.keys, shelf.count, sizeof *shelf.keys,
              orders[turn % (sizeof orders / sizeof *orders)]);
        struct listing_hint hint = {.expected = turn % 11 * 110, .sparse = turn % 2 == 0};
        struct listing_tally tally = list_hinted(&shelf.store, directories, count, &hint, &seen);
        assert_int_equal(check_answers(&shelf, &seen, directories, count), 0);
        assert_int_equal(tally.requests, shelf.requests);
        arena_reset(&arena);
    }
}

/* Of a tree's keys some, and names that are not there: its directories, if `mixed`, as well. */
static size_t pick_objects(const struct shelf *shelf, struct rand *rand, bool mixed,
                           const char **units, size_t count)
{
    static const char *picked[DIRECTORIES_MAX];
    size_t kept = 0;
    for (size_t i = 0; mixed && i < count; i++)
        if (rand_below(rand, 3) == 0)
            picked[kept++] = units[i];
    size_t directories = kept;
    for (size_t i = 0; i < shelf->count && kept + 2 < DIRECTORIES_MAX; i++) {
        const char *key = shelf->keys[i];
        bool inside = rand_below(rand, 3) != 0;
        for (size_t k = 0; k < directories; k++)
            inside = inside || unit_covers(picked[k], key);
        if (inside)
            continue;
        picked[kept++] = key;
        if (rand_below(rand, 4) == 0) /* the beginning of another one, or what goes on from it */
            picked[kept++] = rand_below(rand, 2) == 0 ? str_copy(&arena, key, strlen(key) - 1)
                                                      : str_format(&arena, "%s.bak", key);
    }
    qsort(picked, kept, sizeof *picked, compare);
    count = 0;
    for (size_t i = 0; i < kept; i++)
        if (i == 0 || strcmp(picked[i - 1], picked[i]) != 0)
            units[count++] = picked[i];
    return count;
}

/* Each object is found by its whole key, among others that begin with it and folders of its name.
 */
static void test_random_objects_in_every_order(void **state)
{
    (void)state;
    static const char *units[DIRECTORIES_MAX];
    static struct shelf shelf;
    static struct seen seen;
    struct rand rand;
    size_t found = 0;
    rand_init(&rand, 20250601);
    for (size_t turn = 0; turn < 400; turn++) {
        shelf_init(&shelf, 1 + turn % 7, turn % 8 != 0);
        shelf.gaps = turn % 5 == 0;
        size_t count = grow(&shelf, &rand, units);
        count = pick_objects(&shelf, &rand, turn % 2 == 0, units, count);
        qsort(shelf.keys, shelf.count, sizeof *shelf.keys,
              orders[turn % (sizeof orders / sizeof *orders)]);
        struct listing_hint hint = {.expected = turn % 11 * count / 5, .sparse = turn % 3 == 0};
        list_hinted(&shelf.store, units, count, &hint, &seen);
        assert_int_equal(check_answers(&shelf, &seen, units, count), 0);
        for (size_t i = 0; i < count; i++)
            found += str_equal(seen.keys[i], " ");
        arena_reset(&arena);
    }
    assert_in_range(found, 1000, 1000000);
}

static void test_a_store_without_order_is_listed_by_directory(void **state)
{
    (void)state;
    static const char *directories[DIRECTORIES_MAX];
    static struct shelf shelf;
    static struct seen seen;
    struct rand rand;
    rand_init(&rand, 7);
    for (size_t turn = 0; turn < 100; turn++) {
        shelf_init(&shelf, 1 + turn % 7, false);
        size_t count = grow(&shelf, &rand, directories);
        shuffle(&shelf, &rand);
        struct listing_tally tally = list(&shelf.store, directories, count, &seen);
        assert_int_equal(check_answers(&shelf, &seen, directories, count), 0);
        assert_int_equal(tally.flat_requests, 0);
        arena_reset(&arena);
    }
}

/* Each single page fails once: a flat one costs nobody his answer, another one fails the directory
 * it belongs to and no other. */
static void test_a_fault_at_each_page(void **state)
{
    (void)state;
    static const char *directories[DIRECTORIES_MAX];
    static struct shelf shelf;
    static struct seen seen;
    struct rand rand;
    rand_init(&rand, 3);
    for (size_t turn = 0; turn < 12; turn++) {
        shelf_init(&shelf, 1 + turn % 7, turn % 4 != 0);
        size_t count = grow(&shelf, &rand, directories);
        qsort(shelf.keys, shelf.count, sizeof *shelf.keys, orders[turn % 3]);
        do {
            shelf.broken++;
            shelf.requests = 0;
            shelf.kind = ERR_BUSY;
            struct listing_hint hint = {.expected = 1 + turn % 3 * 400, .sparse = turn % 2 == 0};
            struct listing_tally tally =
                list_hinted(&shelf.store, directories, count, &hint, &seen);
            bool own = shelf.requests >= shelf.broken && shelf.broken > tally.flat_requests;
            assert_int_equal(check_answers(&shelf, &seen, directories, count), own);
        } while (shelf.requests >= shelf.broken);
        arena_reset(&arena);
    }
}

/* -- how many requests ------------------------------------------------------------------------ */

/* count directories of `objects` each, "d/0001/". */
static void fill(struct store_memory *memory, const char **directories, size_t count,
                 size_t objects)
{
    for (size_t i = 0; i < count; i++) {
        directories[i] = str_format(&arena, "d/%04zu/", i);
        for (size_t k = 0; k < objects; k++)
            store_memory_put(memory, str_format(&arena, "%s%zu", directories[i], k), "x", 1);
    }
}

static void test_neighbours_share_pages(void **state)
{
    (void)state;
    const char *directories[DIRECTORIES_MAX];
    static struct seen seen;
    struct store_memory *memory = store_memory_make("hot", NULL);
    struct store *store = store_memory_store(memory);
    fill(memory, directories, 200, 5);
    store_memory_set_page(memory, 100);

    struct listing_tally tally = list(store, directories, 200, &seen);
    assert_int_equal(tally.requests, 10);
    assert_int_equal(tally.flat_requests, 10);
    assert_int_equal(tally.objects, 1000);
    assert_string_equal(seen.keys[199], "0 1 2 3 4 ");
    store_close(store);
}

/* Of 100 directories on ten "days" those of two: the first listing finds out that most of what they
 * have in common is not theirs, and is cut short; what follows leaves it out. */
static void test_a_sparse_prefix_is_divided(void **state)
{
    (void)state;
    const char *directories[DIRECTORIES_MAX];
    static struct seen seen;
    struct store_memory *memory = store_memory_make("hot", NULL);
    struct store *store = store_memory_store(memory);
    size_t count = 0;
    for (size_t i = 0; i < 100; i++) {
        const char *directory = str_format(&arena, "d/0%zu/%zu/", i / 10, i % 10);
        for (size_t k = 0; k < 10; k++)
            store_memory_put(memory, str_format(&arena, "%s%zu", directory, k), "x", 1);
        if (i / 10 == 3 || i / 10 == 8)
            directories[count++] = directory;
    }
    struct listing_hint hint = {.expected = 200};
    struct listing_tally tally = list_hinted(store, directories, count, &hint, &seen);
    assert_true(hint.sparse);
    assert_int_equal(tally.requests, 1 + 1); /* it found the first day: the second is left */
    assert_true(tally.objects <= 464 + 100);
    tally = list_hinted(store, directories, count, &hint, &seen);
    assert_int_equal(tally.requests, 2);
    assert_int_equal(tally.objects, 200);
    assert_string_equal(seen.keys[count - 1], "0 1 2 3 4 5 6 7 8 9 ");
    store_close(store);
}

static void test_a_dense_prefix_is_not_divided(void **state)
{
    (void)state;
    const char *directories[DIRECTORIES_MAX];
    static struct seen seen;
    struct store_memory *memory = store_memory_make("hot", NULL);
    struct store *store = store_memory_store(memory);
    fill(memory, directories, 100, 5);
    store_memory_set_page(memory, 300);

    struct listing_hint hint = {.expected = 400}; /* a little has come since */
    struct listing_tally tally = list_hinted(store, directories, 100, &hint, &seen);
    assert_false(hint.sparse);
    assert_int_equal(tally.requests, 2);
    assert_int_equal(tally.objects, 500);
    store_close(store);
}

/* The second part's prefix ends between characters, so it meets the first one's directory as well:
 * in UTF-16 order behind its own. */
static void test_parts_that_overlap_keep_out_of_each_other(void **state)
{
    (void)state;
    static const char *const directories[] = {"r/\xef\xbc\xa1/", "r/\xf0\x9f\x98\x80/",
                                              "r/\xf0\x9f\x98\x81/"};
    static const char *const keys[] = {"r/\xf0\x9f\x98\x80/1", "r/\xf0\x9f\x98\x81/1",
                                       "r/\xef\xbc\xa1/1"};
    static struct shelf shelf;
    static struct seen seen;
    struct listing_hint hint = {.expected = 200, .sparse = true};
    shelf_init(&shelf, 10, true);
    memcpy(shelf.keys, keys, sizeof keys);
    shelf.count = sizeof keys / sizeof *keys;
    list_hinted(&shelf.store, directories, 3, &hint, &seen);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(seen.keys[i], "1 ");
}

/* A part that is one directory goes on, page after page. */
static void test_a_part_of_one_directory_is_not_listed_twice(void **state)
{
    (void)state;
    const char *directories[DIRECTORIES_MAX];
    static struct seen seen;
    struct store_memory *memory = store_memory_make("hot", NULL);
    struct store *store = store_memory_store(memory);
    fill(memory, directories, 4, 100);
    store_memory_set_page(memory, 50);

    struct listing_hint hint = {.expected = 400, .sparse = true};
    struct listing_tally tally = list_hinted(store, directories, 4, &hint, &seen);
    assert_int_equal(tally.requests, 8);
    assert_int_equal(tally.objects, 400);
    store_close(store);
}

static void test_flat_stops_when_pages_finish_no_directory(void **state)
{
    (void)state;
    const char *directories[DIRECTORIES_MAX];
    static struct seen seen;
    struct store_memory *memory = store_memory_make("hot", NULL);
    struct store *store = store_memory_store(memory);
    fill(memory, directories, 40, 100);
    store_memory_set_page(memory, 50);

    /* One page in vain, then two for each directory. */
    struct listing_tally tally = list(store, directories, 40, &seen);
    assert_int_equal(tally.flat_requests, 1);
    assert_int_equal(tally.requests, 1 + 40 * 2);
    store_close(store);
}

static void test_flat_stops_among_strangers(void **state)
{
    (void)state;
    const char *all[DIRECTORIES_MAX], *directories[3];
    static struct seen seen;
    struct store_memory *memory = store_memory_make("hot", NULL);
    struct store *store = store_memory_store(memory);
    fill(memory, all, 300, 10);
    store_memory_set_page(memory, 15);
    directories[0] = all[0];
    directories[1] = all[1];
    directories[2] = all[299];

    /* After its third page the flat listing has finished two. */
    struct listing_tally tally = list(store, directories, 3, &seen);
    assert_int_equal(tally.flat_requests, 3);
    assert_int_equal(tally.requests, 4);
    assert_string_equal(seen.keys[2], "0 1 2 3 4 5 6 7 8 9 ");
    store_close(store);
}

/* days of 30 directories of 5 objects, "d/07/29/"; those from the day `first` on are asked for. */
static size_t fill_days(struct store_memory *memory, const char **directories, size_t days,
                        size_t first)
{
    size_t count = 0;
    for (size_t i = 0; i < days * 30; i++) {
        const char *directory = str_format(&arena, "d/%02zu/%02zu/", i / 30, i % 30);
        for (size_t k = 0; k < 5; k++)
            store_memory_put(memory, str_format(&arena, "%s%zu", directory, k), "x", 1);
        if (i / 30 >= first)
            directories[count++] = directory;
    }
    return count;
}

/* Four days of eight: the page below "d/0" is in vain, then each day is a part of two pages. */
static void test_what_begins_far_behind_its_prefix_is_divided(void **state)
{
    (void)state;
    const char *directories[DIRECTORIES_MAX];
    static struct seen seen;
    struct store_memory *memory = store_memory_make("hot", NULL);
    struct store *store = store_memory_store(memory);
    size_t count = fill_days(memory, directories, 8, 4);
    store_memory_set_page(memory, 100);

    struct listing_tally tally = list(store, directories, count, &seen);
    assert_int_equal(tally.requests, 1 + 4 * 2);
    assert_int_equal(tally.flat_requests, 1 + 4 * 2);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(seen.keys[i], "0 1 2 3 4 ");
    store_close(store);
}

/* The last four of each day: neither the whole nor its parts pay, and that is found out but once.
 */
static void test_parts_that_do_not_pay_are_not_divided_again(void **state)
{
    (void)state;
    const char *all[DIRECTORIES_MAX], *directories[DIRECTORIES_MAX];
    static struct seen seen;
    struct store_memory *memory = store_memory_make("hot", NULL);
    struct store *store = store_memory_store(memory);
    size_t count = 0, all_count = fill_days(memory, all, 10, 0);
    for (size_t i = 0; i < all_count; i++) {
        if (i % 30 >= 26)
            directories[count++] = all[i];
    }
    store_memory_set_page(memory, 10);

    struct listing_tally tally = list(store, directories, count, &seen);
    assert_int_equal(tally.flat_requests, 1 + 10);
    assert_int_equal(tally.requests, 1 + 10 + count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(seen.keys[i], "0 1 2 3 4 ");
    store_close(store);
}

static void test_empty_directories_cost_one_page_together(void **state)
{
    (void)state;
    const char *all[DIRECTORIES_MAX], *directories[100];
    static struct seen seen;
    struct store_memory *memory = store_memory_make("hot", NULL);
    struct store *store = store_memory_store(memory);
    fill(memory, all, 300, 10);
    for (size_t i = 0; i < 100; i++)
        directories[i] = str_format(&arena, "d/%04zu-gone/", i);
    store_memory_set_page(memory, 2000);

    struct listing_tally tally = list(store, directories, 100, &seen);
    assert_int_equal(tally.requests, 1);
    for (size_t i = 0; i < 100; i++)
        assert_string_equal(seen.keys[i], "");
    store_close(store);
}

static void test_one_directory_is_listed_by_itself(void **state)
{
    (void)state;
    const char *directories[DIRECTORIES_MAX];
    static struct seen seen;
    struct store_memory *memory = store_memory_make("hot", NULL);
    struct store *store = store_memory_store(memory);
    fill(memory, directories, 20, 3);
    store_memory_put(memory, "d/0001", "x", 1);
    store_memory_put(memory, "d/00010/stranger", "x", 1);

    struct listing_tally tally = list(store, directories + 1, 1, &seen);
    assert_int_equal(tally.requests, 1);
    assert_int_equal(tally.flat_requests, 0);
    assert_string_equal(seen.keys[0], "0 1 2 ");
    store_close(store);
}

static void test_listings_run_side_by_side(void **state)
{
    (void)state;
    static const char *directories[100];
    static struct shelf shelf;
    static struct seen seen;
    shelf_init(&shelf, 3, false);
    for (size_t i = 0; i < 100; i++) {
        directories[i] = str_format(&arena, "d/%04zu/", i);
        /* The first is long: the others must not wait for it. */
        for (size_t k = 0; k < (i == 0 ? 30 : 3); k++)
            shelf.keys[shelf.count++] = str_format(&arena, "%s%02zu", directories[i], k);
    }
    struct listing_tally tally = list(&shelf.store, directories, 100, &seen);
    assert_int_equal(check_answers(&shelf, &seen, directories, 100), 0);
    assert_int_equal(tally.requests, 99 + 10);
    assert_int_equal(shelf.widest, STORE_LISTINGS_MAX);
    assert_int_equal(shelf.calls, 10);
    assert_int_equal(seen.server_us, 77);
}

static void test_no_directories_no_requests(void **state)
{
    (void)state;
    static struct shelf shelf;
    static struct seen seen;
    shelf_init(&shelf, 3, true);
    struct listing_tally tally = list(&shelf.store, NULL, 0, &seen);
    assert_int_equal(tally.requests + shelf.requests, 0);
}

/* -- prefixes --------------------------------------------------------------------------------- */

static char asked[64];

static void ask_and_list(struct store *store, struct listing *listings, size_t count,
                         struct arena *pages)
{
    if (asked[0] == '\0')
        snprintf(asked, sizeof asked, "%s", listings[0].prefix);
    shelf_list(store, listings, count, pages);
}

static void test_the_common_prefix_ends_between_characters(void **state)
{
    (void)state;
    static struct shelf shelf;
    static struct seen seen;
    static const struct {
        const char *first, *last, *prefix;
    } cases[] = {
        {"rec/2025-01/a/", "rec/2025-02/b/", "rec/2025-0"},
        {"x/\xc3\xa4/", "x/\xc3\xb6/", "x/"}, /* a and o with dots share a byte */
        {"x/\xf0\x9f\x98\x80/", "x/\xf0\x9f\x98\x81/", "x/"},
        {"x/\xc3\xa4"
         "a/",
         "x/\xc3\xa4"
         "b/",
         "x/\xc3\xa4"},
        {"a/", "b/", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *directories[] = {cases[i].first, cases[i].last};
        shelf_init(&shelf, 3, true);
        shelf.ops.list = ask_and_list;
        asked[0] = '\0';
        list(&shelf.store, directories, 2, &seen);
        assert_string_equal(asked, cases[i].prefix);
    }
}

/* The object that begins the others is listed, alone or with them: never more than itself. */
static void test_an_object_that_starts_another(void **state)
{
    (void)state;
    static const char *const units[] = {"a/1", "a/1/a", "a/10", "a/2", "a/22"};
    static struct shelf shelf;
    static struct seen seen;
    for (size_t page = 1; page <= 7; page++) {
        for (size_t count = 1; count <= 5; count++) {
            shelf_init(&shelf, page, true);
            const char *const keys[] = {"a/1",    "a/1-/x", "a/1.bak", "a/1/a", "a/1/a/b",
                                        "a/10/c", "a/100",  "a/20",    "a/22",  "a/22.bak"};
            memcpy(shelf.keys, keys, sizeof keys);
            shelf.count = sizeof keys / sizeof *keys;
            struct listing_tally tally = list(&shelf.store, units, count, &seen);
            assert_int_equal(check_answers(&shelf, &seen, units, count), 0);
            assert_string_equal(seen.keys[0], " ");
            assert_true(count > 1 || tally.objects == 1);
        }
    }
}

/* What goes on from its key says that it is not there. */
static void test_an_object_that_is_missing_costs_no_listing_of_its_own(void **state)
{
    (void)state;
    static const char *const units[] = {"a/1", "a/2"};
    static struct shelf shelf;
    static struct seen seen;
    shelf_init(&shelf, 3, true);
    const char *const keys[] = {"a/1/x", "a/2", "a/3", "a/4"};
    memcpy(shelf.keys, keys, sizeof keys);
    shelf.count = sizeof keys / sizeof *keys;
    assert_int_equal(list(&shelf.store, units, 2, &seen).requests, 1);
    assert_int_equal(check_answers(&shelf, &seen, units, 2), 0);
}

static void test_a_name_that_starts_another(void **state)
{
    (void)state;
    static const char *const directories[] = {"a/1/", "a/10/", "a/100/"};
    static struct shelf shelf;
    static struct seen seen;
    for (size_t page = 1; page <= 7; page++) {
        shelf_init(&shelf, page, true);
        const char *const keys[] = {"a/1", "a/1-/x", "a/1/a", "a/1/b", "a/10/c", "a/1000/d"};
        memcpy(shelf.keys, keys, sizeof keys);
        shelf.count = sizeof keys / sizeof *keys;
        list(&shelf.store, directories, 3, &seen);
        assert_int_equal(check_answers(&shelf, &seen, directories, 3), 0);
    }
}

/* -- what contradicts itself ------------------------------------------------------------------ */

static void test_a_key_listed_twice_fails_its_directory(void **state)
{
    (void)state;
    static const char *const directories[] = {"a/", "b/", "c/"};
    static struct shelf shelf;
    static struct seen seen;
    for (size_t turn = 0; turn < 14; turn++) {
        const char *const keys[] = {"a/1", "b/1", "b/1", "b/2", "c/1"};
        shelf_init(&shelf, 1 + turn % 7, turn < 7);
        memcpy(shelf.keys, keys, sizeof keys);
        shelf.count = sizeof keys / sizeof *keys;
        list(&shelf.store, directories, 3, &seen);
        assert_int_equal(seen.failures[0], ERR_NONE);
        assert_int_equal(seen.failures[1], ERR_CORRUPT);
        assert_int_equal(seen.failures[2], ERR_NONE);
        assert_string_equal(seen.keys[2], "1 ");
    }
}

static void test_going_back_into_a_visited_directory_ends_all(void **state)
{
    (void)state;
    static const char *const directories[] = {"a/", "b/", "c/"};
    static struct shelf shelf;
    struct seen seen = {0};
    struct listing_tally tally = {0};
    const char *const keys[] = {"a/1", "b/1", "a/2", "c/1"};
    shelf_init(&shelf, 10, true);
    memcpy(shelf.keys, keys, sizeof keys);
    shelf.count = sizeof keys / sizeof *keys;
    assert_false(ask(&shelf.store, directories, 3, NULL, &tally, &seen));
    assert_int_equal(err.kind, ERR_CORRUPT);
}

static void lie(struct store *store, struct listing *listings, size_t count, struct arena *pages)
{
    shelf_list(store, listings, count, pages);
    for (size_t i = 0; i < count; i++) {
        if (listings[i].count > 0)
            listings[i].objects[0].key = "elsewhere/1";
    }
}

static void test_a_key_from_elsewhere_fails_its_directory(void **state)
{
    (void)state;
    static const char *const directories[] = {"a/"};
    static struct shelf shelf;
    static struct seen seen;
    shelf_init(&shelf, 10, false);
    shelf.ops.list = lie;
    shelf.keys[0] = "a/1";
    shelf.count = 1;
    list(&shelf.store, directories, 1, &seen);
    assert_int_equal(seen.failures[0], ERR_CORRUPT);
}

static void test_a_listing_without_end_fails_its_directory(void **state)
{
    (void)state;
    static const char *const directories[] = {"a/", "b/"};
    static struct shelf shelf;
    static struct seen seen;
    struct listing_hint plain = {.expected = 10}, sparse = {.expected = 64, .sparse = true};
    struct listing_hint *const hints[] = {NULL, NULL, &plain, &sparse};
    for (int way = 0; way < 4; way++) {
        shelf_init(&shelf, 10, way > 0);
        shelf.endless = true;
        list_hinted(&shelf.store, directories, 2, hints[way], &seen);
        assert_int_equal(seen.failures[0], ERR_CORRUPT);
        assert_int_equal(seen.failures[1], ERR_CORRUPT);
    }
}

static void many(struct store *store, struct listing *listings, size_t count, struct arena *pages)
{
    struct shelf *shelf = (struct shelf *)store;
    for (size_t i = 0; i < count; i++) {
        struct object *objects = arena_make(pages, STORE_PAGE_MAX * sizeof *objects);
        for (size_t k = 0; k < STORE_PAGE_MAX; k++)
            objects[k] = (struct object){
                .key = str_format(pages, "%s%08zu", listings[i].prefix, shelf->requests++),
                .etag = "\"e\""};
        listings[i].objects = objects;
        listings[i].count = STORE_PAGE_MAX;
        listings[i].err = (struct err){0};
        listings[i].marker = arena_copy(pages, "on");
    }
}

static void test_too_many_objects_fail_their_directory(void **state)
{
    (void)state;
    static const char *const directories[] = {"a/"};
    static struct shelf shelf;
    static struct seen seen;
    shelf_init(&shelf, 10, false);
    shelf.ops.list = many;
    list(&shelf.store, directories, 1, &seen);
    assert_int_equal(seen.failures[0], ERR_INPUT);
    assert_int_equal(shelf.requests, LISTING_OBJECTS_MAX + STORE_PAGE_MAX);
}

static void test_a_missing_container_fails_each(void **state)
{
    (void)state;
    static const char *const directories[] = {"a/", "b/"};
    static struct shelf shelf;
    static struct seen seen;
    for (size_t broken = 1; broken <= 2; broken++) {
        shelf_init(&shelf, 10, false);
        shelf.broken = broken;
        shelf.kind = ERR_MISSING;
        list(&shelf.store, directories, 2, &seen);
        assert_int_equal(seen.failures[broken - 1], ERR_MISSING);
        assert_int_equal(seen.failures[2 - broken], ERR_NONE);
    }
}

static void test_the_visitor_stops_everything(void **state)
{
    (void)state;
    const char *directories[DIRECTORIES_MAX];
    struct store_memory *memory = store_memory_make("hot", NULL);
    struct store *store = store_memory_store(memory);
    struct store_ops each = *store->ops;
    fill(memory, directories, 60, 2);
    each.flat = false;
    for (size_t after = 1; after <= 60; after += 7) {
        struct seen seen = {.stop_after = after};
        struct listing_tally tally = {0};
        assert_false(ask(store, directories, 60, NULL, &tally, &seen));
        assert_int_equal(err.kind, ERR_CANCELLED);
        assert_int_equal(seen.count, after);
        const struct store_ops *ops = store->ops;
        store->ops = &each;
        seen = (struct seen){.stop_after = after};
        assert_false(ask(store, directories, 60, NULL, &tally, &seen));
        assert_int_equal(seen.count, after);
        store->ops = ops;
    }
    store_close(store);
}

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)1 << 30);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_trees_in_every_order),
        cmocka_unit_test(test_random_objects_in_every_order),
        cmocka_unit_test(test_a_store_without_order_is_listed_by_directory),
        cmocka_unit_test(test_a_fault_at_each_page),
        cmocka_unit_test(test_neighbours_share_pages),
        cmocka_unit_test(test_a_sparse_prefix_is_divided),
        cmocka_unit_test(test_a_dense_prefix_is_not_divided),
        cmocka_unit_test(test_parts_that_overlap_keep_out_of_each_other),
        cmocka_unit_test(test_a_part_of_one_directory_is_not_listed_twice),
        cmocka_unit_test(test_flat_stops_when_pages_finish_no_directory),
        cmocka_unit_test(test_flat_stops_among_strangers),
        cmocka_unit_test(test_what_begins_far_behind_its_prefix_is_divided),
        cmocka_unit_test(test_parts_that_do_not_pay_are_not_divided_again),
        cmocka_unit_test(test_empty_directories_cost_one_page_together),
        cmocka_unit_test(test_one_directory_is_listed_by_itself),
        cmocka_unit_test(test_listings_run_side_by_side),
        cmocka_unit_test(test_no_directories_no_requests),
        cmocka_unit_test(test_the_common_prefix_ends_between_characters),
        cmocka_unit_test(test_a_name_that_starts_another),
        cmocka_unit_test(test_an_object_that_starts_another),
        cmocka_unit_test(test_an_object_that_is_missing_costs_no_listing_of_its_own),
        cmocka_unit_test(test_a_key_listed_twice_fails_its_directory),
        cmocka_unit_test(test_going_back_into_a_visited_directory_ends_all),
        cmocka_unit_test(test_a_key_from_elsewhere_fails_its_directory),
        cmocka_unit_test(test_a_listing_without_end_fails_its_directory),
        cmocka_unit_test(test_too_many_objects_fail_their_directory),
        cmocka_unit_test(test_a_missing_container_fails_each),
        cmocka_unit_test(test_the_visitor_stops_everything),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
