/* diag_machine.h: findings for programs: JSON, and annotations of GitHub's workflows. */
#ifndef POLICY_DIAG_MACHINE_H
#define POLICY_DIAG_MACHINE_H

#include "policy/diag.h"

/* One object on one line: {"format_version":1,"diagnostics":[{"code":"FL0102",..}],"errors":1,..}.
 * Lines and columns count from 1, columns and length in code points.                             */
void diag_machine_json(const struct diags *diags, struct buf *out);
/* A line each, as GitHub's documentation of workflow commands has it: ::error file=..,line=..::text
 */
void diag_machine_github(const struct diags *diags, struct buf *out);
#endif
