#include "engine/request.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/when.h"
#include "engine/logging.h"
#include "engine/selection.h"

/* -- what was asked for -------------------------------------------------------------------------
 */

struct asked {
    struct selection select, exclude;
    bool selects;      /* by words, which may come to nothing */
    const char *words; /* for people */
};

static void add_words(struct buf *text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_format(text, "%s%s", i == 0 ? "" : " ", words[i]);
}

static const char *describe(struct wiring *wiring, const char *const *words, size_t count)
{
    const struct options_words *exclude = &wiring->options->exclude;
    struct buf text;
    buf_init(&text, POLICY_FILE_BYTES_MAX);
    add_words(&text, words, count);
    if (exclude->count > 0)
        buf_text(&text, count > 0 ? ", but not " : "not ");
    add_words(&text, exclude->items, exclude->count);
    const char *copy = arena_copy(&wiring->arena, buf_string(&text));
    buf_free(&text);
    return copy;
}

static enum exit_code refuse(struct err *err)
{
    exit_with(err);
    return EXIT_USAGE;
}

static enum exit_code open_journal(struct wiring *wiring)
{
    enum exit_code code = wiring_find_state(wiring);
    return code == EXIT_OK && wiring->journal == NULL ? wiring_open_journal(wiring, JOURNAL_READ)
                                                      : code;
}

static enum exit_code read_asked(struct wiring *wiring, const char *const *words, size_t count,
                                 struct asked *asked)
{
    const struct options_words *exclude = &wiring->options->exclude;
    struct arena *arena = &wiring->arena;
    struct err err;
    *asked = (struct asked){.selects = count > 0, .words = describe(wiring, words, count)};
    if (!selection_read(&asked->select, words, count, arena, &err) ||
        !selection_read(&asked->exclude, exclude->items, exclude->count, arena, &err))
        return refuse(&err);
    if (!asked->select.asks_state && !asked->exclude.asks_state)
        return EXIT_OK;
    enum exit_code code = open_journal(wiring);
    if (code == EXIT_OK && (!selection_resolve(&asked->select, wiring->journal, arena, &err) ||
                            !selection_resolve(&asked->exclude, wiring->journal, arena, &err)))
        code = err.kind == ERR_INPUT ? refuse(&err) : exit_with(&err);
    return code;
}

/* -- the request --------------------------------------------------------------------------------
 */

/* A file of the policy language, as JSON, which is YAML too: it stands in the plan as it is. */
struct draft {
    struct json_writer json;
    struct buf text;
};

static void begin(struct draft *draft)
{
    buf_init(&draft->text, POLICY_FILE_BYTES_MAX);
    json_begin(&draft->json, &draft->text);
    json_object_begin(&draft->json);
}

static enum exit_code end(struct wiring *wiring, struct draft *draft, bool done, struct err *err)
{
    json_object_end(&draft->json);
    done = done && buf_check(&draft->text, "the selection", err);
    if (done)
        wiring->request = arena_copy(&wiring->arena, buf_string(&draft->text));
    buf_free(&draft->text);
    return done ? EXIT_OK : refuse(err);
}

static void put_nothing(struct json_writer *json)
{
    json_object_begin(json);
    json_key(json, "not");
    json_object_begin(json);
    json_put_boolean(json, "everything", true);
    json_object_end(json);
    json_object_end(json);
}

static bool put_not(struct json_writer *json, const struct selection *exclude, struct arena *arena,
                    struct err *err)
{
    json_object_begin(json);
    json_key(json, "not");
    bool done = selection_put(json, exclude, arena, err);
    json_object_end(json);
    return done;
}

/* Of what the policies move, only what is selected and not excluded. */
static bool put_narrowing(struct wiring *wiring, struct json_writer *json,
                          const struct asked *asked, struct err *err)
{
    bool done = true;
    json_put_text(json, "words", asked->words);
    json_key(json, "select");
    json_object_begin(json);
    json_key(json, "all");
    json_array_begin(json);
    if (asked->selects && asked->select.first == NULL)
        put_nothing(json);
    else if (asked->selects)
        done = selection_put(json, &asked->select, &wiring->arena, err);
    if (done && asked->exclude.first != NULL)
        done = put_not(json, &asked->exclude, &wiring->arena, err);
    json_array_end(json);
    json_object_end(json);
    return done;
}

static void put_cleanup(struct json_writer *json, const struct options *options)
{
    char after[32];
    if (!options->keep_source && options->grace_us < 0)
        return;
    json_key(json, "cleanup");
    json_object_begin(json);
    json_put_text(json, "source", options->keep_source ? "keep" : "delete");
    if (!options->keep_source) {
        snprintf(after, sizeof(after), "%" PRId64 "s", options->grace_us / WHEN_SECOND_US);
        json_put_text(json, "after", after);
    }
    json_object_end(json);
}

/* What goes to the target is what is selected and not excluded. */
static bool put_policy(struct wiring *wiring, struct json_writer *json, const char *name,
                       const char *target, const struct asked *asked, struct err *err)
{
    json_put_text(json, "words", asked->words);
    json_key(json, "policies");
    json_array_begin(json);
    json_object_begin(json);
    json_put_text(json, "name", name);
    json_put_text(json, "target", target);
    put_cleanup(json, wiring->options);
    json_key(json, "select");
    bool done = selection_put(json, &asked->select, &wiring->arena, err);
    if (done && asked->exclude.first != NULL) {
        json_key(json, "exclude");
        done = selection_put(json, &asked->exclude, &wiring->arena, err);
    }
    json_object_end(json);
    json_array_end(json);
    return done;
}

enum exit_code request_policy(struct wiring *wiring, const char *name, const char *target,
                              const char *const *words, size_t count)
{
    struct asked asked;
    struct draft draft;
    struct err err;
    enum exit_code code = read_asked(wiring, words, count, &asked);
    if (code != EXIT_OK)
        return code;
    begin(&draft);
    bool done = asked.select.first == NULL
                    ? put_narrowing(wiring, &draft.json, &asked, &err)
                    : put_policy(wiring, &draft.json, name, target, &asked, &err);
    return end(wiring, &draft, done, &err);
}

enum exit_code request_narrow(struct wiring *wiring, const char *const *words, size_t count)
{
    struct asked asked;
    struct draft draft;
    struct err err;
    enum exit_code code = read_asked(wiring, words, count, &asked);
    /* All are selected, and nothing is excluded. */
    if (code != EXIT_OK || (count == 0 && asked.exclude.first == NULL))
        return code;
    if (count > 0 && asked.exclude.first == NULL)
        wiring->ids = selection_ids(&asked.select, &wiring->arena, &wiring->id_count);
    begin(&draft);
    return end(wiring, &draft, put_narrowing(wiring, &draft.json, &asked, &err), &err);
}

enum exit_code request_make(struct wiring *wiring)
{
    const struct options *options = wiring->options;
    const struct options_words *select = &options->select;
    if (options->to == NULL && options->grace_us >= 0) {
        logging_error("the grace of a policy's own moves is its cleanup's", "--grace needs --to");
        return EXIT_USAGE;
    }
    if (options->to != NULL && select->count == 0) {
        logging_error("--select id:A,B or date:2025-02-14 or date:2025-02-01..2025-02-28",
                      "--to needs --select");
        return EXIT_USAGE;
    }
    if (options->to != NULL)
        return request_policy(wiring, REQUEST_MANUAL, options->to, select->items, select->count);
    return request_narrow(wiring, select->items, select->count);
}
