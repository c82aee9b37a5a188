#include "policy/schema.h"

#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "policy/diag_codes.h"
#include "policy/load.h"
#include "policy/scalar.h"
#include "policy/substitute.h"
#include "policy/tree.h"
#include "policy/window.h"

#define KEYS_MAX 64 /* in one schema */

/* ---- the table ---- */

static const char *const verify_levels[] = {"size", "checksum", "readback", NULL};
static const char *const orders[] = {"oldest", "newest", "largest", "smallest", NULL};
static const char *const cleanups[] = {"delete", "keep", NULL};
static const char *const on_exceeds[] = {"fail", "truncate", NULL};
static const char *const units[] = {"directory", "object", NULL};
const char *const schema_tiers[] = {"hot", "cool", "cold", "archive", NULL};
static const char *const catalog_types[] = {"postgres", "sqlite", NULL};
const char *const schema_store_types[] = {"local", "azure", NULL};

#define AT(type, member) .offset = offsetof(struct type, member)
#define REQUIRED .required = true

static const struct schema_key time_keys[] = {
    {"column", SCHEMA_TEXT, REQUIRED, AT(raw_time, column),
     .text = "the column that tells when it was recorded"},
    {"timezone", SCHEMA_TEXT, AT(raw_time, timezone), .text = "what a column without a zone shows"},
    {0},
};
const struct schema schema_time = {"`time`", time_keys};

static const struct schema_key size_keys[] = {
    {"column", SCHEMA_TEXT, REQUIRED, AT(raw_size, column),
     .text = "the column that tells how large it is"},
    {"unit", SCHEMA_TEXT, REQUIRED, AT(raw_size, unit),
     .text = "what 1 stands for there: B, GB, GiB"},
    {0},
};
const struct schema schema_size = {"`size`", size_keys};

static const struct schema_key reference_keys[] = {
    {"table", SCHEMA_TEXT, REQUIRED, AT(raw_reference, table),
     .text = "the table, with its schema if it has one"},
    {"column", SCHEMA_TEXT, REQUIRED, AT(raw_reference, column),
     .text = "its column of URLs, below the stores' own or their `urls`; best with an index"},
    {0},
};
const struct schema schema_reference = {"a reference", reference_keys};

/* libpq's own words (PostgreSQL 15 to 17, "Parameter Key Words").  Left out: replication, which
 * would make another protocol of it.                                                             */
#define WORD(word)                                                                                 \
    {                                                                                              \
        .name = (word), .type = SCHEMA_SECRET, .text = "as libpq reads it"                         \
    }
static const struct schema_key connection_keys[] = {
    {"url", SCHEMA_SECRET, .text = "postgresql://.., instead of the words"},
    WORD("host"),
    WORD("hostaddr"),
    WORD("port"),
    WORD("dbname"),
    WORD("user"),
    WORD("password"),
    WORD("passfile"),
    WORD("require_auth"),
    WORD("channel_binding"),
    WORD("connect_timeout"),
    WORD("client_encoding"),
    WORD("options"),
    WORD("application_name"),
    WORD("fallback_application_name"),
    WORD("keepalives"),
    WORD("keepalives_idle"),
    WORD("keepalives_interval"),
    WORD("keepalives_count"),
    WORD("tcp_user_timeout"),
    WORD("gssencmode"),
    WORD("sslmode"),
    WORD("sslnegotiation"),
    WORD("sslcompression"),
    WORD("sslcert"),
    WORD("sslkey"),
    WORD("sslpassword"),
    WORD("sslcertmode"),
    WORD("sslrootcert"),
    WORD("sslcrl"),
    WORD("sslcrldir"),
    WORD("sslsni"),
    WORD("requirepeer"),
    WORD("ssl_min_protocol_version"),
    WORD("ssl_max_protocol_version"),
    WORD("krbsrvname"),
    WORD("gsslib"),
    WORD("gssdelegation"),
    WORD("service"),
    WORD("target_session_attrs"),
    WORD("load_balance_hosts"),
    {0},
};
const struct schema schema_connection = {"a connection", connection_keys};

/* What both kinds of catalog have. */
#define CATALOG_KEYS                                                                               \
    {"type",                                                                                       \
     SCHEMA_CHOICE,                                                                                \
     REQUIRED,                                                                                     \
     AT(raw_catalog, type),                                                                        \
     .choices = catalog_types,                                                                     \
     .text = "postgres or sqlite"},                                                                \
        {"table", SCHEMA_TEXT, REQUIRED, AT(raw_catalog, table),                                   \
         .text = "the table, with its schema if it has one: public.ecal"},                         \
        {"id", SCHEMA_TEXT, REQUIRED, AT(raw_catalog, id), .text = "the column of the id"},        \
        {"location", SCHEMA_TEXT, REQUIRED, AT(raw_catalog, location),                             \
         .text = "the URL column that a cut-over rewrites"},                                       \
        {"unit", SCHEMA_CHOICE, AT(raw_catalog, unit), .choices = units,                           \
         .text = "what a row stands for, and so what moves: its directory or its object"},         \
        {"time", SCHEMA_OBJECT, AT(raw_catalog, time), .object = &schema_time,                     \
         .text = "when it was recorded"},                                                          \
        {"size", SCHEMA_OBJECT, AT(raw_catalog, size), .object = &schema_size,                     \
         .text = "how large it is"},                                                               \
        {"fields", SCHEMA_MAP, AT(raw_catalog, fields), .item = SCHEMA_TEXT,                       \
         .text = "further columns that selections may use, by a name of your own"},                \
    {                                                                                              \
        "references", SCHEMA_LIST, AT(raw_catalog, references),                                    \
            .item = SCHEMA_OBJECT, .object = &schema_reference,                                    \
            .text = "other columns of URLs: a row there at or below a source keeps that source"    \
    }

static const struct schema_key postgres_keys[] = {
    CATALOG_KEYS,
    {"connection", SCHEMA_OBJECT, REQUIRED, AT(raw_catalog, connection),
     .object = &schema_connection, .text = "libpq's words, or one `url`"},
    {0},
};
static const struct schema postgres = {"a postgres catalog", postgres_keys};
static const struct schema_key sqlite_keys[] = {
    CATALOG_KEYS,
    {"path", SCHEMA_ENV, REQUIRED, AT(raw_catalog, path), .text = "the database file"},
    {0},
};
static const struct schema sqlite = {"a sqlite catalog", sqlite_keys};
const struct schema *const schema_catalogs[] = {&postgres, &sqlite};

/* What all kinds of store have. */
#define SET_KEY                                                                                    \
    {                                                                                              \
        "set", SCHEMA_MAP, AT(raw_store, set),                                                     \
            .item = SCHEMA_VALUE,                                                                  \
            .text = "further columns of the row that a cut-over to this store sets"                \
    }

static const struct schema_key local_keys[] = {
    {"type", SCHEMA_CHOICE, REQUIRED, AT(raw_store, type), .choices = schema_store_types,
     .text = "local or azure"},
    {"path", SCHEMA_ENV, REQUIRED, AT(raw_store, path), .text = "the folder"},
    {"urls", SCHEMA_LIST, AT(raw_store, urls), .item = SCHEMA_ENV,
     .text = "further URLs under which the catalog knows it"},
    SET_KEY,
    {0},
};
static const struct schema local = {"a local store", local_keys};
static const struct schema_key azure_keys[] = {
    {"type", SCHEMA_CHOICE, REQUIRED, AT(raw_store, type), .choices = schema_store_types,
     .text = "local or azure"},
    {"connection_string", SCHEMA_SECRET, REQUIRED, AT(raw_store, connection_string),
     .text = "as the portal shows it, from the environment"},
    {"container", SCHEMA_ENV, REQUIRED, AT(raw_store, container), .text = "the container"},
    {"prefix", SCHEMA_ENV, AT(raw_store, prefix), .text = "the part of the container"},
    {"tier", SCHEMA_CHOICE, AT(raw_store, tier), .choices = schema_tiers,
     .text = "the access tier of what comes here; the account's if left out"},
    {"urls", SCHEMA_LIST, AT(raw_store, urls), .item = SCHEMA_ENV,
     .text = "further URLs under which the catalog knows it"},
    SET_KEY,
    {0},
};
static const struct schema azure = {"an azure store", azure_keys};
const struct schema *const schema_stores[] = {&local, &azure};

static const struct schema_key hold_keys[] = {
    {"name", SCHEMA_NAME, REQUIRED, AT(raw_hold, name), .text = "its name"},
    {"reason", SCHEMA_PROSE, AT(raw_hold, reason), .text = "why, and whom to ask"},
    {"until", SCHEMA_DATE, AT(raw_hold, until), .text = "the last day of it; left out: no end"},
    {"select", SCHEMA_SELECT, REQUIRED, AT(raw_hold, select), .text = "what stays"},
    {0},
};
const struct schema schema_hold = {"a hold", hold_keys};

static const struct schema_key cleanup_keys[] = {
    {"source", SCHEMA_CHOICE, AT(raw_cleanup, source), .choices = cleanups,
     .text = "delete or keep the source"},
    {"after", SCHEMA_SPAN, AT(raw_cleanup, after_us), .text = "counted from the cut-over"},
    {0},
};
const struct schema schema_cleanup = {"`cleanup`", cleanup_keys};

static const struct schema_key defaults_keys[] = {
    {"verify", SCHEMA_CHOICE, AT(raw_defaults, verify), .choices = verify_levels,
     .text = "what proves a copy"},
    {"cleanup", SCHEMA_OBJECT, AT(raw_defaults, cleanup), .object = &schema_cleanup,
     .text = "what becomes of the source"},
    {0},
};
const struct schema schema_defaults = {"`defaults`", defaults_keys};

static const struct schema_key guards_keys[] = {
    {"max_recordings", SCHEMA_COUNT, AT(raw_guards, guards.max_recordings), .text = "rows"},
    {"max_bytes", SCHEMA_SIZE, AT(raw_guards, guards.max_bytes), .text = "of all of them"},
    {"max_deletes", SCHEMA_COUNT, AT(raw_guards, guards.max_deletes),
     .text = "sources that may go"},
    {"max_percent", SCHEMA_PERCENT, AT(raw_guards, guards.max_fraction_ppm),
     .text = "of the catalog's rows"},
    {"min_recordings", SCHEMA_COUNT, AT(raw_guards, guards.min_recordings),
     .text = "fewer is an alarm"},
    {"on_exceed", SCHEMA_CHOICE, AT(raw_guards, on_exceed), .choices = on_exceeds,
     .text = "plan nothing, or what fits"},
    {0},
};
const struct schema schema_guards = {"`guards`", guards_keys};

static const struct schema_key window_keys[] = {
    {"days", SCHEMA_DAYS, AT(window, days), .text = "of the week: mon-fri; left out: all"},
    {"from", SCHEMA_CLOCK, AT(window, from_min), .text = "the first minute: 22:00"},
    {"to", SCHEMA_CLOCK, AT(window, to_min),
     .text = "the first minute behind it; of the next day if it is not behind `from`"},
    {0},
};
const struct schema schema_window = {"`window`", window_keys};

static const struct schema_key policy_keys[] = {
    {"name", SCHEMA_NAME, REQUIRED, AT(raw_policy, name), .text = "its name"},
    {"description", SCHEMA_PROSE, AT(raw_policy, description), .text = "for people"},
    {"enabled", SCHEMA_BOOLEAN, AT(raw_policy, enabled), .text = "false: passed over"},
    {"from", SCHEMA_TEXT, AT(raw_policy, from), .text = "a store; left out: every store"},
    {"target", SCHEMA_TEXT, REQUIRED, AT(raw_policy, target), .text = "where it belongs"},
    {"priority", SCHEMA_INTEGER, AT(raw_policy, priority), .text = "higher wins"},
    {"select", SCHEMA_SELECT, REQUIRED, AT(raw_policy, select), .text = "what it takes"},
    {"exclude", SCHEMA_SELECT, AT(raw_policy, exclude), .text = "but not this"},
    {"order_by", SCHEMA_CHOICE, AT(raw_policy, order_by), .choices = orders,
     .text = "who goes first under a guard"},
    {"verify", SCHEMA_CHOICE, AT(raw_policy, verify), .choices = verify_levels,
     .text = "what proves a copy"},
    {"cleanup", SCHEMA_OBJECT, AT(raw_policy, cleanup), .object = &schema_cleanup,
     .text = "what becomes of the source"},
    {"guards", SCHEMA_OBJECT, AT(raw_policy, guards), .object = &schema_guards,
     .text = "limits that stop what goes wrong"},
    {"window", SCHEMA_OBJECT, AT(raw_policy, window), .object = &schema_window,
     .text = "when apply may begin directories"},
    {"min_residency", SCHEMA_SPAN, AT(raw_policy, min_residency_us),
     .text = "leave alone what frostline brought less than this ago"},
    {"expires", SCHEMA_DATE, AT(raw_policy, expires), .text = "the last day of a one-off"},
    {0},
};
const struct schema schema_policy = {"a policy", policy_keys};

static const struct schema_key dates_keys[] = {
    {"from", SCHEMA_DATE, AT(raw_dates, from), .text = "the first day"},
    {"to", SCHEMA_DATE, AT(raw_dates, to), .text = "the last day"},
    {0},
};
const struct schema schema_dates = {"`dates`", dates_keys};

static const struct schema_key path_keys[] = {
    {"glob", SCHEMA_TEXT, AT(raw_path, glob),
     .text = "the whole key: `*` stops at `/`, `**` crosses it"},
    {"regex", SCHEMA_TEXT, AT(raw_path, regex), .text = "anywhere in the key"},
    {0},
};
const struct schema schema_path = {"`path`", path_keys};

static const struct schema_key sizes_keys[] = {
    {"gt", SCHEMA_SIZE, AT(raw_sizes, gt), .text = "larger"},
    {"gte", SCHEMA_SIZE, AT(raw_sizes, gte), .text = "larger or as large"},
    {"lt", SCHEMA_SIZE, AT(raw_sizes, lt), .text = "smaller"},
    {"lte", SCHEMA_SIZE, AT(raw_sizes, lte), .text = "smaller or as large"},
    {0},
};
const struct schema schema_sizes = {"`size`", sizes_keys};

static const struct schema_key select_keys[] = {
    {"ids", SCHEMA_LIST, .offset = SELECT_IDS, .item = SCHEMA_TEXT, .text = "these"},
    {"ids_file", SCHEMA_TEXT, .offset = SELECT_IDS_FILE, .text = "those of a file, one a line"},
    {"date", SCHEMA_DATE, .offset = SELECT_DATE, .text = "recorded on that day"},
    {"dates", SCHEMA_OBJECT, .offset = SELECT_DATES, .object = &schema_dates,
     .text = "recorded on those days, both included"},
    {"older_than", SCHEMA_DURATION, .offset = SELECT_OLDER_THAN, .text = "recorded before"},
    {"newer_than", SCHEMA_DURATION, .offset = SELECT_NEWER_THAN, .text = "recorded after"},
    {"path", SCHEMA_OBJECT, .offset = SELECT_PATH, .object = &schema_path,
     .text = "by the key inside its store"},
    {"size", SCHEMA_OBJECT, .offset = SELECT_SIZE, .object = &schema_sizes,
     .text = "as large as the catalog says"},
    {"store", SCHEMA_TEXT, .offset = SELECT_STORE, .text = "where it is now"},
    {"everything", SCHEMA_BOOLEAN, .offset = SELECT_EVERYTHING, .text = "every recording"},
    {"all", SCHEMA_LIST, .offset = SELECT_ALL, .item = SCHEMA_SELECT, .text = "all of these"},
    {"any", SCHEMA_LIST, .offset = SELECT_ANY, .item = SCHEMA_SELECT, .text = "any of these"},
    {"not", SCHEMA_SELECT, .offset = SELECT_NOT, .text = "none of this"},
    {0},
};
const struct schema schema_select = {"a selection", select_keys};

static const struct schema_key tests_keys[] = {
    {"eq", SCHEMA_TEXT, .offset = TEST_EQ, .text = "equal"},
    {"ne", SCHEMA_TEXT, .offset = TEST_NE, .text = "not equal"},
    {"in", SCHEMA_LIST, .offset = TEST_IN, .item = SCHEMA_TEXT, .text = "equal to one of"},
    {"gt", SCHEMA_TEXT, .offset = TEST_GT, .text = "greater"},
    {"gte", SCHEMA_TEXT, .offset = TEST_GTE, .text = "greater or equal"},
    {"lt", SCHEMA_TEXT, .offset = TEST_LT, .text = "less"},
    {"lte", SCHEMA_TEXT, .offset = TEST_LTE, .text = "less or equal"},
    {"glob", SCHEMA_TEXT, .offset = TEST_GLOB, .text = "the whole text is like this"},
    {"regex", SCHEMA_TEXT, .offset = TEST_REGEX, .text = "something in the text is like this"},
    {"older_than", SCHEMA_DURATION, .offset = TEST_OLDER_THAN, .text = "a time before"},
    {"newer_than", SCHEMA_DURATION, .offset = TEST_NEWER_THAN, .text = "a time after"},
    {"null", SCHEMA_BOOLEAN, .offset = TEST_NULL, .text = "the column is NULL"},
    {0},
};
const struct schema schema_tests = {"a comparison", tests_keys};

static const struct schema_key recording_keys[] = {
    {"id", SCHEMA_TEXT, REQUIRED, AT(raw_recording, id), .text = "its id"},
    {"location", SCHEMA_TEXT, REQUIRED, AT(raw_recording, location),
     .text = "a store's name and a key, `hot:recording/a/b.ecal`, or a whole URL"},
    {"time", SCHEMA_PROSE, AT(raw_recording, time), .text = "when it was recorded"},
    {"size", SCHEMA_PROSE, AT(raw_recording, size), .text = "how large it is: 5GB"},
    {0},
};
const struct schema schema_recording = {"a recording", recording_keys};

static const struct schema_key move_keys[] = {
    {"id", SCHEMA_TEXT, REQUIRED, AT(raw_expected, id), .text = "of a recording of this test"},
    {"policy", SCHEMA_TEXT, AT(raw_expected, policy), .text = "the policy that wins"},
    {"to", SCHEMA_TEXT, AT(raw_expected, to), .text = "the store that it goes to"},
    {0},
};
const struct schema schema_expect_move = {"what moves", move_keys};

static const struct schema_key stay_keys[] = {
    {"id", SCHEMA_TEXT, REQUIRED, AT(raw_expected, id), .text = "of a recording of this test"},
    {"because", SCHEMA_PROSE, AT(raw_expected, because), .text = "a part of the reason"},
    {0},
};
const struct schema schema_expect_stay = {"what stays", stay_keys};

static const struct schema_key expect_keys[] = {
    {"move", SCHEMA_LIST, AT(raw_expect, move), .item = SCHEMA_OBJECT,
     .object = &schema_expect_move, .text = "all that moves, and nothing else"},
    {"stay", SCHEMA_LIST, AT(raw_expect, stay), .item = SCHEMA_OBJECT,
     .object = &schema_expect_stay, .text = "what stays, and why"},
    {0},
};
const struct schema schema_expect = {"`expect`", expect_keys};

static const struct schema_key test_keys[] = {
    {"name", SCHEMA_PROSE, REQUIRED, AT(raw_test, name), .text = "what it shows"},
    {"as_of", SCHEMA_INSTANT, REQUIRED, AT(raw_test, as_of_us), .text = "its clock"},
    {"recordings", SCHEMA_LIST, REQUIRED, AT(raw_test, recordings), .item = SCHEMA_OBJECT,
     .object = &schema_recording, .text = "its catalog; the catalog's fields are keys as well"},
    {"expect", SCHEMA_OBJECT, REQUIRED, AT(raw_test, expect), .object = &schema_expect,
     .text = "what becomes of them"},
    {0},
};
const struct schema schema_test = {"a test", test_keys};

static const struct schema_key tests_file_keys[] = {
    {"version", SCHEMA_INTEGER, AT(raw_tests_file, version), .text = "1"},
    {"policy", SCHEMA_TEXT, AT(raw_tests_file, policy),
     .text = "the policy that is tested; left out: that of the same name, NAME.yaml"},
    {"tests", SCHEMA_LIST, REQUIRED, AT(raw_tests_file, tests), .item = SCHEMA_OBJECT,
     .object = &schema_test, .text = "in place of the policy's own"},
    {0},
};
const struct schema schema_tests_file = {"a file of tests", tests_file_keys};

static const struct schema_key root_keys[] = {
    {"version", SCHEMA_INTEGER, REQUIRED, AT(raw_root, version), .text = "1"},
    {"include", SCHEMA_LIST, AT(raw_root, include), .item = SCHEMA_TEXT,
     .text = "further files, whose parts stand behind these"},
    {"timezone", SCHEMA_TEXT, AT(raw_root, timezone), .text = "reads dates; default UTC"},
    {"vars", SCHEMA_MAP, AT(raw_root, vars), .item = SCHEMA_TEXT,
     .text = "values for `$name`; --var overrides"},
    {"catalog", SCHEMA_OBJECT, REQUIRED, AT(raw_root, catalog), .variants = schema_catalogs,
     .text = "the table"},
    {"stores", SCHEMA_MAP, REQUIRED, AT(raw_root, stores), .item = SCHEMA_OBJECT,
     .variants = schema_stores, .text = "where objects are"},
    {"holds", SCHEMA_LIST, AT(raw_root, holds), .item = SCHEMA_OBJECT, .object = &schema_hold,
     .text = "what stays, whatever the policies say"},
    {"defaults", SCHEMA_OBJECT, AT(raw_root, defaults), .object = &schema_defaults,
     .text = "what policies have that say nothing else"},
    {"policies", SCHEMA_LIST, REQUIRED, AT(raw_root, policies), .item = SCHEMA_OBJECT,
     .object = &schema_policy, .text = "what belongs where"},
    {"tests", SCHEMA_LIST, AT(raw_root, tests), .item = SCHEMA_OBJECT, .object = &schema_test,
     .text = "what `frostline test` shows, without a catalog and a store"},
    {0},
};
const struct schema schema_root = {"a policy file", root_keys};

static const struct schema_key request_keys[] = {
    {"policies", SCHEMA_LIST, AT(raw_request, policies), .item = SCHEMA_OBJECT,
     .object = &schema_policy, .text = "in place of those of the file"},
    {"select", SCHEMA_SELECT, AT(raw_request, select),
     .text = "of what these would move, only this"},
    {"words", SCHEMA_PROSE, AT(raw_request, words), .text = "the selection, as a person wrote it"},
    {0},
};
const struct schema schema_request = {"a request", request_keys};

/* Of a request's selection alone: which policy moves it. */
static const struct schema_key asked_keys[] = {
    {"policy", SCHEMA_TEXT, .offset = SELECT_POLICY, .text = "the policy that moves it"},
    {0},
};
const struct schema schema_asked = {"a request's selection", asked_keys};

/* ---- reading by it ---- */

const struct schema_key *schema_find(const struct schema *schema, const char *name)
{
    for (const struct schema_key *key = schema->keys; key->name != NULL; key++) {
        if (str_equal(key->name, name))
            return key;
    }
    return NULL;
}

bool schema_knows(const struct schema *schema, const struct node *map, const char *name)
{
    const char *const names[] = {name, NULL};
    bool known = true;
    for (const struct node *value = map->first; value != NULL; value = value->next) {
        const char *key = value->key->text;
        if (schema_find(schema, key) == NULL)
            known &= str_nearest(key, names) == NULL;
        else if (str_equal(key, name))
            known &= !value->broken;
    }
    return known;
}

/* The nearest of the schema's keys and of further names. */
static const char *suggest(const struct load *load, const struct schema *schema, const char *text,
                           const char *const *names)
{
    struct arena_mark mark = arena_mark(load->arena);
    size_t count = 0;
    for (size_t i = 0; names != NULL && names[i] != NULL; i++)
        count++;
    const char **choices = arena_make(load->arena, (KEYS_MAX + count + 1) * sizeof *choices);
    if (count > 0)
        memcpy(choices, names, count * sizeof *choices);
    for (const struct schema_key *key = schema->keys; key->name != NULL; key++)
        choices[count++] = key->name;
    const char *nearest = str_nearest(text, choices);
    arena_back(load->arena, mark);
    return nearest;
}

static const char *refuse_key(struct load *load, const struct schema *schema, struct node *value,
                              const char *const *names)
{
    const char *nearest = suggest(load, schema, value->key->text, names);
    struct diag *diag = diag_add(load->diags, DIAG_UNKNOWN_KEY, value->key->span, "unknown key %s",
                                 scalar_shown(load, value->key));
    diag->label = schema == &schema_select ? "not a selector"
                  : schema == &schema_tests
                      ? "not a test"
                      : str_format(load->arena, "not a key of %s", schema->noun);
    if (nearest != NULL)
        diag->help = str_format(load->arena, "did you mean `%s`?", nearest);
    const struct schema_key *meant = nearest != NULL ? schema_find(schema, nearest) : NULL;
    diag->secret_behind =
        schema == &schema_connection || (meant != NULL && meant->type == SCHEMA_SECRET);
    value->broken = true;
    return nearest;
}

const struct schema_key *schema_key_of(struct load *load, const struct schema *schema,
                                       struct node *value, const char *const *names)
{
    const struct schema_key *key = schema_find(schema, value->key->text);
    if (key == NULL)
        refuse_key(load, schema, value, names);
    return key;
}

static bool check_shape(struct load *load, struct node *node, enum node_kind kind, const char *noun)
{
    if (node->broken)
        return false;
    struct span at = node->key == NULL ? node->span : node->key->span;
    node->broken = true;
    if (node->kind == NODE_SCALAR && node->plain && node->text[0] == '\0') {
        diag_add(load->diags, DIAG_EMPTY, at, "%s is empty", noun)->label = "nothing stands here";
        return false;
    }
    if (node->kind != kind) {
        diag_add(load->diags, DIAG_SHAPE, node->span, "%s has to be a %s", noun,
                 kind == NODE_MAP ? "map" : "list")
            ->label = kind == NODE_MAP ? "`key: value` is wanted" : "a list is wanted";
        return false;
    }
    if (node->count == 0) {
        diag_add(load->diags, DIAG_EMPTY, node->span, "%s is empty", noun)->label =
            "nothing stands here";
        return false;
    }
    node->broken = false;
    return true;
}

bool schema_map(struct load *load, struct node *node, const char *noun)
{
    return check_shape(load, node, NODE_MAP, noun);
}

bool schema_list(struct load *load, struct node *node, const char *noun)
{
    return check_shape(load, node, NODE_LIST, noun);
}

/* A shape only: what stands inside is for the reader of the part. */
static bool read_node(struct load *load, const struct schema_key *key, struct node *node)
{
    const char *noun = str_format(load->arena, "`%s`", key->name);
    switch (key->type) {
    case SCHEMA_NAME:
        return scalar_name(load, node);
    case SCHEMA_PROSE:
        return !node->broken && (node->kind == NODE_SCALAR || scalar_text(load, node));
    case SCHEMA_ENV:
        return substitute_env(load, node);
    case SCHEMA_SECRET:
        return substitute_check(load, node);
    case SCHEMA_LIST:
        return schema_list(load, node, noun);
    case SCHEMA_OBJECT:
    case SCHEMA_MAP:
        return schema_map(load, node, noun);
    case SCHEMA_SELECT: /* empty is an error of its own: select_compile */
        return !node->broken;
    default:
        return scalar_text(load, node);
    }
}

static void read_value(struct load *load, const struct schema_key *key, struct node *node,
                       void *out)
{
    bool done;
    switch (key->type) {
    case SCHEMA_BOOLEAN:
        done = scalar_boolean(load, node, out);
        break;
    case SCHEMA_INTEGER:
        done = scalar_integer(load, node, out);
        break;
    case SCHEMA_COUNT:
        done = scalar_count(load, node, out);
        break;
    case SCHEMA_SIZE:
        done = scalar_size(load, node, out);
        break;
    case SCHEMA_PERCENT:
        done = scalar_percent(load, node, out);
        break;
    case SCHEMA_DURATION:
        done = scalar_duration(load, node, out);
        break;
    case SCHEMA_SPAN:
        done = scalar_span(load, node, out);
        break;
    case SCHEMA_DATE:
        done = scalar_date(load, node, out);
        break;
    case SCHEMA_INSTANT:
        done = scalar_instant(load, node, out);
        break;
    case SCHEMA_DAYS:
        done = scalar_days(load, node, out);
        break;
    case SCHEMA_CLOCK:
        done = scalar_clock(load, node, out);
        break;
    case SCHEMA_CHOICE:
        done = scalar_choice(load, node, key->choices, out);
        break;
    default:
        done = read_node(load, key, node);
        if (done)
            *(struct node **)out = node;
        break;
    }
    node->broken |= !done;
}

static void tell_missing(struct load *load, const struct schema *schema, const struct node *map,
                         const struct schema_key *key)
{
    struct diag *diag = diag_add(load->diags, DIAG_MISSING_KEY, map->span, "%s needs `%s`",
                                 schema->noun, key->name);
    diag->label = str_format(load->arena, "`%s` is missing", key->name);
    if (key->text != NULL)
        diag->help = str_format(load->arena, "`%s`: %s", key->name, key->text);
}

static bool is_among(const char *const *names, const char *name)
{
    while (*names != NULL && !str_equal(*names, name))
        names++;
    return *names != NULL;
}

void schema_read_open(struct load *load, const struct schema *schema, struct node *map,
                      const char *const *names, void *out)
{
    bool met[KEYS_MAX] = {false};
    for (struct node *value = map->first; value != NULL; value = value->next) {
        const struct schema_key *key = schema_find(schema, value->key->text);
        if (key != NULL) {
            met[key - schema->keys] = true;
            if (!value->broken)
                read_value(load, key, value, (char *)out + key->offset);
            continue;
        }
        if (value->broken || names == NULL || is_among(names, value->key->text))
            continue;
        /* A slip of the pen is told once, not also as the missing key that it was to be. */
        const char *meant = refuse_key(load, schema, value, names);
        const struct schema_key *slipped = meant == NULL ? NULL : schema_find(schema, meant);
        if (slipped != NULL)
            met[slipped - schema->keys] = true;
    }
    for (const struct schema_key *key = schema->keys; key->name != NULL; key++) {
        if (key->required && !met[key - schema->keys])
            tell_missing(load, schema, map, key);
    }
}

void schema_read(struct load *load, const struct schema *schema, struct node *map, void *out)
{
    static const char *const no_names[] = {NULL};
    schema_read_open(load, schema, map, no_names, out);
}

const struct schema *schema_variant(struct load *load, struct node *map, const char *noun,
                                    const struct schema *const *variants)
{
    unsigned index;
    const struct schema_key *key = schema_find(variants[0], "type");
    struct node *type = tree_find(map, key->name);
    if (type != NULL)
        return scalar_choice(load, type, key->choices, &index) ? variants[index] : NULL;
    struct schema any = {noun, variants[0]->keys};
    tell_missing(load, &any, map, key);
    return NULL;
}
