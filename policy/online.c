#include "policy/online.h"

#include "base/arena.h"
#include "base/str.h"
#include "policy/diag_codes.h"
#include "policy/extra.h"

static const char *label_of(enum err_kind kind)
{
    switch (kind) {
    case ERR_MISSING:
        return "it is not there";
    case ERR_DENIED:
        return "access is refused";
    case ERR_BUSY:
        return "it can't be reached";
    default:
        return "it can't be used";
    }
}

static void refuse(struct diags *diags, int code, struct span span, const struct err *failure)
{
    struct diag *diag = diag_add(diags, code, span, "%s", failure->text);
    diag->label = label_of(failure->kind);
    diag->help = arena_copy(diags->arena, failure->hint);
}

void online_catalog(const struct policies *policies, const struct err *failure, struct diags *diags)
{
    refuse(diags, DIAG_CATALOG, policies->extra->connection, failure);
}

void online_store(const struct policies *policies, size_t store, const struct err *failure,
                  struct diags *diags)
{
    refuse(diags, DIAG_STORE, policies->stores[store].span, failure);
}

static int code_of(const struct catalog_flaw *flaw, bool is_table)
{
    if (is_table)
        return DIAG_TABLE;
    if (flaw->kind == CATALOG_FLAW_MISSING)
        return DIAG_COLUMN_MISSING;
    if (flaw->kind == CATALOG_FLAW_SET)
        return DIAG_SET;
    return flaw->kind == CATALOG_FLAW_KEY ? DIAG_NO_KEY : DIAG_COLUMN_TYPE;
}

void online_table(const struct policies *policies, const struct catalog_shape *shape,
                  struct diags *diags)
{
    static const char *const labels[] = {
        [CATALOG_FLAW_MISSING] = "not in the database",
        [CATALOG_FLAW_TYPE] = "a table is wanted",
        [CATALOG_FLAW_KEY] = "an id names one row, always",
        [CATALOG_FLAW_SET] = "every cut-over would fail",
    };
    for (size_t i = 0; i < shape->flaw_count; i++) {
        const struct catalog_flaw *flaw = &shape->flaws[i];
        bool is_table = catalog_table_part(&policies->catalog, flaw->part) == flaw->part;
        struct diag *diag = diag_add(diags, code_of(flaw, is_table),
                                     policies->extra->parts[flaw->part], "%s", flaw->text);
        diag->label =
            flaw->kind == CATALOG_FLAW_TYPE && !is_table ? "a text is wanted" : labels[flaw->kind];
        if (flaw->nearest != NULL)
            diag->help = str_format(diags->arena, "did you mean `%s`?", flaw->nearest);
    }
}

void online_index(const struct policies *policies, const struct catalog_shape *shape,
                  struct diags *diags)
{
    if (shape->location_indexed || shape->index_statement == NULL)
        return;
    struct diag *diag =
        diag_add(diags, DIAG_NO_INDEX, policies->extra->parts[CATALOG_LOCATION],
                 "no index on `%s` is in the order of bytes", policies->catalog.location);
    diag->label = "each cut-over scans the table";
    diag->help = shape->index_statement;
}
