#include "policy/include.h"

#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/map.h"
#include "base/str.h"
#include "policy/diag_codes.h"
#include "policy/extra.h"
#include "policy/load.h"
#include "policy/scalar.h"
#include "policy/schema.h"
#include "policy/tree.h"

/* A file that was met, under the one name that it has. */
struct met {
    const char *path;
    struct span span; /* where it is listed */
};

struct includer {
    struct load *load;
    struct node *root;
    struct met *met; /* the first is the root policy itself */
    size_t met_count;
};

/* ---- merging ---- */

/* What each file may have a part of. */
static bool has_parts(const struct schema_key *key)
{
    return key != NULL && (key->type == SCHEMA_LIST || key->type == SCHEMA_MAP);
}

/* Parts can be put together if each is a list, or a map, that is not empty. */
static void check_part(struct load *load, const struct schema_key *key, struct node *value)
{
    const char *noun = str_format(load->arena, "`%s`", key->name);
    bool fine =
        key->type == SCHEMA_LIST ? schema_list(load, value, noun) : schema_map(load, value, noun);
    value->broken = !fine;
}

static void refuse_nested(struct load *load, struct node *value)
{
    if (value->broken)
        return;
    struct diag *diag = diag_add(load->diags, DIAG_INCLUDE_NESTED, value->key->span,
                                 "`include` in an included file");
    diag->label = "only the root policy includes";
    diag->help = "list these files there; their paths are relative to its folder then";
    value->broken = true;
}

/* The tests of what a file of tests is about are not run with it. */
static bool is_other_test(const struct load *load, const struct schema_key *key)
{
    return key != NULL && str_equal(key->name, "tests") &&
           str_ends(load->policies->path, POLICY_TESTS);
}

static void merge_value(struct includer *includer, struct node *value)
{
    struct load *load = includer->load;
    const struct schema_key *key = schema_find(&schema_root, value->key->text);
    if (is_other_test(load, key))
        return;
    if (str_equal(value->key->text, "include"))
        refuse_nested(load, value);
    else if (has_parts(key))
        check_part(load, key, value);
    struct node *first = key == NULL ? NULL : tree_find(includer->root, key->name);
    if (first == NULL || first->broken || value->broken) {
        tree_append(includer->root, value);
    } else if (has_parts(key)) {
        tree_splice(first, value);
    } else {
        tree_refuse_duplicate(load->diags, first, value);
        tree_append(includer->root, value);
    }
}

static void merge_file(struct includer *includer, const struct node *map)
{
    for (struct node *value = map->first, *next; value != NULL; value = next) {
        next = value->next;
        if (!str_equal(value->key->text, "version")) /* checked, and each file's own */
            merge_value(includer, value);
    }
}

/* ---- reading ---- */

/* The one name of a file; one that has none can't be read, or did not come from a disk. */
static const char *one_name(const struct load *load, const char *path)
{
    const char *real;
    struct err err;
    return file_real_path(path, load->arena, &real, &err) ? real : path;
}

/* True if the file was not met before; otherwise a finding. */
static bool is_new(struct includer *includer, struct node *item)
{
    struct load *load = includer->load;
    const char *path = one_name(load, load_file_path(load, item, item->text));
    size_t i = 0;
    while (i < includer->met_count && !str_equal(includer->met[i].path, path))
        i++;
    if (i == includer->met_count) {
        includer->met[includer->met_count++] = (struct met){path, item->span};
        return true;
    }
    struct diag *diag =
        diag_add(load->diags, DIAG_INCLUDE_TWICE, item->span, "%s %s", scalar_shown(load, item),
                 i == 0 ? "is the root policy itself" : "is included twice");
    diag->label = i == 0 ? "it is read already" : "listed again";
    item->broken = true;
    if (i == 0)
        return false;
    diag->has_second = true;
    diag->second = includer->met[i].span;
    diag->second_label = "first listed here";
    return false;
}

/* The tree of the file; NULL after a finding. */
static struct node *read_tree(struct load *load, struct node *item)
{
    const struct extra_file *file = load_file(load, item, POLICY_FILE_BYTES_MAX, DIAG_INCLUDE);
    if (file == NULL)
        return NULL;
    struct node *map = tree_read(load->diags, file->file, load->arena);
    if (map == NULL || !schema_map(load, map, "a policy file") || !load_version(load, map))
        return NULL;
    return map;
}

/* False if what the file says is not known. */
static bool read_item(struct includer *includer, struct node *item)
{
    if (!scalar_text(includer->load, item))
        return false;
    if (!is_new(includer, item))
        return true;
    const struct node *map = read_tree(includer->load, item);
    if (map != NULL)
        merge_file(includer, map);
    return map != NULL;
}

/* Between files; within one they were checked before. */
static void check_names(struct load *load, const struct node *map)
{
    if (map != NULL && !map->broken)
        tree_check_keys(load->diags, load->arena, map);
}

/* A tree is many times its file, and what becomes of all trees is less than they are. */
static bool has_memory(struct load *load, const struct node *item)
{
    if (arena_has(load->arena, load->arena->limit_bytes / 2))
        return true;
    diag_add(load->diags, DIAG_LIMIT, item->span, "the included files are too large")->label =
        "no memory is left from here on";
    return false;
}

static bool read_list(struct load *load, struct node *root, const struct node *list)
{
    struct includer includer = {.load = load, .root = root, .met_count = 1};
    bool whole = true;
    if (list->count >= LOAD_FILES_MAX) {
        diag_add(load->diags, DIAG_TOO_MANY, list->key->span, "more than %d files", LOAD_FILES_MAX)
            ->label = "too many";
        return false;
    }
    includer.met = arena_make(load->arena, (list->count + 1) * sizeof *includer.met);
    includer.met[0].path = one_name(load, load->policies->path);
    for (struct node *value = root->first; value != NULL; value = value->next) {
        const struct schema_key *key = schema_find(&schema_root, value->key->text);
        if (has_parts(key))
            check_part(load, key, value);
    }
    for (struct node *item = list->first; item != NULL; item = item->next) {
        if (!has_memory(load, item))
            return false;
        whole &= read_item(&includer, item);
    }
    check_names(load, tree_find(root, "vars"));
    check_names(load, tree_find(root, "stores"));
    return whole;
}

/* ---- all of it ---- */

/* What could not be read may have held any key. */
static void stand_in(struct load *load, struct node *root)
{
    for (const struct schema_key *key = schema_root.keys; key->name != NULL; key++) {
        struct node *value = arena_make(load->arena, sizeof *value);
        *value = (struct node){.broken = true, .text = "", .span = root->span};
        value->key = arena_make(load->arena, sizeof *value->key);
        *value->key = (struct node){.text = key->name, .span = root->span};
        if (!str_equal(key->name, "version")) /* which the root needs itself */
            tree_append(root, value);
    }
}

void include_read(struct load *load, struct node *root)
{
    struct node *list = tree_find(root, "include");
    bool whole =
        list == NULL || (schema_list(load, list, "`include`") && read_list(load, root, list));
    if (!whole || !schema_knows(&schema_root, root, "include"))
        stand_in(load, root);
}

/* ---- what stands in place of the root's ---- */

static void put(struct node *root, struct node *value)
{
    struct node *own = tree_find(root, value->key->text);
    if (own == NULL) {
        tree_append(root, value);
        return;
    }
    value->next = own->next;
    *own = *value;
}

static const struct node *name_of(const struct node *policy)
{
    const struct node *name = policy->kind == NODE_MAP ? tree_find(policy, "name") : NULL;
    return name != NULL && name->kind == NODE_SCALAR ? name : NULL;
}

/* What is open under a name belongs to the policy that the file has of it. */
static void refuse_taken(struct load *load, const struct node *own, const struct node *requested)
{
    struct map taken;
    size_t index = 0;
    map_init(&taken, load->arena);
    const struct node **names = arena_make(load->arena, (own->count + 1) * sizeof *names);
    for (const struct node *policy = own->first; policy != NULL; policy = policy->next)
        if ((names[index] = name_of(policy)) != NULL && map_put(&taken, names[index]->text, index))
            index++;
    for (const struct node *policy = requested->first; policy != NULL; policy = policy->next) {
        const struct node *name = name_of(policy);
        if (name == NULL || !map_find(&taken, name->text, &index))
            continue;
        struct diag *diag =
            diag_add(load->diags, DIAG_SAME_NAME, name->span, "a second `%s`", name->text);
        diag->label = "the name is taken";
        diag->has_second = true;
        diag->second = names[index]->span;
        diag->second_label = "a policy of the file has it";
    }
}

static void refuse_aimless(struct load *load, const struct node *request)
{
    diag_add(load->diags, DIAG_MISSING_KEY, request->span, "a request needs `policies` or `select`")
        ->label = "asks for nothing";
}

void include_request(struct load *load, struct node *root)
{
    struct raw_request raw = {0};
    struct node *request = load_request(load);
    if (request == NULL || !schema_map(load, request, "a request"))
        return;
    schema_read(load, &schema_request, request, &raw);
    load->asked = raw.select;
    if (raw.policies == NULL) {
        if (raw.select == NULL && load->diags->errors == 0)
            refuse_aimless(load, request);
        return;
    }
    const struct node *own = tree_find(root, "policies");
    if (own != NULL && own->kind == NODE_LIST)
        refuse_taken(load, own, raw.policies);
    put(root, raw.policies);
}

/* ---- files of tests ---- */

/* "a/recordings.test.yaml" is about "recordings.yaml" beside it, unless it says otherwise. */
static struct node *named_policy(struct load *load, const struct node *map, struct node *policy)
{
    if (policy != NULL)
        return policy;
    const char *path = load->policies->path, *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    size_t stem = strlen(name) - strlen(POLICY_TESTS);
    struct node *made = arena_make(load->arena, sizeof *made);
    *made = (struct node){.span = {map->span.file, 1, 1, 1}};
    made->text = str_format(load->arena, "%.*s" POLICY_SUFFIX, (int)stem, name);
    return made;
}

struct node *include_tested(struct load *load, struct node *map)
{
    struct raw_tests_file raw = {0};
    schema_read(load, &schema_tests_file, map, &raw);
    struct node *named = named_policy(load, map, raw.policy);
    struct node *tests = tree_find(map, "tests");
    if (named->broken || tests == NULL)
        return NULL;
    struct node *root = read_tree(load, named);
    if (root != NULL)
        put(root, tests);
    return root;
}
