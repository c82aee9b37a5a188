/* Files: read whole, written whole or not at all, even on a full disk. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/str.h"

#define LIMIT ((size_t)1 << 20)

static struct arena arena;
static struct err err;
static char folder[] = "/tmp/frostline-file-XXXXXX";

static const char *in_folder(const char *name)
{
    return file_join(&arena, folder, name);
}

static void put(const char *path, const char *bytes, size_t size_bytes)
{
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    assert_int_equal(fwrite(bytes, 1, size_bytes, stream), size_bytes);
    assert_int_equal(fclose(stream), 0);
}

static void assert_content(const char *path, const char *expected)
{
    char *bytes;
    size_t size_bytes;
    if (!file_read(path, LIMIT, &arena, &bytes, &size_bytes, &err))
        fail_msg("%s", err.text);
    assert_string_equal(bytes, expected);
    assert_int_equal(size_bytes, strlen(expected));
}

static size_t count_entries(void)
{
    size_t count = 0;
    DIR *dir = opendir(folder);
    struct dirent *entry;
    assert_non_null(dir);
    while ((entry = readdir(dir)))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static bool read_it(const char *path, size_t limit_bytes)
{
    char *bytes;
    size_t size_bytes;
    return file_read(path, limit_bytes, &arena, &bytes, &size_bytes, &err);
}

/* ---- reading ---- */

static void a_file_is_read_whole(void **state)
{
    (void)state;
    char *bytes;
    size_t size_bytes;
    put(in_folder("a"), "x\0y", 3);
    assert_true(file_read(in_folder("a"), 3, &arena, &bytes, &size_bytes, &err));
    assert_int_equal(size_bytes, 3);
    assert_memory_equal(bytes, "x\0y\0", 4);
    put(in_folder("a"), "", 0);
    assert_content(in_folder("a"), "");
}

static void a_file_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    put(in_folder("a"), "1234", 4);
    assert_true(read_it(in_folder("a"), 4));
    assert_false(read_it(in_folder("a"), 3));
    assert_int_equal(err.kind, ERR_INPUT);
    /* An arena that is too small refuses; it does not abort. */
    struct arena small;
    char *bytes;
    size_t size_bytes;
    arena_init(&small, 4);
    assert_false(file_read(in_folder("a"), 4, &small, &bytes, &size_bytes, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    arena_free(&small);
}

static void what_is_no_regular_file_is_refused(void **state)
{
    (void)state;
    assert_false(read_it(folder, LIMIT));
    assert_int_equal(err.kind, ERR_INPUT);
    assert_false(read_it("/dev/zero", LIMIT));
    assert_int_equal(err.kind, ERR_INPUT);
    /* Nobody writes to this one: reading must not wait for it. */
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_false(read_it(in_folder("fifo"), LIMIT));
    assert_int_equal(err.kind, ERR_INPUT);
}

static void a_missing_file_is_missing(void **state)
{
    (void)state;
    assert_false(read_it(in_folder("gone"), LIMIT));
    assert_int_equal(err.kind, ERR_MISSING);
    assert_int_equal(err.status, ENOENT);
    assert_non_null(strstr(err.text, "gone: No such file or directory"));
    put(in_folder("a"), "x", 1);
    assert_false(read_it(in_folder("a/b"), LIMIT));
    assert_int_equal(err.kind, ERR_MISSING);
}

static void a_file_that_lies_about_its_size_is_busy(void **state)
{
    (void)state;
    /* Its size is said to be 0. */
    assert_false(read_it("/proc/self/status", LIMIT));
    assert_int_equal(err.kind, ERR_BUSY);
}

/* ---- writing ---- */

static bool write_it(const char *path, const char *text)
{
    struct file_new file;
    if (!file_new_open(&file, path, 0600, &err))
        return false;
    fputs(text, file.stream);
    return file_new_commit(&file, &err);
}

static void a_new_file_appears_with_the_commit(void **state)
{
    (void)state;
    struct file_new file;
    assert_true(file_new_open(&file, in_folder("a"), 0640, &err));
    fputs("content", file.stream);
    fflush(file.stream);
    assert_false(read_it(in_folder("a"), LIMIT));
    assert_true(file_new_commit(&file, &err));
    assert_content(in_folder("a"), "content");
    assert_int_equal(count_entries(), 1);
    struct stat status;
    assert_int_equal(stat(in_folder("a"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    file_new_abandon(&file);
    assert_content(in_folder("a"), "content");
}

static void a_commit_replaces(void **state)
{
    (void)state;
    put(in_folder("a"), "old and longer", 14);
    assert_true(write_it(in_folder("a"), "new"));
    assert_content(in_folder("a"), "new");
    assert_int_equal(count_entries(), 1);
}

static void an_abandoned_file_leaves_nothing(void **state)
{
    (void)state;
    struct file_new file;
    put(in_folder("a"), "old", 3);
    assert_true(file_new_open(&file, in_folder("a"), 0600, &err));
    fputs("new", file.stream);
    file_new_abandon(&file);
    file_new_abandon(&file);
    assert_content(in_folder("a"), "old");
    assert_int_equal(count_entries(), 1);
}

/* Writes size_bytes where only 4096 fit, and sees that all is as before. */
static void write_on_a_full_disk(size_t size_bytes)
{
    struct rlimit before;
    struct file_new file;
    put(in_folder("a"), "old", 3);
    assert_true(file_new_open(&file, in_folder("a"), 0600, &err));
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit full = {.rlim_cur = 4096, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    char *text = malloc(size_bytes);
    assert_non_null(text);
    memset(text, 'x', size_bytes);
    fwrite(text, 1, size_bytes, file.stream);
    fputs("and more", file.stream);
    bool done = file_new_commit(&file, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    free(text);
    assert_false(done);
    assert_int_equal(err.kind, ERR_BUSY);
    assert_non_null(strstr(err.text, "writing "));
    assert_content(in_folder("a"), "old");
    assert_int_equal(count_entries(), 1);
    file_new_abandon(&file);
}

static void a_full_disk_leaves_the_old_file(void **state)
{
    (void)state;
    write_on_a_full_disk(4090); /* fails at the flush of the commit */
    write_on_a_full_disk(5000);
    write_on_a_full_disk(1000000); /* fails long before */
}

/* A device that is always full says ENOSPC itself. */
static void a_full_device_says_so(void **state)
{
    (void)state;
    struct file_new file;
    assert_true(file_new_open(&file, in_folder("a"), 0600, &err));
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    fclose(file.stream);
    file.stream = full;
    fputs("x", file.stream);
    assert_false(file_new_commit(&file, &err));
    assert_int_equal(err.kind, ERR_BUSY);
    assert_int_equal(err.status, ENOSPC);
    assert_int_equal(count_entries(), 0);
}

static void what_is_no_file_keeps_its_name(void **state)
{
    (void)state;
    struct file_new file;
    struct stat status;
    assert_int_equal(symlink("b", in_folder("link")), 0);
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_int_equal(mkdir(in_folder("folder"), 0700), 0);
    static const char *const names[] = {"link", "fifo", "folder"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_false(file_new_open(&file, in_folder(names[i]), 0600, &err));
        assert_int_equal(err.kind, ERR_INPUT);
        assert_int_equal(lstat(in_folder(names[i]), &status), 0);
        assert_false(S_ISREG(status.st_mode));
        assert_int_equal(remove(in_folder(names[i])), 0);
    }
    assert_int_equal(count_entries(), 0);
}

static void a_write_that_failed_before_is_remembered(void **state)
{
    (void)state;
    struct file_new file;
    assert_true(file_new_open(&file, in_folder("a"), 0600, &err));
    /* The stream's end is a pipe that nobody reads: the bytes are lost and only a mark remains. */
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    fclose(file.stream);
    file.stream = fdopen(ends[1], "w");
    setvbuf(file.stream, NULL, _IONBF, 0);
    fputs("lost", file.stream);
    assert_false(file_new_commit(&file, &err));
    assert_int_equal(err.status, EIO);
    assert_int_equal(count_entries(), 0);
}

static void a_place_that_is_not_there_is_missing(void **state)
{
    (void)state;
    assert_false(write_it(in_folder("gone/a"), "x"));
    assert_int_equal(err.kind, ERR_MISSING);
}

/* ---- folders and paths ---- */

static void folders_are_made_with_their_parents(void **state)
{
    (void)state;
    struct stat status;
    assert_true(file_make_folder(in_folder("a/b//c/"), 0700, &err));
    assert_int_equal(stat(in_folder("a/b/c"), &status), 0);
    assert_true(S_ISDIR(status.st_mode));
    assert_int_equal(status.st_mode & 0777, 0700);
    assert_true(file_make_folder(in_folder("a/b/c"), 0755, &err));
    assert_true(file_make_folder("/", 0755, &err));
    assert_true(file_make_folder(".", 0755, &err));
    put(in_folder("file"), "x", 1);
    assert_false(file_make_folder(in_folder("file"), 0700, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    assert_false(file_make_folder(in_folder("file/x"), 0700, &err));
    assert_int_equal(err.kind, ERR_MISSING);
    assert_false(file_make_folder("", 0700, &err));
}

static void paths_beyond_the_system_s_limit_are_refused(void **state)
{
    (void)state;
    char *path = arena_make(&arena, 10001);
    memset(path, 'x', 10000);
    path[5000] = '/';
    assert_false(file_make_folder(path, 0700, &err));
    assert_int_equal(err.status, ENAMETOOLONG);
    assert_false(file_sync_folder_of(path, &err));
    assert_int_equal(err.status, ENAMETOOLONG);
    assert_false(file_real_path(path, &arena, &(const char *){NULL}, &err));
}

static void the_folder_of_a_path_is_synced(void **state)
{
    (void)state;
    assert_true(file_sync_folder_of(in_folder("whatever"), &err));
    assert_true(file_sync_folder_of("name", &err));
    assert_true(file_sync_folder_of("/name", &err));
    assert_false(file_sync_folder_of(in_folder("gone/name"), &err));
    assert_int_equal(err.kind, ERR_MISSING);
}

static void real_paths_have_no_links(void **state)
{
    (void)state;
    const char *real, *again;
    put(in_folder("a"), "x", 1);
    assert_int_equal(symlink("a", in_folder("link")), 0);
    assert_true(file_real_path(in_folder("a"), &arena, &real, &err));
    assert_true(file_real_path(in_folder("./link"), &arena, &again, &err));
    assert_string_equal(real, again);
    assert_int_equal(real[0], '/');
    assert_false(file_real_path(in_folder("gone"), &arena, &real, &err));
    assert_int_equal(err.kind, ERR_MISSING);
}

static void paths_are_joined(void **state)
{
    (void)state;
    assert_string_equal(file_join(&arena, "a", "b"), "a/b");
    assert_string_equal(file_join(&arena, "a/", "b"), "a/b");
    assert_string_equal(file_join(&arena, "/", "b"), "/b");
    assert_string_equal(file_join(&arena, "", "b"), "b");
    assert_string_equal(file_join(&arena, "a", "/b"), "/b");
}

static void errno_becomes_a_kind(void **state)
{
    (void)state;
    static const struct {
        int number;
        enum err_kind kind;
    } cases[] = {
        {ENOENT, ERR_MISSING}, {ENOTDIR, ERR_MISSING}, {EACCES, ERR_DENIED},
        {EPERM, ERR_DENIED},   {EROFS, ERR_DENIED},    {EAGAIN, ERR_BUSY},
        {EMFILE, ERR_BUSY},    {ENOSPC, ERR_BUSY},     {EFBIG, ERR_BUSY},
        {EDQUOT, ERR_BUSY},    {EIO, ERR_INPUT},       {ENAMETOOLONG, ERR_INPUT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(file_error(&err, cases[i].number, "doing %d", 7));
        assert_int_equal(err.kind, cases[i].kind);
        assert_int_equal(err.status, cases[i].number);
        assert_true(str_starts(err.text, "doing 7: "));
    }
}

static void descriptors_close_themselves(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    {
        FILE_FD writer = ends[1];
        FILE_FD none = -1;
        (void)writer;
        (void)none;
    }
    char byte;
    assert_int_equal(read(ends[0], &byte, 1), 0); /* the end: the other side is closed */
    close(ends[0]);
}

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, LIMIT);
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static void remove_below(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
            continue;
        const char *inner = file_join(&arena, path, entry->d_name);
        if (unlink(inner) != 0)
            remove_below(inner);
    }
    if (dir)
        closedir(dir);
    rmdir(path);
}

static int tear_down(void **state)
{
    (void)state;
    remove_below(folder);
    arena_free(&arena);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_read_whole),
        TEST(a_file_beyond_the_limit_is_refused),
        TEST(what_is_no_regular_file_is_refused),
        TEST(a_missing_file_is_missing),
        TEST(a_file_that_lies_about_its_size_is_busy),
        TEST(a_new_file_appears_with_the_commit),
        TEST(a_commit_replaces),
        TEST(an_abandoned_file_leaves_nothing),
        TEST(a_full_disk_leaves_the_old_file),
        TEST(a_full_device_says_so),
        TEST(what_is_no_file_keeps_its_name),
        TEST(a_write_that_failed_before_is_remembered),
        TEST(a_place_that_is_not_there_is_missing),
        TEST(folders_are_made_with_their_parents),
        TEST(paths_beyond_the_system_s_limit_are_refused),
        TEST(the_folder_of_a_path_is_synced),
        TEST(real_paths_have_no_links),
        TEST(paths_are_joined),
        TEST(errno_becomes_a_kind),
        TEST(descriptors_close_themselves),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
