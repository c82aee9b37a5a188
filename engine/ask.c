#include "engine/ask.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "engine/signals.h"

bool ask_can(void)
{
    return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* False at the end of the input. */
static bool read_line(char *text, size_t capacity, bool *fits)
{
    size_t size = 0;
    int byte;
    *fits = true;
    while ((byte = fgetc(stdin)) != EOF && byte != '\n') {
        if (size + 1 == capacity)
            *fits = false;
        else
            text[size++] = (char)byte;
    }
    text[size] = '\0';
    return byte != EOF || size > 0;
}

static void trim(char *text)
{
    size_t from = strspn(text, " \t\r"), size = strlen(text);
    while (size > from && strchr(" \t\r", text[size - 1]) != NULL)
        size--;
    memmove(text, text + from, size - from);
    text[size - from] = '\0';
}

enum ask_answer ask_line(const char *prompt, char *text, size_t capacity)
{
    bool fits, is_there;
    do {
        fflush(stdout);
        signals_ask(true); /* before anybody can answer */
        fputs(prompt, stderr);
        is_there = read_line(text, capacity, &fits);
        signals_ask(false);
        if (!fits)
            fprintf(stderr, "That is longer than %zu bytes.\n", capacity - 1);
    } while (is_there && !fits);
    if (!is_there)
        return ASK_END;
    trim(text);
    return str_equal(text, "q") ? ASK_BACK : ASK_TEXT;
}
