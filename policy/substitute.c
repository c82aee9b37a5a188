#include "policy/substitute.h"

#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/str.h"
#include "policy/diag_codes.h"
#include "policy/extra.h"
#include "policy/load.h"
#include "policy/tree.h"

#define NAME_BYTES_MAX 1024                  /* of a variable, a path or a credential */
#define TEXT_BYTES_MAX POLICY_FILE_BYTES_MAX /* of a scalar with what its references give */
#define FINDINGS_MAX 8                       /* of a scalar: to place each, all of it is counted */
#define SCRATCH_BYTES_MAX ((size_t)32 << 20)
#define STAND_IN_BYTES 8                    /* of a digest, as hexadecimal digits */
#define CREDENTIALS "CREDENTIALS_DIRECTORY" /* systemd.exec(5), "Credentials" */

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
    node->broken = true;
    if (!load->vars_known)
        return;
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

/* ---- ${NAME}, ${file:PATH}, ${credential:NAME} ---- */

enum piece_kind { PIECE_TEXT, PIECE_ENV, PIECE_FILE, PIECE_CREDENTIAL };

/* A stretch of a scalar: a text up to the next reference, or a reference. */
struct piece {
    enum piece_kind kind;
    bool is_bad;
    bool has_default;
    const char *text; /* where it begins in the scalar */
    size_t size;      /* there                         */
    const char *name; /* what it refers to             */
    const char *fallback;
    size_t fallback_size;
};

/* What a scalar becomes.  Everything that must not stay behind is in the scratch arena. */
struct expansion {
    struct load *load;
    const struct node *node;
    struct arena scratch;
    char *text, *skeleton; /* NUL behind the text */
    size_t size, capacity;
    int findings;
    bool full;
};

/* `file:` and `credential:`; `${file:-x}` is the variable `file` with a default. */
static enum piece_kind read_kind(const char **inner)
{
    static const char *const prefixes[] = {"file:", "credential:"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t size = strlen(prefixes[i]);
        if (!str_starts(*inner, prefixes[i]) || (*inner)[size] == '-')
            continue;
        *inner += size;
        return i == 0 ? PIECE_FILE : PIECE_CREDENTIAL;
    }
    return PIECE_ENV;
}

static bool is_name(enum piece_kind kind, const char *name)
{
    if (kind == PIECE_ENV)
        return is_word(name);
    return name[0] != '\0' && !str_has_control(name, strlen(name)) && strstr(name, "${") == NULL;
}

static void read_reference(struct expansion *out, struct piece *piece, const char *close)
{
    const char *inner = piece->text + 2;
    piece->kind = read_kind(&inner);
    const char *split = memmem(inner, (size_t)(close - inner), ":-", 2);
    size_t size = (size_t)((split == NULL ? close : split) - inner);
    piece->name = str_copy(&out->scratch, inner, size > NAME_BYTES_MAX ? 0 : size);
    piece->is_bad = !is_name(piece->kind, piece->name);
    if (split == NULL)
        return;
    piece->has_default = true;
    piece->fallback = split + 2;
    piece->fallback_size = (size_t)(close - piece->fallback);
    piece->is_bad |= memmem(piece->fallback, piece->fallback_size, "${", 2) != NULL;
}

/* The piece that begins at text. */
static struct piece next_piece(struct expansion *out, const char *text)
{
    struct piece piece = {.text = text};
    const char *open = strstr(text, "${");
    if (open != text) {
        piece.size = open == NULL ? strlen(text) : (size_t)(open - text);
        return piece;
    }
    const char *close = strchr(text, '}');
    piece.kind = PIECE_ENV;
    piece.is_bad = close == NULL;
    piece.size = close == NULL ? strlen(text) : (size_t)(close - text) + 1;
    if (!piece.is_bad)
        read_reference(out, &piece, close);
    return piece;
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

/* ---- what a piece stands for ---- */

static void grow(struct expansion *out, size_t size)
{
    size_t capacity = 2 * (out->size + size) + 64;
    char *text = arena_make(&out->scratch, capacity);
    char *skeleton = arena_make(&out->scratch, capacity);
    if (out->size > 0) {
        memcpy(text, out->text, out->size);
        memcpy(skeleton, out->skeleton, out->size);
    }
    out->text = text;
    out->skeleton = skeleton;
    out->capacity = capacity;
}

static void put(struct expansion *out, const char *bytes, size_t size, bool hidden)
{
    if (size > TEXT_BYTES_MAX - out->size) {
        struct diag *diag = diag_add(out->load->diags, DIAG_LIMIT, out->node->span,
                                     "what `${..}` gives is too large");
        diag->label = "together more than 1 MiB";
        out->findings++;
        out->full = true;
        return;
    }
    if (out->size + size >= out->capacity)
        grow(out, size);
    memcpy(out->text + out->size, bytes, size);
    memcpy(out->skeleton + out->size, bytes, size);
    if (hidden)
        memset(out->skeleton + out->size, SUBSTITUTE_HIDDEN, size);
    out->size += size;
}

static void put_default(struct expansion *out, const struct piece *piece)
{
    put(out, piece->fallback, piece->fallback_size, false);
}

static void refuse(struct expansion *out, const struct piece *piece, int code, const char *text,
                   const char *label, const char *help)
{
    struct diag *diag = diag_add(out->load->diags, code, piece_span(out->node, piece), "%s", text);
    diag->label = label;
    diag->help = help;
    out->findings++;
}

static bool is_behind(const struct expansion *out, const char *text)
{
    size_t size = strlen(text);
    return out->size >= size && memcmp(out->text + out->size - size, text, size) == 0;
}

/* What stands at the beginning in a list is one of `urls`. */
static bool begins_url(const struct expansion *out)
{
    return is_behind(out, "Endpoint=") || (out->node->key == NULL && out->size == 0);
}

/* 16 letters and digits, which could be an account, a container, a host, a folder or a key; of one
 * name always the same ones, so that what is one place stays one.  A URL, a whole connection and a
 * signature need their form as well. */
static void put_stand_in(struct expansion *out, const struct piece *piece)
{
    const struct node *key = out->node->key;
    bool is_whole = key != NULL && piece->size == strlen(out->node->text);
    uint8_t digest[DIGEST_SHA256_BYTES];
    char word[DIGEST_HEX_MAX];
    digest_of(DIGEST_SHA256, piece->name, strlen(piece->name), digest);
    digest_hex(digest, STAND_IN_BYTES, word);
    const char *text = word;
    if (is_whole && str_equal(key->text, "connection_string"))
        text = str_format(&out->scratch, "AccountName=%s;AccountKey=%s", word, word);
    else if (is_whole && str_equal(key->text, "url"))
        text = str_format(&out->scratch, "postgresql://%s/", word);
    else if (begins_url(out))
        text = str_format(&out->scratch, "https://%s.blob.core.windows.net", word);
    else if (is_behind(out, "SharedAccessSignature="))
        text = str_format(&out->scratch, "sig=%s", word);
    put(out, text, strlen(text), true);
}

static void put_variable(struct expansion *out, const struct piece *piece)
{
    const struct load *load = out->load;
    const char *value = load->source->env(load->source->env_context, piece->name);
    if (value != NULL && value[0] != '\0')
        put(out, value, strlen(value), true);
    else if (piece->has_default)
        put_default(out, piece);
    else if (load->source->stand_ins)
        put_stand_in(out, piece);
    else
        refuse(out, piece, DIAG_ENV_MISSING,
               str_format(load->arena, "the environment has no `%s`", piece->name),
               value == NULL ? "not set" : "set, but empty",
               str_format(load->arena, "export %s=.., or write ${%s:-default}", piece->name,
                          piece->name));
}

/* Without the path, which may begin with what the environment gave. */
static const char *why_unread(const struct load *load, const struct err *err)
{
    if (err->status != 0)
        return arena_copy(load->arena, strerror(err->status));
    if (err->kind == ERR_MISSING)
        return "there is no such file";
    return err->kind == ERR_BUSY ? "it changes while it is read"
                                 : "not a regular file, or larger than 64 KiB";
}

/* One line break at the end is the editor's.  NULL, or what is wrong. */
static const char *check_content(const char *bytes, size_t *size)
{
    if (*size > 0 && bytes[*size - 1] == '\n')
        --*size;
    if (*size == 0)
        return "it is empty";
    if (memchr(bytes, '\0', *size) != NULL)
        return "it holds a NUL byte";
    return str_is_utf8(bytes, *size) ? NULL : "it is not UTF-8";
}

static void wipe(struct arena *scratch)
{
    arena_cleanse(scratch);
    arena_free(scratch);
}

static void put_file(struct expansion *out, const struct piece *piece, const char *path)
{
    struct load *load = out->load;
    struct arena scratch;
    char *bytes;
    size_t size;
    struct err err;
    arena_init(&scratch, 2 * SUBSTITUTE_FILE_BYTES_MAX);
    bool done = load->read_secret(load->read_context, path, SUBSTITUTE_FILE_BYTES_MAX, &scratch,
                                  &bytes, &size, &err);
    bool missing = !done && err.kind == ERR_MISSING;
    const char *wrong = done ? check_content(bytes, &size) : why_unread(load, &err);
    if (missing && piece->has_default)
        put_default(out, piece);
    else if (missing && load->source->stand_ins)
        put_stand_in(out, piece);
    else if (wrong == NULL)
        put(out, bytes, size, true);
    else
        refuse(out, piece, DIAG_ENV_FILE,
               str_format(load->arena, "%s `%s` gives no value",
                          piece->kind == PIECE_FILE ? "the file" : "the credential", piece->name),
               wrong, missing ? "a default, `:-..`, is for what is not there" : "");
    wipe(&scratch);
}

static void put_credential(struct expansion *out, const struct piece *piece)
{
    struct load *load = out->load;
    const char *folder = load->source->env(load->source->env_context, CREDENTIALS);
    const char *name = piece->name;
    if (strchr(name, '/') != NULL || str_equal(name, ".") || str_equal(name, ".."))
        refuse(out, piece, DIAG_CREDENTIAL,
               str_format(load->arena, "`%s` is not the name of a credential", name),
               "a name is wanted, not a path", "");
    else if ((folder == NULL || folder[0] == '\0') && load->source->stand_ins)
        put_stand_in(out, piece);
    else if (folder == NULL || folder[0] == '\0')
        refuse(out, piece, DIAG_CREDENTIAL, "there are no credentials",
               "the environment has no `" CREDENTIALS "`",
               "systemd sets it for a service with LoadCredential= or the like");
    else
        put_file(out, piece, file_join(load->arena, folder, name));
}

static void put_piece(struct expansion *out, const struct piece *piece)
{
    if (piece->is_bad)
        refuse(out, piece, DIAG_ENV_FORM, "this is not a reference",
               "`${NAME}`, `${file:PATH}` or `${credential:NAME}` is wanted",
               "each may have a default: `${NAME:-default}`");
    else if (piece->kind == PIECE_ENV)
        put_variable(out, piece);
    else if (piece->kind == PIECE_FILE)
        put_file(out, piece, load_file_path(out->load, out->node, piece->name));
    else if (piece->kind == PIECE_CREDENTIAL)
        put_credential(out, piece);
    else
        put(out, piece->text, piece->size, false);
}

/* ---- a scalar ---- */

/* False after findings; the scratch arena is to be wiped in any case. */
static bool expand(struct expansion *out, struct load *load, struct node *node)
{
    *out = (struct expansion){.load = load, .node = node};
    arena_init(&out->scratch, SCRATCH_BYTES_MAX);
    put(out, "", 0, false);
    struct piece piece;
    for (const char *at = node->text; *at != '\0' && !out->full && out->findings < FINDINGS_MAX;
         at += piece.size) {
        piece = next_piece(out, at);
        put_piece(out, &piece);
    }
    node->broken = out->findings > 0;
    return !node->broken;
}

bool substitute_check(struct load *load, struct node *node)
{
    if (node->broken)
        return false;
    if (node->kind == NODE_SCALAR && (!node->plain || node->text[0] != '\0'))
        return true;
    struct span at = node->key == NULL ? node->span : node->key->span;
    bool empty = node->kind == NODE_SCALAR;
    diag_add(load->diags, empty ? DIAG_EMPTY : DIAG_SHAPE, empty ? at : node->span, "%s",
             empty ? "a value is missing" : "one value is wanted here")
        ->label = empty ? "nothing stands here" : "not one value";
    node->broken = true;
    return false;
}

bool substitute_env(struct load *load, struct node *node)
{
    if (!substitute_check(load, node))
        return false;
    if (strstr(node->text, "${") == NULL)
        return true;
    struct expansion out;
    bool done = expand(&out, load, node);
    if (done) {
        node->from_env = memchr(out.skeleton, SUBSTITUTE_HIDDEN, out.size) != NULL;
        node->text = str_copy(load->arena, out.text, out.size);
    }
    wipe(&out.scratch);
    return done;
}

bool substitute_secret(struct load *load, struct node *node, struct secret *secret,
                       const char **skeleton)
{
    struct expansion out;
    bool done = expand(&out, load, node);
    if (done) {
        secret_set(secret, out.text, out.size);
        *skeleton = str_copy(load->arena, out.skeleton, out.size);
    }
    wipe(&out.scratch);
    return done;
}
