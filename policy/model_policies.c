#include "policy/model.h"

#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/str.h"
#include "policy/diag_codes.h"
#include "policy/extra.h"
#include "policy/load.h"
#include "policy/scalar.h"
#include "policy/schema.h"
#include "policy/select.h"
#include "policy/tree.h"
#include "policy/window.h"

#define HOLDS_MAX 1024

#define GRACE_DEFAULT_US (7 * WHEN_DAY_US)

/* Names of one section, and where each is. */
struct names {
    struct map map;
    const struct node **nodes;
    size_t count;
};

static void check_name(struct load *load, struct names *names, const struct node *name)
{
    size_t index;
    if (name == NULL)
        return;
    names->nodes[names->count] = name;
    if (map_put(&names->map, name->text, names->count++) ||
        !map_find(&names->map, name->text, &index))
        return;
    struct diag *diag =
        diag_add(load->diags, DIAG_SAME_NAME, name->span, "a second `%s`", name->text);
    diag->label = "the name is taken";
    diag->has_second = true;
    diag->second = names->nodes[index]->span;
    diag->second_label = "first used here";
}

static bool open_section(struct load *load, struct node *list, size_t limit, struct names *names)
{
    if (list->count > limit) {
        diag_add(load->diags, DIAG_TOO_MANY, list->key->span, "more than %zu %s", limit,
                 list->key->text)
            ->label = "too many";
        return false;
    }
    names->nodes = arena_make(load->arena, list->count * sizeof *names->nodes);
    map_init(&names->map, load->arena);
    return true;
}

static struct clause *compile(struct load *load, struct node *node, struct node **everything)
{
    *everything = NULL;
    return node == NULL ? NULL : select_compile(load, node, everything);
}

/* The last day is over when the next one begins. */
static int64_t end_of(const struct load *load, struct when_date last)
{
    return last.year == 0 ? INT64_MAX : select_midnight(load->policies, last, 1);
}

/* Line 0 if the map has no such key. */
static struct span span_of(const struct node *map, const char *key)
{
    const struct node *value = tree_find(map, key);
    return value == NULL ? (struct span){0} : value->span;
}

/* ---- holds ---- */

static void read_holds(struct load *load, struct node *list)
{
    struct policy_extra *extra = load->policies->extra;
    struct names names = {0};
    struct node *everything;
    if (!open_section(load, list, HOLDS_MAX, &names))
        return;
    load->policies->holds = arena_make(load->arena, list->count * sizeof *load->policies->holds);
    extra->untils = arena_make(load->arena, list->count * sizeof *extra->untils);
    for (struct node *item = list->first; item != NULL; item = item->next) {
        struct raw_hold raw = {0};
        if (!schema_map(load, item, "a hold"))
            continue;
        schema_read(load, &schema_hold, item, &raw);
        check_name(load, &names, raw.name);
        extra->untils[load->policies->hold_count] = span_of(item, "until");
        load->policies->holds[load->policies->hold_count++] =
            (struct policy_hold){.name = raw.name == NULL ? "" : raw.name->text,
                                 .reason = raw.reason == NULL ? "" : raw.reason->text,
                                 .until_us = end_of(load, raw.until),
                                 .select = compile(load, raw.select, &everything)};
    }
}

/* ---- policies ---- */

static void read_cleanup(struct load *load, struct node *map, struct policy_terms *terms,
                         struct span *grace)
{
    if (map == NULL)
        return;
    if (tree_find(map, "after") != NULL)
        *grace = span_of(map, "after");
    struct raw_cleanup raw = {terms->keep_source ? CLEANUP_KEEP : CLEANUP_DELETE, terms->grace_us};
    schema_read(load, &schema_cleanup, map, &raw);
    terms->keep_source = raw.source == CLEANUP_KEEP;
    terms->grace_us = raw.after_us;
}

static void read_guards(struct load *load, struct node *map, struct policy_guards *guards)
{
    struct raw_guards raw = {.guards = policy_guards_none};
    if (map != NULL)
        schema_read(load, &schema_guards, map, &raw);
    *guards = raw.guards;
    guards->truncate = raw.on_exceed == 1;
}

/* The bit of the window, which may be another policy's as well. */
static uint64_t window_bit(struct load *load, const struct window *window, struct span span)
{
    struct policies *policies = load->policies;
    size_t i = 0;
    while (i < policies->window_count && memcmp(&policies->windows[i], window, sizeof *window) != 0)
        i++;
    if (i == POLICY_WINDOWS_MAX) {
        diag_add(load->diags, DIAG_TOO_MANY, span, "more than %d different windows",
                 POLICY_WINDOWS_MAX)
            ->label = "too many";
        return 0;
    }
    if (i == policies->window_count)
        policies->windows[policies->window_count++] = *window;
    return UINT64_C(1) << i;
}

static void read_window(struct load *load, struct node *map, struct policy_terms *terms)
{
    struct window window;
    size_t errors = load->diags->errors;
    if (map == NULL)
        return;
    memset(&window, 0, sizeof window); /* they are compared byte by byte */
    window.days = WINDOW_ALL_DAYS;
    window.to_min = WINDOW_DAY_MIN;
    schema_read(load, &schema_window, map, &window);
    if (load->diags->errors > errors)
        return;
    if (window.from_min == window.to_min || window.from_min == WINDOW_DAY_MIN) {
        diag_add(load->diags, DIAG_WINDOW, map->key->span, "a window of no time")->label =
            window.from_min == WINDOW_DAY_MIN ? "24:00 can only end a window"
                                              : "it ends where it begins";
        return;
    }
    terms->windows = window_bit(load, &window, map->key->span);
}

static void check_everything(struct load *load, const struct node *everything,
                             const struct node *guards, const struct policy *policy)
{
    bool guarded = policy->guards.max_recordings != POLICY_NO_LIMIT ||
                   policy->guards.max_fraction_ppm < POLICY_FRACTION_ONE;
    /* Guards that could not be read are no missing ones. */
    bool misread = guards != NULL && guards->broken;
    for (const struct node *one = guards == NULL ? NULL : guards->first; one != NULL;
         one = one->next)
        misread |= one->broken;
    if (everything == NULL || guarded || misread)
        return;
    struct diag *diag = diag_add(load->diags, DIAG_UNGUARDED, everything->key->span,
                                 "`everything` without a guard");
    diag->label = "would take every recording at once";
    diag->help = "guards: {max_percent: 10%}, or max_recordings";
}

/* The first store that a policy may take from and whose kind is not its target's. */
static const struct policy_store *find_other_kind(const struct policies *policies,
                                                  const struct policy *policy)
{
    const struct policy_store *target = &policies->stores[policy->target];
    for (size_t i = 0; i < policies->store_count; i++) {
        bool source = policy->from == POLICY_NO_INDEX || policy->from == i;
        if (source && policies->stores[i].type != target->type)
            return &policies->stores[i];
    }
    return NULL;
}

static void check_kinds(struct load *load, const struct node *target, const struct policy *policy)
{
    if (load->stores_broken)
        return;
    const struct policy_store *other = find_other_kind(load->policies, policy);
    if (other == NULL)
        return;
    const struct policy_store *store = &load->policies->stores[policy->target];
    struct diag *diag = diag_add(load->diags, DIAG_MIXED_KINDS, target->span,
                                 "moves between kinds of store are not supported yet");
    diag->label =
        str_format(load->arena, "`%s` is %s, and `%s` is %s", store->name,
                   schema_store_types[store->type], other->name, schema_store_types[other->type]);
    if (policy->from == POLICY_NO_INDEX)
        diag->help = "`from: ..` names the one store that recordings may come from";
}

static void check_stores(struct load *load, const struct raw_policy *raw, struct policy *policy)
{
    bool known = true;
    policy->from = policy->target = POLICY_NO_INDEX;
    if (raw->from != NULL)
        known &= load_find_store(load, raw->from, &policy->from);
    if (raw->target != NULL)
        known &= load_find_store(load, raw->target, &policy->target);
    if (known && raw->target != NULL)
        check_kinds(load, raw->target, policy);
}

static void read_policy(struct load *load, struct node *item, const struct raw_policy *raw,
                        struct policy *policy, struct extra_policy *spans)
{
    struct node *everything, *none;
    policy->name = raw->name == NULL ? "" : raw->name->text;
    policy->description = raw->description == NULL ? "" : raw->description->text;
    policy->at = extra_where(load->policies, item->span, load->arena);
    policy->span = item->span;
    spans->name = span_of(item, "name");
    spans->target = span_of(item, "target");
    spans->expires = span_of(item, "expires");
    policy->enabled = raw->enabled;
    policy->expires_us = end_of(load, raw->expires);
    policy->priority = raw->priority;
    policy->order = raw->order_by;
    policy->terms.verify = raw->verify;
    read_cleanup(load, raw->cleanup, &policy->terms, &spans->grace);
    policy->terms.residency_us = raw->min_residency_us;
    read_window(load, raw->window, &policy->terms);
    read_guards(load, raw->guards, &policy->guards);
    check_stores(load, raw, policy);
    policy->select = compile(load, raw->select, &everything);
    policy->exclude = compile(load, raw->exclude, &none);
    check_everything(load, everything, tree_find(item, "guards"), policy);
}

static void read_policies(struct load *load, struct node *list, const struct policy_terms *terms,
                          struct span grace)
{
    struct policy_extra *extra = load->policies->extra;
    struct names names = {0};
    if (!open_section(load, list, POLICY_MAX, &names))
        return;
    load->policies->windows =
        arena_make(load->arena, POLICY_WINDOWS_MAX * sizeof *load->policies->windows);
    load->policies->items = arena_make(load->arena, list->count * sizeof *load->policies->items);
    extra->policies = arena_make(load->arena, list->count * sizeof *extra->policies);
    for (struct node *item = list->first; item != NULL; item = item->next) {
        struct policy *policy = &load->policies->items[load->policies->count];
        struct extra_policy *spans = &extra->policies[load->policies->count];
        struct raw_policy raw = {.enabled = true, .verify = terms->verify};
        if (!schema_map(load, item, "a policy"))
            continue;
        schema_read(load, &schema_policy, item, &raw);
        check_name(load, &names, raw.name);
        policy->terms = *terms;
        spans->grace = grace;
        read_policy(load, item, &raw, policy, spans);
        load->policies->count++;
    }
}

void model_policies_read(struct load *load, const struct raw_root *root)
{
    struct policy_terms terms = {.verify = VERIFY_CHECKSUM, .grace_us = GRACE_DEFAULT_US};
    struct span grace = {0};
    if (root->defaults != NULL) {
        struct raw_defaults raw = {.verify = terms.verify};
        schema_read(load, &schema_defaults, root->defaults, &raw);
        terms.verify = raw.verify;
        read_cleanup(load, raw.cleanup, &terms, &grace);
    }
    if (root->holds != NULL)
        read_holds(load, root->holds);
    if (root->policies != NULL)
        read_policies(load, root->policies, &terms, grace);
}

/* That little was asked for is no alarm. */
void model_policies_narrow(struct load *load)
{
    struct policies *policies = load->policies;
    policies->asked = select_compile_asked(load, load->asked);
    for (size_t i = 0; i < policies->count; i++)
        policies->items[i].guards.min_recordings = 0;
}
