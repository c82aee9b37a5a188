#include "engine/options.h"

#include <string.h>

#include "base/str.h"
#include "base/when.h"
#include "engine/columns.h"
#include "planner/plan.h"

enum kind {
    KIND_SWITCH,
    KIND_COUNT,
    KIND_TEXT,
    KIND_WORDS,
    KIND_NUMBER,
    KIND_BYTES,
    KIND_DURATION,
    KIND_CHOICE,
    KIND_VAR
};

struct flag {
    const char *name;
    char letter;
    enum kind kind;
    size_t offset;
    unsigned verbs;
    const char *argument;
    const char *const *choices;
    const char *help;
};

static const char *const formats[] = {"human", "json", "github", "tap", "junit", "markdown", NULL};
static const char *const log_formats[] = {"human", "logfmt", "json", NULL};
static const char *const progress_modes[] = {"auto", "block", "lines", "none", NULL};
static const char *const colors[] = {"auto", "always", "never", NULL};
static const char *const surveys[] = {"full", "none", NULL};

#define HELP_COLUMN 31
#define COPY_TIMEOUT_US (3600 * WHEN_SECOND_US)
#define COPY_TIMEOUT_MAX_US (14 * 24 * COPY_TIMEOUT_US) /* the service gives up by itself then */

#define AT(member) offsetof(struct options, member)
#define VERB_ALL (~0u)

static const struct flag flags[] = {
    {"out", 'o', KIND_TEXT, AT(out), VERB_PLAN | VERB_BACK, "FILE", NULL,
     "save the plan here; rollback and restore then do nothing else"},
    {"select", 0, KIND_WORDS, AT(select), VERB_ASKS | VERB_STATUS, "WORDS", NULL,
     "only these: id:A,B date:2025-02-14 date:A..B store:N policy:N state:failed @FILE; a blank is "
     "or, a comma between them is and"},
    {"exclude", 0, KIND_WORDS, AT(exclude), VERB_ASKS | VERB_STATUS, "WORDS", NULL,
     "and none of these"},
    {"to", 0, KIND_TEXT, AT(to), VERB_PLANS | VERB_RESTORE | VERB_WIZARD, "STORE", NULL,
     "where what is selected goes, in place of what the policies say; of restore: if not to the "
     "one "
     "store to which no policy moves"},
    {"grace", 0, KIND_DURATION, AT(grace_us), VERB_PLANS, "DURATION", NULL,
     "with --to: keep the sources for so long (default: what the policy's defaults say)"},
    {"format", 0, KIND_CHOICE, AT(format),
     VERB_PLAN | VERB_SHOW | VERB_DIFF | VERB_STATUS | VERB_HISTORY | VERB_VALIDATE | VERB_TEST |
         VERB_LS | VERB_DOCTOR,
     "FORMAT", formats,
     "how to print: human, json; validate also github (annotations); test human, tap, junit; diff "
     "also markdown"},
    {"base", 0, KIND_TEXT, AT(base), VERB_DIFF, "REV", NULL,
     "plan the policy of this git revision, and that of the work tree, and compare them"},
    {"max-bytes", 0, KIND_BYTES, AT(max_bytes), VERB_DIFF, "N", NULL,
     "cut rows out of the middle of a longer text (65536 for a comment on GitHub)"},
    {"detailed-exitcode", 0, KIND_SWITCH, AT(detailed_exitcode), VERB_PLAN | VERB_DIFF, NULL, NULL,
     "exit with 2 if there is something to do, or any difference"},
    {"all", 0, KIND_SWITCH, AT(all), VERB_PLANS | VERB_SHOW | VERB_STATUS | VERB_BACK, NULL, NULL,
     "show every directory or object"},
    {"as-of", 0, KIND_TEXT, AT(as_of), VERB_PLAN | VERB_DIFF | VERB_EXPLAIN | VERB_LS, "TIME", NULL,
     "decide as if it were then; in the future: a simulation"},
    {"survey", 0, KIND_CHOICE, AT(survey), VERB_PLAN | VERB_DIFF, "full|none", surveys,
     "list the stores, or trust the catalog's sizes (which diff does unless told)"},
    {"var", 0, KIND_VAR, 0,
     VERB_RUNS | VERB_PLAN | VERB_DIFF | VERB_VALIDATE | VERB_TEST | VERB_EXPLAIN | VERB_LS |
         VERB_DOCTOR,
     "NAME=VALUE", NULL, "another value for a variable of the policy"},
    {"strict", 0, KIND_SWITCH, AT(strict), VERB_VALIDATE, NULL, NULL, "take warnings for errors"},
    {"online", 0, KIND_SWITCH, AT(online), VERB_VALIDATE, NULL, NULL,
     "ask the catalog and the stores too; exit 75: no answer, 77: access refused"},
    {"policy", 'p', KIND_TEXT, AT(policy), VERB_APPLY | VERB_SHOW | VERB_RESTORE | VERB_LS, "FILE",
     NULL, "the policy; that of a plan, if it is not where the plan says"},
    {"auto-approve", 0, KIND_SWITCH, AT(auto_approve), VERB_APPLY | VERB_BACK, NULL, NULL,
     "do not ask"},
    {"expect", 0, KIND_TEXT, AT(expect), VERB_APPLY | VERB_BACK, "DIGEST", NULL,
     "apply only the plan with this digest; counts as approval"},
    {"keep-source", 0, KIND_SWITCH, AT(keep_source), VERB_APPLY | VERB_RECONCILE | VERB_RESTORE,
     NULL, NULL, "delete no source of this run, now or later"},
    {"ttl", 0, KIND_DURATION, AT(ttl_us), VERB_APPLY | VERB_RECONCILE | VERB_BACK, "DURATION", NULL,
     "begin nothing that was planned longer ago (default 24h)"},
    {"concurrency", 'j', KIND_NUMBER, AT(concurrency), VERB_RUNS, "N", NULL,
     "workers, each with up to 64 directories or objects (default 4)"},
    {"copy-timeout", 0, KIND_DURATION, AT(copy_timeout_us), VERB_RUNS, "DURATION", NULL,
     "give a copy that the cloud makes by itself this long (default 1h)"},
    {"lock-wait", 0, KIND_DURATION, AT(lock_wait_us), VERB_RUNS, "DURATION", NULL,
     "wait for another run to end"},
    {"max-duration", 0, KIND_DURATION, AT(max_duration_us), VERB_RUNS, "DURATION", NULL,
     "take up nothing more after this time, and finish what is under way"},
    {"keep", 0, KIND_TEXT, AT(keep), VERB_DEMO, "DIR", NULL, "make the sandbox here and leave it"},
    {"state", 0, KIND_TEXT, AT(state),
     VERB_RUNS | VERB_PLAN | VERB_DIFF | VERB_STATUS | VERB_HISTORY | VERB_EXPLAIN | VERB_LS |
         VERB_DOCTOR,
     "DIR", NULL, "where the journal is"},
    {"read-only", 0, KIND_SWITCH, AT(read_only), VERB_DOCTOR, NULL, NULL,
     "try no object of its own in the stores: only list them"},
    {"no-input", 0, KIND_SWITCH, AT(no_input), VERB_RUNS, NULL, NULL, "never ask"},
    {"quiet", 'q', KIND_SWITCH, AT(quiet), VERB_ALL, NULL, NULL, "print nothing on success"},
    {"verbose", 'v', KIND_COUNT, AT(verbose), VERB_ALL, NULL, NULL,
     "say more; -vv shows each request"},
    {"log-format", 0, KIND_CHOICE, AT(log_format), VERB_ALL, "human|logfmt|json", log_formats,
     "how events and errors stand on standard error"},
    {"progress", 0, KIND_CHOICE, AT(progress), VERB_ALL, "auto|block|lines|none", progress_modes,
     "how far it is: in place on a terminal, else a line a minute"},
    {"color", 0, KIND_CHOICE, AT(color), VERB_ALL, "auto|always|never", colors,
     "auto: on a terminal, unless NO_COLOR is set"},
    {"help", 'h', KIND_SWITCH, AT(help), VERB_ALL, NULL, NULL, "what the verb does"},
};
#define FLAG_COUNT (sizeof(flags) / sizeof(flags[0]))

static void *member(struct options *options, const struct flag *flag)
{
    return (char *)options + flag->offset;
}

static const struct flag *find_flag(const char *name, size_t length)
{
    for (size_t i = 0; i < FLAG_COUNT; i++)
        if (strlen(flags[i].name) == length && strncmp(flags[i].name, name, length) == 0)
            return &flags[i];
    return NULL;
}

static const struct flag *find_letter(char letter)
{
    for (size_t i = 0; i < FLAG_COUNT; i++)
        if (flags[i].letter == letter)
            return &flags[i];
    return NULL;
}

static bool unknown_flag(const char *text, struct err *err)
{
    const char *names[FLAG_COUNT + 1] = {0};
    for (size_t i = 0; i < FLAG_COUNT; i++)
        names[i] = flags[i].name;
    const char *near = str_nearest(text[0] == '-' ? text + 2 : text, names);
    ERR(err, ERR_INPUT, "unknown flag %s", text);
    if (near != NULL)
        snprintf(err->hint, sizeof(err->hint), "did you mean --%s?", near);
    return false;
}

static bool set_var(struct options *options, const char *value, struct err *err)
{
    static const char form[] = "--var wants NAME=VALUE";
    char *equals = strchr(value, '=');
    if (equals == NULL || equals == value)
        return ERR(err, ERR_INPUT, "%s", form);
    if (options->var_count == OPTIONS_VARS_MAX)
        return ERR(err, ERR_INPUT, "more than %d variables", OPTIONS_VARS_MAX);
    *equals = '\0'; /* the arguments of main are ours to write */
    options->vars[options->var_count++] = (struct policy_var){.name = value, .value = equals + 1};
    return true;
}

/* The word at *rest, up to a blank that no backslash stands before; NULL at the end. */
static char *next_word(char **rest)
{
    char *from = *rest + strspn(*rest, " "), *to = from, *at = from;
    if (*from == '\0')
        return NULL;
    for (; *at != '\0' && *at != ' '; at++) {
        at += at[0] == '\\' && at[1] == ' ';
        *to++ = *at;
    }
    *rest = at + (*at != '\0');
    *to = '\0';
    return from;
}

/* "A B" is two of them, "A\\ B" is one. */
static bool set_words(struct options *options, const struct flag *flag, char *value,
                      struct err *err)
{
    struct options_words *words = member(options, flag);
    size_t before = words->count;
    for (char *word; (word = next_word(&value)) != NULL;) {
        if (words->count == OPTIONS_WORDS_MAX)
            return ERR(err, ERR_INPUT, "--%s has more than %d words; a file, @FILE, may hold more",
                       flag->name, OPTIONS_WORDS_MAX);
        words->items[words->count++] = word; /* the arguments of main are ours to write */
    }
    return words->count > before ||
           ERR(err, ERR_INPUT, "--%s wants %s", flag->name, flag->argument);
}

static bool set_choice(struct options *options, const struct flag *flag, const char *value,
                       struct err *err)
{
    for (uint64_t i = 0; flag->choices[i] != NULL; i++) {
        if (str_equal(flag->choices[i], value)) {
            *(uint64_t *)member(options, flag) = i;
            return true;
        }
    }
    return ERR(err, ERR_INPUT, "--%s wants %s, not %s", flag->name, flag->argument, value);
}

static bool set_duration(struct options *options, const struct flag *flag, const char *value,
                         struct err *err)
{
    struct when_duration duration;
    if (!when_duration_read(value, &duration, err))
        return err_wrap(err, "--%s", flag->name);
    if (duration.months != 0 || duration.us < 0)
        return ERR(err, ERR_INPUT, "--%s wants a duration like 30s, 5m or 2h", flag->name);
    *(int64_t *)member(options, flag) = duration.us;
    return true;
}

static bool set_value(struct options *options, const struct flag *flag, char *value,
                      struct err *err)
{
    switch (flag->kind) {
    case KIND_WORDS:
        return set_words(options, flag, value, err);
    case KIND_TEXT:
        *(const char **)member(options, flag) = value;
        return true;
    case KIND_NUMBER:
        if (!str_to_u64(value, member(options, flag)) || *(uint64_t *)member(options, flag) == 0 ||
            *(uint64_t *)member(options, flag) > 64)
            return ERR(err, ERR_INPUT, "--%s wants a number from 1 to 64, not %s", flag->name,
                       value);
        return true;
    case KIND_BYTES:
        return (str_to_u64(value, member(options, flag)) &&
                *(uint64_t *)member(options, flag) > 0) ||
               ERR(err, ERR_INPUT, "--%s wants a number of bytes, not %s", flag->name, value);
    case KIND_CHOICE:
        return set_choice(options, flag, value, err);
    case KIND_DURATION:
        return set_duration(options, flag, value, err);
    case KIND_VAR:
        return set_var(options, value, err);
    case KIND_SWITCH:
    case KIND_COUNT:
        break;
    }
    return ERR(err, ERR_INPUT, "--%s takes no value", flag->name);
}

static bool takes_value(const struct flag *flag)
{
    return flag->kind != KIND_SWITCH && flag->kind != KIND_COUNT;
}

/* The flags that were given, checked against the verb once that is known. */
struct seen {
    const struct flag *flags[128];
    size_t count;
};

static bool note(struct seen *seen, const struct flag *flag, struct err *err)
{
    if (seen->count == sizeof(seen->flags) / sizeof(seen->flags[0]))
        return ERR(err, ERR_INPUT, "too many flags");
    seen->flags[seen->count++] = flag;
    return true;
}

static bool read_long(struct options *options, int argc, char **argv, int *at, struct seen *seen,
                      struct err *err)
{
    char *text = argv[*at];
    char *equals = strchr(text, '=');
    size_t length = equals != NULL ? (size_t)(equals - text) - 2 : strlen(text) - 2;
    const struct flag *flag = find_flag(text + 2, length);
    if (flag == NULL)
        return unknown_flag(text, err);
    if (!note(seen, flag, err))
        return false;
    if (!takes_value(flag)) {
        if (equals != NULL)
            return ERR(err, ERR_INPUT, "--%s takes no value", flag->name);
        if (flag->kind == KIND_COUNT)
            ++*(uint64_t *)member(options, flag);
        else
            *(bool *)member(options, flag) = true;
        return true;
    }
    if (equals != NULL)
        return set_value(options, flag, equals + 1, err);
    if (*at + 1 == argc)
        return ERR(err, ERR_INPUT, "--%s wants %s", flag->name, flag->argument);
    return set_value(options, flag, argv[++*at], err);
}

/* -q, -vv, -oFILE, -o FILE */
static bool read_letters(struct options *options, int argc, char **argv, int *at, struct seen *seen,
                         struct err *err)
{
    for (char *letter = argv[*at] + 1; *letter != '\0'; letter++) {
        const struct flag *flag = find_letter(*letter);
        if (flag == NULL)
            return ERR(err, ERR_INPUT, "unknown flag -%c", *letter);
        if (!note(seen, flag, err))
            return false;
        if (flag->kind == KIND_COUNT)
            ++*(uint64_t *)member(options, flag);
        else if (flag->kind == KIND_SWITCH)
            *(bool *)member(options, flag) = true;
        else if (letter[1] != '\0')
            return set_value(options, flag, letter + 1, err);
        else if (*at + 1 == argc)
            return ERR(err, ERR_INPUT, "-%c wants %s", *letter, flag->argument);
        else
            return set_value(options, flag, argv[++*at], err);
    }
    return true;
}

const struct verb *options_verb(const struct verb *verbs, const char *name, struct err *err)
{
    const char *names[64] = {0};
    for (size_t i = 0; verbs[i].name != NULL && i < 63; i++) {
        if (str_equal(verbs[i].name, name))
            return &verbs[i];
        names[i] = verbs[i].name;
    }
    const char *near = str_nearest(name, names);
    ERR(err, ERR_INPUT, "unknown verb %s", name);
    snprintf(err->hint, sizeof(err->hint), near != NULL ? "did you mean %s?" : "%s",
             near != NULL ? near : "frostline help lists them");
    return NULL;
}

static bool take_argument(struct options *options, const char *text, const struct verb *verbs,
                          struct err *err)
{
    if (options->verb == NULL) {
        options->verb = options_verb(verbs, text, err);
        return options->verb != NULL;
    }
    if (options->arg_count == options->verb->argument_count_max)
        return ERR(err, ERR_INPUT, "one argument too many for %s: %s", options->verb->name, text);
    options->args[options->arg_count++] = text;
    return true;
}

static bool knows_format(enum verb_bit verb, uint64_t format)
{
    switch (format) {
    case FORMAT_HUMAN:
        return true;
    case FORMAT_JSON:
        return verb != VERB_TEST;
    case FORMAT_GITHUB:
        return verb == VERB_VALIDATE;
    case FORMAT_MARKDOWN:
        return verb == VERB_DIFF;
    default:
        return verb == VERB_TEST;
    }
}

static bool is_seen(const struct seen *seen, const char *name)
{
    for (size_t i = 0; i < seen->count; i++)
        if (str_equal(seen->flags[i]->name, name))
            return true;
    return false;
}

/* Each would undo the other. */
static bool check_pairs(const struct seen *seen, struct err *err)
{
    static const char *const pairs[][2] = {{"quiet", "verbose"}, {"keep-source", "grace"}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (is_seen(seen, pairs[i][0]) && is_seen(seen, pairs[i][1]))
            return ERR(err, ERR_INPUT, "--%s and --%s exclude each other", pairs[i][0],
                       pairs[i][1]);
    return true;
}

static bool check_flags(const struct options *options, const struct seen *seen, struct err *err)
{
    for (size_t i = 0; i < seen->count; i++)
        if (options->verb != NULL && !(seen->flags[i]->verbs & options->verb->bit))
            return ERR(err, ERR_INPUT, "%s does not know --%s", options->verb->name,
                       seen->flags[i]->name);
    if (options->verb != NULL && !knows_format(options->verb->bit, options->format))
        return ERR(err, ERR_INPUT, "%s does not know --format %s", options->verb->name,
                   formats[options->format]);
    return check_pairs(seen, err);
}

bool options_read(struct options *options, int argc, char **argv, const struct verb *verbs,
                  struct err *err)
{
    struct seen seen = {.count = 0};
    bool ended = false;
    *options = (struct options){.survey = SURVEY_UNSAID,
                                .max_bytes = UINT64_MAX,
                                .ttl_us = PLAN_TTL_US,
                                .grace_us = -1,
                                .copy_timeout_us = COPY_TIMEOUT_US,
                                .max_duration_us = INT64_MAX};
    for (int at = 1; at < argc; at++) {
        const char *text = argv[at];
        bool done;
        if (!ended && str_equal(text, "--")) {
            ended = true;
            continue;
        }
        if (!ended && str_equal(text, "--version"))
            text = "version";
        if (!ended && str_starts(text, "--"))
            done = read_long(options, argc, argv, &at, &seen, err);
        else if (!ended && text[0] == '-' && text[1] != '\0')
            done = read_letters(options, argc, argv, &at, &seen, err);
        else
            done = take_argument(options, text, verbs, err);
        if (!done)
            return false;
    }
    if (options->copy_timeout_us == 0 || options->copy_timeout_us > COPY_TIMEOUT_MAX_US)
        return ERR(err, ERR_INPUT, "--copy-timeout wants more than 0s, and no more than 14d");
    return check_flags(options, &seen, err);
}

/* Word by word, so that no line is too wide. */
static void put_help(FILE *out, const char *help, size_t column)
{
    struct columns_line line = {.out = out, .column = column, .indent = HELP_COLUMN};
    char word[64];
    if (column >= HELP_COLUMN) {
        fputc('\n', out);
        column = 0;
    }
    columns_blanks(out, column, HELP_COLUMN);
    line.column = HELP_COLUMN;
    while (*help != '\0') {
        size_t size = strcspn(help, " ");
        snprintf(word, sizeof(word), "%.*s", (int)size, help);
        columns_put(&line, word);
        help += size + (help[size] == ' ');
    }
    fputc('\n', out);
}

void options_help(FILE *out, const struct verb *verb)
{
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        const struct flag *flag = &flags[i];
        char left[64], letter[8] = "    ";
        if (!(flag->verbs & verb->bit))
            continue;
        if (flag->letter != 0)
            snprintf(letter, sizeof(letter), "-%c, ", flag->letter);
        snprintf(left, sizeof(left), "  %s--%s%s%s", letter, flag->name,
                 flag->argument != NULL ? " " : "", flag->argument != NULL ? flag->argument : "");
        fputs(left, out);
        put_help(out, flag->help, strlen(left));
    }
}
