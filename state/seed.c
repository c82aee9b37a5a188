#include "state/seed.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/when.h"

#define STATEMENT_BYTES_MAX 65536

static const char *column_type(enum value_kind kind)
{
    switch (kind) {
    case VALUE_INTEGER:
        return "INTEGER";
    case VALUE_DECIMAL:
        return "DECIMAL";
    case VALUE_BOOLEAN:
        return "BOOLEAN";
    case VALUE_INSTANT:
        return "TIMESTAMP";
    case VALUE_DATE:
        return "DATE";
    default:
        return "TEXT";
    }
}

static void add_column(struct buf *sql, const char *name, const char *type)
{
    char *column = sqlite3_mprintf(", \"%w\" %s", name, type);
    buf_text(sql, column);
    sqlite3_free(column);
}

static void make_table(struct buf *sql, const struct catalog_config *config,
                       const enum value_kind *kinds)
{
    char *head = sqlite3_mprintf("BEGIN; CREATE TABLE \"%w\" (\"%w\" TEXT NOT NULL PRIMARY KEY",
                                 config->table, config->id);
    buf_text(sql, head);
    sqlite3_free(head);
    add_column(sql, config->location, "TEXT");
    if (config->time != NULL)
        add_column(sql, config->time, "TIMESTAMP");
    if (config->size != NULL)
        add_column(sql, config->size, "INTEGER");
    for (size_t i = 0; i < config->field_count; i++)
        add_column(sql, config->fields[i].column, column_type(kinds[i]));
    char *index = sqlite3_mprintf("); CREATE INDEX \"%w_location\" ON \"%w\" (\"%w\");",
                                  config->table, config->table, config->location);
    buf_text(sql, index);
    sqlite3_free(index);
}

static void bind_instant(sqlite3_stmt *insert, int at, bool known, int64_t instant_us)
{
    char text[WHEN_TEXT_MAX];
    when_instant_people(instant_us, text);
    if (known)
        sqlite3_bind_text(insert, at, text, -1, SQLITE_TRANSIENT);
}

static void bind_value(sqlite3_stmt *insert, int at, const struct value *value)
{
    switch (value->kind) {
    case VALUE_TEXT:
        sqlite3_bind_text(insert, at, value->text.bytes, (int)value->text.size_bytes,
                          SQLITE_TRANSIENT);
        return;
    case VALUE_INTEGER:
        sqlite3_bind_int64(insert, at, value->integer);
        return;
    case VALUE_BOOLEAN:
        sqlite3_bind_int(insert, at, value->boolean);
        return;
    case VALUE_INSTANT:
    case VALUE_DATE:
        bind_instant(insert, at, true, value->instant_us);
        return;
    default:
        return; /* stays NULL */
    }
}

static bool insert_record(sqlite3_stmt *insert, const struct catalog_config *config,
                          const struct record *record)
{
    int at = 1;
    sqlite3_reset(insert);
    sqlite3_clear_bindings(insert);
    sqlite3_bind_text(insert, at++, record->id, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(insert, at++, record->location, -1, SQLITE_TRANSIENT);
    if (config->time != NULL)
        bind_instant(insert, at++, record->has_time, record->time_us);
    if (config->size != NULL && record->has_bytes)
        sqlite3_bind_int64(insert, at, (sqlite3_int64)(record->bytes / config->size_unit));
    at += config->size != NULL;
    for (size_t i = 0; i < config->field_count; i++)
        bind_value(insert, at++, &record->fields[i]);
    return sqlite3_step(insert) == SQLITE_DONE;
}

static void insert_statement(struct buf *sql, const struct catalog_config *config)
{
    size_t columns = 2 + (config->time != NULL) + (config->size != NULL) + config->field_count;
    char *head = sqlite3_mprintf("INSERT INTO \"%w\" VALUES (?", config->table);
    buf_reset(sql);
    buf_text(sql, head);
    sqlite3_free(head);
    for (size_t i = 1; i < columns; i++)
        buf_text(sql, ", ?");
    buf_char(sql, ')');
}

static bool fill(sqlite3 *database, const struct catalog_config *config,
                 const enum value_kind *kinds, const struct record *records, size_t count)
{
    sqlite3_stmt *insert = NULL;
    struct buf sql;
    buf_init(&sql, STATEMENT_BYTES_MAX);
    make_table(&sql, config, kinds);
    bool done = sqlite3_exec(database, buf_string(&sql), NULL, NULL, NULL) == SQLITE_OK;
    insert_statement(&sql, config);
    done = done && sqlite3_prepare_v2(database, buf_string(&sql), -1, &insert, NULL) == SQLITE_OK;
    for (size_t i = 0; done && i < count; i++)
        done = insert_record(insert, config, &records[i]);
    sqlite3_finalize(insert);
    buf_free(&sql);
    return done && sqlite3_exec(database, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
}

bool seed_sqlite(const struct catalog_config *config, const enum value_kind *field_kinds,
                 const struct record *records, size_t count, struct err *err)
{
    sqlite3 *database = NULL;
    if (access(config->path, F_OK) == 0)
        return ERR(err, ERR_CONFLICT, "%s exists already", config->path);
    bool done = sqlite3_open_v2(config->path, &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                NULL) == SQLITE_OK &&
                fill(database, config, field_kinds, records, count);
    if (!done)
        ERR(err, ERR_INPUT, "making %s: %s", config->path, sqlite3_errmsg(database));
    sqlite3_close(database);
    return done;
}
