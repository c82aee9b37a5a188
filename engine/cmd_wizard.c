/* The questions of the script that frostline replaces, in its words and order.  What is answered
 * becomes the flags of `apply`, and the same plan is made, shown, approved and carried out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/str.h"
#include "base/when.h"
#include "engine/ask.h"
#include "engine/cmd.h"
#include "engine/cmd_apply.h"
#include "engine/logging.h"
#include "engine/planning.h"
#include "engine/request.h"
#include "engine/terminal.h"
#include "engine/text.h"
#include "engine/wizard_find.h"
#include "engine/wizard_policy.h"

#define ARENA_BYTES_MAX ((size_t)64 << 20)
#define ANSWER_MAX 65536
#define COMMAND_BYTES_MAX ((size_t)4 << 20)
#define GRACE_DAYS 7

struct wizard {
    struct arena arena;
    struct options options; /* as given, and what was answered */
    const char *policy;
    const char *target;
    const char *account; /* of the environment's policy: what its locations begin with; else NULL */
    char answer[ANSWER_MAX];
};

/* -- where policy and stores come from ------------------------------------------------------------
 */

static enum exit_code refuse_variables(const char *missing)
{
    logging_error("set them, or name a policy: frostline wizard POLICY",
                  "missing environment variables: %s", missing);
    return EXIT_USAGE;
}

/* Beside the journal, so that other verbs can be given it as well. */
static enum exit_code place_policy(struct wizard *wizard, struct wiring *wiring)
{
    struct err err;
    enum exit_code code = wiring_find_state(wiring);
    if (code != EXIT_OK)
        return code;
    wizard->policy =
        file_join(&wizard->arena, arena_copy(&wizard->arena, wiring->state_folder), "wizard.yaml");
    if (access(wizard->policy, F_OK) == 0)
        return EXIT_OK;
    if (file_make_folder(wiring->state_folder, 0700, &err) &&
        wizard_policy_write(wizard->policy, &err))
        return EXIT_OK;
    return exit_with(&err);
}

static enum exit_code take_environment(struct wizard *wizard, const char *missing)
{
    struct wiring wiring;
    struct err err;
    if (missing[0] != '\0')
        return refuse_variables(missing);
    if (!wizard_policy_account(&wizard->arena, &wizard->account, &err)) {
        exit_with(&err);
        return EXIT_USAGE;
    }
    wizard->target = wizard->options.to != NULL ? wizard->options.to : WIZARD_POLICY_COLD;
    wiring_init(&wiring, &wizard->options);
    enum exit_code code = place_policy(wizard, &wiring);
    wiring_close(&wiring);
    return code;
}

/* The named policy, or the one that is here, as for every verb; else the environment's. */
static enum exit_code find_policy(struct wizard *wizard)
{
    wizard->policy = wizard->options.args[0];
    if (wizard->policy != NULL || access(WIRING_POLICY, F_OK) == 0)
        return EXIT_OK;
    return take_environment(wizard, wizard_policy_missing(&wizard->arena));
}

/* The one store to which policies move; NULL: there are several, whose names are told. */
static const char *only_target(const struct policies *policies)
{
    uint16_t target = policies->items[0].target;
    for (size_t i = 1; i < policies->count; i++)
        if (policies->items[i].target != target)
            return NULL;
    return policies->stores[target].name;
}

static enum exit_code find_target(struct wizard *wizard)
{
    struct wiring wiring;
    if (wizard->target == NULL)
        wizard->target = wizard->options.to;
    if (wizard->target != NULL)
        return EXIT_OK;
    wiring_init(&wiring, &wizard->options);
    enum exit_code code = wiring_load(&wiring, wizard->policy);
    const char *target = code == EXIT_OK ? only_target(wiring.policies) : NULL;
    if (target != NULL)
        wizard->target = arena_copy(&wizard->arena, target);
    else if (code == EXIT_OK) {
        logging_error("--to STORE; only where all policies move to one it goes without saying",
                      "migrate to which store?");
        code = EXIT_USAGE;
    }
    wiring_close(&wiring);
    return code;
}

/* -- questions ------------------------------------------------------------------------------------
 */

static enum ask_answer ask(struct wizard *wizard, const char *prompt)
{
    return ask_line(prompt, wizard->answer, sizeof(wizard->answer));
}

static enum ask_answer ask_choice(struct wizard *wizard, unsigned *choice)
{
    fputs("==========================================================\n"
          "          ECAL Data Cold Storage Migration Tool\n"
          "==========================================================\n"
          "Select the type of migration:\n"
          "1. Migrate by ECAL IDs\n"
          "2. Migrate by single date\n"
          "3. Migrate by date range\n\n",
          stderr);
    for (;;) {
        enum ask_answer got = ask(wizard, "Enter your choice (1-3): ");
        if (got != ASK_TEXT)
            return got;
        *choice = (unsigned)(wizard->answer[0] - '0');
        if (strlen(wizard->answer) == 1 && *choice >= 1 && *choice <= 3)
            return ASK_TEXT;
        fputs("Please enter 1, 2 or 3 (q: leave).\n", stderr);
    }
}

/* "A, B" becomes "id:A,B"; NULL: there is none.  What looks like another method is an id as well.
 */
static const char *ids_of(struct wizard *wizard)
{
    const char *word = NULL;
    char *rest;
    struct buf text;
    buf_init(&text, COMMAND_BYTES_MAX);
    for (char *id = strtok_r(wizard->answer, ",", &rest); id != NULL;
         id = strtok_r(NULL, ",", &rest)) {
        id += strspn(id, " \t");
        size_t size = strlen(id);
        while (size > 0 && strchr(" \t", id[size - 1]) != NULL)
            size--;
        if (size == 0)
            continue;
        buf_text(&text, text.size == 0 ? "" : ",");
        if (text.size == 0 || id[strcspn(id, ":@")] != '\0')
            buf_text(&text, "id:");
        buf_add(&text, id, size);
    }
    if (text.size > 0)
        word = arena_copy(&wizard->arena, buf_string(&text));
    buf_free(&text);
    return word;
}

static enum ask_answer ask_ids(struct wizard *wizard, const char **word)
{
    for (;;) {
        fputs("\nEnter ECAL IDs (comma-separated):\n", stderr);
        enum ask_answer got = ask(wizard, "ECAL IDs: ");
        if (got != ASK_TEXT)
            return got;
        *word = ids_of(wizard);
        if (*word != NULL)
            return ASK_TEXT;
        fputs("An empty list selects nothing (q: back).\n", stderr);
    }
}

static enum ask_answer ask_day(struct wizard *wizard, const char *prompt, struct when_date *date)
{
    for (;;) {
        struct err err;
        enum ask_answer got = ask(wizard, prompt);
        if (got != ASK_TEXT || when_date_read(wizard->answer, date, &err))
            return got;
        fprintf(stderr, "%s is no date: YYYY-MM-DD, like 2025-02-14, is wanted (q: back).\n",
                wizard->answer[0] == '\0' ? "An empty line" : text_plain(wizard->answer));
    }
}

static enum ask_answer ask_date(struct wizard *wizard, const char **word)
{
    struct when_date day;
    fputs("\nEnter date (YYYY-MM-DD format):\n", stderr);
    enum ask_answer got = ask_day(wizard, "Date: ", &day);
    if (got != ASK_TEXT)
        return got;
    fprintf(stderr, "Selected date: %s\n", wizard->answer);
    *word = str_format(&wizard->arena, "date:%s", wizard->answer);
    return ASK_TEXT;
}

static enum ask_answer ask_dates(struct wizard *wizard, const char **word)
{
    struct when_date first, last;
    fputs("\nEnter date range (YYYY-MM-DD format), both days included:\n", stderr);
    for (;;) {
        enum ask_answer got = ask_day(wizard, "Start date: ", &first);
        if (got != ASK_TEXT)
            return got;
        const char *start = arena_copy(&wizard->arena, wizard->answer);
        got = ask_day(wizard, "End date: ", &last);
        if (got != ASK_TEXT)
            return got;
        if (when_days(first) <= when_days(last)) {
            fprintf(stderr, "Selected date range: %s to %s\n", start, wizard->answer);
            *word = str_format(&wizard->arena, "date:%s..%s", start, wizard->answer);
            return ASK_TEXT;
        }
        fprintf(stderr, "%s is before %s: the start date comes first (q: back).\n", wizard->answer,
                start);
    }
}

static enum ask_answer ask_what(struct wizard *wizard, const char **word)
{
    unsigned choice;
    enum ask_answer got = ask_choice(wizard, &choice);
    if (got != ASK_TEXT)
        return ASK_END; /* there is nothing behind the menu */
    switch (choice) {
    case 1:
        return ask_ids(wizard, word);
    case 2:
        return ask_date(wizard, word);
    default:
        return ask_dates(wizard, word);
    }
}

static enum ask_answer ask_cleanup(struct wizard *wizard)
{
    for (;;) {
        enum ask_answer got = ask(wizard, "Delete the sources? now / after 7 days / no [now]: ");
        const char *answer = wizard->answer;
        if (got != ASK_TEXT)
            return got;
        bool now = answer[0] == '\0' || str_equal(answer, "now");
        bool later = str_equal(answer, "after 7 days") || str_equal(answer, "after");
        wizard->options.keep_source = str_equal(answer, "no");
        wizard->options.grace_us = now ? 0 : GRACE_DAYS * WHEN_DAY_US;
        if (now || later || wizard->options.keep_source)
            return ASK_TEXT;
        fputs("Please answer now, after 7 days or no (q: back).\n", stderr);
    }
}

/* -- the migration --------------------------------------------------------------------------------
 */

/* A cmd_apply_approval, in the script's words. */
static enum exit_code approve(const struct options *options, const struct plan_reader *plan)
{
    char wanted[CMD_APPLY_ANSWER_MAX], typed[64];
    const char *question = "Do you want to proceed with the migration? (yes/no): ";
    (void)options;
    cmd_apply_answer(plan, wanted);
    if (!str_equal(wanted, "yes"))
        fprintf(stderr, "Much is deleted here: \"%s\" is wanted in place of yes.\n", wanted);
    terminal_forget_keys();
    for (;;) {
        enum ask_answer got = ask_line(question, typed, sizeof(typed));
        if (got == ASK_TEXT && str_equal(typed, wanted))
            return EXIT_OK;
        if (got != ASK_TEXT || str_equal(typed, "no"))
            break;
        fprintf(stderr, "Please answer %s or no.\n", wanted);
    }
    fputs("Nothing was migrated.\n", stderr);
    return EXIT_REFUSED;
}

static struct store *target_of(const struct wizard *wizard, const struct wiring *wiring)
{
    size_t i = 0;
    while (!str_equal(wiring->policies->stores[i].name, wizard->target))
        i++;
    return wiring->stores[i];
}

/* The script made the container where it was not there; here somebody is asked. */
static enum exit_code make_target(struct wizard *wizard, struct wiring *wiring)
{
    struct store *store = target_of(wizard, wiring);
    struct err err;
    if (store->ops->make == NULL || store_probe(store, &err))
        return EXIT_OK;
    if (err.kind != ERR_MISSING)
        return exit_with(&err);
    fprintf(stderr, "The container of the store %s does not exist.\n", wizard->target);
    for (;;) {
        enum ask_answer got = ask(wizard, "Create it? (yes/no): ");
        if (got != ASK_TEXT || str_equal(wizard->answer, "no"))
            break;
        if (str_equal(wizard->answer, "yes"))
            return store->ops->make(store, &err) ? EXIT_OK : exit_with(&err);
        fputs("Please answer yes or no.\n", stderr);
    }
    fputs("Nothing was migrated.\n", stderr);
    return EXIT_REFUSED;
}

static enum exit_code carry_out(struct wizard *wizard, struct wiring *wiring, const char *word)
{
    const char *path;
    struct planned planned;
    enum exit_code code = request_policy(wiring, REQUEST_MANUAL, wizard->target, &word, 1);
    if (code == EXIT_OK)
        code = cmd_apply_open(wiring, wizard->policy);
    if (code == EXIT_OK)
        code = make_target(wizard, wiring);
    if (code == EXIT_OK)
        code = planning_scratch(wiring, &path);
    if (code == EXIT_OK)
        code = planning_make(wiring, path, true, false, &planned);
    if (code == EXIT_OK)
        code = cmd_apply_keep(wiring, path, planned.digest, &path);
    return code == EXIT_OK ? cmd_apply_kept(wiring, path, approve, false) : code;
}

static void put_word(struct buf *out, const char *word)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
    if (word[strspn(word, plain)] == '\0') {
        buf_text(out, word);
        return;
    }
    buf_char(out, '\'');
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            buf_text(out, "'\\'");
        buf_char(out, *word);
    }
    buf_char(out, '\'');
}

/* To --select a blank is the end of a word. */
static void put_selection(struct buf *out, const char *word, struct arena *arena)
{
    struct buf text;
    buf_init(&text, COMMAND_BYTES_MAX);
    for (; *word != '\0'; word++) {
        if (*word == ' ')
            buf_char(&text, '\\');
        buf_char(&text, *word);
    }
    put_word(out, arena_copy(arena, buf_string(&text)));
    buf_free(&text);
}

/* Those that were given to the wizard itself. */
static void put_flags(struct buf *out, const struct options *options, struct arena *arena)
{
    if (options->state != NULL) {
        buf_text(out, " --state ");
        put_word(out, options->state);
    }
    for (size_t i = 0; i < options->var_count; i++) {
        buf_text(out, " --var ");
        put_word(out, str_format(arena, "%s=%s", options->vars[i].name, options->vars[i].value));
    }
}

static void tell_command(struct wizard *wizard, const char *word)
{
    const struct options *options = &wizard->options;
    struct buf text;
    buf_init(&text, COMMAND_BYTES_MAX);
    buf_text(&text, "frostline apply --select ");
    put_selection(&text, word, &wizard->arena);
    buf_format(&text, " --to %s ", wizard->target);
    if (options->keep_source)
        buf_text(&text, "--keep-source");
    else if (options->grace_us == 0)
        buf_text(&text, "--grace 0s");
    else
        buf_format(&text, "--grace %dd", GRACE_DAYS);
    buf_text(&text, " --auto-approve");
    put_flags(&text, options, &wizard->arena);
    if (wizard->policy != NULL) {
        buf_char(&text, ' ');
        put_word(&text, wizard->policy);
    }
    printf("\nThe same without questions:\n  %s\n", buf_string(&text));
    buf_free(&text);
}

/* *again: another answer is wanted. */
static enum exit_code migrate(struct wizard *wizard, const char *word, bool *again)
{
    struct wiring wiring;
    *again = ask_cleanup(wizard) != ASK_TEXT;
    if (*again)
        return EXIT_OK;
    fputs("\nPlanning...\n", stderr);
    wiring_init(&wiring, &wizard->options);
    enum exit_code code = carry_out(wizard, &wiring, word);
    wiring_close(&wiring);
    if (code != EXIT_REFUSED)
        tell_command(wizard, word);
    return code;
}

static enum exit_code converse(struct wizard *wizard)
{
    for (;;) {
        const char *word = NULL;
        bool found, again = true;
        enum ask_answer got = ask_what(wizard, &word);
        if (got == ASK_END) {
            fputs("Nothing was migrated.\n", stderr);
            return EXIT_REFUSED;
        }
        if (got == ASK_BACK)
            continue;
        fputs("\nFetching records from database...\n", stderr);
        const struct wizard_find find = {.options = &wizard->options,
                                         .policy = wizard->policy,
                                         .target = wizard->target,
                                         .account = wizard->account};
        enum exit_code code = wizard_find_show(&find, word, &found);
        if (code == EXIT_OK && found)
            code = migrate(wizard, word, &again);
        if (code != EXIT_OK || !again)
            return code;
        fputc('\n', stderr);
    }
}

int cmd_wizard(const struct options *options)
{
    struct wizard *wizard = calloc(1, sizeof(*wizard));
    if (wizard == NULL)
        abort();
    if (!ask_can() || options->no_input) {
        logging_error("frostline apply --select date:2025-02-14 --to STORE --auto-approve",
                      "the wizard asks, and nobody is there to answer");
        free(wizard);
        return EXIT_REFUSED;
    }
    wizard->options = *options;
    arena_init(&wizard->arena, ARENA_BYTES_MAX);
    enum exit_code code = find_policy(wizard);
    if (code == EXIT_OK)
        code = find_target(wizard);
    if (code == EXIT_OK)
        code = converse(wizard);
    arena_free(&wizard->arena);
    free(wizard);
    return code;
}
