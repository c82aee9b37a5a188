#include "executor/survey.h"

#include <stdlib.h>
#include <string.h>

/* -- one directory ------------------------------------------------------------------------------
 */

static int compare_key(const void *key, const void *object)
{
    return strcmp(key, ((const struct object *)object)->key);
}

static enum access_tier tier_of(const struct object *objects, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (objects[i].tier != objects[0].tier)
            return TIER_DEFAULT;
    }
    return count > 0 ? objects[0].tier : TIER_DEFAULT;
}

static bool answer(void *context, size_t index, const struct object *objects, size_t count,
                   int64_t server_us, const struct err *failure, struct err *err)
{
    (void)server_us;
    struct survey_question *question = &((struct survey_question *)context)[index];
    if (failure != NULL && failure->kind == ERR_CANCELLED) {
        *err = *failure;
        return false;
    }
    if (failure != NULL && failure->kind != ERR_NONE) {
        question->err = *failure;
        return true;
    }
    question->objects = count;
    for (size_t i = 0; i < count; i++) {
        question->bytes += objects[i].bytes;
        question->irregular += objects[i].irregular;
        question->archived += objects[i].tier == TIER_ARCHIVE;
    }
    for (size_t i = 0; i < question->name_count; i++)
        question->present[i] = count > 0 && bsearch(question->names[i], objects, count,
                                                    sizeof(*objects), compare_key) != NULL;
    object_manifest_digest(objects, count, &question->digest);
    question->tier = tier_of(objects, count);
    return true;
}

/* -- the port ------------------------------------------------------------------------------------
 */

static bool ask(struct survey *port, uint16_t store, struct survey_question *questions,
                size_t count, struct err *err)
{
    struct survey_stores *survey = (struct survey_stores *)port;
    const char *directories[SURVEY_BATCH_MAX];
    if (atomic_load(survey->stop))
        return ERR(err, ERR_CANCELLED, "told to stop");
    if (count > SURVEY_BATCH_MAX)
        return ERR(err, ERR_INTERNAL, "%zu directories asked for at once", count);
    for (size_t i = 0; i < count; i++) {
        questions[i].objects = questions[i].bytes = questions[i].irregular = questions[i].archived =
            0;
        questions[i].err = (struct err){0};
        directories[i] = questions[i].directory;
    }
    const struct listing_request request = {.store = survey->stores[store],
                                            .directories = directories,
                                            .count = count,
                                            .visit = answer,
                                            .context = questions,
                                            .tally = &survey->tally};
    return listing_directories(&request, err);
}

static const struct survey_ops survey_stores_ops = {.ask = ask};

void survey_init(struct survey_stores *survey, struct store *const *stores, atomic_bool *stop)
{
    *survey = (struct survey_stores){
        .survey = {.ops = &survey_stores_ops}, .stores = stores, .stop = stop};
}
