#include "planner/plan_parse.h"

#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/str.h"
#include "base/when.h"
#include "planner/plan_line.h"
#include "planner/planner.h"
#include "policy/window.h"
#include "state/location.h"
#include "state/unit.h"

/* Four of each row, and what stands beside them. */
#define VALUES_MAX ((size_t)5 * PLANNER_ROWS_MAX)

/* An object being read; what is wrong with it is checked once, at the end. */
struct fields {
    const struct json *json;
    struct arena *arena;
    const char *wrong; /* the first key whose value is not what it must be */
};

/* A row is at least {"id":"","location":"","because":""}, and each text is rounded up; what is
 * shorter (variables) is few.                                                                   */
size_t plan_parse_bytes(size_t size_bytes)
{
    return 4 * size_bytes + ((size_t)1 << 20);
}

/* -- values -------------------------------------------------------------------------------------
 */

static void *refuse(struct fields *fields, const char *key)
{
    if (fields->wrong == NULL)
        fields->wrong = key;
    return NULL;
}

/* NULL where null stands: the caller knows whether it may. */
static const char *find_text(struct fields *fields, const char *key)
{
    const struct json *value = json_find(fields->json, key);
    const char *text = value == NULL ? NULL : json_as_text(value);
    return text == NULL ? NULL : arena_copy(fields->arena, text);
}

static bool is_name(const char *text)
{
    static const char bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    return text[0] != '\0' && text[strspn(text, bytes)] == '\0';
}

static const char *get_text(struct fields *fields, const char *key)
{
    const char *text = find_text(fields, key);
    if (text != NULL)
        return text;
    refuse(fields, key);
    return "";
}

/* What a policy or a store may be called. */
static const char *get_name(struct fields *fields, const char *key)
{
    const char *text = get_text(fields, key);
    if (!is_name(text))
        refuse(fields, key);
    return text;
}

static bool find_number(const struct fields *fields, const char *key, uint64_t *number)
{
    int64_t value;
    struct err ignored;
    if (!json_get_integer(fields->json, key, &value, &ignored) || value < 0)
        return false;
    *number = (uint64_t)value;
    return true;
}

static uint64_t get_number(struct fields *fields, const char *key)
{
    uint64_t number = 0;
    if (!find_number(fields, key, &number))
        refuse(fields, key);
    return number;
}

static uint64_t find_limit(const struct fields *fields, const char *key)
{
    uint64_t limit = POLICY_NO_LIMIT;
    return find_number(fields, key, &limit) ? limit : POLICY_NO_LIMIT;
}

static bool get_boolean(struct fields *fields, const char *key)
{
    bool value = false;
    struct err ignored;
    if (!json_get_boolean(fields->json, key, &value, &ignored))
        refuse(fields, key);
    return value;
}

static int64_t find_instant(struct fields *fields, const char *key)
{
    const struct json *value = json_find(fields->json, key);
    const char *text = value == NULL ? NULL : json_as_text(value);
    int64_t instant_us = INT64_MAX;
    struct err ignored;
    if (text != NULL && !when_instant_read(text, &instant_us, &ignored))
        refuse(fields, key);
    return instant_us;
}

static int64_t get_instant(struct fields *fields, const char *key)
{
    int64_t instant_us = find_instant(fields, key);
    if (instant_us == INT64_MAX)
        refuse(fields, key);
    return instant_us;
}

static bool read_digest(const char *text, struct manifest_digest *digest)
{
    return text != NULL && str_starts(text, "sha256:") &&
           digest_unhex(text + strlen("sha256:"), digest->sha256, sizeof(digest->sha256));
}

/* The value whose name a key holds, of the values below end. */
static unsigned get_choice(struct fields *fields, const char *key, const char *name(unsigned),
                           unsigned end)
{
    const char *text = get_text(fields, key);
    for (unsigned i = 0; i < end; i++)
        if (str_equal(text, name(i)))
            return i;
    refuse(fields, key);
    return 0;
}

static const char *kind_name(unsigned kind)
{
    return plan_kind_name((enum plan_kind)kind);
}
static const char *reason_name(unsigned reason)
{
    return plan_reason_name((enum plan_reason)reason);
}
static const char *tier_name(unsigned tier)
{
    return object_tier_name((enum access_tier)tier);
}
static const char *verify_name(unsigned verify)
{
    return unit_verify_name((enum unit_verify)verify);
}
static const char *order_name(unsigned order)
{
    return plan_line_order((enum policy_order)order);
}

/* An object below a key; its faults are its owner's. */
static struct fields enter(struct fields *fields, const char *key)
{
    const struct json *json = json_find(fields->json, key);
    if (!json_is_object(json))
        refuse(fields, key);
    return (struct fields){.json = json, .arena = fields->arena};
}

static void leave(struct fields *fields, const struct fields *inner)
{
    if (inner->wrong != NULL)
        refuse(fields, inner->wrong);
}

static size_t count_of(struct fields *fields, const char *key, bool is_array, size_t most)
{
    const struct json *json = json_find(fields->json, key);
    if (!(is_array ? json_is_array(json) : json_is_object(json)) || json_count(json) > most) {
        refuse(fields, key);
        return 0;
    }
    return json_count(json);
}

static bool check(const struct fields *fields, struct err *err)
{
    return fields->wrong == NULL ||
           ERR(err, ERR_CORRUPT, "\"%s\" is missing or is not what it must be", fields->wrong);
}

/* Read, the smallest values take a hundred times their bytes, so that many are never read. */
static bool has_few_values(struct plan_text text)
{
    size_t values = 0;
    bool in_text = false;
    for (size_t i = 0; i < text.size_bytes; i++) {
        char c = text.bytes[i];
        if (c == '\\')
            i++;
        else if (c == '"')
            in_text = !in_text;
        else if (!in_text)
            values += c == ',' || c == '[' || c == '{';
    }
    return values <= VALUES_MAX;
}

/* Opens a line; the caller frees *json. */
static bool begin(struct plan_text text, struct arena *arena, struct json **json,
                  struct fields *fields, struct err *err)
{
    if (!arena_has(arena, plan_parse_bytes(text.size_bytes)))
        return ERR(err, ERR_INPUT, "a line of %zu bytes is too large", text.size_bytes);
    if (text.size_bytes > VALUES_MAX && !has_few_values(text))
        return ERR(err, ERR_CORRUPT, "more values than a line of a plan has");
    if (!json_read(text.bytes, text.size_bytes, json, err))
        return false;
    *fields = (struct fields){.json = *json, .arena = arena};
    if (!json_is_object(*json)) {
        json_free(*json);
        return ERR(err, ERR_CORRUPT, "not an object");
    }
    return true;
}

/* -- the header ---------------------------------------------------------------------------------
 */

static void read_vars(struct fields *fields, struct plan_header *header)
{
    const struct json *vars = json_find(fields->json, "vars"), *value;
    header->var_count = count_of(fields, "vars", false, PLAN_PARSE_VARS_MAX);
    header->vars = arena_make(fields->arena, header->var_count * sizeof(*header->vars));
    for (size_t i = 0; i < header->var_count; i++) {
        header->vars[i].name = arena_copy(fields->arena, json_key_at(vars, i, &value));
        if (json_as_text(value) == NULL)
            refuse(fields, "vars");
        else
            header->vars[i].value = arena_copy(fields->arena, json_as_text(value));
    }
}

static void read_stores(struct fields *fields, struct plan_header *header)
{
    const struct json *stores = json_find(fields->json, "stores"), *value;
    header->store_count = count_of(fields, "stores", false, PLACE_MAX);
    header->stores = arena_make(fields->arena, header->store_count * sizeof(*header->stores));
    for (size_t i = 0; i < header->store_count; i++) {
        header->stores[i].name = arena_copy(fields->arena, json_key_at(stores, i, &value));
        const char *base = json_as_text(value);
        if (base == NULL || !str_ends(base, "/") || !is_name(header->stores[i].name))
            refuse(fields, "stores");
        header->stores[i].base = arena_copy(fields->arena, base == NULL ? "/" : base);
    }
}

static void read_guards(struct fields *fields, struct plan_header *header)
{
    const struct json *guards = json_find(fields->json, "guards"), *value;
    header->guard_count = count_of(fields, "guards", false, POLICY_MAX);
    header->guards = arena_make(fields->arena, header->guard_count * sizeof(*header->guards));
    for (size_t i = 0; i < header->guard_count; i++) {
        struct plan_guard *guard = &header->guards[i];
        guard->policy = arena_copy(fields->arena, json_key_at(guards, i, &value));
        struct fields inner = {.json = value, .arena = fields->arena};
        uint64_t ppm = find_limit(&inner, "max_ppm");
        guard->guards = (struct policy_guards){
            .max_recordings = find_limit(&inner, "max_recordings"),
            .max_bytes = find_limit(&inner, "max_bytes"),
            .max_deletes = find_limit(&inner, "max_deletes"),
            .max_fraction_ppm = ppm >= POLICY_FRACTION_ONE ? POLICY_FRACTION_ONE : (uint32_t)ppm,
            .min_recordings = get_number(&inner, "min_recordings"),
            .truncate = str_equal(get_text(&inner, "on_exceed"), "truncate")};
        guard->order = get_choice(&inner, "order_by", order_name, ORDER_SMALLEST + 1);
        leave(fields, &inner);
    }
}

static bool read_header(struct fields *fields, struct plan_header *header, struct err *err)
{
    uint64_t version = get_number(fields, "frostline_plan");
    if (version > PLAN_LINE_VERSION)
        return ERR(err, ERR_INPUT,
                   "the plan has format %llu, of a newer frostline; this one reads format %d",
                   (unsigned long long)version, PLAN_LINE_VERSION);
    *header = (struct plan_header){.as_of_us = get_instant(fields, "as_of"),
                                   .policy_digest = get_text(fields, "policy"),
                                   .catalog = get_text(fields, "catalog"),
                                   .journal = get_text(fields, "journal"),
                                   .simulation = get_boolean(fields, "simulation"),
                                   .surveyed = get_boolean(fields, "surveyed"),
                                   .by_object = find_text(fields, "unit") != NULL,
                                   .request = find_text(fields, "request")};
    struct manifest_digest ignored;
    if (!read_digest(header->policy_digest, &ignored))
        refuse(fields, "policy");
    if (header->request != NULL && strlen(header->request) > POLICY_FILE_BYTES_MAX)
        refuse(fields, "request");
    read_vars(fields, header);
    read_stores(fields, header);
    read_guards(fields, header);
    return check(fields, err);
}

bool plan_parse_header(struct plan_text text, struct arena *arena, struct plan_header *header,
                       struct err *err)
{
    struct json *json;
    struct fields fields;
    if (!begin(text, arena, &json, &fields, err))
        return false;
    bool done = read_header(&fields, header, err);
    json_free(json);
    return done;
}

/* -- actions ------------------------------------------------------------------------------------
 */

/* "hot:recording/2025-02-14/run_7/", or an object's; no store's name has a colon. */
static const char *get_place(struct fields *fields, const char *key,
                             const struct plan_header *header, uint16_t *store)
{
    const char *text = get_text(fields, key);
    const char *colon = strchr(text, ':');
    size_t name_bytes = colon == NULL ? 0 : (size_t)(colon - text);
    *store = 0;
    for (size_t i = 0; colon != NULL && i < header->store_count; i++) {
        const char *name = header->stores[i].name;
        if (strlen(name) == name_bytes && memcmp(name, text, name_bytes) == 0 && colon[1] != '\0' &&
            strlen(colon + 1) <= LOCATION_BYTES_MAX && !str_has_control(colon, strlen(colon))) {
            *store = (uint16_t)i;
            return colon + 1;
        }
    }
    refuse(fields, key);
    return "/";
}

static void read_target(struct fields *fields, const struct plan_header *header,
                        struct plan_action *action)
{
    action->target = POLICY_NO_INDEX;
    if (action->kind == PLAN_BLOCKED && find_text(fields, "to") == NULL)
        return;
    action->target_directory = get_place(fields, "to", header, &action->target);
    bool is_one_place = plan_place(header, action->target) == plan_place(header, action->store);
    bool fits = action->kind == PLAN_BLOCKED || is_one_place == (action->kind == PLAN_RETIER);
    if (action->target == action->store || !fits ||
        !str_equal(action->directory, action->target_directory))
        refuse(fields, "to");
}

static void read_rows(struct fields *fields, struct plan_action *action)
{
    size_t most = action->kind == PLAN_BLOCKED ? PLAN_ROWS_SHOWN : PLANNER_ROWS_MAX;
    const struct json *rows = json_find(fields->json, "recordings");
    action->row_count = count_of(fields, "recordings", true, most);
    action->rows = arena_make(fields->arena, action->row_count * sizeof(*action->rows));
    for (size_t i = 0; i < action->row_count; i++) {
        struct fields row = {.json = json_item(rows, i), .arena = fields->arena};
        action->rows[i] = (struct plan_row){.id = get_text(&row, "id"),
                                            .location = get_text(&row, "location"),
                                            .because = get_text(&row, "because")};
        leave(fields, &row);
    }
}

static void check_rows(struct fields *fields, const struct plan_header *header,
                       const struct plan_action *action)
{
    struct place place = {.base = header->stores[action->store].base};
    const char *url = location_make(&place, action->directory, "", fields->arena);
    for (size_t i = 0; i < action->row_count; i++)
        if (!unit_covers(url, action->rows[i].location))
            refuse(fields, "location");
    if (action->row_count == 0)
        refuse(fields, "recordings");
}

static void read_found(struct fields *fields, struct plan_action *action)
{
    const char *manifest = find_text(fields, "manifest");
    action->surveyed = manifest != NULL;
    action->bytes = get_number(fields, "bytes");
    if (!action->surveyed)
        return;
    action->objects = get_number(fields, "objects");
    if (!read_digest(manifest, &action->manifest))
        refuse(fields, "manifest");
}

static void read_terms(struct fields *fields, struct policy_terms *terms)
{
    struct fields cleanup = enter(fields, "cleanup");
    uint64_t after_s = get_number(&cleanup, "after_s");
    if (after_s > (uint64_t)(WHEN_DURATION_MAX_US / WHEN_SECOND_US))
        refuse(&cleanup, "after_s");
    else
        terms->grace_us = (int64_t)after_s * WHEN_SECOND_US;
    terms->keep_source = str_equal(get_text(&cleanup, "source"), "keep");
    terms->verify = get_choice(fields, "verify", verify_name, VERIFY_READBACK + 1);
    leave(fields, &cleanup);
}

/* None of them twice. */
static void read_also(struct fields *fields, struct plan_action *action)
{
    const struct json *also = json_find(fields->json, "also");
    if (also == NULL)
        return;
    size_t count = count_of(fields, "also", true, POLICY_MAX);
    action->also = arena_make(fields->arena, count * sizeof(*action->also));
    for (size_t i = 0; i < count; i++) {
        const char *name = json_as_text(json_item(also, i));
        if (name == NULL || !is_name(name) || plan_is_by(action, name))
            refuse(fields, "also");
        else
            action->also[action->also_count++] = arena_copy(fields->arena, name);
    }
}

static void read_move(struct fields *fields, const struct plan_header *header,
                      struct plan_action *action)
{
    if (header->by_object == str_ends(action->directory, "/"))
        refuse(fields, "directory");
    action->tier = get_choice(fields, "tier", tier_name, TIER_ARCHIVE + 1);
    action->policy = get_name(fields, "policy");
    action->at = find_text(fields, "at");
    read_also(fields, action);
    read_found(fields, action);
    if (action->kind == PLAN_MOVE)
        read_terms(fields, &action->terms);
    else {
        action->terms.keep_source = true;
        if (action->tier == TIER_DEFAULT || action->tier == TIER_ARCHIVE)
            refuse(fields, "tier");
    }
    action->window = find_text(fields, "window");
    if (action->window != NULL && !window_texts_valid(action->window))
        refuse(fields, "window");
    action->oldest_us = find_instant(fields, "oldest");
    read_rows(fields, action);
    check_rows(fields, header, action);
    action->row_total = action->row_count;
}

static void read_blocked(struct fields *fields, struct plan_action *action)
{
    action->reason = get_choice(fields, "reason", reason_name, PLAN_REASONS);
    if (action->reason == PLAN_REASON_NONE)
        refuse(fields, "reason");
    action->policy = get_name(fields, "policy");
    action->at = find_text(fields, "at");
    action->detail = find_text(fields, "detail");
    action->bytes = get_number(fields, "bytes");
    action->oldest_us = find_instant(fields, "oldest");
    action->row_total = get_number(fields, "rows");
    read_rows(fields, action);
}

static void read_unit(struct fields *fields, struct plan_action *action)
{
    action->policy = find_text(fields, "policy");
    action->unit = (int64_t)get_number(fields, "unit");
    if (action->kind != PLAN_REPAIR)
        action->due_us = get_instant(fields, "due");
    read_found(fields, action);
    if (!action->surveyed)
        refuse(fields, "manifest");
    action->surveyed = false;
    action->oldest_us = INT64_MAX;
    action->row_total = get_number(fields, "rows");
}

bool plan_parse_action(struct plan_text text, const struct plan_header *header, struct arena *arena,
                       struct plan_action *action, struct err *err)
{
    struct json *json;
    struct fields fields;
    if (!begin(text, arena, &json, &fields, err))
        return false;
    *action = (struct plan_action){.kind = get_choice(&fields, "action", kind_name, PLAN_KINDS)};
    action->directory = get_place(&fields, "directory", header, &action->store);
    if (header->request != NULL && plan_names_unit(action))
        refuse(&fields, "action");
    if (fields.wrong == NULL) {
        read_target(&fields, header, action);
        if (action->kind == PLAN_BLOCKED)
            read_blocked(&fields, action);
        else if (plan_names_unit(action))
            read_unit(&fields, action);
        else
            read_move(&fields, header, action);
    }
    json_free(json);
    return check(&fields, err);
}

/* -- the last line ------------------------------------------------------------------------------
 */

static uint16_t get_store(struct fields *fields, const char *key, const struct plan_header *header)
{
    const char *name = get_text(fields, key);
    for (size_t i = 0; i < header->store_count; i++)
        if (str_equal(name, header->stores[i].name))
            return (uint16_t)i;
    refuse(fields, key);
    return 0;
}

static uint16_t find_store(struct fields *fields, const char *key, const struct plan_header *header)
{
    return find_text(fields, key) == NULL ? POLICY_NO_INDEX : get_store(fields, key, header);
}

static void read_funnel(struct fields *fields, const struct plan_header *header,
                        struct plan_funnel *funnel)
{
    *funnel = (struct plan_funnel){.policy = get_name(fields, "policy"),
                                   .from = find_store(fields, "from", header),
                                   .target = get_store(fields, "to", header),
                                   .rows = get_number(fields, "recordings"),
                                   .out = get_number(fields, "out"),
                                   .excluded = get_number(fields, "excluded"),
                                   .held = get_number(fields, "held"),
                                   .undecided = get_number(fields, "undecided"),
                                   .lost = get_number(fields, "lost"),
                                   .in_place = get_number(fields, "in_place"),
                                   .blocked = get_number(fields, "blocked"),
                                   .left = get_number(fields, "left"),
                                   .planned = get_number(fields, "planned"),
                                   .failed = get_boolean(fields, "failed"),
                                   .guard = find_text(fields, "guard")};
    if (!plan_funnel_adds_up(funnel))
        refuse(fields, "recordings");
    if (funnel->failed && funnel->guard == NULL)
        refuse(fields, "guard");
}

static void read_funnels(struct fields *fields, const struct plan_header *header,
                         struct plan_summary *summary)
{
    const struct json *policies = json_find(fields->json, "policies");
    summary->funnel_count = count_of(fields, "policies", true, POLICY_MAX);
    summary->funnels = arena_make(fields->arena, summary->funnel_count * sizeof(*summary->funnels));
    for (size_t i = 0; i < summary->funnel_count; i++) {
        struct fields funnel = {.json = json_item(policies, i), .arena = fields->arena};
        read_funnel(&funnel, header, &summary->funnels[i]);
        if (summary->funnels[i].rows != summary->rows)
            refuse(&funnel, "recordings");
        leave(fields, &funnel);
    }
}

static void read_totals(struct fields *fields, const struct plan_header *header,
                        struct plan_summary *summary)
{
    const struct json *stores = json_find(fields->json, "stores");
    summary->total_count = count_of(fields, "stores", true, header->store_count);
    summary->totals = arena_make(fields->arena, summary->total_count * sizeof(*summary->totals));
    for (size_t i = 0; i < summary->total_count; i++) {
        struct fields total = {.json = json_item(stores, i), .arena = fields->arena};
        summary->totals[i] =
            (struct plan_store_total){.recordings_now = get_number(&total, "recordings_now"),
                                      .bytes_now = get_number(&total, "bytes_now"),
                                      .recordings_after = get_number(&total, "recordings_after"),
                                      .bytes_after = get_number(&total, "bytes_after")};
        leave(fields, &total);
    }
    if (summary->total_count != header->store_count)
        refuse(fields, "stores");
}

static void read_samples(struct fields *fields, const char *key, const char **samples)
{
    const struct json *array = json_find(fields->json, key);
    size_t count = count_of(fields, key, true, PLAN_SAMPLES);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_as_text(json_item(array, i));
        if (text == NULL)
            refuse(fields, key);
        else
            samples[i] = arena_copy(fields->arena, text);
    }
}

static void read_next(struct fields *fields, struct plan_summary *summary)
{
    if (json_find(fields->json, "next") == NULL)
        return;
    struct fields next = enter(fields, "next");
    summary->next_us = get_instant(&next, "from");
    summary->next_recordings = get_number(&next, "recordings");
    summary->next_bytes = get_number(&next, "bytes");
    leave(fields, &next);
}

static void read_summary(struct fields *fields, const struct plan_header *header,
                         struct plan_summary *summary)
{
    *summary = (struct plan_summary){.rows = get_number(fields, "recordings"),
                                     .unmanaged = get_number(fields, "unmanaged"),
                                     .shallow = get_number(fields, "too_shallow"),
                                     .move_recordings = get_number(fields, "move_recordings"),
                                     .move_objects = get_number(fields, "move_objects"),
                                     .move_bytes = get_number(fields, "move_bytes"),
                                     .retier_recordings = get_number(fields, "retier_recordings"),
                                     .retier_objects = get_number(fields, "retier_objects"),
                                     .retier_bytes = get_number(fields, "retier_bytes"),
                                     .repair_recordings = get_number(fields, "repair_recordings"),
                                     .rollback_recordings =
                                         get_number(fields, "rollback_recordings"),
                                     .reap_objects = get_number(fields, "reap_objects"),
                                     .reap_bytes = get_number(fields, "reap_bytes"),
                                     .left = get_number(fields, "left"),
                                     .missing_id_count = get_number(fields, "missing_ids")};
    for (enum plan_kind kind = 0; kind < PLAN_KINDS; kind++)
        summary->actions[kind] = get_number(fields, plan_kind_name(kind));
    read_next(fields, summary);
    read_funnels(fields, header, summary);
    read_totals(fields, header, summary);
    read_samples(fields, "unmanaged_samples", summary->unmanaged_samples);
    read_samples(fields, "missing_id_samples", summary->missing_ids);
}

bool plan_parse_last(struct plan_text text, const struct plan_header *header, struct arena *arena,
                     struct plan_last *last, struct err *err)
{
    struct json *json;
    struct fields fields;
    if (!begin(text, arena, &json, &fields, err))
        return false;
    struct fields summary = enter(&fields, "summary"), made = enter(&fields, "made");
    if (fields.wrong == NULL) {
        read_summary(&summary, header, &last->summary);
        leave(&fields, &summary);
        last->digest = get_text(&fields, "digest");
        last->made = (struct plan_made){.at_us = get_instant(&made, "at"),
                                        .by = get_text(&made, "by"),
                                        .host = get_text(&made, "host"),
                                        .policy = get_text(&made, "policy")};
        leave(&fields, &made);
    }
    json_free(json);
    return check(&fields, err);
}
