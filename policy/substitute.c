#include "policy/substitute.h"

#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/secret.h"
#include "base/str.h"
#include "policy/diag_codes.h"
#include "policy/extra.h"
#include "policy/load.h"
#include "policy/tree.h"

#define ENV_NAME_MAX 128

/* ---- $name ---- */

static bool is_word(const char *text)
{
    bool first = true;
    for (; *text != '\0'; text++, first = false) {
        bool letter = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z');
        if (!letter && *text != '_' && (first || *text < '0' || *text > '9'))
            return false;
    }
    return !first;
}

static const struct policy_var *find_var(const struct policies *policies, const char *name)
{
    for (size_t i = 0; i < policies->var_count; i++) {
        if (str_equal(policies->vars[i].name, name))
            return &policies->vars[i];
    }
    return NULL;
}

static void refuse_var(struct load *load, struct node *node)
{
    size_t count = load->policies->var_count;
    const char **names = arena_make(load->arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = load->policies->vars[i].name;
    const char *nearest = str_nearest(node->text + 1, names);
    struct diag *diag =
        diag_add(load->diags, DIAG_UNKNOWN_VAR, node->span, "unknown var `%s`", node->text);
    diag->label = "`vars` has no such name";
    diag->help = nearest == NULL ? "in quotes it is a text"
                                 : str_format(load->arena, "did you mean `$%s`?", nearest);
    node->broken = true;
}

/* The names of policies->vars are the keys of the map. */
static void mark_used(const struct load *load, const char *name)
{
    struct node *value = load->policies->extra->vars->first;
    while (value->key->text != name)
        value = value->next;
    value->used = true;
}

static void put_var(struct load *load, struct node *node)
{
    if (!node->plain || node->broken || node->text[0] != '$' || !is_word(node->text + 1))
        return;
    const struct policy_var *var = find_var(load->policies, node->text + 1);
    if (var == NULL) {
        refuse_var(load, node);
        return;
    }
    node->broken = var->value == NULL;
    if (node->broken)
        return;
    mark_used(load, var->name);
    node->var = var->name;
    node->text = var->value;
}

void substitute_vars(struct load *load, struct node *root)
{
    if (root->kind == NODE_SCALAR)
        put_var(load, root);
    for (struct node *child = root->first; child != NULL; child = child->next)
        substitute_vars(load, child); /* as deep as the tree: TREE_DEPTH_MAX */
}

/* ---- ${NAME} ---- */

struct piece {
    const char *text; /* where it begins in the scalar                               */
    size_t size;      /* there                                                       */
    bool is_reference;
    bool is_bad;
    bool has_default;
    char name[ENV_NAME_MAX + 1];
    const char *fallback;
    size_t fallback_size;
};

static void read_reference(struct piece *piece, size_t inner_size)
{
    const char *inner = piece->text + 2;
    const char *split = memmem(inner, inner_size, ":-", 2);
    size_t size = split == NULL ? inner_size : (size_t)(split - inner);
    piece->is_bad = size > ENV_NAME_MAX;
    if (!piece->is_bad) {
        memcpy(piece->name, inner, size);
        piece->is_bad = !is_word(piece->name);
    }
    if (split != NULL) {
        piece->has_default = true;
        piece->fallback = split + 2;
        piece->fallback_size = inner_size - size - 2;
        piece->is_bad |= memmem(piece->fallback, piece->fallback_size, "${", 2) != NULL;
    }
}

/* The stretch that begins at text: up to the next reference, or the reference. */
static struct piece next_piece(const char *text)
{
    struct piece piece = {.text = text};
    const char *open = strstr(text, "${");
    if (open != text) {
        piece.size = open == NULL ? strlen(text) : (size_t)(open - text);
        return piece;
    }
    const char *close = strchr(text, '}');
    piece.is_reference = true;
    piece.is_bad = close == NULL;
    piece.size = close == NULL ? strlen(text) : (size_t)(close - text) + 1;
    if (!piece.is_bad)
        read_reference(&piece, piece.size - 3);
    return piece;
}

/* What a piece stands for; NULL if the variable is not set. */
static const char *piece_value(const struct load *load, const struct piece *piece, size_t *size,
                               bool *hidden)
{
    *hidden = false;
    *size = piece->size;
    if (!piece->is_reference)
        return piece->text;
    const char *value = load->source->env(load->source->env_context, piece->name);
    if (value != NULL && value[0] != '\0') {
        *hidden = true;
        *size = strlen(value);
        return value;
    }
    *size = piece->fallback_size;
    return piece->has_default ? piece->fallback : NULL;
}

static uint32_t count_characters(const char *text, size_t size)
{
    uint32_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

/* Where the piece stands in the file; the whole scalar if escapes or line breaks hide it. */
static struct span piece_span(const struct node *node, const struct piece *piece)
{
    struct span span = node->span;
    uint32_t quotes = node->plain ? 0 : 2;
    if (node->var != NULL ||
        count_characters(node->text, strlen(node->text)) + quotes != span.length)
        return span;
    span.column += quotes / 2 + count_characters(node->text, (size_t)(piece->text - node->text));
    span.length = count_characters(piece->text, piece->size);
    return span;
}

static bool check_piece(struct load *load, const struct node *node, const struct piece *piece)
{
    size_t size;
    bool hidden;
    if (piece->is_bad) {
        struct diag *diag = diag_add(load->diags, DIAG_ENV_FORM, piece_span(node, piece),
                                     "this is no reference to the environment");
        diag->label = "`${NAME}` or `${NAME:-default}` is wanted";
        return false;
    }
    if (piece_value(load, piece, &size, &hidden) != NULL)
        return true;
    const char *set = load->source->env(load->source->env_context, piece->name);
    struct diag *diag = diag_add(load->diags, DIAG_ENV_MISSING, piece_span(node, piece),
                                 "the environment has no `%s`", piece->name);
    diag->label = set == NULL ? "not set" : "set, but empty";
    diag->help =
        str_format(load->arena, "export %s=.., or write ${%s:-default}", piece->name, piece->name);
    return false;
}

bool substitute_check(struct load *load, struct node *node)
{
    if (node->broken)
        return false;
    if (node->kind != NODE_SCALAR || (node->plain && node->text[0] == '\0')) {
        struct span at = node->key == NULL ? node->span : node->key->span;
        bool empty = node->kind == NODE_SCALAR;
        diag_add(load->diags, empty ? DIAG_EMPTY : DIAG_SHAPE, empty ? at : node->span, "%s",
                 empty ? "a value is missing" : "one value is wanted here")
            ->label = empty ? "nothing stands here" : "not one value";
        node->broken = true;
        return false;
    }
    bool fine = true;
    struct piece piece;
    for (const char *at = node->text; *at != '\0'; at += piece.size) {
        piece = next_piece(at);
        fine &= !piece.is_reference || check_piece(load, node, &piece);
    }
    node->broken = !fine;
    return fine;
}

/* The text and its skeleton, both of `size` bytes; NULL: only measured. */
static size_t expand(const struct load *load, const struct node *node, char *text, char *skeleton)
{
    size_t total = 0, size;
    bool hidden;
    struct piece piece;
    for (const char *at = node->text; *at != '\0'; at += piece.size) {
        piece = next_piece(at);
        const char *value = piece_value(load, &piece, &size, &hidden);
        if (text != NULL && size > 0) {
            memcpy(text + total, value, size);
            memcpy(skeleton + total, value, size);
            if (hidden)
                memset(skeleton + total, SUBSTITUTE_HIDDEN, size);
        }
        total += size;
    }
    return total;
}

bool substitute_env(struct load *load, struct node *node)
{
    if (!substitute_check(load, node))
        return false;
    if (strstr(node->text, "${") == NULL)
        return true;
    size_t size = expand(load, node, NULL, NULL);
    char *text = arena_make(load->arena, size + 1);
    char *skeleton = arena_make(load->arena, size + 1);
    expand(load, node, text, skeleton);
    node->from_env = memchr(skeleton, SUBSTITUTE_HIDDEN, size) != NULL;
    node->text = text;
    return true;
}

void substitute_secret(struct load *load, const struct node *node, struct secret *secret,
                       const char **skeleton)
{
    size_t size = expand(load, node, NULL, NULL);
    char *text = arena_make(load->arena, size + 1);
    char *shape = arena_make(load->arena, size + 1);
    expand(load, node, text, shape);
    secret_set(secret, text, size);
    digest_cleanse(text, size);
    *skeleton = shape;
}
