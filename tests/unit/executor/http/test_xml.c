/* XML from strangers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "executor/http/xml.h"

static struct err err;
static struct buf seen;

static bool on_open(void *context, unsigned depth, const char *name, const char *const *attributes,
                    struct err *failure)
{
    assert_string_equal(context, "context");
    buf_format(&seen, "%u<%s", depth, name);
    for (; *attributes; attributes += 2)
        buf_format(&seen, " %s=%s", attributes[0], attributes[1]);
    buf_char(&seen, ' ');
    return strcmp(name, "refuse") != 0 || ERR(failure, ERR_INPUT, "refused");
}

static bool on_close(void *context, unsigned depth, const char *name, const char *text,
                     struct err *failure)
{
    assert_string_equal(context, "context");
    buf_format(&seen, "%u>%s[%s] ", depth, name, text);
    return strcmp(text, "refuse") != 0 || ERR(failure, ERR_INPUT, "refused");
}

static bool parse(const char *text, size_t size_bytes)
{
    static const struct xml_events events = {.open = on_open, .close = on_close};
    static char context[] = "context";
    struct xml xml;
    buf_reset(&seen);
    xml_init(&xml, &events, context);
    xml_add(&xml, text, size_bytes);
    bool done = xml_finish(&xml, &err);
    xml_free(&xml);
    return done;
}

static bool parse_text(const char *text)
{
    return parse(text, strlen(text));
}

static void elements_are_told_with_depth_attributes_and_text(void **state)
{
    (void)state;
    assert_true(parse_text("<a x='1'> <b>t &amp; u</b><c/>tail</a>"));
    assert_string_equal(buf_string(&seen), "1<a x=1 2<b 2>b[t & u] 2<c 2>c[] 1>a[tail] ");
}

static void malformed_texts_are_corrupt(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",           "x",           "<a>",         "<a></b>",     "<a/><b/>",      "<a b></a>",
        "<a>&x;</a>", "<a>&#0;</a>", "<a>\xff</a>", "<a>\x01</a>", "<a/>\n garbage"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_false(parse_text(texts[i]));
        assert_int_equal(err.kind, ERR_CORRUPT);
    }
    assert_false(parse("<a>\0</a>", 8));
}

static void a_doctype_ends_the_parse(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
        "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
        "<!DOCTYPE lolz [<!ENTITY l \"lol\"><!ENTITY m \"&l;&l;&l;&l;&l;&l;&l;&l;&l;&l;\">"
        "<!ENTITY n \"&m;&m;&m;&m;&m;&m;&m;&m;&m;&m;\"><!ENTITY o \"&n;&n;&n;&n;&n;&n;&n;\">]>"
        "<lolz>&o;</lolz>",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_false(parse_text(texts[i]));
        assert_int_equal(err.kind, ERR_CORRUPT);
        assert_non_null(strstr(err.text, "DOCTYPE"));
        assert_string_equal(buf_string(&seen), "");
    }
}

static void depth_and_text_have_limits(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 1 << 20);
    for (int i = 0; i < XML_DEPTH_MAX; i++)
        buf_text(&text, "<a>");
    for (int i = 0; i < XML_DEPTH_MAX; i++)
        buf_text(&text, "</a>");
    assert_true(parse(text.bytes, text.size));
    assert_false(parse_text("<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>"));
    assert_non_null(strstr(err.text, "deeper"));

    for (unsigned more = 0; more < 2; more++) {
        buf_reset(&text);
        buf_text(&text, "<a>");
        for (unsigned i = 0; i < XML_TEXT_MAX + more; i++)
            buf_char(&text, 'x');
        buf_text(&text, "</a>");
        assert_int_equal(parse(text.bytes, text.size), more == 0);
    }
    assert_int_equal(err.kind, ERR_CORRUPT);
    buf_free(&text);
}

static void an_event_may_end_the_parse(void **state)
{
    (void)state;
    assert_false(parse_text("<a><refuse><b/></refuse></a>"));
    assert_int_equal(err.kind, ERR_INPUT);
    assert_string_equal(buf_string(&seen), "1<a 2<refuse ");
    assert_false(parse_text("<a><b>refuse</b><c/></a>"));
    assert_int_equal(err.kind, ERR_INPUT);
    assert_string_equal(buf_string(&seen), "1<a 2<b 2>b[refuse] ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_told_with_depth_attributes_and_text),
        cmocka_unit_test(malformed_texts_are_corrupt),
        cmocka_unit_test(a_doctype_ends_the_parse),
        cmocka_unit_test(depth_and_text_have_limits),
        cmocka_unit_test(an_event_may_end_the_parse),
    };
    buf_init(&seen, 1 << 20);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_free(&seen);
    return failed;
}
