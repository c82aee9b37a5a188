#include "engine/cli.h"

#include <stdio.h>

#include "engine/cmd.h"
#include "engine/exit.h"
#include "engine/logging.h"
#include "engine/progress.h"
#include "engine/terminal.h"
#include "engine/text.h"

static int cmd_help(const struct options *options);
static int cmd_version(const struct options *options);

static const struct verb verbs[] = {
    {"demo", VERB_DEMO, "", 0, "a sandbox that shows what frostline does; needs no account",
     cmd_demo},
    {"validate", VERB_VALIDATE, "[POLICY]", 1,
     "check a policy; with --online its catalog and stores as well", cmd_validate},
    {"test", VERB_TEST, "[PATH]", 1, "run the tests of policies, without a catalog and a store",
     cmd_test},
    {"explain", VERB_EXPLAIN, "[ID [POLICY]]", 2,
     "why a recording moves or stays; or what a code like FL0102 means", cmd_explain},
    {"schema", VERB_SCHEMA, "policy|tests", 1, "print the JSON Schema by which editors check files",
     cmd_schema},
    {"plan", VERB_PLAN, "[POLICY]", 1, "what the policy would move, changing nothing", cmd_plan},
    {"show", VERB_SHOW, "PLAN", 1, "show a saved plan", cmd_show},
    {"diff", VERB_DIFF, "[OLD NEW|POLICY]", 2,
     "what differs between two plans, or between a policy and its --base REV", cmd_diff},
    {"apply", VERB_APPLY, "[PLAN | POLICY]", 1,
     "carry out a saved plan; or plan, show it, ask, and carry it out", cmd_apply},
    {"reconcile", VERB_RECONCILE, "[POLICY]", 1,
     "plan, apply and reap in one, never asking: for timers", cmd_reconcile},
    {"reap", VERB_REAP, "[POLICY]", 1, "delete the sources whose grace is over", cmd_reap},
    {"rollback", VERB_ROLLBACK, "RUN [POLICY]", 2,
     "send back what a run has moved, while its sources still stand", cmd_rollback},
    {"restore", VERB_RESTORE, "SELECT...", OPTIONS_ARGS_MAX,
     "bring recordings back: id:A,B, date:2025-02-14, date:A..B, store:N, @FILE", cmd_restore},
    {"wizard", VERB_WIZARD, "[POLICY]", 1,
     "asks what to migrate, as the script did, from its environment variables or a policy",
     cmd_wizard},
    {"ls", VERB_LS, "[SELECT...]", OPTIONS_ARGS_MAX,
     "recordings, where each one is and its next move; all, or those that SELECT says", cmd_ls},
    {"status", VERB_STATUS, "", 0, "what runs, what is open or parked", cmd_status},
    {"history", VERB_HISTORY, "ID", 1, "all that ever happened to a recording, step by step",
     cmd_history},
    {"doctor", VERB_DOCTOR, "[POLICY]", 1,
     "check environment, catalog, stores and state, and say how to mend what is not well",
     cmd_doctor},
    {"help", VERB_HELP, "[VERB]", 1, "what a verb does and which flags it knows", cmd_help},
    {"version", VERB_VERSION, "", 0, "which frostline this is", cmd_version},
    {0}};

static void help_verb(FILE *out, const struct verb *verb)
{
    fprintf(out, "frostline %s%s%s [FLAGS]\n  %s\n\n", verb->name,
            verb->arguments[0] != '\0' ? " " : "", verb->arguments, verb->summary);
    options_help(out, verb);
}

static void help_all(FILE *out)
{
    fputs("frostline keeps recordings on the storage that your policy says, shows the plan before\n"
          "it moves anything, and can always explain why.\n\n"
          "usage: frostline VERB [FLAGS] [POLICY | PLAN]\n\n",
          out);
    for (size_t i = 0; verbs[i].name != NULL; i++)
        fprintf(out, "  %-10s %-16s %s\n", verbs[i].name, verbs[i].arguments, verbs[i].summary);
    fputs("\nA policy is a file, or a folder with a frostline.yaml; without one, frostline.yaml "
          "here.\nfrostline help VERB lists the flags of a verb.\n",
          out);
}

static int cmd_help(const struct options *options)
{
    struct err err;
    if (options->arg_count == 0) {
        help_all(stdout);
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
        help_all(options.help ? stdout : stderr);
        return options.help ? flush(EXIT_OK) : EXIT_USAGE;
    }
    if (options.help) {
        help_verb(stdout, options.verb);
        return flush(EXIT_OK);
    }
    return flush(options.verb->run(&options));
}
