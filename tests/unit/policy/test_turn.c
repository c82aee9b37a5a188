/* Which instants matter to a row, and which of them are asked for. */
#include "policy/turn.h"

#include "base/rand.h"
#include "tests/unit/policy/rows.h"

static const char policies[] = "timezone: Europe/Berlin\n"
                               "holds:\n"
                               "  - {name: h, until: 2025-06-14, select: {ids: [B]}}\n"
                               "policies:\n"
                               "  - name: p\n"
                               "    target: cold\n"
                               "    select: {older_than: 90d, newer_than: 6mo}\n"
                               "    exclude: {any: [{ids: [C]}, {newer_than: 95d}]}\n"
                               "    expires: 2025-06-20\n"
                               "  - {name: q, target: warm, select: {older_than: 1mo}}\n";

static void turns_are(struct turns *turns, const struct record *record, bool ends,
                      const char *const *wanted)
{
    size_t count = 0;
    turn_find(turns, record, ends);
    for (; wanted[count] != NULL; count++)
        if (count < turns->count)
            assert_int_equal(turns->items[count], instant(wanted[count]));
    assert_int_equal(turns->count, count);
}

static void what_is_to_come_is_found_in_order(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct recording young, old, at_the_line;
    struct turns turns;
    fixture_ready(&fixture, policies);
    recording_init(&young, "A", "2025-03-10T12:00:00Z");
    recording_init(&old, "A", "2020-01-01T12:00:00Z");
    turn_init(&turns, fixture.policies);
    turns_are(&turns, &young.record, false,
              (const char *[]){"2025-06-08T12:00:00.000001Z", "2025-06-13T12:00:00Z",
                               "2025-09-10T11:00:00Z", NULL});
    turns_are(&turns, &young.record, true,
              (const char *[]){"2025-06-08T12:00:00.000001Z", "2025-06-13T12:00:00Z",
                               "2025-06-14T22:00:00Z", "2025-06-20T22:00:00Z",
                               "2025-09-10T11:00:00Z", NULL});
    turns_are(&turns, &old.record, false, (const char *[]){NULL});
    recording_init(&at_the_line, "A", "2025-03-03T00:00:00Z");
    turns_are(&turns, &at_the_line.record, false,
              (const char *[]){"2025-06-01T00:00:00.000001Z", "2025-06-06T00:00:00Z",
                               "2025-09-02T23:00:00Z", NULL});
    turn_free(&turns);
    fixture_free(&fixture);
}

static void nothing_is_found_from_the_limit_on(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct recording row, of_june_30;
    struct turns turns;
    fixture_ready(&fixture, policies);
    recording_init(&row, "A", "2025-03-10T12:00:00Z");
    turn_init(&turns, fixture.policies);
    turn_limit(&turns, instant("2025-06-14T22:00:00Z"));
    turns_are(&turns, &row.record, true,
              (const char *[]){"2025-06-08T12:00:00.000001Z", "2025-06-13T12:00:00Z", NULL});
    turn_limit(&turns, instant("2025-06-08T12:00:00.000001Z"));
    turns_are(&turns, &row.record, true, (const char *[]){NULL});
    turn_limit(&turns, instant("2025-06-08T12:00:00.000002Z"));
    turns_are(&turns, &row.record, true, (const char *[]){"2025-06-08T12:00:00.000001Z", NULL});

    /* On July 31 a month ago is June 30 once more, from its first hour on. */
    recording_init(&of_june_30, "A", "2025-06-30T18:00:00Z");
    turn_limit(&turns, instant("2025-07-30T23:00:00Z"));
    turns_are(&turns, &of_june_30.record, false,
              (const char *[]){"2025-07-30T18:00:00.000001Z", NULL});
    turn_free(&turns);
    fixture_free(&fixture);
}

/* However the limit is drawn, it leaves out what is behind it, and nothing else. */
static void a_limit_cuts_off_the_rest(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct recording row;
    struct turns all, some;
    struct rand rand;
    rand_init(&rand, 20260102);
    fixture_ready(&fixture, policies);
    recording_init(&row, "A", AS_OF);
    turn_init(&all, fixture.policies);
    turn_init(&some, fixture.policies);
    for (int round = 0; round < 20000; round++) {
        int64_t until_us =
            instant(AS_OF) + (int64_t)rand_below(&rand, 250 * 86400) * WHEN_SECOND_US;
        size_t before = 0;
        row.record.time_us =
            instant(AS_OF) - (int64_t)rand_below(&rand, 250 * 86400) * WHEN_SECOND_US;
        turn_find(&all, &row.record, true);
        while (before < all.count && all.items[before] < until_us)
            before++;
        turn_limit(&some, until_us);
        turn_find(&some, &row.record, true);
        assert_int_equal(some.count, before);
        if (before > 0)
            assert_memory_equal(some.items, all.items, before * sizeof *all.items);
    }
    turn_free(&some);
    turn_free(&all);
    fixture_free(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_to_come_is_found_in_order),
        cmocka_unit_test(nothing_is_found_from_the_limit_on),
        cmocka_unit_test(a_limit_cuts_off_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
