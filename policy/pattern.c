#include "policy/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "base/arena.h"
#include "state/location.h"

_Static_assert(PATTERN_TEXT_MAX == LOCATION_BYTES_MAX, "every key can be matched");

#define MESSAGE_MAX 160

struct pattern {
    const pcre2_code *code;
    const char *start; /* what each text that matches a glob begins with; of the glob */
    size_t start_bytes;
};

/* ---- compiling ---- */

/* Nothing is given back: the pattern and what made it live as long as the arena. */
static void *take(size_t size_bytes, void *arena)
{
    return arena_has(arena, size_bytes) ? arena_make(arena, size_bytes) : NULL;
}

static void give_back(void *bytes, void *arena)
{
    (void)bytes;
    (void)arena;
}

static bool refuse(int number, size_t offset, struct err *err)
{
    PCRE2_UCHAR text[MESSAGE_MAX];
    pcre2_get_error_message(number, text, sizeof text);
    return ERR(err, ERR_INPUT, "%s, at byte %zu", (const char *)text, offset);
}

static bool compile_regex(const char *text, size_t size_bytes, pcre2_general_context *memory,
                          struct pattern *pattern, struct err *err)
{
    int number;
    PCRE2_SIZE offset;
    uint32_t options = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY;
    pcre2_compile_context *context = pcre2_compile_context_create(memory);
    if (context == NULL)
        return ERR(err, ERR_INPUT, "there is no memory left for it");
    pcre2_set_max_pattern_length(context, PATTERN_BYTES_MAX);
    pattern->code = pcre2_compile((PCRE2_SPTR)text, size_bytes, options, &number, &offset, context);
    return pattern->code != NULL || refuse(number, offset, err);
}

static bool compile_glob(const char *text, size_t size_bytes, pcre2_general_context *memory,
                         struct pattern *pattern, struct err *err)
{
    PCRE2_UCHAR *regex = NULL;
    PCRE2_SIZE regex_bytes = 0; /* of a failure: where it is */
    pcre2_convert_context *context = pcre2_convert_context_create(memory);
    if (context == NULL)
        return ERR(err, ERR_INPUT, "there is no memory left for it");
    int number =
        pcre2_pattern_convert((PCRE2_SPTR)text, size_bytes, PCRE2_CONVERT_GLOB | PCRE2_CONVERT_UTF,
                              &regex, &regex_bytes, context);
    if (number != 0)
        return refuse(number, regex_bytes, err);
    pattern->start = text;
    pattern->start_bytes = strcspn(text, "*?[\\");
    return compile_regex((const char *)regex, regex_bytes, memory, pattern, err);
}

bool pattern_compile(enum pattern_kind kind, const char *text, struct arena *arena,
                     const struct pattern **pattern, struct err *err)
{
    pcre2_general_context *memory = pcre2_general_context_create(take, give_back, arena);
    struct pattern *made = take(sizeof *made, arena);
    *pattern = made;
    if (memory == NULL || made == NULL)
        return ERR(err, ERR_INPUT, "there is no memory left for it");
    *made = (struct pattern){.start = ""};
    return kind == PATTERN_REGEX ? compile_regex(text, strlen(text), memory, made, err)
                                 : compile_glob(text, strlen(text), memory, made, err);
}

/* ---- matching ---- */

static void prepare(struct pattern_memory *memory)
{
    memory->match = pcre2_match_data_create(1, NULL);
    memory->limits = pcre2_match_context_create(NULL);
    if (memory->match == NULL || memory->limits == NULL)
        err_abort("out of memory");
    pcre2_set_match_limit(memory->limits, PATTERN_STEPS_MAX);
    pcre2_set_heap_limit(memory->limits, PATTERN_MEMORY_KIB_MAX);
}

void pattern_memory_free(struct pattern_memory *memory)
{
    pcre2_match_data_free(memory->match);
    pcre2_match_context_free(memory->limits);
    *memory = (struct pattern_memory){0};
}

enum truth pattern_match(const struct pattern *pattern, const char *text, size_t size_bytes,
                         bool is_utf8, struct pattern_memory *memory)
{
    uint32_t options = is_utf8 ? PCRE2_NO_UTF_CHECK : 0;
    if (size_bytes > PATTERN_TEXT_MAX)
        return TRUTH_UNKNOWN;
    /* Most keys differ from most globs at their start. */
    if (is_utf8 && (size_bytes < pattern->start_bytes ||
                    memcmp(text, pattern->start, pattern->start_bytes) != 0))
        return TRUTH_NO;
    if (memory->match == NULL)
        prepare(memory);
    int found = pcre2_match(pattern->code, (PCRE2_SPTR)text, size_bytes, 0, options, memory->match,
                            memory->limits);
    if (found >= 0)
        return TRUTH_YES;
    return found == PCRE2_ERROR_NOMATCH ? TRUTH_NO : TRUTH_UNKNOWN;
}
