/* options.h: what stands on the command line, read against one table of flags. */
#ifndef ENGINE_OPTIONS_H
#define ENGINE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "policy/policy.h"

#define OPTIONS_ARGS_MAX 16
#define OPTIONS_VARS_MAX 64
#define OPTIONS_WORDS_MAX 256

/* Which verbs know a flag. */
enum verb_bit {
    VERB_DEMO = 1 << 0,
    VERB_VALIDATE = 1 << 1,
    VERB_PLAN = 1 << 2,
    VERB_SHOW = 1 << 3,
    VERB_APPLY = 1 << 4,
    VERB_RECONCILE = 1 << 5,
    VERB_REAP = 1 << 6,
    VERB_STATUS = 1 << 7,
    VERB_HELP = 1 << 8,
    VERB_VERSION = 1 << 9,
    VERB_EXPLAIN = 1 << 10,
    VERB_TEST = 1 << 11,
    VERB_SCHEMA = 1 << 12,
    VERB_DIFF = 1 << 13,
    VERB_ROLLBACK = 1 << 14,
    VERB_RESTORE = 1 << 15,
    VERB_HISTORY = 1 << 16,
    VERB_DOCTOR = 1 << 17,
    VERB_LS = 1 << 18,
    VERB_WIZARD = 1 << 19
};
#define VERB_RUNS                                                                                  \
    (VERB_APPLY | VERB_RECONCILE | VERB_REAP | VERB_ROLLBACK | VERB_RESTORE | VERB_WIZARD)
#define VERB_BACK (VERB_ROLLBACK | VERB_RESTORE)
#define VERB_PLANS (VERB_PLAN | VERB_APPLY | VERB_RECONCILE)
#define VERB_ASKS (VERB_PLANS | VERB_LS | VERB_EXPLAIN)

struct options;

struct verb {
    const char *name;
    enum verb_bit bit;
    const char *arguments; /* "[POLICY]" */
    size_t argument_count_max;
    const char *summary;
    int (*run)(const struct options *);
};

enum options_format {
    FORMAT_HUMAN,
    FORMAT_JSON,
    FORMAT_GITHUB,
    FORMAT_TAP,
    FORMAT_JUNIT,
    FORMAT_MARKDOWN
};
enum options_survey { SURVEY_FULL, SURVEY_NONE, SURVEY_UNSAID };

/* Of a flag that may be given more than once, or with several words between blanks. */
struct options_words {
    const char *items[OPTIONS_WORDS_MAX];
    size_t count;
};

struct options {
    const struct verb *verb;
    const char *args[OPTIONS_ARGS_MAX];
    size_t arg_count;
    const char *out, *as_of, *state, *expect, *policy, *keep, *base, *to;
    uint64_t format; /* enum options_format */
    uint64_t survey; /* enum options_survey */
    struct options_words select, exclude;
    uint64_t log_format, progress, color; /* enum logging_format, progress_mode, terminal_colours */
    struct policy_var vars[OPTIONS_VARS_MAX];
    size_t var_count;
    uint64_t concurrency;
    uint64_t max_bytes; /* UINT64_MAX: no limit */
    int64_t lock_wait_us, ttl_us, copy_timeout_us;
    int64_t grace_us; /* -1: not said */
    int64_t max_duration_us; /* INT64_MAX: no limit */
    bool all, auto_approve, keep_source, strict, online, quiet, no_input, detailed_exitcode, help;
    bool read_only;
    uint64_t verbose;
};

/* Verbs end with one whose name is NULL.  ERR_INPUT names what is wrong, with the nearest match as
 * a hint.  Flags may stand anywhere; "--" ends them.                                             */
MUST_USE bool options_read(struct options *options, int argc, char **argv, const struct verb *verbs,
                           struct err *err);
/* NULL after ERR_INPUT, with the nearest one as a hint. */
const struct verb *options_verb(const struct verb *verbs, const char *name, struct err *err);
/* The flags of a verb, a line each. */
void options_help(FILE *out, const struct verb *verb);
#endif
