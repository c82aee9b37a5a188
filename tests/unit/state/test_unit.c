/* test_unit.c: every state and reason has a name of its own and a text for people; what a unit is,
 * its name says. */
#include "state/unit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void four_states_are_closed(void **state)
{
    (void)state;
    unsigned open = 0;
    for (enum unit_state at = 0; at < UNIT_STATES; at++)
        open += unit_is_open(&(struct unit){.state = at});
    assert_int_equal(open, UNIT_STATES - 4);
    assert_false(unit_is_open(&(struct unit){.state = UNIT_DONE}));
    assert_false(unit_is_open(&(struct unit){.state = UNIT_SKIPPED}));
    assert_false(unit_is_open(&(struct unit){.state = UNIT_ABANDONED}));
    assert_false(unit_is_open(&(struct unit){.state = UNIT_ROLLED_BACK}));
}

/* What is no move has nothing to go back to. */
static void a_move_can_return_until_it_deletes(void **state)
{
    (void)state;
    for (enum unit_kind kind = 0; kind < UNIT_KINDS; kind++)
        for (enum unit_state at = 0; at < UNIT_STATES; at++) {
            struct unit unit = {.kind = kind, .state = at, .left_state = UNIT_DELETING};
            bool can = kind == UNIT_MOVE && (at == UNIT_CUTOVER || at == UNIT_RETURNING);
            assert_int_equal(unit_can_return(&unit), can);
            struct unit parked = {.kind = kind, .state = UNIT_PARKED, .left_state = at};
            assert_int_equal(unit_can_return(&parked), can);
        }
}

static void names_are_distinct(void **state)
{
    (void)state;
    for (enum unit_state a = 0; a < UNIT_STATES; a++)
        for (enum unit_state b = a + 1; b < UNIT_STATES; b++)
            assert_string_not_equal(unit_state_name(a), unit_state_name(b));
    for (enum unit_reason a = 0; a < UNIT_REASONS; a++)
        for (enum unit_reason b = a + 1; b < UNIT_REASONS; b++) {
            assert_string_not_equal(unit_reason_name(a), unit_reason_name(b));
            assert_string_not_equal(unit_reason_text(a), unit_reason_text(b));
        }
    assert_string_equal(unit_state_name(UNIT_VERIFYING), "verifying");
    assert_string_equal(unit_state_name(UNIT_ROLLED_BACK), "rolled-back");
    assert_string_equal(unit_reason_name(REASON_TARGET_DIFFERS), "target-differs");
    assert_string_equal(unit_reason_name(REASON_SKEW), "skew");
    assert_string_equal(unit_verify_name(VERIFY_SIZE), "size");
    assert_string_equal(unit_verify_name(VERIFY_READBACK), "readback");
}

static void texts_are_sentences(void **state)
{
    (void)state;
    for (enum unit_reason reason = 0; reason < UNIT_REASONS; reason++) {
        const char *text = unit_reason_text(reason);
        if (text[0] < 'A' || text[strlen(text) - 1] != '.')
            fail_msg("%s: \"%s\"", unit_reason_name(reason), text);
    }
}

static void a_directory_covers_what_is_below_it_and_an_object_itself(void **state)
{
    (void)state;
    static const struct {
        const char *unit, *name;
        bool covers;
    } table[] = {
        {"a/", "a/", true},        {"a/", "a/b", true},       {"a/", "a/b/c", true},
        {"a/", "a", false},        {"a/", "a.bak", false},    {"a/", "ab/c", false},
        {"a/b", "a/b", true},      {"a/b", "a/b/", false},    {"a/b", "a/b/c", false},
        {"a/b", "a/b.bak", false}, {"a/b", "a/bc", false},    {"a/b", "a/B", false},
        {"a/b", "a/", false},      {"a/b.bak", "a/b", false}, {"b", "b", true},
        {"b", "b ", false},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (unit_covers(table[i].unit, table[i].name) != table[i].covers)
            fail_msg("%s and %s", table[i].unit, table[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_states_are_closed),
        cmocka_unit_test(a_move_can_return_until_it_deletes),
        cmocka_unit_test(names_are_distinct),
        cmocka_unit_test(texts_are_sentences),
        cmocka_unit_test(a_directory_covers_what_is_below_it_and_an_object_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
