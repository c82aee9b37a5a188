#include "state/catalog_pg_connect.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/str.h"
#include "state/catalog_pg_link.h"

#define OUR_KEYWORDS 9
#define LIBPQ_KEYWORDS_MAX 128

struct keywords {
    const char *names[CATALOG_PG_KEYWORDS_MAX + OUR_KEYWORDS + 1];
    const char *values[CATALOG_PG_KEYWORDS_MAX + OUR_KEYWORDS + 1];
    size_t count;
};

static void add_keyword(struct keywords *keywords, const char *name, const char *value)
{
    keywords->names[keywords->count] = name;
    keywords->values[keywords->count++] = value;
}

/* -- what is asked for ------------------------------------------------------------------------ */

static bool check_name(const char *name, struct err *err)
{
    const char *known[LIBPQ_KEYWORDS_MAX] = {"url"};
    size_t count = 1;
    bool found = str_equal(name, "url");
    PQconninfoOption *options = PQconndefaults();
    for (PQconninfoOption *option = options; option != NULL && option->keyword != NULL; option++) {
        found = found || str_equal(option->keyword, name);
        if (count < LIBPQ_KEYWORDS_MAX - 1)
            known[count++] = option->keyword;
    }
    if (!found) {
        const char *nearest = str_nearest(name, known);
        ERR(err, ERR_INPUT, "`%s` is no connection keyword of libpq", name);
        if (nearest != NULL)
            snprintf(err->hint, sizeof err->hint, "did you mean `%s`?", nearest);
    }
    PQconninfoFree(options);
    return found;
}

/* As libpq recognizes them where the name of a database may stand. */
static bool is_url(const char *text)
{
    return str_starts(text, "postgresql://") || str_starts(text, "postgres://");
}

/* Behind the user and the password, an @ belongs to a password that holds one, or a slash: libpq
 * would take the rest of it for a host, a port or a database, and its messages would name that. */
static bool has_stray_sign(const char *url)
{
    const char *at = strstr(url, "://") + strlen("://");
    const char *user_end = at + strcspn(at, "@/");
    at = *user_end == '@' ? user_end + 1 : at;
    return memchr(at, '@', strcspn(at, "?")) != NULL;
}

/* libpq's own message would quote what it can't read, and a password in it. */
static bool check_connection(const char *text, struct err *err)
{
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(text, &message);
    bool ok = options != NULL && !(is_url(text) && has_stray_sign(text));
    PQconninfoFree(options);
    PQfreemem(message);
    if (ok)
        return true;
    ERR(err, ERR_INPUT, "the connection URL of the catalog can't be read");
    snprintf(err->hint, sizeof err->hint,
             "in a user, a password and a name, @ is written %%40, / %%2F, %% %%25 and : %%3A");
    return false;
}

static bool add_config(struct keywords *keywords, const struct catalog_config *config,
                       struct err *err)
{
    if (config->connection_count > CATALOG_PG_KEYWORDS_MAX)
        return ERR(err, ERR_INPUT, "more than %d connection keywords", CATALOG_PG_KEYWORDS_MAX);
    for (size_t i = 0; i < config->connection_count; i++) {
        const char *name = config->connection[i].name;
        const char *value = secret_reveal(config->connection[i].value);
        if (!check_name(name, err))
            return false;
        if (str_equal(name, "url"))
            name = "dbname"; /* which libpq takes apart, if it is a URL or has an = */
        bool has_parts = str_equal(name, "dbname") && (is_url(value) || strchr(value, '=') != NULL);
        if (has_parts && !check_connection(value, err))
            return false;
        add_keyword(keywords, name, value);
    }
    return true;
}

/* A keyword that comes later goes over an earlier one. */
static bool fill_keywords(struct keywords *keywords, const struct catalog_config *config,
                          struct err *err)
{
    keywords->count = 0;
    add_keyword(keywords, "connect_timeout", ERR_STR(CATALOG_CONNECT_S));
    add_keyword(keywords, "keepalives_idle", "30");
    add_keyword(keywords, "keepalives_interval", "10");
    add_keyword(keywords, "keepalives_count", "3");
    add_keyword(keywords, "tcp_user_timeout", "30000");
    add_keyword(keywords, "application_name", "frostline");
    if (!add_config(keywords, config, err))
        return false;
    add_keyword(keywords, "client_encoding", "UTF8");
    /* Neither a standby, which may be behind, nor one with default_transaction_read_only. */
    if (config->writes)
        add_keyword(keywords, "target_session_attrs", "read-write");
    add_keyword(keywords, NULL, NULL);
    return true;
}

/* -- why it failed ---------------------------------------------------------------------------- */

/* The last line of libpq's report that says something: one is added for each address tried. */
static void find_reason(const char *report, char *line, size_t line_bytes)
{
    line[0] = '\0';
    while (*report != '\0') {
        size_t size = strcspn(report, "\n");
        if (size > 0 && report[0] != '\t' && !str_starts(report, "LOCATION:") &&
            !str_starts(report, "DETAIL:") && !str_starts(report, "HINT:"))
            snprintf(line, line_bytes, "%.*s", (int)size, report);
        report += size + (report[size] == '\n');
    }
}

/* With verbose errors a server's refusal reads "FATAL:  28P01: password authentication failed". */
static const char *find_sqlstate(const char *line, char code[6])
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    code[0] = '\0';
    const char *mark = strstr(line, ":  ");
    if (mark == NULL || strspn(mark + 3, digits) != 5 || mark[8] != ':' || mark[9] != ' ')
        return line;
    memcpy(code, mark + 3, 5);
    code[5] = '\0';
    return mark + 10;
}

static bool fail_connect(const PGconn *conn, bool in_time, struct err *err)
{
    char line[sizeof err->text], code[6];
    if (!in_time)
        return ERR(err, ERR_BUSY, "connecting to the catalog: no answer in time");
    find_reason(PQerrorMessage(conn), line, sizeof line);
    const char *reason = find_sqlstate(line, code);
    enum err_kind kind = code[0] != '\0' ? catalog_pg_link_kind(code) : ERR_BUSY;
    if (PQconnectionNeedsPassword(conn))
        kind = ERR_DENIED;
    ERR(err, kind, "connecting to the catalog: %s", reason);
    memcpy(err->code, code, sizeof code);
    if (str_ends(reason, "session is read-only")) /* of a standby too */
        snprintf(err->hint, sizeof err->hint,
                 "connect to the primary, with a role that may write to it");
    return false;
}

/* -- connecting ------------------------------------------------------------------------------- */

static void log_notice(void *context, const PGresult *result)
{
    (void)context;
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    LOG(LOG_DEBUG, "catalog-notice", LOG_TEXT("message", message != NULL ? message : ""),
        LOG_TEXT("code", code != NULL ? code : ""));
}

/* connect_timeout counts for each host; in this way of connecting it is ours to keep. */
static int64_t allowed_us(PGconn *conn)
{
    int64_t seconds = CATALOG_CONNECT_S, hosts = 1;
    PQconninfoOption *options = PQconninfo(conn);
    for (PQconninfoOption *option = options; option != NULL && option->keyword != NULL; option++) {
        if (option->val == NULL)
            continue;
        if (str_equal(option->keyword, "connect_timeout"))
            seconds = strtol(option->val, NULL, 10);
        if (str_equal(option->keyword, "host"))
            for (const char *at = option->val; (at = strchr(at, ',')) != NULL; at++)
                hosts++;
    }
    PQconninfoFree(options);
    return (seconds > 0 ? seconds : CATALOG_CONNECT_S) * hosts * INT64_C(1000000);
}

/* False when the time is up; else the connection is made, or has failed. */
static bool await(PGconn *conn)
{
    struct clock *clock = clock_real(); /* the network knows no other */
    int64_t end_us = clock->ops->monotonic_us(clock) + allowed_us(conn);
    PostgresPollingStatusType want = PGRES_POLLING_WRITING;
    while (want == PGRES_POLLING_WRITING || want == PGRES_POLLING_READING) {
        struct pollfd fd = {.fd = PQsocket(conn),
                            .events = want == PGRES_POLLING_READING ? POLLIN : POLLOUT};
        int64_t left_ms = (end_us - clock->ops->monotonic_us(clock)) / 1000;
        if (left_ms <= 0)
            return false;
        int ready = poll(&fd, 1, (int)left_ms);
        if (ready > 0)
            want = PQconnectPoll(conn);
        else if (ready < 0 && errno != EINTR)
            return false;
    }
    return true;
}

static bool check_server(PGconn *conn, struct err *err)
{
    const char *encoding = PQparameterStatus(conn, "server_encoding");
    if (PQserverVersion(conn) < CATALOG_PG_VERSION_MIN)
        return ERR(err, ERR_INPUT, "the catalog's server is older than PostgreSQL %d",
                   CATALOG_PG_VERSION_MIN / 10000);
    if (!str_equal(encoding, "UTF8"))
        return ERR(err, ERR_INPUT, "the catalog's database is in %s, not in UTF8",
                   encoding != NULL ? encoding : "an unknown encoding");
    return true;
}

bool catalog_pg_connect(const struct catalog_config *config, PGconn **conn, struct err *err)
{
    struct keywords keywords;
    if (!fill_keywords(&keywords, config, err))
        return false;
    PGconn *made = PQconnectStartParams(keywords.names, keywords.values, 1);
    if (made == NULL)
        err_abort("out of memory");
    /* Only verbose errors tell the SQLSTATE of a refusal, and only here is the time to ask. */
    PQsetErrorVerbosity(made, PQERRORS_VERBOSE);
    PQsetNoticeReceiver(made, log_notice, NULL);

    bool in_time = PQstatus(made) == CONNECTION_BAD || await(made);
    bool ok = in_time && PQstatus(made) == CONNECTION_OK ? check_server(made, err)
                                                         : fail_connect(made, in_time, err);
    if (!ok) {
        PQfinish(made);
        return false;
    }
    *conn = made;
    return true;
}
