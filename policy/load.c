#include "policy/load.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/map.h"
#include "base/str.h"
#include "base/zone.h"
#include "policy/clause.h"
#include "policy/diag_codes.h"
#include "policy/extra.h"
#include "policy/include.h"
#include "policy/model.h"
#include "policy/scalar.h"
#include "policy/schema.h"
#include "policy/substitute.h"
#include "policy/tree.h"

#define VERSION 1
#define DIGEST_PREFIX "sha256:"
/* An id of an ids file, its place in the table and the copies that growing leaves behind. */
#define ID_BYTES_MAX 256

/* ---- files ---- */

/* "a/b/recordings.yaml" is in "a/b". */
static const char *folder_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return "";
    return slash == path ? "/" : str_copy(arena, path, (size_t)(slash - path));
}

/* Findings count columns behind a byte order mark; the digest is over all that was read. */
static struct extra_file *add_file(struct load *load, const char *path, const char *shown_path,
                                   const char *bytes, size_t size_bytes)
{
    struct policy_extra *extra = load->policies->extra;
    struct extra_file *file = &extra->files[extra->file_count++];
    size_t mark = size_bytes >= 3 && memcmp(bytes, "\ufeff", 3) == 0 ? 3 : 0;
    *file = (struct extra_file){.path = path,
                                .folder = folder_of(load->arena, path),
                                .bytes = bytes,
                                .size_bytes = size_bytes};
    const char *revision = load->source->revision;
    if (revision != NULL)
        shown_path = str_format(load->arena, "%s:%s", revision, shown_path);
    file->file = diag_add_file(load->diags, shown_path, bytes + mark, size_bytes - mark);
    return file;
}

/* As add_file wants it, and digests and reports show it. */
static const char *path_in_set(const struct load *load, const struct node *node, const char *path)
{
    return file_join(load->arena, extra_file_of(load->policies, node->span)->folder, path);
}

const char *load_file_path(const struct load *load, const struct node *node, const char *path)
{
    return file_join(load->arena, load->folder, path_in_set(load, node, path));
}

struct extra_file *load_file(struct load *load, struct node *node, size_t limit_bytes, int code)
{
    const char *path = load_file_path(load, node, node->text);
    char *bytes;
    size_t size_bytes;
    struct err err;
    node->broken = true;
    if (load->policies->extra->file_count >= LOAD_FILES_MAX) {
        diag_add(load->diags, DIAG_TOO_MANY, node->span, "more than %d files", LOAD_FILES_MAX);
        return NULL;
    }
    if (!load->read(load->read_context, path, limit_bytes, load->arena, &bytes, &size_bytes,
                    &err)) {
        struct diag *diag =
            diag_add(load->diags, code, node->span, "%s can't be read", scalar_shown(load, node));
        str_tame(err.text);
        diag->label = arena_copy(load->arena, err.text);
        diag->help = "the path is relative to the folder of this file";
        return NULL;
    }
    node->broken = false;
    return add_file(load, path_in_set(load, node, node->text), path, bytes, size_bytes);
}

struct node *load_request(struct load *load)
{
    static const char name[] = POLICY_REQUEST;
    const char *bytes = arena_copy(load->arena, load->source->request);
    struct extra_file *file = add_file(load, name, name, bytes, strlen(bytes));
    return tree_read(load->diags, file->file, load->arena);
}

/* ---- ids files ---- */

static bool refuse_line(struct load *load, struct extra_file *file, struct span span,
                        const char *label)
{
    diag_add(load->diags, DIAG_IDS_LINE, span, "this is not an id")->label = label;
    file->broken = true;
    return false;
}

/* One id a line; blanks around it, and what follows a '#' at the start or behind a blank, are not
 * part of it.  An empty one is none.                                                            */
static bool read_id(struct load *load, struct extra_file *file, const char *line, size_t size,
                    uint32_t number, uint32_t *index)
{
    size_t from = 0, to = size;
    while (from < size && (line[from] == ' ' || line[from] == '\t'))
        from++;
    for (size_t i = from; i < to; i++) {
        if (line[i] == '#' && (i == from || line[i - 1] == ' ' || line[i - 1] == '\t'))
            to = i;
    }
    while (to > from && strchr(" \t\r", line[to - 1]) != NULL)
        to--;
    *index = IDS_NONE;
    if (from == to)
        return true;
    struct span span = {file->file, number, (uint32_t)from + 1, (uint32_t)(to - from)};
    if (!str_is_utf8(line + from, to - from) || str_has_control(line + from, to - from))
        return refuse_line(load, file, span, "control characters, or not UTF-8");
    *index =
        ids_add(&load->policies->extra->ids, str_copy(load->arena, line + from, to - from), span);
    return *index != IDS_NONE || refuse_line(load, file, span, "too many ids");
}

static size_t count_lines(const char *bytes, size_t size)
{
    size_t count = 1;
    for (size_t i = 0; i < size; i++)
        count += bytes[i] == '\n';
    return count;
}

static void read_ids(struct load *load, struct node *node, struct extra_file *file)
{
    size_t count = 0, lines = count_lines(file->bytes, file->size_bytes);
    if (!arena_has(load->arena, file->size_bytes + lines * ID_BYTES_MAX)) {
        diag_add(load->diags, DIAG_LIMIT, node->span, "%s is too large", scalar_shown(load, node));
        file->broken = true;
        return;
    }
    uint32_t *indexes = arena_make(load->arena, lines * sizeof *indexes);
    const char *at = load->diags->files[file->file].bytes; /* behind a byte order mark */
    const char *end = file->bytes + file->size_bytes;
    for (uint32_t number = 1; number <= lines; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t size = (size_t)((newline == NULL ? end : newline) - at);
        if (read_id(load, file, at, size, number, &indexes[count]) && indexes[count] != IDS_NONE)
            count++;
        at += size + (newline != NULL);
    }
    if (count == 0 && !file->broken) {
        struct diag *diag = diag_add(load->diags, DIAG_EMPTY_SELECTION, node->span,
                                     "%s lists no id", scalar_shown(load, node));
        diag->label = "selects nothing";
        file->broken = true;
    }
    file->list = ids_list(&load->policies->extra->ids, indexes, count);
}

bool load_ids_file(struct load *load, struct node *node, struct extra_file **file)
{
    struct policy_extra *extra = load->policies->extra;
    const char *path = path_in_set(load, node, node->text);
    *file = NULL;
    for (size_t i = 0; i < extra->file_count; i++) {
        if (extra->files[i].has_list && str_equal(extra->files[i].path, path))
            *file = &extra->files[i];
    }
    if (*file == NULL) {
        *file = load_file(load, node, POLICY_IDS_FILE_BYTES_MAX, DIAG_IDS_FILE);
        if (*file == NULL)
            return false;
        (*file)->has_list = true;
        read_ids(load, node, *file);
    }
    node->broken = (*file)->broken;
    return !node->broken;
}

/* ---- what several sections need ---- */

static void refuse_store(struct load *load, const struct node *node)
{
    const struct policies *policies = load->policies;
    const char **names = arena_make(load->arena, (policies->store_count + 1) * sizeof *names);
    for (size_t i = 0; i < policies->store_count; i++)
        names[i] = policies->stores[i].name;
    const char *nearest = str_nearest(node->text, names);
    struct diag *diag = diag_add(load->diags, DIAG_UNKNOWN_STORE, node->span, "unknown store %s",
                                 scalar_shown(load, node));
    diag->label = "`stores` has no such name";
    if (nearest != NULL)
        diag->help = str_format(load->arena, "did you mean `%s`?", nearest);
}

bool load_find_store(struct load *load, struct node *node, uint16_t *store)
{
    const struct policies *policies = load->policies;
    for (size_t i = 0; i < policies->store_count; i++) {
        if (str_equal(policies->stores[i].name, node->text)) {
            *store = (uint16_t)i;
            return true;
        }
    }
    node->broken = true;
    if (load->stores_known)
        refuse_store(load, node);
    return false;
}

bool load_find_policy(struct load *load, struct node *node, uint16_t *index)
{
    const struct policies *policies = load->policies;
    const char **names = arena_make(load->arena, (policies->count + 1) * sizeof *names);
    for (size_t i = 0; i < policies->count; i++) {
        names[i] = policies->items[i].name;
        if (!str_equal(names[i], node->text))
            continue;
        *index = (uint16_t)i;
        return true;
    }
    const char *nearest = str_nearest(node->text, names);
    struct diag *diag = diag_add(load->diags, DIAG_UNKNOWN_POLICY, node->span, "unknown policy %s",
                                 scalar_shown(load, node));
    diag->label = "no policy has that name";
    if (nearest != NULL)
        diag->help = str_format(load->arena, "did you mean `%s`?", nearest);
    node->broken = true;
    return false;
}

void load_zone(struct load *load, struct node *node, const struct zone **zone)
{
    struct err err;
    if (zone_open(node->text, load->arena, zone, &err))
        return;
    struct diag *diag = diag_add(load->diags, DIAG_ZONE, node->span, "%s is no time zone",
                                 scalar_shown(load, node));
    diag->label = "a name like Europe/Berlin or UTC is wanted";
    node->broken = true;
}

static const char *refuse_path(struct load *load, struct node *node, const char *label)
{
    diag_add(load->diags, DIAG_PATH, node->span, "%s is no path", scalar_shown(load, node))->label =
        label;
    node->broken = true;
    return NULL;
}

const char *load_path(struct load *load, struct node *node)
{
    if (node->text[0] == '\0')
        return refuse_path(load, node, "empty");
    if (str_has_control(node->text, strlen(node->text)) ||
        !str_is_utf8(node->text, strlen(node->text)))
        return refuse_path(load, node, "control characters, or not UTF-8");
    const char *folder = load_file_path(load, node, ".");
    struct err err;
    if (node->text[0] != '/' && (folder[0] != '/' || strstr(folder, "/../") != NULL) &&
        !file_real_path(folder, load->arena, &folder, &err))
        return refuse_path(load, node, "the policy's folder can't be found");

    const char *whole = file_join(load->arena, folder, node->text);
    char *path = arena_make(load->arena, strlen(whole) + 2);
    size_t size = 0;
    for (const char *at = whole; *at != '\0';) {
        size_t segment = strcspn(at, "/");
        if (segment == 2 && at[0] == '.' && at[1] == '.')
            return refuse_path(load, node, "`..` is not followed: symbolic links could mislead it");
        if (segment > 0 && !(segment == 1 && at[0] == '.')) {
            path[size++] = '/';
            memcpy(path + size, at, segment);
            size += segment;
        }
        at += segment + (at[segment] == '/');
    }
    if (size == 0)
        return refuse_path(load, node, "the root folder");
    return path;
}

/* ---- vars ---- */

static bool is_var_name(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || *at == '_';
        if (!letter && (at == text || *at < '0' || *at > '9'))
            return false;
    }
    return text[0] != '\0';
}

static int compare_vars(const void *a, const void *b)
{
    return str_compare(((const struct policy_var *)a)->name, ((const struct policy_var *)b)->name);
}

static bool check_var(struct load *load, struct node *value)
{
    if (value->broken || !scalar_text(load, value))
        return false;
    const char *wrong = NULL;
    if (!is_var_name(value->key->text))
        wrong = "letters, digits and `_` are wanted, no digit first";
    else if (value->plain && value->text[0] == '$')
        wrong = "a var can't stand for another one";
    if (wrong == NULL)
        return true;
    struct span span = is_var_name(value->key->text) ? value->span : value->key->span;
    diag_add(load->diags, DIAG_VAR, span, "this is not a var")->label = wrong;
    value->broken = true;
    return false;
}

static void override_var(struct load *load, const struct policy_var *given, struct span span)
{
    struct policies *policies = load->policies;
    for (size_t i = 0; i < policies->var_count; i++) {
        if (str_equal(policies->vars[i].name, given->name)) {
            policies->vars[i].value = given->value;
            return;
        }
    }
    if (!load->vars_known)
        return;
    struct diag *diag =
        diag_add(load->diags, DIAG_VAR, span, "--var %s overrides nothing", given->name);
    diag->label = "no var of that name here";
}

/* Broken ones are kept without a value, so that their uses are no further findings. */
static void read_vars(struct load *load, const struct node *root)
{
    struct policies *policies = load->policies;
    struct node *vars = tree_find(root, "vars");
    struct span span = {load->file, 1, 1, 1};
    if (vars != NULL && schema_map(load, vars, "`vars`")) {
        span = vars->key->span;
        policies->extra->vars = vars;
        policies->vars = arena_make(load->arena, vars->count * sizeof *policies->vars);
        for (struct node *value = vars->first; value != NULL; value = value->next) {
            const char *text = check_var(load, value) ? value->text : NULL;
            policies->vars[policies->var_count++] = (struct policy_var){value->key->text, text};
        }
    }
    load->vars_known = schema_knows(&schema_root, root, "vars");
    for (size_t i = 0; i < load->source->var_count; i++)
        override_var(load, &load->source->vars[i], span);
    if (policies->var_count > 0)
        qsort(policies->vars, policies->var_count, sizeof *policies->vars, compare_vars);
}

/* ---- all of it ---- */

bool load_version(struct load *load, struct node *root)
{
    int32_t version;
    struct node *node = tree_find(root, "version");
    if (node == NULL || node->broken)
        return true;
    if (!scalar_integer(load, node, &version))
        return true;
    if (version == VERSION)
        return true;
    struct diag *diag = diag_add(load->diags, DIAG_VERSION, node->span,
                                 "version %d of the policy language", version);
    diag->label = "this frostline reads version 1";
    return false;
}

static void read_root(struct load *load, struct node *root)
{
    struct raw_root raw = {0};
    include_read(load, root);
    read_vars(load, root);
    substitute_vars(load, root);
    if (load->source->request != NULL)
        include_request(load, root);
    schema_read(load, &schema_root, root, &raw);
    if (raw.timezone != NULL)
        load_zone(load, raw.timezone, &load->policies->zone);
    if (raw.catalog != NULL)
        model_catalog_read(load, raw.catalog);
    if (raw.stores != NULL)
        model_stores_read(load, raw.stores);
    load->stores_known &= schema_knows(&schema_root, root, "stores");
    model_policies_read(load, &raw);
    if (load->asked != NULL)
        model_policies_narrow(load);
    if (raw.tests != NULL && load->source->request == NULL)
        model_tests_read(load, raw.tests);
}

static const char *digest_files(const struct load *load)
{
    const struct policy_extra *extra = load->policies->extra;
    struct digest digest;
    uint8_t bytes[DIGEST_SHA256_BYTES];
    char hex[DIGEST_HEX_MAX];
    digest_init(&digest, DIGEST_SHA256);
    for (size_t i = 0; i < extra->file_count; i++) {
        const struct extra_file *file = &extra->files[i];
        const char *size = str_format(load->arena, "%zu", file->size_bytes);
        digest_add(&digest, file->path, strlen(file->path) + 1);
        digest_add(&digest, size, strlen(size) + 1);
        digest_add(&digest, file->bytes, file->size_bytes);
    }
    digest_finish(&digest, bytes);
    digest_hex(bytes, sizeof bytes, hex);
    return str_format(load->arena, DIGEST_PREFIX "%s", hex);
}

static void begin(struct load *load, const char *bytes, size_t size_bytes)
{
    struct policies *policies = arena_make(load->arena, sizeof *policies);
    struct err err;
    load->policies = policies;
    policies->path = arena_copy(load->arena, load->source->path);
    policies->extra = arena_make(load->arena, sizeof *policies->extra);
    policies->extra->arena = load->arena;
    policies->extra->files =
        arena_make(load->arena, (LOAD_FILES_MAX + 1) * sizeof *policies->extra->files);
    ids_init(&policies->extra->ids, load->arena);
    if (!zone_open("UTC", load->arena, &policies->zone, &err))
        abort(); /* it needs no file */
    const char *slash = strrchr(policies->path, '/');
    const char *name = slash == NULL ? policies->path : slash + 1;
    load->folder = folder_of(load->arena, policies->path);
    load->file = add_file(load, name, policies->path, bytes, size_bytes)->file;
}

void load_bytes(struct load *load, const char *bytes, size_t size_bytes, struct policies **policies)
{
    *policies = NULL;
    begin(load, bytes, size_bytes);
    struct node *root = tree_read(load->diags, load->file, load->arena);
    bool is_readable =
        root != NULL && schema_map(load, root, "a policy file") && load_version(load, root);
    if (is_readable && str_ends(load->policies->path, POLICY_TESTS))
        root = include_tested(load, root);
    if (is_readable && root != NULL)
        read_root(load, root);
    if (load->diags->errors > 0) {
        policy_free(load->policies);
        return;
    }
    load->policies->zone_name = zone_name(load->policies->zone);
    load->policies->digest = digest_files(load);
    *policies = load->policies;
}
