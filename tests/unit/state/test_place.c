/* test_place.c: stores that overlap are an error, however their URLs are spelled. */
#include "state/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/str.h"

static bool pair_is_fine(const char *a, const char *b, struct err *err)
{
    const struct place items[] = {{.store = "first", .base = "https://first.example/f/"},
                                  {.store = "a", .base = a},
                                  {.store = "b", .base = b}};
    const struct places places = {.items = items, .count = 3};
    size_t first = 99, second = 99;
    *err = (struct err){0};
    if (place_check(&places, &first, &second, err))
        return true;
    assert_int_equal(err->kind, ERR_INPUT);
    assert_int_equal(first, 1);
    assert_int_equal(second, 2);
    assert_non_null(strstr(err->text, "stores a and b overlap"));
    return false;
}

static void places_that_stand_apart_are_fine(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"https://h.example/c/", "https://h.example/d/"},
        {"https://h.example/c/", "https://h.example/c2/"},
        {"https://h.example/c/a/1/", "https://h.example/c/a/10/"},
        {"https://h.example/c/", "https://g.example/c/"},
        {"http://127.0.0.1:10000/a/c/", "http://127.0.0.1:10001/a/c/"},
        {"file:///srv/hot/", "file:///srv/cold/"},
        {"file:///srv/hot/", "https://srv/hot/"},
        {"https://h.example/C/", "https://h.example/c/"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct err err;
        if (!pair_is_fine(pairs[i][0], pairs[i][1], &err))
            fail_msg("%s", err.text);
    }
}

static void stores_of_one_base_are_one_place(void **state)
{
    (void)state;
    static const struct place items[] = {{"a", "https://h.example/c/", NULL, 0},
                                         {"b", "https://h.example/d/", NULL, 0},
                                         {"c", "https://h.example/c/", NULL, 0},
                                         {"d", "https://h.example/c/", NULL, 0}};
    const struct places places = {.items = items, .count = 4};
    size_t first, second;
    struct err err = {0};
    assert_true(place_check(&places, &first, &second, &err));
    assert_int_equal(place_first(&places, 0), 0);
    assert_int_equal(place_first(&places, 1), 1);
    assert_int_equal(place_first(&places, 2), 0);
    assert_int_equal(place_first(&places, 3), 0);
    assert_true(place_is_shared(&places, 0));
    assert_false(place_is_shared(&places, 1));
    assert_true(place_is_shared(&places, 3));
}

static void equal_and_nested_places_are_refused(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"https://h.example/c/", "https://h.example/c/a/"},
        {"https://h.example/c/a/", "https://h.example/c/"},
        {"http://h.example/c/", "https://h.example/c/"},
        {"https://h.example:443/c/", "https://h.example/c/a/"},
        {"https://h.example/100%25/", "https://h.example/100%/x/"},
        {"file:///srv/", "file:///srv/hot/"},
        {"file:///srv/hot/", "file://localhost/srv/hot/"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct err err;
        if (pair_is_fine(pairs[i][0], pairs[i][1], &err))
            fail_msg("%s and %s are taken for different", pairs[i][0], pairs[i][1]);
    }
}

static void aliases_count(void **state)
{
    (void)state;
    static const char *const aliases[] = {"https://cdn.example/", "https://h.example/c/"};
    struct place items[] = {{"a", "https://h.example/c/", aliases, 2},
                            {"b", "https://h.example/d/", NULL, 0}};
    const struct places places = {.items = items, .count = 2};
    size_t first, second;
    struct err err = {0};
    /* A place may repeat itself. */
    assert_true(place_check(&places, &first, &second, &err));

    items[1].base = "https://cdn.example/d/";
    assert_false(place_check(&places, &first, &second, &err));
    assert_int_equal(first, 0);
    assert_int_equal(second, 1);
    assert_non_null(strstr(err.text, "https://cdn.example/"));
}

static void meanings_are_one_for_each_thing(void **state)
{
    (void)state;
    static const struct {
        const char *url, *meaning;
    } table[] = {
        {"HTTP://Host.Example:80/a", "https://host.example/a"},
        {"https://u:p@host.example:443", "https://host.example/"},
        {"http://[FE80::1]:8080/a/", "https://[fe80::1]:8080/a/"},
        {"https://h/a/../b/./c//d/..", "https://h/b/c/"},
        {"https://h/../..", "https://h/"},
        {"https://h/..a/.b/...", "https://h/..a/.b/..."},
        {"https://h/a%2fb%252fc?q#f", "https://h/a/b%2fc"},
        {"file:/srv/x", "file:///srv/x"},
        {"no url", NULL},
    };
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const char *meaning = place_meaning(table[i].url, &arena);
        if (!str_equal(meaning, table[i].meaning))
            fail_msg("%s means %s", table[i].url, meaning == NULL ? "nothing" : meaning);
    }
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_that_stand_apart_are_fine),
        cmocka_unit_test(stores_of_one_base_are_one_place),
        cmocka_unit_test(equal_and_nested_places_are_refused),
        cmocka_unit_test(aliases_count),
        cmocka_unit_test(meanings_are_one_for_each_thing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
