#include "engine/selection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/str.h"

/* One piece between commas: its method, and what follows the colon. */
enum method { METHOD_NONE, METHOD_ID, METHOD_DATE, METHOD_STORE, METHOD_FILE };

static enum method method_of(const char *piece, const char **value)
{
    static const struct {
        const char *prefix;
        enum method method;
    } methods[] = {
        {"id:", METHOD_ID}, {"date:", METHOD_DATE}, {"store:", METHOD_STORE}, {"@", METHOD_FILE}};
    *value = piece;
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (!str_starts(piece, methods[i].prefix))
            continue;
        *value = piece + strlen(methods[i].prefix);
        return methods[i].method;
    }
    return METHOD_NONE;
}

/* "A..B", "A..", "..B" */
static void put_days(struct json_writer *json, const char *value, const char *dots,
                     struct arena *arena)
{
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

static bool put_piece(struct json_writer *json, enum method method, const char *value,
                      struct arena *arena, struct err *err)
{
    const char *dots = strstr(value, "..");
    if (value[0] == '\0')
        return ERR(err, ERR_INPUT, "a selection says nothing behind its method");
    json_object_begin(json);
    bool done = true;
    if (method == METHOD_FILE)
        done = put_file(json, value, arena, err);
    else if (method == METHOD_STORE)
        json_put_text(json, "store", value);
    else if (dots != NULL)
        put_days(json, value, dots, arena);
    else
        json_put_text(json, "date", value);
    json_object_end(json);
    return done;
}

/* The piece at *rest, which moves behind its comma; NULL at the end. */
static const char *next_piece(const char **rest, struct arena *arena)
{
    const char *piece = *rest;
    if (piece == NULL)
        return NULL;
    const char *comma = strchr(piece, ',');
    *rest = comma == NULL ? NULL : comma + 1;
    return comma == NULL ? piece : str_copy(arena, piece, (size_t)(comma - piece));
}

/* Ids that follow each other are one list. */
static bool put_ids(struct json_writer *json, const char *first, const char **rest,
                    struct arena *arena, struct err *err)
{
    json_object_begin(json);
    json_key(json, "ids");
    json_array_begin(json);
    for (const char *id = first; id != NULL; id = next_piece(rest, arena)) {
        const char *ahead;
        if (id[0] == '\0')
            return ERR(err, ERR_INPUT, "an id is empty");
        json_text(json, id);
        if (*rest == NULL || method_of(*rest, &ahead) != METHOD_NONE)
            break;
    }
    json_array_end(json);
    json_object_end(json);
    return true;
}

static bool put_word(struct json_writer *json, const char *word, struct arena *arena,
                     struct err *err)
{
    const char *rest = word;
    json_object_begin(json);
    json_key(json, "all");
    json_array_begin(json);
    for (const char *piece; (piece = next_piece(&rest, arena)) != NULL;) {
        const char *value;
        enum method method = method_of(piece, &value);
        bool is_id = method == METHOD_ID || method == METHOD_NONE;
        if (is_id ? !put_ids(json, value, &rest, arena, err)
                  : !put_piece(json, method, value, arena, err))
            return err_wrap(err, "%s", word);
    }
    json_array_end(json);
    json_object_end(json);
    return true;
}

bool selection_put(struct json_writer *json, const char *const *words, size_t count,
                   struct arena *arena, struct err *err)
{
    json_object_begin(json);
    json_key(json, "any");
    json_array_begin(json);
    for (size_t i = 0; i < count; i++)
        if (!put_word(json, words[i], arena, err))
            return false;
    json_array_end(json);
    json_object_end(json);
    return true;
}
