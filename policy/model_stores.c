#include "policy/model.h"

#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/url.h"
#include "policy/diag_codes.h"
#include "policy/load.h"
#include "policy/scalar.h"
#include "policy/schema.h"
#include "policy/substitute.h"
#include "policy/tree.h"

#define ALIASES_OWN_MAX 3 /* other endpoints of an account */

static void refuse(struct load *load, struct node *node, int code, const char *wanted,
                   const char *label)
{
    diag_add(load->diags, code, node->span, "%s is not %s", scalar_shown(load, node), wanted)
        ->label = label;
    node->broken = true;
}

/* ---- places ---- */

/* As locations are spelled: only '%', '?' and '#' are encoded (state/location.h). */
static const char *encode(struct arena *arena, const char *text)
{
    char *out = arena_make(arena, 3 * strlen(text) + 1);
    char *at = out;
    for (; *text != '\0'; text++) {
        if (strchr("%?#", *text) == NULL) {
            *at++ = *text;
            continue;
        }
        memcpy(at, *text == '%' ? "%25" : *text == '?' ? "%3F" : "%23", 3);
        at += 3;
    }
    return out;
}

static const char *azure_base(struct arena *arena, const char *endpoint,
                              const struct policy_store *store)
{
    return str_format(arena, "%s/%s/%s", endpoint, store->container, encode(arena, store->prefix));
}

/* The account's endpoints beside the one that is used ("Storage account overview", Microsoft Learn:
 * standard endpoints; redundancy adds -secondary; hierarchical namespaces answer at dfs).        */
static size_t azure_aliases(struct arena *arena, const struct policy_store *store,
                            const char **aliases)
{
    const char *account = store->connection.account;
    const char *host = strstr(store->connection.endpoint, "://") + 3;
    const char *suffix = host + strlen(account) + strlen(".blob.");
    if (store->connection.path_style)
        return 0;
    if (!str_starts(host, str_format(arena, "%s.blob.", account))) {
        /* A name of one's own for an account: the standard one goes on to work. */
        const char *standard = str_format(arena, "https://%s.blob.core.windows.net", account);
        aliases[0] = azure_base(arena, standard, store);
        return 1;
    }
    aliases[0] = azure_base(arena, str_format(arena, "https://%s.dfs.%s", account, suffix), store);
    aliases[1] = azure_base(
        arena, str_format(arena, "https://%s-secondary.blob.%s", account, suffix), store);
    return 2;
}

static char *lower(struct arena *arena, const char *text)
{
    char *copy = arena_copy(arena, text);
    for (char *at = copy; *at != '\0'; at++) {
        if (*at >= 'A' && *at <= 'Z')
            *at += 'a' - 'A';
    }
    return copy;
}

/* No empty, '.' or '..' segment: it is what a store's base may look like. */
static bool has_odd_segment(const char *path)
{
    for (const char *at = path; *at != '\0';) {
        size_t size = strcspn(at, "/");
        if (size == 0 || (size == 1 && at[0] == '.') || (size == 2 && at[0] == '.' && at[1] == '.'))
            return true;
        at += size + (at[size] == '/');
    }
    return false;
}

static bool is_default_port(const char *scheme, const char *port)
{
    return port == NULL || port[0] == '\0' ||
           (str_equal(scheme, "https") && str_equal(port, "443")) ||
           (str_equal(scheme, "http") && str_equal(port, "80"));
}

/* A URL of the policy's list in the form of a base; NULL after a finding. */
static const char *read_url(struct load *load, struct node *node)
{
    struct url url;
    struct err err;
    struct arena *arena = load->arena;
    if (!url_read(node->text, arena, &url, &err) || url.userinfo != NULL || url.query != NULL ||
        url.fragment != NULL) {
        struct diag *diag =
            diag_add(load->diags, DIAG_URL, node->span, "this is not the URL of a store");
        diag->label = "scheme, host and path are wanted, no user, no query";
        diag->secret = true;
        return NULL;
    }
    const char *scheme = lower(arena, url.scheme);
    bool known =
        str_equal(scheme, "https") || str_equal(scheme, "http") || str_equal(scheme, "file");
    const char *path = url.path + (url.path[0] == '/');
    if (!known || has_odd_segment(path)) {
        diag_add(load->diags, DIAG_URL, node->span, "%s is not the URL of a store",
                 scalar_shown(load, node))
            ->label = known ? "empty, `.` or `..` in the path" : "https, http or file is wanted";
        return NULL;
    }
    bool bare = is_default_port(scheme, url.port);
    const char *end = path[0] == '\0' || str_ends(path, "/") ? "" : "/";
    return str_format(arena, "%s://%s%s%s/%s%s", scheme, lower(arena, url.host), bare ? "" : ":",
                      bare ? "" : url.port, path, end);
}

static void add_alias(struct place *place, const char **aliases, const char *alias)
{
    if (str_equal(alias, place->base))
        return;
    for (size_t i = 0; i < place->alias_count; i++) {
        if (str_equal(alias, aliases[i]))
            return;
    }
    aliases[place->alias_count++] = alias;
}

static void make_place(struct load *load, const struct policy_store *store, struct node *urls,
                       struct place *place)
{
    struct arena *arena = load->arena;
    const char *own[ALIASES_OWN_MAX];
    size_t own_count = 0;
    place->store = store->name;
    if (store->type == STORE_LOCAL) {
        place->base = str_format(arena, "file://%s/", encode(arena, store->path));
    } else {
        place->base = azure_base(arena, store->connection.endpoint, store);
        own_count = azure_aliases(arena, store, own);
    }
    size_t count = own_count + (urls == NULL ? 0 : urls->count);
    const char **aliases = arena_make(arena, count * sizeof *aliases + 1);
    place->aliases = aliases;
    for (size_t i = 0; i < own_count; i++)
        add_alias(place, aliases, own[i]);
    for (struct node *url = urls == NULL ? NULL : urls->first; url != NULL; url = url->next) {
        const char *alias = substitute_env(load, url) ? read_url(load, url) : NULL;
        if (alias != NULL)
            add_alias(place, aliases, alias);
    }
}

/* ---- azure ---- */

/* Does the string hold a key or signature that no reference gave? */
static bool has_literal_key(const char *skeleton)
{
    static const char *const names[] = {"accountkey=", "sharedaccesssignature=", "sig="};
    for (const char *at = skeleton; *at != '\0'; at++) {
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            size_t size = strlen(names[i]);
            if (strncasecmp(at, names[i], size) != 0)
                continue;
            const char *value = at + size;
            size_t length = strcspn(value, i == 2 ? ";&" : ";");
            for (size_t k = 0; k < length; k++) {
                if (value[k] != SUBSTITUTE_HIDDEN)
                    return true;
            }
        }
    }
    return false;
}

static void read_connection(struct load *load, struct node *node, struct policy_store *store)
{
    struct secret text = {0};
    const char *skeleton;
    struct err err;
    if (!substitute_secret(load, node, &text, &skeleton))
        return;
    if (has_literal_key(skeleton)) {
        struct diag *diag = diag_add(load->diags, DIAG_LITERAL_SECRET, node->span,
                                     "`%s` holds a key or a signature", node->key->text);
        diag->label = "a secret stands in the file";
        diag->help = "take it from the environment, ${STORE_CONNECTION_STRING}, and change it: "
                     "it was seen";
        diag->secret = true;
        node->broken = true;
    } else if (!connection_read(&text, load->arena, &store->connection, &err)) {
        struct diag *diag = diag_add(load->diags, DIAG_CONNECTION_STRING, node->span,
                                     "the connection string of `%s`: %s", store->name, err.text);
        diag->label = "what it stands for is not a connection string";
        diag->secret = true;
        node->broken = true;
    }
    secret_clear(&text);
}

/* "Naming and Referencing Containers, Blobs, and Metadata", Microsoft Learn. */
static bool is_container(const char *text)
{
    size_t size = strlen(text);
    if (size < 3 || size > 63 || text[0] == '-' || text[size - 1] == '-')
        return false;
    for (const char *at = text; *at != '\0'; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9');
        if (!plain && (*at != '-' || at[1] == '-'))
            return false;
    }
    return true;
}

static bool is_key_text(const char *text)
{
    return str_is_utf8(text, strlen(text)) && !str_has_control(text, strlen(text)) &&
           strchr(text, '\\') == NULL;
}

static const char *read_prefix(struct load *load, struct node *node)
{
    if (node == NULL || node->text[0] == '\0')
        return "";
    if (node->text[0] == '/' || has_odd_segment(node->text) || !is_key_text(node->text) ||
        strlen(node->text) > OBJECT_KEY_MAX / 2) {
        refuse(load, node, DIAG_PATH, "a prefix",
               "like `recordings/`: no `/` in front, no empty, `.` or `..` part");
        return "";
    }
    return str_format(load->arena, "%s%s", node->text, str_ends(node->text, "/") ? "" : "/");
}

static void read_azure(struct load *load, const struct raw_store *raw, struct policy_store *store)
{
    if (raw->connection_string != NULL)
        read_connection(load, raw->connection_string, store);
    store->prefix = read_prefix(load, raw->prefix);
    if (raw->container == NULL)
        return;
    store->container = raw->container->text;
    if (!is_container(store->container))
        refuse(load, raw->container, DIAG_CONTAINER, "a name of a container",
               "3 to 63 lower-case letters, digits and single `-` are wanted");
}

/* ---- all of them ---- */

static void read_tier(struct load *load, struct node *map, const struct raw_store *raw,
                      struct policy_store *store)
{
    const struct node *node = tree_find(map, "tier");
    if (node == NULL || node->broken)
        return;
    store->tier = TIER_HOT + raw->tier;
    if (store->tier != TIER_ARCHIVE)
        return;
    struct diag *diag =
        diag_add(load->diags, DIAG_ARCHIVE, node->span, "`tier: archive` is not supported yet");
    diag->label = "what is archived can't be read back to verify it";
    diag->help = "hot, cool and cold are";
}

/* Of a value that was broken before it came here there is no new finding. */
static bool has_broken_value(const struct node *map)
{
    for (const struct node *value = map->first; value != NULL; value = value->next) {
        if (value->broken)
            return true;
    }
    return false;
}

/* The place is left without a base if the store has a finding. */
static void read_store(struct load *load, struct node *map, struct policy_store *store,
                       struct place *place)
{
    size_t errors = load->diags->errors;
    struct raw_store raw = {0};
    *store = (struct policy_store){
        .name = map->key->text, .span = map->key->span, .path = "", .container = "", .prefix = ""};
    const struct schema *schema = NULL;
    if (scalar_name(load, map->key) && schema_map(load, map, "a store"))
        schema = schema_variant(load, map, "a store", schema_stores);
    map->broken = schema == NULL;
    if (map->broken)
        return;
    schema_read(load, schema, map, &raw);
    store->type = raw.type;
    if (store->type == STORE_AZURE)
        read_azure(load, &raw, store);
    else if (raw.path != NULL)
        store->path = load_path(load, raw.path);
    read_tier(load, map, &raw, store);
    if (raw.set != NULL)
        model_catalog_read_set(load, raw.set, store);
    if (load->diags->errors == errors && !has_broken_value(map))
        make_place(load, store, raw.urls, place);
    map->broken = load->diags->errors > errors || has_broken_value(map);
}

static void refuse_pair(struct load *load, const struct policy_store *first,
                        const struct policy_store *second, const char *are, const char *label)
{
    struct diag *diag = diag_add(load->diags, DIAG_SAME_PLACE, second->span,
                                 "stores `%s` and `%s` %s", first->name, second->name, are);
    diag->label = label;
    diag->has_second = true;
    diag->second = first->span;
    diag->second_label = "the other one";
}

/* Two stores of one place: what is in the one is not in the other only by its tier. */
static void check_twins(struct load *load, const struct policy_store *first,
                        const struct policy_store *second)
{
    if (first->type == STORE_LOCAL)
        refuse_pair(load, first, second, "overlap", "is the other one");
    else if (first->tier == second->tier || first->tier == TIER_DEFAULT ||
             second->tier == TIER_DEFAULT)
        refuse_pair(load, first, second, "are one place", "each needs a `tier` of its own");
    else if (first->set_count + second->set_count > 0)
        refuse_pair(load, first, second, "are one place",
                    "none can `set` columns: a change of the tier rewrites no row");
}

static void check_pair(struct load *load, const struct policy_store *stores,
                       const struct place *first, const struct place *second, size_t i, size_t k)
{
    struct place pair[] = {*first, *second};
    struct places places = {.items = pair, .count = 2};
    struct err err;
    size_t a, b;
    if (place_is_shared(&places, 0))
        check_twins(load, &stores[i], &stores[k]);
    else if (!place_check(&places, &a, &b, &err))
        refuse_pair(load, &stores[i], &stores[k], "overlap", "is, holds or lies in the other one");
}

static void check_places(struct load *load, const struct place *places, const struct node *stores)
{
    const struct policies *policies = load->policies;
    const struct node *first = stores->first;
    for (size_t i = 0; i < policies->store_count; i++, first = first->next) {
        const struct node *second = first->next;
        for (size_t k = i + 1; k < policies->store_count; k++, second = second->next) {
            if (!first->broken && !second->broken)
                check_pair(load, policies->stores, &places[i], &places[k], i, k);
        }
    }
}

static void join_aliases(struct arena *arena, struct place *place, const struct place *other)
{
    size_t size = (place->alias_count + other->alias_count) * sizeof *place->aliases;
    const char **aliases = arena_make(arena, size + 1);
    for (size_t i = 0; i < place->alias_count; i++)
        aliases[i] = place->aliases[i];
    for (size_t i = 0; i < other->alias_count; i++)
        add_alias(place, aliases, other->aliases[i]);
    place->aliases = aliases;
}

/* Whoever names an object by a URL of one store means the object of all that are one place. */
static void share_aliases(struct arena *arena, const struct places *places, struct place *items)
{
    for (size_t i = 0; i < places->count; i++) {
        size_t first = place_first(places, i);
        if (first != i)
            join_aliases(arena, &items[first], &items[i]);
    }
    for (size_t i = 0; i < places->count; i++) {
        const struct place *first = &items[place_first(places, i)];
        items[i].aliases = first->aliases;
        items[i].alias_count = first->alias_count;
    }
}

void model_stores_read(struct load *load, struct node *node)
{
    struct policies *policies = load->policies;
    if (node->count > PLACE_MAX) {
        diag_add(load->diags, DIAG_TOO_MANY, node->key->span, "more than %d stores", PLACE_MAX)
            ->label = "too many";
        return;
    }
    policies->stores = arena_make(load->arena, node->count * sizeof *policies->stores);
    struct place *places = arena_make(load->arena, node->count * sizeof *places);
    for (struct node *map = node->first; map != NULL; map = map->next) {
        size_t index = policies->store_count++;
        /* Named, if nothing else: a policy may mean it. */
        policies->stores[index].name = map->key->text;
        if (!map->broken)
            read_store(load, map, &policies->stores[index], &places[index]);
        load->stores_broken |= map->broken;
    }
    policies->places = (struct places){
        .items = places, .count = policies->store_count, .by_object = policies->catalog.by_object};
    load->stores_known = true;
    check_places(load, places, node);
    share_aliases(load->arena, &policies->places, places);
}
