/* The demo: local folders as stores and a SQLite catalog, filled with recordings of two years, and
 * then the command lines that a user would type. */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/when.h"
#include "engine/cli.h"
#include "engine/cmd.h"
#include "engine/exit.h"
#include "engine/text.h"
#include "engine/wiring.h"
#include "policy/schema.h"
#include "policy/schema_json.h"
#include "state/location.h"
#include "state/seed.h"

#define RECORDINGS 60
#define DAYS_APART 12
#define FILES 3
#define FILE_BYTES_MAX 24000
#define ARENA_BYTES_MAX ((size_t)64 << 20)
#define EXAMPLES 6
#define SCHEMA_FILE "policy.schema.json"
#define SCHEMA_BYTES_MAX ((size_t)1 << 20)

struct demo {
    struct arena arena;
    const char *folder;
    const char *executable;
    int64_t now_us;
    struct rand rand;
    struct catalog_config config;
    struct record records[RECORDINGS];
    size_t count;
    bool quiet;
};

static const struct catalog_field fields[] = {{"map", "map"}, {"valid", "is_valid"}};
static const enum value_kind kinds[] = {VALUE_TEXT, VALUE_BOOLEAN};
static const char *const maps[] = {"city", "motorway", "proving-ground"};

/* -- the sandbox
 * ----------------------------------------------------------------------------------- */

static bool write_file(const char *path, const void *bytes, size_t size_bytes, struct err *err)
{
    FILE *file = fopen(path, "we");
    if (file == NULL)
        return file_error(err, errno, "writing %s", path);
    bool written = fwrite(bytes, 1, size_bytes, file) == size_bytes;
    if (fclose(file) == 0 && written)
        return true;
    return file_error(err, errno, "writing %s", path);
}

static bool write_objects(struct demo *demo, const char *folder, const char *name, uint64_t *bytes,
                          struct err *err)
{
    static const char *const siblings[FILES] = {NULL, "camera.h264", "can.asc"};
    char content[FILE_BYTES_MAX];
    if (!file_make_folder(folder, 0700, err))
        return false;
    for (size_t i = 0; i < FILES; i++) {
        const char *file = siblings[i] != NULL ? siblings[i] : name;
        size_t size = 1000 + rand_below(&demo->rand, FILE_BYTES_MAX - 1000);
        memset(content, (int)('a' + rand_below(&demo->rand, 26)), size);
        if (!write_file(str_format(&demo->arena, "%s/%s", folder, file), content, size, err))
            return false;
        *bytes += size;
    }
    return true;
}

static bool add_recording(struct demo *demo, struct when_civil at, const char *directory,
                          struct err *err)
{
    struct record *record = &demo->records[demo->count];
    struct value *values = arena_make(&demo->arena, 2 * sizeof(*values));
    const char *map = maps[demo->count % 3];
    const char *stamp = str_format(&demo->arena, "%04d%02d%02d-%02zu", at.date.year, at.date.month,
                                   at.date.day, demo->count);
    const char *name = str_format(&demo->arena, "%s.ecalmeas", stamp);
    const char *folder = str_format(&demo->arena, "%s/hot/%s", demo->folder, directory);

    values[0] = (struct value){.kind = VALUE_TEXT,
                               .text = {.bytes = map, .size_bytes = (uint32_t)strlen(map)}};
    values[1] = (struct value){.kind = VALUE_BOOLEAN, .boolean = demo->count % 17 != 0};
    *record = (struct record){.id = str_format(&demo->arena, "ECAL_%s", stamp),
                              .location = str_format(&demo->arena, "file://%s/%s", folder, name),
                              .time_us = when_instant(at),
                              .has_time = true,
                              .has_bytes = true,
                              .fields = values,
                              .field_count = 2};
    demo->count++;
    return write_objects(demo, folder, name, &record->bytes, err);
}

/* A recording every twelfth day; the last two share a directory, as happens. */
static bool fill(struct demo *demo, struct err *err)
{
    const char *directory = NULL;
    for (size_t i = 0; i < RECORDINGS; i++) {
        int64_t ago_us = (int64_t)(DAYS_APART * i + 1) * WHEN_DAY_US;
        struct when_civil at = when_civil_of(demo->now_us - ago_us);
        if (i + 1 < RECORDINGS)
            directory = str_format(&demo->arena, "recording/%04d-%02d-%02d/run_%zu", at.date.year,
                                   at.date.month, at.date.day, i % 4 + 1);
        if (!add_recording(demo, at, directory, err))
            return false;
    }
    return seed_sqlite(&demo->config, kinds, demo->records, demo->count, err);
}

static const char policy_text[] =
    "# yaml-language-server: $schema=" SCHEMA_FILE "\n"
    "# What should be where, in the sandbox of `frostline demo`.\n"
    "version: 1\n"
    "\n"
    "catalog:\n"
    "  type: sqlite\n"
    "  path: %1$s/catalog.db\n"
    "  table: ecal\n"
    "  id: ecal_id\n"
    "  location: ecal_name\n"
    "  time: {column: recording_start_time, timezone: UTC}\n"
    "  size: {column: size_bytes, unit: B}\n"
    "  fields:\n"
    "    map: map\n"
    "    valid: is_valid\n"
    "\n"
    "stores:\n"
    "  hot: {type: local, path: %1$s/hot}\n"
    "  cold: {type: local, path: %1$s/cold}\n"
    "\n"
    "holds:\n"
    "  - name: accident-inquiry\n"
    "    reason: ask legal before these move\n"
    "    select: {ids: [%2$s, %3$s]}\n"
    "\n"
    "policies:\n"
    "  - name: age-out\n"
    "    description: Valid recordings older than 90 days go cold.\n"
    "    from: hot\n"
    "    target: cold\n"
    "    select: {older_than: 90d, valid: true}\n"
    "\n"
    "  - name: proving-ground-early\n"
    "    description: Drives on the proving ground are seldom looked at again.\n"
    "    from: hot\n"
    "    target: cold\n"
    "    priority: 100\n"
    "    select: {older_than: 14d, map: proving-ground}\n";

/* By it an editor completes and checks the policy. */
static bool write_schema(struct demo *demo, struct err *err)
{
    struct buf text;
    buf_init(&text, SCHEMA_BYTES_MAX);
    schema_json_write(&schema_root, &text);
    bool written = write_file(file_join(&demo->arena, demo->folder, SCHEMA_FILE), buf_string(&text),
                              text.size, err);
    buf_free(&text);
    return written;
}

static bool make_sandbox(struct demo *demo, struct err *err)
{
    const char *cold = file_join(&demo->arena, demo->folder, "cold");
    if (!file_make_folder(cold, 0700, err) || !fill(demo, err) || !write_schema(demo, err))
        return false;
    const char *policy = str_format(&demo->arena, policy_text, demo->folder, demo->records[20].id,
                                    demo->records[33].id);
    return write_file(file_join(&demo->arena, demo->folder, "frostline.yaml"), policy,
                      strlen(policy), err);
}

/* -- what a user would type
 * ------------------------------------------------------------------------ */

static int type(const struct demo *demo, const char *const *words)
{
    char *argv[16] = {(char *)demo->executable};
    int argc = 1;
    for (; words[argc - 1] != NULL; argc++)
        argv[argc] = (char *)words[argc - 1];
    if (demo->quiet)
        argv[argc++] = (char *)"-q";
    else {
        fputs("\n$ frostline", stdout);
        for (int i = 1; i < argc; i++)
            printf(" %s", argv[i]);
        puts("");
        fflush(stdout);
    }
    return cli_run(argc, argv);
}

struct place_count {
    uint64_t recordings[2], bytes[2];
    const char *examples[EXAMPLES];
    size_t example_count;
};

static void count_row(struct demo *demo, const struct record *record, struct place_count *count)
{
    bool cold = strstr(record->location, "/cold/recording/") != NULL;
    count->recordings[cold]++;
    count->bytes[cold] += record->bytes;
    if (cold && count->example_count < EXAMPLES && count->recordings[1] % 7 == 1)
        count->examples[count->example_count++] =
            str_format(&demo->arena, "%s  %s", record->id, record->location);
}

static bool count_rows(struct demo *demo, struct place_count *count, struct err *err)
{
    struct catalog *catalog;
    struct catalog_shape shape;
    struct catalog_cursor *cursor;
    const struct record *record;
    if (!catalog_open(&demo->config, clock_real(), &catalog, err))
        return false;
    bool done = catalog->ops->describe(catalog, &demo->arena, &shape, err) &&
                catalog->ops->snapshot(catalog, err) &&
                catalog->ops->cursor_open(catalog, &cursor, err);
    while (done && (done = catalog->ops->cursor_next(cursor, &record, err)) && record != NULL)
        count_row(demo, record, count);
    if (done) {
        catalog->ops->cursor_close(cursor);
        catalog->ops->snapshot_end(catalog);
    }
    catalog_close(catalog);
    return done;
}

/* Where everything is now, as the catalog has it. */
static bool show_places(struct demo *demo, struct err *err)
{
    struct place_count count = {0};
    if (!count_rows(demo, &count, err))
        return false;
    puts("\nWhere everything is now, as the catalog has it:");
    printf("  hot   %2s recordings  %10s\n", text_count(count.recordings[0]),
           text_size(count.bytes[0]));
    printf("  cold  %2s recordings  %10s, for example\n", text_count(count.recordings[1]),
           text_size(count.bytes[1]));
    for (size_t i = 0; i < count.example_count; i++)
        printf("    %s\n", count.examples[i]);
    return true;
}

static int walk_through(struct demo *demo, struct err *err)
{
    static const char *const validate[] = {"validate", NULL};
    static const char *const plan[] = {"plan", "--out", "first.plan", "--state", "state", NULL};
    static const char *const show[] = {"show", "first.plan", NULL};
    static const char *const apply[] = {"apply",   "first.plan", "--auto-approve",
                                        "--state", "state",      NULL};
    static const char *const again[] = {"plan", "--state", "state", NULL};
    const char *const *const lines[] = {validate, plan, show, apply};

    unlink("first.plan");
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (demo->quiet && lines[i] == show)
            continue;
        int code = type(demo, lines[i]);
        if (code != EXIT_OK)
            return code;
    }
    if (!demo->quiet && !show_places(demo, err))
        return exit_with(err);
    return type(demo, again);
}

static void tell_next(const struct demo *demo, bool kept)
{
    puts("\nNext");
    if (kept)
        printf("  cd %s && ${EDITOR:-vi} frostline.yaml   # make it 30 days\n"
               "  frostline plan --state state\n"
               "  frostline apply --state state\n"
               "  frostline status --state state\n",
               demo->folder);
    else
        puts("  frostline demo --keep my-sandbox    # the same, left for you to play with\n"
             "  frostline help                      # what else there is");
}

/* -- the verb
 * -------------------------------------------------------------------------------------- */

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

static bool find_folder(struct demo *demo, const char *keep, struct err *err)
{
    if (keep != NULL)
        return file_make_folder(keep, 0700, err) &&
               file_real_path(keep, &demo->arena, &demo->folder, err);
    return file_make_temporary(getenv("TMPDIR"), "frostline-demo", &demo->arena, &demo->folder,
                               err) &&
           file_real_path(demo->folder, &demo->arena, &demo->folder, err);
}

static bool prepare(struct demo *demo, const char *keep, struct err *err)
{
    if (!find_folder(demo, keep, err))
        return false;
    demo->config =
        (struct catalog_config){.type = CATALOG_SQLITE,
                                .path = file_join(&demo->arena, demo->folder, "catalog.db"),
                                .table = "ecal",
                                .id = "ecal_id",
                                .location = "ecal_name",
                                .time = "recording_start_time",
                                .size = "size_bytes",
                                .size_unit = 1,
                                .fields = fields,
                                .field_count = 2};
    if (chdir(demo->folder) != 0)
        return file_error(err, errno, "entering %s", demo->folder);
    return access("frostline.yaml", F_OK) == 0 || make_sandbox(demo, err);
}

int cmd_demo(const struct options *options)
{
    struct demo *demo = calloc(1, sizeof(*demo));
    struct clock *clock = clock_real();
    struct err err;
    if (demo == NULL)
        abort();
    arena_init(&demo->arena, ARENA_BYTES_MAX);
    rand_init(&demo->rand, 1);
    demo->executable = "frostline";
    demo->quiet = options->quiet;
    demo->now_us = clock->ops->now_us(clock);

    int code;
    if (prepare(demo, options->keep, &err)) {
        if (!demo->quiet)
            printf("A sandbox in %s: %d recordings of two years, a hot and a cold folder.\n",
                   demo->folder, RECORDINGS);
        code = walk_through(demo, &err);
        if (code == EXIT_OK && !demo->quiet)
            tell_next(demo, options->keep != NULL);
    } else
        code = exit_with(&err);
    if (options->keep == NULL && demo->folder != NULL && chdir("/") == 0)
        nftw(demo->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(&demo->arena);
    free(demo);
    return code;
}
