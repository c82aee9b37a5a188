/* From a file to struct policies: what is read, what is the default, what is refused. */
#include "policy/diag_codes.h"
#include "policy/extra.h"
#include "tests/unit/policy/rows.h"

#define KEY "c2VjcmV0LWNhbmFyeS1rZXk="
#define ACCOUNT(name) "DefaultEndpointsProtocol=https;AccountName=" name ";AccountKey=" KEY ";"

static const char *const environment[] = {
    "DB_HOST=db.example",
    "DB_NAME=ecal",
    "DB_USER=frost",
    "DB_PASSWORD=CANARY;p=w d'\"${DB_HOST}\\",
    "SOURCE_AZURE_CONNECTION_STRING=" ACCOUNT("hotacct"),
    "COLD_STORAGE_CONNECTION_STRING=" ACCOUNT("coldacct"),
    "URL=postgresql://frost:CANARY@db/ecal",
    "KEY=" KEY,
    "SIG=sv=1&sig=CANARY",
    "FOLDER=/srv/frost line",
    "EMPTY=",
    NULL,
};

/* The page's example without what a later version adds. */
static const char whole[] =
    "# yaml-language-server: $schema=policy.schema.json\n"
    "version: 1\n"
    "timezone: Europe/Berlin            # reads date literals and windows; default UTC\n"
    "\n"
    "vars:\n"
    "  cold_after: 90d                  # --var cold_after=120d overrides; recorded in the plan\n"
    "\n"
    "catalog:\n"
    "  type: postgres                   # postgres | sqlite\n"
    "  connection:                      # any libpq keyword; or one `url:`; for sqlite: path\n"
    "    host: ${DB_HOST}\n"
    "    port: ${DB_PORT:-5432}\n"
    "    dbname: ${DB_NAME}\n"
    "    user: ${DB_USER}\n"
    "    password: ${DB_PASSWORD}\n"
    "  table: public.ecal\n"
    "  id: ecal_id\n"
    "  location: ecal_name\n"
    "  unit: directory\n"
    "  time: {column: recording_start_time, timezone: UTC}\n"
    "  size: {column: size_gb, unit: GB}\n"
    "  fields:\n"
    "    map: map\n"
    "    valid: is_valid\n"
    "    length: length\n"
    "  references:\n"
    "    - {table: public.training_set, column: file_url}\n"
    "    - {table: preview, column: url}\n"
    "\n"
    "stores:\n"
    "  hot:\n"
    "    type: azure\n"
    "    connection_string: ${SOURCE_AZURE_CONNECTION_STRING}\n"
    "    container: ecal-batchstore\n"
    "  cold:\n"
    "    type: azure\n"
    "    connection_string: ${COLD_STORAGE_CONNECTION_STRING}\n"
    "    container: ${COLD_STORAGE_CONTAINER:-ecal-cold-storage}\n"
    "    prefix: \"\"\n"
    "    tier: cold\n"
    "    set: {storage_class: cold}     # further columns of the row that a cut-over to this store "
    "sets\n"
    "\n"
    "holds:\n"
    "  - name: case-2025-07\n"
    "    reason: \"legal, ask legal@example.com\"\n"
    "    select: {ids_file: holds/2025-07.txt}\n"
    "\n"
    "defaults:\n"
    "  verify: checksum\n"
    "  cleanup: {source: delete, after: 7d}\n"
    "\n"
    "policies:\n"
    "  - name: age-out\n"
    "    description: Recordings older than 90 days go cold.\n"
    "    enabled: true\n"
    "    from: hot\n"
    "    target: cold\n"
    "    priority: 100\n"
    "    select:\n"
    "      older_than: $cold_after\n"
    "      valid: true\n"
    "    exclude:\n"
    "      any:\n"
    "        - map: {in: [golden-1, golden-2]}\n"
    "        - ids: [ECAL_2025021401]\n"
    "    order_by: oldest\n"
    "    verify: checksum\n"
    "    cleanup: {source: delete, after: 7d}\n"
    "    guards:\n"
    "      max_recordings: 5000\n"
    "      max_bytes: 5TiB\n"
    "      max_deletes: 4000\n"
    "      max_percent: 12.5%\n"
    "      min_recordings: 1\n"
    "      on_exceed: truncate\n"
    "\n"
    "  - name: pull-these-now\n"
    "    target: cold\n"
    "    priority: 500\n"
    "    select: {ids: [ECAL_2025021401, ECAL_2025021402]}\n";

static const char *keyword(const struct catalog_config *catalog, const char *name)
{
    for (size_t i = 0; i < catalog->connection_count; i++) {
        if (str_equal(catalog->connection[i].name, name))
            return secret_reveal(catalog->connection[i].value);
    }
    return NULL;
}

static void check_catalog(const struct catalog_config *catalog)
{
    assert_int_equal(catalog->type, CATALOG_POSTGRES);
    assert_int_equal(catalog->connection_count, 5);
    assert_string_equal(keyword(catalog, "host"), "db.example");
    assert_string_equal(keyword(catalog, "port"), "5432");
    /* Whatever a password holds, it is one value and read no further. */
    assert_string_equal(keyword(catalog, "password"), "CANARY;p=w d'\"${DB_HOST}\\");
    assert_string_equal(catalog->table, "public.ecal");
    assert_string_equal(catalog->id, "ecal_id");
    assert_string_equal(catalog->location, "ecal_name");
    assert_string_equal(catalog->time, "recording_start_time");
    assert_non_null(catalog->time_zone);
    assert_string_equal(catalog->size, "size_gb");
    assert_int_equal(catalog->size_unit, 1000000000);
    assert_int_equal(catalog->field_count, 3);
    assert_string_equal(catalog->fields[1].name, "valid");
    assert_string_equal(catalog->fields[1].column, "is_valid");
    assert_int_equal(catalog->reference_count, 2);
    assert_string_equal(catalog->references[0].table, "public.training_set");
    assert_string_equal(catalog->references[0].column, "file_url");
    assert_string_equal(catalog->references[1].table, "preview");
}

static void check_stores(const struct policies *policies)
{
    assert_int_equal(policies->store_count, 2);
    const struct policy_store *cold = &policies->stores[1];
    assert_string_equal(cold->name, "cold");
    assert_int_equal(cold->type, STORE_AZURE);
    assert_int_equal(cold->tier, TIER_COLD);
    assert_int_equal(policies->stores[0].tier, TIER_DEFAULT);
    assert_int_equal(cold->set_count, 1);
    assert_string_equal(cold->sets[0].column, "storage_class");
    assert_string_equal(cold->sets[0].value, "cold");
    assert_int_equal(policies->stores[0].set_count, 0);
    assert_string_equal(cold->container, "ecal-cold-storage");
    assert_string_equal(cold->connection.account, "coldacct");
    assert_string_equal(secret_reveal(&cold->connection.key), KEY);
    assert_string_equal(policies->places.items[1].store, "cold");
    assert_string_equal(policies->places.items[1].base,
                        "https://coldacct.blob.core.windows.net/ecal-cold-storage/");
}

static void check_policies(const struct policies *policies)
{
    assert_int_equal(policies->count, 2);
    const struct policy *age = &policies->items[0], *pull = &policies->items[1];
    assert_string_equal(age->name, "age-out");
    assert_string_equal(age->description, "Recordings older than 90 days go cold.");
    assert_string_equal(age->at, "p.yaml:53:5");
    assert_int_equal(age->span.line, 53);
    assert_true(age->enabled);
    assert_int_equal(age->from, 0);
    assert_int_equal(age->target, 1);
    assert_int_equal(age->priority, 100);
    assert_int_equal(age->guards.max_recordings, 5000);
    assert_int_equal(age->guards.max_bytes, UINT64_C(5) << 40);
    assert_int_equal(age->guards.max_deletes, 4000);
    assert_int_equal(age->guards.max_fraction_ppm, 125000);
    assert_int_equal(age->guards.min_recordings, 1);
    assert_true(age->guards.truncate);
    assert_non_null(age->exclude);
    /* Defaults. */
    assert_int_equal(pull->from, POLICY_NO_INDEX);
    assert_true(pull->enabled);
    assert_string_equal(pull->description, "");
    assert_int_equal(pull->order, ORDER_OLDEST);
    assert_int_equal(pull->guards.max_recordings, POLICY_NO_LIMIT);
    assert_int_equal(pull->guards.max_bytes, POLICY_NO_LIMIT);
    assert_int_equal(pull->guards.max_deletes, POLICY_NO_LIMIT);
    assert_int_equal(pull->guards.max_fraction_ppm, POLICY_FRACTION_ONE);
    assert_int_equal(pull->guards.min_recordings, 0);
    assert_false(pull->guards.truncate);
    assert_null(pull->exclude);
}

static void the_example_of_the_page_loads(void **state)
{
    (void)state;
    struct fixture fixture = {.env = environment, .ids = "ECAL_2025021499\n"};
    fixture_load(&fixture, whole);
    assert_loaded(&fixture);
    const struct policies *policies = fixture.policies;
    assert_string_equal(policies->path, "p.yaml");
    assert_string_equal(policies->zone_name, "Europe/Berlin");
    assert_int_equal(policies->var_count, 1);
    assert_string_equal(policies->vars[0].name, "cold_after");
    assert_string_equal(policies->vars[0].value, "90d");
    assert_int_equal(policies->hold_count, 1);
    assert_string_equal(policies->holds[0].name, "case-2025-07");
    check_catalog(&policies->catalog);
    check_stores(policies);
    check_policies(policies);
    fixture_free(&fixture);
}

static void what_is_left_out_has_defaults(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    fixture_load(&fixture,
                 FIXTURE_HEAD "policies:\n  - {name: a, target: cold, select: {ids: [x]}}\n");
    assert_loaded(&fixture);
    const struct policy *policy = &fixture.policies->items[0];
    assert_string_equal(fixture.policies->zone_name, "UTC");
    assert_int_equal(policy->terms.verify, VERIFY_CHECKSUM);
    assert_false(policy->terms.keep_source);
    assert_int_equal(policy->terms.grace_us, 7 * WHEN_DAY_US);
    assert_int_equal(policy->priority, 0);
    fixture_free(&fixture);
}

static void defaults_are_what_a_policy_does_not_say(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    fixture_load(&fixture, FIXTURE_HEAD
                 "defaults: {verify: readback, cleanup: {source: keep, after: 3d}}\n"
                 "policies:\n"
                 "  - {name: a, target: cold, select: {ids: [x]}}\n"
                 "  - {name: b, target: cold, select: {ids: [x]}, cleanup: {source: delete}}\n"
                 "  - {name: c, target: cold, select: {ids: [x]}, cleanup: {after: 0s}}\n");
    assert_loaded(&fixture);
    const struct policy *items = fixture.policies->items;
    assert_int_equal(items[0].terms.verify, VERIFY_READBACK);
    assert_true(items[0].terms.keep_source);
    assert_int_equal(items[0].terms.grace_us, 3 * WHEN_DAY_US);
    assert_false(items[1].terms.keep_source);
    assert_int_equal(items[1].terms.grace_us, 3 * WHEN_DAY_US);
    assert_true(items[2].terms.keep_source);
    assert_int_equal(items[2].terms.grace_us, 0);
    fixture_free(&fixture);
}

/* ---- vars and the environment ---- */

static void a_given_var_overrides(void **state)
{
    (void)state;
    static const struct policy_var vars[] = {{"z", "cold"}, {"age", "1d"}};
    struct fixture fixture = {.vars = vars, .var_count = 2};
    fixture_load(&fixture, FIXTURE_HEAD "vars: {z: hot, age: 90d, b: unused}\n"
                                        "policies:\n"
                                        "  - {name: a, target: $z, select: {older_than: $age}}\n");
    assert_loaded(&fixture);
    assert_int_equal(fixture.policies->items[0].target, COLD);
    assert_int_equal(fixture.policies->var_count, 3);
    assert_string_equal(fixture.policies->vars[0].name, "age"); /* sorted */
    assert_string_equal(fixture.policies->vars[0].value, "1d");
    assert_string_equal(fixture.policies->vars[1].name, "b");
    assert_string_equal(fixture.policies->vars[2].value, "cold");
    fixture_free(&fixture);
}

static void a_given_var_must_be_declared(void **state)
{
    (void)state;
    static const struct policy_var vars[] = {{"aeg", "1d"}};
    struct fixture fixture = {.vars = vars, .var_count = 1};
    fixture_load(&fixture,
                 FIXTURE_HEAD "vars: {age: 90d}\npolicies:\n"
                              "  - {name: a, target: cold, select: {older_than: $age}}\n");
    assert_codes(&fixture, DIAG_VAR);
    fixture_free(&fixture);
}

static void missing_variables_are_told_all_at_once(void **state)
{
    (void)state;
    static const char *const nothing[] = {NULL};
    struct fixture fixture = {.env = nothing, .ids = "A\n"};
    fixture_load(&fixture, whole);
    assert_codes(&fixture, DIAG_ENV_MISSING, DIAG_ENV_MISSING, DIAG_ENV_MISSING, DIAG_ENV_MISSING,
                 DIAG_ENV_MISSING, DIAG_ENV_MISSING);
    fixture_free(&fixture);
}

#define POSTGRES(connection)                                                                       \
    "version: 1\ncatalog:\n  type: postgres\n  connection: " connection "\n"                       \
    "  table: t\n  id: i\n  location: l\n"                                                         \
    "stores:\n  hot: {type: local, path: /srv/hot}\n  cold: {type: local, path: /srv/cold}\n"      \
    "policies:\n  - {name: a, target: cold, select: {ids: [x]}}\n"

static void a_url_is_the_whole_connection(void **state)
{
    (void)state;
    struct fixture fixture = {.env = environment};
    fixture_load(&fixture, POSTGRES("{url: '${URL}'}"));
    assert_loaded(&fixture);
    assert_int_equal(fixture.policies->catalog.connection_count, 1);
    assert_string_equal(keyword(&fixture.policies->catalog, "dbname"),
                        "postgresql://frost:CANARY@db/ecal");
    fixture_free(&fixture);
}

/* Law 9: a literal key is an error, a reference anywhere in the value is fine. */
static void secrets_come_through_references_only(void **state)
{
    (void)state;
    static const struct {
        const char *connection;
        int code; /* 0: fine */
    } table[] = {
        {"{host: h, password: '${DB_PASSWORD}'}", 0},
        {"{host: h, password: hunter2}", DIAG_LITERAL_SECRET},
        {"{host: h, password: 'x${DB_PASSWORD}'}", DIAG_LITERAL_SECRET},
        {"{host: h, password: '${DB_PORT:-hunter2}'}", DIAG_LITERAL_SECRET},
        {"{host: h, sslpassword: hunter2}", DIAG_LITERAL_SECRET},
        {"{url: 'postgresql://u:${DB_PASSWORD}@h/db'}", 0},
        {"{url: 'postgresql://u@h/db?sslmode=require'}", 0},
        {"{url: 'postgresql://u:hunter2@h/db'}", DIAG_LITERAL_SECRET},
        {"{url: 'postgresql://u:h${DB_PASSWORD}@h/db'}", DIAG_LITERAL_SECRET},
        {"{url: 'postgresql://h/db?password=hunter2'}", DIAG_LITERAL_SECRET},
        {"{url: 'postgresql://h/db?sslpassword=hunter2&user=u'}", DIAG_LITERAL_SECRET},
        {"{url: 'postgresql://h/db?password=${DB_PASSWORD}&user=u'}", 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct fixture fixture = {.env = environment};
        char text[1024];
        snprintf(text, sizeof text, POSTGRES("%s"), table[i].connection);
        fixture_load(&fixture, text);
        if (table[i].code == 0)
            assert_loaded(&fixture);
        else
            assert_codes(&fixture, table[i].code);
        assert_null(strstr(buf_string(&fixture.out), "hunter2"));
        fixture_free(&fixture);
    }
}

#define AZURE(string)                                                                              \
    "version: 1\ncatalog: {type: sqlite, path: c.db, table: t, id: i, location: l}\n"              \
    "stores:\n  hot: {type: azure, container: hot, connection_string: " string "}\n"               \
    "policies:\n  - {name: a, target: hot, select: {ids: [x]}}\n"

static void connection_strings_hold_references(void **state)
{
    (void)state;
    static const struct {
        const char *string;
        int code; /* 0: fine */
    } table[] = {
        {"'${SOURCE_AZURE_CONNECTION_STRING}'", 0},
        {"'AccountName=a;AccountKey=${KEY}'", 0},
        {"'AccountName=a;accountkey=${KEY};'", 0},
        {"'${NONE:-UseDevelopmentStorage=true}'", 0},
        {"'BlobEndpoint=https://a.blob.core.windows.net;SharedAccessSignature=${SIG}'", 0},
        {"'AccountName=a;AccountKey=hunter2='", DIAG_LITERAL_SECRET},
        {"'AccountName=a;ACCOUNTKEY=hunter2='", DIAG_LITERAL_SECRET},
        {"'AccountName=a;AccountKey=${KEY}hunter2='", DIAG_LITERAL_SECRET},
        {"'AccountName=a;AccountKey=${NONE:-hunter2=}'", DIAG_LITERAL_SECRET},
        {"'BlobEndpoint=https://a;SharedAccessSignature=sv=1&sig=hunter2'", DIAG_LITERAL_SECRET},
        {"'BlobEndpoint=https://a?sig=hunter2;AccountName=a;AccountKey=${KEY}'",
         DIAG_LITERAL_SECRET},
        {"'AccountName=a;AccountKey=${SIG}'", DIAG_CONNECTION_STRING},
        {"'AccountName=a'", DIAG_CONNECTION_STRING},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct fixture fixture = {.env = environment};
        char text[1024];
        snprintf(text, sizeof text, AZURE("%s"), table[i].string);
        fixture_load(&fixture, text);
        if (table[i].code == 0)
            assert_loaded(&fixture);
        else
            assert_codes(&fixture, table[i].code);
        assert_null(strstr(buf_string(&fixture.out), "hunter2"));
        assert_null(strstr(buf_string(&fixture.out), "CANARY"));
        fixture_free(&fixture);
    }
}

/* Each value of the environment, put into each place where one may stand: whatever is wrong with
 * it, no finding shows it.                                                                      */
static void no_finding_shows_what_the_environment_gave(void **state)
{
    (void)state;
    static const char *const values[] = {"CANARY",        "CANARY\n",           "CANARY\t",
                                         "../CANARY",     "/CANARY/../x",       "CANARY\xff",
                                         "\x1b[CANARY",   "https://CANARY?x=1", "CANARY;CANARY",
                                         "=CANARY=",      "AccountKey=CANARY",  "-CANARY-",
                                         "${CANARY}",     "{CANARY: [}",        "CANARY: 'x",
                                         "http://CANARY", "file://CANARY/../b"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char variable[64];
        const char *const env[] = {variable, NULL};
        struct fixture fixture = {.env = env};
        snprintf(variable, sizeof variable, "X=%s", values[i]);
        fixture_load(
            &fixture,
            "version: 1\n"
            "catalog: {type: sqlite, path: '${X}', table: t, id: i, location: l}\n"
            "stores:\n"
            "  a: {type: local, path: '/srv/${X}', urls: ['${X}', 'https://h/${X}']}\n"
            "  b: {type: local, path: '/srv/${X}'}\n"
            "  c:\n"
            "    type: azure\n"
            "    connection_string: UseDevelopmentStorage=true\n"
            "    container: '${X}'\n"
            "    prefix: '${X}'\n"
            "  d: {type: azure, connection_string: '${X}', container: ddd, prefix: '/${X}'}\n"
            "policies:\n"
            "  - {name: a, from: c, target: d, select: {ids: [x]}}\n");
        assert_null(fixture.policies);
        assert_null(strstr(buf_string(&fixture.out), "CANARY"));
        fixture_free(&fixture);
    }
}

/* A finding on the same line as a secret does not print it. */
static void a_neighbour_of_a_secret_shows_asterisks(void **state)
{
    (void)state;
    struct fixture fixture = {.env = environment};
    fixture_load(&fixture, POSTGRES("{passwrd: x, password: hunter2, hots: \"h${EMPTY}\"}"));
    assert_null(strstr(buf_string(&fixture.out), "hunter2"));
    assert_non_null(strstr(buf_string(&fixture.out), "did you mean `host`"));
    fixture_free(&fixture);
}

/* ---- places ---- */

static void bases_are_canonical(void **state)
{
    (void)state;
    struct fixture fixture = {.env = environment};
    fixture_load(
        &fixture,
        "version: 1\n"
        "catalog: {type: sqlite, path: '${FOLDER}//c.db', table: t, id: i, location: l}\n"
        "stores:\n"
        "  a: {type: local, path: '${FOLDER}/./100%/'}\n"
        "  b: {type: local, path: /srv/b, urls: [FILE:///mnt/b, 'HTTPS://Files.Example:443/b/',\n"
        "                                        'file:///srv/b/']}\n"
        "  c: {type: azure, connection_string: UseDevelopmentStorage=true, container: abc,\n"
        "      prefix: 'x/50%'}\n"
        "  d: {type: azure, connection_string: '${SOURCE_AZURE_CONNECTION_STRING}',\n"
        "      container: abc, prefix: x/}\n"
        "policies:\n  - {name: a, from: c, target: d, select: {ids: [x]}}\n");
    assert_loaded(&fixture);
    const struct place *places = fixture.policies->places.items;
    assert_string_equal(fixture.policies->catalog.path, "/srv/frost line/c.db");
    assert_string_equal(fixture.policies->stores[0].path, "/srv/frost line/100%");
    assert_string_equal(places[0].base, "file:///srv/frost line/100%25/");
    assert_int_equal(places[0].alias_count, 0);
    assert_int_equal(places[1].alias_count, 2);
    assert_string_equal(places[1].aliases[0], "file:///mnt/b/");
    assert_string_equal(places[1].aliases[1], "https://files.example/b/");
    assert_string_equal(places[2].base, "http://127.0.0.1:10000/devstoreaccount1/abc/x/50%25/");
    assert_string_equal(fixture.policies->stores[2].prefix, "x/50%/");
    assert_string_equal(places[3].base, "https://hotacct.blob.core.windows.net/abc/x/");
    assert_string_equal(places[3].aliases[0], "https://hotacct.dfs.core.windows.net/abc/x/");
    assert_string_equal(places[3].aliases[1],
                        "https://hotacct-secondary.blob.core.windows.net/abc/x/");
    fixture_free(&fixture);
}

/* A reference by a URL of any of them keeps the objects of all. */
static void stores_of_one_place_share_their_aliases(void **state)
{
    (void)state;
    static const char *const expected[] = {"https://hotacct.dfs.core.windows.net/abc/",
                                           "https://hotacct-secondary.blob.core.windows.net/abc/",
                                           "https://cool.example/", "https://both.example/",
                                           "https://hot.example/"};
    struct fixture fixture = {.env = environment};
    fixture_load(&fixture,
                 "version: 1\n"
                 "catalog: {type: sqlite, path: c.db, table: t, id: i, location: l}\n"
                 "stores:\n"
                 "  cool: {type: azure, connection_string: '${SOURCE_AZURE_CONNECTION_STRING}',\n"
                 "         container: abc, tier: cool, urls: ['https://cool.example', "
                 "'https://both.example']}\n"
                 "  other: {type: local, path: /b, urls: ['https://other.example']}\n"
                 "  hot: {type: azure, connection_string: '${SOURCE_AZURE_CONNECTION_STRING}',\n"
                 "        container: abc, tier: hot, urls: ['https://both.example', "
                 "'https://hot.example']}\n"
                 "policies:\n  - {name: a, from: hot, target: cool, select: {ids: [x]}}\n");
    assert_loaded(&fixture);
    const struct place *places = fixture.policies->places.items;
    assert_int_equal(places[1].alias_count, 1);
    for (size_t i = 0; i < 3; i += 2) {
        assert_int_equal(places[i].alias_count, sizeof expected / sizeof *expected);
        for (size_t k = 0; k < places[i].alias_count; k++)
            assert_string_equal(places[i].aliases[k], expected[k]);
    }
    fixture_free(&fixture);
}

/* Law 11: two endpoints of one account are one account. */
static void stores_that_only_look_different_overlap(void **state)
{
    (void)state;
    struct fixture fixture = {.env = environment};
    fixture_load(&fixture,
                 "version: 1\n"
                 "catalog: {type: sqlite, path: c.db, table: t, id: i, location: l}\n"
                 "stores:\n"
                 "  a: {type: azure, connection_string: 'AccountName=x;AccountKey=${KEY}',\n"
                 "      container: abc}\n"
                 "  b: {type: azure, container: abc, prefix: in/it, connection_string:\n"
                 "      'AccountName=x;BlobEndpoint=https://own.example;AccountKey=${KEY}'}\n"
                 "policies:\n  - {name: a, target: b, select: {ids: [x]}}\n");
    assert_codes(&fixture, DIAG_SAME_PLACE);
    fixture_free(&fixture);
}

/* ---- what stores set ---- */

static void assert_sets(const struct catalog_set *sets, size_t count, const char *const *expected)
{
    for (size_t i = 0; i < count; i++, expected += 2) {
        assert_string_equal(sets[i].column, expected[0]);
        if (!str_equal(sets[i].value, expected[1]))
            fail_msg("%s is set to %s", expected[0], sets[i].value);
    }
}

/* The text is as it was written, for the column's type to read; NULL stands without quotes. */
static void a_set_keeps_its_texts(void **state)
{
    (void)state;
    static const char *const all[] = {
        "class",   "hot",  "class", "cold", "n",     "007", "yes", "yes",
        "on",      "2025", "text",  "null", "empty", "",    "age", "90d",
        "nothing", NULL,   "tilde", NULL,   "NULL",  NULL,  "x y", "a: 'b'",
    };
    static const struct policy_var age = {"age", "90d"};
    struct fixture fixture = {.vars = &age, .var_count = 1};
    fixture_load(&fixture,
                 "version: 1\n"
                 "vars: {age: 1d}\n"
                 "catalog: {type: sqlite, path: c, table: t, id: i, location: l}\n"
                 "stores:\n"
                 "  hot: {type: local, path: /a, set: {class: hot}}\n"
                 "  warm: {type: local, path: /b}\n"
                 "  cold:\n"
                 "    type: local\n"
                 "    path: /c\n"
                 "    set: {class: cold, n: 007, 'yes': yes, on: 2025, text: 'null', empty: '',\n"
                 "          age: $age, nothing: null, tilde: ~, NULL: NULL, x y: \"a: 'b'\"}\n"
                 "policies:\n  - {name: a, target: hot, select: {ids: [x]}}\n");
    assert_loaded(&fixture);
    const struct policies *policies = fixture.policies;
    assert_int_equal(policies->catalog.set_count, sizeof all / sizeof *all / 2);
    assert_sets(policies->catalog.sets, policies->catalog.set_count, all);
    assert_int_equal(policies->stores[0].set_count, 1);
    assert_sets(policies->stores[0].sets, 1, all);
    assert_int_equal(policies->stores[1].set_count, 0);
    assert_int_equal(policies->stores[2].set_count, policies->catalog.set_count - 1);
    assert_sets(policies->stores[2].sets, policies->stores[2].set_count, all + 2);
    fixture_free(&fixture);
}

static void assert_set_refused(const char *catalog, const char *set, int code)
{
    struct fixture fixture = {.env = environment};
    char text[1024];
    snprintf(text, sizeof text,
             "version: 1\n"
             "catalog: {%s, table: t, id: ecal_id, location: ecal_name}\n"
             "stores: {hot: {type: local, path: /a, set: %s}}\n"
             "policies:\n  - {name: a, target: hot, select: {ids: [x]}}\n",
             catalog, set);
    fixture_load(&fixture, text);
    if (code != 0)
        assert_codes(&fixture, code);
    else
        assert_loaded(&fixture);
    fixture_free(&fixture);
}

static void a_set_names_neither_the_id_nor_the_location(void **state)
{
    (void)state;
    static const char sqlite[] = "type: sqlite, path: c";
    static const char postgres[] = "type: postgres, connection: {host: h}";
    assert_set_refused(sqlite, "{ecal_id: x}", DIAG_SET);
    assert_set_refused(postgres, "{ecal_name: x}", DIAG_SET);
    /* In SQLite, names in capitals are the same. */
    assert_set_refused(sqlite, "{ECAL_name: x}", DIAG_SET);
    assert_set_refused(postgres, "{ECAL_name: x}", 0);
    assert_set_refused(sqlite, "{ecal_names: x}", 0);
    assert_set_refused(sqlite, "{}", DIAG_EMPTY);
    assert_set_refused(sqlite, "{class: }", DIAG_EMPTY);
    assert_set_refused(sqlite, "{class: [cold]}", DIAG_SHAPE);
    assert_set_refused(sqlite, "{class: '${DB_HOST}'}", DIAG_ENV_PLACE);
    assert_set_refused(sqlite, "{'': cold}", DIAG_EMPTY);
    assert_set_refused(sqlite,
                       "{a: 0, b: 0, c: 0, d: 0, e: 0, f: 0, g: 0, h: 0, i: 0, j: 0, k: 0, l: 0,"
                       " m: 0, n: 0, o: 0, p: 0}",
                       0);
    assert_set_refused(sqlite,
                       "{a: 0, b: 0, c: 0, d: 0, e: 0, f: 0, g: 0, h: 0, i: 0, j: 0, k: 0, l: 0,"
                       " m: 0, n: 0, o: 0, p: 0, q: 0}",
                       DIAG_TOO_MANY);
}

/* ---- findings that would only be caused by others ---- */

static void one_mistake_is_one_finding(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
    } table[] = {
        {"version: 1\ncatalog: {type: sqlite, path: c, table: t, id: i, location: l}\n"
         "stores: [hot]\npolicies:\n  - {name: a, target: hot, select: {store: hot, ids: [x]}}\n",
         DIAG_SHAPE},
        {"version: 1\ncatalog: {type: sqlite, path: c, table: t, id: i, location: l,\n"
         "  fields: {map: }}\nstores: {hot: {type: local, path: /a}}\n"
         "policies:\n  - {name: a, target: hot, select: {map: x, valid: true}}\n",
         DIAG_EMPTY},
        {"version: 1\ncatalog: {typ: sqlite, path: c, table: t, id: i, location: l}\n"
         "stores: {hot: {type: local, path: /a}}\n"
         "policies:\n  - {name: a, target: hot, select: {older_than: 1d, map: x}}\n",
         DIAG_MISSING_KEY},
        {"version: 1\ncatalog: {typ: sqlite, path: c, table: t, id: i, location: l}\n"
         "stores: {hot: {type: local, path: /a, set: {class: hot}}}\n"
         "policies:\n  - {name: a, target: hot, select: {ids: [x]}}\n",
         DIAG_MISSING_KEY},
        {"version: 1\ncatalog: {type: sqlite, path: c, table: t, id: i, location: l, tyme: x}\n"
         "stores: {hot: {type: local, path: /a}}\n"
         "policies:\n  - {name: a, target: hot, select: {older_than: 1d}}\n",
         DIAG_UNKNOWN_KEY},
        {"version: 1\nvars: {age: []}\n"
         "catalog: {type: sqlite, path: c, table: t, id: i, location: l,\n"
         "          time: {column: t}}\nstores: {hot: {type: local, path: /a}}\n"
         "policies:\n  - {name: a, target: hot, select: {older_than: $age}}\n",
         DIAG_SHAPE},
        {"version: 1\ncatalog: {type: sqlite, path: c, table: t, id: i, location: l}\n"
         "stores: {hot: {type: s3, bucket: x}, cold: {type: local, path: /a}}\n"
         "policies:\n  - {name: a, target: hot, select: {ids: [x]}}\n",
         DIAG_CHOICE},
        {"version: 1\ncatalog: {type: sqlite, path: c, table: t, id: i, location: l}\n"
         "stores: {hot: {type: local, path: /a}}\n"
         "policies:\n  - {name: a, target: hot, select: {everything: true},\n"
         "     guards: {max_percent: ten}}\n",
         DIAG_PERCENT},
        /* It has no path that the other store's could lie in. */
        {"version: 1\ncatalog: {type: sqlite, path: c, table: t, id: i, location: l}\n"
         "stores: {hot: {type: local, path: $nope}, cold: {type: local, path: /a}}\n"
         "policies:\n  - {name: a, target: hot, select: {ids: [x]}}\n",
         DIAG_UNKNOWN_VAR},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct fixture fixture = {0};
        fixture_load(&fixture, table[i].text);
        assert_codes(&fixture, table[i].code);
        fixture_free(&fixture);
    }
}

/* In the place of each value, and of each flow map. */
static void an_unknown_var_is_one_finding_wherever_it_stands(void **state)
{
    (void)state;
    size_t count = 0;
    for (const char *at = strchr(whole, '\n'); (at = strstr(at, ": ")) != NULL; count++) {
        struct fixture fixture = {.env = environment, .ids = "A\n"};
        struct buf text;
        const char *rest = strchr(at, '\n');
        buf_init(&text, FIXTURE_OUT_BYTES);
        buf_format(&text, "%.*s: $nope%s", (int)(at - whole), whole, rest);
        fixture_load(&fixture, buf_string(&text));
        if (fixture.diags.errors + fixture.diags.warnings != 1)
            fail_msg("at \"%.*s\":\n%s", (int)(rest - at), at, buf_string(&fixture.out));
        fixture_free(&fixture);
        buf_free(&text);
        at = rest;
    }
    assert_true(count > 40);
}

/* One policy with this inside, one finding. */
static void assert_refused(const char *inside, int code)
{
    struct fixture fixture = {.ids = "# none\n"};
    char text[2048];
    snprintf(text, sizeof text, FIXTURE_HEAD "policies:\n  - {name: a, target: cold, %s}\n",
             inside);
    fixture_load(&fixture, text);
    assert_codes(&fixture, code);
    fixture_free(&fixture);
}

/* Law 1: everything has to be said, and guarded. */
static void empty_is_never_everything(void **state)
{
    (void)state;
    assert_refused("priority: 1", DIAG_MISSING_KEY);
    assert_refused("select: ", DIAG_EMPTY_SELECTION);
    assert_refused("select: {}", DIAG_EMPTY_SELECTION);
    assert_refused("select: {not: {}}", DIAG_EMPTY_SELECTION);
    assert_refused("select: {any: [{}]}", DIAG_EMPTY_SELECTION);
    assert_refused("select: {any: []}", DIAG_EMPTY);
    assert_refused("select: {all: []}", DIAG_EMPTY);
    assert_refused("select: {ids: []}", DIAG_EMPTY);
    assert_refused("select: {ids_file: x}", DIAG_EMPTY_SELECTION);
    assert_refused("select: {map: {}}", DIAG_EMPTY);
    assert_refused("select: {map: {in: []}}", DIAG_EMPTY);
    assert_refused("select: {dates: {}}", DIAG_EMPTY);
    assert_refused("select: {ids: [x]}, exclude: {}", DIAG_EMPTY_SELECTION);
    assert_refused("select: {everything: true}", DIAG_UNGUARDED);
    assert_refused("select: {not: {everything: true}}", DIAG_UNGUARDED);
    assert_refused("select: {everything: true}, guards: {max_bytes: 1TB}", DIAG_UNGUARDED);
    assert_refused("select: {everything: true}, guards: {max_percent: 100%}", DIAG_UNGUARDED);
    assert_refused("select: {everything: false}", DIAG_EVERYTHING);
}

/* Law 10: durations and sizes need a unit, booleans are true and false. */
static void values_say_what_they_mean(void **state)
{
    (void)state;
    static const char *const words[] = {"yes", "no", "on", "off", "True", "1", "'true'"};
    char inside[128];
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        snprintf(inside, sizeof inside, "select: {ids: [x]}, enabled: %s", words[i]);
        assert_refused(inside, DIAG_BOOLEAN);
    }
    assert_refused("select: {older_than: 90}", DIAG_DURATION);
    assert_refused("select: {older_than: -1d}", DIAG_DURATION);
    assert_refused("select: {older_than: 1.5d}", DIAG_DURATION);
    assert_refused("select: {ids: [x]}, cleanup: {after: 0}", DIAG_DURATION);
    assert_refused("select: {ids: [x]}, cleanup: {after: 1y}", DIAG_DURATION);
    assert_refused("select: {ids: [x]}, guards: {max_bytes: 1}", DIAG_SIZE);
    assert_refused("select: {ids: [x]}, guards: {max_percent: 10}", DIAG_PERCENT);
    assert_refused("select: {ids: [x]}, guards: {max_percent: .5%}", DIAG_PERCENT);
    assert_refused("select: {ids: [x]}, guards: {max_percent: 1.%}", DIAG_PERCENT);
    assert_refused("select: {ids: [x]}, guards: {max_percent: 0.00001%}", DIAG_PERCENT);
    assert_refused("select: {ids: [x]}, priority: 1.0", DIAG_NUMBER);
    assert_refused("select: {ids: [x]}, guards: {max_recordings: 1e3}", DIAG_NUMBER);
}

static void findings_beyond_the_limit_are_counted(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct buf text;
    buf_init(&text, FIXTURE_OUT_BYTES);
    buf_text(&text, "version: 1\n");
    for (int i = 0; i < DIAG_MAX + 50; i++)
        buf_format(&text, "zz%d: 1\n", i);
    fixture_load(&fixture, buf_string(&text));
    assert_null(fixture.policies);
    assert_int_equal(fixture.diags.count, DIAG_MAX);
    assert_int_equal(fixture.diags.errors, DIAG_MAX + 50 + 3); /* catalog, stores, policies */
    assert_non_null(strstr(buf_string(&fixture.out), "53 more findings are not shown"));
    fixture_free(&fixture);
    buf_free(&text);
}

/* ---- ids files, digest, size ---- */

static void an_ids_file_is_read_line_by_line(void **state)
{
    (void)state;
    struct fixture fixture = {.ids = "\xef\xbb\xbf"
                                     "A\r\n  B\t# why\n#C\nD#1\n\n  E  "};
    fixture_load(&fixture, FIXTURE_HEAD "policies:\n"
                                        "  - {name: a, target: cold, select: {ids_file: x.txt}}\n"
                                        "  - {name: b, target: cold, select: {ids_file: x.txt}}\n");
    assert_loaded(&fixture);
    const struct ids *ids = &fixture.policies->extra->ids;
    assert_int_equal(ids->count, 4);
    assert_string_equal(ids->items[0].text, "A");
    assert_string_equal(ids->items[1].text, "B");
    assert_string_equal(ids->items[2].text, "D#1");
    assert_string_equal(ids->items[3].text, "E");
    assert_int_equal(ids->items[3].span.line, 6);
    assert_int_equal(fixture.policies->extra->file_count, 2); /* read once */
    fixture_free(&fixture);
}

static void a_nul_in_an_ids_file_is_told(void **state)
{
    (void)state;
    struct fixture fixture = {.ids = "A\nB\0C\n", .ids_size_bytes = 6};
    fixture_load(&fixture, FIXTURE_HEAD "policies:\n"
                                        "  - {name: a, target: cold, select: {ids_file: x.txt}}\n");
    assert_codes(&fixture, DIAG_IDS_LINE);
    assert_int_equal(fixture.diags.items[0].span.line, 2);
    fixture_free(&fixture);
}

static void digest_of(const char *policy, const char *ids, char digest[80])
{
    struct fixture fixture = {.env = environment, .ids = ids};
    fixture_load(&fixture, policy);
    assert_loaded(&fixture);
    assert_true(str_starts(fixture.policies->digest, "sha256:"));
    assert_int_equal(strlen(fixture.policies->digest), strlen("sha256:") + 64);
    strcpy(digest, fixture.policies->digest);
    fixture_free(&fixture);
}

/* Law 8: the same files, the same digest; any byte of any of them, another one. */
static void the_digest_covers_all_files(void **state)
{
    (void)state;
    static char changed[sizeof whole];
    char one[80], again[80], other[80], list[80];
    memcpy(changed, whole, sizeof whole);
    strstr(changed, "overrides")[0] = 'O'; /* a comment, but what was reviewed */
    digest_of(whole, "A\n", one);
    digest_of(whole, "A\n", again);
    digest_of(changed, "A\n", other);
    digest_of(whole, "B\n", list);
    assert_string_equal(one, again);
    assert_string_not_equal(one, other);
    assert_string_not_equal(one, list);
}

static void a_file_that_is_not_there_is_no_finding(void **state)
{
    (void)state;
    struct policy_source source = {.path = "/nonexistent/p.yaml", .env = fixture_env};
    struct arena arena;
    struct diags diags;
    struct policies *policies;
    struct err err;
    arena_init(&arena, FIXTURE_ARENA_BYTES);
    diag_init(&diags, &arena);
    assert_false(policy_load(&source, &arena, &diags, &policies, &err));
    assert_int_equal(err.kind, ERR_MISSING);
    assert_null(policies);
    assert_int_equal(diags.errors, 0);
    arena_free(&arena);
}

/* A mebibyte is read, a byte more is not. */
static void a_file_has_a_largest_size(void **state)
{
    (void)state;
    char path[] = "/tmp/frostline-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const char begin[] =
        "version: 1\ncatalog: {type: sqlite, path: c, table: t, id: i, location: l}\n"
        "stores: {hot: {type: local, path: /a}}\n"
        "policies:\n  - {name: a, target: hot, select: {ids: [x]}}\n#";
    static char rest[POLICY_FILE_BYTES_MAX];
    memset(rest, 'x', sizeof rest);
    memcpy(rest, begin, sizeof begin - 1);
    assert_int_equal(write(fd, rest, sizeof rest), sizeof rest);
    for (int larger = 0; larger < 2; larger++) {
        struct policy_source source = {.path = path, .env = fixture_env};
        struct arena arena;
        struct diags diags;
        struct policies *policies;
        struct err err;
        arena_init(&arena, FIXTURE_ARENA_BYTES);
        diag_init(&diags, &arena);
        assert_int_equal(policy_load(&source, &arena, &diags, &policies, &err), !larger);
        assert_int_equal(policies != NULL, !larger);
        policy_free(policies);
        arena_free(&arena);
        assert_int_equal(write(fd, "x", 1), 1);
    }
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_page_loads),
        cmocka_unit_test(what_is_left_out_has_defaults),
        cmocka_unit_test(defaults_are_what_a_policy_does_not_say),
        cmocka_unit_test(a_given_var_overrides),
        cmocka_unit_test(a_given_var_must_be_declared),
        cmocka_unit_test(missing_variables_are_told_all_at_once),
        cmocka_unit_test(a_url_is_the_whole_connection),
        cmocka_unit_test(secrets_come_through_references_only),
        cmocka_unit_test(connection_strings_hold_references),
        cmocka_unit_test(no_finding_shows_what_the_environment_gave),
        cmocka_unit_test(a_neighbour_of_a_secret_shows_asterisks),
        cmocka_unit_test(bases_are_canonical),
        cmocka_unit_test(stores_of_one_place_share_their_aliases),
        cmocka_unit_test(stores_that_only_look_different_overlap),
        cmocka_unit_test(a_set_keeps_its_texts),
        cmocka_unit_test(a_set_names_neither_the_id_nor_the_location),
        cmocka_unit_test(one_mistake_is_one_finding),
        cmocka_unit_test(an_unknown_var_is_one_finding_wherever_it_stands),
        cmocka_unit_test(empty_is_never_everything),
        cmocka_unit_test(values_say_what_they_mean),
        cmocka_unit_test(findings_beyond_the_limit_are_counted),
        cmocka_unit_test(an_ids_file_is_read_line_by_line),
        cmocka_unit_test(a_nul_in_an_ids_file_is_told),
        cmocka_unit_test(the_digest_covers_all_files),
        cmocka_unit_test(a_file_that_is_not_there_is_no_finding),
        cmocka_unit_test(a_file_has_a_largest_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
