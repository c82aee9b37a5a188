#include "tests/support/planning_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/str.h"
#include "base/when.h"
#include "state/location.h"
#include "state/unit.h"
#include "tests/support/scratch.h"

#define ARENA_BYTES ((size_t)1 << 30)
#define FINDINGS_BYTES ((size_t)1 << 20)

/* -- the survey ---------------------------------------------------------------------------------
 */

static const struct rig_found *find_found(const struct rig_survey *survey, const char *store,
                                          const char *directory)
{
    size_t name_bytes = strlen(store);
    for (size_t i = 0; i < survey->found_count; i++)
        if (strncmp(survey->found[i].directory, store, name_bytes) == 0 &&
            strcmp(survey->found[i].directory + name_bytes + 1, directory) == 0)
            return &survey->found[i];
    return NULL;
}

static void answer(const struct rig_survey *survey, uint16_t store,
                   struct survey_question *question)
{
    static const char *const stores[] = {"hot", "warm", "cold", "archive"};
    const struct rig_found *found = find_found(survey, stores[store], question->directory);
    question->objects = question->name_count + str_ends(question->directory, "/");
    question->bytes = question->objects * 1000;
    for (size_t i = 0; i < question->name_count; i++)
        question->present[i] = found == NULL || !str_equal(found->missing, question->names[i]);
    if (found != NULL && found->missing == NULL) {
        question->objects = found->objects;
        question->bytes = found->bytes;
        question->irregular = found->irregular;
        question->tier = found->tier;
        question->archived = found->archived;
    }
    if (found != NULL && found->failure != NULL)
        ERR(&question->err, ERR_BUSY, "%s", found->failure);
    digest_of(DIGEST_SHA256, question->directory, strlen(question->directory),
              question->digest.sha256);
}

static bool ask(struct survey *port, uint16_t store, struct survey_question *questions,
                size_t count, struct err *err)
{
    struct rig_survey *survey = (struct rig_survey *)port;
    if (survey->cancels)
        return ERR(err, ERR_CANCELLED, "told to stop");
    assert_in_range(count, 1, SURVEY_BATCH_MAX);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            assert_true(strcmp(questions[i - 1].directory, questions[i].directory) < 0);
            assert_false(unit_covers(questions[i - 1].directory, questions[i].directory));
        }
        answer(survey, store, &questions[i]);
    }
    survey->batches++;
    survey->directories += count;
    return true;
}

static const struct survey_ops survey_ops = {.ask = ask};

/* -- making it ----------------------------------------------------------------------------------
 */

static const char *no_env(void *context, const char *name)
{
    (void)context;
    (void)name;
    return NULL;
}

static void write_policy(const char *path, const char *policy)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(policy, file);
    assert_int_equal(fclose(file), 0);
}

static void must(const struct planning_rig *rig, bool done)
{
    if (!done)
        fail_msg("%s", rig->err.text);
}

void rig_load(struct planning_rig *rig, const char *policy)
{
    const char *path = str_format(&rig->arena, "%s/policy.yaml", rig->folder);
    struct policy_source source = {.path = path, .env = no_env, .stand_ins = true};
    int64_t as_of_us;
    policy_free(rig->policies);
    write_policy(path, policy);
    diag_init(&rig->diags, &rig->arena);
    must(rig, policy_load(&source, &rig->arena, &rig->diags, &rig->policies, &rig->err));
    if (rig->policies == NULL) {
        struct buf findings;
        buf_init(&findings, FINDINGS_BYTES);
        diag_render(&rig->diags, &findings);
        fail_msg("%s", buf_string(&findings));
    }
    assert_true(when_instant_read(RIG_AS_OF, &as_of_us, &rig->err));
    static enum value_kind kinds[] = {VALUE_TEXT, VALUE_BOOLEAN};
    if (rig->rows == NULL)
        rig->rows = catalog_memory_make(&rig->policies->catalog, kinds);
    rig->request.catalog = catalog_memory_catalog(rig->rows);
    assert_true(rig->request.catalog->ops->describe(rig->request.catalog, &rig->arena, &rig->shape,
                                                    &rig->err));
    assert_true(policy_bind(rig->policies, &rig->shape, &rig->diags));
    policy_prepare(rig->policies, as_of_us);
    rig->request.policies = rig->policies;
}

void rig_make(struct planning_rig *rig, const char *policy)
{
    memset(rig, 0, sizeof(*rig));
    arena_init(&rig->arena, ARENA_BYTES);
    scratch_folder(rig->folder, sizeof(rig->folder));
    snprintf(rig->path, sizeof(rig->path), "%s/p.plan", rig->folder);
    rig->survey = (struct rig_survey){.survey = {.ops = &survey_ops}};
    rig_load(rig, policy);
    clock_fake_init(&rig->clock, rig->policies->as_of_us);
    rig->request.shape = &rig->shape;
    rig->request.survey = &rig->survey.survey;
    rig->request.spool_folder = rig->folder;
    rig->request.path = rig->path;
    rig->request.made = (struct plan_made){.at_us = rig->policies->as_of_us + 1,
                                           .by = "frostline test",
                                           .host = "host",
                                           .policy = "policy.yaml"};
}

void rig_free(struct planning_rig *rig)
{
    journal_close(rig->journal);
    catalog_close(rig->request.catalog);
    policy_free(rig->policies);
    scratch_remove(rig->folder);
    arena_free(&rig->arena);
}

/* -- rows ---------------------------------------------------------------------------------------
 */

const char *rig_location(struct planning_rig *rig, const char *at)
{
    const char *colon = strchr(at, ':');
    if (colon == NULL || colon[1] == '/')
        return at;
    return str_format(&rig->arena, "file:///srv/%.*s/%s", (int)(colon - at), at, colon + 1);
}

void rig_put(struct planning_rig *rig, struct rig_row row)
{
    struct value fields[2] = {{.kind = VALUE_NULL}, {.kind = VALUE_BOOLEAN, .boolean = true}};
    if (row.map != NULL)
        fields[0] =
            (struct value){.kind = VALUE_TEXT,
                           .text = {.bytes = row.map, .size_bytes = (uint32_t)strlen(row.map)}};
    const char *location = row.at == NULL ? NULL : rig_location(rig, row.at);
    const char *slash = location == NULL ? NULL : strrchr(location, '/');
    int days = row.days == 0 ? 100 : row.days;
    struct record record = {.id = row.id,
                            .location = location,
                            .directory_bytes = slash == NULL ? 0 : (size_t)(slash - location) + 1,
                            .has_time = row.days >= 0,
                            .time_us = rig->policies->as_of_us - days * RIG_DAY_US,
                            .has_bytes = row.bytes >= 0,
                            .bytes = row.bytes == 0 ? 10 : (uint64_t)row.bytes,
                            .fields = fields,
                            .field_count = 2};
    catalog_memory_put(rig->rows, &record);
}

/* -- plans --------------------------------------------------------------------------------------
 */

static void read_plan(struct planning_rig *rig)
{
    struct plan_reader *reader;
    must(rig, plan_file_open(rig->path, &reader, &rig->err));
    assert_string_equal(plan_file_digest(reader), rig->digest);
    const struct plan_summary *summary = plan_file_summary(reader);
    size_t total = 0;
    for (int kind = 0; kind < PLAN_KINDS; kind++)
        total += (size_t)summary->actions[kind];
    rig->actions = arena_make(&rig->arena, total * sizeof(struct plan_action *));
    for (rig->action_count = 0; rig->action_count < total; rig->action_count++) {
        must(rig, plan_file_next(reader, &rig->arena, &rig->actions[rig->action_count], &rig->err));
        assert_non_null(rig->actions[rig->action_count]);
    }
    for (size_t i = 0; i < summary->funnel_count; i++)
        assert_true(plan_funnel_adds_up(&summary->funnels[i]));
    plan_file_close(reader);
}

bool rig_try_plan(struct planning_rig *rig)
{
    unlink(rig->path);
    rig->request.journal = rig->journal;
    if (planner_run(&rig->request, &rig->arena, &rig->summary, rig->digest, &rig->err))
        return true;
    assert_int_not_equal(access(rig->path, F_OK), 0);
    return false;
}

void rig_plan(struct planning_rig *rig)
{
    must(rig, rig_try_plan(rig));
    read_plan(rig);
}

const struct plan_action *rig_find(struct planning_rig *rig, const char *directory)
{
    const struct plan_action *found = NULL;
    for (size_t i = 0; i < rig->action_count; i++) {
        const struct plan_action *action = rig->actions[i];
        const char *name = rig->policies->stores[action->store].name;
        if (!str_equal(str_format(&rig->arena, "%s:%s", name, action->directory), directory))
            continue;
        assert_null(found);
        found = action;
    }
    return found;
}

const struct plan_action *rig_blocked(struct planning_rig *rig, const char *directory,
                                      enum plan_reason reason, const char *detail)
{
    const struct plan_action *action = rig_find(rig, directory);
    if (action == NULL)
        fail_msg("%s is not in the plan", directory);
    if (action->kind != PLAN_BLOCKED || action->reason != reason)
        fail_msg("%s is %s (%s: %s)", directory, plan_kind_name(action->kind),
                 plan_reason_name(action->reason), action->detail);
    if (strstr(action->detail, detail) == NULL)
        fail_msg("%s: %s", directory, action->detail);
    return action;
}

void rig_moves(struct planning_rig *rig, const char *directory, const char *to)
{
    const struct plan_action *action = rig_find(rig, directory);
    if (action == NULL)
        fail_msg("%s is not in the plan", directory);
    if (action->kind != PLAN_MOVE)
        fail_msg("%s is blocked: %s: %s", directory, plan_reason_name(action->reason),
                 action->detail);
    assert_string_equal(rig->policies->stores[action->target].name, to);
}

const struct plan_funnel *rig_funnel(struct planning_rig *rig, const char *policy)
{
    for (size_t i = 0; i < rig->summary.funnel_count; i++)
        if (str_equal(rig->summary.funnels[i].policy, policy))
            return &rig->summary.funnels[i];
    fail_msg("no funnel of %s", policy);
    return NULL;
}

const char *rig_bytes(struct planning_rig *rig, size_t *size_bytes)
{
    char *bytes;
    must(rig, file_read(rig->path, ARENA_BYTES, &rig->arena, &bytes, size_bytes, &rig->err));
    return bytes;
}

/* -- the journal --------------------------------------------------------------------------------
 */

int64_t rig_unit(struct planning_rig *rig, const char *source, const char *target,
                 enum unit_state state, int64_t cleanup_at_us, int64_t grace_us)
{
    if (rig->journal == NULL) {
        const char *folder = str_format(&rig->arena, "%s/state", rig->folder);
        must(rig, journal_open(folder, JOURNAL_WRITE, &rig->clock.clock, &rig->journal, &rig->err));
    }
    struct journal_run run = {
        .verb = "apply", .policy_path = "policy.yaml", .started_us = rig->clock.instant_us};
    must(rig, journal_run_begin(rig->journal, &run, &run.id, &rig->err));
    struct journal_new unit = {
        .entry = {
            .unit = {.run = run.id,
                     .state = UNIT_COPYING,
                     .grace_us = grace_us,
                     .objects = 3,
                     .bytes = 300},
            .source = rig_location(rig, source),
            .target = rig_location(rig, target),
            .source_store = str_format(&rig->arena, "%.*s", (int)strcspn(source, ":"), source),
            .target_store = str_format(&rig->arena, "%.*s", (int)strcspn(target, ":"), target),
            .directory = strchr(source, ':') + 1,
            .policy = "age-out"}};
    must(rig, journal_begin(rig->journal, &unit, 1, &rig->err));
    assert_int_equal(unit.conflict, 0);
    struct unit moved = unit.entry.unit;
    moved.state = state;
    moved.cleanup_at_us = cleanup_at_us;
    moved.rows = 2;
    must(rig, journal_save(rig->journal, &moved, 1, true, &rig->err));
    return moved.id;
}
