/* show_json.h: a plan as one JSON document. */
#ifndef ENGINE_SHOW_JSON_H
#define ENGINE_SHOW_JSON_H

#include <stdio.h>

#include "base/err.h"

/* {"format_version":1,"plan":HEADER,"actions":[..],"end":LAST}, each part a line of the file as it
 * is.  The file was checked before (plan_file_open).                                             */
MUST_USE bool show_json_plan(FILE *out, const char *path, struct err *err);
#endif
