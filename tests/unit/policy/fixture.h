/* fixture.h: a policy from a text, with an environment that is a list. */
#ifndef TESTS_UNIT_POLICY_FIXTURE_H
#define TESTS_UNIT_POLICY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "policy/diag.h"
#include "policy/load.h"
#include "policy/policy.h"

#define FIXTURE_ARENA_BYTES ((size_t)512 << 20)
#define FIXTURE_OUT_BYTES ((size_t)4 << 20)

/* "NAME=value", ended by NULL. */
static inline const char *fixture_env(void *context, const char *name)
{
    const char *const *env = context;
    size_t size = strlen(name);
    for (size_t i = 0; env != NULL && env[i] != NULL; i++) {
        if (strncmp(env[i], name, size) == 0 && env[i][size] == '=')
            return env[i] + size + 1;
    }
    return NULL;
}

struct fixture_file {
    const char *path;
    const char *text;  /* NULL: not to be read */
    size_t size_bytes; /* 0: up to NUL */
};

struct fixture {
    const char *const *env;           /* filled in before fixture_load, as all to var_count are */
    const char *path;                 /* of the policy; NULL: p.yaml */
    const struct fixture_file *files; /* the last one has no path; NULL: none */
    const char *ids;                  /* what any ids file holds; NULL: there is none */
    size_t ids_size_bytes;            /* 0: up to NUL */
    const struct policy_var *vars;
    size_t var_count;
    const char *request; /* NULL: none */
    bool stand_ins;
    struct arena arena;
    struct diags diags;
    struct policies *policies;
    struct buf out; /* the findings, rendered */
    size_t reads;   /* how many files were asked for */
};

static inline bool fixture_read(void *context, const char *path, size_t limit_bytes,
                                struct arena *arena, char **bytes, size_t *size_bytes,
                                struct err *err)
{
    struct fixture *fixture = context;
    struct fixture_file ids = {path, fixture->ids, fixture->ids_size_bytes};
    bool is_ids = limit_bytes == POLICY_IDS_FILE_BYTES_MAX && ids.text != NULL;
    const struct fixture_file *file = is_ids ? &ids : fixture->files;
    fixture->reads++;
    while (file != NULL && file->path != NULL && !str_equal(file->path, path))
        file++;
    if (file == NULL || file->path == NULL)
        return ERR(err, ERR_MISSING, "%s: No such file or directory", path);
    if (file->text == NULL)
        return ERR(err, ERR_DENIED, "%s: Permission denied", path);
    *size_bytes = file->size_bytes == 0 ? strlen(file->text) : file->size_bytes;
    if (*size_bytes > limit_bytes)
        return ERR(err, ERR_INPUT, "%s is too large", path);
    *bytes = arena_make(arena, *size_bytes + 1);
    memcpy(*bytes, file->text, *size_bytes);
    return true;
}

static inline void fixture_load_bytes(struct fixture *fixture, const char *bytes, size_t size)
{
    struct policy_source source = {.path = fixture->path == NULL ? "p.yaml" : fixture->path,
                                   .env = fixture_env,
                                   .env_context = (void *)fixture->env,
                                   .vars = fixture->vars,
                                   .var_count = fixture->var_count,
                                   .request = fixture->request,
                                   .stand_ins = fixture->stand_ins};
    arena_init(&fixture->arena, FIXTURE_ARENA_BYTES);
    diag_init(&fixture->diags, &fixture->arena);
    buf_init(&fixture->out, FIXTURE_OUT_BYTES);
    struct load load = {.source = &source,
                        .read = fixture_read,
                        .read_secret = fixture_read,
                        .read_context = fixture,
                        .arena = &fixture->arena,
                        .diags = &fixture->diags};
    load_bytes(&load, bytes, size, &fixture->policies);
    diag_render(&fixture->diags, &fixture->out);
}

static inline void fixture_load(struct fixture *fixture, const char *text)
{
    fixture_load_bytes(fixture, text, strlen(text));
}

static inline void fixture_free(struct fixture *fixture)
{
    policy_free(fixture->policies);
    buf_free(&fixture->out);
    arena_free(&fixture->arena);
}

/* True if exactly these codes were found, in the order of their places. */
static inline bool fixture_has_codes(const struct fixture *fixture, const int *codes, size_t count)
{
    const char *at = buf_string(&fixture->out);
    for (size_t i = 0; i < count; i++) {
        char want[16];
        snprintf(want, sizeof want, "[FL%04d]", codes[i]);
        at = strstr(at, "[FL");
        if (at == NULL || strncmp(at, want, strlen(want)) != 0)
            return false;
        at += strlen(want);
    }
    return fixture->diags.errors + fixture->diags.warnings == count;
}
#define assert_codes(fixture, ...)                                                                 \
    do {                                                                                           \
        const int codes_[] = {__VA_ARGS__};                                                        \
        if (!fixture_has_codes((fixture), codes_, sizeof codes_ / sizeof *codes_))                 \
            fail_msg("other findings:\n%s", buf_string(&(fixture)->out));                          \
    } while (0)

/* No findings; they are shown if there are. */
#define assert_loaded(fixture)                                                                     \
    do {                                                                                           \
        if ((fixture)->policies == NULL)                                                           \
            fail_msg("findings:\n%s", buf_string(&(fixture)->out));                                \
    } while (0)

/* What most tests begin with.  The columns are as fixture_shape says. */
#define FIXTURE_HEAD                                                                               \
    "version: 1\n"                                                                                 \
    "catalog:\n"                                                                                   \
    "  type: sqlite\n"                                                                             \
    "  path: /srv/catalog.db\n"                                                                    \
    "  table: recordings\n"                                                                        \
    "  id: id\n"                                                                                   \
    "  location: url\n"                                                                            \
    "  time: {column: recorded, timezone: UTC}\n"                                                  \
    "  size: {column: gb, unit: GB}\n"                                                             \
    "  fields: {map: map, length: length, weight: weight, valid: valid, seen: seen, day: day,\n"   \
    "           odd: odd}\n"                                                                       \
    "stores:\n"                                                                                    \
    "  hot: {type: local, path: /srv/hot}\n"                                                       \
    "  warm: {type: local, path: /srv/warm}\n"                                                     \
    "  cold: {type: local, path: /srv/cold}\n"
#define FIXTURE_HEAD_LINES 15

enum {
    FIELD_MAP,
    FIELD_LENGTH,
    FIELD_WEIGHT,
    FIELD_VALID,
    FIELD_SEEN,
    FIELD_DAY,
    FIELD_ODD,
    FIELDS
};
enum { HOT, WARM, COLD };

static inline struct catalog_shape fixture_shape(void)
{
    static enum value_kind fields[FIELDS] = {VALUE_TEXT,    VALUE_INTEGER, VALUE_DECIMAL,
                                             VALUE_BOOLEAN, VALUE_INSTANT, VALUE_DATE,
                                             VALUE_UNSUPPORTED};
    return (struct catalog_shape){
        .identity = "sqlite:///srv/catalog.db#recordings",
        .time = VALUE_INSTANT,
        .time_is_naive = true,
        .size = VALUE_DECIMAL,
        .fields = fields,
        .location_indexed = true,
    };
}

#define FIXTURE_PARENTS_MAX 16

/* Goes to a folder of the repository from wherever below it the test was started. */
static inline void fixture_enter(const char *folder)
{
    for (int i = 0; i < FIXTURE_PARENTS_MAX; i++) {
        if (chdir(folder) == 0)
            return;
        assert_int_equal(chdir(".."), 0);
    }
    fail_msg("%s is not above this folder", folder);
}
#endif
