#include "engine/text.h"

#include <stdio.h>
#include <string.h>

#include "base/size.h"
#include "base/str.h"
#include "base/when.h"

#define SLOTS 16
#define SLOT_BYTES 96

static char *slot(void)
{
    static _Thread_local char slots[SLOTS][SLOT_BYTES];
    static _Thread_local unsigned next;
    return slots[next++ % SLOTS];
}

const char *text_size(uint64_t size_bytes)
{
    char *text = slot();
    size_text(size_bytes, text);
    return text;
}

const char *text_count(uint64_t count)
{
    char *text = slot();
    size_count_text(count, text);
    return text;
}

const char *text_instant(int64_t instant_us)
{
    char *text = slot();
    when_instant_people(instant_us, text);
    return text;
}

const char *text_plural(uint64_t count, const char *word)
{
    char *text = slot();
    size_t length = strlen(word);
    if (count == 1)
        snprintf(text, SLOT_BYTES, "1 %s", word);
    else if (str_ends(word, "y") && !str_ends(word, "ay"))
        snprintf(text, SLOT_BYTES, "%s %.*sies", text_count(count), (int)length - 1, word);
    else
        snprintf(text, SLOT_BYTES, "%s %ss", text_count(count), word);
    return text;
}

const char *text_unit(bool by_object)
{
    return by_object ? "object" : "directory";
}

const char *text_plain(const char *name)
{
    static _Thread_local char plains[4][TEXT_PLAIN_BYTES + 1];
    static _Thread_local unsigned next;
    char *plain = plains[next++ % 4];
    snprintf(plain, TEXT_PLAIN_BYTES + 1, "%s", name);
    str_tame(plain);
    return plain;
}

size_t text_columns(const char *text)
{
    size_t columns = 0;
    for (; *text != '\0'; text++)
        columns += ((unsigned char)*text & 0xc0) != 0x80;
    return columns;
}

const char *text_digest(const char *digest)
{
    char *text = slot();
    size_t length = strlen(digest);
    if (length < 24)
        return digest;
    snprintf(text, SLOT_BYTES, "%.15s..%s", digest, digest + length - 4);
    return text;
}
