#include "planner/inspect.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/str.h"
#include "base/url.h"
#include "planner/plain.h"
#include "state/location.h"

#define BATCH_BYTES ((size_t)32 << 20) /* a batch with more is full */
#define BATCH_BYTES_MAX ((size_t)256 << 20)
#define NAME_BYTES_MAX LOCATION_BYTES_MAX
#define ANSWER_BYTES_MAX ((size_t)1 << 20)
#define NO_NAME SIZE_MAX

struct item_row {
    const char *id, *tail;
    size_t name; /* index into the item's names; NO_NAME: the row names the directory */
};
struct item {
    struct candidate candidate;
    uint64_t index;
    struct item_row *rows;
    const char **names;
    size_t name_count;
    struct survey_question *question;
};
struct inspect {
    const struct planner_request *request;
    struct judged *judged;
    struct inspected *inspected;
    uint64_t surveyed, to_survey;
    struct arena batch;
    struct item *items;
    size_t count;
    struct buf name, head, body, text;
};

/* -- what is asked ------------------------------------------------------------------------------
 */

static bool is_directory(const struct item *item)
{
    return str_ends(item->candidate.directory, "/");
}

static bool add_name(struct inspect *inspect, struct item *item, struct item_row *row,
                     struct err *err)
{
    row->name = NO_NAME;
    if (row->tail[0] == '\0' && is_directory(item))
        return true;
    const char *name = row->tail;
    if (strchr(name, '%') != NULL) {
        buf_reset(&inspect->name);
        if (!url_decode(&inspect->name, name, strlen(name)) ||
            !buf_check(&inspect->name, "the name of an object", err))
            return ERR(err, ERR_INTERNAL, "a location's encoding was not checked");
        name = arena_copy(&inspect->batch, buf_string(&inspect->name));
    }
    row->name = item->name_count;
    item->names[item->name_count++] = name;
    return true;
}

static bool add_item(struct inspect *inspect, struct spool_cursor *cursor, struct packed *head,
                     uint64_t index, struct err *err)
{
    struct arena *arena = &inspect->batch;
    struct item *item = &inspect->items[inspect->count];
    struct packed body;
    *item = (struct item){.index = index};
    if (!candidate_unpack(head, arena, &item->candidate, err) || !spool_body(cursor, &body, err))
        return false;
    size_t rows = (size_t)item->candidate.row_count;
    item->rows = arena_make(arena, rows * sizeof(*item->rows));
    item->names = arena_make(arena, rows * sizeof(*item->names));
    for (size_t i = 0; i < rows; i++) {
        struct candidate_row row = candidate_unpack_row(&body);
        item->rows[i].id = arena_copy(arena, row.id);
        item->rows[i].tail = arena_copy(arena, row.tail);
        if (!add_name(inspect, item, &item->rows[i], err))
            return false;
    }
    inspect->count++;
    return pack_check(&body, err);
}

static int compare_questions(const void *a, const void *b)
{
    const struct item *one = *(struct item *const *)a, *other = *(struct item *const *)b;
    return str_compare(one->candidate.directory, other->candidate.directory);
}

/* In byte order of raw keys, which is not quite the plan's. */
static struct survey_question *make_questions(struct inspect *inspect)
{
    struct arena *arena = &inspect->batch;
    struct survey_question *questions = arena_make(arena, inspect->count * sizeof(*questions));
    struct item **sorted = arena_make(arena, inspect->count * sizeof(struct item *));
    for (size_t i = 0; i < inspect->count; i++)
        sorted[i] = &inspect->items[i];
    qsort(sorted, inspect->count, sizeof(*sorted), compare_questions);
    for (size_t i = 0; i < inspect->count; i++) {
        struct item *item = sorted[i];
        item->question = &questions[i];
        questions[i] =
            (struct survey_question){.directory = item->candidate.directory,
                                     .names = item->names,
                                     .name_count = item->name_count,
                                     .present = arena_make(arena, item->name_count * sizeof(bool))};
    }
    return questions;
}

/* -- what is answered ---------------------------------------------------------------------------
 */

static bool is_missing(const struct item *item, size_t row)
{
    return item->rows[row].name != NO_NAME && !item->question->present[item->rows[row].name];
}

/* The rows whose objects are not there: the text names the first, the body the first few. */
static bool tell_missing(struct inspect *inspect, const struct item *item, uint64_t *shown)
{
    uint64_t missing = 0;
    for (size_t i = 0; i < item->candidate.row_count; i++) {
        if (!is_missing(item, i) || missing++ >= PLAN_ROWS_SHOWN)
            continue;
        const char *id = plain_text(&inspect->batch, item->rows[i].id);
        if (missing == 1)
            buf_format(&inspect->text, "no object for %s", id);
        candidate_pack_row(&(struct candidate_row){.id = id,
                                                   .tail = item->rows[i].tail,
                                                   .because = "its object is not there",
                                                   .policy = POLICY_NO_INDEX},
                           &inspect->body);
        ++*shown;
    }
    if (missing > 1)
        buf_format(&inspect->text, ", and %" PRIu64 " more", missing - 1);
    return missing > 0;
}

/* The store of its place where the objects are, as their tier says; else where it was taken to be.
 */
static uint16_t find_seen(const struct inspect *inspect, const struct item *item)
{
    const struct policies *policies = inspect->request->policies;
    const struct candidate *candidate = &item->candidate;
    for (uint16_t i = candidate->place; i < policies->store_count; i++) {
        if (policies->stores[i].tier == item->question->tier &&
            place_first(&policies->places, i) == candidate->place)
            return i;
    }
    return candidate->store;
}

/* Was it decided as if it were in another store of its place?  That matters if policies look at it,
 * and what is where it should be stays there all the same. */
static bool is_elsewhere(struct inspect *inspect, const struct item *item)
{
    const struct policies *policies = inspect->request->policies;
    uint16_t seen = find_seen(inspect, item);
    if (!policies->looks_at_stores || seen == item->candidate.store ||
        seen == item->candidate.target)
        return false;
    buf_format(&inspect->text, "its objects are in %s, not in %s", policies->stores[seen].name,
               policies->stores[item->candidate.store].name);
    return true;
}

/* Why the directory can't move after all. */
static enum plan_reason find_reason(struct inspect *inspect, const struct item *item,
                                    uint64_t *shown)
{
    const struct survey_question *question = item->question;
    buf_reset(&inspect->text);
    if (question->err.kind != ERR_NONE) {
        buf_text(&inspect->text, plain_text(&inspect->batch, question->err.text));
        return PLAN_UNLISTED;
    }
    if (question->objects == 0 && is_directory(item)) {
        buf_text(&inspect->text, "there is no object below it");
        return PLAN_SOURCE_MISSING;
    }
    if (question->irregular > 0 && !is_directory(item)) {
        buf_text(&inspect->text, "it can't be copied: it is no regular file");
        return PLAN_NOT_A_FILE;
    }
    if (question->irregular > 0) {
        buf_format(&inspect->text, "%" PRIu64 " of its entries can't be copied: no regular files",
                   question->irregular);
        return PLAN_NOT_A_FILE;
    }
    if (tell_missing(inspect, item, shown))
        return PLAN_OBJECT_MISSING;
    if (question->archived > 0) {
        buf_format(&inspect->text, "%" PRIu64 " of its objects %s in the archive tier",
                   question->archived, question->archived == 1 ? "is" : "are");
        return PLAN_ARCHIVED;
    }
    return is_elsewhere(inspect, item) ? PLAN_OTHER_TIER : PLAN_REASON_NONE;
}

/* What was not known is written down for the next plan. */
static bool note_seen(struct inspect *inspect, const struct item *item, struct err *err)
{
    const struct planner_request *request = inspect->request;
    const struct candidate *candidate = &item->candidate;
    if (request->see == NULL || find_seen(inspect, item) == candidate->store)
        return true;
    const struct place *place = &request->policies->places.items[candidate->place];
    const char *url = location_make(place, candidate->directory, "", &inspect->batch);
    return request->see(request->tier_context, url, item->question->tier, err);
}

static bool take_answer(struct inspect *inspect, const struct item *item, struct err *err)
{
    const struct survey_question *question = item->question;
    struct fate *fate = &inspect->judged->fates[item->index];
    if (!note_seen(inspect, item, err))
        return false;
    char digest[DIGEST_HEX_MAX];
    uint64_t shown = 0;
    buf_reset(&inspect->head);
    buf_reset(&inspect->body);
    enum plan_reason reason = find_reason(inspect, item, &shown);

    digest_hex(question->digest.sha256, sizeof(question->digest.sha256), digest);
    pack_number(&inspect->head, question->objects);
    pack_number(&inspect->head, question->bytes);
    pack_text(&inspect->head, digest);
    pack_text(&inspect->head, buf_string(&inspect->text));
    pack_number(&inspect->head, shown);
    fate->is_surveyed = true;
    if (reason != PLAN_REASON_NONE) {
        fate->kind = FATE_BLOCKED;
        fate->reason = (uint8_t)reason;
    } else if (find_seen(inspect, item) == item->candidate.target)
        fate->kind = FATE_IN_PLACE;
    else
        guard_add(&inspect->judged->guards, &item->candidate, item->index, question->bytes);
    return spool_add(&inspect->inspected->answers, item->candidate.place, &inspect->head,
                     &inspect->body, err);
}

static void tell_progress(const struct inspect *inspect)
{
    const struct planner_request *request = inspect->request;
    if (request->progress != NULL)
        request->progress(request->progress_context, 0, inspect->surveyed, inspect->to_survey);
}

static bool ask_batch(struct inspect *inspect, struct err *err)
{
    const struct planner_request *request = inspect->request;
    if (inspect->count == 0)
        return true;
    struct survey_question *questions = make_questions(inspect);
    if (!request->survey->ops->ask(request->survey, inspect->items[0].candidate.place, questions,
                                   inspect->count, err))
        return false;
    for (size_t i = 0; i < inspect->count; i++)
        if (!take_answer(inspect, &inspect->items[i], err))
            return false;
    inspect->surveyed += inspect->count;
    inspect->count = 0;
    arena_reset(&inspect->batch);
    tell_progress(inspect);
    return true;
}

/* -- all directories ----------------------------------------------------------------------------
 */

static bool ask_all(struct inspect *inspect, const struct decided *decided, struct err *err)
{
    struct spool_cursor cursor;
    struct packed head;
    uint64_t index;
    bool found = true, done = true;
    tell_progress(inspect);
    spool_cursor_init(&cursor, &decided->candidates, 0, PLACE_MAX);
    while (done && found) {
        done = spool_next(&cursor, &found, &head, &index, err);
        if (!done || !found)
            break;
        if (inspect->judged->fates[index].kind != FATE_MOVE)
            continue;
        bool is_full = inspect->count == SURVEY_BATCH_MAX ||
                       inspect->batch.used_bytes > BATCH_BYTES ||
                       (inspect->count > 0 && inspect->items[0].candidate.place != cursor.store);
        done =
            (!is_full || ask_batch(inspect, err)) && add_item(inspect, &cursor, &head, index, err);
    }
    done = done && ask_batch(inspect, err) && spool_finish(&inspect->inspected->answers, err);
    spool_cursor_free(&cursor);
    return done;
}

static uint64_t count_moves(const struct decided *decided, const struct judged *judged)
{
    uint64_t moves = 0;
    for (uint64_t i = 0; i < decided->candidates.count; i++)
        moves += judged->fates[i].kind == FATE_MOVE;
    return moves;
}

static bool survey(struct inspect *inspect, const struct decided *decided, struct err *err)
{
    arena_init(&inspect->batch, BATCH_BYTES_MAX);
    inspect->items = calloc(SURVEY_BATCH_MAX, sizeof(*inspect->items));
    if (inspect->items == NULL)
        err_abort("out of memory");
    buf_init(&inspect->name, NAME_BYTES_MAX);
    buf_init(&inspect->head, ANSWER_BYTES_MAX);
    buf_init(&inspect->body, ANSWER_BYTES_MAX);
    buf_init(&inspect->text, ANSWER_BYTES_MAX);
    bool done = ask_all(inspect, decided, err);
    buf_free(&inspect->text);
    buf_free(&inspect->body);
    buf_free(&inspect->head);
    buf_free(&inspect->name);
    free(inspect->items);
    arena_free(&inspect->batch);
    return done;
}

bool inspect_run(const struct planner_request *request, const struct decided *decided,
                 struct arena *arena, struct plan_summary *summary, struct judged *judged,
                 struct inspected *inspected, struct err *err)
{
    struct inspect inspect = {.request = request,
                              .judged = judged,
                              .inspected = inspected,
                              .to_survey = count_moves(decided, judged)};
    inspected->answers.fd = -1;
    if (request->survey == NULL)
        return true;
    if (!spool_open(&inspected->answers, request->spool_folder, err))
        return false;
    guard_restart(&judged->guards);
    if (!survey(&inspect, decided, err))
        return err_wrap(err, "surveying");
    guard_close(&judged->guards, summary->funnels, arena);
    return judge_ask_guards(decided, judged, err);
}

void inspect_free(struct inspected *inspected)
{
    spool_close(&inspected->answers);
}

bool inspect_next(struct spool_cursor *cursor, struct arena *arena, struct inspect_answer *answer,
                  struct err *err)
{
    struct packed head, body;
    uint64_t index;
    bool found;
    if (!spool_next(cursor, &found, &head, &index, err))
        return false;
    if (!found)
        return ERR(err, ERR_CORRUPT, "a temporary file has lost an answer");
    answer->objects = pack_take_number(&head);
    answer->bytes = pack_take_number(&head);
    if (!digest_unhex(pack_take_text(&head), answer->manifest.sha256,
                      sizeof(answer->manifest.sha256)))
        head.broken = true;
    answer->detail = arena_copy(arena, pack_take_text(&head));
    answer->row_count = (size_t)pack_take_number(&head);
    if (answer->row_count > PLAN_ROWS_SHOWN)
        head.broken = true;
    if (!pack_check(&head, err) || !spool_body(cursor, &body, err))
        return false;
    answer->rows = arena_make(arena, answer->row_count * sizeof(*answer->rows));
    for (size_t i = 0; i < answer->row_count; i++) {
        struct candidate_row row = candidate_unpack_row(&body);
        answer->rows[i] = (struct candidate_row){.id = arena_copy(arena, row.id),
                                                 .tail = arena_copy(arena, row.tail),
                                                 .because = arena_copy(arena, row.because)};
    }
    return pack_check(&body, err);
}
