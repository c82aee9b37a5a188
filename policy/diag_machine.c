#include "policy/diag_machine.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "policy/diag_codes.h"

/* -- JSON -------------------------------------------------------------------------------------- */

static void put_span(struct json_writer *json, const struct diags *diags, const struct span *span)
{
    json_put_text(json, "file", diags->files[span->file].path);
    json_put_unsigned(json, "line", span->line);
    json_put_unsigned(json, "column", span->column);
    json_put_unsigned(json, "length", span->length);
}

static void put_finding(struct json_writer *json, const struct diags *diags,
                        const struct diag *diag)
{
    char code[16];
    snprintf(code, sizeof code, "FL%04d", diag->code);
    json_object_begin(json);
    json_put_text(json, "code", code);
    json_put_text(json, "severity", diag_severity_name(diag->severity));
    json_put_text(json, "title", diag_codes_find(diag->code)->title);
    json_put_text(json, "text", diag->text);
    put_span(json, diags, &diag->span);
    json_put_text(json, "label", diag->label);
    json_put_text(json, "help", diag->help);
    if (diag->has_second) {
        json_key(json, "second");
        json_object_begin(json);
        put_span(json, diags, &diag->second);
        json_put_text(json, "label", diag->second_label);
        json_object_end(json);
    }
    json_object_end(json);
}

void diag_machine_json(const struct diags *diags, struct buf *out)
{
    const struct diag *sorted[DIAG_MAX];
    size_t count = diag_sort(diags, sorted);
    struct json_writer json;
    json_begin(&json, out);
    json_object_begin(&json);
    json_put_integer(&json, "format_version", 1);
    json_key(&json, "diagnostics");
    json_array_begin(&json);
    for (size_t i = 0; i < count; i++)
        put_finding(&json, diags, sorted[i]);
    json_array_end(&json);
    json_put_unsigned(&json, "errors", diags->errors);
    json_put_unsigned(&json, "warnings", diags->warnings);
    json_object_end(&json);
    buf_char(out, '\n');
}

/* -- GitHub ------------------------------------------------------------------------------------ */

/* What a workflow command would read as its own is written by number; in a property more is. */
static void put_escaped(struct buf *out, const char *text, bool is_property)
{
    for (; *text != '\0'; text++) {
        bool is_own =
            strchr("%\r\n", *text) != NULL || (is_property && strchr(":,", *text) != NULL);
        if (is_own)
            buf_format(out, "%%%02X", (unsigned)(unsigned char)*text);
        else
            buf_char(out, *text);
    }
}

void diag_machine_github(const struct diags *diags, struct buf *out)
{
    const struct diag *sorted[DIAG_MAX];
    size_t count = diag_sort(diags, sorted);
    for (size_t i = 0; i < count; i++) {
        const struct diag *diag = sorted[i];
        const struct span *span = &diag->span;
        buf_format(out, "::%s file=", diag_severity_name(diag->severity));
        put_escaped(out, diags->files[span->file].path, true);
        buf_format(out, ",line=%u,col=%u,endColumn=%u,title=FL%04d ", span->line, span->column,
                   span->column + span->length, diag->code);
        put_escaped(out, diag_codes_find(diag->code)->title, true);
        buf_text(out, "::");
        put_escaped(out, diag->text, false);
        if (diag->help[0] != '\0') {
            buf_text(out, "%0A");
            put_escaped(out, diag->help, false);
        }
        buf_char(out, '\n');
    }
}
