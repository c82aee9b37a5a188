#include "base/size.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* Powers of ten beyond this tell no more bytes of the largest unit apart. */
#define SIZE_FRACTION_DIGITS_MAX 18

static const struct {
    const char *name;
    uint64_t factor;
} units[] = {
    {"B", 1},
    {"kB", UINT64_C(1000)},
    {"KB", UINT64_C(1000)},
    {"MB", UINT64_C(1000000)},
    {"GB", UINT64_C(1000000000)},
    {"TB", UINT64_C(1000000000000)},
    {"PB", UINT64_C(1000000000000000)},
    {"EB", UINT64_C(1000000000000000000)},
    {"KiB", UINT64_C(1) << 10},
    {"MiB", UINT64_C(1) << 20},
    {"GiB", UINT64_C(1) << 30},
    {"TiB", UINT64_C(1) << 40},
    {"PiB", UINT64_C(1) << 50},
    {"EiB", UINT64_C(1) << 60},
};

uint64_t size_unit(const char *unit)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (str_equal(unit, units[i].name))
            return units[i].factor;
    }
    return 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool size_read(const char *text, uint64_t *size_bytes, struct err *err)
{
    /* The digits as one number, and the power of ten that stands below it: 1.5 is 15 / 10. */
    unsigned __int128 number = 0;
    uint64_t divisor = 1;
    const char *at = text;
    for (; is_digit(*at) && number <= INT64_MAX; at++)
        number = number * 10 + (unsigned)(*at - '0');
    bool well_formed = at > text;
    if (*at == '.') {
        const char *point = at++;
        for (; is_digit(*at) && at - point <= SIZE_FRACTION_DIGITS_MAX; at++) {
            number = number * 10 + (unsigned)(*at - '0');
            divisor *= 10;
        }
        well_formed = well_formed && at - point > 1;
    }
    if (number / divisor > INT64_MAX)
        return ERR(err, ERR_INPUT, "the size %s is too large", text);
    uint64_t factor = size_unit(at);
    if (!well_formed || factor == 0 || (divisor > 1 && factor == 1))
        return ERR(err, ERR_INPUT, "\"%s\" is not a size; write one like 500MB, 1.5TB or 20GiB",
                   text);
    /* number < 2^63 * 10^18 < 2^123: with the whole part apart, the product stays below 2^128. */
    unsigned __int128 bytes = number / divisor * factor + number % divisor * factor / divisor;
    if (bytes > INT64_MAX)
        return ERR(err, ERR_INPUT, "the size %s is too large", text);
    *size_bytes = (uint64_t)bytes;
    return true;
}

void size_text(uint64_t size_bytes, char text[SIZE_TEXT_MAX])
{
    static const char *const names[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    static const unsigned powers[] = {1, 10, 100};

    if (size_bytes < 1000) {
        snprintf(text, SIZE_TEXT_MAX, "%u B", (unsigned)size_bytes);
        return;
    }
    /* The most decimals that leave three digits, in the first unit that needs no fourth. */
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint64_t factor = size_unit(names[i]);
        for (int decimals = 2; decimals >= 0; decimals--) {
            unsigned power = powers[decimals];
            unsigned __int128 scaled = (unsigned __int128)size_bytes * power + factor / 2;
            if (scaled / factor >= 1000)
                continue;
            char three[4];
            snprintf(three, sizeof three, "%u", (unsigned)(scaled / factor));
            snprintf(text, SIZE_TEXT_MAX, "%.*s%s%s %s", 3 - decimals, three,
                     decimals > 0 ? "." : "", three + 3 - decimals, names[i]);
            return;
        }
    }
}

void size_count_text(uint64_t count, char text[SIZE_TEXT_MAX + 8])
{
    char plain[SIZE_TEXT_MAX];
    int length = snprintf(plain, sizeof plain, "%" PRIu64, count);
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *text++ = ',';
        *text++ = plain[i];
    }
    *text = '\0';
}
