/* What the doctor says of a store, by what came of a trial that no server here would give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/when.h"
#include "engine/doctor.h"

static struct options options;
static struct wiring wiring;
static struct policies policies;
static struct policy policy;
static struct policy_store stores[2];
static struct store_ops ops;
static struct store store;
static struct doctor doctor;
static struct trial trials[2];
static struct trial_copy copies[1];

static const struct doctor_check check = {.group = "store", .name = "all"};

static void make_good(struct trial *trial)
{
    *trial = (struct trial){.store = &store,
                            .protocol = "HTTP/1.1",
                            .has_clock = true,
                            .put = true,
                            .batched = true,
                            .copies = copies};
}

static int set_up(void **state)
{
    (void)state;
    arena_init(&wiring.arena, 1 << 20);
    wiring.options = &options;
    wiring.policies = &policies;
    stores[0] = (struct policy_store){
        .name = "hot",
        .type = STORE_AZURE,
        .container = "raw",
        .connection = {.account = "acct", .endpoint = "https://acct.blob.core.windows.net"}};
    stores[1] = (struct policy_store){.name = "cold", .type = STORE_LOCAL, .path = "/cold"};
    policy = (struct policy){.from = 1, .target = 0};
    policies = (struct policies){.stores = stores, .store_count = 2, .items = &policy, .count = 1};
    ops = (struct store_ops){.kind = "azure", .batches = true};
    store = (struct store){.ops = &ops, .name = "hot"};
    memset(&doctor, 0, sizeof doctor);
    doctor.wiring = &wiring;
    doctor.check = &check;
    findings_init(&doctor.findings, &wiring.arena);
    make_good(&trials[0]);
    make_good(&trials[1]);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&wiring.arena);
    return 0;
}

static const struct finding *told(const char *name)
{
    for (size_t i = 0; i < doctor.findings.count; i++)
        if (str_equal(doctor.findings.items[i].name, name))
            return &doctor.findings.items[i];
    return NULL;
}

static void assert_told(const char *name, enum finding_status status, const char *text)
{
    const struct finding *finding = told(name);
    assert_non_null(finding);
    assert_int_equal(finding->status, status);
    if (strstr(finding->text, text) == NULL)
        fail_msg("%s: %s", name, finding->text);
    assert_int_equal(finding->fix != NULL, status >= FINDING_WARNING);
}

static void assert_failed(const char *name, enum exit_code code, const char *text)
{
    assert_told(name, FINDING_FAILED, text);
    assert_int_equal(told(name)->code, code);
    assert_int_equal(findings_exit(&doctor.findings), code);
}

static void all_is_well(void **state)
{
    (void)state;
    doctor_store_tell(&doctor, trials, 0);
    for (size_t i = 0; i < doctor.findings.count; i++) {
        assert_string_equal(doctor.findings.items[i].subject, "hot");
        assert_string_equal(doctor.findings.items[i].group, "store");
    }
    assert_told("reachable", FINDING_OK, "raw at https://acct.blob.core.windows.net");
    assert_told("clock", FINDING_OK, "");
    assert_told("write", FINDING_OK, "");
    assert_told("copy", FINDING_SKIPPED, "no other store");
    assert_told("batch", FINDING_OK, "");
    assert_null(told("versions"));
    assert_null(told("left"));
    assert_null(doctor.subject);
    assert_ptr_equal(doctor.check, &check);
}

static void a_clock_may_be_five_minutes_off(void **state)
{
    (void)state;
    trials[0].skew_us = 300 * WHEN_SECOND_US;
    doctor_store_tell(&doctor, trials, 0);
    assert_told("clock", FINDING_OK, "");
    doctor.findings.count = 0;
    trials[0].skew_us = 301 * WHEN_SECOND_US;
    doctor_store_tell(&doctor, trials, 0);
    assert_told("clock", FINDING_WARNING, "301 s ahead");
    doctor.findings.count = 0;
    trials[0].skew_us = -7200 * WHEN_SECOND_US;
    doctor_store_tell(&doctor, trials, 0);
    assert_told("clock", FINDING_WARNING, "7200 s behind");
    assert_int_equal(findings_exit(&doctor.findings), EXIT_OK);
}

/* A clock that is wrong is why a signature is refused. */
static void the_clock_is_told_of_a_store_that_refuses(void **state)
{
    (void)state;
    trials[0].skew_us = -7200 * WHEN_SECOND_US;
    ERR(&trials[0].listed, ERR_DENIED, "container raw: 403");
    doctor_store_tell(&doctor, trials, 0);
    assert_failed("reachable", EXIT_AUTH, "403");
    assert_told("clock", FINDING_WARNING, "behind");
    assert_told("write", FINDING_SKIPPED, "not reached");
    assert_told("batch", FINDING_SKIPPED, "not reached");
}

static void what_is_missing_is_made_by_the_fix(void **state)
{
    (void)state;
    ERR(&trials[0].listed, ERR_MISSING, "no container");
    ERR(&trials[1].listed, ERR_MISSING, "no folder");
    doctor_store_tell(&doctor, trials, 0);
    assert_failed("reachable", EXIT_INVALID, "no container");
    assert_string_equal(told("reachable")->fix,
                        "az storage container create --account-name acct --name raw");
    doctor.findings.count = 0;
    doctor_store_tell(&doctor, trials, 1);
    assert_string_equal(told("reachable")->fix, "mkdir -p /cold");
}

static void a_target_that_takes_nothing_fails(void **state)
{
    (void)state;
    struct store_outcome denied = {RESULT_DENIED, 403, "AuthorizationPermissionMismatch"};
    trials[0].put = trials[1].put = false;
    trials[0].puttings[1].outcome = trials[1].puttings[1].outcome = denied;
    doctor_store_tell(&doctor, trials, 0);
    assert_failed("write", EXIT_AUTH, "denied (403 AuthorizationPermissionMismatch)");
    assert_told("read", FINDING_SKIPPED, "nothing could be written");
    assert_told("copy", FINDING_SKIPPED, "nothing could be written");
    assert_told("delete", FINDING_SKIPPED, "nothing could be written");
    doctor.findings.count = 0;
    doctor_store_tell(&doctor, trials, 1); /* to which no policy moves anything */
    assert_told("write", FINDING_WARNING, "no policy moves anything there");
    assert_int_equal(findings_exit(&doctor.findings), EXIT_OK);
}

static void other_bytes_than_were_written_are_no_small_matter(void **state)
{
    (void)state;
    trials[0].reading.outcome.result = RESULT_CHANGED;
    doctor_store_tell(&doctor, trials, 0);
    assert_failed("read", EXIT_INTEGRITY, "changed");
}

static void the_store_that_can_t_be_copied_from_is_named(void **state)
{
    (void)state;
    copies[0] = (struct trial_copy){.source = 1};
    trials[0].copy_count = 1;
    doctor_store_tell(&doctor, trials, 0);
    assert_told("copy", FINDING_OK, "cold");
    doctor.findings.count = 0;
    copies[0].copy.outcome = (struct store_outcome){RESULT_DENIED, 403, "X"};
    doctor_store_tell(&doctor, trials, 0);
    assert_failed("copy", EXIT_AUTH, "cold: denied (403 X)");
}

static void a_deletion_that_is_refused_fails_and_names_what_stays(void **state)
{
    (void)state;
    trials[0].alone.outcome = (struct store_outcome){RESULT_DENIED, 403, "X"};
    trials[0].batched = false;
    trials[0].left = ".frostline-doctor-1/object-1";
    doctor_store_tell(&doctor, trials, 0);
    assert_failed("delete", EXIT_AUTH, "denied");
    assert_told("batch", FINDING_SKIPPED, "nothing could be deleted");
    assert_told("left", FINDING_WARNING, ".frostline-doctor-1/object-1");
}

static void a_batch_that_is_refused_is_told_by_the_part_that_was(void **state)
{
    (void)state;
    trials[0].batched = false;
    trials[0].pair[1].outcome = (struct store_outcome){RESULT_UNKNOWN, 0, ""};
    doctor_store_tell(&doctor, trials, 0);
    assert_failed("batch", EXIT_TEMPORARY, "unknown");
    doctor.findings.count = 0;
    ops.batches = false;
    doctor_store_tell(&doctor, trials, 0);
    assert_null(told("batch"));
}

static void versions_are_told(void **state)
{
    (void)state;
    trials[0].puttings[0].versioned = true;
    doctor_store_tell(&doctor, trials, 0);
    assert_told("versions", FINDING_WARNING, "keeps versions");
}

static void who_only_reads_is_told_what_was_not_tried(void **state)
{
    (void)state;
    make_good(&trials[0]);
    trials[0].read_only = true;
    trials[0].put = false;
    doctor_store_tell(&doctor, trials, 0);
    assert_told("reachable", FINDING_OK, "");
    static const char *const names[] = {"write", "read", "copy", "delete", "batch"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_told(names[i], FINDING_SKIPPED, "--read-only");
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(all_is_well),
        CASE(a_clock_may_be_five_minutes_off),
        CASE(the_clock_is_told_of_a_store_that_refuses),
        CASE(what_is_missing_is_made_by_the_fix),
        CASE(a_target_that_takes_nothing_fails),
        CASE(other_bytes_than_were_written_are_no_small_matter),
        CASE(the_store_that_can_t_be_copied_from_is_named),
        CASE(a_deletion_that_is_refused_fails_and_names_what_stays),
        CASE(a_batch_that_is_refused_is_told_by_the_part_that_was),
        CASE(versions_are_told),
        CASE(who_only_reads_is_told_what_was_not_tried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
