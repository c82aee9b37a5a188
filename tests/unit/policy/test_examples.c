/* Each example loads with the environment of the script that it replaces, without a warning, binds
 * to the script's table, and decides as its README says.                                         */
#include "policy/lint.h"
#include "tests/unit/policy/rows.h"

#define KEY "c2VjcmV0LWNhbmFyeS1rZXk="

static const char *const environment[] = {
    "DB_HOST=db.example",
    "DB_NAME=ecaldb",
    "DB_USER=ecal",
    "DB_PASSWORD=CANARY",
    "SOURCE_AZURE_CONNECTION_STRING=DefaultEndpointsProtocol=https;AccountName=hotacct;"
    "AccountKey=" KEY ";EndpointSuffix=core.windows.net",
    "COLD_STORAGE_CONNECTION_STRING=DefaultEndpointsProtocol=https;AccountName=coldacct;"
    "AccountKey=" KEY ";EndpointSuffix=core.windows.net",
    NULL,
};

/* map TEXT, length INTEGER, is_valid BOOLEAN, invalid_reason_id INTEGER; a naive timestamp. */
static struct catalog_shape ecal_shape(void)
{
    static enum value_kind fields[] = {VALUE_TEXT, VALUE_INTEGER, VALUE_BOOLEAN, VALUE_INTEGER};
    return (struct catalog_shape){.identity = "postgres://db.example:5432/ecaldb/ecal",
                                  .time = VALUE_INSTANT,
                                  .time_is_naive = true,
                                  .size = VALUE_DECIMAL,
                                  .fields = fields};
}

static void open_example(struct fixture *fixture, const char *name)
{
    struct catalog_shape shape = ecal_shape();
    struct err err;
    *fixture = (struct fixture){0};
    arena_init(&fixture->arena, FIXTURE_ARENA_BYTES);
    diag_init(&fixture->diags, &fixture->arena);
    buf_init(&fixture->out, FIXTURE_OUT_BYTES);
    struct policy_source source = {.path = str_format(&fixture->arena, "%s/recordings.yaml", name),
                                   .env = fixture_env,
                                   .env_context = (void *)environment};
    if (!policy_load(&source, &fixture->arena, &fixture->diags, &fixture->policies, &err))
        fail_msg("%s", err.text);
    diag_render(&fixture->diags, &fixture->out);
    assert_loaded(fixture);
    lint_policies(fixture->policies, instant(AS_OF), &fixture->diags);
    assert_int_equal(fixture->diags.warnings, 0);
    assert_true(policy_bind(fixture->policies, &shape, &fixture->diags));
    policy_prepare(fixture->policies, instant(AS_OF));

    const struct policies *policies = fixture->policies;
    assert_string_equal(policies->catalog.table, "ecal");
    assert_string_equal(policies->places.items[0].base,
                        "https://hotacct.blob.core.windows.net/ecal-batchstore/");
    assert_string_equal(policies->places.items[1].base,
                        "https://coldacct.blob.core.windows.net/ecal-cold-storage/");
}

static enum decision_kind decide(struct fixture *fixture, const char *id, const char *time,
                                 const char *map, bool valid)
{
    struct value fields[] = {text_value(map), integer_value(600), boolean_value(valid), {0}};
    struct record record = {.id = id, .fields = fields, .field_count = 4};
    struct decision decision;
    record.has_time = true;
    record.time_us = instant(time);
    policy_decide(fixture->policies, &record, &(struct location){.key = "a/b"}, &decision);
    return decision.kind;
}

static void ecal_90_days(void **state)
{
    (void)state;
    struct fixture fixture;
    open_example(&fixture, "ecal-90-days");
    assert_int_equal(decide(&fixture, "A", "2025-03-02T23:59:59Z", "map_1", true), DECISION_MOVE);
    assert_int_equal(decide(&fixture, "A", "2025-03-03T00:00:00Z", "map_1", true), DECISION_STAY);
    assert_int_equal(decide(&fixture, "A", "2025-01-01T00:00:00Z", "map_1", false), DECISION_STAY);
    assert_int_equal(decide(&fixture, "A", "2025-01-01T00:00:00Z", "golden-1", true),
                     DECISION_STAY);
    fixture_free(&fixture);
}

static void explicit_ids(void **state)
{
    (void)state;
    struct fixture fixture;
    open_example(&fixture, "explicit-ids");
    assert_int_equal(decide(&fixture, "ECAL_2025021401", "2025-02-14T08:00:00Z", "m", true),
                     DECISION_MOVE);
    assert_int_equal(decide(&fixture, "ECAL_2025021402", "2025-02-14T08:00:00Z", "m", true),
                     DECISION_MOVE);
    assert_int_equal(decide(&fixture, "ECAL_2025021403", "2025-02-14T08:00:00Z", "m", true),
                     DECISION_STAY);
    assert_int_equal(decide(&fixture, "ECAL_2025021499", "2025-02-14T08:00:00Z", "m", true),
                     DECISION_HELD);
    fixture_free(&fixture);
}

static void date_range(void **state)
{
    (void)state;
    struct fixture fixture;
    open_example(&fixture, "date-range");
    assert_int_equal(decide(&fixture, "A", "2025-01-31T22:59:59Z", "m", true), DECISION_STAY);
    assert_int_equal(decide(&fixture, "A", "2025-01-31T23:00:00Z", "m", true), DECISION_MOVE);
    assert_int_equal(decide(&fixture, "A", "2025-02-14T12:00:00Z", "m", true), DECISION_STAY);
    assert_int_equal(decide(&fixture, "A", "2025-02-28T22:59:59Z", "m", true), DECISION_MOVE);
    assert_int_equal(decide(&fixture, "A", "2025-02-28T23:00:00Z", "m", true), DECISION_STAY);
    assert_true(fixture.policies->items[0].terms.keep_source);
    fixture_free(&fixture);
}

static void single_objects(void **state)
{
    (void)state;
    struct fixture fixture;
    open_example(&fixture, "single-objects");
    assert_int_equal(decide(&fixture, "A", "2025-03-02T23:59:59Z", "m", false), DECISION_MOVE);
    assert_int_equal(decide(&fixture, "A", "2025-03-03T00:00:00Z", "m", true), DECISION_STAY);
    assert_true(fixture.policies->catalog.by_object);
    assert_true(fixture.policies->places.by_object);
    fixture_free(&fixture);
}

static int enter(void **state)
{
    (void)state;
    fixture_enter("examples");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ecal_90_days),
        cmocka_unit_test(explicit_ids),
        cmocka_unit_test(date_range),
        cmocka_unit_test(single_objects),
    };
    return cmocka_run_group_tests(tests, enter, NULL);
}
