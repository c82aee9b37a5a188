/* test_lock.c: one run at a time, and a refusal says who. */
#include "state/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "tests/support/scratch.h"

/* A folder of its own for each test. */
struct rig {
    char folder[256], path[300];
};

static int begin(void **state)
{
    struct rig *rig = test_calloc(1, sizeof(*rig));
    scratch_folder(rig->folder, sizeof(rig->folder));
    snprintf(rig->path, sizeof(rig->path), "%s/run.lock", rig->folder);
    *state = rig;
    return 0;
}

static int end(void **state)
{
    struct rig *rig = *state;
    scratch_remove(rig->folder);
    test_free(rig);
    return 0;
}

/* A process that holds the lock until it is killed; returns when it has it. */
static pid_t hold(const struct rig *rig)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind, */
        alarm(20);                        /* and waits for nobody for long           */
        struct lock lock;
        struct err err;
        if (!lock_take(rig->folder, "apply", 0, clock_real(), &lock, &err) ||
            write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return child;
}

static void kill_and_reap(pid_t child)
{
    int status;
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
}

static void it_is_taken_shown_and_let_go(void **state)
{
    struct rig *rig = *state;
    struct clock_fake clock;
    clock_fake_init(&clock, INT64_C(1748736000123456));
    struct lock lock;
    struct lock_holder holder;
    struct err err = {0};
    bool held = true;
    assert_true(lock_look(rig->folder, &holder, &held, &err));
    assert_false(held);

    assert_true(lock_take(rig->folder, "apply", 0, &clock.clock, &lock, &err));
    assert_true(lock_look(rig->folder, &holder, &held, &err));
    assert_true(held);
    char host[128] = "";
    gethostname(host, sizeof(host) - 1);
    assert_string_equal(holder.host, host);
    assert_int_equal(holder.pid, getpid());
    assert_int_equal(holder.since_us, INT64_C(1748736000123456));
    assert_string_equal(holder.what, "apply");
    struct stat status;
    assert_int_equal(stat(rig->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);

    lock_release(&lock);
    assert_int_equal(lock.fd, -1);
    lock_release(&lock);
    assert_true(lock_look(rig->folder, &holder, &held, &err));
    assert_false(held);
}

static void the_folder_is_made_for_us_alone(void **state)
{
    struct rig *rig = *state;
    struct err err = {0};
    struct lock lock;
    assert_int_equal(rmdir(rig->folder), 0);
    struct lock_holder holder;
    bool held;
    assert_true(lock_look(rig->folder, &holder, &held, &err));
    assert_false(held);
    assert_true(lock_take(rig->folder, "reap", 0, clock_real(), &lock, &err));
    struct stat status;
    assert_int_equal(stat(rig->folder, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    lock_release(&lock);
}

static void a_second_process_is_refused_and_told_who(void **state)
{
    struct rig *rig = *state;
    pid_t child = hold(rig);
    struct lock lock;
    struct err err = {0};
    assert_false(lock_take(rig->folder, "reap", 0, clock_real(), &lock, &err));
    assert_int_equal(lock.fd, -1);
    assert_int_equal(err.kind, ERR_BUSY);
    char who[64];
    snprintf(who, sizeof(who), "apply, process %d on ", (int)child);
    assert_non_null(strstr(err.text, who));
    kill_and_reap(child);
}

static void nothing_is_stale_when_the_holder_was_killed(void **state)
{
    struct rig *rig = *state;
    kill_and_reap(hold(rig));
    struct lock_holder holder;
    bool held = true;
    struct lock lock;
    struct err err = {0};
    assert_true(lock_look(rig->folder, &holder, &held, &err));
    assert_false(held);
    assert_true(lock_take(rig->folder, "apply", 0, clock_real(), &lock, &err));
    lock_release(&lock);
}

static void a_waiter_gets_it_when_it_is_let_go(void **state)
{
    struct rig *rig = *state;
    pid_t child = hold(rig);
    pid_t killer = fork();
    assert_true(killer >= 0);
    if (killer == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        usleep(200000);
        kill(child, SIGKILL);
        _exit(0);
    }
    struct lock lock;
    struct err err = {0};
    int64_t before_us = clock_real()->ops->monotonic_us(clock_real());
    bool taken = lock_take(rig->folder, "apply", 20000000, clock_real(), &lock, &err);
    int64_t waited_us = clock_real()->ops->monotonic_us(clock_real()) - before_us;
    kill_and_reap(child);
    kill_and_reap(killer);
    assert_true(taken);
    assert_in_range(waited_us, 100000, 15000000);
    lock_release(&lock);
}

static void the_wait_is_measured_on_the_clock(void **state)
{
    struct rig *rig = *state;
    pid_t child = hold(rig);
    struct clock_fake clock;
    clock_fake_init(&clock, 0);
    struct lock lock;
    struct err err = {0};
    assert_false(
        lock_take(rig->folder, "apply", 3600 * INT64_C(1000000), &clock.clock, &lock, &err));
    assert_int_equal(err.kind, ERR_BUSY);
    assert_true(clock.instant_us >= 3600 * INT64_C(1000000));
    kill_and_reap(child);
}

/* Whatever stands in the file, who holds the lock is known by the lock alone. */
static void a_damaged_line_is_nobody(void **state)
{
    struct rig *rig = *state;
    static const char *const lines[] = {
        "",         "{",
        "[]",       "{\"host\":\"h\"}",
        "\xff\xfe", "{\"host\":1,\"pid\":\"x\",\"since\":\"y\",\"what\":2}"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        pid_t child = hold(rig);
        FILE *file = fopen(rig->path, "w");
        assert_non_null(file);
        fputs(lines[i], file);
        fclose(file);

        struct lock lock;
        struct lock_holder holder;
        bool held = false;
        struct err err = {0};
        assert_true(lock_look(rig->folder, &holder, &held, &err));
        assert_true(held);
        assert_int_equal(holder.pid, 0);
        assert_string_equal(holder.host, "");
        assert_false(lock_take(rig->folder, "apply", 0, clock_real(), &lock, &err));
        assert_int_equal(err.kind, ERR_BUSY);
        kill_and_reap(child);
    }
}

static void a_link_is_not_followed(void **state)
{
    struct rig *rig = *state;
    struct lock lock;
    struct err err = {0};
    assert_int_equal(symlink("/dev/null", rig->path), 0);
    assert_false(lock_take(rig->folder, "apply", 0, clock_real(), &lock, &err));
    assert_int_not_equal(err.kind, ERR_BUSY);
}

/* Whatever errno was before. */
static void a_line_that_is_cut_short_is_a_full_disk(void **state)
{
    struct rig *rig = *state;
    struct rlimit before, small;
    struct lock lock;
    struct err err = {0};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 1;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    errno = EEXIST;
    bool taken = lock_take(rig->folder, "apply", 0, clock_real(), &lock, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_false(taken);
    assert_int_equal(err.kind, ERR_BUSY);
    assert_int_equal(err.status, ENOSPC);
    assert_true(lock_take(rig->folder, "apply", 0, clock_real(), &lock, &err));
    lock_release(&lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_taken_shown_and_let_go, begin, end),
        cmocka_unit_test_setup_teardown(the_folder_is_made_for_us_alone, begin, end),
        cmocka_unit_test_setup_teardown(a_second_process_is_refused_and_told_who, begin, end),
        cmocka_unit_test_setup_teardown(nothing_is_stale_when_the_holder_was_killed, begin, end),
        cmocka_unit_test_setup_teardown(a_waiter_gets_it_when_it_is_let_go, begin, end),
        cmocka_unit_test_setup_teardown(the_wait_is_measured_on_the_clock, begin, end),
        cmocka_unit_test_setup_teardown(a_damaged_line_is_nobody, begin, end),
        cmocka_unit_test_setup_teardown(a_link_is_not_followed, begin, end),
        cmocka_unit_test_setup_teardown(a_line_that_is_cut_short_is_a_full_disk, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
