/* Literals meet the types of their columns. */
#include "policy/select.h"

#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/zone.h"
#include "policy/clause.h"
#include "policy/diag_codes.h"
#include "policy/extra.h"
#include "policy/scalar.h"
#include "policy/tree.h"

struct binding {
    const struct policies *policies;
    struct diags *diags;
    const char *field;
};

static void refuse_literal(const struct binding *binding, const struct clause *clause,
                           const char *column, const char *label, const char *help)
{
    struct arena *arena = binding->diags->arena;
    struct diag *diag = diag_add(binding->diags, DIAG_LITERAL, clause->origin->span,
                                 "`%s` can't be compared with `%s`, %s",
                                 clause->origin->literal->text, binding->field, column);
    diag->label = arena_copy(arena, label);
    diag->help = help;
}

static void bind_number(const struct binding *binding, struct clause *clause, const char *column)
{
    clause->kind = CLAUSE_NUMBER;
    if (!scalar_read_decimal(clause->origin->literal->text, &clause->number))
        refuse_literal(binding, clause, column, "not a number", "up to 18 digits, with a point");
}

static void bind_boolean(const struct binding *binding, struct clause *clause)
{
    const char *text = clause->origin->literal->text;
    clause->kind = CLAUSE_BOOLEAN;
    clause->boolean = str_equal(text, "true");
    if (!clause->boolean && !str_equal(text, "false"))
        refuse_literal(binding, clause, "a boolean", "write true or false", "");
    bool ordered =
        ((clause->relations & RELATION_LESS) != 0) != ((clause->relations & RELATION_GREATER) != 0);
    if (ordered)
        diag_add(binding->diags, DIAG_TEST, clause->origin->span,
                 "`%s` is a boolean: neither value is greater", binding->field)
            ->label = "only `eq`, `ne`, `in` and `null` make sense";
}

static void bind_instant(const struct binding *binding, struct clause *clause)
{
    const char *text = clause->origin->literal->text;
    struct when_date date;
    struct err err;
    clause->kind = CLAUSE_INSTANT;
    if (when_date_read(text, &date, &err)) {
        clause->range = (struct range){select_midnight(binding->policies, date, 0),
                                       select_midnight(binding->policies, date, 1)};
        return;
    }
    if (!when_instant_read(text, &clause->range.from_us, &err))
        refuse_literal(binding, clause, "a time", "not a time",
                       "a day, 2025-02-14, or a time with its offset, 2025-02-14T12:00:00Z");
    clause->range.to_us = clause->range.from_us + 1;
}

/* Such a column holds midnights of UTC, whatever the policy's zone. */
static void bind_date(const struct binding *binding, struct clause *clause)
{
    struct when_date date = {1970, 1, 1};
    struct err err;
    clause->kind = CLAUSE_INSTANT;
    if (!when_date_read(clause->origin->literal->text, &date, &err))
        refuse_literal(binding, clause, "a date", "not a date", "a day, 2025-02-14");
    clause->range.from_us = when_days(date) * WHEN_DAY_US;
    clause->range.to_us = clause->range.from_us + 1;
}

static void refuse_test(const struct binding *binding, const struct clause *clause,
                        const char *wanted)
{
    diag_add(binding->diags, DIAG_TEST, clause->origin->span, "`%s` is no test for `%s`",
             clause->origin->literal->key->text, binding->field)
        ->label = wanted;
}

static void bind_literal(const struct binding *binding, struct clause *clause,
                         enum value_kind column)
{
    bool is_time = column == VALUE_INSTANT || column == VALUE_DATE;
    if (clause->kind == CLAUSE_PATTERN) {
        if (column != VALUE_TEXT && column != VALUE_UNSUPPORTED && column != VALUE_NULL)
            refuse_test(binding, clause, "the column is no text");
        return;
    }
    if (clause->origin->age != AGE_NONE) {
        clause->kind = is_time ? CLAUSE_INSTANT : CLAUSE_LITERAL;
        if (!is_time && column != VALUE_UNSUPPORTED && column != VALUE_NULL)
            refuse_test(binding, clause, "the column is no time");
        return;
    }
    switch (column) {
    case VALUE_TEXT:
        clause->kind = CLAUSE_TEXT;
        clause->text.bytes = clause->origin->literal->text;
        clause->text.size = strlen(clause->text.bytes);
        break;
    case VALUE_INTEGER:
        bind_number(binding, clause, "a whole number");
        break;
    case VALUE_DECIMAL:
        bind_number(binding, clause, "a number");
        break;
    case VALUE_BOOLEAN:
        bind_boolean(binding, clause);
        break;
    case VALUE_INSTANT:
        bind_instant(binding, clause);
        break;
    case VALUE_DATE:
        bind_date(binding, clause);
        break;
    default: /* unknown, or a finding of the field's own */
        clause->kind = CLAUSE_LITERAL;
        break;
    }
}

void select_bind(const struct policies *policies, const struct catalog_shape *shape,
                 struct diags *diags, struct clause *root)
{
    for (struct clause *clause = root; clause < root + root->size; clause++) {
        if (clause->origin->literal == NULL || clause->kind == CLAUSE_PATH)
            continue;
        struct binding binding = {policies, diags, policies->catalog.fields[clause->index].name};
        bind_literal(&binding, clause, shape->fields[clause->index]);
    }
}
