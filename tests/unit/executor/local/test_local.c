/* What only a local folder can do wrong: links, names, full disks, strange files, leftovers.  The
 * store's contract is tested in tests/contract/test_store.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "executor/local/local.h"
#include "tests/support/store_rig.h"

#define ITEMS(array) (sizeof(array) / sizeof((array)[0]))
#define NOBODY 65534

static enum store_rig_kind kind; /* with openat2, or without */

static int set_up(void **state)
{
    struct store_rig *rig = malloc(sizeof *rig);
    assert_non_null(rig);
    store_rig_open(rig, kind);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    store_rig_close(*state);
    free(*state);
    return 0;
}

/* -- helpers ----------------------------------------------------------------------------------- */

static void put(struct store_rig *rig, enum store_rig_side side, const char *key, const char *text)
{
    store_rig_put(rig, side, key, text, strlen(text));
}

static bool is_there(struct store_rig *rig, enum store_rig_side side, const char *key)
{
    struct stat status;
    return lstat(store_rig_path(rig, side, key), &status) == 0;
}

/* "key " or "key! " if it is irregular. */
static const char *keys_of(struct store_rig *rig, enum store_rig_side side, const char *prefix)
{
    const struct object *objects;
    const char *keys = "";
    size_t count = store_rig_list(rig, side, prefix, &objects);
    for (size_t i = 0; i < count; i++)
        keys = str_format(&rig->arena, "%s%s%s ", keys, objects[i].key,
                          objects[i].irregular ? "!" : "");
    return keys;
}

static struct err list_error(struct store_rig *rig, const char *prefix)
{
    struct listing page = {.prefix = prefix};
    rig->stores[SOURCE]->ops->list(rig->stores[SOURCE], &page, 1, &rig->arena);
    assert_int_equal(page.count, 0);
    return page.err;
}

static struct store_outcome copy(struct store_rig *rig, const char *source_key, const char *etag,
                                 const char *target_key)
{
    struct store *target = rig->stores[TARGET];
    struct copy item = {
        .source_key = source_key, .source_etag = etag, .target_key = target_key, .unit = 7};
    target->ops->copy(target, rig->stores[SOURCE], &item, 1);
    return item.outcome;
}

static struct store_outcome delete (struct store_rig *rig, const char *key, const char *etag)
{
    struct deletion item = {.key = key, .etag = etag};
    rig->stores[SOURCE]->ops->remove(rig->stores[SOURCE], &item, 1);
    return item.outcome;
}

static struct store_outcome look_into(struct store_rig *rig, const char *key, const char *etag)
{
    char bytes[16];
    struct reading item = {.key = key, .etag = etag, .bytes = bytes, .size_bytes = sizeof bytes};
    rig->stores[SOURCE]->ops->read(rig->stores[SOURCE], &item, 1);
    return item.outcome;
}

static void tidy(struct store_rig *rig, enum store_rig_side side, const char *directory,
                 int64_t unit)
{
    struct err err;
    if (!rig->stores[side]->ops->tidy(rig->stores[side], directory, unit, &err))
        fail_msg("%s", err.text);
}

static bool is_root(const char *test)
{
    if (geteuid() != 0)
        print_message("[  SKIPPED ] %s: needs root\n", test);
    return geteuid() == 0;
}

/* -- opening ----------------------------------------------------------------------------------- */

static void a_folder_that_is_not_there_can_t_be_opened(void **state)
{
    struct store_rig *rig = *state;
    struct store *store;
    struct err err;
    put(rig, SOURCE, "file", "x");
    struct policy_store missing = {.name = "hot", .path = store_rig_path(rig, SOURCE, "no")};
    struct policy_store file = {.name = "hot", .path = store_rig_path(rig, SOURCE, "file")};
    assert_false(local_store_open(&missing, &store, &err));
    assert_int_equal(err.kind, ERR_MISSING);
    assert_non_null(strstr(err.text, missing.path));
    assert_false(local_store_open(&file, &store, &err));
    assert_int_equal(err.kind, ERR_MISSING);
}

/* Whoever puts another folder in its place does not change what was opened. */
static void the_folder_is_opened_once(void **state)
{
    struct store_rig *rig = *state;
    put(rig, SOURCE, "a", "x");
    const char *path = store_rig_path(rig, SOURCE, ""), *old = store_rig_path(rig, TARGET, "old");
    assert_int_equal(rename(path, old), 0);
    assert_int_equal(mkdir(path, 0755), 0);
    put(rig, SOURCE, "b", "x");
    assert_string_equal(keys_of(rig, SOURCE, ""), "a ");
}

/* -- keys that are none ------------------------------------------------------------------------ */

static void what_is_no_key_is_refused(void **state)
{
    struct store_rig *rig = *state;
    static const char *const bad[] = {"..",
                                      "../target/secret",
                                      "a/../../target/secret",
                                      "a/..",
                                      "",
                                      "/",
                                      "/etc/passwd",
                                      "//a",
                                      "a//b",
                                      "a/",
                                      "./a",
                                      "a/./b",
                                      ".",
                                      "a/b/.."};
    put(rig, SOURCE, "a/b", "x");
    put(rig, TARGET, "secret", "untouched");
    const char *etag = store_rig_etag(rig, SOURCE, "a/b");
    const char *secret = store_rig_etag(rig, TARGET, "secret");
    for (size_t i = 0; i < ITEMS(bad); i++) {
        assert_int_equal(copy(rig, bad[i], secret, "out").result, RESULT_REFUSED);
        assert_int_equal(copy(rig, "a/b", etag, bad[i]).result, RESULT_REFUSED);
        assert_int_equal(delete (rig, bad[i], secret).result, RESULT_REFUSED);
        assert_int_equal(look_into(rig, bad[i], secret).result, RESULT_REFUSED);
    }
    assert_string_equal(keys_of(rig, TARGET, ""), "secret ");
    assert_string_equal(keys_of(rig, SOURCE, ""), "a/b ");
}

static void a_prefix_of_no_key_is_an_error(void **state)
{
    struct store_rig *rig = *state;
    static const char *const bad[] = {"../", "/", "/etc/", "a//", "a/../", "./", "a/./b"};
    for (size_t i = 0; i < ITEMS(bad); i++)
        assert_int_equal(list_error(rig, bad[i]).kind, ERR_INPUT);
}

static void a_segment_longer_than_a_name_is_refused(void **state)
{
    struct store_rig *rig = *state;
    char name[257];
    memset(name, 'n', 256);
    name[256] = '\0';
    put(rig, SOURCE, "a", "x");
    struct store_outcome outcome = copy(rig, "a", store_rig_etag(rig, SOURCE, "a"), name);
    assert_int_equal(outcome.result, RESULT_REFUSED);
    assert_int_equal(outcome.status, ENAMETOOLONG);
    assert_string_equal(outcome.code, "ENAMETOOLONG");
}

/* -- what is no regular file ------------------------------------------------------------------- */

static void strange_entries_are_seen(void **state)
{
    struct store_rig *rig = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    FILE_FD listener = socket(AF_UNIX, SOCK_STREAM, 0);
    put(rig, SOURCE, "d/file", "x");
    assert_int_equal(mkfifo(store_rig_path(rig, SOURCE, "d/fifo"), 0600), 0);
    assert_int_equal(symlink("file", store_rig_path(rig, SOURCE, "d/link")), 0);
    assert_int_equal(symlink("/", store_rig_path(rig, SOURCE, "d/folder")), 0);
    assert_int_equal(symlink("nowhere", store_rig_path(rig, SOURCE, "d/dangling")), 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s",
             store_rig_path(rig, SOURCE, "d/socket"));
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(mkdir(store_rig_path(rig, SOURCE, "d/empty"), 0700), 0);
    assert_string_equal(keys_of(rig, SOURCE, "d/"),
                        "d/dangling! d/fifo! d/file d/folder! d/link! d/socket! ");

    /* Not even by their own etags, and without waiting for a writer of the fifo. */
    static const char *const keys[] = {"d/dangling", "d/fifo",   "d/folder",
                                       "d/link",     "d/socket", "d/empty"};
    for (size_t i = 0; i < ITEMS(keys); i++) {
        const char *etag =
            str_equal(keys[i], "d/empty") ? "\"\"" : store_rig_etag(rig, SOURCE, keys[i]);
        assert_int_equal(copy(rig, keys[i], etag, "copy").result, RESULT_REFUSED);
        assert_int_equal(look_into(rig, keys[i], etag).result, RESULT_REFUSED);
        assert_int_equal(delete (rig, keys[i], etag).result, RESULT_REFUSED);
        assert_true(is_there(rig, SOURCE, keys[i]));
    }
    assert_string_equal(keys_of(rig, TARGET, ""), "");
}

static void no_link_leads_out_of_the_folder(void **state)
{
    struct store_rig *rig = *state;
    put(rig, SOURCE, "a", "x");
    put(rig, TARGET, "real/secret", "untouched");
    const char *secret = store_rig_etag(rig, TARGET, "real/secret");
    const char *real = store_rig_path(rig, TARGET, "real");
    assert_int_equal(symlink(real, store_rig_path(rig, SOURCE, "out")), 0);
    assert_int_equal(symlink(real, store_rig_path(rig, TARGET, "link")), 0);
    assert_int_equal(mkdir(store_rig_path(rig, SOURCE, "in"), 0700), 0);
    assert_int_equal(symlink("../out", store_rig_path(rig, SOURCE, "in/deeper")), 0);

    static const char *const ways[] = {"out/secret", "in/deeper/secret"};
    for (size_t i = 0; i < ITEMS(ways); i++) {
        assert_int_equal(copy(rig, ways[i], secret, "copy").result, RESULT_REFUSED);
        assert_int_equal(look_into(rig, ways[i], secret).result, RESULT_REFUSED);
        assert_int_equal(delete (rig, ways[i], secret).result, RESULT_REFUSED);
    }
    const char *etag = store_rig_etag(rig, SOURCE, "a");
    assert_int_equal(copy(rig, "a", etag, "link/a").result, RESULT_REFUSED);
    assert_int_equal(copy(rig, "a", etag, "link/new/a").result, RESULT_REFUSED);
    assert_int_equal(copy(rig, "a", etag, "link").result, RESULT_EXISTS);
    assert_int_equal(list_error(rig, "out/").kind, ERR_INPUT);
    assert_int_equal(list_error(rig, "in/deeper/").kind, ERR_INPUT);
    assert_string_equal(keys_of(rig, TARGET, ""), "link! real/secret ");
    assert_string_equal(store_rig_etag(rig, TARGET, "real/secret"), secret);
}

static void a_file_where_a_folder_should_be(void **state)
{
    struct store_rig *rig = *state;
    put(rig, SOURCE, "a", "x");
    put(rig, SOURCE, "folder/b", "x");
    put(rig, TARGET, "taken", "x");
    put(rig, TARGET, "folder/b", "x");
    const char *etag = store_rig_etag(rig, SOURCE, "a");
    assert_int_equal(copy(rig, "a", etag, "taken/a").result, RESULT_REFUSED);
    assert_int_equal(copy(rig, "a", etag, "folder").result, RESULT_EXISTS);
    assert_int_equal(copy(rig, "a/below", etag, "c").result, RESULT_CHANGED);
    assert_int_equal(delete (rig, "a/below", etag).result, RESULT_DONE);
    assert_int_equal(delete (rig, "folder", etag).result, RESULT_REFUSED);
    assert_string_equal(keys_of(rig, TARGET, ""), "folder/b taken ");
    assert_string_equal(keys_of(rig, SOURCE, ""), "a folder/b ");
}

/* -- listings ---------------------------------------------------------------------------------- */

static void keys_come_in_byte_order_on_one_page(void **state)
{
    struct store_rig *rig = *state;
    static const char *const keys[] = {"a/x", "a-b",      "a.b",   "a0",
                                       "A",   "\xc3\xa4", "z/y/x", "z/y.x"};
    for (size_t i = 0; i < ITEMS(keys); i++)
        put(rig, SOURCE, keys[i], "x");
    struct listing page = {.prefix = ""};
    rig->stores[SOURCE]->ops->list(rig->stores[SOURCE], &page, 1, &rig->arena);
    static const char *const wanted[] = {"A",  "a-b",   "a.b",   "a/x",
                                         "a0", "z/y.x", "z/y/x", "\xc3\xa4"};
    assert_null(page.marker);
    assert_int_equal(page.server_us, 0);
    assert_int_equal(page.count, ITEMS(wanted));
    for (size_t i = 0; i < ITEMS(wanted); i++)
        assert_string_equal(page.objects[i].key, wanted[i]);
}

/* One descriptor at a time, however deep it goes. */
static void deep_trees_need_few_descriptors(void **state)
{
    struct store_rig *rig = *state;
    struct rlimit before, few;
    const char *key = "f";
    for (int i = 0; i < 300; i++)
        key = str_format(&rig->arena, "d/%s", key);
    put(rig, SOURCE, key, "deep");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = 32;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    assert_string_equal(keys_of(rig, SOURCE, ""), str_format(&rig->arena, "%s ", key));
    assert_int_equal(copy(rig, key, store_rig_etag(rig, SOURCE, key), key).result, RESULT_DONE);
    tidy(rig, TARGET, "d/", 7);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(is_there(rig, TARGET, key));
}

static void a_name_too_long_for_a_key_is_irregular(void **state)
{
    struct store_rig *rig = *state;
    char name[201];
    memset(name, 'n', 200);
    name[200] = '\0';
    const char *key =
        str_format(&rig->arena, "%s/%s/%s/%s/%s/%s", name, name, name, name, name, name);
    put(rig, SOURCE, key, "x");
    assert_string_equal(keys_of(rig, SOURCE, ""), str_format(&rig->arena, "%s! ", key));
}

/* As nobody, who must ask. */
static void what_can_t_be_read_is_denied(void **state)
{
    struct store_rig *rig = *state;
    if (geteuid() == 0) {
        store_rig_close(rig);
        assert_int_equal(seteuid(NOBODY), 0);
        store_rig_open(rig, kind);
    }
    put(rig, SOURCE, "a/file", "x");
    put(rig, SOURCE, "b/file", "x");
    const char *etag = store_rig_etag(rig, SOURCE, "a/file");
    assert_int_equal(chmod(store_rig_path(rig, SOURCE, "a/file"), 0), 0);
    const char *closed = store_rig_etag(rig, SOURCE, "a/file");
    assert_string_not_equal(closed, etag);
    assert_int_equal(copy(rig, "a/file", closed, "a").result, RESULT_DENIED);
    assert_int_equal(look_into(rig, "a/file", closed).result, RESULT_DENIED);
    assert_int_equal(copy(rig, "a/file", closed, "a").status, EACCES);

    assert_int_equal(chmod(store_rig_path(rig, SOURCE, "a"), 0), 0);
    assert_int_equal(list_error(rig, "a/").kind, ERR_DENIED);
    assert_int_equal(list_error(rig, "").kind, ERR_DENIED);
    assert_int_equal(delete (rig, "a/file", closed).result, RESULT_DENIED);
    assert_int_equal(chmod(store_rig_path(rig, SOURCE, "a"), 0700), 0);

    etag = store_rig_etag(rig, SOURCE, "b/file");
    assert_int_equal(chmod(store_rig_path(rig, TARGET, ""), 0500), 0);
    assert_int_equal(copy(rig, "b/file", etag, "b/file").result, RESULT_DENIED);
    assert_int_equal(chmod(store_rig_path(rig, TARGET, ""), 0700), 0);
    assert_string_equal(keys_of(rig, TARGET, ""), "");
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
}

/* -- copies ------------------------------------------------------------------------------------ */

static void mode_and_mtime_travel(void **state)
{
    struct store_rig *rig = *state;
    const struct timespec times[2] = {{.tv_sec = 5}, {.tv_sec = 1234567890, .tv_nsec = 123456789}};
    struct stat status;
    put(rig, SOURCE, "a", "x");
    const char *path = store_rig_path(rig, SOURCE, "a");
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_int_equal(copy(rig, "a", store_rig_etag(rig, SOURCE, "a"), "a").result, RESULT_DONE);
    assert_int_equal(stat(store_rig_path(rig, TARGET, "a"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(status.st_mtim.tv_sec, 1234567890);
    assert_int_equal(status.st_mtim.tv_nsec, 123456789);
    assert_int_equal(status.st_nlink, 1);
}

/* Each part of the etag tells a change of its own: here size and mtime are as they were. */
static void a_rewrite_that_keeps_size_and_mtime_is_seen(void **state)
{
    struct store_rig *rig = *state;
    struct stat status;
    put(rig, SOURCE, "a", "one");
    const char *path = store_rig_path(rig, SOURCE, "a");
    const char *etag = store_rig_etag(rig, SOURCE, "a");
    assert_int_equal(stat(path, &status), 0);
    const struct timespec times[2] = {status.st_atim, status.st_mtim};
    do { /* until the clock of inodes has ticked */
        put(rig, SOURCE, "a", "two");
        assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
        struct timespec before = status.st_ctim;
        assert_int_equal(stat(path, &status), 0);
        if (status.st_ctim.tv_nsec != before.tv_nsec)
            break;
    } while (true);
    assert_int_equal(copy(rig, "a", etag, "a").result, RESULT_CHANGED);
    assert_int_equal(delete (rig, "a", etag).result, RESULT_CHANGED);
}

#define LARGE_BYTES ((size_t)96 << 20)

/* Rewrites the first byte of the source once its copy has begun to grow. */
static void *meddle(void *context)
{
    struct store_rig *rig = context;
    const char *temporary = store_rig_path(rig, TARGET, ".frostline-7-0");
    struct stat status;
    for (int i = 0; i < 20000; i++) {
        if (stat(temporary, &status) == 0 && status.st_size > 0)
            break;
        usleep(100);
    }
    FILE_FD file = open(store_rig_path(rig, SOURCE, "large"), O_WRONLY | O_CLOEXEC);
    return pwrite(file, "!", 1, 0) == 1 ? rig : NULL;
}

static void a_source_that_changes_meanwhile_is_not_copied(void **state)
{
    struct store_rig *rig = *state;
    pthread_t thread;
    put(rig, SOURCE, "large", "");
    assert_int_equal(truncate(store_rig_path(rig, SOURCE, "large"), LARGE_BYTES), 0);
    const char *etag = store_rig_etag(rig, SOURCE, "large");
    assert_int_equal(pthread_create(&thread, NULL, meddle, rig), 0);
    enum store_result result = copy(rig, "large", etag, "large").result;
    void *meddled;
    assert_int_equal(pthread_join(thread, &meddled), 0);
    assert_non_null(meddled);
    assert_int_equal(result, RESULT_CHANGED);
    assert_false(is_there(rig, TARGET, "large"));
    assert_false(is_there(rig, TARGET, ".frostline-7-0"));
}

static void *copy_a(void *context)
{
    struct store_rig *rig = context;
    struct store *target = rig->stores[TARGET];
    static _Thread_local struct copy item;
    item = (struct copy){
        .source_key = "a", .source_etag = rig->definitions[SOURCE].prefix, .target_key = "x/y/z"};
    target->ops->copy(target, rig->stores[SOURCE], &item, 1);
    return (void *)(intptr_t)item.outcome.result;
}

static void one_of_many_copies_wins(void **state)
{
    struct store_rig *rig = *state;
    pthread_t threads[8];
    put(rig, SOURCE, "a", "x");
    rig->definitions[SOURCE].prefix = store_rig_etag(rig, SOURCE, "a");
    for (size_t i = 0; i < ITEMS(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, copy_a, rig), 0);
    size_t done = 0;
    for (size_t i = 0; i < ITEMS(threads); i++) {
        void *result;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        done += (intptr_t)result == RESULT_DONE;
        assert_true((intptr_t)result == RESULT_DONE || (intptr_t)result == RESULT_EXISTS);
    }
    assert_int_equal(done, 1);
    assert_string_equal(keys_of(rig, TARGET, ""), "x/y/z ");
    assert_false(is_there(rig, TARGET, "x/y/.frostline-0-0"));
}

static void a_full_disk_leaves_nothing(void **state)
{
    struct store_rig *rig = *state;
    const char *folder = store_rig_path(rig, TARGET, "tiny");
    if (!is_root(__func__))
        return;
    assert_int_equal(mkdir(folder, 0755), 0);
    if (mount("none", folder, "tmpfs", 0, "size=64k") != 0) {
        print_message("[  SKIPPED ] %s: may not mount\n", __func__);
        return;
    }
    char *bytes = arena_make(&rig->arena, 200000);
    store_rig_put(rig, SOURCE, "large", bytes, 200000);
    put(rig, SOURCE, "small", "fits");
    struct store_outcome outcome =
        copy(rig, "large", store_rig_etag(rig, SOURCE, "large"), "tiny/large");
    bool leftover = is_there(rig, TARGET, "tiny/.frostline-7-0");
    bool large = is_there(rig, TARGET, "tiny/large");
    enum store_result small =
        copy(rig, "small", store_rig_etag(rig, SOURCE, "small"), "tiny/small").result;
    assert_int_equal(umount(folder), 0);

    assert_int_equal(outcome.result, RESULT_BUSY);
    assert_int_equal(outcome.status, ENOSPC);
    assert_string_equal(outcome.code, "ENOSPC");
    assert_false(leftover);
    assert_false(large);
    assert_int_equal(small, RESULT_DONE);
}

/* -- temporary files --------------------------------------------------------------------------- */

static void temporary_files_are_not_listed_and_tidied_by_their_unit(void **state)
{
    struct store_rig *rig = *state;
    put(rig, TARGET, "d/e/.frostline-7-0", "half");
    put(rig, TARGET, "d/.frostline-7-12", "half");
    put(rig, TARGET, "d/.frostline-8-1", "another unit's");
    put(rig, TARGET, "other/.frostline-7-3", "another directory's");
    assert_string_equal(keys_of(rig, TARGET, ""), "");

    tidy(rig, TARGET, "d/", 7);
    assert_false(is_there(rig, TARGET, "d/e"));
    assert_false(is_there(rig, TARGET, "d/.frostline-7-12"));
    assert_true(is_there(rig, TARGET, "d/.frostline-8-1"));
    assert_true(is_there(rig, TARGET, "other/.frostline-7-3"));
    tidy(rig, TARGET, "d/", 8);
    assert_false(is_there(rig, TARGET, "d"));
}

static void a_strangers_file_is_no_temporary_one(void **state)
{
    struct store_rig *rig = *state;
    static const char *const names[] = {
        "d/.frostline",
        "d/.frostline-",
        "d/.frostline-7",
        "d/.frostline-7-",
        "d/.frostline-7-1x",
        "d/.frostline- 7-1",
        "d/.frostline-7-+1",
        "d/.frostline-07-1",
        "d/.frostline-7--1",
        "d/frostline-7-1",
        "d/x.frostline-7-1",
        "d/.frostline-7-1/x",
        "d/.frostline-99999999999999999999-1",
    };
    const struct object *objects;
    for (size_t i = 0; i < ITEMS(names); i++)
        put(rig, TARGET, names[i], "x");
    assert_int_equal(store_rig_list(rig, TARGET, "d/", &objects), ITEMS(names));
    tidy(rig, TARGET, "d/", 7);
    assert_int_equal(store_rig_list(rig, TARGET, "d/", &objects), ITEMS(names));
}

static void leftovers_are_passed_over(void **state)
{
    struct store_rig *rig = *state;
    put(rig, SOURCE, "a", "x");
    for (int i = 0; i < 20; i++)
        put(rig, TARGET, str_format(&rig->arena, ".frostline-7-%d", i), "half");
    assert_int_equal(copy(rig, "a", store_rig_etag(rig, SOURCE, "a"), "a").result, RESULT_DONE);
    tidy(rig, TARGET, "a/", 7);
    assert_true(is_there(rig, TARGET, ".frostline-7-0")); /* not below the directory */
}

static void no_object_takes_a_temporary_name(void **state)
{
    struct store_rig *rig = *state;
    put(rig, SOURCE, "a", "x");
    const char *etag = store_rig_etag(rig, SOURCE, "a");
    assert_int_equal(copy(rig, "a", etag, "d/.frostline-7-1").result, RESULT_REFUSED);
    assert_int_equal(copy(rig, "a", etag, "d/.frostline-7-1/a").result, RESULT_DONE);
}

static void empty_folders_go_up_to_the_root(void **state)
{
    struct store_rig *rig = *state;
    put(rig, SOURCE, "a/b/c/d/file", "x");
    put(rig, SOURCE, "a/other", "x");
    assert_int_equal(mkdir(store_rig_path(rig, SOURCE, "a/b/c/empty"), 0700), 0);
    tidy(rig, SOURCE, "a/b/c/", 7);
    assert_true(is_there(rig, SOURCE, "a/b/c/d/file"));
    assert_false(is_there(rig, SOURCE, "a/b/c/empty"));

    store_rig_remove(rig, SOURCE, "a/b/c/d/file");
    tidy(rig, SOURCE, "a/b/c/", 7);
    assert_false(is_there(rig, SOURCE, "a/b"));
    assert_true(is_there(rig, SOURCE, "a/other"));
    store_rig_remove(rig, SOURCE, "a/other");
    tidy(rig, SOURCE, "a/b/c/", 7); /* gone already: on with its parents */
    assert_false(is_there(rig, SOURCE, "a"));
    assert_true(is_there(rig, SOURCE, ""));
    tidy(rig, SOURCE, "a/", 7);
}

/* Others stand beside an object: their files, and folders that are none of its business, stay. */
static void tidying_an_object_leaves_its_neighbours(void **state)
{
    struct store_rig *rig = *state;
    put(rig, SOURCE, "a/b/.frostline-7-1", "half");
    put(rig, SOURCE, "a/b/.frostline-8-1", "another unit's");
    put(rig, SOURCE, "a/b/c/.frostline-7-2", "in another folder");
    put(rig, SOURCE, "a/b/x.bak", "x");
    assert_int_equal(mkdir(store_rig_path(rig, SOURCE, "a/b/empty"), 0700), 0);
    assert_int_equal(mkdir(store_rig_path(rig, SOURCE, "a/b/.frostline-7-9"), 0700), 0);
    tidy(rig, SOURCE, "a/b/x", 7);
    assert_false(is_there(rig, SOURCE, "a/b/.frostline-7-1"));
    static const char *const stay[] = {"a/b/.frostline-8-1", "a/b/c/.frostline-7-2", "a/b/x.bak",
                                       "a/b/empty", "a/b/.frostline-7-9"};
    for (size_t i = 0; i < ITEMS(stay); i++)
        assert_true(is_there(rig, SOURCE, stay[i]));

    put(rig, TARGET, ".frostline-7-1", "half");
    put(rig, TARGET, "d/e/.frostline-7-1", "half");
    put(rig, TARGET, "d/other", "x");
    tidy(rig, TARGET, "x", 7);
    assert_false(is_there(rig, TARGET, ".frostline-7-1"));
    tidy(rig, TARGET, "d/e/x", 7);
    assert_false(is_there(rig, TARGET, "d/e"));
    assert_true(is_there(rig, TARGET, "d/other"));
    tidy(rig, TARGET, "no/such/x", 7);
}

static const char *exact_of(struct store_rig *rig, const char *key)
{
    struct listing page = {.prefix = key, .exact = true};
    rig->stores[SOURCE]->ops->list(rig->stores[SOURCE], &page, 1, &rig->arena);
    if (page.err.kind != ERR_NONE)
        return "failed";
    assert_in_range(page.count, 0, 1);
    if (page.count == 0)
        return "none";
    assert_string_equal(page.objects[0].key, key);
    return page.objects[0].irregular ? "irregular" : "regular";
}

static void what_is_no_file_is_no_object_of_that_name(void **state)
{
    struct store_rig *rig = *state;
    put(rig, SOURCE, "a/file", "x");
    put(rig, SOURCE, "a/.frostline-7-1", "half");
    assert_int_equal(
        symlink(store_rig_path(rig, SOURCE, "a/file"), store_rig_path(rig, SOURCE, "a/link")), 0);
    assert_int_equal(symlink("a", store_rig_path(rig, SOURCE, "way")), 0);
    assert_string_equal(exact_of(rig, "a/file"), "regular");
    assert_string_equal(exact_of(rig, "a"), "irregular");
    assert_string_equal(exact_of(rig, "a/link"), "irregular");
    assert_string_equal(exact_of(rig, "a/.frostline-7-1"), "none");
    assert_string_equal(exact_of(rig, "a/fil"), "none");
    assert_string_equal(exact_of(rig, "a/file/x"), "none");
    assert_string_equal(exact_of(rig, "no/file"), "none");
    assert_string_equal(exact_of(rig, "way/file"), "failed");
    assert_string_equal(exact_of(rig, "a/"), "failed");
    assert_string_equal(exact_of(rig, "a/.."), "failed");
    assert_string_equal(exact_of(rig, "../a"), "failed");
}

static void tidying_does_not_follow_links(void **state)
{
    struct store_rig *rig = *state;
    struct err err;
    put(rig, TARGET, "real/.frostline-7-1", "half");
    assert_int_equal(mkdir(store_rig_path(rig, SOURCE, "d"), 0700), 0);
    assert_int_equal(
        symlink(store_rig_path(rig, TARGET, "real"), store_rig_path(rig, SOURCE, "d/link")), 0);
    tidy(rig, SOURCE, "d/", 7);
    assert_true(is_there(rig, SOURCE, "d/link"));
    assert_false(rig->stores[SOURCE]->ops->tidy(rig->stores[SOURCE], "d/link/", 7, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    assert_true(is_there(rig, TARGET, "real/.frostline-7-1"));
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_folder_that_is_not_there_can_t_be_opened),
        CASE(the_folder_is_opened_once),
        CASE(what_is_no_key_is_refused),
        CASE(a_prefix_of_no_key_is_an_error),
        CASE(a_segment_longer_than_a_name_is_refused),
        CASE(strange_entries_are_seen),
        CASE(no_link_leads_out_of_the_folder),
        CASE(a_file_where_a_folder_should_be),
        CASE(keys_come_in_byte_order_on_one_page),
        CASE(deep_trees_need_few_descriptors),
        CASE(a_name_too_long_for_a_key_is_irregular),
        CASE(what_can_t_be_read_is_denied),
        CASE(mode_and_mtime_travel),
        CASE(a_rewrite_that_keeps_size_and_mtime_is_seen),
        CASE(a_source_that_changes_meanwhile_is_not_copied),
        CASE(one_of_many_copies_wins),
        CASE(a_full_disk_leaves_nothing),
        CASE(temporary_files_are_not_listed_and_tidied_by_their_unit),
        CASE(a_strangers_file_is_no_temporary_one),
        CASE(leftovers_are_passed_over),
        CASE(no_object_takes_a_temporary_name),
        CASE(empty_folders_go_up_to_the_root),
        CASE(tidying_an_object_leaves_its_neighbours),
        CASE(what_is_no_file_is_no_object_of_that_name),
        CASE(tidying_does_not_follow_links),
    };
    int failed = 0;
    for (kind = STORE_RIG_LOCAL; kind <= STORE_RIG_PLAIN; kind++)
        failed += _cmocka_run_group_tests(store_rig_name(kind), tests, ITEMS(tests), NULL, NULL);
    return failed;
}
