#include "executor/http/xml.h"

#include <expat.h>

#define PIECE_BYTES_MAX ((size_t)1 << 24) /* expat counts in int */

static void stop(struct xml *xml)
{
    XML_StopParser(xml->parser, XML_FALSE);
}

static void XMLCALL on_doctype(void *user, const XML_Char *name, const XML_Char *system_id,
                               const XML_Char *public_id, int has_internal_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_internal_subset;
    struct xml *xml = user;
    ERR(&xml->err, ERR_CORRUPT, "XML with a DOCTYPE");
    stop(xml);
}

static void XMLCALL on_open(void *user, const XML_Char *name, const XML_Char **attributes)
{
    struct xml *xml = user;
    if (xml->err.kind != ERR_NONE)
        return;
    xml->depth++;
    buf_reset(&xml->text);
    bool fine = xml->depth <= XML_DEPTH_MAX
                    ? xml->events->open(xml->context, xml->depth, name,
                                        (const char *const *)attributes, &xml->err)
                    : ERR(&xml->err, ERR_CORRUPT, "XML deeper than %d elements", XML_DEPTH_MAX);
    if (!fine)
        stop(xml);
}

static void XMLCALL on_close(void *user, const XML_Char *name)
{
    struct xml *xml = user;
    if (xml->err.kind != ERR_NONE)
        return;
    if (!xml->events->close(xml->context, xml->depth, name, buf_string(&xml->text), &xml->err))
        stop(xml);
    xml->depth--;
    buf_reset(&xml->text);
}

static void XMLCALL on_text(void *user, const XML_Char *text, int size_bytes)
{
    struct xml *xml = user;
    if (xml->err.kind != ERR_NONE)
        return;
    buf_add(&xml->text, text, (size_t)size_bytes);
    if (!xml->text.overflowed)
        return;
    ERR(&xml->err, ERR_CORRUPT, "an XML element with more than %u bytes of text", XML_TEXT_MAX);
    stop(xml);
}

void xml_init(struct xml *xml, const struct xml_events *events, void *context)
{
    *xml = (struct xml){.events = events, .context = context};
    buf_init(&xml->text, XML_TEXT_MAX);
    xml->parser = XML_ParserCreate("UTF-8");
    if (!xml->parser)
        err_abort("out of memory");
    XML_SetUserData(xml->parser, xml);
    XML_SetElementHandler(xml->parser, on_open, on_close);
    XML_SetCharacterDataHandler(xml->parser, on_text);
    XML_SetStartDoctypeDeclHandler(xml->parser, on_doctype);
}

static void parse(struct xml *xml, const char *bytes, size_t size_bytes, bool last)
{
    if (xml->err.kind != ERR_NONE)
        return;
    enum XML_Status status = XML_Parse(xml->parser, bytes, (int)size_bytes, last);
    if (status == XML_STATUS_OK || xml->err.kind != ERR_NONE)
        return;
    ERR(&xml->err, ERR_CORRUPT, "XML that is malformed or cut off in line %lu: %s",
        (unsigned long)XML_GetCurrentLineNumber(xml->parser),
        XML_ErrorString(XML_GetErrorCode(xml->parser)));
}

void xml_add(struct xml *xml, const char *bytes, size_t size_bytes)
{
    while (size_bytes > 0) {
        size_t piece = size_bytes < PIECE_BYTES_MAX ? size_bytes : PIECE_BYTES_MAX;
        parse(xml, bytes, piece, false);
        bytes += piece;
        size_bytes -= piece;
    }
}

bool xml_finish(struct xml *xml, struct err *err)
{
    parse(xml, "", 0, true);
    if (xml->err.kind == ERR_NONE)
        return true;
    *err = xml->err;
    return false;
}

void xml_free(struct xml *xml)
{
    XML_ParserFree(xml->parser);
    buf_free(&xml->text);
}
