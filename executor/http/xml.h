/* xml.h: XML as a service sends it, read piece by piece through expat, which nothing outside xml.c
 * sees.  A DOCTYPE ends the parse, so there are no entities but the five of XML itself.          */
#ifndef EXECUTOR_HTTP_XML_H
#define EXECUTOR_HTTP_XML_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define XML_DEPTH_MAX 16
#define XML_TEXT_MAX (16u << 10) /* of one element */

/* depth: 1 for the root.  Return false with err to end the parse. */
struct xml_events {
    /* attributes: name, value, name, value, .., NULL. */
    bool (*open)(void *context, unsigned depth, const char *name, const char *const *attributes,
                 struct err *err);
    /* text: what stood in the element behind the last tag in it; of a leaf, all of it. */
    bool (*close)(void *context, unsigned depth, const char *name, const char *text,
                  struct err *err);
};

struct xml {
    void *parser;
    const struct xml_events *events;
    void *context;
    unsigned depth;
    struct buf text;
    struct err err; /* the first failure; nothing is parsed after it */
};
void xml_init(struct xml *xml, const struct xml_events *events, void *context);
void xml_add(struct xml *xml, const char *bytes, size_t size_bytes);
/* The document was whole and well-formed and no event failed.  ERR_CORRUPT otherwise, or whatever
 * an event said.  Needs an xml_free all the same. */
MUST_USE bool xml_finish(struct xml *xml, struct err *err);
void xml_free(struct xml *xml);
#endif
