/* Maps: from strings to indexes, few and many. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/str.h"

#define LIMIT ((size_t)64 << 20)

static void an_empty_map_has_nothing(void **state)
{
    (void)state;
    struct arena arena;
    struct map map;
    size_t value = 7;
    arena_init(&arena, LIMIT);
    map_init(&map, &arena);
    assert_false(map_find(&map, "a", &value));
    assert_int_equal(value, 7);
    assert_int_equal(arena.used_bytes, 0);
    arena_free(&arena);
}

static void the_first_value_stays(void **state)
{
    (void)state;
    struct arena arena;
    struct map map;
    size_t value;
    arena_init(&arena, LIMIT);
    map_init(&map, &arena);
    assert_true(map_put(&map, "a", 1));
    assert_true(map_put(&map, "", 2));
    assert_false(map_put(&map, "a", 3));
    assert_true(map_find(&map, "a", &value) && value == 1);
    assert_true(map_find(&map, "", &value) && value == 2);
    assert_false(map_find(&map, "b", &value));
    assert_int_equal(map.count, 2);
    arena_free(&arena);
}

/* A search for what is absent ends at an empty slot, however many are taken. */
static void every_fill_has_an_end_to_its_search(void **state)
{
    (void)state;
    struct arena arena;
    struct map map;
    size_t value;
    arena_init(&arena, LIMIT);
    map_init(&map, &arena);
    for (size_t i = 0; i < 300; i++) {
        assert_true(map_put(&map, str_format(&arena, "%zu", i), i));
        assert_false(map_find(&map, "absent", &value));
    }
    arena_free(&arena);
}

static void a_hundred_thousand_keys(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    struct arena arena;
    struct map map;
    size_t value;
    arena_init(&arena, LIMIT);
    map_init(&map, &arena);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(map_put(&map, str_format(&arena, "recording/%zu/", i), i));
    assert_int_equal(map.count, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        char key[40];
        strcpy(key, str_format(&arena, "recording/%zu/", i)); /* equal, not the same */
        assert_true(map_find(&map, key, &value));
        assert_int_equal(value, i);
        assert_false(map_put(&map, key, 0));
        key[0] = 'R';
        assert_false(map_find(&map, key, &value));
    }
    assert_int_equal(map.count, COUNT);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_has_nothing),
        cmocka_unit_test(the_first_value_stays),
        cmocka_unit_test(every_fill_has_an_end_to_its_search),
        cmocka_unit_test(a_hundred_thousand_keys),
    };
    return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
