#include "planner/plan_line.h"

#include <assert.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/when.h"

#define SCRATCH_BYTES_MAX ((size_t)1 << 20)

void plan_line_init(struct plan_line *line)
{
    buf_init(&line->text, PLAN_FILE_LINE_MAX);
    buf_init(&line->scratch, SCRATCH_BYTES_MAX);
}

void plan_line_free(struct plan_line *line)
{
    buf_free(&line->text);
    buf_free(&line->scratch);
}

static struct json_writer begin(struct plan_line *line)
{
    struct json_writer json;
    buf_reset(&line->text);
    json_begin(&json, &line->text);
    json_object_begin(&json);
    return json;
}

/* -- values -------------------------------------------------------------------------------------
 */

static void put_manifest(struct json_writer *json, const struct manifest_digest *manifest)
{
    char text[PLAN_DIGEST_MAX] = "sha256:";
    digest_hex(manifest->sha256, sizeof(manifest->sha256), text + sizeof("sha256:") - 1);
    json_put_text(json, "manifest", text);
}

static void put_limit(struct json_writer *json, const char *key, uint64_t limit)
{
    if (limit > INT64_MAX)
        json_put_text(json, key, NULL);
    else
        json_put_unsigned(json, key, limit);
}

/* "hot:recording/2025-02-14/run_7/" */
static void put_place(struct plan_line *line, struct json_writer *json, const char *key,
                      const char *store, const char *directory)
{
    buf_reset(&line->scratch);
    buf_text(&line->scratch, store);
    buf_char(&line->scratch, ':');
    buf_text(&line->scratch, directory);
    json_put_text(json, key, buf_string(&line->scratch));
}

const char *plan_line_order(enum policy_order order)
{
    static const char *const names[] = {[ORDER_OLDEST] = "oldest",
                                        [ORDER_NEWEST] = "newest",
                                        [ORDER_LARGEST] = "largest",
                                        [ORDER_SMALLEST] = "smallest"};
    assert(order <= ORDER_SMALLEST);
    return names[order];
}

/* -- the header ---------------------------------------------------------------------------------
 */

static void put_guard(struct json_writer *json, const struct plan_guard *guard)
{
    const struct policy_guards *limits = &guard->guards;
    json_key(json, guard->policy);
    json_object_begin(json);
    put_limit(json, "max_recordings", limits->max_recordings);
    put_limit(json, "max_bytes", limits->max_bytes);
    put_limit(json, "max_deletes", limits->max_deletes);
    put_limit(json, "max_ppm",
              limits->max_fraction_ppm >= POLICY_FRACTION_ONE ? POLICY_NO_LIMIT
                                                              : limits->max_fraction_ppm);
    json_put_unsigned(json, "min_recordings", limits->min_recordings);
    json_put_text(json, "on_exceed", limits->truncate ? "truncate" : "fail");
    json_put_text(json, "order_by", plan_line_order(guard->order));
    json_object_end(json);
}

void plan_line_header(struct plan_line *line, const struct plan_header *header)
{
    struct json_writer json = begin(line);
    json_put_integer(&json, "frostline_plan", PLAN_LINE_VERSION);
    json_put_instant(&json, "as_of", header->as_of_us);
    json_put_text(&json, "policy", header->policy_digest);
    json_key(&json, "vars");
    json_object_begin(&json);
    for (size_t i = 0; i < header->var_count; i++)
        json_put_text(&json, header->vars[i].name, header->vars[i].value);
    json_object_end(&json);
    json_put_text(&json, "catalog", header->catalog);
    json_key(&json, "stores");
    json_object_begin(&json);
    for (size_t i = 0; i < header->store_count; i++)
        json_put_text(&json, header->stores[i].name, header->stores[i].base);
    json_object_end(&json);
    json_key(&json, "guards");
    json_object_begin(&json);
    for (size_t i = 0; i < header->guard_count; i++)
        put_guard(&json, &header->guards[i]);
    json_object_end(&json);
    json_put_text(&json, "journal", header->journal);
    json_put_boolean(&json, "simulation", header->simulation);
    json_put_boolean(&json, "surveyed", header->surveyed);
    if (header->by_object)
        json_put_text(&json, "unit", "object");
    if (header->request != NULL)
        json_put_text(&json, "request", header->request);
    json_object_end(&json);
}

/* -- actions ------------------------------------------------------------------------------------
 */

static void put_rows(struct json_writer *json, const struct plan_action *action)
{
    json_key(json, "recordings");
    json_array_begin(json);
    for (size_t i = 0; i < action->row_count; i++) {
        json_object_begin(json);
        json_put_text(json, "id", action->rows[i].id);
        json_put_text(json, "location", action->rows[i].location);
        json_put_text(json, "because", action->rows[i].because);
        json_object_end(json);
    }
    json_array_end(json);
}

static void put_found(struct json_writer *json, const struct plan_action *action, bool is_known)
{
    if (is_known)
        json_put_unsigned(json, "objects", action->objects);
    else
        json_put_text(json, "objects", NULL);
    json_put_unsigned(json, "bytes", action->bytes);
    if (is_known)
        put_manifest(json, &action->manifest);
    else
        json_put_text(json, "manifest", NULL);
}

static void put_terms(struct json_writer *json, const struct policy_terms *terms)
{
    json_put_text(json, "verify", unit_verify_name(terms->verify));
    json_key(json, "cleanup");
    json_object_begin(json);
    json_put_text(json, "source", terms->keep_source ? "keep" : "delete");
    /* Never shorter than it was meant. */
    json_put_integer(json, "after_s", (terms->grace_us + WHEN_SECOND_US - 1) / WHEN_SECOND_US);
    json_object_end(json);
}

static void put_also(struct json_writer *json, const struct plan_action *action)
{
    if (action->also_count == 0)
        return;
    json_key(json, "also");
    json_array_begin(json);
    for (size_t i = 0; i < action->also_count; i++)
        json_text(json, action->also[i]);
    json_array_end(json);
}

/* What of the terms has a sense for a retier is its window alone. */
static void put_move(struct json_writer *json, const struct plan_action *action)
{
    json_put_text(json, "tier", object_tier_name(action->tier));
    json_put_text(json, "policy", action->policy);
    json_put_text(json, "at", action->at);
    put_also(json, action);
    put_found(json, action, action->surveyed);
    if (action->kind == PLAN_MOVE)
        put_terms(json, &action->terms);
    if (action->window != NULL)
        json_put_text(json, "window", action->window);
    json_put_instant(json, "oldest", action->oldest_us);
    put_rows(json, action);
}

static void put_blocked(struct json_writer *json, const struct plan_action *action)
{
    json_put_text(json, "policy", action->policy);
    json_put_text(json, "at", action->at);
    json_put_text(json, "detail", action->detail);
    json_put_unsigned(json, "bytes", action->bytes);
    json_put_instant(json, "oldest", action->oldest_us);
    json_put_unsigned(json, "rows", action->row_total);
    put_rows(json, action);
}

static void put_unit(struct json_writer *json, const struct plan_action *action)
{
    json_put_text(json, "policy", action->policy);
    json_put_integer(json, "unit", action->unit);
    if (action->kind != PLAN_REPAIR)
        json_put_instant(json, "due", action->due_us);
    put_found(json, action, true);
    json_put_unsigned(json, "rows", action->row_total);
}

void plan_line_action(struct plan_line *line, const struct plan_header *header,
                      const struct plan_action *action)
{
    struct json_writer json = begin(line);
    json_put_text(&json, "action", plan_kind_name(action->kind));
    if (action->kind == PLAN_BLOCKED)
        json_put_text(&json, "reason", plan_reason_name(action->reason));
    put_place(line, &json, "directory", header->stores[action->store].name, action->directory);
    if (action->target == POLICY_NO_INDEX)
        json_put_text(&json, "to", NULL);
    else
        put_place(line, &json, "to", header->stores[action->target].name, action->target_directory);
    switch (action->kind) {
    case PLAN_MOVE:
    case PLAN_RETIER:
        put_move(&json, action);
        break;
    case PLAN_REPAIR:
    case PLAN_ROLLBACK:
    case PLAN_REAP:
        put_unit(&json, action);
        break;
    default:
        put_blocked(&json, action);
        break;
    }
    json_object_end(&json);
}

/* -- the last line ------------------------------------------------------------------------------
 */

static void put_funnel(struct json_writer *json, const struct plan_header *header,
                       const struct plan_funnel *funnel)
{
    json_object_begin(json);
    json_put_text(json, "policy", funnel->policy);
    json_put_text(json, "from",
                  funnel->from == POLICY_NO_INDEX ? NULL : header->stores[funnel->from].name);
    json_put_text(json, "to", header->stores[funnel->target].name);
    json_put_unsigned(json, "recordings", funnel->rows);
    json_put_unsigned(json, "out", funnel->out);
    json_put_unsigned(json, "excluded", funnel->excluded);
    json_put_unsigned(json, "held", funnel->held);
    json_put_unsigned(json, "undecided", funnel->undecided);
    json_put_unsigned(json, "lost", funnel->lost);
    json_put_unsigned(json, "in_place", funnel->in_place);
    json_put_unsigned(json, "blocked", funnel->blocked);
    json_put_unsigned(json, "left", funnel->left);
    json_put_unsigned(json, "planned", funnel->planned);
    json_put_boolean(json, "failed", funnel->failed);
    json_put_text(json, "guard", funnel->guard);
    json_object_end(json);
}

static void put_total(struct json_writer *json, const char *store,
                      const struct plan_store_total *total)
{
    json_object_begin(json);
    json_put_text(json, "store", store);
    json_put_unsigned(json, "recordings_now", total->recordings_now);
    json_put_unsigned(json, "bytes_now", total->bytes_now);
    json_put_unsigned(json, "recordings_after", total->recordings_after);
    json_put_unsigned(json, "bytes_after", total->bytes_after);
    json_object_end(json);
}

static void put_samples(struct json_writer *json, const char *key, const char *const *samples)
{
    json_key(json, key);
    json_array_begin(json);
    for (size_t i = 0; i < PLAN_SAMPLES && samples[i] != NULL; i++)
        json_text(json, samples[i]);
    json_array_end(json);
}

static void put_next(struct json_writer *json, const struct plan_summary *summary)
{
    json_key(json, "next");
    json_object_begin(json);
    json_put_instant(json, "from", summary->next_us);
    json_put_unsigned(json, "recordings", summary->next_recordings);
    json_put_unsigned(json, "bytes", summary->next_bytes);
    json_object_end(json);
}

static void put_summary(struct json_writer *json, const struct plan_header *header,
                        const struct plan_summary *summary)
{
    json_put_unsigned(json, "recordings", summary->rows);
    json_put_unsigned(json, "unmanaged", summary->unmanaged);
    json_put_unsigned(json, "too_shallow", summary->shallow);
    for (enum plan_kind kind = 0; kind < PLAN_KINDS; kind++)
        json_put_unsigned(json, plan_kind_name(kind), summary->actions[kind]);
    json_put_unsigned(json, "move_recordings", summary->move_recordings);
    json_put_unsigned(json, "move_objects", summary->move_objects);
    json_put_unsigned(json, "move_bytes", summary->move_bytes);
    json_put_unsigned(json, "retier_recordings", summary->retier_recordings);
    json_put_unsigned(json, "retier_objects", summary->retier_objects);
    json_put_unsigned(json, "retier_bytes", summary->retier_bytes);
    json_put_unsigned(json, "repair_recordings", summary->repair_recordings);
    json_put_unsigned(json, "rollback_recordings", summary->rollback_recordings);
    json_put_unsigned(json, "reap_objects", summary->reap_objects);
    json_put_unsigned(json, "reap_bytes", summary->reap_bytes);
    json_put_unsigned(json, "left", summary->left);
    if (summary->next_us != 0)
        put_next(json, summary);
    json_key(json, "policies");
    json_array_begin(json);
    for (size_t i = 0; i < summary->funnel_count; i++)
        put_funnel(json, header, &summary->funnels[i]);
    json_array_end(json);
    json_key(json, "stores");
    json_array_begin(json);
    for (size_t i = 0; i < summary->total_count; i++)
        put_total(json, header->stores[i].name, &summary->totals[i]);
    json_array_end(json);
    put_samples(json, "unmanaged_samples", summary->unmanaged_samples);
    json_put_unsigned(json, "missing_ids", summary->missing_id_count);
    put_samples(json, "missing_id_samples", summary->missing_ids);
}

void plan_line_last(struct plan_line *line, const struct plan_header *header,
                    const struct plan_summary *summary, const char *digest,
                    const struct plan_made *made)
{
    struct json_writer json = begin(line);
    json_key(&json, "summary");
    json_object_begin(&json);
    put_summary(&json, header, summary);
    json_object_end(&json);
    json_put_text(&json, "digest", digest);
    json_key(&json, "made");
    json_object_begin(&json);
    json_put_instant(&json, "at", made->at_us);
    json_put_text(&json, "by", made->by);
    json_put_text(&json, "host", made->host);
    json_put_text(&json, "policy", made->policy);
    json_object_end(&json);
    json_object_end(&json);
}
