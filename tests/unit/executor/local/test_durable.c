/* In which order a local folder calls the system: bytes are durable before they have a name, a name
 * takes no other's place, and is durable before it is told of.  The calls are intercepted here.  */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/support/store_rig.h"

static enum store_rig_kind kind; /* with renameat2, or without */
static char root[PATH_MAX];
static char trace[4096];
static unsigned failing; /* the sync with this number, from 1, fails; 0: none */

/* -- the system, overheard --------------------------------------------------------------------- */

/* "verb path; " below the root, a temporary name as TEMP.  Of others nothing, and false. */
static bool note(const char *verb, int folder, const char *name)
{
    char link[64], path[PATH_MAX] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t size = readlink(link, path, sizeof path - 1);
    size_t root_size = strlen(root), used = strlen(trace);
    if (size < 0 || root_size == 0 || strncmp(path, root, root_size) != 0)
        return false;
    const char *temporary = strstr(path, ".frostline-");
    if (temporary)
        path[temporary - path] = '\0';
    if (temporary || strncmp(name, ".frostline-", strlen(".frostline-")) == 0)
        name = "TEMP";
    snprintf(trace + used, sizeof trace - used, "%s %s%s%s; ", verb, path + root_size,
             temporary || name[0] == '\0' ? "" : "/", name);
    return true;
}

int fsync(int fd)
{
    if (note("sync", fd, "") && failing > 0 && --failing == 0) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

int renameat2(int old_folder, const char *old_name, int folder, const char *name, unsigned flags)
{
    note(flags == 1 /* RENAME_NOREPLACE */ ? "name-if-free" : "NAME", folder, name);
    return (int)syscall(SYS_renameat2, old_folder, old_name, folder, name, flags);
}

int linkat(int old_folder, const char *old_name, int folder, const char *name, int flags)
{
    note("name-if-free", folder, name);
    return (int)syscall(SYS_linkat, old_folder, old_name, folder, name, flags);
}

int unlinkat(int folder, const char *name, int flags)
{
    note("remove", folder, name);
    return (int)syscall(SYS_unlinkat, folder, name, flags);
}

/* -- cases ------------------------------------------------------------------------------------- */

static void listen_at(struct store_rig *rig, enum store_rig_side side)
{
    assert_non_null(realpath(store_rig_path(rig, side, ""), root));
    trace[0] = '\0';
}

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
    failing = 0;
    root[0] = '\0';
    store_rig_close(*state);
    free(*state);
    return 0;
}

static void copy_two(struct store_rig *rig, enum store_result first, enum store_result second)
{
    struct copy copies[2] = {{.source_key = "a", .target_key = "d/e/a", .unit = 7},
                             {.source_key = "b", .target_key = "d/e/b", .unit = 7}};
    for (size_t i = 0; i < 2; i++) {
        store_rig_put(rig, SOURCE, copies[i].source_key, "x", 1);
        copies[i].source_etag = store_rig_etag(rig, SOURCE, copies[i].source_key);
    }
    rig->stores[TARGET]->ops->copy(rig->stores[TARGET], rig->stores[SOURCE], copies, 2);
    assert_int_equal(copies[0].outcome.result, first);
    assert_int_equal(copies[1].outcome.result, second);
}

static void bytes_come_before_the_name_and_the_name_before_the_answer(void **state)
{
    struct store_rig *rig = *state;
    listen_at(rig, TARGET);
    copy_two(rig, RESULT_DONE, RESULT_DONE);
    assert_string_equal(trace, kind == STORE_RIG_LOCAL
                                   ? "sync /d/e/TEMP; name-if-free /d/e/a; "
                                     "sync /d/e/TEMP; name-if-free /d/e/b; "
                                     "sync /d/e; sync /d; sync ; "
                                   : "sync /d/e/TEMP; name-if-free /d/e/a; remove /d/e/TEMP; "
                                     "sync /d/e/TEMP; name-if-free /d/e/b; remove /d/e/TEMP; "
                                     "sync /d/e; sync /d; sync ; ");
}

static bool has_name(struct store_rig *rig, enum store_rig_side side, const char *key)
{
    size_t size_bytes;
    return store_rig_get(rig, side, key, &size_bytes) != NULL;
}

/* Bytes that may not be durable get no name; names that may not be are looked at again. */
static void a_sync_that_fails_is_no_copy(void **state)
{
    struct store_rig *rig = *state;
    listen_at(rig, TARGET);
    failing = 1;
    copy_two(rig, RESULT_BUSY, RESULT_DONE);
    assert_false(has_name(rig, TARGET, "d/e/a"));
    assert_true(has_name(rig, TARGET, "d/e/b"));
}

static void a_folder_whose_sync_fails_leaves_a_doubt(void **state)
{
    listen_at(*state, TARGET);
    failing = 3;
    copy_two(*state, RESULT_UNKNOWN, RESULT_UNKNOWN);
    assert_true(has_name(*state, TARGET, "d/e/a"));
}

static void remove_two(struct store_rig *rig, enum store_result result)
{
    store_rig_put(rig, SOURCE, "d/e/a", "x", 1);
    store_rig_put(rig, SOURCE, "d/e/b", "x", 1);
    struct deletion deletions[2] = {
        {.key = "d/e/a", .etag = store_rig_etag(rig, SOURCE, "d/e/a")},
        {.key = "d/e/b", .etag = store_rig_etag(rig, SOURCE, "d/e/b")},
    };
    listen_at(rig, SOURCE);
    rig->stores[SOURCE]->ops->remove(rig->stores[SOURCE], deletions, 2);
    assert_int_equal(deletions[0].outcome.result, result);
    assert_int_equal(deletions[1].outcome.result, result);
}

static void what_is_deleted_is_gone_before_the_answer(void **state)
{
    remove_two(*state, RESULT_DONE);
    assert_string_equal(trace, "remove /d/e/a; remove /d/e/b; sync /d/e; ");
}

static void a_deletion_that_may_come_back_leaves_a_doubt(void **state)
{
    failing = 1;
    remove_two(*state, RESULT_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_come_before_the_name_and_the_name_before_the_answer,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sync_that_fails_is_no_copy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_whose_sync_fails_leaves_a_doubt, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_deleted_is_gone_before_the_answer, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_deletion_that_may_come_back_leaves_a_doubt, set_up,
                                        tear_down),
    };
    int failed = 0;
    for (kind = STORE_RIG_LOCAL; kind <= STORE_RIG_PLAIN; kind++)
        failed += _cmocka_run_group_tests(store_rig_name(kind), tests,
                                          sizeof tests / sizeof tests[0], NULL, NULL);
    return failed;
}
