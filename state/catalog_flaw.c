#include "state/catalog_flaw.h"

#include <stdio.h>
#include <strings.h>

#include "base/arena.h"
#include "base/str.h"

void catalog_flaw_init(struct catalog_flaws *flaws, const struct catalog_config *config,
                       struct arena *arena)
{
    /* One for each part at most. */
    size_t parts = catalog_set_part(config, config->set_count);
    *flaws = (struct catalog_flaws){
        .config = config, .arena = arena, .items = arena_make(arena, parts * sizeof *flaws->items)};
}

/* The same name in other letters is the likeliest slip of all. */
static const char *nearest(const char *name, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (strcasecmp(names[i], name) == 0)
            return names[i];
    return str_nearest(name, names);
}

static void add(struct catalog_flaws *flaws, enum catalog_flaw_kind kind, size_t part,
                const char *text, const char *likely)
{
    flaws->items[flaws->count++] =
        (struct catalog_flaw){.kind = kind, .part = part, .text = text, .nearest = likely};
}

void catalog_flaw_missing(struct catalog_flaws *flaws, size_t part, const char *const *names)
{
    const char *name = catalog_name(flaws->config, part), *likely = nearest(name, names);
    size_t table = catalog_table_part(flaws->config, part);
    const char *text = part == table
                           ? str_format(flaws->arena, "the catalog has no table `%s`", name)
                           : str_format(flaws->arena, "the table `%s` has no column `%s`",
                                        catalog_name(flaws->config, table), name);
    add(flaws, CATALOG_FLAW_MISSING, part, text,
        likely == NULL ? NULL : arena_copy(flaws->arena, likely));
}

void catalog_flaw_type(struct catalog_flaws *flaws, size_t part, const char *what)
{
    const char *noun = part == catalog_table_part(flaws->config, part) ? "table" : "column";
    add(flaws, CATALOG_FLAW_TYPE, part,
        str_format(flaws->arena, "the %s `%s` is %s", noun, catalog_name(flaws->config, part),
                   what),
        NULL);
}

void catalog_flaw_key(struct catalog_flaws *flaws, const char *why)
{
    add(flaws, CATALOG_FLAW_KEY, CATALOG_ID,
        str_format(flaws->arena, "the id column `%s` %s", flaws->config->id, why), NULL);
}

void catalog_flaw_set(struct catalog_flaws *flaws, size_t set, const char *why)
{
    add(flaws, CATALOG_FLAW_SET, catalog_set_part(flaws->config, set),
        str_format(flaws->arena, "the column `%s` can't be set: %s",
                   flaws->config->sets[set].column, why),
        NULL);
}

bool catalog_flaw_may_set(struct catalog_flaws *flaws, size_t set, bool generated, bool not_null)
{
    if (generated)
        catalog_flaw_set(flaws, set, "the database makes its values itself");
    else if (not_null && flaws->config->sets[set].value == NULL)
        catalog_flaw_set(flaws, set, "it may not be NULL");
    else
        return true;
    return false;
}

bool catalog_flaw_has(const struct catalog_flaws *flaws, size_t part)
{
    for (size_t i = 0; i < flaws->count; i++)
        if (flaws->items[i].part == part)
            return true;
    return false;
}

bool catalog_flaw_none(const struct catalog_flaws *flaws, struct err *err)
{
    if (flaws->count == 0)
        return true;
    const struct catalog_flaw *first = &flaws->items[0];
    ERR(err, first->kind == CATALOG_FLAW_MISSING ? ERR_MISSING : ERR_INPUT, "%s", first->text);
    if (first->nearest != NULL)
        snprintf(err->hint, sizeof err->hint, "did you mean `%s`?", first->nearest);
    return false;
}
