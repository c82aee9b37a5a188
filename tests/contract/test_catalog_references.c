/* Locations in other tables: the same cases against memory, SQLite and PostgreSQL, and what only
 * tables of a database can be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/support/catalog_rig.h"

#define ITEMS(array) (sizeof(array) / sizeof((array)[0]))
#define HOT "https://hot.example/c/"

static enum catalog_rig_kind kind; /* the adapter whose turn it is */

static const struct catalog_reference REFERENCES[] = {{"training_set", "file_url"},
                                                      {"preview", "Image \"URL\""}};

static void name_references(struct catalog_rig *rig)
{
    struct catalog_reference *references = arena_make(&rig->arena, sizeof REFERENCES);
    for (size_t i = 0; i < ITEMS(REFERENCES); i++) {
        references[i] = REFERENCES[i];
        if (kind == CATALOG_RIG_POSTGRES)
            references[i].table =
                str_format(&rig->arena, "frostline_test_%d.%s", (int)getpid(), REFERENCES[i].table);
    }
    rig->config.references = references;
    rig->config.reference_count = ITEMS(REFERENCES);
}

static int set_up(void **state)
{
    struct catalog_rig *rig = malloc(sizeof *rig);
    assert_non_null(rig);
    catalog_rig_open(rig, kind, NULL);
    name_references(rig);
    if (kind != CATALOG_RIG_MEMORY) {
        catalog_rig_sql(rig, "CREATE TABLE training_set (file_url TEXT, frames INTEGER)");
        catalog_rig_sql(rig, "CREATE TABLE preview (\"Image \"\"URL\"\"\" TEXT)");
    }
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    catalog_rig_close(*state);
    free(*state);
    return 0;
}

static void refer(struct catalog_rig *rig, size_t reference, const char *url)
{
    static const char *const columns[] = {"training_set (file_url)", "preview"};
    if (rig->memory != NULL)
        catalog_memory_refer(rig->memory, reference, url);
    else
        catalog_rig_sql(rig, "INSERT INTO %s VALUES ('%s')", columns[reference], url);
}

static void refer_nothing(struct catalog_rig *rig)
{
    if (rig->memory != NULL)
        catalog_memory_refer_nothing(rig->memory);
    else
        catalog_rig_sql(rig, "DELETE FROM training_set; DELETE FROM preview");
}

static const struct catalog_reference *ask(struct catalog_rig *rig, const char *const *urls,
                                           size_t count)
{
    static const struct catalog_reference unset;
    const struct catalog_reference *found = &unset;
    struct err err = {0};
    catalog_rig_connect(rig);
    catalog_rig_succeed(rig->catalog->ops->referenced(rig->catalog, urls, count, &found, &err),
                        &err);
    assert_ptr_not_equal(found, &unset);
    return found;
}

static void assert_ask_fails(struct catalog_rig *rig, enum err_kind expected, const char *text)
{
    const struct catalog_reference *found;
    struct err err = {0};
    catalog_rig_connect(rig);
    const char *url = HOT "a/1/";
    assert_false(rig->catalog->ops->referenced(rig->catalog, &url, 1, &found, &err));
    if (err.kind != expected || strstr(err.text, text) == NULL)
        fail_msg("kind %d: %s", (int)err.kind, err.text);
}

/* -- every adapter ----------------------------------------------------------------------------- */

static void what_is_at_or_below_is_found(void **state)
{
    struct catalog_rig *rig = *state;
    static const struct {
        const char *url;
        bool below, at; /* the directory with its '/', and without */
    } rows[] = {
        {HOT "a/1/x.mf4", true, false},
        {HOT "a/1/deep/down/x.mf4", true, false},
        {HOT "a/1/", true, false},
        {HOT "a/1/x.mf4?sig=1#t", true, false},
        {HOT "a/1/\xf0\x9f\x98\x80", true, false},
        {HOT "a/1", false, true},
        {HOT "a/10/x.mf4", false, false},
        {HOT "a/1-/x.mf4", false, false},
        {HOT "a/1.mf4", false, false},
        {HOT "a/0/x.mf4", false, false},
        {HOT "a/", false, false},
        {HOT "A/1/x.mf4", false, false},
        {HOT "a/1\x01", false, false},
        {"a/1/x.mf4", false, false},
        {"", false, false},
    };
    static const char *const below = HOT "a/1/", *const at = HOT "a/1";
    for (size_t i = 0; i < ITEMS(rows); i++) {
        refer(rig, 0, rows[i].url);
        if ((ask(rig, &below, 1) != NULL) != rows[i].below ||
            (ask(rig, &at, 1) != NULL) != rows[i].at)
            fail_msg("%s", rows[i].url);
        refer_nothing(rig);
    }
}

static void what_has_a_query_or_a_fragment_is_found(void **state)
{
    struct catalog_rig *rig = *state;
    static const struct {
        const char *url;
        bool query, fragment;
    } rows[] = {
        {HOT "a/1.mf4?sig=1#t", true, false}, {HOT "a/1.mf4?", true, false},
        {HOT "a/1.mf4#t?x", false, true},     {HOT "a/1.mf4", false, false},
        {HOT "a/1.mf4@", false, false}, /* '@' follows '?' */
        {HOT "a/1.mf4$", false, false}, /* '$' follows '#' */
        {HOT "a/1.mf4.bak?", false, false},
    };
    static const char *const query = HOT "a/1.mf4?", *const fragment = HOT "a/1.mf4#";
    for (size_t i = 0; i < ITEMS(rows); i++) {
        refer(rig, 0, rows[i].url);
        if ((ask(rig, &query, 1) != NULL) != rows[i].query ||
            (ask(rig, &fragment, 1) != NULL) != rows[i].fragment)
            fail_msg("%s", rows[i].url);
        refer_nothing(rig);
    }
}

static void each_reference_is_asked_for_each_url(void **state)
{
    enum { COUNT = 70 }; /* more than one batch for two references */
    struct catalog_rig *rig = *state;
    const char **urls = arena_make(&rig->arena, COUNT * sizeof *urls);
    for (size_t i = 0; i < COUNT; i++)
        urls[i] = str_format(&rig->arena, "%zu/", i);
    assert_null(ask(rig, urls, COUNT));
    refer(rig, 1, "69/x");
    assert_null(ask(rig, urls, COUNT - 1));
    assert_ptr_equal(ask(rig, urls, COUNT), &rig->config.references[1]);
    refer_nothing(rig);
    refer(rig, 0, "35/x");
    assert_ptr_equal(ask(rig, urls, COUNT), &rig->config.references[0]);
    assert_null(ask(rig, NULL, 0));
}

static void without_references_there_are_none(void **state)
{
    struct catalog_rig *rig = *state;
    static const char *const below = HOT;
    rig->config.reference_count = 0;
    if (rig->memory == NULL)
        refer(rig, 0, HOT "a/1/x.mf4");
    assert_null(ask(rig, &below, 1));
}

static void rows_of_the_catalog_itself_are_not_meant(void **state)
{
    struct catalog_rig *rig = *state;
    static const char *const below = HOT;
    catalog_rig_put(rig, "1", HOT "a/1/x.mf4");
    assert_null(ask(rig, &below, 1));
}

/* -- tables of a database ---------------------------------------------------------------------- */

static void a_null_refers_to_nothing(void **state)
{
    struct catalog_rig *rig = *state;
    static const char *const below = HOT;
    catalog_rig_sql(rig, "INSERT INTO training_set VALUES (NULL, 1)");
    assert_null(ask(rig, &below, 1));
}

#define PART (CATALOG_FIELD + CATALOG_RIG_FIELDS) /* the first reference's table */

/* The only reference has this flaw: it is told, and nothing is said of rows that refer. */
static void refuse(struct catalog_rig *rig, const struct catalog_reference *reference,
                   const struct catalog_flaw *flaw)
{
    rig->config.references = reference;
    rig->config.reference_count = 1;
    catalog_rig_assert_described(rig, flaw->kind, flaw->part, flaw->text, flaw->nearest);
    assert_ask_fails(rig, flaw->kind == CATALOG_FLAW_MISSING ? ERR_MISSING : ERR_INPUT, flaw->text);
}

static void what_is_missing_is_named(void **state)
{
    struct catalog_rig *rig = *state;
    const char *good = rig->config.references[0].table;
    const struct catalog_reference no_table = {str_format(&rig->arena, "%ss", good), "x"};
    const struct catalog_reference no_column = {good, "file_urls"}, no_text = {good, "frames"};
    const char *lacks = str_format(&rig->arena, "the table `%s` has no column `file_urls`", good);
    refuse(rig, &no_table,
           &(struct catalog_flaw){CATALOG_FLAW_MISSING, PART, "the catalog has no table `", good});
    refuse(rig, &no_column,
           &(struct catalog_flaw){CATALOG_FLAW_MISSING, PART + 1, lacks, "file_url"});
    refuse(rig, &no_text,
           &(struct catalog_flaw){CATALOG_FLAW_TYPE, PART + 1, "the column `frames` is ", NULL});
    catalog_rig_sql(rig, "CREATE VIEW training_sets AS SELECT * FROM training_set");
    refuse(rig, &no_table, &(struct catalog_flaw){CATALOG_FLAW_TYPE, PART, "is a view", NULL});
}

/* With what is wrong with the table itself, whose rows are not read for that alone. */
static void all_that_is_missing_is_told_at_once(void **state)
{
    struct catalog_rig *rig = *state;
    const struct catalog_reference references[] = {
        {"no_such_table", "x"}, rig->config.references[0], {rig->config.references[0].table, "x"}};
    static const struct catalog_set set = {"no_such_column", "x"};
    static const size_t parts[] = {CATALOG_TIME, PART + 2 * ITEMS(references), PART, PART + 5};
    struct catalog_shape shape;
    struct err err = {0};
    rig->config.references = references;
    rig->config.reference_count = ITEMS(references);
    rig->config.time = "no_such_time";
    rig->config.sets = &set;
    rig->config.set_count = 1;
    catalog_rig_connect(rig);
    catalog_rig_succeed(rig->catalog->ops->describe(rig->catalog, &rig->arena, &shape, &err), &err);
    assert_int_equal(shape.flaw_count, ITEMS(parts));
    for (size_t i = 0; i < ITEMS(parts); i++)
        assert_int_equal(shape.flaws[i].part, parts[i]);
    rig->config.time = NULL;
    rig->config.set_count = 0;
    catalog_rig_put_cut(rig);
    catalog_rig_assert_cut(rig, CATALOG_CUT);
}

/* No answer is not the answer that there is none; and the rest of the catalog goes on. */
static void a_table_that_goes_away_is_noticed(void **state)
{
    struct catalog_rig *rig = *state;
    static const char *const below = HOT "a/1/";
    catalog_rig_put_cut(rig);
    assert_null(ask(rig, &below, 1));
    catalog_rig_sql(rig, "ALTER TABLE preview RENAME TO gone");
    for (int i = 0; i < 2; i++)
        assert_ask_fails(rig, ERR_MISSING, "preview");
    catalog_rig_assert_cut(rig, CATALOG_CUT);
    catalog_rig_sql(rig, "ALTER TABLE gone RENAME TO preview");
    refer(rig, 1, HOT "a/1/x");
    assert_ptr_equal(ask(rig, &below, 1), &rig->config.references[1]);
}

/* -- PostgreSQL -------------------------------------------------------------------------------- */

static void what_the_role_may_not_see_is_denied(void **state)
{
    struct catalog_rig *rig = *state;
    PGresult *result = PQexec(rig->postgres, "SHOW is_superuser");
    bool all_powerful = strcmp(PQgetvalue(result, 0, 0), "on") == 0;
    PQclear(result);
    if (all_powerful)
        skip();
    catalog_rig_sql(rig, "REVOKE ALL ON training_set FROM CURRENT_USER");
    assert_ask_fails(rig, ERR_DENIED, "permission denied");
    catalog_rig_sql(rig, "GRANT ALL ON training_set TO CURRENT_USER");
    catalog_rig_sql(rig, "ALTER TABLE training_set ENABLE ROW LEVEL SECURITY,"
                         " FORCE ROW LEVEL SECURITY");
    catalog_rig_sql(rig, "CREATE POLICY hide ON training_set USING (frames > 1)");
    assert_ask_fails(rig, ERR_DENIED, "row-level security");
}

/* In the order of a language 'a/1-' and 'a/10' stand among what begins with 'a/1/'. */
static void bytes_count_whatever_the_collation(void **state)
{
    struct catalog_rig *rig = *state;
    static const char *const retype[] = {
        "ALTER TABLE training_set ALTER file_url TYPE text COLLATE \"und-x-icu\"",
        "ALTER TABLE training_set ALTER file_url TYPE varchar(80) COLLATE \"und-x-icu\"",
        "CREATE INDEX ON training_set (file_url)",
        "CREATE INDEX ON training_set (file_url COLLATE \"C\")",
        "DROP INDEX training_set_file_url_idx1; CREATE INDEX ON training_set"
        " (file_url text_pattern_ops)",
    };
    for (size_t i = 0; i < ITEMS(retype); i++) {
        catalog_rig_sql(rig, "%s", retype[i]);
        what_is_at_or_below_is_found(state);
        each_reference_is_asked_for_each_url(state);
        refer_nothing(rig);
        catalog_close(rig->catalog);
        rig->catalog = NULL;
    }
}

static void an_index_in_byte_order_serves(void **state)
{
    struct catalog_rig *rig = *state;
    static const char *const both[] = {HOT "a/1/", HOT "a/1"};
    PGresult *result;
    catalog_rig_sql(rig, "CREATE INDEX served ON training_set (file_url COLLATE \"C\")");
    catalog_rig_keyword(rig, "options", "-c enable_seqscan=off");
    assert_null(ask(rig, both, 2));
    catalog_close(rig->catalog); /* a backend tells its counts when it ends */
    rig->catalog = NULL;
    for (int i = 0;; i++) {
        result = PQexec(rig->postgres, "SELECT idx_scan FROM pg_stat_user_indexes"
                                       " WHERE schemaname = current_schema()"
                                       " AND indexrelname = 'served' AND idx_scan >= 2");
        int rows = PQntuples(result);
        PQclear(result);
        if (rows == 1)
            return;
        assert_true(i < 100);
        catalog_rig_sql(rig, "SELECT pg_sleep(0.05)");
    }
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    static const struct CMUnitTest cases[] = {
        CASE(what_is_at_or_below_is_found),
        CASE(what_has_a_query_or_a_fragment_is_found),
        CASE(each_reference_is_asked_for_each_url),
        CASE(without_references_there_are_none),
        CASE(rows_of_the_catalog_itself_are_not_meant),
        /* SQLite and PostgreSQL */
        CASE(a_null_refers_to_nothing),
        CASE(what_is_missing_is_named),
        CASE(all_that_is_missing_is_told_at_once),
        CASE(a_table_that_goes_away_is_noticed),
        /* PostgreSQL */
        CASE(what_the_role_may_not_see_is_denied),
        CASE(bytes_count_whatever_the_collation),
        CASE(an_index_in_byte_order_serves),
    };
    static const size_t counts[] = {4, 8, ITEMS(cases)};
    int failed = 0;
    for (kind = CATALOG_RIG_MEMORY; kind <= CATALOG_RIG_POSTGRES; kind++)
        if (catalog_rig_is_there(kind)) {
            print_message("%s\n", catalog_rig_name(kind));
            failed +=
                _cmocka_run_group_tests(catalog_rig_name(kind), cases, counts[kind], NULL, NULL);
        }
    return failed;
}
