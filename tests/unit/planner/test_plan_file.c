/* test_plan_file.c: what is written is read back, and nothing else is. */
#include "planner/plan_file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/str.h"
#include "base/when.h"
#include "planner/planner.h"
#include "state/location.h"
#include "tests/support/scratch.h"

static char folder[64], path[128];
static struct arena arena;
static struct err err;

static int begin(void **state)
{
    (void)state;
    scratch_folder(folder, sizeof(folder));
    snprintf(path, sizeof(path), "%s/p.plan", folder);
    arena_init(&arena, (size_t)1 << 30);
    return 0;
}

static int end(void **state)
{
    (void)state;
    scratch_remove(folder);
    arena_free(&arena);
    return 0;
}

#define MUST(call)                                                                                 \
    do {                                                                                           \
        if (!(call))                                                                               \
            fail_msg("%s: %s", #call, err.text);                                                   \
    } while (0)

/* -- a plan with every field set -------------------------------------------------------------- */

static struct policy_var vars[] = {{"age", "90d"}, {"who", "\"quoted\" \\ \n \xc3\xa9"}};
static struct plan_store stores[] = {{"hot", "https://hot.example/box/"}, {"cold", "file:///c/"}};
static struct plan_guard guards[] = {
    {"age-out",
     {.max_recordings = 5,
      .max_bytes = INT64_MAX,
      .max_deletes = 0,
      .max_fraction_ppm = 100000,
      .min_recordings = 3,
      .truncate = true},
     ORDER_LARGEST},
    {"rest",
     {POLICY_NO_LIMIT, POLICY_NO_LIMIT, POLICY_NO_LIMIT, POLICY_FRACTION_ONE, 0, false},
     ORDER_NEWEST}};
static const struct plan_header header = {
    .as_of_us = INT64_C(1748736000123456),
    .policy_digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    .vars = vars,
    .var_count = 2,
    .catalog = "sqlite:///srv/catalog.db#ecal",
    .stores = stores,
    .store_count = 2,
    .guards = guards,
    .guard_count = 2,
    .journal = "00112233445566778899aabbccddeeff",
    .simulation = true,
    .surveyed = true};

static struct plan_row move_rows[] = {
    {"ECAL \"1\"\n", "https://hot.example/box/a/b%25c/f \xe2\x82\xac", "older_than 90d: 107d"},
    {"", "https://hot.example/box/a/b%25c/", ""}};
static struct plan_row blocked_rows[] = {{"B", "anything \\ at all", "is not selected"}};

static const char *also[] = {"rest", "r.2"};

enum { ACTIONS = 5 };
static const struct plan_action actions[ACTIONS] = {
    {.kind = PLAN_MOVE,
     .store = 0,
     .directory = "a/b%c/",
     .target = 1,
     .target_directory = "a/b%c/",
     .tier = TIER_COLD,
     .policy = "age-out",
     .at = "policy.yaml:1:2",
     .also = also,
     .also_count = 2,
     .surveyed = true,
     .objects = 12,
     .bytes = INT64_MAX,
     .manifest = {{1, 2, 3, 255}},
     .terms = {.verify = VERIFY_READBACK, .keep_source = true, .grace_us = 604800 * WHEN_SECOND_US},
     .window = "mon-fri 22:00-05:00; sun 00:00-24:00",
     .oldest_us = INT64_C(-1),
     .rows = move_rows,
     .row_count = 2,
     .row_total = 2},
    {.kind = PLAN_REAP,
     .store = 0,
     .directory = "a/c/",
     .target = 1,
     .target_directory = "a/c/",
     .policy = "age-out,rest",
     .objects = 7,
     .bytes = 70,
     .manifest = {{9}},
     .oldest_us = INT64_MAX,
     .unit = 42,
     .due_us = INT64_C(1748736000000001),
     .row_total = 3},
    {.kind = PLAN_BLOCKED,
     .store = 0,
     .directory = "a/c/",
     .target = POLICY_NO_INDEX,
     .policy = "age-out",
     .at = "policy.yaml:1:2",
     .bytes = 99,
     .oldest_us = INT64_MAX,
     .reason = PLAN_CONFLICT,
     .detail = "both want it",
     .row_total = 77},
    {.kind = PLAN_BLOCKED,
     .store = 0,
     .directory = "a/d/",
     .target = 1,
     .target_directory = "a/d/",
     .policy = "rest",
     .at = "policy.yaml:9:2",
     .oldest_us = INT64_C(1748736000123456),
     .reason = PLAN_SHARED_DIRECTORY,
     .detail = "B is not selected",
     .rows = blocked_rows,
     .row_count = 1,
     .row_total = 2},
    {.kind = PLAN_MOVE,
     .store = 1,
     .directory = "a/",
     .target = 0,
     .target_directory = "a/",
     .tier = TIER_DEFAULT,
     .policy = "rest",
     .at = "policy.yaml:9:2",
     .surveyed = true,
     .objects = 0,
     .bytes = 0,
     .terms = {.verify = VERIFY_SIZE},
     .oldest_us = INT64_MAX,
     .rows = (struct plan_row[]){{"X", "file:///c/a/x", "y"}},
     .row_count = 1,
     .row_total = 1}};

static struct plan_funnel funnels[] = {
    {"age-out", 0, 1, 45, 1, 2, 3, 4, 5, 6, 7, 8, 9, true, "max_recordings 5"},
    {"rest", POLICY_NO_INDEX, 0, 45, 44, 0, 0, 0, 0, 0, 0, 0, 1, false, NULL}};
static struct plan_store_total totals[] = {{1, 2, 3, 4}, {5, 6, 7, 8}};
static const struct plan_summary summary = {
    .rows = 45,
    .unmanaged = 2,
    .shallow = 1,
    .actions = {[PLAN_MOVE] = 2, [PLAN_REAP] = 1, [PLAN_BLOCKED] = 2},
    .move_recordings = 3,
    .move_objects = 12,
    .move_bytes = INT64_MAX,
    .reap_objects = 7,
    .reap_bytes = 70,
    .left = 11,
    .next_us = INT64_C(1748736000123457),
    .next_recordings = 19,
    .next_bytes = 86,
    .funnels = funnels,
    .funnel_count = 2,
    .totals = totals,
    .total_count = 2,
    .unmanaged_samples = {"U: ftp://..: is in no declared store"},
    .missing_ids = {"M (ids.txt:3:1)", "N (ids.txt:4:1)"},
    .missing_id_count = 9};
static const struct plan_made made = {
    .at_us = INT64_C(1748736000999999), .by = "frostline 0.1.0", .host = "h", .policy = "p.yaml"};

static void write_plan(char digest[PLAN_DIGEST_MAX])
{
    struct plan_writer *writer;
    MUST(plan_file_create(path, &header, &writer, &err));
    for (int i = 0; i < ACTIONS; i++)
        MUST(plan_file_add(writer, &actions[i], &err));
    MUST(plan_file_finish(writer, &summary, &made, digest, &err));
}

static char *read_bytes(size_t *size_bytes)
{
    char *bytes;
    MUST(file_read(path, (size_t)256 << 20, &arena, &bytes, size_bytes, &err));
    return bytes;
}

static void put_bytes(const char *bytes, size_t size_bytes)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size_bytes, file), size_bytes);
    assert_int_equal(fclose(file), 0);
}

/* -- the round trip ---------------------------------------------------------------------------- */

static void same_action(const struct plan_action *a, const struct plan_action *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->store, b->store);
    assert_string_equal(a->directory, b->directory);
    assert_int_equal(a->target, b->target);
    assert_true(str_equal(a->target_directory, b->target_directory));
    assert_int_equal(a->tier, b->tier);
    assert_true(str_equal(a->policy, b->policy));
    assert_true(str_equal(a->at, b->at));
    assert_int_equal(a->also_count, b->also_count);
    for (size_t i = 0; i < a->also_count; i++)
        assert_string_equal(a->also[i], b->also[i]);
    assert_int_equal(a->surveyed, b->surveyed);
    assert_int_equal(a->objects, b->objects);
    assert_int_equal(a->bytes, b->bytes);
    assert_memory_equal(&a->manifest, &b->manifest, sizeof(a->manifest));
    assert_int_equal(a->terms.verify, b->terms.verify);
    assert_int_equal(a->terms.keep_source, b->terms.keep_source);
    assert_int_equal(a->terms.grace_us, b->terms.grace_us);
    assert_true(str_equal(a->window, b->window));
    assert_int_equal(a->oldest_us, b->oldest_us);
    assert_int_equal(a->reason, b->reason);
    assert_true(str_equal(a->detail, b->detail));
    assert_int_equal(a->unit, b->unit);
    assert_int_equal(a->due_us, b->due_us);
    assert_int_equal(a->row_total, b->row_total);
    assert_int_equal(a->row_count, b->row_count);
    for (size_t i = 0; i < a->row_count; i++) {
        assert_string_equal(a->rows[i].id, b->rows[i].id);
        assert_string_equal(a->rows[i].location, b->rows[i].location);
        assert_string_equal(a->rows[i].because, b->rows[i].because);
    }
}

static void same_header(const struct plan_header *read)
{
    assert_int_equal(read->as_of_us, header.as_of_us);
    assert_string_equal(read->policy_digest, header.policy_digest);
    assert_int_equal(read->var_count, 2);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(read->vars[i].name, vars[i].name);
        assert_string_equal(read->vars[i].value, vars[i].value);
        assert_string_equal(read->stores[i].name, stores[i].name);
        assert_string_equal(read->stores[i].base, stores[i].base);
        assert_string_equal(read->guards[i].policy, guards[i].policy);
        assert_int_equal(read->guards[i].order, guards[i].order);
        const struct policy_guards *a = &read->guards[i].guards, *b = &guards[i].guards;
        assert_int_equal(a->max_recordings, b->max_recordings);
        assert_int_equal(a->max_bytes, b->max_bytes);
        assert_int_equal(a->max_deletes, b->max_deletes);
        assert_int_equal(a->max_fraction_ppm, b->max_fraction_ppm);
        assert_int_equal(a->min_recordings, b->min_recordings);
        assert_int_equal(a->truncate, b->truncate);
    }
    assert_string_equal(read->catalog, header.catalog);
    assert_int_equal(read->store_count, 2);
    assert_int_equal(read->guard_count, 2);
    assert_string_equal(read->journal, header.journal);
    assert_int_equal(read->simulation, true);
    assert_int_equal(read->surveyed, true);
}

static void same_summary(const struct plan_summary *read)
{
    assert_int_equal(read->rows, summary.rows);
    assert_int_equal(read->unmanaged, summary.unmanaged);
    assert_int_equal(read->shallow, summary.shallow);
    assert_memory_equal(read->actions, summary.actions, sizeof(summary.actions));
    assert_int_equal(read->move_recordings, summary.move_recordings);
    assert_int_equal(read->move_objects, summary.move_objects);
    assert_int_equal(read->move_bytes, summary.move_bytes);
    assert_int_equal(read->reap_objects, summary.reap_objects);
    assert_int_equal(read->reap_bytes, summary.reap_bytes);
    assert_int_equal(read->left, summary.left);
    assert_int_equal(read->next_us, summary.next_us);
    assert_int_equal(read->next_recordings, summary.next_recordings);
    assert_int_equal(read->next_bytes, summary.next_bytes);
    assert_int_equal(read->funnel_count, 2);
    assert_int_equal(read->total_count, 2);
    assert_memory_equal(read->totals, totals, sizeof(totals));
    for (int i = 0; i < 2; i++) {
        const struct plan_funnel *a = &read->funnels[i], *b = &funnels[i];
        assert_string_equal(a->policy, b->policy);
        assert_int_equal(a->from, b->from);
        assert_int_equal(a->target, b->target);
        assert_memory_equal(&a->rows, &b->rows, 10 * sizeof(uint64_t));
        assert_int_equal(a->failed, b->failed);
        assert_true(str_equal(a->guard, b->guard));
    }
    for (int i = 0; i < PLAN_SAMPLES; i++) {
        assert_true(str_equal(read->unmanaged_samples[i], summary.unmanaged_samples[i]));
        assert_true(str_equal(read->missing_ids[i], summary.missing_ids[i]));
    }
    assert_int_equal(read->missing_id_count, 9);
}

static void every_field_comes_back(void **state)
{
    (void)state;
    char digest[PLAN_DIGEST_MAX];
    struct plan_reader *reader;
    write_plan(digest);
    MUST(plan_file_open(path, &reader, &err));
    assert_string_equal(plan_file_digest(reader), digest);
    same_header(plan_file_header(reader));
    same_summary(plan_file_summary(reader));
    assert_int_equal(plan_file_made(reader)->at_us, made.at_us);
    assert_string_equal(plan_file_made(reader)->by, made.by);
    assert_string_equal(plan_file_made(reader)->host, made.host);
    assert_string_equal(plan_file_made(reader)->policy, made.policy);
    for (int round = 0; round < 2; round++) {
        struct plan_action *action;
        for (int i = 0; i < ACTIONS; i++) {
            MUST(plan_file_next(reader, &arena, &action, &err));
            assert_non_null(action);
            same_action(action, &actions[i]);
        }
        for (int i = 0; i < 2; i++) {
            MUST(plan_file_next(reader, &arena, &action, &err));
            assert_null(action);
        }
        MUST(plan_file_rewind(reader, &err));
    }
    plan_file_close(reader);
}

/* Whatever stands at its path by then. */
static void a_copy_is_of_the_file_that_was_opened(void **state)
{
    (void)state;
    char digest[PLAN_DIGEST_MAX], opened[160], copy[160];
    struct plan_reader *reader;
    struct plan_action *action;
    size_t size_bytes, copied_bytes;
    char *copied;
    snprintf(opened, sizeof(opened), "%s.opened", path);
    snprintf(copy, sizeof(copy), "%s.copy", path);
    write_plan(digest);
    const char *bytes = read_bytes(&size_bytes);
    MUST(plan_file_open(path, &reader, &err));
    MUST(plan_file_next(reader, &arena, &action, &err));
    assert_int_equal(rename(path, opened), 0);
    MUST(plan_file_copy(reader, copy, &err));
    MUST(file_read(copy, (size_t)256 << 20, &arena, &copied, &copied_bytes, &err));
    assert_int_equal(copied_bytes, size_bytes);
    assert_memory_equal(copied, bytes, size_bytes);
    MUST(plan_file_next(reader, &arena, &action, &err));
    same_action(action, &actions[1]);
    plan_file_close(reader);
}

static void the_lines_are_as_the_format_says(void **state)
{
    (void)state;
    static const char wanted[] =
        "{\"frostline_plan\":1,\"as_of\":\"2025-06-01T00:00:00.123456Z\",\"policy\":\"sha256:"
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"vars\":{\"age\":"
        "\"90d\",\"who\":\"\\\"quoted\\\" \\\\ \\n \xc3\xa9\"},\"catalog\":"
        "\"sqlite:///srv/catalog.db#ecal\",\"stores\":{\"hot\":\"https://hot.example/box/\","
        "\"cold\":\"file:///c/\"},\"guards\":{\"age-out\":{\"max_recordings\":5,\"max_bytes\":"
        "9223372036854775807,\"max_deletes\":0,\"max_ppm\":100000,\"min_recordings\":3,"
        "\"on_exceed\":\"truncate\",\"order_by\":\"largest\"},\"rest\":{\"max_recordings\":null,"
        "\"max_bytes\":null,\"max_deletes\":null,\"max_ppm\":null,\"min_recordings\":0,"
        "\"on_exceed\":\"fail\",\"order_by\":\"newest\"}},\"journal\":"
        "\"00112233445566778899aabbccddeeff\",\"simulation\":true,\"surveyed\":true}\n"
        "{\"action\":\"move\",\"directory\":\"hot:a/b%c/\",\"to\":\"cold:a/b%c/\",\"tier\":"
        "\"cold\",\"policy\":\"age-out\",\"at\":\"policy.yaml:1:2\",\"also\":[\"rest\",\"r.2\"],"
        "\"objects\":12,\"bytes\":"
        "9223372036854775807,\"manifest\":\"sha256:"
        "010203ff00000000000000000000000000000000000000000000000000000000\",\"verify\":"
        "\"readback\",\"cleanup\":{\"source\":\"keep\",\"after_s\":604800},\"window\":\"mon-fri "
        "22:00-05:00; sun "
        "00:00-24:00\",\"oldest\":\"1969-12-31T23:59:59.999999Z\",\"recordings\":[{\"id\":\"ECAL "
        "\\\"1\\\"\\n\","
        "\"location\":\"https://hot.example/box/a/b%25c/f \xe2\x82\xac\",\"because\":"
        "\"older_than 90d: 107d\"},{\"id\":\"\",\"location\":\"https://hot.example/box/a/b%25c/\","
        "\"because\":\"\"}]}\n"
        "{\"action\":\"reap\",\"directory\":\"hot:a/c/\",\"to\":\"cold:a/c/\",\"policy\":"
        "\"age-out,rest\",\"unit\":42,\"due\":\"2025-06-01T00:00:00.000001Z\",\"objects\":7,"
        "\"bytes\":70,\"manifest\":\"sha256:"
        "0900000000000000000000000000000000000000000000000000000000000000\",\"rows\":3}\n"
        "{\"action\":\"blocked\",\"reason\":\"conflict\",\"directory\":\"hot:a/c/\",\"to\":null,"
        "\"policy\":\"age-out\",\"at\":\"policy.yaml:1:2\",\"detail\":\"both want "
        "it\",\"bytes\":99,"
        "\"oldest\":null,\"rows\":77,\"recordings\":[]}\n";
    char digest[PLAN_DIGEST_MAX];
    size_t size_bytes;
    write_plan(digest);
    const char *bytes = read_bytes(&size_bytes);
    assert_true(size_bytes > strlen(wanted));
    assert_string_equal(str_copy(&arena, bytes, strlen(wanted)), wanted);
}

/* What sha256sum says of all lines but the last. */
static void the_digest_is_over_every_byte_above_the_last_line(void **state)
{
    (void)state;
    char digest[PLAN_DIGEST_MAX], sum[PLAN_DIGEST_MAX] = "sha256:";
    uint8_t raw[DIGEST_SHA256_BYTES];
    size_t size_bytes;
    write_plan(digest);
    char *bytes = read_bytes(&size_bytes);
    char *last = strstr(bytes, "{\"summary\"");
    digest_of(DIGEST_SHA256, bytes, (size_t)(last - bytes), raw);
    digest_hex(raw, sizeof(raw), sum + strlen(sum));
    assert_string_equal(digest, sum);
    assert_non_null(strstr(last, sum));
}

static void a_plan_without_actions_is_a_plan(void **state)
{
    (void)state;
    struct plan_writer *writer;
    struct plan_reader *reader;
    struct plan_action *action;
    char digest[PLAN_DIGEST_MAX];
    const struct plan_header nothing = {
        .policy_digest = header.policy_digest, .catalog = "c", .journal = "none"};
    const struct plan_summary none = {0};
    MUST(plan_file_create(path, &nothing, &writer, &err));
    MUST(plan_file_finish(writer, &none, &made, digest, &err));
    MUST(plan_file_open(path, &reader, &err));
    MUST(plan_file_next(reader, &arena, &action, &err));
    assert_null(action);
    plan_file_close(reader);
}

/* -- what the writer refuses --------------------------------------------------------------------
 */

static void refuses(const struct plan_action *first, const struct plan_action *second,
                    enum err_kind kind)
{
    struct plan_writer *writer;
    MUST(plan_file_create(path, &header, &writer, &err));
    if (first != NULL)
        MUST(plan_file_add(writer, first, &err));
    assert_false(plan_file_add(writer, second, &err));
    assert_int_equal(err.kind, kind);
    plan_file_abandon(writer);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void the_writer_keeps_the_order(void **state)
{
    (void)state;
    refuses(&actions[0], &actions[0], ERR_INTERNAL);
    refuses(&actions[1], &actions[0], ERR_INTERNAL);
    refuses(&actions[2], &actions[1], ERR_INTERNAL);
    refuses(&actions[4], &actions[3], ERR_INTERNAL);
}

static void the_writer_refuses_what_no_reader_could_read(void **state)
{
    (void)state;
    struct plan_row row = {"\xff", "https://hot.example/box/a/b%25c/f", ""};
    struct plan_action action = actions[0];
    action.rows = &row;
    action.row_count = 1;
    refuses(NULL, &action, ERR_INPUT);
    char *large = arena_make(&arena, PLAN_FILE_LINE_MAX + 1);
    memset(large, 'x', PLAN_FILE_LINE_MAX);
    row.id = large;
    refuses(NULL, &action, ERR_INPUT);
}

/* A limit on the size of files stands for the disk. */
static void a_full_disk_leaves_nothing(void **state)
{
    (void)state;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {4096, 4096};
        struct plan_writer *writer;
        char digest[PLAN_DIGEST_MAX];
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        bool done = plan_file_create(path, &header, &writer, &err);
        for (int i = 0; done && i < 1000; i++) {
            struct plan_action action = actions[3];
            action.directory = action.target_directory = str_format(&arena, "d/%04d/", i);
            done = plan_file_add(writer, &action, &err);
        }
        done = done && plan_file_finish(writer, &summary, &made, digest, &err);
        _exit(done ? 1 : err.status == EFBIG ? 0 : 2);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(mkdir(folder, 0700), 0);
}

static void a_plan_that_was_there_stays_until_the_new_one_is_whole(void **state)
{
    (void)state;
    struct plan_writer *writer;
    size_t size_bytes;
    put_bytes("old", 3);
    MUST(plan_file_create(path, &header, &writer, &err));
    MUST(plan_file_add(writer, &actions[0], &err));
    plan_file_abandon(writer);
    assert_string_equal(read_bytes(&size_bytes), "old");
}

/* -- what the reader refuses --------------------------------------------------------------------
 */

static bool opens(void)
{
    struct plan_reader *reader;
    if (!plan_file_open(path, &reader, &err))
        return false;
    plan_file_close(reader);
    return true;
}

static void must_refuse(const char *bytes, size_t size_bytes, enum err_kind kind, const char *says)
{
    put_bytes(bytes, size_bytes);
    if (opens())
        fail_msg("opened, though %s", says);
    if (err.kind != kind || strstr(err.text, says) == NULL)
        fail_msg("kind %d: %s", (int)err.kind, err.text);
}

static void what_is_cut_off_anywhere_is_refused(void **state)
{
    (void)state;
    char digest[PLAN_DIGEST_MAX];
    size_t size_bytes;
    write_plan(digest);
    char *bytes = read_bytes(&size_bytes);
    for (size_t size = size_bytes; size-- > 0;) {
        assert_int_equal(truncate(path, (off_t)size), 0);
        assert_false(opens());
        size_t magic = strlen("{\"frostline_plan\":");
        assert_int_equal(err.kind, size < magic ? ERR_INPUT : ERR_CORRUPT);
        if (size > magic && bytes[size - 1] != '\n') { /* the line that is cut is named */
            size_t line = 1;
            for (size_t at = 0; at < size; at++)
                line += bytes[at] == '\n';
            assert_non_null(strstr(err.text, str_format(&arena, ": line %zu: cut off", line)));
        }
    }
    put_bytes(bytes, size_bytes);
    assert_true(opens());
}

/* What is read of a plan whose last line is another one: nothing that is acted upon. */
static void is_the_same_but_for_the_last_line(struct plan_reader *reader, const char *digest)
{
    const struct plan_summary *read = plan_file_summary(reader);
    assert_string_equal(plan_file_digest(reader), digest);
    assert_memory_equal(read->actions, summary.actions, sizeof(summary.actions));
    assert_int_equal(read->move_recordings, summary.move_recordings);
    assert_int_equal(read->move_bytes, summary.move_bytes);
    for (size_t f = 0; f < read->funnel_count; f++)
        assert_true(plan_funnel_adds_up(&read->funnels[f]));
}

/* In the last line stand the only bytes that the digest does not cover: there a number may be
 * another one, but no action, no sum of actions, no digest. */
static void no_byte_can_be_another_one(void **state)
{
    (void)state;
    static const unsigned char flips[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff};
    char digest[PLAN_DIGEST_MAX];
    size_t size_bytes, survived = 0;
    write_plan(digest);
    char *bytes = read_bytes(&size_bytes);
    size_t last = (size_t)(strstr(bytes, "{\"summary\"") - bytes);
    FILE_FD fd = open(path, O_WRONLY | O_CLOEXEC);
    for (size_t i = 0; i < size_bytes * sizeof(flips); i++) {
        size_t at = i / sizeof(flips);
        char other = (char)(bytes[at] ^ flips[i % sizeof(flips)]);
        assert_int_equal(pwrite(fd, &other, 1, (off_t)at), 1);
        struct plan_reader *reader;
        if (plan_file_open(path, &reader, &err)) {
            assert_true(at > last);
            is_the_same_but_for_the_last_line(reader, digest);
            plan_file_close(reader);
            survived++;
        } else /* of the first line the magic and the version tell that it is no such plan */
            assert_true(err.kind == ERR_CORRUPT ||
                        (err.kind == ERR_INPUT && at <= strlen("{\"frostline_plan\":1")));
        assert_int_equal(pwrite(fd, bytes + at, 1, (off_t)at), 1);
    }
    /* Texts and free numbers of the last line. */
    assert_in_range(survived, 1, (size_bytes - last) * sizeof(flips));
}

struct text_lines {
    const char *at[ACTIONS + 3];
    size_t count;
};

static struct text_lines split(const char *bytes)
{
    struct text_lines lines = {0};
    while (*bytes != '\0') {
        size_t size = strcspn(bytes, "\n") + 1;
        lines.at[lines.count++] = str_copy(&arena, bytes, size);
        bytes += size;
    }
    assert_int_equal(lines.count, ACTIONS + 2);
    return lines;
}

/* With a digest that fits, as somebody who tampers would write it. */
static const char *join(const struct text_lines *lines, size_t *size_bytes)
{
    struct buf text;
    uint8_t raw[DIGEST_SHA256_BYTES];
    char hex[DIGEST_HEX_MAX];
    buf_init(&text, (size_t)1 << 20);
    for (size_t i = 0; i + 1 < lines->count; i++)
        buf_text(&text, lines->at[i]);
    digest_of(DIGEST_SHA256, buf_string(&text), text.size, raw);
    digest_hex(raw, sizeof(raw), hex);
    const char *last = lines->at[lines->count - 1];
    const char *digest = strstr(last, "\"digest\":\"sha256:");
    if (digest != NULL) {
        digest += strlen("\"digest\":\"sha256:");
        buf_add(&text, last, (size_t)(digest - last));
        buf_text(&text, hex);
        buf_text(&text, digest + strlen(hex));
    } else
        buf_text(&text, last);
    *size_bytes = text.size;
    const char *joined = str_copy(&arena, buf_string(&text), text.size);
    buf_free(&text);
    return joined;
}

static void lines_can_not_be_moved_even_with_a_digest_that_fits(void **state)
{
    (void)state;
    char digest[PLAN_DIGEST_MAX];
    size_t size_bytes;
    write_plan(digest);
    const struct text_lines whole = split(read_bytes(&size_bytes));
    struct text_lines lines = whole;
    const char *bytes = join(&lines, &size_bytes);
    put_bytes(bytes, size_bytes);
    assert_true(opens());

    for (size_t i = 0; i + 1 < whole.count; i++) { /* swapped */
        lines = whole;
        lines.at[i] = whole.at[i + 1];
        lines.at[i + 1] = whole.at[i];
        bytes = join(&lines, &size_bytes);
        put_bytes(bytes, size_bytes);
        assert_false(opens());
    }
    for (size_t i = 0; i < whole.count; i++) { /* twice */
        lines = whole;
        memmove(lines.at + i + 1, lines.at + i, (whole.count - i) * sizeof(*lines.at));
        lines.count++;
        bytes = join(&lines, &size_bytes);
        put_bytes(bytes, size_bytes);
        assert_false(opens());
    }
    for (size_t i = 0; i < whole.count; i++) { /* gone */
        lines = whole;
        memmove(lines.at + i, lines.at + i + 1, (whole.count - i - 1) * sizeof(*lines.at));
        lines.count--;
        bytes = join(&lines, &size_bytes);
        put_bytes(bytes, size_bytes);
        assert_false(opens());
    }
}

/* The plan that is in line 1 different, and otherwise the same. */
static struct text_lines another_plan(void)
{
    struct plan_writer *writer;
    struct plan_header other = header;
    char digest[PLAN_DIGEST_MAX];
    size_t size_bytes;
    other.simulation = false;
    MUST(plan_file_create(path, &other, &writer, &err));
    for (int i = 0; i < ACTIONS; i++)
        MUST(plan_file_add(writer, &actions[i], &err));
    MUST(plan_file_finish(writer, &summary, &made, digest, &err));
    return split(read_bytes(&size_bytes));
}

static void no_line_can_be_of_another_plan(void **state)
{
    (void)state;
    char digest[PLAN_DIGEST_MAX];
    size_t size_bytes;
    write_plan(digest);
    const struct text_lines whole = split(read_bytes(&size_bytes)), other = another_plan();
    const size_t ends[] = {0, whole.count - 1};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct buf text;
        buf_init(&text, (size_t)1 << 20);
        for (size_t line = 0; line < whole.count; line++)
            buf_text(&text, line == ends[i] ? other.at[line] : whole.at[line]);
        must_refuse(buf_string(&text), text.size, ERR_CORRUPT, "its digest is not that of");
        buf_free(&text);
    }
}

struct edit {
    int line; /* -1: the last */
    const char *from, *to;
};

static void other_contents_are_refused_even_with_a_digest_that_fits(void **state)
{
    (void)state;
    static const struct edit edits[] = {
        {0, "\"simulation\":true,", "\"simulation\":true,\"more\":1,"}, /* unknown keys       */
        {1, "\"tier\":\"cold\",", "\"tier\":\"cold\",\"more\":1,"},
        {-1, "\"left\":11,", "\"left\":11,\"more\":1,"},
        {1, "\"tier\":\"cold\",", ""}, /* missing ones       */
        {0, "\"journal\":", "\"lineage\":"},
        {1, "\"objects\":12,\"bytes\"", "\"bytes\":12,\"objects\""}, /* another order      */
        {1, "\"objects\":12", "\"objects\": 12"},                    /* another spelling   */
        {1, "\"objects\":12", "\"objects\":12.0"},
        {1, "\"objects\":12", "\"objects\":-12"}, /* another type       */
        {1, "\"objects\":12", "\"objects\":\"12\""},
        {1, "\"objects\":12", "\"objects\":null"},
        {1, "; sun 00:00-24:00", "; sun 00:00-25:00"},
        {1, "\"policy\":\"age-out\"", "\"policy\":\"age\xc2\x9bout\""}, /* names */
        {1, "[\"rest\",\"r.2\"]", "[\"rest\",\"r 2\"]"},
        {1, "[\"rest\",\"r.2\"]", "[\"rest\",\"rest\"]"}, /* counted twice      */
        {1, "[\"rest\",\"r.2\"]", "[\"rest\",\"age-out\"]"},
        {1, "[\"rest\",\"r.2\"]", "[\"rest\",7]"},
        {1, "[\"rest\",\"r.2\"]", "[]"},
        {1, "[\"rest\",\"r.2\"]", "\"rest\""},
        {1, "[\"rest\",\"r.2\"]", "null"},
        {0, "\"stores\":{\"hot\"", "\"stores\":{\"hot pot\""},
        {-1, "{\"policy\":\"age-out\"", "{\"policy\":\"\""},
        {-1, "\"failed\":true,\"guard\":\"max_recordings 5\"", "\"failed\":true,\"guard\":null"},
        {-1, "\"by\":\"frostline 0.1.0\"", "\"by\":null"}, /* who made it */
        {-1, "\"host\":\"h\"", "\"host\":null"},
        {-1, "\"policy\":\"p.yaml\"", "\"policy\":null"},
        {1, "\"objects\":12", "\"objects\":99999999999999999999"},
        {1, "\"policy\":\"age-out\"", "\"policy\":null"},
        {1, "\"after_s\":604800", "\"after_s\":9223372036854775807"},
        {1, "\"after_s\":604800", "\"after_s\":31622400001"}, /* longer than any policy's */
        {1, "\"source\":\"keep\"", "\"source\":\"burn\""},    /* unknown words      */
        {1, "\"verify\":\"readback\"", "\"verify\":\"none\""},
        {1, "\"tier\":\"cold\"", "\"tier\":\"cosy\""},
        {1, "\"action\":\"move\"", "\"action\":\"burn\""},
        {3, "\"reason\":\"conflict\"", "\"reason\":\"none\""},
        {3, "\"policy\":\"age-out\"", "\"policy\":null"},
        {0, "\"order_by\":\"largest\"", "\"order_by\":\"random\""},
        {0, "\"on_exceed\":\"fail\"", "\"on_exceed\":\"ask\""},
        {1, "hot:a/b%c/", "lost:a/b%c/"}, /* places             */
        {1, "hot:a/b%c/", "hot:a/b%c"},
        {1, "hot:a/b%c/", "hot:"},
        {1, "cold:a/b%c/", "hot:a/b%c/"},
        {1, "cold:a/b%c/", "cold:a/other/"},
        {1, "\"to\":\"cold:a/b%c/\"", "\"to\":null"},
        {1, "box/a/b%25c/f", "box/a/elsewhere/f"}, /* a foreign row      */
        {5, "[{\"id\":\"X\",\"location\":\"file:///c/a/x\",\"because\":\"y\"}]", "[]"},
        {1, "sha256:010203ff", "sha256:010203FF"}, /* digests            */
        {1, "sha256:010203ff", "sha256:010203f"},
        {0, "sha256:0123456789", "md5:0123456789"},
        {1, "1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:60.999999Z"}, /* instants */
        {1, "1969-12-31T23:59:59.999999Z", "1970-01-01T00:59:59.999999+01:00"},
        {0, "\"as_of\":\"2025-06-01T00:00:00.123456Z\"", "\"as_of\":null"},
        {-1, "{\"from\":\"2025-06-01T00:00:00.123457Z\"", "{\"from\":null"},
        {-1, "\"recordings\":19,", ""},
        {-1, "\"bytes\":86}", "\"bytes\":86,\"more\":1}"},
        {-1, "\"recordings\":45", "\"recordings\":46"}, /* sums               */
        {-1, "\"move\":2", "\"move\":3"},
        {-1, "\"move_recordings\":3", "\"move_recordings\":2"},
        {-1, "\"reap_bytes\":70", "\"reap_bytes\":71"},
        {-1, "\"store\":\"cold\"", "\"store\":\"hot\""},
        {-1, "\"to\":\"cold\"", "\"to\":\"lost\""},
        {-1, "\"from\":\"hot\"", "\"from\":\"lost\""},
        {-1, "\"from\":null,", ""},
        {-1, "\"policy\":\"p.yaml\"", "\"policy\":null"}};
    char digest[PLAN_DIGEST_MAX];
    size_t size_bytes;
    write_plan(digest);
    const struct text_lines whole = split(read_bytes(&size_bytes));
    for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
        struct text_lines lines = whole;
        size_t number = edits[i].line < 0 ? whole.count - 1 : (size_t)edits[i].line;
        const char *found = strstr(lines.at[number], edits[i].from);
        if (found == NULL)
            fail_msg("%s is not in line %zu", edits[i].from, number);
        lines.at[number] = str_format(&arena, "%.*s%s%s", (int)(found - lines.at[number]),
                                      lines.at[number], edits[i].to, found + strlen(edits[i].from));
        const char *bytes = join(&lines, &size_bytes);
        put_bytes(bytes, size_bytes);
        if (opens())
            fail_msg("opened with %s for %s", edits[i].to, edits[i].from);
        assert_int_equal(err.kind, ERR_CORRUPT);
    }
}

/* The plan with another header, whole, and read as far as it goes. */
static bool opens_with(const char *request, const struct plan_action *action,
                       struct plan_reader **reader)
{
    struct plan_header asked = header;
    struct plan_summary sums = {.total_count = header.store_count, .totals = totals};
    struct plan_writer *writer;
    char digest[PLAN_DIGEST_MAX];
    asked.request = request;
    plan_count(&sums, action);
    MUST(plan_file_create(path, &asked, &writer, &err));
    MUST(plan_file_add(writer, action, &err));
    MUST(plan_file_finish(writer, &sums, &made, digest, &err));
    return plan_file_open(path, reader, &err);
}

/* Policies that are not those of the file know nothing of what the journal has open. */
static void a_plan_with_a_request_names_no_unit(void **state)
{
    (void)state;
    struct plan_reader *reader;
    for (size_t i = 0; i < ACTIONS; i++) {
        bool opened = opens_with("{}", &actions[i], &reader);
        if (opened == plan_names_unit(&actions[i]))
            fail_msg("%s: %s", plan_kind_name(actions[i].kind), opened ? "opened" : err.text);
        if (!opened) {
            assert_string_equal(err.text + strlen(err.text) - strlen("must be"), "must be");
            assert_non_null(strstr(err.text, "line 2: \"action\""));
            MUST(opens_with(NULL, &actions[i], &reader));
        }
        plan_file_close(reader);
    }
}

/* It is as long as a policy file may be. */
static void no_request_is_longer_than_a_policy(void **state)
{
    (void)state;
    struct plan_reader *reader;
    char *request = arena_make(&arena, POLICY_FILE_BYTES_MAX + 2);
    memset(request, ' ', POLICY_FILE_BYTES_MAX + 1);
    MUST(opens_with(request + 1, &actions[0], &reader));
    assert_string_equal(plan_file_header(reader)->request, request + 1);
    plan_file_close(reader);
    assert_false(opens_with(request, &actions[0], &reader));
    assert_non_null(strstr(err.text, "line 1: \"request\""));
}

static void what_is_no_plan_or_of_a_newer_format_is_told_apart(void **state)
{
    (void)state;
    must_refuse("", 0, ERR_INPUT, "no plan");
    must_refuse("version: 1\n", 11, ERR_INPUT, "no plan");
    must_refuse("{\"frostline\":1}\n", 16, ERR_INPUT, "no plan");
    must_refuse("\0\0\0\0", 4, ERR_INPUT, "no plan");
    must_refuse("{\"frostline_plan\":2}\n", 21, ERR_INPUT, "format 2, of a newer frostline");
    must_refuse("{\"frostline_plan\":0}\n", 21, ERR_CORRUPT, "line 1");
    must_refuse("{\"frostline_plan\":1}\n", 21, ERR_CORRUPT, "line 1");
    must_refuse("{\"frostline_plan\":\"1\"}\n", 23, ERR_CORRUPT, "line 1");
    unlink(path);
    assert_false(opens());
    assert_int_equal(err.kind, ERR_MISSING);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_false(opens());
    assert_int_equal(err.kind, ERR_INPUT);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(opens());
    assert_int_equal(err.kind, ERR_INPUT);
}

static void what_stands_behind_the_end_is_refused(void **state)
{
    (void)state;
    char digest[PLAN_DIGEST_MAX];
    size_t size_bytes;
    write_plan(digest);
    char *bytes = read_bytes(&size_bytes);
    static const char *const more[] = {"\n", "x\n", " ", "\0", "{}\n"};
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
        size_t more_bytes = more[i][0] == '\0' ? 1 : strlen(more[i]);
        char *longer = arena_make(&arena, size_bytes + more_bytes);
        memcpy(longer, bytes, size_bytes);
        memcpy(longer + size_bytes, more[i], more_bytes);
        must_refuse(longer, size_bytes + more_bytes, ERR_CORRUPT, "");
    }
}

/* Longer than any line may be: refused before it is all in memory. */
static void no_length_is_trusted(void **state)
{
    (void)state;
    static const char magic[] = "{\"frostline_plan\":1,\"as_of\":\"";
    FILE *file = fopen(path, "w");
    fputs(magic, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(truncate(path, (off_t)1 << 40), 0);
    assert_false(opens());
    assert_int_equal(err.kind, ERR_CORRUPT);
    assert_non_null(strstr(err.text, "longer than"));

    static const char deep[] = "{\"frostline_plan\":";
    char *nested = arena_make(&arena, 200000);
    memset(nested, '[', 199999);
    memcpy(nested, deep, strlen(deep));
    nested[199998] = '\n';
    must_refuse(nested, 199999, ERR_CORRUPT, "line 1");
}

/* A plan whose second line somebody makes up. */
static void must_refuse_line(const char *line, const char *says)
{
    char digest[PLAN_DIGEST_MAX];
    size_t ignored;
    write_plan(digest);
    const char *first = split(read_bytes(&ignored)).at[0];
    struct buf text;
    buf_init(&text, (size_t)32 << 20);
    buf_format(&text, "%s%s\n", first, line);
    must_refuse(buf_string(&text), text.size, ERR_CORRUPT, says);
    buf_free(&text);
}

static void no_directory_is_longer_than_a_location(void **state)
{
    (void)state;
    char *key = arena_make(&arena, LOCATION_BYTES_MAX + 2);
    memset(key, 'b', LOCATION_BYTES_MAX);
    key[LOCATION_BYTES_MAX] = '/';
    static const char line[] = "{\"action\":\"blocked\",\"directory\":\"hot:%s\"}";
    must_refuse_line(str_format(&arena, line, key), "line 2: \"directory\"");
    must_refuse_line(str_format(&arena, line, key + 1), "line 2: \"reason\"");
}

/* Their tree would take more than a gigabyte. */
static void no_line_has_millions_of_values(void **state)
{
    (void)state;
    struct buf line;
    buf_init(&line, (size_t)16 << 20);
    buf_text(&line, "{\"action\":\"move\",\"recordings\":[");
    while (line.size < (size_t)15 << 20)
        buf_text(&line, "{},");
    buf_text(&line, "{}]}");
    must_refuse_line(buf_string(&line), "line 2: more values");
    buf_free(&line);
}

static void no_directory_has_more_rows_than_are_planned(void **state)
{
    (void)state;
    struct plan_row *rows = arena_make(&arena, (PLANNER_ROWS_MAX + 1) * sizeof(*rows));
    for (size_t i = 0; i <= PLANNER_ROWS_MAX; i++)
        rows[i] = (struct plan_row){"{,[", "file:///c/a/x", "y"};
    for (size_t more = 0; more <= 1; more++) {
        struct plan_writer *writer;
        struct plan_action action = actions[4];
        char digest[PLAN_DIGEST_MAX];
        action.rows = rows;
        action.row_count = action.row_total = PLANNER_ROWS_MAX + more;
        const struct plan_summary one = {.actions = {1},
                                         .move_recordings = action.row_count,
                                         .total_count = 2,
                                         .totals = totals};
        MUST(plan_file_create(path, &header, &writer, &err));
        MUST(plan_file_add(writer, &action, &err));
        MUST(plan_file_finish(writer, &one, &made, digest, &err));
        assert_int_equal(opens(), more == 0);
    }
    assert_int_equal(err.kind, ERR_CORRUPT);
    assert_non_null(strstr(err.text, "\"recordings\""));
}

static long peak_kb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static void memory_stays_flat_over_many_actions(void **state)
{
    (void)state;
    enum { MANY = 50000 };
    struct plan_writer *writer;
    struct plan_reader *reader;
    struct plan_summary many = {
        .actions = {MANY}, .move_recordings = 2 * MANY, .total_count = 2, .totals = totals};
    struct plan_action *read;
    struct arena line;
    char directory[32], digest[PLAN_DIGEST_MAX];
    struct plan_row rows[2] = {{"A", directory, "older"}, {"B", directory, "older"}};
    char location[64];
    long before_kb = peak_kb();
    rows[0].location = rows[1].location = location;
    MUST(plan_file_create(path, &header, &writer, &err));
    for (int i = 0; i < MANY; i++) {
        struct plan_action action = actions[4];
        snprintf(directory, sizeof(directory), "d/%06d/", i);
        snprintf(location, sizeof(location), "file:///c/%sf", directory);
        action.directory = action.target_directory = directory;
        action.rows = rows;
        action.row_count = action.row_total = 2;
        MUST(plan_file_add(writer, &action, &err));
    }
    MUST(plan_file_finish(writer, &many, &made, digest, &err));
    MUST(plan_file_open(path, &reader, &err));
    arena_init(&line, (size_t)64 << 20);
    int count = 0;
    for (;; count++) {
        arena_reset(&line);
        MUST(plan_file_next(reader, &line, &read, &err));
        if (read == NULL)
            break;
    }
    arena_free(&line);
    plan_file_close(reader);
    assert_int_equal(count, MANY);
#ifndef __SANITIZE_ADDRESS__
    assert_in_range(peak_kb() - before_kb, 0, 8 << 10);
#else
    (void)before_kb;
#endif
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(memory_stays_flat_over_many_actions), /* first: peaks never go down */
        TEST(every_field_comes_back),
        TEST(a_copy_is_of_the_file_that_was_opened),
        TEST(the_lines_are_as_the_format_says),
        TEST(the_digest_is_over_every_byte_above_the_last_line),
        TEST(a_plan_without_actions_is_a_plan),
        TEST(the_writer_keeps_the_order),
        TEST(the_writer_refuses_what_no_reader_could_read),
        TEST(a_full_disk_leaves_nothing),
        TEST(a_plan_that_was_there_stays_until_the_new_one_is_whole),
        TEST(what_is_cut_off_anywhere_is_refused),
        TEST(no_byte_can_be_another_one),
        TEST(lines_can_not_be_moved_even_with_a_digest_that_fits),
        TEST(no_line_can_be_of_another_plan),
        TEST(other_contents_are_refused_even_with_a_digest_that_fits),
        TEST(a_plan_with_a_request_names_no_unit),
        TEST(no_request_is_longer_than_a_policy),
        TEST(what_is_no_plan_or_of_a_newer_format_is_told_apart),
        TEST(what_stands_behind_the_end_is_refused),
        TEST(no_length_is_trusted),
        TEST(no_directory_is_longer_than_a_location),
        TEST(no_line_has_millions_of_values),
        TEST(no_directory_has_more_rows_than_are_planned)};
    return cmocka_run_group_tests_name("plan_file", tests, NULL, NULL);
}
