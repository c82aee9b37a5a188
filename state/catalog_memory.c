#include "state/catalog_memory.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/when.h"
#include "state/catalog_flaw.h"
#include "state/catalog_tally.h"
#include "state/catalog_value.h"

#define FAULTS_MAX 64
#define SCRATCH_MAX ((size_t)1 << 30)
#define SETS_BYTES_MAX ((size_t)64 << 20)

struct memory_rows {
    struct record **items; /* each one block, with all that it points to */
    size_t count, capacity;
};

struct memory_reference {
    size_t reference; /* in the config */
    char *url;
};

/* What a cut-over set in one row. */
struct memory_set {
    const char *id, *column, *value;
    const struct memory_set *next; /* the one before it */
};

struct catalog_memory {
    struct catalog catalog;
    const struct catalog_config *config;
    const enum value_kind *field_kinds;
    const struct catalog_memory_table *table; /* NULL: as the config has it */
    pthread_mutex_t mutex;
    struct memory_rows rows; /* by id */
    struct memory_reference *references;
    size_t reference_count;
    bool in_snapshot;
    struct memory_rows snapshot;  /* copies, in the order of a cursor */
    struct arena arena;           /* holds what was set */
    const struct memory_set *set; /* the latest one */
    enum catalog_memory_fault faults[FAULTS_MAX];
    size_t fault_first, fault_count;
};

struct memory_cursor {
    const struct catalog_memory *memory;
    size_t next;
};

static void *or_abort(void *memory)
{
    if (memory == NULL)
        err_abort("out of memory");
    return memory;
}

/* -- rows ------------------------------------------------------------------------------------- */

static size_t text_bytes(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 0;
}

static const char *pack(char **to, const char *bytes, size_t size_bytes)
{
    if (bytes == NULL)
        return NULL;
    char *packed = memcpy(*to, bytes, size_bytes);
    packed[size_bytes] = '\0';
    *to += size_bytes + 1;
    return packed;
}

static const char *pack_text(char **to, const char *text)
{
    return pack(to, text, text != NULL ? strlen(text) : 0);
}

/* They stand right behind it. */
static struct value *row_fields(struct record *row)
{
    return (struct value *)(row + 1);
}

/* A copy of the record in one block, with another location if one is given. */
static struct record *row_make(const struct record *record, const char *location)
{
    size_t texts = text_bytes(record->id) + text_bytes(location);
    for (size_t i = 0; i < record->field_count; i++)
        if (record->fields[i].kind == VALUE_TEXT)
            texts += record->fields[i].text.size_bytes + 1;
    size_t fields = record->field_count * sizeof(struct value);
    struct record *row = or_abort(malloc(sizeof *row + fields + texts));
    struct value *values = row_fields(row);
    char *to = (char *)(values + record->field_count);

    *row = *record;
    row->id = pack_text(&to, record->id);
    catalog_value_set_location(row, pack_text(&to, location));
    row->fields = values;
    for (size_t i = 0; i < record->field_count; i++) {
        values[i] = record->fields[i];
        if (values[i].kind == VALUE_TEXT)
            values[i].text.bytes = pack(&to, values[i].text.bytes, values[i].text.size_bytes);
    }
    return row;
}

/* The index of the id, or where it belongs. */
static size_t rows_find(const struct memory_rows *rows, const char *id, bool *found)
{
    size_t low = 0, high = rows->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_compare(rows->items[middle]->id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = low < rows->count && str_equal(rows->items[low]->id, id);
    return low;
}

static void rows_reserve(struct memory_rows *rows, size_t count)
{
    if (count <= rows->capacity)
        return;
    rows->capacity = count < 16 ? 16 : 2 * count;
    rows->items = or_abort(realloc(rows->items, rows->capacity * sizeof *rows->items));
}

static void rows_put(struct memory_rows *rows, struct record *row)
{
    bool found;
    size_t index = rows_find(rows, row->id, &found);
    if (found) {
        free(rows->items[index]);
    } else {
        rows_reserve(rows, rows->count + 1);
        memmove(&rows->items[index + 1], &rows->items[index],
                (rows->count++ - index) * sizeof *rows->items);
    }
    rows->items[index] = row;
}

static void rows_free(struct memory_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        free(rows->items[i]);
    free(rows->items);
    *rows = (struct memory_rows){0};
}

static struct catalog_memory *memory_of(struct catalog *catalog)
{
    return (struct catalog_memory *)catalog;
}

/* -- the table -------------------------------------------------------------------------------- */

/* NULL: there is none of that name. */
static const struct catalog_memory_column *column_of(const struct catalog_memory_table *table,
                                                     const char *name)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (str_equal(table->columns[i].name, name))
            return &table->columns[i];
    return NULL;
}

/* NULL after a flaw. */
static const struct catalog_memory_column *find_column(const struct catalog_memory_table *table,
                                                       size_t part, struct catalog_flaws *flaws)
{
    const struct catalog_memory_column *found = column_of(table, catalog_name(flaws->config, part));
    if (found != NULL)
        return found;
    const char **names = arena_make(flaws->arena, (table->column_count + 1) * sizeof *names);
    for (size_t i = 0; i < table->column_count; i++)
        names[i] = table->columns[i].name;
    catalog_flaw_missing(flaws, part, names);
    return NULL;
}

static void look_at_id(const struct catalog_memory_table *table, struct catalog_flaws *flaws)
{
    const struct catalog_memory_column *id = find_column(table, CATALOG_ID, flaws);
    if (id != NULL && !id->is_key)
        catalog_flaw_key(flaws, "has no primary or unique key of its own");
}

static void look_at_location(const struct catalog_memory_table *table, struct catalog_flaws *flaws,
                             struct catalog_shape *shape)
{
    const struct catalog_memory_column *location = find_column(table, CATALOG_LOCATION, flaws);
    if (location == NULL)
        return;
    if (location->kind != VALUE_TEXT) {
        catalog_flaw_type(flaws, CATALOG_LOCATION, "not text");
        return;
    }
    shape->location_indexed = location->is_indexed;
    shape->index_statement =
        str_format(flaws->arena, "CREATE INDEX ON %s (%s)", table->name, location->name);
}

static void look_at_columns(const struct catalog_memory_table *table, struct catalog_flaws *flaws,
                            struct catalog_shape *shape)
{
    static const struct catalog_memory_column missing = {.kind = VALUE_NULL};
    const struct catalog_config *config = flaws->config;
    for (size_t part = CATALOG_TIME; part < CATALOG_FIELD + config->field_count; part++) {
        if (catalog_name(config, part) == NULL)
            continue;
        const struct catalog_memory_column *column = find_column(table, part, flaws);
        if (column == NULL)
            column = &missing;
        if (part == CATALOG_TIME) {
            shape->time = column->kind;
            shape->time_is_naive = column->is_naive;
        } else if (part == CATALOG_SIZE) {
            shape->size = column->kind;
        } else {
            shape->fields[part - CATALOG_FIELD] = column->kind;
        }
    }
}

/* The text as a value of that kind; false if it is none.  Texts are borrowed. */
static bool read_value(const char *text, enum value_kind kind, struct value *value)
{
    struct when_date date;
    struct err ignored;
    char *end;
    *value = (struct value){.kind = text != NULL ? kind : VALUE_NULL};
    switch (value->kind) {
    case VALUE_NULL:
        return true;
    case VALUE_TEXT:
        value->text.bytes = text;
        value->text.size_bytes = (uint32_t)strlen(text);
        return true;
    case VALUE_INTEGER:
        return str_to_i64(text, &value->integer);
    case VALUE_DECIMAL:
        *value = catalog_value_double(strtod(text, &end));
        return end != text && *end == '\0';
    case VALUE_BOOLEAN:
        value->boolean = str_equal(text, "true");
        return value->boolean || str_equal(text, "false");
    case VALUE_INSTANT:
        return when_instant_read(text, &value->instant_us, &ignored);
    case VALUE_DATE:
        if (!when_date_read(text, &date, &ignored))
            return false;
        value->instant_us = when_days(date) * WHEN_DAY_US;
        return true;
    default:
        return false;
    }
}

static void look_at_sets(const struct catalog_memory_table *table, struct catalog_flaws *flaws)
{
    const struct catalog_config *config = flaws->config;
    for (size_t i = 0; i < config->set_count; i++) {
        const struct catalog_memory_column *column =
            find_column(table, catalog_set_part(config, i), flaws);
        const char *text = config->sets[i].value;
        struct value value;
        if (column != NULL &&
            catalog_flaw_may_set(flaws, i, column->is_generated,
                                 column->is_key || column->is_never_null) &&
            !read_value(text, column->kind, &value))
            catalog_flaw_set(flaws, i,
                             str_format(flaws->arena, "`%s` is no value of its type", text));
    }
}

static void look_at_table(const struct catalog_memory_table *table, struct catalog_flaws *flaws,
                          struct catalog_shape *shape)
{
    if (!str_equal(table->name, flaws->config->table)) {
        catalog_flaw_missing(flaws, CATALOG_TABLE, (const char *const[]){table->name, NULL});
        return;
    }
    look_at_id(table, flaws);
    look_at_location(table, flaws, shape);
    look_at_columns(table, flaws, shape);
    look_at_sets(table, flaws);
}

/* There is no table but this one. */
static void look_at_references(const struct catalog_memory_table *table,
                               struct catalog_flaws *flaws)
{
    const struct catalog_config *config = flaws->config;
    for (size_t i = 0; i < config->reference_count; i++) {
        size_t part = catalog_reference_part(config, i);
        if (!str_equal(table->name, config->references[i].table)) {
            catalog_flaw_missing(flaws, part, (const char *const[]){table->name, NULL});
            continue;
        }
        const struct catalog_memory_column *column = find_column(table, part + 1, flaws);
        if (column != NULL && column->kind != VALUE_TEXT)
            catalog_flaw_type(flaws, part + 1, "not text");
    }
}

/* What a table would be like that is as the config has it. */
static void follow_config(const struct catalog_memory *self, struct catalog_shape *shape)
{
    const struct catalog_config *config = self->config;
    shape->time = config->time != NULL ? VALUE_INSTANT : VALUE_NULL;
    shape->size = config->size != NULL ? VALUE_INTEGER : VALUE_NULL;
    if (config->field_count > 0)
        memcpy(shape->fields, self->field_kinds, config->field_count * sizeof *shape->fields);
    shape->location_indexed = true;
    shape->index_statement = "";
}

static bool memory_describe(struct catalog *catalog, struct arena *arena,
                            struct catalog_shape *shape, struct err *err)
{
    (void)err;
    const struct catalog_memory *self = memory_of(catalog);
    const struct catalog_config *config = self->config;
    struct catalog_flaws flaws;
    catalog_flaw_init(&flaws, config, arena);
    *shape = (struct catalog_shape){
        .identity = str_format(arena, "memory:///%s", config->table),
        .fields = arena_make(arena, (config->field_count + 1) * sizeof *shape->fields),
    };
    if (self->table == NULL) {
        follow_config(self, shape);
    } else {
        look_at_table(self->table, &flaws, shape);
        look_at_references(self->table, &flaws);
    }
    shape->flaws = flaws.items;
    shape->flaw_count = flaws.count;
    return true;
}

static bool memory_examine(struct catalog *catalog, struct arena *arena,
                           struct catalog_health *health, struct err *err)
{
    (void)arena;
    (void)err;
    struct catalog_memory *self = memory_of(catalog);
    pthread_mutex_lock(&self->mutex);
    *health = (struct catalog_health){.server = "memory", .rows = self->rows.count};
    pthread_mutex_unlock(&self->mutex);
    return true;
}

/* The first flaw is the error. */
static bool check_table(const struct catalog_memory *self, struct err *err)
{
    if (self->table == NULL)
        return true;
    struct arena scratch;
    struct catalog_flaws flaws;
    struct catalog_shape shape = {0};
    arena_init(&scratch, SCRATCH_MAX);
    catalog_flaw_init(&flaws, self->config, &scratch);
    shape.fields = arena_make(&scratch, (self->config->field_count + 1) * sizeof *shape.fields);
    look_at_table(self->table, &flaws, &shape);
    bool ok = catalog_flaw_none(&flaws, err);
    arena_free(&scratch);
    return ok;
}

/* -- the snapshot and its cursors ------------------------------------------------------------- */

static int compare_directories(const struct record *a, const struct record *b)
{
    /* A location without '/' is a directory of its own. */
    size_t a_bytes = a->directory_bytes != 0 ? a->directory_bytes : strlen(a->location);
    size_t b_bytes = b->directory_bytes != 0 ? b->directory_bytes : strlen(b->location);
    int order = memcmp(a->location, b->location, a_bytes < b_bytes ? a_bytes : b_bytes);
    return order != 0 ? order : (a_bytes > b_bytes) - (a_bytes < b_bytes);
}

static int compare_locations(const void *left, const void *right)
{
    const struct record *a = *(struct record *const *)left, *b = *(struct record *const *)right;
    int order = (a->location != NULL) - (b->location != NULL);
    if (a->location != NULL && b->location != NULL)
        order = str_compare(a->location, b->location);
    return order != 0 ? order : str_compare(a->id, b->id);
}

static int compare_rows(const void *left, const void *right)
{
    const struct record *a = *(struct record *const *)left, *b = *(struct record *const *)right;
    int order = 0;
    if (a->location != NULL && b->location != NULL)
        order = compare_directories(a, b);
    return order != 0 ? order : compare_locations(left, right);
}

static bool memory_snapshot(struct catalog *catalog, struct err *err)
{
    struct catalog_memory *self = memory_of(catalog);
    if (self->in_snapshot)
        return ERR(err, ERR_INTERNAL, "the catalog has a snapshot already");
    if (!check_table(self, err))
        return false;
    pthread_mutex_lock(&self->mutex);
    rows_reserve(&self->snapshot, self->rows.count);
    for (size_t i = 0; i < self->rows.count; i++)
        self->snapshot.items[i] = row_make(self->rows.items[i], self->rows.items[i]->location);
    self->snapshot.count = self->rows.count;
    self->in_snapshot = true;
    pthread_mutex_unlock(&self->mutex);
    if (self->snapshot.count > 0)
        qsort(self->snapshot.items, self->snapshot.count, sizeof *self->snapshot.items,
              self->config->by_object ? compare_locations : compare_rows);
    return true;
}

static void memory_snapshot_end(struct catalog *catalog)
{
    struct catalog_memory *self = memory_of(catalog);
    rows_free(&self->snapshot);
    self->in_snapshot = false;
}

static bool memory_cursor_open(struct catalog *catalog, struct catalog_cursor **cursor,
                               struct err *err)
{
    struct catalog_memory *self = memory_of(catalog);
    if (!self->in_snapshot)
        return ERR(err, ERR_INTERNAL, "a cursor needs a snapshot");
    struct memory_cursor *made = or_abort(malloc(sizeof *made));
    *made = (struct memory_cursor){.memory = self};
    *cursor = (struct catalog_cursor *)made;
    return true;
}

static bool memory_cursor_next(struct catalog_cursor *cursor, const struct record **record,
                               struct err *err)
{
    struct memory_cursor *self = (struct memory_cursor *)cursor;
    const struct memory_rows *rows = &self->memory->snapshot;
    if (!self->memory->in_snapshot)
        return ERR(err, ERR_INTERNAL, "the snapshot of this cursor has ended");
    *record = self->next < rows->count ? rows->items[self->next++] : NULL;
    return true;
}

static void memory_cursor_close(struct catalog_cursor *cursor)
{
    free(cursor);
}

/* -- what a cut sets --------------------------------------------------------------------------- */

/* Of a declared field. */
static enum value_kind kind_of(const struct catalog_memory *self, size_t field)
{
    return self->table == NULL ? self->field_kinds[field]
                               : column_of(self->table, self->config->fields[field].column)->kind;
}

/* The index of the declared field that is this column; field_count if none is. */
static size_t field_of(const struct catalog_config *config, const char *column)
{
    size_t field = 0;
    while (field < config->field_count && !str_equal(config->fields[field].column, column))
        field++;
    return field;
}

static void set_value(struct catalog_memory *self, struct record *row,
                      const struct catalog_set *set)
{
    struct memory_set *made = arena_make(&self->arena, sizeof *made);
    made->id = arena_copy(&self->arena, row->id);
    made->column = arena_copy(&self->arena, set->column);
    made->value = set->value != NULL ? arena_copy(&self->arena, set->value) : NULL;
    made->next = self->set;
    self->set = made;

    size_t field = field_of(self->config, set->column);
    struct value value;
    if (field < row->field_count && read_value(made->value, kind_of(self, field), &value))
        row_fields(row)[field] = value;
}

/* -- what reads and writes the rows themselves ------------------------------------------------ */

/* As a range of SQL would have it (catalog_tally_bound). */
static bool is_at_or_below(const char *location, const char *url)
{
    bool stands_for_more = strchr("/?#", url[strlen(url) - 1]) != NULL;
    return stands_for_more ? str_starts(location, url) : str_equal(location, url);
}

static void tally_all(const struct catalog_memory *self, const struct catalog_cut *cut,
                      struct arena *arena, struct catalog_tally *tally)
{
    catalog_tally_init(tally, cut, arena);
    for (size_t i = 0; i < self->rows.count; i++) {
        const struct record *row = self->rows.items[i];
        catalog_tally_row(tally, row->id, row->location);
        if (row->location != NULL && is_at_or_below(row->location, cut->source))
            catalog_tally_below(tally, row->id, row->location);
    }
}

static void move_rows(struct catalog_memory *self, const struct catalog_cut *cut)
{
    for (size_t i = 0; i < cut->count; i++) {
        bool found;
        size_t index = rows_find(&self->rows, cut->rows[i].id, &found);
        struct record *row = row_make(self->rows.items[index], cut->rows[i].new_location);
        for (size_t k = 0; k < cut->set_count; k++)
            set_value(self, row, &cut->sets[k]);
        rows_put(&self->rows, row);
    }
}

static enum catalog_memory_fault take_fault(struct catalog_memory *self)
{
    if (self->fault_count == 0)
        return CATALOG_FAULT_NONE;
    enum catalog_memory_fault fault = self->faults[self->fault_first];
    self->fault_first = (self->fault_first + 1) % FAULTS_MAX;
    self->fault_count--;
    return fault;
}

static enum catalog_outcome cut_rows(struct catalog_memory *self, const struct catalog_cut *cut,
                                     enum catalog_memory_fault fault)
{
    struct arena scratch;
    struct catalog_tally tally;
    arena_init(&scratch, SCRATCH_MAX);
    tally_all(self, cut, &scratch, &tally);
    bool exact = catalog_tally_is_exact(&tally);
    arena_free(&scratch);

    if (!exact)
        return CATALOG_CHANGED;
    if (fault != CATALOG_FAULT_UNKNOWN_DROPPED)
        move_rows(self, cut);
    return fault == CATALOG_FAULT_NONE ? CATALOG_CUT : CATALOG_UNKNOWN;
}

static bool memory_cut_over(struct catalog *catalog, const struct catalog_cut *cut,
                            enum catalog_outcome *outcome, struct err *err)
{
    struct catalog_memory *self = memory_of(catalog);
    if (!check_table(self, err))
        return false;
    pthread_mutex_lock(&self->mutex);
    enum catalog_memory_fault fault = take_fault(self);
    if (fault != CATALOG_FAULT_BUSY)
        *outcome = cut_rows(self, cut, fault);
    pthread_mutex_unlock(&self->mutex);
    if (fault == CATALOG_FAULT_BUSY)
        return ERR(err, ERR_BUSY, "the catalog is busy");
    return true;
}

static bool memory_look(struct catalog *catalog, const struct catalog_cut *cut, bool lock,
                        struct catalog_sight *sight, struct err *err)
{
    (void)lock;
    struct catalog_memory *self = memory_of(catalog);
    struct arena scratch;
    struct catalog_tally tally;
    if (!check_table(self, err))
        return false;
    arena_init(&scratch, SCRATCH_MAX);
    pthread_mutex_lock(&self->mutex);
    tally_all(self, cut, &scratch, &tally);
    pthread_mutex_unlock(&self->mutex);
    *sight = catalog_tally_sight(&tally);
    arena_free(&scratch);
    return true;
}

static bool memory_fetch(struct catalog *catalog, const char *const *ids, size_t count,
                         catalog_visit *visit, void *context, struct err *err)
{
    struct catalog_memory *self = memory_of(catalog);
    bool ok = check_table(self, err);
    pthread_mutex_lock(&self->mutex);
    for (size_t i = 0; i < count && ok; i++) {
        bool found;
        size_t index = rows_find(&self->rows, ids[i], &found);
        ok = !found || visit(context, self->rows.items[index], err);
    }
    pthread_mutex_unlock(&self->mutex);
    return ok;
}

static bool memory_below(struct catalog *catalog, const char *url, size_t limit,
                         catalog_visit *visit, void *context, struct err *err)
{
    struct catalog_memory *self = memory_of(catalog);
    bool ok = check_table(self, err);
    pthread_mutex_lock(&self->mutex);
    for (size_t i = 0; i < self->rows.count && limit > 0 && ok; i++) {
        const struct record *row = self->rows.items[i];
        if (row->location == NULL || !is_at_or_below(row->location, url))
            continue;
        ok = visit(context, row, err);
        limit--;
    }
    pthread_mutex_unlock(&self->mutex);
    return ok;
}

static bool memory_referenced(struct catalog *catalog, const char *const *urls, size_t count,
                              const struct catalog_reference **found, struct err *err)
{
    (void)err;
    struct catalog_memory *self = memory_of(catalog);
    *found = NULL;
    pthread_mutex_lock(&self->mutex);
    for (size_t i = 0; i < self->reference_count; i++)
        for (size_t k = 0; k < count; k++)
            if (is_at_or_below(self->references[i].url, urls[k]))
                *found = &self->config->references[self->references[i].reference];
    pthread_mutex_unlock(&self->mutex);
    return true;
}

static void memory_close(struct catalog *catalog)
{
    struct catalog_memory *self = memory_of(catalog);
    rows_free(&self->rows);
    rows_free(&self->snapshot);
    catalog_memory_refer_nothing(self);
    pthread_mutex_destroy(&self->mutex);
    arena_free(&self->arena);
    free(self);
}

static const struct catalog_ops MEMORY_OPS = {
    .kind = "memory",
    .describe = memory_describe,
    .examine = memory_examine,
    .snapshot = memory_snapshot,
    .snapshot_end = memory_snapshot_end,
    .cursor_open = memory_cursor_open,
    .cursor_next = memory_cursor_next,
    .cursor_close = memory_cursor_close,
    .cut_over = memory_cut_over,
    .look = memory_look,
    .fetch = memory_fetch,
    .below = memory_below,
    .referenced = memory_referenced,
    .close = memory_close,
};

/* -- what tests do behind the catalog's back --------------------------------------------------- */

struct catalog_memory *catalog_memory_make(const struct catalog_config *config,
                                           const enum value_kind *field_kinds)
{
    struct catalog_memory *self = or_abort(malloc(sizeof *self));
    *self = (struct catalog_memory){
        .catalog.ops = &MEMORY_OPS, .config = config, .field_kinds = field_kinds};
    pthread_mutex_init(&self->mutex, NULL);
    arena_init(&self->arena, SETS_BYTES_MAX);
    return self;
}

struct catalog *catalog_memory_catalog(struct catalog_memory *memory)
{
    return &memory->catalog;
}

void catalog_memory_set_table(struct catalog_memory *memory,
                              const struct catalog_memory_table *table)
{
    memory->table = table;
}

void catalog_memory_put(struct catalog_memory *memory, const struct record *record)
{
    pthread_mutex_lock(&memory->mutex);
    rows_put(&memory->rows, row_make(record, record->location));
    pthread_mutex_unlock(&memory->mutex);
}

void catalog_memory_remove(struct catalog_memory *memory, const char *id)
{
    pthread_mutex_lock(&memory->mutex);
    bool found;
    size_t index = rows_find(&memory->rows, id, &found);
    if (found) {
        free(memory->rows.items[index]);
        memmove(&memory->rows.items[index], &memory->rows.items[index + 1],
                (--memory->rows.count - index) * sizeof *memory->rows.items);
    }
    pthread_mutex_unlock(&memory->mutex);
}

void catalog_memory_refer(struct catalog_memory *memory, size_t reference, const char *url)
{
    assert(reference < memory->config->reference_count);
    pthread_mutex_lock(&memory->mutex);
    size_t count = memory->reference_count++;
    memory->references =
        or_abort(realloc(memory->references, (count + 1) * sizeof *memory->references));
    memory->references[count] = (struct memory_reference){reference, or_abort(strdup(url))};
    pthread_mutex_unlock(&memory->mutex);
}

void catalog_memory_refer_nothing(struct catalog_memory *memory)
{
    pthread_mutex_lock(&memory->mutex);
    for (size_t i = 0; i < memory->reference_count; i++)
        free(memory->references[i].url);
    free(memory->references);
    memory->references = NULL;
    memory->reference_count = 0;
    pthread_mutex_unlock(&memory->mutex);
}

const char *catalog_memory_location(const struct catalog_memory *memory, const char *id)
{
    bool found;
    size_t index = rows_find(&memory->rows, id, &found);
    return found ? memory->rows.items[index]->location : NULL;
}

const char *catalog_memory_value(const struct catalog_memory *memory, const char *id,
                                 const char *column)
{
    const struct memory_set *set = memory->set;
    while (set != NULL && !(str_equal(set->id, id) && str_equal(set->column, column)))
        set = set->next;
    return set != NULL ? set->value : NULL;
}

void catalog_memory_fail_next(struct catalog_memory *memory, enum catalog_memory_fault fault)
{
    pthread_mutex_lock(&memory->mutex);
    assert(memory->fault_count < FAULTS_MAX);
    memory->faults[(memory->fault_first + memory->fault_count++) % FAULTS_MAX] = fault;
    pthread_mutex_unlock(&memory->mutex);
}
