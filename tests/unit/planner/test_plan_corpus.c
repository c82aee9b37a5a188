/* What the fuzzer of plan files begins with and has found is read by every ordinary run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/fuzz/fuzz_plan.c"

#include "tests/support/corpus.h"

static void the_corpus_is_harmless(void **state)
{
    (void)state;
    assert_true(corpus_feed("tests/fuzz/corpus/plan", LLVMFuzzerTestOneInput) >= 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_corpus_is_harmless)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
