/* What others do to a catalog in PostgreSQL meanwhile: locks, triggers, lost connections, threads.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/support/catalog_rig.h"

static int set_up(void **state)
{
    *state = malloc(sizeof(struct catalog_rig));
    assert_non_null(*state);
    return 0;
}

static int tear_down(void **state)
{
    catalog_rig_close(*state);
    free(*state);
    return 0;
}

/* A table with the two rows of the cut. */
static void open_two(struct catalog_rig *rig)
{
    catalog_rig_open(rig, CATALOG_RIG_POSTGRES, NULL);
    catalog_rig_put_cut(rig);
}

/* -- others at work ---------------------------------------------------------------------------- */

static void run(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    assert_int_equal(PQresultStatus(result), PGRES_COMMAND_OK);
    PQclear(result);
}

static void a_row_that_is_locked_is_waited_for_and_then_busy(void **state)
{
    struct catalog_rig *rig = *state;
    struct catalog_sight sight;
    struct err err = {0};
    open_two(rig);
    PGconn *other = catalog_rig_postgres(rig);
    run(other, "BEGIN");
    run(other, "UPDATE ecal SET map = 'x' WHERE ecal_id = '2'");
    catalog_rig_assert_cut_fails(rig, ERR_BUSY, "55P03");
    assert_true(rig->clock.instant_us >= 3100000); /* six tries */
    assert_false(rig->catalog->ops->look(rig->catalog, &catalog_rig_cut, true, &sight, &err));
    assert_string_equal(err.code, "55P03");
    catalog_rig_succeed(
        rig->catalog->ops->look(rig->catalog, &catalog_rig_cut, false, &sight, &err), &err);
    assert_int_equal(sight.at_source, 2);
    run(other, "ROLLBACK");
    PQfinish(other);
    catalog_rig_assert_moved(rig, false);
    catalog_rig_assert_cut(rig, CATALOG_CUT);
}

struct committer {
    PGconn *conn;
};

static void *commit_soon(void *context)
{
    struct committer *committer = context;
    usleep(80000);
    PGresult *result = PQexec(committer->conn, "COMMIT");
    bool ok = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return ok ? committer : NULL;
}

static void a_locking_look_waits_for_the_other_and_sees_what_it_did(void **state)
{
    struct catalog_rig *rig = *state;
    struct catalog_sight sight;
    struct err err = {0};
    void *committed;
    pthread_t thread;
    open_two(rig);
    rig->config.lock_wait_ms = 5000;
    catalog_rig_connect(rig);
    struct committer committer = {catalog_rig_postgres(rig)};
    run(committer.conn, "BEGIN");
    for (size_t i = 0; i < catalog_rig_cut.count; i++)
        run(committer.conn,
            str_format(&rig->arena, "UPDATE ecal SET ecal_name = '%s' WHERE ecal_id = '%s'",
                       catalog_rig_cut.rows[i].new_location, catalog_rig_cut.rows[i].id));
    catalog_rig_succeed(
        rig->catalog->ops->look(rig->catalog, &catalog_rig_cut, false, &sight, &err), &err);
    assert_int_equal(sight.at_source, 2);
    assert_int_equal(pthread_create(&thread, NULL, commit_soon, &committer), 0);
    catalog_rig_succeed(rig->catalog->ops->look(rig->catalog, &catalog_rig_cut, true, &sight, &err),
                        &err);
    pthread_join(thread, &committed);
    assert_non_null(committed);
    assert_int_equal(sight.at_target, 2);
    assert_int_equal(sight.at_source, 0);
    PQfinish(committer.conn);
}

static void a_trigger_that_swallows_an_update_stops_the_cut(void **state)
{
    struct catalog_rig *rig = *state;
    open_two(rig);
    catalog_rig_sql(rig, "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS"
                         " $$ BEGIN RETURN NULL; END $$");
    catalog_rig_sql(rig, "CREATE TRIGGER t BEFORE UPDATE ON ecal FOR EACH ROW"
                         " WHEN (old.ecal_id = '2') EXECUTE FUNCTION swallow()");
    catalog_rig_assert_cut(rig, CATALOG_CHANGED);
    catalog_rig_assert_moved(rig, false);
}

/* Whatever the server, the database or the role are set to. */
static void a_cut_has_settings_of_its_own(void **state)
{
    struct catalog_rig *rig = *state;
    open_two(rig);
    catalog_rig_sql(rig,
                    "CREATE FUNCTION check_settings() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                    " IF (current_setting('synchronous_commit'), current_setting('row_security'),"
                    " current_setting('lock_timeout')::interval) <> ('on', 'off', '%u ms')"
                    " THEN RAISE 'other settings'; END IF; RETURN NEW; END $$",
                    rig->config.lock_wait_ms != 0 ? rig->config.lock_wait_ms
                                                  : CATALOG_LOCK_WAIT_MS);
    catalog_rig_sql(rig, "CREATE TRIGGER t BEFORE UPDATE ON ecal FOR EACH ROW"
                         " EXECUTE FUNCTION check_settings()");
    catalog_rig_assert_cut(rig, CATALOG_CUT);
    catalog_rig_assert_moved(rig, true);
}

static void a_row_in_the_way_of_the_new_location_is_a_conflict(void **state)
{
    struct catalog_rig *rig = *state;
    open_two(rig);
    catalog_rig_sql(rig, "CREATE UNIQUE INDEX ON ecal (ecal_name)");
    catalog_rig_put(rig, "3", catalog_rig_cut.rows[1].new_location);
    catalog_rig_assert_cut_fails(rig, ERR_CONFLICT, "23505");
    catalog_rig_assert_moved(rig, false);
}

static void a_commit_that_the_server_refuses_is_no_cut(void **state)
{
    struct catalog_rig *rig = *state;
    open_two(rig);
    catalog_rig_sql(rig, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                         " $$ BEGIN RAISE 'not today' USING ERRCODE = '23514'; END $$");
    catalog_rig_sql(rig, "CREATE CONSTRAINT TRIGGER t AFTER UPDATE ON ecal DEFERRABLE INITIALLY"
                         " DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()");
    catalog_rig_assert_cut_fails(rig, ERR_CONFLICT, "23514");
    catalog_rig_assert_moved(rig, false);
    catalog_rig_sql(rig, "DROP TRIGGER t ON ecal");
    catalog_rig_assert_cut(rig, CATALOG_CUT); /* the connection is as good as before */
}

/* -- servers that are read only ---------------------------------------------------------------- */

static void whoever_writes_wants_a_server_that_takes_it(void **state)
{
    struct catalog_rig *rig = *state;
    open_two(rig);
    catalog_rig_keyword(rig, "options", "-c default_transaction_read_only=on");
    rig->config.writes = true;
    catalog_rig_assert_open_fails(rig, ERR_BUSY, "");
    rig->config.writes = false;
    catalog_rig_connect(rig);
    assert_int_equal(catalog_rig_fetch(rig, (const char *const[]){"1"}, 1), 1);
    catalog_rig_assert_cut_fails(rig, ERR_BUSY, "25006");
    catalog_rig_assert_moved(rig, false);
}

/* -- lost connections -------------------------------------------------------------------------- */

static int connections(struct catalog_rig *rig, const char *doing)
{
    const char *sql = str_format(&rig->arena,
                                 "SELECT %s FROM pg_stat_activity WHERE application_name ="
                                 " 'frostline' AND usename = current_user",
                                 doing);
    PGresult *result = PQexec(rig->postgres, sql);
    assert_int_equal(PQresultStatus(result), PGRES_TUPLES_OK);
    int count = PQntuples(result);
    PQclear(result);
    return count;
}

/* The trigger looks: a client that vanishes in between must not keep its rows locked for hours. */
static void rows_are_not_locked_for_a_client_that_vanished(void **state)
{
    struct catalog_rig *rig = *state;
    open_two(rig);
    catalog_rig_sql(rig, "CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                         " IF current_setting('idle_in_transaction_session_timeout') <> '1min'"
                         " THEN RAISE 'for ever'; END IF; RETURN new; END $$");
    catalog_rig_sql(rig, "CREATE TRIGGER t BEFORE UPDATE ON ecal"
                         " FOR EACH ROW EXECUTE FUNCTION look()");
    catalog_rig_assert_cut(rig, CATALOG_CUT);
    catalog_rig_assert_moved(rig, true);
}

static void a_terminated_connection_is_made_anew(void **state)
{
    struct catalog_rig *rig = *state;
    struct catalog_cursor *cursor;
    struct err err = {0};
    open_two(rig);
    catalog_rig_connect(rig);
    assert_int_equal(connections(rig, "pg_terminate_backend(pid, 5000)"), 1);
    catalog_rig_assert_cut(rig, CATALOG_CUT);
    assert_int_equal(connections(rig, "pg_terminate_backend(pid, 5000)"), 1);
    assert_int_equal(catalog_rig_fetch(rig, (const char *const[]){"1"}, 1), 1);

    struct catalog *catalog = rig->catalog;
    catalog_rig_succeed(catalog->ops->snapshot(catalog, &err), &err);
    assert_int_equal(connections(rig, "pg_terminate_backend(pid, 5000)"), 2);
    assert_false(catalog->ops->cursor_open(catalog, &cursor, &err));
    assert_int_equal(err.kind, ERR_BUSY);
    catalog->ops->snapshot_end(catalog);
    catalog_rig_succeed(catalog->ops->snapshot(catalog, &err), &err);
    catalog_rig_succeed(catalog->ops->cursor_open(catalog, &cursor, &err), &err);
    catalog->ops->cursor_close(cursor);
    catalog->ops->snapshot_end(catalog);
}

static void a_connection_lost_while_reading_is_no_end_of_the_rows(void **state)
{
    struct catalog_rig *rig = *state;
    struct catalog_cursor *cursor;
    const struct record *record;
    struct err err = {0};
    bool ok = true;
    catalog_rig_open(rig, CATALOG_RIG_POSTGRES, NULL);
    catalog_rig_sql(rig, "INSERT INTO ecal (ecal_id, ecal_name) SELECT i, 'a/' || repeat('x', 500)"
                         " FROM generate_series(1, 100000) i");
    catalog_rig_connect(rig);
    struct catalog *catalog = rig->catalog;
    catalog_rig_succeed(catalog->ops->snapshot(catalog, &err), &err);
    catalog_rig_succeed(catalog->ops->cursor_open(catalog, &cursor, &err), &err);
    catalog_rig_succeed(catalog->ops->cursor_next(cursor, &record, &err), &err);
    connections(rig, "pg_terminate_backend(pid)");
    while (ok && record != NULL)
        ok = catalog->ops->cursor_next(cursor, &record, &err);
    assert_false(ok);
    assert_int_equal(err.kind, ERR_BUSY);
    catalog->ops->cursor_close(cursor);
    catalog->ops->snapshot_end(catalog);
}

/* Stands between the catalog and its server, and cuts the line at a word of the client's. */
struct proxy {
    int listener, port;
    struct sockaddr_in server;
    const char *word; /* what the client says                   */
    bool deliver;     /* the server still hears it              */
    int cuts;         /* how often the line is cut, from now on */
    pthread_t thread;
};

static bool pass_on(int from, int to, char *bytes, size_t capacity, ssize_t *size)
{
    *size = read(from, bytes, capacity - 1);
    if (*size <= 0)
        return false;
    bytes[*size] = '\0';
    return to < 0 || write(to, bytes, (size_t)*size) == *size;
}

/* True if the client said the word, which may stand anywhere in what it sends. */
static bool serve(struct proxy *proxy, int client, int server)
{
    char bytes[65536];
    ssize_t size;
    for (;;) {
        struct pollfd fds[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
        if (poll(fds, 2, 10000) <= 0)
            return false;
        if (fds[1].revents != 0 && !pass_on(server, client, bytes, sizeof bytes, &size))
            return false;
        if (fds[0].revents == 0)
            continue;
        if (!pass_on(client, -1, bytes, sizeof bytes, &size))
            return false;
        bool said = proxy->cuts > 0 &&
                    memmem(bytes, (size_t)size, proxy->word, strlen(proxy->word)) != NULL;
        if ((!said || proxy->deliver) && write(server, bytes, (size_t)size) != size)
            return false;
        if (said)
            return true;
    }
}

static void *run_proxy(void *context)
{
    struct proxy *proxy = context;
    char bytes[65536];
    ssize_t size;
    for (int client; (client = accept(proxy->listener, NULL, NULL)) >= 0; close(client)) {
        int server = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(server, (struct sockaddr *)&proxy->server, sizeof proxy->server) == 0 &&
            serve(proxy, client, server)) {
            proxy->cuts--;
            if (proxy->deliver) /* what the server answers, nobody hears */
                pass_on(server, -1, bytes, sizeof bytes, &size);
        }
        close(server);
    }
    return NULL;
}

static void start_proxy(struct proxy *proxy, struct catalog_rig *rig)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof here;
    proxy->server = here;
    proxy->server.sin_port = htons((uint16_t)atoi(secret_reveal(&rig->secrets[1])));
    proxy->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(proxy->listener, (struct sockaddr *)&here, size), 0);
    assert_int_equal(listen(proxy->listener, 8), 0);
    assert_int_equal(getsockname(proxy->listener, (struct sockaddr *)&here, &size), 0);
    catalog_rig_keyword(rig, "host", "127.0.0.1");
    catalog_rig_keyword(rig, "port", str_format(&rig->arena, "%d", ntohs(here.sin_port)));
    assert_int_equal(pthread_create(&proxy->thread, NULL, run_proxy, proxy), 0);
}

static void stop_proxy(struct proxy *proxy, struct catalog_rig *rig)
{
    catalog_close(rig->catalog);
    rig->catalog = NULL;
    shutdown(proxy->listener, SHUT_RDWR);
    pthread_join(proxy->thread, NULL);
    close(proxy->listener);
}

static void cut_through_proxy(struct catalog_rig *rig, const char *word, bool deliver, int cuts,
                              enum catalog_outcome expected, uint32_t at_target)
{
    struct proxy proxy = {.word = word, .deliver = deliver, .cuts = cuts};
    struct catalog_sight sight;
    struct err err = {0};
    open_two(rig);
    start_proxy(&proxy, rig);
    catalog_rig_assert_cut(rig, expected);
    catalog_rig_succeed(rig->catalog->ops->look(rig->catalog, &catalog_rig_cut, true, &sight, &err),
                        &err);
    assert_int_equal(sight.at_target, at_target);
    assert_int_equal(sight.at_source, 2 - at_target);
    stop_proxy(&proxy, rig);
    assert_int_equal(proxy.cuts, 0);
    catalog_rig_assert_moved(rig, at_target == 2);
}

/* With the size of its message before it: READ COMMITTED is something else. */
#define COMMIT "\vCOMMIT"

static void a_commit_whose_reply_is_lost_is_unknown(void **state)
{
    cut_through_proxy(*state, COMMIT, true, 1, CATALOG_UNKNOWN, 2);
}

static void a_commit_that_never_arrives_is_unknown(void **state)
{
    cut_through_proxy(*state, COMMIT, false, 1, CATALOG_UNKNOWN, 0);
}

static void a_connection_lost_before_the_commit_is_tried_again(void **state)
{
    cut_through_proxy(*state, "UPDATE", true, 1, CATALOG_CUT, 2);
}

static void a_connection_lost_at_every_begin_is_busy(void **state)
{
    struct catalog_rig *rig = *state;
    struct proxy proxy = {.word = "FOR UPDATE", .deliver = false, .cuts = 99};
    open_two(rig);
    start_proxy(&proxy, rig);
    catalog_rig_assert_cut_fails(rig, ERR_BUSY, "");
    stop_proxy(&proxy, rig);
    assert_int_equal(99 - proxy.cuts, 6);
    catalog_rig_assert_moved(rig, false);
}

/* -- several threads --------------------------------------------------------------------------- */

struct worker {
    struct catalog *catalog;
    int number;
    bool ok;
};

enum { WORKERS = 4, CUTS_EACH = 25 };

static void *work(void *context)
{
    struct worker *worker = context;
    worker->ok = true;
    for (int i = 0; i < CUTS_EACH && worker->ok; i++) {
        char id[32], source[64], old_location[64], new_location[64];
        snprintf(id, sizeof id, "%d", worker->number * CUTS_EACH + i);
        snprintf(source, sizeof source, "hot/%s/", id);
        snprintf(old_location, sizeof old_location, "hot/%s/x", id);
        snprintf(new_location, sizeof new_location, "cold/%s/x", id);
        const struct catalog_row row = {id, old_location, new_location};
        const struct catalog_cut cut = {.source = source, .rows = &row, .count = 1};
        enum catalog_outcome outcome = CATALOG_UNKNOWN;
        struct err err;
        worker->ok = worker->catalog->ops->cut_over(worker->catalog, &cut, &outcome, &err) &&
                     outcome == CATALOG_CUT;
    }
    return NULL;
}

static void threads_share_a_catalog(void **state)
{
    struct catalog_rig *rig = *state;
    struct worker workers[WORKERS];
    pthread_t threads[WORKERS];
    catalog_rig_open(rig, CATALOG_RIG_POSTGRES, NULL);
    catalog_rig_sql(rig,
                    "INSERT INTO ecal (ecal_id, ecal_name) SELECT i, 'hot/' || i || '/x'"
                    " FROM generate_series(0, %d) i",
                    WORKERS * CUTS_EACH - 1);
    catalog_rig_connect(rig);
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){.catalog = rig->catalog, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(workers[i].ok);
    }
    assert_int_equal(connections(rig, "pid"), 1);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest cases[] = {
        CASE(a_row_that_is_locked_is_waited_for_and_then_busy),
        CASE(a_locking_look_waits_for_the_other_and_sees_what_it_did),
        CASE(a_trigger_that_swallows_an_update_stops_the_cut),
        CASE(a_cut_has_settings_of_its_own),
        CASE(a_row_in_the_way_of_the_new_location_is_a_conflict),
        CASE(a_commit_that_the_server_refuses_is_no_cut),
        CASE(whoever_writes_wants_a_server_that_takes_it),
        CASE(rows_are_not_locked_for_a_client_that_vanished),
        CASE(a_terminated_connection_is_made_anew),
        CASE(a_connection_lost_while_reading_is_no_end_of_the_rows),
        CASE(a_commit_whose_reply_is_lost_is_unknown),
        CASE(a_commit_that_never_arrives_is_unknown),
        CASE(a_connection_lost_before_the_commit_is_tried_again),
        CASE(a_connection_lost_at_every_begin_is_busy),
        CASE(threads_share_a_catalog),
    };
    if (!catalog_rig_is_there(CATALOG_RIG_POSTGRES))
        return 77;
    return cmocka_run_group_tests(cases, NULL, NULL);
}
