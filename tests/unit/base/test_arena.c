/* Arenas: zeroed and aligned, marks that nest, limits that hold. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <stdalign.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/rand.h"

#define LIMIT ((size_t)64 << 20)

static void what_is_made_is_zeroed_and_aligned(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, LIMIT);
    for (int round = 0; round < 2; round++) {
        for (size_t size = 0; size < 3000; size += 7) {
            unsigned char *made = arena_make(&arena, size);
            assert_int_equal((uintptr_t)made % alignof(max_align_t), 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(made[i], 0);
            memset(made, 0xff, size);
        }
        arena_reset(&arena);
    }
    arena_free(&arena);
}

static void nothing_overlaps(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    static unsigned char *made[COUNT];
    static size_t size[COUNT];
    struct arena arena;
    struct rand rand;
    arena_init(&arena, LIMIT);
    rand_init(&rand, 1);
    for (size_t i = 0; i < COUNT; i++) {
        size[i] = rand_below(&rand, i % 100 == 0 ? 200000 : 300);
        made[i] = arena_make(&arena, size[i]);
        memset(made[i], (int)(i % 251), size[i]);
    }
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t k = 0; k < size[i]; k++)
            assert_int_equal(made[i][k], i % 251);
    }
    arena_free(&arena);
}

static void nothing_made_is_still_something(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, LIMIT);
    void *a = arena_make(&arena, 0);
    void *b = arena_make(&arena, 0);
    assert_non_null(a);
    assert_ptr_not_equal(a, b);
    assert_string_equal(arena_copy(&arena, ""), "");
    assert_string_equal(arena_copy(&arena, "text"), "text");
    arena_free(&arena);
}

static void what_stands_before_a_mark_survives_it(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, LIMIT);
    char *kept = arena_copy(&arena, "kept");
    struct arena_mark outer = arena_mark(&arena);
    char *borrowed = arena_copy(&arena, "borrowed");
    struct arena_mark inner = arena_mark(&arena);
    for (int i = 0; i < 1000; i++)
        memset(arena_make(&arena, 5000), 0xff, 5000);
    arena_back(&arena, inner);
    assert_string_equal(borrowed, "borrowed");
    /* The next one takes the place of what is gone. */
    char *next = arena_copy(&arena, "next");
    assert_string_equal(borrowed, "borrowed");
    arena_back(&arena, outer);
    assert_ptr_equal(arena_make(&arena, 9), borrowed);
    assert_ptr_not_equal(next, borrowed);
    assert_string_equal(kept, "kept");
    arena_free(&arena);
}

static void a_mark_gives_the_budget_back(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 100000);
    arena_make(&arena, 1000);
    struct arena_mark mark = arena_mark(&arena);
    for (int i = 0; i < 1000; i++) {
        arena_make(&arena, 90000);
        arena_back(&arena, mark);
    }
    assert_int_equal(arena.used_bytes, mark.used_bytes);
    assert_true(arena_has(&arena, 90000));
    arena_free(&arena);
}

static void a_mark_on_an_empty_arena_is_a_reset(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, LIMIT);
    struct arena_mark mark = arena_mark(&arena);
    arena_back(&arena, mark);
    void *first = arena_make(&arena, 10);
    arena_make(&arena, 1000000);
    arena_back(&arena, mark);
    assert_int_equal(arena.used_bytes, 0);
    assert_ptr_equal(arena_make(&arena, 10), first);
    arena_reset(&arena);
    assert_ptr_equal(arena_make(&arena, 10), first);
    arena_free(&arena);
    assert_null(arena.block);
    /* Freed is as good as new. */
    assert_non_null(arena_make(&arena, 10));
    arena_free(&arena);
}

static void has_tells_exactly_what_fits(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1024);
    assert_true(arena_has(&arena, 1024));
    assert_false(arena_has(&arena, 1025));
    assert_false(arena_has(&arena, SIZE_MAX));
    arena_make(&arena, 1000);
    assert_true(arena_has(&arena, 16));
    assert_false(arena_has(&arena, 17));
    arena_make(&arena, 16);
    assert_false(arena_has(&arena, 0));
    arena_free(&arena);

    arena_init(&arena, 1000); /* no multiple of the alignment */
    assert_true(arena_has(&arena, 992));
    assert_false(arena_has(&arena, 993));
    arena_free(&arena);
}

/* The way in which a child dies that makes size_bytes in an arena of 1024. */
static int status_of_making(size_t size_bytes, char *line, size_t capacity)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        struct arena arena;
        arena_init(&arena, 1024);
        arena_make(&arena, size_bytes);
        _exit(0);
    }
    close(ends[1]);
    ssize_t count = read(ends[0], line, capacity - 1);
    line[count < 0 ? 0 : count] = '\0';
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void beyond_the_limit_it_aborts_with_one_line(void **state)
{
    (void)state;
    char line[200];
    assert_int_equal(status_of_making(1024, line, sizeof line), 0);
    assert_string_equal(line, "");
    const size_t sizes[] = {1025, SIZE_MAX, SIZE_MAX - 15};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        int status = status_of_making(sizes[i], line, sizeof line);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
        assert_non_null(strstr(line, "frostline: out of memory"));
        assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    }
}

/* An array of nothing is made like any other. */
static void nothing_can_be_made_in_an_empty_arena(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 4096);
    assert_non_null(arena_make(&arena, 0));
    arena_free(&arena);
}

/* In every block, and whatever was given back to the arena meanwhile. */
static void cleansing_zeroes_all_blocks(void **state)
{
    (void)state;
    enum { COUNT = 40, SIZE = 5000 };
    static unsigned char *made[COUNT];
    struct arena arena;
    arena_init(&arena, LIMIT);
    for (size_t i = 0; i < COUNT; i++) {
        made[i] = arena_make(&arena, SIZE);
        memset(made[i], 0xff, SIZE);
    }
    struct arena_mark mark = arena_mark(&arena);
    memset(arena_make(&arena, 100), 0xff, 100);
    arena_back(&arena, mark);
    arena_cleanse(&arena);
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t k = 0; k < SIZE; k++)
            assert_int_equal(made[i][k], 0);
    }
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_can_be_made_in_an_empty_arena),
        cmocka_unit_test(what_is_made_is_zeroed_and_aligned),
        cmocka_unit_test(nothing_overlaps),
        cmocka_unit_test(nothing_made_is_still_something),
        cmocka_unit_test(what_stands_before_a_mark_survives_it),
        cmocka_unit_test(a_mark_gives_the_budget_back),
        cmocka_unit_test(a_mark_on_an_empty_arena_is_a_reset),
        cmocka_unit_test(has_tells_exactly_what_fits),
        cmocka_unit_test(beyond_the_limit_it_aborts_with_one_line),
        cmocka_unit_test(cleansing_zeroes_all_blocks),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
