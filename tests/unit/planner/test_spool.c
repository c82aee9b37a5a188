/* test_spool.c: what is put away comes back, store by store, and a broken file is noticed. */
#include "planner/spool.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/scratch.h"

static char folder[64];
static struct spool spool;
static struct buf head, body;
static struct err err;

static int begin(void **state)
{
    (void)state;
    scratch_folder(folder, sizeof(folder));
    buf_init(&head, (size_t)128 << 20);
    buf_init(&body, (size_t)128 << 20);
    return spool_open(&spool, folder, &err) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    spool_close(&spool);
    spool_close(&spool);
    buf_free(&head);
    buf_free(&body);
    scratch_remove(folder);
    return 0;
}

static bool add(uint16_t store, uint64_t number, size_t body_bytes)
{
    buf_reset(&head);
    buf_reset(&body);
    pack_number(&head, number);
    pack_text(&head, "head");
    for (size_t i = 0; i < body_bytes; i++)
        buf_char(&body, (char)('a' + number % 26));
    pack_text(&body, NULL);
    return spool_add(&spool, store, &head, &body, &err);
}

static void is_body(struct spool_cursor *cursor, uint64_t number, size_t body_bytes)
{
    struct packed packed;
    assert_true(spool_body(cursor, &packed, &err));
    assert_int_equal(packed.size_bytes, body_bytes + sizeof(uint64_t) + 1);
    for (size_t i = 0; i < body_bytes; i++)
        assert_int_equal(packed.at[i], 'a' + number % 26);
}

/* Sizes around the window of a cursor and the buffer of the writer. */
static size_t size_of(uint64_t number)
{
    static const size_t sizes[] = {0, 1, 100, 65535, 65536, 70000, 300000, 3};
    return sizes[number % 8];
}

static void every_record_comes_back(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 100; i++)
        assert_true(add(5, i, size_of(i)));
    for (uint64_t i = 100; i < 150; i++)
        assert_true(add(2, i, size_of(i)));
    assert_true(spool_finish(&spool, &err));
    for (int with_body = 0; with_body < 2; with_body++) {
        struct spool_cursor cursor;
        spool_cursor_init(&cursor, &spool, 0, PLACE_MAX);
        for (uint64_t i = 0; i < 150; i++) {
            uint64_t number = i < 50 ? 100 + i : i - 50, index;
            struct packed packed;
            bool found;
            assert_true(spool_next(&cursor, &found, &packed, &index, &err));
            assert_true(found);
            assert_int_equal(index, i);
            assert_int_equal(cursor.store, i < 50 ? 2 : 5);
            assert_int_equal(pack_take_number(&packed), number);
            assert_string_equal(pack_take_text(&packed), "head");
            assert_true(pack_check(&packed, &err));
            if (with_body)
                is_body(&cursor, number, size_of(number));
        }
        bool found;
        uint64_t index;
        struct packed packed;
        for (int i = 0; i < 2; i++) {
            assert_true(spool_next(&cursor, &found, &packed, &index, &err));
            assert_false(found);
        }
        spool_cursor_free(&cursor);
    }
}

static void one_store_can_be_read_alone(void **state)
{
    (void)state;
    struct spool_cursor cursor;
    struct packed packed;
    uint64_t index;
    bool found;
    assert_true(add(9, 1, 0) && add(3, 2, 0) && add(3, 3, 0) && spool_finish(&spool, &err));
    spool_cursor_init(&cursor, &spool, 9, 10);
    assert_true(spool_next(&cursor, &found, &packed, &index, &err));
    assert_true(found);
    assert_int_equal(index, 2);
    assert_int_equal(pack_take_number(&packed), 1);
    assert_true(spool_next(&cursor, &found, &packed, &index, &err));
    assert_false(found);
    spool_cursor_free(&cursor);
}

static void a_store_comes_in_one_go(void **state)
{
    (void)state;
    assert_true(add(1, 1, 0) && add(2, 2, 0));
    assert_false(add(1, 3, 0));
    assert_int_equal(err.kind, ERR_INTERNAL);
}

static void the_file_has_no_name(void **state)
{
    (void)state;
    DIR *open = opendir(folder);
    size_t entries = 0;
    while (readdir(open) != NULL)
        entries++;
    closedir(open);
    assert_int_equal(entries, 2);
}

static void a_file_that_is_cut_is_noticed(void **state)
{
    (void)state;
    struct spool_cursor cursor;
    struct packed packed;
    uint64_t index;
    bool found;
    assert_true(add(0, 7, 1000) && spool_finish(&spool, &err));
    assert_int_equal(ftruncate(spool.fd, 20), 0);
    spool_cursor_init(&cursor, &spool, 0, PLACE_MAX);
    assert_false(spool_next(&cursor, &found, &packed, &index, &err));
    assert_int_equal(err.kind, ERR_CORRUPT);
    spool_cursor_free(&cursor);
}

static void what_is_missing_is_noticed(void **state)
{
    (void)state;
    static const char bytes[16] = {9}; /* a text of 9 bytes, with 8 behind it */
    struct packed packed = {.at = bytes, .size_bytes = sizeof(bytes)};
    assert_string_equal(pack_take_text(&packed), "");
    assert_int_equal(pack_take_number(&packed), 0);
    assert_false(pack_check(&packed, &err));
    assert_int_equal(err.kind, ERR_CORRUPT);
}

static void a_record_has_a_limit(void **state)
{
    (void)state;
    assert_false(add(0, 1, SPOOL_RECORD_BYTES_MAX + (1u << 20)));
    assert_int_equal(err.kind, ERR_INPUT);
}

static void a_full_disk_is_told(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {100000, 100000};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        bool done = add(0, 1, 300000) && spool_finish(&spool, &err);
        _exit(done ? 1 : err.kind == ERR_BUSY && err.status == EFBIG ? 0 : 2);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(every_record_comes_back),       TEST(one_store_can_be_read_alone),
        TEST(a_store_comes_in_one_go),       TEST(the_file_has_no_name),
        TEST(a_file_that_is_cut_is_noticed), TEST(what_is_missing_is_noticed),
        TEST(a_record_has_a_limit),          TEST(a_full_disk_is_told)};
    return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
