#include "engine/doctor.h"

#include <stdarg.h>
#include <stdio.h>

#define TEXT_BYTES 2048

static void PRINTF(3, 0)
    add(struct doctor *doctor, struct finding finding, const char *fmt, va_list args)
{
    char text[TEXT_BYTES];
    vsnprintf(text, sizeof text, fmt, args);
    finding.group = doctor->check->group;
    finding.subject = doctor->subject;
    finding.name = doctor->check->name;
    finding.text = text;
    findings_add(&doctor->findings, &finding);
}

#define ADD(doctor, fmt, ...)                                                                      \
    do {                                                                                           \
        va_list args;                                                                              \
        va_start(args, fmt);                                                                       \
        add(doctor, (struct finding){__VA_ARGS__}, fmt, args);                                     \
        va_end(args);                                                                              \
    } while (0)

void doctor_ok(struct doctor *doctor, const char *fmt, ...)
{
    ADD(doctor, fmt, .status = FINDING_OK);
}

void doctor_skip(struct doctor *doctor, const char *fmt, ...)
{
    ADD(doctor, fmt, .status = FINDING_SKIPPED);
}

void doctor_warn(struct doctor *doctor, const char *fix, const char *fmt, ...)
{
    ADD(doctor, fmt, .status = FINDING_WARNING, .fix = fix);
}

void doctor_fail(struct doctor *doctor, enum exit_code code, const char *fix, const char *fmt, ...)
{
    ADD(doctor, fmt, .status = FINDING_FAILED, .fix = fix, .code = code);
}

void doctor_fail_with(struct doctor *doctor, const struct err *err, const char *fix)
{
    doctor_fail(doctor, exit_of(err), err->hint[0] != '\0' ? err->hint : fix, "%s", err->text);
}
