/* scalar.h: what a scalar says, by the type that is wanted.  YAML's own guesses at types are not
 * asked: `yes` is no boolean, 2025-02-14 no date, until a key wants one.  Each function that is
 * false has made a finding and broken the node.                                                  */
#ifndef POLICY_SCALAR_H
#define POLICY_SCALAR_H

#include <stdint.h>

#include "base/err.h"
#include "base/when.h"

struct decimal;
struct load;
struct node;

/* How a message names the scalar: its text in backquotes, cut where it is long; of a text that a
 * reference gave only that it did.                                                              */
const char *scalar_shown(const struct load *load, const struct node *node);

/* NULL, without quotes and in any spelling that YAML has for it. */
bool scalar_is_null(const struct node *node);
/* A scalar at all, and without a ${..} that nobody would replace.  In quotes it may be empty. */
MUST_USE bool scalar_value(struct load *load, struct node *node);
/* The same, and not empty. */
MUST_USE bool scalar_text(struct load *load, struct node *node);
/* Letters, digits, '.', '_' and '-', begun by a letter or digit, at most 64. */
MUST_USE bool scalar_name(struct load *load, struct node *node);
MUST_USE bool scalar_boolean(struct load *load, struct node *node, bool *value);
MUST_USE bool scalar_integer(struct load *load, struct node *node, int32_t *value);
MUST_USE bool scalar_count(struct load *load, struct node *node, uint64_t *value);
MUST_USE bool scalar_size(struct load *load, struct node *node, uint64_t *size_bytes);
MUST_USE bool scalar_percent(struct load *load, struct node *node, uint32_t *ppm);
MUST_USE bool scalar_duration(struct load *load, struct node *node, struct when_duration *value);
/* Without months and years: a fixed stretch of time. */
MUST_USE bool scalar_span(struct load *load, struct node *node, int64_t *us);
MUST_USE bool scalar_days(struct load *load, struct node *node, uint8_t *days);
MUST_USE bool scalar_clock(struct load *load, struct node *node, int *minutes);
MUST_USE bool scalar_instant(struct load *load, struct node *node, int64_t *instant_us);
MUST_USE bool scalar_date(struct load *load, struct node *node, struct when_date *date);
/* [-+]digits[.digits], exactly; false without a finding if the text is none, or too long. */
bool scalar_read_decimal(const char *text, struct decimal *number);
/* The index of the text in choices, which end with NULL. */
MUST_USE bool scalar_choice(struct load *load, struct node *node, const char *const *choices,
                            unsigned *index);
#endif
