#include "engine/show_funnel.h"

#include <string.h>

#include "base/str.h"
#include "engine/columns.h"
#include "engine/text.h"

/* "hot", of the policy's `from`. */
static const char *source_name(const struct plan_header *header, const struct plan_funnel *funnel)
{
    return funnel->from == POLICY_NO_INDEX ? "any" : text_plain(header->stores[funnel->from].name);
}

size_t show_funnel_columns(const struct plan_header *header, const struct plan_funnel *funnel)
{
    return text_columns(text_plain(funnel->policy)) + strlen("  ") +
           text_columns(source_name(header, funnel)) + strlen(" -> ") +
           text_columns(text_plain(header->stores[funnel->target].name));
}

static void show_step(struct columns_line *line, uint64_t count, const char *what)
{
    char text[64];
    if (count == 0)
        return;
    snprintf(text, sizeof(text), "-> %s%s%s", text_count(count), what[0] != '\0' ? " " : "", what);
    columns_put(line, text);
}

/* Between two stores of one place nothing moves. */
static const char *verb_of(const struct plan_header *header, const struct plan_funnel *funnel)
{
    uint16_t place = plan_place(header, funnel->target);
    bool moves = false, retiers = false;
    for (uint16_t i = 0; i < header->store_count; i++) {
        if (i == funnel->target || (funnel->from != POLICY_NO_INDEX && i != funnel->from))
            continue;
        if (plan_place(header, i) == place)
            retiers = true;
        else
            moves = true;
    }
    if (!retiers)
        return "move";
    return moves ? "move or retier" : "retier";
}

/* What drops out between all that is selected and what moves, a number each; one that stands alone
 * says how many are left there. */
static void show_steps(struct columns_line *line, const struct plan_header *header,
                       const struct plan_funnel *funnel)
{
    bool has_undecided = funnel->undecided > 0;
    uint64_t selected = funnel->rows - funnel->out;
    uint64_t apart = funnel->excluded + funnel->held + funnel->undecided;
    uint64_t later = funnel->lost + funnel->in_place + funnel->blocked + funnel->left;
    char text[64];
    columns_put(line, text_plural(funnel->rows, "recording"));
    snprintf(text, sizeof(text), "-> %s selected%s", text_count(selected),
             has_undecided ? " or undecided" : "");
    columns_put(line, text);
    show_step(line, funnel->excluded, "excluded");
    show_step(line, funnel->held, "held");
    show_step(line, funnel->undecided, "undecided");
    if (apart > 0 && later > 0)
        show_step(line, selected - apart, "");
    show_step(line, funnel->lost, "taken by another policy");
    show_step(line, funnel->in_place, "already there");
    show_step(line, funnel->blocked, "blocked");
    show_step(line, funnel->left, funnel->failed ? "refused" : "left for later");
    snprintf(text, sizeof(text), "-> %s to %s", text_count(funnel->planned),
             verb_of(header, funnel));
    columns_put(line, text);
}

void show_funnel(FILE *out, const struct plan_header *header, const struct plan_funnel *funnel,
                 size_t title_width)
{
    struct columns_line line = {.out = out, .column = title_width, .indent = title_width};
    size_t columns = show_funnel_columns(header, funnel);
    fprintf(out, "\n%s  %s -> %s", text_plain(funnel->policy), source_name(header, funnel),
            text_plain(header->stores[funnel->target].name));
    if (columns < title_width)
        columns_blanks(out, columns, title_width);
    else
        fprintf(out, "\n%*s", (int)title_width, "");
    show_steps(&line, header, funnel);
    fputc('\n', out);
}

static const char *order_of(const struct plan_header *header, const char *policy)
{
    static const char *const names[] = {[ORDER_OLDEST] = ", oldest first",
                                        [ORDER_NEWEST] = ", newest first",
                                        [ORDER_LARGEST] = ", largest first",
                                        [ORDER_SMALLEST] = ", smallest first"};
    for (size_t i = 0; i < header->guard_count; i++)
        if (str_equal(header->guards[i].policy, policy))
            return names[header->guards[i].order];
    return "";
}

void show_funnel_remains(FILE *out, const struct plan_header *header,
                         const struct plan_funnel *funnel)
{
    const char *guard = funnel->guard != NULL ? text_plain(funnel->guard) : NULL;
    if (funnel->failed)
        fprintf(out, "  %s %s refused by the guard %s: nothing of this policy is planned\n",
                text_sign(out, '!'), text_count(funnel->left),
                guard != NULL ? guard : "of this policy");
    else if (funnel->left > 0 && guard != NULL)
        fprintf(out, "  %s %s left for later: %s%s\n", text_sign(out, '!'),
                text_count(funnel->left), guard, order_of(header, funnel->policy));
    else if (funnel->left > 0)
        fprintf(out, "  %s %s left for later by the guard of another policy, which takes %s too\n",
                text_sign(out, '!'), text_count(funnel->left), funnel->left == 1 ? "it" : "them");
    if (funnel->undecided > 0)
        fprintf(out, "  %s %s undecided, and so %s; frostline explain ID tells why\n",
                text_sign(out, '?'), text_count(funnel->undecided),
                funnel->undecided == 1 ? "it stays" : "they stay");
}
