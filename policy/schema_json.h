/* schema_json.h: the table of keys as a JSON Schema, for editors and for checks without frostline.
 *
 * It refuses nothing that a policy may say, but for one word: `null` as a text has to stand in
 * quotes, because a schema can't tell it from a value that is missing.  What it can't know (other
 * files, the environment, one part of a policy against another) it lets pass.
 * Source: json-schema.org, draft 7; patterns are ECMA-262's.                                     */
#ifndef POLICY_SCHEMA_JSON_H
#define POLICY_SCHEMA_JSON_H

struct buf;
struct schema;

/* The whole document of a kind of file (schema_root, schema_tests_file), in lines, the last one
 * ended: always the same bytes. */
void schema_json_write(const struct schema *root, struct buf *out);
#endif
