/* show_diff_json.h: what two plans differ in, as one JSON document. */
#ifndef ENGINE_SHOW_DIFF_JSON_H
#define ENGINE_SHOW_DIFF_JSON_H

#include "engine/show_diff.h"

/* {"format_version":1,"old":{..},"new":{..},"edited":false,"differences":[..],"summary":{..}}; the
 * actions of a difference, `before` and `after`, are those of the two files.  max_bytes does not
 * count: nothing is left out. */
MUST_USE bool show_diff_json(FILE *out, const struct show_diff *diff, struct err *err);
#endif
