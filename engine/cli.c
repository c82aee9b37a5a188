#include "engine/cli.h"

#include <stdio.h>

#include "base/str.h"
#include "engine/cmd.h"
#include "engine/exit.h"
#include "engine/logging.h"
#include "engine/progress.h"
#include "engine/terminal.h"
#include "engine/text.h"

static int cmd_help(const struct options *options);
static int cmd_version(const struct options *options);

#define VERBS_FIRST 9 /* that the first help shows */

static const struct verb verbs[] = {
    {"demo", VERB_DEMO, "", 0, "a sandbox that shows what frostline does; needs no account",
     cmd_demo},
    {"wizard", VERB_WIZARD, "[POLICY]", 1, "ask what to migrate, as the script did", cmd_wizard},
    {"doctor", VERB_DOCTOR, "[POLICY]", 1, "check all that a run needs, and say how to mend it",
     cmd_doctor},
    {"validate", VERB_VALIDATE, "[POLICY]", 1,
     "check a policy; --online: its catalog and stores too", cmd_validate},
    {"plan", VERB_PLAN, "[POLICY]", 1, "what the policy would move, changing nothing", cmd_plan},
    {"apply", VERB_APPLY, "[PLAN | POLICY]", 1,
     "carry out a saved plan; or plan, show, ask, carry out", cmd_apply},
    {"reconcile", VERB_RECONCILE, "[POLICY]", 1,
     "plan, apply and reap in one, never asking: for timers", cmd_reconcile},
    {"status", VERB_STATUS, "", 0, "what runs, what is open or parked", cmd_status},
    {"explain", VERB_EXPLAIN, "[ID [POLICY]]", 2,
     "why a recording moves or stays; what FL0102 means", cmd_explain},
    {"show", VERB_SHOW, "PLAN", 1, "show a saved plan", cmd_show},
    {"diff", VERB_DIFF, "[OLD NEW|POLICY]", 2,
     "what differs between two plans, or since --base REV", cmd_diff},
    {"test", VERB_TEST, "[PATH]", 1, "run the tests of policies, without catalog and store",
     cmd_test},
    {"schema", VERB_SCHEMA, "policy|tests", 1, "the JSON Schema by which editors check files",
     cmd_schema},
    {"ls", VERB_LS, "[SELECT...]", OPTIONS_ARGS_MAX,
     "recordings: where each one is, and its next move", cmd_ls},
    {"history", VERB_HISTORY, "ID", 1, "all that ever happened to a recording", cmd_history},
    {"reap", VERB_REAP, "[POLICY]", 1, "delete the sources whose grace is over", cmd_reap},
    {"rollback", VERB_ROLLBACK, "RUN [POLICY]", 2,
     "send back what a run moved, while its sources stand", cmd_rollback},
    {"restore", VERB_RESTORE, "SELECT...", OPTIONS_ARGS_MAX,
     "bring recordings back: id:A,B date:2025-02-14 @FILE", cmd_restore},
    {"help", VERB_HELP, "[VERB | all]", 1, "what a verb does and which flags it knows", cmd_help},
    {"version", VERB_VERSION, "", 0, "which frostline this is", cmd_version},
    {0}};

static void help_verb(FILE *out, const struct verb *verb)
{
    fprintf(out, "frostline %s%s%s [FLAGS]\n  %s\n\n", verb->name,
            verb->arguments[0] != '\0' ? " " : "", verb->arguments, verb->summary);
    options_help(out, verb);
}

static void help_line(FILE *out, const struct verb *verb)
{
    fprintf(out, "  %-10s %-16s %s\n", verb->name, verb->arguments, verb->summary);
}

/* All verbs, or the first of them and the names of the others. */
static void help(FILE *out, bool all)
{
    size_t i = 0;
    fputs("frostline keeps recordings on the storage that your policy says, shows the plan before\n"
          "it moves anything, and can always explain why.\n\n"
          "usage: frostline VERB [FLAGS] [POLICY | PLAN]\n\n",
          out);
    for (; verbs[i].name != NULL && (all || i < VERBS_FIRST); i++)
        help_line(out, &verbs[i]);
    if (!all)
        fputs("\nand", out);
    for (; verbs[i].name != NULL; i++)
        fprintf(out, " %s", verbs[i].name);
    fprintf(out,
            "%s\nA policy is a file, or a folder with a frostline.yaml; without one, "
            "frostline.yaml here.\nfrostline help VERB lists the flags of a verb%s.\n",
            all ? "" : "\n", all ? "" : "; frostline help all, all verbs");
}

static int cmd_help(const struct options *options)
{
    struct err err;
    bool all = options->arg_count > 0 && str_equal(options->args[0], "all");
    if (options->arg_count == 0 || all) {
        help(stdout, all);
        return EXIT_OK;
    }
    const struct verb *verb = options_verb(verbs, options->args[0], &err);
    if (verb != NULL)
        help_verb(stdout, verb);
    else
        exit_with(&err);
    return verb != NULL ? EXIT_OK : EXIT_USAGE;
}

static int cmd_version(const struct options *options)
{
    (void)options;
    puts("frostline " FROSTLINE_VERSION);
    return EXIT_OK;
}

/* What could not be written was not told: a full disk or a closed pipe is a failure. */
static int flush(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    logging_error(NULL, "the output could not be written");
    return code == EXIT_OK ? EXIT_FAILED : code;
}

int cli_run(int argc, char **argv)
{
    struct options options;
    struct err err;

    bool read = options_read(&options, argc, argv, verbs, &err);
    terminal_set_colours(options.color);
    logging_open(options.log_format, options.verbose, options.quiet);
    progress_set_mode(options.quiet ? PROGRESS_NONE : options.progress);
    if (!read) {
        exit_with(&err);
        return EXIT_USAGE;
    }
    if (options.verb == NULL) {
        help(options.help ? stdout : stderr, false);
        return options.help ? flush(EXIT_OK) : EXIT_USAGE;
    }
    if (options.help) {
        help_verb(stdout, options.verb);
        return flush(EXIT_OK);
    }
    return flush(options.verb->run(&options));
}
