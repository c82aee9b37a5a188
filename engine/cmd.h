/* cmd.h: the verbs, each in a file of its own; each returns the exit code. */
#ifndef ENGINE_CMD_H
#define ENGINE_CMD_H

#include "engine/options.h"

int cmd_demo(const struct options *options);
int cmd_diff(const struct options *options);
int cmd_doctor(const struct options *options);
int cmd_explain(const struct options *options);
int cmd_test(const struct options *options);
int cmd_validate(const struct options *options);
int cmd_plan(const struct options *options);
int cmd_schema(const struct options *options);
int cmd_show(const struct options *options);
int cmd_apply(const struct options *options);
int cmd_reconcile(const struct options *options);
int cmd_reap(const struct options *options);
int cmd_history(const struct options *options);
int cmd_restore(const struct options *options);
int cmd_rollback(const struct options *options);
int cmd_wizard(const struct options *options);
int cmd_ls(const struct options *options);
int cmd_status(const struct options *options);
#endif
