#include "policy/tree.h"

#include <string.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/str.h"
#include "policy/diag_codes.h"

#define FEW_KEYS 32 /* up to here comparing each with each is quicker than hashing */

/* What is being built: the open lists and maps, outermost first. */
struct reader {
    struct diags *diags;
    struct arena *arena;
    uint16_t file;
    struct node *open[TREE_DEPTH_MAX];
    struct node *key[TREE_DEPTH_MAX]; /* of the map open[i], waiting for its value */
    size_t depth;
    size_t events;
    size_t documents;
    struct node *root;
    bool done;
};

/* ---- bytes that no policy may hold ---- */

static size_t sequence_size(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return 3;
    if (lead >= 0xf0 && lead <= 0xf4)
        return 4;
    return 0;
}

/* NULL if the character is fine.  The line breaks beyond ASCII are refused because YAML 1.1 counts
 * them as lines and editors don't.                                                               */
static const char *what_is_wrong(const char *at, size_t size, const char *end)
{
    unsigned char lead = (unsigned char)*at;
    if (lead == '\r')
        return at + 1 < end && at[1] == '\n' ? NULL : "a carriage return without a line feed";
    if (size == 1)
        return (lead < 0x20 && lead != '\n') || lead == 0x7f ? "a control character" : NULL;
    if (size == 2 && lead == 0xc2 && (unsigned char)at[1] < 0xa0)
        return "a control character";
    if (size == 3 && (memcmp(at, "\u2028", 3) == 0 || memcmp(at, "\u2029", 3) == 0))
        return "a line separator";
    if (size == 3 && memcmp(at, "\ufeff", 3) == 0)
        return "a byte order mark";
    return NULL;
}

/* True if the character was fine; otherwise a finding. */
static bool check_character(struct diags *diags, struct span span, const char *at, size_t size,
                            const char *end)
{
    if (size == 0 || size > (size_t)(end - at) || !str_is_utf8(at, size)) {
        diag_add(diags, DIAG_NOT_UTF8, span, "the file is not UTF-8")->label = "not a character";
        return false;
    }
    if (*at == '\t') {
        struct diag *diag = diag_add(diags, DIAG_TAB, span, "a tab");
        diag->label = "not allowed anywhere";
        diag->help = "indent with spaces; inside double quotes, write \\t";
        return false;
    }
    const char *wrong = what_is_wrong(at, size, end);
    if (wrong != NULL)
        diag_add(diags, DIAG_CHARACTER, span, "%s", wrong)->label = "not allowed in a policy";
    return wrong == NULL;
}

/* The first bad character of each line. */
static bool check_bytes(struct diags *diags, uint16_t file)
{
    const char *at = diags->files[file].bytes;
    const char *end = at + diags->files[file].size_bytes;
    struct span span = {file, 1, 1, 1};
    bool line_fine = true, fine = true;
    while (at < end) {
        size_t size = sequence_size((unsigned char)*at);
        if (line_fine && !check_character(diags, span, at, size, end))
            line_fine = fine = false;
        bool newline = *at == '\n';
        at += size == 0 || size > (size_t)(end - at) ? 1 : size;
        if (newline) {
            span.line++;
            span.column = 1;
            line_fine = true;
        } else {
            span.column++;
        }
    }
    return fine;
}

/* ---- events ---- */

/* The first line of what the marks enclose. */
static struct span span_of(const struct reader *reader, const yaml_mark_t *from,
                           const yaml_mark_t *to)
{
    struct span span = {reader->file, (uint32_t)from->line + 1, (uint32_t)from->column + 1, 1};
    if (to->line == from->line && to->column > from->column)
        span.length = (uint32_t)(to->column - from->column);
    return span;
}

static struct node *make_node(struct reader *reader, enum node_kind kind, struct span span)
{
    struct node *node = arena_make(reader->arena, sizeof *node);
    node->kind = kind;
    node->span = span;
    node->text = "";
    return node;
}

static void stop(struct reader *reader)
{
    reader->root = NULL;
    reader->done = true;
}

static void refuse_key(struct reader *reader, struct node *key)
{
    struct diag *diag =
        diag_add(reader->diags, DIAG_KEY_SHAPE, key->span, "a key has to be a plain word");
    diag->label = "a list or a map";
    key->broken = true;
}

static void check_key(struct reader *reader, struct node *key)
{
    if (!key->plain || !str_equal(key->text, "<<"))
        return;
    struct diag *diag = diag_add(reader->diags, DIAG_ALIAS, key->span, "a merge key");
    diag->label = "not read here";
    diag->help = "write the keys out; what many policies share stands in `defaults` or `vars`";
    key->broken = true;
}

/* The node takes its place in what is open: as item, as key or as value. */
static void place_node(struct reader *reader, struct node *node)
{
    if (reader->depth == 0) {
        reader->root = node;
        return;
    }
    size_t top = reader->depth - 1;
    struct node *parent = reader->open[top];
    if (parent->kind == NODE_MAP && reader->key[top] == NULL) {
        if (node->kind == NODE_SCALAR)
            check_key(reader, node);
        else
            refuse_key(reader, node);
        if (parent->count == 0 && parent->span.length == 0)
            parent->span = node->span;
        reader->key[top] = node;
        return;
    }
    if (parent->kind == NODE_MAP) {
        node->key = reader->key[top];
        node->broken |= node->key->broken;
        reader->key[top] = NULL;
    }
    tree_append(parent, node);
}

static void open_node(struct reader *reader, enum node_kind kind, bool block,
                      const yaml_event_t *event)
{
    struct span span = span_of(reader, &event->start_mark, &event->end_mark);
    struct node *node = make_node(reader, kind, span);
    if (reader->depth == TREE_DEPTH_MAX) {
        diag_add(reader->diags, DIAG_LIMIT, span, "nested more than %d deep", TREE_DEPTH_MAX)
            ->label = "too deep";
        stop(reader);
        return;
    }
    place_node(reader, node);
    /* A block map has no sign of its own: it takes the place of its first key. */
    node->span.length = kind == NODE_MAP && block ? 0 : 1;
    reader->open[reader->depth] = node;
    reader->key[reader->depth] = NULL;
    reader->depth++;
}

void tree_refuse_duplicate(struct diags *diags, const struct node *first, struct node *again)
{
    if (again->broken)
        return;
    struct diag *diag = diag_add(diags, DIAG_DUPLICATE_KEY, again->key->span, "duplicate key `%s`",
                                 again->key->text);
    diag->label = "defined again";
    diag->has_second = true;
    diag->second = first->key->span;
    diag->second_label = "first defined here";
    again->broken = true;
}

static void check_few(struct diags *diags, const struct node *map)
{
    for (struct node *again = map->first; again != NULL; again = again->next) {
        const struct node *first = map->first;
        while (first != again && !str_equal(first->key->text, again->key->text))
            first = first->next;
        if (first != again)
            tree_refuse_duplicate(diags, first, again);
    }
}

static void check_many(struct diags *diags, struct arena *arena, const struct node *map)
{
    struct node **values = arena_make(arena, map->count * sizeof *values);
    struct map seen;
    size_t index = 0, first;
    map_init(&seen, arena);
    for (struct node *again = map->first; again != NULL; again = again->next) {
        values[index] = again;
        if (!map_put(&seen, again->key->text, index) && map_find(&seen, again->key->text, &first))
            tree_refuse_duplicate(diags, values[first], again);
        index++;
    }
}

void tree_check_keys(struct diags *diags, struct arena *arena, const struct node *map)
{
    if (map->count <= FEW_KEYS)
        check_few(diags, map);
    else
        check_many(diags, arena, map);
}

static void close_node(struct reader *reader)
{
    const struct node *node = reader->open[--reader->depth];
    if (node->kind == NODE_MAP)
        tree_check_keys(reader->diags, reader->arena, node);
}

static void refuse_anchor(struct reader *reader, const yaml_char_t *anchor, struct span span)
{
    if (anchor == NULL)
        return;
    struct diag *diag =
        diag_add(reader->diags, DIAG_ALIAS, span, "an anchor `&%s`", (const char *)anchor);
    diag->label = "not read here";
    diag->help = "what many policies share stands in `defaults` or `vars`";
}

static void refuse_tag(struct reader *reader, const yaml_char_t *tag, struct span span)
{
    if (tag == NULL)
        return;
    struct diag *diag = diag_add(reader->diags, DIAG_TAG, span, "a tag");
    diag->label = "not read here";
    diag->help = "the key says what its value is; leave the tag out";
}

static void read_alias(struct reader *reader, const yaml_event_t *event)
{
    struct span span = span_of(reader, &event->start_mark, &event->end_mark);
    struct diag *diag = diag_add(reader->diags, DIAG_ALIAS, span, "an alias `*%s`",
                                 (const char *)event->data.alias.anchor);
    diag->label = "not read here";
    diag->help = "in quotes it is a text; what many policies share stands in `defaults` or `vars`";
    struct node *node = make_node(reader, NODE_SCALAR, span);
    node->broken = true;
    place_node(reader, node);
}

/* Escapes can write what the file's bytes can't hold. */
static bool has_control(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f)
            return true;
    }
    return false;
}

static void read_scalar(struct reader *reader, const yaml_event_t *event)
{
    struct span span = span_of(reader, &event->start_mark, &event->end_mark);
    struct node *node = make_node(reader, NODE_SCALAR, span);
    const char *bytes = (const char *)event->data.scalar.value;
    refuse_anchor(reader, event->data.scalar.anchor, span);
    refuse_tag(reader, event->data.scalar.tag, span);
    if (has_control(bytes, event->data.scalar.length)) {
        struct diag *diag = diag_add(reader->diags, DIAG_CHARACTER, span, "a control character");
        diag->label = "written as an escape";
        node->broken = true;
    }
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->text = str_copy(reader->arena, node->broken ? "" : bytes,
                          node->broken ? 0 : event->data.scalar.length);
    place_node(reader, node);
}

static void begin_document(struct reader *reader, const yaml_event_t *event)
{
    struct span span = span_of(reader, &event->start_mark, &event->end_mark);
    if (event->data.document_start.version_directive != NULL ||
        event->data.document_start.tag_directives.start !=
            event->data.document_start.tag_directives.end) {
        diag_add(reader->diags, DIAG_DOCUMENT, span, "a directive")->label = "leave it out";
    }
    if (reader->documents++ == 0)
        return;
    struct diag *diag = diag_add(reader->diags, DIAG_DOCUMENT, span, "a second document");
    diag->label = "a policy file holds one";
    reader->done = true;
}

static void read_event(struct reader *reader, const yaml_event_t *event)
{
    struct span span = span_of(reader, &event->start_mark, &event->end_mark);
    if (++reader->events > TREE_EVENTS_MAX) {
        diag_add(reader->diags, DIAG_LIMIT, span, "more than %d pieces in one file",
                 TREE_EVENTS_MAX);
        stop(reader);
        return;
    }
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        begin_document(reader, event);
        break;
    case YAML_ALIAS_EVENT:
        read_alias(reader, event);
        break;
    case YAML_SCALAR_EVENT:
        read_scalar(reader, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        refuse_anchor(reader, event->data.sequence_start.anchor, span);
        refuse_tag(reader, event->data.sequence_start.tag, span);
        open_node(reader, NODE_LIST, true, event);
        break;
    case YAML_MAPPING_START_EVENT:
        refuse_anchor(reader, event->data.mapping_start.anchor, span);
        refuse_tag(reader, event->data.mapping_start.tag, span);
        open_node(reader, NODE_MAP, event->data.mapping_start.style == YAML_BLOCK_MAPPING_STYLE,
                  event);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        close_node(reader);
        break;
    case YAML_STREAM_END_EVENT:
        reader->done = true;
        break;
    default:
        break;
    }
}

/* libyaml's own words, at the place it blames. */
static void tell_syntax(struct reader *reader, const yaml_parser_t *parser)
{
    const yaml_mark_t *mark = &parser->problem_mark;
    struct span span = {reader->file, (uint32_t)mark->line + 1, (uint32_t)mark->column + 1, 1};
    const char *problem = parser->problem == NULL ? "out of memory" : parser->problem;
    struct diag *diag = diag_add(reader->diags, DIAG_SYNTAX, span, "this is not YAML: %s", problem);
    if (parser->context != NULL && parser->context_mark.line != mark->line) {
        diag->has_second = true;
        diag->second = span_of(reader, &parser->context_mark, &parser->context_mark);
        diag->second_label = str_copy(reader->arena, parser->context, strlen(parser->context));
    }
    stop(reader);
}

static void read_events(struct reader *reader, yaml_parser_t *parser)
{
    while (!reader->done) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event)) {
            tell_syntax(reader, parser);
            return;
        }
        read_event(reader, &event);
        yaml_event_delete(&event);
    }
}

struct node *tree_read(struct diags *diags, uint16_t file, struct arena *arena)
{
    const struct diag_file *source = &diags->files[file];
    struct reader reader = {.diags = diags, .arena = arena, .file = file};
    size_t errors = diags->errors;
    if (!check_bytes(diags, file))
        return NULL;

    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        diag_add(diags, DIAG_SYNTAX, (struct span){file, 1, 1, 1}, "out of memory");
        return NULL;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)source->bytes, source->size_bytes);
    read_events(&reader, &parser);
    yaml_parser_delete(&parser);

    if (reader.root == NULL && diags->errors == errors) {
        struct diag *diag =
            diag_add(diags, DIAG_EMPTY_FILE, (struct span){file, 1, 1, 1}, "the file is empty");
        diag->help = "`frostline demo --keep DIR` makes one to begin with";
    }
    return reader.root;
}

struct node *tree_find(const struct node *map, const char *key)
{
    struct node *broken = NULL;
    if (map == NULL || map->kind != NODE_MAP)
        return NULL;
    for (struct node *value = map->first; value != NULL; value = value->next) {
        if (value->key->broken || !str_equal(value->key->text, key))
            continue;
        if (!value->broken)
            return value;
        if (broken == NULL)
            broken = value;
    }
    return broken;
}

void tree_append(struct node *parent, struct node *child)
{
    child->next = NULL;
    if (parent->last == NULL)
        parent->first = child;
    else
        parent->last->next = child;
    parent->last = child;
    parent->count++;
}

void tree_splice(struct node *into, const struct node *from)
{
    into->last->next = from->first;
    into->last = from->last;
    into->count += from->count;
}
