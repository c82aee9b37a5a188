#include "tests/support/store_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/str.h"
#include "executor/local/local.h"
#include "tests/support/scratch.h"

#define RIG_BYTES_MAX ((size_t)256 << 20)

const char *store_rig_name(enum store_rig_kind kind)
{
    static const char *const names[] = {"memory", "local", "local without openat2", "azure"};
    return names[kind];
}

bool store_rig_is_local(const struct store_rig *rig)
{
    return rig->kind == STORE_RIG_LOCAL || rig->kind == STORE_RIG_PLAIN;
}

static const char *side_name(enum store_rig_side side)
{
    return side == SOURCE ? "source" : "target";
}

/* -- memory ------------------------------------------------------------------------------------ */

static void open_memory(struct store_rig *rig, enum store_rig_side side)
{
    rig->memories[side] = store_memory_make(side_name(side), &rig->clock.clock);
    rig->stores[side] = store_memory_store(rig->memories[side]);
    store_memory_set_page(rig->memories[side], 7);
}

static enum store_result no_container(void *context, enum store_memory_verb verb, const char *key,
                                      bool *apply)
{
    (void)context;
    (void)verb;
    (void)key;
    (void)apply;
    return RESULT_REFUSED;
}

/* -- local ------------------------------------------------------------------------------------- */

const char *store_rig_path(struct store_rig *rig, enum store_rig_side side, const char *key)
{
    return str_format(&rig->arena, "%s/%s/%s", rig->folder, side_name(side), key);
}

static void open_local(struct store_rig *rig, enum store_rig_side side)
{
    struct err err;
    rig->definitions[side] = (struct policy_store){
        .name = side_name(side), .type = STORE_LOCAL, .path = store_rig_path(rig, side, "")};
    assert_int_equal(mkdir(rig->definitions[side].path, 0755), 0);
    if (!local_store_open(&rig->definitions[side], &rig->stores[side], &err))
        fail_msg("%s", err.text);
    local_store_set_plain(rig->stores[side], rig->kind == STORE_RIG_PLAIN);
}

static void put_file(const char *path, const void *bytes, size_t size_bytes)
{
    struct err err;
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = '\0';
    if (!file_make_folder(folder, 0755, &err))
        fail_msg("%s", err.text);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size_bytes, file), size_bytes);
    assert_int_equal(fclose(file), 0);
}

/* -- azure ------------------------------------------------------------------------------------- */

/* Another account for each side; the target has a prefix. */
static void open_azure(struct store_rig *rig, enum store_rig_side side)
{
    struct azurite *azurite = &rig->azurite;
    rig->containers[side] =
        azurite_define(azurite, side == SOURCE ? AZURITE_SOURCE : AZURITE_COLD,
                       azurite_container_name(azurite), side == SOURCE ? "" : "below/here/");
    rig->stores[side] = azurite_store(azurite, rig->containers[side]);
    azurite_make_container(rig->stores[side]);
    azure_store_limit(rig->stores[side], &(struct azure_limits){.page = 7});
}

static void close_azure(struct store_rig *rig)
{
    for (int side = SOURCE; side < STORE_RIG_SIDES; side++) {
        if (!rig->is_gone[side])
            azurite_remove_container(rig->stores[side]);
        store_close(rig->stores[side]);
        azurite_forget(rig->containers[side]);
    }
    azurite_close(&rig->azurite);
}

/* -- any --------------------------------------------------------------------------------------- */

void store_rig_open(struct store_rig *rig, enum store_rig_kind kind)
{
    const char *temporary = getenv("TMPDIR"); /* another file system, say one with reflinks */
    *rig = (struct store_rig){.kind = kind};
    snprintf(rig->folder, sizeof rig->folder, "%s/frostline-store-XXXXXX",
             temporary ? temporary : "/tmp");
    arena_init(&rig->arena, RIG_BYTES_MAX);
    clock_fake_init(&rig->clock, 1234567890);
    if (store_rig_is_local(rig))
        assert_non_null(mkdtemp(rig->folder));
    if (kind == STORE_RIG_AZURE)
        azurite_open(&rig->azurite);
    for (int side = SOURCE; side < STORE_RIG_SIDES; side++) {
        if (kind == STORE_RIG_MEMORY)
            open_memory(rig, side);
        else if (kind == STORE_RIG_AZURE)
            open_azure(rig, side);
        else
            open_local(rig, side);
    }
}

void store_rig_close(struct store_rig *rig)
{
    if (rig->kind == STORE_RIG_AZURE) {
        close_azure(rig);
    } else {
        store_close(rig->stores[SOURCE]);
        store_close(rig->stores[TARGET]);
    }
    if (store_rig_is_local(rig))
        scratch_remove(rig->folder);
    arena_free(&rig->arena);
}

void store_rig_put(struct store_rig *rig, enum store_rig_side side, const char *key,
                   const void *bytes, size_t size_bytes)
{
    if (rig->kind == STORE_RIG_MEMORY)
        store_memory_put(rig->memories[side], key, bytes, size_bytes);
    else if (rig->kind == STORE_RIG_AZURE)
        azurite_put(rig->stores[side], key, bytes, size_bytes, NULL, 0);
    else
        put_file(store_rig_path(rig, side, key), bytes, size_bytes);
}

void store_rig_remove(struct store_rig *rig, enum store_rig_side side, const char *key)
{
    if (rig->kind == STORE_RIG_MEMORY)
        store_memory_remove(rig->memories[side], key);
    else if (rig->kind == STORE_RIG_AZURE)
        azurite_remove(rig->stores[side], key);
    else
        assert_int_equal(unlink(store_rig_path(rig, side, key)), 0);
}

static const char *read_file(struct store_rig *rig, const char *path, size_t *size_bytes)
{
    char *bytes;
    struct err err;
    return file_read(path, RIG_BYTES_MAX, &rig->arena, &bytes, size_bytes, &err) ? bytes : NULL;
}

const char *store_rig_get(struct store_rig *rig, enum store_rig_side side, const char *key,
                          size_t *size_bytes)
{
    if (rig->kind == STORE_RIG_AZURE)
        return azurite_get(rig->stores[side], key, &rig->arena, size_bytes, NULL);
    if (store_rig_is_local(rig))
        return read_file(rig, store_rig_path(rig, side, key), size_bytes);
    const char *found = store_memory_get(rig->memories[side], key, size_bytes, NULL);
    return found ? str_copy(&rig->arena, found, *size_bytes) : NULL;
}

void store_rig_remove_all(struct store_rig *rig, enum store_rig_side side)
{
    rig->is_gone[side] = true;
    if (rig->kind == STORE_RIG_MEMORY)
        store_memory_set_fault(rig->memories[side], no_container, NULL);
    else if (rig->kind == STORE_RIG_AZURE)
        azurite_remove_container(rig->stores[side]);
    else
        scratch_remove(rig->definitions[side].path);
}

size_t store_rig_list(struct store_rig *rig, enum store_rig_side side, const char *prefix,
                      const struct object **objects)
{
    struct store *store = rig->stores[side];
    struct listing page = {.prefix = prefix};
    struct object *all = NULL;
    size_t count = 0;
    do {
        store->ops->list(store, &page, 1, &rig->arena);
        if (page.err.kind != ERR_NONE)
            fail_msg("%s", page.err.text);
        struct object *more = arena_make(&rig->arena, (count + page.count) * sizeof *more + 1);
        memcpy(more, all ? all : more, count * sizeof *more);
        memcpy(more + count, page.objects, page.count * sizeof *more);
        count += page.count;
        all = more;
    } while (page.marker);
    qsort(all, count, sizeof *all, object_compare);
    *objects = all;
    return count;
}

const char *store_rig_etag(struct store_rig *rig, enum store_rig_side side, const char *key)
{
    const struct object *objects;
    size_t count = store_rig_list(rig, side, key, &objects);
    assert_true(count > 0);
    assert_string_equal(objects[0].key, key);
    return objects[0].etag;
}
