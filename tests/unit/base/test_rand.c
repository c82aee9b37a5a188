/* Random numbers: the published sequence, bounds without bias. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/rand.h"

/* The first outputs of splitmix64 for the seed 0, known from other implementations. */
static void the_seed_is_spread_by_splitmix(void **state)
{
    (void)state;
    struct rand rand;
    rand_init(&rand, 0);
    assert_true(rand.state[0] == UINT64_C(0xe220a8397b1dcdaf));
    assert_true(rand.state[1] == UINT64_C(0x6e789e6aa1b965f4));
    assert_true(rand.state[2] == UINT64_C(0x06c45d188009454f));
    assert_true(rand.state[3] == UINT64_C(0xf88bb8a8724c81ec));
}

/* The first outputs of xoshiro256** from the state 1, 2, 3, 4, known from other implementations. */
static void the_sequence_is_the_published_one(void **state)
{
    (void)state;
    struct rand rand = {.state = {1, 2, 3, 4}};
    static const uint64_t expected[] = {
        UINT64_C(11520),
        UINT64_C(0),
        UINT64_C(1509978240),
        UINT64_C(1215971899390074240),
        UINT64_C(1216172134540287360),
        UINT64_C(607988272756665600),
        UINT64_C(16172922978634559625),
        UINT64_C(8476171486693032832),
        UINT64_C(10595114339597558777),
        UINT64_C(2904607092377533576),
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_true(rand_next(&rand) == expected[i]);
}

static void one_seed_one_sequence(void **state)
{
    (void)state;
    struct rand a, b, c;
    rand_init(&a, 42);
    rand_init(&b, 42);
    rand_init(&c, 43);
    uint64_t same = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t drawn = rand_next(&a);
        assert_true(drawn == rand_next(&b));
        same += drawn == rand_next(&c);
    }
    assert_int_equal(same, 0);
}

static void below_stays_below_and_is_even(void **state)
{
    (void)state;
    struct rand rand;
    unsigned count[6] = {0};
    rand_init(&rand, 1);
    for (int i = 0; i < 60000; i++)
        count[rand_below(&rand, 6)]++;
    for (int i = 0; i < 6; i++)
        assert_in_range(count[i], 9600, 10400);
    for (int i = 0; i < 100; i++)
        assert_int_equal(rand_below(&rand, 1), 0);
}

/* Of a bound of three quarters of 2^64, plain remainders would favour the lower third twofold. */
static void large_bounds_have_no_bias(void **state)
{
    (void)state;
    struct rand rand;
    const uint64_t bound = UINT64_C(3) << 62;
    unsigned low = 0;
    rand_init(&rand, 2);
    for (int i = 0; i < 30000; i++) {
        uint64_t drawn = rand_below(&rand, bound);
        assert_true(drawn < bound);
        low += drawn < bound / 3;
    }
    assert_in_range(low, 9600, 10400);
}

static void the_system_does_not_repeat_itself(void **state)
{
    (void)state;
    uint64_t first = rand_system();
    assert_true(first != rand_system() && first != rand_system());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seed_is_spread_by_splitmix),
        cmocka_unit_test(the_sequence_is_the_published_one),
        cmocka_unit_test(one_seed_one_sequence),
        cmocka_unit_test(below_stays_below_and_is_even),
        cmocka_unit_test(large_bounds_have_no_bias),
        cmocka_unit_test(the_system_does_not_repeat_itself),
    };
    return cmocka_run_group_tests_name("rand", tests, NULL, NULL);
}
