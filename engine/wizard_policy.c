#include "engine/wizard_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/str.h"
#include "policy/connection.h"
#include "state/place.h"

#define SOURCE "SOURCE_AZURE_CONNECTION_STRING"

static const char *const needed[] = {"DB_HOST",     "DB_NAME", "DB_USER",
                                     "DB_PASSWORD", SOURCE,    "COLD_STORAGE_CONNECTION_STRING"};

const char *wizard_policy_missing(struct arena *arena)
{
    const char *missing = "";
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        const char *value = getenv(needed[i]);
        if (value == NULL || value[0] == '\0')
            missing =
                str_format(arena, "%s%s%s", missing, missing[0] != '\0' ? ", " : "", needed[i]);
    }
    return missing;
}

bool wizard_policy_account(struct arena *arena, const char **meaning, struct err *err)
{
    struct secret text = {0};
    struct connection connection = {0};
    const char *value = getenv(SOURCE);
    secret_set(&text, value, strlen(value));
    bool done = connection_read(&text, arena, &connection, err) || err_wrap(err, SOURCE);
    if (done)
        *meaning = place_meaning(str_format(arena, "%s/", connection.endpoint), arena);
    connection_free(&connection);
    secret_clear(&text);
    return done;
}

bool wizard_policy_add(struct wizard_containers *containers, const char *name, bool *is_new,
                       struct err *err)
{
    *is_new = true;
    for (size_t i = 0; i < containers->count; i++)
        *is_new &= !str_equal(containers->names[i], name);
    if (!*is_new)
        return true;
    if (containers->count == WIZARD_POLICY_CONTAINERS)
        return ERR(err, ERR_INPUT, "the recordings lie in more than %d containers",
                   WIZARD_POLICY_CONTAINERS);
    containers->names[containers->count++] = name;
    return true;
}

static const char head[] =
    "# Written by `frostline wizard`, from the environment variables that it names.  It is good "
    "for\n"
    "# every other verb too; to change it, make it a frostline.yaml of your own.\n"
    "version: 1\n"
    "\n"
    "catalog:\n"
    "  type: postgres\n"
    "  connection:\n"
    "    host: ${DB_HOST}\n"
    "    port: ${DB_PORT:-5432}\n"
    "    dbname: ${DB_NAME}\n"
    "    user: ${DB_USER}\n"
    "    password: ${DB_PASSWORD}\n"
    "  table: ecal\n"
    "  id: ecal_id\n"
    "  location: ecal_name\n"
    "  time: {column: recording_start_time, timezone: UTC}\n"
    "  size: {column: size_gb, unit: GB}\n"
    "\n"
    "stores:\n"
    "  " WIZARD_POLICY_COLD ":\n"
    "    type: azure\n"
    "    connection_string: ${COLD_STORAGE_CONNECTION_STRING}\n"
    "    container: ${COLD_STORAGE_CONTAINER:-ecal-cold-storage}\n";

static const char tail[] = "\n"
                           "policies:\n"
                           "  - name: by-age\n"
                           "    description: To move by age instead of by hand, make this true.\n"
                           "    enabled: false\n"
                           "    target: " WIZARD_POLICY_COLD "\n"
                           "    select: {older_than: 90d}\n";

/* No two stores have one name. */
static void write_store(FILE *file, const char *container)
{
    bool is_taken = str_equal(container, WIZARD_POLICY_COLD);
    fprintf(file,
            "  %s%s:\n"
            "    type: azure\n"
            "    connection_string: ${" SOURCE "}\n"
            "    container: %s\n",
            is_taken ? "source-" : "", container, container);
}

bool wizard_policy_write(const char *path, const struct wizard_containers *containers,
                         struct err *err)
{
    struct file_new file;
    if (!file_new_open(&file, path, 0600, err))
        return false;
    fputs(head, file.stream);
    for (size_t i = 0; i < containers->count; i++)
        write_store(file.stream, containers->names[i]);
    fputs(tail, file.stream);
    bool done = file_new_commit(&file, err);
    file_new_abandon(&file);
    return done;
}
