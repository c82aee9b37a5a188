/* cli.h: a command line, from its words to its exit code. */
#ifndef ENGINE_CLI_H
#define ENGINE_CLI_H

/* May be called again, one at a time: the demo is made of command lines. */
int cli_run(int argc, char **argv);
#endif
