#include "engine/selection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/map.h"
#include "base/str.h"
#include "engine/standing.h"

/* -- reading ------------------------------------------------------------------------------------
 */

/* What stands between commas: its method, and what follows the colon.  A word without a method is
 * an id. */
static enum selection_method method_of(const char *text, const char **value)
{
    static const char *const prefixes[] = {
        [SELECTION_IDS] = "id:",        [SELECTION_DATE] = "date:",   [SELECTION_STORE] = "store:",
        [SELECTION_POLICY] = "policy:", [SELECTION_STATE] = "state:", [SELECTION_FILE] = "@"};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        *value = text + strlen(prefixes[i]);
        if (str_starts(text, prefixes[i]))
            return (enum selection_method)i;
    }
    *value = text;
    return SELECTION_IDS;
}

static size_t count_commas(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == ',';
    return count;
}

/* Ids that follow each other are one list, which has room for all that the word can hold. */
static void add_id(struct selection_piece *piece, const char *id, size_t capacity,
                   struct arena *arena)
{
    if (piece->ids == NULL)
        piece->ids = arena_make(arena, capacity * sizeof(*piece->ids));
    piece->ids[piece->id_count++] = id;
}

static bool read_word(struct selection *selection, struct selection_word *word, const char *text,
                      struct arena *arena, struct err *err)
{
    struct selection_piece **end = &word->first, *last = NULL;
    size_t capacity = count_commas(text) + 1;
    for (const char *rest = text; rest != NULL;) {
        const char *comma = strchr(rest, ','), *value;
        const char *part = comma == NULL ? rest : str_copy(arena, rest, (size_t)(comma - rest));
        enum selection_method method = method_of(part, &value);
        rest = comma == NULL ? NULL : comma + 1;
        if (value[0] == '\0')
            return ERR(err, ERR_INPUT, "%s: %s", text,
                       method == SELECTION_IDS ? "an id is empty" : "nothing stands behind it");
        if (last == NULL || last->method != SELECTION_IDS || method != SELECTION_IDS) {
            last = *end = arena_make(arena, sizeof(*last));
            last->method = method;
            last->value = value;
            end = &last->next;
        }
        if (method == SELECTION_IDS)
            add_id(last, value, capacity, arena);
        selection->asks_state |= method == SELECTION_STATE;
    }
    return true;
}

bool selection_read(struct selection *selection, const char *const *words, size_t count,
                    struct arena *arena, struct err *err)
{
    struct selection_word **end = &selection->first;
    while (*end != NULL)
        end = &(*end)->next;
    for (size_t i = 0; i < count; i++) {
        *end = arena_make(arena, sizeof(**end));
        if (!read_word(selection, *end, words[i], arena, err))
            return false;
        end = &(*end)->next;
    }
    return true;
}

/* -- states -------------------------------------------------------------------------------------
 */

struct standing_ids {
    struct selection_piece *piece;
    size_t capacity;
    struct arena *arena;
};

static void take_id(void *context, const char *id)
{
    struct standing_ids *found = context;
    struct selection_piece *piece = found->piece;
    if (piece->id_count == found->capacity) {
        found->capacity = found->capacity == 0 ? 64 : 2 * found->capacity;
        const char **ids = arena_make(found->arena, found->capacity * sizeof(*ids));
        if (piece->id_count > 0)
            memcpy(ids, piece->ids, piece->id_count * sizeof(*ids));
        piece->ids = ids;
    }
    piece->ids[piece->id_count++] = arena_copy(found->arena, id);
}

/* *selects: something stands in each of its states. */
static bool resolve_word(struct selection_word *word, struct journal *journal, struct arena *arena,
                         bool *selects, struct err *err)
{
    *selects = true;
    for (struct selection_piece *piece = word->first; piece != NULL; piece = piece->next) {
        struct standing_ids found = {.piece = piece, .arena = arena};
        enum standing standing;
        if (piece->method != SELECTION_STATE)
            continue;
        if (!standing_read(piece->value, &standing, err) ||
            (journal != NULL && !standing_each(journal, standing, take_id, &found, err)))
            return false;
        *selects &= piece->id_count > 0;
    }
    return true;
}

bool selection_resolve(struct selection *selection, struct journal *journal, struct arena *arena,
                       struct err *err)
{
    for (struct selection_word **at = &selection->first; *at != NULL;) {
        bool selects;
        if (!resolve_word(*at, journal, arena, &selects, err))
            return false;
        if (selects)
            at = &(*at)->next;
        else
            *at = (*at)->next;
    }
    return true;
}

const char *const *selection_ids(const struct selection *selection, struct arena *arena,
                                 size_t *count)
{
    *count = 0;
    for (const struct selection_word *word = selection->first; word != NULL; word = word->next) {
        if (word->first->id_count == 0 || word->first->next != NULL)
            return NULL;
        *count += word->first->id_count;
    }
    const char **ids = arena_make(arena, (*count + 1) * sizeof(*ids));
    struct map met;
    map_init(&met, arena);
    for (const struct selection_word *word = selection->first; word != NULL; word = word->next)
        for (size_t i = 0; i < word->first->id_count; i++)
            if (map_put(&met, word->first->ids[i], met.count))
                ids[met.count - 1] = word->first->ids[i];
    *count = met.count;
    return ids;
}

/* -- writing ------------------------------------------------------------------------------------
 */

static void put_ids(struct json_writer *json, const struct selection_piece *piece)
{
    json_key(json, "ids");
    json_array_begin(json);
    for (size_t i = 0; i < piece->id_count; i++)
        json_text(json, piece->ids[i]);
    json_array_end(json);
}

/* "2025-02-14", "A..B", "A..", "..B" */
static void put_days(struct json_writer *json, const char *value, struct arena *arena)
{
    const char *dots = strstr(value, "..");
    if (dots == NULL) {
        json_put_text(json, "date", value);
        return;
    }
    json_key(json, "dates");
    json_object_begin(json);
    if (dots > value)
        json_put_text(json, "from", str_copy(arena, value, (size_t)(dots - value)));
    if (dots[2] != '\0')
        json_put_text(json, "to", dots + 2);
    json_object_end(json);
}

static bool put_file(struct json_writer *json, const char *value, struct arena *arena,
                     struct err *err)
{
    char *path = realpath(value, NULL);
    if (path == NULL)
        return file_error(err, errno, "looking for %s", value);
    json_put_text(json, "ids_file", arena_copy(arena, path));
    free(path);
    return true;
}

static bool put_piece(struct json_writer *json, const struct selection_piece *piece,
                      struct arena *arena, struct err *err)
{
    bool done = true;
    json_object_begin(json);
    switch (piece->method) {
    case SELECTION_IDS:
    case SELECTION_STATE:
        put_ids(json, piece);
        break;
    case SELECTION_DATE:
        put_days(json, piece->value, arena);
        break;
    case SELECTION_STORE:
        json_put_text(json, "store", piece->value);
        break;
    case SELECTION_POLICY:
        json_put_text(json, "policy", piece->value);
        break;
    case SELECTION_FILE:
        done = put_file(json, piece->value, arena, err);
        break;
    }
    json_object_end(json);
    return done;
}

bool selection_put(struct json_writer *json, const struct selection *selection, struct arena *arena,
                   struct err *err)
{
    bool done = true;
    json_object_begin(json);
    json_key(json, "any");
    json_array_begin(json);
    for (const struct selection_word *word = selection->first; done && word != NULL;
         word = word->next) {
        json_object_begin(json);
        json_key(json, "all");
        json_array_begin(json);
        for (const struct selection_piece *piece = word->first; done && piece != NULL;
             piece = piece->next)
            done = put_piece(json, piece, arena, err);
        json_array_end(json);
        json_object_end(json);
    }
    json_array_end(json);
    json_object_end(json);
    return done;
}
