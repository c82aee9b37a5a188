/* Any bytes as a policy: findings, or a policy that is warned of, binds, prepares and decides;
 * never a crash, a leak or a secret in a finding.  The first byte chooses the environment, the rest
 * is the file; what stands behind a form feed, which no policy may hold, is every file that it
 * includes.  Files that it names do not come from the disk.                                      */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "policy/explain.h"
#include "policy/lint.h"
#include "policy/load.h"
#include "policy/policy.h"
#include "policy/substitute.h"
#include "state/location.h"

#define FUZZ_ARENA_BYTES ((size_t)1 << 30)
#define FUZZ_OUT_BYTES ((size_t)16 << 20)
#define FUZZ_SECRET "CANARYc2VjcmV0"
#define FUZZ_AS_OF_US INT64_C(1748736000000000)
#define FUZZ_NEXT_FILE '\f'

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_input {
    uint8_t choice;
    const char *included; /* NULL: none */
    size_t included_size_bytes;
};

static const char *fuzz_env(void *context, const char *name)
{
    static const char *const values[] = {
        NULL,
        FUZZ_SECRET,
        "AccountName=acct;AccountKey=" FUZZ_SECRET "==",
        "/srv/" FUZZ_SECRET,
        "postgresql://u:" FUZZ_SECRET "@h/db",
        "BlobEndpoint=https://acct.example;SharedAccessSignature=sig=" FUZZ_SECRET,
    };
    const struct fuzz_input *input = context;
    (void)name;
    return values[input->choice % (sizeof values / sizeof *values)];
}

static bool fuzz_read(void *context, const char *path, size_t limit_bytes, struct arena *arena,
                      char **bytes, size_t *size_bytes, struct err *err)
{
    const struct fuzz_input *input = context;
    const char *content =
        limit_bytes == SUBSTITUTE_FILE_BYTES_MAX ? FUZZ_SECRET "\n" : "A\n# x\nB\n";
    *size_bytes = strlen(content);
    if (limit_bytes == POLICY_FILE_BYTES_MAX) {
        content = input->included;
        *size_bytes = input->included_size_bytes;
    }
    if (path[0] == '/' || content == NULL)
        return ERR(err, ERR_MISSING, "no such file");
    *bytes = arena_make(arena, *size_bytes + 1);
    memcpy(*bytes, content, *size_bytes);
    return true;
}

/* One row whose every field is of the kind that the catalog says. */
static void fuzz_decide(struct policies *policies, struct arena *arena, struct diags *diags)
{
    size_t count = policies->catalog.field_count;
    struct value *fields = arena_make(arena, (count + 1) * sizeof *fields);
    struct catalog_shape shape = {.time = VALUE_INSTANT, .size = VALUE_DECIMAL};
    shape.fields = arena_make(arena, (count + 1) * sizeof *shape.fields);
    for (size_t i = 0; i < count; i++) {
        shape.fields[i] = VALUE_TEXT + i % (VALUE_DATE - VALUE_TEXT + 1);
        fields[i].kind = shape.fields[i];
        if (fields[i].kind == VALUE_TEXT)
            fields[i].text.bytes = "";
    }
    if (!policy_bind(policies, &shape, diags))
        return;
    policy_prepare(policies, FUZZ_AS_OF_US);

    struct record record = {.id = "A",
                            .location = "file:///srv/a/b",
                            .time_us = FUZZ_AS_OF_US / 2,
                            .has_time = true,
                            .fields = fields,
                            .field_count = count};
    struct decision decision, other;
    struct buf why;
    buf_init(&why, FUZZ_OUT_BYTES);
    const struct location here = {.place = 0, .key = "a/b"}, there = {.place = 1, .key = "a/b"};
    policy_decide(policies, &record, &here, &decision);
    policy_decide(policies, &record, &there, &other);
    if (decision.winner != POLICY_NO_INDEX)
        explain_because(policies, decision.winner, &record, &here, &why);
    if (decision.winner != POLICY_NO_INDEX && other.winner != POLICY_NO_INDEX)
        policy_contest(policies, 0, &decision, &other);
    if (policy_held(policies, &record, &here) != decision.hold)
        abort();
    buf_free(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > POLICY_FILE_BYTES_MAX)
        return 0;
    struct arena arena;
    struct diags diags;
    struct policies *policies;
    struct buf out;
    struct fuzz_input input = {.choice = data[0]};
    struct policy_source source = {.path = "p.yaml", .env = fuzz_env, .env_context = &input};
    arena_init(&arena, FUZZ_ARENA_BYTES);
    diag_init(&diags, &arena);
    buf_init(&out, FUZZ_OUT_BYTES);
    struct load load = {.source = &source,
                        .read = fuzz_read,
                        .read_context = &input,
                        .arena = &arena,
                        .diags = &diags};
    char *bytes = arena_make(&arena, size);
    memcpy(bytes, data + 1, size - 1);
    const char *next = memchr(bytes, FUZZ_NEXT_FILE, size - 1);
    size_t root_size = next == NULL ? size - 1 : (size_t)(next - bytes);
    if (next != NULL) {
        input.included = next + 1;
        input.included_size_bytes = size - 2 - root_size;
    }
    load_bytes(&load, bytes, root_size, &policies);
    if ((policies == NULL) != (diags.errors > 0))
        abort();
    if (policies != NULL) {
        lint_policies(policies, FUZZ_AS_OF_US, &diags);
        fuzz_decide(policies, &arena, &diags);
    }
    policy_free(policies);
    diag_render(&diags, &out);
    if (memmem(data, size, FUZZ_SECRET, strlen(FUZZ_SECRET)) == NULL &&
        strstr(buf_string(&out), FUZZ_SECRET) != NULL)
        abort();
    buf_free(&out);
    arena_free(&arena);
    return 0;
}
