#include "tests/support/journal_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/scratch.h"

int journal_rig_setup(void **state)
{
    struct journal_rig *rig = test_calloc(1, sizeof(*rig));
    scratch_folder(rig->folder, sizeof(rig->folder));
    snprintf(rig->path, sizeof(rig->path), "%s/journal.db", rig->folder);
    clock_fake_init(&rig->clock, JOURNAL_RIG_NOW_US);
    arena_init(&rig->arena, (size_t)64 << 20);
    *state = rig;
    return 0;
}

int journal_rig_teardown(void **state)
{
    struct journal_rig *rig = *state;
    journal_rig_close(rig);
    scratch_remove(rig->folder);
    arena_free(&rig->arena);
    test_free(rig);
    return 0;
}

void journal_rig_open(struct journal_rig *rig)
{
    MUST(journal_open(rig->folder, JOURNAL_WRITE, &rig->clock.clock, &rig->journal, &rig->err));
}

void journal_rig_close(struct journal_rig *rig)
{
    journal_close(rig->journal);
    rig->journal = NULL;
}

void journal_rig_open_run(struct journal_rig *rig)
{
    const struct journal_run run = {.verb = "apply",
                                    .plan = "sha256:aa",
                                    .policy_path = "p.yaml",
                                    .started_us = JOURNAL_RIG_NOW_US};
    journal_rig_open(rig);
    MUST(journal_run_begin(rig->journal, &run, &rig->run, &rig->err));
}

struct journal_new journal_rig_new(const struct journal_rig *rig, const char *source,
                                   const char *target)
{
    return (struct journal_new){.entry = {.unit = {.run = rig->run,
                                                   .state = UNIT_COPYING,
                                                   .verify = VERIFY_CHECKSUM,
                                                   .rows = 1,
                                                   .objects = 2,
                                                   .bytes = 30},
                                          .source = source,
                                          .target = target,
                                          .source_store = "hot",
                                          .target_store = "cold",
                                          .directory = "a/",
                                          .policy = "age-out"}};
}

/* The id of the new unit, or minus that of the one in its way. */
int64_t journal_rig_begin(struct journal_rig *rig, const char *source, const char *target)
{
    struct journal_new new = journal_rig_new(rig, source, target);
    MUST(journal_begin(rig->journal, &new, 1, &rig->err));
    return new.conflict != 0 ? -new.conflict : new.entry.unit.id;
}

static bool keep_unit(void *context, const struct journal_unit *unit, struct err *err)
{
    struct journal_rig_seen *seen = context;
    char lineage[JOURNAL_LINEAGE_MAX];
    struct journal_unit *kept = &seen->items[seen->count++];
    *kept = *unit;
    kept->source = arena_copy(seen->arena, unit->source);
    kept->target = arena_copy(seen->arena, unit->target);
    return seen->count < 64 && journal_lineage(seen->journal, lineage, err);
}

void journal_rig_see(struct journal_rig *rig, const struct journal_filter *filter,
                     struct journal_rig_seen *seen)
{
    seen->arena = &rig->arena;
    seen->journal = rig->journal;
    seen->count = 0;
    MUST(journal_each(rig->journal, filter, keep_unit, seen, &rig->err));
}

struct journal_unit journal_rig_unit(struct journal_rig *rig, int64_t id)
{
    struct journal_rig_seen seen;
    journal_rig_see(rig, &(struct journal_filter){0}, &seen);
    for (size_t i = 0; i < seen.count; i++)
        if (seen.items[i].unit.id == id)
            return seen.items[i];
    fail_msg("unit %d is not in the journal", (int)id);
    return (struct journal_unit){0};
}

void journal_rig_save(struct journal_rig *rig, int64_t id, enum unit_state state,
                      enum unit_reason reason, bool durable)
{
    struct unit unit = journal_rig_unit(rig, id).unit;
    unit.state = state;
    unit.reason = reason;
    MUST(journal_save(rig->journal, &unit, 1, durable, &rig->err));
}

struct object_fact journal_rig_fact(const char *key, uint64_t bytes)
{
    return (struct object_fact){.want = {.key = key, .bytes = bytes, .etag = "\"0x8D\""}};
}

/* Two objects, "a" and "b", and their facts as they stand. */
int64_t journal_rig_begin_facts(struct journal_rig *rig, const char *source, const char *target)
{
    const struct object_fact facts[] = {journal_rig_fact("a", 1), journal_rig_fact("b", 2)};
    struct journal_new new = journal_rig_new(rig, source, target);
    new.facts = facts;
    new.fact_count = 2;
    MUST(journal_begin(rig->journal, &new, 1, &rig->err));
    assert_int_equal(new.conflict, 0);
    return new.entry.unit.id;
}

void journal_rig_save_target(struct journal_rig *rig, int64_t unit, const char *key,
                             const char *etag, bool created)
{
    struct object_fact fact = journal_rig_fact(key, 0);
    snprintf(fact.target_etag, sizeof(fact.target_etag), "%s", etag);
    fact.created = created;
    fact.proven = true;
    const struct object_fact *one = &fact;
    MUST(journal_facts_save(rig->journal, unit, &one, 1, &rig->err));
}

static bool count_one(void *context, const struct journal_event *event, struct err *err)
{
    (void)event;
    (void)err;
    (*(size_t *)context)++;
    return true;
}

size_t journal_rig_count_events(struct journal_rig *rig, int64_t unit)
{
    size_t count = 0;
    MUST(journal_events(rig->journal, unit, count_one, &count, &rig->err));
    return count;
}
