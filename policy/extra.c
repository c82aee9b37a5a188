#include "policy/extra.h"

#include <assert.h>

#include "base/str.h"
#include "policy/clause.h"

const struct extra_file *extra_file_of(const struct policies *policies, struct span span)
{
    const struct policy_extra *extra = policies->extra;
    size_t i = 0;
    while (i < extra->file_count && extra->files[i].file != span.file)
        i++;
    assert(i < extra->file_count);
    return &extra->files[i];
}

const char *extra_where(const struct policies *policies, struct span span, struct arena *arena)
{
    const char *path = extra_file_of(policies, span)->path;
    return str_format(arena, "%s:%u:%u", path, span.line, span.column);
}

struct row extra_row(const struct policies *policies, const struct record *record,
                     const struct location *location, struct pattern_memory *memory)
{
    return (struct row){.record = record,
                        .location = location,
                        .id = ids_find(&policies->extra->ids, record->id),
                        .memory = memory,
                        .policy = POLICY_NO_INDEX};
}

void extra_each_selection(const struct policies *policies,
                          void (*visit)(void *context, struct clause *root), void *context)
{
    for (size_t i = 0; i < policies->hold_count; i++)
        visit(context, policies->holds[i].select);
    for (size_t i = 0; i < policies->count; i++) {
        visit(context, policies->items[i].select);
        if (policies->items[i].exclude != NULL)
            visit(context, policies->items[i].exclude);
    }
    if (policies->asked != NULL)
        visit(context, policies->asked);
}
