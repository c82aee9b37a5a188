#include "engine/wizard_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/str.h"
#include "policy/connection.h"
#include "policy/policy.h"

#define SOURCE "SOURCE_AZURE_CONNECTION_STRING"
#define STORES "\nstores:\n"

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

bool wizard_policy_add(struct wizard_containers *containers, const char *name, struct arena *arena,
                       struct err *err)
{
    for (size_t i = 0; i < containers->count; i++)
        if (str_equal(containers->names[i], name))
            return true;
    if (containers->others + containers->count == PLACE_MAX)
        return ERR(err, ERR_INPUT,
                   "the recordings lie in more containers than a policy has stores");
    containers->names[containers->count++] = arena_copy(arena, name);
    return true;
}

/* No container has an underscore in its name. */
const char *wizard_policy_store(const char *container)
{
    return str_equal(container, WIZARD_POLICY_COLD) ? WIZARD_POLICY_COLD "_source" : container;
}

static const char first[] =
    "# Written by `frostline wizard`, from the environment variables that it names.  It is good "
    "for\n"
    "# every other verb too.  What you change in it stays; the wizard adds stores.\n"
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
    "  size: {column: size_gb, unit: GB}\n" STORES "  " WIZARD_POLICY_COLD ":\n"
    "    type: azure\n"
    "    connection_string: ${COLD_STORAGE_CONNECTION_STRING}\n"
    "    container: ${COLD_STORAGE_CONTAINER:-ecal-cold-storage}\n"
    "\n"
    "policies:\n"
    "  - name: by-age\n"
    "    description: To move by age instead of by hand, make this true.\n"
    "    enabled: false\n"
    "    target: " WIZARD_POLICY_COLD "\n"
    "    select: {older_than: 90d}\n";

bool wizard_policy_write(const char *path, struct err *err)
{
    struct file_new file;
    if (!file_new_open(&file, path, 0600, err))
        return false;
    fputs(first, file.stream);
    bool done = file_new_commit(&file, err);
    file_new_abandon(&file);
    return done;
}

/* Another wizard may have been quicker. */
static bool has_store(const char *text, const char *container, struct arena *arena)
{
    return strstr(text, str_format(arena, "\n  %s:\n", wizard_policy_store(container))) != NULL;
}

static void write_stores(FILE *file, const char *text, const struct wizard_containers *containers,
                         struct arena *arena)
{
    for (size_t i = 0; i < containers->count; i++)
        if (!has_store(text, containers->names[i], arena))
            fprintf(file,
                    "  %s:\n"
                    "    type: azure\n"
                    "    connection_string: ${" SOURCE "}\n"
                    "    container: %s\n",
                    wizard_policy_store(containers->names[i]), containers->names[i]);
}

bool wizard_policy_extend(const char *path, const struct wizard_containers *containers,
                          struct arena *arena, struct err *err)
{
    struct file_new file;
    char *text;
    size_t size;
    if (!file_read(path, POLICY_FILE_BYTES_MAX, arena, &text, &size, err))
        return false;
    const char *stores = strstr(text, STORES);
    if (stores == NULL)
        return ERR(err, ERR_INPUT, "%s has no line `stores:` to add the container %s behind", path,
                   containers->names[0]);
    if (!file_new_open(&file, path, 0600, err))
        return false;
    stores += strlen(STORES);
    fwrite(text, 1, (size_t)(stores - text), file.stream);
    write_stores(file.stream, text, containers, arena);
    fputs(stores, file.stream);
    bool done = file_new_commit(&file, err);
    file_new_abandon(&file);
    return done;
}
