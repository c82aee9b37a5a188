#include "policy/scalar.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/size.h"
#include "base/str.h"
#include "policy/diag_codes.h"
#include "policy/load.h"
#include "policy/tree.h"
#include "policy/window.h"

#define SHOWN_MAX 60
#define NAME_MAX_BYTES 64
#define CHOICES_TEXT_MAX 400

const char *scalar_shown(const struct load *load, const struct node *node)
{
    if (node->from_env)
        return "what `${..}` gives";
    size_t cut = str_cut(node->text, strcspn(node->text, "\n\t"), SHOWN_MAX);
    const char *more = node->text[cut] == '\0' ? "" : "...";
    if (node->var != NULL)
        return str_format(load->arena, "`%.*s%s` (of $%s)", (int)cut, node->text, more, node->var);
    return str_format(load->arena, "`%.*s%s`", (int)cut, node->text, more);
}

static bool refuse(struct load *load, struct node *node, int code, const char *wanted,
                   const char *label, const char *help)
{
    struct diag *diag =
        diag_add(load->diags, code, node->span, "%s is not %s", scalar_shown(load, node), wanted);
    diag->label = label;
    diag->help = help;
    node->broken = true;
    return false;
}

/* A scalar and nothing more; an empty one may be what a key without a value has. */
static bool is_scalar(struct load *load, struct node *node)
{
    if (node->broken)
        return false;
    if (node->kind != NODE_SCALAR) {
        diag_add(load->diags, DIAG_SHAPE, node->span, "%s, where one value is wanted",
                 node->kind == NODE_LIST ? "a list" : "a map")
            ->label = "one value is wanted";
        node->broken = true;
        return false;
    }
    if (node->text[0] == '\0' && node->plain) {
        struct span at = node->key == NULL ? node->span : node->key->span;
        diag_add(load->diags, DIAG_EMPTY, at, "%s has no value",
                 node->key == NULL ? "this" : str_format(load->arena, "`%s`", node->key->text))
            ->label = "a value is missing";
        node->broken = true;
        return false;
    }
    return true;
}

bool scalar_is_null(const struct node *node)
{
    return node->plain && (str_equal(node->text, "null") || str_equal(node->text, "~") ||
                           str_equal(node->text, "Null") || str_equal(node->text, "NULL"));
}

bool scalar_value(struct load *load, struct node *node)
{
    if (!is_scalar(load, node))
        return false;
    if (strstr(node->text, "${") == NULL)
        return true;
    struct diag *diag =
        diag_add(load->diags, DIAG_ENV_PLACE, node->span, "`${..}` is not read here");
    diag->label = "would be taken literally";
    diag->help = "the environment gives connections, containers, prefixes and paths; "
                 "for all else there is `vars` and --var";
    node->broken = true;
    return false;
}

bool scalar_text(struct load *load, struct node *node)
{
    if (!scalar_value(load, node))
        return false;
    if (node->text[0] != '\0')
        return true;
    diag_add(load->diags, DIAG_EMPTY, node->span, "an empty text")->label = "a value is missing";
    node->broken = true;
    return false;
}

static bool is_name_byte(char c, bool first)
{
    bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return alphanumeric || (!first && (c == '.' || c == '_' || c == '-'));
}

bool scalar_name(struct load *load, struct node *node)
{
    if (!scalar_text(load, node))
        return false;
    const char *at = node->text;
    while (is_name_byte(*at, at == node->text))
        at++;
    if (*at == '\0' && at - node->text <= NAME_MAX_BYTES)
        return true;
    return refuse(load, node, DIAG_NAME, "a name", "not a name",
                  "up to 64 letters, digits, `.`, `_` and `-`, begun by a letter or digit");
}

bool scalar_boolean(struct load *load, struct node *node, bool *value)
{
    if (!scalar_text(load, node))
        return false;
    *value = str_equal(node->text, "true");
    if (node->plain && (*value || str_equal(node->text, "false")))
        return true;
    return refuse(load, node, DIAG_BOOLEAN, "a boolean", "write true or false",
                  node->plain ? "" : "without quotes");
}

bool scalar_integer(struct load *load, struct node *node, int32_t *value)
{
    int64_t number;
    if (!scalar_text(load, node))
        return false;
    if (!node->plain || !str_to_i64(node->text, &number))
        return refuse(load, node, DIAG_NUMBER, "a number", "a whole number is wanted", "");
    if (number < INT32_MIN || number > INT32_MAX)
        return refuse(load, node, DIAG_NUMBER, "within -2147483648 to 2147483647", "too large", "");
    *value = (int32_t)number;
    return true;
}

bool scalar_count(struct load *load, struct node *node, uint64_t *value)
{
    if (!scalar_text(load, node))
        return false;
    if (node->plain && str_to_u64(node->text, value) && *value < INT64_MAX)
        return true;
    return refuse(load, node, DIAG_NUMBER, "a count", "a whole number of 0 or more is wanted", "");
}

bool scalar_size(struct load *load, struct node *node, uint64_t *size_bytes)
{
    struct err err;
    if (!scalar_text(load, node))
        return false;
    if (size_read(node->text, size_bytes, &err))
        return true;
    return refuse(load, node, DIAG_SIZE, "a size", "not a size",
                  "a number and a unit: 500GB (10^9), 5TiB (2^40), 100B");
}

/* "12.5%" is 125,000 parts of a million. */
static bool read_percent(const char *text, uint32_t *ppm)
{
    uint64_t value = 0;
    int decimals = -1;
    const char *at = text;
    for (; *at != '%' && *at != '\0'; at++) {
        if (*at == '.' && decimals < 0 && at > text) {
            decimals = 0;
            continue;
        }
        if (*at < '0' || *at > '9' || decimals >= 4 || value > 100 * POLICY_FRACTION_ONE)
            return false;
        value = value * 10 + (uint64_t)(*at - '0');
        decimals += decimals >= 0;
    }
    if (at == text || at[-1] == '.' || at[0] != '%' || at[1] != '\0')
        return false;
    for (int i = decimals < 0 ? 0 : decimals; i < 4; i++)
        value *= 10;
    if (value > POLICY_FRACTION_ONE)
        return false;
    *ppm = (uint32_t)value;
    return true;
}

bool scalar_percent(struct load *load, struct node *node, uint32_t *ppm)
{
    if (!scalar_text(load, node))
        return false;
    if (read_percent(node->text, ppm))
        return true;
    return refuse(load, node, DIAG_PERCENT, "a percentage", "not a percentage",
                  "0% to 100%, with the sign and at most four decimals");
}

bool scalar_duration(struct load *load, struct node *node, struct when_duration *value)
{
    struct err err;
    if (!scalar_text(load, node))
        return false;
    if (when_duration_read(node->text, value, &err))
        return true;
    return refuse(load, node, DIAG_DURATION, "a duration", "not a duration",
                  "a number and a unit: 45s, 30m, 12h, 90d, 2w, 6mo, 1y");
}

bool scalar_span(struct load *load, struct node *node, int64_t *us)
{
    struct when_duration duration;
    if (!scalar_duration(load, node, &duration))
        return false;
    *us = duration.us;
    if (duration.months == 0)
        return true;
    return refuse(load, node, DIAG_DURATION, "a fixed time", "months differ in length",
                  "a number and a unit: 45s, 30m, 12h, 90d, 2w");
}

bool scalar_days(struct load *load, struct node *node, uint8_t *days)
{
    if (!scalar_text(load, node))
        return false;
    return window_days_read(node->text, days) ||
           refuse(load, node, DIAG_DAYS, "days of the week", "not days",
                  "mon-fri, or sat,sun: the first three letters");
}

bool scalar_clock(struct load *load, struct node *node, int *minutes)
{
    if (!scalar_text(load, node))
        return false;
    return window_clock_read(node->text, minutes) ||
           refuse(load, node, DIAG_CLOCK, "a time of the day", "no such time",
                  "hours and minutes: \"05:00\"");
}

bool scalar_instant(struct load *load, struct node *node, int64_t *instant_us)
{
    struct err err;
    if (!scalar_text(load, node))
        return false;
    if (when_instant_read(node->text, instant_us, &err))
        return true;
    return refuse(load, node, DIAG_INSTANT, "an instant", "not a time with its offset",
                  "2025-02-14T12:00:00Z, or with +01:00 in place of Z");
}

bool scalar_read_decimal(const char *text, struct decimal *number)
{
    bool negative = text[0] == '-', point = false, digits = false;
    int64_t value = 0;
    int32_t scale = 0;
    for (const char *at = text + (text[0] == '-' || text[0] == '+'); *at != '\0'; at++) {
        if (*at == '.' && !point && digits) {
            point = true;
            digits = false;
            continue;
        }
        if (*at < '0' || *at > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, *at - '0', &value))
            return false;
        digits = true;
        scale += point;
    }
    if (!digits || (!negative && value == INT64_MIN))
        return false;
    *number = (struct decimal){negative ? value : -value, scale};
    return true;
}

bool scalar_date(struct load *load, struct node *node, struct when_date *date)
{
    struct err err;
    if (!scalar_text(load, node))
        return false;
    if (when_date_read(node->text, date, &err))
        return true;
    return refuse(load, node, DIAG_DATE, "a date", "no such day",
                  "year, month and day: 2025-02-14");
}

static const char *list_choices(const struct load *load, const char *const *choices)
{
    struct buf text;
    buf_init(&text, CHOICES_TEXT_MAX);
    for (size_t i = 0; choices[i] != NULL; i++)
        buf_format(&text, "%s`%s`",
                   i == 0                   ? ""
                   : choices[i + 1] == NULL ? " or "
                                            : ", ",
                   choices[i]);
    const char *kept = arena_copy(load->arena, buf_string(&text));
    buf_free(&text);
    return kept;
}

bool scalar_choice(struct load *load, struct node *node, const char *const *choices,
                   unsigned *index)
{
    if (!scalar_text(load, node))
        return false;
    for (unsigned i = 0; choices[i] != NULL; i++) {
        if (str_equal(node->text, choices[i])) {
            *index = i;
            return true;
        }
    }
    const char *nearest = str_nearest(node->text, choices);
    struct diag *diag = diag_add(load->diags, DIAG_CHOICE, node->span, "%s is not known here",
                                 scalar_shown(load, node));
    diag->label = str_format(load->arena, "%s is wanted", list_choices(load, choices));
    if (nearest != NULL)
        diag->help = str_format(load->arena, "did you mean `%s`?", nearest);
    node->broken = true;
    return false;
}
