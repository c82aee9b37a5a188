#include "state/catalog.h"

#include <assert.h>

#include "base/str.h"
#include "state/catalog_pg.h"
#include "state/catalog_retry.h"
#include "state/catalog_sqlite.h"

const char *catalog_name(const struct catalog_config *config, size_t part)
{
    switch (part) {
    case CATALOG_TABLE:
        return config->table;
    case CATALOG_ID:
        return config->id;
    case CATALOG_LOCATION:
        return config->location;
    case CATALOG_TIME:
        return config->time;
    case CATALOG_SIZE:
        return config->size;
    default:
        break;
    }
    size_t references = catalog_reference_part(config, 0), sets = catalog_set_part(config, 0);
    if (part < references)
        return config->fields[part - CATALOG_FIELD].column;
    if (part >= sets)
        return config->sets[part - sets].column;
    const struct catalog_reference *reference = &config->references[(part - references) / 2];
    return (part - references) % 2 == 0 ? reference->table : reference->column;
}

size_t catalog_reference_part(const struct catalog_config *config, size_t reference)
{
    return CATALOG_FIELD + config->field_count + 2 * reference;
}

size_t catalog_set_part(const struct catalog_config *config, size_t set)
{
    return catalog_reference_part(config, config->reference_count) + set;
}

size_t catalog_table_part(const struct catalog_config *config, size_t part)
{
    size_t references = catalog_reference_part(config, 0);
    if (part < references || part >= catalog_set_part(config, 0))
        return CATALOG_TABLE;
    return part - (part - references) % 2;
}

size_t catalog_set_index(const struct catalog_config *config, const char *column)
{
    size_t index = 0;
    while (index < config->set_count && !str_equal(config->sets[index].column, column))
        index++;
    assert(index < config->set_count);
    return index;
}

bool catalog_open(const struct catalog_config *config, struct clock *clock,
                  struct catalog **catalog, struct err *err)
{
    static catalog_opener *const openers[] = {
        [CATALOG_POSTGRES] = catalog_pg_open,
        [CATALOG_SQLITE] = catalog_sqlite_open,
    };
    return catalog_retry_open(openers[config->type], config, clock, catalog, err);
}

/* SQLite can't give a key to a table that is there. */
const char *catalog_key_statement(const struct catalog_config *config, struct arena *arena)
{
    if (config->type == CATALOG_SQLITE)
        return str_format(arena, "make the table anew, with %s TEXT PRIMARY KEY NOT NULL",
                          config->id);
    return str_format(arena, "ALTER TABLE %s ADD PRIMARY KEY (%s)", config->table, config->id);
}

const char *catalog_libraries(struct arena *arena)
{
    int version = PQlibVersion();
    return str_format(arena, "SQLite %s, libpq %d.%d", sqlite3_libversion(), version / 10000,
                      version % 10000);
}

void catalog_close(struct catalog *catalog)
{
    if (catalog != NULL)
        catalog->ops->close(catalog);
}
